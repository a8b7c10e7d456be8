-- Errors by clusters: decisions, discrete hazards, amounts and distributions, by function and by train. Numbers of tests/golden/clusters.py.
\set ECHO none
SET search_path = public, pg_temp;
CREATE FUNCTION message_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN EXECUTE query; RETURN NULL; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT; RETURN sqlstate || ' ' || sqlerrm || ' | ' || hint; END $$;
CREATE TABLE subscriptions (subscription_id text, account_id text, start_date date, end_date date, plan_tier text, seats int, mrr_amount int, arr_amount int, is_trial boolean, upgrade_flag boolean,
                            downgrade_flag boolean, churn_flag boolean, billing_frequency text, auto_renew_flag boolean);
CREATE TABLE visits (id int, trt int, age float8, sex text, edema float8, bili float8, albumin float8, protime float8, tstart int, tstop int, death int);
CREATE TABLE eyes (id int, laser text, eye text, age int, type text, trt int, futime float8, status int, risk int);
\cd :data
\copy subscriptions from 'ravenstack/subscriptions.csv' with (format csv, header)
\copy visits from 'pbcseq.csv' with (format csv, header)
\copy eyes from 'retinopathy.csv' with (format csv, header)
\set gold `cat ../golden/clusters/statsmodels.json`
CREATE TABLE gold AS SELECT g.value AS v, g.ordinality - 1 AS place FROM jsonb_array_elements(:'gold'::jsonb) WITH ORDINALITY AS g;
CREATE VIEW decisions AS SELECT subscription_id, account_id, NOT churn_flag AS renewed, seats, billing_frequency = 'annual' AS annual, plan_tier = 'Enterprise' AS enterprise FROM subscriptions;
CREATE VIEW checkups AS SELECT *, sex = 'f' AS female, row_number() OVER (ORDER BY id, tstart) AS visit FROM visits;
ANALYZE;
\set ECHO all

-- By function: an account's decisions, a patient's visits, a patient's eyes.
CREATE TABLE fits (name text PRIMARY KEY, place int, m ltv.model);
INSERT INTO fits
SELECT 'renewal', 0, ltv.fit_renewal(ltv.design_agg(0, 1, renewed, ARRAY[seats, annual::int, enterprise::int], 1, '', account_id)) FROM decisions
UNION ALL SELECT 'renewal alone', 2, ltv.fit_renewal(ltv.design_agg(1, renewed, ARRAY[seats, annual::int, enterprise::int]), robust => true) FROM decisions
UNION ALL SELECT 'renewal cloglog', 3, ltv.fit_renewal(ltv.design_agg(0, 1, renewed, ARRAY[seats, annual::int, enterprise::int], 1, '', account_id), link => 'cloglog') FROM decisions
UNION ALL SELECT 'linear', 6, ltv.fit_linear(ltv.amount_design_agg(bili, ARRAY[age, female::int, trt, albumin], 1, 0, id::text)) FROM checkups
UNION ALL SELECT 'gamma', 8, ltv.fit_gamma(ltv.amount_design_agg(bili, ARRAY[age, female::int, trt, albumin], 1, 0, id::text)) FROM checkups
UNION ALL SELECT 'tweedie', 10, ltv.fit_tweedie(ltv.amount_design_agg(CASE WHEN visit % 3 = 1 THEN 0 ELSE bili END, ARRAY[age, female::int, trt, albumin], 1, 0, id::text), power => 1.5) FROM checkups
UNION ALL SELECT 'discrete_time', 12, ltv.fit_discrete_time(ltv.design_agg(0, futime, status, ARRAY[trt, age, risk]::float8[], 1, '', id::text), period => 6) FROM eyes
UNION ALL SELECT 'discrete_time linear', 15, ltv.fit_discrete_time(ltv.design_agg(0, futime, status, ARRAY[trt, age, risk]::float8[], 1, '', id::text), link => 'cloglog', baseline => 'linear', period => 6) FROM eyes
UNION ALL SELECT 'weibull', 16, ltv.fit_parametric(ltv.design_agg(0, futime, status, ARRAY[trt, age, risk]::float8[], 1, '', id::text)) FROM eyes;
SELECT f.name, count(*) AS terms, max(ltv.model_clusters(f.m)) AS clusters, bool_and(ltv.model_clusters(f.m) = (g.v ->> 'clusters')::int) AS same_clusters,
       max(abs(c.estimate / (g.v -> 'estimate' ->> c.n::int - 1)::float8 - 1)) < 1e-8 AS estimates, max(abs(c.std_error / (g.v -> 'std_error' ->> c.n::int - 1)::float8 - 1)) < 1e-8 AS errors,
       max(abs(c.robust_std_error / (g.v -> 'robust_std_error' ->> c.n::int - 1)::float8 - 1)) < 1e-8 AS by_clusters,
       max(abs(c.z / (c.estimate / c.robust_std_error) - 1)) < 1e-12 AS tests
FROM fits f JOIN gold g ON g.place = f.place,
     LATERAL (SELECT row_number() OVER (ORDER BY q.line) AS n, q.* FROM ltv.coefficients(f.m) WITH ORDINALITY AS q (term, estimate, std_error, robust_std_error, z, p_value, hazard_ratio, lower, upper, line) WHERE q.estimate IS NOT NULL) c
GROUP BY f.name ORDER BY f.name COLLATE "C";
SELECT name, term, round(estimate::numeric, 8) AS estimate, round(std_error::numeric, 8) AS std_error, round(robust_std_error::numeric, 8) AS robust, round(p_value::numeric, 6) AS p_value, round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper
FROM fits, ltv.coefficients(m) WITH ORDINALITY c (term, estimate, std_error, robust_std_error, z, p_value, hazard_ratio, lower, upper, line) WHERE name IN ('renewal', 'gamma', 'weibull') ORDER BY name COLLATE "C", line;
-- The Wald test is by clusters as well.
SELECT name, test, round(chi_squared::numeric, 6) AS chi_squared, df FROM fits, ltv.model_test(m) WHERE name IN ('renewal', 'discrete_time') ORDER BY name COLLATE "C", test COLLATE "C";
-- Stored and read back: the same bytes.
SELECT name, m::text::ltv.model::text = m::text AS same, ltv.model_clusters(m::text::ltv.model) = ltv.model_clusters(m) AS clusters FROM fits ORDER BY name COLLATE "C";
SELECT name, r::text::ltv.model::text = r::text AS same, ltv.model_clusters(r::text::ltv.model) = ltv.model_clusters(m) AS clusters
FROM fits, LATERAL (SELECT ltv.recalibrated(m, '{"intercept": {"log_ratio": 0.1}}') AS r) q WHERE name IN ('renewal', 'discrete_time', 'weibull') ORDER BY name COLLATE "C";
-- What is said of a row has the errors by clusters: those of its coefficients.
SELECT name, round(p.lower::numeric, 6) AS lower, round(p.upper::numeric, 6) AS upper, p.status
FROM fits, (SELECT 1.0 AS x1, 40.0 AS x2, 9.0 AS x3) q, LATERAL ltv.predict(m, q, 24) p WHERE name IN ('discrete_time', 'discrete_time linear', 'weibull', 'renewal') ORDER BY name COLLATE "C";
SELECT name, round(e.value::numeric, 6) AS value, round(e.lower::numeric, 6) AS lower, round(e.upper::numeric, 6) AS upper, e.status
FROM fits, (SELECT 50 AS x1, 1 AS x2, 1 AS x3, 3.5 AS x4) q, LATERAL ltv.expected_value_interval(m, q) e WHERE name IN ('linear', 'gamma', 'tweedie') ORDER BY name COLLATE "C";

-- In any order, in parts, and with the rows of a cluster told by a weight; a NULL is a cluster of its own.
CREATE TABLE ways AS
SELECT 'whole' AS way, ltv.fit_renewal(ltv.design_agg(0, 1, renewed, ARRAY[seats, annual::int, enterprise::int], 1, '', account_id ORDER BY subscription_id)) AS m FROM decisions
UNION ALL SELECT 'backwards', ltv.fit_renewal(ltv.design_agg(0, 1, renewed, ARRAY[seats, annual::int, enterprise::int], 1, '', account_id ORDER BY subscription_id DESC)) FROM decisions
UNION ALL SELECT 'in parts', ltv.fit_renewal(ltv.rollup(d)) FROM (SELECT ltv.design_agg(0, 1, renewed, ARRAY[seats, annual::int, enterprise::int], 1, '', account_id) AS d FROM decisions GROUP BY left(subscription_id, 4)) p
UNION ALL SELECT 'integers', ltv.fit_renewal(ltv.design_agg(0, 1, renewed::int, ARRAY[seats, annual::int, enterprise::int], 1, '', account_id)) FROM decisions;
SELECT way, max(abs(c.robust_std_error / g.robust_std_error - 1)) < 1e-10 AS same, max(ltv.model_clusters(m)) AS clusters
FROM ways, LATERAL ltv.coefficients(m) c JOIN (SELECT q.* FROM fits, ltv.coefficients(m) q WHERE name = 'renewal') g USING (term) GROUP BY way ORDER BY way COLLATE "C";
SELECT max(abs(a.robust_std_error / b.robust_std_error - 1)) < 1e-9 AS weight_is_repetition
FROM (SELECT ltv.fit_linear(ltv.amount_design_agg(bili, ARRAY[age, albumin], 1 + visit % 3, 0, id::text)) AS m FROM checkups) w, LATERAL ltv.coefficients(w.m) a
JOIN LATERAL (SELECT q.* FROM (SELECT ltv.fit_linear(ltv.amount_design_agg(bili, ARRAY[age, albumin], 1, 0, id::text)) AS m FROM checkups, generate_series(1, 1 + visit % 3)) r, ltv.coefficients(r.m) q) b USING (term);
SELECT n.way, ltv.model_clusters(n.m) AS clusters, round(c.robust_std_error::numeric, 8) AS robust
FROM (SELECT 'NULL' AS way, ltv.fit_gamma(ltv.amount_design_agg(bili, ARRAY[age], 1, 0, CASE WHEN id > 9 THEN id::text END)) AS m FROM checkups
      UNION ALL SELECT 'named', ltv.fit_gamma(ltv.amount_design_agg(bili, ARRAY[age], 1, 0, CASE WHEN id > 9 THEN id::text ELSE 'visit ' || visit END)) FROM checkups
      UNION ALL SELECT 'all NULL', ltv.fit_gamma(ltv.amount_design_agg(bili, ARRAY[age], 1, 0, NULL)) FROM checkups
      UNION ALL SELECT 'all NULL, asked', ltv.fit_gamma(ltv.amount_design_agg(bili, ARRAY[age], 1, 0, NULL), robust => true) FROM checkups
      UNION ALL SELECT 'not wanted', ltv.fit_gamma(ltv.amount_design_agg(bili, ARRAY[age], 1, 0, id::text), robust => false) FROM checkups) n, LATERAL ltv.coefficients(n.m) c WHERE c.term = 'x1' ORDER BY n.way COLLATE "C";

-- By train, with what the registry keeps and tells.
SELECT a.algorithm, t.version, t.n_rows, t.metric, t.warnings
FROM (VALUES ('renewal', 'decisions', NULL, 'renewed', NULL, '{seats,annual,enterprise}'::text[], 'account_id', '{}'::jsonb), ('gamma', 'checkups', NULL, NULL, 'bili', '{age,female,trt,albumin}', 'id', '{}'),
             ('linear', 'checkups', NULL, NULL, 'bili', '{age,female,trt,albumin}', 'id', '{}'), ('tweedie', 'checkups', NULL, NULL, 'bili', '{age,female,trt,albumin}', 'id', '{"power": 1.5}'),
             ('discrete_time', 'eyes', 'futime', 'status', NULL, '{trt,age,risk}', 'id', '{"period": 6}'), ('weibull', 'eyes', 'futime', 'status', NULL, '{trt,age,risk}', 'id', '{}'),
             ('best', 'eyes', 'futime', 'status', NULL, '{trt,age,risk}', 'id', '{"candidates": ["weibull"]}')) a (algorithm, source, duration, event, target, features, cluster, options),
     LATERAL ltv.train(a.algorithm, a.source::regclass, a.algorithm, a.duration, a.event, target => a.target, features => a.features, cluster => a.cluster, options => a.options) t
WHERE t.metric IS NULL OR t.metric ~ '^(log loss|rmse|brier|concordance|aic)' ORDER BY a.algorithm COLLATE "C", t.metric COLLATE "C";
SELECT v.model, max(v.spec ->> 'cluster') AS cluster, max(ltv.model_clusters(v.fitted)) AS clusters,
       max(abs(c.robust_std_error / (g.v -> 'robust_std_error' ->> c.n::int - 1)::float8 - 1)) < 1e-8 AS golden
FROM ltv.model_versions v JOIN (VALUES ('renewal', 0), ('linear', 6), ('gamma', 8), ('discrete_time', 12), ('weibull', 16), ('best', 16)) k (model, place) ON k.model = v.model JOIN gold g ON g.place = k.place,
     LATERAL (SELECT row_number() OVER (ORDER BY q.line) AS n, q.* FROM ltv.coefficients(v.fitted) WITH ORDINALITY AS q (term, estimate, std_error, robust_std_error, z, p_value, hazard_ratio, lower, upper, line) WHERE q.estimate IS NOT NULL) c
GROUP BY v.model ORDER BY v.model COLLATE "C";
SELECT line FROM unnest(ARRAY['renewal', 'gamma']) AS n, regexp_split_to_table(ltv.model_card(n), '\n') AS line WHERE line ~ '^\| (Standard errors|seats|albumin)' ORDER BY line COLLATE "C";
SELECT item, column_name, detail, n, verdict FROM ltv.train_plan('p', 'decisions', 'renewal', NULL, 'renewed', features => '{seats}', cluster => 'account_id') WHERE item IN ('clusters', 'algorithm') ORDER BY item COLLATE "C";
-- A score by name is by the same errors as the value.
SELECT abs(p.lower - q.lower) < 1e-12 AND abs(p.upper - q.upper) < 1e-12 AS same, p.lower < r.lower AND p.upper > r.upper AS wider_than_by_the_model
FROM (SELECT 50 AS age, true AS female, 1 AS trt, 3.5 AS albumin) w, LATERAL ltv.expected_value_interval('gamma', w) p,
     LATERAL (SELECT e.* FROM fits, LATERAL ltv.expected_value_interval(m, (SELECT v FROM (SELECT 50 AS x1, 1 AS x2, 1 AS x3, 3.5 AS x4) v)) e WHERE name = 'gamma') q,
     LATERAL (SELECT e.* FROM (SELECT ltv.fit_gamma(ltv.amount_design_agg(bili, ARRAY[age, female::int, trt, albumin])) AS m FROM checkups) s, LATERAL ltv.expected_value_interval(s.m, (SELECT v FROM (SELECT 50 AS x1, 1 AS x2, 1 AS x3, 3.5 AS x4) v)) e) r;
-- A version goes out and comes in with its clusters.
SELECT ltv.import_model(ltv.export_model('renewal', 1), as_model => 'renewal from elsewhere');
SELECT ltv.model_clusters(ltv.model('renewal from elsewhere@latest')) AS clusters;
-- Segments, each by its clusters, drawn together by the covariances that they have.
SELECT t.metric, t.warnings FROM ltv.train('segments', 'eyes', 'weibull', 'futime', 'status', features => '{trt,risk}', cluster => 'id', segment_by => '{type}') t ORDER BY t.metric COLLATE "C" LIMIT 1;
SELECT segment, status, n_rows, ltv.model_clusters(ltv.segment_model(m, segment)) AS clusters FROM ltv.model('segments@latest') AS m, ltv.model_segments(m) ORDER BY segment COLLATE "C";

-- Too few clusters: the coefficients have their errors, rows keep the model's own.
SELECT t.warnings FROM ltv.train('few', 'checkups', 'gamma', target => 'bili', features => '{age,female,albumin}', cluster => 'sex') t LIMIT 1;
SELECT n, verdict, detail FROM ltv.train_plan('few', 'checkups', 'gamma', target => 'bili', features => '{age,female,albumin}', cluster => 'sex') WHERE item = 'clusters';
SELECT bool_and(round(a.lower::numeric, 12) = round(b.lower::numeric, 12)) AS own_limits
FROM (SELECT 50 AS x1, 3.5 AS x2) w, LATERAL (SELECT e.* FROM (SELECT ltv.fit_gamma(ltv.amount_design_agg(bili, ARRAY[age, albumin], 1, 0, sex)) AS m FROM checkups) s, LATERAL ltv.expected_value_interval(s.m, w) e) a,
     LATERAL (SELECT e.* FROM (SELECT ltv.fit_gamma(ltv.amount_design_agg(bili, ARRAY[age, albumin])) AS m FROM checkups) s, LATERAL ltv.expected_value_interval(s.m, w) e) b;

-- Where there is none it is said, and what to do instead.
SELECT message_of($$SELECT ltv.fit_renewal(ltv.design_agg(0, 1, renewed, ARRAY[seats], 1, '', account_id), penalty => 1) FROM decisions$$);
SELECT message_of($$SELECT ltv.fit_two_part(ltv.amount_design_agg(bili, ARRAY[age], 1, 0, id::text)) FROM checkups$$);
SELECT message_of($$SELECT ltv.rollup(d) FROM (SELECT ltv.amount_design_agg(bili, ARRAY[age], 1, 0, id::text) AS d FROM checkups UNION ALL SELECT ltv.amount_design_agg(bili, ARRAY[age]) FROM checkups) q$$);
SELECT a.algorithm, message_of(format('SELECT ltv.train(%L, %L, %L, %s, cluster => %L, options => %L)', 'bad', a.source, a.algorithm, a.arguments, 'id', a.options))
FROM (VALUES ('two_part', 'checkups', 'target => ''bili'', features => ''{age}''', '{}'), ('boosted_value', 'checkups', 'target => ''bili'', features => ''{age}''', '{}'), ('gamma', 'checkups', 'target => ''bili'', features => ''{age}''', '{"penalty": 1}'),
             ('kaplan_meier', 'eyes', '''futime'', ''status''', '{}'), ('fine_gray', 'eyes', '''futime'', ''status'', features => ''{age}''', '{"cause": 1}'), ('boosted_hazard', 'eyes', '''futime'', ''status'', features => ''{age}''', '{}'),
             ('discrete_time', 'eyes', '''futime'', ''status'', features => ''{age}''', '{"penalty": 1}'), ('sbg', 'eyes', '''futime'', ''status''', '{}'), ('rule', 'eyes', '''futime'', ''status''', '{"monthly_churn": 0.1}')) a (algorithm, source, arguments, options)
ORDER BY a.algorithm COLLATE "C";
