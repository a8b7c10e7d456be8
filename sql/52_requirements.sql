-- What a version must show, as it is written down: read in one place, by whoever sets it, asks for it or wants to look.

CREATE FUNCTION ltv.requirements(require jsonb, model text DEFAULT '*')
    RETURNS TABLE (metric text, comparison text, bound text, required text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked constant jsonb := CASE WHEN jsonb_typeof(requirements.require) = 'null' THEN NULL ELSE requirements.require END;
    of_model constant text := split_part(coalesce(requirements.model, '*'), '@', 1);
    facts constant text[] := '{n_rows,n_events,n_holdout,n_dropped,dropped_share,warnings,fit_status,status,algorithm,label_policy}';
    told text[] := '{brier,concordance,log_loss,log loss,auc,ici,observed_to_expected,rmse,mae,bias,deviance,log_likelihood}';
    fault record;
BEGIN
    IF jsonb_typeof(asked) <> 'object' THEN
        RAISE EXCEPTION 'require must be a JSON object, not %', asked
            USING ERRCODE = 'invalid_parameter_value', HINT = 'As {"concordance": ">= 0.7", "brier skill": "> 0", "fit_status": "= ok"}.';
    END IF;
    SELECT e.key, e.value INTO fault
    FROM jsonb_each_text(asked) e
    WHERE e.value IS NULL OR e.value !~ '^\s*(>=|<=|<>|>|<|=)\s*\S'
       OR e.value ~ '^\s*(>=|<=|>|<(?!>))' AND e.value !~ '^\s*(>=|<=|>|<)\s*[-+]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})(e[-+]?[0-9]{1,2})?\s*$'
    ORDER BY e.key COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'require has no comparison for "%": %', fault.key, coalesce(fault.value, 'null')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'One of >=, <=, >, <, =, <> and a number, or = and <> and a word: {"concordance": ">= 0.7", "fit_status": "= ok"}.';
    END IF;
    -- A name that nothing has would hold up every promotion: what train, recalibrate and gate tell, or a version of the model
    -- has. The registry is asked only where that is not enough.
    FOR attempt IN 1..2 LOOP
        SELECT min(e.name COLLATE "C") AS key INTO fault
        FROM jsonb_object_keys(asked) AS e (name)
        WHERE e.name <> ALL (facts) AND e.name !~ '^(aic|bic) of .'
          AND e.name <> ALL (told) AND regexp_replace(e.name, '( at [0-9.e+-]+| in sample)?( skill)?$', '') <> ALL (told);
        EXIT WHEN fault.key IS NULL;
        IF attempt = 2 THEN
            RAISE EXCEPTION 'no version has a metric "%"', fault.key
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = format('Known: %s (also "... at 12", "... in sample", and "... skill" of each), %s. Of a metric of your own register a version first: ltv.register_version.',
                                    (SELECT string_agg(DISTINCT t.name COLLATE "C", ', ' ORDER BY t.name COLLATE "C") FROM unnest(told) AS t (name)), array_to_string(facts, ', '));
        END IF;
        SELECT told || coalesce(array_agg(regexp_replace(m ->> 'metric', '( at [0-9.e+-]+| in sample)$', '')), '{}') INTO told
        FROM ltv.model_versions v, jsonb_array_elements(v.metrics) m
        WHERE of_model IN (v.model, '*') AND m ->> 'metric' !~ '^(aic|bic) of .';
    END LOOP;
    RETURN QUERY
    SELECT e.key, p.comparison, p.bound, p.comparison || ' ' || p.bound
    FROM jsonb_each_text(asked) e
    CROSS JOIN LATERAL (SELECT substring(e.value FROM '^\s*(>=|<=|<>|>|<|=)'), btrim(substring(e.value FROM '^\s*(?:>=|<=|<>|>|<|=)(.*)$'))) AS p (comparison, bound)
    ORDER BY e.key COLLATE "C";
END
$$;
COMMENT ON FUNCTION ltv.requirements(jsonb, text) IS 'What gate, promote and set_policy read in their argument require, before anything is asked of a version: a row for each key, by name: metric (as gate looks it up: a metric of train, its "... skill", or a fact such as n_events, warnings or fit_status), comparison (>=, <=, >, <, =, <>), bound (a number, in the unit of the metric; with = and <> also a word) and required (the two together, as gate prints them). model: whose own metrics are known beside those of train; * (and NULL): those of any version that the caller sees. No rows for NULL, JSON null and {}. Errors 22023: no JSON object; a value that is no comparison with a bound; a metric that neither train tells nor a version of the model has; 42501 where such a metric must be looked up and ltv.model_versions may not be read.';
