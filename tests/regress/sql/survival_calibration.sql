-- Did the predicted survival come true under censoring? By hand, by definition, and at the edges.
CREATE TABLE five AS SELECT p, d, e FROM unnest(ARRAY[0.5, 0.5, 0.6, 0.7, 0.9]::float8[], ARRAY[1, 2, 3, 4, 5]::float8[], ARRAY[true, false, true, false, true]) AS t (p, d, e);
CREATE TABLE watched AS SELECT i, (i * 7919 % 101) / 101.0::float8 AS p, (i * 37 % 50 + 1) / 2.0::float8 AS d, i * i % 7 < 4 AS e, i % 3 AS g FROM generate_series(1, 500) AS i;

-- Graf's score of five at 3.5: G(1-) = 1, G(3-) = G(3.5) = 3/4, so (0.25 + 0.36 / 0.75 + (0.09 + 0.01) / 0.75) / 5; S(3.5) = 4/5 * 2/3 = 8/15.
SELECT round(b.brier::numeric, 12) AS brier, round(((0.25 + 0.36 / 0.75 + 0.1 / 0.75) / 5)::numeric, 12) AS by_hand,
       round(b.reference::numeric, 12) AS reference, round((((8 / 15.0) ^ 2 * (1 + 1 / 0.75) + (7 / 15.0) ^ 2 * 2 / 0.75) / 5)::numeric, 12) AS by_hand_too, round(b.skill::numeric, 9) AS skill
FROM ltv.brier_score((SELECT ltv.survival_calibration_agg(p, d, e) FROM five), 3.5) AS b;
-- Cases 1 and 3 (weights 1 and 4/3) against those beyond 3.5: all pairs in order.
SELECT ltv.auc(ltv.survival_calibration_agg(p, d, e), 3.5) AS auc, ltv.auc(ltv.survival_calibration_agg(1 - p, d, e), 3.5) AS upside_down, ltv.auc(ltv.survival_calibration_agg(0.5, d, e), 3.5) AS tied FROM five;
-- Pairs: 1 with 2 (tied), 3, 4, 5; 3 with 4, 5. Uno's weigh 1 and 16/9.
SELECT h.concordance AS harrell, h.concordant, h.discordant, h.tied_prediction, round(u.concordance::numeric, 12) AS uno, round(((3 + 0.5 + 2 * 16 / 9.0) / (4 + 2 * 16 / 9.0))::numeric, 12) AS by_hand,
       round(u.concordant::numeric, 9) AS concordant, l.concordance AS until_2
FROM (SELECT ltv.survival_calibration_agg(p, d, e) AS s FROM five) AS x, LATERAL ltv.concordance(s) AS h, LATERAL ltv.concordance(s, 'uno') AS u, LATERAL ltv.concordance(s, until => 2) AS l;
-- Harrell's is that of a design, with its error; which way the model has it is its business.
SELECT abs(abs(c.concordance - 0.5) - abs(d.concordance - 0.5)) < 1e-12 AS same, abs(c.std_error - d.std_error) < 1e-12 AS same_error
FROM (SELECT ltv.survival_calibration_agg(p, d, e) AS s, ltv.design_agg(d, e, ARRAY[-p]) AS x FROM watched) AS w, LATERAL ltv.concordance(s) AS c,
     LATERAL ltv.concordance(x, ltv.fit_cox(x)) AS d;

-- Bins: observed is the curve of the bin's rows.
SELECT b.bin, b.n, b.events, b.censored, round(b.mean_predicted::numeric, 6) AS mean_predicted, round(b.observed::numeric, 6) AS observed, round(b.lower::numeric, 6) AS lower,
       round(b.upper::numeric, 6) AS upper, round(b.gap::numeric, 6) AS gap
FROM ltv.calibration_curve((SELECT ltv.survival_calibration_agg(p, d, e) FROM watched), 10, bins => 5) AS b;
SELECT bool_and(abs(b.observed - o.survival) < 1e-12 AND abs(b.lower - o.lower) < 1e-12 AND abs(b.upper - o.upper) < 1e-12) AS kaplan_meier
FROM ltv.calibration_curve((SELECT ltv.survival_calibration_agg(p, d, e) FROM watched), 10, 4, 'uniform') AS b
JOIN (SELECT least(ceil(p * 4), 4) AS bin, ltv.survival_agg(d, e) AS s FROM watched WHERE p > 0 GROUP BY 1) AS k ON k.bin = b.bin AND b.bin > 1, LATERAL ltv.survival_interval(k.s, 10) AS o;

-- The integral by the trapezoid rule.
SELECT round(i.brier::numeric, 12) = round(((a.brier + b.brier) / 2 * 3 + (b.brier + c.brier) / 2 * 5)::numeric / 8, 12) AS trapezoids
FROM (SELECT ltv.survival_calibration_agg(p, d, e) AS s FROM watched) AS x, LATERAL ltv.brier_score(s, 4) AS a, LATERAL ltv.brier_score(s, 7) AS b, LATERAL ltv.brier_score(s, 12) AS c,
     LATERAL ltv.integrated_brier_score(ARRAY[s, s, s], ARRAY[4, 7, 12]) AS i;

-- D-calibration: an event falls where it was, a censored 0.75 falls to thirds on its quarter and those below.
SELECT * FROM ltv.d_calibration_table((SELECT ltv.survival_calibration_agg(p, 1, e) FROM (VALUES (0.1, true), (0.3, true), (0.75, false), (1, true)) AS v (p, e)), 4);
SELECT round(chi_squared::numeric, 9) AS chi_squared, df, round(p_value::numeric, 9) AS p_value FROM ltv.d_calibration((SELECT ltv.survival_calibration_agg(p, d, e) FROM watched), 5);

-- The calibration index; without censoring that of the binary outcome is near.
SELECT round(ici::numeric, 6) AS ici, round(e50::numeric, 6) AS e50, round(e90::numeric, 6) AS e90, round(e_max::numeric, 6) AS e_max FROM ltv.integrated_calibration_index((SELECT ltv.survival_calibration_agg(p, d, e) FROM watched), 10);
SELECT round(ici::numeric, 6) AS ici, round(e50::numeric, 6) AS e50, round(e90::numeric, 6) AS e90, round(e_max::numeric, 6) AS e_max FROM ltv.integrated_calibration_index((SELECT ltv.calibration_agg(p, d > 10) FROM watched));
SELECT abs(ici - abs(0.4 - ltv.survival_at(s, 10))) < 1e-12 AS one_prediction
FROM (SELECT ltv.survival_calibration_agg(0.4, d, e) AS c, ltv.survival_agg(d, e) AS s FROM watched) AS x, LATERAL ltv.integrated_calibration_index(c, 10) AS i;

-- All forms say the same; weights are repetitions (nearly so for Efron's ties, as in fit_cox); a summary of summaries is that of all rows, in any order.
SELECT count(DISTINCT s::text) AS one_answer
FROM (SELECT ltv.survival_calibration_agg(p, d, e) AS s FROM watched UNION ALL SELECT ltv.survival_calibration_agg(p, d, e::int) FROM watched
    UNION ALL SELECT ltv.survival_calibration_agg(p, d, e, 1) FROM watched UNION ALL SELECT ltv.survival_calibration_agg(p, d, e::int, 1) FROM watched) AS forms;
SELECT abs(a.brier - b.brier) < 1e-12 AS brier, abs(ltv.auc(w, 10) - ltv.auc(r, 10)) < 1e-12 AS auc, abs(c.concordance - d.concordance) < 1e-12 AS uno, abs(i.ici - j.ici) < 0.01 AS ici_nearly
FROM (SELECT ltv.survival_calibration_agg(p, d, e, g + 1) AS w FROM watched) AS x, (SELECT ltv.survival_calibration_agg(p, d, e) AS r FROM watched, LATERAL generate_series(0, g)) AS y,
     LATERAL ltv.brier_score(w, 10) AS a, LATERAL ltv.brier_score(r, 10) AS b, LATERAL ltv.concordance(w, 'uno') AS c, LATERAL ltv.concordance(r, 'uno') AS d,
     LATERAL ltv.integrated_calibration_index(w, 10) AS i, LATERAL ltv.integrated_calibration_index(r, 10) AS j;
SELECT ltv.rollup(part)::text = (SELECT ltv.survival_calibration_agg(p, d, e ORDER BY p DESC)::text FROM watched) AS same
FROM (SELECT ltv.survival_calibration_agg(p, d, e) AS part FROM watched GROUP BY g UNION ALL VALUES (NULL::ltv.survival_calibration)) AS parts;
SELECT s::text::ltv.survival_calibration::text = s::text AS same FROM (SELECT ltv.survival_calibration_agg(p, d, e, p + 0.1) AS s FROM watched) AS x;
SELECT ltv.survival_calibration_agg(p, d, e, w) AS s FROM (VALUES (0.5, 3.0, true, 1.0), (0.25, 3, false, 2), (1, 0, true, 1), (NULL, 1, true, 1), (0.5, NULL, true, 1), (0.5, 1, NULL, 1), (0.5, 1, true, NULL)) AS v (p, d, e, w);
SELECT ltv.skipped(ltv.survival_calibration_agg(NULL, d, e)) AS skipped FROM five;

-- Nothing, one row, nobody censored, everybody censored, too far.
SELECT name, (ltv.brier_score(s, 3)).brier, ltv.auc(s, 3) AS auc, (ltv.concordance(s)).concordance, (ltv.concordance(s, 'uno')).concordance AS uno, (ltv.integrated_calibration_index(s, 3)).ici,
       (SELECT count(*) FROM ltv.calibration_curve(s, 3)) AS bins, (SELECT count(observed) FROM ltv.calibration_curve(s, 3)) AS observed, (ltv.d_calibration(s)).df
FROM (
    SELECT 1 AS at, 'no rows' AS name, NULL::ltv.survival_calibration AS s
    UNION ALL SELECT 2, 'only nulls', ltv.survival_calibration_agg(NULL, 1, true)
    UNION ALL SELECT 3, 'one row', ltv.survival_calibration_agg(0.5, 1, true)
    UNION ALL SELECT 4, 'all events', ltv.survival_calibration_agg(p, d, true) FROM five
    UNION ALL SELECT 5, 'all censored', ltv.survival_calibration_agg(p, d, false) FROM five
    UNION ALL SELECT 6, 'none seen so long', ltv.survival_calibration_agg(p, d / 10, e) FROM five
    UNION ALL SELECT 7, 'at once', ltv.survival_calibration_agg(p, 0, true) FROM five
    UNION ALL SELECT 8, 'certain', ltv.survival_calibration_agg(i % 2, d, e) FROM watched
) AS x ORDER BY at;

-- Refused.
SELECT ltv.survival_calibration_agg(1.5, 1, true);
SELECT ltv.survival_calibration_agg('NaN', 1, true);
SELECT ltv.survival_calibration_agg(0.5, -1, true);
SELECT ltv.survival_calibration_agg(0.5, 'Infinity', true);
SELECT ltv.survival_calibration_agg(0.5, 1, 3);
SELECT ltv.survival_calibration_agg(0.5, 1, true, 0);
SELECT ltv.brier_score((SELECT ltv.survival_calibration_agg(p, d, e) FROM five), -1);
SELECT ltv.auc((SELECT ltv.survival_calibration_agg(p, d, e) FROM five), 'NaN');
SELECT ltv.concordance((SELECT ltv.survival_calibration_agg(p, d, e) FROM five), 'somers');
SELECT ltv.concordance((SELECT ltv.survival_calibration_agg(p, d, e) FROM five), until => 'Infinity');
SELECT * FROM ltv.calibration_curve((SELECT ltv.survival_calibration_agg(p, d, e) FROM five), 3, 0);
SELECT * FROM ltv.calibration_curve((SELECT ltv.survival_calibration_agg(p, d, e) FROM five), 3, method => 'equal');
SELECT ltv.d_calibration((SELECT ltv.survival_calibration_agg(p, d, e) FROM five), 2000000000);
SELECT ltv.integrated_brier_score(ARRAY[ltv.survival_calibration_agg(p, d, e)], ARRAY[1, 2]) FROM five;
SELECT ltv.integrated_brier_score(ARRAY[ltv.survival_calibration_agg(p, d, e), ltv.survival_calibration_agg(p, d, e)], ARRAY[2, 1]) FROM five;
-- Forged.
SELECT '{"kind":"survival_calibration","version":1,"survival":[1.5],"duration":[1],"event":[1],"skipped":0}'::ltv.survival_calibration;
SELECT '{"kind":"survival_calibration","version":1,"survival":[0.5],"duration":[1],"event":[2],"skipped":0}'::ltv.survival_calibration;
SELECT '{"kind":"survival_calibration","version":1,"survival":[0.5],"duration":[1,2],"event":[1],"skipped":0}'::ltv.survival_calibration;
SELECT ''::ltv.survival_calibration;
-- Memory is bounded.
SET ltv.max_memory_mb = 1;
SELECT ltv.survival_calibration_agg(0.5, i, true) FROM generate_series(1, 200000) AS i;
