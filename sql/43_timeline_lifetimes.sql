-- How long customers stay: spells of being a customer, ready for survival_agg and incidence_agg.

CREATE FUNCTION ltv.lifetimes(timeline regclass, as_of date, grain text DEFAULT 'account', grace_days integer DEFAULT 30, observed_from date DEFAULT NULL)
    RETURNS TABLE (entity_id text, account_id text, product text, spell bigint, start_on date, end_on date, entry double precision, duration double precision,
                   event boolean, cause text, cause_code integer, status text, mrr_at_start numeric, mrr_at_end numeric, currency text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
    SET search_path = pg_catalog, pg_temp
AS $lifetimes$
DECLARE
    entity text := CASE grain WHEN 'account' THEN 'r.account_id' WHEN 'parent' THEN 'COALESCE(r.parent_account_id, r.account_id)' WHEN 'contract' THEN 'r.contract_id'
                              WHEN 'line' THEN 'r.line_id' WHEN 'product' THEN 'r.account_id' END;
    source text;
BEGIN
    IF entity IS NULL THEN
        RAISE EXCEPTION 'unknown grain "%"', grain USING ERRCODE = 'invalid_parameter_value', HINT = 'One of account, parent, contract, line or product (of an account).';
    ELSIF grace_days < 0 OR grace_days IS NULL THEN
        RAISE EXCEPTION 'grace_days must not be negative, got %', grace_days USING ERRCODE = 'invalid_parameter_value', HINT = 'Days without a contract after which a customer counts as lost.';
    ELSIF observed_from > as_of THEN
        RAISE EXCEPTION 'observed_from % is after as_of %', observed_from, as_of USING ERRCODE = 'invalid_parameter_value', HINT = 'The day from which on endings were recorded.';
    END IF;
    source := ltv.checked_query(timeline, as_of);
    RETURN QUERY EXECUTE format($sql$
WITH line AS (
    SELECT %1$s AS entity_id, %2$s AS product, r.account_id, r.valid_from, COALESCE(r.valid_to, 'infinity') AS until, r.state, r.mrr, r.currency, r.end_event,
           -- Orders ends by day, and on the same day a pause after the rest.
           CASE WHEN r.valid_to IS NULL THEN 2147483647 ELSE (r.valid_to - date '0001-01-01') * 2 + (r.end_event IS NOT DISTINCT FROM 'pause')::integer END AS until_key
    FROM (%3$s) r
    WHERE %1$s IS NOT NULL AND r.state IN ('active', 'past_due', 'paused') AND r.valid_from <= $1 AND (r.valid_to IS NULL OR r.valid_to > r.valid_from)
), reached AS (
    SELECT l.*, max(l.until_key) OVER (PARTITION BY l.entity_id COLLATE "C", l.product COLLATE "C" ORDER BY l.valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_key
    FROM line l
), numbered AS (
    SELECT l.*, count(*) FILTER (WHERE l.before_key IS NULL OR l.before_key %% 2 = 0 AND l.valid_from - date '0001-01-01' > l.before_key / 2 + $2)
               OVER (PARTITION BY l.entity_id COLLATE "C", l.product COLLATE "C" ORDER BY l.valid_from ROWS UNBOUNDED PRECEDING) AS spell
    FROM reached l
), bounded AS (
    SELECT l.*, COALESCE(min(l.valid_from) FILTER (WHERE l.state <> 'paused') OVER whole, min(l.valid_from) OVER whole) AS start_on, max(l.until_key) OVER whole AS end_key,
           max(l.until) OVER whole AS end_on
    FROM numbered l
    WINDOW whole AS (PARTITION BY l.entity_id COLLATE "C", l.product COLLATE "C", l.spell)
), summed AS (
    SELECT b.entity_id, b.product, b.spell, b.start_on, b.end_on, max(b.account_id) FILTER (WHERE b.until = b.end_on) AS account_id,
           b.end_on > $1 OR b.end_key %% 2 = 1 AS alive,
           COALESCE(bool_and(b.state = 'paused') FILTER (WHERE b.until > $1), true) AS paused,
           min(CASE b.end_event WHEN 'involuntary' THEN 1 WHEN 'early_termination' THEN 2 WHEN 'cancel' THEN 3 WHEN 'non_renewal' THEN 4 WHEN 'transfer_out' THEN 5
                                WHEN 'coterm' THEN 6 WHEN 'renewal' THEN 6 WHEN 'upgrade' THEN 6 WHEN 'downgrade' THEN 6 WHEN 'price_change' THEN 6 ELSE 7 END)
               FILTER (WHERE b.until = b.end_on) AS reason,
           COALESCE(sum(b.mrr) FILTER (WHERE b.state <> 'paused' AND b.valid_from <= b.start_on), 0) AS mrr_at_start,
           COALESCE(sum(b.mrr) FILTER (WHERE b.state <> 'paused' AND b.until > LEAST(b.end_on - 1, $1)), 0) AS mrr_at_end,
           CASE WHEN min(b.currency COLLATE "C") = max(b.currency COLLATE "C") THEN min(b.currency COLLATE "C") END AS currency
    FROM bounded b
    GROUP BY b.entity_id, b.product, b.spell, b.start_on, b.end_on, b.end_key
), told AS (
    SELECT s.*, CASE WHEN s.alive THEN CASE WHEN s.paused THEN 'paused' ELSE 'live' END
                     WHEN s.reason <= 4 THEN 'ended'
                     WHEN s.reason = 5 THEN 'transferred'
                     WHEN s.reason = 6 AND $4 THEN 'replaced'
                     WHEN s.end_on + $2 > $1 THEN 'pending'
                     ELSE 'ended' END AS status
    FROM summed s
)
SELECT t.entity_id, CASE WHEN $5 THEN t.account_id END, t.product, t.spell, t.start_on, CASE WHEN NOT t.alive THEN t.end_on END,
       CASE WHEN $3 > t.start_on THEN ltv.months_between(t.start_on, $3) ELSE 0 END,
       ltv.months_between(t.start_on, CASE WHEN t.alive THEN $1 ELSE t.end_on END),
       t.status = 'ended',
       CASE WHEN t.status = 'ended' THEN (ARRAY['involuntary', 'early_termination', 'cancel', 'non_renewal', 'unlabelled'])[LEAST(t.reason, 5)] END,
       CASE WHEN t.status = 'ended' THEN 6 - LEAST(t.reason, 5) ELSE 0 END,
       t.status,
       CASE WHEN t.currency IS NOT NULL THEN t.mrr_at_start END, CASE WHEN t.currency IS NOT NULL THEN CASE WHEN t.status = 'paused' THEN 0 ELSE t.mrr_at_end END END, t.currency
FROM told t
WHERE t.start_on < $1 AND ($3 IS NULL OR $3 <= t.start_on OR $3 < CASE WHEN t.alive THEN $1 ELSE t.end_on END)
$sql$, entity, CASE grain WHEN 'product' THEN 'r.product' ELSE 'NULL::text' END, source)
    USING as_of, grace_days, observed_from, grain IN ('contract', 'line', 'product'), grain <> 'parent';
END
$lifetimes$;
COMMENT ON FUNCTION ltv.lifetimes(regclass, date, text, integer, date) IS 'Spells of being a customer as known on as_of, one row each, for survival_agg(entry, duration, event) and incidence_agg(duration, cause_code). grain: account, parent, contract, line or product (of an account; column product). Days in state active, past_due or paused count, trial does not; rows at most grace_days apart, or after a pause however long, are one spell, so a late renewal is no churn. duration: calendar months (months_between) from start_on to end_on, or to as_of. status: live, paused, ended (the event), pending (ended within grace_days and nothing says why: censored), transferred (transfer_out: censored), replaced (a contract, line or product ended by renewal, upgrade, downgrade, price_change or coterm: censored). cause: the end_event of the event, unlabelled without one; cause_code 0 censored, 1 unlabelled, 2 non_renewal, 3 cancel, 4 early_termination, 5 involuntary. entry: months until observed_from for spells that began before it; those that ended before are left out. mrr_at_start, mrr_at_end: of the first and the last day; NULL, like currency, when currencies are mixed. Spells that begin on as_of are left out.';
