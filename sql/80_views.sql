-- Flat views for people and BI tools, and who may call what.

-- With the rights of who asks: rows that row security hides stay hidden.
CREATE VIEW ltv.v_models WITH (security_invoker = true) AS
SELECT v.model, v.version, v.status, v.algorithm, ltv.model_status(v.fitted) AS fit_status,
       pg_catalog.array_to_string(ltv.model_features(v.fitted), ', ') AS features,
       v.spec OPERATOR(pg_catalog.->>) 'source' AS source, v.n_rows, v.n_events, v.n_dropped, v.n_holdout,
       pg_catalog.array_to_string(v.warnings, '; ') AS warnings, v.note, v.trained_at, v.trained_by,
       (SELECT pg_catalog.string_agg(a.alias, ', ' ORDER BY a.alias USING OPERATOR(pg_catalog.<)) FROM ltv.aliases a
        WHERE a.model OPERATOR(pg_catalog.=) v.model AND a.version OPERATOR(pg_catalog.=) v.version) AS aliases,
       v.parent, v.spec OPERATOR(pg_catalog.->>) 'label_policy' AS label_policy, v.lineage OPERATOR(pg_catalog.->>) 'fingerprint' AS data_fingerprint,
       v.extension_version, v.sha256
FROM ltv.model_versions v;
COMMENT ON VIEW ltv.v_models IS 'Every trained version on one line.';
COMMENT ON COLUMN ltv.v_models.model IS 'Name of the model.';
COMMENT ON COLUMN ltv.v_models.version IS 'Its version.';
COMMENT ON COLUMN ltv.v_models.status IS 'candidate, validated, production, archived or rejected.';
COMMENT ON COLUMN ltv.v_models.algorithm IS 'cox, kaplan_meier, discrete_time, or the distribution of a parametric model (of train(..., ''best'') the winner): see model_algorithm.';
COMMENT ON COLUMN ltv.v_models.fit_status IS 'ok, or what is wrong with the fit.';
COMMENT ON COLUMN ltv.v_models.features IS 'The columns a row must have to be scored.';
COMMENT ON COLUMN ltv.v_models.source IS 'The relation it was trained on.';
COMMENT ON COLUMN ltv.v_models.n_rows IS 'Rows the fit saw.';
COMMENT ON COLUMN ltv.v_models.n_events IS 'Events among them.';
COMMENT ON COLUMN ltv.v_models.n_dropped IS 'Rows left out because a value was NULL.';
COMMENT ON COLUMN ltv.v_models.n_holdout IS 'Rows held out for the metrics.';
COMMENT ON COLUMN ltv.v_models.warnings IS 'What train warned of.';
COMMENT ON COLUMN ltv.v_models.note IS 'The trainer''s own words.';
COMMENT ON COLUMN ltv.v_models.trained_at IS 'When.';
COMMENT ON COLUMN ltv.v_models.trained_by IS 'By whom.';
COMMENT ON COLUMN ltv.v_models.aliases IS 'The aliases that name it now.';
COMMENT ON COLUMN ltv.v_models.parent IS 'The version it was made from; NULL: fitted afresh.';
COMMENT ON COLUMN ltv.v_models.label_policy IS 'What counts as the event, in the trainer''s words.';
COMMENT ON COLUMN ltv.v_models.data_fingerprint IS 'Of the columns it was trained on (data_fingerprint).';
COMMENT ON COLUMN ltv.v_models.extension_version IS 'The release that trained it.';
COMMENT ON COLUMN ltv.v_models.sha256 IS 'The seal on its content (verify).';

CREATE VIEW ltv.v_production WITH (security_invoker = true) AS
SELECT a.model, a.alias, a.version, v.algorithm, a.set_at, a.set_by, v.trained_at,
       ltv.version_before(a.model, a.alias) AS version_before, v.status, v.warnings OPERATOR(pg_catalog.<>) '{}' AS has_warnings
FROM ltv.aliases a JOIN ltv.model_versions v
  ON v.model OPERATOR(pg_catalog.=) a.model AND v.version OPERATOR(pg_catalog.=) a.version;
COMMENT ON VIEW ltv.v_production IS 'What each alias names now.';
COMMENT ON COLUMN ltv.v_production.model IS 'Name of the model.';
COMMENT ON COLUMN ltv.v_production.alias IS 'The alias.';
COMMENT ON COLUMN ltv.v_production.version IS 'The version it names.';
COMMENT ON COLUMN ltv.v_production.algorithm IS 'cox, kaplan_meier, discrete_time, or the distribution of a parametric model (of train(..., ''best'') the winner): see model_algorithm.';
COMMENT ON COLUMN ltv.v_production.set_at IS 'Since when.';
COMMENT ON COLUMN ltv.v_production.set_by IS 'By whom.';
COMMENT ON COLUMN ltv.v_production.trained_at IS 'When that version was trained.';
COMMENT ON COLUMN ltv.v_production.version_before IS 'The version beneath, to which rollback goes; NULL: none.';
COMMENT ON COLUMN ltv.v_production.status IS 'Of the version: candidate, validated, production or archived.';
COMMENT ON COLUMN ltv.v_production.has_warnings IS 'Whether train warned of something: see ltv.v_models.';

CREATE VIEW ltv.v_events WITH (security_invoker = true) AS
SELECT e.occurred_at, e.actor, e.action, e.model, e.version, e.alias, e.detail OPERATOR(pg_catalog.->>) 'before' AS before, e.reason,
       NULLIF((e.detail OPERATOR(pg_catalog.-) '{before,checks}'::text[])::text, '{}') AS detail, e.login
FROM ltv.events e;
COMMENT ON VIEW ltv.v_events IS 'The audit trail on flat lines: who did what to which model, when and why.';
COMMENT ON COLUMN ltv.v_events.occurred_at IS 'When.';
COMMENT ON COLUMN ltv.v_events.actor IS 'Whose rights were used (current_user).';
COMMENT ON COLUMN ltv.v_events.action IS 'train, import, promote, rollback, fall_back, set_status, set_policy, restrict, open, grant, revoke, retire or drop.';
COMMENT ON COLUMN ltv.v_events.model IS 'The model; * for a policy of all.';
COMMENT ON COLUMN ltv.v_events.version IS 'The version.';
COMMENT ON COLUMN ltv.v_events.alias IS 'The alias that was moved.';
COMMENT ON COLUMN ltv.v_events.before IS 'What was there before: the version that the alias named, or the status.';
COMMENT ON COLUMN ltv.v_events.reason IS 'Why, in the actor''s words.';
COMMENT ON COLUMN ltv.v_events.detail IS 'What else there is, as JSON: the seal, a role and its privilege. The checks of the gate are in ltv.events.';
COMMENT ON COLUMN ltv.v_events.login IS 'Who had logged in (session_user), whatever role was set since.';

-- Internal functions are their aggregates' business.
DO $$
DECLARE
    internal regprocedure;
BEGIN
    FOR internal IN SELECT p.oid FROM pg_catalog.pg_proc p
        WHERE p.pronamespace = 'ltv'::pg_catalog.regnamespace AND p.proname LIKE '\_%' LOOP
        EXECUTE pg_catalog.format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', internal);
    END LOOP;
END
$$;
