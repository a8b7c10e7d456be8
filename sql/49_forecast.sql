-- What the contracts of a timeline are expected to bring, month by month: a book read from it, and its run-rates by a curve or a model.

CREATE FUNCTION ltv.book_query(timeline regclass, as_of date, by text DEFAULT NULL, grace_days integer DEFAULT 30) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000
    SET search_path = pg_catalog, pg_temp
AS $book$
DECLARE
    today text := format('%L::date', as_of);
    source text;
BEGIN
    IF timeline IS NULL OR as_of IS NULL OR NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'timeline and as_of must be known, got % and %', timeline, as_of
            USING ERRCODE = 'null_value_not_allowed', HINT = 'timeline is the name of a table or view, as_of the day from which on is forecast: current_date for today.';
    ELSIF grace_days IS NULL OR grace_days < 0 THEN
        RAISE EXCEPTION 'grace_days must not be negative, got %', grace_days
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Days without a contract after which a customer counts as lost.';
    ELSIF by IS NOT NULL AND NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_type y ON y.typrelid = a.attrelid
            WHERE y.oid = 'ltv.contract_line'::regtype AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = by) THEN
        RAISE EXCEPTION 'a contract timeline has no column "%"', by
            USING ERRCODE = 'undefined_column', HINT = 'by is a column of ltv.contract_line, such as product, currency or parent_account_id.';
    END IF;
    source := ltv.checked_query(timeline, as_of);
    RETURN format($sql$
WITH line AS (
    SELECT r.account_id, %2$s AS segment, r.currency, r.mrr, r.state, r.valid_from, NULLIF(r.valid_to, 'infinity') AS valid_to,
           r.term_start, NULLIF(r.term_end, 'infinity') AS term_end
    FROM (%1$s) r
), reached AS (
    SELECT l.account_id, l.valid_from, COALESCE(l.valid_to, 'infinity') AS until,
           max(COALESCE(l.valid_to, 'infinity')) OVER (PARTITION BY l.account_id ORDER BY l.valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM line l
    WHERE l.state IN ('active', 'past_due', 'paused') AND l.valid_from <= %3$s AND (l.valid_to IS NULL OR l.valid_to > l.valid_from)
), spell AS (
    SELECT r.account_id, r.valid_from, r.until,
           count(*) FILTER (WHERE r.before IS NULL OR r.before < 'infinity' AND r.valid_from > r.before + %4$s)
               OVER (PARTITION BY r.account_id ORDER BY r.valid_from ROWS UNBOUNDED PRECEDING) AS number
    FROM reached r
), live AS (
    SELECT s.account_id, min(s.valid_from) AS start_on FROM spell s GROUP BY s.account_id, s.number HAVING max(s.until) > %3$s
)
SELECT l.account_id, l.segment, l.currency, ltv.months_between(v.start_on, %3$s) AS given,
       array_agg((12 * l.mrr)::double precision) AS amounts,
       array_agg(CASE WHEN l.valid_from <= %3$s THEN 0 ELSE ltv.months_between(%3$s, l.valid_from) END) AS begins,
       array_agg(ltv.months_between(%3$s, l.valid_to)) AS ends,
       array_agg(ltv.months_between(%3$s, l.term_end)) AS renewals,
       array_agg(CASE WHEN l.term_start < l.term_end THEN ltv.months_between(l.term_start, l.term_end) END) AS terms
FROM line l JOIN live v USING (account_id)
WHERE l.state IN ('active', 'past_due') AND l.mrr IS NOT NULL AND (l.valid_to IS NULL OR l.valid_to > %3$s AND l.valid_to > l.valid_from)
GROUP BY l.account_id, l.segment, l.currency, v.start_on$sql$,
        source, CASE WHEN by IS NULL THEN '''all''::text' ELSE format('r.%I::text', by) END, today, grace_days);
END
$book$;
COMMENT ON FUNCTION ltv.book_query(regclass, date, text, integer) IS 'The text of a query that reads a timeline as the book of contracts that were live on a day, as known by the end of it: one row per account, segment (the column by, or all) and currency, with given, the months since the account came (spells at most grace_days apart are one), and arrays over its lines in states active and past_due, contracted ones that are still to begin among them: amounts per year (12 mrr), begins, ends (where they were known), renewals (term_end) and terms, in calendar months from as_of. What run_rate_agg takes. Errors 22004, 22023, 42703.';

CREATE FUNCTION ltv.forecast_arr(
    curve ltv.survival, timeline regclass, as_of date, months integer DEFAULT 12, by text DEFAULT NULL,
    expansion double precision DEFAULT 0, level double precision DEFAULT 0.95, grace_days integer DEFAULT 30)
    RETURNS TABLE (month date, segment text, opening numeric, expected_churn numeric, expected_growth numeric, mean numeric, contracted numeric,
                   lower numeric, upper numeric, total_lower numeric, total_upper numeric, currency text, accounts bigint, status text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 13
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- A loop, as an error in it does not quote the statement.
    FOR month, segment, opening, expected_churn, expected_growth, mean, contracted, lower, upper, total_lower, total_upper, currency, accounts, status IN EXECUTE format($sql$
        SELECT ($2 + make_interval(months => k.month))::date, p.segment, k.opening, k.expected_churn, k.expected_growth, k.mean, k.certain,
               k.lower, k.upper, k.total_lower, k.total_upper, k.currency, k.accounts, k.status
        FROM (SELECT b.segment, ltv.run_rate_agg($1, b.given, b.amounts, b.begins, b.ends, b.renewals, b.terms, $3, $4, b.currency) AS p
              FROM (%s) b GROUP BY b.segment) p, LATERAL ltv.portfolio_months(p.p, $5) k
        ORDER BY p.segment COLLATE "C", k.month$sql$, ltv.book_query(timeline, as_of, by, grace_days))
    USING curve, as_of, expansion, months, level
    LOOP
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.forecast_arr(ltv.survival, regclass, date, integer, text, double precision, double precision, integer) IS 'Annual recurring revenue that is expected of the contracts that were live on a day (no new business), as known by the end of it: the first row of a segment is as_of, then one for each month. Each line counts with the probability that its account is still there at its age: certain within committed terms (contracted), by its renewal dates from there on, at any time without a term. Lines known to end count until then, contracted ones from when they begin. opening - expected_churn + expected_growth = mean. lower, upper: where the expected ARR lies by the errors of the curve, which all accounts share; total_lower, total_upper: where the realised ARR lies, if accounts leave independently (normal approximation). expansion: yearly growth of those who stay. curve: durations of accounts in months. accounts: of the segment. status tells how many have no curve at their age; they add nothing. Errors 22023 for two currencies in a segment: by => ''currency''.';

CREATE FUNCTION ltv.forecast_arr(
    m ltv.model, features regclass, timeline regclass, as_of date, months integer DEFAULT 12, by text DEFAULT NULL,
    expansion double precision DEFAULT 0, level double precision DEFAULT 0.95, grace_days integer DEFAULT 30)
    RETURNS TABLE (month date, segment text, opening numeric, expected_churn numeric, expected_growth numeric, mean numeric, contracted numeric,
                   lower numeric, upper numeric, total_lower numeric, total_upper numeric, currency text, accounts bigint, status text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 13
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    twice text;
BEGIN
    IF features IS NULL OR NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = features AND a.attname = 'account_id' AND a.attnum > 0 AND NOT a.attisdropped) THEN
        RAISE EXCEPTION '% has no column account_id', features
            USING ERRCODE = 'undefined_column', HINT = 'features is a table or view with one row per account: account_id and the features of the model.';
    END IF;
    EXECUTE format('SELECT f.account_id::text FROM %s f WHERE f.account_id IS NOT NULL GROUP BY f.account_id HAVING count(*) > 1 ORDER BY 1 LIMIT 1', features) INTO twice;
    IF twice IS NOT NULL THEN
        RAISE EXCEPTION '% has several rows for account %', features, twice
            USING ERRCODE = 'invalid_parameter_value', HINT = 'One row per account: its features on the day.';
    END IF;
    -- A loop, as an error in it does not quote the statement.
    FOR month, segment, opening, expected_churn, expected_growth, mean, contracted, lower, upper, total_lower, total_upper, currency, accounts, status IN EXECUTE format($sql$
        SELECT ($2 + make_interval(months => k.month))::date, p.segment, k.opening, k.expected_churn, k.expected_growth, k.mean, k.certain,
               k.lower, k.upper, k.total_lower, k.total_upper, k.currency, k.accounts, k.status
        FROM (SELECT b.segment, ltv.run_rate_agg($1, f, b.given, b.amounts, b.begins, b.ends, b.renewals, b.terms, $3, $4, b.currency) AS p
              FROM (%s) b LEFT JOIN %s f ON f.account_id::text = b.account_id GROUP BY b.segment) p, LATERAL ltv.portfolio_months(p.p, $5) k
        ORDER BY p.segment COLLATE "C", k.month$sql$, ltv.book_query(timeline, as_of, by, grace_days), features)
    USING m, as_of, expansion, months, level
    LOOP
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.forecast_arr(ltv.model, regclass, regclass, date, integer, text, double precision, double precision, integer) IS 'As forecast_arr(curve, ...) with the curve that a model has for each account. features: a relation with one row per account, account_id and the features of the model as they were on the day; accounts without a row have no value.';

CREATE FUNCTION ltv.forecast_arr(
    model text, features regclass, timeline regclass, as_of date, months integer DEFAULT 12, by text DEFAULT NULL,
    expansion double precision DEFAULT 0, level double precision DEFAULT 0.95, grace_days integer DEFAULT 30)
    RETURNS TABLE (month date, segment text, opening numeric, expected_churn numeric, expected_growth numeric, mean numeric, contracted numeric,
                   lower numeric, upper numeric, total_lower numeric, total_upper numeric, currency text, accounts bigint, status text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 13
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT a.* FROM ltv.forecast_arr(ltv.model(model), features, timeline, as_of, months, by, expansion, level, grace_days) a;
END
$$;
COMMENT ON FUNCTION ltv.forecast_arr(text, regclass, regclass, date, integer, text, double precision, double precision, integer) IS 'As forecast_arr(ltv.model, ...) with a registered model: name, name@alias or name@version.';
