-- Models of renewal decisions judged by name: every outcome is known, and each number is that of its formula.
\set ECHO none
CREATE TABLE iranian (call_failure int, complains int, subscription_length int, charge_amount int, seconds_of_use int, frequency_of_use int, frequency_of_sms int,
                      distinct_called_numbers int, age_group int, tariff_plan int, status int, age int, customer_value double precision, churn int);
\cd :data
\copy iranian from 'iranian_churn.csv' with (format csv, header)
ALTER TABLE iranian ADD id serial, ADD tariff text, ADD renewed boolean, ADD weight int, ADD held_out boolean;
UPDATE iranian SET tariff = CASE tariff_plan WHEN 1 THEN 'prepaid' ELSE 'contract' END, renewed = churn = 0, weight = 1 + id % 3, held_out = id % 3 = 0;
CREATE FUNCTION r(double precision) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN round($1::numeric, 6);
ANALYZE iranian;
\set ECHO all

SELECT metric, r(value) AS value, n_holdout
FROM ltv.train('renews', 'iranian', 'renewal', event => 'renewed', features => '{age,complains,tariff,frequency_of_use}', holdout => '{"by": "held_out"}');
SELECT segment, horizon, n, n_events, n_unscored, r(concordance) AS concordance, r(auc) AS auc, r(brier) AS brier, r(brier_baseline) AS baseline, r(skill) AS skill, r(log_loss) AS log_loss,
       r(predicted_rate) AS predicted, r(observed_rate) AS observed, r(observed_to_expected) AS oe, r(ici) AS ici, r(ece) AS ece, status
FROM ltv.evaluate('renews', 'iranian', by => '{tariff}');
-- By the formulas; the same as train said.
WITH held AS (SELECT renewed::int AS y, ltv.renewal_probability('renews', i, 12) AS p FROM iranian i WHERE held_out),
     whole AS (SELECT avg(y) AS rate, ltv.auc(ltv.calibration_agg(1 - p, y = 0)) AS auc, (ltv.integrated_calibration_index(ltv.calibration_agg(1 - p, y = 0))).ici, ltv.expected_calibration_error(ltv.calibration_agg(1 - p, y = 0)) AS ece FROM held)
SELECT abs(e.brier - avg((p - y) ^ 2)) < 1e-12 AS brier, abs(e.brier_baseline - rate * (1 - rate)) < 1e-12 AS baseline, abs(e.skill - (1 - avg((p - y) ^ 2) / (rate * (1 - rate)))) < 1e-12 AS skill,
       abs(e.log_loss + avg(ln(CASE y WHEN 1 THEN p ELSE 1 - p END))) < 1e-12 AS log_loss, abs(e.auc - whole.auc) < 1e-12 AS auc, abs(e.concordance - e.auc) < 1e-12 AS concordance,
       abs(1 - e.observed_rate - rate) < 1e-12 AS observed, abs(1 - e.predicted_rate - avg(p)) < 1e-12 AS predicted, abs(e.ici - whole.ici) < 1e-12 AS ici, abs(e.ece - whole.ece) < 1e-12 AS ece,
       e.n = count(*) AND e.n_events = sum(1 - y) AS counts
FROM held, whole, ltv.evaluate('renews', 'iranian') e
GROUP BY e.brier, e.brier_baseline, e.skill, e.log_loss, e.auc, e.concordance, e.observed_rate, e.predicted_rate, e.ici, e.ece, e.n, e.n_events, rate, whole.auc, whole.ici, whole.ece;
SELECT bool_and(abs(m.value - CASE m.metric WHEN 'brier' THEN e.brier WHEN 'auc' THEN e.auc ELSE e.log_loss END) < 1e-12) AS as_train_said, count(*)
FROM ltv.evaluate('renews', 'iranian') e, ltv.model_versions v, jsonb_to_recordset(v.metrics) m (metric text, value float8) WHERE v.model = 'renews' AND v.version = 1;
-- cloglog, weights, a period of another length, outcomes of 1 and 0, no holdout.
SELECT count(*) FROM ltv.train('half', 'iranian', 'renewal', event => 'churn', features => '{age,complains}', weight => 'weight', options => '{"link": "cloglog", "period": 6}');
SELECT horizon, n, r(brier) AS brier, status FROM ltv.evaluate('half', 'iranian');
SELECT r(sum(weight * (ltv.renewal_probability('half', i, 6) - churn) ^ 2) / sum(weight)) AS brier FROM iranian i;

SELECT bin, n, n_events, n_censored, r(predicted_rate) AS predicted, r(observed_rate) AS observed, r(lower) AS lower, r(upper) AS upper, status FROM ltv.calibration('renews', 'iranian', bins => 3);
SELECT bucket, n, r(predicted_rate) AS predicted, r(observed_rate) AS rate, r(lift) AS lift, r(cumulative_capture) AS capture, r(value_lost) AS value_lost, status FROM ltv.lift('renews', 'iranian', value => 'customer_value', buckets => 3);
WITH t AS (SELECT * FROM ltv.lift_table((SELECT ltv.ranking_agg(1 - ltv.renewal_probability('renews', i, 12), NOT renewed, 1, customer_value) FROM iranian i WHERE held_out), 3))
SELECT bool_and(abs(l.observed_rate - t.rate) < 1e-12 AND abs(l.lift - t.lift) < 1e-12 AND abs(l.value_lost - t.value) < 1e-6) AS the_table_of_the_ranking, count(*)
FROM ltv.lift('renews', 'iranian', value => 'customer_value', buckets => 3) l JOIN t USING (bucket);
SELECT threshold, flagged, true_positives, false_positives, r("precision") AS "precision", r(recall) AS recall, status FROM ltv.precision_recall('renews', 'iranian', at => '{0.5,0.2}');
SELECT count(*) FILTER (WHERE p >= 0.2) AS flagged, count(*) FILTER (WHERE p >= 0.2 AND NOT renewed) AS true_positives FROM (SELECT renewed, 1 - ltv.renewal_probability('renews', i, 12) AS p FROM iranian i WHERE held_out) h;
SELECT n, r(threshold) AS threshold, flagged, true_positives, r(profit) AS profit, status FROM ltv.best_threshold('renews', 'iranian', benefit => 10, cost => 2);
SELECT segment, n, r(predicted_rate) AS predicted, r(observed_rate) AS observed, r(auc) AS auc, r(brier) AS brier, r("precision") AS "precision", r(true_positive_rate) AS tpr, status FROM ltv.fairness('renews', 'iranian', '{tariff}', threshold => 0.2);
SELECT rank, feature, cell, n, r(predicted_rate) AS predicted, r(observed_rate) AS observed, r(z) AS z FROM ltv.error_hotspots('renews', 'iranian', features => '{tariff,age_group}', top => 3);
SELECT n, r(predicted_retention) AS predicted, r(actual_retention) AS actual, r(actual_events) AS events, r(total_value) AS total, r(predicted_value) AS predicted_value, r(actual_value) AS actual_value, r(mae) AS mae, r(rmse) AS rmse, status
FROM ltv.predicted_vs_actual('renews', 'iranian', value => 'customer_value');
SELECT count(*) FILTER (WHERE NOT renewed) AS events, r(sum(customer_value)) AS total, r(sum(customer_value * p)) AS predicted_value, r(sum(customer_value) FILTER (WHERE renewed)) AS actual_value,
       r(avg(abs(customer_value * (p - renewed::int)))) AS mae, r(sqrt(avg((customer_value * (p - renewed::int)) ^ 2))) AS rmse
FROM (SELECT renewed, customer_value, ltv.renewal_probability('renews', i, 12) AS p FROM iranian i WHERE held_out) h;

-- A new version whose predictions go through the map.
SELECT version, parent, metric, r(before) AS before, r(after) AS after, warnings FROM ltv.recalibrate('renews', 'iranian', 'isotonic');
SELECT version, parent, metric, r(before) AS before, r(after) AS after FROM ltv.recalibrate('renews@1', 'iranian', 'platt');
SELECT DISTINCT version, parent FROM ltv.recalibrate('renews@1', 'iranian', 'beta');
SELECT DISTINCT version, parent FROM ltv.recalibrate('renews@1', 'iranian', 'intercept');
SELECT v.version, v.spec #>> '{recalibration,method}' AS method, v.status,
       bool_and(abs(ltv.renewal_probability(v.fitted, i, 12) - (1 - ltv.recalibrated_probability(1 - ltv.renewal_probability('renews@1', i, 12), ltv.recalibration(v.fitted)))) < 1e-12) AS through_the_map,
       bool_or(abs(ltv.renewal_probability(v.fitted, i, 12) - ltv.renewal_probability('renews@1', i, 12)) > 1e-3) AS others
FROM ltv.model_versions v, iranian i WHERE v.model = 'renews' AND v.version > 1 GROUP BY v.version, v.spec, v.status ORDER BY v.version;
-- Platt's map is the logistic regression of the outcome on the logit of the prediction: on the rows of the fit its mean is theirs.
SELECT version, r(avg(ltv.renewal_probability(v.fitted, i, 12))) AS predicted, r(avg(renewed::int)) AS observed
FROM ltv.model_versions v, iranian i WHERE held_out AND v.model = 'renews' GROUP BY version ORDER BY version;
SELECT status FROM ltv.evaluate('renews', 'iranian');

-- Refused.
SELECT * FROM ltv.evaluate('renews', 'iranian', horizons => '{12}');
SELECT * FROM ltv.calibration('renews', 'iranian', 12);
SELECT * FROM ltv.recalibrate('renews', 'iranian', horizon => 12);
SELECT * FROM ltv.evaluate('renews', 'iranian', censoring => 'grouped');
SELECT * FROM ltv.recalibrate('half', 'iranian');
CREATE VIEW undecided AS SELECT age, complains, 2 AS churn, 1 AS weight FROM iranian;
SELECT * FROM ltv.evaluate('half', 'undecided');
SELECT count(*) FROM ltv.train('worth', 'iranian', 'linear', target => 'customer_value', features => '{age}');
SELECT * FROM ltv.evaluate('worth', 'iranian');
