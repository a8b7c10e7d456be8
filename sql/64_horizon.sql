-- For how long ahead a registered version answers when nothing else is asked.

CREATE FUNCTION ltv.model_horizon(model text) RETURNS double precision
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    judged ltv.model_versions;
    usual double precision;
    known double precision;
BEGIN
    SELECT * INTO judged FROM ltv.model_versions v
    WHERE v.model = split_part(model_horizon.model, '@', 1) AND v.version = ltv.model_version(model_horizon.model);
    IF judged.fitted IS NULL THEN
        -- It says which there are.
        PERFORM ltv.model(model_horizon.model);
    END IF;
    -- A hybrid has that of its terms, and a model of amounts none.
    usual := ltv.model_horizon(judged.fitted);
    IF ltv.model_algorithm(judged.fitted) IN ('linear', 'gamma', 'tweedie', 'two_part', 'boosted_value', 'hybrid', 'bg_nbd', 'mbg_nbd', 'pareto_nbd', 'gamma_gamma') THEN
        RETURN usual;
    END IF;
    SELECT (e ->> 'horizon')::double precision INTO known FROM jsonb_array_elements(judged.profiles) AS e
    WHERE e ->> 'role' = 'prediction' AND e ->> 'input' = 'event_probability' AND jsonb_typeof(e -> 'horizon') = 'number' LIMIT 1;
    -- Of a version that was registered by hand, what its specification says.
    IF known IS NULL AND jsonb_typeof(judged.spec -> 'horizon') = 'number' THEN
        known := (judged.spec ->> 'horizon')::double precision;
    END IF;
    RETURN CASE WHEN known > 0 AND known < 'Infinity' THEN known ELSE usual END;
END
$$;
COMMENT ON FUNCTION ltv.model_horizon(text) IS 'For how long ahead everything that a registered version (name, name@alias or name@version) is asked for is answered when the horizon is left out - predict and explain by name, score, importance, partial_dependence, evaluate, calibration, lift, fairness, predicted_vs_actual, error_hotspots, precision_recall, best_threshold, recalibrate: the horizon at which train judged it, asked for or chosen, in the unit of the durations (that of the prediction in model_profiles; of renewal decisions their period, of a recalibrated version the one of its map). Of a version that was registered without a training profile that of its spec, else 12. Of a hybrid the months of its own terms. NULL for a NULL, for a model of amounts, and a hybrid without terms. Errors: P0002 no such model.';
