-- Tests between groups in one statement, against R's survdiff and coxph(ties = "exact").
\set ECHO none
\ir ../datasets.sql
\set ECHO all

-- lung by sex: 10.32674195; O 112, 53; E 91.58173903, 73.41826097; V 40.37143398.
SELECT round(chi_squared::numeric, 8) AS chi_squared, df, round(p_value::numeric, 10) AS p_value
FROM (SELECT ltv.log_rank_agg(sex, time, event) AS g FROM lung) AS x, LATERAL ltv.log_rank(g);
SELECT group_name, subjects, events, observed, round(expected::numeric, 8) AS expected, round(variance::numeric, 8) AS variance,
       round(over_expected::numeric, 6) AS over_expected, round(over_variance::numeric, 6) AS over_variance
FROM (SELECT ltv.log_rank_agg(sex, time, event) AS g FROM lung) AS x, LATERAL ltv.log_rank_groups(g);

-- Stratified by ph.ecog 10.79505963; pat.karno within institutions 21.36844557 on 7. NULLs are left out and counted.
SELECT round(chi_squared::numeric, 8) AS chi_squared, df, skipped
FROM (SELECT ltv.log_rank_agg(sex, time, event = 1, 1, ph_ecog::text) AS g FROM lung
      UNION ALL SELECT ltv.log_rank_agg(pat_karno, 0, time, event, 1, inst::text) FROM lung) AS x, LATERAL ltv.log_rank(g),
     LATERAL ltv.skipped(g) AS skipped ORDER BY df;

-- Every form of the aggregate says the same of the same rows, by name and by number, the event either way.
SELECT count(*) AS forms, count(DISTINCT g::text) AS answers
FROM (SELECT ltv.log_rank_agg(celltype, time, status) AS g FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(celltype, time, status = 1) FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(celltype, time, status, 1) FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(celltype, time, status = 1, 1) FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(celltype, 0, time, status = 1) FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(celltype, 0, time, status = 1, 1) FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(celltype, 0, time, status, 1) FROM veteran) AS x;
SELECT count(*) AS forms, count(DISTINCT g::text) AS answers
FROM (SELECT ltv.log_rank_agg(prior, time, status) AS g FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(prior, time, status = 1) FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(prior, time, status, 1) FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(prior::bigint, time, status = 1, 1) FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(prior::smallint, 0, time, status = 1) FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(prior, 0, time, status = 1, 1) FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(prior, 0, time, status, 1) FROM veteran) AS x;
SELECT count(*) AS forms, count(DISTINCT g::text) AS answers
FROM (SELECT ltv.log_rank_agg(celltype, time, status = 1, 1, trt::text) AS g FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(celltype, 0, time, status = 1, 1, trt::text) FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(celltype, 0, time, status, 1, trt::text) FROM veteran) AS x;
SELECT count(*) AS forms, count(DISTINCT g::text) AS answers
FROM (SELECT ltv.log_rank_agg(prior, time, status = 1, 1, trt::text) AS g FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(prior, 0, time, status = 1, 1, trt::text) FROM veteran
      UNION ALL SELECT ltv.log_rank_agg(prior, 0, time, status, 1, trt::text) FROM veteran) AS x;

-- Numbers are ordered as numbers, names by their bytes.
SELECT array_agg(group_name) FROM (SELECT ltv.log_rank_agg(n, 1, true) AS g FROM (VALUES (10), (9), (-1)) AS v (n)) AS x,
    LATERAL ltv.log_rank_groups(g);
SELECT array_agg(group_name) FROM (SELECT ltv.log_rank_agg(n, 1, true) AS g FROM (VALUES ('b'), ('a'), ('B'), ('10'), ('9')) AS v (n)) AS x,
    LATERAL ltv.log_rank_groups(g);

-- Trend: larynx by stage, Klein & Moeschberger example 7.4, Z = 3.72 (two-sided p < 0.001); both ways of asking, scores that are the
-- steps, a moved scale, and other scores.
SELECT round(sqrt(chi_squared)::numeric, 2) AS z, round(chi_squared::numeric, 8) AS chi_squared, df, round(p_value::numeric, 8) AS p_value
FROM (SELECT ltv.log_rank_agg(stage, time, delta) AS g FROM larynx) AS x, LATERAL ltv.log_rank(g, trend => true);
SELECT round(chi_squared::numeric, 8) AS chi_squared, df
FROM (SELECT array_agg(s ORDER BY stage) AS curves FROM (SELECT stage, ltv.survival_agg(time, delta) AS s FROM larynx GROUP BY stage) AS x) AS y,
    LATERAL (SELECT * FROM ltv.log_rank(curves, trend => true)
             UNION ALL SELECT * FROM ltv.log_rank(curves, scores => '{2001, 2002, 2003, 2004}')
             UNION ALL SELECT * FROM ltv.log_rank(curves || NULL::ltv.survival, scores => '{1, 2, 3, 4, 100}')
             UNION ALL SELECT * FROM ltv.log_rank(curves, weights => 'wilcoxon', scores => '{0, 0, 1, 1}')) AS z;

-- Delayed entry: heart by transplant, as coxph(ties = "exact").
SELECT round(chi_squared::numeric, 8) AS chi_squared, df
FROM (SELECT ltv.log_rank_agg(transplant, start, stop, event = 1) AS g FROM heart) AS x, LATERAL ltv.log_rank(g);

-- Pairs.
SELECT group_a, group_b, round(chi_squared::numeric, 6) AS chi_squared, round(p_value::numeric, 8) AS p_value,
       round(adjusted_p_value::numeric, 8) AS holm
FROM (SELECT ltv.log_rank_agg(celltype, time, status) AS g FROM veteran) AS x, LATERAL ltv.pairwise_log_rank(g);
SELECT adjust, round(sum(adjusted_p_value)::numeric, 8) AS sum
FROM (SELECT ltv.log_rank_agg(celltype, time, status) AS g FROM veteran) AS x,
     unnest(ARRAY['none', 'benjamini-hochberg', 'holm', 'bonferroni']) AS adjust, LATERAL ltv.pairwise_log_rank(g, adjust => adjust)
GROUP BY adjust ORDER BY 2;

-- The curves inside are those of survival_agg.
SELECT stratum, group_name, ltv.median(curve)
FROM (SELECT ltv.log_rank_agg(celltype, time, status = 1, 1, trt::text) AS g FROM veteran) AS x, LATERAL ltv.curves(g);
SELECT count(*) AS groups, bool_and(c.curve::text = s::text) AS same
FROM (SELECT ltv.log_rank_agg(contract, tenure, churn_event) AS g FROM telco) AS x, LATERAL ltv.curves(g) AS c
    JOIN (SELECT contract, ltv.survival_agg(tenure, churn_event) AS s FROM telco GROUP BY contract) AS y ON contract = group_name;

-- Summaries add up, go through text and bytes, and do not depend on the order.
CREATE TABLE parts AS SELECT ph_ecog, ltv.log_rank_agg(sex, time, event) AS g FROM lung GROUP BY ph_ecog;
SELECT ltv.rollup(g)::text = (SELECT ltv.log_rank_agg(sex, time, event ORDER BY random())::text FROM lung) AS same FROM parts;
SELECT bool_and(g::text::ltv.grouped_survival::text = g::text) AS round_trip FROM parts;
SELECT ltv.log_rank_agg(g, d, e, 1, s) AS text, encode(ltv.grouped_survival_send(ltv.log_rank_agg(g, d, e, 1, s)), 'hex') AS bytes
FROM (VALUES ('a', 2, true, 'x'), ('b', 5, false, 'x'), ('a', 1, true, 'ü'), ('a', 1, NULL, 'x')) AS v (g, d, e, s);
CREATE TABLE labels AS SELECT repeat(chr(97 + n % 3), 5000) || n % 3 AS long, n FROM generate_series(1, 30) AS n;
SELECT left(group_name, 2) AS starts, length(group_name), subjects FROM (SELECT ltv.log_rank_agg(long, n, true) AS g FROM labels) AS x, LATERAL ltv.log_rank_groups(g);

-- Nothing to compare.
SELECT * FROM ltv.log_rank((SELECT ltv.log_rank_agg('a'::text, 1, true)));
SELECT * FROM ltv.log_rank((SELECT ltv.log_rank_agg('a'::text, 1, true)), trend => true);
SELECT * FROM ltv.log_rank((SELECT ltv.log_rank_agg(x, 1, true) FROM (VALUES (NULL::text)) AS v (x)));
SELECT * FROM ltv.log_rank((SELECT ltv.log_rank_agg('a'::text, 1, true) WHERE false));
SELECT * FROM ltv.log_rank((SELECT ltv.log_rank_agg(x, 1, false) FROM (VALUES ('a'), ('b')) AS v (x)));
SELECT * FROM ltv.pairwise_log_rank((SELECT ltv.log_rank_agg(x, 1, false) FROM (VALUES ('a'), ('b'), ('c')) AS v (x)));

-- Errors.
\set VERBOSITY default
SELECT ltv.log_rank_agg(n, 1, true) FROM generate_series(1, 10001) AS n;
SELECT ltv.log_rank_agg('a'::text, -1, true);
SELECT ltv.log_rank_agg('a'::text, 1, 2);
SELECT ltv.log_rank_agg('a'::text, 1, true, 0);
SELECT ltv.log_rank_agg('a'::text, 5, 5, true);
SELECT * FROM ltv.log_rank((SELECT ltv.log_rank_agg(sex, time, event) FROM lung), 'mantel');
SELECT * FROM ltv.log_rank((SELECT ltv.log_rank_agg(sex, time, event) FROM lung), scores => '{1, 2, 3}');
SELECT * FROM ltv.log_rank((SELECT ltv.log_rank_agg(sex, time, event) FROM lung), scores => '{1, 1}');
SELECT * FROM ltv.log_rank((SELECT ARRAY[ltv.survival_agg(time, event)] FROM lung), scores => '{1, 2}');
SELECT * FROM ltv.pairwise_log_rank((SELECT ltv.log_rank_agg(sex, time, event) FROM lung), adjust => 'tukey');
SELECT '{"kind":"grouped_survival","version":1,"groups":[{"stratum":null,"group":"a","curve":{"kind":"sample","version":1,"time":[],"events":[],"censored":[],"entry":[],"entered":[],"skipped":0}}],"skipped":0}'::ltv.grouped_survival;
SELECT '{"kind":"grouped_survival","version":2,"groups":[],"skipped":0}'::ltv.grouped_survival;
SELECT 'x'::ltv.grouped_survival;
SET ltv.max_memory_mb = 1;
SELECT ltv.log_rank_agg(n % 10, n + 0.5, true) FROM generate_series(1, 100000) AS n;

-- No text of SQL holds a NUL, so neither does a name that comes from a stored value.
SELECT '{"kind":"grouped_survival","version":1,"groups":[{"stratum":null,"group":"a\u0000b","curve":{"kind":"sample","version":1,"time":[1],"events":[1],"censored":[0],"entry":[],"entered":[],"skipped":0}}],"skipped":0}'::ltv.grouped_survival;
