-- Are the data still those that the model was trained on, and do its predictions still come true?

CREATE FUNCTION ltv.drift(
    model text, source regclass, thresholds jsonb DEFAULT NULL, by text DEFAULT NULL, min_rows integer DEFAULT 30
) RETURNS TABLE (segment text, input text, metric text, value double precision, threshold double precision, is_anomaly boolean, n_base bigint, n_now bigint, detail text, lower double precision, upper double precision)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 30
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_version integer;
    fitted ltv.model;
    spec jsonb;
    n_rows bigint;
    n_events double precision;
    names text[];
    wanted text;
    limits jsonb := '{"psi": 0.25, "jensen_shannon": 0.05, "kolmogorov_smirnov": 0.15, "wasserstein": 0.3, "l_infinity": 0.15, "unseen_rate": 0.01, "null_rate": 0.05, "observed_expected": 1.2}';
    unknown_key text;
    roles text[] := '{}';
    inputs text[] := '{}';
    profiles text[] := '{}';
    one record;
    outcome text;
    values_rows boolean := false;
    decided double precision;
    history text[];
    customer text;
    grouped constant text := CASE WHEN drift.by IS NULL THEN '''all''::text' ELSE format('ltv.segment_label(s.%I::text)', drift.by) END;
    weight text := '1::double precision';
    weighed text := '';
    odd record;
    unfit double precision;
    levels text;
BEGIN
    IF drift.model IS NULL OR drift.source IS NULL THEN
        RAISE EXCEPTION 'drift needs a model and a source' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = drift.source) THEN
        RAISE EXCEPTION 'the source does not exist' USING ERRCODE = 'invalid_parameter_value', HINT = 'The name of a table or view.';
    END IF;
    IF jsonb_typeof(drift.thresholds) <> 'object' THEN
        RAISE EXCEPTION 'thresholds must be a JSON object, got %', drift.thresholds USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {"psi": 0.1}.';
    END IF;
    SELECT t.key INTO unknown_key FROM jsonb_each(drift.thresholds) AS t (key, value)
    WHERE NOT limits ? t.key OR jsonb_typeof(t.value) <> 'number' OR t.value < CASE t.key WHEN 'observed_expected' THEN '1' ELSE '0' END::jsonb ORDER BY 1 LIMIT 1;
    IF unknown_key IS NOT NULL THEN
        RAISE EXCEPTION '%', CASE WHEN jsonb_typeof(drift.thresholds -> unknown_key) = 'number' AND limits ? unknown_key
                                  THEN format('the threshold "%s" must be at least %s, got %s', unknown_key, CASE unknown_key WHEN 'observed_expected' THEN 1 ELSE 0 END, drift.thresholds -> unknown_key)
                                  WHEN limits ? unknown_key THEN format('the threshold "%s" must be a number, got %s', unknown_key, drift.thresholds -> unknown_key)
                                  ELSE format('there is no threshold "%s"', unknown_key) END
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Numbers for ' || (SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(limits) AS k) || '.';
    END IF;
    limits := limits || coalesce(drift.thresholds, '{}');
    found_version := ltv.model_version(drift.model);
    SELECT v.fitted, v.spec, v.n_rows, v.n_events INTO fitted, spec, n_rows, n_events FROM ltv.model_versions v
    WHERE v.model = split_part(drift.model, '@', 1) AND v.version = found_version;
    names := ltv.model_features(fitted);
    -- What train read of customers, in the order of the functions that tell of them.
    history := ARRAY(SELECT c.value FROM jsonb_each_text(CASE jsonb_typeof(spec -> 'columns') WHEN 'object' THEN spec -> 'columns' ELSE '{}' END) AS c WHERE c.key IN ('frequency', 'recency', 'age', 'mean_value') AND c.value IS NOT NULL
                     ORDER BY array_position('{frequency,recency,age,mean_value}', c.key));
    customer := (SELECT string_agg(format('s.%I::double precision', c.name), ', ' ORDER BY c.place) FROM unnest(history) WITH ORDINALITY AS c (name, place));
    -- Of a customer a model knows no features but those that tell the segment.
    levels := (SELECT ', segment => ' || string_agg(format('s.%I::text', g.name), ' || '' / '' || ' ORDER BY g.place) FROM unnest(names) WITH ORDINALITY AS g (name, place));
    IF NOT EXISTS (SELECT FROM ltv.model_profiles p WHERE p.model = split_part(drift.model, '@', 1) AND p.version = found_version) THEN
        RAISE EXCEPTION '%@% has no training profile', split_part(drift.model, '@', 1), found_version
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = CASE WHEN spec ? 'source' THEN 'It was trained before profiles were kept: train a new version.'
                              ELSE format('It was registered by hand: ltv.train keeps profiles%s; register_version takes them.', CASE WHEN ltv.model_algorithm(fitted) = 'rule' THEN ', of a rule too' ELSE '' END) END;
    END IF;
    FOREACH wanted IN ARRAY array_remove(names || history || drift.by, NULL) LOOP
        IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = drift.source AND a.attname = wanted AND a.attnum > 0 AND NOT a.attisdropped) THEN
            RAISE EXCEPTION '% has no column "%"', drift.source, wanted
                USING ERRCODE = 'undefined_column', HINT = CASE WHEN wanted = ANY (history) THEN 'The columns of the customers must have the names that train knew.' ELSE 'The features must have the names that train knew.' END;
        END IF;
    END LOOP;
    -- One scan profiles all inputs; each is read as it was when the model was trained.
    FOR one IN SELECT p.role, p.input, p.horizon, r.kind, a.atttypid FROM ltv.model_profiles p CROSS JOIN LATERAL ltv.profile_summary(p.profile) AS r
               LEFT JOIN pg_attribute a ON a.attrelid = drift.source AND a.attname = p.input AND NOT a.attisdropped AND p.role = 'feature'
               WHERE p.model = split_part(drift.model, '@', 1) AND p.version = found_version AND p.role IN ('feature', 'prediction')
               -- Within its own segments a column is always the same, which is no drift.
               AND (p.role = 'feature' AND p.input = drift.by) IS NOT TRUE ORDER BY p.role, p.input LOOP
        values_rows := values_rows OR one.role = 'prediction' AND one.input = 'expected_value';
        decided := CASE WHEN one.role = 'prediction' AND one.input = 'event_probability' AND spec ->> 'duration' IS NULL AND ltv.model_algorithm(fitted) = 'renewal' THEN one.horizon ELSE decided END;
        roles := roles || one.role;
        inputs := inputs || one.input;
        profiles := profiles || CASE
            WHEN one.role = 'prediction' AND one.input = 'expected_value' THEN 'ltv.profile_agg(ltv.expected_value($1, s.*))'
            WHEN one.role = 'prediction' AND one.input IN ('probability_alive', 'expected_spend') THEN format('ltv.profile_agg(ltv.%s($1, %s%s))', one.input, customer, levels)
            WHEN one.role = 'prediction' AND one.input = 'expected_purchases' THEN format('ltv.profile_agg(ltv.expected_purchases($1, %s, %L::double precision%s))', customer, one.horizon, levels)
            WHEN one.role = 'prediction' THEN format('ltv.profile_agg(1 - ltv.renewal_probability($1, s.*, %L::double precision))', one.horizon)
            WHEN one.kind = 'texts' THEN format('ltv.profile_agg(s.%I::text)', one.input)
            WHEN one.atttypid = 'boolean'::regtype THEN format('ltv.profile_agg(s.%I::integer::double precision)', one.input)
            ELSE format('ltv.profile_agg(s.%I::double precision)', one.input) END;
    END LOOP;
    -- What a row counted when the model learnt it counts in what is observed and expected, as in ltv.evaluate; not in the profiles, which are of rows.
    IF spec ->> 'weight' IS NOT NULL THEN
        SELECT format_type(a.atttypid, a.atttypmod) AS type_name, t.typcategory = 'N' AND t.typname !~ '^(reg|oid$|money$)' AS is_number INTO odd
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = drift.source AND a.attname = spec ->> 'weight' AND a.attnum > 0 AND NOT a.attisdropped;
        IF NOT odd.is_number THEN
            RAISE EXCEPTION 'the weight in "%" must be a number, not %', spec ->> 'weight', odd.type_name USING ERRCODE = 'invalid_parameter_value', DETAIL = format('In %s.', drift.source), HINT = 'Make it in a view.';
        END IF;
        weight := CASE WHEN odd.is_number THEN format('s.%I::double precision', spec ->> 'weight') ELSE weight END;
        weighed := CASE WHEN odd.is_number THEN ', by weight' ELSE ', without the weights of the training' END;
    END IF;
    -- The events that the source has seen, against those that the model expects of the same rows over the time for which they were watched.
    IF ltv.model_algorithm(fitted) = 'fine_gray' THEN
        -- How long a row that ended by another cause would have been watched nobody knows, and with it how many events were to be expected.
        outcome := $q$
            UNION ALL SELECT 'all', 'events', 'observed_expected', NULL::float8, ($4 ->> 'observed_expected')::float8, NULL::boolean, $5::bigint, NULL::bigint,
                   'not told of one cause among several: ltv.evaluate holds the observed incidence against the predicted one', NULL::float8, NULL::float8$q$;
    ELSIF num_nulls(spec ->> 'duration', spec ->> 'event') = 0 AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = drift.source AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attname = ANY (array_remove(ARRAY[spec ->> 'duration', spec ->> 'event', spec ->> 'entry'], NULL)))
       = cardinality(array_remove(ARRAY[spec ->> 'duration', spec ->> 'event', spec ->> 'entry'], NULL)) THEN
        outcome := format($q$
            SELECT o.segment, 'events', o.observed, o.expected, i.lower, i.upper, o.observed, $5
            FROM (SELECT %1$s AS segment, coalesce(sum(r.weight) FILTER (WHERE s.%2$I::integer = 1 AND p.expected IS NOT NULL), 0) AS observed,
                         coalesce(sum(r.weight * r.weight) FILTER (WHERE s.%2$I::integer = 1 AND p.expected IS NOT NULL), 0) AS squares,
                         max(r.weight) FILTER (WHERE p.expected IS NOT NULL) AS heaviest, sum(r.weight * p.expected) AS expected
                  FROM %3$s AS s, LATERAL (SELECT %6$s AS weight) AS r, LATERAL (SELECT ltv.expected_events($1, s.*, s.%4$I::double precision, %5$s, s.%2$I::integer = 1) AS expected OFFSET 0) AS p
                  WHERE s.%2$I IS NOT NULL AND r.weight > 0 GROUP BY 1) AS o,
                 LATERAL ltv.weighted_poisson_interval(o.observed, o.squares, o.heaviest, 0.99) AS i$q$,
            grouped, spec ->> 'event', drift.source, spec ->> 'duration', coalesce('s.' || quote_ident(spec ->> 'entry') || '::double precision', '0'), weight);
    ELSIF decided IS NOT NULL AND spec ->> 'event' IS NOT NULL AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = drift.source AND a.attname = spec ->> 'event' AND a.attnum > 0 AND NOT a.attisdropped) THEN
        -- As evaluate has it the event is that a row was not renewed. A sum of decisions is less spread than a Poisson count of the same mean, so
        -- that the exact interval of that holds; that of the rarer outcome is the narrower one.
        outcome := format($q$
            SELECT o.segment, 'events', o.observed, o.expected, CASE WHEN 2 * o.observed <= o.n THEN i.lower ELSE greatest(o.n - i.upper, 0) END,
                   CASE WHEN 2 * o.observed <= o.n THEN least(i.upper, o.n) ELSE o.n - i.lower END, o.observed, %6$s
            FROM (SELECT %1$s AS segment, sum(r.weight) AS n, coalesce(sum(r.weight) FILTER (WHERE s.%2$I::integer = 0), 0) AS observed, coalesce(sum(r.weight) FILTER (WHERE s.%2$I::integer <> 0), 0) AS others,
                         coalesce(sum(r.weight * r.weight) FILTER (WHERE s.%2$I::integer = 0), 0) AS squares, coalesce(sum(r.weight * r.weight) FILTER (WHERE s.%2$I::integer <> 0), 0) AS squares_of_others,
                         max(r.weight) AS heaviest, sum(r.weight * p.event) AS expected
                  FROM %3$s AS s, LATERAL (SELECT %5$s AS weight) AS r, LATERAL (SELECT 1 - ltv.renewal_probability($1, s.*, %4$L::double precision) AS event OFFSET 0) AS p
                  WHERE s.%2$I IS NOT NULL AND p.event IS NOT NULL AND r.weight > 0 GROUP BY 1) AS o,
                 LATERAL ltv.weighted_poisson_interval(CASE WHEN 2 * o.observed <= o.n THEN o.observed ELSE o.others END, CASE WHEN 2 * o.observed <= o.n THEN o.squares ELSE o.squares_of_others END, o.heaviest, 0.99) AS i$q$,
            -- Of weighted rows the registry has the weight of those that renewed, and the number of all.
            grouped, spec ->> 'event', drift.source, decided, weight, CASE WHEN num_nonnulls(spec ->> 'weight', spec ->> 'half_life') = 0 THEN '$8 - $5' ELSE 'NULL::double precision' END);
    ELSIF spec ->> 'target' IS NOT NULL AND values_rows AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = drift.source AND a.attname = spec ->> 'target' AND a.attnum > 0 AND NOT a.attisdropped) THEN
        outcome := format($q$
            SELECT o.segment, 'amounts', o.observed, o.expected, o.observed - o.margin, o.observed + o.margin, o.n, $8
            FROM (SELECT %1$s AS segment, count(*)::double precision AS n, sum(r.weight * s.%2$I::double precision) AS observed, sum(r.weight * p.amount) AS expected,
                         -- The normal quantile of 0.995 times the error of the sum, of which each row adds what it weighs.
                         2.5758293035489 * sqrt(count(*)) * stddev_samp(r.weight * (s.%2$I::double precision - p.amount)) AS margin
                  FROM %3$s AS s, LATERAL (SELECT %4$s AS weight) AS r, LATERAL (SELECT ltv.expected_value($1, s.*) AS amount OFFSET 0) AS p
                  WHERE s.%2$I IS NOT NULL AND p.amount IS NOT NULL AND r.weight > 0 GROUP BY 1) AS o$q$,
            grouped, spec ->> 'target', drift.source, weight);
    END IF;
    IF outcome IS NOT NULL AND ltv.model_algorithm(fitted) <> 'fine_gray' THEN
        IF weighed = ', by weight' THEN
            EXECUTE format('SELECT r.weight FROM %s AS s, LATERAL (SELECT %s AS weight) AS r WHERE r.weight < 0 OR r.weight >= ''Infinity'' LIMIT 1', drift.source, weight) INTO unfit;
            IF unfit IS NOT NULL THEN
                RAISE EXCEPTION 'a weight must be finite and not negative, got %', unfit USING ERRCODE = 'invalid_parameter_value', DETAIL = format('In column "%s" of %s.', spec ->> 'weight', drift.source), HINT = 'A row of weight 0 or NULL is left out.';
            END IF;
        END IF;
        outcome := format($q$
            UNION ALL
            SELECT o.segment, o.input, 'observed_expected', r.value, ($4 ->> 'observed_expected')::double precision,
                   (r.lower > 1 OR r.upper < 1) AND (r.value <= 0 OR greatest(r.value, 1 / r.value) > ($4 ->> 'observed_expected')::double precision),
                   o.n_base::bigint, o.n_now::bigint,
                   format('%%s observed, %%s expected%%s; 99 %%%% interval of the ratio %%s to %%s', CASE WHEN o.input = 'events' AND o.observed = trunc(o.observed) THEN o.observed::numeric ELSE round(o.observed::numeric, 1) END, round(o.expected::numeric, 1), %2$L, round(r.lower::numeric, 2), round(r.upper::numeric, 2)),
                   r.lower, r.upper
            FROM (%1$s) AS o (segment, input, observed, expected, lower, upper, n_now, n_base),
                 LATERAL (SELECT o.observed / e.expected AS value, o.lower / e.expected AS lower, o.upper / e.expected AS upper
                          FROM (SELECT CASE WHEN o.expected > 0 THEN o.expected END AS expected) AS e) AS r
            WHERE o.expected IS NOT NULL$q$, outcome, weighed);
    END IF;
    RETURN QUERY EXECUTE format($q$
        WITH gathered AS (
            SELECT %1$s AS segment, count(*) AS n, ARRAY[%2$s]::ltv.profile[] AS profiles FROM %3$s AS s GROUP BY 1
        ),
        hidden AS (
            SELECT h.segment, h.suppression FROM (SELECT array_agg(g.segment) AS groups, array_agg(g.n) AS sizes FROM gathered AS g) AS g, LATERAL ltv.suppressed_groups(g.groups, g.sizes, $9) AS h WHERE h.suppression IS NOT NULL
        ),
        now AS (
            SELECT n.segment, u.role, u.input, u.profile FROM gathered AS n, unnest($2, $3, n.profiles) AS u (role, input, profile)
        )
        SELECT x.segment, x.input, x.metric, x.value, x.threshold, x.is_anomaly, x.n_base, x.n_now, x.detail, x.lower, x.upper FROM (
            SELECT n.segment, n.input, d.metric, d.value, greatest(($4 ->> d.metric)::double precision, d.chance) AS threshold,
                   d.value > greatest(($4 ->> d.metric)::double precision, d.chance) AS is_anomaly, b.n + b.nulls AS n_base, w.n + w.nulls AS n_now, c.detail, NULL::double precision AS lower, NULL::double precision AS upper
            FROM now AS n
            JOIN ltv.model_profiles AS p ON p.model = $6 AND p.version = $7 AND p.role = n.role AND p.input = n.input,
                 LATERAL ltv.profile_distance(p.profile, n.profile) AS d, LATERAL ltv.profile_summary(p.profile) AS b, LATERAL ltv.profile_summary(n.profile) AS w,
                 LATERAL (SELECT CASE WHEN d.metric = 'unseen_rate' AND d.value > 0 THEN
                              (SELECT 'unseen: ' || string_agg(l.level, ', ' ORDER BY l.n DESC, l.level COLLATE "C") FROM (
                                  SELECT a.level, a.n FROM ltv.profile_levels(n.profile) AS a WHERE a.level NOT IN (SELECT o.level FROM ltv.profile_levels(p.profile) AS o) LIMIT 5) AS l)
                          WHEN d.metric = 'wasserstein' THEN format('mean %%s, was %%s', round(w.mean::numeric, 4), round(b.mean::numeric, 4)) END AS detail) AS c
            %4$s
            UNION ALL
            SELECT h.segment, NULL, NULL, NULL::double precision, NULL::double precision, NULL::boolean, NULL::bigint, g.n, h.suppression, NULL::double precision, NULL::double precision FROM hidden AS h JOIN gathered AS g USING (segment)) AS x
        WHERE x.metric IS NULL OR x.segment NOT IN (SELECT h.segment FROM hidden AS h)
        ORDER BY x.segment COLLATE "C", x.is_anomaly DESC NULLS LAST, x.input COLLATE "C", x.metric$q$,
        grouped, array_to_string(profiles, ', '), drift.source, outcome)
    USING fitted, roles, inputs, limits, n_events, split_part(drift.model, '@', 1), found_version, n_rows, CASE WHEN drift.by IS NULL THEN 0 ELSE coalesce(drift.min_rows, 0) END;
END
$$;
COMMENT ON FUNCTION ltv.drift(text, regclass, jsonb, text, integer) IS 'Holds the rows of source against the training profile of a registered model: a row per input and metric (see profile_distance), anomalies first. input is a feature, event_probability (the predictions from the start, within the horizon that train stored), of models of amounts expected_value, of models of purchases probability_alive, expected_purchases and expected_spend, or events or amounts, the outcomes. A value is an anomaly beyond its threshold, which is the one asked for or what chance alone exceeds once in a thousand times at these sizes, whichever is larger. thresholds: JSON of metric and number; by default psi 0.25, jensen_shannon 0.05, kolmogorov_smirnov 0.15, wasserstein 0.3, l_infinity 0.15, unseen_rate 0.01, null_rate 0.05, observed_expected 1.2. Thresholds are not below 0, observed_expected not below 1. by: a column; each of its values, by its segment_label ((null) among them), is a segment and is held against all training rows, but for the column itself, which is always the same there; without it the segment is all. min_rows: of a segment with fewer rows, or by whose figures and those of all rows such a one would be known (suppressed_groups), there is one row, with n_now and the reason in detail, and no figure. observed_expected: where source has the outcome under the names that train knew, what was observed over what was expected of the same rows, with an interval at 99 % (lower, upper; NULL for other metrics); an anomaly when the interval excludes 1 and the ratio, either way, is beyond its threshold. A row counts as often as the weight says that the version was trained with, as in evaluate, where source has its column (those of weight 0 or NULL are left out; detail says by weight, or that source has none); not the half-life. Features and predictions are of rows that count once each, as they were stored. Of durations (input events) it is the events over expected_events (Berry 1983), with the exact Poisson interval (Garwood 1936), of weighted rows that of Fay & Feuer (1997, weighted_poisson_interval); n_base and n_now are then events, or their weights. Of renewal decisions (events) it is the rows that were not renewed over the sum of their probabilities; a sum of decisions is less spread than a Poisson count of its mean (Hoeffding 1956; Anderson & Samuels 1967), so the exact interval of the rarer outcome holds and errs to the wide side; n_base is NULL with weights. Of amounts (input amounts) it is the sum of the target over that of expected_value, with a normal interval from the standard deviation of the residuals (times the weights), which needs many rows; n_base and n_now are rows, and value is NULL where the sum expected is not above 0. Of a model of one cause among several (fine_gray) it is not told, and value NULL: for how long a row would have been watched that ended by another cause nobody knows, and evaluate compares incidences. The base is stored with the version, so the training data are not needed. Errors: P0002, 42703, 22023 (thresholds; no profile; a weight that is negative, infinite or no number), 22004.';

CREATE FUNCTION ltv.retrain_due(
    model text, source regclass DEFAULT NULL, max_age interval DEFAULT '180 days', thresholds jsonb DEFAULT NULL, by text DEFAULT NULL, min_rows integer DEFAULT 30
) RETURNS TABLE (check_name text, is_due boolean, detail text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 4
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name constant text := split_part(retrain_due.model, '@', 1);
    found_version integer;
    trained timestamptz;
BEGIN
    IF retrain_due.model IS NULL OR retrain_due.max_age IS NULL THEN
        RAISE EXCEPTION 'retrain_due needs a model and max_age' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    found_version := ltv.model_version(retrain_due.model);
    SELECT v.trained_at INTO trained FROM ltv.model_versions v WHERE v.model = name AND v.version = found_version;
    RETURN QUERY SELECT 'age'::text, trained + retrain_due.max_age < now(),
        format('trained on %s, at most %s', to_char(trained, 'YYYY-MM-DD'), retrain_due.max_age);
    IF retrain_due.source IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        WITH found AS MATERIALIZED (SELECT * FROM ltv.drift(retrain_due.model, retrain_due.source, retrain_due.thresholds, retrain_due.by, retrain_due.min_rows)),
        told AS (
        SELECT c.at, c.name, coalesce(bool_or(d.is_anomaly), false) AS is_due,
               coalesce(string_agg(DISTINCT d.input || ' ' || d.metric || CASE WHEN retrain_due.by IS NULL THEN '' ELSE ' in ' || d.segment END, ', ') FILTER (WHERE d.is_anomaly), 'within its thresholds') AS detail
        FROM (VALUES (1, 'features'), (2, 'predictions'), (3, 'outcomes')) AS c (at, name)
        JOIN found AS d
          ON c.name = CASE WHEN d.metric = 'observed_expected' THEN 'outcomes'
                                 WHEN d.input IN ('event_probability', 'expected_value', 'probability_alive', 'expected_purchases', 'expected_spend') AND d.input <> ALL (ltv.model_features(ltv.model(retrain_due.model))) THEN 'predictions' ELSE 'features' END
        -- What cannot be told is not within its thresholds.
        WHERE d.metric <> 'observed_expected' OR d.metric IS NOT NULL AND d.n_now IS NOT NULL
        GROUP BY c.at, c.name
        UNION ALL
        SELECT 4, 'groups', NULL, 'not told of: ' || string_agg(format('%s (%s)', d.segment, d.detail), ', ' ORDER BY d.segment COLLATE "C") FROM found AS d WHERE d.metric IS NULL HAVING count(*) > 0)
        SELECT t.name, t.is_due, t.detail FROM told AS t ORDER BY t.at;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'features'::text, NULL::boolean, 'the source has no rows'::text;
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.retrain_due(text, regclass, interval, jsonb, text, integer) IS 'Should a registered model be trained anew? A row per check: age (older than max_age), and with a source what drift finds in the features, the predictions and, where the source has them, the outcomes; is_due is NULL for a source without rows. thresholds, by and min_rows as in drift; groups whose figures are not told are named in a row (check_name groups, is_due NULL): without by the check is of all rows. It only tells; train and promote are yours. Errors: as drift.';
