-- Hazards by trees: the same to the last bit for any order, directions kept, NULLs scored, contributions that add up, and what is refused.
\set ECHO none
\ir ../datasets.sql
\set ECHO all
CREATE FUNCTION message_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE told text; hint text;
BEGIN EXECUTE statement; RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS told = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT; RETURN sqlstate || ': ' || told || ' | ' || hint; END $$;
CREATE VIEW people AS SELECT customer_id, tenure AS months, churn_event = 1 AS left_us, contract, senior_citizen = 1 AS senior, monthly_charges AS price, total_charges, payment_method
FROM telco WHERE tenure > 0;
-- Rows in any order, and in parallel or not, give one model.
SELECT count(DISTINCT m::text) AS models, count(*) AS fits FROM (
    SELECT ltv.fit_boosted_hazard(ltv.design_agg(months, left_us, ARRAY[senior::int, price]::float8[] ORDER BY customer_id), subsample => 0.5, trees => 30) FROM people
    UNION ALL SELECT ltv.fit_boosted_hazard(ltv.design_agg(months, left_us, ARRAY[senior::int, price]::float8[] ORDER BY md5(customer_id)), subsample => 0.5, trees => 30) FROM people
    UNION ALL SELECT ltv.fit_boosted_hazard(ltv.design_agg(months, left_us::int, ARRAY[senior::int, price]::float8[]), subsample => 0.5, trees => 30) FROM people) AS f (m);
-- train gives the same model as the function, with the columns of the categories and the seed.
SELECT n_rows, n_events, metric, round(value::numeric, 2) AS value, round(baseline_value::numeric, 2) AS baseline, warnings
FROM ltv.train('trees', 'people', 'boosted_hazard', 'months', 'left_us', features => ARRAY['contract', 'senior', 'price'],
               options => '{"trees": 120, "depth": 3, "monotone": {"price": 1}}', seed => 5);
SELECT ltv.model('trees')::text::jsonb -> 'model' -> 'fit' = m::text::jsonb -> 'model' -> 'fit' AS same FROM (
    SELECT ltv.fit_boosted_hazard(ltv.design_agg(months, left_us, ARRAY[(contract = 'One year')::int, (contract = 'Two year')::int, senior::int, price]::float8[]),
        trees => 120, depth => 3, monotone => '{"x4": 1}', seed => 5) AS m FROM people) AS q;
SELECT ltv.model_algorithm(m), ltv.model_features(m), ltv.model_status(m), (SELECT count(*) FROM ltv.coefficients(m)) AS coefficients,
       (SELECT count(*) FROM ltv.model_test(m)) AS tests FROM ltv.model('trees') AS m;
SELECT feature, round(share::numeric, 1) AS share, splits > 0 AS asked FROM ltv.feature_gain(ltv.model('trees'));
SELECT count(*) FILTER (WHERE chosen) AS chosen, min(loss) FILTER (WHERE chosen) = min(loss) AS is_best FROM ltv.boosting_path(ltv.model('trees'));
-- Text and bytes hold all of it.
SELECT ltv.model_send(m) = ltv.model_send(m::text::ltv.model) AS same FROM ltv.model('trees') AS m;
-- The curve is what the probabilities say; a row's score is its own.
SELECT max(abs(ltv.renewal_probability('trees', p, 12, given => 6) - ltv.survival_at(c, 18) / ltv.survival_at(c, 6))) < 1e-12 AS conditional,
       max(abs(q.renewal_probability - ltv.renewal_probability('trees', p, 12))) = 0 AS predicted, bool_and(q.lower IS NULL) AS no_limits, bool_and(q.expected_lifetime > 0) AS lifetime
FROM (SELECT * FROM people WHERE customer_id < '1') AS p, LATERAL ltv.predict_curve('trees', p) AS c, LATERAL ltv.predict('trees', p, 12) AS q;
SELECT count(*) AS customers, count(v.ltv) AS valued, min(v.ltv) > 0 AS positive FROM people AS p, LATERAL ltv.lifetime_value('trees', p, 50) AS v WHERE customer_id < '01';
-- Nothing falls with the price.
SELECT bool_and(p >= before) AS never_falls FROM (
    SELECT 1 - ltv.renewal_probability('trees', r, 12) AS p, lag(1 - ltv.renewal_probability('trees', r, 12), 1, 0::float8) OVER (PARTITION BY contract, senior ORDER BY price) AS before
    FROM (SELECT contract, senior, price FROM (SELECT DISTINCT contract, senior FROM people) AS k, generate_series(0, 150) AS price) AS r) AS w;
-- A NULL goes its way, in each feature; a level that nobody has seen has none.
SELECT p.event_probability BETWEEN 0.01 AND 0.99 AS scored, p.status FROM (VALUES (NULL, true, 50.0), ('One year', NULL, 50), ('One year', true, NULL), (NULL, NULL, NULL), ('Weekly', true, 50))
    AS r (contract, senior, price), LATERAL ltv.predict('trees', r, 12) AS p;
-- What is missing in training is learnt: total_charges is unknown of every third, who leave as the others do.
SELECT ltv.model_status(m) LIKE 'stopped early%' AS stopped, round(ltv.renewal_probability(m, r, 12)::numeric, 1) AS unknown
FROM (SELECT ltv.fit_boosted_hazard(ltv.incomplete_design_agg(0, months, left_us, ARRAY[CASE WHEN customer_id >= '3' THEN price END, senior::int]::float8[], 1), names => ARRAY['price', 'senior']) AS m FROM people) AS f,
     (SELECT NULL::numeric AS price, false AS senior) AS r;
-- Contributions add up, on every scale; a category is one feature.
SELECT unit, count(*) AS rows, max(abs(total - difference)) < 1e-9 AS adds_up FROM (
    SELECT unit, customer_id, sum(e.contribution) AS total, max(e.prediction - e.baseline) AS difference
    FROM (SELECT * FROM people WHERE customer_id < '02') AS p, unnest(ARRAY['log-hazard', 'probability', 'renewal-probability']) AS unit,
         LATERAL ltv.explain('trees', p, unit => unit) AS e GROUP BY unit, customer_id) AS s GROUP BY unit ORDER BY unit COLLATE "C";
SELECT sum(e.contribution) = max(e.prediction) - max(e.baseline) AS adds_up_in_cents, count(*) FROM (SELECT * FROM people WHERE customer_id = '7590-VHVEG') AS p, LATERAL ltv.explain_value('trees', p, 50) AS e;
SELECT count(*) AS scored, count(reason_1) AS with_reason, bool_and(confidence = 'unknown') AS confidence_unknown FROM ltv.score('trees', 'people', 'customer_id');
-- Degenerate rows have an answer.
SELECT name, ltv.model_status(m), ltv.renewal_probability(m, r, 1) AS p FROM (SELECT 1 AS x1) AS r, (
    SELECT 'no events', ltv.fit_boosted_hazard(ltv.design_agg(months, false, ARRAY[price::float8])) FROM people
    UNION ALL SELECT 'one row', ltv.fit_boosted_hazard(ltv.design_agg(3, true, ARRAY[1]))
    UNION ALL SELECT 'constant', ltv.fit_boosted_hazard(ltv.design_agg(months, left_us, ARRAY[7])) FROM people WHERE customer_id < '01'
    UNION ALL SELECT 'all missing', ltv.fit_boosted_hazard(ltv.incomplete_design_agg(0, 1 + i % 5, i % 2 = 0, ARRAY[NULL]::float8[], 1)) FROM generate_series(1, 100) AS i
    UNION ALL SELECT 'huge', ltv.fit_boosted_hazard(ltv.design_agg(1 + i % 5, i % 2 = 0, ARRAY[1e306 * (i % 90)])) FROM generate_series(1, 100) AS i
    UNION ALL SELECT 'no rows', ltv.fit_boosted_hazard(ltv.design_agg(NULL, true, ARRAY[1]))) AS f (name, m) ORDER BY name;
SELECT ltv.model_status(ltv.fit_boosted_hazard(ltv.design_agg(501 - i, true, ARRAY[i]), learning_rate => 1, l2 => 0, min_child_weight => 0, trees => 2000, early_stopping => 0)) AS in_perfect_order FROM generate_series(1, 500) AS i;
-- What makes no sense is refused.
SELECT message_of(format('SELECT ltv.fit_boosted_hazard(ltv.design_agg(months, left_us, ARRAY[price::float8]), %s) FROM people', options)) AS said FROM unnest(ARRAY[
    'trees => 0', 'depth => 17', 'depth => -1', 'learning_rate => 0', 'learning_rate => ''NaN''', 'subsample => 1.5', 'validation => 1', 'l2 => -1', 'gamma => ''Infinity''',
    'monotone => ''{"price": 1}''', 'monotone => ''{"x1": 2}''', 'monotone => ''[1]''', 'names => ARRAY[''a'', ''b'']']) AS options;
SELECT message_of($$SELECT ltv.fit_boosted_hazard(ltv.design_agg(0, months, left_us, ARRAY[price]::float8[], 1, contract)) FROM people$$);
SELECT message_of($$SELECT ltv.fit_cox(ltv.incomplete_design_agg(0, months, left_us, ARRAY[NULLIF(price, 20)]::float8[], 1)) FROM people$$);
SELECT message_of($$SELECT ltv.fit_cox(ltv.incomplete_design_agg(0, months, left_us, ARRAY[price]::float8[], 1)) FROM people$$);
SELECT message_of(format('SELECT ltv.train(''x'', ''people'', ''boosted_hazard'', ''months'', ''left_us'', features => ARRAY[''contract'', ''price''], options => %L)', options)) AS said FROM unnest(ARRAY[
    '{"monotone": {"contract": 1}}', '{"monotone": {"cost": 1}}', '{"monotone": 1}', '{"leaves": 3}', '{"trees": -1}', '{"depth": 0}']) AS options;
SELECT message_of($$SELECT ltv.train('x', 'people', 'boosted_hazard', 'months', 'left_us')$$);
