-- The same relation as it was known on a day, and the measure of months that everything over a timeline uses.

CREATE FUNCTION ltv.months_between(from_on date, to_on date) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1 AS 'MODULE_PATHNAME', 'months_between_wrapper';
COMMENT ON FUNCTION ltv.months_between(date, date) IS 'Calendar months from one day to another: whole months as far as the day of the month returns (the last of the month where there is none), and of the month that is left the share of its days. 2024-01-01 to 2025-01-01 is 12, 2024-01-31 to 2024-02-29 is 1, 2024-01-01 to 2024-01-16 is 15/31. Negative backwards. NULL for infinite dates.';

CREATE FUNCTION ltv.timeline_query(timeline regclass, as_of timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
    SET datestyle = ISO  -- others write zones as abbreviations: IST is read as Israel's
AS $$
BEGIN
    IF timeline IS NULL OR as_of IS NULL THEN
        RAISE EXCEPTION '% must not be NULL', CASE WHEN timeline IS NULL THEN 'timeline' ELSE 'as_of' END
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'timeline is the name of a table or view, as_of the day up to which things are known: current_date for today.';
    END IF;
    RETURN ltv.timeline_query(timeline, as_of, NULL);
END
$$;
COMMENT ON FUNCTION ltv.timeline_query(regclass, timestamptz) IS 'The text of a query that reads a timeline as it was known at an instant, as rows of ltv.contract_line: see timeline_asof. Error 22004 for NULL.';

CREATE FUNCTION ltv.timeline_query(timeline regclass, as_of date) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN ltv.timeline_query(timeline, ltv.end_of_day(as_of));
END
$$;
COMMENT ON FUNCTION ltv.timeline_query(regclass, date) IS 'The text of a query that reads a timeline as it was known by the end of a day of the session''s time zone: see timeline_asof.';

CREATE FUNCTION ltv.timeline_asof(timeline regclass, as_of timestamptz) RETURNS SETOF ltv.contract_line
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 100000
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY EXECUTE ltv.timeline_query(timeline, as_of);
END
$$;
COMMENT ON FUNCTION ltv.timeline_asof(regclass, timestamptz) IS 'Exactly the rows of a timeline that were known at an instant: those known by then (known_at, or valid_from where it is NULL) and not superseded by then; an end known only later (end_known_at, or valid_to where it is NULL) is masked, so that the row is open again, without an end_event.';

CREATE FUNCTION ltv.timeline_asof(timeline regclass, as_of date) RETURNS SETOF ltv.contract_line
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 100000
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY EXECUTE ltv.timeline_query(timeline, as_of);
END
$$;
COMMENT ON FUNCTION ltv.timeline_asof(regclass, date) IS 'As timeline_asof of an instant, by the end of the day in the session''s time zone: what every function over a timeline reads for its as_of.';

CREATE FUNCTION ltv.checked_query(timeline regclass, as_of date, amounts text[] DEFAULT '{mrr}') RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    odd record;
BEGIN
    IF amounts IS NULL OR NOT amounts <@ '{mrr,list_mrr,quantity,billing_months}' THEN
        RAISE EXCEPTION 'amounts are %', coalesce(amounts::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Any of mrr, list_mrr, quantity and billing_months: the columns of ltv.contract_line that are amounts.';
    END IF;
    -- In a statement of its own: an error's context quotes the statement whole, and a caller's is long. A view, or a foreign table, would be read twice for it.
    IF as_of IS NOT NULL AND amounts <> '{}' AND EXISTS (SELECT FROM pg_class WHERE oid = timeline AND relkind NOT IN ('v', 'f')) THEN
        EXECUTE format('SELECT r.line_id, r.valid_from, a.name, a.amount FROM (%s) r, LATERAL (VALUES %s) a (name, amount)
                WHERE a.amount >= ''Infinity'' OR a.amount <= ''-Infinity'' ORDER BY r.line_id, r.valid_from, a.name LIMIT 1',
            ltv.timeline_query(timeline, ltv.end_of_day(as_of), NULL, finite => false), (SELECT string_agg(format('(%1$L, r.%1$I)', name), ', ') FROM unnest(amounts) AS name)) INTO odd;
        odd.amount := ltv.finite_amount(odd.amount, odd.name, 'line ' || odd.line_id, odd.valid_from);
    END IF;
    RETURN ltv.timeline_query(timeline, as_of);
END
$$;
COMMENT ON FUNCTION ltv.checked_query(regclass, date, text[]) IS 'timeline_query(timeline, as_of), after a look whether the columns amounts of what it reads are amounts, so that an error that says which is none comes without the query that would have met it. A view or a foreign table is not looked at: it is read once, by that query. Errors as of timeline_query and finite_amount; 22023 for a column that is no amount.';
