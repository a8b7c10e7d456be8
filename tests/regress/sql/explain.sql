-- What a prediction and a lifetime value are associated with: parts that add up, by closed forms written out in SQL.
\set ECHO none
\ir ../datasets.sql
ALTER TABLE telco ALTER partner TYPE boolean USING partner = 'Yes', ADD churned boolean GENERATED ALWAYS AS (churn_event = 1) STORED;
\set ECHO all
SET extra_float_digits = 0;

SELECT DISTINCT t.model, t.version, m.algorithm
FROM (VALUES ('cox', 'cox', '{}'), ('weibull', 'weibull', '{}'), ('bent', 'weibull', '{"ancillary": ["partner", "contract"]}'), ('spline', 'spline_odds', '{"knots": 2}'),
          ('pieces', 'piecewise_exponential', '{"breaks": [6, 24]}'), ('cure', 'lognormal_cure', '{}'), ('periods', 'discrete_time', '{}'), ('cloglog', 'discrete_time', '{"link": "cloglog"}')) AS m (model, algorithm, options),
     LATERAL ltv.train(m.model, 'telco', m.algorithm, duration => 'tenure', event => 'churn_event', features => ARRAY['contract', 'partner', 'monthly_charges'],
                       options => m.options::jsonb) AS t
ORDER BY t.model;
SELECT DISTINCT model FROM ltv.train('km', 'telco', 'kaplan_meier', duration => 'tenure', event => 'churned', features => ARRAY['contract', 'partner']);
SELECT DISTINCT model FROM ltv.train('strata', 'telco', 'cox', duration => 'tenure', event => 'churned', features => ARRAY['partner', 'monthly_charges'], strata => 'contract');

-- As an analyst sees it.
SELECT e.rank, e.feature, e.value, round(e.contribution::numeric, 4) AS contribution, e.direction, round(e.baseline::numeric, 4) AS baseline, round(e.prediction::numeric, 4) AS prediction, e.status
FROM telco AS t, LATERAL ltv.explain('cox', t, given => t.tenure) AS e WHERE t.customer_id = '0003-MKNFE' ORDER BY e.rank;
SELECT e.rank, e.feature, e.value, e.contribution, e.direction, e.baseline, e.prediction, e.currency, e.status
FROM telco AS t, LATERAL ltv.explain_value('cox', t, revenue => t.monthly_charges, margin => 0.8, given => t.tenure, currency => 'EUR') AS e WHERE t.customer_id = '0003-MKNFE' ORDER BY e.rank;
-- By terms: the same, and with a ramp and bad debt, which only terms say, up to the value under them. A NULL for the terms says so.
SELECT count(*) AS rows, count(*) FILTER (WHERE e IS NOT DISTINCT FROM d) AS same
FROM telco AS t, LATERAL ltv.contract_terms(revenue => t.monthly_charges, margin => 0.8, given => t.tenure, currency => 'EUR') AS terms,
     LATERAL ltv.explain_value('cox', t, terms) AS d JOIN LATERAL ltv.explain_value('cox', t, revenue => t.monthly_charges, margin => 0.8, given => t.tenure, currency => 'EUR') AS e ON e.rank = d.rank WHERE t.customer_id = '0003-MKNFE';
SELECT count(*) AS rows, sum(e.contribution) = max(e.prediction) - max(e.baseline) AS adds_up, max(e.prediction) = max(v.ltv) AS is_value, max(v.ltv) AS ltv, max(e.currency) AS currency
FROM telco AS t, LATERAL ltv.contract_terms(revenue => t.monthly_charges, margin => 0.8, given => t.tenure, currency => 'EUR', ramp => ARRAY[t.monthly_charges, t.monthly_charges + 10]::numeric[], bad_debt => 0.02) AS terms,
     LATERAL ltv.explain_value(ltv.model('cox'), t, terms, 2) AS e, LATERAL ltv.lifetime_value('cox', t, terms) AS v WHERE t.customer_id = '0003-MKNFE';
SELECT e.* FROM telco AS t, LATERAL ltv.explain_value('cox', t, NULL::ltv.terms) AS e WHERE t.customer_id = '0003-MKNFE';
-- The rest is one row.
SELECT e.rank, e.feature, e.value, round(e.contribution::numeric, 4) AS contribution FROM telco AS t, LATERAL ltv.explain('cox', t, 1) AS e WHERE t.customer_id = '0003-MKNFE' ORDER BY e.rank;
SELECT e.feature, e.value, round(e.contribution::numeric, 4) AS contribution FROM telco AS t, LATERAL ltv.explain('cox', t, 0) AS e WHERE t.customer_id = '0003-MKNFE';

-- They add up, in every unit and for every kind of model; the prediction is predict's, and all rows of a model have one baseline.
WITH told AS (
    SELECT m.model, u.unit, t.customer_id, sum(e.contribution) AS total, min(e.prediction) AS prediction, min(e.baseline) AS baseline,
           min(CASE u.unit WHEN 'probability' THEN p.event_probability WHEN 'renewal-probability' THEN p.renewal_probability ELSE p.linear_predictor END) AS predicted
    FROM telco AS t, unnest('{cox,weibull,bent,spline,pieces,cure,periods,cloglog,km,strata}'::text[]) AS m (model),
         unnest('{probability,renewal-probability,linear-predictor}'::text[]) AS u (unit),
         LATERAL ltv.explain(m.model, t, unit => u.unit) AS e, LATERAL ltv.predict(m.model, t) AS p
    WHERE t.customer_id < '0300' AND (m.model, u.unit) <> ('km', 'linear-predictor') GROUP BY 1, 2, 3
)
SELECT model, unit, count(*) AS n, max(abs(total - (prediction - baseline))) < 1e-12 AS adds_up, bool_and(prediction = predicted) AS is_the_prediction,
       max(baseline) - min(baseline) < 1e-15 AS one_baseline
FROM told GROUP BY 1, 2 ORDER BY 1, 2;

-- Coefficient x (value - mean), a category as a whole; in probability the same shares of another total.
WITH b AS (SELECT term, estimate FROM ltv.coefficients(ltv.model('cox'::text))),
     mean AS (SELECT avg(partner::int) AS partner, avg(monthly_charges) AS charges, avg((contract = 'One year')::int) AS one, avg((contract = 'Two year')::int) AS two FROM telco),
     expected AS (
         SELECT t.customer_id, 'partner' AS feature, (SELECT estimate FROM b WHERE term = 'partner') * (t.partner::int - mean.partner) AS part FROM telco AS t, mean
         UNION ALL SELECT t.customer_id, 'monthly_charges', (SELECT estimate FROM b WHERE term = 'monthly_charges') * (t.monthly_charges - mean.charges)::float8 FROM telco AS t, mean
         UNION ALL SELECT t.customer_id, 'contract', (SELECT estimate FROM b WHERE term = 'contract=One year') * ((contract = 'One year')::int - mean.one)
             + (SELECT estimate FROM b WHERE term = 'contract=Two year') * ((contract = 'Two year')::int - mean.two) FROM telco AS t, mean)
SELECT count(*), max(abs(e.contribution - x.part)) < 1e-11 AS by_hand,
       max(abs(p.contribution - x.part / l.linear_predictor * (p.prediction - p.baseline))) < 1e-11 AS in_probability_too
FROM telco AS t, LATERAL ltv.explain('cox', t, unit => 'log-hazard') AS e, LATERAL ltv.predict('cox', t) AS l, LATERAL ltv.explain('cox', t) AS p, expected AS x
WHERE t.customer_id < '0300' AND x.customer_id = t.customer_id AND x.feature = e.feature AND p.feature = e.feature;

-- Cohorts: the Shapley value of two features is the mean of what each adds first and what it adds last.
WITH p AS (SELECT contract, partner, count(*) AS n, 1 - ltv.renewal_probability(ltv.survival_agg(tenure, churned), 0, 12) AS v FROM telco GROUP BY 1, 2),
     one AS (SELECT sum(n * v) / sum(n) AS nobody, sum(n * v) FILTER (WHERE contract = 'One year') / sum(n) FILTER (WHERE contract = 'One year') AS c,
                    sum(n * v) FILTER (WHERE partner) / sum(n) FILTER (WHERE partner) AS p, max(v) FILTER (WHERE contract = 'One year' AND partner) AS both FROM p)
SELECT e.feature, abs(e.contribution - CASE e.feature WHEN 'contract' THEN (one.c - one.nobody + one.both - one.p) / 2 ELSE (one.p - one.nobody + one.both - one.c) / 2 END) < 1e-12 AS by_hand,
       abs(e.baseline - one.nobody) < 1e-12 AS baseline
FROM one, LATERAL ltv.explain('km', (SELECT r FROM (SELECT 'One year' AS contract, true AS partner) AS r), 5, 12) AS e ORDER BY 1;

-- Money adds up to the cent, whatever the currency's decimals, and is lifetime_value's.
WITH told AS (
    SELECT m.model, c.currency, t.customer_id, sum(e.contribution) AS total, min(e.prediction) AS prediction, min(e.baseline) AS baseline, min(v.ltv) AS ltv
    FROM telco AS t, unnest('{cox,weibull,bent,periods,km}'::text[]) AS m (model), unnest('{EUR,JPY,KWD}'::text[]) AS c (currency),
         LATERAL ltv.explain_value(m.model, t, revenue => t.monthly_charges, margin => 0.7, acquisition_cost => 100, currency => c.currency) AS e,
         LATERAL ltv.lifetime_value(m.model, t, revenue => t.monthly_charges, margin => 0.7, acquisition_cost => 100, currency => c.currency) AS v
    WHERE t.customer_id < '0070' GROUP BY 1, 2, 3
)
SELECT model, currency, count(*) AS n, bool_and(total = prediction - baseline) AS adds_up, bool_and(prediction = ltv) AS is_the_value FROM told GROUP BY 1, 2 ORDER BY 1, 2;
-- The baseline of a value is that of a row of means; the shares are those of the linear predictor, to the cent.
SELECT count(*), max(abs(v.contribution - e.contribution / e.prediction * (v.prediction - v.baseline)) / (1 + abs(e.contribution / e.prediction))) <= 0.01 AS same_shares
FROM telco AS t, LATERAL ltv.explain('cox', t, unit => 'log-hazard') AS e, LATERAL ltv.explain_value('cox', t, revenue => t.monthly_charges) AS v
WHERE t.customer_id < '0300' AND v.feature = e.feature;

-- A stratum is no part of it: the baseline is the average row of the same stratum.
SELECT t.contract, e.feature, round(e.contribution::numeric, 4) AS contribution, round(e.baseline::numeric, 4) AS baseline
FROM telco AS t, LATERAL ltv.explain('strata', t) AS e WHERE t.customer_id IN ('0003-MKNFE', '0013-SMEOE') ORDER BY 1, 2;

-- Without features there is nothing to tell; without a score the row says why.
SELECT e.* FROM (SELECT ltv.with_period(ltv.fit_sbg(p, s), 12) AS m FROM (VALUES (0, 100), (1, 80), (2, 68), (3, 60)) AS v (p, s)) AS q, LATERAL ltv.explain(m, ROW()) AS e;
SELECT e.* FROM (VALUES ('Five year', true, 20.0), (NULL, true, 20.0), ('One year', true, 'NaN')) AS v (contract, partner, monthly_charges), LATERAL ltv.explain('cox', v) AS e;
SELECT e.* FROM (VALUES ('Five year', true, 20.0)) AS v (contract, partner, monthly_charges), LATERAL ltv.explain_value('cox', v, 10) AS e;
SELECT e.* FROM (VALUES ('One year', true, 20.0)) AS v (contract, partner, monthly_charges), LATERAL ltv.explain_value('cox', v, NULL::float8) AS e;
SELECT e.* FROM (VALUES ('One year', true, 20.0)) AS v (contract, partner, monthly_charges), LATERAL ltv.explain_value('cox', v, 10, given => 1e6, tail => 'none') AS e;
SELECT e.* FROM (VALUES ('One year', true, 20.0)) AS v (contract, partner, monthly_charges), LATERAL ltv.explain('cox', v, NULL) AS e;

-- What is refused.
SELECT * FROM ltv.explain('cox', (SELECT t FROM telco AS t LIMIT 1), unit => 'euro');
SELECT * FROM ltv.explain('weibull', (SELECT t FROM telco AS t LIMIT 1), unit => 'log-hazard');
SELECT * FROM ltv.explain('km', (SELECT t FROM telco AS t LIMIT 1), unit => 'linear-predictor');
SELECT * FROM ltv.explain('cox', (SELECT t FROM telco AS t LIMIT 1), -1);
SELECT * FROM ltv.explain('cox', (SELECT t FROM telco AS t LIMIT 1), horizon => -1);
SELECT * FROM ltv.explain('cox', ROW(1));
SELECT * FROM ltv.explain('nothing', ROW(1));
