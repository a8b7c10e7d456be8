-- The contract timeline: the shape of a relation that says who paid how much for what, from when until when, and who knew it when.

CREATE TYPE ltv.contract_line AS (
    account_id text,
    parent_account_id text,
    contract_id text,
    line_id text,
    product text,
    valid_from date,
    valid_to date,
    state text,
    mrr numeric,
    list_mrr numeric,
    quantity numeric,
    currency text,
    billing_months numeric,
    payment_timing text,
    term_start date,
    term_end date,
    auto_renew boolean,
    start_event text,
    end_event text,
    known_at timestamptz,
    end_known_at timestamptz,
    superseded_at timestamptz,
    source text,
    source_key text
);
COMMENT ON TYPE ltv.contract_line IS 'One row of a contract timeline: one priced line with constant price, quantity and state over a half-open interval of days. Any table or view with these columns, in any order and among others, is a timeline; account_id, contract_id, line_id, valid_from, valid_to, state, mrr and currency must be there.';
COMMENT ON COLUMN ltv.contract_line.account_id IS 'The customer.';
COMMENT ON COLUMN ltv.contract_line.parent_account_id IS 'Its ultimate parent; NULL: itself.';
COMMENT ON COLUMN ltv.contract_line.contract_id IS 'What is renewed.';
COMMENT ON COLUMN ltv.contract_line.line_id IS 'What is priced: a subscription''s item, an asset, a charge.';
COMMENT ON COLUMN ltv.contract_line.product IS 'What is sold.';
COMMENT ON COLUMN ltv.contract_line.valid_from IS 'The first day, in the ledger''s time zone.';
COMMENT ON COLUMN ltv.contract_line.valid_to IS 'The day after the last; NULL: open.';
COMMENT ON COLUMN ltv.contract_line.state IS 'trial, active, past_due or paused. Active and past due count as revenue.';
COMMENT ON COLUMN ltv.contract_line.mrr IS 'Contracted revenue per month after recurring discounts, without tax, in the line''s currency, not negative.';
COMMENT ON COLUMN ltv.contract_line.list_mrr IS 'The same at list price.';
COMMENT ON COLUMN ltv.contract_line.quantity IS 'Seats, licences, units.';
COMMENT ON COLUMN ltv.contract_line.currency IS 'ISO 4217, in capitals.';
COMMENT ON COLUMN ltv.contract_line.billing_months IS 'Months between two invoices: 1, 3, 12, or 12/52 for a week. NULL: 1.';
COMMENT ON COLUMN ltv.contract_line.payment_timing IS 'advance or arrears. NULL: advance.';
COMMENT ON COLUMN ltv.contract_line.term_start IS 'The first day of the committed term.';
COMMENT ON COLUMN ltv.contract_line.term_end IS 'The day after the last of the committed term; NULL: evergreen, month to month.';
COMMENT ON COLUMN ltv.contract_line.auto_renew IS 'Renews by itself; NULL: unknown.';
COMMENT ON COLUMN ltv.contract_line.start_event IS 'Why it began: new, conversion (of a trial), renewal, upgrade, downgrade, price_change, pause (a row in state paused), resume, reactivation, coterm or transfer_in.';
COMMENT ON COLUMN ltv.contract_line.end_event IS 'Why it ended: conversion (of a trial), renewal, upgrade, downgrade, price_change, pause, resume (a row in state paused), non_renewal, cancel, early_termination, involuntary, coterm or transfer_out.';
COMMENT ON COLUMN ltv.contract_line.known_at IS 'When the source first knew of the row. NULL: from valid_from on.';
COMMENT ON COLUMN ltv.contract_line.end_known_at IS 'When the source first knew valid_to and end_event. NULL: from valid_to on.';
COMMENT ON COLUMN ltv.contract_line.superseded_at IS 'When a correction replaced the row; NULL: it stands.';
COMMENT ON COLUMN ltv.contract_line.source IS 'The system it came from.';
COMMENT ON COLUMN ltv.contract_line.source_key IS 'Its key there.';

CREATE FUNCTION ltv.finite_amount(amount numeric, what text, whose text, on_day date) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF amount >= 'Infinity' OR amount <= '-Infinity' THEN
        RAISE EXCEPTION '% of % on % is %', coalesce(what, 'an amount'), coalesce(whose, 'a row without a key'), coalesce(on_day::text, 'no day'), amount
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'An amount is a number, or NULL where it is not known: mend the row or leave it out. check_timeline lists all such rows of a timeline (not_a_number).';
    END IF;
    RETURN amount;
END
$$;
COMMENT ON FUNCTION ltv.finite_amount(numeric, text, text, date) IS 'The amount, unless it is NaN or infinite: then error 22023 that says which amount (what), of which line or payer, from which day. The queries over timelines and payments call it for such amounts alone, so that no sum is made of them.';

CREATE FUNCTION ltv.end_of_day(as_of date) RETURNS timestamptz
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF as_of > date '9999-12-31' AND isfinite(as_of) THEN
        RAISE EXCEPTION 'as_of is %, beyond the calendar', as_of
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A day up to 9999-12-31; infinity is after all of them.';
    END IF;
    RETURN (as_of + 1)::timestamptz - interval '1 microsecond';
END
$$;
COMMENT ON FUNCTION ltv.end_of_day(date) IS 'The last instant of a day of the session''s time zone: up to when a function over a timeline knows what it is given an as_of. NULL for NULL; infinity and -infinity are themselves. Error 22023 after the year 9999.';

CREATE FUNCTION ltv.timeline_query(timeline regclass, as_of timestamptz, segment text, finite boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    required constant text[] := '{account_id,contract_id,line_id,valid_from,valid_to,state,mrr,currency}';
    missing text;
    unfit text;
    given_columns text;
    known_columns text;
BEGIN
    IF timeline IS NULL THEN
        RAISE EXCEPTION 'timeline must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'The name of a table or view of the shape of ltv.contract_line.';
    END IF;
    SELECT string_agg(wanted.name, ', ' ORDER BY wanted.place) FILTER (WHERE given.base IS NULL AND wanted.name = ANY (required)),
           string_agg(format('%s is %s, not %s', wanted.name, given.type::regtype, wanted.type::regtype), ', ' ORDER BY wanted.place)
               FILTER (WHERE NOT CASE wanted.type
                   WHEN 'text'::regtype THEN given.category = 'S' OR given.is_enum
                       OR given.base = ANY ('{uuid,smallint,integer,bigint,numeric}'::regtype[])
                   WHEN 'numeric'::regtype THEN given.base = ANY ('{numeric,smallint,integer,bigint,real,double precision}'::regtype[])
                   ELSE given.base = wanted.type END),
           string_agg(CASE WHEN given.base IS NULL THEN format('NULL::%s AS %I', wanted.type::regtype, wanted.name)
                           -- An amount that is none is an error where it is read; check_timeline alone wants to see it.
                           WHEN finite AND given.base = ANY ('{numeric,real,double precision}'::regtype[])
                               THEN format('CASE WHEN t.%1$I::numeric >= ''Infinity'' OR t.%1$I::numeric <= ''-Infinity'' THEN ltv.finite_amount(t.%1$I::numeric, %1$L, ''line '' || t.line_id::text, t.valid_from) ELSE t.%1$I::numeric END AS %1$I', wanted.name)
                           -- A day beyond the calendar is as good as infinite, and does not overflow.
                           WHEN wanted.name IN ('valid_from', 'valid_to', 'term_start', 'term_end')
                               THEN format('CASE WHEN t.%1$I > date ''9999-12-31'' THEN ''infinity'' WHEN t.%1$I < date ''0001-01-01'' THEN ''-infinity'' ELSE t.%1$I END AS %1$I', wanted.name)
                           ELSE format('t.%1$I::%2$s AS %1$I', wanted.name, wanted.type::regtype) END, ', ' ORDER BY wanted.place),
           -- An end is as little known before its day as a row: until then the row is open.
           string_agg(CASE
               WHEN wanted.name IN ('valid_to', 'end_event') THEN format('CASE WHEN COALESCE(r.end_known_at, r.valid_to) <= %L::timestamptz THEN %s END AS %I',
                   as_of, CASE wanted.name WHEN 'valid_to' THEN 'NULLIF(r.valid_to, ''infinity'')' ELSE 'r.end_event' END, wanted.name)
               WHEN wanted.name = 'end_known_at' THEN format('CASE WHEN r.end_known_at <= %L::timestamptz THEN r.end_known_at END AS end_known_at', as_of)
               WHEN wanted.name = 'term_end' THEN 'NULLIF(r.term_end, ''infinity'') AS term_end'
               WHEN wanted.name = 'superseded_at' THEN 'NULL::timestamptz AS superseded_at'
               ELSE format('r.%I', wanted.name) END, ', ' ORDER BY wanted.place)
    INTO missing, unfit, given_columns, known_columns
    FROM (SELECT a.attname AS name, a.attnum AS place, a.atttypid AS type
          FROM pg_attribute a JOIN pg_type y ON y.typrelid = a.attrelid
          WHERE y.oid = 'ltv.contract_line'::regtype AND a.attnum > 0 AND NOT a.attisdropped) wanted
    LEFT JOIN LATERAL (
        SELECT y.oid AS type, CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END AS base, y.typcategory AS category, y.typtype = 'e' AS is_enum
        FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
        WHERE a.attrelid = timeline AND a.attname = wanted.name AND a.attnum > 0 AND NOT a.attisdropped) given ON true;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% is no contract timeline: it has no column %', timeline, missing
            USING ERRCODE = 'undefined_column',
                  HINT = 'Make a view that has it: \d ltv.contract_line shows the columns, ltv.mapping_sql() has views for billing systems.';
    END IF;
    IF unfit IS NOT NULL THEN
        RAISE EXCEPTION '% is no contract timeline: %', timeline, unfit
            USING ERRCODE = 'datatype_mismatch',
                  HINT = 'Cast it in a view, where the time zone of the ledger is known: (started_at AT TIME ZONE ''Europe/Berlin'')::date.';
    END IF;
    IF segment IS NOT NULL THEN
        given_columns := given_columns || format(', t.%I::text COLLATE "C" AS segment', segment);
        known_columns := known_columns || ', r.segment';
    END IF;
    IF as_of IS NULL THEN
        RETURN format('SELECT %s FROM %s t', given_columns, timeline);
    END IF;
    RETURN format('SELECT %s FROM (SELECT %s FROM %s t) r WHERE COALESCE(r.known_at, r.valid_from) <= %L::timestamptz AND (r.superseded_at IS NULL OR r.superseded_at > %4$L::timestamptz)',
                  known_columns, given_columns, timeline, as_of);
END
$$;
COMMENT ON FUNCTION ltv.timeline_query(regclass, timestamptz, text, boolean) IS 'The text of a query that reads any relation of the shape of ltv.contract_line as rows of it, columns it lacks as NULL: what every function over a timeline runs, with the caller''s rights. Days before the year 1 or after 9999 are read as infinite. as_of: as it was known at that instant (timeline_asof); NULL: all rows, superseded ones too. segment: a further column of the relation, read as text in a column of that name; NULL: none. finite: the query ends with error 22023 when it reads an amount (mrr, list_mrr, quantity, billing_months) that is NaN or infinite; false: such amounts are read as they are, as check_timeline does. Errors: 42703 names required columns that are missing, 42804 columns of a wrong type, 22004 a NULL timeline.';

CREATE FUNCTION ltv.timeline_query(timeline regclass) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN ltv.timeline_query(timeline, NULL, NULL);
END
$$;
COMMENT ON FUNCTION ltv.timeline_query(regclass) IS 'The text of a query that reads all rows of a timeline, superseded ones too, as rows of ltv.contract_line. NULL for NULL.';
