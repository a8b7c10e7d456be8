-- train with every algorithm: what the registry then knows by name is what the fit_ functions say of the same rows.
\set ECHO none
\ir ../datasets.sql
\set ECHO all
CREATE FUNCTION message_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE told text; hint text;
BEGIN EXECUTE statement; RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS told = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT; RETURN sqlstate || ': ' || told || ' | ' || hint; END $$;
CREATE TABLE people AS
SELECT customer_id, tenure AS months, churn_event = 1 AS left_us, contract, senior_citizen = 1 AS senior, monthly_charges AS price, gender,
       left(customer_id, 2) AS household, payment_method, 1 + (ascii(right(customer_id, 1)) & 1) AS w
FROM telco WHERE tenure > 0 AND customer_id < '5';
-- What train makes of the features: the levels of contract but the first, the boolean as 1 and 0.
CREATE VIEW coded AS SELECT p.*, ARRAY[(contract = 'One year')::int, (contract = 'Two year')::int, senior::int, price]::float8[] AS x FROM people p;
CREATE TABLE asked (name text PRIMARY KEY, algorithm text, options jsonb);
INSERT INTO asked VALUES
    ('cox', 'cox', '{}'), ('breslow', 'cox', '{"ties": "breslow", "robust": true}'), ('net', 'cox', '{"penalty": 20, "l1_ratio": 0.5, "standardize": false}'),
    ('exponential', 'exponential', '{}'), ('weibull', 'weibull', '{}'), ('shaped', 'weibull', '{"ancillary": ["contract"]}'),
    ('lognormal', 'lognormal', '{}'), ('loglogistic', 'loglogistic', '{}'), ('generalized_gamma', 'generalized_gamma', '{}'), ('gompertz', 'gompertz', '{}'),
    ('spline', 'spline', '{"knots": 2}'), ('odds', 'spline_odds', '{"knot_times": [6, 24]}'),
    ('pieces', 'piecewise_exponential', '{"breaks": [1, 12, 36]}'), ('cure', 'weibull_cure', '{}'), ('best', 'best', '{}'),
    ('chosen', 'best', '{"candidates": ["exponential", "piecewise_exponential", "weibull-cure"], "criterion": "bic"}'),
    ('discrete', 'discrete_time', '{}'), ('cloglog', 'discrete_time', '{"link": "cloglog", "baseline": "polynomial", "degree": 2, "period": 3, "penalty": 1}');
CREATE TABLE direct (name text PRIMARY KEY, m ltv.model);
INSERT INTO direct
SELECT v.name, v.m FROM (SELECT ltv.design_agg(months, left_us, x) AS d FROM coded) q, LATERAL (VALUES
    ('cox', ltv.fit_cox(d)), ('breslow', ltv.fit_cox(d, ties => 'breslow', robust => true)), ('net', ltv.fit_cox(d, penalty => 20, l1_ratio => 0.5)),
    ('exponential', ltv.fit_parametric(d, 'exponential')), ('weibull', ltv.fit_parametric(d, 'weibull')),
    ('shaped', ltv.fit_parametric(d, 'weibull', ancillary => ARRAY['x1', 'x2'])),
    ('lognormal', ltv.fit_parametric(d, 'lognormal')), ('loglogistic', ltv.fit_parametric(d, 'loglogistic')),
    ('generalized_gamma', ltv.fit_parametric(d, 'generalized-gamma')), ('gompertz', ltv.fit_parametric(d, 'gompertz')),
    ('spline', ltv.fit_parametric(d, 'spline', knots => 2)), ('odds', ltv.fit_parametric(d, 'spline-odds', knot_times => ARRAY[6, 24])),
    ('pieces', ltv.fit_parametric(d, 'piecewise-exponential', breaks => ARRAY[1, 12, 36])),
    ('cure', ltv.fit_parametric(d, 'weibull-cure')), ('best', ltv.fit_best(d)),
    ('chosen', ltv.fit_best(d, candidates => ARRAY['exponential', 'piecewise-exponential', 'weibull-cure'], criterion => 'bic')),
    ('discrete', ltv.fit_discrete_time(d)),
    ('cloglog', ltv.fit_discrete_time(d, link => 'cloglog', baseline => 'polynomial', degree => 2, period => 3, penalty => 1))) v (name, m);

SELECT a.name, t.version, t.n_rows, t.n_events, t.metric, round(t.value::numeric, 4) AS value, round(t.baseline_value::numeric, 4) AS baseline, t.warnings
FROM asked a, LATERAL ltv.train(a.name, 'people', a.algorithm, 'months', 'left_us', features => ARRAY['contract', 'senior', 'price'], options => a.options) t
ORDER BY a.name COLLATE "C", t.metric COLLATE "C";

-- The same coefficients, under the names of the features; the same scores of rows with text categories, by name; curves and values too.
SELECT a.name, ltv.model_algorithm(ltv.model(a.name)) AS algorithm, v.algorithm AS registered, ltv.model_status(ltv.model(a.name)) AS status, count(*) AS terms,
       -- Rows gathered in another order add up to the same but for rounding.
       bool_and((t.estimate, t.std_error, t.robust_std_error) IS NOT DISTINCT FROM (u.estimate, u.std_error, u.robust_std_error)
                OR abs(t.estimate - u.estimate) <= 1e-12 * abs(u.estimate) AND abs(t.std_error - u.std_error) <= 1e-12 * u.std_error) AS same,
       string_agg(t.term, ', ' ORDER BY t.ordinality) FILTER (WHERE t.term ~ 'contract') AS of_contract
FROM asked a JOIN direct d USING (name) JOIN ltv.model_versions v ON v.model = a.name,
     LATERAL ROWS FROM (ltv.coefficients(ltv.model(a.name))) WITH ORDINALITY t
     JOIN LATERAL ROWS FROM (ltv.coefficients(d.m)) WITH ORDINALITY u USING (ordinality)
GROUP BY a.name, v.algorithm ORDER BY a.name COLLATE "C";
SELECT d.name, bool_and(abs(ltv.renewal_probability(d.name, p, 12, p.months) - ltv.renewal_probability(d.m, z, 12, p.months)) < 1e-12) AS same_scores,
       bool_and(abs(ltv.renewal_probability(d.name, p, 12, p.months) -
                    ltv.renewal_probability(ltv.predict_curve(d.name, p), p.months, p.months + 12)) < 1e-12) AS same_by_curve,
       round(avg(ltv.renewal_probability(d.name, p, 12))::numeric, 4) AS mean,
       round(avg((ltv.lifetime_value(d.name, p, revenue => 10, horizon => 24)).ltv), 2) AS worth,
       count(DISTINCT (ltv.predict(d.name, p, 12)).status) AS statuses
FROM direct d, (SELECT * FROM coded ORDER BY customer_id LIMIT 60) p, LATERAL (SELECT p.x[1] AS x1, p.x[2] AS x2, p.x[3] AS x3, p.x[4] AS x4) z
GROUP BY d.name ORDER BY d.name COLLATE "C";
-- The winner is the first of compare_distributions.
SELECT j ->> 'metric' AS metric, round((j ->> 'value')::numeric, 4) AS aic, round(c.aic::numeric, 4) AS compared
FROM ltv.model_versions v, jsonb_array_elements(v.metrics) WITH ORDINALITY AS m (j, place),
     (SELECT ltv.design_agg(months, left_us, x) AS d FROM coded) q, LATERAL ltv.compare_distributions(q.d) c
WHERE v.model = 'best' AND j ->> 'metric' = 'aic of ' || replace(c.distribution, '-', '_') ORDER BY place;

-- Strata and clusters: a baseline per gender, errors by household.
SELECT version, n_rows, warnings FROM ltv.train('strata', 'people', 'cox', 'months', 'left_us', features => ARRAY['contract', 'senior', 'price'],
       strata => 'gender', cluster => 'household', weight => 'w');
SELECT t.term, abs(t.estimate - u.estimate) <= 1e-12 * abs(u.estimate) AND abs(t.robust_std_error - u.robust_std_error) <= 1e-12 * u.robust_std_error AS same, t.robust_std_error IS NOT NULL AS robust
FROM (SELECT ltv.fit_cox(ltv.design_agg(0, months, left_us, x, w, gender, household)) AS m FROM coded) q,
     LATERAL ROWS FROM (ltv.coefficients(ltv.model('strata'))) WITH ORDINALITY t JOIN LATERAL ROWS FROM (ltv.coefficients(q.m)) WITH ORDINALITY u USING (ordinality);
-- R's coxph(… + strata(gender), weights = w, cluster = household): -2.02507297632, -4.33016770282, -.02303190424, -.00121158594; errors .09946441696, ...
SELECT term, round(estimate::numeric, 10) AS estimate, round(robust_std_error::numeric, 10) AS robust_std_error FROM ltv.coefficients(ltv.model('strata'));
-- R's survreg(…, dist = "lognormal"): 3.08487941336, 2.63717188809, 4.42092001557, .05005891514, .00269977391, log(scale) .58053900613.
SELECT term, round(estimate::numeric, 9) AS estimate FROM ltv.coefficients(ltv.model('lognormal'));
SELECT ltv.model_features(ltv.model('strata')), (SELECT array_agg(DISTINCT stratum) FROM ltv.baseline(ltv.model('strata'))) AS strata;
SELECT v.gender, p.status, round(p.renewal_probability::numeric, 4) AS renewal
FROM (VALUES ('Male'), ('Female'), ('?'), (NULL)) v (gender), LATERAL (SELECT v.gender, 'One year' AS contract, true AS senior, 50 AS price) r,
     LATERAL ltv.predict('strata', r, 12) p;
SELECT ltv.renewal_probability('strata', r, 12) FROM (SELECT 'One year' AS contract, true AS senior, 50 AS price) r;
-- Whole numbers and booleans as strata; a cluster that some rows lack; robust or not, as asked.
SELECT n_rows, warnings FROM ltv.train('strata', 'people', 'cox', 'months', 'left_us', features => ARRAY['price'], strata => 'senior');
SELECT ltv.renewal_probability('strata', p, 12) IS NOT NULL AS scored, (SELECT array_agg(DISTINCT stratum) FROM ltv.baseline(ltv.model('strata'))) AS strata FROM people p LIMIT 1;
CREATE VIEW gaps AS SELECT *, nullif(household, '00') AS some_household, CASE WHEN customer_id > '3' THEN gender END AS some_gender, '' AS nameless FROM people;
SELECT n_rows, n_dropped FROM ltv.train('gaps', 'gaps', 'cox', 'months', 'left_us', features => ARRAY['price'], cluster => 'some_household');
SELECT bool_and(robust_std_error IS NOT NULL) AS robust FROM ltv.coefficients(ltv.model('gaps'));
SELECT n_rows FROM ltv.train('gaps', 'gaps', 'cox', 'months', 'left_us', features => ARRAY['price'], cluster => 'some_household', options => '{"robust": false}');
SELECT bool_and(robust_std_error IS NULL) AS plain FROM ltv.coefficients(ltv.model('gaps@latest'));
SELECT message_of($$SELECT ltv.train('gaps', 'gaps', 'cox', 'months', 'left_us', features => ARRAY['price'], strata => 'some_gender')$$);
SELECT n_rows, n_dropped FROM ltv.train('gaps', 'gaps', 'cox', 'months', 'left_us', features => ARRAY['price'], strata => 'some_gender', null_policy => 'drop');
SELECT n_rows FROM ltv.train('nameless', 'gaps', 'cox', 'months', 'left_us', features => ARRAY['price'], strata => 'nameless', holdout => '{"by": "customer_id", "fraction": 0.3}') LIMIT 1;
SELECT ltv.model_features(ltv.model('nameless'));
CREATE TABLE silent AS SELECT months, left_us AND gender = 'Male' AS left_us, gender, price FROM people;
SELECT warnings FROM ltv.train('silent', 'silent', 'cox', 'months', 'left_us', features => ARRAY['price'], strata => 'gender');

-- A holdout judges every algorithm alike; the stratum is read with the features.
SELECT t.model, t.metric, t.n_holdout, round(t.value::numeric, 4) AS value, round(t.baseline_value::numeric, 4) AS baseline, round(t.skill::numeric, 3) AS skill, t.warnings
FROM (VALUES ('cox', 'gender'), ('weibull', NULL), ('best', NULL), ('discrete_time', NULL), ('gompertz', NULL), ('kaplan_meier', NULL)) a (algorithm, strata),
     LATERAL ltv.train('held/' || a.algorithm, 'people', a.algorithm, 'months', 'left_us', features => ARRAY['contract', 'senior'], strata => a.strata,
                       holdout => '{"by": "customer_id", "fraction": 0.3}', horizon => 12) t
WHERE metric !~ '^aic' ORDER BY 1, 2;

-- Without features: distributions and periods have intercepts of their own; cox has nothing to say.
CREATE TABLE plain AS SELECT a AS model, t.n_rows, t.warnings FROM
    unnest(ARRAY['exponential', 'weibull', 'lognormal', 'generalized_gamma', 'gompertz', 'spline', 'piecewise_exponential', 'discrete_time', 'best']) WITH ORDINALITY a (a, place),
    LATERAL (SELECT * FROM ltv.train('plain/' || a, 'people', a, 'months', 'left_us') LIMIT 1) t ORDER BY place;
SELECT p.*, (SELECT string_agg(c.term, ', ') FROM (SELECT * FROM ltv.coefficients(ltv.model('plain/' || model)) LIMIT 5) c) AS terms,
       round(ltv.renewal_probability('plain/' || model, ROW(), 12)::numeric, 4) AS renewal FROM plain p;
SELECT message_of($$SELECT ltv.train('bad', 'people', 'cox', 'months', 'left_us', strata => 'gender')$$);

-- Warned of: few events, a horizon beyond the data, an early risk set, separation.
CREATE TABLE few AS SELECT months, left_us, price, contract FROM people ORDER BY customer_id LIMIT 40;
SELECT n_events, warnings FROM ltv.train('few', 'few', 'weibull', 'months', 'left_us', features => ARRAY['price', 'contract'], horizon => 500);
SELECT warnings FROM ltv.train('book2', 'book2', 'exponential', 'stop', 'status', entry => 'start', features => ARRAY['x']);
SELECT round(c.estimate::numeric, 8) AS estimate, round(d.estimate::numeric, 8) AS direct
FROM ltv.coefficients(ltv.model('book2')) c JOIN (SELECT ltv.fit_exponential(start, stop, status, ARRAY[x]) AS m FROM book2) q ON true JOIN LATERAL ltv.coefficients(q.m) d ON d.term = CASE c.term WHEN 'x' THEN 'x1' ELSE c.term END;
CREATE TABLE thin AS SELECT 0.0 AS since, 2.0 AS until, true AS gone, 1 AS x UNION ALL SELECT 0, 9, true, 0 UNION ALL SELECT 3, 4 + i % 40, i % 3 = 0, i % 2 FROM generate_series(1, 90) i;
SELECT warnings FROM ltv.train('thin', 'thin', 'cox', 'until', 'gone', entry => 'since', features => ARRAY['x']);
CREATE TABLE apart AS SELECT i AS d, true AS e, (i <= 10)::int AS x FROM generate_series(1, 20) i;
SELECT warnings FROM ltv.train('apart', 'apart', 'cox', 'd', 'e', features => ARRAY['x']);
-- rossi: R's survreg gives 3.990135, 0.272163, 0.040714, -0.224802, ...
SELECT t.metric, round(t.value::numeric, 6) AS value, round(t.baseline_value::numeric, 6) AS null_model
FROM ltv.train('rossi', 'rossi', 'weibull', 'week', 'arrest', features => ARRAY['fin', 'age', 'race', 'wexp', 'mar', 'paro', 'prio']) t;
SELECT term, round(estimate::numeric, 6) AS estimate, round(std_error::numeric, 6) AS std_error FROM ltv.coefficients(ltv.model('rossi'));

-- What the registry keeps.
SELECT spec ->> 'algorithm' AS algorithm, spec -> 'options' AS options, spec ->> 'strata' AS strata, spec ->> 'cluster' AS cluster
FROM ltv.model_versions WHERE model IN ('chosen', 'strata') ORDER BY model, version;
-- Refused: unknown options, wrong types, values that mean nothing; strata and clusters where there are none.
SELECT a.algorithm, a.options, message_of(format('SELECT ltv.train(%L, %L, %L, %L, %L, features => ARRAY[%L], options => %L)', 'bad', 'people', a.algorithm, 'months', 'left_us', 'price', a.options))
FROM (VALUES ('cox', '{"tie": "efron"}'), ('cox', '{"ties": 1}'), ('cox', '{"ties": "random"}'), ('cox', '{"penalty": "2"}'), ('cox', '{"penalty": -1}'), ('cox', '{"l1_ratio": 2}'),
             ('cox', '{"robust": null}'), ('cox', '{"robust": "yes"}'), ('kaplan_meier', '{"ties": "efron"}'), ('weibull', '{"knots": 2}'), ('weibull', '{"ancillary": "price"}'),
             ('weibull', '{"ancillary": [1]}'), ('weibull', '{"ancillary": ["contract"]}'), ('exponential', '{"ancillary": ["price"]}'), ('spline', '{"knots": 1.5}'),
             ('spline', '{"knots": 99999999999}'), ('spline', '{"knots": 99}'), ('spline', '{"breaks": [1]}'), ('spline', '{"knot_times": [5, 5]}'),
             ('piecewise_exponential', '{"breaks": [5, null]}'), ('piecewise_exponential', '{"breaks": [5, 2]}'), ('best', '{"candidates": []}'), ('best', '{"candidates": ["cox"]}'),
             ('best', '{"criterion": "hqic"}'), ('best', '{"knots": 1}'), ('discrete_time', '{"link": "probit"}'), ('discrete_time', '{"baseline": "cubic"}'),
             ('discrete_time', '{"degree": 0, "baseline": "spline"}'), ('discrete_time', '{"period": 0}'), ('discrete_time', '{"penalty": -1}'), ('discrete_time', '{"degree": "3"}'),
             ('weibull-cure', '{}'), ('weibull_cure_cure', '{}'), ('cure', '{}'), ('renewal', '{}'), ('fine_gray', '{}'), ('cox', '[]'), ('cox', '"ties"'), ('cox', '{"penalty": 1e999}')) a (algorithm, options);
SELECT message_of(format('SELECT ltv.train(%L, %L, %L, %L, %L, features => ARRAY[%L], %s)', 'bad', 'people', algorithm, 'months', 'left_us', 'price', argument))
FROM (VALUES ('weibull', 'strata => ''gender'''), ('kaplan_meier', 'cluster => ''household'''), ('discrete_time', 'strata => ''gender'''), ('kaplan_meier', 'strata => ''gender'''),
             ('cox', 'strata => ''nowhere'''), ('cox', 'cluster => ''nowhere'''), ('cox', 'strata => ''price'''), ('weibull', 'options => NULL')) a (algorithm, argument);
SELECT message_of($$SELECT ltv.train('bad', 'telco', 'weibull', 'tenure', 'churn_event', options => '{"ancillary": ["gender"]}')$$);

-- A penalty is on standardised covariates, and the coefficients are told in the units of the columns: as with units made by hand, whatever they are.
CREATE VIEW standard AS SELECT months, left_us, price, senior, price / d AS price_sd, senior::int / s AS senior_sd, price * 1000 AS cents, d, s
FROM people, (SELECT stddev_pop(price::float8) AS d, stddev_pop(senior::int::float8) AS s FROM people) q;
SELECT count(*) FROM ltv.train('ridge', 'standard', 'cox', 'months', 'left_us', features => ARRAY['price', 'senior'], options => '{"penalty": 500}');
SELECT count(*) FROM ltv.train('ridge/hand', 'standard', 'cox', 'months', 'left_us', features => ARRAY['price_sd', 'senior_sd'], options => '{"penalty": 500, "standardize": false}');
SELECT count(*) FROM ltv.train('ridge/cents', 'standard', 'cox', 'months', 'left_us', features => ARRAY['cents', 'senior'], options => '{"penalty": 500}');
SELECT a.term, round(a.estimate::numeric, 8) AS estimate, abs(a.estimate * u.unit - b.estimate) < 1e-9 AND abs(a.std_error * u.unit - b.std_error) < 1e-9 AS as_by_hand
FROM ltv.coefficients(ltv.model('ridge')) WITH ORDINALITY a JOIN ltv.coefficients(ltv.model('ridge/hand')) WITH ORDINALITY b USING (ordinality),
     LATERAL (SELECT CASE a.term WHEN 'price' THEN d ELSE s END AS unit FROM standard LIMIT 1) u;
SELECT bool_and(abs(p.renewal_probability - q.renewal_probability) < 1e-9 AND abs(p.lower - q.lower) < 1e-9 AND abs(p.renewal_probability - r.renewal_probability) < 1e-9) AS same
FROM (SELECT * FROM standard LIMIT 50) x, LATERAL ltv.predict('ridge', x, 12) p, LATERAL ltv.predict('ridge/hand', x, 12) q, LATERAL ltv.predict('ridge/cents', x, 12) r;
