-- How long an account lasts at least: lifetime_bound, by the places of rows held out in their own curves.
\set ECHO none
SET max_parallel_workers = 0;
SET max_parallel_workers_per_gather = 0;
\set ECHO all
CREATE TABLE curve AS SELECT ltv.survival_agg(i, true) AS s FROM generate_series(1, 20) AS i;
-- By hand, nobody censored: of 19 places the second (20 x 0.1) counts at 0.9, the first at 0.95, and 20 x 0.04 is less than one.
SELECT level, b.* FROM (SELECT ltv.survival_agg(i / 20.0, true) AS places FROM generate_series(1, 19) AS i) AS p, curve, unnest('{0.5,0.9,0.95,0.96}'::float8[]) AS level, LATERAL ltv.lifetime_bound(s, places, level) AS b ORDER BY level;
-- By hand, 9 places, those at 0.2 and 0.5 censored. Before 0.1, 0.2, 0.3, 0.4, 0.5 the loss is 0, 1, 1, 1 + 8/7, 1 + 2 x 8/7, and one row more has the weight 1, 1, 8/7, 8/7, 8/7: over 10.
CREATE TABLE nine AS SELECT ltv.survival_agg(i / 10.0, i NOT IN (2, 5)) AS places FROM generate_series(1, 9) AS i;
SELECT level, b.* FROM nine, curve, unnest(ARRAY[0.9, 0.89999, 0.8, 0.79, 1 - (1 + 8 / 7.0) / 10, 1 - (1 + 16 / 7.0) / 10 + 1e-9, 1 - (1 + 16 / 7.0) / 10, 1 - (1 + 24 / 7.0) / 10]::float8[]) AS level, LATERAL ltv.lifetime_bound(s, places, level) AS b ORDER BY level DESC;
-- Of ten rows that could have come in any order each is bounded by the other nine as often as promised, whatever the numbers are; the parts of a sample add up.
CREATE TABLE shares AS SELECT i, (1 + sin(i * i)) / 2 AS w, round(((1 + sin(i * i)) / 2)::numeric, 1)::float8 AS tied FROM generate_series(1, 10) AS i;
SELECT level, count(*) FILTER (WHERE w >= b.share OR b.share IS NULL) AS held, count(*) FILTER (WHERE tied >= t.share OR t.share IS NULL) AS held_with_ties, ceil(10 * level - 1e-9) AS promised, count(b.share) AS told
FROM unnest('{0.5,0.75,0.8,0.9,0.95}'::float8[]) AS level, shares AS x, curve,
     LATERAL (SELECT ltv.survival_agg(o.w, true) AS w_places, ltv.survival_agg(o.tied, true) AS tied_places FROM shares AS o WHERE o.i <> x.i) AS p,
     LATERAL ltv.lifetime_bound(s, w_places, level) AS b, LATERAL ltv.lifetime_bound(s, tied_places, level) AS t GROUP BY level ORDER BY level;
SELECT (ltv.lifetime_bound(s, places, 0.9)).share FROM curve, (SELECT ltv.rollup(part) AS places FROM (SELECT ltv.survival_agg(i / 20.0, true) AS part FROM generate_series(1, 19) AS i GROUP BY i % 3) AS p) AS q;
-- Censored before the level is reached; a curve that ends before; none; no places; nothing asked.
SELECT b.* FROM curve, (SELECT ltv.survival_agg(i / 100.0, i = 1) AS places FROM generate_series(1, 40) AS i) AS p, LATERAL ltv.lifetime_bound(s, places, 0.5) AS b;
SELECT b.* FROM (SELECT ltv.survival_agg(i, i < 3) AS s FROM generate_series(1, 20) AS i) AS c, (SELECT ltv.survival_agg(i / 20.0, true) AS places FROM generate_series(1, 19) AS i) AS p, LATERAL ltv.lifetime_bound(s, places, 0.5) AS b;
SELECT b.* FROM nine, LATERAL ltv.lifetime_bound(NULL, places) AS b;
SELECT b.* FROM nine, curve, LATERAL ltv.lifetime_bound(s, places) AS b;
SELECT b.* FROM curve, (SELECT ltv.survival_agg(i, true) AS places FROM generate_series(1, 0) AS i) AS p, LATERAL ltv.lifetime_bound(s, places) AS b;
SELECT b.* FROM curve, nine, LATERAL ltv.lifetime_bound(s, NULL) AS b, LATERAL ltv.lifetime_bound(s, places, NULL) AS c;
SELECT ltv.lifetime_bound(s, places, 1) FROM curve, nine;
SELECT ltv.lifetime_bound(s, s) FROM curve;
SELECT ltv.lifetime_bound(s, (SELECT ltv.survival_agg(0.5, true, 0.5) FROM generate_series(1, 3))) FROM curve;
-- Whole weights are repeated rows, as documented.
SELECT (ltv.lifetime_bound(s, (SELECT ltv.survival_agg(i / 20.0, true, 2) FROM generate_series(1, 19) AS i), 0.97)).share = (ltv.lifetime_bound(s, (SELECT ltv.survival_agg(i / 20.0, true) FROM generate_series(1, 19) AS i, generate_series(1, 2)), 0.97)).share AS as_repeated FROM curve;
SELECT ltv.lifetime_bound(s, (SELECT ltv.survival_agg(0.1 * i, 0.2 * i, true, 1) FROM generate_series(1, 4) AS i)) FROM curve;

-- An age: the curve of the row from then on, and the answer counts the time before. By hand: of the curve 1 to 20 from 10 on, at the share 0.1 of what is left, the first of ten steps.
SELECT given, b.* FROM (SELECT ltv.survival_agg(i / 20.0, true) AS places FROM generate_series(1, 19) AS i) AS p, curve, unnest('{0,0.5,10,19,20,21}'::float8[]) AS given, LATERAL ltv.lifetime_bound(s, places, 0.9, given) AS b ORDER BY given;
SELECT given, b.lower_lifetime = 10 + c.lower_lifetime AS same_time, b.share = c.share AS same_share FROM nine, curve, LATERAL (SELECT 10::float8 AS given) AS g, LATERAL ltv.lifetime_bound(s, places, 0.8, given) AS b, LATERAL ltv.lifetime_bound(ltv.conditional(s, given), places, 0.8) AS c;
SELECT b.* FROM curve, nine, LATERAL ltv.lifetime_bound(s, places, 0.8, NULL) AS b;
SELECT ltv.lifetime_bound(s, places, 0.8, -1) FROM curve, nine;

-- Simulated, the truth known; calibrated on 100 rows, asked of others. A share of 0.9 is promised (two standard errors are 0.01), of those asked and not of each. The rules err more for some than for
-- others, so that censoring which depends on the feature is not quite independent of the places; here that does not show.
\set ECHO none
\ir ../lifetimes.sql
\set ECHO all
SET extra_float_digits = 0;
CREATE TABLE places AS
SELECT b.name, b.s, b.kind, ltv.survival_agg(1 - ltv.renewal_probability(f.m, r, b.duration), b.event) AS places
FROM asked AS b JOIN models AS f USING (name, s, kind), LATERAL (SELECT b.x1, b.class) AS r WHERE i BETWEEN 201 AND 300 GROUP BY 1, 2, 3;
CREATE TABLE bounds AS
SELECT b.name, b.kind, q.status, exp(-1 * (q.lower_lifetime / 12) ^ 1.3 * exp(1.5 * b.x)) AS lasts, exp(-1 * (ltv.quantile(c.curve, 0.1) / 12) ^ 1.3 * exp(1.5 * b.x)) AS uncalibrated
FROM places AS p JOIN models AS f USING (name, s, kind) JOIN asked AS b USING (name, s, kind), LATERAL (SELECT b.x1, b.class) AS r, LATERAL (SELECT ltv.predict_curve(f.m, r) AS curve OFFSET 0) AS c, LATERAL ltv.lifetime_bound(c.curve, p.places, 0.9) AS q
WHERE i > 300;
SELECT b.name AS censored, round((SELECT avg(1 - event::int) FROM book AS c WHERE c.name = b.name), 2) AS share, b.kind AS model, round(avg(lasts)::numeric, 2) AS lasts, abs(avg(lasts) - 0.9) < 0.0125 AS as_promised,
       round(avg(uncalibrated)::numeric, 2) AS uncalibrated, count(*) FILTER (WHERE status <> 'ok') AS others FROM bounds AS b GROUP BY b.name, b.kind ORDER BY b.kind DESC, b.name;
