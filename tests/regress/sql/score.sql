-- Scores of a relation in flat columns, each row by itself; and what a model, a feature, an account, a segment is like.
\set ECHO none
\ir ../datasets.sql
ALTER TABLE telco ALTER partner TYPE boolean USING partner = 'Yes', ADD churned boolean GENERATED ALWAYS AS (churn_event = 1) STORED,
    ADD held_out boolean GENERATED ALWAYS AS (md5(customer_id) < '3333') STORED;
\set ECHO all
SELECT metric, round(value::numeric, 6) AS value FROM ltv.train('churn', 'telco', 'cox', duration => 'tenure', event => 'churned', features => ARRAY['contract', 'partner', 'monthly_charges'],
       holdout => '{"by": "held_out"}', horizon => 12);
SELECT DISTINCT model FROM ltv.train('km', 'telco', 'kaplan_meier', duration => 'tenure', event => 'churned', features => ARRAY['contract', 'partner']);
SELECT DISTINCT model FROM ltv.train('strata', 'telco', 'cox', duration => 'tenure', event => 'churned', features => ARRAY['partner', 'monthly_charges'], strata => 'contract');
SELECT DISTINCT model FROM ltv.train('all', 'telco', 'weibull', duration => 'tenure', event => 'churned');

-- train keeps how its rows were distributed: those of the training, not of the holdout.
SELECT p.role, p.input, p.horizon, s.kind, s.n, s.nulls, s.levels, s.minimum, round(s.median::numeric, 2) AS median, s.maximum FROM ltv.model_profiles AS p, LATERAL ltv.profile_summary(p.profile) AS s
WHERE p.model = 'churn' AND p.role <> 'prediction' ORDER BY 1, 2;
SELECT p.horizon, s.n, s.mean BETWEEN 0.16 AND 0.18 AS mean FROM ltv.model_profiles AS p, LATERAL ltv.profile_summary(p.profile) AS s WHERE p.model = 'churn' AND p.role = 'prediction';
SELECT count(*), min(monthly_charges), max(monthly_charges) FROM telco WHERE NOT held_out;
SELECT model, count(*), string_agg(role || ' ' || input, ', ' ORDER BY role, input) AS inputs FROM ltv.model_profiles GROUP BY 1 ORDER BY 1;

-- As an analyst sees it.
\x on
SELECT id, as_of, model, version, segment, horizon, round(p_renew::numeric, 4) AS p_renew, round(p_event::numeric, 4) AS p_event, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper,
       round(expected_lifetime::numeric, 2) AS expected_lifetime, round(linear_predictor::numeric, 4) AS linear_predictor, round(risk_percentile::numeric, 4) AS risk_percentile, risk_decile, risk_band,
       confidence, abstain, abstain_reason, out_of_range_features, reason_1, round(reason_1_effect::numeric, 4) AS effect_1, reason_2, round(reason_2_effect::numeric, 4) AS effect_2, reason_3,
       round(reason_3_effect::numeric, 4) AS effect_3, status, scored_at = now() AS now
FROM ltv.score('churn', 'telco', 'customer_id', given => 'tenure', as_of => '2025-06-30') WHERE id = '0003-MKNFE';
\x off
-- It is predict, explain, and the rank among the training rows.
WITH s AS MATERIALIZED (SELECT * FROM ltv.score('churn', 'telco', 'customer_id', given => 'tenure'))
SELECT count(*), bool_and(s.p_renew = p.renewal_probability AND s.p_event = p.event_probability AND s.lower = p.lower AND s.upper = p.upper AND s.linear_predictor = p.linear_predictor AND s.status = p.status) AS is_predict,
       bool_and(s.reason_1_effect = e.contribution AND s.reason_1 = e.feature || ' = ' || e.value) AS is_explain, max(abs(s.p_event - e.baseline - s.reason_1_effect - s.reason_2_effect - s.reason_3_effect)) < 1e-12 AS adds_up
FROM s JOIN telco AS t ON t.customer_id = s.id, LATERAL ltv.predict('churn', t, given => t.tenure) AS p, LATERAL ltv.explain('churn', t, given => t.tenure) AS e WHERE e.rank = 1;
WITH s AS MATERIALIZED (SELECT * FROM ltv.score('churn', 'telco', 'customer_id', explain_top => 0)), t AS (SELECT customer_id, ltv.renewal_probability('churn', telco, 12) AS p FROM telco WHERE NOT held_out),
     r AS (SELECT customer_id, (rank() OVER (ORDER BY p DESC) - 1 + 0.5 * count(*) OVER (PARTITION BY p)) / count(*) OVER () AS rank,
            count(*) OVER (PARTITION BY floor(log(2, (1 - p)::numeric)), floor((1 - p) / 2 ^ floor(log(2, (1 - p)::numeric)) * 128)) / (count(*) OVER ())::float8 AS share FROM t)
SELECT bool_and(abs(s.risk_percentile - r.rank) <= r.share + 1e-12) AS within_its_bin, bool_and((s.risk_decile - 1) * 0.1 <= s.risk_percentile AND s.risk_percentile <= s.risk_decile * 0.1) AS in_its_decile,
       bool_and(s.reason_1 IS NULL AND s.reason_1_effect IS NULL) AS no_reasons
FROM s JOIN r ON r.customer_id = s.id;
SELECT risk_band, round(min(risk_percentile)::numeric, 2) >= CASE risk_band WHEN 'low' THEN 0 WHEN 'medium' THEN 0.5 WHEN 'high' THEN 0.8 ELSE 0.95 END AS from_there, count(*) > 0 AS some
FROM ltv.score('churn', 'telco', 'customer_id', explain_top => 0) GROUP BY 1 ORDER BY min(risk_percentile);

-- The score of a row never depends on the batch: alone, among others, in any order, with other versions of the columns.
CREATE VIEW one AS SELECT monthly_charges::double precision, 'x' AS other, contract, tenure::bigint, partner, customer_id FROM telco WHERE customer_id = '0013-SMEOE';
CREATE TABLE few AS SELECT * FROM telco WHERE customer_id > '98' ORDER BY customer_id DESC;
CREATE TABLE several AS SELECT * FROM telco WHERE customer_id > '97' OR customer_id = '0013-SMEOE';
SELECT m.model, count(*) AS alone, bool_and(to_jsonb(a) - 'scored_at' = to_jsonb(b) - 'scored_at') AS same
FROM unnest('{churn,strata,km,all}'::text[]) AS m (model), LATERAL ltv.score(m.model, 'one', 'customer_id', given => 'tenure') AS a, LATERAL ltv.score(m.model, 'several', 'customer_id', given => 'tenure') AS b
WHERE a.id = b.id GROUP BY 1 ORDER BY 1;
SELECT m.model, count(*) > 50 AS many, bool_and(to_jsonb(a) - 'scored_at' = to_jsonb(b) - 'scored_at') AS same
FROM unnest('{churn,strata,km,all}'::text[]) AS m (model), LATERAL ltv.score(m.model, 'few', 'customer_id') AS a, LATERAL ltv.score(m.model, 'several', 'customer_id') AS b
WHERE a.id = b.id GROUP BY 1 ORDER BY 1;

-- What it abstains from, and what is far from the training rows.
CREATE TABLE odd (id int, contract text, partner boolean, monthly_charges numeric, age float8);
INSERT INTO odd VALUES (1, 'Five year', true, 20, 0), (2, NULL, true, 20, 0), (3, 'One year', true, 500, 0), (4, 'One year', true, 20, NULL), (5, 'One year', true, 20, -1), (6, 'One year', true, 20, 70), (7, 'Two year', false, 20, 1);
SELECT id, round(p_event::numeric, 4) AS p_event, risk_band, confidence, abstain, abstain_reason, out_of_range_features, reason_1, status FROM ltv.score('churn', 'odd', 'id', given => 'age') ORDER BY id;
SELECT id, segment, p_event IS NOT NULL AS scored, confidence, status FROM ltv.score('strata', 'odd', 'id') ORDER BY id;
-- A version without a training profile scores, and has no rank.
UPDATE ltv.model_versions SET profiles = '[]' WHERE model = 'km';
SELECT id, round(p_event::numeric, 4) AS p_event, risk_percentile, risk_decile, risk_band, confidence FROM ltv.score('km@1', 'odd', 'id') ORDER BY id LIMIT 3;

-- Importance: the plain value is train's own Brier score on the same rows; what the model does not need loses nothing.
CREATE VIEW held_out AS SELECT * FROM telco WHERE held_out;
SELECT rank, feature, metric, round(value::numeric, 6) AS value, round(permuted_value::numeric, 3) AS permuted_value, importance > 0.001 AS matters, n FROM ltv.importance('churn', 'held_out', repeats => 2);
SELECT max(abs(i.value - (m ->> 'value')::float8)) < 1e-12 AS is_trains_own FROM ltv.importance('churn', 'held_out', repeats => 1) AS i, ltv.model_versions AS v, jsonb_array_elements(v.metrics) AS m
WHERE v.model = 'churn' AND m ->> 'metric' = 'brier at 12';
CREATE TABLE shuffled AS SELECT * FROM held_out ORDER BY md5(customer_id || 'x');
SELECT bool_and(abs(a.importance - b.importance) < 1e-12) AS in_any_order FROM ltv.importance('churn', 'held_out', repeats => 2) AS a JOIN ltv.importance('churn', 'shuffled', repeats => 2) AS b USING (feature);
SELECT count(*) AS without_features FROM ltv.importance('all', 'held_out');

-- Partial dependence: the mean over all rows, by hand.
SELECT value, round(event_probability::numeric, 4) AS event_probability, round(lower_decile::numeric, 4) AS lower_decile, round(upper_decile::numeric, 4) AS upper_decile, n, n_training FROM ltv.partial_dependence('churn', 'telco', 'contract', rows => 'all');
SELECT round(avg(1 - ltv.renewal_probability('churn', q, 12))::numeric, 4) AS one_year FROM telco AS t, LATERAL (SELECT 'One year' AS contract, t.partner, t.monthly_charges) AS q;
SELECT value, round(event_probability::numeric, 4) AS event_probability, n FROM ltv.partial_dependence('churn', 'held_out', 'partner');
SELECT count(*) AS deciles, min(value::numeric) AS first, max(value::numeric) AS last FROM ltv.partial_dependence('churn', 'held_out', 'monthly_charges');
SELECT value, n FROM ltv.partial_dependence('churn', 'held_out', 'monthly_charges', '{20,100}', 24);

-- Similar accounts: the nearest by a distance worked out here.
SELECT rank, similar_id, round(distance::numeric, 4) AS distance, differs_in FROM ltv.similar('churn', 'telco', 'customer_id', '0003-MKNFE', 3);
WITH sd AS (SELECT s.std_dev FROM ltv.model_profiles AS p, LATERAL ltv.profile_summary(p.profile) AS s WHERE p.model = 'churn' AND p.input = 'monthly_charges')
SELECT bool_and(abs(s.distance - sqrt(((a.monthly_charges - b.monthly_charges) / sd.std_dev) ^ 2 + (a.contract <> b.contract)::int + (a.partner <> b.partner)::int)) < 1e-12) AS by_hand, count(*)
FROM ltv.similar('churn', 'telco', 'customer_id', '0003-MKNFE', 5000) AS s JOIN telco AS b ON b.customer_id = s.similar_id JOIN telco AS a ON a.customer_id = '0003-MKNFE', sd;

-- Segments: a difference of means and of shares by hand.
SELECT segment, feature, level, n, round(value::numeric, 4) AS value, round(others::numeric, 4) AS others, round(standardized_difference::numeric, 4) AS difference FROM ltv.segment_profile('telco', 'contract', '{tenure,partner}') WHERE segment = 'One year';
SELECT round(((a.m - b.m) / sqrt((a.v + b.v) / 2))::numeric, 4) AS tenure FROM (SELECT avg(tenure) AS m, var_samp(tenure) AS v FROM telco WHERE contract = 'One year') AS a, (SELECT avg(tenure) AS m, var_samp(tenure) AS v FROM telco WHERE contract <> 'One year') AS b;

-- What is refused.
SELECT * FROM ltv.score('churn', 'telco', 'customer');
SELECT * FROM ltv.score('churn', 'telco', 'customer_id', explain_top => 4);
SELECT * FROM ltv.score('churn', 'few', NULL);
SELECT * FROM ltv.score('nothing', 'telco', 'customer_id');
SELECT * FROM ltv.score('churn', 'aml', 'time');
SELECT * FROM ltv.score('churn', 'telco', 'customer_id', -1);
SELECT * FROM ltv.score('churn', 'telco', 'customer_id', 'NaN');
SELECT * FROM ltv.score('churn', 'telco', 'customer_id', given => 'contract');
SELECT * FROM ltv.importance('churn', 'telco', repeats => 0);
SELECT * FROM ltv.importance('churn', 'odd');
SELECT * FROM ltv.importance('churn', 'telco', 'Infinity');
SELECT * FROM ltv.partial_dependence('churn', 'telco', 'tenure');
SELECT * FROM ltv.partial_dependence('churn', 'telco', 'monthly_charges', '{a}');
SELECT * FROM ltv.partial_dependence('churn', 'telco', 'partner', '{true,maybe}');
SELECT * FROM ltv.partial_dependence('churn', 'telco', 'partner', horizon => 0);
SELECT count(*) FROM ltv.train('charges', 'telco', 'linear', target => 'monthly_charges', features => '{partner}') \g /dev/null
SELECT value, event_probability, round(expected_value::numeric, 4) AS expected_value, n FROM ltv.partial_dependence('charges', 'telco', 'partner');
SELECT * FROM ltv.similar('churn', 'telco', 'customer_id', 'nobody');
SELECT * FROM ltv.similar('km', 'telco', 'customer_id', '0003-MKNFE');
SELECT * FROM ltv.segment_profile('telco', 'plan', '{tenure}');
-- Of many models the error names those that are most like it.
SELECT count(ltv.register_version('renewals of ' || i, 'rule', ltv.rule('{"monthly_churn": 0.05}'), '{}', 0, 0)) FROM generate_series(1, 25) AS i;
SELECT ltv.model_version('renewal of 7');
