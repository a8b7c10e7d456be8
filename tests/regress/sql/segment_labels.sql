-- Rows are put together by their values: no two groups have one name, and none is called as all together.
SELECT ltv.segment_label(v) AS alone, ltv.segment_label(v, true) AS of_several
FROM unnest(ARRAY['basic', 'All', 'all', '(null)', NULL, '', '"', 'say "yes"', '"all"', 'a / b', 'a /', '/ a', 'a/b']) WITH ORDINALITY AS u (v, place) ORDER BY place;
-- All rows of one, two and three of these have different names.
CREATE TABLE parts AS SELECT v FROM unnest(ARRAY['a', 'b', '/', '', ' ', '"', 'a / b', 'a /', '/ b', '"a', 'b"', '(null)', '"(null)"', 'all', NULL]) AS u (v);
SELECT count(*) AS values, count(DISTINCT ltv.segment_label(v)) AS names, count(*) FILTER (WHERE ltv.segment_label(v) = 'all') AS called_all FROM parts;
SELECT count(*) AS values, count(DISTINCT ltv.segment_label(a.v, true) || ' / ' || ltv.segment_label(b.v, true)) AS names FROM parts AS a, parts AS b;
SELECT count(*) AS values, count(DISTINCT ltv.segment_label(a.v, true) || ' / ' || ltv.segment_label(b.v, true) || ' / ' || ltv.segment_label(c.v, true)) AS names FROM parts AS a, parts AS b, parts AS c;

\set ECHO none
CREATE TABLE customers AS
SELECT i AS id, (ARRAY['basic', 'pro', 'enterprise'])[1 + i % 3] AS plan, (hashint4(i) & 65535) / 65536.0::float8 AS usage, 10.0 + i % 7 AS price,
       least(t, 1 + (hashint4(i + 7) & 1023) / 30.0) AS months, t <= 1 + (hashint4(i + 7) & 1023) / 30.0 AS gone,
       CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '(null)' WHEN 2 THEN 'all' ELSE 'x' END AS kind, CASE WHEN i % 2 = 0 THEN 'a / b' ELSE 'a' END AS p, CASE WHEN i % 2 = 0 THEN 'c' ELSE 'b / c' END AS q
FROM generate_series(1, 1200) AS i, LATERAL (SELECT 0.5 + 25 * -ln(1 - (hashint4(i + 99) & 65535) / 65537.0) * exp((hashint4(i) & 65535) / 65536.0 + 0.3 * (i % 3)) / 2 AS t) AS x;
ANALYZE customers;
\set ECHO all
SELECT DISTINCT model FROM ltv.train('stay', 'customers', 'weibull', 'months', 'gone', features => '{plan,usage}', horizon => 12);
SELECT DISTINCT model FROM ltv.train('price', 'customers', 'linear', target => 'price', features => '{plan}');
SELECT segment, n FROM ltv.evaluate('stay', 'customers', by => '{kind}') ORDER BY segment COLLATE "C";
SELECT segment, n FROM ltv.evaluate('stay', 'customers', by => '{p,q}') ORDER BY segment COLLATE "C";
SELECT segment, n FROM ltv.evaluate('stay', 'customers', by => '{plan,kind}') ORDER BY segment COLLATE "C";
SELECT segment, n FROM ltv.evaluate('stay', 'customers', by => '{kind}', censoring => 'grouped') ORDER BY segment COLLATE "C";
SELECT segment, n FROM ltv.fairness('stay', 'customers', '{kind}') ORDER BY segment COLLATE "C";
SELECT segment, n FROM ltv.fairness('stay', 'customers', '{p,q}', censoring => 'grouped') ORDER BY segment COLLATE "C";
SELECT segment, sum(n) AS n FROM ltv.lift('stay', 'customers', by => '{p,q}', buckets => 2) GROUP BY 1 ORDER BY segment COLLATE "C";
SELECT segment, sum(n) AS n FROM ltv.calibration('stay', 'customers', by => '{kind}', bins => 2) GROUP BY 1 ORDER BY segment COLLATE "C";
SELECT segment, n FROM ltv.predicted_vs_actual('stay', 'customers', by => '{kind}') ORDER BY segment COLLATE "C";
SELECT segment, n FROM ltv.predicted_vs_actual('price', 'customers', by => '{p,q}') ORDER BY segment COLLATE "C";
SELECT segment, n FROM ltv.best_threshold('stay', 'customers', capacity => 100, by => '{p,q}') ORDER BY segment COLLATE "C";
SELECT segment, flagged FROM ltv.precision_recall('stay', 'customers', at => '{0}', by => '{kind}') ORDER BY segment COLLATE "C";
SELECT cell, n FROM ltv.error_hotspots('stay', 'customers', features => '{kind}') ORDER BY cell COLLATE "C";
SELECT segment, max(n_now) FILTER (WHERE input = 'usage') AS n FROM ltv.drift('stay', 'customers', by => 'kind') GROUP BY 1 ORDER BY segment COLLATE "C";
SELECT segment, sum(n) AS n FROM ltv.segment_profile('customers', 'kind', '{plan}') GROUP BY 1 ORDER BY segment COLLATE "C";
-- Each is what it is alone.
CREATE VIEW called_all AS SELECT * FROM customers WHERE kind = 'all';
SELECT g.n = w.n AND abs(g.brier - w.brier) < 1e-12 AS the_same FROM ltv.evaluate('stay', 'customers', by => '{kind}') AS g, ltv.evaluate('stay', 'called_all') AS w WHERE g.segment = '"all"';
