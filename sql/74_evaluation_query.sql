-- Is a registered model true on the rows of a relation? One reading of the rows, and what is told of them.

CREATE FUNCTION ltv.evaluation_query(
    model text, source regclass, by text[] DEFAULT NULL, rows text DEFAULT 'auto', value text DEFAULT NULL,
    censoring text DEFAULT 'marginal', censoring_by text[] DEFAULT NULL, outcome text DEFAULT 'event',
    horizons double precision[] DEFAULT NULL, checked boolean DEFAULT true, features boolean DEFAULT false,
    OUT query text, OUT in_sample boolean, OUT horizon double precision, OUT decisions boolean, OUT restriction text
)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    judged ltv.model_versions;
    spec jsonb;
    held jsonb;
    relation text;
    present text;
    segment text := $q$'all'$q$;
    started text;
    age text;
    entry text;
    duration text;
    event text;
    held_type text;
    groups text[] := ARRAY(SELECT unnest(evaluation_query.by));
    strata text[] := ARRAY(SELECT unnest(evaluation_query.censoring_by));
    stratum text := $q$'all'$q$;
    weight text;
    cause text;
    seen text;
    columns text[];
    predicted text := 'ltv.expected_value($1, ltv_row.*)';
    levels text;
    carried text := '';
    odd record;
BEGIN
    IF evaluation_query.model IS NULL OR source IS NULL THEN
        RAISE EXCEPTION 'a model and a source are needed' USING ERRCODE = 'null_value_not_allowed', HINT = 'The name of a model, as churn@production, and of a table or view.';
    END IF;
    SELECT * INTO judged FROM ltv.model_versions v
    WHERE v.model = split_part(evaluation_query.model, '@', 1) AND v.version = ltv.model_version(evaluation_query.model);
    spec := judged.spec;
    IF spec IS NULL THEN
        PERFORM ltv.model_version(evaluation_query.model);
    END IF;
    -- A model that was registered by hand reads customers by the usual names, unless it says others.
    IF judged.algorithm IN ('bg_nbd', 'mbg_nbd', 'pareto_nbd', 'gamma_gamma') THEN
        spec := jsonb_set(spec, '{columns}', CASE judged.algorithm WHEN 'gamma_gamma' THEN '{"frequency": "frequency", "mean_value": "mean_value"}'
                                                  ELSE '{"frequency": "frequency", "recency": "recency", "age": "age"}' END::jsonb
                                             || CASE jsonb_typeof(spec -> 'columns') WHEN 'object' THEN jsonb_strip_nulls(spec -> 'columns') ELSE '{}' END);
        IF outcome = 'amount' AND judged.algorithm <> 'gamma_gamma' AND spec ->> 'target' IS NOT NULL AND jsonb_typeof(spec -> 'horizon') IS DISTINCT FROM 'number' THEN
            RAISE EXCEPTION '% was registered without the horizon of its target', evaluation_query.model
                USING ERRCODE = 'invalid_parameter_value', HINT = 'ltv.train keeps it; register_version takes it: spec => ''{"target": "later", "horizon": 39}''.';
        END IF;
    END IF;
    SELECT format('%I.%I', n.nspname, c.relname) INTO relation FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = source AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
    IF relation IS NULL THEN
        RAISE EXCEPTION 'the source does not exist' USING ERRCODE = 'invalid_parameter_value', HINT = 'The name of a table or view.';
    END IF;
    decisions := outcome = 'event' AND judged.algorithm = 'renewal' AND spec ->> 'event' IS NOT NULL AND spec ->> 'duration' IS NULL;
    IF outcome = 'amount' AND spec ->> 'target' IS NULL THEN
        RAISE EXCEPTION '% was not trained on a target', evaluation_query.model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'outcome => ''event'' for a model of durations and events.';
    ELSIF outcome IS DISTINCT FROM 'amount' AND NOT coalesce(decisions, false) AND (spec ->> 'duration' IS NULL OR spec ->> 'event' IS NULL) THEN
        RAISE EXCEPTION '% was not trained on durations and events', evaluation_query.model
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = CASE WHEN spec ->> 'target' IS NOT NULL AND judged.algorithm IN ('bg_nbd', 'mbg_nbd', 'pareto_nbd', 'gamma_gamma') THEN 'It predicts what customers do later: ltv.predicted_vs_actual compares it with what came.'
                              WHEN judged.algorithm IN ('bg_nbd', 'mbg_nbd', 'pareto_nbd', 'gamma_gamma') THEN 'It predicts what customers do later: train it with a target, the column with what came, and ltv.predicted_vs_actual compares the two.'
                              WHEN spec ->> 'target' IS NOT NULL THEN 'It predicts amounts: ltv.predicted_vs_actual compares them with what came.' ELSE 'For other predictions: ltv.calibration_agg and ltv.ranking_agg over your own query.' END;
    END IF;
    IF outcome IS NULL OR outcome NOT IN ('event', 'amount') THEN
        RAISE EXCEPTION 'unknown outcome "%"', outcome USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: event, amount.';
    END IF;
    IF censoring IS NULL OR censoring NOT IN ('marginal', 'grouped') THEN
        RAISE EXCEPTION 'unknown censoring "%"', censoring USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: marginal, grouped.';
    END IF;
    IF cardinality(strata) > 0 AND censoring = 'marginal' THEN
        RAISE EXCEPTION 'columns for the censoring are of no use with one curve for all' USING ERRCODE = 'invalid_parameter_value', HINT = 'censoring => ''grouped'', or leave censoring_by out.';
    END IF;
    IF decisions AND censoring <> 'marginal' THEN
        RAISE EXCEPTION '% was trained on decisions, of which none is censored', evaluation_query.model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave censoring out: every row says whether it was renewed.';
    END IF;
    IF decisions AND cardinality(array_remove(horizons, NULL)) > 0 THEN
        RAISE EXCEPTION '% was trained on decisions, which have no horizon', evaluation_query.model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave the horizon out: a row is one decision, and it is judged by whether it was renewed.';
    END IF;
    cause := CASE WHEN outcome = 'event' THEN ltv.cause_expression(spec) END;
    IF cause IS NULL AND outcome = 'event' AND ltv.model_algorithm(judged.fitted) = 'fine_gray' THEN
        RAISE EXCEPTION '% tells of one cause among several, but nothing says of which', evaluation_query.model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'ltv.train keeps it; register_version takes it: spec => ''{"algorithm": "fine_gray", "options": {"cause": 1}, ...}''.';
    ELSIF cause IS NOT NULL AND censoring <> 'marginal' THEN
        RAISE EXCEPTION '% tells of one cause among several, whose weights for censoring are those of all rows', evaluation_query.model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave censoring out.';
    END IF;
    IF EXISTS (SELECT FROM unnest(horizons) u (h) WHERE NOT (u.h > 0 AND u.h < 'Infinity')) THEN
        RAISE EXCEPTION 'the horizon must be finite and greater than 0, got %', (SELECT u.h FROM unnest(horizons) WITH ORDINALITY u (h, place) WHERE NOT (u.h > 0 AND u.h < 'Infinity') ORDER BY u.place LIMIT 1)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is in the unit of the durations the model was trained on.';
    END IF;
    IF rows IS NULL OR rows NOT IN ('auto', 'all', 'holdout') THEN
        RAISE EXCEPTION 'unknown rows "%"', rows USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: auto, all, holdout.';
    END IF;
    restriction := 'true';
    held := CASE jsonb_typeof(spec -> 'holdout') WHEN 'object' THEN spec -> 'holdout' END;
    IF rows = 'auto' THEN
        rows := CASE WHEN relation = spec ->> 'source' AND held IS NOT NULL THEN 'holdout' ELSE 'all' END;
    ELSIF rows = 'holdout' AND held IS NULL THEN
        RAISE EXCEPTION '% was trained without a holdout', evaluation_query.model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Judge it on rows that it has not seen, or with rows => ''all''.';
    END IF;
    IF array_position(groups || strata, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'the columns to group by must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'Name each, or leave the argument out.';
    END IF;
    SELECT n.name AS names INTO odd
    FROM (SELECT 1 AS part, g.* FROM unnest(groups) WITH ORDINALITY g (name, place) UNION ALL SELECT 2, t.* FROM unnest(strata) WITH ORDINALITY t (name, place)) n
    GROUP BY n.part, n.name HAVING count(*) > 1 ORDER BY n.part, min(n.place) LIMIT 1;
    IF odd.names IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" is named twice', odd.names USING ERRCODE = 'invalid_parameter_value', HINT = 'Name each column to group by once.';
    END IF;
    -- Weights for the censoring are of what was known at the start: within rows of one outcome nobody stands for anybody else.
    SELECT string_agg(quote_ident(n.name), ', ' ORDER BY n.place) AS names INTO odd
    FROM unnest(strata) WITH ORDINALITY n (name, place) WHERE n.name IN (spec ->> 'duration', spec ->> 'event', spec ->> 'entry');
    IF odd.names IS NOT NULL THEN
        RAISE EXCEPTION 'the censoring cannot be grouped by the outcome: %', odd.names
            USING ERRCODE = 'invalid_parameter_value', HINT = 'censoring_by names columns that were known before, as the plan or the region of a customer.';
    END IF;
    -- What any row would be refused for is said before the first one is read: columns that are not there, and of another type.
    SELECT array_agg(a.attname ORDER BY a.attnum), string_agg(a.attname, ', ' ORDER BY a.attnum) INTO columns, present
    FROM pg_attribute a WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped;
    SELECT w.part, string_agg(quote_ident(w.name), ', ' ORDER BY w.place) AS names INTO odd
    FROM (SELECT DISTINCT ON (u.part, u.name) u.* FROM (
              SELECT 'outcome' AS part, n.name, n.place
              FROM unnest(ARRAY[spec ->> 'duration', spec ->> 'event', spec ->> 'entry', spec ->> 'weight', CASE outcome WHEN 'amount' THEN spec ->> 'target' END]
                          || CASE rows WHEN 'holdout' THEN ARRAY[held ->> 'by', CASE WHEN spec ? 'as_of' THEN spec ->> 'started_on' END, CASE WHEN spec ? 'as_of' THEN spec ->> 'known_on' END] END) WITH ORDINALITY n (name, place)
              UNION ALL SELECT 'value', value, 1
              UNION ALL SELECT 'by', n.name, n.place FROM unnest(groups) WITH ORDINALITY n (name, place)
              UNION ALL SELECT 'censoring_by', n.name, n.place FROM unnest(strata) WITH ORDINALITY n (name, place)
              UNION ALL SELECT 'customer', c.value, array_position('{frequency,recency,age,mean_value}', c.key) FROM jsonb_each_text(CASE jsonb_typeof(spec -> 'columns') WHEN 'object' THEN spec -> 'columns' ELSE '{}' END) c
              UNION ALL SELECT 'feature', n.name, n.place FROM unnest(ltv.model_features(judged.fitted)) WITH ORDINALITY n (name, place)) u
          WHERE u.name IS NOT NULL AND u.name <> ALL (columns) ORDER BY u.part, u.name, u.place) w
    GROUP BY w.part ORDER BY array_position('{outcome,customer,feature,value,by,censoring_by}', w.part) LIMIT 1;
    IF odd.part IS NOT NULL THEN
        RAISE EXCEPTION '% has no column %', relation, odd.names
            USING ERRCODE = 'undefined_column',
                  HINT = CASE odd.part WHEN 'outcome' THEN 'The columns of the outcome have the names they had in training; rename them in a view.'
                                       WHEN 'customer' THEN 'The columns of the customers have the names they had in training; rename them in a view.'
                                       WHEN 'feature' THEN format('The features of the model have the names they had in training; it has: %s.', present)
                                       WHEN 'value' THEN format('value names the column of what each row is worth; it has: %s.', present)
                                       ELSE format('%s names columns of the source; it has: %s.', odd.part, present) END;
    END IF;
    SELECT w.part, w.name, w.kind, format_type(a.atttypid, a.atttypmod) AS type_name INTO odd
    FROM (VALUES (1, 'duration', spec ->> 'duration', 'number'), (2, 'event', spec ->> 'event', CASE WHEN cause IS NULL THEN 'event' WHEN jsonb_typeof(spec #> '{options,cause}') = 'number' THEN 'number' ELSE 'text' END), (3, 'entry', spec ->> 'entry', 'number'), (4, 'weight', spec ->> 'weight', 'number'),
                 (5, 'target', CASE outcome WHEN 'amount' THEN spec ->> 'target' END, 'number'), (6, 'value', value, 'number'),
                 (10, 'frequency', spec #>> '{columns,frequency}', 'number'), (11, 'recency', spec #>> '{columns,recency}', 'number'),
                 (12, 'age', spec #>> '{columns,age}', 'number'), (13, 'mean value', spec #>> '{columns,mean_value}', 'number'),
                 (7, 'mark of the holdout', CASE WHEN rows = 'holdout' AND NOT held ?| '{fraction,after,from,last}' THEN held ->> 'by' END, 'boolean'),
                 (8, 'start', CASE WHEN rows = 'holdout' AND spec ? 'as_of' THEN spec ->> 'started_on' END, 'date'),
                 (9, 'day of the knowledge', CASE WHEN rows = 'holdout' AND spec ? 'as_of' THEN spec ->> 'known_on' END, 'date')) w (place, part, name, kind)
    JOIN pg_attribute a ON a.attrelid = source AND a.attname = w.name AND a.attnum > 0
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE NOT CASE w.kind WHEN 'number' THEN t.typcategory = 'N' AND t.typname !~ '^(reg|oid$|money$)' WHEN 'event' THEN t.typcategory = 'B' OR t.typcategory = 'N' AND t.typname !~ '^(reg|oid$|money$)'
                          WHEN 'boolean' THEN t.typcategory = 'B' WHEN 'text' THEN t.typcategory IN ('S', 'E') ELSE t.typcategory = 'D' AND coalesce(nullif(t.typbasetype, 0), t.oid) IN ('date'::regtype, 'timestamp'::regtype) END
    ORDER BY w.place LIMIT 1;
    IF odd.part IS NOT NULL THEN
        RAISE EXCEPTION 'the % in "%" must be a %, not %', odd.part, odd.name, CASE odd.kind WHEN 'event' THEN 'boolean, or 1 and 0' ELSE odd.kind END, odd.type_name
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('In %s.', relation),
                  HINT = CASE odd.part WHEN 'value' THEN 'value names the column of what each row is worth, in one currency.' ELSE 'Make it in a view.' END;
    END IF;
    -- Rows are put together by one plain value for each column, as text: lists and documents are many, written in many ways.
    SELECT w.part, w.name, format_type(a.atttypid, a.atttypmod) AS type_name INTO odd
    FROM (SELECT 'by' AS part, n.name, n.place FROM unnest(groups) WITH ORDINALITY n (name, place)
          UNION ALL SELECT 'censoring_by', n.name, n.place FROM unnest(strata) WITH ORDINALITY n (name, place)) w
    JOIN pg_attribute a ON a.attrelid = source AND a.attname = w.name AND a.attnum > 0
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE t.typcategory NOT IN ('S', 'E', 'Z', 'N', 'B', 'D', 'T', 'I', 'V') AND coalesce(nullif(t.typbasetype, 0), t.oid) <> 'uuid'::regtype
    ORDER BY w.part, w.place LIMIT 1;
    IF odd.part IS NOT NULL THEN
        RAISE EXCEPTION 'rows cannot be grouped by "%", which is %', odd.name, odd.type_name
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('In %s.', relation),
                  HINT = format('%s names columns of one plain value each - text, numbers, booleans, dates: make such a column in a view.', odd.part);
    END IF;
    duration := CASE WHEN spec ->> 'duration' IS NOT NULL THEN format('ltv_row.%I::float8', spec ->> 'duration') END;
    event := CASE WHEN cause IS NOT NULL THEN cause WHEN spec ->> 'event' IS NOT NULL THEN format('ltv_row.%I::int4', spec ->> 'event') END;
    entry := CASE WHEN spec ->> 'entry' IS NULL THEN '0::float8' ELSE format('ltv_row.%I::float8', spec ->> 'entry') END;
    weight := CASE WHEN spec ->> 'weight' IS NULL THEN '1::float8' ELSE format('ltv_row.%I::float8', spec ->> 'weight') END;
    IF rows = 'holdout' THEN
        SELECT format_type(a.atttypid, a.atttypmod) INTO held_type FROM pg_attribute a
        WHERE a.attrelid = source AND a.attname = held ->> 'by' AND a.attnum > 0;
        restriction := CASE
            WHEN held ? 'fraction' THEN format('(hashtextextended(ltv_row.%I::text, %s) & 9223372036854775807) %% 1000000 < %s',
                held ->> 'by', coalesce(spec ->> 'seed', '0')::bigint, trunc((held ->> 'fraction')::numeric * 1000000))
            WHEN held ? 'after' THEN format('ltv_row.%I > %L::%s', held ->> 'by', held ->> 'after', held_type)
            WHEN held ? 'from' THEN format('ltv_row.%I >= %L::%s', held ->> 'by', held ->> 'from', held_type)
            ELSE format('ltv_row.%I', held ->> 'by') END;
        -- What training could not know on its day it did not hold out either: rows begun or known later, and outcomes beyond.
        IF spec ->> 'as_of' IS NOT NULL AND spec ->> 'started_on' IS NOT NULL THEN
            started := format('ltv_row.%I::date', spec ->> 'started_on');
            age := CASE coalesce(spec ->> 'unit', 'month')
                WHEN 'day' THEN format('(%L::date - %s)::float8', spec ->> 'as_of', started)
                WHEN 'week' THEN format('((%L::date - %s) / 7::float8)', spec ->> 'as_of', started)
                WHEN 'year' THEN format('(ltv.months_between(%2$s, %1$L::date) / 12)', spec ->> 'as_of', started)
                ELSE format('ltv.months_between(%2$s, %1$L::date)', spec ->> 'as_of', started) END;
            restriction := format('%s AND %s <= %L::date', restriction, started, spec ->> 'as_of');
            IF spec ->> 'entry' IS NOT NULL THEN
                restriction := format('%s AND coalesce(%s < %s, true)', restriction, entry, age);
            END IF;
            event := format('CASE WHEN %1$s <= %2$s THEN %3$s WHEN %3$s IS NOT NULL THEN 0 END', duration, age, event);
            duration := format('least(%s, %s)', duration, age);
        END IF;
        IF spec ->> 'as_of' IS NOT NULL AND spec ->> 'known_on' IS NOT NULL THEN
            restriction := format('%s AND coalesce(ltv_row.%I::date <= %L::date, true)', restriction, spec ->> 'known_on', spec ->> 'as_of');
        END IF;
    END IF;
    IF cardinality(groups) > 0 THEN
        -- No two rows of values have one label, so that rows may be put together by it.
        SELECT string_agg(format('ltv.segment_label(ltv_row.%I::text, %L)', wanted.name, cardinality(groups) > 1), ' || '' / '' || ' ORDER BY wanted.place)
        INTO segment FROM unnest(groups) WITH ORDINALITY wanted (name, place);
    END IF;
    IF cardinality(strata) > 0 THEN
        SELECT format('ROW(%s)::text', string_agg(format('ltv_row.%I::text', wanted.name), ', ' ORDER BY wanted.place))
        INTO stratum FROM unnest(strata) WITH ORDINALITY wanted (name, place);
    END IF;
    in_sample := rows = 'all' AND relation = spec ->> 'source' OR relation = coalesce(spec #>> '{recalibration,source}', '');
    IF coalesce(checked, true) THEN
        -- What no score can be made of is said here with its name, before rows are scored.
        EXECUTE format('SELECT o.* FROM %1$s ltv_row CROSS JOIN LATERAL (SELECT %2$s) o (value, weight, event, ends, starts) WHERE %3$s AND (o.value < 0 OR o.value >= ''Infinity'' OR o.weight < 0 OR o.weight >= ''Infinity'' OR o.event NOT IN (0, 1) OR o.ends < o.starts) LIMIT 1',
            relation, concat_ws(', ', CASE WHEN value IS NULL OR outcome = 'amount' THEN 'NULL::float8' ELSE format('ltv_row.%I::float8', value) END, weight,
                CASE WHEN outcome = 'amount' THEN 'NULL::int4' WHEN cause IS NOT NULL THEN format('least(%s, 0)', cause) ELSE format('ltv_row.%I::int4', spec ->> 'event') END,
                CASE WHEN outcome = 'amount' OR decisions THEN 'NULL::float8, NULL::float8' ELSE format('ltv_row.%I::float8, %s', spec ->> 'duration', entry) END), restriction)
        INTO odd;
        IF odd.value < 0 OR odd.value >= 'Infinity' THEN
            RAISE EXCEPTION 'a value must be finite and not negative, got %', odd.value USING ERRCODE = 'invalid_parameter_value', DETAIL = format('In column "%s" of %s.', value, relation), HINT = 'What a row is worth weighs it: leave such rows out in a view, or set them to NULL.';
        ELSIF odd.weight < 0 OR odd.weight >= 'Infinity' THEN
            RAISE EXCEPTION 'a weight must be finite and not negative, got %', odd.weight USING ERRCODE = 'invalid_parameter_value', DETAIL = format('In column "%s" of %s.', spec ->> 'weight', relation), HINT = 'A row of weight 0 or NULL is left out.';
        ELSIF odd.event = -1 AND cause IS NOT NULL THEN
            RAISE EXCEPTION 'a cause must be %', CASE jsonb_typeof(spec #> '{options,cause}') WHEN 'number' THEN 'a whole number from 1 to 255, or 0 for a row that still ran' ELSE 'a name, or NULL for a row that still ran, not empty' END
                USING ERRCODE = 'invalid_parameter_value', DETAIL = format('In column "%s" of %s.', spec ->> 'event', relation), HINT = 'Make it in a view.';
        ELSIF odd.event NOT IN (0, 1) THEN
            RAISE EXCEPTION 'an event must be 1 or 0, got %', odd.event USING ERRCODE = 'invalid_parameter_value', DETAIL = format('In column "%s" of %s.', spec ->> 'event', relation), HINT = '1 for those that had the event, 0 for those that were last seen without.';
        ELSIF odd.ends < odd.starts THEN
            RAISE EXCEPTION 'a row ends at % before it is entered at %', odd.ends, odd.starts USING ERRCODE = 'invalid_parameter_value', DETAIL = format('In columns "%s" and "%s" of %s.', spec ->> 'duration', spec ->> 'entry', relation), HINT = 'Rows that were never observed are to be left out.';
        END IF;
        -- The same rows under another name, as a view of the table.
        columns := ARRAY(SELECT u ->> 'column' FROM jsonb_array_elements(CASE jsonb_typeof(judged.lineage -> 'columns') WHEN 'array' THEN judged.lineage -> 'columns' ELSE '[]' END) u);
        IF NOT in_sample AND rows = 'all' AND judged.lineage ? 'fingerprint' AND cardinality(columns) > 0
           AND NOT EXISTS (SELECT FROM unnest(columns) u (name)
                           WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = source AND a.attname = u.name AND a.attnum > 0 AND NOT a.attisdropped)) THEN
            seen := ltv.data_fingerprint(source, columns);
            in_sample := seen = judged.lineage ->> 'fingerprint' OR coalesce(seen = judged.lineage #>> '{recalibration,fingerprint}', false);
        END IF;
    END IF;
    -- Numbered, so that none can have the name of another column.
    IF coalesce(evaluation_query.features, false) THEN
        carried := format(', %s AS given', CASE WHEN outcome = 'amount' OR decisions OR cause IS NOT NULL THEN '0::float8' ELSE entry END)
                   || coalesce((SELECT string_agg(format(', ltv_row.%I AS "feature %s"', n.name, n.place), '' ORDER BY n.place) FROM unnest(ltv.model_features(judged.fitted)) WITH ORDINALITY AS n (name, place)), '');
    END IF;
    IF outcome = 'amount' THEN
        horizon := NULL;
        -- Of a customer a model knows no features but those that tell the segment.
        levels := (SELECT ', segment => ' || string_agg(format('ltv_row.%I::text', g.name), ' || '' / '' || ' ORDER BY g.place) FROM unnest(ltv.model_features(judged.fitted)) WITH ORDINALITY AS g (name, place));
        IF judged.algorithm = 'gamma_gamma' THEN
            predicted := format('ltv.expected_spend($1, ltv_row.%I::float8, ltv_row.%I::float8%s)', spec #>> '{columns,frequency}', spec #>> '{columns,mean_value}', levels);
        ELSIF judged.algorithm IN ('bg_nbd', 'mbg_nbd', 'pareto_nbd') THEN
            predicted := format('ltv.expected_purchases($1, ltv_row.%I::float8, ltv_row.%I::float8, ltv_row.%I::float8, %L::float8%s)',
                                spec #>> '{columns,frequency}', spec #>> '{columns,recency}', spec #>> '{columns,age}', spec ->> 'horizon', levels);
        END IF;
        query := format(
            'SELECT %1$s AS segment, NULL::float8 AS horizon, %7$s AS predicted, NULL::float8 AS duration, NULL::boolean AS event,
                    %2$s AS weight, ltv_row.%3$I::float8 AS value, %4$s AS stratum%8$s
             FROM %5$s ltv_row WHERE %6$s AND %2$s > 0',
            segment, weight, spec ->> 'target', stratum, relation, restriction, predicted, carried);
        RETURN;
    END IF;
    IF decisions THEN
        -- Whoever does not renew leaves at the end of the term; whoever does is seen beyond it.
        horizon := (SELECT coalesce(t.m #>> '{model,fit,renewal,period}', t.m #>> '{model,fit,segmented,pooled,fit,renewal,period}') FROM (SELECT ltv.recalibrated(judged.fitted, NULL::jsonb)::text::jsonb AS m) AS t)::float8;
        query := format(
            'SELECT %1$s AS segment, ltv_at.horizon, ltv.renewal_probability($1, ltv_row.*, ltv_at.horizon) AS predicted,
                    CASE WHEN %2$s = 1 THEN 2 * ltv_at.horizon ELSE ltv_at.horizon END AS duration, CASE %2$s WHEN 1 THEN false WHEN 0 THEN true END AS event,
                    %3$s AS weight, %4$s AS value, %5$s AS stratum%8$s
             FROM %6$s ltv_row CROSS JOIN unnest($2) ltv_at (horizon)
             WHERE %7$s AND %2$s IS NOT NULL AND %3$s > 0',
            segment, event, weight, CASE WHEN value IS NULL THEN 'NULL::float8' ELSE format('ltv_row.%I::float8', value) END, stratum, relation, restriction, carried);
        RETURN;
    END IF;
    horizon := ltv.model_horizon(evaluation_query.model);
    IF cause IS NOT NULL THEN
        -- Of one cause among several it is known for ever that whoever ended by another one does not end by it. So every row that
        -- ended, and every one seen beyond the horizon, is known there, and stands for those that were censored before.
        query := format(
            'WITH ltv_read AS MATERIALIZED (
                 SELECT row_number() OVER () AS place, %1$s AS segment, ltv_at.horizon, ltv.renewal_probability($1, ltv_row.*, ltv_at.horizon) AS predicted,
                        %2$s AS duration, %9$s AS entry, %3$s AS status, %4$s AS weight, %5$s AS value, %6$s AS stratum%10$s
                 FROM %7$s ltv_row CROSS JOIN unnest($2) ltv_at (horizon)
                 WHERE %8$s AND %2$s IS NOT NULL AND %9$s IS NOT NULL AND %3$s IS NOT NULL AND %4$s > 0
             ), ltv_known AS (
                 SELECT w.place, w.weight
                 FROM (SELECT r.horizon, array_agg(r.place ORDER BY r.duration, r.status, r.weight, r.place) AS places, array_agg(r.duration ORDER BY r.duration, r.status, r.weight, r.place) AS durations,
                              array_agg(r.status <> 0 ORDER BY r.duration, r.status, r.weight, r.place) AS ended, array_agg(r.weight ORDER BY r.duration, r.status, r.weight, r.place) AS weights,
                              array_agg(r.entry ORDER BY r.duration, r.status, r.weight, r.place) AS entries
                       FROM ltv_read r WHERE r.predicted IS NOT NULL GROUP BY r.horizon) g,
                      unnest(g.places, ltv.inverse_censoring_weights(g.durations, g.ended, g.horizon, g.weights, g.entries)) w (place, weight)
             )
             SELECT r.segment, r.horizon, r.predicted, CASE WHEN r.predicted IS NOT NULL AND w.weight IS NULL THEN 0 WHEN r.status = 1 THEN r.duration ELSE 2 * r.horizon END AS duration,
                    r.status = 1 AND (r.predicted IS NULL OR w.weight IS NOT NULL) AS event, coalesce(w.weight, r.weight) AS weight, r.value, r.stratum%11$s
             FROM ltv_read r LEFT JOIN ltv_known w USING (place) WHERE coalesce(w.weight, r.weight) > 0',
            segment, duration, event, weight, CASE WHEN value IS NULL THEN 'NULL::float8' ELSE format('ltv_row.%I::float8', value) END, stratum, relation, restriction, entry, carried,
            CASE WHEN carried <> '' THEN ', r.given' || coalesce((SELECT string_agg(format(', r."feature %s"', n.place), '' ORDER BY n.place) FROM unnest(ltv.model_features(judged.fitted)) WITH ORDINALITY AS n (name, place)), '') ELSE '' END);
        RETURN;
    END IF;
    query := format(
        'SELECT %1$s AS segment, ltv_at.horizon, ltv.renewal_probability($1, ltv_row.*, ltv_at.horizon, %2$s) AS predicted,
                %3$s - %2$s AS duration, CASE %4$s WHEN 1 THEN true WHEN 0 THEN false END AS event,
                %5$s AS weight, %6$s AS value, %9$s AS stratum%11$s
         FROM %7$s ltv_row CROSS JOIN unnest($2) ltv_at (horizon)
         WHERE %8$s AND %3$s IS NOT NULL AND ltv_row.%10$I IS NOT NULL AND %5$s > 0 AND %2$s IS NOT NULL',
        segment, entry, duration, event, weight,
        CASE WHEN value IS NULL THEN 'NULL::float8' ELSE format('ltv_row.%I::float8', value) END,
        relation, restriction, stratum, spec ->> 'event', carried);
END
$$;
COMMENT ON FUNCTION ltv.evaluation_query(text, regclass, text[], text, text, text, text[], text, double precision[], boolean, boolean) IS 'What evaluate and its like read: the text of a query with $1 (the model, ltv.model) and $2 (horizons, float8[]) that gives a row per row of the source and horizon: segment (the values of the columns of by, as text, each by its segment_label), horizon, predicted (probability of no event within the horizon; from its entry on, for rows with a delayed entry), duration (from the entry), event, weight, value, stratum (the values of the columns of censoring_by, as text). The columns of the outcome are those that the version was trained on. rows: all, holdout (those held out in training, and of a training as_of a day only what that day knew: rows begun or known later are left out, outcomes beyond it censored, as train did it), or auto: the holdout when the source is the relation of the training and there was one, else all. in_sample: whether the rows are those it learnt from, or was recalibrated on: by the name of the relation, and under another name by their fingerprint (data_fingerprint, one more pass). horizon: that of the training. restriction: the SQL condition on a row ltv_row of the source that rows comes to, true for all. decisions: the model is of renewal decisions; then event is that it was not renewed, horizon the period of the model and duration that, or twice that for a row that was renewed: nothing is censored. Of a model of one cause among several (fine_gray) predicted is the probability not to end by this cause, event that it did, and a row per row whose outcome at the horizon is known - it ended, by whatever cause, or was seen beyond -, whose weight is inverse_censoring_weights of all scored rows together, endings by any cause being endings: a row that ended by another cause lasts beyond the horizon (duration twice that), and nothing is censored. censoring: marginal or grouped, as its callers use it; censoring_by only with grouped. outcome => ''amount'': for a model of amounts, predicted the expected amount and value the target, no horizon; for one of purchases the purchases expected within the horizon of its training, or the expected value of one. horizons: those that the caller asks for, to be checked. checked => false: no row is read, neither for values that no score can be made of nor for the fingerprint. features => true: two kinds of columns more, given (the age from which on the row is predicted) and "feature 1", "feature 2", ..., those of the model (model_features) as they stand in the row, so that the same rows can be scored again with one of them changed. Times are in the unit of the durations that the version was trained on. Rows without duration, event, entry or weight, and those of weight 0, are left out; a row that the model has no score for has a NULL as predicted, and one without a value a NULL there. by, value, weight, censoring_by and horizons NULL: none are asked for. Errors 22023: horizons that are not finite and positive or given for decisions, columns of another type, values and weights that are negative or not finite, events that are not 1 or 0, causes that are none, censoring_by with the duration, the event or the entry, columns of by and censoring_by that are no one plain value (arrays, json, ranges, rows), rows that end before their entry; 42703 names missing columns, P0002.';

CREATE FUNCTION ltv.censoring_query(query text, censoring text DEFAULT 'marginal', by_columns boolean DEFAULT false, by_segment boolean DEFAULT false, weighed boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 100
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    columns constant text := 's.predicted, s.duration, s.event, s.weight, s.value';
    arrays constant text := 'array_agg(s.predicted) AS predicted, array_agg(s.duration) AS durations, array_agg(s.event) AS events, array_agg(s.weight) AS weights, array_agg(s.value) AS "values"';
    known constant text := 'ltv.inverse_censoring_weights(p.durations, p.events, p.horizon, p.weights)';
    labelled text;
BEGIN
    IF query IS NULL THEN
        RAISE EXCEPTION 'a query is needed' USING ERRCODE = 'null_value_not_allowed', HINT = 'That of evaluation_query.';
    END IF;
    IF censoring IS NULL OR censoring NOT IN ('marginal', 'grouped') THEN
        RAISE EXCEPTION 'unknown censoring "%"', censoring USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: marginal, grouped.';
    END IF;
    labelled := CASE
        WHEN censoring = 'marginal' THEN $q$SELECT s.*, 'all'::text AS label FROM scoped s$q$
        -- Strata that are too small, and those of which nobody is seen beyond the horizon, are one: that without a name. Once for each, not for each row.
        WHEN by_columns THEN format(
            'SELECT p.is_all, p.segment, p.horizon, u.*, p.label
             FROM (SELECT p.*, CASE WHEN p.n >= 30 AND %s IS NOT NULL THEN p.stratum END AS label
                   FROM (SELECT s.is_all, s.segment, s.horizon, s.stratum, count(*) AS n, %s FROM scoped s GROUP BY s.is_all, s.segment, s.horizon, s.stratum) p OFFSET 0) p,
                  unnest(p.predicted, p.durations, p.events, p.weights, p."values") u (predicted, duration, event, weight, value)', known, arrays)
        ELSE format(
            'SELECT p.is_all, p.segment, p.horizon, u.predicted, u.duration, u.event, u.weight, u.value, u.label::text
             FROM (SELECT s.is_all, s.segment, s.horizon, %s FROM scoped s GROUP BY s.is_all, s.segment, s.horizon) p,
                  unnest(p.predicted, p.durations, p.events, p.weights, p."values", ltv.censoring_groups(p.predicted, p.durations, p.events, p.horizon, p.weights)) u (predicted, duration, event, weight, value, label)', arrays) END;
    RETURN format(
        'WITH scored AS MATERIALIZED (SELECT * FROM (%1$s) q WHERE q.predicted IS NOT NULL AND q.event IS NOT NULL AND q.duration IS NOT NULL),
         scoped AS (SELECT 1 AS is_all, ''all''::text AS segment, s.horizon, %2$s, s.stratum FROM scored s%3$s),
         labelled AS (%4$s) %5$s',
        query, columns, CASE WHEN by_segment THEN format(' UNION ALL SELECT 0, s.segment, s.horizon, %s, s.stratum FROM scored s', columns) ELSE '' END, labelled,
        CASE WHEN weighed THEN format(
            'SELECT p.is_all, p.segment, p.horizon, p.label AS stratum, u.*
             FROM (SELECT s.is_all, s.segment, s.horizon, s.label, %s FROM labelled s GROUP BY s.is_all, s.segment, s.horizon, s.label) p,
                  unnest(p.predicted, p.durations, p.events, p.weights, p."values", %s) u (predicted, duration, event, weight, value, known)', arrays, known)
             ELSE format('SELECT s.is_all, s.segment, s.horizon, s.label AS stratum, %s, NULL::float8 AS known FROM labelled s', columns) END);
END
$$;
COMMENT ON FUNCTION ltv.censoring_query(text, text, boolean, boolean, boolean) IS 'Whose censoring weighs whom: the text of a query over that of evaluation_query, with the same $1 and $2, that gives the rows with a score and an outcome, once for all rows together (is_all 1, segment all) and with by_segment once more within each segment (is_all 0): segment, horizon, stratum (the rows whose one curve of the censoring weighs them), predicted, duration, event, weight, value, and known: what the row counts at the horizon (inverse_censoring_weights within the stratum), NULL where nobody of it is seen beyond the horizon. censoring: marginal, all rows of the scope are one stratum; grouped, groups of like predictions (censoring_groups), or by_columns the strata of censoring_by, those of fewer than 30 rows, or of which nobody is seen beyond the horizon, as one (NULL). weighed => false: known is NULL, which saves it where only strata are asked for. Times are in the unit of those of query. Rows without predicted, duration or event are left out. Errors 22004: no query; 22023: a censoring that is none, NULL among them.';
