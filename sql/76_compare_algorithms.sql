-- Algorithms side by side: each fitted to the rows of one query and judged on those of another.

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
    labels text[];
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
    SELECT f INTO named FROM unnest(features) AS f GROUP BY f HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'feature "%" is named twice', named USING ERRCODE = 'invalid_parameter_value', HINT = 'Name each once.';
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
    BEGIN
        EXECUTE format($q$
            WITH t AS MATERIALIZED (SELECT * FROM (%s) t WHERE t.duration > coalesce(t.entry, 0) AND t.event IS NOT NULL AND %s)
            SELECT count(*), count(*) FILTER (WHERE t.event), %s, %s, ltv.survival_agg(coalesce(t.entry, 0)::float8, t.duration::float8, t.event), max(t.duration)::float8 FROM t
            $q$, training, complete,
            CASE WHEN NOT wants_bare THEN 'NULL::ltv.design' WHEN null_policy = 'learn' THEN format('ltv.incomplete_design_agg(coalesce(t.entry, 0)::float8, t.duration::float8, t.event, ARRAY[%s]::float8[], 1)', array_to_string(bare.columns, ', '))
                 ELSE format('ltv.design_agg(coalesce(t.entry, 0)::float8, t.duration::float8, t.event, ARRAY[%s]::float8[])', array_to_string(bare.columns, ', ')) END,
            CASE WHEN wants_filled AND unfilled IS NULL THEN format('ltv.design_agg(coalesce(t.entry, 0)::float8, t.duration::float8, t.event, ARRAY[%s]::float8[])', array_to_string(filled.columns, ', ')) ELSE 'NULL::ltv.design' END)
        INTO rows_in, events_in, bare_design, filled_design, curve, until;
    EXCEPTION
        WHEN invalid_parameter_value THEN
            -- What the fit calls a covariate has a name.
            labels := CASE WHEN wants_bare THEN bare.labels ELSE filled.labels END;
            RAISE EXCEPTION '%', coalesce(regexp_replace(SQLERRM, '^covariate \d+', format('feature "%s"', replace(labels[substring(SQLERRM, '^covariate (\d+)')::integer], '\', '\\'))), SQLERRM)
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Filter such rows in the query, or make them NULL.';
    END;
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
                -- All are judged by the same rows, whatever an algorithm could do with others; a level that nobody has seen is no
                -- NULL of which trees have learnt.
                format('CASE WHEN ' || replace(CASE null_policy WHEN 'drop' THEN complete ELSE format('NOT (%s)', unseen) END, '%', '%%') || ' THEN %s END',
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
                why := coalesce(why, CASE WHEN unscored = 0 THEN 'no rows' ELSE 'no row could be scored' END);
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
