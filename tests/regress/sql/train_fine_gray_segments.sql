-- One cause among several by segment, drawn together: by hand, and against a truth that is known.
\set ECHO none
SET max_parallel_workers = 0;
-- Fine & Gray (1999), section 5: the share that ends by cause 1 until t is 1 - (1 - p (1 - e^-t))^(e^(beta x)), p = 0.5. What
-- does not end by it ends by another cause at an exponential time; rows are watched for up to 5. Each region has a beta of its own.
CREATE FUNCTION u(i bigint, k bigint) RETURNS double precision LANGUAGE sql IMMUTABLE RETURN (hashint8extended(i * 1009 + k, 11) & 1048575) / 1048576.0 + 1e-7;
CREATE TABLE truth AS SELECT s, 'region ' || chr(96 + s) AS region, 0.4 + 0.15 * s AS beta, CASE s WHEN 7 THEN 8 WHEN 6 THEN 90 ELSE 60 + 60 * s END AS n FROM generate_series(1, 7) AS s;
CREATE TABLE contracts AS
WITH drawn AS (SELECT region, 1000 * s + i AS id, beta, 2 * u(1000 * s + i, 1) - 1 AS x FROM truth, generate_series(1, n) AS i),
     likely AS (SELECT *, exp(beta * x) AS e, 1 - 0.5 ^ exp(beta * x) AS p1 FROM drawn),
     ended AS (SELECT *, u(id, 2) < p1 AS is_first, CASE WHEN u(id, 2) < p1 THEN -ln(1 - (1 - (1 - u(id, 3) * p1) ^ (1 / e)) / 0.5) ELSE -ln(u(id, 3)) * 1.5 END AS t, 5 * u(id, 4) AS watched FROM likely)
SELECT id, region, x, least(t, watched)::float8 AS months, CASE WHEN t > watched THEN NULL WHEN is_first THEN 'price' ELSE 'other' END AS reason, CASE WHEN t > watched THEN 0 WHEN is_first THEN 1 ELSE 2 END AS code,
       t::float8 AS whole, CASE WHEN is_first THEN 1 ELSE 2 END AS end_code FROM ended;
ANALYZE contracts;
\set ECHO all
SELECT code, count(*) FROM contracts GROUP BY code ORDER BY code;
SELECT warnings FROM ltv.train('apart', 'contracts', 'fine_gray', 'months', 'reason', features => '{x}', options => '{"cause": "price"}', segment_by => '{region}', pooling => 'none');
SELECT warnings FROM ltv.train('shared', 'contracts', 'fine_gray', 'months', 'reason', features => '{x}', options => '{"cause": "price"}', segment_by => '{region}');
SELECT segment, n_rows, n_events, status, round(weight::numeric, 6) AS weight, reason FROM ltv.model_segments(ltv.model('shared')) ORDER BY segment;
-- Apart each is the fit of its rows, to the last bit.
SELECT t.region, abs(c.estimate - t.beta) < 3 * s.std_error AS truth_within_3, c.estimate = s.own AND c.robust_std_error = s.std_error AS as_alone, round(c.estimate::numeric, 3) AS estimate, t.beta, round(s.std_error::numeric, 3) AS std_error
FROM (SELECT region, ltv.fit_fine_gray(months, code, ARRAY[x]) AS m FROM contracts GROUP BY region) AS f JOIN truth AS t USING (region) CROSS JOIN LATERAL ltv.coefficients(f.m) AS c JOIN ltv.segment_coefficients(ltv.model('apart')) AS s ON s.segment = t.region ORDER BY t.region;
-- Together: DerSimonian & Laird and the empirical Bayes estimate by hand, with the robust variances.
WITH own AS (SELECT segment, estimate AS y, std_error ^ 2 AS v FROM ltv.segment_coefficients(ltv.model('apart'))),
     fixed AS (SELECT sum(y / v) / sum(1 / v) AS mean, sum(1 / v) AS total, sum(1 / v ^ 2) AS squares, count(*) AS k FROM own),
     spread AS (SELECT greatest(0, (sum((y - mean) ^ 2 / v) - (min(k) - 1)) / min(total - squares / total)) AS tau FROM own, fixed),
     mean AS (SELECT sum(y / (v + tau)) / sum(1 / (v + tau)) AS mu, sum(1 / (v + tau)) AS total, min(tau) AS tau FROM own, spread),
     -- How far the estimate may be off, over all that the variance between segments may be.
     grid AS (SELECT t, sum(1 / (v + t)) AS total, sum(y / (v + t)) / sum(1 / (v + t)) AS mean, -0.5 * (sum(ln(v + t)) + ln(sum(1 / (v + t))) + sum(y ^ 2 / (v + t)) - sum(y / (v + t)) ^ 2 / sum(1 / (v + t))) AS likelihood
              FROM (SELECT o.*, count(*) OVER w / sum(1 / v) OVER w * (1 - b) / b AS t FROM own o, LATERAL (SELECT (i - 0.5) / 4000 AS b FROM generate_series(1, 4000) AS i) AS g WINDOW w AS (PARTITION BY b)) AS q GROUP BY t)
SELECT s.segment, round(s.own::numeric, 6) AS own, round(s.common::numeric, 6) AS common, round(s.spread::numeric, 6) AS spread, round(s.weight::numeric, 6) AS weight, round(s.estimate::numeric, 6) AS estimate, round(s.std_error::numeric, 6) AS std_error,
       abs(s.common - mu) < 1e-12 AND abs(s.spread - sqrt(tau)) < 1e-12 AND abs(s.weight - tau / (tau + v)) < 1e-12 AND abs(s.estimate - (mu + tau / (tau + v) * (y - mu))) < 1e-12 AS as_by_hand,
       (SELECT abs(s.std_error / sqrt(sum(l * (t * v / (t + v) + (v / (t + v)) ^ 2 / total + (mean + t / (t + v) * (y - mean) - s.estimate) ^ 2)) / sum(l)) - 1) < 2e-3
        FROM (SELECT g.t, g.total, g.mean, exp(g.likelihood - max(g.likelihood) OVER ()) AS l FROM grid g) g) AS error_as_by_hand
FROM ltv.segment_coefficients(ltv.model('shared')) s JOIN own USING (segment), mean ORDER BY s.segment COLLATE "C";
-- A hundred small regions with normal betas: drawn together they are nearer to the truth, and it lies within 1.96 standard errors of 95 %.
CREATE TABLE many AS
WITH drawn AS (SELECT g, 100000 + 1000 * g + i AS id, 0.8 + 0.3 * sqrt(-2 * ln(u(g, 70))) * cos(2 * pi() * u(g, 71)) AS beta, 2 * u(100000 + 1000 * g + i, 1) - 1 AS x FROM generate_series(101, 200) AS g, generate_series(1, 50 + g % 50) AS i),
     likely AS (SELECT *, exp(beta * x) AS e, 1 - 0.5 ^ exp(beta * x) AS p1 FROM drawn),
     ended AS (SELECT *, u(id, 2) < p1 AS is_first, CASE WHEN u(id, 2) < p1 THEN -ln(1 - (1 - (1 - u(id, 3) * p1) ^ (1 / e)) / 0.5) ELSE -ln(u(id, 3)) * 1.5 END AS t, 5 * u(id, 4) AS watched FROM likely)
SELECT g::text AS region, beta, x, least(t, watched)::float8 AS months, CASE WHEN t > watched THEN 0 WHEN is_first THEN 1 ELSE 2 END AS code FROM ended;
SELECT n_rows, n_events, warnings FROM ltv.train('many', 'many', 'fine_gray', 'months', 'code', features => '{x}', options => '{"cause": 1}', segment_by => '{region}');
SELECT count(*), round(avg(s.common)::numeric, 3) AS common, round(avg(s.spread)::numeric, 3) AS spread, round(avg(s.weight)::numeric, 3) AS weight, round(sqrt(avg((s.own - t.beta) ^ 2))::numeric, 4) AS rmse_apart,
       round(sqrt(avg((s.estimate - t.beta) ^ 2))::numeric, 4) AS rmse_together, round(avg((abs(s.estimate - t.beta) < 1.96 * s.std_error)::int), 3) AS within
FROM ltv.segment_coefficients(ltv.model('many')) AS s JOIN (SELECT DISTINCT region, beta FROM many) AS t ON t.region = s.segment;
-- The baseline of a segment is that of its rows at the coefficient that scores. Where every row was watched to its end those
-- that another cause ended stay at risk, and Breslow's sum is by hand:
WITH d AS (SELECT * FROM contracts WHERE region = 'region e'), f AS (SELECT ltv.cause_design_agg(whole, end_code, ARRAY[x]) AS rows, ltv.fit_fine_gray(ltv.cause_design_agg(whole, end_code, ARRAY[x]), 1, 'breslow') AS m FROM d),
     moved AS (SELECT ltv.fit_baseline(rows, m, ARRAY[0.75], ARRAY[0.01]) AS m FROM f), risk AS (SELECT a.whole, 1 / sum(exp(0.75 * b.x)) AS step FROM d AS a JOIN d AS b ON b.whole >= a.whole OR b.end_code = 2 WHERE a.end_code = 1 GROUP BY a.id, a.whole)
SELECT h, round((1 - p.renewal_probability)::numeric, 6) AS incidence, abs(p.renewal_probability - exp(-exp(0.75 * 0.3) * (SELECT sum(step) FROM risk WHERE whole <= h))) < 1e-12 AS as_by_hand
FROM moved, unnest('{0.3,1,2}'::float8[]) AS h, LATERAL (SELECT ltv.renewal_probability(moved.m, v, h) AS renewal_probability FROM (VALUES (0.3)) AS v (x1)) AS p ORDER BY h;
-- At its own coefficients it is the fit's own baseline; causes, sizes and models must fit.
WITH f AS MATERIALIZED (SELECT ltv.cause_design_agg(months, code, ARRAY[x]) AS d, ltv.fit_fine_gray(months, code, ARRAY[x]) AS m FROM contracts), b AS MATERIALIZED (SELECT m, ltv.fit_baseline(d, m) AS again FROM f)
SELECT max(abs(ltv.renewal_probability(m, v, h) - ltv.renewal_probability(again, v, h))) < 1e-14 AS same, max(abs(c.estimate - o.estimate)) = 0 AS coefficient, max(abs(c.robust_std_error - o.robust_std_error)) = 0 AS std_error, count(*)
FROM b, (VALUES (-0.5::float8), (0.5)) AS v (x1), unnest('{0.1,1,3}'::float8[]) AS h, LATERAL ltv.coefficients(m) AS o, LATERAL ltv.coefficients(again) AS c;
SELECT ltv.fit_baseline(ltv.design_agg(months, code = 1, ARRAY[x]), ltv.fit_fine_gray(months, code, ARRAY[x])) FROM contracts;
SELECT ltv.fit_baseline(ltv.cause_design_agg(months, code, ARRAY[x, x * x]), ltv.fit_fine_gray(months, code, ARRAY[x])) FROM contracts;
SELECT ltv.fit_baseline(ltv.cause_design_agg(months, code, ARRAY[x]), ltv.fit_weibull(months, code = 1, ARRAY[x])) FROM contracts;
-- A row is scored by the baseline and coefficient of its region; a thin region and one never seen by those of all rows.
SELECT v.region, round(p.event_probability::numeric, 6) AS incidence, p.event_probability = (ltv.predict(ltv.segment_model(ltv.model('shared'), CASE WHEN v.region <= 'region g' THEN v.region END), v, 1)).event_probability AS same, p.status
FROM (VALUES ('region a', 0.5::float8), ('region f', 0.5), ('region g', 0.5), ('region z', 0.5)) AS v (region, x), LATERAL ltv.predict('shared', v, 1) AS p ORDER BY v.region;
SELECT ltv.model('shared')::text::ltv.model::text = ltv.model('shared')::text AS round_trip, bool_and(ltv.verify(model, version)) AS sealed FROM ltv.model_versions;
