-- The front door: from named columns of any relation to a registered version.

CREATE FUNCTION ltv.train(
    model text, source regclass, algorithm text, duration text, event text,
    entry text DEFAULT NULL, features text[] DEFAULT '{}', weight text DEFAULT NULL,
    holdout jsonb DEFAULT NULL, horizon double precision DEFAULT NULL, null_policy text DEFAULT 'error',
    label_policy text DEFAULT NULL, seed bigint DEFAULT 0, note text DEFAULT NULL
) RETURNS TABLE (
    model text, version integer, status text, n_rows bigint, n_events double precision, n_dropped bigint, n_holdout bigint,
    metric text, value double precision, baseline_value double precision, skill double precision, warnings text[], fit_ms double precision
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 2 SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'train';
COMMENT ON FUNCTION ltv.train(text, regclass, text, text, text, text, text[], text, jsonb, double precision, text, text, bigint, text) IS
'Fits a model on named columns of a table, view or foreign table (read as the caller) and registers it as the next version; it promotes nothing. algorithm: cox (features numeric, boolean, or text as categories) or kaplan_meier (a curve per combination of the features: the baseline). holdout: {"by": "held_out"} (a boolean column), {"by": "signed_on", "from": "2024-01-01"}, {"by": "signed_on", "last": "3 months"} or {"by": "id", "fraction": 0.2} keeps rows for the metrics. horizon: that of the Brier score, by default the median time of the events. null_policy: error, or drop. One row per metric with the value of a Kaplan-Meier curve without features, and skill = 1 - value / baseline_value for scores where less is better.';
REVOKE EXECUTE ON FUNCTION ltv.train(text, regclass, text, text, text, text, text[], text, jsonb, double precision, text, text, bigint, text) FROM PUBLIC;
