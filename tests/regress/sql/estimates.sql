-- What is read off a curve, against R's survival: estimators, intervals of quantiles and restricted means, comparisons,
-- robust errors, smoothed hazards, and the state of a curve.
\set ECHO none
\ir ../datasets.sql
\set ECHO all

-- Estimators: R's survfit(stype, ctype) on lung at 365: 1,1 .4092416245; 2,1 and 2,2 with their own errors.
SELECT estimator, round(survival::numeric, 10) AS survival, round(std_error::numeric, 10) AS std_error, round(lower::numeric, 10) AS lower,
       round(upper::numeric, 10) AS upper
FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x, unnest(ARRAY['kaplan-meier', 'nelson-aalen', 'fleming-harrington']) AS estimator,
    LATERAL ltv.survival_interval(s, 365, estimator => estimator);
-- aml, maintained, at 31: the Nelson-Aalen hazard 0.6587662338 and its error 0.3070791854; tied events one after the other for all of aml at 5.
SELECT round(cumulative_hazard::numeric, 10) AS hazard, round(cumulative_hazard_std_error::numeric, 10) AS std_error
FROM (SELECT ltv.survival_agg(time, status) AS s FROM aml WHERE x = 'Maintained') AS x, LATERAL ltv.curve(s, '{31}');
SELECT estimator, round(survival::numeric, 10) AS survival, round(cumulative_hazard::numeric, 10) AS hazard,
       round(cumulative_hazard_std_error::numeric, 10) AS std_error, round((1 / 23.0 + 1 / 22.0)::numeric, 10) AS one_by_one
FROM (SELECT ltv.survival_agg(time, status) AS s FROM aml) AS x, unnest(ARRAY['kaplan-meier', 'nelson-aalen', 'fleming-harrington']) AS estimator,
    LATERAL ltv.curve(s, '{5}', estimator => estimator);

-- Quantiles: R by conf.type log: 170 (145,197), 310 (285,363), 550 (460,654); log-log, plain, logit and arcsine: the median 310 (284,361).
SELECT p, quantile, lower, upper
FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x, unnest(ARRAY[0.25, 0.5, 0.75]) AS p, LATERAL ltv.quantile_interval(s, p, transform => 'log');
SELECT transform, quantile, lower, upper
FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x, unnest(ARRAY['log-log', 'plain', 'logit', 'arcsine']) AS transform,
    LATERAL ltv.quantile_interval(s, transform => transform);
-- By sex: 270 (212,310) and 426 (348,550). An upper limit that the curve does not reach is NULL: aml, maintained: 31 (18, NA).
SELECT sex, quantile, lower, upper
FROM (SELECT sex, ltv.survival_agg(time, event) AS s FROM lung GROUP BY sex) AS x, LATERAL ltv.quantile_interval(s, transform => 'log') ORDER BY sex;
SELECT x, quantile, lower, upper
FROM (SELECT x, ltv.survival_agg(time, status) AS s FROM aml GROUP BY x) AS y, LATERAL ltv.quantile_interval(s, transform => 'log') ORDER BY x;

-- Restricted means at 365: 241.4950852 (10.35822649) and 297.4654095 (10.79132398).
SELECT sex, round(rmst::numeric, 7) AS rmst, round(std_error::numeric, 8) AS std_error, round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper
FROM (SELECT sex, ltv.survival_agg(time, event) AS s FROM lung GROUP BY sex) AS x, LATERAL ltv.rmst_interval(s, 365) ORDER BY sex;
-- survRM2: difference 55.97032434 (26.65293638, 85.28771230), p 1.827065e-4; ratio 1.2317658941 (1.1033433906, 1.3751360010); time lost 0.5468170281.
CREATE VIEW sexes AS SELECT ltv.survival_agg(time, event) FILTER (WHERE sex = 2) AS women, ltv.survival_agg(time, event) FILTER (WHERE sex = 1) AS men FROM lung;
SELECT round(difference::numeric, 8) AS difference, round(lower::numeric, 8) AS lower, round(upper::numeric, 8) AS upper, round(z::numeric, 8) AS z,
       round(p_value::numeric, 10) AS p_value
FROM sexes, LATERAL ltv.rmst_difference(women, men, 365);
SELECT round(ratio::numeric, 10) AS ratio, round(lower::numeric, 10) AS lower, round(upper::numeric, 10) AS upper, round(p_value::numeric, 10) AS p_value
FROM sexes, LATERAL ltv.rmst_ratio(women, men, 365);
SELECT round(ratio::numeric, 10) AS lost_ratio, round(lower::numeric, 10) AS lower, round(upper::numeric, 10) AS upper
FROM sexes, LATERAL ltv.rmtl_ratio(women, men, 365);
-- Beyond the observed time of either nothing is known.
SELECT r.rmst, d.difference, q.ratio FROM sexes, LATERAL ltv.rmst_interval(women, 2000) AS r, LATERAL ltv.rmst_difference(women, men, 2000) AS d,
    LATERAL ltv.rmst_ratio(women, men, 2000) AS q;

-- At one time: Klein et al. 2007, on each of the scales.
SELECT transform, round(difference::numeric, 8) AS difference, round(std_error::numeric, 8) AS std_error, round(chi_squared::numeric, 8) AS chi_squared,
       round(p_value::numeric, 8) AS p_value, round(lower::numeric, 8) AS lower, round(upper::numeric, 8) AS upper
FROM sexes, unnest(ARRAY['log-log', 'log', 'plain', 'logit', 'arcsine']) AS transform, LATERAL ltv.survival_difference(women, men, 365, transform);

-- Weights that are not whole: R's robust error 0.0367966343, the model's 0.0400753273. Whole weights are repetitions, unless told otherwise.
CREATE VIEW weighted AS SELECT ltv.survival_agg(time, event, ph_karno / 100.0) AS s FROM lung;
SELECT variance, round(survival::numeric, 10) AS survival, round(std_error::numeric, 10) AS std_error
FROM weighted, unnest(ARRAY['auto', 'robust', 'greenwood']) AS variance, LATERAL ltv.survival_interval(s, 365, variance => variance);
SELECT round(std_error::numeric, 10) AS std_error, round(cumulative_hazard_std_error::numeric, 10) AS of_hazard
FROM weighted, LATERAL ltv.curve(s, '{365}', estimator => 'fleming-harrington');
SELECT variance, round(std_error::numeric, 10) AS std_error
FROM (SELECT ltv.survival_agg(time, event = 1, 2) AS s FROM lung) AS x, unnest(ARRAY['auto', 'robust', 'greenwood']) AS variance,
    LATERAL ltv.survival_interval(s, 365, variance => variance);
-- Without weights the jackknife is Greenwood's.
SELECT max(abs(a.std_error - b.std_error)) < 1e-14 AS the_same
FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x, LATERAL ltv.curve(s, variance => 'robust') AS a JOIN LATERAL ltv.curve(s) AS b USING (t);
-- Text and bytes carry the weights; merged parts are the whole.
SELECT (s::text)::ltv.survival::text = s::text AS text_round_trips, length(s::text) > 100 AS has_weights FROM weighted;
SELECT ltv.survival_agg(d, e, w)::text FROM (VALUES (1.0, true, 0.5), (1, true, 1), (2, false, 2.25)) AS v (d, e, w);
SELECT round(w.std_error::numeric, 12) = round(p.std_error::numeric, 12) AS parts_are_the_whole
FROM weighted, (SELECT ltv.rollup(s) AS r FROM (SELECT ltv.survival_agg(time, event, ph_karno / 100.0) AS s FROM lung GROUP BY inst) AS x) AS y,
    LATERAL ltv.survival_interval(s, 365) AS w, LATERAL ltv.survival_interval(r, 365) AS p;
-- Forged weights are refused.
SELECT '{"kind":"sample","version":1,"time":[1],"events":[2],"censored":[0],"entry":[],"entered":[],"skipped":0,"weights":{"all_whole":false,"event_rows":[1],"event_squares":[1],"censored_squares":[0]}}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[1],"events":[2],"censored":[0],"entry":[],"entered":[],"skipped":0,"weights":{"all_whole":false,"event_rows":[],"event_squares":[],"censored_squares":[]}}'::ltv.survival;
-- With late entries the robust error is not known: auto is Greenwood's, and asking for it is an error.
SELECT round(a.std_error::numeric, 10) = round(g.std_error::numeric, 10) AS auto_is_greenwood
FROM (SELECT ltv.survival_agg(start, stop, event, 0.5) AS s FROM heart) AS x, LATERAL ltv.survival_interval(s, 100) AS a,
    LATERAL ltv.survival_interval(s, 100, variance => 'greenwood') AS g;
SELECT ltv.survival_interval(ltv.survival_agg(start, stop, event, 0.5), 100, variance => 'robust') FROM heart;

-- The smoothed hazard: a constant one where the data are exponential, per unit of time; a model's goes on with its tail.
SELECT t, round(hazard::numeric, 8) AS hazard, round(std_error::numeric, 8) AS std_error, round(lower::numeric, 8) AS lower, round(upper::numeric, 8) AS upper
FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x, LATERAL ltv.smooth_hazard(s, '{0, 180, 365, 730, 1022, 1023}', bandwidth => 170.3);
SELECT kernel, round(hazard::numeric, 8) AS hazard
FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x, unnest(ARRAY['epanechnikov', 'uniform', 'biweight']) AS kernel,
    LATERAL ltv.smooth_hazard(s, '{365}', kernel => kernel);
SELECT count(*), min(t), max(t), bool_and(hazard >= 0) AS not_negative
FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x, LATERAL ltv.smooth_hazard(s);
SELECT ltv.hazard_at(s, 365) = h.hazard AS the_same, ltv.hazard_at(s, 1023) AS beyond
FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x, LATERAL ltv.smooth_hazard(s, '{365}') AS h;
SELECT round((ltv.hazard_at(s, 5) / 0.2)::numeric, 1) AS of_exponential
FROM (SELECT ltv.survival_agg(-ln(i / 2001.0) / 0.2, true) AS s FROM generate_series(1, 2000) AS i) AS x;

-- The trap of delayed entry, and the way out.
CREATE VIEW trap AS SELECT ltv.survival_agg(entry, duration, true) AS s FROM (VALUES (0.0, 2.0), (3, 5), (3, 6), (3, 7)) AS v (entry, duration);
SELECT ltv.survival_at(s, 4) AS survival, ltv.curve_status(s), ltv.survival_at(ltv.conditional(s, 2), 3) AS from_2_on, ltv.curve_status(ltv.conditional(s, 2)) AS then
FROM trap;
SELECT ltv.curve_status(ltv.survival_agg(time, event)) AS lung, ltv.curve_status(ltv.survival_agg(NULL::float8, event = 1)) AS none FROM lung;

-- A model's curve: estimators agree, there are errors, but none of a difference; it has no risk sets.
SELECT n_rows, n_events FROM ltv.train('lung', 'lung', 'cox', 'time', 'event', features => ARRAY['age', 'sex']);
SELECT ltv.curve_status(s) IS NULL AS no_status, r.rmst IS NOT NULL AND r.std_error > 0 AS has_error, q.lower < q.quantile AND q.quantile < q.upper AS within,
       h.hazard > 0 AND h.std_error > 0 AS has_hazard, d.difference = 0 AND d.std_error IS NULL AS no_error_of_a_difference,
       k.survival = n.survival AS one_estimate, k.cumulative_hazard_std_error > 0 AS hazard_error
FROM (SELECT ltv.predict_curve('lung@1', l) AS s FROM (SELECT age, sex FROM lung LIMIT 1) AS l) AS x, LATERAL ltv.rmst_interval(s, 365) AS r,
    LATERAL ltv.quantile_interval(s) AS q, LATERAL ltv.smooth_hazard(s, '{365}') AS h, LATERAL ltv.rmst_difference(s, s, 365) AS d,
    LATERAL ltv.curve(s, '{365}') AS k, LATERAL ltv.curve(s, '{365}', estimator => 'nelson-aalen') AS n;

-- Errors name what was given.
SELECT ltv.curve(s, estimator => 'breslow') FROM weighted;
SELECT ltv.survival_interval(s, 365, variance => 'sandwich') FROM weighted;
SELECT ltv.quantile_interval(s, 1) FROM weighted;
SELECT ltv.rmst_interval(s, 0) FROM weighted;
SELECT ltv.rmst_difference(s, s, 365, level => 95) FROM weighted;
SELECT ltv.survival_difference(s, s, -1) FROM weighted;
SELECT ltv.smooth_hazard(s, bandwidth => 0) FROM weighted;
SELECT ltv.smooth_hazard(s, kernel => 'gaussian') FROM weighted;
SELECT ltv.hazard_at(s, 'infinity') FROM weighted;
-- NULL in, NULL or no rows out.
SELECT ltv.quantile_interval(NULL), ltv.rmst_difference(s, NULL, 1), ltv.curve_status(NULL) FROM weighted;
SELECT count(*) FROM ltv.smooth_hazard(NULL);
