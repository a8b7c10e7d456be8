-- How a version is withdrawn: the way back, the conservative baseline, rejection, retirement.

CREATE FUNCTION ltv.version_before(model text, alias text DEFAULT 'production') RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE COST 100
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.version
    FROM ltv.aliases a, unnest(a.earlier) WITH ORDINALITY AS s (version, place)
    WHERE a.model = version_before.model AND a.alias = version_before.alias AND s.version <> a.version
      AND EXISTS (SELECT FROM ltv.model_versions v WHERE v.model = a.model AND v.version = s.version AND v.status <> 'rejected')
    ORDER BY s.place DESC LIMIT 1
$$;
COMMENT ON FUNCTION ltv.version_before(text, text) IS 'The version that rollback would go back to: the highest of the stack beneath that is another than the present one, was not retired and is not rejected. NULL: there is none.';

CREATE FUNCTION ltv.rollback(model text, alias text DEFAULT 'production', to_version integer DEFAULT NULL, reason text DEFAULT NULL)
    RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    now_at ltv.aliases;
    place integer;
    target integer;
    status text;
BEGIN
    IF EXISTS (SELECT FROM ltv.aliases a WHERE a.model = rollback.model AND a.alias = rollback.alias) THEN
        PERFORM ltv.check_model_privilege(rollback.model, 'promote');
    END IF;
    SELECT * INTO now_at FROM ltv.aliases a WHERE a.model = rollback.model AND a.alias = rollback.alias FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nothing was promoted to %@%', rollback.model, rollback.alias
            USING ERRCODE = 'no_data_found', HINT = 'SELECT * FROM ltv.v_production.';
    END IF;
    LOOP
        -- The highest place beneath that holds another version that still exists and was not rejected since.
        SELECT s.place, s.version INTO place, target
        FROM unnest(now_at.earlier) WITH ORDINALITY AS s (version, place)
        WHERE s.version <> now_at.version AND (rollback.to_version IS NULL OR s.version = rollback.to_version)
          AND EXISTS (SELECT FROM ltv.model_versions v WHERE v.model = rollback.model AND v.version = s.version AND v.status <> 'rejected')
        ORDER BY s.place DESC LIMIT 1;
        EXIT WHEN target IS NULL;
        -- Who rejects it at this moment comes first or waits.
        SELECT v.status INTO status FROM ltv.model_versions v WHERE v.model = rollback.model AND v.version = target FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION '%@% was taken away meanwhile', rollback.model, target USING ERRCODE = 'serialization_failure', HINT = 'Try again.';
        END IF;
        EXIT WHEN status <> 'rejected';
    END LOOP;
    IF target IS NULL THEN
        RAISE EXCEPTION '%@% is version %, and %', rollback.model, rollback.alias, now_at.version,
            CASE WHEN rollback.to_version IS NULL THEN 'there is none before it to go back to'
                 ELSE format('version %s is not among those before it', rollback.to_version) END
            USING ERRCODE = 'no_data_found',
                  HINT = CASE WHEN now_at.earlier = '{}' THEN 'ltv.promote names any version; ltv.fall_back goes to the baseline.'
                              ELSE format('Before it, the last first: %s. ltv.promote names any version that is there; ltv.fall_back goes to the baseline.',
                                          (SELECT string_agg(s.version || CASE WHEN v.version IS NULL THEN ' (retired)' WHEN v.status = 'rejected' THEN ' (rejected)' ELSE '' END, ', ' ORDER BY s.place DESC)
                                           FROM unnest(now_at.earlier) WITH ORDINALITY AS s (version, place) LEFT JOIN ltv.model_versions v ON v.model = rollback.model AND v.version = s.version)) END;
    END IF;
    PERFORM ltv.check_seal(rollback.model, target);
    UPDATE ltv.aliases a SET version = target, earlier = now_at.earlier[:place - 1], set_at = now(), set_by = current_user
    WHERE a.model = rollback.model AND a.alias = rollback.alias;
    -- As in promote: written also where the status stays.
    UPDATE ltv.model_versions v
    SET status = CASE WHEN rollback.alias <> 'production' THEN v.status WHEN v.version = target THEN 'production' ELSE 'archived' END
    WHERE v.model = rollback.model AND (v.version = target OR rollback.alias = 'production' AND v.status = 'production');
    INSERT INTO ltv.events (action, model, version, alias, reason, detail)
    VALUES ('rollback', rollback.model, target, rollback.alias, rollback.reason, jsonb_build_object('before', now_at.version));
    RETURN format('%s@%s is version %s, was %s', rollback.model, rollback.alias, target, now_at.version);
END
$$;
COMMENT ON FUNCTION ltv.rollback(text, text, integer, text) IS 'Goes back to the version that the alias named before, or further down to to_version, and takes what was above off the stack: called twice it goes two versions back, and never forth again. Versions that were rejected or retired since are passed over. It asks no gate: the version was in use. Errors P0002 when there is nothing to go back to, naming the stack; 42501 without the right to promote the model; XX001 when the version fails verify; 40001 when it is taken away at the same time.';
REVOKE EXECUTE ON FUNCTION ltv.rollback(text, text, integer, text) FROM PUBLIC;

CREATE FUNCTION ltv.fall_back(model text, reason text) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    target integer;
    before integer;
    made boolean;
    asked jsonb;
BEGIN
    IF fall_back.reason IS NULL OR btrim(fall_back.reason) = '' THEN
        RAISE EXCEPTION 'fall_back needs a reason' USING ERRCODE = 'null_value_not_allowed', HINT = 'Whoever finds the baseline in production will ask.';
    END IF;
    PERFORM ltv.model_version(fall_back.model || '@latest');
    PERFORM ltv.check_model_privilege(fall_back.model, 'promote');
    SELECT a.version INTO target FROM ltv.aliases a WHERE a.model = fall_back.model AND a.alias = 'baseline';
    IF target IS NOT NULL THEN
        -- Which says what is wrong with an alias of a version that is not there.
        target := ltv.model_version(fall_back.model || '@baseline');
    ELSE
        SELECT max(v.version) INTO target FROM ltv.model_versions v
        WHERE v.model = fall_back.model AND v.algorithm IN ('kaplan_meier', 'rule') AND v.status <> 'rejected';
    END IF;
    IF target IS NULL THEN
        SELECT v.spec INTO asked FROM ltv.model_versions v
        WHERE v.model = fall_back.model AND v.version = ltv.model_version(fall_back.model);
        RAISE EXCEPTION '% has no baseline to fall back to, and none is trained silently', fall_back.model
            USING ERRCODE = 'no_data_found',
                  -- What knows no features is the baseline: of durations their curve, of decisions the rate of renewals, of amounts the mean.
                  HINT = CASE
                      WHEN asked ->> 'algorithm' = 'renewal' THEN format('Train one first, the rate of all: SELECT * FROM ltv.train(%L, %L, ''renewal'', event => %L). Then name it, or any version: ltv.promote(%1$L, n, alias => ''baseline'').',
                                                                         fall_back.model, asked ->> 'source', asked ->> 'event')
                      WHEN asked ->> 'target' IS NOT NULL AND asked ->> 'algorithm' <> 'hybrid' THEN format('Train one first, the mean of all: SELECT * FROM ltv.train(%L, %L, ''linear'', target => %L). Then name it, or any version: ltv.promote(%1$L, n, alias => ''baseline'').',
                                                                         fall_back.model, asked ->> 'source', asked ->> 'target')
                      WHEN asked ->> 'duration' IS NOT NULL AND asked ->> 'event' IS NOT NULL THEN format('Train one first: SELECT * FROM ltv.train(%L, %L, ''kaplan_meier'', duration => %L, event => %L). Or name any version: ltv.promote(%1$L, n, alias => ''baseline'').',
                                                                         fall_back.model, asked ->> 'source', asked ->> 'duration', asked ->> 'event')
                      ELSE format('Name the version that is to be it: ltv.promote(%L, n, alias => ''baseline'').', fall_back.model) END;
    END IF;
    INSERT INTO ltv.aliases AS a (model, alias, version)
    SELECT v.model, 'production', v.version FROM ltv.model_versions v WHERE v.model = fall_back.model AND v.version = target
    ON CONFLICT DO NOTHING;
    made := FOUND;
    IF NOT made THEN
        SELECT a.version INTO before FROM ltv.aliases a WHERE a.model = fall_back.model AND a.alias = 'production' FOR UPDATE;
    END IF;
    -- As in promote: the alias first, then the version.
    PERFORM FROM ltv.model_versions v WHERE v.model = fall_back.model AND v.version = target AND v.status <> 'rejected' FOR NO KEY UPDATE;
    IF NOT FOUND OR NOT made AND before IS NULL THEN
        RAISE EXCEPTION '%@% was rejected or taken away meanwhile', fall_back.model, target USING ERRCODE = 'serialization_failure', HINT = 'Try again.';
    END IF;
    PERFORM ltv.check_seal(fall_back.model, target);
    IF NOT made THEN
        UPDATE ltv.aliases a
        SET version = target, set_at = now(), set_by = current_user, earlier = CASE WHEN a.version = target THEN a.earlier ELSE a.earlier || a.version END
        WHERE a.model = fall_back.model AND a.alias = 'production';
    END IF;
    UPDATE ltv.model_versions v SET status = CASE WHEN v.version = target THEN 'production' ELSE 'archived' END
    WHERE v.model = fall_back.model AND (v.version = target OR v.status = 'production');
    INSERT INTO ltv.events (action, model, version, alias, reason, detail)
    VALUES ('fall_back', fall_back.model, target, 'production', fall_back.reason, jsonb_build_object('before', before));
    RETURN format('%s@production is version %s, the baseline', fall_back.model, target)
        || CASE WHEN before IS NULL THEN '' WHEN before = target THEN ', as before' ELSE format(', was %s', before) END;
END
$$;
COMMENT ON FUNCTION ltv.fall_back(text, text) IS 'Puts the conservative baseline into production: the version that the alias baseline names, else the newest kaplan_meier or rule version that is not rejected. It trains nothing and asks no gate: promote has asked it of the alias baseline, and a curve or rule of all rows is to be had when nothing passes. rollback leads back up. Error P0002 when there is no baseline, with the call that trains one; 22004 without a reason; 42501 without the right to promote the model; XX001 when the version fails verify; 40001 when it is rejected at the same time.';
REVOKE EXECUTE ON FUNCTION ltv.fall_back(text, text) FROM PUBLIC;

CREATE FUNCTION ltv.set_status(model text, version integer, status text, reason text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    before text;
    named text;
BEGIN
    IF set_status.model IS NULL OR set_status.version IS NULL OR set_status.status IS NULL THEN
        RAISE EXCEPTION 'set_status needs a model, a version and a status' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF set_status.status = 'production' THEN
        RAISE EXCEPTION 'only promote puts a version into production'
            USING ERRCODE = 'invalid_parameter_value', HINT = format('SELECT ltv.promote(%L, %s, reason => ...).', set_status.model, set_status.version);
    ELSIF set_status.status NOT IN ('candidate', 'validated', 'archived', 'rejected') THEN
        RAISE EXCEPTION 'there is no status "%"', set_status.status
            USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: candidate, validated, archived, rejected; production by ltv.promote.';
    END IF;
    PERFORM ltv.model_version(set_status.model || '@' || set_status.version);
    PERFORM ltv.check_model_privilege(set_status.model, 'promote');
    SELECT v.status INTO before FROM ltv.model_versions v WHERE v.model = set_status.model AND v.version = set_status.version FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '%@% was taken away meanwhile', set_status.model, set_status.version USING ERRCODE = 'serialization_failure', HINT = 'Try again.';
    END IF;
    SELECT string_agg(a.alias, ', ' ORDER BY a.alias) INTO named
    FROM ltv.aliases a WHERE a.model = set_status.model AND a.version = set_status.version AND (a.alias = 'production' OR set_status.status = 'rejected');
    IF named IS NOT NULL THEN
        RAISE EXCEPTION '%@% is in use as %', set_status.model, set_status.version, named
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Let the alias name another version first: ltv.promote, ltv.rollback or ltv.fall_back.';
    END IF;
    UPDATE ltv.model_versions v SET status = set_status.status WHERE v.model = set_status.model AND v.version = set_status.version;
    INSERT INTO ltv.events (action, model, version, reason, detail)
    VALUES ('set_status', set_status.model, set_status.version, set_status.reason, jsonb_build_object('before', before, 'status', set_status.status));
    RETURN format('%s@%s is %s', set_status.model, set_status.version, set_status.status)
        || CASE WHEN before = set_status.status THEN ', as before' ELSE ', was ' || before END;
END
$$;
COMMENT ON FUNCTION ltv.set_status(text, integer, text, text) IS 'Sets a version to candidate, validated (reviewed; a policy may require it: {"status": "= validated"}), archived or rejected (promote refuses it, rollback passes it over), and writes the audit row. production comes and goes with that alias only. Errors: P0002 no such version, 22023 no such status, 42501 without the right to promote the model, 55000 while an alias names it.';
REVOKE EXECUTE ON FUNCTION ltv.set_status(text, integer, text, text) FROM PUBLIC;

CREATE FUNCTION ltv.retire(model text, keep integer DEFAULT 10, reason text DEFAULT NULL)
    RETURNS TABLE (version integer, algorithm text, trained_at timestamptz, sha256 text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    taken jsonb;
BEGIN
    IF retire.keep IS NULL OR retire.keep < 1 THEN
        RAISE EXCEPTION 'keep must be at least 1, not %', coalesce(retire.keep::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The newest version stays, so that its number is never given again.';
    END IF;
    PERFORM ltv.model_version(retire.model || '@latest');
    PERFORM ltv.check_model_privilege(retire.model, 'admin');
    WITH gone AS (
        DELETE FROM ltv.model_versions v
        WHERE v.model = retire.model AND v.status <> 'validated'
          AND v.version NOT IN (SELECT n.version FROM ltv.model_versions n WHERE n.model = retire.model ORDER BY n.version DESC LIMIT retire.keep)
          -- What an alias names, and what one rollback of it would name.
          AND NOT EXISTS (SELECT FROM ltv.aliases a WHERE a.model = retire.model AND v.version IN (a.version, ltv.version_before(a.model, a.alias)))
        RETURNING v.version, v.algorithm, v.trained_at, v.sha256, v.metrics
    )
    SELECT coalesce(jsonb_agg(to_jsonb(g) ORDER BY g.version), '[]') INTO taken FROM gone g;
    -- Told when they are gone: row security believes nothing else.
    INSERT INTO ltv.events (action, model, version, reason, detail)
    SELECT 'retire', retire.model, (g ->> 'version')::integer, retire.reason, g - 'version' FROM jsonb_array_elements(taken) AS g;
    -- Whoever let an alias name one of them while this waited came first.
    IF EXISTS (SELECT FROM ltv.aliases a WHERE a.model = retire.model AND NOT EXISTS (SELECT FROM ltv.model_versions v WHERE v.model = a.model AND v.version = a.version)) THEN
        RAISE EXCEPTION 'an alias of % was changed meanwhile', retire.model USING ERRCODE = 'serialization_failure', HINT = 'Try again.';
    END IF;
    RETURN QUERY SELECT g.version, g.algorithm, g.trained_at, g.sha256
    FROM jsonb_to_recordset(taken) AS g (version integer, algorithm text, trained_at timestamptz, sha256 text) ORDER BY g.version;
END
$$;
COMMENT ON FUNCTION ltv.retire(text, integer, text) IS 'Deletes old versions and writes an audit row for each, with its hash and metrics. The newest keep stay, and whatever an alias names or one rollback of it would name, and validated versions. export_model first what may be asked for later. Returns what is gone. Needs DELETE on ltv.model_versions and to be an admin of the model. Errors P0002, 22023, 42501; 40001 when an alias is set to one of them at the same time.';
REVOKE EXECUTE ON FUNCTION ltv.retire(text, integer, text) FROM PUBLIC;
