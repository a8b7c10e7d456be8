-- Mixture cure models: a share that never has the event.

CREATE FUNCTION ltv.fit_cure(
    d ltv.design, distribution text DEFAULT 'weibull', names text[] DEFAULT NULL, cured text[] DEFAULT NULL,
    location text[] DEFAULT NULL, knots integer DEFAULT NULL, knot_times double precision[] DEFAULT NULL,
    breaks double precision[] DEFAULT NULL,
    robust boolean DEFAULT NULL
) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 30000 AS 'MODULE_PATHNAME', 'fit_cure';
COMMENT ON FUNCTION ltv.fit_cure(ltv.design, text, text[], text[], text[], integer, double precision[], double precision[], boolean) IS 'Fits a mixture cure model (Berkson & Gage 1952; Farewell 1982) by maximum likelihood: S(t) = p + (1 - p) S0(t), where the share p never has the event. distribution: that of the others, as in fit_parametric. names: of the covariates (else x1, x2, ...). cured: names of the covariates on which the logit of p depends (NULL or none: the share is the same for all). location: names of those on which the location of S0 depends (NULL: all covariates; an empty array: none, so that covariates act on the share only). knots, knot_times, breaks as in fit_parametric. Its terms are those of S0 and, last, logit(cured share). model_status says ''no cured share found'' when the likelihood is highest without one (the model is then the plain one), and ''follow-up may be too short to tell a cured share'' when by the fit more than 5 % of those not cured are still to have the event at the end of the longest follow-up, or events went on until near it (alpha of Maller & Zhou 1992 above 0.05). NULL when the design is empty. Errors 22023. robust: errors by clusters, as in fit_parametric.';

CREATE FUNCTION ltv.cured_share(m ltv.model, features record, given double precision DEFAULT 0) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'cured_share_model';
COMMENT ON FUNCTION ltv.cured_share(ltv.model, record, double precision) IS 'The probability, between 0 and 1, that a row never has the event, by a cure model (fit_cure, or fit_parametric with -cure); features as in predict. With given > 0: among those that have not had the event by then, in the unit of the durations. 0 when no cured share was found. NULL for another model, a row without a score, and NULL arguments. Errors 22023 for a given that is negative or not finite.';

CREATE FUNCTION ltv.cured_share(model text, features record, given double precision DEFAULT 0) RETURNS double precision
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'cured_share_name';
COMMENT ON FUNCTION ltv.cured_share(text, record, double precision) IS 'As cured_share(ltv.model, ...) with a registered model: name, name@alias or name@version.';
