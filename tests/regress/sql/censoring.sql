-- Whose curve of the censoring weighs a row; thresholds where some outcomes are not known yet; errors in money.

-- By hand: of the five rows at risk of being censored at 2 one is, G = 4/5; of the two at 4, whose event has left by then, one, G = 4/5 x 1/2.
SELECT w AS weights, (SELECT sum(u) FROM unnest(w) AS u) AS total
FROM ltv.inverse_censoring_weights('{1,2,3,4,4,9}', '{t,f,t,t,f,f}', 5) AS w;
SELECT ltv.inverse_censoring_weights('{1,2,3,4,4,9}', '{t,f,t,t,f,f}', 5, '{2,2,2,2,2,2}') AS doubled, ltv.inverse_censoring_weights('{9,2}', '{f,t}', 5) AS whole,
       ltv.inverse_censoring_weights('{1,2}', '{f,f}', 5) IS NULL AS nobody, ltv.inverse_censoring_weights('{}', '{}', 5) IS NULL AS none, ltv.inverse_censoring_weights(NULL, '{}', 5) IS NULL AS unknown;
CREATE TABLE six (said float8, months float8, churned boolean);
INSERT INTO six VALUES (0.2, 1, true), (0.4, 2, false), (0.3, 3, true), (0.8, 4, true), (0.6, 4, false), (0.9, 9, false);
SELECT p.* FROM ltv.precision_recall((SELECT ltv.survival_calibration_agg(said, months, churned) FROM six), 5) AS p;
SELECT threshold, flagged, "precision" FROM ltv.precision_recall((SELECT ltv.survival_calibration_agg(said, months, churned) FROM six), 5, at => '{0.15,0.65,2}');
SELECT b.* FROM ltv.best_threshold((SELECT ltv.survival_calibration_agg(said, months, churned) FROM six), 5, benefit => 10, cost => 6) AS b;
SELECT b.threshold, b.flagged, b.status FROM ltv.best_threshold((SELECT ltv.survival_calibration_agg(said, months, churned) FROM six), 5, capacity => 4) AS b;
SELECT ltv.best_threshold((SELECT ltv.survival_calibration_agg(said, months, false) FROM six), 20, capacity => 4) IS NULL AS nobody,
       (SELECT count(*) FROM ltv.precision_recall((SELECT ltv.survival_calibration_agg(said, months, false) FROM six), 20)) AS no_rows;
-- Without censoring all is as of a ranking of counts.
CREATE TABLE whole AS SELECT i, (i * 7 % 40) / 41.0::float8 AS said, 1 + i * 13 % 30 AS months, i % 3 AS weight FROM generate_series(1, 300) AS i WHERE i % 3 > 0;
SELECT bool_and(abs(a.threshold - b.threshold) < 1e-15 AND a.flagged = b.flagged AND a.true_positives = b.true_positives AND a.false_positives = b.false_positives AND a."precision" = b."precision" AND a.f1 = b.f1) AS same, count(*)
FROM (SELECT ltv.survival_calibration_agg(said, months, true, weight) AS s, ltv.ranking_agg(1 - said, months <= 12, weight) AS r FROM whole) AS x,
     LATERAL ltv.precision_recall(s, 12) WITH ORDINALITY AS a JOIN LATERAL ltv.precision_recall(r) WITH ORDINALITY AS b ON a.ordinality = b.ordinality;

-- Customers of a high risk are lost sight of early: all outcomes are known here, so what is to be found is too.
CREATE TABLE drawn AS
SELECT i, plan, -ln(i * 0.6180339887498949 % 1.0::numeric)::float8 / (0.05 * exp(0.8 * plan)) AS lived, -ln(i * 0.7548776662466927 % 1.0::numeric)::float8 / (0.06 * exp(1.2 * plan)) AS seen, i % 2 AS half
FROM generate_series(1, 6000) AS i, LATERAL (SELECT i % 3 - 1 AS plan) AS p;
CREATE TABLE told AS SELECT i, plan, least(lived, seen) AS months, lived <= seen AS churned, lived, half FROM drawn;
CREATE TABLE learnt AS SELECT i, plan, lived AS months, true AS churned FROM drawn WHERE half = 0;
SELECT count(*) FROM ltv.train('risk', 'learnt', 'cox', 'months', 'churned', features => '{plan}', horizon => 10);
CREATE TABLE judged AS SELECT plan, months, churned, lived FROM told WHERE half = 1;
SELECT truth.n, round(truth.brier::numeric, 4) AS truth, round(m.brier::numeric, 4) AS marginal, round(g.brier::numeric, 4) AS grouped, round(c.brier::numeric, 4) AS by_plan,
       round(truth.observed::numeric, 3) AS truly, round(m.observed_rate::numeric, 3) AS marginal, round(g.observed_rate::numeric, 3) AS grouped, round(c.observed_rate::numeric, 3) AS by_plan
FROM (SELECT count(*) AS n, avg(((lived > 10)::int - ltv.renewal_probability('risk', judged, 10)) ^ 2) AS brier, avg((lived <= 10)::int) AS observed FROM judged) AS truth,
     ltv.evaluate('risk', 'judged', ARRAY[10]) AS m, ltv.evaluate('risk', 'judged', ARRAY[10], censoring => 'grouped') AS g, ltv.evaluate('risk', 'judged', ARRAY[10], censoring => 'grouped', censoring_by => '{plan}') AS c;
-- Here likeness of prediction is the plan, and so it is by hand.
SELECT abs(g.brier - c.brier) < 1e-12 AND abs(g.auc - c.auc) < 1e-12 AND abs(g.observed_rate - c.observed_rate) < 1e-12 AND abs(g.brier_baseline - c.brier_baseline) < 1e-12 AND abs(g.brier - b.brier) < 1e-12 AND abs(g.auc - ltv.auc(x.s, 10, 'grouped')) < 1e-12 AS same,
       abs(c.brier - h.brier) < 1e-12 AND abs(1 - c.observed_rate - h.observed) < 1e-12 AS by_hand, abs(b.skill - g.skill) < 1e-12 AS skill, abs(i.brier - b.brier) < 1e-12 AS integrated
FROM ltv.evaluate('risk', 'judged', ARRAY[10], censoring => 'grouped') AS g, ltv.evaluate('risk', 'judged', ARRAY[10], censoring => 'grouped', censoring_by => '{plan}') AS c,
     (SELECT ltv.survival_calibration_agg(ltv.renewal_probability('risk', judged, 10), months, churned) AS s FROM judged) AS x, LATERAL ltv.brier_score(x.s, 10, censoring => 'grouped') AS b,
     LATERAL ltv.integrated_brier_score(ARRAY[x.s, x.s], ARRAY[10, 10.0000001], 'grouped') AS i,
     (SELECT sum(n * (ltv.brier_score(s, 10)).brier) / sum(n) AS brier, sum(n * ltv.survival_at(k, 10)) / sum(n) AS observed
      FROM (SELECT count(*) AS n, ltv.survival_calibration_agg(ltv.renewal_probability('risk', judged, 10), months, churned) AS s, ltv.survival_agg(months, churned) AS k FROM judged GROUP BY plan) AS q) AS h;
-- Marginal is the default; groups of fewer than 30 rows are one.
SELECT m.brier = d.brier AS default_is_marginal, t.brier IS NOT NULL AS thin
FROM ltv.evaluate('risk', 'judged', ARRAY[10]) AS d, ltv.evaluate('risk', 'judged', ARRAY[10], censoring => 'marginal') AS m,
     ltv.evaluate('risk', 'judged', ARRAY[10], censoring => 'grouped', censoring_by => '{plan,lived}') AS t;
-- Comparisons weigh all algorithms alike, by who is lost sight of.
SELECT algorithm, metric, round(truth::numeric, 4) AS truth, round(m.value::numeric, 4) AS marginal, round(g.value::numeric, 4) AS grouped, round(m.baseline_value::numeric, 4) AS baseline, round(g.baseline_value::numeric, 4) AS grouped_baseline
FROM ltv.compare_algorithms('SELECT 0::float8 AS entry, months AS duration, churned AS event, plan FROM public.learnt', 'SELECT 0::float8 AS given, months AS duration, churned AS event, plan FROM public.judged', 10, '{cox,weibull}', '{plan}') AS m
JOIN ltv.compare_algorithms('SELECT 0::float8 AS entry, months AS duration, churned AS event, plan FROM public.learnt', 'SELECT 0::float8 AS given, months AS duration, churned AS event, plan FROM public.judged', 10, '{cox,weibull}', '{plan}', censoring => 'grouped') AS g USING (algorithm, metric)
LEFT JOIN (SELECT t.algorithm, t.metric, t.value AS truth FROM ltv.compare_algorithms('SELECT 0::float8 AS entry, months AS duration, churned AS event, plan FROM public.learnt', 'SELECT 0::float8 AS given, lived AS duration, true AS event, plan FROM public.judged', 10, '{cox,weibull}', '{plan}') AS t) AS t USING (algorithm, metric)
WHERE metric IN ('brier', 'log_loss', 'observed_to_expected') ORDER BY 1, 2;
SELECT algorithm, round(brier::numeric, 4) AS brier, chosen FROM ltv.train_auto('auto', 'told', 'months', 'churned', 10, features => '{plan}', algorithms => '{cox,weibull}', censoring => 'grouped') ORDER BY 1;

-- Thresholds by the name of a model: as of the summary of its rows; segments.
SELECT bool_and(a.flagged = b.flagged AND a.true_positives = b.true_positives AND a.recall = b.recall AND a.status = 'ok') AS same, count(*)
FROM ltv.precision_recall('risk', 'judged', censoring => 'grouped') AS a
JOIN LATERAL (SELECT p.* FROM (SELECT ltv.survival_calibration_agg(ltv.renewal_probability('risk', judged, 10), months, churned) AS s FROM judged) AS x, LATERAL ltv.precision_recall(s, 10, NULL, 'grouped') AS p) AS b USING (threshold);
-- Where groups of like predictions weigh, the rate of those flagged is the mean of their Kaplan-Meier curves.
SELECT abs(p."precision" - sum(n * observed_rate) / sum(n)) < 1e-12 AS as_lift, abs(p.true_positives - sum(n * observed_rate)) < 1e-9 AS events
FROM ltv.precision_recall('risk', 'judged', at => '{0.3}', censoring => 'grouped') AS p, ltv.lift('risk', 'judged', buckets => 3) AS l WHERE l.score_from >= 0.3 GROUP BY p."precision", p.true_positives;
SELECT segment, round(threshold::numeric, 6) AS threshold, flagged, round(true_positives::numeric, 4) AS tp, round(false_positives::numeric, 4) AS fp, round("precision"::numeric, 6) AS "precision", round(recall::numeric, 6) AS recall,
       round(false_positive_rate::numeric, 6) AS fpr, status
FROM ltv.precision_recall('risk', 'judged', at => '{0.9,0.5,0.2}', by => '{plan}') ORDER BY segment, threshold DESC;
SELECT segment, n, round(threshold::numeric, 6) AS threshold, flagged, round(true_positives::numeric, 4) AS tp, round(profit::numeric, 4) AS profit, status
FROM ltv.best_threshold('risk', 'judged', benefit => 100, cost => 40, by => '{plan}') ORDER BY segment;
SELECT segment, flagged, status FROM ltv.best_threshold('risk', 'judged'::regclass, capacity => 2000, censoring => 'grouped') ORDER BY segment;
SELECT segment, n, threshold, status FROM ltv.best_threshold('risk', 'judged', capacity => 2000, by => '{plan}', min_rows => 5000) ORDER BY segment;

-- Errors: where all is known they are plain means; else the known stand for the others.
CREATE TABLE paid AS SELECT plan, months, churned, lived, CASE WHEN i % 9 > 0 THEN 20 + i % 7 * 10 END AS arr, 1 + i % 2 AS counts FROM told WHERE half = 1;
CREATE TABLE known AS SELECT plan, lived AS months, true AS churned, arr FROM paid;
SELECT abs(p.mae - x.mae) < 1e-9 AND abs(p.rmse - x.rmse) < 1e-9 AND abs(p.bias - x.bias) < 1e-6 AND abs(p.predicted_value - x.said) < 1e-6 AS plain_means, p.n, p.n_without_value, abs(p.bias) <= p.mae * (p.n - p.n_without_value) AS within, p.mae <= p.rmse AS ordered
FROM ltv.predicted_vs_actual('risk', 'known', 10, 'arr') AS p,
     (SELECT avg(abs(e)) AS mae, sqrt(avg(e ^ 2)) AS rmse, sum(e) AS bias, sum(arr * r) AS said FROM (SELECT arr, r, arr * (r - (months > 10)::int) AS e FROM known, LATERAL (SELECT ltv.renewal_probability('risk', known, 10) AS r) AS q WHERE arr IS NOT NULL) AS w) AS x;
SELECT abs(p.rmse ^ 2 - e.brier) < 1e-12 AS the_brier_score, abs(w.rmse - s.rmse) < 1e-9 AND abs(w.mae - s.mae) < 1e-9 AS weighed_by_censoring, w.n_unscored, w.n_without_value
FROM ltv.predicted_vs_actual('risk', 'paid') AS p, ltv.evaluate('risk', 'paid') AS e, ltv.predicted_vs_actual('risk', 'paid', value => 'arr') AS w,
     (SELECT sum(k * abs(error)) / sum(k) AS mae, sqrt(sum(k * error ^ 2) / sum(k)) AS rmse
      FROM (SELECT u.k, u.arr * (u.r - (u.months > 10)::int) AS error
            FROM (SELECT array_agg(months) AS months, array_agg(churned) AS churned, array_agg(arr) AS arr, array_agg(ltv.renewal_probability('risk', paid, 10)) AS r FROM paid WHERE arr IS NOT NULL) AS a,
                 LATERAL unnest(a.months, a.arr, a.r, ltv.inverse_censoring_weights(a.months, a.churned, 10)) AS u (months, arr, r, k)) AS q) AS s;
SELECT segment, n, round(total_value::numeric) AS total, round(predicted_value::numeric, 2) AS predicted, round(actual_value::numeric, 2) AS actual, round(bias::numeric, 2) AS bias, round(mae::numeric, 4) AS mae, round(rmse::numeric, 4) AS rmse, n_without_value AS without, status
FROM ltv.predicted_vs_actual('risk', 'paid', value => 'arr', by => '{plan}') ORDER BY segment <> 'all', segment;
-- A weight is so many rows.
SELECT count(*) FROM ltv.train('counted', 'paid', 'cox', 'months', 'churned', weight => 'counts', features => '{plan}', horizon => 10, options => '{"ties": "breslow"}');
CREATE TABLE repeated AS SELECT p.*, 1 AS again FROM paid AS p, generate_series(1, counts);
SELECT count(*) FROM ltv.train('repeated', 'repeated', 'cox', 'months', 'churned', features => '{plan}', horizon => 10, options => '{"ties": "breslow"}');
CREATE TABLE later AS SELECT * FROM paid;
CREATE TABLE later_repeated AS SELECT * FROM repeated;
SELECT abs(w.mae - r.mae) < 1e-6 AND abs(w.rmse - r.rmse) < 1e-6 AND abs(w.actual_value - r.actual_value) < 1e-3 AS same FROM ltv.predicted_vs_actual('counted', 'later', value => 'arr') AS w, ltv.predicted_vs_actual('repeated', 'later_repeated', value => 'arr') AS r;
-- Of a model of amounts in its own money: what train told of the rows held out.
CREATE TABLE bills AS SELECT i, i % 4 = 0 AS held_out, i % 5 AS seats, chr(97 + i % 3) AS plan, CASE WHEN i % 50 > 0 THEN 10 + 3 * (i % 5) + i * i % 11 END::float8 AS amount, 1 + i % 2 AS counts FROM generate_series(1, 400) AS i;
SELECT metric, round(value::numeric, 6) AS value FROM ltv.train('bill', 'bills', 'linear', target => 'amount', weight => 'counts', features => '{seats}', holdout => '{"by": "held_out"}', null_policy => 'drop') WHERE metric IN ('rmse', 'mae', 'bias') ORDER BY 1;
SELECT segment, n, n_without_value AS without, round(mae::numeric, 6) AS mae, round(rmse::numeric, 6) AS rmse, round(bias::numeric, 6) AS bias, round((bias / w)::numeric, 6) AS mean_bias, round(actual_value::numeric, 2) AS actual, predicted_retention, status
FROM ltv.predicted_vs_actual('bill', 'bills', by => '{plan}'), LATERAL (SELECT sum(counts) AS w FROM bills WHERE held_out AND amount IS NOT NULL AND segment IN ('all', plan)) AS q ORDER BY segment <> 'all', segment;
SELECT ltv.predicted_vs_actual('bill', 'bills', 12);
SELECT ltv.evaluate('bill', 'bills');

-- Nothing of nothing, and a reason for it.
CREATE TABLE nobody AS SELECT * FROM judged LIMIT 0;
CREATE TABLE unseen AS SELECT plan, 3.0::float8 AS months, false AS churned, 50 AS arr FROM judged;
CREATE TABLE gone AS SELECT plan, 3.0::float8 AS months, true AS churned, 50 AS arr FROM judged;
CREATE TABLE stayed AS SELECT plan, 30.0::float8 AS months, false AS churned, NULL::float8 AS arr FROM judged;
CREATE TABLE blind AS SELECT NULL::int AS plan, months, churned, 50 AS arr FROM judged;
CREATE FUNCTION reasons(relation regclass) RETURNS TABLE (told text, status text, undefined boolean) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT 'evaluate', e.status, e.auc IS NULL FROM ltv.evaluate('risk', relation, ARRAY[10]) AS e;
    RETURN QUERY SELECT 'evaluate grouped', e.status, e.auc IS NULL FROM ltv.evaluate('risk', relation, ARRAY[10], censoring => 'grouped') AS e;
    RETURN QUERY SELECT 'calibration', min(c.status), bool_and(c.observed_rate IS NULL) FROM ltv.calibration('risk', relation) AS c;
    RETURN QUERY SELECT 'precision_recall', min(c.status), bool_and(c.recall IS NULL OR c.false_positive_rate IS NULL) FROM ltv.precision_recall('risk', relation) AS c;
    RETURN QUERY SELECT 'best_threshold', c.status, c.threshold IS NULL FROM ltv.best_threshold('risk', relation, benefit => 3, cost => 2) AS c;
    RETURN QUERY SELECT 'fairness', min(c.status), bool_and(c.auc IS NULL) FROM ltv.fairness('risk', relation, '{months}') AS c WHERE segment = 'all';
    IF relation <> 'nobody'::regclass THEN
        RETURN QUERY SELECT 'lift', min(c.status), bool_and(c.value_lost IS NULL) FROM ltv.lift('risk', relation, value => 'arr') AS c;
        RETURN QUERY SELECT 'predicted_vs_actual', c.status, c.rmse IS NULL FROM ltv.predicted_vs_actual('risk', relation, value => 'arr') AS c;
    END IF;
END
$$;
SELECT relation, r.* FROM unnest('{nobody,unseen,gone,stayed,blind}'::regclass[]) WITH ORDINALITY AS t (relation, place), LATERAL reasons(relation) AS r ORDER BY place, told;
-- A cell without an event is not passed over for want of Greenwood's error.
SELECT cell, n, round(z::numeric, 3) AS z FROM ltv.error_hotspots('risk', 'stayed', features => '{plan}') ORDER BY rank;

-- Refused.
SELECT ltv.inverse_censoring_weights('{1,2}', '{t}', 5);
SELECT ltv.inverse_censoring_weights('{1,NULL}', '{t,f}', 5);
SELECT ltv.inverse_censoring_weights('{1,-2}', '{t,f}', 5);
SELECT ltv.inverse_censoring_weights('{1,2}', '{t,f}', 5, '{1,0}');
SELECT ltv.brier_score((SELECT ltv.survival_calibration_agg(said, months, churned) FROM six), 5, 'cox');
SELECT ltv.precision_recall((SELECT ltv.survival_calibration_agg(said, months, churned) FROM six), 5, '{NaN}');
SELECT * FROM ltv.evaluate('risk', 'judged', censoring => 'cox');
SELECT * FROM ltv.evaluate('risk', 'judged', censoring_by => '{plan}');
SELECT * FROM ltv.evaluate('risk', 'judged', censoring => 'grouped', censoring_by => '{region}');
SELECT * FROM ltv.precision_recall('risk', 'judged', censoring => 'none');
SELECT * FROM ltv.precision_recall('risk', 'judged', at => '{NULL}');
SELECT * FROM ltv.best_threshold('risk', 'judged');
SELECT * FROM ltv.best_threshold('risk', 'judged', benefit => 3);
SELECT * FROM ltv.best_threshold('risk', 'no_such_relation', capacity => 3);
SELECT * FROM ltv.compare_algorithms('SELECT 1', 'SELECT 1', 10, censoring => 'x');
INSERT INTO unseen VALUES (0, 5, false, -20);
SELECT * FROM ltv.lift('risk', 'unseen', value => 'arr');
SELECT * FROM ltv.predicted_vs_actual('risk', 'unseen', value => 'arr');
CREATE TABLE twice AS SELECT plan, months, 2 * churned::int AS churned FROM judged WHERE churned LIMIT 1;
SELECT * FROM ltv.evaluate('risk', 'twice');
ALTER TABLE later ALTER counts TYPE float8;
UPDATE later SET counts = 'NaN' WHERE lived = (SELECT min(lived) FROM later);
SELECT * FROM ltv.calibration('counted', 'later');
