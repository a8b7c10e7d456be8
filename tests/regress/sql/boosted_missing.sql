-- Trees learn which way a row goes that lacks a feature: null_policy 'learn' from training to drift.
\set ECHO none
\ir ../datasets.sql
SET max_parallel_workers = 0;
CREATE FUNCTION message_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE told text; hint text;
BEGIN EXECUTE statement; RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS told = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT; RETURN sqlstate || ': ' || told || ' | ' || hint; END $$;
-- Nobody wrote the contract down of most who pay monthly; the price is missing at random, the coupon is there or not.
CREATE TABLE people AS
SELECT customer_id, tenure AS months, churn = 'Yes' AS left_us, CASE WHEN contract <> 'Month-to-month' OR hash % 3 = 0 THEN contract END AS contract,
       CASE WHEN hash % 7 > 0 THEN monthly_charges END AS price, CASE WHEN senior_citizen = 1 AND hash % 5 > 0 THEN 'spring' END AS coupon,
       CASE WHEN hash % 11 > 1 THEN paperless_billing = 'Yes' END AS paperless, gender, hash % 10 < 3 AS held, monthly_charges AS paid
FROM (SELECT *, abs(hashtext(customer_id)) AS hash FROM telco WHERE tenure > 0) AS t;
\set ECHO all
SELECT count(*), count(contract) AS contract, count(price) AS price, count(coupon) AS coupon, count(paperless) AS paperless FROM people;

-- What it would do, and that the other algorithms do not.
SELECT item, column_name, detail, n, verdict FROM ltv.train_plan('lacking', 'people', 'boosted_hazard', 'months', 'left_us', features => ARRAY['contract', 'price', 'coupon', 'paperless', 'gender'],
    null_policy => 'learn', holdout => '{"by": "held"}', horizon => 12) WHERE item IN ('training rows', 'feature') ORDER BY item, column_name;
SELECT message_of(format('SELECT ltv.train(''bad'', ''people'', %L, %s, null_policy => ''learn'')', a.algorithm, a.rest)) AS said FROM (VALUES
    (1, 'cox', '''months'', ''left_us'', features => ARRAY[''price'']'), (2, 'kaplan_meier', '''months'', ''left_us'', features => ARRAY[''contract'']'),
    (3, 'linear', 'target => ''paid'', features => ARRAY[''price'']'), (4, 'rule', '''months'', ''left_us'', options => ''{"monthly_churn": 0.03}''')) a (place, algorithm, rest) ORDER BY a.place;
SELECT message_of($$SELECT ltv.train('bad', 'people', 'boosted_hazard', 'months', 'left_us', features => ARRAY['price'])$$);
SELECT message_of($$SELECT ltv.train('bad', 'people', 'boosted_hazard', 'months', 'left_us', features => ARRAY['price'], null_policy => 'guess')$$);
-- Outcomes are never learnt.
CREATE VIEW open_ends AS SELECT CASE WHEN gender = 'Male' THEN months END AS months, left_us, price FROM people;
SELECT message_of($$SELECT ltv.train('bad', 'open_ends', 'boosted_hazard', 'months', 'left_us', features => ARRAY['price'], null_policy => 'learn')$$);

-- Rows are kept, and where a NULL tells something, learning is better than filling.
CREATE TABLE trained AS SELECT a.policy, t.* FROM unnest(ARRAY['learn', 'impute', 'drop']) a (policy),
     LATERAL ltv.train(a.policy, 'people', 'boosted_hazard', 'months', 'left_us', features => ARRAY['contract', 'price', 'coupon', 'paperless', 'gender'],
                       options => '{"trees": 60, "monotone": {"price": 1}}', null_policy => a.policy, holdout => '{"by": "held"}', horizon => 12, seed => 3) t;
SELECT policy, n_rows, n_dropped, n_holdout, metric, round(value::numeric, 3) AS value, warnings FROM trained ORDER BY policy, metric;
SELECT l.value > i.value + 0.01 AS orders_better FROM trained l, trained i WHERE (l.policy, l.metric) = ('learn', 'concordance') AND (i.policy, i.metric) = ('impute', 'concordance');
-- The same model to the last bit as by hand; the only level of the coupon has a column.
SELECT ltv.model('learn')::text::jsonb -> 'model' -> 'fit' = m::text::jsonb -> 'model' -> 'fit' AS same FROM (
    SELECT ltv.fit_boosted_hazard(ltv.incomplete_design_agg(0, months, left_us, ARRAY[(contract = 'One year')::int, (contract = 'Two year')::int, price, (coupon = 'spring')::int, paperless::int, (gender = 'Male')::int]::float8[], 1),
        trees => 60, monotone => '{"x3": 1}', seed => 3) AS m FROM people WHERE NOT held) q;
SELECT jsonb_pretty(ltv.model('learn')::text::jsonb -> 'model' -> 'features') AS features;
SELECT spec ->> 'null_policy' AS null_policy, n_dropped FROM ltv.model_versions WHERE model = 'learn' ORDER BY version;
SELECT input, (ltv.profile_summary(profile)).nulls AS nulls FROM ltv.model_profiles WHERE model = 'learn' AND role = 'feature' ORDER BY input;

-- A row that lacks what training rows lacked is like any other; one that lacks what they did not is told of.
CREATE VIEW asked AS SELECT * FROM (VALUES (1, 'all known', 'One year', 60, 'spring', true, 'Male'), (2, 'no contract', NULL, 60, 'spring', true, 'Male'), (3, 'no price', 'One year', NULL, 'spring', true, 'Male'),
    (4, 'no coupon', 'One year', 60, NULL, true, 'Male'), (5, 'no gender', 'One year', 60, 'spring', true, NULL), (6, 'nothing', NULL, NULL, NULL, NULL, NULL),
    (7, 'new contract', 'Weekly', 60, 'spring', true, 'Male')) r (id, note, contract, price, coupon, paperless, gender);
SELECT a.id, a.note, p.renewal_probability IS NOT NULL AS scored, p.status FROM asked a, LATERAL ltv.predict('learn', a, 12) p ORDER BY a.id;
SELECT a.id, a.note, p.status FROM asked a, LATERAL ltv.predict('learn', a, 120) p ORDER BY a.id;
-- Who has no contract on file leaves as those who pay monthly do.
SELECT round((ltv.renewal_probability('learn', n, 12) - ltv.renewal_probability('learn', m, 12))::numeric, 1) AS monthly, ltv.renewal_probability('learn', y, 12) - ltv.renewal_probability('learn', n, 12) > 0.05 AS yearly
FROM (SELECT * FROM asked WHERE id = 2) n, (SELECT 'Month-to-month' AS contract, 60 AS price, 'spring' AS coupon, true AS paperless, 'Male' AS gender) m, (SELECT * FROM asked WHERE id = 1) y;
-- A number that is none is missing too where numbers were; an infinite one is an error of the row.
SELECT r.price, p.status FROM (VALUES ('NaN'::float8), ('Infinity')) v (price), LATERAL (SELECT 'One year' AS contract, v.price, 'spring' AS coupon, true AS paperless, 'Male' AS gender) r, LATERAL ltv.predict('learn', r, 12) p ORDER BY 1 DESC;
-- Text and bytes, and the row read by whatever order of columns.
SELECT bool_and(ltv.model_send(m) = ltv.model_send(m::text::ltv.model)) AS same_bytes, bool_and(ltv.renewal_probability(m, a, 12) IS NOT DISTINCT FROM ltv.renewal_probability('learn', b, 12)) AS same_score
FROM ltv.model('learn') m, asked a JOIN (SELECT gender, paperless, coupon, price::numeric AS price, contract::varchar AS contract, id FROM asked) b USING (id);

-- Scores: nobody abstains for a NULL; reasons name it.
SELECT count(*) AS n, count(*) FILTER (WHERE abstain) AS abstained, count(*) FILTER (WHERE reason_1 LIKE '% = null' OR reason_2 LIKE '% = null' OR reason_3 LIKE '% = null') > 0 AS null_is_a_reason, string_agg(DISTINCT status, ', ') AS statuses,
       bool_and(reason_1 IS NOT NULL AND reason_2 IS NOT NULL) AS with_reasons FROM ltv.score('learn', 'people', 'customer_id');
SELECT id, confidence, abstain, status FROM ltv.score('learn', 'asked', 'id') ORDER BY id;
SELECT e.rank, e.feature, e.value, e.contribution <> 0 AS counts, e.status FROM asked a, LATERAL ltv.explain('learn', a, 5, 12) e WHERE a.id = 2 AND e.feature = 'contract';
SELECT max(abs(s.total - s.difference)) < 1e-9 AS adds_up, count(*) AS rows FROM (
    SELECT p.customer_id, sum(e.contribution) AS total, max(e.prediction - e.baseline) AS difference
    FROM (SELECT * FROM people WHERE num_nulls(contract, price, coupon) > 1 ORDER BY customer_id LIMIT 100) p, LATERAL ltv.explain('learn', p, 9, 12) e GROUP BY 1) s;
SELECT rank, feature, importance > 0.02 AS large, n FROM ltv.importance('learn', (SELECT 'people'::regclass), 12, repeats => 1) ORDER BY rank LIMIT 1;
SELECT value, n FROM ltv.partial_dependence('learn', 'people', 'coupon') ORDER BY value;
SELECT count(*) AS similar, min(distance) AS nearest FROM ltv.similar('learn', 'people', 'customer_id', (SELECT min(customer_id) FROM people WHERE contract IS NULL), 5);
SELECT segment, n, concordance > 0.7 AS orders FROM ltv.evaluate('learn', 'people', ARRAY[12]::float8[]) ORDER BY horizon;
SELECT scenario, p.delta IS NOT NULL AS valued FROM (SELECT * FROM asked WHERE id = 2) a, LATERAL ltv.what_if('learn', a, ltv.contract_terms(100), '{"wrote it down": {"features": {"contract": "Two year"}}}') p ORDER BY 1;
-- Drift: more NULLs than training saw are told, by feature; the same are none.
CREATE VIEW lost AS SELECT customer_id, contract, CASE WHEN customer_id > '5' THEN price END AS price, coupon, paperless, gender FROM people;
SELECT input, metric, is_anomaly FROM ltv.drift('learn', 'people') WHERE metric = 'null_rate' ORDER BY input;
SELECT input, metric, round(value::numeric, 2) AS value, is_anomaly FROM ltv.drift('learn', 'lost') WHERE metric = 'null_rate' AND is_anomaly ORDER BY input;
SELECT regexp_matches(ltv.model_card('learn'), '- A row with a missing feature[^\n]*') AS said;
SELECT regexp_matches(ltv.model_card('drop'), '- Training lacked[^\n]*') AS said;

-- Nothing missing: the same fit as without a policy, and every NULL is told of.
CREATE TABLE whole AS SELECT customer_id, months, left_us, paid, gender, held FROM people;
SELECT count(*) FROM unnest(ARRAY['learn', 'error']) a (policy), LATERAL ltv.train('whole/' || a.policy, 'whole', 'boosted_hazard', 'months', 'left_us', features => ARRAY['paid', 'gender'], options => '{"trees": 20}', null_policy => a.policy) t;
SELECT ltv.model_send(ltv.model('whole/learn')) = ltv.model_send(ltv.model('whole/error')) AS same;
SELECT p.status FROM (SELECT NULL::float8 AS paid, NULL::text AS gender) r, LATERAL ltv.predict('whole/error', r, 12) p;

-- Segments learn too, and those that cannot stand alone have what all rows tell.
SELECT n_rows, n_dropped, metric FROM ltv.train('by gender', 'people', 'boosted_hazard', 'months', 'left_us', features => ARRAY['contract', 'price'], segment_by => ARRAY['gender'], null_policy => 'learn', options => '{"trees": 20}', holdout => '{"by": "held"}', horizon => 12) ORDER BY metric;
SELECT g.gender, p.status FROM (VALUES (1, 'Male'), (2, 'Female'), (3, 'Other')) g (place, gender), LATERAL (SELECT NULL::text AS contract, NULL::float8 AS price, g.gender) r, LATERAL ltv.predict('by gender', r, 12) p ORDER BY g.place;
-- Weights and a late entry.
CREATE VIEW watched AS SELECT *, least(months - 1, 3)::float8 AS seen_from, 2 AS times FROM people;
SELECT n_rows, warnings FROM ltv.train('watched', 'watched', 'boosted_hazard', 'months', 'left_us', 'seen_from', ARRAY['contract', 'price'], weight => 'times', null_policy => 'learn', options => '{"trees": 10, "early_stopping": 0}');
SELECT ltv.model('watched')::text::jsonb -> 'model' -> 'fit' = m::text::jsonb -> 'model' -> 'fit' AS same FROM (
    SELECT ltv.fit_boosted_hazard(ltv.incomplete_design_agg(seen_from, months, left_us, ARRAY[(contract = 'One year')::int, (contract = 'Two year')::int, price]::float8[], times), trees => 10, monotone => '{}', early_stopping => 0) AS m FROM watched) q;

-- Amounts by trees.
SELECT n_rows, n_dropped, metric, round(value::numeric, 2) AS value, warnings FROM ltv.train('paid', 'people', 'boosted_value', target => 'paid', features => ARRAY['contract', 'coupon', 'paperless', 'gender'],
    options => '{"loss": "gamma", "trees": 30, "early_stopping": 0}', null_policy => 'learn', holdout => '{"by": "held"}') ORDER BY metric;
SELECT ltv.model('paid')::text::jsonb -> 'model' -> 'fit' = m::text::jsonb -> 'model' -> 'fit' AS same FROM (
    SELECT ltv.fit_boosted_value(ltv.incomplete_amount_design_agg(paid, ARRAY[(contract = 'One year')::int, (contract = 'Two year')::int, (coupon = 'spring')::int, paperless::int, (gender = 'Male')::int]::float8[], 1, 0),
        loss => 'gamma', trees => 30, monotone => '{}', early_stopping => 0) AS m FROM people WHERE NOT held) q;
SELECT a.id, a.note, v.value IS NOT NULL AS told, v.status FROM asked a, LATERAL ltv.expected_value_interval('paid', a) v ORDER BY a.id;
SELECT input, metric, is_anomaly FROM ltv.drift('paid', 'people') WHERE metric = 'null_rate' ORDER BY input;

-- A rule that was written down by hand has neither outcomes nor profiles; train makes both.
SELECT ltv.register_version('by hand', 'rule', ltv.rule('{"monthly_churn": 0.03}'), '{}', 0, 0);
SELECT message_of(format('SELECT ltv.%s(%L, ''people'')', f, m)) AS said FROM (VALUES (1, 'importance', 'by hand'), (2, 'drift', 'by hand'), (3, 'importance', 'paid')) v (place, f, m) ORDER BY v.place;
SELECT metric FROM ltv.train('a rule', 'people', 'rule', 'months', 'left_us', options => '{"monthly_churn": 0.03}', holdout => '{"by": "held"}', horizon => 12) ORDER BY 1;
SELECT count(*) > 0 AS drifts FROM ltv.drift('a rule', 'people');
-- An era is a year, a quarter or a month.
CREATE VIEW dated AS SELECT *, date '2020-01-01' + months AS signed_on, gender AS "signed_on:decade" FROM people WHERE price IS NOT NULL;
SELECT message_of(format('SELECT ltv.train(''x'', ''dated'', ''cox'', ''months'', ''left_us'', features => ARRAY[''price''], era => %L)', e)) AS said FROM unnest(ARRAY['signed_on:week', 'nothing:week', 'signed_on:decade', 'signed_on:quarter']) WITH ORDINALITY u (e, place) ORDER BY place;
