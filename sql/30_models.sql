-- Fits as aggregates, and what a fitted model says of a row.

CREATE FUNCTION ltv._fit_add(state ltv.design, duration double precision, event boolean, covariates double precision[]) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'fit_add_bool';
COMMENT ON FUNCTION ltv._fit_add(ltv.design, double precision, boolean, double precision[]) IS 'Transition function of the fit_ aggregates.';
CREATE FUNCTION ltv._fit_add(state ltv.design, duration double precision, event boolean, covariates double precision[], weight double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'fit_add_weight_bool';
COMMENT ON FUNCTION ltv._fit_add(ltv.design, double precision, boolean, double precision[], double precision) IS 'Transition function of the fit_ aggregates.';
CREATE FUNCTION ltv._fit_add(state ltv.design, entry double precision, duration double precision, event boolean, covariates double precision[]) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'fit_add_entry_bool';
COMMENT ON FUNCTION ltv._fit_add(ltv.design, double precision, double precision, boolean, double precision[]) IS 'Transition function of the fit_ aggregates.';
CREATE FUNCTION ltv._fit_add(state ltv.design, entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'fit_add_entry_weight_bool';
COMMENT ON FUNCTION ltv._fit_add(ltv.design, double precision, double precision, boolean, double precision[], double precision) IS 'Transition function of the fit_ aggregates.';
CREATE FUNCTION ltv._fit_add(state ltv.design, duration double precision, event integer, covariates double precision[]) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'fit_add_int';
COMMENT ON FUNCTION ltv._fit_add(ltv.design, double precision, integer, double precision[]) IS 'Transition function of the fit_ aggregates.';
CREATE FUNCTION ltv._fit_add(state ltv.design, duration double precision, event integer, covariates double precision[], weight double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'fit_add_weight_int';
COMMENT ON FUNCTION ltv._fit_add(ltv.design, double precision, integer, double precision[], double precision) IS 'Transition function of the fit_ aggregates.';
CREATE FUNCTION ltv._fit_add(state ltv.design, entry double precision, duration double precision, event integer, covariates double precision[]) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'fit_add_entry_int';
COMMENT ON FUNCTION ltv._fit_add(ltv.design, double precision, double precision, integer, double precision[]) IS 'Transition function of the fit_ aggregates.';
CREATE FUNCTION ltv._fit_add(state ltv.design, entry double precision, duration double precision, event integer, covariates double precision[], weight double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'fit_add_entry_weight_int';
COMMENT ON FUNCTION ltv._fit_add(ltv.design, double precision, double precision, integer, double precision[], double precision) IS 'Transition function of the fit_ aggregates.';
CREATE FUNCTION ltv._fit_combine(state ltv.design, other ltv.design) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'fit_combine';
COMMENT ON FUNCTION ltv._fit_combine(ltv.design, ltv.design) IS 'Combine function of the fit_ aggregates.';
CREATE FUNCTION ltv._fit_cox(state ltv.design) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_cox_final';
COMMENT ON FUNCTION ltv._fit_cox(ltv.design) IS 'Final function of fit_cox.';

CREATE AGGREGATE ltv.fit_cox(duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_cox, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_cox(double precision, boolean, double precision[]) IS 'Fits a Cox proportional hazards model (Cox 1972; Efron 1977 for ties) as an aggregate: GROUP BY gives a model per cohort. duration and event as in survival_agg; covariates: the same number of finite values in every row, named x1, x2, ... in the model. Rows with a NULL are left out. NULL when no row is left; see model_status for separated or collinear data. Errors 22023.';

CREATE AGGREGATE ltv.fit_cox(duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_cox, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_cox(double precision, boolean, double precision[], double precision) IS 'As fit_cox(duration, event, covariates). With case weights (as in R: each of tied events carries their mean weight); any that is not a whole number adds the robust variance.';

CREATE AGGREGATE ltv.fit_cox(entry double precision, duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_cox, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_cox(double precision, double precision, boolean, double precision[]) IS 'As fit_cox(duration, event, covariates). With delayed entry: at risk at t when entry < t <= duration.';

CREATE AGGREGATE ltv.fit_cox(entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_cox, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_cox(double precision, double precision, boolean, double precision[], double precision) IS 'As fit_cox(duration, event, covariates). With delayed entry: at risk at t when entry < t <= duration. With case weights (as in R: each of tied events carries their mean weight); any that is not a whole number adds the robust variance.';

CREATE AGGREGATE ltv.fit_cox(duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_cox, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_cox(double precision, integer, double precision[]) IS 'As fit_cox(duration, event, covariates). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_cox(duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_cox, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_cox(double precision, integer, double precision[], double precision) IS 'As fit_cox(duration, event, covariates). With case weights (as in R: each of tied events carries their mean weight); any that is not a whole number adds the robust variance. The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_cox(entry double precision, duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_cox, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_cox(double precision, double precision, integer, double precision[]) IS 'As fit_cox(duration, event, covariates). With delayed entry: at risk at t when entry < t <= duration. The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_cox(entry double precision, duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_cox, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_cox(double precision, double precision, integer, double precision[], double precision) IS 'As fit_cox(duration, event, covariates). With delayed entry: at risk at t when entry < t <= duration. With case weights (as in R: each of tied events carries their mean weight); any that is not a whole number adds the robust variance. The event as 1 or 0.';

CREATE FUNCTION ltv.coefficients(
    m ltv.model, level double precision DEFAULT 0.95,
    OUT term text, OUT estimate double precision, OUT std_error double precision, OUT robust_std_error double precision, OUT z double precision,
    OUT p_value double precision, OUT hazard_ratio double precision, OUT lower double precision, OUT upper double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 10 AS 'MODULE_PATHNAME', 'coefficients';
COMMENT ON FUNCTION ltv.coefficients(ltv.model, double precision) IS 'The coefficients of a regression model: estimate, standard error by the model, robust standard error (of cox Lin & Wei 1989, of decisions, discrete hazards, amounts and parametric models the sandwich by clusters, see fit_renewal; of a fine_gray model always; NULL for a model fitted without), Wald test, and hazard_ratio with its limits (lower, upper) at level; test and limits are from the robust standard error where there is one. What an estimate is depends on the model: a log hazard ratio (cox; fine_gray of the subdistribution; discrete_time with cloglog; gompertz, spline, piecewise_exponential), a log odds ratio (renewal and discrete_time with logit: hazard_ratio is then an odds ratio; of a renewal those of renewing), or a log time ratio (exponential, weibull, lognormal, loglogistic, generalized_gamma: above 0 lasts longer, and hazard_ratio is NULL). Of models of amounts (linear, gamma, tweedie, two_part) the limits are those of the estimate itself, hazard_ratio is NULL, and z, p_value and limits are Student''s where the dispersion was estimated - a t with the degrees_of_freedom of amount_fit, as in R''s summary.lm and summary.glm -, and of the normal law for the occurrence of a two_part model and for robust errors. Parametric models list their intercept first and their other parameters last (ancillary covariates as parameter: term); models of decisions list the terms of the baseline first. A term that the others determine, and a period whose level is infinite, has NULLs; a lasso has no standard errors. Of sbg and bdw the rows are alpha, beta and c themselves, lower and upper their own limits, made on the log scale; z, p_value and hazard_ratio are NULL, and so is an estimate that runs off (see model_status). No rows for kaplan_meier. Errors 22023: a level outside (0, 1).';

CREATE FUNCTION ltv.model_test(
    m ltv.model, OUT test text, OUT chi_squared double precision, OUT df integer, OUT p_value double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 3 AS 'MODULE_PATHNAME', 'model_test';
COMMENT ON FUNCTION ltv.model_test(ltv.model) IS 'Do the features together say anything? Tests that all their coefficients are 0: likelihood ratio, Wald and score for cox, renewal and discrete_time; likelihood ratio for parametric models (against the same distribution without features); Wald for fine_gray, whose weighted likelihood is none. Of a Cox model with the robust variance the Wald test is the robust one, and a fourth row is the robust score test; the likelihood ratio and the score test then still take the rows for independent. Of renewal and discrete_time with errors by clusters the Wald test is the robust one. No rows for kaplan_meier, for a Cox model with a penalty (no chi-squared law), without events, and without features (sbg, bdw).';

CREATE FUNCTION ltv.model_status(m ltv.model) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'model_status_wrapper';
COMMENT ON FUNCTION ltv.model_status(ltv.model) IS 'ok, or what is to be known of the fit: no events; all decisions are the same; not converged; separated (a coefficient runs to infinity); determined by other terms (collinear); undetermined (those at risk at the events do not differ by any term); of decisions also periods without events or that nobody outlasts, and how many times were rounded up; of sbg and bdw also no churn, nobody renewed, too few renewals seen, homogeneous (customers do not differ) and polarised (who renews once never leaves), the latter two with the limiting curve.';

CREATE FUNCTION ltv.model_clusters(m ltv.model) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'model_clusters_wrapper';
COMMENT ON FUNCTION ltv.model_clusters(ltv.model) IS 'How many clusters the robust standard errors of a model take its rows together by, a row without a cluster being one of its own; of a model with segments those of the model of all rows. NULL where the errors take rows as independent (of fine_gray they are robust by row, and this is NULL).';

CREATE FUNCTION ltv.model_algorithm(m ltv.model) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'model_algorithm_wrapper';
COMMENT ON FUNCTION ltv.model_algorithm(ltv.model) IS 'What was fitted: cox, kaplan_meier, discrete_time, renewal, fine_gray, sbg, bdw, or the distribution of a parametric model with _ for - (exponential, weibull, lognormal, loglogistic, generalized_gamma, gompertz, spline, spline_odds, spline_normal, piecewise_exponential; each with _cure behind it for a cured share).';

CREATE FUNCTION ltv.model_features(m ltv.model) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'model_features_wrapper';
COMMENT ON FUNCTION ltv.model_features(ltv.model) IS 'The columns that a row must have to be scored.';

CREATE FUNCTION ltv.feature_levels(m ltv.model, feature text) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'feature_levels_wrapper';
COMMENT ON FUNCTION ltv.feature_levels(ltv.model, text) IS 'The texts that training saw in a column that the model reads as a text, in byte order: levels of a category, strata, segments; of a hybrid those of all its components. NULL for a column that is no text to it, or that it does not read.';

CREATE FUNCTION ltv.predict(m ltv.model, features record, horizon double precision DEFAULT 12, given double precision DEFAULT 0, level double precision DEFAULT 0.95) RETURNS ltv.prediction
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'predict_model';
COMMENT ON FUNCTION ltv.predict(ltv.model, record, double precision, double precision, double precision) IS 'What the model says of a row: the probability of the event within horizon, given that it has lasted given, with limits at level. Features are found in the row by name; other columns are ignored; a missing column is error 42703. A NULL feature or an unseen level gives NULLs and a status. Interval: Tsiatis 1981 on the log-log scale. Write it in LATERAL.';
CREATE FUNCTION ltv.predict(model text, features record, horizon double precision DEFAULT NULL, given double precision DEFAULT 0, level double precision DEFAULT 0.95) RETURNS ltv.prediction
    LANGUAGE c STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'predict_name';
COMMENT ON FUNCTION ltv.predict(text, record, double precision, double precision, double precision) IS 'As predict(ltv.model, ...) with a registered model: name, name@alias or name@version. horizon: left out or NULL it is the one at which train judged the version (see model_horizon).';

CREATE FUNCTION ltv.renewal_probability(m ltv.model, features record, horizon double precision, given double precision DEFAULT 0) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 150 AS 'MODULE_PATHNAME', 'renewal_probability_model';
COMMENT ON FUNCTION ltv.renewal_probability(ltv.model, record, double precision, double precision) IS 'P(T > given + horizon | T > given) for a row by the model: the number that fits a SELECT list. NULL for a row without a score (predict tells why). Beyond the observed time the average hazard goes on.';
CREATE FUNCTION ltv.renewal_probability(model text, features record, horizon double precision, given double precision DEFAULT 0) RETURNS double precision
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 150 AS 'MODULE_PATHNAME', 'renewal_probability_name';
COMMENT ON FUNCTION ltv.renewal_probability(text, record, double precision, double precision) IS 'As renewal_probability(ltv.model, ...) with a registered model: name, name@alias or name@version.';

CREATE FUNCTION ltv.predict_curve(m ltv.model, features record) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'predict_curve_model';
COMMENT ON FUNCTION ltv.predict_curve(ltv.model, record) IS 'The survival curve of a row by the model, with its uncertainty; NULL for a row without a score.';
CREATE FUNCTION ltv.predict_curve(model text, features record) RETURNS ltv.survival
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'predict_curve_name';
COMMENT ON FUNCTION ltv.predict_curve(text, record) IS 'As predict_curve(ltv.model, ...) with a registered model: name, name@alias or name@version.';

