-- Salesforce to the shape of ltv.contract_line: lifecycle-managed assets (Revenue Cloud), and contracts with CPQ subscriptions.
-- %1$I is the schema of the landed tables, %2$s the timeline, %3$s what was left out, %4$s renewals, %6$L the ledger's time zone, %7$s rates.

CREATE VIEW ltv._mapping_salesforce AS
SELECT flavour.source, 'salesforce'::text AS default_schema, flavour.needs, flavour.views, flavour.limits, replace(replace(flavour.text, '<accounts>', accounts.text), '<succession>', succession.text) || rates.text AS template
FROM (VALUES
('salesforce.assets',
 'account, asset, asset_state_period, asset_action, dated_conversion_rate',
 ARRAY['timeline', 'excluded', 'fx_rate'],
 'Terms are read off renewal actions; a cancelled asset no longer says how long it would have run. Rows are known when they were entered: after a migration, take action_date for created_date. Currencies need a multi-currency organisation: otherwise write the currency in place of currency_iso_code.',
$part$-- Contract timeline from Salesforce's assets. A state period already is a span of constant quantity and MRR; its end is inclusive
-- (23:59:59) and becomes the next day here. What is renewed is the asset.
CREATE VIEW %2$s AS
WITH RECURSIVE
<accounts>
decision AS (
    -- What was done to an asset, and when it was entered. A back-dated action was not known on its date.
    SELECT asset_id, id, action_date, created_date AS known_at, coalesce(mrr_change, 0)::numeric AS mrr_change,
           regexp_replace(lower(category_enum), '[^a-z]', '', 'g') AS category
    FROM %1$I.asset_action
    WHERE NOT coalesce(is_deleted, false)
),
period AS (
    -- Periods of nothing mark the end of an asset.
    SELECT p.id, p.asset_id, a.product_2_id, a.account_id, a.currency_iso_code, p.quantity::numeric AS quantity, p.mrr::numeric AS mrr, p.created_date,
           p.start_date, (p.start_date AT TIME ZONE %6$L)::date AS starts, ((p.end_date + interval '1 second') AT TIME ZONE %6$L)::date AS ends
    FROM %1$I.asset_state_period p
    JOIN %1$I.asset a ON a.id = p.asset_id
    WHERE NOT coalesce(a.is_deleted, false) AND NOT coalesce(p.is_deleted, false)
      AND (p.mrr > 0 OR p.quantity > 0)
),
ordered AS (
    SELECT p.*, lag(p.ends) OVER asset AS previous_ends, lag(p.mrr) OVER asset AS previous_mrr,
           coalesce(lead(p.starts) OVER asset = p.ends, false) AS goes_on
    FROM period p
    WINDOW asset AS (PARTITION BY p.asset_id ORDER BY p.starts)
),
matched AS (
    -- The action behind a period changed the MRR by as much as the period does; of several, the nearest.
    SELECT DISTINCT ON (o.id) o.*, d.category, coalesce(d.known_at, o.created_date) AS known_at
    FROM ordered o
    LEFT JOIN decision d ON d.asset_id = o.asset_id AND d.category <> 'cancellations'
                        AND abs(d.mrr_change - (o.mrr - CASE WHEN o.previous_ends = o.starts THEN o.previous_mrr ELSE 0 END)) < 0.01
    ORDER BY o.id, abs(extract(epoch FROM d.action_date - o.start_date)), d.id
),
termed AS (
    SELECT m.*, count(*) FILTER (WHERE m.category = 'renewals' OR m.previous_ends IS DISTINCT FROM m.starts) OVER (PARTITION BY m.asset_id ORDER BY m.starts) AS term
    FROM matched m
),
ended AS (
    -- The last period of an asset ends by a cancellation, if one was entered; otherwise its end is the end of its term.
    SELECT DISTINCT ON (t.id) t.*, CASE WHEN NOT t.goes_on THEN d.category END AS end_category, CASE WHEN NOT t.goes_on THEN d.known_at END AS cancelled_at
    FROM termed t
    LEFT JOIN decision d ON d.asset_id = t.asset_id AND d.category IN ('cancellations', 'transfers') AND NOT t.goes_on AND t.ends IS NOT NULL
                        AND d.known_at >= t.known_at AND d.mrr_change < 0
    ORDER BY t.id, d.known_at DESC, d.id
),
dated AS (
    -- An end that is neither reached nor decided is a term's end, not the line's.
    SELECT e.*, CASE WHEN e.goes_on OR e.cancelled_at IS NOT NULL OR e.ends <= (now() AT TIME ZONE %6$L)::date THEN e.ends END AS valid_to,
           min(e.starts) OVER term AS term_start,
           CASE WHEN bool_or(e.cancelled_at IS NOT NULL OR e.ends IS NULL) OVER term THEN NULL ELSE max(e.ends) OVER term END AS term_end
    FROM ended e
    WINDOW term AS (PARTITION BY e.asset_id, e.term)
),
evented AS (
    SELECT d.*, CASE d.category WHEN 'initialsale' THEN 'new' WHEN 'renewals' THEN 'renewal' WHEN 'upsells' THEN 'upgrade' WHEN 'crosssells' THEN 'upgrade'
                                WHEN 'downsells' THEN 'downgrade' WHEN 'transfers' THEN 'transfer_in'
                    ELSE CASE WHEN d.previous_ends IS NULL THEN 'new' WHEN d.previous_ends < d.starts THEN 'reactivation' WHEN d.mrr > d.previous_mrr THEN 'upgrade'
                              WHEN d.mrr < d.previous_mrr THEN 'downgrade' ELSE 'price_change' END END AS start_event
    FROM dated d
)
SELECT c.account_id, c.parent_account_id, e.asset_id AS contract_id, e.asset_id AS line_id, e.product_2_id AS product,
       e.starts AS valid_from, e.valid_to, 'active'::text AS state, round(e.mrr, 4) AS mrr, NULL::numeric AS list_mrr, e.quantity,
       upper(e.currency_iso_code) AS currency, 1::numeric AS billing_months, 'advance'::text AS payment_timing,
       e.term_start, e.term_end, NULL::boolean AS auto_renew, e.start_event,
       CASE WHEN e.valid_to IS NULL THEN NULL
            WHEN e.goes_on THEN CASE lead(e.start_event) OVER asset WHEN 'transfer_in' THEN 'transfer_out' WHEN 'new' THEN 'price_change'
                                     ELSE lead(e.start_event) OVER asset END
            WHEN e.end_category = 'transfers' THEN 'transfer_out'
            WHEN e.end_category = 'cancellations' THEN 'cancel'
            ELSE 'non_renewal' END AS end_event,
       e.known_at,
       CASE WHEN e.valid_to IS NULL THEN NULL WHEN e.goes_on THEN greatest(e.known_at, lead(e.known_at) OVER asset) ELSE e.cancelled_at END AS end_known_at,
       NULL::timestamptz AS superseded_at, %5$L::text AS source, e.id AS source_key
FROM evented e
JOIN customer c ON c.id = e.account_id
WINDOW asset AS (PARTITION BY e.asset_id ORDER BY e.starts);
COMMENT ON VIEW %2$s IS 'Contract timeline from Salesforce assets: one row per asset and state period (shape: ltv.contract_line).';

CREATE VIEW %3$s AS
SELECT 'asset_state_period' AS table_name, p.id AS source_key,
       CASE WHEN a.id IS NULL THEN 'no such asset'
            WHEN coalesce(a.is_deleted, false) OR coalesce(p.is_deleted, false) THEN 'deleted'
            WHEN (p.mrr > 0 OR p.quantity > 0) IS NOT TRUE THEN 'nothing is sold'
            ELSE 'account deleted or missing' END AS reason
FROM %1$I.asset_state_period p
LEFT JOIN %1$I.asset a ON a.id = p.asset_id
LEFT JOIN %1$I.account c ON c.id = a.account_id
WHERE a.id IS NULL OR coalesce(a.is_deleted, false) OR coalesce(p.is_deleted, false) OR (p.mrr > 0 OR p.quantity > 0) IS NOT TRUE
   OR c.id IS NULL OR (coalesce(c.is_deleted, false) AND c.master_record_id IS NULL);
COMMENT ON VIEW %3$s IS 'What the timeline leaves out, and why. Count it by reason.';
$part$),
('salesforce.cpq',
 'account, contract, opportunity, sbqq_subscription_c, dated_conversion_rate',
 ARRAY['timeline', 'excluded', 'renewals', 'fx_rate'],
 'Prices are taken to be for twelve months: change the 12 where the package''s subscription term unit says otherwise. CPQ does not say when a termination date was set: such an end is known on its day, unless an amendment says it earlier. Custom pauses are not seen. Currencies need a multi-currency organisation: otherwise write the currency in place of currency_iso_code.',
$part$-- Contract timeline from Salesforce contracts and CPQ subscriptions. Amendments append rows with the difference, a negative quantity for
-- fewer seats; they change none. A line is a subscription with all its differences: their sum between any two dates on which one starts or
-- ends. End dates are inclusive and become the next day here.
CREATE VIEW %2$s AS
WITH RECURSIVE
<accounts>
<succession>
signed AS (
    -- Contracts that were signed, with the opportunity that renews them and whether they renew another.
    SELECT DISTINCT ON (c.id) c.id, c.account_id, c.start_date, c.end_date + 1 AS ends, c.status, coalesce(c.sbqq_evergreen_c, false) AS is_evergreen,
           c.currency_iso_code, o.is_won, o.is_closed, o.close_date, o.created_date AS renewal_asked_at,
           CASE WHEN origin.sbqq_renewed_contract_c IS NOT NULL THEN 'renewal' ELSE coalesce(n.start_event, 'new') END AS start_event
    FROM %1$I.contract c
    LEFT JOIN %1$I.opportunity o ON NOT coalesce(o.is_deleted, false) AND (o.id = c.sbqq_renewal_opportunity_c OR o.sbqq_renewed_contract_c = c.id)
    LEFT JOIN %1$I.opportunity origin ON origin.id = c.sbqq_opportunity_c
    LEFT JOIN succession n ON n.id = c.id
    WHERE NOT coalesce(c.is_deleted, false) AND c.status IN ('Activated', 'Expired', 'Terminated')
    ORDER BY c.id, o.is_won DESC NULLS LAST, o.close_date, o.id
),
difference AS (
    -- Net prices are for the part of a term that a row runs: ProrateMultiplier makes them whole again.
    SELECT coalesce(s.sbqq_root_id_c, s.id) AS line_id, s.id, s.sbqq_contract_c AS contract_id, s.sbqq_product_c AS product, s.currency_iso_code,
           s.sbqq_billing_frequency_c AS billing_frequency, s.sbqq_quantity_c::numeric AS quantity,
           s.sbqq_quantity_c::numeric * s.sbqq_net_price_c::numeric / coalesce(nullif(s.sbqq_prorate_multiplier_c, 0), 1)::numeric AS net_price,
           s.sbqq_quantity_c::numeric * s.sbqq_list_price_c::numeric AS list_price,
           s.sbqq_subscription_start_date_c AS starts,
           least(coalesce(s.sbqq_subscription_end_date_c + 1, 'infinity'), coalesce(s.sbqq_terminated_date_c, 'infinity')) AS ends,
           s.sbqq_subscription_end_date_c + 1 AS term_ends, s.sbqq_terminated_date_c <= s.sbqq_subscription_end_date_c AS is_terminated, s.created_date AS known_at
    FROM %1$I.sbqq_subscription_c s
    JOIN signed c ON c.id = s.sbqq_contract_c
    WHERE NOT coalesce(s.is_deleted, false) AND s.sbqq_net_price_c IS NOT NULL
),
bound AS (
    -- A day on which something changes is known since the first row that starts or ends there.
    SELECT line_id, day, min(known_at) AS known_at
    FROM (SELECT line_id, starts, known_at FROM difference UNION ALL SELECT line_id, ends, known_at FROM difference) change (line_id, day, known_at)
    GROUP BY line_id, day
),
span AS (
    SELECT line_id, day AS starts, lead(day) OVER (PARTITION BY line_id ORDER BY day) AS ends, known_at
    FROM bound
),
summed AS (
    -- A span is known when its first day and the last of the rows that make it up were.
    SELECT s.line_id, s.starts, s.ends, min(d.contract_id) AS contract_id, min(d.product) AS product, min(d.currency_iso_code) AS currency_iso_code,
           min(d.billing_frequency) AS billing_frequency, sum(d.quantity) AS quantity, sum(d.net_price) / 12 AS mrr, sum(d.list_price) / 12 AS list_mrr,
           greatest(max(d.known_at), s.known_at) AS known_at, max(d.term_ends) AS term_ends, bool_or(d.is_terminated) AS is_terminated, (array_agg(d.id ORDER BY d.starts DESC, d.id DESC))[1] AS source_key
    FROM span s
    JOIN difference d ON d.line_id = s.line_id AND d.starts <= s.starts AND d.ends >= s.ends
    GROUP BY s.line_id, s.starts, s.ends, s.known_at
    HAVING sum(d.quantity) > 0 AND sum(d.net_price) >= 0
),
ordered AS (
    SELECT s.*, lag(s.ends) OVER line AS previous_ends, lag(s.quantity) OVER line AS previous_quantity, lag(s.mrr) OVER line AS previous_mrr,
           coalesce(lead(s.starts) OVER line = s.ends, false) AS goes_on, lead(s.known_at) OVER line AS next_known_at, lead(s.quantity) OVER line AS next_quantity,
           lead(s.mrr) OVER line AS next_mrr
    FROM summed s
    WINDOW line AS (PARTITION BY s.line_id ORDER BY s.starts)
),
closing AS (
    -- The amendment that took the last seat away.
    SELECT o.line_id, o.starts, max(d.known_at) AS known_at
    FROM ordered o
    JOIN difference d ON d.line_id = o.line_id AND d.starts = o.ends
    WHERE NOT o.goes_on
    GROUP BY o.line_id, o.starts
),
late AS (
    -- Expired contracts that another renewed late, and when that was known.
    SELECT n.before_id AS contract_id, min(d.known_at) AS known_at
    FROM succession n
    JOIN difference d ON d.contract_id = n.id
    WHERE n.start_event = 'renewal'
    GROUP BY n.before_id
),
ended AS (
    SELECT o.*, c.account_id AS contract_account_id, c.start_date, c.ends AS contract_ends, c.is_evergreen, c.currency_iso_code AS contract_currency,
           c.start_event AS contract_event, (c.is_won AND in_time.is_decided) OR l.contract_id IS NOT NULL AS is_renewed, c.renewal_asked_at, x.known_at AS taken_away_at,
           (o.ends < o.term_ends AND NOT o.goes_on) OR o.is_terminated OR (c.status = 'Terminated' AND c.is_won IS NOT TRUE) AS is_early,
           CASE WHEN in_time.is_decided THEN c.close_date::timestamp AT TIME ZONE %6$L ELSE l.known_at END AS decided_at
    FROM ordered o
    JOIN signed c ON c.id = o.contract_id
    LEFT JOIN closing x ON x.line_id = o.line_id AND x.starts = o.starts
    LEFT JOIN late l ON l.contract_id = o.contract_id
    -- A decision that comes more than 30 days after the end came to a contract that was over: lost in its period, recovered in a later one.
    CROSS JOIN LATERAL (SELECT c.is_closed AND c.close_date <= o.ends + 30 AS is_decided) in_time
),
dated AS (
    -- An end that is neither reached nor decided is a term's end, not the line's.
    SELECT e.*, CASE WHEN e.ends = 'infinity' THEN NULL
                     WHEN e.goes_on OR e.is_early OR e.decided_at IS NOT NULL OR e.ends <= (now() AT TIME ZONE %6$L)::date THEN e.ends END AS valid_to
    FROM ended e
)
SELECT c.account_id, c.parent_account_id, d.contract_id, d.line_id, d.product, d.starts AS valid_from, d.valid_to, 'active'::text AS state,
       round(d.mrr, 4) AS mrr, round(d.list_mrr, 4) AS list_mrr, d.quantity, upper(coalesce(d.currency_iso_code, d.contract_currency)) AS currency,
       CASE d.billing_frequency WHEN 'Annual' THEN 12 WHEN 'Semiannual' THEN 6 WHEN 'Quarterly' THEN 3 ELSE 1 END::numeric AS billing_months,
       'advance'::text AS payment_timing, d.start_date AS term_start,
       -- A contract's own end date moves when it is terminated; its lines keep the one that was agreed.
       CASE WHEN NOT d.is_evergreen THEN coalesce(d.term_ends, d.contract_ends) END AS term_end,
       -- An open renewal opportunity means that somebody negotiates; as the row became known.
       CASE WHEN d.is_evergreen THEN true WHEN d.renewal_asked_at <= d.known_at THEN false END AS auto_renew,
       CASE WHEN d.previous_ends IS NULL THEN d.contract_event
            WHEN d.previous_ends < d.starts THEN 'reactivation'
            WHEN d.quantity > d.previous_quantity THEN 'upgrade'
            WHEN d.quantity < d.previous_quantity THEN 'downgrade'
            ELSE 'price_change' END AS start_event,
       CASE WHEN d.valid_to IS NULL THEN NULL
            WHEN d.goes_on AND d.next_quantity > d.quantity THEN 'upgrade'
            WHEN d.goes_on AND d.next_quantity < d.quantity THEN 'downgrade'
            WHEN d.goes_on THEN 'price_change'
            WHEN d.is_early THEN 'early_termination'
            WHEN d.is_renewed THEN 'renewal'
            ELSE 'non_renewal' END AS end_event,
       d.known_at,
       CASE WHEN d.valid_to IS NULL THEN NULL
            WHEN d.goes_on THEN greatest(d.known_at, d.next_known_at)
            WHEN d.is_early THEN d.taken_away_at
            WHEN d.decided_at IS NOT NULL THEN greatest(d.known_at, d.decided_at) END AS end_known_at,
       NULL::timestamptz AS superseded_at, %5$L::text AS source, d.source_key
FROM dated d
JOIN customer c ON c.id = d.contract_account_id;
COMMENT ON VIEW %2$s IS 'Contract timeline from Salesforce CPQ: one row per subscription line between two amendments (shape: ltv.contract_line).';

-- What became of each committed term. A renewal that was won more than 90 days before the end is early, more than 30 days after it late,
-- and so is one of which no opportunity says: the next contract, if it begins within 30 days.
CREATE VIEW %4$s AS
WITH RECURSIVE
<accounts>
<succession>
term AS (
    SELECT DISTINCT ON (c.id) a.account_id, c.id AS contract_id, c.start_date AS term_start, c.end_date + 1 AS due_on, c.status, o.id AS opportunity_id,
           o.is_won, o.is_closed, o.close_date, coalesce(next.sbqq_evergreen_c, late.is_evergreen) AS became_evergreen, coalesce(next.id, late.id) AS next_contract_id,
           coalesce(next.start_date, late.start_date) AS next_starts, late.start_date AS late_starts
    FROM %1$I.contract c
    JOIN customer a ON a.id = c.account_id
    LEFT JOIN %1$I.opportunity o ON NOT coalesce(o.is_deleted, false) AND (o.id = c.sbqq_renewal_opportunity_c OR o.sbqq_renewed_contract_c = c.id)
    LEFT JOIN %1$I.contract next ON next.sbqq_opportunity_c = o.id AND NOT coalesce(next.is_deleted, false)
    LEFT JOIN succession late ON late.before_id = c.id AND late.start_event = 'renewal'
    WHERE NOT coalesce(c.is_deleted, false) AND c.status IN ('Activated', 'Expired', 'Terminated') AND NOT coalesce(c.sbqq_evergreen_c, false)
    ORDER BY c.id, o.is_won DESC NULLS LAST, o.close_date, o.id, next.id, late.start_date, late.id
),
line AS MATERIALIZED (
    SELECT contract_id, valid_from, valid_to, mrr, known_at FROM %2$s
),
last_day AS (
    -- The day on which the last line ended, if that was before the term's.
    SELECT t.contract_id, least(t.due_on, max(coalesce(l.valid_to, 'infinity'))) AS day, max(coalesce(l.valid_to, 'infinity')) < t.due_on AS is_early
    FROM term t
    JOIN line l ON l.contract_id = t.contract_id
    GROUP BY t.contract_id, t.due_on
),
due AS (
    SELECT d.contract_id, d.day, d.is_early, sum(l.mrr) AS mrr
    FROM last_day d
    JOIN line l ON l.contract_id = d.contract_id AND l.valid_from < d.day AND (l.valid_to IS NULL OR l.valid_to >= d.day)
    GROUP BY d.contract_id, d.day, d.is_early
),
renewed AS (
    SELECT t.contract_id, sum(l.mrr) AS mrr, min(l.known_at) AS known_at
    FROM term t
    JOIN line l ON l.contract_id = t.next_contract_id AND l.valid_from <= t.next_starts AND (l.valid_to IS NULL OR l.valid_to > t.next_starts)
    GROUP BY t.contract_id
),
valued AS (
    SELECT t.*, d.mrr AS mrr_before, d.day AS last_day, d.is_early, r.mrr AS mrr_after, CASE WHEN t.late_starts IS NOT NULL THEN r.known_at END AS late_known_at
    FROM term t
    LEFT JOIN due d ON d.contract_id = t.contract_id
    LEFT JOIN renewed r ON r.contract_id = t.contract_id
),
decided AS (
    SELECT v.*, CASE WHEN (v.status = 'Terminated' OR v.is_early) AND v.is_won IS NOT TRUE THEN 'early_termination'
                     WHEN v.is_won AND v.became_evergreen THEN 'converted_evergreen'
                     WHEN v.is_won AND v.close_date > v.due_on + 30 THEN 'renewed_late'
                     WHEN v.is_won AND v.mrr_after < v.mrr_before THEN 'downsold'
                     WHEN v.is_won AND v.close_date < v.due_on - 90 THEN 'renewed_early'
                     WHEN v.is_won THEN 'renewed'
                     WHEN v.is_closed THEN 'lost'
                     WHEN v.late_known_at IS NOT NULL THEN CASE WHEN v.became_evergreen THEN 'converted_evergreen' WHEN v.mrr_after < v.mrr_before THEN 'downsold' WHEN v.late_starts > v.due_on THEN 'renewed_late' ELSE 'renewed' END
                     WHEN v.due_on + 30 < (now() AT TIME ZONE %6$L)::date THEN 'lapsed'
                     ELSE 'open' END AS outcome
    FROM valued v
)
SELECT account_id, contract_id, term_start, due_on, outcome, (known_at AT TIME ZONE %6$L)::date AS decided_on, known_at,
       mrr_before, mrr_after, opportunity_id
FROM (SELECT d.*, CASE WHEN outcome = 'open' THEN NULL WHEN NOT coalesce(is_closed, false) AND late_known_at IS NOT NULL AND outcome <> 'early_termination' THEN late_known_at
                       ELSE (CASE outcome WHEN 'early_termination' THEN coalesce(last_day, due_on) WHEN 'lapsed' THEN due_on + 30 ELSE close_date END)::timestamp AT TIME ZONE %6$L END AS known_at
      FROM decided d) d;
COMMENT ON VIEW %4$s IS 'One row per signed contract with a term: when its renewal was due, what became of it, and when that was known.';

CREATE VIEW %3$s AS
SELECT 'sbqq_subscription_c' AS table_name, s.id AS source_key,
       CASE WHEN coalesce(s.is_deleted, false) THEN 'deleted'
            WHEN c.id IS NULL THEN 'no such contract'
            WHEN coalesce(c.is_deleted, false) THEN 'contract deleted'
            WHEN c.status NOT IN ('Activated', 'Expired', 'Terminated') THEN 'contract not signed'
            WHEN s.sbqq_net_price_c IS NULL THEN 'no price'
            ELSE 'account deleted or missing' END AS reason
FROM %1$I.sbqq_subscription_c s
LEFT JOIN %1$I.contract c ON c.id = s.sbqq_contract_c
LEFT JOIN %1$I.account a ON a.id = c.account_id
WHERE coalesce(s.is_deleted, false) OR c.id IS NULL OR coalesce(c.is_deleted, false) OR c.status NOT IN ('Activated', 'Expired', 'Terminated')
   OR s.sbqq_net_price_c IS NULL OR a.id IS NULL OR (coalesce(a.is_deleted, false) AND a.master_record_id IS NULL);
COMMENT ON VIEW %3$s IS 'What the timeline leaves out, and why. Count it by reason.';
$part$)
) flavour (source, needs, views, limits, text),
(VALUES (
$part$survivor (id, account_id, depth) AS (
    -- Merged accounts are the one that survived: otherwise a merge would look like churn.
    SELECT id, id, 0 FROM %1$I.account
    UNION ALL
    SELECT s.id, a.master_record_id, s.depth + 1 FROM survivor s JOIN %1$I.account a ON a.id = s.account_id WHERE a.master_record_id IS NOT NULL AND s.depth < 20
),
ancestor (id, top_id, depth) AS (
    SELECT id, id, 0 FROM %1$I.account
    UNION ALL
    SELECT n.id, a.parent_id, n.depth + 1 FROM ancestor n JOIN %1$I.account a ON a.id = n.top_id WHERE a.parent_id IS NOT NULL AND n.depth < 20
),
customer AS (
    -- Every account's survivor and its ultimate parent. Deleted ones are left out: the view of excluded rows lists what was theirs.
    SELECT DISTINCT ON (s.id) s.id, s.account_id, nullif(n.top_id, s.account_id) AS parent_account_id
    FROM survivor s
    JOIN %1$I.account a ON a.id = s.account_id AND a.master_record_id IS NULL AND NOT coalesce(a.is_deleted, false)
    JOIN ancestor n ON n.id = s.account_id
    ORDER BY s.id, s.depth DESC, n.depth DESC
),$part$)) accounts (text),
(VALUES (
$part$standing AS (
    -- Signed contracts of each customer: which an opportunity ties to the one before, and of which it decided.
    SELECT c.id, a.account_id, c.start_date, CASE WHEN NOT coalesce(c.sbqq_evergreen_c, false) THEN c.end_date + 1 END AS ends, c.status,
           EXISTS (SELECT FROM %1$I.opportunity o WHERE o.id = c.sbqq_opportunity_c AND o.sbqq_renewed_contract_c IS NOT NULL) AS is_tied,
           EXISTS (SELECT FROM %1$I.opportunity o WHERE (o.id = c.sbqq_renewal_opportunity_c OR o.sbqq_renewed_contract_c = c.id)
                      AND o.is_closed AND NOT coalesce(o.is_deleted, false)) AS is_decided
    FROM %1$I.contract c
    JOIN customer a ON a.id = c.account_id
    WHERE NOT coalesce(c.is_deleted, false) AND c.status IN ('Activated', 'Expired', 'Terminated')
),
succession AS (
    -- A contract that nothing ties to another, of a customer who has had one and has none in force. Within 30 days of one that expired and of
    -- which nobody decided it is that one's late renewal; otherwise the customer is back.
    SELECT n.id, n.start_date, n.ends IS NULL AS is_evergreen, n.before_id,
           CASE WHEN n.start_date <= n.before_ends + 30 AND n.before_status = 'Expired' AND NOT n.before_decided THEN 'renewal' ELSE 'reactivation' END AS start_event
    FROM (SELECT DISTINCT ON (c.id) c.id, c.start_date, c.ends, p.id AS before_id, p.ends AS before_ends, p.status AS before_status, p.is_decided AS before_decided
          FROM standing c
          JOIN standing p ON p.account_id = c.account_id AND p.start_date < c.start_date
          WHERE NOT c.is_tied
          ORDER BY c.id, p.ends DESC NULLS FIRST, p.id) n
    WHERE n.before_ends <= n.start_date
),$part$)) succession (text),
(VALUES (
$part$
-- One unit of a currency in the corporate currency. Salesforce states the other way round, and applies dated rates to opportunities only.
CREATE VIEW %7$s AS
SELECT upper(iso_code) AS currency, start_date AS valid_from, CASE WHEN next_start_date < date '9999-01-01' THEN next_start_date END AS valid_to,
       1 / nullif(conversion_rate, 0)::numeric AS rate
FROM %1$I.dated_conversion_rate
WHERE NOT coalesce(is_deleted, false);
COMMENT ON VIEW %7$s IS 'Dated exchange rates: one unit of currency is rate units of the corporate currency from valid_from until before valid_to.';
$part$)) rates (text);
