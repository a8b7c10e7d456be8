-- Amounts by trees: the same to the last bit for any order, sums that meet, directions kept, NULLs valued, single outcomes within limits, and what is refused.
\set ECHO none
CREATE TABLE iranian (call_failure int, complains int, subscription_length int, charge_amount int, seconds_of_use int, frequency_of_use int, frequency_of_sms int,
                      distinct_called_numbers int, age_group int, tariff_plan int, status int, age int, customer_value double precision, churn int);
\cd :data
\copy iranian from 'iranian_churn.csv' with (format csv, header)
ALTER TABLE iranian ADD id serial, ADD tariff text;
UPDATE iranian SET tariff = CASE tariff_plan WHEN 1 THEN 'prepaid' ELSE 'contract' END;
CREATE FUNCTION r(double precision) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN round($1::numeric, 4);
CREATE FUNCTION message_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE told text; hint text;
BEGIN EXECUTE statement; RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS told = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT; RETURN sqlstate || ': ' || told || ' | ' || hint; END $$;
ANALYZE;
\set ECHO all
CREATE VIEW people AS SELECT id, frequency_of_use AS calls, frequency_of_sms AS messages, age, tariff, customer_value AS worth FROM iranian;
-- Rows in any order, and in parallel or not, give one model of each loss.
SELECT loss, count(DISTINCT m::text) AS models, count(*) AS fits FROM unnest(ARRAY['squared', 'tweedie']) AS loss, LATERAL (
    SELECT ltv.fit_boosted_value(ltv.amount_design_agg(worth, ARRAY[calls, messages, age]::float8[] ORDER BY id), loss => loss, subsample => 0.5, trees => 30) FROM people
    UNION ALL SELECT ltv.fit_boosted_value(ltv.amount_design_agg(worth, ARRAY[calls, messages, age]::float8[] ORDER BY md5(id::text)), loss => loss, subsample => 0.5, trees => 30) FROM people
    UNION ALL SELECT ltv.fit_boosted_value(ltv.incomplete_amount_design_agg(worth, ARRAY[calls, messages, age]::float8[], 1, 0), loss => loss, subsample => 0.5, trees => 30) FROM people) AS f (m) GROUP BY loss;
-- train beside the regressions, and the same model as by the function.
SELECT a.algorithm || coalesce(' ' || (options ->> 'loss'), '') AS model, m.n_rows, m.n_holdout, m.metric, r(m.value) AS value, r(m.baseline_value) AS baseline, r(m.skill) AS skill, m.warnings
FROM (VALUES (1, 'linear', '{}'::jsonb), (2, 'boosted_value', '{}'), (3, 'tweedie', '{"power": 1.5}'), (4, 'boosted_value', '{"loss": "tweedie", "monotone": {"calls": 1}}')) AS a (n, algorithm, options),
     LATERAL ltv.train('worth ' || n, 'people', algorithm, target => 'worth', features => '{calls,messages,age,tariff}', options => options, holdout => '{"by": "id", "fraction": 0.25}', seed => 5) AS m ORDER BY n, m.metric COLLATE "C";
SELECT ltv.model('worth 4')::text::jsonb -> 'model' -> 'fit' = m::text::jsonb -> 'model' -> 'fit' AS same FROM (
    SELECT ltv.fit_boosted_value(ltv.amount_design_agg(worth, ARRAY[calls, messages, age, (tariff = 'prepaid')::int]::float8[]), loss => 'tweedie', monotone => '{"x1": 1}', seed => 5) AS m
    FROM people WHERE NOT (hashtextextended(id::text, 5) & 9223372036854775807) % 1000000 < 250000) AS q;
SELECT ltv.model_algorithm(m), ltv.model_features(m), ltv.model_status(m), (SELECT count(*) FROM ltv.coefficients(m)) AS coefficients, (SELECT count(*) FROM ltv.model_test(m)) AS tests FROM ltv.model('worth 4') AS m;
SELECT part, family, link, power, n_rows, degrees_of_freedom, dispersion, r(deviance) AS deviance, r(null_deviance) AS null_deviance, r(deviance_explained) AS explained, log_likelihood, aic, iterations > 20 AS trees
FROM ltv.amount_fit(ltv.model('worth 4'));
SELECT feature, round(share::numeric, 2) AS share, splits > 0 AS asked FROM ltv.feature_gain(ltv.model('worth 4'));
SELECT count(*) FILTER (WHERE chosen) AS chosen, min(loss) FILTER (WHERE chosen) = min(loss) AS is_best FROM ltv.boosting_path(ltv.model('worth 4'));
SELECT ltv.model_send(m) = ltv.model_send(m::text::ltv.model) AS same FROM ltv.model('worth 4') AS m;
SELECT model, role, input FROM ltv.model_profiles WHERE model = 'worth 4' ORDER BY role COLLATE "C", input COLLATE "C";
-- What is expected of the rows fitted adds up to what they had, whatever the loss; the deviances are those of their definition.
CREATE TABLE paying AS SELECT * FROM people WHERE worth > 0;
CREATE TABLE fits AS SELECT loss, ltv.fit_boosted_value(ltv.amount_design_agg(worth, ARRAY[calls, messages]::float8[]), names => '{calls,messages}', loss => loss) AS m
FROM paying, unnest(ARRAY['squared', 'gamma', 'tweedie']) AS loss GROUP BY loss;
SELECT loss, abs(sum(e) / sum(worth) - 1) < 1e-11 AS adds_up,
       abs(f.deviance / sum(CASE loss WHEN 'squared' THEN (worth - e) ^ 2 WHEN 'gamma' THEN 2 * ((worth - e) / e - ln(worth / e)) ELSE 4 * (worth / sqrt(e) + sqrt(e) - 2 * sqrt(worth)) END) - 1) < 1e-9 AS is_deviance
FROM fits, LATERAL ltv.amount_fit(m) AS f, paying AS p, LATERAL ltv.expected_value(m, p) AS e GROUP BY loss, f.deviance ORDER BY loss COLLATE "C";
-- Nothing falls with the calls; a NULL goes its way, and limits are elsewhere.
SELECT bool_and(e >= before) AS never_falls FROM (
    SELECT e, lag(e, 1, 0::float8) OVER (PARTITION BY id ORDER BY c) AS before
    FROM (SELECT * FROM people WHERE id % 100 = 0) AS p, LATERAL (SELECT c, ltv.expected_value('worth 4', q) AS e FROM generate_series(0, 260, 5) AS c, LATERAL (SELECT c AS calls, p.messages, p.age, p.tariff) AS q) AS s) AS w;
SELECT calls, tariff, v.value > 0 AS valued, v.lower, v.upper, v.status FROM (VALUES (10, 20, 30, 'prepaid'), (NULL, 20, 30, 'prepaid'), (NULL, NULL, NULL, NULL), (10, 20, 30, 'weekly')) AS p (calls, messages, age, tariff),
    LATERAL ltv.expected_value_interval('worth 4', p) AS v;
-- What is missing in training is learnt: whoever hides the calls is worth 1000.
SELECT round(ltv.expected_value(m, q)::numeric, -2) AS hidden FROM (
    SELECT ltv.fit_boosted_value(ltv.incomplete_amount_design_agg(CASE WHEN id % 3 = 0 THEN 1000 ELSE worth END, ARRAY[CASE WHEN id % 3 > 0 THEN calls END, messages]::float8[], 1, 0), names => '{calls,messages}') AS m FROM people) AS f,
    (SELECT NULL::int AS calls, 0 AS messages) AS q;
-- Limits of single outcomes from the errors of the rows held out by halves: they hold 90 % of the other half.
WITH held AS MATERIALIZED (SELECT id, worth, ltv.expected_value('worth 4', p) AS e FROM people AS p WHERE (hashtextextended(id::text, 5) & 9223372036854775807) % 1000000 < 250000),
     errors AS (SELECT ltv.survival_agg(abs(worth - e), true) AS s FROM held WHERE id % 2 = 0)
SELECT count(*) AS rows, round(avg((worth BETWEEN i.lower AND i.upper)::int), 2) AS within FROM held, errors, LATERAL ltv.conformal_interval(s, e, 0.9) AS i WHERE id % 2 = 1;
-- A part of a hybrid.
SELECT role, algorithm, status LIKE 'stopped early%' OR status = 'ok' AS sound FROM ltv.hybrid_components(ltv.fit_hybrid(ltv.rule('{"monthly_churn": 0.03}'), cost => ltv.model('worth 2')));
SELECT v.cost > 0 AS has_cost, v.status FROM (SELECT 10 AS calls, 20 AS messages, NULL::int AS age, 'prepaid' AS tariff) AS q,
    LATERAL ltv.hybrid_value(ltv.fit_hybrid(ltv.rule('{"monthly_churn": 0.03}'), cost => ltv.model('worth 2')), q, '{"revenue": 1000, "horizon": 12}') AS v;
-- Degenerate rows have an answer.
SELECT name, ltv.model_status(m), ltv.expected_value(m, q) AS expected FROM (SELECT 1 AS x1) AS q, (
    SELECT 'one row', ltv.fit_boosted_value(ltv.amount_design_agg(3, ARRAY[1]))
    UNION ALL SELECT 'constant', ltv.fit_boosted_value(ltv.amount_design_agg(3, ARRAY[i])) FROM generate_series(1, 100) AS i
    UNION ALL SELECT 'all missing', ltv.fit_boosted_value(ltv.incomplete_amount_design_agg(i % 2, ARRAY[NULL]::float8[], 1, 0)) FROM generate_series(1, 100) AS i
    UNION ALL SELECT 'no amounts', ltv.fit_boosted_value(ltv.amount_design_agg(0, ARRAY[i]), loss => 'tweedie') FROM generate_series(1, 100) AS i
    UNION ALL SELECT 'no rows', ltv.fit_boosted_value(ltv.amount_design_agg(NULL, ARRAY[1]))) AS f (name, m) ORDER BY name;
-- What makes no sense is refused.
SELECT message_of(format('SELECT ltv.fit_boosted_value(ltv.amount_design_agg(worth, ARRAY[calls]::float8[]), %s) FROM people', options)) AS said FROM unnest(ARRAY[
    'loss => ''huber''', 'loss => ''gamma''', 'loss => ''tweedie'', power => 2', 'trees => 0', 'depth => -1', 'monotone => ''{"calls": 1}''', 'names => ARRAY[''a'', ''b'']', 'subsample => ''NaN''']) AS options;
SELECT message_of($$SELECT ltv.fit_boosted_value(ltv.amount_design_agg(-worth - 1, ARRAY[calls]::float8[] ORDER BY worth), loss => 'tweedie') FROM people$$);
SELECT message_of($$SELECT ltv.fit_boosted_value(ltv.design_agg(1, true, ARRAY[calls]::float8[])) FROM people$$);
SELECT message_of($$SELECT ltv.fit_boosted_hazard(ltv.amount_design_agg(worth, ARRAY[calls]::float8[])) FROM people$$);
SELECT message_of($$SELECT ltv.fit_linear(ltv.incomplete_amount_design_agg(worth, ARRAY[NULLIF(calls, 5)]::float8[], 1, 0)) FROM people$$);
SELECT message_of($$SELECT ltv.predict('worth 2', p, 12) FROM people AS p$$);
SELECT message_of($$SELECT ltv.renewal_probability('worth 2', p, 12) FROM people AS p$$);
SELECT message_of(format('SELECT ltv.train(''x'', ''people'', ''boosted_value'', %s)', arguments)) AS said FROM unnest(ARRAY[
    $$features => '{calls}'$$, $$target => 'worth'$$, $$target => 'worth', features => '{calls}', options => '{"loss": "huber"}'$$, $$target => 'worth', features => '{calls}', options => '{"leaves": 3}'$$,
    $$target => 'worth', features => '{calls}', options => '{"loss": "gamma"}'$$, $$target => 'worth', features => '{tariff}', options => '{"monotone": {"tariff": 1}}'$$]) AS arguments;
