-- A version as a document to take along, to bring back, and to read.

CREATE FUNCTION ltv.export_model(model text, version integer DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted_model constant text := split_part(export_model.model, '@', 1);
    v ltv.model_versions;
    content jsonb;
BEGIN
    SELECT * INTO v FROM ltv.model_versions r
    WHERE r.model = wanted_model
      AND r.version = ltv.model_version(CASE WHEN export_model.version IS NULL THEN export_model.model ELSE wanted_model || '@' || export_model.version END);
    IF v.model IS NULL THEN
        PERFORM ltv.model_version(export_model.model);
        RETURN NULL;
    END IF;
    PERFORM ltv.check_seal(v.model, v.version);
    content := ltv.version_content(v);
    IF jsonb_typeof(content -> 'fitted') <> 'string' THEN
        RAISE EXCEPTION 'the model of %@% is too long for a document of JSON', v.model, v.version
            USING ERRCODE = 'program_limit_exceeded', HINT = 'pg_dump carries it, and so does COPY of ltv.model_versions. Whole days instead of fractions make it smaller.';
    END IF;
    RETURN jsonb_build_object('format', 'ltv.model', 'format_version', 1, 'model', v.model, 'version', v.version, 'sha256', v.sha256,
                              'content', content);
END
$$;
COMMENT ON FUNCTION ltv.export_model(text, integer) IS 'A version as one JSON document, exact to the last bit, for import_model in another database; the format is told in docs/governance.md. Errors: P0002, XX001 when the version fails verify, 54000 when its model is too long for JSON.';

CREATE FUNCTION ltv.import_model(document jsonb, on_conflict text DEFAULT 'error', as_model text DEFAULT NULL, reason text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    hint constant text := 'It must be what ltv.export_model gave, unchanged.';
    content jsonb := document -> 'content';
    made ltv.model_versions;
    standing text;
BEGIN
    IF on_conflict IS NULL OR on_conflict NOT IN ('error', 'skip', 'next') THEN
        RAISE EXCEPTION 'unknown on_conflict "%"', on_conflict
            USING ERRCODE = 'invalid_parameter_value', HINT = 'error, skip (leave what is there), or next (take the next number).';
    END IF;
    IF document ->> 'format' IS DISTINCT FROM 'ltv.model' OR jsonb_typeof(content) IS DISTINCT FROM 'object'
       OR jsonb_typeof(document -> 'model') IS DISTINCT FROM 'string' OR jsonb_typeof(document -> 'version') IS DISTINCT FROM 'number' OR document ->> 'version' !~ '^[1-9][0-9]{0,8}$' THEN
        RAISE EXCEPTION 'this is no exported model' USING ERRCODE = 'invalid_parameter_value', HINT = hint;
    END IF;
    -- Numbers have nine digits at most (model_version), and those to come need room.
    IF document ->> 'version' ~ '^[0-9]{9}' THEN
        RAISE EXCEPTION 'version % leaves no numbers for those to come', document ->> 'version'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Numbers up to 99999999 can be imported.';
    END IF;
    IF document -> 'format_version' IS DISTINCT FROM '1' THEN
        RAISE EXCEPTION 'this document has format version %, and this release reads 1', coalesce(document ->> 'format_version', 'NULL')
            USING ERRCODE = 'feature_not_supported', HINT = 'A later release of ltv wrote it: ALTER EXTENSION ltv UPDATE.';
    END IF;
    IF ltv.content_sha256(content) IS DISTINCT FROM document ->> 'sha256' THEN
        RAISE EXCEPTION 'the document was changed after its export: its content has not the SHA-256 that it names'
            USING ERRCODE = 'data_corrupted', HINT = hint;
    END IF;
    made.model := coalesce(as_model, document ->> 'model');
    IF NOT ltv.is_model_name(made.model) THEN
        RAISE EXCEPTION '"%" cannot be the name of a model', made.model
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It must not be empty or longer than 500 characters, begin or end with a space, contain @ or a character that cannot be seen, or be *, which means all models.';
    END IF;
    made.version := document ->> 'version';
    made.status := 'candidate';
    made.algorithm := content ->> 'algorithm';
    made.fitted := content ->> 'fitted';
    made.spec := content -> 'spec';
    made.n_rows := content ->> 'n_rows';
    made.n_events := content ->> 'n_events';
    made.n_dropped := content ->> 'n_dropped';
    made.n_holdout := content ->> 'n_holdout';
    made.metrics := content -> 'metrics';
    made.warnings := ARRAY(SELECT w FROM jsonb_array_elements_text(content -> 'warnings') WITH ORDINALITY AS e (w, place) ORDER BY place);
    made.note := content ->> 'note';
    made.trained_at := content ->> 'trained_at';
    made.trained_by := content ->> 'trained_by';
    made.extension_version := content ->> 'extension_version';
    made.lineage := content -> 'lineage';
    made.profiles := coalesce(content -> 'profiles', '[]');
    made.sha256 := document ->> 'sha256';
    PERFORM ltv.check_version(made);
    IF ltv.content_sha256(ltv.version_content(made)) <> made.sha256 THEN
        RAISE EXCEPTION 'this document holds what a version of this release does not' USING ERRCODE = 'invalid_parameter_value', HINT = hint;
    END IF;
    INSERT INTO ltv.models (name) VALUES (made.model) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM ltv.check_new_model(made.model);
    END IF;
    IF NOT ltv.has_model_privilege(made.model, 'train') THEN
        RAISE EXCEPTION 'the model % is restricted', made.model
            USING ERRCODE = 'insufficient_privilege', HINT = 'Import it under a name of your own: as_model => ''...''.';
    END IF;
    FOR attempt IN 1..100 LOOP
        INSERT INTO ltv.model_versions SELECT made.* ON CONFLICT DO NOTHING;
        EXIT WHEN FOUND;
        SELECT v.sha256 INTO standing FROM ltv.model_versions v WHERE v.model = made.model AND v.version = made.version;
        IF on_conflict = 'skip' THEN
            RETURN format('%s@%s', made.model, made.version);
        ELSIF on_conflict = 'error' THEN
            RAISE EXCEPTION '%@% exists already, %', made.model, made.version,
                CASE WHEN standing = made.sha256 THEN 'with the same content' ELSE 'with another content' END
                USING ERRCODE = 'unique_violation', HINT = 'on_conflict => ''skip'' leaves it, ''next'' takes the next number, as_model => another name.';
        END IF;
        IF attempt = 100 THEN
            RAISE EXCEPTION 'other sessions keep registering versions of %', made.model USING ERRCODE = 'serialization_failure', HINT = 'Try again.';
        END IF;
        SELECT max(v.version) + 1 INTO made.version FROM ltv.model_versions v WHERE v.model = made.model;
    END LOOP;
    INSERT INTO ltv.events (action, model, version, reason, detail)
    VALUES ('import', made.model, made.version, import_model.reason,
            jsonb_build_object('sha256', made.sha256, 'exported_as', format('%s@%s', document ->> 'model', document ->> 'version')));
    RETURN format('%s@%s', made.model, made.version);
END
$$;
COMMENT ON FUNCTION ltv.import_model(jsonb, text, text, text) IS 'Adds what export_model gave to this registry as a candidate (it promotes nothing), under its own name and number or as_model, and writes the audit row. The seal is checked, and everything in it is read as strictly as if it came from a stranger. on_conflict, when the number is taken: error; skip, leaves what is there; next, takes the next number. Returns name@version. Errors: 22023 no exported model, XX001 changed since the export, 0A000 a later format, 23505 the number is taken, 42501.';
REVOKE EXECUTE ON FUNCTION ltv.import_model(jsonb, text, text, text) FROM PUBLIC;

CREATE FUNCTION ltv.model_card(model text, version integer DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
    SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC'
AS $$
#variable_conflict use_column
DECLARE
    wanted_model constant text := split_part(model_card.model, '@', 1);
    -- A cell of a table: no line breaks, and no bars that would end it.
    nl constant text := E'\n';
    v ltv.model_versions;
    amounts boolean;
    customers boolean;
    card text;
    part text;
    named text;
    came text;
    cut constant integer := 25;
    n bigint;
BEGIN
    SELECT * INTO v FROM ltv.model_versions r
    WHERE r.model = wanted_model
      AND r.version = ltv.model_version(CASE WHEN model_card.version IS NULL THEN model_card.model ELSE wanted_model || '@' || model_card.version END);
    IF v.model IS NULL THEN
        PERFORM ltv.model_version(model_card.model);
        RETURN NULL;
    END IF;
    SELECT string_agg(format('**%s**', a.alias), ', ' ORDER BY a.alias) INTO named FROM ltv.aliases a WHERE a.model = v.model AND a.version = v.version;
    IF has_table_privilege('ltv.events'::regclass, 'SELECT') THEN
        SELECT format(', imported %s from an export of %s', to_char(e.occurred_at, 'YYYY-MM-DD'), e.detail ->> 'exported_as') INTO came
        FROM (SELECT * FROM ltv.events o WHERE o.model = v.model AND o.version = v.version AND o.action IN ('train', 'import') ORDER BY o.occurred_at DESC LIMIT 1) e WHERE e.action = 'import';
    END IF;
    customers := v.algorithm IN ('bg_nbd', 'mbg_nbd', 'pareto_nbd', 'gamma_gamma');
    amounts := v.algorithm IN ('linear', 'gamma', 'tweedie', 'two_part', 'hybrid');
    card := format('# %s, version %s', v.model, v.version) || nl || nl
        || format(E'%s \u00B7 %s \u00B7 trained %s by %s with ltv %s%s%s', coalesce(named, v.status), v.algorithm, to_char(v.trained_at, 'YYYY-MM-DD'), v.trained_by,
                  v.extension_version, ', from version ' || v.parent, came) || nl || nl;

    card := card || '## What it is for' || nl || nl
        || CASE WHEN v.algorithm = 'gamma_gamma' THEN 'It says what a purchase of a customer with the history below is expected to be worth: `expected_spend`.'
           WHEN customers THEN 'It says, for a customer with the history below, how probable it is that they still are one (`probability_alive`) and how many purchases are to come (`expected_purchases`). Time is that of the age, in its own unit.'
           WHEN v.spec ->> 'target' IS NOT NULL THEN format('It says, for a row with the columns below, what `%s` is expected to be.', v.spec ->> 'target')
           WHEN v.algorithm = 'hybrid' THEN format('It says what a row with the columns below is worth: %s.', (SELECT string_agg(format('%s by `%s`', c.role, c.model), ', ') FROM ltv.hybrid_components(v.fitted) AS c))
           WHEN v.spec ->> 'event' IS NULL OR v.spec ->> 'duration' IS NULL THEN 'It says, for a row with the columns below, how likely it is to be there at a given time, and from that how long it lasts and what it is worth.'
           WHEN ltv.cause_expression(v.spec) IS NOT NULL THEN format('It says, for a row with the columns below, how likely it is that it has not ended by the cause `%s` of `%s` by a given time, when other causes may end it first. '
                  || 'Time is `%s`%s, in its own unit.', v.spec #>> '{options,cause}', v.spec ->> 'event', v.spec ->> 'duration', ', observed from `' || (v.spec ->> 'entry') || '` on')
           ELSE format('It says, for a row with the columns below, how likely it is that `%s` has not come true by a given time, and from that how long it lasts and what it is worth. '
                  || 'Time is `%s`%s, in its own unit.', v.spec ->> 'event', v.spec ->> 'duration', ', observed from `' || (v.spec ->> 'entry') || '` on') END || nl || nl
        || CASE WHEN (amounts OR customers) AND v.spec ->> 'label_policy' IS NULL THEN ''
                ELSE format('What counts as %s: %s', CASE WHEN customers THEN 'a purchase' ELSE 'the event' END, coalesce(v.spec ->> 'label_policy', E'*not written down* (`train(\u2026, label_policy => \u2026)`).')) || nl END
        || coalesce(nl || '> ' || replace(v.note, nl, nl || '> ') || nl, '') || nl;

    card := card || '## Data' || nl || nl || '| | |' || nl || '|---|---|' || nl
        || (SELECT string_agg(format('| %s | %s |', f.name, replace(replace(f.value, '|', '\|'), nl, ' ')), nl ORDER BY f.place)
            FROM (VALUES (1, 'Source', format('`%s`%s', v.spec ->> 'source', ', ' || to_char((v.lineage ->> 'rows')::bigint, 'FM999,999,999,999') || ' rows')),
                         (2, 'Fitted on', CASE WHEN v.n_rows = 0 THEN 'nothing' WHEN amounts THEN format('%s rows', to_char(v.n_rows, 'FM999,999,999,999'))
                                                 WHEN customers THEN format('%s customers, %s of them with repeat purchases', to_char(v.n_rows, 'FM999,999,999,999'), to_char(v.n_events, 'FM999,999,999,990.##')) ELSE format('%s rows with %s events (%s %%)', to_char(v.n_rows, 'FM999,999,999,999'), to_char(v.n_events, 'FM999,999,999,990.##'),
                                                 round((100 * v.n_events / nullif(v.n_rows, 0))::numeric, 1)) END),
                         (3, 'Held out', CASE WHEN v.n_holdout > 0 THEN format('%s rows, by %s', to_char(v.n_holdout, 'FM999,999,999,999'),
                                                 (SELECT string_agg(CASE WHEN e.key = 'by' THEN format('`%s`', e.value) ELSE format('%s %s', e.key, e.value) END, ', ' ORDER BY e.key <> 'by', e.key)
                                                  FROM jsonb_each_text(v.spec -> 'holdout') e)) ELSE 'nothing' END),
                         (4, 'Left out', CASE WHEN v.n_dropped > 0 THEN format('%s rows with a NULL', to_char(v.n_dropped, 'FM999,999,999,999')) END),
                         (5, 'Knowledge as of', v.spec ->> 'as_of'),
                         (6, 'Period', format('`%s` from %s to %s', v.lineage #>> '{period,by}', v.lineage #>> '{period,from}', v.lineage #>> '{period,to}')),
                         (7, 'Weights', format('`%s`', v.spec ->> 'weight')),
                         (7, 'Standard errors', CASE WHEN ltv.model_clusters(v.fitted) IS NOT NULL THEN format('robust, %s%s clusters', coalesce(format('by `%s`: ', v.spec ->> 'cluster'), 'each row by itself: '), to_char(ltv.model_clusters(v.fitted), 'FM999,999,999,999')) END),
                         (7, 'Segments', CASE WHEN v.spec ? 'segment_by' THEN (SELECT format('%s: %s', (SELECT string_agg(format('`%s`', g), ', ') FROM jsonb_array_elements_text(v.spec -> 'segment_by') AS g),
                                                        string_agg(format('%s %s', c.n, c.status), ', ' ORDER BY c.status))
                                          FROM (SELECT g.status, count(*) AS n FROM ltv.model_segments(v.fitted) AS g GROUP BY g.status) AS c) END),
                         (8, 'Fingerprint', format('`%s`', v.lineage ->> 'fingerprint'))) AS f (place, name, value)
            WHERE f.value IS NOT NULL AND f.value NOT IN ('``') AND (f.place <> 6 OR v.lineage #>> '{period,by}' IS NOT NULL)) || nl || nl;

    SELECT string_agg(format('| `%s` | %s | %s | %s |', replace(c.value ->> 'column', '|', '\|'), c.value ->> 'role', c.value ->> 'type',
                             coalesce(replace(replace(c.value ->> 'comment', '|', '\|'), nl, ' '), '')), nl ORDER BY c.place)
    INTO part
    FROM jsonb_array_elements(CASE jsonb_typeof(v.lineage -> 'columns') WHEN 'array' THEN v.lineage -> 'columns' ELSE '[]' END) WITH ORDINALITY AS c (value, place);
    IF part IS NOT NULL THEN
        card := card || '## Columns' || nl || nl || '| Column | Part | Type | Meaning |' || nl || '|---|---|---|---|' || nl || part || nl || nl;
        IF EXISTS (SELECT FROM jsonb_array_elements(v.lineage -> 'columns') c WHERE c ->> 'comment' IS NULL) THEN
            card := card || E'A meaning is the column''s comment when the model was trained: `COMMENT ON COLUMN \u2026 IS ''\u2026''`.' || nl || nl;
        END IF;
    END IF;

    SELECT string_agg(format('| %s | %s | %s | %s |', replace(c.term, '|', '\|'), coalesce(to_char(c.estimate, 'FM999990.0000'), E'\u2013'), coalesce(to_char(coalesce(c.robust_std_error, c.std_error), 'FM999990.0000'), E'\u2013'),
                             CASE WHEN c.p_value IS NULL THEN E'\u2013' WHEN c.p_value < 0.0001 THEN '< 0.0001' ELSE to_char(c.p_value, 'FM0.0000') END), nl ORDER BY c.place)
           FILTER (WHERE c.place <= cut), count(*)
    INTO part, n
    FROM ltv.coefficients(v.fitted) WITH ORDINALITY AS c (term, estimate, std_error, robust_std_error, z, p_value, hazard_ratio, lower, upper, place);
    IF part IS NOT NULL THEN
        card := card || '## What it learnt' || nl || nl || '| Term | Coefficient | Standard error | p |' || nl || '|---|---:|---:|---:|' || nl || part || nl || nl
            || CASE WHEN n > cut THEN format('And %s more: `ltv.coefficients`.', n - cut) || nl || nl ELSE '' END;
    END IF;

    card := card || '## How good it is' || nl || nl;
    SELECT string_agg(format('| %s | %s | %s | %s | %s |', m.value ->> 'metric', coalesce(to_char((m.value ->> 'value')::numeric, 'FM999999990.0000'), E'\u2013'),
                             coalesce(m.value ->> 'baseline', E'\u2013'), coalesce(to_char((m.value ->> 'baseline_value')::numeric, 'FM999999990.0000'), E'\u2013'),
                             coalesce(to_char(100 * (m.value ->> 'skill')::numeric, 'FM999990.0') || ' %', E'\u2013')), nl ORDER BY m.place)
    INTO part
    FROM jsonb_array_elements(v.metrics) WITH ORDINALITY AS m (value, place);
    card := card || coalesce(
        CASE WHEN v.spec ? 'recalibration' THEN format('On the rows that its map was fitted to, each judged by a map of the others%s:',
                                                    (SELECT format(' (of version %s: %s)', v.parent, string_agg(format('%s %s', m.value ->> 'metric', coalesce(to_char((m.value ->> 'parent_value')::numeric, 'FM999999990.0000'), E'\u2013')), ', ' ORDER BY m.place))
                                                     FROM jsonb_array_elements(v.metrics) WITH ORDINALITY AS m (value, place) WHERE m.value ? 'parent_value' HAVING count(*) > 0))
             WHEN v.n_holdout > 0 AND customers AND v.spec ->> 'target' IS NOT NULL THEN 'On the customers held out, by what they did later, beside the same customers going on as before:'
             WHEN customers AND v.spec ->> 'target' IS NOT NULL THEN 'On the customers it was fitted on, by what they did later, of which the fit knows nothing, beside the same customers going on as before:'
             WHEN customers THEN 'On the customers it was fitted on, which says nothing about others:'
             WHEN v.n_holdout > 0 AND amounts THEN 'On the rows held out, beside the mean of the training rows:'
             WHEN v.n_holdout > 0 THEN E'On the rows held out, beside a Kaplan\u2013Meier curve of the training rows that knows no features:'
             ELSE 'On the rows it was fitted on, which says nothing about others:' END || nl || nl
        || '| Metric | This model | Baseline | Its value | Skill |' || nl || '|---|---:|---|---:|---:|' || nl || part || nl || nl, 'Nothing was measured.' || nl || nl);
    IF NOT amounts AND NOT customers AND NOT EXISTS (SELECT FROM jsonb_array_elements(v.metrics) m WHERE m ->> 'metric' ~* '(calibration|ece|ici)') THEN
        card := card || 'Calibration was not measured at training; `ltv.calibration_agg` does, on rows whose outcome is known.' || nl || nl;
    END IF;

    card := card || '## Warnings and limits' || nl || nl
        || coalesce((SELECT string_agg(format('- **%s**', w), nl) FROM unnest(v.warnings) AS w) || nl, '')
        || CASE WHEN v.warnings = '{}' THEN '- No warnings at training; the fit is ' || ltv.model_status(v.fitted) || '.' || nl ELSE '' END
        || CASE WHEN v.algorithm = 'gamma_gamma' THEN '- A customer without repeat purchases is expected to spend what all do on average.'
                WHEN customers THEN '- A customer of whom frequency, recency or age is not known has no prediction.'
                WHEN v.spec ->> 'null_policy' IN ('impute', 'indicator') THEN '- A missing feature counts as what is usual; a row with a category that training has not seen has no score.'
                WHEN v.algorithm IN ('boosted_hazard', 'boosted_value') AND v.spec ->> 'null_policy' = 'learn' THEN '- A row with a missing feature goes the way that the trees have learnt, or with the most of the rows where training lacked none; a row with a category that training has not seen has no score.'
                WHEN v.algorithm IN ('boosted_hazard', 'boosted_value') THEN '- Training lacked no feature: a row with a missing one goes with the most of the rows, and its status says so; a row with a category that training has not seen has no score.'
                ELSE '- A row with a missing feature, or a category that training has not seen, has no score; `predict` says which.' END || nl
        || CASE WHEN v.algorithm = 'gamma_gamma' THEN '- By the model what customers spend does not depend on how often they buy: `corr(frequency, mean_value)` should be near 0.' || nl || nl
                WHEN customers THEN '- By the model customers buy at random, each at a rate that does not change, until they leave for good: seasons and campaigns are not in it.' || nl || nl
                WHEN amounts THEN '- It tells what is expected, not what would change it: coefficients are associations.' || nl || nl
                ELSE '- Beyond the time that was observed a prediction goes on with the last rate, and its status is `extrapolated`.' || nl
                  || '- It tells who leaves, not what would make them stay: coefficients are associations.' || nl || nl END;

    card := card || '## Where it comes from' || nl || nl;
    SELECT string_agg(format('- `%s`, %s%s', r.value ->> 'relation', r.value ->> 'kind', coalesce(': ' || replace(r.value ->> 'comment', nl, ' '), ''))
                      || coalesce(nl || nl || '  ```sql' || nl || '  ' || replace(btrim(r.value ->> 'definition', ' '), nl, nl || '  ') || nl || '  ```' || nl, ''), nl ORDER BY r.place)
    INTO part
    FROM jsonb_array_elements(CASE jsonb_typeof(v.lineage -> 'relations') WHEN 'array' THEN v.lineage -> 'relations' ELSE '[]' END) WITH ORDINALITY AS r (value, place);
    card := card || coalesce(part || nl || nl, '')
        || CASE WHEN ltv.verify(v.model, v.version) THEN format('Its content is as it was written: SHA-256 `%s`.', v.sha256)
                ELSE '**Its content is not as it was written.**' END || nl || nl;

    IF has_table_privilege('ltv.events'::regclass, 'SELECT') THEN
        SELECT string_agg(format('| %s | %s | %s%s | %s |', to_char(e.occurred_at, 'YYYY-MM-DD HH24:MI'), e.actor, e.action,
                                 coalesce(' ' || e.alias, '') || coalesce(', before: ' || (e.detail ->> 'before'), ''),
                                 coalesce(replace(replace(e.reason, '|', '\|'), nl, ' '), '')), nl ORDER BY e.occurred_at)
        INTO part
        FROM ltv.events e
        WHERE e.model = v.model AND e.version = v.version
          -- Since it is there: an earlier version may have had its number.
          AND e.occurred_at >= coalesce((SELECT max(o.occurred_at) FROM ltv.events o WHERE o.model = v.model AND o.version = v.version AND o.action IN ('train', 'import')), '-infinity');
        card := card || coalesce('## What became of it' || nl || nl || '| When (UTC) | Who | What | Why |' || nl || '|---|---|---|---|' || nl || part || nl, '');
    END IF;
    RETURN card;
END
$$;
COMMENT ON FUNCTION ltv.model_card(text, integer) IS 'A version as one page of Markdown: what it is for (with the label policy), data, columns with the meaning that their comments gave, coefficients, metrics beside the baseline, warnings and limits, lineage with the definitions of views and whether its seal holds, and its history (for who may read ltv.events). From the registry alone: it reads none of the data. model may be name@alias; without a version what the name means. Error P0002. After Mitchell et al. 2019.';
