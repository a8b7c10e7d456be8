-- How a column is distributed: the summary that a model keeps of its training data, and how far later data are from it.

CREATE TYPE ltv.profile;
CREATE FUNCTION ltv.profile_in(cstring) RETURNS ltv.profile LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_in_wrapper';
CREATE FUNCTION ltv.profile_out(ltv.profile) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_out_wrapper';
CREATE FUNCTION ltv.profile_recv(internal) RETURNS ltv.profile LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_recv_wrapper';
CREATE FUNCTION ltv.profile_send(ltv.profile) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'profile_send_wrapper';
CREATE TYPE ltv.profile (
    INPUT = ltv.profile_in, OUTPUT = ltv.profile_out, RECEIVE = ltv.profile_recv, SEND = ltv.profile_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.profile IS 'How the values of a column are distributed, small and mergeable by rollup: numbers in at most 1024 bins, or bins of 1/128 of themselves, with the least and greatest of each, texts with their exact counts; and the NULLs.';
COMMENT ON FUNCTION ltv.profile_in(cstring) IS 'Reads the text form of a profile; anything else is error 22P02.';
COMMENT ON FUNCTION ltv.profile_out(ltv.profile) IS 'The text form of a profile: JSON, exact to the last bit.';
COMMENT ON FUNCTION ltv.profile_recv(internal) IS 'Reads the binary form of a profile, fully checked.';
COMMENT ON FUNCTION ltv.profile_send(ltv.profile) IS 'The binary form of a profile.';

CREATE FUNCTION ltv._profile_add(state ltv.profile, value double precision) RETURNS ltv.profile
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'profile_add_number';
COMMENT ON FUNCTION ltv._profile_add(ltv.profile, double precision) IS 'Transition function of profile_agg.';
CREATE FUNCTION ltv._profile_add(state ltv.profile, value text) RETURNS ltv.profile
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'profile_add_text';
COMMENT ON FUNCTION ltv._profile_add(ltv.profile, text) IS 'Transition function of profile_agg.';
CREATE FUNCTION ltv._profile_combine(state ltv.profile, other ltv.profile) RETURNS ltv.profile
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'profile_combine';
COMMENT ON FUNCTION ltv._profile_combine(ltv.profile, ltv.profile) IS 'Combine function of profile_agg, transition function of rollup.';

CREATE AGGREGATE ltv.profile_agg(value double precision) (
    SFUNC = ltv._profile_add, STYPE = ltv.profile, SSPACE = 16384, COMBINEFUNC = ltv._profile_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.profile_agg(double precision) IS 'How numbers are distributed: each by itself up to 1024 different ones; of more, counts in as many bins as 1024 allow, and never bins wider than 1/128 of the number, so that none is further than 1/256 of itself from where it is taken to be. The same for any order of the rows. NULL, NaN and infinity count as NULL. Cast other numbers to double precision.';

CREATE AGGREGATE ltv.profile_agg(value text) (
    SFUNC = ltv._profile_add, STYPE = ltv.profile, SSPACE = 16384, COMBINEFUNC = ltv._profile_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.profile_agg(text) IS 'How texts are distributed: the exact count of each. Cast booleans to text. Errors: 53200 beyond ltv.max_memory_mb.';

CREATE AGGREGATE ltv.rollup(summary ltv.profile) (
    SFUNC = ltv._profile_combine, STYPE = ltv.profile, SSPACE = 16384, COMBINEFUNC = ltv._profile_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.profile) IS 'Merges profiles of the same column: of days, partitions or shards. Error 22023 for numbers with texts.';

CREATE FUNCTION ltv.profile_summary(
    p ltv.profile, OUT kind text, OUT n bigint, OUT nulls bigint, OUT null_rate double precision, OUT levels bigint, OUT minimum double precision,
    OUT lower_quartile double precision, OUT median double precision, OUT upper_quartile double precision, OUT maximum double precision,
    OUT mean double precision, OUT std_dev double precision
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'profile_summary';
COMMENT ON FUNCTION ltv.profile_summary(ltv.profile) IS 'A profile in a row. kind: numbers or texts; n: rows with a value; levels: distinct texts (NULL for numbers, and all that follows is for numbers only). minimum and maximum are exact, the others to 1/256 of the values.';

CREATE FUNCTION ltv.profile_levels(p ltv.profile, OUT level text, OUT n bigint, OUT share double precision) RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 20 AS 'MODULE_PATHNAME', 'profile_levels';
COMMENT ON FUNCTION ltv.profile_levels(ltv.profile) IS 'The texts of a profile, the most frequent first, with their share of the rows that have a value. No rows for numbers.';

CREATE FUNCTION ltv.profile_rank(p ltv.profile, value double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'profile_rank';
COMMENT ON FUNCTION ltv.profile_rank(ltv.profile, double precision) IS 'The share of the profile''s numbers below a value, those equal to it by half (Parzen''s mid-distribution function); within a bin in a straight line. NULL for texts and without numbers.';

CREATE FUNCTION ltv.profile_quantile(p ltv.profile, q double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'profile_quantile';
COMMENT ON FUNCTION ltv.profile_quantile(ltv.profile, double precision) IS 'The number that a share q of the profile''s numbers does not exceed, to 1/256 of it. NULL for texts and without numbers. Error 22023 for a q outside [0, 1].';

CREATE FUNCTION ltv.conformal_margin(errors ltv.profile, level double precision DEFAULT 0.9) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'profile_conformal_margin';
COMMENT ON FUNCTION ltv.conformal_margin(ltv.profile, double precision) IS 'As conformal_margin(ltv.survival, level), of errors in a profile: profile_agg(abs(observed - predicted)) of the rows held out, which train keeps with each model of amounts (role error in ltv.model_profiles). The greatest error of the bin that has the ceil((n + 1) level)-th smallest: that error itself up to 1024 different ones, at most 1/128 more beyond. NULL when n is too small for the level, and for texts. Error 22023 for a level outside of 0 and 1 and for an error below 0.';

CREATE FUNCTION ltv.profile_distance(
    base ltv.profile, now ltv.profile, OUT metric text, OUT value double precision, OUT chance double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 ROWS 5 AS 'MODULE_PATHNAME', 'profile_distance';
COMMENT ON FUNCTION ltv.profile_distance(ltv.profile, ltv.profile) IS 'How far a distribution has gone from another one. psi: the population stability index over tenths of the base, or over levels, an empty group counting as half a row (Siddiqi 2006); jensen_shannon: the divergence in bits over the same groups, 0 to 1 (Lin 1991); null_rate: the difference of the NULL rates; of numbers kolmogorov_smirnov, the largest difference of the distribution functions at the ends of the bins (exact up to 1024 different numbers), and wasserstein, the area between them in standard deviations of the base; of texts l_infinity, the largest difference of a level''s share, and unseen_rate, the share of rows whose text the base never had. chance: what two samples of one distribution of these sizes exceed at most about once in a thousand times (psi: Yurdakul 2018; kolmogorov_smirnov: Smirnov 1948; wasserstein: a bound by the Brownian bridge, Borell 1975; l_infinity: Bonferroni); NULL where that is not known. Error 22023 for numbers against texts.';

CREATE FUNCTION ltv.poisson_interval(
    count double precision, level double precision DEFAULT 0.95, OUT lower double precision, OUT upper double precision
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'poisson_interval';
COMMENT ON FUNCTION ltv.poisson_interval(double precision, double precision) IS 'The exact interval of the mean of a Poisson count (Garwood 1936): for observed events, to be held against the expected ones. Errors 22023: a negative count, or a level outside (0, 1).';

CREATE FUNCTION ltv.weighted_poisson_interval(
    total double precision, sum_of_squares double precision, heaviest double precision, level double precision DEFAULT 0.95,
    OUT lower double precision, OUT upper double precision
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'weighted_poisson_interval';
COMMENT ON FUNCTION ltv.weighted_poisson_interval(double precision, double precision, double precision, double precision) IS 'The interval of the mean of a sum of Poisson counts that weigh differently (Fay & Feuer 1997: a gamma law with the mean and the variance of the sum, for the upper limit of the sum with one more event of the greatest weight): total, the sum of the weights of the events; sum_of_squares, that of their squares; heaviest, the greatest weight of all rows, with an event or without. It scales as the weights do, and with weights of 1 it is poisson_interval; one row that outweighs all others makes it wide. Errors 22023: sums that no weights of at most heaviest have, a heaviest that is not finite and above 0, or a level outside (0, 1).';

CREATE FUNCTION ltv.expected_events(m ltv.model, features record, until double precision, since double precision DEFAULT 0, ended boolean DEFAULT false) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'expected_events_model';
COMMENT ON FUNCTION ltv.expected_events(ltv.model, record, double precision, double precision, boolean) IS 'How many events a model expects of a row that was watched from since until until, in the unit of the durations: its cumulative hazard, of a curve of steps the sum of the shares who have the event at each (the compensator of Aalen 1978; beyond 1000 steps the curve of a cox model is taken to be smooth). Its sum over rows, however censored, is to be held against their events (Berry 1983). ended: whether the row had the event at until. Models of whole periods expect events at their ends, and count as training counts: discrete_time rounds both times up to periods (an event at 0 is one of the first); sbg and bdw count who left between two renewals as one who did not make the next, and who was last seen between two as one who made the former; for others ended says nothing. NULL where the row has no curve, for a window that is empty, and for a model of one cause or of decisions.';

CREATE FUNCTION ltv.expected_events(model text, features record, until double precision, since double precision DEFAULT 0, ended boolean DEFAULT false) RETURNS double precision
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 500 AS 'MODULE_PATHNAME', 'expected_events_name';
COMMENT ON FUNCTION ltv.expected_events(text, record, double precision, double precision, boolean) IS 'As expected_events(ltv.model, ...) with a registered model: name, name@alias or name@version.';

-- With the rights of who asks: what row security hides of the versions stays hidden.
CREATE VIEW ltv.model_profiles WITH (security_invoker = true) AS
SELECT v.model, v.version, p.role, p.input, p.horizon, p.profile, p.segment
FROM ltv.model_versions v, LATERAL pg_catalog.jsonb_to_recordset(v.profiles) AS p (role text, input text, horizon double precision, profile ltv.profile, segment text)
WHERE p.role <> 'place';
COMMENT ON VIEW ltv.model_profiles IS 'How the training rows of a version were distributed, an input a row: what score ranks by, and drift compares with. Rows that null_policy drop left out are counted here, so that later rows with as many NULLs are no drift. Part of the version (ltv.model_versions.profiles), written by train and sealed with it.';
COMMENT ON COLUMN ltv.model_profiles.model IS 'The model.';
COMMENT ON COLUMN ltv.model_profiles.version IS 'The version.';
COMMENT ON COLUMN ltv.model_profiles.role IS 'feature: a column that the model reads; prediction: the probability of the event within horizon from the start on, of the training rows, or what they are expected to be worth; duration: how long they were observed; error: how far what was expected of the rows held out was from what they were; limit: the probabilities to last through horizon that were predicted of the rows held out (see model_limits).';
COMMENT ON COLUMN ltv.model_profiles.input IS 'The name of the column; event_probability or expected_value for the prediction; renewal_probability for the limits; absolute_error, or relative_error (in units of the expected amount), for the errors.';
COMMENT ON COLUMN ltv.model_profiles.horizon IS 'Of a prediction and of limits: the horizon that train was asked for, else the one it chose: see model_horizon.';
COMMENT ON COLUMN ltv.model_profiles.profile IS 'The distribution.';
COMMENT ON COLUMN ltv.model_profiles.segment IS 'Of an error: the segment whose rows held out they are of, as model_segments names it, where it has a model of its own and 100 such rows. NULL: all rows.';

CREATE VIEW ltv.model_limits WITH (security_invoker = true) AS
SELECT v.model, v.version, (e ->> 'horizon')::double precision AS horizon, row_number() OVER (PARTITION BY v.model, v.version, e ->> 'horizon' ORDER BY l."from")::integer AS place,
       l."from" AS predicted_from, l."to" AS predicted_to, l.rows AS n, l.events AS n_events, l.predicted AS mean_predicted, l.rate AS observed, l.lower, l.upper, l.lower_power, l.upper_power
FROM ltv.model_versions v, LATERAL pg_catalog.jsonb_array_elements(v.profiles) AS e,
     LATERAL pg_catalog.jsonb_to_recordset(e -> 'groups') AS l ("from" double precision, "to" double precision, rows bigint, events bigint, predicted double precision, rate double precision,
         lower double precision, upper double precision, lower_power double precision, upper_power double precision)
WHERE e ->> 'role' = 'limit';
COMMENT ON VIEW ltv.model_limits IS 'What became of the rows that train held out, in groups of like prediction: what score makes limits of, for a boosted_hazard version, at this horizon and from the start on; ltv.model_limits(model, horizon, given) tells the same of any other horizon and age. At most ten groups of equal sums of p (1 - p), each with 20 events or more. Part of the version (ltv.model_versions.profiles), sealed with it. No rows: trained without a holdout, with too few events in it, with weights, with delayed entries (see the function), or another algorithm.';
COMMENT ON COLUMN ltv.model_limits.model IS 'The model.';
COMMENT ON COLUMN ltv.model_limits.version IS 'The version.';
COMMENT ON COLUMN ltv.model_limits.horizon IS 'In the unit of the durations: that of the evaluation in train.';
COMMENT ON COLUMN ltv.model_limits.place IS 'The group: 1 has the least predictions.';
COMMENT ON COLUMN ltv.model_limits.predicted_from IS 'The least predicted probability to last through the horizon; a row belongs to the last group that begins at or below its own.';
COMMENT ON COLUMN ltv.model_limits.predicted_to IS 'The greatest.';
COMMENT ON COLUMN ltv.model_limits.n IS 'Rows held out.';
COMMENT ON COLUMN ltv.model_limits.n_events IS 'Those with the event by the horizon.';
COMMENT ON COLUMN ltv.model_limits.mean_predicted IS 'The mean of their predictions.';
COMMENT ON COLUMN ltv.model_limits.observed IS 'The Kaplan-Meier estimate of the share that lasts through the horizon.';
COMMENT ON COLUMN ltv.model_limits.lower IS 'Its lower limit at 95 %, on the log-log scale (Greenwood 1926; Kalbfleisch & Prentice 2002).';
COMMENT ON COLUMN ltv.model_limits.upper IS 'Its upper limit.';
COMMENT ON COLUMN ltv.model_limits.lower_power IS 'The power of the predictions with which their mean is lower: the factor of the cumulative hazard. The lower limit of a row is p_renew to this power, if it is more than 1, else p_renew.';
COMMENT ON COLUMN ltv.model_limits.upper_power IS 'As lower_power, of upper; the upper limit of a row is p_renew to this power, if it is less than 1, else p_renew.';
