-- What moved recurring revenue, month by month: new, expansion, contraction, churn, reactivation and exchange rates, to the last digit.
-- Every line is two edges, where it begins to count and where it stops; running sums over edges are the book at each month's end,
-- so that the work grows with the changes and not with entities times months.

CREATE FUNCTION ltv.run_rate_query(timeline regclass, grain text DEFAULT 'account', by text DEFAULT NULL, segments regclass DEFAULT NULL,
        as_of date DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN format($x$SELECT l.entity_id, l.segment, l.account_id, l.contract_id, l.line_id, l.currency, l.mrr, l.quantity, l.valid_from, NULLIF(l.valid_to, 'infinity') AS valid_to,
       l.term_start, l.term_end, l.start_event, l.end_event, l.known_at, l.end_known_at
FROM (%s) l
WHERE l.state IN ('active', 'past_due') AND l.mrr <> 0 AND (l.valid_to IS NULL OR l.valid_to > l.valid_from)%s$x$,
        ltv.entity_query(timeline, grain, by, segments, as_of, finite => false), CASE WHEN as_of IS NULL THEN ' AND l.superseded_at IS NULL' ELSE '' END);
END
$$;
COMMENT ON FUNCTION ltv.run_rate_query(regclass, text, text, regclass, date) IS 'The text of a query for the lines of a timeline that count as recurring revenue: state active or past due, not superseded, run-rate not zero. Columns entity_id, segment, account_id, contract_id, line_id, currency, mrr, quantity, valid_from, valid_to, term_start, term_end, start_event, end_event, known_at, end_known_at. as_of: as it was known by the end of that day (timeline_asof); NULL: as it is known today. Arguments and errors as entity_query. What every finance metric over a timeline reads. Amounts are as they are: reporting_rates, which the metrics ask first, refuses NaN and infinite ones.';

CREATE FUNCTION ltv.reporting_rates(timeline regclass, on_dates date[], rates regclass DEFAULT NULL, currency text DEFAULT NULL, fx_asof date DEFAULT NULL,
        as_of date DEFAULT NULL)
    RETURNS TABLE (from_currency text, on_date date, rate numeric, to_currency text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000 ROWS 100
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found text[];
    since date[];
    until date[];
    codes text[];
    days date[];
    quotes numeric[];
    missing text[];
    unfit boolean;
    odd record;
BEGIN
    EXECUTE format($x$SELECT array_agg(currency ORDER BY currency) FILTER (WHERE met), array_agg(since ORDER BY currency) FILTER (WHERE met),
               array_agg(until ORDER BY currency) FILTER (WHERE met), bool_or(unfit)
        FROM (SELECT currency, min(since) FILTER (WHERE meets) AS since, max(until) FILTER (WHERE meets) AS until, bool_or(meets) AS met, bool_or(unfit) AS unfit
              FROM (SELECT currency, least(valid_from, known_at::date) AS since, coalesce(valid_to, 'infinity') AS until,
                           least(valid_from, known_at::date) <= $2 AND (valid_to IS NULL OR valid_to > $1) AS meets,
                           mrr >= 'Infinity' OR mrr <= '-Infinity' OR quantity >= 'Infinity' OR quantity <= '-Infinity' AS unfit
                    FROM (%s) line OFFSET 0) x GROUP BY currency) x$x$, ltv.run_rate_query(timeline, as_of => as_of))
        INTO found, since, until, unfit USING (SELECT min(d) FROM unnest(on_dates) d), (SELECT max(d) FROM unnest(on_dates) d);
    IF unfit THEN
        EXECUTE format('SELECT line_id, valid_from, mrr, quantity FROM (%s) line WHERE mrr >= ''Infinity'' OR mrr <= ''-Infinity'' OR quantity >= ''Infinity'' OR quantity <= ''-Infinity''
            ORDER BY line_id, valid_from LIMIT 1', ltv.run_rate_query(timeline, as_of => as_of)) INTO odd;
        PERFORM ltv.finite_amount(odd.mrr, 'mrr', 'line ' || odd.line_id, odd.valid_from), ltv.finite_amount(odd.quantity, 'quantity', 'line ' || odd.line_id, odd.valid_from);
    END IF;
    IF rates IS NULL THEN
        IF cardinality(found) > 1 THEN
            RAISE EXCEPTION '% is in % currencies: %', timeline, cardinality(found), array_to_string(found, ', ', 'NULL')
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Amounts in different currencies do not add up: give rates => a relation of the shape of ltv.fx_rate and currency => the one to report in.';
        ELSIF currency IS NOT NULL AND found[1] <> currency THEN
            RAISE EXCEPTION '% is in %, not in %', timeline, found[1], currency
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Give rates => a relation of the shape of ltv.fx_rate, or leave currency away.';
        END IF;
        RETURN QUERY SELECT code, day, 1::numeric, code FROM unnest(found) AS code CROSS JOIN unnest(on_dates) AS day;
        RETURN;
    END IF;
    IF currency IS NULL THEN
        RAISE EXCEPTION 'rates are given and not what to report in' USING ERRCODE = 'invalid_parameter_value', HINT = 'Name it: currency => ''EUR''.';
    END IF;
    SELECT array_agg(used.code), array_agg(d), array_agg(x.rate), (array_agg(ARRAY[used.code, coalesce(fx_asof, d)::text] ORDER BY d, used.code)
               FILTER (WHERE x.rate IS NULL AND (fx_asof IS NOT NULL OR used.since <= d AND used.until > d)))[1:1]
        INTO codes, days, quotes, missing
    FROM unnest(on_dates) AS d CROSS JOIN unnest(found, since, until) AS used (code, since, until)
    LEFT JOIN ltv.cross_rates(rates, reporting_rates.currency, fx_asof => reporting_rates.fx_asof) x
        ON x.currency = used.code AND x.valid_from <= d AND (x.valid_to IS NULL OR d < x.valid_to);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'there is no rate for % on % in %', coalesce(missing[1][1], 'NULL'), missing[1][2], rates
            USING ERRCODE = 'no_data_found',
                  HINT = format('It needs a row on that day, and so does %s; SELECT * FROM ltv.check_rates(%L) says what is wrong with them.', currency, rates);
    END IF;
    RETURN QUERY SELECT r.code, r.day, r.rate, reporting_rates.currency FROM unnest(codes, days, quotes) AS r (code, day, rate);
END
$$;
COMMENT ON FUNCTION ltv.reporting_rates(regclass, date[], regclass, text, date, date) IS 'The rates (of cross_rates) at which the currencies of a timeline are turned into the reporting currency on each day; with fx_asof, those of that day throughout. rates: a relation of the shape of ltv.fx_rate. One currency and no rates: 1. NULL where none is needed. as_of as in entity_query. Errors: 22023 where several currencies would be added without rates (it names them) and where an mrr or a quantity is NaN or infinite (it names the line), P0002 where a line counts and there is no rate.';

CREATE FUNCTION ltv.arr_movement_rows(timeline regclass, from_month date, to_month date, grain text DEFAULT 'account', by text DEFAULT NULL,
        segments regclass DEFAULT NULL, rates regclass DEFAULT NULL, currency text DEFAULT NULL, fx_asof date DEFAULT NULL, as_of date DEFAULT NULL,
        measure text DEFAULT 'arr', price_split boolean DEFAULT false, totals boolean DEFAULT false)
    RETURNS TABLE (month date, entity_id text, segment text, kind text, opening numeric, amount numeric, closing numeric, price numeric, n bigint, n_change bigint,
        reporting_currency text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    base date := date_trunc('month', least(from_month, '9999-12-31')::timestamp - interval '1 month');
    last date := date_trunc('month', least(to_month, '9999-12-31')::timestamp);
    months date[];
    ends date[];
    factor integer := CASE measure WHEN 'arr' THEN 12 WHEN 'mrr' THEN 1 END;
    codes text[];
    days date[];
    quotes numeric[];
    unit text;
    converted boolean;
    -- An entity's book within a segment; without segments that is the entity.
    book text := CASE WHEN by IS NULL THEN 'entity_id' ELSE 'entity_id, segment' END;
    whole text := CASE WHEN by IS NULL THEN 'NULL::text AS segment, ' ELSE '' END;
    lines text;
    step text;
    fx text := '';
    priced text := '';
    price text := 'NULL::numeric';
BEGIN
    IF from_month IS NULL OR to_month IS NULL OR from_month < date '0001-02-01' OR greatest(from_month, to_month) > date '9999-12-31' OR base >= last OR to_month - from_month > 36525 THEN
        RAISE EXCEPTION 'the months from % to %', coalesce(from_month::text, 'NULL'), coalesce(to_month::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give any day of the first and of the last month, the first not after the last, a hundred years at most, none after 9999.';
    END IF;
    IF factor IS NULL THEN
        RAISE EXCEPTION 'measure is %', coalesce(quote_literal(measure), 'NULL') USING ERRCODE = 'invalid_parameter_value', HINT = 'It is ''arr'', twelve months of run-rate, or ''mrr'', one.';
    END IF;
    SELECT array_agg(m::date ORDER BY m), array_agg((m + interval '1 month')::date - 1 ORDER BY m)
        INTO months, ends FROM generate_series(base::timestamp, last, interval '1 month') AS m;
    SELECT min(r.to_currency), coalesce(count(DISTINCT r.from_currency) > 1 OR bool_or(r.from_currency <> r.to_currency), false),
           array_agg(r.from_currency), array_agg(r.on_date), array_agg(r.rate)
        INTO unit, converted, codes, days, quotes FROM ltv.reporting_rates(timeline, ends, rates, currency, fx_asof, as_of) r;
    unit := coalesce(unit, currency);
    -- A line counts at the end of its first month and no more at the end of the month in which it stops.
    lines := format($x$(SELECT *, date_trunc('month', valid_from::timestamp)::date AS first, date_trunc('month', valid_to::timestamp)::date AS stop FROM (%s) line) line$x$,
        ltv.run_rate_query(timeline, grain, by, segments, as_of));
    step := format($x$
        edge AS %1$s (
            SELECT entity_id, segment, currency, greatest(e.month, $1) AS month, e.delta, line.first
            FROM %2$s CROSS JOIN LATERAL (VALUES (line.first, line.mrr), (line.stop, -line.mrr)) AS e (month, delta)
            WHERE e.month <= $2 AND (line.stop IS NULL OR line.first < line.stop)
        )$x$, CASE WHEN converted THEN 'MATERIALIZED' ELSE '' END, lines);
    IF converted OR price_split THEN
        step := $x$
        rate AS MATERIALIZED (
            SELECT r.currency, m.month, r.rate, coalesce(lag(r.rate) OVER (PARTITION BY r.currency ORDER BY m.month), r.rate) AS opening_rate
            FROM unnest($3, $4, $5) AS r (currency, day, rate) JOIN unnest($6, $7) AS m (month, last) ON m.last = r.day
        ), $x$ || step;
    END IF;
    IF NOT converted THEN
        step := step || format($x$, step AS (
            SELECT %1$s, %2$s month, sum(delta) AS moved, 0::numeric AS fx, sum(delta) AS native, min(first) AS first FROM edge GROUP BY %1$s, month
        )$x$, book, whole);
    ELSIF totals THEN
        step := step || format($x$, step AS (
            SELECT %1$s, %2$s month, coalesce(sum(delta * opening_rate), 0) AS moved, 0::numeric AS fx, sum(delta) AS native, min(first) AS first
            FROM edge LEFT JOIN rate USING (currency, month) GROUP BY %1$s, month
        )$x$, book, whole);
        fx := format($x$
        UNION ALL
        SELECT rate.month, NULL, level.segment, 'fx', NULL, sum(level * (rate - opening_rate)) * %1$s, NULL, NULL, NULL, 0
        FROM (SELECT segment, currency, month, sum(sum(delta)) OVER path AS level, lead(month) OVER path AS next FROM edge
              GROUP BY segment, currency, month WINDOW path AS (PARTITION BY segment, currency ORDER BY month)) level
        JOIN rate ON rate.currency = level.currency AND rate.month >= level.month AND (rate.month < level.next OR level.next IS NULL)
        WHERE rate.rate <> rate.opening_rate AND level.level <> 0 AND rate.month > $1
        GROUP BY rate.month, level.segment$x$, factor);
    ELSE
        -- Movements at the rates of the month before; what is there when a rate changes, changes with it.
        step := step || format($x$, level AS (
            SELECT *, sum(delta) OVER path AS level, lead(month) OVER path AS next
            FROM (SELECT %1$s, currency, month, sum(delta) AS delta, min(first) AS first FROM edge GROUP BY %1$s, currency, month) x
            WINDOW path AS (PARTITION BY %1$s, currency ORDER BY month)
        ), step AS (
            SELECT %1$s, %2$s month, coalesce(sum(moved), 0) AS moved, sum(fx) AS fx, sum(native) AS native, min(first) AS first
            FROM (SELECT %1$s, level.month, delta * opening_rate AS moved, 0 AS fx, delta AS native, first FROM level LEFT JOIN rate USING (currency, month)
                  UNION ALL
                  SELECT %1$s, rate.month, 0, level * (rate - opening_rate), 0, NULL
                  FROM level JOIN rate ON rate.currency = level.currency AND rate.month >= level.month AND (rate.month < level.next OR level.next IS NULL)
                  WHERE rate.rate <> rate.opening_rate AND level.level <> 0 AND rate.month > $1) x
            GROUP BY %1$s, month
        )$x$, book, whole);
        fx := format($x$
        UNION ALL
        SELECT greatest(month, $9), entity_id, segment, 'fx', (closing - fx) * %1$s, fx * %1$s, closing * %1$s, NULL, 1, 0 FROM kinds WHERE fx <> 0$x$, factor);
    END IF;
    IF price_split THEN
        -- Price at the quantity of now, line by line, for lines that counted before and still do and know their quantity both times.
        priced := format($x$, priced AS (
            SELECT %1$s, month, round(sum((mrr - before * quantity / quantity_before) * opening_rate), 4) AS price
            FROM (SELECT entity_id, segment, line_id, currency, month, sum(mrr) OVER path AS mrr, sum(mrr) OVER path - mrr AS before,
                         sum(quantity) OVER path AS quantity, sum(quantity) OVER path - quantity AS quantity_before, sum(unknown) OVER path AS unknown, sum(unknown) OVER path - unknown AS unknown_before
                  FROM (SELECT line.entity_id, line.segment, line.line_id COLLATE "C" AS line_id, line.currency, greatest(e.month, $1) AS month, sum(e.sign * line.mrr) AS mrr,
                               coalesce(sum(e.sign * line.quantity), 0) AS quantity, sum(e.sign * (line.quantity IS NULL)::integer) AS unknown
                        FROM %2$s CROSS JOIN LATERAL (VALUES (line.first, 1), (line.stop, -1)) AS e (month, sign)
                        WHERE e.month <= $2 AND (line.stop IS NULL OR line.first < line.stop AND line.stop > $1)
                        GROUP BY 1, 2, 3, 4, 5) x
                  WINDOW path AS (PARTITION BY entity_id, segment, line_id, currency ORDER BY month)) x
            JOIN rate USING (currency, month)
            WHERE month > $1 AND unknown = 0 AND unknown_before = 0 AND before > 0 AND mrr > 0 AND quantity > 0 AND quantity_before > 0
            GROUP BY %1$s, month
        )$x$, book, lines);
        price := $x$CASE WHEN k.kind IN ('expansion', 'contraction') THEN p.price END$x$;
    END IF;
    RETURN QUERY EXECUTE format($x$
        WITH %1$s%2$s, standing AS (
            SELECT *, %4$s AS closing, sum(native) OVER (PARTITION BY %3$s ORDER BY month) AS live,
                   min(first) OVER (PARTITION BY entity_id) AS first_live, %5$s
            FROM step
        ), kinds AS (
            SELECT *, closing - moved - fx AS opening, (live > 0)::integer - (live - native > 0)::integer AS n_change, CASE
                WHEN month = $1 THEN 'opening'
                WHEN whole_live - whole_native = 0 AND whole_live > 0 THEN CASE WHEN first_live = month THEN 'new' ELSE 'reactivation' END
                WHEN whole_live - whole_native > 0 AND whole_live = 0 THEN 'churn'
                WHEN moved > 0 THEN 'expansion'
                ELSE 'contraction' END AS kind
            FROM standing
        )
        SELECT x.*, $8 FROM (SELECT %6$s FROM kinds k %7$s WHERE k.moved <> 0 %8$s%9$s) x$x$,
        step, priced, book,
        CASE WHEN converted AND totals THEN 'NULL::numeric' ELSE format('sum(moved + fx) OVER (PARTITION BY %s ORDER BY month)', book) END,
        CASE WHEN by IS NULL THEN 'sum(native) OVER (PARTITION BY entity_id ORDER BY month) AS whole_live, native AS whole_native'
             ELSE 'sum(native) OVER (PARTITION BY entity_id ORDER BY month RANGE UNBOUNDED PRECEDING) AS whole_live, sum(native) OVER (PARTITION BY entity_id, month) AS whole_native' END,
        CASE WHEN totals THEN format('greatest(k.month, $9), NULL::text, k.segment, k.kind, NULL::numeric, sum(k.moved) * %1$s, NULL::numeric, sum(%2$s) * %1$s, count(*), sum(k.n_change)::bigint', factor, price)
             ELSE format('greatest(k.month, $9), k.entity_id, k.segment, k.kind, k.opening * %1$s, k.moved * %1$s, (k.opening + k.moved) * %1$s, %2$s * %1$s, 1::bigint, k.n_change::bigint', factor, price) END,
        CASE WHEN price_split THEN format('LEFT JOIN priced p ON p.entity_id = k.entity_id AND p.month = k.month%s', CASE WHEN by IS NULL THEN '' ELSE ' AND p.segment IS NOT DISTINCT FROM k.segment' END) ELSE '' END,
        CASE WHEN totals THEN 'GROUP BY 1, 3, 4' ELSE '' END, fx)
        USING base, last, codes, days, quotes, months, ends, unit, months[2];
END
$$;
COMMENT ON FUNCTION ltv.arr_movement_rows(regclass, date, date, text, text, regclass, regclass, text, date, date, text, boolean, boolean) IS 'The movements of recurring revenue, one row for each month, entity (and segment) and kind: opening (in the first month, what there was before it), new, expansion, contraction, churn, reactivation, fx; opening + amount = closing, and the sum of amount up to a month is the book at its end. Run-rate counts on the last day of a month; new is an entity that no earlier month''s end had, churn one whose whole run-rate at the grain is gone, so that a lapsed line of a live account is contraction. Several currencies: movements at the rates of the month before, fx the rest; fx_asof: all at the rates of that day, and no fx. price: the part of expansion or contraction owed to the price at the new quantity, of lines that know their quantity, if price_split. n_change: what the row adds to the number of entities with revenue. measure: arr (12 times the run-rate per month) or mrr. as_of: as known by the end of that day. totals: one row for each month, segment and kind, n of them, opening and closing NULL. Arguments and errors as run_rate_query and reporting_rates.';

CREATE FUNCTION ltv.carr_rows(timeline regclass, from_month date, to_month date, grain text DEFAULT 'account', by text DEFAULT NULL,
        segments regclass DEFAULT NULL, rates regclass DEFAULT NULL, currency text DEFAULT NULL, fx_asof date DEFAULT NULL, as_of date DEFAULT NULL,
        measure text DEFAULT 'arr')
    RETURNS TABLE (month date, entity_id text, segment text, line_id text, kind text, effective_on date, amount numeric, reporting_currency text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 2000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ends date[];
    codes text[];
    days date[];
    quotes numeric[];
    unit text;
    ahead boolean;
    factor integer := CASE measure WHEN 'arr' THEN 12 WHEN 'mrr' THEN 1 END;
BEGIN
    IF from_month IS NULL OR to_month IS NULL OR from_month < date '0001-02-01' OR greatest(from_month, to_month) > date '9999-12-31' OR date_trunc('month', from_month::timestamp) > to_month OR to_month - from_month > 36525 THEN
        RAISE EXCEPTION 'the months from % to %', coalesce(from_month::text, 'NULL'), coalesce(to_month::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give any day of the first and of the last month, the first not after the last, a hundred years at most, none after 9999.';
    END IF;
    IF factor IS NULL THEN
        RAISE EXCEPTION 'measure is %', coalesce(quote_literal(measure), 'NULL') USING ERRCODE = 'invalid_parameter_value', HINT = 'It is ''arr'', twelve months of run-rate, or ''mrr'', one.';
    END IF;
    SELECT array_agg((m + interval '1 month')::date - 1 ORDER BY m) INTO ends
        FROM generate_series(date_trunc('month', from_month::timestamp), to_month, interval '1 month') AS m;
    EXECUTE format('SELECT EXISTS (SELECT FROM (%s) line WHERE known_at::date < valid_from OR end_known_at::date < valid_to)', ltv.run_rate_query(timeline, grain, by, segments, as_of)) INTO ahead;
    IF NOT ahead THEN
        RETURN;
    END IF;
    SELECT min(r.to_currency), array_agg(r.from_currency), array_agg(r.on_date), array_agg(r.rate) INTO unit, codes, days, quotes
        FROM ltv.reporting_rates(timeline, ends, rates, currency, fx_asof, as_of) r;
    -- Signed: a line's first step, from the day it is known until it starts. Notice: a line's last step, from the day its end is known until it ends.
    -- What replaces or is replaced - a renewal, a price step, a co-term, a transfer - counts when it is live and not before.
    RETURN QUERY EXECUTE format($x$
        WITH line AS (
            SELECT entity_id, segment, line_id, currency, mrr, valid_from, valid_to, start_event, end_event, known_at, end_known_at,
                   lag(valid_to) OVER path AS until, lead(valid_from) OVER path AS again
            FROM (%s) line WHERE valid_to IS NULL OR valid_to > $7 WINDOW path AS (PARTITION BY line_id COLLATE "C" ORDER BY valid_from)
        )
        SELECT date_trunc('month', d.day::timestamp)::date, entity_id, segment, line_id, k.kind, k.effective_on,
               $5 * k.amount * rate.rate, $6
        FROM line
        CROSS JOIN LATERAL (
            SELECT 'signed' AS kind, mrr AS amount, valid_from AS effective_on, greatest(known_at::date, until) AS since
            WHERE known_at::date < valid_from AND (until IS NULL OR until < valid_from) AND coalesce(start_event, 'new') NOT IN ('renewal', 'price_change', 'coterm', 'transfer_in', 'resume', 'downgrade')
            UNION ALL
            SELECT 'notice', -mrr, valid_to, greatest(end_known_at::date, valid_from)
            WHERE end_known_at::date < valid_to AND (again IS NULL OR again > valid_to) AND end_event IN ('non_renewal', 'cancel', 'early_termination', 'involuntary')
        ) k
        JOIN unnest($1) AS d (day) ON d.day >= k.since AND d.day < k.effective_on
        JOIN unnest($2, $3, $4) AS rate (currency, day, rate) ON rate.currency = line.currency AND rate.day = d.day
        ORDER BY 1, 2, 3, 4, 5$x$, ltv.run_rate_query(timeline, grain, by, segments, as_of))
        USING ends, codes, days, quotes, factor, unit, ends[1];
END
$$;
COMMENT ON FUNCTION ltv.carr_rows(regclass, date, date, text, text, regclass, regclass, text, date, date, text) IS 'What stands between ARR and CARR at each month''s end, one row for each month and line: signed, a line whose start is known and still to come (its first step only: ramps count as they are reached), and notice (negative), one that ends for good by cancel, non_renewal, early_termination or involuntary, its end known and still to come. Renewals, price steps, co-terms and transfers replace what is live and count when they are live. Needs known_at and end_known_at; a line without counts when it is live. Arguments and errors as arr_movement_rows.';

CREATE FUNCTION ltv.arr_movements(timeline regclass, from_month date, to_month date, grain text DEFAULT 'account', by text DEFAULT NULL,
        segments regclass DEFAULT NULL, rates regclass DEFAULT NULL, currency text DEFAULT NULL, fx_asof date DEFAULT NULL, as_of date DEFAULT NULL,
        measure text DEFAULT 'arr', price_split boolean DEFAULT false, rounded boolean DEFAULT true)
    RETURNS TABLE (month date, segment text, opening numeric, new numeric, expansion numeric, contraction numeric, churn numeric, reactivation numeric,
        fx numeric, closing numeric, carr numeric, price numeric, n_opening bigint, n_new bigint, n_expanded bigint, n_contracted bigint, n_churned bigint,
        n_reactivated bigint, n_closing bigint, reporting_currency text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 24
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    movements jsonb;
    announced jsonb;
BEGIN
    IF from_month IS NULL OR to_month IS NULL OR from_month < date '0001-02-01' OR greatest(from_month, to_month) > date '9999-12-31' OR date_trunc('month', from_month::timestamp) > to_month OR to_month - from_month > 36525 THEN
        RAISE EXCEPTION 'the months from % to %', coalesce(from_month::text, 'NULL'), coalesce(to_month::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give any day of the first and of the last month, the first not after the last, a hundred years at most, none after 9999.';
    END IF;
    -- In statements of their own: an error's context quotes the statement whole.
    SELECT jsonb_agg(to_jsonb(r)) INTO movements
        FROM ltv.arr_movement_rows(timeline, from_month, to_month, grain, by, segments, rates, currency, fx_asof, as_of, measure, price_split, totals => true) r;
    SELECT jsonb_agg(to_jsonb(c)) INTO announced
        FROM (SELECT c.month, c.segment, sum(c.amount) AS amount, min(c.reporting_currency) AS unit
              FROM ltv.carr_rows(timeline, from_month, to_month, grain, by, segments, rates, currency, fx_asof, as_of, measure) c GROUP BY c.month, c.segment) c;
    RETURN QUERY
    WITH moved AS (
        SELECT r.month, r.segment, r.kind, r.amount, r.price, r.n, r.n_change AS n_more, r.reporting_currency AS unit
        FROM jsonb_to_recordset(movements) AS r (month date, segment text, kind text, amount numeric, price numeric, n bigint, n_change bigint, reporting_currency text)
    ), waiting AS (
        SELECT * FROM jsonb_to_recordset(announced) AS c (month date, segment text, amount numeric, unit text)
    ), book AS (
        SELECT m::date AS month, s.segment
        FROM generate_series(date_trunc('month', from_month::timestamp), to_month, interval '1 month') AS m
        CROSS JOIN (SELECT moved.segment FROM moved UNION SELECT waiting.segment FROM waiting UNION SELECT NULL WHERE by IS NULL) s
    ), summed AS (
        SELECT book.month, book.segment,
               coalesce(sum(m.amount) FILTER (WHERE m.kind = 'opening'), 0) AS brought, coalesce(sum(m.amount), 0) AS moved,
               coalesce(sum(m.amount) FILTER (WHERE m.kind = 'new'), 0) AS new, coalesce(sum(m.amount) FILTER (WHERE m.kind = 'expansion'), 0) AS expansion,
               coalesce(sum(m.amount) FILTER (WHERE m.kind = 'contraction'), 0) AS contraction, coalesce(sum(m.amount) FILTER (WHERE m.kind = 'churn'), 0) AS churn,
               coalesce(sum(m.amount) FILTER (WHERE m.kind = 'reactivation'), 0) AS reactivation, coalesce(sum(m.amount) FILTER (WHERE m.kind = 'fx'), 0) AS fx,
               sum(m.price) AS price, coalesce(sum(m.n_more) FILTER (WHERE m.kind = 'opening'), 0) AS n_brought, coalesce(sum(m.n_more), 0) AS n_more,
               coalesce(sum(m.n) FILTER (WHERE m.kind = 'new'), 0) AS n_new, coalesce(sum(m.n) FILTER (WHERE m.kind = 'expansion'), 0) AS n_expanded,
               coalesce(sum(m.n) FILTER (WHERE m.kind = 'contraction'), 0) AS n_contracted, coalesce(sum(m.n) FILTER (WHERE m.kind = 'churn'), 0) AS n_churned,
               coalesce(sum(m.n) FILTER (WHERE m.kind = 'reactivation'), 0) AS n_reactivated
        FROM book LEFT JOIN moved m ON m.month = book.month AND m.segment IS NOT DISTINCT FROM book.segment
        GROUP BY book.month, book.segment
    ), standing AS (
        SELECT *, sum(s.moved) OVER path AS closing, sum(s.n_more) OVER path AS n_closing FROM summed s WINDOW path AS (PARTITION BY s.segment ORDER BY s.month)
    )
    -- What has come together so far is rounded, not each part, so that the parts still add up.
    SELECT s.month, s.segment, p.so_far[1], p.so_far[2] - p.so_far[1], p.so_far[3] - p.so_far[2], p.so_far[4] - p.so_far[3], p.so_far[5] - p.so_far[4],
           p.so_far[6] - p.so_far[5], p.so_far[7] - p.so_far[6], p.so_far[7], p.so_far[8], CASE WHEN rounded THEN round(s.price, u.digits) ELSE s.price END,
           (s.n_closing - s.n_more + s.n_brought)::bigint, s.n_new::bigint, s.n_expanded::bigint, s.n_contracted::bigint, s.n_churned::bigint,
           s.n_reactivated::bigint, s.n_closing::bigint, u.unit
    FROM standing s
    LEFT JOIN waiting w ON w.month = s.month AND w.segment IS NOT DISTINCT FROM s.segment
    CROSS JOIN (SELECT min(x.unit) AS unit, CASE WHEN ltv.is_currency(min(x.unit)) THEN coalesce(ltv.minor_digits(min(x.unit)), 2) ELSE 2 END AS digits
                FROM (SELECT moved.unit FROM moved UNION ALL SELECT waiting.unit FROM waiting UNION ALL SELECT currency) x) u
    CROSS JOIN LATERAL (
        SELECT array_agg(CASE WHEN rounded THEN round(x.amount, u.digits) ELSE x.amount END ORDER BY x.place) AS so_far
        FROM unnest(ARRAY[s.closing - s.moved + s.brought, s.closing - s.moved + s.brought + s.new,
                          s.closing - s.moved + s.brought + s.new + s.expansion, s.closing - s.moved + s.brought + s.new + s.expansion + s.contraction,
                          s.closing - s.fx - s.reactivation, s.closing - s.fx, s.closing, s.closing + coalesce(w.amount, 0)])
             WITH ORDINALITY AS x (amount, place)) p
    ORDER BY s.month, s.segment;
END
$$;
COMMENT ON FUNCTION ltv.arr_movements(regclass, date, date, text, text, regclass, regclass, text, date, date, text, boolean, boolean) IS 'What moved recurring revenue in each month, and in each segment if by is given: opening + new + expansion + contraction + churn + reactivation + fx = closing, exactly, in whole minor units of the currency (rounded => false: as they are; over segments rounded amounts may add up to a minor unit less or more). All in ARR, 12 times the run-rate on the month''s last day (measure => mrr: the run-rate); carr adds what is signed and not live and takes off what is under notice. Counts are of entities at the grain (account unless said otherwise); with by, an entity counts in each segment it is in, is new or churned as a whole, and moves between segments by expansion and contraction, so that amounts add up over segments. price: the part of expansion and contraction owed to price, if price_split. arr_movement_rows has the rows behind every figure, and the arguments'' meaning.';
