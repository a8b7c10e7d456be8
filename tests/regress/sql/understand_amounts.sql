-- Importance and partial dependence of models of amounts and of renewal decisions, against the same by hand.
\set ECHO none
CREATE TABLE iranian (call_failure int, complains int, subscription_length int, charge_amount int, seconds_of_use int, frequency_of_use int, frequency_of_sms int,
                      distinct_called_numbers int, age_group int, tariff_plan int, status int, age int, customer_value double precision, churn int);
\cd :data
\copy iranian from 'iranian_churn.csv' with (format csv, header)
ALTER TABLE iranian ADD id serial, ADD tariff text, ADD renewed boolean, ADD held_out boolean, ADD paid boolean;
UPDATE iranian SET tariff = CASE tariff_plan WHEN 1 THEN 'prepaid' ELSE 'contract' END, renewed = churn = 0, held_out = id % 4 = 0, paid = customer_value > 0;
CREATE FUNCTION r(double precision) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN round($1::numeric, 4);
CREATE TABLE paying AS SELECT * FROM iranian WHERE paid;
CREATE VIEW held AS SELECT * FROM paying WHERE held_out;
ANALYZE;
\set ECHO all

CREATE TABLE trained AS
SELECT a.algorithm, t.metric, t.value FROM unnest('{linear,gamma,tweedie,two_part,boosted_value}'::text[]) a (algorithm),
       LATERAL ltv.train(a.algorithm, 'paying', a.algorithm, target => 'customer_value', features => '{frequency_of_sms,seconds_of_use,tariff,complains}', holdout => '{"by": "held_out"}',
                         options => CASE a.algorithm WHEN 'boosted_value' THEN '{"trees": 30}'::jsonb ELSE '{}' END) t;
-- The plain value is train's own RMSE on the same rows; messages are worth most.
SELECT t.algorithm, i.rank, i.feature, i.metric, i.n, abs(i.value - t.value) < 1e-9 AS is_trains_own, abs(i.importance - (i.permuted_value - i.value)) < 1e-9 AS the_difference, i.importance > 100 AS large
FROM trained t, LATERAL ltv.importance(t.algorithm, 'held', repeats => 2, loss => 'rmse') i WHERE t.metric = 'rmse' AND i.rank <= 2 ORDER BY t.algorithm, i.rank;
-- The order of the rows says nothing, the seed does.
CREATE TABLE shuffled AS SELECT * FROM held ORDER BY md5(id::text);
SELECT bool_and(abs(a.importance - b.importance) < 1e-9) AS in_any_order, bool_or(abs(a.importance - c.importance) > 1e-6) AS another_seed
FROM ltv.importance('gamma', 'held') a JOIN ltv.importance('gamma', 'shuffled') b USING (feature) JOIN ltv.importance('gamma', 'held', seed => 1) c USING (feature);
-- A feature that is the same in all rows loses nothing by the shuffle; one the model ignores neither.
CREATE VIEW alike AS SELECT customer_value, frequency_of_sms, seconds_of_use, 'prepaid'::text AS tariff, complains FROM held;
SELECT feature, importance FROM ltv.importance('linear', 'alike', repeats => 1) WHERE feature = 'tariff';
-- One shuffle by hand: a linear model moves by its coefficient.
WITH shuffle AS (SELECT h.*, row_number() OVER (ORDER BY hashtextextended(ROW(frequency_of_sms, seconds_of_use, tariff, complains, customer_value)::text, 0)) AS place,
                        hashtextextended(ROW(frequency_of_sms, seconds_of_use, tariff, complains, customer_value)::text, 0) AS hash FROM held h),
     other AS (SELECT frequency_of_sms AS value, row_number() OVER (ORDER BY hashint8extended(hash, 1001), place) AS place FROM shuffle),
     said AS (SELECT s.customer_value AS y, ltv.expected_value('linear', s) + (o.value - s.frequency_of_sms) * (SELECT estimate FROM ltv.coefficients(ltv.model('linear')) WHERE term = 'frequency_of_sms') AS e FROM shuffle s JOIN other o USING (place))
SELECT abs(i.permuted_value - (SELECT sqrt(avg((e - y) ^ 2)) FROM said)) < 1e-8 AS by_hand FROM ltv.importance('linear', 'held', repeats => 1) i WHERE feature = 'frequency_of_sms';

-- What is told without being asked is what the fit made least: the mean deviance of its family, as train has it, and the root of the mean square of a linear one.
SELECT a.algorithm, i.metric, i.rank, i.feature, r(i.value) AS value, abs(i.value - t.value) < 1e-9 * t.value AS is_trains_own, abs(i.importance - (i.permuted_value - i.value)) < 1e-9 AS the_difference, i.n
FROM unnest('{linear,gamma,tweedie,two_part,boosted_value}'::text[]) a (algorithm) CROSS JOIN LATERAL ltv.importance(a.algorithm, 'held', repeats => 2) i LEFT JOIN LATERAL (SELECT value FROM trained WHERE algorithm = a.algorithm AND metric = i.metric) t ON true WHERE i.rank = 1 ORDER BY a.algorithm;
SELECT i.algorithm, i.metric, abs(i.value - h.value) < 1e-9 * h.value AS by_the_formula
FROM (SELECT a.algorithm, i.metric, i.value FROM unnest('{gamma,tweedie,linear}'::text[]) a (algorithm), LATERAL ltv.importance(a.algorithm, 'held', repeats => 1, loss => 'deviance') i WHERE i.rank = 1
      UNION ALL SELECT 'gamma', i.metric, i.value FROM ltv.importance('gamma', 'held', repeats => 1, loss => 'mae') i WHERE i.rank = 1) AS i
JOIN (SELECT 'gamma' AS algorithm, 'deviance' AS metric, avg(2 * ((customer_value - e) / e - ln(customer_value / e))) AS value FROM held h, LATERAL (SELECT ltv.expected_value('gamma', h) AS e) AS e
      UNION ALL SELECT 'gamma', 'mae', avg(abs(customer_value - e)) FROM held h, LATERAL (SELECT ltv.expected_value('gamma', h) AS e) AS e
      UNION ALL SELECT 'linear', 'deviance', avg((customer_value - e) ^ 2) FROM held h, LATERAL (SELECT ltv.expected_value('linear', h) AS e) AS e
      UNION ALL SELECT 'tweedie', 'deviance', avg(2 * (customer_value ^ (2 - p) / ((1 - p) * (2 - p)) - customer_value * e ^ (1 - p) / (1 - p) + e ^ (2 - p) / (2 - p)))
      FROM held h, LATERAL (SELECT ltv.expected_value('tweedie', h) AS e) AS e, (SELECT power AS p FROM ltv.amount_fit(ltv.model('tweedie'))) AS f) AS h USING (algorithm, metric) ORDER BY 1, 2;
-- Two parts, with amounts of 0: the sum over the rows of the fit is the binomial deviance and that of the second part over its dispersion.
SELECT count(*) FROM ltv.train('parts', 'iranian', 'two_part', target => 'customer_value', features => '{frequency_of_sms,complains}');
SELECT abs(sum(ltv.amount_deviance(m, i, customer_value)) - min(f.deviance)) < 1e-9 * min(f.deviance) AS of_the_fit, count(*) FILTER (WHERE customer_value = 0) AS zeros
FROM (SELECT ltv.model('parts') AS m) AS m, iranian i, (SELECT sum(deviance / CASE part WHEN 'amount' THEN dispersion ELSE 1 END) AS deviance FROM ltv.amount_fit(ltv.model('parts'))) AS f;
SELECT i.rank, i.feature, i.metric, abs(i.value - h.value) < 1e-9 AS is_the_mean, i.importance > 0 AS worse, i.n FROM ltv.importance('parts', 'iranian', repeats => 1) i, (SELECT avg(ltv.amount_deviance(m, q, customer_value)) AS value FROM (SELECT ltv.model('parts') AS m) AS m, iranian q) AS h ORDER BY i.rank;
SELECT ltv.amount_deviance(ltv.model('parts'), q, NULL) AS nothing FROM (SELECT 1 AS frequency_of_sms, 0 AS complains) q;
-- The order of the rows says nothing of it.
SELECT bool_and(abs(a.importance - b.importance) < 1e-9 AND a.metric = 'deviance') AS in_any_order FROM ltv.importance('tweedie', 'held') a JOIN ltv.importance('tweedie', 'shuffled') b USING (feature);

-- Partial dependence: of a linear model the mean and a straight line; of the others the mean of expected_value.
SELECT value, event_probability, r(expected_value) AS expected_value, r(lower_decile) AS lower_decile, r(upper_decile) AS upper_decile, n, n_training FROM ltv.partial_dependence('linear', 'held', 'tariff');
SELECT abs((max(expected_value) FILTER (WHERE value = '200') - max(expected_value) FILTER (WHERE value = '100')) / 100 - min(c.estimate)) < 1e-9 AS the_coefficient
FROM ltv.partial_dependence('linear', 'held', 'frequency_of_sms', '{100,200}'), ltv.coefficients(ltv.model('linear')) c WHERE c.term = 'frequency_of_sms';
SELECT t.algorithm, p.value, p.event_probability IS NULL AS no_probability, r(p.expected_value) AS expected_value, p.n,
       abs(p.expected_value - (SELECT avg(ltv.expected_value(t.algorithm, q)) FROM held h, LATERAL (SELECT h.frequency_of_sms, h.seconds_of_use, p.value AS tariff, h.complains) q)) < 1e-8 AS by_hand
FROM trained t, LATERAL ltv.partial_dependence(t.algorithm, 'held', 'tariff') p WHERE t.metric = 'rmse' ORDER BY t.algorithm, p.value;

-- Decisions: the plain value is train's own Brier score.
CREATE TABLE decided AS SELECT * FROM ltv.train('renews', 'iranian', 'renewal', event => 'renewed', features => '{frequency_of_use,complains,tariff}', holdout => '{"by": "held_out"}');
CREATE VIEW undecided AS SELECT * FROM iranian WHERE held_out;
SELECT i.rank, i.feature, i.metric, r(i.value) AS value, r(i.permuted_value) AS permuted, i.n, abs(i.value - d.value) < 1e-12 AS is_trains_own FROM ltv.importance('renews', 'undecided', repeats => 2) i, decided d WHERE d.metric = 'brier' ORDER BY i.rank;
SELECT value, r(event_probability) AS event_probability, expected_value, n FROM ltv.partial_dependence('renews', 'undecided', 'complains', '{0,1}');

-- Refused: a model whose target nobody knows, and a column that is not there.
SELECT ltv.register_version('nameless', 'linear', (SELECT fitted FROM ltv.model_versions WHERE model = 'linear'), '{}', 100, 100) > 0 AS registered;
-- A horizon where there is none, or another one than there is, is refused.
SELECT * FROM ltv.importance('gamma', 'held', horizon => 3);
SELECT * FROM ltv.partial_dependence('gamma', 'held', 'tariff', horizon => 12);
SELECT * FROM ltv.importance('renews', 'undecided', horizon => 99);
SELECT * FROM ltv.importance('nameless', 'held');
CREATE VIEW lacking AS SELECT frequency_of_sms, seconds_of_use, tariff, complains FROM held;
SELECT * FROM ltv.importance('linear', 'lacking');
SELECT * FROM ltv.partial_dependence('linear', 'lacking', 'age');
-- A loss that the model has not, and a deviance of amounts that its law cannot have.
SELECT * FROM ltv.importance('linear', 'held', loss => 'brier');
SELECT * FROM ltv.importance('renews', 'undecided', loss => 'rmse');
SELECT * FROM ltv.importance('gamma', 'iranian');
SELECT count(*) FROM ltv.importance('gamma', 'iranian', loss => 'mae', repeats => 1);
SELECT ltv.amount_deviance(ltv.model('gamma'), h, 0) FROM (SELECT * FROM held ORDER BY id LIMIT 1) h;
SELECT ltv.amount_deviance(ltv.model('gamma'), h, 'Infinity') FROM (SELECT * FROM held ORDER BY id LIMIT 1) h;
SELECT ltv.amount_deviance(ltv.model('renews'), h, 1) FROM (SELECT * FROM held ORDER BY id LIMIT 1) h;
SELECT ltv.amount_deviance(ltv.model('linear'), h, 1e200) FROM (SELECT * FROM held ORDER BY id LIMIT 1) h;
-- A target that is no number has no loss, whichever is asked for; a row without a score is none of those judged, whatever its target.
CREATE VIEW no_number AS SELECT id, CASE id WHEN (SELECT min(id) FROM held) THEN 'NaN' ELSE customer_value END AS customer_value, frequency_of_sms, seconds_of_use, tariff, complains FROM held;
SELECT * FROM ltv.importance('gamma', 'no_number', loss => 'rmse');
SELECT * FROM ltv.importance('gamma', 'no_number', loss => 'mae');
SELECT * FROM ltv.importance('gamma', 'no_number');
CREATE VIEW unscored AS SELECT id, customer_value, frequency_of_sms, seconds_of_use, tariff, complains FROM held
    UNION ALL SELECT -1, 0, NULL, 100, 'prepaid', 0 UNION ALL SELECT -2, 'NaN', 10, NULL, 'prepaid', 0;
SELECT l.loss, bool_and(abs(u.importance - h.importance) < 1e-9 AND u.n = h.n) AS as_without_them
FROM unnest('{deviance,rmse,mae}'::text[]) l (loss), LATERAL ltv.importance('gamma', 'unscored', repeats => 1, loss => l.loss) u JOIN LATERAL ltv.importance('gamma', 'held', repeats => 1, loss => l.loss) h USING (feature) GROUP BY l.loss ORDER BY l.loss;
