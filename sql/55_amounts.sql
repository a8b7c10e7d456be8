-- Models of amounts (expansion, margin, cost to serve), rules, and the hybrid of several models.

CREATE FUNCTION ltv._amount_add(state ltv.design, amount double precision, covariates double precision[]) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'amount_add';
COMMENT ON FUNCTION ltv._amount_add(ltv.design, double precision, double precision[]) IS 'Transition function of amount_design_agg.';
CREATE FUNCTION ltv._amount_add(state ltv.design, amount double precision, covariates double precision[], weight double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'amount_add_weight';
COMMENT ON FUNCTION ltv._amount_add(ltv.design, double precision, double precision[], double precision) IS 'Transition function of amount_design_agg.';
CREATE FUNCTION ltv._amount_add(state ltv.design, amount double precision, covariates double precision[], weight double precision, "offset" double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'amount_add_offset';
COMMENT ON FUNCTION ltv._amount_add(ltv.design, double precision, double precision[], double precision, double precision) IS 'Transition function of amount_design_agg.';
CREATE FUNCTION ltv._amount_add(state ltv.design, amount double precision, covariates double precision[], weight double precision, "offset" double precision, cluster text) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'amount_add_cluster';
COMMENT ON FUNCTION ltv._amount_add(ltv.design, double precision, double precision[], double precision, double precision, text) IS 'Transition function of amount_design_agg.';

CREATE AGGREGATE ltv.amount_design_agg(amount double precision, covariates double precision[]) (
    SFUNC = ltv._amount_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.amount_design_agg(double precision, double precision[]) IS 'Gathers the rows of a model of amounts for fit_linear, fit_gamma, fit_tweedie, fit_two_part and fit_boosted_value: what is to be explained, and the same number of finite covariates in every row (ARRAY[]::float8[] for none). Rows with a NULL are left out and counted. Errors 22023: an amount or covariate that is not finite.';
CREATE AGGREGATE ltv.amount_design_agg(amount double precision, covariates double precision[], weight double precision) (
    SFUNC = ltv._amount_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.amount_design_agg(double precision, double precision[], double precision) IS 'As amount_design_agg(amount, covariates), each row counting weight times (finite, greater than 0), as if repeated.';
CREATE AGGREGATE ltv.amount_design_agg(amount double precision, covariates double precision[], weight double precision, "offset" double precision) (
    SFUNC = ltv._amount_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.amount_design_agg(double precision, double precision[], double precision, double precision) IS 'As before with an offset: a part of the linear predictor whose coefficient is 1. With the log link of gamma and Tweedie models the logarithm of an exposure, ln(months), makes the amount one per unit of it; what is expected of a row is then for an exposure of 1.';

CREATE AGGREGATE ltv.amount_design_agg(amount double precision, covariates double precision[], weight double precision, "offset" double precision, cluster text) (
    SFUNC = ltv._amount_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.amount_design_agg(double precision, double precision[], double precision, double precision, text) IS 'As before with clusters: rows of one customer, whose amounts belong together, for the robust variance of fit_linear, fit_gamma and fit_tweedie. A row whose cluster is NULL is one of its own. Write 1 for no weight and 0 for no offset.';

CREATE FUNCTION ltv.fit_linear(d ltv.design, penalty double precision DEFAULT 0, names text[] DEFAULT NULL, robust boolean DEFAULT NULL) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_linear';
COMMENT ON FUNCTION ltv.fit_linear(ltv.design, double precision, text[], boolean) IS 'Weighted least squares of the amounts of amount_design_agg: any amounts, the expected one a sum of effects. penalty: ridge, lambda / 2 times the sum of the squared coefficients per standard deviation of their covariate, added to half the sum of squares; the intercept is free (Hoerl & Kennard 1970). names: of the covariates, as the columns that hold them (x1, x2, ... without). Standard errors from the dispersion RSS / (sum of weights - rank), tests and limits by Student''s t with those degrees of freedom, as R''s lm with the rows repeated. A covariate that others determine has NULLs (model_status). robust: whether standard errors are by clusters (the sandwich: Huber 1967, White 1982, Liang & Zeger 1986; the inverse of the observed information around the squares of the scores summed by cluster, without a correction for small samples, as in fit_cox), a row without a cluster being one of its own; NULL: where a row has one. Intervals are then made from them. Tests and limits are then by the normal law, and the dispersion is that of single amounts only. As statsmodels'' GLM with cov_type=''cluster'' and use_correction=False. NULL without rows. Errors 22023: also clusters and a penalty.';
CREATE FUNCTION ltv.fit_gamma(d ltv.design, penalty double precision DEFAULT 0, names text[] DEFAULT NULL, robust boolean DEFAULT NULL) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_gamma';
COMMENT ON FUNCTION ltv.fit_gamma(ltv.design, double precision, text[], boolean) IS 'Gamma regression with the log link (McCullagh & Nelder 1989, chapter 8) of amounts greater than 0 that vary in proportion to their mean: a coefficient is the log of a ratio of amounts. penalty and names as in fit_linear (the penalty stands against half the deviance). Standard errors from the expected information and Pearson''s dispersion, tests and limits by Student''s t with its degrees of freedom, as R''s glm(Gamma(log)) with the rows repeated. robust: as in fit_linear. NULL without rows. Errors 22023: an amount that is not greater than 0.';
CREATE FUNCTION ltv.fit_tweedie(d ltv.design, power double precision DEFAULT NULL, penalty double precision DEFAULT 0, names text[] DEFAULT NULL, robust boolean DEFAULT NULL) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_tweedie';
COMMENT ON FUNCTION ltv.fit_tweedie(ltv.design, double precision, double precision, text[], boolean) IS 'Tweedie regression with the log link (Jorgensen 1987) of amounts of which some are exactly 0: a Poisson number of gammas, with the variance in proportion to the mean to the power, between 1 and 2. power NULL: the most likely one in [1.05, 1.95], to three digits, by the exact likelihood (the series of Dunn & Smyth 2005), for which the model is fitted some thirty times. penalty and names as in fit_gamma. Coefficients and standard errors as R''s glm(statmod::tweedie(power, 0)) with the rows repeated, so they hold as quasi-likelihood whatever the law. robust: as in fit_linear, the power counting as known. A covariate whose every amount is 0 has no finite coefficient: model_status says separated. NULL without rows. Errors 22023: a negative amount.';
CREATE FUNCTION ltv.fit_two_part(d ltv.design, amounts text DEFAULT 'gamma', penalty double precision DEFAULT 0, names text[] DEFAULT NULL) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_two_part';
COMMENT ON FUNCTION ltv.fit_two_part(ltv.design, text, double precision, text[]) IS 'The two-part model (Cragg 1971; Duan, Manning, Morris & Newhouse 1983) of amounts of which many are 0: a logit of amount > 0 over all rows, and the amounts that are, gamma or linear. What is expected is the product; coefficients lists both parts, amount_fit tells of each. penalty (on both) and names as in fit_linear; offsets are refused, and so are clusters, by which the errors of the parts would belong together. NULL without rows. Errors 22023: a negative amount.';

CREATE FUNCTION ltv.amount_fit(
    m ltv.model,
    OUT part text, OUT family text, OUT link text, OUT power double precision, OUT n_rows bigint, OUT degrees_of_freedom double precision, OUT dispersion double precision,
    OUT deviance double precision, OUT null_deviance double precision, OUT deviance_explained double precision, OUT log_likelihood double precision, OUT aic double precision,
    OUT iterations integer
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 2 AS 'MODULE_PATHNAME', 'amount_fit';
COMMENT ON FUNCTION ltv.amount_fit(ltv.model) IS 'How well a model of amounts fits: one row, or one for each part of a two-part model (occurrence, amount). power: the variance is dispersion * mean ^ power. degrees_of_freedom: sum of weights (a row counts as if repeated) less coefficients, those of Student''s t in tests and limits. dispersion: Pearson''s statistic over them (1 for the binomial); NULL when there are none. deviance beside that of a model with the intercept (and offsets) only, and the share explained. log_likelihood: with the dispersion at its maximum for linear and Tweedie models (the exact density), at deviance / sum of weights for gamma, as R''s glm; NULL where rows are met exactly. Of trees (boosted_value) the deviances only; iterations is their number. No rows for other models.';

CREATE FUNCTION ltv.expected_value(m ltv.model, features record) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 150 AS 'MODULE_PATHNAME', 'expected_value_model';
COMMENT ON FUNCTION ltv.expected_value(ltv.model, record) IS 'The amount that a model expects of a row (linear, gamma, tweedie, two_part, boosted_value), or what a hybrid with terms of its own makes it worth: the number that fits a SELECT list. Features are found in the row by name; a missing column is error 42703. NULL for a row without a value (expected_value_interval tells why). Errors 22023: a model that tells of durations.';
CREATE FUNCTION ltv.expected_value(model text, features record) RETURNS double precision
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 150 AS 'MODULE_PATHNAME', 'expected_value_name';
COMMENT ON FUNCTION ltv.expected_value(text, record) IS 'As expected_value(ltv.model, record) with a registered model: name, name@alias or name@version.';
CREATE FUNCTION ltv.amount_deviance(m ltv.model, features record, amount double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'amount_deviance';
COMMENT ON FUNCTION ltv.amount_deviance(ltv.model, record, double precision) IS 'What an amount adds to the deviance of a model (linear, gamma, tweedie, two_part, boosted_value) for its row, the loss that the fit made least: twice what the log-likelihood lacks of that of a model which expects the very amount, times the dispersion (McCullagh & Nelder 1989, section 2.3). With e the expected amount (y - e)^2 for linear, 2 ((y - e) / e - ln(y / e)) for gamma, 2 (y^(2-p) / ((1-p) (2-p)) - y e^(1-p) / (1-p) + e^(2-p) / (2-p)) for tweedie. Of two_part -2 ln P(amount = 0) where it is 0, else -2 ln P(amount > 0) and the deviance of the second part over its dispersion. The mean over rows is what train calls deviance. NULL for a row without an expected amount. Errors 22023: an amount that the law of the model cannot have, as 0 for gamma, models that are none of amounts, and hybrids; 22003 when it is beyond the numbers.';

CREATE FUNCTION ltv.expected_value_interval(
    m ltv.model, features record, level double precision DEFAULT 0.95,
    OUT value double precision, OUT lower double precision, OUT upper double precision, OUT status text
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'expected_value_interval_model';
COMMENT ON FUNCTION ltv.expected_value_interval(ltv.model, record, double precision) IS 'expected_value with limits of the expected amount, not of the single outcome: by the delta method on the scale of the link (log: limits stay above 0) and Student''s t with the degrees_of_freedom of amount_fit: of a linear model exact, as R''s predict(interval = ''confidence''). Of a two-part model the variances of its parts add up, with Satterthwaite''s (1946) degrees of freedom, as only that of the amount is estimated. NULL limits, and a status that says why, with less than one degree of freedom, where every row is met exactly, and for trees (outcome_interval and conformal_interval give limits of single amounts); of a hybrid as in hybrid_value. status: ok (ok: and why there are no limits), the fit is not to be trusted, or why there is no value: a NULL feature, an unseen level. Write it in LATERAL. Errors 22023.';
CREATE FUNCTION ltv.expected_value_interval(
    model text, features record, level double precision DEFAULT 0.95,
    OUT value double precision, OUT lower double precision, OUT upper double precision, OUT status text
) RETURNS record
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'expected_value_interval_name';
COMMENT ON FUNCTION ltv.expected_value_interval(text, record, double precision) IS 'As expected_value_interval(ltv.model, record, level) with a registered model: name, name@alias or name@version.';

CREATE FUNCTION ltv.outcome_interval(
    m ltv.model, features record, level double precision DEFAULT 0.95,
    OUT lower double precision, OUT upper double precision, OUT law text, OUT status text
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 400 AS 'MODULE_PATHNAME', 'outcome_interval_model';
COMMENT ON FUNCTION ltv.outcome_interval(ltv.model, record, double precision) IS 'Between which limits the amount of such a row will be, not what is expected of it, if the law of the model holds. linear: Student''s t with the errors of estimate and amount, as R''s predict(interval = ''prediction'') with the rows repeated by their weights. gamma: quantiles of the gamma law with the estimated mean and dispersion; two_part with gamma amounts: those of its mixture with 0 - neither with the error of the estimates. NULL, and a status that says so, for tweedie, a linear second part, and trees: conformal_interval holds whatever the law. Write it in LATERAL. Errors 22023: a model that tells of durations, a level outside (0, 1); 42703.';
CREATE FUNCTION ltv.outcome_interval(
    model text, features record, level double precision DEFAULT 0.95,
    OUT lower double precision, OUT upper double precision, OUT law text, OUT status text
) RETURNS record
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 400 AS 'MODULE_PATHNAME', 'outcome_interval_name';
COMMENT ON FUNCTION ltv.outcome_interval(text, record, double precision) IS 'As outcome_interval(ltv.model, record, level) with a registered model: name, name@alias or name@version.';

CREATE FUNCTION ltv.rule(rule jsonb) RETURNS ltv.model
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'rule_model';
COMMENT ON FUNCTION ltv.rule(jsonb) IS 'A churn rate that somebody wrote down, as a model to compare others with and to fall back to: {"monthly_churn": 0.03}, or {"by": "plan", "monthly_churn": {"basic": 0.05, "pro": 0.02}} for a column of texts, booleans or whole numbers; a level that is not named is unseen. Curves fall by that share every month. There are no limits (predict and lifetime_value have NULLs), as nothing was estimated. register_version, or train(..., ''rule''), gives it a name. Errors 22023.';

CREATE FUNCTION ltv.fit_hybrid(
    renewal ltv.model, expansion ltv.model DEFAULT NULL, margin ltv.model DEFAULT NULL, cost ltv.model DEFAULT NULL,
    terms ltv.terms DEFAULT NULL, revenue text DEFAULT NULL, names text[] DEFAULT NULL
) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fit_hybrid';
COMMENT ON FUNCTION ltv.fit_hybrid(ltv.model, ltv.model, ltv.model, ltv.model, ltv.terms, text, text[]) IS 'One model of what a contract is worth made of several: renewal (any model with a curve of lifetimes, in months) and, each where there is one, models of amounts for expansion (effective annual growth of the revenue of one who stays), margin (share of revenue left after cost of sales) and cost (to serve, in the currency of the terms, per their period). The components are kept whole, with the names given (in the order renewal, expansion, margin, cost). terms and revenue (the column of a row''s price, which takes the place of that of any terms), where given, let expected_value value a row without asking. A row must have the columns of all components. Errors 22023: a component of the wrong kind, columns of two kinds.';
CREATE FUNCTION ltv.fit_hybrid(
    renewal text, expansion text DEFAULT NULL, margin text DEFAULT NULL, cost text DEFAULT NULL, terms ltv.terms DEFAULT NULL, revenue text DEFAULT NULL
) RETURNS ltv.model
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asked text[] := ARRAY[renewal, expansion, margin, cost];
    names text[];
BEGIN
    -- A version and not an alias: what the hybrid was made of does not change.
    SELECT array_agg(split_part(a.name, '@', 1) || '@' || ltv.model_version(a.name) ORDER BY a.place) INTO names
    FROM unnest(asked) WITH ORDINALITY AS a (name, place);
    RETURN ltv.fit_hybrid(ltv.model(names[1]), ltv.model(names[2]), ltv.model(names[3]), ltv.model(names[4]), terms, revenue, names);
END
$$;
COMMENT ON FUNCTION ltv.fit_hybrid(text, text, text, text, ltv.terms, text) IS 'As fit_hybrid of models with registered ones: name, name@alias or name@version. Names are resolved now, and hybrid_components tells the versions: a promote later on does not change the hybrid.';

CREATE FUNCTION ltv.hybrid_components(
    m ltv.model, OUT role text, OUT model text, OUT algorithm text, OUT features text[], OUT status text
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 4 AS 'MODULE_PATHNAME', 'hybrid_components';
COMMENT ON FUNCTION ltv.hybrid_components(ltv.model) IS 'What a hybrid is made of: role (renewal, expansion, margin, cost), the name@version it was registered as (NULL for a model given as a value), its algorithm, the columns it reads and its model_status. Errors 22023: a model that is no hybrid.';

CREATE FUNCTION ltv.hybrid_value(
    m ltv.model, features record, terms ltv.terms DEFAULT NULL,
    OUT value numeric, OUT p_renew double precision, OUT expansion double precision, OUT margin double precision, OUT cost double precision,
    OUT horizon integer, OUT currency text, OUT status text, OUT lower numeric, OUT upper numeric
) RETURNS record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 2000 AS 'MODULE_PATHNAME', 'hybrid_value_model';
COMMENT ON FUNCTION ltv.hybrid_value(ltv.model, record, ltv.terms) IS 'What a hybrid makes a row worth: the components'' expansion, margin and cost take the places of those of the terms (the hybrid''s own where terms is NULL), and the value is lifetime_value of the renewal model''s curve under them, to the cent: lifetime_value(hybrid_curve(m, t), hybrid_terms(m, t, terms)). p_renew: the probability to stay for the whole horizon. expansion, margin and cost are those used, from the component or else from the terms. A row without one of them has NULLs and a status; pooled: and why, where the renewal model has segments and none of its own for the row. lower and upper: limits of the value, not of the outcome, at the level of the terms, by the delta method: the variance by the curve, as in lifetime_value, and for each model of an amount the square of its standard error times the slope of the value in it; Student''s t with Satterthwaite''s degrees of freedom of the sum, in which the curve''s variance counts as known (the normal law where all amounts are from many rows). Models are taken to err independently of each other, as each is fitted by itself; one model in two roles errs in both at once. NULL where a component tells no error: a rule, trees. Write it in LATERAL. Errors 22023.';
CREATE FUNCTION ltv.hybrid_value(
    model text, features record, terms ltv.terms DEFAULT NULL,
    OUT value numeric, OUT p_renew double precision, OUT expansion double precision, OUT margin double precision, OUT cost double precision,
    OUT horizon integer, OUT currency text, OUT status text, OUT lower numeric, OUT upper numeric
) RETURNS record
    LANGUAGE c STABLE PARALLEL SAFE COST 2000 AS 'MODULE_PATHNAME', 'hybrid_value_name';
COMMENT ON FUNCTION ltv.hybrid_value(text, record, ltv.terms) IS 'As hybrid_value(ltv.model, record, terms) with a registered model: name, name@alias or name@version.';
CREATE FUNCTION ltv.hybrid_terms(m ltv.model, features record, terms ltv.terms DEFAULT NULL) RETURNS ltv.terms
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'hybrid_terms';
COMMENT ON FUNCTION ltv.hybrid_terms(ltv.model, record, ltv.terms) IS 'The terms under which hybrid_value values a row: with hybrid_curve what cash_flows, value_components and the other functions of a curve and terms ask for, so that their rows add up to its value. NULL for a row without (hybrid_value tells why). Errors 22023.';
CREATE FUNCTION ltv.hybrid_own_terms(m ltv.model) RETURNS ltv.terms
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'hybrid_own_terms';
COMMENT ON FUNCTION ltv.hybrid_own_terms(ltv.model) IS 'The terms that are stored in a hybrid, before its components take their places: what expected_value and score value rows under. NULL for a hybrid that has none. Errors 22023: a model that is no hybrid.';
CREATE FUNCTION ltv.hybrid_revenue(m ltv.model) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'hybrid_revenue_wrapper';
COMMENT ON FUNCTION ltv.hybrid_revenue(ltv.model) IS 'The column that has the price of a row, which a hybrid values rows by in the place of that of the terms: the revenue of fit_hybrid. NULL for a hybrid that has none. Errors 22023: a model that is no hybrid.';
CREATE FUNCTION ltv.hybrid_curve(m ltv.model, features record) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'hybrid_curve';
COMMENT ON FUNCTION ltv.hybrid_curve(ltv.model, record) IS 'The curve of a row by the renewal model of a hybrid: predict_curve of that component. NULL for a row without. Errors 22023: a model that is no hybrid.';
