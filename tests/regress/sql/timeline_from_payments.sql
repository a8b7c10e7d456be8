-- timeline_from_payments: a timeline where only (who, when, how much) is known.
\set ECHO none
\ir ../dbt_seeds.sql
\set ECHO all
CREATE TABLE payments (customer text, paid_on date, amount numeric);
-- Every month, late by a few days, with a rise and a fall. Every quarter. Every week. Every year.
INSERT INTO payments VALUES ('monthly', '2024-01-31', 100), ('monthly', '2024-02-29', 100), ('monthly', '2024-04-05', 100), ('monthly', '2024-04-30', 120), ('monthly', '2024-05-31', 120), ('monthly', '2024-06-30', 80);
INSERT INTO payments SELECT 'quarterly', d, 300 FROM generate_series(date '2023-07-01', '2024-04-01', interval '3 months') d;
INSERT INTO payments SELECT 'weekly', d, 12 FROM generate_series(date '2024-05-06', '2024-06-24', interval '7 days') d;
INSERT INTO payments VALUES ('yearly', '2022-03-01', 1200), ('yearly', '2023-03-05', 1200), ('yearly', '2024-02-27', 1320);
-- Stops; stops for two months and comes back; pays once.
INSERT INTO payments SELECT 'stops', d, 50 FROM generate_series(date '2024-01-15', '2024-03-15', interval '1 month') d;
INSERT INTO payments SELECT 'returns', d, 50 FROM unnest(ARRAY['2024-01-15', '2024-02-15', '2024-05-15', '2024-06-15']::date[]) d;
INSERT INTO payments VALUES ('once', '2024-06-20', 40), ('once long ago', '2023-06-20', 40);
-- Money back: all of the last payment; a part of it; on the same day; of a day after which it went on; two parts that make all; what it had paid for is over.
INSERT INTO payments VALUES ('all back', '2024-04-10', 60), ('all back', '2024-05-10', 60), ('all back', '2024-05-14', -60), ('part back', '2024-05-10', 60), ('part back', '2024-06-10', 60), ('part back', '2024-06-14', -20),
    ('reversed', '2024-06-10', 60), ('reversed', '2024-06-10', -60), ('back and on', '2024-04-10', 60), ('back and on', '2024-04-20', -60), ('back and on', '2024-05-10', 60), ('back and on', '2024-06-10', 60),
    ('two parts', '2024-05-10', 60), ('two parts', '2024-06-10', 60), ('two parts', '2024-06-12', -20), ('two parts', '2024-06-15', -40), ('too late', '2024-01-10', 60), ('too late', '2024-02-10', 60), ('too late', '2024-06-01', -60);
-- Two payments of a day are one; what is NULL or nothing is passed over.
INSERT INTO payments VALUES ('two a day', '2024-05-20', 30), ('two a day', '2024-05-20', 20), ('two a day', '2024-06-20', 50), (NULL, '2024-05-20', 30), ('nothing', '2024-05-20', 0), ('nothing', NULL, 10), ('nothing', '2024-05-20', NULL);
SELECT account_id, valid_from, valid_to, mrr, billing_months AS bm, start_event, end_event, known_at::date AS known, end_known_at::date AS end_known FROM ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', '2024-06-30');
-- What is the same for all.
SELECT DISTINCT parent_account_id, contract_id = account_id AS contract, line_id = account_id || '/USD' AS line, product, state, currency, payment_timing, term_end, auto_renew, superseded_at, source FROM ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', '2024-06-30');
-- The grace of one that stops: due on 15 April, half a month later it is known that nothing comes: on 30 April it is still open, on 1 May not.
SELECT as_of, valid_to, end_event, end_known_at FROM unnest(ARRAY['2024-04-29', '2024-04-30', '2024-05-01']::date[]) as_of, ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', as_of) WHERE account_id = 'stops';
SELECT as_of, valid_to, end_known_at FROM unnest(ARRAY['2024-04-15', '2024-04-16']::date[]) as_of, ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', as_of, gap_days => 0) WHERE account_id = 'stops';
-- With a grace of 60 days the one that returns never left; with a fixed interval nothing is estimated.
SELECT valid_from, valid_to, mrr FROM ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', '2024-06-30', gap_days => 62) WHERE account_id = 'returns';
SELECT account_id, valid_from, valid_to, mrr, billing_months FROM ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', '2024-06-30', billing_months => 0.5) WHERE account_id IN ('once', 'weekly') ORDER BY 1, 2;
-- It is a timeline, once it is a table; no line overlaps itself.
CREATE TABLE line AS SELECT * FROM ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', '2024-06-30');
SELECT ltv.timeline_query('line') IS NOT NULL AS is_timeline, (SELECT count(*) FROM line a JOIN line b ON a.line_id = b.line_id AND a.valid_from < b.valid_from AND b.valid_from < coalesce(a.valid_to, 'infinity')) AS overlaps,
       (SELECT count(*) FROM line WHERE valid_to <= valid_from OR end_known_at < known_at OR known_at > '2024-07-01Z' OR end_known_at > '2024-07-01Z') AS impossible;

-- Times of day, and a column of currencies: a customer with two has two lines. A payment at 23:30 in New York is the next day's in UTC.
CREATE TABLE ledger (who int, at timestamptz, amount float8, iso text);
INSERT INTO ledger SELECT 1, timestamptz '2024-01-10 23:30-05' + g * interval '1 month', 10, 'usd' FROM generate_series(0, 3) g;
INSERT INTO ledger SELECT 1, timestamptz '2024-01-10 12:00Z' + g * interval '1 month', 9, 'EUR' FROM generate_series(0, 3) g;
INSERT INTO ledger VALUES (1, '2024-04-20 15:00Z', -9, 'EUR');
SELECT line_id, valid_from, valid_to, mrr, currency, end_event, known_at, end_known_at FROM ltv.timeline_from_payments('ledger', 'who', 'at', 'amount', '2024-05-01', currency => 'iso');
SELECT DISTINCT currency FROM ltv.timeline_from_payments('ledger', 'who', 'at', 'amount', '2024-05-01', currency => 'JPY');
CREATE VIEW "Odd Payments" AS SELECT who AS "the customer's", at::timestamp AS "paid ""on""", amount AS "%1$I" FROM ledger;
SELECT count(*) FROM ltv.timeline_from_payments('"Odd Payments"', 'the customer''s', 'paid "on"', '%1$I', '2024-05-01');

-- Real purchases (CDNOW, 2,357 customers): later payments change nothing, on any of six days.
CREATE TABLE cdnow (master_id int, customer_id int, date date, n_cds int, amount numeric);
\cd :data
\copy cdnow from 'cdnow_sample_transactions.csv' with (format csv, header)
CREATE TABLE day AS SELECT d::date AS as_of FROM generate_series(timestamp '1997-02-01', '1998-06-30', interval '100 days') d;
CREATE TABLE complete AS SELECT as_of, t.* FROM day, ltv.timeline_from_payments('cdnow', 'customer_id', 'date', 'amount', as_of) t;
CREATE TABLE cut (as_of date, LIKE ltv.contract_line);
CREATE TABLE cdnow_until (LIKE cdnow);
DO $$
DECLARE
    until date;
BEGIN
    FOR until IN SELECT as_of FROM day LOOP
        TRUNCATE cdnow_until;
        INSERT INTO cdnow_until SELECT * FROM cdnow WHERE date <= until;
        INSERT INTO cut SELECT until, t.* FROM ltv.timeline_from_payments('cdnow_until', 'customer_id', 'date', 'amount', until) t;
    END LOOP;
END
$$;
SELECT count(*) AS rows, count(DISTINCT as_of) AS days FROM complete;
SELECT count(*) AS differ FROM ((TABLE complete EXCEPT TABLE cut) UNION ALL (TABLE cut EXCEPT TABLE complete)) d;
-- Every payment is within a row that has its price.
SELECT count(*) AS payments, count(t.account_id) AS found FROM (SELECT customer_id::text, date, sum(amount) AS amount FROM cdnow WHERE amount <> 0 AND date <= '1998-06-30' GROUP BY 1, 2) p
LEFT JOIN ltv.timeline_from_payments('cdnow', 'customer_id', 'date', 'amount', '1998-06-30') t ON t.account_id = p.customer_id AND p.date >= t.valid_from AND p.date < coalesce(t.valid_to, 'infinity') AND t.mrr = round(p.amount / CASE WHEN t.billing_months < 1 THEN 12.0 / 52 ELSE t.billing_months END, 4);

-- Contracts whose truth is known, paid month by month: RavenStack's monthly subscriptions of at least two months give their MRR back, on the first of every month, to the cent.
CREATE TABLE raven (subscription_id text, account_id text, start_date date, end_date date, plan_tier text, seats int, mrr_amount numeric, arr_amount numeric, is_trial boolean, upgrade_flag boolean, downgrade_flag boolean, churn_flag boolean, billing_frequency text, auto_renew_flag boolean);
\copy raven from 'ravenstack/subscriptions.csv' with (format csv, header)
CREATE TABLE contract AS SELECT subscription_id, start_date, CASE WHEN end_date IS NOT NULL THEN start_date + make_interval(months => greatest(2, round((end_date - start_date) / 30.4)::int)) END::date AS end_date, mrr_amount
FROM raven WHERE billing_frequency = 'monthly' AND mrr_amount > 0 AND extract(day FROM start_date) <= 28;
CREATE TABLE paid AS SELECT subscription_id, d::date AS paid_on, mrr_amount AS amount FROM contract, generate_series(start_date, coalesce(end_date, '2026-01-01') - 1, interval '1 month') d;
WITH month AS (SELECT d::date AS day FROM generate_series(timestamp '2023-01-01', '2024-12-01', interval '1 month') d),
truth AS (SELECT day, sum(mrr_amount) AS mrr, count(*) AS contracts FROM month JOIN contract ON start_date <= day AND (end_date IS NULL OR end_date > day) GROUP BY day),
estimate AS (SELECT day, sum(mrr) AS mrr, count(*) AS contracts FROM month JOIN ltv.timeline_from_payments('paid', 'subscription_id', 'paid_on', 'amount', '2025-12-31') ON valid_from <= day AND (valid_to IS NULL OR valid_to > day) GROUP BY day)
SELECT count(*) AS months, sum(t.contracts) AS contract_months, count(*) FILTER (WHERE (t.mrr, t.contracts) IS DISTINCT FROM (e.mrr, e.contracts)) AS differ FROM truth t FULL JOIN estimate e USING (day);

-- A seed of dbt_recharge: two charges of two customers, both paying once: taken to be monthly.
SELECT account_id, valid_from, valid_to, mrr, billing_months, end_event FROM ltv.timeline_from_payments('dbt_recharge.charge', 'customer_id', 'scheduled_at', 'total_price', '2022-11-30');

-- Nothing paid, nothing seen yet.
SELECT count(*) FROM ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', '2000-01-01');
-- Arguments.
SELECT ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', NULL);
SELECT ltv.timeline_from_payments('payments', 'client', 'paid_on', 'amount', '2024-06-30');
SELECT ltv.timeline_from_payments('payments', 'customer', NULL, 'amount', '2024-06-30');
SELECT ltv.timeline_from_payments('payments', 'customer', 'customer', 'amount', '2024-06-30');
SELECT ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'customer', '2024-06-30');
SELECT ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', '2024-06-30', gap_days => -1);
SELECT ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', '2024-06-30', billing_months => 0);
SELECT ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', '2024-06-30', billing_months => 'NaN');
SELECT ltv.timeline_from_payments('payments', 'customer', 'paid_on', 'amount', '2024-06-30', currency => 'dollars');
