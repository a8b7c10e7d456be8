-- Scores and explanations of models of amounts, of rules and of hybrids: limits, outcomes, reasons that add up.
\set ECHO none
CREATE TABLE iranian (call_failure int, complains int, subscription_length int, charge_amount int, seconds_of_use int, frequency_of_use int, frequency_of_sms int,
                      distinct_called_numbers int, age_group int, tariff_plan int, status int, age int, customer_value double precision, churn int);
\cd :data
\copy iranian from 'iranian_churn.csv' with (format csv, header)
ALTER TABLE iranian ADD id serial, ADD tariff text, ADD loyal boolean, ADD held_out boolean, ADD fee int, ADD months int;
UPDATE iranian SET tariff = CASE tariff_plan WHEN 1 THEN 'prepaid' ELSE 'contract' END, loyal = age_group > 2, held_out = id % 4 = 0, fee = 1000 * (1 + charge_amount), months = subscription_length;
CREATE VIEW paying AS SELECT * FROM iranian WHERE customer_value > 0;
CREATE VIEW few AS SELECT id, age, complains, loyal, tariff, frequency_of_use, charge_amount, fee FROM iranian WHERE id IN (7, 31, 700, 1999);
CREATE FUNCTION r(double precision, int DEFAULT 4) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN round($1::numeric, $2);
ANALYZE;
SET max_parallel_workers_per_gather = 0;
\set ECHO all
\set SHOW_CONTEXT never
SELECT count(*) FROM ltv.train('linear', 'iranian', 'linear', target => 'customer_value', features => '{age,complains,loyal}');
SELECT count(*) FROM ltv.train('gamma', 'paying', 'gamma', target => 'customer_value', features => '{age,complains,loyal}');
SELECT count(*) FROM ltv.train('tweedie', 'iranian', 'tweedie', target => 'customer_value', features => '{age,complains,frequency_of_use}', options => '{"power": 1.5}', holdout => '{"by": "held_out"}');
SELECT count(*) FROM ltv.train('two', 'iranian', 'two_part', target => 'customer_value', features => '{age,complains}');
SELECT count(*) FROM ltv.train('two linear', 'iranian', 'two_part', target => 'customer_value', features => '{age,complains}', options => '{"amounts": "linear"}');
SELECT count(*) FROM ltv.train('trees', 'iranian', 'boosted_value', target => 'customer_value', features => '{age,complains,frequency_of_use}', options => '{"loss": "tweedie", "trees": 40}', holdout => '{"by": "held_out"}');
SELECT count(*) FROM ltv.train('plain trees', 'iranian', 'boosted_value', target => 'customer_value', features => '{age,complains,frequency_of_use}', options => '{"trees": 40}');

-- As an analyst sees it.
\x on
SELECT id, as_of, model, version, horizon, p_renew, p_event, r(estimate) AS estimate, r(lower) AS lower, r(upper) AS upper, r(outcome_lower) AS outcome_lower, r(outcome_upper) AS outcome_upper, outcome_method,
       r(value_percentile) AS value_percentile, value_decile, value_band, risk_percentile, confidence, confidence_reason, abstain, out_of_range_features, reason_1, r(reason_1_effect) AS effect_1, reason_2, r(reason_2_effect) AS effect_2, status
FROM ltv.score('linear', 'few', 'id', as_of => '2025-06-30') WHERE id = '700';
\x off
SELECT m.model, s.id, r(s.estimate, 2) AS estimate, r(s.lower, 2) AS lower, r(s.upper, 2) AS upper, r(s.outcome_lower, 2) AS outcome_lower, r(s.outcome_upper, 2) AS outcome_upper, s.outcome_method, s.value_decile AS decile, s.value_band AS band, s.confidence, s.reason_1, r(s.reason_1_effect, 2) AS effect
FROM unnest('{gamma,tweedie,two,"two linear",trees,"plain trees"}'::text[]) WITH ORDINALITY AS m (model, at), LATERAL ltv.score(m.model, 'few', 'id') AS s WHERE s.id IN ('31', '700') ORDER BY m.at, s.id;
SELECT m.model, s.confidence_reason FROM unnest('{tweedie,two,trees}'::text[]) AS m (model), LATERAL ltv.score(m.model, 'few', 'id') AS s WHERE s.id = '31' ORDER BY 1;

-- It is expected_value_interval, outcome_interval, explain, and the rank among the training rows.
WITH s AS MATERIALIZED (SELECT * FROM ltv.score('gamma', 'paying', 'id'))
SELECT count(*), bool_and(s.estimate = v.value AND s.lower = v.lower AND s.upper = v.upper AND s.status = v.status) AS is_expected, bool_and(s.outcome_lower = o.lower AND s.outcome_upper = o.upper AND s.outcome_method = o.law) AS is_outcome,
       bool_and(s.reason_1_effect = e.contribution AND s.reason_1 = e.feature || ' = ' || e.value) AS is_explain,
       max(abs(s.estimate - e.baseline - s.reason_1_effect - s.reason_2_effect - s.reason_3_effect) / s.estimate) < 1e-12 AS adds_up
FROM s JOIN paying AS t ON t.id::text = s.id, LATERAL ltv.expected_value_interval('gamma', t) AS v, LATERAL ltv.outcome_interval('gamma', t) AS o, LATERAL ltv.explain('gamma', t) AS e WHERE e.rank = 1;
WITH s AS MATERIALIZED (SELECT * FROM ltv.score('linear', 'iranian', 'id', explain_top => 0)), r AS (SELECT id, (rank() OVER (ORDER BY estimate) - 1 + 0.5 * count(*) OVER (PARTITION BY estimate)) / count(*) OVER () AS rank FROM s)
SELECT max(abs(s.value_percentile - r.rank)) < 0.02 AS is_rank, bool_and((s.value_decile - 1) * 0.1 <= s.value_percentile AND s.value_percentile <= s.value_decile * 0.1) AS in_its_decile FROM s JOIN r USING (id);
-- The score of a row never depends on the batch.
SELECT m.model, count(*), bool_and(to_jsonb(a) - 'scored_at' = to_jsonb(b) - 'scored_at') AS same
FROM unnest('{linear,gamma,tweedie,two,trees}'::text[]) AS m (model), LATERAL ltv.score(m.model, 'few', 'id') AS a, LATERAL ltv.score(m.model, 'iranian', 'id') AS b WHERE a.id = b.id GROUP BY 1 ORDER BY 1;

-- Contributions add up on the scale on which they are told, and in the amount's unit; factors multiply.
SELECT e.rank, e.feature, e.value, r(e.contribution, 6) AS contribution, r(e.factor, 6) AS factor, r(e.amount, 4) AS amount, e.direction, r(e.baseline, 4) AS baseline, r(e.prediction, 4) AS prediction, e.scale, e.status
FROM few AS f, LATERAL ltv.explain_amount('gamma', f) AS e WHERE f.id = 700 ORDER BY e.rank;
SELECT e.rank, e.feature, r(e.contribution, 6) AS contribution, r(e.amount, 4) AS amount, e.scale FROM few AS f, LATERAL ltv.explain_amount('two linear', f, 1) AS e WHERE f.id = 700 ORDER BY e.rank;
SELECT m.model, count(*) AS n, max(abs(d.amount - d.way) / (1 + abs(d.prediction))) < 1e-12 AS amounts, max(abs(d.contribution - CASE d.scale WHEN 'amount' THEN d.way ELSE ln(d.prediction) - ln(d.baseline) END) / (1 + CASE d.scale WHEN 'amount' THEN abs(d.prediction) ELSE 0 END)) < 1e-12 AS contributions,
       max(abs(d.factor * d.baseline / d.prediction - 1)) < 1e-12 AS factors, max(abs(d.prediction - ltv.expected_value(m.model, i)) / (1 + abs(d.prediction))) < 1e-12 AS predictions, max(d.baseline) - min(d.baseline) < 1e-9 AS one_baseline
FROM unnest('{linear,gamma,tweedie,two,"two linear",trees,"plain trees"}'::text[]) AS m (model), iranian AS i,
     LATERAL (SELECT sum(e.amount) AS amount, sum(e.contribution) AS contribution, exp(sum(ln(e.factor))) AS factor, max(e.prediction) AS prediction, max(e.baseline) AS baseline, max(e.prediction) - max(e.baseline) AS way, max(e.scale) AS scale
              FROM ltv.explain_amount(m.model, i, 2) AS e) AS d WHERE i.id % 8 = 0 GROUP BY 1 ORDER BY 1;
-- By hand: coefficient times (feature - mean), of the logarithm, and the logarithmic mean of both amounts.
SELECT e.feature, abs(e.contribution - c.estimate * (x.x - x.mean)) < 1e-12 AS contribution, abs(e.amount - c.estimate * (x.x - x.mean) * (e.prediction - e.baseline) / ln(e.prediction / e.baseline)) < 1e-9 AS amount
FROM few AS f, LATERAL ltv.explain_amount('gamma', f) AS e JOIN LATERAL ltv.coefficients(ltv.model('gamma')) AS c ON c.term = e.feature,
     LATERAL (SELECT CASE e.feature WHEN 'age' THEN f.age WHEN 'complains' THEN f.complains ELSE f.loyal::int END::float8 AS x, (SELECT avg(CASE e.feature WHEN 'age' THEN p.age WHEN 'complains' THEN p.complains ELSE p.loyal::int END)::float8 FROM paying AS p) AS mean) AS x
WHERE f.id = 31 ORDER BY 1;
SELECT sum(e.contribution) FILTER (WHERE e.unit = 'a') = sum(e.contribution) FILTER (WHERE e.unit = 'b') AS amount_is_auto, r(max(e.prediction) FILTER (WHERE e.unit = 'c'), 6) = r(ln(max(e.prediction) FILTER (WHERE e.unit = 'a')), 6) AS logarithm
FROM few AS f, LATERAL (SELECT 'a' AS unit, a.* FROM ltv.explain('gamma', f) AS a UNION ALL SELECT 'b', b.* FROM ltv.explain('gamma', f, unit => 'amount') AS b UNION ALL SELECT 'c', c.* FROM ltv.explain('gamma', f, unit => 'log-amount') AS c) AS e WHERE f.id = 31;

-- What train held out tells the limits of one amount: the margin is that of the errors themselves, and holds on rows that nobody has seen.
SELECT p.model, p.input, s.n, ltv.conformal_margin(p.profile, 0.9) >= e.margin AS not_below, ltv.conformal_margin(p.profile, 0.9) <= e.margin * (1 + 1 / 128.0) AS in_its_bin
FROM ltv.model_profiles AS p, LATERAL ltv.profile_summary(p.profile) AS s, LATERAL (SELECT ltv.conformal_margin(ltv.survival_agg(abs(customer_value - x) / x, true), 0.9) AS margin FROM (SELECT customer_value, ltv.expected_value(p.model, i) AS x FROM iranian AS i WHERE held_out) AS q) AS e
WHERE p.role = 'error' ORDER BY 1;
SELECT s.model, count(*) AS n, avg((i.customer_value BETWEEN s.outcome_lower AND s.outcome_upper)::int) BETWEEN 0.94 AND 0.97 AS covers FROM unnest('{tweedie,trees}'::text[]) AS m (model), LATERAL ltv.score(m.model, 'iranian', 'id', explain_top => 0) AS s JOIN iranian AS i ON i.id::text = s.id WHERE i.held_out GROUP BY 1 ORDER BY 1;
SELECT ltv.conformal_margin(ltv.profile_agg(i::float8), 0.9) AS of_19, ltv.conformal_margin(ltv.profile_agg(i::float8), 0.95) AS the_greatest, ltv.conformal_margin(ltv.profile_agg(i::float8), 0.96) AS too_few FROM generate_series(1, 19) AS i;
SELECT ltv.conformal_margin(ltv.profile_agg(-i::float8), 0.9) FROM generate_series(1, 19) AS i;
SELECT ltv.conformal_margin(ltv.profile_agg(i::float8), 1) FROM generate_series(1, 19) AS i;
SELECT o.* FROM few AS f, LATERAL ltv.outcome_interval('trees', f) AS o WHERE id = 31;

-- What it abstains from.
CREATE TABLE odd (id int, age float8, complains int, loyal boolean);
INSERT INTO odd VALUES (1, NULL, 0, true), (2, 500, 0, true), (3, 30, 0, NULL), (4, 30, 0, true), (5, 'NaN', 0, true);
SELECT id, r(estimate, 2) AS estimate, value_band, confidence, confidence_reason, abstain, abstain_reason, out_of_range_features, reason_1 FROM ltv.score('gamma', 'odd', 'id') ORDER BY id;
SELECT * FROM ltv.score('gamma', 'odd', 'id', given => 'age');
SELECT * FROM ltv.score('tweedie', 'odd', 'id');
SELECT e.* FROM odd AS o, LATERAL ltv.explain_amount('gamma', o) AS e WHERE id = 1;
SELECT e.* FROM few AS f, LATERAL ltv.explain('linear', f, unit => 'log-amount') AS e;
SELECT e.* FROM few AS f, LATERAL ltv.explain('gamma', f, unit => 'probability') AS e;

-- Rules, and cohorts of whom nobody left: no limits, and why.
SELECT count(*) FROM ltv.train('by rule', 'iranian', 'rule', 'subscription_length', 'churn', options => '{"by": "tariff", "monthly_churn": {"prepaid": 0.006, "contract": 0.001}}');
SELECT r(p_renew) AS p_renew, lower, upper, confidence, confidence_reason, status FROM ltv.score('by rule', 'few', 'id') WHERE id = '31';
CREATE TABLE cohorts AS SELECT i AS id, CASE WHEN i <= 40 THEN 'stays' ELSE 'leaves' END AS plan, (1 + i % 20)::float8 AS months, i > 40 AND i % 3 = 0 AS gone FROM generate_series(1, 80) AS i;
SELECT count(*) FROM ltv.train('cohorts', 'cohorts', 'kaplan_meier', 'months', 'gone', features => '{plan}');
SELECT s.id, r(s.p_renew) AS p_renew, r(s.lower) AS lower, r(s.upper) AS upper, s.confidence, s.confidence_reason FROM ltv.score('cohorts', 'cohorts', 'id') AS s WHERE s.id IN ('1', '80') ORDER BY 1;
SELECT v.ltv, v.lower, v.upper FROM few AS f, LATERAL ltv.lifetime_value('by rule', f, 100) AS v WHERE id = 31;

-- Hybrids: cohorts know a boolean by its text, the model of costs as a number; both read one column.
SELECT count(*) FROM ltv.train('renewal', 'iranian', 'kaplan_meier', 'subscription_length', 'churn', features => '{loyal,complains}');
CREATE VIEW margins AS SELECT *, 0.5 + age / 200.0 + (id % 7) * 0.02 AS margin, 1 + age / 50.0 + complains + (id % 5) * 0.3 AS cost, 0.01 * (id % 9) - 0.02 AS growth FROM iranian;
SELECT count(*) FROM ltv.train('margin', 'margins', 'linear', target => 'margin', features => '{age}') UNION ALL SELECT count(*) FROM ltv.train('cost', 'margins', 'gamma', target => 'cost', features => '{age,loyal,complains}') UNION ALL SELECT count(*) FROM ltv.train('growth', 'margins', 'linear', target => 'growth', features => '{loyal}');
SELECT count(*) FROM ltv.train('worth', 'iranian', 'hybrid', options => '{"renewal": "renewal", "expansion": "growth", "margin": "margin", "cost": "cost", "terms": {"revenue": 1, "horizon": 24}, "revenue": "fee"}', target => 'customer_value', holdout => '{"by": "held_out"}');
SELECT role, model, algorithm, features FROM ltv.hybrid_components(ltv.model('worth'));
-- Where a column has the price, the terms need not say one; where neither has, that is refused; the price of the column wins over that of any terms.
SELECT count(*) FROM ltv.train('worth by column', 'iranian', 'hybrid', options => '{"renewal": "renewal", "expansion": "growth", "margin": "margin", "cost": "cost", "terms": {"horizon": 24}, "revenue": "fee"}');
SELECT count(*) AS rows, bool_and(ltv.expected_value('worth', f) = ltv.expected_value('worth by column', f)) AS same, min(ltv.expected_value('worth', f)) < max(ltv.expected_value('worth', f)) AS by_price,
       bool_and((ltv.hybrid_value('worth by column', f, ltv.contract_terms(1000.0, horizon => 24))).value = (ltv.hybrid_value('worth by column', f)).value) AS column_wins FROM few AS f;
SELECT ltv.train('worth by nothing', 'iranian', 'hybrid', options => '{"renewal": "renewal", "terms": {"horizon": 24}}');
SELECT count(*) FROM ltv.train('worth at terms', 'iranian', 'hybrid', options => '{"renewal": "renewal", "terms": {"revenue": 20, "horizon": 24}}');
SELECT count(*) FROM ltv.train('worth ramping', 'iranian', 'hybrid', options => '{"renewal": "renewal", "terms": {"ramp": [10, 20], "horizon": 24}}');
SELECT ltv.expected_value('worth by column', (SELECT q FROM (SELECT true AS loyal, false AS complains, 30 AS age, NULL::float8 AS fee) AS q)) AS no_price;
SELECT id, horizon, r(p_renew) AS p_renew, r(estimate, 2) AS estimate, r(lower, 2) AS lower, r(upper, 2) AS upper, value_decile, confidence, confidence_reason, outcome_method, status FROM ltv.score('worth', 'few', 'id') ORDER BY id;
SELECT v.id, h.value, h.lower, h.upper, e.* FROM few AS v, LATERAL ltv.hybrid_value('worth', v) AS h, LATERAL ltv.expected_value_interval('worth', v, 0.9) AS e WHERE id = 31;
-- By hand: the variance by the curve alone, and for each component the square of the value's slope times its standard error (of the gamma model that of its logarithm times the amount),
-- Student's t (Abramowitz & Stegun 26.7.5) with Satterthwaite's degrees of freedom: total ^ 2 / sum(part ^ 2 / df), the curve's part known.
CREATE FUNCTION t975(df float8) RETURNS float8 LANGUAGE sql IMMUTABLE RETURN (SELECT z + (z ^ 3 + z) / (4 * df) + (5 * z ^ 5 + 16 * z ^ 3 + 3 * z) / (96 * df ^ 2) FROM (SELECT 1.959963984540054::float8 AS z) AS n);
WITH given AS (SELECT f.id, h.*, ltv.hybrid_curve(ltv.model('worth'), f) AS curve, ltv.hybrid_terms(ltv.model('worth'), f)::text::jsonb AS terms, f.age, f.complains, f.loyal FROM few AS f, LATERAL ltv.hybrid_value('worth', f) AS h),
     free AS (SELECT name, degrees_of_freedom AS df FROM unnest('{growth,margin,cost}'::text[]) AS name, LATERAL ltv.amount_fit(ltv.model(name))),
     errors AS (SELECT g.id, c.*, f.df FROM given AS g, LATERAL (
         SELECT 'growth' AS name, 'expansion' AS role, g.expansion AS now, 0.001 AS step, (i.upper - i.lower) / 2 AS width FROM (SELECT g.loyal) AS q (loyal), LATERAL ltv.expected_value_interval('growth', q) AS i
         UNION ALL SELECT 'margin', 'margin', g.margin, 0.01, (i.upper - i.lower) / 2 FROM (SELECT g.age) AS q (age), LATERAL ltv.expected_value_interval('margin', q) AS i
         UNION ALL SELECT 'cost', 'cost_to_serve', g.cost, 0.1, i.value * ln(i.upper / i.lower) / 2 FROM (SELECT g.age, g.loyal, g.complains) AS q (age, loyal, complains), LATERAL ltv.expected_value_interval('cost', q) AS i) AS c JOIN free AS f USING (name)),
     parts AS (SELECT e.id, (e.width / t975(e.df) * (a.ltv - b.ltv)::float8 / (2 * e.step)) ^ 2 AS part, e.df
               FROM errors AS e JOIN given AS g USING (id), LATERAL ltv.lifetime_value(g.curve, (g.terms || jsonb_build_object(e.role, e.now + e.step))::text::ltv.terms) AS a,
                    LATERAL ltv.lifetime_value(g.curve, (g.terms || jsonb_build_object(e.role, e.now - e.step))::text::ltv.terms) AS b)
SELECT g.id, abs((g.upper - g.lower)::float8 / 2 / t975(total ^ 2 / spread) / sqrt(total) - 1) < 1e-4 AS limits
FROM given AS g, LATERAL ltv.lifetime_value(g.curve, g.terms::text::ltv.terms) AS v,
     LATERAL (SELECT sum(part) + ((v.upper - v.lower)::float8 / 2 / 1.959963984540054) ^ 2 AS total, sum(part ^ 2 / df) AS spread FROM parts AS p WHERE p.id = g.id) AS s ORDER BY 1;
-- One model in two roles errs in both at once: what revenue brings by margin it does not cost a second time.
SELECT ltv.register_version('twice', 'hybrid', ltv.fit_hybrid('renewal', margin => 'margin', cost => 'margin', terms => ltv.contract_terms(1.0, horizon => 24), revenue => 'fee'), '{}', 0, 0);
SELECT ltv.register_version('once', 'hybrid', ltv.fit_hybrid('renewal', margin => 'margin', terms => ltv.contract_terms(1.0, horizon => 24), revenue => 'fee'), '{}', 0, 0);
SELECT a.value > b.value AS costs_more, (a.upper - a.lower) > (b.upper - b.lower) AS is_surer FROM few AS f, LATERAL ltv.hybrid_value('once', f) AS a, LATERAL ltv.hybrid_value('twice', f) AS b WHERE id = 31;
-- A margin that the features tell exactly has an error next to nothing: the limits are those of the curve.
CREATE VIEW exact AS SELECT *, 0.3 + 0.0013 * age + 0.017 * complains AS exact_margin FROM iranian;
SELECT count(*) FROM ltv.train('exact', 'exact', 'linear', target => 'exact_margin', features => '{age,complains}');
SELECT ltv.register_version('sure', 'hybrid', ltv.fit_hybrid('renewal', margin => 'exact', terms => ltv.contract_terms(1.0, horizon => 24), revenue => 'fee'), '{}', 0, 0);
SELECT f.id, (SELECT max(c.std_error) BETWEEN 1e-300 AND 1e-15 FROM ltv.coefficients(ltv.model('exact')) AS c) AS next_to_nothing, abs(h.upper - v.upper) <= 0.01 AND abs(h.lower - v.lower) <= 0.01 AS as_the_curve, h.lower, h.upper
FROM few AS f, LATERAL ltv.hybrid_value('sure', f) AS h, LATERAL ltv.lifetime_value(ltv.hybrid_curve(ltv.model('sure'), f), ltv.hybrid_terms(ltv.model('sure'), f)) AS v ORDER BY 1;
-- A component without an error; terms that are not there; a segment that training never saw, by a renewal model that has segments.
SELECT ltv.register_version('unsure', 'hybrid', ltv.fit_hybrid('by rule', margin => 'margin', terms => ltv.contract_terms(1.0, horizon => 24), revenue => 'fee'), '{}', 0, 0);
SELECT id, r(estimate, 2) AS estimate, lower, upper, confidence, confidence_reason FROM ltv.score('unsure', 'few', 'id') WHERE id = '31';
SELECT ltv.register_version('bare', 'hybrid', ltv.fit_hybrid('renewal', margin => 'margin'), '{}', 0, 0);
SELECT * FROM ltv.score('bare', 'few', 'id');
SELECT ltv.hybrid_own_terms(ltv.model('bare')) IS NULL AS none, ltv.hybrid_own_terms(ltv.model('once')) IS NOT NULL AS some;
SELECT e.* FROM few AS f, LATERAL ltv.explain('once', f) AS e;
-- A hybrid answers for the months of its own terms, and says so: the same asked for by name, another one refused, wherever it is asked.
CREATE FUNCTION answer(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE told text; hint text;
BEGIN EXECUTE 'SELECT (' || statement || ')::text' INTO told; RETURN told;
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS told = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT; RETURN sqlstate || ': ' || told || ' | ' || hint; END $$;
SELECT ltv.register_version('aged', 'hybrid', ltv.fit_hybrid('renewal', margin => 'margin', terms => ltv.contract_terms(1.0, horizon => 24, given => 6), revenue => 'fee'), '{}', 0, 0);
SELECT a.place, a.asked, answer(a.asked) FROM (VALUES
    (1, $$SELECT max(horizon) FROM ltv.score('once', 'few', 'id', horizon => 24)$$), (2, $$SELECT max(horizon) FROM ltv.score('once', 'few', 'id', horizon => 3)$$), (3, $$SELECT max(horizon) FROM ltv.score('once', 'few', 'id', horizon => 'NaN')$$),
    (4, $$SELECT max(horizon) FROM ltv.score('linear', 'few', 'id', horizon => 12)$$), (5, $$SELECT max(horizon) FROM ltv.score('by rule', 'few', 'id')$$),
    (6, $$SELECT count(*) FROM few f, ltv.explain('once', f, horizon => 24) WHERE id = 31$$), (7, $$SELECT count(*) FROM few f, ltv.explain('once', f, horizon => 12)$$), (8, $$SELECT count(*) FROM few f, ltv.explain('once', f, horizon => -1)$$), (9, $$SELECT count(*) FROM few f, ltv.explain('once', f, given => 'NaN')$$),
    (10, $$SELECT count(*) FROM few f, ltv.explain('once', f, given => 6)$$), (11, $$SELECT count(*) FROM few f, ltv.explain('aged', f, given => 6) WHERE id = 31$$), (12, $$SELECT count(*) FROM few f, ltv.explain('aged', f, given => 7)$$),
    (13, $$SELECT count(*) FROM few f, ltv.explain('gamma', f, horizon => 12)$$), (14, $$SELECT count(*) FROM few f, ltv.explain('gamma', f, given => 1)$$), (15, $$SELECT count(*) FROM few f, ltv.explain('by rule', f, given => 'Infinity')$$), (16, $$SELECT count(*) FROM few f, ltv.explain('by rule', f, horizon => 0, unit => 'log-time')$$),
    (17, $$SELECT count(*) FROM few f, ltv.explain('by rule', f, given => NULL)$$), (18, $$SELECT count(*) FROM few f, ltv.explain('by rule', f, horizon => NULL) WHERE id = 31$$),
    (19, $$SELECT count(*) FROM few f, ltv.predict('once', f, 24)$$), (20, $$SELECT max(n) FROM ltv.importance('worth', 'few', 12)$$), (21, $$SELECT max(n) FROM ltv.partial_dependence('worth', 'few', 'age', '{30}', 12)$$), (22, $$SELECT max(n) FROM ltv.partial_dependence('worth', 'few', 'age', '{30}', 24)$$),
    (23, $$SELECT count(*) FROM few f, ltv.levers('once', f, ltv.contract_terms(100))$$), (24, $$SELECT count(*) FROM few f, ltv.what_if('once', f, ltv.contract_terms(100), '{}')$$),
    (25, $$SELECT ltv.model_horizon(ltv.model('once'))$$), (26, $$SELECT ltv.model_horizon(ltv.model('bare'), 7)$$), (27, $$SELECT ltv.model_horizon(ltv.model('by rule'), 7)$$), (28, $$SELECT ltv.model_horizon(NULL, 7)$$)) a (place, asked) ORDER BY a.place;
SELECT count(*) FROM ltv.train('by tariff', 'iranian', 'weibull', 'months', 'churn', features => '{age}', segment_by => '{tariff}');
SELECT ltv.register_version('by segment', 'hybrid', ltv.fit_hybrid('by tariff', margin => 'margin', terms => ltv.contract_terms(1.0, horizon => 24), revenue => 'fee'), '{}', 0, 0);
SELECT q.tariff, h.status, h.value IS NOT NULL AS has_value, h.upper IS NOT NULL AS has_limits, (SELECT p.status FROM ltv.predict('by tariff', q, 24) AS p) AS of_component FROM (VALUES ('prepaid', 30, 1000), ('barter', 30, 1000), (NULL, 30, 1000)) AS q (tariff, age, fee), LATERAL ltv.hybrid_value('by segment', q) AS h ORDER BY 1;
CREATE TABLE bartered AS SELECT 1 AS id, 'barter' AS tariff, 30 AS age, 1000 AS fee;
SELECT id, r(estimate, 2) AS estimate, confidence, confidence_reason, abstain, status FROM ltv.score('by segment', 'bartered', 'id');
-- What stands for a NULL is the components' affair.
SELECT * FROM ltv.train('m', 'iranian', 'hybrid', options => '{"renewal": "renewal"}', null_policy => 'impute');
SELECT count(*) FROM ltv.train('m', 'iranian', 'hybrid', options => '{"renewal": "renewal"}', null_policy => 'drop');
-- A column of texts is no number.
SELECT ltv.fit_hybrid('by rule', margin => 'margin', revenue => 'tariff');
SELECT h.value, h.status FROM (VALUES ('often', 0, 30, 1000)) AS q (loyal, complains, age, fee), LATERAL ltv.hybrid_value('once', q) AS h;

-- A model of segments on one page.
\pset tuples_only on
\pset format unaligned
SELECT line FROM regexp_split_to_table(ltv.model_summary(ltv.model('by tariff')), E'\n') WITH ORDINALITY AS l (line, at) WHERE at <= 5 ORDER BY at;
\pset format aligned
\pset tuples_only off
SELECT f.n, f.events, f.log_likelihood IS NULL AS no_likelihood, (SELECT sum(n_rows) FROM ltv.model_segments(ltv.model('by tariff'))) AS of_segments FROM ltv.model_fit(ltv.model('by tariff')) AS f;

-- Profiles of many segments: as defined, in time that rises with the rows.
CREATE TABLE many AS SELECT 's' || i % 300 AS seg, ((i * 7919) % 1009) / 7.0 + CASE WHEN i % 300 = 0 THEN 1e6 ELSE 0 END AS a, chr(97 + (i % 7)) AS c FROM generate_series(1, 30000) AS i;
INSERT INTO many VALUES (NULL, 1, 'a'), (NULL, 2, NULL), ('alone', NULL, 'b');
WITH p AS MATERIALIZED (SELECT * FROM ltv.segment_profile('many', 'seg', '{a,c}'))
SELECT count(*) AS checked, max(abs(p.others - o.mean) / abs(o.mean)) < 1e-12 AS others, max(abs(p.standardized_difference - (p.value - o.mean) / sqrt((coalesce(w.variance, 0) + o.variance) / 2)) / (1 + abs(p.standardized_difference))) < 1e-9 AS differences
FROM p, LATERAL (SELECT avg(m.a)::float8 AS mean, var_samp(m.a)::float8 AS variance FROM many AS m WHERE m.seg IS DISTINCT FROM p.segment) AS o, LATERAL (SELECT var_samp(m.a)::float8 AS variance FROM many AS m WHERE m.seg IS NOT DISTINCT FROM p.segment) AS w
WHERE p.feature = 'a' AND (p.segment IN ('s0', 's17', 's299') OR p.segment IS NULL);
SELECT count(*) FROM ltv.segment_profile('many', 'seg', '{a,c}');
