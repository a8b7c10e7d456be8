-- Curves: the aggregates that make them, the accessors that read them, the tests between them.

CREATE FUNCTION ltv._survival_add(state ltv.survival, duration double precision, event boolean) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_add_bool';
COMMENT ON FUNCTION ltv._survival_add(ltv.survival, double precision, boolean) IS 'Transition function of survival_agg.';
CREATE FUNCTION ltv._survival_add(state ltv.survival, duration double precision, event integer) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_add_int';
COMMENT ON FUNCTION ltv._survival_add(ltv.survival, double precision, integer) IS 'Transition function of survival_agg.';
CREATE FUNCTION ltv._survival_add(state ltv.survival, duration double precision, event boolean, weight double precision) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_add_weight_bool';
COMMENT ON FUNCTION ltv._survival_add(ltv.survival, double precision, boolean, double precision) IS 'Transition function of survival_agg.';
CREATE FUNCTION ltv._survival_add(state ltv.survival, duration double precision, event integer, weight double precision) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_add_weight_int';
COMMENT ON FUNCTION ltv._survival_add(ltv.survival, double precision, integer, double precision) IS 'Transition function of survival_agg.';
CREATE FUNCTION ltv._survival_add(state ltv.survival, entry double precision, duration double precision, event boolean) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_add_entry_bool';
COMMENT ON FUNCTION ltv._survival_add(ltv.survival, double precision, double precision, boolean) IS 'Transition function of survival_agg.';
CREATE FUNCTION ltv._survival_add(state ltv.survival, entry double precision, duration double precision, event boolean, weight double precision) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_add_entry_weight_bool';
COMMENT ON FUNCTION ltv._survival_add(ltv.survival, double precision, double precision, boolean, double precision) IS 'Transition function of survival_agg.';
CREATE FUNCTION ltv._survival_add(state ltv.survival, entry double precision, duration double precision, event integer, weight double precision) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_add_entry_weight_int';
COMMENT ON FUNCTION ltv._survival_add(ltv.survival, double precision, double precision, integer, double precision) IS 'Transition function of survival_agg.';
CREATE FUNCTION ltv._survival_combine(state ltv.survival, other ltv.survival) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_combine';
COMMENT ON FUNCTION ltv._survival_combine(ltv.survival, ltv.survival) IS 'Combine function of survival_agg, transition function of rollup.';

CREATE FUNCTION ltv._survival_final(state ltv.survival) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'survival_final';
COMMENT ON FUNCTION ltv._survival_final(ltv.survival) IS 'Final function of survival_agg: the same rows in any order give the same bytes.';

CREATE AGGREGATE ltv.survival_agg(duration double precision, event boolean) (
    SFUNC = ltv._survival_add, STYPE = ltv.survival, SSPACE = 4096, FINALFUNC = ltv._survival_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._survival_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.survival_agg(double precision, boolean) IS 'Gathers durations into a survival curve. duration: time until the event or until last seen alive, finite and not negative, in any one unit. event: true when it happened (churn), false when not yet (censored). Rows with a NULL are left out and counted by skipped(). Kaplan & Meier 1958. Errors 22023.';

CREATE AGGREGATE ltv.survival_agg(duration double precision, event integer) (
    SFUNC = ltv._survival_add, STYPE = ltv.survival, SSPACE = 4096, FINALFUNC = ltv._survival_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._survival_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.survival_agg(double precision, integer) IS 'As survival_agg(duration, event boolean), the event as 1 or 0.';

CREATE AGGREGATE ltv.survival_agg(duration double precision, event boolean, weight double precision) (
    SFUNC = ltv._survival_add, STYPE = ltv.survival, SSPACE = 4096, FINALFUNC = ltv._survival_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._survival_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.survival_agg(double precision, boolean, double precision) IS 'As survival_agg(duration, event), each row counting weight times (finite, greater than 0). Whole weights are repetitions; once one of them is not whole, all are sampling weights, with robust standard errors (see survival_interval).';

CREATE AGGREGATE ltv.survival_agg(duration double precision, event integer, weight double precision) (
    SFUNC = ltv._survival_add, STYPE = ltv.survival, SSPACE = 4096, FINALFUNC = ltv._survival_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._survival_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.survival_agg(double precision, integer, double precision) IS 'As survival_agg(duration, event, weight), the event as 1 or 0.';

CREATE AGGREGATE ltv.survival_agg(entry double precision, duration double precision, event boolean) (
    SFUNC = ltv._survival_add, STYPE = ltv.survival, SSPACE = 4096, FINALFUNC = ltv._survival_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._survival_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.survival_agg(double precision, double precision, boolean) IS 'As survival_agg(duration, event) with delayed entry (left truncation): the contract was observed only from entry on, 0 <= entry < duration; it is at risk at t when entry < t <= duration. For an integer event write (event = 1).';

CREATE AGGREGATE ltv.survival_agg(entry double precision, duration double precision, event boolean, weight double precision) (
    SFUNC = ltv._survival_add, STYPE = ltv.survival, SSPACE = 4096, FINALFUNC = ltv._survival_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._survival_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.survival_agg(double precision, double precision, boolean, double precision) IS 'As survival_agg(entry, duration, event), each row counting weight times.';

CREATE AGGREGATE ltv.survival_agg(entry double precision, duration double precision, event integer, weight double precision) (
    SFUNC = ltv._survival_add, STYPE = ltv.survival, SSPACE = 4096, FINALFUNC = ltv._survival_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._survival_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.survival_agg(double precision, double precision, integer, double precision) IS 'As survival_agg(entry, duration, event, weight), the event as 1 or 0.';

CREATE AGGREGATE ltv.rollup(curve ltv.survival) (
    SFUNC = ltv._survival_combine, STYPE = ltv.survival, SSPACE = 32768, COMBINEFUNC = ltv._survival_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.survival) IS 'Adds up curves of disjoint cohorts, exactly as if survival_agg had seen all their rows. A fitted curve has no rows: error 22023.';

CREATE FUNCTION ltv.survival_at(s ltv.survival, t double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'survival_at';
COMMENT ON FUNCTION ltv.survival_at(ltv.survival, double precision) IS 'P(T > t): the share still there just after t. NULL beyond the observed time, unless the curve has come down to 0 or is a model''s, which goes on with its average hazard.';

CREATE FUNCTION ltv.cumulative_hazard_at(s ltv.survival, t double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'cumulative_hazard_at';
COMMENT ON FUNCTION ltv.cumulative_hazard_at(ltv.survival, double precision) IS 'Cumulative hazard up to t: Nelson & Aalen for a cohort, -ln S(t) for a model''s curve. NULL beyond the observed time.';

CREATE FUNCTION ltv.conditional(s ltv.survival, given double precision) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'conditional_wrapper';
COMMENT ON FUNCTION ltv.conditional(ltv.survival, double precision) IS 'The curve of those still there at age given, on a clock that starts there: survival_at(conditional(s, 14), 12) = P(T > 26 | T > 14). NULL when nobody lasts so long.';

CREATE FUNCTION ltv.renewal_probability(s ltv.survival, from_t double precision, to_t double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'renewal_probability_curve';
COMMENT ON FUNCTION ltv.renewal_probability(ltv.survival, double precision, double precision) IS 'P(T > to_t | T > from_t). NULL when nobody lasts until from_t, or beyond the observed time.';

CREATE FUNCTION ltv.quantile(s ltv.survival, p double precision DEFAULT 0.5) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'quantile';
COMMENT ON FUNCTION ltv.quantile(ltv.survival, double precision) IS 'The time by which a share p has had the event: the first t with S(t) <= 1 - p; the middle of the stretch where the curve is flat at exactly 1 - p, as in R. NULL when the curve does not come down so far.';

CREATE FUNCTION ltv.rmst(s ltv.survival, tau double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'rmst';
COMMENT ON FUNCTION ltv.rmst(ltv.survival, double precision) IS 'Restricted mean survival time: the mean of min(T, tau), the area under the curve up to tau. NULL beyond the observed time, unless the curve has come down to 0 or is a model''s.';

CREATE FUNCTION ltv.subjects(s ltv.survival) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'subjects_wrapper';
COMMENT ON FUNCTION ltv.subjects(ltv.survival) IS 'Number of subjects (sum of weights); NULL for a model''s curve.';

CREATE FUNCTION ltv.events(s ltv.survival) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'events_wrapper';
COMMENT ON FUNCTION ltv.events(ltv.survival) IS 'Number of events (sum of weights); NULL for a model''s curve.';

CREATE FUNCTION ltv.censored(s ltv.survival) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'censored_wrapper';
COMMENT ON FUNCTION ltv.censored(ltv.survival) IS 'Number of censored subjects (sum of weights); NULL for a model''s curve.';

CREATE FUNCTION ltv.skipped(s ltv.survival) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'skipped_wrapper';
COMMENT ON FUNCTION ltv.skipped(ltv.survival) IS 'Rows that the aggregate left out because an argument was NULL; NULL for a model''s curve.';

CREATE FUNCTION ltv.max_followup(s ltv.survival) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'max_followup_wrapper';
COMMENT ON FUNCTION ltv.max_followup(ltv.survival) IS 'The longest observed duration, event or not: where the data end. NULL for an empty cohort.';

CREATE FUNCTION ltv.median(s ltv.survival) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 50 RETURN ltv.quantile(s, 0.5);
COMMENT ON FUNCTION ltv.median(ltv.survival) IS 'The time by which half have had the event: quantile(s, 0.5).';

CREATE FUNCTION ltv.survival_interval(
    s ltv.survival, t double precision, level double precision DEFAULT 0.95, transform text DEFAULT 'log-log',
    estimator text DEFAULT 'kaplan-meier', variance text DEFAULT 'auto',
    OUT survival double precision, OUT std_error double precision, OUT lower double precision, OUT upper double precision
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'survival_interval';
COMMENT ON FUNCTION ltv.survival_interval(ltv.survival, double precision, double precision, text, text, text) IS 'S(t) with its standard error and a pointwise interval. transform: log-log (default), log (R''s default), plain, logit, arcsine (Kalbfleisch & Prentice 2002, section 1.4). estimator: kaplan-meier, nelson-aalen (exp of minus the Nelson-Aalen hazard), fleming-harrington (the same with tied events one after the other); a model''s curve is the same by all. variance: greenwood takes weights for repetitions (Greenwood 1926; Aalen 1978); robust takes them for sampling weights (infinitesimal jackknife, R''s robust = TRUE), unknown and error 22023 where some entered late; auto is robust when some weight is not whole and nobody entered late, else greenwood. Standard error and limits are NULL where S is 0.';

CREATE FUNCTION ltv.curve(
    s ltv.survival, at double precision[] DEFAULT NULL, level double precision DEFAULT 0.95, transform text DEFAULT 'log-log',
    estimator text DEFAULT 'kaplan-meier', variance text DEFAULT 'auto',
    OUT t double precision, OUT at_risk double precision, OUT events double precision, OUT censored double precision,
    OUT entered double precision, OUT survival double precision, OUT std_error double precision,
    OUT lower double precision, OUT upper double precision, OUT cumulative_hazard double precision,
    OUT cumulative_hazard_std_error double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 100 AS 'MODULE_PATHNAME', 'curve';
COMMENT ON FUNCTION ltv.curve(ltv.survival, double precision[], double precision, text, text, text) IS 'The life table: one row per distinct time, or per time in at (counts then since the time before). at_risk just before t, the estimates just after it; entered: late entries at t. The cumulative hazard is Nelson & Aalen''s, by fleming-harrington the one corrected for ties, with its standard error. A model''s curve has no counts. Transforms, estimators and variances as in survival_interval.';

CREATE FUNCTION ltv.log_rank(
    curves ltv.survival[], weights text DEFAULT 'log-rank', p double precision DEFAULT 1, q double precision DEFAULT 0,
    trend boolean DEFAULT false, scores double precision[] DEFAULT NULL
) RETURNS TABLE (chi_squared double precision, df integer, p_value double precision)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1 AS 'MODULE_PATHNAME', 'log_rank_curves';
COMMENT ON FUNCTION ltv.log_rank(ltv.survival[], text, double precision, double precision, boolean, double precision[]) IS 'Do the cohorts share one curve? weights: log-rank (Mantel 1966), wilcoxon, tarone-ware, peto, fleming-harrington (with p and q). trend: does the hazard rise or fall from cohort to cohort, on 1 degree of freedom (Tarone 1975), by scores 1, 2, 3 ... in the order of the array, or by scores, one per curve. Delayed entry and weights are honoured. NULL curves are left out; chi_squared is NULL when fewer than two cohorts could have had an event.';

CREATE FUNCTION ltv.plot_curve(
    curves ltv.survival[], labels text[] DEFAULT '{}', title text DEFAULT '', level double precision DEFAULT 0.95,
    unit text DEFAULT 'months'
) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5000 AS 'MODULE_PATHNAME', 'plot_curve_wrapper';
COMMENT ON FUNCTION ltv.plot_curve(ltv.survival[], text[], text, double precision, text) IS 'A picture of the curves with their pointwise limits (log-log) as SVG text: in psql, \o churn.svg with \pset tuples_only and format unaligned. labels name the curves in their order; unit names the time axis. NULL curves are left out.';
