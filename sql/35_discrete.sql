-- Renewal decisions: logistic regression, one row per decision, and hazards in discrete time, one row per contract.

CREATE FUNCTION ltv._renewal_add(state ltv.design, renewed boolean, covariates double precision[]) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'renewal_add_bool';
COMMENT ON FUNCTION ltv._renewal_add(ltv.design, boolean, double precision[]) IS 'Transition function of fit_renewal.';
CREATE FUNCTION ltv._renewal_add(state ltv.design, renewed boolean, covariates double precision[], weight double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'renewal_add_weight_bool';
COMMENT ON FUNCTION ltv._renewal_add(ltv.design, boolean, double precision[], double precision) IS 'Transition function of fit_renewal.';
CREATE FUNCTION ltv._renewal_add(state ltv.design, renewed integer, covariates double precision[]) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'renewal_add_int';
COMMENT ON FUNCTION ltv._renewal_add(ltv.design, integer, double precision[]) IS 'Transition function of fit_renewal.';
CREATE FUNCTION ltv._renewal_add(state ltv.design, renewed integer, covariates double precision[], weight double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'renewal_add_weight_int';
COMMENT ON FUNCTION ltv._renewal_add(ltv.design, integer, double precision[], double precision) IS 'Transition function of fit_renewal.';
CREATE FUNCTION ltv._fit_renewal(state ltv.design) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_renewal_final';
COMMENT ON FUNCTION ltv._fit_renewal(ltv.design) IS 'Final function of fit_renewal.';
CREATE FUNCTION ltv._fit_discrete_time(state ltv.design) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_discrete_time_final';
COMMENT ON FUNCTION ltv._fit_discrete_time(ltv.design) IS 'Final function of fit_discrete_time.';

CREATE AGGREGATE ltv.fit_renewal(renewed boolean, covariates double precision[]) (
    SFUNC = ltv._renewal_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_renewal, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_renewal(boolean, double precision[]) IS 'Fits the probability of renewal by logistic regression as an aggregate, one row per renewal decision: the log odds of renewed are linear in the covariates, the same number of finite values in every row, named x1, x2, ... in the model. Decisions are taken to be 12 apart: renewal_probability(m, row, 12) is the next one; fit_renewal(design, period => 1) says otherwise. Rows with a NULL are left out. NULL when no row is left; see model_status for separated or collinear data. As R''s glm(binomial). Errors 22023.';

CREATE AGGREGATE ltv.fit_renewal(renewed boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._renewal_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_renewal, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_renewal(boolean, double precision[], double precision) IS 'As fit_renewal(renewed, covariates), each row counting weight times (finite, greater than 0).';

CREATE AGGREGATE ltv.fit_renewal(renewed integer, covariates double precision[]) (
    SFUNC = ltv._renewal_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_renewal, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_renewal(integer, double precision[]) IS 'As fit_renewal(renewed, covariates). The outcome as 1 or 0.';

CREATE AGGREGATE ltv.fit_renewal(renewed integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._renewal_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_renewal, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_renewal(integer, double precision[], double precision) IS 'As fit_renewal(renewed, covariates), each row counting weight times (finite, greater than 0). The outcome as 1 or 0.';

CREATE FUNCTION ltv.fit_renewal(d ltv.design, link text DEFAULT 'logit', period double precision DEFAULT 12, penalty double precision DEFAULT 0, names text[] DEFAULT NULL, robust boolean DEFAULT NULL) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_renewal_design';
COMMENT ON FUNCTION ltv.fit_renewal(ltv.design, text, double precision, double precision, text[], boolean) IS 'As the aggregate fit_renewal, with options, on rows gathered by design_agg(1, renewed, covariates ...): the event is the renewal, the times are not looked at, weights and offsets count. link: logit or cloglog. period: time from one decision to the next, in the unit in which predictions are asked. penalty: L of L/2 times the sum of the squared coefficients per standard deviation (ridge; glmnet''s lambda is L / n), the intercept free; standard errors are then those of the penalised information. names: of the covariates. robust: whether standard errors are by clusters (the sandwich: Huber 1967, White 1982, Liang & Zeger 1986; the inverse of the observed information around the squares of the scores summed by cluster, without a correction for small samples, as in fit_cox), a row without a cluster being one of its own; NULL: where a row has one. Intervals are then made from them. An account that decides every year is a cluster: design_agg(0, 1, renewed, covariates, weight, '''', account). The Wald test of model_test is then the robust one. As statsmodels'' GLM with cov_type=''cluster'' and use_correction=False. Errors 22023: also clusters and a penalty.';

CREATE AGGREGATE ltv.fit_discrete_time(duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_discrete_time, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_discrete_time(double precision, boolean, double precision[]) IS 'Fits hazards in discrete time as an aggregate: in each period at risk the log odds of the event are a level of the period''s own plus a linear function of the covariates. duration: whole periods survived or begun (others are rounded up, and told by model_status: whoever was censored within a period counts as having outlasted it, so hazards are then too low); event and covariates as in fit_cox. The same as a logistic regression on one row per person-period (Allison 1982), without writing these out. fit_discrete_time(design, ...) has other links, baselines and period lengths. Rows with a NULL are left out. NULL when no row is left. As R''s glm(binomial) on survSplit data. Errors 22023.';

CREATE AGGREGATE ltv.fit_discrete_time(duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_discrete_time, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_discrete_time(double precision, boolean, double precision[], double precision) IS 'As fit_discrete_time(duration, event, covariates). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_discrete_time(entry double precision, duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_discrete_time, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_discrete_time(double precision, double precision, boolean, double precision[]) IS 'As fit_discrete_time(duration, event, covariates). With delayed entry: at risk from the period after entry; several rows with adjoining (entry, duration] are one subject whose covariates change.';

CREATE AGGREGATE ltv.fit_discrete_time(entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_discrete_time, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_discrete_time(double precision, double precision, boolean, double precision[], double precision) IS 'As fit_discrete_time(duration, event, covariates). With delayed entry: at risk from the period after entry; several rows with adjoining (entry, duration] are one subject whose covariates change. Each row counts weight times.';

CREATE AGGREGATE ltv.fit_discrete_time(duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_discrete_time, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_discrete_time(double precision, integer, double precision[]) IS 'As fit_discrete_time(duration, event, covariates). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_discrete_time(duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_discrete_time, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_discrete_time(double precision, integer, double precision[], double precision) IS 'As fit_discrete_time(duration, event, covariates). Each row counts weight times. The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_discrete_time(entry double precision, duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_discrete_time, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_discrete_time(double precision, double precision, integer, double precision[]) IS 'As fit_discrete_time(duration, event, covariates). With delayed entry: at risk from the period after entry; several rows with adjoining (entry, duration] are one subject whose covariates change. The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_discrete_time(entry double precision, duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_discrete_time, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_discrete_time(double precision, double precision, integer, double precision[], double precision) IS 'As fit_discrete_time(duration, event, covariates). With delayed entry: at risk from the period after entry; several rows with adjoining (entry, duration] are one subject whose covariates change. Each row counts weight times. The event as 1 or 0.';

CREATE FUNCTION ltv.fit_discrete_time(d ltv.design, link text DEFAULT 'logit', baseline text DEFAULT 'period', degree integer DEFAULT 3, period double precision DEFAULT 1, penalty double precision DEFAULT 0, names text[] DEFAULT NULL, robust boolean DEFAULT NULL) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_discrete_time_design';
COMMENT ON FUNCTION ltv.fit_discrete_time(ltv.design, text, text, integer, double precision, double precision, text[], boolean) IS 'As the aggregate fit_discrete_time, with options, on rows gathered by design_agg. link: logit, or cloglog (Prentice & Gloeckler 1978: coefficients are log hazard ratios, those of a Cox model seen in periods). baseline: period (a level per period), linear, log, polynomial or spline in the number of the period; degree: terms of the last two (the spline is natural cubic, knots at quantiles of the events). period: its length in the unit of the durations, as 30 for days in months; times are divided by it and rounded up (whoever was censored within a period counts as having outlasted it: hazards are then too low, the more so the longer the period). penalty: as in fit_renewal. names: of the covariates. robust: as in fit_renewal; the periods of one row are independent of each other as they are in the likelihood, and those of the rows of a cluster are taken together. Errors 22023: also clusters and a penalty, and clusters with more than 300 periods and coefficients together (a smooth baseline has few).';
