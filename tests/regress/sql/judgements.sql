-- What all judgements say alike: the importance of what evaluate judges, why there is nothing to judge, and of whom nothing is told.
\set QUIET on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ltv;
SET max_parallel_workers = 0;
CREATE FUNCTION u(i bigint, k bigint) RETURNS double precision LANGUAGE sql IMMUTABLE RETURN (hashint8extended(i * 1009 + k, 5) & 1048575) / 1048576.0 + 1e-7;
CREATE TABLE book AS
SELECT i, 2 * u(i, 1) - 1 AS x, CASE WHEN i % 100 < 3 THEN 'small' WHEN i % 100 < 40 THEN 'north' ELSE 'south' END AS region, entry::float8 AS entry,
       least(t, seen)::float8 AS months, t <= seen AS churned, 1 + i % 3 AS w, date '2022-01-01' + (i % 700)::integer AS began
FROM (SELECT i, CASE WHEN i % 2 = 0 THEN 0 ELSE 6 * u(i, 2) END AS entry, -ln(u(i, 3)) * 20 * exp(-(2 * u(i, 1) - 1)) AS t, 7 + 30 * u(i, 4) AS seen FROM generate_series(1::bigint, 900) AS i) AS everybody
WHERE entry < least(t, seen);
\set QUIET off

-- Late entries: train, evaluate and importance say one figure, by any algorithm.
SELECT a.algorithm, t.metric, t.value IS NOT NULL AS is_told, t.skill > 0 AS better, t.warnings
FROM unnest('{cox,weibull,discrete_time,boosted_hazard}'::text[]) AS a (algorithm),
     LATERAL ltv.train('late ' || a.algorithm, 'book', a.algorithm, 'months', 'churned', entry => 'entry', features => '{x,region}', holdout => '{"by": "i", "fraction": 0.5}', horizon => 12) AS t
ORDER BY a.algorithm, t.metric;
SELECT DISTINCT a.algorithm, abs(e.brier - i.value) < 1e-12 AS is_importances, abs(e.brier - (m ->> 'value')::float8) < 1e-12 AS is_trains, e.n - e.n_unscored = i.n AS all_rows, e.status, i.status AS importance
FROM unnest('{cox,weibull,discrete_time,boosted_hazard}'::text[]) AS a (algorithm), LATERAL ltv.evaluate('late ' || a.algorithm, 'book') AS e, LATERAL ltv.importance('late ' || a.algorithm, 'book', repeats => 1) AS i,
     ltv.model_versions AS v, jsonb_array_elements(v.metrics) AS m
WHERE v.model = 'late ' || a.algorithm AND m ->> 'metric' = 'brier at 12' ORDER BY a.algorithm;
SELECT feature FROM ltv.importance('late cox', 'book') WHERE rank = 1 ORDER BY rank;
-- What the day of a training did not know yet is not judged either: what came later may be anything.
CREATE TABLE weighed AS SELECT * FROM book;
SELECT metric, value IS NOT NULL AS is_told FROM ltv.train('on a day', 'weighed', 'cox', 'months', 'churned', features => '{x,region}', weight => 'w', holdout => '{"by": "i", "fraction": 0.5}', horizon => 12, as_of => '2023-12-01', started_on => 'began') ORDER BY metric;
SELECT DISTINCT abs(e.brier - i.value) < 1e-12 AS is_importances, e.n = i.n AS all_rows FROM ltv.evaluate('on a day', 'weighed') AS e, ltv.importance('on a day', 'weighed', repeats => 1) AS i;
UPDATE weighed SET months = months + 100, churned = true WHERE began + (30.4375 * months)::integer > date '2024-01-15';
SELECT DISTINCT abs(e.brier - i.value) < 1e-12 AS is_importances, e.n = i.n AS all_rows FROM ltv.evaluate('on a day', 'weighed') AS e, ltv.importance('on a day', 'weighed', repeats => 1) AS i;

-- Nothing to judge is told alike.
CREATE TABLE no_rows AS SELECT * FROM book WHERE false;
CREATE TABLE no_outcomes AS SELECT i, x, region, entry, months, NULL::boolean AS churned, w, began FROM book;
CREATE TABLE no_scores AS SELECT i, NULL::float8 AS x, region, entry, months, churned, w, began FROM book;
SELECT metric FROM ltv.train('churn', 'book', 'cox', 'months', 'churned', features => '{x,region}', holdout => '{"by": "i", "fraction": 0.5}', horizon => 12) ORDER BY metric;
SELECT s.source::text, j.said, array_agg(j.judgement ORDER BY j.judgement COLLATE "C") AS judgements
FROM unnest('{no_rows,no_outcomes,no_scores}'::regclass[]) AS s (source), LATERAL (
    SELECT 'evaluate', status FROM ltv.evaluate('churn', s.source) UNION ALL SELECT 'calibration', status FROM ltv.calibration('churn', s.source) UNION ALL SELECT 'lift', status FROM ltv.lift('churn', s.source)
    UNION ALL SELECT 'precision_recall', status FROM ltv.precision_recall('churn', s.source) UNION ALL SELECT 'best_threshold', status FROM ltv.best_threshold('churn', s.source, capacity => 5)
    UNION ALL SELECT 'fairness', status FROM ltv.fairness('churn', s.source, '{region}') WHERE segment = 'all' UNION ALL SELECT 'error_hotspots', status FROM ltv.error_hotspots('churn', s.source)
    UNION ALL SELECT 'predicted_vs_actual', status FROM ltv.predicted_vs_actual('churn', s.source) UNION ALL SELECT DISTINCT 'importance', status FROM ltv.importance('churn', s.source, repeats => 1)
    UNION ALL SELECT 'nothing_to_judge', ltv.nothing_to_judge('churn', s.source)) AS j (judgement, said)
GROUP BY s.source, j.said ORDER BY s.source::text, j.said COLLATE "C";
SELECT ltv.nothing_to_judge('churn', 'book') IS NULL AS something;
SELECT DISTINCT n_test, status FROM ltv.backtest('book', 'began', 'months', 'churned', 12, '2030-01-01', '2030-01-01', features => '{x}') ORDER BY status;
-- Of amounts too.
SELECT metric FROM ltv.train('worth', 'book', 'linear', target => 'months', features => '{x,region}', holdout => '{"by": "i", "fraction": 0.5}') ORDER BY metric;
UPDATE no_outcomes SET months = NULL;
SELECT s.source::text, p.status AS predicted_vs_actual, (SELECT min(status) FROM ltv.importance('worth', s.source, repeats => 1)) AS importance
FROM unnest('{no_rows,no_outcomes,no_scores}'::regclass[]) AS s (source), LATERAL ltv.predicted_vs_actual('worth', s.source) AS p ORDER BY s.source::text;
-- What is undefined stands beside in sample.
CREATE TABLE one_class AS SELECT i, x, region, entry, 30 + months AS months, false AS churned, w, began FROM book;
SELECT metric FROM ltv.train('whole', 'book', 'cox', 'months', 'churned', features => '{x}', horizon => 12) ORDER BY metric;
SELECT status, auc IS NULL AS undefined FROM ltv.evaluate('whole', 'book', ARRAY[12, 0.001, 36.9]) ORDER BY horizon;
SELECT status, auc IS NULL AS undefined FROM ltv.evaluate('whole', 'one_class') ORDER BY horizon;
-- One row is as one row by any algorithm.
SELECT count(*) AS metrics FROM ltv.train('steps', 'book', 'discrete_time', 'months', 'churned', features => '{x}', horizon => 12);
CREATE TABLE one AS SELECT * FROM book WHERE months > 20 ORDER BY i LIMIT 1;
SELECT m.model, e.horizon, e.n, e.status, e.brier IS NULL AS hidden FROM (VALUES ('steps'), ('whole')) AS m (model), LATERAL ltv.evaluate(m.model, 'one', min_rows => 0) AS e ORDER BY m.model;
SELECT m.model, e.horizon, e.n, e.status FROM (VALUES ('steps'), ('whole')) AS m (model), LATERAL ltv.evaluate(m.model, 'one') AS e ORDER BY m.model;

-- A group that is too small is not the whole less the others.
SELECT * FROM ltv.suppressed_groups('{a,b,c,d}', '{5,300,40,50}', 30) ORDER BY segment;
SELECT * FROM ltv.suppressed_groups('{a,b,c,d}', '{5,300,40,28}', 30) ORDER BY segment;
SELECT count(suppression) AS none FROM ltv.suppressed_groups('{a,b}', '{50,30}', 30);
CREATE TABLE told AS
SELECT 'evaluate' AS judgement, segment, n, n_events::float8 AS told, status FROM ltv.evaluate('churn', 'book', by => '{region}', rows => 'all')
UNION ALL SELECT 'fairness', segment, n, n * observed_rate, status FROM ltv.fairness('churn', 'book', '{region}', rows => 'all')
UNION ALL SELECT 'predicted_vs_actual', segment, n, actual_events, status FROM ltv.predicted_vs_actual('churn', 'book', by => '{region}', rows => 'all')
UNION ALL SELECT 'value', segment, n, actual_value, status FROM ltv.predicted_vs_actual('churn', 'book', value => 'w', by => '{region}', rows => 'all')
UNION ALL SELECT 'amount', segment, n, actual_value, status FROM ltv.predicted_vs_actual('worth', 'book', by => '{region}', rows => 'all');
SELECT judgement, segment, n, told IS NOT NULL AS is_told, status FROM told ORDER BY judgement, segment;
-- The subtraction gives two groups together, and they are enough.
SELECT judgement, count(*) FILTER (WHERE told IS NULL) AS hidden, sum(n) FILTER (WHERE told IS NULL) >= 30 AS enough,
       max(told) FILTER (WHERE segment = 'all') - sum(told) FILTER (WHERE segment <> 'all') > 0 AS of_both FROM told GROUP BY judgement ORDER BY judgement;

-- The shuffle is of the values, not of how the session writes them.
CREATE TABLE shuffled AS SELECT feature, permuted_value FROM ltv.importance('whole', 'book', repeats => 1, rows => 'all');
BEGIN;
SET LOCAL extra_float_digits = 0;
SELECT count(*), bool_and(abs(i.permuted_value - s.permuted_value) < 1e-12) AS same FROM ltv.importance('whole', 'book', repeats => 1, rows => 'all') AS i JOIN shuffled AS s USING (feature);
COMMIT;
