-- Lifetime value: the conventions of finance to the cent, and cash flows that add up to it, whatever is asked.
\set ECHO none
\ir ../datasets.sql
SELECT count(*) FROM ltv.train('telco', 'telco', 'cox', 'tenure', 'churn_event',
       features => ARRAY['contract', 'senior_citizen', 'monthly_charges']) \g /dev/null
SELECT count(*) FROM ltv.train('plans', 'telco', 'kaplan_meier', 'tenure', 'churn_event', features => ARRAY['contract']) \g /dev/null
\set ECHO all
-- Nobody ever leaves; a fifth leaves at the end of each year; a cohort of customers; one that nobody outlived.
CREATE TABLE curves AS
SELECT 'certain' AS name, ltv.survival_agg(1200, false) AS s
UNION ALL SELECT 'yearly', ltv.survival_agg(12 * least(k, 100), k <= 100, power(0.8, k - 1) * CASE WHEN k <= 100 THEN 0.2 ELSE 1 END)
    FROM generate_series(1, 101) AS k
UNION ALL SELECT 'telco', ltv.survival_agg(tenure, churn_event) FROM telco
UNION ALL SELECT 'gone', ltv.survival_agg(d, true) FROM (VALUES (6.0), (12), (18), (18)) AS v (d);

-- 12 x 100 at 10 % effective: in advance 1149.14, mid-period 1144.59, in arrears 1140.05.
SELECT timing, v.ltv, v.undiscounted, v.revenue, v.cost, v.status FROM curves, unnest(ARRAY['advance', 'mid-period', 'arrears']) AS timing,
       LATERAL ltv.lifetime_value(s, 100, horizon => 12, timing => timing) AS v WHERE name = 'certain';
-- A prepaid year of 1200: 1200.00, 1144.16, 1090.91.
SELECT timing, v.ltv FROM curves, unnest(ARRAY['advance', 'mid-period', 'arrears']) AS timing,
       LATERAL ltv.lifetime_value(s, 1200, horizon => 12, period_months => 12, billing => 'annual', timing => timing) AS v WHERE name = 'certain';
-- Dated, ACT/365F: Excel's XNPV of twelve invoices from 2025-01-01 is 1149.377328; a leap day counts.
SELECT as_of, v.ltv FROM curves, (VALUES (date '2025-01-01'), ('2024-01-01'), ('2024-01-31'), ('2000-02-29'), ('0044-03-15 BC')) AS d (as_of),
       LATERAL ltv.lifetime_value(s, 100, horizon => 12, as_of => as_of) AS v WHERE name = 'certain';
SELECT period, due_months, due_on, revenue, round(discount_factor::numeric, 9) AS discount_factor, present_value, cumulative FROM curves,
       LATERAL ltv.cash_flows(s, 100, horizon => 4, as_of => '2024-01-31') WHERE name = 'certain';
SELECT period, due_months, due_on, present_value FROM curves, LATERAL ltv.cash_flows(s, 100, horizon => 12, billing => 'quarterly',
       timing => 'mid-period', as_of => '2025-01-01') WHERE name = 'certain';
-- Constant retention 0.8 at 10 %, Fader & Hardie's three formulas: 366.67 with the first payment, 266.67 without, 333.33 at the end of the year.
SELECT v1.ltv AS first_included, v2.ltv AS first_paid, v3.ltv AS at_the_end FROM curves,
    LATERAL ltv.lifetime_value(s, 100, period_months => 12, billing => 'annual', horizon => 1200) AS v1,
    LATERAL ltv.lifetime_value(s, 100, period_months => 12, billing => 'annual', horizon => 1200, paid_months => 12) AS v2,
    LATERAL ltv.lifetime_value(s, 100, period_months => 12, billing => 'annual', horizon => 1200, timing => 'arrears') AS v3 WHERE name = 'yearly';
-- The defaults are visible: 10 %, 60 months, monthly in advance, no cost; the tail is stated.
SELECT v.* FROM curves, LATERAL ltv.lifetime_value(s, 100) AS v WHERE name = 'gone';
SELECT v.discount_rate, v.horizon, round(v.expected_lifetime::numeric, 6) AS expected_lifetime, v.ltv, v.tail_value,
       round(v.tail_share::numeric, 6) AS tail_share, v.lower IS NOT NULL AS limits, v.currency, v.status FROM curves,
       LATERAL ltv.lifetime_value(s, 100) AS v WHERE name = 'telco';
SELECT months, tail, v.ltv, v.tail_value, round(v.tail_share::numeric, 6) AS tail_share, round(v.expected_lifetime::numeric, 6) AS expected_lifetime, v.status
FROM curves, (VALUES (60, 'none'), (72, 'none'), (120, 'none'), (120, 'constant-hazard')) AS o (months, tail),
    LATERAL ltv.lifetime_value(s, 100, horizon => months, tail => tail) AS v WHERE name = 'telco';
-- A curve in days is no curve in months, and the status says so.
SELECT v.ltv, v.status FROM (SELECT ltv.survival_agg(30.4 * tenure, churn_event) AS s FROM telco) AS x, LATERAL ltv.lifetime_value(s, 100) AS v;
-- Margin, cost to serve, acquisition and payback.
SELECT v.ltv, v.undiscounted, v.revenue, v.cost, v.payback_months FROM curves,
       LATERAL ltv.lifetime_value(s, 100, 0.8, 5, 0, 6, acquisition_cost => 200) AS v WHERE name = 'certain';
SELECT period, revenue, cost, margin, present_value, cumulative FROM curves, LATERAL ltv.cash_flows(s, 100, 0.8, 5, 0, 4, acquisition_cost => 200)
       WHERE name = 'certain';
-- Terms: nobody leaves between renewals; after 14 months the next is 10 months away unless the contract says otherwise.
SELECT period, round(survival::numeric, 6) AS survival FROM curves, LATERAL ltv.cash_flows(s, 100, horizon => 24, billing => 'quarterly',
       term_months => 12) WHERE name = 'gone';
SELECT period, due_months, survival FROM curves, LATERAL ltv.cash_flows(s, 100, horizon => 15, billing => 'quarterly', given => 14, term_months => 12,
       months_to_renewal => 4) WHERE name = 'gone';
-- Growth: 5 % a year at renewals, 10 % a year by expansion.
SELECT array_agg(f.revenue ORDER BY f.period) AS revenue FROM curves, LATERAL ltv.cash_flows(s, 100, horizon => 36, billing => 'annual',
       price_uplift => 0.05) AS f WHERE name = 'certain';
SELECT array_agg(f.revenue ORDER BY f.period) AS revenue FROM curves, LATERAL ltv.cash_flows(s, 100, horizon => 36, billing => 'annual',
       expansion => 0.1) AS f WHERE name = 'certain';
-- Currencies: yen have no decimals, Kuwaiti dinars three, and the code goes into the result.
SELECT v.currency, v.ltv, v.revenue, v.cost FROM curves, unnest(ARRAY['EUR', 'JPY', 'KWD', 'CLF', NULL]) AS code,
       LATERAL ltv.lifetime_value(s, 1234.5, 0.77, currency => code) AS v WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, currency => 'XYZ') FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, currency => 'eur') FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, currency => '') FROM curves WHERE name = 'telco';

-- The rows add up to the value, to the cent, and agree with it in every column, over many combinations of the terms.
CREATE TABLE terms AS
SELECT name, s, revenue, margin, cost_to_serve, rate, months, billing, timing, given, term, tail, code, as_of, acquisition, paid, expansion, uplift
FROM curves, unnest(ARRAY[0, 99.99]) AS revenue, (VALUES (1, 0), (0.77, 3.33), (-0.1, 0)) AS m (margin, cost_to_serve), unnest(ARRAY[0, 0.1]) AS rate,
    unnest(ARRAY[1, 25]) AS months,
     unnest(ARRAY['monthly', 'quarterly', 'annual']) AS billing, unnest(ARRAY['advance', 'arrears', 'mid-period']) AS timing,
         (VALUES (0.0, NULL::float8), (7.5, 12), (17, NULL), (90, 6)) AS g (given, term),
     (VALUES ('none', NULL, NULL::date, 0, 0, 0.0, 0.0), ('constant-hazard', 'JPY', '2024-02-29', 150.5, 0, 0.2, 0),
         ('constant-hazard', 'KWD', NULL, 0, 1, 0, 0.05)) AS t (tail, code, as_of, acquisition, paid, expansion, uplift)
WHERE paid < months;
SELECT count(*) AS combinations,
       count(*) FILTER (WHERE v.ltv IS DISTINCT FROM f.present_value) AS ltv, count(*) FILTER (WHERE v.revenue IS DISTINCT FROM f.revenue) AS revenue,
           count(*) FILTER (WHERE v.cost IS DISTINCT FROM f.cost) AS cost,
       count(*) FILTER (WHERE v.undiscounted IS DISTINCT FROM f.margin) AS undiscounted,
           count(*) FILTER (WHERE v.undiscounted <> v.revenue - v.cost) AS margin, count(*) FILTER (WHERE f.last <> v.ltv) AS cumulative,
       count(*) FILTER (WHERE f.rows <> f.periods) AS periods, count(*) FILTER (WHERE v.ltv IS NULL AND v.status = 'ok') AS unexplained,
           count(*) FILTER (WHERE NOT v.lower <= v.ltv OR NOT v.ltv <= v.upper) AS limits,
       count(*) FILTER (WHERE f.undated <> CASE WHEN as_of IS NULL THEN f.rows ELSE 0 END) AS dates,
           count(*) FILTER (WHERE scale(v.ltv) <> CASE code WHEN 'JPY' THEN 0 WHEN 'KWD' THEN 3 ELSE 2 END) AS decimals
FROM terms,
     LATERAL ltv.lifetime_value(s, revenue, margin, cost_to_serve, rate, months, expansion, uplift, 1, billing, timing, given, term, NULL, paid,
         acquisition, tail, code, 0.95, as_of) AS v,
     LATERAL (SELECT sum(present_value) AS present_value, sum(c.revenue) AS revenue, sum(cost) AS cost, sum(c.margin) AS margin, count(*) AS rows,
         count(*) FILTER (WHERE due_on IS NULL) AS undated,
                     CASE WHEN count(*) = 0 THEN 0 ELSE ceil((terms.months - terms.paid) / CASE terms.billing WHEN 'monthly' THEN 1.0 WHEN 'quarterly' THEN 3 ELSE 12 END) + (terms.acquisition > 0)::int END AS periods,
                     (array_agg(cumulative ORDER BY period DESC))[1] AS last
              FROM ltv.cash_flows(s, terms.revenue, terms.margin, cost_to_serve, rate, months, expansion, uplift, 1, billing, timing, given, term,
                  NULL, paid, acquisition, tail, code, 0.95, as_of) AS c) AS f;
SELECT DISTINCT name, given, v.status FROM terms, LATERAL ltv.lifetime_value(s, revenue, given => given, tail => tail, horizon => months) AS v
       WHERE v.ltv IS NULL ORDER BY 1, 2, 3;
-- Rows are in order, survival falls, discounting lowers, dates and months rise.
SELECT count(*) AS rows, count(*) FILTER (WHERE out_of_order) AS out_of_order
FROM (SELECT due_months < lag(due_months, 1, 0) OVER w OR survival > lag(survival, 1, 1) OVER w OR discount_factor > lag(discount_factor, 1, 1) OVER w
    OR margin <> revenue - cost OR due_on < lag(due_on) OVER w
             OR cumulative <> sum(present_value) OVER w AS out_of_order
      FROM (SELECT s, row_number() OVER () AS at FROM curves) AS c, LATERAL ltv.cash_flows(s, 99.99, 0.7, 1, horizon => 240, timing => 'arrears',
          as_of => '2023-08-31', acquisition_cost => 33) AS f WINDOW w AS (PARTITION BY at ORDER BY period)) AS x;
-- An independent sum: expected price x survival x discount, month by month.
SELECT count(*) AS compared, max(abs(v.ltv - by_hand)) <= 0.01 AS to_the_cent
FROM curves, (VALUES (0.0, 0.1, 0.0), (5, 0.08, 0.03), (11, 0, -0.2)) AS o (given, rate, growth),
     LATERAL ltv.lifetime_value(s, 49.5, 0.75, 2.5, rate, 36, expansion => growth, given => given, tail => 'none') AS v,
     LATERAL (SELECT sum(round((coalesce(ltv.renewal_probability(s, given, given + k),
         0) * (0.75 * 49.5 * power(1 + growth, k / 12.0) - 2.5) / power(1 + rate, k / 12.0))::numeric, 6)) AS by_hand FROM generate_series(0, 35) AS k) AS h
WHERE name IN ('telco', 'certain') OR given < 10;
-- Dates are PostgreSQL's: the same day of the month, or its last.
SELECT count(*) AS dates, count(*) FILTER (WHERE due_on <> (d.as_of + due_months * interval '1 month')::date) AS different
FROM curves, unnest(ARRAY['2024-01-31', '2023-12-31', '2000-02-29', '1900-01-30', '1999-08-29', '0001-12-31 BC', '4713-02-28 BC',
    '9998-05-31']::date[]) AS d (as_of), LATERAL ltv.cash_flows(s, 100, horizon => 60, as_of => d.as_of) WHERE name = 'certain';
-- More years, a lower rate, a higher margin: never worth less. A curve that is one account's: the same.
SELECT count(*) FILTER (WHERE NOT (a.ltv <= b.ltv)) AS out_of_order
FROM curves, generate_series(6, 66, 12) AS h, LATERAL ltv.lifetime_value(s, 100, 0.6, 0, 0.12, h) AS a,
    LATERAL ltv.lifetime_value(s, 100, 0.7, 0, 0.10, h + 12) AS b;

-- A model and a row: the curve it predicts, by value and by name, with the row's own price.
SELECT count(*) AS rows, count(*) FILTER (WHERE a IS DISTINCT FROM b OR b IS DISTINCT FROM c) AS different
FROM (SELECT ltv.lifetime_value(ltv.predict_curve(m, t), t.monthly_charges::float8, 0.7, given => t.tenure) AS a,
    ltv.lifetime_value(m, t, t.monthly_charges::float8, 0.7, given => t.tenure) AS b,
    ltv.lifetime_value('telco', t, t.monthly_charges::float8, 0.7, given => t.tenure) AS c
      FROM (SELECT * FROM telco ORDER BY customer_id LIMIT 150) AS t, (SELECT ltv.model('telco') AS m) AS m) AS x;
SELECT count(*) AS rows, count(*) FILTER (WHERE v.ltv <> f.total) AS different
FROM (SELECT * FROM telco ORDER BY customer_id LIMIT 150) AS t, unnest(ARRAY['telco', 'plans']) AS m,
    LATERAL ltv.lifetime_value(m, t, t.monthly_charges::float8, 0.7, given => t.tenure) AS v,
    LATERAL (SELECT sum(present_value) AS total FROM ltv.cash_flows(m, t, t.monthly_charges::float8, 0.7, given => t.tenure)) AS f;
SELECT contract, v.ltv, v.lower, v.upper, round(v.tail_share::numeric, 6) AS tail_share, v.status FROM (SELECT DISTINCT contract FROM telco) AS t,
       LATERAL ltv.lifetime_value('plans', t, 70, 0.6) AS v ORDER BY contract;
-- No score, no value, and why.
SELECT name, v.ltv, v.status, (SELECT count(*) FROM ltv.cash_flows('plans', t, 70)) AS flows
       FROM (VALUES ('unseen', 'Ten years'), ('missing', NULL)) AS t (name, contract), LATERAL ltv.lifetime_value('plans', t, 70) AS v;
SELECT ltv.lifetime_value('plans', t, 70) FROM (SELECT 1 AS one) AS t;
SELECT ltv.lifetime_value('no plans', t, 70) FROM (SELECT 1 AS one) AS t;

-- NULL arguments: NULLs and a status that names the first; cash_flows has no rows then.
SELECT (ltv.lifetime_value(NULL::ltv.survival, 100)).status AS curve, (ltv.lifetime_value(s, revenue => NULL)).status AS revenue,
       (ltv.lifetime_value(s, 100, NULL)).status AS margin, (ltv.lifetime_value(s, 100, discount_rate => NULL)).status AS rate,
       (ltv.lifetime_value(s, 100, horizon => NULL)).status AS horizon, (ltv.lifetime_value(s, 100, billing => NULL)).status AS billing,
           (ltv.lifetime_value(s, 100, tail => NULL)).status AS tail, (ltv.lifetime_value(s, 100, level => NULL)).status AS level,
       (ltv.lifetime_value(NULL::ltv.model, curves, 100)).status AS model, (ltv.lifetime_value('telco', NULL::telco, 100)).status AS row,
           (SELECT count(*) FROM ltv.cash_flows(s, revenue => NULL)) AS flows
FROM curves WHERE name = 'telco';
SELECT (ltv.lifetime_value(ltv.survival_agg(NULL, true), 100)).status AS empty_curve;
-- Arguments outside their domain.
SELECT ltv.lifetime_value(s, -1) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, revenue => 'NaN') FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, revenue => 'Infinity') FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, 1.01) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, cost_to_serve => -1) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, discount_rate => -1) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, discount_rate => 'NaN') FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, horizon => 0) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, horizon => -5) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, horizon => 1201) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, expansion => -1) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, price_uplift => 'NaN') FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, period_months => 0) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, billing => 'weekly') FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, timing => 'end') FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, given => -1) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, term_months => 0) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, months_to_renewal => 3) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, term_months => 12, months_to_renewal => 13) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, paid_months => 60) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, paid_months => -1) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, acquisition_cost => -1) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, tail => 'fat') FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, level => 0) FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, as_of => 'infinity') FROM curves WHERE name = 'telco';
SELECT ltv.lifetime_value(s, 100, as_of => '-infinity') FROM curves WHERE name = 'telco';
SELECT ltv.cash_flows(s, 100, billing => 'never') FROM curves WHERE name = 'telco';
-- Numbers that leave the range of money.
CREATE FUNCTION state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'accepted'; EXCEPTION WHEN OTHERS THEN RETURN sqlstate; END $$;
SELECT arguments, state_of(format('SELECT ltv.lifetime_value(s, %s) FROM curves WHERE name = ''telco''', arguments)) AS value,
       state_of(format('SELECT ltv.cash_flows(s, %s) FROM curves WHERE name = ''telco''', arguments)) AS flows
FROM unnest(ARRAY['1e300', '100, expansion => 1e300', '100, discount_rate => -0.999999999999999, horizon => 1200', '100, margin => -1e300',
    '100, cost_to_serve => 1e308', '1e20, period_months => 1e-300', '100, acquisition_cost => 1e300', '1e15', '100, given => 1e300',
    '100, term_months => 1e300',
    '100, discount_rate => 1e300', '1e-300', '5e-324, cost_to_serve => 5e-324', '100, as_of => ''5874897-12-31''',
        '100, as_of => ''4714-11-24 BC''']) AS arguments;
-- Limits of a mean go no further than what any customer can bring: the first invoice and no cost, and all sixty of them. A loss has no tail of -0.
SELECT n, v.ltv, v.lower, v.upper, l.lower AS long_lower, l.upper AS long_upper, loss.lower AS loss_lower, loss.upper AS loss_upper, loss.tail_share
FROM (VALUES (1), (100)) few (n),
     LATERAL (SELECT ltv.survival_agg(least(k, 60), k < 60, n * 0.9 ^ (k - 1) * CASE WHEN k < 60 THEN 0.1 ELSE 1 END) AS s FROM generate_series(1, 60) k) c,
     LATERAL ltv.lifetime_value(s, revenue => 100) v, LATERAL ltv.lifetime_value(s, revenue => 100, acquisition_cost => 50) l,
     LATERAL ltv.lifetime_value(s, revenue => 100, margin => -0.5) loss;
