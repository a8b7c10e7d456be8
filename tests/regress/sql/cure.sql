-- Cure models: a share that never has the event, on what it depends, and where there is none. More cases are in
-- tests/golden/cure.
\set ECHO none
\ir ../datasets.sql
CREATE TABLE colon (id float8, study float8, rx text, sex float8, age float8, obstruct float8, perfor float8, adhere float8, nodes float8, status float8, differ float8, extent float8, surg float8, node4 float8, time float8, etype float8);
\copy colon from 'colon.csv' with (format csv, header, force_null (nodes, differ))
\set ECHO all

CREATE TABLE d AS
SELECT ltv.design_agg(time, status = 1, ARRAY[(rx = 'Lev+5FU')::int, node4, sex, extent] ORDER BY id, etype) AS d FROM colon;
-- As the written likelihood maximised by R: the same share for all; covariates on the share alone; on both.
SELECT c.term, round(c.estimate::numeric, 7) AS estimate, round(c.std_error::numeric, 7) AS std_error
FROM d, LATERAL ltv.coefficients(ltv.fit_cure(d, location => '{}')) c;
SELECT c.term, round(c.estimate::numeric, 7) AS estimate, round(c.std_error::numeric, 7) AS std_error
FROM d, LATERAL ltv.coefficients(ltv.fit_cure(d, names => ARRAY['drug', 'nodes', 'sex', 'extent'],
                                              cured => ARRAY['drug', 'nodes', 'sex', 'extent'], location => '{}')) c;
SELECT c.term, round(c.estimate::numeric, 7) AS estimate, round(c.std_error::numeric, 7) AS std_error
FROM d, LATERAL ltv.coefficients(ltv.fit_cure(d, names => ARRAY['drug', 'nodes', 'sex', 'extent'],
                                              cured => ARRAY['drug', 'nodes', 'sex', 'extent'])) c;
SELECT distribution, ltv.model_algorithm(m) AS algorithm, ltv.model_status(m) AS status,
       round((ltv.model_fit(m)).log_likelihood::numeric, 6) AS log_likelihood, (ltv.model_fit(m)).parameters
FROM (SELECT distribution, ltv.fit_cure(d, distribution, location => '{}') AS m
      FROM d, unnest(ARRAY['exponential', 'weibull', 'lognormal', 'loglogistic', 'weibull-cure']) distribution) q;

-- The share of a customer, at the start and among those that have lasted.
CREATE TABLE m AS
SELECT ltv.fit_cure(d, names => ARRAY['drug', 'nodes', 'sex', 'extent'], cured => ARRAY['drug', 'nodes'], location => ARRAY['extent', 'sex']) AS m FROM d;
SELECT drug, nodes, round(ltv.cured_share(m, r)::numeric, 7) AS share, round(ltv.cured_share(m, r, 1000)::numeric, 7) AS at_1000,
       round(ltv.cured_share(m, r, 1e9)::numeric, 7) AS in_the_end,
       round(ltv.survival_at(ltv.predict_curve(m, r), 1e9)::numeric, 7) AS survival
FROM m, (SELECT drug, nodes, 0 AS sex, 3 AS extent FROM generate_series(0, 1) drug, generate_series(0, 1) nodes) r ORDER BY 1, 2;
SELECT m::text::ltv.model::text = m::text AS text_is_exact FROM m;
SELECT (ltv.predict(m, r, 365)).status, ltv.cured_share(m, r, 365) IS NOT NULL AS has_share FROM m, (SELECT 1 AS drug, 0 AS nodes, 0 AS sex, 3 AS extent) r;
SELECT ltv.cured_share(m, r) AS no_score, ltv.cured_share(NULL::ltv.model, ROW(1)) AS no_model FROM m, (SELECT 1 AS drug, NULL::int AS nodes, 0 AS sex, 3 AS extent) r;

-- No cured share: a plain Weibull sample with few censored; and a follow-up that ends while events go on.
CREATE TABLE plain AS SELECT 10 * (-ln((i - 0.5) / 200)) ^ 0.5 AS t, i % 10 <> 0 AS event FROM generate_series(1, 200) i;
SELECT ltv.model_status(m) AS status, ltv.model_algorithm(m) AS algorithm, ltv.cured_share(m, ROW()) AS share, c.term, round(c.estimate::numeric, 6) AS estimate
FROM (SELECT ltv.fit_cure(ltv.design_agg(t, event, '{}'::float8[])) AS m FROM plain) q, LATERAL ltv.coefficients(m) c;
SELECT ltv.model_status(ltv.fit_cure(ltv.design_agg(tenure, churn_event = 1, '{}'::float8[]))) AS status FROM telco WHERE tenure > 0;
SELECT distribution, status FROM (SELECT ltv.design_agg(t, event, '{}'::float8[]) AS d FROM plain) q,
     LATERAL ltv.compare_distributions(d, ARRAY['weibull', 'weibull-cure']);
-- Another model knows of no share.
SELECT ltv.cured_share(ltv.fit_weibull(t, event, '{}'::float8[]), ROW()) AS share FROM plain;

-- What is refused.
SELECT ltv.fit_cure(d, 'gamma') FROM d;
SELECT ltv.fit_cure(d, cured => ARRAY['x5']) FROM d;
SELECT ltv.fit_cure(d, location => ARRAY['x1', 'x1']) FROM d;
SELECT ltv.fit_cure(d, names => ARRAY['a']) FROM d;
SELECT ltv.cured_share(m, r, -1) FROM m, (SELECT 1 AS drug, 0 AS nodes, 0 AS sex, 3 AS extent) r;
SELECT ltv.fit_cure(ltv.design_agg(NULL::float8, true, '{}'::float8[])) IS NULL AS nothing;
SELECT ltv.model_status(ltv.fit_cure(ltv.design_agg(i, false, '{}'::float8[]))) AS status FROM generate_series(1, 9) i;
