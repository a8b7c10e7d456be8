-- Did the predicted probabilities come true?

CREATE FUNCTION ltv._calibration_add(state ltv.calibration, probability double precision, outcome boolean) RETURNS ltv.calibration
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'calibration_add_bool';
COMMENT ON FUNCTION ltv._calibration_add(ltv.calibration, double precision, boolean) IS 'Transition function of calibration_agg.';
CREATE FUNCTION ltv._calibration_add(state ltv.calibration, probability double precision, outcome boolean, weight double precision) RETURNS ltv.calibration
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'calibration_add_weight_bool';
COMMENT ON FUNCTION ltv._calibration_add(ltv.calibration, double precision, boolean, double precision) IS 'Transition function of calibration_agg.';
CREATE FUNCTION ltv._calibration_add(state ltv.calibration, probability double precision, outcome integer) RETURNS ltv.calibration
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'calibration_add_int';
COMMENT ON FUNCTION ltv._calibration_add(ltv.calibration, double precision, integer) IS 'Transition function of calibration_agg.';
CREATE FUNCTION ltv._calibration_add(state ltv.calibration, probability double precision, outcome integer, weight double precision) RETURNS ltv.calibration
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'calibration_add_weight_int';
COMMENT ON FUNCTION ltv._calibration_add(ltv.calibration, double precision, integer, double precision) IS 'Transition function of calibration_agg.';
CREATE FUNCTION ltv._calibration_combine(state ltv.calibration, other ltv.calibration) RETURNS ltv.calibration
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'calibration_combine';
COMMENT ON FUNCTION ltv._calibration_combine(ltv.calibration, ltv.calibration) IS 'Combine function of calibration_agg, transition function of rollup.';

CREATE AGGREGATE ltv.calibration_agg(probability double precision, outcome boolean) (
    SFUNC = ltv._calibration_add, STYPE = ltv.calibration, SSPACE = 32768, COMBINEFUNC = ltv._calibration_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.calibration_agg(double precision, boolean) IS 'Gathers predicted probabilities (0 to 1) of something and whether it happened. Predict and observe the same thing: the probability to renew goes with renewed, not with churned. Rows with a NULL are left out. Errors 22023.';

CREATE AGGREGATE ltv.calibration_agg(probability double precision, outcome boolean, weight double precision) (
    SFUNC = ltv._calibration_add, STYPE = ltv.calibration, SSPACE = 32768, COMBINEFUNC = ltv._calibration_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.calibration_agg(double precision, boolean, double precision) IS 'As calibration_agg(probability, outcome), each row counting weight times.';

CREATE AGGREGATE ltv.calibration_agg(probability double precision, outcome integer) (
    SFUNC = ltv._calibration_add, STYPE = ltv.calibration, SSPACE = 32768, COMBINEFUNC = ltv._calibration_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.calibration_agg(double precision, integer) IS 'As calibration_agg(probability, outcome), the outcome as 1 or 0.';

CREATE AGGREGATE ltv.calibration_agg(probability double precision, outcome integer, weight double precision) (
    SFUNC = ltv._calibration_add, STYPE = ltv.calibration, SSPACE = 32768, COMBINEFUNC = ltv._calibration_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.calibration_agg(double precision, integer, double precision) IS 'As calibration_agg(probability, outcome), the outcome as 1 or 0, each row counting weight times.';

CREATE AGGREGATE ltv.rollup(summary ltv.calibration) (
    SFUNC = ltv._calibration_combine, STYPE = ltv.calibration, SSPACE = 32768, COMBINEFUNC = ltv._calibration_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.calibration) IS 'Adds up calibration summaries, exactly as if calibration_agg had seen all their rows.';

CREATE FUNCTION ltv.calibration_curve(
    c ltv.calibration, bins integer DEFAULT 10, method text DEFAULT 'quantile', level double precision DEFAULT 0.95,
    OUT bin integer, OUT n double precision, OUT mean_predicted double precision, OUT observed double precision,
    OUT lower double precision, OUT upper double precision, OUT gap double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 10 AS 'MODULE_PATHNAME', 'calibration_curve';
COMMENT ON FUNCTION ltv.calibration_curve(ltv.calibration, integer, text, double precision) IS 'Predicted against observed, bin by bin. method: quantile (bins of equal number; equal probabilities stay together) or uniform (bins of equal width; empty ones are left out). lower, upper: Wilson interval of observed. gap = observed - mean_predicted.';

CREATE FUNCTION ltv.brier(c ltv.calibration) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'brier_wrapper';
COMMENT ON FUNCTION ltv.brier(ltv.calibration) IS 'Mean squared difference between probability and outcome (Brier 1950): 0 is perfect, 0.25 a coin. NULL without rows.';

CREATE FUNCTION ltv.log_loss(c ltv.calibration) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'log_loss_wrapper';
COMMENT ON FUNCTION ltv.log_loss(ltv.calibration) IS 'Mean of -ln of the probability given to what happened. NULL without rows, and when something happened that was given probability 0.';

CREATE FUNCTION ltv.auc(c ltv.calibration) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'auc_wrapper';
COMMENT ON FUNCTION ltv.auc(ltv.calibration) IS 'Area under the ROC curve: the probability that a row with the outcome was ranked above one without, ties half (Mann & Whitney 1947). NULL when one of the outcomes never happened.';

CREATE FUNCTION ltv.calibration_slope(c ltv.calibration) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'calibration_slope_wrapper';
COMMENT ON FUNCTION ltv.calibration_slope(ltv.calibration) IS 'Slope of the logistic recalibration (Cox 1958): 1 is right, below 1 the probabilities are too extreme. NULL when it cannot be estimated.';

CREATE FUNCTION ltv.calibration_intercept(c ltv.calibration) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'calibration_intercept_wrapper';
COMMENT ON FUNCTION ltv.calibration_intercept(ltv.calibration) IS 'Intercept of the logistic recalibration (Cox 1958): 0 is right. NULL when it cannot be estimated.';

CREATE FUNCTION ltv.expected_calibration_error(c ltv.calibration, bins integer DEFAULT 10, method text DEFAULT 'quantile') RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'expected_calibration_error_wrapper';
COMMENT ON FUNCTION ltv.expected_calibration_error(ltv.calibration, integer, text) IS 'Mean absolute gap between predicted and observed over the bins of calibration_curve, weighted by their numbers (Naeini, Cooper & Hauskrecht 2015); by default ten bins of equal number. NULL without rows.';
