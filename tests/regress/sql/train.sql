-- train: from named columns of any relation to a registered version, and the registry that knows it.
\set ECHO none
\ir ../datasets.sql
\set ECHO all
CREATE FUNCTION state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'accepted'; EXCEPTION WHEN OTHERS THEN RETURN sqlstate; END $$;

-- Cox on numeric columns: R's coefficients of lung ~ age + sex + ph.ecog (.01106676, -.55261240, .46372848), the row with a NULL dropped when asked for.
SELECT trained, version, status, n_rows, n_events, n_dropped, n_holdout, metric, round(value::numeric, 6) AS value,
       round(baseline_value::numeric, 6) AS baseline_value, skill, warnings, fit_ms > 0 AS timed
FROM ltv.train('lung', 'lung', 'cox', 'time', 'event', features => ARRAY['age', 'sex', 'ph_ecog'], null_policy => 'drop', note => 'as in the book');
SELECT term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error FROM ltv.coefficients(ltv.model('lung'));
SELECT ltv.train('lung', 'lung', 'cox', 'time', 'event', features => ARRAY['age', 'sex', 'ph_ecog']);

-- Every type that a column may have. ages: a domain over a domain; grade: text by another name.
CREATE TYPE colour AS ENUM ('red', 'blue', 'green');
CREATE DOMAIN years AS int CHECK (VALUE >= 0);
CREATE DOMAIN ages AS years;
CREATE DOMAIN grade AS text;
CREATE TABLE people AS
SELECT time::numeric(6, 1) AS "how long", (event = 1) AS left_us, event::smallint AS small, event::bigint AS large,
       (event = 1)::int::years AS outcome, age::ages AS age, age::real AS age4, (sex = 2) AS female,
       (ARRAY['red', 'blue', 'green'])[1 + inst % 3]::colour AS colour, (ARRAY['x', 'y '])[1 + ph_ecog % 2]::char(4) AS padded,
           (ARRAY['A', 'b', 'Č"'',;'])[1 + age % 3]::varchar(9) AS "a ""quoted"" one",
       'g' || ph_ecog % 2 AS plain, ('g' || ph_ecog % 2)::grade AS grade, date '2024-01-01' + (age * 7 + inst * 3) % 365 AS signed_on,
           timestamptz '2024-01-01 00:00Z' + ((age * 7 + inst * 3) % 365) * interval '1 day' AS signed_at,
       row_number() OVER (ORDER BY time, age, inst, meal_cal, wt_loss)::int AS id, 1.0 AS one, NULL::float8 AS nothing, 'same' AS same
FROM lung WHERE ph_ecog IS NOT NULL AND inst IS NOT NULL;
SELECT version, n_rows, n_events, warnings FROM ltv.train('types', 'people', 'cox', 'how long', 'left_us',
       features => ARRAY['age', 'age4', 'female', 'colour', 'padded', 'a "quoted" one', 'plain', 'grade']);
SELECT term, estimate IS NOT NULL AS estimated FROM ltv.coefficients(ltv.model('types'));
SELECT ltv.model_features(ltv.model('types'));
-- All codings of the event give the same model; so do weights of 1.
SELECT event, version FROM unnest(ARRAY['left_us', 'small', 'large', 'outcome']) AS event,
       LATERAL ltv.train('coded', 'people', 'cox', 'how long', event, features => ARRAY['age', 'female']);
SELECT version, n_rows FROM ltv.train('coded', 'people', 'cox', 'how long', 'small', features => ARRAY['age', 'female'], weight => 'one');
SELECT count(*) AS versions, count(DISTINCT fitted::text) AS models FROM ltv.model_versions WHERE model = 'coded';

-- Kaplan–Meier: one curve per combination of the features, all rows without any.
SELECT version, n_rows, n_events, metric, warnings FROM ltv.train('cohorts', 'people', 'kaplan_meier', 'how long', 'left_us',
       features => ARRAY['female', 'colour']);
SELECT female, colour, round(ltv.renewal_probability(ltv.model('cohorts'), g, 200)::numeric, 10) = round(ltv.survival_at(s, 200)::numeric, 10) AS same
FROM (SELECT female, colour, ltv.survival_agg("how long", left_us) AS s FROM people GROUP BY female, colour) AS g ORDER BY female, colour;
SELECT version, n_rows, n_events FROM ltv.train('everyone', 'people', 'kaplan_meier', 'how long', 'left_us');
SELECT ltv.renewal_probability(ltv.model('everyone'), ROW(), 200) = ltv.survival_at(ltv.survival_agg("how long", left_us), 200) AS same FROM people;
SELECT count(*) AS no_coefficients FROM ltv.coefficients(ltv.model('cohorts'));

-- Delayed entry: heart start-stop by name, R's coefficients.
SELECT n_rows, n_events, warnings FROM ltv.train('heart', 'heart', 'cox', duration => 'stop', event => 'event', entry => 'start',
       features => ARRAY['age', 'year', 'surgery', 'transplant']);
SELECT term, round(estimate::numeric, 8) AS estimate FROM ltv.coefficients(ltv.model('heart'));

-- Any relation: view, materialized view, partitioned, temporary, inherited, with dropped columns, in another schema with a name to be quoted.
CREATE VIEW people_view AS SELECT age, "how long" AS d, small AS e FROM people;
CREATE MATERIALIZED VIEW people_stored AS SELECT * FROM people_view;
CREATE TABLE people_parts (age int, d float8, e int) PARTITION BY RANGE (age);
CREATE TABLE people_young PARTITION OF people_parts FOR VALUES FROM (0) TO (60);
CREATE TABLE people_old PARTITION OF people_parts DEFAULT;
INSERT INTO people_parts SELECT * FROM people_view;
CREATE TEMP TABLE people_temp AS SELECT * FROM people_view;
CREATE TABLE people_parent (age int, d float8, e int);
CREATE TABLE people_child () INHERITS (people_parent);
INSERT INTO people_parent SELECT * FROM people_view WHERE age < 50;
INSERT INTO people_child SELECT * FROM people_view WHERE age >= 50;
CREATE TABLE people_dropped AS SELECT 'gone' AS gone, age, 0 AS gone_too, d, e FROM people_view;
ALTER TABLE people_dropped DROP COLUMN gone, DROP COLUMN gone_too;
CREATE SCHEMA "My ""Schema""";
CREATE TABLE "My ""Schema"""."select" AS SELECT * FROM people_view;
SELECT source, n_rows, n_events FROM unnest(ARRAY['people_view', 'people_stored', 'people_parts', 'people_temp', 'people_parent', 'people_dropped',
       '"My ""Schema"""."select"']::regclass[]) AS source,
    LATERAL ltv.train('sources', source, 'cox', 'd', 'e', features => ARRAY['age']);
SELECT count(*), max(estimate) - min(estimate) < 1e-12 AS same FROM ltv.model_versions, LATERAL ltv.coefficients(fitted) WHERE model = 'sources';
SELECT version, regexp_replace(spec ->> 'source', '^pg_temp_\d+', 'pg_temp') AS source FROM ltv.model_versions WHERE model = 'sources' ORDER BY version;

-- Holdouts: from a date on, the last stretch, a share by a key; the rest is trained on, and the registry keeps the cut-off.
SELECT version, n_rows, n_holdout, n_rows + n_holdout AS all_rows, metric, value BETWEEN 0 AND 1 AS in_range, baseline_value BETWEEN 0
       AND 1 AS baseline, round((skill - (1 - value / baseline_value))::numeric, 12) AS skill
FROM ltv.train('held', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age', 'female'], holdout => '{"by": "signed_on", "from": "2024-10-01"}');
SELECT count(*) AS from_that_day FROM people WHERE signed_on >= '2024-10-01';
SELECT n_rows, n_holdout, metric FROM ltv.train('held', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'],
       holdout => '{"by": "signed_on", "last": "3 months"}', horizon => 200);
SELECT count(*) AS in_the_last_3_months FROM people WHERE signed_on > (SELECT max(signed_on) - interval '3 months' FROM people);
SELECT n_rows, n_holdout FROM ltv.train('held', 'people', 'kaplan_meier', 'how long', 'left_us', features => ARRAY['female'],
       holdout => '{"by": "signed_at", "from": "2024-10-01 00:00Z"}') LIMIT 1;
SELECT n_rows + n_holdout AS all_rows, n_holdout BETWEEN 20 AND 80 AS about_a_fifth
       FROM ltv.train('held', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], holdout => '{"by": "id", "fraction": 0.2}') LIMIT 1;
-- The same seed keeps the same rows, another one others.
SELECT DISTINCT chosen, version FROM unnest(ARRAY[7, 7, 8]) AS chosen, LATERAL ltv.train('seeded', 'people', 'cox', 'how long', 'left_us',
       features => ARRAY['age'], holdout => '{"by": "id", "fraction": 0.3}', seed => chosen) ORDER BY version;
SELECT count(DISTINCT fitted::text) AS models, bool_and(n_holdout BETWEEN 30 AND 110) AS about_a_third FROM ltv.model_versions WHERE model = 'seeded';
SELECT version, spec -> 'holdout' AS holdout FROM ltv.model_versions WHERE model = 'held' ORDER BY version;
-- A boolean column may say it; NULL is trained on.
CREATE TABLE marked AS SELECT *, CASE WHEN id % 10 = 0 THEN NULL ELSE id % 4 = 0 END AS held_out FROM people;
SELECT DISTINCT n_rows, n_holdout FROM ltv.train('marked', 'marked', 'cox', 'how long', 'left_us', features => ARRAY['age'], holdout => '{"by": "held_out"}');
SELECT count(*) FILTER (WHERE held_out) AS marked, count(*) FILTER (WHERE held_out IS NOT TRUE) AS not_marked FROM marked;
-- Rows whose date is NULL are trained on; a holdout of none or of all is said.
CREATE TABLE undated AS SELECT age, "how long" AS d, small AS e, CASE WHEN id % 2 = 0 THEN signed_on END AS on_date FROM people;
SELECT n_rows, n_holdout, warnings FROM ltv.train('undated', 'undated', 'cox', 'd', 'e', features => ARRAY['age'],
       holdout => '{"by": "on_date", "from": "2024-01-01"}') LIMIT 1;
SELECT ltv.train('undated', 'undated', 'cox', 'd', 'e', features => ARRAY['age'], holdout => '{"by": "on_date", "from": "2030-01-01"}');
SELECT item, column_name, detail, n, verdict FROM ltv.train_plan('undated', 'undated', 'cox', 'd', 'e', features => ARRAY['age'], holdout => '{"by": "on_date", "from": "2030-01-01"}') WHERE item = 'holdout';
SELECT ltv.train('undated', 'undated', 'cox', 'd', 'e', features => ARRAY['age'], holdout => '{"by": "on_date", "from": "infinity"}');
SELECT ltv.train('undated', 'undated', 'cox', 'd', 'e', features => ARRAY['age'], holdout => '{"by": "on_date", "last": "-3 days"}');
SELECT ltv.train('undated', 'undated', 'cox', 'd', 'e', features => ARRAY['age'], holdout => '{"by": "on_date", "last": "0 days"}');
-- A date that never comes is not the last one.
CREATE TABLE forever AS SELECT age, d, e, CASE WHEN on_date = (SELECT max(on_date) FROM undated) THEN 'infinity' ELSE on_date END AS on_date FROM undated;
SELECT DISTINCT n_holdout > 0 AS held_out FROM ltv.train('forever', 'forever', 'cox', 'd', 'e', features => ARRAY['age'], holdout => '{"by": "on_date", "last": "3 months"}');
-- A cut-off is a day, or a moment, however sessions write theirs: it is kept as ISO writes it.
CREATE TABLE history AS SELECT id, age, "how long" AS d, small AS e, date '2024-01-02' + id % 180 AS on_date, timestamptz '2024-01-02 00:00Z' + id % 180 * interval '1 day' AS at FROM people;
SET DateStyle = 'ISO, MDY';
SELECT DISTINCT version, n_rows, n_holdout FROM ltv.train('history', 'history', 'cox', 'd', 'e', features => ARRAY['age'], holdout => '{"by": "on_date", "from": "06/05/2024"}');
SET DateStyle = 'SQL, DMY';
SELECT DISTINCT version, n_rows, n_holdout FROM ltv.train('history', 'history', 'cox', 'd', 'e', features => ARRAY['age'], holdout => '{"by": "on_date", "last": "1 month"}');
SET TimeZone = 'America/New_York';
SELECT DISTINCT version, n_rows, n_holdout FROM ltv.train('history', 'history', 'cox', 'd', 'e', features => ARRAY['age'], holdout => '{"by": "at", "from": "05/06/2024"}');
SET TimeZone = 'Asia/Tokyo';
SET DateStyle = 'SQL, MDY';
SELECT v.version, v.spec -> 'holdout' AS holdout, e.n FROM ltv.model_versions v, LATERAL ltv.evaluate('history@' || v.version, 'history', ARRAY[90]) e WHERE v.model = 'history' ORDER BY v.version;
RESET DateStyle;
RESET TimeZone;
SELECT ltv.train('undated', 'undated', 'cox', 'd', 'e', features => ARRAY['age', NULL]);
SELECT ltv.train('undated', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], holdout => '{"by": "signed_on", "from": "2000-01-01"}');
-- The metrics of what was held out: veteran trained on itself, beside a copy held out. riskRegression has Brier .1524758996 against .2487067319 for
-- Kaplan–Meier at 90 days, R's concordance is .7360290777.
CREATE TABLE twice AS SELECT *, c AS copy, date '2024-01-01' + c AS on_date FROM veteran, generate_series(0, 1) AS c;
SELECT metric, round(value::numeric, 10) AS value, round(baseline_value::numeric, 10) AS baseline_value, round(skill::numeric, 8) AS skill, n_rows, n_holdout
FROM ltv.train('veteran', 'twice', 'cox', 'time', 'status', features => ARRAY['trt', 'celltype', 'karno', 'diagtime', 'age', 'prior'],
    holdout => '{"by": "on_date", "from": "2024-01-02"}', horizon => 90);
-- A level that only the rows held out have cannot be scored, and is said.
CREATE TABLE new_level AS SELECT *, CASE WHEN copy = 1 AND celltype = 'large' THEN 'huge' ELSE celltype END AS cell FROM twice;
SELECT DISTINCT n_rows, n_holdout, warnings FROM ltv.train('new_level', 'new_level', 'cox', 'time', 'status', features => ARRAY['cell'],
       holdout => '{"by": "on_date", "from": "2024-01-02"}');

-- NULLs: an error that names the column and counts them, or dropped and counted.
CREATE TABLE holes AS SELECT age, time AS d, event AS e, ph_karno, wt_loss FROM lung;
SELECT ltv.train('holes', 'holes', 'cox', 'd', 'e', features => ARRAY['age', 'ph_karno', 'wt_loss']);
SELECT n_rows, n_dropped FROM ltv.train('holes', 'holes', 'cox', 'd', 'e', features => ARRAY['age', 'ph_karno', 'wt_loss'], null_policy => 'drop');
SELECT count(*) FILTER (WHERE ph_karno IS NOT NULL AND wt_loss IS NOT NULL) AS complete,
       count(*) FILTER (WHERE ph_karno IS NULL OR wt_loss IS NULL) AS with_nulls FROM holes;

-- What cannot be trained on: every refusal has a SQLSTATE and a hint, and leaves nothing behind.
SELECT ltv.train('bad', 'people', 'cox', 'duration', 'left_us', features => ARRAY['age']);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'Left_us', features => ARRAY['age']);
SELECT ltv.train('bad', 'people_view', 'cox', 'd', 'e', features => ARRAY['age', 'sex']);
SELECT ltv.train('bad', 'people_dropped', 'cox', 'd', 'e', features => ARRAY['age', 'gone']);
SELECT ltv.train('bad', 'people_view', 'cox', 'd', 'e', entry => 'start', features => ARRAY['age']);
SELECT ltv.train('bad', 'people_view', 'cox', 'd', 'e', weight => 'w', features => ARRAY['age']);
SELECT ltv.train('bad', 'people_view', 'cox', 'd', 'e', features => ARRAY['age'], holdout => '{"by": "nowhere", "fraction": 0.1}');
SELECT ltv.train('bad', 'people', 'cox', 'colour', 'left_us', features => ARRAY['age']);
SELECT ltv.train('bad', 'people', 'cox', 'signed_on', 'left_us', features => ARRAY['age']);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'plain', features => ARRAY['age']);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'age4', features => ARRAY['age']);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['signed_on']);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', entry => 'plain', features => ARRAY['age']);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', weight => 'female', features => ARRAY['age']);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'age', features => ARRAY['female']);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', entry => 'how long', features => ARRAY['age']);
SELECT ltv.train('bad', 'people', 'boosting', 'how long', 'left_us', features => ARRAY['age']);
SELECT ltv.train('bad', 'people', 'Cox', 'how long', 'left_us', features => ARRAY['age']);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us');
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['same']);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age', 'age']);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['nothing']);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['nothing'], null_policy => 'drop');
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], null_policy => 'mean');
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], horizon => 0);
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], horizon => 'NaN');
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], holdout => '[]');
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], holdout => '{"by": "signed_on"}');
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], holdout => '{"by": "id", "fraction": 1}');
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], holdout => '{"by": "id", "fraction": "half"}');
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], holdout => '{"by": "id", "from": "2024-01-01"}');
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], holdout => '{"by": "signed_on", "from": "soon"}');
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], holdout => '{"by": "signed_on", "last": "a while"}');
SELECT ltv.train('bad', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age'], holdout => '{"by": "signed_on", "until": "2024-01-01"}');
SELECT ltv.train('', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age']);
SELECT ltv.train('a@b', 'people', 'cox', 'how long', 'left_us', features => ARRAY['age']);
SELECT ltv.train(NULL, 'people', 'cox', 'how long', 'left_us', features => ARRAY['age']);
SELECT ltv.train('bad', NULL, 'cox', 'how long', 'left_us', features => ARRAY['age']);
SELECT ltv.train('bad', 'people', NULL, 'how long', 'left_us', features => ARRAY['age']);
SELECT ltv.train('bad', 'people', 'cox', NULL, 'left_us', features => ARRAY['age']);
SELECT ltv.train('bad', 4294967295, 'cox', 'd', 'e', features => ARRAY['age']);
SELECT ltv.train('bad', 'people_pkey', 'cox', 'd', 'e');
CREATE INDEX people_index ON people (id);
SELECT state_of($$SELECT ltv.train('bad', 'people_index', 'cox', 'id', 'id')$$) AS an_index;
CREATE TABLE levels AS SELECT i AS d, i % 2 AS e, 'customer ' || i AS customer FROM generate_series(1, 300) AS i;
SELECT ltv.train('bad', 'levels', 'cox', 'd', 'e', features => ARRAY['customer']);
-- A category must print the same in every session.
CREATE TABLE unprintable AS SELECT i AS d, i % 2 AS e, date '2024-01-01' + i % 3 AS day, (i % 3) / 7.0::float8 AS share, (i % 3)::real AS share4,
    timestamptz '2024-01-01 00:00Z' AS moment, (i % 3) * interval '1 day' AS wait, money '1.00' AS price, '\x00'::bytea AS bytes,
    '{}'::jsonb AS document, ARRAY[1] AS list FROM generate_series(1, 30) AS i;
SELECT feature, state_of(format('SELECT ltv.train(%L, %L, %L, %L, %L, features => ARRAY[%L])', 'bad', 'unprintable', 'kaplan_meier', 'd', 'e',
       feature)) AS kaplan_meier,
       state_of(format('SELECT ltv.train(%L, %L, %L, %L, %L, features => ARRAY[%L])', 'bad_cox', 'unprintable', 'cox', 'd', 'e', feature)) AS cox
FROM unnest(ARRAY['day', 'share', 'share4', 'moment', 'wait', 'price', 'bytes', 'document', 'list']) AS feature;
-- Tables that are empty, without events, all censored within the training rows, with impossible rows.
CREATE TABLE nobody (age int, d float8, e int);
SELECT ltv.train('bad', 'nobody', 'cox', 'd', 'e', features => ARRAY['age']);
SELECT ltv.train('bad', 'nobody', 'kaplan_meier', 'd', 'e');
INSERT INTO nobody SELECT age, time, 0 FROM lung;
SELECT ltv.train('bad', 'nobody', 'cox', 'd', 'e', features => ARRAY['age']);
SELECT ltv.train('bad', 'nobody', 'kaplan_meier', 'd', 'e');
INSERT INTO nobody VALUES (50, 'NaN', 1);
SELECT ltv.train('bad', 'nobody', 'cox', 'd', 'e', features => ARRAY['age']);
UPDATE nobody SET d = -1 WHERE d = 'NaN';
SELECT ltv.train('bad', 'nobody', 'kaplan_meier', 'd', 'e');
SELECT (SELECT count(*) FROM ltv.models WHERE name IN ('', 'a@b', 'bad')) + (SELECT count(*) FROM ltv.model_versions
       WHERE model = 'bad') + (SELECT count(*) FROM ltv.events WHERE model = 'bad') AS left_behind;
-- Separated data train, with a warning and a status that say so.
CREATE TABLE separated AS SELECT i AS d, (i <= 40) AS e, i <= 40 AS gives_it_away FROM generate_series(1, 80) AS i;
SELECT n_rows, n_events, warnings FROM ltv.train('separated', 'separated', 'cox', 'd', 'e', features => ARRAY['gives_it_away']);
SELECT ltv.model_status(ltv.model('separated'));
SELECT ltv.promote('separated', 1);
-- Few events per coefficient is a warning too.
SELECT warnings FROM ltv.train('few', 'ovarian', 'cox', 'futime', 'fustat', features => ARRAY['age', 'resid_ds', 'rx', 'ecog_ps']);

-- The registry: names, versions, aliases. Unknown ones say what there is.
SELECT ltv.model_version('held'), ltv.model_version('held@2'), ltv.model_version('held@latest'), ltv.model('held') IS NOT NULL AS found;
SELECT ltv.model('held@production');
SELECT ltv.model('held@99');
SELECT state_of($$SELECT ltv.model('held@')$$) AS no_version;
SELECT ltv.model('nothing of this name');
SELECT ltv.model('held@0001') IS NOT NULL AS found;
SELECT ltv.model('held@99999999999999999999');
SELECT ltv.model('held@1@2');
SELECT ltv.model('');
SELECT ltv.model(NULL), ltv.model(NULL::text), ltv.model_version(NULL);
SELECT ltv.model('held'::text)::text = ltv.model('held')::text AS same;
-- A name of any string type is a name, not a text to be read as a model.
SELECT type, state_of(format('SELECT ltv.model(%L::%s)', 'held', type)) FROM unnest(ARRAY['text', 'varchar', 'name', 'varchar(10)']) AS type;
SELECT 'held'::ltv.model;

-- promote moves an alias, says what it named before and writes the audit row.
SELECT ltv.promote('held', 1, reason => 'first');
SELECT ltv.model_version('held'), ltv.model_version('held@production'), ltv.model_version('held@latest');
SELECT ltv.promote('held', 3);
SELECT ltv.promote('held', 3);
SELECT ltv.promote('held', 2, 'staging');
SELECT model, alias, version FROM ltv.v_production WHERE model = 'held' ORDER BY alias;
SELECT version, status FROM ltv.v_models WHERE model = 'held' ORDER BY version;
SELECT action, version, alias, reason, detail FROM ltv.events WHERE model = 'held' AND action = 'promote' ORDER BY occurred_at;
SELECT action, version, reason FROM ltv.events WHERE model = 'lung';
-- Undone by ROLLBACK, to a savepoint too.
BEGIN;
SELECT ltv.promote('held', 2);
SELECT ltv.model_version('held');
ROLLBACK;
SELECT ltv.model_version('held'), (SELECT count(*) FROM ltv.events WHERE model = 'held' AND action = 'promote') AS promotes;
BEGIN;
SAVEPOINT before;
SELECT ltv.promote('held', 1);
SELECT ltv.model_version('held');
ROLLBACK TO before;
SELECT ltv.model_version('held');
COMMIT;
BEGIN;
SELECT version FROM ltv.train('held', 'people', 'kaplan_meier', 'how long', 'left_us');
ROLLBACK;
SELECT ltv.model_version('held@latest');
-- A prepared statement, planned once, sees the promote; so does the default alias.
PREPARE score(int) AS SELECT round(ltv.renewal_probability('lung', lung, 180)::numeric, 6) AS s180, ltv.model_version('lung') AS version FROM lung
    WHERE time = $1 LIMIT 1;
SET plan_cache_mode = force_generic_plan;
SELECT version FROM ltv.train('lung', 'lung', 'cox', 'time', 'event', features => ARRAY['age']);
SELECT ltv.promote('lung', 1);
EXECUTE score(306);
SELECT ltv.promote('lung', 2);
EXECUTE score(306);
RESET plan_cache_mode;
-- Refused: versions and aliases that are none, and versions rejected by hand.
SELECT ltv.promote('held', 99);
SELECT ltv.promote('nothing', 1);
SELECT alias, state_of(format('SELECT ltv.promote(%L, 1, %L)', 'held', alias)) FROM unnest(ARRAY['latest', '7', '', 'a b', 'two@', 'fine-1']) AS alias;
SELECT ltv.promote('held', NULL);
SELECT ltv.promote(NULL, 1);
UPDATE ltv.model_versions SET status = 'rejected' WHERE model = 'held' AND version = 4;
SELECT ltv.promote('held', 4);

-- What the registry keeps of a version.
SELECT model, version, status, algorithm, fit_status, features, source, n_rows, n_events, n_dropped, n_holdout, warnings, note,
       trained_by = current_user AS by_me FROM ltv.v_models WHERE model = 'lung' ORDER BY version;
SELECT jsonb_pretty(spec) FROM ltv.model_versions WHERE model = 'held' AND version = 2;
SELECT extension_version = ltv.version() AS of_this_release, jsonb_array_length(metrics) AS metrics, metrics -> 0 ->> 'metric' AS first
       FROM ltv.model_versions WHERE model = 'held' AND version = 2;
