-- The dirt that load_demo plants, and the checks that are to find it: each kind is found by one of them, or is no rule's business; nothing else is reported.
SET client_min_messages = warning; SET timezone = 'UTC';
SELECT count(*) FROM ltv.load_demo('acme', 1000);
CREATE TABLE found AS SELECT * FROM ltv.check_timeline('acme.timeline', 'acme.fx_rate', as_of => '2025-06-30');
SELECT rule, severity, n FROM found;
CREATE VIEW live AS SELECT t.*, m.canonical_id <> t.account_id AS on_duplicate FROM acme.timeline t JOIN acme.truth_account_map m USING (account_id) WHERE superseded_at IS NULL;
CREATE TABLE dirty AS SELECT d.kind, k.key, split_part(k.key, ' ', 1) AS line_id FROM acme.dirt d, unnest(d.keys) AS k (key);
-- What a rule must find follows from the dirt alone. A line booked on a duplicate is in a contract of two accounts, or begins as a reactivation of an account without a history;
-- an end that is still to come may lack its reason; overdue terms are rows past theirs.
SELECT e.kind, e.rule, e.n AS expected, coalesce(f.n, 0) AS reported
FROM (SELECT 'missing_reason' AS kind, 'missing_end_event' AS rule, count(DISTINCT line_id) AS n FROM dirty JOIN live USING (line_id) WHERE kind = 'missing_reason' AND end_event IS NULL AND valid_to <= '2025-06-30'
      UNION ALL SELECT 'booked_on_duplicate', 'contract_in_two_accounts', count(*) FROM (SELECT contract_id FROM live GROUP BY 1 HAVING bool_or(on_duplicate) AND bool_or(NOT on_duplicate)) c
      UNION ALL SELECT 'booked_on_duplicate', 'reactivation_without_history', count(*) FROM (SELECT contract_id FROM live GROUP BY 1 HAVING bool_and(on_duplicate)) c
      UNION ALL SELECT 'overdue', 'past_term', count(*) FROM dirty d JOIN live t ON t.contract_id = d.key WHERE d.kind = 'overdue' AND t.valid_to IS NULL) e
LEFT JOIN found f USING (rule) ORDER BY 1, 2;
-- The lines on duplicates are those of these contracts, all of them.
SELECT count(*) AS lines, count(*) FILTER (WHERE c.contract_id IS NOT NULL) AS in_contracts_found
FROM dirty d JOIN (SELECT DISTINCT line_id, contract_id FROM live) l USING (line_id)
LEFT JOIN (SELECT contract_id FROM live GROUP BY 1 HAVING bool_or(on_duplicate)) c USING (contract_id) WHERE d.kind = 'booked_on_duplicate';
-- Nothing above info that is not planted.
SELECT rule, severity, n FROM found WHERE severity <> 'info' AND rule NOT IN ('missing_end_event', 'contract_in_two_accounts', 'reactivation_without_history');
-- Each kind, and who finds it. What is the way life is breaks no rule; faults of other tables are found by other functions.
SELECT d.kind, d.relation, d.fault, d.n, b.finder FROM acme.dirt d LEFT JOIN (VALUES
    ('booked_on_duplicate', 'check_timeline: contract_in_two_accounts, reactivation_without_history'), ('duplicate_account', 'find_duplicates'),
    ('missing_reason', 'check_timeline: missing_end_event; label_audit: missing'), ('overdue', 'check_timeline: past_term; renewal_events: open or lapsed'),
    ('unpaid', 'payment_features: oldest_overdue_days'), ('late_renewal', 'renewal_events: renewed_late'), ('late_loss', 'renewal_events: decided after due_on'),
    ('early_termination', 'renewal_events: early_termination'), ('co_term', 'no rule: as it should be'), ('correction', 'no rule: superseded_at does it'), ('credit_note', 'no rule: not in a timeline'),
    ('currency', 'no rule: each is of ISO 4217 and has rates'), ('downgrade', 'no rule: as it should be'), ('evergreen', 'no rule: as it should be'), ('involuntary', 'no rule: coded'),
    ('notice_given', 'no rule: known ahead'), ('part_payment', 'no rule: not in a timeline'), ('pause', 'no rule: coded at both ends'), ('ramp', 'no rule: coded as price_change'),
    ('signed_ahead', 'no rule: known ahead'), ('win_back', 'no rule: coded as reactivation')) AS b (kind, finder) USING (kind) ORDER BY d.fault DESC, d.kind COLLATE "C";
-- Once the duplicates are mapped, reasons are all that is missing.
CREATE TABLE mapped AS SELECT * FROM ltv.apply_account_map('acme.timeline', 'acme.truth_account_map');
SELECT rule, severity, n FROM ltv.check_timeline('mapped', 'acme.fx_rate', as_of => '2025-06-30');

-- A pause has its words at both ends.
SELECT state, start_event, end_event, count(*) FROM acme.timeline WHERE 'pause' IN (start_event, end_event) OR 'resume' IN (start_event, end_event) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- Duplicates: recall is the share of the planted pairs that are suggested, precision the share of suggestions that are right.
CREATE TABLE pairs AS
SELECT p.*, EXISTS (SELECT FROM acme.truth_account_map m WHERE (m.account_id, m.canonical_id) IN ((p.id_a, p.id_b), (p.id_b, p.id_a))) AS planted
FROM ltv.find_duplicates('acme.accounts', 'account_id', 'name', match_on => '{domain}') p;
SELECT threshold, count(*) AS suggested, count(*) FILTER (WHERE planted) AS right, d.n AS planted, round(count(*) FILTER (WHERE planted)::numeric / d.n, 3) AS recall,
       round(count(*) FILTER (WHERE planted)::numeric / count(*), 3) AS precision
FROM unnest(ARRAY[0.6, 0.7, 0.8, 0.9]) AS threshold JOIN pairs ON score >= threshold, acme.dirt d WHERE d.kind = 'duplicate_account' GROUP BY threshold, d.n ORDER BY threshold;
-- With a name normalized alike or a domain shared nothing is wrong.
SELECT matched_on, count(*) AS suggested, count(*) FILTER (WHERE planted) AS right FROM pairs WHERE matched_on IS NOT NULL GROUP BY 1 ORDER BY 1;

-- Reasons: what is missing is what was planted, but for ends that are still to come; two of the others are too fresh to be judged.
SELECT d.n AS planted, count(*) FILTER (WHERE o.verdict = 'missing') AS missing, count(*) FILTER (WHERE o.derived = 'pending') AS pending,
       (SELECT count(*) FROM dirty JOIN live USING (line_id) WHERE kind = 'missing_reason' AND end_event IS NULL AND valid_to > '2025-06-30') AS to_come,
       count(*) FILTER (WHERE o.verdict = 'missing' AND o.line_id NOT IN (SELECT line_id FROM dirty WHERE kind = 'missing_reason')) AS not_planted
FROM ltv.derive_outcomes('mapped', '2025-06-30') o, acme.dirt d WHERE d.kind = 'missing_reason' GROUP BY d.n;
SELECT coded, derived, verdict, n FROM ltv.label_audit('mapped', '2025-06-30');
-- And what is derived for them is what was true (a failed payment leaves no trace in the timeline, so it looks like a cancellation).
SELECT o.derived, l.reason, count(*) FROM ltv.derive_outcomes('mapped', '2025-06-30') o JOIN acme.truth_life l USING (contract_id) WHERE o.verdict = 'missing' GROUP BY 1, 2 ORDER BY 1, 2;

-- Renewals: signed late is late, unless the contract renews by itself; no other renewal is late.
SELECT k.key IS NOT NULL AS planted, e.auto_renew, e.outcome, count(*)
FROM (SELECT * FROM ltv.renewal_events('mapped', '2025-06-30') WHERE renewed AND due_on <= '2025-06-30') e
FULL JOIN (SELECT split_part(key, ' ', 1) AS contract_id, split_part(key, ' ', 2)::date AS due_on, key FROM dirty WHERE kind = 'late_renewal') k USING (contract_id, due_on)
WHERE k.key IS NOT NULL OR e.outcome = 'renewed_late' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
-- Lost and known late: decided after the due date, as planted.
SELECT d.n AS planted, count(e.*) FILTER (WHERE NOT e.renewed AND e.known_at > e.due_on) AS decided_late
FROM acme.dirt d JOIN dirty k USING (kind) LEFT JOIN (SELECT DISTINCT ON (contract_id) * FROM ltv.renewal_events('mapped', '2025-06-30') WHERE due_on <= '2025-06-30' ORDER BY contract_id, due_on DESC) e ON e.contract_id = k.key
WHERE kind = 'late_loss' GROUP BY d.n;

-- Who does not pay: the accounts with invoices more than 60 days overdue are those of the unpaid invoices.
CREATE TABLE payers AS SELECT * FROM ltv.payment_features('acme.invoices', '2025-06-30', window_months => 120);
CREATE VIEW unpaid AS SELECT DISTINCT i.account_id FROM acme.invoices i JOIN dirty d ON d.kind = 'unpaid' AND d.key = i.invoice_id;
SELECT count(*) AS accounts, count(*) FILTER (WHERE p.oldest_overdue_days > 60) AS overdue, count(u.account_id) AS planted, count(u.account_id) FILTER (WHERE p.oldest_overdue_days > 60) AS both
FROM payers p LEFT JOIN unpaid u USING (account_id);
SELECT count(*) AS invoices, count(*) FILTER (WHERE paid_on IS NULL) AS open, count(*) FILTER (WHERE paid_on < issued_on) AS paid_before_issued FROM acme.invoices;
DROP SCHEMA acme CASCADE;
