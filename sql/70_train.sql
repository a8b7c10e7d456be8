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
'Fits a model on named columns of a table, view or foreign table (read as the caller) and registers it as the next version; it promotes nothing. Features are numbers, booleans, or text as categories. algorithm, and the keys of options that it takes: cox (ties, penalty, l1_ratio, robust: see fit_cox), kaplan_meier (none; a curve per combination of the features: the baseline), discrete_time (link, baseline, degree, period, penalty: see fit_discrete_time), sbg and bdw (period: see fit_sbg; no features), the distributions of fit_parametric with _ for - (exponential, weibull, lognormal, loglogistic, generalized_gamma, gompertz, spline, spline_odds, spline_normal, piecewise_exponential; each with _cure for a share that never has the event; ancillary, of splines knots and knot_times, of the piecewise exponential breaks; no features needed), or best (candidates, criterion: see fit_best; the version has the name of the winner, and a metric per candidate), renewal (link, period, penalty: see fit_renewal; a row is one decision, the event that it was renewed, no duration), rule (the JSON of ltv.rule; its column is its feature), of amounts in the column target, without duration and event, linear, gamma, two_part (penalty; two_part also amounts) and tweedie (power, penalty), and hybrid (renewal, expansion, margin, cost: registered models; terms, a JSON object, and revenue, a column: see fit_hybrid; with a target its value is compared with that). strata: for cox, a column with a baseline per value, which a row to be scored must have too. cluster: for cox, a column whose rows belong together, for the robust variance (a NULL is a cluster of its own). holdout: {"by": "held_out"} (a boolean column), {"by": "signed_on", "from": "2024-01-01"}, {"by": "signed_on", "last": "3 months"} or {"by": "id", "fraction": 0.2} keeps rows for the metrics. horizon: that of the Brier score, by default the median time of the events. null_policy: error, or drop. One row per metric with the value of the naive baseline - a Kaplan-Meier curve without features; of renewals the rate of the training rows; of amounts (rmse, mae, bias, deviance) their mean -, and skill = 1 - value / baseline_value for scores where less is better. Errors: 22023 for bad arguments, an unknown option or one of the wrong type; 42703 for a missing column; 22004 for NULLs.';
REVOKE EXECUTE ON FUNCTION ltv.train(text, regclass, text, text, text, text, text[], text, text, text, jsonb, double precision, text, jsonb, text, bigint, text, text, text[], text, integer, date, text, text, text, double precision, text, jsonb) FROM PUBLIC;
