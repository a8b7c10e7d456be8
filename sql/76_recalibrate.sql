-- A new version of a model that tells the probabilities which were observed.

CREATE FUNCTION ltv.recalibrate(
    model text, source regclass, method text DEFAULT 'isotonic', horizon double precision DEFAULT NULL, rows text DEFAULT 'auto',
    min_events double precision DEFAULT 20, note text DEFAULT NULL
) RETURNS TABLE (
    version integer, parent integer, status text, n_rows bigint, n_events bigint, metric text, before double precision, after double precision, warnings text[]
)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    reading record;
    origin ltv.model_versions;
    named text := split_part(recalibrate.model, '@', 1);
    at double precision;
    bare ltv.model;
    relation text;
    parts ltv.survival_calibration[];
    folds integer[];
    groups integer[];
    told ltv.survival_calibration[] := '{}';
    known ltv.calibration;
    known_before ltv.calibration;
    known_after ltv.calibration;
    base ltv.survival_calibration;
    was ltv.survival_calibration;
    crossed ltv.survival_calibration;
    map jsonb;
    held jsonb := '[]';
    scores jsonb := '[]';
    seen boolean;
    before_brier double precision;
    known_bare ltv.calibration;
    final ltv.survival_calibration;
    naive_brier double precision;
    naive_name text;
    rate double precision;
    said text[] := '{}';
    made integer;
    n bigint;
    deaths bigint;
    unscored bigint;
    drawn text;
BEGIN
    IF recalibrate.method IS NULL OR recalibrate.method NOT IN ('isotonic', 'platt', 'beta', 'intercept') THEN
        RAISE EXCEPTION 'unknown recalibration "%"', recalibrate.method USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: isotonic, platt, beta, intercept.';
    END IF;
    IF NOT coalesce(min_events >= 1 AND min_events < 'Infinity', false) THEN
        RAISE EXCEPTION 'min_events must be at least 1, got %', min_events USING ERRCODE = 'invalid_parameter_value', HINT = 'Twenty is little already: each fifth of the rows is judged by a map of the others.';
    END IF;
    -- What the name means is asked once: an alias may be moved at any time.
    SELECT * INTO origin FROM ltv.model_versions v WHERE v.model = named AND v.version = ltv.model_version(recalibrate.model);
    SELECT * INTO reading FROM ltv.evaluation_query(named || '@' || origin.version, recalibrate.source, NULL, recalibrate.rows, horizons => ARRAY[recalibrate.horizon]);
    SELECT format('%I.%I', s.nspname, c.relname) INTO relation FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE c.oid = recalibrate.source;
    seen := relation = origin.spec ->> 'source' AND (recalibrate.rows = 'all' OR recalibrate.rows = 'auto' AND jsonb_typeof(origin.spec -> 'holdout') IS DISTINCT FROM 'object');
    IF seen THEN
        RAISE EXCEPTION '% learnt from these very rows', recalibrate.model
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'On them its predictions look better than they are, and the map would keep them so.',
                  HINT = 'Train with a holdout, or give rows that came later: source => a relation with the columns of the training.';
    END IF;
    -- The same rows under another name.
    IF relation <> origin.spec ->> 'source' AND origin.lineage ? 'fingerprint'
       AND NOT EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(origin.lineage -> 'columns') WHEN 'array' THEN origin.lineage -> 'columns' ELSE '[]' END) u
                       WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = recalibrate.source AND a.attname = u ->> 'column' AND a.attnum > 0 AND NOT a.attisdropped))
       AND ltv.data_fingerprint(recalibrate.source, ARRAY(SELECT u ->> 'column' FROM jsonb_array_elements(origin.lineage -> 'columns') u)) = origin.lineage ->> 'fingerprint' THEN
        RAISE EXCEPTION '% holds the rows that % learnt from', relation, recalibrate.model
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = CASE jsonb_typeof(origin.spec -> 'holdout') WHEN 'object' THEN format('Under the name %s only those held out in training are taken; or give rows that came later.', origin.spec ->> 'source')
                              ELSE 'Give rows that came later, or train with a holdout.' END;
    END IF;
    IF origin.spec ->> 'entry' IS NOT NULL AND recalibrate.method <> 'intercept' THEN
        RAISE EXCEPTION 'rows with a delayed entry do not tell the probability from the start, which % maps', recalibrate.method
            USING ERRCODE = 'invalid_parameter_value', HINT = 'method => ''intercept'': one ratio of hazards holds at every age.';
    END IF;
    at := coalesce(recalibrate.horizon, reading.horizon);
    bare := ltv.recalibrated(origin.fitted, NULL::jsonb);
    -- Five folds, every fifth by rising prediction, so that all are alike: so the order of rows does not matter. Each is judged by
    -- a map of the other four. Groups of a like prediction, of twenty events each, ten at most: customers of a high risk are
    -- often censored at other times than those of a low one, so the probability not to be censored is that of the group.
    EXECUTE format($q$
        WITH judged AS (SELECT row_number() OVER (ORDER BY j.predicted, j.duration, j.event, j.weight) %% 5 AS fold,
                               percent_rank() OVER (PARTITION BY j.predicted IS NULL ORDER BY j.predicted) AS place,
                               count(*) FILTER (WHERE j.event AND j.duration <= j.horizon AND j.predicted IS NOT NULL) OVER () AS deaths, j.* FROM (%s) j)
        SELECT array_agg(g.s ORDER BY g.fold, g.likeness), array_agg(g.fold ORDER BY g.fold, g.likeness), array_agg(g.likeness ORDER BY g.fold, g.likeness),
               sum(g.n)::bigint, sum(g.deaths)::bigint, sum(g.unscored)::bigint
        FROM (SELECT j.fold::integer AS fold, l.likeness, ltv.survival_calibration_agg(j.predicted, j.duration, j.event, j.weight) AS s, count(j.predicted) AS n,
                     count(*) FILTER (WHERE j.event AND j.duration <= j.horizon AND j.predicted IS NOT NULL) AS deaths, count(*) FILTER (WHERE j.predicted IS NULL) AS unscored
              FROM judged j, LATERAL (SELECT least(floor(j.place * least(10, j.deaths / 20)), least(10, j.deaths / 20) - 1)::integer AS likeness) l GROUP BY j.fold, l.likeness) g $q$, reading.query)
    INTO parts, folds, groups, n, deaths, unscored USING bare, ARRAY[at];
    IF coalesce(deaths, 0) < min_events THEN
        RAISE EXCEPTION '% rows had the event within %, which is fewer than %', coalesce(deaths, 0), at, min_events
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('%s rows were scored, %s could not be.', coalesce(n, 0), coalesce(unscored, 0)), HINT = 'Use more rows or a longer horizon, or method => ''intercept'' with a lower min_events.';
    END IF;
    SELECT ltv.rollup(f.s) INTO base FROM unnest(parts) AS f (s);
    IF ltv.calibration_at(base, at) IS NULL THEN
        RAISE EXCEPTION 'nobody was observed until %', at USING ERRCODE = 'invalid_parameter_value', HINT = 'A shorter horizon, in the unit of the durations.';
    END IF;
    -- A group of which nobody is seen beyond the horizon says nothing of itself: then all rows weigh as one group.
    IF EXISTS (SELECT FROM unnest(parts, folds, groups) AS f (s, fold, likeness), generate_series(-1, 4) AS away
               WHERE f.fold <> away GROUP BY away, f.likeness HAVING ltv.calibration_at(ltv.rollup(f.s), at) IS NULL) THEN
        groups := array_fill(0, ARRAY[cardinality(parts)]);
    END IF;
    SELECT ltv.rollup(g.c) INTO known_before
    FROM (SELECT ltv.calibration_at(ltv.rollup(f.s), at) AS c FROM unnest(parts, groups) AS f (s, likeness) GROUP BY f.likeness) g;
    known_bare := known_before;
    map := ltv.fit_recalibration(known_before, recalibrate.method);
    FOR i IN 0..4 LOOP
        CONTINUE WHEN NOT i = ANY (folds);
        BEGIN
            SELECT ltv.rollup(g.c) INTO known
            FROM (SELECT ltv.calibration_at(ltv.rollup(f.s), at) AS c FROM unnest(parts, folds, groups) AS f (s, fold, likeness) WHERE f.fold <> i GROUP BY f.likeness) g;
            SELECT told || array_agg(ltv.recalibrated(f.s, m.map) ORDER BY f.place) INTO told
            FROM (SELECT ltv.fit_recalibration(known, recalibrate.method) AS map) m, unnest(parts, folds) WITH ORDINALITY AS f (s, fold, place) WHERE f.fold = i;
        EXCEPTION WHEN invalid_parameter_value THEN
            told := NULL;
            EXIT;
        END;
    END LOOP;
    IF told IS NULL OR folds[1] = folds[cardinality(folds)] THEN
        said := said || 'after: in sample, for the rows are too few to judge the map by rows it has not seen'::text;
        SELECT array_agg(ltv.recalibrated(f.s, map) ORDER BY f.place) INTO told FROM unnest(parts) WITH ORDINALITY AS f (s, place);
    END IF;
    SELECT ltv.rollup(f.s) INTO crossed FROM unnest(told) AS f (s);
    SELECT ltv.rollup(g.c) INTO known_after
    FROM (SELECT ltv.calibration_at(ltv.rollup(f.s), at) AS c FROM unnest(told, groups) AS f (s, likeness) GROUP BY f.likeness) g;
    IF ltv.recalibration(origin.fitted) IS NOT NULL THEN
        known_before := ltv.recalibrated(known_before, ltv.recalibration(origin.fitted));
    END IF;
    was := CASE WHEN ltv.recalibration(origin.fitted) IS NULL THEN base ELSE ltv.recalibrated(base, ltv.recalibration(origin.fitted)) END;
    IF ltv.recalibration(origin.fitted) IS NOT NULL THEN
        said := said || format('version %s was recalibrated before; its map is replaced', origin.version);
        IF relation = origin.spec #>> '{recalibration,source}' THEN
            said := said || 'before: the earlier map has seen these rows'::text;
        END IF;
    END IF;
    IF unscored > 0 THEN
        said := said || format('%s rows could not be scored', unscored);
    END IF;
    -- The naive baseline that train stored holds where these are the rows that it judged: then the Brier score of the model without a map
    -- is the one beside it. On other rows the curve that train had is not known; that of these rows, or their event rate, is named.
    SELECT (m ->> 'baseline_value')::float8, m ->> 'baseline' INTO naive_brier, naive_name
    FROM ltv.model_versions v, jsonb_array_elements(v.metrics) m
    WHERE v.model = named AND NOT v.spec ? 'recalibration' AND v.fitted::text = bare::text AND m ->> 'metric' IN ('brier', format('brier at %s', at))
      AND abs((m ->> 'value')::float8 - CASE WHEN reading.decisions THEN ltv.brier(known_bare) ELSE (ltv.brier_score(base, at)).brier END) <= 1e-9
    ORDER BY v.version LIMIT 1;
    IF NOT FOUND THEN
        naive_brier := (ltv.brier_score(base, at)).reference;
        naive_name := CASE WHEN reading.decisions THEN 'event rate of these rows' WHEN origin.algorithm = 'fine_gray' THEN 'Aalen-Johansen of these rows' ELSE 'Kaplan-Meier of these rows' END;
    END IF;
    -- A rising map leaves the order of the rows, but for the ties that it makes. They may cost; that an isotonic map ties just those rows
    -- of its own that stood the wrong way round is no gain.
    final := ltv.recalibrated(base, map);
    SELECT sum(c.n * c.observed) / nullif(sum(c.n), 0) INTO rate FROM ltv.calibration_curve(known_bare, 1) c;
    SELECT jsonb_agg(jsonb_build_object('metric', m.name, 'value', m.later, 'baseline', m.baseline, 'baseline_value', m.naive,
                                        'skill', CASE WHEN m.is_loss AND m.naive > 0 THEN 1 - m.later / m.naive END,
                                        'parent', format('version %s', origin.version), 'parent_value', m.earlier) ORDER BY m.place), min(m.earlier) FILTER (WHERE m.place = 1)
    INTO scores, before_brier
    FROM (SELECT 1 AS place, format('brier at %s', at) AS name, (ltv.brier_score(was, at)).brier AS earlier, (ltv.brier_score(crossed, at)).brier AS later, naive_name AS baseline, naive_brier AS naive, true AS is_loss
          UNION ALL SELECT 2, format('ici at %s', at), CASE WHEN reading.decisions THEN (ltv.integrated_calibration_index(known_before)).ici ELSE (ltv.integrated_calibration_index(was, at)).ici END,
                 CASE WHEN reading.decisions THEN (ltv.integrated_calibration_index(known_after)).ici ELSE (ltv.integrated_calibration_index(crossed, at)).ici END, 'none: one rate for all is calibrated', NULL, false
          UNION ALL SELECT 3, format('log_loss at %s', at), ltv.log_loss(known_before), ltv.log_loss(known_after), 'event rate of these rows',
                 CASE WHEN rate > 0 AND rate < 1 THEN -(rate * ln(rate) + (1 - rate) * ln(1 - rate)) END, true
          UNION ALL SELECT 4, format('observed_to_expected at %s', at), e.earlier, e.later, 'none: 1 is right', NULL, false
          FROM (SELECT (SELECT sum(c.n * c.observed) / nullif(sum(c.n * c.mean_predicted), 0) FROM ltv.calibration_curve(known_before, 1) c) AS earlier,
                       (SELECT sum(c.n * c.observed) / nullif(sum(c.n * c.mean_predicted), 0) FROM ltv.calibration_curve(known_after, 1) c) AS later) e
          UNION ALL SELECT 5, 'auc', ltv.auc(known_before), least(ltv.auc(known_bare), ltv.auc(ltv.recalibrated(known_bare, map))), 'chance', 0.5, false WHERE reading.decisions
          UNION ALL SELECT 5, 'concordance', (ltv.concordance(was)).concordance, least((ltv.concordance(base)).concordance, (ltv.concordance(final)).concordance), 'chance', 0.5, false WHERE NOT reading.decisions) m;
    IF (scores #>> '{0,value}')::float8 >= before_brier THEN
        said := said || 'the Brier score is no better: the version it was made from may stay'::text;
    END IF;
    IF (scores #>> '{1,value}')::float8 > (scores #>> '{1,parent_value}')::float8 THEN
        said := said || 'the ici is worse: compare calibration() of both versions before you promote'::text;
    END IF;
    IF ltv.log_loss(known_after) IS NULL THEN
        said := said || 'log_loss after: the map says that something is impossible which happened; platt and beta never do'::text;
    END IF;
    -- Features and durations are as they were; the predictions are now others, and limits are of the old.
    EXECUTE format('SELECT ltv.profile_agg(1 - j.predicted)::text FROM (%s) j', reading.query) INTO drawn USING ltv.recalibrated(bare, map), ARRAY[at];
    SELECT coalesce(jsonb_agg(p.entry ORDER BY p.place), '[]') INTO held
    FROM (SELECT place, entry FROM jsonb_array_elements(origin.profiles) WITH ORDINALITY AS o (entry, place) WHERE entry ->> 'role' NOT IN ('prediction', 'limit')
          UNION ALL SELECT 1000000, jsonb_build_object('role', 'prediction', 'input', 'event_probability', 'horizon', at, 'profile', drawn) WHERE drawn IS NOT NULL AND at > 0) p;
    made := ltv.register_version(
        named, origin.algorithm, ltv.recalibrated(bare, map),
        origin.spec || jsonb_build_object('recalibration', jsonb_build_object('source', relation, 'method', recalibrate.method, 'horizon', at, 'rows', n, 'events', deaths, 'map', map)),
        origin.n_rows, origin.n_events, origin.n_dropped, n, scores, said, coalesce(recalibrate.note, format('recalibrated (%s) from version %s', recalibrate.method, origin.version)),
        origin.lineage || jsonb_build_object('recalibration', ltv.source_lineage(recalibrate.source, origin.spec)), origin.version, held);
    RETURN QUERY
    SELECT made, origin.version, 'candidate', n, deaths, m ->> 'metric', (m ->> 'parent_value')::float8, (m ->> 'value')::float8, said
    FROM jsonb_array_elements(scores) WITH ORDINALITY AS f (m, place) ORDER BY f.place;
END
$$;
COMMENT ON FUNCTION ltv.recalibrate(text, regclass, text, double precision, text, double precision, text) IS 'Fits a rising map from the predicted to the observed probability of the event by the horizon (fit_recalibration) on rows that the model has not seen, censored rows weighed for (calibration_at), and registers the model seen through it as a new version: a candidate whose parent is the version it was made from. It promotes nothing. Rows: as evaluation_query; those of the training are refused, also under another name. A version that was recalibrated before gets the new map in place of the old. One row per metric: before, and after judged by five-fold cross-fitting (each fifth by a map of the other four; every fifth row by rising prediction). brier: weighted for censoring; ici: integrated_calibration_index; log_loss, observed_to_expected: of the rows known at the horizon, weighted as for the map, by groups of like predictions, so that where some of the rows are censored before is near to what evaluate tells with censoring => ''grouped'' (whose groups are finer) and not what it tells with one curve for all, by which no map would ever look right where customers of a high risk are seen for a shorter time; brier and ici are those of evaluate; concordance (auc of decisions): a rising map leaves the order of the rows but for the ties that it makes, which may cost; where they gain on the rows of the map, that of the model without it is told. The version stores each metric with the parent''s value (parent, parent_value) and, as train does, a naive baseline, its value on these rows and the skill over it, so that gate and diff compare alike: that of train where the rows are those it judged, else the Kaplan-Meier curve (of decisions the event rate) of these rows, which the name of the baseline says. horizon: by default that of the training. Of a model of renewal decisions the event is that a row was not renewed, the horizon its period and cannot be chosen, nothing is censored and the curve of the ici is logistic. With a delayed entry only intercept. Needs the rights of train. Errors 22023, 42703, 42501, P0002.';
REVOKE EXECUTE ON FUNCTION ltv.recalibrate(text, regclass, text, double precision, text, double precision, text) FROM PUBLIC;
