-- What is read off a curve beyond its values: intervals of quantiles and restricted means, comparisons of two cohorts,
-- the smoothed hazard, and whether the curve can be trusted.

CREATE FUNCTION ltv.quantile_interval(
    s ltv.survival, p double precision DEFAULT 0.5, level double precision DEFAULT 0.95, transform text DEFAULT 'log-log',
    variance text DEFAULT 'auto',
    OUT quantile double precision, OUT lower double precision, OUT upper double precision
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'quantile_interval';
COMMENT ON FUNCTION ltv.quantile_interval(ltv.survival, double precision, double precision, text, text) IS 'The time by which a share p has had the event, with an interval: from where the lower pointwise limit of S comes down to 1 - p until the upper limit does (Brookmeyer & Crowley 1982), flat stretches read at their middle, as R''s quantile(survfit). p => 0.5 is the median. NULL where the curve, or its limit, does not come down so far. Transforms and variances as in survival_interval. Errors 22023.';

CREATE FUNCTION ltv.rmst_interval(
    s ltv.survival, tau double precision, level double precision DEFAULT 0.95, variance text DEFAULT 'auto',
    OUT rmst double precision, OUT std_error double precision, OUT lower double precision, OUT upper double precision
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'rmst_interval';
COMMENT ON FUNCTION ltv.rmst_interval(ltv.survival, double precision, double precision, text) IS 'The restricted mean, the area under the curve up to tau in the unit of the durations, with its standard error (Irwin 1949; Klein & Moeschberger 2003, section 4.5) and a normal interval. NULL beyond the observed time, as rmst; the error is NULL for a model''s curve without variances. variance as in survival_interval. Errors 22023.';

CREATE FUNCTION ltv.rmst_difference(
    a ltv.survival, b ltv.survival, tau double precision, level double precision DEFAULT 0.95,
    OUT difference double precision, OUT std_error double precision, OUT z double precision, OUT p_value double precision,
    OUT lower double precision, OUT upper double precision
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'rmst_difference';
COMMENT ON FUNCTION ltv.rmst_difference(ltv.survival, ltv.survival, double precision, double precision) IS 'By how much a keeps its customers longer than b within tau: rmst of a less rmst of b, for two disjoint cohorts, with standard error, test and normal interval (Royston & Parmar 2013; survRM2). Needs no proportional hazards. NULL when tau is beyond the observed time of either. With a model''s curve only the difference is known: its error is shared with others of the model. Errors 22023.';

CREATE FUNCTION ltv.rmst_ratio(
    a ltv.survival, b ltv.survival, tau double precision, level double precision DEFAULT 0.95,
    OUT ratio double precision, OUT lower double precision, OUT upper double precision, OUT p_value double precision
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'rmst_ratio';
COMMENT ON FUNCTION ltv.rmst_ratio(ltv.survival, ltv.survival, double precision, double precision) IS 'rmst of a over rmst of b, for two disjoint cohorts, with an interval and the test that it is 1, both on the scale of the logarithm (delta method; survRM2). NULL as rmst_difference. Errors 22023.';

CREATE FUNCTION ltv.rmtl_ratio(
    a ltv.survival, b ltv.survival, tau double precision, level double precision DEFAULT 0.95,
    OUT ratio double precision, OUT lower double precision, OUT upper double precision, OUT p_value double precision
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'rmtl_ratio';
COMMENT ON FUNCTION ltv.rmtl_ratio(ltv.survival, ltv.survival, double precision, double precision) IS 'As rmst_ratio, of the restricted mean time lost, tau less rmst. NULL also when one of them has lost nothing. Errors 22023.';

CREATE FUNCTION ltv.survival_difference(
    a ltv.survival, b ltv.survival, t double precision, transform text DEFAULT 'log-log', level double precision DEFAULT 0.95,
    OUT difference double precision, OUT std_error double precision, OUT chi_squared double precision, OUT p_value double precision,
    OUT lower double precision, OUT upper double precision
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'survival_difference';
COMMENT ON FUNCTION ltv.survival_difference(ltv.survival, ltv.survival, double precision, text, double precision) IS 'S(t) of a less S(t) of b at one time chosen beforehand, for two disjoint cohorts, and the test on one degree of freedom that they are equal, on the scale of transform (Klein, Logan, Harhoff & Andersen 2007; log-log keeps its level best). Standard error and limits are of the difference itself, normal. The test is NULL where the transform is infinite (S of 0 or 1), all is NULL beyond the observed time of either; with a model''s curve only the difference is known. Errors 22023.';

CREATE FUNCTION ltv.smooth_hazard(
    s ltv.survival, at double precision[] DEFAULT NULL, bandwidth double precision DEFAULT NULL, kernel text DEFAULT 'epanechnikov',
    level double precision DEFAULT 0.95,
    OUT t double precision, OUT hazard double precision, OUT std_error double precision, OUT lower double precision, OUT upper double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 100 AS 'MODULE_PATHNAME', 'smooth_hazard';
COMMENT ON FUNCTION ltv.smooth_hazard(ltv.survival, double precision[], double precision, text, double precision) IS 'The hazard, events per unit of time among those at risk, at the times of at (101 times from 0 to the end of the observed time when NULL): the jumps of the cumulative hazard smoothed by a kernel (Ramlau-Hansen 1983), near both ends by Mueller & Wang''s (1994) kernels. bandwidth: in the unit of the durations, at most half of the observed time (cut to that); NULL is 2.34 s d^(-1/5) with s the smaller of standard deviation and IQR/1.349 of the d event times (Silverman 1986; the factor is the kernel''s). kernel: epanechnikov, uniform, biweight. The interval is symmetric in the logarithm. A model''s curve goes on with the rate of its tail; else NULL beyond the observed time. Errors 22023.';

CREATE FUNCTION ltv.hazard_at(s ltv.survival, t double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'hazard_at';
COMMENT ON FUNCTION ltv.hazard_at(ltv.survival, double precision) IS 'The hazard at t, events per unit of time among those at risk: smooth_hazard with its default bandwidth and kernel, which reads many times at once more cheaply. NULL beyond the observed time, except for a model''s curve with a tail. Errors 22023.';

CREATE FUNCTION ltv.curve_status(s ltv.survival) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'curve_status_wrapper';
COMMENT ON FUNCTION ltv.curve_status(ltv.survival) IS 'ok; empty; or early risk set: with delayed entries, event times at which fewer than 20 are at risk, though later at least twice as many are, together take a tenth or more of the curve, and the whole of it stands on those few (Klein & Moeschberger 2003, section 4.6). The text names the worst of them and from where conditional(s, given) is free of them. NULL for a model''s curve, which has no risk sets.';
