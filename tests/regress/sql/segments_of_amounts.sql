-- Segments of renewal decisions and of amounts: a model for each under one name, the thin and the failed with that of all rows.
\set ECHO none
CREATE TABLE iranian (call_failure int, complains int, subscription_length int, charge_amount int, seconds_of_use int, frequency_of_use int, frequency_of_sms int,
                      distinct_called_numbers int, age_group int, tariff_plan int, status int, age int, customer_value double precision, churn int);
\cd :data
\copy iranian from 'iranian_churn.csv' with (format csv, header)
ALTER TABLE iranian ADD id serial, ADD grp text, ADD renewed boolean, ADD w int;
-- A segment with a fit of its own each, one too thin, and one in which all decide alike and nobody has an amount.
UPDATE iranian SET grp = CASE WHEN id <= 12 THEN 'thin' WHEN id % 10 = 0 THEN 'same' ELSE 'age ' || (age_group > 3)::text || ' ' || (id % 2)::text END, renewed = churn = 0, w = 1 + id % 3;
UPDATE iranian SET renewed = true, customer_value = 0 WHERE grp = 'same';
CREATE VIEW paying AS SELECT * FROM iranian WHERE customer_value > 0;
CREATE VIEW one AS SELECT i.*, 'only'::text AS part FROM paying i;
CREATE FUNCTION r(double precision) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN round($1::numeric, 6);
CREATE TABLE asked (place int, algorithm text, source regclass, event text, target text, options jsonb);
INSERT INTO asked VALUES (1, 'renewal', 'iranian', 'renewed', NULL, '{}'), (2, 'renewal', 'iranian', 'renewed', NULL, '{"link": "cloglog"}'), (3, 'linear', 'iranian', NULL, 'customer_value', '{}'),
    (4, 'gamma', 'paying', NULL, 'customer_value', '{}'), (5, 'tweedie', 'iranian', NULL, 'customer_value', '{"power": 1.5}'), (6, 'two_part', 'iranian', NULL, 'customer_value', '{}'),
    (7, 'boosted_value', 'iranian', NULL, 'customer_value', '{"trees": 10}');
ANALYZE;
SET max_parallel_workers = 0;
\set ECHO all

-- Trained each by itself and drawn together.
SELECT place, pooling, t.n_rows, max(t.n_events) AS n_events, count(*) AS metrics, t.warnings FROM asked a, unnest('{none,partial}'::text[]) AS pooling,
    LATERAL ltv.train(pooling || place, source, algorithm, event => event, target => target, features => '{subscription_length,complains}', options => options, segment_by => '{grp}', pooling => pooling, min_events => 30, weight => 'w') t
GROUP BY place, pooling, t.n_rows, t.warnings ORDER BY place, pooling;
SELECT place, s.* FROM asked, LATERAL ltv.model_segments(ltv.model('none' || place)) s ORDER BY place, segment COLLATE "C";
SELECT place, segment, status, r(weight) AS weight FROM asked, LATERAL ltv.model_segments(ltv.model('partial' || place)) ORDER BY place, segment COLLATE "C";
-- The plan says the same.
SELECT place, p.detail, p.n, p.value, p.verdict FROM asked a, LATERAL ltv.train_plan('plan', source, algorithm, event => event, target => target, features => '{subscription_length,complains}', options => options, segment_by => '{grp}', min_events => 30, weight => 'w') p
WHERE p.item = 'segment' ORDER BY place, p.detail COLLATE "C";

-- A segment's own fit is that of its rows, to the bit; one level of segment_by is the fit without.
CREATE VIEW part AS SELECT * FROM iranian WHERE grp = 'age false 1';
CREATE VIEW paying_part AS SELECT * FROM paying WHERE grp = 'age false 1';
SELECT place, count(*) > 0 AS trained FROM asked, LATERAL ltv.train('part' || place, CASE WHEN source = 'paying'::regclass THEN 'paying_part' ELSE 'part' END::regclass, algorithm, event => event, target => target, features => '{subscription_length,complains}', options => options, weight => 'w') GROUP BY place ORDER BY place;
SELECT place, ltv.segment_model(ltv.model('none' || place), 'age false 1')::text = ltv.model('part' || place)::text AS same FROM asked ORDER BY place;
SELECT place, count(*) > 0 AS trained FROM asked, LATERAL ltv.train('one' || place, 'one', algorithm, event => event, target => target, features => '{subscription_length,complains}', options => options, segment_by => '{part}', min_events => 30) GROUP BY place ORDER BY place;
SELECT place, count(*) > 0 AS trained FROM asked, LATERAL ltv.train('whole' || place, 'one', algorithm, event => event, target => target, features => '{subscription_length,complains}', options => options) GROUP BY place ORDER BY place;
SELECT place, ltv.segment_model(ltv.model('one' || place), 'only')::text = ltv.model('whole' || place)::text AS same FROM asked ORDER BY place;

-- Scored by its own model; the thin, the failed, the unseen and the unknown by that of all rows, and told so.
CREATE VIEW rows_asked AS SELECT v.grp, 30 AS subscription_length, 0 AS complains FROM (VALUES ('age false 1'), ('thin'), ('same'), ('new'), (NULL)) v (grp);
SELECT place, q.grp, r(p.renewal_probability) AS renewal, p.renewal_probability = ltv.renewal_probability(ltv.segment_model(ltv.model('none' || place), CASE WHEN grp = 'age false 1' THEN grp END), q, 12) AS own, p.status
FROM asked, rows_asked q, LATERAL ltv.predict('none' || place, q, 12) p WHERE place < 3 ORDER BY place, q.grp COLLATE "C";
SELECT place, q.grp, r(e.value) AS value, e.value = ltv.expected_value(ltv.segment_model(ltv.model('none' || place), CASE WHEN grp = 'age false 1' THEN grp END), q) AS own, e.lower < e.value AND e.value < e.upper AS limits, e.status
FROM asked, rows_asked q, LATERAL ltv.expected_value_interval('none' || place, q) e WHERE place > 2 ORDER BY place, q.grp COLLATE "C";
SELECT place, bool_and(abs(total - difference) < 1e-9 * greatest(1, abs(difference))) AS adds_up, count(*) FROM (
    SELECT place, sum(e.contribution) AS total, min(e.prediction - e.baseline) AS difference FROM asked, (SELECT * FROM iranian ORDER BY id LIMIT 40) i, LATERAL ltv.explain('partial' || place, i, 9) e GROUP BY place, i.id) q GROUP BY place ORDER BY place;
SELECT place, s.segment, s.status, s.abstain, s.confidence, count(*) FROM asked, LATERAL ltv.score('partial' || place, 'iranian', 'id') s WHERE s.segment IN ('thin', 'age true 1') GROUP BY 1, 2, 3, 4, 5 ORDER BY place, s.segment COLLATE "C", count(*) DESC, s.confidence;

-- Drawn together: estimates lie where DerSimonian & Laird's variance between segments puts them, of one coefficient by hand.
SELECT place, count(*) > 0 AS trained FROM asked, unnest('{none,partial}'::text[]) AS pooling, LATERAL ltv.train('bare ' || pooling || place, source, algorithm, event => event, target => target, options => options, segment_by => '{grp}', pooling => pooling, min_events => 30) WHERE place < 6 GROUP BY place ORDER BY place;
WITH own AS (SELECT place, segment, estimate AS y, std_error ^ 2 AS v FROM asked, LATERAL ltv.segment_coefficients(ltv.model('bare none' || place)) WHERE place < 6 AND std_error > 0),
     fixed AS (SELECT place, sum(y / v) / sum(1 / v) AS mean, sum(1 / v) AS total, sum(1 / v ^ 2) AS squares, count(*) AS k FROM own GROUP BY place),
     spread AS (SELECT place, greatest(0, (sum((y - mean) ^ 2 / v) - (min(k) - 1)) / min(total - squares / total)) AS tau FROM own JOIN fixed USING (place) GROUP BY place),
     mean AS (SELECT place, sum(y / (v + tau)) / sum(1 / (v + tau)) AS mu, sum(1 / (v + tau)) AS total, min(tau) AS tau FROM own JOIN spread USING (place) GROUP BY place),
     -- How far the estimate may be off, over all that the variance between segments may be.
     grid AS (SELECT place, t, sum(1 / (v + t)) AS total, sum(y / (v + t)) / sum(1 / (v + t)) AS mean, -0.5 * (sum(ln(v + t)) + ln(sum(1 / (v + t))) + sum(y ^ 2 / (v + t)) - sum(y / (v + t)) ^ 2 / sum(1 / (v + t))) AS likelihood
              FROM (SELECT o.*, count(*) OVER w / sum(1 / v) OVER w * (1 - b) / b AS t FROM own o, LATERAL (SELECT (i - 0.5) / 4000 AS b FROM generate_series(1, 4000) AS i) AS g WINDOW w AS (PARTITION BY place, b)) AS q GROUP BY place, t)
SELECT place, s.segment, s.term, r(s.own) AS own, r(s.common) AS common, r(s.spread) AS spread, r(s.weight) AS weight, r(s.estimate) AS estimate,
       abs(s.common - mu) < 1e-9 * abs(mu) AND abs(s.weight - tau / (tau + v)) < 1e-9 AND abs(s.estimate - (mu + tau / (tau + v) * (y - mu))) < 1e-9 * abs(mu) AS as_by_hand,
       (SELECT abs(s.std_error / sqrt(sum(l * (t * v / (t + v) + (v / (t + v)) ^ 2 / g.total + (g.mean + t / (t + v) * (y - g.mean) - s.estimate) ^ 2)) / sum(l)) - 1) < 2e-3
        FROM (SELECT g.t, g.total, g.mean, exp(g.likelihood - max(g.likelihood) OVER ()) AS l FROM grid g WHERE g.place = asked.place) g) AS error_as_by_hand
FROM asked JOIN own USING (place) JOIN mean USING (place), LATERAL ltv.segment_coefficients(ltv.model('bare partial' || place)) s WHERE s.segment = own.segment ORDER BY place, s.segment COLLATE "C";

-- Judged, understood, watched and handed on.
SELECT place, e.horizon, e.n, e.n_events, r(e.auc) AS auc, r(e.brier) AS brier FROM asked, LATERAL ltv.evaluate('partial' || place, 'iranian', rows => 'all') e WHERE place < 3 ORDER BY place;
SELECT place, count(*) FROM asked, LATERAL ltv.calibration('partial' || place, 'iranian', rows => 'all') WHERE place < 3 GROUP BY place ORDER BY place;
SELECT place, count(*) > 0 AS has_rows FROM asked, LATERAL ltv.predicted_vs_actual('partial' || place, 'paying', rows => 'all') WHERE place > 2 GROUP BY place ORDER BY place;
SELECT place, i.feature, i.metric, i.importance > 0 AS matters FROM asked, LATERAL ltv.importance('partial' || place, 'paying', repeats => 1) i ORDER BY place, i.feature COLLATE "C";
SELECT place, count(*) FROM asked, LATERAL ltv.partial_dependence('partial' || place, 'paying', 'complains') GROUP BY place ORDER BY place;
SELECT place, r(avg(ltv.amount_deviance(ltv.model('none' || place), i, i.customer_value))) = r(avg(ltv.amount_deviance(ltv.model('part' || place), i, i.customer_value))) AS same FROM asked, paying_part i WHERE place > 2 GROUP BY place ORDER BY place;
SELECT place, bool_or(d.is_anomaly) AS drifts FROM asked, LATERAL ltv.drift('partial' || place, 'iranian') d WHERE place <> 4 GROUP BY place ORDER BY place;
SELECT place, substring(ltv.model_card('partial' || place) FROM '\| Segments[^\n]*') AS card, ltv.verify('partial' || place) FROM asked ORDER BY place;
SELECT place, ltv.import_model(ltv.export_model('partial' || place), as_model => 'again' || place) AS imported, m::text::ltv.model::text = m::text AS text_is_exact FROM asked, LATERAL (SELECT ltv.model('partial' || place) AS m) q ORDER BY place;
SELECT place, ltv.model('again' || place)::text = ltv.model('partial' || place)::text AS same, ltv.verify('again' || place) FROM asked ORDER BY place;
-- A renewal version is recalibrated as a whole, and a hybrid values a row by the models of its segment.
CREATE TABLE later AS SELECT * FROM iranian WHERE id % 3 = 0;
SELECT DISTINCT version, status FROM ltv.recalibrate('partial1', 'later', 'intercept');
SELECT q.grp, r(p.renewal_probability) AS renewal, p.status FROM rows_asked q, LATERAL ltv.predict('partial1@2', q, 12) p ORDER BY q.grp COLLATE "C";
SELECT q.grp, h.value, h.status FROM rows_asked q, LATERAL ltv.hybrid_value(ltv.fit_hybrid('none1', cost => 'none5'), q, ltv.contract_terms(revenue => 100, horizon => 24)) h ORDER BY q.grp COLLATE "C";
SELECT q.grp, h.status FROM rows_asked q, LATERAL ltv.hybrid_value(ltv.fit_hybrid('part1', cost => 'none5'), q, ltv.contract_terms(revenue => 100, horizon => 24)) h ORDER BY q.grp COLLATE "C";
-- A column that components read in several ways is a lever still, at every other level that one of them saw; so is a segment.
CREATE TABLE tiers AS SELECT i.*, CASE WHEN id % 3 = 0 THEN 'gold' ELSE 'plain' END AS tier, CASE WHEN id % 10 = 0 THEN 'x' ELSE 'y' END AS side, customer_value + 1 AS cost FROM iranian i;
SELECT count(*) > 0 AS trained FROM (VALUES ('tier renewal', 'renewal', 'renewed', NULL, '{tier,complains}', NULL), ('tier cost', 'linear', NULL, 'cost', '{tier,age}', '{side}'), ('tier margin', 'linear', NULL, 'cost', '{age}', '{tier}')) v (model, algorithm, event, target, features, by),
    LATERAL ltv.train(v.model, 'tiers', v.algorithm, event => v.event, target => v.target, features => v.features::text[], segment_by => v.by::text[]);
CREATE TABLE mixed AS SELECT ltv.fit_hybrid('tier renewal', cost => 'tier cost') AS a, ltv.fit_hybrid('tier renewal', cost => 'tier margin') AS b;
SELECT f, ltv.feature_levels(a, f) AS a, ltv.feature_levels(b, f) AS b, ltv.feature_levels(ltv.model('tier margin'), f) AS margin FROM mixed, unnest('{tier,side,age,nothing}'::text[]) AS f ORDER BY f;
SELECT m, l.lever, l.from_value, l.to_value, l.delta = (SELECT w.delta FROM ltv.what_if(CASE m WHEN 'a' THEN a ELSE b END, t, terms, jsonb_build_object('x', jsonb_build_object('features', jsonb_build_object(l.lever, l.to_value)))) w WHERE w.scenario = 'x') AS as_what_if
FROM mixed, (SELECT * FROM tiers WHERE id = 7) t, unnest('{a,b}'::text[]) AS m, (SELECT ltv.contract_terms(revenue => 1000, horizon => 24) AS terms) c, LATERAL ltv.levers(CASE m WHEN 'a' THEN a ELSE b END, t, terms) l WHERE l.step = 'another level' ORDER BY m, l.lever, l.to_value;
SELECT l.lever, count(*) FROM rows_asked q, LATERAL ltv.levers('partial1@1', q, ltv.contract_terms(revenue => 100, horizon => 24)) l WHERE q.grp = 'age false 1' GROUP BY l.lever ORDER BY l.lever COLLATE "C";

-- Limits of one amount: by the errors of the rows held out in the row's segment, of all where it has no model of its own or fewer than a hundred.
CREATE VIEW split AS SELECT i.*, id % 5 = 1 AS held_out FROM iranian i;
CREATE VIEW paying_split AS SELECT * FROM split WHERE customer_value > 0;
SELECT place, count(*) > 0 AS trained FROM asked, LATERAL ltv.train('held' || place, CASE WHEN source = 'paying'::regclass THEN 'paying_split' ELSE 'split' END::regclass, algorithm, target => target, features => '{subscription_length,complains}', options => options, segment_by => '{grp}', min_events => 30, holdout => '{"by": "held_out"}') WHERE place > 2 GROUP BY place ORDER BY place;
SELECT place, segment, input, s.n FROM asked, LATERAL (SELECT * FROM ltv.model_profiles p WHERE p.model = 'held' || place AND role = 'error') p, LATERAL ltv.profile_summary(p.profile) s ORDER BY place, segment COLLATE "C" NULLS FIRST;
CREATE TABLE errors AS SELECT place, ltv.segment_of(m, i) AS segment, abs(i.customer_value - x.e) / CASE algorithm WHEN 'linear' THEN 1 WHEN 'boosted_value' THEN 1 ELSE x.e END AS error
FROM asked, LATERAL (SELECT ltv.model('held' || place) AS m) m, split i, LATERAL (SELECT ltv.expected_value(m, i) AS e) x WHERE place > 2 AND (place <> 4 OR i.customer_value > 0) AND i.held_out;
SELECT place, p.segment, ltv.conformal_margin(p.profile, 0.95) / e.margin BETWEEN 1 AND 1 + 1 / 128.0 AS as_by_hand, e.n
FROM asked, ltv.model_profiles p, LATERAL (SELECT ltv.conformal_margin(ltv.survival_agg(error, true), 0.95) AS margin, count(*) AS n FROM errors e WHERE e.place = asked.place AND (p.segment IS NULL OR e.segment = p.segment)) e
WHERE p.model = 'held' || place AND p.role = 'error' ORDER BY place, p.segment COLLATE "C" NULLS FIRST;
SELECT place, s.segment, s.outcome_method, bool_and(abs(CASE WHEN algorithm IN ('linear', 'boosted_value') THEN s.outcome_upper - s.estimate ELSE s.outcome_upper / s.estimate - 1 END / ltv.conformal_margin(p.profile, 0.95) - 1) < 1e-9) AS by_its_errors
FROM asked, LATERAL ltv.score('held' || place, 'iranian', 'id', explain_top => 0) s JOIN ltv.model_profiles p ON p.role = 'error' AND p.segment IS NOT DISTINCT FROM CASE WHEN s.outcome_method LIKE '%segment%' THEN s.segment END
WHERE p.model = 'held' || place GROUP BY place, s.segment, s.outcome_method ORDER BY place, s.segment COLLATE "C";

-- What cannot be.
SELECT * FROM ltv.train('m', 'iranian', 'linear', target => 'age', segment_by => '{age}');
SELECT * FROM ltv.train('m', 'iranian', 'renewal', event => 'renewed', segment_by => '{renewed}');
SELECT * FROM ltv.train('m', 'iranian', 'hybrid', options => '{"renewal": "none1"}', segment_by => '{grp}');
-- The baseline that a hint offers is one of the same kind, and what it offers can be run.
SELECT ltv.promote('tier renewal', 1), ltv.promote('tier margin', 1), ltv.promote('whole4', 1);
SELECT ltv.fall_back('tier renewal', 'drift');
SELECT version, n_rows FROM ltv.train('tier renewal', 'public.tiers', 'renewal', event => 'renewed') LIMIT 1;
SELECT ltv.fall_back('tier margin', 'drift');
SELECT version, n_rows FROM ltv.train('tier margin', 'public.tiers', 'linear', target => 'cost') LIMIT 1;
SELECT ltv.promote('tier renewal', 2, 'baseline'), ltv.promote('tier margin', 2, 'baseline');
SELECT ltv.fall_back('tier renewal', 'drift'), ltv.fall_back('tier margin', 'drift');
SELECT abs(ltv.renewal_probability('tier renewal', t, 12) - (SELECT avg(renewed::int) FROM tiers)) < 1e-12 AS rate, abs(ltv.expected_value('tier margin', t) - (SELECT avg(cost) FROM tiers)) < 1e-9 AS mean FROM tiers t WHERE id = 1;
