-- Trends of usage, revenue or anything else that is measured again and again. States are a few bytes, changed in place.

CREATE FUNCTION ltv._slope_add(state bytea, t double precision, x double precision) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'slope_add_number';
COMMENT ON FUNCTION ltv._slope_add(bytea, double precision, double precision) IS 'Transition function of slope_agg.';
CREATE FUNCTION ltv._ewma_add(state bytea, t double precision, x double precision, half_life double precision) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ewma_add_number';
COMMENT ON FUNCTION ltv._ewma_add(bytea, double precision, double precision, double precision) IS 'Transition function of ewma_agg.';
CREATE FUNCTION ltv._ewma_add(state bytea, t double precision, x double precision, half_life double precision, as_of double precision) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ewma_add_number_as_of';
COMMENT ON FUNCTION ltv._ewma_add(bytea, double precision, double precision, double precision, double precision) IS 'Transition function of ewma_agg with as_of.';
CREATE FUNCTION ltv._first_reached(state double precision, t double precision, x double precision, threshold double precision) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'first_reached_number';
COMMENT ON FUNCTION ltv._first_reached(double precision, double precision, double precision, double precision) IS 'Transition function of first_reached_agg.';
CREATE FUNCTION ltv._slope_add(state bytea, t date, x double precision) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'slope_add_day';
COMMENT ON FUNCTION ltv._slope_add(bytea, date, double precision) IS 'Transition function of slope_agg.';
CREATE FUNCTION ltv._ewma_add(state bytea, t date, x double precision, half_life double precision) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ewma_add_day';
COMMENT ON FUNCTION ltv._ewma_add(bytea, date, double precision, double precision) IS 'Transition function of ewma_agg.';
CREATE FUNCTION ltv._ewma_add(state bytea, t date, x double precision, half_life double precision, as_of date) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ewma_add_day_as_of';
COMMENT ON FUNCTION ltv._ewma_add(bytea, date, double precision, double precision, date) IS 'Transition function of ewma_agg with as_of.';
CREATE FUNCTION ltv._first_reached(state date, t date, x double precision, threshold double precision) RETURNS date
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'first_reached_day';
COMMENT ON FUNCTION ltv._first_reached(date, date, double precision, double precision) IS 'Transition function of first_reached_agg.';
CREATE FUNCTION ltv._slope_add(state bytea, t timestamp with time zone, x double precision) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'slope_add_instant';
COMMENT ON FUNCTION ltv._slope_add(bytea, timestamp with time zone, double precision) IS 'Transition function of slope_agg.';
CREATE FUNCTION ltv._ewma_add(state bytea, t timestamp with time zone, x double precision, half_life double precision) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ewma_add_instant';
COMMENT ON FUNCTION ltv._ewma_add(bytea, timestamp with time zone, double precision, double precision) IS 'Transition function of ewma_agg.';
CREATE FUNCTION ltv._ewma_add(state bytea, t timestamp with time zone, x double precision, half_life double precision, as_of timestamp with time zone) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ewma_add_instant_as_of';
COMMENT ON FUNCTION ltv._ewma_add(bytea, timestamp with time zone, double precision, double precision, timestamp with time zone) IS 'Transition function of ewma_agg with as_of.';
CREATE FUNCTION ltv._first_reached(state timestamp with time zone, t timestamp with time zone, x double precision, threshold double precision) RETURNS timestamp with time zone
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'first_reached_instant';
COMMENT ON FUNCTION ltv._first_reached(timestamp with time zone, timestamp with time zone, double precision, double precision) IS 'Transition function of first_reached_agg.';
CREATE FUNCTION ltv._slope_combine(state bytea, other bytea) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'slope_combine';
COMMENT ON FUNCTION ltv._slope_combine(bytea, bytea) IS 'Combine function of slope_agg.';
CREATE FUNCTION ltv._slope_final(state bytea) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'slope_final_float';
COMMENT ON FUNCTION ltv._slope_final(bytea) IS 'Final function of slope_agg.';
CREATE FUNCTION ltv._ewma_combine(state bytea, other bytea) RETURNS bytea
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ewma_combine';
COMMENT ON FUNCTION ltv._ewma_combine(bytea, bytea) IS 'Combine function of ewma_agg.';
CREATE FUNCTION ltv._ewma_final(state bytea) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'ewma_final_float';
COMMENT ON FUNCTION ltv._ewma_final(bytea) IS 'Final function of ewma_agg.';

CREATE AGGREGATE ltv.slope_agg(t double precision, x double precision) (
    SFUNC = ltv._slope_add, STYPE = bytea, SSPACE = 64, FINALFUNC = ltv._slope_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._slope_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.slope_agg(double precision, double precision) IS 'The least-squares slope of x over t, per unit of t. NULL with fewer than two distinct times. Rows with a NULL are left out. Moments about the mean, merged as in Chan, Golub & LeVeque 1983, so that late dates lose no digits. Errors: 22023 for what is not finite, 22003.';
CREATE AGGREGATE ltv.ewma_agg(t double precision, x double precision, half_life double precision) (
    SFUNC = ltv._ewma_add, STYPE = bytea, SSPACE = 64, FINALFUNC = ltv._ewma_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._ewma_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.ewma_agg(double precision, double precision, double precision) IS 'The exponentially weighted average of x: a value counts half as much as one that is half_life (in the unit of t) younger, whatever the spacing of the times. As of the last t, and of any later moment, for the weights keep their proportions. half_life must be the same in all rows. Rows with a NULL are left out. The same in any order. NULL for no rows. Errors: 22023 for what is not finite or a half-life not above 0, 22003.';
CREATE AGGREGATE ltv.ewma_agg(t double precision, x double precision, half_life double precision, as_of double precision) (
    SFUNC = ltv._ewma_add, STYPE = bytea, SSPACE = 64, FINALFUNC = ltv._ewma_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._ewma_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.ewma_agg(double precision, double precision, double precision, double precision) IS 'As ewma_agg(t, x, half_life) of the rows up to as_of: what was known then.';
CREATE AGGREGATE ltv.first_reached_agg(t double precision, x double precision, threshold double precision) (
    SFUNC = ltv._first_reached, STYPE = double precision, SSPACE = 16, COMBINEFUNC = pg_catalog.float8smaller, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.first_reached_agg(double precision, double precision, double precision) IS 'The first t at which x is at least threshold: when a customer first got there. NULL when it never was. Rows with a NULL are left out. For a total that adds up, reached_on(dated_cash_agg(amount, paid_on), threshold). Errors 22023 for NaN and times that are not finite.';
CREATE AGGREGATE ltv.slope_agg(t date, x double precision) (
    SFUNC = ltv._slope_add, STYPE = bytea, SSPACE = 64, FINALFUNC = ltv._slope_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._slope_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.slope_agg(date, double precision) IS 'The least-squares slope of x over t, per day. NULL with fewer than two distinct times. Rows with a NULL are left out. Moments about the mean, merged as in Chan, Golub & LeVeque 1983, so that late dates lose no digits. Errors: 22023 for what is not finite, 22003.';
CREATE AGGREGATE ltv.ewma_agg(t date, x double precision, half_life double precision) (
    SFUNC = ltv._ewma_add, STYPE = bytea, SSPACE = 64, FINALFUNC = ltv._ewma_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._ewma_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.ewma_agg(date, double precision, double precision) IS 'The exponentially weighted average of x: a value counts half as much as one that is half_life (in days) younger, whatever the spacing of the times. As of the last t, and of any later moment, for the weights keep their proportions. half_life must be the same in all rows. Rows with a NULL are left out. The same in any order. NULL for no rows. Errors: 22023 for what is not finite or a half-life not above 0, 22003.';
CREATE AGGREGATE ltv.ewma_agg(t date, x double precision, half_life double precision, as_of date) (
    SFUNC = ltv._ewma_add, STYPE = bytea, SSPACE = 64, FINALFUNC = ltv._ewma_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._ewma_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.ewma_agg(date, double precision, double precision, date) IS 'As ewma_agg(t, x, half_life) of the rows up to as_of: what was known then.';
CREATE AGGREGATE ltv.first_reached_agg(t date, x double precision, threshold double precision) (
    SFUNC = ltv._first_reached, STYPE = date, SSPACE = 16, COMBINEFUNC = pg_catalog.date_smaller, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.first_reached_agg(date, double precision, double precision) IS 'The first t at which x is at least threshold: when a customer first got there. NULL when it never was. Rows with a NULL are left out. For a total that adds up, reached_on(dated_cash_agg(amount, paid_on), threshold). Errors 22023 for NaN and times that are not finite.';
CREATE AGGREGATE ltv.slope_agg(t timestamp with time zone, x double precision) (
    SFUNC = ltv._slope_add, STYPE = bytea, SSPACE = 64, FINALFUNC = ltv._slope_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._slope_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.slope_agg(timestamp with time zone, double precision) IS 'The least-squares slope of x over t, per day. NULL with fewer than two distinct times. Rows with a NULL are left out. Moments about the mean, merged as in Chan, Golub & LeVeque 1983, so that late dates lose no digits. Errors: 22023 for what is not finite, 22003.';
CREATE AGGREGATE ltv.ewma_agg(t timestamp with time zone, x double precision, half_life double precision) (
    SFUNC = ltv._ewma_add, STYPE = bytea, SSPACE = 64, FINALFUNC = ltv._ewma_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._ewma_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.ewma_agg(timestamp with time zone, double precision, double precision) IS 'The exponentially weighted average of x: a value counts half as much as one that is half_life (in days) younger, whatever the spacing of the times. As of the last t, and of any later moment, for the weights keep their proportions. half_life must be the same in all rows. Rows with a NULL are left out. The same in any order. NULL for no rows. Errors: 22023 for what is not finite or a half-life not above 0, 22003.';
CREATE AGGREGATE ltv.ewma_agg(t timestamp with time zone, x double precision, half_life double precision, as_of timestamp with time zone) (
    SFUNC = ltv._ewma_add, STYPE = bytea, SSPACE = 64, FINALFUNC = ltv._ewma_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._ewma_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.ewma_agg(timestamp with time zone, double precision, double precision, timestamp with time zone) IS 'As ewma_agg(t, x, half_life) of the rows up to as_of: what was known then.';
CREATE AGGREGATE ltv.first_reached_agg(t timestamp with time zone, x double precision, threshold double precision) (
    SFUNC = ltv._first_reached, STYPE = timestamp with time zone, SSPACE = 16, COMBINEFUNC = pg_catalog.timestamptz_smaller, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.first_reached_agg(timestamp with time zone, double precision, double precision) IS 'The first t at which x is at least threshold: when a customer first got there. NULL when it never was. Rows with a NULL are left out. For a total that adds up, reached_on(dated_cash_agg(amount, paid_on), threshold). Errors 22023 for NaN and times that are not finite.';
