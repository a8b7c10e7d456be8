-- Rolling over cut-offs: nothing is seen beyond them, and the numbers are those of the same steps by hand.
CREATE TABLE customers AS
SELECT i AS customer, date '2019-01-01' + (i * 7919) % 1826 AS started_on, sin(i) AS usage, 'plan ' || chr(97 + i % 3) AS plan, i % 2 = 0 AS partner,
       greatest(1, ceil(-ln(1 - ((i * 104729) % 9973 + 0.5) / 9973) * 600 * exp(-0.8 * sin(i) - 0.4 * (i % 3))))::int AS days
FROM generate_series(1, 1500) AS i;
-- As the data stand on a day: who has begun, and who has left by then.
CREATE FUNCTION data_on(today date) RETURNS TABLE (customer int, started_on date, usage float8, plan text, partner boolean, months float8, churned boolean) LANGUAGE sql STABLE AS $$
    SELECT customer, started_on, usage, plan, partner, least(days, today - started_on) / 30.4375::float8, started_on + days <= today FROM customers WHERE started_on <= today
$$;
CREATE TABLE early AS SELECT * FROM data_on('2023-01-01');
CREATE TABLE late AS SELECT * FROM data_on('2024-01-01');
-- Sums in one order: what is compared below is equal to the last bit.
SET max_parallel_workers = 0;
CREATE TABLE first AS SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2021-01-01', '2022-07-01', '6 months', algorithms => '{cox,weibull}', features => '{usage,plan,partner}');
SELECT cut_off, algorithm, n_train, n_events, n_test, n_test_events, metric, round(value::numeric, 6) AS value, round(baseline_value::numeric, 6) AS baseline, round(skill::numeric, 4) AS skill, status FROM first ORDER BY cut_off, algorithm, metric;
-- A year later, with what has come since: the same to the last bit.
SELECT count(*) AS differences FROM (
    (TABLE first EXCEPT SELECT * FROM ltv.backtest('late', 'started_on', 'months', 'churned', 6, '2021-01-01', '2022-07-01', '6 months', algorithms => '{cox,weibull}', features => '{usage,plan,partner}'))
    UNION ALL (SELECT * FROM ltv.backtest('late', 'started_on', 'months', 'churned', 6, '2021-01-01', '2022-07-01', '6 months', algorithms => '{cox,weibull}', features => '{usage,plan,partner}') EXCEPT TABLE first)) d;
-- Rows of another fate after the horizon, and new ones.
CREATE TABLE other AS SELECT customer, started_on, usage, plan, partner, CASE WHEN started_on + ceil(months * 30.4375)::int > date '2022-02-01' THEN months + 3 ELSE months END AS months, churned FROM late;
INSERT INTO other SELECT 2000 + i, '2022-01-02', 99, 'plan z', NULL, 0.5, true FROM generate_series(1, 50) AS i;
SELECT count(*) AS compared, count(*) FILTER (WHERE NOT same) AS differences FROM (
    SELECT f = o AS same FROM first f JOIN ltv.backtest('other', 'started_on', 'months', 'churned', 6, '2021-01-01', '2021-07-01', '6 months', algorithms => '{cox,weibull}', features => '{usage,plan,partner}') o USING (cut_off, algorithm, metric)) d;

-- By hand, at one cut-off: the same fit, the same scores.
CREATE FUNCTION tail(s ltv.survival, until float8, t float8) RETURNS float8 LANGUAGE sql AS $$ SELECT CASE WHEN t <= until THEN ltv.survival_at(s, t) ELSE ltv.survival_at(s, until) ^ (t / until) END $$;
WITH known AS (
    SELECT least(months, (date '2021-07-01' - started_on) / 30.4375) AS months, churned AND months <= (date '2021-07-01' - started_on) / 30.4375 AS churned, usage FROM early WHERE started_on <= '2021-07-01'
), fitted AS (SELECT ltv.fit_cox(ltv.design_agg(months, churned, ARRAY[usage]), ARRAY['usage']) AS m, ltv.survival_agg(months, churned) AS s, max(months) AS m_end FROM known WHERE months > 0),
there AS (
    SELECT e, (date '2021-07-01' - started_on) / 30.4375::float8 AS age, months - (date '2021-07-01' - started_on) / 30.4375::float8 AS since, churned FROM early e WHERE started_on <= '2021-07-01' AND months > (date '2021-07-01' - started_on) / 30.4375::float8
), judged AS (
    SELECT ltv.brier_score(ltv.survival_calibration_agg(ltv.renewal_probability(m, e, 6, age), least(since, 7), churned AND since <= 6), 6) AS b,
           ltv.brier_score(ltv.survival_calibration_agg(tail(s, m_end, age + 6) / tail(s, m_end, age), least(since, 7), churned AND since <= 6), 6) AS k, count(*) AS n
    FROM there, fitted)
SELECT abs((b).brier - value) < 1e-12 AS brier, abs((k).brier - baseline_value) < 1e-12 AS baseline, n = n_test AS rows
FROM judged, ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2021-07-01', '2021-07-01', algorithms => '{cox}', features => '{usage}') WHERE metric = 'brier';

-- An embargo takes the last months from what is learnt; a window the first years; days are a unit.
CREATE TABLE by_days AS SELECT customer, started_on, usage, months * 30.4375 AS days, churned FROM early;
SELECT e.cut_off, a.n_train - e.n_train AS fewer, w.n_train < a.n_train AS fewer_in_window, w.n_test = a.n_test AS same_test, d.n_train = a.n_train AND abs(d.value - a.value) < 1e-9 AS days_alike
FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', '2022-01-01', features => '{usage}') a
JOIN ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', '2022-01-01', features => '{usage}', embargo => '90 days') e USING (metric)
JOIN ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', '2022-01-01', features => '{usage}', "window" => '1 year') w USING (metric)
JOIN ltv.backtest('by_days', 'started_on', 'days', 'churned', 6 * 30.4375, '2022-01-01', '2022-01-01', features => '{usage}', unit => 'day') d USING (metric) WHERE metric = 'brier';

-- A function of the day, with features that change and ends that become known late.
CREATE TABLE log (customer int, known_on date, started_on date, ended_on date, usage float8);
INSERT INTO log SELECT customer, started_on, started_on, NULL, usage FROM customers;
INSERT INTO log SELECT customer, started_on + days + customer % 10, started_on, started_on + days, usage FROM customers;
INSERT INTO log SELECT customer, started_on + 90, started_on, NULL, usage + sin(customer * 3) / 2 FROM customers WHERE days > 90;
CREATE FUNCTION features_at(as_of date) RETURNS TABLE (customer int, duration float8, event boolean, usage float8) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT l.customer, (coalesce(l.ended_on, as_of) - l.started_on) / 30.4375::float8, l.ended_on IS NOT NULL, l.usage
    FROM (SELECT DISTINCT ON (g.customer) g.* FROM log g WHERE g.known_on <= as_of ORDER BY g.customer, g.known_on DESC, g.ended_on) l;
END;
CREATE TABLE then_known AS SELECT * FROM ltv.backtest('features_at(date)'::regprocedure, 'customer', 6, '2021-01-01', '2022-01-01', '6 months', algorithms => '{cox,weibull}', features => '{usage}', embargo => '30 days');
SELECT cut_off, algorithm, n_train, n_events, n_test, n_test_events, metric, round(value::numeric, 6) AS value, round(baseline_value::numeric, 6) AS baseline, status FROM then_known WHERE metric IN ('brier', 'concordance');
-- By hand: those who were there a year before, with the usage of then.
SELECT abs(b.value - (m.b).brier) < 1e-12 AS brier, b.n_train = m.n AS rows, b.n_events = m.events AS events
FROM (SELECT count(*) AS n, count(*) FILTER (WHERE a.event) AS events, ltv.fit_cox(ltv.design_agg(f.duration, a.duration, a.event, ARRAY[f.usage]), ARRAY['usage']) AS m
      FROM features_at('2020-12-02') f JOIN features_at('2021-12-02') a USING (customer) WHERE NOT f.event AND a.duration > f.duration) x,
     LATERAL (SELECT ltv.brier_score(ltv.survival_calibration_agg(ltv.renewal_probability(m, f, 6, f.duration), least(greatest(a.duration - f.duration, 0), 7), a.event AND a.duration - f.duration <= 6), 6) AS b, x.n, x.events
              FROM features_at('2022-01-01') f JOIN features_at(date '2022-01-01' + 184) a USING (customer) WHERE NOT f.event) m,
     ltv.backtest('features_at(date)'::regprocedure, 'customer', 6, '2022-01-01', '2022-01-01', features => '{usage}', embargo => '30 days', lookback => '1 year') b WHERE b.metric = 'brier';
-- Corrections, ends and customers that become known after the last horizon change nothing.
INSERT INTO log SELECT customer, '2022-08-01', started_on, started_on + 5, 1000 FROM customers WHERE customer % 3 = 0 AND started_on < '2022-07-01';
INSERT INTO log SELECT 5000 + i, '2022-08-02', date '2020-01-01' + i, date '2020-01-03' + i, -50 FROM generate_series(1, 100) AS i;
SELECT count(*) AS differences FROM (
    (TABLE then_known EXCEPT SELECT * FROM ltv.backtest('features_at(date)'::regprocedure, 'customer', 6, '2021-01-01', '2022-01-01', '6 months', algorithms => '{cox,weibull}', features => '{usage}', embargo => '30 days'))
    UNION ALL (SELECT * FROM ltv.backtest('features_at(date)'::regprocedure, 'customer', 6, '2021-01-01', '2022-01-01', '6 months', algorithms => '{cox,weibull}', features => '{usage}', embargo => '30 days') EXCEPT TABLE then_known)) d;

-- Nothing is registered, and a read-only transaction will do.
BEGIN READ ONLY;
SELECT count(*) FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', '2022-01-01', algorithms => '{discrete_time,gompertz}', features => '{}', options => '{"discrete_time": {"baseline": "linear"}}');
COMMIT;
SELECT count(*) AS registered FROM ltv.model_versions;
-- What cannot be judged says why.
SELECT DISTINCT cut_off, n_train, n_events, n_test, status FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2019-01-02', '2019-01-02', features => '{usage}');
SELECT DISTINCT cut_off, n_test, status FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-10-01', '2022-10-01', features => '{usage}');
SELECT DISTINCT cut_off, n_test, status FROM ltv.backtest('other', 'started_on', 'months', 'churned', 6, '2022-01-10', '2022-01-10', features => '{plan}');

-- The choice among algorithms.
SELECT algorithm, n_splits, n_test, round(brier::numeric, 6) AS brier, round(skill::numeric, 4) AS skill, round(concordance::numeric, 4) AS concordance, chosen, version, status
FROM ltv.train_auto('churn', 'early', 'months', 'churned', 6, features => '{usage,plan}', started => 'started_on');
SELECT algorithm, n_splits, n_test, round(brier::numeric, 6) AS brier, round(skill::numeric, 4) AS skill, chosen, version, status
FROM ltv.train_auto('churn', 'early', 'months', 'churned', 6, features => '{usage}', algorithms => '{weibull,exponential}', metric => 'concordance', note => 'second');
SELECT version, algorithm, status, spec -> 'features' AS features, note FROM ltv.model_versions ORDER BY version;

-- Options are those of train, and what is judged is what train fits: the same probabilities to the last digit.
CREATE VIEW known_then AS SELECT customer, least(months, (date '2021-07-01' - started_on) / 30.4375) AS months, churned AND months <= (date '2021-07-01' - started_on) / 30.4375 AS churned, usage * 1000 AS usage, plan
FROM early WHERE started_on < '2021-07-01';
CREATE VIEW early_large AS SELECT customer, started_on, months, churned, usage * 1000 AS usage, plan FROM early;
CREATE VIEW there_then AS SELECT usage, plan, (date '2021-07-01' - started_on) / 30.4375::float8 AS age, months - (date '2021-07-01' - started_on) / 30.4375::float8 AS since, churned
FROM early_large WHERE started_on <= '2021-07-01' AND months > (date '2021-07-01' - started_on) / 30.4375::float8;
CREATE TABLE asked (place int, algorithm text, options jsonb, features text[]);
INSERT INTO asked VALUES (1, 'cox', '{"penalty": 0.3, "l1_ratio": 0.5}', '{usage,plan}'), (2, 'cox', '{"penalty": 0.3, "standardize": false}', '{usage,plan}'), (3, 'boosted_hazard', '{"depth": 2, "trees": 40, "monotone": {"usage": 1}}', '{usage,plan}'),
    (4, 'weibull', '{"ancillary": ["plan"]}', '{usage,plan}'), (5, 'best', '{"candidates": ["weibull", "lognormal"], "criterion": "bic"}', '{usage}'), (6, 'weibull_cure', '{}', '{usage}'), (7, 'sbg', '{}', '{}'), (8, 'rule', '{"monthly_churn": 0.05}', '{}');
SELECT count(*) FROM asked a, LATERAL ltv.train('as asked ' || a.place, 'known_then', a.algorithm, 'months', 'churned', features => a.features, options => a.options);
CREATE TABLE judged AS SELECT a.place, b.value, b.status FROM asked a, LATERAL ltv.backtest('early_large', 'started_on', 'months', 'churned', 6, '2021-07-01', '2021-07-01', algorithms => ARRAY[a.algorithm], features => a.features, options => jsonb_build_object(a.algorithm, a.options)) b WHERE b.metric = 'brier';
SELECT a.place, a.algorithm, j.status, abs((ltv.brier_score(ltv.survival_calibration_agg(ltv.renewal_probability('as asked ' || a.place, t, 6, t.age), least(since, 7), t.churned AND since <= 6), 6)).brier - min(j.value)) < 1e-12 AS as_trained
FROM asked a JOIN judged j USING (place), there_then t GROUP BY a.place, a.algorithm, j.status ORDER BY a.place;
SELECT (SELECT value FROM judged WHERE place = 1) <> (SELECT value FROM judged WHERE place = 2) AS the_unit_matters;
SELECT f.statement, f.standardizes FROM ltv.fit_statement('cox', '{"penalty": 0.1}') f;
SELECT f.statement FROM ltv.fit_statement('weibull', '{"ancillary": ["plan"]}', ARRAY['usage', 'plan'], ARRAY[NULL, 3]) f;
-- Few rows, no trees: that is told; where they are asked for by name they are tried.
CREATE VIEW few AS SELECT * FROM early WHERE customer <= 900;
SELECT algorithm, chosen, status, seconds > 0 AS took FROM ltv.train_auto('few', 'few', 'months', 'churned', 6, features => '{usage}', options => '{"boosted_hazard": {"trees": 20}}');
SELECT algorithm, n_splits, status, seconds > 0 AS took FROM ltv.train_auto('few', 'few', 'months', 'churned', 6, features => '{usage}', algorithms => '{boosted_hazard,rule}', options => '{"boosted_hazard": {"trees": 20, "monotone": {"usage": 1}}, "rule": {"monthly_churn": 0.05}}');
SELECT spec -> 'options' AS options, (fitted::text::jsonb #>> '{model,fit,boosted_hazard,options,monotone}') AS monotone FROM ltv.model_versions WHERE model = 'few' AND algorithm = 'boosted_hazard';
-- A text of which nothing is known has no column, and the others keep their own.
CREATE VIEW unsaid AS SELECT *, NULL::text AS nothing FROM early;
SELECT metric, status FROM ltv.backtest('unsaid', 'started_on', 'months', 'churned', 6, '2021-07-01', '2021-07-01', algorithms => '{boosted_hazard}', features => '{nothing,usage}', options => '{"boosted_hazard": {"trees": 9, "monotone": {"usage": 1}}}') WHERE metric = 'brier';
-- The days of a backtest.
SELECT * FROM ltv.cut_offs('2023-01-31', '2023-04-30', '1 month', embargo => '10 days', back => '1 year');
SELECT ltv.days_in(12), ltv.days_in(12, 'day'), ltv.days_in(2, 'week'), ltv.days_in(2, 'year'), ltv.days_in(NULL, 'day');

-- Refused.
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', embargo => '-1 day');
SELECT * FROM ltv.backtest('features_at(date)'::regprocedure, 'customer', 6, '2021-01-01', '2022-01-01', lookback => '1 hour');
SELECT * FROM ltv.cut_offs('2022-01-01', 'infinity');
SELECT * FROM ltv.cut_offs('2022-01-01', NULL);
SELECT ltv.days_in(-1);
SELECT ltv.days_in(1, 'fortnight');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', features => '{usage,plan}', algorithms => '{boosted_hazard}', options => '{"boosted_hazard": {"monotone": {"plan": 1}}}');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', features => '{usage}', algorithms => '{boosted_hazard}', options => '{"boosted_hazard": {"monotone": {"price": 1}}}');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', features => '{usage}', algorithms => '{kaplan_meier}');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', features => '{usage}', algorithms => '{boosted_value}');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', features => '{plan}', algorithms => '{rule}', options => '{"rule": {"by": "plan", "monthly_churn": {"plan a": 0.1}}}');
SELECT * FROM ltv.train_auto('churn', 'early', 'months', 'churned', 6, features => '{usage}', options => '{"gompertz": {}}');
SELECT * FROM ltv.train_auto('churn', 'early', 'months', 'churned', 6, features => '{usage}', algorithms => '{}');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', step => '0');
SELECT * FROM ltv.backtest('early', 'customer', 'months', 'churned', 6, '2022-01-01');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2030-01-01');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', features => '{months}');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'gone', 6, '2022-01-01');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', unit => 'fortnight');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', algorithms => '{magic}');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', options => '{"cox": {"penalties": 1}}');
SELECT * FROM ltv.backtest('early', 'started_on', 'months', 'churned', 6, '2022-01-01', options => '{"weibull": {}}');
SELECT * FROM ltv.backtest('now()'::regprocedure, 'customer', 6, '2022-01-01', '2022-01-01');
SELECT * FROM ltv.train_auto('churn', 'early', 'months', 'churned', 6, metric => 'luck');
SELECT * FROM ltv.train_auto('churn', 'early', 'months', 'churned', -1, features => '{usage}');
SELECT * FROM ltv.train_auto('churn', 'early', 'months', 'churned', 6, features => '{usage}', min_events => 100000);
