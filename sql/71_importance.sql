-- How much a feature matters to a model as a whole.

CREATE FUNCTION ltv.importance(
    model text, source regclass, horizon double precision DEFAULT NULL, repeats integer DEFAULT 3, seed bigint DEFAULT 0, loss text DEFAULT NULL, rows text DEFAULT 'auto'
) RETURNS TABLE (rank bigint, feature text, metric text, value double precision, permuted_value double precision, importance double precision, std_dev double precision, n bigint, status text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fitted ltv.model;
    spec jsonb;
    names text[];
    wanted text;
    decisions boolean;
    amounts boolean;
    period double precision;
    cause text;
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
    IF spec ->> 'entry' IS NOT NULL THEN
        RAISE EXCEPTION '% was trained with delayed entry, which the Brier score cannot judge', importance.model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Compare fits with and without the feature by ltv.model_test, or train a landmark model.';
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
    IF decisions THEN
        period := (ltv.recalibrated(fitted, NULL)::text::jsonb #>> '{model,fit,renewal,period}')::double precision;
        IF importance.horizon <> period THEN
            RAISE EXCEPTION '% was trained on decisions, which have no horizon', importance.model
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave the horizon out: a row is one decision, and it is judged by whether it was renewed.';
        END IF;
        importance.horizon := period;
    END IF;
    importance.horizon := ltv.model_horizon(fitted, coalesce(importance.horizon, ltv.model_horizon(importance.model)));
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
    SELECT q.in_sample, q.restriction INTO reading
    FROM ltv.evaluation_query(importance.model, importance.source, rows => importance.rows, outcome => CASE WHEN amounts THEN 'amount' ELSE 'event' END) AS q;
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
        measure := CASE asked WHEN 'rmse' THEN 'sqrt(avg((e.e - w."amount of the row") ^ 2))' WHEN 'mae' THEN 'avg(abs(e.e - w."amount of the row"))' ELSE 'avg(e.e)' END;
        said := CASE asked WHEN 'deviance' THEN 'ltv.amount_deviance($1, q.*, w."amount of the row")' ELSE 'ltv.expected_value($1, q.*)' END;
        RETURN QUERY EXECUTE format($q$
            WITH r AS MATERIALIZED (
                SELECT %9$s, s.%2$I::double precision AS "amount of the row", hashtextextended(ROW(%1$s, s.%2$I)::text, $2) AS "hash of the row"
                FROM %3$s AS s, LATERAL (SELECT %1$s) AS q WHERE s.%2$I IS NOT NULL AND ltv.expected_value($1, q.*) IS NOT NULL
            ), w AS MATERIALIZED (SELECT r.*, row_number() OVER (ORDER BY r."hash of the row") AS "place of the row" FROM r),
            plain AS (SELECT %6$s AS loss, count(e.e) AS n FROM w, LATERAL (SELECT %4$s) AS q, LATERAL (SELECT %7$s AS e) AS e),
            permuted (feature, loss) AS (%5$s)
            SELECT row_number() OVER (ORDER BY avg(m.loss) - min(plain.loss) DESC, m.feature COLLATE "C"), m.feature, %8$L::text, min(plain.loss), avg(m.loss),
                   avg(m.loss) - min(plain.loss), stddev_samp(m.loss), min(plain.n), $3
            FROM permuted AS m, plain GROUP BY m.feature ORDER BY 1
            $q$,
            (SELECT string_agg(format('s.%I', f), ', ' ORDER BY at) FROM unnest(names) WITH ORDINALITY AS n (f, at)), spec ->> 'target', relation,
            (SELECT string_agg(format('w."feature %s" AS %I', at, f), ', ' ORDER BY at) FROM unnest(names) WITH ORDINALITY AS n (f, at)),
            (SELECT string_agg(format($p$
                SELECT %1$L::text, %4$s
                FROM w JOIN (SELECT o."feature %6$s" AS "value", row_number() OVER (ORDER BY hashint8extended(o."hash of the row", $2 + %2$s), o."place of the row") AS "place of the row" FROM w AS o) AS o USING ("place of the row"),
                     LATERAL (SELECT %3$s) AS q, LATERAL (SELECT %5$s AS e) AS e$p$,
                f.f, 1000 * f.at + k,
                (SELECT string_agg(CASE WHEN n.f = f.f THEN format('o."value" AS %I', n.f) ELSE format('w."feature %s" AS %I', n.at, n.f) END, ', ' ORDER BY n.at) FROM unnest(names) WITH ORDINALITY AS n (f, at)), measure, said, f.at),
                ' UNION ALL ' ORDER BY f.at, k)
             FROM unnest(names) WITH ORDINALITY AS f (f, at), generate_series(1, importance.repeats) AS k), measure, said, asked,
            (SELECT string_agg(format('s.%I AS "feature %s"', f, at), ', ' ORDER BY at) FROM unnest(names) WITH ORDINALITY AS n (f, at)))
        USING fitted, importance.seed, standing;
        RETURN;
    END IF;
    -- Whoever ended by another cause than the one of interest is known not to end by this one.
    cause := ltv.cause_expression(spec, 's');
    IF cause IS NULL AND ltv.model_algorithm(fitted) = 'fine_gray' THEN
        RAISE EXCEPTION '% tells of one cause among several, but nothing says of which', importance.model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'ltv.train keeps it; register_version takes it: spec => ''{"algorithm": "fine_gray", "options": {"cause": 1}, ...}''.';
    END IF;
    IF cause IS NOT NULL THEN
        EXECUTE format('SELECT count(*) FROM (SELECT FROM %s AS s WHERE %s = -1 LIMIT 1) AS s', relation, cause) INTO odd;
        IF odd > 0 THEN
            RAISE EXCEPTION 'a cause must be %', CASE jsonb_typeof(spec #> '{options,cause}') WHEN 'number' THEN 'a whole number from 1 to 255, or 0 for a row that still ran' ELSE 'a name, or NULL for a row that still ran, not empty' END
                USING ERRCODE = 'invalid_parameter_value', DETAIL = format('In column "%s" of %s.', spec ->> 'event', importance.source), HINT = 'Make it in a view.';
        END IF;
    END IF;
    -- Graf et al. 1999: a row censored before the horizon has no weight, the others stand for those who are gone. Whoever
    -- is censored goes a trifle later than whoever has the event at the same time, and is no longer at risk with him.
    RETURN QUERY EXECUTE format($q$
        -- Features are numbered within, so that none can have the name of another column of ours.
        WITH r AS MATERIALIZED (
            SELECT %11$s, %2$s AS "time of the row", %7$s AS "event of the row", %9$s AS "kept by the row",
                   hashtextextended(ROW(%1$s, %8$s, s.%3$I)::text, $3) AS "hash of the row"
            FROM %4$s AS s WHERE %8$s IS NOT NULL AND %10$s IS NOT NULL
        ), g AS MATERIALIZED (SELECT ltv.survival_agg("time of the row" * CASE WHEN "event of the row" THEN 1 ELSE 1 + 1e-6 END, NOT "event of the row") AS curve, count(*) AS n FROM r),
        w AS MATERIALIZED (
            SELECT r.*, row_number() OVER (ORDER BY r."hash of the row") AS "place of the row",
                   CASE WHEN r."time of the row" > $2 THEN 1 / nullif(ltv.survival_at(g.curve, $2 * (1 + 2e-6)), 0)
                        WHEN r."event of the row" THEN 1 / nullif(ltv.survival_at(g.curve, r."time of the row"), 0) ELSE 0 END AS "weight of the row"
            FROM r, g
        ), plain AS (
            SELECT sum(w."weight of the row" * (p.p - (w."kept by the row" OR w."time of the row" > $2)::integer) ^ 2) / nullif(count(p.p), 0) AS brier, count(p.p) AS n
            FROM w, LATERAL (SELECT %5$s) AS q, LATERAL (SELECT ltv.renewal_probability($1, q.*, $2) AS p) AS p
        ), permuted (feature, brier, n) AS (%6$s)
        SELECT row_number() OVER (ORDER BY avg(m.brier) - min(plain.brier) DESC, m.feature COLLATE "C"), m.feature, 'brier'::text, min(plain.brier), avg(m.brier),
               avg(m.brier) - min(plain.brier), stddev_samp(m.brier), min(plain.n), $4
        FROM permuted AS m, plain GROUP BY m.feature ORDER BY 1
        $q$,
        (SELECT string_agg(format('s.%I', f), ', ' ORDER BY at) FROM unnest(names) WITH ORDINALITY AS n (f, at)),
        CASE WHEN decisions THEN format('CASE WHEN s.%I::integer = 1 THEN 2 * $2 ELSE $2 END', spec ->> 'event') ELSE format('s.%I::double precision', spec ->> 'duration') END, spec ->> 'event', relation,
        (SELECT string_agg(format('w."feature %s" AS %I', at, f), ', ' ORDER BY at) FROM unnest(names) WITH ORDINALITY AS n (f, at)),
        (SELECT string_agg(format($p$
            SELECT %1$L::text, sum(w."weight of the row" * (p.p - (w."kept by the row" OR w."time of the row" > $2)::integer) ^ 2) / nullif(count(p.p), 0), count(p.p)
            FROM w JOIN (SELECT o."feature %2$s" AS "value", row_number() OVER (ORDER BY hashint8extended(o."hash of the row", $3 + %3$s), o."place of the row") AS "place of the row" FROM w AS o) AS o USING ("place of the row"),
                 LATERAL (SELECT %4$s) AS q, LATERAL (SELECT ltv.renewal_probability($1, q.*, $2) AS p) AS p$p$,
            f.f, f.at, 1000 * f.at + k,
            (SELECT string_agg(CASE WHEN n.f = f.f THEN format('o."value" AS %I', n.f) ELSE format('w."feature %s" AS %I', n.at, n.f) END, ', ' ORDER BY n.at) FROM unnest(names) WITH ORDINALITY AS n (f, at))),
            ' UNION ALL ' ORDER BY f.at, k)
         FROM unnest(names) WITH ORDINALITY AS f (f, at), generate_series(1, importance.repeats) AS k),
        coalesce('(' || cause || ' > 0)', format('(s.%I::integer = %s)', spec ->> 'event', CASE WHEN decisions THEN 0 ELSE 1 END)), CASE WHEN decisions THEN '1' ELSE format('s.%I', spec ->> 'duration') END,
        coalesce('(' || cause || ' = 2)', 'false'), coalesce(cause, format('s.%I', spec ->> 'event')),
        (SELECT string_agg(format('s.%I AS "feature %s"', f, at), ', ' ORDER BY at) FROM unnest(names) WITH ORDINALITY AS n (f, at)))
    USING fitted, importance.horizon, importance.seed, standing;
END
$$;
COMMENT ON FUNCTION ltv.importance(text, regclass, double precision, integer, bigint, text, text) IS 'How much worse a registered model predicts when one feature is shuffled among the rows of source (permutation importance: Breiman 2001; Fisher, Rudin & Dominici 2019): the rise of the Brier score at horizon, weighted for censoring (Graf et al. 1999), mean and standard deviation over repeats. horizon: where it is left out the one at which train judged the version, and refused where there is none (see model_horizon). Of a model of amounts (with a target) loss, told as metric, is deviance, rmse (the root of the mean squared error of the expected amount) or mae (the mean absolute one): by default what its fit made least, the mean deviance of its family (amount_deviance; gamma, tweedie, two_part, and boosted_value with these losses), and rmse for squared errors and hybrids. Of all others it is brier; of one of renewal decisions the Brier score of the decision, horizon its period; of one of one cause among several (fine_gray) that of its incidence, whoever ended by another cause being one who does not end by this one. The outcome''s columns are those that train knew; each row counts once, whatever its weight, and one without a duration or an event, or, of one cause among several, that does not say what ended it, not at all, as in evaluate; n: rows with an outcome and a score. The shuffle is by a hash of the row''s content and the seed, so it is the same for any order of the rows. rows: all, holdout, or auto: those that train held out when source is the relation of the training and the version knows a holdout, else all, as in evaluate; status says where they are those of the training (in sample). Features that tell the same thing share their importance, and neither looks important. No rows for a model without features. Errors: P0002, 42703, 22023 (delayed entry, repeats, a horizon that would not count, a loss that the model has not, a target that is NaN, a deviance of amounts that its law cannot have, causes that are none), 22004.';
