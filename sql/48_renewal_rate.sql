-- Renewal rates by due date: of what came up for renewal, how much was renewed.

CREATE FUNCTION ltv.renewal_rate(timeline regclass, from_on date, to_on date, period text DEFAULT 'quarter', by text DEFAULT NULL, segments regclass DEFAULT NULL,
        rates regclass DEFAULT NULL, currency text DEFAULT NULL, fx_asof date DEFAULT NULL, as_of date DEFAULT NULL, grace_days integer DEFAULT 30,
        early_days integer DEFAULT 90, measure text DEFAULT 'arr')
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
    known date := coalesce(renewal_rate.as_of, current_date);
    mixed text;
    -- What was converted is rounded to the minor unit; what was not is exact.
    digits integer := CASE WHEN rates IS NOT NULL THEN CASE WHEN ltv.is_currency(renewal_rate.currency) THEN ltv.minor_digits(renewal_rate.currency) ELSE 2 END END;
BEGIN
    IF from_on IS NULL OR to_on IS NULL OR from_on >= to_on OR from_on > date '9999-12-31' THEN
        RAISE EXCEPTION 'renewals due from % until before %', coalesce(from_on::text, 'NULL'), coalesce(to_on::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'from_on is the first day, to_on the day after the last; infinity: there is none.';
    END IF;
    IF factor IS NULL THEN
        RAISE EXCEPTION 'measure is %', coalesce(quote_literal(measure), 'NULL') USING ERRCODE = 'invalid_parameter_value', HINT = 'It is ''arr'', twelve months of run-rate, or ''mrr'', one.';
    END IF;
    IF period IS NULL OR period NOT IN ('month', 'quarter', 'year', 'all') THEN
        RAISE EXCEPTION 'period is %', coalesce(quote_literal(period), 'NULL') USING ERRCODE = 'invalid_parameter_value', HINT = 'It is ''month'', ''quarter'', ''year'' or ''all''.';
    END IF;
    SELECT min(r.to_currency), array_agg(r.from_currency), array_agg(r.rate) INTO unit, codes, quotes
        FROM ltv.reporting_rates(timeline, ARRAY['-infinity', to_on]::date[], rates, currency, coalesce(fx_asof, from_on), as_of) r WHERE r.on_date = to_on;
    IF cardinality(codes) > 1 THEN
        SELECT o.contract_id INTO mixed FROM ltv.renewal_events(timeline, known, grace_days, early_days, by, segments) o
            WHERE o.due_on >= from_on AND o.due_on < to_on AND o.currency IS NULL ORDER BY o.contract_id COLLATE "C" LIMIT 1;
        IF mixed IS NOT NULL THEN
            RAISE EXCEPTION 'contract % is in more than one currency', mixed
                USING ERRCODE = 'invalid_parameter_value', HINT = format('One contract, one currency: split it. SELECT * FROM ltv.check_timeline(%L) lists such contracts.', timeline);
        END IF;
    END IF;
    RETURN QUERY
        WITH event AS (
            SELECT CASE WHEN period <> 'all' THEN date_trunc(period, o.due_on::timestamp)::date END AS due_period, o.segment, o.account_id, o.outcome, o.renewed AS goes_on,
                   factor * o.mrr_before * r.rate AS before, factor * o.mrr_after * r.rate AS after
            FROM ltv.renewal_events(timeline, known, grace_days, early_days, by, segments) o
            LEFT JOIN unnest(codes, quotes) AS r (code, rate) ON r.code = o.currency
            WHERE o.due_on >= from_on AND o.due_on < to_on
        )
        SELECT e.due_period, e.segment, count(*), count(*) FILTER (WHERE e.outcome = 'renewed'), count(*) FILTER (WHERE e.outcome = 'renewed_early'),
               count(*) FILTER (WHERE e.outcome = 'renewed_late'), count(*) FILTER (WHERE e.outcome = 'downsold'), count(*) FILTER (WHERE e.outcome = 'converted_evergreen'),
               count(*) FILTER (WHERE e.outcome = 'lost'), count(*) FILTER (WHERE e.outcome = 'early_termination'), count(*) FILTER (WHERE e.outcome = 'lapsed'),
               count(*) FILTER (WHERE e.outcome = 'open'), CASE WHEN digits IS NULL THEN sum(e.before) ELSE round(sum(e.before), digits) END,
               CASE WHEN digits IS NULL THEN coalesce(sum(e.before) FILTER (WHERE e.outcome = 'open'), 0) ELSE round(coalesce(sum(e.before) FILTER (WHERE e.outcome = 'open'), 0), digits) END,
               CASE WHEN digits IS NULL THEN coalesce(sum(e.after), 0) ELSE round(coalesce(sum(e.after), 0), digits) END,
               (sum(least(e.before, e.after)) FILTER (WHERE e.outcome <> 'open') / nullif(sum(e.before) FILTER (WHERE e.outcome <> 'open'), 0))::double precision,
               (sum(e.after) FILTER (WHERE e.outcome <> 'open') / nullif(sum(e.before) FILTER (WHERE e.outcome <> 'open'), 0))::double precision,
               count(DISTINCT e.account_id) FILTER (WHERE e.goes_on) / nullif(count(DISTINCT e.account_id) FILTER (WHERE e.outcome <> 'open'), 0)::double precision,
               unit
        FROM event e GROUP BY e.due_period, e.segment ORDER BY e.due_period, e.segment;
END
$$;
COMMENT ON FUNCTION ltv.renewal_rate(regclass, date, date, text, text, regclass, regclass, text, date, date, integer, integer, text) IS 'Renewal rates by due date, one row for each month, quarter, year (by its first day) or for all. The denominator is what was up for renewal (ATR) and is decided: contracts whose committed term ended in the period; an early renewal counts in the period in which it was due and so does a late one; open ones are left out of the rates and counted. gross caps each contract at what it paid before, net does not; logo_renewal_rate is of accounts: with a renewed contract over with a decided one. due, due_open, renewed in ARR (measure => mrr: per month), several currencies at the rates of from_on (or fx_asof), rounded to the minor unit. No row where nothing was due. The decisions are those of renewal_events, which has the contracts and the definitions; as_of NULL: as known today. Errors: 22023 for a contract in two currencies, and as reporting_rates.';
