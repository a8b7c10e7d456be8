-- Of ten rows that could have come in any order, each is within the margin of the other nine with the same chance: so the share of those that are is
-- ceil(10 x level) / 10, exactly, whatever the numbers are. With ties it is no less.
CREATE TABLE errors AS SELECT i, exp(sin(i) * 5) AS e, round(exp(sin(i))::numeric)::float8 AS tied FROM generate_series(1, 10) AS i;
SELECT level, count(*) FILTER (WHERE e <= margin OR margin IS NULL) AS covered, ceil(10 * level) AS promised, count(margin) AS told,
       count(*) FILTER (WHERE tied <= tied_margin OR tied_margin IS NULL) AS covered_with_ties
FROM unnest(ARRAY[0.5, 0.75, 0.8, 0.9, 0.95]::float8[]) AS level, errors AS x,
     LATERAL (SELECT ltv.conformal_margin(ltv.survival_agg(o.e, true), level) AS margin, ltv.conformal_margin(ltv.survival_agg(o.tied, true), level) AS tied_margin FROM errors AS o WHERE o.i <> x.i) AS m
GROUP BY level ORDER BY level;
-- By hand: 19 errors 1 .. 19; the 18th (20 x 0.9) is 18, the 19th (20 x 0.95) 19, and 20 x 0.96 asks for more than there are.
SELECT ltv.conformal_margin(s, 0.9) AS m90, ltv.conformal_margin(s, 0.95) AS m95, ltv.conformal_margin(s, 0.96) AS m96
FROM (SELECT ltv.survival_agg(i, true) AS s FROM generate_series(1, 19) AS i) x;
SELECT ltv.conformal_margin(ltv.rollup(s), 0.9) AS of_parts FROM (SELECT ltv.survival_agg(i, true) AS s FROM generate_series(1, 19) AS i GROUP BY i % 3) x;
SELECT * FROM ltv.conformal_interval((SELECT ltv.survival_agg(i, true) FROM generate_series(1, 19) AS i), 100, 0.9);
SELECT * FROM ltv.conformal_interval((SELECT ltv.survival_agg(i, true) FROM generate_series(1, 19) AS i), 100, 0.9, scale => 2);
SELECT * FROM ltv.conformal_interval((SELECT ltv.survival_agg(i, true) FROM generate_series(1, 5) AS i), 100, 0.9);
-- Simulated: a model that is wrong, errors that grow with the prediction. 200 samples of 60 errors, each with 20 further rows; a share from 0.9 to
-- 0.9 + 1/61 is promised in the mean (standard error about 0.003). Divided by their size the errors make narrower intervals that hold as often.
WITH drawn AS (
    SELECT s, i, x, x * x + (1 + 2 * x) * sqrt(-2 * ln(u)) * cos(2 * pi() * v) AS y
    FROM (SELECT s, i, (h1 & 1048575) / 1048576.0::float8 * 3 AS x, ((h2 & 1048575) + 0.5) / 1048576.0::float8 AS u, (h3 & 1048575) / 1048576.0::float8 AS v
          FROM generate_series(1, 200) AS s, generate_series(1, 80) AS i, hashint8extended(s * 1000 + i, 1) AS h1, hashint8extended(s * 1000 + i, 2) AS h2, hashint8extended(s * 1000 + i, 3) AS h3) r
), learnt AS (
    SELECT s, ltv.survival_agg(abs(y - 3 * x), true) AS errors, ltv.survival_agg(abs(y - 3 * x) / (1 + 2 * x), true) AS scaled FROM drawn WHERE i <= 60 GROUP BY s
)
SELECT round(avg((y BETWEEN p.lower AND p.upper)::int), 3) AS covered, round(avg((y BETWEEN q.lower AND q.upper)::int), 3) AS covered_scaled, avg(q.margin) < avg(p.margin) AS narrower
FROM drawn JOIN learnt USING (s), LATERAL ltv.conformal_interval(errors, 3 * x, 0.9) p, LATERAL ltv.conformal_interval(scaled, 3 * x, 0.9, scale => 1 + 2 * x) q WHERE i > 60;
-- Refused.
SELECT ltv.conformal_margin(ltv.survival_agg(i, i > 3)) FROM generate_series(1, 9) AS i;
SELECT ltv.conformal_margin(ltv.survival_agg(i, true, 0.5)) FROM generate_series(1, 9) AS i;
SELECT ltv.conformal_margin(ltv.survival_agg(i, true), 1) FROM generate_series(1, 9) AS i;
SELECT ltv.conformal_interval(ltv.survival_agg(i, true), 1, scale => 0) FROM generate_series(1, 9) AS i;
