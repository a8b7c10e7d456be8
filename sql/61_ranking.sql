-- How well do scores tell those who will from those who will not? The tests of calibration stand here too.

CREATE TYPE ltv.ranking;
CREATE FUNCTION ltv.ranking_in(cstring) RETURNS ltv.ranking LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ranking_in_wrapper';
CREATE FUNCTION ltv.ranking_out(ltv.ranking) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ranking_out_wrapper';
CREATE FUNCTION ltv.ranking_recv(internal) RETURNS ltv.ranking LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ranking_recv_wrapper';
CREATE FUNCTION ltv.ranking_send(ltv.ranking) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ranking_send_wrapper';
CREATE TYPE ltv.ranking (
    INPUT = ltv.ranking_in, OUTPUT = ltv.ranking_out, RECEIVE = ltv.ranking_recv, SEND = ltv.ranking_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.ranking IS 'Scores against what happened: exact counts of the outcome per distinct score, and sums of value; mergeable by rollup.';
COMMENT ON FUNCTION ltv.ranking_in(cstring) IS 'Reads the text form of a ranking; anything else is error 22P02.';
COMMENT ON FUNCTION ltv.ranking_out(ltv.ranking) IS 'The text form of a ranking: JSON, exact to the last bit.';
COMMENT ON FUNCTION ltv.ranking_recv(internal) IS 'Reads the binary form of a ranking, fully checked.';
COMMENT ON FUNCTION ltv.ranking_send(ltv.ranking) IS 'The binary form of a ranking.';

CREATE FUNCTION ltv._ranking_add(state ltv.ranking, score double precision, outcome boolean) RETURNS ltv.ranking
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ranking_add_bool';
COMMENT ON FUNCTION ltv._ranking_add(ltv.ranking, double precision, boolean) IS 'Transition function of ranking_agg.';
CREATE FUNCTION ltv._ranking_add(state ltv.ranking, score double precision, outcome integer) RETURNS ltv.ranking
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ranking_add_int';
COMMENT ON FUNCTION ltv._ranking_add(ltv.ranking, double precision, integer) IS 'Transition function of ranking_agg.';
CREATE FUNCTION ltv._ranking_add(state ltv.ranking, score double precision, outcome boolean, weight double precision) RETURNS ltv.ranking
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ranking_add_weight_bool';
COMMENT ON FUNCTION ltv._ranking_add(ltv.ranking, double precision, boolean, double precision) IS 'Transition function of ranking_agg.';
CREATE FUNCTION ltv._ranking_add(state ltv.ranking, score double precision, outcome integer, weight double precision) RETURNS ltv.ranking
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ranking_add_weight_int';
COMMENT ON FUNCTION ltv._ranking_add(ltv.ranking, double precision, integer, double precision) IS 'Transition function of ranking_agg.';
CREATE FUNCTION ltv._ranking_add(state ltv.ranking, score double precision, outcome boolean, weight double precision, value double precision) RETURNS ltv.ranking
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ranking_add_value_bool';
COMMENT ON FUNCTION ltv._ranking_add(ltv.ranking, double precision, boolean, double precision, double precision) IS 'Transition function of ranking_agg.';
CREATE FUNCTION ltv._ranking_add(state ltv.ranking, score double precision, outcome integer, weight double precision, value double precision) RETURNS ltv.ranking
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ranking_add_value_int';
COMMENT ON FUNCTION ltv._ranking_add(ltv.ranking, double precision, integer, double precision, double precision) IS 'Transition function of ranking_agg.';
CREATE FUNCTION ltv._ranking_combine(state ltv.ranking, other ltv.ranking) RETURNS ltv.ranking
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ranking_combine';
COMMENT ON FUNCTION ltv._ranking_combine(ltv.ranking, ltv.ranking) IS 'Combine function of ranking_agg, transition function of rollup.';

CREATE AGGREGATE ltv.ranking_agg(score double precision, outcome boolean) (
    SFUNC = ltv._ranking_add, STYPE = ltv.ranking, SSPACE = 32768, COMBINEFUNC = ltv._ranking_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.ranking_agg(double precision, boolean) IS 'Gathers scores (any finite number, high for those expected to have the outcome: a churn probability goes with churned) and whether it happened. Rows with a NULL are left out and counted by skipped(). Errors 22023.';

CREATE AGGREGATE ltv.ranking_agg(score double precision, outcome integer) (
    SFUNC = ltv._ranking_add, STYPE = ltv.ranking, SSPACE = 32768, COMBINEFUNC = ltv._ranking_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.ranking_agg(double precision, integer) IS 'Gathers scores (any finite number, high for those expected to have the outcome: a churn probability goes with churned) and whether it happened, as 1 or 0. Rows with a NULL are left out and counted by skipped(). Errors 22023.';

CREATE AGGREGATE ltv.ranking_agg(score double precision, outcome boolean, weight double precision) (
    SFUNC = ltv._ranking_add, STYPE = ltv.ranking, SSPACE = 32768, COMBINEFUNC = ltv._ranking_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.ranking_agg(double precision, boolean, double precision) IS 'As ranking_agg(score, outcome), each row counting weight times (greater than 0, at most 1e90).';

CREATE AGGREGATE ltv.ranking_agg(score double precision, outcome integer, weight double precision) (
    SFUNC = ltv._ranking_add, STYPE = ltv.ranking, SSPACE = 32768, COMBINEFUNC = ltv._ranking_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.ranking_agg(double precision, integer, double precision) IS 'As ranking_agg(score, outcome), each row counting weight times (greater than 0, at most 1e90); the outcome as 1 or 0.';

CREATE AGGREGATE ltv.ranking_agg(score double precision, outcome boolean, weight double precision, value double precision) (
    SFUNC = ltv._ranking_add, STYPE = ltv.ranking, SSPACE = 32768, COMBINEFUNC = ltv._ranking_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.ranking_agg(double precision, boolean, double precision, double precision) IS 'As ranking_agg(score, outcome, weight) with what each row is worth (money in one currency, not negative): lift_table then tells the share of value captured. Weight 1 for plain rows.';

CREATE AGGREGATE ltv.ranking_agg(score double precision, outcome integer, weight double precision, value double precision) (
    SFUNC = ltv._ranking_add, STYPE = ltv.ranking, SSPACE = 32768, COMBINEFUNC = ltv._ranking_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.ranking_agg(double precision, integer, double precision, double precision) IS 'As ranking_agg(score, outcome, weight) with what each row is worth (money in one currency, not negative): lift_table then tells the share of value captured. Weight 1 for plain rows; the outcome as 1 or 0.';

CREATE AGGREGATE ltv.rollup(summary ltv.ranking) (
    SFUNC = ltv._ranking_combine, STYPE = ltv.ranking, SSPACE = 32768, COMBINEFUNC = ltv._ranking_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.ranking) IS 'Adds up rankings, exactly as if ranking_agg had seen all their rows.';

CREATE FUNCTION ltv.auc(r ltv.ranking) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'ranking_auc';
COMMENT ON FUNCTION ltv.auc(ltv.ranking) IS 'Area under the ROC curve: the probability that a row with the outcome was ranked above one without, ties half (Mann & Whitney 1947). Exact. NULL when one of the outcomes never happened.';

CREATE FUNCTION ltv.auc_interval(
    r ltv.ranking, level double precision DEFAULT 0.95,
    OUT auc double precision, OUT std_error double precision, OUT lower double precision, OUT upper double precision
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'auc_interval';
COMMENT ON FUNCTION ltv.auc_interval(ltv.ranking, double precision) IS 'auc with its standard error (DeLong, DeLong & Clarke-Pearson 1988, exact with ties) and the normal limits, cut to 0 and 1. std_error and limits are NULL with fewer than two rows of either outcome; all are NULL when one never happened. Errors 22023.';

CREATE FUNCTION ltv.gini(r ltv.ranking) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'ranking_gini';
COMMENT ON FUNCTION ltv.gini(ltv.ranking) IS 'The Gini coefficient of a score, or accuracy ratio: 2 auc - 1 (Somers'' D). 0 is chance, 1 perfect. NULL as auc.';

CREATE FUNCTION ltv.average_precision(r ltv.ranking) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'average_precision';
COMMENT ON FUNCTION ltv.average_precision(ltv.ranking) IS 'Precision averaged over the positives as they are found from the highest score down, without interpolation, as average_precision_score of scikit-learn; chance is the rate of the outcome. NULL when it never happened.';

CREATE FUNCTION ltv.lift_table(
    r ltv.ranking, buckets integer DEFAULT 10,
    OUT bucket integer, OUT n double precision, OUT score_from double precision, OUT score_to double precision,
    OUT positives double precision, OUT rate double precision, OUT lift double precision,
    OUT cumulative_share double precision, OUT cumulative_capture double precision, OUT cumulative_lift double precision,
    OUT value double precision, OUT cumulative_value_share double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 10 AS 'MODULE_PATHNAME', 'lift_table';
COMMENT ON FUNCTION ltv.lift_table(ltv.ranking, integer) IS 'Buckets of about equal numbers of rows from the highest score (bucket 1) down; equal scores share a bucket, empty ones are left out. rate = positives / n; lift = rate / overall rate. Of this and the higher buckets together: cumulative_share of all rows, cumulative_capture of all positives, cumulative_lift = the second / the first. value: of the positives of the bucket; cumulative_value_share: of the value of all positives. The last two are NULL without values, lift and capture when the outcome never happened. Errors 22023.';

CREATE FUNCTION ltv.precision_recall(
    r ltv.ranking, at double precision[] DEFAULT NULL,
    OUT threshold double precision, OUT flagged double precision, OUT true_positives double precision, OUT false_positives double precision,
    OUT "precision" double precision, OUT recall double precision, OUT false_positive_rate double precision, OUT f1 double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 100 AS 'MODULE_PATHNAME', 'precision_recall';
COMMENT ON FUNCTION ltv.precision_recall(ltv.ranking, double precision[]) IS 'What is right and wrong when rows with a score >= threshold are flagged: at the thresholds given, or at each distinct score, from the highest down. precision = true positives / flagged; recall = true positives / all positives (the true positive rate of the ROC curve); false_positive_rate = false positives / all negatives; f1 their harmonic mean of precision and recall. NULL where the denominator is 0. Errors 22023, 22004.';

CREATE FUNCTION ltv.best_threshold(
    r ltv.ranking, benefit double precision DEFAULT NULL, cost double precision DEFAULT NULL, capacity double precision DEFAULT NULL,
    OUT threshold double precision, OUT flagged double precision, OUT true_positives double precision, OUT false_positives double precision,
    OUT "precision" double precision, OUT recall double precision, OUT false_positive_rate double precision, OUT f1 double precision,
    OUT profit double precision, OUT status text
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'best_threshold';
COMMENT ON FUNCTION ltv.best_threshold(ltv.ranking, double precision, double precision, double precision) IS 'The threshold with the greatest profit = benefit x true positives - cost x flagged, of several the one that flags the fewest, among those that flag at most capacity rows. benefit: gained by acting on a row that would have the outcome; cost: spent on each row acted on. Only a capacity: the lowest threshold that flags no more. status: ok, limited by the capacity, nobody is worth the cost (threshold NULL, profit 0), or the capacity is smaller than the group of the highest score. Tuned on the rows it is judged on, the profit is an upper end: judge it on others. Errors 22023.';

CREATE FUNCTION ltv.skipped(r ltv.ranking) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'ranking_skipped';
COMMENT ON FUNCTION ltv.skipped(ltv.ranking) IS 'Rows that ranking_agg left out because an argument was NULL.';

CREATE FUNCTION ltv.hosmer_lemeshow(
    c ltv.calibration, bins integer DEFAULT 10, fitted_here boolean DEFAULT false,
    OUT chi_squared double precision, OUT df integer, OUT p_value double precision
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'hosmer_lemeshow';
COMMENT ON FUNCTION ltv.hosmer_lemeshow(ltv.calibration, integer, boolean) IS 'Chi-squared of observed against predicted numbers over the quantile bins of calibration_curve (Hosmer & Lemeshow 1980). df: the bins with rows, less 2 when the model learnt from these very rows (fitted_here). With many rows it finds any flaw, with few none: look at the curve. NULL when no degree of freedom is left or a bin was certain and wrong. Errors 22023.';

CREATE FUNCTION ltv.spiegelhalter(c ltv.calibration, OUT z double precision, OUT p_value double precision)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'spiegelhalter';
COMMENT ON FUNCTION ltv.spiegelhalter(ltv.calibration) IS 'Test of calibration without bins, by the Brier score (Spiegelhalter 1986): z is standard normal when every probability is right. NULL without rows, and when all probabilities are 0, 0.5 or 1.';

CREATE FUNCTION ltv.isotonic(
    c ltv.calibration,
    OUT probability_from double precision, OUT probability_to double precision, OUT n double precision, OUT recalibrated double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 20 AS 'MODULE_PATHNAME', 'isotonic';
COMMENT ON FUNCTION ltv.isotonic(ltv.calibration) IS 'The isotonic recalibration (pool adjacent violators, Ayer et al. 1955; Zadrozny & Elkan 2002): steps of neighbouring predictions, probability_from to probability_to, and the rising probability that they deserve. Gaps between steps are interpolated linearly, as IsotonicRegression of scikit-learn does.';
