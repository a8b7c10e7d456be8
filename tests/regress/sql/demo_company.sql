-- load_demo: a company made from a seed, the same everywhere, whose truth is known and true.
SET client_min_messages = warning;

-- 1. The numbers behind it: fixed for ever, evenly spread, and without a trace of the seed or of the neighbour.
SELECT ltv.uniform(1, 1), ltv.uniform(1, 2), ltv.uniform(2, 1), ltv.uniform(-1, -1), ltv.uniform(9223372036854775807, -9223372036854775808) AS extreme, ltv.uniform(NULL, 1) AS nothing;
-- Chi-squared of 100 classes has mean 99 and standard deviation 14. Neither do keys that are neighbours, or seeds, or keys at the distance of a
-- year, know of each other: 32 by 32 classes, mean 1023, standard deviation 45. (The hash taken once fails this with 37,000.)
SELECT min(u) >= 0 AND max(u) < 1 AS within, (SELECT sum((n - 400) ^ 2 / 400) BETWEEN 60 AND 150 FROM (SELECT count(*) AS n FROM generate_series(1, 40000) AS k GROUP BY floor(100 * ltv.uniform(11, k))) c) AS even
FROM (SELECT ltv.uniform(11, k) AS u FROM generate_series(1, 40000) AS k) d;
SELECT multiple, other_seed, other_key, sum((n - 40000 / 1024.0) ^ 2 / (40000 / 1024.0)) BETWEEN 850 AND 1200 AS independent
FROM (SELECT multiple, other_seed, other_key, count(*) AS n
      FROM unnest(ARRAY[1, 1024]) AS multiple, (VALUES (11, 1), (11, 2), (11, 12), (11, 512), (12, 0), (13, 1), (111, 0)) AS o (other_seed, other_key), generate_series(1, 40000) AS k
      GROUP BY 1, 2, 3, floor(32 * ltv.uniform(11, k * multiple)), floor(32 * ltv.uniform(other_seed, k * multiple + other_key))) c
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- 2. What is made, and every table and column says what it is.
SELECT * FROM ltv.load_demo('acme', 300);
TABLE acme.demo_company;
SELECT obj_description('acme'::regnamespace);
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'acme'::regnamespace AND c.relkind IN ('r', 'v') AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL);
SELECT d.relation, d.attribute FROM ltv.demo_dictionary() d
WHERE to_regclass('acme.' || d.relation) IS NULL
   OR d.attribute IS NOT NULL AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('acme.' || d.relation) AND a.attname = d.attribute);
SELECT count(*) AS left_behind FROM pg_class WHERE relname LIKE 'ltv\_demo%';
-- Every statement that reads a timeline can read these.
SELECT ltv.timeline_query('acme.timeline') <> '' AND ltv.timeline_query('acme.actuals') <> '' AS timelines;

-- 3. The same arguments, the same company, whatever the session's settings, version and platform: the sums are those of every server.
CREATE FUNCTION checksums(schema text) RETURNS TABLE (relation text, rows bigint, checksum text) LANGUAGE plpgsql SET timezone = 'UTC' SET datestyle = 'ISO' SET extra_float_digits = 1 AS $$
BEGIN
    FOR relation IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = schema::regnamespace AND c.relkind = 'r' AND c.relname <> 'demo_company' ORDER BY c.relname COLLATE "C" LOOP
        EXECUTE format($q$SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text COLLATE "C")) FROM %I.%I AS t$q$, schema, relation) INTO rows, checksum;
        RETURN NEXT;
    END LOOP;
END $$;
CREATE TABLE first AS SELECT * FROM checksums('acme');
TABLE first;
SET timezone = 'Pacific/Auckland'; SET datestyle = 'German'; SET extra_float_digits = 0; SET search_path = acme, public; SET enable_hashjoin = off; SET max_parallel_workers_per_gather = 0; SET enable_hashagg = off;
SELECT count(*) FROM ltv.load_demo('twin', accounts => 300);
SHOW search_path;
RESET ALL; SET client_min_messages = warning;
SELECT count(*) FROM ltv.load_demo('acme', 300, replace => true);
SELECT count(*) AS tables, count(*) FILTER (WHERE f.checksum = t.checksum) AS same_as_twin, count(*) FILTER (WHERE f.checksum = a.checksum) AS same_when_replaced
FROM first f JOIN checksums('twin') t USING (relation) JOIN checksums('acme') a USING (relation);
-- Another seed, another company: only what has no dice in it stays.
SELECT count(*) FROM ltv.load_demo('twin', 300, seed => 2, replace => true);
SELECT relation AS same_with_another_seed FROM first f JOIN checksums('twin') t USING (relation) WHERE f.checksum = t.checksum;
-- A larger company begins with the smaller one's customers.
SELECT count(*) FROM ltv.load_demo('twin', 340, replace => true);
SELECT count(*) AS customers, count(*) FILTER (WHERE t IS NOT DISTINCT FROM a) AS same FROM twin.truth t JOIN acme.truth a USING (account_id);
DROP SCHEMA twin CASCADE;

-- 4. Nobody knows the future: each table but actuals and truth ends with as_of, and timeline is actuals as of that day.
SELECT (SELECT max(known_at) FROM acme.timeline) <= as_of AND (SELECT max(end_known_at) FROM acme.timeline) <= as_of AND (SELECT max(superseded_at) FROM acme.timeline) <= as_of AS timeline,
       (SELECT max(issued_on) FROM acme.invoices) <= as_of AS invoices, (SELECT max(paid_on) FROM acme.payments) <= as_of AS payments, (SELECT max(opened_on) FROM acme.tickets) <= as_of AS tickets,
       (SELECT max(month) FROM acme.usage) <= as_of AS usage, (SELECT max(month) FROM acme.cost_to_serve) <= as_of AS cost_to_serve, (SELECT max(valid_from) FROM acme.fx_rate) <= as_of AS fx_rate,
       (SELECT max(created_on) FROM acme.accounts) <= as_of AS accounts, (SELECT max(known_at) FROM acme.actuals) BETWEEN as_of + 600 AND actuals_until AS actuals
FROM acme.demo_company;
CREATE FUNCTION seen(lines regclass, cut timestamptz) RETURNS SETOF ltv.contract_line LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT account_id, parent_account_id, contract_id, line_id, product, valid_from, CASE WHEN end_known_at <= $1 THEN valid_to END, state, mrr, list_mrr, quantity, currency, billing_months, payment_timing,
               term_start, term_end, auto_renew, start_event, CASE WHEN end_known_at <= $1 THEN end_event END, known_at, CASE WHEN end_known_at <= $1 THEN end_known_at END,
               CASE WHEN superseded_at <= $1 THEN superseded_at END, source, source_key
        FROM %s WHERE known_at <= $1$q$, lines) USING cut;
END $$;
SET timezone = 'UTC';
(SELECT * FROM seen('acme.actuals', '2025-06-30') EXCEPT ALL TABLE acme.timeline) UNION ALL (TABLE acme.timeline EXCEPT ALL SELECT * FROM seen('acme.actuals', '2025-06-30'));
-- A company that is asked for earlier is not the same company seen earlier: as_of moves all dates with it.
SELECT count(*) FROM ltv.load_demo('early', 20, as_of => '2000-02-29');
SELECT min(valid_from) BETWEEN '1993-01-01' AND '2000-02-29' AS begins, max(known_at)::date <= '2000-02-29' AS ends FROM early.timeline;
DROP SCHEMA early CASCADE;

-- 5. The tables agree with each other.
SELECT count(*) AS overlaps FROM acme.actuals a JOIN acme.actuals b USING (line_id)
WHERE a.superseded_at IS NULL AND b.superseded_at IS NULL AND a.ctid < b.ctid AND daterange(a.valid_from, a.valid_to) && daterange(b.valid_from, b.valid_to);
SELECT count(*) FILTER (WHERE valid_to <= valid_from OR mrr <= 0 OR mrr > list_mrr * 1.1 OR term_end <= valid_from OR valid_to > term_end) AS impossible,
       count(*) FILTER (WHERE currency !~ '^(USD|EUR|GBP)$' OR state NOT IN ('active', 'paused') OR known_at IS NULL OR (end_known_at IS NULL) <> (valid_to IS NULL)) AS odd,
       count(*) FILTER (WHERE parent_account_id NOT IN (SELECT account_id FROM acme.accounts) OR account_id NOT IN (SELECT account_id FROM acme.accounts)) AS lost_keys
FROM acme.actuals WHERE superseded_at IS NULL;
-- What a contract that has ended was billed, less the credit notes, is its MRR times its months, to the cent.
WITH served AS (
    SELECT contract_id, sum(mrr * (extract(year FROM age(valid_to, valid_from)) * 12 + extract(month FROM age(valid_to, valid_from)))) FILTER (WHERE state = 'active') AS amount
    FROM acme.timeline WHERE superseded_at IS NULL GROUP BY 1 HAVING bool_and(coalesce(valid_to <= '2025-06-30' AND end_known_at <= '2025-06-30', false))
), billed AS (SELECT contract_id, sum(amount) AS amount FROM acme.invoices GROUP BY 1)
SELECT count(*) AS contracts, sum(b.amount) = sum(s.amount) AS equal, count(*) FILTER (WHERE b.amount <> s.amount) AS unequal FROM served s JOIN billed b USING (contract_id);
SELECT count(*) FILTER (WHERE paid > amount) AS overpaid, count(*) FILTER (WHERE paid = amount) > 0.9 * count(*) AS mostly_paid
FROM acme.invoices JOIN (SELECT invoice_id, sum(amount) AS paid FROM acme.payments GROUP BY 1) p USING (invoice_id) WHERE kind = 'invoice';
-- Truth, timeline and actuals tell the same story of who is there. Duplicates are mapped first, or they look like customers of their own.
SELECT count(*) AS customers, count(*) FILTER (WHERE (t.status <> 'lost') <> (l.account_id IS NOT NULL)) AS differ
FROM acme.truth t LEFT JOIN (SELECT DISTINCT canonical_id AS account_id FROM acme.timeline JOIN acme.truth_account_map USING (account_id)
                             WHERE superseded_at IS NULL AND valid_from <= '2025-06-30' AND (valid_to IS NULL OR valid_to > '2025-06-30')) l USING (account_id);
SELECT count(*) AS contracts, count(*) FILTER (WHERE a.until IS DISTINCT FROM l.end_on) AS differ
FROM acme.truth_life l JOIN (SELECT contract_id, CASE WHEN bool_and(valid_to IS NOT NULL AND end_known_at <= '2027-06-30') THEN max(valid_to) END AS until FROM acme.actuals WHERE superseded_at IS NULL GROUP BY 1) a USING (contract_id)
WHERE l.end_on IS NULL OR l.known_on <= '2027-06-30' AND l.end_on <= '2027-06-30';
-- Small ones leave more, large ones pay more, and renewals come at the ends of quarters.
SELECT segment, count(*) AS customers, round(avg(leave_1y)::numeric, 3) AS leaves, round(avg(survival_12)::numeric, 3) AS stays, round(avg(seats * unit_price)) AS mrr,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY seats * unit_price) AS median_mrr
FROM acme.truth GROUP BY segment ORDER BY mrr;
SELECT extract(month FROM term_end) IN (3, 6, 9, 12) AS quarter_end, count(*) FROM acme.timeline WHERE superseded_at IS NULL AND line_id LIKE '%-0' AND term_end IS NOT NULL GROUP BY 1 ORDER BY 1;

-- 6. The dirt, and that it is there.
SELECT kind, relation, fault, n, keys[1] AS for_example FROM acme.dirt ORDER BY relation, kind COLLATE "C";
SELECT a.name, d.name AS duplicate, a.domain, d.domain AS its_domain
FROM acme.truth_account_map m JOIN acme.accounts a ON a.account_id = m.canonical_id JOIN acme.accounts d ON d.account_id = m.account_id WHERE m.account_id <> m.canonical_id ORDER BY m.account_id LIMIT 5;
SELECT count(*) = count(DISTINCT a.name) AS others_have_names_of_their_own FROM acme.truth JOIN acme.accounts a USING (account_id);

-- 7. The truth is true. Futures of 60 customers, walked month by month with other dice, have the expected means: a sum over all customers within
-- 3 standard errors, and each customer within 4.5.
SELECT count(*) FROM ltv.load_demo('acme', 1000, seed => 4, replace => true);
CREATE TABLE judged AS
SELECT *, substr(account_id, 2)::bigint AS number, CASE least(months_begun / 12, 3) WHEN 1 THEN leave_1y WHEN 2 THEN leave_2y ELSE leave_3y END AS leave_now FROM acme.truth
WHERE status IN ('pending', 'notice given', 'renewal signed') OR status = 'active' AND ltv.uniform(7, substr(account_id, 2)::bigint) < 0.08;
CREATE TABLE futures AS
WITH RECURSIVE path AS (
    SELECT account_id, r, number * 1000 + r AS key, 0 AS j, months_begun AS m, add_ons, CASE WHEN status = 'pending' AND ltv.uniform(9000, number * 1000 + r) < leave_now THEN 0 ELSE 1 END AS alive,
           0::float8 AS value_12, 0::float8 AS value_60, NULL::int AS alive_12
    FROM judged, generate_series(1, 100) AS r
    UNION ALL
    SELECT p.account_id, p.r, p.key, p.j + 1, p.m + 1, a.add_ons, l.alive, p.value_12 + CASE WHEN p.j < 12 THEN v.value ELSE 0 END, p.value_60 + v.value, CASE WHEN p.j = 11 THEN l.alive ELSE p.alive_12 END
    FROM path p JOIN judged t USING (account_id),
         LATERAL (SELECT CASE least((p.m + 1) / 12, 3) WHEN 0 THEN leave_0y WHEN 1 THEN leave_1y WHEN 2 THEN leave_2y ELSE leave_3y END AS leave, (p.m + 1) % term_months AS phase,
                         ltv.uniform(9001, p.key * 64 + p.j) AS u, ltv.uniform(9002, p.key * 64 + p.j) AS w OFFSET 0) d,
         LATERAL (SELECT CASE WHEN p.alive = 0 THEN 0
                              WHEN term_months = 1 THEN CASE WHEN d.u < involuntary OR d.w < leave THEN 0 ELSE 1 END
                              WHEN d.phase = 0 AND p.m + 1 - months_begun <= term_months AND status = 'notice given' THEN 0
                              WHEN d.phase = 0 AND p.m + 1 - months_begun <= term_months AND status = 'renewal signed' THEN 1
                              WHEN d.phase = 0 THEN CASE WHEN d.u < leave THEN 0 ELSE 1 END
                              WHEN d.phase BETWEEN 2 AND term_months - 3 AND d.u < early_termination THEN 0 ELSE 1 END AS alive OFFSET 0) l,
         LATERAL (SELECT CASE WHEN term_months > 1 AND d.phase < 2 THEN p.add_ons
                              ELSE p.add_ons - (SELECT count(*) FROM generate_series(1, p.add_ons) AS i WHERE ltv.uniform(9003 + i, p.key * 64 + p.j) < downgrade)::int
                                   + (ltv.uniform(9800, p.key * 64 + p.j) < upsell)::int END AS add_ons OFFSET 0) a,
         LATERAL (SELECT CASE WHEN l.alive = 0 THEN 0 ELSE
                      ((seats + a.add_ons * add_on_seats) * unit_price::float8 * (1 + uplift::float8) ^ (CASE term_months WHEN 1 THEN 0 ELSE (p.m + 1) / term_months END)
                       * CASE WHEN ramp AND p.m < 11 THEN 0.6 WHEN ramp AND p.m < 23 THEN 0.8 ELSE 1 END * CASE WHEN ltv.uniform(9900, p.key * 64 + p.j) < pause THEN 0 ELSE 1 END
                       * gross_margin::float8 - monthly_cost::float8)
                      * 1.1 ^ (-((start_on + make_interval(months => p.m + 1))::date - date '2025-06-30') / 365.0) END AS value OFFSET 0) v
    WHERE p.j < 60
)
SELECT account_id, r, alive, alive_12, value_12, value_60 FROM path WHERE j = 60;
WITH means AS (
    SELECT account_id, count(*) AS n, avg(alive_12) AS alive_12, avg(alive) AS alive_60, avg(value_12) AS value_12, avg(value_60) AS value_60, var_samp(value_12) / count(*) AS variance_12,
           var_samp(value_60) / count(*) AS variance_60
    FROM futures GROUP BY 1
)
SELECT count(*) >= 60 AS sixty_or_more, count(DISTINCT status) AS statuses,
       abs(sum(alive_12 - survival_12)) < 3 * sqrt(sum(survival_12 * (1 - survival_12) / n)) AS survival_12, abs(sum(alive_60 - survival_60)) < 3 * sqrt(sum(survival_60 * (1 - survival_60) / n)) AS survival_60,
       abs(sum(value_12 - expected_margin_12::float8)) < 3 * sqrt(sum(variance_12)) AS margin_12, abs(sum(value_60 - expected_margin_60::float8)) < 3 * sqrt(sum(variance_60)) AS margin_60,
       bool_and(abs(value_60 - expected_margin_60::float8) <= 4.5 * sqrt(variance_60) + 0.05) AS each_margin_60,
       bool_and(abs(alive_60 - survival_60) <= 4.5 * sqrt(survival_60 * (1 - survival_60) / n) + 1e-8) AS each_survival_60
FROM means JOIN judged USING (account_id);
-- The life still to come, beyond the 60 months, against a sum over 4000 months in closed form where there is one: evergreen contracts past their third year.
SELECT count(*) > 10 AS some, max(abs(expected_remaining_months - fraction - s / (1 - s))) < 1e-4 AS agree
FROM (SELECT t.*, (1 - involuntary) * (1 - leave_3y) AS s,
             ((start_on + make_interval(months => months_begun + 1))::date - date '2025-06-30')::float8
             / ((start_on + make_interval(months => months_begun + 1))::date - (start_on + make_interval(months => months_begun))::date) AS fraction
      FROM acme.truth t WHERE term_months = 1 AND months_begun >= 35 AND status = 'active') x;
-- From the first day on, the walk and the closed form of true_survival are the same curve: 12 months ahead of a contract that has just begun.
SELECT count(*) > 20 AS some, max(abs(t.survival_12 - b.survival / a.survival)) < 1e-7 AS agree
FROM acme.truth t JOIN acme.true_survival a ON a.account_id = t.account_id AND a.month = t.months_begun JOIN acme.true_survival b ON b.account_id = t.account_id AND b.month = t.months_begun + 12
WHERE t.status = 'active' AND t.months_begun <= 84;

-- 8. What happened agrees with it: Kaplan–Meier curves of the contracts, and the outcome a year later.
SELECT t.segment, c.t AS month, c.at_risk, round(c.survival::numeric, 3) AS survival, round(c.lower::numeric, 3) AS lower, round(c.upper::numeric, 3) AS upper, round(v.truth::numeric, 3) AS truth,
       v.truth BETWEEN c.lower AND c.upper AS inside
FROM (SELECT segment, ltv.survival_agg(months, lost) AS s FROM acme.truth_life JOIN acme.truth USING (account_id) WHERE life = 1 GROUP BY segment) t, LATERAL ltv.curve(s, at => '{12,24,36,60}') c,
     LATERAL (SELECT avg(survival) AS truth FROM acme.true_survival x WHERE x.segment = t.segment AND x.month = c.t) v
ORDER BY t.segment, c.t;
SELECT count(*) AS customers, round(sum(survival_12)) AS expected, count(*) FILTER (WHERE stayed) AS observed,
       abs(sum(survival_12) - count(*) FILTER (WHERE stayed)) < 2.58 * sqrt(sum(survival_12 * (1 - survival_12))) AS within_99_percent
FROM (SELECT t.*, NOT EXISTS (SELECT FROM acme.truth_life l WHERE l.contract_id = t.contract_id AND l.end_on <= '2026-06-30') AS stayed FROM acme.truth t WHERE status <> 'lost') x;

-- So does the money: what the months of the next two years brought, read from the rows of actuals, within 3 standard errors of what was expected.
WITH months AS (
    SELECT t.account_id, t.contract_id, j, (start_on + make_interval(months => months_begun + j))::date AS day, gross_margin::float8 AS margin, monthly_cost::float8 AS cost
    FROM acme.truth t, generate_series(1, 24) AS j WHERE status <> 'lost'
), brought AS (
    SELECT m.account_id, m.j, (coalesce(sum(l.mrr) FILTER (WHERE l.state = 'active'), 0)::float8 * m.margin - CASE WHEN count(l.mrr) > 0 THEN m.cost ELSE 0 END) * 1.1 ^ (-(m.day - date '2025-06-30') / 365.0) AS value
    FROM months m LEFT JOIN acme.actuals l ON l.contract_id = m.contract_id AND l.superseded_at IS NULL AND l.valid_from <= m.day AND (l.valid_to IS NULL OR l.valid_to > m.day)
    GROUP BY m.account_id, m.contract_id, m.j, m.margin, m.cost, m.day
), surprise AS (
    SELECT sum(b.value) FILTER (WHERE j <= 12) - max(t.expected_margin_12)::float8 AS in_12, sum(b.value) - max(t.expected_margin_24)::float8 AS in_24
    FROM brought b JOIN acme.truth t USING (account_id) GROUP BY account_id
)
SELECT abs(sum(in_12)) < 3 * stddev(in_12) * sqrt(count(*)) AS margin_12, abs(sum(in_24)) < 3 * stddev(in_24) * sqrt(count(*)) AS margin_24 FROM surprise;

-- 9. A schema that is in use is left alone; arguments that make no sense are refused.
SELECT * FROM ltv.load_demo('acme');
SELECT * FROM ltv.load_demo('public');
SELECT * FROM ltv.load_demo('demo', replace => true);
CREATE TABLE acme.mine (); SELECT * FROM ltv.load_demo('acme', replace => true); DROP TABLE acme.mine;
-- Nor where a function or an operator could be taken for PostgreSQL's own, and be run with the rights of whoever calls.
CREATE SCHEMA trap;
CREATE FUNCTION trap.less(float8, numeric) RETURNS boolean LANGUAGE sql RETURN true;
SELECT * FROM ltv.load_demo('trap');
CREATE OPERATOR trap.< (LEFTARG = float8, RIGHTARG = numeric, FUNCTION = trap.less);
ALTER FUNCTION trap.less SET SCHEMA public;
SELECT * FROM ltv.load_demo('trap');
DROP SCHEMA trap CASCADE; DROP FUNCTION public.less;
CREATE VIEW acme_view AS TABLE acme.truth; SELECT * FROM ltv.load_demo('acme', replace => true); DROP VIEW acme_view;
SELECT * FROM ltv.load_demo(NULL);
SELECT * FROM ltv.load_demo('');
SELECT * FROM ltv.load_demo('pg_acme');
SELECT * FROM ltv.load_demo('a', accounts => 0);
SELECT * FROM ltv.load_demo('a', accounts => 1000001);
SELECT * FROM ltv.load_demo('a', as_of => 'infinity');
-- One customer is a company too; any name that can be quoted is a name; negative seeds are seeds.
SELECT sum(n) > 0 AS made FROM ltv.load_demo('Ac"me''s %s', 1, -7);
DROP SCHEMA "Ac""me's %s" CASCADE;
-- Somebody without rights on the registry can load it, where they may make schemas; and not over somebody else's.
CREATE ROLE regress_demo_analyst;
GRANT CREATE ON DATABASE regress TO regress_demo_analyst;
GRANT USAGE ON SCHEMA ltv TO regress_demo_analyst;
SET ROLE regress_demo_analyst;
SELECT count(*) FROM ltv.load_demo('theirs', 10);
SELECT * FROM ltv.load_demo('acme', replace => true);
RESET ROLE;
DROP SCHEMA theirs CASCADE;
REVOKE ALL ON DATABASE regress FROM regress_demo_analyst;
REVOKE ALL ON SCHEMA ltv FROM regress_demo_analyst;
DROP ROLE regress_demo_analyst;
-- Other companies have the faults that they list and no others: here an add-on was sold after notice had been given.
SELECT count(*) FROM ltv.load_demo('seventh', 150, seed => 7);
SELECT rule, severity, n FROM ltv.check_timeline('seventh.timeline', rates => 'seventh.fx_rate', as_of => '2025-06-30') ORDER BY rule;
SELECT count(*) AS actuals FROM seventh.actuals WHERE end_known_at < known_at;
DROP SCHEMA seventh CASCADE;
-- Twice in one transaction, and undone with it.
BEGIN;
SELECT count(*) FROM ltv.load_demo('one', 5);
SELECT count(*) FROM ltv.load_demo('two', 5);
ROLLBACK;
SELECT to_regnamespace('one'), to_regnamespace('two');
