-- Contractual cohorts: shifted-beta-geometric and beta-discrete-Weibull. More cases are in tests/golden/contractual.
\set ECHO none
\ir ../datasets.sql
CREATE TABLE fader_hardie (cohort text, year int, n_alive int, n_lost int);
\copy fader_hardie from 'fader_hardie_counts.csv' with (format csv, header)
CREATE FUNCTION dp(n int, x numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT round(x, n)';
CREATE FUNCTION dp(n int, x float8) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT round(x::numeric, n)';
\set ECHO all

-- Fader & Hardie 2007: (.704, 1.182) and (.668, 3.806) from the first seven renewals.
CREATE TABLE m AS
SELECT cohort, ltv.fit_sbg(year, n_alive) AS sbg, ltv.fit_bdw(year, n_alive) AS bdw FROM fader_hardie WHERE year <= 7 GROUP BY cohort ORDER BY cohort;
SELECT cohort, ltv.model_algorithm(model) AS algorithm, term, dp(6, estimate) AS estimate, dp(6, std_error) AS std_error, dp(4, lower) AS lower, dp(4, upper) AS upper
FROM m, unnest(ARRAY[sbg, bdw]) AS model, LATERAL ltv.coefficients(model);
SELECT cohort, ltv.model_algorithm(model) AS algorithm, ltv.model_status(model) AS status, dp(6, f.log_likelihood) AS log_likelihood, f.parameters, dp(3, f.aic) AS aic, dp(3, f.bic) AS bic, f.n_rows, f.n_events
FROM m, unnest(ARRAY[sbg, bdw]) AS model, LATERAL ltv.model_fit(model) AS f (log_likelihood, parameters, aic, bic, n_rows, n_events);
SELECT count(*) AS tests FROM m, LATERAL ltv.model_test(bdw);
-- Fader, Hardie, Liu, Davin & Steenburgh 2018: .259, 1.722, 1.584 from four renewals of the High End.
SELECT term, dp(3, estimate) AS estimate FROM ltv.coefficients((SELECT ltv.fit_bdw(year, n_alive) FROM fader_hardie WHERE cohort = 'high_end' AND year <= 4));

-- The projection beside what came.
SELECT r.period, at_risk, lost, dp(4, observed) AS observed, dp(4, retention) AS retention, dp(4, retention_lower) AS lower, dp(4, retention_upper) AS upper, dp(4, survival) AS survival, dp(4, survival_lower) AS lower, dp(4, survival_upper) AS upper, dp(3, n_alive / 1000.0) AS actual
FROM m, LATERAL ltv.retention_curve(sbg, 12) r JOIN fader_hardie f ON f.cohort = 'high_end' AND f.year = r.period WHERE m.cohort = 'high_end' ORDER BY 1;

-- Of a customer who is there: after four renewals .9212 for the fifth and .8562 for the next two; from the start .5619.
SELECT dp(4, ltv.conditional_renewal_probability(sbg, 4)) AS fifth, dp(4, ltv.conditional_renewal_probability(sbg, 4, 2)) AS next_two, dp(4, ltv.conditional_renewal_probability(sbg, 0, 5)) AS from_the_start,
       dp(4, ltv.renewal_probability(sbg, ROW(), 1, given => 4)) AS by_model, dp(4, ltv.renewal_probability(ltv.predict_curve(sbg, ROW()), 4, 5)) AS by_curve
FROM m WHERE cohort = 'high_end';

-- DERL: 10 % a period. Months are compounded, not multiplied.
SELECT renewals, dp(6, ltv.derl(sbg, renewals, 0.1, 12)) AS derl, dp(6, ltv.expected_lifetime(sbg, renewals, 0.1, 12)) AS discounted_lifetime,
       dp(6, ltv.derl(ltv.with_period(sbg, 12), renewals)) AS of_its_own_period, dp(4, ltv.derl(sbg, renewals, 0.1)) AS if_monthly, ltv.expected_lifetime(sbg, renewals) AS undiscounted
FROM m, generate_series(0, 4) renewals WHERE cohort = 'regular';
SELECT dp(6, ltv.derl(sbg, 0, 0.1, 1)) AS derl, dp(6, (SELECT sum((1.1 ^ (-(j - 1) / 12.0))::float8 * ltv.conditional_renewal_probability(sbg, 0, j)) FROM generate_series(1, 4000) j)) AS by_hand FROM m WHERE cohort = 'regular';
-- A mean that is finite: (alpha + beta - 1) / (alpha - 1).
SELECT dp(6, ltv.expected_lifetime(m)) AS mean, dp(6, (a + b - 1) / (a - 1)) AS closed_form, dp(6, ltv.expected_lifetime(m, 3)) AS later, dp(6, (a + b + 2) / (a - 1)) AS closed_form
FROM (SELECT m, (SELECT estimate FROM ltv.coefficients(m) WHERE term = 'alpha') AS a, (SELECT estimate FROM ltv.coefficients(m) WHERE term = 'beta') AS b
      FROM (SELECT ltv.fit_sbg(year, n_alive) AS m FROM fader_hardie WHERE cohort = 'high_end' AND year <= 4) q) q;

-- One row for each customer, weights, a gathered curve in months, and cohorts of unequal ages: the same counts, the same model.
CREATE TABLE customer AS
SELECT cohort, year AS duration, true AS churned FROM fader_hardie, generate_series(1, n_lost) WHERE year BETWEEN 1 AND 7
UNION ALL SELECT cohort, 7, false FROM fader_hardie, generate_series(1, n_alive) WHERE year = 7;
SELECT by_table = one_by_one AS one_by_one, by_table = by_weight AS by_weight, by_table = of_curve AS of_curve, by_table = ltv.with_period(in_months, 1)::text AS in_months, with_cohort = by_table AS with_cohort
FROM (SELECT ltv.fit_sbg(year, n_alive)::text AS by_table, ltv.fit_sbg('A', year, n_alive)::text AS with_cohort FROM fader_hardie WHERE cohort = 'regular' AND year <= 7) a,
     (SELECT ltv.fit_sbg(duration, churned)::text AS one_by_one, ltv.fit_sbg(ltv.survival_agg(duration, churned))::text AS of_curve, ltv.fit_sbg(ltv.survival_agg(duration * 12, churned), period => 12) AS in_months FROM customer WHERE cohort = 'regular') b,
     (SELECT ltv.fit_sbg(duration, churned, n)::text AS by_weight FROM (SELECT duration, churned, count(*) AS n FROM customer WHERE cohort = 'regular' GROUP BY 1, 2 ORDER BY 1 DESC) q) c;
SELECT ltv.fit_bdw(cohort, year, n_alive)::text = (SELECT ltv.fit_bdw(least(duration, CASE cohort WHEN 'high_end' THEN 4 ELSE 7 END), churned AND (cohort = 'regular' OR duration <= 4))::text FROM customer) AS unequal_ages
FROM fader_hardie WHERE year <= CASE cohort WHEN 'high_end' THEN 4 ELSE 7 END;
SELECT ltv.fit_sbg(ltv.rollup(s))::text = (SELECT ltv.fit_sbg(duration, churned)::text FROM customer) AS rolled_up FROM (SELECT ltv.survival_agg(duration, churned) AS s FROM customer GROUP BY cohort) q;
-- Late entries: seen from the third year on only.
SELECT term, dp(6, estimate) AS estimate, dp(6, std_error) AS std_error
FROM ltv.coefficients((SELECT ltv.fit_sbg(ltv.survival_agg(2, duration, observed = 1)) FROM regimes WHERE democracy = 'Non-democracy' AND duration > 2));

-- It is a model: text, bytes, any row, curve, value.
SELECT sbg::text::ltv.model::text = sbg::text AS text_is_exact, ltv.model_send(ltv.with_period(sbg, 12)) = ltv.model_send(ltv.with_period(sbg, 12)::text::ltv.model) AS bytes_are, ltv.model_features(sbg) AS features FROM m;
SELECT dp(4, p.renewal_probability) AS renewal_probability, dp(4, p.lower) AS lower, dp(4, p.upper) AS upper, p.expected_lifetime, p.linear_predictor, p.status
FROM m, (VALUES (1, 3), (6, 2)) AS q (given, horizon), LATERAL ltv.predict(sbg, ROW('any'), horizon, given) p WHERE cohort = 'regular';
CREATE TABLE c AS SELECT cohort, ltv.predict_curve(ltv.with_period(sbg, 12), ROW()) AS c FROM m;
SELECT cohort, dp(4, ltv.survival_at(c, 11.9)) AS at_11_9, dp(4, ltv.survival_at(c, 12)) AS at_12, dp(4, ltv.survival_at(c, 23.9)) AS at_23_9, dp(4, ltv.survival_at(c, 600)) AS at_600, ltv.max_followup(c), ltv.quantile(c) AS median, dp(6, ltv.rmst(c, 30)) AS rmst,
       ltv.survival_at(ltv.conditional(c, 18), 5.9) AS still, dp(4, ltv.survival_at(ltv.conditional(c, 18), 6)) AS then, c::text::ltv.survival::text = c::text AS text_is_exact FROM c;
SELECT t, dp(4, survival) AS survival, dp(4, lower) AS lower, dp(4, upper) AS upper FROM c, LATERAL ltv.curve(c) WHERE cohort = 'regular';
SELECT * FROM ltv.cash_flows((SELECT c FROM c WHERE cohort = 'regular'), 1200, period_months => 12, billing => 'annual', horizon => 36, given => 12, tail => 'constant-hazard');
SELECT months, v.ltv, dp(4, v.tail_share) AS tail_share, v.lower, v.upper, dp(3, v.expected_lifetime) AS expected_lifetime, v.status, dp(2, 1200 * (SELECT sum(1.1 ^ -j * ltv.conditional_renewal_probability(sbg, 1, j)) FROM generate_series(1, months / 12 - 1) j)::float8 + 1200) AS by_hand
FROM c JOIN m USING (cohort), unnest(ARRAY[36, 240]) AS months, LATERAL ltv.lifetime_value(c, 1200, period_months => 12, billing => 'annual', horizon => months, given => 12, tail => 'constant-hazard') v WHERE cohort = 'regular';
SELECT v.ltv, v.status FROM c, LATERAL ltv.lifetime_value(c, 1200, horizon => 240) v WHERE cohort = 'regular';

-- On the edge: no churn, nobody renews, one renewal, customers who do not differ, those who leave at once or never.
SELECT what, f.*, dp(6, ltv.conditional_renewal_probability(m, 2)) AS third, (SELECT string_agg(c.term || ' ' || coalesce(dp(3, c.estimate)::text, 'none'), ', ') FROM ltv.coefficients(m) c) AS coefficients, (ltv.predict(m, ROW(), 1)).status
FROM (VALUES ('no churn', '{50,50,50}'::int[]), ('nobody', '{50,0}'), ('one renewal', '{50,40}'), ('alike', '{1000,800,640,512}'), ('falling', '{1000,900,700,400}'), ('at once or never', '{1000,600,600,600}'), ('all gone', '{100,40,30,27,0}')) AS q (what, survivors),
     LATERAL (SELECT ltv.fit_sbg((at - 1)::int, n) AS m FROM unnest(survivors) WITH ORDINALITY AS s (n, at)) w, LATERAL (SELECT ltv.model_status(m)) f;
SELECT ltv.model_status(ltv.fit_bdw(period, survivors)) AS bdw FROM (VALUES (0, 50), (1, 40), (2, 35)) AS t (period, survivors);
SELECT ltv.model_status(ltv.fit_sbg(d, churned)) AS between FROM (VALUES (1, true), (2.5, true), (2.5, false), (1, true), (1, true), (4, false), (5, false)) AS t (d, churned);
SELECT count(*) AS rows FROM ltv.retention_curve((SELECT ltv.fit_sbg(period, survivors) FROM (VALUES (0, 50), (1, 50)) AS t (period, survivors)));
-- Nothing gives nothing; rows with a NULL are left out.
SELECT ltv.fit_sbg(NULL::int, 5::bigint) IS NULL AS table_of_nulls, (SELECT ltv.fit_sbg(duration, churned) IS NULL FROM customer WHERE false) AS no_rows, ltv.fit_sbg(NULL::ltv.survival) IS NULL AS no_curve, ltv.derl(NULL, 1) IS NULL AS no_model FROM generate_series(1, 2);
SELECT count(*) AS rows FROM ltv.retention_curve(NULL);

-- What is none.
SELECT ltv.fit_sbg(period, survivors) FROM (VALUES (1, 40), (2, 35)) AS t (period, survivors);
SELECT ltv.fit_sbg(period, survivors) FROM (VALUES (0, 40), (1, 35), (1, 34)) AS t (period, survivors);
SELECT ltv.fit_sbg(cohort, period, survivors) FROM (VALUES ('2024', 0, 40), ('2024', 2, 35)) AS t (cohort, period, survivors);
SELECT ltv.fit_sbg(period, survivors) FROM (VALUES (0, 40), (1, 45)) AS t (period, survivors);
SELECT ltv.fit_sbg(period, survivors) FROM (VALUES (0, 40), (-1, 45)) AS t (period, survivors);
SELECT ltv.fit_sbg(period, survivors) FROM (VALUES (0, -40)) AS t (period, survivors);
SELECT ltv.fit_sbg(period, survivors) FROM (VALUES (2024, 40)) AS t (period, survivors);
SELECT ltv.fit_sbg(period, survivors) FROM (VALUES (20240, 40)) AS t (period, survivors);
-- One row for each customer with churned as a number is a table of survivors, and a bad one.
SELECT ltv.fit_sbg(duration, churned::int) FROM customer;
SELECT ltv.fit_sbg(0, true);
SELECT ltv.fit_sbg(ltv.survival_agg(365 * duration, churned), period => 0.01) FROM customer;
SELECT ltv.fit_sbg(ltv.survival_agg(duration, churned), period => 0) FROM customer;
SELECT ltv.fit_sbg(c) FROM c;
SELECT ltv.with_period(sbg, 'NaN') FROM m;
SELECT ltv.derl(sbg, -1) FROM m;
SELECT ltv.derl(sbg, 1, -0.1) FROM m;
SELECT ltv.expected_lifetime(sbg, 1, 0.1, 0) FROM m;
SELECT ltv.conditional_renewal_probability(sbg, 1, 0) FROM m;
SELECT * FROM m, LATERAL ltv.retention_curve(sbg, 0);
SELECT * FROM m, LATERAL ltv.retention_curve(sbg, 5, 1.5);
SELECT ltv.derl(ltv.fit_exponential(duration, churned, '{}'::float8[]), 1) FROM customer;
SELECT replace(c::text, '"period":12.0', '"period":-1')::ltv.survival FROM c;
SELECT replace(sbg::text, '"lost":[369', '"lost":[5369')::ltv.model FROM m WHERE cohort = 'regular';

-- By train, of one cohort.
CREATE VIEW regular AS SELECT duration, churned FROM customer WHERE cohort = 'regular';
SELECT model, version, status FROM ltv.train('loyalty', 'regular', 'sbg', 'duration', 'churned');
SELECT dp(4, ltv.derl(ltv.model('loyalty'), 0, 0.1, 12)) AS derl, ltv.renewal_probability('loyalty', ROW(), 1, 4) = ltv.conditional_renewal_probability(ltv.model('loyalty'), 4) AS by_name;
SELECT model, version FROM ltv.train('loyalty', 'regular', 'bdw', 'duration', 'churned', options => '{"period": 12}');
SELECT model FROM ltv.train('loyalty', 'customer', 'sbg', 'duration', 'churned', features => ARRAY['cohort']);
SELECT model FROM ltv.train('loyalty', 'regular', 'sbg', 'duration', 'churned', options => '{"penalty": 1}');

-- Workers that each see a part of the tables and of the customers come to the same model.
CREATE TABLE triangle AS SELECT c::text AS cohort, period, (1000 * 0.8 ^ period)::bigint + (12 - period) * c AS survivors FROM generate_series(1, 300) c, generate_series(0, 10) period;
CREATE TABLE alone AS SELECT ltv.fit_bdw(cohort, period, survivors)::text AS of_tables, (SELECT ltv.fit_bdw(duration, churned)::text FROM customer) AS of_customers FROM triangle;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT ltv.fit_bdw(cohort, period, survivors) FROM triangle;
CREATE TABLE together AS SELECT (SELECT ltv.fit_bdw(cohort, period, survivors)::text FROM triangle) AS of_tables, (SELECT ltv.fit_bdw(duration, churned)::text FROM customer) AS of_customers;
SELECT a.of_tables = t.of_tables AS of_tables, a.of_customers = t.of_customers AS of_customers FROM alone a, together t;
