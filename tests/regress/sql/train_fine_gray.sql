-- train for one cause among several: what the registry then knows by name is what fit_fine_gray says of the same rows.
CREATE FUNCTION message_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE told text; hint text;
BEGIN EXECUTE statement; RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS told = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT; RETURN sqlstate || ': ' || told || ' | ' || hint; END $$;
SET max_parallel_workers = 0;
-- Four causes by number and by name, those that still ran among them.
CREATE TABLE ended AS
SELECT i AS account, (1 + (i * 7919 % 331) * 0.1 / (1 + (i % 5) * 0.15 * (i * 7919 % 3)))::float8 AS months,
       CASE WHEN i * 104729 % 10 < 3 THEN 0 WHEN i * 104729 % 10 < 6 + i % 3 - 1 THEN 3 WHEN i * 31 % 4 = 0 THEN 1 ELSE 7 END AS number,
       sin(i) AS usage, 'plan ' || chr(97 + i % 3) AS plan, i % 2 = 0 AS annual, 1 + i % 3 AS w, i * 7919 % 11 * 0.05 AS since,
       DATE '2020-01-01' + i % 900 AS began, i % 4 = 0 AS held_out, CASE WHEN i % 2 = 0 THEN 'north' ELSE 'south' END AS region, (i % 7) * 100 + 50 AS arr
FROM generate_series(1, 900) AS i;
CREATE VIEW named AS SELECT *, CASE number WHEN 3 THEN 'price' WHEN 1 THEN 'insolvency' WHEN 7 THEN 'product' END AS reason,
       CASE number WHEN 3 THEN 'price' WHEN 1 THEN 'insolvency' WHEN 7 THEN 'product' ELSE 'active' END AS state,
       CASE number WHEN 3 THEN 1 WHEN 0 THEN 0 ELSE 2 END AS coded, ARRAY[usage, (plan = 'plan b')::int, (plan = 'plan c')::int, annual::int]::float8[] AS x FROM ended;
SELECT number, count(*) FROM ended GROUP BY number ORDER BY number;

SELECT model, version, status, n_rows, n_events, n_holdout, metric, round(value::numeric, 8) AS value, baseline, round(baseline_value::numeric, 8) AS baseline_value, round(skill::numeric, 6) AS skill, warnings
FROM ltv.train('price', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['usage', 'plan', 'annual'], options => '{"cause": "price"}', holdout => '{"by": "held_out"}', horizon => 12) ORDER BY metric;
SELECT count(*) FROM ltv.train('numbered', 'named', 'fine_gray', 'months', 'number', features => ARRAY['usage', 'plan', 'annual'], options => '{"cause": 3}', holdout => '{"by": "held_out"}', horizon => 12);
SELECT count(*) FROM ltv.train('state', 'named', 'fine_gray', 'months', 'state', features => ARRAY['usage', 'plan', 'annual'], options => '{"cause": "price", "censored": "active"}', holdout => '{"by": "held_out"}', horizon => 12);
SELECT count(*) FROM ltv.train('breslow', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['usage'], weight => 'w', options => '{"cause": "product", "ties": "breslow"}');
SELECT count(*) FROM ltv.train('late', 'named', 'fine_gray', 'months', 'reason', entry => 'since', features => ARRAY['usage'], options => '{"cause": "price"}', holdout => '{"by": "held_out"}');
SELECT count(*) FROM ltv.train('late and weighted', 'named', 'fine_gray', 'months', 'number', entry => 'since', weight => 'w', features => ARRAY['usage'], options => '{"cause": 3}');
-- To the bit.
SELECT d.name, c.estimate = k.estimate AND c.std_error = k.std_error AND c.robust_std_error = k.robust_std_error AS same, round(c.estimate::numeric, 8) AS estimate
FROM (SELECT 'price' AS name, ltv.fit_fine_gray(months, coded, x) AS m FROM named WHERE NOT held_out
      UNION ALL SELECT 'state', ltv.fit_fine_gray(months, coded, x) FROM named WHERE NOT held_out
      UNION ALL SELECT 'numbered', ltv.fit_fine_gray(ltv.cause_design_agg(months, number, x), cause => 3) FROM named WHERE NOT held_out
      UNION ALL SELECT 'breslow', ltv.fit_fine_gray(ltv.cause_design_agg(months, CASE number WHEN 7 THEN 1 WHEN 0 THEN 0 ELSE 2 END, ARRAY[usage], w), cause => 1, ties => 'breslow') FROM named
      UNION ALL SELECT 'late', ltv.fit_fine_gray(since, months, coded, ARRAY[usage], 1) FROM named WHERE NOT held_out
      UNION ALL SELECT 'late and weighted', ltv.fit_fine_gray(ltv.cause_design_agg(since, months, number, ARRAY[usage], w), cause => 3) FROM named) d,
     LATERAL ltv.coefficients(d.m) WITH ORDINALITY c, LATERAL ltv.coefficients(ltv.model(d.name)) WITH ORDINALITY k
WHERE c.ordinality = k.ordinality ORDER BY d.name, c.ordinality;
SELECT v.model, v.algorithm, v.n_events, v.spec ->> 'event' AS event, v.spec -> 'options' AS options FROM ltv.model_versions v ORDER BY v.model;
SELECT role, input, horizon FROM ltv.model_profiles WHERE model = 'price' ORDER BY role, input;

-- The metrics, by hand: G is the Kaplan-Meier curve of the censoring, endings by any cause before censorings at a tie.
WITH held AS (SELECT months, coded, ltv.renewal_probability('price', n, 12) AS s FROM named n WHERE held_out),
g AS (SELECT ltv.survival_agg(months * CASE WHEN coded = 0 THEN 1 + 1e-6 ELSE 1 END, coded = 0) AS g FROM held),
aj AS (SELECT 1 - ltv.incidence_at(ltv.incidence_agg(months, coded), 12, 1) AS s FROM named WHERE NOT held_out),
e AS (SELECT sum((h.s - (h.months > 12 OR h.coded <> 1)::int) ^ 2 * w) / count(*) AS brier, sum((aj.s - (h.months > 12 OR h.coded <> 1)::int) ^ 2 * w) / count(*) AS baseline
      FROM held h, g, aj, LATERAL (SELECT CASE WHEN h.months > 12 THEN 1 / ltv.survival_at(g.g, 12 * (1 + 2e-6)) WHEN h.coded <> 0 THEN 1 / ltv.survival_at(g.g, h.months) ELSE 0 END AS w) w),
c AS (SELECT (sum((a.s < b.s)::int) + sum((a.s = b.s)::int) / 2.0) / count(*) AS concordance FROM held a JOIN held b ON a.coded = 1 AND (b.months > a.months OR b.months = a.months AND b.coded = 0 OR b.coded = 2))
SELECT abs(e.brier - (v.metrics -> 0 ->> 'value')::float8) < 1e-12 AS brier, abs(e.baseline - (v.metrics -> 0 ->> 'baseline_value')::float8) < 1e-12 AS baseline,
       abs(c.concordance - (v.metrics -> 1 ->> 'value')::float8) < 1e-12 AS concordance
FROM e, c, ltv.model_versions v WHERE v.model = 'price';
-- However the causes are written, the metrics are the same.
SELECT count(DISTINCT metrics::text) AS one FROM ltv.model_versions WHERE model IN ('price', 'numbered', 'state');

-- The plan.
SELECT item, column_name, detail, n, round(value::numeric, 4) AS value, verdict
FROM ltv.train_plan('price', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['usage', 'plan'], options => '{"cause": "price"}', holdout => '{"by": "held_out"}', horizon => 12)
WHERE item NOT IN ('memory', 'time') ORDER BY item, column_name, n;
SELECT item, column_name, detail, n, verdict FROM ltv.train_plan('price', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['usage'], options => '{"cause": "prise"}') WHERE verdict = 'refused' ORDER BY item;
SELECT item, detail, verdict FROM ltv.train_plan('price', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['usage']) ORDER BY item;
SELECT item, column_name, detail, n FROM ltv.train_plan('price', 'named', 'fine_gray', 'months', 'state', features => ARRAY['usage'], options => '{"cause": "price", "censored": "active"}') WHERE item = 'cause' ORDER BY n;

-- Refused.
CREATE VIEW odd AS SELECT *, number = 3 AS happened, number + 0.5 AS half, number * 50 AS beyond, coalesce(reason, '') AS empty, CASE WHEN account > 3 THEN number END AS some, number::numeric AS exact, began AS day FROM named;
SELECT a.event, a.options, a.more, message_of(format('SELECT ltv.train(%L, %L, %L, %L, %L, features => ARRAY[%L], options => %L %s)', 'bad', 'odd', 'fine_gray', 'months', a.event, 'usage', a.options, a.more)) AS told
FROM (VALUES (1, 'reason', '{}', ''), (2, 'number', '{}', ''), (3, 'reason', '{"cause": "prise"}', ''), (4, 'number', '{"cause": 5}', ''), (5, 'number', '{"cause": "price"}', ''), (6, 'reason', '{"cause": 1}', ''),
             (7, 'number', '{"cause": 0}', ''), (8, 'number', '{"cause": 256}', ''), (9, 'number', '{"cause": 1.5}', ''), (10, 'number', '{"cause": true}', ''), (11, 'reason', '{"cause": ""}', ''),
             (12, 'reason', '{"cause": "price", "ties": "exact"}', ''), (13, 'reason', '{"cause": "price", "penalty": 1}', ''), (14, 'number', '{"cause": 3, "censored": "0"}', ''),
             (15, 'state', '{"cause": "price", "censored": "price"}', ''), (16, 'happened', '{"cause": 1}', ''), (17, 'day', '{"cause": "price"}', ''), (18, 'half', '{"cause": 3}', ''), (19, 'beyond', '{"cause": 150}', ''),
             (20, 'empty', '{"cause": "price"}', ''), (21, 'empty', '{"cause": "price", "censored": ""}', ''), (22, 'some', '{"cause": 3}', ''), (23, 'some', '{"cause": 3}', ', null_policy => ''drop'''),
             (24, 'exact', '{"cause": 3}', ''), (25, 'reason', '{"cause": "price"}', ', strata => ''region'''), (26, 'reason', '{"cause": "price"}', ', cluster => ''region'''), (27, 'reason', '{"cause": "price"}', ', era => ''region'''),
             (28, 'reason', '{"cause": "price"}', ', null_policy => ''learn'''), (29, 'reason', '{"cause": "price"}', ', target => ''arr'''), (30, 'reason', '{"cause": "price"}', ', min_events => 800'),
             (31, 'reason', '{"cause": "price", "censored": "price or not"}', ''),
             (32, 'number', '{"cause": -1}', ''), (33, 'number', '{"cause": 255.5}', ''), (34, 'number', '{"cause": 0.3e1}', ', min_events => 100000')) a (place, event, options, more) ORDER BY place;
SELECT message_of($$SELECT ltv.train('bad', 'odd', 'fine_gray', 'months', 'number', features => '{usage}', options => '{"cause": 1e400}')$$) AS told;
-- A whole number is one however it is written; nothing else is a cause.
SELECT count(*) > 0 AS trained FROM ltv.train('written', 'named', 'fine_gray', 'months', 'number', features => '{usage}', options => '{"cause": 3.0}');
SELECT count(*) > 0 AS trained FROM ltv.train('as 3', 'named', 'fine_gray', 'months', 'number', features => '{usage}', options => '{"cause": 3}');
SELECT a.spec #> '{options,cause}' AS cause, a.fitted::text = b.fitted::text AS same FROM ltv.model_versions AS a, ltv.model_versions AS b WHERE a.model = 'written' AND b.model = 'as 3' ORDER BY a.version;
SELECT c AS cause, ltv.cause_expression(jsonb_build_object('algorithm', 'fine_gray', 'event', 'e', 'options', jsonb_build_object('cause', c)), 'r') AS expression FROM unnest('{3.0,255,0,-1,1.5,256}'::numeric[]) AS c ORDER BY c;
SELECT ltv.cause_expression('{"algorithm": "fine_gray", "event": "e", "options": {"cause": 1e400}}') AS beyond;
SELECT message_of($$SELECT ltv.train('bad', 'named', 'fine_gray', 'months', 'reason', options => '{"cause": "price"}')$$);
SELECT message_of($$SELECT ltv.train('bad', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['reason'], options => '{"cause": "price"}')$$);
-- The day of the knowledge: what ended later had not ended; weights by age; filled features; signs; segments.
SELECT n_rows, n_events, warnings FROM ltv.train('then', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['usage'], options => '{"cause": "price"}', as_of => '2021-06-30', started_on => 'began', half_life => 6) ORDER BY metric LIMIT 1;
SELECT c.estimate = k.estimate AND c.robust_std_error = k.robust_std_error AS same
FROM (SELECT ltv.fit_fine_gray(least(months, age), CASE WHEN months <= age THEN coded ELSE 0 END, ARRAY[usage], power(2::float8, -greatest(age, 0) / '6.0'::float8)) AS m
      FROM named, LATERAL (SELECT ltv.months_between(began, '2021-06-30') AS age) a WHERE began <= '2021-06-30') d, LATERAL ltv.coefficients(d.m) c, LATERAL ltv.coefficients(ltv.model('then')) k;
SELECT n_rows, n_dropped, warnings FROM ltv.train('filled', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['usage'], options => '{"cause": "price"}', null_policy => 'impute', expected_signs => '{"usage": "+"}', min_events => 50) ORDER BY metric LIMIT 1;
SELECT n_rows, metric, round(value::numeric, 6) AS value, round(baseline_value::numeric, 6) AS baseline, warnings FROM ltv.train('parts', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['usage'], options => '{"cause": "price"}', segment_by => ARRAY['region'], pooling => 'none', min_events => 20, holdout => '{"by": "held_out"}', horizon => 12) ORDER BY metric;
SELECT s.segment, bool_and(c.estimate = s.estimate) AS same
FROM ltv.segment_coefficients(ltv.model('parts')) s JOIN (SELECT 'north' AS region, ltv.fit_fine_gray(months, coded, ARRAY[usage]) AS m FROM named WHERE NOT held_out AND region = 'north'
      UNION ALL SELECT 'south', ltv.fit_fine_gray(months, coded, ARRAY[usage]) FROM named WHERE NOT held_out AND region = 'south') d ON d.region = s.segment, LATERAL ltv.coefficients(d.m) c GROUP BY s.segment ORDER BY s.segment;
-- A feature that knows which cause will end a row knows the outcome.
CREATE VIEW leaky AS SELECT *, number IN (1, 7) AS other, number = 3 AS this FROM named;
SELECT warnings FROM ltv.train('leak', 'leaky', 'fine_gray', 'months', 'reason', features => ARRAY['usage', 'other', 'this'], options => '{"cause": "price"}') ORDER BY metric LIMIT 1;
