-- Zuora to the shape of ltv.contract_line: a charge segment already is a span of constant price.
-- %1$I is the schema of the landed tables, %2$s the timeline, %3$s the view of what was left out, %6$L the ledger's time zone.

CREATE VIEW ltv._mapping_zuora AS
SELECT 'zuora'::text AS source, 'zuora'::text AS default_schema, 'account, subscription, rate_plan_charge, amendment (Fivetran)'::text AS needs,
       ARRAY['timeline', 'excluded', 'fx_rate'] AS views,
       'MRR is Zuora''s, before discounts: discount charges are left out and listed. A segment is known when a version first held it with this price, which is as old as the connector''s first sync at the earliest. Suspensions are read from amendments.'::text AS limits,
$part$-- Contract timeline from Zuora. Segments of recurring charges on the latest version of each subscription; end dates are exclusive already.
-- Usage and one-time charges are no run-rate; discounts are charges of their own, which Zuora leaves out of MRR.
CREATE VIEW %2$s AS
WITH subscription AS (
    SELECT s.*, a.parent_id, a.currency AS account_currency
    FROM %1$I.subscription s
    JOIN %1$I.account a ON a.id = s.account_id AND NOT coalesce(a._fivetran_deleted, false)
    WHERE s.is_latest_version AND NOT coalesce(s._fivetran_deleted, false) AND s.status IN ('Active', 'Cancelled', 'Expired', 'Suspended')
),
first_seen AS (
    -- Every version of a subscription copies its charges: a segment was known from its first copy at this price on.
    SELECT charge_number, segment, mrr, effective_start_date, min(created_date) AS known_at
    FROM %1$I.rate_plan_charge
    GROUP BY charge_number, segment, mrr, effective_start_date
),
term AS (
    -- Every term as the first version that had it agreed it; a renewal is a version with a later start. An evergreen one has none.
    SELECT DISTINCT ON (v.original_id, v.term_start_date) v.original_id, v.term_start_date::date AS starts, v.created_date AS known_at,
           CASE WHEN v.term_type = 'TERMED' THEN v.term_start_date::date END AS term_start, CASE WHEN v.term_type = 'TERMED' THEN v.term_end_date::date END AS term_end,
           v.term_type = 'EVERGREEN' OR v.auto_renew AS auto_renew
    FROM %1$I.subscription v
    WHERE v.term_start_date IS NOT NULL AND NOT coalesce(v._fivetran_deleted, false)
    ORDER BY v.original_id, v.term_start_date, v.version
),
suspension AS (
    SELECT s.original_id, m.suspend_date::date AS began_on, m.created_date AS began_at,
           (SELECT min(r.resume_date)::date FROM %1$I.amendment r JOIN %1$I.subscription v ON v.id = r.subscription_id
            WHERE v.original_id = s.original_id AND r.resume_date >= m.suspend_date AND NOT coalesce(r._fivetran_deleted, false)) AS over_on
    FROM %1$I.amendment m
    JOIN %1$I.subscription s ON s.id = m.subscription_id
    WHERE m.suspend_date IS NOT NULL AND NOT coalesce(m._fivetran_deleted, false)
),
segment AS (
    SELECT s.account_id, nullif(s.parent_id, '') AS parent_account_id, s.original_id, s.name AS contract_id, c.charge_number AS line_id, c.name AS product,
           c.effective_start_date::date AS starts,
           least(c.effective_end_date::date, s.cancelled_date::date) AS ends,
           c.mrr::numeric AS mrr, c.quantity::numeric AS quantity, upper(coalesce(c.transaction_currency, s.account_currency)) AS currency,
           CASE c.billing_period WHEN 'Month' THEN 1 WHEN 'Quarter' THEN 3 WHEN 'Semi_Annual' THEN 6 WHEN 'Annual' THEN 12 WHEN 'Eighteen_Months' THEN 18
                                 WHEN 'Two_Years' THEN 24 WHEN 'Three_Years' THEN 36 WHEN 'Five_Years' THEN 60 WHEN 'Week' THEN 12.0 / 52
                                 WHEN 'Specific_Months' THEN c.specific_billing_period WHEN 'Specific_Weeks' THEN c.specific_billing_period * 12.0 / 52 END::numeric AS billing_months,
           CASE WHEN c.billing_timing = 'In Arrears' THEN 'arrears' ELSE 'advance' END AS payment_timing,
           f.known_at, c.id AS source_key, s.status, s.cancelled_date::date AS cancelled_on,
           s.cancel_reason, s.updated_date AS last_changed_at
    FROM %1$I.rate_plan_charge c
    JOIN subscription s ON s.id = c.subscription_id
    JOIN first_seen f ON f.charge_number = c.charge_number AND f.segment = c.segment AND f.mrr IS NOT DISTINCT FROM c.mrr
                     AND f.effective_start_date = c.effective_start_date
    WHERE NOT coalesce(c._fivetran_deleted, false) AND c.charge_type = 'Recurring' AND NOT starts_with(coalesce(c.charge_model, ''), 'Discount')
      AND c.effective_start_date::date < coalesce(least(c.effective_end_date::date, s.cancelled_date::date), 'infinity')
),
cut AS (
    -- The days inside of a segment on which a suspension begins or ends or a new term starts, and when that was known.
    SELECT source_key, day, max(at) AS at
    FROM (SELECT g.source_key, g.starts, g.ends, g.starts, NULL::timestamptz FROM segment g
          UNION ALL
          SELECT g.source_key, g.starts, g.ends, z.began_on, z.began_at FROM segment g JOIN suspension z ON z.original_id = g.original_id
          UNION ALL
          SELECT g.source_key, g.starts, g.ends, z.over_on, z.over_on::timestamp AT TIME ZONE %6$L FROM segment g JOIN suspension z ON z.original_id = g.original_id
          UNION ALL
          SELECT g.source_key, g.starts, g.ends, t.starts, t.known_at FROM segment g JOIN term t ON t.original_id = g.original_id AND t.starts > g.starts
         ) change (source_key, starts, ends, day, at)
    WHERE day >= starts AND (ends IS NULL OR day < ends)
    GROUP BY source_key, day
),
piece AS (
    -- A suspension is a state of its own, neither revenue nor churn.
    SELECT DISTINCT ON (g.source_key, c.day) g.*, t.term_start, t.term_end, t.auto_renew, c.day AS valid_from, c.next_day AS valid_to, greatest(g.known_at, c.at) AS piece_known_at,
           z.original_id IS NOT NULL AS is_paused
    FROM segment g
    JOIN (SELECT cut.*, lead(day) OVER (PARTITION BY source_key ORDER BY day) AS next_cut FROM cut) k ON k.source_key = g.source_key
    CROSS JOIN LATERAL (SELECT k.day, k.at, coalesce(k.next_cut, g.ends) AS next_day) c
    LEFT JOIN suspension z ON z.original_id = g.original_id AND z.began_on <= c.day AND (z.over_on IS NULL OR z.over_on > c.day)
    LEFT JOIN term t ON t.original_id = g.original_id AND t.starts <= c.day
    ORDER BY g.source_key, c.day, t.starts DESC NULLS LAST
),
ordered AS (
    -- The end of a term that is still to come is not the line's end.
    SELECT p.*, lag(p.valid_to) OVER line AS previous_to, lag(p.mrr) OVER line AS previous_mrr, lag(p.quantity) OVER line AS previous_quantity, lag(p.is_paused) OVER line AS was_paused,
           coalesce(lead(p.valid_from) OVER line = p.valid_to, false) AS goes_on, lead(p.mrr) OVER line AS next_mrr, lead(p.quantity) OVER line AS next_quantity,
           lead(p.is_paused) OVER line AS will_pause, lead(p.piece_known_at) OVER line AS next_known_at
    FROM piece p
    WINDOW line AS (PARTITION BY p.line_id ORDER BY p.valid_from)
),
dated AS (
    SELECT o.*, CASE WHEN o.goes_on OR o.valid_to = o.cancelled_on OR o.valid_to <= (now() AT TIME ZONE %6$L)::date OR o.valid_to < o.term_end THEN o.valid_to END AS line_to
    FROM ordered o
)
SELECT account_id, parent_account_id, contract_id, line_id, product, valid_from, line_to AS valid_to, CASE WHEN is_paused THEN 'paused' ELSE 'active' END AS state,
       round(mrr, 4) AS mrr, NULL::numeric AS list_mrr, quantity, currency, round(billing_months, 4) AS billing_months, payment_timing, term_start, term_end, auto_renew,
       CASE WHEN previous_to IS NULL THEN 'new' WHEN is_paused AND NOT was_paused THEN 'pause' WHEN previous_to < valid_from THEN 'reactivation' WHEN was_paused AND NOT is_paused THEN 'resume'
            WHEN quantity IS NOT DISTINCT FROM previous_quantity THEN CASE WHEN mrr <> previous_mrr THEN 'price_change' WHEN term_end IS NOT NULL THEN 'renewal' END
            WHEN mrr > previous_mrr THEN 'upgrade' ELSE 'downgrade' END AS start_event,
       CASE WHEN line_to IS NULL THEN NULL
            WHEN goes_on AND will_pause AND NOT is_paused THEN 'pause'
            WHEN goes_on AND is_paused AND NOT will_pause THEN 'resume'
            WHEN goes_on AND quantity IS NOT DISTINCT FROM next_quantity THEN CASE WHEN mrr <> next_mrr THEN 'price_change' WHEN term_end IS NOT NULL THEN 'renewal' END
            WHEN goes_on THEN CASE WHEN next_mrr > mrr THEN 'upgrade' ELSE 'downgrade' END
            WHEN cancel_reason ~* 'payment' THEN 'involuntary'
            WHEN line_to < term_end THEN CASE WHEN line_to = cancelled_on THEN 'early_termination' ELSE 'cancel' END
            WHEN term_end IS NULL THEN 'cancel'
            ELSE 'non_renewal' END AS end_event,
       piece_known_at AS known_at,
       -- When a cancellation was entered is the time of the version that says so; that may be later than it was decided, never earlier.
       CASE WHEN line_to IS NULL THEN NULL WHEN goes_on THEN greatest(piece_known_at, next_known_at)
            WHEN line_to = cancelled_on THEN greatest(piece_known_at, last_changed_at) END AS end_known_at,
       NULL::timestamptz AS superseded_at, %5$L::text AS source, source_key
FROM dated;
COMMENT ON VIEW %2$s IS 'Contract timeline from Zuora: one row per charge segment (shape: ltv.contract_line).';

CREATE VIEW %3$s AS
SELECT 'rate_plan_charge' AS table_name, c.id AS source_key,
       CASE WHEN coalesce(c._fivetran_deleted, false) OR coalesce(s._fivetran_deleted, false) OR coalesce(a._fivetran_deleted, false) THEN 'deleted'
            WHEN s.id IS NULL THEN 'no such subscription'
            WHEN NOT coalesce(s.is_latest_version, false) THEN 'replaced by a later version'
            WHEN s.status NOT IN ('Active', 'Cancelled', 'Expired', 'Suspended') THEN 'subscription is ' || lower(s.status)
            WHEN c.charge_type <> 'Recurring' THEN 'not recurring'
            WHEN starts_with(c.charge_model, 'Discount') THEN 'discount'
            ELSE 'no day in force' END AS reason
FROM %1$I.rate_plan_charge c
LEFT JOIN %1$I.subscription s ON s.id = c.subscription_id
LEFT JOIN %1$I.account a ON a.id = s.account_id
WHERE NOT EXISTS (SELECT FROM %2$s t WHERE t.source_key = c.id);
COMMENT ON VIEW %3$s IS 'What the timeline leaves out, and why. Count it by reason.';

-- One unit of a currency in the home currency, on the dates on which Zuora applied a rate; each holds until the next.
CREATE VIEW %7$s AS
SELECT currency, valid_from, lead(valid_from) OVER (PARTITION BY currency ORDER BY valid_from) AS valid_to, rate
FROM (SELECT DISTINCT ON (upper(transaction_currency), exchange_rate_date) upper(transaction_currency) AS currency, exchange_rate_date::date AS valid_from, exchange_rate::numeric AS rate
      FROM %1$I.rate_plan_charge
      WHERE exchange_rate IS NOT NULL AND exchange_rate_date IS NOT NULL AND transaction_currency IS NOT NULL AND NOT coalesce(_fivetran_deleted, false)
      ORDER BY upper(transaction_currency), exchange_rate_date, created_date DESC) seen;
COMMENT ON VIEW %7$s IS 'Exchange rates that Zuora applied: one unit of currency is rate units of the home currency from valid_from until before valid_to.';
$part$ AS template;
