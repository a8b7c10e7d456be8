-- The automatic comparison: fits that are not sound, columns of any name, queries with what ends them, NULLs that are learnt of.
SET max_parallel_workers = 0;
\pset null -

-- The text of a query: one SELECT, with what may end it. A comment before it stays on some versions, which is the same query.
SELECT s.place, replace(regexp_replace(ltv.single_query(s.query), '^-- first\n(.*)\n$', '\1'), chr(10), '$') AS query FROM (VALUES (1, 'SELECT 1'), (2, ' SELECT 1 ; '), (3, 'SELECT 1 -- one'), (4, 'SELECT 1; -- one;'), (5, 'VALUES (1);;'), (6, '-- first' || chr(10) || 'TABLE x /* ; */;'),
    (7, 'SELECT '';'' AS a, $$;--$$ AS b, "c;" FROM t;'), (8, 'WITH a AS (SELECT 1) SELECT * FROM a'), (9, NULL)) s (place, query) ORDER BY place;
SELECT ltv.single_query('SELECT 1; SELECT 2');
SELECT ltv.single_query('DELETE FROM accounts');
SELECT ltv.single_query('SELECT 1) t; DROP TABLE accounts; --');
SELECT ltv.single_query(' -- nothing');
SELECT ltv.single_query('SELEC 1');

-- 1200 customers with a number and a plan, some of which are not known.
CREATE TABLE customers AS
WITH u AS (SELECT i, ((i * 0.6180339887498949) % 1)::float8 AS a, ((i * 0.7548776662466927) % 1)::float8 AS b, ((i * 0.5698402909980532) % 1)::float8 AS c, ((i * 0.8191725133961645) % 1)::float8 AS d FROM generate_series(1, 1200) AS i),
l AS (SELECT *, -14 * exp(-1.2 * (b - 0.5) - CASE WHEN c < 0.25 THEN 0.9 ELSE 0 END) * ln(1 - a) AS life, 3 + 30 * d AS watched FROM u)
SELECT i AS customer, date '2021-01-01' + (900 * d)::int AS started_on, greatest(round(least(life, watched)::numeric, 3), 0.01) AS months, life <= watched AS churned,
       CASE WHEN c >= 0.25 THEN round(b::numeric, 4) END AS usage, CASE WHEN c < 0.9 THEN (ARRAY['basic', 'plus', 'pro'])[1 + (i % 3)] END AS plan, i % 2 = 0 AS partner, i % 2 AS ltv_part, i % 5 AS part
FROM l;

-- A query that ends in a semicolon or a comment is the same one; two are refused by what they are.
CREATE TABLE compared AS SELECT * FROM ltv.compare_algorithms('SELECT 0::float8 AS entry, months AS duration, churned AS event, partner FROM public.customers WHERE customer <= 800', 'SELECT 0::float8 AS given, months AS duration, churned AS event, partner FROM public.customers WHERE customer > 800', 6, features => '{partner}');
SELECT algorithm, n_train, n_test, metric, round(value::numeric, 6) AS value, status, nulls FROM compared ORDER BY metric;
SELECT count(*) AS differences FROM (TABLE compared EXCEPT SELECT * FROM ltv.compare_algorithms('SELECT 0::float8 AS entry, months AS duration, churned AS event, partner FROM public.customers WHERE customer <= 800; -- the older ones', 'SELECT 0::float8 AS given, months AS duration, churned AS event, partner
FROM public.customers WHERE customer > 800 -- the younger ones', 6, features => '{partner}')) d;
SELECT * FROM ltv.compare_algorithms('SELECT 0 AS entry, 1 AS duration, true AS event; SELECT 1', 'SELECT 0 AS given, 1 AS duration, true AS event', 6);
SELECT * FROM ltv.compare_algorithms('SELECT 0 AS entry, 1 AS duration, true AS event', 'DELETE FROM public.customers', 6);

-- What is within the comparison has no name that a source could have too.
SELECT algorithm, n_splits, n_test, round(brier::numeric, 6) AS brier, chosen, status, nulls FROM ltv.train_auto('named', 'customers', 'months', 'churned', 6, features => '{ltv_part,part,partner}', algorithms => '{weibull}');
CREATE VIEW plainly_named AS SELECT customer, months, churned, ltv_part AS a, part AS b, partner FROM customers;
SELECT algorithm, n_splits, n_test, round(brier::numeric, 6) AS brier, chosen, status FROM ltv.train_auto('named', 'plainly_named', 'months', 'churned', 6, features => '{a,b,partner}', algorithms => '{weibull}');

-- Nor has what shuffles the features.
CREATE VIEW oddly_named AS SELECT customer, months, churned, ltv_part AS "hash of the row", part AS "weight of the row", partner AS "feature 1", b AS "place of the row", b * 10 + a AS "amount of the row" FROM (SELECT *, part AS b, ltv_part AS a FROM customers) c;
CREATE VIEW evenly_named AS SELECT customer, months, churned, "hash of the row" AS a, "weight of the row" AS b, "feature 1" AS c, "amount of the row" AS d FROM oddly_named;
SELECT max(version) AS version FROM ltv.train('oddly', 'oddly_named', 'exponential', 'months', 'churned', features => ARRAY['hash of the row', 'weight of the row', 'feature 1']);
SELECT max(version) AS version FROM ltv.train('evenly', 'evenly_named', 'exponential', 'months', 'churned', features => '{a,b,c}');
SELECT max(version) AS version FROM ltv.train('odd amounts', 'oddly_named', 'linear', target => 'amount of the row', features => ARRAY['hash of the row', 'place of the row']);
SELECT count(*) AS features, bool_and(a.importance = b.importance AND a.n = b.n) AS same FROM ltv.importance('oddly', 'oddly_named', 6) a JOIN ltv.importance('evenly', 'evenly_named', 6) b ON b.rank = a.rank;
SELECT rank, feature, round(importance::numeric, 4) AS importance FROM ltv.importance('odd amounts', 'oddly_named') ORDER BY rank;

-- NULLs. Left out; filled by what the rows of training have; told of; learnt of by trees, and filled for what cannot.
SELECT p.policy, c.algorithm, c.n_train, c.n_events, c.n_test, round(c.value::numeric, 6) AS brier, c.status, c.nulls
FROM unnest('{drop,impute,indicator,learn}'::text[]) WITH ORDINALITY p (policy, place), LATERAL ltv.compare_algorithms('SELECT 0::float8 AS entry, months AS duration, churned AS event, usage, plan FROM public.customers WHERE customer <= 800',
    'SELECT 0::float8 AS given, months AS duration, churned AS event, usage, plan FROM public.customers WHERE customer > 800', 6, features => '{usage,plan}', algorithms => '{cox,boosted_hazard}', options => '{"boosted_hazard": {"trees": 40, "depth": 2}}', null_policy => p.policy) c
WHERE c.metric = 'brier' ORDER BY p.place, c.algorithm;
-- Each is what train makes of the same rows: the same scores of the others, to the last digits.
CREATE VIEW older AS SELECT * FROM customers WHERE customer <= 800;
CREATE TABLE asked (place int, algorithm text, policy text, options jsonb);
INSERT INTO asked VALUES (1, 'cox', 'impute', '{"penalty": 0.05}'), (2, 'weibull', 'indicator', '{"ancillary": ["usage"]}'), (3, 'boosted_hazard', 'learn', '{"trees": 40, "depth": 2, "monotone": {"usage": 1}}'), (4, 'boosted_hazard', 'indicator', '{"trees": 40, "monotone": {"usage": 1}}'), (5, 'cox', 'drop', '{}');
SELECT count(*) > 0 AS trained FROM asked a, LATERAL ltv.train('with ' || a.place, 'older', a.algorithm, 'months', 'churned', features => '{usage,plan}', options => a.options, null_policy => a.policy);
CREATE TABLE judged AS SELECT a.place, c.* FROM asked a, LATERAL ltv.compare_algorithms('SELECT 0::float8 AS entry, months AS duration, churned AS event, usage, plan FROM public.older',
    'SELECT 0::float8 AS given, months AS duration, churned AS event, usage, plan FROM public.customers WHERE customer > 800', 6, features => '{usage,plan}', algorithms => ARRAY[a.algorithm], options => jsonb_build_object(a.algorithm, a.options), null_policy => a.policy) c WHERE c.metric = 'brier';
SELECT a.place, a.algorithm, a.policy, j.n_test, j.n_test = count(s.said) AS as_many, abs((ltv.brier_score(ltv.survival_calibration_agg(s.said, t.months::float8, t.churned) FILTER (WHERE s.said IS NOT NULL), 6)).brier - min(j.value)) < 1e-12 AS as_trained, j.status
FROM asked a JOIN judged j USING (place), customers t, LATERAL (SELECT ltv.renewal_probability('with ' || a.place, t, 6) AS said) s WHERE t.customer > 800 GROUP BY a.place, a.algorithm, a.policy, j.n_test, j.status ORDER BY a.place;
-- A level that nobody has seen is no NULL: no score, not even from trees.
SELECT c.algorithm, c.n_test, c.status, c.nulls FROM ltv.compare_algorithms('SELECT 0::float8 AS entry, months AS duration, churned AS event, plan FROM public.older',
    'SELECT 0::float8 AS given, months AS duration, churned AS event, CASE WHEN customer > 1190 THEN ''gold'' ELSE plan END AS plan FROM public.customers WHERE customer > 800', 6, features => '{plan}', algorithms => '{weibull,boosted_hazard}', options => '{"boosted_hazard": {"trees": 10}}', null_policy => 'learn') c
WHERE c.metric = 'brier' ORDER BY c.algorithm;
-- What there is no value for cannot be filled; trees do without.
SELECT c.algorithm, c.n_test > 0 AS judged, c.status, c.nulls FROM ltv.compare_algorithms('SELECT 0::float8 AS entry, months AS duration, churned AS event, usage, NULL::float8 AS score FROM public.older',
    'SELECT 0::float8 AS given, months AS duration, churned AS event, usage, 1::float8 AS score FROM public.customers WHERE customer > 800', 6, features => '{usage,score}', algorithms => '{cox,boosted_hazard}', options => '{"boosted_hazard": {"trees": 10}}', null_policy => 'learn') c
WHERE c.metric = 'brier' ORDER BY c.algorithm;
SELECT * FROM ltv.compare_algorithms('SELECT 0 AS entry, 1 AS duration, true AS event', 'SELECT 0 AS given, 1 AS duration, true AS event', 6, null_policy => 'error');

-- Rolling: what fills comes from the rows of training at each cut-off. Other numbers in rows that come later change nothing.
CREATE VIEW later AS SELECT customer, started_on, months, churned, CASE WHEN started_on > '2021-12-01' THEN 1000 ELSE usage END AS usage, plan FROM customers;
CREATE TABLE rolled AS SELECT * FROM ltv.backtest('customers', 'started_on', 'months', 'churned', 6, '2021-10-01', '2021-12-01', '2 months', algorithms => '{cox,boosted_hazard}', features => '{usage,plan}', options => '{"boosted_hazard": {"trees": 20}}', null_policy => 'learn');
SELECT cut_off, algorithm, n_train, n_test, round(value::numeric, 6) AS brier, status, nulls FROM rolled WHERE metric = 'brier' ORDER BY cut_off, algorithm;
SELECT count(*) AS differences FROM (TABLE rolled EXCEPT SELECT * FROM ltv.backtest('later', 'started_on', 'months', 'churned', 6, '2021-10-01', '2021-12-01', '2 months', algorithms => '{cox,boosted_hazard}', features => '{usage,plan}', options => '{"boosted_hazard": {"trees": 20}}', null_policy => 'learn')) d;
CREATE FUNCTION known_on(as_of date) RETURNS TABLE (customer int, duration float8, event boolean, usage numeric) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.customer, least(c.months::float8, (as_of - c.started_on) / 30.4375::float8), c.churned AND c.months <= (as_of - c.started_on) / 30.4375, c.usage FROM customers c WHERE c.started_on <= as_of;
END;
SELECT cut_off, algorithm, n_train, n_test, status, nulls FROM ltv.backtest('known_on(date)'::regprocedure, 'customer', 6, '2021-12-01', '2021-12-01', algorithms => '{cox,boosted_hazard}', features => '{usage}', options => '{"boosted_hazard": {"trees": 20}}', null_policy => 'learn') WHERE metric = 'brier' ORDER BY algorithm;
-- The winner is trained with what it was compared with.
SELECT algorithm, n_splits, n_test, round(brier::numeric, 4) AS brier, chosen, version, status, nulls FROM ltv.train_auto('learnt', 'customers', 'months', 'churned', 6, features => '{usage,plan}', algorithms => '{cox,boosted_hazard}', options => '{"boosted_hazard": {"trees": 60, "depth": 2}}', null_policy => 'learn');
SELECT algorithm, n_rows, n_dropped, spec ->> 'null_policy' AS null_policy, note FROM ltv.model_versions WHERE model = 'learnt' ORDER BY version;
-- What differs from part to part in its number alone is said once, with the least and the greatest.
SELECT algorithm, chosen, status, nulls FROM ltv.train_auto('learnt', 'customers', 'months', 'churned', 6, features => '{usage,plan}', algorithms => '{cox,sbg}', null_policy => 'learn');
SELECT algorithm, n_rows, n_dropped, spec ->> 'null_policy' AS null_policy FROM ltv.model_versions WHERE model = 'learnt' ORDER BY version DESC LIMIT 1;
SELECT * FROM ltv.train_auto('learnt', 'customers', 'months', 'churned', 6, null_policy => 'error');
-- What is filled are features: an outcome that is NULL is told before anything is compared, as train tells it, and left out by drop.
CREATE VIEW still_running AS SELECT customer, CASE WHEN churned OR customer % 3 > 0 THEN months END AS months, CASE WHEN customer % 100 > 0 THEN churned END AS churned, usage FROM customers;
SELECT * FROM ltv.train_auto('running', 'still_running', 'months', 'churned', 6, features => '{usage}', algorithms => '{cox}', null_policy => 'impute');
SELECT * FROM ltv.train_auto('running', 'still_running', 'months', 'churned', 6, features => '{usage}', null_policy => 'indicator');
SELECT algorithm, nulls FROM ltv.train_auto('running', 'still_running', 'months', 'churned', 6, features => '{usage}', algorithms => '{cox}') WHERE chosen;
SELECT n_rows = (SELECT count(*) FROM still_running WHERE num_nulls(months, churned, usage) = 0) AS the_complete FROM ltv.model_versions WHERE model = 'running' ORDER BY version;
SELECT algorithm, chosen, nulls FROM ltv.train_auto('running', 'still_running', 'months', 'churned', 6, algorithms => '{sbg}', null_policy => 'impute') WHERE chosen ORDER BY algorithm;

-- What is not sound is not chosen. Nobody of those with the sign ever leaves: the coefficients of a Cox regression run away, and it still predicts best.
CREATE VIEW signed AS SELECT customer, started_on, months, churned AND customer % 4 > 0 AS churned, customer % 4 = 0 AS sign, usage FROM customers WHERE usage IS NOT NULL;
SELECT algorithm, n_splits, round(brier::numeric, 4) AS brier, chosen, version, status FROM ltv.train_auto('sound', 'signed', 'months', 'churned', 6, features => '{sign,usage}', algorithms => '{cox,boosted_hazard}', options => '{"boosted_hazard": {"trees": 20}}');
SELECT brier.cox < brier.trees AS it_would_have_won FROM (SELECT min(b.value) FILTER (WHERE b.algorithm = 'cox') AS cox, min(b.value) FILTER (WHERE b.algorithm <> 'cox') AS trees
    FROM ltv.backtest('signed', 'started_on', 'months', 'churned', 6, '2022-06-01', '2022-06-01', algorithms => '{cox,boosted_hazard}', features => '{sign,usage}', options => '{"boosted_hazard": {"trees": 20}}') b WHERE b.metric = 'brier') brier;
-- With a penalty it is sound. Where none is, the best is taken, and that is said.
SELECT algorithm, chosen, status FROM ltv.train_auto('sound', 'signed', 'months', 'churned', 6, features => '{sign,usage}', algorithms => '{cox,boosted_hazard}', options => '{"boosted_hazard": {"trees": 20}, "cox": {"penalty": 0.01}}');
SELECT algorithm, chosen, status FROM ltv.train_auto('unsound', 'signed', 'months', 'churned', 6, features => '{sign,usage}', algorithms => '{cox,exponential}');
-- All that was said at any cut-off is told: those with the first sign leave from 2024 on only, those with the second never.
CREATE VIEW two_signs AS SELECT customer, started_on, months, churned AND customer % 7 > 0 AND (customer % 4 > 0 OR started_on + (months * 30.4375)::int >= date '2024-01-01') AS churned, customer % 4 = 0 AS first, customer % 7 = 0 AS second FROM customers;
SELECT algorithm, n_splits, chosen, status FROM ltv.train_auto('signs', 'two_signs', 'months', 'churned', 6, features => '{first,second}', started => 'started_on', cut_offs => 3, step => '1 year', algorithms => '{cox,rule}', options => '{"rule": {"monthly_churn": 0.05}}', min_events => 0);
-- Sound at the cut-offs, but not on all rows: it is passed over then, and the note says so. Only those of the last days have the sign.
CREATE VIEW lately AS SELECT customer, started_on, months, churned, usage, 0 AS sign FROM customers WHERE usage IS NOT NULL
UNION ALL SELECT 5000 + i, date '2026-01-20', 1, false, 0.5 + i / 1000.0, 1 FROM generate_series(1, 80) AS i;
SELECT algorithm, n_splits, round(brier::numeric, 4) AS brier, chosen, version, status FROM ltv.train_auto('lately', 'lately', 'months', 'churned', 6, features => '{usage,sign}', started => 'started_on', cut_offs => 2, algorithms => '{cox,rule}', options => '{"rule": {"monthly_churn": 0.5}}');
SELECT version, algorithm, note FROM ltv.model_versions WHERE model = 'lately' ORDER BY version;
SELECT algorithm, chosen, version, status FROM ltv.train_auto('lately', 'lately', 'months', 'churned', 6, features => '{usage,sign}', started => 'started_on', cut_offs => 2, algorithms => '{cox,exponential}');
-- Of distributions best takes none whose likelihood runs away, whatever its AIC: all leave after five months.
SELECT d.distribution, round(d.criterion::numeric, 1) AS aic, d.status, d.place = 1 AS taken FROM (SELECT ltv.design_agg(5::float8, true, '{}'::float8[]) AS d FROM generate_series(1, 40) AS i) s, LATERAL ltv.fit_candidates(s.d, '{weibull,lognormal,exponential}', 'aic') WITH ORDINALITY AS d (distribution, m, criterion, status, place) ORDER BY d.place;
-- Nor, where all are separated, one that did not even get that far.
SELECT d.distribution, d.status, d.place = 1 AS taken FROM (SELECT ltv.design_agg(i::float8, i = 40, ARRAY[(i < 30)::int::float8]) AS d FROM generate_series(1, 40) AS i) s, LATERAL ltv.fit_candidates(s.d, '{weibull,exponential}', 'aic') WITH ORDINALITY AS d (distribution, m, criterion, status, place) ORDER BY d.place;

-- How many levels a feature has.
SELECT f.statement FROM ltv.fit_statement('weibull', '{"ancillary": ["plan"]}', ARRAY['usage', 'plan'], ARRAY[NULL, 3]) f;
SELECT ltv.fit_statement('weibull', '{}', ARRAY['plan'], ARRAY[-1]);
SELECT ltv.fit_statement('weibull', '{}', ARRAY['plan'], ARRAY[0]);
SELECT ltv.fit_statement('weibull', '{}', ARRAY['plan'], ARRAY[1000000]);
SELECT ltv.fit_statement('weibull', '{}', ARRAY['plan'], ARRAY[3, NULL]);

-- All are judged by the same rows: those that lack a feature have no score, though trees and rules could give one.
CREATE TABLE half AS SELECT i AS id, CASE WHEN i % 2 = 0 THEN ((i * 7919) % 101) / 101.0 END::float8 AS x, ((i * 31) % 7)::float8 AS y,
       CASE WHEN i % 2 = 0 THEN greatest(1, -14 * exp(-1.2 * ((i * 7919) % 101) / 101.0) * ln(((i * 104729) % 997 + 0.5) / 997.0)) ELSE 1 + (i * 31) % 5 END::float8 AS months, true AS gone FROM generate_series(1, 1000) AS i;
SELECT algorithm, n_test, round(brier::numeric, 6) AS brier, chosen, status FROM ltv.train_auto('same rows', 'half', 'months', 'gone', 12, features => '{x}', algorithms => '{cox,boosted_hazard}', options => '{"boosted_hazard": {"trees": 3}}') ORDER BY algorithm;
SELECT algorithm, n_test, round(value::numeric, 6) AS brier, status FROM ltv.compare_algorithms('SELECT 0 AS entry, months AS duration, gone AS event, x, y FROM public.half WHERE id <= 600', 'SELECT 0 AS given, months AS duration, gone AS event, x, y FROM public.half WHERE id > 600', 6,
    '{weibull,rule}', '{x,y}', '{"rule": {"monthly_churn": 0.1}}') WHERE metric = 'brier' ORDER BY algorithm;
SELECT * FROM ltv.train_auto('twice', 'half', 'months', 'gone', 12, features => '{x,x}', algorithms => '{cox}');
SELECT * FROM ltv.compare_algorithms('SELECT 0 AS entry, months AS duration, gone AS event, y, CASE WHEN id = 8 THEN ''NaN'' ELSE x END AS x FROM public.half', 'SELECT 0 AS given, months AS duration, gone AS event, x, y FROM public.half', 6, '{cox}', '{y,x}');
SELECT * FROM ltv.compare_algorithms('SELECT 0 AS entry, CASE WHEN id = 8 THEN ''Infinity'' ELSE months END AS duration, gone AS event, x FROM public.half', 'SELECT 0 AS given, months AS duration, gone AS event, x FROM public.half', 6, '{cox}', '{x}');

-- Rows that are held out for the metrics have no part in the comparison, whatever they are held out by.
SELECT h.holdout, ltv.holdout_condition('customers', h.holdout::jsonb, 7) AS condition FROM unnest(ARRAY['{"by": "partner"}', '{"by": "started_on", "from": "2023-01-01"}', '{"by": "started_on", "last": "6 months"}', '{"by": "customer", "fraction": 0.25}', NULL]) AS h (holdout) ORDER BY 1;
SELECT ltv.holdout_condition('customers', '{"by": "plan"}');
SELECT ltv.holdout_condition('customers', '{"by": "region", "fraction": 0.2}');
SELECT ltv.holdout_condition('customers', '{"by": "customer", "fraction": 2}');
CREATE VIEW others AS SELECT * FROM customers WHERE NOT coalesce(partner, false);
CREATE VIEW earlier AS SELECT * FROM customers WHERE started_on <= (SELECT max(started_on) - interval '6 months' FROM customers);
CREATE TABLE board AS
SELECT 'by parts' AS compared, n.source, a.algorithm, a.n_splits, a.n_test, a.brier, a.log_loss, a.concordance, a.chosen FROM (VALUES ('customers', '{"by": "partner"}'::jsonb), ('others', NULL)) AS n (source, holdout),
    LATERAL ltv.train_auto('held out ' || n.source, n.source::regclass, 'months', 'churned', 6, features => '{usage,plan}', algorithms => '{cox,weibull}', holdout => n.holdout) AS a
UNION ALL
SELECT 'by cut-offs', n.source, a.algorithm, a.n_splits, a.n_test, a.brier, a.log_loss, a.concordance, a.chosen FROM (VALUES ('customers', '{"by": "started_on", "last": "6 months"}'::jsonb), ('earlier', NULL)) AS n (source, holdout),
    LATERAL ltv.train_auto('held out of ' || n.source, n.source::regclass, 'months', 'churned', 6, features => '{usage,plan}', started => 'started_on', cut_offs => 2, algorithms => '{cox,weibull}', holdout => n.holdout) AS a;
SELECT compared, algorithm, n_test, round(brier::numeric, 6) AS brier, chosen, count(*) AS times FROM board GROUP BY compared, algorithm, n_splits, n_test, brier, log_loss, concordance, chosen ORDER BY 1, 2;
SELECT v.n_holdout, (SELECT count(*) FROM customers WHERE partner AND num_nulls(usage, plan) = 0) AS partners FROM ltv.model_versions v WHERE v.model = 'held out customers' ORDER BY 1;
SELECT ltv.holdout_condition('customers', '{"by": "started_on", "last": "1000000 years"}');
