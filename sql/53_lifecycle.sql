-- How a version comes into use: gate and promote. One row of ltv.aliases decides; it carries the stack of what was there
-- before, so that a walk back needs no log, no sequence and no trigger.

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
    -- A version that went since it was asked for makes no row, which row security would refuse in other words.
    INSERT INTO ltv.aliases AS a (model, alias, version)
    SELECT v.model, promote.alias, v.version FROM ltv.model_versions v WHERE v.model = promote.model AND v.version = promote.version
    ON CONFLICT DO NOTHING;
    made := FOUND;
    IF NOT made THEN
        SELECT a.version INTO before FROM ltv.aliases a WHERE a.model = promote.model AND a.alias = promote.alias FOR UPDATE;
    END IF;
    SELECT v.status, v.algorithm IN ('kaplan_meier', 'rule') INTO status, is_plain FROM ltv.model_versions v WHERE v.model = promote.model AND v.version = promote.version FOR NO KEY UPDATE;
    IF NOT FOUND OR NOT made AND before IS NULL THEN
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
