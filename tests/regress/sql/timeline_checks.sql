-- Every rule of check_timeline broken once, the labels against what happened, and candidates for duplicates.
\set ECHO none
\ir ../timeline.sql
\set ECHO all
-- The book of twenty customers is clean but for what happened to them.
SELECT rule, severity, n, sample_keys FROM ltv.check_timeline('book', as_of => '2025-06-30');
SELECT count(*) AS rules, count(*) FILTER (WHERE n = 0) AS kept, count(DISTINCT what_to_do) AS texts FROM ltv.check_timeline('book', as_of => '2025-06-30', all_rules => true);
CREATE TEMP TABLE clean AS SELECT * FROM book WHERE account_id IN ('globex', 'wonka', 'initech', 'stark');
SELECT * FROM ltv.check_timeline('clean', as_of => '2025-06-30');
CREATE TEMP TABLE nothing OF ltv.contract_line;
SELECT * FROM ltv.check_timeline('nothing');

-- One row, or a few, per rule; the account is the rule that it breaks.
CREATE TEMP TABLE dirt OF ltv.contract_line;
ALTER TABLE dirt ALTER currency SET DEFAULT 'EUR', ALTER state SET DEFAULT 'active', ALTER mrr SET DEFAULT 100;
INSERT INTO dirt (account_id, contract_id, line_id, valid_from, valid_to, end_event) VALUES
    ('missing_value', NULL, 'd1', '2024-01-01', NULL, NULL), ('missing_value', 'c0', NULL, '2024-01-01', NULL, NULL), ('empty_interval', 'c2', 'd2', '2024-01-01', '2024-01-01', 'cancel'),
    ('overlap', 'c3', 'd3', '2024-01-01', '2024-07-01', 'upgrade'), ('overlap', 'c3', 'd3', '2024-06-01', NULL, NULL),
    -- An overlap with a row before the last one.
    ('overlap', 'c4', 'd4', '2023-01-01', NULL, NULL), ('overlap', 'c4', 'd4', '2023-03-01', '2023-04-01', 'downgrade'), ('overlap', 'c4', 'd4', '2023-06-01', '2023-07-01', 'cancel'),
    ('duplicate', 'c5', 'd5', '2024-01-01', NULL, NULL), ('duplicate', 'c5', 'd5', '2024-01-01', NULL, NULL),
    ('inclusive_end', 'c6', 'd6', '2024-01-15', '2024-07-31', 'upgrade'), ('inclusive_end', 'c6', 'd6', '2024-08-01', NULL, NULL),
    ('missing_end_event', 'c7', 'd7', '2024-01-01', '2024-07-01', NULL), ('gap', 'c8', 'd8', '2024-01-01', '2024-03-01', 'upgrade'), ('gap', 'c8', 'd8', '2024-04-15', NULL, NULL),
    ('end_event_on_open_row', 'c9', 'd9', '2024-01-01', NULL, 'cancel');
INSERT INTO dirt (account_id, contract_id, line_id, valid_from, mrr, list_mrr, quantity, currency, state, start_event, billing_months) VALUES
    ('negative_amount', 'c10', 'd10', '2024-01-01', -5, NULL, NULL, 'EUR', 'active', NULL, 1), ('not_a_number', 'c11', 'd11', '2024-01-01', 'NaN', NULL, NULL, 'EUR', 'active', NULL, 1),
    ('unknown_currency', 'c12', 'd12', '2024-01-01', 5, NULL, NULL, 'EURO', 'active', NULL, 1), ('unknown_currency', 'c12b', 'd12b', '2024-01-01', 5, NULL, NULL, 'XXX', 'active', NULL, 1),
    ('currency_case', 'c13', 'd13', '2024-01-01', 5, NULL, NULL, 'usd', 'active', NULL, 1), ('mixed_currencies', 'c14', 'd14a', '2024-01-01', 5, NULL, NULL, 'EUR', 'active', NULL, 1),
    ('mixed_currencies', 'c14', 'd14b', '2024-01-01', 5, NULL, NULL, 'USD', 'active', NULL, 1), ('unknown_state', 'c15', 'd15', '2024-01-01', 5, NULL, NULL, 'EUR', 'cancelled', NULL, 1),
    ('unknown_code', 'c16', 'd16', '2024-01-01', 5, NULL, NULL, 'EUR', 'active', 'renewed', 1), ('billing_months', 'c17', 'd17', '2024-01-01', 5, NULL, NULL, 'EUR', 'active', NULL, 0),
    ('negative_amount', 'c10b', 'd10b', '2024-01-01', 5, -5, NULL, 'EUR', 'active', NULL, 1), ('negative_amount', 'c10c', 'd10c', '2024-01-01', 5, NULL, -5, 'EUR', 'active', NULL, 1),
    ('zero_mrr', 'c18', 'd18', '2024-01-01', 0, NULL, NULL, 'EUR', 'active', NULL, 1), ('far_from_list', 'c19', 'd19', '2024-01-01', 5, 500, NULL, 'EUR', 'active', NULL, 1),
    ('list_below_price', 'c20', 'd20', '2024-01-01', 5, 4, NULL, 'EUR', 'active', NULL, 1), ('reactivation_without_history', 'c21', 'd21', '2024-01-01', 5, NULL, NULL, 'EUR', 'active', 'reactivation', 1),
    ('renewal_without_term', 'c22', 'd22', '2024-01-01', 5, NULL, NULL, 'EUR', 'active', 'renewal', 1);
INSERT INTO dirt (account_id, contract_id, line_id, valid_from, valid_to, mrr, quantity, end_event) VALUES
    -- Cents for euros; but a hundred times the seats at the same price is no such thing.
    ('minor_units', 'c23', 'd23', '2024-01-01', '2024-02-01', 49, NULL, 'price_change'), ('minor_units', 'c23', 'd23', '2024-02-01', NULL, 4900, NULL, NULL),
    ('ok', 'c24', 'd24', '2024-01-01', '2024-02-01', 49, 1, 'upgrade'), ('ok', 'c24', 'd24', '2024-02-01', NULL, 4900, 100, NULL);
INSERT INTO dirt (account_id, contract_id, line_id, valid_from, valid_to, end_event, known_at, end_known_at, superseded_at) VALUES
    ('known_in_future', 'c25', 'd25', '2025-01-01', NULL, NULL, '2025-07-01', NULL, NULL), ('known_in_future', 'c26', 'd26', '2025-01-01', '2025-06-01', 'cancel', '2025-01-01', '2025-07-02', NULL),
    ('end_known_before_start', 'c27', 'd27', '2024-01-01', '2024-06-01', 'cancel', '2024-01-01', '2023-12-01', NULL),
    ('end_known_late', 'c28', 'd28', '2024-01-01', '2024-06-01', 'upgrade', '2024-01-01', '2024-06-01', NULL), ('end_known_late', 'c28', 'd28', '2024-06-01', NULL, NULL, '2024-05-01', NULL, NULL),
    ('start_in_future', 'c29', 'd29', '2025-09-01', NULL, NULL, NULL, NULL, NULL),
    -- What was corrected is not looked at.
    ('ok', 'c30', 'd30', '2024-01-01', NULL, 'cancel', '2024-01-01', NULL, '2024-02-01');
INSERT INTO dirt (account_id, contract_id, line_id, valid_from, term_start, term_end) VALUES
    ('term_backwards', 'c31', 'd31', '2024-01-01', '2024-01-01', '2023-01-01'), ('outside_term', 'c32', 'd32', '2025-02-01', '2024-02-01', '2025-02-01'), ('past_term', 'c33', 'd33', '2024-02-01', '2024-02-01', '2025-02-01');
-- Codes of each of the three columns that have them.
INSERT INTO dirt (account_id, contract_id, line_id, valid_from, valid_to, end_event, payment_timing) VALUES
    ('unknown_code', 'c16b', 'd16b', '2024-01-01', '2024-06-01', 'churned', NULL), ('unknown_code', 'c16c', 'd16c', '2024-01-01', NULL, NULL, 'upfront');
INSERT INTO dirt (account_id, parent_account_id, contract_id, line_id, valid_from, valid_to, end_event, start_event) VALUES
    ('two_parents', 'p1', 'c34', 'd34', '2024-01-01', NULL, NULL, NULL), ('two_parents', 'p2', 'c35', 'd35', '2024-03-01', NULL, NULL, NULL),
    ('moved', 'p1', 'c36', 'd36', '2024-01-01', '2024-03-01', 'cancel', NULL), ('moved', 'p2', 'c37', 'd37', '2024-03-01', NULL, NULL, NULL), ('parent_of_parent', 'p3', 'c38', 'd38', '2024-01-01', NULL, NULL, NULL), ('p3', 'p4', 'c39', 'd39', '2024-01-01', NULL, NULL, NULL),
    ('contract_in_two_accounts', NULL, 'c40', 'd40', '2024-01-01', '2024-06-01', 'cancel', NULL), ('other', NULL, 'c40', 'd40', '2024-06-01', NULL, NULL, NULL),
    ('ok', NULL, 'c41', 'd41', '2024-01-01', '2024-06-01', 'transfer_out', NULL), ('ok-new', NULL, 'c41', 'd41', '2024-06-01', NULL, NULL, 'transfer_in');
SELECT rule, severity AS level, n, sample_keys FROM ltv.check_timeline('dirt', as_of => '2025-06-30');
SELECT what_to_do FROM ltv.check_timeline('dirt', as_of => '2025-06-30') WHERE rule IN ('overlap', 'inclusive_end');
-- Each row breaks the rule that its account is called after, and each rule is broken by one.
WITH broken AS (SELECT rule, line_id FROM ltv.check_timeline('dirt', as_of => '2025-06-30', all_rules => true) LEFT JOIN dirt ON account_id = rule)
SELECT rule FROM broken WHERE line_id IS NULL AND rule NOT IN ('no_rate', 'missing_value');
SELECT account_id FROM dirt WHERE account_id NOT IN ('ok', 'ok-new', 'moved', 'other', 'p3') EXCEPT SELECT rule FROM ltv.check_timeline('dirt', as_of => '2025-06-30');
-- End dates that name the last day, in every row: Salesforce's contracts and CPQ subscriptions.
CREATE TEMP TABLE inclusive AS SELECT account_id, contract_id, line_id, valid_from, valid_to - 1 AS valid_to, state, mrr, currency, end_event, term_start, term_end - 1 AS term_end FROM book WHERE account_id IN ('globex', 'wayne', 'gekko', 'initech');
SELECT rule, n FROM ltv.check_timeline('inclusive', as_of => '2025-06-30') WHERE rule = 'inclusive_end';
-- Rates: one currency has none, and those of the other begin too late.
CREATE TEMP TABLE rates (currency text, valid_from date, valid_to date, rate numeric);
INSERT INTO rates VALUES ('EUR', '2024-02-01', NULL, 1.1);
SELECT rule, n, sample_keys FROM ltv.check_timeline('dirt', 'rates', '2025-06-30') WHERE rule = 'no_rate';
INSERT INTO rates VALUES ('EUR', '2020-01-01', '2024-02-01', 1.1), ('USD', '2020-01-01', NULL, 1);
SELECT rule, n, sample_keys FROM ltv.check_timeline('dirt', 'rates', '2025-06-30') WHERE rule = 'no_rate';
SELECT * FROM ltv.check_timeline('dirt', 'dirt');
SELECT * FROM ltv.check_timeline(NULL);
-- A relation with the eight required columns only, and one without.
CREATE TEMP VIEW narrow AS SELECT account_id, contract_id, line_id, valid_from, valid_to, state, mrr, currency FROM clean WHERE superseded_at IS NULL;
SELECT rule, n FROM ltv.check_timeline('narrow', as_of => '2025-06-30');
SELECT * FROM ltv.check_timeline('rates');

-- What the source says of endings, and what happened.
SELECT * FROM ltv.label_audit('book', '2025-06-30');
CREATE TEMP TABLE told OF ltv.contract_line;
INSERT INTO told (account_id, contract_id, line_id, valid_from, valid_to, state, mrr, quantity, currency, term_end, end_event) VALUES
    -- Said to be cancelled and renewed ten days later; said to be renewed and gone; no reason; another word for it; a price alone; seats.
    ('contradicts', 'a', 'a', '2023-01-01', '2024-01-01', 'active', 10, 1, 'EUR', '2024-01-01', 'cancel'), ('contradicts', 'a', 'a', '2024-01-11', NULL, 'active', 10, 1, 'EUR', '2025-01-01', NULL),
    ('contradicts', 'b', 'b', '2023-01-01', '2024-02-01', 'active', 10, 1, 'EUR', '2024-02-01', 'renewal'), ('missing', 'c', 'c', '2023-01-01', '2024-01-01', 'active', 10, 1, 'EUR', NULL, NULL),
    ('missing', 'd', 'd', '2023-01-01', '2024-01-01', 'past_due', 10, 1, 'EUR', NULL, NULL), ('differs', 'e', 'e', '2023-01-01', '2023-11-01', 'active', 10, 1, 'EUR', '2024-01-01', 'cancel'),
    ('agrees', 'f', 'f', '2023-01-01', '2023-11-01', 'active', 10, 1, 'EUR', NULL, 'price_change'), ('agrees', 'f', 'f', '2023-11-01', '2023-12-01', 'active', 12, 1, 'EUR', NULL, 'upgrade'),
    ('agrees', 'f', 'f', '2023-12-01', '2024-01-01', 'active', 24, 2, 'EUR', NULL, 'downgrade'), ('agrees', 'f', 'f', '2024-01-01', '2024-02-01', 'active', 12, 1, 'EUR', NULL, 'pause'),
    ('agrees', 'f', 'f', '2024-02-01', '2024-03-01', 'paused', 12, 1, 'EUR', NULL, NULL), ('agrees', 'f', 'f', '2024-03-01', '2024-05-01', 'active', 12, 1, 'EUR', NULL, NULL),
    ('agrees', 'f', 'f', '2024-05-01', NULL, 'past_due', 12, 1, 'EUR', NULL, NULL),
    -- A line that goes while the contract stays; one that another takes the place of; folded into another contract; renewed as another.
    ('agrees', 'g', 'g1', '2023-01-01', NULL, 'active', 12, 1, 'EUR', NULL, NULL), ('agrees', 'g', 'g2', '2023-01-01', '2023-06-01', 'active', 12, 1, 'EUR', NULL, 'cancel'),
    ('agrees', 'h', 'h1', '2023-01-01', '2023-06-01', 'active', 12, 1, 'EUR', NULL, 'upgrade'), ('agrees', 'h', 'h2', '2023-06-01', NULL, 'active', 15, 1, 'EUR', NULL, NULL),
    ('folded', 'i', 'i', '2023-01-01', '2023-06-01', 'active', 12, 1, 'EUR', '2024-01-01', 'coterm'), ('folded', 'j', 'j', '2023-06-01', NULL, 'active', 15, 1, 'EUR', '2024-06-01', NULL),
    ('moved', 'k', 'k', '2023-01-01', '2024-01-01', 'active', 12, 1, 'EUR', '2024-01-01', 'renewal'), ('moved', 'l', 'l', '2024-01-01', NULL, 'active', 15, 1, 'EUR', '2025-01-01', NULL),
    ('sold', 'm', 'm', '2023-01-01', '2024-01-01', 'active', 12, 1, 'EUR', NULL, 'transfer_out'), ('bought', 'm', 'm', '2024-01-01', NULL, 'active', 12, 1, 'EUR', NULL, NULL),
    ('pending', 'n', 'n', '2023-01-01', '2024-06-20', 'active', 12, 1, 'EUR', NULL, NULL);
SELECT account_id, line_id, ended_on, coded, derived, verdict FROM ltv.derive_outcomes('told', '2024-06-30') ORDER BY 2, 3;
SELECT * FROM ltv.label_audit('told', '2024-06-30');
SELECT * FROM ltv.derive_outcomes('told', '2024-06-30', -1);

-- Names of companies, and who may be the same.
SELECT name, ltv.normalized_name(name) FROM unnest(ARRAY['Globex GmbH & Co. KG', 'The Acme Corp.', 'ACME, Inc.', 'Initech S.p.A.', 'Société Générale S.A.', 'O''Neill Ltd', 'Limited', 'Straße AG', 'Umbrella Sp. z o.o.',
       'Foo (UK) Limited', 'A.B. Volvo', 'ÉCLAIR–Sud', '', '日立 (株)', 'A/S Dansk_Data']) AS name;
-- Trigrams of globex: "  g", " gl", glo, lob, obe, bex, "ex "; of globx: the first four, obx, "bx ": 4 of 9.
SELECT ltv.name_similarity('globex', 'globx') * 9 AS ninths, ltv.name_similarity('data works', 'works data') AS turned, ltv.name_similarity('ab', 'xy') AS apart, ltv.name_similarity('', 'a') AS empty, ltv.name_similarity('', '') AS both;
CREATE TEMP TABLE company (id int, name text, domain text);
INSERT INTO company VALUES (1, 'Globex GmbH', 'globex.com'), (2, 'GLOBEX', NULL), (3, 'Globx Inc.', 'globex.com'), (4, 'Initech', 'initech.io'), (5, 'Hooli', 'globex.com '), (6, 'Initech Europe', NULL), (7, NULL, 'initech.io'),
    (8, 'Massive Dynamic', NULL), (9, 'Dynamic Massive Ltd', NULL), (9, 'Dynamic Massive Ltd', NULL), (10, '...', NULL), (11, '!', NULL);
SELECT id_a, name_a, id_b, name_b, round(score::numeric, 4) AS score, round(similarity::numeric, 4) AS similarity, matched_on FROM ltv.find_duplicates('company', 'id', 'name');
SELECT id_a, id_b, round(score::numeric, 4) AS score, round(similarity::numeric, 4) AS similarity, matched_on FROM ltv.find_duplicates('company', 'id', 'name', ARRAY['domain'], 0.4);
-- A value, or a word, that more than max_block share tells nothing, and costs nothing: 30,000 with the same domain.
CREATE TEMP TABLE many AS SELECT i AS id, 'company ' || md5((i / 2)::text) AS name, 'mail.com' AS domain FROM generate_series(2, 30001) AS i;
SELECT count(*), min(score), max(score), bool_and(matched_on = 'name') AS by_name FROM ltv.find_duplicates('many', 'id', 'name', ARRAY['domain'], 0.9);
SELECT * FROM ltv.find_duplicates('company', 'id', 'title');
SELECT * FROM ltv.find_duplicates('company', 'id', 'name', threshold => 1.5);
