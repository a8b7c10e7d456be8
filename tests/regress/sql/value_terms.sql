-- The terms of a contract as a value: made, printed, changed; and what each of them does to the cash flows, by hand-checked numbers.
\set ECHO none
SET client_min_messages = warning;
\set ECHO all
-- Nobody ever leaves; one in ten leaves each month; a fifth at the end of each year; a hazard that is many times larger from month 31 on.
CREATE TABLE curves AS
SELECT 'certain' AS name, ltv.survival_agg(600, false) AS s
UNION ALL SELECT 'ten', ltv.survival_agg(least(k, 60), k < 60, 0.9 ^ (k - 1) * CASE WHEN k < 60 THEN 0.1 ELSE 1 END) FROM generate_series(1, 60) AS k
UNION ALL SELECT 'yearly', ltv.survival_agg(12 * least(k, 40), k < 40, 0.8 ^ (k - 1) * CASE WHEN k < 40 THEN 0.2 ELSE 1 END) FROM generate_series(1, 40) AS k
UNION ALL SELECT 'late', ltv.survival_agg(least(k, 40), k < 40, CASE WHEN k <= 30 THEN 1 WHEN k < 40 THEN 5 ELSE 20 END) FROM generate_series(1, 40) AS k;

-- Made: the usual terms are said only where a value cannot be read without them. Every digit of a price is kept.
SELECT ltv.contract_terms(100);
SELECT ltv.contract_terms(123456789012345678.34, margin => 0.7, currency => 'EUR', as_of => '2024-02-29');
SELECT ltv.contract_terms(revenue => NULL::numeric, ramp => ARRAY[1000, 1200.50, 1500], term_months => 36, billing => 'annual', period_months => 12);
SELECT ltv.contract_terms(33.3333333333333::float8) AS float8, ltv.contract_terms(0.1::float8 + 0.2::float8) AS sum, ltv.contract_terms(10.00) AS zeros;
-- Every term, there and back: text, binary through a table, and text again.
CREATE TABLE all_terms AS
SELECT ltv.contract_terms(12.345678901234567890, 0.77, 3.33, 0.08, 24, -0.05, 0.03, 3, 'quarterly', 'arrears', 7.5, 12, 4.5, 1, 150.5, 'recent-hazard', 'KWD', 0.9, '2024-01-31',
       ARRAY[12.34567890123456789, 15], 'gross-margin', '{1,1.1,0.9}', 6, 2.5, false, 0.05, 0.5, 30, 0.01, '{0.03,0.035}', 9, 0.9) AS t;
SELECT t FROM all_terms;
SELECT t::text::ltv.terms::text = t::text AS text, ltv.terms_send(t) = ltv.terms_send(t::text::ltv.terms) AS bytes, length(ltv.terms_send(t)) FROM all_terms;
SELECT (t::text::jsonb ->> 'revenue')::numeric AS revenue, t::text::jsonb -> 'ramp' AS ramp FROM all_terms;

-- Changed: new values, relative ones, null for what is usual. One lever moves all that it stands for.
SELECT ltv.with_changes(ltv.contract_terms(100, discount_rate => 0.1), '{"discount_rate": {"plus": 0.02}, "revenue": {"times": 0.9}}');
SELECT ltv.with_changes(ltv.contract_terms(ramp => ARRAY[100, 120], revenue => NULL, discount_curve => '{0.03,0.04}'), '{"discount_rate": {"plus": 0.01}, "revenue": {"times": 1.1, "plus": -10}}');
SELECT ltv.with_changes(t, '{"ramp": [20, 30], "discount_rate": 0.12, "currency": null, "months_to_renewal": null, "as_of": null, "horizon": {"times": 2}}') FROM all_terms;
SELECT ltv.with_changes(ltv.contract_terms(100), '{}')::text = ltv.contract_terms(100)::text AS unchanged;

-- Refused, with the way to mend it.
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT ltv.with_changes(ltv.contract_terms(100), '{"discuont_rate": 0.1}');
SELECT ltv.with_changes(ltv.contract_terms(100), '{"x": 1}');
SELECT ltv.with_changes(ltv.contract_terms(100), '{"margin": "a"}');
SELECT ltv.with_changes(ltv.contract_terms(100), '{"tail": {"times": 2}}');
SELECT ltv.with_changes(ltv.contract_terms(100), '{"revenue": {"time": 2}}');
SELECT ltv.with_changes(ltv.contract_terms(100), '{"revenue": {}}');
SELECT ltv.with_changes(ltv.contract_terms(100), '{"revenue": null}');
SELECT ltv.with_changes(ltv.contract_terms(100), '{"revenue": 1e400}');
SELECT ltv.with_changes(ltv.contract_terms(100), '{"horizon": {"times": 0.51}}');
SELECT ltv.with_changes(ltv.contract_terms(100), '{"term_months": 12, "months_to_renewal": 13}');
SELECT ltv.with_changes(ltv.contract_terms(ramp => ARRAY[100, 120], revenue => NULL), '{"revenue": 90}');
SELECT ltv.with_changes(ltv.contract_terms(100), '[1]');
SELECT '{"revenue": 1, "revenue": 2}'::ltv.terms;
SELECT '{"revenu": 1}'::ltv.terms;
SELECT '{"margin": 1}'::ltv.terms;
SELECT '{"revenue": 1, "billing": "weekly"}'::ltv.terms;
SELECT '{"revenue": 1, "margin": {"times": 0.9}}'::ltv.terms;
SELECT '100'::ltv.terms;
SELECT ltv.contract_terms('NaN'::numeric);
SELECT ltv.contract_terms('Infinity'::float8);
SELECT ltv.contract_terms(1e40);
SELECT ltv.contract_terms(100, ramp => ARRAY[90, 100]);
SELECT ltv.contract_terms(100, ramp => ARRAY[100, NULL]);
SELECT ltv.contract_terms(100, early_termination => 0.1);
SELECT ltv.contract_terms(100, term_months => 12, early_termination => 1);
SELECT ltv.contract_terms(100, value_basis => 'profit');
SELECT ltv.contract_terms(100, bad_debt => 1);
SELECT ltv.contract_terms(100, payment_days => -1);
SELECT ltv.contract_terms(100, hazard_ratio => 0);
SELECT ltv.contract_terms(100, tail_months => 6);
SELECT ltv.contract_terms(100, discount_curve => '{0.1,10}');
SELECT ltv.contract_terms(100, notice_months => 'NaN');
\set VERBOSITY default
-- NULL where something must be known; the value then says so.
SELECT ltv.contract_terms(NULL::numeric) IS NULL AS revenue, ltv.contract_terms(100, margin => NULL) IS NULL AS margin, ltv.with_changes(NULL, '{}') IS NULL AS terms,
       ltv.contract_terms(100, NULL, currency => NULL) IS NULL AS both;
SELECT v.ltv, v.status FROM curves, LATERAL ltv.lifetime_value(s, NULL::ltv.terms) AS v WHERE name = 'ten';
SELECT count(*) FROM curves, LATERAL ltv.cash_flows(s, NULL::ltv.terms) WHERE name = 'ten';
SELECT v.ltv, v.status FROM curves, LATERAL ltv.lifetime_values(s, NULL::ltv.terms) AS v WHERE name = 'ten';

-- The two forms are one: the same terms by name and as a value.
SELECT count(*) AS forms, count(DISTINCT v) AS answers FROM curves, LATERAL (
    VALUES (ltv.lifetime_value(s, 99.9, 0.7, 3, 0.12, 30, 0.02, 0.03, 3, 'quarterly', 'mid-period', 5, 12, 7, 1, 40, 'none', 'USD', 0.9, '2024-01-31')),
           (ltv.lifetime_value(s, ltv.contract_terms(99.9, 0.7, 3, 0.12, 30, 0.02, 0.03, 3, 'quarterly', 'mid-period', 5, 12, 7, 1, 40, 'none', 'USD', 0.9, '2024-01-31')))
) AS form (v) WHERE name = 'ten';

-- Value basis: revenue 100, cost of sales 30, cost to serve 5.
SELECT v.value_basis, v.ltv, v.revenue, v.cost FROM curves, unnest(ARRAY['revenue', 'gross-margin', 'contribution']) AS basis,
    LATERAL ltv.lifetime_value(s, ltv.contract_terms(100, 0.7, 5, 0, 1, value_basis => basis)) AS v WHERE name = 'certain';
-- Ramp: three contract years of 1000, 1200, 1500 from a contract 8 months old; its steps come after 4 and 16 months, 5 % more at the renewal after 28.
SELECT period, due_months, revenue FROM curves, LATERAL ltv.cash_flows(s, ltv.contract_terms(NULL::numeric, ramp => ARRAY[1000, 1200, 1500], horizon => 36, billing => 'quarterly',
       given => 8, term_months => 36, price_uplift => 0.05)) WHERE name = 'certain' AND period IN (1, 2, 3, 6, 7, 10, 11);
-- Expansion as a curve: 1, 1.1 and then 1.3 times the price, per half-year.
SELECT array_agg(f.revenue ORDER BY f.period) AS revenue FROM curves, LATERAL ltv.cash_flows(s, ltv.contract_terms(100, horizon => 24, billing => 'quarterly',
       expansion_curve => '{1,1.1,1.3}', expansion_curve_months => 6)) AS f WHERE name = 'certain';
-- Notice of five months: the renewal in 4 months can no longer be refused, so survival begins to fall at the next one, by one year's drop alone.
SELECT period, due_months, round(free.survival::numeric, 6) AS without_notice, round(held.survival::numeric, 6) AS with_notice, round(signed.survival::numeric, 6) AS to_be_signed
FROM curves, LATERAL ltv.cash_flows(s, ltv.contract_terms(100, horizon => 36, billing => 'quarterly', given => 8, term_months => 12)) AS free
    JOIN LATERAL ltv.cash_flows(s, ltv.contract_terms(100, horizon => 36, billing => 'quarterly', given => 8, term_months => 12, notice_months => 5)) AS held USING (period, due_months)
    JOIN LATERAL ltv.cash_flows(s, ltv.contract_terms(100, horizon => 36, billing => 'quarterly', given => 8, term_months => 12, notice_months => 5, auto_renew => false)) AS signed USING (period, due_months)
WHERE name = 'yearly';
-- Without a term a notice of two months holds everybody for two months; expected life is 2 + sum of 0.9^k.
SELECT array_agg(round(f.survival::numeric, 4) ORDER BY period) AS survival FROM curves, LATERAL ltv.cash_flows(s, ltv.contract_terms(100, horizon => 6, notice_months => 2)) AS f WHERE name = 'ten';
SELECT round(v.expected_lifetime::numeric, 6) AS expected_lifetime, 2 + 1 + 0.9 + 0.81 + 0.729 AS by_hand FROM curves, LATERAL ltv.lifetime_value(s, ltv.contract_terms(100, horizon => 6, notice_months => 2)) AS v WHERE name = 'ten';
-- A tenth a year breaks the contract and owes half of what is left of the term (rows are rounded cumulatively): 100 (q + 0.5 (1 - q)) with q = 0.9^(t/12); from the renewal at 12 months on the share that entered is 0.8 x 0.9.
SELECT period, due_months, round(survival::numeric, 6) AS survival, revenue, round(CASE WHEN due_months < 12 THEN 300 * (0.9 ^ (due_months / 12) + 0.5 * (1 - 0.9 ^ (due_months / 12)))
       ELSE 300 * 0.8 * (0.9 ^ (due_months / 12) + 0.5 * (0.9 - 0.9 ^ (due_months / 12))) END::numeric, 2) AS by_hand
FROM curves, LATERAL ltv.cash_flows(s, ltv.contract_terms(100, horizon => 24, billing => 'quarterly', term_months => 12, early_termination => 0.1, termination_fee => 0.5)) WHERE name = 'yearly';
-- Net 30 with dates and without: paid 30 days later, discounted by 30/365 more.
SELECT period, round(f.due_months::numeric, 6) AS due_months, due_on, round(f.discount_factor::numeric, 9) AS discount_factor, round(1.1 ^ -((a.days + 30) / 365.0), 9) AS by_hand
FROM curves, LATERAL ltv.cash_flows(s, ltv.contract_terms(100, horizon => 3, as_of => '2024-01-31', payment_days => 30)) AS f
    JOIN (VALUES (1, 0), (2, 29), (3, 60)) AS a (period, days) USING (period) WHERE name = 'certain';
SELECT round(f.discount_factor::numeric, 9) AS discount_factor, round(1.1 ^ -(1 / 12.0 + 30 / 365.0), 9) AS by_hand
FROM curves, LATERAL ltv.cash_flows(s, ltv.contract_terms(100, horizon => 3, payment_days => 30)) AS f WHERE name = 'certain' AND period = 2;
-- One percent is never paid; the cost is there all the same: 99 - 30 - 5.
SELECT revenue, cost, margin FROM curves, LATERAL ltv.cash_flows(s, ltv.contract_terms(100, 0.7, 5, horizon => 1, bad_debt => 0.01)) WHERE name = 'certain';
-- A discount curve: 3 % for one year, 4 % for two; between and beyond, the forward rate of the second year, 1.04^2 / 1.03 - 1.
SELECT period, round(discount_factor::numeric, 9) AS discount_factor, round(CASE period WHEN 1 THEN 1 WHEN 2 THEN 1.03 ^ -0.5 WHEN 3 THEN 1 / 1.03 WHEN 4 THEN (1.04 ^ 2 / 1.03) ^ -0.5 / 1.03
       WHEN 5 THEN 1.04 ^ -2 ELSE 1.04 ^ -2 * (1.04 ^ 2 / 1.03) ^ -0.5 END, 9) AS by_hand
FROM curves, LATERAL ltv.cash_flows(s, ltv.contract_terms(100, horizon => 36, billing => 'semiannual', discount_curve => '{0.03,0.04}')) WHERE name = 'certain';
SELECT v.horizon, round(v.discount_rate::numeric, 9) AS discount_rate FROM curves, LATERAL ltv.lifetime_values(s, ltv.contract_terms(100, discount_curve => '{0.03,0.04}')) AS v WHERE name = 'certain';
-- The tail: of 95 one leaves each month, from month 31 on five of the last 65; the average promises too much, the last quarter (months 30 to 40) does not.
SELECT tail, months, v.ltv, v.tail_value, round(v.tail_share::numeric, 4) AS tail_share, round(v.expected_lifetime::numeric, 4) AS expected_lifetime, v.lower, v.upper, v.status
FROM curves, (VALUES ('none', NULL), ('constant-hazard', NULL), ('recent-hazard', NULL), ('recent-hazard', 40), ('recent-hazard', 5)) AS rule (tail, months),
    LATERAL ltv.lifetime_value(s, ltv.contract_terms(100, given => 20, tail => tail, tail_months => months)) AS v WHERE name = 'late';
-- Hazards a tenth smaller: 0.9^0.9 a month.
SELECT round(f.survival::numeric, 9) AS survival, round(0.9 ^ (0.9 * 5), 9) AS by_hand FROM curves, LATERAL ltv.cash_flows(s, ltv.contract_terms(100, horizon => 6, hazard_ratio => 0.9)) AS f WHERE name = 'ten' AND period = 6;
-- Horizons of one contract; 120 is a full value, and its row says how much of it is tail.
SELECT v.horizon, v.ltv, v.undiscounted, round(v.expected_lifetime::numeric, 4) AS expected_lifetime, round(v.tail_share::numeric, 4) AS tail_share, v.status
FROM curves, LATERAL ltv.lifetime_values(s, ltv.contract_terms(100, margin => 0.8)) AS v WHERE name = 'ten';
SELECT v.horizon, v.ltv FROM curves, LATERAL ltv.lifetime_values(s, ltv.contract_terms(100), '{36,NULL,6}') AS v WHERE name = 'ten';
SELECT v.horizon FROM curves, LATERAL ltv.lifetime_values(s, ltv.contract_terms(100), '{0}') AS v WHERE name = 'ten';
-- Payback with and without discounting: 20 a month against 219.
SELECT v.payback_months, v.undiscounted_payback_months FROM curves, LATERAL ltv.lifetime_value(s, ltv.contract_terms(20, acquisition_cost => 219, horizon => 24)) AS v WHERE name = 'certain';
-- What is certain is exact: a hundred billions to the cent over a hundred years, and a third that adds up.
SELECT v.undiscounted, 1200 * 123456789012345.67 AS by_hand FROM curves, LATERAL ltv.lifetime_value(s, ltv.contract_terms(123456789012345.67, horizon => 1200, discount_rate => 0, term_months => 1200)) AS v WHERE name = 'certain';
SELECT v.ltv, v.undiscounted FROM curves, LATERAL ltv.lifetime_value(s, ltv.contract_terms(100, period_months => 3, horizon => 12, discount_rate => 0)) AS v WHERE name = 'certain';

-- Over many combinations the rows add up to the value, to the cent, in every column.
CREATE TABLE combinations AS
SELECT s, ltv.contract_terms(99.99, 0.77, 3.33, rate, months, expansion, uplift, billing => billing, timing => timing, given => given, term_months => term, acquisition_cost => 150.5, paid_months => paid,
       tail => tail, currency => code, as_of => as_of, value_basis => basis, ramp => ramp, expansion_curve => expansion_curve, notice_months => notice, early_termination => early, termination_fee => fee,
       payment_days => days, bad_debt => bad, discount_curve => zero_rates, hazard_ratio => ratio) AS t
FROM curves, unnest(ARRAY[0, 0.1]) AS rate, unnest(ARRAY[7, 40]) AS months, unnest(ARRAY['monthly', 'annual']) AS billing, unnest(ARRAY['advance', 'arrears', 'mid-period']) AS timing,
     (VALUES (0.0, NULL::float8, 0.0, 0.0), (7.5, 12, 0.1, 0.5), (17, NULL, 0, 0), (30, 6, 0.3, 1)) AS g (given, term, early, fee),
     (VALUES ('revenue', NULL::numeric[], NULL::float8[], 0, 0), ('gross-margin', ARRAY[99.99, 120], NULL, 3, 30), ('contribution', NULL, '{1,1.2,0.8}', 1, 45)) AS b (basis, ramp, expansion_curve, notice, days),
     (VALUES ('none', 'JPY', NULL::date, 0, 0.0, 0.0, 0.0, NULL::float8[], 1.0), ('constant-hazard', NULL, '2024-02-29', 0, 0.05, 0.1, 0.02, '{0.03,0.05}', 0.8), ('recent-hazard', 'KWD', NULL, 1, -0.1, 0, 0.01, NULL, 1.3)) AS o
         (tail, code, as_of, paid, expansion, uplift, bad, zero_rates, ratio);
SELECT count(*) AS combinations, count(v.ltv) AS valued,
       count(*) FILTER (WHERE v.ltv IS DISTINCT FROM f.present_value) AS ltv, count(*) FILTER (WHERE v.revenue IS DISTINCT FROM f.revenue) AS revenue,
       count(*) FILTER (WHERE v.cost IS DISTINCT FROM f.cost) AS cost, count(*) FILTER (WHERE v.undiscounted IS DISTINCT FROM f.margin) AS undiscounted,
       count(*) FILTER (WHERE f.last IS DISTINCT FROM v.ltv) AS cumulative, count(*) FILTER (WHERE v.status LIKE 'missing%') AS missing
FROM combinations, LATERAL ltv.lifetime_value(s, t) AS v,
     LATERAL (SELECT sum(present_value) AS present_value, sum(revenue) AS revenue, sum(cost) AS cost, sum(margin) AS margin, max(cumulative) FILTER (WHERE at = n) AS last
              FROM (SELECT *, row_number() OVER () AS at, count(*) OVER () AS n FROM ltv.cash_flows(s, t)) AS rows) AS f;
-- Each printed and read back is worth the same.
SELECT count(*) FILTER (WHERE ltv.lifetime_value(s, t) IS DISTINCT FROM ltv.lifetime_value(s, t::text::ltv.terms)) AS changed FROM combinations;

-- What one customer brings, whenever that one leaves: by hand, leaving after 1, 2 or 3 invoices of 100 with 0.1, 0.09 and 0.81. Certain contracts have one outcome only.
SELECT v.ltv, v.outcome_std_dev, v.outcome_lower, v.outcome_upper, round(sqrt(0.1 * (100 - 271) ^ 2 + 0.09 * (200 - 271) ^ 2 + 0.81 * (300 - 271) ^ 2)::numeric, 2) AS by_hand
FROM curves, LATERAL ltv.lifetime_value(s, ltv.contract_terms(100, horizon => 3, discount_rate => 0)) AS v WHERE name = 'ten';
SELECT v.ltv, v.outcome_std_dev, v.outcome_lower, v.outcome_upper FROM curves, LATERAL ltv.lifetime_value(s, ltv.contract_terms(100, horizon => 12, term_months => 12)) AS v WHERE name = 'ten';
-- Both intervals: of the mean, and of one customer.
SELECT v.lower, v.ltv, v.upper, v.outcome_lower, v.outcome_upper FROM curves, LATERAL ltv.lifetime_value(s, ltv.contract_terms(100, horizon => 36)) AS v WHERE name = 'late';

-- What a value is made of: amounts add up to it, factors multiply to it.
SELECT step, component, round(factor::numeric, 6) AS factor, amount, running FROM curves, LATERAL ltv.value_components(s, ltv.contract_terms(1000, margin => 0.7, cost_to_serve => 50, horizon => 36, billing => 'quarterly',
       term_months => 12, price_uplift => 0.05, expansion => 0.1, early_termination => 0.1, termination_fee => 0.5, bad_debt => 0.01, acquisition_cost => 2000)) WHERE name = 'yearly';
SELECT count(*) AS combinations, count(*) FILTER (WHERE v.ltv IS DISTINCT FROM c.amount) AS ltv, count(*) FILTER (WHERE c.steps <> 10) AS steps,
       count(*) FILTER (WHERE abs(c.product - v.ltv) > 0.01 + 1e-9 * v.revenue + CASE v.currency WHEN 'JPY' THEN 1 ELSE 0 END) AS product
FROM combinations, LATERAL ltv.lifetime_value(s, t) AS v,
     LATERAL (SELECT sum(amount) AS amount, count(*) AS steps, CASE WHEN count(factor) = 9 THEN exp(sum(ln(abs(coalesce(factor, running::float8))))) * (-1) ^ count(*) FILTER (WHERE factor < 0) END AS product
              FROM ltv.value_components(s, t)) AS c;
SELECT count(*) FROM curves, LATERAL ltv.value_components(s, NULL::ltv.terms) WHERE name = 'ten';
-- Models: the same over their curve of the row, by value and by name.
CREATE TABLE plants AS SELECT i, d, i % 3 > 0 AS e, (i % 2)::float8 AS a FROM generate_series(1, 200) AS i, LATERAL (SELECT (i * 7919 % 48 + 1)::float8 AS d) AS d;
SELECT count(*) FROM ltv.train('plants', 'plants', 'cox', 'd', 'e', features => ARRAY['a']) \g /dev/null
SELECT i, v.ltv, v = ltv.lifetime_value(ltv.predict_curve('plants', plants), t) AS by_curve, v = ltv.lifetime_value(ltv.model('plants'), plants, t) AS by_model,
       (SELECT sum(present_value) FROM ltv.cash_flows('plants', plants, t)) = v.ltv AS flows, (SELECT sum(present_value) FROM ltv.cash_flows(ltv.model('plants'), plants, t)) = v.ltv AS flows_of_model,
       (SELECT sum(amount) FROM ltv.value_components('plants', plants, t)) = v.ltv AS components, (SELECT sum(amount) FROM ltv.value_components(ltv.model('plants'), plants, t)) = v.ltv AS components_of_model,
       (SELECT array_agg(h.horizon) FROM ltv.lifetime_values('plants', plants, t) AS h) AS horizons, (SELECT count(*) FROM ltv.lifetime_values(ltv.model('plants'), plants, t)) AS horizons_of_model
FROM plants, LATERAL (SELECT ltv.contract_terms(100, given => 3, horizon => 24) AS t) AS terms, LATERAL ltv.lifetime_value('plants', plants, t) AS v WHERE i <= 2;

-- Books: where curve, terms and age are met again the price is a factor. The short way is the long way, to the cent: whole valuations against those of one call each.
CREATE TABLE book AS SELECT i, (i % 30)::float8 AS age, (1000 + i * 7919 % 90001) / 100.0 AS price FROM generate_series(1, 1000) AS i;
CREATE FUNCTION alone(curve ltv.survival, terms ltv.terms) RETURNS ltv.valuation LANGUAGE plpgsql AS $$ DECLARE v ltv.valuation; BEGIN EXECUTE 'SELECT * FROM ltv.lifetime_value($1, $2)' INTO v USING curve, terms; RETURN v; END $$;
SELECT name, count(*) AS contracts, count(*) FILTER (WHERE a.v IS DISTINCT FROM a.long) AS by_terms, count(*) FILTER (WHERE a.flat IS DISTINCT FROM a.long) AS by_arguments,
       count(*) FILTER (WHERE a.scalar IS DISTINCT FROM (a.long).ltv::float8) AS scalar
FROM curves, (VALUES (0.8, 2, NULL::text), (1, 0, 'JPY'), (0.1, 30, 'KWD')) AS kind (margin, cost, code),
     LATERAL (SELECT ltv.lifetime_value(s, t) AS v, ltv.lifetime_value(s, price::float8, margin, cost, given => age, currency => code) AS flat, ltv.present_value(s, u, price::float8, age) AS scalar, alone(s, t) AS long
              FROM book, LATERAL ltv.contract_terms(price, margin, cost, given => age, currency => code) AS t, ltv.contract_terms(1, margin, cost, currency => code) AS u) AS a
GROUP BY name ORDER BY name;
SELECT ltv.present_value(s, t, 100) AS now, ltv.present_value(s, t, 0) AS nothing, ltv.present_value(s, NULL, 100) AS terms, ltv.present_value(NULL, t, 100) AS curve, ltv.present_value(s, t, NULL) AS revenue,
       ltv.present_value(s, t, 100, 1000) IS NULL AS too_old FROM curves, ltv.contract_terms(1, tail => 'none') AS t WHERE name = 'ten';
SELECT ltv.present_value(s, t, -1) FROM curves, ltv.contract_terms(1) AS t WHERE name = 'ten';
SELECT ltv.present_value(s, t, 1, -1) FROM curves, ltv.contract_terms(1) AS t WHERE name = 'ten';
SELECT ltv.present_value(s, t, 'NaN') FROM curves, ltv.contract_terms(1) AS t WHERE name = 'ten';
SELECT ltv.present_value(s, t, 90) FROM curves, ltv.contract_terms(NULL::numeric, ramp => '{100,120}') AS t WHERE name = 'ten';
