\echo
\echo '=== 4. What is each account worth?'
\echo '    Each row of cash_flows is an expected invoice: here 60 % margin, monthly in advance, 10 % a year, over 60 months,'
\echo '    given the tenure. The ten most valuable of those who came in the last year:'
\echo

SELECT t.customer_id, t.contract, t.tenure, t.monthly_charges, f.*
FROM demo.telco t,
     LATERAL (SELECT sum(present_value) FILTER (WHERE due_months < 12) AS year_1,
                     sum(present_value) FILTER (WHERE due_months >= 12 AND due_months < 24) AS year_2,
                     sum(present_value) FILTER (WHERE due_months >= 24 AND due_months < 36) AS year_3,
                     sum(present_value) FILTER (WHERE due_months >= 36 AND due_months < 48) AS year_4,
                     sum(present_value) FILTER (WHERE due_months >= 48) AS year_5,
                     sum(present_value) AS ltv
              FROM ltv.cash_flows('churn/' || t.contract, t, revenue => t.monthly_charges, margin => 0.6, given => t.tenure)) f
WHERE NOT t.churned AND t.tenure <= 12
ORDER BY f.ltv DESC, t.customer_id
LIMIT 10;

\echo
\echo '    lifetime_value is the same sum, with its uncertainty and with what it rests on. tail_share: the share that falls due'
\echo '    beyond the 72 months that anyone was observed for.'
\echo

SELECT t.contract, count(*) AS live, sum(v.ltv) AS ltv, round(avg(v.ltv), 2) AS per_account,
       round(avg(v.expected_lifetime)::numeric, 1) AS months_to_come,
       round((sum(v.tail_value) / sum(v.ltv)), 3) AS tail_share, count(*) FILTER (WHERE v.ltv <> f.ledger) AS ledgers_that_differ
FROM demo.telco t,
     LATERAL ltv.lifetime_value('churn/' || t.contract, t, revenue => t.monthly_charges, margin => 0.6, given => t.tenure) v,
     LATERAL (SELECT sum(present_value) AS ledger
              FROM ltv.cash_flows('churn/' || t.contract, t, revenue => t.monthly_charges, margin => 0.6, given => t.tenure)) f
WHERE NOT t.churned
GROUP BY t.contract ORDER BY t.contract;

\echo
\echo '    The SaaS company: accounts summed over their live subscriptions, each billed monthly or annually and valued from'
\echo '    31 December 2024 on with the curve of all contracts. An annual invoice that is paid for comes back in paid_months.'
\echo

SELECT c.account_name, count(DISTINCT c.contract_id) AS contracts,
       count(DISTINCT c.contract_id) FILTER (WHERE c.billing = 'annual') AS annual,
       sum(f.present_value) FILTER (WHERE f.due_on < '2026-01-01') AS in_2025,
       sum(f.present_value) FILTER (WHERE f.due_on >= '2026-01-01') AS in_2026,
       sum(f.present_value) AS ltv_24_months
FROM (SELECT ltv.survival_agg(months, churned) AS s FROM demo.contracts) q,
     demo.contracts c,
     LATERAL ltv.cash_flows(q.s, revenue => c.mrr, margin => 0.8, horizon => 24, billing => c.billing, given => c.months,
                            paid_months => CASE c.billing WHEN 'annual' THEN 11 - floor(c.months)::integer % 12 ELSE 0 END,
                            as_of => '2024-12-31') f
WHERE NOT c.churned AND NOT c.is_trial
GROUP BY c.account_id, c.account_name
ORDER BY ltv_24_months DESC
LIMIT 10;
