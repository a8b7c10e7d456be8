-- Features that know the outcome: numbers, booleans, categories and that something is NULL, each judged alone.
SET max_parallel_workers_per_gather = 0;

-- 3000 customers: an exponential time to churn with mean 10 months, watched for 6 to 30 months; numbers by a sequence that
-- fills the unit interval evenly, so that everybody gets the same.
CREATE TABLE crm AS
WITH u AS (
    SELECT i, ((i * 0.6180339887498949) % 1)::float8 AS a, ((i * 0.7548776662466927) % 1)::float8 AS b, ((i * 0.5698402909980532) % 1)::float8 AS c, ((i * 0.8191725133961645) % 1)::float8 AS d FROM generate_series(1, 3000) AS i
), t AS (SELECT *, -10 * ln(1 - a) AS life, 6 + 24 * b AS watched FROM u)
SELECT i, greatest(round(least(life, watched)::numeric, 4), 0.001) AS months, life <= watched AS churned,
       CASE WHEN (life <= watched) = (c < 0.95) THEN 'lost' ELSE (ARRAY['open', 'won', 'trial'])[1 + (d * 3)::int % 3] END AS crm_stage,
       (life <= watched) = (c < 0.95) AS lost,
       CASE WHEN life <= watched AND c < 0.95 THEN 1 + d END AS exit_score,
       CASE WHEN life <= watched AND c < 0.95 THEN 'price' END AS reason,
       round((40 + 60 * d)::numeric, 2) AS price,
       (ARRAY['basic', 'plus', 'pro'])[1 + floor(3 * d)::int] AS plan,
       'dealer ' || i % 150 AS dealer,
       floor(c * 4) = 0 AS newsletter
FROM t;
SELECT count(*), count(*) FILTER (WHERE churned) AS churners, round(avg(lost::int) FILTER (WHERE churned), 3) AS lost_of_churners, round(avg(lost::int) FILTER (WHERE NOT churned), 3) AS lost_of_others FROM crm;

-- The flag of 95 % of the churners and 5 % of the rest, as text and as a boolean; 150 small levels and honest features say nothing.
SELECT column_name, round(value::numeric, 3) AS concordance, verdict, detail
FROM ltv.train_plan('leaky', 'crm', 'cox', 'months', 'churned', features => ARRAY['crm_stage', 'lost', 'price', 'plan', 'dealer', 'newsletter'], holdout => '{"by": "i", "fraction": 0.2}') WHERE item = 'feature' ORDER BY column_name;
SELECT unnest(warnings) AS warning FROM (SELECT warnings FROM ltv.train('leaky', 'crm', 'cox', 'months', 'churned', features => ARRAY['crm_stage', 'price', 'dealer'], holdout => '{"by": "i", "fraction": 0.2}') LIMIT 1) t;
SELECT unnest(warnings) AS warning FROM (SELECT warnings FROM ltv.train('leaky', 'crm', 'weibull', 'months', 'churned', features => ARRAY['lost', 'plan'], holdout => '{"by": "i", "fraction": 0.2}') LIMIT 1) t;

-- The AUC of the flag is (0.95 + 0.95) / 2, by hand among the rows whose outcome is known: a churner beside those who were seen for longer and did not churn.
SELECT round(avg(CASE WHEN a.lost = b.lost THEN 0.5 WHEN a.lost THEN 1 ELSE 0 END), 3) AS auc FROM crm a JOIN crm b ON a.churned AND NOT b.churned AND b.months >= a.months;

-- That it is NULL tells: a reason, or a score, that only those who left have.
SELECT column_name, verdict, detail FROM ltv.train_plan('leaky', 'crm', 'boosted_hazard', 'months', 'churned', features => ARRAY['exit_score', 'reason'], null_policy => 'learn') WHERE item = 'feature' ORDER BY column_name;
SELECT column_name, verdict, detail FROM ltv.train_plan('leaky', 'crm', 'cox', 'months', 'churned', features => ARRAY['exit_score', 'reason'], null_policy => 'indicator') WHERE item = 'feature' ORDER BY column_name;
SELECT unnest(warnings) AS warning FROM (SELECT warnings FROM ltv.train('leaky', 'crm', 'cox', 'months', 'churned', features => ARRAY['exit_score', 'price'], null_policy => 'indicator') LIMIT 1) t;

-- Long follow-up alone is no leak. The same risk for all, who were watched for up to ten years or, half of them, for up to two
-- months: nearly all of those watched for longer have churned, few of the others, so that the day of signing tells who
-- churned, but not who churns sooner. By hand the AUC of the flag, and beside those seen for longer.
CREATE TABLE cohorts AS
WITH u AS (SELECT i, ((i * 0.6180339887498949) % 1)::float8 AS a, ((i * 0.7548776662466927) % 1)::float8 AS b FROM generate_series(1, 3000) AS i),
t AS (SELECT 'half of them new' AS kind, i, -5 * ln(1 - a) AS life, CASE WHEN b < 0.5 THEN 4 * b ELSE 2 + 236 * (b - 0.5) END AS watched FROM u UNION ALL SELECT 'all of them evenly', i, -3 * ln(1 - a), 120 * b FROM u)
SELECT kind, i, greatest(least(life, watched), 0.001) AS months, life <= watched AS churned, 120 - watched AS signed_month, floor(watched / 5)::int::text AS cohort, watched > 12 AS early FROM t;
CREATE VIEW half AS SELECT * FROM cohorts WHERE kind = 'half of them new';
CREATE VIEW evenly AS SELECT * FROM cohorts WHERE kind = 'all of them evenly';
SELECT kind, round(avg((a.signed_month < b.signed_month)::int), 3) AS auc_of_the_flag, round(avg((a.signed_month < b.signed_month)::int) FILTER (WHERE b.months >= a.months), 3) AS seen_for_longer
FROM cohorts a JOIN cohorts b USING (kind) WHERE a.churned AND NOT b.churned GROUP BY kind ORDER BY kind;
SELECT column_name, round(value::numeric, 2) AS concordance, verdict, detail FROM ltv.train_plan('long', 'half', 'cox', 'months', 'churned', features => ARRAY['signed_month', 'cohort', 'early']) WHERE item = 'feature' ORDER BY column_name;
SELECT column_name, round(value::numeric, 2) AS concordance, verdict FROM ltv.train_plan('long', 'evenly', 'cox', 'months', 'churned', features => ARRAY['signed_month', 'early']) WHERE item = 'feature' ORDER BY column_name;
SELECT warnings FROM ltv.train('long', 'half', 'cox', 'months', 'churned', features => ARRAY['signed_month', 'early'], holdout => '{"by": "i", "fraction": 0.2}', horizon => 1) ORDER BY metric LIMIT 1;

-- Decisions: a row is one, so the AUC is all there is.
CREATE TABLE decisions AS SELECT i, NOT churned AS renewed, price, crm_stage, lost FROM crm;
SELECT column_name, round(value::numeric, 3) AS concordance, verdict FROM ltv.train_plan('decided', 'decisions', 'renewal', event => 'renewed', features => ARRAY['price', 'crm_stage', 'lost']) WHERE item = 'feature' ORDER BY column_name;

-- Too few to tell.
SELECT column_name, verdict, detail FROM ltv.train_plan('few', (SELECT 'crm'::regclass), 'cox', 'months', 'churned', features => ARRAY['lost'], holdout => '{"by": "i", "fraction": 0.997}') WHERE item = 'feature';

-- More rows than are looked at: a sample of them says the same.
CREATE TABLE many AS SELECT c.*, n FROM crm c, generate_series(1, 10) AS n;
UPDATE many SET months = months + n / 1000.0;
SELECT column_name, round(value::numeric, 2) AS concordance, verdict FROM ltv.train_plan('many', 'many', 'cox', 'months', 'churned', features => ARRAY['crm_stage', 'lost', 'price', 'dealer']) WHERE item = 'feature' ORDER BY column_name;

-- Amounts: what a customer spends, by price and quantity, which alone leave open what the other says; and what was booked with it.
CREATE TABLE spending AS
WITH u AS (SELECT i, ((i * 0.6180339887498949) % 1)::float8 AS a, ((i * 0.7548776662466927) % 1)::float8 AS b, ((i * 0.5698402909980532) % 1)::float8 AS c, ((i * 0.8191725133961645) % 1)::float8 AS d FROM generate_series(1, 3000) AS i),
s AS (SELECT *, round((100 * exp(1.5 * a + b))::numeric, 2) AS spent FROM u)
SELECT i, spent, round((20 + 80 * a)::numeric, 2) AS price, floor(20 * b)::int AS seats, spent * 1.2 + round((c * 3)::numeric, 2) AS invoiced, round(ln(spent) + c::numeric / 1000, 6) AS score, -spent AS credit,
       CASE WHEN c < 0.5 THEN spent * 0.9 END AS paid, 'band ' || width_bucket(spent::float8, 100, 1300, 60) AS band, (ARRAY['basic', 'plus', 'pro'])[1 + floor(3 * a)::int] AS plan, 'dealer ' || i % 150 AS dealer, spent > 500 AS is_large,
       date '2024-01-01' + i % 300 AS booked_on
FROM s;
SELECT column_name, round(value::numeric, 3) AS rank_correlation, verdict, detail FROM ltv.train_plan('spent', 'spending', 'gamma', target => 'spent', features => '{price,seats,invoiced,score,credit,band,plan,dealer,is_large}') WHERE item = 'feature' ORDER BY column_name;
-- By hand: Spearman's correlation is Pearson's of the ranks.
SELECT round(corr(a, b)::numeric, 3) AS price, round(corr(c, b)::numeric, 3) AS seats FROM (SELECT rank() OVER (ORDER BY price) + (count(*) OVER (PARTITION BY price) - 1) / 2.0 AS a, rank() OVER (ORDER BY spent) + (count(*) OVER (PARTITION BY spent) - 1) / 2.0 AS b,
    rank() OVER (ORDER BY seats) + (count(*) OVER (PARTITION BY seats) - 1) / 2.0 AS c FROM spending) r;
SELECT a.name, unnest(t.warnings) AS warning FROM (VALUES (1, 'linear'), (2, 'tweedie'), (3, 'boosted_value')) a (place, name), LATERAL (SELECT warnings FROM ltv.train('spent by ' || a.name, 'spending', a.name, target => 'spent', features => '{price,plan,invoiced}', holdout => '{"by": "i", "fraction": 0.2}') LIMIT 1) t ORDER BY a.place, warning;
SELECT warnings FROM ltv.train('spent', 'spending', 'gamma', target => 'spent', features => '{price,seats,plan,dealer}', holdout => '{"by": "i", "fraction": 0.2}') ORDER BY metric LIMIT 1;
-- A straight line that explains the amounts, though many small ones are in no order; that it is NULL; too few to tell; amounts that are all the same.
CREATE TABLE odd AS SELECT i, CASE WHEN i % 20 = 0 THEN 1000.0 + i ELSE i % 7 END AS spent, CASE WHEN i % 20 = 0 THEN 1000.0 + i ELSE i % 5 END AS booked, CASE WHEN i % 2 = 0 THEN 1 END AS halved, CASE WHEN i % 2 = 0 THEN 9 ELSE 2 END AS two, 5 AS five, i % 3 AS third FROM generate_series(1, 400) AS i;
SELECT column_name, verdict, detail FROM ltv.train_plan('odd', 'odd', 'linear', target => 'spent', features => '{booked,third}') WHERE item = 'feature' ORDER BY column_name;
SELECT column_name, verdict, detail FROM ltv.train_plan('odd', 'odd', 'linear', target => 'two', features => '{halved,third}', null_policy => 'indicator') WHERE item = 'feature' ORDER BY column_name;
SELECT column_name, value, verdict, detail FROM ltv.train_plan('odd', 'odd', 'linear', target => 'five', features => '{third}') WHERE item = 'feature' ORDER BY column_name;
SELECT column_name, value, verdict, detail FROM ltv.train_plan('odd', 'odd', 'linear', target => 'spent', features => '{booked}', holdout => '{"by": "i", "fraction": 0.97}') WHERE item = 'feature';
-- Rows that were known only later are refused for amounts too.
SELECT item, column_name, n, verdict FROM ltv.train_plan('odd', 'spending', 'linear', target => 'spent', features => '{price}', as_of => '2024-06-30', known_on => 'booked_on') WHERE item = 'known later';
SELECT ltv.train('odd', 'spending', 'linear', target => 'spent', features => '{price}', as_of => '2024-06-30', known_on => 'booked_on');
