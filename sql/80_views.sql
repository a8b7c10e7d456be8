-- Flat views for people and BI tools, and who may call what.

CREATE VIEW ltv.v_models AS
SELECT v.model, v.version, v.status, v.algorithm, ltv.model_status(v.fitted) AS fit_status,
       pg_catalog.array_to_string(ltv.model_features(v.fitted), ', ') AS features,
       v.spec OPERATOR(pg_catalog.->>) 'source' AS source, v.n_rows, v.n_events, v.n_dropped, v.n_holdout,
       pg_catalog.array_to_string(v.warnings, '; ') AS warnings, v.note, v.trained_at, v.trained_by
FROM ltv.model_versions v;
COMMENT ON VIEW ltv.v_models IS 'Every trained version on one line.';
COMMENT ON COLUMN ltv.v_models.model IS 'Name of the model.';
COMMENT ON COLUMN ltv.v_models.version IS 'Its version.';
COMMENT ON COLUMN ltv.v_models.status IS 'candidate, production, archived or rejected.';
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

CREATE VIEW ltv.v_production AS
SELECT a.model, a.alias, a.version, v.algorithm, a.set_at, a.set_by, v.trained_at
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
