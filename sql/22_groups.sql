-- Tests between groups: samples of groups within strata gathered at once, and what is asked of them.

CREATE TYPE ltv.grouped_survival;
CREATE FUNCTION ltv.grouped_survival_in(cstring) RETURNS ltv.grouped_survival LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grouped_survival_in_wrapper';
CREATE FUNCTION ltv.grouped_survival_out(ltv.grouped_survival) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grouped_survival_out_wrapper';
CREATE FUNCTION ltv.grouped_survival_recv(internal) RETURNS ltv.grouped_survival LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grouped_survival_recv_wrapper';
CREATE FUNCTION ltv.grouped_survival_send(ltv.grouped_survival) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grouped_survival_send_wrapper';
CREATE TYPE ltv.grouped_survival (
    INPUT = ltv.grouped_survival_in, OUTPUT = ltv.grouped_survival_out, RECEIVE = ltv.grouped_survival_recv, SEND = ltv.grouped_survival_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.grouped_survival IS 'The exact counts of several groups, within strata: what log_rank_agg gathers and the tests between groups read. Mergeable by rollup.';
COMMENT ON FUNCTION ltv.grouped_survival_in(cstring) IS 'Reads the text form of the samples of groups; anything else is error 22P02.';
COMMENT ON FUNCTION ltv.grouped_survival_out(ltv.grouped_survival) IS 'The text form of the samples of groups: JSON, exact to the last bit.';
COMMENT ON FUNCTION ltv.grouped_survival_recv(internal) IS 'Reads the binary form of the samples of groups, fully checked.';
COMMENT ON FUNCTION ltv.grouped_survival_send(ltv.grouped_survival) IS 'The binary form of the samples of groups.';

CREATE FUNCTION ltv._log_rank_combine(state ltv.grouped_survival, other ltv.grouped_survival) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_combine';
COMMENT ON FUNCTION ltv._log_rank_combine(ltv.grouped_survival, ltv.grouped_survival) IS 'Combine function of log_rank_agg, transition function of rollup.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" text, duration double precision, event boolean) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_text_bool';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, text, double precision, boolean) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" text, duration double precision, event boolean) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(text, double precision, boolean) IS 'Gathers durations by group for log_rank, log_rank_groups, pairwise_log_rank and curves, all in one statement. "group": at most 10000 with strata (more look like an identifier). duration: time until the event or until last seen alive, finite and not negative. event: true when it happened, false when not yet (censored). Rows with a NULL are left out and counted by skipped(). Errors 22023.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" text, duration double precision, event integer) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_text_int';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, text, double precision, integer) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" text, duration double precision, event integer) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(text, double precision, integer) IS 'As log_rank_agg("group", duration, event boolean), the event as 1 or 0.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" text, duration double precision, event boolean, weight double precision) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_text_weight_bool';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, text, double precision, boolean, double precision) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" text, duration double precision, event boolean, weight double precision) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(text, double precision, boolean, double precision) IS 'As log_rank_agg("group", duration, event), each row counting weight times (finite, greater than 0).';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" text, duration double precision, event integer, weight double precision) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_text_weight_int';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, text, double precision, integer, double precision) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" text, duration double precision, event integer, weight double precision) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(text, double precision, integer, double precision) IS 'As log_rank_agg("group", duration, event boolean, weight), the event as 1 or 0.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" text, duration double precision, event boolean, weight double precision, stratum text) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_text_stratum_bool';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, text, double precision, boolean, double precision, text) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" text, duration double precision, event boolean, weight double precision, stratum text) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(text, double precision, boolean, double precision, text) IS 'As log_rank_agg("group", duration, event, weight) with strata: groups are compared within each stratum only, and the differences added up. For an integer event write (event = 1), or give an entry of 0.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" text, entry double precision, duration double precision, event boolean) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_text_entry_bool';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, text, double precision, double precision, boolean) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" text, entry double precision, duration double precision, event boolean) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(text, double precision, double precision, boolean) IS 'As log_rank_agg("group", duration, event) with delayed entry (left truncation): at risk at t when entry < t <= duration, 0 <= entry < duration. For an integer event add the weight.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" text, entry double precision, duration double precision, event boolean, weight double precision) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_text_entry_weight_bool';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, text, double precision, double precision, boolean, double precision) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" text, entry double precision, duration double precision, event boolean, weight double precision) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(text, double precision, double precision, boolean, double precision) IS 'As log_rank_agg("group", entry, duration, event), each row counting weight times; an entry of 0 is none.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" text, entry double precision, duration double precision, event integer, weight double precision) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_text_entry_weight_int';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, text, double precision, double precision, integer, double precision) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" text, entry double precision, duration double precision, event integer, weight double precision) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(text, double precision, double precision, integer, double precision) IS 'As log_rank_agg("group", entry, duration, event boolean, weight), the event as 1 or 0.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" text, entry double precision, duration double precision, event boolean, weight double precision, stratum text) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_text_full_bool';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, text, double precision, double precision, boolean, double precision, text) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" text, entry double precision, duration double precision, event boolean, weight double precision, stratum text) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(text, double precision, double precision, boolean, double precision, text) IS 'As log_rank_agg("group", entry, duration, event, weight) with strata: groups are compared within each stratum only, and the differences added up. An entry of 0 is none, a weight of 1 neutral.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" text, entry double precision, duration double precision, event integer, weight double precision, stratum text) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_text_full_int';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, text, double precision, double precision, integer, double precision, text) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" text, entry double precision, duration double precision, event integer, weight double precision, stratum text) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(text, double precision, double precision, integer, double precision, text) IS 'As log_rank_agg("group", entry, duration, event boolean, weight, stratum), the event as 1 or 0.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" bigint, duration double precision, event boolean) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_number_bool';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, bigint, double precision, boolean) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" bigint, duration double precision, event boolean) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(bigint, double precision, boolean) IS 'Gathers durations by group for log_rank, log_rank_groups, pairwise_log_rank and curves, all in one statement. "group": at most 10000 with strata (more look like an identifier). duration: time until the event or until last seen alive, finite and not negative. event: true when it happened, false when not yet (censored). Rows with a NULL are left out and counted by skipped(). Errors 22023. Groups by whole numbers, in their order.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" bigint, duration double precision, event integer) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_number_int';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, bigint, double precision, integer) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" bigint, duration double precision, event integer) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(bigint, double precision, integer) IS 'As log_rank_agg("group", duration, event boolean), the event as 1 or 0; groups by whole numbers.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" bigint, duration double precision, event boolean, weight double precision) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_number_weight_bool';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, bigint, double precision, boolean, double precision) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" bigint, duration double precision, event boolean, weight double precision) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(bigint, double precision, boolean, double precision) IS 'As log_rank_agg("group", duration, event), each row counting weight times (finite, greater than 0); groups by whole numbers.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" bigint, duration double precision, event integer, weight double precision) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_number_weight_int';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, bigint, double precision, integer, double precision) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" bigint, duration double precision, event integer, weight double precision) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(bigint, double precision, integer, double precision) IS 'As log_rank_agg("group", duration, event boolean, weight), the event as 1 or 0; groups by whole numbers.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" bigint, duration double precision, event boolean, weight double precision, stratum text) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_number_stratum_bool';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, bigint, double precision, boolean, double precision, text) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" bigint, duration double precision, event boolean, weight double precision, stratum text) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(bigint, double precision, boolean, double precision, text) IS 'As log_rank_agg("group", duration, event, weight) with strata: groups are compared within each stratum only, and the differences added up. For an integer event write (event = 1), or give an entry of 0; groups by whole numbers.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" bigint, entry double precision, duration double precision, event boolean) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_number_entry_bool';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, bigint, double precision, double precision, boolean) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" bigint, entry double precision, duration double precision, event boolean) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(bigint, double precision, double precision, boolean) IS 'As log_rank_agg("group", duration, event) with delayed entry (left truncation): at risk at t when entry < t <= duration, 0 <= entry < duration. For an integer event add the weight; groups by whole numbers.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" bigint, entry double precision, duration double precision, event boolean, weight double precision) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_number_entry_weight_bool';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, bigint, double precision, double precision, boolean, double precision) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" bigint, entry double precision, duration double precision, event boolean, weight double precision) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(bigint, double precision, double precision, boolean, double precision) IS 'As log_rank_agg("group", entry, duration, event), each row counting weight times; an entry of 0 is none; groups by whole numbers.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" bigint, entry double precision, duration double precision, event integer, weight double precision) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_number_entry_weight_int';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, bigint, double precision, double precision, integer, double precision) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" bigint, entry double precision, duration double precision, event integer, weight double precision) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(bigint, double precision, double precision, integer, double precision) IS 'As log_rank_agg("group", entry, duration, event boolean, weight), the event as 1 or 0; groups by whole numbers.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" bigint, entry double precision, duration double precision, event boolean, weight double precision, stratum text) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_number_full_bool';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, bigint, double precision, double precision, boolean, double precision, text) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" bigint, entry double precision, duration double precision, event boolean, weight double precision, stratum text) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(bigint, double precision, double precision, boolean, double precision, text) IS 'As log_rank_agg("group", entry, duration, event, weight) with strata: groups are compared within each stratum only, and the differences added up. An entry of 0 is none, a weight of 1 neutral; groups by whole numbers.';

CREATE FUNCTION ltv._log_rank_add(state ltv.grouped_survival, "group" bigint, entry double precision, duration double precision, event integer, weight double precision, stratum text) RETURNS ltv.grouped_survival
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'grouped_add_number_full_int';
COMMENT ON FUNCTION ltv._log_rank_add(ltv.grouped_survival, bigint, double precision, double precision, integer, double precision, text) IS 'Transition function of log_rank_agg.';
CREATE AGGREGATE ltv.log_rank_agg("group" bigint, entry double precision, duration double precision, event integer, weight double precision, stratum text) (
    SFUNC = ltv._log_rank_add, STYPE = ltv.grouped_survival, SSPACE = 16384, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.log_rank_agg(bigint, double precision, double precision, integer, double precision, text) IS 'As log_rank_agg("group", entry, duration, event boolean, weight, stratum), the event as 1 or 0; groups by whole numbers.';

CREATE AGGREGATE ltv.rollup(groups ltv.grouped_survival) (
    SFUNC = ltv._log_rank_combine, STYPE = ltv.grouped_survival, SSPACE = 32768, COMBINEFUNC = ltv._log_rank_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.grouped_survival) IS 'Adds up samples of groups of disjoint rows, exactly as if log_rank_agg had seen all of them.';

CREATE FUNCTION ltv.skipped(g ltv.grouped_survival) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'grouped_skipped';
COMMENT ON FUNCTION ltv.skipped(ltv.grouped_survival) IS 'Rows that log_rank_agg left out because an argument was NULL.';

CREATE FUNCTION ltv.log_rank(
    g ltv.grouped_survival, weights text DEFAULT 'log-rank', p double precision DEFAULT 1, q double precision DEFAULT 0,
    trend boolean DEFAULT false, scores double precision[] DEFAULT NULL
) RETURNS TABLE (chi_squared double precision, df integer, p_value double precision)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1 AS 'MODULE_PATHNAME', 'log_rank_grouped';
COMMENT ON FUNCTION ltv.log_rank(ltv.grouped_survival, text, double precision, double precision, boolean, double precision[]) IS 'Do the groups share one curve, within strata where there are any? weights: log-rank (Mantel 1966), wilcoxon, tarone-ware, peto, fleming-harrington (with p and q). trend: does the hazard rise or fall with the groups, on 1 degree of freedom (Tarone 1975), by scores 1, 2, 3 ... in the order of the groups (numbers by size, names by their bytes), or by scores, one per group. Delayed entry and weights are honoured. chi_squared is NULL when nothing could be compared. Errors 22023.';

CREATE FUNCTION ltv.log_rank_groups(
    g ltv.grouped_survival, weights text DEFAULT 'log-rank', p double precision DEFAULT 1, q double precision DEFAULT 0
) RETURNS TABLE (
    group_name text, subjects double precision, events double precision, observed double precision, expected double precision,
    variance double precision, over_expected double precision, over_variance double precision
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10 AS 'MODULE_PATHNAME', 'log_rank_groups';
COMMENT ON FUNCTION ltv.log_rank_groups(ltv.grouped_survival, text, double precision, double precision) IS 'What log_rank is made of, a row per group in the order of the groups, as R''s survdiff prints it. subjects, events: sums of weights. observed, expected: weighted sums of events, and of those expected if all shared one curve. variance: of observed - expected. over_expected: (O - E)^2 / E; over_variance: (O - E)^2 / V; NULL where the divisor is 0.';

CREATE FUNCTION ltv.pairwise_log_rank(
    g ltv.grouped_survival, weights text DEFAULT 'log-rank', p double precision DEFAULT 1, q double precision DEFAULT 0,
    adjust text DEFAULT 'holm'
) RETURNS TABLE (
    group_a text, group_b text, chi_squared double precision, p_value double precision, adjusted_p_value double precision
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 ROWS 45 AS 'MODULE_PATHNAME', 'pairwise_log_rank';
COMMENT ON FUNCTION ltv.pairwise_log_rank(ltv.grouped_survival, text, double precision, double precision, text) IS 'Every pair of groups compared as if there were no others, within strata where there are any. adjust: holm (1979; any false alarm), bonferroni, benjamini-hochberg (1995; the share of false alarms), none. Pairs that could not be compared have NULLs and do not count.';

CREATE FUNCTION ltv.curves(g ltv.grouped_survival) RETURNS TABLE (stratum text, group_name text, curve ltv.survival)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 10 AS 'MODULE_PATHNAME', 'grouped_curves';
COMMENT ON FUNCTION ltv.curves(ltv.grouped_survival) IS 'The curve of each group within each stratum (NULL when there are no strata), by stratum and group: the same as survival_agg would have made.';
