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
-- The order of the rows and the horizon say nothing, the seed does.
CREATE TABLE shuffled AS SELECT * FROM held ORDER BY md5(id::text);
SELECT bool_and(abs(a.importance - b.importance) < 1e-9) AS in_any_order, bool_or(abs(a.importance - c.importance) > 1e-6) AS another_seed
FROM ltv.importance('gamma', 'held') a JOIN ltv.importance('gamma', 'shuffled', horizon => 3) b USING (feature) JOIN ltv.importance('gamma', 'held', seed => 1) c USING (feature);
-- A feature that is the same in all rows loses nothing by the shuffle; one the model ignores neither.
CREATE VIEW alike AS SELECT customer_value, frequency_of_sms, seconds_of_use, 'prepaid'::text AS tariff, complains FROM held;
SELECT feature, importance FROM ltv.importance('linear', 'alike', repeats => 1) WHERE feature = 'tariff';
-- One shuffle by hand: a linear model moves by its coefficient.
WITH shuffle AS (SELECT h.*, row_number() OVER (ORDER BY hashtextextended(ROW(frequency_of_sms, seconds_of_use, tariff, complains, customer_value)::text, 0)) AS place,
                        hashtextextended(ROW(frequency_of_sms, seconds_of_use, tariff, complains, customer_value)::text, 0) AS hash FROM held h),
     other AS (SELECT frequency_of_sms AS value, row_number() OVER (ORDER BY hashint8extended(hash, 1001), place) AS place FROM shuffle),
     said AS (SELECT s.customer_value AS y, ltv.expected_value('linear', s) + (o.value - s.frequency_of_sms) * (SELECT estimate FROM ltv.coefficients(ltv.model('linear')) WHERE term = 'frequency_of_sms') AS e FROM shuffle s JOIN other o USING (place))
SELECT abs(i.permuted_value - (SELECT sqrt(avg((e - y) ^ 2)) FROM said)) < 1e-8 AS by_hand FROM ltv.importance('linear', 'held', repeats => 1) i WHERE feature = 'frequency_of_sms';

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
SELECT * FROM ltv.importance('nameless', 'held');
CREATE VIEW lacking AS SELECT frequency_of_sms, seconds_of_use, tariff, complains FROM held;
SELECT * FROM ltv.importance('linear', 'lacking');
SELECT * FROM ltv.partial_dependence('linear', 'lacking', 'age');
