-- The simple choice among algorithms: by backtest, and what won is trained.

CREATE FUNCTION ltv.train_auto(
    model text, source regclass, duration text, event text, horizon double precision, features text[] DEFAULT '{}', started text DEFAULT NULL,
    algorithms text[] DEFAULT NULL, metric text DEFAULT 'brier', cut_offs integer DEFAULT 4, step interval DEFAULT '3 months',
    unit text DEFAULT 'month', embargo interval DEFAULT '0', options jsonb DEFAULT '{}', min_events integer DEFAULT 20, holdout jsonb DEFAULT NULL, seed bigint DEFAULT 0, note text DEFAULT NULL, censoring text DEFAULT 'marginal',
    null_policy text DEFAULT 'drop'
) RETURNS TABLE (
    algorithm text, n_splits bigint, n_test bigint, brier double precision, brier_baseline double precision, skill double precision, log_loss double precision,
    concordance double precision, observed_to_expected double precision, ici double precision, chosen boolean, version integer, status text, seconds double precision, nulls text
)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    results jsonb;
    board jsonb;
    winner text;
    candidates text[];
    -- What a fit says of itself that must not be chosen.
    faults constant text := '^(not converged|separated|undetermined|no events$|no churn$|nobody renewed$)';
    fault text;
    passed_over jsonb := '{}';
    policy text;
    part_name text := 'part';
    made integer;
    told text;
    shown text;
    missing text;
    used text;
    known date;
    days double precision := ltv.days_in(1, unit);
    beyond integer := ceil(ltv.days_in(horizon, unit))::integer;
    rows_in bigint;
    events_in bigint;
    untried text;
    named text;
    one jsonb;
    began timestamptz;
    spent jsonb := '{}';
BEGIN
    -- Told before anything is compared: on a standby too.
    IF current_setting('transaction_read_only')::boolean THEN
        RAISE EXCEPTION 'cannot execute ltv.train_auto() in a read-only transaction' USING ERRCODE = 'read_only_sql_transaction', HINT = 'It registers the winner: call it on the primary. ltv.backtest compares without writing.';
    END IF;
    algorithms := CASE WHEN algorithms IS NOT NULL THEN ARRAY(SELECT unnest(algorithms)) END;
    features := ARRAY(SELECT unnest(features));
    IF num_nulls(model, source, duration, event, train_auto.horizon, cut_offs, step, unit, embargo, options) > 0 OR cardinality(algorithms) = 0 OR array_position(algorithms, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'only features, started, algorithms, holdout and note may be NULL, and no algorithm' USING ERRCODE = 'null_value_not_allowed', HINT = 'train_auto(''churn'', ''accounts'', ''months'', ''churned'', 12, features => ARRAY[''plan'']).';
    END IF;
    IF metric IS NULL OR metric NOT IN ('brier', 'log_loss', 'concordance') THEN
        RAISE EXCEPTION 'unknown metric "%"', metric USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: brier, log_loss, concordance.';
    END IF;
    IF censoring IS NULL OR censoring NOT IN ('marginal', 'grouped') THEN
        RAISE EXCEPTION 'unknown censoring "%"', censoring USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: marginal, grouped.';
    END IF;
    IF null_policy IS NULL OR null_policy NOT IN ('drop', 'impute', 'indicator', 'learn') THEN
        RAISE EXCEPTION 'unknown null_policy "%"', null_policy USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: drop, impute, indicator, learn.';
    END IF;
    IF cut_offs < 1 OR cut_offs > 100 OR step < interval '1 day' THEN
        RAISE EXCEPTION 'there must be 1 to 100 cut-offs, at least a day apart' USING ERRCODE = 'invalid_parameter_value', HINT = 'cut_offs => 4, step => ''3 months''.';
    END IF;
    SELECT format('%I.%I', s.nspname, c.relname) INTO shown FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE c.oid = source AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
    SELECT string_agg(quote_ident(w.name), ', ') INTO missing FROM unnest(ARRAY[duration, event, started] || coalesce(features, '{}')) AS w (name)
    WHERE w.name IS NOT NULL AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = source AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped);
    IF shown IS NULL OR missing IS NOT NULL THEN
        RAISE EXCEPTION '%', coalesce(shown || ' has no column ' || missing, 'the source does not exist') USING ERRCODE = 'undefined_column', HINT = 'Columns by their names, without quotes.';
    END IF;
    -- The winner is trained as the policy says, which fills features alone: train would refuse it when all is compared.
    IF null_policy <> 'drop' AND EXISTS (SELECT FROM unnest(coalesce(algorithms, '{cox}')) AS a (name) WHERE a.name NOT IN ('sbg', 'bdw', 'rule')) THEN
        FOREACH named IN ARRAY ARRAY[duration, event] LOOP
            EXECUTE format('SELECT count(*) FROM %s s WHERE s.%I IS NULL', shown, named) INTO rows_in;
            IF rows_in > 0 THEN
                RAISE EXCEPTION 'column "%" of % is NULL in % rows', named, shown, rows_in
                    USING ERRCODE = 'null_value_not_allowed', HINT = format('null_policy => ''%s'' is for features. Fill the outcome in a view, leave such rows out there, or take null_policy => ''drop'', which leaves them out.', null_policy);
            END IF;
        END LOOP;
    END IF;
    -- The winner is judged by rows that have no part in the choice.
    IF holdout IS NOT NULL THEN
        shown := format('(SELECT s.* FROM %s s WHERE NOT %s)', shown, ltv.holdout_condition(source, holdout, coalesce(seed, 0)));
    END IF;
    IF algorithms IS NULL THEN
        algorithms := '{cox,weibull,lognormal,loglogistic,boosted_hazard}';
        -- A leaf of the trees needs 20 events, and the fifth of the rows by which they stop 10, at every cut-off.
        EXECUTE format('SELECT count(*), count(*) FILTER (WHERE s.%I::int4 = 1) FROM %s s', event, shown) INTO rows_in, events_in;
        IF rows_in < 1000 OR events_in < 200 OR cardinality(features) = 0 THEN
            algorithms := array_remove(algorithms, 'boosted_hazard');
            options := CASE jsonb_typeof(options) WHEN 'object' THEN options - 'boosted_hazard' ELSE options END;
            untried := format('not tried: it needs features, 1000 rows and 200 events; here are %s, %s and %s', cardinality(features), rows_in, events_in);
        END IF;
    END IF;
    IF EXISTS (SELECT FROM jsonb_object_keys(CASE jsonb_typeof(options) WHEN 'object' THEN options ELSE '{"?": 0}' END) o WHERE o <> ALL (algorithms)) THEN
        RAISE EXCEPTION 'options are an object with an object for each of the algorithms' USING ERRCODE = 'invalid_parameter_value', HINT = '{"cox": {"penalty": 0.1}}';
    END IF;
    IF started IS NOT NULL THEN
        EXECUTE format('SELECT max(s.%I::date + floor(s.%I::float8 * $1 + 0.000001)::int) FROM %s s WHERE isfinite(s.%I::date) AND s.%I::float8 BETWEEN 0 AND 40000', started, duration, shown, started, duration) INTO known USING days;
        IF known IS NULL THEN
            RAISE EXCEPTION 'no row has a start and a duration' USING ERRCODE = 'invalid_parameter_value', HINT = 'started: the column of the day on which a row began.';
        END IF;
        known := known - beyond;
    ELSIF features && ARRAY['entry', 'given', 'duration', 'event', duration, event] THEN
        RAISE EXCEPTION 'a feature cannot be called entry, given, duration or event, nor be the duration or the event' USING ERRCODE = 'invalid_parameter_value', HINT = 'Rename or leave it out.';
    ELSE
        -- Without dates: four parts, over which rows that say the same are spread evenly, each judged by models of the other three.
        WHILE EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = source AND a.attname = part_name) LOOP
            part_name := part_name || '_';
        END LOOP;
        used := coalesce((SELECT string_agg(format(', s.%I', f.name), '' ORDER BY f.place) FROM unnest(features) WITH ORDINALITY AS f (name, place)), '');
        shown := format('(SELECT s.*, (abs(hash_record_extended(ROW(s.%1$I, s.%2$I%3$s), %4$s) %% 4) + row_number() OVER (PARTITION BY s.%1$I, s.%2$I%3$s)) %% 4 AS %6$I FROM %5$s s)', duration, event, used, coalesce(seed, 0), shown, part_name);
    END IF;
    -- One after the other, to know what each takes.
    FOREACH named IN ARRAY algorithms LOOP
        began := clock_timestamp();
        one := CASE WHEN options ? named THEN jsonb_build_object(named, options -> named) ELSE '{}' END;
        IF started IS NOT NULL THEN
            SELECT jsonb_agg(to_jsonb(b)) INTO one
            FROM ltv.backtest(source, started, duration, event, horizon, (known - (cut_offs - 1) * step)::date, known, step, ARRAY[named], features, unit, embargo, NULL, one, min_events, censoring, null_policy, holdout, coalesce(seed, 0)) b;
        ELSE
            SELECT jsonb_agg(to_jsonb(c)) INTO one
            FROM generate_series(0, 3) AS part,
                 ltv.compare_algorithms(
                     format('SELECT 0::float8 AS entry, s.%1$I::float8 AS duration, s.%2$I::int4 = 1 AS event%3$s FROM %4$s s WHERE s.%6$I <> %5$s', duration, event, used, shown, part, part_name),
                     format('SELECT 0::float8 AS given, s.%1$I::float8 AS duration, s.%2$I::int4 = 1 AS event%3$s FROM %4$s s WHERE s.%1$I > 0 AND s.%2$I IS NOT NULL AND s.%6$I = %5$s', duration, event, used, shown, part, part_name),
                     horizon, ARRAY[named], features, one, min_events, censoring, null_policy) c;
        END IF;
        results := coalesce(results, '[]') || coalesce(one, '[]');
        spent := spent || jsonb_build_object(named, round(extract(epoch FROM clock_timestamp() - began), 3));
    END LOOP;
    WITH result AS (
        SELECT r.* FROM jsonb_to_recordset(results) AS r (algorithm text, n_test bigint, metric text, value float8, baseline_value float8, status text, nulls text)
    ), said AS (
        -- All that is said at any cut-off, faults first; what differs only in the number that it begins with is said once, rows without a score are counted.
        SELECT s.algorithm, string_agg(s.number || s.kind, '; ' ORDER BY s.is_fault DESC, s.kind = ' rows could not be scored', s.kind COLLATE "C") AS status
        FROM (SELECT r.algorithm, r.status ~ faults AS is_fault, w.kind,
                     CASE WHEN w.kind = ' rows could not be scored' THEN sum(w.n) FILTER (WHERE r.metric = 'brier')::text ELSE concat_ws(' to ', min(w.n), nullif(max(w.n), min(w.n))) END AS number
              FROM result r, LATERAL (SELECT substring(r.status, '^(\d{1,18}) ')::bigint AS n, regexp_replace(r.status, '^\d{1,18}(?= )', '') AS kind) w
              WHERE r.status <> 'ok' GROUP BY r.algorithm, r.status ~ faults, w.kind) s
        GROUP BY s.algorithm
    ), summed AS (
        SELECT r.algorithm, count(*) FILTER (WHERE r.metric = 'brier' AND r.value IS NOT NULL) AS n_splits, sum(r.n_test) FILTER (WHERE r.metric = 'brier' AND r.value IS NOT NULL)::bigint AS n_test,
               (SELECT d.status FROM said d WHERE d.algorithm = r.algorithm) AS status, bool_or(r.status ~ faults) AS is_unsound, min(r.nulls) AS nulls,
               jsonb_object_agg(m.metric, m.value) FILTER (WHERE m.value IS NOT NULL) AS means, jsonb_object_agg(m.metric, m.baseline) FILTER (WHERE m.baseline IS NOT NULL) AS baselines
        FROM result r
        LEFT JOIN LATERAL (SELECT r.metric, sum(o.value * o.n_test) / nullif(sum(o.n_test) FILTER (WHERE o.value IS NOT NULL), 0) AS value,
                                  sum(o.baseline_value * o.n_test) / nullif(sum(o.n_test) FILTER (WHERE o.baseline_value IS NOT NULL), 0) AS baseline
                           FROM result o WHERE o.algorithm = r.algorithm AND o.metric = r.metric) m ON true
        GROUP BY r.algorithm
    ), ranked AS (
        -- Only whose fits are sound and who was judged as often as anybody can win; of equals the first named.
        SELECT s.*, row_number() OVER (ORDER BY s.n_splits = 0, s.is_unsound, s.n_splits DESC, CASE WHEN train_auto.metric = 'concordance' THEN -(s.means ->> 'concordance')::float8 ELSE (s.means ->> train_auto.metric)::float8 END NULLS LAST,
                                                array_position(algorithms, s.algorithm)) AS place
        FROM summed s
    )
    SELECT jsonb_agg(to_jsonb(r) ORDER BY r.place) INTO board FROM ranked r;
    IF coalesce((board #>> '{0,n_splits}')::bigint, 0) = 0 THEN
        RAISE EXCEPTION 'no algorithm could be judged: %', coalesce(board #>> '{0,status}', 'no rows')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'More rows, a shorter horizon, or a lower min_events; see backtest.';
    END IF;
    told := format('auto by %s over %s %s: %s', metric, board #>> '{0,n_splits}', CASE WHEN started IS NULL THEN 'parts' ELSE 'cut-offs' END,
        (SELECT string_agg(format('%s %s', e ->> 'algorithm', coalesce(round((e -> 'means' ->> train_auto.metric)::numeric, 4)::text, 'none')) || CASE WHEN (e ->> 'is_unsound')::boolean THEN format(' (%s)', e ->> 'status') ELSE '' END, ', ' ORDER BY place) FROM jsonb_array_elements(board) WITH ORDINALITY AS b (e, place)))
        || coalesce(', kaplan_meier ' || round((board -> 0 -> 'baselines' ->> metric)::numeric, 4)::text, '');
    -- The best whose fit to all rows is sound too; where there is none, the best.
    candidates := ARRAY(SELECT e ->> 'algorithm' FROM jsonb_array_elements(board) WITH ORDINALITY AS b (e, place) WHERE (e ->> 'n_splits')::bigint > 0 AND NOT (e ->> 'is_unsound')::boolean ORDER BY place);
    FOREACH named IN ARRAY candidates || (board #>> '{0,algorithm}') LOOP
        policy := CASE WHEN named IN ('sbg', 'bdw', 'rule') THEN 'drop' WHEN null_policy = 'learn' AND NOT named ^@ 'boosted_' THEN 'impute' ELSE null_policy END;
        fault := NULL;
        BEGIN
            SELECT max(t.version) INTO made
            FROM ltv.train(model, source, named, duration, event, features => CASE WHEN named IN ('sbg', 'bdw', 'rule') THEN '{}' ELSE coalesce(features, '{}') END, horizon => horizon, options => coalesce(options -> named, '{}'), holdout => holdout, seed => coalesce(seed, 0), censoring => censoring,
                           null_policy => policy,
                           note => concat_ws('; ', note, told, (SELECT 'passed over ' || string_agg(format('%s (%s)', p.key, p.value), ', ' ORDER BY array_position(candidates, p.key)) FROM jsonb_each_text(passed_over - named) p))) t;
            SELECT ltv.model_status(v.fitted) INTO fault FROM ltv.model_versions v WHERE v.model = train_auto.model AND v.version = made AND ltv.model_status(v.fitted) ~ faults;
            IF fault IS NOT NULL AND NOT passed_over ? named AND named = ANY (candidates) THEN
                RAISE EXCEPTION USING ERRCODE = 'LTV01', MESSAGE = fault;
            END IF;
            winner := named;
        EXCEPTION
            WHEN SQLSTATE 'LTV01' THEN
                passed_over := passed_over || jsonb_build_object(named, fault);
        END;
        EXIT WHEN winner IS NOT NULL;
    END LOOP;
    IF fault IS NOT NULL OR cardinality(candidates) = 0 THEN
        RAISE WARNING 'no algorithm has a sound fit: % is the best of them (%)', winner, coalesce(fault, board #>> '{0,status}') USING HINT = 'Leave out or group the features that the status names, or take a penalty.';
    END IF;
    -- Who was passed over comes behind the winner, with the reason.
    SELECT jsonb_agg(e || CASE WHEN passed_over ? (e ->> 'algorithm') THEN jsonb_build_object('status', passed_over -> (e ->> 'algorithm')) ELSE '{}' END ORDER BY e ->> 'algorithm' = winner DESC, place) INTO board
    FROM jsonb_array_elements(board) WITH ORDINALITY AS b (e, place);
    RETURN QUERY
    SELECT e ->> 'algorithm', (e ->> 'n_splits')::bigint, (e ->> 'n_test')::bigint, (e -> 'means' ->> 'brier')::float8, (e -> 'baselines' ->> 'brier')::float8,
           1 - (e -> 'means' ->> 'brier')::float8 / nullif((e -> 'baselines' ->> 'brier')::float8, 0), (e -> 'means' ->> 'log_loss')::float8, (e -> 'means' ->> 'concordance')::float8,
           (e -> 'means' ->> 'observed_to_expected')::float8, (e -> 'means' ->> 'ici')::float8, place = 1, CASE WHEN place = 1 THEN made END, coalesce(e ->> 'status', 'ok'), (spent ->> (e ->> 'algorithm'))::float8, e ->> 'nulls'
    FROM jsonb_array_elements(board) WITH ORDINALITY AS b (e, place) ORDER BY place;
    RETURN QUERY
    SELECT 'kaplan_meier', (board #>> '{0,n_splits}')::bigint, (board #>> '{0,n_test}')::bigint, (b ->> 'brier')::float8, (b ->> 'brier')::float8, CASE WHEN (b ->> 'brier')::float8 > 0 THEN 0 END::float8, (b ->> 'log_loss')::float8,
           (b ->> 'concordance')::float8, (b ->> 'observed_to_expected')::float8, (b ->> 'ici')::float8, false, NULL::integer,
           CASE WHEN (board -> 0 -> 'means' ->> 'brier')::float8 >= (b ->> 'brier')::float8 THEN 'baseline: no algorithm is better' ELSE 'baseline' END, NULL::float8, NULL::text
    FROM (SELECT board -> 0 -> 'baselines' AS b) x;
    IF untried IS NOT NULL THEN
        RETURN QUERY SELECT 'boosted_hazard', 0::bigint, 0::bigint, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, false, NULL::integer, untried, NULL::float8, NULL::text;
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.train_auto(text, regclass, text, text, double precision, text[], text, text[], text, integer, interval, text, interval, jsonb, integer, jsonb, bigint, text, text, text) IS 'Compares algorithms and trains the best by train on all rows (less a holdout): a candidate, promoted by nobody. With started (the column of the day on which a row began) they are compared by backtest over the last cut_offs whose horizon is over, step apart; without, by four parts of the rows, each judged by models of the others. One row per algorithm, the best by metric (brier, log_loss or concordance; means weighted by rows judged) first and chosen, then the baseline, the Kaplan-Meier curve; the table is in the note of the version. censoring: how they are weighed for it, as in compare_algorithms. holdout: as in train; its rows have no part in the comparison, so that the metrics of the version are no choice of theirs. algorithms: by default cox, weibull, lognormal and loglogistic, and boosted_hazard where there are features, 1000 rows and 200 events (each of its leaves needs 20 events, and the rows by which it stops 10); options: those of train for each, {"boosted_hazard": {"depth": 3, "monotone": {"price": 1}}}. seconds: what the comparison of the algorithm took, reading the rows included. The winner of a comparison looks a little better than it is. A fit that is not converged, separated or undetermined, at a cut-off or on all rows, is not chosen where another is sound: its status says why (all that was said at any cut-off or part), and the note who was passed over; where none is sound the best is chosen, with a warning. null_policy: as in compare_algorithms, and the winner is trained with it; nulls says what each had: drop (rows with a NULL are left out), impute, indicator, or learn, with which trees learn of NULLs and what cannot has them filled; of the outcome only drop takes NULLs, as in train. Errors 22023, 22004, 42703, and those of train.';
REVOKE EXECUTE ON FUNCTION ltv.train_auto(text, regclass, text, text, double precision, text[], text, text[], text, integer, interval, text, interval, jsonb, integer, jsonb, bigint, text, text, text) FROM PUBLIC;
