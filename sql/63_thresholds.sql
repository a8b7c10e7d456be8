-- Where to draw the line when the outcome of some is not known yet, and the weights behind every score under censoring.

CREATE FUNCTION ltv.precision_recall(
    s ltv.survival_calibration, horizon double precision, at double precision[] DEFAULT NULL, censoring text DEFAULT 'marginal',
    OUT threshold double precision, OUT flagged double precision, OUT true_positives double precision, OUT false_positives double precision,
    OUT "precision" double precision, OUT recall double precision, OUT false_positive_rate double precision, OUT f1 double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 ROWS 100 AS 'MODULE_PATHNAME', 'survival_precision_recall';
COMMENT ON FUNCTION ltv.precision_recall(ltv.survival_calibration, double precision, double precision[], text) IS 'What is right and wrong when rows with a probability of the event by the horizon (1 - predicted survival) >= threshold are flagged: at the thresholds given, or at each distinct probability, from the highest down. flagged: all rows with at least the threshold, each counting weight times. true_positives, false_positives: of those among them whose status at the horizon is known - the event by then, or seen beyond -, each counting one over the probability not to be censored so far (1/G(T-), 1/G(horizon); Uno et al. 2007); a row censored before the horizon counts in flagged only, the others stand for it, so that the two add up to about flagged, exactly so without censoring and when all rows are flagged. precision, recall, false_positive_rate and f1 of these. censoring: marginal or grouped, as in brier_score. No rows where nobody is seen beyond the horizon. Errors 22023, 22004.';

CREATE FUNCTION ltv.best_threshold(
    s ltv.survival_calibration, horizon double precision, benefit double precision DEFAULT NULL, cost double precision DEFAULT NULL, capacity double precision DEFAULT NULL,
    censoring text DEFAULT 'marginal',
    OUT threshold double precision, OUT flagged double precision, OUT true_positives double precision, OUT false_positives double precision,
    OUT "precision" double precision, OUT recall double precision, OUT false_positive_rate double precision, OUT f1 double precision,
    OUT profit double precision, OUT status text
)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'survival_best_threshold';
COMMENT ON FUNCTION ltv.best_threshold(ltv.survival_calibration, double precision, double precision, double precision, double precision, text) IS 'The threshold of precision_recall with the greatest profit = benefit x true_positives - cost x flagged, of several the one that flags the fewest, among those that flag at most capacity rows; only a capacity: the lowest threshold that flags no more. Cost and capacity are of all rows flagged, those of unknown status too. Status and errors as best_threshold of a ranking. NULL without rows and where nobody is seen beyond the horizon.';

CREATE FUNCTION ltv.inverse_censoring_weights(durations double precision[], events boolean[], horizon double precision, weights double precision[] DEFAULT NULL) RETURNS double precision[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'inverse_censoring_weights_wrapper';
COMMENT ON FUNCTION ltv.inverse_censoring_weights(double precision[], boolean[], double precision, double precision[]) IS 'What each row counts at the horizon, in the order given, for any score of your own under censoring: its weight (1 without weights) over the probability not to be censored so far, for those with the event by the horizon (1/G(T-)) and those seen beyond it (1/G(horizon)); 0 for those censored before, whose status is not known. G by Kaplan-Meier, events before censorings at a tie (Graf et al. 1999). They add up to the number of rows. For a G by group: GROUP BY it, as by the groups of censoring_groups. NULL for no rows, where nobody is seen beyond the horizon, and for NULL arrays. Errors 22023: arrays of different lengths, durations that are negative or not finite, weights that are not greater than 0; 22004 for a NULL in an array.';

CREATE FUNCTION ltv.censoring_groups(predicted double precision[], durations double precision[], events boolean[], horizon double precision, weights double precision[] DEFAULT NULL) RETURNS integer[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'censoring_groups_wrapper';
COMMENT ON FUNCTION ltv.censoring_groups(double precision[], double precision[], boolean[], double precision, double precision[]) IS 'The group of like predictions of each row, in the order given and from 1 (the lowest predicted survival): those by whose curves censoring => ''grouped'' weighs (see brier_score). Up to twenty of equal number, equal predictions together, with twenty events by the horizon each on average; fewer where of one nobody is seen beyond the horizon, and 1 for all where there is but one. predicted: the probability of no event until the horizon. NULL for NULL arrays. Errors 22023: arrays of different lengths, predictions that are no probabilities, durations that are negative or not finite, weights that are not greater than 0; 22004 for a NULL in an array.';
