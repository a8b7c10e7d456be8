-- Curves of events that are known only to lie between two looks.

CREATE TYPE ltv.interval_sample;
CREATE FUNCTION ltv.interval_sample_in(cstring) RETURNS ltv.interval_sample LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interval_sample_in_wrapper';
CREATE FUNCTION ltv.interval_sample_out(ltv.interval_sample) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interval_sample_out_wrapper';
CREATE FUNCTION ltv.interval_sample_recv(internal) RETURNS ltv.interval_sample LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interval_sample_recv_wrapper';
CREATE FUNCTION ltv.interval_sample_send(ltv.interval_sample) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'interval_sample_send_wrapper';
CREATE TYPE ltv.interval_sample (
    INPUT = ltv.interval_sample_in, OUTPUT = ltv.interval_sample_out, RECEIVE = ltv.interval_sample_recv, SEND = ltv.interval_sample_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.interval_sample IS 'The distinct intervals in which events are known to lie, with their numbers: what interval_agg gathers and turnbull reads. Mergeable by rollup.';
COMMENT ON FUNCTION ltv.interval_sample_in(cstring) IS 'Reads the text form of a sample of intervals; anything else is error 22P02.';
COMMENT ON FUNCTION ltv.interval_sample_out(ltv.interval_sample) IS 'The text form of a sample of intervals: JSON, exact to the last bit.';
COMMENT ON FUNCTION ltv.interval_sample_recv(internal) IS 'Reads the binary form of a sample of intervals, fully checked.';
COMMENT ON FUNCTION ltv.interval_sample_send(ltv.interval_sample) IS 'The binary form of a sample of intervals.';

CREATE FUNCTION ltv._interval_add(state ltv.interval_sample, "left" double precision, "right" double precision) RETURNS ltv.interval_sample
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'intervals_add';
COMMENT ON FUNCTION ltv._interval_add(ltv.interval_sample, double precision, double precision) IS 'Transition function of interval_agg and interval_survival_agg.';
CREATE FUNCTION ltv._interval_add(state ltv.interval_sample, "left" double precision, "right" double precision, weight double precision) RETURNS ltv.interval_sample
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'intervals_add_weight';
COMMENT ON FUNCTION ltv._interval_add(ltv.interval_sample, double precision, double precision, double precision) IS 'Transition function of interval_agg and interval_survival_agg.';
CREATE FUNCTION ltv._interval_combine(state ltv.interval_sample, other ltv.interval_sample) RETURNS ltv.interval_sample
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'intervals_combine';
COMMENT ON FUNCTION ltv._interval_combine(ltv.interval_sample, ltv.interval_sample) IS 'Combine function of interval_agg and interval_survival_agg, transition function of rollup.';

CREATE FUNCTION ltv.turnbull(i ltv.interval_sample) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'turnbull';
COMMENT ON FUNCTION ltv.turnbull(ltv.interval_sample) IS 'The non-parametric maximum likelihood estimate of the curve (Peto 1973, Turnbull 1976), found by a constrained Newton method until the conditions of Gentleman & Geyer 1994 hold to 1e-8 of the subjects at least, commonly 1e-12. Each step is at the right end of its interval (see turnbull_intervals): within the interval the curve is the largest the data allow. It has no counts and no standard errors. NULL for no rows. Errors: 22003 when it cannot be found so closely, 53200.';
CREATE FUNCTION ltv.turnbull_intervals(i ltv.interval_sample)
    RETURNS TABLE (from_t double precision, to_t double precision, mass double precision, survival double precision)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 ROWS 50 AS 'MODULE_PATHNAME', 'turnbull_intervals';
COMMENT ON FUNCTION ltv.turnbull_intervals(ltv.interval_sample) IS 'Where the estimate of turnbull falls: a row per interval (from_t, to_t] with mass, the masses adding up to 1; where in it the data do not say. from_t = to_t: at that time. to_t NULL: after all looks. survival: S(to_t).';
CREATE FUNCTION ltv.skipped(i ltv.interval_sample) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'intervals_skipped';
COMMENT ON FUNCTION ltv.skipped(ltv.interval_sample) IS 'Rows that interval_agg left out because left or weight was NULL.';

CREATE AGGREGATE ltv.interval_agg("left" double precision, "right" double precision) (
    SFUNC = ltv._interval_add, STYPE = ltv.interval_sample, SSPACE = 4096, COMBINEFUNC = ltv._interval_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.interval_agg(double precision, double precision) IS 'Gathers intervals for turnbull and turnbull_intervals. The event was in (left, right]: left is the last time the customer was seen alive, right the first time it was seen gone. right NULL or infinite: not yet (censored at left). right = left: at exactly that time. left 0: at any time until right, the start included. Rows with a NULL left are left out and counted by skipped(). Errors 22023.';
CREATE AGGREGATE ltv.interval_agg("left" double precision, "right" double precision, weight double precision) (
    SFUNC = ltv._interval_add, STYPE = ltv.interval_sample, SSPACE = 4096, COMBINEFUNC = ltv._interval_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.interval_agg(double precision, double precision, double precision) IS 'As interval_agg(left, right), each row counting weight times (finite, greater than 0).';

CREATE AGGREGATE ltv.interval_survival_agg("left" double precision, "right" double precision) (
    SFUNC = ltv._interval_add, STYPE = ltv.interval_sample, SSPACE = 4096, FINALFUNC = ltv.turnbull, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._interval_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.interval_survival_agg(double precision, double precision) IS 'The curve of events known only to lie in (left, right]: turnbull(interval_agg(left, right)). right NULL or infinite: not yet (censored at left). right = left: at exactly that time. left 0: at any time until right, the start included. Rows with a NULL left are left out. Errors 22023; 22003 and 53200 as turnbull.';
CREATE AGGREGATE ltv.interval_survival_agg("left" double precision, "right" double precision, weight double precision) (
    SFUNC = ltv._interval_add, STYPE = ltv.interval_sample, SSPACE = 4096, FINALFUNC = ltv.turnbull, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._interval_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.interval_survival_agg(double precision, double precision, double precision) IS 'As interval_survival_agg(left, right), each row counting weight times (finite, greater than 0).';

CREATE AGGREGATE ltv.rollup(intervals ltv.interval_sample) (
    SFUNC = ltv._interval_combine, STYPE = ltv.interval_sample, SSPACE = 32768, COMBINEFUNC = ltv._interval_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.interval_sample) IS 'Adds up samples of intervals of disjoint rows, exactly as if interval_agg had seen all of them.';
