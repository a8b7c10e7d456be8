-- What a hybrid says in scenarios, of levers and of a change between two runs: always by its own valuation, to the minor unit.
SET max_parallel_workers = 0; SET client_min_messages = warning;
CREATE TABLE book AS
WITH u AS (SELECT i, ((i * 0.6180339887498949) % 1)::float8 AS a, ((i * 0.7548776662466927) % 1)::float8 AS b, ((i * 0.5698402909980532) % 1)::float8 AS c, ((i * 0.8191725133961645) % 1)::float8 AS d FROM generate_series(1, 400) AS i)
SELECT i AS id, round(a::numeric, 3) AS usage, 1 + floor(20 * b)::int AS seats, (ARRAY['basic', 'plus', 'pro'])[1 + floor(3 * c)::int] AS plan, c > 0.6 AS partner, round((50 + 100 * d)::numeric, 2) AS fee,
       greatest(1, ceil(-20 * exp(a - 0.3 * c) * ln(1 - d)))::int AS months, i % 3 > 0 AS churned,
       0.1 + 0.2 * a + 0.01 * sin(i) AS growth, 0.5 + 0.2 * b - 0.1 * c + 0.02 * cos(i) AS margin, exp(0.5 + a + 0.05 * (20 * b)) + 0.1 * abs(sin(i * 2)) AS cost
FROM u;
SELECT count(DISTINCT model) AS models FROM (SELECT * FROM ltv.train('stay', 'book', 'cox', 'months', 'churned', features => '{usage,plan,seats}')
    UNION ALL SELECT * FROM ltv.train('stay on', 'book', 'weibull', 'months', 'churned', features => '{usage,plan}') UNION ALL SELECT * FROM ltv.train('pays', 'book', 'cox', 'months', 'churned', features => '{usage,fee}')
    UNION ALL SELECT * FROM ltv.train('growth', 'book', 'linear', target => 'growth', features => '{usage}') UNION ALL SELECT * FROM ltv.train('margin', 'book', 'linear', target => 'margin', features => '{seats,plan}')
    UNION ALL SELECT * FROM ltv.train('cost', 'book', 'gamma', target => 'cost', features => '{usage,seats}') UNION ALL SELECT * FROM ltv.train('cost by partner', 'book', 'linear', target => 'cost', features => '{partner,seats}')
    UNION ALL SELECT * FROM ltv.train('by plan', 'book', 'weibull', 'months', 'churned', features => '{usage}', segment_by => '{plan}', min_events => 95)) t;
CREATE TABLE hybrids AS
SELECT place, name, ltv.fit_hybrid(renewal, expansion => expansion, margin => margin, cost => cost, terms => ltv.contract_terms(1.0, horizon => 24, currency => currency), revenue => price) AS m
FROM (VALUES (1, 'all', 'stay', 'growth', 'margin', 'cost', 'EUR', 'fee'), (2, 'other models', 'stay on', 'growth', NULL, 'cost by partner', 'EUR', 'fee'), (3, 'segments', 'by plan', NULL, 'margin', NULL, 'JPY', 'fee'),
             (4, 'the price is read', 'pays', NULL, 'margin', NULL, 'KWD', 'fee'), (5, 'price of the terms', 'stay', NULL, 'margin', 'cost', 'EUR', NULL), (6, 'renewal alone', 'stay', NULL, NULL, NULL, 'EUR', NULL)) h (place, name, renewal, expansion, margin, cost, currency, price);

-- The base is hybrid_value, under its own terms and under others; a changed row is valued as if it had been so.
SELECT h.place, h.name, count(DISTINCT b.id) AS rows, bool_and(CASE w.scenario WHEN 'base' THEN (w.ltv, w.currency, w.status) = (v.value, v.currency, v.status) AND w.delta = 0
                                                               ELSE (w.ltv, w.delta, w.status) = (c.value, c.value - v.value, c.status) END) AS same, bool_and(w.renewal_probability BETWEEN 0 AND 1) AS probable
FROM hybrids h, book b, LATERAL ltv.hybrid_value(h.m, b) v, LATERAL ltv.what_if(h.m, b, NULL, '{"other": {"features": {"usage": {"times": 0.5}}}}') w,
     LATERAL (SELECT b.id, b.usage * 0.5 AS usage, b.seats, b.plan, b.partner, b.fee) o, LATERAL ltv.hybrid_value(h.m, o) c WHERE b.id <= 20 GROUP BY h.place, h.name ORDER BY h.place;
-- By hand: the renewal model's value under terms that have what the other models expect of the row, and of these the scenario.
SELECT w.scenario, w.ltv, w.delta, w.ltv = v.ltv AS by_hand, round(w.renewal_probability::numeric, 4) AS stays, w.status
FROM (SELECT * FROM book WHERE id = 7) b, hybrids h, LATERAL ltv.what_if(h.m, b, ltv.contract_terms(1, horizon => 36, currency => 'USD'), '{"better margin": {"margin": {"plus": 0.05}}, "margin of 0.9": {"margin": 0.9}, "dearer": {"price_change": 0.1, "elasticity": 1},
         "plus": {"features": {"plan": "plus"}}, "plus on two years": {"term_months": 24, "features": {"plan": "plus"}}}') w,
     LATERAL (SELECT CASE WHEN w.scenario LIKE 'plus%' THEN 'plus' ELSE b.plan END AS plan, b.usage, b.seats, b.fee) r,
     LATERAL ltv.lifetime_value('stay', r, ltv.with_scenario(ltv.contract_terms((b.fee * CASE w.scenario WHEN 'dearer' THEN 1.1 ELSE 1 END)::numeric(12, 3), horizon => 36, expansion => ltv.expected_value('growth', r), currency => 'USD', cost_to_serve => ltv.expected_value('cost', r)::numeric,
         margin => CASE w.scenario WHEN 'margin of 0.9' THEN 0.9 ELSE ltv.expected_value('margin', r) + CASE w.scenario WHEN 'better margin' THEN 0.05 ELSE 0 END END::numeric),
         CASE w.scenario WHEN 'dearer' THEN '{"hazard_ratio": 1.1}'::jsonb WHEN 'plus on two years' THEN '{"term_months": 24}' ELSE '{}' END)) v WHERE h.place = 1;
-- What is to be known of the components is told; so is why a row has no value.
SELECT DISTINCT h.place, w.scenario, w.ltv IS NULL AS no_value, w.currency, w.status FROM hybrids h, book b, LATERAL ltv.what_if(h.m, b, NULL, '{"unseen": {"features": {"plan": "gold"}}, "unknown": {"features": {"usage": null}}, "long": {"horizon": 60}}') w
WHERE h.place IN (1, 3) AND b.id = 7 ORDER BY 1, 2;
\set VERBOSITY verbose
SELECT w.* FROM hybrids h, book b, LATERAL ltv.what_if(h.m, b, NULL, '{"in dollars": {"currency": "USD"}}') w WHERE h.place = 1 AND b.id = 7;
SELECT w.* FROM hybrids h, book b, LATERAL ltv.what_if(h.m, b, NULL, '{"odd": {"features": {"colour": "red"}}}') w WHERE h.place = 1 AND b.id = 7;
SELECT w.* FROM book b, LATERAL ltv.what_if(ltv.fit_hybrid('stay', cost => 'cost'), b, NULL, '{}') w WHERE b.id = 7;
\set VERBOSITY default

-- Levers: each alone is that scenario, and a feature is in all components that read it.
SELECT l.lever, l.step, l.from_value, l.to_value, l.ltv, l.delta, l.status, CASE WHEN l.lever IN ('usage', 'seats', 'plan', 'fee') THEN (SELECT w.ltv = l.ltv AND w.delta = l.delta
    FROM ltv.what_if(h.m, b, NULL, jsonb_build_object('x', jsonb_build_object('features', jsonb_build_object(l.lever, CASE l.lever WHEN 'plan' THEN to_jsonb(l.to_value) ELSE l.to_value::jsonb END)))) w WHERE w.scenario = 'x') END AS as_what_if
FROM hybrids h, book b, LATERAL ltv.levers(h.m, b, NULL) l WHERE h.place = 1 AND b.id = 7;
SELECT l.lever, l.delta, w.delta = l.delta AS as_what_if FROM hybrids h, book b, LATERAL ltv.levers(h.m, b, NULL) l
JOIN (VALUES ('price', '{"revenue": {"times": 1.01}}'::jsonb), ('margin', '{"margin": {"plus": 0.01}}'), ('cost to serve', '{"cost_to_serve": {"times": 0.9}}'), ('expansion', '{"expansion": {"plus": 0.01}}'), ('retention', '{"hazard_ratio": 0.9}')) c (lever, change) USING (lever),
     LATERAL ltv.what_if(h.m, b, NULL, jsonb_build_object('x', c.change)) w WHERE h.place = 1 AND b.id = 7 AND w.scenario = 'x' ORDER BY 1;
SELECT x.value, x.ltv, x.delta, x.ltv = w.ltv AS as_what_if FROM hybrids h, book b, LATERAL ltv.sensitivity(h.m, b, NULL, 'margin', '{0.4,0.6}') x, LATERAL ltv.what_if(h.m, b, NULL, jsonb_build_object('x', jsonb_build_object('margin', x.value))) w WHERE h.place = 1 AND b.id = 7 AND w.scenario = 'x';
SELECT x.value, x.ltv, x.delta, x.ltv = w.ltv AS as_what_if FROM hybrids h, book b, LATERAL ltv.sensitivity(h.m, b, NULL, 'seats', '{5,10}') x, LATERAL ltv.what_if(h.m, b, NULL, jsonb_build_object('x', jsonb_build_object('features', jsonb_build_object('seats', x.value)))) w WHERE h.place = 1 AND b.id = 7 AND w.scenario = 'x';
SELECT g.term, g.price, g.ltv, g.delta, g.ltv = w.ltv AS as_what_if FROM hybrids h, book b, LATERAL ltv.pricing_grid(h.m, b, NULL, '{12,24}', '{0}') g, LATERAL ltv.what_if(h.m, b, NULL, jsonb_build_object('x', jsonb_build_object('term_months', g.term, 'months_to_renewal', g.term))) w WHERE h.place = 1 AND b.id = 7 AND w.scenario = 'x';

-- A change: the parts add up to the difference of the two values for every kind of hybrid, also where one follows on another, or on a model of durations.
CREATE TABLE told AS
SELECT a.place AS pa, b.place AS pb, p.id, x.*, y.change AS backwards, ltv.minor_digits(x.reporting_currency) AS digits, va.value AS was, vb.value AS is_now
FROM hybrids a, hybrids b, book p, book q, LATERAL (SELECT ltv.contract_terms(p.fee, horizon => 24, given => 3, currency => 'JPY', term_months => 12, months_to_renewal => 4) AS ta,
         ltv.contract_terms(q.fee * 2, horizon => 36, given => 4, margin => 0.7, currency => 'JPY', term_months => 24, months_to_renewal => 20, paid_months => 1) AS tb) t,
     LATERAL ltv.hybrid_value(a.m, p, ta) va, LATERAL ltv.hybrid_value(b.m, q, tb) vb,
     LATERAL ltv.explain_change(a.m, p, ta, b.m, q, tb) x, LATERAL ltv.explain_change(b.m, q, tb, a.m, p, ta) y
WHERE q.id = 401 - p.id AND p.id <= 3 AND x.part = y.part;
SELECT count(*) AS pairs, bool_and(n = 7) AS seven, bool_and(added = after - before) AS adds_up, bool_and(before = was AND after = is_now) AS are_the_values, bool_and(opposite) AS backwards, array_agg(DISTINCT status) AS status
FROM (SELECT pa, pb, id, count(*) AS n, sum(change) AS added, min(before) AS before, min(after) AS after, min(was) AS was, min(is_now) AS is_now, bool_and(abs(change + backwards) <= 10.0 ^ -digits) AS opposite, min(status) AS status FROM told GROUP BY pa, pb, id) t;
-- Each part alone moves only itself, and all of it. A price that the renewal model reads too is price and usage; one that no component replaces is assumptions.
WITH one (place, part, other, row, terms) AS (VALUES (1, 'nothing', 1, '{}'::jsonb, '{}'::jsonb), (1, 'price', 1, '{"fee": 99}', '{}'), (1, 'nothing', 1, '{}', '{"revenue": 5}'), (1, 'price', 1, '{}', '{"price_uplift": 0.03}'), (1, 'usage', 1, '{"usage": 0.9}', '{}'),
    (1, 'usage', 1, '{"plan": "pro", "seats": 20}', '{}'), (1, 'nothing', 1, '{"partner": true}', '{}'), (1, 'model', 2, '{}', '{}'), (1, 'term', 1, '{}', '{"term_months": 12}'), (1, 'data', 1, '{}', '{"given": 9}'), (1, 'assumptions', 1, '{}', '{"discount_rate": 0.2}'),
    (1, 'nothing', 1, '{}', '{"margin": 0.2}'), (6, 'assumptions', 6, '{}', '{"margin": 0.2}'), (5, 'price', 5, '{}', '{"revenue": 5}'), (5, 'nothing', 5, '{"fee": 99}', '{}'), (6, 'model', 5, '{}', '{}'))
SELECT o.place, o.part, o.other, o.row, o.terms, count(*) AS rows, max(x.change) FILTER (WHERE x.part = o.part) AS change, max(x.after - x.before) AS difference, count(*) FILTER (WHERE x.change <> 0 AND x.part <> o.part) AS others
FROM one o JOIN hybrids a USING (place) JOIN hybrids b ON b.place = o.other, book p, ltv.contract_terms(80, horizon => 24, currency => 'EUR') t, LATERAL (SELECT (jsonb_populate_record(p, o.row)).*) q,
     LATERAL ltv.explain_change(a.m, p, t, b.m, q, ltv.with_changes(t, o.terms)) x WHERE p.id = 7 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;
-- By hand, a price that is read, the rest of the row, and the model: the mean over the six orders, by the models one by one.
WITH v AS (
    SELECT p, u, m, (ltv.lifetime_value(CASE m WHEN 0 THEN 'pays' ELSE 'stay' END, r, ltv.contract_terms(CASE p WHEN 0 THEN 80 ELSE 120 END, horizon => 24, currency => 'KWD', margin => ltv.expected_value('margin', r)::numeric,
        cost_to_serve => CASE m WHEN 0 THEN 0 ELSE ltv.expected_value('cost', r)::numeric END))).ltv AS v
    FROM generate_series(0, 1) p, generate_series(0, 1) u, generate_series(0, 1) m, LATERAL (SELECT CASE u WHEN 0 THEN 80 ELSE 120 END AS fee, CASE u WHEN 0 THEN 0.2 ELSE 0.7 END AS usage, 5 AS seats, 'plus' AS plan) r
), a AS (SELECT array_agg(v ORDER BY p, u, m) AS v FROM v),   -- 1: 000, 2: 00m, 3: 0u0, 4: 0um, 5: p00, 6: p0m, 7: pu0, 8: pum
hand AS (
    SELECT 'price' AS part, (2 * (v[5] - v[1]) + (v[6] - v[2]) + (v[7] - v[3]) + 2 * (v[8] - v[4])) / 6 AS share FROM a
    UNION ALL SELECT 'usage', (2 * (v[3] - v[1]) + (v[4] - v[2]) + (v[7] - v[5]) + 2 * (v[8] - v[6])) / 6 FROM a
    UNION ALL SELECT 'model', (2 * (v[2] - v[1]) + (v[4] - v[3]) + (v[6] - v[5]) + 2 * (v[8] - v[7])) / 6 FROM a)
SELECT h.part, round(h.share, 4) AS by_hand, x.change, abs(h.share - x.change) < 0.002 AS to_the_unit
FROM hand h, (SELECT 80 AS fee, 0.2 AS usage, 5 AS seats, 'plus' AS plan) p, (SELECT 120 AS fee, 0.7 AS usage, 5 AS seats, 'plus' AS plan) q,
     (SELECT ltv.fit_hybrid('pays', margin => 'margin', terms => ltv.contract_terms(1.0, horizon => 24, currency => 'KWD'), revenue => 'fee') AS a, ltv.fit_hybrid('stay', margin => 'margin', cost => 'cost', terms => ltv.contract_terms(1.0, horizon => 24, currency => 'KWD'), revenue => 'fee') AS b) m,
     LATERAL ltv.explain_change(m.a, p, NULL, m.b, q, NULL) x WHERE x.part = h.part ORDER BY 1;
-- A hybrid after a model of durations: what its components say in the place of the terms is the model.
SELECT x.part, x.change, x.before = v.ltv AND x.after = h.value AS are_the_values, x.status FROM hybrids k, book p, ltv.contract_terms(80, horizon => 24, currency => 'EUR') t, LATERAL ltv.lifetime_value('stay', p, t) v, LATERAL ltv.hybrid_value(k.m, p, t) h,
     LATERAL ltv.explain_change(ltv.model('stay'), p, t, k.m, p, t) x WHERE k.place = 5 AND p.id = 7 AND x.change <> 0;
-- Rows that a model does not know, new and lost accounts, terms that are missing.
SELECT x.part, x.change, x.after, x.status FROM hybrids k, book p, LATERAL ltv.explain_change(k.m, p, NULL, k.m, jsonb_populate_record(p, '{"plan": "gold"}'), NULL) x WHERE k.place = 1 AND p.id = 7 AND x.change <> 0;
SELECT x.part, x.change, x.before, x.status FROM hybrids k, book p, LATERAL ltv.explain_change(k.m, NULL, NULL, k.m, p, NULL) x WHERE k.place = 1 AND p.id = 7 AND x.change <> 0;
SELECT x.part, x.change, x.status FROM book p, LATERAL ltv.explain_change(ltv.fit_hybrid('stay'), p, NULL, ltv.fit_hybrid('stay'), p, ltv.contract_terms(10, horizon => 12)) x WHERE p.id = 7 AND x.change <> 0;

-- Two runs of a registered hybrid, in two currencies.
SELECT DISTINCT model, version FROM ltv.train('worth', 'book', 'hybrid', options => jsonb_build_object('renewal', 'stay', 'margin', 'margin', 'cost', 'cost', 'revenue', 'fee', 'terms', ltv.contract_terms(1.0, horizon => 24, currency => 'EUR')));
CREATE VIEW june AS SELECT b.*, ltv.contract_terms(1, horizon => 24, currency => CASE WHEN id % 2 = 0 THEN 'EUR' ELSE 'USD' END) AS terms, CASE WHEN id % 2 = 0 THEN 1.1 ELSE 1 END AS rate FROM book b WHERE id <= 20;
CREATE VIEW july AS SELECT b.id, b.usage, b.seats + id % 3 AS seats, b.plan, b.partner, b.fee * 1.05 AS fee, ltv.contract_terms(1, horizon => 24, given => 1, currency => CASE WHEN id % 2 = 0 THEN 'EUR' ELSE 'USD' END) AS terms, CASE WHEN id % 2 = 0 THEN 1.2 ELSE 1 END AS rate FROM book b WHERE id BETWEEN 3 AND 22;
SELECT x.part, x.change, x.before, x.after, x.accounts, x.reporting_currency, x.status FROM ltv.explain_change('june', 'july', 'id', 'worth', currency => 'USD') x;
SELECT (SELECT sum(round(v.value * rate, 2)) FROM june, LATERAL ltv.hybrid_value('worth', june, terms) v) AS before, (SELECT sum(round(v.value * rate, 2)) FROM july, LATERAL ltv.hybrid_value('worth', july, terms) v) AS after;

-- The column of the price, and what components say.
SELECT place, ltv.hybrid_revenue(m) AS revenue, (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(ltv.hybrid_amounts(m, b, ltv.contract_terms(1))) k) AS amounts FROM hybrids, book b WHERE b.id = 7 ORDER BY place;
SELECT ltv.hybrid_revenue(ltv.model('stay'));
