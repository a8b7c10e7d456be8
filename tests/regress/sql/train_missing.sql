-- NULLs in features: the median or the most frequent value stands in, in training and in scoring, and an indicator may tell.
\set ECHO none
\ir ../datasets.sql
CREATE TABLE people AS
SELECT customer_id, tenure AS months, churn = 'Yes' AS left_us,
       CASE WHEN hash % 5 > 0 THEN contract END AS contract, CASE WHEN hash % 7 > 0 THEN monthly_charges END AS price,
       CASE WHEN hash % 3 > 0 THEN senior_citizen = 1 END AS senior, gender, hash % 11 = 0 AS held
FROM (SELECT *, abs(hashtext(customer_id)) AS hash FROM telco) AS t;
-- What a person would do by hand.
CREATE VIEW by_hand AS
SELECT customer_id, months, left_us, coalesce(contract, 'Month-to-month') AS contract, (contract IS NULL)::int AS no_contract,
       coalesce(price, (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY price) FROM people WHERE NOT held)) AS price, (price IS NULL)::int AS no_price,
       coalesce(senior, false) AS senior, (senior IS NULL)::int AS no_senior, gender, held FROM people;
\set ECHO all

SELECT mode() WITHIN GROUP (ORDER BY contract) AS contract, percentile_cont(0.5) WITHIN GROUP (ORDER BY price) AS price, mode() WITHIN GROUP (ORDER BY senior) AS senior FROM people WHERE NOT held;
CREATE TABLE trained AS SELECT a.policy || '/' || a.algorithm AS name, a.algorithm, t.n_rows, t.n_dropped, t.n_holdout, t.metric, t.value, t.warnings
FROM (VALUES ('impute', 'cox'), ('impute', 'weibull'), ('impute', 'discrete_time'), ('indicator', 'cox'), ('indicator', 'lognormal')) a (policy, algorithm),
     LATERAL ltv.train(a.policy || '/' || a.algorithm, 'people', a.algorithm, 'months', 'left_us', features => ARRAY['contract', 'price', 'senior', 'gender'],
                       null_policy => a.policy, holdout => '{"by": "held"}', horizon => 12) t;
CREATE TABLE expected AS SELECT a.policy || '/' || a.algorithm AS name, t.metric, t.value
FROM (VALUES ('impute', 'cox'), ('impute', 'weibull'), ('impute', 'discrete_time'), ('indicator', 'cox'), ('indicator', 'lognormal')) a (policy, algorithm),
     LATERAL ltv.train('hand/' || a.policy || '/' || a.algorithm, 'by_hand', a.algorithm, 'months', 'left_us',
                       features => CASE a.policy WHEN 'impute' THEN ARRAY['contract', 'price', 'senior', 'gender']
                                                 ELSE ARRAY['contract', 'no_contract', 'price', 'no_price', 'senior', 'no_senior', 'gender'] END,
                       holdout => '{"by": "held"}', horizon => 12) t;
-- The same model as by hand: rows, metrics on rows held out, coefficients.
SELECT t.name, t.n_rows, t.n_dropped, t.n_holdout, t.metric, abs(t.value - e.value) < 1e-9 AS same, t.warnings FROM trained t JOIN expected e USING (name, metric) ORDER BY t.name COLLATE "C", metric;
SELECT t.name, count(*) AS terms, max(abs(c.estimate - d.estimate)) < 1e-9 AND max(abs(c.std_error - d.std_error)) < 1e-9 AS same, count(*) FILTER (WHERE c.term ~ ' is null') AS indicators
FROM (SELECT DISTINCT name FROM trained) t,
     LATERAL ROWS FROM (ltv.coefficients(ltv.model(t.name))) WITH ORDINALITY c JOIN LATERAL ROWS FROM (ltv.coefficients(ltv.model('hand/' || t.name))) WITH ORDINALITY d USING (ordinality)
GROUP BY t.name ORDER BY t.name COLLATE "C";
SELECT term, round(estimate::numeric, 6) AS estimate FROM ltv.coefficients(ltv.model('indicator/cox'));
-- Rows with NULLs are scored by name as by hand, one by one; explanations say so and add up.
SELECT t.name, count(*) AS n, count(*) FILTER (WHERE p.contract IS NULL OR p.price IS NULL OR p.senior IS NULL) AS with_nulls,
       bool_and(abs(ltv.renewal_probability(t.name, p, 12, 1) - ltv.renewal_probability('hand/' || t.name, h, 12, 1)) < 1e-9) AS same
FROM (SELECT DISTINCT name FROM trained) t, people p JOIN by_hand h USING (customer_id) WHERE p.held GROUP BY t.name ORDER BY t.name COLLATE "C";
SELECT e.rank, e.feature, e.value, round(e.contribution::numeric, 4) AS contribution, e.direction, e.status
FROM (SELECT NULL::text AS contract, NULL::float8 AS price, NULL::boolean AS senior, 'Male' AS gender) r, LATERAL ltv.explain('indicator/cox', r, 5, 12) e;
SELECT bool_and(abs(total - difference) < 1e-12) AS adds_up FROM (
    SELECT sum(e.contribution) AS total, min(e.prediction - e.baseline) AS difference FROM (SELECT * FROM people WHERE price IS NULL ORDER BY customer_id LIMIT 20) p, LATERAL ltv.explain('indicator/cox', p, 9, 12) e GROUP BY p.customer_id) q;
SELECT status, round(renewal_probability::numeric, 4) AS renewal FROM (SELECT NULL::text AS contract, NULL::float8 AS price, NULL::boolean AS senior, NULL::text AS gender) r, LATERAL ltv.predict('impute/cox', r, 12);
SELECT status FROM (SELECT 'Five year' AS contract, NULL::float8 AS price, NULL::boolean AS senior, NULL::text AS gender) r, LATERAL ltv.predict('impute/cox', r, 12);
-- Kaplan–Meier: the NULLs join the most frequent cohort.
SELECT n_rows, warnings FROM ltv.train('cohorts', 'people', 'kaplan_meier', 'months', 'left_us', features => ARRAY['contract', 'senior'], null_policy => 'impute');
SELECT bool_and(ltv.renewal_probability('cohorts', p, 12) = ltv.renewal_probability(s, 0, 12)) AS same
FROM people p JOIN (SELECT h.contract, h.senior, ltv.survival_agg(months, left_us) AS s FROM (SELECT months, left_us, coalesce(contract, 'Month-to-month') AS contract, coalesce(senior, false) AS senior FROM people) h GROUP BY 1, 2) q
     ON q.contract = coalesce(p.contract, 'Month-to-month') AND q.senior = coalesce(p.senior, false) WHERE p.held;
-- Text and binary forms keep the filling; scores, profiles and the registry know of NULLs.
SELECT bool_and(m::text::ltv.model::text = m::text AND ltv.renewal_probability(m::text::ltv.model, r, 12) = ltv.renewal_probability(m, r, 12)) AS same
FROM (SELECT ltv.model(name) AS m FROM (SELECT DISTINCT name FROM trained) t) q, (SELECT NULL::text AS contract, NULL::float8 AS price, NULL::boolean AS senior, NULL::text AS gender) r;
SELECT spec ->> 'null_policy' AS null_policy, n_dropped FROM ltv.model_versions WHERE model = 'indicator/cox';
SELECT count(*) AS n, count(*) FILTER (WHERE abstain) AS abstained, string_agg(DISTINCT status, ', ') AS statuses FROM ltv.score('indicator/cox', 'people', 'customer_id');
SELECT input, (ltv.profile_summary(profile)).nulls > 0 AS has_nulls FROM ltv.model_profiles WHERE model = 'indicator/cox' AND role = 'feature' ORDER BY input;
-- Outcomes are never filled; a column of NULLs cannot be; cohorts have no indicator.
CREATE VIEW open_ends AS SELECT months, CASE WHEN gender = 'Male' THEN left_us END AS left_us, price, NULL::float8 AS nothing, NULL::text AS no_text FROM people;
SELECT ltv.train('bad', 'open_ends', 'cox', 'months', 'left_us', features => ARRAY['price'], null_policy => 'impute');
SELECT ltv.train('bad', 'people', 'kaplan_meier', 'months', 'left_us', features => ARRAY['contract'], null_policy => 'indicator');
CREATE VIEW gaps AS SELECT months, left_us, price, NULL::float8 AS nothing, NULL::text AS no_text FROM people;
SELECT ltv.train('bad', 'gaps', 'cox', 'months', 'left_us', features => ARRAY['price', 'nothing'], null_policy => 'impute');
SELECT ltv.train('bad', 'gaps', 'cox', 'months', 'left_us', features => ARRAY['price', 'no_text'], null_policy => 'indicator');
-- A feature that one of two rows lacks counts 1 in their distance, and a row that lacks some is like others.
SELECT metric FROM ltv.train('lacking', 'people', 'boosted_hazard', 'months', 'left_us', features => ARRAY['contract', 'gender'], null_policy => 'impute', holdout => '{"by": "held"}', horizon => 12) WHERE metric = 'concordance';
SELECT o.contract IS NULL AS lacks, s.differs_in, round(s.distance::numeric, 4) AS distance, count(*) > 0 AS some
FROM (SELECT * FROM people WHERE contract IS NULL ORDER BY customer_id LIMIT 1) o, LATERAL ltv.similar('lacking', 'people', 'customer_id', o.customer_id, 8000) s
GROUP BY 1, 2, 3 ORDER BY 3, 2;
SELECT ltv.model_card('lacking') LIKE '%A missing feature counts as what is usual%' AS told;
