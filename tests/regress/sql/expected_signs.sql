-- Signs that are expected of models without coefficients: told by partial dependence, or refused.
SET search_path = ltv, pg_catalog, public;
CREATE TABLE signed AS
SELECT i AS id, u AS usage, (i % 5) = 0 AS partner, 7.0::float8 AS same, 'plan ' || chr(97 + i % 3) AS plan, 100 + 50 * u + i % 7 AS amount,
       least(greatest(round((-ln(v) * 20 * exp(2 * u - 1))::numeric, 2), 0.1)::float8, 40) AS months, -ln(v) * 20 * exp(2 * u - 1) < 40 AS churned, i % 4 = 0 AS held_out
FROM (SELECT i, (i * 7919 % 1999 + 0.5) / 1999 AS u, (i * 104729 % 2003 + 0.5) / 2003 AS v FROM generate_series(1, 1500) AS i) x;
-- Who uses much stays: the risk falls.
SELECT DISTINCT warnings FROM ltv.train('bad', 'signed', 'boosted_hazard', 'months', 'churned', features => ARRAY['usage', 'partner'], expected_signs => '{"usage": "+"}', options => '{"trees": 40}', holdout => '{"by": "held_out"}', horizon => 12);
SELECT DISTINCT warnings FROM ltv.train('good', 'signed', 'boosted_hazard', 'months', 'churned', features => ARRAY['usage', 'partner'], expected_signs => '{"usage": "-"}', options => '{"trees": 40}', holdout => '{"by": "held_out"}', horizon => 12);
-- The gate stops the one and not the other.
SELECT m.name, g.* FROM unnest(ARRAY['bad', 'good']) AS m (name), LATERAL ltv.gate(m.name, 1, '{"warnings": "= 0"}') AS g ORDER BY m.name;
-- The same rows by coefficients, in the same words.
SELECT DISTINCT warnings FROM ltv.train('bad_cox', 'signed', 'cox', 'months', 'churned', features => ARRAY['usage', 'partner'], expected_signs => '{"usage": "+"}', holdout => '{"by": "held_out"}', horizon => 12);
-- partial_dependence over all rows falls too.
SELECT max(event_probability) FILTER (WHERE at = 1) > max(event_probability) FILTER (WHERE at = 11) AS falls FROM ltv.partial_dependence('bad', 'signed', 'usage', horizon => 12) WITH ORDINALITY AS p (value, event_probability, expected_value, lower_decile, upper_decile, n, n_training, status, at);
-- Amounts.
SELECT sign, t.warnings FROM unnest(ARRAY['+', '-']) AS sign, LATERAL (SELECT DISTINCT warnings FROM ltv.train('amount ' || sign, 'signed', 'boosted_value', features => ARRAY['usage'], target => 'amount', expected_signs => jsonb_build_object('usage', sign), options => '{"trees": 40}', holdout => '{"by": "held_out"}')) AS t ORDER BY sign;
-- A feature that the trees cannot use, and one without a second value.
SELECT DISTINCT warnings FROM ltv.train('held', 'signed', 'boosted_value', features => ARRAY['usage', 'partner'], target => 'amount', expected_signs => '{"partner": "+"}', options => '{"trees": 2, "depth": 1}', holdout => '{"by": "held_out"}');
SELECT DISTINCT warnings FROM ltv.train('same', 'signed', 'boosted_value', features => ARRAY['usage', 'same'], target => 'amount', expected_signs => '{"same": "+"}', options => '{"trees": 5}', holdout => '{"by": "held_out"}');
-- By segment.
SELECT DISTINCT w FROM ltv.train('parts', 'signed', 'boosted_hazard', 'months', 'churned', features => ARRAY['usage'], segment_by => ARRAY['plan'], expected_signs => '{"usage": "+"}', options => '{"trees": 20}', holdout => '{"by": "held_out"}', horizon => 12), unnest(warnings) AS w WHERE w LIKE 'sanity%' ORDER BY w;
-- A constraint agrees, or contradicts before anything is fitted.
SELECT DISTINCT warnings FROM ltv.train('agrees', 'signed', 'boosted_hazard', 'months', 'churned', features => ARRAY['usage'], expected_signs => '{"usage": "-"}', options => '{"trees": 20, "monotone": {"usage": -1}}', holdout => '{"by": "held_out"}', horizon => 12);
SELECT ltv.train('never', 'signed', 'boosted_hazard', 'months', 'churned', features => ARRAY['usage'], expected_signs => '{"usage": "+"}', options => '{"monotone": {"usage": -1}}');
SELECT ltv.train('never', 'signed', 'boosted_value', features => ARRAY['usage'], target => 'amount', expected_signs => '{"usage": "-"}', options => '{"monotone": {"usage": 1}}');
-- Refused: nothing rises or falls.
SELECT ltv.train('never', 'signed', 'boosted_hazard', 'months', 'churned', features => ARRAY['plan', 'usage'], expected_signs => '{"plan": "+"}');
SELECT ltv.train('never', 'signed', 'kaplan_meier', 'months', 'churned', features => ARRAY['plan'], expected_signs => '{"plan": "+"}');
SELECT count(*) AS never FROM ltv.model_versions WHERE model = 'never';
