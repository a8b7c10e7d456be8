-- Currencies: minor units, rates, conversion, and sums that refuse to mix.

CREATE FUNCTION ltv.is_currency(code text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5 AS 'MODULE_PATHNAME', 'is_currency_wrapper';
COMMENT ON FUNCTION ltv.is_currency(text) IS 'Whether a code is that of a currency by ISO 4217, in capitals. XXX (no currency) and XTS (for tests) are none.';

CREATE FUNCTION ltv.minor_digits(currency text, convention text DEFAULT 'iso') RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'sql_minor_digits_wrapper';
COMMENT ON FUNCTION ltv.minor_digits(text, text) IS 'The decimals of a currency''s minor unit: 2 for EUR, 0 for JPY, 3 for KWD. convention: iso, ISO 4217; stripe, the amounts of its API, where MGA has none, and ISK and UGX have two though both are whole by ISO (https://docs.stripe.com/currencies). NULL for what has no minor unit, such as XAU. An unknown code, or one not in capitals, is error 22023.';

CREATE FUNCTION ltv.from_minor(amount bigint, currency text, convention text DEFAULT 'iso') RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN round(amount::numeric * power(10::numeric, -ltv.minor_digits(currency, convention)), ltv.minor_digits(currency, convention));
COMMENT ON FUNCTION ltv.from_minor(bigint, text, text) IS 'An amount in minor units (cents, yen, fils) as one in major units: from_minor(1999, ''USD'') is 19.99, from_minor(1999, ''JPY'') is 1999. convention as in minor_digits: ''stripe'' for amounts of its API. NULL where minor_digits is. Errors 22023.';

CREATE FUNCTION ltv._sum_money_add(state bytea, amount numeric, currency text) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'sum_money_add';
COMMENT ON FUNCTION ltv._sum_money_add(bytea, numeric, text) IS 'Transition function of sum_money.';
CREATE FUNCTION ltv._sum_money_combine(state bytea, other bytea) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'sum_money_combine';
COMMENT ON FUNCTION ltv._sum_money_combine(bytea, bytea) IS 'Combine function of sum_money.';
CREATE FUNCTION ltv._sum_money_final(state bytea) RETURNS numeric
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'sum_money_final';
COMMENT ON FUNCTION ltv._sum_money_final(bytea) IS 'Final function of sum_money.';
CREATE AGGREGATE ltv.sum_money(amount numeric, currency text) (
    SFUNC = ltv._sum_money_add, STYPE = bytea, SSPACE = 64, FINALFUNC = ltv._sum_money_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._sum_money_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.sum_money(numeric, text) IS 'sum(amount) that refuses to add two currencies: error 22023 names both. currency: three capital letters. Rows with a NULL amount are left out; an amount without a currency is error 22004. Exact, with the decimals of the rows (sixteen at most). NULL for no rows. Errors: 22003 from 10^20 on.';

CREATE TYPE ltv.fx_rate AS (
    currency text,
    valid_from date,
    valid_to date,
    rate numeric,
    basis text
);
COMMENT ON TYPE ltv.fx_rate IS 'One row of a relation of exchange rates: the worth of a currency over a half-open interval of days. Any table or view with these columns, in any order and among others, is one; currency, valid_from and rate must be there. Without a column valid_to a rate holds until the currency''s next one of its basis.';
COMMENT ON COLUMN ltv.fx_rate.currency IS 'ISO 4217, in capitals.';
COMMENT ON COLUMN ltv.fx_rate.valid_from IS 'The first day.';
COMMENT ON COLUMN ltv.fx_rate.valid_to IS 'The day after the last; NULL: open.';
COMMENT ON COLUMN ltv.fx_rate.rate IS 'Units of the reporting currency for one unit of this one, greater than 0; 1 for the reporting currency itself.';
COMMENT ON COLUMN ltv.fx_rate.basis IS 'What kind of rate: closing, average, budget ... NULL or no such column: the only kind.';

CREATE FUNCTION ltv.rates_query(rates regclass) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing text;
    unfit text;
    has_end boolean;
    basis text;
BEGIN
    SELECT string_agg(wanted.name, ', ' ORDER BY wanted.place) FILTER (WHERE given.base IS NULL AND wanted.name IN ('currency', 'valid_from', 'rate')),
           string_agg(format('%s is %s, not %s', wanted.name, given.type::regtype, wanted.type::regtype), ', ' ORDER BY wanted.place)
               FILTER (WHERE NOT CASE wanted.type
                   WHEN 'text'::regtype THEN given.category = 'S' OR given.is_enum
                   WHEN 'numeric'::regtype THEN given.base = ANY ('{numeric,smallint,integer,bigint,real,double precision}'::regtype[])
                   ELSE given.base = wanted.type END),
           bool_or(wanted.name = 'valid_to' AND given.base IS NOT NULL),
           CASE WHEN bool_or(wanted.name = 'basis' AND given.base IS NOT NULL) THEN 't.basis::text' ELSE 'NULL::text' END
    INTO missing, unfit, has_end, basis
    FROM (SELECT a.attname AS name, a.attnum AS place, a.atttypid AS type
          FROM pg_attribute a JOIN pg_type y ON y.typrelid = a.attrelid
          WHERE y.oid = 'ltv.fx_rate'::regtype AND a.attnum > 0 AND NOT a.attisdropped) wanted
    LEFT JOIN LATERAL (
        SELECT y.oid AS type, CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END AS base, y.typcategory AS category, y.typtype = 'e' AS is_enum
        FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
        WHERE a.attrelid = rates AND a.attname = wanted.name AND a.attnum > 0 AND NOT a.attisdropped) given ON true;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% is no relation of exchange rates: it has no column %', rates, missing
            USING ERRCODE = 'undefined_column',
                  HINT = 'Make a view that has it: \d ltv.fx_rate shows the columns. rate is what one unit of the currency is worth in the reporting currency.';
    END IF;
    IF unfit IS NOT NULL THEN
        RAISE EXCEPTION '% is no relation of exchange rates: %', rates, unfit
            USING ERRCODE = 'datatype_mismatch', HINT = 'Cast it in a view.';
    END IF;
    RETURN format('SELECT t.currency::text AS currency, t.valid_from::date AS valid_from, %s::date AS valid_to, t.rate::numeric AS rate, %s AS basis FROM %s t',
                  CASE WHEN has_end THEN 't.valid_to' ELSE format('lead(t.valid_from) OVER (PARTITION BY t.currency, %s ORDER BY t.valid_from)', basis) END,
                  basis, rates);
END
$$;
COMMENT ON FUNCTION ltv.rates_query(regclass) IS 'The text of a query that reads any relation of the shape of ltv.fx_rate as rows of it: what the functions over rates run, with the caller''s rights. Error 42703 names required columns that are missing, 42804 columns of a wrong type.';

CREATE FUNCTION ltv.convert(
    amount numeric, from_currency text, to_currency text, on_date date, rates regclass,
    basis text DEFAULT NULL, reporting text DEFAULT NULL, missing text DEFAULT 'error'
) RETURNS numeric
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    given numeric[];
    wanted numeric[];
    bases text;
    lost text;
BEGIN
    IF missing IS NULL OR missing NOT IN ('error', 'null') THEN
        RAISE EXCEPTION 'unknown option for missing rates: %', coalesce(quote_literal(left(missing, 63)), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: error, null.';
    END IF;
    IF amount IS NULL OR from_currency IS NULL OR to_currency IS NULL OR on_date IS NULL OR rates IS NULL THEN
        RETURN NULL;
    END IF;
    IF amount IN ('NaN', 'Infinity', '-Infinity') THEN
        RAISE EXCEPTION 'an amount must be finite, got %', amount
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave such rows out.';
    END IF;
    IF from_currency = to_currency THEN
        RETURN amount;
    END IF;
    EXECUTE format('SELECT array_agg(r.rate) FILTER (WHERE r.currency = $1), array_agg(r.rate) FILTER (WHERE r.currency = $2), string_agg(DISTINCT r.basis, '', '')
                    FROM (%s) r WHERE r.currency IN ($1, $2) AND r.valid_from <= $3 AND (r.valid_to IS NULL OR $3 < r.valid_to) AND ($4 IS NULL OR r.basis = $4)',
                   ltv.rates_query(rates))
    INTO given, wanted, bases USING from_currency, to_currency, on_date, basis;
    IF given IS NULL AND from_currency = reporting THEN
        given := '{1}';
    END IF;
    IF wanted IS NULL AND to_currency = reporting THEN
        wanted := '{1}';
    END IF;
    lost := CASE WHEN given IS NULL THEN from_currency WHEN wanted IS NULL THEN to_currency END;
    IF lost IS NOT NULL AND missing = 'null' THEN
        RETURN NULL;
    END IF;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION 'there is no %rate for % on % in %', coalesce(left(basis, 63) || ' ', ''), left(lost, 63), on_date, rates
            USING ERRCODE = 'no_data_found',
                  HINT = format('SELECT * FROM ltv.check_rates(%L) lists the gaps. The reporting currency needs a row with rate 1, or name it by reporting => ... missing => ''null'' gives NULL.', rates);
    END IF;
    IF cardinality(given) > 1 OR cardinality(wanted) > 1 THEN
        RAISE EXCEPTION 'there is more than one rate for % on % in %', CASE WHEN cardinality(given) > 1 THEN from_currency ELSE to_currency END, on_date, rates
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Their basis: %s.', coalesce(bases, 'none')),
                  HINT = format('Say which basis, or make a view of one; SELECT * FROM ltv.check_rates(%L) lists overlaps.', rates);
    END IF;
    IF given[1] IS NULL OR wanted[1] IS NULL OR NOT (given[1] > 0 AND wanted[1] > 0) OR given[1] IN ('NaN', 'Infinity') OR wanted[1] IN ('NaN', 'Infinity') THEN
        RAISE EXCEPTION 'the rate of % on % in % is %', CASE WHEN given[1] > 0 AND given[1] < 'Infinity' THEN to_currency ELSE from_currency END, on_date, rates,
                CASE WHEN given[1] > 0 AND given[1] < 'Infinity' THEN wanted[1] ELSE given[1] END
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A rate is greater than 0: what one unit is worth in the reporting currency.';
    END IF;
    RETURN CASE WHEN wanted[1] = 1 THEN amount * given[1] ELSE amount * given[1] / wanted[1] END;
END
$$;
COMMENT ON FUNCTION ltv.convert(numeric, text, text, date, regclass, text, text, text) IS 'An amount in another currency at the rates of on_date: amount x rate(from) / rate(to), by way of the reporting currency. Not rounded: round once, after adding up, to minor_digits(to_currency). rates: a relation of the shape of ltv.fx_rate. basis: which kind of rate, where there are several. reporting: the currency whose rate is 1 without a row. missing: error, or null for a NULL result. The same currency is returned as it is. A fixed on_date is constant currency. For many rows join cross_rates. NULL when amount, a currency, on_date or rates is. Errors: P0002 names the currency and the day without a rate; 22023 for two rates at once or one that is not positive.';

CREATE FUNCTION ltv.cross_rates(rates regclass, to_currency text, basis text DEFAULT NULL, reporting text DEFAULT NULL, fx_asof date DEFAULT NULL)
    RETURNS TABLE (currency text, valid_from date, valid_to date, rate numeric)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000 ROWS 500
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    doubled record;
    has_target boolean;
    shared text;
BEGIN
    IF rates IS NULL OR to_currency IS NULL THEN
        RETURN;
    END IF;
    shared := format('WITH read AS (%s), kept AS MATERIALIZED (
            SELECT r.currency, r.valid_from, coalesce(r.valid_to, ''infinity'') AS valid_to, r.rate, r.basis FROM read r
            WHERE ($1 IS NULL OR r.basis = $1) AND ($3 IS NULL OR r.valid_from <= $3 AND (r.valid_to IS NULL OR $3 < r.valid_to))
        ), known AS MATERIALIZED (
            SELECT k.currency, k.valid_from, k.valid_to, k.rate, k.basis FROM kept k
            UNION ALL SELECT $2, ''-infinity'', ''infinity'', 1, NULL WHERE $2 IS NOT NULL AND NOT EXISTS (SELECT FROM read r WHERE r.currency = $2)
        ) ', ltv.rates_query(rates));
    EXECUTE shared || 'SELECT a.currency, a.valid_from, a.next_from, concat_ws('', '', a.basis, nullif(a.next_basis, a.basis)) AS bases
        FROM (SELECT k.currency, greatest(k.valid_from, lead(k.valid_from) OVER w) AS valid_from, k.valid_to, lead(k.valid_from) OVER w AS next_from, k.basis, lead(k.basis) OVER w AS next_basis
              FROM known k WINDOW w AS (PARTITION BY k.currency ORDER BY k.valid_from, k.valid_to)) a
        WHERE a.next_from < a.valid_to ORDER BY a.currency, a.next_from LIMIT 1'
    INTO doubled USING basis, reporting, fx_asof;
    IF doubled.currency IS NOT NULL THEN
        RAISE EXCEPTION 'there is more than one rate for % on % in %', doubled.currency, doubled.next_from, rates
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Their basis: %s.', coalesce(nullif(doubled.bases, ''), 'none')),
                  HINT = format('Say which basis, or make a view of one; SELECT * FROM ltv.check_rates(%L) lists overlaps.', rates);
    END IF;
    EXECUTE shared || 'SELECT EXISTS (SELECT FROM known k WHERE k.currency = $4)' INTO has_target USING basis, reporting, fx_asof, to_currency;
    IF NOT has_target THEN
        RAISE EXCEPTION 'there is no %rate for % in %', coalesce(left(basis, 63) || ' ', ''), concat_ws(' on ', left(to_currency, 63), fx_asof), rates
            USING ERRCODE = 'no_data_found',
                  HINT = format('The reporting currency needs a row with rate 1; cross_rates and convert also take its name: reporting => %L.', left(to_currency, 63));
    END IF;
    RETURN QUERY EXECUTE shared || 'SELECT x.currency, CASE WHEN $3 IS NULL THEN x.valid_from ELSE ''-infinity'' END,
            CASE WHEN $3 IS NULL THEN nullif(x.valid_to, ''infinity'') END, x.rate
        FROM (SELECT $4 AS currency, ''-infinity''::date AS valid_from, ''infinity''::date AS valid_to, 1::numeric AS rate
              UNION ALL
              SELECT f.currency, greatest(f.valid_from, t.valid_from), least(f.valid_to, t.valid_to), CASE WHEN t.rate = 1 THEN f.rate ELSE f.rate / t.rate END
              FROM known f JOIN known t ON t.currency = $4 AND f.currency <> $4 AND f.valid_from < t.valid_to AND t.valid_from < f.valid_to AND f.rate > 0 AND f.rate < ''Infinity'' AND t.rate > 0 AND t.rate < ''Infinity'') x
        ORDER BY 1, 2' USING basis, reporting, fx_asof, to_currency;
END
$$;
COMMENT ON FUNCTION ltv.cross_rates(regclass, text, text, text, date) IS 'What one unit of each currency is worth in to_currency, one row per currency and interval: to convert many rows, join it ON c.currency = t.currency AND t.day >= c.valid_from AND (t.day < c.valid_to OR c.valid_to IS NULL) and take amount x rate. fx_asof: the rates of that day for all days (constant currency). to_currency itself is there with rate 1 for ever. rates, basis, reporting as in convert. Rates that are not positive are left out: check_rates lists them. No rows when rates or to_currency is NULL. Errors: P0002 when to_currency has no rate, 22023 for two rates at once.';

CREATE FUNCTION ltv.check_rates(rates regclass, reporting text DEFAULT NULL)
    RETURNS TABLE (rule text, severity text, n bigint, sample text, what_to_do text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000 ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF rates IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format('
        WITH read AS MATERIALIZED (%s), sound AS MATERIALIZED (
            SELECT r.* FROM read r WHERE r.currency IS NOT NULL AND r.valid_from IS NOT NULL AND (r.valid_to IS NULL OR r.valid_to > r.valid_from)
        ), neighbours AS (
            SELECT s.currency, s.basis, s.valid_from, s.valid_to, lead(s.valid_from) OVER w AS next_from
            FROM sound s WINDOW w AS (PARTITION BY s.currency, s.basis ORDER BY s.valid_from, s.valid_to)
        ), ones AS (
            SELECT s.currency FROM sound s GROUP BY s.currency HAVING bool_and(s.rate = 1)
        ), fault (rule, key) AS (
            SELECT ''missing_value'', format(''%%s from %%s: %%s'', coalesce(r.currency, ''?''), coalesce(r.valid_from::text, ''?''), coalesce(r.rate::text, ''?'')) FROM read r
            WHERE r.currency IS NULL OR r.valid_from IS NULL OR r.rate IS NULL
            UNION ALL SELECT ''unknown_currency'', r.currency FROM read r WHERE r.currency !~ ''^[A-Z]{3}$'' GROUP BY r.currency
            UNION ALL SELECT ''empty_interval'', format(''%%s from %%s to %%s'', r.currency, r.valid_from, r.valid_to) FROM read r WHERE r.valid_to <= r.valid_from
            UNION ALL SELECT ''not_positive'', format(''%%s from %%s: %%s'', r.currency, r.valid_from, r.rate) FROM read r
            WHERE NOT (r.rate > 0 AND r.rate < ''Infinity'')
            UNION ALL SELECT ''overlap'', format(''%%s on %%s'', concat_ws('' '', x.currency, x.basis), x.next_from) FROM neighbours x WHERE x.next_from < coalesce(x.valid_to, ''infinity'')
            UNION ALL SELECT ''gap'', format(''%%s from %%s to %%s'', concat_ws('' '', x.currency, x.basis), x.valid_to, x.next_from) FROM neighbours x WHERE x.next_from > x.valid_to
            UNION ALL SELECT ''reporting_not_one'', format(''%%s from %%s: %%s'', s.currency, s.valid_from, s.rate) FROM sound s WHERE s.currency = $1 AND s.rate <> 1
            UNION ALL SELECT ''no_reporting_currency'', ''no currency has rate 1 on all days'' WHERE $1 IS NULL AND NOT EXISTS (SELECT FROM ones)
        )
        SELECT r.name, r.severity, count(*), array_to_string((array_agg(f.key ORDER BY f.key COLLATE "C"))[1:3], ''; ''), r.advice
        FROM fault f JOIN (VALUES
            (1, ''missing_value'', ''error'', ''Fill currency, valid_from and rate.''),
            (2, ''unknown_currency'', ''error'', ''Use ISO 4217 codes: upper(currency).''),
            (3, ''empty_interval'', ''error'', ''valid_to is the day after the last, so it is later than valid_from.''),
            (4, ''not_positive'', ''error'', ''A rate is what one unit is worth in the reporting currency; perhaps it is stated the other way round.''),
            (5, ''overlap'', ''error'', ''End each rate where the next begins, or tell the two apart by basis.''),
            (6, ''gap'', ''warning'', ''Amounts on these days cannot be converted: add rates, or let the one before run on.''),
            (7, ''reporting_not_one'', ''error'', ''Restate all rates in units of this currency, or name another.''),
            (8, ''no_reporting_currency'', ''warning'', ''Name it: reporting => ''''EUR'''', or add a row with rate 1.'')) r (place, name, severity, advice) ON r.name = f.rule
        GROUP BY r.place, r.name, r.severity, r.advice ORDER BY r.place', ltv.rates_query(rates)) USING reporting;
END
$$;
COMMENT ON FUNCTION ltv.check_rates(regclass, text) IS 'What is wrong with a relation of exchange rates: one row per broken rule, with how often, up to three samples, and what to do. Rules: missing_value, unknown_currency, empty_interval, not_positive, overlap (two rates of one basis on a day), gap, reporting_not_one (when reporting is named), no_reporting_currency (when it is not). No rows: nothing is wrong.';

