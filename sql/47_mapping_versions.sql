-- Chargebee and Recurly to the shape of ltv.contract_line: both land versions of a subscription that state its price and state as a whole.
-- %1$I is the schema of the landed tables, %2$s the timeline, %3$s the view of what was left out, %6$L the ledger's time zone.

CREATE VIEW ltv._mapping_versions AS
SELECT flavour.source, flavour.default_schema, flavour.needs, ARRAY['timeline', 'excluded'] AS views, flavour.limits,
       flavour.staging || rules.text || flavour.excluded AS template
FROM (VALUES
('chargebee', 'chargebee',
 'subscription, customer (Airbyte; nested objects as jsonb)',
 'A deduplicated sync keeps the last version of a subscription only: its price is then shown for all of its past, and known since that version. Sync subscription in append mode and the past is told as it was. MRR is Chargebee''s own, with the discounts that the site counts; of subscriptions that are in trial, paused or cancelled, which have none, it is their items'' list price.',
$part$-- Contract timeline from Chargebee. MRR is the one that Chargebee states, which follows the site's own rule for discounts
-- (discounts[].included_in_mrr), in minor units. Times are seconds since 1970. Charges that come once are not run-rate.
CREATE VIEW %2$s AS
WITH minor_unit (currency, per_unit) AS (
    VALUES ('BIF', 1), ('CLP', 1), ('DJF', 1), ('GNF', 1), ('JPY', 1), ('KMF', 1), ('KRW', 1), ('MGA', 1), ('PYG', 1), ('RWF', 1), ('UGX', 1),
           ('VND', 1), ('VUV', 1), ('XAF', 1), ('XOF', 1), ('XPF', 1),
           ('BHD', 1000), ('JOD', 1000), ('KWD', 1000), ('OMR', 1000), ('TND', 1000)
),
version AS (
    SELECT s.customer_id AS account_id, c.relationship ->> 'parent_id' AS parent_account_id, s.id AS contract_id, item.product,
           CASE WHEN s.status = 'paused' THEN 'paused' WHEN s.status IN ('active', 'non_renewing') AND s.due_since IS NOT NULL THEN 'past_due' ELSE 'active' END AS state,
           CASE WHEN s.status IN ('active', 'non_renewing') THEN s.mrr::numeric / unit.per_unit ELSE item.list_mrr END AS mrr,
           item.list_mrr, item.quantity, s.currency_code AS currency, unit.billing_months,
           day.term_start, day.term_end,
           CASE s.contract_term ->> 'action_at_term_end' WHEN 'cancel' THEN false ELSE s.status NOT IN ('non_renewing', 'cancelled') END AS auto_renew,
           to_timestamp(s.updated_at) AS known_at, (to_timestamp(s.updated_at) AT TIME ZONE %6$L)::date AS changed_on,
           (to_timestamp(coalesce(s.started_at, s.activated_at, s.start_date, s.created_at)) AT TIME ZONE %6$L)::date AS began_on,
           (to_timestamp(s.trial_end) AT TIME ZONE %6$L)::date AS trial_end, (to_timestamp(s.pause_date) AT TIME ZONE %6$L)::date AS paused_on,
           day.stops,
           CASE WHEN s.status = 'transferred' THEN to_timestamp(s.updated_at)
                ELSE to_timestamp(least(s.cancel_schedule_created_at, s.cancelled_at)) END AS stop_known_at,
           CASE WHEN s.status = 'transferred' THEN 'transfer_out'
                WHEN s.cancel_reason IN ('not_paid', 'no_card', 'fraud_review_failed', 'tax_calculation_failed', 'non_compliant_eu_customer',
                                         'currency_incompatible_with_gateway', 'non_compliant_customer') THEN 'involuntary'
                WHEN day.stops < day.term_end THEN 'early_termination'
                WHEN day.term_end IS NOT NULL OR s.cancelled_at >= s.current_term_end THEN 'non_renewal'
                ELSE 'cancel' END AS stop_event
    FROM %1$I.subscription s
    JOIN %1$I.customer c ON c.id = s.customer_id AND NOT coalesce(c.deleted, false)
    LEFT JOIN minor_unit m ON m.currency = s.currency_code
    CROSS JOIN LATERAL (
        SELECT coalesce(m.per_unit, 100) AS per_unit,
               s.billing_period * CASE s.billing_period_unit WHEN 'year' THEN 12 WHEN 'month' THEN 1 WHEN 'week' THEN 12.0 / 52 WHEN 'day' THEN 12.0 / 365 END AS billing_months) unit
    CROSS JOIN LATERAL (
        SELECT min(i ->> 'item_price_id') FILTER (WHERE i ->> 'item_type' = 'plan') AS product,
               sum((i ->> 'quantity')::numeric) FILTER (WHERE i ->> 'item_type' = 'plan') AS quantity,
               sum((i ->> 'amount')::numeric) FILTER (WHERE i ->> 'item_type' <> 'charge') / unit.per_unit / unit.billing_months AS list_mrr
        FROM jsonb_array_elements(coalesce(s.subscription_items, '[]')) i) item
    CROSS JOIN LATERAL (
        SELECT (to_timestamp((s.contract_term ->> 'contract_start')::bigint) AT TIME ZONE %6$L)::date AS term_start,
               (to_timestamp((s.contract_term ->> 'contract_end')::bigint) AT TIME ZONE %6$L)::date AS term_end,
               (to_timestamp(CASE WHEN s.status IN ('non_renewing', 'cancelled') THEN s.cancelled_at WHEN s.status = 'transferred' THEN s.updated_at END)
                    AT TIME ZONE %6$L)::date AS stops) day
    WHERE NOT coalesce(s.deleted, false) AND s.status <> 'future'
),
$part$,
$part$
CREATE VIEW %3$s AS
SELECT 'subscription' AS table_name, s.id AS source_key,
       CASE WHEN coalesce(s.deleted, false) THEN 'deleted' WHEN s.status = 'future' THEN 'not begun' WHEN c.id IS NULL THEN 'no such customer'
            ELSE 'customer deleted' END AS reason
FROM %1$I.subscription s
LEFT JOIN %1$I.customer c ON c.id = s.customer_id
WHERE coalesce(s.deleted, false) OR s.status = 'future' OR c.id IS NULL OR coalesce(c.deleted, false);
COMMENT ON VIEW %3$s IS 'What the timeline leaves out, and why. Count it by reason.';
$part$),
('recurly', 'recurly',
 'subscription_history, plan_history, account_history, coupon_redemption_history, coupon_discount (Fivetran)',
 'Before the connector''s first sync only the first version that it landed is known: it is shown from the subscription''s start, and known since that version. Coupons belong to accounts: percentages that outlast one billing period are in MRR, fixed amounts are not spread over subscriptions. Past due invoices are not seen.',
$part$-- Contract timeline from Recurly. Amounts are in major units. A subscription that was canceled runs on until it expires. A term of one month
-- or less that renews by itself is no commitment: such a subscription is evergreen here.
CREATE VIEW %2$s AS
WITH plan AS (
    SELECT DISTINCT ON (id) id, code, interval_length * CASE interval_unit WHEN 'months' THEN 1 WHEN 'weeks' THEN 12.0 / 52 WHEN 'days' THEN 12.0 / 365 END AS billing_months
    FROM %1$I.plan_history
    ORDER BY id, updated_at DESC
),
account AS (
    SELECT DISTINCT ON (id) id
    FROM %1$I.account_history
    WHERE deleted_at IS NULL
    ORDER BY id, updated_at DESC
),
redemption AS (
    SELECT DISTINCT ON (r.id) r.id, r.account_id, d.percentage::numeric AS percentage, r.created_at, r.removed_at
    FROM %1$I.coupon_redemption_history r
    JOIN %1$I.coupon_discount d ON d.coupon_id = r.coupon_id AND d.percentage IS NOT NULL
    ORDER BY r.id, r.updated_at DESC
),
coupon AS (
    -- The percentages in force for a version. A coupon that is used once is gone before the second bill.
    SELECT s.id, s.updated_at, CASE WHEN max(r.percentage) >= 100 THEN 0 ELSE exp(sum(ln(1 - r.percentage / 100)) FILTER (WHERE r.percentage < 100)) END AS factor
    FROM %1$I.subscription_history s
    JOIN plan p ON p.id = s.plan_id
    JOIN redemption r ON r.account_id = s.account_id AND r.created_at <= s.updated_at
                     AND (r.removed_at IS NULL OR (r.removed_at > s.updated_at AND r.removed_at > r.created_at + p.billing_months::float8 * interval '1 month'))
    GROUP BY s.id, s.updated_at
),
version AS (
    SELECT s.account_id, NULL::text AS parent_account_id, s.id AS contract_id, p.code AS product,
           'active'::text AS state, price.list_mrr * coalesce(coupon.factor, 1) AS mrr, price.list_mrr, s.quantity::numeric AS quantity, s.currency, p.billing_months,
           term.term_start, term.term_end, coalesce(s.auto_renew, true) AND s.state <> 'canceled' AS auto_renew,
           s.updated_at AS known_at, (s.updated_at AT TIME ZONE %6$L)::date AS changed_on,
           (coalesce(s.trial_started_at, s.activated_at, s.created_at) AT TIME ZONE %6$L)::date AS began_on,
           (s.trial_ends_at AT TIME ZONE %6$L)::date AS trial_end, (s.paused_at AT TIME ZONE %6$L)::date AS paused_on,
           CASE WHEN s.state IN ('canceled', 'expired') THEN (s.expires_at AT TIME ZONE %6$L)::date END AS stops,
           least(s.canceled_at, s.expires_at) AS stop_known_at,
           CASE WHEN s.expiration_reason ~* 'nonpayment|non-payment|tax_location|tax location' THEN 'involuntary'
                WHEN (s.expires_at AT TIME ZONE %6$L)::date < term.term_end THEN 'early_termination'
                WHEN s.expires_at >= s.current_period_ends_at OR s.expiration_reason ~* 'non.?renew' THEN 'non_renewal'
                ELSE 'cancel' END AS stop_event
    FROM %1$I.subscription_history s
    JOIN account a ON a.id = s.account_id
    JOIN plan p ON p.id = s.plan_id
    CROSS JOIN LATERAL (SELECT (s.unit_amount::numeric * s.quantity::numeric + coalesce(s.add_ons_total, 0)::numeric) / p.billing_months AS list_mrr) price
    LEFT JOIN coupon ON coupon.id = s.id AND coupon.updated_at = s.updated_at
    CROSS JOIN LATERAL (
        SELECT CASE WHEN NOT (coalesce(s.auto_renew, true) AND p.billing_months * s.total_billing_cycles <= 1) THEN (s.current_term_started_at AT TIME ZONE %6$L)::date END AS term_start,
               CASE WHEN NOT (coalesce(s.auto_renew, true) AND p.billing_months * s.total_billing_cycles <= 1) THEN (s.current_term_ends_at AT TIME ZONE %6$L)::date END AS term_end) term
    WHERE s.state NOT IN ('future', 'failed')
),
$part$,
$part$
CREATE VIEW %3$s AS
SELECT 'subscription_history' AS table_name, s.id AS source_key,
       CASE WHEN s.state IN ('future', 'failed') THEN 'subscription is ' || s.state
            WHEN NOT EXISTS (SELECT FROM %1$I.plan_history p WHERE p.id = s.plan_id) THEN 'no such plan'
            ELSE 'account deleted or missing' END AS reason
FROM %1$I.subscription_history s
WHERE s.state IN ('future', 'failed') OR NOT EXISTS (SELECT FROM %1$I.plan_history p WHERE p.id = s.plan_id)
   OR NOT EXISTS (SELECT FROM %1$I.account_history a WHERE a.id = s.account_id AND a.deleted_at IS NULL);
COMMENT ON VIEW %3$s IS 'What the timeline leaves out, and why. Count it by reason.';
$part$)
) flavour (source, default_schema, needs, limits, staging, excluded),
(VALUES (
$part$daily AS (
    -- The last version of a day; the first one that landed reaches back to the subscription's start.
    SELECT DISTINCT ON (v.contract_id, v.changed_on) v.*
    FROM version v
    ORDER BY v.contract_id, v.changed_on, v.known_at DESC
),
placed AS (
    SELECT d.*, CASE WHEN row_number() OVER subscription = 1 THEN least(d.began_on, d.changed_on) ELSE d.changed_on END AS starts,
           first_value(d.known_at) OVER latest AS last_known_at, first_value(d.stops) OVER latest AS final_stop,
           first_value(d.stop_known_at) OVER latest AS final_known_at, first_value(d.stop_event) OVER latest AS final_event,
           lead(d.changed_on) OVER subscription AS next_changed_on, min(d.began_on) OVER (PARTITION BY d.contract_id) + 1 AS second_day
    FROM daily d
    WINDOW subscription AS (PARTITION BY d.contract_id ORDER BY d.changed_on), latest AS (PARTITION BY d.contract_id ORDER BY d.changed_on DESC)
),
capped AS (
    -- A subscription that ended on its first day was a customer for that day.
    SELECT p.*, least(p.next_changed_on, CASE WHEN p.final_stop IS NOT NULL THEN greatest(p.final_stop, p.second_day) END) AS ends
    FROM placed p
),
piece AS (
    -- A trial and a pause inside of a version are rows of their own.
    SELECT c.*, cut.day AS valid_from, lead(cut.day, 1, c.ends) OVER (PARTITION BY c.contract_id, c.starts ORDER BY cut.day) AS valid_to,
           CASE WHEN cut.day < c.trial_end THEN 'trial' WHEN cut.day >= c.paused_on THEN 'paused' ELSE CASE WHEN c.state = 'paused' AND c.paused_on IS NOT NULL THEN 'active' ELSE c.state END END AS piece_state
    FROM capped c
    CROSS JOIN LATERAL (
        SELECT DISTINCT change.day
        FROM (VALUES (c.starts), (c.trial_end), (c.paused_on)) change (day)
        WHERE change.day >= c.starts AND (c.ends IS NULL OR change.day < c.ends)) cut
),
marked AS (
    SELECT p.*, (lag(p.valid_to) OVER line = p.valid_from AND lag((p.mrr, p.list_mrr, p.quantity, p.product, p.piece_state, p.currency, p.term_start, p.term_end)) OVER line
                 IS NOT DISTINCT FROM (p.mrr, p.list_mrr, p.quantity, p.product, p.piece_state, p.currency, p.term_start, p.term_end)) IS NOT TRUE AS is_start
    FROM piece p
    WINDOW line AS (PARTITION BY p.contract_id ORDER BY p.valid_from)
),
numbered AS (
    SELECT m.*, count(*) FILTER (WHERE m.is_start) OVER (PARTITION BY m.contract_id ORDER BY m.valid_from) AS island FROM marked m
),
island AS (
    -- Neighbours that differ in nothing are one row, known when the first of them was.
    SELECT n.*, max(coalesce(n.valid_to, 'infinity')) OVER (PARTITION BY n.contract_id, n.island) AS island_ends
    FROM numbered n
),
begun AS (
    SELECT i.*, nullif(i.island_ends, 'infinity') AS island_to,
           CASE WHEN lag(i.valid_from) OVER line IS NULL THEN 'new'
                WHEN i.piece_state = 'paused' AND lag(i.piece_state) OVER line <> 'paused' THEN 'pause'
                WHEN lag(i.piece_state) OVER line = 'trial' AND i.piece_state <> 'trial' THEN 'conversion'
                WHEN lag(i.island_ends) OVER line < i.valid_from THEN 'reactivation'
                WHEN lag(i.piece_state) OVER line = 'paused' AND i.piece_state <> 'paused' THEN 'resume'
                WHEN (i.quantity, i.product) IS DISTINCT FROM (lag(i.quantity) OVER line, lag(i.product) OVER line) AND i.mrr > lag(i.mrr) OVER line THEN 'upgrade'
                WHEN (i.quantity, i.product) IS DISTINCT FROM (lag(i.quantity) OVER line, lag(i.product) OVER line) AND i.mrr < lag(i.mrr) OVER line THEN 'downgrade'
                WHEN i.term_end IS DISTINCT FROM lag(i.term_end) OVER line THEN 'renewal'
                WHEN i.mrr <> lag(i.mrr) OVER line THEN 'price_change' END AS start_event
    FROM island i
    WHERE i.is_start
    WINDOW line AS (PARTITION BY i.contract_id ORDER BY i.valid_from)
),
followed AS (
    SELECT b.*, coalesce(lead(b.valid_from) OVER line = b.island_to, false) AS goes_on, lead(b.piece_state) OVER line AS next_state,
           lead(b.start_event) OVER line AS next_event, lead(b.known_at) OVER line AS next_known_at
    FROM begun b
    WINDOW line AS (PARTITION BY b.contract_id ORDER BY b.valid_from)
)
SELECT account_id, parent_account_id, contract_id, contract_id AS line_id, product, valid_from, island_to AS valid_to, piece_state AS state,
       round(mrr, 4) AS mrr, round(list_mrr, 4) AS list_mrr, quantity, currency, round(billing_months, 4) AS billing_months, 'advance'::text AS payment_timing,
       term_start, term_end, auto_renew, start_event,
       CASE WHEN island_to IS NULL THEN NULL
            WHEN goes_on AND next_state = 'paused' AND piece_state <> 'paused' THEN 'pause'
            WHEN goes_on AND piece_state = 'trial' AND next_state <> 'trial' THEN 'conversion'
            WHEN goes_on AND piece_state = 'paused' AND next_state <> 'paused' THEN 'resume'
            WHEN goes_on THEN CASE WHEN next_event IN ('upgrade', 'downgrade', 'price_change', 'renewal') THEN next_event END
            ELSE final_event END AS end_event,
       known_at, CASE WHEN island_to IS NULL THEN NULL WHEN goes_on THEN next_known_at
                      WHEN final_known_at IS NOT NULL THEN greatest(known_at, final_known_at) END AS end_known_at,
       NULL::timestamptz AS superseded_at, %5$L::text AS source, contract_id AS source_key
FROM followed;
COMMENT ON VIEW %2$s IS 'Contract timeline from versions of subscriptions: one row per price, state and term (shape: ltv.contract_line).';
$part$)) rules (text);
