-- How a version comes into the registry: what is kept of its data, and the seal on its content.

CREATE FUNCTION ltv.row_hash(VARIADIC value "any") RETURNS bigint
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 5 AS 'MODULE_PATHNAME', 'row_hash_values';
COMMENT ON FUNCTION ltv.row_hash("any") IS 'The hash of a row of these values: hash_record_extended(ROW(...), 0), without the row, which makes it twice as fast. For samples and fingerprints that are the same wherever the values are. A NULL counts. At most 100 values, one by one (VARIADIC ARRAY[...] is one value). Error 42883 for a type that has no hash.';

CREATE FUNCTION ltv.data_fingerprint(source regclass, columns text[] DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000
    -- How a session writes its values is no part of what they are.
    SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, MDY' SET "IntervalStyle" = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1
AS $$
DECLARE
    kept text;
    missing text;
    found text;
BEGIN
    IF source IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = source AND c.relkind IN ('r', 'p', 'v', 'm', 'f')) THEN
        RAISE EXCEPTION 'relation % holds no rows', source USING ERRCODE = 'invalid_parameter_value', HINT = 'The name of a table or view.';
    END IF;
    SELECT string_agg(quote_ident(wanted.name), ', ') INTO missing
    FROM unnest(columns) AS wanted (name)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = source AND a.attname = wanted.name AND a.attnum > 0 AND NOT a.attisdropped);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% has no column %', source, missing USING ERRCODE = 'undefined_column', HINT = 'Columns by their names, without quotes.';
    END IF;
    -- By name, so that the order of the columns says nothing. Numbers, booleans and dates as they are, the rest as text:
    -- the hash of an enum would be that of its OID.
    -- A function takes 100 arguments, a row more; the hash is the same.
    SELECT format(CASE WHEN count(*) BETWEEN 1 AND 100 THEN 'ltv.row_hash(%s)' ELSE 'hash_record_extended(ROW(%s), 0)' END,
                  string_agg(CASE WHEN y.oid = 'money'::regtype THEN format('s.%I::numeric', a.attname)
                                  WHEN y.typcategory IN ('N', 'B', 'D') AND y.typname NOT LIKE 'reg%' THEN format('s.%I', a.attname)
                                  ELSE format('s.%I::text COLLATE "C"', a.attname) END, ', ' ORDER BY a.attname COLLATE "C"))
    INTO kept
    FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
    WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped AND (columns IS NULL OR a.attname = ANY (columns));
    EXECUTE format('SELECT lpad(to_hex(mod(coalesce(sum(%s & 9223372036854775807), 0), 9223372036854775808)::bigint), 16, ''0'') FROM %s s',
                   kept, source) INTO found;
    RETURN found;
END
$$;
COMMENT ON FUNCTION ltv.data_fingerprint(regclass, text[]) IS 'What a relation holds in these columns (NULL: all), in 16 hexadecimal digits: the sum of a hash of each row, modulo 2^63, so that the order of rows and columns does not matter while a changed, added or repeated row does. Read with the caller''s rights, in one pass, in parallel where the planner likes. It does not depend on how the session shows values (DateStyle, TimeZone, IntervalStyle, bytea_output, extra_float_digits); a view that reads these settings is read in UTC. It finds accidents, not forgers. Errors: 42703 for a column that is not there, 22023 for what holds no rows.';

CREATE FUNCTION ltv.source_lineage(source regclass, spec jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    roles jsonb;
    named text[];
    by_date text;
    n bigint;
    first text;
    last text;
    columns_found jsonb;
    relations jsonb;
    display text;
BEGIN
    SELECT format('%I.%I', s.nspname, c.relname) INTO display
    FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE c.oid = source AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
    IF display IS NULL THEN
        RETURN NULL;
    END IF;
    -- Which column played which part; the first part named wins.
    SELECT jsonb_object_agg(part.name, part.role ORDER BY part.place DESC), array_agg(DISTINCT part.name)
    INTO roles, named
    FROM (SELECT place, role, spec ->> role AS name
          FROM unnest('{target,duration,event,entry,strata,weight,cluster,started_on,known_on}'::text[]) WITH ORDINALITY AS r (role, place)
          UNION ALL SELECT 15, c.key, c.value FROM jsonb_each_text(CASE jsonb_typeof(spec -> 'columns') WHEN 'object' THEN spec -> 'columns' ELSE '{}' END) AS c
          UNION ALL SELECT 20, 'feature', f.name
          FROM jsonb_array_elements_text(CASE jsonb_typeof(spec -> 'features') WHEN 'array' THEN spec -> 'features' ELSE '[]' END) AS f (name)
          UNION ALL SELECT 10, 'segment', g.name
          FROM jsonb_array_elements_text(CASE jsonb_typeof(spec -> 'segment_by') WHEN 'array' THEN spec -> 'segment_by' ELSE '[]' END) AS g (name)
          UNION ALL SELECT 25, 'era', spec #>> '{era,by}'
          UNION ALL SELECT 30, 'holdout', spec #>> '{holdout,by}') part
    WHERE EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = source AND a.attname = part.name AND a.attnum > 0 AND NOT a.attisdropped);
    SELECT a.attname INTO by_date
    FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
    WHERE a.attrelid = source AND a.attname = spec #>> '{holdout,by}' AND y.typcategory = 'D' AND NOT a.attisdropped;
    EXECUTE format('SELECT count(*), to_json(min(%1$s)) #>> ''{}'', to_json(max(%1$s)) #>> ''{}'' FROM %2$s s',
                   coalesce('s.' || quote_ident(by_date), 'NULL::date'), source) INTO n, first, last;
    -- A column of a view without a comment has that of the columns of its name beneath, where they agree.
    WITH RECURSIVE used (oid) AS (
        SELECT source::oid
        UNION
        SELECT d.refobjid
        FROM used u
        JOIN pg_class v ON v.oid = u.oid AND v.relkind IN ('v', 'm')
        JOIN pg_rewrite r ON r.ev_class = v.oid
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid)
    SELECT coalesce(jsonb_agg(jsonb_build_object('column', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'role', roles ->> a.attname,
                                                 'comment', coalesce(col_description(source, a.attnum), beneath.comment)) ORDER BY a.attnum), '[]')
    INTO columns_found
    FROM pg_attribute a
    LEFT JOIN LATERAL (
        SELECT min(col_description(b.attrelid, b.attnum)) AS comment
        FROM used u JOIN pg_attribute b ON b.attrelid = u.oid AND b.attname = a.attname AND b.attnum > 0
        HAVING count(DISTINCT col_description(b.attrelid, b.attnum)) = 1) beneath ON true
    WHERE a.attrelid = source AND a.attname = ANY (named) AND a.attnum > 0 AND NOT a.attisdropped;
    -- The source and, through views, everything that it is made of.
    WITH RECURSIVE used (oid) AS (
        SELECT source::oid
        UNION
        SELECT d.refobjid
        FROM used u
        JOIN pg_class v ON v.oid = u.oid AND v.relkind IN ('v', 'm')
        JOIN pg_rewrite r ON r.ev_class = v.oid
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid)
    SELECT jsonb_agg(jsonb_build_object(
               'relation', format('%I.%I', s.nspname, c.relname),
               'kind', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                           WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' ELSE c.relkind::text END,
               'owner', pg_get_userbyid(c.relowner),
               'comment', obj_description(c.oid, 'pg_class'),
               'estimated_rows', CASE WHEN c.relkind IN ('r', 'p', 'm', 'f') AND c.reltuples >= 0 THEN c.reltuples::bigint END,
               'definition', CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
           ORDER BY c.oid <> source, s.nspname, c.relname)
    INTO relations
    FROM used u JOIN pg_class c ON c.oid = u.oid JOIN pg_namespace s ON s.oid = c.relnamespace;
    RETURN jsonb_build_object('source', display, 'rows', n, 'columns', columns_found, 'relations', relations,
        'fingerprint', ltv.data_fingerprint(source, named),
        'period', CASE WHEN by_date IS NOT NULL THEN jsonb_build_object('by', by_date, 'from', first, 'to', last) END,
        'database', current_database(), 'postgresql', current_setting('server_version'));
END
$$;
COMMENT ON FUNCTION ltv.source_lineage(regclass, jsonb) IS 'What train keeps of its data, for a source and what was asked (the spec of ltv.model_versions): rows, the columns used with their types, parts and comments, their fingerprint (data_fingerprint), the first and last date where the holdout is by date, and every relation behind it with the definitions of views. NULL for no such relation. Read with the caller''s rights.';

CREATE FUNCTION ltv.version_content(v ltv.model_versions) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
    SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET extra_float_digits = 1
AS $$
    -- A string of JSON holds 2^28 - 1 bytes; what is longer stands there by its own SHA-256, and is sealed all the same.
    SELECT CASE WHEN v.model IS NOT NULL THEN jsonb_build_object(
        'algorithm', v.algorithm, 'fitted', CASE WHEN octet_length(t.fitted) < 268000000 THEN to_jsonb(t.fitted)
                                                 ELSE jsonb_build_object('sha256', encode(sha256(convert_to(t.fitted, 'UTF8')), 'hex')) END, 'spec', v.spec, 'n_rows', v.n_rows, 'n_events', v.n_events, 'n_dropped', v.n_dropped,
        'n_holdout', v.n_holdout, 'metrics', v.metrics, 'warnings', to_jsonb(v.warnings), 'note', v.note, 'trained_at', v.trained_at,
        'trained_by', v.trained_by, 'extension_version', v.extension_version, 'lineage', v.lineage) || CASE v.profiles WHEN '[]' THEN '{}' ELSE jsonb_build_object('profiles', v.profiles) END END
    FROM (SELECT v.fitted::text OFFSET 0) AS t (fitted)
$$;
COMMENT ON FUNCTION ltv.version_content(ltv.model_versions) IS 'All of a version that never changes, as JSON: everything but its name, number, parent and status. The model is its exact text; one whose text does not fit into JSON (268 MB, some four million distinct durations) is the SHA-256 of that text. SELECT ltv.version_content(v) FROM ltv.model_versions v.';

CREATE FUNCTION ltv.content_sha256(content jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$ SELECT encode(sha256(convert_to(content::text, 'UTF8')), 'hex') $$;
COMMENT ON FUNCTION ltv.content_sha256(jsonb) IS 'SHA-256 (FIPS 180-4) of the text of a JSON value as PostgreSQL writes it, in hexadecimal: the seal of version_content.';

CREATE FUNCTION ltv.check_profiles(profiles jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF jsonb_typeof(profiles) <> 'array' OR EXISTS (
        SELECT FROM jsonb_array_elements(CASE jsonb_typeof(profiles) WHEN 'array' THEN profiles ELSE '[]' END) AS p
        WHERE jsonb_typeof(p) <> 'object' OR coalesce(p ->> 'role', '') NOT IN ('feature', 'prediction', 'duration', 'error', 'limit', 'place') OR p ->> 'input' IS NULL
           OR jsonb_typeof(p -> 'horizon') NOT IN ('number', 'null') OR p ->> 'role' <> 'place' AND jsonb_typeof(p -> 'profile') IS DISTINCT FROM 'string'
           OR jsonb_typeof(p -> 'segment') NOT IN ('string', 'null') OR p ->> 'segment' IS NOT NULL AND p ->> 'role' NOT IN ('error', 'place')) THEN
        RAISE EXCEPTION 'profiles are a JSON array of objects with role, input, horizon and profile'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'As in ltv.model_versions.profiles: role is feature, prediction, duration, error, limit or place; profile is the text of an ltv.profile, and a place has places, the text of an ltv.survival.';
    END IF;
    PERFORM (p ->> 'profile')::ltv.profile, (p ->> 'horizon')::float8 FROM jsonb_array_elements(profiles) AS p;
    -- Shares of rows, of all or of one segment.
    IF EXISTS (
        SELECT FROM jsonb_array_elements(profiles) AS p WHERE p ->> 'role' = 'place' AND NOT coalesce(
            jsonb_typeof(p -> 'places') = 'string' AND ltv.max_followup((p ->> 'places')::ltv.survival) <= 1 AND ltv.subjects((p ->> 'places')::ltv.survival) <= (p ->> 'rows')::float8 AND (p ->> 'given')::float8 BETWEEN 0 AND 1.7e308
            AND jsonb_typeof(p -> 'by') = 'array' AND jsonb_typeof(p -> 'levels') = 'array' AND jsonb_array_length(p -> 'by') = jsonb_array_length(p -> 'levels')
            AND NOT jsonb_path_exists((p -> 'by') || (p -> 'levels'), '$[*] ? (@.type() != "string")'), false)) THEN
        RAISE EXCEPTION 'a place has places, shares from 0 to 1 as the text of an ltv.survival, rows, given, by and levels'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'As train writes them: by and levels are arrays of texts, empty for all rows; rows counts those held out that lasted beyond given.';
    END IF;
    -- Every number that score reads is there and could be what it says; NULL where one is missing.
    IF EXISTS (
        SELECT FROM jsonb_array_elements(profiles) AS p WHERE p ->> 'role' = 'limit' AND (
            jsonb_typeof(p -> 'horizon') <> 'number' OR coalesce(jsonb_typeof(p -> 'held_out') <> 'string', false) OR jsonb_typeof(p -> 'groups') IS DISTINCT FROM 'array' AND (p ? 'groups' OR NOT p ? 'held_out') OR p ? 'groups' AND NOT coalesce((
                SELECT bool_and(coalesce(jsonb_typeof(g) = 'object' AND l."from" BETWEEN 0 AND l."to" AND l."to" <= 1 AND l.rows BETWEEN l.events AND 9007199254740992 AND l.events >= 0
                                         AND l.predicted BETWEEN 0 AND 1 AND l.rate BETWEEN l.lower AND l.upper AND l.lower >= 0 AND l.upper <= 1
                                         AND l.upper_power > 0 AND l.lower_power BETWEEN l.upper_power AND 1e15, false))
                FROM jsonb_array_elements(CASE jsonb_typeof(p -> 'groups') WHEN 'array' THEN p -> 'groups' ELSE '[]' END) AS g,
                     jsonb_to_record(CASE jsonb_typeof(g) WHEN 'object' THEN g ELSE '{}' END) AS l ("from" float8, "to" float8, rows bigint, events bigint, predicted float8, rate float8, lower float8, upper float8, lower_power float8, upper_power float8)), false))) THEN
        RAISE EXCEPTION 'the groups of a limit are a JSON array of objects with from, to, rows, events, predicted, rate, lower, upper, lower_power and upper_power'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'As train writes them: probabilities from 0 to 1, counts, and the powers of a prediction that are its limits; held_out is a text.';
    END IF;
    PERFORM ltv.held_out_summary(p ->> 'held_out') FROM jsonb_array_elements(profiles) AS p WHERE p ->> 'role' = 'limit';
END
$$;
COMMENT ON FUNCTION ltv.check_profiles(jsonb) IS 'Raises 22023 unless its argument could be the profiles of a version. NULL passes.';

CREATE FUNCTION ltv.check_version(v ltv.model_versions) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fault text;
BEGIN
    IF v IS NULL THEN
        RETURN;
    END IF;
    IF num_nulls(v.algorithm, v.fitted, v.n_rows, v.n_events, v.n_dropped, v.n_holdout, v.warnings, v.trained_at, v.trained_by, v.extension_version) > 0 THEN
        RAISE EXCEPTION 'a version has an algorithm, a model, counts of rows and events, warnings, and who trained it when'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Only its note, lineage, parent and profiles may be missing.';
    END IF;
    IF jsonb_typeof(v.spec) IS DISTINCT FROM 'object' OR jsonb_typeof(v.metrics) IS DISTINCT FROM 'array' OR jsonb_typeof(v.lineage) IS DISTINCT FROM 'object'
       OR EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(v.metrics) WHEN 'array' THEN v.metrics ELSE '[]' END) m
                  WHERE jsonb_typeof(m) <> 'object' OR jsonb_typeof(m -> 'metric') IS DISTINCT FROM 'string'
                     OR EXISTS (SELECT FROM jsonb_each(m) e WHERE e.key IN ('value', 'baseline_value', 'skill', 'parent_value') AND jsonb_typeof(e.value) NOT IN ('number', 'null'))) THEN
        RAISE EXCEPTION 'spec and lineage are JSON objects, metrics is an array of objects'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'metrics as [{"metric": "concordance", "value": 0.7, "baseline": "chance", "baseline_value": 0.5, "skill": null}].';
    END IF;
    IF EXISTS (SELECT FROM jsonb_array_elements(v.metrics) m, jsonb_each(m) e WHERE jsonb_typeof(e.value) = 'number' AND abs(e.value::numeric) > 1.7e308) THEN
        RAISE EXCEPTION 'a metric is beyond the numbers' USING ERRCODE = 'invalid_parameter_value', HINT = 'Values are double precision.';
    END IF;
    IF NOT (v.n_events >= 0 AND v.n_events < 'Infinity' AND v.n_rows >= 0 AND v.n_dropped >= 0 AND v.n_holdout >= 0) THEN
        RAISE EXCEPTION 'rows and events are counts: % rows with % events', v.n_rows, v.n_events
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Finite and not negative.';
    END IF;
    IF v.algorithm <> ltv.model_algorithm(v.fitted) THEN
        RAISE EXCEPTION 'the algorithm of the model is %, not "%"', ltv.model_algorithm(v.fitted), v.algorithm
            USING ERRCODE = 'invalid_parameter_value', HINT = 'ltv.model_algorithm tells it.';
    END IF;
    IF array_ndims(v.warnings) > 1 OR EXISTS (SELECT FROM unnest(v.warnings) AS w WHERE w IS NULL) OR NOT isfinite(v.trained_at) THEN
        RAISE EXCEPTION 'a version was trained on a day, and its warnings are a plain list without NULL' USING ERRCODE = 'invalid_parameter_value', HINT = 'As train writes them.';
    END IF;
    -- What is read as a list or an object is one, where it is there.
    SELECT min(k.name || ' must be ' || CASE k.kind WHEN 'number' THEN 'number' WHEN 'string' THEN 'a text' ELSE k.kind || ' of JSON' END) INTO fault
    FROM (SELECT 'spec.' || e.key, e.value, s.kind
          FROM jsonb_each(v.spec) e JOIN (
              VALUES ('array', '{features,segment_by}'::text[]), ('number', '{horizon,seed,min_events,half_life}'), ('object', '{holdout,options,columns,era,recalibration,expected_signs}'),
                     ('string', '{source,algorithm,duration,event,entry,strata,weight,cluster,null_policy,label_policy,target,pooling,censoring,as_of,started_on,known_on,unit}')) AS s (kind, keys) ON e.key = ANY (s.keys)
          UNION ALL SELECT 'spec.holdout.' || e.key, e.value, CASE e.key WHEN 'fraction' THEN 'number' ELSE 'string' END
          FROM jsonb_each(CASE jsonb_typeof(v.spec -> 'holdout') WHEN 'object' THEN v.spec -> 'holdout' ELSE '{}' END) e WHERE e.key IN ('by', 'from', 'after', 'last', 'fraction')
          UNION ALL SELECT 'lineage.' || e.key, e.value, CASE e.key WHEN 'rows' THEN 'number' WHEN 'period' THEN 'object' ELSE 'array' END
          FROM jsonb_each(v.lineage) e WHERE e.key IN ('rows', 'columns', 'relations', 'period')) AS k (name, value, kind)
    WHERE jsonb_typeof(k.value) <> k.kind AND NOT (k.value = 'null' AND k.kind <> 'array')
       OR k.name = 'lineage.rows' AND k.value::text !~ '^([0-9]{1,18}|null)$'
       OR EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(k.value) WHEN 'array' THEN k.value ELSE '[]' END) AS i
                  WHERE jsonb_typeof(i) <> CASE WHEN k.name LIKE 'spec.%' THEN 'string' ELSE 'object' END);
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'a version cannot have this: %', fault
            USING ERRCODE = 'invalid_parameter_value', HINT = 'features and segment_by are names, columns and relations of the lineage objects, its rows a count: as train writes them.';
    END IF;
    PERFORM (v.spec ->> 'as_of')::date;
    IF jsonb_typeof(v.spec -> 'holdout') = 'object' AND (v.spec #>> '{holdout,by}' IS NULL OR NOT coalesce((v.spec #>> '{holdout,fraction}')::numeric BETWEEN 0.000001 AND 0.999999999, true)) THEN
        RAISE EXCEPTION 'a version cannot have this: spec.holdout is %', v.spec -> 'holdout' USING ERRCODE = 'invalid_parameter_value', HINT = 'It names the column by which rows were held out, and a fraction is between 0 and 1: as train writes it.';
    END IF;
    PERFORM ltv.check_profiles(v.profiles);
    SELECT min(p ->> 'input') INTO fault FROM jsonb_array_elements(v.profiles) AS p
    WHERE p ->> 'role' = 'feature' AND p ->> 'input' <> ALL (ltv.model_features(v.fitted) || ARRAY(SELECT c.value FROM jsonb_each_text(CASE jsonb_typeof(v.spec -> 'columns') WHEN 'object' THEN v.spec -> 'columns' ELSE '{}' END) AS c WHERE c.value IS NOT NULL));
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'a profile is of "%", which the model does not read', fault USING ERRCODE = 'invalid_parameter_value', HINT = 'Profiles are of the features of the model, of its predictions and of the durations: as train writes them.';
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.check_version(ltv.model_versions) IS 'Raises 22023 unless its argument could be a version: the algorithm is that of the model, counts are counts, metrics numbers, and what functions read out of spec, lineage and profiles is of the kind that they read. Asked by register_version, import_model and, of rows that come by INSERT, row security. NULL passes.';

CREATE FUNCTION ltv.is_version(v ltv.model_versions) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM ltv.check_version(v);
    RETURN true;
END
$$;
COMMENT ON FUNCTION ltv.is_version(ltv.model_versions) IS 'True, or the error of check_version: for row security, by which no trainer''s INSERT breaks the views that read versions.';

CREATE POLICY is_sound ON ltv.model_versions AS RESTRICTIVE FOR INSERT WITH CHECK (ltv.is_version(model_versions));

CREATE FUNCTION ltv.check_new_model(model text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM ltv.model_versions v WHERE v.model = check_new_model.model) THEN
        RAISE EXCEPTION 'there are versions of % without their row in ltv.models', check_new_model.model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'A superuser restores that row, with the owner it had (created_by), or takes the versions away too: docs/operations.md, to remove a model whole.';
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.check_new_model(text) IS 'Raises 55000 when there are versions of a model whose row of ltv.models has just been made: who made it would own what another trained. register_version and import_model call it.';

CREATE FUNCTION ltv.hold_version(label text, shared boolean) RETURNS void
    LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
    SELECT CASE WHEN shared THEN pg_catalog.pg_advisory_xact_lock_shared(k.key) ELSE pg_catalog.pg_advisory_xact_lock(k.key) END FROM (SELECT pg_catalog.hashtextextended('ltv.model_versions ' || label, 0) AS key) k;
END;
COMMENT ON FUNCTION ltv.hold_version(text, boolean) IS 'Keeps apart, until the transaction ends, who takes away a version (name@version; shared false) and those who make another of it (shared true), as a recalibration or a hybrid, before these have committed: an advisory lock, as anybody may take it; who must not wait for long sets lock_timeout.';

CREATE FUNCTION ltv.version_stands(label text) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 100 SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'version_stands';
COMMENT ON FUNCTION ltv.version_stands(text) IS 'Whether there is a version (name@version) by now, as it is committed, whatever the snapshot of the transaction. NULL where no model that the role sees is called so.';

CREATE FUNCTION ltv.made_of(label text) RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'made_of';
COMMENT ON FUNCTION ltv.made_of(text) IS 'The versions that hold the whole of a version (name@version) by now, as it is committed, whatever the snapshot of the transaction: recalibrated ones and hybrids, in one text; NULL where none does. drop_version asks it.';

CREATE FUNCTION ltv.register_version(
    model text, algorithm text, fitted ltv.model, spec jsonb, n_rows bigint, n_events double precision, n_dropped bigint DEFAULT 0,
    n_holdout bigint DEFAULT 0, metrics jsonb DEFAULT '[]', warnings text[] DEFAULT '{}', note text DEFAULT NULL, lineage jsonb DEFAULT '{}',
    parent integer DEFAULT NULL, profiles jsonb DEFAULT '[]'
) RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    made ltv.model_versions;
    origins text[];
    gone text;
BEGIN
    IF num_nulls(register_version.model, register_version.algorithm, register_version.fitted, register_version.spec, register_version.n_rows,
                 register_version.n_events, register_version.n_dropped, register_version.n_holdout, register_version.metrics, register_version.warnings) > 0 THEN
        RAISE EXCEPTION 'only note, lineage, parent and profiles may be NULL' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT ltv.is_model_name(register_version.model) THEN
        RAISE EXCEPTION '"%" cannot be the name of a model', register_version.model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It must not be empty or longer than 500 characters, begin or end with a space, contain @ or a character that cannot be seen, or be *, which means all models.';
    END IF;
    INSERT INTO ltv.models (name) VALUES (register_version.model) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM ltv.check_new_model(register_version.model);
    END IF;
    IF NOT ltv.has_model_privilege(register_version.model, 'train') THEN
        RAISE EXCEPTION 'the model % is restricted', register_version.model
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('Its owner can let you: SELECT ltv.grant_model(%L, %L, ''train'').', register_version.model, current_user);
    END IF;
    IF NOT EXISTS (SELECT FROM ltv.model_versions v WHERE v.model = register_version.model AND v.version = register_version.parent) AND register_version.parent IS NOT NULL THEN
        RAISE EXCEPTION 'there is no %@% that it could have been made from', register_version.model, register_version.parent
            USING ERRCODE = 'invalid_parameter_value', HINT = 'parent is a version of the same model, or NULL.';
    END IF;
    -- A drop_version of what this is made of waits, and then finds it; one that came first is found.
    origins := ARRAY(SELECT format('%s@%s', register_version.model, register_version.parent) WHERE register_version.parent IS NOT NULL
                     UNION SELECT c.model FROM ltv.hybrid_components(register_version.fitted) c WHERE register_version.algorithm = 'hybrid' AND c.model IS NOT NULL ORDER BY 1);
    PERFORM ltv.hold_version(o.label, true) FROM unnest(origins) AS o (label);
    SELECT o.label INTO gone FROM unnest(origins) AS o (label) WHERE NOT ltv.version_stands(o.label) ORDER BY 1 LIMIT 1;
    IF gone IS NOT NULL THEN
        RAISE EXCEPTION '%, of which this is made, is not in the registry any more', gone
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Make it of a version that is there.';
    END IF;
    made.model := register_version.model;
    made.status := 'candidate';
    made.algorithm := register_version.algorithm;
    made.fitted := register_version.fitted;
    made.spec := register_version.spec;
    made.n_rows := register_version.n_rows;
    made.n_events := register_version.n_events;
    made.n_dropped := register_version.n_dropped;
    made.n_holdout := register_version.n_holdout;
    made.metrics := register_version.metrics;
    made.warnings := register_version.warnings;
    made.note := register_version.note;
    made.trained_at := now();
    made.trained_by := current_user;
    made.extension_version := ltv.version();
    made.parent := register_version.parent;
    made.lineage := coalesce(register_version.lineage, '{}');
    made.profiles := coalesce(register_version.profiles, '[]');
    PERFORM ltv.check_version(made);
    made.sha256 := ltv.content_sha256(ltv.version_content(made));
    -- The primary key keeps trainings that meet apart: each tries again with the next number, so many times.
    FOR attempt IN 1..100 LOOP
        SELECT coalesce(max(v.version), 0) + 1 INTO made.version FROM ltv.model_versions v WHERE v.model = made.model;
        INSERT INTO ltv.model_versions SELECT made.* ON CONFLICT DO NOTHING;
        IF FOUND THEN
            INSERT INTO ltv.events (action, model, version, reason, detail)
            VALUES ('train', made.model, made.version, made.note, jsonb_build_object('sha256', made.sha256));
            RETURN made.version;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'other sessions keep registering versions of %', made.model USING ERRCODE = 'serialization_failure', HINT = 'Try again.';
END
$$;
COMMENT ON FUNCTION ltv.register_version(text, text, ltv.model, jsonb, bigint, double precision, bigint, bigint, jsonb, text[], text, jsonb, integer, jsonb) IS 'Adds a fitted model to the registry as the next version (a candidate) of a model, seals it and writes the audit row: the last step of train, and the way in for a model fitted otherwise, as by fit_cox. Needs INSERT on ltv.models, ltv.model_versions and ltv.events, and the privilege to train the model. Returns the number of the version. Errors 22023, 42501, 40001.';
