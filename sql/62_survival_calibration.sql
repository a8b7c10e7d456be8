-- Did the predicted survival come true, when some have not been watched long enough?

CREATE TYPE ltv.survival_calibration;
CREATE FUNCTION ltv.survival_calibration_in(cstring) RETURNS ltv.survival_calibration LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'survival_calibration_in_wrapper';
CREATE FUNCTION ltv.survival_calibration_out(ltv.survival_calibration) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'survival_calibration_out_wrapper';
CREATE FUNCTION ltv.survival_calibration_recv(internal) RETURNS ltv.survival_calibration LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'survival_calibration_recv_wrapper';
CREATE FUNCTION ltv.survival_calibration_send(ltv.survival_calibration) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'survival_calibration_send_wrapper';
CREATE TYPE ltv.survival_calibration (
    INPUT = ltv.survival_calibration_in, OUTPUT = ltv.survival_calibration_out, RECEIVE = ltv.survival_calibration_recv, SEND = ltv.survival_calibration_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.survival_calibration IS 'Predicted survival against what became of the rows: all of them, 16 bytes each, for under censoring nothing shorter tells enough; mergeable by rollup.';
COMMENT ON FUNCTION ltv.survival_calibration_in(cstring) IS 'Reads the text form; anything else is error 22P02.';
COMMENT ON FUNCTION ltv.survival_calibration_out(ltv.survival_calibration) IS 'The text form: JSON, exact to the last bit, the rows in one order.';
COMMENT ON FUNCTION ltv.survival_calibration_recv(internal) IS 'Reads the binary form, fully checked.';
COMMENT ON FUNCTION ltv.survival_calibration_send(ltv.survival_calibration) IS 'The binary form.';

CREATE FUNCTION ltv._survival_calibration_add(state ltv.survival_calibration, predicted_survival double precision, duration double precision, event boolean) RETURNS ltv.survival_calibration
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_calibration_add_bool';
COMMENT ON FUNCTION ltv._survival_calibration_add(ltv.survival_calibration, double precision, double precision, boolean) IS 'Transition function of survival_calibration_agg.';
CREATE FUNCTION ltv._survival_calibration_add(state ltv.survival_calibration, predicted_survival double precision, duration double precision, event integer) RETURNS ltv.survival_calibration
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_calibration_add_int';
COMMENT ON FUNCTION ltv._survival_calibration_add(ltv.survival_calibration, double precision, double precision, integer) IS 'Transition function of survival_calibration_agg.';
CREATE FUNCTION ltv._survival_calibration_add(state ltv.survival_calibration, predicted_survival double precision, duration double precision, event boolean, weight double precision) RETURNS ltv.survival_calibration
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_calibration_add_weight_bool';
COMMENT ON FUNCTION ltv._survival_calibration_add(ltv.survival_calibration, double precision, double precision, boolean, double precision) IS 'Transition function of survival_calibration_agg.';
CREATE FUNCTION ltv._survival_calibration_add(state ltv.survival_calibration, predicted_survival double precision, duration double precision, event integer, weight double precision) RETURNS ltv.survival_calibration
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_calibration_add_weight_int';
COMMENT ON FUNCTION ltv._survival_calibration_add(ltv.survival_calibration, double precision, double precision, integer, double precision) IS 'Transition function of survival_calibration_agg.';
CREATE FUNCTION ltv._survival_calibration_combine(state ltv.survival_calibration, other ltv.survival_calibration) RETURNS ltv.survival_calibration
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survival_calibration_combine';
COMMENT ON FUNCTION ltv._survival_calibration_combine(ltv.survival_calibration, ltv.survival_calibration) IS 'Combine function of survival_calibration_agg, transition function of rollup.';

CREATE AGGREGATE ltv.survival_calibration_agg(predicted_survival double precision, duration double precision, event boolean) (
    SFUNC = ltv._survival_calibration_add, STYPE = ltv.survival_calibration, SSPACE = 65536, COMBINEFUNC = ltv._survival_calibration_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.survival_calibration_agg(double precision, double precision, boolean) IS 'Gathers what was predicted and what became of it: the probability (0 to 1) of no event until a horizon, the time from the prediction to the event or to the last look, and whether it was the event. The horizon is that of the prediction; give the same to the accessors. For rows observed from an age on: renewal_probability(m, row, horizon, given => age) with duration - age. Rows with a NULL are left out and counted by skipped(). Memory: 16 bytes a row. Errors 22023, 53200.';

CREATE AGGREGATE ltv.survival_calibration_agg(predicted_survival double precision, duration double precision, event integer) (
    SFUNC = ltv._survival_calibration_add, STYPE = ltv.survival_calibration, SSPACE = 65536, COMBINEFUNC = ltv._survival_calibration_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.survival_calibration_agg(double precision, double precision, integer) IS 'Gathers what was predicted and what became of it: the probability (0 to 1) of no event until a horizon, the time from the prediction to the event or to the last look, and whether it was the event, as 1 or 0. The horizon is that of the prediction; give the same to the accessors. For rows observed from an age on: renewal_probability(m, row, horizon, given => age) with duration - age. Rows with a NULL are left out and counted by skipped(). Memory: 16 bytes a row. Errors 22023, 53200.';

CREATE AGGREGATE ltv.survival_calibration_agg(predicted_survival double precision, duration double precision, event boolean, weight double precision) (
    SFUNC = ltv._survival_calibration_add, STYPE = ltv.survival_calibration, SSPACE = 65536, COMBINEFUNC = ltv._survival_calibration_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.survival_calibration_agg(double precision, double precision, boolean, double precision) IS 'As survival_calibration_agg(predicted_survival, duration, event), each row counting weight times (greater than 0, at most 1e90).';

CREATE AGGREGATE ltv.survival_calibration_agg(predicted_survival double precision, duration double precision, event integer, weight double precision) (
    SFUNC = ltv._survival_calibration_add, STYPE = ltv.survival_calibration, SSPACE = 65536, COMBINEFUNC = ltv._survival_calibration_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.survival_calibration_agg(double precision, double precision, integer, double precision) IS 'As survival_calibration_agg(predicted_survival, duration, event), each row counting weight times (greater than 0, at most 1e90); the event as 1 or 0.';

CREATE AGGREGATE ltv.rollup(summary ltv.survival_calibration) (
    SFUNC = ltv._survival_calibration_combine, STYPE = ltv.survival_calibration, SSPACE = 65536, COMBINEFUNC = ltv._survival_calibration_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.survival_calibration) IS 'Adds up summaries of disjoint rows, exactly as if survival_calibration_agg had seen all of them.';

CREATE FUNCTION ltv.calibration_curve(
    s ltv.survival_calibration, horizon double precision, bins integer DEFAULT 10, method text DEFAULT 'quantile', level double precision DEFAULT 0.95,
    OUT bin integer, OUT n double precision, OUT events double precision, OUT censored double precision, OUT mean_predicted double precision,
    OUT observed double precision, OUT lower double precision, OUT upper double precision, OUT gap double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10 AS 'MODULE_PATHNAME', 'survival_calibration_curve';
COMMENT ON FUNCTION ltv.calibration_curve(ltv.survival_calibration, double precision, integer, text, double precision) IS 'Predicted against observed survival at the horizon, bin by bin of the predictions. observed is the Kaplan-Meier curve of the rows of the bin, so that censored rows count for as long as they were seen; NULL where nobody of the bin was seen until the horizon. lower, upper: Greenwood on the log-log scale; where nobody of the bin had the event, (alpha / 2)^(1 / m) to 1 with the m rows still at risk at the horizon, the limit of Clopper & Pearson (1934) for m rows, which holds under censoring too (Fay, Brittain & Proschan 2013); where the curve comes down to 0, 0 to 1 - (alpha / 2)^(1 / events). events, censored: until the horizon. method: quantile (equal predictions stay together) or uniform. gap = observed - mean_predicted. Errors 22023.';

CREATE FUNCTION ltv.brier_score(
    s ltv.survival_calibration, horizon double precision, censoring text DEFAULT 'marginal', OUT brier double precision, OUT reference double precision, OUT skill double precision
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'survival_brier_score';
COMMENT ON FUNCTION ltv.brier_score(ltv.survival_calibration, double precision, text) IS 'Mean squared difference between predicted survival and status at the horizon, each row whose status is known weighing one over the probability of not being censored so far (Graf et al. 1999): 1/G(T-) for events, 1/G(horizon) for those beyond, G by Kaplan-Meier, events before censorings at a tie. censoring: marginal, one G for all rows, as scikit-survival and R''s survival have it, right where who is censored does not hang on the features; or grouped, a G for each group of like predictions (Gerds & Schumacher 2006, with strata), right where the prediction holds what tells of both event and censoring: up to twenty groups of equal number with twenty events each on average, fewer where of one nobody is seen beyond the horizon. reference: that of the observed survival of all rows, Kaplan-Meier (grouped: the mean of those of the groups); skill = 1 - brier / reference. NULL without rows or where nobody is seen beyond the horizon. Errors 22023.';

CREATE FUNCTION ltv.integrated_brier_score(
    s ltv.survival_calibration[], horizons double precision[], censoring text DEFAULT 'marginal', OUT brier double precision, OUT reference double precision, OUT skill double precision
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50000 AS 'MODULE_PATHNAME', 'integrated_brier_score';
COMMENT ON FUNCTION ltv.integrated_brier_score(ltv.survival_calibration[], double precision[], text) IS 'brier_score averaged over rising horizons by the trapezoid rule; one summary of the same rows for each horizon: array_agg(s ORDER BY horizon). censoring as brier_score. NULL where a score is. Errors 22023.';

CREATE FUNCTION ltv.concordance(
    s ltv.survival_calibration, method text DEFAULT 'harrell', until double precision DEFAULT NULL, level double precision DEFAULT 0.95,
    OUT concordance double precision, OUT std_error double precision, OUT lower double precision, OUT upper double precision,
    OUT concordant double precision, OUT discordant double precision, OUT tied_prediction double precision,
    OUT tied_time double precision, OUT tied_both double precision
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50000 AS 'MODULE_PATHNAME', 'survival_concordance';
COMMENT ON FUNCTION ltv.concordance(ltv.survival_calibration, text, double precision, double precision) IS 'How often of two rows the one with the lower prediction had the event first, ties of the prediction counting half; 0.5 is chance. method: harrell (all pairs alike; Harrell, Lee & Mark 1996) or uno (a pair weighs 1/G(t-)^2 at its first event, which takes the censoring out; Uno et al. 2011). until: pairs whose first event is later do not count. The standard error is the infinitesimal jackknife with G taken as known; limits are normal, cut to 0 and 1. As concordance(..., timewt = "n" or "n/G2") of R. NULL without a pair. Errors 22023.';

CREATE FUNCTION ltv.auc(s ltv.survival_calibration, horizon double precision, censoring text DEFAULT 'marginal') RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'survival_auc';
COMMENT ON FUNCTION ltv.auc(ltv.survival_calibration, double precision, text) IS 'Cumulative/dynamic area under the ROC curve at the horizon: how often one with the event by then had a lower prediction than one without, ties half; those with the event weigh 1/G(T-) (Uno et al. 2007; Hung & Chiang 2010), and with censoring => ''grouped'' (see brier_score) those without 1/G(horizon) of their group. NULL when one of the two kinds is missing. Errors 22023.';

CREATE FUNCTION ltv.expected_calibration_error(s ltv.survival_calibration, horizon double precision, bins integer DEFAULT 10, method text DEFAULT 'quantile') RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20000 AS 'MODULE_PATHNAME', 'survival_expected_calibration_error';
COMMENT ON FUNCTION ltv.expected_calibration_error(ltv.survival_calibration, double precision, integer, text) IS 'Mean absolute gap between predicted and observed over the bins of calibration_curve, weighted by their numbers (Naeini, Cooper & Hauskrecht 2015), observed by Kaplan-Meier within the bin; of the event and of survival it is the same. By default ten bins of equal number, equal predictions together. It depends on the bins and is never 0 for a finite number of rows: compare it between models of the same rows. NULL without rows, and where nobody of a bin was observed until the horizon: take fewer bins. Errors 22023.';

CREATE FUNCTION ltv.integrated_calibration_index(
    s ltv.survival_calibration, horizon double precision, OUT ici double precision, OUT e50 double precision, OUT e90 double precision, OUT e_max double precision
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50000 AS 'MODULE_PATHNAME', 'survival_calibration_index';
COMMENT ON FUNCTION ltv.integrated_calibration_index(ltv.survival_calibration, double precision) IS 'Distance of the predictions from a smooth curve of what was observed at them: mean (ici), median, ninth decile, largest (Austin, Harrell & van Klaveren 2020). The smoother is theirs: a Cox regression on a restricted cubic spline of log(-log(prediction)) with three knots at its quantiles 0.1, 0.5 and 0.9. The curved term is left out where its coefficient runs off to infinity. With tied times a weight of 2 is not quite the row twice, as in fit_cox. Predictions are first limited to 1e-8 .. 1 - 1e-8. NULL without events, where nobody is seen until the horizon, and when the smoother does not converge. Errors 22023, 53200.';

CREATE FUNCTION ltv.integrated_calibration_index(
    c ltv.calibration, OUT ici double precision, OUT e50 double precision, OUT e90 double precision, OUT e_max double precision
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50000 AS 'MODULE_PATHNAME', 'binary_calibration_index';
COMMENT ON FUNCTION ltv.integrated_calibration_index(ltv.calibration) IS 'The same where every outcome is known (Austin & Steyerberg 2019), the smoother a logistic regression on a restricted cubic spline of the logit with three knots at its quantiles 0.1, 0.5 and 0.9 (theirs is loess). NULL with one outcome only, and when the smoother does not converge.';

CREATE FUNCTION ltv.d_calibration(s ltv.survival_calibration, bins integer DEFAULT 10, OUT chi_squared double precision, OUT df integer, OUT p_value double precision)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'd_calibration';
COMMENT ON FUNCTION ltv.d_calibration(ltv.survival_calibration, integer) IS 'D-calibration (Haider, Hoehn, Davis & Greiner 2020): whether the survival predicted at each row''s own duration is spread evenly over 0 to 1, as it is when the whole curves are right; a censored row is spread over what lies below it. Gather with renewal_probability(m, row, horizon => duration). Pearson''s chi-squared with bins - 1 degrees of freedom; a small p_value speaks against the curves. Under censoring the test is conservative: a censored row is spread over the bins below its prediction, which lowers the variance of their numbers (of 120 simulated sets of 1,000 rows, 43 % censored, with the true curves chi_squared was 5.11 on the average for 9 degrees of freedom, and none had a p_value below 0.05), so a large p_value proves less. NULL without rows or with one bin. Errors 22023.';

CREATE FUNCTION ltv.d_calibration_table(
    s ltv.survival_calibration, bins integer DEFAULT 10,
    OUT bin integer, OUT survival_from double precision, OUT survival_to double precision, OUT n double precision, OUT expected double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10 AS 'MODULE_PATHNAME', 'd_calibration_table';
COMMENT ON FUNCTION ltv.d_calibration_table(ltv.survival_calibration, integer) IS 'The bins of d_calibration: rows (censored ones in parts) whose predicted survival at their own duration lies in [survival_from, survival_to), and how many were to be expected. Errors 22023.';

CREATE FUNCTION ltv.skipped(s ltv.survival_calibration) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'survival_calibration_skipped';
COMMENT ON FUNCTION ltv.skipped(ltv.survival_calibration) IS 'Rows that survival_calibration_agg left out because an argument was NULL.';
