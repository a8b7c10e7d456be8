-- What a model says of a row: features by name, NULLs with a reason, R's numbers, and nothing from other rows.
\set ECHO none
\ir ../datasets.sql
SELECT count(*) FROM ltv.train('lung', 'lung', 'cox', 'time', 'event', features => ARRAY['age', 'sex', 'ph_ecog'], null_policy => 'drop') \g /dev/null
SELECT count(*) FROM ltv.train('veteran', 'veteran', 'cox', 'time', 'status',
       features => ARRAY['trt', 'celltype', 'karno', 'diagtime', 'age', 'prior']) \g /dev/null
SELECT count(*) FROM ltv.train('rossi', 'rossi', 'cox', 'week', 'arrest', features => ARRAY['fin', 'age', 'race', 'wexp', 'mar', 'paro', 'prio']) \g /dev/null
SELECT count(*) FROM ltv.train('plans', 'telco', 'kaplan_meier', 'tenure', 'churn_event', features => ARRAY['contract', 'senior_citizen']) \g /dev/null
SELECT count(*) FROM ltv.train('telco', 'telco', 'cox', 'tenure', 'churn_event',
       features => ARRAY['contract', 'internet_service', 'senior_citizen', 'monthly_charges']) \g /dev/null
\set ECHO all

-- R's survfit for a man of 60 with ph.ecog 1: S(180) = .6859429744, S(365) = .3358633696, given 180 days .4896374511, median 285.
CREATE VIEW man AS SELECT 60 AS age, 1 AS sex, 1 AS ph_ecog;
SELECT round(ltv.renewal_probability(ltv.model('lung'), man, 180)::numeric, 10) AS s180, round(ltv.renewal_probability('lung', man, 365)::numeric, 10) AS s365,
       round(ltv.renewal_probability('lung', man, 185, given => 180)::numeric, 10) AS s365_given_180, ltv.median(ltv.predict_curve('lung', man)) FROM man;
-- Its standard errors .03645759437 and .04337186662, and R's log intervals.
SELECT round(i.survival::numeric, 10) AS survival, round(i.std_error::numeric, 9) AS std_error, round(i.lower::numeric, 9) AS lower,
       round(i.upper::numeric, 9) AS upper
FROM man, unnest(ARRAY[30, 180, 365, 1000]) AS t, LATERAL ltv.survival_interval(ltv.predict_curve('lung', man), t, transform => 'log') AS i;
-- All that predict says; the linear predictor is R's (centred at the means), the limits are log-log.
SELECT round(event_probability::numeric, 10) AS event_probability, round(renewal_probability::numeric, 10) AS renewal_probability,
       round(lower::numeric, 8) AS lower, round(upper::numeric, 8) AS upper,
       round(expected_lifetime::numeric, 6) AS expected_lifetime, round(linear_predictor::numeric, 9) AS linear_predictor, status
FROM man, LATERAL ltv.predict('lung', man, 180);
SELECT round(i.lower::numeric, 8) AS lower, round(i.upper::numeric, 8) AS upper FROM man,
       LATERAL ltv.survival_interval(ltv.predict_curve('lung', man), 180) AS i;
-- A veteran with a factor (.7314687020 at 90, .2581696050 at 365), a rossi convict (.8650614980 at 26, .7094512403 at 52).
SELECT round(ltv.renewal_probability('veteran', r, 90)::numeric, 9) AS s90, round(ltv.renewal_probability('veteran', r, 365)::numeric, 9) AS s365
       FROM (SELECT 1 AS trt, 'squamous' AS celltype, 60 AS karno, 7 AS diagtime, 69 AS age, 0 AS prior) AS r;
SELECT round(ltv.renewal_probability('rossi', r, 26)::numeric, 9) AS s26, round(ltv.renewal_probability('rossi', r, 52)::numeric, 9) AS s52
       FROM (SELECT 0 AS fin, 24 AS age, 1 AS race, 1 AS wexp, 0 AS mar, 1 AS paro, 3 AS prio) AS r;
-- The hazard jumps at the events, it is not interpolated between them.
SELECT count(DISTINCT ltv.renewal_probability(ltv.model('rossi'), r, t)) AS values
       FROM (SELECT 0 AS fin, 24 AS age, 1 AS race, 1 AS wexp, 0 AS mar, 1 AS paro, 3 AS prio) AS r, unnest(ARRAY[26, 26.2, 26.5, 26.999]) AS t;
-- With delayed entry the baseline counts who was at risk: R's S(50), S(100), S(500) of a transplanted patient of average age.
SELECT count(*) AS trained FROM ltv.train('heart', 'heart', 'cox', 'stop', 'event', entry => 'start',
       features => ARRAY['age', 'year', 'surgery', 'transplant']);
SELECT t, round(ltv.renewal_probability('heart', r, t)::numeric, 9) AS survival FROM (SELECT 0 AS age, 3 AS year, 0 AS surgery, 1 AS transplant) AS r,
       unnest(ARRAY[50, 100, 500]) AS t;

-- Features are found by name: in any order, among others, in any row.
SELECT count(DISTINCT p) AS one_answer FROM (
    SELECT ltv.renewal_probability('lung', r, 180) AS p FROM (SELECT 1 AS ph_ecog, 60 AS age, 1 AS sex) AS r
    UNION ALL SELECT ltv.renewal_probability('lung', r, 180) FROM (SELECT 'x' AS before, 1 AS sex, NULL AS nothing, 1 AS ph_ecog, now() AS later,
        60 AS age, ARRAY[1] AS list) AS r
    UNION ALL SELECT ltv.renewal_probability('lung', r, 180) FROM (SELECT 60::smallint AS age, 1::bigint AS sex, 1.0 AS ph_ecog) AS r
    UNION ALL SELECT ltv.renewal_probability('lung', r, 180) FROM (SELECT 60::real AS age, 1::float8 AS sex, true AS ph_ecog) AS r
    UNION ALL SELECT ltv.renewal_probability('lung', man, 180) FROM man
    UNION ALL SELECT ltv.renewal_probability('lung', man.*, 180) FROM man
    UNION ALL SELECT ltv.renewal_probability('lung', (SELECT man FROM man), 180)
    UNION ALL SELECT ltv.renewal_probability('lung', r, 180) FROM (SELECT man.*, 9 AS other FROM man) AS r
    UNION ALL SELECT ltv.renewal_probability('lung', r, 180) FROM jsonb_to_record('{"age": 60, "sex": 1, "ph_ecog": 1}') AS r (age numeric, sex int,
        ph_ecog int)
) AS ways;
-- A table with dropped, renamed and added columns, one with generated columns, a partition and its parent, a composite column, a domain over a composite.
CREATE TABLE patients (id int, dropped text, age int, ph int, sex int, gone int);
INSERT INTO patients VALUES (1, 'x', 60, 1, 1, 7);
ALTER TABLE patients DROP COLUMN dropped, DROP COLUMN gone;
ALTER TABLE patients RENAME COLUMN ph TO ph_ecog;
ALTER TABLE patients ADD COLUMN twice int GENERATED ALWAYS AS (2 * age) STORED, ADD COLUMN later text DEFAULT 'd';
CREATE TYPE patient AS (sex int, age int, ph_ecog int);
CREATE DOMAIN grown_up AS patient CHECK ((VALUE).age >= 18);
CREATE TABLE wards (ward int, patient patient, checked grown_up);
INSERT INTO wards VALUES (1, ROW(1, 60, 1), ROW(1, 60, 1));
CREATE TABLE parts (age int, sex int, ph_ecog int) PARTITION BY LIST (sex);
CREATE TABLE part_1 (note text, ph_ecog int, sex int, age int);
ALTER TABLE part_1 DROP COLUMN note;
ALTER TABLE parts ATTACH PARTITION part_1 FOR VALUES IN (1);
INSERT INTO parts VALUES (60, 1, 1);
SELECT count(DISTINCT p) AS one_answer, round(min(p)::numeric, 10) AS s180 FROM (
    SELECT ltv.renewal_probability('lung', patients, 180) AS p FROM patients
    UNION ALL SELECT ltv.renewal_probability('lung', patient, 180) FROM wards
    UNION ALL SELECT ltv.renewal_probability('lung', checked, 180) FROM wards
    UNION ALL SELECT ltv.renewal_probability('lung', parts, 180) FROM parts
    UNION ALL SELECT ltv.renewal_probability('lung', part_1, 180) FROM part_1
    UNION ALL SELECT ltv.renewal_probability('lung', part_1::parts, 180) FROM part_1
) AS ways;
-- The missing row of an outer join is NULL, and so is its score.
SELECT p IS NULL AS nothing FROM (SELECT 1 AS one) AS o LEFT JOIN patients ON false, LATERAL ltv.predict('lung', patients, 180) AS p;

-- A column that is not there is an error that names it and lists the row's, one of the wrong type says so.
SELECT ltv.renewal_probability('lung', r, 180) FROM (SELECT 60 AS age, 1 AS sex) AS r;
SELECT ltv.predict('lung', r, 180) FROM (SELECT 60 AS age, 1 AS sex, 1 AS "Ph_ecog") AS r;
SELECT ltv.predict_curve('lung', ROW(60, 1, 1));
SELECT ltv.predict('lung', r, 180) FROM (SELECT 60 AS age, 1 AS sex, '1'::text AS ph_ecog) AS r;
SELECT ltv.predict('lung', r, 180) FROM (SELECT date '2024-01-01' AS age, 1 AS sex, 1 AS ph_ecog) AS r;
SELECT ltv.predict('lung', r, 180) FROM (SELECT 60 AS age, 1 AS sex) AS r WHERE false;

-- A NULL feature, a NaN, a level that training never saw: no score, and the reason.
SELECT name, round(p.renewal_probability::numeric, 6) AS renewal_probability, p.event_probability, p.status,
       ltv.renewal_probability('lung', r, 180) IS NULL AS is_null, ltv.predict_curve('lung', r) IS NULL AS no_curve
FROM (SELECT 'null' AS name, NULL::float8 AS age, 1 AS sex, 1 AS ph_ecog UNION ALL SELECT 'nan', 'NaN', 1, 1 UNION ALL SELECT 'infinite', 'Infinity',
    1, 1 UNION ALL SELECT 'fine', 60, 1, 1) AS r, LATERAL ltv.predict('lung', r, 180) AS p;
SELECT r.celltype, p.renewal_probability IS NULL AS unknown, p.status
FROM (SELECT 1 AS trt, c AS celltype, 60 AS karno, 7 AS diagtime, 69 AS age, 0 AS prior
    FROM unnest(ARRAY['squamous', 'Squamous', 'squamous ', '', 'huge', NULL]) AS c) AS r, LATERAL ltv.predict('veteran', r, 90) AS p;
SELECT contract, senior_citizen, p.renewal_probability IS NULL AS unknown, p.status
       FROM (VALUES ('Two year', 0), ('Two year', 7), ('Three year', 1), (NULL, 1)) AS r (contract, senior_citizen), LATERAL ltv.predict('plans', r, 12) AS p;
-- NULL arguments: NULL.
SELECT ltv.predict(NULL::ltv.model, man, 12) IS NULL AS no_model, ltv.predict('lung', NULL::man, 12) IS NULL AS no_row,
       ltv.predict('lung', man, NULL) IS NULL AS no_horizon, ltv.renewal_probability('lung', man, 12, NULL) IS NULL AS no_given,
       ltv.predict_curve(NULL::text, man) IS NULL AS no_name FROM man;

-- Arguments outside their domain.
SELECT ltv.predict('lung', man, 0) FROM man;
SELECT ltv.predict('lung', man, -1) FROM man;
SELECT ltv.predict('lung', man, 'NaN') FROM man;
SELECT ltv.renewal_probability('lung', man, 'Infinity') FROM man;
SELECT ltv.renewal_probability('lung', man, 12, -1) FROM man;
SELECT ltv.renewal_probability('lung', man, 12, 'NaN') FROM man;
SELECT ltv.predict('lung', man, 12, level => 1) FROM man;
SELECT ltv.predict('nothing', man, 12) FROM man;
SELECT ltv.renewal_probability('lung@7', man, 12) FROM man;
SELECT ltv.predict('lung', 60, 12);
SELECT ltv.predict('lung', ARRAY[60, 1, 1], 12);

-- renewal_probability over the model and over the curve it predicts are one number; so are predict's, and the curve's complement.
SELECT count(*) AS compared, count(*) FILTER (WHERE abs(direct - by_curve) > 1e-12 * direct OR direct <> by_predict
       OR abs(event + direct - 1) > 1e-15) AS different
FROM (
    SELECT ltv.renewal_probability(m.m, telco, h, g) AS direct, ltv.renewal_probability(ltv.predict_curve(m.m, telco), g, g + h) AS by_curve,
        p.renewal_probability AS by_predict, p.event_probability AS event
    FROM (SELECT * FROM telco ORDER BY customer_id LIMIT 40) AS telco, (SELECT ltv.model(name) AS m
        FROM unnest(ARRAY['telco', 'plans']) AS name) AS m, unnest(ARRAY[0.5, 12, 80]) AS h, unnest(ARRAY[0, 1, 30.5, 71, 100]) AS g,
        LATERAL ltv.predict(m.m, telco, h, g) AS p
) AS x;
-- Beyond what was observed the average hazard goes on: said in the status, and S(2 tau) = S(tau)^2 from the start.
SELECT status, abs(renewal_probability - power(ltv.renewal_probability('telco', telco, 72), 2)) < 1e-12 AS squared
       FROM (SELECT * FROM telco ORDER BY customer_id LIMIT 1) AS telco, LATERAL ltv.predict('telco', telco, 144) AS p;
SELECT horizon, given, status FROM (SELECT * FROM telco ORDER BY customer_id LIMIT 1) AS telco,
       (VALUES (72, 0), (73, 0), (1, 71), (1, 72), (1, 500)) AS v (horizon, given), LATERAL ltv.predict('telco', telco, horizon, given);
-- Limits hold the estimate and widen with the level; kaplan_meier's are those of its cohort's curve.
SELECT count(*) FILTER (WHERE NOT (a.lower <= b.lower AND b.lower <= b.renewal_probability AND b.renewal_probability <= b.upper
       AND b.upper <= a.upper)) AS out_of_order
FROM (SELECT * FROM telco ORDER BY customer_id LIMIT 200) AS telco, LATERAL ltv.predict('telco', telco, 24, level => 0.99) AS a,
    LATERAL ltv.predict('telco', telco, 24, level => 0.8) AS b;
-- (Where nobody left, the curve has no variance, and predict knows no limits.)
SELECT contract, senior_citizen, p.renewal_probability = i.survival AS same, CASE WHEN p.lower IS NULL THEN i.survival = 1 ELSE abs(p.lower - i.lower) < 1e-12 END AS lower, CASE WHEN p.upper IS NULL THEN i.survival = 1 ELSE abs(p.upper - i.upper) < 1e-12 END AS upper
FROM (SELECT contract, senior_citizen, ltv.survival_agg(tenure, churn_event) AS s FROM telco GROUP BY contract, senior_citizen) AS g,
    LATERAL ltv.predict('plans', g, 30) AS p, LATERAL ltv.survival_interval(s, 30) AS i ORDER BY contract, senior_citizen;
-- Also where the cohort's curve comes down to 0 later on.
CREATE TABLE dying AS SELECT i AS d, i % 3 <> 0 AS e, 'a' AS g FROM generate_series(1, 20) AS i;
SELECT n_rows FROM ltv.train('dying', 'dying', 'kaplan_meier', 'd', 'e', features => ARRAY['g']);
SELECT round(p.renewal_probability::numeric, 10) AS p, round(p.lower::numeric, 10) AS lower, round(p.upper::numeric, 10) AS upper,
       round(i.lower::numeric, 10) AS curve_lower, round(i.upper::numeric, 10) AS curve_upper, p.status
FROM (SELECT g, ltv.survival_agg(d, e) AS s FROM dying GROUP BY g) AS x, LATERAL ltv.predict('dying', x, 10) AS p, LATERAL ltv.survival_interval(s, 10) AS i;

-- A score depends on its row and its model only: alone or among others, in whatever order, by value or by name.
SELECT count(*) AS different
FROM (SELECT customer_id, ltv.renewal_probability('telco', telco, 12) AS p FROM telco) AS together
JOIN (SELECT customer_id, ltv.renewal_probability((SELECT ltv.model('telco')), telco, 12) AS p
    FROM (SELECT * FROM telco ORDER BY monthly_charges DESC, customer_id LIMIT 500) AS telco) AS few USING (customer_id)
WHERE together.p <> few.p;
SELECT count(DISTINCT (SELECT ltv.renewal_probability('telco', t, 12) FROM telco AS t
       WHERE t.customer_id = telco.customer_id)) = count(DISTINCT ltv.renewal_probability('telco', telco, 12)) AS alone_or_together
       FROM (SELECT * FROM telco ORDER BY customer_id LIMIT 50) AS telco;
-- One call site, several models in turn.
SELECT round(avg(abs(a - b))::numeric, 12) AS difference
FROM (SELECT ltv.renewal_probability(m.m, telco, 12) AS a, CASE n WHEN 'telco' THEN ltv.renewal_probability('telco', telco,
    12) ELSE ltv.renewal_probability('plans', telco, 12) END AS b
      FROM (SELECT * FROM telco ORDER BY customer_id LIMIT 100) AS telco, (SELECT n, ltv.model(n) AS m FROM unnest(ARRAY['telco', 'plans']) AS n) AS m) AS x;
SELECT count(DISTINCT n) AS names, count(*) FILTER (WHERE p IS NULL) AS without
       FROM (SELECT n, ltv.renewal_probability(n, telco, 12) AS p FROM (SELECT * FROM telco ORDER BY customer_id LIMIT 20) AS telco,
       unnest(ARRAY['telco', 'plans', 'telco@1']) AS n ORDER BY telco.customer_id, n) AS x;
-- One call site, several row types in turn (PL/pgSQL keeps it).
DO $$
DECLARE
    r record;
    p float8;
BEGIN
    FOR r IN SELECT 60 AS age, 1 AS sex, 1 AS ph_ecog UNION ALL SELECT 61, 1, 1 LOOP
        p := ltv.renewal_probability('lung'::text, r, 180);
        RAISE NOTICE '%', round(p::numeric, 6);
    END LOOP;
    FOR r IN SELECT 'x' AS x, 1.0 AS ph_ecog, 1::bigint AS sex, 60::real AS age LOOP
        p := ltv.renewal_probability('lung'::text, r, 180);
        RAISE NOTICE '%', round(p::numeric, 6);
    END LOOP;
END
$$;
-- The table changes between two rows of one call site.
CREATE TABLE changing (celltype text, trt int, karno int, diagtime int, age int, prior int);
INSERT INTO changing VALUES ('squamous', 1, 60, 7, 69, 0);
DO $$
DECLARE
    r record;
    m ltv.model := ltv.model('veteran');
    p float8;
BEGIN
    FOR i IN 1..3 LOOP
        FOR r IN EXECUTE 'SELECT c AS row FROM changing AS c' LOOP
            p := ltv.renewal_probability(m, r.row, 90);
            RAISE NOTICE '% %', r.row, round(p::numeric, 6);
        END LOOP;
        IF i = 1 THEN
            ALTER TABLE changing ADD COLUMN other text DEFAULT 'large';
            ALTER TABLE changing RENAME COLUMN celltype TO before;
            ALTER TABLE changing RENAME COLUMN other TO celltype;
        ELSIF i = 2 THEN
            ALTER TABLE changing ALTER COLUMN before TYPE float8 USING 1e300, ALTER COLUMN trt TYPE text USING 'adeno';
            ALTER TABLE changing RENAME COLUMN celltype TO after;
            ALTER TABLE changing RENAME COLUMN trt TO celltype;
            ALTER TABLE changing ADD COLUMN trt int DEFAULT 1;
        END IF;
    END LOOP;
END
$$;
-- A score does not change with how the session prints dates and numbers.
CREATE TABLE printed AS SELECT i % 40 AS d, i % 3 <> 0 AS e, (i % 4) / 8.0::float8 AS f, (i % 3)::numeric(5, 2) AS n, i % 2 = 0 AS b
    FROM generate_series(1, 400) AS i;
SELECT n_rows FROM ltv.train('printed', 'printed', 'kaplan_meier', 'd', 'e', features => ARRAY['n', 'b']);
CREATE TABLE before AS SELECT n, b, avg(ltv.renewal_probability('printed', printed, 7)) AS p FROM printed GROUP BY n, b;
SET extra_float_digits = -10;
SET datestyle = 'German';
SET bytea_output = 'escape';
SELECT count(*) AS groups, count(*) FILTER (WHERE p <> q OR q IS NULL) AS changed FROM before
       JOIN (SELECT n, b, avg(ltv.renewal_probability('printed', printed, 7)) AS q FROM printed GROUP BY n, b) AS now USING (n, b);
RESET extra_float_digits;
RESET datestyle;
RESET bytea_output;
-- A view over the live ones, given how long each has lasted.
CREATE VIEW scores AS SELECT customer_id, ltv.renewal_probability((SELECT ltv.model('telco')), telco, 12, telco.tenure) AS p FROM telco WHERE churn = 'No';
SELECT count(*) AS live, count(*) FILTER (WHERE p BETWEEN 0 AND 1) AS scored, round(avg(p)::numeric, 6) AS average FROM scores;
-- A read-only transaction can score.
BEGIN READ ONLY;
SELECT round(ltv.renewal_probability('lung', man, 180)::numeric, 10) AS s180 FROM man;
ROLLBACK;
