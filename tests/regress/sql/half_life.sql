-- A half-life is about what to learn from: the rows held out are judged as they are, by train as by evaluate, importance and recalibrate.
\set ECHO none
CREATE TABLE customers AS
SELECT i AS id, (ARRAY['basic', 'pro', 'enterprise'])[1 + i % 3] AS plan, (hashint4(i) & 65535) / 65536.0::float8 AS usage, date '2022-01-01' + i / 3 AS started,
       least(t, 1 + (hashint4(i + 7) & 1023) / 30.0) AS months, t <= 1 + (hashint4(i + 7) & 1023) / 30.0 AS gone, CASE WHEN t <= 1 + (hashint4(i + 7) & 1023) / 30.0 THEN 1 + (hashint4(i + 3) & 1) ELSE 0 END AS reason, 10 + i * 7 % 40 + 20 * (hashint4(i) & 65535) / 65536.0 AS price, i % 4 = 0 AS held
FROM generate_series(1, 3000) AS i, LATERAL (SELECT 0.5 + 25 * -ln(1 - (hashint4(i + 99) & 65535) / 65537.0) * exp((hashint4(i) & 65535) / 65536.0 + 0.3 * (i % 3)) / 2 AS t) AS x;
-- Of those who stayed one in six was kept.
CREATE TABLE sample AS SELECT *, CASE WHEN gone THEN 1 ELSE 6 END AS counts FROM customers WHERE gone OR id / 3 % 6 = 0;
ANALYZE customers; ANALYZE sample;
\set ECHO all

CREATE TABLE recent AS
SELECT t.model, t.metric, t.value
FROM (VALUES ('cox', 'gone'), ('weibull', 'gone'), ('boosted_hazard', 'gone'), ('kaplan_meier', 'gone'), ('fine_gray', 'reason')) AS a (algorithm, event),
     LATERAL ltv.train(a.algorithm || ' of late', 'customers', a.algorithm, 'months', a.event, features => CASE a.algorithm WHEN 'kaplan_meier' THEN ARRAY['plan'] ELSE ARRAY['usage', 'plan'] END,
                       options => CASE a.algorithm WHEN 'fine_gray' THEN '{"cause": 1}'::jsonb END, half_life => 4, started_on => 'started', holdout => '{"by": "held"}', horizon => 12) AS t;
SELECT r.model, r.metric, round(r.value::numeric, 5) AS value, round(e.brier::numeric, 5) AS evaluated, abs(r.value - e.brier) < 1e-12 AS the_same
FROM recent AS r, LATERAL ltv.evaluate(r.model, 'customers') AS e WHERE r.metric LIKE 'brier%' ORDER BY 1;
SELECT r.model, abs(r.value - i.value) < 1e-12 AS the_same_of_importance FROM recent AS r, LATERAL (SELECT DISTINCT i.value FROM ltv.importance(r.model, 'customers', repeats => 1) AS i) AS i WHERE r.metric LIKE 'brier%' ORDER BY 1;
CREATE TABLE buyers AS SELECT i % 4 AS frequency, i % 4 * (i % 3) * 0.3 AS recency, i % 4 + 1 AS age, (hashint4(i) & 3) AS later, date '2022-01-01' + i AS started, i % 5 = 0 AS held FROM generate_series(1, 1000) AS i;
CREATE TABLE bought AS SELECT t.metric, t.value FROM ltv.train('buyers of late', 'buyers', 'bg_nbd', target => 'later', horizon => 3, half_life => 4, started_on => 'started', holdout => '{"by": "held"}') AS t;
SELECT t.metric, round(t.value::numeric, 4) AS value, abs(t.value - CASE t.metric WHEN 'rmse' THEN p.rmse WHEN 'mae' THEN p.mae ELSE p.bias / p.n END) < 1e-9 AS the_same
FROM bought AS t, LATERAL ltv.predicted_vs_actual('buyers of late', 'buyers') AS p WHERE t.metric IN ('rmse', 'mae', 'bias') ORDER BY 1;
-- What was learnt is another model than without.
SELECT DISTINCT t.model FROM ltv.train('of all', 'customers', 'cox', 'months', 'gone', features => '{usage,plan}', holdout => '{"by": "held"}', horizon => 12) AS t;
SELECT count(*) FILTER (WHERE abs(a.estimate - b.estimate) > 1e-3) AS others FROM ltv.coefficients(ltv.model('cox of late')) AS a JOIN ltv.coefficients(ltv.model('of all')) AS b USING (term);
-- A weight of sampling weighs in both.
SELECT DISTINCT t.model FROM ltv.train('both', 'sample', 'cox', 'months', 'gone', weight => 'counts', features => '{usage,plan}', half_life => 4, started_on => 'started', holdout => '{"by": "held"}', horizon => 12) AS t;
SELECT abs((m ->> 'value')::float8 - e.brier) < 1e-12 AS the_same FROM ltv.model_versions AS v, jsonb_array_elements(v.metrics) AS m, ltv.evaluate('both', 'sample') AS e WHERE v.model = 'both' AND m ->> 'metric' = 'brier at 12';
-- recalibrate tells of the version before what evaluate tells of the same rows; where rows are censored log_loss and observed_to_expected are weighed as the map is.
SELECT DISTINCT t.model FROM ltv.train('decided', 'customers', 'renewal', event => 'gone', features => '{usage,plan}', holdout => '{"by": "held"}') AS t;
CREATE TABLE seen AS SELECT m.name, e.brier, e.ici, e.log_loss, e.observed_to_expected FROM unnest(ARRAY['cox of late', 'boosted_hazard of late', 'fine_gray of late', 'decided']) AS m (name), LATERAL ltv.evaluate(m.name, 'customers') AS e;
SELECT s.name, r.metric, round(r.before::numeric, 5) AS before, abs(r.before - CASE split_part(r.metric, ' ', 1) WHEN 'brier' THEN s.brier WHEN 'ici' THEN s.ici WHEN 'log_loss' THEN s.log_loss ELSE s.observed_to_expected END) < 1e-12 AS the_same
FROM seen AS s, LATERAL ltv.recalibrate(s.name, 'customers', 'platt') AS r WHERE r.metric ~ CASE s.name WHEN 'decided' THEN '^(brier|ici|log_loss|observed)' ELSE '^(brier|ici)' END ORDER BY s.name, r.metric;
-- The errors of coefficients are the same beside the baseline of all eras as of the fit within them: the model's own and the robust one, and the tests.
CREATE VIEW dealt AS SELECT *, (id % 40)::text AS dealer FROM customers;
SELECT DISTINCT t.model FROM ltv.train('by era', 'dealt', 'cox', 'months', 'gone', features => '{usage}', weight => 'price', cluster => 'dealer', era => 'started:year') AS t;
CREATE TABLE within AS SELECT ltv.fit_cox(ltv.design_agg(0, months::float8, gone, ARRAY[usage], price::float8, extract(year FROM started)::text, (id % 40)::text), names => '{usage}') AS m FROM customers;
SELECT round(o.std_error::numeric, 6) AS std_error, round(o.robust_std_error::numeric, 6) AS robust_std_error, abs(o.std_error / w.std_error - 1) < 1e-9 AND abs(o.robust_std_error / w.robust_std_error - 1) < 1e-9 AND abs(o.lower / w.lower - 1) < 1e-9 AS the_same
FROM within, LATERAL ltv.coefficients(within.m) AS w, ltv.coefficients(ltv.model('by era')) AS o;
SELECT w.test, round(o.chi_squared::numeric, 4) AS chi_squared, abs(o.chi_squared / w.chi_squared - 1) < 1e-9 AS the_same FROM within, LATERAL ltv.model_test(within.m) AS w JOIN ltv.model_test(ltv.model('by era')) AS o USING (test) ORDER BY 1;
