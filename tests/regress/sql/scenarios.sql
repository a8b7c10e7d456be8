-- What if: other terms and features for one account, levers, sensitivity and the pricing grid, by hand where it can be.
\set ECHO none
SET client_min_messages = warning;
\ir ../datasets.sql
SELECT count(*) FROM ltv.train('telco', 'telco', 'cox', 'tenure', 'churn_event', features => ARRAY['contract', 'senior_citizen', 'monthly_charges']) \g /dev/null
CREATE TABLE someone AS SELECT * FROM telco WHERE contract = 'Month-to-month' AND churn_event = 0 AND tenure = 10 ORDER BY customer_id LIMIT 1;
\set ECHO all
-- Nobody ever leaves; one in ten leaves each month; a fifth at the end of each year.
CREATE TABLE curves AS
SELECT 'certain' AS name, ltv.survival_agg(600, false) AS s
UNION ALL SELECT 'ten', ltv.survival_agg(least(k, 60), k < 60, 0.9 ^ (k - 1) * CASE WHEN k < 60 THEN 0.1 ELSE 1 END) FROM generate_series(1, 60) AS k
UNION ALL SELECT 'yearly', ltv.survival_agg(12 * least(k, 40), k < 40, 0.8 ^ (k - 1) * CASE WHEN k < 40 THEN 0.2 ELSE 1 END) FROM generate_series(1, 40) AS k;

-- Three months of 100 at no discount rate: 100 + 90 + 81 = 271. A tenth off: 243.90. Ten percent dearer with an elasticity of 1: hazards times 1.1, 0.9 ^ 1.1 = 0.890553:
-- 110 (1 + 0.890553 + 0.793085) = 295.20. Twice the hazard: 100 (1 + 0.81 + 0.6561) = 246.61.
SELECT w.* FROM curves, LATERAL ltv.what_if(s, ltv.contract_terms(100, discount_rate => 0, horizon => 3), '{"a tenth off": {"revenue": {"times": 0.9}},
    "dearer": {"price_change": 0.1, "elasticity": 1}, "twice the hazard": {"hazard_ratio": 2}, "dearer, nobody minds": {"price_change": 0.1}}', months => 2) AS w WHERE name = 'ten';
SELECT ltv.with_scenario(ltv.contract_terms(ramp => ARRAY[100, 120], revenue => NULL), '{"price_change": -0.1, "elasticity": 2, "term_months": 12, "features": {"a": 1}}');
-- Terms that are NULL, and a scenario without changes.
SELECT w.scenario, w.ltv, w.delta, w.status FROM curves, LATERAL ltv.what_if(s, NULL, '{"same": {}}') AS w WHERE name = 'ten';
SELECT w.scenario, w.ltv, w.delta FROM curves, LATERAL ltv.what_if(s, ltv.contract_terms(100), '{"same": {}}') AS w WHERE name = 'ten';
-- The probability of being there by the renewal dates: at age 10 with yearly terms the next date is in 2 months and the one after in 14.
SELECT m AS months, round(ltv.staying_probability(s, ltv.contract_terms(100, given => 10, term_months => 12), m)::numeric, 6) AS terms, round(ltv.staying_probability(s, ltv.contract_terms(100, given => 10), m)::numeric, 6) AS any_time,
       round(ltv.staying_probability(s, ltv.contract_terms(100, given => 10, hazard_ratio => 2), m)::numeric, 6) AS twice FROM curves, unnest(ARRAY[0, 1, 2, 13.9, 14]) AS m WHERE name = 'yearly';

-- By a model: the changed row is scored as if it had been so, by each form alike.
SELECT w.scenario, round(w.renewal_probability::numeric, 4) AS renewal_probability, round(w.expected_lifetime::numeric, 2) AS expected_lifetime, w.ltv, w.delta, w.status
FROM someone t, LATERAL ltv.what_if('telco', t, ltv.contract_terms(t.monthly_charges, given => t.tenure),
    '{"longer term": {"term_months": 24, "features": {"contract": "Two year"}}, "dearer": {"revenue": {"times": 1.1}, "features": {"monthly_charges": {"times": 1.1}}}, "unseen": {"features": {"contract": "Decade"}}, "unknown": {"features": {"contract": null}}}', 24) AS w;
SELECT w.ltv = v.ltv AS same, u.ltv = w.ltv AS by_value FROM someone t, LATERAL ltv.what_if('telco', t, ltv.contract_terms(t.monthly_charges), '{"x": {"features": {"contract": "Two year", "monthly_charges": {"plus": -1}}}}') AS w,
     LATERAL ltv.what_if(ltv.model('telco'::text), t, ltv.contract_terms(t.monthly_charges), '{"x": {"features": {"contract": "Two year", "monthly_charges": {"plus": -1}}}}') AS u,
     LATERAL ltv.lifetime_value('telco', (SELECT r FROM (SELECT 'Two year' AS contract, t.senior_citizen, t.monthly_charges - 1 AS monthly_charges) AS r), ltv.contract_terms(t.monthly_charges)) AS v
WHERE w.scenario = 'x' AND u.scenario = 'x';

-- Levers: the strongest first; each is that one change alone.
SELECT l.lever, l.step, l.from_value, l.to_value, l.ltv, l.delta, round(l.delta_share::numeric, 4) AS share
FROM curves, LATERAL ltv.levers(s, ltv.contract_terms(100, margin => 0.8, cost_to_serve => 10, horizon => 36, term_months => 12, bad_debt => 0.02, payment_days => 45, acquisition_cost => 200)) AS l WHERE name = 'ten';
SELECT l.lever, l.delta = v.ltv - b.ltv AS alone FROM curves, LATERAL ltv.levers(s, ltv.contract_terms(100)) AS l, LATERAL ltv.lifetime_value(s, ltv.contract_terms(100)) AS b,
     LATERAL ltv.lifetime_value(s, ltv.with_changes(ltv.contract_terms(100), '{"hazard_ratio": 0.9}')) AS v WHERE name = 'ten' AND l.lever = 'retention';
-- A point more of being there after 12 months: 0.9 ^ 12 = 0.2824 becomes 0.2924.
SELECT round(ltv.staying_probability(s, ltv.with_changes(ltv.contract_terms(100), jsonb_build_object('hazard_ratio', ln(0.9 ^ 12 + 0.01) / ln(0.9 ^ 12))), 12)::numeric, 4) AS lifted FROM curves WHERE name = 'ten';
SELECT l.lever, l.step, l.from_value, l.to_value, l.delta FROM someone t, LATERAL ltv.levers('telco', t, ltv.contract_terms(t.monthly_charges, given => t.tenure)) AS l;
SELECT count(*) FROM curves, LATERAL ltv.levers(s, NULL) AS l;

-- Sensitivity: the value is linear in the price without costs, so its elasticity is 1; by the rate, as the values themselves.
SELECT x.value, x.ltv, x.delta, round(x.elasticity::numeric, 4) AS elasticity FROM curves, LATERAL ltv.sensitivity(s, ltv.contract_terms(100, discount_rate => 0, horizon => 3), 'revenue', '{50,100,200}') AS x WHERE name = 'ten';
SELECT x.value, x.ltv, x.delta, round(x.elasticity::numeric, 4) AS elasticity FROM curves, LATERAL ltv.sensitivity(s, ltv.contract_terms(100, horizon => 12), 'discount_rate', '{0,0.05,0.1,0.2,NULL}') AS x WHERE name = 'ten';
SELECT x.value, x.ltv, x.delta, round(x.elasticity::numeric, 4) AS elasticity FROM curves, LATERAL ltv.sensitivity(s, ltv.contract_terms(100), 'horizon', '{12,24,120}') AS x WHERE name = 'ten';
SELECT x.value, x.ltv, x.delta, x.status FROM someone t, LATERAL ltv.sensitivity('telco', t, ltv.contract_terms(t.monthly_charges), 'monthly_charges', '{20,70,100}') AS x;
SELECT x.value, x.ltv, x.delta, x.status FROM someone t, LATERAL ltv.sensitivity('telco', t, ltv.contract_terms(t.monthly_charges), 'hazard_ratio', '{0.5,1,2}') AS x;

-- The pricing grid: at the break-even discount the offer is worth as much as the base, to the cent.
SELECT g.* FROM curves, LATERAL ltv.pricing_grid(s, ltv.contract_terms(100, margin => 0.8, cost_to_serve => 7, currency => 'EUR'), '{1,12,24}', '{0,0.1}') AS g WHERE name = 'ten';
SELECT g.term, g.break_even_discount BETWEEN 0 AND 1 AS found, v.ltv - b.ltv AS difference
FROM curves, LATERAL (SELECT ltv.contract_terms(100, margin => 0.8, cost_to_serve => 7, acquisition_cost => 50, billing => 'quarterly') AS t) AS t, LATERAL ltv.lifetime_value(s, t) AS b,
     LATERAL ltv.pricing_grid(s, t, '{6,12,24,36}', '{0}') AS g,
     LATERAL ltv.lifetime_value(s, ltv.with_changes(t, jsonb_build_object('term_months', g.term, 'months_to_renewal', g.term, 'revenue', jsonb_build_object('times', 1 - g.break_even_discount)))) AS v
WHERE name = 'ten';
-- Nothing to give when nobody leaves anyhow; no break-even where the price does not matter, or where the offer is worth more for nothing.
SELECT name, g.term, g.price, g.delta, round(g.break_even_discount::numeric, 6) AS break_even_discount, g.status FROM curves, LATERAL ltv.pricing_grid(s, ltv.contract_terms(100, horizon => 24), '{24}', '{0.05}') AS g ORDER BY name;
SELECT g.term, g.delta, g.break_even_discount, g.status FROM curves, LATERAL ltv.pricing_grid(s, ltv.contract_terms(100, margin => 0, cost_to_serve => 7), '{24}', '{0}') AS g WHERE name = 'ten';
SELECT g.term, g.discount, g.price, g.delta FROM someone t, LATERAL ltv.pricing_grid('telco', t, ltv.contract_terms(t.monthly_charges, given => t.tenure), '{12}') AS g;
SELECT count(*) FROM curves, LATERAL ltv.pricing_grid(s, NULL) AS g;

-- Refused, with the way to mend it.
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT w.* FROM curves, LATERAL ltv.what_if(s, ltv.contract_terms(100), '{"x": {"revenu": 1}}') AS w WHERE name = 'ten';
SELECT w.* FROM curves, LATERAL ltv.what_if(s, ltv.contract_terms(100), '{"x": {"features": {"a": 1}}}') AS w WHERE name = 'ten';
SELECT w.* FROM curves, LATERAL ltv.what_if(s, ltv.contract_terms(100), '{"x": 1}') AS w WHERE name = 'ten';
SELECT w.* FROM curves, LATERAL ltv.what_if(s, ltv.contract_terms(100), '[1]') AS w WHERE name = 'ten';
SELECT w.* FROM curves, LATERAL ltv.what_if(s, ltv.contract_terms(100), '{"base": {}}') AS w WHERE name = 'ten';
SELECT ltv.with_scenario(ltv.contract_terms(100), '{"price_change": "5 %"}');
SELECT ltv.with_scenario(ltv.contract_terms(100), '{"price_change": -1}');
SELECT ltv.with_scenario(ltv.contract_terms(100), '{"elasticity": 1}');
SELECT ltv.with_scenario(ltv.contract_terms(100), '{"price_change": 0.1, "revenue": 5}');
SELECT w.* FROM someone t, LATERAL ltv.what_if('telco', t, ltv.contract_terms(100), '{"x": {"features": {"contrct": "Two year"}}}') AS w;
SELECT w.* FROM someone t, LATERAL ltv.what_if('telco', t, ltv.contract_terms(100), '{"x": {"features": {"contract": {"times": 2}}}}') AS w;
SELECT w.* FROM LATERAL (SELECT 1 AS a) t, LATERAL ltv.what_if('telco', t, ltv.contract_terms(100), '{"x": {"features": {"contract": "Two year"}}}') AS w;
SELECT x.* FROM curves, LATERAL ltv.sensitivity(s, ltv.contract_terms(100), 'horizn', '{1}') AS x;
SELECT x.* FROM curves, LATERAL ltv.sensitivity(s, ltv.contract_terms(100), 'billing', '{1}') AS x;
SELECT x.* FROM curves, LATERAL ltv.sensitivity(s, ltv.contract_terms(100), 'ramp', '{1}') AS x;
SELECT x.* FROM curves, LATERAL ltv.sensitivity(s, ltv.contract_terms(100), 'horizon', '{1.5}') AS x;
SELECT g.* FROM curves, LATERAL ltv.pricing_grid(s, ltv.contract_terms(100), '{12}', '{1.5}') AS g;

-- Base, scenario and difference in one table, of an account and of a portfolio.
\set VERBOSITY terse
CREATE TABLE leaving AS SELECT i AS account_id, 'tier ' || i % 2 AS tier, (i * 37 % 50) / 2.0::float8 + 0.5 AS months, i % 3 <> 0 AS lost, abs(sin(i)) AS adoption, ltv.contract_terms(100 + i, margin => 0.8, given => 3, currency => 'EUR') AS terms FROM generate_series(1, 200) AS i;
SELECT model, version FROM ltv.train('leave', 'leaving', 'cox', 'months', 'lost', features => '{adoption}');
\set offers '{"a tenth off for two years": {"discount": 0.1, "term_months": 24}, "dearer": {"price_change": 0.05, "elasticity": 1.5}, "more adoption": {"features": {"adoption": {"plus": 0.1}}}, "fewer leave": {"hazard_ratio": 0.8}}'
SELECT s.scenario, s.base, s.value, s.delta, s.delta_lower, s.delta_upper, round(s.delta_share::numeric, 4) AS share, s.currency, s.status FROM leaving l, LATERAL ltv.scenario('leave', l, l.terms, :'offers') s WHERE account_id = 7;
SELECT s.scenario, s.segment, s.accounts, s.base, s.value, s.delta, s.delta_lower, s.delta_upper, round(s.delta_share::numeric, 4) AS share, s.currency, s.status FROM ltv.scenario('leave', 'leaving', :'offers') s;
-- The same as what_if says of each account, and the same as the statement by hand; segments add up.
SELECT s.scenario, s.base = sum(w.ltv - w.delta) AS base, s.value = sum(w.ltv) AS value, s.delta = sum(w.delta) AS delta
FROM ltv.scenario('leave', 'leaving', :'offers') s, leaving l, LATERAL ltv.what_if('leave', l, l.terms, :'offers') w WHERE w.scenario = s.scenario GROUP BY s.scenario, s.base, s.value, s.delta ORDER BY 1;
SELECT s.scenario, s.delta = c.delta AS delta, s.delta_lower = c.delta_lower AS lower, s.delta_upper = c.delta_upper AS upper
FROM ltv.scenario('leave', 'leaving', :'offers') s,
     LATERAL (SELECT ltv.portfolio_agg('leave', l, l.terms) AS base, ltv.portfolio_agg(m, ltv.with_features(m, l, (:'offers'::jsonb -> s.scenario) -> 'features'), ltv.with_scenario(l.terms, :'offers'::jsonb -> s.scenario)) AS changed
              FROM leaving l, ltv.model('leave') m) p, LATERAL ltv.portfolio_change(p.base, p.changed) c ORDER BY 1;
SELECT t.scenario, t.delta = sum(s.delta) AS adds_up, count(*) AS segments, sum(s.accounts) AS accounts FROM ltv.scenario('leave', 'leaving', :'offers') t JOIN ltv.scenario('leave', 'leaving', :'offers', by => 'tier') s USING (scenario) GROUP BY t.scenario, t.delta ORDER BY 1;
SELECT count(*) FROM leaving l, LATERAL ltv.scenario('leave', l, NULL, '{"less": {"discount": 0.2}}');
-- A column of whole numbers: a tenth more of 48 seats is 52.8, to the cent what a column of numerics gives; 50 becomes 55, an absolute 52.5 may be asked for too.
CREATE TABLE seated AS SELECT i AS id, 1 + i * 7 % 50 AS seats, (ARRAY['a', 'b'])[1 + i % 2] AS plan, i % 3 = 0 AS auto, round((1 + (i * 37 % 101) / (1 + (i * 7 % 50) / 25.0))::numeric, 2) AS months, i % 4 > 0 AS lost,
       ltv.contract_terms(100 + i, margin => 0.8, horizon => 24, currency => 'EUR') AS terms FROM generate_series(1, 300) AS i;
CREATE VIEW seated_exactly AS SELECT id, seats::numeric AS seats, plan, auto, months, lost, terms FROM seated;
SELECT model, version FROM ltv.train('seats', 'seated', 'cox', 'months', 'lost', features => '{seats,plan,auto}');
\set offers '{"a tenth more": {"features": {"seats": {"times": 1.1}}}, "half as many again": {"features": {"seats": {"times": 1.5}, "plan": "a"}}, "to 52.5": {"features": {"seats": 52.5}}, "to 55": {"features": {"seats": 55.0}}}'
SELECT w.scenario, w.ltv = e.ltv AS same_ltv, w.delta = e.delta AS same_delta, count(*) AS accounts FROM seated s JOIN seated_exactly x USING (id), LATERAL ltv.what_if('seats', s, s.terms, :'offers') w, LATERAL ltv.what_if('seats', x, x.terms, :'offers') e
WHERE w.scenario = e.scenario AND id <= 20 GROUP BY 1, 2, 3 ORDER BY 1;
SELECT a.scenario, a.value = e.value AS same_value, a.delta = e.delta AS same_delta, a.delta <> 0 AS moves FROM ltv.scenario('seats', 'seated', :'offers') a JOIN ltv.scenario('seats', 'seated_exactly', :'offers') e USING (scenario) ORDER BY 1;
SELECT l.lever, l.step, l.from_value, l.to_value, l.delta = e.delta AS same FROM seated s JOIN seated_exactly x USING (id), LATERAL ltv.levers('seats', s, s.terms) l, LATERAL ltv.levers('seats', x, x.terms) e
WHERE id = 7 AND l.lever = 'seats' AND e.lever = 'seats';
SELECT v.value, v.ltv = e.ltv AS same FROM seated s JOIN seated_exactly x USING (id), LATERAL ltv.sensitivity('seats', s, s.terms, 'seats', '{10,20.5}') v, LATERAL ltv.sensitivity('seats', x, x.terms, 'seats', '{10,20.5}') e WHERE id = 7 AND v.value = e.value ORDER BY 1;
-- What the row does not know stays unknown.
SELECT w.scenario, w.ltv, w.status FROM (SELECT NULL::integer AS seats, NULL::text AS plan, NULL::boolean AS auto) AS r, LATERAL ltv.what_if('seats', r, ltv.contract_terms(100), '{"to 52.5": {"features": {"seats": 52.5}}, "a tenth more": {"features": {"seats": {"times": 1.1}}}}') w ORDER BY 1;
-- A discount is a change of the price.
SELECT ltv.with_scenario(ltv.contract_terms(200), '{"discount": 0.25, "elasticity": 2}')::text = ltv.with_scenario(ltv.contract_terms(200), '{"price_change": -0.25, "elasticity": 2}')::text;
\set VERBOSITY default
SELECT ltv.with_scenario(ltv.contract_terms(200), '{"discount": 0.25, "price_change": 1}');
SELECT ltv.with_scenario(ltv.contract_terms(200), '{"discount": "10 %"}');
SELECT w.* FROM curves, LATERAL ltv.what_if(s, ltv.contract_terms(100000, currency => 'JPY', horizon => 24), '{"bill in dollars": {"currency": "USD", "revenue": 650}}') AS w WHERE name = 'ten';
SELECT w.* FROM (SELECT 1 AS seats, 'a' AS plan, true AS auto) AS r, LATERAL ltv.what_if('seats', r, ltv.contract_terms(100000, currency => 'JPY', horizon => 24), '{"bill in dollars": {"currency": "USD", "revenue": 650}}') AS w;
SELECT * FROM ltv.scenario('leave', 'leaving', '{"base": {}}');
-- A scenario without a value is in no other currency; nor is one that names the same.
SELECT w.scenario, w.ltv, w.delta, w.currency, w.status FROM someone t, LATERAL ltv.what_if('telco', t, ltv.contract_terms(100, currency => 'EUR'), '{"same": {"currency": "EUR"}, "unseen": {"features": {"contract": "Decade"}}}') AS w;
SELECT w.scenario, w.ltv, w.delta, w.currency, w.status FROM (SELECT contract || '?' AS contract, senior_citizen, monthly_charges FROM someone) AS t, LATERAL ltv.what_if('telco', t, ltv.contract_terms(100, currency => 'EUR'), '{"seen": {"features": {"contract": "Two year"}}}') AS w;
SELECT w.scenario, w.currency FROM curves, LATERAL ltv.what_if(s, ltv.contract_terms(100, currency => 'EUR'), '{"none": {"currency": null}}') AS w WHERE name = 'ten';
SELECT * FROM ltv.scenario('leave', 'pg_class', '{"less": {"discount": 0.2}}');
