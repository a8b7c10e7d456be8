-- The registry: which models there are, which version an alias names, and who changed that when.
-- Natural keys, no sequences, no triggers: a dump restores it and training goes on. A promote is one row under MVCC.
-- No foreign keys either: pg_restore -j copies the tables in any order, and would lose the rows that come too early. The
-- functions keep the rows together, and a name whose version is missing is an error, never another version.

CREATE FUNCTION ltv.is_model_name(name text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    -- The same in every locale.
    RETURN (name COLLATE pg_catalog."C") OPERATOR(pg_catalog.~) '^[^@[:space:]]([^@]*[^@[:space:]])?$' AND name OPERATOR(pg_catalog.<>) '*' AND pg_catalog.length(name) OPERATOR(pg_catalog.<=) 500
        AND (name COLLATE pg_catalog."C") OPERATOR(pg_catalog.!~) '[\u0001-\u001F\u007F-\u00A0\u00AD\u034F\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFC\U000E0000-\U000E0FFF]';
COMMENT ON FUNCTION ltv.is_model_name(text) IS 'Whether a model may be called so: the name is not empty, nor longer than 500 characters, does not begin or end with a space, has none of the characters that cannot be seen (controls, spaces of other widths, fillers, marks of direction and of variants), by which it would look like another, and no @, which separates version and alias, and is not *, which means all models in ltv.policies.';

CREATE TABLE ltv.models (
    name text PRIMARY KEY CHECK (ltv.is_model_name(name)),
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    created_by text NOT NULL DEFAULT current_user,
    restricted boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE ltv.models IS 'The models by name.';
COMMENT ON COLUMN ltv.models.name IS 'Without @, which separates version and alias: churn, churn@7, churn@production; not *, which means all (is_model_name).';
COMMENT ON COLUMN ltv.models.created_at IS 'When it was first trained.';
COMMENT ON COLUMN ltv.models.created_by IS 'Who first trained it: its owner, who may do anything with it.';
COMMENT ON COLUMN ltv.models.restricted IS 'Only its owner and the roles of ltv.model_grants see and use it (restrict_model). Otherwise the rights to the tables decide.';

CREATE TABLE ltv.model_versions (
    model text NOT NULL,
    version integer NOT NULL CHECK (version OPERATOR(pg_catalog.>) 0 AND version OPERATOR(pg_catalog.<) 1000000000),
    status text NOT NULL DEFAULT 'candidate' CHECK (status OPERATOR(pg_catalog.=) ANY (ARRAY['candidate', 'validated', 'production', 'archived', 'rejected'])),
    algorithm text NOT NULL,
    fitted ltv.model NOT NULL,
    spec jsonb NOT NULL CHECK (pg_catalog.jsonb_typeof(spec) OPERATOR(pg_catalog.=) 'object'),
    n_rows bigint NOT NULL,
    n_events double precision NOT NULL,
    n_dropped bigint NOT NULL,
    n_holdout bigint NOT NULL,
    metrics jsonb NOT NULL DEFAULT '[]' CHECK (pg_catalog.jsonb_typeof(metrics) OPERATOR(pg_catalog.=) 'array'),
    warnings text[] NOT NULL DEFAULT '{}',
    note text,
    trained_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    trained_by text NOT NULL DEFAULT current_user,
    extension_version text NOT NULL DEFAULT ltv.version(),
    parent integer,
    lineage jsonb NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(lineage) OPERATOR(pg_catalog.=) 'object'),
    profiles jsonb NOT NULL DEFAULT '[]' CHECK (pg_catalog.jsonb_typeof(profiles) OPERATOR(pg_catalog.=) 'array'),
    sha256 text CHECK (sha256 OPERATOR(pg_catalog.~) '^[0-9a-f]{64}$'),
    PRIMARY KEY (model, version)
);
COMMENT ON TABLE ltv.model_versions IS 'Every trained version. Rows are added by train and import_model and never changed but for their status; retire takes old ones away, drop_version one.';
COMMENT ON COLUMN ltv.model_versions.model IS 'The model it is a version of.';
COMMENT ON COLUMN ltv.model_versions.version IS '1, 2, 3, ... per model.';
COMMENT ON COLUMN ltv.model_versions.status IS 'candidate after training, validated by hand (set_status), production while that alias names it, archived afterwards, rejected by hand.';
COMMENT ON COLUMN ltv.model_versions.algorithm IS 'cox, kaplan_meier, discrete_time, or the distribution of a parametric model (of train(..., ''best'') the winner): see model_algorithm.';
COMMENT ON COLUMN ltv.model_versions.fitted IS 'The model itself.';
COMMENT ON COLUMN ltv.model_versions.spec IS 'What train was asked: source, columns, holdout (with its resolved cut-off), NULL policy, seed, label policy.';
COMMENT ON COLUMN ltv.model_versions.n_rows IS 'Rows the fit saw.';
COMMENT ON COLUMN ltv.model_versions.n_events IS 'Events among them.';
COMMENT ON COLUMN ltv.model_versions.n_dropped IS 'Rows left out because a value was NULL.';
COMMENT ON COLUMN ltv.model_versions.n_holdout IS 'Rows held out and used for the metrics only.';
COMMENT ON COLUMN ltv.model_versions.metrics IS 'What train reported: metric, value, the baseline (its name), the baseline''s value, skill.';
COMMENT ON COLUMN ltv.model_versions.warnings IS 'What train warned of.';
COMMENT ON COLUMN ltv.model_versions.note IS 'The trainer''s own words.';
COMMENT ON COLUMN ltv.model_versions.trained_at IS 'When it was trained.';
COMMENT ON COLUMN ltv.model_versions.trained_by IS 'Who trained it.';
COMMENT ON COLUMN ltv.model_versions.extension_version IS 'The release that trained it.';
COMMENT ON COLUMN ltv.model_versions.parent IS 'The version it was made from, as by recalibration; NULL: fitted afresh.';
COMMENT ON COLUMN ltv.model_versions.lineage IS 'What it was trained on, as source_lineage saw it: relations with the definitions of views, columns with their comments, rows, fingerprint, period. See lineage().';
COMMENT ON COLUMN ltv.model_versions.profiles IS 'How its training rows were distributed, and how far off it was on those held out: read it as ltv.model_profiles.';
COMMENT ON COLUMN ltv.model_versions.sha256 IS 'Of the content, written once: verify() computes it anew.';

CREATE TABLE ltv.aliases (
    model text NOT NULL,
    alias text NOT NULL CHECK (alias OPERATOR(pg_catalog.~) '^[[:alpha:]_][[:alnum:]_-]*$' AND alias OPERATOR(pg_catalog.<>) 'latest'),
    version integer NOT NULL,
    set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    set_by text NOT NULL DEFAULT current_user,
    earlier integer[] NOT NULL DEFAULT '{}' CHECK (CASE WHEN pg_catalog.array_ndims(earlier) OPERATOR(pg_catalog.=) 1 AND pg_catalog.array_lower(earlier, 1) OPERATOR(pg_catalog.=) 1 THEN pg_catalog.array_position(earlier, NULL) IS NULL ELSE pg_catalog.array_ndims(earlier) IS NULL END),
    PRIMARY KEY (model, alias)
);
COMMENT ON TABLE ltv.aliases IS 'Which version a name such as churn@production means: one row, changed by promote.';
COMMENT ON COLUMN ltv.aliases.model IS 'The model.';
COMMENT ON COLUMN ltv.aliases.alias IS 'production, staging, ...; latest is taken: the newest version.';
COMMENT ON COLUMN ltv.aliases.version IS 'The version it names now.';
COMMENT ON COLUMN ltv.aliases.set_at IS 'Since when.';
COMMENT ON COLUMN ltv.aliases.set_by IS 'By whom.';
COMMENT ON COLUMN ltv.aliases.earlier IS 'The stack beneath: promote puts the version before on its end, rollback takes it from there.';

CREATE TABLE ltv.policies (
    model text NOT NULL,
    metric text NOT NULL,
    comparison text NOT NULL CHECK (comparison OPERATOR(pg_catalog.=) ANY (ARRAY['>=', '<=', '>', '<', '=', '<>'])),
    bound text NOT NULL,
    note text,
    set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    set_by text NOT NULL DEFAULT current_user,
    PRIMARY KEY (model, metric, comparison)
);
COMMENT ON TABLE ltv.policies IS 'What a version must show before promote lets it into production: see set_policy and gate.';
COMMENT ON COLUMN ltv.policies.model IS 'The model, or * for all. A model''s own line takes the place of that of * for the same metric and comparison.';
COMMENT ON COLUMN ltv.policies.metric IS 'What is looked at: a metric of train, "... skill" of it, or a fact such as n_events, warnings or fit_status. See gate.';
COMMENT ON COLUMN ltv.policies.comparison IS 'One of >=, <=, >, <, =, <>.';
COMMENT ON COLUMN ltv.policies.bound IS 'The number it is compared with; for = and <> also a word.';
COMMENT ON COLUMN ltv.policies.note IS 'Why, in the words of who set it.';
COMMENT ON COLUMN ltv.policies.set_at IS 'Since when.';
COMMENT ON COLUMN ltv.policies.set_by IS 'By whom.';
GRANT SELECT ON ltv.policies TO PUBLIC;

CREATE TABLE ltv.model_grants (
    model text NOT NULL,
    grantee text NOT NULL,
    privilege text NOT NULL CHECK (privilege OPERATOR(pg_catalog.=) ANY (ARRAY['predict', 'train', 'promote', 'admin'])),
    granted_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    granted_by text NOT NULL DEFAULT current_user,
    PRIMARY KEY (model, grantee, privilege)
);
COMMENT ON TABLE ltv.model_grants IS 'Who beside its owner may do what with a restricted model: see grant_model.';
COMMENT ON COLUMN ltv.model_grants.model IS 'The model.';
COMMENT ON COLUMN ltv.model_grants.grantee IS 'A role, by name; its members have the right too.';
COMMENT ON COLUMN ltv.model_grants.privilege IS 'predict (see and score), train, promote (each with predict), or admin (all, and to grant them on).';
COMMENT ON COLUMN ltv.model_grants.granted_at IS 'When.';
COMMENT ON COLUMN ltv.model_grants.granted_by IS 'By whom.';
GRANT SELECT ON ltv.model_grants TO PUBLIC;

CREATE TABLE ltv.events (
    event_id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    occurred_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    actor text NOT NULL DEFAULT current_user,
    action text NOT NULL,
    model text NOT NULL,
    version integer,
    alias text,
    reason text,
    detail jsonb NOT NULL DEFAULT '{}',
    login text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE ltv.events IS 'The audit trail of the registry: rows are only ever added.';
COMMENT ON COLUMN ltv.events.event_id IS 'Key of the row.';
COMMENT ON COLUMN ltv.events.occurred_at IS 'When.';
COMMENT ON COLUMN ltv.events.actor IS 'Whose rights were used: current_user, which SET ROLE and SECURITY DEFINER change.';
COMMENT ON COLUMN ltv.events.action IS 'train, import, promote, rollback, fall_back, set_status, set_policy, restrict, open, grant, revoke, retire or drop.';
COMMENT ON COLUMN ltv.events.model IS 'The model.';
COMMENT ON COLUMN ltv.events.version IS 'The version.';
COMMENT ON COLUMN ltv.events.alias IS 'The alias, where one was moved.';
COMMENT ON COLUMN ltv.events.reason IS 'Why, in the actor''s words.';
COMMENT ON COLUMN ltv.events.detail IS 'What else there is to know: before (the version or status until then), checks (of the gate), sha256.';
COMMENT ON COLUMN ltv.events.login IS 'Who had logged in: session_user, which neither SET ROLE nor SECURITY DEFINER changes. Of a pool with one login for all it is that one.';

SELECT pg_catalog.pg_extension_config_dump('ltv.models', '');
SELECT pg_catalog.pg_extension_config_dump('ltv.model_versions', '');
SELECT pg_catalog.pg_extension_config_dump('ltv.aliases', '');
SELECT pg_catalog.pg_extension_config_dump('ltv.policies', '');
SELECT pg_catalog.pg_extension_config_dump('ltv.model_grants', '');
SELECT pg_catalog.pg_extension_config_dump('ltv.events', '');

CREATE FUNCTION ltv.model_version(name text) RETURNS integer
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_name text := split_part(name, '@', 1);
    wanted text := substr(name, length(split_part(name, '@', 1)) + 2);
    found integer;
    named text;
    known text;
BEGIN
    IF name LIKE '%@' THEN
        NULL;
    ELSIF wanted ~ '^[0-9]{1,9}$' THEN
        SELECT v.version INTO found FROM ltv.model_versions v WHERE v.model = model_name AND v.version = wanted::integer;
    ELSIF wanted = 'latest' THEN
        SELECT max(v.version) INTO found FROM ltv.model_versions v WHERE v.model = model_name;
    ELSIF wanted <> '' THEN
        SELECT a.version, a.alias INTO found, named FROM ltv.aliases a WHERE a.model = model_name AND a.alias = wanted;
    ELSE
        SELECT a.version, a.alias INTO found, named FROM ltv.aliases a WHERE a.model = model_name AND a.alias = 'production';
        IF found IS NULL THEN
            SELECT max(v.version) INTO found FROM ltv.model_versions v WHERE v.model = model_name;
        END IF;
    END IF;
    IF found IS NULL THEN
        -- Of many the twenty that share most pairs of letters with it.
        SELECT string_agg(k.word, ', ' ORDER BY k.word COLLATE "C") || CASE WHEN max(k.n) > 20 THEN format(', and %s more', max(k.n) - 20) ELSE '' END INTO known
        FROM (SELECT w.word, count(*) OVER () AS n
              FROM (SELECT m.name AS word FROM ltv.models m WHERE NOT EXISTS (SELECT FROM ltv.models o WHERE o.name = model_name)
                    UNION ALL SELECT model_name || '@' || v.version FROM ltv.model_versions v WHERE v.model = model_name
                    UNION ALL SELECT model_name || '@' || a.alias FROM ltv.aliases a JOIN ltv.model_versions v USING (model, version) WHERE a.model = model_name) w
              ORDER BY (SELECT count(*) FROM generate_series(1, least(length(name), 100) - 1) i WHERE strpos(lower(w.word), lower(substr(name, i, 2))) > 0) DESC, w.word COLLATE "C" LIMIT 20) k;
        RAISE EXCEPTION 'there is no model "%"', name
            USING ERRCODE = 'no_data_found',
                  HINT = CASE WHEN known IS NULL THEN 'No model has been trained yet: SELECT * FROM ltv.train(...).'
                              ELSE 'There are: ' || known || '.' END;
    END IF;
    IF named IS NOT NULL AND NOT EXISTS (SELECT FROM ltv.model_versions v WHERE v.model = model_name AND v.version = found) THEN
        RAISE EXCEPTION '%@% names version %, which is not there', model_name, named, found
            USING ERRCODE = 'no_data_found',
                  HINT = format('ltv.retire takes none away that an alias names: were all rows of ltv.model_versions restored? Else let it name another: SELECT ltv.promote(%L, version, %L).', model_name, named);
    END IF;
    RETURN found;
END
$$;
COMMENT ON FUNCTION ltv.model_version(text) IS 'The version that a name means: name@7 is version 7, name@production what that alias names, name@latest the newest, a bare name production or, while nothing is promoted, the newest. Error P0002 when there is none, and when an alias names a version that is not there: never another version instead.';

CREATE FUNCTION ltv.model(name text) RETURNS ltv.model
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found ltv.model;
BEGIN
    SELECT v.fitted INTO found FROM ltv.model_versions v
    WHERE v.model = split_part(name, '@', 1) AND v.version = ltv.model_version(name);
    IF found IS NULL THEN
        -- No such model at all, so that the version was never asked for: let that say what there is.
        PERFORM ltv.model_version(name);
    END IF;
    RETURN found;
END
$$;
COMMENT ON FUNCTION ltv.model(text) IS 'A registered model as a value, by name, name@alias or name@version (see model_version). In bulk: ltv.predict((SELECT ltv.model(''churn'')), t, ...).';

CREATE FUNCTION ltv.model(name unknown) RETURNS ltv.model
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'model_by_literal';
COMMENT ON FUNCTION ltv.model(unknown) IS 'The same for a plain literal, ltv.model(''churn''), which would else be read as a cast to the type ltv.model. Give a parameter its type: ltv.model($1::text).';

CREATE FUNCTION ltv.model(name varchar) RETURNS ltv.model
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000 RETURN ltv.model(name::text);
COMMENT ON FUNCTION ltv.model(varchar) IS 'The same for a column of type varchar.';

CREATE FUNCTION ltv.model(name name) RETURNS ltv.model
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000 RETURN ltv.model(name::text);
COMMENT ON FUNCTION ltv.model(name) IS 'The same for a column of type name.';
