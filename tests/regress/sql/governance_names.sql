-- Names in policies, what an imported version says of itself, and what is told before work is begun.
\set ECHO none
\ir ../datasets.sql
CREATE TABLE book AS SELECT customer_id, greatest(tenure, 1)::float8 AS months, churn = 'Yes' AS gone, contract, monthly_charges::float8 AS price, row_number() OVER (ORDER BY customer_id) AS place FROM telco;
\set ECHO queries
SELECT n_rows, metric, baseline FROM ltv.train('churn', 'book', 'cox', 'months', 'gone', features => ARRAY['contract', 'price'], holdout => '{"by": "customer_id", "fraction": 0.3}', horizon => 12) ORDER BY metric;
SELECT ltv.register_version('own', 'cox', ltv.model('churn'), '{}', 10, 5, metrics => '[{"metric": "gini at 12", "value": 0.4, "skill": 0.1}, {"metric": "recall at 10 percent", "value": 0.3}]');

-- A metric that nothing has would hold up every promotion.
SELECT ltv.set_policy('churn', '{"brier skil": "> 0"}');
SELECT ltv.set_policy('*', '{"n_row": "> 0", "brier": "< 0.2"}');
SELECT ltv.set_policy('churn', '{"gini": "> 0.3"}');
SELECT ltv.set_policy('churn', '{"brier skill skill": "> 0.3"}');
SELECT model, metric, comparison, bound FROM ltv.set_policy('*', '{"brier skill": "> 0", "brier at 12": "< 0.2", "concordance": "> 0.6", "rmse in sample": "< 3", "auc": "> 0.6", "ici at 24": "< 0.1", "aic of weibull": "< 9", "n_events": "> 10", "fit_status": "= ok", "gini": "> 0.3"}');
SELECT model, metric, comparison, bound FROM ltv.set_policy('own', '{"gini at 12 skill": "> 0", "gini": "> 0.3", "recall at 10 percent": "> 0.2"}');
SELECT * FROM ltv.gate('own', 1, '{"recall at 10 percent": "> 0.2", "gini skill": "> 0"}') WHERE check_name ~ 'gini|recall';
SELECT count(*) FROM ltv.set_policy('*', '{}'); SELECT count(*) FROM ltv.set_policy('own', '{}');

-- What fails because the version does not have it is told what it has.
SELECT ltv.promote('churn', 1, require => '{"brier skil": "> 0"}');
SELECT ltv.promote('churn', 1, require => '{"auc": "> 0"}');
SELECT ltv.promote('churn', 1, require => '{"concordance": "> 0.99"}');
SELECT count(*) FROM ltv.train('bare', 'book', 'kaplan_meier', 'months', 'gone');
SELECT ltv.promote('bare', 1, require => '{"brier": "< 0.2"}');

-- Imported: from which export, by whom and when.
SELECT ltv.import_model(ltv.export_model('churn', 1), as_model => 'bought');
SELECT kind, name, regexp_replace(detail, 'by .*$', 'by ...') AS detail FROM ltv.lineage('bought', 1) WHERE name = 'imported';
SELECT detail ~ ('^from churn@1, by ' || current_user || ' at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$') AS told FROM ltv.lineage('bought', 1) WHERE name = 'imported';
SELECT count(*) AS not_of_ours FROM ltv.lineage('churn', 1) WHERE name = 'imported';
SELECT ltv.model_card('bought', 1) ~ ', imported \d{4}-\d\d-\d\d from an export of churn@1' AS card, ltv.model_card('churn', 1) ~ 'imported' AS ours, ltv.verify('bought', 1) AS sealed;
-- Who may not read the audit trail is told all the rest.
CREATE ROLE names_reader;
GRANT USAGE ON SCHEMA ltv TO names_reader; GRANT SELECT ON ltv.models, ltv.model_versions, ltv.aliases, ltv.model_grants TO names_reader;
REVOKE SELECT ON ltv.events FROM PUBLIC;
SET ROLE names_reader;
SELECT count(*) > 5 AS rest, count(*) FILTER (WHERE name = 'imported') AS imported FROM ltv.lineage('bought', 1);
SELECT ltv.model_card('bought', 1) ~ 'imported' AS card;
RESET ROLE;

-- Maps of recalibrations differ in a line each, also when they were made alike.
CREATE VIEW fresh AS SELECT * FROM book WHERE place > 0 AND (hashtextextended(customer_id, 0) & 9223372036854775807) % 1000000 < 300000;
SELECT version, metric FROM ltv.recalibrate('churn', 'fresh', 'platt', 12) ORDER BY metric;
SELECT version, metric FROM ltv.recalibrate('churn@1', 'fresh', 'isotonic', 12) ORDER BY metric;
SELECT field, regexp_replace(old, 'map \w{8}$', 'map ...') AS old, regexp_replace(new, 'map \w{8}$', 'map ...') AS new FROM ltv.diff('churn', 1, 2) WHERE field = 'recalibration';
SELECT field, regexp_replace(old, 'map \w{8}$', 'map ...') AS old, regexp_replace(new, 'map \w{8}$', 'map ...') AS new FROM ltv.diff('churn', 2, 3) WHERE field = 'recalibration';
SELECT max(length(new)) < 120 AS short FROM ltv.diff('churn', 2, 3) WHERE field <> 'warning';
SELECT DISTINCT m ->> 'baseline' AS baseline FROM ltv.model_versions v, jsonb_array_elements(v.metrics) m WHERE v.model = 'churn' AND v.version = 3;

-- Nothing is compared where nothing can be written.
BEGIN READ ONLY;
SELECT * FROM ltv.train_auto('auto', 'book', 'months', 'gone', 12, features => ARRAY['price']);
COMMIT;
DROP OWNED BY names_reader; DROP ROLE names_reader;
-- No name looks like another's: nothing unseen in it, no space at an end; the table refuses what the functions do.
SELECT n.place, ltv.is_model_name(n.name) AS may FROM (VALUES (1, 'open'), (2, 'open '), (3, ' open'), (4, E'op\u202Een'), (5, E'open\u200B'), (6, E'open\u00A0'), (7, E'op\ten'), (8, E'open\n'), (9, 'Kundenwert f' || chr(252) || 'r 2026'), (10, 'o'), (11, 'two words'), (12, E'\u3000open'), (13, E'\u89E3\u7D04')) AS n (place, name) ORDER BY 1;
DO $$ BEGIN INSERT INTO ltv.models (name) VALUES ('open '); EXCEPTION WHEN check_violation THEN RAISE NOTICE '%', SQLERRM; END $$;
SELECT * FROM ltv.train('open ', 'pg_class', 'linear', target => 'relpages', features => '{relnatts}');
SELECT n.place, p.detail FROM (VALUES (1, E'op\u202Een'), (2, E'open\u00A0')) AS n (place, name), LATERAL ltv.train_plan(n.name, 'pg_class', 'linear', target => 'relpages', features => '{relnatts}') AS p WHERE p.verdict = 'refused' AND p.detail LIKE '%name of a model%' ORDER BY 1;
SELECT n.place, ltv.is_model_name('chu' || n.letter || 'rn') AS may FROM (VALUES (1, E'\u0085'), (2, E'\u3164'), (3, E'\uFE0F'), (4, E'\U000E0061'), (5, E'\u180E'), (6, E'\u2800'), (7, E'\u0436'), (8, E'\U0001F600')) AS n (place, letter) ORDER BY 1;
SELECT ltv.holdout_condition('book', '{"by": "customer_id", "fraction": 1e-9}');
