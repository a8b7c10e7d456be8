-- The front door: from named columns of any relation to a registered version.

CREATE FUNCTION ltv._fit_candidates(
    d ltv.design, candidates text[], criterion text,
    OUT distribution text, OUT m ltv.model, OUT criterion double precision, OUT status text
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50000 ROWS 6 AS 'MODULE_PATHNAME', 'fit_candidates';
COMMENT ON FUNCTION ltv._fit_candidates(ltv.design, text[], text) IS 'fit_best for train: how each candidate did, the best first and with its model. criterion: aic or bic.';

CREATE FUNCTION ltv.train(
    model text, source regclass, algorithm text, duration text DEFAULT NULL, event text DEFAULT NULL,
    entry text DEFAULT NULL, features text[] DEFAULT '{}', strata text DEFAULT NULL, weight text DEFAULT NULL, cluster text DEFAULT NULL,
    holdout jsonb DEFAULT NULL, horizon double precision DEFAULT NULL, null_policy text DEFAULT 'error', options jsonb DEFAULT '{}',
    label_policy text DEFAULT NULL, seed bigint DEFAULT 0, note text DEFAULT NULL,
    target text DEFAULT NULL, segment_by text[] DEFAULT NULL, pooling text DEFAULT 'partial', min_events integer DEFAULT NULL,
    as_of date DEFAULT NULL, started_on text DEFAULT NULL, known_on text DEFAULT NULL, unit text DEFAULT 'month',
    half_life double precision DEFAULT NULL, era text DEFAULT NULL, expected_signs jsonb DEFAULT NULL
) RETURNS TABLE (
    model text, version integer, status text, n_rows bigint, n_events double precision, n_dropped bigint, n_holdout bigint,
    metric text, value double precision, baseline_value double precision, skill double precision, warnings text[], fit_ms double precision
)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 2 SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'train';
COMMENT ON FUNCTION ltv.train(text, regclass, text, text, text, text, text[], text, text, text, jsonb, double precision, text, jsonb, text, bigint, text, text, text[], text, integer, date, text, text, text, double precision, text, jsonb) IS
'Fits a model on named columns of a table, view or foreign table (read as the caller) and registers it as the next version; it promotes nothing. Features are numbers, booleans, or text as categories. algorithm, and the keys of options that it takes: cox (ties, penalty, l1_ratio, robust: see fit_cox), kaplan_meier (none; a curve per combination of the features: the baseline), discrete_time (link, baseline, degree, period, penalty: see fit_discrete_time), sbg and bdw (period: see fit_sbg; no features), the distributions of fit_parametric with _ for - (exponential, weibull, lognormal, loglogistic, generalized_gamma, gompertz, spline, spline_odds, spline_normal, piecewise_exponential; each with _cure for a share that never has the event; ancillary, of splines knots and knot_times, of the piecewise exponential breaks; no features needed), or best (candidates, criterion: see fit_best; the version has the name of the winner, and a metric per candidate). strata: for cox, a column with a baseline per value, which a row to be scored must have too. cluster: for cox, a column whose rows belong together, for the robust variance (a NULL is a cluster of its own). holdout: {"by": "held_out"} (a boolean column), {"by": "signed_on", "from": "2024-01-01"}, {"by": "signed_on", "last": "3 months"} or {"by": "id", "fraction": 0.2} keeps rows for the metrics. horizon: that of the Brier score, by default the median time of the events. null_policy: error, or drop. One row per metric with the value of a Kaplan-Meier curve without features, and skill = 1 - value / baseline_value for scores where less is better. Errors: 22023 for bad arguments, an unknown option or one of the wrong type; 42703 for a missing column; 22004 for NULLs.';
REVOKE EXECUTE ON FUNCTION ltv.train(text, regclass, text, text, text, text, text[], text, text, text, jsonb, double precision, text, jsonb, text, bigint, text, text, text[], text, integer, date, text, text, text, double precision, text, jsonb) FROM PUBLIC;

CREATE FUNCTION ltv.train_plan(
    model text, source regclass, algorithm text, duration text DEFAULT NULL, event text DEFAULT NULL,
    entry text DEFAULT NULL, features text[] DEFAULT '{}', strata text DEFAULT NULL, weight text DEFAULT NULL, cluster text DEFAULT NULL,
    holdout jsonb DEFAULT NULL, horizon double precision DEFAULT NULL, null_policy text DEFAULT 'error', options jsonb DEFAULT '{}',
    label_policy text DEFAULT NULL, seed bigint DEFAULT 0, note text DEFAULT NULL,
    target text DEFAULT NULL, segment_by text[] DEFAULT NULL, pooling text DEFAULT 'partial', min_events integer DEFAULT NULL,
    as_of date DEFAULT NULL, started_on text DEFAULT NULL, known_on text DEFAULT NULL, unit text DEFAULT 'month',
    half_life double precision DEFAULT NULL, era text DEFAULT NULL, expected_signs jsonb DEFAULT NULL
) RETURNS TABLE (item text, column_name text, detail text, n bigint, value double precision, verdict text)
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 1000000 ROWS 20 SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'train_plan';
COMMENT ON FUNCTION ltv.train_plan(text, regclass, text, text, text, text, text[], text, text, text, jsonb, double precision, text, jsonb, text, bigint, text, text, text[], text, integer, date, text, text, text, double precision, text, jsonb) IS 'What train with the same arguments would do, before it costs: it reads the source as the caller and writes nothing. A row per finding: item (source, training rows, begun later, outcomes cut off, known later, dropped, column, feature, events, events per coefficient, segment, holdout, unseen levels, horizon, algorithm, memory, time), the column it is about, what is found, n (rows, or NULLs of a column), value (of a feature the concordance with which it alone orders the outcomes, of events their share, of a segment its events, of memory MB, of time seconds by order of magnitude), and verdict: ok; note (to be known); warning (train would warn, or it should be thought about: a leakage suspect of 0.95 or more, fewer than 10 events per coefficient, levels without an event, no holdout); refused (train would end with an error). Errors: as train, for arguments that contradict each other and missing columns.';
