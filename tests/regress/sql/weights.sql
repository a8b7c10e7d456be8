-- What a row counts where outcomes are held against what was expected of them.
-- Some answers are compared to the last bit, so sums are taken in one order of the rows.
SET max_parallel_workers = 0;
\set ECHO none
CREATE TABLE customers AS
SELECT i AS id, (ARRAY['basic', 'pro', 'enterprise'])[1 + i % 3] AS plan, (hashint4(i) & 65535) / 65536.0::float8 AS usage, date '2022-01-01' + i / 3 AS started,
       least(t, 1 + (hashint4(i + 7) & 1023) / 30.0) AS months, t <= 1 + (hashint4(i + 7) & 1023) / 30.0 AS gone, 10 + i * 7 % 40 + 20 * (hashint4(i) & 65535) / 65536.0 AS price, i % 4 = 0 AS held
FROM generate_series(1, 3000) AS i, LATERAL (SELECT 0.5 + 25 * -ln(1 - (hashint4(i + 99) & 65535) / 65537.0) * exp((hashint4(i) & 65535) / 65536.0 + 0.3 * (i % 3)) / 2 AS t) AS x;
-- Of those who stayed one in six was kept.
CREATE TABLE sample AS SELECT *, CASE WHEN gone THEN 1 ELSE 6 END AS counts FROM customers WHERE gone OR id / 3 % 6 = 0;
ANALYZE customers; ANALYZE sample;
\set ECHO all

-- On the rows of the training themselves observed is what is expected, by weight as evaluate has it; and nothing is due.
SELECT DISTINCT t.model FROM ltv.train('decided', 'sample', 'renewal', event => 'gone', weight => 'counts', features => '{plan,usage}') AS t;
SELECT DISTINCT t.model FROM ltv.train('lasting', 'sample', 'cox', 'months', 'gone', weight => 'counts', features => '{plan,usage}', horizon => 12) AS t;
SELECT DISTINCT t.model FROM ltv.train('paying', 'sample', 'linear', target => 'price', weight => 'counts', features => '{plan,usage}') AS t;
SELECT m.name, d.input, round(d.value::numeric, 4) AS value, d.is_anomaly, d.n_base, d.n_now, d.detail, round(d.lower::numeric, 4) AS lower, round(d.upper::numeric, 4) AS upper
FROM unnest(ARRAY['decided', 'lasting', 'paying']) AS m (name), LATERAL ltv.drift(m.name, 'sample') AS d WHERE d.metric = 'observed_expected' ORDER BY 1;
SELECT round(e.observed_to_expected::numeric, 6) AS evaluated, abs(e.observed_to_expected - d.value) < 1e-8 AS the_same FROM ltv.evaluate('decided', 'sample') AS e, ltv.drift('decided', 'sample') AS d WHERE d.metric = 'observed_expected';
SELECT r.check_name, r.is_due, r.detail FROM unnest(ARRAY['decided', 'lasting', 'paying']) AS m (name), LATERAL ltv.retrain_due(m.name, 'sample') AS r WHERE r.check_name <> 'age' ORDER BY m.name, r.check_name;
-- By hand: the sum of the weights of those who left over that of the weighted hazards, and the interval of Fay and Feuer; in segments too.
SELECT round((sum(counts) FILTER (WHERE gone) / sum(counts * ltv.expected_events('lasting', s, months)))::numeric, 4) AS value,
       round((min(i.lower) / sum(counts * ltv.expected_events('lasting', s, months)))::numeric, 4) AS lower, round((min(i.upper) / sum(counts * ltv.expected_events('lasting', s, months)))::numeric, 4) AS upper
FROM sample AS s, (SELECT w.* FROM (SELECT sum(counts) AS y, sum(counts * counts) AS v FROM sample WHERE gone) AS g, LATERAL ltv.weighted_poisson_interval(g.y, g.v, 6, 0.99) AS w) AS i;
SELECT d.segment, round(d.value::numeric, 4) AS value, d.n_now, round(h.value::numeric, 4) AS by_hand
FROM ltv.drift('decided', 'sample', by => 'plan') AS d JOIN (SELECT plan, sum(counts) FILTER (WHERE NOT gone) / sum(counts * (1 - ltv.renewal_probability('decided', s, 12))) AS value FROM sample AS s GROUP BY plan) AS h ON h.plan = d.segment
WHERE d.metric = 'observed_expected' ORDER BY 1;
SELECT round((1 - 2.5758293035489 * sqrt(count(*)) * stddev_samp(counts * (price - ltv.expected_value('paying', s))) / sum(counts * ltv.expected_value('paying', s)))::numeric, 4) AS lower FROM sample AS s;
-- A weight is how often a row stands there: the ratio is that of the rows so often.
CREATE VIEW repeated AS SELECT s.*, 1 AS again FROM sample AS s, generate_series(1, s.counts);
CREATE VIEW once AS SELECT id, plan, usage, months, gone, price FROM repeated;
CREATE VIEW weighed_alike AS SELECT id, plan, usage, months, gone, price, 1 AS counts FROM repeated;
SELECT m.name, bool_and(abs(d.value - e.value) < 1e-9) AS the_same, min(e.detail) AS detail, bool_and(e.lower = f.lower AND e.upper = f.upper AND e.value = f.value) AS weights_of_one_change_nothing
FROM unnest(ARRAY['decided', 'lasting', 'paying']) AS m (name), LATERAL ltv.drift(m.name, 'sample') AS d, LATERAL ltv.drift(m.name, 'once') AS e, LATERAL ltv.drift(m.name, 'weighed_alike') AS f
WHERE d.metric = 'observed_expected' AND e.metric = 'observed_expected' AND f.metric = 'observed_expected' GROUP BY 1 ORDER BY 1;
-- Rows of weight 0 or NULL are left out, others are refused by name.
CREATE VIEW partly AS SELECT id, plan, usage, months, gone, price, CASE id % 5 WHEN 0 THEN 0 WHEN 1 THEN NULL ELSE counts END AS counts FROM sample;
CREATE VIEW fewer AS SELECT * FROM sample WHERE id % 5 > 1;
SELECT m.name, d.value = e.value AND d.lower = e.lower AND d.upper = e.upper AS the_same FROM unnest(ARRAY['decided', 'lasting', 'paying']) AS m (name), LATERAL ltv.drift(m.name, 'partly') AS d, LATERAL ltv.drift(m.name, 'fewer') AS e
WHERE d.metric = 'observed_expected' AND e.metric = 'observed_expected' ORDER BY 1;
CREATE VIEW negative AS SELECT id, plan, usage, months, gone, -1.0 AS counts FROM sample;
SELECT * FROM ltv.drift('lasting', 'negative');
CREATE VIEW unbounded AS SELECT id, plan, usage, months, gone, 'NaN'::float8 AS counts FROM sample;
SELECT * FROM ltv.drift('lasting', 'unbounded');
CREATE VIEW worded AS SELECT id, plan, usage, months, gone, counts::text AS counts FROM sample;
SELECT * FROM ltv.drift('lasting', 'worded');
-- The interval: three events of weight 1 and two of weight 6 (see the tests of the engine), in any unit; of weights of 1 it is the exact one.
SELECT round(i.lower::numeric, 9) AS lower, round(i.upper::numeric, 9) AS upper FROM ltv.weighted_poisson_interval(15, 75, 6) AS i;
SELECT round(i.lower::numeric, 9) AS lower, round(i.upper::numeric, 9) AS upper FROM ltv.weighted_poisson_interval(0, 0, 6) AS i;
SELECT bool_and(w.lower = p.lower AND w.upper = p.upper) AS to_the_bit FROM generate_series(0, 300) AS n, LATERAL ltv.weighted_poisson_interval(n, n, 1) AS w, LATERAL ltv.poisson_interval(n) AS p;
SELECT * FROM ltv.weighted_poisson_interval(1, 2, 5);
SELECT * FROM ltv.weighted_poisson_interval(1, 1, 0);
SELECT * FROM ltv.weighted_poisson_interval(1, 1, 1, 1);
