-- From predicted to observed probability: the map, and what is seen through it.

CREATE FUNCTION ltv.calibration_at(s ltv.survival_calibration, horizon double precision, censoring text DEFAULT 'marginal') RETURNS ltv.calibration
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'calibration_at_wrapper';
COMMENT ON FUNCTION ltv.calibration_at(ltv.survival_calibration, double precision, text) IS 'What is known at the horizon, as the summary of a yes-or-no forecast: the rows with the event by then and those seen beyond, with the predicted probability of the event (1 - survival), each weighed by one over the probability not to be censored so far (1/G(T-) or 1/G(horizon), G by Kaplan-Meier; Graf et al. 1999), so that they stand for the censored ones too. censoring: marginal or grouped, as in brier_score; for groups by what you know of the rows, gather a summary for each and take the rollup of their calibration_at. brier of it is brier_score, auc the auc at the horizon. All accessors of ltv.calibration then hold under censoring; their standard errors are those of whole weights and too small. NULL where nobody is seen beyond the horizon. Errors 22023, 53200.';

CREATE FUNCTION ltv.fit_recalibration(c ltv.calibration, method text DEFAULT 'isotonic') RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50000 AS 'MODULE_PATHNAME', 'fit_recalibration_wrapper';
COMMENT ON FUNCTION ltv.fit_recalibration(ltv.calibration, text) IS 'The rising map from predicted to observed probability of the event that keeps 0 and 1, as JSON. isotonic: pool adjacent violators (Zadrozny & Elkan 2002), straight lines between the ends of the pools. platt: logistic regression on the logit (Platt 1999), given as the beta map with equal coefficients. beta: logit p'' = intercept + event ln p - survival ln(1 - p) (Kull, Silva Filho & Flach 2017). intercept: one ratio of cumulative hazards e^log_ratio, by maximum likelihood on the complementary log-log scale. Predictions are first limited to 1e-8 .. 1 - 1e-8, but for isotonic. Under censoring: fit_recalibration(calibration_at(s, horizon)). Error 22023 when all outcomes are the same, the likelihood has no finite maximum, or the best map would fall.';

CREATE FUNCTION ltv.recalibrated_probability(probability double precision, map jsonb) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'recalibrated_probability';
COMMENT ON FUNCTION ltv.recalibrated_probability(double precision, jsonb) IS 'A probability of the event through a map of fit_recalibration. 0 stays 0 and 1 stays 1. Error 22023 for a number that is no probability and for what is no map.';

CREATE FUNCTION ltv.recalibrated(c ltv.calibration, map jsonb) RETURNS ltv.calibration
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'recalibrated_calibration';
COMMENT ON FUNCTION ltv.recalibrated(ltv.calibration, jsonb) IS 'The same outcomes with their predictions through a map of fit_recalibration: for scores after it. On rows that the map was not fitted to. Errors 22023, 53200.';

CREATE FUNCTION ltv.recalibrated(s ltv.survival_calibration, map jsonb) RETURNS ltv.survival_calibration
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'recalibrated_survival_calibration';
COMMENT ON FUNCTION ltv.recalibrated(ltv.survival_calibration, jsonb) IS 'The same rows with their predicted survival S through a map of fit_recalibration: 1 - map(1 - S). Errors 22023, 53200.';

CREATE FUNCTION ltv.recalibrated(m ltv.model, map jsonb) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'recalibrated_model';
COMMENT ON FUNCTION ltv.recalibrated(ltv.model, jsonb) IS 'The same fit seen through a map of fit_recalibration, in place of any map before; NULL takes it off. The map acts on the whole curve, S''(t) = 1 - map(1 - S(t)), so that predict, predict_curve, renewal_probability, lifetime_value and explain all tell the recalibrated numbers; beyond the observed time steps go on with their recalibrated average hazard. Limits of predict are the map of those before it (given an age, of who is left by then taken as known); in curves and values the standard error is scaled by the slope of the map between its 95 % limits. The map is taken as known: its own uncertainty is in no limit, and where it makes both limits 0 or both 1 there are none. Coefficients, linear predictors and the order of rows stay. Error 22023 for what is no map, and for models of counts of renewals or of purchases.';

CREATE FUNCTION ltv.recalibration(m ltv.model) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'model_recalibration_wrapper';
COMMENT ON FUNCTION ltv.recalibration(ltv.model) IS 'The map that a model is seen through, as fit_recalibration gives it; NULL for a model without.';
