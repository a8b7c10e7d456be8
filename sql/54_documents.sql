-- What a version says of itself: where it comes from, how it differs from another, and whether it is as it was written.

CREATE FUNCTION ltv.lineage(model text, version integer DEFAULT NULL)
    RETURNS TABLE (kind text, name text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted_model constant text := split_part(lineage.model, '@', 1);
    v ltv.model_versions;
    came text;
BEGIN
    SELECT * INTO v FROM ltv.model_versions r
    WHERE r.model = wanted_model
      AND r.version = ltv.model_version(CASE WHEN lineage.version IS NULL THEN lineage.model ELSE wanted_model || '@' || lineage.version END);
    IF v.model IS NULL THEN
        PERFORM ltv.model_version(lineage.model);
        RETURN;
    END IF;
    IF has_table_privilege('ltv.events'::regclass, 'SELECT') THEN
        SELECT format('from %s, by %s at %s', e.detail ->> 'exported_as', e.actor, to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')) INTO came
        FROM (SELECT * FROM ltv.events o WHERE o.model = v.model AND o.version = v.version AND o.action IN ('train', 'import') ORDER BY o.occurred_at DESC LIMIT 1) e WHERE e.action = 'import';
    END IF;
    RETURN QUERY
    SELECT row.kind, row.name, row.detail
    FROM (
        SELECT 1, 'source', v.spec ->> 'source', format('%s rows', v.lineage ->> 'rows'), 0::bigint
        UNION ALL SELECT 2, 'rows', part.name, part.n::text, part.place
        FROM (VALUES ('fitted', v.n_rows, 1), ('held out', v.n_holdout, 2), ('dropped', v.n_dropped, 3)) AS part (name, n, place)
        UNION ALL SELECT 3, 'cut-off', part.name, part.value, part.place
        FROM (VALUES ('as of', v.spec ->> 'as_of', 1), ('holdout', v.spec ->> 'holdout', 2),
                     ('first ' || (v.lineage #>> '{period,by}'), v.lineage #>> '{period,from}', 3),
                     ('last ' || (v.lineage #>> '{period,by}'), v.lineage #>> '{period,to}', 4)) AS part (name, value, place)
        WHERE part.value IS NOT NULL
        UNION ALL SELECT 4, 'column', c.value ->> 'column', concat_ws(', ', c.value ->> 'role', c.value ->> 'type', c.value ->> 'comment'), c.place
        FROM jsonb_array_elements(CASE jsonb_typeof(v.lineage -> 'columns') WHEN 'array' THEN v.lineage -> 'columns' ELSE '[]' END) WITH ORDINALITY AS c (value, place)
        UNION ALL SELECT 5, 'fingerprint', 'the columns of ' || (v.spec ->> 'source'), v.lineage ->> 'fingerprint', 0
        WHERE v.lineage ->> 'fingerprint' IS NOT NULL
        UNION ALL SELECT 6, r.value ->> 'kind', r.value ->> 'relation',
               coalesce(r.value ->> 'definition', concat_ws(', ', 'of ' || (r.value ->> 'owner'), 'about ' || (r.value ->> 'estimated_rows') || ' rows', r.value ->> 'comment')), r.place
        FROM jsonb_array_elements(CASE jsonb_typeof(v.lineage -> 'relations') WHEN 'array' THEN v.lineage -> 'relations' ELSE '[]' END) WITH ORDINALITY AS r (value, place)
        UNION ALL SELECT 7, 'label policy', v.spec ->> 'event', coalesce(v.spec ->> 'label_policy', 'none was stored'), 0
        UNION ALL SELECT 8, 'made', part.name, part.value, part.place
        FROM (VALUES ('by', v.trained_by, 1), ('at', to_char(v.trained_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), 2),
                     ('from version', v.parent::text, 3), ('by ltv', v.extension_version, 4), ('on PostgreSQL', v.lineage ->> 'postgresql', 5),
                     ('in database', v.lineage ->> 'database', 6), ('imported', came, 7), ('sha256', v.sha256, 8)) AS part (name, value, place)
        WHERE part.value IS NOT NULL
    ) AS row (section, kind, name, detail, place)
    ORDER BY row.section, row.place;
END
$$;
COMMENT ON FUNCTION ltv.lineage(text, integer) IS 'Where a version comes from, as it was when it was trained: source and rows, cut-off, columns with part, type and comment, the fingerprint of the data (data_fingerprint of the same columns now tells whether they have changed), every relation behind the source with the definitions of views, the label policy, who, when, by which release; of an imported version under which name it was exported, by whom it was imported and when (for who may read ltv.events). model may be name@alias; without a version what the name means. Error P0002.';

CREATE FUNCTION ltv.diff(model text, v1 integer, v2 integer)
    RETURNS TABLE (field text, old text, new text, change double precision)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF diff.model IS NULL OR diff.v1 IS NULL OR diff.v2 IS NULL THEN
        RETURN;
    END IF;
    PERFORM ltv.model_version(diff.model || '@' || diff.v1), ltv.model_version(diff.model || '@' || diff.v2);
    RETURN QUERY
    WITH side AS (
        SELECT v.*, place FROM ltv.model_versions v JOIN (VALUES (1, diff.v1), (2, diff.v2)) AS s (place, wanted) ON v.version = s.wanted
        WHERE v.model = diff.model
    ), fact (side, section, field, word, number) AS (
        SELECT s.place, 1, f.name, f.word, NULL::float8
        FROM side s, LATERAL (VALUES ('algorithm', s.algorithm), ('fit_status', ltv.model_status(s.fitted)), ('note', s.note),
            ('trained_by', s.trained_by), ('extension_version', s.extension_version)) AS f (name, word)
        UNION ALL SELECT s.place, 2, e.key, CASE jsonb_typeof(e.value) WHEN 'null' THEN NULL ELSE e.value #>> '{}' END, NULL
        FROM side s, jsonb_each(CASE jsonb_typeof(s.spec) WHEN 'object' THEN s.spec ELSE '{}' END) e WHERE e.key NOT IN ('features', 'algorithm', 'recalibration')
        -- Of a map what made it; the map itself is recalibration(model).
        UNION ALL SELECT s.place, 2, 'recalibration', format('%s on %s at %s: %s rows, %s events, map %s', r ->> 'method', r ->> 'source', r ->> 'horizon', r ->> 'rows', r ->> 'events', left(md5(r ->> 'map'), 8)), NULL
        FROM side s, LATERAL (SELECT s.spec -> 'recalibration' AS r) x WHERE jsonb_typeof(r) = 'object'
        UNION ALL SELECT s.place, 3, 'feature ' || f.name, 'used', NULL
        FROM side s, jsonb_array_elements_text(CASE jsonb_typeof(s.spec -> 'features') WHEN 'array' THEN s.spec -> 'features' ELSE '[]' END) AS f (name)
        UNION ALL SELECT s.place, 4, f.name, NULL, f.number
        FROM side s, LATERAL (VALUES ('n_rows', s.n_rows::float8), ('n_events', s.n_events), ('n_holdout', s.n_holdout), ('n_dropped', s.n_dropped)) AS f (name, number)
        UNION ALL SELECT s.place, 5, f.name, f.word, NULL
        FROM side s, LATERAL (VALUES ('data fingerprint', s.lineage ->> 'fingerprint'), ('data from', s.lineage #>> '{period,from}'),
            ('data to', s.lineage #>> '{period,to}')) AS f (name, word)
        UNION ALL SELECT s.place, 6, 'column ' || (c ->> 'column'), concat_ws(', ', c ->> 'role', c ->> 'type'), NULL
        FROM side s, jsonb_array_elements(CASE jsonb_typeof(s.lineage -> 'columns') WHEN 'array' THEN s.lineage -> 'columns' ELSE '[]' END) AS c
        UNION ALL SELECT s.place, 7, 'definition of ' || (r ->> 'relation'), r ->> 'definition', NULL
        FROM side s, jsonb_array_elements(CASE jsonb_typeof(s.lineage -> 'relations') WHEN 'array' THEN s.lineage -> 'relations' ELSE '[]' END) AS r
        WHERE r ->> 'definition' IS NOT NULL
        UNION ALL SELECT s.place, 8, 'metric ' || (m ->> 'metric'), NULL, (m ->> 'value')::float8 FROM side s, jsonb_array_elements(s.metrics) AS m
        UNION ALL SELECT s.place, 9, 'skill ' || (m ->> 'metric'), NULL, (m ->> 'skill')::float8 FROM side s, jsonb_array_elements(s.metrics) AS m
        UNION ALL SELECT s.place, 10, 'coefficient ' || c.term, NULL, c.estimate FROM side s, LATERAL ltv.coefficients(s.fitted) AS c
        UNION ALL SELECT s.place, 11, 'warning', string_agg(w, '; '), NULL FROM side s, unnest(s.warnings) AS w GROUP BY s.place
    )
    SELECT field, coalesce(a.word, round(a.number::numeric, 6)::text), coalesce(b.word, round(b.number::numeric, 6)::text), b.number - a.number
    FROM (SELECT section, field, word, number FROM fact WHERE side = 1) a
    FULL JOIN (SELECT section, field, word, number FROM fact WHERE side = 2) b USING (section, field)
    WHERE (a.word, a.number) IS DISTINCT FROM (b.word, b.number)
    ORDER BY section, field;
END
$$;
COMMENT ON FUNCTION ltv.diff(text, integer, integer) IS 'In what two versions of a model differ, a row per field: what was asked, features, rows, the data (fingerprint, period, types of columns, definitions of views), metrics and their skill, coefficients, warnings. NULL: the version does not have it. change = new - old of numbers, which are shown with 6 decimals and compared exactly. No rows: no difference. Error P0002.';

CREATE FUNCTION ltv.verify(model text, version integer DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted_model constant text := split_part(verify.model, '@', 1);
    v ltv.model_versions;
    written text;
BEGIN
    SELECT * INTO v FROM ltv.model_versions r
    WHERE r.model = wanted_model
      AND r.version = ltv.model_version(CASE WHEN verify.version IS NULL THEN verify.model ELSE wanted_model || '@' || verify.version END);
    IF v.model IS NULL THEN
        PERFORM ltv.model_version(verify.model);
        RETURN NULL;
    END IF;
    -- The audit row has the seal too, and what has none came in by no door; whoever may not read the trail compares with the
    -- version's own. The last of them: a number comes back when the versions up to it are gone.
    IF NOT has_table_privilege('ltv.events'::regclass, 'SELECT') THEN
        written := v.sha256;
    ELSE
        SELECT e.detail ->> 'sha256' INTO written FROM ltv.events e
        WHERE e.model = v.model AND e.version = v.version AND e.action IN ('train', 'import') ORDER BY e.occurred_at DESC LIMIT 1;
    END IF;
    RETURN coalesce(ltv.content_sha256(ltv.version_content(v)) = v.sha256 AND v.sha256 = written, false);
END
$$;
COMMENT ON FUNCTION ltv.verify(text, integer) IS 'Whether a version is as it was written: the SHA-256 of its content (version_content) computed anew is that of the row and, for who may read ltv.events, that of its audit row (the last of its training or import, for a number may have been given before); without one it is not. Finds every change to the model, the metrics, the lineage and the rest; there is no secret key, so whoever may write both tables can forge both. SELECT v.model, v.version FROM ltv.model_versions v WHERE NOT ltv.verify(v.model, v.version). Error P0002.';

CREATE FUNCTION ltv.check_seal(model text, version integer DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT ltv.verify(check_seal.model, check_seal.version) THEN
        RAISE EXCEPTION '% is not as it was written', check_seal.model || coalesce('@' || check_seal.version, '')
            USING ERRCODE = 'data_corrupted', HINT = 'SELECT * FROM ltv.v_events tells who did what; restore the row, or train anew.';
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.check_seal(text, integer) IS 'Raises XX001 unless a version is as it was written (verify). Of a name without a version what it means. Error P0002.';
