-- mapping_sql('salesforce.*'): lifecycle-managed assets and CPQ contracts, on rows of every case; accounts and opportunities of a public dbt package.
\set ECHO none
\ir ../dbt_seeds.sql
\set ECHO all
CREATE SCHEMA salesforce;
CREATE TABLE salesforce.account (id text, parent_id text, master_record_id text, is_deleted boolean DEFAULT false);
CREATE TABLE salesforce.contract (id text, account_id text, status text, start_date date, end_date date, currency_iso_code text, sbqq_renewal_opportunity_c text,
    sbqq_opportunity_c text, sbqq_evergreen_c boolean, is_deleted boolean DEFAULT false);
CREATE TABLE salesforce.opportunity (id text, account_id text, is_closed boolean, is_won boolean, close_date date, created_date timestamptz, sbqq_renewed_contract_c text, is_deleted boolean DEFAULT false);
CREATE TABLE salesforce.sbqq_subscription_c (id text, sbqq_contract_c text, sbqq_product_c text, sbqq_root_id_c text, sbqq_quantity_c float8, sbqq_net_price_c float8, sbqq_list_price_c float8,
    sbqq_prorate_multiplier_c float8, sbqq_billing_frequency_c text, sbqq_subscription_start_date_c date, sbqq_subscription_end_date_c date, sbqq_terminated_date_c date,
    currency_iso_code text, created_date timestamptz, is_deleted boolean DEFAULT false);
CREATE TABLE salesforce.asset (id text, account_id text, product_2_id text, currency_iso_code text, is_deleted boolean DEFAULT false);
CREATE TABLE salesforce.asset_state_period (id text, asset_id text, start_date timestamptz, end_date timestamptz, quantity float8, mrr float8, created_date timestamptz, is_deleted boolean DEFAULT false);
CREATE TABLE salesforce.asset_action (id text, asset_id text, action_date timestamptz, created_date timestamptz, category_enum text, mrr_change float8, is_deleted boolean DEFAULT false);
CREATE TABLE salesforce.dated_conversion_rate (iso_code text, start_date date, next_start_date date, conversion_rate float8, is_deleted boolean DEFAULT false);

-- Globex East belongs to Globex Europe, that to Globex; Initech was merged into East; Umbrella is deleted.
INSERT INTO salesforce.account VALUES ('globex', NULL, NULL), ('europe', 'globex', NULL), ('east', 'europe', NULL), ('initech', NULL, 'east'), ('umbrella', NULL, NULL), ('loop a', 'loop b', NULL), ('loop b', 'loop a', NULL);
UPDATE salesforce.account SET is_deleted = true WHERE id IN ('initech', 'umbrella');
INSERT INTO salesforce.dated_conversion_rate VALUES ('USD', '2000-01-01', '9999-12-31', 1), ('EUR', '2024-01-01', '2024-07-01', 0.8), ('EUR', '2024-07-01', '9999-12-31', 0.9);

-- Contracts. A: a year, renewed by B, which was signed on 10 December; C: terminated; D: lost; E: lapsed; F: evergreen; G: renewed late by H, for less; I: early; J: open; K: became evergreen (L).
INSERT INTO salesforce.contract VALUES
    ('A', 'east', 'Expired', '2024-01-01', '2024-12-31', 'EUR', 'renew A', NULL, false), ('B', 'east', 'Activated', '2025-01-01', '2999-12-31', 'EUR', NULL, 'renew A', false),
    ('C', 'initech', 'Terminated', '2024-03-01', '2024-09-30', 'EUR', NULL, NULL, false), ('D', 'east', 'Expired', '2024-01-01', '2024-12-31', 'USD', 'renew D', NULL, false),
    ('E', 'globex', 'Expired', '2023-01-01', '2023-12-31', 'USD', NULL, NULL, false), ('F', 'globex', 'Activated', '2023-01-01', NULL, 'USD', NULL, NULL, true),
    ('G', 'globex', 'Expired', '2023-01-01', '2023-12-31', 'USD', NULL, NULL, false), ('H', 'globex', 'Expired', '2024-03-01', '2025-02-28', 'USD', NULL, 'renew G', false),
    ('I', 'loop a', 'Expired', '2024-01-01', '2024-12-31', 'USD', 'renew I', NULL, false), ('J', 'globex', 'Activated', '2024-01-01', '2999-12-31', 'USD', 'renew J', NULL, false),
    ('K', 'globex', 'Expired', '2024-01-01', '2024-12-31', 'USD', 'renew K', NULL, false), ('L', 'globex', 'Activated', '2025-01-01', NULL, 'USD', NULL, 'renew K', true),
    ('M', 'globex', 'Draft', '2024-01-01', '2024-12-31', 'USD', NULL, NULL, false), ('N', 'umbrella', 'Activated', '2024-01-01', '2024-12-31', 'USD', NULL, NULL, false),
    ('O', 'globex', 'Expired', '2024-01-01', '2024-12-31', 'USD', 'renew O', NULL, false), ('P', 'globex', 'Expired', '2025-01-01', '2025-06-30', 'USD', NULL, 'renew O', false);
INSERT INTO salesforce.opportunity VALUES
    ('renew A', 'east', true, true, '2024-12-10', '2024-09-01Z', 'A'), ('renew D', 'east', true, false, '2024-11-20', '2024-10-01Z', NULL), ('renew G', 'globex', true, true, '2024-02-20', '2023-10-01Z', 'G'),
    ('renew I', 'loop a', true, true, '2024-09-01', '2024-08-01Z', 'I'), ('renew J', 'globex', false, false, '2999-12-01', '2024-01-01Z', 'J'), ('renew K', 'globex', true, true, '2024-12-15', '2024-10-01Z', 'K'),
    ('renew O', 'globex', true, true, '2024-12-15', '2024-10-01Z', 'O');
-- 10 seats at 1,000 a year; 5 more from 1 May, to the same end; 3 fewer from 1 September. Net prices are for the part of the year that is left.
INSERT INTO salesforce.sbqq_subscription_c VALUES
    ('A1', 'A', 'seats', NULL, 10, 1000, 1200, 1, 'Annual', '2024-01-01', '2024-12-31', NULL, 'EUR', '2023-12-20Z'), ('A2', 'A', 'seats', 'A1', 5, 671.23, 1200, 0.67123, 'Annual', '2024-05-01', '2024-12-31', NULL, 'EUR', '2024-04-28Z'),
    ('A3', 'A', 'seats', 'A1', -3, 334.25, 1200, 0.33425, 'Annual', '2024-09-01', '2024-12-31', NULL, 'EUR', '2024-08-30Z'), ('B1', 'B', 'seats', NULL, 12, 1050, 1200, 1, 'Annual', '2025-01-01', '2999-12-31', NULL, 'EUR', '2024-12-10Z'),
    -- C: all seats taken away by an amendment of 20 September; its end date was moved. C2: a termination date. D: months without a multiplier.
    ('C1', 'C', 'seats', NULL, 4, 600, 600, 1, 'Monthly', '2024-03-01', '2025-02-28', NULL, 'EUR', '2024-02-20Z'), ('C1-', 'C', 'seats', 'C1', -4, 250, 600, 0.416667, 'Monthly', '2024-10-01', '2025-02-28', NULL, 'EUR', '2024-09-20Z'),
    ('C2', 'C', 'support', NULL, 1, 1200, 1200, 1, 'Monthly', '2024-03-01', '2025-02-28', '2024-10-01', 'EUR', '2024-02-20Z'), ('D1', 'D', 'seats', NULL, 2, 1200, NULL, NULL, 'Quarterly', '2024-01-01', '2024-12-31', NULL, NULL, '2024-01-02Z'),
    ('E1', 'E', 'seats', NULL, 1, 2400, 2400, 2, 'Semiannual', '2023-01-01', '2023-12-31', NULL, 'USD', '2023-01-01Z'), ('F1', 'F', 'seats', NULL, 1, 100, 100, 0.083333333333, 'Monthly', '2023-01-01', NULL, NULL, 'USD', '2023-01-01Z'),
    ('G1', 'G', 'seats', NULL, 5, 1200, 1200, 1, 'Annual', '2023-01-01', '2023-12-31', NULL, 'USD', '2022-12-01Z'), ('H1', 'H', 'seats', NULL, 4, 1200, 1200, 1, 'Annual', '2024-03-01', '2025-02-28', NULL, 'USD', '2024-02-20Z'),
    ('I1', 'I', 'seats', NULL, 1, 1200, 1200, 1, 'Annual', '2024-01-01', '2024-12-31', NULL, 'USD', '2023-12-01Z'), ('J1', 'J', 'seats', NULL, 1, 1200, 1200, 1, 'Annual', '2024-01-01', '2999-12-31', NULL, 'USD', '2024-02-01Z'),
    -- O2: two seats more for the summer only, entered in April: that it goes back on 1 September is known then, not before.
    ('O2', 'O', 'seats', 'O1', 2, 302.47, 1200, 0.252055, 'Annual', '2024-06-01', '2024-08-31', NULL, 'USD', '2024-04-15Z'),
    -- J2: a second seat from 1 July on, entered on 5 August.
    ('J2', 'J', 'seats', 'J1', 1, 1200, 1200, 1, 'Annual', '2024-07-01', '2999-12-31', NULL, 'USD', '2024-08-05Z'),
    ('K1', 'K', 'seats', NULL, 1, 1200, 1200, 1, 'Annual', '2024-01-01', '2024-12-31', NULL, 'USD', '2023-12-01Z'), ('L1', 'L', 'seats', NULL, 1, 1200, 1200, 1, 'Annual', '2025-01-01', NULL, NULL, 'USD', '2024-12-15Z'),
    ('O1', 'O', 'seats', NULL, 6, 1200, 1200, 1, 'Annual', '2024-01-01', '2024-12-31', NULL, 'USD', '2023-12-01Z'), ('P1', 'P', 'seats', NULL, 4, 600, 1200, 0.5, 'Annual', '2025-01-01', '2025-06-30', NULL, 'USD', '2024-12-15Z'),
    ('M1', 'M', 'seats', NULL, 1, 1, 1, 1, NULL, '2024-01-01', '2024-12-31', NULL, 'USD', '2023-12-01Z'), ('N1', 'N', 'seats', NULL, 1, 1, 1, 1, NULL, '2024-01-01', '2024-12-31', NULL, 'USD', '2023-12-01Z'),
    ('x1', 'A', 'seats', NULL, 1, 1, 1, 1, NULL, '2024-01-01', '2024-12-31', NULL, 'USD', '2023-12-01Z'), ('x2', 'nowhere', 'seats', NULL, 1, 1, 1, 1, NULL, '2024-01-01', '2024-12-31', NULL, 'USD', '2023-12-01Z'),
    ('x3', 'A', 'seats', NULL, 1, NULL, 1, 1, NULL, '2024-01-01', '2024-12-31', NULL, 'USD', '2023-12-01Z');
UPDATE salesforce.sbqq_subscription_c SET is_deleted = true WHERE id = 'x1';
\set ECHO errors
SELECT ltv.mapping_sql('salesforce.cpq', target => 'cpq') \gexec
\set ECHO all
SELECT contract_id AS c, line_id AS line, valid_from, valid_to, mrr, list_mrr AS list, quantity AS q, currency AS cur, billing_months AS bm, term_end, auto_renew AS auto, start_event, end_event
FROM cpq ORDER BY contract_id, line_id, valid_from;
SELECT contract_id AS c, line_id AS line, valid_from, account_id, parent_account_id AS parent, term_start, known_at, end_known_at, source_key FROM cpq ORDER BY contract_id, line_id, valid_from;
SELECT * FROM cpq_renewals ORDER BY contract_id;
SELECT reason, count(*) FROM cpq_excluded GROUP BY 1 ORDER BY 1;
SELECT currency, valid_from, valid_to, round(rate, 6) AS rate FROM cpq_fx_rate ORDER BY 1, 2;
SELECT count(*) AS overlaps FROM cpq a JOIN cpq b ON a.line_id = b.line_id AND a.valid_from < b.valid_from AND b.valid_from < coalesce(a.valid_to, 'infinity');
SELECT ltv.timeline_query('cpq') IS NOT NULL AS is_timeline;
-- No end is known before its row, and on no day two rows of a line are open: what was known on the first of every month.
SELECT count(*) AS impossible FROM cpq WHERE end_known_at < known_at;
SELECT count(*) AS overlaps FROM generate_series(timestamptz '2022-12-01Z', '2025-12-01Z', '1 month') day,
    LATERAL (SELECT line_id, valid_from, CASE WHEN coalesce(end_known_at, valid_to) <= day THEN valid_to END AS valid_to FROM cpq WHERE known_at <= day) a,
    LATERAL (SELECT line_id, valid_from FROM cpq WHERE known_at <= day) b
WHERE a.line_id = b.line_id AND a.valid_from < b.valid_from AND b.valid_from < coalesce(a.valid_to, 'infinity');
-- On 1 July 2024 nobody knew of the seats that would go.
SELECT line_id, valid_from, CASE WHEN end_known_at <= '2024-07-01Z' THEN valid_to END AS known_to, mrr FROM cpq WHERE line_id IN ('A1', 'C1', 'J1') AND known_at <= '2024-07-01Z' ORDER BY 1, 2;

-- Assets. 1: 10 seats, 20 from July, decided in June; a cancellation for the new year, decided on 5 August. 2: renewed once, with a rise, then not. 3: sold for ever, entered late, grown by a back-dated action.
-- 4: ends in 2999. 5: moved to another account. 6: state periods without actions, a gap between them.
INSERT INTO salesforce.asset VALUES ('a1', 'east', 'seats', 'EUR'), ('a2', 'initech', 'seats', 'eur'), ('a3', 'globex', 'core', 'USD'), ('a4', 'globex', 'core', 'USD'), ('a5', 'globex', 'core', 'USD'), ('a6', 'globex', 'core', 'USD'), ('ax', 'globex', 'core', 'USD'), ('ay', 'umbrella', 'core', 'USD');
UPDATE salesforce.asset SET is_deleted = true WHERE id = 'ax';
INSERT INTO salesforce.asset_state_period VALUES
    ('a1/1', 'a1', '2024-01-01Z', '2024-06-30 23:59:59Z', 10, 100, '2023-12-20Z'), ('a1/2', 'a1', '2024-07-01Z', '2024-12-31 23:59:59Z', 20, 200, '2024-06-10Z'), ('a1/3', 'a1', '2025-01-01Z', NULL, 0, 0, '2024-08-05Z'),
    ('a2/1', 'a2', '2023-01-01Z', '2023-12-31 23:59:59Z', 5, 50, '2022-12-01Z'), ('a2/2', 'a2', '2024-01-01Z', '2024-12-31 23:59:59Z', 5, 55, '2023-11-01Z'),
    ('a3/1', 'a3', '2023-01-01Z', '2023-05-31 23:59:59Z', 1, 1000, '2023-01-10Z'), ('a3/2', 'a3', '2023-06-01Z', NULL, 2, 2000, '2023-07-15Z'), ('a4/1', 'a4', '2024-01-01Z', '2999-12-31 23:59:59Z', 1, 10, '2024-01-01Z'),
    ('a5/1', 'a5', '2024-01-01Z', '2024-03-31 23:59:59Z', 1, 10, '2024-01-01Z'), ('a6/1', 'a6', '2024-01-01Z', '2024-03-31 23:59:59Z', 1, 10, '2024-01-01Z'), ('a6/2', 'a6', '2024-04-01Z', '2024-05-31 23:59:59Z', 1, 8, '2024-04-01Z'),
    ('a6/3', 'a6', '2024-08-01Z', '2024-12-31 23:59:59Z', 1, 8, '2024-08-01Z'), ('ax/1', 'ax', '2024-01-01Z', NULL, 1, 10, '2024-01-01Z'), ('ay/1', 'ay', '2024-01-01Z', NULL, 1, 10, '2024-01-01Z'), ('az/1', 'az', '2024-01-01Z', NULL, 1, 10, '2024-01-01Z');
INSERT INTO salesforce.asset_action VALUES
    ('aa1', 'a1', '2023-12-20Z', '2023-12-20Z', 'InitialSale', 100), ('aa2', 'a1', '2024-06-10Z', '2024-06-10Z', 'Upsells', 100), ('aa3', 'a1', '2024-08-05Z', '2024-08-05Z', 'Cancellations', -200),
    ('aa4', 'a2', '2022-12-01Z', '2022-12-01Z', 'InitialSale', 50), ('aa5', 'a2', '2023-11-01Z', '2023-11-01Z', 'Renewals', 5), ('aa6', 'a3', '2023-01-01Z', '2023-01-10Z', 'InitialSale', 1000),
    ('aa7', 'a3', '2023-06-01Z', '2023-07-15Z', 'Cross-Sells', 1000), ('aa8', 'a4', '2024-01-01Z', '2024-01-01Z', 'InitialSale', 10), ('aa9', 'a5', '2024-01-01Z', '2024-01-01Z', 'InitialSale', 10), ('aa10', 'a5', '2024-03-01Z', '2024-03-01Z', 'Transfers', -10);
\set ECHO errors
SELECT ltv.mapping_sql('salesforce.assets', target => 'assets') \gexec
\set ECHO all
SELECT line_id AS line, account_id, parent_account_id AS parent, valid_from, valid_to, mrr, quantity AS q, currency AS cur, term_start, term_end, start_event, end_event, known_at, end_known_at FROM assets ORDER BY line_id, valid_from;
SELECT source_key, reason FROM assets_excluded ORDER BY 1;
SELECT ltv.timeline_query('assets') IS NOT NULL AS is_timeline;
-- The cancellation of 5 August for the new year: what was known on three days.
SELECT day, t.valid_from, CASE WHEN t.end_known_at <= day THEN t.valid_to END AS known_to, CASE WHEN t.end_known_at <= day THEN t.end_event END AS known_event
FROM (VALUES (timestamptz '2024-05-01Z'), ('2024-07-15Z'), ('2024-08-06Z')) cutoff (day) JOIN assets t ON t.line_id = 'a1' AND t.known_at <= day ORDER BY 1, 2;

-- In New York a period that begins at midnight UTC begins the day before.
\set ECHO errors
SELECT ltv.mapping_sql('salesforce.assets', target => 'assets_ny', time_zone => 'America/New_York') \gexec
\set ECHO all
SELECT valid_from, valid_to FROM assets_ny WHERE line_id = 'a1' ORDER BY 1;

-- The seeds of dbt_salesforce have accounts and opportunities, all deleted or scrubbed, and neither contracts nor assets: with those empty, the views are valid and empty;
-- a contract with one of its opportunities as a renewal is a row.
CREATE TABLE dbt_salesforce.contract (LIKE salesforce.contract);
CREATE TABLE dbt_salesforce.sbqq_subscription_c (LIKE salesforce.sbqq_subscription_c);
CREATE TABLE dbt_salesforce.dated_conversion_rate (LIKE salesforce.dated_conversion_rate);
ALTER TABLE dbt_salesforce.opportunity ALTER close_date TYPE date USING close_date::date;
\set ECHO errors
SELECT ltv.mapping_sql('salesforce.cpq', 'dbt_salesforce', 'seed') \gexec
\set ECHO all
SELECT (SELECT count(*) FROM seed) AS lines, (SELECT count(*) FROM seed_renewals) AS renewals, (SELECT count(*) FROM dbt_salesforce.account) AS accounts, (SELECT count(*) FROM dbt_salesforce.opportunity) AS opportunities;
INSERT INTO dbt_salesforce.contract SELECT 'of the seed', a.id, 'Expired', '2018-01-01', '2018-12-31', 'USD', o.id, NULL, false, false
FROM (SELECT min(id) AS id FROM dbt_salesforce.account WHERE NOT is_deleted) a, dbt_salesforce.opportunity o WHERE o.id = '006q000000HddohAAB';
INSERT INTO dbt_salesforce.sbqq_subscription_c (id, sbqq_contract_c, sbqq_quantity_c, sbqq_net_price_c, sbqq_subscription_start_date_c, sbqq_subscription_end_date_c, created_date) VALUES ('s', 'of the seed', 1, 1200, '2018-01-01', '2018-12-31', '2018-01-01Z');
UPDATE dbt_salesforce.opportunity SET is_deleted = false WHERE id = '006q000000HddohAAB';
SELECT valid_from, valid_to, mrr, end_event, end_known_at FROM seed;
SELECT due_on, outcome, decided_on, mrr_before, opportunity_id FROM seed_renewals;
