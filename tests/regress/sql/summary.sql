-- Fitted models on one page: what a model does not have is left out, and nothing is too wide, too large or missing to be printed.
\set ECHO none
\ir ../datasets.sql
\set ECHO all
\pset tuples_only on
\pset format unaligned
SELECT ltv.model_summary(ltv.fit_cox(ltv.design_agg(time, status, ARRAY[age, karno]), names => ARRAY['age', 'karno'])) FROM veteran;
SELECT ltv.model_summary(ltv.fit_cox(ltv.design_agg(time, status, ARRAY[age, karno]), names => ARRAY['age', 'karno'], penalty => 0.1, l1_ratio => 1)) FROM veteran;
SELECT ltv.model_summary(ltv.fit_cox(ltv.design_agg(0, time, status, ARRAY[age], 1, celltype, celltype), names => ARRAY['age'])) FROM veteran;
SELECT ltv.model_summary(ltv.fit_parametric(ltv.design_agg(time, status, ARRAY[karno]), 'weibull', names => ARRAY['karno'])) FROM veteran;
SELECT ltv.model_summary(ltv.fit_cox(time, 0, ARRAY[age])) FROM veteran;
SELECT ltv.model_summary(ltv.fit_cox(time, status, ARRAY[age, 2 * age])) FROM veteran;
SELECT ltv.model_summary(ltv.fit_cox(time, status, ARRAY[age * 1e-12])) FROM veteran;
SELECT ltv.model_summary(ltv.fit_sbg(year, survivors)) FROM (VALUES (0, 1000), (1, 869), (2, 743), (3, 653)) counted (year, survivors);
SELECT ltv.model_summary(ltv.fit_cox(time, status, ARRAY[age])) FROM veteran WHERE false;
SELECT ltv.model_summary(NULL) IS NULL;
