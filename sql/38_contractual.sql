-- Contractual cohort models: who renews, when each customer has a propensity of his own. Fader & Hardie 2007; Fader, Hardie,
-- Liu, Davin & Steenburgh 2018.

CREATE FUNCTION ltv._survivors_add(state ltv.design, period integer, survivors bigint) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survivors_add';
COMMENT ON FUNCTION ltv._survivors_add(ltv.design, integer, bigint) IS 'Transition function of fit_sbg and fit_bdw.';
CREATE FUNCTION ltv._survivors_add(state ltv.design, cohort text, period integer, survivors bigint) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'survivors_add_cohort';
COMMENT ON FUNCTION ltv._survivors_add(ltv.design, text, integer, bigint) IS 'Transition function of fit_sbg and fit_bdw.';

CREATE FUNCTION ltv._fit_sbg(state ltv.survival) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_sbg_final';
COMMENT ON FUNCTION ltv._fit_sbg(ltv.survival) IS 'Final function of fit_sbg over customers.';
CREATE FUNCTION ltv._fit_sbg(state ltv.design) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_sbg_survivors_final';
COMMENT ON FUNCTION ltv._fit_sbg(ltv.design) IS 'Final function of fit_sbg over tables of survivors.';

CREATE AGGREGATE ltv.fit_sbg(period integer, survivors bigint) (
    SFUNC = ltv._survivors_add, STYPE = ltv.design, SSPACE = 4096, FINALFUNC = ltv._fit_sbg, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_sbg(integer, bigint) IS 'Fits the shifted-beta-geometric model (Fader & Hardie 2007) by maximum likelihood to the table of survivors of one cohort: period 0 with the customers at the start, then those still there after each renewal (period 1, 2, ...), a row for each. Each customer leaves at any renewal with a probability of his own, which is beta(alpha, beta)-distributed over customers: mean alpha / (alpha + beta). No features: predict_curve(m, ROW()) and whatever reads a model take any row. Rows with a NULL are left out; NULL when no row is left. With one row for each customer give (duration, churned boolean). A period is 1 long: with_period(m, 12) for years counted in months. See model_status. Errors 22023 for a period that is missing or given twice and survivors that rise.';

CREATE AGGREGATE ltv.fit_sbg(cohort text, period integer, survivors bigint) (
    SFUNC = ltv._survivors_add, STYPE = ltv.design, SSPACE = 4096, FINALFUNC = ltv._fit_sbg, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_sbg(text, integer, bigint) IS 'As fit_sbg(period, survivors) for several cohorts with the same parameters, of any ages: each has its own rows from period 0 to the last that was seen. cohort: its name.';

CREATE AGGREGATE ltv.fit_sbg(duration double precision, churned boolean) (
    SFUNC = ltv._survival_add, STYPE = ltv.survival, SSPACE = 4096, FINALFUNC = ltv._fit_sbg, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._survival_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_sbg(double precision, boolean) IS 'Fits the shifted-beta-geometric model (Fader & Hardie 2007) by maximum likelihood to one row for each customer. duration: periods; of who has left (churned) the number of the renewal that was not made, 1 for the first, of who is still there the renewals made. One who left between two renewals counts at the next and model_status tells of it; one last seen between two has made the former. Where both happen (times that are no renewals) risks are too high, as the former is counted in a period in which the latter is not at risk: use short periods, or a model in continuous time. Cohorts of any ages together. Each customer leaves at any renewal with a probability of his own, which is beta(alpha, beta)-distributed over customers: mean alpha / (alpha + beta). Rows with a NULL are left out; NULL when no row is left. Errors 22023.';

CREATE AGGREGATE ltv.fit_sbg(duration double precision, churned boolean, weight double precision) (
    SFUNC = ltv._survival_add, STYPE = ltv.survival, SSPACE = 4096, FINALFUNC = ltv._fit_sbg, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._survival_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_sbg(double precision, boolean, double precision) IS 'As fit_sbg(duration, churned), each row counting weight times (finite, greater than 0): for counts by group. Standard errors take weights for numbers of customers.';

CREATE FUNCTION ltv.fit_sbg(s ltv.survival, period double precision DEFAULT 1) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_sbg_curve';
COMMENT ON FUNCTION ltv.fit_sbg(ltv.survival, double precision) IS 'As fit_sbg(duration, churned) on rows gathered by survival_agg, late entries among them, in any unit: period is the length of a period in it, 12 for yearly renewals of durations in months. predict_curve and lifetime_value then speak that unit. NULL for a NULL or empty curve. Error 22023 for a curve that is a model''s.';

CREATE FUNCTION ltv._fit_bdw(state ltv.survival) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_bdw_final';
COMMENT ON FUNCTION ltv._fit_bdw(ltv.survival) IS 'Final function of fit_bdw over customers.';
CREATE FUNCTION ltv._fit_bdw(state ltv.design) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_bdw_survivors_final';
COMMENT ON FUNCTION ltv._fit_bdw(ltv.design) IS 'Final function of fit_bdw over tables of survivors.';

CREATE AGGREGATE ltv.fit_bdw(period integer, survivors bigint) (
    SFUNC = ltv._survivors_add, STYPE = ltv.design, SSPACE = 4096, FINALFUNC = ltv._fit_bdw, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_bdw(integer, bigint) IS 'Fits the beta-discrete-Weibull model (Fader, Hardie, Liu, Davin & Steenburgh 2018) by maximum likelihood to the table of survivors of one cohort: period 0 with the customers at the start, then those still there after each renewal (period 1, 2, ...), a row for each. As fit_sbg, but the chance of the same customer to leave falls (c < 1) or rises (c > 1) from renewal to renewal; c = 1 is fit_sbg. No features: predict_curve(m, ROW()) and whatever reads a model take any row. Rows with a NULL are left out; NULL when no row is left. With one row for each customer give (duration, churned boolean). A period is 1 long: with_period(m, 12) for years counted in months. See model_status. Errors 22023 for a period that is missing or given twice and survivors that rise.';

CREATE AGGREGATE ltv.fit_bdw(cohort text, period integer, survivors bigint) (
    SFUNC = ltv._survivors_add, STYPE = ltv.design, SSPACE = 4096, FINALFUNC = ltv._fit_bdw, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_bdw(text, integer, bigint) IS 'As fit_bdw(period, survivors) for several cohorts with the same parameters, of any ages: each has its own rows from period 0 to the last that was seen. cohort: its name.';

CREATE AGGREGATE ltv.fit_bdw(duration double precision, churned boolean) (
    SFUNC = ltv._survival_add, STYPE = ltv.survival, SSPACE = 4096, FINALFUNC = ltv._fit_bdw, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._survival_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_bdw(double precision, boolean) IS 'Fits the beta-discrete-Weibull model (Fader, Hardie, Liu, Davin & Steenburgh 2018) by maximum likelihood to one row for each customer. duration: periods; of who has left (churned) the number of the renewal that was not made, 1 for the first, of who is still there the renewals made. One who left between two renewals counts at the next and model_status tells of it; one last seen between two has made the former. Where both happen (times that are no renewals) risks are too high, as the former is counted in a period in which the latter is not at risk: use short periods, or a model in continuous time. Cohorts of any ages together. As fit_sbg, but the chance of the same customer to leave falls (c < 1) or rises (c > 1) from renewal to renewal; c = 1 is fit_sbg. Rows with a NULL are left out; NULL when no row is left. Errors 22023.';

CREATE AGGREGATE ltv.fit_bdw(duration double precision, churned boolean, weight double precision) (
    SFUNC = ltv._survival_add, STYPE = ltv.survival, SSPACE = 4096, FINALFUNC = ltv._fit_bdw, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._survival_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_bdw(double precision, boolean, double precision) IS 'As fit_bdw(duration, churned), each row counting weight times (finite, greater than 0): for counts by group. Standard errors take weights for numbers of customers.';

CREATE FUNCTION ltv.fit_bdw(s ltv.survival, period double precision DEFAULT 1) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_bdw_curve';
COMMENT ON FUNCTION ltv.fit_bdw(ltv.survival, double precision) IS 'As fit_bdw(duration, churned) on rows gathered by survival_agg, late entries among them, in any unit: period is the length of a period in it, 12 for yearly renewals of durations in months. predict_curve and lifetime_value then speak that unit. NULL for a NULL or empty curve. Error 22023 for a curve that is a model''s.';

CREATE FUNCTION ltv.with_period(m ltv.model, period double precision) RETURNS ltv.model
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'with_period';
COMMENT ON FUNCTION ltv.with_period(ltv.model, double precision) IS 'The same model of fit_sbg or fit_bdw with periods of that length: with_period(m, 12) makes years of a table of years in the months that lifetime_value speaks. Error 22023 for any other model.';

CREATE FUNCTION ltv.retention_curve(
    m ltv.model, periods integer DEFAULT 12, level double precision DEFAULT 0.95,
    OUT period integer, OUT at_risk double precision, OUT lost double precision, OUT observed double precision,
    OUT retention double precision, OUT retention_lower double precision, OUT retention_upper double precision,
    OUT survival double precision, OUT survival_lower double precision, OUT survival_upper double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 12 AS 'MODULE_PATHNAME', 'retention';
COMMENT ON FUNCTION ltv.retention_curve(ltv.model, integer, double precision) IS 'The projection of retention by a model of fit_sbg or fit_bdw, a row for each renewal from 1 to periods: at_risk customers came to it and lost of them left (NULL beyond the data: those rows are extrapolated), observed = 1 - lost / at_risk; retention: the share of those there before it that renews, S(k) / S(k - 1); survival: S(k), the share of the start that is left. Limits by the delta method on the log-log scale: the uncertainty of the model, not of a cohort''s size; NULL where unknown. No rows for a model without a curve (see model_status). Errors 22023.';

CREATE FUNCTION ltv.conditional_renewal_probability(m ltv.model, renewals integer, next integer DEFAULT 1) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'conditional_renewal_probability';
COMMENT ON FUNCTION ltv.conditional_renewal_probability(ltv.model, integer, integer) IS 'P(makes the next renewals | has made renewals) by a model of fit_sbg or fit_bdw: S(renewals + next) / S(renewals), of a customer who is there. It rises with the renewals made, as who leaves easily has left; S(renewals + next), the share of a new cohort, is another thing: retention shows it. NULL without a curve. Errors 22023.';

CREATE FUNCTION ltv.derl(m ltv.model, renewals integer, discount_rate double precision DEFAULT 0.10, period_months double precision DEFAULT NULL) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'derl';
COMMENT ON FUNCTION ltv.derl(ltv.model, integer, double precision, double precision) IS 'Discounted expected residual lifetime (Fader & Hardie 2010), in periods: what a customer who has made renewals and is about to decide on the next will still buy, sum over j >= 1 of v^(j-1) S(renewals + j) / S(renewals); the period that the next renewal buys is not discounted. Times the margin of a period it is the residual value. discount_rate is effective per year and v = (1 + discount_rate)^(-period_months / 12); period_months: length of a period in months, by default that of the model. With n of the paper renewals = n - 1. NULL where it is infinite (rate 0 and alpha <= 1, of bdw alpha c <= 1) and without a curve. Errors 22023.';

CREATE FUNCTION ltv.expected_lifetime(m ltv.model, renewals integer DEFAULT 0, discount_rate double precision DEFAULT 0, period_months double precision DEFAULT NULL) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'expected_lifetime';
COMMENT ON FUNCTION ltv.expected_lifetime(ltv.model, integer, double precision, double precision) IS 'The periods that a customer who has just made renewals (0: is new) will stay, the present one whole and among them: sum over j >= 0 of v^j S(renewals + j) / S(renewals), by a model of fit_sbg or fit_bdw. discount_rate (0: none) and period_months as in derl. Undiscounted it is (alpha + beta + renewals - 1) / (alpha - 1) of sbg, and NULL, as infinite, when alpha <= 1 (of bdw alpha c <= 1): a share of customers then never leaves within reach. NULL without a curve. Errors 22023.';
