-- Parametric models: fits, options, comparisons, curves that go on, and what they refuse.
CREATE TABLE calls AS
SELECT 1 + (i * 37 % 101) / 7.0 + i % 3 AS duration, i % 4 <> 0 AS event, ARRAY[i % 2, i % 5]::float8[] AS x, 1 + i % 3 AS weight
FROM generate_series(1, 200) i;

-- The first parameter has the covariates; the event as boolean or integer, weights as repetitions.
SELECT term, round(estimate::numeric, 6) AS estimate, round(std_error::numeric, 6) AS std_error, round(hazard_ratio::numeric, 6) AS hazard_ratio
FROM (SELECT ltv.fit_weibull(duration, event, x) AS m FROM calls) q, LATERAL ltv.coefficients(m);
SELECT term, round(estimate::numeric, 6) AS estimate, round(hazard_ratio::numeric, 6) AS hazard_ratio
FROM (SELECT ltv.fit_gompertz(duration, event, x) AS m FROM calls) q, LATERAL ltv.coefficients(m);
SELECT (SELECT ltv.fit_weibull(duration, event::integer, x) FROM calls) IS NOT NULL AS integer_event,
       (SELECT round((ltv.model_fit(ltv.fit_weibull(duration, event, x, weight))).log_likelihood::numeric, 8) FROM calls)
     = (SELECT round((ltv.model_fit(ltv.fit_weibull(duration, event, x))).log_likelihood::numeric, 8)
        FROM calls, generate_series(1, weight)) AS weights_repeat,
       (SELECT (ltv.model_fit(ltv.fit_weibull(0.0, duration, event, x))).log_likelihood FROM calls)
     = (SELECT (ltv.model_fit(ltv.fit_weibull(duration, event, x))).log_likelihood FROM calls) AS entry_0_is_none;

-- Options.
CREATE TABLE design AS SELECT ltv.design_agg(duration, event, x) AS d FROM calls;
SELECT c.term, round(c.estimate::numeric, 4) AS estimate
FROM design, LATERAL ltv.coefficients(ltv.fit_parametric(d, 'spline', ARRAY['a', 'b'], ancillary => ARRAY['b'], knots => 2)) c;
SELECT c.term, round(c.estimate::numeric, 4) AS estimate
FROM design, LATERAL ltv.coefficients(ltv.fit_parametric(d, 'piecewise-exponential', breaks => ARRAY[4, 8])) c;
SELECT distribution, round(log_likelihood::numeric, 4) AS log_likelihood, parameters, round(aic::numeric, 4) AS aic, status
FROM design, LATERAL ltv.compare_distributions(d, ARRAY['exponential', 'weibull', 'lognormal', 'spline', 'unknown']);
SELECT ltv.model_algorithm(ltv.fit_best(d)) AS best, (ltv.model_fit(ltv.fit_best(d))).events FROM design;
SELECT round(chi_squared::numeric, 4) AS chi_squared, df FROM design, LATERAL ltv.model_test(ltv.fit_parametric(d));
-- Seen alive at one visit and gone at the next.
SELECT ltv.model_status(ltv.fit_parametric(ltv.interval_design_agg(floor(duration), CASE WHEN event THEN floor(duration) + 1 END, x)))
FROM calls;

-- Curves that go on where the data end.
CREATE TABLE curves AS
SELECT ltv.predict_curve(ltv.fit_parametric(d, 'weibull', ARRAY['a', 'b']), r) AS c
FROM design, (SELECT 1.0::float8 AS a, 2.0::float8 AS b) r;
SELECT round(ltv.max_followup(c)::numeric, 3) AS data_end, round(ltv.survival_at(c, 100)::numeric, 9) AS at_100,
       round(ltv.median(c)::numeric, 6) AS median, round(ltv.rmst(c, 1000)::numeric, 6) AS mean,
       round(ltv.renewal_probability(c, 12, 24)::numeric, 9) AS renewal, ltv.subjects(c) IS NULL AS no_subjects,
       (SELECT count(*) FROM ltv.curve(c)) AS grid,
       round(ltv.survival_at(ltv.conditional(c, 12), 12)::numeric, 9) AS conditional FROM curves;
SELECT c::text::ltv.survival::text = c::text AS text_is_exact FROM curves;
SELECT i.* FROM curves, LATERAL ltv.survival_interval(c, 0) i;

-- What is refused, and what is told.
SELECT ltv.fit_weibull(0, true, '{}'::float8[]);
SELECT ltv.fit_parametric(d, 'gamma') FROM design;
SELECT ltv.fit_parametric(d, 'weibull', ARRAY['a']) FROM design;
SELECT ltv.fit_parametric(d, 'weibull', knots => 2) FROM design;
SELECT ltv.fit_parametric(d, 'weibull', ancillary => ARRAY['c']) FROM design;
SELECT ltv.fit_parametric(d, 'piecewise-exponential', breaks => ARRAY[100, 200]) FROM design;
SELECT ltv.fit_best(d, criterion => 'best') FROM design;
SELECT ltv.model_status(ltv.fit_weibull(i, false, '{}'::float8[])) FROM generate_series(1, 10) i;
SELECT ltv.model_status(ltv.fit_weibull(5, true, '{}'::float8[])) FROM generate_series(1, 10) i;
SELECT ltv.model_status(ltv.fit_weibull(i, g = 0, ARRAY[g]::float8[])) FROM generate_series(1, 10) i, generate_series(0, 1) g;
SELECT ltv.fit_weibull(NULL, true, '{}'::float8[]) IS NULL AS nothing;
SELECT '{"kind":"parametric","version":1,"curve":{"distribution":"weibull","parameters":[1],"covariance":[],"max_followup":1,"given":0}}'::ltv.survival;
