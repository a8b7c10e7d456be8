-- What a version goes through: gate, promote, rollback, fall back, retire. One row of ltv.aliases decides; it carries the
-- stack of what was there before, so that a walk back needs no log, no sequence and no trigger.

CREATE FUNCTION ltv.gate(model text, version integer DEFAULT NULL, require jsonb DEFAULT NULL)
    RETURNS TABLE (check_name text, required text, actual text, pass boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted_model constant text := split_part(gate.model, '@', 1);
    wanted_version integer;
BEGIN
    IF gate.model IS NULL THEN
        RETURN;
    END IF;
    wanted_version := ltv.model_version(CASE WHEN gate.version IS NULL THEN CASE WHEN gate.model LIKE '%@%' THEN gate.model ELSE gate.model || '@latest' END
                                             ELSE wanted_model || '@' || gate.version END);
    RETURN QUERY
    WITH v AS (
        SELECT * FROM ltv.model_versions v WHERE v.model = wanted_model AND v.version = wanted_version
    ), metric AS (
        SELECT m ->> 'metric' AS name, (m ->> 'value')::numeric AS value, (m ->> 'skill')::numeric AS skill
        FROM v, jsonb_array_elements(v.metrics) m
    ), fact (rank, name, number, word) AS (
        -- Of one name the facts come first, then the metric of that very name.
        SELECT 1, 'n_rows', v.n_rows::numeric, NULL::text FROM v
        UNION ALL SELECT 1, 'n_events', v.n_events::numeric, NULL FROM v
        UNION ALL SELECT 1, 'n_holdout', v.n_holdout, NULL FROM v
        UNION ALL SELECT 1, 'n_dropped', v.n_dropped, NULL FROM v
        UNION ALL SELECT 1, 'dropped_share', v.n_dropped / greatest(v.n_rows + v.n_dropped + v.n_holdout, 1)::numeric, NULL FROM v
        UNION ALL SELECT 1, 'warnings', cardinality(v.warnings), NULL FROM v
        UNION ALL SELECT 1, 'fit_status', NULL, ltv.model_status(v.fitted) FROM v
        UNION ALL SELECT 1, 'status', NULL, v.status FROM v
        UNION ALL SELECT 1, 'algorithm', NULL, v.algorithm FROM v
        UNION ALL SELECT 1, 'label_policy', NULL, coalesce(v.spec ->> 'label_policy', 'none') FROM v
        UNION ALL SELECT 2, name, value, NULL FROM metric
        UNION ALL SELECT 2, name || ' skill', skill, NULL FROM metric
        -- "brier at 12" is also plain "brier", so that one policy fits models of different horizons.
        UNION ALL SELECT 3, split_part(name, ' at ', 1), value, NULL FROM metric WHERE name LIKE '% at %'
        UNION ALL SELECT 3, split_part(name, ' at ', 1) || ' skill', skill, NULL FROM metric WHERE name LIKE '% at %'
    ), asked (name, comparison, bound) AS (
        SELECT DISTINCT ON (p.metric, p.comparison) p.metric, p.comparison, p.bound
        FROM ltv.policies p WHERE p.model IN (wanted_model, '*')
        ORDER BY p.metric, p.comparison, (p.model = '*')
    ), demanded (name, comparison, bound) AS (
        SELECT a.name, a.comparison, a.bound FROM asked a
        UNION
        SELECT r.metric, r.comparison, r.bound FROM ltv.requirements(gate.require, wanted_model) r
    )
    SELECT d.name, d.comparison || ' ' || d.bound, coalesce(f.word, trim_scale(round(f.number, 6))::text), coalesce(f.pass, false)
    FROM demanded d
    CROSS JOIN LATERAL (SELECT CASE WHEN d.bound ~ '^[-+]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})(e[-+]?[0-9]{1,2})?$' THEN d.bound::numeric END AS number) b
    -- Of several horizons the one that is furthest from what is required, an unknown value first: all must pass.
    LEFT JOIN LATERAL (
        SELECT f.number, f.word, p.pass
        FROM fact f
        CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN f.number IS NOT NULL AND b.number IS NOT NULL THEN
                                                     CASE d.comparison WHEN '>=' THEN f.number >= b.number WHEN '<=' THEN f.number <= b.number WHEN '>' THEN f.number > b.number
                                                         WHEN '<' THEN f.number < b.number WHEN '=' THEN f.number = b.number ELSE f.number <> b.number END
                                                 ELSE CASE d.comparison WHEN '=' THEN f.word = d.bound WHEN '<>' THEN f.word <> d.bound END END, false) AS pass) p
        WHERE f.name = d.name
        ORDER BY f.rank, p.pass, CASE WHEN d.comparison IN ('<', '<=') THEN -f.number ELSE f.number END NULLS FIRST LIMIT 1) f ON true
    ORDER BY d.name, d.comparison, d.bound;
END
$$;
COMMENT ON FUNCTION ltv.gate(text, integer, jsonb) IS 'Each tolerance beside what the version shows, from what train stored: the lines of ltv.policies for the model (and * for all), and those of require, as {"concordance": ">= 0.7", "brier skill": "> 0.1", "fit_status": "= ok"} (ltv.requirements reads them). Names: a metric of train ("brier at 12", or "brier" at whatever horizon: at each of them, and actual is the worst), its skill over the baseline ("brier skill"), n_rows, n_events, n_holdout, n_dropped, dropped_share (0 to 1), warnings (how many), and as words fit_status, status, algorithm, label_policy (none when none was stored). What the version does not have (as a metric without a holdout) is NULL and does not pass. Without a version the newest. No rows: nothing is required. Numbers in actual are rounded to 6 decimals, compared unrounded. NULL as model: no rows. Errors P0002 for a version that does not exist; 22023 for a require that requirements refuses, such as a metric that no version has.';

CREATE FUNCTION ltv.set_policy(model text, require jsonb, reason text DEFAULT NULL) RETURNS SETOF ltv.policies
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    before jsonb;
BEGIN
    IF set_policy.model IS NULL OR jsonb_typeof(set_policy.require) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'set_policy needs a model and a JSON object'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'As {"concordance": ">= 0.7", "fit_status": "= ok"}; * is all models, {} takes the policy away.';
    END IF;
    PERFORM ltv.check_model_privilege(set_policy.model, 'admin');
    -- A snapshot from before would leave the lines of whoever came first beside these.
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION 'set_policy does not run under %', upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'feature_not_supported', HINT = 'Under READ COMMITTED, the default: it takes the place of lines that others may have set meanwhile.';
    END IF;
    -- One after the other: of two that set the same the second finds the lines of the first.
    LOCK TABLE ltv.policies IN SHARE ROW EXCLUSIVE MODE;
    SELECT jsonb_object_agg(p.metric, p.comparison || ' ' || p.bound) INTO before FROM ltv.policies p WHERE p.model = set_policy.model;
    DELETE FROM ltv.policies p WHERE p.model = set_policy.model;
    INSERT INTO ltv.policies (model, metric, comparison, bound, note)
    SELECT set_policy.model, r.metric, r.comparison, r.bound, set_policy.reason FROM ltv.requirements(set_policy.require, set_policy.model) r;
    INSERT INTO ltv.events (action, model, reason, detail)
    VALUES ('set_policy', set_policy.model, set_policy.reason, jsonb_build_object('before', before, 'require', set_policy.require));
    RETURN QUERY SELECT * FROM ltv.policies p WHERE p.model = set_policy.model ORDER BY p.metric, p.comparison;
END
$$;
COMMENT ON FUNCTION ltv.set_policy(text, jsonb, text) IS 'Sets what versions of a model (* for all) must show before promote lets them into production, in place of what was required of it before, and writes the audit row; {} requires nothing. require as in gate. Returns the lines set. Errors 0A000 under REPEATABLE READ and SERIALIZABLE, 22023, also for a metric that neither train tells nor a version of the model has, which would hold up every promotion; 42501 without the rights.';
REVOKE EXECUTE ON FUNCTION ltv.set_policy(text, jsonb, text) FROM PUBLIC;

CREATE FUNCTION ltv.promote(model text, version integer, alias text DEFAULT 'production', reason text DEFAULT NULL, require jsonb DEFAULT NULL)
    RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before integer;
    made boolean;
    status text;
    is_plain boolean;
    fit_status text;
    checks jsonb;
    failing text;
    missing boolean;
    shown text;
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
    PERFORM ltv.check_model_privilege(promote.model, 'promote');
    -- The row of the alias is the lock: one promote of it at a time. Whoever comes second finds the row of the first. Then that
    -- of the version, so that nobody rejects it between the checks and the end: always in this order, or two would wait for each other.
    INSERT INTO ltv.aliases AS a (model, alias, version) VALUES (promote.model, promote.alias, promote.version)
    ON CONFLICT DO NOTHING;
    made := FOUND;
    IF NOT made THEN
        SELECT a.version INTO before FROM ltv.aliases a WHERE a.model = promote.model AND a.alias = promote.alias FOR UPDATE;
    END IF;
    SELECT v.status, v.algorithm IN ('kaplan_meier', 'rule') INTO status, is_plain FROM ltv.model_versions v WHERE v.model = promote.model AND v.version = promote.version FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '%@% was taken away meanwhile', promote.model, promote.version USING ERRCODE = 'serialization_failure', HINT = 'Try again.';
    ELSIF status = 'rejected' THEN
        RAISE EXCEPTION '%@% is rejected', promote.model, promote.version
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Train a new version, or take its rejection back first: ltv.set_status(..., ''candidate'').';
    END IF;
    -- What is promoted is what was trained and judged.
    PERFORM ltv.check_seal(promote.model, promote.version);
    -- The policies guard production, and what fall_back puts there, but for the two plain baselines; what is asked for in this
    -- call guards any alias.
    SELECT jsonb_agg(to_jsonb(g)), string_agg(format('%s is %s, required %s', g.check_name, coalesce(g.actual, 'unknown'), g.required), '; ') FILTER (WHERE NOT g.pass), bool_or(NOT g.pass AND g.actual IS NULL)
    INTO checks, failing, missing
    FROM ltv.gate(promote.model, promote.version, promote.require) g
    WHERE promote.alias = 'production' OR promote.alias = 'baseline' AND NOT is_plain OR promote.require ? g.check_name;
    IF failing IS NOT NULL THEN
        IF missing THEN
            SELECT coalesce('Its metrics: ' || string_agg(m.value ->> 'metric', ', ' ORDER BY m.place) || '. ', 'It has no metrics: train with a holdout. ') INTO shown
            FROM ltv.model_versions v, jsonb_array_elements(v.metrics) WITH ORDINALITY AS m (value, place) WHERE v.model = promote.model AND v.version = promote.version;
        END IF;
        RAISE EXCEPTION '%@% does not pass: %', promote.model, promote.version, failing
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = coalesce(shown, '') || format('SELECT * FROM ltv.gate(%L, %s). Train a better version, or change what is required, for all to see: ltv.set_policy.', promote.model, promote.version);
    END IF;
    SELECT ltv.model_status(v.fitted) INTO fit_status FROM ltv.model_versions v
    WHERE v.model = promote.model AND v.version = promote.version;
    IF fit_status LIKE 'separated%' OR fit_status = 'not converged' THEN
        RAISE WARNING '%@% is promoted, but its fit is %', promote.model, promote.version, fit_status
            USING HINT = 'A feature that gives the outcome away does this: look at ltv.coefficients, and train without it.';
    END IF;
    IF NOT made THEN
        UPDATE ltv.aliases a
        SET version = promote.version, set_at = now(), set_by = current_user,
            earlier = CASE WHEN a.version = promote.version THEN a.earlier ELSE a.earlier || a.version END
        WHERE a.model = promote.model AND a.alias = promote.alias;
    END IF;
    -- Written also where the status stays, so that a retire that sees the registry as it was before ends with 40001.
    UPDATE ltv.model_versions v
    SET status = CASE WHEN promote.alias <> 'production' THEN v.status WHEN v.version = promote.version THEN 'production' ELSE 'archived' END
    WHERE v.model = promote.model AND (v.version = promote.version OR promote.alias = 'production' AND v.status = 'production');
    INSERT INTO ltv.events (action, model, version, alias, reason, detail)
    VALUES ('promote', promote.model, promote.version, promote.alias, promote.reason,
            jsonb_strip_nulls(jsonb_build_object('checks', checks)) || jsonb_build_object('before', before));
    RETURN format('%s@%s is version %s', promote.model, promote.alias, promote.version)
        || CASE WHEN before IS NULL THEN '' WHEN before = promote.version THEN ', as before' ELSE format(', was %s', before) END;
END
$$;
COMMENT ON FUNCTION ltv.promote(text, integer, text, text, jsonb) IS 'Lets an alias (production by default) name a version, and writes the audit row with the reason. For production the version must pass the gate: ltv.policies and, in addition, require; so must for baseline, which fall_back puts into production, any version but of kaplan_meier or rule; other aliases ask for require only. There is no way around the policy but to change it (set_policy). The version before goes onto the stack that rollback walks. One row changed under MVCC: undone by ROLLBACK, seen by others at COMMIT. Errors: P0002 for a version that does not exist, 55000 when rejected or when a check fails, naming each; XX001 when it fails verify; 42501 without the right to promote the model; 40001 when the version is taken away at the same time.';
REVOKE EXECUTE ON FUNCTION ltv.promote(text, integer, text, text, jsonb) FROM PUBLIC;

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
    IF target IS NULL THEN
        SELECT max(v.version) INTO target FROM ltv.model_versions v
        WHERE v.model = fall_back.model AND v.algorithm IN ('kaplan_meier', 'rule') AND v.status <> 'rejected';
    END IF;
    IF target IS NULL THEN
        SELECT v.spec INTO asked FROM ltv.model_versions v
        WHERE v.model = fall_back.model AND v.version = ltv.model_version(fall_back.model);
        RAISE EXCEPTION '% has no baseline to fall back to, and none is trained silently', fall_back.model
            USING ERRCODE = 'no_data_found',
                  HINT = format('Train one first: SELECT * FROM ltv.train(%L, %L, ''kaplan_meier'', duration => %L, event => %L). Or name any version: ltv.promote(%1$L, n, alias => ''baseline'').',
                                fall_back.model, coalesce(asked ->> 'source', 'source'), coalesce(asked ->> 'duration', 'duration'), coalesce(asked ->> 'event', 'event'));
    END IF;
    INSERT INTO ltv.aliases AS a (model, alias, version) VALUES (fall_back.model, 'production', target) ON CONFLICT DO NOTHING;
    made := FOUND;
    IF NOT made THEN
        SELECT a.version INTO before FROM ltv.aliases a WHERE a.model = fall_back.model AND a.alias = 'production' FOR UPDATE;
    END IF;
    -- As in promote: the alias first, then the version.
    PERFORM FROM ltv.model_versions v WHERE v.model = fall_back.model AND v.version = target AND v.status <> 'rejected' FOR NO KEY UPDATE;
    IF NOT FOUND THEN
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
BEGIN
    IF retire.keep IS NULL OR retire.keep < 1 THEN
        RAISE EXCEPTION 'keep must be at least 1, not %', coalesce(retire.keep::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The newest version stays, so that its number is never given again.';
    END IF;
    PERFORM ltv.model_version(retire.model || '@latest');
    PERFORM ltv.check_model_privilege(retire.model, 'admin');
    RETURN QUERY
    WITH gone AS (
        DELETE FROM ltv.model_versions v
        WHERE v.model = retire.model AND v.status <> 'validated'
          AND v.version NOT IN (SELECT n.version FROM ltv.model_versions n WHERE n.model = retire.model ORDER BY n.version DESC LIMIT retire.keep)
          -- What an alias names, and what one rollback of it would name.
          AND NOT EXISTS (SELECT FROM ltv.aliases a WHERE a.model = retire.model AND v.version IN (a.version, ltv.version_before(a.model, a.alias)))
        RETURNING v.version, v.algorithm, v.trained_at, v.sha256, v.metrics
    ), told AS (
        INSERT INTO ltv.events (action, model, version, reason, detail)
        SELECT 'retire', retire.model, g.version, retire.reason, jsonb_build_object('algorithm', g.algorithm, 'trained_at', g.trained_at, 'sha256', g.sha256, 'metrics', g.metrics)
        FROM gone g
    )
    SELECT g.version, g.algorithm, g.trained_at, g.sha256 FROM gone g ORDER BY g.version;
    -- Whoever let an alias name one of them while this waited came first.
    IF EXISTS (SELECT FROM ltv.aliases a WHERE a.model = retire.model AND NOT EXISTS (SELECT FROM ltv.model_versions v WHERE v.model = a.model AND v.version = a.version)) THEN
        RAISE EXCEPTION 'an alias of % was changed meanwhile', retire.model USING ERRCODE = 'serialization_failure', HINT = 'Try again.';
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.retire(text, integer, text) IS 'Deletes old versions and writes an audit row for each, with its hash and metrics. The newest keep stay, and whatever an alias names or one rollback of it would name, and validated versions. export_model first what may be asked for later. Returns what is gone. Needs DELETE on ltv.model_versions and to be an admin of the model. Errors P0002, 22023, 42501; 40001 when an alias is set to one of them at the same time.';
REVOKE EXECUTE ON FUNCTION ltv.retire(text, integer, text) FROM PUBLIC;
