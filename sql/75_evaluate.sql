-- How good a registered model is on the rows of a relation.

CREATE FUNCTION ltv.evaluate(
    model text, source regclass, horizons double precision[] DEFAULT NULL, by text[] DEFAULT NULL, min_rows integer DEFAULT 30, rows text DEFAULT 'auto',
    censoring text DEFAULT 'marginal', censoring_by text[] DEFAULT NULL
) RETURNS TABLE (
    segment text, horizon double precision, n bigint, n_events bigint, n_unscored bigint, concordance double precision, concordance_error double precision,
    auc double precision, brier double precision, brier_baseline double precision, skill double precision, log_loss double precision,
    predicted_rate double precision, observed_rate double precision, observed_to_expected double precision,
    ici double precision, e50 double precision, e90 double precision, ece double precision, status text
)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reading record;
    fitted ltv.model;
BEGIN
    SELECT * INTO reading FROM ltv.evaluation_query(evaluate.model, evaluate.source, evaluate.by, evaluate.rows, NULL, evaluate.censoring, evaluate.censoring_by, horizons => evaluate.horizons);
    fitted := ltv.model(evaluate.model);
    horizons := ARRAY(SELECT DISTINCT h.horizon FROM unnest(horizons) h (horizon));
    IF array_position(horizons, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'the horizons must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'horizons => ARRAY[3, 6, 12], in the unit of the durations; left out it is that of the training.';
    END IF;
    IF cardinality(horizons) = 0 THEN
        horizons := ARRAY[reading.horizon];
    END IF;
    RETURN QUERY EXECUTE format($q$
        WITH judged AS MATERIALIZED (%s),
        piece AS (
            SELECT j.segment, grouping(j.segment) AS is_all, j.horizon, count(j.predicted) AS n, count(j.predicted) FILTER (WHERE j.event AND j.duration <= j.horizon) AS n_events,
                   count(*) FILTER (WHERE j.predicted IS NULL) AS n_unscored, sum(j.predicted * j.weight) AS predicted, sum(j.weight) FILTER (WHERE j.predicted IS NOT NULL) AS weight,
                   ltv.survival_calibration_agg(j.predicted, j.duration, j.event, j.weight) AS s,
                   ltv.survival_agg(j.duration, j.event, j.weight) FILTER (WHERE j.predicted IS NOT NULL) AS curve
            FROM judged j GROUP BY GROUPING SETS ((j.horizon, j.stratum), (j.horizon, j.segment, j.stratum)) HAVING grouping(j.segment) = 1 OR $3
        ),
        -- Strata that are too small, and those of which nobody is seen beyond the horizon, are one.
        weighed AS (
            SELECT p.*, CASE WHEN $6 = 'columns' AND p.n >= 30 THEN ltv.calibration_at(p.s, p.horizon) END AS known FROM piece p
        ),
        gathered AS (
            SELECT coalesce(w.segment, 'all') AS segment, w.is_all, w.horizon, sum(w.n)::bigint AS n, sum(w.n_events)::bigint AS n_events, sum(w.n_unscored)::bigint AS n_unscored,
                   sum(w.predicted) / sum(w.weight) AS predicted, ltv.rollup(w.s) AS s, ltv.rollup(w.curve) AS curve,
                   ltv.rollup(w.known) AS strata, ltv.rollup(w.s) FILTER (WHERE $6 = 'columns' AND w.known IS NULL AND w.n > 0) AS rest
            FROM weighed w GROUP BY w.segment, w.is_all, w.horizon
        ),
        told AS (
            SELECT g.*, coalesce(h.suppression, CASE WHEN g.n < $4 THEN 'fewer than ' || $4 || ' rows' END) AS suppression
            FROM gathered g LEFT JOIN (SELECT w.horizon, h.* FROM (SELECT w.horizon, array_agg(w.segment) AS groups, array_agg(w.n) AS sizes FROM gathered w WHERE w.is_all = 0 GROUP BY w.horizon) w,
                                              ltv.suppressed_groups(w.groups, w.sizes, $4) h) h ON h.horizon = g.horizon AND h.segment = g.segment AND g.is_all = 0
        ),
        known AS (
            SELECT g.*, CASE $6 WHEN 'grouped' THEN ltv.calibration_at(g.s, g.horizon, 'grouped')
                                WHEN 'columns' THEN CASE WHEN g.rest IS NULL THEN g.strata ELSE (SELECT CASE WHEN r.c IS NOT NULL THEN (SELECT ltv.rollup(u.c) FROM unnest(ARRAY[g.strata, r.c]) u (c)) END FROM (SELECT ltv.calibration_at(g.rest, g.horizon) AS c) r) END END AS known
            FROM told g
        )
        SELECT g.segment, g.horizon, g.n, CASE WHEN g.suppression IS NULL THEN g.n_events END, g.n_unscored, c.concordance, c.std_error, a.auc, b.brier, b.reference, b.skill, ltv.log_loss(a.known), 1 - o.predicted, 1 - o.observed,
               CASE WHEN o.predicted < 1 THEN (1 - o.observed) / (1 - o.predicted) END, i.ici, i.e50, i.e90, x.ece,
               CASE WHEN g.n = 0 THEN ltv.unscored_status($1, g.horizon) WHEN g.suppression IS NOT NULL THEN g.suppression
                    ELSE coalesce(nullif(concat_ws('; ', CASE WHEN $5 THEN 'in sample' END,
                        CASE WHEN $6 = 'columns' AND o.observed IS NULL AND ltv.survival_at(g.curve, g.horizon) IS NOT NULL THEN 'nobody of a group of the censoring was observed until the horizon'
                             WHEN o.observed IS NULL OR b.brier IS NULL THEN 'nobody was observed until the horizon' WHEN g.n_events = 0 THEN 'no events' WHEN a.auc IS NULL THEN 'nobody lasted beyond the horizon'
                             WHEN i.ici IS NULL THEN 'no smooth curve for the ici' WHEN x.ece IS NULL THEN 'nobody of a bin of the ece was observed until the horizon' END), ''), 'ok') END
        FROM known g
        LEFT JOIN LATERAL ltv.concordance(g.s, until => g.horizon) c ON g.suppression IS NULL
        LEFT JOIN LATERAL (SELECT CASE $6 WHEN 'marginal' THEN ltv.auc(g.s, g.horizon) ELSE ltv.auc(g.known) END AS auc, CASE $6 WHEN 'marginal' THEN ltv.calibration_at(g.s, g.horizon) ELSE g.known END AS known OFFSET 0) a ON g.suppression IS NULL
        LEFT JOIN LATERAL (SELECT g.predicted, CASE $6 WHEN 'marginal' THEN ltv.survival_at(g.curve, g.horizon) ELSE (SELECT 1 - r.observed FROM ltv.calibration_curve(g.known, 1) r) END AS observed) o ON g.suppression IS NULL
        -- Of one prediction for all the score is that of a coin.
        LEFT JOIN LATERAL (SELECT m.* FROM ltv.brier_score(g.s, g.horizon) m WHERE $6 = 'marginal'
                           UNION ALL SELECT k.brier, k.reference, 1 - k.brier / nullif(k.reference, 0)
                           FROM (SELECT ltv.brier(g.known) AS brier, o.observed * (1 - o.observed) AS reference WHERE $6 <> 'marginal') k) b ON g.suppression IS NULL
        -- Of decisions every outcome is known, and a smooth curve of them is logistic.
        LEFT JOIN LATERAL (SELECT x.* FROM ltv.integrated_calibration_index(g.s, g.horizon) x WHERE NOT $7 UNION ALL SELECT x.* FROM ltv.integrated_calibration_index(a.known) x WHERE $7) i ON g.suppression IS NULL
        LEFT JOIN LATERAL (SELECT CASE WHEN $6 = 'columns' THEN ltv.expected_calibration_error(g.known) ELSE ltv.expected_calibration_error(g.s, g.horizon) END AS ece OFFSET 0) x ON g.suppression IS NULL
        ORDER BY g.is_all DESC, g.segment, g.horizon $q$, reading.query)
    USING fitted, horizons, coalesce(cardinality(evaluate.by) > 0, false), coalesce(min_rows, 0), reading.in_sample,
          CASE WHEN censoring = 'grouped' AND cardinality(censoring_by) > 0 THEN 'columns' ELSE censoring END, reading.decisions;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'all', h.horizon, 0::bigint, NULL::bigint, 0::bigint, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, ltv.nothing_to_judge(evaluate.model, evaluate.source, evaluate.rows, horizon => h.horizon)
        FROM unnest(horizons) h (horizon) ORDER BY h.horizon;
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.evaluate(text, regclass, double precision[], text[], integer, text, text, text[]) IS 'How good a registered model is on the rows of a relation, per horizon, and with by per segment too: Harrell''s concordance of pairs whose first event is by the horizon and its standard error, time-dependent AUC and Brier score weighted for censoring, that of the Kaplan-Meier curve of the same rows (brier_baseline) and skill = 1 - brier / brier_baseline; log_loss of the rows known at the horizon, weighted alike; predicted_rate and observed_rate, the mean predicted and the observed probability of the event by the horizon (1 - Kaplan-Meier), and observed_to_expected, the second over the first: above 1 more had it than was said; ici, e50, e90, the mean, median and ninth decile of the distance of predictions from a smooth curve of what was observed (integrated_calibration_index); ece, the expected calibration error in ten bins of equal number (expected_calibration_error; with censoring_by of the rows known at the horizon, weighted), NULL where nobody of a bin was observed until the horizon. censoring: whose probability not to be censored weighs the rows. marginal: that of all rows (Graf et al. 1999), as scikit-survival and R have it; observed_rate is of their Kaplan-Meier curve. grouped: that of the rows of a like prediction (see brier_score), or with censoring_by that of the rows with the same values in these columns (Gerds & Schumacher 2006), those with fewer than 30 rows, and those of which nobody is seen beyond the horizon, taken as one (status says so where nobody of that one is seen either, and what is weighed is NULL); observed_rate is then of the mean of the curves of the groups, and brier_baseline the score of it. concordance, ici, e50 and e90 take no such weights, and ece only those of censoring_by: its bins are groups of like predictions. horizons: by default that of the training (model_horizon). n: rows scored, n_events those of them with the event by the horizon; n_unscored: rows without a score, which are left out. Rows: see evaluation_query; in sample says that the model learnt from these very rows. Segments of fewer than min_rows rows have NULLs, and where these together have fewer than min_rows the next smallest too, so that they are not all less the others (suppressed_groups). Without any row to judge status says why (nothing_to_judge); what is undefined stands beside in sample. With a delayed entry durations and horizons count from the entry. Of a model of renewal decisions the event is that a row was not renewed, nothing is censored, horizon is the period of the model and cannot be chosen, brier_baseline is the score of the share of events, and the curve of the ici is logistic. Of a model of one cause among several (fine_gray) whoever ended by another cause is known never to end by this one: observed_rate is the Aalen-Johansen estimate, Brier score, AUC and log loss are weighted for censoring alone (Gerds & Schumacher 2006; Schoop et al. 2011), the concordance alike, and n counts the rows whose outcome at the horizon is known, which stand for those that were censored. Errors as evaluation_query.';

CREATE FUNCTION ltv.calibration(
    model text, source regclass, horizon double precision DEFAULT NULL, bins integer DEFAULT 10, by text[] DEFAULT NULL,
    min_rows integer DEFAULT 10, rows text DEFAULT 'auto', level double precision DEFAULT 0.95
) RETURNS TABLE (
    segment text, bin integer, n double precision, n_events double precision, n_censored double precision, predicted_rate double precision,
    observed_rate double precision, lower double precision, upper double precision, gap double precision, status text
)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reading record;
BEGIN
    SELECT * INTO reading FROM ltv.evaluation_query(calibration.model, calibration.source, calibration.by, calibration.rows, horizons => ARRAY[calibration.horizon]);
    IF bins < 1 THEN
        RAISE EXCEPTION 'the number of bins must be at least 1, got %', bins USING ERRCODE = 'invalid_parameter_value', HINT = 'Ten is usual.';
    END IF;
    IF NOT (level > 0 AND level < 1) THEN
        RAISE EXCEPTION 'a confidence level needs 0 < level < 1, got %', level USING ERRCODE = 'invalid_parameter_value', HINT = '0.95 is the usual one.';
    END IF;
    RETURN QUERY EXECUTE format($q$
        -- Bins of the survival, told of the event: the last is the first.
        SELECT g.segment, $4 + 1 - b.bin AS bin, b.n, CASE WHEN b.n >= $5 THEN b.events END, CASE WHEN b.n >= $5 THEN b.censored END, 1 - b.mean_predicted,
               CASE WHEN b.n >= $5 THEN 1 - b.observed END, CASE WHEN b.n >= $5 THEN 1 - b.upper END, CASE WHEN b.n >= $5 THEN 1 - b.lower END, CASE WHEN b.n >= $5 THEN -b.gap END,
               CASE WHEN b.bin IS NULL THEN ltv.unscored_status($1, $3) WHEN b.n < $5 THEN 'fewer than ' || $5 || ' rows' WHEN b.observed IS NULL THEN 'nobody was observed until the horizon' WHEN $6 THEN 'in sample' ELSE 'ok' END
        FROM (SELECT j.segment, ltv.survival_calibration_agg(j.predicted, j.duration, j.event, j.weight) AS s FROM (%s) j GROUP BY j.segment) g
        LEFT JOIN LATERAL ltv.calibration_curve(g.s, $3, $4, level => $7) b ON true
        ORDER BY g.segment, 2 $q$, reading.query)
    USING ltv.model(calibration.model), ARRAY[coalesce(calibration.horizon, reading.horizon)], coalesce(calibration.horizon, reading.horizon), bins, coalesce(min_rows, 0), reading.in_sample, level;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'all', NULL::integer, 0::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, ltv.nothing_to_judge(calibration.model, calibration.source, calibration.rows, horizon => calibration.horizon);
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.calibration(text, regclass, double precision, integer, text[], integer, text, double precision) IS 'Predicted against observed probability of the event by the horizon, bin by bin from the lowest on, per segment with by: calibration_curve over the rows of a relation, seen from the event (1 - survival; gap = observed_rate - predicted_rate, above 0 where more had it than was said). observed_rate is 1 - Kaplan-Meier within the bin, never events / rows; lower and upper are its limits at level, exact where none or all had the event (see calibration_curve). There is no argument for the censoring: each bin, of rows of a like prediction, has a curve of its own, as censoring => ''grouped'' elsewhere. horizon: by default that of the training. Bins of fewer than min_rows rows have NULLs. Rows and errors as evaluation_query.';

CREATE FUNCTION ltv.lift(
    model text, source regclass, horizon double precision DEFAULT NULL, value text DEFAULT NULL, buckets integer DEFAULT 10, by text[] DEFAULT NULL,
    min_rows integer DEFAULT 10, rows text DEFAULT 'auto', censoring text DEFAULT 'marginal', censoring_by text[] DEFAULT NULL
) RETURNS TABLE (
    segment text, bucket integer, n bigint, score_from double precision, score_to double precision, predicted_rate double precision, observed_rate double precision, lift double precision,
    cumulative_share double precision, cumulative_capture double precision, total_value double precision, value_lost double precision, cumulative_value_share double precision, status text
)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reading record;
BEGIN
    SELECT * INTO reading FROM ltv.evaluation_query(lift.model, lift.source, lift.by, lift.rows, lift.value, lift.censoring, lift.censoring_by, horizons => ARRAY[lift.horizon]);
    IF buckets IS NULL OR buckets < 1 THEN
        RAISE EXCEPTION 'the number of buckets must be at least 1, got %', buckets USING ERRCODE = 'invalid_parameter_value', HINT = 'Ten is usual.';
    END IF;
    RETURN QUERY EXECUTE format($q$
        WITH judged AS (
            SELECT j.segment, 1 - j.predicted AS score, j.duration, j.event, j.weight, j.value * j.weight AS value, j.known FROM (%s) j WHERE j.predicted IS NOT NULL
        ), ranked AS (
            SELECT j.*, sum(j.weight) OVER (PARTITION BY j.segment ORDER BY j.score DESC) - sum(j.weight) OVER (PARTITION BY j.segment, j.score) / 2 AS above,
                   sum(j.weight) OVER (PARTITION BY j.segment) AS total
            FROM judged j
        ), gathered AS (
            SELECT r.segment, least(floor(r.above * $4 / r.total)::integer, $4 - 1) + 1 AS bucket, count(*) AS n, sum(r.weight) AS weight, min(r.score) AS score_from, max(r.score) AS score_to,
                   sum(r.score * r.weight) / sum(r.weight) AS predicted, sum(r.value) AS value,
                   -- Rows known at the horizon stand for the others of their stratum; one that nobody stands for leaves its bucket untold.
                   CASE WHEN NOT $8 THEN 1 - ltv.survival_at(ltv.survival_agg(r.duration, r.event, r.weight), $3) WHEN bool_and(r.known IS NOT NULL) THEN sum(r.known * (r.event AND r.duration <= $3)::integer) / nullif(sum(r.known), 0) END AS rate,
                   $8 AND bool_or(r.known IS NULL) AND bool_or(r.known IS NOT NULL) AS is_partly_known,
                   CASE WHEN sum(r.value) = 0 THEN 0
                        WHEN $8 AND bool_or(r.known IS NULL AND r.value > 0) THEN NULL
                        WHEN $8 THEN sum(r.value) * sum(r.value / r.weight * r.known * (r.event AND r.duration <= $3)::integer) / nullif(sum(r.value / r.weight * r.known), 0)
                        ELSE sum(r.value) * (1 - ltv.survival_at(ltv.survival_agg(r.duration, r.event, r.value) FILTER (WHERE r.value > 0), $3)) END AS value_lost
            FROM ranked r GROUP BY 1, 2
        ), told AS (
            SELECT g.*, w.rate AS overall, sum(CASE WHEN g.n < $5 THEN g.n ELSE 0 END) OVER whole AS hidden, sum(g.weight) OVER so_far / sum(g.weight) OVER whole AS share,
                   -- Where a bucket has no rate, nobody knows of how much the others are a share.
                   CASE WHEN bool_and(g.rate IS NOT NULL AND g.n >= $5) OVER whole THEN sum(g.weight * g.rate) OVER so_far / nullif(sum(g.weight * g.rate) OVER whole, 0) END AS capture,
                   CASE WHEN bool_and((g.value_lost IS NOT NULL OR g.value IS NULL) AND g.n >= $5) OVER whole THEN coalesce(sum(g.value_lost) OVER so_far, 0) / nullif(sum(g.value_lost) OVER whole, 0) END AS value_share
            FROM gathered g
            JOIN (SELECT j.segment, CASE WHEN NOT $8 THEN 1 - ltv.survival_at(ltv.survival_agg(j.duration, j.event, j.weight), $3) WHEN bool_and(j.known IS NOT NULL) THEN sum(j.known * (j.event AND j.duration <= $3)::integer) / nullif(sum(j.known), 0) END AS rate
                  FROM judged j GROUP BY j.segment) w USING (segment)
            WINDOW whole AS (PARTITION BY g.segment), so_far AS (PARTITION BY g.segment ORDER BY g.bucket)
        )
        SELECT t.segment, t.bucket, t.n, t.score_from, t.score_to, t.predicted, CASE WHEN t.n >= $5 THEN t.rate END, CASE WHEN t.n >= $5 AND t.overall > 0 AND (t.hidden = 0 OR t.hidden >= $5) THEN t.rate / t.overall END,
               t.share, t.capture, CASE WHEN t.n >= $5 THEN t.value END, CASE WHEN t.n >= $5 THEN t.value_lost END, t.value_share,
               CASE WHEN t.n < $5 THEN 'fewer than ' || $5 || ' rows' WHEN t.is_partly_known OR t.rate IS NOT NULL AND t.overall IS NULL THEN 'nobody of a group of the censoring was observed until the horizon' WHEN t.rate IS NULL THEN 'nobody was observed until the horizon' WHEN t.overall = 0 THEN 'no events' WHEN $7 AND t.value IS NULL THEN 'no row has a value'
                    WHEN $7 AND t.value_lost IS NULL THEN 'nobody with a value was observed until the horizon' WHEN $6 THEN 'in sample' ELSE 'ok' END
        FROM told t ORDER BY t.segment, t.bucket $q$,
        CASE WHEN lift.censoring = 'grouped' THEN format('SELECT c.* FROM (%s) c WHERE c.is_all = 0', ltv.censoring_query(reading.query, 'grouped', coalesce(cardinality(lift.censoring_by) > 0, false), true))
             ELSE format('SELECT q.*, NULL::float8 AS known FROM (%s) q', reading.query) END)
    USING ltv.model(lift.model), ARRAY[coalesce(lift.horizon, reading.horizon)], coalesce(lift.horizon, reading.horizon), buckets, coalesce(min_rows, 0), reading.in_sample, lift.value IS NOT NULL, lift.censoring = 'grouped';
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'all', NULL::integer, 0::bigint, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, ltv.nothing_to_judge(lift.model, lift.source, lift.rows, horizon => lift.horizon);
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.lift(text, regclass, double precision, text, integer, text[], integer, text, text, text[]) IS 'Lift by the predicted probability of the event (score = 1 - predicted survival) at the horizon, the highest first; equal scores share a bucket. observed_rate: 1 - Kaplan-Meier within the bucket; lift = observed_rate / that of all; cumulative_capture: of the events expected by these rates, those in this and the higher buckets, NULL where a bucket has no rate. value: a column with what each row is worth (money in one currency); value_lost = total_value x (1 - Kaplan-Meier with values as weights), cumulative_value_share its share so far. censoring: marginal, one curve for each bucket and one for all of them (where who is censored hangs on the prediction, the buckets are right and that of all, and so lift, is not); grouped, rows known at the horizon stand for those that are not, within groups of like predictions or of the columns of censoring_by, in all of these numbers (see evaluate). Buckets of fewer than min_rows rows have NULLs in what their rows came to and are worth, and what would give it back is NULL in all buckets of their segment: the shares so far, and lift where these buckets together have fewer than min_rows rows. horizon: by default that of the training. Rows and errors as evaluation_query.';

CREATE FUNCTION ltv.fairness(
    model text, source regclass, by text[], horizon double precision DEFAULT NULL, threshold double precision DEFAULT NULL, min_rows integer DEFAULT 30, rows text DEFAULT 'auto',
    censoring text DEFAULT 'marginal', censoring_by text[] DEFAULT NULL
) RETURNS TABLE (
    segment text, n bigint, predicted_rate double precision, observed_rate double precision, observed_to_expected double precision, auc double precision, brier double precision,
    flagged_share double precision, flagged_ratio double precision, "precision" double precision, true_positive_rate double precision, false_positive_rate double precision, status text
)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reading record;
BEGIN
    IF coalesce(cardinality(fairness.by), 0) = 0 THEN
        RAISE EXCEPTION 'fairness needs the columns whose groups are compared' USING ERRCODE = 'invalid_parameter_value', HINT = 'by => ARRAY[''region''].';
    END IF;
    SELECT * INTO reading FROM ltv.evaluation_query(fairness.model, fairness.source, fairness.by, fairness.rows, NULL, fairness.censoring, fairness.censoring_by, horizons => ARRAY[fairness.horizon]);
    IF fairness.threshold < 0 OR fairness.threshold > 1 OR fairness.threshold = 'NaN' THEN
        RAISE EXCEPTION 'the threshold must be between 0 and 1, got %', fairness.threshold USING ERRCODE = 'invalid_parameter_value', HINT = 'Rows with at least this probability of the event are flagged.';
    END IF;
    RETURN QUERY EXECUTE format($q$
        WITH judged AS MATERIALIZED (SELECT * FROM (%s) j WHERE j.predicted IS NOT NULL),
        line AS (SELECT coalesce($4, sum((1 - j.predicted) * j.weight) / nullif(sum(j.weight), 0)) AS threshold FROM judged j WHERE j.of_all),
        marked AS (SELECT j.*, 1 - j.predicted >= line.threshold AS flagged, j.event AND j.duration <= $3 AS had FROM judged j CROSS JOIN line),
        counted AS (
            SELECT coalesce(j.segment, 'all') AS segment, grouping(j.segment) AS is_all, count(*) AS n, 1 - sum(j.predicted * j.weight) / sum(j.weight) AS predicted,
                   coalesce(sum(j.weight) FILTER (WHERE j.flagged), 0) / sum(j.weight) AS share,
                   ltv.survival_calibration_agg(j.predicted, j.duration, j.event, j.weight) FILTER (WHERE NOT $7) AS s,
                   1 - ltv.survival_at(ltv.survival_agg(j.duration, j.event, j.weight) FILTER (WHERE NOT $7), $3) AS observed,
                   1 - ltv.survival_at(ltv.survival_agg(j.duration, j.event, j.weight) FILTER (WHERE NOT $7 AND j.flagged), $3) AS rate,
                   -- Rows known at the horizon stand for the others of their stratum; a stratum that nobody stands for leaves its group untold.
                   CASE WHEN $7 AND bool_and(j.known IS NOT NULL) THEN ltv.calibration_agg(1 - j.predicted, j.had, j.known) FILTER (WHERE j.known > 0) END AS c,
                   $7 AND bool_or(j.known IS NULL) AND bool_or(j.known IS NOT NULL) AS is_partly_known,
                   sum(j.known * j.had::integer) / nullif(sum(j.known), 0) AS known_observed, sum(j.known * j.had::integer) FILTER (WHERE j.flagged) / nullif(sum(j.known) FILTER (WHERE j.flagged), 0) AS known_rate,
                   coalesce(sum(j.known) FILTER (WHERE j.flagged), 0) / nullif(sum(j.known), 0) AS known_share
            FROM marked j GROUP BY GROUPING SETS ((j.of_all), (j.of_group, j.segment)) HAVING CASE grouping(j.segment) WHEN 1 THEN j.of_all ELSE j.of_group END
        ), gathered AS (
            SELECT w.segment, w.is_all, w.n, w.predicted, w.share, w.s, w.c, w.is_partly_known, CASE WHEN $7 THEN k.observed ELSE w.observed END AS observed, CASE WHEN $7 THEN k.rate ELSE w.rate END AS rate, CASE WHEN $7 THEN k.share ELSE w.share END AS known_share
            FROM counted w LEFT JOIN LATERAL (SELECT w.known_observed AS observed, w.known_rate AS rate, w.known_share AS share) k ON w.c IS NOT NULL
        ), told AS (
            SELECT g.*, coalesce(h.suppression, CASE WHEN g.n < $5 THEN 'fewer than ' || $5 || ' rows' END) AS suppression
            FROM gathered g LEFT JOIN (SELECT h.* FROM (SELECT array_agg(w.segment) AS groups, array_agg(w.n) AS sizes FROM gathered w WHERE w.is_all = 0) w, ltv.suppressed_groups(w.groups, w.sizes, $5) h) h
                                      ON h.segment = g.segment AND g.is_all = 0
        ), reference AS (SELECT g.share FROM told g WHERE g.is_all = 0 AND g.suppression IS NULL ORDER BY g.n DESC, g.segment LIMIT 1)
        SELECT g.segment, g.n, t.predicted, t.observed, t.observed / nullif(t.predicted, 0), a.auc, b.brier, t.share, t.share / nullif(reference.share, 0), t.rate,
               -- Of two curves: by chance those flagged alone can have more events, or fewer, than all.
               CASE WHEN q.true_positive_rate > 1 THEN 1 ELSE q.true_positive_rate END, CASE WHEN q.false_positive_rate > 1 THEN 1 ELSE q.false_positive_rate END,
               CASE WHEN g.suppression IS NOT NULL THEN g.suppression WHEN g.is_partly_known THEN 'nobody of a group of the censoring was observed until the horizon' WHEN g.observed IS NULL OR b.brier IS NULL THEN 'nobody was observed until the horizon' WHEN g.observed = 0 THEN 'no events' WHEN g.observed = 1 THEN 'everybody had the event'
                    WHEN g.share = 0 THEN 'nobody is flagged' WHEN g.rate IS NULL THEN 'none of those flagged was observed until the horizon' WHEN $6 THEN 'in sample' ELSE 'ok' END
        FROM told g LEFT JOIN reference ON true
        LEFT JOIN LATERAL (SELECT g.predicted, g.observed, g.share, g.rate, g.known_share) t ON g.suppression IS NULL
        LEFT JOIN LATERAL (SELECT CASE WHEN t.known_share = 0 THEN 0 ELSE t.known_share * t.rate END / nullif(t.observed, 0) AS true_positive_rate,
                                  CASE WHEN t.known_share = 0 THEN 0 ELSE t.known_share * (1 - t.rate) END / nullif(1 - t.observed, 0) AS false_positive_rate) q ON g.suppression IS NULL
        LEFT JOIN LATERAL (SELECT CASE WHEN $7 THEN ltv.auc(g.c) ELSE ltv.auc(g.s, $3) END AS auc) a ON g.suppression IS NULL
        LEFT JOIN LATERAL (SELECT CASE WHEN $7 THEN ltv.brier(g.c) ELSE (ltv.brier_score(g.s, $3)).brier END AS brier) b ON g.suppression IS NULL
        ORDER BY g.is_all DESC, g.segment $q$,
        -- Curves of the censoring span two of the groups only where one of them is too small for its own, or has nobody who is seen beyond
        -- the horizon: in all together these rows count what the curves of all rows say. A group has its place as its value.
        CASE WHEN fairness.censoring = 'grouped' THEN format($q$
            SELECT w.name AS segment, w.predicted, w.duration, w.event, w.weight, w.known, w.is_all = 0 AS of_group, (w.is_all = 0) = w.is_whole AS of_all
            FROM (SELECT c.*, min(c.segment) FILTER (WHERE c.is_all = 0) OVER g AS name, count(*) FILTER (WHERE c.is_all = 0) OVER g >= $5 AND bool_and(c.is_all = 1 OR c.known IS NOT NULL) OVER g AS is_whole
                  FROM (%s) c WINDOW g AS (PARTITION BY c.value)) w $q$,
            ltv.censoring_query(format('SELECT q.segment, q.horizon, q.predicted, q.duration, q.event, q.weight, dense_rank() OVER (ORDER BY q.segment COLLATE "C")::float8 AS value, q.stratum FROM (%s) q', reading.query),
                                'grouped', coalesce(cardinality(fairness.censoring_by) > 0, false), true))
             ELSE format('SELECT q.*, NULL::float8 AS known, true AS of_group, true AS of_all FROM (%s) q', reading.query) END)
    USING ltv.model(fairness.model), ARRAY[coalesce(fairness.horizon, reading.horizon)], coalesce(fairness.horizon, reading.horizon), fairness.threshold, coalesce(min_rows, 0), reading.in_sample, fairness.censoring = 'grouped';
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'all', 0::bigint, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, ltv.nothing_to_judge(fairness.model, fairness.source, fairness.rows, horizon => fairness.horizon);
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.fairness(text, regclass, text[], double precision, double precision, integer, text, text, text[]) IS 'Whether a model treats groups alike, per group and for all: predicted and observed rate of the event by the horizon (observed by Kaplan-Meier), their ratio, AUC and Brier score weighted for censoring, and what happens when rows whose event probability is at least threshold (by default the mean prediction) are flagged: flagged_share, its ratio to that of the largest group, precision (rate among the flagged), true and false positive rate, all from Kaplan-Meier rates (Heagerty, Lumley & Pepe 2000), each curve by itself: where chance takes a share of all by it beyond 1, it is 1. censoring: each group is judged by curves of its own rows, so that censoring which differs between groups does not bias what is compared. marginal: one curve for each group, one for those of it that are flagged, and one for the row of all together, which may then lie outside of the groups. grouped: curves of like predictions, or of the columns of censoring_by, within each group (see evaluate), for where censoring hangs on the risk within a group too; all numbers are then of the rows known at the horizon, weighted, and all together is what the groups make, where the rows of groups of fewer than min_rows rows, and of those of which nobody is seen beyond the horizon, count by the curves of all rows. Equal numbers in all columns at once are impossible where the observed rates differ (Kleinberg, Mullainathan & Raghavan 2017). Groups of fewer than min_rows rows have NULLs, and so has the next smallest where theirs would be all less the others (suppressed_groups). Rows and errors as evaluation_query.';

CREATE FUNCTION ltv.error_hotspots(
    model text, source regclass, horizon double precision DEFAULT NULL, features text[] DEFAULT NULL, top integer DEFAULT 10, min_rows integer DEFAULT 30, rows text DEFAULT 'auto',
    censoring text DEFAULT 'marginal', censoring_by text[] DEFAULT NULL
) RETURNS TABLE (
    rank bigint, feature text, cell text, n bigint, predicted_rate double precision, observed_rate double precision, gap double precision, std_error double precision, z double precision, excess_events double precision, status text
)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reading record;
    in_sample boolean;
    at double precision;
    named text;
    category text;
    parts text[] := '{}';
BEGIN
    SELECT * INTO reading FROM ltv.evaluation_query(error_hotspots.model, error_hotspots.source, NULL, error_hotspots.rows, NULL, error_hotspots.censoring, error_hotspots.censoring_by, horizons => ARRAY[error_hotspots.horizon]);
    at := coalesce(error_hotspots.horizon, reading.horizon);
    in_sample := reading.in_sample;
    IF top IS NULL OR top < 1 THEN
        RAISE EXCEPTION 'top must be at least 1, got %', top USING ERRCODE = 'invalid_parameter_value', HINT = 'Ten is usual.';
    END IF;
    features := CASE WHEN features IS NULL THEN ltv.model_features(ltv.model(error_hotspots.model)) ELSE ARRAY(SELECT unnest(features)) END;
    IF array_position(features, NULL) IS NOT NULL OR coalesce(cardinality(features), 0) = 0 THEN
        RAISE EXCEPTION 'error_hotspots needs features to look at' USING ERRCODE = 'invalid_parameter_value', HINT = 'features => ARRAY[''region'', ''plan''].';
    END IF;
    SELECT string_agg(quote_ident(f.name), ', ' ORDER BY f.place) INTO named FROM unnest(features) WITH ORDINALITY f (name, place)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = error_hotspots.source AND a.attname = f.name AND a.attnum > 0 AND NOT a.attisdropped);
    IF named IS NOT NULL THEN
        RAISE EXCEPTION '% has no column %', error_hotspots.source, named
            USING ERRCODE = 'undefined_column',
                  HINT = (SELECT 'It has: ' || string_agg(a.attname, ', ' ORDER BY a.attnum) || '.' FROM pg_attribute a WHERE a.attrelid = error_hotspots.source AND a.attnum > 0 AND NOT a.attisdropped);
    END IF;
    FOREACH named IN ARRAY features LOOP
        SELECT * INTO reading FROM ltv.evaluation_query(error_hotspots.model, error_hotspots.source, ARRAY[named], error_hotspots.rows, NULL, error_hotspots.censoring, error_hotspots.censoring_by, checked => false);
        SELECT t.typcategory INTO category FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = error_hotspots.source AND a.attname = named AND a.attnum > 0;
        -- Numbers with many values fall into quarters.
        parts := parts || format($q$
            SELECT %1$L::text AS feature, q.segment AS cell, q.stratum, count(*) AS n, sum(q.weight) AS weight, sum(q.weight) FILTER (WHERE q.event AND q.duration <= $3 OR q.duration > $3) AS known,
                   sum(q.predicted * q.weight) AS predicted, ltv.survival_agg(q.duration, q.event, q.weight) AS curve
            FROM (%2$s) q WHERE q.is_all = 0 GROUP BY q.segment, q.stratum $q$,
            named, ltv.censoring_query(format('SELECT %2$s AS segment, j.horizon, j.predicted, j.duration, j.event, j.weight, j.value, j.stratum FROM (%1$s) j %3$s', reading.query,
            CASE WHEN category = 'N' THEN $q$CASE WHEN j.segment = '(null)' OR c.quarters IS NULL THEN j.segment
                ELSE (ARRAY['up to ' || c.quarters[1], 'over ' || c.quarters[1] || ' to ' || c.quarters[2], 'over ' || c.quarters[2] || ' to ' || c.quarters[3], 'over ' || c.quarters[3]])[1 + (j.segment::numeric > c.quarters[1])::int + (j.segment::numeric > c.quarters[2])::int + (j.segment::numeric > c.quarters[3])::int] END$q$
                ELSE 'j.segment' END,
            CASE WHEN category = 'N' THEN format($q$CROSS JOIN (SELECT CASE WHEN count(DISTINCT k.segment) > 10 THEN percentile_disc(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY k.segment::numeric) END AS quarters
                FROM (%s) k WHERE k.segment <> '(null)') c$q$, reading.query) ELSE '' END),
            error_hotspots.censoring, coalesce(cardinality(error_hotspots.censoring_by) > 0, false), true, false));
    END LOOP;
    RETURN QUERY EXECUTE format($q$
        WITH cells AS (
            SELECT p.feature, p.cell, sum(p.n)::bigint AS n, sum(p.weight) AS weight, sum(p.known) AS known, 1 - sum(p.predicted) / sum(p.weight) AS predicted,
                   CASE WHEN bool_and(o.survival IS NOT NULL) THEN 1 - sum(p.weight * o.survival) / sum(p.weight) END AS observed, sqrt(sum((p.weight * o.std_error) ^ 2)) / sum(p.weight) AS std_error
            FROM (%s) p LEFT JOIN LATERAL ltv.survival_interval(p.curve, $3) o ON true GROUP BY p.feature, p.cell HAVING sum(p.n) >= $4
        )
        SELECT row_number() OVER (ORDER BY abs(w.z) DESC NULLS LAST, w.feature, w.cell), w.feature, w.cell, w.n, w.predicted, w.observed, w.gap, w.std_error, w.z, w.weight * w.gap, CASE WHEN $6 THEN 'in sample' ELSE 'ok' END
        FROM (SELECT c.feature, c.cell, c.n, c.weight, c.predicted, c.observed, c.observed - c.predicted AS gap, e.std_error, (c.observed - c.predicted) / nullif(e.std_error, 0) AS z
              FROM cells c
              -- Greenwood has no error where all or none had the event; these may be the worst cells.
              CROSS JOIN LATERAL (SELECT CASE WHEN c.std_error > 0 THEN c.std_error ELSE sqrt(c.predicted * (1 - c.predicted) / c.known) END AS std_error) e) w
        WHERE w.observed IS NOT NULL
        ORDER BY 1 LIMIT $5 $q$, array_to_string(parts, ' UNION ALL '))
    USING ltv.model(error_hotspots.model), ARRAY[at], at, coalesce(min_rows, 0), top, in_sample;
    IF NOT FOUND THEN
        RETURN QUERY SELECT NULL::bigint, NULL::text, NULL::text, 0::bigint, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8,
                            coalesce(ltv.nothing_to_judge(error_hotspots.model, error_hotspots.source, error_hotspots.rows, horizon => at), format('no cell has %s rows and was observed until the horizon', coalesce(min_rows, 0)));
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.error_hotspots(text, regclass, double precision, text[], integer, integer, text, text, text[]) IS 'Where a model is most wrong: the cells of each feature (its values, or quarters of a number with more than ten, which are told as "up to 12", "over 12 to 26", ...) in which the predicted and the observed probability of the event by the horizon differ most, by z = gap / standard error (gap = observed_rate - predicted_rate; Greenwood; where all or none had the event that of the prediction, sqrt(predicted (1 - predicted) / rows whose status is known)). excess_events: events beyond those expected, below 0 where they are fewer. censoring: marginal, one Kaplan-Meier curve for each cell; grouped, the mean of those of the groups of like predictions in it, or of the columns of censoring_by (see evaluate). features: by default those of the model; others of the source tell what it lacks. Of many cells some differ by chance: one in twenty has |z| > 2. Cells of fewer than min_rows rows, and those of which, or of a group of whose censoring, nobody was observed until the horizon, are left out. status: ok, or in sample (see evaluate); without any cell a row without one says why. Rows and errors as evaluation_query.';
