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
SELECT 'none held' AS asked, confidence, confidence_reason, count(*), count(lower) AS limited FROM ltv.score('none held', 'batch', 'customer_id', 12, explain_top => 0) GROUP BY 2, 3
UNION ALL SELECT 'weights', confidence, confidence_reason, count(*), count(lower) FROM ltv.score('weights', 'batch', 'customer_id', 12, explain_top => 0) GROUP BY 2, 3
UNION ALL SELECT 'too few', confidence, confidence_reason, count(*), count(lower) FROM ltv.score('few', 'batch', 'customer_id', 12, explain_top => 0) GROUP BY 2, 3
UNION ALL SELECT 'too short', confidence, confidence_reason, count(*), count(lower) FROM ltv.score('trees', 'batch', 'customer_id', 0.5, explain_top => 0) GROUP BY 2, 3
UNION ALL SELECT 'given 0', confidence, NULL, count(*), count(lower) FROM ltv.score('trees', 'batch', 'customer_id', 12, given => 'entered', explain_top => 0) WHERE id = '0004-TLHLJ' GROUP BY 2
UNION ALL SELECT 'segments, other horizon', confidence, confidence_reason, count(*), count(lower) FROM ltv.score('median', 'batch', 'customer_id', 6, explain_top => 0) GROUP BY 2, 3
UNION ALL SELECT 'segments, given an age', confidence, confidence_reason, count(*), count(lower) FROM ltv.score('median', 'batch', 'customer_id', 10, given => 'tenure', explain_top => 0)
    WHERE id IN (SELECT customer_id FROM telco WHERE tenure BETWEEN 1 AND 40) AND status = 'ok' GROUP BY 2, 3
ORDER BY 1, 2, 3;

-- At any other horizon, and given any age, of the rows held out that were still watched.
SELECT v.model, s.*, length(e ->> 'held_out') AS characters FROM ltv.model_versions AS v, jsonb_array_elements(v.profiles) AS e, ltv.held_out_summary(e ->> 'held_out') AS s WHERE e ->> 'role' = 'limit' ORDER BY 1;
SELECT a.given, a.horizon, l.place, round(l.predicted_from::numeric, 4) AS predicted_from, round(l.predicted_to::numeric, 4) AS predicted_to, l.n, l.n_events, round(l.mean_predicted::numeric, 4) AS mean_predicted,
       round(l.observed::numeric, 4) AS observed, round(l.lower::numeric, 4) AS lower, round(l.upper::numeric, 4) AS upper, round(l.lower_power::numeric, 3) AS lower_power, round(l.upper_power::numeric, 3) AS upper_power
FROM (VALUES (0, 6), (0, 24), (12, 12), (36, 24)) AS a (given, horizon), LATERAL ltv.model_limits('trees', a.horizon, a.given) AS l ORDER BY 1, 2, 3;
-- At the horizon of training the groups are those kept; asked of the rows, each of which is kept as it was, they are the same.
SELECT count(*) AS groups, bool_and(to_jsonb(f) = to_jsonb(v) - '{model,version,horizon}'::text[]) AS same, bool_and(to_jsonb(f) = to_jsonb(g)) AS same_at_12
FROM ltv.model_limits('trees') AS f JOIN ltv.model_limits AS v ON v.model = 'trees' AND v.version = 1 AND v.place = f.place JOIN ltv.model_limits('trees@1', 12) AS g ON g.place = f.place;
SELECT count(*) AS groups, bool_and(f.n = o.n AND f.n_events = o.n_events AND f.predicted_from = o.predicted_from AND f.predicted_to = o.predicted_to) AS n, max(abs(f.observed - o.observed)) < 1e-12 AS observed,
       max(abs(f.lower - o.lower)) < 1e-12 AS lower, max(abs(f.upper - o.upper)) < 1e-12 AS upper, max(abs(f.lower_power / o.lower_power - 1)) < 1e-9 AS lower_power, max(abs(f.upper_power / o.upper_power - 1)) < 1e-9 AS upper_power
FROM ltv.model_limits('trees') AS f, (SELECT v.fitted, e ->> 'held_out' AS held_out FROM ltv.model_versions AS v, jsonb_array_elements(v.profiles) AS e WHERE v.model = 'trees' AND e ->> 'role' = 'limit') AS k,
     LATERAL ltv.held_out_limits(k.fitted, k.held_out, 12) AS o WHERE o.place = f.place;
-- A group is what Kaplan and Meier say of its rows from the age on; the means of its rows' limits are its own.
SELECT a.given, a.horizon, l.place, count(*) = l.n AS n, count(*) FILTER (WHERE churned AND tenure <= a.given + a.horizon) = l.n_events AS events, abs(avg(h.p) - l.mean_predicted) < 1e-9 AS predicted,
       abs(max(i.survival) - l.observed) < 1e-12 AS observed, abs(max(i.lower) - l.lower) < 1e-12 AS lower, abs(max(i.upper) - l.upper) < 1e-12 AS upper,
       abs(avg(h.p ^ l.lower_power) - l.lower) < 1e-9 AS lower_mean, abs(avg(h.p ^ l.upper_power) - l.upper) < 1e-9 AS upper_mean
FROM (VALUES (0, 6), (0, 24), (12, 12), (36, 24)) AS a (given, horizon), LATERAL ltv.model_limits('trees', a.horizon, a.given) AS l,
     LATERAL (SELECT g.tenure, g.churned, ltv.renewal_probability('trees', g, a.horizon, a.given) AS p FROM held AS g WHERE g.tenure > a.given OR a.given = 0 OFFSET 0) AS h,
     LATERAL (SELECT v.* FROM (SELECT ltv.survival_agg(g.tenure - a.given, g.churned) AS s FROM held AS g WHERE (g.tenure > a.given OR a.given = 0) AND ltv.renewal_probability('trees', g, a.horizon, a.given) BETWEEN l.predicted_from AND l.predicted_to) AS k,
              LATERAL ltv.survival_interval(k.s, a.horizon) AS v) AS i
WHERE h.p BETWEEN l.predicted_from AND l.predicted_to
GROUP BY a.given, a.horizon, l.place, l.n, l.n_events, l.mean_predicted, l.observed, l.lower, l.upper, l.lower_power, l.upper_power ORDER BY 1, 2, 3;
-- Each row has the power of its own prediction, and its limits hold it, whatever else is scored.
CREATE VIEW aged AS SELECT *, CASE WHEN customer_id < '5' THEN 12 ELSE 24 END AS age FROM telco;
SELECT count(*), count(s.lower) AS limited, bool_and(s.lower <= s.p_renew AND s.p_renew <= s.upper AND s.lower >= 0 AND s.upper <= 1) AS holds_it,
       max(abs(s.lower - s.p_renew ^ greatest(1, l.lower_power))) < 1e-12 AS lower, max(abs(s.upper - s.p_renew ^ least(1, l.upper_power))) < 1e-12 AS upper,
       bool_and(s.confidence_reason LIKE format('%%: by Kaplan-Meier of %s rows of like prediction, of %% held out that were still watched at %s', l.n, a.age)) AS reason
FROM ltv.score('trees', 'aged', 'customer_id', 6, given => 'age', explain_top => 0) AS s JOIN aged AS a ON a.customer_id = s.id
JOIN LATERAL (SELECT * FROM (SELECT 12 AS age, l.* FROM ltv.model_limits('trees', 6, 12) AS l UNION ALL SELECT 24, l.* FROM ltv.model_limits('trees', 6, 24) AS l) AS m
              WHERE m.age = a.age AND m.predicted_from <= s.p_renew ORDER BY m.place DESC LIMIT 1) AS l ON true WHERE s.lower IS NOT NULL AND s.out_of_range_features IS NULL;
SELECT id, round(p_renew::numeric, 4) AS p_renew, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper, confidence, confidence_reason
FROM ltv.score('trees', 'batch', 'customer_id', 12, given => 'tenure', explain_top => 0) WHERE id < '0019' ORDER BY id;
SELECT count(*), count(a.lower) AS limited, bool_and(to_jsonb(a) - 'scored_at' = to_jsonb(b) - 'scored_at') AS same
FROM ltv.score('trees', 'batch', 'customer_id', 9, given => 'tenure') AS a JOIN ltv.score('trees', 'telco', 'customer_id', 9, given => 'tenure') AS b USING (id);
-- Of one row by itself.
SELECT p.renewal_probability IS NOT NULL AS predicted, i.lower = s.lower AS lower, i.upper = s.upper AS upper, i.n, i.n_held_out, i.status
FROM telco AS t, LATERAL ltv.predict('trees', t, 24, 12) AS p, ltv.model_versions AS v, jsonb_array_elements(v.profiles) AS e,
     LATERAL ltv.held_out_interval(v.fitted, e ->> 'held_out', p.renewal_probability, p.linear_predictor, 24, 12) AS i, ltv.score('trees', 'aged', 'customer_id', 24, given => 'age', explain_top => 0) AS s
WHERE v.model = 'trees' AND e ->> 'role' = 'limit' AND s.id = t.customer_id AND t.customer_id = '0004-TLHLJ';
-- What is no text of rows held out, and a model without proportional hazards.
CREATE FUNCTION told(held_out text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM ltv.held_out_summary(held_out); RETURN 'accepted'; EXCEPTION WHEN OTHERS THEN RETURN sqlstate || ': ' || sqlerrm; END $$;
SELECT place, told(text) FROM (VALUES (1, '{"version":1,"time":[1,2],"risk":[0.5],"exits":[[0,1,2,1,0,3]]}'), (2, ''), (3, '{"version":2,"time":[1],"risk":[0],"exits":[[0,1,0]]}'), (4, '{"version":1,"time":[2,1],"risk":[0],"exits":[[0,1,0]]}'),
    (5, '{"version":1,"time":[1],"risk":[0],"exits":[[0,1]]}'), (6, '{"version":1,"time":[1],"risk":[0,1],"exits":[[0,1,0]]}'), (7, '{"version":1,"time":[1],"risk":[0],"exits":[[7,1,0]]}'), (8, '{"version":1,"time":[1],"risk":[0],"exits":[[0,-1,0]]}'),
    (9, '{"version":1,"time":[1],"risk":[1e9],"exits":[[0,1,0]]}'), (10, '{"version":1,"time":[1],"risk":[0],"risk_from":[1],"exits":[[0,1,0]]}'), (11, '{"version":1,"time":[1],"time_from":[],"risk":[0],"exits":[[0,1,0]]}'),
    (12, '{"version":1,"time":[1],"risk":[0],"exits":[[0,9007199254740993,0]]}'), (13, '{"version":1,"time":[1,2],"risk":[0],"exits":[[1,1,0]],"entries":[[0,1]]}'),
    (14, '{"version":1,"time":[1,2],"risk":[0],"exits":[[1,1,0]],"entries":[[0,2]]}'), (15, '{"version":1,"time":[1,2],"risk":[0],"exits":[[1,1,0]],"entries":[[0]]}')) AS t (place, text) ORDER BY 1;
SELECT * FROM ltv.held_out_summary('{"version":1,"time":[1,2],"risk":[0.5],"exits":[[0,1,2,1,0,3]]}');
SELECT * FROM ltv.held_out_limits(ltv.model('line'), '{"version":1,"time":[1,2],"risk":[0.5],"exits":[[0,1,2,1,0,3]]}', 1);
SELECT * FROM ltv.held_out_interval(ltv.model('trees'), '{"version":1,"time":[1,2],"risk":[0.5],"exits":[[0,1,2,1,0,3]]}', 0.5, 0.5, 1);
SELECT * FROM ltv.held_out_interval(ltv.model('trees'), '{"version":1,"time":[1,2],"risk":[0.5],"exits":[[0,1,2,1,0,3]]}', 1.5, 0.5, 1);
-- Rows that are watched from later on are at risk from then on.
CREATE VIEW late AS SELECT *, CASE WHEN md5(customer_id || 'late') < '6' THEN tenure / 3 ELSE 0 END AS since FROM telco WHERE tenure > 0;
SELECT DISTINCT version FROM ltv.train('late', 'late', 'boosted_hazard', 'tenure', 'churned', features => '{contract,partner,monthly_charges}', options => '{"trees": 40}', entry => 'since', holdout => '{"by": "held_out"}', horizon => 12, null_policy => 'drop');
CREATE TABLE late_held AS SELECT * FROM late WHERE held_out;
SELECT a.given, a.horizon, l.place, l.n, l.n_events, round(l.observed::numeric, 4) AS observed, count(*) FILTER (WHERE h.since <= a.given) = l.n AS n_is, count(*) FILTER (WHERE churned AND tenure <= a.given + a.horizon) = l.n_events AS events_are,
       abs(max(i.survival) - l.observed) < 1e-12 AS observed_is, abs(max(i.lower) - l.lower) < 1e-12 AS lower, abs(max(i.upper) - l.upper) < 1e-12 AS upper,
       abs(avg(h.p ^ l.lower_power) FILTER (WHERE h.since <= a.given) - l.lower) < 1e-9 AS lower_mean, abs(avg(h.p ^ l.upper_power) FILTER (WHERE h.since <= a.given) - l.upper) < 1e-9 AS upper_mean
FROM (VALUES (0, 12), (6, 24)) AS a (given, horizon), LATERAL ltv.model_limits('late', a.horizon, a.given) AS l,
     LATERAL (SELECT g.tenure, g.churned, g.since, ltv.renewal_probability('late', g, a.horizon, a.given) AS p FROM late_held AS g WHERE g.tenure > a.given OFFSET 0) AS h,
     LATERAL (SELECT v.* FROM (SELECT ltv.survival_agg(greatest(g.since - a.given, 0)::float8, (g.tenure - a.given)::float8, g.churned) AS s FROM late_held AS g
                               WHERE g.tenure > a.given AND ltv.renewal_probability('late', g, a.horizon, a.given) BETWEEN l.predicted_from AND l.predicted_to) AS k, LATERAL ltv.survival_interval(k.s, a.horizon) AS v) AS i
WHERE h.p BETWEEN l.predicted_from AND l.predicted_to GROUP BY a.given, a.horizon, l.place, l.n, l.n_events, l.observed, l.lower, l.upper ORDER BY 1, 2, 3;
SELECT count(*), count(lower) AS limited, bool_and(lower <= p_renew AND p_renew <= upper) AS hold_it FROM ltv.score('late', 'late', 'customer_id', 12, explain_top => 0) WHERE out_of_range_features IS NULL;
SELECT count(*) FROM ltv.model_limits WHERE model = 'late';
-- No limits, no rows.
SELECT (SELECT count(*) FROM ltv.model_limits('trees', 0.5)) AS short, (SELECT count(*) FROM ltv.model_limits('trees', 12, 500)) AS old, (SELECT count(*) FROM ltv.model_limits('few')) AS few, (SELECT count(*) FROM ltv.model_limits('none held', 6)) AS none_held,
       (SELECT count(*) FROM ltv.model_limits('line', 6)) AS line, (SELECT count(*) > 0 FROM ltv.model_limits('median')) AS segments, (SELECT count(*) FROM ltv.model_limits('median', 6)) AS segments_6;
SELECT * FROM ltv.model_limits('trees', -1);
SELECT * FROM ltv.model_limits('trees', 12, -1);
SELECT * FROM ltv.model_limits('nobody');
-- A version that was stored before rows were kept has limits at its own horizon from the start on.
SELECT ltv.register_version('before', v.algorithm, v.fitted, v.spec, v.n_rows, v.n_events, profiles => (SELECT jsonb_agg(e - 'held_out' ORDER BY at) FROM jsonb_array_elements(v.profiles) WITH ORDINALITY AS o (e, at)))
FROM ltv.model_versions AS v WHERE v.model = 'trees';
SELECT count(*), bool_and(to_jsonb(a) - '{scored_at,model}'::text[] = to_jsonb(b) - '{scored_at,model}'::text[]) AS same FROM ltv.score('before', 'batch', 'customer_id', 12) AS a JOIN ltv.score('trees', 'batch', 'customer_id', 12) AS b USING (id);
SELECT 6 AS horizon, confidence_reason, count(*), count(lower) AS limited FROM ltv.score('before', 'batch', 'customer_id', 6, explain_top => 0) GROUP BY 2
UNION ALL SELECT 12, confidence_reason, count(*), count(lower) FROM ltv.score('before', 'batch', 'customer_id', 12, given => 'tenure', explain_top => 0) WHERE id IN (SELECT customer_id FROM telco WHERE tenure BETWEEN 1 AND 50) GROUP BY 2 ORDER BY 1, 2;
SELECT count(*) FROM ltv.model_limits('before', 6);

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
SELECT ltv.check_profiles((SELECT jsonb_agg(e - 'groups' - 'held_out') FROM jsonb_array_elements(profiles) AS e)) FROM ltv.model_versions WHERE model = 'trees' AND version = 1;
CREATE FUNCTION refused(document jsonb) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM ltv.check_profiles(document); RETURN 'accepted'; EXCEPTION WHEN OTHERS THEN RETURN sqlstate; END $$;
SELECT c.path, c.value, refused(jsonb_build_array(jsonb_set(e, c.path, c.value)))
FROM ltv.model_versions AS v, jsonb_array_elements(v.profiles) AS e, (VALUES (1, '{groups}'::text[], '[]'::jsonb), (2, '{groups}', '1'), (3, '{groups,0}', '1'), (4, '{groups,0}', '{}'), (5, '{groups,0,from}', '-1'), (6, '{groups,0,to}', '1.5'),
     (7, '{groups,0,rows}', '0'), (8, '{groups,0,lower_power}', '0'), (9, '{groups,0,upper_power}', '0'), (10, '{groups,0,lower_power}', '1e16'), (11, '{groups,0,lower_power}', '"a"'), (12, '{groups,0,rows}', 'null'), (13, '{horizon}', 'null'), (14, '{groups,0,rate}', '0.9'),
     (15, '{held_out}', '1'), (16, '{held_out}', 'null'), (17, '{held_out}', '"rows"'), (18, '{held_out}', '"{}"'), (19, '{held_out}', '{"version": 1}')) AS c (place, path, value)
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
-- The same in other windows, each row counting as the share of those like it that last until the age.
SELECT a.given, a.horizon, count(*) AS groups, count(*) FILTER (WHERE g.truth BETWEEN g.lower AND g.upper) AS within
FROM (VALUES (0, 6), (0, 24), (6, 12), (12, 6)) AS a (given, horizon),
     LATERAL (SELECT l.place, sum(r.still * exp(-0.025 * r.r * a.horizon)) AS truth, sum(r.still * s.p ^ l.lower_power) AS lower, sum(r.still * s.p ^ l.upper_power) AS upper
              FROM ltv.model_limits('simulated', a.horizon, a.given) AS l JOIN LATERAL (SELECT f.truth, ltv.renewal_probability('simulated', f, a.horizon, a.given) AS p FROM fresh AS f) AS s ON s.p BETWEEN l.predicted_from AND l.predicted_to,
                   LATERAL (SELECT -ln(s.truth) / 0.3 AS r, s.truth ^ (a.given / 12.0) AS still) AS r GROUP BY 1) AS g
GROUP BY 1, 2 ORDER BY 1, 2;
