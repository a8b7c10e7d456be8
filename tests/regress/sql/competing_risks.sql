-- Competing risks against R's survival and cmprsk, and the rules for rows that are odd.
\set ECHO none
CREATE TABLE mgus2 (id int, age int, sex text, dxyr int, hgb float8, creat float8, mspike float8, ptime int, pstat int, futime int, death int, etime int, event_type int);
\cd :data
\copy mgus2 from 'mgus2.csv' with (format csv, header)
\set ECHO all

-- R: survfit(Surv(etime, event) ~ 1, mgus2) at 120 and 240: .06372216801 .5318177041; .09981371594 .7240279761; se .00679685 .01405965.
SELECT t, cause, at_risk, events, round(incidence::numeric, 10) AS incidence, round(std_error::numeric, 8) AS std_error, round(lower::numeric, 8) AS lower, round(upper::numeric, 8) AS upper
FROM (SELECT ltv.incidence_agg(etime, event_type) AS i FROM mgus2) AS x, LATERAL ltv.incidence_curve(i, at => ARRAY[120, 240, 1000]::float8[]);

-- cmprsk's variance, another level and scale.
SELECT t, cause, round(std_error::numeric, 8) AS std_error, round(lower::numeric, 8) AS lower, round(upper::numeric, 8) AS upper
FROM (SELECT ltv.incidence_agg(etime, event_type) AS i FROM mgus2) AS x,
     LATERAL ltv.incidence_curve(i, ARRAY[120]::float8[], level => 0.9, transform => 'plain', variance => 'aalen');

-- SAS and lifelines on six rows, cause 2: variance 0, 0, 0, .032, .048; limits [.00836904,.58185303], [.05197575,.75281579].
SELECT t, cause, at_risk, events, round(incidence::numeric, 8) AS incidence, round((std_error ^ 2)::numeric, 8) AS variance, round(lower::numeric, 8) AS lower, round(upper::numeric, 8) AS upper
FROM (SELECT ltv.incidence_agg(d, c) AS i FROM (VALUES (1.0::float8, 0), (2, 1), (3, 1), (4, 2), (5, 2), (6, 0)) AS v (d, c)) AS x, LATERAL ltv.incidence_curve(i);

-- Mean months in each state until 240: 110.58889942, 14.19054813, 115.22055245.
SELECT round(ltv.rmst(ltv.event_free_survival(i), 240)::numeric, 8) AS running, round(ltv.time_lost(i, 240, 1)::numeric, 8) AS lost_1,
       round(ltv.time_lost(i, 240, 2)::numeric, 8) AS lost_2
FROM (SELECT ltv.incidence_agg(etime, event_type) AS i FROM mgus2) AS x;
SELECT round(time_lost::numeric, 6) AS time_lost, round(std_error::numeric, 6) AS std_error, round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper
FROM (SELECT ltv.incidence_agg(etime, event_type) AS i FROM mgus2) AS x, LATERAL ltv.time_lost_interval(i, 240, 1);

-- Gray's test by sex: 1.194507825 (.27442), 11.651259012 (.00064159).
SELECT cause, round(chi_squared::numeric, 9) AS chi_squared, df, round(p_value::numeric, 9) AS p_value
FROM (SELECT array_agg(i) AS cohorts FROM (SELECT ltv.incidence_agg(etime, event_type) AS i FROM mgus2 GROUP BY sex) AS x) AS y,
     generate_series(1, 2) AS cause, LATERAL ltv.gray_test(cohorts, cause);
SELECT round(chi_squared::numeric, 9) AS early_weighted FROM (SELECT array_agg(i) AS cohorts FROM (SELECT ltv.incidence_agg(etime, event_type) AS i FROM mgus2 GROUP BY sex) AS x) AS y,
     LATERAL ltv.gray_test(cohorts, rho => 1);

-- Counts, and the curves they contain; cohorts roll up to the whole, by text too.
SELECT ltv.subjects(i), ltv.events(i), ltv.events(i, 1) AS by_1, ltv.events(i, 9) AS by_9, ltv.censored(i), ltv.skipped(i), ltv.max_followup(i), ltv.causes(i)
FROM (SELECT ltv.incidence_agg(etime, event_type) AS i FROM mgus2) AS x;
SELECT ltv.event_free_survival(i)::text = s::text AS event_free, ltv.cause_survival(i, 1)::text = c::text AS of_cause
FROM (SELECT ltv.incidence_agg(etime, event_type) AS i, ltv.survival_agg(etime, event_type > 0) AS s, ltv.survival_agg(etime, event_type = 1) AS c FROM mgus2) AS x;
SELECT (ltv.rollup(part))::text = (SELECT ltv.incidence_agg(etime, event_type)::text FROM mgus2) AS whole,
       (ltv.rollup(part::text::ltv.incidence))::text = (SELECT ltv.incidence_agg(etime, event_type)::text FROM mgus2) AS by_text
FROM (SELECT ltv.incidence_agg(etime, event_type) AS part FROM mgus2 GROUP BY dxyr, sex) AS x;

-- Each cohort's own, windows and filters; a share that ends by the cause is less than one minus its cause_survival.
SELECT sex, round(ltv.incidence_at(i, 120, 1)::numeric, 8) AS incidence, round((1 - ltv.survival_at(ltv.cause_survival(i, 1), 120))::numeric, 8) AS if_nothing_else
FROM (SELECT sex, ltv.incidence_agg(etime, event_type) AS i FROM mgus2 GROUP BY sex) AS x ORDER BY sex;
SELECT d, ltv.subjects(ltv.incidence_agg(d, c) OVER (ORDER BY d)) AS so_far, ltv.incidence_at(ltv.incidence_agg(d, c) FILTER (WHERE c < 3) OVER (), 2, 1)
FROM (VALUES (1.0::float8, 1), (2, 2), (3, 0), (4, 3)) AS v (d, c);

-- Weights count as repetitions; an entry of 0 is none; a late entry is at risk only after it.
SELECT ltv.incidence_agg(d, c, 2.0)::text = ltv.incidence_agg(0::float8, d, c, 2.0)::text AS entry_of_0,
       ltv.incidence_agg(d, c, 2.0)::text AS twice
FROM (VALUES (1.0::float8, 1), (2, 2), (3, 0)) AS v (d, c);
SELECT t, cause, at_risk, events, round(incidence::numeric, 8) AS incidence
FROM (SELECT ltv.incidence_agg(e, d, c, 1.0) AS i FROM (VALUES (0::float8, 1.0::float8, 1), (0, 4, 2), (2, 5, 1), (1, 6, 0)) AS v (e, d, c)) AS x, LATERAL ltv.incidence_curve(i);

-- NULL rows are left out and counted; nothing is NULL, not an error.
SELECT ltv.incidence_agg(d, c)::text FROM (VALUES (1.0::float8, 1), (NULL, 1), (2, NULL)) AS v (d, c);
SELECT ltv.incidence_agg(d, c) IS NULL AS no_rows FROM (SELECT 1::float8 AS d, 1 AS c WHERE false) AS v;
SELECT ltv.incidence_at(i, 5, 1), ltv.incidence_at(i, 9, 1) AS beyond, ltv.incidence_at(NULL, 1, 1) AS null_in, ltv.time_lost(i, 9, 1) AS lost_beyond
FROM (SELECT ltv.incidence_agg(d, c) AS i FROM (VALUES (1.0::float8, 1), (5, 0)) AS v (d, c)) AS x;

-- What is refused, and how.
SELECT ltv.incidence_agg(1.0::float8, 256);
SELECT ltv.incidence_agg(1.0::float8, -1);
SELECT ltv.incidence_agg('NaN'::float8, 1);
SELECT ltv.incidence_agg(5::float8, 4::float8, 1, 1.0);
SELECT ltv.incidence_at(ltv.incidence_agg(1.0::float8, 1), 1, 0);
SELECT ltv.incidence_at(ltv.incidence_agg(1.0::float8, 1), -1, 1);
SELECT * FROM ltv.incidence_curve((SELECT ltv.incidence_agg(1.0::float8, 1)), variance => 'delta');
SELECT * FROM ltv.gray_test(ARRAY[(SELECT ltv.incidence_agg(1::float8, 2::float8, 1, 1.0))]);
SELECT '{"kind":"incidence","version":1,"time":[1],"censored":[0],"causes":{"0":[1]},"entry":[],"entered":[],"skipped":0}'::ltv.incidence;
SELECT '{"kind":"incidence","version":1,"time":[1],"censored":[0],"causes":{},"entry":[],"entered":[],"skipped":0}'::ltv.incidence;
SELECT '{"kind":"incidence","version":1,"time":[1],"censored":[0],"causes":{"1":[1]},"entry":[1],"entered":[1],"skipped":0}'::ltv.incidence;

-- Many groups, small and large, give what one pass over each gives.
SELECT count(*) AS groups, bool_and(ltv.subjects(i) = n) AS counted, bool_and(ltv.events(i, 3) = of_3) AS causes_counted
FROM (SELECT k % 97 AS g, ltv.incidence_agg((k * 7919 % 1000) / 8.0, k % 5) AS i, count(*) AS n, count(*) FILTER (WHERE k % 5 = 3) AS of_3
      FROM generate_series(1, 20000) AS k GROUP BY k % 97) AS x;

-- (entry, duration, cause) is no form: the hint must not lead to leaving out those who still run.
SELECT ltv.incidence_agg(0, d, c) FROM (VALUES (3, 1), (5, 0)) AS v (d, c);
