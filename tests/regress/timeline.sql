-- Twenty customers of a small company, one case each, as a contract timeline: \ir ../timeline.sql.
-- Known twenty days before a row begins, and its end with it, where nothing else is said.
CREATE TABLE book OF ltv.contract_line;
CREATE TABLE entry (account_id text, contract_id text, line_id text, valid_from date, valid_to date, mrr numeric, term_end date, start_event text, end_event text,
                    state text DEFAULT 'active', end_known_on date, term_start date, known_on date, superseded_on date, auto_renew boolean DEFAULT false);
INSERT INTO entry (account_id, contract_id, line_id, valid_from, valid_to, mrr, term_end, start_event, end_event) VALUES
    -- Renewed twice, the first time for more; the third term runs.
    ('globex', 'C1', 'L1', '2023-01-01', '2024-01-01', 1000, '2024-01-01', 'new', 'renewal'),
    ('globex', 'C1', 'L1', '2024-01-01', '2025-01-01', 1100, '2025-01-01', 'renewal', 'renewal'),
    ('globex', 'C1', 'L1', '2025-01-01', NULL, 1100, '2026-01-01', 'renewal', NULL),
    -- Renewed twenty days late, then gone without a word.
    ('hooli', 'C3', 'L3', '2023-03-01', '2024-03-01', 240, '2024-03-01', 'new', NULL),
    ('hooli', 'C3', 'L3', '2024-03-21', '2025-03-21', 240, '2025-03-21', 'renewal', NULL),
    -- Two lines end together: one decision, and one line is not kept.
    ('umbrella', 'C4', 'L4a', '2024-01-01', '2025-01-01', 300, '2025-01-01', 'new', 'renewal'),
    ('umbrella', 'C4', 'L4b', '2024-06-01', '2025-01-01', 200, '2025-01-01', 'new', 'non_renewal'),
    ('umbrella', 'C4', 'L4a', '2025-01-01', NULL, 300, '2026-01-01', 'renewal', NULL),
    -- Went away and came back eight months later.
    ('vandelay', 'C9', 'L9', '2023-05-01', '2024-05-01', 150, '2024-05-01', 'new', 'non_renewal'),
    ('vandelay', 'C9b', 'L9b', '2025-01-01', NULL, 180, '2026-01-01', 'reactivation', NULL),
    -- The renewal is a contract of its own.
    ('tyrell', 'C10', 'L10', '2023-09-01', '2024-09-01', 450, '2024-09-01', 'new', 'renewal'),
    ('tyrell', 'C10b', 'L10b', '2024-09-01', NULL, 480, '2025-09-01', 'renewal', NULL),
    -- Renewed five months before the term was over.
    ('cyberdyne', 'C11', 'L11', '2024-04-01', '2024-11-01', 700, '2025-04-01', 'new', 'renewal'),
    ('cyberdyne', 'C11', 'L11', '2024-11-01', NULL, 900, '2025-11-01', 'renewal', NULL),
    -- From a term to month to month.
    ('acme', 'C12', 'L12', '2023-06-01', '2024-06-01', 90, '2024-06-01', 'new', 'renewal'),
    ('acme', 'C12', 'L12', '2024-06-01', NULL, 90, NULL, 'renewal', NULL),
    -- Lives on past its term, unsigned.
    ('duff', 'C13', 'L13', '2024-03-01', NULL, 60, '2025-03-01', 'new', NULL),
    -- Ended two weeks ago; nobody knows yet.
    ('kwik-e', 'C17', 'L17', '2024-06-15', '2025-06-15', 70, '2025-06-15', 'new', NULL);
INSERT INTO entry (account_id, contract_id, line_id, valid_from, valid_to, mrr, term_end, start_event, end_event, state, end_known_on, term_start) VALUES
    -- Lost at the end of the term, said three weeks before.
    ('initech', 'C2', 'L2', '2024-02-01', '2025-02-01', 500, '2025-02-01', 'new', 'non_renewal', 'active', '2024-12-10', NULL),
    -- Month to month, cancelled.
    ('stark', 'C5', 'L5', '2024-01-10', '2025-04-10', 100, NULL, 'new', 'cancel', 'active', '2025-03-31', NULL),
    -- Two years, left after fourteen months.
    ('wayne', 'C6', 'L6', '2024-01-15', '2025-03-15', 800, '2026-01-15', 'new', 'early_termination', 'active', '2025-02-20', NULL),
    -- Stopped paying.
    ('massive', 'C7', 'L7', '2024-07-01', '2025-04-01', 120, '2025-07-01', 'new', NULL, 'active', NULL, NULL),
    ('massive', 'C7', 'L7', '2025-04-01', '2025-05-16', 120, '2025-07-01', NULL, 'involuntary', 'past_due', '2025-05-16', '2024-07-01'),
    -- Four months of pause.
    ('soylent', 'C8', 'L8', '2024-01-01', '2024-10-01', 80, NULL, 'new', 'pause', 'active', NULL, NULL),
    ('soylent', 'C8', 'L8', '2024-10-01', '2025-02-01', 80, NULL, NULL, NULL, 'paused', NULL, NULL),
    ('soylent', 'C8', 'L8', '2025-02-01', NULL, 80, NULL, 'resume', NULL, 'active', NULL, NULL),
    -- A pause without a row of its own, and nothing since.
    ('pied', 'C20', 'L20', '2024-05-01', '2025-01-01', 40, NULL, 'new', 'pause', 'active', NULL, NULL),
    -- One company under two ids: the contract moved.
    ('oscorp-old', 'C15', 'L15', '2023-01-01', '2024-07-01', 330, NULL, 'new', 'transfer_out', 'active', NULL, NULL),
    ('oscorp', 'C15', 'L15', '2024-07-01', NULL, 330, NULL, 'transfer_in', NULL, 'active', NULL, NULL),
    -- Cancelled in May for October.
    ('gekko', 'C18', 'L18', '2024-10-01', '2025-10-01', 210, '2025-10-01', 'new', 'non_renewal', 'active', '2025-05-20', NULL),
    -- Two weeks of trial.
    ('bluth', 'C19', 'L19', '2025-01-01', '2025-01-15', 0, NULL, 'new', NULL, 'trial', NULL, NULL),
    ('bluth', 'C19', 'L19', '2025-01-15', NULL, 45, NULL, 'new', NULL, 'active', NULL, NULL);
INSERT INTO entry (account_id, contract_id, line_id, valid_from, valid_to, mrr, term_end, start_event, end_event, known_on, superseded_on, auto_renew) VALUES
    -- Renews by itself, and the source did not write the new term.
    ('krusty', 'C14', 'L14', '2024-04-01', NULL, 55, '2025-04-01', 'new', NULL, NULL, NULL, true),
    -- Entered at 900, corrected to 950 in March; then more seats, known a month late.
    ('wonka', 'C21', 'L21', '2024-01-05', NULL, 900, '2026-01-05', 'new', NULL, '2024-01-05', '2024-03-01', true),
    ('wonka', 'C21', 'L21', '2024-01-05', '2024-08-01', 950, '2026-01-05', 'new', 'upgrade', '2024-03-01', NULL, true),
    ('wonka', 'C21', 'L21', '2024-08-01', NULL, 1150, '2026-01-05', 'upgrade', NULL, '2024-09-02', NULL, true);
INSERT INTO book
SELECT account_id, CASE WHEN account_id IN ('globex', 'initech') THEN 'lumon' END, contract_id, line_id, 'suite', valid_from, valid_to, state, mrr, round(mrr * 1.25, 2), mrr / 10, 'EUR', 1, 'advance',
       CASE WHEN term_end IS NOT NULL THEN COALESCE(term_start, CASE account_id WHEN 'wonka' THEN '2024-01-05' ELSE valid_from END) END, term_end, auto_renew, start_event, end_event,
       COALESCE(known_on, valid_from - 20)::timestamptz,
       CASE WHEN valid_to IS NOT NULL THEN COALESCE(end_known_on, CASE account_id WHEN 'wonka' THEN '2024-09-02' ELSE valid_to - 20 END)::timestamptz END,
       superseded_on::timestamptz, 'hand', line_id || ' ' || valid_from
FROM entry;
DROP TABLE entry;
