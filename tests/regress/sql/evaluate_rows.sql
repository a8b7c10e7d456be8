-- Which rows a model is judged on: those that training held out, as they were known on its day; and the rows it learnt from, under any name.
\set ECHO none
-- Customers who sign on evenly over five years; monthly ones leave sooner, and as long as data are kept some leave.
CREATE TABLE book AS
SELECT customer_id, signed_on, left_on, contract, price, ltv.months_between(signed_on, coalesce(left_on, '2025-01-01')) AS months, left_on IS NOT NULL AS gone, (left_on IS NOT NULL)::int AS lost,
       coalesce(left_on, '2025-01-01') - signed_on AS days, (coalesce(left_on, '2025-01-01') - signed_on) / 7.0 AS weeks, ltv.months_between(signed_on, coalesce(left_on, '2025-01-01')) / 12 AS years,
       ltv.months_between(signed_on, coalesce(left_on, '2025-01-01')) / 24 AS entered, signed_on + 3 AS known_on, 'x'::text AS note
FROM (SELECT *, CASE WHEN signed_on + lasted < '2025-01-01' THEN signed_on + lasted END AS left_on
      FROM (SELECT 'c' || i AS customer_id, date '2020-01-01' + i * 1800 / 4000 AS signed_on, CASE i % 3 WHEN 0 THEN 'yearly' ELSE 'monthly' END AS contract, 20 + i % 80 AS price,
                   1 + floor(-ln((i * 7919 % 3989 + 0.5) / 3989) * CASE i % 3 WHEN 0 THEN 1500 ELSE 500 END * (1 - i % 80 / 200.0))::int AS lasted
            FROM generate_series(1, 4000) i) c) t;
ANALYZE book;
\set ECHO all

-- A training as of a day with a holdout: the same number of rows and the same Brier score as training had, in every unit.
CREATE TABLE trained AS
SELECT c.unit, t.* FROM (VALUES ('month', 'months', 'gone'), ('week', 'weeks', 'lost'), ('day', 'days', 'gone'), ('year', 'years', 'lost')) c (unit, duration, event),
       LATERAL ltv.train('by ' || c.unit, 'book', 'cox', c.duration, c.event, features => '{contract,price}', as_of => '2023-06-01', started_on => 'signed_on', unit => c.unit,
                         holdout => '{"by": "signed_on", "last": "12 months"}', horizon => CASE c.unit WHEN 'month' THEN 6 WHEN 'week' THEN 26 WHEN 'day' THEN 180 ELSE 0.5 END) t;
SELECT t.unit, t.n_holdout, e.n, e.n = t.n_holdout AS the_same_rows, abs(e.brier - t.value) < 1e-12 AS the_same_score, e.status
FROM trained t, LATERAL ltv.evaluate('by ' || t.unit, 'book') e WHERE t.metric LIKE 'brier%' ORDER BY t.unit;
-- By hand.
SELECT count(*) AS n, sum((gone AND months <= least(6, ltv.months_between(signed_on, '2023-06-01')))::int) AS n_events FROM book WHERE signed_on > date '2023-06-01' - interval '12 months' AND signed_on <= '2023-06-01';
SELECT n, n_events FROM ltv.evaluate('by month', 'book');
-- All that read rows so have these.
SELECT (SELECT sum(n) FROM ltv.calibration('by month', 'book')) AS calibration, (SELECT sum(n) FROM ltv.lift('by month', 'book')) AS lift, (SELECT n FROM ltv.predicted_vs_actual('by month', 'book')) AS predicted_vs_actual,
       (SELECT n FROM ltv.fairness('by month', 'book', '{contract}') WHERE segment = 'all') AS fairness, (SELECT n FROM ltv.best_threshold('by month', 'book', capacity => 100)) AS best_threshold,
       (SELECT max(flagged) FROM ltv.precision_recall('by month', 'book')) AS precision_recall, (SELECT sum(n) FROM ltv.error_hotspots('by month', 'book', features => '{contract}')) AS error_hotspots,
       (SELECT min(n_rows) FROM ltv.recalibrate('by month', 'book', 'intercept')) AS recalibrate;
-- What comes later changes nothing: other rows, other outcomes.
CREATE TABLE kept AS SELECT e.* FROM ltv.evaluate('by month@1', 'book') e;
INSERT INTO book SELECT 'later ' || i, date '2023-06-01' + i, NULL, 'yearly', 1, 3, false, 0, 90, 13, 0.25, 0, date '2023-06-01' + i, 'x' FROM generate_series(1, 200) i;
UPDATE book SET months = months + 5, gone = true, lost = 1 WHERE NOT gone AND signed_on <= '2023-06-01' AND months > ltv.months_between(signed_on, '2023-06-01') + 1;
SELECT k.n = e.n AND k.brier = e.brier AND k.n_events = e.n_events AS the_same, e.n FROM kept k, ltv.evaluate('by month@1', 'book') e;
-- With an entry, and by what was known: whoever was not yet watched is left out, and whoever was known only later.
SELECT n_holdout FROM ltv.train('entered', 'book', 'cox', 'months', 'gone', entry => 'entered', features => '{price}', as_of => '2023-06-01', started_on => 'signed_on', holdout => '{"by": "signed_on", "last": "12 months"}', horizon => 6) LIMIT 1;
SELECT n FROM ltv.evaluate('entered', 'book');
CREATE VIEW known AS SELECT * FROM book WHERE known_on <= '2023-06-01';
SELECT n_holdout FROM ltv.train('known', 'known', 'cox', 'months', 'gone', features => '{price}', as_of => '2023-06-01', known_on => 'known_on', holdout => '{"by": "signed_on", "last": "12 months"}', horizon => 6) LIMIT 1;
CREATE OR REPLACE VIEW known AS SELECT * FROM book;
SELECT n FROM ltv.evaluate('known', 'known');
-- Of later rows the outcomes are those of today.
CREATE VIEW later AS SELECT * FROM book WHERE signed_on > '2023-06-01';
SELECT n, n_events, status FROM ltv.evaluate('by month@1', 'later');
SELECT n, status FROM ltv.evaluate('by month@1', 'book', rows => 'all');

-- The rows of the training under another name; fewer or other rows are not recognised.
SELECT n_rows, n_holdout FROM ltv.train('whole', 'book', 'cox', 'months', 'gone', features => '{contract,price}', horizon => 6) LIMIT 1;
CREATE VIEW renamed AS SELECT price, contract, gone, months, 1 AS other FROM book;
CREATE VIEW fewer AS SELECT * FROM renamed WHERE price > 30;
SELECT v.name, e.n, e.status FROM (VALUES ('book'), ('renamed'), ('fewer')) v (name), LATERAL ltv.evaluate('whole', v.name::regclass) e ORDER BY v.name;
SELECT DISTINCT status FROM ltv.calibration('whole', 'renamed', bins => 3);
SELECT DISTINCT status FROM ltv.lift('whole', 'renamed', buckets => 2);
SELECT status FROM ltv.predicted_vs_actual('whole', 'renamed');
SELECT status FROM ltv.fairness('whole', 'renamed', '{contract}') ORDER BY status;
SELECT DISTINCT status FROM ltv.precision_recall('whole', 'renamed', at => '{0.2}');
SELECT status FROM ltv.best_threshold('whole', 'renamed', benefit => 10, cost => 1);
SELECT n_holdout FROM ltv.train('partly', 'book', 'cox', 'months', 'gone', features => '{contract,price}', holdout => '{"by": "customer_id", "fraction": 0.25}', horizon => 6) LIMIT 1;
CREATE VIEW whole_book AS SELECT * FROM book;
SELECT status, n = (SELECT count(*) FROM book) AS all_rows FROM ltv.evaluate('partly', 'whole_book');
SELECT e.status, e.n = v.n_holdout AS held_out FROM ltv.evaluate('partly', 'whole_book', rows => 'holdout') e, ltv.model_versions v WHERE v.model = 'partly' AND v.version = 1;
-- So are those it was recalibrated on.
CREATE TABLE second_half AS SELECT * FROM book WHERE price % 2 = 0;
CREATE VIEW second_view AS SELECT * FROM second_half;
SELECT DISTINCT version, parent FROM ltv.recalibrate('by month@1', 'second_half', 'platt');
SELECT c.version, c.source, e.status FROM (VALUES (3, 'second_half'), (3, 'second_view'), (1, 'second_view')) c (version, source), LATERAL ltv.evaluate('by month@' || c.version, c.source::regclass, rows => 'all') e ORDER BY c.version, c.source;

-- Refused before a row is read, without the query that would have.
SELECT * FROM ltv.evaluate('whole', 'book', horizons => '{-1}');
SELECT * FROM ltv.evaluate('whole', 'book', horizons => '{6,NaN}');
SELECT * FROM ltv.evaluate('whole', 'book', by => '{pln}');
SELECT * FROM ltv.evaluate('whole', 'book', censoring => 'grouped', censoring_by => '{pln}');
SELECT * FROM ltv.evaluate('whole', 'book', by => '{contract,price,contract}');
SELECT * FROM ltv.evaluate('whole', 'book', by => '{contract}', censoring => 'grouped', censoring_by => '{price,price}');
SELECT * FROM ltv.calibration('whole', 'book', bins => 0);
SELECT * FROM ltv.calibration('whole', 'book', level => 1);
SELECT * FROM ltv.calibration('whole', 'book', 0);
SELECT * FROM ltv.lift('whole', 'book', value => 'contract');
SELECT * FROM ltv.lift('whole', 'book', value => 'nothing');
SELECT * FROM ltv.lift('whole', 'book', horizon => 'Infinity');
SELECT * FROM ltv.predicted_vs_actual('whole', 'book', value => 'note');
SELECT * FROM ltv.predicted_vs_actual('whole', 'book', -6);
SELECT * FROM ltv.fairness('whole', 'book', '{contract}', horizon => -1);
SELECT * FROM ltv.fairness('whole', 'book', '{nothing}');
SELECT * FROM ltv.error_hotspots('whole', 'book', horizon => -1);
SELECT * FROM ltv.error_hotspots('whole', 'book', features => '{nothing}');
SELECT * FROM ltv.precision_recall('whole', 'book', horizon => -1);
SELECT * FROM ltv.precision_recall('whole', 'book', at => '{0.1,Infinity}');
SELECT * FROM ltv.best_threshold('whole', 'book', benefit => -1, cost => 1);
SELECT * FROM ltv.best_threshold('whole', 'book', benefit => 1);
SELECT * FROM ltv.recalibrate('whole', 'later', horizon => -1);
CREATE VIEW lacking AS SELECT months, gone, contract FROM book;
SELECT * FROM ltv.evaluate('whole', 'lacking');
CREATE VIEW texts AS SELECT months::text AS months, gone, contract, price FROM book;
SELECT * FROM ltv.evaluate('whole', 'texts');
CREATE VIEW words AS SELECT months, CASE WHEN gone THEN 'yes' ELSE 'no' END AS gone, contract, price FROM book;
SELECT * FROM ltv.evaluate('whole', 'words');
CREATE VIEW no_start AS SELECT months, gone, contract, price, signed_on AS begun FROM book;
SELECT * FROM ltv.evaluate('by month', 'no_start', rows => 'holdout');
CREATE VIEW zoned AS SELECT months, gone, contract, price, signed_on::timestamptz AS signed_on FROM book;
SELECT * FROM ltv.evaluate('by month', 'zoned', rows => 'holdout');
