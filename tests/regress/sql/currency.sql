-- Currencies: decimals by ISO and by Stripe, sums that refuse to mix, rates with gaps and overlaps, conversion through the reporting currency.
SELECT code, ltv.minor_digits(code) AS iso, ltv.minor_digits(code, 'stripe') AS stripe, ltv.from_minor(123456, code) AS iso_amount, ltv.from_minor(123456, code, 'stripe') AS stripe_amount
FROM unnest(ARRAY['USD', 'JPY', 'KWD', 'CLF', 'ISK', 'UGX', 'HUF', 'TWD', 'MGA', 'XAU']) AS code;
-- Stripe's zero-decimal currencies (sixteen, of which the API takes UGX with two) and three-decimal ones.
SELECT ltv.minor_digits(code, 'stripe') AS digits, count(*), string_agg(code, ' ' ORDER BY code) AS codes
FROM unnest('{BIF,CLP,DJF,GNF,JPY,KMF,KRW,MGA,PYG,RWF,UGX,VND,VUV,XAF,XOF,XPF,BHD,JOD,KWD,OMR,TND,EUR}'::text[]) AS code GROUP BY 1 ORDER BY 1;
SELECT ltv.from_minor(-1999, 'USD') AS refund, ltv.from_minor(9223372036854775807, 'EUR') AS largest, ltv.from_minor(NULL, 'EUR') IS NULL AS nothing;
SELECT ltv.minor_digits('usd');
SELECT ltv.minor_digits('US$');
SELECT ltv.from_minor(1, 'EUR', 'paypal');

-- Sums of one currency are those of sum(); two are refused, and so is an amount of nobody knows what.
CREATE TABLE paid AS SELECT i, ((i * 7919) % 100003) / 100.0 AS amount, (ARRAY['EUR', 'USD', 'JPY'])[1 + i % 3] AS currency, date '2024-01-15' + i % 600 AS day FROM generate_series(1, 3000) AS i;
SELECT currency, ltv.sum_money(amount, currency) = sum(amount) AS same, ltv.sum_money(amount, currency) AS total FROM paid GROUP BY currency ORDER BY currency;
SELECT ltv.sum_money(a, c) AS decimals_of_the_rows FROM (VALUES (1.10, 'EUR'), (2.345, 'EUR'), (-0.000, 'EUR'), (NULL, 'USD'), (NULL, NULL)) AS v (a, c);
SELECT ltv.sum_money(1.00, 'EUR') IS NULL AS nothing FROM paid WHERE false;
SELECT ltv.sum_money(amount, currency) FROM paid;
SELECT ltv.sum_money(1, NULL);
SELECT ltv.sum_money(1, 'eur');
SELECT ltv.sum_money(1, c) FROM unnest(ARRAY['EUR', 'euro']) AS c;
SELECT ltv.sum_money('NaN', 'EUR');
SELECT ltv.sum_money(99999999999999999999, 'EUR') AS large FROM generate_series(1, 3);
SELECT ltv._sum_money_final('\x00');
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;
SELECT ltv.sum_money(amount, 'EUR') = sum(amount) AS same_in_parallel FROM paid;
SELECT ltv.sum_money(amount, CASE WHEN i < 2999 THEN 'EUR' ELSE 'USD' END) FROM paid;
RESET parallel_leader_participation;

-- Rates: what one unit is worth in euros.
CREATE TABLE fx (currency text, valid_from date, valid_to date, rate numeric);
INSERT INTO fx VALUES ('EUR', '2020-01-01', NULL, 1), ('USD', '2024-01-01', '2025-01-01', 0.90), ('USD', '2025-01-01', NULL, 0.80), ('JPY', '2024-01-01', NULL, 0.005), ('GBP', '2024-01-01', '2024-07-01', 1.2), ('GBP', '2024-08-01', NULL, 1.25);
-- 100 USD are 90 EUR, 90 / 0.005 = 18000 JPY, 90 / 1.25 = 72 GBP; from the first of January 2025 on 80 EUR.
SELECT target, ltv.convert(100, 'USD', target, '2024-12-31', 'fx') AS last_day, ltv.convert(100, 'USD', target, '2025-01-01', 'fx') AS next_day FROM unnest(ARRAY['EUR', 'JPY', 'GBP', 'USD']) AS target;
-- Constant currency: one day's rates for all.
SELECT ltv.convert(100, 'USD', 'EUR', day, 'fx') AS spot, ltv.convert(100, 'USD', 'EUR', '2024-01-01', 'fx') AS constant FROM unnest(ARRAY['2024-06-30', '2025-06-30']::date[]) AS day;
SELECT * FROM ltv.cross_rates('fx', 'EUR');
SELECT * FROM ltv.cross_rates('fx', 'JPY');
SELECT * FROM ltv.cross_rates('fx', 'EUR', fx_asof => '2024-12-31');
-- Row by row and joined are the same.
SELECT count(*) AS rows, bool_and(ltv.convert(p.amount, p.currency, 'EUR', p.day, 'fx') = p.amount * c.rate) AS same, round(sum(p.amount * c.rate), ltv.minor_digits('EUR')) AS total
FROM paid AS p JOIN ltv.cross_rates('fx', 'EUR') AS c ON c.currency = p.currency AND p.day >= c.valid_from AND (p.day < c.valid_to OR c.valid_to IS NULL);
SELECT * FROM ltv.check_rates('fx');
SELECT * FROM ltv.check_rates('fx', 'USD');

-- Without valid_to a rate holds until the next; kinds of rates are told apart by basis.
CREATE TABLE monthly (currency text, valid_from date, rate double precision, basis text);
INSERT INTO monthly VALUES ('USD', '2024-01-01', 0.9, 'closing'), ('USD', '2024-02-01', 0.8, 'closing'), ('USD', '2024-01-01', 0.95, 'average');
SELECT ltv.convert(100, 'USD', 'EUR', day, 'monthly', basis => 'closing', reporting => 'EUR') AS closing, ltv.convert(100, 'EUR', 'USD', day, 'monthly', 'average', 'EUR') AS average
FROM unnest(ARRAY['2024-01-31', '2024-02-01']::date[]) AS day;
SELECT * FROM ltv.cross_rates('monthly', 'EUR', 'closing', 'EUR');
SELECT ltv.convert(100, 'USD', 'EUR', '2024-01-31', 'monthly', reporting => 'EUR');
SELECT * FROM ltv.cross_rates('monthly', 'EUR', reporting => 'EUR');
SELECT * FROM ltv.check_rates('monthly');
SELECT * FROM ltv.check_rates('monthly', 'EUR');

-- A rate that is not there: an error that names currency and day, or NULL.
SELECT ltv.convert(100, 'GBP', 'EUR', '2024-07-15', 'fx');
SELECT ltv.convert(100, 'EUR', 'CHF', '2024-07-15', 'fx');
SELECT ltv.convert(100, 'USD', 'EUR', '2024-01-31', 'monthly', 'budget', 'EUR');
SELECT ltv.convert(100, 'GBP', 'EUR', '2024-07-15', 'fx', missing => 'null') IS NULL AS nothing, ltv.convert(NULL, 'GBP', 'EUR', '2024-07-15', 'fx') IS NULL AS no_amount, ltv.convert(5, 'CHF', 'CHF', '1999-01-01', 'fx') AS the_same;
SELECT ltv.convert(100, 'GBP', 'EUR', '2024-07-15', 'fx', missing => 'zero');
SELECT * FROM ltv.cross_rates('fx', 'CHF');
-- Rates that are none, and relations that hold none.
CREATE TABLE bad (LIKE fx);
INSERT INTO bad VALUES ('USD', '2024-01-01', '2024-06-01', 0.9), ('USD', '2024-05-01', NULL, 0.8), ('usd', '2024-01-01', NULL, 1.1), ('GBP', '2024-01-01', NULL, 0), ('CHF', '2024-02-01', '2024-02-01', 1.1), ('JPY', NULL, NULL, NULL), ('SEK', '2024-01-01', NULL, 'NaN');
SELECT * FROM ltv.check_rates('bad');
SELECT ltv.convert(1, 'USD', 'EUR', '2024-05-15', 'bad', reporting => 'EUR');
SELECT ltv.convert(1, 'GBP', 'EUR', '2024-05-15', 'bad', reporting => 'EUR');
SELECT ltv.convert(1, 'EUR', 'SEK', '2024-05-15', 'bad', reporting => 'EUR');
SELECT * FROM ltv.cross_rates('bad', 'EUR', reporting => 'EUR');
SELECT ltv.convert(1, 'USD', 'EUR', '2024-05-15', 'paid');
CREATE VIEW unfit AS SELECT currency, valid_from::timestamptz, rate FROM fx;
SELECT * FROM ltv.check_rates('unfit');
SELECT ltv.convert('NaN', 'USD', 'EUR', '2024-05-15', 'fx');
