-- Portfolios: sums over accounts to the cent, intervals that know what the accounts share, and the forecast of a book of contracts, by hand.
\set ECHO none
SET client_min_messages = warning;
\ir ../datasets.sql
SELECT count(*) FROM ltv.train('telco', 'telco', 'cox', 'tenure', 'churn_event', features => ARRAY['contract', 'senior_citizen', 'monthly_charges']) \g /dev/null
SELECT count(*) FROM ltv.train('plans', 'telco', 'kaplan_meier', 'tenure', 'churn_event', features => ARRAY['contract']) \g /dev/null
SELECT count(*) FROM ltv.train('strata', 'telco', 'cox', 'tenure', 'churn_event', features => ARRAY['monthly_charges'], strata => 'contract') \g /dev/null
SELECT count(*) FROM ltv.train('form', 'telco', 'weibull', 'tenure', 'churn_event', features => ARRAY['contract', 'monthly_charges']) \g /dev/null
SELECT count(*) FROM ltv.train('periods', 'telco', 'discrete_time', 'tenure', 'churn_event', features => ARRAY['contract', 'monthly_charges']) \g /dev/null
CREATE TABLE customers AS SELECT t.*, ltv.contract_terms(monthly_charges, margin => 0.8, given => tenure, horizon => 36, currency => 'USD') AS terms
FROM telco t WHERE churn_event = 0 AND tenure BETWEEN 1 AND 60 ORDER BY customer_id LIMIT 600;
-- A fifth leaves at the end of each year.
CREATE TABLE yearly AS
SELECT ltv.survival_agg(12 * least(k, 40), k < 40, 0.8 ^ (k - 1) * CASE WHEN k < 40 THEN 0.2 ELSE 1 END) AS s FROM generate_series(1, 40) AS k;
\set ECHO all
-- The sum is that of the column, to the cent; the outcomes' variances add up, the errors of the model do not: with independent errors the interval would be far too narrow.
SELECT name, (p).accounts, (p).ltv, (p).ltv = alone.ltv AS same_sum, (p).undiscounted = alone.undiscounted AS same_undiscounted, (p).parameter_std_error, round(alone.as_if_independent, 2) AS as_if_independent,
       (p).outcome_std_dev, abs((p).outcome_std_dev - alone.outcome) < 0.05 AS same_outcome, (p).total_std_dev, (p).status
FROM unnest(ARRAY['telco', 'strata', 'plans', 'form', 'periods']) AS name,
     LATERAL (SELECT ltv.portfolio_value(ltv.portfolio_agg(name, c, c.terms)) AS p FROM customers c) AS a,
     LATERAL (SELECT sum(v.ltv) AS ltv, sum(v.undiscounted) AS undiscounted, sqrt(sum(((v.upper - v.lower) / 2 / 1.959963985) ^ 2)) AS as_if_independent, sqrt(sum(v.outcome_std_dev ^ 2)) AS outcome
              FROM customers c, LATERAL ltv.lifetime_value(name, c, c.terms) v) AS alone;
-- All columns; total is root of the sum of squares: 1.96 standard deviations to each side.
SELECT (ltv.portfolio_value(ltv.portfolio_agg('telco', c, terms), 0.9)).* FROM customers c \gx
-- One account: the interval of its lifetime_value.
SELECT p.ltv, p.lower, p.upper, p.outcome_std_dev, v.ltv, v.lower, v.upper, v.outcome_std_dev
FROM (SELECT ltv.portfolio_agg('telco', c, terms) AS p FROM customers c WHERE customer_id = (SELECT min(customer_id) FROM customers)) AS a, LATERAL ltv.portfolio_value(a.p) AS p,
     LATERAL (SELECT v.* FROM customers c, LATERAL ltv.lifetime_value('telco', c, c.terms) AS v WHERE customer_id = (SELECT min(customer_id) FROM customers)) AS v;
-- Curves of their own count as independent, one curve for all is shared: 100 times the account, 100 times the error, 10 times the deviation of the outcome.
SELECT n, (p).ltv, (p).parameter_std_error, (p).outcome_std_dev FROM unnest(ARRAY[1, 100]) AS n,
       LATERAL (SELECT ltv.portfolio_value(ltv.portfolio_agg(s, ltv.contract_terms(100, horizon => 24))) AS p FROM yearly, generate_series(1, n)) AS a;
-- Merged parts are the whole; text and bytes come back; no accounts, no value; accounts without one are counted.
WITH part AS (SELECT contract, ltv.portfolio_agg('telco', c, terms) AS p FROM customers c GROUP BY contract)
SELECT ltv.portfolio_value(ltv.rollup(p)) = (SELECT ltv.portfolio_value(ltv.portfolio_agg('telco', c, terms)) FROM customers c) AS whole, bool_and(p::text::ltv.portfolio::text = p::text) AS text,
       bool_and(ltv.portfolio_send(p) = ltv.portfolio_send(p::text::ltv.portfolio)) AS bytes FROM part;
SELECT (ltv.portfolio_value(p)).status, ltv.portfolio_value(p) FROM (SELECT ltv.portfolio_agg(s, ltv.contract_terms(1)) AS p FROM yearly WHERE false) AS a;
SELECT (ltv.portfolio_value(p)).* FROM (SELECT ltv.portfolio_agg(s, t) AS p FROM yearly, unnest(ARRAY[ltv.contract_terms(100, horizon => 12), NULL, ltv.contract_terms(100, horizon => 12, given => 5000, tail => 'none')]) AS t) AS a \gx
SELECT (ltv.portfolio_value(p)).ltv, (ltv.portfolio_value(p)).lower, (ltv.portfolio_value(p)).status FROM (SELECT ltv.portfolio_agg(s, ltv.contract_terms(100, horizon => 12)) AS p FROM (SELECT ltv.survival_agg(600, false) AS s) AS c) AS a;

-- Scenarios for a portfolio: the features and the terms of each account changed, and the difference, which is surer than the two sums.
WITH scenario (name, changes) AS (VALUES ('base', '{}'::jsonb), ('five percent dearer', '{"price_change": 0.05, "elasticity": 1.5}'), ('two year contracts', '{"features": {"contract": "Two year"}}')),
sums AS (
    SELECT name, ltv.portfolio_agg(m, ltv.with_features(m, c, changes -> 'features'), ltv.with_scenario(terms, changes)) AS p
    FROM scenario, customers c, ltv.model('telco'::text) AS m GROUP BY name)
SELECT s.name, d.*, (ltv.portfolio_value(s.p)).parameter_std_error FROM sums s, sums b, LATERAL ltv.portfolio_change(b.p, s.p) AS d WHERE b.name = 'base' ORDER BY s.name COLLATE "C";

-- A book of contracts, by hand. a came 16 months ago: its core line renews in 8 months at age 24, when a fifth leaves, its add-on in 2 at age 18, when nobody does,
-- and in 14 at age 30. b may leave at any time, at age 30 now, and has signed an add-on. c is known to end; d has ended; e comes only later; f's end was known only later; g is superseded; h in trial.
CREATE TABLE book (account_id text, contract_id text, line_id text, product text, valid_from date, valid_to date, state text, mrr numeric, currency text, term_start date, term_end date,
                   known_at timestamptz, end_known_at timestamptz, superseded_at timestamptz);
INSERT INTO book VALUES
('a', 'a1', 'a1.1', 'core', '2023-03-01', NULL, 'active', 100, 'EUR', '2024-03-01', '2025-03-01', NULL, NULL, NULL),
('a', 'a1', 'a1.2', 'add-on', '2023-09-01', NULL, 'active', 50, 'EUR', '2023-09-01', '2024-09-01', NULL, NULL, NULL),
('b', 'b1', 'b1', 'core', '2022-01-01', NULL, 'past_due', 200, 'EUR', NULL, NULL, NULL, NULL, NULL),
('b', 'b2', 'b2', 'add-on', '2024-10-01', NULL, 'active', 40, 'EUR', '2024-10-01', '2025-10-01', '2024-06-15', NULL, NULL),
('c', 'c1', 'c1', 'core', '2023-07-01', '2024-08-01', 'active', 300, 'EUR', '2023-07-01', '2024-08-01', NULL, '2024-06-01', NULL),
('d', 'd1', 'd1', 'core', '2023-07-01', '2024-05-01', 'active', 1000, 'EUR', NULL, NULL, NULL, NULL, NULL),
('e', 'e1', 'e1', 'core', '2024-08-01', NULL, 'active', 999, 'EUR', NULL, NULL, '2024-07-05', NULL, NULL),
('f', 'f1', 'f1', 'core', '2024-01-31', '2024-12-31', 'active', 10, 'EUR', '2024-01-31', '2025-01-31', NULL, '2024-07-02', NULL),
('g', 'g1', 'g1', 'core', '2024-01-01', NULL, 'active', 5000, 'EUR', NULL, NULL, NULL, NULL, '2024-03-01'),
('h', 'h1', 'h1', 'core', '2024-06-01', NULL, 'trial', 70, 'EUR', NULL, NULL, NULL, NULL, NULL);
SELECT ltv.book_query('book', '2024-07-01', 'product') AS query \gset
:query ORDER BY 1, 2;
SELECT f.month, f.opening, f.expected_churn, f.expected_growth, f.mean, f.contracted, f.lower, f.upper, f.total_lower, f.total_upper, f.accounts, f.status FROM yearly, ltv.forecast_arr(s, 'book', '2024-07-01', 15) AS f;
-- opening - churn + growth = mean, by segment too; the segments add up to the whole; later knowledge changes nothing.
SELECT f.segment, bool_and(opening - expected_churn + expected_growth = mean) AS adds_up, max(mean) FILTER (WHERE month = '2024-07-01') AS now, max(mean) FILTER (WHERE month = '2025-07-01') AS in_a_year
FROM yearly, ltv.forecast_arr(s, 'book', '2024-07-01', 12, by => 'product', expansion => 0.1) AS f GROUP BY f.segment ORDER BY 1;
CREATE TABLE before AS SELECT f.* FROM yearly, ltv.forecast_arr(s, 'book', '2024-07-01', 12) AS f;
INSERT INTO book VALUES ('a', 'a3', 'a3', 'core', '2024-07-02', NULL, 'active', 7777, 'EUR', NULL, NULL, NULL, NULL, NULL), ('i', 'i', 'i', 'core', '2023-01-01', NULL, 'active', 7777, 'EUR', NULL, NULL, '2024-07-02', NULL, NULL);
UPDATE book SET valid_to = '2024-07-15', end_known_at = '2024-07-10' WHERE account_id = 'b';
SELECT count(*) AS rows, count(*) FILTER (WHERE b IS DISTINCT FROM f) AS changed FROM before b JOIN (SELECT f.* FROM yearly, ltv.forecast_arr(s, 'book', '2024-07-01', 12) AS f) AS f USING (month);
-- By a model: with the features of each account; who has none has no value.
CREATE TABLE account_features AS SELECT * FROM (VALUES ('a', 'One year', 0, 70), ('b', 'Month-to-month', 0, 90), ('c', 'Two year', 1, 80)) AS v (account_id, contract, senior_citizen, monthly_charges);
SELECT month, opening, expected_churn, mean, contracted, lower, upper, total_lower, total_upper, status FROM ltv.forecast_arr('telco', 'account_features', 'book', '2024-07-01', 3);
-- Refused, with the way to mend it.
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT f.* FROM yearly, ltv.forecast_arr(s, 'book', '2024-07-01', 12, by => 'produkt') AS f;
SELECT f.* FROM yearly, ltv.forecast_arr(s, 'book', NULL, 12) AS f;
SELECT f.* FROM yearly, ltv.forecast_arr(s, 'book', '2024-07-01', 0) AS f;
SELECT f.* FROM yearly, ltv.forecast_arr(s, 'book', '2024-07-01', 12, expansion => 5) AS f;
INSERT INTO book VALUES ('u', 'u', 'u', 'core', '2024-01-01', NULL, 'active', 10, 'USD', NULL, NULL, NULL, NULL, NULL);
SELECT f.* FROM yearly, ltv.forecast_arr(s, 'book', '2024-07-01', 12) AS f;
SELECT f.segment, f.month, f.mean, f.currency FROM yearly, ltv.forecast_arr(s, 'book', '2024-07-01', 1, by => 'currency') AS f;
INSERT INTO account_features SELECT * FROM account_features WHERE account_id = 'b';
SELECT * FROM ltv.forecast_arr('telco', 'account_features', 'book', '2024-07-01', 3);
SELECT * FROM ltv.forecast_arr('telco', 'yearly', 'book', '2024-07-01', 3);
SELECT ltv.portfolio_agg(s, ltv.contract_terms(100, currency => c)) FROM yearly, unnest(ARRAY['EUR', 'USD']) AS c;
SELECT ltv.portfolio_value(ltv.run_rate_agg(s, 3, '{100}', '{0}', '{NULL}', '{NULL}', '{NULL}', 0, 3, 'EUR')) FROM yearly;
SELECT ltv.portfolio_months(ltv.portfolio_agg(s, ltv.contract_terms(100))) FROM yearly;
SELECT ltv.run_rate_agg(s, 3, '{100,200}', '{0}', '{NULL}', '{NULL}', '{NULL}', 0, 3, 'EUR') FROM yearly;
SELECT '{"version":1,"portfolio":{"kind":"value","unit":null,"accounts":1,"unvalued":0,"unsure":0,"lines":[]}}'::ltv.portfolio;
SELECT '{"version":1,"portfolio":{"kind":"value","unit":{"currency":"JPY","digits":2},"accounts":1,"unvalued":0,"unsure":0,"lines":[{"mean":1,"beside":1,"lost":0,"outcome_variance":0,"errors":[]}]}}'::ltv.portfolio;
SELECT 'x'::ltv.portfolio;
-- Models without features have errors too: those of a portfolio by the model are those of its curve.
\set VERBOSITY default
CREATE TABLE plain AS SELECT i AS id, i % 4 <> 0 AS renewed, (1 + i % 3)::float8 AS years, i % 5 = 0 AS gone FROM generate_series(1, 300) AS i;
SELECT DISTINCT version FROM ltv.train('plain renewal', 'plain', 'renewal', event => 'renewed');
SELECT DISTINCT version FROM ltv.train('plain sbg', 'plain', 'sbg', 'years', 'gone');
SELECT DISTINCT version FROM ltv.train('plain hybrid', 'plain', 'hybrid', options => '{"renewal": "plain renewal", "terms": {"revenue": 100, "horizon": 24}}');
CREATE TABLE summed AS
SELECT m.name, m.place, (ltv.portfolio_value(ltv.portfolio_agg(CASE m.place WHEN 'model' THEN ltv.model(m.name) END, r, t.terms))).* FROM plain AS r, (VALUES ('plain renewal', 12, 'model'), ('plain sbg', 1, 'model')) AS m (name, term, place), LATERAL (SELECT ltv.contract_terms(100::float8, term_months => m.term, horizon => 36) AS terms) AS t WHERE r.id <= 20 GROUP BY m.name, m.place
UNION ALL
SELECT m.name, m.place, (ltv.portfolio_value(ltv.portfolio_agg(ltv.predict_curve(m.name, r), t.terms))).* FROM plain AS r, (VALUES ('plain renewal', 12, 'curve'), ('plain sbg', 1, 'curve')) AS m (name, term, place), LATERAL (SELECT ltv.contract_terms(100::float8, term_months => m.term, horizon => 36) AS terms) AS t WHERE r.id <= 20 GROUP BY m.name, m.place;
SELECT m.name, m.ltv, m.parameter_std_error > 0 AS has_error, m.parameter_std_error = c.parameter_std_error AND m.lower = c.lower AND m.upper = c.upper AND m.ltv = c.ltv AS as_the_curve, m.status FROM summed AS m JOIN summed AS c USING (name) WHERE m.place = 'model' AND c.place = 'curve' ORDER BY 1;
SELECT count(*) AS scenarios FROM ltv.scenario('plain renewal@1', (SELECT r FROM plain AS r WHERE r.id = 1), ltv.contract_terms(100::float8, term_months => 12), '{"a": {"margin": 0.9}}');
