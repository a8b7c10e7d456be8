-- One version taken away on purpose: what must not be kept, or should never have been registered.

CREATE FUNCTION ltv.drop_version(model text, version integer, reason text) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    label constant text := format('%s@%s', drop_version.model, drop_version.version);
    used text;
    gone ltv.model_versions;
BEGIN
    IF num_nulls(drop_version.model, drop_version.version) > 0 OR coalesce(btrim(drop_version.reason), '') = '' THEN
        RAISE EXCEPTION 'drop_version needs a model, a version and a reason'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'The reason is what remains of it: ltv.drop_version(''churn'', 3, ''erasure request of 2026-03-02'').';
    END IF;
    PERFORM ltv.model_version(label);
    PERFORM ltv.check_model_privilege(drop_version.model, 'admin');
    SELECT string_agg(a.alias, ', ' ORDER BY a.alias) INTO used
    FROM ltv.aliases a WHERE a.model = drop_version.model AND a.version = drop_version.version;
    IF used IS NOT NULL THEN
        RAISE EXCEPTION '% is in use as %', label, used
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Let the alias name another version first: ltv.promote, ltv.rollback or ltv.fall_back.';
    END IF;
    IF NOT EXISTS (SELECT FROM ltv.model_versions v WHERE v.model = drop_version.model AND v.version > drop_version.version) THEN
        RAISE EXCEPTION '% is the newest version: its number would be given again', label
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Train the next one first, without what must go. To remove a model whole is for a superuser: see docs/operations.md.';
    END IF;
    -- Waits for those who are just making another of it.
    PERFORM ltv.hold_version(label, false);
    used := ltv.made_of(label);
    IF used IS NOT NULL THEN
        RAISE EXCEPTION '% lives on in what was made of it: %', label, used
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'A recalibrated version and a hybrid hold the whole of it: drop them first.';
    END IF;
    -- A promote that comes second finds no version.
    DELETE FROM ltv.model_versions v WHERE v.model = drop_version.model AND v.version = drop_version.version RETURNING v.* INTO gone;
    IF gone.version IS NULL THEN
        RAISE EXCEPTION '% was taken away meanwhile', label USING ERRCODE = 'serialization_failure', HINT = 'Nothing is left to be done.';
    END IF;
    -- One that came first, while this waited, has let an alias name it.
    IF EXISTS (SELECT FROM ltv.aliases a WHERE a.model = drop_version.model AND a.version = drop_version.version) THEN
        RAISE EXCEPTION 'an alias of % was changed meanwhile', drop_version.model USING ERRCODE = 'serialization_failure', HINT = 'Try again.';
    END IF;
    INSERT INTO ltv.events (action, model, version, reason, detail)
    VALUES ('drop', drop_version.model, drop_version.version, drop_version.reason,
            jsonb_build_object('algorithm', gone.algorithm, 'trained_at', gone.trained_at, 'sha256', gone.sha256));
    RETURN format('%s is gone', label);
END
$$;
COMMENT ON FUNCTION ltv.drop_version(text, integer, text) IS 'Deletes one version for good, whatever its status (it waits for a recalibration or a hybrid of it that has not committed; hybrids that row security hides from the caller do not hold it up), and writes the audit row with the reason, its algorithm, when it was trained and its hash; nothing else of it remains in the registry (exports, dumps, backups and tables of scores are elsewhere). Returns what is gone, as churn@3 is gone. Refused, with 55000: a version that an alias names; the newest, whose number would be given again; one that others were made of (a recalibration, a hybrid), which hold the whole of it. rollback passes over what is gone. Needs DELETE on ltv.model_versions and to be an admin of the model. Errors also P0002 for a version that does not exist, 22004 for a NULL or no reason, 42501, 40001 when somebody else takes it away, or lets an alias name it, at the same time.';
REVOKE EXECUTE ON FUNCTION ltv.drop_version(text, integer, text) FROM PUBLIC;
