-- Customers who leave without a word: CDNOW, against the published numbers.
\set ECHO none
CREATE TABLE cdnow (master_id int, customer_id int, bought_on date, cds int, amount numeric);
\cd :data
\copy cdnow from 'cdnow_transactions.csv' with (format csv, header)
ANALYZE;
\set ECHO all

-- The summary of Fader & Hardie, seen on 1997-09-30: 2357 customers, 2457 repeat purchases, 946 who came again.
CREATE TABLE customers AS SELECT * FROM ltv.purchase_summary('cdnow', 'customer_id', 'bought_on', 'amount', '1997-09-30');
SELECT count(*), sum(frequency) AS purchases, count(*) FILTER (WHERE frequency > 0) AS repeat FROM customers;
SELECT customer_id, frequency, round(recency::numeric, 2) AS recency, round(age::numeric, 2) AS age, round(mean_value::numeric, 2) AS mean_value, first_purchase
FROM customers ORDER BY customer_id::int LIMIT 6;

CREATE TABLE models (name text PRIMARY KEY, m ltv.model);
INSERT INTO models
SELECT 'bg', ltv.fit_bg_nbd(frequency, recency, age) FROM customers
UNION ALL SELECT 'mbg', ltv.fit_mbg_nbd(frequency, recency, age) FROM customers
UNION ALL SELECT 'pareto', ltv.fit_pareto_nbd(frequency, recency, age) FROM customers
UNION ALL SELECT 'spend', ltv.fit_gamma_gamma(frequency, mean_value) FROM customers;
-- Published: .243 4.414 .793 2.426; .525 6.183 .891 1.614; .553 10.578 .606 11.669 (.0476 .8427 .1873 6.2105); 6.25 3.74 15.44.
SELECT name, term, round(estimate::numeric, 3) AS estimate, round(std_error::numeric, 4) AS std_error, round(lower::numeric, 3) AS lower, round(upper::numeric, 3) AS upper, z, hazard_ratio
FROM models, LATERAL ltv.coefficients(m) ORDER BY name;
-- -9582.43, -9582.14, -9594.98, -4055.92.
SELECT name, ltv.model_algorithm(m), round(log_likelihood::numeric, 2) AS log_likelihood, parameters, round(aic::numeric, 2) AS aic, n, events, ltv.model_status(m), ltv.model_features(m)
FROM models, LATERAL ltv.model_fit(m) ORDER BY name;
SELECT * FROM ltv.model_test((SELECT m FROM models WHERE name = 'bg'));

-- Published for x = 2, t_x = 30.43, T = 38.86: P(alive) .7266, 1.226 purchases in 39 weeks; .0532 1.4440 of a new customer in 1 and 52 weeks; P(none in 39 weeks) .574.
SELECT round(ltv.probability_alive(m, 2, 30.43, 38.86)::numeric, 4) AS alive, round(ltv.expected_purchases(m, 2, 30.43, 38.86, 39)::numeric, 4) AS purchases,
       round(ltv.expected_purchases(m, 1)::numeric, 4) AS one_week, round(ltv.expected_purchases(m, 52)::numeric, 4) AS one_year, round(ltv.purchase_probability(m, 0, 39)::numeric, 4) AS none
FROM models WHERE name = 'bg';
-- Published for x = 26, t_x = 30.86, T = 31: 25.46, .9979; DERT at 15 % a year (.0027 a week) for x = 2: 6.482.
SELECT round(ltv.expected_purchases(m, 26, 30.86, 31, 52)::numeric, 2) AS purchases, round(ltv.probability_alive(m, 26, 30.86, 31)::numeric, 4) AS alive,
       round(ltv.discounted_purchases(m, 2, 30.43, 38.86, exp(0.0027 * 365 / 7) - 1)::numeric, 3) AS dert
FROM models WHERE name = 'pareto';
-- Published: 24.65 18.91 71.46, 35.17 of a customer without repeat purchases.
SELECT round(ltv.expected_spend(m, 2, 22.35)::numeric, 2) AS a, round(ltv.expected_spend(m, 1, 11.77)::numeric, 2) AS b, round(ltv.expected_spend(m, 7, 73.74)::numeric, 2) AS c,
       round(ltv.expected_spend(m, 0, NULL)::numeric, 2) AS new
FROM models WHERE name = 'spend';
-- Frequency 0: certain by bg_nbd only.
SELECT name, round(ltv.probability_alive(m, 0, 0, 38.86)::numeric, 4) AS alive FROM models WHERE name <> 'spend' ORDER BY name;
-- The holdout of 39 weeks: 1882 purchases happened; published 1653 expected by bg_nbd.
SELECT name, round(sum(ltv.expected_purchases(m, frequency, recency, age, 39))::numeric, 1) AS expected FROM models, customers WHERE name <> 'spend' GROUP BY name ORDER BY name;

-- Money: rows add up to the value to the cent, in every column, in any currency.
SELECT v.* FROM models AS p, models AS s, LATERAL ltv.transactional_value(p.m, s.m, 2, 30.43, 38.86, 22.35, margin => 0.3, currency => 'USD') AS v WHERE p.name = 'bg' AND s.name = 'spend';
SELECT f.period, f.due_months, round(f.purchases::numeric, 6) AS purchases, f.revenue, f.cost, f.margin, round(f.discount_factor::numeric, 6) AS discount_factor, f.present_value, f.cumulative
FROM models AS p, models AS s, LATERAL ltv.transactional_cash_flows(p.m, s.m, 2, 30.43, 38.86, 22.35, margin => 0.3, horizon => 4) AS f WHERE p.name = 'bg' AND s.name = 'spend';
SELECT p.name, timing, code, bool_and(f.ltv = v.ltv AND f.undiscounted = v.undiscounted AND f.revenue = v.revenue AND f.cumulative = v.ltv AND f.lines) AS adds_up, sum(v.ltv) AS total
FROM models AS p, models AS s, unnest(ARRAY['advance', 'mid-period', 'arrears']) AS timing, unnest(ARRAY['EUR', 'JPY', 'KWD']) AS code, (SELECT * FROM customers ORDER BY customer_id::int LIMIT 40) AS c,
     LATERAL ltv.transactional_value(p.m, s.m, frequency, recency, age, mean_value, 0.4, 0.08, 24, 'week', timing, code) AS v,
     LATERAL (SELECT sum(f.present_value) AS ltv, sum(f.margin) AS undiscounted, sum(f.revenue) AS revenue, (array_agg(f.cumulative ORDER BY f.period DESC))[1] AS cumulative, bool_and(f.revenue = f.cost + f.margin) AS lines
              FROM ltv.transactional_cash_flows(p.m, s.m, frequency, recency, age, mean_value, 0.4, 0.08, 24, 'week', timing, code) AS f) AS f
WHERE p.name <> 'spend' AND s.name = 'spend' GROUP BY p.name, timing, code ORDER BY p.name, timing, code;
-- The hand-worked first month: purchases in 365/12/7 weeks x mean value, half a month's discount.
SELECT v.ltv, round((ltv.expected_purchases(p.m, 2, 30.43, 38.86, 365.0 / 12 / 7) * ltv.expected_spend(s.m, 2, 22.35) * 0.3 * 1.1 ^ (-0.5 / 12))::numeric, 2) AS by_hand
FROM models AS p, models AS s, LATERAL ltv.transactional_value(p.m, s.m, 2, 30.43, 38.86, 22.35, margin => 0.3, horizon => 1) AS v WHERE p.name = 'pareto' AND s.name = 'spend';
-- What has no value says why; days and weeks agree.
SELECT v.status, v.ltv FROM models AS p, models AS s, LATERAL ltv.transactional_value(p.m, s.m, 2, 30, NULL, 22) AS v WHERE p.name = 'bg' AND s.name = 'spend';
SELECT v.status, v.ltv FROM models AS p, models AS s, LATERAL ltv.transactional_value(p.m, s.m, 2, 30, 40, NULL) AS v WHERE p.name = 'bg' AND s.name = 'spend';
SELECT v.status, v.ltv FROM models AS s, LATERAL ltv.transactional_value((SELECT ltv.fit_bg_nbd(0, 0, i) FROM generate_series(1, 9) AS i), s.m, 0, 0, 40, NULL) AS v WHERE s.name = 'spend';
-- All that is missing is named, in the order of the arguments; nothing bought again needs no mean.
SELECT v.status, v.ltv FROM models AS p, LATERAL ltv.transactional_value(p.m, NULL, 1, 1, 2, NULL) AS v WHERE p.name = 'bg';
SELECT v.status FROM ltv.transactional_value(NULL::ltv.model, NULL, 0, NULL, 2, NULL, NULL, NULL, NULL, NULL, NULL) AS v;
SELECT count(*) FROM models AS p, models AS s, LATERAL ltv.transactional_cash_flows(p.m, s.m, 2, 30, 40, NULL) AS f WHERE p.name = 'bg' AND s.name = 'spend';
SELECT w.ltv AS weeks, d.ltv AS days FROM models AS s, LATERAL (SELECT ltv.fit_pareto_nbd(frequency, recency, age) AS week, ltv.fit_pareto_nbd(frequency, recency * 7, age * 7) AS day FROM customers) AS p,
    LATERAL ltv.transactional_value(p.week, s.m, 2, 30, 40, 22) AS w, LATERAL ltv.transactional_value(p.day, s.m, 2, 210, 280, 22, unit => 'day') AS d WHERE s.name = 'spend';

-- The whole is its parts; a weight is so many rows; text and bytes come back.
CREATE TABLE parts AS SELECT customer_id::int % 3 AS part, ltv.purchase_agg(frequency, recency, age) AS p, ltv.spend_agg(frequency, mean_value) AS s FROM customers GROUP BY 1;
SELECT ltv.fit_bg_nbd(ltv.rollup(p))::text = (SELECT m::text FROM models WHERE name = 'bg') AS purchases, (SELECT m FROM models WHERE name = 'spend')::text = ltv.fit_gamma_gamma(ltv.rollup(s))::text AS spend,
       sum(ltv.skipped(p)) AS none, sum(ltv.skipped(s)) AS without_repeats, bool_and(p::text::ltv.purchase_sample::text = p::text AND s::text::ltv.spend_sample::text = s::text) AS round_trip
FROM parts;
SELECT ltv.fit_mbg_nbd(frequency, recency, age, 3)::text = (SELECT ltv.fit_mbg_nbd(frequency, recency, age ORDER BY random())::text FROM customers, generate_series(1, 3)) AS same FROM customers;
SELECT bool_and(m::text::ltv.model::text = m::text) AS models_round_trip FROM models;
SELECT ltv.purchase_agg(f, r, a) AS p FROM (VALUES (2, 3.5, 9), (0, 0, 9), (2, 3.5, 9), (NULL, 1, 2)) AS v (f, r, a);
SELECT ltv.spend_agg(f, z) AS s, ltv.skipped(ltv.spend_agg(f, z)) FROM (VALUES (2, 3.5), (0, NULL), (0, 7), (1, 9.25)) AS v (f, z);
SELECT encode(ltv.purchase_sample_send(ltv.purchase_agg(2, 3.5, 9)), 'hex') AS p, encode(ltv.spend_sample_send(ltv.spend_agg(2, 3.5)), 'hex') AS s;
SELECT ltv.fit_bg_nbd(NULL::float8, 1, 2) IS NULL AS nobody, ltv.fit_gamma_gamma(0, NULL) IS NULL AS no_spender, ltv.probability_alive(NULL, 1, 2, 3) IS NULL AS no_model;
-- Models that are not to be believed.
SELECT ltv.model_status(ltv.fit_pareto_nbd(0, 0, i)) AS none, (SELECT array_agg(estimate) FROM ltv.coefficients(ltv.fit_pareto_nbd(0, 0, i))) AS estimates, ltv.probability_alive(ltv.fit_pareto_nbd(0, 0, i), 0, 0, 3) AS alive FROM generate_series(1, 9) AS i;
SELECT ltv.model_status(ltv.fit_bg_nbd(i % 4, i % 4 * i, i % 4 * i)) FROM generate_series(1, 60) AS i;
SELECT ltv.model_status(ltv.fit_bg_nbd(10 + i % 5, 50, 50 + 1.0 / i)) FROM generate_series(1, 60) AS i;
SELECT ltv.model_status(m) AS heavy, ltv.expected_spend(m, 0, NULL) IS NULL AS no_mean, ltv.expected_spend(m, 3, 10) > 0 AS yet FROM (SELECT ltv.fit_gamma_gamma(1 + i % 3, exp(i % 37 - 18)) AS m FROM generate_series(1, 500) AS i) AS x;

-- purchase_summary: one day is one purchase; what comes after as_of is not seen; times of day; other units; no amount.
CREATE TABLE shop (buyer text, at timestamp, paid numeric);
INSERT INTO shop VALUES ('a', '2024-01-01 08:00', 10), ('a', '2024-01-01 17:00', 5), ('a', '2024-01-31 23:59', 20), ('a', '2024-03-01 00:00', 30), ('b', '2024-02-01', 7), (NULL, '2024-02-01', 7), ('c', NULL, 7);
SELECT * FROM ltv.purchase_summary('shop', 'buyer', 'at', 'paid', '2024-03-01', 'day');
SELECT * FROM ltv.purchase_summary('shop', 'buyer', 'at', 'paid', '2024-02-29', 'day');
CREATE TABLE before AS SELECT * FROM ltv.purchase_summary('shop', 'buyer', 'at', 'paid', '2024-02-29', 'month');
INSERT INTO shop VALUES ('a', '2024-03-02', 1000), ('d', '2024-03-02', 1000), ('b', '2030-01-01', 1000);
SELECT count(*) AS seen_later FROM (SELECT * FROM ltv.purchase_summary('shop', 'buyer', 'at', 'paid', '2024-02-29', 'month') EXCEPT SELECT * FROM before) AS x;
SELECT customer_id, frequency, round(recency::numeric, 6) AS recency, mean_value FROM ltv.purchase_summary('shop', 'buyer', 'at', NULL, '2024-03-01', 'year');

-- Errors.
SELECT ltv.fit_bg_nbd(1, 5, 3);
SELECT ltv.fit_bg_nbd(0, 5, 30);
SELECT ltv.fit_bg_nbd(-1, 0, 3);
SELECT ltv.fit_bg_nbd(1.5, 1, 3);
SELECT ltv.fit_bg_nbd(1, 1, 3, 0);
SELECT ltv.fit_gamma_gamma(1, 0);
SELECT ltv.predict(m, c) FROM models, customers AS c WHERE name = 'bg' LIMIT 1;
SELECT ltv.renewal_probability(m, c, 12) FROM models, customers AS c WHERE name = 'spend' LIMIT 1;
SELECT * FROM models, customers AS c, ltv.lifetime_value(m, c, 100) WHERE name = 'pareto' LIMIT 1;
SELECT ltv.probability_alive(m, 1, 2, 3) FROM models WHERE name = 'spend';
SELECT ltv.expected_spend(m, 1, 2) FROM models WHERE name = 'bg';
SELECT ltv.expected_purchases(m, 1, 2, 3, -1) FROM models WHERE name = 'bg';
SELECT ltv.discounted_purchases(m, 1, 2, 3, unit => 'fortnight') FROM models WHERE name = 'bg';
SELECT ltv.discounted_purchases(m, 1, 2, 3, -0.1) FROM models WHERE name = 'bg';
SELECT ltv.transactional_value(p.m, s.m, 1, 2, 3, 10, margin => 1.5) FROM models AS p, models AS s WHERE p.name = 'bg' AND s.name = 'spend';
SELECT ltv.transactional_value(p.m, p.m, 1, 2, 3, 10) FROM models AS p WHERE p.name = 'bg';
SELECT ltv.purchase_summary('shop', 'buyer', 'at', 'paid', '2024-02-29', 'quarter');
SELECT ltv.purchase_summary('shop', 'customer', 'at', 'amount', '2024-02-29');
SELECT ltv.purchase_summary('shop', 'buyer', 'paid', 'paid', '2024-02-29');
SELECT ltv.purchase_summary('shop', 'buyer', 'at', 'paid', 'infinity');
SELECT '{"kind":"purchase_sample","version":1,"frequency":[1],"recency":[5],"age":[3],"customers":[1],"skipped":0}'::ltv.purchase_sample;
SELECT '{"kind":"purchase_sample","version":1,"frequency":[1,1],"recency":[2,2],"age":[3,3],"customers":[1,1],"skipped":0}'::ltv.purchase_sample;
SELECT '{"kind":"spend_sample","version":1,"frequency":[1],"mean_value":[],"customers":[1],"skipped":0}'::ltv.spend_sample;
SELECT '{"kind":"spend_sample","version":1,"frequency":[1],"mean_value":[2],"customers":[1],"skipped":0}'::ltv.purchase_sample;
