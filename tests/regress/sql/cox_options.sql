-- Cox models of designs: strata, offsets, ties, penalties, baselines. Numbers beside are R's.
\set ECHO none
\ir ../datasets.sql
CREATE TABLE infert (education text, age int, parity int, induced int, "case" int, spontaneous int, stratum int, pooled_stratum int);
\copy infert from 'infert.csv' with (format csv, header)
CREATE FUNCTION numbers(m ltv.model) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s %s (%s)', term, round(estimate::numeric, 8), round(std_error::numeric, 8)), ', ' ORDER BY place)
    FROM ltv.coefficients(m) WITH ORDINALITY AS c (term, estimate, std_error, robust_std_error, z, p_value, hazard_ratio, lower, upper, place) $$;
\set ECHO all

-- Strata: lung by sex .01056625 .46242443; rossi by four columns -.33549554 -.05898254 .10016295.
SELECT numbers(ltv.fit_cox(ltv.design_agg(0, time, event, ARRAY[age, ph_ecog], 1, sex::text), ARRAY['age', 'ph_ecog'])) FROM lung;
SELECT numbers(ltv.fit_cox(ltv.design_agg(0, week, arrest, ARRAY[fin, age, prio], 1, concat_ws('/', race, paro, mar, wexp)), '{fin,age,prio}')) FROM rossi;
-- Start and stop within strata: heart by transplant.
SELECT numbers(ltv.fit_cox(ltv.design_agg(start, stop, event, ARRAY[age, surgery, year], 1, transplant::text))) FROM heart;
-- Matched sets: conditional logistic regression 1.985875517 1.409011632.
SELECT numbers(ltv.fit_cox(ltv.design_agg(0, 1, "case", ARRAY[spontaneous, induced], 1, stratum::text), '{spontaneous,induced}', ties => 'exact')) FROM infert;
-- Ties: Breslow .01104113635 -.55188956979 .46294704059; exact .01106708584 -.55343561297 .46438741673.
SELECT ties, numbers(ltv.fit_cox(d, '{age,sex,ph_ecog}', ties)) AS model
FROM (SELECT ltv.design_agg(time, event, ARRAY[age, sex, ph_ecog]) AS d FROM lung) AS x, unnest(ARRAY['breslow', 'efron', 'exact']) AS ties;
-- Leukaemia: Breslow 1.509191413 (.409564406), Efron 1.572125149 (.412396718), exact 1.628243952 (.433131297).
SELECT ties, numbers(ltv.fit_cox(d, ties => ties)) AS model
FROM (SELECT ltv.design_agg(time, cens, ARRAY[(treat = 'control')::int]) AS d FROM gehan) AS x, unnest(ARRAY['breslow', 'efron', 'exact']) AS ties;
-- Without options it is the aggregate.
SELECT ltv.fit_cox(ltv.design_agg(time, event, ARRAY[age, sex]))::text = ltv.fit_cox(time, event, ARRAY[age, sex])::text AS same FROM lung;
-- Ridge: rossi, Breslow, theta 1: -.36366779 -.05778842 .28960522 -.15082851 -.38295681 -.08230384 .09095119.
SELECT numbers(m), (SELECT count(*) FROM ltv.model_test(m)) AS no_tests
FROM (SELECT ltv.fit_cox(ltv.design_agg(week, arrest, ARRAY[fin, age, race, wexp, mar, paro, prio]), ties => 'breslow', penalty => 1) AS m FROM rossi) AS x;
-- The lasso leaves out, and has no standard errors: -.06517181 (age) and .08714263 (prio) of glmnet.
SELECT term, round(estimate::numeric, 6) AS estimate, std_error, p_value, round(hazard_ratio::numeric, 6) AS hazard_ratio, lower
FROM ltv.coefficients((SELECT ltv.fit_cox(ltv.design_agg(week, arrest, ARRAY[fin, age, race, wexp, mar, paro, prio]), '{fin,age,race,wexp,mar,paro,prio}',
    'breslow', 10, 1) FROM rossi));
-- No intervals either.
SELECT round(p.renewal_probability::numeric, 6) AS renewal_probability, p.lower, p.status
FROM (SELECT ltv.fit_cox(ltv.design_agg(week, arrest, ARRAY[age, prio]), '{age,prio}', 'breslow', 10, 1) AS m FROM rossi) AS x,
     (SELECT 30 AS age, 2 AS prio) AS r, ltv.predict(m, r, 20) AS p;
-- A penalty bounds what would run off.
SELECT ltv.model_status(ltv.fit_cox(d)) AS free, ltv.model_status(ltv.fit_cox(d, penalty => 0.1)) AS charged
FROM (SELECT ltv.design_agg(i, i < 4, ARRAY[(i < 4)::int]) AS d FROM generate_series(1, 8) AS i) AS x;
-- An offset is a covariate whose coefficient is known: given its own estimate, the others stay as they were.
SELECT bool_and(abs(f.estimate - o.estimate) < 1e-9) AS same
FROM (SELECT ltv.fit_cox(time, event, ARRAY[ph_ecog, sex, age]) AS full_model FROM lung) AS x,
     LATERAL (SELECT estimate AS by_age FROM ltv.coefficients(full_model) WHERE term = 'x3') AS a,
     LATERAL (SELECT ltv.fit_cox(ltv.design_agg(0, time, event, ARRAY[ph_ecog, sex], 1, '', NULL, by_age * age)) AS offset_model FROM lung) AS y,
     LATERAL ltv.coefficients(full_model) AS f JOIN LATERAL ltv.coefficients(offset_model) AS o USING (term);

-- Baselines: at t = 5 .003963022465 for the average row, .002762815074 for the row of zeros.
SELECT centered, b.stratum, b.t, round(b.hazard::numeric, 9) AS hazard, round(b.cumulative_hazard::numeric, 9) AS cumulative_hazard,
       round(b.survival::numeric, 9) AS survival, round(b.std_error::numeric, 9) AS std_error
FROM (SELECT ltv.fit_cox(time, event, ARRAY[age, sex, ph_ecog]) AS m FROM lung) AS x, unnest(ARRAY[true, false]) AS centered,
     LATERAL ltv.baseline(m, centered) AS b WHERE b.t < 12;
SELECT b.stratum, count(*) AS steps, round(max(b.cumulative_hazard)::numeric, 8) AS cumulative_hazard, round(max(b.std_error)::numeric, 8) AS std_error
FROM (SELECT ltv.fit_cox(ltv.design_agg(0, time, event, ARRAY[age, ph_ecog], 1, sex::text)) AS m FROM lung) AS x, LATERAL ltv.baseline(m) AS b
GROUP BY b.stratum ORDER BY b.stratum;
SELECT count(*) AS none FROM ltv.baseline(NULL);

-- A row is found its stratum by name; one that training never saw has no score.
CREATE TABLE strata AS SELECT ltv.fit_cox(ltv.design_agg(0, time, event, ARRAY[age, ph_ecog], 1, sex::text), '{age,ph_ecog}', stratum_name => 'sex') AS m FROM lung;
SELECT ltv.model_features(m), ltv.model_status(m), m::text::ltv.model::text = m::text AS reads_back FROM strata;
SELECT r.sex, round(p.renewal_probability::numeric, 8) AS renewal_probability, round(p.lower::numeric, 8) AS lower, round(p.upper::numeric, 8) AS upper, p.status,
       round(ltv.renewal_probability(m, r, 100)::numeric, 8) AS alone, round(ltv.survival_at(ltv.predict_curve(m, r), 100)::numeric, 8) AS by_curve
FROM strata, (VALUES (60, 1, 1), (60, 1, 2), (60, 1, 3), (60, 1, NULL)) AS r (age, ph_ecog, sex), LATERAL ltv.predict(m, r, 100) AS p;
SELECT p.status FROM strata, (SELECT 60 AS age, 1 AS ph_ecog) AS r, LATERAL ltv.predict(m, r, 100) AS p;
SELECT (ltv.lifetime_value(m, r, 10)).ltv > 0 AS worth FROM strata, (SELECT 60 AS age, 1 AS ph_ecog, '2' AS sex) AS r;

-- What is refused.
SELECT ltv.fit_cox(d, '{a}') FROM (SELECT ltv.design_agg(1, true, ARRAY[1, 2]) AS d) AS x;
SELECT ltv.fit_cox(d, '{a,a}') FROM (SELECT ltv.design_agg(1, true, ARRAY[1, 2]) AS d) AS x;
SELECT ltv.fit_cox(d, ARRAY['a', NULL]) FROM (SELECT ltv.design_agg(1, true, ARRAY[1, 2]) AS d) AS x;
SELECT ltv.fit_cox(d, '{stratum}') FROM (SELECT ltv.design_agg(0, 1, true, ARRAY[1], 1, 'a') AS d) AS x;
SELECT ltv.fit_cox(d, ties => 'Efron') FROM (SELECT ltv.design_agg(1, true, ARRAY[1]) AS d) AS x;
SELECT ltv.fit_cox(d, penalty => -1) FROM (SELECT ltv.design_agg(1, true, ARRAY[1]) AS d) AS x;
SELECT ltv.fit_cox(d, penalty => 'NaN') FROM (SELECT ltv.design_agg(1, true, ARRAY[1]) AS d) AS x;
SELECT ltv.fit_cox(d, penalty => 1, l1_ratio => 1.1) FROM (SELECT ltv.design_agg(1, true, ARRAY[1]) AS d) AS x;
SELECT ltv.fit_cox(d, ties => 'exact') FROM (SELECT ltv.design_agg(1, true, ARRAY[1], 2) AS d) AS x;
SELECT ltv.fit_cox(d, ties => 'exact') FROM (SELECT ltv.design_agg(1 + i % 2, true, array_fill(i % 7, ARRAY[20])) AS d FROM generate_series(1, 50000) AS i) AS x;
SELECT ltv.fit_cox(d) FROM (SELECT ltv.design_agg(0, 1, true, ARRAY[i], 1, '', NULL, 300.0 * i) AS d FROM generate_series(1, 3) AS i) AS x;
SELECT ltv.fit_cox(d) FROM (SELECT ltv.interval_design_agg(1, 2, ARRAY[1]) AS d) AS x;
SELECT ltv.fit_cox(d) IS NULL AS no_model FROM (SELECT ltv.design_agg(1, true, ARRAY[1]) FILTER (WHERE false) AS d) AS x;

-- Designs add up to the one of all rows; a design that many functions read is left alone by each.
WITH parts AS (SELECT sex, ltv.design_agg(time, event, ARRAY[age, ph_ecog]) AS d FROM lung GROUP BY sex),
     whole AS (SELECT ltv.design_agg(time, event, ARRAY[age, ph_ecog]) AS d FROM lung),
     added AS (SELECT ltv.rollup(d) AS d FROM parts)
SELECT octet_length(whole.d::text) = octet_length(added.d::text) AS all_rows, max(abs(w.estimate - a.estimate) / w.std_error) < 1e-11 AS the_same
FROM whole, added, LATERAL ltv.coefficients(ltv.fit_cox(whole.d)) AS w, LATERAL ltv.coefficients(ltv.fit_cox(added.d)) AS a
WHERE w.term = a.term GROUP BY 1;
SELECT ltv.rollup(d) FROM (SELECT ltv.design_agg(1, true, ARRAY[1]) AS d UNION ALL SELECT ltv.design_agg(0, 1, true, ARRAY[1], 1, 'a')) AS x;
SELECT count(*) AS rows, count(*) FILTER (WHERE running::text <> (SELECT ltv.design_agg(1 + l, true, ARRAY[sin(l)] ORDER BY l)::text FROM generate_series(1, k) AS l)) AS wrong
FROM (SELECT k, ltv.design_agg(1 + k, true, ARRAY[sin(k)]) OVER (ORDER BY k) AS running, ltv.fit_cox(ltv.design_agg(1 + k, true, ARRAY[sin(k)]) OVER (ORDER BY k)) AS m
      FROM generate_series(1, 50) AS k) AS x;
SELECT '\x+1'::ltv.design;
