-- A B2B software company with known truth: every number of it follows from a seed, and what was to be expected is known exactly.

CREATE FUNCTION ltv.load_demo(schema text, accounts integer DEFAULT 1000, seed integer DEFAULT 1, as_of date DEFAULT '2025-06-30', replace boolean DEFAULT false)
    RETURNS TABLE (relation text, n bigint, description text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $load$
#variable_conflict use_column
DECLARE
    ours constant text[] := ARRAY(SELECT DISTINCT d.relation FROM ltv.demo_dictionary() d);
    draw constant bigint := seed::bigint * 100;                      -- one stream of random numbers per seed and number below 100
    horizon constant date := (as_of + interval '24 months')::date;   -- what actuals know
    edge constant date := (as_of + interval '27 months')::date;      -- beyond all that is decided by then
    foreign_relation text;
    effect record;
    factor float8[];
    target text;
    cut date;
    entry record;
    described boolean;
BEGIN
    IF schema IS NULL OR accounts IS NULL OR seed IS NULL OR as_of IS NULL OR replace IS NULL THEN
        RAISE EXCEPTION 'an argument of load_demo is NULL' USING ERRCODE = 'null_value_not_allowed',
            HINT = 'Only the schema has no default: SELECT * FROM ltv.load_demo(''acme'');';
    ELSIF schema = '' OR octet_length(schema) > 63 OR schema ~ '^pg_' THEN
        RAISE EXCEPTION '% is no name for a schema', quote_literal(left(schema, 80)) USING ERRCODE = 'invalid_parameter_value',
            HINT = 'A name of 1 to 63 bytes that does not begin with pg_, for example acme.';
    ELSIF accounts NOT BETWEEN 1 AND 1000000 THEN
        RAISE EXCEPTION 'accounts is %', accounts USING ERRCODE = 'invalid_parameter_value', HINT = 'Between 1 and 1000000 customers can be made.';
    ELSIF as_of NOT BETWEEN '1990-01-01' AND '2200-01-01' THEN
        RAISE EXCEPTION 'as_of is %', as_of USING ERRCODE = 'invalid_parameter_value', HINT = 'A day between 1990-01-01 and 2200-01-01.';
    END IF;

    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = schema) THEN
        EXECUTE format('CREATE SCHEMA %I', schema);
    ELSE
        SELECT format('%s of %s', c.oid::regclass, c.relowner::regrole) INTO foreign_relation
        FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
        WHERE s.nspname = schema AND c.relkind NOT IN ('i', 'I') AND (NOT c.relname::text = ANY (ours) OR NOT pg_has_role(c.relowner, 'USAGE')
            OR NOT EXISTS (SELECT FROM pg_class about WHERE about.relnamespace = s.oid AND about.relname = 'demo_company'))
        ORDER BY c.relname COLLATE "C" LIMIT 1;
        -- What follows looks for names in this schema: whoever may create there could put a better match for a function or an operator.
        SELECT coalesce(foreign_relation, min(f.what COLLATE "C")) INTO foreign_relation
        FROM (SELECT format('%s of %s', p.oid::regprocedure, p.proowner::regrole) AS what FROM pg_proc p JOIN pg_namespace s ON s.oid = p.pronamespace WHERE s.nspname = schema
              UNION ALL
              SELECT format('%s of %s', o.oid::regoperator, o.oprowner::regrole) FROM pg_operator o JOIN pg_namespace s ON s.oid = o.oprnamespace WHERE s.nspname = schema) f;
        IF foreign_relation IS NOT NULL THEN
            RAISE EXCEPTION 'schema % holds what load_demo has not made', quote_ident(schema) USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = 'It holds ' || foreign_relation || '.', HINT = 'Give the name of a schema that does not exist, or move what is in the way.';
        ELSIF EXISTS (SELECT FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = schema) THEN
            IF NOT replace THEN
                RAISE EXCEPTION 'schema % already holds a demo company', quote_ident(schema) USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = format('replace => true makes it anew; DROP SCHEMA %I CASCADE removes it.', schema);
            END IF;
            EXECUTE format('DROP VIEW %I.true_survival', schema);
            EXECUTE (SELECT 'DROP TABLE ' || string_agg(format('%I.%I', schema, o.name), ', ') FROM unnest(ours) AS o (name) WHERE o.name <> 'true_survival');
        END IF;
    END IF;
    -- Undone when the function returns: SET in its header says so.
    PERFORM set_config('search_path', format('%I, pg_temp', schema), true);

    CREATE TABLE demo_company (accounts integer NOT NULL, seed integer NOT NULL, as_of date NOT NULL, actuals_until date NOT NULL, ltv_version text NOT NULL);
    INSERT INTO demo_company VALUES (load_demo.accounts, load_demo.seed, load_demo.as_of, horizon, ltv.version());

    CREATE TABLE truth_parameters (parameter text NOT NULL, applies_to text NOT NULL, value numeric NOT NULL, scale text NOT NULL, description text NOT NULL,
        PRIMARY KEY (parameter, applies_to));
    INSERT INTO truth_parameters VALUES
        ('intercept', 'small', -1.1, 'log-odds', 'A small customer with a term, no discount, no tickets, adoption 0.55, in the first year'),
        ('intercept', 'mid', -1.65, 'log-odds', 'A mid-sized one'),
        ('intercept', 'enterprise', -2.0, 'log-odds', 'A large one'),
        ('evergreen', 'evergreen', -2.3, 'log-odds', 'Decides each month instead of each term'),
        ('adoption', 'all', -3.0, 'log-odds', 'Per unit of adoption - 0.55'),
        ('discount', 'all', 2.0, 'log-odds', 'Per unit of the discount at signing: bought on price, leaves on price'),
        ('tickets', 'all', 0.4, 'log-odds', 'Per expected ticket a month'),
        ('auto_renew', 'term', -0.4, 'log-odds', 'Renews by itself'),
        ('tenure', 'all', -0.25, 'log-odds', 'Per completed year, up to three'),
        ('region', 'all', 0, 'log-odds', 'A decoy: has no effect'),
        ('industry', 'all', 0, 'log-odds', 'A decoy'),
        ('channel', 'all', 0, 'log-odds', 'A decoy'),
        ('early_termination', 'small', 0.004, 'probability', 'With a term, from its second to its fourth last month'),
        ('early_termination', 'mid', 0.003, 'probability', 'The same'),
        ('early_termination', 'enterprise', 0.0015, 'probability', 'The same'),
        ('involuntary', 'evergreen', 0.004, 'probability', 'Lost because the payment failed for good'),
        ('upsell', 'adoption up to 0.55', 0.012, 'probability', 'An add-on of a fifth of the seats is bought'),
        ('upsell', 'adoption above 0.55', 0.024, 'probability', 'The same'),
        ('downgrade', 'all', 0.008, 'probability', 'For each add-on: it is given up'),
        ('pause', 'evergreen', 0.01, 'probability', 'A month is paused'),
        ('late_decision', 'term', 0.12, 'probability', 'Per decision: made up to 40 days late, whatever its outcome'),
        ('win_back', 'all', 0.10, 'probability', 'Per lost customer: comes back once, after 2 to 9 months'),
        ('duplicate', 'all', 0.03, 'probability', 'Per customer: is in the CRM twice'),
        ('missing_reason', 'all', 0.15, 'probability', 'Per lost contract: nobody wrote down why'),
        ('discount_rate', 'all', 0.10, 'rate', 'Effective annual, of the expected margins in truth');
    SELECT max(value) FILTER (WHERE parameter = 'evergreen') AS evergreen, max(value) FILTER (WHERE parameter = 'adoption') AS adoption,
           max(value) FILTER (WHERE parameter = 'discount') AS discount, max(value) FILTER (WHERE parameter = 'tickets') AS tickets,
           max(value) FILTER (WHERE parameter = 'auto_renew') AS auto_renew, max(value) FILTER (WHERE parameter = 'tenure') AS tenure,
           max(value) FILTER (WHERE parameter = 'involuntary') AS involuntary, min(value) FILTER (WHERE parameter = 'upsell') AS upsell_low,
           max(value) FILTER (WHERE parameter = 'upsell') AS upsell_high, max(value) FILTER (WHERE parameter = 'downgrade') AS downgrade,
           max(value) FILTER (WHERE parameter = 'pause') AS pause, max(value) FILTER (WHERE parameter = 'late_decision') AS late,
           max(value) FILTER (WHERE parameter = 'win_back') AS win_back, max(value) FILTER (WHERE parameter = 'duplicate') AS duplicate,
           max(value) FILTER (WHERE parameter = 'missing_reason') AS missing_reason, max(value) FILTER (WHERE parameter = 'discount_rate') AS discount_rate
    INTO effect FROM truth_parameters;

    -- Who they are. A bell is the sum of four uniforms, centred and scaled to variance 1: no logarithm that differs by platform.
    CREATE TEMP TABLE ltv_demo_account AS
    WITH who AS MATERIALIZED (
        SELECT i::bigint AS n, CASE WHEN ltv.uniform(draw + 1, i) < 0.6 THEN 'small' WHEN ltv.uniform(draw + 1, i) < 0.9 THEN 'mid' ELSE 'enterprise' END AS segment,
               ltv.uniform(draw + 2, i) AS by_term, ltv.uniform(draw + 3, i) AS by_billing, ltv.uniform(draw + 6, i) AS by_product, ltv.uniform(draw + 7, i) AS by_country,
               ltv.uniform(draw + 9, i) AS by_channel, ltv.uniform(draw + 19, i) AS by_discount, ltv.uniform(draw + 20, i) AS by_uplift, ltv.uniform(draw + 25, i) AS by_quarter,
               (ltv.uniform(draw + 10, i) + ltv.uniform(draw + 11, i) + ltv.uniform(draw + 12, i) + ltv.uniform(draw + 13, i) - 2) * 1.7320508 AS size_bell,
               (ltv.uniform(draw + 14, i) + ltv.uniform(draw + 15, i) + ltv.uniform(draw + 16, i) + ltv.uniform(draw + 17, i) - 2) * 1.7320508 AS adoption_bell,
               -- the company grows: later months win more
               (date_trunc('month', as_of::timestamp) + make_interval(months => floor(84 * sqrt(ltv.uniform(draw + 24, i)))::integer - 84))::date AS first_month
        FROM generate_series(1, load_demo.accounts) AS i
    ), what AS MATERIALIZED (
        SELECT w.*,
               CASE segment WHEN 'small' THEN CASE WHEN by_term < 0.45 THEN 1 WHEN by_term < 0.95 THEN 12 ELSE 24 END
                            WHEN 'mid' THEN CASE WHEN by_term < 0.10 THEN 1 WHEN by_term < 0.80 THEN 12 WHEN by_term < 0.92 THEN 24 ELSE 36 END
                            ELSE CASE WHEN by_term < 0.5 THEN 12 WHEN by_term < 0.8 THEN 24 ELSE 36 END END AS term,
               CASE WHEN by_country < 0.42 THEN 'US' WHEN by_country < 0.48 THEN 'CA' WHEN by_country < 0.62 THEN 'DE' WHEN by_country < 0.70 THEN 'FR' WHEN by_country < 0.76 THEN 'NL'
                    WHEN by_country < 0.81 THEN 'ES' WHEN by_country < 0.94 THEN 'GB' WHEN by_country < 0.98 THEN 'AU' ELSE 'SG' END AS country,
               CASE WHEN by_product < CASE segment WHEN 'small' THEN 0.6 WHEN 'mid' THEN 0.4 ELSE 0.2 END THEN 'core'
                    WHEN by_product < CASE segment WHEN 'small' THEN 0.9 WHEN 'mid' THEN 0.8 ELSE 0.6 END THEN 'plus' ELSE 'suite' END AS product,
               greatest(3, round(CASE segment WHEN 'small' THEN 12 WHEN 'mid' THEN 80 ELSE 450 END * exp(0.7 * size_bell::numeric)))::integer AS seats,
               round(least(greatest(0.55 + 0.18 * adoption_bell, 0.05), 0.98)::numeric, 3) AS adoption,
               round((0.1 + 1.2 * ltv.uniform(draw + 18, n) * ltv.uniform(draw + 18, n))::numeric, 3) AS tickets,
               round((CASE segment WHEN 'small' THEN 0.10 * by_discount * by_discount WHEN 'mid' THEN 0.25 * by_discount * by_discount
                           ELSE 0.05 + 0.30 * by_discount * by_discount END)::numeric, 2) AS discount
        FROM who w
    ), deal AS MATERIALIZED (
        SELECT w.*, CASE WHEN country IN ('DE', 'FR', 'NL', 'ES') THEN 'EUR' WHEN country = 'GB' THEN 'GBP' ELSE 'USD' END AS currency,
               CASE WHEN term = 1 OR by_billing >= CASE term WHEN 12 THEN 0.85 ELSE 1 END THEN 1 WHEN by_billing < CASE term WHEN 12 THEN 0.6 ELSE 0.8 END THEN 12 ELSE 3 END AS billing,
               term = 1 OR ltv.uniform(draw + 5, n) < 0.6 AS auto_renew, term = 36 AND segment = 'enterprise' AND ltv.uniform(draw + 4, n) < 0.4 AS ramp,
               CASE WHEN term = 1 OR by_uplift < 0.3 THEN 0 WHEN by_uplift < 0.7 THEN 0.03 ELSE 0.05 END AS uplift,
               round(CASE product WHEN 'core' THEN 30 WHEN 'plus' THEN 45 ELSE 65 END * CASE segment WHEN 'small' THEN 1 WHEN 'mid' THEN 0.8 ELSE 0.55 END
                   * CASE WHEN country IN ('DE', 'FR', 'NL', 'ES') THEN 0.92 WHEN country = 'GB' THEN 0.8 ELSE 1 END, 2) AS list_price,
               -- term contracts are signed when the quarter ends
               first_month + CASE WHEN term > 1 AND by_quarter < 0.45 THEN make_interval(months => 2 - (extract(month FROM first_month)::integer - 1) % 3) ELSE interval '0' END
                   + make_interval(days => CASE WHEN term > 1 AND by_quarter < 0.45 THEN 19 + floor(9 * ltv.uniform(draw + 26, n))::integer
                                                ELSE floor(28 * ltv.uniform(draw + 26, n))::integer END) AS start
        FROM what w
    ), odds AS MATERIALIZED (
        SELECT d.*, CASE WHEN start::date > as_of THEN (start - interval '3 months')::date ELSE start::date END AS start_on,
               round(p.value + CASE WHEN term = 1 THEN effect.evergreen ELSE 0 END + effect.adoption * (adoption - 0.55) + effect.discount * discount
                   + effect.tickets * tickets + CASE WHEN term > 1 AND auto_renew THEN effect.auto_renew ELSE 0 END, 4) AS predictor,
               CASE WHEN term = 1 THEN 0 ELSE h.value END::float8 AS early, CASE WHEN term = 1 THEN effect.involuntary ELSE 0 END::float8 AS involuntary,
               CASE WHEN term = 1 THEN effect.pause ELSE 0 END::float8 AS pause, CASE WHEN adoption > 0.55 THEN effect.upsell_high ELSE effect.upsell_low END::float8 AS upsell,
               greatest(1, round(0.2 * seats))::integer AS add_on, round(list_price * (1 - discount), 2) AS unit_price,
               round(8 + 0.04 * seats * list_price, 2) AS fixed_cost
        FROM deal d JOIN truth_parameters p ON p.parameter = 'intercept' AND p.applies_to = d.segment
                    JOIN truth_parameters h ON h.parameter = 'early_termination' AND h.applies_to = d.segment
    )
    SELECT o.*, 'A' || lpad(n::text, 6, '0') AS account_id, round(fixed_cost + 40 * tickets, 2) AS monthly_cost,
           CASE WHEN ltv.uniform(draw + 31, n) < effect.duplicate
                THEN 'A' || lpad((load_demo.accounts + count(*) FILTER (WHERE ltv.uniform(draw + 31, n) < effect.duplicate) OVER (ORDER BY n))::text, 6, '0') END AS duplicate_id,
           ARRAY(SELECT round(odds / (1 + odds), 8)::float8 FROM (SELECT exp(o.predictor + effect.tenure * years) AS odds FROM generate_series(0, 3) AS years ORDER BY years) y) AS leave,
           CASE product WHEN 'core' THEN 0.80 WHEN 'plus' THEN 0.76 ELSE 0.72 END AS gross_margin,
           CASE WHEN n % 20 <> 1 AND ltv.uniform(draw + 30, n) < 0.08 THEN 'A' || lpad((n / 20 * 20 + 1)::text, 6, '0') END AS parent
    FROM odds o;
    UPDATE pg_temp.ltv_demo_account SET parent = NULL WHERE parent = account_id OR parent > 'A' || lpad(load_demo.accounts::text, 6, '0');
    ANALYZE pg_temp.ltv_demo_account;

    -- How long each contract lives: the first month at whose end the dice say so.
    CREATE TEMP TABLE ltv_demo_life (n bigint, life integer, contract_id text, start_on date, signed_on date, ended integer, months integer, reason text, key bigint);
    FOR life_number IN 1..2 LOOP
        INSERT INTO pg_temp.ltv_demo_life
        SELECT s.n, s.life, 'C' || lpad(s.n::text, 6, '0') || '-' || s.life, s.start_on, s.start_on - floor(21 * ltv.uniform(draw + 40, s.key))::integer, d.m, s.last,
               CASE WHEN d.m IS NULL THEN NULL WHEN s.term > 1 AND d.m % s.term = 0 THEN 'non_renewal' WHEN s.term > 1 THEN 'early_termination'
                    WHEN ltv.uniform(draw + 50, s.key + d.m) < s.involuntary THEN 'involuntary' ELSE 'cancel' END, s.key
        FROM (SELECT b.*, ((extract(year FROM edge) - extract(year FROM b.start_on)) * 12 + extract(month FROM edge) - extract(month FROM b.start_on))::integer
                          - (extract(day FROM edge) < extract(day FROM b.start_on))::integer AS last
              FROM (SELECT a.n, 1 AS life, a.n * 1024 AS key, a.start_on, a.term, a.leave, a.early, a.involuntary FROM pg_temp.ltv_demo_account a WHERE life_number = 1
                    UNION ALL
                    SELECT a.n, 2, a.n * 1024 + 512, (l.start_on + make_interval(months => l.ended + 2 + floor(8 * ltv.uniform(draw + 29, a.n))::integer))::date,
                           a.term, a.leave, a.early, a.involuntary
                    FROM pg_temp.ltv_demo_account a JOIN pg_temp.ltv_demo_life l USING (n)
                    WHERE life_number = 2 AND l.ended IS NOT NULL AND ltv.uniform(draw + 28, a.n) < effect.win_back) b
              WHERE b.start_on <= edge) s,
             LATERAL (SELECT min(m) AS m FROM generate_series(1, s.last) AS m
                      WHERE ltv.uniform(draw + 50, s.key + m) < CASE WHEN s.term = 1 THEN s.involuntary + (1 - s.involuntary) * s.leave[least(m / 12, 3) + 1]
                                                                     WHEN m % s.term = 0 THEN s.leave[least(m / 12, 3) + 1]
                                                                     WHEN m % s.term BETWEEN 2 AND s.term - 3 THEN s.early ELSE 0 END) d;
    END LOOP;
    ANALYZE pg_temp.ltv_demo_life;

    -- Decisions of term contracts and the day they are made: up to 55 days early, or late, whatever they are.
    CREATE TEMP TABLE ltv_demo_decision AS
    SELECT l.key + k * a.term AS at, k * a.term AS month, due.due_on,
           due.due_on + CASE WHEN due.u < effect.late THEN 1 + floor(40 * (due.u / effect.late::float8))::integer
                             ELSE -floor(56 * ((due.u - effect.late::float8) / (1 - effect.late::float8)))::integer END AS decided_on
    FROM pg_temp.ltv_demo_life l JOIN pg_temp.ltv_demo_account a USING (n), LATERAL generate_series(1, coalesce(l.ended, l.months + a.term) / a.term) AS k,
         LATERAL (SELECT ltv.uniform(draw + 54, l.key + k * a.term) AS u, (l.start_on + make_interval(months => k * a.term))::date AS due_on OFFSET 0) due
    WHERE a.term > 1;
    ANALYZE pg_temp.ltv_demo_decision;

    -- Lines: the first seats, and add-ons that come and go. until is the month after the last, ended whether that is known to the end of time.
    CREATE TEMP TABLE ltv_demo_line AS
    SELECT l.key, l.key AS line_key, 0 AS line, 0 AS since, coalesce(l.ended, l.months + 1) AS until, l.ended IS NOT NULL AS ended, l.reason, a.seats, a.term, a.ramp
    FROM pg_temp.ltv_demo_life l JOIN pg_temp.ltv_demo_account a USING (n)
    UNION ALL
    SELECT l.key, l.key + m, m, m, coalesce(gone.month, l.ended, l.months + 1), coalesce(gone.month, l.ended) IS NOT NULL, CASE WHEN gone.month IS NULL THEN l.reason ELSE 'downgrade' END, a.add_on, a.term, a.ramp
    FROM pg_temp.ltv_demo_life l JOIN pg_temp.ltv_demo_account a USING (n), LATERAL generate_series(1, coalesce(l.ended - 1, l.months)) AS m,
         LATERAL (SELECT min(g) AS month FROM generate_series(m + 1, coalesce(l.ended - 1, l.months)) AS g
                  WHERE ltv.uniform(draw + 52, (l.key + m) * 512 + g) < effect.downgrade::float8 AND (a.term = 1 OR g % a.term >= 2)) gone
    WHERE ltv.uniform(draw + 51, l.key + m) < a.upsell AND (a.term = 1 OR m % a.term >= 2);
    CREATE TEMP TABLE ltv_demo_pause AS
    SELECT l.key + m AS at, m FROM pg_temp.ltv_demo_life l JOIN pg_temp.ltv_demo_account a USING (n), LATERAL generate_series(1, coalesce(l.ended - 1, l.months)) AS m
    WHERE a.term = 1 AND ltv.uniform(draw + 53, l.key + m) < a.pause;
    ANALYZE pg_temp.ltv_demo_line;
    ANALYZE pg_temp.ltv_demo_pause;

    -- Segments of constant price, quantity and state, with the day each of their ends was known: the whole story, which no table of the company holds.
    CREATE TEMP TABLE ltv_demo_segment AS
    WITH cut AS (
        SELECT line_key, since AS m FROM pg_temp.ltv_demo_line
        UNION SELECT line_key, m FROM pg_temp.ltv_demo_line, generate_series((since / term + 1) * term, until - 1, term) AS m WHERE term > 1
        UNION SELECT line_key, m FROM pg_temp.ltv_demo_line, (VALUES (12), (24)) AS r (m) WHERE ramp AND m > since AND m < until
        UNION SELECT line_key, m + after FROM pg_temp.ltv_demo_line i, LATERAL generate_series(since, until - 1) AS m, (VALUES (0), (1)) AS e (after)
              WHERE term = 1 AND i.key + m IN (SELECT at FROM pg_temp.ltv_demo_pause) AND m + after > since AND m + after < until
                AND i.key + m + 2 * after - 1 NOT IN (SELECT at FROM pg_temp.ltv_demo_pause)
    ), piece AS (
        SELECT c.*, lead(c.m) OVER (PARTITION BY c.line_key ORDER BY c.m) AS next FROM cut c
    ), dated AS (
        SELECT l.n, l.life, i.key, p.line_key, i.line, i.since, i.seats, i.reason, a.term, p.m AS from_m, coalesce(p.next, i.until) AS to_m, p.next IS NULL AS last, p.next IS NULL AND NOT i.ended AS open, l.start_on,
               (l.start_on + make_interval(months => p.m))::date AS valid_from, (l.start_on + make_interval(months => coalesce(p.next, i.until)))::date AS valid_to,
               CASE WHEN i.key + p.m IN (SELECT at FROM pg_temp.ltv_demo_pause) THEN 'paused' ELSE 'active' END AS state,
               (l.start_on + make_interval(months => i.since))::date AS line_from, l.signed_on,
               CASE WHEN a.ramp AND p.m < 12 THEN 0.6 WHEN a.ramp AND p.m < 24 THEN 0.8 ELSE 1 END AS ramp_share,
               power(1 + a.uplift, CASE WHEN a.term = 1 THEN 0 ELSE p.m / a.term END) AS risen, a.unit_price, a.list_price, d.decided_on, e.decided_on AS end_decided_on
        FROM piece p JOIN pg_temp.ltv_demo_line i USING (line_key) JOIN pg_temp.ltv_demo_life l USING (key) JOIN pg_temp.ltv_demo_account a ON a.n = l.n
        LEFT JOIN pg_temp.ltv_demo_decision d ON d.at = i.key + p.m AND p.m > i.since
        LEFT JOIN pg_temp.ltv_demo_decision e ON e.at = i.key + i.until AND p.next IS NULL AND i.reason = 'non_renewal'
    ), known AS (
        SELECT d.*, CASE WHEN from_m = 0 THEN signed_on WHEN decided_on IS NOT NULL THEN greatest(decided_on, line_from) WHEN term = 36 AND from_m IN (12, 24) AND from_m > since
                         THEN CASE WHEN since = 0 THEN signed_on ELSE line_from END ELSE valid_from END AS known_on
        FROM dated d
    )
    SELECT k.*, CASE WHEN from_m > since THEN CASE WHEN term > 1 AND from_m % term = 0 THEN 'renewal' WHEN term > 1 THEN 'price_change' WHEN state = 'paused' THEN 'pause' ELSE 'resume' END
                     WHEN line > 0 THEN CASE WHEN term > 1 THEN 'coterm' ELSE 'upgrade' END WHEN life = 2 THEN 'reactivation' ELSE 'new' END AS start_event,
           CASE WHEN open THEN NULL WHEN last THEN reason WHEN term > 1 AND to_m % term = 0 THEN 'renewal' WHEN term > 1 THEN 'price_change' WHEN state = 'paused' THEN 'resume' ELSE 'pause' END AS end_event,
           CASE WHEN open THEN NULL WHEN last THEN greatest(known_on, coalesce(end_decided_on, valid_to)) ELSE lead(known_on) OVER (PARTITION BY line_key ORDER BY from_m) END AS end_known_on,
           round(seats * round(unit_price * risen, 2) * ramp_share, 2) AS mrr, round(seats * round(list_price * risen, 2), 2) AS list_mrr
    FROM known k;
    ANALYZE pg_temp.ltv_demo_segment;

    -- The timeline and the actuals are the same story, read on two days. A wrong price is corrected some days after one contract in a hundred is signed.
    CREATE TEMP TABLE ltv_demo_row AS
    SELECT CASE WHEN s.life = 2 OR s.line > 0 THEN coalesce(a.duplicate_id, a.account_id) ELSE a.account_id END AS account_id, a.parent AS parent_account_id, l.contract_id,
           l.contract_id || '-' || s.line AS line_id, a.product, s.valid_from, s.valid_to, s.state, CASE WHEN v.wrong THEN round(s.mrr * 1.1, 2) ELSE s.mrr END AS mrr, s.list_mrr,
           s.seats::numeric AS quantity, a.currency, a.billing::numeric AS billing_months, 'advance'::text AS payment_timing,
           CASE WHEN s.term = 1 THEN s.start_on ELSE (s.start_on + make_interval(months => s.from_m / s.term * s.term))::date END AS term_start,
           CASE WHEN s.term > 1 THEN (s.start_on + make_interval(months => (s.from_m / s.term + 1) * s.term))::date END AS term_end, a.auto_renew, s.start_event,
           CASE WHEN s.last AND NOT s.open AND s.reason <> 'downgrade' AND ltv.uniform(draw + 55, l.key) < effect.missing_reason THEN NULL ELSE s.end_event END AS end_event,
           CASE WHEN c.corrected_on IS NOT NULL AND NOT v.wrong THEN c.corrected_on ELSE s.known_on END AS known_on, CASE WHEN NOT v.wrong AND s.end_known_on IS NOT NULL THEN greatest(s.end_known_on, c.corrected_on) END AS end_known_on,
           CASE WHEN v.wrong THEN c.corrected_on END AS superseded_on, CASE WHEN s.term = 1 THEN 'billing' ELSE 'crm' END AS source, l.contract_id || '-' || s.line || '-' || s.from_m AS source_key
    FROM pg_temp.ltv_demo_segment s JOIN pg_temp.ltv_demo_life l USING (key) JOIN pg_temp.ltv_demo_account a ON a.n = s.n,
         LATERAL (SELECT CASE WHEN s.line = 0 AND s.from_m = 0 AND ltv.uniform(draw + 56, l.key) < 0.01 THEN s.known_on + 3 + floor(18 * ltv.uniform(draw + 57, l.key))::integer END AS corrected_on) c,
         (VALUES (false), (true)) AS v (wrong)
    WHERE NOT v.wrong OR c.corrected_on IS NOT NULL;
    FOREACH target IN ARRAY ARRAY['timeline', 'actuals'] LOOP
        cut := CASE target WHEN 'timeline' THEN as_of ELSE horizon END;
        EXECUTE format('CREATE TABLE %I (LIKE ltv.contract_line INCLUDING COMMENTS)', target);
        EXECUTE format($insert$
            INSERT INTO %I
            SELECT account_id, parent_account_id, contract_id, line_id, product, valid_from, CASE WHEN end_known_on <= $1 THEN valid_to END, state, mrr, list_mrr, quantity, currency, billing_months,
                   payment_timing, term_start, term_end, auto_renew, start_event, CASE WHEN end_known_on <= $1 THEN end_event END, known_on::timestamp AT TIME ZONE 'UTC',
                   CASE WHEN end_known_on <= $1 THEN end_known_on::timestamp AT TIME ZONE 'UTC' END, CASE WHEN superseded_on <= $1 THEN superseded_on::timestamp AT TIME ZONE 'UTC' END, source, source_key
            FROM pg_temp.ltv_demo_row WHERE known_on <= $1 ORDER BY line_id COLLATE "C", valid_from, known_on
        $insert$, target) USING cut;
    END LOOP;

    CREATE TABLE accounts (account_id text PRIMARY KEY, name text NOT NULL, domain text, segment text NOT NULL, industry text NOT NULL, country text NOT NULL, region text NOT NULL,
        employees integer NOT NULL, csm text, parent_account_id text, created_on date NOT NULL);
    INSERT INTO accounts
    WITH named AS (
        SELECT a.*, first.word || ' ' || second.word || ' ' || kind.word || CASE WHEN rank.number >= 20480 THEN ' ' || (rank.number / 20480 + 1) ELSE '' END AS base,
               (ARRAY['Inc', 'Ltd', 'GmbH', 'Group', '', ''])[1 + floor(6 * ltv.uniform(draw + 41, n))::integer] AS legal,
               (ARRAY['software', 'retail', 'manufacturing', 'healthcare', 'finance', 'logistics', 'education', 'media'])[1 + floor(8 * ltv.uniform(draw + 8, n))::integer] AS industry,
               CASE WHEN country IN ('US', 'CA') THEN 'Americas' WHEN country IN ('AU', 'SG') THEN 'APAC' ELSE 'EMEA' END AS region,
               round(seats * (2 + 10 * ltv.uniform(draw + 21, n))::numeric)::integer AS employees, l.signed_on,
               CASE WHEN segment <> 'small' THEN (ARRAY['Amara Diallo', 'Ben Okafor', 'Chiara Conti', 'Daniel Novak', 'Elif Kaya', 'Frida Holm', 'Goran Petrov', 'Hana Sato'])
                    [1 + floor(8 * ltv.uniform(draw + 22, n))::integer] END AS csm
        FROM pg_temp.ltv_demo_account a JOIN pg_temp.ltv_demo_life l USING (n), LATERAL (SELECT n * 7919 + seed::bigint * 104729 % 20480 + 20480 * 20480 AS shuffled OFFSET 0) x,
             LATERAL (SELECT shuffled % 20480 AS place, (n - 1) / 20480 * 20480 AS number) rank,
             LATERAL (SELECT (ARRAY['Amber', 'Arctic', 'Atlas', 'Aurora', 'Blue', 'Bright', 'Cedar', 'Cobalt', 'Copper', 'Coral', 'Crimson', 'Crystal', 'Delta', 'Echo', 'Ember', 'Evergreen', 'Falcon', 'First', 'Golden', 'Granite',
                'Green', 'Harbor', 'Indigo', 'Iron', 'Ivory', 'Jade', 'Keystone', 'Lunar', 'Maple', 'Meridian', 'Nordic', 'Oak', 'Onyx', 'Orchid', 'Pacific', 'Pioneer', 'Quantum', 'Red', 'River', 'Sapphire'])[1 + place % 40] AS word) first,
             LATERAL (SELECT (ARRAY['Anchor', 'Arrow', 'Bay', 'Beacon', 'Bridge', 'Brook', 'Canyon', 'Cliff', 'Crest', 'Field', 'Forge', 'Fox', 'Gate', 'Glen', 'Grove', 'Hawk', 'Hill', 'Horizon', 'Island', 'Lake', 'Lantern', 'Leaf',
                'Lynx', 'Meadow', 'Mill', 'Peak', 'Pine', 'Point', 'Ridge', 'Rock', 'Shore', 'Spring', 'Star', 'Stone', 'Summit', 'Tower', 'Trail', 'Valley', 'Wave', 'Wolf'])[1 + place / 40 % 40] AS word) second,
             LATERAL (SELECT (ARRAY['Analytics', 'Capital', 'Consulting', 'Energy', 'Foods', 'Freight', 'Health', 'Labs', 'Logistics', 'Media', 'Robotics', 'Systems', 'Trading'])[1 + place / 1600] AS word) kind
        WHERE l.life = 1
    )
    SELECT account_id, trim(base || ' ' || legal), CASE WHEN ltv.uniform(draw + 27, n) < 0.95 THEN lower(replace(base, ' ', '')) || '.example' END, segment, industry, country, region, employees, csm, parent,
           signed_on - floor(60 * ltv.uniform(draw + 42, n))::integer
    FROM named
    UNION ALL
    SELECT duplicate_id, CASE n % 4 WHEN 0 THEN upper(base) WHEN 1 THEN base || ', ' || CASE legal WHEN 'Ltd' THEN 'Limited' WHEN 'Inc' THEN 'Incorporated' ELSE 'Corp.' END
                              WHEN 2 THEN left(base, 4) || substr(base, 6) ELSE replace(base, ' ', '  ') || ' ' || lower(legal) END,
           CASE WHEN ltv.uniform(draw + 27, n) < 0.6 THEN lower(replace(base, ' ', '')) || '.example' END, segment, industry, country, region, employees, NULL, parent,
           signed_on + floor(20 * ltv.uniform(draw + 43, n))::integer
    FROM named WHERE duplicate_id IS NOT NULL
    ORDER BY 1;

    CREATE TABLE acquisition (account_id text PRIMARY KEY, channel text NOT NULL, acquired_on date NOT NULL, cac numeric(18,2) NOT NULL, currency text NOT NULL);
    INSERT INTO acquisition
    SELECT account_id, channel, signed_on, round(CASE segment WHEN 'small' THEN 900 WHEN 'mid' THEN 9000 ELSE 48000 END
           * CASE channel WHEN 'inbound' THEN 0.8 WHEN 'outbound' THEN 1.6 WHEN 'partner' THEN 1.0 WHEN 'event' THEN 1.3 ELSE 0.4 END * (0.6 + 0.8 * ltv.uniform(draw + 44, n))::numeric, 2), 'USD'
    FROM pg_temp.ltv_demo_account JOIN pg_temp.ltv_demo_life l USING (n),
         LATERAL (SELECT CASE WHEN by_channel < 0.40 THEN 'inbound' WHEN by_channel < 0.65 THEN 'outbound' WHEN by_channel < 0.80 THEN 'partner' WHEN by_channel < 0.90 THEN 'event' ELSE 'referral' END AS channel) c
    WHERE l.life = 1 ORDER BY 1;

    -- Months of service that have begun by as_of, with the seats of each.
    CREATE TEMP TABLE ltv_demo_month AS
    SELECT m.life, m.m, m.key + m.m AS key, (m.start_on + make_interval(months => m.m))::date AS begins, (m.start_on + make_interval(months => m.m + 1))::date AS ends,
           a.account_id, a.adoption, a.currency, a.fixed_cost, a.tickets / 3 AS ticket_share,
           sum(coalesce(c.seats, 0)) OVER (PARTITION BY m.key ORDER BY m.m)::integer AS seats
    FROM (SELECT l.*, m FROM pg_temp.ltv_demo_life l, LATERAL generate_series(0, coalesce(l.ended - 1, l.months)) AS m WHERE l.start_on + make_interval(months => m) <= as_of) m
    JOIN pg_temp.ltv_demo_account a USING (n)
    LEFT JOIN (SELECT at, sum(seats) AS seats
               FROM (SELECT key + since AS at, seats FROM pg_temp.ltv_demo_line UNION ALL SELECT key + until, -seats FROM pg_temp.ltv_demo_line) AS step GROUP BY at) c ON c.at = m.key + m.m;
    ANALYZE pg_temp.ltv_demo_month;

    CREATE TABLE usage (account_id text NOT NULL, month date NOT NULL, seats integer NOT NULL, active_users integer NOT NULL, logins integer NOT NULL, PRIMARY KEY (account_id, month));
    INSERT INTO usage
    SELECT account_id, date_trunc('month', begins::timestamp)::date, seats, active, floor(active * (8 + 10 * ltv.uniform(draw + 61, key)))::integer
    FROM pg_temp.ltv_demo_month, LATERAL (SELECT least(seats, round(seats * adoption * (0.75 + 0.5 * ltv.uniform(draw + 60, key))::numeric))::integer AS active OFFSET 0) a
    WHERE ends <= as_of ORDER BY 1, 2;

    CREATE TABLE tickets (ticket_id text PRIMARY KEY, account_id text NOT NULL, opened_on date NOT NULL, severity integer NOT NULL, hours numeric(8,1) NOT NULL);
    INSERT INTO tickets
    SELECT 'T' || ltrim(account_id, 'A') || '-' || life || '-' || m || '-' || i, account_id, begins + floor(28 * ltv.uniform(draw + 63, key * 4 + i))::integer,
           1 + floor(3 * sqrt(ltv.uniform(draw + 64, key * 4 + i)))::integer, round((0.5 + 40 * ltv.uniform(draw + 65, key * 4 + i) * ltv.uniform(draw + 65, key * 4 + i))::numeric, 1)
    FROM pg_temp.ltv_demo_month, generate_series(1, 3) AS i
    WHERE ltv.uniform(draw + 62, key * 4 + i) < ticket_share::float8 AND begins + floor(28 * ltv.uniform(draw + 63, key * 4 + i))::integer <= as_of
    ORDER BY account_id, life, m, i;

    CREATE TABLE cost_to_serve (account_id text NOT NULL, month date NOT NULL, cost numeric(18,2) NOT NULL, currency text NOT NULL, PRIMARY KEY (account_id, month));
    INSERT INTO cost_to_serve
    SELECT account_id, date_trunc('month', begins::timestamp)::date, fixed_cost + 40 * (SELECT count(*) FROM generate_series(1, 3) AS i WHERE ltv.uniform(draw + 62, key * 4 + i) < ticket_share::float8), currency
    FROM pg_temp.ltv_demo_month WHERE ends <= as_of ORDER BY 1, 2;

    CREATE TABLE margin (product text NOT NULL, valid_from date NOT NULL, valid_to date, gross_margin numeric(6,4) NOT NULL, PRIMARY KEY (product, valid_from));
    INSERT INTO margin
    SELECT product, (as_of - interval '96 months')::date, (as_of - interval '30 months')::date, share - 0.03 FROM (VALUES ('core', 0.80), ('plus', 0.76), ('suite', 0.72)) AS p (product, share)
    UNION ALL SELECT product, (as_of - interval '30 months')::date, NULL, share FROM (VALUES ('core', 0.80), ('plus', 0.76), ('suite', 0.72)) AS p (product, share)
    ORDER BY 1, 2;

    CREATE TABLE fx_rate (currency text NOT NULL, valid_from date NOT NULL, valid_to date, rate numeric(18,8) NOT NULL, PRIMARY KEY (currency, valid_from));
    INSERT INTO fx_rate
    SELECT c.currency, f.first, CASE WHEN i < 96 THEN (f.first + interval '1 month')::date END,
           CASE c.currency WHEN 'USD' THEN 1 ELSE round((c.level * (1 + 0.06 * (abs(i % 48 - 24) / 12.0 - 1) + 0.03 * (ltv.uniform(draw + c.stream, i) - 0.5)))::numeric, 4) END
    FROM (VALUES ('USD', 1.0, 70), ('EUR', 1.10, 71), ('GBP', 1.27, 72)) AS c (currency, level, stream), generate_series(0, 96) AS i,
         LATERAL (SELECT (date_trunc('month', as_of::timestamp) + make_interval(months => i - 96))::date AS first) f
    ORDER BY 1, 2;

    -- Billing in advance: a charge at the first month of each line and at each billing date, a credit for months charged and not served.
    CREATE TABLE invoices (invoice_id text PRIMARY KEY, account_id text NOT NULL, contract_id text NOT NULL, kind text NOT NULL, issued_on date NOT NULL, due_on date NOT NULL,
        service_from date NOT NULL, service_to date NOT NULL, amount numeric(18,2) NOT NULL, currency text NOT NULL, paid_on date);
    CREATE TEMP TABLE ltv_demo_invoice AS
    WITH item AS (
        SELECT s.key, s.line, m, greatest((s.start_on + make_interval(months => m))::date, s.known_on) AS issued_on, (m / a.billing + 1) * a.billing AS through,
               'invoice' AS kind, ((m / a.billing + 1) * a.billing - m) * s.mrr AS amount
        FROM pg_temp.ltv_demo_segment s JOIN pg_temp.ltv_demo_account a USING (n), LATERAL generate_series(s.from_m, s.to_m - 1) AS m
        WHERE s.state = 'active' AND (m = s.since OR m % a.billing = 0) AND s.start_on + make_interval(months => m) <= as_of
        UNION ALL
        SELECT s.key, s.line, s.to_m, greatest(s.valid_to, s.end_known_on), (s.to_m / a.billing + 1) * a.billing, 'credit_note', -((s.to_m / a.billing + 1) * a.billing - s.to_m) * s.mrr
        FROM pg_temp.ltv_demo_segment s JOIN pg_temp.ltv_demo_account a USING (n)
        WHERE s.last AND NOT s.open AND s.to_m % a.billing > 0
    )
    SELECT l.contract_id || CASE i.kind WHEN 'invoice' THEN '-I' ELSE '-N' END || i.m || CASE WHEN booked.twice THEN 'b' ELSE '' END AS invoice_id,
           CASE WHEN booked.twice OR l.life = 2 THEN coalesce(a.duplicate_id, a.account_id) ELSE a.account_id END AS account_id, l.contract_id, i.kind,
           max(i.issued_on) AS issued_on, max(i.issued_on) + 30 AS due_on, (l.start_on + make_interval(months => i.m))::date AS service_from, (l.start_on + make_interval(months => max(i.through)))::date AS service_to,
           sum(i.amount)::numeric(18,2) AS amount, a.currency
    FROM item i JOIN pg_temp.ltv_demo_life l USING (key) JOIN pg_temp.ltv_demo_account a USING (n),
         LATERAL (SELECT a.duplicate_id IS NOT NULL AND i.line > 0 AND l.life = 1 AS twice) booked
    WHERE i.issued_on <= as_of
    GROUP BY l.contract_id, l.start_on, l.life, i.m, i.kind, booked.twice, a.account_id, a.duplicate_id, a.currency;
    ANALYZE pg_temp.ltv_demo_invoice;

    CREATE TABLE payments (payment_id text PRIMARY KEY, invoice_id text NOT NULL, account_id text NOT NULL, paid_on date NOT NULL, amount numeric(18,2) NOT NULL, currency text NOT NULL);
    INSERT INTO payments
    SELECT i.invoice_id || '-P' || part, i.invoice_id, i.account_id, p.paid_on + 25 * (part - 1),
           CASE WHEN p.parts = 1 THEN i.amount WHEN part = 1 THEN round(i.amount / 2, 2) ELSE i.amount - round(i.amount / 2, 2) END, i.currency
    FROM pg_temp.ltv_demo_invoice i JOIN pg_temp.ltv_demo_life l USING (contract_id) JOIN pg_temp.ltv_demo_account a USING (n),
         LATERAL (SELECT l.key + substring(i.invoice_id FROM '-[IN]([0-9]+)')::bigint AS key) k,
         LATERAL (SELECT CASE i.kind WHEN 'credit_note' THEN i.issued_on + 10
                         ELSE i.due_on + greatest(-12, floor(2 + 7 * (a.predictor + CASE a.term WHEN 1 THEN 3.5 ELSE 1.6 END)::float8 + 20 * (ltv.uniform(draw + 23, a.n) - 0.5)
                             + 24 * (ltv.uniform(draw + 66, k.key) - 0.5)))::integer END AS paid_on,
                         CASE WHEN i.kind = 'invoice' AND i.amount > 0.02 AND ltv.uniform(draw + 67, k.key) < 0.015 THEN 2 ELSE 1 END AS parts OFFSET 0) p,
         generate_series(1, p.parts) AS part
    WHERE p.paid_on + 25 * (part - 1) <= as_of
      AND (l.reason IS DISTINCT FROM 'involuntary' OR i.service_from < l.start_on + make_interval(months => l.ended - 1))
    ORDER BY 1;
    INSERT INTO invoices
    SELECT i.*, p.paid_on FROM pg_temp.ltv_demo_invoice i
    LEFT JOIN (SELECT invoice_id, sum(amount) AS amount, max(paid_on) AS paid_on FROM payments GROUP BY 1) p ON p.invoice_id = i.invoice_id AND p.amount = i.amount
    ORDER BY 1;

    CREATE TABLE truth_life (account_id text NOT NULL, contract_id text PRIMARY KEY, life integer NOT NULL, start_on date NOT NULL, end_on date, months integer NOT NULL, lost boolean NOT NULL, reason text, known_on date);
    INSERT INTO truth_life
    SELECT a.account_id, l.contract_id, l.life, l.start_on, e.end_on, CASE WHEN e.end_on IS NOT NULL THEN l.ended ELSE b.begun END, e.end_on IS NOT NULL, CASE WHEN e.end_on IS NOT NULL THEN l.reason END,
           CASE WHEN e.end_on IS NOT NULL THEN coalesce(d.decided_on, e.end_on) END
    FROM pg_temp.ltv_demo_life l JOIN pg_temp.ltv_demo_account a USING (n)
    LEFT JOIN pg_temp.ltv_demo_decision d ON d.at = l.key + l.ended AND l.reason = 'non_renewal',
         LATERAL (SELECT CASE WHEN l.start_on + make_interval(months => l.ended) <= horizon THEN (l.start_on + make_interval(months => l.ended))::date END AS end_on) e,
         LATERAL (SELECT count(*)::integer AS begun FROM generate_series(1, l.months) AS m WHERE l.start_on + make_interval(months => m) <= horizon) b
    WHERE l.start_on <= horizon ORDER BY 2;

    CREATE TABLE truth_account_map (account_id text PRIMARY KEY, canonical_id text NOT NULL);
    INSERT INTO truth_account_map
    SELECT account_id, account_id FROM pg_temp.ltv_demo_account UNION ALL SELECT duplicate_id, account_id FROM pg_temp.ltv_demo_account WHERE duplicate_id IS NOT NULL ORDER BY 1;

    -- The contracts that run at as_of by what was known then, and the news of their decisions.
    CREATE TEMP TABLE ltv_demo_now AS
    SELECT a.*, l.life, l.contract_id, l.start_on AS begins, l.begun, last.decided_on > as_of IS TRUE AS pending, next.month AS next_month,
           CASE WHEN next.decided_on <= as_of THEN CASE WHEN l.ended = next.month THEN 0 ELSE 1 END END::float8 AS news,
           coalesce(i.add_ons, 0) AS add_ons,
           -- expected months of service from a renewal that was just made, once the hazard no longer changes
           CASE WHEN a.term = 1 THEN 1 / (1 - (1 - a.involuntary) * (1 - a.leave[4]))
                ELSE (SELECT sum(power((1 - a.early)::numeric, greatest(least(i - 1, a.term - 4), 0))) FROM generate_series(0, a.term - 1) AS i)::float8
                     / (1 - power((1 - a.early)::numeric, a.term - 4)::float8 * (1 - a.leave[4])) END AS later
    FROM (SELECT l.*, ((extract(year FROM as_of) - extract(year FROM l.start_on)) * 12 + extract(month FROM as_of) - extract(month FROM l.start_on))::integer
                      - (extract(day FROM as_of) < extract(day FROM l.start_on))::integer AS begun
          FROM pg_temp.ltv_demo_life l WHERE l.start_on <= as_of OFFSET 0) l
    JOIN pg_temp.ltv_demo_account a USING (n)
    LEFT JOIN pg_temp.ltv_demo_decision last ON last.at = l.key + l.begun / a.term * a.term
    LEFT JOIN pg_temp.ltv_demo_decision next ON next.at = l.key + (l.begun / a.term + 1) * a.term
    LEFT JOIN (SELECT i.key, count(*)::integer AS add_ons
               FROM pg_temp.ltv_demo_line i JOIN pg_temp.ltv_demo_life l USING (key)
               WHERE i.line > 0 AND l.start_on + make_interval(months => i.since) <= as_of
                 AND NOT (i.ended AND i.reason = 'downgrade' AND l.start_on + make_interval(months => i.until) <= as_of) GROUP BY i.key) i USING (key)
    WHERE l.ended IS NULL OR l.ended > l.begun OR last.decided_on > as_of;
    ANALYZE pg_temp.ltv_demo_now;
    factor := ARRAY(SELECT round(power(1 + effect.discount_rate, -day / 365.0), 12)::float8 FROM generate_series(0, 1860) AS day ORDER BY day);

    -- Month after month: the probability that the contract is still there, times what the month then brings.
    CREATE TABLE truth (account_id text PRIMARY KEY, segment text NOT NULL, term_months integer NOT NULL, adoption double precision NOT NULL, discount double precision NOT NULL, tickets_per_month double precision NOT NULL,
        auto_renew boolean NOT NULL, linear_predictor double precision NOT NULL, leave_0y double precision NOT NULL, leave_1y double precision NOT NULL, leave_2y double precision NOT NULL, leave_3y double precision NOT NULL,
        early_termination double precision NOT NULL, involuntary double precision NOT NULL, upsell double precision NOT NULL, downgrade double precision NOT NULL, pause double precision NOT NULL, product text NOT NULL,
        currency text NOT NULL, seats integer NOT NULL, add_on_seats integer NOT NULL, unit_price numeric(18,2) NOT NULL, uplift numeric(6,4) NOT NULL, ramp boolean NOT NULL, gross_margin numeric(6,4) NOT NULL,
        monthly_cost numeric(18,2) NOT NULL, status text NOT NULL, contract_id text, start_on date, months_begun integer, add_ons integer, survival_12 double precision, survival_24 double precision,
        survival_60 double precision, expected_remaining_months double precision, expected_margin_12 numeric(18,2), expected_margin_24 numeric(18,2), expected_margin_60 numeric(18,2));
    INSERT INTO truth
    WITH RECURSIVE walk AS (
        SELECT n, begun AS m, 0 AS j, w.alive, add_ons::float8 AS add_ons, 0::float8 AS served, 0::float8 AS margin, NULL::float8 AS survival_12, NULL::float8 AS survival_24, NULL::float8 AS survival_60,
               NULL::float8 AS margin_12, NULL::float8 AS margin_24, NULL::float8 AS margin_60
        FROM pg_temp.ltv_demo_now o, LATERAL (SELECT CASE WHEN pending THEN 1 - o.leave[least(begun / term * term / 12, 3) + 1] ELSE 1 END AS alive) w
        UNION ALL
        SELECT w.n, at.m, at.j, x.alive, y.add_ons, w.served + x.alive, v.margin, CASE WHEN at.j = 12 THEN x.alive ELSE w.survival_12 END, CASE WHEN at.j = 24 THEN x.alive ELSE w.survival_24 END,
               CASE WHEN at.j = 60 THEN x.alive ELSE w.survival_60 END, CASE WHEN at.j = 12 THEN v.margin ELSE w.margin_12 END, CASE WHEN at.j = 24 THEN v.margin ELSE w.margin_24 END,
               CASE WHEN at.j = 60 THEN v.margin ELSE w.margin_60 END
        FROM walk w JOIN pg_temp.ltv_demo_now o USING (n),
             LATERAL (SELECT w.m + 1 AS m, w.j + 1 AS j, (w.m + 1) % o.term AS phase, CASE WHEN o.term = 1 THEN 0 ELSE (w.m + 1) / o.term END AS renewals,
                             CASE WHEN o.ramp AND w.m < 11 THEN 0.6 WHEN o.ramp AND w.m < 23 THEN 0.8 ELSE 1 END AS share) at,
             LATERAL (SELECT w.alive * CASE WHEN o.term = 1 THEN (1 - o.involuntary) * (1 - o.leave[least(at.m / 12, 3) + 1])
                                            WHEN at.phase = 0 THEN coalesce(CASE WHEN at.m = o.next_month THEN o.news END, 1 - o.leave[least(at.m / 12, 3) + 1])
                                            WHEN at.phase BETWEEN 2 AND o.term - 3 THEN 1 - o.early ELSE 1 END AS alive OFFSET 0) x,
             LATERAL (SELECT CASE WHEN o.term = 1 OR at.phase >= 2 THEN w.add_ons * (1 - effect.downgrade::float8) + o.upsell ELSE w.add_ons END AS add_ons OFFSET 0) y,
             LATERAL (SELECT round(o.unit_price * power(1 + o.uplift, at.renewals), 2) * at.share AS price OFFSET 0) p,
             LATERAL (SELECT CASE WHEN at.j > 60 THEN w.margin ELSE
                                 w.margin + x.alive * ((round(o.seats * p.price, 2)::float8 + y.add_ons * round(o.add_on * p.price, 2)::float8) * (1 - o.pause) * o.gross_margin::float8 - o.monthly_cost::float8)
                                 * factor[1 + (o.begins + make_interval(months => at.m))::date - as_of] END AS margin OFFSET 0) v
        WHERE w.j < 60 OR w.m % o.term <> 0
    ), expected AS (
        SELECT o.*, w.survival_12, w.survival_24, w.survival_60, w.margin_12, w.margin_24, w.margin_60,
               CASE WHEN o.pending THEN 1 - o.leave[least(o.begun / o.term * o.term / 12, 3) + 1] ELSE 1 END
                   * ((o.begins + make_interval(months => o.begun + 1))::date - as_of)::float8 / ((o.begins + make_interval(months => o.begun + 1))::date - (o.begins + make_interval(months => o.begun))::date)
                   + w.served - w.alive + w.alive * o.later AS remaining
        FROM walk w JOIN pg_temp.ltv_demo_now o USING (n) WHERE w.j >= 60 AND w.m % o.term = 0
    )
    SELECT a.account_id, a.segment, a.term, a.adoption, a.discount, a.tickets, a.auto_renew, a.predictor, a.leave[1], a.leave[2], a.leave[3], a.leave[4], a.early, a.involuntary, a.upsell, effect.downgrade, a.pause,
           a.product, a.currency, a.seats, a.add_on, a.unit_price, a.uplift, a.ramp, a.gross_margin, a.monthly_cost,
           CASE WHEN e.n IS NULL THEN 'lost' WHEN e.pending THEN 'pending' WHEN e.news = 0 THEN 'notice given' WHEN e.news = 1 THEN 'renewal signed' ELSE 'active' END,
           e.contract_id, e.begins, e.begun, e.add_ons, round(e.survival_12::numeric, 8), round(e.survival_24::numeric, 8), round(e.survival_60::numeric, 8), round(e.remaining::numeric, 4),
           round(e.margin_12::numeric, 2), round(e.margin_24::numeric, 2), round(e.margin_60::numeric, 2)
    FROM pg_temp.ltv_demo_account a LEFT JOIN expected e USING (n) ORDER BY 1;

    CREATE VIEW true_survival AS
    SELECT t.account_id, t.segment, m AS month,
           CASE WHEN t.term_months = 1 THEN power(1 - t.involuntary, m) * power(1 - t.leave_0y, least(m, 11)) * power(1 - t.leave_1y, least(greatest(m - 11, 0), 12))
                    * power(1 - t.leave_2y, least(greatest(m - 23, 0), 12)) * power(1 - t.leave_3y, greatest(m - 35, 0))
                ELSE power(1 - t.early_termination, m / t.term_months * (t.term_months - 4) + greatest(least(m % t.term_months - 1, t.term_months - 4), 0))
                    * CASE t.term_months WHEN 12 THEN power(1 - t.leave_1y, least(m / 12, 1)) * power(1 - t.leave_2y, least(greatest(m / 12 - 1, 0), 1)) * power(1 - t.leave_3y, greatest(m / 12 - 2, 0))
                                         WHEN 24 THEN power(1 - t.leave_2y, least(m / 24, 1)) * power(1 - t.leave_3y, greatest(m / 24 - 1, 0))
                                         ELSE power(1 - t.leave_3y, m / 36) END END AS survival
    FROM truth t, generate_series(0, 96) AS m;

    CREATE TABLE dirt (kind text PRIMARY KEY, relation text NOT NULL, fault boolean NOT NULL, n bigint NOT NULL, keys text[] NOT NULL, description text NOT NULL);
    INSERT INTO dirt
    SELECT k.kind, k.relation, k.fault, count(f.key), coalesce(array_agg(f.key ORDER BY f.key COLLATE "C") FILTER (WHERE f.key IS NOT NULL), '{}'), k.description
    FROM (VALUES
        ('duplicate_account', 'accounts', true, 'A customer in the CRM twice: the duplicate''s account_id. Add-ons and won-back contracts are booked on it.'),
        ('booked_on_duplicate', 'timeline', true, 'A line of a customer on the duplicate''s account: line_id.'),
        ('missing_reason', 'timeline', true, 'A line ended and nobody wrote down why: line_id.'),
        ('correction', 'timeline', false, 'A wrong price, superseded: line_id.'),
        ('currency', 'timeline', false, 'Three of them.'),
        ('co_term', 'timeline', false, 'An add-on that ends with the contract''s term: line_id.'),
        ('pause', 'timeline', false, 'A line stopped for a month or more: line_id and first day.'),
        ('late_renewal', 'timeline', false, 'Renewed after the due date, back to it: contract_id and due date.'),
        ('late_loss', 'timeline', false, 'Lost, and known only after the due date: contract_id.'),
        ('overdue', 'timeline', false, 'Due by as_of, and nobody knows yet: contract_id.'),
        ('notice_given', 'timeline', false, 'The end is known and still to come: contract_id.'),
        ('signed_ahead', 'timeline', false, 'A renewal is known and still to come: contract_id.'),
        ('win_back', 'timeline', false, 'Lost and back again: contract_id.'),
        ('ramp', 'timeline', false, 'The price steps up within the term: contract_id.'),
        ('early_termination', 'timeline', false, 'Ended before its term did: contract_id.'),
        ('involuntary', 'timeline', false, 'Lost for failed payments: contract_id.'),
        ('downgrade', 'timeline', false, 'An add-on given up: line_id.'),
        ('evergreen', 'timeline', false, 'No term, month to month: contract_id.'),
        ('credit_note', 'invoices', false, 'Months charged and not served: invoice_id.'),
        ('unpaid', 'invoices', false, 'More than 60 days overdue and not paid in full: invoice_id.'),
        ('part_payment', 'payments', false, 'An invoice paid in two parts: invoice_id.')) AS k (kind, relation, fault, description)
    LEFT JOIN (
        SELECT 'duplicate_account' AS kind, account_id AS key FROM truth_account_map WHERE account_id <> canonical_id
        UNION SELECT 'booked_on_duplicate', t.line_id FROM timeline t JOIN truth_account_map USING (account_id) WHERE account_id <> canonical_id
        UNION SELECT 'missing_reason', t.line_id FROM timeline t WHERE valid_to IS NOT NULL AND end_event IS NULL AND superseded_at IS NULL
            AND NOT EXISTS (SELECT FROM timeline u WHERE u.line_id = t.line_id AND u.valid_from = t.valid_to)
        UNION SELECT 'correction', line_id FROM timeline WHERE superseded_at IS NOT NULL
        UNION SELECT 'currency', currency FROM timeline
        UNION SELECT 'co_term', line_id FROM timeline WHERE start_event = 'coterm'
        UNION SELECT 'pause', line_id || ' ' || to_char(valid_from, 'YYYY-MM-DD') FROM timeline WHERE state = 'paused'
        UNION SELECT 'late_renewal', contract_id || ' ' || to_char(valid_from, 'YYYY-MM-DD') FROM timeline WHERE start_event = 'renewal' AND known_at > valid_from::timestamp AT TIME ZONE 'UTC' AND line_id LIKE '%-0'
        UNION SELECT 'late_loss', contract_id FROM timeline t WHERE line_id LIKE '%-0' AND end_known_at > valid_to::timestamp AT TIME ZONE 'UTC'
            AND NOT EXISTS (SELECT FROM timeline u WHERE u.line_id = t.line_id AND u.valid_from = t.valid_to)
        UNION SELECT 'overdue', contract_id FROM timeline WHERE valid_to IS NULL AND term_end <= as_of AND superseded_at IS NULL
        UNION SELECT 'notice_given', contract_id FROM timeline t WHERE line_id LIKE '%-0' AND valid_to > as_of AND NOT EXISTS (SELECT FROM timeline u WHERE u.line_id = t.line_id AND u.valid_from = t.valid_to)
        UNION SELECT 'signed_ahead', contract_id FROM timeline WHERE start_event = 'renewal' AND valid_from > as_of
        UNION SELECT 'win_back', contract_id FROM timeline WHERE start_event = 'reactivation'
        UNION SELECT 'ramp', contract_id FROM timeline WHERE start_event = 'price_change'
        UNION SELECT 'early_termination', contract_id FROM timeline WHERE end_event = 'early_termination'
        UNION SELECT 'involuntary', contract_id FROM timeline WHERE end_event = 'involuntary'
        UNION SELECT 'downgrade', line_id FROM timeline WHERE end_event = 'downgrade'
        UNION SELECT 'evergreen', contract_id FROM timeline WHERE term_end IS NULL
        UNION SELECT 'credit_note', invoice_id FROM invoices WHERE kind = 'credit_note'
        UNION SELECT 'unpaid', i.invoice_id FROM invoices i LEFT JOIN (SELECT invoice_id, sum(amount) AS paid FROM payments GROUP BY 1) p USING (invoice_id)
            WHERE kind = 'invoice' AND due_on < as_of - 60 AND coalesce(paid, 0) < amount
        UNION SELECT 'part_payment', invoice_id FROM payments WHERE payment_id LIKE '%-P2'
    ) f USING (kind)
    GROUP BY k.kind, k.relation, k.fault, k.description ORDER BY 2, 1;

    -- A schema that somebody else made and described keeps its comment.
    SELECT pg_has_role(s.nspowner, 'USAGE') AND coalesce(obj_description(s.oid, 'pg_namespace') LIKE 'The demo company of ltv.load_demo%', true)
    INTO described FROM pg_namespace s WHERE s.nspname = schema;
    IF described THEN
        EXECUTE format('COMMENT ON SCHEMA %I IS %L', schema, format('The demo company of ltv.load_demo: %s customers, seed %s, as of %s. Made up; DROP SCHEMA %s CASCADE removes it.',
            load_demo.accounts, load_demo.seed, to_char(as_of, 'YYYY-MM-DD'), quote_ident(schema)));
    END IF;
    FOR entry IN SELECT * FROM ltv.demo_dictionary() LOOP
        EXECUTE CASE WHEN entry.attribute IS NULL THEN format('COMMENT ON %s %I IS %L', CASE entry.relation WHEN 'true_survival' THEN 'VIEW' ELSE 'TABLE' END, entry.relation, entry.description)
                     ELSE format('COMMENT ON COLUMN %I.%I IS %L', entry.relation, entry.attribute, entry.description) END;
    END LOOP;
    FOR relation, description IN SELECT d.relation, split_part(d.description, '. ', 1) FROM ltv.demo_dictionary() d WHERE d.attribute IS NULL LOOP
        EXECUTE format('SELECT count(*) FROM %I', relation) INTO n;
        IF relation <> 'true_survival' THEN
            EXECUTE format('ANALYZE %I', relation);
        END IF;
        RETURN NEXT;
    END LOOP;
    DROP TABLE pg_temp.ltv_demo_account, pg_temp.ltv_demo_life, pg_temp.ltv_demo_decision, pg_temp.ltv_demo_line, pg_temp.ltv_demo_pause, pg_temp.ltv_demo_segment, pg_temp.ltv_demo_row, pg_temp.ltv_demo_month, pg_temp.ltv_demo_invoice, pg_temp.ltv_demo_now;
END
$load$;
COMMENT ON FUNCTION ltv.load_demo(text, integer, integer, date, boolean) IS 'Makes a B2B software company whose truth is known, in a schema of its own: customers, contracts (as ltv.contract_line), invoices, payments, usage, tickets, exchange rates, costs, with the dirt of real life, which the table dirt counts. Tables that begin with truth hold what nobody has: the parameters, each customer''s own hazards, and the expected margin and life at as_of, by exact recursion; actuals is what then came. The same arguments make the same company everywhere. accounts: customers, 1 to 1000000; as_of: what the company knows; replace: make it anew. One row per relation made. Errors: 55000 where the schema holds a company already or anything else; 22023, 22004 for arguments. DROP SCHEMA removes it.';
