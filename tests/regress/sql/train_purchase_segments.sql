-- Models of purchases by segment: one name, one version; told apart by the name of a customer's segment.
\set ECHO none
SET max_parallel_workers = 0;
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
-- Customers with known parameters, by the two models' own words: who lives in the north buys at rates that are gamma (1, 8)
-- distributed and leaves after a repeat purchase with a probability that is beta (1, 2) distributed; in the south these are
-- (2, 10) and (1, 6). A purchase is worth gamma (3, nu), nu gamma (4, 20) in the north and gamma (5, 60) in the south. A few
-- live in the east, as those in the north do.
CREATE TABLE chance AS
SELECT c, k, array_agg((hashtextextended(format('%s/%s/%s', c, k, i), 7) & 1048575) / 1048576.0 + 1e-7 ORDER BY i) AS u
FROM generate_series(1, 3100) AS c, generate_series(0, 80) AS k, generate_series(1, CASE WHEN k = 0 THEN 10 ELSE 5 END) AS i GROUP BY c, k;
CREATE TABLE bought AS
WITH customer AS (
    SELECT c, CASE WHEN c > 3000 THEN 'east' WHEN c % 2 = 0 THEN 'north' ELSE 'south' END AS region, CASE WHEN c % 3 = 0 THEN 'web' ELSE 'shop' END AS channel, 30 + 30 * u[1] AS age,
           CASE WHEN c % 2 = 0 OR c > 3000 THEN -ln(u[2]) / 8 ELSE -ln(u[2] * u[3]) / 10 END AS rate,
           1 - u[4] ^ CASE WHEN c % 2 = 0 OR c > 3000 THEN 1 / 2.0 ELSE 1 / 6.0 END AS leaving,
           CASE WHEN c % 2 = 0 OR c > 3000 THEN -ln(u[5] * u[6] * u[7] * u[8]) / 20 ELSE -ln(u[5] * u[6] * u[7] * u[8] * u[9]) / 60 END AS nu
    FROM chance WHERE k = 0
), event AS (
    SELECT c, region, channel, age, k, sum(-ln(h.u[1]) / rate) OVER w AS week, -ln(h.u[3] * h.u[4] * h.u[5]) / nu AS amount,
           coalesce(bool_or(h.u[2] < leaving) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS gone
    FROM chance AS h JOIN customer USING (c) WHERE k > 0 WINDOW w AS (PARTITION BY c ORDER BY k)
)
SELECT c AS id, region, channel, age::float8, count(*) FILTER (WHERE NOT gone AND week <= age)::float8 AS frequency, coalesce(max(week) FILTER (WHERE NOT gone AND week <= age), 0)::float8 AS recency,
       avg(amount) FILTER (WHERE NOT gone AND week <= age)::float8 AS mean_value, count(*) FILTER (WHERE NOT gone AND week > age AND week <= age + 26) AS later,
       avg(amount) FILTER (WHERE NOT gone AND week > age AND week <= age + 26)::float8 AS worth, c % 5 = 0 AS held
FROM event GROUP BY c, region, channel, age;
ALTER TABLE bought ADD PRIMARY KEY (id);
ANALYZE bought;
\set ECHO all

SELECT region, count(*), count(*) FILTER (WHERE frequency > 0) AS again, sum(frequency) AS purchases FROM bought GROUP BY region ORDER BY region;
-- The plan says which segments stand alone: ten customers with repeat purchases per parameter.
SELECT detail, n, value, verdict FROM ltv.train_plan('regions', 'bought', 'bg_nbd', segment_by => '{region}') WHERE item = 'segment' ORDER BY detail;
SELECT n_rows, n_events, n_holdout, metric, r(value) AS value, baseline, r(baseline_value) AS baseline_value, r(skill) AS skill, warnings
FROM ltv.train('regions', 'bought', 'bg_nbd', target => 'later', horizon => 26, segment_by => '{region}', pooling => 'none', holdout => '{"by": "held"}') ORDER BY metric COLLATE "C";
SELECT n_rows, n_events, n_holdout, metric, r(value) AS value, baseline, r(baseline_value) AS baseline_value, warnings
FROM ltv.train('worths', 'bought', 'gamma_gamma', target => 'worth', segment_by => '{region}', pooling => 'none', holdout => '{"by": "held"}') ORDER BY metric COLLATE "C";
SELECT m, s.* FROM unnest('{regions,worths}'::text[]) AS m, LATERAL ltv.model_segments(ltv.model(m)) AS s ORDER BY m, s.segment;
-- Segments are the fits of their rows, to the last bit; the thin one, one never seen and none have that of all rows.
SELECT ltv.segment_model(ltv.model('regions'), 'north')::text = ltv.fit_bg_nbd(frequency, recency, age) FILTER (WHERE region = 'north')::text AS north,
       ltv.segment_model(ltv.model('regions'), 'south')::text = ltv.fit_bg_nbd(frequency, recency, age) FILTER (WHERE region = 'south')::text AS south,
       ltv.segment_model(ltv.model('regions'), 'east')::text = ltv.fit_bg_nbd(frequency, recency, age)::text AS east,
       ltv.segment_model(ltv.model('regions'))::text = ltv.fit_bg_nbd(frequency, recency, age)::text AS all_rows,
       ltv.segment_model(ltv.model('worths'), 'south')::text = ltv.fit_gamma_gamma(frequency, mean_value) FILTER (WHERE region = 'south')::text AS worth_in_the_south
FROM bought WHERE NOT held;
SELECT a, bool_and(CASE a WHEN 'mbg_nbd' THEN ltv.segment_model(ltv.model(a), region)::text = mbg ELSE ltv.segment_model(ltv.model(a), region)::text = pareto END) AS same, count(*)
FROM (SELECT region, ltv.fit_mbg_nbd(frequency, recency, age)::text AS mbg, ltv.fit_pareto_nbd(frequency, recency, age)::text AS pareto FROM bought WHERE region <> 'east' GROUP BY region) AS f,
     (SELECT a, count(*) FROM unnest('{mbg_nbd,pareto_nbd}'::text[]) AS a, LATERAL ltv.train(a, 'bought', a, segment_by => '{region}', pooling => 'none') GROUP BY a) AS t (a, n) GROUP BY a ORDER BY a;
-- The truth lies within three standard errors of the logarithms; that of all rows is neither.
WITH truth (segment, term, truth) AS (VALUES ('north', 'r', 1), ('north', 'alpha', 8), ('north', 'a', 1), ('north', 'b', 2), ('south', 'r', 2), ('south', 'alpha', 10), ('south', 'a', 1), ('south', 'b', 6),
    ('north', 'p', 3), ('north', 'q', 4), ('north', 'gamma', 20), ('south', 'p', 3), ('south', 'q', 5), ('south', 'gamma', 60))
SELECT s.segment, s.term, truth, round(s.estimate::numeric, 3) AS estimate, round(s.std_error::numeric, 3) AS std_error, round((ln(s.estimate / truth) * s.estimate / s.std_error)::numeric, 2) AS z
FROM unnest('{regions,worths}'::text[]) AS m, LATERAL ltv.segment_coefficients(ltv.model(m)) AS s JOIN truth USING (segment, term) ORDER BY s.segment, s.term COLLATE "C";
-- What the model says of a customer is what that of the segment says, by value and by name, with a status where it is that of all.
SELECT b.region, bool_and(ltv.probability_alive('regions', frequency, recency, age, region) = ltv.probability_alive(f.m, frequency, recency, age)
        AND ltv.probability_alive(ltv.model('regions'), frequency, recency, age, segment => region) = ltv.probability_alive(f.m, frequency, recency, age)
        AND ltv.expected_purchases('regions', frequency, recency, age, 26, region) = ltv.expected_purchases(f.m, frequency, recency, age, 26)
        AND ltv.expected_purchases('regions', 26, segment => region) = ltv.expected_purchases(f.m, 26)
        AND ltv.purchase_probability('regions', 2, 26, region) = ltv.purchase_probability(f.m, 2, 26)
        AND ltv.discounted_purchases('regions', frequency, recency, age, segment => region) = ltv.discounted_purchases(f.m, frequency, recency, age)
        AND ltv.expected_spend('worths', frequency, mean_value, region) = ltv.expected_spend(f.s, frequency, mean_value)) AS same, count(*)
FROM (SELECT * FROM bought ORDER BY id DESC LIMIT 150) AS b
JOIN (SELECT region, ltv.segment_model(ltv.model('regions'), region) AS m, ltv.segment_model(ltv.model('worths'), region) AS s FROM unnest('{east,north,south}'::text[]) AS region) AS f USING (region) GROUP BY b.region ORDER BY b.region;
SELECT g.segment, r(ltv.expected_purchases('regions', 2, 20, 40, 26, g.segment)) AS purchases, r(ltv.expected_spend('worths', 2, 30, g.segment)) AS spend, v.ltv, v.status,
       v.ltv = (SELECT sum(present_value) FROM ltv.transactional_cash_flows('regions', 'worths', 2, 20, 40, 30, horizon => 12, segment => g.segment)) AS adds_up
FROM unnest(ARRAY['north', 'south', 'east', 'west', NULL]) WITH ORDINALITY AS g (segment, place), LATERAL ltv.transactional_value('regions', 'worths', 2, 20, 40, 30, horizon => 12, segment => g.segment) AS v ORDER BY g.place;
SELECT ltv.transactional_value('regions', 'worths', 2, 20, 40, 30, horizon => 12, segment => 'south')
     = ltv.transactional_value(ltv.segment_model(ltv.model('regions'), 'south'), ltv.segment_model(ltv.model('worths'), 'south'), 2, 20, 40, 30, horizon => 12) AS same;
-- Where a model has no segments nobody looks at them; where both have, they are the same.
SELECT count(*) FROM ltv.train('plain', 'bought', 'bg_nbd', target => 'later', horizon => 26, holdout => '{"by": "held"}');
SELECT count(*) FROM ltv.train('by channel', 'bought', 'gamma_gamma', segment_by => '{channel}');
SELECT ltv.expected_purchases('plain', 2, 20, 40, 26, 'south') = ltv.expected_purchases('plain', 2, 20, 40, 26) AS same, (ltv.transactional_value('plain', 'worths', 2, 20, 40, 30, segment => 'south')).status,
       (ltv.transactional_value('plain', 'worths', 2, 20, 40, 30, segment => 'west')).status AS of_one;
SELECT ltv.transactional_value('regions', 'by channel', 2, 20, 40, 30, segment => 'south');
SELECT (ltv.transactional_value(ltv.segment_model(ltv.model('regions'), 'south'), ltv.segment_model(ltv.model('by channel'), 'web'), 2, 20, 40, 30)).status;
SELECT ltv.expected_purchases('regions', NULL, 20, 40, 26, 'south') IS NULL AS no_frequency, ltv.expected_purchases('regions', -1, 20, 40, NULL, 'south') IS NULL AS no_horizon, ltv.probability_alive(NULL::text, 1, 2, 3, 'south') IS NULL AS no_name,
       ltv.expected_purchases('regions', NULL, segment => 'south') IS NULL AS new, ltv.purchase_probability('regions', 2, NULL, 'south') IS NULL AS probability, ltv.discounted_purchases('regions', 2, 20, 40, 0.1, NULL, 'south') IS NULL AS unit;

-- Judged as train says, and by segment.
SELECT r(sqrt(avg((later - e) ^ 2))) AS rmse, r(avg(abs(later - e))) AS mae, r(avg(e - later)) AS bias
FROM bought, LATERAL (SELECT ltv.expected_purchases(ltv.segment_model(ltv.model('regions'), region), frequency, recency, age, 26) AS e) AS said WHERE held;
SELECT m, p.segment, p.n, round(p.predicted_value::numeric, 1) AS predicted, round(p.actual_value::numeric, 1) AS actual, r(p.mae) AS mae, r(p.rmse) AS rmse, p.status
FROM unnest('{regions,plain,worths}'::text[]) WITH ORDINALITY AS u (m, place), LATERAL ltv.predicted_vs_actual(m, 'bought', by => '{region}') AS p ORDER BY u.place, p.segment;
SELECT * FROM ltv.predicted_vs_actual('regions', (SELECT 'chance'::regclass));
-- One level is no segment: the same model, and the same of every customer.
CREATE VIEW one AS SELECT *, 'everybody' AS level FROM bought;
SELECT a, bool_and(t.n_rows = 3100) AS all_rows FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd,gamma_gamma}'::text[]) AS a, LATERAL ltv.train('one ' || a, 'one', a, segment_by => '{level}') AS t GROUP BY a ORDER BY a;
SELECT 'bg_nbd' AS model, ltv.segment_model(ltv.model('one bg_nbd'), 'everybody')::text = ltv.fit_bg_nbd(frequency, recency, age)::text AS same, ltv.segment_model(ltv.model('one bg_nbd'))::text = ltv.fit_bg_nbd(frequency, recency, age)::text AS pooled FROM bought
UNION ALL SELECT 'gamma_gamma', ltv.segment_model(ltv.model('one gamma_gamma'), 'everybody')::text = ltv.fit_gamma_gamma(frequency, mean_value)::text, ltv.segment_model(ltv.model('one gamma_gamma'))::text = ltv.fit_gamma_gamma(frequency, mean_value)::text FROM bought
UNION ALL SELECT 'mbg_nbd', ltv.segment_model(ltv.model('one mbg_nbd'), 'everybody')::text = ltv.fit_mbg_nbd(frequency, recency, age)::text, ltv.segment_model(ltv.model('one mbg_nbd'))::text = ltv.fit_mbg_nbd(frequency, recency, age)::text FROM bought
UNION ALL SELECT 'pareto_nbd', ltv.segment_model(ltv.model('one pareto_nbd'), 'everybody')::text = ltv.fit_pareto_nbd(frequency, recency, age)::text, ltv.segment_model(ltv.model('one pareto_nbd'))::text = ltv.fit_pareto_nbd(frequency, recency, age)::text FROM bought ORDER BY model;
SELECT a, s.segment, s.n_rows, s.n_events, s.status, s.weight, s.reason FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd,gamma_gamma}'::text[]) AS a, LATERAL ltv.model_segments(ltv.model('one ' || a)) AS s ORDER BY a;

-- Drawn together: the mean of the logarithms and their spread by hand (DerSimonian & Laird) from the segments' own fits, ...
CREATE VIEW eight AS SELECT *, id % 8 AS part FROM bought;
SELECT warnings FROM ltv.train('apart', 'eight', 'bg_nbd', segment_by => '{part}', pooling => 'none');
SELECT warnings FROM ltv.train('shared', 'eight', 'bg_nbd', segment_by => '{part}');
WITH own AS (SELECT segment, term, ln(estimate) AS y, (std_error / estimate) ^ 2 AS v FROM ltv.segment_coefficients(ltv.model('apart'))),
     fixed AS (SELECT term, sum(y / v) / sum(1 / v) AS mean, sum(1 / v) AS total, sum(1 / v ^ 2) AS squares, count(*) AS k FROM own GROUP BY term),
     spread AS (SELECT term, greatest(0, (sum((y - mean) ^ 2 / v) - (min(k) - 1)) / min(total - squares / total)) AS tau FROM own JOIN fixed USING (term) GROUP BY term),
     mean AS (SELECT term, sum(y / (v + tau)) / sum(1 / (v + tau)) AS mu, min(tau) AS tau FROM own JOIN spread USING (term) GROUP BY term)
SELECT term, round(exp(mu)::numeric, 4) AS common, round(sqrt(tau)::numeric, 4) AS spread, bool_and(abs(s.common / exp(mu) - 1) < 1e-12 AND abs(s.spread - sqrt(tau)) < 1e-9 AND abs(s.own / exp(o.y) - 1) < 1e-12) AS as_by_hand, count(*)
FROM mean JOIN own AS o USING (term) JOIN ltv.segment_coefficients(ltv.model('shared')) AS s USING (segment, term) GROUP BY term, mu, tau ORDER BY term COLLATE "C";
-- ... and the estimates: with u = (T + V)^-1 (y - mu) they are mu + T u, so that (T + V) u = y - mu where T is not 0, V as the fits have it.
SELECT s.segment, s.status, round(s.weight::numeric, 4) AS weight FROM ltv.model_segments(ltv.model('shared')) AS s ORDER BY s.segment;
