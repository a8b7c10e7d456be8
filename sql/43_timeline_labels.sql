-- Why rows ended, by what came after; and how that agrees with what the source says.

CREATE FUNCTION ltv.derive_outcomes(timeline regclass, as_of date, grace_days integer DEFAULT 30)
    RETURNS TABLE (account_id text, contract_id text, line_id text, valid_from date, ended_on date, coded text, derived text, verdict text, mrr numeric, currency text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
    SET search_path = pg_catalog, pg_temp
AS $outcomes$
BEGIN
    IF grace_days < 0 OR grace_days IS NULL THEN
        RAISE EXCEPTION 'grace_days must not be negative, got %', grace_days USING ERRCODE = 'invalid_parameter_value', HINT = 'Days without a contract after which a customer counts as lost.';
    END IF;
    RETURN QUERY EXECUTE format($sql$
WITH line AS MATERIALIZED (
    SELECT r.* FROM (%1$s) r
    WHERE r.line_id IS NOT NULL AND r.state IN ('active', 'past_due', 'paused') AND r.valid_from <= $1 AND (r.valid_to IS NULL OR r.valid_to > r.valid_from)
), next AS (
    SELECT l.account_id, l.contract_id, l.line_id, l.valid_from, l.valid_to, l.state, l.mrr, l.currency, l.quantity, l.term_end, l.end_event,
           lead(l.valid_from) OVER line AS next_from, lead(l.account_id) OVER line AS next_account, lead(l.state) OVER line AS next_state, lead(l.mrr) OVER line AS next_mrr,
           lead(l.quantity) OVER line AS next_quantity, lead(l.term_end) OVER line AS next_term_end
    FROM line l
    WINDOW line AS (PARTITION BY l.line_id COLLATE "C" ORDER BY l.valid_from, l.valid_to, l.account_id COLLATE "C", l.mrr)
), ended AS (
    SELECT n.*, n.next_from - n.valid_to <= $2 OR n.end_event IS NOT DISTINCT FROM 'pause' AND n.next_from IS NOT NULL AS continued FROM next n WHERE n.valid_to <= $1
), gone AS MATERIALIZED (
    SELECT e.account_id, e.contract_id, e.valid_to FROM ended e WHERE e.continued IS NOT TRUE
), -- Does the rest of the contract, or of the account, go on without the line?
contract AS (
    SELECT l.contract_id, max(COALESCE(l.valid_to, 'infinity')) AS until
    FROM line l WHERE l.contract_id IN (SELECT g.contract_id FROM gone g) GROUP BY l.contract_id
), opened AS (
    SELECT o.account_id, o.day, min(o.begins) OVER (PARTITION BY o.account_id COLLATE "C" ORDER BY o.day ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_begin
    FROM (SELECT b.account_id, b.day, min(b.begins) AS begins
          FROM (SELECT l.account_id, l.valid_from AS day, l.valid_from AS begins FROM line l WHERE l.account_id IN (SELECT g.account_id FROM gone g)
                UNION ALL SELECT g.account_id, g.valid_to, NULL FROM gone g) b
          GROUP BY b.account_id, b.day) o
), replaced AS (
    SELECT DISTINCT f.contract_id, f.first_from
    FROM (SELECT l.contract_id, min(l.valid_from) AS first_from FROM line l WHERE l.contract_id IN (SELECT g.contract_id FROM gone g) GROUP BY l.contract_id, l.line_id) f
), derived AS (
    SELECT e.*, CASE
               WHEN e.continued THEN CASE
                   WHEN e.next_account <> e.account_id THEN 'transfer_out'
                   WHEN e.next_state = 'paused' AND e.state <> 'paused' THEN 'pause'
                   WHEN e.next_term_end > e.term_end OR e.next_term_end IS NULL AND e.term_end <= e.next_from THEN 'renewal'
                   WHEN e.state = 'paused' THEN 'resume'
                   WHEN e.next_mrr = e.mrr THEN 'unchanged'
                   WHEN e.next_quantity = e.quantity THEN 'price_change'
                   WHEN e.next_mrr > e.mrr THEN 'upgrade'
                   ELSE 'downgrade' END
               WHEN p.contract_id IS NOT NULL THEN 'replaced'
               WHEN c.until > e.valid_to THEN 'dropped'
               WHEN o.next_begin - e.valid_to <= $2 THEN CASE WHEN e.valid_to < e.term_end THEN 'coterm' WHEN e.term_end IS NULL THEN 'replaced' ELSE 'renewal' END
               WHEN e.end_event IS NULL AND $1 < e.valid_to + $2 THEN 'pending'
               WHEN e.end_event = 'pause' AND e.next_from IS NULL THEN 'pause'
               WHEN e.end_event = 'transfer_out' THEN 'transfer_out'
               WHEN e.state = 'past_due' THEN 'involuntary'
               WHEN e.valid_to < e.term_end THEN 'early_termination'
               WHEN e.term_end IS NULL THEN 'cancel'
               ELSE 'non_renewal' END AS derived
    FROM ended e
    LEFT JOIN contract c ON c.contract_id = e.contract_id
    LEFT JOIN replaced p ON p.contract_id = e.contract_id AND p.first_from = e.valid_to AND e.continued IS NOT TRUE
    LEFT JOIN opened o ON o.account_id = e.account_id AND o.day = e.valid_to AND e.continued IS NOT TRUE
)
SELECT d.account_id, d.contract_id, d.line_id, d.valid_from, d.valid_to, d.end_event, d.derived, CASE
           WHEN d.derived IN ('pending', 'unchanged', 'resume') AND d.end_event IS NULL THEN 'agrees'
           WHEN d.end_event IS NULL THEN CASE WHEN d.derived IN ('involuntary', 'early_termination', 'cancel', 'non_renewal') THEN 'missing' ELSE 'uncoded' END
           WHEN d.end_event = d.derived OR d.derived = 'replaced' AND d.end_event IN ('renewal', 'upgrade', 'downgrade', 'price_change', 'coterm')
                OR d.derived = 'dropped' AND d.end_event IN ('downgrade', 'cancel', 'non_renewal', 'early_termination') THEN 'agrees'
           WHEN (d.end_event IN ('involuntary', 'early_termination', 'cancel', 'non_renewal'))
                = (d.derived IN ('involuntary', 'early_termination', 'cancel', 'non_renewal')) THEN 'differs'
           ELSE 'contradicts' END, d.mrr, d.currency
FROM derived d
$sql$, ltv.timeline_query(timeline, as_of))
    USING as_of, grace_days;
END
$outcomes$;
COMMENT ON FUNCTION ltv.derive_outcomes(regclass, date, integer) IS 'Why each row ended by as_of: coded, the end_event of the source, and derived, what followed within grace_days. derived: renewal (a new term), upgrade, downgrade, price_change (same quantity), unchanged, pause, resume, transfer_out (the line went to another account), replaced (a new line of the contract, or another contract where there is no term, begins), dropped (the rest of the contract goes on), coterm (a contract of the account begins before the term ends), pending (nothing yet), and where nothing followed involuntary (was past_due), early_termination (before term_end), non_renewal (on it) or cancel (no term). verdict: agrees, differs (another word for it), contradicts (one says it ended, the other that it went on), missing (it ended and nothing says why), uncoded (it went on and nothing says how).';

CREATE FUNCTION ltv.label_audit(timeline regclass, as_of date, grace_days integer DEFAULT 30)
    RETURNS TABLE (coded text, derived text, verdict text, n bigint, sample_keys text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 30
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT o.coded, o.derived, o.verdict, count(*), string_agg(o.key, ', ' ORDER BY o.place) FILTER (WHERE o.place <= 3)
    FROM (SELECT d.coded, d.derived, d.verdict, concat_ws(' ', d.line_id, d.ended_on) AS key,
                 row_number() OVER (PARTITION BY d.coded, d.derived ORDER BY d.line_id COLLATE "C", d.ended_on) AS place
          FROM ltv.derive_outcomes(timeline, as_of, grace_days) d) o
    GROUP BY o.coded, o.derived, o.verdict
    ORDER BY array_position('{contradicts,missing,differs,uncoded,agrees}', o.verdict), count(*) DESC, o.coded COLLATE "C", o.derived COLLATE "C";
END
$$;
COMMENT ON FUNCTION ltv.label_audit(regclass, date, integer) IS 'The endings of derive_outcomes as a cross table of coded against derived, the worst first: how many, and three of them (line and day).';
