-- Customers who may buy at any time and leave without a word: models of their purchases, and of what these are worth.

CREATE TYPE ltv.purchase_sample;
CREATE FUNCTION ltv.purchase_sample_in(cstring) RETURNS ltv.purchase_sample LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_sample_in_wrapper';
CREATE FUNCTION ltv.purchase_sample_out(ltv.purchase_sample) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_sample_out_wrapper';
CREATE FUNCTION ltv.purchase_sample_recv(internal) RETURNS ltv.purchase_sample LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_sample_recv_wrapper';
CREATE FUNCTION ltv.purchase_sample_send(ltv.purchase_sample) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'purchase_sample_send_wrapper';
CREATE TYPE ltv.purchase_sample (
    INPUT = ltv.purchase_sample_in, OUTPUT = ltv.purchase_sample_out, RECEIVE = ltv.purchase_sample_recv, SEND = ltv.purchase_sample_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.purchase_sample IS 'Customers counted by frequency, recency and age: what purchase_agg gathers and fit_bg_nbd, fit_mbg_nbd and fit_pareto_nbd read. Mergeable by rollup.';
COMMENT ON FUNCTION ltv.purchase_sample_in(cstring) IS 'Reads the text form of a sample of purchases; anything else is error 22P02.';
COMMENT ON FUNCTION ltv.purchase_sample_out(ltv.purchase_sample) IS 'The text form of a sample of purchases: JSON, exact to the last bit.';
COMMENT ON FUNCTION ltv.purchase_sample_recv(internal) IS 'Reads the binary form of a sample of purchases, fully checked.';
COMMENT ON FUNCTION ltv.purchase_sample_send(ltv.purchase_sample) IS 'The binary form of a sample of purchases.';

CREATE TYPE ltv.spend_sample;
CREATE FUNCTION ltv.spend_sample_in(cstring) RETURNS ltv.spend_sample LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'spend_sample_in_wrapper';
CREATE FUNCTION ltv.spend_sample_out(ltv.spend_sample) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'spend_sample_out_wrapper';
CREATE FUNCTION ltv.spend_sample_recv(internal) RETURNS ltv.spend_sample LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'spend_sample_recv_wrapper';
CREATE FUNCTION ltv.spend_sample_send(ltv.spend_sample) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'spend_sample_send_wrapper';
CREATE TYPE ltv.spend_sample (
    INPUT = ltv.spend_sample_in, OUTPUT = ltv.spend_sample_out, RECEIVE = ltv.spend_sample_recv, SEND = ltv.spend_sample_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE ltv.spend_sample IS 'Customers counted by frequency and mean value of their repeat purchases: what spend_agg gathers and fit_gamma_gamma reads. Mergeable by rollup.';
COMMENT ON FUNCTION ltv.spend_sample_in(cstring) IS 'Reads the text form of a sample of spending; anything else is error 22P02.';
COMMENT ON FUNCTION ltv.spend_sample_out(ltv.spend_sample) IS 'The text form of a sample of spending: JSON, exact to the last bit.';
COMMENT ON FUNCTION ltv.spend_sample_recv(internal) IS 'Reads the binary form of a sample of spending, fully checked.';
COMMENT ON FUNCTION ltv.spend_sample_send(ltv.spend_sample) IS 'The binary form of a sample of spending.';

CREATE FUNCTION ltv._purchase_add(state ltv.purchase_sample, frequency double precision, recency double precision, age double precision) RETURNS ltv.purchase_sample
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'purchases_add';
COMMENT ON FUNCTION ltv._purchase_add(ltv.purchase_sample, double precision, double precision, double precision) IS 'Transition function of purchase_agg, fit_bg_nbd, fit_mbg_nbd and fit_pareto_nbd.';
CREATE FUNCTION ltv._purchase_add(state ltv.purchase_sample, frequency double precision, recency double precision, age double precision, weight double precision) RETURNS ltv.purchase_sample
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'purchases_add_weight';
COMMENT ON FUNCTION ltv._purchase_add(ltv.purchase_sample, double precision, double precision, double precision, double precision) IS 'Transition function of purchase_agg, fit_bg_nbd, fit_mbg_nbd and fit_pareto_nbd.';
CREATE FUNCTION ltv._purchase_combine(state ltv.purchase_sample, other ltv.purchase_sample) RETURNS ltv.purchase_sample
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'purchases_combine';
COMMENT ON FUNCTION ltv._purchase_combine(ltv.purchase_sample, ltv.purchase_sample) IS 'Combine function of the aggregates over purchases, transition function of rollup.';
CREATE FUNCTION ltv._spend_add(state ltv.spend_sample, frequency double precision, mean_value double precision) RETURNS ltv.spend_sample
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'spend_add';
COMMENT ON FUNCTION ltv._spend_add(ltv.spend_sample, double precision, double precision) IS 'Transition function of spend_agg and fit_gamma_gamma.';
CREATE FUNCTION ltv._spend_add(state ltv.spend_sample, frequency double precision, mean_value double precision, weight double precision) RETURNS ltv.spend_sample
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'spend_add_weight';
COMMENT ON FUNCTION ltv._spend_add(ltv.spend_sample, double precision, double precision, double precision) IS 'Transition function of spend_agg and fit_gamma_gamma.';
CREATE FUNCTION ltv._spend_combine(state ltv.spend_sample, other ltv.spend_sample) RETURNS ltv.spend_sample
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'spend_combine';
COMMENT ON FUNCTION ltv._spend_combine(ltv.spend_sample, ltv.spend_sample) IS 'Combine function of the aggregates over spending, transition function of rollup.';

CREATE FUNCTION ltv.skipped(p ltv.purchase_sample) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'purchases_skipped';
COMMENT ON FUNCTION ltv.skipped(ltv.purchase_sample) IS 'Rows that purchase_agg left out because an argument was NULL.';
CREATE FUNCTION ltv.skipped(s ltv.spend_sample) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'spend_skipped';
COMMENT ON FUNCTION ltv.skipped(ltv.spend_sample) IS 'Rows that spend_agg left out because an argument was NULL or there were no repeat purchases.';

CREATE FUNCTION ltv.fit_bg_nbd(p ltv.purchase_sample) RETURNS ltv.model
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_bg_nbd';
COMMENT ON FUNCTION ltv.fit_bg_nbd(ltv.purchase_sample) IS 'Fits the BG/NBD model (Fader, Hardie & Lee 2005) by maximum likelihood: customers buy at random at rates that are gamma distributed (r, alpha) and leave after a repeat purchase with probabilities that are beta distributed (a, b). By the model nobody leaves before a repeat purchase, so that P(alive) of those with frequency 0 is 1: fit_mbg_nbd and fit_pareto_nbd know better. coefficients lists the parameters with standard errors from the observed information, model_fit the likelihood, model_status whether to believe it. Survival accessors refuse the model: use probability_alive, expected_purchases, purchase_probability, discounted_purchases and transactional_value. NULL for nobody. Errors 22003, 53200.';
CREATE FUNCTION ltv.fit_mbg_nbd(p ltv.purchase_sample) RETURNS ltv.model
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_mbg_nbd';
COMMENT ON FUNCTION ltv.fit_mbg_nbd(ltv.purchase_sample) IS 'Fits the modified BG/NBD model (Batislam, Denizel & Filiztekin 2007) by maximum likelihood: as fit_bg_nbd, but customers may leave after their first purchase too. coefficients lists the parameters with standard errors from the observed information, model_fit the likelihood, model_status whether to believe it. Survival accessors refuse the model: use probability_alive, expected_purchases, purchase_probability, discounted_purchases and transactional_value. NULL for nobody. Errors 22003, 53200.';
CREATE FUNCTION ltv.fit_pareto_nbd(p ltv.purchase_sample) RETURNS ltv.model
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_pareto_nbd';
COMMENT ON FUNCTION ltv.fit_pareto_nbd(ltv.purchase_sample) IS 'Fits the Pareto/NBD model (Schmittlein, Morrison & Colombo 1987) by maximum likelihood: customers buy at random at rates that are gamma distributed (r, alpha) and may leave at any time, at rates that are gamma distributed (s, beta). coefficients lists the parameters with standard errors from the observed information, model_fit the likelihood, model_status whether to believe it. Survival accessors refuse the model: use probability_alive, expected_purchases, purchase_probability, discounted_purchases and transactional_value. NULL for nobody. Errors 22003, 53200.';
CREATE FUNCTION ltv.fit_gamma_gamma(s ltv.spend_sample) RETURNS ltv.model
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_gamma_gamma';
COMMENT ON FUNCTION ltv.fit_gamma_gamma(ltv.spend_sample) IS 'Fits the Gamma-Gamma model of what a purchase is worth (Fader & Hardie 2013) by maximum likelihood: values are gamma distributed with shape p and a rate of the customer''s own, which is gamma distributed (q, gamma); they must not depend on how often the customer buys. expected_spend and transactional_value read it; survival accessors refuse it. coefficients, model_fit and model_status tell of the fit; with q not above 1 the mean over all customers does not exist, and model_status says so. NULL for nobody. Errors 22003, 53200.';

CREATE AGGREGATE ltv.purchase_agg(frequency double precision, recency double precision, age double precision) (
    SFUNC = ltv._purchase_add, STYPE = ltv.purchase_sample, SSPACE = 8192, COMBINEFUNC = ltv._purchase_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.purchase_agg(double precision, double precision, double precision) IS 'Gathers customers for fit_bg_nbd, fit_mbg_nbd and fit_pareto_nbd. frequency: repeat purchases, all but the first; recency: the time from the first to the last purchase (0 with frequency 0), not the time since; age: the time from the first purchase until the day of the data; all in one unit. purchase_summary makes these. Rows with a NULL are left out. Errors 22023, 22003, 53200.';
CREATE AGGREGATE ltv.purchase_agg(frequency double precision, recency double precision, age double precision, weight double precision) (
    SFUNC = ltv._purchase_add, STYPE = ltv.purchase_sample, SSPACE = 8192, COMBINEFUNC = ltv._purchase_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.purchase_agg(double precision, double precision, double precision, double precision) IS 'As purchase_agg(frequency, recency, age), each row standing for weight customers (finite, greater than 0).';
CREATE AGGREGATE ltv.fit_bg_nbd(frequency double precision, recency double precision, age double precision) (
    SFUNC = ltv._purchase_add, STYPE = ltv.purchase_sample, SSPACE = 8192, FINALFUNC = ltv.fit_bg_nbd, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._purchase_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_bg_nbd(double precision, double precision, double precision) IS 'Fits the BG/NBD model (Fader, Hardie & Lee 2005) by maximum likelihood: customers buy at random at rates that are gamma distributed (r, alpha) and leave after a repeat purchase with probabilities that are beta distributed (a, b). By the model nobody leaves before a repeat purchase, so that P(alive) of those with frequency 0 is 1: fit_mbg_nbd and fit_pareto_nbd know better. frequency: repeat purchases, all but the first; recency: the time from the first to the last purchase (0 with frequency 0), not the time since; age: the time from the first purchase until the day of the data; all in one unit. purchase_summary makes these. Rows with a NULL are left out. Errors 22023, 22003, 53200. coefficients lists the parameters with standard errors from the observed information, model_fit the likelihood, model_status whether to believe it. Survival accessors refuse the model: use probability_alive, expected_purchases, purchase_probability, discounted_purchases and transactional_value. NULL for nobody.';
CREATE AGGREGATE ltv.fit_bg_nbd(frequency double precision, recency double precision, age double precision, weight double precision) (
    SFUNC = ltv._purchase_add, STYPE = ltv.purchase_sample, SSPACE = 8192, FINALFUNC = ltv.fit_bg_nbd, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._purchase_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_bg_nbd(double precision, double precision, double precision, double precision) IS 'As fit_bg_nbd(frequency, recency, age), each row standing for weight customers (finite, greater than 0).';
CREATE AGGREGATE ltv.fit_mbg_nbd(frequency double precision, recency double precision, age double precision) (
    SFUNC = ltv._purchase_add, STYPE = ltv.purchase_sample, SSPACE = 8192, FINALFUNC = ltv.fit_mbg_nbd, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._purchase_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_mbg_nbd(double precision, double precision, double precision) IS 'Fits the modified BG/NBD model (Batislam, Denizel & Filiztekin 2007) by maximum likelihood: as fit_bg_nbd, but customers may leave after their first purchase too. frequency: repeat purchases, all but the first; recency: the time from the first to the last purchase (0 with frequency 0), not the time since; age: the time from the first purchase until the day of the data; all in one unit. purchase_summary makes these. Rows with a NULL are left out. Errors 22023, 22003, 53200. coefficients lists the parameters with standard errors from the observed information, model_fit the likelihood, model_status whether to believe it. Survival accessors refuse the model: use probability_alive, expected_purchases, purchase_probability, discounted_purchases and transactional_value. NULL for nobody.';
CREATE AGGREGATE ltv.fit_mbg_nbd(frequency double precision, recency double precision, age double precision, weight double precision) (
    SFUNC = ltv._purchase_add, STYPE = ltv.purchase_sample, SSPACE = 8192, FINALFUNC = ltv.fit_mbg_nbd, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._purchase_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_mbg_nbd(double precision, double precision, double precision, double precision) IS 'As fit_mbg_nbd(frequency, recency, age), each row standing for weight customers (finite, greater than 0).';
CREATE AGGREGATE ltv.fit_pareto_nbd(frequency double precision, recency double precision, age double precision) (
    SFUNC = ltv._purchase_add, STYPE = ltv.purchase_sample, SSPACE = 8192, FINALFUNC = ltv.fit_pareto_nbd, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._purchase_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_pareto_nbd(double precision, double precision, double precision) IS 'Fits the Pareto/NBD model (Schmittlein, Morrison & Colombo 1987) by maximum likelihood: customers buy at random at rates that are gamma distributed (r, alpha) and may leave at any time, at rates that are gamma distributed (s, beta). frequency: repeat purchases, all but the first; recency: the time from the first to the last purchase (0 with frequency 0), not the time since; age: the time from the first purchase until the day of the data; all in one unit. purchase_summary makes these. Rows with a NULL are left out. Errors 22023, 22003, 53200. coefficients lists the parameters with standard errors from the observed information, model_fit the likelihood, model_status whether to believe it. Survival accessors refuse the model: use probability_alive, expected_purchases, purchase_probability, discounted_purchases and transactional_value. NULL for nobody.';
CREATE AGGREGATE ltv.fit_pareto_nbd(frequency double precision, recency double precision, age double precision, weight double precision) (
    SFUNC = ltv._purchase_add, STYPE = ltv.purchase_sample, SSPACE = 8192, FINALFUNC = ltv.fit_pareto_nbd, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._purchase_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_pareto_nbd(double precision, double precision, double precision, double precision) IS 'As fit_pareto_nbd(frequency, recency, age), each row standing for weight customers (finite, greater than 0).';
CREATE AGGREGATE ltv.spend_agg(frequency double precision, mean_value double precision) (
    SFUNC = ltv._spend_add, STYPE = ltv.spend_sample, SSPACE = 8192, COMBINEFUNC = ltv._spend_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.spend_agg(double precision, double precision) IS 'Gathers customers for fit_gamma_gamma. frequency: repeat purchases; mean_value: their mean value, greater than 0. Rows with a NULL or with frequency 0 are left out. Errors 22023, 53200.';
CREATE AGGREGATE ltv.spend_agg(frequency double precision, mean_value double precision, weight double precision) (
    SFUNC = ltv._spend_add, STYPE = ltv.spend_sample, SSPACE = 8192, COMBINEFUNC = ltv._spend_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.spend_agg(double precision, double precision, double precision) IS 'As spend_agg(frequency, mean_value), each row standing for weight customers (finite, greater than 0).';
CREATE AGGREGATE ltv.fit_gamma_gamma(frequency double precision, mean_value double precision) (
    SFUNC = ltv._spend_add, STYPE = ltv.spend_sample, SSPACE = 8192, FINALFUNC = ltv.fit_gamma_gamma, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._spend_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_gamma_gamma(double precision, double precision) IS 'Fits the Gamma-Gamma model of what a purchase is worth (Fader & Hardie 2013) by maximum likelihood: values are gamma distributed with shape p and a rate of the customer''s own, which is gamma distributed (q, gamma); they must not depend on how often the customer buys. expected_spend and transactional_value read it; survival accessors refuse it. coefficients, model_fit and model_status tell of the fit; with q not above 1 the mean over all customers does not exist, and model_status says so. frequency: repeat purchases; mean_value: their mean value, greater than 0. Rows with a NULL or with frequency 0 are left out. NULL when no row is left. Errors 22023, 22003, 53200.';
CREATE AGGREGATE ltv.fit_gamma_gamma(frequency double precision, mean_value double precision, weight double precision) (
    SFUNC = ltv._spend_add, STYPE = ltv.spend_sample, SSPACE = 8192, FINALFUNC = ltv.fit_gamma_gamma, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._spend_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_gamma_gamma(double precision, double precision, double precision) IS 'As fit_gamma_gamma(frequency, mean_value), each row standing for weight customers (finite, greater than 0).';
CREATE AGGREGATE ltv.rollup(purchases ltv.purchase_sample) (
    SFUNC = ltv._purchase_combine, STYPE = ltv.purchase_sample, SSPACE = 32768, COMBINEFUNC = ltv._purchase_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.purchase_sample) IS 'Adds up samples of disjoint customers, exactly as if purchase_agg had seen all of them.';
CREATE AGGREGATE ltv.rollup(spend ltv.spend_sample) (
    SFUNC = ltv._spend_combine, STYPE = ltv.spend_sample, SSPACE = 32768, COMBINEFUNC = ltv._spend_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.rollup(ltv.spend_sample) IS 'Adds up samples of disjoint customers, exactly as if spend_agg had seen all of them.';

CREATE FUNCTION ltv.probability_alive(m ltv.model, frequency double precision, recency double precision, age double precision, segment text DEFAULT NULL) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'probability_alive';
COMMENT ON FUNCTION ltv.probability_alive(ltv.model, double precision, double precision, double precision, text) IS 'The probability, between 0 and 1, that a customer with this history is still one (has not left without a word), by a model of purchases. 1 for frequency 0 by bg_nbd, in which nobody leaves before a repeat purchase. segment: of a model that train made with segment_by, the customer''s segment as model_segments names it; without one, or of one that training never saw, the model of all rows answers; any other model does not look at it. NULL for a model that saw no repeat purchases, and for other NULL arguments. Errors 22023: another model, an impossible history.';

CREATE FUNCTION ltv.expected_purchases(m ltv.model, frequency double precision, recency double precision, age double precision, horizon double precision, segment text DEFAULT NULL) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 300 AS 'MODULE_PATHNAME', 'expected_purchases';
COMMENT ON FUNCTION ltv.expected_purchases(ltv.model, double precision, double precision, double precision, double precision, text) IS 'Expected number of purchases of a customer with this history within horizon from now, in the unit of the history: the chance of having left counted in. segment and NULL as probability_alive. Errors 22023.';

CREATE FUNCTION ltv.expected_purchases(m ltv.model, horizon double precision, segment text DEFAULT NULL) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 300 AS 'MODULE_PATHNAME', 'expected_purchases_new';
COMMENT ON FUNCTION ltv.expected_purchases(ltv.model, double precision, text) IS 'Expected number of repeat purchases of a new customer within horizon from the first purchase, which is not counted. segment and NULL as probability_alive. Errors 22023.';

CREATE FUNCTION ltv.purchase_probability(m ltv.model, purchases double precision, horizon double precision, segment text DEFAULT NULL) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 300 AS 'MODULE_PATHNAME', 'purchase_probability';
COMMENT ON FUNCTION ltv.purchase_probability(ltv.model, double precision, double precision, text) IS 'The probability that a new customer makes exactly so many repeat purchases within horizon from the first purchase. segment and NULL as probability_alive. Errors 22023.';

CREATE FUNCTION ltv.discounted_purchases(m ltv.model, frequency double precision, recency double precision, age double precision, discount_rate double precision DEFAULT 0.10, unit text DEFAULT 'week', segment text DEFAULT NULL) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 3000 AS 'MODULE_PATHNAME', 'discounted_purchases';
COMMENT ON FUNCTION ltv.discounted_purchases(ltv.model, double precision, double precision, double precision, double precision, text, text) IS 'Discounted expected residual transactions (DERT; Fader, Hardie & Lee 2005, RFM and CLV): the number of purchases still to come from a customer with this history, without end, each discounted from its own day at the effective annual discount_rate. unit: that of the history: day, week, month or year, of which a year has 365, 365/7, 12 and 1. Times the margin of a purchase it is the residual lifetime value. segment and NULL as probability_alive, and where it is infinite: at a rate of 0 and a heavy tail. Errors 22023.';

CREATE FUNCTION ltv.expected_spend(m ltv.model, frequency double precision, mean_value double precision, segment text DEFAULT NULL) RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'expected_spend';
COMMENT ON FUNCTION ltv.expected_spend(ltv.model, double precision, double precision, text) IS 'Expected mean value of a purchase of a customer with so many repeat purchases of this mean value, by a gamma_gamma model: the customer''s own mean drawn towards that of all customers, the more the fewer the purchases. With frequency 0 mean_value may be NULL, and the answer is the mean of all customers. NULL where that does not exist (q not above 1: model_status), and for other NULL arguments. segment as probability_alive. Errors 22023.';

CREATE FUNCTION ltv.transactional_value(
    purchases ltv.model, spend ltv.model, frequency double precision, recency double precision, age double precision, mean_value double precision,
    margin double precision DEFAULT 1, discount_rate double precision DEFAULT 0.10, horizon integer DEFAULT 60, unit text DEFAULT 'week',
    timing text DEFAULT 'mid-period', currency text DEFAULT NULL, segment text DEFAULT NULL,
    OUT ltv numeric, OUT undiscounted numeric, OUT revenue numeric, OUT probability_alive double precision, OUT expected_purchases double precision,
    OUT expected_spend double precision, OUT discount_rate double precision, OUT horizon integer, OUT currency text, OUT status text
) RETURNS record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'transactional_value';
COMMENT ON FUNCTION ltv.transactional_value(ltv.model, ltv.model, double precision, double precision, double precision, double precision, double precision, double precision, integer, text, text, text, text) IS 'What a customer''s purchases within horizon months from now are worth: expected purchases (a model of fit_bg_nbd, fit_mbg_nbd or fit_pareto_nbd) times the expected value of a purchase (fit_gamma_gamma) times margin, month by month, discounted at the effective annual discount_rate. frequency, recency, age, mean_value as purchase_summary gives them (mean_value may be NULL with frequency 0), unit that of recency and age: day, week, month or year; a month is a twelfth of 365 days. timing: the purchases of a month are paid in its middle (mid-period), at its start (advance) or end (arrears). currency: ISO 4217, for the decimals. segment: of models that train made with segment_by, the customer''s segment as model_segments names it; where the model of all rows answers, status says why (pooled: ...). One name cannot tell the segments of two models that are told by different columns: that is an error, and segment_model gives each. ltv is the sum of the present values of transactional_cash_flows to the cent. A missing argument gives NULLs and a status. Errors 22023, 22003.';

CREATE FUNCTION ltv.transactional_cash_flows(
    purchases ltv.model, spend ltv.model, frequency double precision, recency double precision, age double precision, mean_value double precision,
    margin double precision DEFAULT 1, discount_rate double precision DEFAULT 0.10, horizon integer DEFAULT 60, unit text DEFAULT 'week',
    timing text DEFAULT 'mid-period', currency text DEFAULT NULL, segment text DEFAULT NULL,
    OUT period integer, OUT due_months double precision, OUT purchases double precision, OUT revenue numeric, OUT cost numeric, OUT margin numeric,
    OUT discount_factor double precision, OUT present_value numeric, OUT cumulative numeric
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 ROWS 60 AS 'MODULE_PATHNAME', 'transactional_cash_flows';
COMMENT ON FUNCTION ltv.transactional_cash_flows(ltv.model, ltv.model, double precision, double precision, double precision, double precision, double precision, double precision, integer, text, text, text, text) IS 'The expected cash flows behind transactional_value with the same arguments: one row per month, rounded so that each column adds up to its total to the cent. due_months: from now; purchases: expected in the month. No rows for what has no value: transactional_value says why. Errors as there.';

CREATE FUNCTION ltv.purchase_summary(
    transactions regclass, customer text, at text, amount text, as_of date, unit text DEFAULT 'week',
    OUT customer_id text, OUT frequency bigint, OUT recency double precision, OUT age double precision, OUT mean_value double precision, OUT first_purchase date
) RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000 ROWS 10000
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    per_unit constant double precision := CASE $6 WHEN 'day' THEN 1 WHEN 'week' THEN 7 WHEN 'month' THEN 365.0 / 12 WHEN 'year' THEN 365 END;
    missing text;
    not_time text;
BEGIN
    IF per_unit IS NULL THEN
        RAISE EXCEPTION 'unknown unit %', coalesce(quote_literal($6), 'NULL') USING ERRCODE = 'invalid_parameter_value', HINT = 'One of: day, week, month, year.';
    END IF;
    IF $1 IS NULL OR $2 IS NULL OR $3 IS NULL OR $5 IS NULL OR NOT isfinite($5) THEN
        RAISE EXCEPTION 'transactions, customer, at and a finite as_of must be given'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Only amount may be NULL: mean_value is then NULL.';
    END IF;
    SELECT string_agg(wanted.name, ', ' ORDER BY wanted.place) FILTER (WHERE a.attname IS NULL),
           string_agg(a.atttypid::regtype::text, ', ') FILTER (WHERE wanted.place = 2 AND NOT a.atttypid = ANY ('{date,timestamp,timestamptz}'::regtype[]))
    INTO missing, not_time
    FROM unnest(ARRAY[$2, $3, $4]) WITH ORDINALITY AS wanted (name, place)
    LEFT JOIN pg_attribute a ON a.attrelid = $1 AND a.attname = wanted.name AND a.attnum > 0 AND NOT a.attisdropped
    WHERE wanted.name IS NOT NULL;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% has no column %', $1, missing
            USING ERRCODE = 'undefined_column', HINT = 'Name the columns with the customer, the time of the purchase and its amount.';
    END IF;
    IF not_time IS NOT NULL THEN
        RAISE EXCEPTION 'column % of % is %, not a date or timestamp', $3, $1, not_time
            USING ERRCODE = 'datatype_mismatch', HINT = 'Cast it in a view, where the time zone is known.';
    END IF;
    RETURN QUERY EXECUTE format(
        'WITH day AS (
             SELECT t.%1$I::text AS customer, t.%2$I::date AS bought, sum(%3$s) AS amount
             FROM %4$s AS t
             WHERE t.%1$I IS NOT NULL AND t.%2$I::date <= $1
             GROUP BY 1, 2
         ), dated AS (
             SELECT d.customer, d.bought, d.amount, min(d.bought) OVER (PARTITION BY d.customer) AS first FROM day AS d
         )
         SELECT d.customer, count(*) - 1, (max(d.bought) - d.first) / $2, ($1 - d.first) / $2,
                avg(d.amount) FILTER (WHERE d.bought > d.first)::double precision, d.first
         FROM dated AS d
         GROUP BY d.customer, d.first
         ORDER BY d.customer',
        $2, $3, CASE WHEN $4 IS NULL THEN 'NULL::numeric' ELSE format('t.%I::numeric', $4) END, $1)
    USING $5, per_unit;
END
$$;
COMMENT ON FUNCTION ltv.purchase_summary(regclass, text, text, text, date, text) IS 'The history of each customer as the transactional models want it, from any relation with one row per transaction, read with the caller''s rights. customer, at (date or timestamp; a timestamptz in the session''s time zone), amount: names of its columns; amount NULL: no mean_value. as_of: the day of the data; rows after it are not seen. unit: day, week, month (a twelfth of 365 days) or year (365 days). The transactions of one day are one purchase. frequency: days with purchases less the first; recency: from the first to the last of them; age: from the first to as_of; mean_value: of the days after the first, NULL with frequency 0; first_purchase. Rows without customer or time are left out; returns and refunds are rows like others: leave them out by a view. Errors: 42703 a missing column, 42804 a time that is none, 22023.';
