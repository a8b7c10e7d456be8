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
CREATE FUNCTION u(c bigint, k bigint, i bigint) RETURNS double precision LANGUAGE sql IMMUTABLE RETURN (hashint8extended(c * 1000003 + k * 1009 + i, 7) & 1048575) / 1048576.0 + 1e-7;
CREATE TABLE bought AS
WITH customer AS MATERIALIZED (
    SELECT c, region, CASE WHEN c % 3 = 0 THEN 'web' ELSE 'shop' END AS channel, 30 + 30 * u(c, 0, 1) AS age,
           CASE WHEN region <> 'south' THEN -ln(u(c, 0, 2)) / 8 ELSE -ln(u(c, 0, 2) * u(c, 0, 3)) / 10 END AS rate,
           1 - u(c, 0, 4) ^ CASE WHEN region <> 'south' THEN 1 / 2.0 ELSE 1 / 6.0 END AS leaving,
           CASE WHEN region <> 'south' THEN -ln(u(c, 0, 5) * u(c, 0, 6) * u(c, 0, 7) * u(c, 0, 8)) / 20 ELSE -ln(u(c, 0, 5) * u(c, 0, 6) * u(c, 0, 7) * u(c, 0, 8) * u(c, 0, 9)) / 60 END AS nu
    FROM generate_series(1, 3040) AS c, LATERAL (SELECT CASE WHEN c > 3000 THEN 'east' WHEN c % 2 = 0 THEN 'north' ELSE 'south' END AS region) AS r
), event AS (
    SELECT c, region, channel, age, k, sum(-ln(u(c, k, 1)) / rate) OVER w AS week, -ln(u(c, k, 3) * u(c, k, 4) * u(c, k, 5)) / nu AS amount,
           coalesce(bool_or(u(c, k, 2) < leaving) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS gone
    FROM customer, generate_series(1, 70) AS k WINDOW w AS (PARTITION BY c ORDER BY k)
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
SELECT a, count(*) FROM unnest('{mbg_nbd,pareto_nbd}'::text[]) AS a, LATERAL ltv.train(a, 'bought', a, segment_by => '{region}', pooling => 'none') GROUP BY a ORDER BY a;
SELECT a, s.segment, s.status, s.reason FROM unnest('{mbg_nbd,pareto_nbd}'::text[]) AS a, LATERAL ltv.model_segments(ltv.model(a)) AS s ORDER BY a, s.segment;
SELECT a, bool_and(ltv.segment_model(ltv.model(a), region)::text = mbg) AS same, count(*)
FROM (SELECT region, ltv.fit_mbg_nbd(frequency, recency, age)::text AS mbg FROM bought WHERE region <> 'east' GROUP BY region) AS f,
     unnest('{mbg_nbd}'::text[]) AS a GROUP BY a ORDER BY a;
-- The truth lies within three standard errors of the logarithms.
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
CREATE VIEW nowhere AS SELECT id, frequency, recency, age, later, held FROM bought;
SELECT * FROM ltv.predicted_vs_actual('regions', 'nowhere');
SELECT count(*) FROM ltv.drift('regions', 'nowhere');
-- One level is no segment: the same model, and the same of every customer.
CREATE VIEW one AS SELECT *, 'everybody' AS level FROM bought;
SELECT a, bool_and(t.n_rows = 3040) AS all_rows FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd,gamma_gamma}'::text[]) AS a, LATERAL ltv.train('one ' || a, 'one', a, segment_by => '{level}') AS t GROUP BY a ORDER BY a;
SELECT 'bg_nbd' AS model, ltv.segment_model(ltv.model('one bg_nbd'), 'everybody')::text = ltv.fit_bg_nbd(frequency, recency, age)::text AS same, ltv.segment_model(ltv.model('one bg_nbd'))::text = ltv.fit_bg_nbd(frequency, recency, age)::text AS pooled FROM bought
UNION ALL SELECT 'gamma_gamma', ltv.segment_model(ltv.model('one gamma_gamma'), 'everybody')::text = ltv.fit_gamma_gamma(frequency, mean_value)::text, ltv.segment_model(ltv.model('one gamma_gamma'))::text = ltv.fit_gamma_gamma(frequency, mean_value)::text FROM bought
UNION ALL SELECT 'mbg_nbd', ltv.segment_model(ltv.model('one mbg_nbd'), 'everybody')::text = ltv.fit_mbg_nbd(frequency, recency, age)::text, ltv.segment_model(ltv.model('one mbg_nbd'))::text = ltv.fit_mbg_nbd(frequency, recency, age)::text FROM bought
UNION ALL SELECT 'pareto_nbd', ltv.segment_model(ltv.model('one pareto_nbd'), 'everybody')::text = ltv.fit_pareto_nbd(frequency, recency, age)::text, ltv.segment_model(ltv.model('one pareto_nbd'))::text = ltv.fit_pareto_nbd(frequency, recency, age)::text FROM bought ORDER BY model;
SELECT a, s.segment, s.n_rows, s.n_events, s.status, s.weight, s.reason FROM unnest('{bg_nbd,mbg_nbd,pareto_nbd,gamma_gamma}'::text[]) AS a, LATERAL ltv.model_segments(ltv.model('one ' || a)) AS s ORDER BY a;

-- Drawn together: the spread of the logarithms by hand (DerSimonian & Laird) from the segments' own fits, ...
CREATE VIEW eight AS SELECT *, id % 8 AS part FROM bought;
SELECT warnings FROM ltv.train('apart', 'eight', 'bg_nbd', segment_by => '{part}', pooling => 'none');
SELECT warnings FROM ltv.train('shared', 'eight', 'bg_nbd', segment_by => '{part}');
WITH own AS (SELECT segment, term, ln(estimate) AS y, (std_error / estimate) ^ 2 AS v FROM ltv.segment_coefficients(ltv.model('apart'))),
     fixed AS (SELECT term, sum(y / v) / sum(1 / v) AS mean, sum(1 / v) AS total, sum(1 / v ^ 2) AS squares, count(*) AS k FROM own GROUP BY term),
     spread AS (SELECT term, greatest(0, (sum((y - mean) ^ 2 / v) - (min(k) - 1)) / min(total - squares / total)) AS tau FROM own JOIN fixed USING (term) GROUP BY term)
SELECT term, round(min(s.common)::numeric, 4) AS common, round(sqrt(tau)::numeric, 4) AS spread, bool_and(abs(s.spread - sqrt(tau)) < 1e-9 AND abs(s.own / exp(o.y) - 1) < 1e-12) AS as_by_hand, count(*)
FROM spread JOIN own AS o USING (term) JOIN ltv.segment_coefficients(ltv.model('shared')) AS s USING (segment, term) GROUP BY term, tau ORDER BY term COLLATE "C";
-- ... and mean and estimates by the covariances V of these fits: (T + V) u = y - mu with T u = estimate - mu, and the u of all segments add up to 0. Where T is 0, as that of a, u is what the equation of a makes it.
WITH s AS (SELECT s.segment, f.i, s.term, ln(s.own / s.common) AS d, s.spread ^ 2 AS t, CASE WHEN s.spread > 0 THEN ln(s.estimate / s.common) / s.spread ^ 2 END AS u, s.estimate = s.common AS is_common
           FROM ltv.segment_coefficients(ltv.model('shared')) AS s JOIN (VALUES ('r', 0), ('alpha', 1), ('a', 2), ('b', 3)) AS f (term, i) USING (term)),
     v AS (SELECT g AS segment, (p - 1) / 4 AS i, (p - 1) % 4 AS j, x::float8 AS v FROM generate_series(0, 7) AS g, jsonb_array_elements_text(ltv.segment_model(ltv.model('apart'), g::text)::text::jsonb #> '{model,fit,transactional,covariance}') WITH ORDINALITY AS c (x, p)),
     a AS (SELECT o.segment, (o.d - (SELECT sum(v.v * s.u) FROM v JOIN s ON s.i = v.j AND s.segment = v.segment::text WHERE v.segment::text = o.segment AND v.i = 2 AND v.j <> 2)) / w.v AS u
           FROM s AS o JOIN v AS w ON w.segment::text = o.segment AND w.i = 2 AND w.j = 2 WHERE o.i = 2),
     u AS (SELECT s.segment, s.i, s.d, s.t, coalesce(s.u, a.u) AS u FROM s JOIN a USING (segment))
SELECT max(abs(l.t * l.u + r.vu - l.d)) < 1e-9 AS solves, (SELECT max(abs(q.u)) < 1e-6 FROM (SELECT sum(u) AS u FROM u GROUP BY i) AS q) AS balanced, (SELECT max(abs(u)) > 1 FROM u) AS each_is_not, count(*), (SELECT bool_and(is_common) FROM s WHERE t = 0) AS common_where_0
FROM u AS l, LATERAL (SELECT sum(v.v * o.u) AS vu FROM v JOIN u AS o ON o.i = v.j AND o.segment = v.segment::text WHERE v.segment::text = l.segment AND v.i = l.i) AS r;
-- Parameters drawn together are nearer to the truth, and know better what comes.
SELECT r(avg(ln(s.own / t.truth) ^ 2)) AS apart, r(avg(ln(s.estimate / t.truth) ^ 2)) AS together
FROM ltv.segment_coefficients(ltv.model('shared')) AS s JOIN (VALUES (0, 'r', 1), (0, 'alpha', 8), (0, 'a', 1), (0, 'b', 2), (1, 'r', 2), (1, 'alpha', 10), (1, 'a', 1), (1, 'b', 6)) AS t (odd, term, truth) ON t.term = s.term AND t.odd = s.segment::int % 2;
SELECT m, r(sqrt(avg((later - ltv.expected_purchases(m, frequency, recency, age, 26, part::text)) ^ 2))) AS rmse FROM eight, unnest('{apart,shared,one bg_nbd}'::text[]) AS m GROUP BY m ORDER BY rmse;
SELECT s.segment, s.status, round(s.weight::numeric, 4) AS weight FROM ltv.model_segments(ltv.model('shared')) AS s ORDER BY s.segment;
SELECT segment, term, round(own::numeric, 4) AS own, round(common::numeric, 4) AS common, round(spread::numeric, 4) AS spread, round(weight::numeric, 4) AS weight, round(estimate::numeric, 4) AS estimate, round(std_error::numeric, 4) AS std_error
FROM ltv.segment_coefficients(ltv.model('shared')) WHERE segment < '2' ORDER BY segment, term COLLATE "C";

-- Sixty small segments whose rates of buying differ, log alpha normal around that of 8 with a deviation of 0.4, and nothing else.
CREATE TABLE many AS
WITH customer AS MATERIALIZED (
    SELECT g, 1000000 + 1000 * g + i AS c, ln(8) + 0.4 * sqrt(-2 * ln(u(g, 0, 70))) * cos(2 * pi() * u(g, 0, 71)) AS log_alpha FROM generate_series(1, 60) AS g, generate_series(1, 100) AS i
), event AS (
    SELECT g, c, log_alpha, 40 + 20 * u(c, 0, 1) AS age, sum(-ln(u(c, k, 1)) / (-ln(u(c, 0, 2)) / exp(log_alpha))) OVER w AS week,
           coalesce(bool_or(u(c, k, 2) < 1 - u(c, 0, 4) ^ 0.5) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS gone
    FROM customer, generate_series(1, 60) AS k WINDOW w AS (PARTITION BY c ORDER BY k)
)
SELECT g AS part, log_alpha, age::float8, count(*) FILTER (WHERE NOT gone AND week <= age)::float8 AS frequency, coalesce(max(week) FILTER (WHERE NOT gone AND week <= age), 0)::float8 AS recency FROM event GROUP BY g, c, log_alpha, age;
SELECT n_rows, n_events, warnings FROM ltv.train('many', 'many', 'bg_nbd', segment_by => '{part}');
SELECT s.term, count(*), round(avg(s.common)::numeric, 3) AS common, round(avg(s.spread)::numeric, 3) AS spread, round(avg(s.weight)::numeric, 3) AS weight, round(sqrt(avg((ln(s.own) - t.truth) ^ 2))::numeric, 4) AS rmse_apart,
       round(sqrt(avg((ln(s.estimate) - t.truth) ^ 2))::numeric, 4) AS rmse_together, round(avg((abs(ln(s.estimate) - t.truth) < 1.96 * s.std_error / s.estimate)::int), 3) AS within
FROM ltv.segment_coefficients(ltv.model('many')) AS s JOIN (SELECT DISTINCT part, log_alpha FROM many) AS m ON m.part::text = s.segment,
     LATERAL (SELECT CASE s.term WHEN 'alpha' THEN m.log_alpha WHEN 'b' THEN ln(2) ELSE 0 END AS truth) AS t GROUP BY s.term ORDER BY s.term COLLATE "C";

-- What the registry keeps, and what works on it.
SELECT model, spec -> 'segment_by' AS segment_by, spec ->> 'pooling' AS pooling, n_rows, n_events FROM ltv.model_versions WHERE model IN ('regions', 'shared') ORDER BY model;
SELECT p.model, p.role, p.input, p.horizon, s.n, r(s.mean) AS mean FROM ltv.model_profiles AS p, LATERAL ltv.profile_summary(p.profile) AS s WHERE p.model IN ('regions', 'worths') ORDER BY p.model COLLATE "C", p.role COLLATE "C", p.input COLLATE "C";
SELECT r(avg(ltv.expected_purchases('regions', frequency, recency, age, 26, region))) AS purchases, r(avg(ltv.probability_alive('regions', frequency, recency, age, region))) AS alive, r(avg(ltv.expected_spend('worths', frequency, mean_value, region))) AS spend FROM bought WHERE NOT held;
SELECT m, input, metric, r(value) AS value, is_anomaly FROM unnest('{regions,worths}'::text[]) AS m, LATERAL ltv.drift(m, 'bought') WHERE metric = 'psi' ORDER BY m, input COLLATE "C";
SELECT c ->> 'column' AS name, c ->> 'role' AS role FROM ltv.model_versions, jsonb_array_elements(lineage -> 'columns') AS c WHERE model = 'regions' ORDER BY c ->> 'column' COLLATE "C";
SELECT ltv.promote('regions', 1, reason => 'first') IS NOT NULL AS promoted, bool_and(ltv.verify(model, version)) AS sealed FROM ltv.model_versions WHERE model IN ('regions', 'worths', 'shared');
SELECT line FROM regexp_split_to_table(ltv.model_card('regions'), E'\n') WITH ORDINALITY AS l (line, at) WHERE line ~ '^(It says|\| Segments)|region' ORDER BY at;
SELECT line FROM regexp_split_to_table(ltv.model_summary(ltv.model('regions')), E'\n') WITH ORDINALITY AS l (line, at) ORDER BY at LIMIT 12;
SELECT count(*), count(*) FILTER (WHERE c.term LIKE 'north: %') AS of_the_north FROM ltv.coefficients(ltv.model('regions')) AS c;
SELECT ltv.import_model(ltv.export_model('shared', 1), as_model => 'imported');
SELECT ltv.model('imported')::text = ltv.model('shared')::text AS same, ltv.model('imported')::text::ltv.model::text = ltv.model('imported')::text AS round_trip, ltv.model_status(ltv.model('shared')) AS status, ltv.model_algorithm(ltv.model('shared')) AS algorithm, ltv.model_features(ltv.model('shared')) AS features;
-- Two columns: the values with " / " between them.
SELECT warnings FROM ltv.train('both', 'bought', 'gamma_gamma', segment_by => '{region,channel}', min_events => 50);
SELECT segment, n_rows, n_events, status, round(weight::numeric, 3) AS weight, reason FROM ltv.model_segments(ltv.model('both')) ORDER BY segment;
SELECT r(ltv.expected_spend('both', 2, 30, 'south / web')) AS south_web, ltv.expected_spend('both', 2, 30, 'south / web') = ltv.expected_spend(ltv.segment_model(ltv.model('both'), 'south / web'), 2, 30) AS same, ltv.expected_spend('both', 2, 30, 'south') = ltv.expected_spend(ltv.segment_model(ltv.model('both')), 2, 30) AS half_a_name;
SELECT (ltv.transactional_value('plain', 'both', 2, 20, 40, 30, segment => 'west / web')).status;
-- Weighed and dropped, as without segments.
CREATE VIEW dropping AS SELECT id, CASE WHEN id % 10 > 0 THEN region END AS region, frequency, recency, age FROM bought;
SELECT n_rows, n_dropped, n_events, warnings FROM ltv.train('dropping', 'dropping', 'bg_nbd', segment_by => '{region}', weight => 'id', null_policy => 'drop', pooling => 'none');
SELECT ltv.segment_model(ltv.model('dropping'), 'north')::text = ltv.fit_bg_nbd(frequency, recency, age, id)::text AS same FROM dropping WHERE region = 'north';
CREATE VIEW alike AS SELECT *, CASE WHEN id % 2 = 0 THEN 'a / b' ELSE 'a' END AS one, CASE WHEN id % 2 = 0 THEN 'c' ELSE 'b / c' END AS other FROM bought;
-- Refusals; what tells of lifetimes or amounts given features says what to use.
\pset format unaligned
SELECT place, refused(a) FROM (VALUES (1, $$'m', 'bought', 'bg_nbd', segment_by => '{frequency}'$$), (2, $$'m', 'bought', 'bg_nbd', segment_by => '{id}'$$), (3, $$'m', 'bought', 'bg_nbd', segment_by => '{age}'$$),
    (4, $$'m', 'bought', 'gamma_gamma', target => 'worth', segment_by => '{worth}'$$), (5, $$'m', 'bought', 'bg_nbd', segment_by => '{region,region}'$$), (6, $$'m', 'bought', 'gamma_gamma', segment_by => '{worth}'$$),
    (7, $$'m', 'alike', 'bg_nbd', segment_by => '{one,other}'$$), (8, $$'m', 'dropping', 'bg_nbd', segment_by => '{region}'$$), (9, $$'m', 'bought', 'bg_nbd', segment_by => '{nothing}'$$), (10, $$'m', 'bought', 'bg_nbd', segment_by => '{region}', pooling => 'some'$$)) AS v (place, a) ORDER BY place;
\pset format aligned
SELECT * FROM ltv.predict('regions', (SELECT b FROM bought AS b WHERE id = 2), 12);
SELECT ltv.renewal_probability('regions', (SELECT b FROM bought AS b WHERE id = 2), 12);
SELECT ltv.expected_value('worths', (SELECT b FROM bought AS b WHERE id = 2));
SELECT * FROM ltv.score('regions', 'bought', 'id', 12);
SELECT * FROM ltv.explain('regions', (SELECT b FROM bought AS b WHERE id = 2));
SELECT * FROM ltv.evaluate('regions', 'bought');
SELECT ltv.recalibrated(ltv.model('regions'), '{"beta": {"intercept": 0.3, "event": 1.4, "survival": 1.2}}');
