-- Why a value changed between two runs: parts that add up to the minor unit, hang on no order, and are nothing where nothing changed.
SET client_min_messages = warning; SET extra_float_digits = 0;
CREATE TABLE past AS SELECT i, (i * 37 % 50) / 2.0::float8 + 0.5 AS months, i % 3 <> 0 AS lost, abs(sin(i)) AS adoption, 'plan ' || i % 2 AS plan FROM generate_series(1, 300) AS i;
SELECT t.model, t.version FROM (VALUES ('june', 'cox'), ('july', 'weibull')) AS m (name, algorithm), LATERAL ltv.train(m.name, 'past', m.algorithm, 'months', 'lost', features => '{adoption,plan}') t ORDER BY 1;
SELECT model, version FROM ltv.train('narrow', 'past', 'cox', 'months', 'lost', features => '{adoption}');

-- An account in two runs: everything changed.
CREATE TABLE seen (run int, adoption float8, plan text);
INSERT INTO seen VALUES (1, 0.8, 'plan 0'), (2, 0.3, 'plan 1');
SELECT x.* FROM seen a, seen b, LATERAL ltv.explain_change(
    'june', a, ltv.contract_terms(100, margin => 0.8, given => 10, term_months => 12, months_to_renewal => 2, currency => 'EUR'),
    'july', b, ltv.contract_terms(110, margin => 0.7, given => 11, term_months => 24, months_to_renewal => 24, paid_months => 1, currency => 'EUR'), 1.05, 1.10, 'USD') x WHERE a.run = 1 AND b.run = 2;
-- Its two values are lifetime_value's.
SELECT round(1.05 * (ltv.lifetime_value('june', seen, ltv.contract_terms(100, margin => 0.8, given => 10, term_months => 12, months_to_renewal => 2, currency => 'EUR'))).ltv, 2) FROM seen WHERE run = 1;
SELECT round(1.10 * (ltv.lifetime_value('july', seen, ltv.contract_terms(110, margin => 0.7, given => 11, term_months => 24, months_to_renewal => 24, paid_months => 1, currency => 'EUR'))).ltv, 2) FROM seen WHERE run = 2;

-- Each part alone moves only itself, and all of it.
WITH one (part, m, f, terms, r) AS (VALUES
    ('nothing', 'june', 1, '{}'::jsonb, 1.05), ('price', 'june', 1, '{"revenue": 120}', 1.05), ('price', 'june', 1, '{"ramp": [100, 130]}', 1.05), ('price', 'june', 1, '{"price_uplift": 0.03}', 1.05),
    ('term', 'june', 1, '{"term_months": 24}', 1.05), ('term', 'june', 1, '{"notice_months": 3}', 1.05), ('term', 'june', 1, '{"billing": "annual"}', 1.05), ('term', 'june', 1, '{"payment_days": 60}', 1.05),
    ('usage', 'june', 2, '{}', 1.05), ('model', 'july', 1, '{}', 1.05), ('assumptions', 'june', 1, '{"margin": 0.7}', 1.05), ('assumptions', 'june', 1, '{"discount_curve": [0.05, 0.08]}', 1.05),
    ('assumptions', 'june', 1, '{"expansion": 0.1}', 1.05), ('assumptions', 'june', 1, '{"horizon": 36}', 1.05), ('currency', 'june', 1, '{}', 1.20), ('data', 'june', 1, '{"given": 14}', 1.05),
    ('data', 'june', 1, '{"months_to_renewal": 1}', 1.05), ('data', 'june', 1, '{"paid_months": 6}', 1.05))
SELECT o.part, o.terms, count(*) AS rows, max(x.change) FILTER (WHERE x.part = o.part) AS change, max(x.after - x.before) AS difference, count(*) FILTER (WHERE x.change <> 0 AND x.part <> o.part) AS others
FROM one o, seen a, seen b, ltv.contract_terms(100, margin => 0.8, given => 10, term_months => 12, months_to_renewal => 2, currency => 'EUR') t,
     LATERAL ltv.explain_change('june', a, t, o.m, b, ltv.with_changes(t, o.terms), 1.05, o.r, 'USD') x
WHERE a.run = 1 AND b.run = o.f GROUP BY 1, 2, o.m ORDER BY 1, 2;

-- By hand, three changes: a part is the mean over the six orders of what it adds. (Unrounded here; there to the cent.)
WITH v AS (
    SELECT p, d, m, (ltv.lifetime_value(CASE m WHEN 0 THEN 'june' ELSE 'july' END, s, ltv.contract_terms(CASE p WHEN 0 THEN 100 ELSE 120 END, given => CASE d WHEN 0 THEN 5 ELSE 8 END))).ltv AS v
    FROM seen s, generate_series(0, 1) p, generate_series(0, 1) d, generate_series(0, 1) m WHERE run = 1
), a AS (SELECT (array_agg(v ORDER BY p, d, m)) AS v FROM v),   -- 1: 000, 2: 00m, 3: 0d0, 4: 0dm, 5: p00, 6: p0m, 7: pd0, 8: pdm
hand AS (
    SELECT 'price' AS part, (2 * (v[5] - v[1]) + (v[6] - v[2]) + (v[7] - v[3]) + 2 * (v[8] - v[4])) / 6 AS share FROM a
    UNION ALL SELECT 'data', (2 * (v[3] - v[1]) + (v[4] - v[2]) + (v[7] - v[5]) + 2 * (v[8] - v[6])) / 6 FROM a
    UNION ALL SELECT 'model', (2 * (v[2] - v[1]) + (v[4] - v[3]) + (v[6] - v[5]) + 2 * (v[8] - v[7])) / 6 FROM a)
SELECT h.part, round(h.share, 4) AS by_hand, x.change, abs(h.share - x.change) < 0.01 AS within_a_cent
FROM hand h, seen s, LATERAL ltv.explain_change('june', s, ltv.contract_terms(100, given => 5), 'july', s, ltv.contract_terms(120, given => 8)) x WHERE run = 1 AND x.part = h.part ORDER BY 1;

-- Two hundred random pairs, in currencies of 0, 2 and 3 decimals: the parts add up to the difference, all are whole minor units; backwards is the other way round to a unit.
SELECT setseed(0.5);
CREATE TABLE pairs AS
SELECT i, (ARRAY['JPY', 'EUR', 'KWD'])[i % 3 + 1] AS code, ROW(1, random(), 'plan ' || i % 2)::seen AS a, ROW(2, random(), 'plan ' || (i / 2) % 2)::seen AS b,
       (ARRAY['june', 'july'])[1 + (i / 3) % 2] AS ma, (ARRAY['june', 'july'])[1 + (i / 7) % 2] AS mb, random() AS p, random() AS q, random() AS r, random() AS s, random() AS t
FROM generate_series(1, 200) AS i;
CREATE TABLE told AS
SELECT i, code, x.*, y.change AS backwards, ltv.minor_digits(code) AS digits
FROM pairs, LATERAL (SELECT ltv.contract_terms((1000 * p)::numeric(12, 3), margin => q, given => floor(30 * r), term_months => CASE WHEN i % 5 > 0 THEN 12 END, months_to_renewal => CASE WHEN i % 5 > 1 THEN 1 + floor(11 * s) END,
            currency => 'GBP', horizon => 12 + i % 50, early_termination => CASE WHEN i % 5 > 0 THEN t / 10 ELSE 0 END, payment_days => i % 40) AS ta,
        ltv.contract_terms((1000 * q)::numeric(12, 3), margin => p, given => floor(30 * r) + 1, term_months => CASE WHEN i % 4 > 0 THEN 6 END, months_to_renewal => CASE WHEN i % 4 > 1 THEN 1 + floor(5 * t) END,
            currency => 'USD', horizon => 24, paid_months => i % 20, price_uplift => t / 10) AS tb) terms,
     LATERAL ltv.explain_change(ma, a, ta, mb, b, tb, (1 + p)::numeric(8, 4), (1 + q)::numeric(8, 4), code) x,
     LATERAL ltv.explain_change(mb, b, tb, ma, a, ta, (1 + q)::numeric(8, 4), (1 + p)::numeric(8, 4), code) y WHERE y.part = x.part;
SELECT code, count(DISTINCT i) AS pairs, bool_and(n = 7) AS seven_rows, bool_and(total = after - before) AS adds_up, bool_and(whole) AS whole_units, bool_and(back) AS backwards
FROM (SELECT code, i, count(*) AS n, sum(change) AS total, max(before) AS before, max(after) AS after, bool_and(change = round(change, digits)) AS whole, bool_and(abs(change + backwards) <= 10::numeric ^ -digits) AS back
      FROM told GROUP BY code, i) x GROUP BY code ORDER BY code COLLATE "C";
SELECT status, count(*) FROM told WHERE step = 1 GROUP BY 1 ORDER BY 2 DESC, 1;

-- One run only; no value; a level that the other model or the row does not know.
SELECT x.part, x.change, x.before, x.after, x.reporting_currency AS currency, x.status FROM seen, LATERAL ltv.explain_change('june', seen, ltv.contract_terms(100, currency => 'EUR'), 'june', NULL::seen, NULL) x WHERE run = 1 AND (x.change <> 0 OR step = 1);
SELECT x.part, x.change, x.before, x.after, x.reporting_currency AS currency, x.status FROM seen, LATERAL ltv.explain_change('june', NULL::seen, NULL, 'june', seen, ltv.contract_terms(100)) x WHERE run = 1 AND (x.change <> 0 OR step = 1);
SELECT count(*) FROM ltv.explain_change('june', NULL::seen, NULL, 'june', NULL::seen, NULL);
SELECT x.part, x.change, x.before, x.after, x.status FROM seen, (SELECT 0.5::float8 AS adoption, 'plan 9' AS plan) odd, LATERAL ltv.explain_change('june', odd, ltv.contract_terms(100), 'june', seen, ltv.contract_terms(100)) x WHERE run = 1 AND x.change <> 0;
SELECT x.part, x.change, x.status FROM seen, (SELECT 0.5::float8 AS adoption, 'plan 9' AS plan) odd, LATERAL ltv.explain_change('narrow', odd, ltv.contract_terms(100), 'june', seen, ltv.contract_terms(105)) x WHERE run = 1 AND x.change <> 0;
SELECT x.part, x.change, x.status FROM seen, LATERAL ltv.explain_change('june', seen, ltv.contract_terms(NULL::numeric), 'june', seen, ltv.contract_terms(105)) x WHERE run = 1 AND (x.change <> 0 OR step = 1);

-- Two relations: every account, and all together; segments add up.
CREATE TABLE june_run AS SELECT 'a' || i AS account_id, 'tier ' || i % 2 AS tier, abs(cos(i)) AS adoption, 'plan ' || i % 2 AS plan, 1.05 AS rate,
    ltv.contract_terms(50 + i, given => i, currency => CASE i % 2 WHEN 0 THEN 'EUR' ELSE 'USD' END) AS terms FROM generate_series(1, 20) AS i;
CREATE TABLE july_run AS SELECT 'a' || i AS account_id, 'tier ' || i % 2 AS tier, abs(cos(i + i / 5)) AS adoption, 'plan ' || i % 2 AS plan, CASE i % 2 WHEN 0 THEN 1.10 ELSE 1 END AS rate,
    ltv.contract_terms(50 + i + CASE WHEN i % 4 = 0 THEN 5 ELSE 0 END, given => i + 1, currency => CASE i % 2 WHEN 0 THEN 'EUR' ELSE 'USD' END) AS terms FROM generate_series(3, 22) AS i;
UPDATE june_run SET rate = 1 WHERE (terms::text::jsonb ->> 'currency') = 'USD';
SELECT * FROM ltv.explain_change('june_run', 'july_run', 'account_id', 'june@1', 'july@1', currency => 'USD');
SELECT segment, part, change, before, after, accounts FROM ltv.explain_change('june_run', 'july_run', 'account_id', 'june@1', by => 'tier', currency => 'USD') ORDER BY 1, step;
SELECT entity_id, part, change, before, after, status FROM ltv.explain_change_rows('june_run', 'july_run', 'account_id', 'june@1', 'july@1', currency => 'USD') WHERE change <> 0 AND entity_id IN ('a1', 'a4', 'a22') ORDER BY entity_id, step;
SELECT t.part, t.change = sum(r.change) AS is_the_sum, t.before = sum(r.before) AS before, t.after = sum(r.after) AS after
FROM ltv.explain_change('june_run', 'july_run', 'account_id', 'june', 'july', currency => 'USD') t JOIN ltv.explain_change_rows('june_run', 'july_run', 'account_id', 'june', 'july', currency => 'USD') r USING (part) GROUP BY t.part, t.change, t.before, t.after ORDER BY 1;
SELECT sum(change) = max(after) - max(before) AS adds_up,
       max(before) = (SELECT sum(round(rate * (ltv.lifetime_value('june', r, terms)).ltv, 2)) FROM june_run r) AS before, max(after) = (SELECT sum(round(rate * (ltv.lifetime_value('july', r, terms)).ltv, 2)) FROM july_run r) AS after
FROM ltv.explain_change('june_run', 'july_run', 'account_id', 'june', 'july', currency => 'USD');

-- Errors say what to do.
\set VERBOSITY verbose
\set SHOW_CONTEXT never
\pset format unaligned
SELECT * FROM ltv.explain_change('june_run', 'july_run', 'account_id', 'june');
CREATE VIEW june_plain AS SELECT account_id, adoption, plan, terms FROM june_run;
SELECT * FROM ltv.explain_change('june_plain', 'june_plain', 'account_id', 'june');
SELECT * FROM seen, LATERAL ltv.explain_change('june', seen, ltv.contract_terms(1, currency => 'EUR'), 'june', seen, ltv.contract_terms(1, currency => 'USD')) WHERE run = 1;
SELECT * FROM seen, LATERAL ltv.explain_change('june', seen, ltv.contract_terms(1), 'june', seen, ltv.contract_terms(1), 0, 1) WHERE run = 1;
SELECT * FROM seen, LATERAL ltv.explain_change('june', seen, ltv.contract_terms(1), 'june', seen, ltv.contract_terms(1), currency => 'eur') WHERE run = 1;
-- Yen are no dollars: without a rate they are not added up, and a currency has no rate into itself.
CREATE VIEW two_money AS SELECT account_id, adoption, plan, ltv.contract_terms(100, currency => CASE account_id WHEN 'a1' THEN 'JPY' ELSE 'USD' END, horizon => 24) AS terms FROM june_run;
SELECT * FROM ltv.explain_change('two_money', 'two_money', 'account_id', 'june', currency => 'USD');
CREATE VIEW two_rated AS SELECT t.*, CASE account_id WHEN 'a1' THEN NULL ELSE 1 END AS rate FROM two_money t;
SELECT part, change, before > 0 AS worth, before = after AS same, reporting_currency, status FROM ltv.explain_change('two_rated', 'two_rated', 'account_id', 'june', currency => 'USD') WHERE part = 'price';
SELECT DISTINCT entity_id, before, after, status FROM ltv.explain_change_rows('two_rated', 'two_rated', 'account_id', 'june', currency => 'USD') WHERE entity_id = 'a1';
SELECT * FROM seen, LATERAL ltv.explain_change('june', seen, ltv.contract_terms(1, currency => 'USD'), 'june', seen, ltv.contract_terms(1, currency => 'USD'), 1.1, 1.2, 'USD') WHERE run = 1;
SELECT * FROM ltv.explain_change('june_run', 'july_run', 'customer', 'june');
SELECT * FROM ltv.explain_change('june_run', 'past', 'account_id', 'june');
SELECT * FROM ltv.explain_change(NULL::regclass, 'july_run', 'account_id', 'june');
SELECT * FROM ltv.explain_change('june_run', 'july_run', 'account_id', 'nobody');
INSERT INTO july_run SELECT * FROM july_run WHERE account_id = 'a5';
SELECT * FROM ltv.explain_change('june_run', 'july_run', 'account_id', 'june', currency => 'USD');
