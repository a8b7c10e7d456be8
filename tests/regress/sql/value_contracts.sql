-- Ten contracts worked by hand: each cell of a spreadsheet as its formula in decimals, and cash_flows with the same terms, to the cent in every row.
\set ECHO none
SET client_min_messages = warning;
\set ECHO all
-- One in ten leaves each month; a fifth at each anniversary; nobody.
CREATE TABLE curves AS
SELECT 'monthly' AS name, ltv.survival_agg(least(k, 90), k < 90, 0.9 ^ (k - 1) * CASE WHEN k < 90 THEN 0.1 ELSE 1 END) AS s FROM generate_series(1, 90) AS k
UNION ALL SELECT 'yearly', ltv.survival_agg(12 * least(k, 20), k < 20, 0.8 ^ (k - 1) * CASE WHEN k < 20 THEN 0.2 ELSE 1 END) FROM generate_series(1, 20) AS k
UNION ALL SELECT 'never', ltv.survival_agg(600, false);
-- The sheet. a: months from now to the start of the period (column A); the other cells are formulas of it, unrounded. A spreadsheet writes ^, INT and SUM alike.
CREATE TABLE sheet (contract integer, period integer, a numeric, survival numeric, revenue numeric, cost numeric, factor numeric);
CREATE TABLE contract (contract integer, title text, curve text, terms ltv.terms);

-- 1. Month to month, 100 at 80 % margin. survival =0.9^A; revenue =100*survival; cost =20*survival; factor =1.1^(-A/12).
INSERT INTO contract VALUES (1, 'month to month', 'monthly', ltv.contract_terms(100, margin => 0.8, horizon => 12));
INSERT INTO sheet SELECT 1, k + 1, k, 0.9 ^ k, 100 * 0.9 ^ k, 20 * 0.9 ^ k, 1.1 ^ (-k / 12.0) FROM generate_series(0, 11) AS k;

-- 2. A year of 1200 prepaid, renewed by four in five, 75 % margin, 120 a year to serve, 5 % more at each renewal. survival =0.8^(A/12); price =1200*1.05^(A/12); cost =survival*(0.25*price+120).
INSERT INTO contract VALUES (2, 'annual prepaid', 'yearly', ltv.contract_terms(1200, 0.75, 120, horizon => 60, period_months => 12, billing => 'annual', price_uplift => 0.05, term_months => 12));
INSERT INTO sheet SELECT 2, y + 1, 12 * y, 0.8 ^ y, 0.8 ^ y * 1200 * 1.05 ^ y, 0.8 ^ y * (0.25 * 1200 * 1.05 ^ y + 120), 1.1 ^ -y FROM generate_series(0, 4) AS y;

-- 3. Quarters of 300 in arrears, net 45, from 2024-01-31 (dates =EDATE(B1,A+3)+45), age 7 months: the anniversary is 5 months away. survival =0.8^INT((A+7)/12); factor =1.08^(-(date-B1)/365).
INSERT INTO contract VALUES (3, 'quarterly in arrears, net 45, dated', 'yearly', ltv.contract_terms(100, horizon => 24, discount_rate => 0.08, billing => 'quarterly', timing => 'arrears', given => 7, payment_days => 45,
       as_of => '2024-01-31'));
INSERT INTO sheet SELECT 3, k + 1, 3 * k, 0.8 ^ ((3 * k + 7) / 12), 300 * 0.8 ^ ((3 * k + 7) / 12), 0,
       1.08 ^ (-(((date '2024-01-31' + make_interval(months => 3 * k + 3))::date + 45 - date '2024-01-31') / 365.0)) FROM generate_series(0, 7) AS k;

-- 4. Three years at 1000, 1200 and 1500 a month, billed yearly, then renewed for three years by 0.8^3 at 5 % more. price =12*CHOOSE(MIN(INT(A/12),2)+1,1000,1200,1500)*IF(A>=36,1.05,1); survival =IF(A>=36,0.512,1).
INSERT INTO contract VALUES (4, 'ramp deal', 'yearly', ltv.contract_terms(NULL::numeric, horizon => 60, billing => 'annual', term_months => 36, price_uplift => 0.05, ramp => ARRAY[1000, 1200, 1500]));
INSERT INTO sheet SELECT 4, y + 1, 12 * y, CASE WHEN y >= 3 THEN 0.512 ELSE 1 END,
       CASE WHEN y >= 3 THEN 0.512 * 1.05 ELSE 1 END * 12 * (ARRAY[1000, 1200, 1500, 1500, 1500])[y + 1], 0, 1.1 ^ -y FROM generate_series(0, 4) AS y;

-- 5. Renewal in 4 months, notice of 5: that renewal is certain, the first to be refused is at month 16. survival =0.8^MAX(0,INT((A+8)/12)-1).
INSERT INTO contract VALUES (5, 'notice has passed', 'yearly', ltv.contract_terms(250, margin => 0.6, horizon => 36, billing => 'quarterly', given => 8, term_months => 12, notice_months => 5));
INSERT INTO sheet SELECT 5, k + 1, 3 * k, 0.8 ^ greatest(0, (3 * k + 8) / 12 - 1), 750 * 0.8 ^ greatest(0, (3 * k + 8) / 12 - 1), 300 * 0.8 ^ greatest(0, (3 * k + 8) / 12 - 1), 1.1 ^ (-k / 4.0)
FROM generate_series(0, 11) AS k;

-- 6. A tenth a year breaks the contract and owes half of the rest of its year. entered =0.8^INT(A/12)*0.9^INT(A/12); survival =0.8^INT(A/12)*0.9^(A/12); revenue =300*(survival+0.5*(entered-survival)); cost =300*0.3*survival.
INSERT INTO contract VALUES (6, 'early termination with a fee', 'yearly', ltv.contract_terms(100, margin => 0.7, horizon => 24, billing => 'quarterly', term_months => 12, early_termination => 0.1, termination_fee => 0.5));
INSERT INTO sheet SELECT 6, k + 1, 3 * k, survival, 300 * (survival + 0.5 * (entered - survival)), 90 * survival, 1.1 ^ (-k / 4.0)
FROM generate_series(0, 7) AS k, LATERAL (SELECT 0.72 ^ (k / 4) AS entered, 0.8 ^ (k / 4) * 0.9 ^ (k / 4.0) AS survival) AS s;

-- 7. Evergreen, two months of notice, 2 % never paid, net 30. survival =0.9^MAX(0,A-2); revenue =0.98*99.90*survival; cost =0.25*99.90*survival; factor =1.1^-(A/12+30/365).
INSERT INTO contract VALUES (7, 'evergreen with notice, bad debt, net 30', 'monthly', ltv.contract_terms(99.90, margin => 0.75, horizon => 18, notice_months => 2, bad_debt => 0.02, payment_days => 30));
INSERT INTO sheet SELECT 7, k + 1, k, 0.9 ^ greatest(0, k - 2), 0.98 * 99.90 * 0.9 ^ greatest(0, k - 2), 0.25 * 99.90 * 0.9 ^ greatest(0, k - 2), 1.1 ^ (-(k / 12.0 + 30 / 365.0)) FROM generate_series(0, 17) AS k;

-- 8. Half-years of 600 that come evenly, 5 % expansion a year, zero rates of 3, 4 and 4.5 %. due =A+3; survival =0.9^due (months that are whole); price =600*1.05^(A/12);
--    factor between the years: the forward rate, =DF(y)*(DF(y+1)/DF(y))^(due/12-y), DF(y)=(1+rate)^-y.
INSERT INTO contract VALUES (8, 'mid-period on a discount curve', 'monthly', ltv.contract_terms(100, horizon => 36, expansion => 0.05, billing => 'semiannual', timing => 'mid-period', discount_curve => '{0.03,0.04,0.045}'));
INSERT INTO sheet SELECT 8, k + 1, 6 * k, 0.9 ^ (6 * k + 3), 0.9 ^ (6 * k + 3) * 600 * 1.05 ^ (k / 2.0), 0, df[y + 1] * (df[y + 2] / df[y + 1]) ^ ((6 * k + 3) / 12.0 - y)
FROM generate_series(0, 5) AS k, LATERAL (SELECT (6 * k + 3) / 12 AS y, ARRAY[1, 1 / 1.03, 1.04 ^ -2.0, 1.045 ^ -3.0] AS df) AS d;

-- 9. Yen: two months paid, revenue expected at 100, 90 and 85 % of 12345, 40000 spent to win it. Row 0 =-40000; A =2, 3, ...; survival =0.9^A; revenue =12345*CHOOSE(INT(A/12)+1,1,0.9,0.85)*survival.
INSERT INTO contract VALUES (9, 'contraction in yen', 'monthly', ltv.contract_terms(12345, margin => 0.7, horizon => 30, paid_months => 2, acquisition_cost => 40000, currency => 'JPY', expansion_curve => '{1,0.9,0.85}'));
INSERT INTO sheet SELECT 9, 0, 0, 1, 0, 40000, 1;
INSERT INTO sheet SELECT 9, k - 1, k, 0.9 ^ k, 12345 * (ARRAY[1, 0.9, 0.85])[k / 12 + 1] * 0.9 ^ k, 0.3 * 12345 * (ARRAY[1, 0.9, 0.85])[k / 12 + 1] * 0.9 ^ k, 1.1 ^ (-k / 12.0) FROM generate_series(2, 29) AS k;

-- 10. Three committed years of 123456789012.345 dinars a quarter at 33.3 %, undiscounted: nothing but decimals. revenue =123456789012.345; cost =0.667*revenue.
INSERT INTO contract VALUES (10, 'large and committed', 'yearly', ltv.contract_terms(123456789012.345, margin => 0.333, discount_rate => 0, horizon => 36, period_months => 3, billing => 'quarterly', term_months => 36, currency => 'KWD'));
INSERT INTO sheet SELECT 10, k + 1, 3 * k, 1, 123456789012.345, 0.667 * 123456789012.345, 1 FROM generate_series(0, 11) AS k;

-- Rounded once: a row is =ROUND(SUM of the column up to it, digits) less the rows before it; so are margin and present value, and cost is revenue less margin.
CREATE VIEW worked AS
WITH total AS (
    SELECT contract, period, a, survival, factor, CASE contract WHEN 9 THEN 0 WHEN 10 THEN 3 ELSE 2 END AS digits, sum(revenue) OVER up_to AS revenue, sum(revenue - cost) OVER up_to AS margin,
           sum((revenue - cost) * factor) OVER up_to AS present_value
    FROM sheet WINDOW up_to AS (PARTITION BY contract ORDER BY period)
), rounded AS (
    SELECT contract, period, survival, factor, round(revenue, digits) AS revenue, round(margin, digits) AS margin, round(present_value, digits) AS cumulative FROM total
)
SELECT contract, period, survival, factor, revenue - lag(revenue, 1, 0) OVER up_to AS revenue, margin - lag(margin, 1, 0) OVER up_to AS margin, cumulative - lag(cumulative, 1, 0) OVER up_to AS present_value, cumulative
FROM rounded WINDOW up_to AS (PARTITION BY contract ORDER BY period);
SELECT contract, c.title, count(*) AS rows, count(f.period) AS matched, count(*) FILTER (WHERE (w.revenue, w.revenue - w.margin, w.margin, w.present_value, w.cumulative) IS DISTINCT FROM
           (f.revenue, f.cost, f.margin, f.present_value, f.cumulative)) AS differ,
       max(abs(f.survival - w.survival)) < 1e-12 AS survival, max(abs(f.discount_factor - w.factor)) < 1e-12 AS factors, max(w.cumulative) FILTER (WHERE period = last) AS by_hand, max((v).ltv) AS ltv
FROM worked AS w JOIN contract AS c USING (contract) JOIN curves ON name = curve
     CROSS JOIN LATERAL (SELECT ltv.lifetime_value(s, terms) AS v, (SELECT max(period) FROM sheet WHERE sheet.contract = c.contract) AS last) AS value
     LEFT JOIN LATERAL ltv.cash_flows(s, terms) AS f USING (period)
GROUP BY contract, c.title ORDER BY contract;
-- No row of ours is missing in the sheet.
SELECT count(*) AS rows, (SELECT count(*) FROM sheet) AS in_the_sheet FROM contract JOIN curves ON name = curve CROSS JOIN LATERAL ltv.cash_flows(s, terms);
-- Three of them whole.
SELECT contract, f.period, f.due_months, round(f.survival::numeric, 6) AS survival, f.revenue, f.cost, f.margin, round(f.discount_factor::numeric, 6) AS discount_factor, f.present_value, f.cumulative
FROM contract JOIN curves ON name = curve CROSS JOIN LATERAL ltv.cash_flows(s, terms) AS f WHERE contract IN (2, 4, 6) ORDER BY contract, f.period;
SELECT contract, f.period, f.due_on, f.revenue, f.present_value, f.cumulative FROM contract JOIN curves ON name = curve CROSS JOIN LATERAL ltv.cash_flows(s, terms) AS f WHERE contract = 3;
