-- Retention from one day to another and by cohort, renewal rates by due date, value to date: worked by hand and against an independent reckoning.

-- By hand, 2024-10-31 to 2025-10-31. A 1000 -> 1200; B 500 -> 300; C 400 and gone; D 300, ten days without between two terms; E 200, gone for four months and back for 250; F new.
-- Opening 2400. Net: 1200 + 300 + 300 = 1800, 0.75; gross 1000 + 300 + 300 = 1600, 0.666667; logos 3 of 5. With E: 2050, 0.854167; 1800, 0.75; 4 of 5.
CREATE TABLE deals (account_id text, contract_id text, line_id text, product text, valid_from date, valid_to date, state text, mrr numeric, currency text);
INSERT INTO deals VALUES
    ('A', 'a', 'a1', 'core', '2024-03-15', '2025-03-15', 'active', 1000, 'EUR'), ('A', 'a', 'a1', 'core', '2025-03-15', NULL, 'active', 1100, 'EUR'),
    ('A', 'a', 'a2', 'api', '2025-06-01', NULL, 'active', 100, 'EUR'),
    ('B', 'b', 'b1', 'core', '2024-01-01', NULL, 'past_due', 300, 'EUR'), ('B', 'b', 'b2', 'api', '2024-01-01', '2025-01-01', 'active', 200, 'EUR'),
    ('C', 'c', 'c1', 'core', '2023-06-01', '2025-06-01', 'active', 400, 'EUR'),
    ('D', 'd', 'd1', 'core', '2024-02-01', '2025-02-01', 'active', 300, 'EUR'), ('D', 'd', 'd1', 'core', '2025-02-11', NULL, 'active', 300, 'EUR'),
    ('E', 'e', 'e1', 'core', '2024-02-10', '2025-02-10', 'active', 200, 'EUR'), ('E', 'e', 'e2', 'core', '2025-06-10', NULL, 'active', 250, 'EUR'),
    ('F', 'f', 'f1', 'core', '2025-01-01', NULL, 'active', 700, 'EUR'), ('F', 'f', 'f2', 'core', '2024-01-01', NULL, 'paused', 700, 'EUR');
SELECT * FROM ltv.retention('deals', '2025-10-31', measure => 'mrr') \gx
SELECT n_retained, n_lost, n_returned, closing, round(nrr::numeric, 6) AS nrr, grr, logo_retention FROM ltv.retention('deals', '2025-10-31', count_returned => true, measure => 'mrr');
SELECT round(ltv.nrr('deals', '2025-10-31')::numeric, 6) AS nrr, round(ltv.grr('deals', '2025-10-31')::numeric, 6) AS grr, ltv.logo_churn('deals', '2025-10-31') AS logo_churn;
-- Without grace D is gone too; a grain of lines loses B's API, a segment of products as well.
SELECT grace_days, n_lost, n_returned, opening, closing FROM unnest('{0,9,10,119,120}'::integer[]) AS grace_days, LATERAL ltv.retention('deals', '2025-10-31', grace_days => grace_days);
SELECT grain, n_opening, n_lost, opening, closing, round(grr::numeric, 6) AS grr FROM unnest('{account,contract,line}'::text[]) AS grain, LATERAL ltv.retention('deals', '2025-10-31', grain => grain);
SELECT segment, n_opening, n_lost, opening, expansion, contraction, churn, closing, round(nrr::numeric, 6) AS nrr, round(grr::numeric, 6) AS grr FROM ltv.retention('deals', '2025-10-31', by => 'product');
-- A month's end looks back to a month's end, any other day to its own number.
SELECT opened_on, closed_on FROM unnest('{2025-02-28,2024-02-29,2025-02-27,2025-03-31}'::date[]) AS day, LATERAL ltv.retention('deals', day);
SELECT opened_on, n_opening, opening, closing, nrr, grr, logo_retention, status FROM ltv.retention('deals', '2024-01-31');
SELECT count(*) FROM ltv.retention('deals', '2024-01-31', by => 'product');
-- Currencies: 1000 USD then and 1000 USD now is 100 %, though a dollar fell from 0.90 to 0.80; as reported 88.9 %.
CREATE TABLE fx (currency text, valid_from date, valid_to date, rate numeric);
INSERT INTO fx VALUES ('EUR', '2020-01-01', NULL, 1), ('USD', '2020-01-01', '2025-01-01', 0.90), ('USD', '2025-01-01', NULL, 0.80);
CREATE TABLE abroad (account_id text, contract_id text, line_id text, valid_from date, valid_to date, state text, mrr numeric, currency text);
INSERT INTO abroad VALUES ('a', 'c1', 'l1', '2024-01-10', NULL, 'active', 1000, 'USD'), ('b', 'c2', 'l2', '2024-01-10', NULL, 'active', 100, 'EUR'), ('b', 'c2', 'l3', '2025-02-10', NULL, 'active', 50, 'EUR');
SELECT opening, closing, nrr, grr, closing_reported, round(nrr_reported::numeric, 6) AS nrr_reported, round(grr_reported::numeric, 6) AS grr_reported, reporting_currency
FROM ltv.retention('abroad', '2025-10-31', rates => 'fx', currency => 'EUR', measure => 'mrr');
SELECT opening, closing, round(nrr::numeric, 6) AS nrr, nrr = nrr_reported AS same FROM ltv.retention('abroad', '2025-10-31', rates => 'fx', currency => 'EUR', fx_asof => '2025-10-31', measure => 'mrr');
SELECT ltv.nrr('abroad', '2025-10-31');

-- Cohorts by month: A in March 2024, B in January 2024, ...; the triangle ends where the day does.
SELECT cohort_start, period_no, n_at_start AS n, n_retained AS kept, mrr_at_start AS mrr, mrr_retained AS mrr_kept, round(logo_retention::numeric, 4) AS logo, round(grr::numeric, 4) AS grr, round(nrr::numeric, 4) AS nrr
FROM ltv.cohort_retention('deals', '2025-10-31', 'quarter');
SELECT cohort_start, round(nrr::numeric, 2) AS nrr, period_no FROM ltv.cohort_retention('deals', '2025-02-27', 'month') WHERE cohort_start >= '2024-01-01' \crosstabview cohort_start period_no nrr
SELECT cohort_start, period_no, n_at_start, n_retained, mrr_at_start, mrr_retained FROM ltv.cohort_retention('deals', '2025-10-31', 'year', baseline => 1);
SELECT cohort_start, max(period_no) AS periods, min(n_retained) AS fewest FROM ltv.cohort_retention('deals', '2025-10-31', 'year', period => 'month', count_returned => true) GROUP BY 1 ORDER BY 1;

-- Random books, reckoned the slow way: every account on every day, every cohort in every month.
CREATE TABLE random_fx AS SELECT code AS currency, d::date AS valid_from, (d + interval '1 month')::date AS valid_to, CASE code WHEN 'EUR' THEN 1 ELSE round((0.5 + (hashtext(code || d) & 1023) / 1000.0)::numeric, 4) END AS rate
FROM unnest('{EUR,USD,JPY}'::text[]) AS code, generate_series(timestamp '2021-01-01', '2024-06-01', interval '1 month') AS d;
CREATE TABLE random AS
SELECT 'a' || h[1] % 90 AS account_id, 'c' || i AS contract_id, 'l' || i AS line_id, 'x' || h[2] % 2 AS product,
       date '2021-06-01' + h[3] % 800 AS valid_from, CASE WHEN h[4] % 4 > 0 THEN date '2021-06-01' + h[3] % 800 + 1 + h[5] % 400 END AS valid_to,
       (ARRAY['active', 'active', 'past_due', 'paused', 'trial'])[1 + h[6] % 5] AS state, (h[7] % 10000) / 100.0 AS mrr, (ARRAY['EUR', 'USD', 'JPY'])[1 + h[8] % 3] AS currency
FROM generate_series(1, 300) AS i, LATERAL (SELECT array_agg((hashint8extended(i, k) & 1073741823)::integer ORDER BY k) AS h FROM generate_series(1, 8) AS k) AS x;
CREATE VIEW counted AS SELECT * FROM random WHERE state IN ('active', 'past_due');
CREATE FUNCTION slow_retention(by_product boolean, opened date, closed date) RETURNS TABLE (segment text, n bigint, kept bigint, opening numeric, closing numeric, capped numeric, reported numeric) LANGUAGE sql AS $$
    WITH day AS (SELECT d::date AS d FROM generate_series(opened::timestamp, closed, interval '1 day') AS d),
    live AS (SELECT DISTINCT account_id, d FROM counted JOIN day ON valid_from <= d AND (valid_to IS NULL OR valid_to > d)),
    back AS (SELECT DISTINCT account_id FROM (SELECT account_id, d - lag(d) OVER (PARTITION BY account_id ORDER BY d) - 1 AS days_without FROM live) x WHERE days_without > 30),
    book AS (
        SELECT account_id, CASE WHEN by_product THEN product END AS segment, sum(mrr * o.rate) FILTER (WHERE c.valid_from <= opened AND (c.valid_to IS NULL OR c.valid_to > opened)) AS opening,
               coalesce(sum(mrr * o.rate) FILTER (WHERE c.valid_from <= closed AND (c.valid_to IS NULL OR c.valid_to > closed)), 0) AS closing,
               coalesce(sum(mrr * e.rate) FILTER (WHERE c.valid_from <= closed AND (c.valid_to IS NULL OR c.valid_to > closed)), 0) AS reported
        FROM counted c JOIN random_fx o ON o.currency = c.currency AND o.valid_from <= opened AND o.valid_to > opened JOIN random_fx e ON e.currency = c.currency AND e.valid_from <= closed AND e.valid_to > closed
        GROUP BY 1, 2),
    cohort AS (SELECT b.segment, opening, CASE WHEN back.account_id IS NULL THEN closing ELSE 0 END AS closing, CASE WHEN back.account_id IS NULL THEN reported ELSE 0 END AS reported
               FROM book b LEFT JOIN back USING (account_id) WHERE opening > 0)
    SELECT segment, count(*), count(*) FILTER (WHERE closing > 0), sum(opening), sum(closing), sum(least(opening, closing)), sum(reported) FROM cohort GROUP BY segment
$$;
CREATE TABLE asked AS SELECT by_product, closed, months FROM unnest('{false,true}'::boolean[]) AS by_product, unnest('{2022-06-30,2022-10-15,2023-02-28,2023-11-30}'::date[]) AS closed, unnest('{3,12}'::integer[]) AS months;
CREATE TABLE quick AS SELECT a.*, r.* FROM asked a, LATERAL ltv.retention('random', closed, months, by => CASE WHEN by_product THEN 'product' END, rates => 'random_fx', currency => 'EUR', measure => 'mrr') r;
CREATE TABLE slow AS SELECT a.*, s.* FROM (SELECT DISTINCT by_product, closed, months, opened_on FROM quick) a, LATERAL slow_retention(by_product, opened_on, closed) s;
SELECT count(*) AS rows, count(*) FILTER (WHERE (r.n_opening, r.n_retained, r.opening, r.closing, r.closing_reported) = (s.n, s.kept, round(s.opening, 2), round(s.closing, 2), round(s.reported, 2))
           AND r.opening + r.expansion + r.contraction + r.churn = r.closing AND r.nrr = (s.closing / s.opening)::float8 AND r.grr = (s.capped / s.opening)::float8 AND r.logo_retention = s.kept / s.n::float8) AS equal,
       sum(r.n_lost) AS lost, sum(r.n_returned) AS returned
FROM quick r FULL JOIN slow s ON (s.by_product, s.closed, s.months) = (r.by_product, r.closed, r.months) AND coalesce(s.segment, '') = coalesce(r.segment, '');
CREATE TABLE slow_month AS SELECT m, (date '2021-01-01' + make_interval(months => m + 1))::date - 1 AS last FROM generate_series(0, 34) AS m;
CREATE TABLE slow_level AS SELECT account_id, m, last, coalesce(sum(mrr * rate) FILTER (WHERE c.valid_from <= last AND (c.valid_to IS NULL OR c.valid_to > last)), 0) AS mrr
    FROM counted c CROSS JOIN slow_month JOIN random_fx f ON f.currency = c.currency AND f.valid_from <= '2023-12-30' AND f.valid_to > '2023-12-30' GROUP BY 1, 2, 3;
CREATE TABLE slow_start AS SELECT account_id, min(m) AS joined, min(last) AS since FROM slow_level WHERE mrr > 0 GROUP BY 1;
-- A day on which nothing has run for 31 days, since the first month's end, is a day on which the account is gone.
CREATE TABLE slow_gone AS SELECT account_id, min(d) AS gone_on FROM slow_start, LATERAL (SELECT since + n AS d FROM generate_series(31, date '2023-12-30' - since) AS n) AS day
    WHERE NOT EXISTS (SELECT FROM counted c WHERE c.account_id = slow_start.account_id AND c.valid_from <= d AND (c.valid_to IS NULL OR c.valid_to > d - 30)) GROUP BY 1;
CREATE TABLE slow_kept AS SELECT l.account_id, joined, m - joined AS age, CASE WHEN gone_on IS NULL OR last < gone_on THEN l.mrr ELSE 0 END AS mrr
    FROM slow_level l JOIN slow_start USING (account_id) LEFT JOIN slow_gone USING (account_id) WHERE m >= joined;
CREATE FUNCTION slow_cohorts(months integer, step integer, base_at integer) RETURNS TABLE (cohort integer, look integer, n bigint, kept bigint, mrr numeric, mrr_kept numeric, capped numeric) LANGUAGE sql AS $$
    SELECT joined / months, (age - base_at) / step, count(*), count(*) FILTER (WHERE mrr > 0), sum(base), sum(mrr), sum(least(mrr, base))
    FROM (SELECT k.*, b.mrr AS base FROM slow_kept k JOIN slow_kept b USING (account_id) WHERE b.age = base_at AND b.mrr > 0) based
    WHERE age >= base_at AND (age - base_at) % step = 0 AND (joined / months * months + months - 1) + age <= 34 GROUP BY 1, 2
$$;
CREATE TABLE settings AS SELECT * FROM (VALUES ('month', 'month', 0, 1, 1), ('month', 'month', 1, 1, 1), ('quarter', 'quarter', 0, 3, 3), ('quarter', 'month', 0, 3, 1), ('year', 'quarter', 1, 12, 3))
    AS s (cohort, step, baseline, months, step_months);
CREATE TABLE slowly AS SELECT s.cohort, s.step, s.baseline, (date '2021-01-01' + make_interval(months => w.cohort * s.months))::date AS cohort_start, w.look + s.baseline AS period_no, w.n, w.kept, w.mrr, w.mrr_kept, w.capped
FROM settings s, LATERAL slow_cohorts(s.months, s.step_months, s.baseline) w;
CREATE TABLE swiftly AS SELECT s.cohort, s.step, s.baseline, r.* FROM settings s, LATERAL ltv.cohort_retention('random', '2023-12-30', s.cohort, s.step, s.baseline, rates => 'random_fx', currency => 'EUR') r;
SELECT cohort, step, baseline, count(*) AS rows, count(*) FILTER (WHERE (r.n_at_start, r.n_retained, r.mrr_at_start, r.mrr_retained) = (w.n, w.kept, round(w.mrr, 2), round(w.mrr_kept, 2)) AND r.grr = (w.capped / w.mrr)::float8) AS equal, sum(r.n_retained) AS kept
FROM swiftly r FULL JOIN slowly w USING (cohort, step, baseline, cohort_start, period_no) GROUP BY cohort, step, baseline ORDER BY 1, 2, 3;

-- Renewals due in 2025, looked at on 2025-11-15. One contract for each outcome; 100 a month before, if nothing else is said.
CREATE TABLE contracts (account_id text, contract_id text, line_id text, product text, valid_from date, valid_to date, state text, mrr numeric, currency text, term_start date, term_end date,
    start_event text, end_event text, known_at timestamptz, end_known_at timestamptz);
INSERT INTO contracts VALUES
    ('a', 'on time', '1', 'x', '2024-02-01', '2025-02-01', 'active', 100, 'EUR', '2024-02-01', '2025-02-01', 'new', 'renewal', '2024-02-01', '2025-01-10'),
    ('a', 'on time', '1', 'x', '2025-02-01', NULL, 'active', 120, 'EUR', '2025-02-01', '2026-02-01', 'renewal', NULL, '2025-01-10', NULL),
    ('b', 'early', '2', 'x', '2024-03-01', '2024-12-01', 'active', 100, 'EUR', '2024-03-01', '2025-03-01', 'new', 'renewal', '2024-03-01', '2024-11-20'),
    ('b', 'early', '2', 'x', '2024-12-01', NULL, 'active', 100, 'EUR', '2024-12-01', '2026-12-01', 'renewal', NULL, '2024-11-20', NULL),
    ('c', 'late', '3', 'x', '2024-03-15', '2025-03-15', 'active', 100, 'EUR', '2024-03-15', '2025-03-15', 'new', NULL, '2024-03-15', '2025-03-15'),
    ('c', 'late', '3', 'x', '2025-04-10', NULL, 'active', 110, 'EUR', '2025-04-10', '2026-04-10', 'renewal', NULL, '2025-04-10', NULL),
    ('d', 'less', '4', 'x', '2024-04-01', '2025-04-01', 'active', 60, 'EUR', '2024-04-01', '2025-04-01', 'new', 'renewal', '2024-04-01', '2025-04-01'),
    ('d', 'less', '5', 'y', '2024-04-01', '2025-04-01', 'active', 40, 'EUR', '2024-04-01', '2025-04-01', 'new', 'non_renewal', '2024-04-01', '2025-04-01'),
    ('d', 'less', '4', 'x', '2025-04-01', NULL, 'active', 60, 'EUR', '2025-04-01', '2026-04-01', 'renewal', NULL, '2025-04-01', NULL),
    ('e', 'lost', '6', 'x', '2024-05-01', '2025-05-01', 'active', 100, 'EUR', '2024-05-01', '2025-05-01', 'new', 'non_renewal', '2024-05-01', '2025-03-01'),
    ('a', 'cut', '7', 'x', '2024-06-01', '2025-01-15', 'active', 100, 'EUR', '2024-06-01', '2025-06-01', 'new', 'early_termination', '2024-06-01', '2024-12-15'),
    ('f', 'lapsed', '8', 'x', '2024-07-01', '2025-07-01', 'active', 100, 'EUR', '2024-07-01', '2025-07-01', 'new', NULL, '2024-07-01', '2025-07-01'),
    ('f', 'lapsed', '8', 'x', '2025-09-01', NULL, 'active', 100, 'EUR', '2025-09-01', '2026-09-01', 'reactivation', NULL, '2025-09-01', NULL),
    ('g', 'evergreen', '9', 'x', '2024-08-01', '2025-08-01', 'active', 100, 'EUR', '2024-08-01', '2025-08-01', 'new', 'renewal', '2024-08-01', '2025-08-01'),
    ('g', 'evergreen', '9', 'x', '2025-08-01', NULL, 'active', 105, 'EUR', NULL, NULL, 'renewal', NULL, '2025-08-01', NULL),
    ('h', 'runs on', '10', 'x', '2024-09-01', NULL, 'active', 100, 'EUR', '2024-09-01', '2025-09-01', 'new', NULL, '2024-09-01', NULL),
    ('i', 'in grace', '11', 'x', '2024-11-01', '2025-11-01', 'active', 100, 'EUR', '2024-11-01', '2025-11-01', 'new', NULL, '2024-11-01', '2025-11-01'),
    ('j', 'to come', '12', 'x', '2024-12-01', NULL, 'active', 100, 'EUR', '2024-12-01', '2025-12-01', 'new', NULL, '2024-12-01', NULL),
    ('k', 'moved', '13', 'x', '2024-10-01', '2025-05-01', 'active', 100, 'EUR', '2024-10-01', '2025-10-01', 'new', 'coterm', '2024-10-01', '2025-05-01'),
    ('k', 'moved', '13', 'x', '2025-05-01', NULL, 'active', 100, 'EUR', '2025-05-01', '2027-01-01', 'coterm', NULL, '2025-05-01', NULL),
    ('l', 'paused', '14', 'x', '2024-06-15', '2025-05-15', 'active', 100, 'EUR', '2024-06-15', '2025-06-15', 'new', 'pause', '2024-06-15', '2025-05-15'),
    ('l', 'paused', '14', 'x', '2025-05-15', NULL, 'paused', 100, 'EUR', '2024-06-15', '2025-06-15', NULL, NULL, '2025-05-15', NULL);
SELECT contract_id, term_start, due_on, outcome, decided_on, mrr_before, mrr_after FROM ltv.renewal_events('contracts', '2025-11-15') WHERE due_on < '2026-01-01' ORDER BY due_on, contract_id;
-- The decisions of renewal_events. The paused contract paid nothing on its last day and goes on; the co-termed line was committed anew in May, five months early.
-- Due 13, open 2, decided 11, of 100 each but the paused one's 0: gross 100 + 100 + 100 + 60 + 100 + 100 + 100 + 0 = 660 of 1000; net 120 + 100 + 110 + 60 + 105 + 100 + 100 + 0 = 695.
-- Accounts a to h, k and l, of which a, b, c, d, g, h, k and l renewed: 8 of 10.
SELECT * FROM ltv.renewal_rate('contracts', '2025-01-01', '2026-01-01', 'all', as_of => '2025-11-15', measure => 'mrr') \gx
-- The early renewal counts in March, when it was due, the late one too.
SELECT due_period, n_due, n_renewed AS on_time, n_renewed_early AS early, n_renewed_late AS late, n_open AS open, due, renewed, round(gross_renewal_rate::numeric, 4) AS gross, round(net_renewal_rate::numeric, 4) AS net, round(logo_renewal_rate::numeric, 4) AS logo
FROM ltv.renewal_rate('contracts', '2025-01-01', '2026-01-01', 'month', as_of => '2025-11-15', measure => 'mrr');
SELECT segment, n_due, n_lost, due, renewed, gross_renewal_rate AS gross FROM ltv.renewal_rate('contracts', '2025-04-01', '2025-07-01', by => 'product', as_of => '2025-11-15');
-- What nobody knew yet changes nothing: on 1 April the early renewal is known, the late one and the notice given in March, what comes after is open.
SELECT contract_id, due_on, outcome, mrr_before, mrr_after FROM ltv.renewal_events('contracts', '2025-04-01') WHERE due_on < '2025-07-01' ORDER BY due_on, contract_id;
SELECT contract_id, outcome, decided_on FROM ltv.renewal_events('contracts', '2025-11-15', grace_days => 25) WHERE due_on >= '2025-03-01' AND due_on < '2025-04-01' ORDER BY due_on;
-- Each segment of a contract is looked at by itself, also where the next term is a contract of its own; by columns of the lines, or of a relation.
SELECT contract_id, segment, outcome, mrr_before, mrr_after FROM ltv.renewal_events('contracts', '2025-11-15', by => 'product') WHERE contract_id IN ('less', 'late') ORDER BY contract_id, segment, due_on;
CREATE TABLE tiers AS SELECT DISTINCT account_id, CASE WHEN account_id < 'e' THEN 'gold' END AS tier FROM contracts;
SELECT segment, n_due, due, renewed, gross_renewal_rate AS gross FROM ltv.renewal_rate('contracts', '2025-01-01', '2026-01-01', 'all', by => 'tier', segments => 'tiers', as_of => '2025-11-15', measure => 'mrr');
SELECT count(*) AS contracts, count(*) FILTER (WHERE (e.outcome, e.mrr_before, e.mrr_after, e.days_late) IS NOT DISTINCT FROM (s.outcome, s.mrr_before, s.mrr_after, s.days_late)) AS the_same
FROM ltv.renewal_events('contracts', '2025-11-15') e JOIN ltv.renewal_events('contracts', '2025-11-15', by => 'tier', segments => 'tiers') s USING (contract_id, due_on);
CREATE TABLE apart (LIKE contracts);
INSERT INTO apart VALUES ('m', 'old "1"', '20', 'x', '2024-02-01', '2025-02-01', 'active', 100, 'EUR', '2024-02-01', '2025-02-01', 'new', 'renewal', '2024-02-01', '2025-01-10'),
    ('m', 'old "1"', '21', 'y', '2024-02-01', '2025-02-01', 'active', 50, 'EUR', '2024-02-01', '2025-02-01', 'new', 'renewal', '2024-02-01', '2025-01-10'),
    ('m', 'new', '22', 'x', '2025-02-01', NULL, 'active', 90, 'EUR', '2025-02-01', '2026-02-01', 'renewal', NULL, '2025-01-10', NULL),
    ('m', 'new', '23', 'y', '2025-02-01', NULL, 'active', 70, 'EUR', '2025-02-01', '2026-02-01', 'renewal', NULL, '2025-01-10', NULL);
SELECT contract_id, segment, outcome, mrr_before, mrr_after, next_contract_id FROM ltv.renewal_events('apart', '2025-06-30', by => 'product') WHERE due_on < '2026-01-01' ORDER BY segment;
UPDATE apart SET currency = 'USD' WHERE product = 'y';
SELECT * FROM ltv.renewal_rate('apart', '2025-01-01', '2026-01-01', rates => 'fx', currency => 'EUR', as_of => '2025-06-30');
-- In euros at the rate of the first day.
CREATE VIEW in_dollars AS SELECT account_id, contract_id, line_id, product, valid_from, valid_to, state, mrr, CASE WHEN account_id < 'c' THEN 'USD' ELSE 'EUR' END AS currency, term_start, term_end, start_event, end_event FROM contracts;
SELECT due_period, due, renewed, net_renewal_rate FROM ltv.renewal_rate('in_dollars', '2025-02-01', '2025-03-31', rates => 'fx', currency => 'EUR', as_of => '2025-11-15', measure => 'mrr');
SELECT ltv.renewal_rate('in_dollars', '2025-02-01', '2025-03-31', as_of => '2025-11-15');
SELECT count(*) FROM ltv.renewal_rate('contracts', '2030-01-01', '2031-01-01');

-- Value to date. A month is as long as it is: 2024-01-15 to 2024-03-10 is 17/31 of January, February, 9/31 of March: 1.838710 months of 310, 570. From then on, at 620, to the end of 2024-04-15 22/31 and 15/30: 1.209677, 750.
CREATE TABLE spent (account_id text, contract_id text, line_id text, valid_from date, valid_to date, state text, mrr numeric, currency text);
INSERT INTO spent VALUES ('a', 'c', 'l', '2024-01-15', '2024-03-10', 'active', 310, 'EUR'), ('a', 'c', 'l', '2024-03-10', NULL, 'active', 620, 'EUR'), ('a', 'c', 'm', '2024-04-01', '2024-04-11', 'active', 30, 'EUR'),
    ('b', 'd', 'n', '2023-01-01', '2024-01-01', 'active', 100, 'EUR'), ('b', 'd', 'n', '2024-03-01', '2024-04-01', 'active', 100, 'EUR'), ('c', 'e', 'o', '2024-04-16', NULL, 'active', 100, 'EUR');
SELECT * FROM ltv.historical_value('spent', '2024-04-15');
CREATE TABLE payments (account_id text, paid_on date, amount numeric, currency text);
INSERT INTO payments VALUES ('a', '2024-01-15', 500, 'EUR'), ('a', '2024-02-15', -50, 'EUR'), ('a', '2024-04-16', 999, 'EUR'), ('b', '2024-12-31', 100, 'USD'), ('b', '2023-01-01', 100, 'USD'), ('z', '2024-02-01', 7, 'EUR');
SELECT entity_id, contracted, paid, n_payments FROM ltv.historical_value('spent', '2024-04-15', payments => 'payments', rates => 'fx', currency => 'EUR');
SELECT entity_id, round(contracted, 2) AS contracted, round(paid, 2) AS paid FROM ltv.historical_value('spent', '2025-01-31', payments => 'payments', rates => 'fx', currency => 'USD', fx_asof => '2024-06-30');
SELECT grain, entity_id, months_live, contracted FROM unnest('{contract,line}'::text[]) AS grain, LATERAL ltv.historical_value('spent', '2024-04-15', grain);
SELECT ltv.historical_value('spent', '2024-04-15', payments => 'payments');
SELECT ltv.historical_value('spent', '2024-04-15', payments => 'payments', grain => 'contract');
SELECT ltv.historical_value('spent', '2024-04-15', payments => 'payments', by => 'state');
SELECT ltv.historical_value('spent', NULL);
-- A pause is no leaving: a was paused for five months and is back, b was gone for five, c is paused still, d paused and then left and came back.
CREATE TABLE pauses (account_id text, contract_id text, line_id text, valid_from date, valid_to date, state text, mrr numeric, currency text, end_event text);
INSERT INTO pauses SELECT a, a, a, f, t, CASE WHEN paused THEN 'paused' ELSE 'active' END, 100, 'EUR', e FROM (VALUES
    ('a', date '2024-01-01', date '2024-04-01', false, 'pause'), ('a', '2024-04-01', '2024-09-01', true, NULL), ('a', '2024-09-01', NULL, false, NULL),
    ('b', '2024-01-01', '2024-04-01', false, 'cancel'), ('b', '2024-09-01', NULL, false, NULL),
    ('c', '2024-01-01', '2024-11-01', false, 'pause'),
    ('d', '2024-01-01', '2024-02-10', false, 'pause'), ('d', '2024-03-20', '2024-06-01', false, 'cancel'), ('d', '2024-10-01', 'infinity', false, NULL)) v (a, f, t, paused, e);
SELECT n_opening, n_retained, n_lost, n_returned, opening, churn, closing, nrr FROM ltv.retention('pauses', '2025-01-31', measure => 'mrr');
SELECT period_no, n_retained, mrr_retained FROM ltv.cohort_retention('pauses', '2025-01-31') WHERE period_no IN (0, 2, 5, 8, 9, 12);
-- In one of two segments an entity pays once.
INSERT INTO spent VALUES ('b', 'd', 'n2', '2024-01-01', '2024-03-01', 'past_due', 100, 'EUR');
CREATE VIEW stages AS SELECT * FROM (VALUES ('n', 'old'), ('n2', 'new'), ('l', 'old'), ('m', 'old'), ('o', 'old')) v (line_id, stage);
SELECT entity_id, segment, contracted, paid, n_payments FROM ltv.historical_value('spent', '2025-01-31', by => 'stage', segments => 'stages', payments => 'payments', rates => 'fx', currency => 'EUR');
CREATE VIEW spent_never AS SELECT * FROM spent WHERE false;
CREATE VIEW plain_payments AS SELECT account_id, paid_on, amount FROM payments WHERE currency = 'EUR';
SELECT entity_id, contracted, paid, reporting_currency FROM ltv.historical_value('spent_never', '2025-01-31', payments => 'plain_payments');
-- What was converted is rounded to the minor unit and adds up still.
CREATE TABLE thirds (currency text, valid_from date, valid_to date, rate numeric);
INSERT INTO thirds VALUES ('USD', '2020-01-01', NULL, 1), ('EUR', '2020-01-01', '2025-06-01', 1.0700001), ('EUR', '2025-06-01', NULL, 1.13);
SELECT segment, opening, expansion, contraction, churn, closing, opening + expansion + contraction + churn = closing AS adds_up, closing_reported, nrr
FROM ltv.retention('in_dollars', '2025-10-31', by => 'product', rates => 'thirds', currency => 'EUR');
SELECT cohort_start, period_no, mrr_at_start, mrr_retained FROM ltv.cohort_retention('in_dollars', '2025-10-31', 'year', rates => 'thirds', currency => 'EUR');
SELECT month, opening, new, expansion, contraction, churn, reactivation, fx, closing, carr, opening + new + expansion + contraction + churn + reactivation + fx = closing AS adds_up,
    opening = lag(closing) OVER (ORDER BY month) AS goes_on
FROM ltv.arr_movements('in_dollars', '2025-01-01', '2025-07-31', rates => 'thirds', currency => 'EUR');
-- Errors say what to do.
SELECT ltv.retention('deals', '2025-10-31', 0);
SELECT ltv.retention('deals', NULL);
SELECT ltv.retention('deals', '2025-10-31', grace_days => -1);
SELECT ltv.retention('deals', '2025-10-31', measure => 'tcv');
SELECT ltv.cohort_retention('deals', '2025-10-31', 'week');
SELECT ltv.cohort_retention('deals', '2025-10-31', period => 'week');
SELECT ltv.cohort_retention('deals', '2025-10-31', baseline => 2);
SELECT ltv.cohort_retention('deals', 'infinity');
SELECT ltv.renewal_rate('contracts', '2025-01-01', '2025-01-01');
SELECT ltv.renewal_rate('contracts', '2025-01-01', '2026-01-01', 'week');
SELECT ltv.renewal_rate('contracts', '2025-01-01', '2026-01-01', measure => 'tcv');
SELECT ltv.renewal_rate('contracts', '2025-01-01', '2026-01-01', grace_days => NULL);
