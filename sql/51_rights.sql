-- Rights to single models, on top of the plain rights to the tables. The policies are of the extension's own script:
-- pg_dump keeps neither row security nor policies that were added to an extension's tables later, so what differs between
-- databases (which models are restricted, and who may use them) is rows, which it does keep.

CREATE FUNCTION ltv.has_model_privilege(model text, privilege text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF has_model_privilege.privilege IS NULL OR has_model_privilege.privilege NOT IN ('predict', 'train', 'promote', 'admin') THEN
        RAISE EXCEPTION 'there is no privilege "%" on models', has_model_privilege.privilege
            USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: predict, train, promote, admin.';
    END IF;
    IF NOT row_security_active('ltv.models'::regclass) THEN
        RETURN true;
    END IF;
    -- All models at once are nobody's own.
    IF has_model_privilege.model = '*' THEN
        RETURN false;
    END IF;
    RETURN EXISTS (SELECT FROM ltv.models m
                   WHERE m.name = has_model_privilege.model
                     AND (NOT m.restricted AND has_model_privilege.privilege <> 'admin'
                          OR pg_has_role(to_regrole(quote_ident(m.created_by))::oid, 'USAGE')))
        OR EXISTS (SELECT FROM ltv.model_grants g
                   WHERE g.model = has_model_privilege.model AND pg_has_role(to_regrole(quote_ident(g.grantee))::oid, 'USAGE')
                     AND (g.privilege IN (has_model_privilege.privilege, 'admin') OR has_model_privilege.privilege = 'predict'));
END
$$;
COMMENT ON FUNCTION ltv.has_model_privilege(text, text) IS 'Whether the current role may do that with the model: predict (see it and score with it), train (add a version), promote (move its aliases), admin (grant, retire, set its policy). A model that is not restricted is open to who has the rights to the tables; otherwise its owner, members of roles that grant_model has named, and whoever row security does not bind; what concerns all models (*) is for the last only. Error 22023 for another privilege.';

CREATE FUNCTION ltv.check_model_privilege(model text, privilege text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF ltv.has_model_privilege(check_model_privilege.model, check_model_privilege.privilege) THEN
        RETURN;
    END IF;
    IF check_model_privilege.model = '*' THEN
        RAISE EXCEPTION 'what concerns all models is not for %', current_user
            USING ERRCODE = 'insufficient_privilege', HINT = 'It is for superusers, and whomever else row security does not bind. Of one model its owner and admins decide.';
    ELSIF NOT EXISTS (SELECT FROM ltv.models m WHERE m.name = check_model_privilege.model) THEN
        RAISE EXCEPTION 'there is no model "%"', check_model_privilege.model
            USING ERRCODE = 'no_data_found', HINT = 'SELECT name FROM ltv.models.';
    END IF;
    RAISE EXCEPTION '% may not % the model %', current_user, CASE check_model_privilege.privilege WHEN 'admin' THEN 'administer' ELSE check_model_privilege.privilege END,
                    check_model_privilege.model
        USING ERRCODE = 'insufficient_privilege',
              HINT = format('Its owner (ltv.models.created_by) and its admins can change that: SELECT ltv.grant_model(%L, %L, %L).', check_model_privilege.model, current_user, check_model_privilege.privilege);
END
$$;
COMMENT ON FUNCTION ltv.check_model_privilege(text, text) IS 'Raises 42501 unless the current role may do that with the model (has_model_privilege), P0002 when it sees no such model. Row security alone would say nothing: what it hides is changed in silence, not at all. Error 22023 for another privilege.';

CREATE FUNCTION ltv.check_may_train(model text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lacking text;
BEGIN
    SELECT string_agg('ltv.' || t, ', ' ORDER BY place) INTO lacking
    FROM unnest(ARRAY['models', 'model_versions', 'events']) WITH ORDINALITY AS e (t, place) WHERE NOT has_any_column_privilege(('ltv.' || t)::regclass, 'INSERT');
    IF lacking IS NOT NULL THEN
        RAISE EXCEPTION '% may not add to the registry', current_user
            USING ERRCODE = 'insufficient_privilege', HINT = format('GRANT INSERT ON %s TO %I.', lacking, current_user);
    END IF;
    -- Of a model that the role does not see the last step tells.
    IF EXISTS (SELECT FROM ltv.models m WHERE m.name = check_may_train.model) THEN
        PERFORM ltv.check_model_privilege(check_may_train.model, 'train');
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.check_may_train(text) IS 'Raises 42501 unless the current role may add a version to the model: INSERT on ltv.models, ltv.model_versions and ltv.events, and the privilege to train it, if there is one of the name already. train asks it before it reads a row.';

CREATE FUNCTION ltv.may_record(model text, version integer, alias text, action text, detail jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    -- In ltv.train beside register_version, which anybody may call, it is the right to add rows that counts.
    called constant text := CASE may_record.action
        WHEN 'import' THEN 'ltv.import_model(jsonb,text,text,text)' WHEN 'promote' THEN 'ltv.promote(text,integer,text,text,jsonb)'
        WHEN 'rollback' THEN 'ltv.rollback(text,text,integer,text)' WHEN 'fall_back' THEN 'ltv.fall_back(text,text)' WHEN 'set_status' THEN 'ltv.set_status(text,integer,text,text)'
        WHEN 'set_policy' THEN 'ltv.set_policy(text,jsonb,text)' WHEN 'restrict' THEN 'ltv.restrict_model(text,boolean,text)' WHEN 'open' THEN 'ltv.restrict_model(text,boolean,text)'
        WHEN 'grant' THEN 'ltv.grant_model(text,text,text,text)' WHEN 'revoke' THEN 'ltv.revoke_model(text,text,text,text)' WHEN 'retire' THEN 'ltv.retire(text,integer,text)'
        WHEN 'drop' THEN 'ltv.drop_version(text,integer,text)' END;
BEGIN
    IF may_record.action IN ('train', 'import') THEN
        RETURN ltv.has_model_privilege(may_record.model, 'train') AND coalesce(has_function_privilege(called, 'EXECUTE'), true)
            AND EXISTS (SELECT FROM ltv.model_versions v
                        WHERE v.model = may_record.model AND v.version = may_record.version AND v.sha256 = may_record.detail ->> 'sha256'
                          AND (may_record.action = 'import' OR v.trained_by = current_user));
    END IF;
    -- What is told of has just been done, as the registry shows; what a revoke took it does no longer.
    IF may_record.action IN ('promote', 'rollback', 'fall_back') AND NOT EXISTS (
           SELECT FROM ltv.aliases a WHERE a.model = may_record.model AND a.alias = may_record.alias AND a.version = may_record.version AND a.set_by = current_user AND a.set_at = now())
       OR may_record.action = 'set_status' AND NOT EXISTS (
           SELECT FROM ltv.model_versions v WHERE v.model = may_record.model AND v.version = may_record.version AND v.status = may_record.detail ->> 'status')
       OR may_record.action IN ('retire', 'drop') AND (may_record.version IS NULL OR EXISTS (
           SELECT FROM ltv.model_versions v WHERE v.model = may_record.model AND v.version = may_record.version)) THEN
        RETURN false;
    END IF;
    RETURN called IS NOT NULL AND has_function_privilege(called, 'EXECUTE')
       AND ltv.has_model_privilege(may_record.model, CASE WHEN may_record.action IN ('promote', 'rollback', 'fall_back', 'set_status') THEN 'promote' ELSE 'admin' END);
END
$$;
COMMENT ON FUNCTION ltv.may_record(text, integer, text, text, jsonb) IS 'Whether the current role may write such a row into ltv.events, which its row security asks: of what it may do itself with the function and the model, and of what the registry shows to be so: of a training or an import the seal that the version has (a training: one of its own), of an alias that the role has just set it to that version, of a status that the version has it, of what was taken away that it is gone.';

CREATE FUNCTION ltv.is_next_version(model text, version integer) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE COST 100
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT is_next_version.version = coalesce(max(v.version), 0) + 1 OR coalesce(bool_or(v.version = is_next_version.version), false) FROM ltv.model_versions v WHERE v.model = is_next_version.model
$$;
COMMENT ON FUNCTION ltv.is_next_version(text, integer) IS 'Whether a version of that number is the next of the model, as far as the caller sees its versions: train gives no other. True also of one that is there, which its primary key keeps unique: of two trainings that meet the second tries again. NULL for a NULL version.';

ALTER TABLE ltv.models ENABLE ROW LEVEL SECURITY;
ALTER TABLE ltv.model_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE ltv.aliases ENABLE ROW LEVEL SECURITY;
ALTER TABLE ltv.events ENABLE ROW LEVEL SECURITY;
ALTER TABLE ltv.policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE ltv.model_grants ENABLE ROW LEVEL SECURITY;

-- A role that is gone is no role: to_regrole is NULL then. The policy of models asks model_grants only, whose rows
-- everybody may read, so that nothing goes in circles.
CREATE POLICY may_see ON ltv.models FOR SELECT USING (
    NOT restricted
    OR pg_catalog.pg_has_role(pg_catalog.to_regrole(pg_catalog.quote_ident(created_by))::oid, 'USAGE')
    OR EXISTS (SELECT FROM ltv.model_grants g WHERE g.model OPERATOR(pg_catalog.=) name
               AND pg_catalog.pg_has_role(pg_catalog.to_regrole(pg_catalog.quote_ident(g.grantee))::oid, 'USAGE')));
CREATE POLICY may_add ON ltv.models FOR INSERT WITH CHECK (created_by OPERATOR(pg_catalog.=) current_user AND created_at OPERATOR(pg_catalog.=) pg_catalog.now());
CREATE POLICY may_change ON ltv.models FOR UPDATE USING (ltv.has_model_privilege(name, 'admin'));
CREATE POLICY may_see ON ltv.model_versions FOR SELECT USING (EXISTS (SELECT FROM ltv.models m WHERE m.name OPERATOR(pg_catalog.=) model));
-- Who may not import may not say that another trained it, or at another time, and not use up the numbers.
CREATE POLICY may_add ON ltv.model_versions FOR INSERT WITH CHECK (
    ltv.has_model_privilege(model, 'train') AND status OPERATOR(pg_catalog.=) 'candidate' AND sha256 IS NOT NULL
    AND (trained_by OPERATOR(pg_catalog.=) current_user AND trained_at OPERATOR(pg_catalog.=) pg_catalog.now() AND ltv.is_next_version(model, version)
         OR pg_catalog.has_function_privilege('ltv.import_model(pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.text)', 'EXECUTE')));
CREATE POLICY may_change ON ltv.model_versions FOR UPDATE USING (ltv.has_model_privilege(model, 'promote'));
CREATE POLICY may_remove ON ltv.model_versions FOR DELETE USING (ltv.has_model_privilege(model, 'admin'));
CREATE POLICY may_see ON ltv.aliases FOR SELECT USING (EXISTS (SELECT FROM ltv.models m WHERE m.name OPERATOR(pg_catalog.=) model));
-- Who set it, and when, is not his to choose.
CREATE POLICY may_add ON ltv.aliases FOR INSERT WITH CHECK (
    ltv.has_model_privilege(model, 'promote') AND set_by OPERATOR(pg_catalog.=) current_user AND set_at OPERATOR(pg_catalog.=) pg_catalog.now()
    AND EXISTS (SELECT FROM ltv.model_versions v WHERE v.model OPERATOR(pg_catalog.=) aliases.model AND v.version OPERATOR(pg_catalog.=) aliases.version));
CREATE POLICY may_change ON ltv.aliases FOR UPDATE USING (ltv.has_model_privilege(model, 'promote')) WITH CHECK (
    ltv.has_model_privilege(model, 'promote') AND set_by OPERATOR(pg_catalog.=) current_user AND set_at OPERATOR(pg_catalog.=) pg_catalog.now()
    AND EXISTS (SELECT FROM ltv.model_versions v WHERE v.model OPERATOR(pg_catalog.=) aliases.model AND v.version OPERATOR(pg_catalog.=) aliases.version));
CREATE POLICY may_remove ON ltv.aliases FOR DELETE USING (ltv.has_model_privilege(model, 'admin'));
-- What became of an earlier model of the name is for those whom row security does not bind.
CREATE POLICY may_see ON ltv.events FOR SELECT USING (
    model OPERATOR(pg_catalog.=) '*' OR EXISTS (SELECT FROM ltv.models m WHERE m.name OPERATOR(pg_catalog.=) model AND m.created_at OPERATOR(pg_catalog.<=) occurred_at));
CREATE POLICY may_add ON ltv.events FOR INSERT WITH CHECK (
    actor OPERATOR(pg_catalog.=) current_user AND login OPERATOR(pg_catalog.=) session_user AND occurred_at OPERATOR(pg_catalog.>=) pg_catalog.now() AND occurred_at OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp()
    AND ltv.may_record(model, version, alias, action, detail));
CREATE POLICY may_see ON ltv.policies FOR SELECT USING (model OPERATOR(pg_catalog.=) '*' OR EXISTS (SELECT FROM ltv.models m WHERE m.name OPERATOR(pg_catalog.=) model));
CREATE POLICY may_write ON ltv.policies USING (ltv.has_model_privilege(model, 'admin')) WITH CHECK (
    ltv.has_model_privilege(model, 'admin') AND set_by OPERATOR(pg_catalog.=) current_user AND set_at OPERATOR(pg_catalog.=) pg_catalog.now());
CREATE POLICY may_see ON ltv.model_grants FOR SELECT USING (true);
CREATE POLICY may_add ON ltv.model_grants FOR INSERT WITH CHECK (
    ltv.has_model_privilege(model, 'admin') AND granted_by OPERATOR(pg_catalog.=) current_user AND granted_at OPERATOR(pg_catalog.=) pg_catalog.now());
CREATE POLICY may_remove ON ltv.model_grants FOR DELETE USING (ltv.has_model_privilege(model, 'admin'));

CREATE FUNCTION ltv.restrict_model(model text, restricted boolean DEFAULT true, reason text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF restrict_model.restricted IS NULL THEN
        RAISE EXCEPTION 'restrict_model needs true or false, not NULL' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    UPDATE ltv.models m SET restricted = restrict_model.restricted WHERE m.name = restrict_model.model;
    IF NOT FOUND THEN
        PERFORM FROM ltv.models m WHERE m.name = restrict_model.model;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no model "%"', restrict_model.model
                USING ERRCODE = 'no_data_found', HINT = 'SELECT name FROM ltv.models.';
        END IF;
        RAISE EXCEPTION 'only the owner and admins of % may restrict it', restrict_model.model
            USING ERRCODE = 'insufficient_privilege', HINT = 'SELECT created_by FROM ltv.models tells who owns it.';
    END IF;
    INSERT INTO ltv.events (action, model, reason)
    VALUES (CASE WHEN restrict_model.restricted THEN 'restrict' ELSE 'open' END, restrict_model.model, restrict_model.reason);
    RETURN CASE WHEN restrict_model.restricted THEN format('%s is for its owner and the roles of ltv.model_grants', restrict_model.model)
                ELSE format('%s is for all who have the rights to the registry', restrict_model.model) END;
END
$$;
COMMENT ON FUNCTION ltv.restrict_model(text, boolean, text) IS 'Closes a model to all but its owner and the roles that grant_model has named; false opens it again to who has the rights to the tables. For its owner, its admins and superusers. Errors P0002, 42501.';
REVOKE EXECUTE ON FUNCTION ltv.restrict_model(text, boolean, text) FROM PUBLIC;

CREATE FUNCTION ltv.grant_model(model text, grantee text, privilege text DEFAULT 'predict', reason text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    plain text[];
    step text;
BEGIN
    IF NOT EXISTS (SELECT FROM ltv.models m WHERE m.name = grant_model.model) THEN
        RAISE EXCEPTION 'there is no model "%"', grant_model.model USING ERRCODE = 'no_data_found', HINT = 'SELECT name FROM ltv.models.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = grant_model.grantee) THEN
        RAISE EXCEPTION 'there is no role "%"', grant_model.grantee
            USING ERRCODE = 'undefined_object', HINT = 'The name of a role as a string, in its own case: ''analysts''.';
    END IF;
    PERFORM ltv.has_model_privilege(grant_model.model, grant_model.privilege);
    IF NOT ltv.has_model_privilege(grant_model.model, 'admin') THEN
        RAISE EXCEPTION 'only the owner and admins of % may grant rights to it', grant_model.model
            USING ERRCODE = 'insufficient_privilege', HINT = 'SELECT created_by FROM ltv.models tells who owns it.';
    END IF;
    -- To administer is never open to all, so it may be granted of an open model too.
    IF grant_model.privilege <> 'admin' AND NOT EXISTS (SELECT FROM ltv.models m WHERE m.name = grant_model.model AND m.restricted) THEN
        RAISE EXCEPTION '% is not restricted: who has the rights to the registry may use it already', grant_model.model
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('SELECT ltv.restrict_model(%L) first.', grant_model.model);
    END IF;
    -- One after the other: two GRANTs on one table at once are an error of the server's.
    LOCK TABLE ltv.model_grants IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO ltv.model_grants (model, grantee, privilege) VALUES (grant_model.model, grant_model.grantee, grant_model.privilege)
    ON CONFLICT DO NOTHING;
    INSERT INTO ltv.events (action, model, reason, detail)
    VALUES ('grant', grant_model.model, grant_model.reason, jsonb_build_object('grantee', grant_model.grantee, 'privilege', grant_model.privilege));
    -- The plain rights that go with it are their owner's to give; an admin of one model relies on those that a group role has.
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = 'ltv.model_versions'::regclass AND pg_has_role(c.relowner, 'USAGE')) THEN
        plain := ARRAY['SELECT ON ltv.models, ltv.model_versions, ltv.aliases, ltv.v_models, ltv.v_production, ltv.v_events, ltv.model_profiles, ltv.model_limits, ltv.model_places'];
        IF grant_model.privilege IN ('train', 'admin') THEN
            plain := plain || ARRAY['EXECUTE ON FUNCTION ltv.train, ltv.recalibrate, ltv.train_auto', 'INSERT ON ltv.models, ltv.model_versions, ltv.events'];
        END IF;
        IF grant_model.privilege IN ('promote', 'admin') THEN
            plain := plain || ARRAY['EXECUTE ON FUNCTION ltv.promote, ltv.rollback, ltv.fall_back, ltv.set_status',
                'INSERT, UPDATE ON ltv.aliases', 'UPDATE (status) ON ltv.model_versions', 'INSERT ON ltv.events'];
        END IF;
        IF grant_model.privilege = 'admin' THEN
            plain := plain || ARRAY['EXECUTE ON FUNCTION ltv.restrict_model, ltv.grant_model, ltv.revoke_model, ltv.set_policy, ltv.retire, ltv.drop_version, ltv.import_model',
                'UPDATE (restricted) ON ltv.models', 'INSERT, DELETE ON ltv.model_grants, ltv.policies', 'DELETE ON ltv.model_versions', 'SELECT ON ltv.events'];
        END IF;
        FOREACH step IN ARRAY plain LOOP
            EXECUTE format('GRANT %s TO %I', step, grant_model.grantee);
        END LOOP;
    END IF;
    RETURN format('%s may %s %s', grant_model.grantee, CASE grant_model.privilege WHEN 'predict' THEN 'predict with' WHEN 'admin' THEN 'administer' ELSE grant_model.privilege END,
                  grant_model.model);
END
$$;
COMMENT ON FUNCTION ltv.grant_model(text, text, text, text) IS 'Lets a role (and its members) predict with, train or promote a restricted model, or administer any; each of the last three includes predict, admin all. Called by the owner of the registry''s tables it also gives the plain rights to tables and functions that go with it; called by an admin of the model it adds the right to the model only. Errors: P0002 no such model, 42704 no such role, 22023 no such privilege, 42501 not its admin, 55000 not restricted.';
REVOKE EXECUTE ON FUNCTION ltv.grant_model(text, text, text, text) FROM PUBLIC;

CREATE FUNCTION ltv.revoke_model(model text, grantee text, privilege text DEFAULT NULL, reason text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    taken text;
BEGIN
    IF NOT ltv.has_model_privilege(revoke_model.model, 'admin') THEN
        RAISE EXCEPTION 'only the owner and admins of % may revoke rights to it', revoke_model.model
            USING ERRCODE = 'insufficient_privilege', HINT = 'SELECT created_by FROM ltv.models tells who owns it.';
    END IF;
    -- In one statement, for after it an admin that gives back his own right could not tell of it.
    WITH gone AS (
        DELETE FROM ltv.model_grants g
        WHERE g.model = revoke_model.model AND g.grantee = revoke_model.grantee
          AND (revoke_model.privilege IS NULL OR g.privilege = revoke_model.privilege)
        RETURNING g.privilege),
    summed AS (SELECT string_agg(privilege, ', ' ORDER BY privilege) AS privileges FROM gone),
    told AS (
        INSERT INTO ltv.events (action, model, reason, detail)
        SELECT 'revoke', revoke_model.model, revoke_model.reason, jsonb_build_object('grantee', revoke_model.grantee, 'privilege', s.privileges)
        FROM summed s WHERE s.privileges IS NOT NULL)
    SELECT s.privileges INTO taken FROM summed s;
    IF taken IS NULL THEN
        RAISE EXCEPTION '% was not granted % on %', revoke_model.grantee, coalesce(revoke_model.privilege, 'anything'), revoke_model.model
            USING ERRCODE = 'no_data_found', HINT = 'SELECT * FROM ltv.model_grants.';
    END IF;
    RETURN format('%s may no longer %s %s', revoke_model.grantee, taken, revoke_model.model);
END
$$;
COMMENT ON FUNCTION ltv.revoke_model(text, text, text, text) IS 'Takes back what grant_model gave on one model; without a privilege, all of it. The plain rights to tables and functions stay, for they serve other models too. Errors: P0002 nothing was granted, 42501 not its admin.';
REVOKE EXECUTE ON FUNCTION ltv.revoke_model(text, text, text, text) FROM PUBLIC;
