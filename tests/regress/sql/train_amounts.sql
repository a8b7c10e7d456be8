-- train for amounts, renewal decisions, rules and hybrids: what is registered, and how good it says it is.
\set ECHO none
CREATE TABLE iranian (call_failure int, complains int, subscription_length int, charge_amount int, seconds_of_use int, frequency_of_use int, frequency_of_sms int,
                      distinct_called_numbers int, age_group int, tariff_plan int, status int, age int, customer_value double precision, churn int);
\cd :data
\copy iranian from 'iranian_churn.csv' with (format csv, header)
ALTER TABLE iranian ADD id serial, ADD tariff text, ADD renewed boolean;
UPDATE iranian SET tariff = CASE tariff_plan WHEN 1 THEN 'prepaid' ELSE 'contract' END, renewed = churn = 0;
CREATE FUNCTION r(double precision) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN round($1::numeric, 6);
ANALYZE;
\set ECHO all

SELECT model, version, n_rows, n_events, n_holdout, metric, r(value) AS value, r(baseline_value) AS baseline, r(skill) AS skill, warnings
FROM ltv.train('worth_linear', 'iranian', 'linear', target => 'customer_value', features => '{age,complains,tariff}', holdout => '{"by": "id", "fraction": 0.25}');
SELECT metric, r(value) AS value, r(baseline_value) AS baseline, r(skill) AS skill, warnings
FROM ltv.train('worth_tweedie', 'iranian', 'tweedie', target => 'customer_value', features => '{age,complains,tariff,frequency_of_use}', options => '{"power": 1.5}', holdout => '{"by": "id", "fraction": 0.25}');
SELECT metric, r(value) AS value, r(baseline_value) AS baseline, r(skill) AS skill, warnings
FROM ltv.train('worth_two_part', 'iranian', 'two_part', target => 'customer_value', features => '{age,complains,tariff}', holdout => '{"by": "id", "fraction": 0.25}');
CREATE VIEW paying AS SELECT * FROM iranian WHERE customer_value > 0;
SELECT metric, r(value) AS value, r(baseline_value) AS baseline, r(skill) AS skill, warnings
FROM ltv.train('worth_gamma', 'paying', 'gamma', target => 'customer_value', features => '{age,complains,tariff}', weight => 'age_group');

-- The metrics by hand.
WITH held AS (SELECT customer_value AS y, ltv.expected_value('worth_linear', i) AS e FROM iranian i WHERE (hashtextextended(id::text, 0) & 9223372036854775807) % 1000000 < 250000),
     mean AS (SELECT avg(customer_value) AS m FROM iranian i WHERE NOT (hashtextextended(id::text, 0) & 9223372036854775807) % 1000000 < 250000)
SELECT count(*), r(sqrt(avg((y - e) ^ 2))) AS rmse, r(sqrt(avg((y - m) ^ 2))) AS baseline, r(avg(abs(y - e))) AS mae, r(avg(e - y)) AS bias, r(avg((y - e) ^ 2)) AS deviance FROM held, mean;

SELECT metric, r(value) AS value, r(baseline_value) AS baseline, r(skill) AS skill, warnings, n_rows, n_events
FROM ltv.train('renews', 'iranian', 'renewal', event => 'renewed', features => '{age,complains,tariff}', holdout => '{"by": "id", "fraction": 0.25}');
WITH held AS (SELECT renewed, ltv.renewal_probability('renews', i, 12) AS p FROM iranian i WHERE (hashtextextended(id::text, 0) & 9223372036854775807) % 1000000 < 250000),
     rate AS (SELECT avg(renewed::int) AS rate FROM iranian i WHERE NOT (hashtextextended(id::text, 0) & 9223372036854775807) % 1000000 < 250000)
SELECT r(avg(-ln(CASE WHEN renewed THEN p ELSE 1 - p END))) AS log_loss, r(avg(-ln(CASE WHEN renewed THEN rate ELSE 1 - rate END)::float8)) AS baseline, r(avg((p - renewed::int) ^ 2)) AS brier FROM held, rate;

SELECT metric, r(value) AS value, r(baseline_value) AS baseline, r(skill) AS skill, warnings
FROM ltv.train('by_rule', 'iranian', 'rule', 'subscription_length', 'churn', options => '{"by": "tariff", "monthly_churn": {"prepaid": 0.006, "contract": 0.001}}', holdout => '{"by": "id", "fraction": 0.25}', horizon => 24);
SELECT metric, r(value) AS value, r(baseline_value) AS baseline, r(skill) AS skill, warnings
FROM ltv.train('whole', 'iranian', 'hybrid', target => 'customer_value', options => '{"renewal": "by_rule", "cost": "worth_gamma", "terms": {"revenue": 1, "horizon": 12}, "revenue": "charge_amount"}', holdout => '{"by": "id", "fraction": 0.25}');
SELECT * FROM ltv.hybrid_components(ltv.model('whole'));

SELECT model, algorithm, n_rows, n_events, n_holdout, spec - 'options' AS spec FROM ltv.model_versions ORDER BY model COLLATE "C";
SELECT model, role, input, horizon FROM ltv.model_profiles ORDER BY model COLLATE "C", role COLLATE "C", input COLLATE "C";
SELECT name, ltv.verify(name) FROM ltv.models ORDER BY name COLLATE "C";
SELECT count(*) > 0 AS has_drift, bool_or(is_anomaly) AS any FROM ltv.drift('worth_linear', 'iranian') WHERE metric = 'psi';
SELECT length(ltv.model_card('worth_linear')) > 200 AS has_card;

-- What cannot be trained.
SELECT m, line FROM unnest(ARRAY['worth_linear', 'whole', 'by_rule']) m, regexp_split_to_table(ltv.model_card(m), E'\n') line
WHERE line ~ '^(It says|- It tells|- Beyond|On the rows|\| Fitted on|What counts)' OR line ~ 'Meier';
SELECT * FROM ltv.train('m', 'iranian', 'linear', features => '{age}');
SELECT * FROM ltv.train('m', 'iranian', 'linear', 'age', 'churn', target => 'customer_value');
SELECT * FROM ltv.train('m', 'iranian', 'cox', 'age', 'churn', target => 'customer_value');
SELECT * FROM ltv.train('m', 'iranian', 'gamma', target => 'customer_value', features => '{age}');
SELECT * FROM ltv.train('m', 'iranian', 'linear', target => 'customer_value', features => '{customer_value}');
SELECT * FROM ltv.train('m', 'iranian', 'linear', target => 'tariff', features => '{age}');
SELECT * FROM ltv.train('m', 'iranian', 'linear', target => 'nothing', features => '{age}');
SELECT * FROM ltv.train('m', 'iranian', 'tweedie', target => 'customer_value', options => '{"ties": "efron"}');
SELECT * FROM ltv.train('m', 'iranian', 'renewal', 'age', 'renewed');
SELECT * FROM ltv.train('m', 'iranian', 'rule', 'age', 'churn', options => '{}');
SELECT * FROM ltv.train('m', 'iranian', 'rule', 'age', 'churn', features => '{tariff}', options => '{"monthly_churn": 0.1}');
SELECT * FROM ltv.train('m', 'iranian', 'hybrid', options => '{"cost": "worth_gamma"}');
SELECT * FROM ltv.train('m', 'iranian', 'wave', 'age', 'churn');

-- A hybrid is judged by every row that its components can score: what a NULL counts as they have learnt; the price of a row nobody has.
CREATE TABLE partly AS SELECT id, tariff, charge_amount, customer_value, NULLIF(age, CASE WHEN id % 7 = 0 THEN age END) AS age, NULLIF(charge_amount, CASE WHEN id % 50 = 0 THEN charge_amount END) AS price, id % 4 = 0 AS held_out FROM iranian WHERE customer_value > 0;
SELECT DISTINCT version FROM ltv.train('filled', 'partly', 'gamma', target => 'customer_value', features => '{age}', null_policy => 'impute');
SELECT DISTINCT version FROM ltv.train('strict', 'partly', 'gamma', target => 'customer_value', features => '{age}', null_policy => 'drop');
CREATE TABLE judged_hybrids AS
SELECT c.cost, t.* FROM unnest('{filled,strict}'::text[]) AS c (cost), LATERAL ltv.train('by ' || c.cost, 'partly', 'hybrid', target => 'customer_value', holdout => '{"by": "held_out"}',
    options => jsonb_build_object('renewal', 'by_rule', 'cost', c.cost, 'terms', '{"horizon": 12}'::jsonb, 'revenue', 'charge_amount')) AS t;
SELECT cost, n_rows, n_dropped, n_holdout, metric, r(value) AS value, r(baseline_value) AS baseline, warnings FROM judged_hybrids WHERE metric IN ('rmse', 'bias') ORDER BY cost, metric;
SELECT j.cost, p.n, p.n_unscored, p.rmse = j.value OR abs(p.rmse / j.value - 1) < 1e-12 AS the_same
FROM judged_hybrids j, LATERAL ltv.predicted_vs_actual('by ' || j.cost, 'partly') AS p WHERE j.metric = 'rmse' ORDER BY j.cost;
WITH scored AS (SELECT customer_value AS y FROM partly p WHERE held_out AND ltv.expected_value('by strict', p) IS NOT NULL), mean AS (SELECT avg(customer_value) AS m FROM partly WHERE NOT held_out)
SELECT r(sqrt(avg((y - m) ^ 2))) AS baseline, r(avg(m - y)) AS bias, count(*) FROM scored, mean;
SELECT item, column_name, n, verdict FROM ltv.train_plan('by filled', 'partly', 'hybrid', target => 'customer_value', options => '{"renewal": "by_rule", "cost": "filled", "terms": {"horizon": 12}, "revenue": "charge_amount"}') WHERE item = 'feature' ORDER BY column_name;
SELECT * FROM ltv.train('m', 'partly', 'hybrid', target => 'customer_value', options => '{"renewal": "by_rule", "cost": "filled", "terms": {"horizon": 12}, "revenue": "price"}');
SELECT DISTINCT n_dropped, n_rows FROM ltv.train('m', 'partly', 'hybrid', target => 'customer_value', options => '{"renewal": "by_rule", "cost": "filled", "terms": {"horizon": 12}, "revenue": "price"}', null_policy => 'drop');
SELECT * FROM ltv.train('m', 'partly', 'hybrid', target => 'customer_value', options => '{"renewal": "by_rule", "cost": "filled", "terms": {"horizon": 12}, "revenue": "charge_amount"}', null_policy => 'impute');
-- A renewal is judged at its decision; amounts know no horizon.
SELECT * FROM ltv.train('m', 'partly', 'linear', target => 'customer_value', features => '{price}', null_policy => 'drop', horizon => 12);
SELECT * FROM ltv.train('m', 'iranian', 'renewal', event => 'renewed', features => '{age}', horizon => 24);
SELECT * FROM ltv.train_plan('m', 'iranian', 'renewal', event => 'renewed', features => '{age}', horizon => 24) WHERE verdict = 'refused';
SELECT item, detail, value, verdict FROM ltv.train_plan('m', 'iranian', 'renewal', event => 'renewed', features => '{age}', options => '{"period": 6}', horizon => 6) WHERE item = 'horizon';
