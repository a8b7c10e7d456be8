-- Whose censoring weighs whom, in every function that judges a registered model: all outcomes are known here, so what is to be found is too.
\set ECHO none
-- Customers of a high risk (plan) are lost sight of early, and those of the north earlier than those of the south, which the model does not know.
CREATE TABLE drawn AS
SELECT i, plan, region, -ln(i * 0.6180339887498949 % 1.0::numeric)::float8 / (0.05 * exp(0.8 * plan)) AS lived,
       -ln(i * 0.7548776662466927 % 1.0::numeric)::float8 / (0.05 * exp(1.2 * plan + CASE region WHEN 'north' THEN 0.6 ELSE -0.6 END)) AS seen, i % 2 AS half, 20 + i % 7 * 10 AS arr
FROM generate_series(1, 8000) AS i, LATERAL (SELECT i % 3 - 1 AS plan, CASE WHEN i / 6 % 2 = 0 THEN 'north' ELSE 'south' END AS region) AS p;
CREATE TABLE learnt AS SELECT i, plan, lived AS months, true AS churned FROM drawn WHERE half = 0;
CREATE TABLE judged AS SELECT plan, region, arr, least(lived, seen) AS months, lived <= seen AS churned FROM drawn WHERE half = 1;
CREATE TABLE truth AS SELECT plan, region, arr, lived AS months, true AS churned FROM drawn WHERE half = 1;
CREATE FUNCTION r(double precision) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN round($1::numeric, 4);
ANALYZE;
\set ECHO all
SELECT count(*) FROM ltv.train('risk', 'learnt', 'cox', 'months', 'churned', features => '{plan}', horizon => 10);

-- Each number beside that of the outcomes which nobody saw: one curve for all takes too few of the high risks for too many.
SELECT t.segment, t.n, r(t.actual_retention) AS truly, r(m.actual_retention) AS marginal, r(g.actual_retention) AS grouped, r(c.actual_retention) AS by_plan,
       r(t.actual_value) AS true_value, r(m.actual_value) AS marginal, r(g.actual_value) AS grouped, r(t.rmse) AS true_rmse, r(m.rmse) AS marginal, r(g.rmse) AS grouped
FROM ltv.predicted_vs_actual('risk', 'truth', value => 'arr', by => '{region}') AS t JOIN ltv.predicted_vs_actual('risk', 'judged', value => 'arr', by => '{region}') AS m USING (segment)
JOIN ltv.predicted_vs_actual('risk', 'judged', value => 'arr', by => '{region}', censoring => 'grouped') AS g USING (segment)
JOIN ltv.predicted_vs_actual('risk', 'judged', value => 'arr', by => '{region}', censoring => 'grouped', censoring_by => '{plan}') AS c USING (segment) ORDER BY segment;
SELECT t.segment, t.n, r(t.observed_rate) AS truly, r(m.observed_rate) AS marginal, r(g.observed_rate) AS grouped, r(t.brier) AS true_brier, r(m.brier) AS marginal, r(g.brier) AS grouped,
       r(t.true_positive_rate) AS true_tpr, r(m.true_positive_rate) AS marginal, r(g.true_positive_rate) AS grouped, r(t.false_positive_rate) AS true_fpr, r(m.false_positive_rate) AS marginal, r(g.false_positive_rate) AS grouped
FROM ltv.fairness('risk', 'truth', '{region}') AS t JOIN ltv.fairness('risk', 'judged', '{region}') AS m USING (segment) JOIN ltv.fairness('risk', 'judged', '{region}', censoring => 'grouped') AS g USING (segment) ORDER BY segment;
SELECT t.bucket, t.n, r(t.observed_rate) AS truly, r(m.observed_rate) AS marginal, r(g.observed_rate) AS grouped, r(t.lift) AS true_lift, r(m.lift) AS marginal, r(g.lift) AS grouped, r(t.value_lost) AS true_value_lost, r(m.value_lost) AS marginal, r(g.value_lost) AS grouped
FROM ltv.lift('risk', 'truth', value => 'arr', buckets => 3) AS t JOIN ltv.lift('risk', 'judged', value => 'arr', buckets => 3) AS m USING (bucket) JOIN ltv.lift('risk', 'judged', value => 'arr', buckets => 3, censoring => 'grouped') AS g USING (bucket) ORDER BY bucket;
SELECT t.feature, t.cell, t.n, r(t.gap) AS true_gap, r(m.gap) AS marginal, r(g.gap) AS grouped, r(m.z) AS marginal_z, r(g.z) AS grouped_z
FROM ltv.error_hotspots('risk', 'truth', features => '{region,plan}') AS t JOIN ltv.error_hotspots('risk', 'judged', features => '{region,plan}') AS m USING (feature, cell)
JOIN ltv.error_hotspots('risk', 'judged', features => '{region,plan}', censoring => 'grouped') AS g USING (feature, cell) ORDER BY feature, cell;
-- In bins of like predictions one curve for each is what groups are.
SELECT t.bin, t.n, r(t.predicted_rate) AS predicted, r(t.observed_rate) AS truly, r(c.observed_rate) AS observed FROM ltv.calibration('risk', 'truth') AS t JOIN ltv.calibration('risk', 'judged') AS c USING (bin) ORDER BY bin;
SELECT r(t.observed_rate) AS truly, r(m.observed_rate) AS marginal, r(g.observed_rate) AS grouped, r(c.observed_rate) AS by_columns, r(t.ece) AS true_ece, r(m.ece) AS ece, r(c.ece) AS by_columns, r(t.observed_to_expected) AS true_oe, r(m.observed_to_expected) AS marginal, r(g.observed_to_expected) AS grouped
FROM ltv.evaluate('risk', 'truth') AS t, ltv.evaluate('risk', 'judged') AS m, ltv.evaluate('risk', 'judged', censoring => 'grouped') AS g, ltv.evaluate('risk', 'judged', censoring => 'grouped', censoring_by => '{plan,region}') AS c;
SELECT r(t.recall) AS true_recall, r(m.recall) AS marginal, r(g.recall) AS grouped, r(t."precision") AS true_precision, r(m."precision") AS marginal, r(g."precision") AS grouped
FROM ltv.precision_recall('risk', 'truth', at => '{0.3}') AS t, ltv.precision_recall('risk', 'judged', at => '{0.3}') AS m, ltv.precision_recall('risk', 'judged', at => '{0.3}', censoring => 'grouped') AS g;
SELECT r(t.profit) AS true_profit, r(m.profit) AS marginal, r(g.profit) AS grouped FROM ltv.best_threshold('risk', 'truth', benefit => 50, cost => 20) AS t, ltv.best_threshold('risk', 'judged', benefit => 50, cost => 20) AS m, ltv.best_threshold('risk', 'judged', benefit => 50, cost => 20, censoring => 'grouped') AS g;

-- They agree with one another. Of all together fairness makes what its groups do: censoring grouped by them.
SELECT c.censoring, abs(p.actual_retention - (1 - e.observed_rate)) < 1e-12 AS retention, abs(p.rmse ^ 2 - e.brier) < 1e-12 AS brier, abs(p.predicted_retention - (1 - e.predicted_rate)) < 1e-12 AS predicted, p.lower < p.actual_retention AND p.actual_retention < p.upper AS within
FROM unnest('{marginal,grouped}'::text[]) AS c (censoring), LATERAL ltv.predicted_vs_actual('risk', 'judged', censoring => c.censoring) AS p, LATERAL ltv.evaluate('risk', 'judged', censoring => c.censoring) AS e ORDER BY c.censoring;
SELECT bool_and(abs(p.actual_retention - (1 - e.observed_rate)) < 1e-12 AND abs(p.rmse ^ 2 - e.brier) < 1e-12) AS same, count(*)
FROM ltv.predicted_vs_actual('risk', 'judged', by => '{plan}', censoring => 'grouped', censoring_by => '{region}') AS p JOIN ltv.evaluate('risk', 'judged', by => '{plan}', censoring => 'grouped', censoring_by => '{region}') AS e USING (segment);
SELECT f.segment, abs(f.observed_rate - e.observed_rate) < 1e-12 AND abs(f.brier - e.brier) < 1e-12 AND abs(f.auc - e.auc) < 1e-12 AND abs(f.observed_to_expected - e.observed_to_expected) < 1e-12 AS as_evaluate
FROM ltv.fairness('risk', 'judged', '{region}', censoring => 'grouped') AS f JOIN ltv.evaluate('risk', 'judged', by => '{region}', censoring => 'grouped') AS e USING (segment) WHERE segment <> 'all' ORDER BY segment;
SELECT abs(f.observed_rate - g.rate) < 1e-12 AND abs(f.brier - g.brier) < 1e-12 AS what_the_groups_make, f.observed_rate BETWEEN g.least AND g.most AS between, m.observed_rate BETWEEN h.least AND h.most AS marginal_between
FROM ltv.fairness('risk', 'judged', '{plan}', censoring => 'grouped') AS f, ltv.fairness('risk', 'judged', '{plan}') AS m,
     (SELECT sum(n * observed_rate) / sum(n) AS rate, sum(n * brier) / sum(n) AS brier, min(observed_rate) AS least, max(observed_rate) AS most FROM ltv.fairness('risk', 'judged', '{plan}', censoring => 'grouped') WHERE segment <> 'all') AS g,
     (SELECT min(observed_rate) AS least, max(observed_rate) AS most FROM ltv.fairness('risk', 'judged', '{plan}') WHERE segment <> 'all') AS h WHERE f.segment = 'all' AND m.segment = 'all';
SELECT abs(f.observed_rate - e.observed_rate) < 1e-12 AND abs(f.brier - e.brier) < 1e-12 AND abs(f.auc - e.auc) < 1e-12 AS as_evaluate_by_the_groups
FROM ltv.fairness('risk', 'judged', '{plan,region}', censoring => 'grouped', censoring_by => '{region}') AS f, ltv.evaluate('risk', 'judged', censoring => 'grouped', censoring_by => '{plan,region}') AS e WHERE f.segment = 'all';
SELECT abs(f."precision" - p."precision") < 1e-12 AND abs(f.true_positive_rate - p.recall) < 1e-12 AND abs(f.false_positive_rate - p.false_positive_rate) < 1e-12 AS as_precision_recall, f.segment
FROM ltv.fairness('risk', 'judged', '{region}', threshold => 0.3, censoring => 'grouped') AS f JOIN ltv.precision_recall('risk', 'judged', at => '{0.3}', by => '{region}', censoring => 'grouped') AS p USING (segment) ORDER BY segment;
-- A group too small for curves of its own, here of one row that was lost sight of, counts by those of all rows: all together is told, and the others are what they were.
CREATE VIEW with_one AS SELECT * FROM judged UNION ALL SELECT 0, 'west', 20, 0.5, false;
SELECT f.segment, f.n, f.status, abs(f.observed_rate - j.observed_rate) < CASE f.segment WHEN 'all' THEN 1e-3 ELSE 1e-12 END AS as_without, abs(f.brier - j.brier) < CASE f.segment WHEN 'all' THEN 1e-3 ELSE 1e-12 END AS brier
FROM ltv.fairness('risk', 'with_one', '{region}', censoring => 'grouped') AS f LEFT JOIN ltv.fairness('risk', 'judged', '{region}', censoring => 'grouped') AS j USING (segment) ORDER BY f.segment;
-- Strata that are too small are one. Where nobody of that one is seen until the horizon, what is weighed is not known, and the status says why; a group without such rows is told.
CREATE VIEW pools AS SELECT plan, region, arr, 'large' AS stratum, months, churned FROM judged UNION ALL SELECT 0, 'north', 50, 'small ' || i % 3, 1 + i / 2.0, i % 4 = 1 FROM generate_series(1, 12) AS i;
SELECT t.* FROM (SELECT 1 AS place, 'evaluate' AS told, segment, n, r(observed_rate) AS observed, r(brier) AS weighed, status FROM ltv.evaluate('risk', 'pools', by => '{region}', censoring => 'grouped', censoring_by => '{stratum}')
    UNION ALL SELECT 2, 'fairness', segment, n, r(observed_rate), r(brier), status FROM ltv.fairness('risk', 'pools', '{region}', censoring => 'grouped', censoring_by => '{stratum}')
    UNION ALL SELECT 3, 'predicted_vs_actual', segment, n, r(1 - actual_retention), r(rmse), status FROM ltv.predicted_vs_actual('risk', 'pools', by => '{region}', censoring => 'grouped', censoring_by => '{stratum}')
    UNION ALL SELECT 4, 'lift', segment || ' ' || bucket, n, r(observed_rate), r(lift), status FROM ltv.lift('risk', 'pools', buckets => 3, by => '{region}', censoring => 'grouped', censoring_by => '{stratum}')) AS t ORDER BY place, segment;
SELECT bool_and(value_lost IS NULL) = (segment = 'north') AS no_money_without, segment FROM ltv.lift('risk', 'pools', value => 'arr', buckets => 1, by => '{region}', censoring => 'grouped', censoring_by => '{stratum}') GROUP BY segment ORDER BY segment;
SELECT cell FROM ltv.error_hotspots('risk', 'pools', features => '{region}', censoring => 'grouped', censoring_by => '{stratum}') ORDER BY rank;
-- Where all groups are too small it is evaluate's.
SELECT f.segment, f.status, abs(f.observed_rate - e.observed_rate) < 1e-12 AND abs(f.brier - e.brier) < 1e-12 AS as_evaluate
FROM ltv.fairness('risk', 'judged', '{region}', min_rows => 3000, censoring => 'grouped') AS f CROSS JOIN ltv.evaluate('risk', 'judged', censoring => 'grouped') AS e ORDER BY f.segment;
-- By hand: within each plan the Kaplan-Meier curve, and the mean of them; Greenwood's variances add up.
SELECT abs(p.actual_retention - h.rate) < 1e-12 AS mean_of_curves, abs(p.actual_value - h.kept) < 1e-6 AS of_money, abs(ln(-ln(p.lower)) - ln(-ln(h.rate)) - 1.959963984540054 * h.error / abs(h.rate * ln(h.rate))) < 1e-9 AS log_log
FROM ltv.predicted_vs_actual('risk', 'judged', value => 'arr', censoring => 'grouped', censoring_by => '{plan}') AS p,
     (SELECT sum(n * s.survival) / sum(n) AS rate, sqrt(sum((n * s.std_error) ^ 2)) / sum(n) AS error, sum(value * ltv.survival_at(worth, 10)) AS kept
      FROM (SELECT count(*) AS n, sum(arr) AS value, ltv.survival_agg(months, churned) AS curve, ltv.survival_agg(months, churned, arr) AS worth FROM judged GROUP BY plan) AS q, LATERAL ltv.survival_interval(curve, 10) AS s) AS h;
-- Without censoring all of it is counting.
SELECT bool_and(abs(m.observed_rate - g.observed_rate) < 1e-12 AND abs(m.brier - g.brier) < 1e-12 AND abs(m."precision" - g."precision") < 1e-12 AND abs(m.true_positive_rate - g.true_positive_rate) < 1e-12) AS the_same FROM ltv.fairness('risk', 'truth', '{region}') AS m JOIN ltv.fairness('risk', 'truth', '{region}', censoring => 'grouped') AS g USING (segment);
SELECT bool_and(abs(m.observed_rate - g.observed_rate) < 1e-12 AND abs(m.lift - g.lift) < 1e-12 AND abs(m.value_lost - g.value_lost) < 1e-6) AS the_same FROM ltv.lift('risk', 'truth', value => 'arr', buckets => 3) AS m JOIN ltv.lift('risk', 'truth', value => 'arr', buckets => 3, censoring => 'grouped', censoring_by => '{region}') AS g USING (bucket);
-- The order of the rows says nothing.
CREATE TABLE turned AS SELECT * FROM judged ORDER BY md5(months::text);
SELECT abs(a.actual_value - b.actual_value) < 1e-6 AND abs(a.rmse - b.rmse) < 1e-10 AND abs(a.lower - b.lower) < 1e-12 AS retention FROM ltv.predicted_vs_actual('risk', 'judged', value => 'arr', censoring => 'grouped') AS a, ltv.predicted_vs_actual('risk', 'turned', value => 'arr', censoring => 'grouped') AS b;
SELECT bool_and(abs(a.observed_rate - b.observed_rate) < 1e-12 AND abs(a.auc - b.auc) < 1e-12 AND abs(a."precision" - b."precision") < 1e-12) AS fairness FROM ltv.fairness('risk', 'judged', '{region}', censoring => 'grouped') AS a JOIN ltv.fairness('risk', 'turned', '{region}', censoring => 'grouped') AS b USING (segment);
-- A weight is so many rows.
CREATE TABLE weighed AS SELECT j.*, 1 + (arr / 10)::int % 3 AS counts FROM judged j;
CREATE TABLE repeated AS SELECT w.plan, w.region, w.arr, w.months, w.churned, 1 AS counts FROM weighed w, generate_series(1, counts);
CREATE TABLE learnt_weighed AS SELECT plan, months, churned, 1 AS counts FROM learnt;
SELECT count(*) FROM ltv.train('counted', 'learnt_weighed', 'cox', 'months', 'churned', weight => 'counts', features => '{plan}', horizon => 10);
SELECT abs(a.actual_retention - b.actual_retention) < 1e-12 AND abs(a.actual_value - b.actual_value) < 1e-5 AND abs(a.mae - b.mae) < 1e-9 AND abs(a.lower - b.lower) < 1e-12 AS retention FROM ltv.predicted_vs_actual('counted', 'weighed', value => 'arr', censoring => 'grouped') AS a, ltv.predicted_vs_actual('counted', 'repeated', value => 'arr', censoring => 'grouped') AS b;
SELECT bool_and(abs(a.observed_rate - b.observed_rate) < 1e-12 AND abs(a.brier - b.brier) < 1e-12 AND abs(a.true_positive_rate - b.true_positive_rate) < 1e-12) AS fairness FROM ltv.fairness('counted', 'weighed', '{region}', censoring => 'grouped') AS a JOIN ltv.fairness('counted', 'repeated', '{region}', censoring => 'grouped') AS b USING (segment);
SELECT bool_and(abs(a.observed_rate - b.observed_rate) < 1e-12 AND abs(a.value_lost - b.value_lost) < 1e-5) AS lift FROM ltv.lift('counted', 'weighed', value => 'arr', buckets => 3, censoring => 'grouped') AS a JOIN ltv.lift('counted', 'repeated', value => 'arr', buckets => 3, censoring => 'grouped') AS b USING (bucket);
SELECT abs(a.ece - b.ece) < 1e-12 AND abs(a.brier - b.brier) < 1e-12 AS evaluate FROM ltv.evaluate('counted', 'weighed', censoring => 'grouped') AS a, ltv.evaluate('counted', 'repeated', censoring => 'grouped') AS b;

-- What train says of its holdout is what evaluate says; the version tells whose censoring it was.
CREATE TABLE book AS SELECT plan, region, months, churned, i % 3 = 0 AS held_out FROM (SELECT j.*, row_number() OVER (ORDER BY months, plan) AS i FROM judged j) AS q;
CREATE TABLE trained AS
SELECT c.censoring, t.* FROM unnest('{marginal,grouped}'::text[]) AS c (censoring), LATERAL ltv.train('book ' || c.censoring, 'book', 'cox', 'months', 'churned', features => '{plan}', holdout => '{"by": "held_out"}', horizon => 10, censoring => c.censoring) AS t;
SELECT t.censoring, t.metric, r(t.value) AS value, r(t.baseline_value) AS baseline, abs(t.value - e.brier) < 1e-12 AS as_evaluate
FROM trained AS t, LATERAL ltv.evaluate('book ' || t.censoring, 'book', censoring => t.censoring) AS e WHERE t.metric LIKE 'brier%' ORDER BY t.censoring;
SELECT model, spec ->> 'censoring' AS censoring FROM ltv.model_versions WHERE model LIKE 'book%' ORDER BY model;
-- The baseline, one prediction for all, is weighed by the groups of the model.
SELECT abs((m ->> 'baseline_value')::float8 - b.brier) < 1e-12 AS by_hand
FROM ltv.model_versions v, jsonb_array_elements(v.metrics) m, (SELECT ltv.survival_at(ltv.survival_agg(months, churned), 10) AS s FROM book WHERE NOT held_out) AS k,
     LATERAL (SELECT sum(u.known * (k.s - (u.months > 10)::int) ^ 2) / sum(u.known) AS brier
              FROM (SELECT array_agg(months) AS months, array_agg(churned) AS churned FROM book WHERE held_out GROUP BY plan) AS a, unnest(a.months, ltv.inverse_censoring_weights(a.months, a.churned, 10)) AS u (months, known)) AS b
WHERE v.model = 'book grouped' AND m ->> 'metric' LIKE 'brier%';
SELECT algorithm, chosen FROM ltv.train_auto('auto', 'book', 'months', 'churned', 10, features => '{plan}', algorithms => '{cox}', censoring => 'grouped', holdout => '{"by": "held_out"}') ORDER BY 1;
SELECT spec ->> 'censoring' AS censoring, abs((m ->> 'value')::float8 - e.brier) < 1e-12 AS as_evaluate FROM ltv.model_versions v, jsonb_array_elements(v.metrics) m, ltv.evaluate('auto', 'book', censoring => 'grouped') e WHERE v.model = 'auto' AND m ->> 'metric' LIKE 'brier%';

-- The groups themselves.
SELECT ltv.censoring_groups('{0.2,0.9,0.2}', '{1,2,3}', '{t,f,t}', 2) AS too_few_events;
SELECT u.likeness, count(*), min(u.p), max(u.p) FROM (SELECT array_agg(p) AS p, ltv.censoring_groups(array_agg(p), array_agg(t), array_agg(i % 2 = 0), 60) AS likenesses FROM generate_series(1, 120) AS i, LATERAL (SELECT i % 10 / 10.0::float8 AS p, (i * 7 % 101)::float8 AS t) AS x) AS q, unnest(q.p, q.likenesses) AS u (p, likeness) GROUP BY u.likeness ORDER BY u.likeness;
SELECT ltv.expected_calibration_error(s, 5, bins => 2) AS two_bins, ltv.expected_calibration_error(s, 5, bins => 1) AS one_bin, ltv.expected_calibration_error(s, 99) AS beyond, ltv.expected_calibration_error(NULL::ltv.survival_calibration, 5) AS nothing
FROM (SELECT ltv.survival_calibration_agg(p, t, e) AS s FROM (VALUES (0.2, 1, true), (0.4, 9, true), (0.6, 2, false), (0.8, 9, false)) AS v (p, t, e)) AS x;

-- Refused.
CREATE VIEW entered AS SELECT plan, months, churned, months / 4 AS since FROM judged;
CREATE VIEW listed AS SELECT j.*, ARRAY[region] AS tags, jsonb_build_object('region', region) AS said, j AS whole, int4range(0, plan + 3) AS during, length(region) AS number, region = 'north' AS chosen,
    CASE region WHEN 'north' THEN date '2024-01-01' ELSE '2024-01-02' END AS on_day, md5(region)::uuid AS id FROM judged j;
SELECT * FROM ltv.predicted_vs_actual('risk', 'judged', censoring => 'cox');
SELECT * FROM ltv.fairness('risk', 'judged', '{region}', censoring_by => '{plan}');
SELECT * FROM ltv.lift('risk', 'judged', censoring => 'grouped', censoring_by => '{pln}');
SELECT * FROM ltv.error_hotspots('risk', 'judged', censoring => NULL);
SELECT * FROM ltv.evaluate('risk', 'judged', censoring => 'grouped', censoring_by => '{churned}');
SELECT * FROM ltv.fairness('risk', 'judged', '{region}', censoring => 'grouped', censoring_by => '{months,plan,churned}');
SELECT count(*) FROM ltv.train('entered', 'entered', 'cox', 'months', 'churned', entry => 'since', features => '{plan}', horizon => 10);
SELECT * FROM ltv.evaluate('entered', 'entered', censoring => 'grouped', censoring_by => '{plan,since}');
-- Rows are grouped by one plain value of each column: a list, a document, a range or a row is none, of the segments as of the censoring.
SELECT * FROM ltv.evaluate('risk', 'listed', censoring => 'grouped', censoring_by => '{region,tags}');
SELECT * FROM ltv.lift('risk', 'listed', censoring => 'grouped', censoring_by => '{said}');
SELECT * FROM ltv.fairness('risk', 'listed', '{whole}');
SELECT * FROM ltv.calibration('risk', 'listed', by => '{during}');
SELECT abs(a.brier - b.brier) < 1e-12 AS plain_values FROM ltv.evaluate('risk', 'listed', censoring => 'grouped', censoring_by => '{number,chosen,on_day,id}') a, ltv.evaluate('risk', 'listed', censoring => 'grouped', censoring_by => '{region}') b;
SELECT count(*) FROM ltv.train('bad', 'book', 'cox', 'months', 'churned', features => '{plan}', censoring => 'none');
SELECT count(*) FROM ltv.train('bad', 'book', 'linear', target => 'months', features => '{plan}', censoring => 'grouped');
SELECT item, detail, verdict FROM ltv.train_plan('bad', 'book', 'cox', 'months', 'churned', censoring => 'none');
SELECT ltv.censoring_groups('{0.2}', '{1,2}', '{t,f}', 2);
SELECT ltv.censoring_groups('{0.2,1.5}', '{1,2}', '{t,f}', 2);
SELECT ltv.censoring_query(NULL);
SELECT ltv.censoring_query('SELECT 1', 'none');

-- By chance the curve of those flagged alone has more events than that of all: no rate is beyond 1.
CREATE TABLE lost AS SELECT i AS id, CASE WHEN i % 2 = 0 THEN 1.0 ELSE -1.0 END AS x, CASE i % 10 WHEN 0 THEN 2.0 WHEN 2 THEN 11.0 WHEN 4 THEN 3.0 WHEN 6 THEN 1.0 WHEN 8 THEN 13.0 ELSE 14.0 + i % 5 END::float8 AS months, i % 10 IN (0, 2, 4) AS gone, i % 4 < 2 AS area FROM generate_series(1, 400) AS i;
SELECT max(version) FROM ltv.train('lost', 'lost', 'cox', 'months', 'gone', features => '{x}', horizon => 12);
SELECT segment, r(observed_rate) AS observed, r(flagged_share) AS flagged, r("precision") AS "precision", r(flagged_share * "precision" / observed_rate) AS quotient, true_positive_rate <= 1 AS is_a_rate, r(true_positive_rate) AS true_positive_rate, r(false_positive_rate) AS false_positive_rate, status FROM ltv.fairness('lost', 'lost', '{area}', threshold => 0.3) ORDER BY segment;
