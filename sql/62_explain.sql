-- What a prediction, and a lifetime value, are associated with: the difference from the average row, by feature.

CREATE FUNCTION ltv.model_horizon(m ltv.model, horizon double precision DEFAULT NULL) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'model_horizon';
COMMENT ON FUNCTION ltv.model_horizon(ltv.model, double precision) IS 'For how long ahead a model as a value answers when asked for this horizon, or for none (NULL): of a model of durations for that, or 12, in the unit of the durations (a registered version, by name, for the one at which train judged it); of a hybrid for the months of its own terms. NULL for models of amounts, which have none, and hybrids without terms. A horizon that would not count is refused: Errors 22023 for one that is not finite and above 0, one that is not the hybrid''s own, and any for a model of amounts.';

CREATE FUNCTION ltv.unscored_status(m ltv.model, horizon double precision) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'unscored_status_wrapper';
COMMENT ON FUNCTION ltv.unscored_status(ltv.model, double precision) IS 'What evaluate and its like say where no row at all has a score: no row could be scored, and of one cause among several (fine_gray) until when its incidence is known - the longest duration of the training, of the longest segment - where the horizon lies beyond.';

CREATE FUNCTION ltv.explain(
    m ltv.model, features record, top integer DEFAULT 5, horizon double precision DEFAULT NULL, given double precision DEFAULT 0, unit text DEFAULT 'auto',
    OUT rank integer, OUT feature text, OUT value text, OUT contribution double precision, OUT direction text,
    OUT baseline double precision, OUT prediction double precision, OUT status text
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 6 AS 'MODULE_PATHNAME', 'explain_model';
COMMENT ON FUNCTION ltv.explain(ltv.model, record, integer, double precision, double precision, text) IS 'Which features of a row its prediction is associated with - not what caused it. One row per feature, the largest first, and one for all beyond top: contributions add up to prediction - baseline. baseline is the prediction for the average row of the training data (the means of the columns, so the shares of a category''s levels; of a model with strata the average row in the row''s own stratum; of kaplan_meier the mean over the training subjects). All levels of a category are one contribution. unit: auto (probability; of models of amounts amount), probability (of the event within horizon, given the age), renewal-probability, amount (in its own unit), log-amount (of those with the log link: see explain_amount), or the scale of the model''s coefficients: log-hazard, log-odds, log-time or probit (linear-predictor names any of them). Allocation: coefficient x (feature - mean) on the model''s scale; in probability each feature''s share of it (Aumann & Shapley 1974; integrated gradients, Sundararajan, Taly & Yan 2017), along the straight line from the average row; for kaplan_meier exact Shapley values conditional on the training cohorts (Owen & Prieur 2017), of at most 16 features. Of a hybrid with terms of its own: what it makes the row worth (expected_value), in whole minor units of its currency that add up exactly; each component gets its Shapley value, the others at the row or at their average rows, and its features share it as the component explains itself (values with a priori unions: Owen 1977); a feature of several components has the sum. The price of the row is a term: the average row has it too. direction: higher, lower or none. horizon: where it is left out or NULL 12 in the unit of the durations, of a registered model by name the one at which train judged it; of a hybrid that of its terms, as given is, and of a model of amounts there is neither: others than these are refused (see model_horizon). A row without a score gives one row that names the feature at fault and says why in status. No rows where another argument is NULL, as an age that is not known. Errors 22023, 42703.';

CREATE FUNCTION ltv.explain(
    model text, features record, top integer DEFAULT 5, horizon double precision DEFAULT NULL, given double precision DEFAULT 0, unit text DEFAULT 'auto',
    OUT rank integer, OUT feature text, OUT value text, OUT contribution double precision, OUT direction text,
    OUT baseline double precision, OUT prediction double precision, OUT status text
) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 6 AS 'MODULE_PATHNAME', 'explain_name';
COMMENT ON FUNCTION ltv.explain(text, record, integer, double precision, double precision, text) IS 'As explain(ltv.model, ...) with a registered model: name, name@alias or name@version. horizon: left out or NULL it is the one at which train judged the version (see model_horizon).';

CREATE FUNCTION ltv.explain_amount(
    m ltv.model, features record, top integer DEFAULT 5,
    OUT rank integer, OUT feature text, OUT value text, OUT contribution double precision, OUT factor double precision, OUT amount double precision, OUT direction text,
    OUT baseline double precision, OUT prediction double precision, OUT scale text, OUT status text
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 6 AS 'MODULE_PATHNAME', 'explain_amount_model';
COMMENT ON FUNCTION ltv.explain_amount(ltv.model, record, integer) IS 'What the expected amount of a row (linear, gamma, tweedie, two_part, boosted_value; a hybrid with terms of its own: see explain) is associated with, feature by feature, the largest first - not what caused it. contribution: on the scale on which features add up (scale: amount with the identity link, else log-amount); the sum is prediction - baseline, or ln(prediction) - ln(baseline). factor: exp(contribution), of log-amount; the product is prediction / baseline. amount: the part in the amount''s own unit; the sum is prediction - baseline. baseline: what is expected of the average row of the training data (the means of the columns), of trees that of a row whose trees add up to their mean. Allocation: coefficient x (feature - mean); of trees Shapley values (Lundberg et al. 2020) on the scale of their sum; of a two-part model the logarithms of both parts, which add up, and in the amount both parts along the straight line from the average row (Aumann & Shapley 1974). With one part the amounts are the contributions times the logarithmic mean of both amounts. top: the features told one by one, and one row for all others. A row without an expected amount gives one row that says why in status. Errors 22023: a model of durations, a hybrid without terms (explain_value takes them); 42703.';
CREATE FUNCTION ltv.explain_amount(
    model text, features record, top integer DEFAULT 5,
    OUT rank integer, OUT feature text, OUT value text, OUT contribution double precision, OUT factor double precision, OUT amount double precision, OUT direction text,
    OUT baseline double precision, OUT prediction double precision, OUT scale text, OUT status text
) RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 6 AS 'MODULE_PATHNAME', 'explain_amount_name';
COMMENT ON FUNCTION ltv.explain_amount(text, record, integer) IS 'As explain_amount(ltv.model, ...) with a registered model: name, name@alias or name@version.';

CREATE TYPE ltv.value_contribution AS (
    rank integer,
    feature text,
    value text,
    contribution numeric,
    direction text,
    baseline numeric,
    prediction numeric,
    currency text,
    status text
);
COMMENT ON TYPE ltv.value_contribution IS 'What explain_value says of one feature of a row: how much of the difference between its lifetime value and that of the average row goes with it.';
COMMENT ON COLUMN ltv.value_contribution.rank IS 'The place by the size of the contribution; the last row holds all beyond top.';
COMMENT ON COLUMN ltv.value_contribution.feature IS 'The feature, all levels of a category as one.';
COMMENT ON COLUMN ltv.value_contribution.value IS 'Its value in the row, as text.';
COMMENT ON COLUMN ltv.value_contribution.contribution IS 'Its share of prediction - baseline: all of them add up to it, to the minor unit.';
COMMENT ON COLUMN ltv.value_contribution.direction IS 'higher, lower or none.';
COMMENT ON COLUMN ltv.value_contribution.baseline IS 'The lifetime value of the average row under the same terms.';
COMMENT ON COLUMN ltv.value_contribution.prediction IS 'The lifetime value of the row.';
COMMENT ON COLUMN ltv.value_contribution.currency IS 'The currency of the call; NULL when it named none.';
COMMENT ON COLUMN ltv.value_contribution.status IS 'As in lifetime_value; of a row without a value, why.';

CREATE FUNCTION ltv.explain_value(
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
    top integer DEFAULT 5
) RETURNS SETOF ltv.value_contribution
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 ROWS 6 AS 'MODULE_PATHNAME', 'explain_value_model';
COMMENT ON FUNCTION ltv.explain_value(ltv.model, record, double precision, double precision, double precision, double precision, integer, double precision, double precision, double precision, text, text, double precision, double precision, double precision, integer, double precision, text, text, double precision, date, integer) IS 'explain in money: how the lifetime value of a row differs from that of the average row, by feature, to the minor unit. Terms as in lifetime_value; prediction is its ltv, baseline the ltv of the average row under the same terms. The allocation is that of explain, and the contributions add up to prediction - baseline to the cent (largest remainders). currency: that of the call. status as in lifetime_value. Errors 22023, 42703.';

CREATE FUNCTION ltv.explain_value(
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
    top integer DEFAULT 5
) RETURNS SETOF ltv.value_contribution
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 6 AS 'MODULE_PATHNAME', 'explain_value_name';
COMMENT ON FUNCTION ltv.explain_value(text, record, double precision, double precision, double precision, double precision, integer, double precision, double precision, double precision, text, text, double precision, double precision, double precision, integer, double precision, text, text, double precision, date, integer) IS 'As explain_value(ltv.model, ...) with a registered model: name, name@alias or name@version.';

CREATE FUNCTION ltv.explain_value(m ltv.model, features record, terms ltv.terms, top integer DEFAULT 5) RETURNS SETOF ltv.value_contribution
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 ROWS 6 AS 'MODULE_PATHNAME', 'explain_value_model_terms';
COMMENT ON FUNCTION ltv.explain_value(ltv.model, record, ltv.terms, integer) IS 'As explain_value(m, features, revenue, ...), of the value lifetime_value(m, features, terms): with terms that have no argument there, such as ramps, notice and bad debt. Of a hybrid the value hybrid_value(m, features, terms), allocated across its components as explain does it.';
CREATE FUNCTION ltv.explain_value(model text, features record, terms ltv.terms, top integer DEFAULT 5) RETURNS SETOF ltv.value_contribution
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 6 AS 'MODULE_PATHNAME', 'explain_value_name_terms';
COMMENT ON FUNCTION ltv.explain_value(text, record, ltv.terms, integer) IS 'As explain_value(ltv.model, record, ltv.terms, integer) with a registered model: name, name@alias or name@version.';
