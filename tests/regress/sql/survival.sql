-- Curves of cohorts against R's survival package, and the rules for rows that are odd.
\set ECHO none
\ir ../datasets.sql
\set ECHO all

-- R: survfit(Surv(time, event) ~ 1, lung): n 228, events 165, median 310, quartiles 170 and 550.
SELECT ltv.subjects(s), ltv.events(s), ltv.censored(s), ltv.skipped(s), ltv.max_followup(s), ltv.median(s), ltv.quantile(s, 0.25) AS q25,
       ltv.quantile(s, 0.75) AS q75
FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x;

-- S(365) = 0.4092416245, se 0.0358236382, and the five intervals of conf.type.
SELECT transform, round(survival::numeric, 10) AS survival, round(std_error::numeric, 10) AS std_error, round(lower::numeric, 10) AS lower,
       round(upper::numeric, 10) AS upper
FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x,
     unnest(ARRAY['log', 'log-log', 'plain', 'logit', 'arcsine']) AS transform,
     LATERAL ltv.survival_interval(s, 365, 0.95, transform);

-- By default the interval is log-log at 95 %; a lower level is narrower.
SELECT round(a.lower::numeric, 10) AS lower_95, round(b.lower::numeric, 10) AS lower_80
FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x, LATERAL ltv.survival_interval(s, 365) AS a,
    LATERAL ltv.survival_interval(s, 365, level => 0.8) AS b;

-- By sex: medians 270 and 426; restricted means 241.4950852 and 297.4654095 (survRM2).
SELECT sex, ltv.median(s), round(ltv.rmst(s, 365)::numeric, 7) AS rmst, round(ltv.survival_at(s, 100)::numeric, 10) AS s100,
       round(ltv.cumulative_hazard_at(s, 100)::numeric, 10) AS h100
FROM (SELECT sex, ltv.survival_agg(time, event) AS s FROM lung GROUP BY sex) AS x ORDER BY sex;

-- The log-rank family on lung by sex: 10.32674195, 12.472135, 12.455544, 12.707848, FH(1,0) 12.7141514.
SELECT weights, round(chi_squared::numeric, 7) AS chi_squared, df, round(p_value::numeric, 10) AS p_value
FROM (SELECT array_agg(s) AS curves FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung GROUP BY sex) AS x) AS y,
     unnest(ARRAY['log-rank', 'wilcoxon', 'tarone-ware', 'peto', 'fleming-harrington']) AS weights,
     LATERAL ltv.log_rank(curves, weights);

-- FH(0,1) 3.459984, FH(1,1) 7.664783, FH(.5,.5) 8.768604.
SELECT p, q, round(chi_squared::numeric, 6) AS chi_squared
FROM (SELECT array_agg(s) AS curves FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung GROUP BY sex) AS x) AS y,
     (VALUES (0.0, 1.0), (1, 1), (0.5, 0.5)) AS f (p, q),
     LATERAL ltv.log_rank(curves, 'fleming-harrington', p, q);

-- More than two groups, and textbook samples: ovarian 1.062739861, veteran 25.40370035 on 3, aml 3.396388699, larynx 22.76275706 on 3,
-- leukemia 16.792941 and Wilcoxon 13.457852, rossi by race 0.5761017137.
SELECT sample, round(chi_squared::numeric, 8) AS chi_squared, df, round(p_value::numeric, 8) AS p_value
FROM (
    SELECT 'ovarian' AS sample, array_agg(s) AS curves FROM (SELECT ltv.survival_agg(futime, fustat) AS s FROM ovarian GROUP BY rx) AS x
    UNION ALL SELECT 'veteran', array_agg(s) FROM (SELECT ltv.survival_agg(time, status) AS s FROM veteran GROUP BY celltype) AS x
    UNION ALL SELECT 'aml', array_agg(s) FROM (SELECT ltv.survival_agg(time, status) AS s FROM aml GROUP BY x) AS x
    UNION ALL SELECT 'larynx', array_agg(s) FROM (SELECT ltv.survival_agg(time, delta) AS s FROM larynx GROUP BY stage) AS x
    UNION ALL SELECT 'leukemia', array_agg(s) FROM (SELECT ltv.survival_agg(time, cens) AS s FROM gehan GROUP BY treat) AS x
    UNION ALL SELECT 'rossi', array_agg(s) FROM (SELECT ltv.survival_agg(week, arrest) AS s FROM rossi GROUP BY race) AS x
) AS y, LATERAL ltv.log_rank(curves);
SELECT round(chi_squared::numeric, 6) AS wilcoxon
FROM (SELECT array_agg(s) AS curves FROM (SELECT ltv.survival_agg(time, cens) AS s FROM gehan GROUP BY treat) AS x) AS y,
    LATERAL ltv.log_rank(curves, weights => 'wilcoxon');

-- Six by hand, lifelines' small case: 0.254237 (p .614107); with two censored 0.384615 (p .535143).
SELECT round(chi_squared::numeric, 6) AS chi_squared, round(p_value::numeric, 6) AS p_value
FROM (SELECT array_agg(s) AS curves FROM (SELECT ltv.survival_agg(d, true) AS s
    FROM (VALUES (10.0, 1), (20, 1), (30, 1), (10, 0), (20, 0), (50, 0)) AS v (d, g) GROUP BY g) AS x) AS y, LATERAL ltv.log_rank(curves);
SELECT round(chi_squared::numeric, 6) AS chi_squared, round(p_value::numeric, 6) AS p_value
FROM (SELECT array_agg(s) AS curves FROM (SELECT ltv.survival_agg(d, e) AS s
    FROM (VALUES (10.0, 1, 1), (20, 0, 1), (30, 1, 1), (10, 1, 0), (20, 0, 0), (50, 1, 0)) AS v (d, e, g) GROUP BY g) AS x) AS y, LATERAL ltv.log_rank(curves);

-- The whole life table of aml's maintained group; the cumulative hazard at 31 is 0.6587662338.
SELECT t, at_risk, events, censored, entered, round(survival::numeric, 10) AS survival, round(std_error::numeric, 10) AS std_error,
       round(lower::numeric, 10) AS lower, round(upper::numeric, 10) AS upper, round(cumulative_hazard::numeric, 10) AS cumulative_hazard
FROM (SELECT ltv.survival_agg(time, status) AS s FROM aml WHERE x = 'Maintained') AS y, LATERAL ltv.curve(s);

-- At chosen times, in any order and twice: counts are those since the time before. Beyond the observed time nothing is known.
SELECT t, at_risk, events, censored, entered, round(survival::numeric, 10) AS survival, round(upper::numeric, 10) AS upper
FROM (SELECT ltv.survival_agg(time, status) AS s FROM aml WHERE x = 'Maintained') AS y, LATERAL ltv.curve(s, ARRAY[31, 0, 31, 161, 500], transform => 'plain');
SELECT count(*) AS no_times_no_rows FROM (SELECT ltv.survival_agg(time, status) AS s FROM aml) AS y, LATERAL ltv.curve(s, '{}');

-- Delayed entry, Stanford heart after transplant: S(100) = 0.4678754215, se 0.0801620760, median 90.
SELECT ltv.subjects(s), ltv.events(s), round(i.survival::numeric, 10) AS survival, round(i.std_error::numeric, 10) AS std_error, ltv.median(s)
FROM (SELECT ltv.survival_agg(start, stop, event = 1) AS s FROM heart WHERE transplant = 1) AS x, LATERAL ltv.survival_interval(s, 100) AS i;
-- Ignoring the entry is visibly another answer.
SELECT round(ltv.survival_at(ltv.survival_agg(stop, event), 100)::numeric, 10) AS ignoring_entry FROM heart WHERE transplant = 1;
-- Entered at t is not yet at risk at t; at risk are 80, 52, 42, 28 and 16 at R's times.
SELECT t, at_risk, entered, round(survival::numeric, 10) AS survival, round(std_error::numeric, 10) AS std_error
FROM (SELECT ltv.survival_agg(start, stop, event, 1) AS s FROM heart) AS x, LATERAL ltv.curve(s, ARRAY[30, 90, 180, 365, 730]);
SELECT t, at_risk, events, entered, survival
FROM (SELECT ltv.survival_agg(entry, duration, event) AS s FROM (VALUES (0.0, 2.0, true), (2, 3, true), (1, 4, false)) AS v (entry, duration,
    event)) AS x, LATERAL ltv.curve(s);
-- Delayed entry is honoured by the log-rank test too: the groups at risk are those of the risk table.
SELECT round(chi_squared::numeric, 8) AS chi_squared, df
FROM (SELECT array_agg(s) AS curves FROM (SELECT ltv.survival_agg(start, stop, event = 1) AS s FROM heart GROUP BY transplant) AS x) AS y,
    LATERAL ltv.log_rank(curves);

-- Weights: twice the sample has the same curve and 1/sqrt(2) of the error (0.0253311375); fractional ones are R's robust 0.4257908689, 0.0367966343.
SELECT ltv.subjects(s), round(i.survival::numeric, 10) AS survival, round(i.std_error::numeric, 10) AS std_error
FROM (SELECT ltv.survival_agg(time, event = 1, 2) AS s FROM lung) AS x, LATERAL ltv.survival_interval(s, 365) AS i;
SELECT round(i.survival::numeric, 10) AS survival, round(i.std_error::numeric, 10) AS std_error
FROM (SELECT ltv.survival_agg(time, event, ph_karno / 100.0) AS s FROM lung) AS x, LATERAL ltv.survival_interval(s, 365) AS i;

-- Heavy ties and durations of 0, 7,043 contracts: 24-month survival and the test between plans (2352.8725383 on 2).
SELECT contract, ltv.subjects(s), ltv.events(s), ltv.median(s), round(ltv.survival_at(s, 24)::numeric, 10) AS s24, round(ltv.rmst(s, 72)::numeric, 7) AS rmst
FROM (SELECT contract, ltv.survival_agg(tenure, churn = 'Yes') AS s FROM telco GROUP BY contract) AS x ORDER BY contract;
SELECT round(chi_squared::numeric, 7) AS chi_squared, df, p_value
FROM (SELECT array_agg(s) AS curves FROM (SELECT ltv.survival_agg(tenure, churn_event) AS s FROM telco GROUP BY contract) AS x) AS y,
    LATERAL ltv.log_rank(curves);

-- All forms of the aggregate say the same.
SELECT count(DISTINCT s::text) AS one_answer
FROM (
    SELECT ltv.survival_agg(tenure, churn = 'Yes') AS s FROM telco
    UNION ALL SELECT ltv.survival_agg(tenure, churn_event) FROM telco
    UNION ALL SELECT ltv.survival_agg(tenure, churn = 'Yes', 1) FROM telco
    UNION ALL SELECT ltv.survival_agg(tenure, churn_event, 1) FROM telco
    UNION ALL SELECT ltv.survival_agg(0, tenure, churn = 'Yes') FROM telco
    UNION ALL SELECT ltv.survival_agg(0, tenure, churn = 'Yes', 1) FROM telco
    UNION ALL SELECT ltv.survival_agg(0, tenure, churn_event, 1) FROM telco
) AS forms;

-- Those who lasted: conditional(s, 180) starts a new clock; R: S(365)/S(180) = 0.5670753.
SELECT round(ltv.survival_at(c, 185)::numeric, 10) AS conditional, round((ltv.survival_at(s, 365) / ltv.survival_at(s, 180))::numeric, 10) AS ratio,
       round(ltv.renewal_probability(s, 180, 365)::numeric, 10) AS renewal, ltv.subjects(c) AS still_there, ltv.median(c)
FROM (SELECT s, ltv.conditional(s, 180) AS c FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x) AS y;
-- Delayed entries of later go along; those of before do not count twice.
SELECT given, abs(ltv.renewal_probability(s, given, 900) - ltv.survival_at(ltv.conditional(s, given), 900 - given)) < 1e-14 AS same
FROM (SELECT ltv.survival_agg(start, stop, event = 1) AS s FROM heart) AS x, unnest(ARRAY[0, 0.5, 20, 100, 899]) AS given;
-- Out of reach, and nobody left.
SELECT ltv.renewal_probability(s, 10, 10) AS nothing_can_happen, ltv.renewal_probability(s, 0, 2000) AS beyond,
       ltv.renewal_probability(s, 1022, 1023) AS at_the_end, ltv.conditional(s, 1022) AS after_the_end
FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x;

-- A summary of summaries is that of all rows: the same bytes, however they were split, and with one-sided and empty parts.
SELECT ltv.rollup(part)::text = (SELECT ltv.survival_agg(time, event)::text FROM lung) AS same
       FROM (SELECT inst % 7 AS g, ltv.survival_agg(time, event) AS part FROM lung GROUP BY g) AS parts;
SELECT ltv.rollup(part)::text = (SELECT ltv.survival_agg(start, stop, event = 1)::text FROM heart) AS same
       FROM (SELECT id % 7 AS g, ltv.survival_agg(start, stop, event = 1) AS part FROM heart GROUP BY g) AS parts;
SELECT ltv.rollup(part)::text = (SELECT ltv.survival_agg(time, event)::text FROM lung) AS same
FROM (SELECT ltv.survival_agg(time, event) AS part FROM lung UNION ALL VALUES (NULL::ltv.survival) UNION ALL SELECT ltv.survival_agg(time, event)
    FROM lung WHERE false) AS parts;
SELECT ltv.rollup(s) IS NULL AS nothing FROM (VALUES (NULL::ltv.survival)) AS v (s);
-- The order of the rows does not matter.
SELECT (SELECT ltv.survival_agg(time, event ORDER BY time) FROM lung)::text = (SELECT ltv.survival_agg(time, event ORDER BY age DESC, time DESC)
       FROM lung)::text AS same;

-- Groups of every size, of whole and other times, with NULLs among them: as the weighted form, and as their rows one by one.
SELECT count(*) AS groups, count(*) FILTER (WHERE plain::text <> weighted::text) AS weighted_differ,
       count(*) FILTER (WHERE plain::text <> singly) AS singly_differ
FROM (
    SELECT n, ltv.survival_agg(d, e) AS plain, ltv.survival_agg(d, e, 1) AS weighted
    FROM generate_series(1, 200) AS n,
        LATERAL (SELECT CASE WHEN k % 13 = 5 THEN NULL WHEN n % 3 = 0 THEN k % 7 WHEN n % 3 = 1 THEN sqrt(k) ELSE k * k % 1000 / 4.0 END AS d,
        k % 2 = 0 AS e FROM generate_series(1, n) AS k) AS rows GROUP BY n
) AS x, LATERAL (
    SELECT ltv.rollup(s)::text AS singly
        FROM (SELECT ltv.survival_agg(CASE WHEN k % 13 = 5 THEN NULL WHEN n % 3 = 0 THEN k % 7 WHEN n % 3 = 1 THEN sqrt(k) ELSE k * k % 1000 / 4.0 END, k % 2 = 0) AS s FROM generate_series(1, n) AS k GROUP BY k) AS rows) AS y;

-- FILTER, DISTINCT, GROUPING SETS and window frames are PostgreSQL's own.
SELECT sex, grouping(sex) AS total, ltv.subjects(ltv.survival_agg(time, event)) AS subjects,
       ltv.events(ltv.survival_agg(time, event) FILTER (WHERE age >= 60)) AS older_events, ltv.median(ltv.survival_agg(time, event)) AS median
FROM lung GROUP BY GROUPING SETS ((sex), ()) ORDER BY sex NULLS LAST;
SELECT ltv.subjects(ltv.survival_agg(DISTINCT time, event)) AS distinct_rows,
       (SELECT count(*) FROM (SELECT DISTINCT time, event FROM lung) AS d) AS counted FROM lung;
SELECT time, ltv.subjects(ltv.survival_agg(time, status) OVER w) AS so_far, ltv.events(ltv.survival_agg(time, status) OVER w) AS events,
       ltv.subjects(ltv.survival_agg(time, status) OVER (ORDER BY time ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)) AS framed
FROM aml WHERE x = 'Maintained' WINDOW w AS (ORDER BY time ROWS UNBOUNDED PRECEDING) ORDER BY time;

-- Rows with a NULL are left out and counted; nothing but such rows is an empty cohort, no row at all is NULL.
SELECT ltv.subjects(s), ltv.events(s), ltv.skipped(s) FROM (SELECT ltv.survival_agg(d, e) AS s
       FROM (VALUES (1.0, true), (NULL, true), (2, NULL), (NULL, NULL), (3, false)) AS v (d, e)) AS x;
SELECT ltv.skipped(s) FROM (SELECT ltv.survival_agg(n, d, e, w) AS s FROM (VALUES (NULL::float8, 2.0, 1, 1.0), (1, 2, 1, NULL), (1, 2, 0, 1)) AS v (n,
       d, e, w)) AS x;
SELECT ltv.subjects(s) AS subjects, ltv.events(s) AS events, ltv.censored(s) AS censored, ltv.skipped(s) AS skipped, ltv.median(s) AS median,
       ltv.max_followup(s) AS max_followup, ltv.survival_at(s, 0) AS s0, ltv.rmst(s, 1) AS rmst, ltv.conditional(s, 0) AS conditional
FROM (SELECT ltv.survival_agg(NULL::float8, true) AS s FROM lung) AS x;
SELECT ltv.survival_agg(time, event) IS NULL AS no_rows FROM lung WHERE sex = 3;
SELECT (SELECT count(*) FROM ltv.curve(NULL)) AS curve, ltv.median(NULL) AS median, ltv.survival_at(NULL, 1) AS survival_at,
       ltv.rmst(NULL, 1) AS rmst, ltv.survival_interval(NULL, 1) AS survival_interval;

-- One row, with and without the event; all censored; events at 0.
SELECT name, ltv.subjects(s), ltv.events(s), ltv.survival_at(s, 0) AS s0, ltv.survival_at(s, 5) AS s5, ltv.survival_at(s, 6) AS s6, ltv.median(s),
       ltv.rmst(s, 5) AS rmst5, ltv.rmst(s, 6) AS rmst6, i.std_error, i.lower, i.upper
FROM (
    SELECT 'one event' AS name, ltv.survival_agg(d, e) AS s FROM (VALUES (5.0, true)) AS v (d, e)
    UNION ALL SELECT 'one censored', ltv.survival_agg(d, e) FROM (VALUES (5.0, false)) AS v (d, e)
    UNION ALL SELECT 'all censored', ltv.survival_agg(d, e) FROM (VALUES (5.0, false), (3, false)) AS v (d, e)
    UNION ALL SELECT 'event at 0', ltv.survival_agg(d, e) FROM (VALUES (0.0, true), (5, false)) AS v (d, e)
    UNION ALL SELECT 'all at 0', ltv.survival_agg(d, e) FROM (VALUES (0.0, true), (0, true)) AS v (d, e)
    UNION ALL SELECT 'minus 0', ltv.survival_agg(d, e) FROM (VALUES ('-0'::float8, false), (0, true)) AS v (d, e)
) AS x, LATERAL ltv.survival_interval(s, 5) AS i ORDER BY name;
-- Where the curve is flat at exactly one half the median is the middle of the flat stretch, as in R.
SELECT ltv.median(ltv.survival_agg(d, true)) FROM (VALUES (1.0), (2), (4), (5)) AS v (d);
-- Nothing to compare: one group, all censored, no overlap.
SELECT * FROM ltv.log_rank(ARRAY[(SELECT ltv.survival_agg(time, event) FROM lung)]);
SELECT * FROM ltv.log_rank(ARRAY[(SELECT ltv.survival_agg(time, false) FROM lung), (SELECT ltv.survival_agg(time, 0) FROM lung)]);
SELECT * FROM ltv.log_rank('{}'::ltv.survival[]);
-- NULL curves are left out.
SELECT round(chi_squared::numeric, 7) AS chi_squared, df FROM (SELECT array_agg(s) || NULL::ltv.survival AS curves
       FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung GROUP BY sex) AS x) AS y, LATERAL ltv.log_rank(curves);
SELECT * FROM ltv.log_rank(NULL::ltv.survival[]);

-- The text form: JSON, and the way back to the same value.
SELECT ltv.survival_agg(d, e) FROM (VALUES (1.5, true), (0.1, false), (0.1, true), (NULL, true)) AS v (d, e);
SELECT s::text::ltv.survival::text = s::text AS same FROM (SELECT ltv.survival_agg(start, stop, event, age + 20) AS s FROM heart WHERE age > -20) AS x;

-- A picture: SVG text with a line and a band per curve, its labels escaped, NULL curves left out.
SELECT svg LIKE '<svg %' AND svg LIKE '%</svg>%' AS is_svg, svg LIKE '%&lt;1 &amp; 2&gt;%' AS escaped, svg LIKE '%<1 & 2>%' AS raw,
       svg LIKE '%women%' AS labelled, svg LIKE '%Survival of lung%' AS titled, svg LIKE '%weeks%' AS unit, svg ~* 'nan|inf[^o]' AS odd,
       length(svg) > 1000 AS drawn
FROM (SELECT ltv.plot_curve(array_agg(s ORDER BY sex) || NULL::ltv.survival, ARRAY['<1 & 2>', 'women'], 'Survival of lung', unit => 'weeks') AS svg
    FROM (SELECT sex, ltv.survival_agg(time / 7.0, event) AS s FROM lung GROUP BY sex) AS x) AS y;
SELECT ltv.plot_curve(ARRAY[s]) = ltv.plot_curve(ARRAY[s]) AS always_the_same FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x;
SELECT ltv.plot_curve(ARRAY[s], level => 1) FROM (SELECT ltv.survival_agg(time, event) AS s FROM lung) AS x;
SELECT ltv.plot_curve(NULL) IS NULL AS nothing;
