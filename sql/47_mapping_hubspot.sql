-- HubSpot to the shape of ltv.contract_line: a won deal is a contract, for lack of any other.
-- %1$I is the schema of the landed tables, %2$s the timeline, %3$s the view of what was left out, %6$L the ledger's time zone.

CREATE VIEW ltv._mapping_hubspot AS
SELECT 'hubspot'::text AS source, 'hubspot'::text AS default_schema, 'deal, deal_company, deal_pipeline_stage, deal_stage, merged_deal, company (Fivetran)'::text AS needs,
       ARRAY['timeline', 'excluded'] AS views,
       'HubSpot has no contracts: the amount of a won deal is taken for a term of twelve months from its close date, and ends there unless a deal of the same company and pipeline follows. Change the two numbers and the currency at the top of the view, or put your own properties (start, term, MRR) in their place. Changes within a term, pauses and early ends are not seen.'::text AS limits,
$part$-- Contract timeline from HubSpot's won deals.
CREATE VIEW %2$s AS
WITH setting AS (
    -- What HubSpot does not say: how long a deal's amount is for, how late a renewal may be, and in which currency it is.
    SELECT 12 AS term_months, 30 AS grace_days, 'USD'::text AS currency
),
won AS (
    -- The time at which a deal came into its won stage is when it was known; its close date may be typed in later.
    SELECT d.deal_id, c.company_id, d.deal_pipeline_id AS pipeline, d.property_amount::numeric AS amount, g.entered_at,
           (d.property_closedate AT TIME ZONE %6$L)::date AS starts
    FROM %1$I.deal d
    JOIN %1$I.deal_pipeline_stage p ON p.stage_id = d.deal_pipeline_stage_id AND p.closed_won AND NOT coalesce(p._fivetran_deleted, false)
    JOIN (SELECT dc.deal_id, min(dc.company_id) AS company_id
          FROM %1$I.deal_company dc
          JOIN %1$I.company co ON co.id = dc.company_id AND NOT coalesce(co.is_deleted, false)
          GROUP BY dc.deal_id) c ON c.deal_id = d.deal_id
    LEFT JOIN (SELECT deal_id, value, max(date_entered) AS entered_at FROM %1$I.deal_stage GROUP BY deal_id, value) g
        ON g.deal_id = d.deal_id AND g.value = d.deal_pipeline_stage_id
    WHERE NOT coalesce(d.is_deleted, false) AND d.property_amount > 0 AND d.property_closedate IS NOT NULL
      AND NOT EXISTS (SELECT FROM %1$I.merged_deal m WHERE m.merged_deal_id = d.deal_id)
),
daily AS (
    -- Deals that one company closed on one day are one contract.
    SELECT company_id, pipeline, starts, sum(amount) AS amount, max(coalesce(entered_at, starts::timestamp AT TIME ZONE %6$L)) AS known_at, min(deal_id::text) AS deal_id
    FROM won
    GROUP BY company_id, pipeline, starts
),
termed AS (
    SELECT d.*, s.term_months, s.grace_days, s.currency, (d.starts + make_interval(months => s.term_months))::date AS term_end, d.amount / s.term_months AS mrr,
           lead(d.starts) OVER line AS next_starts, lead(d.known_at) OVER line AS next_known_at, lag(d.starts) OVER line AS previous_starts
    FROM daily d
    CROSS JOIN setting s
    WINDOW line AS (PARTITION BY d.company_id, d.pipeline ORDER BY d.starts)
),
ended AS (
    -- The next deal renews the one before it, also when it comes early or a little late; otherwise a contract ends with its term.
    SELECT t.*, CASE WHEN next_starts <= term_end + grace_days THEN next_starts WHEN term_end + grace_days < (now() AT TIME ZONE %6$L)::date THEN term_end END AS valid_to,
           coalesce(next_starts <= term_end + grace_days, false) AS is_renewed,
           lag(term_end) OVER (PARTITION BY company_id, pipeline ORDER BY starts) + grace_days >= starts AS renews, lag(mrr) OVER (PARTITION BY company_id, pipeline ORDER BY starts) AS previous_mrr
    FROM termed t
)
SELECT company_id::text AS account_id, NULL::text AS parent_account_id, deal_id AS contract_id, company_id || '/' || coalesce(pipeline, '') AS line_id, pipeline AS product,
       starts AS valid_from, valid_to, 'active'::text AS state, round(mrr, 4) AS mrr, NULL::numeric AS list_mrr, NULL::numeric AS quantity, currency,
       12::numeric AS billing_months, 'advance'::text AS payment_timing, starts AS term_start, term_end, NULL::boolean AS auto_renew,
       CASE WHEN previous_starts IS NULL THEN 'new' WHEN renews THEN 'renewal' ELSE 'reactivation' END AS start_event,
       CASE WHEN valid_to IS NULL THEN NULL WHEN is_renewed THEN 'renewal' ELSE 'non_renewal' END AS end_event,
       known_at, CASE WHEN valid_to IS NULL THEN NULL WHEN is_renewed THEN greatest(known_at, next_known_at) ELSE (term_end + grace_days)::timestamp AT TIME ZONE %6$L END AS end_known_at,
       NULL::timestamptz AS superseded_at, %5$L::text AS source, deal_id AS source_key
FROM ended;
COMMENT ON VIEW %2$s IS 'Contract timeline from HubSpot: one row per company, pipeline and won deal (shape: ltv.contract_line).';

CREATE VIEW %3$s AS
SELECT 'deal' AS table_name, d.deal_id::text AS source_key,
       CASE WHEN coalesce(d.is_deleted, false) THEN 'deleted'
            WHEN EXISTS (SELECT FROM %1$I.merged_deal m WHERE m.merged_deal_id = d.deal_id) THEN 'merged into another deal'
            WHEN p.stage_id IS NULL THEN 'no stage'
            WHEN NOT coalesce(p.closed_won, false) THEN 'not won'
            WHEN (d.property_amount > 0) IS NOT TRUE THEN 'no amount'
            WHEN d.property_closedate IS NULL THEN 'no close date'
            ELSE 'no company' END AS reason
FROM %1$I.deal d
LEFT JOIN %1$I.deal_pipeline_stage p ON p.stage_id = d.deal_pipeline_stage_id AND NOT coalesce(p._fivetran_deleted, false)
WHERE coalesce(d.is_deleted, false) OR p.stage_id IS NULL OR NOT coalesce(p.closed_won, false) OR (d.property_amount > 0) IS NOT TRUE OR d.property_closedate IS NULL
   OR EXISTS (SELECT FROM %1$I.merged_deal m WHERE m.merged_deal_id = d.deal_id)
   OR NOT EXISTS (SELECT FROM %1$I.deal_company dc JOIN %1$I.company co ON co.id = dc.company_id AND NOT coalesce(co.is_deleted, false) WHERE dc.deal_id = d.deal_id);
COMMENT ON VIEW %3$s IS 'What the timeline leaves out, and why. Count it by reason.';
$part$ AS template;
