-- Many accounts together: sums of values and of run-rates, and how sure they are when all accounts share one curve or model.

CREATE TYPE ltv.portfolio;
CREATE FUNCTION ltv.portfolio_in(cstring) RETURNS ltv.portfolio LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'portfolio_in_wrapper';
CREATE FUNCTION ltv.portfolio_out(ltv.portfolio) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'portfolio_out_wrapper';
CREATE FUNCTION ltv.portfolio_recv(internal) RETURNS ltv.portfolio LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'portfolio_recv_wrapper';
CREATE FUNCTION ltv.portfolio_send(ltv.portfolio) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'portfolio_send_wrapper';
CREATE TYPE ltv.portfolio (
    INPUT = ltv.portfolio_in, OUTPUT = ltv.portfolio_out, RECEIVE = ltv.portfolio_recv, SEND = ltv.portfolio_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.portfolio IS 'The values (portfolio_agg) or monthly run-rates (run_rate_agg) of many accounts, added up, with how far each sum moves with each source of error of the curves and models behind it. Mergeable by rollup.';
COMMENT ON FUNCTION ltv.portfolio_in(cstring) IS 'Reads the text form of a portfolio; anything else is error 22P02.';
COMMENT ON FUNCTION ltv.portfolio_out(ltv.portfolio) IS 'The text form of a portfolio: JSON, exact to the last bit.';
COMMENT ON FUNCTION ltv.portfolio_recv(internal) IS 'Reads the binary form of a portfolio, fully checked.';
COMMENT ON FUNCTION ltv.portfolio_send(ltv.portfolio) IS 'The binary form of a portfolio.';

CREATE FUNCTION ltv._portfolio_add(state ltv.portfolio, curve ltv.survival, terms ltv.terms) RETURNS ltv.portfolio
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'portfolio_add_curve';
COMMENT ON FUNCTION ltv._portfolio_add(ltv.portfolio, ltv.survival, ltv.terms) IS 'Transition function of portfolio_agg.';
CREATE FUNCTION ltv._portfolio_add(state ltv.portfolio, m ltv.model, features record, terms ltv.terms) RETURNS ltv.portfolio
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'portfolio_add_model';
COMMENT ON FUNCTION ltv._portfolio_add(ltv.portfolio, ltv.model, record, ltv.terms) IS 'Transition function of portfolio_agg.';
CREATE FUNCTION ltv._portfolio_add(state ltv.portfolio, model text, features record, terms ltv.terms) RETURNS ltv.portfolio
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'portfolio_add_name';
COMMENT ON FUNCTION ltv._portfolio_add(ltv.portfolio, text, record, ltv.terms) IS 'Transition function of portfolio_agg.';
CREATE FUNCTION ltv._run_rate_add(
    state ltv.portfolio, curve ltv.survival, given double precision, amounts double precision[], begins double precision[], ends double precision[],
    renewals double precision[], terms double precision[], expansion double precision, months integer, currency text
) RETURNS ltv.portfolio
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'forecast_add_curve';
COMMENT ON FUNCTION ltv._run_rate_add(ltv.portfolio, ltv.survival, double precision, double precision[], double precision[], double precision[], double precision[], double precision[], double precision, integer, text) IS 'Transition function of run_rate_agg.';
CREATE FUNCTION ltv._run_rate_add(
    state ltv.portfolio, m ltv.model, features record, given double precision, amounts double precision[], begins double precision[], ends double precision[],
    renewals double precision[], terms double precision[], expansion double precision, months integer, currency text
) RETURNS ltv.portfolio
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'forecast_add_model';
COMMENT ON FUNCTION ltv._run_rate_add(ltv.portfolio, ltv.model, record, double precision, double precision[], double precision[], double precision[], double precision[], double precision[], double precision, integer, text) IS 'Transition function of run_rate_agg.';
CREATE FUNCTION ltv._portfolio_combine(state ltv.portfolio, other ltv.portfolio) RETURNS ltv.portfolio
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'portfolio_combine';
COMMENT ON FUNCTION ltv._portfolio_combine(ltv.portfolio, ltv.portfolio) IS 'Combine function of portfolio_agg and run_rate_agg, transition function of rollup.';
CREATE FUNCTION ltv._portfolio_final(state ltv.portfolio) RETURNS ltv.portfolio
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'portfolio_final';
COMMENT ON FUNCTION ltv._portfolio_final(ltv.portfolio) IS 'Final function of portfolio_agg and run_rate_agg: the state in its one stored form.';

CREATE AGGREGATE ltv.portfolio_agg(curve ltv.survival, terms ltv.terms) (
    SFUNC = ltv._portfolio_add, STYPE = ltv.portfolio, SSPACE = 8192, FINALFUNC = ltv._portfolio_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._portfolio_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.portfolio_agg(ltv.survival, ltv.terms) IS 'The lifetime values of many accounts, added up: each is lifetime_value(curve, terms), rounded as there. Accounts with the same curve share its errors; different curves count as independent, so value accounts of one model by portfolio_agg(model, features, terms), not by predict_curve. Accounts without a value (NULL, nobody of that age) are counted. Errors 22023 for two currencies.';
CREATE AGGREGATE ltv.portfolio_agg(m ltv.model, features record, terms ltv.terms) (
    SFUNC = ltv._portfolio_add, STYPE = ltv.portfolio, SSPACE = 8192, FINALFUNC = ltv._portfolio_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._portfolio_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.portfolio_agg(ltv.model, record, ltv.terms) IS 'As portfolio_agg(curve, terms) over lifetime_value(m, features, terms): all rows share the errors of the model''s coefficients, those of a stratum that of its baseline, those of a cohort that of its curve.';
CREATE AGGREGATE ltv.portfolio_agg(model text, features record, terms ltv.terms) (
    SFUNC = ltv._portfolio_add, STYPE = ltv.portfolio, SSPACE = 8192, FINALFUNC = ltv._portfolio_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._portfolio_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.portfolio_agg(text, record, ltv.terms) IS 'As portfolio_agg(ltv.model, record, terms) with a registered model: name, name@alias or name@version.';

CREATE AGGREGATE ltv.run_rate_agg(
    curve ltv.survival, given double precision, amounts double precision[], begins double precision[], ends double precision[],
    renewals double precision[], terms double precision[], expansion double precision, months integer, currency text
) (
    SFUNC = ltv._run_rate_add, STYPE = ltv.portfolio, SSPACE = 65536, FINALFUNC = ltv._portfolio_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._portfolio_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.run_rate_agg(ltv.survival, double precision, double precision[], double precision[], double precision[], double precision[], double precision[], double precision, integer, text) IS 'What many accounts will pay per month, now and in each of the next months, added up; one row per account, months counted from now. given: the account''s age. For each of its lines: amounts per month; begins, when it begins (0 or less: it runs); ends, when it is known to end; renewals, when its committed term ends (0 or less: it was renewed since, for terms as long; NULL: it may end at any time); terms, how long the next terms are (NULL: 12). Within a term a line is certain; all lines of an account hang on its one lifetime. expansion: effective annual growth of those who stay; months: 1 to 1200; currency: ISO 4217. Beyond the observed time the average hazard goes on. Read by portfolio_months; forecast_arr fills it from a timeline. Errors 22023.';
CREATE AGGREGATE ltv.run_rate_agg(
    m ltv.model, features record, given double precision, amounts double precision[], begins double precision[], ends double precision[],
    renewals double precision[], terms double precision[], expansion double precision, months integer, currency text
) (
    SFUNC = ltv._run_rate_add, STYPE = ltv.portfolio, SSPACE = 65536, FINALFUNC = ltv._portfolio_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._portfolio_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.run_rate_agg(ltv.model, record, double precision, double precision[], double precision[], double precision[], double precision[], double precision[], double precision, integer, text) IS 'As run_rate_agg(curve, ...) with the curve that a model has for the row.';

CREATE AGGREGATE ltv.rollup(p ltv.portfolio) (
    SFUNC = ltv._portfolio_combine, STYPE = ltv.portfolio, SSPACE = 8192, FINALFUNC = ltv._portfolio_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._portfolio_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.portfolio) IS 'Several portfolios as one, as if their accounts had been gathered at once: shared errors are shared across them too. Errors 22023 for two currencies.';

CREATE FUNCTION ltv.portfolio_value(
    p ltv.portfolio, level double precision DEFAULT 0.95,
    OUT accounts bigint, OUT unvalued bigint, OUT ltv numeric, OUT undiscounted numeric,
    OUT parameter_std_error numeric, OUT outcome_std_dev numeric, OUT total_std_dev numeric,
    OUT lower numeric, OUT upper numeric, OUT outcome_lower numeric, OUT outcome_upper numeric, OUT total_lower numeric, OUT total_upper numeric,
    OUT currency text, OUT status text
) LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'portfolio_value';
COMMENT ON FUNCTION ltv.portfolio_value(ltv.portfolio, double precision) IS 'The value of a portfolio, the sum of its accounts'' ltv, with three intervals that are told apart. lower, upper: where the true expected value lies, by the errors of curves and models, which accounts share (delta method on the sum); as if the tail rule were true. outcome_lower, outcome_upper: where the realised value lies if the curves are true and accounts leave independently of each other. total_lower, total_upper: where it lies with both. All are normal approximations: for a few accounts read lifetime_value''s outcome_lower. unvalued accounts add nothing; the errors are NULL where those of some account are unknown (status). NULLs for no accounts. Errors 22023.';

CREATE FUNCTION ltv.portfolio_change(
    base ltv.portfolio, scenario ltv.portfolio, level double precision DEFAULT 0.95,
    OUT base_ltv numeric, OUT scenario_ltv numeric, OUT delta numeric, OUT delta_std_error numeric, OUT delta_lower numeric, OUT delta_upper numeric,
    OUT currency text, OUT status text
) LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'portfolio_change';
COMMENT ON FUNCTION ltv.portfolio_change(ltv.portfolio, ltv.portfolio, double precision) IS 'What a portfolio is worth in a scenario against its base: delta = scenario_ltv - base_ltv, and the interval of the expected difference. Both are off by the same errors of the same curves and models, so the difference is surer than two separate intervals say. The errors of assumptions (a hazard_ratio, an elasticity) are not in it. Errors 22023 for two currencies.';

CREATE FUNCTION ltv.portfolio_months(
    p ltv.portfolio, level double precision DEFAULT 0.95,
    OUT month integer, OUT opening numeric, OUT expected_churn numeric, OUT expected_growth numeric, OUT mean numeric, OUT certain numeric,
    OUT parameter_std_error numeric, OUT outcome_std_dev numeric, OUT total_std_dev numeric,
    OUT lower numeric, OUT upper numeric, OUT outcome_lower numeric, OUT outcome_upper numeric, OUT total_lower numeric, OUT total_upper numeric,
    OUT currency text, OUT accounts bigint, OUT unvalued bigint, OUT status text
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 13 AS 'MODULE_PATHNAME', 'portfolio_months';
COMMENT ON FUNCTION ltv.portfolio_months(ltv.portfolio, double precision) IS 'The months of a portfolio of run_rate_agg, month 0 being now: opening - expected_churn + expected_growth = mean, the amount per month that is expected of the existing contracts. expected_growth: expansion and contracted lines that begin. certain: the part within committed terms. Intervals as in portfolio_value, none below 0. Errors 22023.';

CREATE FUNCTION ltv.staying_probability(curve ltv.survival, terms ltv.terms, months double precision DEFAULT 12) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'staying_curve';
COMMENT ON FUNCTION ltv.staying_probability(ltv.survival, ltv.terms, double precision) IS 'The probability that an account of the age that the terms give is still there so many months from now, as lifetime_value reads it: by its renewal dates, notice, early termination and hazard_ratio. NULL where the curve has nobody of that age. Errors 22023.';
CREATE FUNCTION ltv.staying_probability(m ltv.model, features record, terms ltv.terms, months double precision DEFAULT 12) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'staying_model';
COMMENT ON FUNCTION ltv.staying_probability(ltv.model, record, ltv.terms, double precision) IS 'As staying_probability(curve, terms, months) over predict_curve(m, features).';
