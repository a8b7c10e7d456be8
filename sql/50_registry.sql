-- The registry: which models there are, which version an alias names, and who changed that when.
-- Natural keys, no sequences, no triggers: a dump restores it and training goes on. A promote is one row under MVCC.

CREATE TABLE ltv.models (
    name text PRIMARY KEY CHECK (name OPERATOR(pg_catalog.~) '^[^@[:space:]][^@]*$'),
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    created_by text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE ltv.models IS 'The models by name.';
COMMENT ON COLUMN ltv.models.name IS 'Without @, which separates version and alias: churn, churn@7, churn@production.';
COMMENT ON COLUMN ltv.models.created_at IS 'When it was first trained.';
COMMENT ON COLUMN ltv.models.created_by IS 'Who first trained it.';

CREATE TABLE ltv.model_versions (
    model text NOT NULL REFERENCES ltv.models,
    version integer NOT NULL CHECK (version OPERATOR(pg_catalog.>) 0),
    status text NOT NULL DEFAULT 'candidate' CHECK (status OPERATOR(pg_catalog.=) ANY (ARRAY['candidate', 'production', 'archived', 'rejected'])),
    algorithm text NOT NULL,
    fitted ltv.model NOT NULL,
    spec jsonb NOT NULL,
    n_rows bigint NOT NULL,
    n_events double precision NOT NULL,
    n_dropped bigint NOT NULL,
    n_holdout bigint NOT NULL,
    metrics jsonb NOT NULL DEFAULT '[]',
    warnings text[] NOT NULL DEFAULT '{}',
    note text,
    trained_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    trained_by text NOT NULL DEFAULT current_user,
    extension_version text NOT NULL DEFAULT ltv.version(),
    PRIMARY KEY (model, version)
);
COMMENT ON TABLE ltv.model_versions IS 'Every trained version. Rows are added by train and never changed but for their status.';
COMMENT ON COLUMN ltv.model_versions.model IS 'The model it is a version of.';
COMMENT ON COLUMN ltv.model_versions.version IS '1, 2, 3, ... per model.';
COMMENT ON COLUMN ltv.model_versions.status IS 'candidate after training, production while the alias names it, archived afterwards, rejected by hand.';
COMMENT ON COLUMN ltv.model_versions.algorithm IS 'cox, kaplan_meier, discrete_time, or the distribution of a parametric model (of train(..., ''best'') the winner): see model_algorithm.';
COMMENT ON COLUMN ltv.model_versions.fitted IS 'The model itself.';
COMMENT ON COLUMN ltv.model_versions.spec IS 'What train was asked: source, columns, holdout (with its resolved cut-off), NULL policy, seed, label policy.';
COMMENT ON COLUMN ltv.model_versions.n_rows IS 'Rows the fit saw.';
COMMENT ON COLUMN ltv.model_versions.n_events IS 'Events among them.';
COMMENT ON COLUMN ltv.model_versions.n_dropped IS 'Rows left out because a value was NULL.';
COMMENT ON COLUMN ltv.model_versions.n_holdout IS 'Rows held out and used for the metrics only.';
COMMENT ON COLUMN ltv.model_versions.metrics IS 'What train reported: metric, value, the baseline''s value, skill.';
COMMENT ON COLUMN ltv.model_versions.warnings IS 'What train warned of.';
COMMENT ON COLUMN ltv.model_versions.note IS 'The trainer''s own words.';
COMMENT ON COLUMN ltv.model_versions.trained_at IS 'When it was trained.';
COMMENT ON COLUMN ltv.model_versions.trained_by IS 'Who trained it.';
COMMENT ON COLUMN ltv.model_versions.extension_version IS 'The release that trained it.';

CREATE TABLE ltv.aliases (
    model text NOT NULL,
    alias text NOT NULL CHECK (alias OPERATOR(pg_catalog.~) '^[[:alpha:]_][[:alnum:]_-]*$' AND alias OPERATOR(pg_catalog.<>) 'latest'),
    version integer NOT NULL,
    set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    set_by text NOT NULL DEFAULT current_user,
    PRIMARY KEY (model, alias),
    FOREIGN KEY (model, version) REFERENCES ltv.model_versions
);
COMMENT ON TABLE ltv.aliases IS 'Which version a name such as churn@production means: one row, changed by promote.';
COMMENT ON COLUMN ltv.aliases.model IS 'The model.';
COMMENT ON COLUMN ltv.aliases.alias IS 'production, staging, ...; latest is taken: the newest version.';
COMMENT ON COLUMN ltv.aliases.version IS 'The version it names now.';
COMMENT ON COLUMN ltv.aliases.set_at IS 'Since when.';
COMMENT ON COLUMN ltv.aliases.set_by IS 'By whom.';

CREATE TABLE ltv.events (
    event_id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    occurred_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    actor text NOT NULL DEFAULT current_user,
    action text NOT NULL,
    model text NOT NULL,
    version integer,
    alias text,
    reason text,
    detail jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE ltv.events IS 'The audit trail of the registry: rows are only ever added.';
COMMENT ON COLUMN ltv.events.event_id IS 'Key of the row.';
COMMENT ON COLUMN ltv.events.occurred_at IS 'When.';
COMMENT ON COLUMN ltv.events.actor IS 'Who.';
COMMENT ON COLUMN ltv.events.action IS 'train or promote.';
COMMENT ON COLUMN ltv.events.model IS 'The model.';
COMMENT ON COLUMN ltv.events.version IS 'The version.';
COMMENT ON COLUMN ltv.events.alias IS 'The alias, for promote.';
COMMENT ON COLUMN ltv.events.reason IS 'Why, in the actor''s words.';
COMMENT ON COLUMN ltv.events.detail IS 'For promote: the version the alias named before.';

SELECT pg_catalog.pg_extension_config_dump('ltv.models', '');
SELECT pg_catalog.pg_extension_config_dump('ltv.model_versions', '');
SELECT pg_catalog.pg_extension_config_dump('ltv.aliases', '');
SELECT pg_catalog.pg_extension_config_dump('ltv.events', '');

CREATE FUNCTION ltv.model_version(name text) RETURNS integer
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    model_name text := split_part(name, '@', 1);
    wanted text := substr(name, length(split_part(name, '@', 1)) + 2);
    found integer;
    known text;
BEGIN
    IF name LIKE '%@' THEN
        NULL;
    ELSIF wanted ~ '^[0-9]{1,9}$' THEN
        SELECT v.version INTO found FROM ltv.model_versions v WHERE v.model = model_name AND v.version = wanted::integer;
    ELSIF wanted = 'latest' THEN
        SELECT max(v.version) INTO found FROM ltv.model_versions v WHERE v.model = model_name;
    ELSIF wanted <> '' THEN
        SELECT a.version INTO found FROM ltv.aliases a WHERE a.model = model_name AND a.alias = wanted;
    ELSE
        SELECT a.version INTO found FROM ltv.aliases a WHERE a.model = model_name AND a.alias = 'production';
        IF found IS NULL THEN
            SELECT max(v.version) INTO found FROM ltv.model_versions v WHERE v.model = model_name;
        END IF;
    END IF;
    IF found IS NULL THEN
        SELECT string_agg(m.name, ', ' ORDER BY m.name) INTO known FROM ltv.models m WHERE m.name <> model_name;
        IF EXISTS (SELECT FROM ltv.models m WHERE m.name = model_name) THEN
            SELECT string_agg(k.word, ', ' ORDER BY k.word) INTO known FROM (
                SELECT model_name || '@' || v.version AS word FROM ltv.model_versions v WHERE v.model = model_name
                UNION ALL SELECT model_name || '@' || a.alias FROM ltv.aliases a WHERE a.model = model_name) k;
        END IF;
        RAISE EXCEPTION 'there is no model "%"', name
            USING ERRCODE = 'no_data_found',
                  HINT = CASE WHEN known IS NULL THEN 'No model has been trained yet: SELECT * FROM ltv.train(...).'
                              ELSE 'There are: ' || known || '.' END;
    END IF;
    RETURN found;
END
$$;
COMMENT ON FUNCTION ltv.model_version(text) IS 'The version that a name means: name@7 is version 7, name@production what that alias names, name@latest the newest, a bare name production or, while nothing is promoted, the newest. Error P0002 when there is none.';

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

CREATE FUNCTION ltv.promote(model text, version integer, alias text DEFAULT 'production', reason text DEFAULT NULL)
    RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before integer;
    fit_status text;
BEGIN
    IF promote.model IS NULL OR promote.version IS NULL OR promote.alias IS NULL THEN
        RAISE EXCEPTION 'promote needs a model, a version and an alias' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF promote.alias !~ '^[[:alpha:]_][[:alnum:]_-]*$' OR promote.alias = 'latest' THEN
        RAISE EXCEPTION '"%" cannot be an alias', promote.alias
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'A letter first, then letters, digits, _ and -; latest always means the newest version.';
    END IF;
    PERFORM ltv.model_version(promote.model || '@' || promote.version);
    IF EXISTS (SELECT FROM ltv.model_versions v
               WHERE v.model = promote.model AND v.version = promote.version AND v.status = 'rejected') THEN
        RAISE EXCEPTION '%@% is rejected', promote.model, promote.version
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Train a new version, or take its rejection back first.';
    END IF;
    SELECT ltv.model_status(v.fitted) INTO fit_status FROM ltv.model_versions v
    WHERE v.model = promote.model AND v.version = promote.version;
    IF fit_status LIKE 'separated%' OR fit_status = 'not converged' THEN
        RAISE WARNING '%@% is promoted, but its fit is %', promote.model, promote.version, fit_status
            USING HINT = 'A feature that gives the outcome away does this: look at ltv.coefficients, and train without it.';
    END IF;
    -- The row of the alias is the lock: one promote of it at a time.
    SELECT a.version INTO before FROM ltv.aliases a WHERE a.model = promote.model AND a.alias = promote.alias FOR UPDATE;
    INSERT INTO ltv.aliases AS a (model, alias, version) VALUES (promote.model, promote.alias, promote.version)
    ON CONFLICT ON CONSTRAINT aliases_pkey DO UPDATE SET version = EXCLUDED.version, set_at = now(), set_by = current_user;
    IF promote.alias = 'production' THEN
        UPDATE ltv.model_versions v SET status = CASE WHEN v.version = promote.version THEN 'production' ELSE 'archived' END
        WHERE v.model = promote.model AND (v.version = promote.version OR v.status = 'production');
    END IF;
    INSERT INTO ltv.events (action, model, version, alias, reason, detail)
    VALUES ('promote', promote.model, promote.version, promote.alias, promote.reason, jsonb_build_object('before', before));
    RETURN format('%s@%s is version %s', promote.model, promote.alias, promote.version)
        || CASE WHEN before IS NULL THEN '' WHEN before = promote.version THEN ', as before' ELSE format(', was %s', before) END;
END
$$;
COMMENT ON FUNCTION ltv.promote(text, integer, text, text) IS 'Lets an alias (production by default) name a version, and writes the audit row. One row changed under MVCC: undone by ROLLBACK, seen by others at COMMIT. Error P0002 for a version that does not exist.';
REVOKE EXECUTE ON FUNCTION ltv.promote(text, integer, text, text) FROM PUBLIC;
