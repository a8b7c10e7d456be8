-- What an entity has been worth so far: by contract, and by payments where they are known.

CREATE FUNCTION ltv.historical_value(timeline regclass, on_date date, grain text DEFAULT 'account', by text DEFAULT NULL, segments regclass DEFAULT NULL,
        rates regclass DEFAULT NULL, currency text DEFAULT NULL, fx_asof date DEFAULT NULL, payments regclass DEFAULT NULL, as_of date DEFAULT NULL)
    RETURNS TABLE (entity_id text, segment text, first_on date, last_on date, months_live numeric, mrr numeric, contracted numeric, paid numeric, n_payments bigint,
        reporting_currency text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 2000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    codes_used text[];
    quotes numeric[];
    unit text;
    key text := CASE grain WHEN 'account' THEN 'account_id' WHEN 'parent' THEN 'parent_account_id' WHEN 'contract' THEN 'contract_id' WHEN 'line' THEN 'line_id'
                           WHEN 'product' THEN 'account_id,product' END;
    missing text;
    codes text[];
    converted text;
    paid text := 'SELECT NULL::text AS entity_id, NULL::numeric AS paid, NULL::bigint AS n WHERE false';
    own_currency boolean;
    -- What was converted is rounded to the minor unit; what was not is exact.
    digits integer := CASE WHEN rates IS NOT NULL THEN CASE WHEN ltv.is_currency(historical_value.currency) THEN ltv.minor_digits(historical_value.currency) ELSE 2 END END;
BEGIN
    IF on_date IS NULL OR on_date < date '0001-01-01' OR on_date > date '9999-12-31' THEN
        RAISE EXCEPTION 'on_date is %', coalesce(on_date::text, 'NULL') USING ERRCODE = 'invalid_parameter_value', HINT = 'It is the last day that counts, from 0001-01-01 to 9999-12-31.';
    END IF;
    SELECT min(r.to_currency), array_agg(r.from_currency), array_agg(r.rate) INTO unit, codes_used, quotes
        FROM ltv.reporting_rates(timeline, ARRAY['-infinity', on_date]::date[], rates, historical_value.currency, coalesce(fx_asof, on_date), as_of) r WHERE r.on_date = historical_value.on_date;
    unit := coalesce(unit, historical_value.currency);
    IF payments IS NOT NULL THEN
        IF by IS NOT NULL AND segments IS NULL THEN
            RAISE EXCEPTION 'payments are not known by %', quote_literal(by)
                USING ERRCODE = 'invalid_parameter_value', HINT = 'A payment is an entity''s: give segments => a relation with one row for each, or leave payments away.';
        END IF;
        SELECT string_agg(wanted, ', ' ORDER BY place) INTO missing FROM unnest(string_to_array(key, ',') || '{paid_on,amount}'::text[]) WITH ORDINALITY AS w (wanted, place)
            WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = payments AND a.attname = wanted AND a.attnum > 0 AND NOT a.attisdropped);
        IF missing IS NOT NULL THEN
            RAISE EXCEPTION '% holds no payments: it has no column %', payments, missing
                USING ERRCODE = 'undefined_column', HINT = 'Its columns are the key of the grain, paid_on, amount (a refund negative) and currency, which may be missing where there is one only.';
        END IF;
        SELECT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = payments AND a.attname = 'currency' AND a.attnum > 0 AND NOT a.attisdropped) INTO own_currency;
        paid := format('SELECT %s AS entity_id, paid_on::date AS paid_on, CASE WHEN amount::numeric >= ''Infinity'' OR amount::numeric <= ''-Infinity'' THEN ltv.finite_amount(amount::numeric, ''amount'', %1$s, paid_on::date) ELSE amount::numeric END AS amount, %s AS currency FROM %s WHERE paid_on::date <= %L AND amount IS NOT NULL',
            CASE grain WHEN 'product' THEN $x$account_id::text || ' / ' || coalesce(product::text, '')$x$ ELSE format('%I::text', key) END,
            CASE WHEN own_currency THEN 'currency::text' ELSE quote_nullable(unit) || '::text' END, payments, on_date);
        EXECUTE format('SELECT array_agg(DISTINCT currency) FROM (%s) p', paid) INTO codes;
        IF rates IS NULL AND codes IS DISTINCT FROM ARRAY[unit] AND codes IS NOT NULL THEN
            RAISE EXCEPTION '% is in %, % in %', timeline, coalesce(unit, 'no currency'), payments, array_to_string(codes, ', ', 'NULL')
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Amounts in different currencies do not add up: give rates => a relation of the shape of ltv.fx_rate and currency => the one to report in.';
        END IF;
        IF rates IS NOT NULL THEN
            converted := format('(%s) p LEFT JOIN ltv.cross_rates($4, %L, fx_asof => $5) r ON r.currency = p.currency AND r.valid_from <= coalesce($5, p.paid_on) AND (r.valid_to IS NULL OR coalesce($5, p.paid_on) < r.valid_to)',
                paid, unit);
            EXECUTE format('SELECT format(''%%s on %%s'', p.currency, coalesce($5, p.paid_on)) FROM %s WHERE r.rate IS NULL ORDER BY p.paid_on, p.currency LIMIT 1', converted)
                INTO missing USING NULL::text, NULL::text, NULL::text, rates, fx_asof;
            IF missing IS NOT NULL THEN
                RAISE EXCEPTION 'there is no rate for % in %', missing, rates
                    USING ERRCODE = 'no_data_found', HINT = 'A payment is worth what its currency was on its day; or give fx_asof => one day for all.';
            END IF;
            paid := format('SELECT p.entity_id, sum(p.amount * r.rate) AS paid, count(*) AS n FROM %s GROUP BY p.entity_id', converted);
        ELSE
            paid := format('SELECT p.entity_id, sum(p.amount) AS paid, count(*) AS n FROM (%s) p GROUP BY p.entity_id', paid);
        END IF;
    END IF;
    -- A day's place in time, in months: the part of its month gone by. Places add up wherever a line is cut.
    RETURN QUERY EXECUTE format($x$
        WITH line AS (
            SELECT entity_id, segment, currency, mrr, valid_from, valid_to, least(valid_to, $2 + 1) AS until,
                   max(least(valid_to, $2 + 1)) OVER (PARTITION BY entity_id, segment ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS seen
            FROM (%1$s) l WHERE valid_from <= $2
        ), placed AS (
            SELECT line.*, f.place AS start, u.place AS stop, s.place AS seen_until
            FROM line
            CROSS JOIN LATERAL (SELECT extract(year FROM valid_from) * 12 + extract(month FROM valid_from) + (extract(day FROM valid_from) - 1) / extract(day FROM date_trunc('month', valid_from::timestamp) + interval '1 month - 1 day')) AS f (place)
            CROSS JOIN LATERAL (SELECT extract(year FROM until) * 12 + extract(month FROM until) + (extract(day FROM until) - 1) / extract(day FROM date_trunc('month', until::timestamp) + interval '1 month - 1 day')) AS u (place)
            CROSS JOIN LATERAL (SELECT extract(year FROM seen) * 12 + extract(month FROM seen) + (extract(day FROM seen) - 1) / extract(day FROM date_trunc('month', seen::timestamp) + interval '1 month - 1 day')) AS s (place)
        ), valued AS (
            SELECT entity_id, segment, min(valid_from) AS first_on, max(until) - 1 AS last_on, sum(greatest(stop - greatest(start, seen_until), 0)) AS months,
                   coalesce(sum(mrr * rate) FILTER (WHERE valid_to IS NULL OR valid_to > $2), 0) AS mrr, sum(mrr * rate * (stop - start)) AS contracted
            FROM placed JOIN unnest($1, $3) AS rate (currency, rate) USING (currency) GROUP BY entity_id, segment
        ), paid AS (%2$s)
        SELECT coalesce(v.entity_id, p.entity_id), v.segment, v.first_on, v.last_on, round(coalesce(v.months, 0), 6), CASE WHEN $7 IS NULL THEN coalesce(v.mrr, 0) ELSE round(coalesce(v.mrr, 0), $7) END, round(coalesce(v.contracted, 0), 4),
               %3$s, $6
        -- A payment is nobody's part: of an entity in several segments it has a row of its own.
        FROM (SELECT *, CASE WHEN count(*) OVER (PARTITION BY entity_id) = 1 THEN entity_id END AS payer FROM valued) v FULL JOIN paid p ON p.entity_id = v.payer
        ORDER BY 1, 2$x$, ltv.run_rate_query(timeline, grain, by, segments, as_of), paid,
        CASE WHEN payments IS NULL THEN 'NULL::numeric, NULL::bigint' ELSE 'CASE WHEN $7 IS NULL THEN coalesce(p.paid, 0) ELSE round(coalesce(p.paid, 0), $7) END, coalesce(p.n, 0)' END)
        USING codes_used, on_date, quotes, rates, fx_asof, unit, digits;
END
$$;
COMMENT ON FUNCTION ltv.historical_value(regclass, date, text, text, regclass, regclass, text, date, regclass, date) IS 'Value to date of each entity that had revenue up to the end of on_date: months_live, the months with revenue, days as parts of their calendar month; mrr on on_date; contracted, run-rate times months of every line, rounded to four decimals; paid and n_payments, if payments is given: a relation with the key of the grain (account_id, parent_account_id, contract_id, line_id, or account_id and product), paid_on, amount (refunds negative) and, unless all is in one, currency. Contracted amounts are converted at the rates of on_date, payments at those of their days; fx_asof: all at that day''s. What was converted is rounded to the minor unit. Entities that only paid are there too; what one in several segments paid is in a row without a segment. Revenue, not margin. Arguments and errors as run_rate_query and reporting_rates.';
