-- Renewal rates by due date: of what came up for renewal, how much was renewed.

CREATE FUNCTION ltv.renewal_outcomes(timeline regclass, from_on date, to_on date, by text DEFAULT NULL, segments regclass DEFAULT NULL, as_of date DEFAULT NULL,
        grace_days integer DEFAULT 30)
    RETURNS TABLE (contract_id text, account_id text, segment text, term_start date, due_on date, outcome text, decided_on date, mrr_before numeric, mrr_after numeric,
        currency text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 2000
    SET search_path = pg_catalog, pg_temp
    -- Lines are joined to terms of the same contract; an estimate of one term would make a loop over all lines of it.
    SET enable_nestloop = off
AS $$
BEGIN
    IF from_on IS NULL OR to_on IS NULL OR from_on >= to_on OR grace_days IS NULL OR grace_days < 0 THEN
        RAISE EXCEPTION 'renewals due from % until before %, with % days of grace', coalesce(from_on::text, 'NULL'), coalesce(to_on::text, 'NULL'), coalesce(grace_days::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'from_on is the first day, to_on the day after the last; grace_days is 0 or more.';
    END IF;
    RETURN QUERY EXECUTE format($x$
        WITH line AS MATERIALIZED (SELECT *, coalesce(valid_to, 'infinity') AS until FROM (%s) l),
        -- A term is what a contract is committed to until one day. It ends on that day, or where all its lines were cut before.
        term AS (
            SELECT entity_id, segment, currency, term_end AS due_on, min(account_id) AS account_id, min(coalesce(term_start, valid_from)) AS term_start, max(until) AS until,
                   least(max(until), term_end) AS ended_on
            FROM line WHERE term_end >= $1 AND term_end < $2 AND valid_from < term_end GROUP BY entity_id, segment, currency, term_end
        ), before AS (
            SELECT row_number() OVER () AS id, t.*, sum(l.mrr) AS mrr_before, max(l.end_event) FILTER (WHERE l.until = t.ended_on) AS end_event, max(l.end_known_at)::date AS end_known_on
            FROM term t JOIN line l ON l.entity_id = t.entity_id AND l.currency = t.currency AND l.segment IS NOT DISTINCT FROM t.segment AND l.term_end = t.due_on
                 AND l.valid_from < t.ended_on AND l.until >= t.ended_on
            GROUP BY t.entity_id, t.segment, t.currency, t.due_on, t.account_id, t.term_start, t.until, t.ended_on
        ), next AS (
            SELECT DISTINCT ON (id) * FROM (
                SELECT b.id, l.valid_from AS next_from, bool_and(l.term_end IS NULL) AS evergreen, min(coalesce(l.known_at::date, l.valid_from)) AS known_on
                FROM before b JOIN line l ON l.entity_id = b.entity_id AND l.currency = b.currency AND l.segment IS NOT DISTINCT FROM b.segment
                     AND (l.term_end IS NULL OR l.term_end > b.due_on) AND l.valid_from >= b.ended_on AND l.valid_from <= b.due_on + $4
                GROUP BY b.id, l.valid_from) x ORDER BY id, next_from
        ), decided AS (
            SELECT b.*, n.next_from, n.evergreen, n.known_on, CASE
                WHEN next_from IS NOT NULL THEN 'renewed'
                WHEN until > due_on THEN CASE WHEN due_on + $4 < $3 THEN 'converted_evergreen' ELSE 'open' END
                WHEN end_event IN ('non_renewal', 'cancel', 'early_termination', 'involuntary') THEN CASE WHEN until < due_on THEN 'early_termination' ELSE 'lost' END
                WHEN due_on + $4 >= $3 THEN 'open'
                WHEN until < due_on AND coalesce(end_event, '') <> 'pause' THEN 'early_termination'
                ELSE 'lapsed' END AS decision
            FROM before b LEFT JOIN next n USING (id)
            -- A term that was moved or went elsewhere was not up for renewal.
            WHERE NOT (until < due_on AND coalesce(end_event, '') IN ('coterm', 'transfer_out'))
        ), after AS (
            SELECT d.id, sum(l.mrr) AS mrr
            FROM decided d JOIN line l ON l.entity_id = d.entity_id AND l.currency = d.currency AND l.segment IS NOT DISTINCT FROM d.segment
                 AND l.valid_from <= coalesce(d.next_from, d.due_on) AND l.until > coalesce(d.next_from, d.due_on)
            WHERE d.decision IN ('renewed', 'converted_evergreen') GROUP BY d.id
        ), valued AS (
            SELECT d.*, CASE WHEN decision <> 'open' THEN coalesce(a.mrr, 0) END AS mrr_after FROM decided d LEFT JOIN after a USING (id)
        )
        SELECT entity_id, account_id, segment, term_start, due_on, CASE
                   WHEN decision <> 'renewed' THEN decision WHEN evergreen THEN 'converted_evergreen' WHEN mrr_after < mrr_before THEN 'downsold'
                   WHEN next_from < due_on THEN 'renewed_early' WHEN next_from > due_on THEN 'renewed_late' ELSE 'renewed' END,
               CASE decision WHEN 'open' THEN NULL WHEN 'renewed' THEN known_on WHEN 'converted_evergreen' THEN due_on WHEN 'lapsed' THEN due_on + $4 + 1
                    ELSE coalesce(end_known_on, ended_on) END,
               mrr_before, mrr_after, currency
        FROM valued ORDER BY due_on, entity_id, segment$x$,
        ltv.run_rate_query(timeline, 'contract', by, segments, as_of))
        USING from_on, to_on, coalesce(as_of, current_date), grace_days;
END
$$;
COMMENT ON FUNCTION ltv.renewal_outcomes(regclass, date, date, text, regclass, date, integer) IS 'What became of each contract''s term that was due (term_end) from a day until before another: renewed, renewed_early and renewed_late (the next term began before the due date, or after it and within grace_days), downsold (renewed for less), converted_evergreen (goes on without a term), lost (it ended on the day by non_renewal, cancel or involuntary), early_termination (before it), lapsed (no more after the grace, and nobody said so), open (not decided by as_of, or by today). mrr_before: what its lines paid on the term''s last day; mrr_after: what the contract paid on the first of the next, 0 where there is none, NULL while open. A term that a co-term or a transfer moved is left out. With by, each segment of a contract is looked at by itself. as_of: as known at the end of that day.';

CREATE FUNCTION ltv.renewal_rate(timeline regclass, from_on date, to_on date, period text DEFAULT 'quarter', by text DEFAULT NULL, segments regclass DEFAULT NULL,
        rates regclass DEFAULT NULL, currency text DEFAULT NULL, fx_asof date DEFAULT NULL, as_of date DEFAULT NULL, grace_days integer DEFAULT 30,
        measure text DEFAULT 'arr')
    RETURNS TABLE (due_period date, segment text, n_due bigint, n_renewed bigint, n_renewed_early bigint, n_renewed_late bigint, n_downsold bigint,
        n_converted_evergreen bigint, n_lost bigint, n_early_termination bigint, n_lapsed bigint, n_open bigint, due numeric, due_open numeric, renewed numeric,
        gross_renewal_rate double precision, net_renewal_rate double precision, logo_renewal_rate double precision, reporting_currency text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    factor integer := CASE measure WHEN 'arr' THEN 12 WHEN 'mrr' THEN 1 END;
    codes text[];
    quotes numeric[];
    unit text;
BEGIN
    IF factor IS NULL THEN
        RAISE EXCEPTION 'measure is %', coalesce(quote_literal(measure), 'NULL') USING ERRCODE = 'invalid_parameter_value', HINT = 'It is ''arr'', twelve months of run-rate, or ''mrr'', one.';
    END IF;
    IF period IS NULL OR period NOT IN ('month', 'quarter', 'year', 'all') THEN
        RAISE EXCEPTION 'period is %', coalesce(quote_literal(period), 'NULL') USING ERRCODE = 'invalid_parameter_value', HINT = 'It is ''month'', ''quarter'', ''year'' or ''all''.';
    END IF;
    SELECT min(r.to_currency), array_agg(r.from_currency), array_agg(r.rate) INTO unit, codes, quotes
        FROM ltv.reporting_rates(timeline, ARRAY['-infinity', to_on]::date[], rates, currency, coalesce(fx_asof, from_on), as_of) r WHERE r.on_date = to_on;
    RETURN QUERY
        WITH event AS (
            SELECT CASE WHEN period <> 'all' THEN date_trunc(period, o.due_on::timestamp)::date END AS due_period, o.segment, o.account_id, o.outcome,
                   factor * o.mrr_before * r.rate AS before, factor * o.mrr_after * r.rate AS after
            FROM ltv.renewal_outcomes(timeline, from_on, to_on, by, segments, as_of, grace_days) o
            JOIN unnest(codes, quotes) AS r (code, rate) ON r.code = o.currency
        )
        SELECT e.due_period, e.segment, count(*), count(*) FILTER (WHERE e.outcome = 'renewed'), count(*) FILTER (WHERE e.outcome = 'renewed_early'),
               count(*) FILTER (WHERE e.outcome = 'renewed_late'), count(*) FILTER (WHERE e.outcome = 'downsold'), count(*) FILTER (WHERE e.outcome = 'converted_evergreen'),
               count(*) FILTER (WHERE e.outcome = 'lost'), count(*) FILTER (WHERE e.outcome = 'early_termination'), count(*) FILTER (WHERE e.outcome = 'lapsed'),
               count(*) FILTER (WHERE e.outcome = 'open'), sum(e.before), coalesce(sum(e.before) FILTER (WHERE e.outcome = 'open'), 0), coalesce(sum(e.after), 0),
               (sum(least(e.before, e.after)) FILTER (WHERE e.outcome <> 'open') / nullif(sum(e.before) FILTER (WHERE e.outcome <> 'open'), 0))::double precision,
               (sum(e.after) FILTER (WHERE e.outcome <> 'open') / nullif(sum(e.before) FILTER (WHERE e.outcome <> 'open'), 0))::double precision,
               count(DISTINCT e.account_id) FILTER (WHERE e.after > 0) / nullif(count(DISTINCT e.account_id) FILTER (WHERE e.outcome <> 'open'), 0)::double precision,
               unit
        FROM event e GROUP BY e.due_period, e.segment ORDER BY e.due_period, e.segment;
END
$$;
COMMENT ON FUNCTION ltv.renewal_rate(regclass, date, date, text, text, regclass, regclass, text, date, date, integer, text) IS 'Renewal rates by due date, one row for each month, quarter, year (by its first day) or for all. The denominator is what was up for renewal (ATR) and is decided: contracts whose committed term ended in the period; an early renewal counts in the period in which it was due and so does a late one; open ones are left out of the rates and counted. gross caps each contract at what it paid before, net does not; logo_renewal_rate is of accounts: with a renewed contract over with a decided one. due, due_open, renewed in ARR (measure => mrr: per month), several currencies at the rates of from_on (or fx_asof). No row where nothing was due. renewal_outcomes has the contracts and the definitions of the outcomes.';
