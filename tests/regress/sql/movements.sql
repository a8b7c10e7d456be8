-- Movements of recurring revenue: worked by hand, against an independent reckoning on random timelines, and against published data.
\set ECHO none
\cd :data
CREATE TABLE subscriptions (subscription_id text, account_id text, start_date date, end_date date, plan_tier text, seats int, mrr_amount numeric, arr_amount numeric,
    is_trial boolean, upgrade_flag boolean, downgrade_flag boolean, churn_flag boolean, billing_frequency text, auto_renew_flag boolean);
\copy subscriptions from 'ravenstack/subscriptions.csv' with (format csv, header)
\set gold `cat ../golden/ravenstack_mrr.json`
\set ECHO all
-- By hand. Acme buys 10 seats at 100 on 2024-01-15, 15 from 10 March, pays 120 a seat from 1 June (1500 -> 1800), adds an API for 300 in July and drops it in September.
-- Bolt pays 500 from February, leaves at the end of April, comes back in August for 400. Core, of the same parent as Acme, is on trial in March and buys in April. Dune never
-- lives to a month's end. Echo signs on 20 May what goes live on 1 August, gives notice on 10 October and leaves at the end of November.
CREATE TABLE deals (account_id text, parent_account_id text, contract_id text, line_id text, product text, valid_from date, valid_to date, state text, mrr numeric, quantity numeric,
    currency text, start_event text, end_event text, known_at timestamptz, end_known_at timestamptz, superseded_at timestamptz);
INSERT INTO deals VALUES
    ('acme', 'group', 'c1', 'l1', 'seats', '2024-01-15', '2024-03-10', 'active', 1000, 10, 'EUR', 'new', 'upgrade', '2024-01-10', '2024-03-01', NULL),
    ('acme', 'group', 'c1', 'l1', 'seats', '2024-03-10', '2024-06-01', 'active', 1500, 15, 'EUR', 'upgrade', 'price_change', '2024-03-01', '2024-05-02', NULL),
    ('acme', 'group', 'c1', 'l1', 'seats', '2024-06-01', NULL, 'active', 1800, 15, 'EUR', 'price_change', NULL, '2024-05-02', NULL, NULL),
    ('acme', 'group', 'c1', 'l2', 'api', '2024-07-01', '2024-09-01', 'past_due', 300, NULL, 'EUR', 'new', 'cancel', '2024-07-01', '2024-09-01', NULL),
    ('bolt', NULL, 'c2', 'l3', 'seats', '2024-02-01', '2024-05-01', 'active', 500, 5, 'EUR', 'new', 'cancel', '2024-02-01', '2024-05-01', NULL),
    ('bolt', NULL, 'c3', 'l4', 'seats', '2024-08-15', NULL, 'active', 400, 4, 'EUR', 'new', NULL, '2024-08-15', NULL, NULL),
    ('core', 'group', 'c4', 'l5', 'api', '2024-03-01', '2024-04-01', 'trial', 200, 1, 'EUR', 'new', NULL, '2024-03-01', '2024-04-01', NULL),
    ('core', 'group', 'c4', 'l5', 'api', '2024-04-01', NULL, 'active', 200, 1, 'EUR', 'new', NULL, '2024-04-20', NULL, NULL),
    ('core', 'group', 'c4', 'l5', 'api', '2024-04-01', NULL, 'active', 999, 1, 'EUR', 'new', NULL, '2024-04-01', NULL, '2024-04-20'),
    ('dune', NULL, 'c5', 'l6', 'api', '2024-05-03', '2024-05-28', 'active', 700, 1, 'EUR', 'new', 'cancel', '2024-05-03', '2024-05-28', NULL),
    ('echo', NULL, 'c6', 'l7', 'seats', '2024-08-01', '2024-12-01', 'active', 600, 6, 'EUR', 'new', 'non_renewal', '2024-05-20', '2024-10-10', NULL);
SELECT month, opening, new, expansion AS up, contraction AS down, churn, reactivation AS back, fx, closing, carr, price, reporting_currency AS unit
FROM ltv.arr_movements('deals', '2024-01-01', '2024-12-31', measure => 'mrr', price_split => true);
SELECT month, n_opening, n_new, n_expanded, n_contracted, n_churned, n_reactivated, n_closing FROM ltv.arr_movements('deals', '2024-01-01', '2024-12-31');
-- ARR is twelve months of it.
SELECT month, opening, churn, closing, carr FROM ltv.arr_movements('deals', '2024-05-31', '2024-05-01');
-- Behind the figures: who moved in the year's second half, and what is signed or under notice.
SELECT * FROM ltv.arr_movement_rows('deals', '2024-06-01', '2024-12-01', measure => 'mrr', price_split => true) ORDER BY month, entity_id;
SELECT * FROM ltv.carr_rows('deals', '2024-05-01', '2024-12-01', measure => 'mrr');
-- The grain decides what is churn: the API that Acme drops in September, Core's purchase within the group, Bolt's return under another contract.
SELECT grain, m.month, m.n_new, m.n_churned, m.n_reactivated, m.new, m.expansion, m.contraction, m.churn, m.reactivation
FROM unnest('{parent,account,contract,line,product}'::text[]) WITH ORDINALITY AS g (grain, place), LATERAL ltv.arr_movements('deals', '2024-04-01', '2024-09-30', grain, measure => 'mrr') m
WHERE m.month IN ('2024-04-01', '2024-08-01', '2024-09-01') ORDER BY place, month;
-- By a column of the timeline: amounts add up over segments; a product that a live account drops is contraction.
SELECT month, segment, opening, new, expansion, contraction, churn, reactivation, closing, n_closing FROM ltv.arr_movements('deals', '2024-07-01', '2024-09-30', by => 'product', measure => 'mrr');
-- By a column of another relation, keyed by account.
CREATE TABLE accounts (account_id text PRIMARY KEY, size text);
INSERT INTO accounts VALUES ('acme', 'large'), ('bolt', 'small'), ('core', 'small'), ('dune', 'small');
SELECT month, segment, opening, new, expansion, contraction, churn, reactivation, closing FROM ltv.arr_movements('deals', '2024-08-01', '2024-08-31', by => 'size', segments => 'accounts', measure => 'mrr');
-- As it was known: until 20 April Core was down for 999; June's price is known from 2 May, Echo from the 20th; until they left, Bolt and Dune were there to stay.
SELECT as_of, month, expansion, new, closing, carr FROM unnest('{2024-04-19,2024-04-20,2024-05-15,2024-05-20}'::date[]) AS as_of,
       LATERAL ltv.arr_movements('deals', '2024-04-01', '2024-06-30', as_of => as_of, measure => 'mrr') ORDER BY as_of, month;
-- Currencies. 1000 USD and 100 EUR from January, 200 USD more in March; a dollar is 0.90, 0.80 from February, 0.85 from March.
CREATE TABLE fx (currency text, valid_from date, valid_to date, rate numeric);
INSERT INTO fx VALUES ('EUR', '2020-01-01', NULL, 1), ('USD', '2020-01-01', '2024-02-01', 0.90), ('USD', '2024-02-01', '2024-03-01', 0.80), ('USD', '2024-03-01', NULL, 0.85);
CREATE TABLE abroad (account_id text, contract_id text, line_id text, valid_from date, valid_to date, state text, mrr numeric, currency text);
INSERT INTO abroad VALUES ('a', 'c1', 'l1', '2024-01-10', NULL, 'active', 1000, 'USD'), ('a', 'c1', 'l2', '2024-03-05', '2024-04-05', 'active', 200, 'USD'), ('b', 'c2', 'l3', '2024-01-10', '2024-04-05', 'active', 100, 'EUR');
SELECT month, opening, new, expansion, contraction, churn, fx, closing FROM ltv.arr_movements('abroad', '2024-01-01', '2024-04-30', rates => 'fx', currency => 'EUR', measure => 'mrr');
SELECT month, entity_id, kind, opening, amount, closing FROM ltv.arr_movement_rows('abroad', '2024-02-01', '2024-04-30', rates => 'fx', currency => 'EUR', measure => 'mrr') ORDER BY month, entity_id, kind DESC;
-- At constant rates there is no fx; in dollars it is the euro that moves.
SELECT month, opening, new, expansion, contraction, churn, fx, closing FROM ltv.arr_movements('abroad', '2024-01-01', '2024-04-30', rates => 'fx', currency => 'EUR', fx_asof => '2024-01-31', measure => 'mrr');
SELECT month, opening, fx, round(closing, 6) AS closing FROM ltv.arr_movements('abroad', '2024-02-01', '2024-03-31', rates => 'fx', currency => 'USD', measure => 'mrr');

-- RavenStack: 5,000 subscriptions of 500 accounts, reckoned month by month in tests/golden/ravenstack_mrr.json.
CREATE VIEW ravenstack AS SELECT account_id, subscription_id AS contract_id, subscription_id AS line_id, start_date AS valid_from, end_date AS valid_to, 'active' AS state, mrr_amount AS mrr,
    'USD' AS currency FROM subscriptions;
SELECT count(*) AS months, count(*) FILTER (WHERE m.closing = (g->>'mrr')::numeric) AS equal, count(*) FILTER (WHERE m.n_closing = c.paying) AS equal_accounts,
       count(*) FILTER (WHERE opening + new + expansion + contraction + churn + reactivation + fx = closing) AS balanced
FROM jsonb_array_elements(:'gold'::jsonb->'rows') AS g
JOIN ltv.arr_movements('ravenstack', '2023-01-01', '2024-12-31', measure => 'mrr') m ON m.month = date_trunc('month', (g->>'month_end')::date),
LATERAL (SELECT count(DISTINCT account_id) AS paying FROM subscriptions WHERE mrr_amount > 0 AND start_date <= (g->>'month_end')::date AND (end_date IS NULL OR end_date > (g->>'month_end')::date)) c;

-- Random books in three currencies whose rates move every month, reckoned the slow way: every entity on every month's end.
CREATE TABLE random_fx AS SELECT code AS currency, d::date AS valid_from, (d + interval '1 month')::date AS valid_to, CASE code WHEN 'EUR' THEN 1 ELSE round((0.5 + (hashtext(code || d) & 1023) / 1000.0)::numeric, 4) END AS rate
FROM unnest('{EUR,USD,JPY}'::text[]) AS code, generate_series(timestamp '2021-01-01', '2024-06-01', interval '1 month') AS d;
CREATE TABLE random AS
SELECT 'a' || h[1] % 40 AS account_id, 'p' || h[1] % 40 / 3 AS parent_account_id, 'c' || h[1] % 70 AS contract_id, 'l' || i AS line_id, 'x' || h[2] % 3 AS product,
       date '2021-06-01' + h[3] % 800 AS valid_from, CASE WHEN h[4] % 4 > 0 THEN date '2021-06-01' + h[3] % 800 + 1 + h[5] % 400 END AS valid_to,
       (ARRAY['active', 'active', 'past_due', 'paused', 'trial'])[1 + h[6] % 5] AS state, (h[7] % 10000) / 100.0 AS mrr, (ARRAY['EUR', 'USD', 'JPY'])[1 + h[8] % 3] AS currency
FROM generate_series(1, 400) AS i, LATERAL (SELECT array_agg((hashint8extended(i, k) & 1073741823)::integer ORDER BY k) AS h FROM generate_series(1, 8) AS k) AS x;
CREATE VIEW slow AS
WITH entity AS (
    SELECT g.grain, line.*, CASE g.grain WHEN 'account' THEN account_id WHEN 'parent' THEN parent_account_id WHEN 'contract' THEN contract_id WHEN 'line' THEN line_id ELSE account_id || ' / ' || product END AS entity_id
    FROM random line, unnest('{account,parent,contract,line,product}'::text[]) AS g (grain) WHERE state IN ('active', 'past_due')
), month AS (
    SELECT d::date AS month, (d + interval '1 month')::date - 1 AS last, d::date - 1 AS before FROM generate_series(timestamp '2021-06-01', '2024-03-01', interval '1 month') AS d
), book AS (
    SELECT grain, entity_id, month, sum(mrr * now.rate) FILTER (WHERE entity.valid_from <= last AND (entity.valid_to IS NULL OR entity.valid_to > last)) AS closing,
           sum(mrr * prior.rate) FILTER (WHERE entity.valid_from <= last AND (entity.valid_to IS NULL OR entity.valid_to > last)) AS constant,
           sum(mrr * prior.rate) FILTER (WHERE entity.valid_from <= before AND (entity.valid_to IS NULL OR entity.valid_to > before)) AS opening
    FROM entity CROSS JOIN month
    JOIN random_fx now ON now.currency = entity.currency AND now.valid_from = month
    JOIN random_fx prior ON prior.currency = entity.currency AND prior.valid_to = month
    GROUP BY grain, entity_id, month
), told AS (
    SELECT grain, entity_id, month, coalesce(opening, 0) AS opening, coalesce(closing, 0) AS closing, coalesce(constant, 0) - coalesce(opening, 0) AS moved,
           coalesce(closing, 0) - coalesce(constant, 0) AS fx, bool_or(closing > 0) OVER (PARTITION BY grain, entity_id ORDER BY month ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS lived
    FROM book
)
SELECT *, CASE WHEN opening = 0 AND closing > 0 THEN CASE WHEN lived THEN 'reactivation' ELSE 'new' END WHEN opening > 0 AND closing = 0 THEN 'churn' WHEN moved > 0 THEN 'expansion' ELSE 'contraction' END AS kind FROM told;
WITH slowly AS (
    SELECT grain, month, sum(opening) AS opening, sum(closing) AS closing, coalesce(sum(moved) FILTER (WHERE kind = 'new'), 0) AS new, coalesce(sum(moved) FILTER (WHERE kind = 'expansion'), 0) AS expansion,
           coalesce(sum(moved) FILTER (WHERE kind = 'contraction'), 0) AS contraction, coalesce(sum(moved) FILTER (WHERE kind = 'churn'), 0) AS churn,
           coalesce(sum(moved) FILTER (WHERE kind = 'reactivation'), 0) AS reactivation, sum(fx) AS fx, count(*) FILTER (WHERE moved <> 0 AND kind = 'new') AS n_new, count(*) FILTER (WHERE moved <> 0 AND kind = 'expansion') AS n_expanded,
           count(*) FILTER (WHERE moved <> 0 AND kind = 'contraction') AS n_contracted, count(*) FILTER (WHERE moved <> 0 AND kind = 'churn') AS n_churned, count(*) FILTER (WHERE moved <> 0 AND kind = 'reactivation') AS n_reactivated,
           count(*) FILTER (WHERE opening > 0) AS n_opening, count(*) FILTER (WHERE closing > 0) AS n_closing
    FROM slow GROUP BY grain, month
)
SELECT g.grain, count(*) AS months, count(*) FILTER (WHERE (round(s.opening, 2), round(s.opening + s.new, 2), round(s.opening + s.new + s.expansion, 2), round(s.opening + s.new + s.expansion + s.contraction, 2),
              round(s.closing - s.fx - s.reactivation, 2), round(s.closing - s.fx, 2), round(s.closing, 2), s.n_opening, s.n_new, s.n_expanded, s.n_contracted, s.n_churned, s.n_reactivated, s.n_closing)
           = (m.opening, m.opening + m.new, m.opening + m.new + m.expansion, m.opening + m.new + m.expansion + m.contraction,
              m.closing - m.fx - m.reactivation, m.closing - m.fx, m.closing, m.n_opening, m.n_new, m.n_expanded, m.n_contracted, m.n_churned, m.n_reactivated, m.n_closing)) AS equal,
       count(*) FILTER (WHERE m.opening + m.new + m.expansion + m.contraction + m.churn + m.reactivation + m.fx = m.closing) AS balanced,
       count(*) FILTER (WHERE m.fx <> 0) AS with_fx, sum(m.n_churned) AS churned, sum(m.n_reactivated) AS reactivated
FROM unnest('{account,parent,contract,line,product}'::text[]) WITH ORDINALITY AS g (grain, place)
CROSS JOIN LATERAL ltv.arr_movements('random', '2021-06-01', '2024-03-31', g.grain, rates => 'random_fx', currency => 'EUR', measure => 'mrr') m
JOIN slowly s ON s.grain = g.grain AND s.month = m.month GROUP BY g.place, g.grain ORDER BY g.place;
-- Rows agree with it too, and open and close where their month does; a window that begins later says the same of its months.
SELECT g.grain, count(*) AS rows, count(*) FILTER (WHERE r.opening + r.amount = r.closing) AS balanced,
       count(*) FILTER (WHERE r.amount = CASE r.kind WHEN 'fx' THEN s.fx ELSE s.moved END AND (r.kind = s.kind OR r.kind = 'fx') AND r.opening = CASE r.kind WHEN 'fx' THEN s.closing - s.fx ELSE s.opening END) AS equal
FROM unnest('{account,parent,contract,line,product}'::text[]) WITH ORDINALITY AS g (grain, place)
CROSS JOIN LATERAL ltv.arr_movement_rows('random', '2022-09-01', '2024-03-31', g.grain, rates => 'random_fx', currency => 'EUR', measure => 'mrr') r
JOIN slow s ON s.grain = g.grain AND s.month = r.month AND s.entity_id = r.entity_id WHERE r.kind <> 'opening' GROUP BY g.place, g.grain ORDER BY g.place;
SELECT (SELECT count(*) FROM slow WHERE grain = 'account' AND month >= '2022-09-01' AND moved <> 0) + (SELECT count(*) FROM slow WHERE grain = 'account' AND month >= '2022-09-01' AND fx <> 0) AS rows,
       (SELECT sum(opening) FROM slow WHERE grain = 'account' AND month = '2022-09-01') = (SELECT sum(amount) FROM ltv.arr_movement_rows('random', '2022-09-01', '2022-09-01', rates => 'random_fx', currency => 'EUR', measure => 'mrr') WHERE kind = 'opening') AS opening;
-- Segments add up to the whole: what is there, what is new, gone and back, what the rates did, and expansion and contraction together.
SELECT count(*) AS months, count(*) FILTER (WHERE (s.opening, s.new, s.churn, s.reactivation, s.fx, s.closing, s.both) = (m.opening, m.new, m.churn, m.reactivation, m.fx, m.closing, m.expansion + m.contraction)) AS equal
FROM ltv.arr_movements('random', '2021-06-01', '2024-03-31', rates => 'random_fx', currency => 'EUR', rounded => false) m
JOIN (SELECT month, sum(opening) AS opening, sum(new) AS new, sum(churn) AS churn, sum(reactivation) AS reactivation, sum(fx) AS fx, sum(closing) AS closing, sum(expansion + contraction) AS both
      FROM ltv.arr_movements('random', '2021-06-01', '2024-03-31', by => 'product', rates => 'random_fx', currency => 'EUR', rounded => false)
      WHERE opening + new + expansion + contraction + churn + reactivation + fx = closing GROUP BY month) s USING (month);
-- What is not known yet changes nothing: rows and ends known after a day are not there on it.
CREATE VIEW known AS SELECT *, (valid_from - 20)::timestamptz AS known_at, (valid_to - 10)::timestamptz AS end_known_at FROM random;
CREATE VIEW known_then AS SELECT account_id, contract_id, line_id, product, valid_from, CASE WHEN end_known_at < '2022-12-16' THEN valid_to END AS valid_to, state, mrr, currency, known_at,
    CASE WHEN end_known_at < '2022-12-16' THEN end_known_at END AS end_known_at FROM known WHERE known_at < '2022-12-16';
SELECT count(*) AS months, count(*) FILTER (WHERE n = t AND n <> l) AS equal FROM
    (SELECT month, n::text AS n FROM ltv.arr_movements('known', '2022-01-01', '2023-12-31', rates => 'random_fx', currency => 'EUR', as_of => '2022-12-15') n) n
    JOIN (SELECT month, t::text AS t FROM ltv.arr_movements('known_then', '2022-01-01', '2023-12-31', rates => 'random_fx', currency => 'EUR') t) t USING (month)
    JOIN (SELECT month, l::text AS l FROM ltv.arr_movements('known', '2022-01-01', '2023-12-31', rates => 'random_fx', currency => 'EUR') l) l USING (month) WHERE month >= '2022-12-01';
-- Nothing at all is zero in every month.
CREATE VIEW nothing AS SELECT * FROM random WHERE false;
SELECT month, opening, new, closing, carr, n_closing, reporting_currency FROM ltv.arr_movements('nothing', '2024-01-01', '2024-02-01');
SELECT count(*) FROM ltv.arr_movements('nothing', '2024-01-01', '2024-02-01', by => 'product');
-- Errors say what to do.
SELECT * FROM ltv.arr_movements('abroad', '2024-01-01', '2024-02-01');
SELECT * FROM ltv.arr_movements('abroad', '2024-01-01', '2024-02-01', rates => 'fx');
SELECT * FROM ltv.arr_movements('deals', '2024-01-01', '2024-02-01', currency => 'USD');
SELECT * FROM ltv.arr_movements('abroad', '2024-01-01', '2024-02-01', rates => 'fx', currency => 'CHF');
SELECT * FROM ltv.arr_movements('abroad', '2019-01-01', '2024-02-01', rates => 'fx', currency => 'EUR', fx_asof => '2019-12-31');
SELECT * FROM ltv.arr_movements('abroad', '2024-01-01', '2024-02-01', rates => 'accounts', currency => 'EUR');
-- Rates without an end hold until the next one.
CREATE VIEW fx_until_next AS SELECT currency, valid_from, rate::float8 AS rate FROM fx;
SELECT count(*), count(*) FILTER (WHERE a IS NOT DISTINCT FROM b) AS the_same
FROM ltv.arr_movements('abroad', '2024-01-01', '2024-12-31', rates => 'fx', currency => 'EUR') a FULL JOIN ltv.arr_movements('abroad', '2024-01-01', '2024-12-31', rates => 'fx_until_next', currency => 'EUR') b USING (month);
CREATE VIEW free_dollars AS SELECT currency, valid_from, valid_to, rate * 0 AS rate FROM fx;
SELECT * FROM ltv.arr_movements('abroad', '2024-01-01', '2024-02-01', rates => 'free_dollars', currency => 'EUR');
SELECT * FROM ltv.arr_movements('deals', '2024-02-01', '2024-01-31');
SELECT * FROM ltv.arr_movements('deals', NULL, '2024-01-31');
SELECT * FROM ltv.arr_movements('deals', '2024-01-01', 'infinity');
SELECT * FROM ltv.arr_movements('deals', '2024-01-01', '2024-02-01', grain => 'customer');
SELECT * FROM ltv.arr_movements('deals', '2024-01-01', '2024-02-01', by => 'colour');
SELECT * FROM ltv.arr_movements('deals', '2024-01-01', '2024-02-01', segments => 'accounts');
SELECT * FROM ltv.arr_movements('deals', '2024-01-01', '2024-02-01', by => 'colour', segments => 'accounts');
SELECT * FROM ltv.arr_movements('deals', '2024-01-01', '2024-02-01', by => 'state', segments => 'deals');
SELECT * FROM ltv.arr_movements('deals', '2024-01-01', '2024-02-01', by => 'rate', segments => 'fx');
SELECT * FROM ltv.arr_movements('deals', '2024-01-01', '2024-02-01', measure => 'acv');
SELECT * FROM ltv.carr_rows('deals', '2024-02-01', '2024-01-01');
SELECT * FROM ltv.arr_movements('accounts', '2024-01-01', '2024-02-01');
SELECT * FROM ltv.arr_movements(NULL, '2024-01-01', '2024-02-01');
