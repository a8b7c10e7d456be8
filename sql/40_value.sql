-- Money: what the months still to come are worth, and the ledger behind the number.

CREATE FUNCTION ltv.lifetime_value(
    curve ltv.survival,
    revenue double precision,
    margin double precision DEFAULT 1,
    cost_to_serve double precision DEFAULT 0,
    discount_rate double precision DEFAULT 0.10,
    horizon integer DEFAULT 60,
    expansion double precision DEFAULT 0,
    price_uplift double precision DEFAULT 0,
    period_months double precision DEFAULT 1,
    billing text DEFAULT 'monthly',
    timing text DEFAULT 'advance',
    given double precision DEFAULT 0,
    term_months double precision DEFAULT NULL,
    months_to_renewal double precision DEFAULT NULL,
    paid_months integer DEFAULT 0,
    acquisition_cost double precision DEFAULT 0,
    tail text DEFAULT 'constant-hazard',
    currency text DEFAULT NULL,
    level double precision DEFAULT 0.95,
    as_of date DEFAULT NULL
) RETURNS ltv.valuation
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'lifetime_value_curve';
COMMENT ON FUNCTION ltv.lifetime_value(ltv.survival, double precision, double precision, double precision, double precision, integer, double precision, double precision, double precision, text, text, double precision, double precision, double precision, integer, double precision, text, text, double precision, date) IS 'Present value of the expected margin of an account with this survival curve (a cohort''s or one of predict_curve). Times are months. revenue: price per period_months; margin: its share left after cost of sales; cost_to_serve: per period_months; discount_rate: effective annual; horizon: months valued; expansion: effective annual growth; price_uplift: share added at each renewal (each year without term_months); billing: monthly, quarterly, semiannual or annual; timing: advance, arrears or mid-period; given: age now; term_months, months_to_renewal: contracts that end at renewal dates only; paid_months: already paid for; acquisition_cost: spent now; tail: constant-hazard goes on beyond the observed time with the average hazard, recent-hazard with that of its last quarter, none counts nothing there; currency: ISO 4217, for the decimals; as_of: dates the flows and counts days by ACT/365F, else months/12. The result states rate, horizon and the share beyond the observed time. A NULL argument gives NULLs and a status. Errors 22023.';

CREATE FUNCTION ltv.lifetime_value(
    m ltv.model, features record,
    revenue double precision,
    margin double precision DEFAULT 1,
    cost_to_serve double precision DEFAULT 0,
    discount_rate double precision DEFAULT 0.10,
    horizon integer DEFAULT 60,
    expansion double precision DEFAULT 0,
    price_uplift double precision DEFAULT 0,
    period_months double precision DEFAULT 1,
    billing text DEFAULT 'monthly',
    timing text DEFAULT 'advance',
    given double precision DEFAULT 0,
    term_months double precision DEFAULT NULL,
    months_to_renewal double precision DEFAULT NULL,
    paid_months integer DEFAULT 0,
    acquisition_cost double precision DEFAULT 0,
    tail text DEFAULT 'constant-hazard',
    currency text DEFAULT NULL,
    level double precision DEFAULT 0.95,
    as_of date DEFAULT NULL
) RETURNS ltv.valuation
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'lifetime_value_model';
COMMENT ON FUNCTION ltv.lifetime_value(ltv.model, record, double precision, double precision, double precision, double precision, integer, double precision, double precision, double precision, text, text, double precision, double precision, double precision, integer, double precision, text, text, double precision, date) IS 'Present value of the expected margin of a row: lifetime_value over predict_curve(m, features), all terms as there.';

CREATE FUNCTION ltv.lifetime_value(
    model text, features record,
    revenue double precision,
    margin double precision DEFAULT 1,
    cost_to_serve double precision DEFAULT 0,
    discount_rate double precision DEFAULT 0.10,
    horizon integer DEFAULT 60,
    expansion double precision DEFAULT 0,
    price_uplift double precision DEFAULT 0,
    period_months double precision DEFAULT 1,
    billing text DEFAULT 'monthly',
    timing text DEFAULT 'advance',
    given double precision DEFAULT 0,
    term_months double precision DEFAULT NULL,
    months_to_renewal double precision DEFAULT NULL,
    paid_months integer DEFAULT 0,
    acquisition_cost double precision DEFAULT 0,
    tail text DEFAULT 'constant-hazard',
    currency text DEFAULT NULL,
    level double precision DEFAULT 0.95,
    as_of date DEFAULT NULL
) RETURNS ltv.valuation
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'lifetime_value_name';
COMMENT ON FUNCTION ltv.lifetime_value(text, record, double precision, double precision, double precision, double precision, integer, double precision, double precision, double precision, text, text, double precision, double precision, double precision, integer, double precision, text, text, double precision, date) IS 'As lifetime_value(ltv.model, ...) with a registered model: name, name@alias or name@version.';

CREATE FUNCTION ltv.cash_flows(
    curve ltv.survival,
    revenue double precision,
    margin double precision DEFAULT 1,
    cost_to_serve double precision DEFAULT 0,
    discount_rate double precision DEFAULT 0.10,
    horizon integer DEFAULT 60,
    expansion double precision DEFAULT 0,
    price_uplift double precision DEFAULT 0,
    period_months double precision DEFAULT 1,
    billing text DEFAULT 'monthly',
    timing text DEFAULT 'advance',
    given double precision DEFAULT 0,
    term_months double precision DEFAULT NULL,
    months_to_renewal double precision DEFAULT NULL,
    paid_months integer DEFAULT 0,
    acquisition_cost double precision DEFAULT 0,
    tail text DEFAULT 'constant-hazard',
    currency text DEFAULT NULL,
    level double precision DEFAULT 0.95,
    as_of date DEFAULT NULL,
    OUT period integer, OUT due_months double precision, OUT due_on date, OUT survival double precision, OUT revenue numeric, OUT cost numeric,
    OUT margin numeric, OUT discount_factor double precision, OUT present_value numeric, OUT cumulative numeric
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 60 AS 'MODULE_PATHNAME', 'cash_flows_curve';
COMMENT ON FUNCTION ltv.cash_flows(ltv.survival, double precision, double precision, double precision, double precision, integer, double precision, double precision, double precision, text, text, double precision, double precision, double precision, integer, double precision, text, text, double precision, date) IS 'The expected cash flows behind lifetime_value with the same terms: one row per invoice (period 0 is the acquisition cost). survival: the probability that it is paid; revenue and cost: expected amounts; margin = revenue - cost; present_value sums to ltv, revenue to revenue, to the cent. No rows where lifetime_value has none.';

CREATE FUNCTION ltv.cash_flows(
    m ltv.model, features record,
    revenue double precision,
    margin double precision DEFAULT 1,
    cost_to_serve double precision DEFAULT 0,
    discount_rate double precision DEFAULT 0.10,
    horizon integer DEFAULT 60,
    expansion double precision DEFAULT 0,
    price_uplift double precision DEFAULT 0,
    period_months double precision DEFAULT 1,
    billing text DEFAULT 'monthly',
    timing text DEFAULT 'advance',
    given double precision DEFAULT 0,
    term_months double precision DEFAULT NULL,
    months_to_renewal double precision DEFAULT NULL,
    paid_months integer DEFAULT 0,
    acquisition_cost double precision DEFAULT 0,
    tail text DEFAULT 'constant-hazard',
    currency text DEFAULT NULL,
    level double precision DEFAULT 0.95,
    as_of date DEFAULT NULL,
    OUT period integer, OUT due_months double precision, OUT due_on date, OUT survival double precision, OUT revenue numeric, OUT cost numeric,
    OUT margin numeric, OUT discount_factor double precision, OUT present_value numeric, OUT cumulative numeric
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 60 AS 'MODULE_PATHNAME', 'cash_flows_model';
COMMENT ON FUNCTION ltv.cash_flows(ltv.model, record, double precision, double precision, double precision, double precision, integer, double precision, double precision, double precision, text, text, double precision, double precision, double precision, integer, double precision, text, text, double precision, date) IS 'As cash_flows(curve, ...) over predict_curve(m, features).';

CREATE FUNCTION ltv.cash_flows(
    model text, features record,
    revenue double precision,
    margin double precision DEFAULT 1,
    cost_to_serve double precision DEFAULT 0,
    discount_rate double precision DEFAULT 0.10,
    horizon integer DEFAULT 60,
    expansion double precision DEFAULT 0,
    price_uplift double precision DEFAULT 0,
    period_months double precision DEFAULT 1,
    billing text DEFAULT 'monthly',
    timing text DEFAULT 'advance',
    given double precision DEFAULT 0,
    term_months double precision DEFAULT NULL,
    months_to_renewal double precision DEFAULT NULL,
    paid_months integer DEFAULT 0,
    acquisition_cost double precision DEFAULT 0,
    tail text DEFAULT 'constant-hazard',
    currency text DEFAULT NULL,
    level double precision DEFAULT 0.95,
    as_of date DEFAULT NULL,
    OUT period integer, OUT due_months double precision, OUT due_on date, OUT survival double precision, OUT revenue numeric, OUT cost numeric,
    OUT margin numeric, OUT discount_factor double precision, OUT present_value numeric, OUT cumulative numeric
) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 60 AS 'MODULE_PATHNAME', 'cash_flows_name';
COMMENT ON FUNCTION ltv.cash_flows(text, record, double precision, double precision, double precision, double precision, integer, double precision, double precision, double precision, text, text, double precision, double precision, double precision, integer, double precision, text, text, double precision, date) IS 'As cash_flows(ltv.model, ...) with a registered model: name, name@alias or name@version.';

