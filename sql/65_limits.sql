-- Limits of what trees predict, at any horizon and any age that the rows know which train held out.

CREATE FUNCTION ltv.held_out_summary(
    held_out text, OUT n bigint, OUT n_events bigint, OUT times integer, OUT risks integer, OUT last_time double precision, OUT exact boolean
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'held_out_summary';
COMMENT ON FUNCTION ltv.held_out_summary(text) IS 'What a boosted_hazard version keeps of the rows held out (held_out of role limit in ltv.model_versions.profiles): n rows, n_events of them with the event, times and risks (linear predictors) told apart, the last time, and whether each is kept as it was (exact). Up to 256 different risks and 512 different times are; of more, neighbouring ones share a bin: risks with at most 1/64 of the rows and of the range together, represented by the mean of exp(linear predictor); times with at most 1/128 of the rows, of the events and of the late entries together, taken to be spread evenly within it. One of more than that has a bin of its own. Error 22P02 for any other text.';

CREATE FUNCTION ltv.held_out_limits(
    m ltv.model, held_out text, horizon double precision, given double precision DEFAULT 0, OUT place integer, OUT predicted_from double precision, OUT predicted_to double precision,
    OUT n bigint, OUT n_events bigint, OUT mean_predicted double precision, OUT observed double precision, OUT lower double precision, OUT upper double precision,
    OUT lower_power double precision, OUT upper_power double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 10 AS 'MODULE_PATHNAME', 'held_out_limits';
COMMENT ON FUNCTION ltv.held_out_limits(ltv.model, text, double precision, double precision) IS 'What became, from the age given through given + horizon, of the rows that were held out and still watched at that age, in groups of like prediction: at most ten of about equal sums of p (1 - p), each with 20 rows at that age and 20 events in the window or more. observed: Kaplan-Meier from the age on, to which rows with a delayed entry count from then on, with log-log limits at 95 % of Greenwood''s sum over the window alone (Kalbfleisch & Prentice 2002, section 1.4); of times in bins the life table (Cutler & Ederer 1958). lower_power and upper_power: the powers of the predictions with which their mean in the group is lower and upper. Columns as in ltv.model_limits. n: rows at the age. No rows: too few rows at the age or events in the window, or nobody watched until its end. Errors 22023: a window that is none, and a model other than boosted_hazard without segments; 22P02: a held_out that is none (see held_out_summary).';

CREATE FUNCTION ltv.held_out_interval(
    m ltv.model, held_out text, p_renew double precision, linear_predictor double precision, horizon double precision, given double precision DEFAULT 0,
    OUT lower double precision, OUT upper double precision, OUT n bigint, OUT n_held_out bigint, OUT status text
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'held_out_interval';
COMMENT ON FUNCTION ltv.held_out_interval(ltv.model, text, double precision, double precision, double precision, double precision) IS 'The limits of what a boosted_hazard model predicts of one row: p_renew and linear_predictor are what predict tells of it at this horizon given this age. The powers of p_renew of the row''s group in held_out_limits, widened to hold p_renew: what score tells. n: rows held out of like prediction; n_held_out: all that were still watched at the age. status: ok, or why there are no limits. The groups of a window are found once for a statement. Errors as held_out_limits, and 22023 for a p_renew outside [0, 1].';

CREATE FUNCTION ltv.model_limits(
    model text, horizon double precision DEFAULT NULL, given double precision DEFAULT 0, OUT place integer, OUT predicted_from double precision, OUT predicted_to double precision,
    OUT n bigint, OUT n_events bigint, OUT mean_predicted double precision, OUT observed double precision, OUT lower double precision, OUT upper double precision,
    OUT lower_power double precision, OUT upper_power double precision
) RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_version integer := ltv.model_version(model_limits.model);
    fitted ltv.model;
    limited jsonb;
BEGIN
    SELECT v.fitted, e INTO fitted, limited FROM ltv.model_versions v LEFT JOIN LATERAL jsonb_array_elements(v.profiles) AS e ON e ->> 'role' = 'limit'
    WHERE v.model = split_part(model_limits.model, '@', 1) AND v.version = found_version
    ORDER BY (e ->> 'horizon')::double precision = model_limits.horizon DESC NULLS LAST, (e ->> 'horizon')::double precision LIMIT 1;
    IF coalesce(model_limits.given, 0) = 0 AND limited ? 'groups' AND coalesce(model_limits.horizon, (limited ->> 'horizon')::double precision) = (limited ->> 'horizon')::double precision THEN
        RETURN QUERY SELECT row_number() OVER (ORDER BY l."from")::integer, l."from", l."to", l.rows, l.events, l.predicted, l.rate, l.lower, l.upper, l.lower_power, l.upper_power
            FROM jsonb_to_recordset(limited -> 'groups') AS l ("from" double precision, "to" double precision, rows bigint, events bigint, predicted double precision, rate double precision,
                lower double precision, upper double precision, lower_power double precision, upper_power double precision) ORDER BY 1;
    ELSE
        RETURN QUERY SELECT l.* FROM ltv.held_out_limits(fitted, limited ->> 'held_out', coalesce(model_limits.horizon, (limited ->> 'horizon')::double precision), coalesce(model_limits.given, 0)) AS l;
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.model_limits(text, double precision, double precision) IS 'As the view ltv.model_limits of one version (name, name@alias or name@version), at any horizon (NULL: that of the evaluation in train) and given any age: what score makes limits of. n are the rows held out that were still watched at the age, n_events those with the event by given + horizon. See held_out_limits. No rows: too few rows or events, nobody watched so long, or no rows held out are kept (see the view; of a version with segments, and of one from before they were, only the groups at its own horizon from the start on). Errors: P0002 no such model, 22023 a window that is none.';
