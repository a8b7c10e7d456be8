-- Why a hybrid makes a row worth what it does: feature by feature across its components, to the cent.
SET max_parallel_workers = 0;
CREATE TABLE book AS
WITH u AS (SELECT i, ((i * 0.6180339887498949) % 1)::float8 AS a, ((i * 0.7548776662466927) % 1)::float8 AS b, ((i * 0.5698402909980532) % 1)::float8 AS c, ((i * 0.8191725133961645) % 1)::float8 AS d FROM generate_series(1, 400) AS i)
SELECT i AS id, round(a::numeric, 3) AS usage, 1 + floor(20 * b)::int AS seats, (ARRAY['basic', 'plus', 'pro'])[1 + floor(3 * c)::int] AS plan, c > 0.6 AS partner, round((50 + 100 * d)::numeric, 2) AS fee,
       greatest(1, ceil(-20 * exp(a - 0.3 * c) * ln(1 - d)))::int AS months, i % 3 > 0 AS churned,
       0.1 + 0.2 * a + 0.01 * sin(i) AS growth, 0.5 + 0.2 * b - 0.1 * c + 0.02 * cos(i) AS margin, exp(0.5 + a + 0.05 * (20 * b)) + 0.1 * abs(sin(i * 2)) AS cost,
       CASE WHEN sin(i * 7) > -0.3 + a THEN 0 ELSE exp(1 + a - b) END AS tickets
FROM u;
SELECT count(DISTINCT version) AS versions FROM (SELECT * FROM ltv.train('stay', 'book', 'cox', 'months', 'churned', features => '{usage,plan,seats}')
    UNION ALL SELECT * FROM ltv.train('growth', 'book', 'linear', target => 'growth', features => '{usage}') UNION ALL SELECT * FROM ltv.train('margin', 'book', 'linear', target => 'margin', features => '{seats,plan}')
    UNION ALL SELECT * FROM ltv.train('cost', 'book', 'gamma', target => 'cost', features => '{usage,seats}') UNION ALL SELECT * FROM ltv.train('tickets', 'book', 'two_part', target => 'tickets', features => '{usage,seats}')
    UNION ALL SELECT * FROM ltv.train('trees', 'book', 'boosted_hazard', 'months', 'churned', features => '{usage,seats}', options => '{"trees": 30}') UNION ALL SELECT * FROM ltv.train('cost by trees', 'book', 'boosted_value', target => 'cost', features => '{usage,seats,partner}', options => '{"trees": 30}')
    UNION ALL SELECT * FROM ltv.train('curves', 'book', 'kaplan_meier', 'months', 'churned', features => '{plan,partner}') UNION ALL SELECT * FROM ltv.train('by plan', 'book', 'weibull', 'months', 'churned', features => '{usage}', segment_by => '{plan}')) t;
CREATE TABLE hybrids AS
SELECT place, name, ltv.fit_hybrid(renewal, expansion => expansion, margin => margin, cost => cost, terms => ltv.contract_terms(1.0, horizon => 24, currency => currency), revenue => 'fee') AS m
FROM (VALUES (1, 'all', 'stay', 'growth', 'margin', 'cost', 'EUR'), (2, 'renewal alone', 'stay', NULL, NULL, NULL, 'USD'), (3, 'two parts', 'stay', NULL, 'margin', 'tickets', 'JPY'), (4, 'trees', 'trees', NULL, 'margin', 'cost by trees', 'EUR'),
             (5, 'cohorts', 'curves', 'growth', NULL, 'cost', 'KWD'), (6, 'segments', 'by plan', NULL, 'margin', NULL, 'EUR'), (7, 'one model twice', 'stay', NULL, 'margin', 'margin', 'EUR')) h (place, name, renewal, expansion, margin, cost, currency);

-- To the last minor unit, for every kind of component and every row.
SELECT h.place, h.name, count(DISTINCT b.id) AS rows, bool_and(e.n BETWEEN 2 AND 4 AND NOT e.has_price) AS has_features, bool_and(e.added = e.prediction - e.baseline) AS adds_up, bool_and(e.prediction = v.value AND e.currency = v.currency) AS is_the_value, bool_and(e.status = v.status) AS same_status
FROM hybrids h, book b, LATERAL ltv.hybrid_value(h.m, b) v, LATERAL (SELECT sum(e.contribution) AS added, min(e.prediction) AS prediction, min(e.baseline) AS baseline, count(*) AS n, bool_or(e.feature = 'fee') AS has_price, min(e.currency) AS currency, min(e.status) AS status
    FROM ltv.explain_value(h.m, b, ltv.hybrid_own_terms(h.m)) e) e WHERE b.id <= 40 GROUP BY h.place, h.name ORDER BY h.place;
-- The renewal model alone: as explain_value has it of the model.
SELECT count(*) AS rows, bool_and(a.contribution = b.contribution AND a.baseline = b.baseline) AS same FROM hybrids h, book r, LATERAL ltv.explain_value(h.m, r, ltv.hybrid_own_terms(h.m)) a
JOIN LATERAL ltv.explain_value('stay', r, ltv.hybrid_terms(h.m, r, NULL)) b USING (feature) WHERE h.place = 2 AND r.id <= 40;

-- By brute force: every order of the four components, one after the other from what it says of its average row to what it says of the row; and what
-- a component gets shared among its features as it explains itself. Prices of
-- a hundred million leave next to nothing to the rounding of cents.
CREATE VIEW average AS SELECT avg(usage) AS usage, avg(seats::numeric) AS seats, avg((plan = 'plus')::int) AS plus, avg((plan = 'pro')::int) AS pro FROM book;
CREATE TABLE few AS SELECT * FROM book WHERE id IN (3, 11, 26);
CREATE TABLE rich AS SELECT id, usage, seats, plan, partner, fee * 1000000 AS fee FROM few;
CREATE FUNCTION money(stays boolean, expands boolean, margins boolean, costs boolean, r rich, of_renewal text DEFAULT NULL) RETURNS numeric LANGUAGE sql STABLE AS $$
    -- With a feature's name: its part of the renewal model's way at these amounts, by explain_value.
    WITH a AS (SELECT e.expected AS expansion, m.expected AS margin, c.expected AS cost, e.average AS e0, m.average AS m0, c.average AS c0
               FROM (SELECT min(prediction) AS expected, min(baseline) AS average FROM ltv.explain_amount('growth', r)) e, (SELECT min(prediction) AS expected, min(baseline) AS average FROM ltv.explain_amount('margin', r)) m, (SELECT min(prediction) AS expected, min(baseline) AS average FROM ltv.explain_amount('cost', r)) c)
    SELECT CASE WHEN of_renewal IS NOT NULL THEN v.contribution WHEN stays THEN v.prediction ELSE v.baseline END FROM a, LATERAL ltv.explain_value('stay', r, ltv.contract_terms(r.fee, horizon => 24, currency => 'KWD', expansion => CASE WHEN expands THEN a.expansion ELSE a.e0 END,
        margin => (CASE WHEN margins THEN a.margin ELSE a.m0 END)::numeric, cost_to_serve => (CASE WHEN costs THEN a.cost ELSE a.c0 END)::numeric)) v WHERE v.feature = coalesce(of_renewal, v.feature) LIMIT 1
$$;
WITH coalition AS (
    SELECT f.id, s.e, s.m, s.c, money(false, s.e, s.m, s.c, f) AS out, money(true, s.e, s.m, s.c, f) AS into, money(true, s.e, s.m, s.c, f, 'usage') AS usage, money(true, s.e, s.m, s.c, f, 'seats') AS seats, money(true, s.e, s.m, s.c, f, 'plan') AS plan, s.e::int + s.m::int + s.c::int AS n
    FROM rich f, (SELECT e, m, c FROM unnest('{f,t}'::boolean[]) e, unnest('{f,t}'::boolean[]) m, unnest('{f,t}'::boolean[]) c) s
), weight (n, w) AS (VALUES (0, 6 / 24.0), (1, 2 / 24.0), (2, 2 / 24.0), (3, 6 / 24.0)),
renewal AS (SELECT c.id, f.feature, sum(w.w * f.part) AS part FROM coalition c JOIN weight w USING (n), LATERAL (VALUES ('usage', c.usage), ('seats', c.seats), ('plan', c.plan)) f (feature, part) GROUP BY 1, 2),
amount AS (
    SELECT a.id, x.role, sum(w0.w * (b.out - a.out) + w1.w * (b.into - a.into)) AS part
    FROM unnest('{growth,margin,cost}'::text[]) x (role) JOIN coalition a ON NOT CASE x.role WHEN 'growth' THEN a.e WHEN 'margin' THEN a.m ELSE a.c END
    JOIN coalition b ON b.id = a.id AND b.n = a.n + 1 AND b.e = (a.e OR x.role = 'growth') AND b.m = (a.m OR x.role = 'margin') AND b.c = (a.c OR x.role = 'cost')
    JOIN weight w0 ON w0.n = a.n JOIN weight w1 ON w1.n = a.n + 1 GROUP BY 1, 2
), by_hand AS (
    SELECT id, feature, sum(part) AS part FROM (
        TABLE renewal UNION ALL SELECT a.id, e.feature, (a.part * (e.amount / sum(e.amount) OVER (PARTITION BY a.id, a.role))::numeric) FROM amount a JOIN rich f USING (id), LATERAL ltv.explain_amount(a.role, f) e) p GROUP BY 1, 2
)
SELECT e.id, e.feature, e.contribution, abs(e.contribution / h.part - 1) < 1e-9 AS as_by_hand, abs(e.contribution - h.part) < 0.03 AS to_the_cents FROM rich f, hybrids x, LATERAL (SELECT f.id, v.* FROM ltv.explain_value(x.m, f, ltv.hybrid_own_terms(x.m)) v) e JOIN by_hand h USING (id, feature) WHERE x.place = 1 ORDER BY e.id, e.rank;
-- explain and explain_amount say the same, and score has it as its reasons.
SELECT e.rank, e.feature, e.value, e.contribution, e.direction, e.baseline, e.prediction, e.status, abs(a.amount - e.contribution) < 1e-9 AS same, a.factor, a.scale
FROM few f, hybrids h, LATERAL ltv.explain(h.m, f) e JOIN LATERAL ltv.explain_amount(h.m, f) a USING (rank, feature) WHERE h.place = 1 AND f.id = 11 ORDER BY e.rank;
SELECT rank, feature, value, contribution, prediction FROM few f, hybrids h, LATERAL ltv.explain(h.m, f, top => 1, unit => 'amount') e WHERE h.place = 1 AND f.id = 11 ORDER BY rank;
-- A feature has the same amount however many are told, and the rest is one.
SELECT count(*) AS told, count(*) FILTER (WHERE e.contribution = w.contribution) AS same, bool_and(e.sums = w.sums) AS adds_up
FROM few f, hybrids h, generate_series(1, 3) AS top,
     LATERAL (SELECT v.feature, v.contribution, sum(v.contribution) OVER () AS sums FROM ltv.explain_value(h.m, f, ltv.hybrid_terms(h.m, f), top) v) e
     JOIN LATERAL (SELECT v.feature, v.contribution, sum(v.contribution) OVER () AS sums FROM ltv.explain_value(h.m, f, ltv.hybrid_terms(h.m, f), 50) v) w USING (feature);
SELECT ltv.register_version('worth', 'hybrid', m, '{}', 0, 0) FROM hybrids WHERE place = 1;
SELECT id, estimate, reason_1, reason_1_effect, reason_2, reason_2_effect, reason_3, reason_3_effect FROM ltv.score('worth', 'few', 'id') ORDER BY id;
SELECT bool_and(reason_1 IS NOT NULL AND reason_2 IS NULL) AS one_reason FROM ltv.score('worth', 'few', 'id', explain_top => 1);
-- Terms of one's own, and arguments: as hybrid_value has them.
SELECT e.rank, e.feature, e.contribution, e.prediction, (ltv.hybrid_value(h.m, f, ltv.contract_terms(1.0, horizon => 12, currency => 'EUR'))).value FROM few f, hybrids h, LATERAL ltv.explain_value(h.m, f, ltv.contract_terms(1.0, horizon => 12, currency => 'EUR'), 2) e WHERE h.place = 1 AND f.id = 3 ORDER BY 1;
SELECT bool_and(a = b) AS same FROM few f, hybrids h, LATERAL ltv.explain_value(h.m, f, ltv.contract_terms(5.0, horizon => 12, currency => 'EUR')) a JOIN LATERAL ltv.explain_value(h.m, f, revenue => 5.0, horizon => 12, currency => 'EUR') b USING (feature) WHERE h.place = 1;
-- A component that says the same of the row as of the average row, by features that cancel; rows without a value; what there is no unit for.
SELECT h.name, sum(e.contribution) = min(e.prediction - e.baseline) AS adds_up FROM hybrids h, average a, LATERAL (SELECT a.usage, a.seats, 'plus' AS plan, true AS partner, 100 AS fee) r, LATERAL ltv.explain_value(h.m, r, ltv.hybrid_own_terms(h.m)) e WHERE h.place IN (1, 3, 4) GROUP BY h.place, h.name ORDER BY h.place;
SELECT q.usage, e.* FROM (VALUES (0.5, 3, 'gold', 100.0), (NULL, 3, 'pro', 100.0), (0.5, 3, 'pro', NULL), (0.5, 1000, 'pro', 100.0)) q (usage, seats, plan, fee), hybrids h, LATERAL ltv.explain(h.m, q) e WHERE h.place = 1;
SELECT ltv.explain(m, f, unit => 'probability') FROM hybrids, few f WHERE place = 1 AND id = 3;
SELECT ltv.explain(ltv.fit_hybrid('stay'), f) FROM few f WHERE id = 3;
