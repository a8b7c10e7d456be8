-- Renewal decisions: one row per contract and date on which a committed term ends, with what came of it.

CREATE FUNCTION ltv.renewal_events(timeline regclass, as_of date, grace_days integer DEFAULT 30, early_days integer DEFAULT 90,
        by text DEFAULT NULL, segments regclass DEFAULT NULL)
    RETURNS TABLE (account_id text, contract_id text, term_number bigint, term_start date, due_on date, outcome text, renewed boolean, decided_on date, days_late integer,
                   known_at timestamptz, mrr_before numeric, mrr_after numeric, currency text, lines bigint, auto_renew boolean, end_event text, next_contract_id text, segment text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
    SET search_path = pg_catalog, pg_temp
    -- A table without statistics, or an estimate of one row, would make loops over all lines.
    SET enable_nestloop = off
AS $renewals$
DECLARE
    source text := ltv.checked_query(timeline, as_of);
    -- With segments each one of a contract, and of an account, is looked at by itself.
    split boolean := by IS NOT NULL OR segments IS NOT NULL;
BEGIN
    IF grace_days < 0 OR early_days < 0 OR grace_days IS NULL OR early_days IS NULL THEN
        RAISE EXCEPTION 'grace_days and early_days must not be negative, got % and %', grace_days, early_days
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Days after the due date in which a renewal is late, and days before it from which on one is early.';
    END IF;
    IF split THEN
        source := ltv.entity_query(timeline, 'contract', by, segments, as_of);
    END IF;
    RETURN QUERY EXECUTE format($sql$
WITH line AS MATERIALIZED (
    SELECT %2$s AS account_id, %3$s AS contract_id, r.line_id, r.valid_from, COALESCE(r.valid_to, 'infinity') AS until, COALESCE(r.term_end, 'infinity') AS due,
           COALESCE(r.term_start, r.valid_from) AS term_start, CASE WHEN r.state = 'paused' THEN 0 ELSE r.mrr END AS mrr, r.currency, r.auto_renew, r.start_event, r.end_event,
           COALESCE(r.known_at, r.valid_from) AS known_at, COALESCE(r.end_known_at, r.valid_to) AS end_known_at,
           -- Orders ends by day, and on the same day a pause after the rest.
           CASE WHEN r.valid_to IS NULL THEN 2147483647 ELSE (r.valid_to - date '0001-01-01') * 2 + (r.end_event IS NOT DISTINCT FROM 'pause')::integer END AS until_key
    FROM (%1$s) r
    WHERE r.contract_id IS NOT NULL AND r.state IN ('active', 'past_due', 'paused') AND (r.valid_to IS NULL OR r.valid_to > r.valid_from)
), -- What a line does in one term, and in the next.
served AS (
    SELECT s.*, lead(s.due) OVER line AS next_due, lead(s.first_from) OVER line AS next_from, lead(s.first_mrr) OVER line AS next_mrr, lead(s.known_at) OVER line AS next_known,
           lag(s.due) OVER line AS before_due
    FROM (SELECT l.contract_id, l.line_id, l.due, min(l.valid_from) AS first_from, max(l.until_key) AS until_key, min(l.known_at) AS known_at,
                 max(l.account_id) AS account_id, min(l.term_start) AS term_start, bool_or(l.auto_renew) AS auto_renew,
                 bool_or(l.start_event IS NOT DISTINCT FROM 'renewal') AS begins_as_renewal, bool_or(l.end_event IS NOT DISTINCT FROM 'renewal') AS ends_as_renewal,
                 min(l.currency COLLATE "C") AS currency, max(l.currency COLLATE "C") AS other_currency,
                 (array_agg(l.mrr ORDER BY l.valid_from, l.until, l.mrr))[1] AS first_mrr
          FROM line l GROUP BY l.contract_id, l.line_id, l.due) s
    WINDOW line AS (PARTITION BY s.contract_id COLLATE "C", s.line_id COLLATE "C" ORDER BY s.first_from, s.due)
), -- The term of a contract: lines that end on the same day are one decision.
decision AS (
    SELECT s.contract_id, s.due, max(s.account_id) AS account_id, min(s.term_start) AS term_start, bool_or(s.auto_renew) AS auto_renew, bool_or(s.begins_as_renewal) AS begins_as_renewal,
           bool_or(s.ends_as_renewal) AS ends_as_renewal, CASE WHEN min(s.currency) = max(s.other_currency) THEN min(s.currency) END AS currency,
           min(s.first_from) AS first_from, max(s.until_key) AS until_key, min(s.known_at) AS known_at, min(s.next_due) AS line_due, min(s.next_from) AS line_from,
           min(s.next_known) AS line_known,
           COALESCE(sum(s.first_mrr) FILTER (WHERE s.before_due IS NULL), 0) AS fresh_mrr, min(s.first_from) FILTER (WHERE s.before_due IS NULL) AS fresh_from,
           COALESCE(sum(s.next_mrr) FILTER (WHERE s.next_from <= s.due + $2), 0) AS kept_mrr
    FROM served s GROUP BY s.contract_id, s.due
), term AS (
    SELECT g.*, lead(g.due) OVER contract AS other_due, lead(g.known_at) OVER contract AS other_known, lead(g.fresh_mrr) OVER contract AS other_mrr,
           lead(g.begins_as_renewal) OVER contract AS other_renews, lead(g.fresh_from) OVER contract AS other_fresh_from,
           row_number() OVER contract AS place, row_number() OVER (PARTITION BY g.contract_id COLLATE "C" ORDER BY g.due) AS term_number
    FROM (SELECT d.*, CASE WHEN d.until_key %% 2 = 1 THEN 'infinity' ELSE date '0001-01-01' + d.until_key / 2 END AS until FROM decision d) g
    WINDOW contract AS (PARTITION BY g.contract_id COLLATE "C" ORDER BY g.first_from, g.due)
), -- The next term in the same contract: of the same lines, else the next to begin with new lines, when it renews or begins where this one ends.
followed AS (
    SELECT t.*, CASE WHEN t.line_from IS NOT NULL THEN t.line_due WHEN f.other THEN t.other_due END AS next_due,
           CASE WHEN t.line_from IS NOT NULL THEN t.line_from WHEN f.other THEN t.other_fresh_from END AS next_from,
           CASE WHEN t.line_from IS NOT NULL THEN t.line_known WHEN f.other THEN t.other_known END AS next_known,
           -- Lines that are new in the next term count where they begin with it.
           CASE WHEN t.line_from IS NOT NULL THEN t.kept_mrr + CASE WHEN t.other_due = t.line_due AND t.other_fresh_from = t.line_from THEN t.other_mrr ELSE 0 END
                WHEN f.other THEN t.other_mrr END AS next_mrr
    FROM term t, LATERAL (SELECT t.line_from IS NULL AND t.other_fresh_from IS NOT NULL AND (t.other_fresh_from >= t.due OR t.other_renews OR t.ends_as_renewal) AS other) f
), -- A renewal may be a contract of its own: the contracts of the account that begin as renewals go to the nearest term that nothing else follows.
loose AS (
    SELECT f.account_id, f.due AS day, f.contract_id, f.due, true AS ends, f.ends_as_renewal AS renews, NULL::numeric AS mrr, NULL::timestamptz AS known_at, NULL::date AS next_due
    FROM followed f WHERE f.due < 'infinity' AND f.until <= f.due AND (f.next_from IS NULL OR f.next_from > f.due + $2)
    UNION ALL
    SELECT f.account_id, f.first_from, f.contract_id, f.due, false, f.begins_as_renewal, f.fresh_mrr, f.known_at, f.due
    FROM followed f WHERE f.place = 1
), near AS (
    SELECT n.*, max(CASE WHEN n.ends THEN n.day END) OVER (PARTITION BY n.account_id COLLATE "C" ORDER BY n.day, n.ends DESC ROWS UNBOUNDED PRECEDING) AS last_due,
           min(CASE WHEN n.ends THEN n.day END) OVER (PARTITION BY n.account_id COLLATE "C" ORDER BY n.day, n.ends DESC ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS coming_due
    FROM loose n
), placed AS (
    SELECT n.*, CASE WHEN n.ends THEN n.day WHEN n.day - n.last_due <= $2 THEN n.last_due WHEN n.coming_due - n.day <= $3 THEN n.coming_due END AS at_due
    FROM near n
), paired AS (
    SELECT p.*, CASE WHEN p.ends THEN p.rank ELSE LEAST(p.rank, p.n_ends) END AS pair
    FROM (SELECT p.*, count(*) FILTER (WHERE p.ends) OVER due AS n_ends, bool_or(p.ends AND p.renews) OVER due AS due_renews,
                 row_number() OVER (PARTITION BY p.account_id COLLATE "C", p.at_due, p.ends ORDER BY p.renews DESC, p.contract_id COLLATE "C") AS rank
          FROM placed p WHERE p.at_due IS NOT NULL
          WINDOW due AS (PARTITION BY p.account_id COLLATE "C", p.at_due)) p
    WHERE p.ends OR p.renews OR p.due_renews
), elsewhere AS (
    SELECT e.contract_id, e.due, min(s.day) AS next_from, sum(s.mrr) AS next_mrr, min(s.known_at) AS next_known, min(s.next_due) AS next_due, min(s.contract_id COLLATE "C") AS next_contract_id
    FROM paired e JOIN paired s ON s.account_id = e.account_id AND s.at_due = e.at_due AND s.pair = e.pair AND NOT s.ends AND s.contract_id <> e.contract_id
    WHERE e.ends GROUP BY e.contract_id, e.due
), joined AS (
    SELECT f.account_id, f.contract_id, f.term_number, f.term_start, f.due, f.until, f.auto_renew, f.currency, f.first_from,
           COALESCE(e.next_from, CASE WHEN f.next_from <= f.due + $2 THEN f.next_from END) AS next_from,
           CASE WHEN e.next_from IS NULL THEN f.next_mrr ELSE e.next_mrr END AS next_mrr, CASE WHEN e.next_from IS NULL THEN f.next_known ELSE e.next_known END AS next_known,
           CASE WHEN e.next_from IS NULL THEN f.next_due ELSE e.next_due END AS next_due, e.next_contract_id
    FROM followed f LEFT JOIN elsewhere e ON e.contract_id = f.contract_id AND e.due = f.due
    WHERE f.due < 'infinity'
), -- The last day of the term as it was served, and what was paid on it.
last_day AS (
    SELECT j.contract_id, j.due, COALESCE(sum(l.mrr) FILTER (WHERE l.valid_from < p.pivot AND l.until >= p.pivot), 0) AS mrr_before, COALESCE(sum(l.mrr) FILTER (WHERE l.valid_from <= j.due AND l.until > j.due), 0) AS mrr_held,
           count(*) FILTER (WHERE l.valid_from < p.pivot AND l.until >= p.pivot) AS lines,
           min(CASE l.end_event WHEN 'involuntary' THEN 1 WHEN 'early_termination' THEN 2 WHEN 'cancel' THEN 3 WHEN 'non_renewal' THEN 4 WHEN 'transfer_out' THEN 5 WHEN 'coterm' THEN 6 ELSE 7 END)
               FILTER (WHERE l.until = j.until) AS reason,
           max(l.end_known_at) FILTER (WHERE l.until = j.until) AS end_known
    FROM joined j JOIN line l ON l.contract_id = j.contract_id AND l.due = j.due, LATERAL (SELECT LEAST(j.due, j.until, CASE WHEN j.next_from > j.first_from THEN j.next_from END) AS pivot) p
    GROUP BY j.contract_id, j.due
), judged AS (
    SELECT j.*, d.mrr_before, d.mrr_held, d.lines, d.reason, d.end_known, CASE
               WHEN j.next_from IS NOT NULL AND j.next_due = 'infinity' THEN 'converted_evergreen'
               WHEN j.next_from IS NOT NULL AND j.next_mrr < d.mrr_before THEN 'downsold'
               WHEN j.next_from > j.due OR j.next_from IS NOT NULL AND j.next_known >= j.due + 1 AND j.auto_renew IS NOT TRUE THEN 'renewed_late'
               WHEN j.next_from < j.due OR j.next_from IS NOT NULL AND j.next_known < j.due - $3 THEN 'renewed_early'
               WHEN j.next_from IS NOT NULL THEN 'renewed'
               WHEN j.until > j.due THEN CASE WHEN j.due > $1 THEN 'open' WHEN j.auto_renew THEN 'renewed' WHEN $1 < j.due + $2 THEN 'open' ELSE 'converted_evergreen' END
               WHEN d.reason IN (5, 6) THEN NULL
               WHEN d.reason <= 4 THEN CASE WHEN j.until < j.due THEN 'early_termination' ELSE 'lost' END
               WHEN $1 < j.until + $2 THEN 'open'
               WHEN j.until < j.due THEN 'early_termination'
               ELSE 'lapsed' END AS outcome
    FROM joined j JOIN last_day d ON d.contract_id = j.contract_id AND d.due = j.due
)
SELECT %4$s, %5$s, j.term_number, j.term_start, j.due, j.outcome,
       CASE WHEN j.outcome <> 'open' THEN j.outcome NOT IN ('lost', 'lapsed', 'early_termination') END,
       CASE WHEN j.outcome = 'open' THEN NULL WHEN j.next_from IS NOT NULL THEN j.next_known::date WHEN j.until > j.due OR j.outcome = 'lapsed' THEN j.due
            WHEN j.reason <= 4 THEN j.end_known::date ELSE j.until END,
       j.next_from - j.due,
       CASE WHEN j.outcome = 'open' THEN NULL WHEN j.next_from IS NOT NULL THEN j.next_known
            WHEN j.until > j.due THEN CASE WHEN j.auto_renew THEN j.due ELSE j.due + $2 END::timestamptz WHEN j.reason <= 4 THEN j.end_known ELSE (j.until + $2)::timestamptz END,
       CASE WHEN j.currency IS NOT NULL THEN j.mrr_before END,
       CASE WHEN j.outcome = 'open' OR j.currency IS NULL THEN NULL WHEN j.next_from IS NOT NULL THEN j.next_mrr WHEN j.until > j.due THEN j.mrr_held ELSE 0 END,
       j.currency, j.lines, j.auto_renew,
       CASE WHEN j.until <= j.due AND j.next_from IS NULL THEN (ARRAY['involuntary', 'early_termination', 'cancel', 'non_renewal'])[j.reason] END, %6$s, %7$s
FROM judged j
WHERE j.outcome IS NOT NULL
$sql$, source,
        CASE WHEN split THEN 'CASE WHEN r.account_id IS NOT NULL THEN jsonb_build_array(r.account_id, r.segment)::text END' ELSE 'r.account_id' END,
        CASE WHEN split THEN 'jsonb_build_array(r.contract_id, r.segment)::text' ELSE 'r.contract_id' END,
        CASE WHEN split THEN 'j.account_id::jsonb ->> 0' ELSE 'j.account_id' END, CASE WHEN split THEN 'j.contract_id::jsonb ->> 0' ELSE 'j.contract_id' END,
        CASE WHEN split THEN 'j.next_contract_id::jsonb ->> 0' ELSE 'j.next_contract_id' END, CASE WHEN split THEN 'j.contract_id::jsonb ->> 1' ELSE 'NULL::text' END)
    USING as_of, grace_days, early_days;
END
$renewals$;
COMMENT ON FUNCTION ltv.renewal_events(regclass, date, integer, integer, text, regclass) IS 'Renewal decisions as known on as_of: one row per contract and day due_on on which a committed term ends (term_end), those still to come included. A renewal is a new term, not a new price; lines of a contract that end on the same day are one decision; evergreen lines have none. outcome: renewed; renewed_early (the new term began before due_on, or was known more than early_days before); renewed_late (it began at most grace_days after due_on, or was signed after it without auto_renew); downsold (renewed for less); converted_evergreen (goes on without a term); lost (ended on due_on, with a reason); lapsed (the same without, grace_days over); early_termination (ended before); open. A contract folded into another (coterm) or handed on (transfer_out) has no decision of its own. The next term may be a contract of its own that begins as a renewal: next_contract_id. renewed is true or false for fit_renewal, NULL while open. decided_on, known_at: when the outcome was. days_late: start of the new term after due_on, negative when before. mrr_before, mrr_after: of the last day of the old and the first of the new term; NULL when currencies are mixed. by, segments (as entity_query): each segment of a contract is looked at by itself, its name in segment.';
