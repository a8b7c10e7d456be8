-- How long an account lasts at least, by a registered model and the places of the rows that train held out.
\set ECHO none
\ir ../datasets.sql
ALTER TABLE telco ADD churned boolean GENERATED ALWAYS AS (churn_event = 1) STORED, ADD held_out boolean GENERATED ALWAYS AS (md5(customer_id) < '3333') STORED, ADD weight double precision DEFAULT 2,
    ADD entered double precision DEFAULT 0, ADD since date DEFAULT '2020-01-01';
SET max_parallel_workers_per_gather = 0;
\set ECHO all
\set SHOW_CONTEXT never
-- Every model of durations keeps them.
SELECT DISTINCT a AS algorithm, t.version
FROM unnest('{cox,weibull,spline,weibull_cure,kaplan_meier,discrete_time,boosted_hazard,sbg,rule,best}'::text[]) AS a,
     LATERAL ltv.train(a, 'telco', a, 'tenure', 'churned', features => CASE a WHEN 'sbg' THEN '{}' ELSE '{contract}' END::text[], holdout => '{"by": "held_out"}', horizon => 12,
                       options => CASE a WHEN 'rule' THEN '{"by": "contract", "monthly_churn": {"Month-to-month": 0.05, "One year": 0.01, "Two year": 0.005}}' WHEN 'boosted_hazard' THEN '{"trees": 10}' ELSE '{}' END::jsonb) AS t ORDER BY 1;
SELECT model, count(*) AS ages, max(n) FILTER (WHERE given = 0) AS n, max(n_events) FILTER (WHERE given = 0) AS n_events, max(given) AS oldest, max(n) FILTER (WHERE given > 0) AS most_beyond, bool_and(segment IS NULL) AS all_rows FROM ltv.model_places GROUP BY model ORDER BY model;
SELECT given, n_holdout, n, n_events FROM ltv.model_places WHERE model = 'cox' ORDER BY given;
-- They are those that one gathers by hand, to the last bit where none had to be drawn.
CREATE TABLE byhand AS
SELECT p.model, p.given, ltv.survival_agg(CASE WHEN tenure > p.given THEN 1 - ltv.renewal_probability(p.model, t, tenure - p.given, p.given) ELSE 0 END, churned) AS places
FROM ltv.model_places AS p, telco AS t WHERE held_out AND (tenure > p.given OR p.given = 0) GROUP BY 1, 2;
SELECT p.given, bool_and(p.places::text = h.places::text) AS same, bool_and(p.n_holdout = ltv.subjects(h.places)) AS same_rows, count(*) FROM ltv.model_places AS p JOIN byhand AS h USING (model, given) GROUP BY 1 ORDER BY 1;
-- An event in numbers is one too.
SELECT DISTINCT version FROM ltv.train('numbers', 'telco', 'cox', 'tenure', 'churn_event', features => '{contract}', holdout => '{"by": "held_out"}', horizon => 12);
SELECT count(*), bool_and(a.places::text = b.places::text) AS same FROM ltv.model_places AS a JOIN ltv.model_places AS b USING (given) WHERE a.model = 'numbers' AND b.model = 'cox';
-- As an analyst asks; and by hand the same, with the lesser share between two ages.
SELECT customer_id, contract, tenure, churned, b.lower_lifetime, round(b.share::numeric, 4) AS share, b.status, round(g.lower_lifetime::numeric, 4) AS given_its_age, round(g.share::numeric, 4) AS share_then, g.status AS status_then
FROM telco AS t, LATERAL ltv.lifetime_bound('cox', t) AS b, LATERAL ltv.lifetime_bound('cox', t, given => tenure) AS g WHERE customer_id < '0012' ORDER BY customer_id;
SELECT a.model, count(*), bool_and(n.lower_lifetime = h.lower_lifetime AND n.share = h.share AND n.status = h.status) AS from_the_start, bool_and(g.lower_lifetime = b.lower_lifetime AND g.share = b.share AND g.status = b.status) AS at_an_age
FROM (SELECT model FROM ltv.model_places WHERE model <> 'numbers' GROUP BY 1) AS a, telco AS t, LATERAL (SELECT ltv.predict_curve(a.model, t) AS curve OFFSET 0) AS c,
     LATERAL ltv.lifetime_bound(a.model, t, 0.8) AS n, LATERAL (SELECT x.* FROM ltv.model_places AS p, LATERAL ltv.lifetime_bound(c.curve, p.places, 0.8) AS x WHERE p.model = a.model AND p.given = 0) AS h,
     LATERAL ltv.lifetime_bound(a.model, t, 0.8, tenure) AS g,
     LATERAL (SELECT x.* FROM (SELECT p.places FROM ltv.model_places AS p WHERE p.model = a.model AND p.given <= t.tenure ORDER BY p.given DESC LIMIT 1) AS p, LATERAL ltv.lifetime_bound(c.curve, p.places, 0.8, t.tenure) AS x
              UNION ALL SELECT x.* FROM (SELECT p.places FROM ltv.model_places AS p WHERE p.model = a.model AND p.given >= t.tenure ORDER BY p.given LIMIT 1) AS p, LATERAL ltv.lifetime_bound(c.curve, p.places, 0.8, t.tenure) AS x
              ORDER BY share LIMIT 1) AS b
WHERE t.customer_id < '0050' AND t.tenure BETWEEN 1 AND 60 GROUP BY 1 ORDER BY 1;
SELECT t.tenure, bool_and(b.lower_lifetime IS NULL AND b.share IS NULL) AS none, min(b.status) AS status FROM telco AS t, LATERAL ltv.lifetime_bound('cox', t, given => tenure) AS b WHERE t.tenure > 69 GROUP BY 1 ORDER BY 1;

-- Segments: by the rows of its own where a segment has its own model, and enough of them for the level.
SELECT DISTINCT version FROM ltv.train('segments', 'telco', 'cox', 'tenure', 'churned', features => '{monthly_charges}', holdout => '{"by": "held_out"}', horizon => 12, segment_by => '{contract,senior_citizen}', min_events => 60, seed => 3);
SELECT s.segment, s.status, p.n_holdout, p.n, p.n_events FROM ltv.model_segments(ltv.model('segments')) AS s LEFT JOIN ltv.model_places AS p ON p.model = 'segments' AND p.segment = s.segment ORDER BY 1;
SELECT t.contract, t.senior_citizen, p.segment, count(*), bool_and(b.share = x.share AND b.lower_lifetime = x.lower_lifetime) AS by_these
FROM telco AS t LEFT JOIN ltv.model_places AS w ON w.model = 'segments' AND w.segment = t.contract || ' / ' || t.senior_citizen
     JOIN ltv.model_places AS p ON p.model = 'segments' AND p.given = 0 AND p.segment IS NOT DISTINCT FROM w.segment,
     LATERAL ltv.lifetime_bound('segments', t) AS b, LATERAL ltv.lifetime_bound(ltv.predict_curve('segments', t), p.places) AS x WHERE t.customer_id < '0200' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT b.status, s.status AS of_the_segment, a.share = b.share AS by_all_rows FROM telco AS t, LATERAL ltv.lifetime_bound('segments', t, 0.999) AS b, ltv.model_places AS p, LATERAL ltv.lifetime_bound(ltv.predict_curve('segments', t), p.places, 0.999) AS s,
     ltv.model_places AS r, LATERAL ltv.lifetime_bound(ltv.predict_curve('segments', t), r.places, 0.999) AS a
WHERE t.customer_id = '0004-TLHLJ' AND p.model = 'segments' AND p.segment = 'Month-to-month / 0' AND r.model = 'segments' AND r.segment IS NULL AND r.given = 0;
-- The segment is read as the model reads it, whatever the column's type: char(n) without the blanks at its end.
SELECT ltv.segment_of('segments', t) AS segment, ltv.segment_of('segments', q) = ltv.segment_of(ltv.model('segments'), t) AS found, b.share = a.share AND b.lower_lifetime = a.lower_lifetime AS same
FROM telco AS t, LATERAL (SELECT t.contract::char(30) AS contract, t.senior_citizen, t.monthly_charges) AS q, LATERAL ltv.lifetime_bound('segments', t) AS a, LATERAL ltv.lifetime_bound('segments', q) AS b
WHERE t.customer_id = '0004-TLHLJ';
SELECT ltv.segment_of('segments', q) IS NULL AS unseen, ltv.segment_of('cox', q) IS NULL AS without FROM (SELECT 'Weekly' AS contract, 0 AS senior_citizen, 50 AS monthly_charges) AS q;
SELECT b.lower_lifetime, round(b.share::numeric, 4) AS share, b.status FROM (SELECT 'Weekly' AS contract, 0 AS senior_citizen, 50 AS monthly_charges) AS r, LATERAL ltv.lifetime_bound('segments', r) AS b;

-- Where none are kept, it says why; so for a row without a curve, and too few rows.
SELECT count(*) FROM (
    SELECT version FROM ltv.train('no holdout', 'telco', 'cox', 'tenure', 'churned', features => '{contract}')
    UNION ALL SELECT version FROM ltv.train('weights', 'telco', 'cox', 'tenure', 'churned', features => '{contract}', weight => 'weight', holdout => '{"by": "held_out"}')
    UNION ALL SELECT version FROM ltv.train('half-life', 'telco', 'cox', 'tenure', 'churned', features => '{contract}', as_of => '2026-06-30', started_on => 'since', half_life => 12, holdout => '{"by": "held_out"}')
    UNION ALL SELECT version FROM ltv.train('entries', 'telco', 'cox', 'tenure', 'churned', features => '{contract}', entry => 'entered', holdout => '{"by": "held_out"}', null_policy => 'drop')
    UNION ALL SELECT version FROM ltv.train('decisions', 'telco', 'renewal', event => 'churned', features => '{contract}', holdout => '{"by": "held_out"}')
    UNION ALL SELECT version FROM ltv.train('a cause', 'telco', 'fine_gray', 'tenure', 'churn_event', features => '{contract}', options => '{"cause": 1}', holdout => '{"by": "held_out"}')
    UNION ALL SELECT version FROM ltv.train('few', 'telco', 'cox', 'tenure', 'churned', features => '{contract}', holdout => '{"by": "customer_id", "fraction": 0.001}')) AS t;
SELECT ltv.register_version('by hand', 'cox', fitted, '{}', n_rows, n_events) FROM ltv.model_versions WHERE model = 'cox';
SELECT v.model, b.lower_lifetime, round(b.share::numeric, 4) AS share, b.status FROM telco AS t, ltv.model_versions AS v, LATERAL ltv.lifetime_bound(v.model, t) AS b
WHERE t.customer_id = '0004-TLHLJ' AND v.model IN ('no holdout', 'weights', 'half-life', 'entries', 'decisions', 'a cause', 'few', 'by hand') ORDER BY 1;
SELECT q.place, b.lower_lifetime, round(b.share::numeric, 4) AS share, b.status FROM (VALUES (1, 'Weekly'), (2, NULL)) AS q (place, contract), LATERAL ltv.lifetime_bound('cox', q, 0.9, 0) AS b ORDER BY 1;
SELECT b.* FROM telco AS t, LATERAL ltv.lifetime_bound('cox', t, 0.9999) AS b WHERE t.customer_id = '0004-TLHLJ';
SELECT b.* FROM telco AS t, LATERAL ltv.lifetime_bound('cox', t, NULL) AS b WHERE t.customer_id = '0004-TLHLJ';
SELECT ltv.lifetime_bound('cox', t, 1) FROM telco AS t WHERE t.customer_id = '0004-TLHLJ';
SELECT ltv.lifetime_bound('cox', t, 0.9, -1) FROM telco AS t WHERE t.customer_id = '0004-TLHLJ';
SELECT ltv.lifetime_bound('nobody', t) FROM telco AS t WHERE t.customer_id = '0004-TLHLJ';
SELECT ltv.lifetime_bound('cox', q) FROM (SELECT 1 AS x) AS q;

-- Part of the version: sealed, exported, imported; no profile, so that drift and the training profile are as they were.
SELECT ltv.verify('segments', 1);
CREATE TABLE file AS SELECT ltv.export_model('segments', 1) AS document;
SELECT ltv.import_model(document, as_model => 'copy') FROM file;
SELECT count(*), bool_and(a.places::text = b.places::text AND a.n_holdout = b.n_holdout) AS same
FROM ltv.model_places AS a JOIN ltv.model_places AS b ON b.model = 'copy' AND b.given = a.given AND b.segment IS NOT DISTINCT FROM a.segment WHERE a.model = 'segments';
SELECT count(*) FROM ltv.model_profiles WHERE role = 'place';
UPDATE ltv.model_versions SET profiles = jsonb_set(profiles, ARRAY[(jsonb_array_length(profiles) - 1)::text, 'rows'], '1e6') WHERE model = 'copy';
SELECT ltv.verify('copy', 1);
SELECT ltv.check_profiles(profiles) FROM ltv.model_versions WHERE model = 'segments';
SELECT ltv.check_profiles((SELECT jsonb_agg(e - 'levels') FROM jsonb_array_elements(profiles) AS e)) FROM ltv.model_versions WHERE model = 'segments';
CREATE FUNCTION refused(document jsonb) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM ltv.check_profiles(document); RETURN 'accepted'; EXCEPTION WHEN OTHERS THEN RETURN sqlstate; END $$;
SELECT c.path, left(c.value::text, 30) AS value, refused(jsonb_build_array(jsonb_set(e, c.path, c.value)))
FROM ltv.model_versions AS v, jsonb_array_elements(v.profiles) AS e,
     (VALUES (1, '{places}'::text[], '1'::jsonb), (2, '{places}', '"x"'), (3, '{places}', to_jsonb((SELECT ltv.survival_agg(1.5, true)::text))), (4, '{places}', 'null'),
             (5, '{rows}', '1'), (6, '{rows}', 'null'), (7, '{given}', '-1'), (8, '{given}', 'null'), (9, '{by}', '["contract"]'), (10, '{by}', '[1, 2]'), (11, '{levels}', '["a", null]'), (12, '{by}', '1'), (13, '{rows}', '2000')) AS c (place, path, value)
WHERE v.model = 'segments' AND e ->> 'segment' = 'Month-to-month / 0' ORDER BY c.place;
-- A map that rises moves no row past another: a recalibrated version has the bounds of the one that it was made from.
CREATE TABLE others AS SELECT * FROM telco WHERE held_out AND customer_id >= '5';
SELECT DISTINCT version, parent FROM ltv.recalibrate('cox', 'others', method => 'platt', horizon => 12);
SELECT count(*), bool_and(abs(a.renewal_probability - b.renewal_probability) > 1e-6) AS other_probabilities, bool_and(x.lower_lifetime = y.lower_lifetime AND x.share = y.share AND x.status = y.status) AS same_bound
FROM telco AS t, LATERAL ltv.predict('cox@1', t, 12) AS a, LATERAL ltv.predict('cox@2', t, 12) AS b, LATERAL ltv.lifetime_bound('cox@1', t) AS x, LATERAL ltv.lifetime_bound('cox@2', t) AS y WHERE t.customer_id < '0050';

-- Simulated, the truth known: 500 rows to learn from, 5000 held out of which 2000 are drawn, and those beyond an age 500; a third is censored. A share of 0.9 is promised.
CREATE TABLE book AS SELECT i, u[1] AS x, 12 * (-ln(u[2]) * exp(-1.5 * (2 * u[1] - 1))) ^ (1 / 1.3) AS t, -ln(u[3]) / 0.03 AS seen
FROM (SELECT i, array_agg(((hashtextextended(i || '/' || k, 0) & 1048575) + 0.5) / 1048576 ORDER BY k)::float8[] AS u FROM generate_series(1, 5800) AS i, generate_series(1, 3) AS k GROUP BY i) AS h;
CREATE VIEW known AS SELECT i, x, least(t, seen) AS months, t <= seen AS left_us, i > 500 AS held FROM book WHERE i <= 5500;
SELECT DISTINCT version FROM ltv.train('simulated', 'known', 'cox', 'months', 'left_us', features => '{x}', holdout => '{"by": "held"}', horizon => 12, seed => 7);
SELECT given > 0 AS beyond, min(n_holdout) AS n_holdout, max(n) AS most, sum(length(places::text)) < 120000 AS small FROM ltv.model_places WHERE model = 'simulated' GROUP BY 1 ORDER BY 1;
SELECT round(avg(exp(-1 * (b.lower_lifetime / 12) ^ 1.3 * exp(1.5 * (2 * x - 1))))::numeric, 2) AS lasts, round((sum(exp(-1 * (g.lower_lifetime / 12) ^ 1.3 * exp(1.5 * (2 * x - 1)))) / sum(exp(-1 * (6 / 12.0) ^ 1.3 * exp(1.5 * (2 * x - 1)))))::numeric, 2) AS of_those_there_at_6,
       count(*) FILTER (WHERE b.status || g.status <> 'okok') AS others
FROM book AS k, LATERAL ltv.lifetime_bound('simulated', k) AS b, LATERAL ltv.lifetime_bound('simulated', k, 0.9, 6) AS g WHERE i > 5500;
-- The same rows and seed draw the same places.
SELECT DISTINCT version FROM ltv.train('simulated', 'known', 'cox', 'months', 'left_us', features => '{x}', holdout => '{"by": "held"}', horizon => 12, seed => 7);
SELECT DISTINCT version FROM ltv.train('simulated', 'known', 'cox', 'months', 'left_us', features => '{x}', holdout => '{"by": "held"}', horizon => 12, seed => 8);
SELECT a.given = 0 AS all_rows, bool_and(a.places::text = b.places::text) AS same, bool_and(a.places::text = c.places::text) AS same_with_another_seed
FROM ltv.model_places AS a JOIN ltv.model_places AS b ON b.model = a.model AND b.version = 2 AND b.given = a.given JOIN ltv.model_places AS c ON c.model = a.model AND c.version = 3 AND c.given = a.given WHERE a.model = 'simulated' AND a.version = 1 GROUP BY 1 ORDER BY 1;
