-- What a version goes through: seals, gates, the stack, cards and files.
SET client_min_messages = warning;
\set VERBOSITY default
CREATE TABLE trial AS SELECT i % 40 + 1 AS months, i * 7 % 5 <> 0 AS churned, (i * 37 % 100) / 50.0 AS usage, 'plan ' || i % 3 AS plan, date '2024-01-01' + i AS signed_on, i AS id
FROM generate_series(1, 600) AS i;
COMMENT ON TABLE trial IS 'Made up.';
COMMENT ON COLUMN trial.usage IS 'Hours a day, of the last | month.';
CREATE VIEW live AS SELECT * FROM trial WHERE id <= 500;
SELECT version, metric, round(value::numeric, 4) AS value FROM ltv.train('Kündigung "Süd"', 'live', 'cox', 'months', 'churned', features => ARRAY['usage', 'plan'],
    holdout => '{"by": "signed_on", "last": "100 days"}', horizon => 12, label_policy => 'No paid invoice for 30 days.', note => 'First try.');
SELECT version FROM ltv.train('Kündigung "Süd"', 'live', 'weibull', 'months', 'churned', features => ARRAY['usage'],
    holdout => '{"by": "signed_on", "last": "100 days"}', horizon => 12) LIMIT 1;
SELECT version FROM ltv.train('Kündigung "Süd"', 'trial', 'cox', 'months', 'churned', features => ARRAY['usage', 'plan']) LIMIT 1;
\set m '''Kündigung "Süd"'''

-- gate: every fact, missing ones, both sources of demands
SELECT * FROM ltv.gate(:m);
SELECT check_name, required, actual, pass FROM ltv.gate(:m, 1, '{"concordance": "> 0.2", "brier at 12": "<= 1", "brier": "< 0.00001", "brier skill": ">= -5", "n_events": ">= 100", "n_rows": "= 400",
    "n_holdout": "<> 100", "n_dropped": "<= 0", "dropped_share": "< 1e-3", "warnings": "<= 0", "fit_status": "= ok", "status": "= validated", "algorithm": "<> cox", "label_policy": "<> none",
    "auc": ">= 0.5"}');
SELECT * FROM ltv.gate(:m, 1, '{"moon phase": "= full", "auc": ">= 0.5"}');
SELECT * FROM ltv.gate(:m, 3, '{"concordance": ">= 0.1"}');
SELECT * FROM ltv.gate(:m, 1, '{"concordance": 0.7}');
SELECT * FROM ltv.gate(:m, 1, '{"concordance": ">= high"}');
SELECT * FROM ltv.gate(:m, 1, '{"concordance": null}');
SELECT * FROM ltv.gate(:m, 1, '[1]');
SELECT * FROM ltv.gate(:m, 9);
SELECT * FROM ltv.gate(NULL);
SELECT model, metric, comparison, bound, note FROM ltv.set_policy('*', '{"fit_status": "= ok", "n_events": ">= 1000"}', 'house rule');
SELECT model, metric, comparison, bound, note FROM ltv.set_policy(:m, '{"n_events": ">= 100", "label_policy": "<> none"}', 'a small market');
SELECT * FROM ltv.gate(:m, 1);
SELECT * FROM ltv.gate(:m, 2);
SELECT * FROM ltv.set_policy(:m, '{"n_events": "many"}');
SELECT * FROM ltv.set_policy(NULL, '{}');
SELECT * FROM ltv.set_policy(:m, '[]');

-- promote asks the gate
SELECT ltv.promote(:m, 2);
SELECT ltv.promote(:m, 2, 'staging');
SELECT ltv.promote(:m, 2, 'staging', require => '{"warnings": "< 0"}');
SELECT ltv.promote(:m, 1, reason => 'reviewed', require => '{"concordance": "> 0.1"}');
SELECT action, version, alias, reason, jsonb_array_length(detail -> 'checks') AS checks, detail -> 'checks' -> 0 AS first FROM ltv.events WHERE action = 'promote' AND alias = 'production';
SELECT count(*) FROM ltv.set_policy('*', '{}', 'no more'); SELECT count(*) FROM ltv.set_policy(:m, '{}', 'no more'); SELECT count(*) FROM ltv.policies;

-- rollback walks a stack
SELECT ltv.promote(:m, 2); SELECT ltv.promote(:m, 2); SELECT ltv.promote(:m, 3);
SELECT ltv.rollback(:m); SELECT ltv.rollback(:m); SELECT ltv.rollback(:m);
SELECT version, status FROM ltv.model_versions WHERE model = :m ORDER BY version;
SELECT ltv.promote(:m, 2); SELECT ltv.promote(:m, 3); SELECT ltv.promote(:m, 2); SELECT ltv.promote(:m, 3);
SELECT ltv.rollback(:m, to_version => 1, reason => 'all of it was wrong');
SELECT ltv.rollback(:m, to_version => 3);
SELECT ltv.promote(:m, 2); SELECT ltv.promote(:m, 3);
SELECT ltv.set_status(:m, 2, 'rejected', 'it leaks');
SELECT ltv.promote(:m, 3, 'staging');
SELECT ltv.set_status(:m, 2, 'rejected', 'it leaks');
SELECT ltv.rollback(:m);
SELECT ltv.rollback(:m, 'nobody');
SELECT ltv.rollback('nobody');

-- statuses
SELECT ltv.set_status(:m, 3, 'validated', 'four eyes'); SELECT ltv.set_status(:m, 3, 'validated');
SELECT ltv.set_status(:m, 1, 'archived');
SELECT ltv.set_status(:m, 3, 'production');
SELECT ltv.set_status(:m, 3, 'retired');
SELECT ltv.set_status(:m, 9, 'archived');
SELECT ltv.set_status(:m, 2, NULL);
SELECT ltv.promote(:m, 2);
SELECT ltv.set_status(:m, 2, 'candidate', 'it does not');

-- the baseline
SELECT ltv.fall_back(:m, 'drift');
SELECT ltv.fall_back(:m, NULL);
SELECT ltv.fall_back('nobody', 'why');
SELECT version FROM ltv.train(:m, 'live', 'kaplan_meier', 'months', 'churned') LIMIT 1;
SELECT ltv.fall_back(:m, 'drift');
SELECT ltv.fall_back(:m, 'still');
SELECT ltv.promote(:m, 2, 'baseline');
SELECT ltv.fall_back(:m, 'rather this one');
SELECT ltv.rollback(:m); SELECT ltv.rollback(:m);
SELECT model, alias, version, version_before, status, has_warnings FROM ltv.v_production ORDER BY alias;

-- what differs, where it comes from
SELECT field, old, new, round(change::numeric, 6) AS change FROM ltv.diff(:m, 1, 2);
SELECT field, old IS NOT NULL AS old, new IS NOT NULL AS new FROM ltv.diff(:m, 1, 3) WHERE field LIKE 'def%' OR field LIKE 'data%';
SELECT count(*) FROM ltv.diff(:m, 2, 2);
SELECT * FROM ltv.diff(:m, 1, 9);
SELECT kind, name, regexp_replace(detail, '\mtrial\.', '', 'g') AS detail FROM ltv.lineage(:m, 1) WHERE kind <> 'made' OR name = 'by ltv';
SELECT ltv.data_fingerprint('live', ARRAY['months', 'churned', 'usage', 'plan', 'signed_on']) = lineage ->> 'fingerprint' AS unchanged FROM ltv.model_versions WHERE model = :m AND version = 1;
SELECT ltv.data_fingerprint('live', ARRAY['plan', 'usage']) = ltv.data_fingerprint('live', ARRAY['usage', 'plan']) AS any_order_of_columns,
       ltv.data_fingerprint('live') = (SELECT ltv.data_fingerprint('trial')) AS other_rows,
       ltv.data_fingerprint('live', '{}') AS no_columns, ltv.data_fingerprint(NULL) AS no_relation;
CREATE TABLE backwards AS SELECT * FROM live ORDER BY id DESC;
SELECT ltv.data_fingerprint('backwards') = ltv.data_fingerprint('live') AS any_order_of_rows;
INSERT INTO backwards SELECT * FROM backwards LIMIT 1;
SELECT ltv.data_fingerprint('backwards') = ltv.data_fingerprint('live') AS a_row_twice;
SELECT ltv.data_fingerprint('live', ARRAY['nothing']);

-- the card
\pset format unaligned
SELECT regexp_replace(regexp_replace(regexp_replace(regexp_replace(ltv.model_card(:m, 1), '\mtrial\.', '', 'g'), '\d{4}-\d\d-\d\d \d\d:\d\d', 'then', 'g'), 'trained \d{4}-\d\d-\d\d', 'trained then'), '[0-9a-f]{64}', 'seal');
\pset format aligned
SELECT ltv.model_card('nobody');
SELECT ltv.model_card(NULL) IS NULL AS nothing, length(ltv.model_card(:m || '@staging')) > 1000 AS by_alias;

-- carried away and back
CREATE TABLE file AS SELECT ltv.export_model(:m, 1) AS document;
SELECT jsonb_object_keys(document) FROM file ORDER BY 1;
SELECT ltv.import_model(document) FROM file;
SELECT ltv.import_model(document, 'skip') FROM file;
SELECT ltv.import_model(document, 'next', reason => 'from the other house') FROM file;
SELECT ltv.import_model(document, as_model => 'Ost') FROM file;
SELECT ltv.export_model('Ost', 1) - 'model' = document - 'model' AS the_same, ltv.verify('Ost', 1), ltv.model('Ost@1')::text = ltv.model(:m || '@1')::text AS same_model FROM file;
SELECT ltv.import_model(jsonb_set(document, '{content,n_events}', '999'), as_model => 'forged') FROM file;
SELECT ltv.import_model(jsonb_set(document, '{content,more}', '1') || jsonb_build_object('sha256', ltv.content_sha256(jsonb_set(document -> 'content', '{more}', '1'))), as_model => 'forged') FROM file;
SELECT ltv.import_model(jsonb_set(document, '{content,fitted}', '"{}"') || jsonb_build_object('sha256', ltv.content_sha256(jsonb_set(document -> 'content', '{fitted}', '"{}"'))), as_model => 'forged') FROM file;
SELECT ltv.import_model(document || '{"format_version": 2}') FROM file;
SELECT ltv.import_model('{"format": "other"}');
SELECT ltv.import_model(NULL);
SELECT ltv.import_model(document, 'perhaps') FROM file;
SELECT ltv.import_model(document, as_model => 'a@b') FROM file;

-- tampering shows
SELECT v.version, ltv.verify(v.model, v.version) FROM ltv.model_versions v WHERE v.model = :m ORDER BY 1;
UPDATE ltv.model_versions SET metrics = jsonb_set(metrics, '{1,value}', '0.99') WHERE model = :m AND version = 1;
SELECT ltv.verify(:m, 1);
SELECT ltv.export_model(:m, 1);
UPDATE ltv.model_versions v SET sha256 = ltv.content_sha256(ltv.version_content(v)) WHERE model = :m AND version = 1;
SELECT ltv.verify(:m, 1) AS the_audit_row_knows_better;
SELECT ltv.model_card(:m, 1) LIKE '%is not as it was written%' AS so_says_the_card;
SELECT ltv.verify('nobody');

-- a model fitted otherwise
SELECT ltv.register_version('by hand', 'cox', ltv.fit_cox(months, churned, ARRAY[usage]), '{"duration": "months", "event": "churned"}', count(*), count(*) FILTER (WHERE churned)) FROM trial;
SELECT ltv.verify('by hand'), ltv.renewal_probability('by hand', r, 6) IS NOT NULL AS scores FROM (SELECT 1.0::float8 AS x1) AS r;
SELECT ltv.model_card('by hand') LIKE '# by hand, version 1%' AS card, (SELECT count(*) FROM ltv.lineage('by hand')) AS lines;
SELECT ltv.register_version('a@b', 'cox', ltv.model('by hand'), '{}', 1, 1);

-- retire
SELECT version, algorithm FROM ltv.retire(:m, 0);
SELECT version, algorithm FROM ltv.retire('nobody');
SELECT version, algorithm, sha256 IS NOT NULL AS sealed FROM ltv.retire(:m, 1, 'spring');
SELECT version, status FROM ltv.model_versions WHERE model = :m ORDER BY version;
SELECT action, version, alias, before, reason FROM ltv.v_events WHERE model IN (:m, '*') AND action NOT IN ('promote') ORDER BY occurred_at;
SELECT version, status, aliases, label_policy, length(sha256) AS seal FROM ltv.v_models WHERE model = :m ORDER BY version;
DROP TABLE trial, backwards, file CASCADE;

-- Versions that were retired since are passed over, and called so where none is left.
SELECT ltv.set_policy('*', '{}') \g /dev/null
SELECT count(ltv.register_version('short memory', 'rule', ltv.rule('{"monthly_churn": 0.05}'), '{}', i, 0)) FROM generate_series(1, 4) AS i;
SELECT ltv.promote('short memory', 1); SELECT ltv.promote('short memory', 2); SELECT ltv.promote('short memory', 3); SELECT ltv.promote('short memory', 4);
SELECT version FROM ltv.retire('short memory', 1);
SELECT ltv.set_status('short memory', 3, 'rejected', 'wrong');
SELECT ltv.rollback('short memory');
-- The label policy is free text, kept with the version and read back; one that says nothing is none.
CREATE TABLE tried AS SELECT i % 40 + 1 AS months, i * 7 % 5 <> 0 AS churned, (i * 37 % 100) / 50.0 AS usage FROM generate_series(1, 600) AS i;
SELECT version FROM ltv.train('labels', 'tried', 'cox', 'months', 'churned', features => ARRAY['usage'], label_policy => 'Cancelled, or silent for 30 days.') LIMIT 1;
SELECT name, detail FROM ltv.lineage('labels') WHERE kind = 'label policy';
SELECT ltv.train('labels', 'tried', 'cox', 'months', 'churned', features => ARRAY['usage'], label_policy => E' \t\n');
SELECT item, detail, verdict FROM ltv.train_plan('labels', 'tried', 'cox', 'months', 'churned', label_policy => '') ORDER BY item;
