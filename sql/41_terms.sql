-- The terms of a contract as a value: made once, read by every money function, changed for what-if questions.

CREATE TYPE ltv.terms;
CREATE FUNCTION ltv.terms_in(cstring) RETURNS ltv.terms LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'terms_in_wrapper';
CREATE FUNCTION ltv.terms_out(ltv.terms) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'terms_out_wrapper';
CREATE FUNCTION ltv.terms_recv(internal) RETURNS ltv.terms LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'terms_recv_wrapper';
CREATE FUNCTION ltv.terms_send(ltv.terms) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'terms_send_wrapper';
CREATE TYPE ltv.terms (
    INPUT = ltv.terms_in, OUTPUT = ltv.terms_out, RECEIVE = ltv.terms_recv, SEND = ltv.terms_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.terms IS 'The terms of a contract: price, costs, billing, renewal, discounting. Made by contract_terms, changed by with_changes; its text is JSON, so terms::text::jsonb reads them.';
COMMENT ON FUNCTION ltv.terms_in(cstring) IS 'Reads terms from JSON, {"revenue": 100, "margin": 0.8}; what is not said is as in contract_terms. An unknown name is error 22023 with the near ones.';
COMMENT ON FUNCTION ltv.terms_out(ltv.terms) IS 'Terms as JSON, exact to the last digit: those that are not as usual, and those that a value cannot be read without.';
COMMENT ON FUNCTION ltv.terms_recv(internal) IS 'Reads the binary form of terms, fully checked.';
COMMENT ON FUNCTION ltv.terms_send(ltv.terms) IS 'The binary form of terms.';

CREATE FUNCTION ltv.contract_terms(
    revenue numeric,
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
    ramp numeric[] DEFAULT NULL,
    value_basis text DEFAULT 'contribution',
    expansion_curve double precision[] DEFAULT NULL,
    expansion_curve_months integer DEFAULT 12,
    notice_months double precision DEFAULT 0,
    auto_renew boolean DEFAULT true,
    early_termination double precision DEFAULT 0,
    termination_fee double precision DEFAULT 0,
    payment_days integer DEFAULT 0,
    bad_debt double precision DEFAULT 0,
    discount_curve double precision[] DEFAULT NULL,
    tail_months double precision DEFAULT NULL,
    hazard_ratio double precision DEFAULT 1
) RETURNS ltv.terms
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'contract_terms_numeric';
COMMENT ON FUNCTION ltv.contract_terms(numeric, double precision, double precision, double precision, integer, double precision, double precision, double precision, text, text, double precision, double precision, double precision, integer, double precision, text, text, double precision, date, numeric[], text, double precision[], integer, double precision, boolean, double precision, double precision, integer, double precision, double precision[], double precision, double precision) IS 'The terms of a contract as one value, for lifetime_value, cash_flows and what changes them. As in lifetime_value(curve, revenue, ...): revenue is the price per period_months (NULL with a ramp: its first step), margin its share left after cost of sales, cost_to_serve per period_months, discount_rate effective annual, horizon months valued (120 for a full value), billing monthly, quarterly, semiannual or annual, timing advance, arrears or mid-period, given the age in months. value_basis: revenue, gross-margin or contribution (after cost_to_serve). ramp: contracted prices per contract year, the present one first; the last holds. expansion_curve: expected multiple of the price in each stretch of expansion_curve_months from now; the last holds. notice_months: whoever has given no notice is held to the end of it, or to the last renewal within it. auto_renew: renews unless notice is given; false: signed anew, so that there is no notice to miss, which is all it does: that negotiated renewals succeed less often is for the curve (auto_renew a feature or a stratum of the model). early_termination: share per year that breaks the contract within a term; termination_fee: the share of that term''s remaining invoices they owe. payment_days: from invoice to payment; bad_debt: share never paid. discount_curve: effective annual zero rates for years 1, 2, ..., instead of discount_rate. tail: constant-hazard, recent-hazard (of the last tail_months, or the last quarter of the observed time) or none. hazard_ratio: hazards of leaving times this. NULL when an argument is NULL that must be known. Amounts are exact to 28 digits. Errors 22023, 22003.';

CREATE FUNCTION ltv.contract_terms(
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
    ramp numeric[] DEFAULT NULL,
    value_basis text DEFAULT 'contribution',
    expansion_curve double precision[] DEFAULT NULL,
    expansion_curve_months integer DEFAULT 12,
    notice_months double precision DEFAULT 0,
    auto_renew boolean DEFAULT true,
    early_termination double precision DEFAULT 0,
    termination_fee double precision DEFAULT 0,
    payment_days integer DEFAULT 0,
    bad_debt double precision DEFAULT 0,
    discount_curve double precision[] DEFAULT NULL,
    tail_months double precision DEFAULT NULL,
    hazard_ratio double precision DEFAULT 1
) RETURNS ltv.terms
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'contract_terms_float';
COMMENT ON FUNCTION ltv.contract_terms(double precision, double precision, double precision, double precision, integer, double precision, double precision, double precision, text, text, double precision, double precision, double precision, integer, double precision, text, text, double precision, date, numeric[], text, double precision[], integer, double precision, boolean, double precision, double precision, integer, double precision, double precision[], double precision, double precision) IS 'As contract_terms(numeric, ...), with a price in double precision: the decimal of up to 15 digits that it was written as.';

CREATE FUNCTION ltv.with_changes(terms ltv.terms, changes jsonb) RETURNS ltv.terms
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'with_changes';
COMMENT ON FUNCTION ltv.with_changes(ltv.terms, jsonb) IS 'The terms with some of them changed: an object of names and new values, {"discount_rate": 0.12}, or relative ones, {"revenue": {"times": 0.9}, {"horizon": {"plus": 12}, or null for what is usual. A relative change of revenue moves the ramp too, one of discount_rate the discount_curve; a new discount_rate takes the place of the curve; a new ramp brings its own revenue. Errors 22023, with the near names of an unknown one.';

CREATE FUNCTION ltv.lifetime_value(curve ltv.survival, terms ltv.terms) RETURNS ltv.valuation
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'lifetime_value_curve_terms';
COMMENT ON FUNCTION ltv.lifetime_value(ltv.survival, ltv.terms) IS 'Present value of the expected margin of an account with this survival curve under these terms (contract_terms). Times are months. NULL terms give NULLs and a status. Errors 22003.';
CREATE FUNCTION ltv.lifetime_value(m ltv.model, features record, terms ltv.terms) RETURNS ltv.valuation
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'lifetime_value_model_terms';
COMMENT ON FUNCTION ltv.lifetime_value(ltv.model, record, ltv.terms) IS 'lifetime_value(curve, terms) over predict_curve(m, features).';
CREATE FUNCTION ltv.lifetime_value(model text, features record, terms ltv.terms) RETURNS ltv.valuation
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'lifetime_value_name_terms';
COMMENT ON FUNCTION ltv.lifetime_value(text, record, ltv.terms) IS 'As lifetime_value(ltv.model, record, terms) with a registered model: name, name@alias or name@version.';

CREATE FUNCTION ltv.cash_flows(
    curve ltv.survival, terms ltv.terms,
    OUT period integer, OUT due_months double precision, OUT due_on date, OUT survival double precision, OUT revenue numeric, OUT cost numeric,
    OUT margin numeric, OUT discount_factor double precision, OUT present_value numeric, OUT cumulative numeric
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 60 AS 'MODULE_PATHNAME', 'cash_flows_curve_terms';
COMMENT ON FUNCTION ltv.cash_flows(ltv.survival, ltv.terms) IS 'The expected cash flows behind lifetime_value(curve, terms), which is their sum to the cent: one row per invoice, period 0 the acquisition cost. due_months, due_on: when it is paid; survival: the probability that the customer is there to be invoiced; revenue: what is expected to be paid, fees of those who broke the contract included; margin = revenue - cost. No rows where lifetime_value has none.';
CREATE FUNCTION ltv.cash_flows(
    m ltv.model, features record, terms ltv.terms,
    OUT period integer, OUT due_months double precision, OUT due_on date, OUT survival double precision, OUT revenue numeric, OUT cost numeric,
    OUT margin numeric, OUT discount_factor double precision, OUT present_value numeric, OUT cumulative numeric
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 60 AS 'MODULE_PATHNAME', 'cash_flows_model_terms';
COMMENT ON FUNCTION ltv.cash_flows(ltv.model, record, ltv.terms) IS 'As cash_flows(curve, terms) over predict_curve(m, features).';
CREATE FUNCTION ltv.cash_flows(
    model text, features record, terms ltv.terms,
    OUT period integer, OUT due_months double precision, OUT due_on date, OUT survival double precision, OUT revenue numeric, OUT cost numeric,
    OUT margin numeric, OUT discount_factor double precision, OUT present_value numeric, OUT cumulative numeric
) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 60 AS 'MODULE_PATHNAME', 'cash_flows_name_terms';
COMMENT ON FUNCTION ltv.cash_flows(text, record, ltv.terms) IS 'As cash_flows(ltv.model, record, terms) with a registered model: name, name@alias or name@version.';

CREATE FUNCTION ltv.lifetime_values(curve ltv.survival, terms ltv.terms, horizons integer[] DEFAULT '{12,24,120}') RETURNS SETOF ltv.valuation
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 3000 ROWS 3 AS 'MODULE_PATHNAME', 'lifetime_values_curve';
COMMENT ON FUNCTION ltv.lifetime_values(ltv.survival, ltv.terms, integer[]) IS 'lifetime_value(curve, terms) at several horizons, in months, one row each in their order: 12 and 24 for the near money, 120 for a full value (no value here is without an end). NULL elements are left out. Errors 22023.';
CREATE FUNCTION ltv.lifetime_values(m ltv.model, features record, terms ltv.terms, horizons integer[] DEFAULT '{12,24,120}') RETURNS SETOF ltv.valuation
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 3000 ROWS 3 AS 'MODULE_PATHNAME', 'lifetime_values_model';
COMMENT ON FUNCTION ltv.lifetime_values(ltv.model, record, ltv.terms, integer[]) IS 'As lifetime_values(curve, terms) over predict_curve(m, features).';
CREATE FUNCTION ltv.lifetime_values(model text, features record, terms ltv.terms, horizons integer[] DEFAULT '{12,24,120}') RETURNS SETOF ltv.valuation
    LANGUAGE c STABLE PARALLEL SAFE COST 3000 ROWS 3 AS 'MODULE_PATHNAME', 'lifetime_values_name';
COMMENT ON FUNCTION ltv.lifetime_values(text, record, ltv.terms, integer[]) IS 'As lifetime_values(ltv.model, record, terms) with a registered model: name, name@alias or name@version.';

CREATE FUNCTION ltv.value_components(
    curve ltv.survival, terms ltv.terms,
    OUT step integer, OUT component text, OUT factor double precision, OUT amount numeric, OUT running numeric
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10 AS 'MODULE_PATHNAME', 'value_components_curve';
COMMENT ON FUNCTION ltv.value_components(ltv.survival, ltv.terms) IS 'What lifetime_value(curve, terms) is made of, in ten steps from the price of today kept by everybody for the whole horizon: ramp and uplifts, expansion, retention, termination fees, bad debt, cost of sales, cost to serve, discounting, acquisition cost. amount: what the step adds, which sum to ltv to the cent; running: the value up to it; factor: running over that before, unrounded, NULL where that was 0: the first amount times all factors is ltv. No rows where there is no value.';
CREATE FUNCTION ltv.value_components(
    m ltv.model, features record, terms ltv.terms,
    OUT step integer, OUT component text, OUT factor double precision, OUT amount numeric, OUT running numeric
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10 AS 'MODULE_PATHNAME', 'value_components_model';
COMMENT ON FUNCTION ltv.value_components(ltv.model, record, ltv.terms) IS 'As value_components(curve, terms) over predict_curve(m, features).';
CREATE FUNCTION ltv.value_components(
    model text, features record, terms ltv.terms,
    OUT step integer, OUT component text, OUT factor double precision, OUT amount numeric, OUT running numeric
) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 10 AS 'MODULE_PATHNAME', 'value_components_name';
COMMENT ON FUNCTION ltv.value_components(text, record, ltv.terms) IS 'As value_components(ltv.model, record, terms) with a registered model: name, name@alias or name@version.';

CREATE FUNCTION ltv.present_value(curve ltv.survival, terms ltv.terms, revenue double precision, given double precision DEFAULT 0) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'present_value';
COMMENT ON FUNCTION ltv.present_value(ltv.survival, ltv.terms, double precision, double precision) IS 'The ltv of lifetime_value(curve, terms) with this revenue and this age in months in the place of the terms'' own, for books of many contracts that differ in these alone: the same number to the cent, by a few multiplications where an age is met again. NULL where an argument is, and where there is no value. Errors 22023, 22003.';
