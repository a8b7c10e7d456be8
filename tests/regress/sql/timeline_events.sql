-- Lifetimes and renewal decisions from a contract timeline, and what is known when.
\set ECHO none
\ir ../timeline.sql
\set ECHO all
-- Cancelled in May for October, corrected, upgraded and known a month late: what was known when.
SELECT d AS cutoff, t.line_id, t.valid_from, t.valid_to, t.mrr, t.end_event FROM unnest(ARRAY[date '2024-02-29', '2024-06-30', '2024-08-31', '2024-09-02', '2025-05-19', '2025-05-20']) AS d,
       LATERAL ltv.timeline_asof('book', d) AS t WHERE t.account_id IN ('gekko', 'wonka') ORDER BY 1, 2, 3;
-- A day is known to its end, an instant up to itself.
SELECT count(*) FROM ltv.timeline_asof('book', timestamptz '2025-05-19 23:59:59') WHERE end_event IS NOT NULL AND account_id = 'gekko';
SELECT count(*) FROM ltv.timeline_asof('book', timestamptz '2025-05-20') WHERE end_event IS NOT NULL AND account_id = 'gekko';
-- The text of the query is the same instant under every style of dates; read as an abbreviation, India's IST is Israel's.
SET datestyle = 'SQL, DMY'; SET timezone = 'Asia/Kolkata';
SELECT substring(ltv.timeline_query('book', date '2025-05-19') FROM '<= (''[^'']*'')') AS cutoff;
RESET datestyle; RESET timezone;

-- Months: an anniversary is whole, the last day of a month too; what is left is a share of the month that runs.
SELECT a, b, ltv.months_between(a, b) AS months FROM (VALUES (date '2024-01-01', date '2025-01-01'), ('2024-01-31', '2024-02-29'), ('2024-01-31', '2025-02-28'), ('2024-01-01', '2024-01-16'),
       ('2024-02-29', '2025-02-28'), ('2024-03-01', '2024-02-15'), ('2024-05-05', '2024-05-05'), ('0044-03-15 BC', '0001-03-15'), ('2024-01-01', 'infinity')) AS v (a, b);
-- By PostgreSQL's own calendar, from each of 70 days to each of 1,500: the whole months are over and the next is not; the share is of that month; never falls.
SELECT count(*) AS pairs, count(*) FILTER (WHERE start_on > b OR end_on <= b OR abs(m - whole - (b - start_on)::float8 / (end_on - start_on)) > 1e-12) AS wrong, count(*) FILTER (WHERE m < m_before) AS falls
FROM (SELECT a, b, m, floor(m) AS whole, (a + make_interval(months => floor(m)::int))::date AS start_on, (a + make_interval(months => floor(m)::int + 1))::date AS end_on, lag(m) OVER (PARTITION BY a ORDER BY b) AS m_before
      FROM generate_series(0, 69) AS i, generate_series(-200, 1299) AS j, LATERAL (SELECT date '2023-12-25' + i AS a, date '2023-12-25' + i + j AS b) d, LATERAL ltv.months_between(a, b) AS m) x;

-- The customers' lifetimes on 30 June 2025.
SELECT entity_id, spell, start_on, end_on, round(duration::numeric, 4) AS duration, event, cause, cause_code AS code, status, mrr_at_start AS mrr_start, mrr_at_end AS mrr_end
FROM ltv.lifetimes('book', '2025-06-30') ORDER BY 1, 2;
-- The other grains: a parent; contracts and lines that were replaced; an account's product.
SELECT entity_id, account_id, start_on, end_on, event, status, mrr_at_start, mrr_at_end FROM ltv.lifetimes('book', '2025-06-30', 'parent') WHERE entity_id = 'lumon';
SELECT grain, count(*), count(*) FILTER (WHERE event) AS events, count(*) FILTER (WHERE status = 'replaced') AS replaced, count(*) FILTER (WHERE status = 'transferred') AS transferred, round(sum(duration)::numeric, 3) AS months
FROM unnest(ARRAY['account', 'parent', 'contract', 'line', 'product']) AS grain, LATERAL ltv.lifetimes('book', '2025-06-30', grain) GROUP BY 1 ORDER BY 1;
SELECT entity_id, account_id, status, mrr_at_end FROM ltv.lifetimes('book', '2025-06-30', 'contract') WHERE entity_id IN ('C10', 'C10b', 'C15');
-- Twenty days are a late renewal with 30 days of grace and a churn with 10; before the grace is over nothing is known.
SELECT grace, as_of, spell, end_on, event, cause, status FROM (VALUES (30, date '2024-03-15'), (30, '2025-06-30'), (10, '2024-03-15'), (10, '2025-06-30')) AS v (grace, as_of),
       LATERAL ltv.lifetimes('book', as_of, grace_days => grace) WHERE entity_id = 'hooli' ORDER BY 1, 2, 3;
-- Endings were recorded from 2024 on only: who began before enters late, who left before is not there.
SELECT entity_id, start_on, round(entry::numeric, 4) AS entry, round(duration::numeric, 4) AS duration FROM ltv.lifetimes('book', '2025-06-30', observed_from => '2024-05-01') WHERE entry > 0 ORDER BY 1;
SELECT count(*), ltv.subjects(ltv.survival_agg(entry, duration, event)) AS subjects, ltv.events(ltv.survival_agg(entry, duration, event)) AS events
FROM ltv.lifetimes('book', '2025-06-30', observed_from => '2024-05-01');
SELECT round(ltv.survival_at(ltv.survival_agg(duration, event), 15)::numeric, 6) AS survival FROM ltv.lifetimes('book', '2025-06-30');
SELECT count(*) AS causes FROM ltv.lifetimes('book', '2025-06-30') WHERE (cause_code = 0) = event;

-- The renewal decisions on 30 June 2025; the evergreen have none.
SELECT contract_id AS contract, term_number AS term, term_start, due_on, outcome, renewed, decided_on, days_late AS late, mrr_before AS before, mrr_after AS after, lines, end_event, next_contract_id AS next
FROM ltv.renewal_events('book', '2025-06-30') ORDER BY due_on, 1;
-- How one decision looked as time went by: open, said to end, lost; and a late one: open, lapsed with less grace, renewed late.
SELECT contract_id, as_of, outcome, decided_on, known_at::date AS known_on, mrr_after FROM unnest(ARRAY[date '2024-12-09', '2024-12-10', '2025-02-15', '2025-06-30']) AS as_of, LATERAL ltv.renewal_events('book', as_of) WHERE contract_id = 'C2' ORDER BY 2;
SELECT grace, as_of, outcome, days_late FROM (VALUES (30, date '2024-02-28'), (30, '2024-02-29'), (30, '2024-03-15'), (10, '2024-03-15'), (10, '2024-04-30')) AS v (grace, as_of),
       LATERAL ltv.renewal_events('book', as_of, grace) WHERE contract_id = 'C3' AND due_on = '2024-03-01' ORDER BY 1, 2;
-- A term signed 100 days ahead is early with a threshold of 90 and on time with 120.
CREATE TEMP TABLE ahead AS SELECT * FROM book WHERE contract_id = 'C1';
UPDATE ahead SET known_at = valid_from - 100 WHERE start_event = 'renewal';
SELECT early, due_on, outcome FROM unnest(ARRAY[90, 120]) AS early, LATERAL ltv.renewal_events('ahead', '2025-06-30', early_days => early) WHERE due_on < '2026-01-01' ORDER BY 1, 2;
-- Two contracts due on one day, renewed by two others: each has its own successor; a third contract of the account has nothing to do with it.
CREATE TEMP TABLE pair OF ltv.contract_line;
INSERT INTO pair (account_id, contract_id, line_id, valid_from, valid_to, state, mrr, currency, term_start, term_end, start_event, end_event) VALUES
    ('x', 'a', 'a1', '2023-01-01', '2024-01-01', 'active', 100, 'EUR', '2023-01-01', '2024-01-01', 'new', 'renewal'),
    ('x', 'b', 'b1', '2023-01-01', '2024-01-01', 'active', 200, 'EUR', '2023-01-01', '2024-01-01', 'new', 'renewal'),
    ('x', 'c', 'c1', '2024-01-01', NULL, 'active', 110, 'EUR', '2024-01-01', '2025-01-01', 'renewal', NULL),
    ('x', 'd', 'd1', '2024-01-10', NULL, 'active', 190, 'EUR', '2024-01-10', '2025-01-10', 'renewal', NULL),
    ('x', 'e', 'e1', '2023-06-01', NULL, 'active', 50, 'EUR', '2023-06-01', '2024-06-01', 'new', NULL),
    -- Lines of one contract with terms of their own are decisions of their own.
    ('y', 'm', 'm1', '2023-01-01', '2024-01-01', 'active', 10, 'EUR', '2023-01-01', '2024-01-01', 'new', 'renewal'),
    ('y', 'm', 'm1', '2024-01-01', NULL, 'active', 12, 'EUR', '2024-01-01', '2025-01-01', 'renewal', NULL),
    ('y', 'm', 'm2', '2023-07-01', '2024-07-01', 'active', 20, 'EUR', '2023-07-01', '2024-07-01', 'new', 'renewal'),
    ('y', 'm', 'm2', '2024-07-01', NULL, 'active', 24, 'EUR', '2024-07-01', '2025-07-01', 'renewal', NULL),
    -- Folded into another contract: the decision is the other's.
    ('z', 'p', 'p1', '2023-01-01', '2023-10-01', 'active', 10, 'EUR', '2023-01-01', '2024-01-01', 'new', 'coterm'),
    ('z', 'q', 'q1', '2023-04-01', '2024-04-01', 'active', 30, 'EUR', '2023-04-01', '2024-04-01', 'new', 'renewal'),
    ('z', 'q', 'q2', '2023-10-01', '2024-04-01', 'active', 10, 'EUR', '2023-10-01', '2024-04-01', 'coterm', 'renewal'),
    ('z', 'q', 'q1', '2024-04-01', NULL, 'active', 40, 'EUR', '2024-04-01', '2025-04-01', 'renewal', NULL);
SELECT account_id AS account, contract_id AS contract, due_on, outcome, days_late AS late, mrr_before AS before, mrr_after AS after, lines, next_contract_id AS next FROM ltv.renewal_events('pair', '2024-12-31') ORDER BY 1, due_on, 2;
-- Currencies are not added.
CREATE TEMP TABLE mixed AS SELECT * FROM pair WHERE account_id = 'y';
UPDATE mixed SET currency = 'USD' WHERE line_id = 'm2';
SELECT entity_id, currency, mrr_at_start, mrr_at_end, status FROM ltv.lifetimes('mixed', '2024-12-31');
SELECT contract_id, due_on, outcome, currency, mrr_before, mrr_after FROM ltv.renewal_events('mixed', '2024-12-31') ORDER BY 2;

-- One company under two ids: without a map it is handed over, with it nothing happened.
CREATE TABLE merged (account_id text, canonical_id text, valid_from date);
INSERT INTO merged VALUES ('oscorp-old', 'oscorp-eu', '2024-07-01'), ('oscorp-eu', 'oscorp', '2025-01-01'), ('globex', 'globex', NULL);
CREATE VIEW mapped AS SELECT * FROM ltv.apply_account_map('book', 'merged');
SELECT 'book' AS timeline, entity_id, start_on, end_on, event, status FROM ltv.lifetimes('book', '2025-06-30') WHERE entity_id LIKE 'oscorp%'
UNION ALL SELECT 'mapped', entity_id, start_on, end_on, event, status FROM ltv.lifetimes('mapped', '2025-06-30') WHERE entity_id LIKE 'oscorp%' ORDER BY 1, 2;
SELECT d AS as_of, array_agg(DISTINCT account_id ORDER BY account_id) AS accounts FROM unnest(ARRAY[date '2024-06-30', '2024-07-01', '2025-01-01']) AS d,
       LATERAL ltv.apply_account_map('book', 'merged', d) WHERE line_id = 'L15' GROUP BY 1 ORDER BY 1;
SELECT count(*) = (SELECT count(*) FROM book) AS same_rows, sum(mrr) = (SELECT sum(mrr) FROM book) AS same_mrr FROM mapped;
INSERT INTO merged VALUES ('oscorp', 'oscorp-old', '2025-02-01');
SELECT * FROM ltv.apply_account_map('book', 'merged');
DELETE FROM merged WHERE valid_from = '2025-02-01';
INSERT INTO merged VALUES ('oscorp-old', 'octavius', '2024-07-01');
SELECT * FROM ltv.apply_account_map('book', 'merged');
SELECT * FROM ltv.apply_account_map('book', 'book');

-- Bad input.
SELECT * FROM ltv.lifetimes('book', '2025-06-30', 'customer');
SELECT * FROM ltv.lifetimes('book', NULL);
SELECT * FROM ltv.lifetimes(NULL, '2025-06-30');
SELECT * FROM ltv.lifetimes('book', '2025-06-30', grace_days => -1);
SELECT * FROM ltv.lifetimes('book', '2025-06-30', observed_from => '2025-07-01');
SELECT * FROM ltv.lifetimes('merged', '2025-06-30');
SELECT * FROM ltv.renewal_events('book', '2025-06-30', grace_days => NULL);
SELECT count(*) FROM ltv.lifetimes('book', '2000-01-01'), ltv.renewal_events('book', '2000-01-01');
