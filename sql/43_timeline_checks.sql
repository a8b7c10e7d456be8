-- What is wrong with a contract timeline: one row per broken rule, with what to do.

CREATE FUNCTION ltv.check_timeline(timeline regclass, rates regclass DEFAULT NULL, as_of date DEFAULT NULL, all_rules boolean DEFAULT false)
    RETURNS TABLE (rule text, severity text, n bigint, sample_keys text, what_to_do text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $check$
#variable_conflict use_column
DECLARE
    -- A rule without rates asks nothing of them.
    rate text := 'SELECT NULL::text AS currency, NULL::date AS valid_from, NULL::date AS valid_to WHERE false';
BEGIN
    IF timeline IS NULL THEN
        RAISE EXCEPTION 'timeline must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'The name of a table or view.';
    END IF;
    IF rates IS NOT NULL THEN
        rate := ltv.rates_query(rates);
    END IF;
    RETURN QUERY EXECUTE format($sql$
WITH given AS MATERIALIZED (
    SELECT r.account_id, COALESCE(r.parent_account_id, r.account_id) AS parent_id, r.contract_id, r.line_id, r.valid_from, NULLIF(r.valid_to, 'infinity') AS until, r.state, r.mrr,
           r.list_mrr, r.quantity, r.currency, r.billing_months, r.payment_timing, r.term_start, r.term_end, r.start_event, r.end_event, r.known_at, r.end_known_at, r.superseded_at,
           -- What is known later than the day of the check is reported and takes no part in other rules.
           COALESCE(r.known_at > $2, false) AS later,
           -- A span that ends the day before the day of the month comes round again was written with its last day, not the day after.
           extract(day FROM NULLIF(r.valid_to, 'infinity') + 1) = extract(day FROM r.valid_from) AS ends_early,
           extract(day FROM r.term_end + 1) = extract(day FROM COALESCE(r.term_start, r.valid_from)) AS term_early
    FROM (%1$s) r
    WHERE r.superseded_at IS NULL OR r.superseded_at > $2
), habit AS (
    -- One end looks early by chance; the habit of most rows does not.
    SELECT count(*) FILTER (WHERE ends_early) > count(*) FILTER (WHERE extract(day FROM until) = extract(day FROM valid_from)) AS ends_early,
           count(*) FILTER (WHERE term_early) > count(*) FILTER (WHERE extract(day FROM term_end) = extract(day FROM COALESCE(term_start, valid_from))) AS term_early
    FROM given WHERE NOT later
), account AS MATERIALIZED (
    SELECT account_id, min(valid_from) AS first_from, min(parent_id COLLATE "C") AS parent_id, max(parent_id COLLATE "C") AS other_parent_id
    FROM given WHERE NOT later AND account_id IS NOT NULL GROUP BY account_id
), contract AS (
    SELECT contract_id, min(currency COLLATE "C") <> max(currency COLLATE "C") AS mixed,
           min(account_id COLLATE "C") <> max(account_id COLLATE "C") AND NOT bool_or(start_event IS NOT DISTINCT FROM 'transfer_in') AS torn
    FROM given WHERE NOT later AND contract_id IS NOT NULL GROUP BY contract_id
), neighbours AS (
    SELECT g.*, lag(g.valid_from) OVER line AS before_from, max(COALESCE(g.until, 'infinity')) OVER line AS before_until, lag(g.end_known_at) OVER line AS before_end_known,
           lag(g.end_event) OVER line AS before_end_event, lead(g.valid_from) OVER line AS next_from,
           lag(CASE WHEN g.state <> 'trial' AND g.mrr > 0 THEN g.mrr / COALESCE(NULLIF(g.quantity, 0), 1) END) OVER line AS before_price
    FROM given g
    WHERE NOT g.later AND g.line_id IS NOT NULL
    WINDOW line AS (PARTITION BY g.line_id COLLATE "C" ORDER BY g.valid_from, g.until ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), flagged AS (
    SELECT s.line_id, s.valid_from, concat_ws(' ',
        CASE WHEN s.account_id IS NULL OR s.contract_id IS NULL OR isfinite(s.valid_from) IS NOT TRUE OR s.state IS NULL OR s.mrr IS NULL OR s.currency IS NULL THEN 'missing_value' END,
        CASE WHEN s.until <= s.valid_from THEN 'empty_interval' END,
        CASE WHEN s.before_from = s.valid_from THEN 'duplicate' WHEN s.before_until > s.valid_from THEN 'overlap' END,
        CASE WHEN s.before_until + 1 = s.valid_from OR s.ends_early AND h.ends_early OR s.term_early AND h.term_early THEN 'inclusive_end' END,
        CASE WHEN s.mrr < 0 OR s.list_mrr < 0 OR s.quantity < 0 THEN 'negative_amount' END,
        CASE WHEN s.mrr >= 'Infinity' OR s.mrr <= '-Infinity' OR s.list_mrr >= 'Infinity' OR s.list_mrr <= '-Infinity' OR s.quantity >= 'Infinity' OR s.quantity <= '-Infinity'
                  OR s.billing_months >= 'Infinity' OR s.billing_months <= '-Infinity' THEN 'not_a_number' END,
        CASE WHEN NOT ltv.is_currency(s.currency) THEN CASE WHEN ltv.is_currency(upper(btrim(s.currency))) THEN 'currency_case' ELSE 'unknown_currency' END END,
        CASE WHEN s.state NOT IN ('trial', 'active', 'past_due', 'paused') THEN 'unknown_state' END,
        CASE WHEN s.start_event NOT IN ('new', 'conversion', 'renewal', 'upgrade', 'downgrade', 'price_change', 'pause', 'resume', 'reactivation', 'coterm', 'transfer_in')
                  OR s.end_event NOT IN ('conversion', 'renewal', 'upgrade', 'downgrade', 'price_change', 'pause', 'resume', 'non_renewal', 'cancel', 'early_termination',
                                         'involuntary', 'coterm', 'transfer_out')
                  OR s.payment_timing NOT IN ('advance', 'arrears') THEN 'unknown_code' END,
        CASE WHEN s.billing_months <= 0 THEN 'billing_months' END,
        CASE WHEN s.end_known_at > $2 OR s.superseded_at > $2 THEN 'known_in_future' END,
        CASE WHEN s.end_known_at < s.known_at OR s.superseded_at < s.known_at THEN 'end_known_before_start' END,
        CASE WHEN s.before_until = s.valid_from AND COALESCE(s.before_end_known, s.valid_from) > s.known_at THEN 'end_known_late' END,
        CASE WHEN s.known_at IS NULL AND s.valid_from > $2 THEN 'start_in_future' END,
        CASE WHEN s.term_end <= s.term_start THEN 'term_backwards' WHEN s.term_end <= s.valid_from THEN 'outside_term' END,
        CASE WHEN s.until IS NULL AND s.end_event IS NOT NULL THEN 'end_event_on_open_row' END,
        -- The last row of a line. Its contract or account may go on: an ending has a reason all the same.
        CASE WHEN s.next_from IS NULL AND s.until <= $2 AND s.end_event IS NULL AND s.state <> 'trial' THEN 'missing_end_event' END,
        CASE WHEN s.term_end IS NULL AND (s.end_event = 'renewal' OR s.term_start IS NULL AND s.start_event = 'renewal') THEN 'renewal_without_term' END,
        CASE WHEN s.until IS NULL AND s.term_end <= $2 THEN 'past_term' END,
        CASE WHEN s.valid_from > s.before_until + 1 AND s.before_end_event IS DISTINCT FROM 'pause' AND s.start_event IS DISTINCT FROM 'reactivation' THEN 'gap' END,
        CASE WHEN s.mrr = 0 AND s.state IN ('active', 'past_due') THEN 'zero_mrr' END,
        CASE WHEN s.mrr > 0 AND (s.mrr / COALESCE(NULLIF(s.quantity, 0), 1) BETWEEN 95 * s.before_price AND 105 * s.before_price
                  OR s.before_price BETWEEN 95 * s.mrr / COALESCE(NULLIF(s.quantity, 0), 1) AND 105 * s.mrr / COALESCE(NULLIF(s.quantity, 0), 1)) THEN 'minor_units' END,
        CASE WHEN s.list_mrr > 50 * s.mrr AND s.mrr > 0 OR s.mrr > 50 * s.list_mrr THEN 'far_from_list' WHEN s.list_mrr < s.mrr THEN 'list_below_price' END
    ) AS rules
    FROM neighbours s CROSS JOIN habit h
), broken AS (
    SELECT concat_ws(' ', line_id, valid_from) AS key, rule FROM flagged, LATERAL string_to_table(rules, ' ') AS rule WHERE rules <> ''
    UNION ALL
    SELECT concat_ws(' ', COALESCE(line_id, contract_id, account_id, '(no key)'), valid_from), v.rule
    FROM given, LATERAL (VALUES ('known_in_future', later), ('missing_value', line_id IS NULL AND NOT later)) AS v (rule, holds)
    WHERE (later OR line_id IS NULL) AND v.holds
    UNION ALL
    SELECT contract_id, rule FROM contract, LATERAL (VALUES ('mixed_currencies', mixed), ('contract_in_two_accounts', torn)) AS v (rule, holds)
    WHERE (mixed OR torn) AND v.holds
    UNION ALL
    SELECT concat_ws(' ', g.line_id, g.valid_from), 'reactivation_without_history'
    FROM given g JOIN account a ON a.account_id = g.account_id AND a.first_from = g.valid_from WHERE g.start_event = 'reactivation' AND NOT g.later
    UNION ALL
    SELECT DISTINCT account_id, 'two_parents'
    FROM (SELECT g.account_id, min(g.valid_from) < max(max(COALESCE(g.until, 'infinity'))) OVER (PARTITION BY g.account_id ORDER BY min(g.valid_from), g.parent_id COLLATE "C"
                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS at_once
          FROM given g JOIN account a ON a.account_id = g.account_id AND a.parent_id <> a.other_parent_id WHERE NOT g.later GROUP BY g.account_id, g.parent_id) p
    WHERE at_once
    UNION ALL
    SELECT a.account_id, 'parent_of_parent' FROM account a JOIN account up ON up.account_id = a.other_parent_id
    WHERE a.other_parent_id <> a.account_id AND up.other_parent_id <> up.account_id
    UNION ALL
    SELECT concat_ws(' ', g.line_id, g.valid_from), 'no_rate'
    FROM given g LEFT JOIN (SELECT currency, min(valid_from) AS since, max(COALESCE(valid_to, 'infinity')) AS until FROM (%2$s) x GROUP BY currency) x ON x.currency = g.currency
    WHERE $1 AND NOT g.later AND ltv.is_currency(g.currency)
      AND (x.currency IS NULL OR x.since > g.valid_from OR x.until < LEAST(COALESCE(g.until, ($2)::date), ($2)::date))
), counted AS (
    SELECT rule, count(*) AS n, string_agg(key, ', ' ORDER BY place) FILTER (WHERE place <= 3) AS sample_keys
    FROM (SELECT rule, key, row_number() OVER (PARTITION BY rule ORDER BY key COLLATE "C") AS place FROM broken) b
    GROUP BY rule
)
SELECT r.rule, r.severity, COALESCE(c.n, 0), c.sample_keys, r.what_to_do
FROM (VALUES
    (1, 'inclusive_end', 'error', 'valid_to and term_end are the day after the last: add 1 to dates that name the last day.'),
    (2, 'missing_value', 'error', 'Fill account_id, contract_id, line_id, valid_from, state, mrr and currency, or leave the row out.'),
    (3, 'empty_interval', 'error', 'valid_to is the day after the last: it must be after valid_from. A line of one day ends the next.'),
    (4, 'duplicate', 'error', 'The same line twice over the same days counts twice: keep one row, or set superseded_at on the other.'),
    (5, 'overlap', 'error', 'A line has one price at a time: end the earlier row where the next begins, or set superseded_at on what was corrected.'),
    (6, 'negative_amount', 'error', 'Give amounts as run-rates of 0 or more: credit notes do not belong here, deltas of an amendment are to be summed.'),
    (7, 'not_a_number', 'error', 'Replace NaN and Infinity by the amount, or by NULL where mrr is not meant: every function that reads it refuses.'),
    (8, 'unknown_currency', 'error', 'Use a code of ISO 4217, such as EUR, USD or JPY.'),
    (9, 'currency_case', 'error', 'Write currencies in capitals, without spaces: upper(btrim(currency)).'),
    (10, 'mixed_currencies', 'error', 'One contract, one currency: split the contract, or convert it before.'),
    (11, 'no_rate', 'error', 'Add exchange rates for the currency that reach from the first day to the last.'),
    (12, 'unknown_state', 'error', 'Map the state to trial, active, past_due or paused; a cancelled line has no row.'),
    (13, 'unknown_code', 'error', 'Map start_event, end_event and payment_timing to the codes of ltv.contract_line (\d+ ltv.contract_line), or to NULL.'),
    (14, 'billing_months', 'error', 'Months between two invoices are more than 0: 1, 3, 12, or 12/52 for a week.'),
    (15, 'known_in_future', 'error', 'Something is known later than the day of the check: a wrong clock or time zone, or rows that a backtest must not see (timeline_asof).'),
    (16, 'end_known_before_start', 'error', 'Nothing ends or is corrected before it is known: check known_at, end_known_at and superseded_at.'),
    (17, 'end_event_on_open_row', 'error', 'An event without valid_to: give the day, or set end_event to NULL until there is one.'),
    (18, 'term_backwards', 'error', 'term_end must be after term_start.'),
    (19, 'two_parents', 'error', 'One parent at a time: end the rows under the old parent where the new one begins.'),
    (20, 'contract_in_two_accounts', 'warning', 'Mark the change of hands with transfer_out and transfer_in, or map duplicate accounts first (apply_account_map).'),
    (21, 'parent_of_parent', 'warning', 'parent_account_id is the ultimate parent: follow the chain to its end.'),
    (22, 'end_known_late', 'warning', 'The next row was known before the end of this one, so both are live in between: set end_known_at to known_at of the next.'),
    (23, 'missing_end_event', 'warning', 'The line ended and nothing says why: fill end_event (derive_outcomes proposes one).'),
    (24, 'reactivation_without_history', 'warning', 'Nothing of the account is known before: use new, or load its history.'),
    (25, 'outside_term', 'warning', 'The row begins when its term is over: give it the new term, or NULL when it runs month to month.'),
    (26, 'minor_units', 'warning', 'A factor of about 100 between neighbouring rows of a line: cents taken for units, or yen for cents?'),
    (27, 'far_from_list', 'warning', 'mrr and list_mrr differ by more than a factor of 50: of different periods, or in different units?'),
    (28, 'list_below_price', 'info', 'list_mrr is the price before discounts; below mrr the discount depth is negative.'),
    (29, 'renewal_without_term', 'info', 'A renewal needs the term that was renewed: fill term_start and term_end. A new price alone is no renewal.'),
    (30, 'past_term', 'info', 'The term is over and the row open: add the new term, end the row, or set term_end to NULL when it runs month to month.'),
    (31, 'gap', 'info', 'Nothing between two rows of the line: a late renewal, a pause without a row, or lost data.'),
    (32, 'zero_mrr', 'info', 'Active at no price: a free plan, or a line that is no recurring revenue.'),
    (33, 'start_in_future', 'info', 'Without known_at the row is unknown until it begins: fill known_at with the day of the signature.')
) AS r (place, rule, severity, what_to_do)
LEFT JOIN counted c ON c.rule = r.rule
WHERE c.n > 0 OR $3
ORDER BY r.place
$sql$, ltv.timeline_query(timeline, NULL, NULL, finite => false), rate)
    USING rates IS NOT NULL, ltv.end_of_day(COALESCE(as_of, current_date)), all_rules;
END
$check$;
COMMENT ON FUNCTION ltv.check_timeline(regclass, regclass, date, boolean) IS 'What is wrong with a timeline: one row per broken rule, none when it is clean; all_rules lists the others with n = 0. n rows (or contracts, or accounts) break the rule, sample_keys are the first three (line and first day). severity: error (numbers will be wrong), warning (labels or backtests suffer), info (may be meant so). rates, a relation of the shape of ltv.fx_rate, adds the rule no_rate. Corrected rows (superseded_at) are left out; what is known after as_of (default today) counts as known_in_future only.';
