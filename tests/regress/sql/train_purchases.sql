-- train for customers who leave without a word: CDNOW, against the published numbers, the fits of the same rows and SQL by hand.
\set ECHO none
CREATE TABLE cdnow (master_id int, customer_id int, bought_on date, cds int, amount numeric);
\cd :data
\copy cdnow from 'cdnow_transactions.csv' with (format csv, header)
-- Seen on 1997-09-30; later is what the 39 weeks after brought, worth what a purchase in them was worth.
CREATE TABLE buyers AS
SELECT s.customer_id::int AS id, s.frequency, s.recency, s.age, s.mean_value, s.first_purchase, coalesce(l.n, 0) AS later, l.worth, s.customer_id::int % 4 = 0 AS held
FROM ltv.purchase_summary('cdnow', 'customer_id', 'bought_on', 'amount', '1997-09-30') AS s
LEFT JOIN (SELECT d.customer_id, count(*) AS n, avg(d.amount) FILTER (WHERE d.amount > 0)::float8 AS worth
           FROM (SELECT customer_id, bought_on, sum(amount) AS amount FROM cdnow WHERE bought_on > '1997-09-30' AND bought_on <= date '1997-09-30' + 273 GROUP BY 1, 2) AS d GROUP BY 1) AS l
  ON l.customer_id::text = s.customer_id;
-- Customers whose repeat purchases were free have no place in gamma_gamma.
CREATE VIEW spenders AS SELECT * FROM buyers WHERE frequency = 0 OR mean_value > 0;
-- As the papers call the columns.
CREATE VIEW sample AS SELECT id, frequency AS x, recency AS t_x, age AS "T", mean_value AS z FROM buyers;
CREATE FUNCTION r(double precision) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN round($1::numeric, 6);
CREATE FUNCTION refused(arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    fix text;
BEGIN
    EXECUTE 'SELECT count(*) FROM ltv.train(' || arguments || ')';
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS fix = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ' ' || SQLERRM || coalesce(E'\n      ' || nullif(fix, ''), '');
END $$;
-- What the plan says of the same: what it would refuse.
CREATE FUNCTION planned(arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    EXECUTE 'SELECT string_agg(item || coalesce(' || quote_literal(' of ') || ' || column_name, '''') || '': '' || detail, '' | '' ORDER BY item, column_name) FROM ltv.train_plan(' || arguments || ') WHERE verdict = ''refused''' INTO said;
    RETURN coalesce(said, 'nothing');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
ANALYZE;
\set ECHO all

-- Published: r .243 alpha 4.414 a .793 b 2.426, -9582.43; .525 6.183 .891 1.614, -9582.14; .553 10.578 .606 11.669, -9594.98; p 6.25 q 3.74 gamma 15.44, -4055.92 (of 946).
SELECT t.model, t.version, t.status, t.n_rows, t.n_events, t.n_dropped, t.n_holdout, t.metric, round(t.value::numeric, 2) AS value, t.baseline, round(t.baseline_value::numeric, 2) AS baseline_value, t.skill, t.warnings
FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS a, ltv.train(a, 'sample', a, options => '{"frequency": "x", "recency": "t_x", "age": "T"}') AS t ORDER BY t.model COLLATE "C";
SELECT n_rows, n_events, metric, round(value::numeric, 2) AS value, baseline, baseline_value, warnings
FROM ltv.train('spend', 'sample', 'gamma_gamma', options => '{"frequency": "x", "mean_value": "z"}');
SELECT v.model, c.term, round(c.estimate::numeric, 3) AS estimate, round(c.std_error::numeric, 4) AS std_error
FROM ltv.model_versions AS v, LATERAL ltv.coefficients(v.fitted) WITH ORDINALITY AS c (term, estimate, std_error, robust, z, p, hr, lower, upper, place) ORDER BY v.model COLLATE "C", c.place;
-- To the bit what fits of the same rows give, with what they left out; the baseline by hand.
SELECT v.model, v.fitted::text = f.fitted::text AS same, v.n_events = f.again AS again
FROM (SELECT 'bg_nbd' AS model, ltv.fit_bg_nbd(x, t_x, "T") AS fitted, count(*) FILTER (WHERE x > 0) AS again FROM sample
      UNION ALL SELECT 'mbg_nbd', ltv.fit_mbg_nbd(x, t_x, "T"), count(*) FILTER (WHERE x > 0) FROM sample
      UNION ALL SELECT 'pareto_nbd', ltv.fit_pareto_nbd(x, t_x, "T"), count(*) FILTER (WHERE x > 0) FROM sample
      UNION ALL SELECT 'spend', ltv.fit_gamma_gamma(x, z), count(*) FILTER (WHERE x > 0) FROM sample) AS f
JOIN ltv.model_versions AS v USING (model) ORDER BY v.model COLLATE "C";
SELECT round((sum(x) * ln(sum(x) / sum("T")) - sum(x))::numeric, 2) AS one_rate FROM sample;

-- Held out: three quarters are fitted, the rest judged by what the 39 weeks after brought.
SELECT t.model, t.n_rows, t.n_events, t.n_holdout, t.metric, r(t.value) AS value, t.baseline, r(t.baseline_value) AS baseline_value, r(t.skill) AS skill, t.warnings
FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd}'::text[]) AS a, ltv.train('held ' || a, 'buyers', a, target => 'later', horizon => 39, holdout => '{"by": "held"}', note => 'repeat') AS t
ORDER BY t.model COLLATE "C", t.metric COLLATE "C";
SELECT v.model, r(sqrt(avg((later - e) ^ 2))) AS rmse, r(sqrt(avg((later - n) ^ 2))) AS rmse_naive, r(avg(abs(later - e))) AS mae, r(avg(abs(later - n))) AS mae_naive, r(avg(e - later)) AS bias, r(avg(n - later)) AS bias_naive
FROM (SELECT 'held bg_nbd' AS model, ltv.fit_bg_nbd(frequency, recency, age) AS m FROM buyers WHERE NOT held
      UNION ALL SELECT 'held mbg_nbd', ltv.fit_mbg_nbd(frequency, recency, age) FROM buyers WHERE NOT held
      UNION ALL SELECT 'held pareto_nbd', ltv.fit_pareto_nbd(frequency, recency, age) FROM buyers WHERE NOT held) AS v,
     buyers, LATERAL (SELECT ltv.expected_purchases(v.m, frequency, recency, age, 39) AS e, frequency / age * 39 AS n) AS said
WHERE held GROUP BY v.model ORDER BY v.model COLLATE "C";
SELECT n_rows, n_events, n_holdout, metric, r(value) AS value, baseline, r(baseline_value) AS baseline_value, r(skill) AS skill, warnings
FROM ltv.train('held spend', 'spenders', 'gamma_gamma', target => 'worth', holdout => '{"by": "held"}') ORDER BY metric COLLATE "C";
SELECT count(*) AS judged, r(sqrt(avg((worth - e) ^ 2))) AS rmse, r(sqrt(avg((worth - n) ^ 2))) AS rmse_naive, r(avg(abs(worth - e))) AS mae, r(avg(abs(worth - n))) AS mae_naive, r(avg(e - worth)) AS bias, r(avg(n - worth)) AS bias_naive
FROM (SELECT ltv.fit_gamma_gamma(frequency, mean_value) AS m, avg(mean_value) FILTER (WHERE frequency > 0) AS mean FROM spenders WHERE NOT held) AS v, spenders,
     LATERAL (SELECT ltv.expected_spend(v.m, frequency, mean_value) AS e, coalesce(mean_value, mean) AS n) AS said
WHERE held AND worth IS NOT NULL;
-- Without a holdout: the time after was not seen either. All of CDNOW: 1882 purchases, of which bg_nbd expects 1653 (by weeks of two decimals).
SELECT metric, r(value) AS value, r(baseline_value) AS baseline_value, r(skill) AS skill, warnings FROM ltv.train('all', 'buyers', 'bg_nbd', target => 'later', horizon => 39) ORDER BY metric COLLATE "C";
SELECT segment, n, round(predicted_value::numeric, 1) AS predicted, actual_value AS actual, round(bias_share::numeric, 4) AS bias_share, r(mae) AS mae, r(rmse) AS rmse, n_unscored, n_without_value, status FROM ltv.predicted_vs_actual('all', 'buyers', by => '{held}') ORDER BY segment;
SELECT segment, n, r(mae) AS mae, r(rmse) AS rmse, status FROM ltv.predicted_vs_actual('held bg_nbd', 'buyers') ORDER BY segment;
SELECT segment, n, r(mae) AS mae, r(rmse) AS rmse, n_without_value, status FROM ltv.predicted_vs_actual('held spend', 'spenders') ORDER BY segment;

-- Weights, half-lives and days: as the fits with the same weights.
SELECT metric, r(value) AS value, r(baseline_value) AS baseline_value, n_rows, r(n_events) AS n_events FROM ltv.train('weighed', 'buyers', 'mbg_nbd', weight => 'id', target => 'later', horizon => 39, holdout => '{"by": "held"}') ORDER BY metric COLLATE "C";
SELECT (SELECT fitted::text FROM ltv.model_versions WHERE model = 'weighed') = ltv.fit_mbg_nbd(frequency, recency, age, id)::text AS same FROM buyers WHERE NOT held;
SELECT r(sqrt(sum(id * (later - e) ^ 2) / sum(id))) AS rmse, r(sum(id * abs(later - frequency / age * 39)) / sum(id)) AS mae_naive
FROM buyers, LATERAL (SELECT ltv.expected_purchases('weighed', frequency, recency, age, 39) AS e) AS said WHERE held;
SELECT n_rows, n_events > 0 AND n_events < 1000 AS fewer, warnings FROM ltv.train('aged', 'buyers', 'pareto_nbd', started_on => 'first_purchase', half_life => 4, unit => 'week', as_of => '1997-09-30');
SELECT (SELECT fitted::text FROM ltv.model_versions WHERE model = 'aged') = ltv.fit_pareto_nbd(frequency, recency, age, power(2::float8, -greatest((date '1997-09-30' - first_purchase) / 7::float8, 0) / 4))::text AS same FROM buyers;
SELECT n_rows, warnings FROM ltv.train('aged', 'spenders', 'gamma_gamma', started_on => 'first_purchase', as_of => '1997-02-15', half_life => 12);
CREATE VIEW early AS SELECT * FROM ltv.purchase_summary('cdnow', 'customer_id', 'bought_on', 'amount', '1997-02-28', unit => 'month');
SELECT n_rows, n_events, warnings FROM ltv.train('early', 'early', 'bg_nbd', started_on => 'first_purchase', as_of => '1997-02-28');
CREATE VIEW dropping AS SELECT id, CASE WHEN id % 10 > 0 THEN frequency END AS frequency, recency, age, CASE WHEN id % 7 > 0 THEN mean_value END AS mean_value FROM spenders;
SELECT t.model, n_rows, n_events, n_dropped, warnings
FROM (VALUES ('bg_nbd'), ('gamma_gamma')) AS a (name), ltv.train('dropping ' || a.name, 'dropping', a.name, null_policy => 'drop') AS t ORDER BY t.model COLLATE "C";
SELECT v.model, v.fitted::text = CASE v.model WHEN 'dropping bg_nbd' THEN (SELECT ltv.fit_bg_nbd(frequency, recency, age) FROM dropping WHERE frequency IS NOT NULL)
    ELSE (SELECT ltv.fit_gamma_gamma(frequency, mean_value) FROM dropping WHERE frequency = 0 OR frequency > 0 AND mean_value IS NOT NULL) END::text AS same
FROM ltv.model_versions AS v WHERE v.model LIKE 'dropping%' ORDER BY v.model COLLATE "C";

-- What the registry keeps, and what works on it.
SELECT model, algorithm, n_rows, n_events, n_holdout, spec - 'options' AS spec FROM ltv.model_versions WHERE model IN ('bg_nbd', 'held bg_nbd', 'held spend', 'aged') ORDER BY model COLLATE "C", version;
SELECT p.model, p.role, p.input, p.horizon, s.n, s.nulls, r(s.mean) AS mean FROM ltv.model_profiles AS p, LATERAL ltv.profile_summary(p.profile) AS s WHERE p.model IN ('held bg_nbd', 'held spend') ORDER BY p.model COLLATE "C", p.role COLLATE "C", p.input COLLATE "C";
SELECT input, metric, r(value) AS value, is_anomaly, n_base, n_now FROM ltv.drift('held bg_nbd', 'buyers') WHERE metric IN ('psi', 'null_rate') ORDER BY input COLLATE "C", metric COLLATE "C";
SELECT input, is_anomaly FROM ltv.drift('held spend', 'dropping') WHERE metric = 'null_rate' ORDER BY input COLLATE "C";
SELECT check_name, is_due FROM ltv.retrain_due('held bg_nbd', 'early') ORDER BY check_name COLLATE "C";
SELECT c ->> 'column' AS name, c ->> 'role' AS role FROM ltv.model_versions, jsonb_array_elements(lineage -> 'columns') AS c WHERE model = 'held bg_nbd' ORDER BY c ->> 'column' COLLATE "C";
SELECT ltv.promote('held bg_nbd', 1, reason => 'first') IS NOT NULL AS promoted;
SELECT bool_and(ltv.verify(model, version)) AS sealed FROM ltv.model_versions;
SELECT m, line FROM unnest('{held bg_nbd,held spend,bg_nbd}'::text[]) WITH ORDINALITY AS u (m, place), regexp_split_to_table(ltv.model_card(m), E'\n') WITH ORDINALITY AS l (line, at)
WHERE line ~ '^(It says|- It tells|- By the|- A customer|- \*\*|On the|\| Fitted|\| `|\| (rmse|mae|bias|log))|What counts|alibration' ORDER BY u.place, l.at;
SELECT ltv.import_model(ltv.export_model('held bg_nbd', 1), as_model => 'imported');
SELECT ltv.model('imported')::text = ltv.model('held bg_nbd')::text AS same, ltv.model('imported')::text::ltv.model::text = ltv.model('imported')::text AS round_trip;
SELECT metric, r(value) AS value FROM ltv.train('held bg_nbd', 'buyers', 'bg_nbd', target => 'later', horizon => 26, holdout => '{"by": "held"}') ORDER BY metric COLLATE "C";
SELECT field, old, new FROM ltv.diff('held bg_nbd', 1, 2) WHERE field LIKE 'spec%' OR field IN ('horizon', 'target') ORDER BY field COLLATE "C";

-- By name as by value, in whatever order models and names come.
SELECT bool_and(ltv.probability_alive(a, frequency, recency, age) = ltv.probability_alive(ltv.model(a), frequency, recency, age)
            AND ltv.expected_purchases(a, frequency, recency, age, 39) = ltv.expected_purchases(ltv.model(a), frequency, recency, age, 39)
            AND ltv.expected_purchases(a, 39) = ltv.expected_purchases(ltv.model(a), 39) AND ltv.purchase_probability(a, 2, 39) = ltv.purchase_probability(ltv.model(a), 2, 39)
            AND ltv.discounted_purchases(a, frequency, recency, age, 0.15) = ltv.discounted_purchases(ltv.model(a), frequency, recency, age, 0.15)) AS same, count(*)
FROM (SELECT * FROM buyers ORDER BY id LIMIT 50) AS b, unnest('{held bg_nbd,mbg_nbd,pareto_nbd@1,held bg_nbd@production}'::text[]) AS a;
SELECT bool_and(ltv.expected_spend(a, frequency, mean_value) = ltv.expected_spend(ltv.model(a), frequency, mean_value)) AS same FROM (SELECT * FROM spenders ORDER BY id LIMIT 50) AS b, unnest('{spend,held spend}'::text[]) AS a;
SELECT bool_and(n = m) AS same, sum(n.ltv) > 0 AS worth FROM (SELECT * FROM spenders ORDER BY id LIMIT 50) AS b,
     LATERAL ltv.transactional_value('held bg_nbd', 'held spend', frequency, recency, age, mean_value, 0.3) AS n, LATERAL ltv.transactional_value(ltv.model('held bg_nbd'), ltv.model('held spend'), frequency, recency, age, mean_value, 0.3) AS m;
SELECT period, purchases > 0 AS expected, cumulative = (SELECT ltv FROM ltv.transactional_value('held bg_nbd', 'held spend', 2, 30.43, 38.86, 22.35, horizon => 2)) AS last FROM ltv.transactional_cash_flows('held bg_nbd', 'held spend', 2, 30.43, 38.86, 22.35, horizon => 2) ORDER BY period;
SELECT ltv.probability_alive(NULL::text, 1, 2, 3) IS NULL AS no_name, ltv.expected_spend(NULL::text, 0, NULL) IS NULL AS no_spend;
SELECT ltv.probability_alive('nothing', 1, 2, 3);
SELECT ltv.probability_alive('spend', 1, 2, 3);
SELECT ltv.expected_spend('bg_nbd', 1, 2);
SELECT (ltv.transactional_value('bg_nbd', 'nothing', 1, 2, 3, 4)).ltv;

-- What tells of lifetimes or amounts given features says what to use.
SELECT * FROM ltv.predict('bg_nbd', ROW(1), 12);
SELECT ltv.renewal_probability('bg_nbd', ROW(1), 12);
SELECT ltv.predict_curve('bg_nbd', ROW(1));
SELECT ltv.expected_value('bg_nbd', ROW(1));
SELECT ltv.expected_value('spend', ROW(1));
SELECT * FROM ltv.score('mbg_nbd', 'sample', 'id', 12);
SELECT * FROM ltv.evaluate('bg_nbd', 'sample');
SELECT * FROM ltv.evaluate('held bg_nbd', 'buyers');
SELECT * FROM ltv.predicted_vs_actual('bg_nbd', 'sample');
SELECT * FROM ltv.predicted_vs_actual('held bg_nbd', 'sample');
SELECT * FROM ltv.predicted_vs_actual('held bg_nbd', 'buyers', horizon => 12);
SELECT * FROM ltv.explain('bg_nbd', ROW(1));
SELECT * FROM ltv.importance('held bg_nbd', 'buyers');
SELECT * FROM ltv.calibration('held bg_nbd', 'buyers', 39);
SELECT * FROM ltv.recalibrate('held bg_nbd', 'buyers', 'platt', horizon => 39);
SELECT * FROM ltv.drift('held bg_nbd', 'sample');
SELECT * FROM ltv.partial_dependence('held bg_nbd', 'buyers', 'age', horizon => 39);
SELECT * FROM ltv.similar('held bg_nbd', 'buyers', 'id', '4');
SELECT (ltv.lifetime_value('bg_nbd', ROW(1), ltv.contract_terms(100))).ltv;
SELECT * FROM ltv.fit_statement('bg_nbd');
SELECT * FROM ltv.compare_algorithms('SELECT age AS duration, held AS event, 0 AS entry FROM public.buyers', 'SELECT age AS duration, held AS event, 0 AS given FROM public.buyers', 12, '{gamma_gamma}');
SELECT * FROM ltv.backtest('buyers', 'first_purchase', 'age', 'held', 12, '1997-03-01', algorithms => '{bg_nbd}');
SELECT * FROM ltv.train_auto('auto', 'buyers', 'age', 'held', 12, algorithms => '{bg_nbd,weibull}');

-- Registered by hand: by the usual names.
SELECT ltv.register_version('by hand', 'bg_nbd', fitted, '{"target": "later", "horizon": 39}', 2357, 946) AS version FROM ltv.model_versions WHERE model = 'all';
SELECT segment, n, round(predicted_value::numeric, 1) AS predicted, actual_value AS actual, status FROM ltv.predicted_vs_actual('by hand', 'buyers') ORDER BY segment;
SELECT ltv.register_version('by hand', 'bg_nbd', fitted, '{"target": "later"}', 2357, 946) AS version FROM ltv.model_versions WHERE model = 'all';
SELECT * FROM ltv.predicted_vs_actual('by hand', 'buyers');
SELECT * FROM ltv.predicted_vs_actual('by hand@1', 'sample');
SELECT * FROM ltv.drift('by hand', 'buyers');

-- What cannot be trained is said before it costs, by the plan too.
CREATE VIEW odd AS SELECT *, CASE id % 100 WHEN 1 THEN -1 WHEN 2 THEN 1.5 WHEN 3 THEN 'NaN' ELSE frequency END::float8 AS odd_frequency,
    CASE id % 100 WHEN 1 THEN -1 WHEN 2 THEN age + 1 WHEN 3 THEN 'NaN' ELSE recency END::float8 AS odd_recency, CASE WHEN frequency = 0 THEN age / 2 ELSE recency END AS slipped,
    CASE id % 100 WHEN 1 THEN -1 WHEN 2 THEN 'Infinity' ELSE age END::float8 AS odd_age, CASE WHEN frequency = 0 THEN NULL WHEN id % 100 = 1 THEN 0 WHEN id % 100 = 2 THEN 'NaN' ELSE mean_value END AS odd_value,
    nullif(later, 0) AS lacking, later + 0.5 AS halves, -later AS negative, coalesce(worth, 0) AS zero, NULL::float8 AS nobody, id::text AS code, 0 AS never
FROM spenders;
\pset format unaligned
SELECT place, refused(a) AS refusal FROM (VALUES
    (1, $$'m', 'buyers', 'bg_nbd', duration => 'age'$$), (2, $$'m', 'buyers', 'bg_nbd', event => 'held'$$), (3, $$'m', 'buyers', 'pareto_nbd', entry => 'age'$$),
    (4, $$'m', 'buyers', 'mbg_nbd', features => '{age}'$$), (5, $$'m', 'buyers', 'bg_nbd', strata => 'held'$$), (6, $$'m', 'buyers', 'bg_nbd', cluster => 'id'$$),
    (7, $$'m', 'buyers', 'bg_nbd', segment_by => '{age}'$$), (8, $$'m', 'buyers', 'bg_nbd', segment_by => '{later}', target => 'later', horizon => 9$$), (9, $$'m', 'buyers', 'gamma_gamma', era => 'first_purchase:year'$$),
    (10, $$'m', 'buyers', 'bg_nbd', expected_signs => '{"age": "+"}'$$), (11, $$'m', 'buyers', 'bg_nbd', null_policy => 'impute'$$), (12, $$'m', 'buyers', 'bg_nbd', null_policy => 'learn'$$),
    (13, $$'m', 'buyers', 'bg_nbd', target => 'later'$$), (14, $$'m', 'buyers', 'gamma_gamma', target => 'worth', horizon => 39$$), (15, $$'m', 'buyers', 'bg_nbd', target => 'age', horizon => 39$$),
    (16, $$'m', 'buyers', 'gamma_gamma', target => 'mean_value'$$), (17, $$'m', 'buyers', 'bg_nbd', as_of => '1997-09-30'$$), (18, $$'m', 'buyers', 'bg_nbd', half_life => 3$$),
    (19, $$'m', 'buyers', 'bg_nbd', options => '{"mean_value": "x"}'$$), (20, $$'m', 'buyers', 'gamma_gamma', options => '{"age": "x"}'$$), (21, $$'m', 'buyers', 'bg_nbd', options => '{"recency": 3}'$$),
    (22, $$'m', 'buyers', 'bg_nbd', options => '{"recency": "age"}'$$), (23, $$'m', 'sample', 'bg_nbd'$$), (24, $$'m', 'buyers', 'bg_nbd', horizon => -1$$), (25, $$'m', 'buyers', 'bgnbd'$$)) AS v (place, a) ORDER BY place;
SELECT place, refused(a) AS refusal, planned(a) AS planned FROM (VALUES
    (1, $$'m', 'odd', 'bg_nbd', options => '{"frequency": "odd_frequency"}'$$), (2, $$'m', 'odd', 'mbg_nbd', options => '{"recency": "odd_recency"}'$$), (3, $$'m', 'odd', 'pareto_nbd', options => '{"recency": "slipped"}'$$),
    (4, $$'m', 'odd', 'bg_nbd', options => '{"age": "odd_age"}'$$), (5, $$'m', 'odd', 'gamma_gamma', options => '{"mean_value": "odd_value"}'$$), (6, $$'m', 'odd', 'gamma_gamma', options => '{"frequency": "odd_frequency"}'$$),
    (7, $$'m', 'odd', 'bg_nbd', target => 'lacking', horizon => 39$$), (8, $$'m', 'odd', 'bg_nbd', target => 'halves', horizon => 39$$), (9, $$'m', 'odd', 'bg_nbd', target => 'negative', horizon => 39$$),
    (10, $$'m', 'odd', 'gamma_gamma', target => 'zero'$$), (11, $$'m', 'odd', 'bg_nbd', options => '{"frequency": "code"}'$$), (12, $$'m', 'odd', 'bg_nbd', weight => 'never'$$),
    (13, $$'m', 'odd', 'bg_nbd', options => '{"frequency": "never", "recency": "never"}'$$), (14, $$'m', 'odd', 'gamma_gamma', options => '{"frequency": "never"}'$$), (15, $$'m', 'dropping', 'bg_nbd'$$), (16, $$'m', 'dropping', 'gamma_gamma', options => '{"frequency": "id"}'$$),
    (17, $$'m', 'buyers', 'bg_nbd', min_events => 5000$$), (18, $$'m', 'buyers', 'bg_nbd', as_of => '1997-09-01', started_on => 'first_purchase', unit => 'week'$$),
    (19, $$'m', 'buyers', 'bg_nbd', as_of => '1997-02-01', known_on => 'first_purchase'$$), (20, $$'m', 'buyers', 'bg_nbd', as_of => '1997-09-30', started_on => 'first_purchase'$$), (21, $$'m', 'odd', 'bg_nbd', options => '{"age": "nowhere"}'$$)) AS v (place, a) ORDER BY place;
-- Nobody has come again when no time has passed, nor in next to none.
CREATE VIEW zero_age AS SELECT i AS id, i % 3 AS frequency, 0 AS recency, 0 AS age FROM generate_series(1, 30) AS i;
CREATE VIEW no_age AS SELECT id, 0 AS frequency, recency, age FROM zero_age;
CREATE VIEW tiny AS SELECT id, frequency, recency, CASE WHEN id % 10 = 1 THEN float8 '5e-324' WHEN id % 10 = 2 THEN '1e-320' ELSE 20 END AS age, 1 AS later FROM zero_age;
SELECT place, refused(a) AS refusal, planned(a) AS planned FROM (VALUES
    (1, $$'m', 'zero_age', 'bg_nbd'$$), (2, $$'m', 'no_age', 'pareto_nbd'$$), (3, $$'m', 'tiny', 'bg_nbd', target => 'later', horizon => 39$$), (4, $$'m', 'tiny', 'mbg_nbd'$$)) AS v (place, a) ORDER BY place;
SELECT place, planned(a) AS planned FROM (VALUES
    (1, $$'m', 'buyers', 'bg_nbd', duration => 'age'$$), (2, $$'m', 'buyers', 'bg_nbd', target => 'later'$$), (3, $$'m', 'buyers', 'bg_nbd', segment_by => '{id}'$$), (4, $$'m', 'buyers', 'bg_nbd'$$)) AS v (place, a) ORDER BY place;
\pset format aligned
SELECT count(*) FROM ltv.models WHERE name = 'm';

-- The plan of what can.
SELECT item, column_name, detail, n, round(value::numeric, 3) AS value, verdict FROM ltv.train_plan('m', 'buyers', 'bg_nbd', target => 'later', horizon => 39, holdout => '{"by": "held"}', as_of => '1997-09-30', started_on => 'first_purchase', unit => 'week') WHERE item <> 'time';
SELECT item, column_name, detail, n, round(value::numeric, 3) AS value, verdict FROM ltv.train_plan('m', 'spenders', 'gamma_gamma', target => 'worth', weight => 'id') WHERE item <> 'time';
SELECT item, detail, n, round(value::numeric, 3) AS value, verdict FROM ltv.train_plan('m', 'buyers', 'pareto_nbd') WHERE verdict NOT IN ('ok', 'note');
-- Histories that are the same are counted, so that many fit into little memory.
CREATE TABLE many AS SELECT i % 9 AS frequency, i % 9 * (5 + i % 11) / 10.0 AS recency, 20 + i / 1000.0 AS age FROM generate_series(1, 20000) AS i;
CREATE VIEW alike AS SELECT frequency, recency, 20 AS age FROM many;
SET ltv.max_memory_mb = 1;
SELECT item, value, verdict FROM ltv.train_plan('m', 'many', 'pareto_nbd') WHERE item = 'memory';
SELECT item, value, verdict FROM ltv.train_plan('m', 'alike', 'pareto_nbd') WHERE item = 'memory';
SELECT refused($$'m', 'many', 'pareto_nbd'$$);
SELECT n_rows, n_events FROM ltv.train('alike', 'alike', 'bg_nbd');
RESET ltv.max_memory_mb;

-- Fits that are not to be believed are told of.
CREATE VIEW few AS SELECT * FROM buyers WHERE id <= 60;
SELECT warnings FROM ltv.train('few', 'few', 'mbg_nbd', horizon => 39);
CREATE VIEW stopped AS SELECT frequency, recency, recency AS age FROM buyers WHERE frequency > 0;
SELECT warnings, r(value) AS value, baseline FROM ltv.train('stopped', 'stopped', 'bg_nbd');
SELECT warnings, n_holdout, metric FROM ltv.train('empty', 'buyers', 'bg_nbd', target => 'later', horizon => 39, holdout => '{"by": "first_purchase", "from": "1999-01-01"}');
SELECT warnings, metric FROM ltv.train('no later', 'odd', 'gamma_gamma', target => 'nobody', null_policy => 'drop');
