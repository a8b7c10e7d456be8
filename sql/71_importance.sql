-- How much a feature matters to a model as a whole.

CREATE FUNCTION ltv.importance(
    model text, source regclass, horizon double precision DEFAULT NULL, repeats integer DEFAULT 3, seed bigint DEFAULT 0, loss text DEFAULT NULL, rows text DEFAULT 'auto'
) RETURNS TABLE (rank bigint, feature text, metric text, value double precision, permuted_value double precision, importance double precision, std_dev double precision, n bigint, status text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
    -- Rows are shuffled by the hash of their text, which is to be that of their values.
    SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
AS $$
DECLARE
    fitted ltv.model;
    spec jsonb;
    names text[];
    wanted text;
    decisions boolean;
    amounts boolean;
    asked text := importance.loss;
    measure text;
    said text;
    smallest double precision;
    odd bigint;
    reading record;
    relation text := importance.source::text;
    standing text := 'ok';
BEGIN
    IF importance.model IS NULL OR importance.source IS NULL OR importance.repeats IS NULL OR importance.seed IS NULL THEN
        RAISE EXCEPTION 'importance needs a model, a source, repeats and a seed' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF importance.repeats NOT BETWEEN 1 AND 100 THEN
        RAISE EXCEPTION 'repeats must be between 1 and 100, got %', importance.repeats USING ERRCODE = 'invalid_parameter_value', HINT = 'How often each feature is shuffled.';
    END IF;
    IF NOT (importance.horizon > 0 AND importance.horizon < 'Infinity') THEN
        RAISE EXCEPTION 'the horizon must be finite and greater than 0, got %', importance.horizon
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is in the unit of the durations the model was trained on.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = importance.source) THEN
        RAISE EXCEPTION 'the source does not exist' USING ERRCODE = 'invalid_parameter_value', HINT = 'The name of a table or view.';
    END IF;
    SELECT v.fitted, v.spec INTO fitted, spec FROM ltv.model_versions v
    WHERE v.model = split_part(importance.model, '@', 1) AND v.version = ltv.model_version(importance.model);
    IF fitted IS NULL THEN
        PERFORM ltv.model_version(importance.model);
    END IF;
    IF ltv.model_algorithm(fitted) IN ('bg_nbd', 'mbg_nbd', 'pareto_nbd', 'gamma_gamma') THEN
        RAISE EXCEPTION '% tells of purchases by what customers did, and has no features that could matter', importance.model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'ltv.predicted_vs_actual with by holds groups of customers against what came.';
    END IF;
    decisions := ltv.model_algorithm(fitted) = 'renewal' AND spec ->> 'duration' IS NULL;
    amounts := ltv.model_algorithm(fitted) IN ('linear', 'gamma', 'tweedie', 'two_part', 'boosted_value', 'hybrid');
    IF amounts AND spec ->> 'target' IS NULL OR decisions AND spec ->> 'event' IS NULL THEN
        RAISE EXCEPTION '% was registered without the name of its %, by which the predictions are judged', importance.model, CASE WHEN amounts THEN 'target' ELSE 'event' END
            USING ERRCODE = 'invalid_parameter_value', HINT = format('ltv.train keeps it; register_version takes it: spec => ''%s''.', CASE WHEN amounts THEN '{"target": "spent"}' ELSE '{"event": "renewed"}' END);
    ELSIF num_nulls(spec ->> 'duration', spec ->> 'event') > 0 AND NOT amounts AND NOT decisions THEN
        RAISE EXCEPTION '% was registered without the names of its duration and event, by which the predictions are judged', importance.model
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('ltv.train keeps them%s; register_version takes them: spec => ''{"duration": "months", "event": "churned"}''.', CASE WHEN ltv.model_algorithm(fitted) = 'rule' THEN ', and takes a rule too' ELSE '' END);
    END IF;
    IF NOT decisions THEN
        importance.horizon := ltv.model_horizon(fitted, coalesce(importance.horizon, ltv.model_horizon(importance.model)));
    END IF;
    -- What the fit made least, if nothing else is asked for.
    asked := coalesce(asked, CASE WHEN NOT amounts THEN 'brier' WHEN ltv.model_algorithm(fitted) = 'hybrid' OR (SELECT bool_and(f.family = 'linear') FROM ltv.amount_fit(fitted) f) THEN 'rmse' ELSE 'deviance' END);
    IF asked <> ALL (CASE WHEN NOT amounts THEN '{brier}' WHEN ltv.model_algorithm(fitted) = 'hybrid' THEN '{rmse,mae}' ELSE '{rmse,mae,deviance}' END::text[]) THEN
        RAISE EXCEPTION 'unknown loss "%" of a % model', asked, ltv.model_algorithm(fitted)
            USING ERRCODE = 'invalid_parameter_value', HINT = CASE WHEN NOT amounts THEN 'One of: brier.' WHEN ltv.model_algorithm(fitted) = 'hybrid' THEN 'One of: rmse, mae.' ELSE 'One of: rmse, mae, deviance.' END;
    END IF;
    names := ltv.model_features(fitted);
    FOREACH wanted IN ARRAY names || CASE WHEN amounts THEN ARRAY[spec ->> 'target'] WHEN decisions THEN ARRAY[spec ->> 'event'] ELSE ARRAY[spec ->> 'duration', spec ->> 'event'] END LOOP
        IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = importance.source AND a.attname = wanted AND a.attnum > 0 AND NOT a.attisdropped) THEN
            RAISE EXCEPTION '% has no column "%"', importance.source, wanted
                USING ERRCODE = 'undefined_column', HINT = 'The outcome and the features must have the names that train knew.';
        END IF;
    END LOOP;
    IF cardinality(names) = 0 THEN
        RETURN;
    END IF;
    SELECT * INTO reading
    FROM ltv.evaluation_query(importance.model, importance.source, rows => importance.rows, outcome => CASE WHEN amounts THEN 'amount' ELSE 'event' END, features => true) AS q;
    -- Of decisions it is their period.
    IF decisions AND importance.horizon <> reading.horizon THEN
        RAISE EXCEPTION '% was trained on decisions, which have no horizon', importance.model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave the horizon out: a row is one decision, and it is judged by whether it was renewed.';
    END IF;
    importance.horizon := coalesce(importance.horizon, reading.horizon);
    IF reading.restriction <> 'true' THEN
        relation := format('(SELECT ltv_row.* FROM %s AS ltv_row WHERE %s)', importance.source, reading.restriction);
    END IF;
    standing := CASE WHEN reading.in_sample THEN 'in sample' ELSE 'ok' END;
    IF amounts THEN
        -- Only of rows that are scored, which are few among those that could be refused.
        EXECUTE format('SELECT min(s.%1$I)::float8, count(*) FILTER (WHERE s.%1$I::float8 = ''NaN'') FROM %2$s AS s, LATERAL (SELECT %3$s) AS q
                        WHERE CASE WHEN s.%1$I::float8 <= 0 OR s.%1$I::float8 = ''NaN'' THEN ltv.expected_value($1, q.*) IS NOT NULL END',
                       spec ->> 'target', relation, (SELECT string_agg(format('s.%I', f), ', ' ORDER BY at) FROM unnest(names) WITH ORDINALITY AS n (f, at)))
        INTO smallest, odd USING fitted;
        IF odd > 0 THEN
            RAISE EXCEPTION 'column "%" is NaN in % rows', spec ->> 'target', odd USING ERRCODE = 'invalid_parameter_value', DETAIL = format('In %s.', importance.source), HINT = 'Set it to NULL where it is not known: such rows are left out.';
        END IF;
        IF asked = 'deviance' THEN
            IF smallest <= 0 AND (SELECT bool_or(CASE f.family WHEN 'gamma' THEN smallest < 0 OR ltv.model_algorithm(fitted) <> 'two_part' WHEN 'linear' THEN smallest < 0 AND ltv.model_algorithm(fitted) = 'two_part' ELSE smallest < 0 END) FROM ltv.amount_fit(fitted) f) THEN
                RAISE EXCEPTION 'the deviance of % is not defined for an amount of %', importance.model, smallest USING ERRCODE = 'invalid_parameter_value', DETAIL = format('In column "%s" of %s.', spec ->> 'target', importance.source), HINT = 'loss => ''rmse'' or ''mae'', or leave such rows out in a view.';
            END IF;
        END IF;
    END IF;
    said := CASE WHEN asked = 'deviance' THEN 'ltv.amount_deviance($1, q.*, w."amount of the row")' WHEN amounts THEN 'ltv.expected_value($1, q.*)'
                 ELSE 'ltv.renewal_probability($1, q.*, $3, w."age of the row")' END;
    measure := format(CASE asked WHEN 'deviance' THEN 'sum(%1$s * e.e) / %2$s' WHEN 'mae' THEN 'sum(%1$s * abs(e.e - w."amount of the row")) / %2$s'
                                 WHEN 'rmse' THEN 'sqrt(sum(%1$s * (e.e - w."amount of the row") ^ 2) / %2$s)'
                                 ELSE 'sum(%1$s * (e.e - (w."%3$s" > $3)::integer) ^ 2) / %2$s' END,
                      'w."known of the row"', 'nullif(sum(w."weight of the row") FILTER (WHERE e.e IS NOT NULL), 0)', 'time of the row');
    -- What is judged is what evaluate judges, and only of rows that are scored: Graf et al. 1999, a row censored before the
    -- horizon has no weight, the others stand for those who are gone.
    RETURN QUERY EXECUTE format($q$
        WITH r AS MATERIALIZED (
            SELECT %1$s, j.given AS "age of the row", j.duration AS "time of the row", j.event AS "event of the row", j.weight AS "weight of the row", j.value AS "amount of the row",
                   hashtextextended(ROW(%1$s%14$s)::text, $4) AS "hash of the row"
            FROM (%2$s) AS j WHERE j.predicted IS NOT NULL AND %3$s IS NOT NULL
        ), placed AS MATERIALIZED (SELECT r.*, row_number() OVER (ORDER BY r."hash of the row") AS "place of the row" FROM r),
        w AS MATERIALIZED (%4$s),
        plain AS (SELECT %5$s AS loss, count(e.e) AS n FROM w, LATERAL (SELECT %6$s) AS q, LATERAL (SELECT %7$s AS e) AS e),
        permuted (feature, loss) AS (%8$s)
        SELECT row_number() OVER (ORDER BY avg(m.loss) - min(plain.loss) DESC, m.feature COLLATE "C"), m.feature, %9$L::text, min(plain.loss), avg(m.loss),
               avg(m.loss) - min(plain.loss), stddev_samp(m.loss), min(plain.n),
               CASE WHEN min(plain.n) = 0 THEN ltv.nothing_to_judge(%10$L, %11$L, %12$L, %13$L, $3) WHEN min(plain.loss) IS NULL THEN 'nobody was observed until the horizon' ELSE $5 END
        FROM permuted AS m, plain GROUP BY m.feature ORDER BY 1
        $q$,
        (SELECT string_agg(format('j."feature %s"', at), ', ' ORDER BY at) FROM unnest(names) WITH ORDINALITY AS n (f, at)), reading.query, CASE WHEN amounts THEN 'j.value' ELSE 'j.event' END,
        CASE WHEN amounts THEN 'SELECT p.*, p."weight of the row" AS "known of the row" FROM placed AS p'
             ELSE $q$SELECT p.*, k.known AS "known of the row"
                     FROM (SELECT array_agg(p."place of the row" ORDER BY p."place of the row") AS places, array_agg(p."time of the row" ORDER BY p."place of the row") AS durations,
                                  array_agg(p."event of the row" ORDER BY p."place of the row") AS events, array_agg(p."weight of the row" ORDER BY p."place of the row") AS weights FROM placed AS p) AS g,
                          unnest(g.places, ltv.inverse_censoring_weights(g.durations, g.events, $3, g.weights)) AS k ("place of the row", known) JOIN placed AS p USING ("place of the row")$q$ END,
        measure, (SELECT string_agg(format('w."feature %s" AS %I', at, f), ', ' ORDER BY at) FROM unnest(names) WITH ORDINALITY AS n (f, at)), said,
        (SELECT string_agg(format($p$
            SELECT %1$L::text, %4$s
            FROM w JOIN (SELECT o."feature %6$s" AS "value", row_number() OVER (ORDER BY hashint8extended(o."hash of the row", $4 + %2$s), o."place of the row") AS "place of the row" FROM w AS o) AS o USING ("place of the row"),
                 LATERAL (SELECT %3$s) AS q, LATERAL (SELECT %5$s AS e) AS e$p$,
            f.f, 1000 * f.at + k,
            (SELECT string_agg(CASE WHEN n.f = f.f THEN format('o."value" AS %I', n.f) ELSE format('w."feature %s" AS %I', n.at, n.f) END, ', ' ORDER BY n.at) FROM unnest(names) WITH ORDINALITY AS n (f, at)), measure, said, f.at),
            ' UNION ALL ' ORDER BY f.at, k)
         FROM unnest(names) WITH ORDINALITY AS f (f, at), generate_series(1, importance.repeats) AS k), asked,
        importance.model, importance.source, importance.rows, CASE WHEN amounts THEN 'amount' ELSE 'event' END,
        -- All by which rows differ: their order must not.
        CASE WHEN amounts THEN ', j.value' ELSE ', j.duration, j.event' END || CASE WHEN spec ->> 'entry' IS NOT NULL THEN ', j.given' ELSE '' END
            || CASE WHEN spec ->> 'weight' IS NOT NULL OR spec #> '{options,cause}' IS NOT NULL THEN ', j.weight' ELSE '' END)
    USING fitted, ARRAY[importance.horizon], importance.horizon, importance.seed, standing;
END
$$;
COMMENT ON FUNCTION ltv.importance(text, regclass, double precision, integer, bigint, text, text) IS 'How much worse a registered model predicts when one feature is shuffled among the rows of source (permutation importance: Breiman 2001; Fisher, Rudin & Dominici 2019): the rise of the Brier score at horizon, weighted for censoring (Graf et al. 1999), mean and standard deviation over repeats. horizon: where it is left out the one at which train judged the version, and refused where there is none (see model_horizon). Of a model of amounts (with a target) loss, told as metric, is deviance, rmse (the root of the mean squared error of the expected amount) or mae (the mean absolute one): by default what its fit made least, the mean deviance of its family (amount_deviance; gamma, tweedie, two_part, and boosted_value with these losses), and rmse for squared errors and hybrids. Of all others it is brier; of one of renewal decisions the Brier score of the decision, horizon its period; of one of one cause among several (fine_gray) that of its incidence, whoever ended by another cause being one who does not end by this one. The outcome''s columns are those that train knew; the rows are those of evaluate and count as there (evaluation_query): weight times; cut, where the holdout is of a training as_of a day, at what that day knew; with a delayed entry from the entry on, given which they are predicted; value is evaluate''s brier of the same rows, and for amounts predicted_vs_actual''s rmse or mae. n: rows with an outcome and a score; without any status says why, as evaluate does. The shuffle is by a hash of the row''s content and the seed, so it is the same for any order of the rows. rows: all, holdout, or auto: those that train held out when source is the relation of the training and the version knows a holdout, else all, as in evaluate; status says where they are those of the training (in sample). Features that tell the same thing share their importance, and neither looks important. No rows for a model without features. Errors: P0002, 42703, 22023 (repeats, a horizon that would not count, a loss that the model has not, a target that is NaN, a deviance of amounts that its law cannot have, causes that are none), 22004.';
