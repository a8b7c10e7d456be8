-- The rows of a regression as a value: gathered once, fitted and examined by functions with options.

CREATE AGGREGATE ltv.design_agg(duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, boolean, double precision[]) IS 'Gathers the rows of a regression for functions with options, as fit_cox(design, ties => ''breslow''). duration, event and covariates as in fit_cox; rows with a NULL are left out and counted. Rows are numbered in the order in which they come: design_agg(... ORDER BY id) makes that order yours. Errors 22023.';

CREATE AGGREGATE ltv.design_agg(duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, boolean, double precision[], double precision) IS 'As design_agg(duration, event, covariates), each row counting weight times (finite, greater than 0).';

CREATE AGGREGATE ltv.design_agg(entry double precision, duration double precision, event boolean, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, double precision, boolean, double precision[]) IS 'As design_agg(duration, event, covariates) with delayed entry: at risk at t when entry < t <= duration. Several rows with adjoining (entry, duration] are one subject whose covariates change.';

CREATE AGGREGATE ltv.design_agg(entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, double precision, boolean, double precision[], double precision) IS 'As design_agg(entry, duration, event, covariates) with weights; an entry of 0 is none, a weight of 1 neutral.';

CREATE FUNCTION ltv._design_add(state ltv.design, entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision, stratum text) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'design_add_stratum_bool';
COMMENT ON FUNCTION ltv._design_add(ltv.design, double precision, double precision, boolean, double precision[], double precision, text) IS 'Transition function of design_agg.';
CREATE AGGREGATE ltv.design_agg(entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision, stratum text) (
    SFUNC = ltv._design_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, double precision, boolean, double precision[], double precision, text) IS 'As design_agg(entry, duration, event, covariates, weight) with strata: each has a baseline of its own, the coefficients are shared.';

CREATE FUNCTION ltv._design_add(state ltv.design, entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision, stratum text, cluster text) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'design_add_cluster_bool';
COMMENT ON FUNCTION ltv._design_add(ltv.design, double precision, double precision, boolean, double precision[], double precision, text, text) IS 'Transition function of design_agg.';
CREATE AGGREGATE ltv.design_agg(entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision, stratum text, cluster text) (
    SFUNC = ltv._design_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, double precision, boolean, double precision[], double precision, text, text) IS 'As before with clusters: rows of one customer, whose outcomes belong together, for the robust variance. A NULL cluster is a cluster of its own.';

CREATE FUNCTION ltv._design_add(state ltv.design, entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision, stratum text, cluster text, "offset" double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'design_add_offset_bool';
COMMENT ON FUNCTION ltv._design_add(ltv.design, double precision, double precision, boolean, double precision[], double precision, text, text, double precision) IS 'Transition function of design_agg.';
CREATE AGGREGATE ltv.design_agg(entry double precision, duration double precision, event boolean, covariates double precision[], weight double precision, stratum text, cluster text, "offset" double precision) (
    SFUNC = ltv._design_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, double precision, boolean, double precision[], double precision, text, text, double precision) IS 'As before with an offset: a part of the linear predictor whose coefficient is 1. Write '''' for no stratum and NULL for no cluster.';

CREATE AGGREGATE ltv.design_agg(duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, integer, double precision[]) IS 'As design_agg(duration, event boolean, covariates), the event as 1 or 0.';

CREATE AGGREGATE ltv.design_agg(duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, integer, double precision[], double precision) IS 'As design_agg(duration, event, covariates), each row counting weight times (finite, greater than 0). The event as 1 or 0.';

CREATE AGGREGATE ltv.design_agg(entry double precision, duration double precision, event integer, covariates double precision[]) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, double precision, integer, double precision[]) IS 'As design_agg(duration, event, covariates) with delayed entry: at risk at t when entry < t <= duration. Several rows with adjoining (entry, duration] are one subject whose covariates change. The event as 1 or 0.';

CREATE AGGREGATE ltv.design_agg(entry double precision, duration double precision, event integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._fit_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, double precision, integer, double precision[], double precision) IS 'As design_agg(entry, duration, event, covariates) with weights; an entry of 0 is none, a weight of 1 neutral. The event as 1 or 0.';

CREATE FUNCTION ltv._design_add(state ltv.design, entry double precision, duration double precision, event integer, covariates double precision[], weight double precision, stratum text) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'design_add_stratum_int';
COMMENT ON FUNCTION ltv._design_add(ltv.design, double precision, double precision, integer, double precision[], double precision, text) IS 'Transition function of design_agg.';
CREATE AGGREGATE ltv.design_agg(entry double precision, duration double precision, event integer, covariates double precision[], weight double precision, stratum text) (
    SFUNC = ltv._design_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, double precision, integer, double precision[], double precision, text) IS 'As design_agg(entry, duration, event, covariates, weight) with strata: each has a baseline of its own, the coefficients are shared. The event as 1 or 0.';

CREATE FUNCTION ltv._design_add(state ltv.design, entry double precision, duration double precision, event integer, covariates double precision[], weight double precision, stratum text, cluster text) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'design_add_cluster_int';
COMMENT ON FUNCTION ltv._design_add(ltv.design, double precision, double precision, integer, double precision[], double precision, text, text) IS 'Transition function of design_agg.';
CREATE AGGREGATE ltv.design_agg(entry double precision, duration double precision, event integer, covariates double precision[], weight double precision, stratum text, cluster text) (
    SFUNC = ltv._design_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, double precision, integer, double precision[], double precision, text, text) IS 'As before with clusters: rows of one customer, whose outcomes belong together, for the robust variance. A NULL cluster is a cluster of its own. The event as 1 or 0.';

CREATE FUNCTION ltv._design_add(state ltv.design, entry double precision, duration double precision, event integer, covariates double precision[], weight double precision, stratum text, cluster text, "offset" double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'design_add_offset_int';
COMMENT ON FUNCTION ltv._design_add(ltv.design, double precision, double precision, integer, double precision[], double precision, text, text, double precision) IS 'Transition function of design_agg.';
CREATE AGGREGATE ltv.design_agg(entry double precision, duration double precision, event integer, covariates double precision[], weight double precision, stratum text, cluster text, "offset" double precision) (
    SFUNC = ltv._design_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.design_agg(double precision, double precision, integer, double precision[], double precision, text, text, double precision) IS 'As before with an offset: a part of the linear predictor whose coefficient is 1. Write '''' for no stratum and NULL for no cluster. The event as 1 or 0.';

CREATE FUNCTION ltv._interval_design_add(state ltv.design, "left" double precision, "right" double precision, covariates double precision[]) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'design_add_interval';
COMMENT ON FUNCTION ltv._interval_design_add(ltv.design, double precision, double precision, double precision[]) IS 'Transition function of interval_design_agg.';
CREATE AGGREGATE ltv.interval_design_agg("left" double precision, "right" double precision, covariates double precision[]) (
    SFUNC = ltv._interval_design_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.interval_design_agg(double precision, double precision, double precision[]) IS 'Gathers the rows of a parametric regression whose event is known to lie in (left, right]: between the last time the customer was seen alive and the first time it was not. right NULL: not yet (censored at left); right = left: at exactly that time; left 0: some time before right. Rows with a NULL left or covariate are left out and counted. Errors 22023.';

CREATE FUNCTION ltv._interval_design_add(state ltv.design, "left" double precision, "right" double precision, covariates double precision[], weight double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'design_add_interval_weight';
COMMENT ON FUNCTION ltv._interval_design_add(ltv.design, double precision, double precision, double precision[], double precision) IS 'Transition function of interval_design_agg.';
CREATE AGGREGATE ltv.interval_design_agg("left" double precision, "right" double precision, covariates double precision[], weight double precision) (
    SFUNC = ltv._interval_design_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.interval_design_agg(double precision, double precision, double precision[], double precision) IS 'As interval_design_agg(left, right, covariates), each row counting weight times.';

CREATE FUNCTION ltv._interval_design_add(state ltv.design, entry double precision, "left" double precision, "right" double precision, covariates double precision[], weight double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'design_add_entry_interval_weight';
COMMENT ON FUNCTION ltv._interval_design_add(ltv.design, double precision, double precision, double precision, double precision[], double precision) IS 'Transition function of interval_design_agg.';
CREATE AGGREGATE ltv.interval_design_agg(entry double precision, "left" double precision, "right" double precision, covariates double precision[], weight double precision) (
    SFUNC = ltv._interval_design_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.interval_design_agg(double precision, double precision, double precision, double precision[], double precision) IS 'As interval_design_agg(left, right, covariates, weight) with delayed entry: seen only because it lasted until entry (0 for none).';

CREATE AGGREGATE ltv.rollup(d ltv.design) (
    SFUNC = ltv._fit_combine, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.design) IS 'The rows of several designs together, as if one aggregate had gathered them: of months that were stored, or of shards. They need the same number of covariates, and strata, clusters and causes in all of them or in none (error 22023).';
