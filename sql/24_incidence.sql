-- Competing risks: a contract ends by one of several causes. Exact counts by cause, which merge, and what is read off them.

CREATE TYPE ltv.incidence;
CREATE FUNCTION ltv.incidence_in(cstring) RETURNS ltv.incidence LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'incidence_in_wrapper';
CREATE FUNCTION ltv.incidence_out(ltv.incidence) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'incidence_out_wrapper';
CREATE FUNCTION ltv.incidence_recv(internal) RETURNS ltv.incidence LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'incidence_recv_wrapper';
CREATE FUNCTION ltv.incidence_send(ltv.incidence) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'incidence_send_wrapper';
CREATE TYPE ltv.incidence (
    INPUT = ltv.incidence_in, OUTPUT = ltv.incidence_out, RECEIVE = ltv.incidence_recv, SEND = ltv.incidence_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.incidence IS 'What ended the contracts of a cohort, and when: exact counts per distinct time and cause (incidence_agg; mergeable by rollup).';
COMMENT ON FUNCTION ltv.incidence_in(cstring) IS 'Reads the text form of counts by cause; anything else is error 22P02.';
COMMENT ON FUNCTION ltv.incidence_out(ltv.incidence) IS 'The text form of counts by cause: JSON, exact to the last bit.';
COMMENT ON FUNCTION ltv.incidence_recv(internal) IS 'Reads the binary form of counts by cause, fully checked.';
COMMENT ON FUNCTION ltv.incidence_send(ltv.incidence) IS 'The binary form of counts by cause.';

CREATE FUNCTION ltv._incidence_add(state ltv.incidence, duration double precision, cause integer) RETURNS ltv.incidence
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'incidence_add';
COMMENT ON FUNCTION ltv._incidence_add(ltv.incidence, double precision, integer) IS 'Transition function of incidence_agg.';
CREATE FUNCTION ltv._incidence_add(state ltv.incidence, duration double precision, cause integer, weight double precision) RETURNS ltv.incidence
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'incidence_add_weight';
COMMENT ON FUNCTION ltv._incidence_add(ltv.incidence, double precision, integer, double precision) IS 'Transition function of incidence_agg.';
CREATE FUNCTION ltv._incidence_add(state ltv.incidence, entry double precision, duration double precision, cause integer, weight double precision) RETURNS ltv.incidence
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'incidence_add_entry_weight';
COMMENT ON FUNCTION ltv._incidence_add(ltv.incidence, double precision, double precision, integer, double precision) IS 'Transition function of incidence_agg.';
CREATE FUNCTION ltv._incidence_combine(state ltv.incidence, other ltv.incidence) RETURNS ltv.incidence
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'incidence_combine';
COMMENT ON FUNCTION ltv._incidence_combine(ltv.incidence, ltv.incidence) IS 'Combine function of incidence_agg, transition function of rollup.';
CREATE FUNCTION ltv._incidence_final(state ltv.incidence) RETURNS ltv.incidence
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'incidence_final';
COMMENT ON FUNCTION ltv._incidence_final(ltv.incidence) IS 'Final function of incidence_agg: the same rows in any order give the same bytes.';

CREATE AGGREGATE ltv.incidence_agg(duration double precision, cause integer) (
    SFUNC = ltv._incidence_add, STYPE = ltv.incidence, SSPACE = 4096, FINALFUNC = ltv._incidence_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._incidence_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.incidence_agg(double precision, integer) IS 'Gathers durations and what ended them. duration: time until the contract ended or until it was last seen running, finite and not negative, in any one unit. cause: 1 to 255, your numbering of the reasons (non-renewal, early termination, insolvency, ...); 0 when it still ran (censored). Rows with a NULL are left out and counted by skipped(). Errors 22023.';

CREATE AGGREGATE ltv.incidence_agg(duration double precision, cause integer, weight double precision) (
    SFUNC = ltv._incidence_add, STYPE = ltv.incidence, SSPACE = 4096, FINALFUNC = ltv._incidence_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._incidence_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.incidence_agg(double precision, integer, double precision) IS 'As incidence_agg(duration, cause), each row counting weight times (finite, greater than 0): a weight of 2 is the row twice.';

CREATE AGGREGATE ltv.incidence_agg(entry double precision, duration double precision, cause integer, weight double precision) (
    SFUNC = ltv._incidence_add, STYPE = ltv.incidence, SSPACE = 4096, FINALFUNC = ltv._incidence_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._incidence_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.incidence_agg(double precision, double precision, integer, double precision) IS 'As incidence_agg(duration, cause, weight) with delayed entry: at risk at t when entry < t <= duration. An entry of 0 is none, a weight of 1 neutral.';

CREATE AGGREGATE ltv.rollup(i ltv.incidence) (
    SFUNC = ltv._incidence_combine, STYPE = ltv.incidence, SSPACE = 4096, FINALFUNC = ltv._incidence_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._incidence_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.incidence) IS 'The counts of several cohorts together, exactly as if their rows had been gathered at once.';

CREATE FUNCTION ltv.incidence_curve(
    i ltv.incidence, at double precision[] DEFAULT NULL, level double precision DEFAULT 0.95, transform text DEFAULT 'log-log',
    variance text DEFAULT 'greenwood',
    OUT t double precision, OUT cause integer, OUT at_risk double precision, OUT events double precision,
    OUT incidence double precision, OUT std_error double precision, OUT lower double precision, OUT upper double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 100 AS 'MODULE_PATHNAME', 'incidence_curve';
COMMENT ON FUNCTION ltv.incidence_curve(ltv.incidence, double precision[], double precision, text, text) IS 'The cumulative incidence of each cause: the share that has ended by it until t, other causes taken for what they are (Aalen & Johansen 1978). A row for each cause and each time at which something ended, or each time in at (then at_risk is just before it, events count since the time before, NULLs beyond the observed time). The incidences of all causes and survival_at(event_free_survival(i), t) add up to 1. variance: greenwood (default; Andersen et al. 1993, (4.4.20); without delayed entry R survfit''s infinitesimal jackknife, SAS'' and lifelines'') or aalen (Aalen 1978, cmprsk''s cuminc). The interval is made on the scale of transform, applied to the incidence: log-log (log(-log F)), log, plain, logit, arcsine.';

CREATE FUNCTION ltv.incidence_at(i ltv.incidence, t double precision, cause integer) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'incidence_at';
COMMENT ON FUNCTION ltv.incidence_at(ltv.incidence, double precision, integer) IS 'The probability to have ended by the cause until t. 0 for a cause (1 to 255) that ended nothing; NULL beyond the observed time, unless everything has ended.';

CREATE FUNCTION ltv.time_lost(i ltv.incidence, tau double precision, cause integer) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'time_lost';
COMMENT ON FUNCTION ltv.time_lost(ltv.incidence, double precision, integer) IS 'The time until tau that a contract loses to the cause on average: the area under its incidence, the restricted mean time lost. rmst(event_free_survival(i), tau) and the time lost to all causes add up to tau (Andersen 2013). NULL beyond the observed time, unless everything has ended.';

CREATE FUNCTION ltv.time_lost_interval(
    i ltv.incidence, tau double precision, cause integer, level double precision DEFAULT 0.95,
    OUT time_lost double precision, OUT std_error double precision, OUT lower double precision, OUT upper double precision
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'time_lost_interval';
COMMENT ON FUNCTION ltv.time_lost_interval(ltv.incidence, double precision, integer, double precision) IS 'As time_lost, with its standard error (the greenwood variance of incidence_curve, carried over to the area) and normal limits within 0 and tau.';

CREATE FUNCTION ltv.event_free_survival(i ltv.incidence) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'event_free_survival_wrapper';
COMMENT ON FUNCTION ltv.event_free_survival(ltv.incidence) IS 'The curve of contracts that still run, an ending by any cause being the event: for all accessors of curves and all money functions. The same bytes as survival_agg(duration, cause > 0) of the rows. Weights that are not whole: error 22023, as what their errors need is kept by survival_agg only.';

CREATE FUNCTION ltv.cause_survival(i ltv.incidence, cause integer) RETURNS ltv.survival
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'cause_survival_wrapper';
COMMENT ON FUNCTION ltv.cause_survival(ltv.incidence, integer) IS 'The curve whose event is an ending by this cause and where every other ending is a censoring: for cumulative_hazard_at and log_rank, which then speak of the hazard of this cause. 1 - survival_at of it is NOT the share that ends by the cause: it says what that would be if nothing else could end a contract, and is larger. Use incidence_at. Weights that are not whole: error 22023.';

CREATE FUNCTION ltv.causes(i ltv.incidence) RETURNS integer[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'causes_wrapper';
COMMENT ON FUNCTION ltv.causes(ltv.incidence) IS 'The causes that ended something, rising.';

CREATE FUNCTION ltv.subjects(i ltv.incidence) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'incidence_subjects_wrapper';
COMMENT ON FUNCTION ltv.subjects(ltv.incidence) IS 'Number of subjects (sum of weights).';

CREATE FUNCTION ltv.events(i ltv.incidence) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'incidence_events_wrapper';
COMMENT ON FUNCTION ltv.events(ltv.incidence) IS 'Number of endings by any cause (sum of weights).';

CREATE FUNCTION ltv.events(i ltv.incidence, cause integer) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'incidence_events_of_wrapper';
COMMENT ON FUNCTION ltv.events(ltv.incidence, integer) IS 'Number of endings by the cause (sum of weights).';

CREATE FUNCTION ltv.censored(i ltv.incidence) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'incidence_censored_wrapper';
COMMENT ON FUNCTION ltv.censored(ltv.incidence) IS 'Number of contracts that still ran when last seen (sum of weights).';

CREATE FUNCTION ltv.skipped(i ltv.incidence) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'incidence_skipped_wrapper';
COMMENT ON FUNCTION ltv.skipped(ltv.incidence) IS 'Rows that the aggregate left out because an argument was NULL.';

CREATE FUNCTION ltv.max_followup(i ltv.incidence) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'incidence_max_followup_wrapper';
COMMENT ON FUNCTION ltv.max_followup(ltv.incidence) IS 'The longest observed duration: where the data end. NULL for an empty cohort.';

CREATE FUNCTION ltv.gray_test(
    cohorts ltv.incidence[], cause integer DEFAULT 1, rho double precision DEFAULT 0,
    OUT chi_squared double precision, OUT df integer, OUT p_value double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 1 AS 'MODULE_PATHNAME', 'gray_test_wrapper';
COMMENT ON FUNCTION ltv.gray_test(ltv.incidence[], integer, double precision) IS 'Do the cohorts share one cumulative incidence of the cause? Gray (1988), equal to cmprsk''s cuminc. rho weighs times by (1 - pooled incidence)^rho: 0 all alike, more than 0 the early ones. NULL cohorts are left out; chi_squared is NULL when fewer than two could have had the event; delayed entry is error 22023. log_rank(cause_survival(i, cause)) compares hazards instead: how fast contracts end by the cause while they run.';
