\echo
\echo '=== 4. What is each account worth?'
\echo '    Margin 60 %, billed monthly in advance, 10 % a year, over five years, given the tenure. Each row of cash_flows is an invoice.'
\echo

SELECT t.customer_id, t.contract, t.tenure, t.monthly_charges, f.year_1, f.year_2, f.year_3, f.year_4, f.year_5, f.ltv
FROM demo.telco t,
     LATERAL (SELECT sum(present_value) FILTER (WHERE period BETWEEN 1 AND 12) AS year_1, sum(present_value) FILTER (WHERE period BETWEEN 13 AND 24) AS year_2,
                     sum(present_value) FILTER (WHERE period BETWEEN 25 AND 36) AS year_3, sum(present_value) FILTER (WHERE period BETWEEN 37 AND 48) AS year_4,
                     sum(present_value) FILTER (WHERE period BETWEEN 49 AND 60) AS year_5, sum(present_value) AS ltv
              FROM ltv.cash_flows('churn/' || t.contract, t, revenue => t.monthly_charges, margin => 0.6, given => t.tenure)) f
WHERE NOT t.churned AND t.tenure <= 12
ORDER BY f.ltv DESC
LIMIT 10;
