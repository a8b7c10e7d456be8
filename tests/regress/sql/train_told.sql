-- What training, a score and a comparison tell: which rows were judged, what is wrong and what is not, and by which names.
\set ECHO none
CREATE TABLE c AS
SELECT i AS id, (ARRAY['basic', 'pro', 'enterprise'])[1 + i % 3] AS plan, u AS usage, 1 + i % 17 AS seats, least(t, 1 + w * 34) AS months, t <= 1 + w * 34 AS gone,
       10 + (i * 7 % 40) + 0.25 AS price, CASE WHEN i % 5 > 0 THEN 5 + i % 17 * 2 + i % 3 ELSE 0 END AS cost, i % 4 = 0 AS held, 3.0::float8 AS same, i
FROM (SELECT i, (i * 7919 % 1999 + 0.5) / 1999 AS u, (i * 104729 % 2003 + 0.5) / 2003 AS v, (i * 31337 % 997 + 0.5) / 997 AS w FROM generate_series(1, 1500) AS i) x,
     LATERAL (SELECT 0.5 + 12.5 * -ln(v) * exp(u + 0.3 * (i % 3)) AS t) y;
ANALYZE c;
\set ECHO all

-- Signs are asked of both parts of a model of two: more seats cost more, and not more often.
SELECT sign, t.warnings FROM unnest(ARRAY['+', '-']) AS sign, LATERAL (SELECT DISTINCT warnings FROM ltv.train('two parts ' || sign, 'c', 'two_part', target => 'cost', features => '{seats,usage}', expected_signs => jsonb_build_object('seats', sign), holdout => '{"by": "held"}')) AS t ORDER BY sign;
SELECT term, sign(estimate) FROM ltv.coefficients(ltv.model('two parts +')) WHERE term LIKE '%seats' ORDER BY term COLLATE "C";
-- Where every row has an amount there is one part.
SELECT sign, t.warnings FROM unnest(ARRAY['+', '-']) AS sign, LATERAL (SELECT DISTINCT warnings FROM ltv.train('one part ' || sign, 'c', 'two_part', target => 'price', features => '{seats}', expected_signs => jsonb_build_object('seats', sign), holdout => '{"by": "held"}')) AS t ORDER BY sign;

-- A row with a NULL is dropped, whether it was for training or held out, and no row is counted twice.
CREATE VIEW n AS SELECT id, plan, gone, held, CASE WHEN id % 7 > 0 THEN months END AS months, CASE WHEN id % 3 > 0 THEN usage END AS usage FROM c;
SELECT DISTINCT n_rows, n_dropped, n_holdout, n_rows + n_dropped + n_holdout AS together, warnings FROM ltv.train('nulls', 'n', 'cox', 'months', 'gone', features => '{usage}', holdout => '{"by": "held"}', horizon => 12, null_policy => 'drop');
SELECT count(*) FILTER (WHERE NOT held AND usage IS NOT NULL AND months IS NOT NULL) AS n_rows, count(*) FILTER (WHERE usage IS NULL OR months IS NULL) AS n_dropped, count(*) FILTER (WHERE held AND usage IS NOT NULL AND months IS NOT NULL) AS n_holdout FROM n;
SELECT item, n FROM ltv.train_plan('nulls', 'n', 'cox', 'months', 'gone', features => '{usage}', holdout => '{"by": "held"}', horizon => 12, null_policy => 'drop') WHERE item IN ('training rows', 'dropped', 'holdout') ORDER BY item;
-- Who is judged is counted alike by all who judge.
SELECT e.n, e.n_unscored, p.n AS of_predicted, p.n_unscored AS unscored_of_predicted, e.n_events, e.status FROM ltv.evaluate('nulls', 'n') e, ltv.predicted_vs_actual('nulls', 'n') p;
SELECT segment, n, n_events, n_unscored, status FROM ltv.evaluate('nulls', 'n', by => '{plan}', rows => 'all') ORDER BY segment;
-- A segment of which no row has a score, whatever the least number of rows.
CREATE VIEW unscored AS SELECT id, gone, months, CASE WHEN plan = 'pro' THEN NULL ELSE usage END AS usage, plan FROM c;
SELECT segment, n, n_events, n_unscored, brier IS NULL AS no_brier, status FROM ltv.evaluate('nulls', 'unscored', by => '{plan}', min_rows => 0) ORDER BY segment;
-- A level never seen is no NULL: it was held out, could not be scored, and training says so.
CREATE VIEW levels AS SELECT id, months, gone, held, CASE WHEN held AND id % 8 = 0 THEN 'new' ELSE plan END AS plan FROM c;
SELECT DISTINCT n_rows, n_dropped, n_holdout, warnings FROM ltv.train('levels', 'levels', 'cox', 'months', 'gone', features => '{plan}', holdout => '{"by": "held"}', horizon => 12);
SELECT n, n_unscored FROM ltv.evaluate('levels', 'levels');
-- Of a holdout by time in which every row lacks something there is a holdout, and it is empty.
CREATE VIEW lately AS SELECT id, months, gone, date '2024-01-01' + id AS day, CASE WHEN id < 1200 THEN usage END AS usage FROM c;
SELECT DISTINCT n_rows, n_dropped, n_holdout, warnings FROM ltv.train('lately', 'lately', 'cox', 'months', 'gone', features => '{usage}', holdout => '{"by": "day", "from": "2027-04-16"}', horizon => 12, null_policy => 'drop');

-- That boosting stopped early is how it ends: told of the model and of its segments, and no warning of either.
SELECT DISTINCT warnings FROM ltv.train('trees', 'c', 'boosted_hazard', 'months', 'gone', features => '{usage,plan}', holdout => '{"by": "held"}', horizon => 12);
SELECT DISTINCT warnings FROM ltv.train('trees of segments', 'c', 'boosted_hazard', 'months', 'gone', features => '{usage}', segment_by => '{plan}', holdout => '{"by": "held"}', horizon => 12);
SELECT starts_with(ltv.model_status(ltv.model('trees')), 'stopped early at') AS early, starts_with(ltv.model_status(ltv.model('trees of segments')), 'stopped early at') AS early_of_all;
SELECT segment, status, starts_with(reason, 'stopped early at') AS early FROM ltv.model_segments(ltv.model('trees of segments')) ORDER BY segment;
SELECT pass FROM ltv.gate('trees of segments', NULL, '{"warnings": "= 0"}');
SELECT DISTINCT warnings FROM ltv.train('hybrid of trees', 'c', 'hybrid', options => '{"renewal": "trees"}');

-- The candidates of best by the names of the columns.
SELECT DISTINCT warnings FROM ltv.train('best', 'c', 'best', 'months', 'gone', features => '{same,usage}', holdout => '{"by": "held"}', horizon => 12, options => '{"candidates": ["weibull", "lognormal"]}');

-- A scale that no number has room for is called out of range, whatever the model.
CREATE VIEW scales AS SELECT id, months, gone, held, usage, (id * 31 % 97 + 1) * 1e-300 AS tiny, (id * 31 % 97 + 1) * 1e300 AS huge, price FROM c;
DO $$
DECLARE
    asked record;
    hint text;
BEGIN
    FOR asked IN SELECT a.algorithm, f.feature FROM unnest('{cox,weibull,best,discrete_time,linear,gamma}'::text[]) WITH ORDINALITY AS a (algorithm, place), unnest('{tiny,huge}'::text[]) AS f (feature) ORDER BY a.place, f.feature LOOP
        BEGIN
            PERFORM CASE WHEN asked.algorithm IN ('linear', 'gamma') THEN (SELECT max(version) FROM ltv.train('scales', 'scales', asked.algorithm, target => 'price', features => ARRAY['usage', asked.feature]))
                         ELSE (SELECT max(version) FROM ltv.train('scales', 'scales', asked.algorithm, 'months', 'gone', features => ARRAY['usage', asked.feature])) END;
            RAISE NOTICE '%, %: %', asked.algorithm, asked.feature, (SELECT warnings FROM ltv.model_versions WHERE model = 'scales' ORDER BY version DESC LIMIT 1);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
            RAISE NOTICE '%, %: % % (%)', asked.algorithm, asked.feature, SQLSTATE, SQLERRM, hint;
        END;
    END LOOP;
END $$;

-- A fit that is not to be trusted has no number to act on, whatever reads the columns.
CREATE VIEW parted AS SELECT id, months, gone, usage, gone AS flag FROM c;
SELECT DISTINCT warnings FROM ltv.train('parted', 'parted', 'renewal', event => 'gone', features => '{usage,flag}');
SELECT id, p_renew, p_event, lower, upper, expected_lifetime, linear_predictor, risk_percentile, confidence, abstain, reason_1, reason_1_effect, status FROM ltv.score('parted', 'parted', 'id') ORDER BY id::int LIMIT 2;
SELECT bool_and(num_nonnulls(s.p_renew, s.p_event, s.lower, s.upper, s.expected_lifetime, s.reason_1) = 0) AS no_number FROM ltv.score('parted', 'parted', 'id') AS s WHERE s.abstain;
-- Of a component it is told by its name, as trees that stopped early are not.
SELECT DISTINCT warnings FROM ltv.train('hybrid of parted', 'parted', 'hybrid', options => '{"renewal": "parted"}');

-- NaN and infinity are no values: missing to the neighbours of a row, and to the means of a segment.
CREATE VIEW odd AS SELECT id, plan, months, gone, held, seats, CASE WHEN id % 5 = 0 THEN 'NaN' WHEN id % 7 = 0 THEN '-Infinity' WHEN id % 11 = 0 THEN NULL ELSE usage END::float8 AS usage FROM c;
SELECT DISTINCT model FROM ltv.train('stay', 'c', 'cox', 'months', 'gone', features => '{plan,usage}', horizon => 12);
SELECT rank, similar_id, distance, differs_in FROM ltv.similar('stay', 'odd', 'id', '5', 3);
SELECT count(*) FILTER (WHERE distance = 'NaN') AS nowhere, count(*) FILTER (WHERE distance = 'Infinity') AS far, count(*) AS n FROM ltv.similar('stay', 'odd', 'id', '1', 2000);
CREATE VIEW lacking AS SELECT id, plan, seats, CASE WHEN usage > '-Infinity' AND usage < 'Infinity' THEN usage END AS usage FROM odd;
SELECT segment, feature, n, round(value::numeric, 4) AS value, round(others::numeric, 4) AS others, round(standardized_difference::numeric, 4) AS difference FROM ltv.segment_profile('odd', 'plan', '{usage}') ORDER BY segment;
-- To the last bit, so in one order of the rows.
SET max_parallel_workers = 0;
SELECT count(*) AS n, bool_and(o = l) AS as_of_missing FROM ltv.segment_profile('odd', 'plan', '{usage,seats}') o FULL JOIN ltv.segment_profile('lacking', 'plan', '{usage,seats}') l USING (segment, feature);
RESET max_parallel_workers;

-- The terms of a hybrid as the object, and as what contract_terms makes of them.
SELECT DISTINCT warnings FROM ltv.train('by terms', 'c', 'hybrid', options => jsonb_build_object('renewal', 'stay', 'terms', ltv.contract_terms(100.0, currency => 'EUR', horizon => 24)));
SELECT DISTINCT warnings FROM ltv.train('by object', 'c', 'hybrid', options => jsonb_build_object('renewal', 'stay', 'terms', ltv.contract_terms(100.0, currency => 'EUR', horizon => 24)::text::jsonb));
SELECT bool_and(a.estimate = b.estimate) AS the_same FROM ltv.score('by terms', 'c', 'id') a JOIN ltv.score('by object', 'c', 'id') b USING (id);
DO $$
BEGIN
    PERFORM ltv.train('no terms', 'c', 'hybrid', options => '{"renewal": "stay", "terms": "soon"}');
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE '% %', SQLSTATE, SQLERRM;
END $$;
