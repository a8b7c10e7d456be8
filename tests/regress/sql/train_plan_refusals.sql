-- What train refuses train_plan refuses, in the same words and with the same hint: a table of bad arguments run through both.
\set ECHO none
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE contracts AS SELECT id, 1 + id % 23 AS months, id % 3 = 0 AS gone, id * 7 % 50 + 10 AS price, (ARRAY['basic', 'plus'])[1 + id % 2] AS plan, NULLIF(id % 4, 0) AS seats, NULL::int AS nothing,
    NULLIF(5, CASE WHEN id % 9 = 0 THEN 5 END) AS fixed, false AS never, id % 5 = 0 AS held_out, date '2024-01-01' + id % 300 AS signed_on, date '2024-06-01' + id % 300 AS booked_on, 'k' || id AS key,
    (ARRAY['price', 'product', NULL])[1 + id % 3] AS reason, CASE WHEN id % 7 = 0 THEN 'NaN'::float8 ELSE id END AS odd, id % 3 AS code, (id % 6) * 100.0 AS spend, point(1, 2) AS spot, 1 + id % 2 AS whole
FROM generate_series(1, 240) AS id;
CREATE TABLE customers AS SELECT id, id % 3 AS frequency, (id % 3) * 5 AS recency, 20 AS age, 0 AS none, date '2024-03-01' AS first_purchase FROM generate_series(1, 60) AS id;
-- Both, of the same arguments: what train says, and whether a row of the plan that is refused says the same, hint and all (or the plan ends as train does).
CREATE FUNCTION both_say(arguments text, OUT told text, OUT hint text, OUT planned text) LANGUAGE plpgsql AS $$
DECLARE state text; message text; fix text;
BEGIN
    BEGIN
        EXECUTE 'SELECT FROM ltv.train(' || arguments || ')';
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, fix = PG_EXCEPTION_HINT;
    END;
    told := coalesce(state || ' ' || message, 'trains');
    hint := coalesce(fix, '');
    BEGIN
        EXECUTE format($q$SELECT coalesce(string_agg(CASE WHEN position(%1$L IN p.detail) > 0 AND position(%2$L IN p.detail) > 0 THEN 'the same: ' || p.item ELSE 'another: ' || p.item || ': ' || p.detail END, '; '
                                  ORDER BY position(%1$L IN p.detail) = 0 OR position(%2$L IN p.detail) = 0, p.item, p.detail), 'accepted')
                          FROM ltv.train_plan(%3$s) AS p WHERE p.verdict = 'refused'$q$, coalesce(message, ''), coalesce(fix, ''), arguments) INTO planned;
    EXCEPTION WHEN OTHERS THEN
        DECLARE its_message text; its_fix text;
        BEGIN
            GET STACKED DIAGNOSTICS its_message = MESSAGE_TEXT, its_fix = PG_EXCEPTION_HINT;
            planned := CASE WHEN (SQLSTATE, its_message, its_fix) = (state, message, fix) THEN 'the same error' ELSE 'another error: ' || its_message END;
        END;
    END;
END
$$;
CREATE TABLE bad (place serial, arguments text);
\set ECHO queries
INSERT INTO bad (arguments) VALUES
-- The request.
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}'$$),
($$NULL, 'contracts', 'cox', 'months', 'gone', features => '{price}'$$),
($$'a@b', 'contracts', 'cox', 'months', 'gone', features => '{price}'$$),
($$'m', NULL, 'cox', 'months', 'gone', features => '{price}'$$),
($$'m', 4294967295::oid, 'cox', 'months', 'gone', features => '{price}'$$),
($$'m', 'contracts', NULL, 'months', 'gone', features => '{price}'$$),
($$'m', 'contracts', 'coks', 'months', 'gone', features => '{price}'$$),
($$'m', 'contracts', 'cox', NULL, 'gone', features => '{price}'$$),
($$'m', 'contracts', 'cox', 'months', NULL, features => '{price}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,NULL}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,price}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,gone}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,plan}', strata => 'plan'$$),
($$'m', 'contracts', 'weibull', 'months', 'gone', features => '{price}', strata => 'plan'$$),
($$'m', 'contracts', 'two_part', features => '{price}', target => 'spend', cluster => 'plan'$$),
($$'m', 'contracts', 'sbg', 'months', 'gone', features => '{price}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', null_policy => 'skip'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', null_policy => 'learn'$$),
($$'m', 'contracts', 'kaplan_meier', 'months', 'gone', features => '{plan}', null_policy => 'indicator'$$),
($$'m', 'contracts', 'rule', 'months', 'gone', options => '{"monthly_churn": 0.1}', null_policy => 'impute'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', horizon => 0$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', target => 'spend'$$),
($$'m', 'contracts', 'linear', features => '{price}'$$),
($$'m', 'contracts', 'linear', 'months', features => '{price}', target => 'spend'$$),
($$'m', 'contracts', 'renewal', 'months', 'gone', features => '{price}'$$),
($$'m', 'contracts', 'linear', features => '{price}', target => 'spend', segment_by => '{spend}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', segment_by => '{plan,plan}'$$),
($$'m', 'contracts', 'renewal', event => 'gone', features => '{price}', cluster => 'plan', options => '{"penalty": 1}'$$),
($$'m', 'contracts', 'fine_gray', 'months', 'gone', features => '{price}', cluster => 'plan'$$),
($$'m', 'contracts', 'hybrid', segment_by => '{plan}', options => '{"survival": "m"}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,plan}', segment_by => '{plan}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', pooling => 'some'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', min_events => 0$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', unit => 'moon'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', half_life => -1$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', half_life => 12$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', censoring => 'none'$$),
($$'m', 'contracts', 'renewal', event => 'gone', features => '{price}', censoring => 'grouped'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', as_of => 'infinity'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', as_of => '2024-06-30'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', known_on => 'booked_on'$$),
($$'m', 'contracts', 'weibull', 'months', 'gone', features => '{price}', era => 'plan'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', era => 'plan', strata => 'plan'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', label_policy => ' '$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', holdout => '[]'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', holdout => '{"by": "id", "fraction": 2}'$$),
-- Options.
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', options => '[]'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', options => '{"tys": 1}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', options => '{"penalty": "much"}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', options => '{"ties": "none"}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', options => '{"penalty": -1}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', options => '{"penalty": 1, "l1_ratio": 2}'$$),
($$'m', 'contracts', 'weibull', 'months', 'gone', features => '{price}', options => '{"ancillary": ["plan"]}'$$),
($$'m', 'contracts', 'best', 'months', 'gone', features => '{price}', options => '{"candidates": ["cox"]}'$$),
($$'m', 'contracts', 'best', 'months', 'gone', features => '{price}', options => '{"criterion": "dic"}'$$),
($$'m', 'contracts', 'boosted_hazard', 'months', 'gone', features => '{price}', options => '{"depth": 0}'$$),
($$'m', 'contracts', 'boosted_hazard', 'months', 'gone', features => '{price}', options => '{"monotone": {"seats": 1}}'$$),
($$'m', 'contracts', 'boosted_hazard', 'months', 'gone', features => '{price,plan}', options => '{"monotone": {"plan": 1}}'$$),
($$'m', 'contracts', 'discrete_time', 'months', 'gone', features => '{price}', options => '{"period": 0}'$$),
($$'m', 'contracts', 'spline', 'months', 'gone', features => '{price}', options => '{"knots": -1}'$$),
($$'m', 'contracts', 'tweedie', features => '{price}', target => 'spend', options => '{"power": 3}'$$),
($$'m', 'contracts', 'linear', features => '{price}', target => 'spend', options => '{"penalty": -1}'$$),
($$'m', 'contracts', 'two_part', features => '{price}', target => 'spend', options => '{"amounts": "tweedie"}'$$),
($$'m', 'contracts', 'discrete_time', 'months', 'gone', features => '{price}', options => '{"penalty": -1}'$$),
($$'m', 'contracts', 'renewal', event => 'gone', features => '{price}', options => '{"period": 1e300}'$$),
($$'m', 'contracts', 'renewal', event => 'gone', features => '{price}', options => '{"penalty": -1}'$$),
($$'m', 'contracts', 'sbg', 'months', 'gone', options => '{"period": 0}'$$),
($$'m', 'contracts', 'piecewise_exponential', 'months', 'gone', options => '{"breaks": [-1]}'$$),
($$'m', 'contracts', 'boosted_value', features => '{price}', target => 'spend', options => '{"loss": "absolute"}'$$),
($$'m', 'contracts', 'rule', 'months', 'gone', options => '{"monthly_churn": 2}'$$),
($$'m', 'contracts', 'hybrid', options => '{"renewal": "nobody"}'$$),
($$'m', 'contracts', 'hybrid', options => '{"renewal": "m", "terms": {"horizon": 12}}'$$),
($$'m', 'contracts', 'fine_gray', 'months', 'reason', features => '{price}'$$),
($$'m', 'contracts', 'fine_gray', 'months', 'reason', features => '{price}', options => '{"cause": 1}'$$),
($$'m', 'contracts', 'fine_gray', 'months', 'reason', features => '{price}', options => '{"cause": "prise"}'$$),
-- Expected signs.
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', expected_signs => '[]'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', expected_signs => '{"seats": "+"}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', expected_signs => '{"price": 1}'$$),
($$'m', 'contracts', 'kaplan_meier', 'months', 'gone', features => '{plan}', expected_signs => '{"plan": "+"}'$$),
($$'m', 'contracts', 'rule', 'months', 'gone', options => '{"by": "plan", "monthly_churn": {"basic": 0.1, "plus": 0.2}}', features => '{plan}', expected_signs => '{"plan": "+"}'$$),
($$'m', 'contracts', 'boosted_hazard', 'months', 'gone', features => '{price,plan}', expected_signs => '{"plan": "+"}'$$),
($$'m', 'contracts', 'boosted_hazard', 'months', 'gone', features => '{price}', options => '{"monotone": {"price": 1}}', expected_signs => '{"price": "-"}'$$),
($$'m', 'contracts', 'boosted_value', features => '{price,plan}', target => 'spend', expected_signs => '{"plan": "-"}'$$),
-- Columns.
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{prize}'$$),
($$'m', 'contracts', 'cox', 'plan', 'gone', features => '{price}'$$),
($$'m', 'contracts', 'cox', 'months', 'plan', features => '{price}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', entry => 'plan'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', weight => 'plan'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', strata => 'odd'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', segment_by => '{odd}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', segment_by => '{key}', min_events => 1$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,spot}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,signed_on}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,key}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{key}'$$),
($$'m', 'contracts', 'kaplan_meier', 'months', 'gone', features => '{odd}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', era => 'plan:year'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', era => 'odd'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', as_of => '2024-06-30', started_on => 'plan'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', as_of => '2024-06-30', known_on => 'plan'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', holdout => '{"by": "price"}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', holdout => '{"by": "price", "from": "2024-01-01"}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', holdout => '{"by": "signed_on", "from": "soon"}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', holdout => '{"by": "signed_on", "last": "-3 months"}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', holdout => '{"by": "odd", "fraction": 0.5}'$$),
-- Rows.
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,seats}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,fixed}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,nothing}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,nothing}', null_policy => 'drop'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,nothing}', null_policy => 'impute'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', entry => 'seats'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', entry => 'whole'$$),
($$'m', 'contracts', 'boosted_hazard', 'months', 'gone', features => '{price}', entry => 'whole'$$),
($$'m', 'contracts', 'cox', 'seats', 'gone', features => '{price}'$$),
($$'m', 'contracts', 'cox', 'odd', 'gone', features => '{price}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price,odd}'$$),
($$'m', 'contracts', 'cox', 'months', 'code', features => '{price}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', weight => 'code'$$),
($$'m', 'contracts', 'gamma', features => '{price}', target => 'spend'$$),
($$'m', 'contracts', 'cox', 'months', 'never', features => '{price}'$$),
($$'m', 'contracts', 'kaplan_meier', 'months', 'never'$$),
($$'m', 'contracts', 'weibull', 'months', 'never'$$),
($$'m', 'contracts', 'renewal', event => 'never', features => '{price}'$$),
($$'m', 'contracts', 'sbg', 'whole', 'never'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', min_events => 100$$),
($$'m', 'contracts', 'linear', features => '{price}', target => 'spend', min_events => 1000$$),
($$'m', 'contracts', 'cox', 'months', 'gone'$$),
($$'m', 'contracts', 'boosted_value', target => 'spend'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', holdout => '{"by": "signed_on", "from": "2030-01-01"}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', as_of => '2024-06-30', started_on => 'signed_on', holdout => '{"by": "signed_on", "from": "2024-09-01"}'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', as_of => '2024-06-30', known_on => 'booked_on'$$),
($$'m', 'contracts', 'cox', 'months', 'gone', features => '{price}', as_of => '2000-01-01', started_on => 'signed_on'$$),
-- Customers.
($$'m', 'customers', 'bg_nbd', features => '{id}'$$),
($$'m', 'customers', 'bg_nbd', target => 'id'$$),
($$'m', 'customers', 'bg_nbd', options => '{"age": "frequency"}'$$),
($$'m', 'customers', 'bg_nbd', options => '{"frequency": "none", "recency": "none"}'$$),
($$'m', 'customers', 'bg_nbd', options => '{"frequency": "none"}'$$),
($$'m', 'customers', 'bg_nbd', options => '{"recency": "age", "age": "recency"}'$$),
($$'m', 'customers', 'bg_nbd', min_events => 1000$$),
($$'m', 'customers', 'bg_nbd', as_of => '2024-06-30', started_on => 'first_purchase', unit => 'month'$$),
($$'m', 'customers', 'gamma_gamma', options => '{"mean_value": "none"}'$$),
($$'m', 'contracts', 'bg_nbd', options => '{"frequency": "seats", "recency": "code", "age": "months"}'$$);
-- A model for the components of a hybrid.
SELECT count(*) > 0 AS trained FROM ltv.train('m', 'contracts', 'cox', 'months', 'gone', features => '{price}');
SELECT b.place, s.planned, s.told, s.hint FROM bad AS b, LATERAL both_say(b.arguments) AS s ORDER BY b.place;
-- None that train refuses is accepted, none in other words, and none that it takes refused.
SELECT count(*) AS asked, count(*) FILTER (WHERE s.told = 'trains') AS train, count(*) FILTER (WHERE s.told <> 'trains' AND s.planned !~ '^the same') AS not_told
FROM bad AS b, LATERAL both_say(b.arguments) AS s;
-- Of several each is told, with its hint and its column.
SELECT item, column_name, detail, n, verdict FROM ltv.train_plan('m', 'contracts', 'cox', 'months', 'gone', features => '{price,seats,fixed,key,spot}') WHERE verdict = 'refused' ORDER BY item, column_name;
