-- Renewal decisions and hazards in discrete time, against R's glm on person-periods (tests/golden/discrete.R).
\set ECHO none
\ir ../datasets.sql
\set ECHO all

-- glm(churn == 'No' ~ tenure + monthly_charges + one year + two years, binomial).
CREATE TABLE decisions AS
SELECT churn = 'No' AS renewed, ARRAY[tenure, monthly_charges::float8, (contract = 'One year')::int, (contract = 'Two year')::int] AS x FROM telco;
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error, round(z::numeric, 6) AS z, round(hazard_ratio::numeric, 6) AS odds_ratio
FROM ltv.coefficients((SELECT ltv.fit_renewal(renewed, x) FROM decisions));
SELECT test, round(chi_squared::numeric, 6) AS chi_squared, df FROM ltv.model_test((SELECT ltv.fit_renewal(renewed, x) FROM decisions));
-- The outcome as 1 or 0, a weight, a parallel plan, the two-step form: one answer.
SELECT count(DISTINCT round(estimate::numeric, 9)) AS one_answer
FROM (SELECT ltv.fit_renewal(renewed, x) AS m FROM decisions
      UNION ALL SELECT ltv.fit_renewal(renewed::int, x) FROM decisions
      UNION ALL SELECT ltv.fit_renewal(renewed, x, 2) FROM decisions
      UNION ALL SELECT ltv.fit_renewal(renewed::int, x, 1) FROM decisions
      UNION ALL SELECT ltv.fit_renewal(ltv.design_agg(1, renewed, x)) FROM decisions
      UNION ALL SELECT ltv.fit_renewal(ltv.design_agg(7, 9, renewed, x, 1, '', NULL, 0.0)) FROM decisions) AS models,
     LATERAL (SELECT estimate FROM ltv.coefficients(m) OFFSET 1 LIMIT 1) AS c;
BEGIN;
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2;
SELECT term, round(estimate::numeric, 8) AS estimate FROM ltv.coefficients((SELECT ltv.fit_renewal(renewed, x) FROM decisions)) LIMIT 2;
COMMIT;

-- Names, a period of 6, a prediction: one decision within 6, two within 12, none within 5.
CREATE TABLE models (name text, m ltv.model);
INSERT INTO models SELECT 'renewal', ltv.fit_renewal(ltv.design_agg(1, renewed, x), period => 6, names => ARRAY['tenure', 'charges', 'one_year', 'two_years']) FROM decisions;
SELECT ltv.model_algorithm(m), ltv.model_status(m), ltv.model_features(m) FROM models WHERE name = 'renewal';
CREATE TABLE account AS SELECT 10 AS tenure, 70.5::float8 AS charges, 1 AS one_year, 0 AS two_years;
SELECT horizon, round(ltv.renewal_probability(m, account, horizon)::numeric, 10) AS probability,
       round(ltv.renewal_probability(m, account, horizon, given => 4)::numeric, 10) AS given_4
FROM models, account, unnest(ARRAY[5, 6, 12]) AS horizon WHERE name = 'renewal' ORDER BY horizon;
SELECT p.status, round(p.renewal_probability::numeric, 10) AS renewal_probability, round(p.lower::numeric, 8) AS lower, round(p.upper::numeric, 8) AS upper,
       round(p.expected_lifetime::numeric, 6) AS expected_lifetime, round(p.linear_predictor::numeric, 8) AS linear_predictor
FROM models, account, LATERAL ltv.predict(m, account, horizon => 6) AS p WHERE name = 'renewal';
SELECT t, round(survival::numeric, 8) AS survival, round(std_error::numeric, 8) AS std_error
FROM models, account, LATERAL ltv.curve(ltv.predict_curve(m, account), at => ARRAY[0, 5.9, 6, 12, 18]) WHERE name = 'renewal';
-- It feeds the value of a contract that renews every 6 months.
SELECT v.ltv, v.expected_lifetime IS NOT NULL AS lifetime, v.status
FROM models, account, LATERAL ltv.lifetime_value(m, account, 100, discount_rate => 0, horizon => 18, term_months => 6) AS v WHERE name = 'renewal';
-- The link, a penalty (glmnet: alpha = 0, lambda = 100 / n), and what is wrong.
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error
FROM ltv.coefficients((SELECT ltv.fit_renewal(ltv.design_agg(1, renewed, x), link => 'cloglog') FROM decisions));
SELECT term, round(estimate::numeric, 8) AS estimate FROM ltv.coefficients((SELECT ltv.fit_renewal(ltv.design_agg(1, renewed, x), penalty => 100) FROM decisions));
SELECT ltv.model_status(ltv.fit_renewal(i > 5, ARRAY[i, i % 2])) AS separated, ltv.model_status(ltv.fit_renewal(true, ARRAY[i])) AS one_outcome,
       ltv.model_status(ltv.fit_renewal(i % 3 = 0, ARRAY[i, 2 * i, 7])) AS collinear FROM generate_series(1, 10) AS i;
SELECT ltv.fit_renewal(NULL::boolean, ARRAY[1.0]) IS NULL AS nothing, ltv.fit_renewal(NULL::ltv.design) IS NULL AS none;
SELECT ltv.fit_renewal(ltv.design_agg(1, true, ARRAY[1.0]), link => 'probit');
SELECT ltv.fit_renewal(ltv.design_agg(1, true, ARRAY[1.0]), names => ARRAY['a', 'b']);
SELECT ltv.fit_renewal(2, ARRAY[1.0]);
SELECT ltv.fit_renewal(true, ARRAY['NaN'::float8]);

-- Discrete time: rossi's 52 weeks, glm(arrest ~ factor(week) + fin + ..., binomial) on 19809 person-weeks.
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error
FROM ltv.coefficients((SELECT ltv.fit_discrete_time(week, arrest, ARRAY[fin, age, race, wexp, mar, paro, prio]) FROM rossi)) WHERE term ~ '^x|period [1-3]$';
SELECT ltv.model_algorithm(m), ltv.model_status(m) FROM (SELECT ltv.fit_discrete_time(week, arrest, ARRAY[fin, age]) AS m FROM rossi) AS f;
INSERT INTO models SELECT 'rossi', ltv.fit_discrete_time(ltv.design_agg(week, arrest, ARRAY[fin, age, race, wexp, mar, paro, prio]), link => 'cloglog', baseline => 'linear',
       names => ARRAY['fin', 'age', 'race', 'wexp', 'mar', 'paro', 'prio']) FROM rossi;
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error, round(p_value::numeric, 8) AS p_value, round(hazard_ratio::numeric, 6) AS hazard_ratio
FROM models, LATERAL ltv.coefficients(m) WHERE name = 'rossi';
-- In short periods the model with a complementary log-log link is Cox's.
SELECT c.term, round(c.estimate::numeric, 4) AS cox, round(d.estimate::numeric, 4) AS by_day
FROM ltv.coefficients((SELECT ltv.fit_cox(time, event, ARRAY[age, sex]) FROM lung)) AS c
JOIN ltv.coefficients((SELECT ltv.fit_discrete_time(ltv.design_agg(time, event, ARRAY[age, sex]), link => 'cloglog') FROM lung)) AS d USING (term);
SELECT round(ltv.renewal_probability(m, r, 26)::numeric, 8) AS half_a_year, round(ltv.renewal_probability(m, r, 26, given => 26)::numeric, 8) AS the_next,
       round(ltv.renewal_probability(m, r, 26, given => 52)::numeric, 8) AS beyond, (ltv.predict(m, r, horizon => 60)).status
FROM models, (SELECT * FROM rossi WHERE week = 20 AND prio = 3 LIMIT 1) AS r WHERE name = 'rossi';
SELECT t, round(survival::numeric, 8) AS survival, round(lower::numeric, 8) AS lower, round(upper::numeric, 8) AS upper
FROM models, (SELECT * FROM rossi WHERE week = 20 AND prio = 3 LIMIT 1) AS r, LATERAL ltv.curve(ltv.predict_curve(m, r), at => ARRAY[0, 1, 26, 52]) WHERE name = 'rossi';
-- Entry, weights, integers; rows of one subject.
SELECT count(DISTINCT round(estimate::numeric, 9)) AS one_answer
FROM (SELECT ltv.fit_discrete_time(week, arrest = 1, ARRAY[prio]) AS m FROM rossi
      UNION ALL SELECT ltv.fit_discrete_time(week, arrest, ARRAY[prio], 3) FROM rossi
      UNION ALL SELECT ltv.fit_discrete_time(week, arrest = 1, ARRAY[prio], 1) FROM rossi
      UNION ALL SELECT ltv.fit_discrete_time(0, week, arrest = 1, ARRAY[prio]) FROM rossi
      UNION ALL SELECT ltv.fit_discrete_time(0, week, arrest = 1, ARRAY[prio], 1) FROM rossi
      UNION ALL SELECT ltv.fit_discrete_time(0, week, arrest, ARRAY[prio], 1) FROM rossi
      UNION ALL SELECT ltv.fit_discrete_time(ltv.design_agg(7 * week, arrest, ARRAY[prio]), period => 7) FROM rossi
      UNION ALL SELECT ltv.fit_discrete_time(w - 1, w, arrest = 1 AND w = week, ARRAY[prio]) FROM rossi, generate_series(1, week) AS w) AS models,
     LATERAL (SELECT estimate FROM ltv.coefficients(m) WHERE term = 'x1') AS c;
-- What is told: days in months, weeks without events, nobody left, and what is too much.
SELECT ltv.model_status(ltv.fit_discrete_time(ltv.design_agg(time, event, ARRAY[age]), period => 30)) FROM lung;
SELECT ltv.model_status(ltv.fit_discrete_time(time, status, ARRAY[x = 'Maintained']::int[]::float8[])) FROM aml;
SELECT ltv.fit_discrete_time(ltv.design_agg(time, event, ARRAY[age]), period => 0.01) FROM lung;
SELECT ltv.fit_discrete_time(ltv.design_agg(time, event, ARRAY[age]), baseline => 'cubic') FROM lung;
SELECT ltv.fit_discrete_time(ltv.design_agg(time, event, ARRAY[age]), baseline => 'spline', degree => 1) FROM lung;
SELECT ltv.fit_discrete_time(ltv.design_agg(0, time, event, ARRAY[age], 1, sex::text)) FROM lung;
SELECT ltv.fit_discrete_time(ltv.interval_design_agg(1, 2, ARRAY[age])) FROM lung;
-- A model is a value: its text goes out and in.
SELECT bool_and(m::text::ltv.model::text = m::text) AS same FROM models;
