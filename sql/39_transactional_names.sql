-- The same of registered models, by name: looked up once for a statement, not for every row.
CREATE FUNCTION ltv.probability_alive(model text, frequency double precision, recency double precision, age double precision, segment text DEFAULT NULL) RETURNS double precision
    LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'probability_alive_name';
COMMENT ON FUNCTION ltv.probability_alive(text, double precision, double precision, double precision, text) IS 'As probability_alive(ltv.model, ...) with a registered model: name, name@alias or name@version.';
CREATE FUNCTION ltv.expected_purchases(model text, frequency double precision, recency double precision, age double precision, horizon double precision, segment text DEFAULT NULL) RETURNS double precision
    LANGUAGE c STABLE PARALLEL SAFE COST 300 AS 'MODULE_PATHNAME', 'expected_purchases_name';
COMMENT ON FUNCTION ltv.expected_purchases(text, double precision, double precision, double precision, double precision, text) IS 'As expected_purchases(ltv.model, ...) with a registered model: name, name@alias or name@version.';
CREATE FUNCTION ltv.expected_purchases(model text, horizon double precision, segment text DEFAULT NULL) RETURNS double precision
    LANGUAGE c STABLE PARALLEL SAFE COST 300 AS 'MODULE_PATHNAME', 'expected_purchases_new_name';
COMMENT ON FUNCTION ltv.expected_purchases(text, double precision, text) IS 'As expected_purchases(ltv.model, horizon) with a registered model: name, name@alias or name@version.';
CREATE FUNCTION ltv.purchase_probability(model text, purchases double precision, horizon double precision, segment text DEFAULT NULL) RETURNS double precision
    LANGUAGE c STABLE PARALLEL SAFE COST 300 AS 'MODULE_PATHNAME', 'purchase_probability_name';
COMMENT ON FUNCTION ltv.purchase_probability(text, double precision, double precision, text) IS 'As purchase_probability(ltv.model, ...) with a registered model: name, name@alias or name@version.';
CREATE FUNCTION ltv.discounted_purchases(model text, frequency double precision, recency double precision, age double precision, discount_rate double precision DEFAULT 0.10, unit text DEFAULT 'week', segment text DEFAULT NULL) RETURNS double precision
    LANGUAGE c STABLE PARALLEL SAFE COST 3000 AS 'MODULE_PATHNAME', 'discounted_purchases_name';
COMMENT ON FUNCTION ltv.discounted_purchases(text, double precision, double precision, double precision, double precision, text, text) IS 'As discounted_purchases(ltv.model, ...) with a registered model: name, name@alias or name@version.';
CREATE FUNCTION ltv.expected_spend(model text, frequency double precision, mean_value double precision, segment text DEFAULT NULL) RETURNS double precision
    LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'expected_spend_name';
COMMENT ON FUNCTION ltv.expected_spend(text, double precision, double precision, text) IS 'As expected_spend(ltv.model, ...) with a registered model: name, name@alias or name@version.';
CREATE FUNCTION ltv.transactional_value(
    purchases text, spend text, frequency double precision, recency double precision, age double precision, mean_value double precision,
    margin double precision DEFAULT 1, discount_rate double precision DEFAULT 0.10, horizon integer DEFAULT 60, unit text DEFAULT 'week',
    timing text DEFAULT 'mid-period', currency text DEFAULT NULL, segment text DEFAULT NULL,
    OUT ltv numeric, OUT undiscounted numeric, OUT revenue numeric, OUT probability_alive double precision, OUT expected_purchases double precision,
    OUT expected_spend double precision, OUT discount_rate double precision, OUT horizon integer, OUT currency text, OUT status text
) RETURNS record
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'transactional_value_name';
COMMENT ON FUNCTION ltv.transactional_value(text, text, double precision, double precision, double precision, double precision, double precision, double precision, integer, text, text, text, text) IS 'As transactional_value(ltv.model, ltv.model, ...) with registered models: name, name@alias or name@version.';
CREATE FUNCTION ltv.transactional_cash_flows(
    purchases text, spend text, frequency double precision, recency double precision, age double precision, mean_value double precision,
    margin double precision DEFAULT 1, discount_rate double precision DEFAULT 0.10, horizon integer DEFAULT 60, unit text DEFAULT 'week',
    timing text DEFAULT 'mid-period', currency text DEFAULT NULL, segment text DEFAULT NULL,
    OUT period integer, OUT due_months double precision, OUT purchases double precision, OUT revenue numeric, OUT cost numeric, OUT margin numeric,
    OUT discount_factor double precision, OUT present_value numeric, OUT cumulative numeric
) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 60 AS 'MODULE_PATHNAME', 'transactional_cash_flows_name';
COMMENT ON FUNCTION ltv.transactional_cash_flows(text, text, double precision, double precision, double precision, double precision, double precision, double precision, integer, text, text, text, text) IS 'As transactional_cash_flows(ltv.model, ltv.model, ...) with registered models: name, name@alias or name@version.';
