-- Profiles, distances between them, and drift of a model's inputs, predictions and outcomes.
\set ECHO none
\ir ../datasets.sql
ALTER TABLE telco ADD churned boolean GENERATED ALWAYS AS (churn_event = 1) STORED, ADD held_out boolean GENERATED ALWAYS AS (md5(customer_id) < '3333') STORED;
\set ECHO all

-- A profile is the same for any order and split, and reads back as it was written.
SELECT s.* FROM (SELECT ltv.profile_agg(i::float8) AS p FROM generate_series(0, 100) AS i) AS q, LATERAL ltv.profile_summary(p) AS s;
SELECT ltv.profile_agg(x) AS p FROM unnest(ARRAY['b', 'a', 'b', NULL]) AS x;
SELECT ltv.profile_agg(x) AS p FROM unnest(ARRAY[1, 'NaN', NULL, 1000.5, 1001, -0.0, '-Infinity']::float8[]) AS x;
SELECT ltv.profile_agg(NULL::text) AS texts, ltv.profile_agg(NULL::float8) AS numbers;
SELECT l.* FROM (SELECT ltv.profile_agg(x) AS p FROM unnest(ARRAY['b', 'a', 'b', NULL]) AS x) AS q, LATERAL ltv.profile_levels(p) AS l;
SELECT bool_and(whole.p::text = parts.p::text) AS any_split, bool_and(whole.p::text::ltv.profile::text = whole.p::text) AS reads_back
FROM (SELECT ltv.profile_agg(total_charges::float8) AS p FROM telco) AS whole,
     (SELECT ltv.rollup(p) AS p FROM (SELECT contract, ltv.profile_agg(total_charges::float8 ORDER BY customer_id DESC) AS p FROM telco GROUP BY contract) AS q) AS parts;
SELECT max(abs(ltv.profile_quantile(q.p, x) / exact - 1)) < 1.0 / 128 AS quantiles, max(abs(ltv.profile_rank(q.p, exact) - x)) < 0.005 AS ranks
FROM (SELECT ltv.profile_agg(total_charges::float8) AS p FROM telco) AS q, generate_series(0.05, 0.95, 0.05) AS x,
     LATERAL (SELECT percentile_cont(x) WITHIN GROUP (ORDER BY total_charges) AS exact FROM telco) AS e;
SELECT '{"kind":"numbers","version":1,"dropped_bits":45,"count":[1],"least":[2],"greatest":[1],"nulls":0}'::ltv.profile;
SELECT '{"kind":"texts","version":1,"count":[1,1],"level":["b","a"],"nulls":0}'::ltv.profile;
SELECT '{"kind":"texts","version":2,"count":[],"level":[],"nulls":0}'::ltv.profile;
SELECT ltv.rollup(p) FROM (SELECT ltv.profile_agg(1::float8) UNION ALL SELECT ltv.profile_agg('a'::text)) AS q (p);
SELECT ltv.profile_quantile(ltv.profile_agg(1::float8), 2);

-- Distances by hand: a share of 0.6, 0.4 becomes 0.3, 0.6, 0.1 of a level never seen.
SELECT d.metric, round(d.value::numeric, 6) AS value, round(d.chance::numeric, 6) AS chance
FROM (SELECT ltv.profile_agg(CASE WHEN i <= 60 THEN 'a' ELSE 'b' END) AS base, ltv.profile_agg(CASE WHEN i <= 30 THEN 'a' WHEN i <= 90 THEN 'b' ELSE 'c' END) AS now FROM generate_series(1, 100) AS i) AS q,
     LATERAL ltv.profile_distance(base, now) AS d;
SELECT round((-0.3 * ln(0.5) + 0.2 * ln(1.5) + 0.095 * ln(20))::numeric, 6) AS psi;
-- Numbers: Kolmogorov-Smirnov and Wasserstein as SQL finds them on the raw rows.
WITH x AS (SELECT tenure::float8 AS v, 1.0 / count(*) OVER () AS w FROM telco WHERE contract = 'One year' UNION ALL SELECT tenure, -1.0 / count(*) OVER () FROM telco WHERE contract <> 'One year'),
     f AS (SELECT v, sum(sum(w)) OVER (ORDER BY v) AS d, lead(v) OVER (ORDER BY v) - v AS gap FROM x GROUP BY v),
     p AS (SELECT ltv.profile_agg(tenure::float8) FILTER (WHERE contract = 'One year') AS base, ltv.profile_agg(tenure::float8) FILTER (WHERE contract <> 'One year') AS now FROM telco)
SELECT d.metric, abs(d.value - CASE d.metric WHEN 'kolmogorov_smirnov' THEN (SELECT max(abs(d)) FROM f) ELSE (SELECT sum(abs(d) * gap) FROM f) / (SELECT stddev_samp(tenure) FROM telco WHERE contract = 'One year') END) < 1e-12 AS exact
FROM p, LATERAL ltv.profile_distance(base, now) AS d WHERE d.metric IN ('kolmogorov_smirnov', 'wasserstein') ORDER BY 1;
SELECT * FROM ltv.profile_distance(ltv.profile_in('{"kind":"texts","version":1,"count":[],"level":[],"nulls":2}'), ltv.profile_in('{"kind":"texts","version":1,"count":[],"level":[],"nulls":3}'));

-- R: poisson.test(10)$conf.int, poisson.test(0)$conf.int.
SELECT round(lower::numeric, 10) AS lower, round(upper::numeric, 10) AS upper FROM unnest(ARRAY[10, 0]::float8[]) AS n, LATERAL ltv.poisson_interval(n);
SELECT * FROM ltv.poisson_interval(-1);

-- A model on data like its own: nothing.
SELECT DISTINCT model FROM ltv.train('churn', 'telco', 'cox', duration => 'tenure', event => 'churned', features => ARRAY['contract', 'payment_method', 'monthly_charges'], holdout => '{"by": "held_out"}', horizon => 12);
CREATE VIEW held_out AS SELECT * FROM telco WHERE held_out;
SELECT segment, input, metric, value < 0.1 AS small, threshold, is_anomaly, n_base, n_now FROM ltv.drift('churn', 'held_out') WHERE metric <> 'observed_expected' ORDER BY input, metric;
SELECT input, metric, round(value::numeric, 4) AS value, is_anomaly, n_base, n_now, detail FROM ltv.drift('churn', 'telco') WHERE metric = 'observed_expected';
-- The expected events are the sum of the cumulative hazards.
SELECT round(sum(-ln(ltv.renewal_probability('churn', t, tenure)))::numeric, 1) AS expected, sum(churn_event) AS observed FROM telco AS t WHERE tenure > 0;

-- Of a curve of steps, where many go at once, they are the events of the training rows all the same.
CREATE TABLE periods AS SELECT i % 2 AS x, CASE WHEN i % 8 < 4 THEN 1 WHEN i % 8 < 6 THEN 2 ELSE 3 END AS t, i % 8 < 7 AS e FROM generate_series(1, 800) AS i;
SELECT DISTINCT model FROM ltv.train('steps', 'periods', 'discrete_time', duration => 't', event => 'e', features => ARRAY['x'], horizon => 1);
SELECT input, round(value::numeric, 6) AS value, is_anomaly, detail FROM ltv.drift('steps', 'periods') WHERE metric = 'observed_expected';
SELECT ltv.expected_events('steps', p, 0) AS not_watched, ltv.expected_events('steps', p, 2, 2) AS empty, round(ltv.expected_events('steps', p, 3, 2)::numeric, 4) AS third FROM periods AS p WHERE x = 1 LIMIT 1;
-- Durations that are no whole periods count as training counted them: rounded up by discrete_time, by sbg and bdw those who stayed rounded down.
CREATE TABLE parts AS SELECT i, i % 3 AS x, 0.37 * (i % 89) AS t, CASE WHEN i % 4 = 0 AND i % 89 > 20 THEN 5 ELSE 0 END AS entered, i % 5 < 2 AND i % 89 > 0 AS e, nullif(i % 7, 0) AS seldom FROM generate_series(1, 2000) AS i;
SELECT DISTINCT model FROM ltv.train('quarters', 'parts', 'discrete_time', duration => 't', event => 'e', entry => 'entered', features => ARRAY['x'], horizon => 12, options => '{"period": 3}');
SELECT DISTINCT model FROM ltv.train('geometric', 'parts', 'sbg', duration => 't', event => 'e', horizon => 12, options => '{"period": 6}');
SELECT DISTINCT model FROM ltv.train('weibull', 'parts', 'bdw', duration => 't', event => 'e', horizon => 12, options => '{"period": 6}');
SELECT m.name, d.segment, round(d.value::numeric, 4) AS value, d.is_anomaly, d.detail FROM unnest(ARRAY['quarters', 'geometric', 'weibull']) AS m (name), LATERAL ltv.drift(m.name, 'parts') AS d WHERE d.metric = 'observed_expected' ORDER BY 1;
-- Of quarters rounded up a part of one is a whole one; of renewals who left in the second half-year did not make the second renewal, and who stayed made the first.
SELECT ltv.expected_events('quarters', p, 3.1) = ltv.expected_events('quarters', p, 6) AS up, ltv.expected_events('quarters', p, 0, 0, true) = ltv.expected_events('quarters', p, 3) AS at_the_start,
       ltv.expected_events('geometric', p, 11, 0, true) = ltv.expected_events('geometric', p, 12) AS left_early, ltv.expected_events('geometric', p, 11) = ltv.expected_events('geometric', p, 6) AS stayed,
       ltv.expected_events('geometric', p, 5) AS seen_at_none
FROM parts AS p WHERE i = 1;
-- Rows that training dropped for a NULL are part of what it was offered: no drift on these very rows.
SELECT DISTINCT n_dropped FROM ltv.train('lacking', 'parts', 'cox', duration => 't', event => 'e', features => ARRAY['x', 'seldom'], horizon => 12, null_policy => 'drop');
SELECT input, metric, value, threshold, n_base, n_now FROM ltv.drift('lacking', 'parts') WHERE metric = 'null_rate' ORDER BY input;
SELECT check_name, is_due FROM ltv.retrain_due('lacking', 'parts') ORDER BY 1;
SELECT input, s.nulls, s.n FROM ltv.model_profiles AS p, LATERAL ltv.profile_summary(p.profile) AS s WHERE p.model = 'lacking' ORDER BY 1;

-- Renewal decisions: the rows not renewed against the sum of their probabilities, and in each segment.
CREATE TABLE decisions AS SELECT i, i % 4 AS x, (i * 7919) % 101 < 55 + 8 * (i % 4) AS renewed, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN 'EU' ELSE 'US' END AS region, 100.0 * (1 + i % 4) + (i * 7919) % 101 AS spent FROM generate_series(1, 1200) AS i;
SELECT DISTINCT model, n_events FROM ltv.train('renewals', 'decisions', 'renewal', event => 'renewed', features => ARRAY['x']);
SELECT segment, input, round(value::numeric, 4) AS value, is_anomaly, n_base, n_now, detail, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper FROM ltv.drift('renewals', 'decisions') WHERE metric = 'observed_expected';
SELECT round(count(*) FILTER (WHERE NOT renewed) / sum(1 - ltv.renewal_probability('renewals', d, 12))::numeric, 4) AS value,
       round(min((ltv.poisson_interval(g.n, 0.99)).lower)::numeric / sum(1 - ltv.renewal_probability('renewals', d, 12))::numeric, 4) AS lower
FROM decisions AS d CROSS JOIN (SELECT count(*) FILTER (WHERE NOT renewed)::float8 AS n FROM decisions) AS g;
SELECT segment, round(value::numeric, 4) AS value, n_now, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper FROM ltv.drift('renewals', 'decisions', by => 'region') WHERE metric = 'observed_expected' ORDER BY 1;
CREATE VIEW fewer_renewed AS SELECT i, x, renewed AND i % 5 < 2 AS renewed, region FROM decisions;
SELECT segment, round(value::numeric, 4) AS value, is_anomaly, detail FROM ltv.drift('renewals', 'fewer_renewed') WHERE metric = 'observed_expected';
SELECT check_name, is_due, CASE WHEN check_name <> 'age' THEN detail END AS detail FROM ltv.retrain_due('renewals', 'fewer_renewed', by => 'region') ORDER BY 1;
-- Amounts: the sum against the sum expected.
SELECT DISTINCT model FROM ltv.train('spending', 'decisions', 'linear', target => 'spent', features => ARRAY['x']);
SELECT segment, input, round(value::numeric, 6) AS value, is_anomaly, n_base, n_now, detail, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper FROM ltv.drift('spending', 'decisions') WHERE metric = 'observed_expected';
SELECT round((1 - 2.5758293035489 * sqrt(count(*)) * stddev_samp(spent - ltv.expected_value('spending', d)) / sum(ltv.expected_value('spending', d)))::numeric, 4) AS lower FROM decisions AS d;
CREATE VIEW half_spent AS SELECT i, x, spent / 2 AS spent FROM decisions;
SELECT check_name, is_due, CASE WHEN check_name <> 'age' THEN detail END AS detail FROM ltv.retrain_due('spending', 'half_spent') ORDER BY 1;

-- A source without rows is told.
CREATE VIEW no_rows AS SELECT * FROM periods WHERE false;
SELECT check_name, is_due, CASE WHEN check_name <> 'age' THEN detail END AS detail FROM ltv.retrain_due('steps', 'no_rows');
-- Columns may have any name, also those that the queries use themselves.
CREATE TABLE named AS SELECT row_number() OVER () AS "Id", t AS "T", e AS "select", x AS q, x + i AS s, i AS place, 1 - x AS value, 'l' || x AS "A b" FROM periods, generate_series(1, 2) AS i;
SELECT DISTINCT model FROM ltv.train('named', 'named', 'cox', duration => 'T', event => 'select', features => ARRAY['q', 'place'], horizon => 1);
SELECT count(*) AS anomalies FROM ltv.drift('named', 'named') WHERE is_anomaly;
SELECT count(p_event) AS scored FROM ltv.score('named', 'named', 'Id', horizon => 1);
SELECT count(*) AS features FROM ltv.importance('named', 'named', horizon => 1, repeats => 1);
SELECT count(n) AS values FROM ltv.partial_dependence('named', 'named', 'q', horizon => 1);
SELECT segment, level, n, round(value::numeric, 3) AS value FROM ltv.segment_profile('named', 'place', ARRAY['A b']);

-- Numbers far from zero are told apart.
SELECT d.metric, round(d.value::numeric, 4) AS value, round(d.chance::numeric, 4) AS chance
FROM (SELECT ltv.profile_agg((2016 + i % 8)::float8) AS base, ltv.profile_agg((2017 + i % 7)::float8) AS now FROM generate_series(1, 5600) AS i) AS q, LATERAL ltv.profile_distance(base, now) AS d;

-- Other data: prices up, a plan that training never had, a method that is missing, and more churn.
CREATE VIEW later AS SELECT customer_id, senior_citizen, tenure, churned OR customer_id < '2' AS churned, CASE WHEN customer_id < '1' THEN 'Five year' ELSE contract END AS contract,
    nullif(payment_method, 'Mailed check') AS payment_method, monthly_charges * 1.3 AS monthly_charges FROM telco;
SELECT input, metric, round(value::numeric, 4) AS value, threshold, n_base, n_now, detail FROM ltv.drift('churn', 'later') WHERE is_anomaly ORDER BY input, metric;
SELECT segment, count(*) AS anomalies, string_agg(DISTINCT input, ', ') AS inputs FROM ltv.drift('churn', 'later', '{"psi": 9, "jensen_shannon": 1}', 'senior_citizen') WHERE is_anomaly GROUP BY 1 ORDER BY 1;
-- Few rows say little: the threshold is what chance alone would exceed.
CREATE VIEW handful AS SELECT * FROM telco ORDER BY md5(customer_id) LIMIT 20;
SELECT metric, threshold > 0.25 AS wide, is_anomaly FROM ltv.drift('churn', 'handful') WHERE input = 'monthly_charges' AND metric IN ('psi', 'kolmogorov_smirnov') ORDER BY 1;

SELECT check_name, is_due, CASE WHEN check_name <> 'age' THEN detail END AS detail FROM ltv.retrain_due('churn', 'later', thresholds => '{"psi": 9, "jensen_shannon": 1}');
SELECT check_name, is_due FROM ltv.retrain_due('churn', 'held_out');
SELECT check_name, is_due FROM ltv.retrain_due('churn', max_age => '-1 day');
-- Segments: the column that makes them is no input of theirs; too few rows are not told of, nor a group by which they would be known.
CREATE TABLE grouped AS SELECT t.*, CASE WHEN t.n <= 12 THEN 'tiny' WHEN t.n <= 900 THEN 'some' ELSE 'most' END AS area FROM (SELECT t.*, row_number() OVER (ORDER BY md5(customer_id)) AS n FROM telco t) AS t;
SELECT segment, string_agg(DISTINCT input, ', ' ORDER BY input) AS inputs, count(*) FILTER (WHERE is_anomaly) AS anomalies, max(n_now) FILTER (WHERE metric IS NULL) AS n, max(detail) FILTER (WHERE metric IS NULL) AS why FROM ltv.drift('churn', 'grouped', by => 'area') GROUP BY segment ORDER BY segment;
SELECT segment, count(*) AS told FROM ltv.drift('churn', 'grouped', by => 'area', min_rows => 0) GROUP BY segment ORDER BY segment;
SELECT segment, bool_or(input = 'contract') AS itself, count(*) > 0 AS told FROM ltv.drift('churn', 'telco', by => 'contract') GROUP BY segment ORDER BY segment;
SELECT check_name, is_due, detail FROM ltv.retrain_due('churn', 'grouped', by => 'area', min_rows => 100000) WHERE check_name <> 'age' ORDER BY check_name;
SELECT check_name, is_due FROM ltv.retrain_due('churn', 'grouped', by => 'area') WHERE check_name <> 'age' ORDER BY check_name;

-- What is refused.
SELECT * FROM ltv.drift('churn', 'telco', '{"psy": 1}');
SELECT * FROM ltv.drift('churn', 'telco', '{"psi": "1"}');
SELECT * FROM ltv.drift('churn', 'telco', '{"psi": -1}');
SELECT * FROM ltv.drift('churn', 'telco', '{"observed_expected": 0.5}');
SELECT * FROM ltv.drift('churn', 'telco', '[]');
SELECT * FROM ltv.drift('churn', 'aml');
SELECT * FROM ltv.drift('churn', NULL);
UPDATE ltv.model_versions SET profiles = '[]';
SELECT * FROM ltv.drift('churn', 'telco');
