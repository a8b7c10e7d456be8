-- Where to draw the line with a registered model, on the rows of a relation.

CREATE FUNCTION ltv.precision_recall(
    model text, source regclass, horizon double precision DEFAULT NULL, at double precision[] DEFAULT NULL, by text[] DEFAULT NULL, min_rows integer DEFAULT 10,
    rows text DEFAULT 'auto', censoring text DEFAULT 'marginal'
) RETURNS TABLE (
    segment text, threshold double precision, flagged double precision, true_positives double precision, false_positives double precision,
    "precision" double precision, recall double precision, false_positive_rate double precision, f1 double precision, status text
)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 100
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reading record;
BEGIN
    SELECT * INTO reading FROM ltv.evaluation_query(precision_recall.model, precision_recall.source, precision_recall.by, precision_recall.rows, censoring => precision_recall.censoring, horizons => ARRAY[precision_recall.horizon]);
    IF EXISTS (SELECT FROM unnest(at) u (line) WHERE NOT (u.line > '-Infinity' AND u.line < 'Infinity')) THEN
        RAISE EXCEPTION 'a threshold must be finite, got %', (SELECT u.line FROM unnest(at) WITH ORDINALITY u (line, place) WHERE NOT (u.line > '-Infinity' AND u.line < 'Infinity') ORDER BY u.place LIMIT 1)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Rows with a score of at least the threshold are flagged.';
    END IF;
    RETURN QUERY EXECUTE format($q$
        SELECT g.segment, p.threshold, p.flagged, t.true_positives, t.false_positives, t."precision", t.recall, t.false_positive_rate, t.f1,
               CASE WHEN g.n = 0 THEN ltv.unscored_status($1, $3) WHEN g.n < $5 THEN 'fewer than ' || $5 || ' rows' WHEN p.threshold IS NULL THEN 'nobody was observed until the horizon' WHEN p.flagged = 0 THEN 'nobody is flagged'
                    WHEN p.flagged < $5 THEN 'fewer than ' || $5 || ' rows' WHEN p."precision" IS NULL THEN 'no outcome of those flagged is known' WHEN p.recall IS NULL THEN 'no events' WHEN p.false_positive_rate IS NULL THEN 'everybody had the event' WHEN $6 THEN 'in sample' ELSE 'ok' END
        FROM (SELECT j.segment, count(j.predicted) AS n, ltv.survival_calibration_agg(j.predicted, j.duration, j.event, j.weight) AS s FROM (%s) j GROUP BY j.segment) g
        LEFT JOIN LATERAL ltv.precision_recall(g.s, $3, $4, $7) p ON g.n >= $5
        LEFT JOIN LATERAL (SELECT p.true_positives, p.false_positives, p."precision", p.recall, p.false_positive_rate, p.f1) t ON p.flagged >= $5
        ORDER BY g.segment, p.threshold DESC $q$, reading.query)
    USING ltv.model(precision_recall.model), ARRAY[coalesce(precision_recall.horizon, reading.horizon)], coalesce(precision_recall.horizon, reading.horizon), at, coalesce(min_rows, 0), reading.in_sample, censoring;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'all', NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, ltv.nothing_to_judge(precision_recall.model, precision_recall.source, precision_recall.rows, horizon => precision_recall.horizon);
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.precision_recall(text, regclass, double precision, double precision[], text[], integer, text, text) IS 'What is right and wrong when the rows of a relation whose predicted probability of the event by the horizon is at least threshold are flagged: at the thresholds given, or at each distinct probability, from the highest down, per segment with by. Rows whose status at the horizon is not known are in flagged; in true_positives, false_positives and what is made of them those that are known stand for them, each by one over the probability not to be censored so far: see precision_recall of a survival_calibration. lift has Kaplan-Meier rates of buckets instead; without censoring they are the same counts. censoring: marginal, or grouped by like predictions (see brier_score). Segments of fewer than min_rows rows, and thresholds that flag fewer, have NULLs. horizon: by default that of the training. Rows and errors as evaluation_query; 22023 also for a threshold that is not finite.';

CREATE FUNCTION ltv.best_threshold(
    model text, source regclass, horizon double precision DEFAULT NULL, benefit double precision DEFAULT NULL, cost double precision DEFAULT NULL, capacity double precision DEFAULT NULL,
    by text[] DEFAULT NULL, min_rows integer DEFAULT 30, rows text DEFAULT 'auto', censoring text DEFAULT 'marginal'
) RETURNS TABLE (
    segment text, n bigint, threshold double precision, flagged double precision, true_positives double precision, false_positives double precision,
    "precision" double precision, recall double precision, false_positive_rate double precision, f1 double precision, profit double precision, status text
)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reading record;
    odd record;
BEGIN
    SELECT u.* INTO odd FROM (VALUES (1, 'benefit', benefit), (2, 'cost', cost), (3, 'capacity', capacity)) u (place, name, given)
    WHERE NOT (u.given >= 0 AND u.given < 'Infinity') ORDER BY u.place LIMIT 1;
    IF odd.name IS NOT NULL THEN
        RAISE EXCEPTION '% must be finite and not negative, got %', odd.name, odd.given
            USING ERRCODE = 'invalid_parameter_value', HINT = 'benefit and cost are per row acted on, capacity is a number of rows.';
    END IF;
    IF num_nulls(benefit, cost) = 1 OR num_nulls(benefit, cost, capacity) = 3 THEN
        RAISE EXCEPTION 'best_threshold needs a benefit and a cost, or a capacity'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'benefit: gained by acting on a row that would have the outcome; cost: spent on each row acted on; capacity: rows that can be acted on.';
    END IF;
    SELECT * INTO reading FROM ltv.evaluation_query(best_threshold.model, best_threshold.source, best_threshold.by, best_threshold.rows, censoring => best_threshold.censoring, horizons => ARRAY[best_threshold.horizon]);
    RETURN QUERY EXECUTE format($q$
        SELECT g.segment, g.n, b.threshold, b.flagged, b.true_positives, b.false_positives, b."precision", b.recall, b.false_positive_rate, b.f1, b.profit,
               CASE WHEN g.n = 0 THEN ltv.unscored_status($1, $3) WHEN g.n < $7 THEN 'fewer than ' || $7 || ' rows' WHEN b.status IS NULL THEN 'nobody was observed until the horizon'
                    WHEN b.status = 'ok' AND $8 THEN 'in sample' ELSE b.status END
        FROM (SELECT j.segment, count(j.predicted) AS n, ltv.survival_calibration_agg(j.predicted, j.duration, j.event, j.weight) AS s FROM (%s) j GROUP BY j.segment) g
        LEFT JOIN LATERAL ltv.best_threshold(g.s, $3, $4, $5, $6, $9) b ON g.n >= $7
        ORDER BY g.segment $q$, reading.query)
    USING ltv.model(best_threshold.model), ARRAY[coalesce(best_threshold.horizon, reading.horizon)], coalesce(best_threshold.horizon, reading.horizon), benefit, cost, capacity,
          coalesce(min_rows, 0), reading.in_sample, censoring;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'all', 0::bigint, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, ltv.nothing_to_judge(best_threshold.model, best_threshold.source, best_threshold.rows, horizon => best_threshold.horizon);
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.best_threshold(text, regclass, double precision, double precision, double precision, double precision, text[], integer, text, text) IS 'The threshold of the predicted probability of the event by the horizon with the greatest profit = benefit x true_positives - cost x flagged among those that flag at most capacity rows of the relation, per segment with by (benefit, cost and capacity are of each); only a capacity: the lowest threshold that flags no more. Rows whose status at the horizon is not known cost like all that are flagged; of events those that are known stand for them, as in precision_recall. Tuned on the rows it is judged on, the profit is an upper end: tune on the holdout and judge on later rows. status: ok, in sample, limited by the capacity, nobody is worth the cost, or why there is none. Segments of fewer than min_rows rows have NULLs. horizon: by default that of the training. Rows and errors as evaluation_query; 22023 also for a benefit without a cost, and for nothing given at all.';

-- A quoted name could be that of a model or the text of a ranking: where both are quoted, these are meant.
CREATE FUNCTION ltv.precision_recall(
    model text, source text, horizon double precision DEFAULT NULL, at double precision[] DEFAULT NULL, by text[] DEFAULT NULL, min_rows integer DEFAULT 10,
    rows text DEFAULT 'auto', censoring text DEFAULT 'marginal'
) RETURNS TABLE (
    segment text, threshold double precision, flagged double precision, true_positives double precision, false_positives double precision,
    "precision" double precision, recall double precision, false_positive_rate double precision, f1 double precision, status text
)
    LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 100
BEGIN ATOMIC
    SELECT * FROM ltv.precision_recall(precision_recall.model, precision_recall.source::regclass, precision_recall.horizon, precision_recall.at, precision_recall.by, precision_recall.min_rows, precision_recall.rows, precision_recall.censoring);
END;
COMMENT ON FUNCTION ltv.precision_recall(text, text, double precision, double precision[], text[], integer, text, text) IS 'As precision_recall of a model and a relation, the relation by its name, found in the search_path.';

CREATE FUNCTION ltv.best_threshold(
    model text, source text, horizon double precision DEFAULT NULL, benefit double precision DEFAULT NULL, cost double precision DEFAULT NULL, capacity double precision DEFAULT NULL,
    by text[] DEFAULT NULL, min_rows integer DEFAULT 30, rows text DEFAULT 'auto', censoring text DEFAULT 'marginal'
) RETURNS TABLE (
    segment text, n bigint, threshold double precision, flagged double precision, true_positives double precision, false_positives double precision,
    "precision" double precision, recall double precision, false_positive_rate double precision, f1 double precision, profit double precision, status text
)
    LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 5
BEGIN ATOMIC
    SELECT * FROM ltv.best_threshold(best_threshold.model, best_threshold.source::regclass, best_threshold.horizon, best_threshold.benefit, best_threshold.cost, best_threshold.capacity, best_threshold.by, best_threshold.min_rows, best_threshold.rows, best_threshold.censoring);
END;
COMMENT ON FUNCTION ltv.best_threshold(text, text, double precision, double precision, double precision, double precision, text[], integer, text, text) IS 'As best_threshold of a model and a relation, the relation by its name, found in the search_path.';
