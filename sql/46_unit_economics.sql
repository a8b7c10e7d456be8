-- Unit economics: what a customer costs, brings back, and may cost to keep; and the baselines that vendors print.

CREATE FUNCTION ltv.simple_ltv(
    arpa numeric, churn double precision, margin double precision DEFAULT 1, discount_rate double precision DEFAULT 0,
    currency text DEFAULT NULL, digits integer DEFAULT NULL,
    OUT ltv numeric, OUT lifetime_months double precision, OUT method text, OUT status text
) LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'simple_ltv';
COMMENT ON FUNCTION ltv.simple_ltv(numeric, double precision, double precision, double precision, text, integer) IS 'A baseline, not a valuation: arpa x margin / churn, the value of a customer who leaves with the same probability each month for ever, first payment included. arpa: revenue per account and month; churn: share lost a month; discount_rate: effective annual, 0 is how the formula is printed, else margin x (1 + d) / (1 + d - retention). lifetime_months: 1 / churn. status: ok; extrapolated: churn is below 1/60 a month (most of the value lies beyond what anybody has observed); undefined (ltv NULL): no churn, or a negative one; missing: a NULL argument. lifetime_value is the valuation. Errors 22023.';

CREATE FUNCTION ltv.ltv_to_cac(ltv numeric, cac numeric) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ltv_to_cac';
COMMENT ON FUNCTION ltv.ltv_to_cac(numeric, numeric) IS 'Value per cost of acquisition. ltv before the acquisition cost is taken off, on the margin basis and horizon that you state with it; cac fully loaded, per new customer. NULL when cac is 0. Errors: 22023 for a negative cac.';

CREATE FUNCTION ltv.cac_payback(
    cac numeric, new_mrr numeric, margin double precision DEFAULT 1, discount_rate double precision DEFAULT 0.10,
    curve ltv.survival DEFAULT NULL, horizon integer DEFAULT 120,
    OUT plain_months double precision, OUT discounted_months double precision, OUT survival_weighted_months double precision, OUT status text
) LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'cac_payback';
COMMENT ON FUNCTION ltv.cac_payback(numeric, numeric, double precision, double precision, ltv.survival, integer) IS 'Months until the cost of acquisition has come back. cac and new_mrr: of the same new customers, never net new MRR; margin: share of revenue left. plain_months: cac / (new_mrr x margin). discounted_months: with each month''s margin discounted from its middle at the effective annual rate. survival_weighted_months: that, times the share of customers still there by curve (in months); NULL without one. status: ok, or which of them is not reached and why. Errors 22023.';

CREATE FUNCTION ltv.value_at_risk(ltv numeric, p_churn double precision, currency text DEFAULT NULL, digits integer DEFAULT NULL) RETURNS numeric
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'value_at_risk';
COMMENT ON FUNCTION ltv.value_at_risk(numeric, double precision, text, integer) IS 'The value expected to be lost: ltv x p_churn, rounded to the decimals of currency, or digits, or 2. (Not the quantile of a loss that banks call by this name.) NULL when ltv or p_churn is. Errors: 22023 for what is no probability.';

CREATE FUNCTION ltv.max_spend(value numeric, uplift double precision, required_return double precision DEFAULT 0, currency text DEFAULT NULL, digits integer DEFAULT NULL) RETURNS numeric
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'max_spend';
COMMENT ON FUNCTION ltv.max_spend(numeric, double precision, double precision, text, integer) IS 'The most that may be spent on keeping a customer: value x uplift / (1 + required_return). value: what the customer is worth if kept; uplift: by how much the attempt raises the probability to stay, as measured against a hold-out; required_return: 1 asks two back for each one spent. 0 when the attempt does not help. Rounded as value_at_risk. NULL when value, uplift or required_return is. Errors 22023.';

CREATE FUNCTION ltv.payments_query(payments regclass, account_column text, paid_on_column text, amount_column text, currency_column text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing text;
    unfit text;
BEGIN
    SELECT string_agg(left(wanted.name, 63), ', ' ORDER BY wanted.place) FILTER (WHERE given.base IS NULL),
           string_agg(format('%s is %s, not %s', wanted.name, given.type::regtype, CASE wanted.place WHEN 2 THEN 'date' WHEN 3 THEN 'numeric' ELSE 'text' END), ', ' ORDER BY wanted.place)
               FILTER (WHERE NOT CASE wanted.place
                   WHEN 1 THEN given.category = 'S' OR given.is_enum OR given.base = ANY ('{uuid,smallint,integer,bigint,numeric}'::regtype[])
                   WHEN 2 THEN given.base = 'date'::regtype
                   WHEN 3 THEN given.base = ANY ('{numeric,smallint,integer,bigint,real,double precision}'::regtype[])
                   ELSE given.category = 'S' OR given.is_enum END)
    INTO missing, unfit
    FROM unnest(ARRAY[coalesce(account_column, 'account_id'), coalesce(paid_on_column, 'paid_on'), coalesce(amount_column, 'amount'), currency_column]) WITH ORDINALITY AS wanted (name, place)
    LEFT JOIN LATERAL (
        SELECT y.oid AS type, CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END AS base, y.typcategory AS category, y.typtype = 'e' AS is_enum
        FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
        WHERE a.attrelid = payments AND a.attname = wanted.name AND a.attnum > 0 AND NOT a.attisdropped) given ON true
    WHERE wanted.name IS NOT NULL;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% has no column %', payments, missing
            USING ERRCODE = 'undefined_column', HINT = 'Name the columns: account_column, paid_on_column, amount_column, currency_column.';
    END IF;
    IF unfit IS NOT NULL THEN
        RAISE EXCEPTION '% is no relation of payments: %', payments, unfit
            USING ERRCODE = 'datatype_mismatch',
                  HINT = 'Cast it in a view, where the time zone of the ledger is known: (paid_at AT TIME ZONE ''Europe/Berlin'')::date.';
    END IF;
    RETURN format('SELECT t.%I::text AS account_id, t.%I::date AS paid_on, t.%I::numeric AS amount, %s AS currency FROM %s t',
                  coalesce(account_column, 'account_id'), coalesce(paid_on_column, 'paid_on'), coalesce(amount_column, 'amount'),
                  CASE WHEN currency_column IS NULL THEN 'NULL::text' ELSE format('t.%I::text', currency_column) END, payments);
END
$$;
COMMENT ON FUNCTION ltv.payments_query(regclass, text, text, text, text) IS 'The text of a query that reads any relation of payments as account_id, paid_on, amount and currency: what cohort_ltv and rfm run, with the caller''s rights. NULL names: account_id, paid_on, amount, and no currency. Error 42703 names columns that are missing, 42804 columns of a wrong type.';

CREATE FUNCTION ltv.cohort_ltv(
    payments regclass, as_of date, margin numeric DEFAULT 1, grain text DEFAULT 'month',
    account_column text DEFAULT 'account_id', paid_on_column text DEFAULT 'paid_on', amount_column text DEFAULT 'amount', currency_column text DEFAULT NULL
) RETURNS TABLE (cohort date, month integer, accounts bigint, revenue numeric, contribution numeric, cumulative numeric, ltv numeric, currency text, method text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 300
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    least_currency text;
    most_currency text;
    not_finite boolean;
    decimals integer;
BEGIN
    IF payments IS NULL OR margin IS NULL THEN
        RETURN;
    END IF;
    IF as_of IS NULL OR NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'as_of must be a finite date, got %', coalesce(as_of::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The last day that counts, such as the end of last month.';
    END IF;
    IF margin IN ('NaN', 'Infinity', '-Infinity') THEN
        RAISE EXCEPTION 'margin must be finite, got %', margin
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The share of revenue left after cost of sales: 0.8.';
    END IF;
    IF grain IS NULL OR grain NOT IN ('month', 'quarter', 'year') THEN
        RAISE EXCEPTION 'unknown grain of cohorts: %', coalesce(quote_literal(left(grain, 63)), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: month, quarter, year.';
    END IF;
    EXECUTE format('SELECT min(p.currency COLLATE "C"), max(p.currency COLLATE "C"), coalesce(bool_or(p.amount IN (''NaN'', ''Infinity'', ''-Infinity'')), false) FROM (%s) p WHERE p.paid_on <= $1 AND p.amount IS NOT NULL',
                   ltv.payments_query(payments, account_column, paid_on_column, amount_column, currency_column))
    INTO least_currency, most_currency, not_finite USING as_of;
    IF not_finite THEN
        RAISE EXCEPTION 'an amount of % is not finite', payments
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave such rows out in a view.';
    END IF;
    IF least_currency <> most_currency THEN
        RAISE EXCEPTION 'amounts of two currencies cannot be added: % and %', least_currency, most_currency
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Convert them in a view: JOIN ltv.cross_rates(''rates'', ''EUR'') ...';
    END IF;
    decimals := coalesce(ltv.minor_digits(least_currency), 2);
    RETURN QUERY EXECUTE format('
        WITH paid AS MATERIALIZED (
            SELECT p.account_id, p.paid_on, p.amount FROM (%s) p WHERE p.paid_on <= $1 AND p.amount IS NOT NULL AND p.account_id IS NOT NULL
        ), started AS (
            SELECT p.account_id, date_trunc(''month'', min(p.paid_on))::date AS first_month FROM paid p WHERE p.amount > 0 GROUP BY p.account_id
        ), sized AS (
            SELECT date_trunc($3, s.first_month)::date AS cohort, count(*) AS accounts FROM started s GROUP BY 1
        ), aged AS (
            SELECT date_trunc($3, s.first_month)::date AS cohort,
                   (12 * (extract(year FROM p.paid_on) - extract(year FROM s.first_month)) + extract(month FROM p.paid_on) - extract(month FROM s.first_month))::int AS month,
                   sum(p.amount) AS revenue
            FROM paid p JOIN started s USING (account_id) WHERE p.paid_on >= s.first_month GROUP BY 1, 2
        )
        SELECT z.cohort, g.month, z.accounts, round(coalesce(a.revenue, 0), $4), round(coalesce(a.revenue, 0) * $2, $4),
               round(sum(coalesce(a.revenue, 0) * $2) OVER w, $4), round(sum(coalesce(a.revenue, 0) * $2) OVER w / z.accounts, $4), $5, ''historic margin per starting account''
        FROM sized z
        -- A month counts once it is over for the cohort''s youngest account.
        CROSS JOIN LATERAL generate_series(0, (12 * (extract(year FROM $1 + 1) - extract(year FROM z.cohort)) + extract(month FROM $1 + 1) - extract(month FROM z.cohort))::int
                                              - CASE $3 WHEN ''month'' THEN 1 WHEN ''quarter'' THEN 3 ELSE 12 END) AS g (month)
        LEFT JOIN aged a ON a.cohort = z.cohort AND a.month = g.month
        WINDOW w AS (PARTITION BY z.cohort ORDER BY g.month)
        ORDER BY z.cohort, g.month',
        ltv.payments_query(payments, account_column, paid_on_column, amount_column, currency_column))
    USING as_of, margin, grain, decimals, least_currency;
END
$$;
COMMENT ON FUNCTION ltv.cohort_ltv(regclass, date, numeric, text, text, text, text, text) IS 'A baseline, not a forecast: what the accounts of a cohort have brought so far, per account that started, by month of age. payments: a relation with an account, a date, an amount (refunds negative) and, if it names one, a currency; payments after as_of are not seen. cohort: month, quarter or year of the first payment above 0; month: calendar months since the account''s first one; contribution = revenue x margin; ltv = cumulative / accounts. A month is there once it is over for all accounts of the cohort, so the table is a triangle. Those who left count as accounts for ever. Amounts rounded once each. No rows when payments or margin is NULL. Errors: 22023 for two currencies (both named) and a bad option, 42703, 42804.';

CREATE FUNCTION ltv.rfm(
    payments regclass, as_of date, buckets integer DEFAULT 5, since date DEFAULT NULL,
    account_column text DEFAULT 'account_id', paid_on_column text DEFAULT 'paid_on', amount_column text DEFAULT 'amount', currency_column text DEFAULT NULL
) RETURNS TABLE (account_id text, last_paid_on date, recency_days integer, frequency bigint, monetary numeric, r integer, f integer, m integer, score text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10000
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    least_currency text;
    most_currency text;
    not_finite boolean;
BEGIN
    IF payments IS NULL THEN
        RETURN;
    END IF;
    IF as_of IS NULL OR NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'as_of must be a finite date, got %', coalesce(as_of::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The last day that counts, such as the end of last month.';
    END IF;
    IF buckets IS NULL OR buckets NOT BETWEEN 2 AND 9 THEN
        RAISE EXCEPTION 'buckets must be 2 to 9, got %', coalesce(buckets::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = '5 are quintiles.';
    END IF;
    EXECUTE format('SELECT min(p.currency COLLATE "C"), max(p.currency COLLATE "C"), coalesce(bool_or(p.amount IN (''NaN'', ''Infinity'', ''-Infinity'')), false) FROM (%s) p WHERE p.paid_on <= $1 AND p.amount IS NOT NULL',
                   ltv.payments_query(payments, account_column, paid_on_column, amount_column, currency_column))
    INTO least_currency, most_currency, not_finite USING as_of;
    IF not_finite THEN
        RAISE EXCEPTION 'an amount of % is not finite', payments
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave such rows out in a view.';
    END IF;
    IF least_currency <> most_currency THEN
        RAISE EXCEPTION 'amounts of two currencies cannot be added: % and %', least_currency, most_currency
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Convert them in a view: JOIN ltv.cross_rates(''rates'', ''EUR'') ...';
    END IF;
    RETURN QUERY EXECUTE format('
        WITH account AS (
            SELECT p.account_id, max(p.paid_on) FILTER (WHERE p.amount > 0) AS last_paid_on, count(*) FILTER (WHERE p.amount > 0) AS frequency, sum(p.amount) AS monetary
            FROM (%s) p
            WHERE p.paid_on <= $1 AND ($3 IS NULL OR p.paid_on >= $3) AND p.amount IS NOT NULL AND p.account_id IS NOT NULL
            GROUP BY p.account_id HAVING bool_or(p.amount > 0)
        ), scored AS (
            SELECT a.*, (1 + $2 * (rank() OVER (ORDER BY a.last_paid_on) - 1) / count(*) OVER ())::int AS r,
                   (1 + $2 * (rank() OVER (ORDER BY a.frequency) - 1) / count(*) OVER ())::int AS f,
                   (1 + $2 * (rank() OVER (ORDER BY a.monetary) - 1) / count(*) OVER ())::int AS m
            FROM account a
        )
        SELECT s.account_id, s.last_paid_on, $1 - s.last_paid_on, s.frequency, s.monetary, s.r, s.f, s.m, concat(s.r, s.f, s.m)
        FROM scored s ORDER BY s.r DESC, s.f DESC, s.m DESC, s.account_id COLLATE "C"',
        ltv.payments_query(payments, account_column, paid_on_column, amount_column, currency_column))
    USING as_of, buckets, since;
END
$$;
COMMENT ON FUNCTION ltv.rfm(regclass, date, integer, date, text, text, text, text) IS 'Recency, frequency and monetary value of each account that has paid by as_of (and from since on), scored 1 to buckets, the best highest. recency_days: as_of - last_paid_on; frequency: payments above 0; monetary: their sum less refunds. Equal values always have equal scores: 1 + floor(buckets x share of accounts that are strictly worse), so a bucket may be larger or smaller than its share. A description of the past, and no forecast. No rows when payments is NULL. Errors: 22023 for two currencies (both named) and a bad option, 42703, 42804.';

