-- What is known of a live contract or account on a day: the columns of a training or scoring row.

CREATE FUNCTION ltv.contract_features(timeline regclass, as_of date, grain text DEFAULT 'contract', window_months integer DEFAULT 12, grace_days integer DEFAULT 30)
    RETURNS TABLE (account_id text, contract_id text, tenure_months double precision, term_months double precision, remaining_term_months double precision,
                   months_to_renewal double precision, renewal_signed boolean, end_scheduled boolean, auto_renew boolean, billing_months numeric, payment_timing text,
                   mrr numeric, list_mrr numeric, discount_depth double precision, quantity numeric, price_per_unit numeric, currency text, lines bigint, products bigint,
                   past_due boolean, paused boolean, renewals_so_far bigint, late_renewals bigint, expansion_mrr numeric, contraction_mrr numeric,
                   upsell_velocity double precision, upgrades bigint, downgrades bigint, pauses bigint)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
    SET search_path = pg_catalog, pg_temp
    -- A table without statistics, or an estimate of one row, would make loops over all lines.
    SET enable_nestloop = off
AS $features$
DECLARE
    entity text := CASE grain WHEN 'account' THEN 'account_id' WHEN 'contract' THEN 'contract_id' END;
    source text;
BEGIN
    IF entity IS NULL THEN
        RAISE EXCEPTION 'unknown grain "%"', grain USING ERRCODE = 'invalid_parameter_value', HINT = 'One of contract or account.';
    ELSIF window_months < 1 OR window_months IS NULL THEN
        RAISE EXCEPTION 'window_months must be at least 1, got %', window_months USING ERRCODE = 'invalid_parameter_value', HINT = 'The months before as_of over which expansion is measured.';
    END IF;
    source := ltv.checked_query(timeline, as_of, '{mrr,list_mrr,quantity,billing_months}');
    RETURN QUERY EXECUTE format($sql$
WITH line AS MATERIALIZED (
    SELECT r.*, r.%1$I AS entity_id, r.valid_to IS NULL OR r.valid_to > $1 AS live, CASE WHEN r.state = 'paused' THEN 0 ELSE r.mrr END AS paid
    FROM (%2$s) r
    WHERE r.%1$I IS NOT NULL AND r.state IN ('active', 'past_due', 'paused') AND r.valid_from <= $1 AND (r.valid_to IS NULL OR r.valid_to > r.valid_from)
), live AS (
    SELECT l.entity_id, max(l.account_id) AS account_id, sum(l.paid) AS mrr, sum(l.list_mrr) FILTER (WHERE l.state <> 'paused') AS list_mrr,
           1 - sum(l.mrr) FILTER (WHERE l.list_mrr > 0) / sum(l.list_mrr) FILTER (WHERE l.list_mrr > 0 AND l.mrr IS NOT NULL) AS discount_depth,
           sum(l.quantity) AS quantity, round(sum(l.mrr) FILTER (WHERE l.quantity > 0) / sum(l.quantity) FILTER (WHERE l.quantity > 0), 6) AS price_per_unit,
           CASE WHEN min(l.currency COLLATE "C") = max(l.currency COLLATE "C") THEN min(l.currency COLLATE "C") END AS currency,
           count(DISTINCT l.line_id) AS lines, count(DISTINCT l.product) AS products, bool_or(l.state = 'past_due') AS past_due, bool_and(l.state = 'paused') AS paused,
           bool_and(l.valid_to IS NOT NULL) AS end_scheduled, bool_and(l.auto_renew) AS auto_renew,
           -- Of several lines the dearest speaks for the contract, and of several terms the next to end.
           (array_agg(COALESCE(l.billing_months, 1) ORDER BY l.mrr DESC NULLS LAST, l.line_id COLLATE "C", l.valid_from))[1] AS billing_months,
           (array_agg(COALESCE(l.payment_timing, 'advance') ORDER BY l.mrr DESC NULLS LAST, l.line_id COLLATE "C", l.valid_from))[1] AS payment_timing,
           min(l.term_end) FILTER (WHERE l.term_end > $1) AS next_due, max(l.term_end) FILTER (WHERE l.term_end > $1) AS last_due
    FROM line l WHERE l.live GROUP BY l.entity_id
), term AS (
    SELECT l.entity_id, min(COALESCE(l.term_start, l.valid_from)) AS term_start
    FROM line l JOIN live v ON v.entity_id = l.entity_id AND v.next_due = l.term_end WHERE l.live GROUP BY l.entity_id
), spell AS MATERIALIZED (
    SELECT s.entity_id, s.duration, s.start_on FROM ltv.lifetimes($4, $1, $5, $2) s WHERE s.status IN ('live', 'paused')
), renewal AS (
    SELECT e.%1$I AS entity_id, count(*) FILTER (WHERE e.renewed AND e.due_on <= $1) AS renewals, count(*) FILTER (WHERE e.outcome = 'renewed_late' OR e.renewed AND e.days_late > 0) AS late,
           min(e.due_on) FILTER (WHERE e.renewed AND e.due_on > $1) AS signed_due
    FROM ltv.renewal_events($4, $1, $2) e GROUP BY e.%1$I
), step AS (
    SELECT l.entity_id, l.line_id, l.valid_from, l.valid_to, l.mrr, l.start_event, lag(l.mrr) OVER line AS before_mrr, lead(l.valid_from) OVER line AS next_from
    FROM line l WHERE l.state <> 'paused'
    WINDOW line AS (PARTITION BY l.entity_id COLLATE "C", l.line_id COLLATE "C" ORDER BY l.valid_from, l.valid_to, l.mrr)
), change AS (
    -- What changes on the same day is one change: a line replaced by another at the same price is none.
    SELECT c.entity_id, c.day, sum(c.delta) AS delta
    FROM (SELECT entity_id, valid_from AS day, mrr - COALESCE(before_mrr, 0) AS delta FROM step WHERE before_mrr IS NOT NULL OR start_event IS DISTINCT FROM 'reactivation'
          UNION ALL
          SELECT entity_id, valid_to, -mrr FROM step WHERE next_from IS NULL AND valid_to <= $1) c
    GROUP BY c.entity_id, c.day
), grown AS (
    SELECT c.entity_id, COALESCE(sum(c.delta) FILTER (WHERE c.delta > 0 AND c.day > w.since), 0) AS expansion, COALESCE(-sum(c.delta) FILTER (WHERE c.delta < 0 AND c.day > w.since), 0) AS contraction,
           count(*) FILTER (WHERE c.delta > 0) AS upgrades, count(*) FILTER (WHERE c.delta < 0) AS downgrades
    FROM change c JOIN spell s ON s.entity_id = c.entity_id AND c.day > s.start_on,
         LATERAL (SELECT ($1 - make_interval(months => $3))::date AS since) w
    GROUP BY c.entity_id
), halted AS (
    SELECT l.entity_id, count(DISTINCT l.valid_from) AS pauses FROM line l
    WHERE l.state = 'paused' AND NOT EXISTS (SELECT FROM line b WHERE b.line_id = l.line_id AND b.state = 'paused' AND b.valid_to = l.valid_from) GROUP BY l.entity_id
)
SELECT v.account_id, CASE WHEN $5 = 'contract' THEN v.entity_id END, COALESCE(s.duration, 0), ltv.months_between(t.term_start, v.next_due),
       CASE WHEN v.last_due IS NULL THEN 0 ELSE ltv.months_between($1, v.last_due) END, ltv.months_between($1, v.next_due),
       r.signed_due IS NOT NULL, v.end_scheduled, v.auto_renew, v.billing_months, v.payment_timing,
       CASE WHEN v.currency IS NOT NULL THEN v.mrr END, CASE WHEN v.currency IS NOT NULL THEN v.list_mrr END, CASE WHEN v.currency IS NOT NULL THEN v.discount_depth::double precision END,
       v.quantity, CASE WHEN v.currency IS NOT NULL THEN round(v.price_per_unit, 6) END, v.currency, v.lines, v.products, v.past_due, v.paused,
       COALESCE(r.renewals, 0), COALESCE(r.late, 0), CASE WHEN v.currency IS NOT NULL THEN COALESCE(g.expansion, 0) END, CASE WHEN v.currency IS NOT NULL THEN COALESCE(g.contraction, 0) END,
       CASE WHEN v.currency IS NOT NULL AND s.duration > 0 THEN COALESCE(g.expansion, 0)::double precision / (LEAST(s.duration, $3) / 3) END,
       COALESCE(g.upgrades, 0), COALESCE(g.downgrades, 0), COALESCE(h.pauses, 0)
FROM live v LEFT JOIN term t ON t.entity_id = v.entity_id LEFT JOIN spell s ON s.entity_id = v.entity_id LEFT JOIN renewal r ON r.entity_id = v.entity_id
     LEFT JOIN grown g ON g.entity_id = v.entity_id LEFT JOIN halted h ON h.entity_id = v.entity_id
$sql$, entity, source)
    USING as_of, grace_days, window_months, timeline, grain;
END
$features$;
COMMENT ON FUNCTION ltv.contract_features(regclass, date, text, integer, integer) IS 'What was known on as_of of each contract, or account (grain), that was live then: the features of a training or scoring row. Months are calendar months (months_between). tenure_months: the duration of lifetimes. term_months: the term that ends next; months_to_renewal: until it does, NULL without a term; remaining_term_months: committed, until the last term ends, 0 without. renewal_signed: the next term is known already; end_scheduled: an end of every line is. discount_depth: 1 - mrr / list_mrr of lines with a list price. price_per_unit: mrr / quantity of lines with a quantity. mrr is 0 while paused. billing_months, payment_timing: of the line with the most mrr. renewals_so_far, late_renewals: of renewal_events. expansion_mrr, contraction_mrr: what the days within window_months on which the sum of prices rose added, and those on which it fell took, since the first day of the present spell (without it); a pause is no change; upsell_velocity: expansion_mrr per quarter of the window, or of the tenure when it is shorter. upgrades, downgrades: such days in the present spell; pauses: to date. Amounts and currency are NULL where currencies are mixed.';

CREATE FUNCTION ltv.payment_features(invoices regclass, as_of date, window_months integer DEFAULT 12)
    RETURNS TABLE (account_id text, n_invoices bigint, n_open bigint, mean_days_late double precision, median_days_late double precision, max_days_late integer,
                   last_days_late integer, share_late double precision, share_late_30 double precision, amount_due numeric, amount_overdue numeric, currency text,
                   oldest_overdue_days integer, dunning text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000
    SET search_path = pg_catalog, pg_temp
AS $payments$
#variable_conflict use_column
DECLARE
    missing text;
    known text;
    spent text;
BEGIN
    IF invoices IS NULL OR as_of IS NULL OR window_months IS NULL OR window_months < 1 THEN
        RAISE EXCEPTION 'invoices, as_of and window_months (at least 1) must be given' USING ERRCODE = 'invalid_parameter_value', HINT = 'payment_features(''billing.invoices'', current_date)';
    END IF;
    SELECT string_agg(wanted.name, ', ' ORDER BY wanted.place) FILTER (WHERE a.attname IS NULL AND wanted.place <= 4
                                                                          OR wanted.place IN (2, 3) AND a.atttypid <> 'date'::regtype),
           COALESCE(max(CASE WHEN wanted.name = 'known_at' AND a.attname IS NOT NULL THEN 'COALESCE(i.known_at::timestamptz, i.due_on)' END), 'i.due_on'),
           COALESCE(max(CASE WHEN wanted.name = 'currency' AND a.attname IS NOT NULL THEN 'i.currency::text' END), 'NULL::text')
    INTO missing, known, spent
    FROM unnest('{account_id,due_on,paid_on,amount,known_at,currency}'::text[]) WITH ORDINALITY AS wanted (name, place)
    LEFT JOIN pg_attribute a ON a.attrelid = invoices AND a.attname = wanted.name AND a.attnum > 0 AND NOT a.attisdropped;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% has no invoices: the column % is missing or no date', invoices, missing
            USING ERRCODE = 'undefined_column', HINT = 'Make a view with account_id, due_on date, paid_on date (NULL: unpaid), amount and, where they are known, known_at and currency.';
    END IF;
    RETURN QUERY EXECUTE format($sql$
WITH invoice AS (
    -- A payment after the day is not known: the invoice was open then, and late by as many days as it was overdue.
    SELECT i.account_id::text AS account_id, i.due_on, CASE WHEN i.paid_on <= $1 THEN i.paid_on END AS paid_on, %2$s AS currency,
           CASE WHEN i.amount::numeric >= 'Infinity' OR i.amount::numeric <= '-Infinity' THEN ltv.finite_amount(i.amount::numeric, 'amount', i.account_id::text, i.due_on) ELSE i.amount::numeric END AS amount,
           GREATEST(LEAST(i.paid_on, $1) - i.due_on, 0) AS days_late
    FROM %1$s i
    WHERE i.account_id IS NOT NULL AND i.due_on <= $1 AND i.due_on > ($1 - make_interval(months => $2))::date AND %3$s < ($1 + 1)::timestamptz
), summed AS (
    SELECT account_id, count(*) AS n_invoices, count(*) FILTER (WHERE paid_on IS NULL) AS n_open, avg(days_late)::double precision AS mean_days_late,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY days_late) AS median_days_late, max(days_late) AS max_days_late,
           (array_agg(days_late ORDER BY due_on DESC, days_late DESC))[1] AS last_days_late,
           count(*) FILTER (WHERE days_late > 0)::double precision / count(*) AS share_late, count(*) FILTER (WHERE days_late > 30)::double precision / count(*) AS share_late_30,
           sum(amount) AS amount_due, COALESCE(sum(amount) FILTER (WHERE paid_on IS NULL AND days_late > 0), 0) AS amount_overdue,
           COALESCE(max(days_late) FILTER (WHERE paid_on IS NULL), 0) AS oldest, min(currency COLLATE "C") AS currency, min(currency COLLATE "C") <> max(currency COLLATE "C") AS mixed
    FROM invoice GROUP BY account_id
)
SELECT account_id, n_invoices, n_open, mean_days_late, median_days_late, max_days_late, last_days_late, share_late, share_late_30,
       CASE WHEN mixed IS NOT TRUE THEN amount_due END, CASE WHEN mixed IS NOT TRUE THEN amount_overdue END, CASE WHEN NOT mixed THEN currency END, oldest,
       CASE WHEN oldest = 0 THEN 'none' WHEN oldest <= 30 THEN '1-30' WHEN oldest <= 60 THEN '31-60' WHEN oldest <= 90 THEN '61-90' ELSE 'over 90' END
FROM summed
$sql$, invoices, spent, known)
    USING as_of, window_months;
END
$payments$;
COMMENT ON FUNCTION ltv.payment_features(regclass, date, integer) IS 'How each account paid the invoices that fell due within window_months up to as_of, as known then. invoices: a relation with account_id, due_on and paid_on (dates; paid_on NULL: unpaid), amount and, optionally, known_at (NULL: known from due_on on) and currency. A later payment is not seen: the invoice is open and late by its days overdue. Days late are never negative. share_late, share_late_30: of invoices more than 0 and 30 days late. dunning: how long the oldest open invoice is overdue: none, 1-30, 31-60, 61-90 or over 90 days. Amounts are NULL where currencies are mixed. Error 42703 for a missing column.';
