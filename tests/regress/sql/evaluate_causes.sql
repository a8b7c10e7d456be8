-- Versions of one cause among several, judged: whoever ended by another cause is not censored.
CREATE FUNCTION message_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE told text; hint text;
BEGIN EXECUTE statement; RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS told = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT; RETURN sqlstate || ': ' || told || ' | ' || hint; END $$;
SET max_parallel_workers = 0;
CREATE TABLE ended AS
SELECT i AS account, (1 + ltv.uniform(1, i) * 36 * exp(-0.5 * sin(i)))::numeric(6, 1)::float8 AS months,
       CASE WHEN ltv.uniform(2, i) < 0.3 THEN NULL WHEN ltv.uniform(3, i) < 0.45 + 0.2 * sin(i) THEN 'price' WHEN i % 5 = 0 THEN 'insolvency' ELSE 'product' END AS reason,
       sin(i) AS usage, 'plan ' || chr(97 + i % 3) AS plan, 1 + i % 3 AS w, i % 11 * 0.05 AS since, DATE '2020-01-01' + i % 900 AS began, i % 4 = 1 AS held_out, (i % 7) * 100 + 50 AS arr
FROM generate_series(1, 1500) AS i;
CREATE VIEW named AS SELECT *, reason = 'price' AS happened, CASE reason WHEN 'price' THEN 1 WHEN 'insolvency' THEN 4 WHEN 'product' THEN 2 ELSE 0 END AS number FROM ended;
SELECT reason, count(*) FROM ended GROUP BY reason ORDER BY reason;
SELECT metric, round(value::numeric, 8) AS value, round(baseline_value::numeric, 8) AS baseline, warnings
FROM ltv.train('price', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['usage', 'plan'], options => '{"cause": "price"}', holdout => '{"by": "held_out"}', horizon => 12) ORDER BY metric;
SELECT count(*) FROM ltv.train('numbered', 'named', 'fine_gray', 'months', 'number', features => ARRAY['usage', 'plan'], options => '{"cause": 1}', holdout => '{"by": "held_out"}', horizon => 12, weight => 'w');
SELECT count(*) FROM ltv.train('late', 'named', 'fine_gray', 'months', 'reason', entry => 'since', features => ARRAY['usage'], options => '{"cause": "price"}');
SELECT count(*) FROM ltv.train('then', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['usage'], options => '{"cause": "price"}', as_of => '2021-06-30', started_on => 'began', holdout => '{"by": "held_out"}', horizon => 6);
SELECT count(*) FROM ltv.train('parts', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['usage'], options => '{"cause": "price"}', segment_by => ARRAY['plan'], holdout => '{"by": "held_out"}', horizon => 12);

-- What it says.
SELECT seats.usage, round(p.event_probability::numeric, 6) AS ends_by_it, round(p.renewal_probability::numeric, 6) AS does_not, round(p.lower::numeric, 6) AS lower, round(p.upper::numeric, 6) AS upper, p.expected_lifetime, p.status,
       round(ltv.survival_at(ltv.predict_curve('price', seats), 12)::numeric, 6) AS by_curve, round(ltv.renewal_probability('price', seats, 12)::numeric, 6) AS alone, ltv.renewal_probability('price', seats, 12, 3) AS given_an_age
FROM (VALUES (-0.5::float8, 'plan a'), (0.9, 'plan c')) AS seats (usage, plan), LATERAL ltv.predict('price', seats, 12) AS p ORDER BY seats.usage;
SELECT id, round(p_event::numeric, 6) AS p_event, expected_lifetime, risk_decile, risk_band, confidence, abstain, reason_1, round(reason_1_effect::numeric, 6) AS effect, status FROM ltv.score('price', 'named', 'account', 12) WHERE id IN ('1', '2', '3') ORDER BY id;
SELECT e.feature, round(e.contribution::numeric, 6) AS contribution FROM named n, LATERAL ltv.explain('price', n) e WHERE n.account = 1 ORDER BY e.feature;
SELECT rank, feature, metric, round(value::numeric, 8) AS value, importance > 0 AS tells, n FROM ltv.importance('price', 'named', 12, rows => 'all') ORDER BY rank;
-- Its value is the Brier score of the same rows.
SELECT abs(i.value - e.brier) < 1e-9 AS same FROM ltv.importance('price', 'named', 12, rows => 'all') i, ltv.evaluate('price', 'named', ARRAY[12], rows => 'all') e WHERE i.rank = 1;

-- evaluate: the Brier score of training; observed is the Aalen-Johansen estimate of the rows, whatever the weights.
SELECT segment, horizon, n, n_events, n_unscored, round(concordance::numeric, 6) AS concordance, round(auc::numeric, 6) AS auc, round(brier::numeric, 8) AS brier, round(brier_baseline::numeric, 8) AS baseline, round(skill::numeric, 6) AS skill,
       round(log_loss::numeric, 6) AS log_loss, round(predicted_rate::numeric, 6) AS predicted, round(observed_rate::numeric, 6) AS observed, round(observed_to_expected::numeric, 6) AS oe, round(ici::numeric, 6) AS ici, status
FROM ltv.evaluate('price', 'named', ARRAY[6, 12], by => ARRAY['plan']) ORDER BY segment, horizon;
SELECT v.model, abs(e.brier - (v.metrics -> 0 ->> 'value')::float8) < 1e-12 AS brier_of_train, abs(e.observed_rate - a.f) < 1e-12 AS aalen_johansen, abs(e.brier_baseline - a.f * (1 - a.f)) < 1e-12 AS baseline
FROM ltv.model_versions v, LATERAL ltv.evaluate(v.model, 'named') e,
     LATERAL (SELECT ltv.incidence_at(ltv.incidence_agg(months, number, CASE v.model WHEN 'numbered' THEN w ELSE 1 END), 12, 1) AS f FROM named WHERE held_out) a
WHERE v.model IN ('price', 'numbered', 'parts') ORDER BY v.model;
SELECT abs(e.brier - (v.metrics -> 0 ->> 'value')::float8) < 1e-12 AS brier_of_train, abs(e.observed_rate - a.f) < 1e-12 AS aalen_johansen
FROM ltv.model_versions v, LATERAL ltv.evaluate(v.model, 'named') e,
     (SELECT ltv.incidence_at(ltv.incidence_agg(least(months, age), CASE WHEN months <= age THEN number ELSE 0 END), 6, 1) AS f FROM named, LATERAL (SELECT ltv.months_between(began, '2021-06-30') AS age) x WHERE held_out AND began <= '2021-06-30') a
WHERE v.model = 'then';
-- Without a horizon, at the median of the times; beyond what was observed.
SELECT count(*) FROM ltv.train('without', 'named', 'fine_gray', 'months', 'reason', features => ARRAY['usage'], options => '{"cause": "price"}');
SELECT horizon, n, status FROM ltv.evaluate('without', 'named') ORDER BY horizon;
SELECT horizon, n, n_unscored, brier, round(observed_rate::numeric, 12) AS observed_rate, status FROM ltv.evaluate('price', 'named', ARRAY[12, 500]) ORDER BY horizon;
-- Every function says until when the incidence is known: the longest duration that training saw.
SELECT t.told, t.status, t.status LIKE '%until ' || (SELECT max(months) FROM named WHERE NOT held_out) AS the_longest FROM (
    SELECT 'evaluate' AS told, status FROM ltv.evaluate('price', 'named', ARRAY[500]) UNION ALL SELECT 'calibration', status FROM ltv.calibration('price', 'named', 500) UNION ALL SELECT 'lift', status FROM ltv.lift('price', 'named', 500)
    UNION ALL SELECT 'fairness', status FROM ltv.fairness('price', 'named', ARRAY['plan'], 500) UNION ALL SELECT 'predicted_vs_actual', status FROM ltv.predicted_vs_actual('price', 'named', 500)
    UNION ALL SELECT 'precision_recall', status FROM ltv.precision_recall('price', 'named', 500) UNION ALL SELECT 'best_threshold', status FROM ltv.best_threshold('price', 'named', 500, capacity => 10)
    UNION ALL SELECT 'by segment', status FROM ltv.evaluate('parts', 'named', ARRAY[500])) AS t ORDER BY t.told;
SELECT ltv.unscored_status(ltv.model('price'), 12) AS within;
-- A row that does not say what ended it is left out of both; n tells how many are left, and of whom the outcome is known.
CREATE VIEW unsaid AS SELECT account, months, CASE WHEN account % 10 > 0 THEN number END AS number, w, usage, plan FROM named;
CREATE VIEW said AS SELECT * FROM unsaid WHERE number IS NOT NULL;
SELECT s.source, min(i.n) AS importance, min(e.n) AS evaluate, (SELECT count(*) FROM unsaid WHERE number IS NOT NULL) AS rows_that_say, min(i.value) AS brier
FROM unnest('{unsaid,said}'::regclass[]) AS s (source), LATERAL ltv.importance('numbered', s.source, 12, repeats => 1) i, LATERAL ltv.evaluate('numbered', s.source, ARRAY[12]) e GROUP BY s.source ORDER BY s.source::text;
-- A source where nobody is censored, and one where other causes are named otherwise.
CREATE VIEW numbers AS SELECT account, months, number AS reason, usage, plan FROM named;
CREATE VIEW beyond AS SELECT account, months, number * 100 AS number, w, usage, plan FROM named;
CREATE VIEW all_ended AS SELECT * FROM named WHERE reason IS NOT NULL;
SELECT abs(e.brier - avg((r.p - (n.months > 12 OR n.reason <> 'price')::int) ^ 2)) < 1e-12 AS brier, e.n = count(*) AS all_rows
FROM all_ended n, LATERAL (SELECT ltv.renewal_probability('price', n, 12) AS p) r, ltv.evaluate('price', 'all_ended', ARRAY[12]) e GROUP BY e.brier, e.n;

SELECT segment, bin, round(n::numeric, 4) AS n, round(n_events::numeric, 4) AS n_events, n_censored, round(predicted_rate::numeric, 6) AS predicted, round(observed_rate::numeric, 6) AS observed, round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper, status
FROM ltv.calibration('price', 'named', bins => 4) ORDER BY bin;
SELECT abs(c.observed_rate - ltv.incidence_at(i.i, 12, 1)) < 1e-12 AS aalen_johansen FROM ltv.calibration('price', 'named', bins => 1) c, (SELECT ltv.incidence_agg(months, number) AS i FROM named WHERE held_out) i;
SELECT bucket, n, round(predicted_rate::numeric, 6) AS predicted, round(observed_rate::numeric, 6) AS rate, round(lift::numeric, 6) AS lift, round(cumulative_capture::numeric, 6) AS capture, round(value_lost::numeric, 2) AS value_lost, status FROM ltv.lift('price', 'named', value => 'arr', buckets => 4) ORDER BY bucket;
SELECT segment, n, round(predicted_rate::numeric, 6) AS predicted, round(observed_rate::numeric, 6) AS observed, round(auc::numeric, 6) AS auc, status FROM (SELECT f.segment, f.n, f.predicted_rate, f.observed_rate, f.auc, f.status FROM ltv.fairness('price', 'named', ARRAY['plan']) f) q ORDER BY segment;
SELECT feature, cell, n, round(predicted_rate::numeric, 6) AS predicted, round(observed_rate::numeric, 6) AS observed, round(z::numeric, 4) AS z FROM ltv.error_hotspots('price', 'named', 12) ORDER BY rank LIMIT 3;
SELECT segment, n, round(predicted_retention::numeric, 6) AS predicted, round(actual_retention::numeric, 6) AS actual, round(predicted_value::numeric, 2) AS predicted_value, round(actual_value::numeric, 2) AS actual_value, round(mae::numeric, 6) AS mae, round(rmse::numeric, 6) AS rmse, status
FROM ltv.predicted_vs_actual('price', 'named', value => 'arr') ORDER BY segment;
SELECT abs(p.rmse - sqrt(e.brier)) < 1e-12 AS rmse_is_the_root_of_brier FROM ltv.predicted_vs_actual('price', 'named') p, ltv.evaluate('price', 'named') e;

-- The others that read its predictions.
SELECT threshold, round(flagged::numeric, 4) AS flagged, round("precision"::numeric, 6) AS "precision", round(recall::numeric, 6) AS recall, status FROM ltv.precision_recall('price', 'named', at => ARRAY[0.1, 0.2]) ORDER BY threshold;
SELECT n, round(threshold::numeric, 6) AS threshold, round(flagged::numeric, 4) AS flagged, round(profit::numeric, 4) AS profit, status FROM ltv.best_threshold('price', 'named', benefit => 100, cost => 10);
SELECT input, metric, round(value::numeric, 6) AS value, is_anomaly, n_now, detail FROM ltv.drift('price', 'named') WHERE input IN ('events', 'event_probability') ORDER BY input, metric;
SELECT version, metric, before IS NOT NULL AS before, round(after::numeric, 6) AS after, warnings FROM ltv.recalibrate('price', 'named', 'platt') ORDER BY metric;
SELECT version, status, round(before::numeric, 8) AS before, round(after::numeric, 8) AS after FROM ltv.recalibrate('price@1', 'named', 'intercept') WHERE metric LIKE 'brier%';
SELECT round(p.event_probability::numeric, 6) AS ends_by_it, p.status FROM ltv.predict('price@2', (SELECT n FROM named n WHERE account = 1), 12) p;
SELECT value, round(event_probability::numeric, 6) AS event_probability, n FROM ltv.partial_dependence('price', 'named', 'plan', horizon => 12) ORDER BY value;
SELECT v.status AS lifetime FROM (SELECT n FROM named n WHERE account = 1) q, LATERAL ltv.lifetime_value('price', q.n, ltv.contract_terms(100)) v;
SELECT check_name, is_due, detail FROM ltv.retrain_due('price', 'named') WHERE check_name <> 'age' ORDER BY check_name;
SELECT a.other, message_of(a.sql) FROM (VALUES
    ('grouped', $$SELECT * FROM ltv.evaluate('price', 'named', censoring => 'grouped')$$),
    ('late', $$SELECT * FROM ltv.evaluate('late', 'named')$$),
    ('late importance', $$SELECT * FROM ltv.importance('late', 'named')$$),
    ('another type', $$SELECT * FROM ltv.evaluate('price', 'numbers')$$),
    ('no cause', $$SELECT * FROM ltv.evaluate('numbered', 'beyond')$$),
    ('none importance', $$SELECT * FROM ltv.importance('numbered', 'beyond')$$),
    ('backtest', $$SELECT * FROM ltv.backtest('named', 'began', 'months', 'happened', 12, '2022-01-01', algorithms => '{fine_gray}', features => '{usage}')$$),
    ('compare_algorithms', $$SELECT * FROM ltv.compare_algorithms('SELECT 0::float8 AS entry, months AS duration, happened AS event, usage FROM public.named', 'SELECT 0::float8 AS given, months AS duration, happened AS event, usage FROM public.named', 12, '{fine_gray}', '{usage}')$$),
    ('train_auto', $$SELECT * FROM ltv.train_auto('auto', 'named', 'months', 'happened', 12, '{usage}', algorithms => '{fine_gray}')$$)) a (other, sql) ORDER BY a.other;
-- Registered by hand without its cause it is not judged by a column that is not an event.
SELECT ltv.register_version('by hand', 'fine_gray', ltv.model('price'), '{"duration": "months", "event": "number", "horizon": 12}', 10, 5) AS version;
SELECT message_of($$SELECT * FROM ltv.evaluate('by hand', 'named')$$) AS evaluate, message_of($$SELECT * FROM ltv.importance('by hand', 'named')$$) AS importance;
SELECT ltv.cause_expression('{"algorithm": "fine_gray", "event": "a\"b", "options": {"cause": "it''s"}}', 'r') AS by_name, ltv.cause_expression('{"algorithm": "fine_gray", "event": "c", "options": {"cause": 2}}', 'r') AS by_number, ltv.cause_expression('{"algorithm": "cox", "event": "c"}') AS none;

-- The version travels: its document read back is the same to the bit, and says the same.
SELECT ltv.import_model(ltv.export_model('price', 1), as_model => 'copy') AS imported;
SELECT a.fitted::text = b.fitted::text AS same, a.spec -> 'options' = b.spec -> 'options' AS options, abs(e.brier - f.brier) = 0 AS judged
FROM ltv.model_versions a, ltv.model_versions b, ltv.evaluate('price@1', 'named') e, ltv.evaluate('copy', 'named') f WHERE a.model = 'price' AND a.version = 1 AND b.model = 'copy';
SELECT substring(ltv.model_card('price@1') FROM 'It says[^\n]*') AS card;
