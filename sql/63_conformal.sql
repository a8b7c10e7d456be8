-- Intervals for single outcomes that hold whatever the model, from its errors on rows it has not seen.

CREATE FUNCTION ltv.conformal_margin(errors ltv.survival, level double precision DEFAULT 0.9) RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n double precision := ltv.subjects(errors);
    place double precision;
BEGIN
    IF errors IS NULL OR level IS NULL THEN
        RETURN NULL;
    ELSIF NOT (level > 0 AND level < 1) THEN
        RAISE EXCEPTION 'the level must be between 0 and 1, got %', level USING ERRCODE = 'invalid_parameter_value', HINT = '0.9 is usual.';
    ELSIF ltv.events(errors) IS DISTINCT FROM n OR n <> floor(n) OR n > 2e7 THEN
        RAISE EXCEPTION 'the errors must be known, each of its own row, and at most 20 million: % of % are', ltv.events(errors), n
            USING ERRCODE = 'invalid_parameter_value', HINT = 'survival_agg(abs(observed - predicted), true) over the rows held out.';
    END IF;
    place := ceil((n + 1) * level - 1e-9);
    -- Half a row before its place, where no flat stretch lies.
    RETURN CASE WHEN n > 0 AND place <= n THEN ltv.quantile(errors, (place - 0.5) / n) END;
END
$$;
COMMENT ON FUNCTION ltv.conformal_margin(ltv.survival, double precision) IS 'The error that a further row exceeds with a probability of at most 1 - level: of n errors the ceil((n + 1) level)-th smallest (split conformal prediction: Vovk, Gammerman & Shafer 2005; Lei, G''Sell, Rinaldo, Tibshirani & Wasserman 2018). It holds in the mean over samples for any model and any distribution, if the rows are exchangeable with the further one and the model has not seen them. errors: survival_agg(abs(observed - predicted), true), or divided by a scale that is known beforehand; mergeable by rollup. NULL when n is too small for the level, n + 1 < 1 / (1 - level). Error 22023 for censored or weighted errors and for a level outside of 0 and 1.';

CREATE FUNCTION ltv.conformal_interval(
    errors ltv.survival, prediction double precision, level double precision DEFAULT 0.9, scale double precision DEFAULT 1,
    OUT lower double precision, OUT upper double precision, OUT margin double precision
)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT (scale > 0 AND scale < 'Infinity') OR NOT abs(prediction) < 'Infinity' THEN
        RAISE EXCEPTION 'the prediction must be finite, and the scale also greater than 0: % and %', prediction, scale
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The scale is what the errors were divided by; 1 when by nothing.';
    END IF;
    margin := ltv.conformal_margin(errors, level) * scale;
    lower := prediction - margin;
    upper := prediction + margin;
END
$$;
COMMENT ON FUNCTION ltv.conformal_interval(ltv.survival, double precision, double precision, double precision) IS 'The interval around a prediction that holds a further outcome with a probability of at least level: prediction -/+ scale x conformal_margin(errors, level). scale: of this row, what the errors of the others were divided by, each by its own (Lei et al. 2018, section 5.2): an expected error makes wide intervals where the model is unsure. For sums of money, durations of those who have left, and other numbers that are known of the rows held out; an event that happens or not has no such interval. NULL when there are too few errors for the level. Errors 22023, 22003.';
