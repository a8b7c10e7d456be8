-- Models judged on the rows of a relation, against the aggregates over the same rows.
CREATE TABLE accounts AS
SELECT i AS account, 1 + i * 37 % 48 * 0.5::float8 AS months, i * i % 11 < 6 + i % 4 AS churned, sin(i) AS usage, 'plan ' || chr(97 + i % 3) AS plan, (i % 7) * 100 + 50 AS arr, i % 4 = 0 AS held_out, i % 5 * 0.1::float8 AS since
FROM generate_series(1, 600) AS i;
SELECT metric, round(value::numeric, 9) AS value, round(baseline_value::numeric, 9) AS baseline
FROM ltv.train('churn', 'accounts', 'cox', 'months', 'churned', features => ARRAY['usage', 'plan'], holdout => '{"by": "held_out"}', horizon => 12);
SELECT count(*) FROM ltv.train('fraction', 'accounts', 'cox', 'months', 'churned', features => ARRAY['usage'], holdout => '{"by": "account", "fraction": 0.25}', seed => 7, horizon => 12);
SELECT count(*) FROM ltv.train('late', 'accounts', 'cox', 'months', 'churned', entry => 'since', features => ARRAY['usage'], horizon => 12);

-- The rows held out in training, as train has them: the same Brier score; by segment, all together first.
SELECT segment, horizon, n, n_events, round(concordance::numeric, 6) AS concordance, round(auc::numeric, 6) AS auc, round(brier::numeric, 9) AS brier, round(brier_baseline::numeric, 6) AS baseline, round(skill::numeric, 6) AS skill,
       round(predicted_rate::numeric, 6) AS predicted, round(observed_rate::numeric, 6) AS observed, round(observed_to_expected::numeric, 6) AS oe, round(ici::numeric, 6) AS ici, round(e50::numeric, 6) AS e50, round(e90::numeric, 6) AS e90, round(ece::numeric, 6) AS ece, status
FROM ltv.evaluate('churn', 'accounts', ARRAY[6, 12], by => '{plan}');
SELECT abs(e.brier - b.brier) < 1e-12 AND abs(e.auc - ltv.auc(s, 12)) < 1e-12 AND abs(e.ici - i.ici) < 1e-12 AND e.e50 = i.e50 AND e.e90 = i.e90 AND e.ece = ltv.expected_calibration_error(s, 12) AND e.n = 150 AS same
FROM ltv.evaluate('churn', 'accounts') AS e,
     (SELECT ltv.survival_calibration_agg(ltv.renewal_probability('churn', a, 12), months, churned) AS s FROM accounts AS a WHERE held_out) AS x, LATERAL ltv.brier_score(s, 12) AS b, LATERAL ltv.integrated_calibration_index(s, 12) AS i;
SELECT e.n = v.n_holdout AS the_same_rows FROM ltv.evaluate('fraction', 'accounts') AS e, ltv.model_versions AS v WHERE v.model = 'fraction';
SELECT n, status FROM ltv.evaluate('churn', 'accounts', rows => 'all');
-- Small cells are kept back.
SELECT segment, n, n_events, brier, status FROM ltv.evaluate('churn', 'accounts', by => '{plan,since}', min_rows => 15) WHERE segment <> 'all' ORDER BY n, segment LIMIT 3;
-- With a delayed entry times count from it.
SELECT abs(e.brier - b.brier) < 1e-12 AS same, e.status
FROM ltv.evaluate('late', 'accounts') AS e, (SELECT ltv.survival_calibration_agg(ltv.renewal_probability('late', a, 12, since), months - since, churned) AS s FROM accounts AS a) AS x, LATERAL ltv.brier_score(s, 12) AS b;

SELECT segment, bin, n, n_events, n_censored, round(predicted_rate::numeric, 6) AS predicted, round(observed_rate::numeric, 6) AS observed, round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper, round(gap::numeric, 6) AS gap, status
FROM ltv.calibration('churn', 'accounts', bins => 3, by => '{plan}', min_rows => 16);

SELECT bucket, n, round(score_from::numeric, 4) AS score_from, round(score_to::numeric, 4) AS score_to, round(observed_rate::numeric, 6) AS rate, round(lift::numeric, 6) AS lift, round(cumulative_share::numeric, 4) AS share,
       round(cumulative_capture::numeric, 6) AS capture, total_value, round(value_lost::numeric, 4) AS value_lost, round(cumulative_value_share::numeric, 6) AS value_share, status
FROM ltv.lift('churn', 'accounts', value => 'arr', buckets => 5);
-- Where nobody is censored it is the table of the ranking.
CREATE TABLE over AS SELECT account, months, true AS churned, usage, plan, arr FROM accounts;
SELECT bool_and(abs(l.observed_rate - r.rate) < 1e-12 AND abs(l.lift - r.lift) < 1e-12 AND abs(l.cumulative_capture - r.cumulative_capture) < 1e-12 AND abs(l.value_lost - r.value) < 1e-6 AND abs(l.cumulative_value_share - r.cumulative_value_share) < 1e-12) AS same, count(*)
FROM ltv.lift('churn', 'over', 12, 'arr') AS l
JOIN ltv.lift_table((SELECT ltv.ranking_agg(1 - ltv.renewal_probability('churn', o, 12), months <= 12, 1, arr) FROM over AS o)) AS r USING (bucket);

SELECT segment, n, round(predicted_retention::numeric, 6) AS predicted, round(actual_retention::numeric, 6) AS actual, round(predicted_events::numeric, 4) AS predicted_events, round(actual_events::numeric, 4) AS actual_events,
       total_value, round(predicted_value::numeric, 2) AS predicted_value, round(actual_value::numeric, 2) AS actual_value, round(bias::numeric, 2) AS bias, round(bias_share::numeric, 6) AS bias_share, status
FROM ltv.predicted_vs_actual('churn', 'accounts', value => 'arr', by => '{plan}');
SELECT abs(p.actual_value - sum(o.arr) FILTER (WHERE o.months > 12)) < 1e-6 AS what_was_kept, abs(p.predicted_value - sum(o.arr * ltv.renewal_probability('churn', o, 12))) < 1e-6 AS what_was_said
FROM ltv.predicted_vs_actual('churn', 'over', 12, 'arr') AS p, over AS o GROUP BY p.actual_value, p.predicted_value;

SELECT segment, n, round(predicted_rate::numeric, 6) AS predicted, round(observed_rate::numeric, 6) AS observed, round(auc::numeric, 6) AS auc, round(flagged_share::numeric, 4) AS flagged, round(flagged_ratio::numeric, 4) AS ratio,
       round("precision"::numeric, 6) AS "precision", round(true_positive_rate::numeric, 6) AS tpr, round(false_positive_rate::numeric, 6) AS fpr, status
FROM ltv.fairness('churn', 'accounts', '{plan}');
-- Where nobody is censored the rates are shares of counts.
SELECT bool_and(abs(f.true_positive_rate - c.tpr) < 1e-12 AND abs(f.false_positive_rate - c.fpr) < 1e-12 AND abs(f.precision - c.ppv) < 1e-12) AS same, count(*) FILTER (WHERE f.precision IS NOT NULL) AS groups
FROM ltv.fairness('churn', 'over', '{plan}', 12, threshold => 0.4) AS f
JOIN (SELECT plan, avg((p >= 0.4)::int) FILTER (WHERE y) AS tpr, avg((p >= 0.4)::int) FILTER (WHERE NOT y) AS fpr, avg(y::int) FILTER (WHERE p >= 0.4) AS ppv
      FROM (SELECT plan, 1 - ltv.renewal_probability('churn', o, 12) AS p, months <= 12 AS y FROM over AS o) AS x GROUP BY plan) AS c ON c.plan = f.segment;

SELECT rank, feature, cell, n, round(predicted_rate::numeric, 6) AS predicted, round(observed_rate::numeric, 6) AS observed, round(gap::numeric, 6) AS gap, round(z::numeric, 6) AS z, round(excess_events::numeric, 4) AS excess
FROM ltv.error_hotspots('churn', 'accounts', features => '{plan,arr,account}', top => 5);

-- Refused.
SELECT * FROM ltv.evaluate('nothing', 'accounts');
SELECT * FROM ltv.evaluate('churn', 'accounts', by => '{region}');
SELECT * FROM ltv.evaluate('churn', 'accounts', rows => 'some');
SELECT * FROM ltv.evaluate('late', 'accounts', rows => 'holdout');
SELECT * FROM ltv.evaluate('churn', 'accounts', ARRAY[-1]);
SELECT * FROM ltv.evaluate('churn', 'accounts', by => '{NULL}');
SELECT * FROM ltv.lift('churn', 'accounts', value => 'price');
SELECT * FROM ltv.lift('churn', 'accounts', buckets => 0);
SELECT * FROM ltv.fairness('churn', 'accounts', '{}');
SELECT * FROM ltv.fairness('churn', 'accounts', '{plan}', threshold => 2);
SELECT * FROM ltv.error_hotspots('churn', 'accounts', top => 0);
CREATE TABLE "O'Brien; --" AS SELECT months, churned, usage, plan AS "se""g'", plan, 1 AS ltv_row FROM accounts;
SELECT segment, n FROM ltv.evaluate('churn', '"O''Brien; --"', by => ARRAY['se"g''']);

-- Where nobody had the event the limits are exact: 0.025^(1/m) of the m rows at risk at the horizon, and the mirror of it where all had it.
WITH rows (i, t, e) AS (SELECT i, CASE WHEN i <= 10 THEN 3.0 ELSE 12.0 END, false FROM generate_series(1, 40) AS i UNION ALL SELECT i, 5.0, true FROM generate_series(41, 60) AS i)
SELECT c.bin, c.observed, round(c.lower::numeric, 10) AS lower, round(c.upper::numeric, 10) AS upper, round(CASE c.observed WHEN 1 THEN 0.025 ^ (1 / 30.0) ELSE 1 - 0.025 ^ (1 / 20.0) END, 10) AS by_hand
FROM (SELECT ltv.survival_calibration_agg(CASE WHEN e THEN 0.2 ELSE 0.9 END, t, e) AS s FROM rows) AS q, LATERAL ltv.calibration_curve(q.s, 12, 2) AS c ORDER BY c.bin;
-- What min_rows leaves out is not given back by the shares so far, nor by what its rows are worth.
CREATE TABLE lifted AS SELECT i, i % 40 AS x, CASE WHEN i % 40 < 12 THEN 3.0 + i % 7 ELSE 20.0 END AS t, i % 40 < 12 AS e, 100 AS worth, CASE WHEN i % 4 = 0 THEN 'small' ELSE 'large' END AS region FROM generate_series(1, 400) AS i;
SELECT DISTINCT model FROM ltv.train('lifted', 'lifted', 'cox', 't', 'e', features => '{x}', horizon => 12);
SELECT segment, bucket, n, observed_rate IS NULL AS no_rate, lift IS NULL AS no_lift, cumulative_capture IS NULL AS no_capture, total_value, cumulative_value_share IS NULL AS no_value_share, status
FROM ltv.lift('lifted', 'lifted', 12, 'worth', 2, '{region}', 60, 'all') ORDER BY 1, 2;
SELECT segment, n, round(actual_retention::numeric, 4) AS actual, round(lower::numeric, 6) AS lower, upper, round(0.025 ^ (1 / n::numeric), 6) AS by_hand
FROM ltv.predicted_vs_actual('lifted', 'lifted', 2, by => '{region}', rows => 'all') ORDER BY 1;
