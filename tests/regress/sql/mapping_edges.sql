-- The edge cases of billing data that no other mapping test has. docs/mappings.md lists every case, and the test that proves it.
CREATE SCHEMA stripe;
CREATE TABLE stripe.customer (id text, is_deleted boolean, metadata text);
CREATE TABLE stripe.price (id text, product_id text, unit_amount bigint, recurring_interval text, recurring_interval_count int, recurring_usage_type text);
CREATE TABLE stripe.subscription_history (id text, customer_id text, status text, quantity int, trial_end timestamptz, cancel_at timestamptz, cancel_at_period_end boolean,
    canceled_at timestamptz, ended_at timestamptz, current_period_end timestamptz, pause_collection_behavior text, metadata text, livemode boolean DEFAULT true,
    _fivetran_active boolean DEFAULT true, _fivetran_start timestamptz DEFAULT '2024-01-01Z', _fivetran_end timestamptz);
CREATE TABLE stripe.invoice (id text, status text, created timestamptz);
CREATE TABLE stripe.invoice_line_item (id text, invoice_id text, subscription_id text, subscription_item_id text, price_id text, plan_id text, type text, proration boolean,
    amount bigint, quantity int, unit_amount_excluding_tax text, currency text, period_start timestamptz, period_end timestamptz);
CREATE TABLE stripe.coupon (id text, percent_off float8, amount_off bigint, duration text, duration_in_months int, currency text);
CREATE TABLE stripe.subscription_discount (id text, subscription_id text, coupon_id text, start timestamptz, "end" timestamptz);
-- bill: n invoices of a price from a day on, each on its own invoice; amounts in minor units a unit.
CREATE FUNCTION bill(sub text, price text, quantity int, unit numeric, first timestamptz, n int DEFAULT 1, status text DEFAULT 'paid', currency text DEFAULT 'usd', item text DEFAULT NULL, again text DEFAULT '', until timestamptz DEFAULT NULL, proration boolean DEFAULT false)
RETURNS void LANGUAGE sql AS $$
    WITH i AS (SELECT first + g * every AS starts, coalesce(until, first + (g + 1) * every) AS ends, sub || '/' || to_char(first + g * every, 'YYMMDD') || again AS invoice
               FROM (SELECT (recurring_interval_count || ' ' || recurring_interval)::interval AS every FROM stripe.price WHERE id = bill.price) p, generate_series(0, n - 1) g),
    written AS (INSERT INTO stripe.invoice SELECT invoice, status, starts + CASE again WHEN '' THEN '0'::interval ELSE '10 days' END FROM i WHERE NOT EXISTS (SELECT FROM stripe.invoice v WHERE v.id = i.invoice))
    INSERT INTO stripe.invoice_line_item SELECT invoice || '/' || coalesce(item, sub), invoice, sub, coalesce(item, sub), price, NULL, 'subscription', proration, round(unit * quantity), quantity, unit::text, currency, starts, ends FROM i
$$;
SET timezone = 'UTC';
INSERT INTO stripe.customer VALUES ('acme', false, '{}');
INSERT INTO stripe.price VALUES ('seat', 'seats', 5000, 'month', 1, 'licensed'), ('addon', 'support', 15000, 'month', 1, 'licensed'), ('daily', 'core', 100, 'day', 1, 'licensed'), ('weekly', 'core', 100, 'week', 1, 'licensed'),
    ('fortnightly', 'core', 100, 'week', 2, 'licensed'), ('quarterly', 'core', 100, 'month', 3, 'licensed'), ('half-yearly', 'core', 100, 'month', 6, 'licensed'), ('yearly', 'core', 1200000, 'year', 1, 'licensed'), ('three years', 'core', 100, 'year', 3, 'licensed');

-- Currencies: 123456 in the smallest unit of each of Stripe's sixteen without decimals, five with three, the four that it treats otherwise, and one like most.
INSERT INTO stripe.subscription_history (id, customer_id, status) SELECT 'currency ' || code, 'acme', 'active' FROM unnest('{BIF,CLP,DJF,GNF,JPY,KMF,KRW,MGA,PYG,RWF,UGX,VND,VUV,XAF,XOF,XPF,BHD,JOD,KWD,OMR,TND,ISK,HUF,TWD,EUR}'::text[]) code;
SELECT bill(id, 'seat', 1, 123456, '2024-02-01Z', currency => lower(right(id, 3))) FROM stripe.subscription_history WHERE id LIKE 'currency%' \g /dev/null
-- Periods: 365.00, 52.00, 26.00 and so on a period come to the same month.
INSERT INTO stripe.subscription_history (id, customer_id, status) SELECT id, 'acme', 'active' FROM stripe.price WHERE product_id = 'core';
SELECT bill(id, id, 1, amount, '2024-02-01Z') FROM (VALUES ('daily', 10000), ('weekly', 70192.307692), ('fortnightly', 140384.615385), ('quarterly', 912500), ('half-yearly', 1825000), ('yearly', 3650000), ('three years', 10950000)) p (id, amount) \g /dev/null

-- Seats in the middle of a month: 10 from 1 May, 15 from the 16th on, which the invoice of June bills with a proration for May, 12 from 10 June on; a fifth off for ever.
INSERT INTO stripe.subscription_history (id, customer_id, status, quantity, _fivetran_active, _fivetran_start, _fivetran_end) VALUES ('seats', 'acme', 'active', 10, false, '2024-05-01Z', '2024-05-16 10:00Z'),
    ('seats', 'acme', 'active', 15, false, '2024-05-16 10:00Z', '2024-06-10 12:00Z'), ('seats', 'acme', 'active', 12, true, '2024-06-10 12:00Z', NULL);
SELECT bill('seats', 'seat', 10, 5000, '2024-05-01Z'), bill('seats', 'seat', 15, 5000, '2024-06-01Z'), bill('seats', 'seat', 12, 5000, '2024-07-01Z', 2), bill('seats', 'seat', 5, 2580, '2024-05-16 10:00Z', 1, 'paid', proration => true, again => ' proration') \g /dev/null
INSERT INTO stripe.coupon VALUES ('fifth', 20, NULL, 'forever', NULL, NULL);
INSERT INTO stripe.subscription_discount VALUES ('d', 'seats', 'fifth', '2024-05-01Z', NULL);
-- A version that lands a day after its invoice says nothing against it. A year's bill: three seats more after four months. With two items Stripe states no quantity that would be theirs.
INSERT INTO stripe.subscription_history (id, customer_id, status, quantity, _fivetran_active, _fivetran_start, _fivetran_end) VALUES ('lag', 'acme', 'active', 7, false, '2024-05-01Z', '2024-06-02Z'), ('lag', 'acme', 'active', 9, true, '2024-06-02Z', NULL),
    ('year', 'acme', 'active', 4, false, '2024-03-01Z', '2024-07-05Z'), ('year', 'acme', 'active', 7, true, '2024-07-05Z', NULL), ('two', 'acme', 'active', 8, false, '2024-05-01Z', '2024-05-20Z'), ('two', 'acme', 'active', 6, true, '2024-05-20Z', NULL);
SELECT bill('lag', 'seat', 7, 5000, '2024-05-01Z'), bill('lag', 'seat', 9, 5000, '2024-06-01Z'), bill('year', 'yearly', 4, 1200000, '2024-03-01Z'), bill('two', 'seat', 8, 5000, '2024-05-01Z', item => 'two a'), bill('two', 'addon', 1, 15000, '2024-05-01Z', item => 'two b') \g /dev/null

-- Pauses from 10 May to 20 July: the three ways to pause collection leave the status active, and the newer status says it itself. What is billed meanwhile is a draft, uncollectible, void or nothing.
INSERT INTO stripe.subscription_history (id, customer_id, status, pause_collection_behavior, _fivetran_active, _fivetran_start, _fivetran_end)
SELECT 'pause ' || how, 'acme', CASE WHEN how = 'status' AND spell = 2 THEN 'paused' ELSE 'active' END, CASE WHEN how <> 'status' AND spell = 2 THEN how END, spell = 3,
       (ARRAY['2024-03-01Z', '2024-05-10Z', '2024-07-20Z'])[spell]::timestamptz, (ARRAY['2024-05-10Z', '2024-07-20Z', NULL])[spell]::timestamptz
FROM unnest('{keep_as_draft,mark_uncollectible,void,status}'::text[]) how, generate_series(1, 3) spell;
SELECT bill('pause ' || how, 'seat', 4, 5000, '2024-03-01Z', 3), bill('pause ' || how, 'seat', 4, 5000, '2024-06-01Z', 2, status), bill('pause ' || how, 'seat', 4, 5000, '2024-08-01Z', 2)
FROM (VALUES ('keep_as_draft', 'draft'), ('mark_uncollectible', 'uncollectible'), ('void', 'void'), ('status', 'void')) p (how, status) \g /dev/null

-- Grace: the next bill comes three days after the last day paid for, and four.
INSERT INTO stripe.subscription_history (id, customer_id, status) VALUES ('three days', 'acme', 'active'), ('four days', 'acme', 'active');
SELECT bill('three days', 'seat', 1, 5000, '2024-03-01Z'), bill('three days', 'seat', 1, 5000, '2024-04-04Z'), bill('four days', 'seat', 1, 5000, '2024-03-01Z'), bill('four days', 'seat', 1, 5000, '2024-04-05Z') \g /dev/null

-- Renewal by itself: cancelled to the end of a period that is stated, that is not (newer versions of Stripe), to a day; and not cancelled.
INSERT INTO stripe.subscription_history (id, customer_id, status, cancel_at_period_end, cancel_at, canceled_at, current_period_end) VALUES ('ends stated', 'acme', 'active', true, NULL, '2024-03-20Z', '2024-06-01Z'),
    ('ends unstated', 'acme', 'active', true, NULL, '2024-03-20Z', NULL), ('ends on a day', 'acme', 'active', false, '2024-05-15Z', '2024-03-20Z', '2024-06-01Z'), ('goes on', 'acme', 'active', false, NULL, NULL, '2024-06-01Z');
SELECT bill(id, 'seat', q, 5000, first::timestamptz, n) FROM unnest('{ends stated,ends unstated,ends on a day,goes on}'::text[]) id, (VALUES (1, '2024-03-01Z', 2), (2, '2024-05-01Z', 1)) b (q, first, n) \g /dev/null

-- Terms: left before a contract's end and at it; a year's bill is a term of its own, whose boundary is a renewal, here with a rise, then left in the middle; a month's is none.
INSERT INTO stripe.subscription_history (id, customer_id, status, canceled_at, ended_at, metadata) VALUES ('left early', 'acme', 'canceled', '2024-05-01Z', '2024-05-31Z', '{"contract_start": "2024-03-01", "contract_end": "2024-06-01"}'),
    ('left at the end', 'acme', 'canceled', '2024-05-01Z', '2024-06-01Z', '{"contract_start": "2024-03-01", "contract_end": "2024-06-01"}'), ('years', 'acme', 'canceled', '2024-03-05Z', '2024-03-20Z', NULL),
    ('years kept', 'acme', 'canceled', '2023-11-05Z', '2024-01-10Z', NULL), ('years in trial', 'acme', 'active', NULL, NULL, NULL), ('months', 'acme', 'active', NULL, NULL, NULL);
UPDATE stripe.subscription_history SET trial_end = '2023-01-24Z' WHERE id = 'years in trial';
SELECT bill('left early', 'seat', 1, 5000, '2024-03-01Z', 3), bill('left at the end', 'seat', 1, 5000, '2024-03-01Z', 3), bill('years', 'yearly', 1, 1200000, '2022-01-10Z', 2), bill('years', 'yearly', 1, 1320000, '2024-01-10Z'),
       bill('years kept', 'yearly', 1, 1200000, '2022-01-10Z', 2), bill('years in trial', 'yearly', 1, 0, '2023-01-10Z', until => '2023-01-24Z'), bill('years in trial', 'yearly', 1, 1200000, '2023-01-24Z', 2), bill('months', 'seat', 1, 5000, '2024-03-01Z', 24) \g /dev/null
-- Lines that end together: an item that is added on 10 April is billed pro rata to the period's end, then with the rest; one term, one decision.
INSERT INTO stripe.subscription_history (id, customer_id, status, metadata) VALUES ('together', 'acme', 'active', '{"contract_start": "2024-03-01", "contract_end": "2025-03-01"}');
SELECT bill('together', 'seat', 2, 5000, '2024-03-01Z', 12, item => 'together a'), bill('together', 'addon', 1, 10000, '2024-04-10Z', until => '2024-05-01Z', item => 'together b', proration => true), bill('together', 'addon', 1, 15000, '2024-05-01Z', 10, item => 'together b') \g /dev/null

-- Credit notes: one for bad service lowers cash. A price that was wrong: the invoice is void, or credited in full, and written anew for less ten days later; the month before it stands.
CREATE TABLE stripe.credit_note (id text, invoice_id text, amount bigint, reason text, status text);
INSERT INTO stripe.credit_note VALUES ('cn1', 'credited/240401', 5000, 'product_unsatisfactory', 'issued'), ('cn2', 'corrected/240401', 20000, 'order_change', 'issued');
INSERT INTO stripe.subscription_history (id, customer_id, status) VALUES ('credited', 'acme', 'active'), ('corrected', 'acme', 'active'), ('corrected void', 'acme', 'active'), ('taxed', 'acme', 'active');
SELECT bill('credited', 'seat', 4, 5000, '2024-03-01Z', 3), bill('corrected', 'seat', 4, 5000, '2024-03-01Z', 2), bill('corrected', 'seat', 4, 4500, '2024-04-01Z', again => ' again'), bill('corrected', 'seat', 4, 4500, '2024-05-01Z'),
       bill('corrected void', 'seat', 4, 5000, '2024-03-01Z'), bill('corrected void', 'seat', 4, 5000, '2024-04-01Z', status => 'void'), bill('corrected void', 'seat', 4, 4500, '2024-04-01Z', again => ' again'), bill('corrected void', 'seat', 4, 4500, '2024-05-01Z'),
       bill('taxed', 'seat', 4, 5000, '2024-03-01Z') \g /dev/null
-- A line whose amount holds 19 % of tax.
UPDATE stripe.invoice_line_item SET amount = 23800 WHERE subscription_id = 'taxed';

\set ECHO errors
SELECT ltv.mapping_sql('stripe.fivetran', target => 'stripe_edges') \gexec
\set ECHO all
SELECT mrr, count(*), string_agg(currency, ' ' ORDER BY currency) AS currencies, bool_and(mrr = ltv.from_minor(123456, currency, 'stripe')) AS as_convention FROM stripe_edges WHERE contract_id LIKE 'currency%' GROUP BY mrr ORDER BY mrr;
SELECT contract_id, mrr, billing_months, term_start, term_end FROM stripe_edges WHERE product = 'core' AND contract_id IN (SELECT id FROM stripe.price) ORDER BY billing_months;
SELECT contract_id AS c, line_id AS line, valid_from, valid_to, state, mrr, list_mrr AS list, quantity AS q, start_event, end_event, known_at::date AS known, end_known_at::date AS end_known
FROM stripe_edges WHERE contract_id IN ('seats', 'lag', 'year', 'two') ORDER BY line_id, valid_from;
SELECT contract_id AS c, valid_from, valid_to, state, mrr, quantity AS q, start_event, end_event FROM stripe_edges WHERE contract_id LIKE 'pause%' OR contract_id LIKE '%days' ORDER BY contract_id, valid_from;
-- A pause has no revenue, which the movements call by the only name they have, and nobody left: one lifetime.
CREATE VIEW pauses AS SELECT * FROM stripe_edges WHERE contract_id = 'pause status';
SELECT month, opening, new, churn, reactivation, closing FROM ltv.arr_movements('pauses', '2024-03-01', '2024-08-31', measure => 'mrr');
SELECT start_on, end_on, event, status FROM ltv.lifetimes('pauses', '2024-06-15') UNION ALL SELECT start_on, end_on, event, status FROM ltv.lifetimes('pauses', '2024-08-31') ORDER BY status;
SELECT contract_id AS c, valid_from, valid_to, term_start, term_end, auto_renew AS auto, start_event, end_event, end_known_at::date AS end_known, mrr
FROM stripe_edges WHERE contract_id SIMILAR TO '(ends|goes|left|years|months|together)%' ORDER BY contract_id, line_id, valid_from;
SELECT contract_id AS c, term_start, due_on, outcome, decided_on, mrr_before AS before, mrr_after AS after, lines FROM ltv.renewal_events('stripe_edges', '2024-12-31') ORDER BY contract_id, due_on;
SELECT contract_id AS c, valid_from, valid_to, mrr, known_at::date AS known, end_event FROM stripe_edges WHERE contract_id LIKE 'c%ed%' OR contract_id = 'taxed' ORDER BY contract_id, valid_from;
-- No rule is broken that would make numbers wrong, and the movements of every month add up.
SELECT rule, severity, n, sample_keys FROM ltv.check_timeline('stripe_edges', as_of => '2024-12-31') WHERE severity <> 'info';
CREATE VIEW dollars AS SELECT * FROM stripe_edges WHERE currency = 'USD';
SELECT count(*) AS months, count(*) FILTER (WHERE opening + new + expansion + contraction + churn + reactivation + fx = closing) AS balanced, sum(new) AS new, sum(churn) AS churn, max(closing) AS most FROM ltv.arr_movements('dollars', '2022-01-01', '2024-12-31', 'contract', measure => 'mrr');

-- Salesforce. Every customer has one contract that ended on 30 June 2024; the next begins as many days later as its name says, without an opportunity that ties them.
CREATE SCHEMA salesforce;
CREATE TABLE salesforce.account (id text, parent_id text, master_record_id text, is_deleted boolean DEFAULT false);
CREATE TABLE salesforce.contract (id text, account_id text, status text, start_date date, end_date date, currency_iso_code text DEFAULT 'USD', sbqq_renewal_opportunity_c text,
    sbqq_opportunity_c text, sbqq_evergreen_c boolean, is_deleted boolean DEFAULT false);
CREATE TABLE salesforce.opportunity (id text, account_id text, is_closed boolean, is_won boolean, close_date date, created_date timestamptz, sbqq_renewed_contract_c text, is_deleted boolean DEFAULT false);
CREATE TABLE salesforce.sbqq_subscription_c (id text, sbqq_contract_c text, sbqq_product_c text, sbqq_root_id_c text, sbqq_quantity_c float8, sbqq_net_price_c float8, sbqq_list_price_c float8,
    sbqq_prorate_multiplier_c float8, sbqq_billing_frequency_c text, sbqq_subscription_start_date_c date, sbqq_subscription_end_date_c date, sbqq_terminated_date_c date,
    currency_iso_code text, created_date timestamptz, is_deleted boolean DEFAULT false);
CREATE TABLE salesforce.dated_conversion_rate (iso_code text, start_date date, next_start_date date, conversion_rate float8, is_deleted boolean DEFAULT false);
INSERT INTO salesforce.account SELECT name FROM unnest('{0 days,30 days,31 days,lost,terminated,in force,merged,decided late,ends on its day,renewed after all,two lines}'::text[]) name;
INSERT INTO salesforce.account VALUES ('old name', NULL, 'merged', true);
INSERT INTO salesforce.contract (id, account_id, status, start_date, end_date, sbqq_renewal_opportunity_c) SELECT id || '/1', CASE id WHEN 'merged' THEN 'old name' ELSE id END,
    CASE WHEN id IN ('terminated', 'renewed after all') THEN 'Terminated' ELSE 'Expired' END, '2023-07-01', '2024-06-30', CASE id WHEN 'lost' THEN 'no' WHEN 'renewed after all' THEN 'yes' WHEN 'decided late' THEN 'late' END FROM salesforce.account WHERE id <> 'old name';
INSERT INTO salesforce.opportunity VALUES ('no', 'lost', true, false, '2024-06-20', '2024-04-01Z', NULL), ('yes', 'renewed after all', true, true, '2024-06-20', '2024-04-01Z', 'renewed after all/1'), ('late', 'decided late', true, true, '2024-08-05', '2024-04-01Z', 'decided late/1');
INSERT INTO salesforce.contract (id, account_id, status, start_date, end_date, sbqq_opportunity_c)
SELECT id || '/2', id, 'Activated', date '2024-07-01' + days, date '2024-07-01' + days + 364, opportunity FROM (VALUES ('0 days', 0, NULL), ('30 days', 30, NULL), ('31 days', 31, NULL), ('lost', 10, NULL), ('terminated', 10, NULL), ('merged', 20, NULL),
    ('decided late', 60, 'late'), ('in force', 10, NULL), ('renewed after all', 0, 'yes')) n (id, days, opportunity);
INSERT INTO salesforce.contract (id, account_id, status, start_date, end_date) VALUES ('in force/0', 'in force', 'Activated', '2023-01-01', '2025-12-31');
INSERT INTO salesforce.sbqq_subscription_c (id, sbqq_contract_c, sbqq_product_c, sbqq_quantity_c, sbqq_net_price_c, sbqq_prorate_multiplier_c, sbqq_billing_frequency_c, sbqq_subscription_start_date_c, sbqq_subscription_end_date_c, created_date)
SELECT id || '/s', id, 'seats', 1, 1200, 1, 'Annual', start_date, end_date, start_date - interval '5 days' FROM salesforce.contract;
-- A termination on the last day of the term takes that day; a second line of a contract that begins in May ends with it.
UPDATE salesforce.sbqq_subscription_c SET sbqq_terminated_date_c = '2024-06-30' WHERE sbqq_contract_c = 'ends on its day/1';
INSERT INTO salesforce.sbqq_subscription_c (id, sbqq_contract_c, sbqq_product_c, sbqq_quantity_c, sbqq_net_price_c, sbqq_prorate_multiplier_c, sbqq_billing_frequency_c, sbqq_subscription_start_date_c, sbqq_subscription_end_date_c, created_date)
VALUES ('two lines/1/t', 'two lines/1', 'support', 1, 100, 0.166666666667, 'Annual', '2024-05-01', '2024-06-30', '2024-04-20Z');
INSERT INTO salesforce.dated_conversion_rate VALUES ('USD', '2000-01-01', '9999-12-31', 1), ('EUR', '2024-01-01', '2024-07-01', 0.8), ('EUR', '2024-07-01', '9999-12-31', 0.9), ('GBP', '2024-01-01', '9999-12-31', 0.5);
UPDATE salesforce.dated_conversion_rate SET is_deleted = true WHERE iso_code = 'GBP';
\set ECHO errors
SELECT ltv.mapping_sql('salesforce.cpq', target => 'cpq_edges') \gexec
-- Where prices are for a month, the line that says 12 says 1.
SELECT regexp_replace(replace(ltv.mapping_sql('salesforce.cpq', target => 'cpq_monthly'), ') / 12 AS', ') / 1 AS'), E'\n-- What became of.*', '') \gexec
\set ECHO all
SELECT contract_id AS c, line_id AS line, account_id AS account, valid_from, valid_to, term_end, start_event, end_event, known_at::date AS known, end_known_at::date AS end_known FROM cpq_edges ORDER BY contract_id, line_id;
SELECT contract_id AS c, due_on, outcome, decided_on, mrr_before AS before, mrr_after AS after FROM cpq_edges_renewals WHERE contract_id LIKE '%/1' ORDER BY 1;
-- The same decisions from the timeline, three weeks after the due day and at the year's end: who renews late is open until then, and lost when the grace is over.
SELECT as_of, contract_id AS c, outcome, decided_on, days_late AS late, lines, next_contract_id AS next FROM unnest('{2024-07-21,2024-12-31}'::date[]) AS as_of, LATERAL ltv.renewal_events('cpq_edges', as_of) WHERE due_on < '2024-08-01' ORDER BY 1, 2;
-- Back after 31 days is a second spell of the customer, after 30 it is the same.
SELECT entity_id, spell, start_on, end_on, event, status FROM ltv.lifetimes('cpq_edges', '2024-12-31') WHERE entity_id LIKE '%days' ORDER BY 1, 2;
SELECT contract_id AS c, mrr FROM cpq_monthly WHERE contract_id IN ('0 days/1', 'two lines/1') ORDER BY 1, line_id;
-- Salesforce states a rate the other way round: on the last day 1 / 0.8, on the next 1 / 0.9; a deleted rate is none.
SELECT day, ltv.convert(100, 'EUR', 'USD', day, 'cpq_edges_fx_rate') AS dollars FROM unnest('{2024-06-30,2024-07-01}'::date[]) AS day;
SELECT DISTINCT currency FROM cpq_edges_fx_rate ORDER BY 1;
SELECT rule, severity, n, sample_keys FROM ltv.check_timeline('cpq_edges', as_of => '2024-12-31') WHERE severity <> 'info';

-- Chargebee: the same sixteen and five; UGX has no decimals here. Amounts of 123456 in the smallest unit.
CREATE SCHEMA chargebee;
CREATE TABLE chargebee.customer (id text, deleted boolean, relationship jsonb);
CREATE TABLE chargebee.subscription (id text, customer_id text, status text, currency_code text, mrr bigint, billing_period int, billing_period_unit text, subscription_items jsonb, contract_term jsonb,
    started_at bigint, activated_at bigint, start_date bigint, created_at bigint, updated_at bigint, trial_end bigint, pause_date bigint, cancelled_at bigint, cancel_schedule_created_at bigint,
    cancel_reason text, current_term_end bigint, due_since bigint, deleted boolean);
INSERT INTO chargebee.customer VALUES ('acme', false, NULL);
INSERT INTO chargebee.subscription (id, customer_id, status, currency_code, mrr, billing_period, billing_period_unit, started_at, updated_at)
SELECT code, 'acme', 'active', code, 123456, 1, 'month', 1706745600, 1706745600 FROM unnest('{BIF,CLP,DJF,GNF,JPY,KMF,KRW,MGA,PYG,RWF,UGX,VND,VUV,XAF,XOF,XPF,BHD,JOD,KWD,OMR,TND,ISK,HUF,TWD,EUR}'::text[]) code;
\set ECHO errors
SELECT ltv.mapping_sql('chargebee', target => 'chargebee_edges') \gexec
\set ECHO all
SELECT mrr, count(*), string_agg(currency, ' ' ORDER BY currency) AS currencies FROM chargebee_edges GROUP BY mrr ORDER BY mrr;
SELECT count(*) FILTER (WHERE term_end IS NOT NULL) AS invented FROM chargebee_edges;
