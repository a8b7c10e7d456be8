-- Values that cannot be learnt from: the plan refuses what train ends with, each with its column, its count and the fix.
\set ECHO none
\ir ../datasets.sql
CREATE TABLE book AS
SELECT customer_id, greatest(tenure, 1)::float8 AS months, churn = 'Yes' AS gone, (churn = 'Yes')::int::numeric AS gone_number, contract, monthly_charges::float8 AS price,
       row_number() OVER (ORDER BY customer_id) AS place, date '2024-01-01' + (hashtext(customer_id) & 255) AS signed_on
FROM telco;
\set ECHO queries
\set plan 'SELECT item, column_name, detail, n, verdict FROM ltv.train_plan'
\set refused 'WHERE verdict = $$refused$$'

-- NaN and infinite features, by name and count; rows that are left out do not matter.
CREATE VIEW odd AS SELECT *, CASE WHEN place <= 3 THEN 'NaN' ELSE price END AS seats, CASE WHEN place = 7 THEN '-Infinity'::numeric ELSE price::numeric END AS users, CASE WHEN place = 5 THEN 'NaN'::real END AS later, place <= 3 AS held FROM book;
SELECT ltv.train('bad', 'odd', 'cox', 'months', 'gone', features => ARRAY['price', 'seats']);
SELECT ltv.train('bad', 'odd', 'weibull', 'months', 'gone', features => ARRAY['users']);
SELECT ltv.train('bad', 'odd', 'linear', target => 'price', features => ARRAY['users', 'seats']);
SELECT ltv.train('bad', 'odd', 'cox', 'months', 'gone', features => ARRAY['seats'], null_policy => 'impute');
:plan ('bad', 'odd', 'cox', 'months', 'gone', features => ARRAY['price', 'seats', 'users']) :refused;
:plan ('bad', 'odd', 'linear', target => 'price', features => ARRAY['users', 'seats']) :refused;
SELECT n_rows FROM ltv.train('good', 'odd', 'cox', 'months', 'gone', features => ARRAY['seats'], holdout => '{"by": "held"}', horizon => 1) ORDER BY metric LIMIT 1;
CREATE VIEW clean AS SELECT * FROM odd WHERE place > 3;
:plan ('good', 'clean', 'cox', 'months', 'gone', features => ARRAY['price', 'seats']) :refused;
-- To trees NaN is what is lacking; an infinite number is refused.
:plan ('good', 'odd', 'boosted_hazard', 'months', 'gone', features => ARRAY['seats', 'users'], null_policy => 'learn') :refused;
SELECT count(*) AS trained FROM ltv.train('good', 'odd', 'boosted_hazard', 'months', 'gone', features => ARRAY['seats'], null_policy => 'learn', options => '{"trees": 3}');
SELECT ltv.train('bad', 'odd', 'boosted_hazard', 'months', 'gone', features => ARRAY['users'], null_policy => 'learn', options => '{"trees": 3}');

-- Durations, entries and weights.
CREATE VIEW times AS SELECT *, CASE place WHEN 1 THEN 'Infinity' WHEN 2 THEN 'Infinity' WHEN 3 THEN 'NaN' WHEN 4 THEN -1 ELSE months END AS lived, CASE WHEN place = 9 THEN 'NaN' ELSE 0::float8 END AS seen_from, (place % 3)::float8 AS weight FROM book;
SELECT ltv.train('bad', 'times', 'cox', 'lived', 'gone', features => ARRAY['price']);
SELECT ltv.train('bad', 'times', 'kaplan_meier', 'months', 'gone', entry => 'seen_from');
SELECT ltv.train('bad', 'times', 'cox', 'months', 'gone', features => ARRAY['price'], weight => 'weight');
:plan ('bad', 'times', 'cox', 'lived', 'gone', features => ARRAY['price', 'contract'], entry => 'seen_from', weight => 'weight') :refused;
SELECT item, column_name, verdict FROM ltv.train_plan('bad', 'times', 'cox', 'lived', 'gone', features => ARRAY['price', 'contract']) WHERE item <> 'time';

-- Events: a number 1 or 0 of any type, or a boolean; other codes are told.
CREATE VIEW coded AS SELECT *, gone::int * 25 AS code, gone_number * 0.5 AS half, gone_number::real AS gone_real, gone_number::bigint AS gone_big, gone::text AS word FROM book;
SELECT f.event, t.n_events, round(t.value::numeric, 6) = (SELECT round(value::numeric, 6) FROM ltv.train('same', 'coded', 'cox', 'months', 'gone', features => ARRAY['price'])) AS as_boolean
FROM unnest(ARRAY['gone_number', 'gone_real', 'gone_big']) AS f (event), LATERAL ltv.train('same', 'coded', 'cox', 'months', f.event, features => ARRAY['price']) AS t ORDER BY f.event;
SELECT ltv.train('bad', 'coded', 'cox', 'months', 'code', features => ARRAY['price']);
SELECT ltv.train('bad', 'coded', 'cox', 'months', 'half', features => ARRAY['price']);
SELECT ltv.train('bad', 'coded', 'cox', 'months', 'word', features => ARRAY['price']);
:plan ('bad', 'coded', 'cox', 'months', 'code', features => ARRAY['price']) :refused;
:plan ('bad', 'coded', 'cox', 'months', 'half', features => ARRAY['price']) :refused;
:plan ('bad', 'coded', 'cox', 'months', 'word', features => ARRAY['price']) :refused;
:plan ('good', 'coded', 'renewal', event => 'gone_number', features => ARRAY['price']) :refused;

-- Events at duration 0: of distributions and of counts of renewals; Cox and curves take them.
CREATE VIEW at_once AS SELECT *, CASE WHEN place <= 40 THEN 0 ELSE months END AS lived FROM book;
SELECT count(*) AS events_at_0 FROM at_once WHERE lived = 0 AND gone;
SELECT a.algorithm, p.column_name, p.detail, p.n, p.verdict FROM unnest('{cox,kaplan_meier,weibull,best,sbg,exponential_cure,discrete_time,boosted_hazard}'::text[]) WITH ORDINALITY AS a (algorithm, place),
    LATERAL ltv.train_plan('at', 'at_once', a.algorithm, 'lived', 'gone', features => CASE WHEN a.algorithm IN ('cox', 'boosted_hazard') THEN '{price}' ELSE '{}' END::text[]) AS p WHERE p.verdict = 'refused' ORDER BY a.place;
SELECT ltv.train('bad', 'at_once', 'weibull', 'lived', 'gone');
SELECT ltv.train('bad', 'at_once', 'best', 'lived', 'gone');
SELECT ltv.train('bad', 'at_once', 'sbg', 'lived', 'gone');
SELECT a.algorithm, count(DISTINCT version) AS trained FROM unnest('{cox,kaplan_meier,discrete_time,boosted_hazard}'::text[]) AS a (algorithm),
    LATERAL ltv.train(a.algorithm, 'at_once', a.algorithm, 'lived', 'gone', features => CASE WHEN a.algorithm IN ('cox', 'boosted_hazard') THEN '{price}' ELSE '{}' END::text[]) GROUP BY 1 ORDER BY 1;

-- Amounts that a family cannot have.
CREATE VIEW amounts AS SELECT *, CASE WHEN place <= 4 THEN 0 ELSE price END AS spent, CASE WHEN place <= 2 THEN -price ELSE price END AS net, CASE WHEN place = 1 THEN 'Infinity' ELSE price END AS endless FROM book;
SELECT a.algorithm, a.target, p.detail, p.n FROM (VALUES ('gamma', 'spent', '{}'), ('tweedie', 'spent', '{}'), ('two_part', 'spent', '{}'), ('linear', 'net', '{}'), ('gamma', 'net', '{}'), ('tweedie', 'net', '{}'), ('two_part', 'net', '{}'), ('linear', 'endless', '{}'),
        ('boosted_value', 'net', '{}'), ('boosted_value', 'net', '{"loss": "tweedie"}'), ('boosted_value', 'spent', '{"loss": "gamma"}'), ('boosted_value', 'spent', '{"loss": "tweedie"}')) AS a (algorithm, target, options),
    LATERAL ltv.train_plan('spend', 'amounts', a.algorithm, target => a.target, features => ARRAY['months'], options => a.options::jsonb) AS p WHERE p.verdict = 'refused' ORDER BY 1, 2, 3;
SELECT ltv.train('bad', 'amounts', 'gamma', target => 'spent', features => ARRAY['months']);
SELECT ltv.train('bad', 'amounts', 'tweedie', target => 'net', features => ARRAY['months']);
SELECT ltv.train('bad', 'amounts', 'two_part', target => 'net', features => ARRAY['months']);
SELECT ltv.train('bad', 'amounts', 'boosted_value', target => 'spent', features => ARRAY['months'], options => '{"loss": "gamma"}');
SELECT ltv.train('bad', 'amounts', 'linear', target => 'endless', features => ARRAY['months']);

-- Components that are not there, rules that are none, and features that do not vary.
:plan ('worth', 'book', 'hybrid', options => '{"renewal": "nobody", "terms": {"revenue": 100}}') :refused;
:plan ('worth', 'book', 'hybrid', options => '{"renewal": "good", "cost": "nothing@3"}') :refused;
:plan ('worth', 'book', 'hybrid', options => '{"cost": "good"}') :refused;
:plan ('plain', 'book', 'rule', 'months', 'gone', options => '{"monthly_churn": 2}') :refused;
SELECT item, column_name, detail, n, verdict FROM ltv.train_plan('plain', 'book', 'rule', 'months', 'gone', options => '{"by": "contract", "monthly_churn": {"Month-to-month": 0.05, "One year": 0.01, "Two year": 0.004}}') WHERE item IN ('feature', 'arguments', 'algorithm');
:plan ('flat', 'book', 'cox', 'months', 'gone') :refused;
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone');

-- What contradicts itself is one row, with the way out; a column that is not there is an error.
:plan ('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], as_of => '2024-06-30');
:plan ('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], options => '{"tys": "efron"}');
:plan ('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], options => '{"ties": 3}');
:plan ('bad', 'book', 'auto', 'months', 'gone', features => ARRAY['price']);
:plan ('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price', 'months']);
:plan ('bad', 'book', 'weibull', 'months', 'gone', features => ARRAY['price'], options => '{"ancillary": ["contract"]}') :refused;
:plan ('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], holdout => '{"by": "signed_on", "last": "3 monts"}');
:plan ('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], holdout => '{"by": "signed_on", "from": "2024-13-01"}');
:plan ('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['prize']);
SELECT ltv.train('bad', 'book', 'auto', 'months', 'gone', features => ARRAY['price']);
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], holdout => '{"by": "signed_on", "last": "3 monts"}');
SELECT ltv.train('bad', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], holdout => '{"by": "signed_on", "from": "yesterdays"}');

-- The baseline is named, in the rows and in what is stored.
SELECT metric, baseline FROM ltv.train('named', 'book', 'cox', 'months', 'gone', features => ARRAY['price'], holdout => '{"by": "customer_id", "fraction": 0.3}') ORDER BY metric;
SELECT metric, baseline FROM ltv.train('named', 'book', 'cox', 'months', 'gone', features => ARRAY['price']) ORDER BY metric;
SELECT metric, baseline FROM ltv.train('named', 'book', 'linear', target => 'price', features => ARRAY['months'], holdout => '{"by": "customer_id", "fraction": 0.3}') ORDER BY metric;
SELECT metric, baseline FROM ltv.train('named', 'book', 'renewal', event => 'gone', features => ARRAY['price'], holdout => '{"by": "customer_id", "fraction": 0.3}') ORDER BY metric;
SELECT v.version, m ->> 'metric' AS metric, m ->> 'baseline' AS baseline FROM ltv.model_versions v, jsonb_array_elements(v.metrics) m WHERE v.model = 'named' AND v.version IN (1, 4) ORDER BY 1, 2;
SELECT count(*) AS nothing_bad FROM ltv.model_versions WHERE model = 'bad';
