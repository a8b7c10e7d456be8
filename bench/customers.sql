-- What the money tasks read: a curve in months from the contracts, payments by date, and :rows customers who buy at random
-- and leave unseen (BG/NBD with r = 1, alpha = 10 weeks, a = 1, b = 3), counted in whole weeks.
DROP TABLE IF EXISTS curve, payments, customers;
CREATE TABLE curve AS SELECT ltv.survival_agg((days + 29) / 30, churned) AS s FROM contracts;
CREATE UNLOGGED TABLE payments AS
SELECT round((1 + 99 * x7)::numeric, 2) AS amount, date '2015-01-01' + days AS paid_on FROM contracts;
CREATE FUNCTION pg_temp.uniform(i bigint, k bigint) RETURNS double precision LANGUAGE sql IMMUTABLE
    RETURN ((hashint8extended(hashint8extended(i, k), 7) & 9007199254740991)::float8 + 0.5) / 9007199254740992.0;
CREATE UNLOGGED TABLE customers AS
SELECT i AS id, b.frequency, b.recency, c.age
FROM generate_series(1::bigint, :rows) i,
LATERAL (SELECT -ln(pg_temp.uniform(i, 1)) / 10 AS rate, 1 - pg_temp.uniform(i, 2) ^ (1 / 3.0) AS leaves, 27 + i % 13 AS age) c,
LATERAL (SELECT count(*) AS frequency, coalesce(ceil(max(t)), 0) AS recency
         FROM (SELECT sum(-ln(pg_temp.uniform(i, 10 + k)) / c.rate) OVER (ORDER BY k) AS t
               FROM generate_series(1, least(30, ceil(ln(pg_temp.uniform(i, 3)) / ln(1 - c.leaves)))::bigint) k) w
         WHERE t <= c.age) b;
VACUUM (ANALYZE, FREEZE) payments;
VACUUM (ANALYZE, FREEZE) customers;
