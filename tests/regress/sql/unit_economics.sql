-- Unit economics: the formulas by hand, where they end, and the baselines over payments as they were known then.
-- 100 x 0.8 / 0.02 = 4000; discounted at 10 % a year: 80 (1 + d) / (1 + d - 0.98), d = 1.1^(1/12) - 1.
SELECT churn, rate, v.* FROM (VALUES (0.02, 0), (0.02, 0.10), (1.0 / 60, 0), (0.01, 0), (0.001, 0), (0, 0), (-0.01, 0), (1, 0), (NULL, 0)) AS t (churn, rate), LATERAL ltv.simple_ltv(100, churn, 0.8, rate) AS v;
SELECT v.ltv = round(80 * power(1.1, 1 / 12.0) / (power(1.1, 1 / 12.0) - 0.98), 2) AS by_hand FROM ltv.simple_ltv(100, 0.02, 0.8, 0.10) AS v;
SELECT (ltv.simple_ltv(100, 0.03, currency => 'JPY')).ltv AS yen, (ltv.simple_ltv(100, 0.03, digits => 4)).ltv AS four;
SELECT ltv.simple_ltv(100, 2, 0.8);
SELECT ltv.simple_ltv(100, 'NaN', 0.8);

-- 3000 / 1000; nothing spent; 1000 / (100 x 0.8) = 12.5 months.
SELECT ltv.ltv_to_cac(3000, 1000) AS ratio, ltv.ltv_to_cac(-500, 1000) AS negative, ltv.ltv_to_cac(3000, 0) IS NULL AS nothing_spent;
SELECT ltv.ltv_to_cac(3000, -1);
CREATE TABLE curves AS SELECT 'nobody leaves' AS name, ltv.survival_agg(240, false) AS s
UNION ALL SELECT 'one in twenty leaves each month', ltv.survival_agg(least(k, 120), k <= 119, power(0.95, k - 1) * CASE WHEN k <= 119 THEN 0.05 ELSE 1 END) FROM generate_series(1, 120) AS k
UNION ALL SELECT 'observed for 6 months', ltv.survival_agg(6, false);
SELECT name, round(p.plain_months::numeric, 6) AS plain, round(p.discounted_months::numeric, 6) AS discounted, round(p.survival_weighted_months::numeric, 6) AS survival_weighted, p.status
FROM curves, LATERAL ltv.cac_payback(1000, 100, 0.8, 0.10, s) AS p ORDER BY name;
SELECT round(p.discounted_months::numeric, 6) AS undiscounted, p.survival_weighted_months, p.status FROM ltv.cac_payback(1000, 100, 0.8, 0) AS p;
-- By hand: the margins of 13 months in their middles, and the rest out of month 14.
SELECT round((13 + (1000 - s) / (80 * power(1.1, -13.5 / 12)))::numeric, 6) AS by_hand FROM (SELECT sum(80 * power(1.1, -(k - 0.5) / 12)) AS s FROM generate_series(1, 13) AS k) AS q;
SELECT cac, mrr, p.* FROM (VALUES (100000, 100), (1000, 0), (1000, -5), (0, 100), (NULL, 100)) AS t (cac, mrr), LATERAL ltv.cac_payback(cac, mrr, horizon => 60) AS p;
SELECT ltv.cac_payback(-1, 100);
SELECT ltv.cac_payback(1, 100, horizon => 0);

SELECT ltv.value_at_risk(5000, 0.3) AS at_risk, ltv.value_at_risk(5000, 0.333, 'JPY') AS yen, ltv.max_spend(5000, 0.05) AS break_even, ltv.max_spend(5000, 0.05, 1) AS two_for_one, ltv.max_spend(5000, -0.05) AS no_help, ltv.max_spend(NULL, 0.1) IS NULL AS nothing;
SELECT ltv.value_at_risk(5000, 30);
SELECT ltv.max_spend(5000, 5);
SELECT ltv.max_spend(5000, 0.05, -1);

-- Payments: A and B start in January, C in February, D in April; B is refunded in part; E never paid.
CREATE TABLE payment (account_id text, paid_on date, amount numeric, currency text DEFAULT 'EUR');
INSERT INTO payment VALUES ('A', '2025-01-10', 100), ('A', '2025-02-10', 100), ('A', '2025-03-10', 100), ('A', '2025-04-10', 100), ('B', '2025-01-31', 50), ('B', '2025-02-01', -20),
    ('C', '2025-02-15', 30), ('C', '2025-04-15', 30), ('D', '2025-04-02', 999), ('E', '2025-01-05', 0), ('A', '2025-02-20', NULL);
SELECT cohort, month, accounts, revenue, contribution, cumulative, ltv, currency FROM ltv.cohort_ltv('payment', '2025-04-30', margin => 0.8, currency_column => 'currency');
-- A month that is not over does not count; what is known later changes nothing.
SELECT cohort, month, accounts, ltv FROM ltv.cohort_ltv('payment', '2025-04-29', 0.8);
INSERT INTO payment VALUES ('A', '2025-05-01', 5000), ('Z', '2025-05-01', 5000);
SELECT bool_and(was = now) AS the_same FROM (SELECT v::text AS now, '(2025-01-01,0,2,150,120.00,120.00,60.00)' AS was FROM (SELECT cohort, month, accounts, round(revenue), contribution, cumulative, ltv FROM ltv.cohort_ltv('payment', '2025-04-29', 0.8) LIMIT 1) AS v) AS q;
SELECT cohort, month, accounts, ltv, method FROM ltv.cohort_ltv('payment', '2025-06-30', grain => 'quarter') WHERE cohort = '2025-01-01';
CREATE VIEW renamed AS SELECT account_id AS customer, paid_on AS day, amount AS net FROM payment;
SELECT count(*) FROM ltv.cohort_ltv('renamed', '2025-04-30', account_column => 'customer', paid_on_column => 'day', amount_column => 'net');

-- RFM: equal values have equal scores.
CREATE TABLE shop AS SELECT 'c' || i AS account_id, date '2025-06-30' - i * 10 AS paid_on, 10.00 * (1 + i % 3) AS amount FROM generate_series(1, 10) AS i UNION ALL SELECT 'c1', '2025-01-01', 500 UNION ALL SELECT 'c1', '2025-05-01', -40;
SELECT * FROM ltv.rfm('shop', '2025-06-30');
SELECT account_id, score FROM ltv.rfm('shop', '2025-06-30', buckets => 2, since => '2025-06-01');
SELECT count(*) AS of_that_day FROM ltv.rfm('shop', '2025-04-30');
SELECT count(*) FROM ltv.rfm('shop', '1999-01-01');

-- Errors.
INSERT INTO payment VALUES ('A', '2025-01-01', 1, 'USD');
SELECT * FROM ltv.cohort_ltv('payment', '2025-04-30', currency_column => 'currency');
SELECT * FROM ltv.rfm('payment', '2025-04-30', currency_column => 'currency');
SELECT * FROM ltv.cohort_ltv('payment', NULL);
SELECT * FROM ltv.cohort_ltv('payment', '2025-04-30', grain => 'week');
SELECT * FROM ltv.cohort_ltv('payment', '2025-04-30', amount_column => 'net');
SELECT * FROM ltv.rfm('payment', '2025-04-30', buckets => 10);
SELECT * FROM ltv.rfm('payment', 'infinity');
CREATE VIEW instants AS SELECT account_id, paid_on::timestamptz, amount FROM payment;
SELECT * FROM ltv.rfm('instants', '2025-04-30');
SELECT * FROM ltv.cohort_ltv('payment', '2025-04-30', 'NaN');
INSERT INTO payment VALUES ('N', '2025-01-01', 'NaN');
SELECT * FROM ltv.rfm('payment', '2025-04-30');
