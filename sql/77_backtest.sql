-- How well would it have done? Models fitted to what was known on a day, judged by what came after it.

CREATE FUNCTION ltv.days_in(duration double precision, unit text DEFAULT 'month') RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    days double precision := CASE unit WHEN 'month' THEN 30.4375 WHEN 'day' THEN 1 WHEN 'week' THEN 7 WHEN 'year' THEN 365.25 END;
BEGIN
    IF days IS NULL AND unit IS NOT NULL THEN
        RAISE EXCEPTION 'unknown unit "%"', unit USING ERRCODE = 'invalid_parameter_value', HINT = 'The unit of the durations: month (of 30.4375 days), day, week or year (of 365.25 days).';
    ELSIF NOT (duration > 0 AND duration * days < 100000) THEN
        RAISE EXCEPTION 'the horizon must be greater than 0 and less than 100000 days, got %', duration USING ERRCODE = 'invalid_parameter_value', HINT = 'It is in the unit of the durations.';
    END IF;
    RETURN duration * days;
END
$$;
COMMENT ON FUNCTION ltv.days_in(double precision, text) IS 'How many days a duration, such as a horizon, has: a month is 30.4375 days, a week 7, a year 365.25; unit: month, day, week or year. NULL for a NULL. Errors 22023: another unit, a duration that is not greater than 0 or not less than 100000 days.';

CREATE FUNCTION ltv.cut_offs(first_cut_off date, last_cut_off date, step interval DEFAULT '3 months', embargo interval DEFAULT '0', back interval DEFAULT NULL)
    RETURNS TABLE (cut_off date, learnt_until date, learnt_from date)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 100 ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF num_nulls(first_cut_off, last_cut_off, step, embargo) > 0 THEN
        RAISE EXCEPTION 'the cut-offs, the step and the embargo must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'cut_offs(''2023-01-01'', ''2024-01-01'', ''3 months'').';
    ELSIF embargo < interval '0' OR embargo > interval '100 years' OR back < interval '1 day' OR back > interval '1000 years' THEN
        RAISE EXCEPTION 'the embargo must not be negative, and what is looked back at must be at least a day' USING ERRCODE = 'invalid_parameter_value', HINT = 'embargo => ''30 days''; a window or lookback as ''1 year'', or NULL.';
    ELSIF NOT (isfinite(first_cut_off) AND isfinite(last_cut_off)) OR last_cut_off < first_cut_off OR step < interval '1 day' OR first_cut_off + 300 * least(step, interval '100 years') < last_cut_off THEN
        RAISE EXCEPTION 'the cut-offs from % to % by % are none, or more than 300', first_cut_off, last_cut_off, step
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Finite days, a later last_cut_off, or a step that is longer, at least a day.';
    END IF;
    -- From the first on each time, so that ends of months stay such.
    RETURN QUERY
    SELECT c.day, (c.day - embargo)::date, (c.day - embargo - back)::date
    FROM (SELECT (first_cut_off + n * least(step, interval '100 years'))::date AS day FROM generate_series(0, 300) AS n) c WHERE c.day <= last_cut_off ORDER BY c.day;
END
$$;
COMMENT ON FUNCTION ltv.cut_offs(date, date, interval, interval, interval) IS 'The days of a backtest: cut-offs from the first to the last, each a number of steps after the first, at most 300; learnt_until: embargo before the cut-off, whose knowledge there is to learn from; learnt_from: back before that, NULL for all the past. Errors 22023, 22004.';

CREATE FUNCTION ltv.single_query(query text) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE STRICT COST 100 AS 'MODULE_PATHNAME', 'single_query';
COMMENT ON FUNCTION ltv.single_query(text) IS 'The one SELECT of a text, so that it may stand in parentheses within another query: without the semicolon that ends it, and where it has a comment to the end of a line, with that end. Read by the grammar of PostgreSQL, under the session''s settings of strings; nothing is looked up or run. NULL for a NULL. Errors 22023: a text with no statement, with several, with one that is no SELECT (VALUES, TABLE), or that cannot be read.';

CREATE FUNCTION ltv.compare_algorithms(
    training text, testing text, horizon double precision, algorithms text[] DEFAULT '{cox}', features text[] DEFAULT '{}', options jsonb DEFAULT '{}', min_events integer DEFAULT 20,
    censoring text DEFAULT 'marginal', null_policy text DEFAULT 'drop'
) RETURNS TABLE (
    algorithm text, n_train bigint, n_events bigint, n_test bigint, n_test_events bigint, metric text, value double precision, baseline text, baseline_value double precision, skill double precision, status text, nulls text
)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 1000000 ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    named text;
    category text;
    kind text;
    levels text[];
    -- The columns of numbers that a fit sees: as they are, and with what stands in for NULLs.
    bare record;
    filled record;
    own record;
    called text;
    typed text;
    filling text;
    lacking boolean;
    unfilled text;
    unseen text := 'false';
    complete text := 'true';
    policy text;
    wants_bare boolean;
    wants_filled boolean;
    bare_design ltv.design;
    filled_design ltv.design;
    own_options jsonb;
    weighing text[];
    names text[];
    curve ltv.survival;
    until double precision;
    left_then double precision;
    fitted ltv.model;
    rows_in bigint;
    events_in bigint;
    rows_out bigint;
    events_out bigint;
    unscored bigint;
    told ltv.survival_calibration;
    naive ltv.survival_calibration;
    told_parts ltv.survival_calibration[];
    naive_parts ltv.survival_calibration[];
    known ltv.calibration;
    known_naive ltv.calibration;
    losing ltv.model;
    groups integer := 1;
    call text;
    why text;
    standardizes boolean;
    units double precision[];
    own_design ltv.design;
    own_columns text[];
BEGIN
    algorithms := CASE WHEN algorithms IS NOT NULL THEN ARRAY(SELECT unnest(algorithms)) END;
    features := ARRAY(SELECT unnest(features));
    IF num_nulls(training, testing, compare_algorithms.horizon, algorithms, options) > 0 OR array_position(algorithms, NULL) IS NOT NULL OR array_position(features, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'the queries, the horizon, the algorithms and the options must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'algorithms => ARRAY[''cox'', ''weibull''].';
    END IF;
    IF NOT (horizon > 0 AND horizon < 'Infinity') THEN
        RAISE EXCEPTION 'the horizon must be finite and greater than 0, got %', horizon USING ERRCODE = 'invalid_parameter_value', HINT = 'It is in the unit of the durations.';
    END IF;
    IF censoring IS NULL OR censoring NOT IN ('marginal', 'grouped') THEN
        RAISE EXCEPTION 'unknown censoring "%"', censoring USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: marginal, grouped.';
    END IF;
    IF null_policy IS NULL OR null_policy NOT IN ('drop', 'impute', 'indicator', 'learn') THEN
        RAISE EXCEPTION 'unknown null_policy "%"', null_policy USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: drop, impute, indicator, learn.';
    END IF;
    IF jsonb_typeof(options) <> 'object' OR EXISTS (SELECT FROM jsonb_each(options) o WHERE jsonb_typeof(o.value) <> 'object' OR o.key <> ALL (algorithms)) THEN
        RAISE EXCEPTION 'options are an object with an object for each of the algorithms' USING ERRCODE = 'invalid_parameter_value', HINT = '{"cox": {"penalty": 0.1}}';
    END IF;
    -- Said of the query, not of ours that it becomes a part of.
    BEGIN
        named := 'training';
        training := ltv.single_query(training);
        EXECUTE format('SELECT t.entry::float8, t.duration::float8, t.event AND true FROM (%s) t LIMIT 0', training);
        named := 'testing';
        testing := ltv.single_query(testing);
        EXECUTE format('SELECT t.given::float8, t.duration::float8, t.event AND true FROM (%s) t LIMIT 0', testing);
        FOREACH named IN ARRAY coalesce(features, '{}') LOOP
            EXECUTE format('SELECT t.%I FROM (%s) t LIMIT 0', named, training);
            EXECUTE format('SELECT t.%I FROM (%s) t LIMIT 0', named, testing);
        END LOOP;
    EXCEPTION
        WHEN insufficient_privilege THEN
            RAISE;
        WHEN syntax_error_or_access_rule_violation OR invalid_parameter_value THEN
            RAISE EXCEPTION 'the query cannot be read (%): %', named, SQLERRM
                USING ERRCODE = 'invalid_parameter_value', HINT = 'A SELECT with duration, event (boolean), the features, and entry (training) or given (testing); tables with their schemas.';
    END;
    SELECT '{}'::text[] AS features, '{}'::integer[] AS levels, '{}'::text[] AS columns, '{}'::text[] AS labels INTO bare;
    filled := bare;
    wants_bare := null_policy = 'drop' OR null_policy = 'learn' AND EXISTS (SELECT FROM unnest(algorithms) a WHERE a ^@ 'boosted_');
    wants_filled := null_policy IN ('impute', 'indicator') OR null_policy = 'learn' AND (NOT wants_bare OR censoring = 'grouped' OR EXISTS (SELECT FROM unnest(algorithms) a WHERE NOT a ^@ 'boosted_'));
    FOREACH named IN ARRAY coalesce(features, '{}') LOOP
        levels := NULL;
        filling := NULL;
        EXECUTE format('SELECT pg_typeof(t.%I)::text, (SELECT y.typcategory FROM pg_type y WHERE y.oid = pg_typeof(t.%I)::oid) FROM (%s) t LIMIT 1', named, named, training) INTO kind, category;
        IF kind IS NULL THEN
            bare.features := bare.features || named;
            bare.levels := bare.levels || 1;
            filled.features := filled.features || named;
            filled.levels := filled.levels || 1;
            CONTINUE;
        ELSIF category NOT IN ('B', 'N', 'S', 'E') THEN
            RAISE EXCEPTION 'column "%" of type % cannot be a feature', named, kind USING ERRCODE = 'invalid_parameter_value', HINT = 'Features are numbers, booleans or text.';
        END IF;
        typed := format(CASE category WHEN 'B' THEN 't.%I::int4::float8' WHEN 'N' THEN 't.%I::float8' ELSE 't.%I::text COLLATE "C"' END, named);
        IF category IN ('S', 'E') THEN
            EXECUTE format('SELECT array_agg(DISTINCT %s) FROM (%s) t WHERE t.%I IS NOT NULL', typed, training, named) INTO levels;
            IF cardinality(levels) > 200 THEN
                RAISE EXCEPTION 'column "%" has % levels', named, cardinality(levels) USING ERRCODE = 'invalid_parameter_value', HINT = 'It looks like an identifier; group rare levels, or leave it out.';
            END IF;
            unseen := unseen || format(' OR t.%I IS NOT NULL AND %s <> ALL (%L::text[])', named, typed, coalesce(levels, '{}'));
        END IF;
        IF wants_filled THEN
            -- What train would take: the median of the rows to train on, or the most frequent; nothing of those to judge by.
            EXECUTE format('SELECT %s, coalesce(bool_or(t.%I IS NULL), false) FROM (%s) t WHERE t.duration IS NOT NULL AND t.event IS NOT NULL',
                           CASE category WHEN 'N' THEN format('percentile_cont(0.5) WITHIN GROUP (ORDER BY %s)::text', typed) ELSE format('mode() WITHIN GROUP (ORDER BY %s)::text', typed) END, named, training)
            INTO filling, lacking;
            IF filling IS NULL THEN
                unfilled := coalesce(unfilled, format('column "%s" has no value to fill its NULLs with', named));
            END IF;
        END IF;
        bare.features := bare.features || named;
        filled.features := filled.features || named;
        IF category IN ('S', 'E') THEN
            -- Only NULLs: no column. A level that training has not seen has no number, and its row no score.
            bare.levels := bare.levels || CASE WHEN levels IS NULL THEN 1 ELSE greatest(cardinality(levels), 2) END;
            called := CASE WHEN filling IS NULL THEN typed ELSE format('coalesce(%s, %L)', typed, filling) END;
            bare.columns := bare.columns || ARRAY(
                SELECT format('CASE WHEN %1$s = ANY (%2$L::text[]) THEN (%1$s = %3$L)::int4::float8 END', typed, levels, l.level)
                FROM unnest(levels) WITH ORDINALITY AS l (level, place) WHERE l.place > 1 OR cardinality(levels) = 1 ORDER BY l.place);
            filled.columns := filled.columns || ARRAY(
                SELECT format('CASE WHEN %1$s = ANY (%2$L::text[]) THEN (%1$s = %3$L)::int4::float8 END', called, levels, l.level)
                FROM unnest(levels) WITH ORDINALITY AS l (level, place) WHERE l.place > 1 OR cardinality(levels) = 1 ORDER BY l.place);
            bare.labels := bare.labels || ARRAY(SELECT named || '=' || l.level FROM unnest(levels) WITH ORDINALITY AS l (level, place) WHERE l.place > 1 OR cardinality(levels) = 1 ORDER BY l.place);
            filled.labels := filled.labels || ARRAY(SELECT named || '=' || l.level FROM unnest(levels) WITH ORDINALITY AS l (level, place) WHERE l.place > 1 OR cardinality(levels) = 1 ORDER BY l.place);
            filled.levels := filled.levels || CASE WHEN levels IS NULL THEN 1 ELSE greatest(cardinality(levels), 2) END;
        ELSE
            bare.columns := bare.columns || typed;
            bare.labels := bare.labels || named;
            bare.levels := bare.levels || NULL::integer;
            filled.columns := filled.columns || CASE WHEN filling IS NULL THEN typed ELSE format('coalesce(%s, %L::float8)', typed, filling) END;
            filled.labels := filled.labels || named;
            filled.levels := filled.levels || NULL::integer;
        END IF;
        IF null_policy = 'indicator' AND lacking THEN
            filled.features := filled.features || (named || ' is null');
            filled.columns := filled.columns || format('(t.%I IS NULL)::int4::float8', named);
            filled.labels := filled.labels || (named || ' is null');
            filled.levels := filled.levels || NULL::integer;
        END IF;
    END LOOP;
    IF null_policy = 'drop' THEN
        complete := format('array_position(ARRAY[%s]::float8[], NULL) IS NULL', array_to_string(bare.columns, ', '));
    END IF;
    EXECUTE format($q$
        WITH t AS MATERIALIZED (SELECT * FROM (%s) t WHERE t.duration > coalesce(t.entry, 0) AND t.event IS NOT NULL AND %s)
        SELECT count(*), count(*) FILTER (WHERE t.event), %s, %s, ltv.survival_agg(coalesce(t.entry, 0)::float8, t.duration::float8, t.event), max(t.duration)::float8 FROM t
        $q$, training, complete,
        CASE WHEN NOT wants_bare THEN 'NULL::ltv.design' WHEN null_policy = 'learn' THEN format('ltv.incomplete_design_agg(coalesce(t.entry, 0)::float8, t.duration::float8, t.event, ARRAY[%s]::float8[], 1)', array_to_string(bare.columns, ', '))
             ELSE format('ltv.design_agg(coalesce(t.entry, 0)::float8, t.duration::float8, t.event, ARRAY[%s]::float8[])', array_to_string(bare.columns, ', ')) END,
        CASE WHEN wants_filled AND unfilled IS NULL THEN format('ltv.design_agg(coalesce(t.entry, 0)::float8, t.duration::float8, t.event, ARRAY[%s]::float8[])', array_to_string(filled.columns, ', ')) ELSE 'NULL::ltv.design' END)
    INTO rows_in, events_in, bare_design, filled_design, curve, until;
    left_then := ltv.survival_at(curve, until);
    -- Who is lost sight of early, by the features: one Cox regression for all algorithms, so that all are weighed alike.
    weighing := CASE WHEN null_policy = 'drop' THEN bare.columns ELSE filled.columns END;
    IF censoring = 'grouped' AND cardinality(weighing) > 0 AND unfilled IS NULL THEN
        BEGIN
            EXECUTE format($q$
                SELECT ltv.fit_cox(ltv.design_agg(0::float8, t.duration::float8, NOT t.event AND t.duration <= $1, %1$s), names => $2), least(10, count(*) FILTER (WHERE t.event AND t.duration <= $1) / 20)
                FROM (%2$s) t WHERE t.duration > 0 AND t.event IS NOT NULL AND array_position(%1$s, NULL) IS NULL $q$, format('ARRAY[%s]::float8[]', array_to_string(weighing, ', ')), testing)
            INTO losing, groups USING horizon, ARRAY(SELECT 'x' || i FROM generate_series(1, cardinality(weighing)) AS i);
        EXCEPTION
            WHEN invalid_parameter_value OR numeric_value_out_of_range THEN
                losing := NULL;
        END;
        groups := CASE WHEN losing IS NULL THEN 1 ELSE greatest(groups, 1) END;
    END IF;
    FOREACH named IN ARRAY algorithms LOOP
        fitted := NULL;
        told := NULL;
        naive := NULL;
        known := NULL;
        known_naive := NULL;
        rows_out := 0;
        events_out := 0;
        -- Trees learn of NULLs; what cannot has them filled.
        policy := CASE WHEN null_policy = 'learn' AND NOT named ^@ 'boosted_' THEN 'impute' ELSE null_policy END;
        IF policy IN ('drop', 'learn') THEN
            own := bare;
            own_design := bare_design;
        ELSE
            own := filled;
            own_design := filled_design;
        END IF;
        own_columns := own.columns;
        names := ARRAY(SELECT 'x' || i FROM generate_series(1, cardinality(own.columns)) AS i);
        why := CASE WHEN rows_in = 0 THEN 'nothing to train on' WHEN events_in < coalesce(min_events, 0) THEN format('%s events to train on, fewer than %s', events_in, min_events)
                    WHEN policy IN ('impute', 'indicator') THEN unfilled END;
        -- What depends on a feature depends on the indicator of its NULLs too.
        own_options := coalesce(options -> named, '{}');
        IF policy = 'indicator' AND jsonb_typeof(own_options -> 'ancillary') = 'array' THEN
            own_options := jsonb_set(own_options, '{ancillary}', (own_options -> 'ancillary') || coalesce((
                SELECT jsonb_agg(f.name ORDER BY f.place) FROM unnest(filled.features) WITH ORDINALITY AS f (name, place)
                WHERE f.name <> ALL (features) AND own_options -> 'ancillary' ? left(f.name, -length(' is null'))), '[]'));
        END IF;
        -- What train would fit.
        SELECT f.statement, f.standardizes INTO call, standardizes FROM ltv.fit_statement(named, own_options, own.features, own.levels) f;
        IF why IS NULL THEN
            IF standardizes THEN
                -- Divided by the standard deviations of the training rows, to be fitted and to be judged.
                EXECUTE format('SELECT ARRAY[%s]::float8[] FROM (SELECT * FROM (%s) t WHERE t.duration > coalesce(t.entry, 0) AND t.event IS NOT NULL AND %s) t',
                               (SELECT string_agg(format('stddev_pop(%s)', c), ', ' ORDER BY place) FROM unnest(own.columns) WITH ORDINALITY AS u (c, place)), training, complete) INTO units;
                own_columns := ARRAY(SELECT format('(%s / %L::float8)', c, CASE WHEN units[place] > 0 AND units[place] < 'Infinity' THEN units[place] ELSE 1 END) FROM unnest(own.columns) WITH ORDINALITY AS u (c, place) ORDER BY place);
                EXECUTE format('SELECT ltv.design_agg(coalesce(t.entry, 0)::float8, t.duration::float8, t.event, ARRAY[%s]::float8[]) FROM (%s) t WHERE t.duration > coalesce(t.entry, 0) AND t.event IS NOT NULL AND %s',
                               array_to_string(own_columns, ', '), training, complete) INTO own_design;
            END IF;
            BEGIN
                EXECUTE 'SELECT ' || call INTO fitted USING own_design, curve;
                -- That it stopped early is how boosting ends, not what is wrong with it.
                why := nullif(regexp_replace(ltv.model_status(fitted), '^stopped early at \d+ trees?$', 'ok'), 'ok');
            EXCEPTION
                WHEN invalid_parameter_value OR numeric_value_out_of_range THEN
                    why := SQLERRM;
            END;
            FOR place IN REVERSE cardinality(names)..1 LOOP
                why := regexp_replace(why, '\m' || names[place] || '\M', replace(own.labels[place], '\', '\\'), 'g');
            END LOOP;
        END IF;
        IF fitted IS NOT NULL THEN
            EXECUTE format($q$
                SELECT coalesce(sum(g.n), 0)::bigint, coalesce(sum(g.n_events), 0)::bigint, coalesce(sum(g.n_unscored), 0)::bigint, ltv.rollup(g.told), ltv.rollup(g.naive),
                       array_agg(g.told ORDER BY g.likeness) FILTER (WHERE g.told IS NOT NULL), array_agg(g.naive ORDER BY g.likeness) FILTER (WHERE g.told IS NOT NULL)
                FROM (
                SELECT q.likeness, count(*) FILTER (WHERE q.both) AS n, count(*) FILTER (WHERE q.both AND q.event AND q.duration <= $3) AS n_events, count(*) FILTER (WHERE NOT q.both) AS n_unscored,
                       ltv.survival_calibration_agg(q.said, q.duration, q.event) FILTER (WHERE q.both) AS told, ltv.survival_calibration_agg(q.plain, q.duration, q.event) FILTER (WHERE q.both) AS naive
                FROM (SELECT r.*, %s AS likeness
                FROM (SELECT p.*, p.said IS NOT NULL AND p.plain IS NOT NULL AS both
                      FROM (SELECT t.duration::float8 AS duration, t.event, %s AS said,
                                   -- Beyond the training the curve goes on with its average hazard.
                                   least(1, CASE WHEN t.given + $3 <= $4 THEN ltv.survival_at($2, t.given::float8 + $3) ELSE power($5, (t.given::float8 + $3) / $4) END
                                            / nullif(CASE WHEN t.given <= $4 THEN ltv.survival_at($2, t.given::float8) ELSE power($5, t.given::float8 / $4) END, 0)) AS plain,
                                   %s AS stays
                            FROM (%s) t %s OFFSET 0) p) r) q GROUP BY q.likeness) g
                $q$, CASE WHEN groups = 1 THEN '0' ELSE 'least(floor(percent_rank() OVER (PARTITION BY r.both ORDER BY r.stays) * $6), $6 - 1)' END,
                -- A level that nobody has seen is no NULL of which trees have learnt.
                format(CASE policy WHEN 'learn' THEN 'CASE WHEN NOT (' || replace(unseen, '%', '%%') || ') THEN %s END' ELSE '%s' END,
                       format('ltv.renewal_probability($1, %s, $3, t.given::float8)', CASE WHEN cardinality(own.columns) = 0 THEN 'ROW()' ELSE 'x.r' END)),
                CASE WHEN groups = 1 THEN 'NULL::float8' ELSE 'ltv.renewal_probability($7, x.w, $3)' END, testing,
                -- Two rows: that of the model, maybe in units of its own, and that of who is lost sight of.
                CASE WHEN cardinality(own.columns) = 0 THEN ''
                     ELSE format('CROSS JOIN LATERAL (SELECT r, w FROM (SELECT %s) AS r, (SELECT %s) AS w) x',
                                 (SELECT string_agg(format('%s AS %I', c.expression, names[c.place]), ', ' ORDER BY c.place) FROM unnest(own_columns) WITH ORDINALITY AS c (expression, place)),
                                 CASE WHEN groups = 1 THEN 'NULL' ELSE (SELECT string_agg(format('%s AS %I', c.expression, 'x' || c.place), ', ' ORDER BY c.place) FROM unnest(weighing) WITH ORDINALITY AS c (expression, place)) END) END)
            INTO rows_out, events_out, unscored, told, naive, told_parts, naive_parts USING fitted, curve, horizon, until, left_then, groups, losing;
            -- A group of which nobody is seen beyond the horizon says nothing of itself: then all rows are one.
            IF EXISTS (SELECT FROM unnest(told_parts) AS f (s) WHERE ltv.calibration_at(f.s, horizon) IS NULL) THEN
                known := ltv.calibration_at(told, horizon);
                known_naive := ltv.calibration_at(naive, horizon);
            ELSE
                SELECT ltv.rollup(ltv.calibration_at(f.said, horizon)), ltv.rollup(ltv.calibration_at(f.plain, horizon)) INTO known, known_naive FROM unnest(told_parts, naive_parts) AS f (said, plain);
            END IF;
            IF rows_out = 0 THEN
                why := coalesce(why, 'nobody to judge it by');
            ELSIF known IS NULL THEN
                why := coalesce(why, 'nobody was observed until the horizon');
            ELSIF unscored > 0 THEN
                why := coalesce(why, format('%s rows could not be scored', unscored));
            END IF;
        END IF;
        RETURN QUERY
        SELECT named, rows_in, events_in, rows_out, events_out, m.metric, m.ours, 'Kaplan-Meier of all rows', m.theirs, CASE WHEN m.is_loss AND m.theirs > 0 THEN 1 - m.ours / m.theirs END, coalesce(why, 'ok'), policy
        FROM (SELECT 1 AS place, 'brier' AS metric, true AS is_loss, ltv.brier(known) AS ours, ltv.brier(known_naive) AS theirs
              UNION ALL SELECT 2, 'log_loss', true, ltv.log_loss(known), ltv.log_loss(known_naive)
              UNION ALL SELECT 3, 'concordance', false, (ltv.concordance(told, until => horizon)).concordance, (ltv.concordance(naive, until => horizon)).concordance
              UNION ALL SELECT 4, 'observed_to_expected', false, e.ours, e.theirs
              FROM (SELECT (SELECT sum(c.n * c.observed) / nullif(sum(c.n * c.mean_predicted), 0) FROM ltv.calibration_curve(known, 1) c) AS ours,
                           (SELECT sum(c.n * c.observed) / nullif(sum(c.n * c.mean_predicted), 0) FROM ltv.calibration_curve(known_naive, 1) c) AS theirs) e
              UNION ALL SELECT 5, 'ici', true, (ltv.integrated_calibration_index(told, horizon)).ici, (ltv.integrated_calibration_index(naive, horizon)).ici) m
        ORDER BY m.place;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.compare_algorithms(text, text, double precision, text[], text[], jsonb, integer, text, text) IS 'Fits each algorithm to the rows of one query and judges it by those of another, side by side with the Kaplan-Meier curve of all training rows (baseline, baseline_value), which knows no features and goes on beyond its rows with their average hazard. Registers nothing. training: the text of a query with entry, duration, event and the features; testing: with given (the age from which it is predicted), duration (from there on), event and the features. Each is one SELECT, with a semicolon at its end or without (single_query). Names in them need their schemas: they run under search_path = pg_catalog. null_policy: what becomes of NULLs in features: drop leaves such rows of training out, and rows of testing have no score; impute fills them by the median of the rows of training, or the most frequent value, as train does; indicator tells beside that they were NULL; learn lets trees learn of them, and what cannot has them filled; nulls says what was done for each algorithm. Rows of training without a duration or event are left out; rows of testing that have no score from both are not judged and counted in status. Features: numbers, booleans, text (its levels are those of training). algorithms: those of train that tell of durations: cox, boosted_hazard, discrete_time, the distributions of fit_parametric, best, and without features sbg, bdw and a rule of one rate; options: {"boosted_hazard": {"depth": 3, "monotone": {"price": 1}}}, the options of train for each, and fitted as train fits them (fit_statement). Metrics at the horizon, weighted for censoring: brier, log_loss, concordance (pairs whose first event is by then), observed_to_expected (events), ici; censoring: whose probability not to be censored weighs a row of brier, log_loss and observed_to_expected: marginal, that of all rows of testing (Graf et al. 1999), or grouped, that of the rows which a Cox regression of the censoring on the features makes as likely to be lost sight of (Gerds & Schumacher 2006, by strata of the score: up to ten of twenty events on average, one where of one of them nobody is seen beyond the horizon or the regression fails); all algorithms and the baseline are weighed alike. log_loss is NULL where something happened that was said to be impossible, as steps may say of high ages; skill = 1 - value / baseline_value of losses. A fit that fails has NULLs and says why in status. Errors 22023, 22004.';

CREATE FUNCTION ltv.backtest(
    source regclass, started text, duration text, event text, horizon double precision, first_cut_off date, last_cut_off date DEFAULT NULL, step interval DEFAULT '3 months',
    algorithms text[] DEFAULT '{cox}', features text[] DEFAULT '{}', unit text DEFAULT 'month', embargo interval DEFAULT '0', "window" interval DEFAULT NULL,
    options jsonb DEFAULT '{}', min_events integer DEFAULT 20, censoring text DEFAULT 'marginal', null_policy text DEFAULT 'drop'
) RETURNS TABLE (
    cut_off date, algorithm text, n_train bigint, n_events bigint, n_test bigint, n_test_events bigint, metric text, value double precision, baseline text, baseline_value double precision, skill double precision, status text, nulls text
)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 1000000 ROWS 50
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    days double precision := ltv.days_in(1, unit);
    beyond integer := ceil(ltv.days_in(horizon, unit))::integer;
    missing text;
    shown text;
    category text;
    learnt date;
    opened date;
    here date;
    known date;
    selected text;
BEGIN
    features := ARRAY(SELECT unnest(features));
    IF num_nulls(source, started, duration, event, backtest.horizon, first_cut_off, step, unit, embargo) > 0 THEN
        RAISE EXCEPTION 'the source, its columns, the horizon, the first cut-off, the step, the unit and the embargo must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'backtest(''accounts'', ''started_on'', ''months'', ''churned'', 12, first_cut_off => ''2023-01-01'').';
    END IF;
    SELECT format('%I.%I', s.nspname, c.relname) INTO shown FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE c.oid = source AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
    IF shown IS NULL THEN
        RAISE EXCEPTION 'the source does not exist' USING ERRCODE = 'invalid_parameter_value', HINT = 'The name of a table or view.';
    END IF;
    SELECT string_agg(quote_ident(w.name), ', ') INTO missing FROM unnest(ARRAY[started, duration, event] || coalesce(features, '{}')) AS w (name)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = source AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% has no column %', shown, missing USING ERRCODE = 'undefined_column', HINT = 'Columns by their names, without quotes.';
    END IF;
    SELECT y.typcategory INTO category FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid WHERE a.attrelid = source AND a.attname = started;
    IF category <> 'D' THEN
        RAISE EXCEPTION 'column "%" is no date', started USING ERRCODE = 'invalid_parameter_value', HINT = 'started: the column with the day on which each row began.';
    END IF;
    -- A feature that tells the outcome is none.
    IF features && ARRAY[duration, event] THEN
        RAISE EXCEPTION 'the duration and the event cannot be features: they are what is to be told' USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave them out. The age is used without being named.';
    END IF;
    EXECUTE format('SELECT max(s.%I::date + floor(s.%I::float8 * $1 + 0.000001)::int) FROM %s s WHERE isfinite(s.%I::date) AND s.%I::float8 BETWEEN 0 AND 40000', started, duration, shown, started, duration) INTO known USING days;
    IF last_cut_off IS NULL THEN
        last_cut_off := known - beyond;
        IF last_cut_off IS NULL OR last_cut_off < first_cut_off THEN
            RAISE EXCEPTION 'no cut-off from % on has its horizon over: the rows end on %', first_cut_off, coalesce(known::text, 'no day')
                USING ERRCODE = 'invalid_parameter_value', HINT = 'An earlier first_cut_off or a shorter horizon.';
        END IF;
    END IF;
    selected := coalesce((SELECT string_agg(format(', s.%I', f.name), '' ORDER BY f.place) FROM unnest(features) WITH ORDINALITY AS f (name, place) WHERE f.name NOT IN ('entry', 'given')), '');
    IF features && ARRAY['entry', 'given'] OR features && ARRAY['duration', 'event'] THEN
        RAISE EXCEPTION 'a feature cannot be called entry, given, duration or event here' USING ERRCODE = 'invalid_parameter_value', HINT = 'Rename the column in a view.';
    END IF;
    FOR here, learnt, opened IN SELECT c.cut_off, c.learnt_until, c.learnt_from FROM ltv.cut_offs(first_cut_off, last_cut_off, step, embargo, "window") c LOOP
        RETURN QUERY
        SELECT here, c.algorithm, c.n_train, c.n_events, c.n_test, c.n_test_events, c.metric, c.value, c.baseline, c.baseline_value, c.skill,
               CASE WHEN c.status = 'ok' AND here + beyond > known THEN 'the horizon is not over' ELSE c.status END, c.nulls
        FROM ltv.compare_algorithms(
            -- What was known on the day: rows begun by then, their time cut there, an end only if it had come.
            format('SELECT greatest(0, %1$s) AS entry, least(s.%3$I::float8, %2$s) AS duration, s.%4$I::int4 = 1 AND s.%3$I::float8 <= %2$s AS event%5$s FROM %6$s s WHERE s.%7$I::date <= %8$L::date AND s.%3$I::float8 > %1$s',
                   CASE WHEN opened IS NULL THEN '0::float8' ELSE format('((%L::date - s.%I::date) / %L::float8)', opened, started, days) END,
                   format('((%L::date - s.%I::date) / %L::float8)', learnt, started, days), duration, event, selected, shown, started, learnt),
            -- Who was there on the cut-off, from there until the horizon; who is seen beyond it counts as such.
            format('SELECT %1$s AS given, CASE WHEN s.%2$I::float8 - %1$s > %3$L::float8 THEN 2 * %3$L::float8 ELSE s.%2$I::float8 - %1$s END AS duration, s.%4$I::int4 = 1 AND s.%2$I::float8 - %1$s <= %3$L::float8 AS event%5$s '
                   'FROM %6$s s WHERE s.%7$I::date <= %8$L::date AND s.%2$I::float8 > %1$s AND s.%4$I IS NOT NULL',
                   format('((%L::date - s.%I::date) / %L::float8)', here, started, days), duration, horizon, event, selected, shown, started, here),
            horizon, algorithms, features, options, min_events, censoring, null_policy) c;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.backtest(regclass, text, text, text, double precision, date, date, interval, text[], text[], text, interval, interval, jsonb, integer, text, text) IS 'Rolls over cut-offs: fits each algorithm to what was known on the day, embargo before it, and judges it by who was there on the cut-off and left within the horizon after it, given the age (compare_algorithms). source: a relation with a row per customer or contract: started (the column of the day it began), duration (in months of 30.4375 days, or by unit days, weeks or years) and event (boolean, or 1 and 0). No row sees past its cut-off: rows begun later are not there, times are cut on the day, ends after it have not happened; window keeps only what happened in so much time before (rows begun earlier enter late), NULL all of it. Features are taken as they stand in the row: they must be known from the start; for those that change give a function of the day: the other backtest. last_cut_off: by default the last whose horizon is over. censoring: as in compare_algorithms; it matters where rows are lost sight of before a horizon that is over. null_policy: as there; what fills NULLs comes from the rows that are trained on at each cut-off. Later rows and outcomes leave the numbers of a cut-off whose horizon is over as they are. Registers nothing. Errors 22023, 22004, 42703.';

CREATE FUNCTION ltv.backtest(
    source regprocedure, key text, horizon double precision, first_cut_off date, last_cut_off date, step interval DEFAULT '3 months',
    algorithms text[] DEFAULT '{cox}', features text[] DEFAULT '{}', unit text DEFAULT 'month', embargo interval DEFAULT '0', lookback interval DEFAULT NULL,
    options jsonb DEFAULT '{}', min_events integer DEFAULT 20, censoring text DEFAULT 'marginal', null_policy text DEFAULT 'drop'
) RETURNS TABLE (
    cut_off date, algorithm text, n_train bigint, n_events bigint, n_test bigint, n_test_events bigint, metric text, value double precision, baseline text, baseline_value double precision, skill double precision, status text, nulls text
)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 1000000 ROWS 50
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    days double precision := ltv.days_in(1, unit);
    beyond integer := ceil(ltv.days_in(horizon, unit))::integer;
    shown text;
    here date;
    learnt date;
    opened date;
    selected text;
    entered text;
BEGIN
    features := ARRAY(SELECT unnest(features));
    IF num_nulls(source, key, backtest.horizon, first_cut_off, last_cut_off, step, unit, embargo) > 0 THEN
        RAISE EXCEPTION 'the function, its key, the horizon, the cut-offs, the step, the unit and the embargo must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'backtest(''features_at(date)''::regprocedure, ''account'', 12, ''2023-01-01'', ''2024-01-01'').';
    END IF;
    SELECT format('%I.%I', s.nspname, f.proname), CASE WHEN 'entry' = ANY (f.proargnames) THEN 'b.entry' ELSE '0::float8' END INTO shown, entered
    FROM pg_proc f JOIN pg_namespace s ON s.oid = f.pronamespace
    WHERE f.oid = source AND f.proretset AND f.pronargs - f.pronargdefaults <= 1 AND f.proargtypes[0] = 'date'::regtype;
    IF shown IS NULL THEN
        RAISE EXCEPTION '% is no function of one date that gives rows', source::text
            USING ERRCODE = 'invalid_parameter_value', HINT = 'CREATE FUNCTION features_at(as_of date) RETURNS TABLE (account text, duration float8, event boolean, ...) ... STABLE: what was known on that day.';
    END IF;
    IF features && ARRAY['entry', 'given', 'duration', 'event', key] THEN
        RAISE EXCEPTION 'the key, the duration, the event, entry and given cannot be features' USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave them out. The age is used without being named.';
    END IF;
    selected := coalesce((SELECT string_agg(format(', b.%I', f.name), '' ORDER BY f.place) FROM unnest(features) WITH ORDINALITY AS f (name, place)), '');
    FOR here, learnt, opened IN SELECT c.cut_off, c.learnt_until, c.learnt_from FROM ltv.cut_offs(first_cut_off, last_cut_off, step, embargo, lookback) c LOOP
        RETURN QUERY
        SELECT here, c.* FROM ltv.compare_algorithms(
            CASE WHEN lookback IS NULL
                THEN format('SELECT %s AS entry, b.duration::float8 AS duration, b.event::int4 = 1 AS event%s FROM %s(%L::date) b', entered, selected, shown, learnt)
                -- Who was there then, with the features of then, observed from then on.
                ELSE format('SELECT b.duration::float8 AS entry, a.duration::float8 AS duration, a.event::int4 = 1 AS event%1$s FROM %2$s(%3$L::date) b JOIN %2$s(%4$L::date) a ON a.%5$I = b.%5$I WHERE b.event::int4 = 0',
                            selected, shown, opened, learnt, key)
            END,
            -- Who was there on the cut-off, and what was known of him when the horizon was over. An end before the cut-off that
            -- was not known then is an event at once.
            format('SELECT b.duration::float8 AS given, CASE WHEN a.duration::float8 - b.duration::float8 > %1$L::float8 THEN 2 * %1$L::float8 ELSE greatest(a.duration::float8 - b.duration::float8, 0) END AS duration, '
                   'a.event::int4 = 1 AND a.duration::float8 - b.duration::float8 <= %1$L::float8 AS event%2$s FROM %3$s(%4$L::date) b JOIN %3$s(%5$L::date) a ON a.%6$I = b.%6$I WHERE b.event::int4 = 0 AND b.duration IS NOT NULL AND a.duration IS NOT NULL AND a.event IS NOT NULL',
                   horizon, selected, shown, here, here + beyond + 1, key),
            horizon, algorithms, features, options, min_events, censoring, null_policy) c;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.backtest(regprocedure, text, double precision, date, date, interval, text[], text[], text, interval, interval, jsonb, integer, text, text) IS 'The same where features change: source is a function of one date that gives, for each customer (key, which must be unique), duration, event, perhaps entry, and the features, all as known on that day: as lifetimes(timeline, as_of) joined with contract_features(timeline, as_of). At each cut-off it is called: embargo before it, for the rows to train on; on it, for who is there and what his features are; and a day after the end of the horizon, for what became of him. lookback: NULL trains on the rows as they are, so that features must be told of those who have left too; ''1 year'' trains on those who were there a year before the embargo began, with the features of then, entering at their age of then and followed for the year (landmarking: van Houwelingen 2007), which is right for features that change. Nothing else is seen, so what is known later changes nothing, as far as the function keeps to its date. It runs under search_path = pg_catalog: qualify the names in it, or give it a search_path. unit: of the durations. null_policy: as in the other. Registers nothing. Errors 22023, 22004.';
