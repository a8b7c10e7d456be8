-- A book of contracts for the benchmark: :rows rows, each a pure function of its number, so that every run and every
-- tool sees the same data. Durations in whole days, Weibull with covariates, 40 % censored, three in ten observed late.
DROP TABLE IF EXISTS contracts;
CREATE UNLOGGED TABLE contracts AS
WITH uniform AS MATERIALIZED (
    SELECT i, array_agg(((hashint8extended(i, k) & 9007199254740991)::float8 + 0.5) / 9007199254740992.0 ORDER BY k) AS u
    FROM generate_series(1::bigint, :rows) i, generate_series(1, 29) k GROUP BY i
), drawn AS (
    SELECT i, u,
           sqrt(-2 * ln(u[11])) * cos(6.283185307179586 * u[21]) AS x1, sqrt(-2 * ln(u[12])) * cos(6.283185307179586 * u[22]) AS x2,
           sqrt(-2 * ln(u[13])) * cos(6.283185307179586 * u[23]) AS x3, sqrt(-2 * ln(u[14])) * cos(6.283185307179586 * u[24]) AS x4,
           (u[15] < 0.3)::int::float8 AS x5, (u[16] < 0.5)::int::float8 AS x6, u[17] AS x7, -ln(u[18]) AS x8,
           sqrt(-2 * ln(u[19])) * cos(6.283185307179586 * u[25]) AS x9, floor(10 * u[20]) AS x10
    FROM uniform
), timed AS (
    SELECT *, 1100 * power(-ln(u[4]) / exp(0.30*x1 - 0.25*x2 + 0.15*x3 + 0.40*x5 - 0.35*x6 + 0.20*x7 + 0.10*x8 + 0.05*x9 - 0.03*x10
                                           + 0.05 * floor(10 * u[1])), 1 / 1.3) AS event_time,
           3900 * power(u[5], 1.7) AS censoring_time
    FROM drawn
)
SELECT i AS id, floor(10 * u[1])::smallint AS segment, floor(10000 * u[2])::int AS cohort,
       greatest(1, least(3650, ceil(least(event_time, censoring_time))))::int AS days,
       least(3650, least(event_time, censoring_time)) AS exact_days,
       (event_time <= censoring_time AND event_time <= 3650) AS churned,
       CASE WHEN u[6] < 0.3 THEN floor(u[6] / 0.3 * least(365, greatest(0, ceil(least(event_time, censoring_time)) - 1)))::int ELSE 0 END AS entry,
       1 / (1 + exp(-(0.7 - x1))) AS probability, (u[7] < 1 / (1 + exp(-(0.8 - 1.2 * x1)))) AS renewed,
       x1, x2, x3, x4, x5, x6, x7, x8, x9, x10
FROM timed ORDER BY i;
VACUUM (ANALYZE, FREEZE) contracts;
