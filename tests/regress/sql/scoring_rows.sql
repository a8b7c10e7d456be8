-- However a row keeps its features, its score is the same to the last bit: the short ways through a row against predict,
-- which takes the long one, and against plain doubles.
SET max_parallel_workers = 0;
CREATE TABLE plain AS
    SELECT i AS id, (i * 37 % 101) / 7.0::float8 AS x1, sin(i) AS x2, (i * i % 11)::float8 AS x3, i % 3 = 0 AS x4,
           1 + i * 7919 % 400 AS days, i % 5 <> 0 AS churned
    FROM generate_series(1, 600) AS i;
SELECT count(*) AS trained FROM ltv.train('plain', 'plain', 'cox', 'days', 'churned', features => ARRAY['x1', 'x2', 'x3', 'x4']);
CREATE TABLE expected AS SELECT id, ltv.renewal_probability('plain', r, 90, given => 30) AS p
    FROM (SELECT id, 'long way' AS before, x1, x2, x3, x4 FROM plain) AS r;
SELECT count(*) AS rows, count(DISTINCT p) AS probabilities, bool_and(p > 0 AND p < 1) AS inside FROM expected;
-- By value, by name and by predict; the whole row, a subquery's, a view's, an anonymous one.
CREATE VIEW seen AS SELECT x4, x3, x2, x1, id FROM plain;
SELECT way, count(*) AS rows, count(*) FILTER (WHERE way.p IS DISTINCT FROM expected.p) AS different
FROM (SELECT 'by value' AS way, id, ltv.renewal_probability((SELECT ltv.model('plain')), plain, 90, 30) AS p FROM plain
    UNION ALL SELECT 'by name', id, ltv.renewal_probability('plain', plain, 90, 30) FROM plain
    UNION ALL SELECT 'predict', id, (ltv.predict('plain', plain, 90, 30)).renewal_probability FROM plain
    UNION ALL SELECT 'subquery', id, ltv.renewal_probability('plain', r, 90, 30) FROM (SELECT id, x2, x1, x4, x3 FROM plain OFFSET 0) AS r
    UNION ALL SELECT 'view', id, ltv.renewal_probability('plain', seen, 90, 30) FROM seen
    UNION ALL SELECT 'narrow', id, ltv.renewal_probability('plain', r, 90, 30) FROM (SELECT id, x1, x2::float8, x3::int2, x4::int AS x4 FROM plain) AS r
    UNION ALL SELECT 'wide', id, ltv.renewal_probability('plain', r, 90, 30) FROM (SELECT id, x3::int8, x4::int::real, x1, x2 FROM plain) AS r
) AS way JOIN expected USING (id) GROUP BY way ORDER BY way;
-- Columns that were dropped, that came later with a value, that are NULL before a feature, and texts before it: short,
-- compressed, and out of line.
CREATE TABLE grown (gone text, note text, packed text, id int, x1 float8, gone_too int, x2 float8, x3 float8);
ALTER TABLE grown ALTER COLUMN note SET STORAGE EXTERNAL;
INSERT INTO grown SELECT 'gone', CASE id % 4 WHEN 0 THEN NULL WHEN 1 THEN 'short' WHEN 2 THEN repeat('a', 300) ELSE repeat(md5(id::text), 300) END,
    repeat('c', 10 * id), id, x1, id, x2, x3 FROM plain WHERE x4;
ALTER TABLE grown DROP COLUMN gone, DROP COLUMN gone_too, ADD COLUMN x4 boolean DEFAULT true;
INSERT INTO grown SELECT repeat('b', 5000), repeat('c', 10 * id), id, x1, x2, x3, x4 FROM plain WHERE NOT x4;
SELECT note IS NULL AS without_note, count(*) AS rows, count(*) FILTER (WHERE ltv.renewal_probability('plain', grown, 90, 30) IS DISTINCT FROM p) AS different,
       count(*) FILTER (WHERE (ltv.predict('plain', grown, 90, 30)).renewal_probability IS DISTINCT FROM p) AS differently_predicted
FROM grown JOIN expected USING (id) GROUP BY 1 ORDER BY 1;
CREATE TABLE fixed (nothing int, id int, x1 float8, gone int, x2 float8, x3 float8, x4 boolean);
INSERT INTO fixed SELECT CASE WHEN id % 2 = 0 THEN id END, id, x1, id, x2, x3, x4 FROM plain;
ALTER TABLE fixed DROP COLUMN gone;
SELECT nothing IS NULL AS has_null, count(*) AS rows, count(*) FILTER (WHERE ltv.renewal_probability('plain', fixed, 90, 30) IS DISTINCT FROM p) AS different
FROM fixed JOIN expected USING (id) GROUP BY 1 ORDER BY 1;
-- A type that changes between two executions of a prepared statement, by name and by value.
PREPARE named AS SELECT count(*) AS rows, count(*) FILTER (WHERE ltv.renewal_probability('plain', fixed, 90, 30) IS DISTINCT FROM p) AS different
    FROM fixed JOIN expected USING (id);
PREPARE valued AS SELECT count(*) AS rows, count(*) FILTER (WHERE ltv.renewal_probability((SELECT ltv.model('plain')), fixed, 90, 30) IS DISTINCT FROM p) AS different
    FROM fixed JOIN expected USING (id);
EXECUTE named;
EXECUTE valued;
ALTER TABLE fixed ALTER COLUMN x3 TYPE int;
EXECUTE named;
EXECUTE valued;
ALTER TABLE fixed ALTER COLUMN x3 TYPE numeric(10, 2), ALTER COLUMN nothing TYPE text;
EXECUTE named;
EXECUTE valued;
ALTER TABLE fixed ALTER COLUMN x4 TYPE text USING 'yes';
EXECUTE named;
-- The score of nothing is none, and of a number that is none; the reasons are predict's.
SELECT row.x2, ltv.renewal_probability('plain', row, 90) AS p, (ltv.predict('plain', row, 90)).status
FROM (SELECT 1::float8 AS x1, x2, 2::float8 AS x3, true AS x4 FROM unnest(ARRAY[NULL, 'NaN', 'Infinity', '-Infinity']::float8[]) AS x2) AS row ORDER BY 1;
SELECT ltv.renewal_probability('plain', row, 90) = 0 AS nobody, ltv.renewal_probability('plain', row, 90) = (ltv.predict('plain', row, 90)).renewal_probability AS same
FROM (SELECT CASE WHEN estimate > 0 THEN 1e6 ELSE -1e6 END AS x1, 0 AS x2, 0 AS x3, true AS x4 FROM ltv.coefficients(ltv.model('plain')) WHERE term = 'x1') AS row;
SELECT ltv.renewal_probability('plain', plain, -1) FROM plain WHERE id = 1;
SELECT ltv.renewal_probability('plain', plain, 90, given => 'NaN') FROM plain WHERE id = 1;
-- A numeric becomes the double that float8(numeric) makes of it: seen in the linear predictor, whose bits are the number's.
CREATE TABLE ones AS SELECT (i % 97)::float8 AS x, 1 + i * 31 % 89 AS days, i % 3 <> 0 AS churned FROM generate_series(1, 300) AS i;
SELECT count(*) AS trained FROM ltv.train('ones', 'ones', 'cox', 'days', 'churned', features => ARRAY['x']);
CREATE TABLE amounts AS
    SELECT sign * (i * 7919::numeric * step % 100000007) * scale AS x
    FROM generate_series(0, 60) AS i, unnest(ARRAY[1, 97, 1234567]) AS step, unnest(ARRAY[1, -1]) AS sign,
         unnest(ARRAY[1, 10000, 0.1, 0.01, 0.0001, 0.00001, 1e-12, 1e-20, 123456789012, 1e16, 3e-17, 0.333333333333]::numeric[]) AS scale
    UNION ALL SELECT x::numeric FROM unnest(ARRAY['0', '0.00', '9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993',
        '9999999999999999', '0.9999999999999999', '1e-60', '-1e60', '123456789.123456789', '10000', '0.0001', '12345.00000', '1e22', '1e24']) AS x;
SELECT count(*) AS numbers, count(*) FILTER (WHERE a.linear_predictor IS DISTINCT FROM b.linear_predictor) AS different,
       count(DISTINCT a.linear_predictor) > 2000 AS of_many
FROM amounts, LATERAL (SELECT (ltv.predict('ones', r, 10)).linear_predictor FROM (SELECT amounts.x) AS r) AS a,
     LATERAL (SELECT (ltv.predict('ones', r, 10)).linear_predictor FROM (SELECT amounts.x::float8 AS x) AS r) AS b;
SELECT x, (ltv.predict('ones', r, 10)).status FROM (SELECT x FROM unnest(ARRAY['NaN', 'Infinity', '-Infinity']::numeric[]) AS x) AS r ORDER BY 1;
