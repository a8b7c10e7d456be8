-- Discounting: the spreadsheets' published examples to the cent, conventions side by side, aggregates in any order and split, and every error.
CREATE TABLE flows (paid_on date, amount numeric);
INSERT INTO flows VALUES ('2008-01-01', -10000), ('2008-03-01', 2750), ('2008-10-30', 4250), ('2009-02-15', 3250), ('2009-04-01', 2750);

-- XNPV's documentation: 2086.65; XIRR's: 37.34 %; by array, aggregate and summary.
SELECT ltv.xnpv(array_agg(amount ORDER BY paid_on), array_agg(paid_on ORDER BY paid_on), 0.09) AS by_array, ltv.xnpv(0.09, amount, paid_on) AS by_aggregate,
       ltv.xnpv(0.09, amount, paid_on, '2008-01-01') AS as_of_start, ltv.xnpv(ltv.dated_cash_agg(amount, paid_on), 0.09, digits => 6) AS by_summary FROM flows;
SELECT round(ltv.xirr(array_agg(amount), array_agg(paid_on))::numeric, 9) AS by_array, round(ltv.xirr(amount, paid_on)::numeric, 9) AS by_aggregate,
       round(ltv.xirr(ltv.dated_cash_agg(amount, paid_on), 'ACT/360')::numeric, 9) AS act_360 FROM flows;
-- The value at the internal rate is nothing.
SELECT ltv.xnpv(ltv.dated_cash_agg(amount, paid_on), ltv.xirr(ltv.dated_cash_agg(amount, paid_on))) AS nothing FROM flows;
-- NPV's documentation: 1188.44; 1922.06; -3749.47. IRR's: -2.1 %, 8.7 %, -44.4 %.
SELECT ltv.npv('{-10000,3000,4200,6800}', 0.10) AS first_at_the_end, ltv.npv('{-40000,8000,9200,10000,12000,14500}', 0.08, 'advance') AS first_now,
       ltv.npv('{-40000,8000,9200,10000,12000,14500,-9000}', 0.08, 'advance') AS with_a_loss;
SELECT years, round(ltv.irr(('{-70000,12000,15000,18000,21000,26000}'::numeric[])[1:years + 1])::numeric, 9) AS irr FROM unnest(ARRAY[4, 5, 2]) AS years;

-- Twelve payments of 100 at "10 %": effective, nominal, continuous; at the end, in the middle, at the start of each month; dated.
SELECT quoted, timing, ltv.npv(array_fill(100::numeric, ARRAY[12]), ltv.convert_rate(0.10, quoted, 'per-month'), timing) AS npv
FROM unnest(ARRAY['annual', 'monthly', 'continuous']) AS quoted, unnest(ARRAY['arrears', 'mid-period', 'advance']) AS timing;
SELECT ltv.xnpv(0.10, 100, (date '2025-01-01' + make_interval(months => k))::date) AS cents,
       ltv.xnpv(ltv.dated_cash_agg(100, (date '2025-01-01' + make_interval(months => k))::date), 0.10, digits => 6) AS micros FROM generate_series(0, 11) AS k;
-- An explicit as_of: earlier flows earn interest. Day counts, currencies, digits; zero and negative rates are exact and defined.
SELECT ltv.xnpv('{100,100}', '{2024-01-01,2026-01-01}', 0.10, as_of => '2025-01-01') AS both_sides, ltv.xnpv('{1000}', '{2025-03-31}', 0.10, '2024-01-31', '30/360') AS thirty_360,
       ltv.xnpv('{1000}', '{2025-03-31}', 0.10, '2024-01-31', 'ACT/ACT', currency => 'JPY') AS yen, ltv.xnpv('{1000}', '{2025-03-31}', 0.10, '2024-01-31', currency => 'KWD') AS dinar,
       ltv.xnpv('{0.1,0.2,99999999999999999999}', '{2024-01-01,2025-01-01,2026-01-01}', 0, digits => 6) AS exact, ltv.npv('{100}', -0.5) AS growing;
-- A spreadsheet's first date is the first of its list; rows have none, so the earliest.
SELECT ltv.xnpv('{1100,-1000}', '{2025-01-01,2024-01-01}', 0.10) AS first_of_the_list, ltv.xnpv(0.10, amount, paid_on) AS earliest
FROM (VALUES (1100, date '2025-01-01'), (-1000, '2024-01-01')) AS v (amount, paid_on);

-- Day counts: the four of the reference, and February.
SELECT day_count, round(ltv.year_fraction('2024-01-31', '2025-03-31', day_count)::numeric, 6) AS years, round(360 * ltv.year_fraction('2007-02-28', '2007-03-31', day_count)::numeric, 6) AS after_february,
       round(ltv.year_fraction('2025-03-31', '2024-01-31', day_count)::numeric, 6) AS backwards
FROM unnest(ARRAY['ACT/365F', 'ACT/ACT', '30/360', 'ACT/360', '30E/360', '30U/360']) AS day_count;
-- EFFECT(5.25 %, 4), NOMINAL(5.3543 %, 4); factors of the same rate quoted differently; churn.
SELECT round(ltv.convert_rate(0.0525, 'quarterly', 'annual')::numeric, 6) AS effect, round(ltv.convert_rate(0.053543, 'annual', 'quarterly')::numeric, 6) AS nominal,
       round(ltv.convert_rate(0.01, 'per-month', 'annual')::numeric, 9) AS a_year_of_one_percent;
SELECT compounding, round(ltv.discount_factor(1.5, ltv.convert_rate(0.10, 'annual', compounding), compounding)::numeric, 12) AS factor
FROM unnest(ARRAY['annual', 'semiannual', 'quarterly', 'monthly', 'weekly', 'daily', 'per-quarter', 'per-month', 'per-week', 'per-day', 'continuous']) AS compounding;
SELECT ltv.discount_factor(0.5, 0.10, 'simple') AS simple, round(ltv.annual_churn(0.02)::numeric, 9) AS annual, round(ltv.monthly_churn(ltv.annual_churn(0.02))::numeric, 12) AS monthly, round(ltv.annual_churn(-0.01)::numeric, 9) AS growing;

-- Internal rates: two (Lorie & Savage 1955), three, one that is touched, none; a guess chooses, and is not needed.
SELECT name, array_agg(round(rate::numeric, 6) ORDER BY root) FILTER (WHERE root IS NOT NULL) AS rates, round(ltv.irr(cash)::numeric, 6) AS irr, round(ltv.irr(cash, 3)::numeric, 6) AS near_3
FROM (VALUES ('oil pump', '{-1600,10000,-10000}'::numeric[]), ('three', '{-1000,3600,-4310,1716}'), ('touched', '{-1000,2200,-1210}'), ('none', '{1000,-1000,1000}'),
             ('one way', '{1,2,3}'), ('nothing', '{}'), ('even', '{-100,100}'), ('nearly lost', '{-100,0.01}')) AS v (name, cash) LEFT JOIN LATERAL ltv.irr_rates(cash) ON true GROUP BY name, cash ORDER BY name;
SELECT * FROM ltv.xirr_rates('{-1600,10000,-10000}'::numeric[], '{2021-01-01,2022-01-01,2023-01-01}'::date[]);
SELECT * FROM ltv.xirr_rates('{"kind":"dated_cash","version":1,"date":["2021-01-01","2022-01-01"],"amount":["-100","110"],"skipped":0}'::ltv.dated_cash);

-- A summary: text, bytes, rollup, exact sums, what was reached when; the order and the split do not matter.
SELECT ltv.dated_cash_agg(amount, paid_on) AS text, encode(ltv.dated_cash_send(ltv.dated_cash_agg(amount, paid_on)), 'hex') AS bytes
FROM (VALUES (0.10, date '2024-02-29'), (0.20, '2024-02-29'), (-1.005, '0044-03-15 BC'), (NULL, '2024-01-01'), (5, NULL)) AS v (amount, paid_on);
SELECT c::text::ltv.dated_cash::text = c::text AS round_trip, ltv.skipped(c) AS skipped, ltv.total(c) AS total, ltv.reached_on(c, 1000) AS paid_back, ltv.reached_on(c, 1e9) AS never
FROM (SELECT ltv.dated_cash_agg(amount, paid_on) AS c FROM flows) AS q;
SELECT * FROM flows AS f JOIN ltv.dated_flows((SELECT ltv.dated_cash_agg(amount, paid_on) FROM flows)) AS d USING (paid_on) WHERE f.amount <> d.amount;
CREATE TABLE many AS SELECT i, i % 7 AS part, i % 50 AS account, ((i * 7919) % 100003) / 100.0 - 300 AS amount, date '2020-01-01' + (i * 31) % 1500 AS paid_on FROM generate_series(1, 20000) AS i;
SELECT ltv.rollup(c)::text = (SELECT ltv.dated_cash_agg(amount, paid_on ORDER BY i DESC)::text FROM many) AS same, ltv.total(ltv.rollup(c)) = (SELECT sum(amount) FROM many) AS exact
FROM (SELECT ltv.dated_cash_agg(amount, paid_on) AS c FROM many GROUP BY part) AS parts;
SELECT count(*) AS accounts, bool_and(a = b) AS same FROM (SELECT account, ltv.xnpv(0.12, amount, paid_on) AS a, ltv.xnpv(array_agg(amount), array_agg(paid_on), 0.12, min(paid_on)) AS b FROM many GROUP BY account) AS q;
-- A group by decimal arithmetic.
SELECT ltv.xnpv(0.12, amount, paid_on, '2022-06-30') = round(sum(amount * power(1.12::numeric, (date '2022-06-30' - paid_on)::numeric / 365)), 2) AS to_the_cent FROM many WHERE account = 3;
-- In parallel.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT ltv.xnpv(0.12, amount, paid_on) AS parallel FROM many;
SELECT sum(v) AS parallel_groups FROM (SELECT ltv.xnpv(0.12, amount, paid_on) AS v FROM many GROUP BY account) AS q;
SET max_parallel_workers_per_gather = 0;
SELECT ltv.xnpv(0.12, amount, paid_on) AS serial FROM many;
SELECT sum(v) AS serial_groups FROM (SELECT ltv.xnpv(0.12, amount, paid_on) AS v FROM many GROUP BY account) AS q;

-- Nothing, and NULL.
SELECT ltv.xnpv(0.1, amount, paid_on) IS NULL AS xnpv, ltv.xirr(amount, paid_on) IS NULL AS xirr, ltv.dated_cash_agg(amount, paid_on) IS NULL AS cash FROM flows WHERE false;
SELECT ltv.xnpv(0.1, NULL, '2024-01-01') IS NULL AS xnpv, ltv.xnpv(NULL, 1, '2024-01-01') IS NULL AS no_rate, ltv.npv('{}', 0.1) IS NULL AS npv, ltv.xnpv('{}', '{}', 0.1) IS NULL AS empty, ltv.npv(NULL, 0.1) IS NULL AS no_cash, ltv.total(ltv.dated_cash_agg(NULL, NULL)) IS NULL AS total;

-- Errors.
SELECT ltv.npv('{1,NULL,3}', 0.1);
SELECT ltv.npv('{1}', -1);
SELECT ltv.npv('{1}', 0.1, 'later');
SELECT ltv.npv('{1}', 0.1, digits => 7);
SELECT ltv.npv('{1}', 0.1, currency => 'usd');
SELECT ltv.npv('{NaN}', 0.1);
SELECT ltv.npv('{1e20}', 0.1);
SELECT ltv.xnpv('{1,2}', '{2024-01-01}', 0.1);
SELECT ltv.xnpv('{1,2}', '{2024-01-01,NULL}', 0.1);
SELECT ltv.xnpv('{1}', '{infinity}', 0.1);
SELECT ltv.xnpv('{1}', '{2024-01-01}', 0.1, day_count => 'ACT/365');
SELECT ltv.xnpv('{1e15}', '{2300-01-01}', -0.999, '2000-01-01');
SELECT ltv.xnpv(r, 1, '2024-01-01') FROM unnest(ARRAY[0.1, 0.12]) AS r;
SELECT ltv.xnpv(0.1, 1, '2024-01-01', d) FROM unnest(ARRAY['2024-01-01', '2023-01-01']::date[]) AS d;
SELECT ltv.xnpv(0.1, 'NaN', '2024-01-01');
SELECT ltv.xnpv(0.1, 'Infinity', '2024-01-01');
SELECT ltv.xnpv(0.1, 1e20, '2024-01-01');
SELECT ltv.xnpv(0.1, 1, '-infinity');
SELECT ltv.xnpv(-1, 1, '2024-01-01');
SELECT ltv.year_fraction('2024-01-01', 'infinity');
SELECT ltv.discount_factor(1, 0.1, 'yearly');
SELECT ltv.convert_rate(0.1, 'annual', 'simple');
SELECT ltv.annual_churn(2);
SELECT ltv._dated_cash_add(NULL, 1, '2024-01-01');
SELECT '{"kind":"dated_cash","version":1,"date":["2024-01-02","2024-01-01"],"amount":["1","2"],"skipped":0}'::ltv.dated_cash;
SELECT '{"kind":"dated_cash","version":1,"date":["2024-01-02"],"amount":["NaN"],"skipped":0}'::ltv.dated_cash;
SELECT '{"kind":"dated_cash","version":1,"date":["someday"],"amount":["1"],"skipped":0}'::ltv.dated_cash;
SELECT '{"kind":"dated_cash","version":2,"date":[],"amount":[],"skipped":0}'::ltv.dated_cash;
