-- What is read off a fitted Cox model and its rows, against R's survival: robust variance, residuals, the test of
-- proportional hazards, concordance. Many more cases are in tests/golden/cox_inference.
\set ECHO none
\ir ../datasets.sql
CREATE TABLE bladder2 (id int, rx int, number int, size int, start int, stop int, event int, enum int);
\copy bladder2 from 'bladder2.csv' with (format csv, header)
\set ECHO all

-- Test data 3 with its weights halved, which makes the variance robust as in R: 1.119055165 (Efron), 1.017272006 (Breslow).
SELECT ties, round(estimate::numeric, 9) AS estimate, round(std_error::numeric, 9) AS std_error,
       round(robust_std_error::numeric, 9) AS robust, round(z::numeric, 8) AS z, round(p_value::numeric, 8) AS p_value,
       round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper
FROM (VALUES ('efron'), ('breslow')) AS k (ties), (SELECT ltv.design_agg(time, status, ARRAY[x], weight / 2.0) AS d FROM book3) AS g,
     ltv.coefficients(ltv.fit_cox(g.d, ties => k.ties));
-- Whole weights are counts, unless asked; asked not to, the model's own.
SELECT asked, robust_std_error IS NOT NULL AS is_robust
FROM (VALUES (NULL), (true), (false)) AS k (asked), (SELECT ltv.design_agg(time, status, ARRAY[x], weight) AS d FROM book3) AS g,
     ltv.coefficients(ltv.fit_cox(g.d, robust => k.asked));
-- The aggregate decides as fit_cox(design) does.
SELECT round(robust_std_error::numeric, 9) AS robust
FROM ltv.coefficients((SELECT ltv.fit_cox(time, status, ARRAY[x], weight / 2.0) FROM book3));

-- lung by institution: .006888727059, .112286679925, .117615953255.
CREATE TABLE fits AS
SELECT ltv.design_agg(0, time, event, ARRAY[age, sex, ph_ecog], 1, '', inst::text ORDER BY inst, time, age) AS d
FROM lung WHERE inst IS NOT NULL;
ALTER TABLE fits ADD m ltv.model;
UPDATE fits SET m = ltv.fit_cox(d, names => ARRAY['age', 'sex', 'ecog']);
SELECT term, round(estimate::numeric, 9) AS estimate, round(std_error::numeric, 9) AS std_error, round(robust_std_error::numeric, 9) AS robust
FROM fits, ltv.coefficients(m);
SELECT test, round(chi_squared::numeric, 7) AS chi_squared, df, round(p_value::numeric, 12) AS p_value FROM fits, ltv.model_test(m);
-- dfbeta, summed by cluster, squared and summed: the robust covariance.
SELECT term, round(sqrt(sum(moved ^ 2))::numeric, 8) AS robust
FROM (SELECT r.term, r.cluster, sum(r.residual) AS moved FROM fits, ltv.cox_residuals(d, m, 'dfbeta') AS r GROUP BY r.term, r.cluster) AS s
GROUP BY term ORDER BY term;
-- A row without a cluster is one of its own.
SELECT robust, round(robust_std_error::numeric, 9) AS std_error
FROM (SELECT 'all rows alone' AS robust, ltv.fit_cox(ltv.design_agg(0, time, event, ARRAY[sex], 1, '', NULL)) AS m FROM lung
      UNION ALL SELECT 'by row', ltv.fit_cox(ltv.design_agg(time, event, ARRAY[sex]), robust => true) FROM lung) AS g,
     ltv.coefficients(m) ORDER BY robust;

-- bladder2, recurrent events by patient: .26556081 .07761611 .06304054; C .634.
SELECT term, round(estimate::numeric, 8) AS estimate, round(robust_std_error::numeric, 8) AS robust
FROM (SELECT ltv.design_agg(start, stop, event, ARRAY[rx, size, number], 1, '', id::text) AS d FROM bladder2) AS g,
     ltv.coefficients(ltv.fit_cox(d, names => ARRAY['rx', 'size', 'number']));
SELECT round(concordance::numeric, 6) AS concordance, round(std_error::numeric, 8) AS std_error
FROM (SELECT ltv.design_agg(start, stop, event, ARRAY[rx, size, number], 1, '', id::text) AS d FROM bladder2) AS g,
     ltv.concordance(d, ltv.fit_cox(d));

-- Residuals of test data 1: .719171 -.280829 -.438341 .731087 -.365543 -.365543.
SELECT row_number, cluster, t, term, round(residual::numeric, 9) AS residual
FROM (SELECT ltv.design_agg(time, status, ARRAY[x] ORDER BY time, status DESC, x DESC) AS d FROM book1) AS g,
     ltv.cox_residuals(d, ltv.fit_cox(d));
-- Every kind: how many, and the first.
SELECT k.kind, count(*) AS n, count(DISTINCT r.term) AS terms, round((array_agg(r.residual ORDER BY r.row_number, r.term))[1]::numeric, 9) AS first
FROM (VALUES (1, 'martingale'), (2, 'deviance'), (3, 'score'), (4, 'schoenfeld'), (5, 'scaled-schoenfeld'), (6, 'dfbeta'), (7, 'dfbetas')) AS k (i, kind),
     (SELECT ltv.design_agg(time, event, ARRAY[age, sex, ph_ecog] ORDER BY time, age, inst) AS d FROM lung) AS g,
     ltv.cox_residuals(d, ltv.fit_cox(d), k.kind) AS r
GROUP BY k.i, k.kind ORDER BY k.i;
-- A term that others determine has none.
SELECT term, count(residual) AS n
FROM (SELECT ltv.design_agg(time, event, ARRAY[age, age * 2]) AS d FROM lung) AS g, ltv.cox_residuals(d, ltv.fit_cox(d), 'dfbeta')
GROUP BY term ORDER BY term;

-- Proportional hazards: ovarian .6977268 2.3707998 3.6334910; veteran, celltype as one term 15.2273639, all 34.5524911.
SELECT term, round(chi_squared::numeric, 7) AS chi_squared, df, round(p_value::numeric, 7) AS p_value
FROM (SELECT ltv.design_agg(futime, fustat, ARRAY[age, ecog_ps]) AS d FROM ovarian) AS g,
     ltv.proportional_hazards_test(d, ltv.fit_cox(d, names => ARRAY['age', 'ecog.ps']));
SELECT term, round(chi_squared::numeric, 7) AS chi_squared, df, round(p_value::numeric, 9) AS p_value
FROM (SELECT ltv.design_agg(time, status, ARRAY[trt, (celltype = 'smallcell')::int, (celltype = 'adeno')::int, (celltype = 'large')::int,
          karno, diagtime, age, prior]) AS d FROM veteran) AS g,
     ltv.proportional_hazards_test(d, ltv.fit_cox(d), terms => ARRAY['trt', 'celltype', 'celltype', 'celltype', 'karno', 'diagtime', 'age', 'prior']);
-- lung, GLOBAL: 4.4636575888 (km), 4.1193829515 (identity), 5.3898214281 (log).
SELECT transform, round(chi_squared::numeric, 9) AS chi_squared
FROM (VALUES ('km'), ('rank'), ('identity'), ('log')) AS k (transform),
     (SELECT ltv.design_agg(time, event, ARRAY[age, sex, ph_ecog]) AS d FROM lung) AS g,
     ltv.proportional_hazards_test(d, ltv.fit_cox(d), k.transform) AS t
WHERE t.term = 'GLOBAL';
-- rossi: age 5.97398165.
SELECT term, round(chi_squared::numeric, 7) AS chi_squared, round(p_value::numeric, 7) AS p_value
FROM (SELECT ltv.design_agg(week, arrest, ARRAY[fin, age, race, wexp, mar, paro, prio]) AS d FROM rossi) AS g,
     ltv.proportional_hazards_test(d, ltv.fit_cox(d, names => ARRAY['fin', 'age', 'race', 'wexp', 'mar', 'paro', 'prio']));

-- Concordance: .637135493 (.02506797385), 12544 concordant, 7117 discordant, 126 tied in risk, 28 in time.
SELECT round(c.concordance::numeric, 9) AS concordance, round(c.std_error::numeric, 11) AS std_error, concordant, discordant, tied_risk, tied_time, tied_both
FROM (SELECT ltv.design_agg(time, event, ARRAY[age, sex, ph_ecog]) AS d FROM lung) AS g, ltv.concordance(d, ltv.fit_cox(d)) AS c;
-- Of a model on rows that it has not seen; and on rows that tell nothing.
SELECT round(c.concordance::numeric, 6) AS concordance, round(c.std_error::numeric, 6) AS std_error
FROM (SELECT ltv.fit_cox(time, event, ARRAY[age, sex, ph_ecog]) AS m FROM lung WHERE inst < 12) AS f,
     (SELECT ltv.design_agg(time, event, ARRAY[age, sex, ph_ecog]) AS d FROM lung WHERE inst >= 12) AS g, ltv.concordance(d, m) AS c;
SELECT c.* FROM (SELECT ltv.fit_cox(time, event, ARRAY[age]) AS m FROM lung) AS f,
     (SELECT ltv.design_agg(time, false, ARRAY[age]) AS d FROM lung) AS g, ltv.concordance(d, m) AS c;

-- Intervals of predictions take the robust covariance, as R's survfit: .03515956502 at 180 (model .03627319440).
SELECT robust, round(i.survival::numeric, 9) AS survival, round(i.std_error::numeric, 9) AS std_error
FROM (SELECT ltv.design_agg(0, time, event, ARRAY[age, sex], 1, '', inst::text) AS d FROM lung WHERE inst IS NOT NULL) AS g,
     (VALUES (true), (false)) AS k (robust),
     ltv.survival_interval(ltv.predict_curve(ltv.fit_cox(d, names => ARRAY['age', 'sex'], robust => k.robust), (SELECT r FROM (SELECT 60 AS age, 1 AS sex) AS r)), 180) AS i;

-- The stored form keeps the robust covariance.
SELECT m::text::ltv.model::text = m::text AS same, (SELECT count(robust_std_error) FROM ltv.coefficients(m::text::ltv.model)) AS robust FROM fits;

-- NULLs, and what is refused.
SELECT count(*) FROM ltv.cox_residuals(NULL, NULL);
SELECT count(*) FROM ltv.proportional_hazards_test((SELECT d FROM fits), NULL);
SELECT ltv.concordance((SELECT d FROM fits), NULL) IS NULL AS is_null;
SELECT * FROM ltv.cox_residuals((SELECT ltv.design_agg(time, event, ARRAY[age]) FROM lung), (SELECT m FROM fits));
SELECT * FROM ltv.cox_residuals((SELECT d FROM fits), (SELECT m FROM fits), 'martingal');
SELECT * FROM ltv.proportional_hazards_test((SELECT d FROM fits), (SELECT m FROM fits), 'square');
SELECT * FROM ltv.proportional_hazards_test((SELECT d FROM fits), (SELECT m FROM fits), terms => ARRAY['age', NULL, 'ecog']);
SELECT * FROM ltv.proportional_hazards_test((SELECT d FROM fits), (SELECT m FROM fits), terms => ARRAY['age']);
SELECT * FROM ltv.concordance((SELECT ltv.design_agg(time, event, ARRAY[age]) FROM lung), (SELECT m FROM fits));
SELECT ltv.fit_cox(ltv.design_agg(time, event, ARRAY[age]), ties => 'exact', robust => true) FROM aml, LATERAL (SELECT time AS age, status AS event) AS a;
SELECT * FROM (SELECT ltv.design_agg(time, status, ARRAY[time]) AS d FROM aml) AS g, ltv.cox_residuals(d, ltv.fit_cox(d, ties => 'exact'), 'dfbeta');
SELECT * FROM (SELECT ltv.design_agg(time, status, ARRAY[(x = 'Maintained')::int]) AS d FROM aml) AS g, ltv.cox_residuals(d, ltv.fit_cox(d, penalty => 1, l1_ratio => 1), 'dfbeta');
SELECT * FROM (SELECT ltv.design_agg(time, status, ARRAY[(x = 'Maintained')::int]) AS d FROM aml) AS g, ltv.proportional_hazards_test(d, ltv.fit_cox(d, penalty => 1));
SELECT * FROM (SELECT ltv.design_agg(time - 5, status, ARRAY[(x = 'Maintained')::int]) AS d FROM aml) AS g, ltv.proportional_hazards_test(d, ltv.fit_cox(d), 'log');
SET ltv.max_memory_mb = 1;
SELECT count(*) FROM (SELECT ltv.design_agg(i, i % 3 > 0, ARRAY[i % 7, i % 5]) AS d FROM generate_series(1, 12000) AS i) AS g, (SELECT m FROM fits) AS f, ltv.cox_residuals(d, m);
