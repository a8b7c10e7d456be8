-- The hash of a row without the row: PostgreSQL's own, for every type and for what is special in it.
CREATE DOMAIN amount AS double precision;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE kinds (f float8, r real, n numeric, i integer, b bigint, s smallint, yes boolean, d date, at timestamp, t text COLLATE "C", m mood, a amount, l float8[]);
INSERT INTO kinds
SELECT i * 1.7 - 3, i / 3.0, i * 1e20, i - 5, i * 10000000000, i, i % 2 = 0, date '2024-01-01' + i, timestamp '2024-01-01' + i * interval '1 s', repeat('x', i), 'ok', i, ARRAY[i, NULL]
FROM generate_series(1, 20) AS i;
INSERT INTO kinds (f) VALUES ('NaN'), (0), ('-0'), ('Infinity'), ('-Infinity'), (5e-324), (1.7e308), (NULL);
INSERT INTO kinds (r, a, b) VALUES ('NaN', '-0', -9223372036854775808), ('-0', 'NaN', 9223372036854775807), ('Infinity', '-Infinity', -1);
SELECT count(*) AS rows, count(*) FILTER (WHERE ltv.row_hash(f, r, n, i, b, s, yes, d, at, t, m, a, l) = hash_record_extended(ROW(f, r, n, i, b, s, yes, d, at, t, m, a, l), 0)) AS same,
       count(*) FILTER (WHERE ltv.row_hash(f) = hash_record_extended(ROW(f), 0)) AS same_alone,
       count(DISTINCT ltv.row_hash(f, r, n, i, b, s, yes, d, at, t, m, a, l)) AS different
FROM kinds;
SELECT ltv.row_hash(0.0::float8) = ltv.row_hash(-0.0::float8) AS zeros, ltv.row_hash('NaN'::float8) = ltv.row_hash('Infinity'::float8 - 'Infinity'::float8) AS nans,
       ltv.row_hash(NULL::float8, 1) = ltv.row_hash(1, NULL::float8) AS any_order;
-- Literals of no type are text; columns may have different collations.
SELECT ltv.row_hash(NULL) = hash_record_extended(ROW(NULL::text), 0) AS nothing, ltv.row_hash('a', NULL, 1) = hash_record_extended(ROW('a'::text, NULL::text, 1), 0) AS literals,
       ltv.row_hash(a, b, c) = hash_record_extended(ROW(a, b, c), 0) AS collations,
       ltv.row_hash(VARIADIC ARRAY[1, 2]) = hash_record_extended(ROW(ARRAY[1, 2]), 0) AS an_array
FROM (VALUES ('é' COLLATE "C", 'é' COLLATE "POSIX", 'é' COLLATE "default")) v (a, b, c);
SELECT ltv.row_hash('{}'::json);
-- More columns than a function has arguments.
SELECT format('CREATE TABLE wide AS SELECT %s FROM generate_series(1, 5) AS i', string_agg(format('i * %s AS c%s', at, at), ', ' ORDER BY at)) FROM generate_series(1, 101) AS at \gexec
CREATE VIEW backwards AS SELECT * FROM wide ORDER BY c1 DESC;
SELECT ltv.data_fingerprint('backwards') = ltv.data_fingerprint('wide') AS same,
       ltv.data_fingerprint('wide', ARRAY(SELECT 'c' || at FROM generate_series(1, 100) AS at)) <> ltv.data_fingerprint('wide') AS of_fewer_columns_other;
-- How the session writes its values is no part of them; money has a fingerprint too.
CREATE TABLE written AS SELECT i * interval '1 day' AS pause, decode(md5(i::text), 'hex') AS bytes, tstzrange('2024-01-01 12:00Z'::timestamptz + i * interval '1 h', NULL) AS since,
       ARRAY[i / 3.0::float8] AS shares, ARRAY['2024-03-31 12:00Z'::timestamptz] AS moments, (i * 1.5)::numeric::money AS price FROM generate_series(1, 50) AS i;
CREATE TABLE before AS SELECT c, ltv.data_fingerprint('written', ARRAY[c]) AS f FROM unnest('{pause,bytes,since,shares,moments,price}'::text[]) AS c;
BEGIN;
SET LOCAL IntervalStyle = 'iso_8601'; SET LOCAL bytea_output = 'escape'; SET LOCAL extra_float_digits = -5; SET LOCAL TimeZone = 'Asia/Tokyo'; SET LOCAL DateStyle = 'German';
SELECT count(*), count(DISTINCT f) AS different, bool_and(f = ltv.data_fingerprint('written', ARRAY[c])) AS same FROM before;
COMMIT;
DROP TABLE written, before;
DROP VIEW backwards;
DROP TABLE kinds, wide;
DROP DOMAIN amount;
DROP TYPE mood;
