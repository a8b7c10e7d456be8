-- Curves from intervals, against R's survfit (which stops at 1e-4) and the published tables.
\set ECHO none
\ir ../datasets.sql
CREATE TABLE diabetes ("left" float8, "right" float8, gender text);
\copy diabetes from 'diabetes_interval_censored.csv' with (format csv, header)
-- Turnbull 1974: at time 1 to 4 so many exact, right- and left-censored.
CREATE TABLE turnbull1974 (t int, exact int, later int, earlier int);
INSERT INTO turnbull1974 VALUES (1, 12, 3, 2), (2, 6, 2, 4), (3, 2, 0, 2), (4, 3, 3, 5);
CREATE VIEW rows1974 AS
    SELECT t AS l, t AS r, exact AS n FROM turnbull1974 UNION ALL SELECT t, NULL, later FROM turnbull1974 UNION ALL SELECT 0, t, earlier FROM turnbull1974;
\set ECHO all

-- Published: .538 .295 .210 .095; R .5375677 .2945940 .2097602 .0948458.
SELECT t, round(ltv.survival_at(s, t)::numeric, 6) AS survival
FROM (SELECT ltv.interval_survival_agg(l, r, n) AS s FROM rows1974 WHERE n > 0) AS x, generate_series(0, 5) AS t;
SELECT from_t, to_t, round(mass::numeric, 6) AS mass, round(survival::numeric, 6) AS survival
FROM (SELECT ltv.interval_agg(l, r, n) AS i FROM rows1974 WHERE n > 0) AS x, LATERAL ltv.turnbull_intervals(i);

-- diabetes: R's S(5, 10, 15, 20, 25) .98391 .88578 .54245 .22226 .08927.
SELECT t, round(ltv.survival_at(s, t)::numeric, 6) AS survival
FROM (SELECT ltv.interval_survival_agg("left", "right") AS s FROM diabetes) AS x, unnest(ARRAY[5, 10, 15, 20, 25]) AS t;
-- Every accessor reads it; counts and standard errors there are none.
SELECT gender, ltv.median(s), round(ltv.rmst(s, 30)::numeric, 6) AS rmst, ltv.max_followup(s), ltv.subjects(s), i.*
FROM (SELECT gender, ltv.interval_survival_agg("left", "right") AS s FROM diabetes GROUP BY gender) AS x, LATERAL ltv.survival_interval(s, 12) AS i
ORDER BY gender;

-- Exact and right-censored rows are Kaplan and Meier's.
SELECT max(abs(ltv.survival_at(a, t) - ltv.survival_at(b, t))) < 1e-12 AS same
FROM (SELECT ltv.survival_agg(time, event) AS a, ltv.interval_survival_agg(time, CASE event WHEN 1 THEN time END) AS b FROM lung) AS x,
     generate_series(0, 1022, 7) AS t;

-- Rows that cannot be used; nothing; nobody gone; infinity is NULL; text, bytes, order and rollup.
SELECT ltv.skipped(i), ltv.turnbull(i) IS NULL AS nothing FROM (SELECT ltv.interval_agg(l, r) AS i FROM (VALUES (NULL::float8, 3.0)) AS v (l, r)) AS x;
SELECT ltv.interval_survival_agg(1, 2) IS NULL AS nothing WHERE false;
SELECT * FROM ltv.turnbull_intervals((SELECT ltv.interval_agg(l, 'infinity') FROM generate_series(1, 3) AS l));
SELECT ltv.interval_agg(l, r) AS text FROM (VALUES (0, 2.5), (2, NULL), (2, 'infinity'), (3, 3)) AS v (l, r);
SELECT encode(ltv.interval_sample_send(ltv.interval_agg(0, 2.5)), 'hex') AS bytes;
SELECT ltv.interval_survival_agg(l, r) AS curve FROM (VALUES (0, 2.5), (2, NULL), (3, 3)) AS v (l, r);
CREATE TABLE parts AS SELECT gender, ltv.interval_agg("left", "right") AS i FROM diabetes GROUP BY gender;
SELECT ltv.rollup(i)::text = (SELECT ltv.interval_agg("left", "right" ORDER BY random())::text FROM diabetes) AS same,
       bool_and(i::text::ltv.interval_sample::text = i::text) AS round_trip FROM parts;
SELECT ltv.turnbull(ltv.rollup(i))::text = (SELECT ltv.interval_survival_agg("left", "right")::text FROM diabetes) AS same FROM parts;

-- Errors.
SELECT ltv.interval_survival_agg(3, 2);
SELECT ltv.interval_survival_agg(-1, 2);
SELECT ltv.interval_survival_agg('NaN', 2);
SELECT ltv.interval_survival_agg('infinity', NULL);
SELECT ltv.interval_survival_agg(1, 2, 0);
SELECT * FROM ltv.log_rank(ARRAY[ltv.turnbull('{"kind":"interval_sample","version":1,"left":[1],"right":[2],"weight":[1],"skipped":0}')]);
SELECT '{"kind":"interval_sample","version":1,"left":[1,1],"right":[2,2],"weight":[1,1],"skipped":0}'::ltv.interval_sample;
SELECT '{"kind":"interval_sample","version":1,"left":[1],"right":[],"weight":[1],"skipped":0}'::ltv.interval_sample;
