-- The value types. Each is a varlena with a version byte, an exact text form (JSON) and binary send/receive.

CREATE FUNCTION ltv.version() RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'version_wrapper';
COMMENT ON FUNCTION ltv.version() IS 'The release of the loaded library. After ALTER EXTENSION ltv UPDATE, sessions that loaded an older one must reconnect.';

CREATE TYPE ltv.survival;
CREATE FUNCTION ltv.survival_in(cstring) RETURNS ltv.survival LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'survival_in_wrapper';
CREATE FUNCTION ltv.survival_out(ltv.survival) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'survival_out_wrapper';
CREATE FUNCTION ltv.survival_recv(internal) RETURNS ltv.survival LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'survival_recv_wrapper';
CREATE FUNCTION ltv.survival_send(ltv.survival) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'survival_send_wrapper';
CREATE TYPE ltv.survival (
    INPUT = ltv.survival_in, OUTPUT = ltv.survival_out, RECEIVE = ltv.survival_recv, SEND = ltv.survival_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.survival IS 'A survival curve: the exact counts of a cohort (survival_agg; mergeable by rollup) or what a model says of one row (predict_curve). All accessors and money functions take either.';
COMMENT ON FUNCTION ltv.survival_in(cstring) IS 'Reads the text form of a curve; anything that is no curve is error 22P02.';
COMMENT ON FUNCTION ltv.survival_out(ltv.survival) IS 'The text form of a curve: JSON, exact to the last bit.';
COMMENT ON FUNCTION ltv.survival_recv(internal) IS 'Reads the binary form of a curve, fully checked.';
COMMENT ON FUNCTION ltv.survival_send(ltv.survival) IS 'The binary form of a curve.';

CREATE TYPE ltv.design;
CREATE FUNCTION ltv.design_in(cstring) RETURNS ltv.design LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'design_in_wrapper';
CREATE FUNCTION ltv.design_out(ltv.design) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'design_out_wrapper';
CREATE FUNCTION ltv.design_recv(internal) RETURNS ltv.design LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'design_recv_wrapper';
CREATE FUNCTION ltv.design_send(ltv.design) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'design_send_wrapper';
CREATE TYPE ltv.design (
    INPUT = ltv.design_in, OUTPUT = ltv.design_out, RECEIVE = ltv.design_recv, SEND = ltv.design_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.design IS 'The rows of a regression while a fit_ aggregate gathers them: durations, events and covariates.';
COMMENT ON FUNCTION ltv.design_in(cstring) IS 'Reads the text form of the rows of a fit; anything else is error 22P02.';
COMMENT ON FUNCTION ltv.design_out(ltv.design) IS 'The text form of the rows of a fit: hexadecimal bytes.';
COMMENT ON FUNCTION ltv.design_recv(internal) IS 'Reads the binary form of the rows of a fit, fully checked.';
COMMENT ON FUNCTION ltv.design_send(ltv.design) IS 'The binary form of the rows of a fit.';

CREATE TYPE ltv.model;
CREATE FUNCTION ltv.model_in(cstring) RETURNS ltv.model LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'model_in_wrapper';
CREATE FUNCTION ltv.model_out(ltv.model) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'model_out_wrapper';
CREATE FUNCTION ltv.model_recv(internal) RETURNS ltv.model LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'model_recv_wrapper';
CREATE FUNCTION ltv.model_send(ltv.model) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'model_send_wrapper';
CREATE TYPE ltv.model (
    INPUT = ltv.model_in, OUTPUT = ltv.model_out, RECEIVE = ltv.model_recv, SEND = ltv.model_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.model IS 'A fitted model as a value: its named features and how they become numbers, its coefficients, its baseline. Made by fit_ aggregates and by train.';
COMMENT ON FUNCTION ltv.model_in(cstring) IS 'Reads the text form of a model; anything that is no model is error 22P02.';
COMMENT ON FUNCTION ltv.model_out(ltv.model) IS 'The text form of a model: JSON, exact to the last bit.';
COMMENT ON FUNCTION ltv.model_recv(internal) IS 'Reads the binary form of a model, fully checked, its fingerprint included.';
COMMENT ON FUNCTION ltv.model_send(ltv.model) IS 'The binary form of a model.';

CREATE TYPE ltv.calibration;
CREATE FUNCTION ltv.calibration_in(cstring) RETURNS ltv.calibration LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'calibration_in_wrapper';
CREATE FUNCTION ltv.calibration_out(ltv.calibration) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'calibration_out_wrapper';
CREATE FUNCTION ltv.calibration_recv(internal) RETURNS ltv.calibration LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'calibration_recv_wrapper';
CREATE FUNCTION ltv.calibration_send(ltv.calibration) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'calibration_send_wrapper';
CREATE TYPE ltv.calibration (
    INPUT = ltv.calibration_in, OUTPUT = ltv.calibration_out, RECEIVE = ltv.calibration_recv, SEND = ltv.calibration_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.calibration IS 'Predicted probabilities against what happened: exact counts per distinct probability, mergeable by rollup.';
COMMENT ON FUNCTION ltv.calibration_in(cstring) IS 'Reads the text form of a calibration summary; anything else is error 22P02.';
COMMENT ON FUNCTION ltv.calibration_out(ltv.calibration) IS 'The text form of a calibration summary: JSON, exact to the last bit.';
COMMENT ON FUNCTION ltv.calibration_recv(internal) IS 'Reads the binary form of a calibration summary, fully checked.';
COMMENT ON FUNCTION ltv.calibration_send(ltv.calibration) IS 'The binary form of a calibration summary.';

CREATE TYPE ltv.prediction AS (
    event_probability double precision,
    renewal_probability double precision,
    lower double precision,
    upper double precision,
    expected_lifetime double precision,
    linear_predictor double precision,
    status text
);
COMMENT ON TYPE ltv.prediction IS 'What predict says of one row.';
COMMENT ON COLUMN ltv.prediction.event_probability IS 'Probability of the event (churn) within the horizon, given the age: 1 - renewal_probability.';
COMMENT ON COLUMN ltv.prediction.renewal_probability IS 'Probability to last through the horizon, given the age.';
COMMENT ON COLUMN ltv.prediction.lower IS 'Lower limit of renewal_probability: the uncertainty of the model, not of the outcome.';
COMMENT ON COLUMN ltv.prediction.upper IS 'Upper limit of renewal_probability.';
COMMENT ON COLUMN ltv.prediction.expected_lifetime IS 'Mean remaining lifetime in the unit of the durations, the tail beyond the observed time included (status does not speak of it); NULL when it has no end. lifetime_value has the mean within its horizon.';
COMMENT ON COLUMN ltv.prediction.linear_predictor IS 'The features'' part of the model against the average row of the training data: sum of coefficient x (feature - its mean), on the scale of the coefficients (see coefficients: log hazard ratio, log odds ratio, log time ratio); NULL for kaplan_meier.';
COMMENT ON COLUMN ltv.prediction.status IS 'ok, extrapolated (the window ends beyond the observed time), pooled: and why (predicted by the model of all rows), unseen NULL: and the features that the row lacks although no training row did (of trees), or why there is no prediction.';

CREATE TYPE ltv.valuation AS (
    ltv numeric,
    undiscounted numeric,
    revenue numeric,
    cost numeric,
    expected_lifetime double precision,
    discount_rate double precision,
    horizon integer,
    tail_value numeric,
    tail_share double precision,
    payback_months double precision,
    lower numeric,
    upper numeric,
    currency text,
    status text,
    value_basis text,
    undiscounted_payback_months double precision,
    outcome_std_dev numeric,
    outcome_lower numeric,
    outcome_upper numeric
);
COMMENT ON TYPE ltv.valuation IS 'What lifetime_value says: money in the currency''s minor unit, equal to the sums over cash_flows.';
COMMENT ON COLUMN ltv.valuation.ltv IS 'Present value of the expected margin within the horizon, less acquisition cost.';
COMMENT ON COLUMN ltv.valuation.undiscounted IS 'The same without discounting.';
COMMENT ON COLUMN ltv.valuation.revenue IS 'Expected revenue within the horizon, undiscounted.';
COMMENT ON COLUMN ltv.valuation.cost IS 'Expected cost within the horizon, undiscounted: (1 - margin) of the revenue, cost to serve, acquisition cost.';
COMMENT ON COLUMN ltv.valuation.expected_lifetime IS 'Expected months still to come within the horizon (restricted mean).';
COMMENT ON COLUMN ltv.valuation.discount_rate IS 'The effective annual rate used; of a discount curve, the rate for the end of the horizon.';
COMMENT ON COLUMN ltv.valuation.horizon IS 'The months valued: a finite horizon is not a lifetime.';
COMMENT ON COLUMN ltv.valuation.tail_value IS 'The part of ltv that falls due at ages beyond what was observed.';
COMMENT ON COLUMN ltv.valuation.tail_share IS 'tail_value as a share of ltv before the acquisition cost; NULL when that is 0.';
COMMENT ON COLUMN ltv.valuation.payback_months IS 'Months until the acquisition cost has come back, discounted; NULL without one or when it never does.';
COMMENT ON COLUMN ltv.valuation.lower IS 'Lower limit of ltv by the uncertainty of the curve (delta method), as if the tail rule were true; NULL when that is unknown.';
COMMENT ON COLUMN ltv.valuation.upper IS 'Upper limit of ltv.';
COMMENT ON COLUMN ltv.valuation.currency IS 'The currency named in the call.';
COMMENT ON COLUMN ltv.valuation.status IS 'ok, extrapolated (the tail beyond the observed time counts), mostly extrapolated (it is more than half of ltv), truncated (nothing counts there), check the unit, or why there is no value.';
COMMENT ON COLUMN ltv.valuation.value_basis IS 'Which costs are taken off: revenue (none), gross-margin (cost of sales), contribution (and cost to serve); the acquisition cost on each.';
COMMENT ON COLUMN ltv.valuation.undiscounted_payback_months IS 'As payback_months, without discounting.';
COMMENT ON COLUMN ltv.valuation.outcome_std_dev IS 'Standard deviation of what one such customer brings when the curve is true: the chance of when that one leaves. Of the mean of n of them, over sqrt(n).';
COMMENT ON COLUMN ltv.valuation.outcome_lower IS 'What one such customer brings lies between outcome_lower and outcome_upper with at least the probability level, when the curve is true: quantiles over the time of leaving. lower and upper are about ltv, the mean, instead.';
COMMENT ON COLUMN ltv.valuation.outcome_upper IS 'See outcome_lower.';
