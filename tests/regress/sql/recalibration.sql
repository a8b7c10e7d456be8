-- Predicted to observed probability: the maps, models seen through them, and the new version.
SELECT method, jsonb_pretty(ltv.fit_recalibration(c, method)) AS map
FROM (SELECT ltv.calibration_agg(p, y) AS c FROM (VALUES (0.1, false), (0.2, false), (0.3, true), (0.4, false), (0.6, true), (0.7, false), (0.8, true), (0.9, true)) v (p, y)) x,
     unnest(ARRAY['isotonic', 'intercept']) AS method;
SELECT method, round((map #>> '{beta,intercept}')::numeric, 9) AS intercept, round((map #>> '{beta,event}')::numeric, 9) AS event, round((map #>> '{beta,survival}')::numeric, 9) AS survival
FROM (SELECT ltv.calibration_agg(i / 400.0, (i * 7919) % 400 / 400.0 < power(i / 400.0, 1.3)) AS c FROM generate_series(1, 399) AS i) x, unnest(ARRAY['platt', 'beta']) AS method, ltv.fit_recalibration(c, method) AS map;
-- Platt's is Cox's recalibration.
SELECT abs((map #>> '{beta,intercept}')::float8 - ltv.calibration_intercept(c)) < 1e-12 AS intercept, abs((map #>> '{beta,event}')::float8 - ltv.calibration_slope(c)) < 1e-12 AS slope,
       abs(ltv.calibration_intercept(ltv.recalibrated(c, map))) < 1e-7 AS none_left, abs(ltv.calibration_slope(ltv.recalibrated(c, map)) - 1) < 1e-7 AS straight
FROM (SELECT ltv.calibration_agg(i / 400.0, (i * 7919) % 400 / 400.0 < power(i / 400.0, 1.3)) AS c FROM generate_series(1, 399) AS i) x, ltv.fit_recalibration(c, 'platt') AS map;
SELECT p, ltv.recalibrated_probability(p, '{"isotonic": {"predicted": [0.2, 0.4], "recalibrated": [0.1, 0.5]}}') AS isotonic,
       round(ltv.recalibrated_probability(p, '{"beta": {"intercept": 0, "event": 1, "survival": 1}}')::numeric, 12) AS same, round(ltv.recalibrated_probability(p, '{"intercept": {"log_ratio": 0.6931471805599453}}')::numeric, 12) AS twice
FROM unnest(ARRAY[0, 0.1, 0.2, 0.3, 0.4, 0.7, 1]) AS p;
-- Three rows known at 5: events at 2 and 4, one seen beyond; one lost at 3 is stood for by those left. G(3) = 2/3 (three at risk), so 4 and those beyond weigh 3/2.
SELECT ltv.calibration_at(ltv.survival_calibration_agg(s, t, e), 5) FROM (VALUES (0.9, 2, true), (0.8, 3, false), (0.7, 4, true), (0.6, 9, true)) v (s, t, e);
SELECT ltv.calibration_at(ltv.survival_calibration_agg(0.5, 2, false), 5) IS NULL AS nobody;

CREATE TABLE accounts AS
SELECT i AS account, greatest(round(((-ln(1 - (i * 7919 % 1999 + 0.5) / 1999) * 30 * exp(-sin(i)))::numeric), 1), 0.1)::float8 AS months, i * i % 11 < 6 + i % 4 AS churned, sin(i) * 3 AS usage, 'plan ' || chr(97 + i % 3) AS plan, i % 5 < 2 AS held_out
FROM generate_series(1, 1200) AS i;
SELECT DISTINCT version FROM ltv.train('churn', 'accounts', 'cox', 'months', 'churned', features => ARRAY['usage', 'plan'], holdout => '{"by": "held_out"}', horizon => 12);
-- A model that is too sure of itself.
SELECT ltv.register_version('sure', 'cox', ltv.recalibrated(v.fitted, '{"beta": {"intercept": 0.9, "event": 2, "survival": 2}}'), v.spec, v.n_rows, v.n_events) FROM ltv.model_versions v WHERE v.model = 'churn';
SELECT version, parent, status, n_rows, n_events, metric, round(before::numeric, 6) AS before, round(after::numeric, 6) AS after, warnings FROM ltv.recalibrate('churn', 'accounts', 'isotonic');
SELECT version, parent, status, n_events, metric, round(before::numeric, 6) AS before, round(after::numeric, 6) AS after, warnings FROM ltv.recalibrate('sure', 'accounts', 'platt');
SELECT method, metric, round(before::numeric, 6) AS before, round(after::numeric, 6) AS after FROM unnest(ARRAY['beta', 'intercept']) AS method, ltv.recalibrate('sure@1', 'accounts', method) AS r;
SELECT version, parent, status, algorithm, n_holdout, spec -> 'recalibration' ->> 'method' AS method, note, ltv.verify(model || '@' || version) IS NOT NULL AS sealed, ltv.recalibration(fitted) IS NOT NULL AS through_a_map FROM ltv.model_versions WHERE model IN ('churn', 'sure') ORDER BY model, version;
SELECT count(*) AS promoted FROM ltv.model_versions WHERE status <> 'candidate';

-- All that is told of a row is told through the map.
SELECT bool_and(abs(ltv.recalibrated_probability(1 - ltv.renewal_probability('churn@1', a, 12), ltv.recalibration(m)) - (1 - ltv.renewal_probability('churn@2', a, 12))) < 1e-12) AS probability,
       bool_and(abs(ltv.survival_at(ltv.predict_curve(m, a), 12) - ltv.renewal_probability(m, a, 12)) < 1e-12) AS curve,
       bool_and(abs((ltv.predict(m, a, 12)).renewal_probability - ltv.renewal_probability(m, a, 12)) < 1e-12) AS predict,
       bool_and((p).lower <= (p).renewal_probability AND (p).renewal_probability <= (p).upper) AS between,
       bool_and(abs(e.total - (e.prediction - e.baseline)) < 1e-12) AS explained
FROM accounts AS a, ltv.model('churn@2') AS m, LATERAL (SELECT ltv.predict(m, a, 12) AS p) q, LATERAL (SELECT sum(contribution) AS total, max(prediction) AS prediction, max(baseline) AS baseline FROM ltv.explain(m, a, horizon => 12)) e
WHERE account <= 40;
SELECT account, (ltv.lifetime_value('churn@1', a, revenue => 100, horizon => 24)).ltv AS before, (ltv.lifetime_value('churn@2', a, revenue => 100, horizon => 24)).ltv AS after FROM accounts AS a WHERE account <= 3;
SELECT m::text::ltv.model::text = m::text AS text_is_exact, (m::text::json ->> 'version') AS version, ltv.recalibrated(m, NULL)::text = ltv.model('churn@1')::text AS taken_off FROM ltv.model('churn@2') AS m;
SELECT ltv.predict_curve(m, a)::text::ltv.survival::text = ltv.predict_curve(m, a)::text AS curve_is_exact, round(ltv.survival_at(ltv.predict_curve(m, a), 40)::numeric, 9) AS survival
FROM (SELECT ltv.recalibrated(ltv.fit_parametric(ltv.design_agg(months, churned, ARRAY[usage]), 'weibull', ARRAY['usage']), '{"beta": {"intercept": 0.2, "event": 1.1, "survival": 0.9}}') AS m FROM accounts) x, accounts AS a WHERE account = 1;
-- What it was recalibrated on counts as seen.
SELECT DISTINCT status FROM ltv.evaluate('churn@2', 'accounts');
SELECT p ->> 'role' AS role, p ->> 'input' AS input, p ->> 'horizon' AS horizon FROM ltv.model_versions, jsonb_array_elements(profiles) AS p WHERE model = 'churn' AND version = 2 AND p ->> 'role' <> 'place';

-- Refused.
SELECT * FROM ltv.recalibrate('churn', 'accounts', 'magic');
SELECT * FROM ltv.recalibrate('churn', 'accounts', rows => 'all');
SELECT * FROM ltv.recalibrate('nothing', 'accounts');
SELECT * FROM ltv.recalibrate('churn', 'accounts', horizon => 1e6);
SELECT * FROM ltv.recalibrate('churn', 'accounts', min_events => 1000);
SELECT count(*) FROM ltv.train('seen', 'accounts', 'cox', 'months', 'churned', features => ARRAY['usage'], horizon => 12);
CREATE VIEW renamed AS SELECT * FROM accounts;
SELECT * FROM ltv.recalibrate('seen', 'accounts');
SELECT * FROM ltv.recalibrate('seen', 'renamed');
-- A holdout is known by the name of the relation: under another the rows of the training are among these.
SELECT * FROM ltv.recalibrate('churn', 'renamed');
CREATE VIEW entered AS SELECT *, months / 4 AS since FROM accounts;
SELECT count(*) FROM ltv.train('late', 'entered', 'cox', 'months', 'churned', entry => 'since', features => ARRAY['usage'], horizon => 12, holdout => '{"by": "held_out"}');
SELECT * FROM ltv.recalibrate('late', 'entered');
SELECT metric, after IS NOT NULL AS told FROM ltv.recalibrate('late', 'entered', 'intercept');
SELECT ltv.recalibrated(ltv.fit_sbg(ltv.survival_agg(i % 5 + 1, i % 3 > 0)), '{"intercept": {"log_ratio": 0.1}}') FROM generate_series(1, 50) AS i;
SELECT ltv.recalibrated_probability(1.5, '{"intercept": {"log_ratio": 0}}');
SELECT ltv.recalibrated_probability(0.5, '{"beta": {"intercept": 0, "event": -1, "survival": 1}}');
SELECT ltv.recalibrated_probability(0.5, '{"isotonic": {"predicted": [0.2, 0.2], "recalibrated": [0.1, 0.5]}}');
SELECT ltv.recalibrated_probability(0.5, '{"map": 1}');
SELECT ltv.fit_recalibration(ltv.calibration_agg(0.5, true));
SELECT ltv.fit_recalibration(ltv.calibration_agg(p, p < 0.5), 'platt') FROM unnest(ARRAY[0.1, 0.3, 0.7]) AS p;

-- Customers of a high risk are seen for a shorter time, yet the map is of the risk alone.
CREATE TABLE seen_shorter AS
SELECT i, risky, least(life, seen) AS months, life <= seen AS churned, i % 2 = 0 AS held_out
FROM (SELECT i, i % 4 < 2 AS risky, -ln(u) / CASE WHEN i % 4 < 2 THEN 0.08 ELSE 0.005 END AS life, CASE WHEN i % 4 < 2 THEN 20 * v ELSE 60 END AS seen
      FROM (SELECT i, ((hashint4extended(i, 1) & 1048575) + 0.5) / 1048576 AS u, ((hashint4extended(i, 2) & 1048575) + 0.5) / 1048576 AS v FROM generate_series(1, 8000) AS i) r) c;
SELECT DISTINCT version FROM ltv.train('shorter', 'seen_shorter', 'exponential', 'months', 'churned', features => ARRAY['risky'], holdout => '{"by": "held_out"}', horizon => 12);
SELECT r.method, m.metric, round(m.before::numeric, 3) AS before, round(m.after::numeric, 3) AS after
FROM unnest(ARRAY['platt', 'isotonic']) AS r (method), LATERAL ltv.recalibrate('shorter@1', 'seen_shorter', r.method) m WHERE m.metric LIKE 'obs%' OR m.metric LIKE 'ici%';
-- The truth: 1 - exp(-12 * 0.08) = 0.617 and 1 - exp(-12 * 0.005) = 0.058.
SELECT v, risky, round(1 - ltv.renewal_probability('shorter@' || v, r, 12)::numeric, 3) AS leaves FROM generate_series(1, 3) v, (VALUES (true), (false)) r (risky) ORDER BY risky DESC, v;
-- Brier score and ici before are what evaluate tells; the other two are weighed as the map is, by groups of like predictions, which are here those of evaluate by groups.
CREATE TABLE told AS SELECT c.censoring, e.brier, e.ici, e.log_loss, e.observed_to_expected FROM unnest(ARRAY['marginal', 'grouped']) AS c (censoring), LATERAL ltv.evaluate('shorter@1', 'seen_shorter', censoring => c.censoring) e;
SELECT t.censoring, m.metric, abs(m.before - CASE split_part(m.metric, ' ', 1) WHEN 'brier' THEN t.brier WHEN 'ici' THEN t.ici WHEN 'log_loss' THEN t.log_loss ELSE t.observed_to_expected END) < 1e-9 AS the_same
FROM ltv.recalibrate('shorter@1', 'seen_shorter', 'platt') m, told t WHERE m.metric !~ '^concordance' ORDER BY m.metric, t.censoring;

-- What the gate and the diff compare: the naive baseline of the training on the same rows, and the skill over it; the parent's value beside it.
SELECT v.version, m ->> 'metric' AS metric, round((m ->> 'value')::numeric, 6) AS value, m ->> 'baseline' AS baseline, round((m ->> 'baseline_value')::numeric, 6) AS baseline_value,
       round((m ->> 'skill')::numeric, 6) AS skill, m ->> 'parent' AS parent, round((m ->> 'parent_value')::numeric, 6) AS parent_value
FROM ltv.model_versions v, jsonb_array_elements(v.metrics) WITH ORDINALITY AS f (m, place) WHERE v.model = 'churn' AND v.version IN (1, 2) ORDER BY v.version, f.place;
SELECT bool_and(abs((m ->> 'skill')::float8 - (1 - (m ->> 'value')::float8 / (m ->> 'baseline_value')::float8)) < 1e-12) AS skill_is_over_the_baseline FROM ltv.model_versions v, jsonb_array_elements(v.metrics) AS m
WHERE v.model = 'churn' AND (m ->> 'skill') IS NOT NULL;
SELECT g.* FROM ltv.gate('churn', 2, '{"brier skill": "> 0.1", "concordance": ">= 0.6"}') AS g (metric, required, actual, passes) ORDER BY g.metric;
SELECT field, round(change::numeric, 6) AS change FROM ltv.diff('churn', 1, 2) WHERE field ~ '^(metric|skill) (brier|concordance)' ORDER BY field;
-- A rising map leaves the order; isotonic makes ties, which count half.
SELECT v.version, v.spec #>> '{recalibration,method}' AS method, round((m ->> 'value')::numeric, 6) AS concordance, round((m ->> 'parent_value')::numeric, 6) AS parent_value
FROM ltv.model_versions v, jsonb_array_elements(v.metrics) AS m WHERE v.model = 'sure' AND m ->> 'metric' = 'concordance' ORDER BY v.version;
-- On other rows the curve of the training is not known: it is that of these rows, and its name says so.
CREATE TABLE later AS SELECT account, months * 1.1 AS months, churned, usage, plan FROM accounts WHERE account % 7 < 4;
SELECT DISTINCT version FROM ltv.recalibrate('churn@1', 'later', 'platt');
SELECT m ->> 'metric' AS metric, m ->> 'baseline' AS baseline, round((m ->> 'skill')::numeric, 6) AS skill FROM ltv.model_versions v, jsonb_array_elements(v.metrics) WITH ORDINALITY AS f (m, place)
WHERE v.model = 'churn' AND v.version = 3 ORDER BY f.place;

-- Limits go through a map as they are, whatever its slope: all methods keep those of the model.
SELECT v.spec #>> '{recalibration,method}' AS method, count(*) AS rows, count(*) FILTER (WHERE (q).lower IS NULL) AS without,
       max(abs((q).lower - (1 - ltv.recalibrated_probability(1 - (p).lower, ltv.recalibration(v.fitted))))) < 1e-9 AS lower, max(abs((q).upper - (1 - ltv.recalibrated_probability(1 - (p).upper, ltv.recalibration(v.fitted))))) < 1e-9 AS upper
FROM ltv.model_versions v, accounts AS a, LATERAL (SELECT ltv.predict(ltv.recalibrated(v.fitted, NULL), a, 12) AS p, ltv.predict(v.fitted, a, 12) AS q) x
WHERE v.model IN ('churn', 'sure') AND v.spec ? 'recalibration' GROUP BY v.model, v.version, method ORDER BY v.model, v.version;
SELECT version, confidence, count(*) AS rows, count(*) FILTER (WHERE lower IS NULL) AS without_limits, min(confidence_reason) AS reason FROM unnest(ARRAY['churn@1', 'churn@2', 'sure@2']) AS m, ltv.score(m, 'accounts', 'account', explain_top => 0) GROUP BY m, version, confidence ORDER BY m, confidence;
-- Where an isotonic map says 0 or 1 there are no limits, and it is not sure.
SELECT ltv.register_version('ends', 'cox', ltv.recalibrated(v.fitted, '{"isotonic": {"predicted": [0.2, 0.6, 0.7], "recalibrated": [0, 0, 0.5]}}'), v.spec, v.n_rows, v.n_events) FROM ltv.model_versions v WHERE v.model = 'churn' AND v.version = 1;
SELECT confidence, p_event = 0 AS never, lower IS NULL AS no_limits, count(*) AS rows, min(confidence_reason) AS reason FROM ltv.score('ends', 'accounts', 'account', explain_top => 0) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
