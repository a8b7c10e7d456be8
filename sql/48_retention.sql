-- Who stayed, and how much of the revenue: from one day to another, and by cohort.

CREATE FUNCTION ltv.retention(timeline regclass, on_date date, months integer DEFAULT 12, by text DEFAULT NULL, segments regclass DEFAULT NULL,
        grain text DEFAULT 'account', rates regclass DEFAULT NULL, currency text DEFAULT NULL, fx_asof date DEFAULT NULL, as_of date DEFAULT NULL,
        measure text DEFAULT 'arr', grace_days integer DEFAULT 30, count_returned boolean DEFAULT false)
    RETURNS TABLE (segment text, n_opening bigint, n_retained bigint, n_lost bigint, n_returned bigint, opening numeric, expansion numeric, contraction numeric,
        churn numeric, closing numeric, nrr double precision, grr double precision, logo_retention double precision, closing_reported numeric,
        nrr_reported double precision, grr_reported double precision, opened_on date, closed_on date, reporting_currency text, status text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened date;
    codes text[];
    days date[];
    quotes numeric[];
    unit text;
    factor integer := CASE measure WHEN 'arr' THEN 12 WHEN 'mrr' THEN 1 END;
BEGIN
    IF on_date IS NULL OR on_date < date '0101-01-01' OR on_date > date '9999-12-31' OR months IS NULL OR months NOT BETWEEN 1 AND 1200 OR grace_days IS NULL OR grace_days < 0 THEN
        RAISE EXCEPTION '% months before %, with % days of grace', coalesce(months::text, 'NULL'), coalesce(on_date::text, 'NULL'), coalesce(grace_days::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'on_date is a day from 0101-01-01 to 9999-12-31, months 1 to 1200, grace_days 0 or more.';
    END IF;
    IF factor IS NULL THEN
        RAISE EXCEPTION 'measure is %', coalesce(quote_literal(measure), 'NULL') USING ERRCODE = 'invalid_parameter_value', HINT = 'It is ''arr'', twelve months of run-rate, or ''mrr'', one.';
    END IF;
    -- The end of a month is a year after the end of a month: 2025-02-28 after 2024-02-29.
    opened := CASE WHEN on_date = (date_trunc('month', on_date::timestamp) + interval '1 month')::date - 1
                   THEN (date_trunc('month', on_date::timestamp) - make_interval(months => months - 1))::date - 1
                   ELSE (on_date::timestamp - make_interval(months => months))::date END;
    SELECT min(r.to_currency), array_agg(r.from_currency), array_agg(r.on_date), array_agg(r.rate) INTO unit, codes, days, quotes
        FROM ltv.reporting_rates(timeline, ARRAY[opened, on_date], rates, currency, fx_asof, as_of) r;
    RETURN QUERY EXECUTE format($x$
        WITH quoted AS (SELECT * FROM unnest($1, $4, $5) AS r (currency, day, rate)), rate AS (
            SELECT currency, coalesce(o.rate, c.rate) AS opening_rate, c.rate AS closing_rate
            FROM quoted o JOIN quoted c USING (currency) WHERE o.day = $2 AND c.day = $3
        ), line AS MATERIALIZED (
            SELECT entity_id, segment, currency, mrr, valid_from, valid_to, end_event FROM (%1$s) l WHERE valid_from <= $3 AND (valid_to IS NULL OR valid_to > $2)
        ), entity AS (
            -- Gone for longer than the grace is gone, whatever comes back; paused is not gone. Ends are ordered by day, a pause after the rest.
            SELECT entity_id, bool_or(valid_from - date '0001-01-01' > before / 2 + $6) FILTER (WHERE before %% 2 = 0) AS returned
            FROM (SELECT entity_id, greatest(valid_from, '0001-01-01') AS valid_from,
                         max(CASE WHEN isfinite(valid_to) THEN (valid_to - date '0001-01-01') * 2 + (end_event IS NOT DISTINCT FROM 'pause')::integer ELSE 2147483647 END)
                             OVER (PARTITION BY entity_id ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
                  FROM line) x GROUP BY entity_id
        ), book AS (
            SELECT entity_id, segment, sum(mrr * opening_rate) FILTER (WHERE valid_from <= $2) AS opening,
                   coalesce(sum(mrr * opening_rate) FILTER (WHERE valid_to IS NULL OR valid_to > $3), 0) AS closing,
                   coalesce(sum(mrr * closing_rate) FILTER (WHERE valid_to IS NULL OR valid_to > $3), 0) AS reported
            FROM line JOIN rate USING (currency) GROUP BY entity_id, segment
        ), cohort AS (
            SELECT segment, opening, book.closing > 0 AND returned AS came_back, kept.*, least(kept.closing, opening) AS capped, least(kept.reported, opening) AS capped_reported
            FROM book JOIN entity USING (entity_id)
            CROSS JOIN LATERAL (SELECT CASE WHEN returned AND NOT $7 THEN 0 ELSE book.closing END, CASE WHEN returned AND NOT $7 THEN 0 ELSE book.reported END) AS kept (closing, reported)
            WHERE opening > 0
        ), summed AS (
            SELECT segment, count(*) FILTER (WHERE opening IS NOT NULL) AS n, count(*) FILTER (WHERE closing > 0) AS n_retained, count(*) FILTER (WHERE closing = 0) AS n_lost,
                   count(*) FILTER (WHERE came_back) AS n_returned, coalesce(sum(opening), 0) AS opening, coalesce(sum(closing), 0) AS closing, coalesce(sum(reported), 0) AS reported,
                   coalesce(sum(capped), 0) AS capped, coalesce(sum(capped_reported), 0) AS capped_reported, coalesce(sum(greatest(closing - opening, 0)), 0) AS expansion,
                   coalesce(sum(closing - opening) FILTER (WHERE closing > 0 AND closing < opening), 0) AS contraction, coalesce(-sum(opening) FILTER (WHERE closing = 0), 0) AS churn
            FROM (SELECT * FROM cohort%2$s) x GROUP BY segment
        )
        SELECT segment, n, n_retained, n_lost, n_returned, at[1], at[2] - at[1], at[3] - at[2], at[4] - at[3], at[4],
               (closing / nullif(opening, 0))::double precision, (capped / nullif(opening, 0))::double precision, n_retained / nullif(n, 0)::double precision,
               at[5], (reported / nullif(opening, 0))::double precision, (capped_reported / nullif(opening, 0))::double precision,
               $2, $3, $8, CASE WHEN n > 0 THEN 'ok' ELSE 'nobody had revenue on ' || $2 END
        -- What was converted is rounded as running sums, so that a row still adds up.
        FROM summed CROSS JOIN LATERAL (
            SELECT array_agg(CASE WHEN $9 IS NULL THEN %3$s * sum ELSE round(%3$s * sum, $9) END ORDER BY place) AS at
            FROM unnest(ARRAY[opening, opening + expansion, opening + expansion + contraction, closing, reported]) WITH ORDINALITY AS running (sum, place)) running
        ORDER BY segment$x$,
        ltv.run_rate_query(timeline, grain, by, segments, as_of),
        -- Without segments there is one row, even of nobody.
        CASE WHEN by IS NULL THEN ' UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL' ELSE '' END, factor)
        USING codes, opened, on_date, days, quotes, grace_days, count_returned, coalesce(unit, currency),
            CASE WHEN rates IS NOT NULL THEN CASE WHEN ltv.is_currency(currency) THEN ltv.minor_digits(currency) ELSE 2 END END;
END
$$;
COMMENT ON FUNCTION ltv.retention(regclass, date, integer, text, regclass, text, regclass, text, date, date, text, integer, boolean) IS 'Net and gross revenue retention and logo retention of the entities that had revenue so many months before on_date, point to point: opening + expansion + contraction + churn = closing; nrr = closing / opening, grr caps each entity at its opening, logo_retention counts entities (of the grain; account unless said otherwise). New entities are no part of it. One that had no revenue for more than grace_days in between is lost, though it came back (n_returned), unless count_returned; a pause (end_event) is not counted as such a gap, though who is paused on on_date has no revenue. Several currencies: all at the opening''s rates (or fx_asof''s), as reported at each day''s own rates in *_reported; amounts are then rounded to the minor unit, as running sums, so that the row adds up. With by, each segment is a book of its own: what an entity had in it then and has in it now. opening etc. in ARR (measure => mrr: per month). on_date: the last day, counted at its end; a month''s end looks back to a month''s end. as_of: as known at the end of that day; NULL: as known today. NULL ratios and a status where nobody had revenue. Arguments and errors as run_rate_query and reporting_rates.';

CREATE FUNCTION ltv.nrr(timeline regclass, on_date date, months integer DEFAULT 12, grain text DEFAULT 'account', rates regclass DEFAULT NULL, currency text DEFAULT NULL,
        fx_asof date DEFAULT NULL, as_of date DEFAULT NULL) RETURNS double precision
    LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000
    SET search_path = pg_catalog, pg_temp
RETURN (SELECT r.nrr FROM ltv.retention(timeline, on_date, months, NULL, NULL, grain, rates, currency, fx_asof, as_of) r);
COMMENT ON FUNCTION ltv.nrr(regclass, date, integer, text, regclass, text, date, date) IS 'Net revenue retention: the run-rate on on_date of the entities that had one so many months before, over what it was then, at the exchange rates of then. NULL where nobody had. retention has the rest.';

CREATE FUNCTION ltv.grr(timeline regclass, on_date date, months integer DEFAULT 12, grain text DEFAULT 'account', rates regclass DEFAULT NULL, currency text DEFAULT NULL,
        fx_asof date DEFAULT NULL, as_of date DEFAULT NULL) RETURNS double precision
    LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000
    SET search_path = pg_catalog, pg_temp
RETURN (SELECT r.grr FROM ltv.retention(timeline, on_date, months, NULL, NULL, grain, rates, currency, fx_asof, as_of) r);
COMMENT ON FUNCTION ltv.grr(regclass, date, integer, text, regclass, text, date, date) IS 'Gross revenue retention: as nrr, each entity counted with no more than it had at the opening; never above 1. NULL where nobody had revenue.';

CREATE FUNCTION ltv.logo_churn(timeline regclass, on_date date, months integer DEFAULT 12, grain text DEFAULT 'account', rates regclass DEFAULT NULL,
        currency text DEFAULT NULL, fx_asof date DEFAULT NULL, as_of date DEFAULT NULL) RETURNS double precision
    LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000
    SET search_path = pg_catalog, pg_temp
RETURN (SELECT r.n_lost / nullif(r.n_opening, 0)::double precision FROM ltv.retention(timeline, on_date, months, NULL, NULL, grain, rates, currency, fx_asof, as_of) r);
COMMENT ON FUNCTION ltv.logo_churn(regclass, date, integer, text, regclass, text, date, date) IS 'The share of entities with revenue so many months before on_date that have none on on_date, or had none for more than 30 days in between: 1 - logo_retention. NULL where nobody had revenue.';

CREATE FUNCTION ltv.cohort_retention(timeline regclass, on_date date, cohort text DEFAULT 'month', period text DEFAULT NULL, baseline integer DEFAULT 0,
        by text DEFAULT NULL, segments regclass DEFAULT NULL, grain text DEFAULT 'account', rates regclass DEFAULT NULL, currency text DEFAULT NULL,
        fx_asof date DEFAULT NULL, as_of date DEFAULT NULL, grace_days integer DEFAULT 30, count_returned boolean DEFAULT false)
    RETURNS TABLE (segment text, cohort_start date, period_no integer, n_at_start bigint, n_retained bigint, mrr_at_start numeric, mrr_retained numeric,
        logo_retention double precision, grr double precision, nrr double precision, reporting_currency text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 500
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    cohort_months integer := CASE cohort WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 WHEN 'year' THEN 12 END;
    step_months integer := CASE coalesce(period, cohort) WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 WHEN 'year' THEN 12 END;
    last integer;
    codes text[];
    quotes numeric[];
    unit text;
BEGIN
    IF cohort_months IS NULL OR step_months IS NULL THEN
        RAISE EXCEPTION 'a cohort of a %, in periods of a %', coalesce(quote_literal(cohort), 'NULL'), coalesce(quote_literal(coalesce(period, cohort)), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Both are ''month'', ''quarter'' or ''year''.';
    END IF;
    IF baseline IS NULL OR baseline NOT IN (0, 1) THEN
        RAISE EXCEPTION 'baseline is %', coalesce(baseline::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is 0, the end of an entity''s first month, or 1, the end of the month after it.';
    END IF;
    IF on_date IS NULL OR on_date < date '0101-01-01' OR on_date > date '9999-12-31' OR grace_days IS NULL OR grace_days < 0 THEN
        RAISE EXCEPTION 'on_date is %, grace_days %', coalesce(on_date::text, 'NULL'), coalesce(grace_days::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'on_date is a day from 0101-01-01 to 9999-12-31, grace_days 0 or more.';
    END IF;
    -- Months are counted from year 0; the last is the last whose end is not after on_date.
    last := (extract(year FROM on_date + 1) * 12 + extract(month FROM on_date + 1))::integer - 2;
    SELECT min(r.to_currency), array_agg(r.from_currency), array_agg(r.rate) INTO unit, codes, quotes
        FROM ltv.reporting_rates(timeline, ARRAY['-infinity', on_date]::date[], rates, currency, coalesce(fx_asof, on_date), as_of) r WHERE r.on_date = cohort_retention.on_date;
    RETURN QUERY EXECUTE format($x$
        WITH line AS (
            SELECT entity_id, segment, currency, mrr, valid_from, valid_to, (extract(year FROM valid_from) * 12 + extract(month FROM valid_from))::integer - 1 AS first,
                   (extract(year FROM valid_to) * 12 + extract(month FROM valid_to))::integer - 1 AS stop,
                   (date_trunc('month', valid_from::timestamp) + interval '1 month')::date AS first_seen,
                   max(CASE WHEN isfinite(valid_to) THEN (valid_to - date '0001-01-01') * 2 + (end_event IS NOT DISTINCT FROM 'pause')::integer ELSE 2147483647 END)
                       OVER (PARTITION BY entity_id ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
            FROM (%1$s) l WHERE valid_from <= $2
        ), begun AS (
            -- It begins at the first month's end with revenue.
            SELECT *, stop IS NULL OR stop > first AS seen, min(first) FILTER (WHERE stop IS NULL OR stop > first) OVER (PARTITION BY %2$s) AS joined,
                   min(first_seen) FILTER (WHERE stop IS NULL OR stop > first) OVER (PARTITION BY entity_id) AS since FROM line
        ), ended AS (
            -- Gone for longer than the grace after that is gone; paused is not gone.
            SELECT *, min(until) FILTER (WHERE valid_from > until + $5 AND until >= since) OVER (PARTITION BY entity_id) AS lost_on
            FROM (SELECT *, CASE WHEN before %% 2 = 0 THEN date '0001-01-01' + before / 2 END AS until FROM begun) begun
        ), edge AS (
            SELECT l.entity_id, l.segment, l.joined, edge.month - l.joined AS age, sum(edge.delta * rate.rate) AS delta
            FROM ended l JOIN unnest($1, $3) AS rate (currency, rate) USING (currency)
            CROSS JOIN LATERAL (VALUES (l.first, l.mrr), (l.stop, -l.mrr)) AS edge (month, delta)
            WHERE edge.month <= $6 AND l.seen AND ($7 OR l.lost_on IS NULL OR l.valid_from < l.lost_on)
            GROUP BY 1, 2, 3, 4
        ), level AS (
            SELECT *, sum(delta) OVER (PARTITION BY %2$s ORDER BY age) AS mrr, lead(age) OVER (PARTITION BY %2$s ORDER BY age) AS next FROM edge
        ), based AS (
            SELECT *, max(mrr) FILTER (WHERE age <= $8 AND (next > $8 OR next IS NULL)) OVER (PARTITION BY %2$s) AS base FROM level
        ), sampled AS (
            -- Ages are looked at once in a period: a change counts from the first look at or after it.
            SELECT segment, joined / $9 AS cohort, look, (after > 0)::integer - (before > 0)::integer AS n, after - before AS mrr, least(after, base) - least(before, base) AS capped
            FROM (SELECT segment, entity_id, joined, base, look, mrr AS after, coalesce(lag(mrr) OVER (PARTITION BY %2$s ORDER BY look), 0) AS before
                  FROM (SELECT DISTINCT ON (%2$s, look) *
                        FROM (SELECT *, greatest((age - $8 + $10 - 1) / $10, 0) AS look FROM based WHERE base > 0) x ORDER BY %2$s, look, age DESC) x) x
        ), size AS (
            SELECT segment, cohort, sum(n) AS n, sum(mrr) AS mrr FROM sampled WHERE look = 0 GROUP BY segment, cohort
        ), change AS (
            SELECT segment, cohort, look, sum(n) AS n, sum(mrr) AS mrr, sum(capped) AS capped FROM sampled GROUP BY segment, cohort, look
        ), looked AS (
            -- Nothing is said of a period that not every member of the cohort may have reached.
            SELECT s.segment, s.cohort, look.look, s.n AS n_at_start, s.mrr AS mrr_at_start, sum(c.n) OVER path AS n, sum(c.mrr) OVER path AS mrr, sum(c.capped) OVER path AS capped
            FROM size s
            CROSS JOIN LATERAL generate_series(0, least(($6 - $8 - (s.cohort * $9 + $9 - 1)) / $10, 1200)) AS look (look)
            LEFT JOIN change c ON c.cohort = s.cohort AND c.look = look.look AND c.segment IS NOT DISTINCT FROM s.segment
            WHERE $6 - $8 - (s.cohort * $9 + $9 - 1) >= 0
            WINDOW path AS (PARTITION BY s.segment, s.cohort ORDER BY look.look)
        )
        SELECT segment, make_date(cohort * $9 / 12, cohort * $9 %% 12 + 1, 1), look + $8, n_at_start::bigint, n::bigint,
               CASE WHEN $11 IS NULL THEN mrr_at_start ELSE round(mrr_at_start, $11) END, CASE WHEN $11 IS NULL THEN mrr ELSE round(mrr, $11) END,
               n / n_at_start::double precision, (capped / mrr_at_start)::double precision, (mrr / mrr_at_start)::double precision, $4
        FROM looked ORDER BY segment, cohort, look$x$, ltv.run_rate_query(timeline, grain, by, segments, as_of),
        CASE WHEN by IS NULL THEN 'entity_id' ELSE 'entity_id, segment' END)
        USING codes, on_date, quotes, unit, grace_days, last, count_returned, baseline, cohort_months, step_months,
            CASE WHEN rates IS NOT NULL THEN CASE WHEN ltv.is_currency(currency) THEN ltv.minor_digits(currency) ELSE 2 END END;
END
$$;
COMMENT ON FUNCTION ltv.cohort_retention(regclass, date, text, text, integer, text, regclass, text, regclass, text, date, date, integer, boolean) IS 'Retention by the month, quarter or year in which an entity first had revenue at a month''s end, one row for each cohort and period: how many are left of those at the start, and how much of their run-rate (per month). Periods count from each entity''s own start and are as long as the cohort unless period says otherwise; the table is triangular, with no row where not all of a cohort''s months have reached the period by on_date. baseline 1: what it is compared with is the month after the first, which is often cut, and the first period is numbered 1. grr caps each entity at its start. One that had no revenue for more than grace_days is lost, unless count_returned; a pause (end_event) is no such gap. Several currencies: all at the rates of on_date (or of fx_asof), so that rates move nothing, and rounded to the minor unit. With by, each segment is a book of its own. as_of: as known at the end of that day. Arguments and errors as run_rate_query and reporting_rates.';
