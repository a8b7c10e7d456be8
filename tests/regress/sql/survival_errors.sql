-- What no curve can be made of, or read from, is refused with a SQLSTATE, the value and a hint; never by a crash or an internal error.

-- Durations, events, entries and weights outside their domain.
SELECT ltv.survival_agg(-1, true);
SELECT ltv.survival_agg('NaN', true);
SELECT ltv.survival_agg('Infinity', true);
SELECT ltv.survival_agg('-Infinity', 1);
SELECT ltv.survival_agg(1, 2);
SELECT ltv.survival_agg(1, -1);
SELECT ltv.survival_agg(5, 5, true);
SELECT ltv.survival_agg(6, 5, true);
SELECT ltv.survival_agg(-1, 5, true);
SELECT ltv.survival_agg('NaN', 5, true);
SELECT ltv.survival_agg('Infinity', 5, true, 1);
SELECT ltv.survival_agg(1, 5, 3, 1);
SELECT ltv.survival_agg(5, true, 0);
SELECT ltv.survival_agg(5, true, -1);
SELECT ltv.survival_agg(5, true, 'NaN');
SELECT ltv.survival_agg(5, 1, 'Infinity');
SELECT ltv.survival_agg(1, 5, true, 0);
-- An integer event after an entry is taken for a weight: the error says how to write it.
SELECT ltv.survival_agg(1, 5, 1) IS NOT NULL;
-- A bad row is an error even when others have NULLs; a bad value beside a NULL is a row left out.
SELECT ltv.survival_agg(d, e) FROM (VALUES (NULL::float8, true), (-2, true)) AS v (d, e);
SELECT ltv.skipped(ltv.survival_agg(d, e)) FROM (VALUES (-1.0, NULL::int), (NULL, 7)) AS v (d, e);

-- Accessors.
CREATE TABLE cohort AS SELECT ltv.survival_agg(d, e) AS s FROM (VALUES (1.0, true), (2, true), (3, false), (4, true)) AS v (d, e);
SELECT ltv.survival_at(s, -1) FROM cohort;
SELECT ltv.survival_at(s, 'NaN') FROM cohort;
SELECT ltv.survival_at(s, 'Infinity') FROM cohort;
SELECT ltv.cumulative_hazard_at(s, -0.5) FROM cohort;
SELECT ltv.quantile(s, 0) FROM cohort;
SELECT ltv.quantile(s, 1) FROM cohort;
SELECT ltv.quantile(s, 'NaN') FROM cohort;
SELECT ltv.rmst(s, 0) FROM cohort;
SELECT ltv.rmst(s, -1) FROM cohort;
SELECT ltv.rmst(s, 'Infinity') FROM cohort;
SELECT ltv.conditional(s, -1) FROM cohort;
SELECT ltv.conditional(s, 'NaN') FROM cohort;
SELECT ltv.renewal_probability(s, 3, 2) FROM cohort;
SELECT ltv.renewal_probability(s, -1, 2) FROM cohort;
SELECT ltv.renewal_probability(s, 1, 'Infinity') FROM cohort;
SELECT ltv.renewal_probability(s, 'NaN', 2) FROM cohort;
SELECT i.* FROM cohort, LATERAL ltv.survival_interval(s, -1) AS i;
SELECT i.* FROM cohort, LATERAL ltv.survival_interval(s, 1, 0) AS i;
SELECT i.* FROM cohort, LATERAL ltv.survival_interval(s, 1, 1) AS i;
SELECT i.* FROM cohort, LATERAL ltv.survival_interval(s, 1, 'NaN') AS i;
SELECT i.* FROM cohort, LATERAL ltv.survival_interval(s, 1, 0.95, 'loglog') AS i;
SELECT i.* FROM cohort, LATERAL ltv.survival_interval(s, 1, 0.95, '') AS i;
SELECT c.* FROM cohort, LATERAL ltv.curve(s, ARRAY[1, -1]) AS c;
SELECT c.* FROM cohort, LATERAL ltv.curve(s, ARRAY[1, 'NaN'::float8]) AS c;
SELECT c.* FROM cohort, LATERAL ltv.curve(s, ARRAY[1, NULL]) AS c;
SELECT c.* FROM cohort, LATERAL ltv.curve(s, level => 2) AS c;
SELECT c.* FROM cohort, LATERAL ltv.curve(s, transform => 'Log') AS c;
SELECT l.* FROM cohort, LATERAL ltv.log_rank(ARRAY[s, s], 'logrank') AS l;
SELECT l.* FROM cohort, LATERAL ltv.log_rank(ARRAY[s, s], 'fleming-harrington', -1, 0) AS l;
SELECT l.* FROM cohort, LATERAL ltv.log_rank(ARRAY[s, s], 'fleming-harrington', 'NaN', 0) AS l;
SELECT l.* FROM cohort, LATERAL ltv.log_rank(ARRAY[s, s], 'log-rank', 'Infinity', 0) AS l;

-- A curve of a model has no rows behind it: it can be read, but not added up or compared.
CREATE TABLE fitted AS SELECT '{"kind":"fitted","version":1,"curve":{"times":[1,2],"cumulative_hazard":[0.1,0.3],"variance":[0.01,0.02],"rank":0,"loadings":[],"max_followup":5,"tail":"None"}}'::ltv.survival AS s;
SELECT round(ltv.survival_at(s, 2)::numeric, 10) AS s2, ltv.subjects(s), ltv.events(s), ltv.censored(s), ltv.skipped(s), ltv.max_followup(s),
       ltv.survival_at(s, 6) AS beyond FROM fitted;
SELECT ltv.rollup(s) FROM fitted;
SELECT ltv.rollup(s) FROM (SELECT s FROM cohort UNION ALL SELECT s FROM fitted) AS x;
SELECT l.* FROM cohort, fitted, LATERAL ltv.log_rank(ARRAY[cohort.s, fitted.s]) AS l;

-- The functions behind the aggregates are not for calling.
SELECT ltv._survival_add(NULL, 1, true);
SELECT ltv._survival_add(s, 1, 1) FROM cohort;
SELECT ltv._survival_add(s, 0, 1, true, 1) FROM cohort;
SELECT ltv._survival_combine(s, s) FROM cohort;
SELECT ltv._survival_combine(NULL, s) FROM cohort;
SELECT ltv._survival_combine(s, NULL)::text = s::text AS nothing_added FROM cohort;
SELECT ltv._survival_combine(NULL, NULL);
-- They work under any aggregate, which may be given a stored state: it is checked like any value.
CREATE AGGREGATE continued(float8, boolean) (SFUNC = ltv._survival_add, STYPE = ltv.survival, INITCOND = '{"kind":"sample","version":1,"time":[9],"events":[2],"censored":[0],"entry":[],"entered":[],"skipped":1}');
SELECT continued(d, true) FROM (VALUES (1.0), (9), (NULL)) AS v (d);
CREATE AGGREGATE misled(float8, boolean) (SFUNC = ltv._survival_add, STYPE = ltv.survival, INITCOND = '{"kind":"fitted","version":1,"curve":{"times":[],"cumulative_hazard":[],"variance":[],"rank":0,"loadings":[],"max_followup":1,"tail":"None"}}');
SELECT misled(1, true);

-- Forged text.
SELECT ''::ltv.survival;
SELECT 'curve'::ltv.survival;
SELECT '{}'::ltv.survival;
SELECT 'null'::ltv.survival;
SELECT '[]'::ltv.survival;
SELECT '{"kind":"sample"}'::ltv.survival;
SELECT '{"kind":"other","version":1}'::ltv.survival;
SELECT '{"kind":"sample","version":2,"time":[],"events":[],"censored":[],"entry":[],"entered":[],"skipped":0}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[1],"events":[],"censored":[1],"entry":[],"entered":[],"skipped":0}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[2,1],"events":[1,1],"censored":[0,0],"entry":[],"entered":[],"skipped":0}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[1,1],"events":[1,1],"censored":[0,0],"entry":[],"entered":[],"skipped":0}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[-1],"events":[1],"censored":[0],"entry":[],"entered":[],"skipped":0}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[1e999],"events":[1],"censored":[0],"entry":[],"entered":[],"skipped":0}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":["NaN"],"events":[1],"censored":[0],"entry":[],"entered":[],"skipped":0}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[1],"events":[-1],"censored":[3],"entry":[],"entered":[],"skipped":0}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[1],"events":[0],"censored":[0],"entry":[],"entered":[],"skipped":0}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[1],"events":[1],"censored":[0],"entry":[1],"entered":[1],"skipped":0}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[1,3],"events":[1,1],"censored":[0,0],"entry":[2],"entered":[5],"skipped":0}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[],"events":[],"censored":[],"entry":[],"entered":[],"skipped":-1}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[],"events":[],"censored":[],"entry":[],"entered":[],"skipped":0,"more":1}'::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[],"events":[],"censored":[],"entry":[],"entered":[],"skipped":0} '::ltv.survival;
SELECT '{"kind":"sample","version":1,"time":[],"events":[],"censored":[],"entry":[],"entered":[],"skipped":0}{}'::ltv.survival;
SELECT ltv.subjects('{"kind":"sample","version":1,"time":[],"events":[],"censored":[],"entry":[],"entered":[],"skipped":0}'::ltv.survival) AS empty;
SELECT '{"kind":"fitted","version":1,"curve":{"times":[1,2],"cumulative_hazard":[0.3,0.1],"variance":[],"rank":0,"loadings":[],"max_followup":5,"tail":"None"}}'::ltv.survival;
SELECT '{"kind":"fitted","version":1,"curve":{"times":[2,1],"cumulative_hazard":[0.1,0.3],"variance":[],"rank":0,"loadings":[],"max_followup":5,"tail":"None"}}'::ltv.survival;
SELECT '{"kind":"fitted","version":1,"curve":{"times":[1],"cumulative_hazard":[-0.1],"variance":[],"rank":0,"loadings":[],"max_followup":5,"tail":"None"}}'::ltv.survival;
SELECT '{"kind":"fitted","version":1,"curve":{"times":[1],"cumulative_hazard":[0.1],"variance":[-1],"rank":0,"loadings":[],"max_followup":5,"tail":"None"}}'::ltv.survival;
SELECT '{"kind":"fitted","version":1,"curve":{"times":[1],"cumulative_hazard":[0.1],"variance":[],"rank":2,"loadings":[1],"max_followup":5,"tail":"None"}}'::ltv.survival;
SELECT '{"kind":"fitted","version":1,"curve":{"times":[1],"cumulative_hazard":[0.1],"variance":[],"rank":-1,"loadings":[],"max_followup":5,"tail":"None"}}'::ltv.survival;
SELECT '{"kind":"fitted","version":1,"curve":{"times":[7],"cumulative_hazard":[0.1],"variance":[],"rank":0,"loadings":[],"max_followup":5,"tail":"None"}}'::ltv.survival;
SELECT '{"kind":"fitted","version":1,"curve":{"times":[],"cumulative_hazard":[],"variance":[],"rank":0,"loadings":[],"max_followup":-5,"tail":"None"}}'::ltv.survival;
SELECT '{"kind":"fitted","version":1,"curve":{"times":[],"cumulative_hazard":[],"variance":[],"rank":0,"loadings":[],"max_followup":5,"tail":{"ConstantHazard":{"rate":-1}}}}'::ltv.survival;
SELECT (repeat('[', 100000))::ltv.survival;
SELECT (repeat('{"kind":', 50000))::ltv.survival;
-- A curve without steps may claim any rank: it is harmless.
SELECT ltv.survival_at(s, 3) AS s3, ltv.conditional(s, 2) IS NOT NULL AS conditional, (ltv.survival_interval(s, 3)).std_error,
       (SELECT count(*) FROM ltv.curve(s, ARRAY[1, 9])) AS times
FROM (SELECT '{"kind":"fitted","version":1,"curve":{"times":[],"cumulative_hazard":[],"variance":[],"rank":18446744073709551615,"loadings":[],"max_followup":5,"tail":{"ConstantHazard":{"rate":0.1}}}}'::ltv.survival AS s) AS x;
-- No other type's value is taken for a curve.
SELECT E'\\x00'::bytea::ltv.survival;
SELECT '{"kind":"calibration","version":1,"probability":[],"positive":[],"negative":[],"skipped":0}'::ltv.survival;
SELECT E'\\x'::ltv.design;
SELECT E'\\x0'::ltv.design;
SELECT E'\\xzz'::ltv.design;
SELECT E'\\x01ff'::ltv.design;
SELECT E'\\x0100010001000000000000f03f01000000000000f0'::ltv.design;
SELECT 'é'::ltv.design;

-- The memory of a summary is bounded, and the limit only ever raises an error.
SET ltv.max_memory_mb = 0;
SET ltv.max_memory_mb = 1;
SELECT ltv.survival_agg(i + 0.5, true) FROM generate_series(1, 200000) AS i;
SELECT ltv.subjects(ltv.survival_agg(i % 5000, true)) FROM generate_series(1, 200000) AS i;
RESET ltv.max_memory_mb;
SET ltv.unheard_of = 1;
