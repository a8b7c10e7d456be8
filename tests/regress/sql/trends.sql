-- Trends: slopes against PostgreSQL's own, averages against their definition, first times; any order, any split, any time type.
CREATE TABLE usage AS SELECT i, i % 40 AS account, date '2024-01-01' + (i * 37) % 500 AS day, timestamptz '2024-01-01 00:00:00+00' + make_interval(hours => (i * 37) % 12000) AS at, (i * 7919) % 1000 / 10.0::float8 AS x FROM generate_series(1, 8000) AS i;
-- 2 per unit; a day's worth; the seats of a week.
SELECT ltv.slope_agg(t, x) AS slope FROM (VALUES (1, 2), (2, 4), (3, 6)) AS v (t, x);
SELECT ltv.slope_agg(day, seats) AS per_day, 7 * ltv.slope_agg(day, seats) AS per_week FROM (VALUES (date '2024-02-28', 10), ('2024-02-29', 11), ('2024-03-01', 12)) AS v (day, seats);
SELECT count(*) AS accounts, bool_and(abs(by_day - theirs) <= 1e-9 * abs(theirs) + 1e-13) AS same, bool_and(abs(by_instant - instant) <= 1e-9 * abs(instant) + 1e-13) AS same_instant FROM (
    SELECT ltv.slope_agg(day, x) AS by_day, regr_slope(x, day - date '2024-01-01') AS theirs, ltv.slope_agg(at, x) AS by_instant, regr_slope(x, extract(epoch FROM at - timestamptz '2024-01-01 00:00:00+00')::float8 / 86400) AS instant FROM usage GROUP BY account) AS q;
SELECT ltv.slope_agg(t, x) IS NULL AS nothing FROM (VALUES (1, 2), (1, 4), (NULL, 6), (2, NULL)) AS v (t, x);
SELECT ltv.slope_agg(day, x) OVER (ORDER BY day ROWS 2 PRECEDING) AS moving FROM (VALUES (date '2024-01-01', 1.0), ('2024-01-02', 2), ('2024-01-03', 4), ('2024-01-04', 8)) AS v (day, x);

-- One half-life old counts half: (1 x 2 + 2 x 4) / 3; as of a day.
SELECT ltv.ewma_agg(day, x, 30) AS ewma, ltv.ewma_agg(day, x, 30, '2024-01-30') AS as_of, ltv.ewma_agg(day, x, 1e9) AS nearly_the_mean, ltv.ewma_agg(day, x, 0.01) AS the_last FROM (VALUES (date '2024-01-01', 2), ('2024-01-31', 4)) AS v (day, x);
SELECT ltv.ewma_agg(t, x, 1) AS number, ltv.ewma_agg(timestamptz '2024-01-01 00:00:00+00' + make_interval(days => t), x, 1) AS instant, ltv.ewma_agg(date '2024-01-01' + t, x, 1, date '2024-01-02') AS early FROM (VALUES (0, 1.0), (1, 2), (2, 4), (3, NULL)) AS v (t, x);
-- A row at 0 is not later than -0.
SELECT ltv.ewma_agg(0, 5, 1, '-0') AS kept;
SELECT bool_and(abs(ours - theirs) < 1e-11 * theirs) AS the_definition FROM (
    SELECT ltv.ewma_agg(day, x, 45) AS ours, sum(x * power(2.0::float8, (day - date '2025-06-30') / 45.0::float8)) / sum(power(2.0::float8, (day - date '2025-06-30') / 45.0::float8)) AS theirs FROM usage GROUP BY account) AS q;

-- The first time at which a value is reached; a threshold of each row; never.
SELECT ltv.first_reached_agg(t, x, 3) AS number, ltv.first_reached_agg(date '2024-01-01' + t, x, 3) AS day, ltv.first_reached_agg(timestamptz '2024-01-01 12:00:00+00' + make_interval(days => t), x, 3) AT TIME ZONE 'UTC' AS instant,
       ltv.first_reached_agg(t, x, limit_of_row) AS own, ltv.first_reached_agg(t, x, 100) IS NULL AS never, ltv.first_reached_agg(-t, x, 3) AS negative FROM (VALUES (5, 9, 10), (2, 3, 4), (1, 2, 2), (7, NULL, 1)) AS v (t, x, limit_of_row);
SELECT ltv.first_reached_agg(day, x, 99) = min(day) FILTER (WHERE x >= 99) AS day, ltv.first_reached_agg(at, x, 99) = min(at) FILTER (WHERE x >= 99) AS instant FROM usage;

-- Any order, and in parallel.
SELECT ltv.ewma_agg(day, x, 45 ORDER BY i) - ltv.ewma_agg(day, x, 45 ORDER BY x) < 1e-12 AS ewma, ltv.slope_agg(day, x ORDER BY i) / ltv.slope_agg(day, x ORDER BY x) - 1 < 1e-9 AS slope FROM usage;
CREATE TABLE serial AS SELECT ltv.ewma_agg(day, x, 45) AS e, ltv.slope_agg(at, x) AS s, ltv.first_reached_agg(day, x, 99.5) AS f FROM usage;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT abs(ltv.ewma_agg(day, x, 45) / (SELECT e FROM serial) - 1) < 1e-12 AS ewma, abs(ltv.slope_agg(at, x) / (SELECT s FROM serial) - 1) < 1e-9 AS slope, ltv.first_reached_agg(day, x, 99.5) = (SELECT f FROM serial) AS first FROM usage;

-- Errors.
SELECT ltv.slope_agg('NaN'::float8, 1);
SELECT ltv.slope_agg(1, 'Infinity');
SELECT ltv.slope_agg(date 'infinity', 1);
SELECT ltv.slope_agg(t, 1) FROM (VALUES (1e300::float8), (-1e300)) AS v (t);
SELECT ltv.ewma_agg(1, 1, 0);
SELECT ltv.ewma_agg(t, 1, t) FROM generate_series(1, 2) AS t;
SELECT ltv.ewma_agg(1e15, 1, 1);
SELECT ltv.first_reached_agg(1, 'NaN', 1);
SELECT ltv.first_reached_agg(timestamptz '-infinity', 1, 1);
SELECT ltv._slope_add(NULL, 1::float8, 1);
SELECT ltv._ewma_final('\x01');
SELECT ltv._slope_final('\x0100000000000000000000000000000000000000000000000000000000000000000000000000f03f0000');
