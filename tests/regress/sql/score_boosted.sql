-- Limits of what trees predict: from the rows that train held out, in groups of like prediction.
\set ECHO none
\ir ../datasets.sql
ALTER TABLE telco ALTER partner TYPE boolean USING partner = 'Yes', ADD churned boolean GENERATED ALWAYS AS (churn_event = 1) STORED,
    ADD held_out boolean GENERATED ALWAYS AS (md5(customer_id) < '3333') STORED, ADD weight double precision DEFAULT 2, ADD entered double precision DEFAULT 0;
SET max_parallel_workers_per_gather = 0;
\set ECHO all
\set SHOW_CONTEXT never
SELECT DISTINCT version FROM ltv.train('trees', 'telco', 'boosted_hazard', 'tenure', 'churned', features => '{contract,partner,monthly_charges}', options => '{"trees": 40}',
       holdout => '{"by": "held_out"}', horizon => 12, null_policy => 'drop');
SELECT DISTINCT version FROM ltv.train('none held', 'telco', 'boosted_hazard', 'tenure', 'churned', features => '{contract,partner,monthly_charges}', options => '{"trees": 40}');
SELECT DISTINCT version FROM ltv.train('weights', 'telco', 'boosted_hazard', 'tenure', 'churned', features => '{contract}', options => '{"trees": 10}', holdout => '{"by": "held_out"}', horizon => 12, weight => 'weight');
SELECT DISTINCT version FROM ltv.train('few', 'telco', 'boosted_hazard', 'tenure', 'churned', features => '{contract}', options => '{"trees": 10}', holdout => '{"by": "customer_id", "fraction": 0.005}', horizon => 12);
SELECT DISTINCT version FROM ltv.train('line', 'telco', 'cox', 'tenure', 'churned', features => '{contract}', holdout => '{"by": "held_out"}', horizon => 12);
SELECT DISTINCT version FROM ltv.train('median', 'telco', 'boosted_hazard', 'tenure', 'churned', features => '{monthly_charges}', options => '{"trees": 10}', holdout => '{"by": "held_out"}', segment_by => '{contract}');
SELECT model, horizon, place, round(predicted_from::numeric, 4) AS predicted_from, round(predicted_to::numeric, 4) AS predicted_to, n, n_events, round(mean_predicted::numeric, 4) AS mean_predicted,
       round(observed::numeric, 4) AS observed, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper, round(lower_power::numeric, 3) AS lower_power, round(upper_power::numeric, 3) AS upper_power
FROM ltv.model_limits WHERE model = 'trees' ORDER BY place;
SELECT model, horizon, count(*) > 1 AS groups, min(n_events) >= 20 AS enough FROM ltv.model_limits GROUP BY 1, 2 ORDER BY 1, 2;
SELECT p.model, p.role, p.input, p.horizon, s.n, s.nulls FROM ltv.model_profiles AS p, LATERAL ltv.profile_summary(p.profile) AS s WHERE p.role = 'limit' ORDER BY 1;

-- A group is what Kaplan and Meier say of its rows; the means of its rows' limits are its own.
CREATE TABLE held AS SELECT t.*, ltv.renewal_probability('trees', t, 12) AS predicted FROM telco AS t WHERE held_out;
SELECT l.place, count(*) = l.n AS n, count(*) FILTER (WHERE churned AND tenure <= 12) = l.n_events AS events, abs(avg(predicted) - l.mean_predicted) < 1e-12 AS predicted,
       abs(max(i.survival) - l.observed) < 1e-12 AS observed, abs(max(i.lower) - l.lower) < 1e-12 AS lower, abs(max(i.upper) - l.upper) < 1e-12 AS upper,
       abs(avg(predicted ^ l.lower_power) - l.lower) < 1e-9 AS lower_mean, abs(avg(predicted ^ l.upper_power) - l.upper) < 1e-9 AS upper_mean
FROM ltv.model_limits AS l JOIN held AS h ON h.predicted BETWEEN l.predicted_from AND l.predicted_to,
     LATERAL (SELECT v.* FROM (SELECT ltv.survival_agg(g.tenure, g.churned) AS s FROM held AS g WHERE g.predicted BETWEEN l.predicted_from AND l.predicted_to) AS k, LATERAL ltv.survival_interval(k.s, 12) AS v) AS i
WHERE l.model = 'trees' GROUP BY l.place, l.n, l.n_events, l.mean_predicted, l.observed, l.lower, l.upper, l.lower_power, l.upper_power ORDER BY l.place;

-- As an analyst sees it.
SELECT id, round(p_renew::numeric, 4) AS p_renew, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper, confidence, confidence_reason
FROM ltv.score('trees', 'telco', 'customer_id', 12, explain_top => 0) WHERE id < '0005' ORDER BY id;
-- Each row has the power of its own prediction, and its limits hold it.
SELECT count(*), count(s.lower) AS limited, bool_and(s.lower <= s.p_renew AND s.p_renew <= s.upper AND s.lower >= 0 AND s.upper <= 1) AS holds_it,
       max(abs(s.lower - s.p_renew ^ greatest(1, l.lower_power))) < 1e-12 AS lower, max(abs(s.upper - s.p_renew ^ least(1, l.upper_power))) < 1e-12 AS upper,
       bool_and(s.confidence = CASE WHEN s.upper - s.lower <= 0.1 THEN 'high' WHEN s.upper - s.lower <= 0.25 THEN 'medium' ELSE 'low' END) AS by_width
FROM ltv.score('trees', 'telco', 'customer_id', 12, explain_top => 0) AS s
JOIN LATERAL (SELECT * FROM ltv.model_limits AS m WHERE m.model = 'trees' AND m.predicted_from <= s.p_renew ORDER BY m.place DESC LIMIT 1) AS l ON true WHERE s.lower IS NOT NULL AND s.out_of_range_features IS NULL;
-- The score of a row never depends on the batch.
CREATE VIEW batch AS SELECT * FROM telco WHERE customer_id < '0100';
SELECT count(*), bool_and(to_jsonb(a) - 'scored_at' = to_jsonb(b) - 'scored_at') AS same FROM ltv.score('trees', 'batch', 'customer_id') AS a JOIN ltv.score('trees', 'telco', 'customer_id') AS b USING (id);

-- Where the rows held out say nothing, there are no limits and the reason is told.
SELECT 'other horizon' AS asked, confidence, confidence_reason, count(*), count(lower) AS limited FROM ltv.score('trees', 'batch', 'customer_id', 6, explain_top => 0) GROUP BY 2, 3
UNION ALL SELECT 'none held', confidence, confidence_reason, count(*), count(lower) FROM ltv.score('none held', 'batch', 'customer_id', 12, explain_top => 0) GROUP BY 2, 3
UNION ALL SELECT 'weights', confidence, confidence_reason, count(*), count(lower) FROM ltv.score('weights', 'batch', 'customer_id', 12, explain_top => 0) GROUP BY 2, 3
UNION ALL SELECT 'too few', confidence, confidence_reason, count(*), count(lower) FROM ltv.score('few', 'batch', 'customer_id', 12, explain_top => 0) GROUP BY 2, 3
UNION ALL SELECT 'given an age', confidence, confidence_reason, count(*), count(lower) FROM ltv.score('trees', 'batch', 'customer_id', 12, given => 'tenure', explain_top => 0) WHERE id IN (SELECT customer_id FROM telco WHERE tenure BETWEEN 1 AND 50) GROUP BY 2, 3
UNION ALL SELECT 'given 0', confidence, NULL, count(*), count(lower) FROM ltv.score('trees', 'batch', 'customer_id', 12, given => 'entered', explain_top => 0) WHERE id = '0004-TLHLJ' GROUP BY 2
ORDER BY 1, 2, 3;
CREATE VIEW odd AS SELECT 1 AS id, 'Month-to-month' AS contract, true AS partner, 1e6 AS monthly_charges UNION ALL SELECT 2, NULL, true, 50 UNION ALL SELECT 3, 'Weekly', true, 50;
SELECT id, lower IS NULL AS no_limits, confidence, confidence_reason, abstain FROM ltv.score('trees', 'odd', 'id', 12, explain_top => 0) ORDER BY id;
-- A prediction that no row held out had.
SELECT ltv.register_version('narrow', v.algorithm, v.fitted, v.spec, v.n_rows, v.n_events, profiles => (SELECT jsonb_agg(CASE e ->> 'role' WHEN 'limit' THEN jsonb_set(e, '{groups}', jsonb_build_array(e #> '{groups,1}')) ELSE e END ORDER BY at) FROM jsonb_array_elements(v.profiles) WITH ORDINALITY AS o (e, at)))
FROM ltv.model_versions AS v WHERE v.model = 'trees';
SELECT n.lower IS NOT NULL AS limited, n.confidence_reason LIKE 'the limits are %' AS as_limited, min(n.confidence_reason) FILTER (WHERE n.lower IS NULL) AS reason, bool_and(n.lower IS NULL OR n.lower = t.lower AND n.upper = t.upper) AS same_limits
FROM ltv.score('narrow', 'telco', 'customer_id', 12, explain_top => 0) AS n JOIN ltv.score('trees', 'telco', 'customer_id', 12, explain_top => 0) AS t USING (id) WHERE n.out_of_range_features IS NULL GROUP BY 1, 2 ORDER BY 1, 2;

-- Part of the version: sealed, exported, imported; a recalibrated version predicts otherwise and has none; drift is as it was.
SELECT ltv.verify('trees', 1);
CREATE TABLE file AS SELECT ltv.export_model('trees', 1) AS document;
SELECT ltv.import_model(document, as_model => 'copy') FROM file;
SELECT count(*) > 1 AS groups, bool_and(to_jsonb(a) - 'model' = to_jsonb(b) - 'model') AS same FROM ltv.model_limits AS a JOIN ltv.model_limits AS b USING (place) WHERE a.model = 'trees' AND b.model = 'copy';
SELECT DISTINCT version, parent FROM ltv.recalibrate('trees', 'held', method => 'platt', horizon => 12);
SELECT DISTINCT p.version, p.role FROM ltv.model_profiles AS p WHERE p.model = 'trees' AND p.role IN ('limit', 'prediction') ORDER BY 1, 2;
SELECT DISTINCT role FROM ltv.drift('trees@1', 'telco') AS d JOIN ltv.model_profiles AS p ON p.input = d.input AND p.model = 'trees' ORDER BY 1;
UPDATE ltv.model_versions SET profiles = jsonb_set(profiles, '{5,groups,0,lower_power}', '1') WHERE model = 'copy';
SELECT ltv.verify('copy', 1);
SELECT ltv.check_profiles(profiles) FROM ltv.model_versions WHERE model = 'trees' AND version = 1;
SELECT ltv.check_profiles((SELECT jsonb_agg(e - 'groups') FROM jsonb_array_elements(profiles) AS e)) FROM ltv.model_versions WHERE model = 'trees' AND version = 1;
CREATE FUNCTION refused(document jsonb) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM ltv.check_profiles(document); RETURN 'accepted'; EXCEPTION WHEN OTHERS THEN RETURN sqlstate; END $$;
SELECT c.path, c.value, refused(jsonb_build_array(jsonb_set(e, c.path, c.value)))
FROM ltv.model_versions AS v, jsonb_array_elements(v.profiles) AS e, (VALUES (1, '{groups}'::text[], '[]'::jsonb), (2, '{groups}', '1'), (3, '{groups,0}', '1'), (4, '{groups,0}', '{}'), (5, '{groups,0,from}', '-1'), (6, '{groups,0,to}', '1.5'),
     (7, '{groups,0,rows}', '0'), (8, '{groups,0,lower_power}', '0'), (9, '{groups,0,upper_power}', '0'), (10, '{groups,0,lower_power}', '1e16'), (11, '{groups,0,lower_power}', '"a"'), (12, '{groups,0,rows}', 'null'), (13, '{horizon}', 'null'), (14, '{groups,0,rate}', '0.9')) AS c (place, path, value)
WHERE v.model = 'trees' AND v.version = 1 AND e ->> 'role' = 'limit' ORDER BY c.place;

-- Simulated: the mean truth of like rows that nobody has seen is within the means of their limits.
CREATE TABLE book AS SELECT i, i % 3 AS part, a, b, exp(-0.3 * r) AS truth, least(e / r, c) AS months, e / r <= c AS left_us
FROM (SELECT i, u[1] AS a, u[2] AS b, -ln(u[3]) / 0.025 AS e, 30 * u[4] AS c, 0.3 + 4 * abs(u[1] - 0.5) + 2 * (u[2] > 0.6)::int * u[1] AS r
      FROM (SELECT i, array_agg(((hashtextextended(i || '/' || k, 0) & 1048575) + 0.5) / 1048576 ORDER BY k)::float8[] AS u FROM generate_series(1, 9000) AS i, generate_series(1, 4) AS k GROUP BY i) AS h) AS q;
CREATE VIEW known AS SELECT i, a, b, months, left_us, part = 1 AS held FROM book WHERE part < 2;
CREATE VIEW fresh AS SELECT * FROM book WHERE part = 2;
SELECT DISTINCT version FROM ltv.train('simulated', 'known', 'boosted_hazard', 'months', 'left_us', features => '{a,b}', options => '{"trees": 60, "depth": 3}', holdout => '{"by": "held"}', horizon => 12);
SELECT count(*) AS groups, count(*) FILTER (WHERE truth BETWEEN lower AND upper) AS within, bool_and(upper - lower < 0.2) AS narrow
FROM (SELECT l.place, avg(f.truth) AS truth, avg(s.lower) AS lower, avg(s.upper) AS upper FROM ltv.score('simulated', 'fresh', 'i', 12, explain_top => 0) AS s JOIN fresh AS f ON f.i::text = s.id
      JOIN ltv.model_limits AS l ON l.model = 'simulated' AND s.p_renew BETWEEN l.predicted_from AND l.predicted_to GROUP BY 1) AS g;
