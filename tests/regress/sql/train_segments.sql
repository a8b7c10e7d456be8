-- Segments: one name, one version, a model for each; the thin have the model of all rows; coefficients are drawn together.
\set ECHO none
\ir ../datasets.sql
CREATE TABLE people AS
SELECT customer_id, tenure AS months, churn = 'Yes' AS left_us, contract, payment_method AS payment, monthly_charges AS price, senior_citizen = 1 AS senior, partner = 'Yes' AS partner FROM telco;
\set ECHO all

-- Without pooling each segment has just the fit of its own rows.
SELECT n_rows, n_events, warnings FROM ltv.train('alone', 'people', 'cox', 'months', 'left_us', features => ARRAY['price', 'senior'], segment_by => ARRAY['payment'], pooling => 'none');
SELECT * FROM ltv.model_segments(ltv.model('alone'));
CREATE VIEW checks AS SELECT * FROM people WHERE payment = 'Mailed check';
SELECT n_rows FROM ltv.train('checks', 'checks', 'cox', 'months', 'left_us', features => ARRAY['price', 'senior']);
SELECT abs(c.estimate - d.estimate) < 1e-12 AND abs(c.std_error - d.std_error) < 1e-12 AS same, c.term, d.term AS alone
FROM ltv.coefficients(ltv.model('checks')) c JOIN ltv.coefficients(ltv.model('alone')) d ON d.term = 'Mailed check: ' || c.term;
SELECT bool_and(abs(ltv.renewal_probability('alone', p, 12, p.months) - ltv.renewal_probability('checks', p, 12, p.months)) < 1e-12) AS same,
       bool_and(ltv.predict_curve('alone', p)::text = ltv.predict_curve(ltv.segment_model(ltv.model('alone'), 'Mailed check'), p)::text) AS same_curves FROM checks p WHERE months > 60;
-- Every segment of every kind of model.
SELECT a.algorithm, count(*) AS metrics FROM unnest(ARRAY['kaplan_meier', 'weibull', 'discrete_time', 'best', 'sbg']) WITH ORDINALITY a (algorithm, place),
     LATERAL ltv.train('of/' || a.algorithm, 'people', a.algorithm, 'months', 'left_us', features => CASE a.algorithm WHEN 'sbg' THEN '{}' WHEN 'kaplan_meier' THEN '{partner}' ELSE '{price,senior}' END::text[],
                       segment_by => ARRAY['contract'], pooling => 'none', min_events => 200) GROUP BY place, a.algorithm ORDER BY place;
SELECT a.algorithm, ltv.model_algorithm(ltv.model('of/' || a.algorithm)) AS of_all, s.* FROM unnest(ARRAY['kaplan_meier', 'weibull', 'discrete_time', 'best', 'sbg']) WITH ORDINALITY a (algorithm, place),
     LATERAL ltv.model_segments(ltv.model('of/' || a.algorithm)) s ORDER BY a.place, s.segment COLLATE "C";
SELECT a.algorithm, bool_and(abs(ltv.renewal_probability('of/' || a.algorithm, p, 12, 6) - ltv.renewal_probability(ltv.segment_model(ltv.model('of/' || a.algorithm), p.contract), p, 12, 6)) < 1e-12) AS same,
       bool_and(abs(ltv.renewal_probability('of/' || a.algorithm, p, 12, 6) - ltv.renewal_probability(ltv.predict_curve('of/' || a.algorithm, p), 6, 18)) < 1e-12) AS same_by_curve,
       round(avg((ltv.lifetime_value('of/' || a.algorithm, p, revenue => 10, horizon => 24)).ltv), 2) AS worth
FROM unnest(ARRAY['kaplan_meier', 'weibull', 'discrete_time', 'best', 'sbg']) WITH ORDINALITY a (algorithm, place), (SELECT * FROM people ORDER BY customer_id LIMIT 60) p GROUP BY place, a.algorithm ORDER BY place;
-- Drawn together: the numbers by hand (DerSimonian & Laird) from the segments' own fits.
SELECT warnings FROM ltv.train('shared', 'people', 'cox', 'months', 'left_us', features => ARRAY['price'], segment_by => ARRAY['payment']);
SELECT segment, n_rows, n_events, status, round(weight::numeric, 6) AS weight FROM ltv.model_segments(ltv.model('shared'));
SELECT count(*) FROM ltv.train('apart', 'people', 'cox', 'months', 'left_us', features => ARRAY['price'], segment_by => ARRAY['payment'], pooling => 'none');
WITH own AS (SELECT segment, estimate AS y, std_error ^ 2 AS v FROM ltv.segment_coefficients(ltv.model('apart'))),
     fixed AS (SELECT sum(y / v) / sum(1 / v) AS mean, sum(1 / v) AS total, sum(1 / v ^ 2) AS squares, count(*) AS k FROM own),
     spread AS (SELECT greatest(0, (sum((y - mean) ^ 2 / v) - (min(k) - 1)) / min(total - squares / total)) AS tau FROM own, fixed),
     mean AS (SELECT sum(y / (v + tau)) / sum(1 / (v + tau)) AS mu, sum(1 / (v + tau)) AS total, min(tau) AS tau FROM own, spread),
     -- How far the estimate may be off, over all that the variance between segments may be: (s2 / (s2 + t)) even in (0, 1), s2 the harmonic mean of the variances.
     grid AS (SELECT t, sum(1 / (v + t)) AS total, sum(y / (v + t)) / sum(1 / (v + t)) AS mean, -0.5 * (sum(ln(v + t)) + ln(sum(1 / (v + t))) + sum(y ^ 2 / (v + t)) - sum(y / (v + t)) ^ 2 / sum(1 / (v + t))) AS likelihood
              FROM (SELECT o.*, count(*) OVER w / sum(1 / v) OVER w * (1 - b) / b AS t FROM own o, LATERAL (SELECT (i - 0.5) / 4000 AS b FROM generate_series(1, 4000) AS i) AS g WINDOW w AS (PARTITION BY b)) AS q GROUP BY t)
SELECT s.segment, round(s.own::numeric, 6) AS own, round(s.common::numeric, 6) AS common, round(s.spread::numeric, 6) AS spread, round(s.weight::numeric, 6) AS weight, round(s.estimate::numeric, 6) AS estimate,
       abs(s.common - mu) < 1e-12 AND abs(s.spread - sqrt(tau)) < 1e-12 AND abs(s.weight - tau / (tau + v)) < 1e-12 AND abs(s.estimate - (mu + tau / (tau + v) * (y - mu))) < 1e-12 AS as_by_hand,
       (SELECT abs(s.std_error / sqrt(sum(l * (t * v / (t + v) + (v / (t + v)) ^ 2 / total + (mean + t / (t + v) * (y - mean) - s.estimate) ^ 2)) / sum(l)) - 1) < 2e-3
        FROM (SELECT g.t, g.total, g.mean, exp(g.likelihood - max(g.likelihood) OVER ()) AS l FROM grid g) g) AS error_as_by_hand
FROM ltv.segment_coefficients(ltv.model('shared')) s JOIN own USING (segment), mean ORDER BY s.segment COLLATE "C";
-- The baseline of a segment is that of its rows at the coefficients that score: Breslow's sum by hand at the first times.
SELECT max(abs(b.cumulative_hazard - h.hazard)) < 1e-9 AS same FROM
    (SELECT t, cumulative_hazard FROM ltv.baseline(ltv.fit_baseline((SELECT ltv.design_agg(months, left_us, ARRAY[price]::float8[]) FROM checks),
        (SELECT ltv.fit_cox(ltv.design_agg(months, left_us, ARRAY[price]::float8[]), ties => 'breslow') FROM people), ARRAY[0.02], ARRAY[0.0]), centered => false)) b
    JOIN (SELECT e.months::float8 AS t, sum(e.deaths / r.risk) OVER (ORDER BY e.months) AS hazard
          FROM (SELECT months, count(*) AS deaths FROM checks WHERE left_us GROUP BY months) e, LATERAL (SELECT sum(exp(0.02 * price)) AS risk FROM checks c WHERE c.months >= e.months) r) h USING (t);
-- At its own coefficients it is the fit's own baseline.
SELECT max(abs(a.cumulative_hazard - b.cumulative_hazard)) < 1e-12 AND max(abs(a.std_error - b.std_error)) < 1e-12 AS same FROM (SELECT ltv.design_agg(months, left_us, ARRAY[price, senior::int]::float8[]) AS d FROM people) q,
     LATERAL (SELECT ltv.fit_cox(d) AS m) f, LATERAL ltv.baseline(f.m) a JOIN LATERAL ltv.baseline(ltv.fit_baseline(d, f.m)) b USING (t);
-- Distributions are pooled whole: an intercept and a shape move with the slopes.
SELECT warnings FROM ltv.train('shapes', 'people', 'weibull', 'months', 'left_us', features => ARRAY['price'], segment_by => ARRAY['payment']);
SELECT segment, term, round(own::numeric, 4) AS own, round(common::numeric, 4) AS common, round(spread::numeric, 4) AS spread, round(weight::numeric, 4) AS weight, round(estimate::numeric, 4) AS estimate, round(std_error::numeric, 4) AS std_error
FROM ltv.segment_coefficients(ltv.model('shapes'));

-- A thin segment has the model of all rows, and so has one never seen: both are told, in predict, explain and score.
CREATE TABLE book AS SELECT *, CASE WHEN customer_id < '0100' THEN 'rare' ELSE contract END AS plan FROM people;
SELECT n_rows, warnings FROM ltv.train('plans', 'book', 'cox', 'months', 'left_us', features => ARRAY['price', 'partner'], segment_by => ARRAY['plan'], holdout => '{"by": "customer_id", "fraction": 0.2}', horizon => 12);
SELECT segment, n_rows, n_events, status, round(weight::numeric, 3) AS weight, reason FROM ltv.model_segments(ltv.model('plans'));
SELECT v.plan, round(p.renewal_probability::numeric, 4) AS renewal, round(ltv.renewal_probability(ltv.segment_model(ltv.model('plans')), v, 12)::numeric, 4) AS of_all, p.status
FROM (VALUES ('One year', 50.0, true), ('rare', 50.0, true), ('new', 50.0, true), (NULL, 50.0, true)) v (plan, price, partner), LATERAL ltv.predict('plans', v, horizon => 12) p;
SELECT e.feature, e.value, round(e.contribution::numeric, 6) AS contribution, e.status FROM (SELECT 'new' AS plan, 70.0 AS price, true AS partner) r, LATERAL ltv.explain('plans', r, 3, 12) e;
SELECT bool_and(abs(total - difference) < 1e-12) AS adds_up FROM (
    SELECT sum(e.contribution) AS total, min(e.prediction - e.baseline) AS difference FROM (SELECT * FROM book ORDER BY customer_id LIMIT 30) p, LATERAL ltv.explain('plans', p, 9, 12) e GROUP BY p.customer_id) q;
SELECT segment, status, abstain, confidence, count(*) FROM ltv.score('plans', 'book', 'customer_id', 12) GROUP BY 1, 2, 3, 4 ORDER BY segment COLLATE "C", count(*) DESC;
SELECT ltv.model_features(ltv.model('plans')), ltv.model_algorithm(ltv.model('plans')), ltv.model_status(ltv.model('plans'));
SELECT m::text::ltv.model::text = m::text AS text_is_exact FROM (SELECT ltv.model('plans') AS m) q;
SELECT substring(ltv.model_card('plans', 1) FROM '\| Segments[^\n]*') AS card;
SELECT spec -> 'segment_by' AS segment_by, spec ->> 'pooling' AS pooling FROM ltv.model_versions WHERE model = 'plans';
-- The score of a row does not depend on the rows beside it.
SELECT bool_and(one = many) AS same FROM (SELECT ltv.renewal_probability('plans', b, 12, b.months) AS many, (SELECT ltv.renewal_probability('plans', c, 12, c.months) FROM book c WHERE c.customer_id = b.customer_id) AS one FROM book b WHERE customer_id < '0300') q;
-- Two columns; a segment in which a fit fails falls back alone.
SELECT warnings FROM ltv.train('two', 'book', 'spline', 'months', 'left_us', features => ARRAY['price'], segment_by => ARRAY['plan', 'senior'], min_events => 3, options => '{"knots": 3}', pooling => 'none');
SELECT segment, n_events, status, reason FROM ltv.model_segments(ltv.model('two'));
-- Seen through a map, explain tells of what predict says, and the parts add up to it.
SELECT max(abs(e.prediction - (1 - ltv.renewal_probability(m, b, 12)))) < 1e-12 AS as_predicted, max(abs(e.total - (e.prediction - e.baseline))) < 1e-9 AS adds_up, count(*)
FROM (SELECT ltv.recalibrated(ltv.model('plans'), '{"beta": {"intercept": 0.3, "event": 1.4, "survival": 1.2}}') AS m) x, (SELECT * FROM book ORDER BY customer_id LIMIT 50) b,
     LATERAL (SELECT max(prediction) AS prediction, max(baseline) AS baseline, sum(contribution) AS total FROM ltv.explain(m, b, horizon => 12, top => 9)) e GROUP BY m::text;
-- Other models have no segments. Refusals.
SELECT * FROM ltv.model_segments(ltv.model('checks'));
SELECT ltv.segment_model(ltv.model('checks'));
SELECT ltv.segment_model(ltv.model('plans'), 'gold');
SELECT ltv.train('bad', 'book', 'cox', 'months', 'left_us', features => ARRAY['price'], segment_by => ARRAY['customer_id']);
SELECT ltv.train('bad', 'book', 'cox', 'months', 'left_us', features => ARRAY['price'], segment_by => ARRAY['price']);
SELECT ltv.train('bad', 'book', 'cox', 'months', 'left_us', features => ARRAY['price'], segment_by => ARRAY['plan', 'plan']);
SELECT ltv.train('bad', 'book', 'cox', 'months', 'left_us', features => ARRAY['senior'], segment_by => ARRAY['senior']);
SELECT ltv.train('bad', 'book', 'cox', 'months', 'left_us', features => ARRAY['price'], segment_by => ARRAY['plan'], pooling => 'some');
SELECT ltv.train('bad', 'book', 'cox', 'months', 'left_us', features => ARRAY['price'], min_events => 5000);
SELECT ltv.train('bad', 'book', 'cox', 'months', 'left_us', features => ARRAY['price'], min_events => 0);

-- The plan counts the coefficients that the fit has, those of the distribution too: segments of 10, 20, ... 100 events.
CREATE VIEW sized AS SELECT b.*, 'of ' || to_char(10 * ceil((sqrt(8 * rank / 10.0 + 1) - 1) / 2), 'FM000') AS size
FROM (SELECT *, row_number() OVER (PARTITION BY left_us ORDER BY customer_id) AS rank FROM book) b WHERE left_us AND rank <= 550;
CREATE TABLE plans_of AS SELECT a.*, 'sized ' || place AS model, CASE algorithm WHEN 'kaplan_meier' THEN '{}' ELSE '{price}' END::text[] AS features
FROM (VALUES (1, 'weibull', '{}'), (2, 'weibull', '{"ancillary": ["price"]}'), (3, 'exponential', '{}'), (4, 'generalized_gamma', '{}'), (5, 'spline', '{"knots": 2}'), (6, 'piecewise_exponential', '{}'), (7, 'kaplan_meier', '{}'), (8, 'cox', '{}'), (9, 'discrete_time', '{}')) a (place, algorithm, options);
SELECT place, count(*) > 0 AS trained FROM plans_of, LATERAL ltv.train(model, 'sized', algorithm, 'months', 'left_us', features => features, options => options::jsonb, segment_by => '{size}', pooling => 'none') t GROUP BY place ORDER BY place;
SELECT place, algorithm, options, min(c.n) AS coefficients, min(substring(s.reason FROM '(\d+) needed')) AS needed, string_agg(s.segment, ', ' ORDER BY s.segment) FILTER (WHERE s.status = 'pooled') AS pooled,
       bool_and(coalesce(s.reason LIKE '% needed', false) = (l.verdict = 'warning')) AS as_planned, count(*)
FROM plans_of p CROSS JOIN LATERAL ltv.model_segments(ltv.model(p.model)) s
JOIN LATERAL ltv.train_plan('sized', 'sized', algorithm, 'months', 'left_us', features => features, options => options::jsonb, segment_by => '{size}') l ON l.item = 'segment' AND split_part(l.detail, ':', 1) = s.segment
LEFT JOIN LATERAL (SELECT n FROM ltv.train_plan('sized', 'sized', algorithm, 'months', 'left_us', features => features, options => options::jsonb, segment_by => '{size}') WHERE item = 'events per coefficient') c ON true
GROUP BY place, algorithm, options ORDER BY place;
