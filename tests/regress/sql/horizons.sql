-- For how long ahead a version is judged, and answers when nothing else is asked.
\set QUIET on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ltv;
CREATE FUNCTION message_of(query text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE query; RETURN 'no error'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
CREATE TABLE sim AS
SELECT i AS id, (ARRAY['basic', 'plus', 'pro'])[1 + i % 3] AS plan, (hashint8extended(i, 1) & 1048575)::float8 / 1048576 AS usage, i % 2 = 0 AS autopay,
       date '2024-01-01' + i % 700 AS started, -ln(((hashint8extended(i, 2) & 1048575) + 0.5) / 1048576) * 30 * exp((i % 3 - 1) * 0.8) AS life
FROM generate_series(1, 2000) i;
ALTER TABLE sim ADD months double precision, ADD churned boolean, ADD sparse real, ADD days double precision;
UPDATE sim SET months = least(life, (date '2026-01-01' - started) / 30.4375), churned = life <= (date '2026-01-01' - started) / 30.4375, sparse = CASE WHEN id % 9 > 0 THEN usage END;
UPDATE sim SET days = months * 30.4375;
\set QUIET off

-- A holdout of the latest three months: the median time of the events lies beyond what it has seen.
SELECT metric, value IS NOT NULL AS judged, warnings FROM ltv.train('late', 'sim', 'cox', 'months', 'churned', features => '{plan,usage}', holdout => '{"by": "started", "last": "3 months"}') ORDER BY metric;
SELECT n, value, detail, verdict FROM ltv.train_plan('late', 'sim', 'cox', 'months', 'churned', features => '{plan,usage}', holdout => '{"by": "started", "last": "3 months"}') WHERE item = 'horizon' ORDER BY value;
-- At least a tenth of the rows held out are seen beyond it.
SELECT count(*) FILTER (WHERE months > ltv.model_horizon('late')) >= 0.1 * count(*) AS seen FROM sim WHERE started > (SELECT max(started) - interval '3 months' FROM sim);
-- By a hash it binds not: two digits of the median.
SELECT metric, value IS NOT NULL AS judged, warnings FROM ltv.train('hash', 'sim', 'cox', 'months', 'churned', features => '{plan,usage}', holdout => '{"by": "id", "fraction": 0.3}') ORDER BY metric;
SELECT metric, warnings FROM ltv.train('all', 'sim', 'cox', 'months', 'churned', features => '{plan,usage}') ORDER BY metric;
SELECT abs(ltv.model_horizon('all') / percentile_disc(0.5) WITHIN GROUP (ORDER BY months) - 1) < 0.05 AS is_the_median FROM sim WHERE churned;
-- In days, as asked.
SELECT metric, value IS NOT NULL AS judged FROM ltv.train('days', 'sim', 'cox', 'days', 'churned', features => '{plan,usage,autopay}', holdout => '{"by": "id", "fraction": 0.3}', horizon => 300) ORDER BY metric;

-- One horizon, whoever is asked.
SELECT m.name, ltv.model_horizon(m.name) AS horizon, (SELECT DISTINCT p.horizon FROM ltv.model_profiles p WHERE p.model = m.name AND p.role = 'prediction') AS stored,
       (SELECT DISTINCT s.horizon FROM ltv.score(m.name, 'sim', 'id', explain_top => 0) s) AS scored, (SELECT e.horizon FROM ltv.evaluate(m.name, 'sim') e) AS judged
FROM (VALUES ('late'), ('hash'), ('all'), ('days')) AS m (name) ORDER BY m.name;
SELECT abs(p.event_probability - e.prediction) < 1e-12 AND p.event_probability = q.event_probability AND p.event_probability = s.p_event AS same, r.event_probability < p.event_probability AS a_value_has_12
FROM sim d, ltv.predict('days', d) p, ltv.predict('days', d, 300) q, ltv.explain('days', d, 1) e, ltv.predict(ltv.model('days'), d) r, ltv.score('days', 'sim', 'id') s WHERE d.id = 7 AND s.id = '7' AND e.rank = 1 ORDER BY 1;
SELECT a.feature, a.importance = b.importance AS same, a.importance > 0.001 AS tells, a.n, a.status FROM ltv.importance('days', 'sim', repeats => 1) a JOIN ltv.importance('days', 'sim', 300, repeats => 1) b USING (feature) WHERE a.feature = 'plan' ORDER BY 1;
SELECT a.value, a.event_probability = b.event_probability AND a.event_probability > 0.05 AS same, a.n, a.status FROM ltv.partial_dependence('days', 'sim', 'plan') a JOIN ltv.partial_dependence('days', 'sim', 'plan', horizon => 300) b USING (value) ORDER BY 1;
-- Those that would not say: now the training's.
SELECT count(*) AS bins FROM ltv.calibration('all', 'sim', bins => 3);
SELECT count(*) AS buckets FROM ltv.lift('all', 'sim', buckets => 3);
SELECT count(*) AS segments FROM ltv.fairness('all', 'sim', '{plan}');
SELECT a.predicted_retention = b.predicted_retention AS same FROM ltv.predicted_vs_actual('all', 'sim') a, ltv.predicted_vs_actual('all', 'sim', ltv.model_horizon('all')) b ORDER BY 1;
SELECT count(*) > 0 AS cells FROM ltv.error_hotspots('all', 'sim');
SELECT status FROM ltv.best_threshold('all', 'sim', benefit => 10, cost => 1) ORDER BY 1;
SELECT count(*) > 0 AS thresholds FROM ltv.precision_recall('all', 'sim');
-- A version whose training kept no profile: what its specification says, else 12; and what has no horizon.
SELECT ltv.register_version('by hand', 'cox', ltv.model('all'), '{"duration": "months", "event": "churned", "horizon": 7}', 10, 5) AS version;
SELECT ltv.register_version('silent', 'cox', ltv.model('all'), '{"duration": "months", "event": "churned"}', 10, 5) AS version;
SELECT ltv.model_horizon('by hand') AS told, ltv.model_horizon('silent') AS silent, ltv.model_horizon(NULL::text) IS NULL AS of_null;
SELECT horizon FROM ltv.evaluate('silent', 'sim') ORDER BY 1;
SELECT q.query, message_of(q.query) FROM (VALUES (1, $$SELECT ltv.model_horizon('nobody')$$), (2, $$SELECT * FROM ltv.evaluate('all', 'sim', '{NULL,5}')$$),
    (3, $$SELECT * FROM ltv.importance('hash', 'sim', rows => 'some')$$), (4, $$SELECT * FROM ltv.partial_dependence('hash', 'sim', 'plan', rows => 'some')$$),
    (5, $$SELECT * FROM ltv.partial_dependence('all', 'sim', 'plan', rows => 'holdout')$$), (6, $$SELECT * FROM ltv.segment_profile('sim', 'plan', '{started}')$$)) AS q (place, query) ORDER BY q.place;

-- The rows that training held out, or all of them, in sample.
SELECT a.feature, a.n, a.status, b.n AS n_all, b.status AS status_all FROM ltv.importance('hash', 'sim', repeats => 1) a JOIN ltv.importance('hash', 'sim', repeats => 1, rows => 'all') b USING (feature) ORDER BY 1;
SELECT n = (SELECT n FROM ltv.evaluate('hash', 'sim')) AS as_evaluate FROM ltv.importance('hash', 'sim', repeats => 1) WHERE rank = 1 ORDER BY 1;
SELECT a.value, a.n, a.status, b.n AS n_all, b.status AS status_all FROM ltv.partial_dependence('hash', 'sim', 'plan') a JOIN ltv.partial_dependence('hash', 'sim', 'plan', rows => 'all') b USING (value) ORDER BY 1;

-- What was filled in is told; an age that is negative too.
SELECT DISTINCT warnings FROM ltv.train('filled', 'sim', 'cox', 'months', 'churned', features => '{plan,sparse,autopay}', null_policy => 'impute', horizon => 6, holdout => '{"by": "id", "fraction": 0.3}') ORDER BY 1;
SELECT id, confidence, regexp_replace(confidence_reason, '0\.[0-9]+', '#', 'g') AS confidence_reason, status FROM ltv.score('filled', 'sim', 'id', 6) WHERE id IN ('8', '9') ORDER BY id;
CREATE VIEW one AS SELECT * FROM sim WHERE id = 9;
SELECT (SELECT s.confidence_reason FROM ltv.score('filled', 'one', 'id') s) = (SELECT s.confidence_reason FROM ltv.score('filled', 'sim', 'id') s WHERE s.id = '9') AS same_alone;
CREATE VIEW aged AS SELECT s.*, ('{-2,NaN,NULL,Infinity,3}'::float8[])[s.id] AS age FROM sim s WHERE s.id < 6;
SELECT id, confidence, abstain, abstain_reason, risk_percentile IS NOT NULL AS ranked FROM ltv.score('hash', 'aged', 'id', given => 'age') ORDER BY id;
-- Reals with their own digits.
CREATE TABLE brief (plan text, sparse real, autopay boolean);
INSERT INTO brief VALUES ('basic', 0.1, true);
SELECT feature, value FROM brief b, ltv.explain('filled', b) ORDER BY feature;
CREATE VIEW lacking AS SELECT id, months, churned, CASE WHEN id <> 5 THEN usage END AS usage FROM sim;
SELECT message_of($$SELECT * FROM ltv.train('lacks', 'lacking', 'cox', 'months', 'churned', features => '{usage}')$$);

-- Levers of categories that may be missing, and of true and false, there and back.
SELECT s.id, l.lever, l.step, l.from_value, l.to_value, sign(l.delta) AS delta FROM sim s, ltv.levers('filled', s, ltv.contract_terms(100)) l WHERE s.id IN (3, 4) AND l.lever IN ('plan', 'autopay') ORDER BY s.id, l.lever, l.to_value;
SELECT a.delta + b.delta = 0 AS there_and_back FROM sim s, LATERAL (SELECT l.* FROM ltv.levers('filled', s, ltv.contract_terms(100)) l WHERE l.lever = 'autopay') a,
     LATERAL (SELECT l.* FROM ltv.levers(ltv.model('filled'), ROW(s.plan, s.sparse, NOT s.autopay)::brief, ltv.contract_terms(100)) l WHERE l.lever = 'autopay') b WHERE s.id = 4 ORDER BY 1;
