-- Regression of the incidence of one cause against R's finegray() with coxph(), and beside it the hazard of the cause.
\set ECHO none
CREATE TABLE mgus2 (id int, age int, sex text, dxyr int, hgb float8, creat float8, mspike float8, ptime int, pstat int, futime int, death int, etime int, event_type int);
\cd :data
\copy mgus2 from 'mgus2.csv' with (format csv, header)
\set ECHO all

-- R: coxph(Surv(fgstart, fgstop, fgstatus) ~ age + sex, weights = fgwt, cluster = id): -.01730170480, -.25975679134; se .00570293165, .18563469477.
CREATE TABLE fitted AS SELECT ltv.fit_fine_gray(etime, event_type, ARRAY[age, (sex = 'M')::int]) AS m FROM mgus2;
SELECT term, round(estimate::numeric, 10) AS estimate, round(std_error::numeric, 10) AS std_error, round(robust_std_error::numeric, 10) AS robust_std_error, round(z::numeric, 6) AS z, round(p_value::numeric, 8) AS p_value,
       round(hazard_ratio::numeric, 8) AS hazard_ratio, round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper
FROM fitted, LATERAL ltv.coefficients(m);
SELECT ltv.model_algorithm(m), ltv.model_status(m), ltv.model_features(m), test, round(chi_squared::numeric, 8) AS chi_squared, df, round(p_value::numeric, 8) AS p_value
FROM fitted, LATERAL ltv.model_test(m);

-- Breslow's ties: -.01730073316, -.25970091459. Cause 2. The hazard of the cause (Cox): .01303856982, -.02513778929.
SELECT 'breslow' AS fit, term, round(estimate::numeric, 10) AS estimate FROM (SELECT ltv.cause_design_agg(etime, event_type, ARRAY[age, (sex = 'M')::int]) AS d FROM mgus2) AS x,
     LATERAL ltv.coefficients(ltv.fit_fine_gray(d, ties => 'breslow'))
UNION ALL SELECT 'cause 2', term, round(estimate::numeric, 10) FROM (SELECT ltv.cause_design_agg(etime, event_type, ARRAY[age, (sex = 'M')::int]) AS d FROM mgus2) AS x,
     LATERAL ltv.coefficients(ltv.fit_fine_gray(d, cause => 2))
UNION ALL SELECT 'hazard', term, round(estimate::numeric, 10) FROM (SELECT ltv.fit_cox(etime, event_type = 1, ARRAY[age, (sex = 'M')::int]) AS m FROM mgus2) AS x, LATERAL ltv.coefficients(m)
ORDER BY 1, 2;

-- What it says of a row: event_probability is the incidence of the cause. R: 1 - survfit at 120 for a woman of 88: .05275336008.
SELECT round(p.event_probability::numeric, 10) AS incidence, round(p.renewal_probability::numeric, 10) AS not_by_this_cause, round(p.lower::numeric, 6) AS lower,
       round(p.upper::numeric, 6) AS upper, p.expected_lifetime, round(p.linear_predictor::numeric, 8) AS linear_predictor, p.status
FROM fitted, (VALUES (88, 0)) AS v (x1, x2), LATERAL ltv.predict(m, v, 120) AS p;
SELECT horizon, given, round(p.event_probability::numeric, 6) AS incidence, p.status
FROM fitted, (VALUES (88, 0)) AS v (x1, x2), (VALUES (120, 12), (1000, 0)) AS w (horizon, given), LATERAL ltv.predict(m, v, horizon, given) AS p;
SELECT round((1 - ltv.survival_at(c, 120))::numeric, 10) AS incidence, ltv.survival_at(c, 1000) AS beyond, ltv.renewal_probability(m, v, 120, 12) AS given_an_age
FROM fitted, (VALUES (88, 0)) AS v (x1, x2), LATERAL (SELECT ltv.predict_curve(m, v) AS c) AS x;
-- A share that ends by one cause is no lifetime: it has no value in money.
SELECT value.ltv, value.status FROM fitted, (VALUES (88, 0)) AS v (x1, x2), LATERAL ltv.lifetime_value(m, v, revenue => 100) AS value;

-- Weights, entries of 0, cohorts; text and bytes keep the rows and the model.
SELECT count(*) AS same FROM (SELECT ltv.fit_fine_gray(0::float8, etime::float8, event_type, ARRAY[age, (sex = 'M')::int]::float8[], 1.0) AS m FROM mgus2) AS x, fitted
WHERE NOT EXISTS (SELECT FROM ltv.coefficients(x.m) a JOIN ltv.coefficients(fitted.m) b USING (term) WHERE abs(a.estimate - b.estimate) > 1e-12 OR abs(a.robust_std_error - b.robust_std_error) > 1e-12);
SELECT sex, ltv.model_status(m) FROM (SELECT sex, ltv.fit_fine_gray(etime, event_type, ARRAY[age]) AS m FROM mgus2 GROUP BY sex) AS x ORDER BY sex;
SELECT ltv.fit_fine_gray(d::text::ltv.design)::text = ltv.fit_fine_gray(d)::text AS by_text, m::text::ltv.model::text = m::text AS model_by_text
FROM (SELECT ltv.cause_design_agg(etime, event_type, ARRAY[age, (sex = 'M')::int]) AS d FROM mgus2) AS x, fitted;

-- Nothing to fit, or not enough.
SELECT ltv.fit_fine_gray(d, 1, c) FROM (SELECT NULL::ltv.design AS d, 'efron' AS c) AS x;
SELECT ltv.fit_fine_gray(etime, event_type, ARRAY[age]) IS NULL AS no_rows FROM mgus2 WHERE false;
SELECT ltv.model_status(ltv.fit_fine_gray(etime, 2 * (event_type > 0)::int, ARRAY[age, 2 * age])) FROM mgus2;
SELECT ltv.model_status(ltv.fit_fine_gray(etime, event_type, ARRAY[age, 2 * age])) FROM mgus2;

-- What is refused, and how.
SELECT ltv.fit_fine_gray(ltv.design_agg(etime, event_type > 0, ARRAY[age])) FROM mgus2;
SELECT ltv.fit_fine_gray(ltv.cause_design_agg(etime, event_type, ARRAY[age]), cause => 0) FROM mgus2;
SELECT ltv.fit_fine_gray(ltv.cause_design_agg(etime, event_type, ARRAY[age]), ties => 'exact') FROM mgus2;
SELECT ltv.fit_fine_gray(etime, -1, ARRAY[age]) FROM mgus2;
