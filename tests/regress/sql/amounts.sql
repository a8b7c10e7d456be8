-- Models of amounts, rules and the hybrid: fits, what they say of a row, where they refuse.
\set ECHO none
CREATE TABLE iranian (call_failure int, complains int, subscription_length int, charge_amount int, seconds_of_use int, frequency_of_use int, frequency_of_sms int,
                      distinct_called_numbers int, age_group int, tariff_plan int, status int, age int, customer_value double precision, churn int);
\cd :data
\copy iranian from 'iranian_churn.csv' with (format csv, header)
ALTER TABLE iranian ADD id serial;
CREATE FUNCTION r(double precision) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN round($1::numeric, 9);
ANALYZE;
\set ECHO all

CREATE TABLE fits (name text PRIMARY KEY, m ltv.model);
INSERT INTO fits
SELECT 'linear', ltv.fit_linear(ltv.amount_design_agg(customer_value, ARRAY[age, complains, subscription_length]), names => '{age,complains,subscription_length}') FROM iranian
UNION ALL SELECT 'gamma', ltv.fit_gamma(ltv.amount_design_agg(customer_value, ARRAY[call_failure, complains, subscription_length, frequency_of_use, age])) FROM iranian WHERE customer_value > 0
UNION ALL SELECT 'tweedie', ltv.fit_tweedie(ltv.amount_design_agg(customer_value, ARRAY[call_failure, complains, subscription_length, frequency_of_use, age]), power => 1.5) FROM iranian
UNION ALL SELECT 'two_part', ltv.fit_two_part(ltv.amount_design_agg(customer_value, ARRAY[complains, subscription_length, age]), names => '{complains,subscription_length,age}') FROM iranian;

-- R: glm(customer_value ~ ..., Gamma(log)) -0.01386711625, 0.00105...; statmod's tweedie(1.5, 0); the two parts as binomial and Gamma(log). See tests/golden/amount.R.
SELECT name, term, r(estimate) AS estimate, r(std_error) AS std_error, r(z) AS z, r(lower) AS lower, r(upper) AS upper FROM fits, LATERAL ltv.coefficients(m) ORDER BY name, term;
SELECT f.name, part, family, link, power, n_rows, degrees_of_freedom AS df, r(dispersion) AS dispersion, r(deviance) AS deviance, r(null_deviance) AS null_deviance,
       round(deviance_explained::numeric, 6) AS explained, round(log_likelihood::numeric, 6) AS log_likelihood, round(aic::numeric, 6) AS aic
FROM fits f, LATERAL ltv.amount_fit(m) ORDER BY f.name, part DESC;
SELECT name, ltv.model_algorithm(m), ltv.model_status(m), ltv.model_features(m), round(log_likelihood::numeric, 4) AS log_likelihood, parameters, round(bic::numeric, 4) AS bic, n, events
FROM fits, LATERAL ltv.model_fit(m) ORDER BY name;
SELECT count(*) FROM fits, LATERAL ltv.model_test(m);

-- The exact text and bytes.
SELECT name, m::text::ltv.model::text = m::text AS text_is_exact FROM fits ORDER BY name;
SELECT m FROM fits WHERE name = 'linear';

-- The product of the parts, by hand: the odds and the logarithm of the amount from the coefficients.
WITH c AS (SELECT split_part(term, ': ', 1) AS part, split_part(term, ': ', 2) AS term, estimate FROM fits, LATERAL ltv.coefficients(m) WHERE name = 'two_part'),
     x (term, x) AS (VALUES ('(intercept)', 1), ('complains', 0), ('subscription_length', 36), ('age', 30)),
     eta AS (SELECT part, sum(estimate * x) AS eta FROM c JOIN x USING (term) GROUP BY part)
SELECT r(1 / (1 + exp(-o.eta))) AS probability, r(exp(a.eta)) AS amount, r(exp(a.eta) / (1 + exp(-o.eta))) AS by_hand,
       r(ltv.expected_value((SELECT m FROM fits WHERE name = 'two_part'), s)) AS expected
FROM eta o, eta a, (SELECT 0 AS complains, 36 AS subscription_length, 30 AS age) s WHERE o.part = 'occurrence' AND a.part = 'amount';

-- An expected value with its limits: the same by name, in whatever row.
SELECT name, r(value) AS value, r(lower) AS lower, r(upper) AS upper, status
FROM fits, LATERAL ltv.expected_value_interval(m, (SELECT s FROM (SELECT 0 AS complains, 36 AS subscription_length, 30 AS age) s), 0.9) WHERE name IN ('linear', 'two_part') ORDER BY name;
SELECT e.* FROM (VALUES (NULL::int), (1)) v (complains), LATERAL (SELECT v.complains, 36 AS subscription_length, 30 AS age) s,
       LATERAL ltv.expected_value_interval((SELECT m FROM fits WHERE name = 'two_part'), s) e;
SELECT ltv.expected_value((SELECT m FROM fits WHERE name = 'two_part'), s) IS NULL FROM (SELECT NULL::int AS complains, 36 AS subscription_length, 30 AS age) s;

-- Weights are repetitions; parts of the rows merge; nobody asks in which order they came.
WITH d AS (SELECT ltv.fit_tweedie(ltv.amount_design_agg(customer_value, ARRAY[age], 1 + age_group % 2), 1.4) AS weighted,
                  (SELECT ltv.fit_tweedie(ltv.amount_design_agg(customer_value, ARRAY[age]), 1.4) FROM (SELECT * FROM iranian, generate_series(1, 1 + age_group % 2) ORDER BY customer_value DESC) t) AS repeated
           FROM iranian)
SELECT term, r(w.estimate) AS estimate, r(w.std_error) AS std_error, r(w.estimate) = r(p.estimate) AND r(w.std_error) = r(p.std_error) AS same
FROM d, LATERAL ltv.coefficients(weighted) w JOIN LATERAL ltv.coefficients(repeated) p USING (term);

-- An exposure as an offset: an amount per month.
SELECT term, r(estimate) AS estimate, r(std_error) AS std_error
FROM (SELECT ltv.fit_gamma(ltv.amount_design_agg(customer_value, ARRAY[complains], 1, ln(subscription_length)), names => '{complains}') AS m FROM iranian WHERE customer_value > 0) f, LATERAL ltv.coefficients(m);

-- The power, when it is not told; an intercept alone; nothing to say; data that cannot tell.
SELECT power, r(dispersion) AS dispersion, round(log_likelihood::numeric, 4) AS log_likelihood, round(aic::numeric, 4) AS aic
FROM (SELECT ltv.fit_tweedie(ltv.amount_design_agg(customer_value, ARRAY[age])) AS m FROM iranian WHERE id % 8 = 0) f, LATERAL ltv.amount_fit(m);
SELECT c.term, r(c.estimate) AS estimate, r(ln(mean)) AS log_of_mean FROM (SELECT ltv.fit_gamma(ltv.amount_design_agg(customer_value, ARRAY[]::float8[])) AS m, avg(customer_value) AS mean FROM iranian WHERE customer_value > 0) f, LATERAL ltv.coefficients(m) c;
SELECT ltv.model_status(ltv.fit_tweedie(ltv.amount_design_agg(0, ARRAY[age]))), ltv.model_status(ltv.fit_two_part(ltv.amount_design_agg(0, ARRAY[age]))), ltv.model_status(ltv.fit_linear(ltv.amount_design_agg(0, ARRAY[age]))),
       ltv.model_status(ltv.fit_two_part(ltv.amount_design_agg(1 + age, ARRAY[complains]))) FROM iranian;
SELECT ltv.expected_value_interval(ltv.fit_tweedie(ltv.amount_design_agg(0, ARRAY[age])), ROW(1)) FROM iranian;
SELECT e.* FROM (SELECT ltv.fit_tweedie(ltv.amount_design_agg(0, ARRAY[age]), names => '{age}') AS m FROM iranian) f, (SELECT 30 AS age) s, LATERAL ltv.expected_value_interval(m, s) e;
SELECT ltv.model_status(ltv.fit_linear(ltv.amount_design_agg(5, ARRAY[1]))), ltv.model_status(ltv.fit_gamma(ltv.amount_design_agg(age, ARRAY[complains, complains * 2, 7]))) FROM (SELECT * FROM iranian LIMIT 1) i;
SELECT ltv.model_status(ltv.fit_gamma(ltv.amount_design_agg(age, ARRAY[complains, complains * 2, 7]))), ltv.model_status(ltv.fit_tweedie(ltv.amount_design_agg(age * complains, ARRAY[complains]), 1.5)) FROM iranian;
-- No limits without a degree of freedom, or without scatter, and why.
SELECT u.place, r(e.value) AS value, r(e.lower) AS lower, r(e.upper) AS upper, e.status
FROM (SELECT 1, ltv.fit_gamma(ltv.amount_design_agg(10 + i, ARRAY[]::float8[], 0.5), names => '{}') FROM generate_series(1, 3) AS i
      UNION ALL SELECT 2, ltv.fit_linear(ltv.amount_design_agg(10 + i, ARRAY[]::float8[], 0.25), names => '{}') FROM generate_series(1, 3) AS i
      UNION ALL SELECT 3, ltv.fit_linear(ltv.amount_design_agg(20, ARRAY[]::float8[]), names => '{}') FROM generate_series(1, 8) AS i
      UNION ALL SELECT 4, ltv.fit_two_part(ltv.amount_design_agg(20 * (i % 2), ARRAY[]::float8[]), names => '{}') FROM generate_series(1, 8) AS i
      UNION ALL SELECT 5, ltv.fit_gamma(ltv.amount_design_agg(9 + 2 * (i % 2), ARRAY[]::float8[]), names => '{}') FROM generate_series(1, 2) AS i) AS u (place, m),
     (SELECT 1 AS id) AS s, LATERAL ltv.expected_value_interval(m, s) AS e ORDER BY u.place;
SELECT ltv.fit_linear(ltv.amount_design_agg(age, ARRAY[age])) IS NULL AS no_rows FROM iranian WHERE false;

-- What cannot be asked.
SELECT ltv.fit_gamma(ltv.amount_design_agg(customer_value, ARRAY[age])) FROM iranian;
SELECT ltv.fit_tweedie(ltv.amount_design_agg(-age, ARRAY[age])) FROM iranian;
SELECT ltv.fit_two_part(ltv.amount_design_agg(-age, ARRAY[age])) FROM iranian;
SELECT ltv.fit_two_part(ltv.amount_design_agg(age, ARRAY[age]), 'poisson') FROM iranian;
SELECT ltv.fit_two_part(ltv.amount_design_agg(age, ARRAY[age], 1, 0.5)) FROM iranian;
SELECT ltv.fit_tweedie(ltv.amount_design_agg(age, ARRAY[age]), power => 2.5) FROM iranian;
SELECT ltv.fit_linear(ltv.amount_design_agg(age, ARRAY[age]), penalty => -1) FROM iranian;
SELECT ltv.fit_linear(ltv.amount_design_agg('NaN', ARRAY[age])) FROM iranian;
SELECT ltv.fit_linear(ltv.amount_design_agg(age, ARRAY['Infinity'::float8])) FROM iranian;
SELECT ltv.fit_linear(ltv.amount_design_agg(age, ARRAY[age], 0)) FROM iranian;
SELECT ltv.fit_linear(ltv.design_agg(age, churn, ARRAY[complains])) FROM iranian;
SELECT ltv.fit_cox(ltv.amount_design_agg(age, ARRAY[complains])) FROM iranian;
SELECT ltv.fit_renewal(ltv.amount_design_agg(age, ARRAY[complains])) FROM iranian;
SELECT ltv.predict(m, s) FROM fits, (SELECT 0 AS complains, 36 AS subscription_length, 30 AS age) s WHERE name = 'two_part';
SELECT ltv.lifetime_value(m, s, 100) FROM fits, (SELECT 0 AS complains, 36 AS subscription_length, 30 AS age) s WHERE name = 'linear';
SELECT ltv.expected_value(ltv.fit_renewal(churn = 0, ARRAY[age]), ROW(1)) FROM iranian;
SELECT ltv.expected_value_interval(m, s, 1) FROM fits, (SELECT 0 AS complains, 36 AS subscription_length, 30 AS age) s WHERE name = 'linear';
SELECT ltv.hybrid_components(m) FROM fits WHERE name = 'linear';

-- Rules.
SELECT months, ltv.survival_at(ltv.predict_curve(ltv.rule('{"by": "plan", "monthly_churn": {"basic": 0.05, "pro": 0.02}}'), s), months) AS stays, power(0.98, months) AS by_hand
FROM (SELECT 'pro' AS plan) s, generate_series(6, 24, 6) AS months;
SELECT p.* FROM (VALUES ('basic'), ('team'), (NULL)) s (plan), LATERAL ltv.predict(ltv.rule('{"by": "plan", "monthly_churn": {"basic": 0.05, "pro": 0.02}}'), s, 1) p;
SELECT ltv.rule('{"monthly_churn": 0}');
SELECT ltv.rule('{"monthly_churn": {"a": 0.1}}');
SELECT ltv.rule('{"by": "plan", "monthly_churn": 0.1}');
SELECT ltv.rule('{"by": "plan", "monthly_churn": {"a": "x"}}');
SELECT ltv.rule('{"churn": 0.1}');
SELECT ltv.rule('[]');

-- The hybrid: its value is lifetime_value under the same terms to the cent, and what it is made of stays.
CREATE TABLE accounts AS
SELECT i AS id, CASE WHEN i % 3 = 0 THEN 'pro' ELSE 'basic' END AS plan, (i % 10)::float8 AS seats, 20 + 5.5 * (i % 10) AS mrr,
       0.02 * (i % 10) + 0.01 * sin(i) AS growth, 0.7 + 0.02 * cos(i) AS gross_margin, CASE WHEN i % 4 = 0 THEN 0 ELSE exp(0.1 * (i % 10) + 0.2 * sin(3.3 * i)) END AS cost
FROM generate_series(1, 200) i;
SELECT ltv.register_version('churn', 'rule', ltv.rule('{"by": "plan", "monthly_churn": {"basic": 0.05, "pro": 0.02}}'), '{}', 200, 0);
SELECT ltv.register_version('growth', 'linear', ltv.fit_linear(ltv.amount_design_agg(growth, ARRAY[seats]), names => '{seats}'), '{}', 200, 0) FROM accounts;
SELECT ltv.register_version('margin', 'linear', ltv.fit_linear(ltv.amount_design_agg(gross_margin, ARRAY[seats]), names => '{seats}'), '{}', 200, 0) FROM accounts;
SELECT ltv.register_version('cost', 'two_part', ltv.fit_two_part(ltv.amount_design_agg(cost, ARRAY[seats]), names => '{seats}'), '{}', 200, 0) FROM accounts;
SELECT ltv.register_version('worth', 'hybrid', ltv.fit_hybrid('churn', expansion => 'growth', margin => 'margin@latest', cost => 'cost@1'), '{}', 0, 0);
SELECT * FROM ltv.hybrid_components(ltv.model('worth'));
SELECT ltv.model_features(ltv.model('worth')), ltv.model_status(ltv.model('worth')), ltv.model_algorithm(ltv.model('worth'));
SELECT id, h.value, r(p_renew) AS p_renew, r(expansion) AS expansion, r(margin) AS margin, r(h.cost) AS cost, horizon, currency, h.status,
       (ltv.lifetime_value('churn', a, mrr, margin => ltv.expected_value('margin', a), cost_to_serve => ltv.expected_value('cost', a), expansion => ltv.expected_value('growth', a), horizon => 36, currency => 'EUR')).ltv AS by_hand
FROM accounts a, LATERAL ltv.hybrid_value('worth', a, ltv.contract_terms(mrr, horizon => 36, currency => 'EUR')) h WHERE id <= 6 ORDER BY id;
-- The ledger behind it adds up, for all.
SELECT count(*), bool_and(h.value = f.total AND h.value = v.ltv) AS reconciles
FROM accounts a, LATERAL (SELECT ltv.contract_terms(mrr, horizon => 36, billing => 'quarterly', currency => 'EUR') AS terms) t, LATERAL ltv.hybrid_value('worth', a, terms) h,
     LATERAL (SELECT sum(present_value) AS total FROM ltv.cash_flows(ltv.hybrid_curve(ltv.model('worth'), a), ltv.hybrid_terms(ltv.model('worth'), a, terms))) f,
     LATERAL ltv.lifetime_value(ltv.hybrid_curve(ltv.model('worth'), a), ltv.hybrid_terms(ltv.model('worth'), a, terms)) v;
-- A promote of a component changes nothing; the text carries all.
SELECT ltv.register_version('churn', 'rule', ltv.rule('{"monthly_churn": 0.5}'), '{}', 200, 0);
SELECT (ltv.hybrid_value('worth', a, ltv.contract_terms(100.0))).value, (ltv.hybrid_value(ltv.model('worth')::text::ltv.model, a, ltv.contract_terms(100.0))).value AS from_text FROM accounts a WHERE id = 3;
-- With terms and a price of its own: an expected value.
SELECT id, ltv.expected_value(m, a), e.*, (ltv.hybrid_value(m, a, ltv.contract_terms(mrr, horizon => 24))).value
FROM (SELECT ltv.fit_hybrid('churn@1', margin => 'margin', terms => ltv.contract_terms(1.0, horizon => 24), revenue => 'mrr') AS m) f, accounts a, LATERAL ltv.expected_value_interval(m, a) e WHERE id IN (1, 3) ORDER BY id;
-- Rows without a value, models that do not fit, terms that are not there.
SELECT h.* FROM (VALUES ('pro', 1.0), ('team', 1.0), ('pro', NULL), ('pro', 1e6)) a (plan, seats), LATERAL ltv.hybrid_value('worth', a, ltv.contract_terms(100.0)) h;
SELECT ltv.hybrid_value('worth', a) FROM accounts a WHERE id = 1;
SELECT ltv.expected_value('worth', a) FROM accounts a WHERE id = 1;
SELECT ltv.lifetime_value('worth', a, 100) FROM accounts a WHERE id = 1;
SELECT ltv.predict('worth', a) FROM accounts a WHERE id = 1;
SELECT ltv.hybrid_value('churn', a, ltv.contract_terms(100.0)) FROM accounts a WHERE id = 1;
SELECT ltv.fit_hybrid('margin');
SELECT ltv.fit_hybrid('churn', cost => 'churn');
SELECT ltv.fit_hybrid('churn', cost => 'nothing');
SELECT ltv.fit_hybrid('worth');
SELECT ltv.fit_hybrid('churn@1', revenue => 'plan');
SELECT ltv.hybrid_terms(ltv.model('worth'), a, NULL) FROM accounts a WHERE id = 1;
