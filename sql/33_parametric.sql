-- Parametric models: curves that go on where the data end. What lies beyond the longest observed time is extrapolation.

CREATE FUNCTION ltv._fit_exponential(state ltv.design) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_exponential_final';
COMMENT ON FUNCTION ltv._fit_exponential(ltv.design) IS 'Final function of fit_exponential.';

CREATE AGGREGATE ltv.fit_exponential(duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_exponential, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_exponential(double precision, boolean, double precision[]) IS 'Fits a parametric survival model by maximum likelihood: the hazard is constant (log mean time: a coefficient is a log time ratio). A positive coefficient means longer times. duration > 0 for events, event true when it happened (else censored), covariates the same number of finite values in every row (an empty array for none), named x1, x2, ... Rows with a NULL are left out. NULL when no row is left; see model_status. The curve also answers beyond the longest duration seen: that is extrapolation. Errors 22023.';

CREATE AGGREGATE ltv.fit_exponential(duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_exponential, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_exponential(double precision, boolean, double precision[], double precision) IS 'As fit_exponential(duration, event, covariates). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_exponential(entry double precision, duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_exponential, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_exponential(double precision, double precision, boolean, double precision[]) IS 'As fit_exponential(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none).';

CREATE AGGREGATE ltv.fit_exponential(entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_exponential, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_exponential(double precision, double precision, boolean, double precision[], double precision) IS 'As fit_exponential(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_exponential(duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_exponential, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_exponential(double precision, integer, double precision[]) IS 'As fit_exponential(duration, event, covariates). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_exponential(duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_exponential, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_exponential(double precision, integer, double precision[], double precision) IS 'As fit_exponential(duration, event, covariates). Each row counts weight times. The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_exponential(entry double precision, duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_exponential, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_exponential(double precision, double precision, integer, double precision[]) IS 'As fit_exponential(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_exponential(entry double precision, duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_exponential, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_exponential(double precision, double precision, integer, double precision[], double precision) IS 'As fit_exponential(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). Each row counts weight times. The event as 1 or 0.';

CREATE FUNCTION ltv._fit_weibull(state ltv.design) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_weibull_final';
COMMENT ON FUNCTION ltv._fit_weibull(ltv.design) IS 'Final function of fit_weibull.';

CREATE AGGREGATE ltv.fit_weibull(duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_weibull, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_weibull(double precision, boolean, double precision[]) IS 'Fits a parametric survival model by maximum likelihood: Weibull: ln T = intercept + coefficients + scale * W with W the log of a unit exponential; the hazard rises when scale < 1, falls when > 1. A positive coefficient means longer times. duration > 0 for events, event true when it happened (else censored), covariates the same number of finite values in every row (an empty array for none), named x1, x2, ... Rows with a NULL are left out. NULL when no row is left; see model_status. The curve also answers beyond the longest duration seen: that is extrapolation. Errors 22023.';

CREATE AGGREGATE ltv.fit_weibull(duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_weibull, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_weibull(double precision, boolean, double precision[], double precision) IS 'As fit_weibull(duration, event, covariates). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_weibull(entry double precision, duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_weibull, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_weibull(double precision, double precision, boolean, double precision[]) IS 'As fit_weibull(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none).';

CREATE AGGREGATE ltv.fit_weibull(entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_weibull, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_weibull(double precision, double precision, boolean, double precision[], double precision) IS 'As fit_weibull(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_weibull(duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_weibull, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_weibull(double precision, integer, double precision[]) IS 'As fit_weibull(duration, event, covariates). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_weibull(duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_weibull, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_weibull(double precision, integer, double precision[], double precision) IS 'As fit_weibull(duration, event, covariates). Each row counts weight times. The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_weibull(entry double precision, duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_weibull, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_weibull(double precision, double precision, integer, double precision[]) IS 'As fit_weibull(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_weibull(entry double precision, duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_weibull, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_weibull(double precision, double precision, integer, double precision[], double precision) IS 'As fit_weibull(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). Each row counts weight times. The event as 1 or 0.';

CREATE FUNCTION ltv._fit_lognormal(state ltv.design) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_lognormal_final';
COMMENT ON FUNCTION ltv._fit_lognormal(ltv.design) IS 'Final function of fit_lognormal.';

CREATE AGGREGATE ltv.fit_lognormal(duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_lognormal, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_lognormal(double precision, boolean, double precision[]) IS 'Fits a parametric survival model by maximum likelihood: log-normal: ln T is normal with mean intercept + coefficients and standard deviation scale. A positive coefficient means longer times. duration > 0 for events, event true when it happened (else censored), covariates the same number of finite values in every row (an empty array for none), named x1, x2, ... Rows with a NULL are left out. NULL when no row is left; see model_status. The curve also answers beyond the longest duration seen: that is extrapolation. Errors 22023.';

CREATE AGGREGATE ltv.fit_lognormal(duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_lognormal, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_lognormal(double precision, boolean, double precision[], double precision) IS 'As fit_lognormal(duration, event, covariates). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_lognormal(entry double precision, duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_lognormal, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_lognormal(double precision, double precision, boolean, double precision[]) IS 'As fit_lognormal(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none).';

CREATE AGGREGATE ltv.fit_lognormal(entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_lognormal, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_lognormal(double precision, double precision, boolean, double precision[], double precision) IS 'As fit_lognormal(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_lognormal(duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_lognormal, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_lognormal(double precision, integer, double precision[]) IS 'As fit_lognormal(duration, event, covariates). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_lognormal(duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_lognormal, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_lognormal(double precision, integer, double precision[], double precision) IS 'As fit_lognormal(duration, event, covariates). Each row counts weight times. The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_lognormal(entry double precision, duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_lognormal, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_lognormal(double precision, double precision, integer, double precision[]) IS 'As fit_lognormal(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_lognormal(entry double precision, duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_lognormal, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_lognormal(double precision, double precision, integer, double precision[], double precision) IS 'As fit_lognormal(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). Each row counts weight times. The event as 1 or 0.';

CREATE FUNCTION ltv._fit_loglogistic(state ltv.design) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_loglogistic_final';
COMMENT ON FUNCTION ltv._fit_loglogistic(ltv.design) IS 'Final function of fit_loglogistic.';

CREATE AGGREGATE ltv.fit_loglogistic(duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_loglogistic, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_loglogistic(double precision, boolean, double precision[]) IS 'Fits a parametric survival model by maximum likelihood: log-logistic: ln T is logistic with location intercept + coefficients and the given scale. A positive coefficient means longer times. duration > 0 for events, event true when it happened (else censored), covariates the same number of finite values in every row (an empty array for none), named x1, x2, ... Rows with a NULL are left out. NULL when no row is left; see model_status. The curve also answers beyond the longest duration seen: that is extrapolation. Errors 22023.';

CREATE AGGREGATE ltv.fit_loglogistic(duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_loglogistic, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_loglogistic(double precision, boolean, double precision[], double precision) IS 'As fit_loglogistic(duration, event, covariates). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_loglogistic(entry double precision, duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_loglogistic, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_loglogistic(double precision, double precision, boolean, double precision[]) IS 'As fit_loglogistic(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none).';

CREATE AGGREGATE ltv.fit_loglogistic(entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_loglogistic, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_loglogistic(double precision, double precision, boolean, double precision[], double precision) IS 'As fit_loglogistic(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_loglogistic(duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_loglogistic, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_loglogistic(double precision, integer, double precision[]) IS 'As fit_loglogistic(duration, event, covariates). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_loglogistic(duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_loglogistic, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_loglogistic(double precision, integer, double precision[], double precision) IS 'As fit_loglogistic(duration, event, covariates). Each row counts weight times. The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_loglogistic(entry double precision, duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_loglogistic, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_loglogistic(double precision, double precision, integer, double precision[]) IS 'As fit_loglogistic(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_loglogistic(entry double precision, duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_loglogistic, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_loglogistic(double precision, double precision, integer, double precision[], double precision) IS 'As fit_loglogistic(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). Each row counts weight times. The event as 1 or 0.';

CREATE FUNCTION ltv._fit_generalized_gamma(state ltv.design) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_generalized_gamma_final';
COMMENT ON FUNCTION ltv._fit_generalized_gamma(ltv.design) IS 'Final function of fit_generalized_gamma.';

CREATE AGGREGATE ltv.fit_generalized_gamma(duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_generalized_gamma, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_generalized_gamma(double precision, boolean, double precision[]) IS 'Fits a parametric survival model by maximum likelihood: generalized gamma (Prentice 1974): shape 1 is Weibull, 0 log-normal, shape = scale gamma. A positive coefficient means longer times. duration > 0 for events, event true when it happened (else censored), covariates the same number of finite values in every row (an empty array for none), named x1, x2, ... Rows with a NULL are left out. NULL when no row is left; see model_status. The curve also answers beyond the longest duration seen: that is extrapolation. Errors 22023.';

CREATE AGGREGATE ltv.fit_generalized_gamma(duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_generalized_gamma, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_generalized_gamma(double precision, boolean, double precision[], double precision) IS 'As fit_generalized_gamma(duration, event, covariates). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_generalized_gamma(entry double precision, duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_generalized_gamma, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_generalized_gamma(double precision, double precision, boolean, double precision[]) IS 'As fit_generalized_gamma(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none).';

CREATE AGGREGATE ltv.fit_generalized_gamma(entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_generalized_gamma, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_generalized_gamma(double precision, double precision, boolean, double precision[], double precision) IS 'As fit_generalized_gamma(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_generalized_gamma(duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_generalized_gamma, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_generalized_gamma(double precision, integer, double precision[]) IS 'As fit_generalized_gamma(duration, event, covariates). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_generalized_gamma(duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_generalized_gamma, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_generalized_gamma(double precision, integer, double precision[], double precision) IS 'As fit_generalized_gamma(duration, event, covariates). Each row counts weight times. The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_generalized_gamma(entry double precision, duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_generalized_gamma, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_generalized_gamma(double precision, double precision, integer, double precision[]) IS 'As fit_generalized_gamma(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_generalized_gamma(entry double precision, duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_generalized_gamma, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_generalized_gamma(double precision, double precision, integer, double precision[], double precision) IS 'As fit_generalized_gamma(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). Each row counts weight times. The event as 1 or 0.';

CREATE FUNCTION ltv._fit_gompertz(state ltv.design) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_gompertz_final';
COMMENT ON FUNCTION ltv._fit_gompertz(ltv.design) IS 'Final function of fit_gompertz.';

CREATE AGGREGATE ltv.fit_gompertz(duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_gompertz, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_gompertz(double precision, boolean, double precision[]) IS 'Fits a parametric survival model by maximum likelihood: Gompertz: hazard exp(intercept + coefficients + shape * t); a coefficient is a log hazard ratio. With a negative shape a share never has the event. duration > 0 for events, event true when it happened (else censored), covariates the same number of finite values in every row (an empty array for none), named x1, x2, ... Rows with a NULL are left out. NULL when no row is left; see model_status. The curve also answers beyond the longest duration seen: that is extrapolation. Errors 22023.';

CREATE AGGREGATE ltv.fit_gompertz(duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_gompertz, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_gompertz(double precision, boolean, double precision[], double precision) IS 'As fit_gompertz(duration, event, covariates). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_gompertz(entry double precision, duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_gompertz, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_gompertz(double precision, double precision, boolean, double precision[]) IS 'As fit_gompertz(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none).';

CREATE AGGREGATE ltv.fit_gompertz(entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_gompertz, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_gompertz(double precision, double precision, boolean, double precision[], double precision) IS 'As fit_gompertz(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). Each row counts weight times.';

CREATE AGGREGATE ltv.fit_gompertz(duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_gompertz, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_gompertz(double precision, integer, double precision[]) IS 'As fit_gompertz(duration, event, covariates). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_gompertz(duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_gompertz, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_gompertz(double precision, integer, double precision[], double precision) IS 'As fit_gompertz(duration, event, covariates). Each row counts weight times. The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_gompertz(entry double precision, duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_gompertz, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_gompertz(double precision, double precision, integer, double precision[]) IS 'As fit_gompertz(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). The event as 1 or 0.';

CREATE AGGREGATE ltv.fit_gompertz(entry double precision, duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_gompertz, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_gompertz(double precision, double precision, integer, double precision[], double precision) IS 'As fit_gompertz(duration, event, covariates). With delayed entry: seen only because it lasted until entry (0 for none). Each row counts weight times. The event as 1 or 0.';

CREATE FUNCTION ltv.fit_parametric(
    d ltv.design, distribution text DEFAULT 'weibull', names text[] DEFAULT NULL, ancillary text[] DEFAULT NULL,
    knots integer DEFAULT NULL, knot_times double precision[] DEFAULT NULL, breaks double precision[] DEFAULT NULL,
    robust boolean DEFAULT NULL
) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_parametric';
COMMENT ON FUNCTION ltv.fit_parametric(ltv.design, text, text[], text[], integer, double precision[], double precision[], boolean) IS 'Fits a parametric survival model to the rows of design_agg or interval_design_agg (exact, right-, left- and interval-censored, delayed entry, weights, offsets). distribution: exponential, weibull, lognormal, loglogistic, generalized-gamma, gompertz, spline (Royston & Parmar 2002; log cumulative hazard), spline-odds, spline-normal, piecewise-exponential; each with -cure appended for a share that never has the event. names: of the covariates (else x1, x2, ...). ancillary: names of covariates that act on the second parameter too (log(scale), the Gompertz shape, ...; on the cured share in a cure model). knots: how many inner knots (default 1) at even quantiles of the log event times; knot_times: the inner knots themselves. breaks: where the piecewise hazard changes (default: quartiles of the event times). robust: whether standard errors are by clusters (the sandwich: Huber 1967, White 1982, Liang & Zeger 1986; the inverse of the observed information around the squares of the scores summed by cluster, without a correction for small samples, as in fit_cox), a row without a cluster being one of its own; NULL: where a row has one. Intervals are then made from them. As R''s survreg(..., cluster =). NULL when the design is empty; see model_status. Beyond the longest time seen the curves are extrapolation. Errors 22023.';

CREATE FUNCTION ltv.fit_best(
    d ltv.design, names text[] DEFAULT NULL, candidates text[] DEFAULT NULL, criterion text DEFAULT 'aic'
) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50000 AS 'MODULE_PATHNAME', 'fit_best';
COMMENT ON FUNCTION ltv.fit_best(ltv.design, text[], text[], text) IS 'The parametric model with the least AIC (Akaike 1974) or, by criterion bic, BIC (Schwarz 1978) among candidates (default: exponential, weibull, lognormal, loglogistic, generalized-gamma, gompertz; names as in fit_parametric). Fits that did not converge come last. The best fit within the data says little about beyond them. NULL when the design is empty. Errors 22023.';

CREATE FUNCTION ltv.compare_distributions(
    d ltv.design, candidates text[] DEFAULT NULL,
    OUT distribution text, OUT log_likelihood double precision, OUT parameters integer, OUT aic double precision,
    OUT bic double precision, OUT delta_aic double precision, OUT status text
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50000 ROWS 6 AS 'MODULE_PATHNAME', 'compare_distributions';
COMMENT ON FUNCTION ltv.compare_distributions(ltv.design, text[]) IS 'Parametric models of the same rows side by side, the least AIC first: log-likelihood, number of parameters, AIC, BIC, AIC above the first one, and status (ok, or what is wrong). Candidates as in fit_best. Errors 22023.';

CREATE FUNCTION ltv.model_fit(
    m ltv.model, OUT log_likelihood double precision, OUT parameters integer, OUT aic double precision,
    OUT bic double precision, OUT n bigint, OUT events bigint
) RETURNS record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'model_fit';
COMMENT ON FUNCTION ltv.model_fit(ltv.model) IS 'How well a model fits its rows: log-likelihood (the partial one of a Cox model, which compares with other Cox models only), estimated parameters, AIC = 2k - 2 ln L, BIC = k ln(n) - 2 ln L (n: rows; events for a Cox model), rows, events. Of a model of segments the rows and events of all, the parameters of all its fits and no likelihood: ask segment_model for each. NULL for a model without a likelihood.';
