-- What the order of scores is worth: by hand, by definition, and at the edges.
CREATE TABLE ranked AS SELECT s, y, v FROM unnest(ARRAY[0.9, 0.8, 0.8, 0.6, 0.5, 0.5, 0.5, 0.3, 0.2, 0.1]::float8[],
       ARRAY[1, 1, 0, 1, 0, 1, 0, 0, 1, 0], ARRAY[100, 50, 70, 10, 5, 20, 30, 40, 500, 60]::float8[]) AS t (s, y, v);
CREATE TABLE many AS SELECT (i * 7919 % 211 - 100) / 16.0::float8 AS s, (i * i % 17 < (i * 7919 % 211) / 20)::int AS y, i % 13 + 0.5::float8 AS v, i % 5 AS g
FROM generate_series(1, 2000) AS i;

-- The area is the share of pairs in order, ties half; DeLong's variance from the placements.
SELECT round(a.auc::numeric, 12) AS auc, round(a.std_error::numeric, 12) AS std_error, round(a.lower::numeric, 9) AS lower, round(a.upper::numeric, 9) AS upper,
       round(ltv.gini(r)::numeric, 12) AS gini, round(ltv.average_precision(r)::numeric, 12) AS average_precision
FROM (SELECT ltv.ranking_agg(s, y) AS r FROM ranked) AS x, LATERAL ltv.auc_interval(r) AS a;
WITH placed AS (
    SELECT a.y, avg(CASE WHEN a.s > b.s THEN 1 WHEN a.s = b.s THEN 0.5 ELSE 0 END) AS v
    FROM many AS a JOIN many AS b ON b.y <> a.y GROUP BY a.y, a.ctid
)
SELECT abs(a.auc - p.auc) < 1e-12 AS auc, abs(a.std_error - p.std_error) < 1e-12 AS std_error
FROM (SELECT ltv.ranking_agg(s, y) AS r FROM many) AS x, LATERAL ltv.auc_interval(r) AS a,
     (SELECT avg(v) FILTER (WHERE y = 1) AS auc,
             sqrt(var_samp(v) FILTER (WHERE y = 1) / count(*) FILTER (WHERE y = 1) + var_samp(v) FILTER (WHERE y = 0) / count(*) FILTER (WHERE y = 0)) AS std_error FROM placed) AS p;
-- The same area as that of a calibration summary.
SELECT ltv.auc(ltv.ranking_agg((s + 10) / 20, y)) = ltv.auc(ltv.calibration_agg((s + 10) / 20, y)) AS same FROM many;

-- Lift: equal scores together, value of the positives beside.
SELECT bucket, n, score_from, score_to, positives, round(rate::numeric, 4) AS rate, round(lift::numeric, 4) AS lift, round(cumulative_share::numeric, 4) AS share,
       round(cumulative_capture::numeric, 4) AS capture, round(cumulative_lift::numeric, 4) AS cumulative_lift, value, round(cumulative_value_share::numeric, 4) AS value_share
FROM ltv.lift_table((SELECT ltv.ranking_agg(s, y, 1, v) FROM ranked), buckets => 4);
SELECT bucket, n, positives, value, cumulative_value_share FROM ltv.lift_table((SELECT ltv.ranking_agg(s, y) FROM ranked), buckets => 2);
-- However the buckets are cut the totals are the same.
SELECT buckets, sum(n) AS n, sum(positives) AS positives, sum(value) AS value, max(cumulative_share) AS share, max(cumulative_capture) AS capture,
       round(max(cumulative_value_share)::numeric, 12) AS value_share, bool_and(score_from <= score_to) AS in_order
FROM (SELECT ltv.ranking_agg(s, y, 1, v) AS r FROM many) AS x, unnest(ARRAY[1, 3, 10, 500]) AS buckets, LATERAL ltv.lift_table(r, buckets) AS l GROUP BY buckets ORDER BY buckets;

SELECT threshold, flagged, true_positives AS tp, false_positives AS fp, round("precision"::numeric, 4) AS "precision", round(recall::numeric, 4) AS recall,
       round(false_positive_rate::numeric, 4) AS fpr, round(f1::numeric, 4) AS f1 FROM ltv.precision_recall((SELECT ltv.ranking_agg(s, y) FROM ranked));
SELECT threshold, flagged, "precision", recall FROM ltv.precision_recall((SELECT ltv.ranking_agg(s, y) FROM ranked), at => ARRAY[0.55, 2, -1]);

-- Acting brings 100 where it was right and costs 40 each; with room for 3, and by room alone.
SELECT name, threshold, flagged, true_positives AS tp, profit, status
FROM (SELECT ltv.ranking_agg(s, y) AS r FROM ranked) AS x,
     LATERAL (SELECT 1 AS at, 'profit' AS name, b.* FROM ltv.best_threshold(r, benefit => 100, cost => 40) AS b
         UNION ALL SELECT 2, 'profit within 3', b.* FROM ltv.best_threshold(r, 100, 40, capacity => 3) AS b
         UNION ALL SELECT 3, 'capacity 5', b.* FROM ltv.best_threshold(r, capacity => 5) AS b
         UNION ALL SELECT 4, 'capacity 100', b.* FROM ltv.best_threshold(r, capacity => 100) AS b
         UNION ALL SELECT 5, 'capacity 0', b.* FROM ltv.best_threshold(r, capacity => 0) AS b
         UNION ALL SELECT 6, 'too dear', b.* FROM ltv.best_threshold(r, 1, 10) AS b) AS b ORDER BY at;
-- The profit is the best of all thresholds.
SELECT b.profit = max(20 * p.true_positives - 9 * p.flagged) AS best FROM (SELECT ltv.ranking_agg(s, y) AS r FROM many) AS x,
     LATERAL ltv.best_threshold(r, 20, 9) AS b, LATERAL ltv.precision_recall(r) AS p GROUP BY b.profit;

-- All forms say the same; a weight of 2 is the row twice; a summary of summaries is that of all rows, in any order.
SELECT count(DISTINCT r::text) AS one_answer
FROM (SELECT ltv.ranking_agg(s, y) AS r FROM ranked UNION ALL SELECT ltv.ranking_agg(s, y = 1) FROM ranked UNION ALL SELECT ltv.ranking_agg(s, y, 1) FROM ranked
    UNION ALL SELECT ltv.ranking_agg(s, y = 1, 1) FROM ranked UNION ALL SELECT ltv.ranking_agg(s, y, 1, 0) FROM ranked UNION ALL SELECT ltv.ranking_agg(s, y = 1, 1, 0) FROM ranked) AS forms;
SELECT (SELECT ltv.ranking_agg(s, y, 2, v) FROM ranked)::text = (SELECT ltv.ranking_agg(s, y, 1, v) FROM (TABLE ranked UNION ALL TABLE ranked) AS twice)::text AS same;
SELECT ltv.rollup(part)::text = (SELECT ltv.ranking_agg(s, y, 1, v ORDER BY y, s DESC)::text FROM many) AS same
FROM (SELECT ltv.ranking_agg(s, y, 1, v) AS part FROM many GROUP BY g UNION ALL VALUES (NULL::ltv.ranking)) AS parts;
SELECT r::text::ltv.ranking::text = r::text AS same FROM (SELECT ltv.ranking_agg(s, y, 0.1, v) AS r FROM many) AS x;
SELECT ltv.ranking_agg(s, y, w, v) AS r FROM (VALUES (-1.5, true, 1.0, 10.0), (-0.5, false, 2, 3), (0, true, 1, 0), (NULL, true, 1, 1), (1, NULL, 1, 1), (1, true, 1, NULL)) AS t (s, y, w, v);
SELECT ltv.skipped(ltv.ranking_agg(s, true)) AS skipped FROM unnest(ARRAY[1, NULL, 2, NULL]) AS s;

-- Nothing, one row, one outcome only, all tied.
SELECT name, ltv.auc(r) AS auc, ltv.gini(r) AS gini, ltv.average_precision(r) AS ap, (ltv.auc_interval(r)).std_error, (SELECT count(*) FROM ltv.lift_table(r)) AS buckets,
       (SELECT count(*) FROM ltv.precision_recall(r)) AS thresholds, (ltv.best_threshold(r, 2, 1)).flagged
FROM (
    SELECT 1 AS at, 'no rows' AS name, NULL::ltv.ranking AS r
    UNION ALL SELECT 2, 'only nulls', ltv.ranking_agg(NULL, true)
    UNION ALL SELECT 3, 'one row', ltv.ranking_agg(-3, true)
    UNION ALL SELECT 4, 'only no', ltv.ranking_agg(s, false) FROM unnest(ARRAY[1, 2]) AS s
    UNION ALL SELECT 5, 'all tied', ltv.ranking_agg(5, y) FROM ranked
    UNION ALL SELECT 6, 'perfect', ltv.ranking_agg(y, y) FROM ranked
    UNION ALL SELECT 7, 'upside down', ltv.ranking_agg(-y, y) FROM ranked
) AS x ORDER BY at;

-- Tests of calibration. Hosmer & Lemeshow by hand over the bins, Spiegelhalter by his formula.
CREATE TABLE judged AS SELECT i / 97.0::float8 AS p, (i * 7919 % 97 < i * 0.9)::int AS y FROM generate_series(1, 96) AS i, generate_series(1, 3);
SELECT h.df, abs(h.chi_squared - b.chi_squared) < 1e-12 AS by_hand, round(h.chi_squared::numeric, 9) AS chi_squared, round(h.p_value::numeric, 9) AS p_value
FROM (SELECT ltv.calibration_agg(p, y) AS c FROM judged) AS x, LATERAL ltv.hosmer_lemeshow(c) AS h,
     LATERAL (SELECT sum((n * (observed - mean_predicted)) ^ 2 / (n * mean_predicted * (1 - mean_predicted))) AS chi_squared FROM ltv.calibration_curve(c)) AS b;
SELECT df, round(p_value::numeric, 9) AS p_value FROM ltv.hosmer_lemeshow((SELECT ltv.calibration_agg(p, y) FROM judged), 5, fitted_here => true);
SELECT round(s.z::numeric, 9) AS z, round(s.p_value::numeric, 9) AS p_value, abs(s.z - d.z) < 1e-12 AS by_definition
FROM (SELECT ltv.calibration_agg(p, y) AS c FROM judged) AS x, LATERAL ltv.spiegelhalter(c) AS s,
     (SELECT sum((y - p) * (1 - 2 * p)) / sqrt(sum((1 - 2 * p) ^ 2 * p * (1 - p))) AS z FROM judged) AS d;
SELECT ltv.hosmer_lemeshow(ltv.calibration_agg(0, true)) AS wrong, ltv.hosmer_lemeshow(ltv.calibration_agg(NULL, true)) AS nothing, ltv.spiegelhalter(ltv.calibration_agg(0.5, true)) AS half;
-- Isotonic: 1 | 0 1 pooled | 0 0 pooled and so on; rates rise and their weighted mean is the rate of all.
SELECT probability_from, probability_to, n, round(recalibrated::numeric, 6) AS recalibrated FROM ltv.isotonic((SELECT ltv.calibration_agg(s, y) FROM ranked));
SELECT bool_and(rises) AS rises, abs(sum(n * recalibrated) - 3 * 96 * avg(rate)) < 1e-9 AS same_total
FROM (SELECT n, recalibrated, recalibrated > coalesce(lag(recalibrated) OVER (ORDER BY probability_from), -1) AS rises FROM ltv.isotonic((SELECT ltv.calibration_agg(p, y) FROM judged))) AS i,
     (SELECT avg(y) AS rate FROM judged) AS r;

-- Refused.
SELECT ltv.ranking_agg('NaN', true);
SELECT ltv.ranking_agg('Infinity', 1);
SELECT ltv.ranking_agg(1, 2);
SELECT ltv.ranking_agg(1, true, 0);
SELECT ltv.ranking_agg(1, true, 1, -5);
SELECT ltv.ranking_agg(1, true, 1, 'NaN');
SELECT * FROM ltv.lift_table((SELECT ltv.ranking_agg(s, y) FROM ranked), 0);
SELECT * FROM ltv.lift_table((SELECT ltv.ranking_agg(s, y) FROM ranked), -1);
SELECT * FROM ltv.precision_recall((SELECT ltv.ranking_agg(s, y) FROM ranked), ARRAY['NaN']::float8[]);
SELECT * FROM ltv.precision_recall((SELECT ltv.ranking_agg(s, y) FROM ranked), ARRAY[NULL]::float8[]);
SELECT * FROM ltv.best_threshold((SELECT ltv.ranking_agg(s, y) FROM ranked));
SELECT * FROM ltv.best_threshold((SELECT ltv.ranking_agg(s, y) FROM ranked), benefit => 3);
SELECT * FROM ltv.best_threshold((SELECT ltv.ranking_agg(s, y) FROM ranked), capacity => -1);
SELECT * FROM ltv.auc_interval((SELECT ltv.ranking_agg(s, y) FROM ranked), 1);
SELECT * FROM ltv.hosmer_lemeshow((SELECT ltv.calibration_agg(p, y) FROM judged), 0);
-- Forged.
SELECT '{"kind":"ranking","version":1,"score":[2,1],"positive":[1,1],"negative":[0,0],"skipped":0}'::ltv.ranking;
SELECT '{"kind":"ranking","version":1,"score":[1],"positive":[-1],"negative":[0],"skipped":0}'::ltv.ranking;
SELECT '{"kind":"ranking","version":1,"score":[1],"positive":[1],"negative":[0,1],"skipped":0}'::ltv.ranking;
SELECT '{"kind":"ranking","version":1,"score":[1],"positive":[1],"negative":[0],"positive_value":[0],"negative_value":[5],"skipped":0}'::ltv.ranking;
SELECT '{"kind":"ranking","version":2,"score":[],"positive":[],"negative":[],"skipped":0}'::ltv.ranking;
SELECT ''::ltv.ranking;
-- Memory is bounded.
SET ltv.max_memory_mb = 1;
SELECT ltv.ranking_agg(i / 300000.0, true) FROM generate_series(1, 200000) AS i;
