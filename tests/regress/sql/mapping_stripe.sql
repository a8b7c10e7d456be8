-- mapping_sql('stripe.*'): every case of the rules on rows as the connectors land them, then the seed tables of a public dbt package.
\set ECHO none
\ir ../dbt_seeds.sql
\set ECHO all
CREATE SCHEMA stripe;
CREATE TABLE stripe.customer (id text, is_deleted boolean, metadata text);
CREATE TABLE stripe.price (id text, product_id text, currency text, unit_amount bigint, recurring_interval text, recurring_interval_count int, recurring_usage_type text);
CREATE TABLE stripe.subscription_history (id text, customer_id text, status text, quantity int, trial_end timestamptz, cancel_at timestamptz, cancel_at_period_end boolean,
    canceled_at timestamptz, ended_at timestamptz, current_period_end timestamptz, pause_collection_behavior text, metadata text, livemode boolean,
    _fivetran_active boolean, _fivetran_start timestamptz, _fivetran_end timestamptz);
CREATE TABLE stripe.invoice (id text, status text, created timestamptz);
CREATE TABLE stripe.invoice_line_item (id text, invoice_id text, subscription_id text, subscription_item_id text, price_id text, plan_id text, type text, proration boolean,
    amount bigint, quantity int, unit_amount_excluding_tax text, currency text, period_start timestamptz, period_end timestamptz);
CREATE TABLE stripe.coupon (id text, percent_off float8, amount_off bigint, duration text, duration_in_months int, currency text);
CREATE TABLE stripe.subscription_discount (id text, subscription_id text, coupon_id text, start timestamptz, "end" timestamptz);

-- bill: n invoices from a day on, each for one period of a price; the price a unit is in minor units.
CREATE FUNCTION bill(sub text, item text, price text, quantity int, unit numeric, first timestamptz, n int, status text DEFAULT 'paid', proration boolean DEFAULT false)
RETURNS void LANGUAGE sql AS $$
    WITH p AS (SELECT currency, (recurring_interval_count || ' ' || recurring_interval)::interval AS every FROM stripe.price WHERE id = bill.price),
    i AS (SELECT g, first + g * every AS starts, first + (g + 1) * every AS ends, sub || '/' || to_char((first + g * every) AT TIME ZONE 'UTC', 'YYMMDD') AS invoice, currency FROM p, generate_series(0, n - 1) g),
    written AS (INSERT INTO stripe.invoice SELECT invoice, status, starts FROM i WHERE NOT EXISTS (SELECT FROM stripe.invoice v WHERE v.id = i.invoice))
    INSERT INTO stripe.invoice_line_item SELECT invoice || '/' || item || CASE WHEN proration THEN '/proration' ELSE '' END, invoice, sub, item, price, NULL, 'subscription', proration,
        round(unit * quantity), quantity, unit::text, currency, starts, ends FROM i
$$;
-- subscribe: its one version as it stands today.
CREATE FUNCTION subscribe(sub text, customer text, status text DEFAULT 'active', canceled timestamptz DEFAULT NULL, ended timestamptz DEFAULT NULL, metadata text DEFAULT '{}',
    trial_end timestamptz DEFAULT NULL, cancel_at timestamptz DEFAULT NULL, livemode boolean DEFAULT true, since timestamptz DEFAULT '2024-01-01Z')
RETURNS void LANGUAGE sql AS $$
    INSERT INTO stripe.subscription_history (id, customer_id, status, trial_end, cancel_at, cancel_at_period_end, canceled_at, ended_at, metadata, livemode, _fivetran_active, _fivetran_start)
    VALUES (sub, customer, status, trial_end, cancel_at, false, canceled, ended, metadata, livemode, true, since)
$$;
INSERT INTO stripe.customer VALUES ('acme', false, '{"parent_account_id": "holding"}'), ('nippon', false, '{}'), ('kuwait', false, '{}'), ('kampala', false, NULL), ('gone', true, '{}'), ('test', false, '{}');
INSERT INTO stripe.price VALUES
    ('year', 'core', 'usd', 1200000, 'year', 1, 'licensed'), ('seat', 'seats', 'usd', 5000, 'month', 1, 'licensed'), ('yen', 'core', 'jpy', 300000, 'month', 1, 'licensed'),
    ('dinar', 'core', 'kwd', 90000, 'month', 3, 'licensed'), ('shilling', 'core', 'ugx', 370000000, 'month', 1, 'licensed'), ('week', 'core', 'usd', 5200, 'week', 1, 'licensed'),
    ('fort', 'core', 'usd', 1400, 'week', 2, 'licensed'), ('addon', 'support', 'usd', 15000, 'month', 1, 'licensed'), ('usage', 'usage', 'usd', 1, 'month', 1, 'metered'), ('setup', 'setup', 'usd', 99900, NULL, NULL, NULL);

-- 1: USD 12,000 a year, 10 % more from the second year on; a committed term in the metadata.
SELECT subscribe('s01', 'acme', metadata => '{"contract_start": "2024-01-15", "contract_end": "2026-01-15"}'),
       bill('s01', 'i01', 'year', 1, 1200000, '2024-01-15Z', 1), bill('s01', 'i01', 'year', 1, 1320000, '2025-01-15Z', 1) \g /dev/null
-- 2: 10, 15, 12 seats at 50; from the change to 15 on 20 % off for ever; not billed for two months, back, and cancelled to the end of the period.
SELECT subscribe('s02', 'acme', 'canceled', '2025-04-20Z', '2025-05-01Z'), bill('s02', 'i02', 'seat', 10, 5000, '2024-03-01Z', 3), bill('s02', 'i02', 'seat', 15, 5000, '2024-06-01Z', 3),
       bill('s02', 'i02', 'seat', 12, 5000, '2024-09-01Z', 3), bill('s02', 'i02', 'seat', 12, 5000, '2025-02-01Z', 3) \g /dev/null
INSERT INTO stripe.coupon VALUES ('forever20', 20, NULL, 'forever', NULL, NULL), ('once50', 50, NULL, 'once', NULL, NULL), ('months3', 10, NULL, 'repeating', 3, NULL), ('off60', NULL, 6000, 'forever', NULL, 'usd');
INSERT INTO stripe.subscription_discount VALUES ('d2', 's02', 'forever20', '2024-06-01Z', NULL), ('d3', 's03', 'once50', '2024-02-01Z', '2024-02-02Z');
-- … prorations, usage, one-off lines and void invoices on the way count for nothing.
SELECT bill('s02', 'i02', 'seat', 5, 2200, '2024-06-10Z', 1, proration => true), bill('s02', 'i02u', 'usage', 999, 1, '2024-07-01Z', 1), bill('s02', 'i02', 'seat', 99, 5000, '2024-12-01Z', 1, 'void') \g /dev/null
INSERT INTO stripe.invoice_line_item VALUES ('setup fee', 's02/240301', 's02', NULL, 'setup', NULL, 'invoiceitem', false, 99900, 1, '99900', 'usd', '2024-03-01Z', '2024-03-01Z'),
    ('orphan', 'nowhere', 's02', 'i02', 'seat', NULL, 'subscription', false, 5000, 1, '5000', 'usd', '2024-03-01Z', '2024-04-01Z');
-- 3: yen have no decimals; a coupon used once is not seen. 4: dinars have three, billed by the quarter, past due since 2024-12-10. UGX is stated in hundredths.
SELECT subscribe('s03', 'nippon'), bill('s03', 'i03', 'yen', 1, 300000, '2024-02-01Z', 22), subscribe('s04', 'kuwait', 'past_due', since => '2024-12-10Z'), bill('s04', 'i04', 'dinar', 1, 90000, '2024-02-01Z', 4, 'open'),
       subscribe('s05', 'kampala'), bill('s05', 'i05', 'shilling', 1, 370000000, '2024-02-01Z', 2) \g /dev/null
-- 6: a week is 12/52 of a month; two weeks are 24/52.
SELECT subscribe('s06', 'acme'), bill('s06', 'i06', 'week', 1, 5200, '2024-02-01Z', 6), bill('s06', 'i06e', 'fort', 2, 1400, '2024-02-01Z', 3) \g /dev/null
-- 7: two lines share an amount off of 60.00 in proportion to 450 : 150; three months of 10 % on top; the second line is dropped after April.
SELECT subscribe('s07', 'acme'), bill('s07', 'i07a', 'seat', 9, 5000, '2024-02-01Z', 6), bill('s07', 'i07b', 'addon', 1, 15000, '2024-02-01Z', 3) \g /dev/null
INSERT INTO stripe.subscription_discount VALUES ('d7', 's07', 'off60', '2024-02-01Z', NULL), ('d7m', 's07', 'months3', '2024-02-01Z', NULL);
-- 8: a trial of 14 days, billed 0, then the price.
SELECT subscribe('s08', 'nippon', trial_end => '2024-03-15Z') \g /dev/null
INSERT INTO stripe.invoice VALUES ('s08/trial', 'paid', '2024-03-01Z');
INSERT INTO stripe.invoice_line_item VALUES ('s08/trial', 's08/trial', 's08', 'i08', 'seat', NULL, 'subscription', false, 0, 2, '0', 'usd', '2024-03-01Z', '2024-03-15Z');
SELECT bill('s08', 'i08', 'seat', 2, 5000, '2024-03-15Z', 2) \g /dev/null
-- 9: collection paused from 10 May to 20 July, two invoices void: neither churn nor revenue.
SELECT subscribe('s09', 'acme', since => '2024-07-20 09:00Z'), bill('s09', 'i09', 'seat', 4, 5000, '2024-03-01Z', 3), bill('s09', 'i09', 'seat', 4, 5000, '2024-06-01Z', 2, 'void'), bill('s09', 'i09', 'seat', 4, 5000, '2024-08-01Z', 2) \g /dev/null
INSERT INTO stripe.subscription_history (id, customer_id, status, pause_collection_behavior, livemode, _fivetran_active, _fivetran_start, _fivetran_end, metadata) VALUES
    ('s09', 'acme', 'active', NULL, true, false, '2024-03-01Z', '2024-05-10 08:00Z', '{}'), ('s09', 'acme', 'active', 'void', true, false, '2024-05-10 08:00Z', '2024-07-20 09:00Z', '{}');
-- 10: past due for ten days, paid, past due again, given up by Stripe.
SELECT subscribe('s10', 'acme', 'canceled', '2024-06-22Z', '2024-06-22Z', since => '2024-06-22Z'), bill('s10', 'i10', 'seat', 1, 5000, '2024-03-01Z', 4) \g /dev/null
INSERT INTO stripe.subscription_history (id, customer_id, status, livemode, _fivetran_active, _fivetran_start, _fivetran_end, metadata) VALUES
    ('s10', 'acme', 'past_due', true, false, '2024-04-02Z', '2024-04-12Z', '{}'), ('s10', 'acme', 'past_due', true, false, '2024-06-02Z', '2024-06-22Z', '{}');
-- 11: unpaid, and later back. 12: left before the end of the term. 13: asked in June to end in 2999; what was known before does not say so.
SELECT subscribe('s11', 'acme', since => '2024-08-01Z'), bill('s11', 'i11', 'seat', 1, 5000, '2024-03-01Z', 2), bill('s11', 'i11', 'seat', 1, 5000, '2024-08-01Z', 1),
       subscribe('s12', 'acme', 'canceled', '2024-09-10Z', '2024-09-10Z', '{"contract_start": "2024-03-01", "contract_end": "2025-03-01"}'), bill('s12', 'i12', 'seat', 1, 5000, '2024-03-01Z', 7),
       subscribe('s13', 'nippon', canceled => '2024-06-05Z', cancel_at => '2999-01-01Z'), bill('s13', 'i13', 'seat', 1, 5000, '2024-03-01Z', 5), bill('s13', 'i13', 'seat', 1, 6000, '2024-08-01Z', 1) \g /dev/null
INSERT INTO stripe.subscription_history (id, customer_id, status, livemode, _fivetran_active, _fivetran_start, _fivetran_end, metadata) VALUES ('s11', 'acme', 'unpaid', true, false, '2024-04-20Z', '2024-08-01Z', '{}');
-- 14: ended without being asked to. 15: ended on its first day. Excluded: test mode, a deleted customer, never paid.
SELECT subscribe('s14', 'nippon', 'canceled', NULL, '2024-05-11Z'), bill('s14', 'i14', 'seat', 1, 5000, '2024-03-01Z', 3), subscribe('s15', 'nippon', 'canceled', '2024-03-01 10:00Z', '2024-03-01 10:00Z'), bill('s15', 'i15', 'seat', 1, 5000, '2024-03-01Z', 1),
       subscribe('x1', 'test', livemode => false), bill('x1', 'ix1', 'seat', 1, 5000, '2024-03-01Z', 1), subscribe('x2', 'gone'), bill('x2', 'ix2', 'seat', 1, 5000, '2024-03-01Z', 1),
       subscribe('x3', 'nippon', 'incomplete_expired'), bill('x3', 'ix3', 'seat', 1, 5000, '2024-03-01Z', 1, 'open') \g /dev/null

-- The text is run by psql, one statement after the other.
\set ECHO errors
SELECT ltv.mapping_sql('stripe.fivetran', target => 'stripe_timeline') \gexec
\set ECHO all
SELECT contract_id, line_id, valid_from, valid_to, state, mrr, list_mrr AS list, quantity AS q, currency AS cur, billing_months AS bm, start_event, end_event
FROM stripe_timeline ORDER BY contract_id, line_id, valid_from;
-- Who, which term, and when it was known.
SELECT contract_id, valid_from, account_id, parent_account_id AS parent, product, term_start, term_end, auto_renew, known_at, end_known_at, source_key
FROM stripe_timeline WHERE contract_id IN ('s01', 's02', 's04', 's07', 's09', 's10', 's11', 's12', 's13', 's14') ORDER BY contract_id, line_id, valid_from;
SELECT table_name, reason, count(*) FROM stripe_timeline_excluded GROUP BY 1, 2 ORDER BY 1, 2;
-- It is a timeline; no line overlaps itself and no interval is empty.
SELECT count(*) AS overlaps FROM stripe_timeline a JOIN stripe_timeline b ON a.line_id = b.line_id AND a.valid_from < b.valid_from AND b.valid_from < coalesce(a.valid_to, 'infinity');
SELECT count(*) AS empty FROM stripe_timeline WHERE valid_to <= valid_from OR mrr < 0;
SELECT ltv.timeline_query('stripe_timeline') LIKE 'SELECT t.account_id%' AS is_timeline;
-- The movements of every month add up, in each currency and in all of them.
CREATE TABLE stripe_rates AS SELECT currency, date '2024-01-01' AS valid_from, rate FROM (VALUES ('USD', 1), ('JPY', 0.0067), ('KWD', 3.25), ('UGX', 0.00027)) r (currency, rate);
SELECT currency, count(*) AS months, count(*) FILTER (WHERE opening + new + expansion + contraction + churn + reactivation + fx = closing AND opening = before) AS balanced, sum(new) AS new, sum(expansion) AS up, sum(contraction) AS down,
       sum(churn) AS churn, sum(reactivation) AS back, max(closing) FILTER (WHERE month = '2025-06-01') AS closing
FROM (SELECT currency, m.*, coalesce(lag(closing) OVER (PARTITION BY currency ORDER BY month), opening) AS before FROM unnest('{USD,JPY}'::text[]) AS currency, LATERAL ltv.arr_movements('stripe_timeline', '2024-01-01', '2025-06-30', grain => 'contract', rates => 'stripe_rates', currency => currency, measure => 'mrr') m) m GROUP BY 1 ORDER BY 1 DESC;
-- Future invoices change nothing of what was known: the same rows as of 2024-09-30, read before and after a year of them.
CREATE TABLE before AS SELECT line_id, valid_from, CASE WHEN end_known_at <= '2024-09-30Z' THEN valid_to END AS valid_to, state, mrr, start_event, auto_renew, known_at
FROM stripe_timeline WHERE known_at <= '2024-09-30Z';
SELECT bill('s07', 'i07a', 'seat', 20, 7000, '2024-10-01Z', 6), bill('s05', 'i05', 'shilling', 2, 370000000, '2024-10-01Z', 2), bill('s09', 'i09', 'seat', 9, 5000, '2024-11-01Z', 6) \g /dev/null
(TABLE before EXCEPT SELECT line_id, valid_from, CASE WHEN end_known_at <= '2024-09-30Z' THEN valid_to END, state, mrr, start_event, auto_renew, known_at FROM stripe_timeline WHERE known_at <= '2024-09-30Z')
UNION ALL
(SELECT line_id, valid_from, CASE WHEN end_known_at <= '2024-09-30Z' THEN valid_to END, state, mrr, start_event, auto_renew, known_at FROM stripe_timeline WHERE known_at <= '2024-09-30Z' EXCEPT TABLE before);

-- The days of another time zone: an invoice of midnight UTC is yesterday's in New York.
\set ECHO errors
SELECT ltv.mapping_sql('stripe.fivetran', 'stripe', 'public."New York"', 'America/New_York') \gexec
\set ECHO all
SELECT valid_from, valid_to, mrr FROM "New York" WHERE contract_id = 's01' ORDER BY valid_from;
SELECT count(*) FROM "New York_excluded";

-- Airbyte lands the same objects with nested JSON and times in seconds: the same rows, but for spells that are over.
CREATE SCHEMA airbyte;
CREATE TABLE airbyte.customers AS SELECT id, is_deleted, metadata::jsonb AS metadata FROM stripe.customer;
CREATE TABLE airbyte.invoices AS SELECT id, status, extract(epoch FROM created)::bigint AS created FROM stripe.invoice;
CREATE TABLE airbyte.invoice_line_items AS
SELECT l.id, l.invoice_id, l.subscription_id AS subscription, l.subscription_item_id AS subscription_item, l.type, l.proration, l.amount, l.quantity, l.unit_amount_excluding_tax, l.currency,
       jsonb_build_object('start', extract(epoch FROM l.period_start)::bigint, 'end', extract(epoch FROM l.period_end)::bigint) AS period,
       jsonb_build_object('id', p.id, 'product', p.product_id, 'unit_amount', p.unit_amount,
           'recurring', CASE WHEN p.recurring_interval IS NOT NULL THEN jsonb_build_object('interval', p.recurring_interval, 'interval_count', p.recurring_interval_count, 'usage_type', p.recurring_usage_type) END) AS price
FROM stripe.invoice_line_item l JOIN stripe.price p ON p.id = l.price_id;
CREATE TABLE airbyte.subscriptions AS
SELECT s.id, s.customer_id AS customer, s.status, s.metadata::jsonb AS metadata, s.livemode, s.cancel_at_period_end, extract(epoch FROM s.trial_end)::bigint AS trial_end, extract(epoch FROM s.cancel_at)::bigint AS cancel_at,
       extract(epoch FROM s.canceled_at)::bigint AS canceled_at, extract(epoch FROM s.ended_at)::bigint AS ended_at, extract(epoch FROM s.current_period_end)::bigint AS current_period_end,
       extract(epoch FROM s._fivetran_start)::bigint AS updated, NULL::jsonb AS pause_collection, jsonb_build_object('reason', 'cancellation_requested') AS cancellation_details,
       (SELECT jsonb_build_object('start', extract(epoch FROM d.start)::bigint, 'end', extract(epoch FROM d."end")::bigint, 'coupon', to_jsonb(c))
        FROM stripe.subscription_discount d JOIN stripe.coupon c ON c.id = d.coupon_id WHERE d.subscription_id = s.id ORDER BY d.id LIMIT 1) AS discount
FROM stripe.subscription_history s WHERE s._fivetran_active;
\set ECHO errors
SELECT ltv.mapping_sql('stripe.airbyte', 'airbyte', 'airbyte_timeline') \gexec
\set ECHO all
SELECT 'fivetran' AS only_in, * FROM (SELECT line_id, valid_from, valid_to, state, mrr, start_event, end_event, known_at, end_known_at FROM stripe_timeline
      EXCEPT SELECT line_id, valid_from, valid_to, state, mrr, start_event, end_event, known_at, end_known_at FROM airbyte_timeline) f
UNION ALL
SELECT 'airbyte', * FROM (SELECT line_id, valid_from, valid_to, state, mrr, start_event, end_event, known_at, end_known_at FROM airbyte_timeline
      EXCEPT SELECT line_id, valid_from, valid_to, state, mrr, start_event, end_event, known_at, end_known_at FROM stripe_timeline) a
ORDER BY line_id, valid_from, only_in;
UPDATE airbyte.subscriptions SET cancellation_details = '{"reason": "payment_failed"}' WHERE id = 's02';
UPDATE airbyte.subscriptions SET cancellation_details = '{"reason": "payment_disputed"}' WHERE id = 's12';
UPDATE airbyte.subscriptions SET pause_collection = '{"behavior": "void"}', updated = extract(epoch FROM timestamptz '2024-10-05Z')::bigint WHERE id = 's08';
SELECT line_id, valid_from, valid_to, state, mrr, end_event FROM airbyte_timeline WHERE line_id IN ('i02', 'i08', 'i12') ORDER BY line_id, valid_from;
SELECT table_name, reason, count(*) FROM airbyte_timeline_excluded GROUP BY 1, 2 ORDER BY 1, 2;
SELECT ltv.timeline_query('airbyte_timeline') IS NOT NULL AS is_timeline;

-- The seeds of dbt_stripe are scrubbed until their keys no longer meet: everything is excluded, and counted.
\set ECHO errors
SELECT ltv.mapping_sql('stripe.fivetran', 'dbt_stripe', 'seed_timeline') \gexec
\set ECHO all
SELECT count(*) FROM seed_timeline;
SELECT * FROM seed_timeline_excluded ORDER BY 1, 2;
-- With the keys of one line joined up it is a row: four of a catalogue price of 29.99, in a trial that ended as its cancellation asked for.
UPDATE dbt_stripe.subscription_history SET id = 'sfjytkyu876', customer_id = 'cus_ImVzJQmSlYHjZL' WHERE _fivetran_active;
UPDATE dbt_stripe.invoice SET id = 'bd665', created = '2021-02-18 14:16:37Z' WHERE id = 'ab1111';
UPDATE dbt_stripe.invoice_line_item SET plan_id = 'price_2' WHERE id = 'ba222';
SELECT account_id, contract_id, product, valid_from, valid_to, state, mrr, list_mrr, quantity, currency, auto_renew, end_event, known_at, end_known_at FROM seed_timeline;
SELECT ltv.timeline_query('seed_timeline') IS NOT NULL AS is_timeline;

-- Arguments.
SELECT ltv.mapping_sql('stripe');
SELECT ltv.mapping_sql(NULL);
SELECT ltv.mapping_sql('stripe.fivetran', '');
SELECT ltv.mapping_sql('stripe.fivetran', target => 'a.b.c');
SELECT ltv.mapping_sql('stripe.fivetran', target => repeat('x', 55));
SELECT ltv.mapping_sql('stripe.fivetran', target => NULL);
SELECT ltv.mapping_sql('stripe.fivetran', target => 'x; DROP TABLE y');
SELECT ltv.mapping_sql('stripe.fivetran', time_zone => 'Mars/Olympus');
SELECT ltv.mapping_sql('stripe.fivetran', time_zone => NULL);
-- Names are quoted wherever they stand: a schema and a target that try to break out, and do not.
CREATE SCHEMA "a""b'; --
c";
SELECT ltv.mapping_sql(source, E'a"b\'; --\nc', 'x."y""z''; --"') LIKE '%FROM "a""b''; --' || E'\n' || 'c".%' AS quoted,
       ltv.mapping_sql(source, E'a"b\'; --\nc', 'x."y""z''; --"') NOT LIKE '%\%%$%' AS filled FROM ltv.mapping_sources() ORDER BY source;

-- Anybody may read the mappings, though not their parts; what the views read is for who runs them to be allowed.
CREATE ROLE reader_of_mappings;
SET ROLE reader_of_mappings;
SELECT length(ltv.mapping_sql('recurly')) > 1000 AS readable, (SELECT count(*) FROM ltv.mapping_sources()) AS sources;
SELECT count(*) FROM ltv._mapping_stripe;
RESET ROLE;
DROP ROLE reader_of_mappings;
