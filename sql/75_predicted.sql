-- What was predicted beside what happened: in customers, and in money.

CREATE FUNCTION ltv.predicted_vs_actual(
    model text, source regclass, horizon double precision DEFAULT NULL, value text DEFAULT NULL, by text[] DEFAULT NULL, min_rows integer DEFAULT 30, rows text DEFAULT 'auto',
    censoring text DEFAULT 'marginal', censoring_by text[] DEFAULT NULL
) RETURNS TABLE (
    segment text, n bigint, predicted_retention double precision, actual_retention double precision, lower double precision, upper double precision,
    predicted_events double precision, actual_events double precision, total_value double precision, predicted_value double precision, actual_value double precision,
    bias double precision, bias_share double precision, mae double precision, rmse double precision, n_unscored bigint, n_without_value bigint, status text
)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reading record;
    amounts boolean;
BEGIN
    SELECT v.spec ->> 'target' IS NOT NULL AND v.spec ->> 'duration' IS NULL INTO amounts FROM ltv.model_versions v
    WHERE v.model = split_part(predicted_vs_actual.model, '@', 1) AND v.version = ltv.model_version(predicted_vs_actual.model);
    IF amounts THEN
        IF num_nonnulls(predicted_vs_actual.horizon, predicted_vs_actual.value) > 0 THEN
            RAISE EXCEPTION '% predicts amounts, which have no horizon and are the value', predicted_vs_actual.model USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave horizon and value out.';
        END IF;
        IF censoring IS DISTINCT FROM 'marginal' OR cardinality(censoring_by) > 0 THEN
            RAISE EXCEPTION '% predicts amounts, of which none is censored', predicted_vs_actual.model USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave censoring out.';
        END IF;
        SELECT * INTO reading FROM ltv.evaluation_query(predicted_vs_actual.model, predicted_vs_actual.source, predicted_vs_actual.by, predicted_vs_actual.rows, outcome => 'amount');
        RETURN QUERY EXECUTE format($q$
            WITH judged AS MATERIALIZED (SELECT j.*, j.predicted IS NOT NULL AND j.value IS NOT NULL AS told FROM (%s) j),
            gathered AS (
                SELECT coalesce(j.segment, 'all') AS segment, grouping(j.segment) AS is_all, count(*) FILTER (WHERE j.told) AS n, count(*) FILTER (WHERE j.predicted IS NULL) AS n_unscored,
                       count(*) FILTER (WHERE j.predicted IS NOT NULL AND j.value IS NULL) AS n_without_value,
                       sum(j.weight * j.predicted) FILTER (WHERE j.told) AS predicted, sum(j.weight * j.value) FILTER (WHERE j.told) AS actual,
                       sum(j.weight * (j.predicted - j.value)) FILTER (WHERE j.told) AS bias, sum(j.weight * abs(j.predicted - j.value)) FILTER (WHERE j.told) / sum(j.weight) FILTER (WHERE j.told) AS mae,
                       sqrt(sum(j.weight * (j.predicted - j.value) ^ 2) FILTER (WHERE j.told) / sum(j.weight) FILTER (WHERE j.told)) AS rmse
                FROM judged j GROUP BY GROUPING SETS ((), (j.segment)) HAVING grouping(j.segment) = 1 OR $2
            ), told AS (
                SELECT g.*, coalesce(h.suppression, CASE WHEN g.n < $3 THEN 'fewer than ' || $3 || ' rows' END) AS suppression
                FROM gathered g LEFT JOIN (SELECT h.* FROM (SELECT array_agg(w.segment) AS groups, array_agg(w.n) AS sizes FROM gathered w WHERE w.is_all = 0) w, ltv.suppressed_groups(w.groups, w.sizes, $3) h) h
                                      ON h.segment = g.segment AND g.is_all = 0
            )
            SELECT g.segment, g.n, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, t.actual, t.predicted, t.actual, t.bias, t.bias / nullif(t.actual, 0), t.mae, t.rmse,
                   g.n_unscored, g.n_without_value,
                   CASE WHEN g.n = 0 AND g.is_all = 1 THEN ltv.nothing_to_judge($5, $6, $7, 'amount') WHEN g.n = 0 THEN CASE WHEN g.n_without_value > 0 AND g.n_unscored = 0 THEN 'no row has an outcome' WHEN g.n_without_value = 0 THEN 'no row could be scored' ELSE 'no row has both a score and an outcome' END
                        WHEN g.suppression IS NOT NULL THEN g.suppression WHEN $4 THEN 'in sample' ELSE 'ok' END
            FROM told g LEFT JOIN LATERAL (SELECT g.predicted, g.actual, g.bias, g.mae, g.rmse) t ON g.suppression IS NULL
            ORDER BY g.is_all DESC, g.segment $q$, reading.query)
        USING ltv.model(predicted_vs_actual.model), coalesce(cardinality(predicted_vs_actual.by) > 0, false), coalesce(min_rows, 0), reading.in_sample, predicted_vs_actual.model, predicted_vs_actual.source, predicted_vs_actual.rows;
        RETURN;
    END IF;
    SELECT * INTO reading FROM ltv.evaluation_query(predicted_vs_actual.model, predicted_vs_actual.source, predicted_vs_actual.by, predicted_vs_actual.rows, predicted_vs_actual.value, predicted_vs_actual.censoring, predicted_vs_actual.censoring_by, horizons => ARRAY[predicted_vs_actual.horizon]);
    RETURN QUERY EXECUTE format($q$
        WITH judged AS MATERIALIZED (%s), counted AS (
            SELECT coalesce(j.segment, 'all') AS segment, grouping(j.segment) AS is_all, count(j.predicted) AS n, count(*) FILTER (WHERE j.predicted IS NULL) AS n_unscored,
                   count(*) FILTER (WHERE j.predicted IS NOT NULL AND j.value IS NULL AND $7) AS n_without_value,
                   sum(j.weight) FILTER (WHERE j.predicted IS NOT NULL) AS weight, sum(j.predicted * j.weight) / sum(j.weight) FILTER (WHERE j.predicted IS NOT NULL) AS predicted,
                   sum(j.value * j.weight) FILTER (WHERE j.predicted IS NOT NULL) AS value, sum(j.value * j.weight * j.predicted) AS predicted_value
            FROM judged j GROUP BY GROUPING SETS ((), (j.segment)) HAVING grouping(j.segment) = 1 OR $4
        ), gathered AS (
            SELECT g.*, coalesce(h.suppression, CASE WHEN g.n < $5 THEN 'fewer than ' || $5 || ' rows' END) AS suppression
            FROM counted g LEFT JOIN (SELECT h.* FROM (SELECT array_agg(w.segment) AS groups, array_agg(w.n) AS sizes FROM counted w WHERE w.is_all = 0) w, ltv.suppressed_groups(w.groups, w.sizes, $5) h) h
                                      ON h.segment = g.segment AND g.is_all = 0
        ), kept AS (
            -- Of the strata of the censoring the mean of the curves, as many rows of each as there are.
            SELECT s.is_all, s.segment, CASE WHEN bool_and(o.survival IS NOT NULL) THEN sum(s.weight * o.survival) / sum(s.weight) END AS observed, bool_or(o.survival IS NULL) AND bool_or(o.survival IS NOT NULL) AS is_partly_known, sqrt(sum((s.weight * o.std_error) ^ 2)) / sum(s.weight) AS std_error,
                   CASE WHEN count(*) = 1 THEN min(o.lower) END AS lower, CASE WHEN count(*) = 1 THEN min(o.upper) END AS upper,
                   -- How many rows at least stand behind a rate of 0 or 1: of the strata the one that has the fewest for its weight.
                   min(s.at_risk / s.weight) * sum(s.weight) AS at_risk, min(s.events / s.weight) * sum(s.weight) AS events
            FROM (SELECT c.is_all, c.segment, c.stratum, sum(c.weight) AS weight, coalesce(sum(c.weight) FILTER (WHERE c.duration >= $3), 0) AS at_risk, coalesce(sum(c.weight) FILTER (WHERE c.event AND c.duration <= $3), 0) AS events,
                         ltv.survival_agg(c.duration, c.event, c.weight) AS curve FROM (%s) c GROUP BY c.is_all, c.segment, c.stratum) s
            LEFT JOIN LATERAL ltv.survival_interval(s.curve, $3) o ON true GROUP BY s.is_all, s.segment
        ), worthy AS MATERIALIZED (
            -- Without a column of values every row is worth one.
            SELECT c.*, CASE WHEN $7 THEN c.value ELSE 1 END AS worth, CASE WHEN c.event AND c.duration <= $3 THEN 0 ELSE 1 END AS stays FROM (%s) c
        ), money AS (
            SELECT s.is_all, s.segment, sum(CASE WHEN s.value = 0 THEN 0 ELSE s.value * ltv.survival_at(s.curve, $3) END) AS actual, bool_and(s.value = 0 OR ltv.survival_at(s.curve, $3) IS NOT NULL) AS is_told
            FROM (SELECT w.is_all, w.segment, w.stratum, sum(w.value * w.weight) AS value, ltv.survival_agg(w.duration, w.event, w.value * w.weight) FILTER (WHERE w.value > 0) AS curve FROM worthy w GROUP BY w.is_all, w.segment, w.stratum) s
            GROUP BY s.is_all, s.segment
        ), errors AS (
            -- Of a row that is kept the share 1 - predicted was not foreseen, of one that is lost the share predicted.
            SELECT w.is_all, w.segment, sum(w.known * w.worth * abs(w.predicted - w.stays)) / sum(w.known) AS mae, sqrt(sum(w.known * (w.worth * (w.predicted - w.stays)) ^ 2) / sum(w.known)) AS rmse
            FROM worthy w GROUP BY w.is_all, w.segment HAVING bool_and(w.known IS NOT NULL)
        ), told AS (
            SELECT g.*, k.observed, k.is_partly_known, 
                   -- Greenwood has no error where none or all had the event: the exact limits of so many rows.
                   CASE k.observed WHEN 1 THEN power(0.025, 1 / k.at_risk) WHEN 0 THEN 0 ELSE coalesce(k.lower, power(k.observed, exp(k.step))) END AS lower,
                   CASE k.observed WHEN 1 THEN 1 WHEN 0 THEN 1 - power(0.025, 1 / k.events) ELSE coalesce(k.upper, power(k.observed, exp(-k.step))) END AS upper, CASE WHEN m.is_told THEN m.actual END AS actual_value, e.mae, e.rmse
            FROM gathered g
            -- On the log-log scale, as survival_interval has it for one curve.
            LEFT JOIN LATERAL (SELECT k.*, CASE WHEN k.observed > 0 AND k.observed < 1 THEN 1.959963984540054 * k.std_error / -(k.observed * ln(k.observed)) END AS step
                               FROM kept k WHERE k.is_all = g.is_all AND k.segment = g.segment) k ON g.suppression IS NULL
            LEFT JOIN money m ON m.is_all = g.is_all AND m.segment = g.segment
            LEFT JOIN errors e ON e.is_all = g.is_all AND e.segment = g.segment AND g.suppression IS NULL
        )
        SELECT t.segment, t.n, t.predicted, t.observed, t.lower, t.upper, t.weight * (1 - t.predicted), t.weight * (1 - t.observed), CASE WHEN t.suppression IS NULL THEN t.value END, CASE WHEN t.suppression IS NULL THEN t.predicted_value END,
               CASE WHEN t.suppression IS NULL THEN t.actual_value END, CASE WHEN t.suppression IS NULL THEN t.predicted_value - t.actual_value END, CASE WHEN t.suppression IS NULL THEN (t.predicted_value - t.actual_value) / nullif(t.actual_value, 0) END,
               t.mae, t.rmse, t.n_unscored, t.n_without_value,
               CASE WHEN t.n + t.n_unscored = 0 THEN ltv.nothing_to_judge($8, $9, $10, 'event', $3) WHEN t.n = 0 THEN ltv.unscored_status($1, $3) WHEN t.suppression IS NOT NULL THEN t.suppression WHEN t.is_partly_known THEN 'nobody of a group of the censoring was observed until the horizon' WHEN t.observed IS NULL THEN 'nobody was observed until the horizon'
                    WHEN $7 AND t.n_without_value = t.n THEN 'no row has a value' WHEN t.rmse IS NULL OR $7 AND t.actual_value IS NULL THEN 'nobody with a value was observed beyond the horizon' WHEN $6 THEN 'in sample' ELSE 'ok' END
        FROM told t ORDER BY t.is_all DESC, t.segment $q$, reading.query,
        ltv.censoring_query('SELECT * FROM judged', predicted_vs_actual.censoring, coalesce(cardinality(predicted_vs_actual.censoring_by) > 0, false), coalesce(cardinality(predicted_vs_actual.by) > 0, false), false),
        -- Of money those who have a value stand for each other.
        ltv.censoring_query(CASE WHEN predicted_vs_actual.value IS NULL THEN 'SELECT * FROM judged' ELSE 'SELECT * FROM judged v WHERE v.value IS NOT NULL' END,
                            predicted_vs_actual.censoring, coalesce(cardinality(predicted_vs_actual.censoring_by) > 0, false), coalesce(cardinality(predicted_vs_actual.by) > 0, false)))
    USING ltv.model(predicted_vs_actual.model), ARRAY[coalesce(predicted_vs_actual.horizon, reading.horizon)], coalesce(predicted_vs_actual.horizon, reading.horizon),
          coalesce(cardinality(predicted_vs_actual.by) > 0, false), coalesce(min_rows, 0), reading.in_sample, predicted_vs_actual.value IS NOT NULL, predicted_vs_actual.model, predicted_vs_actual.source, predicted_vs_actual.rows;
END
$$;
COMMENT ON FUNCTION ltv.predicted_vs_actual(text, regclass, double precision, text, text[], integer, text, text, text[]) IS 'What the model said would be kept by the horizon, and what was: retention with its interval at 95 % (Kaplan-Meier, Greenwood; where none or all had the event the exact one of the rows at risk at the horizon, or of the events, as in calibration_curve), numbers of events, and with value (a column of money in one currency, not negative) the value kept: predicted_value = sum of value x predicted survival, actual_value = total_value x Kaplan-Meier with values as weights; bias = predicted_value - actual_value, bias_share of the actual. mae, rmse: mean absolute error, and root of the mean squared error, of a row: of value x predicted survival against value when it is kept and 0 when not, in the money of value; without value both are of the probability and rmse is the root of the Brier score. Rows whose status at the horizon is not known are stood for by the others (inverse_censoring_weights, of the rows with a value). censoring: marginal, one curve for all rows and one for each segment; grouped, the mean of the curves of groups of like predictions, or of the rows with the same values in the columns of censoring_by (see evaluate), in retention, events, actual_value and errors; the limits then take the strata as given and add up Greenwood''s variances. For a model of amounts (train with a target) predicted_value, actual_value, bias, mae and rmse compare the expected amounts with the target; the columns of retention are NULL, and horizon, value and censoring are refused. n: rows scored (of amounts: with a target too); n_unscored: rows without a score, which are left out; n_without_value: rows with a score whose value is NULL, left out of what is in money. Rows count weight times. With by, all together first and then each segment; those of fewer than min_rows rows have NULLs in what happened and in money, and so has the next smallest where theirs would be all less the others (suppressed_groups). Rows and errors as evaluation_query.';
