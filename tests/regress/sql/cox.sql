-- Cox regression as an aggregate, against the closed forms of Therneau's test data and R's coxph (Efron's ties).
\set ECHO none
\ir ../datasets.sql
\set ECHO all

-- Test data 1: beta = 1.676857486.
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error, round(hazard_ratio::numeric, 8) AS hazard_ratio
FROM ltv.coefficients((SELECT ltv.fit_cox(time, status, ARRAY[x]) FROM book1));
-- Test data 2, intervals: -0.02110520963.
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error
FROM ltv.coefficients((SELECT ltv.fit_cox(start, stop, status, ARRAY[x]) FROM book2));
-- Test data 3, weighted: 0.8726042464.
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error
FROM ltv.coefficients((SELECT ltv.fit_cox(time, status, ARRAY[x], weight) FROM book3));

-- lung ~ age + sex + ph.ecog, one row with a NULL left out: .01106676, -.55261240, .46372848; se .00926741, .16773905, .11357727.
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error, round(z::numeric, 6) AS z,
       round(p_value::numeric, 8) AS p_value,
       round(hazard_ratio::numeric, 8) AS hazard_ratio, round(lower::numeric, 8) AS lower, round(upper::numeric, 8) AS upper
FROM ltv.coefficients((SELECT ltv.fit_cox(time, event = 1, ARRAY[age, sex, ph_ecog]) FROM lung));
-- Limits at another level.
SELECT term, round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper
       FROM ltv.coefficients((SELECT ltv.fit_cox(time, event, ARRAY[age, sex, ph_ecog]) FROM lung), level => 0.5);
-- rossi: fin -.37942217 age -.05743774 race .31389979 wexp -.14979570 mar -.43370388 paro -.08487108 prio .09149708.
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error
FROM ltv.coefficients((SELECT ltv.fit_cox(week, arrest, ARRAY[fin, age, race, wexp, mar, paro, prio]) FROM rossi));
-- heart, start-stop: .02716664 -.14634635 -.63720989 -.01025077.
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error
FROM ltv.coefficients((SELECT ltv.fit_cox(start, stop, event = 1, ARRAY[age, year, surgery, transplant]) FROM heart));
-- leukemia 1.572125149 (0.412396718), ovarian rx + age -.8039730127 and .1473265955, veteran with factors.
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error
       FROM ltv.coefficients((SELECT ltv.fit_cox(time, cens, ARRAY[(treat = 'control')::int]) FROM gehan));
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error
       FROM ltv.coefficients((SELECT ltv.fit_cox(futime, fustat, ARRAY[rx, age]) FROM ovarian));
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error
FROM ltv.coefficients((SELECT ltv.fit_cox(time, status, ARRAY[trt, (celltype = 'large')::int, (celltype = 'smallcell')::int,
    (celltype = 'squamous')::int, karno, diagtime, age, prior]) FROM veteran));

-- Is the model better than none? R's three tests of lung: likelihood ratio 30.50066877, Wald 29.92925121, score 30.49992270 on 3.
SELECT test, round(chi_squared::numeric, 7) AS chi_squared, df, round(p_value::numeric, 12) AS p_value
       FROM ltv.model_test((SELECT ltv.fit_cox(time, event, ARRAY[age, sex, ph_ecog]) FROM lung));
-- One binary covariate without ties: the score test is the log-rank test.
SELECT abs(m.chi_squared - l.chi_squared) < 1e-9 AS same
FROM ltv.model_test((SELECT ltv.fit_cox(i, e, ARRAY[i % 2]) FROM (SELECT i, i % 5 > 0 AS e FROM generate_series(1, 60) AS i) AS rows)) AS m,
     ltv.log_rank((SELECT array_agg(s) FROM (SELECT ltv.survival_agg(i, e) AS s
         FROM (SELECT i, i % 5 > 0 AS e FROM generate_series(1, 60) AS i) AS rows GROUP BY i % 2) AS g)) AS l WHERE m.test = 'score';
SELECT count(*) AS no_tests FROM ltv.model_test(NULL);

-- All forms of the aggregate agree.
SELECT count(DISTINCT round(estimate::numeric, 10)) AS one_answer
FROM (
    SELECT ltv.fit_cox(time, status, ARRAY[x]) AS m FROM book1
    UNION ALL SELECT ltv.fit_cox(time, status = 1, ARRAY[x]) FROM book1
    UNION ALL SELECT ltv.fit_cox(time, status, ARRAY[x], 1) FROM book1
    UNION ALL SELECT ltv.fit_cox(time, status = 1, ARRAY[x], 1) FROM book1
    UNION ALL SELECT ltv.fit_cox(0, time, status, ARRAY[x]) FROM book1
    UNION ALL SELECT ltv.fit_cox(0, time, status = 1, ARRAY[x]) FROM book1
    UNION ALL SELECT ltv.fit_cox(0, time, status, ARRAY[x], 1) FROM book1
    UNION ALL SELECT ltv.fit_cox(0, time, status = 1, ARRAY[x], 1) FROM book1
    UNION ALL SELECT ltv.fit_cox(time * 2.0, status, ARRAY[x - 5]) FROM book1
) AS forms, LATERAL ltv.coefficients(m);
-- The order of the rows matters to rounding only.
SELECT max(abs(a.estimate - b.estimate) / abs(a.estimate)) < 1e-12 AS same
FROM ltv.coefficients((SELECT ltv.fit_cox(week, arrest, ARRAY[fin, age, race, wexp, mar, paro, prio] ORDER BY prio, age) FROM rossi)) AS a
JOIN ltv.coefficients((SELECT ltv.fit_cox(week, arrest, ARRAY[fin, age, race, wexp, mar, paro, prio] ORDER BY week DESC) FROM rossi)) AS b USING (term);

-- A model per cohort: GROUP BY, FILTER and window functions work as for any aggregate.
SELECT sex, ltv.model_status(m) AS status, round(estimate::numeric, 8) AS age
       FROM (SELECT sex, ltv.fit_cox(time, event, ARRAY[age]) AS m FROM lung GROUP BY sex) AS x, LATERAL ltv.coefficients(m) ORDER BY sex;
SELECT (SELECT estimate FROM ltv.coefficients((SELECT ltv.fit_cox(time, event, ARRAY[age]) FILTER (WHERE sex = 2) FROM lung)))
     = (SELECT estimate FROM ltv.coefficients((SELECT ltv.fit_cox(time, event, ARRAY[age]) FROM lung WHERE sex = 2))) AS same;
-- The state is the aggregate's own affair: finishing twice, over two aggregates that share it, changes nothing.
SELECT ltv.fit_cox(time, event, ARRAY[age])::text = ltv.fit_cox(time, event, ARRAY[age])::text AS same FROM lung;
SELECT count(DISTINCT m::text) AS models FROM (SELECT ltv.fit_cox(time, event, ARRAY[age]) OVER (PARTITION BY sex) AS m FROM lung) AS x;

-- What a fit says of itself.
SELECT ltv.model_status(m), ltv.model_algorithm(m), ltv.model_features(m) FROM (SELECT ltv.fit_cox(time, event, ARRAY[age, sex]) AS m FROM lung) AS x;
-- A constant column, and one that the others determine, have no coefficient; the others keep theirs.
SELECT name, ltv.model_status(m) AS status, term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error,
       round(z::numeric, 6) AS z, hazard_ratio IS NULL AS no_ratio
FROM (
    SELECT 'constant' AS name, ltv.fit_cox(time, event, ARRAY[age, 7]) AS m FROM lung
    UNION ALL SELECT 'collinear', ltv.fit_cox(time, event, ARRAY[age, sex, 3 * age - 2 * sex]) FROM lung
    UNION ALL SELECT 'twice', ltv.fit_cox(time, event, ARRAY[age, age]) FROM lung
    UNION ALL SELECT 'only constant', ltv.fit_cox(time, event, ARRAY[1]) FROM lung
) AS x, LATERAL (SELECT c.*, row_number() OVER () AS at FROM ltv.coefficients(m) AS c) AS c
WHERE estimate IS NULL OR name = 'only constant' OR at = 1 ORDER BY name, at;
-- Separated: every event has x = 1, so the likelihood rises for ever. Said, not hidden, and a score is still a number.
SELECT ltv.model_status(m) AS status, term, estimate > 8 AS runs_off, ltv.renewal_probability(m, r, 2) BETWEEN 0 AND 1 AS scores
FROM (SELECT ltv.fit_cox(d, e, ARRAY[x]) AS m FROM (VALUES (1.0, true, 1), (2, true, 1), (3, true, 1), (4, false, 0), (5, false, 0),
    (6, false, 0)) AS v (d, e, x)) AS f,
     LATERAL ltv.coefficients(m), (SELECT 1 AS x1) AS r;
-- Two groups that had all the events, one after the other.
SELECT ltv.model_status(ltv.fit_cox(d, e, ARRAY[x1, x2])) AS status
FROM (VALUES (1, 1, 1, 0), (2, 1, 1, 0), (3, 1, 1, 0), (4, 1, 0, 1), (5, 1, 0, 1), (6, 0, 0, 1), (7, 0, 0, 1), (8, 0, 0, 0), (9, 0, 0, 0)) AS v (d, e, x1, x2);
-- No events; one row; two rows.
SELECT name, ltv.model_status(m) AS status, (SELECT count(estimate) FROM ltv.coefficients(m)) AS estimates, p.renewal_probability, p.status AS prediction
FROM (
    SELECT 'no events' AS name, ltv.fit_cox(time, false, ARRAY[age]) AS m FROM lung
    UNION ALL SELECT 'one row, event', ltv.fit_cox(d, e, ARRAY[x]) FROM (VALUES (5, true, 1.0)) AS v (d, e, x)
    UNION ALL SELECT 'one row, censored', ltv.fit_cox(d, e, ARRAY[x]) FROM (VALUES (5, false, 1.0)) AS v (d, e, x)
    UNION ALL SELECT 'event at 0', ltv.fit_cox(d, e, ARRAY[x]) FROM (VALUES (0, true, 1.0), (0, false, 2)) AS v (d, e, x)
) AS x, (SELECT 50 AS x1) AS r, LATERAL ltv.predict(m, r, 3) AS p ORDER BY name;
-- No rows, and nothing but rows with NULLs: NULL.
SELECT ltv.fit_cox(time, event, ARRAY[age]) IS NULL AS no_model FROM lung WHERE false;
SELECT ltv.fit_cox(time, event, ARRAY[age, NULL]) IS NULL AS no_model FROM lung;
SELECT ltv.fit_cox(d, e, x) IS NULL AS no_model FROM (VALUES (NULL::float8, true, ARRAY[1.0::float8]), (1, NULL, ARRAY[1.0]), (1, true, NULL),
       (1, true, ARRAY[NULL::float8])) AS v (d, e, x);
-- A NULL anywhere in the array leaves the row out, an array that could hold one but does not is taken.
SELECT (SELECT estimate FROM ltv.coefficients((SELECT ltv.fit_cox(time, event, (ARRAY[age, NULL]::float8[])[1:1]) FROM lung))) = (SELECT estimate
       FROM ltv.coefficients((SELECT ltv.fit_cox(time, event, ARRAY[age]) FROM lung))) AS same;
-- Stored arrays, compressed or not, are the same numbers.
CREATE TABLE wide AS SELECT time, event, array_fill(0::float8, ARRAY[500]) || ARRAY[age::float8, sex] AS x FROM lung;
SELECT term, round(estimate::numeric, 8) AS estimate FROM ltv.coefficients((SELECT ltv.fit_cox(time, event, x) FROM wide)) WHERE estimate IS NOT NULL;
-- A two-dimensional array is its elements row by row, a slice its elements.
SELECT count(DISTINCT estimate) AS one_answer
FROM (
    SELECT ltv.fit_cox(time, event, ARRAY[age, sex]::float8[]) AS m FROM lung
    UNION ALL SELECT ltv.fit_cox(time, event, ARRAY[[age, sex]]::float8[]) FROM lung
    UNION ALL SELECT ltv.fit_cox(time, event, ARRAY[[age], [sex]]::float8[]) FROM lung
    UNION ALL SELECT ltv.fit_cox(time, event, ('[5:6]={' || age || ',' || sex || '}')::float8[]) FROM lung
) AS x, LATERAL ltv.coefficients(m) WHERE term = 'x1';

-- Refused: rows of another length, no covariates, numbers that are none, and all that survival_agg refuses.
SELECT ltv.fit_cox(d, true, x) FROM (VALUES (1.0, ARRAY[1.0::float8]), (2, ARRAY[1.0, 2.0])) AS v (d, x);
SELECT ltv.fit_cox(1, true, '{}');
SELECT ltv.fit_cox(1, true, ARRAY['NaN'::float8]);
SELECT ltv.fit_cox(1, true, ARRAY[1, 'Infinity'::float8]);
SELECT ltv.fit_cox(-1, true, ARRAY[1]);
SELECT ltv.fit_cox('NaN', true, ARRAY[1]);
SELECT ltv.fit_cox(1, 2, ARRAY[1]);
SELECT ltv.fit_cox(3, 3, true, ARRAY[1]);
SELECT ltv.fit_cox(1, true, ARRAY[1], 0);
SELECT ltv.fit_cox(1, true, ARRAY[1], 'NaN');
SELECT ltv.fit_cox(time, event, ARRAY[age * 1e306::float8]) IS NOT NULL AS fitted FROM lung;
SELECT ltv.fit_cox(time, event, ARRAY[age], 1e300) IS NOT NULL AS fitted FROM lung;
SELECT c.* FROM ltv.coefficients((SELECT ltv.fit_cox(time, event, ARRAY[age]) FROM lung), level => 1) AS c;
SELECT c.* FROM ltv.coefficients((SELECT ltv.fit_cox(time, event, ARRAY[age]) FROM lung), level => 'NaN') AS c;
SELECT count(*) FROM ltv.coefficients(NULL);
SELECT ltv.model_status(NULL), ltv.model_algorithm(NULL), ltv.model_features(NULL);
-- The unit of a covariate does not matter.
SELECT u, round((estimate * u)::numeric, 8) AS age FROM unnest(ARRAY[1e-12, 1e-3, 1, 1e3, 1e12]) AS u,
       LATERAL (SELECT ltv.fit_cox(time, event, ARRAY[age * u]) AS m FROM lung) AS f, LATERAL ltv.coefficients(m);
-- Functions behind the aggregate.
SELECT ltv._fit_add(NULL, 1, true, ARRAY[1]);
SELECT ltv._fit_combine(NULL, NULL);
SELECT ltv._fit_cox(NULL);

-- The text form of a model reads back as the same value; what is no model is refused.
SELECT m::text::ltv.model::text = m::text AS same FROM (SELECT ltv.fit_cox(start, stop, event, ARRAY[age, year, surgery, transplant]) AS m FROM heart) AS x;
SELECT ''::ltv.model;
SELECT '{}'::ltv.model;
SELECT '{"version":1,"model":{"features":[],"fit":{"kaplan_meier":{"cohorts":[]}},"skipped":0}}'::ltv.model;
SELECT '{"version":1,"model":{"features":[{"name":"","kind":"numeric"}],"fit":{"kaplan_meier":{"cohorts":[]}},"skipped":0}}'::ltv.model;
-- A model changed by hand: parts that contradict each other.
CREATE FUNCTION state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'accepted'; EXCEPTION WHEN OTHERS THEN RETURN sqlstate; END $$;
CREATE TABLE forged AS SELECT ltv.fit_cox(time, status, ARRAY[x])::text AS m FROM book1;
SELECT change, state_of(format('SELECT %L::ltv.model', changed))
FROM forged, LATERAL (VALUES
    ('nothing', m),
    ('another name', replace(m, '"x1"', '"x2"')),
    ('no name', replace(m, '"x1"', '""')),
    ('another version', regexp_replace(m, '"version":2', '"version":9')),
    ('the version before', regexp_replace(m, '"version":2', '"version":1')),
    ('two coefficients', regexp_replace(m, '"coefficients":\[[^]]*\]', '"coefficients":[1,2]')),
    ('no coefficients', regexp_replace(m, '"coefficients":\[[^]]*\]', '"coefficients":[]')),
    ('a coefficient too large for a double', regexp_replace(m, '"coefficients":\[[^]]*\]', '"coefficients":[1e999]')),
    ('no covariance', regexp_replace(m, '"covariance":\[[^]]*\]', '"covariance":[]')),
    ('no means', regexp_replace(m, '"means":\[[^]]*\]', '"means":[]')),
    ('more events than rows', regexp_replace(m, '"events":[0-9]+', '"events":7')),
    ('times that fall', regexp_replace(m, '"times":\[[^]]*\]', '"times":[9,6,1]')),
    ('an unknown part', regexp_replace(m, '"version":2', '"version":2,"more":1')),
    ('no end', left(m, -1)),
    ('something after the end', m || 'x')) AS v (change, changed);
