-- mapping_sql for Chargebee, Recurly, Zuora and HubSpot: rows of every case, then the seed tables of public dbt packages.
\set ECHO none
\ir ../dbt_seeds.sql
\set ECHO all
SELECT source, default_schema, needs, views FROM ltv.mapping_sources();
SELECT count(*) AS named, count(DISTINCT limits) AS limits FROM ltv.mapping_sources() WHERE limits <> '' AND needs <> '';

-- Chargebee, synced in append mode: every version of a subscription. Seconds since 1970, minor units.
CREATE SCHEMA chargebee;
CREATE TABLE chargebee.customer (id text, deleted boolean, relationship jsonb);
CREATE TABLE chargebee.subscription (id text, customer_id text, status text, currency_code text, mrr bigint, billing_period int, billing_period_unit text, subscription_items jsonb, contract_term jsonb,
    started_at bigint, activated_at bigint, start_date bigint, created_at bigint, updated_at bigint, trial_end bigint, pause_date bigint, cancelled_at bigint, cancel_schedule_created_at bigint,
    cancel_reason text, current_term_end bigint, due_since bigint, deleted boolean);
CREATE FUNCTION s(at timestamptz) RETURNS bigint LANGUAGE sql AS 'SELECT extract(epoch FROM at)::bigint';
CREATE FUNCTION item(plan text, quantity int, amount bigint) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array(jsonb_build_object('item_price_id', plan, 'item_type', 'plan', 'quantity', quantity, 'amount', amount), jsonb_build_object('item_price_id', 'setup', 'item_type', 'charge', 'quantity', 1, 'amount', 99900)) $$;
INSERT INTO chargebee.customer VALUES ('acme', false, '{"parent_id": "holding"}'), ('nippon', false, NULL), ('gone', true, NULL);
-- c1: 12,000 a year under a contract of one year with a discount of 10 % in MRR, renewed at 13,200. c2: yen: trial, active, paused, resumed. c3: dinars by the quarter, past due, not paid.
-- c4: cancelled in the middle of the month; c5: set to end with the month. c6: only its last version, cancelled: no MRR, so its items'. c7: left its contract early. c8: moved to another site.
INSERT INTO chargebee.subscription (id, customer_id, status, currency_code, mrr, billing_period, billing_period_unit, subscription_items, contract_term, started_at, updated_at, trial_end, pause_date, cancelled_at, cancel_schedule_created_at, cancel_reason, current_term_end, due_since) VALUES
    ('c1', 'acme', 'active', 'USD', 90000, 1, 'year', item('core', 1, 1200000), jsonb_build_object('contract_start', s('2024-01-15Z'), 'contract_end', s('2025-01-15Z'), 'action_at_term_end', 'renew'), s('2024-01-15Z'), s('2024-01-15 09:00Z'), NULL, NULL, NULL, NULL, NULL, s('2025-01-15Z'), NULL),
    ('c1', 'acme', 'active', 'USD', 90000, 1, 'year', item('core', 1, 1200000), jsonb_build_object('contract_start', s('2024-01-15Z'), 'contract_end', s('2025-01-15Z'), 'action_at_term_end', 'renew'), s('2024-01-15Z'), s('2024-05-02 09:00Z'), NULL, NULL, NULL, NULL, NULL, s('2025-01-15Z'), NULL),
    ('c1', 'acme', 'active', 'USD', 110000, 1, 'year', item('core', 1, 1320000), jsonb_build_object('contract_start', s('2025-01-15Z'), 'contract_end', s('2026-01-15Z'), 'action_at_term_end', 'cancel'), s('2024-01-15Z'), s('2025-01-15 00:10Z'), NULL, NULL, NULL, NULL, NULL, s('2026-01-15Z'), NULL),
    ('c2', 'nippon', 'in_trial', 'JPY', 0, 1, 'month', item('core', 3, 300000), NULL, s('2024-02-01Z'), s('2024-02-01Z'), s('2024-02-15Z'), NULL, NULL, NULL, NULL, NULL, NULL),
    ('c2', 'nippon', 'active', 'JPY', 300000, 1, 'month', item('core', 3, 300000), NULL, s('2024-02-01Z'), s('2024-02-15Z'), s('2024-02-15Z'), NULL, NULL, NULL, NULL, s('2024-03-15Z'), NULL),
    ('c2', 'nippon', 'paused', 'JPY', 0, 1, 'month', item('core', 3, 300000), NULL, s('2024-02-01Z'), s('2024-04-15 06:00Z'), s('2024-02-15Z'), s('2024-04-15Z'), NULL, NULL, NULL, NULL, NULL),
    ('c2', 'nippon', 'active', 'JPY', 400000, 1, 'month', item('core', 4, 400000), NULL, s('2024-02-01Z'), s('2024-06-15Z'), s('2024-02-15Z'), NULL, NULL, NULL, NULL, s('2024-07-15Z'), NULL),
    ('c3', 'acme', 'active', 'KWD', 30000, 3, 'month', item('core', 1, 90000), NULL, s('2024-02-01Z'), s('2024-02-01Z'), NULL, NULL, NULL, NULL, NULL, s('2024-05-01Z'), NULL),
    ('c3', 'acme', 'active', 'KWD', 30000, 3, 'month', item('core', 1, 90000), NULL, s('2024-02-01Z'), s('2024-05-01Z'), NULL, NULL, NULL, NULL, NULL, s('2024-08-01Z'), s('2024-05-01Z')),
    ('c3', 'acme', 'cancelled', 'KWD', 0, 3, 'month', item('core', 1, 90000), NULL, s('2024-02-01Z'), s('2024-06-01Z'), NULL, NULL, s('2024-06-01Z'), NULL, 'not_paid', s('2024-08-01Z'), s('2024-05-01Z')),
    ('c4', 'acme', 'active', 'USD', 10000, 1, 'month', item('core', 1, 10000), NULL, s('2024-03-01Z'), s('2024-03-01Z'), NULL, NULL, NULL, NULL, NULL, s('2024-04-01Z'), NULL),
    ('c4', 'acme', 'cancelled', 'USD', 0, 1, 'month', item('core', 1, 10000), NULL, s('2024-03-01Z'), s('2024-05-11 10:00Z'), NULL, NULL, s('2024-05-11 10:00Z'), NULL, NULL, s('2024-06-01Z'), NULL),
    ('c5', 'acme', 'active', 'USD', 10000, 1, 'month', item('core', 1, 10000), NULL, s('2024-03-01Z'), s('2024-03-01Z'), NULL, NULL, NULL, NULL, NULL, s('2024-04-01Z'), NULL),
    ('c5', 'acme', 'non_renewing', 'USD', 10000, 1, 'month', item('core', 1, 10000), NULL, s('2024-03-01Z'), s('2024-06-05Z'), NULL, NULL, s('2024-07-01Z'), s('2024-06-05Z'), NULL, s('2024-07-01Z'), NULL),
    ('c6', 'acme', 'cancelled', 'USD', 0, 1, 'week', item('core', 1, 5200), NULL, s('2024-03-01Z'), s('2024-08-01Z'), NULL, NULL, s('2024-08-01Z'), NULL, NULL, s('2024-08-01Z'), NULL),
    ('c7', 'acme', 'active', 'USD', 10000, 1, 'month', item('core', 1, 10000), jsonb_build_object('contract_start', s('2024-01-01Z'), 'contract_end', s('2025-01-01Z'), 'action_at_term_end', 'evergreen'), s('2024-01-01Z'), s('2024-01-01Z'), NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('c7', 'acme', 'cancelled', 'USD', 0, 1, 'month', item('core', 1, 10000), jsonb_build_object('contract_start', s('2024-01-01Z'), 'contract_end', s('2025-01-01Z'), 'action_at_term_end', 'evergreen'), s('2024-01-01Z'), s('2024-06-01Z'), NULL, NULL, s('2024-06-01Z'), s('2024-05-20Z'), 'other', s('2024-07-01Z'), NULL),
    ('c8', 'acme', 'transferred', 'USD', 0, 1, 'month', item('core', 1, 10000), NULL, s('2024-01-01Z'), s('2024-06-01Z'), NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('x1', 'acme', 'future', 'USD', 0, 1, 'month', item('core', 1, 10000), NULL, NULL, s('2024-06-01Z'), NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('x2', 'gone', 'active', 'USD', 10000, 1, 'month', item('core', 1, 10000), NULL, s('2024-01-01Z'), s('2024-06-01Z'), NULL, NULL, NULL, NULL, NULL, NULL, NULL);
\set ECHO errors
SELECT ltv.mapping_sql('chargebee', target => 'chargebee_timeline') \gexec
\set ECHO all
SELECT contract_id AS c, valid_from, valid_to, state, mrr, list_mrr AS list, quantity AS q, currency AS cur, billing_months AS bm, term_start, term_end, auto_renew AS auto, start_event, end_event FROM chargebee_timeline ORDER BY contract_id, valid_from;
SELECT contract_id AS c, valid_from, account_id, parent_account_id AS parent, product, known_at, end_known_at FROM chargebee_timeline ORDER BY contract_id, valid_from;
SELECT source_key, reason FROM chargebee_timeline_excluded ORDER BY 1;
SELECT ltv.timeline_query('chargebee_timeline') IS NOT NULL AS is_timeline;

-- Recurly's seed: a subscription that ended on its first day, twice; one with two versions; one of 2,999 and add-ons of 2,597 with a trial of a week and 10 % off that recur: 5,596 × 0.9 = 5,036.40.
\set ECHO errors
SELECT ltv.mapping_sql('recurly', 'dbt_recurly', 'recurly_timeline') \gexec
\set ECHO all
SELECT left(contract_id, 8) AS contract, valid_from, valid_to, state, mrr, list_mrr, quantity AS q, currency AS cur, billing_months AS bm, term_end, auto_renew AS auto, start_event, end_event, known_at, end_known_at FROM recurly_timeline ORDER BY contract_id, valid_from;
SELECT * FROM recurly_timeline_excluded;
-- Rows of our own. r1: a year's term of 12,000, renewed for 13,200 with auto-renew, then set not to renew. r2: paused. r3: not paid. r4: by the week.
INSERT INTO dbt_recurly.plan_history (id, code, interval_unit, interval_length, updated_at) VALUES ('year', 'year', 'months', 12, '2020-01-01Z'), ('month', 'month', 'months', 1, '2020-01-01Z'), ('week', 'week', 'weeks', 1, '2020-01-01Z');
INSERT INTO dbt_recurly.account_history (id, updated_at, deleted_at) VALUES ('ours', '2020-01-01Z', NULL), ('closed', '2020-01-01Z', '2024-01-01Z');
INSERT INTO dbt_recurly.subscription_history (id, account_id, plan_id, state, activated_at, created_at, updated_at, canceled_at, expires_at, current_term_started_at, current_term_ends_at, current_period_ends_at, total_billing_cycles, auto_renew, currency, unit_amount, quantity, add_ons_total, expiration_reason, paused_at) VALUES
    ('r1', 'ours', 'year', 'active', '2023-01-01Z', '2023-01-01Z', '2023-01-01Z', NULL, NULL, '2023-01-01Z', '2024-01-01Z', '2024-01-01Z', 1, true, 'EUR', 12000, 1, 0, NULL, NULL),
    ('r1', 'ours', 'year', 'active', '2023-01-01Z', '2023-01-01Z', '2024-01-01Z', NULL, NULL, '2024-01-01Z', '2025-01-01Z', '2025-01-01Z', 1, true, 'EUR', 13200, 1, 0, NULL, NULL),
    ('r1', 'ours', 'year', 'canceled', '2023-01-01Z', '2023-01-01Z', '2024-06-10Z', '2024-06-10Z', '2025-01-01Z', '2024-01-01Z', '2025-01-01Z', '2025-01-01Z', 1, true, 'EUR', 13200, 1, 0, NULL, NULL),
    ('r2', 'ours', 'month', 'active', '2023-01-01Z', '2023-01-01Z', '2023-01-01Z', NULL, NULL, '2023-01-01Z', '2023-02-01Z', '2023-02-01Z', 1, true, 'EUR', 100, 2, 50, NULL, NULL),
    ('r2', 'ours', 'month', 'paused', '2023-01-01Z', '2023-01-01Z', '2023-03-15Z', NULL, NULL, '2023-03-01Z', '2023-04-01Z', '2023-04-01Z', 1, true, 'EUR', 100, 2, 50, NULL, '2023-04-01Z'),
    ('r2', 'ours', 'month', 'active', '2023-01-01Z', '2023-01-01Z', '2023-06-01Z', NULL, NULL, '2023-06-01Z', '2023-07-01Z', '2023-07-01Z', 1, true, 'EUR', 100, 1, 0, NULL, NULL),
    ('r3', 'ours', 'month', 'active', '2023-01-01Z', '2023-01-01Z', '2023-01-01Z', NULL, NULL, '2023-01-01Z', '2023-02-01Z', '2023-02-01Z', 1, true, 'EUR', 100, 1, 0, NULL, NULL),
    ('r3', 'ours', 'month', 'expired', '2023-01-01Z', '2023-01-01Z', '2023-05-20Z', NULL, '2023-05-20Z', '2023-05-01Z', '2023-06-01Z', '2023-06-01Z', 1, true, 'EUR', 100, 1, 0, 'nonpayment', NULL),
    ('r4', 'ours', 'week', 'active', '2023-01-01Z', '2023-01-01Z', '2023-01-01Z', NULL, NULL, '2023-01-01Z', '2023-01-08Z', '2023-01-08Z', 1, true, 'EUR', 52, 1, 0, NULL, NULL),
    ('x1', 'closed', 'week', 'active', '2023-01-01Z', '2023-01-01Z', '2023-01-01Z', NULL, NULL, '2023-01-01Z', '2023-01-08Z', '2023-01-08Z', 1, true, 'EUR', 52, 1, 0, NULL, NULL),
    ('x2', 'ours', 'week', 'future', NULL, '2023-01-01Z', '2023-01-01Z', NULL, NULL, NULL, NULL, NULL, 1, true, 'EUR', 52, 1, 0, NULL, NULL);
SELECT contract_id AS c, valid_from, valid_to, state, mrr, quantity AS q, billing_months AS bm, term_start, term_end, auto_renew AS auto, start_event, end_event, known_at, end_known_at FROM recurly_timeline WHERE account_id = 'ours' ORDER BY contract_id, valid_from;
UPDATE dbt_recurly.subscription_history SET expiration_reason = 'tax_location_invalid' WHERE id = 'r3' AND state = 'expired';
SELECT contract_id AS c, valid_to, end_event FROM recurly_timeline WHERE contract_id = 'r3' ORDER BY valid_from;
SELECT source_key, reason FROM recurly_timeline_excluded ORDER BY 1;
SELECT ltv.timeline_query('recurly_timeline') IS NOT NULL AS is_timeline;

-- Zuora's seed: the charges belong to subscriptions that it leaves out.
\set ECHO errors
SELECT ltv.mapping_sql('zuora', 'dbt_zuora', 'zuora_timeline') \gexec
\set ECHO all
SELECT count(*) FROM zuora_timeline;
SELECT reason, count(*) FROM zuora_timeline_excluded GROUP BY 1 ORDER BY 1;
SELECT * FROM zuora_timeline_fx_rate ORDER BY 1, 2;
-- With its charge of 49 a month, billed by the year, joined to a subscription it is a row; the one of 0 too.
UPDATE dbt_zuora.rate_plan_charge SET subscription_id = 'dff38ac0a04b7bdd977a34ba9cb9bb77' WHERE id IN (SELECT id FROM dbt_zuora.rate_plan_charge WHERE mrr = 49 OR charge_number = 'C-00000035');
UPDATE dbt_zuora.rate_plan_charge SET subscription_id = (SELECT id FROM dbt_zuora.subscription WHERE name = 'A-S00000011') WHERE subscription_id = 'dff38ac0a04b7bdd977a34ba9cb9bb77';
UPDATE dbt_zuora.account SET id = (SELECT account_id FROM dbt_zuora.subscription WHERE name = 'A-S00000011'), _fivetran_deleted = false WHERE id = (SELECT min(id) FROM dbt_zuora.account);
SELECT contract_id, line_id, product, valid_from, valid_to, state, mrr, quantity AS q, currency, billing_months AS bm, payment_timing AS timing, term_end, auto_renew AS auto, start_event, end_event, known_at, end_known_at FROM zuora_timeline ORDER BY line_id;
-- Rows of our own. z1: two segments of one charge, the second at a higher price from the renewal on; version 2 copies the first. z2: suspended for two months, cancelled before the end of its term.
-- z3: more seats. z5: renewed at the same price: one segment, two terms. Usage, one-time and discount charges, older versions and drafts are left out.
INSERT INTO dbt_zuora.account (id, parent_id, currency, _fivetran_deleted) VALUES ('acme', 'holding', 'EUR', false);
INSERT INTO dbt_zuora.subscription (id, original_id, name, account_id, version, is_latest_version, status, term_type, term_start_date, term_end_date, auto_renew, cancelled_date, cancel_reason, created_date, updated_date) VALUES
    ('z1v1', 'z1v1', 'z1', 'acme', 1, false, 'Expired', 'TERMED', '2023-01-01', '2024-01-01', true, NULL, NULL, '2022-12-15Z', '2023-11-20Z'), ('z1v2', 'z1v1', 'z1', 'acme', 2, true, 'Active', 'TERMED', '2024-01-01', '2999-01-01', true, NULL, NULL, '2023-11-20Z', '2023-11-20Z'),
    ('z2v1', 'z2v1', 'z2', 'acme', 1, false, 'Active', 'TERMED', '2024-01-01', '2025-01-01', false, NULL, NULL, '2023-12-15Z', '2024-08-20Z'), ('z2v2', 'z2v1', 'z2', 'acme', 2, true, 'Cancelled', 'TERMED', '2024-01-01', '2025-01-01', false, '2024-09-01', 'No longer used', '2024-08-20Z', '2024-08-20Z'),
    ('z3v1', 'z3v1', 'z3', 'acme', 1, true, 'Active', 'EVERGREEN', '2024-01-01', NULL, NULL, NULL, NULL, '2023-12-15Z', '2023-12-15Z'), ('z4', 'z4', 'z4', 'acme', 1, true, 'Draft', 'EVERGREEN', '2024-01-01', NULL, NULL, NULL, NULL, '2023-12-15Z', '2023-12-15Z'),
    ('z5v1', 'z5v1', 'z5', 'acme', 1, false, 'Expired', 'TERMED', '2023-01-01', '2024-01-01', false, NULL, NULL, '2022-12-15Z', '2023-11-20Z'), ('z5v2', 'z5v1', 'z5', 'acme', 2, true, 'Active', 'TERMED', '2024-01-01', '2025-01-01', false, NULL, NULL, '2023-11-20Z', '2023-11-20Z');
INSERT INTO dbt_zuora.amendment (id, subscription_id, type, suspend_date, resume_date, created_date) VALUES ('m1', 'z2v1', 'SuspendSubscription', '2024-04-01', NULL, '2024-03-10Z'), ('m2', 'z2v1', 'ResumeSubscription', NULL, '2024-06-01', '2024-05-20Z');
INSERT INTO dbt_zuora.rate_plan_charge (id, subscription_id, charge_number, segment, name, charge_type, charge_model, effective_start_date, effective_end_date, mrr, quantity, transaction_currency, billing_period, billing_timing, created_date) VALUES
    ('z1v1-1', 'z1v1', 'C1', 1, 'Seats', 'Recurring', 'Per Unit Pricing', '2023-01-01', '2024-01-01', 1000, 10, 'EUR', 'Annual', 'In Advance', '2022-12-15Z'), ('z1v2-1', 'z1v2', 'C1', 1, 'Seats', 'Recurring', 'Per Unit Pricing', '2023-01-01', '2024-01-01', 1000, 10, 'EUR', 'Annual', 'In Advance', '2023-11-20Z'),
    ('z1v2-2', 'z1v2', 'C1', 2, 'Seats', 'Recurring', 'Per Unit Pricing', '2024-01-01', '2999-01-01', 1100, 10, 'EUR', 'Annual', 'In Advance', '2023-11-20Z'), ('z1d', 'z1v2', 'C2', 1, 'Discount', 'Recurring', 'Discount-Percentage', '2024-01-01', '2999-01-01', 0, NULL, 'EUR', 'Annual', 'In Advance', '2023-11-20Z'),
    ('z1s', 'z1v2', 'C3', 1, 'Set-up', 'OneTime', 'Flat Fee Pricing', '2023-01-01', '2023-01-02', NULL, NULL, 'EUR', NULL, NULL, '2022-12-15Z'), ('z2v2-1', 'z2v2', 'C4', 1, 'Core', 'Recurring', 'Flat Fee Pricing', '2024-01-01', '2025-01-01', 300, NULL, 'EUR', 'Quarter', 'In Arrears', '2023-12-15Z'),
    ('z3-1', 'z3v1', 'C5', 1, 'Seats', 'Recurring', 'Per Unit Pricing', '2024-01-01', '2024-07-01', 100, 1, NULL, 'Month', 'In Advance', '2023-12-15Z'), ('z3-2', 'z3v1', 'C5', 2, 'Seats', 'Recurring', 'Per Unit Pricing', '2024-07-01', NULL, 300, 3, NULL, 'Month', 'In Advance', '2024-06-20Z'),
    ('z5v1-1', 'z5v1', 'C7', 1, 'Core', 'Recurring', 'Flat Fee Pricing', '2023-01-01', '2024-01-01', 50, NULL, 'EUR', 'Month', 'In Advance', '2022-12-15Z'), ('z5v2-1', 'z5v2', 'C7', 1, 'Core', 'Recurring', 'Flat Fee Pricing', '2023-01-01', '2025-01-01', 50, NULL, 'EUR', 'Month', 'In Advance', '2023-11-20Z'),
    ('z4-1', 'z4', 'C6', 1, 'Seats', 'Recurring', 'Per Unit Pricing', '2024-01-01', NULL, 100, 1, 'EUR', 'Month', 'In Advance', '2023-12-15Z');
SELECT contract_id AS c, line_id AS line, account_id, parent_account_id AS parent, valid_from, valid_to, state, mrr, quantity AS q, currency AS cur, billing_months AS bm, payment_timing AS timing, term_start, term_end, auto_renew AS auto, start_event, end_event FROM zuora_timeline WHERE account_id = 'acme' ORDER BY line_id, valid_from;
SELECT line_id AS line, valid_from, known_at, end_known_at, source_key FROM zuora_timeline WHERE account_id = 'acme' ORDER BY line_id, valid_from;
SELECT source_key, reason FROM zuora_timeline_excluded WHERE source_key LIKE 'z%' ORDER BY 1;
UPDATE dbt_zuora.subscription SET cancel_reason = 'Payment failed' WHERE id = 'z2v2';
SELECT line_id AS line, valid_to, end_event FROM zuora_timeline WHERE line_id = 'C4' AND valid_to = '2024-09-01';
SELECT ltv.timeline_query('zuora_timeline') IS NOT NULL AS is_timeline;

-- HubSpot's seed: no deal of it has an amount.
\set ECHO errors
SELECT ltv.mapping_sql('hubspot', 'dbt_hubspot', 'hubspot_timeline') \gexec
\set ECHO all
SELECT (SELECT count(*) FROM hubspot_timeline) AS rows, (SELECT count(*) FROM dbt_hubspot.deal) AS deals;
SELECT reason, count(*) FROM hubspot_timeline_excluded GROUP BY 1 ORDER BY 1;
-- Rows of our own, on the seed's won stage. Company 1: 12,000 for 2022, early renewed for 13,200, and then not; back for 6,000 after half a year. Company 2: a deal merged away, two of one day.
INSERT INTO dbt_hubspot.company (id, is_deleted) VALUES (1, false), (2, false), (3, true);
INSERT INTO dbt_hubspot.deal (deal_id, is_deleted, deal_pipeline_id, deal_pipeline_stage_id, property_amount, property_closedate)
SELECT id, deleted, 'sales', '/n0+plNHbWErNq8Ek+NM3g==', amount, closed FROM (VALUES (1, false, 12000, timestamptz '2022-01-10Z'), (2, false, 13200, '2022-12-20Z'), (3, false, 6000, '2024-07-01Z'), (4, false, 2400, '2022-01-01Z'), (5, false, 2400, '2022-01-01Z'),
    (6, false, 1200, '2022-01-01Z'), (7, true, 1200, '2022-01-01Z'), (8, false, 1200, '2022-01-01Z'), (9, false, 1200, NULL), (10, false, 1200, '2022-01-01Z')) d (id, deleted, amount, closed);
INSERT INTO dbt_hubspot.deal_company (deal_id, company_id) VALUES (1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2), (7, 2), (8, 3), (9, 1);
INSERT INTO dbt_hubspot.merged_deal (deal_id, merged_deal_id) VALUES (4, 6);
INSERT INTO dbt_hubspot.deal_stage (deal_id, value, date_entered) VALUES (1, '/n0+plNHbWErNq8Ek+NM3g==', '2022-01-12 10:00Z'), (2, '/n0+plNHbWErNq8Ek+NM3g==', '2022-12-20 10:00Z');
SELECT account_id, contract_id, line_id, valid_from, valid_to, mrr, currency, term_end, start_event, end_event, known_at, end_known_at FROM hubspot_timeline ORDER BY line_id, valid_from;
SELECT source_key, reason FROM hubspot_timeline_excluded WHERE source_key::bigint < 100 ORDER BY source_key::bigint;
SELECT ltv.timeline_query('hubspot_timeline') IS NOT NULL AS is_timeline;
