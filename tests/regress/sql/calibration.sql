-- Did the probabilities come true? Scores against R and by hand.
CREATE TABLE scored AS
SELECT 1 / (1 + exp(-x)) AS p, y FROM unnest(ARRAY[-2, -1, -0.5, 0.2, 0.7, 1.5, 2.2, -1.5, 0.1, 1.1]::float8[],
       ARRAY[0, 0, 1, 0, 1, 1, 1, 0, 1, 0]) AS v (x, y);
CREATE TABLE many AS SELECT i / 97.0::float8 AS p, (i * 7919 % 97 < i)::int AS y, 'g' || i % 3 AS g FROM generate_series(0, 97) AS i, generate_series(1, 3);

-- rms::val.prob: Brier .1751454525, C .8; glm: slope 1.165421283, intercept -.104248060.
SELECT round(ltv.brier(c)::numeric, 10) AS brier, round(ltv.auc(c)::numeric, 10) AS auc, round(ltv.calibration_slope(c)::numeric, 9) AS slope,
       round(ltv.calibration_intercept(c)::numeric, 9) AS intercept, round(ltv.log_loss(c)::numeric, 10) AS log_loss
FROM (SELECT ltv.calibration_agg(p, y) AS c FROM scored) AS x;
SELECT round(avg(power(p - y, 2))::numeric, 10) AS brier, round(avg(-ln(CASE y WHEN 1 THEN p ELSE 1 - p END))::numeric, 10) AS log_loss FROM scored;
-- The area under the ROC curve is the share of pairs in order, ties half.
SELECT round(ltv.auc(c)::numeric, 12) = round(pairs::numeric, 12) AS same
FROM (SELECT ltv.calibration_agg(p, y) AS c FROM many) AS x, (SELECT avg(CASE WHEN a.p > b.p THEN 1 WHEN a.p = b.p THEN 0.5 ELSE 0 END) AS pairs
    FROM many AS a, many AS b WHERE a.y = 1 AND b.y = 0) AS y;
SELECT ltv.auc(ltv.calibration_agg(0.7, y)) AS all_tied, ltv.auc(ltv.calibration_agg(y, y)) AS perfect,
       ltv.auc(ltv.calibration_agg(1 - y, y)) AS upside_down FROM scored;

-- All forms say the same; a weight of 2 is the row twice.
SELECT count(DISTINCT c::text) AS one_answer
FROM (SELECT ltv.calibration_agg(p, y) AS c FROM scored UNION ALL SELECT ltv.calibration_agg(p, y = 1) FROM scored
    UNION ALL SELECT ltv.calibration_agg(p, y, 1) FROM scored UNION ALL SELECT ltv.calibration_agg(p, y = 1, 1) FROM scored) AS forms;
SELECT (SELECT ltv.calibration_agg(p, y, 2) FROM scored)::text = (SELECT ltv.calibration_agg(p, y)
       FROM (TABLE scored UNION ALL TABLE scored) AS twice)::text AS same;
-- A summary of summaries is that of all rows, in any order and with empty parts.
SELECT ltv.rollup(part)::text = (SELECT ltv.calibration_agg(p, y ORDER BY y, p DESC)::text FROM many) AS same
       FROM (SELECT ltv.calibration_agg(p, y) AS part FROM many GROUP BY g UNION ALL VALUES (NULL::ltv.calibration)) AS parts;
SELECT ltv.rollup(c) IS NULL AS nothing FROM (VALUES (NULL::ltv.calibration)) AS v (c);
SELECT g, round(ltv.brier(ltv.calibration_agg(p, y))::numeric, 10) AS brier,
       round(ltv.brier(ltv.calibration_agg(p, y) FILTER (WHERE p > 0.5))::numeric, 10) AS above_half FROM many GROUP BY ROLLUP (g) ORDER BY g;

-- The curve: bins of equal number, equal probabilities together, Wilson's limits; or bins of equal width, empty ones left out.
SELECT bin, n, round(mean_predicted::numeric, 8) AS mean_predicted, round(observed::numeric, 8) AS observed, round(lower::numeric, 8) AS lower,
       round(upper::numeric, 8) AS upper, round(gap::numeric, 8) AS gap
FROM ltv.calibration_curve((SELECT ltv.calibration_agg(p, y) FROM scored), bins => 5);
SELECT bin, n, round(mean_predicted::numeric, 8) AS mean_predicted, round(observed::numeric, 8) AS observed
       FROM ltv.calibration_curve((SELECT ltv.calibration_agg(p, y) FROM scored), bins => 5, method => 'uniform');
SELECT bin, n, mean_predicted, observed FROM ltv.calibration_curve((SELECT ltv.calibration_agg(p, y)
       FROM (VALUES (0.5, 1), (0.5, 0), (0.5, 1), (0.9, 1)) AS v (p, y)));
SELECT bin, n, mean_predicted FROM ltv.calibration_curve((SELECT ltv.calibration_agg(p, true) FROM unnest(ARRAY[0, 0.1, 0.2, 0.5, 1]) AS p),
       bins => 10, method => 'uniform');
-- Wilson by hand: 3 of 10 at 95 %.
SELECT round(c.lower::numeric, 10) = round(((0.3 + z * z / 20 - z * sqrt(0.3 * 0.7 / 10 + z * z / 400)) / (1 + z * z / 10))::numeric, 10) AS lower,
       round(c.upper::numeric, 10) = round(((0.3 + z * z / 20 + z * sqrt(0.3 * 0.7 / 10 + z * z / 400)) / (1 + z * z / 10))::numeric, 10) AS upper
FROM ltv.calibration_curve((SELECT ltv.calibration_agg(0.4, i <= 3) FROM generate_series(1, 10) AS i), bins => 1) AS c,
    (VALUES (1.959963984540054::float8)) AS v (z);
-- However the bins are cut the totals are the same, and the expected calibration error is the weighted gap.
SELECT bins, method, rows <= bins AS at_most, r.n, abs(r.predicted - sum_p) < 1e-9 AS predicted, abs(r.observed - sum_y) < 1e-9 AS observed,
       abs(r.error - ltv.expected_calibration_error(c, bins, method)) < 1e-12 AS error
FROM (SELECT ltv.calibration_agg(p, y) AS c, sum(p) AS sum_p, sum(y) AS sum_y FROM many) AS x, unnest(ARRAY[1, 7, 10, 1000]) AS bins,
    unnest(ARRAY['quantile', 'uniform']) AS method,
     LATERAL (SELECT count(*) AS rows, sum(n) AS n, sum(n * mean_predicted) AS predicted, sum(n * b.observed) AS observed,
         sum(n * abs(gap)) / sum(n) AS error FROM ltv.calibration_curve(c, bins, method) AS b) AS r ORDER BY bins, method;

-- Nothing, one row, one outcome only, certainties that came true and that did not.
SELECT name, ltv.brier(c), ltv.log_loss(c), ltv.auc(c), ltv.calibration_slope(c) AS slope, ltv.calibration_intercept(c) AS intercept,
       ltv.expected_calibration_error(c) AS error, (SELECT count(*) FROM ltv.calibration_curve(c)) AS bins
FROM (
    SELECT 1 AS at, 'no rows' AS name, NULL::ltv.calibration AS c
    UNION ALL SELECT 2, 'only nulls', ltv.calibration_agg(NULL, true)
    UNION ALL SELECT 3, 'one row', ltv.calibration_agg(0.25, true)
    UNION ALL SELECT 4, 'only yes', ltv.calibration_agg(p, 1) FROM unnest(ARRAY[0.5, 1]) AS p
    UNION ALL SELECT 5, 'only no', ltv.calibration_agg(p, false) FROM unnest(ARRAY[0.5, 0]) AS p
    UNION ALL SELECT 6, 'certain and right', ltv.calibration_agg(p, p = 1) FROM unnest(ARRAY[0, 1]) AS p
    UNION ALL SELECT 7, 'certain and wrong', ltv.calibration_agg(p, p = 0) FROM unnest(ARRAY[0, 1]) AS p
    UNION ALL SELECT 8, 'all the same', ltv.calibration_agg(0.5, i % 2) FROM generate_series(1, 4) AS i
    UNION ALL SELECT 9, 'separated', ltv.calibration_agg(p, p > 0.5) FROM unnest(ARRAY[0.1, 0.2, 0.8, 0.9]) AS p
) AS x ORDER BY at;
-- Rows with a NULL are left out and counted in the text form, which reads back as the same value.
SELECT ltv.calibration_agg(p, y, w) FROM (VALUES (0.1, true, 1.0), (NULL, true, 1), (0.2, NULL, 1), (0.3, true, NULL), (0.1, false, 2.5)) AS v (p, y, w);
SELECT c::text::ltv.calibration::text = c::text AS same FROM (SELECT ltv.calibration_agg(p, y, p + 0.1) AS c FROM many) AS x;

-- Refused.
SELECT ltv.calibration_agg(1.2, true);
SELECT ltv.calibration_agg(-0.0001, true);
SELECT ltv.calibration_agg('NaN', true);
SELECT ltv.calibration_agg('Infinity', 0);
SELECT ltv.calibration_agg(0.5, 2);
SELECT ltv.calibration_agg(0.5, -1);
SELECT ltv.calibration_agg(0.5, true, 0);
SELECT ltv.calibration_agg(0.5, true, -1);
SELECT ltv.calibration_agg(0.5, true, 'NaN');
SELECT ltv.calibration_agg(0.5, 1, 'Infinity');
SELECT ltv.calibration_agg(0.5, true, 1e308);
SELECT ltv.calibration_agg(2, true, NULL) IS NOT NULL AS left_out;
SELECT ltv.calibration_agg('-0', true) AS minus_zero;
SELECT * FROM ltv.calibration_curve((SELECT ltv.calibration_agg(p, y) FROM scored), bins => 0);
SELECT * FROM ltv.calibration_curve((SELECT ltv.calibration_agg(p, y) FROM scored), bins => -1);
SELECT count(*) FROM ltv.calibration_curve((SELECT ltv.calibration_agg(p, y) FROM scored), bins => 2147483647);
SELECT * FROM ltv.calibration_curve((SELECT ltv.calibration_agg(p, y) FROM scored), method => 'equal');
SELECT * FROM ltv.calibration_curve((SELECT ltv.calibration_agg(p, y) FROM scored), level => 1);
SELECT ltv.expected_calibration_error((SELECT ltv.calibration_agg(p, y) FROM scored), 0);
SELECT ltv.expected_calibration_error((SELECT ltv.calibration_agg(p, y) FROM scored), 5, 'Quantile');
SELECT count(*) FROM ltv.calibration_curve(NULL::ltv.calibration);
SELECT count(*) FROM ltv.calibration_curve((SELECT ltv.calibration_agg(p, y) FROM scored), bins => NULL);
SELECT ltv.brier(NULL), ltv.auc(NULL::ltv.calibration), ltv.log_loss(NULL), ltv.calibration_slope(NULL), ltv.expected_calibration_error(NULL);
SELECT ltv._calibration_add(NULL, 0.5, true);
SELECT ltv._calibration_combine(NULL, ltv.calibration_agg(p, y)) FROM scored;
-- Forged.
SELECT '{"kind":"calibration","version":1,"probability":[1.5],"positive":[1],"negative":[0],"skipped":0}'::ltv.calibration;
SELECT '{"kind":"calibration","version":1,"probability":[0.5,0.5],"positive":[1,1],"negative":[0,0],"skipped":0}'::ltv.calibration;
SELECT '{"kind":"calibration","version":1,"probability":[0.5],"positive":[-1],"negative":[0],"skipped":0}'::ltv.calibration;
SELECT '{"kind":"calibration","version":2,"probability":[],"positive":[],"negative":[],"skipped":0}'::ltv.calibration;
SELECT '{"kind":"sample","version":1,"probability":[],"positive":[],"negative":[],"skipped":0}'::ltv.calibration;
SELECT '{"version":1,"probability":[],"positive":[],"negative":[],"skipped":0}'::ltv.calibration;
SELECT ''::ltv.calibration;
-- Memory is bounded.
SET ltv.max_memory_mb = 1;
SELECT ltv.calibration_agg(i / 300000.0, true) FROM generate_series(1, 200000) AS i;
SELECT round(ltv.brier(ltv.calibration_agg(i % 100 / 100.0, true))::numeric, 6) AS brier FROM generate_series(1, 200000) AS i;
