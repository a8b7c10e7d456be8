-- Stripe to the shape of ltv.contract_line. Invoices say what was agreed from when until when: a subscription's items keep their present state only.
-- Two connectors land the same objects differently, so each has a first part of its own; the rules after it are the same text.
-- %1$I is the schema of the landed tables, %2$s the timeline, %3$s the view of what was left out, %6$L the ledger's time zone.

CREATE VIEW ltv._mapping_stripe AS
SELECT flavour.source, 'stripe'::text AS default_schema, flavour.needs,
       ARRAY['timeline', 'excluded'] AS views,
       flavour.limits || ' A change of price begins with the next full invoice line; prorations are cash that catches up. Discounts on a customer are not seen, those on a subscription are. Term dates are read from the metadata keys contract_start and contract_end, parents from parent_account_id; without them a bill for a year or more is a term of its own, and what is billed more often is evergreen; metadata are as they stand today. Credit notes are not read: a price that was wrong is seen when its invoice is written anew.' AS limits,
       rules.head || flavour.staging || rules.body || flavour.excluded AS template
FROM (VALUES
('stripe.fivetran',
 'customer, subscription_history, subscription_discount, coupon, price, invoice, invoice_line_item',
 'Pauses, past due and unpaid spells, and seats that change in the middle of a period, are known from the first sync of subscription_history on; such seats where a subscription has one item, as Stripe states no others: the rest begin with the next full invoice line.',
$part$
subscription AS (
    -- Every subscription as it stands today. Test mode, deleted customers and first invoices that nobody paid are left out: the
    -- view of excluded rows lists them. Where customers are deleted when they leave, take out the line on is_deleted: it would hide churn.
    SELECT s.id, s.customer_id AS account_id, c.metadata::jsonb ->> 'parent_account_id' AS parent_account_id,
           s.canceled_at, s.ended_at, s.cancel_at_period_end, s.cancel_at_period_end OR s.cancel_at IS NOT NULL AS is_cancelled,
           (s.trial_end AT TIME ZONE %6$L)::date AS trial_end,
           (coalesce(s.ended_at, s.cancel_at, CASE WHEN s.cancel_at_period_end THEN s.current_period_end END) AT TIME ZONE %6$L)::date AS stops,
           (s.metadata::jsonb ->> 'contract_start')::date AS contract_start,
           (s.metadata::jsonb ->> 'contract_end')::date AS contract_end,      -- the day after the last
           s.status = 'canceled' AND s.canceled_at IS NULL AS is_unasked
    FROM %1$I.subscription_history s
    JOIN %1$I.customer c ON c.id = s.customer_id
    WHERE s._fivetran_active
      AND s.livemode IS NOT FALSE
      AND c.is_deleted IS NOT TRUE
      AND s.status NOT IN ('incomplete', 'incomplete_expired')
),
spell AS (
    -- When it was paused, past due or unpaid. Pausing collection leaves Stripe's status active.
    SELECT h.id AS subscription_id,
           CASE WHEN h.status = 'paused' OR h.pause_collection_behavior IS NOT NULL THEN 'paused' ELSE h.status END AS state,
           t.began_at, t.over_at, (t.began_at AT TIME ZONE %6$L)::date AS began_on, (t.over_at AT TIME ZONE %6$L)::date AS over_on
    FROM %1$I.subscription_history h
    CROSS JOIN LATERAL (SELECT h._fivetran_start AS began_at, CASE WHEN NOT h._fivetran_active THEN h._fivetran_end END AS over_at) t
    WHERE h.status IN ('paused', 'past_due', 'unpaid') OR (h.pause_collection_behavior IS NOT NULL AND h.status <> 'canceled')
),
seats AS (
    -- How many there are, as each version of a subscription says. Stripe states it for subscriptions with one item.
    SELECT id AS subscription_id, quantity::numeric AS quantity, _fivetran_start AS began_at, (_fivetran_start AT TIME ZONE %6$L)::date AS began_on
    FROM %1$I.subscription_history
    WHERE quantity > 0
),
discount AS (
    -- Coupons that recur. One that is used once lowers an invoice, not the run-rate.
    SELECT d.subscription_id, c.percent_off::numeric AS percent_off, c.amount_off::numeric AS amount_off, upper(c.currency) AS currency,
           (d.start AT TIME ZONE %6$L)::date AS starts,
           (coalesce(d."end", CASE WHEN c.duration = 'repeating' THEN d.start + make_interval(months => c.duration_in_months::int) END)
                AT TIME ZONE %6$L)::date AS ends
    FROM %1$I.subscription_discount d
    JOIN %1$I.coupon c ON c.id = d.coupon_id
    WHERE c.duration IN ('forever', 'repeating')
),
billed AS (
    -- Full periods of licensed prices on invoices that stand. Proration, metered and one-off lines are not run-rate.
    SELECT l.subscription_item_id AS line_id, l.subscription_id, l.invoice_id, l.id AS source_key,
           p.product_id AS product, p.id AS price_id, upper(l.currency) AS currency, l.quantity::numeric AS quantity,
           coalesce(nullif(l.unit_amount_excluding_tax, '')::numeric * l.quantity, l.amount) AS list_amount,
           p.unit_amount::numeric * l.quantity AS catalogue_amount,
           p.recurring_interval AS unit, p.recurring_interval_count::numeric AS units,
           (l.period_start AT TIME ZONE %6$L)::date AS starts, (l.period_end AT TIME ZONE %6$L)::date AS ends, i.created AS known_at
    FROM %1$I.invoice_line_item l
    JOIN %1$I.invoice i ON i.id = l.invoice_id
    JOIN %1$I.price p ON p.id = coalesce(l.price_id, l.plan_id)
    WHERE (l.type = 'subscription' OR l.type IS NULL)
      AND l.proration IS NOT TRUE
      AND i.status IN ('open', 'paid', 'uncollectible')
      AND p.recurring_interval IS NOT NULL
      AND p.recurring_usage_type IS DISTINCT FROM 'metered'
),
$part$,
$part$
CREATE VIEW %3$s AS
SELECT 'subscription_history' AS table_name, s.id AS source_key,
       CASE WHEN s.livemode IS FALSE THEN 'test mode'
            WHEN c.is_deleted THEN 'customer deleted'
            WHEN c.id IS NULL THEN 'no such customer'
            ELSE 'first invoice never paid' END AS reason
FROM %1$I.subscription_history s
LEFT JOIN %1$I.customer c ON c.id = s.customer_id
WHERE s._fivetran_active
  AND (s.livemode IS FALSE OR c.is_deleted OR c.id IS NULL OR s.status IN ('incomplete', 'incomplete_expired'))
UNION ALL
SELECT 'invoice_line_item', l.id,
       CASE WHEN l.type <> 'subscription' THEN 'not of a subscription'
            WHEN l.proration THEN 'proration'
            WHEN i.id IS NULL THEN 'no such invoice'
            WHEN i.status NOT IN ('open', 'paid', 'uncollectible') THEN 'invoice is ' || i.status
            WHEN p.id IS NULL THEN 'no such price'
            WHEN p.recurring_interval IS NULL THEN 'one-off price'
            ELSE 'metered' END
FROM %1$I.invoice_line_item l
LEFT JOIN %1$I.invoice i ON i.id = l.invoice_id
LEFT JOIN %1$I.price p ON p.id = coalesce(l.price_id, l.plan_id)
WHERE l.type <> 'subscription' OR l.proration OR i.id IS NULL
   OR i.status NOT IN ('open', 'paid', 'uncollectible') OR p.id IS NULL OR p.recurring_interval IS NULL
   OR p.recurring_usage_type = 'metered';
COMMENT ON VIEW %3$s IS 'What the timeline leaves out, and why. Count it by reason.';
$part$),
('stripe.airbyte',
 'customers, subscriptions, invoices, invoice_line_items (nested objects as jsonb)',
 'Only the present state of a subscription is landed: seats that change in the middle of a period begin with the next full invoice line, a pause or a past due spell that is over is not seen, one that lasts is dated by the last update, and of discounts only the present one is.',
$part$
subscription AS (
    -- Every subscription as it stands today. Test mode, deleted customers and first invoices that nobody paid are left out: the
    -- view of excluded rows lists them. Where customers are deleted when they leave, take out the line on is_deleted: it would hide churn.
    SELECT s.id, s.customer AS account_id, c.metadata ->> 'parent_account_id' AS parent_account_id,
           to_timestamp(s.canceled_at) AS canceled_at, to_timestamp(s.ended_at) AS ended_at,
           s.cancel_at_period_end, s.cancel_at_period_end OR s.cancel_at IS NOT NULL AS is_cancelled,
           (to_timestamp(s.trial_end) AT TIME ZONE %6$L)::date AS trial_end,
           (to_timestamp(coalesce(s.ended_at, s.cancel_at, CASE WHEN s.cancel_at_period_end THEN s.current_period_end END))
                AT TIME ZONE %6$L)::date AS stops,
           (s.metadata ->> 'contract_start')::date AS contract_start,
           (s.metadata ->> 'contract_end')::date AS contract_end,      -- the day after the last
           s.status = 'canceled' AND (s.canceled_at IS NULL OR s.cancellation_details ->> 'reason' IN ('payment_failed', 'payment_disputed'))
               AS is_unasked
    FROM %1$I.subscriptions s
    JOIN %1$I.customers c ON c.id = s.customer
    WHERE s.livemode IS NOT FALSE
      AND c.is_deleted IS NOT TRUE
      AND s.status NOT IN ('incomplete', 'incomplete_expired')
),
spell AS (
    -- When it was paused, past due or unpaid. Pausing collection leaves Stripe's status active.
    SELECT s.id AS subscription_id,
           CASE WHEN s.status = 'paused' OR jsonb_typeof(s.pause_collection) = 'object' THEN 'paused' ELSE s.status END AS state,
           to_timestamp(s.updated) AS began_at, NULL::timestamptz AS over_at,
           (to_timestamp(s.updated) AT TIME ZONE %6$L)::date AS began_on, NULL::date AS over_on
    FROM %1$I.subscriptions s
    WHERE s.status IN ('paused', 'past_due', 'unpaid') OR (jsonb_typeof(s.pause_collection) = 'object' AND s.status <> 'canceled')
),
seats AS (
    -- Versions of subscriptions, which would say how many there are in the middle of a period, are not landed.
    SELECT NULL::text AS subscription_id, NULL::numeric AS quantity, NULL::timestamptz AS began_at, NULL::date AS began_on
    WHERE false
),
discount AS (
    -- Coupons that recur. One that is used once lowers an invoice, not the run-rate.
    SELECT s.id AS subscription_id, (d.coupon ->> 'percent_off')::numeric AS percent_off, (d.coupon ->> 'amount_off')::numeric AS amount_off,
           upper(d.coupon ->> 'currency') AS currency, (d.began_at AT TIME ZONE %6$L)::date AS starts,
           (coalesce(d.over_at, CASE WHEN d.coupon ->> 'duration' = 'repeating'
                                     THEN d.began_at + make_interval(months => (d.coupon ->> 'duration_in_months')::int) END)
                AT TIME ZONE %6$L)::date AS ends
    FROM %1$I.subscriptions s
    CROSS JOIN LATERAL (SELECT s.discount -> 'coupon' AS coupon, to_timestamp((s.discount ->> 'start')::bigint) AS began_at,
                               to_timestamp((s.discount ->> 'end')::bigint) AS over_at) d
    WHERE d.coupon ->> 'duration' IN ('forever', 'repeating')
),
billed AS (
    -- Full periods of licensed prices on invoices that stand. Proration, metered and one-off lines are not run-rate.
    SELECT l.subscription_item AS line_id, l.subscription AS subscription_id, l.invoice_id, l.id AS source_key,
           l.price ->> 'product' AS product, l.price ->> 'id' AS price_id, upper(l.currency) AS currency, l.quantity::numeric AS quantity,
           coalesce(nullif(l.unit_amount_excluding_tax, '')::numeric * l.quantity, l.amount) AS list_amount,
           (l.price ->> 'unit_amount')::numeric * l.quantity AS catalogue_amount,
           l.price -> 'recurring' ->> 'interval' AS unit, (l.price -> 'recurring' ->> 'interval_count')::numeric AS units,
           (to_timestamp((l.period ->> 'start')::bigint) AT TIME ZONE %6$L)::date AS starts,
           (to_timestamp((l.period ->> 'end')::bigint) AT TIME ZONE %6$L)::date AS ends, to_timestamp(i.created) AS known_at
    FROM %1$I.invoice_line_items l
    JOIN %1$I.invoices i ON i.id = l.invoice_id
    WHERE (l.type = 'subscription' OR l.type IS NULL)
      AND l.proration IS NOT TRUE
      AND i.status IN ('open', 'paid', 'uncollectible')
      AND l.price -> 'recurring' ->> 'interval' IS NOT NULL
      AND l.price -> 'recurring' ->> 'usage_type' IS DISTINCT FROM 'metered'
),
$part$,
$part$
CREATE VIEW %3$s AS
SELECT 'subscriptions' AS table_name, s.id AS source_key,
       CASE WHEN s.livemode IS FALSE THEN 'test mode'
            WHEN c.is_deleted THEN 'customer deleted'
            WHEN c.id IS NULL THEN 'no such customer'
            ELSE 'first invoice never paid' END AS reason
FROM %1$I.subscriptions s
LEFT JOIN %1$I.customers c ON c.id = s.customer
WHERE s.livemode IS FALSE OR c.is_deleted OR c.id IS NULL OR s.status IN ('incomplete', 'incomplete_expired')
UNION ALL
SELECT 'invoice_line_items', l.id,
       CASE WHEN l.type <> 'subscription' THEN 'not of a subscription'
            WHEN l.proration THEN 'proration'
            WHEN i.id IS NULL THEN 'no such invoice'
            WHEN i.status NOT IN ('open', 'paid', 'uncollectible') THEN 'invoice is ' || i.status
            WHEN l.price -> 'recurring' ->> 'interval' IS NULL THEN 'one-off price'
            ELSE 'metered' END
FROM %1$I.invoice_line_items l
LEFT JOIN %1$I.invoices i ON i.id = l.invoice_id
WHERE l.type <> 'subscription' OR l.proration OR i.id IS NULL
   OR i.status NOT IN ('open', 'paid', 'uncollectible') OR l.price -> 'recurring' ->> 'interval' IS NULL
   OR l.price -> 'recurring' ->> 'usage_type' = 'metered';
COMMENT ON VIEW %3$s IS 'What the timeline leaves out, and why. Count it by reason.';
$part$)
) flavour (source, needs, limits, staging, excluded),
(VALUES (
$part$-- Contract timeline from Stripe. Rules: half-open days in the ledger's time zone; MRR is contracted, after recurring discounts, without tax;
-- a week is 12/52 of a month; past due counts, a pause is a state of its own, unpaid (retries given up) ends a line.
CREATE VIEW %2$s AS
WITH minor_unit (currency, per_unit) AS (
    -- Stripe states amounts in the smallest unit: hundredths, unless listed here. UGX is on Stripe's list of sixteen without decimals but
    -- is still stated in hundredths, and so are ISK, HUF and TWD: they are not in the list.
    VALUES ('BIF', 1), ('CLP', 1), ('DJF', 1), ('GNF', 1), ('JPY', 1), ('KMF', 1), ('KRW', 1), ('MGA', 1), ('PYG', 1), ('RWF', 1),
           ('VND', 1), ('VUV', 1), ('XAF', 1), ('XOF', 1), ('XPF', 1),
           ('BHD', 1000), ('JOD', 1000), ('KWD', 1000), ('OMR', 1000), ('TND', 1000)
),$part$,
$part$
priced AS (
    -- Per month, in major units. In a trial nothing is billed: the price that will be is shown, in the state trial.
    SELECT b.line_id, b.subscription_id, b.invoice_id, b.source_key, b.product, b.price_id, b.currency, b.quantity AS billed_quantity, b.starts, b.ends, b.known_at,
           m.billing_months, coalesce(u.per_unit, 100) AS per_unit,
           CASE WHEN b.starts < s.trial_end THEN coalesce(b.catalogue_amount, b.list_amount) ELSE b.list_amount END
               / coalesce(u.per_unit, 100) / m.billing_months AS billed_list
    FROM billed b
    JOIN subscription s ON s.id = b.subscription_id
    CROSS JOIN LATERAL (SELECT b.units * CASE b.unit WHEN 'year' THEN 12 WHEN 'month' THEN 1 WHEN 'week' THEN 12.0 / 52 WHEN 'day' THEN 12.0 / 365 END
                            AS billing_months) m
    LEFT JOIN minor_unit u ON u.currency = b.currency
    WHERE b.ends > b.starts
),
rebate AS (
    -- The recurring discounts in force on a period's first day: percentages multiply, amounts add.
    SELECT p.source_key, CASE WHEN max(d.percent_off) >= 100 THEN 0 ELSE exp(sum(ln(1 - d.percent_off / 100)) FILTER (WHERE d.percent_off < 100)) END AS factor,
           sum(d.amount_off) FILTER (WHERE d.currency = p.currency) AS amount_off
    FROM priced p
    JOIN discount d ON d.subscription_id = p.subscription_id AND d.starts <= p.starts AND (d.ends IS NULL OR d.ends > p.starts)
    GROUP BY p.source_key
),
discounted AS (
    -- An amount off is spread over the invoice's lines in proportion to their price. A line that is billed twice counts once.
    SELECT DISTINCT ON (p.line_id, p.starts) p.*,
           coalesce(r.factor, 1) AS factor, count(*) OVER (PARTITION BY p.invoice_id, p.subscription_id) = 1 AS is_alone,
           greatest(0, p.billed_list * coalesce(r.factor, 1) - coalesce(r.amount_off, 0) / p.per_unit / p.billing_months
               * coalesce(p.billed_list / nullif(sum(p.billed_list) OVER (PARTITION BY p.invoice_id, p.subscription_id), 0), 0)) AS billed_mrr
    FROM priced p
    LEFT JOIN rebate r ON r.source_key = p.source_key
    ORDER BY p.line_id, p.starts, p.known_at DESC, p.source_key
),
period AS (
    SELECT d.*, lead(d.starts) OVER line AS next_starts, min(d.starts) OVER (PARTITION BY d.line_id) AS first_starts
    FROM discounted d
    WINDOW line AS (PARTITION BY d.line_id ORDER BY d.starts)
),
paused AS (
    SELECT DISTINCT p.source_key
    FROM period p
    JOIN spell s ON s.subscription_id = p.subscription_id AND s.state = 'paused' AND s.began_on < coalesce(p.next_starts, 'infinity')
                AND (s.over_on IS NULL OR s.over_on > p.starts)
),
dropped AS (
    -- A line that the subscription's later invoices no longer hold.
    SELECT p.source_key, min(b.known_at) AS dropped_at
    FROM period p
    JOIN billed b ON b.subscription_id = p.subscription_id AND b.starts >= p.ends AND b.line_id <> p.line_id
    WHERE p.next_starts IS NULL
    GROUP BY p.source_key
),
last_bill AS (
    SELECT subscription_id, max(ends) AS ends FROM billed GROUP BY subscription_id
),
covered AS (
    -- How far a bill reaches: to the next one, if that comes within three days or after a pause; else to the last day paid for.
    -- The last bill reaches on for as long as the subscription goes on with this line.
    SELECT p.*, g.dropped_at, s.trial_end, s.account_id, s.parent_account_id, s.is_cancelled, s.is_unasked, s.canceled_at, s.ended_at, t.stops,
           -- What is paid for a year or more at once is committed for as long, unless a term is written down; the rest is not.
           CASE WHEN c.is_committed THEN p.starts ELSE s.contract_start END AS term_start,
           CASE WHEN c.is_committed THEN p.ends ELSE s.contract_end END AS term_end,
           least(CASE WHEN p.next_starts <= p.ends + 3 OR z.source_key IS NOT NULL THEN p.next_starts
                      WHEN p.next_starts IS NOT NULL OR g.dropped_at IS NOT NULL THEN p.ends END,
                 t.stops) AS covers_to
    FROM period p
    JOIN subscription s ON s.id = p.subscription_id
    JOIN last_bill b ON b.subscription_id = p.subscription_id
    -- One that stopped on its first day was a customer for that day. Newer versions of Stripe state no period of a subscription: what ends with
    -- its period ends with the last bill.
    CROSS JOIN LATERAL (SELECT CASE WHEN e.stops > p.first_starts THEN e.stops WHEN e.stops IS NOT NULL THEN p.first_starts + 1 END AS stops
                        FROM (SELECT coalesce(s.stops, CASE WHEN s.cancel_at_period_end THEN b.ends END) AS stops) e) t
    CROSS JOIN LATERAL (SELECT p.billing_months >= 12 AND coalesce(s.contract_start, s.contract_end) IS NULL AND (p.starts < s.trial_end) IS NOT TRUE AS is_committed) c
    LEFT JOIN paused z ON z.source_key = p.source_key
    LEFT JOIN dropped g ON g.source_key = p.source_key
),
cut AS (
    -- The days on which a period changes its state or its seats, and when that was known.
    SELECT source_key, day, max(at) AS at
    FROM (SELECT c.source_key, c.starts, c.covers_to, c.starts, NULL::timestamptz FROM covered c
          UNION ALL
          SELECT c.source_key, c.starts, c.covers_to, c.trial_end, c.trial_end::timestamp AT TIME ZONE %6$L FROM covered c
          UNION ALL
          SELECT c.source_key, c.starts, c.covers_to, s.began_on, s.began_at FROM covered c JOIN spell s ON s.subscription_id = c.subscription_id
          UNION ALL
          SELECT c.source_key, c.starts, c.covers_to, s.over_on, s.over_at FROM covered c JOIN spell s ON s.subscription_id = c.subscription_id
          UNION ALL
          SELECT c.source_key, c.starts, c.covers_to, n.began_on, n.began_at FROM covered c JOIN seats n ON n.subscription_id = c.subscription_id AND c.is_alone AND n.began_on > c.starts
         ) change (source_key, starts, covers_to, day, at)
    WHERE day >= starts AND (covers_to IS NULL OR day < covers_to)
    GROUP BY source_key, day
),
piece AS (
    SELECT c.*, cut.day AS valid_from, lead(cut.day, 1, c.covers_to) OVER (PARTITION BY c.source_key ORDER BY cut.day) AS valid_to,
           greatest(c.known_at, cut.at) AS piece_known_at
    FROM covered c
    JOIN cut ON cut.source_key = c.source_key
),
stated AS (
    -- Seats that come or go in the middle of a period have its price, and its percentage off.
    SELECT DISTINCT ON (p.source_key, p.valid_from)
           p.*, coalesce(s.state, CASE WHEN p.valid_from < p.trial_end THEN 'trial' ELSE 'active' END) AS state, coalesce(n.quantity, p.billed_quantity) AS quantity,
           round(p.billed_list + q.more, 4) AS list_mrr, round(greatest(0, p.billed_mrr + q.more * p.factor), 4) AS mrr
    FROM piece p
    LEFT JOIN spell s ON s.subscription_id = p.subscription_id AND s.began_on <= p.valid_from AND (s.over_on IS NULL OR s.over_on > p.valid_from)
    LEFT JOIN seats n ON n.subscription_id = p.subscription_id AND p.is_alone AND n.began_on > p.starts AND n.began_on <= p.valid_from
    CROSS JOIN LATERAL (SELECT coalesce(p.billed_list * (n.quantity - p.billed_quantity) / nullif(p.billed_quantity, 0), 0) AS more) q
    ORDER BY p.source_key, p.valid_from, s.began_at DESC, n.began_at DESC NULLS LAST
),
marked AS (
    -- Neighbours that differ in nothing are one row.
    SELECT s.*, (lag(s.valid_to) OVER line = s.valid_from AND lag((s.mrr, s.list_mrr, s.quantity, s.price_id, s.state, s.currency, s.term_end)) OVER line
                 IS NOT DISTINCT FROM (s.mrr, s.list_mrr, s.quantity, s.price_id, s.state, s.currency, s.term_end)) IS NOT TRUE AS is_start
    FROM stated s
    WINDOW line AS (PARTITION BY s.line_id ORDER BY s.valid_from)
),
numbered AS (
    SELECT m.*, count(*) FILTER (WHERE m.is_start) OVER (PARTITION BY m.line_id ORDER BY m.valid_from) AS island
    FROM marked m
),
island AS (
    SELECT line_id, island, min(valid_from) AS valid_from, nullif(max(coalesce(valid_to, 'infinity')), 'infinity') AS valid_to,
           max(ends) AS paid_to, min(piece_known_at) AS known_at, min(source_key) AS source_key, min(dropped_at) AS dropped_at,
           subscription_id, account_id, parent_account_id, product, price_id, currency, quantity, mrr, list_mrr, billing_months, state,
           term_start, term_end, is_cancelled, is_unasked, canceled_at, ended_at, stops
    FROM numbered
    GROUP BY line_id, island, subscription_id, account_id, parent_account_id, product, price_id, currency, quantity, mrr, list_mrr, billing_months,
             state, term_start, term_end, is_cancelled, is_unasked, canceled_at, ended_at, stops
),
begun AS (
    SELECT i.*, lag(i.state) OVER line AS previous_state,
           CASE WHEN lag(i.valid_to) OVER line IS NULL THEN 'new'
                WHEN i.state = 'paused' AND lag(i.state) OVER line <> 'paused' THEN 'pause'
                WHEN lag(i.state) OVER line = 'trial' AND i.state <> 'trial' THEN 'conversion'
                WHEN i.valid_from > lag(i.valid_to) OVER line OR lag(i.state) OVER line = 'unpaid' THEN 'reactivation'
                WHEN lag(i.state) OVER line = 'paused' AND i.state <> 'paused' THEN 'resume'
                WHEN (i.quantity, i.product) IS NOT DISTINCT FROM (lag(i.quantity) OVER line, lag(i.product) OVER line)
                    THEN CASE WHEN i.term_end IS DISTINCT FROM lag(i.term_end) OVER line AND i.term_end IS NOT NULL THEN 'renewal' WHEN i.mrr <> lag(i.mrr) OVER line OR i.price_id <> lag(i.price_id) OVER line THEN 'price_change' END
                WHEN i.mrr > lag(i.mrr) OVER line THEN 'upgrade'
                WHEN i.mrr < lag(i.mrr) OVER line THEN 'downgrade'
                ELSE 'price_change' END AS start_event
    FROM island i
    WINDOW line AS (PARTITION BY i.line_id ORDER BY i.valid_from)
),
followed AS (
    SELECT b.*, lead(b.valid_from) OVER line = b.valid_to AS goes_on, lead(b.state) OVER line AS next_state,
           lead(b.start_event) OVER line AS next_event, lead(b.known_at) OVER line AS next_known_at
    FROM begun b
    WINDOW line AS (PARTITION BY b.line_id ORDER BY b.valid_from)
)
SELECT account_id, parent_account_id, subscription_id AS contract_id, line_id, product, valid_from, valid_to, state,
       mrr, list_mrr, quantity, currency, round(billing_months, 4) AS billing_months,
       'advance'::text AS payment_timing, term_start, term_end,
       -- As the row became known: a cancellation that was asked for later is told by end_known_at.
       (is_cancelled AND canceled_at <= known_at) IS NOT TRUE AS auto_renew, start_event,
       CASE WHEN valid_to IS NULL THEN NULL
            WHEN goes_on AND next_state = 'unpaid' THEN 'involuntary'
            WHEN goes_on AND next_state = 'paused' AND state <> 'paused' THEN 'pause'
            WHEN goes_on AND state = 'trial' AND next_state <> 'trial' THEN 'conversion'
            WHEN goes_on AND state = 'paused' AND next_state <> 'paused' THEN 'resume'
            WHEN goes_on THEN CASE WHEN next_event IN ('upgrade', 'downgrade', 'price_change', 'renewal') THEN next_event END
            WHEN valid_to < stops OR stops IS NULL THEN CASE WHEN dropped_at IS NULL THEN 'non_renewal' ELSE 'cancel' END
            WHEN is_unasked OR (state = 'past_due' AND canceled_at >= ended_at) THEN 'involuntary'
            WHEN valid_to < term_end THEN 'early_termination'
            WHEN term_end IS NOT NULL OR valid_to >= paid_to THEN 'non_renewal'
            ELSE 'cancel' END AS end_event,
       known_at,
       CASE WHEN valid_to IS NULL THEN NULL
            WHEN goes_on THEN next_known_at
            WHEN valid_to = stops THEN CASE WHEN coalesce(canceled_at, ended_at) IS NOT NULL THEN greatest(known_at, least(canceled_at, ended_at)) END
            -- While the subscription is active, that it was not billed on is known by the next invoice. No end is known before its row.
            ELSE coalesce(dropped_at, next_known_at) END AS end_known_at,
       NULL::timestamptz AS superseded_at, %5$L::text AS source, source_key
FROM followed
WHERE state <> 'unpaid';
COMMENT ON VIEW %2$s IS 'Contract timeline from Stripe: one row per subscription item, price, quantity and state (shape: ltv.contract_line).';
$part$)) rules (head, body);
