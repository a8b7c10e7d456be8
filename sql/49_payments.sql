-- A contract timeline where nothing is landed but payments: who paid how much, when.

CREATE FUNCTION ltv.timeline_from_payments(payments regclass, customer text, paid_on text, amount text, as_of date,
    gap_days integer DEFAULT NULL, currency text DEFAULT 'USD', billing_months numeric DEFAULT NULL) RETURNS SETOF ltv.contract_line
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000 ROWS 10000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted record;
    kind text;
    currency_expression text;
    day_expression text;
    time_expression text;
BEGIN
    IF as_of IS NULL THEN
        RAISE EXCEPTION 'as_of is NULL' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the last day whose payments may be seen.';
    END IF;
    IF gap_days < 0 THEN
        RAISE EXCEPTION 'gap_days is %', gap_days USING ERRCODE = 'invalid_parameter_value', HINT = 'It is the number of days by which a payment may be late: 0 or more, or NULL for half a billing interval.';
    END IF;
    IF billing_months IS NOT NULL AND NOT (billing_months > 0 AND billing_months <= 120) THEN
        RAISE EXCEPTION 'billing_months is %', billing_months USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the months between two payments, above 0 and up to 120, or NULL to have them estimated.';
    END IF;
    FOR wanted IN
        SELECT w.argument, w.name, a.type, a.category
        FROM (VALUES ('customer', customer), ('paid_on', paid_on), ('amount', amount)) w (argument, name)
        LEFT JOIN LATERAL (
            SELECT CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END AS type, y.typcategory AS category
            FROM pg_attribute t JOIN pg_type y ON y.oid = t.atttypid
            WHERE t.attrelid = payments AND t.attname = w.name AND t.attnum > 0 AND NOT t.attisdropped) a ON true
    LOOP
        IF wanted.type IS NULL THEN
            RAISE EXCEPTION '% has no column %', payments, coalesce(quote_literal(wanted.name), 'NULL')
                USING ERRCODE = 'undefined_column', DETAIL = format('It was given as %s.', wanted.argument), HINT = 'Give the column''s name as it is stored, without quotes.';
        END IF;
        IF wanted.argument = 'paid_on' THEN
            kind := wanted.type::regtype::text;
            IF kind NOT IN ('date', 'timestamp without time zone', 'timestamp with time zone') THEN
                RAISE EXCEPTION 'paid_on is a column of %', kind USING ERRCODE = 'datatype_mismatch', HINT = 'Give a column of date, timestamp or timestamptz; cast it in a view otherwise.';
            END IF;
        ELSIF wanted.argument = 'amount' AND wanted.category <> 'N' THEN
            RAISE EXCEPTION 'amount is a column of %', wanted.type::regtype USING ERRCODE = 'datatype_mismatch', HINT = 'Give a column of numbers in major units; cast it in a view otherwise.';
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = payments AND t.attname = currency AND t.attnum > 0 AND NOT t.attisdropped) THEN
        currency_expression := format('coalesce(upper(p.%I::text), '''')', currency);
    ELSIF currency ~ '^[A-Z]{3}$' THEN
        currency_expression := quote_literal(currency) || '::text';
    ELSE
        RAISE EXCEPTION 'currency % is neither a column of % nor a code', coalesce(quote_literal(currency), 'NULL'), payments
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the name of a column, or one code of three capitals (ISO 4217) for all payments.';
    END IF;
    -- Days are those of UTC where a time has a zone.
    day_expression := CASE kind WHEN 'date' THEN 'p.%2$I' WHEN 'timestamp with time zone' THEN '(p.%2$I AT TIME ZONE ''UTC'')::date' ELSE 'p.%2$I::date' END;
    time_expression := CASE kind WHEN 'timestamp with time zone' THEN 'p.%2$I' ELSE 'p.%2$I::timestamp AT TIME ZONE ''UTC''' END;
    RETURN QUERY EXECUTE format(replace(replace($query$
WITH movement AS (
    -- What is later than as_of does not exist.
    SELECT p.%1$I::text AS account_id, %4$s AS currency, <day> AS day, <time> AS at,
           CASE WHEN p.%3$I::numeric >= 'Infinity' OR p.%3$I::numeric <= '-Infinity' THEN ltv.finite_amount(p.%3$I::numeric, 'amount', p.%1$I::text, <day>) ELSE p.%3$I::numeric END AS amount
    FROM %5$s p
    WHERE p.%1$I IS NOT NULL AND p.%2$I IS NOT NULL AND p.%3$I::numeric <> 0 AND <day> <= $1
),
daily AS (
    -- A day's payments are one; a reversal on the same day is no payment.
    SELECT account_id, currency, day, max(at) FILTER (WHERE amount > 0) AS at, max(at) AS last_at, sum(amount) AS amount
    FROM movement
    GROUP BY account_id, currency, day
),
payment AS (
    SELECT d.*, lead(d.day) OVER line AS next_day, lead(d.at) OVER line AS next_at, lead(d.amount) OVER line AS next_amount
    FROM daily d
    WHERE d.amount > 0
    WINDOW line AS (PARTITION BY d.account_id, d.currency ORDER BY d.day)
),
typical AS (
    -- A customer's median gap; whoever paid once is taken to be like the median of the others, or monthly.
    SELECT account_id, currency, coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY next_day - day),
               (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY g.gap)
                FROM (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY next_day - day) AS gap FROM payment WHERE next_day IS NOT NULL GROUP BY account_id, currency) g),
               30) AS gap
    FROM payment
    GROUP BY account_id, currency
),
paced AS (
    -- The nearest of week, month, quarter and year in proportion: the bounds are their geometric means in days.
    SELECT account_id, currency, coalesce($3, CASE WHEN gap < 14.6 THEN 12.0 / 52 WHEN gap < 52.7 THEN 1 WHEN gap < 182.6 THEN 3 ELSE 12 END) AS months
    FROM typical
),
due AS (
    -- What a payment pays for, and how long it may be until the next.
    SELECT y.*, c.months, y.next_day AS follows,
           CASE WHEN c.months = 12.0 / 52 THEN y.day + 7
                WHEN c.months = trunc(c.months) THEN (y.day + make_interval(months => c.months::integer))::date
                ELSE y.day + greatest(1, round(c.months * 365.25 / 12))::integer END AS due_on,
           coalesce($2, greatest(1, round(c.months * 365.25 / 24))::integer) AS grace
    FROM payment y
    JOIN paced c ON c.account_id = y.account_id AND c.currency = y.currency
),
refunded AS (
    -- Money back: a day on which, since the last payment, all of it was returned ends what it paid for.
    SELECT d.account_id, d.currency, d.day, min(r.day) AS refunded_on, (array_agg(r.last_at ORDER BY r.day))[1] AS refunded_at
    FROM due d
    JOIN (SELECT account_id, currency, day, last_at, amount, sum(amount) OVER (PARTITION BY account_id, currency ORDER BY day) AS balance FROM daily) r
        ON r.account_id = d.account_id AND r.currency = d.currency AND r.amount < 0 AND r.day > d.day AND r.day < coalesce(d.next_day, 'infinity')
    JOIN (SELECT account_id, currency, day, sum(amount) OVER (PARTITION BY account_id, currency ORDER BY day) AS balance FROM daily) b
        ON b.account_id = d.account_id AND b.currency = d.currency AND b.day = d.day
    WHERE r.balance <= b.balance - d.amount
    GROUP BY d.account_id, d.currency, d.day
),
covered AS (
    -- A payment reaches to the next one, if that is not later than the grace allows; else as far as it paid for.
    SELECT d.*, f.refunded_on, f.refunded_at,
           CASE WHEN f.refunded_on < d.due_on THEN f.refunded_on
                WHEN d.next_day <= d.due_on + d.grace THEN d.next_day
                WHEN d.next_day IS NOT NULL OR d.due_on + d.grace < $1 THEN d.due_on END AS ends
    FROM due d
    LEFT JOIN refunded f ON f.account_id = d.account_id AND f.currency = d.currency AND f.day = d.day
),
marked AS (
    SELECT c.*, (lag(c.ends) OVER line = c.day AND lag(c.amount) OVER line = c.amount) IS NOT TRUE AS is_start
    FROM covered c
    WINDOW line AS (PARTITION BY c.account_id, c.currency ORDER BY c.day)
),
numbered AS (
    SELECT m.*, count(*) FILTER (WHERE m.is_start) OVER (PARTITION BY m.account_id, m.currency ORDER BY m.day) AS island
    FROM marked m
),
island AS (
    SELECT account_id, currency, island, months, amount, min(day) AS valid_from, min(at) AS known_at, (array_agg(ends ORDER BY day DESC))[1] AS valid_to,
           (array_agg(refunded_on ORDER BY day DESC))[1] AS refunded_on, (array_agg(refunded_at ORDER BY day DESC))[1] AS refunded_at, (array_agg(next_day ORDER BY day DESC))[1] AS next_day,
           (array_agg(next_at ORDER BY day DESC))[1] AS next_at, (array_agg(next_amount ORDER BY day DESC))[1] AS next_amount, max(due_on + grace) AS patience
    FROM numbered
    GROUP BY account_id, currency, island, months, amount
),
ordered AS (
    SELECT i.*, lag(i.valid_to) OVER line AS previous_to, lag(i.amount) OVER line AS previous_amount
    FROM island i
    WINDOW line AS (PARTITION BY i.account_id, i.currency ORDER BY i.valid_from)
)
SELECT account_id, NULL::text, account_id, account_id || '/' || currency, NULL::text, valid_from, valid_to, 'active'::text,
       round(amount / months, 4), NULL::numeric, NULL::numeric, nullif(currency, ''), round(months, 4), 'advance'::text, NULL::date, NULL::date, NULL::boolean,
       CASE WHEN previous_to IS NULL THEN 'new' WHEN previous_to < valid_from THEN 'reactivation' WHEN amount > previous_amount THEN 'upgrade' ELSE 'downgrade' END,
       CASE WHEN valid_to IS NULL THEN NULL WHEN valid_to = next_day THEN CASE WHEN next_amount > amount THEN 'upgrade' ELSE 'downgrade' END
            WHEN valid_to = refunded_on THEN 'cancel' ELSE 'non_renewal' END,
       known_at,
       CASE WHEN valid_to IS NULL THEN NULL WHEN valid_to = next_day THEN next_at WHEN valid_to = refunded_on THEN refunded_at
            ELSE (patience + 1)::timestamp AT TIME ZONE 'UTC' END,
       NULL::timestamptz, 'payments'::text, account_id || '/' || valid_from
FROM ordered
ORDER BY account_id, currency, valid_from
$query$, '<day>', day_expression), '<time>', time_expression), customer, paid_on, amount, currency_expression, payments)
    USING as_of, gap_days, billing_months;
END
$$;
COMMENT ON FUNCTION ltv.timeline_from_payments(regclass, text, text, text, date, integer, text, numeric) IS 'A contract timeline (rows of ltv.contract_line, one line per customer and currency) estimated from payments alone: a relation and its columns of customer, time and amount in major units. as_of: later payments are not seen, so that adding them changes nothing. The billing interval is the median gap between a customer''s payments, taken to the nearest of week, month, quarter and year; a customer with one payment is like the median of the others; billing_months fixes it instead. A payment covers one interval; if the next comes later than gap_days after that (NULL: half an interval), the line had ended with what was paid for, which is known (end_known_at) the day after the grace. MRR is the amount per month of interval. Refunds are negative amounts: they lower no MRR; a payment that is returned in full ends its line on that day; one that is returned on its own day never was. currency: a column or one ISO code. Days are UTC. Rows or columns that are NULL and amounts of 0 are passed over. Errors: 42703, 42804, 22023. It is a fallback: it knows no terms, trials, pauses, seats, nor one-off purchases from subscriptions.';
