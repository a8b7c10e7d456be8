-- What training may know: rows begun later are left out, outcomes beyond the day are censored, and what cannot be honoured is refused.
\set ECHO none
\ir ../datasets.sql
CREATE TABLE book AS
SELECT customer_id, signed_on, left_on, contract, price, coalesce(left_on, date '2025-01-01') AS seen_until,
       ltv.months_between(signed_on, coalesce(left_on, '2025-01-01')) AS months, left_on IS NOT NULL AS gone, signed_on + 3 AS known_on, signed_on::timestamptz AS signed_at, 'y' || extract(year FROM signed_on) AS cohort
FROM (SELECT customer_id, contract, monthly_charges AS price, (date '2025-01-01' - (tenure * 30.4)::int) - abs(hashtext(customer_id)) % 29 AS signed_on,
             CASE WHEN churn = 'Yes' THEN date '2025-01-01' - abs(hashtext(customer_id || 'x')) % greatest(1, (tenure * 20)) END AS left_on FROM telco) t
WHERE left_on IS NULL OR left_on > signed_on;
-- The same by hand, as it was known on the day.
CREATE VIEW book_2023 AS
SELECT customer_id, contract, price, least(months, ltv.months_between(signed_on, '2023-06-30')) AS months, gone AND left_on <= '2023-06-30' AS gone FROM book WHERE signed_on <= '2023-06-30';
\set ECHO all

SELECT n_rows, n_events, warnings FROM ltv.train('known', 'book', 'cox', 'months', 'gone', features => ARRAY['contract', 'price'], as_of => '2023-06-30', started_on => 'signed_on');
SELECT n_rows, n_events FROM ltv.train('by_hand', 'book_2023', 'cox', 'months', 'gone', features => ARRAY['contract', 'price']);
SELECT bool_and(abs(a.estimate - b.estimate) < 1e-12) AS same FROM ltv.coefficients(ltv.model('known')) a JOIN ltv.coefficients(ltv.model('by_hand')) b USING (term);
SELECT bool_and(coalesce(abs(a.estimate - b.estimate) <= 1e-10 AND abs(a.std_error - b.std_error) <= 1e-10, false)) AS the_same_model
FROM ltv.coefficients((SELECT fitted FROM ltv.model_versions WHERE model = 'known')) a FULL JOIN ltv.coefficients((SELECT fitted FROM ltv.model_versions WHERE model = 'by_hand')) b USING (term);
SELECT spec ->> 'as_of' AS as_of, spec ->> 'started_on' AS started_on, spec ->> 'unit' AS unit FROM ltv.model_versions WHERE model = 'known';
-- Nothing that comes later can change what was known: other outcomes, other rows.
CREATE VIEW rewritten AS SELECT customer_id, signed_on, contract, price, CASE WHEN left_on > '2023-06-30' THEN 99 * random() + ltv.months_between(signed_on, '2023-06-30') ELSE months END AS months, gone FROM book
UNION ALL SELECT 'later', '2023-07-01', 'never seen', 1e6, 5, true;
SELECT n_rows, warnings FROM ltv.train('rewritten', 'rewritten', 'cox', 'months', 'gone', features => ARRAY['contract', 'price'], as_of => '2023-06-30', started_on => 'signed_on');
SELECT bool_and(coalesce(abs(a.estimate - b.estimate) <= 1e-10 AND abs(a.std_error - b.std_error) <= 1e-10, false)) AS the_same_model
FROM ltv.coefficients((SELECT fitted FROM ltv.model_versions WHERE model = 'rewritten')) a FULL JOIN ltv.coefficients((SELECT fitted FROM ltv.model_versions WHERE model = 'known')) b USING (term);
-- Events as integers, other units, entries.
CREATE VIEW units AS SELECT contract, price, signed_on, gone::int AS gone, (seen_until - signed_on) AS days, (seen_until - signed_on) / 7.0 AS weeks, months / 12 AS years, months / 24 AS entered FROM book WHERE seen_until > signed_on;
SELECT u.unit, t.n_rows, t.n_events, t.warnings[1:2] AS warnings FROM (VALUES ('day', 'days'), ('week', 'weeks'), ('year', 'years')) u (unit, duration),
     LATERAL ltv.train('in/' || u.unit, 'units', 'cox', u.duration, 'gone', features => ARRAY['price'], as_of => '2023-06-30', started_on => 'signed_on', unit => u.unit) t;
SELECT n_rows, n_events, warnings[1:2] FROM ltv.train('entered', 'units', 'cox', 'years', 'gone', entry => 'entered', features => ARRAY['price'], as_of => '2023-06-30', started_on => 'signed_on', unit => 'year');

-- A holdout by date within what was known; one that begins later is refused, and so is a day that nothing tells.
SELECT n_rows, n_holdout, metric, round(value::numeric, 4) AS value, warnings FROM ltv.train('held', 'book', 'cox', 'months', 'gone', features => ARRAY['contract', 'price'], as_of => '2024-12-30', started_on => 'signed_on', holdout => '{"by": "signed_on", "last": "15 months"}', horizon => 9);
SELECT spec -> 'holdout' AS holdout FROM ltv.model_versions WHERE model = 'held';
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], as_of => '2023-06-30', started_on => 'signed_on', holdout => '{"by": "signed_on", "from": "2023-07-01"}');
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], as_of => '2023-06-30');
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], as_of => '2023-06-30', known_on => 'known_on');
SELECT n_rows, warnings FROM ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], as_of => '2025-06-30', known_on => 'known_on');
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], known_on => 'known_on');
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], as_of => 'infinity', started_on => 'signed_on');
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], as_of => '2023-06-30', started_on => 'signed_at');
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], as_of => '1999-06-30', started_on => 'signed_on');
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], as_of => '2023-06-30', started_on => 'signed_on', unit => 'fortnight');

-- Half-life: weights 2^-(age / half-life), as by hand; with Cox the errors are then robust.
CREATE VIEW weighted AS SELECT *, power(2, -ltv.months_between(signed_on, '2025-01-01') / 12) AS w FROM book;
SELECT n_rows, round(n_events::numeric, 6) AS n_events FROM ltv.train('recent', 'book', 'cox', 'months', 'gone', features => ARRAY['contract', 'price'], as_of => '2025-01-01', started_on => 'signed_on', half_life => 12);
SELECT n_rows, round(n_events::numeric, 6) AS n_events FROM ltv.train('weighted', 'weighted', 'cox', 'months', 'gone', features => ARRAY['contract', 'price'], weight => 'w');
SELECT bool_and(abs(a.estimate - b.estimate) < 1e-9 AND abs(a.robust_std_error - b.robust_std_error) < 1e-9) AS same FROM ltv.coefficients(ltv.model('recent')) a JOIN ltv.coefficients(ltv.model('weighted')) b USING (term);
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], half_life => 12);
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], started_on => 'signed_on', half_life => 0);

-- Eras: compared within years of signing only, as R's strata, and scored by one baseline: also a year that is still to come.
SELECT n_rows, warnings FROM ltv.train('eras', 'book', 'cox', 'months', 'gone', features => ARRAY['contract', 'price'], era => 'signed_on:year');
SELECT n_rows FROM ltv.train('cohorts', 'book', 'cox', 'months', 'gone', features => ARRAY['contract', 'price'], strata => 'cohort');
SELECT bool_and(abs(a.estimate - b.estimate) < 1e-12 AND abs(a.std_error - b.std_error) < 1e-12) AS same FROM ltv.coefficients(ltv.model('eras')) a JOIN ltv.coefficients(ltv.model('cohorts')) b USING (term);
SELECT ltv.model_features(ltv.model('eras')), ltv.model_features(ltv.model('cohorts')), spec -> 'era' AS era FROM ltv.model_versions WHERE model = 'eras';
SELECT abs(ltv.renewal_probability('eras', r, 12) - ltv.renewal_probability(ltv.fit_baseline(b.d, ltv.model('cohorts')), r, 12)) < 1e-12 AS by_one_baseline, (ltv.predict('eras', r, 12)).status
FROM (SELECT ltv.design_agg(months, gone, ARRAY[(contract = 'One year')::int, (contract = 'Two year')::int, price]::float8[]) AS d FROM book) b, (SELECT 'One year' AS contract, 50.0 AS price) r;
SELECT e.era, n_rows FROM unnest(ARRAY['cohort', 'signed_on:quarter']) e (era), LATERAL ltv.train('eras', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], era => e.era) t;
SELECT ltv.train('bad', 'book', 'weibull', 'months', 'gone', features => ARRAY['price'], era => 'cohort');
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], era => 'cohort', strata => 'contract');
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], era => 'signed_on');

-- Sanity: signs that nobody expects, features that know the outcome. The gate sees the warnings.
CREATE VIEW leaky AS SELECT *, months * 1.01 + 3 AS paid_until, -months AS minus FROM book;
SELECT warnings FROM ltv.train('leaky', 'leaky', 'cox', 'months', 'gone', features => ARRAY['price', 'paid_until'], expected_signs => '{"price": "-", "paid_until": "+"}');
SELECT warnings FROM ltv.train('sane', 'leaky', 'cox', 'months', 'gone', features => ARRAY['price', 'contract'], expected_signs => '{"price": "+", "contract": "-"}');
SELECT * FROM ltv.gate('leaky', 1, '{"warnings": "= 0"}');
SELECT spec -> 'expected_signs' AS expected_signs FROM ltv.model_versions WHERE model = 'leaky';
SELECT ltv.train('bad', 'leaky', 'cox', 'months', 'gone', features => ARRAY['price'], expected_signs => '{"prize": "-"}');
SELECT ltv.train('bad', 'leaky', 'cox', 'months', 'gone', features => ARRAY['price'], expected_signs => '{"price": "up"}');
SELECT ltv.train('bad', 'leaky', 'cox', 'months', 'gone', features => ARRAY['price'], expected_signs => '["price"]');

-- The plan: what all this would do, without doing it.
SELECT * FROM ltv.train_plan('plan', 'leaky', 'cox', 'months', 'gone', features => ARRAY['contract', 'price', 'paid_until', 'customer_id'], as_of => '2023-06-30', started_on => 'signed_on', known_on => 'known_on',
                             holdout => '{"by": "signed_on", "last": "6 months"}', segment_by => ARRAY['cohort'], horizon => 500) WHERE item <> 'time';
CREATE VIEW holes AS SELECT months, CASE WHEN price < 100 THEN gone END AS gone, CASE WHEN contract <> 'Two year' THEN contract END AS contract, nullif(price, 20) AS price, 1 AS one, contract = 'Two year' AND gone AS odd FROM book;
SELECT * FROM ltv.train_plan('plan', 'holes', 'weibull', 'months', 'gone', features => ARRAY['contract', 'price', 'one'], null_policy => 'indicator', min_events => 3000) WHERE item <> 'time';
SELECT item, column_name, detail, n, verdict FROM ltv.train_plan('plan', 'holes', 'best', 'months', 'gone', features => ARRAY['contract', 'price'], null_policy => 'drop', holdout => '{"by": "contract", "fraction": 0.4}') WHERE item NOT IN ('time', 'memory');
SELECT item, detail, n, value, verdict FROM ltv.train_plan('plan', 'book', 'kaplan_meier', 'months', 'gone', features => ARRAY['contract']) WHERE item NOT IN ('time', 'memory');
SELECT item, value, verdict FROM ltv.train_plan('plan', 'book', 'sbg', 'months', 'gone') WHERE item IN ('time', 'memory', 'events');
SET ltv.max_memory_mb = 1;
CREATE VIEW books AS SELECT b.* FROM book b, generate_series(1, 5);
SELECT item, value, verdict FROM ltv.train_plan('plan', 'books', 'cox', 'months', 'gone', features => ARRAY['contract', 'price']) WHERE item = 'memory';
SELECT ltv.train('bad', 'books', 'cox', 'months', 'gone', features => ARRAY['contract', 'price']);
RESET ltv.max_memory_mb;
SELECT ltv.train_plan('plan', 'book', 'cox', 'months', 'gone', features => ARRAY['nothing']);
SELECT count(*) AS nothing_written FROM ltv.model_versions WHERE model = 'plan';
BEGIN READ ONLY;
SELECT count(*) > 5 AS reads_only FROM ltv.train_plan('plan', 'book', 'cox', 'months', 'gone', features => ARRAY['price']);
COMMIT;

-- A row that says nothing of an end goes on: its duration is as long as it has lasted on the day, censored. So does one whose end was not known by then.
CREATE TABLE running AS
SELECT customer_id, signed_on, contract, price, months + 0.01 AS months, gone, CASE WHEN gone THEN months + 0.01 ELSE CASE WHEN ascii(customer_id) % 2 = 0 THEN 'NaN'::float8 END END AS lasted, CASE WHEN gone THEN months + 0.01 ELSE 'Infinity' END AS endless FROM book WHERE signed_on <= '2023-06-30';
SELECT count(*) FILTER (WHERE lasted IS NULL) > 100 AS nulls, count(*) FILTER (WHERE lasted = 'NaN') > 100 AS nans FROM running;
CREATE VIEW running_2023 AS
SELECT contract, price, signed_on, least(CASE WHEN gone THEN lasted ELSE 1e9 END, ltv.months_between(signed_on, '2023-06-30')) AS months, gone AND lasted <= ltv.months_between(signed_on, '2023-06-30') AS gone FROM running;
SELECT d.duration, t.n_rows, t.n_events, t.warnings FROM unnest('{lasted,endless}'::text[]) WITH ORDINALITY d (duration, place), LATERAL ltv.train('running ' || d.duration, 'running', 'cox', d.duration, 'gone', features => ARRAY['contract', 'price'], as_of => '2023-06-30', started_on => 'signed_on') t ORDER BY d.place;
SELECT n_rows, n_events FROM ltv.train('running by hand', 'running_2023', 'cox', 'months', 'gone', features => ARRAY['contract', 'price']);
SELECT m.model, bool_and(coalesce(abs(a.estimate - b.estimate) <= 1e-10 AND abs(a.std_error - b.std_error) <= 1e-10, false)) AS the_same_model
FROM unnest('{running lasted,running endless}'::text[]) m (model), LATERAL ltv.coefficients(ltv.model(m.model)) a FULL JOIN ltv.coefficients(ltv.model('running by hand')) b USING (term) GROUP BY m.model ORDER BY m.model;
-- The plan says how many; a holdout counts them, and evaluate reads them as train did.
SELECT item, column_name, detail, n, verdict FROM ltv.train_plan('running', 'running', 'cox', 'lasted', 'gone', features => ARRAY['price'], as_of => '2023-06-30', started_on => 'signed_on', null_policy => 'drop') WHERE item IN ('column', 'dropped', 'outcomes cut off', 'training rows') ORDER BY item, column_name;
CREATE TABLE evaluated AS SELECT * FROM ltv.train('running', 'running', 'weibull', 'lasted', 'gone', features => ARRAY['contract'], as_of => '2023-06-30', started_on => 'signed_on', holdout => '{"by": "customer_id", "fraction": 0.3}', horizon => 9);
SELECT t.metric, e.n = t.n_holdout AS all_rows, abs(e.brier - t.value) < 1e-12 AS as_train, e.status FROM ltv.evaluate('running', 'running', horizons => '{9}') e, evaluated t WHERE t.metric LIKE 'brier%' ORDER BY t.metric;
-- No events by 9 is right: those who left by that day had been there for longer. A horizon beyond has them.
SELECT round(min(lasted)::numeric, 2) AS first_event, count(*) FILTER (WHERE lasted <= 9) AS by_9, count(*) FILTER (WHERE lasted <= 24) AS by_24, count(*) AS n FROM running WHERE gone AND lasted <= ltv.months_between(signed_on, '2023-06-30') AND signed_on <= '2023-06-30';
SELECT e.horizon, e.n_events, e.auc IS NULL AS no_auc, e.status FROM ltv.evaluate('running', 'running', horizons => '{9,24}') e ORDER BY e.horizon;
-- An end that nobody says when it was is refused, and so is a NULL without a day.
CREATE VIEW contradicted AS SELECT customer_id, signed_on, price, CASE WHEN price > 100 AND gone THEN 'NaN' WHEN price < 25 THEN NULL ELSE lasted END AS lasted, gone FROM running;
SELECT ltv.train('bad', 'contradicted', 'cox', 'lasted', 'gone', features => ARRAY['price'], as_of => '2023-06-30', started_on => 'signed_on');
SELECT item, column_name, detail, verdict FROM ltv.train_plan('bad', 'contradicted', 'cox', 'lasted', 'gone', features => ARRAY['price'], as_of => '2023-06-30', started_on => 'signed_on') WHERE verdict = 'refused' ORDER BY item;
SELECT ltv.train('bad', 'running', 'cox', 'lasted', 'gone', features => ARRAY['price']);
