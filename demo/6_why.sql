\echo
\echo '=== 6. Why this customer?'
\echo '    The parts add up: this row''s probability to leave within a year less that of the average training row, then the same in'
\echo '    money, to the cent. It is what the model associates, not what a change would do.'
\echo

SELECT e.rank, e.feature, e.value, round(e.contribution::numeric, 3) AS contribution, e.direction,
       round(e.baseline::numeric, 3) AS average_row, round(e.prediction::numeric, 3) AS this_row
FROM demo.telco t, LATERAL ltv.explain('churn/' || t.contract, t, given => t.tenure) e
WHERE t.customer_id = '4488-KQFDT';

SELECT e.rank, e.feature, e.value, e.contribution, e.baseline AS average_row, e.prediction AS this_row
FROM demo.telco t,
     LATERAL ltv.explain_value('churn/' || t.contract, t, revenue => t.monthly_charges, margin => 0.6, given => t.tenure) e
WHERE t.customer_id = '4488-KQFDT';

\echo '    And if the offer were another one?'
SELECT w.scenario, round(w.renewal_probability::numeric, 3) AS renewal, round(w.expected_lifetime::numeric, 1) AS months,
       w.ltv, w.delta, w.status
FROM demo.telco t,
     LATERAL ltv.what_if('churn/' || t.contract, t,
                         ltv.contract_terms(revenue => t.monthly_charges, margin => 0.6, given => t.tenure),
                         '{"5 % off": {"revenue": {"times": 0.95}}, "two years only": {"horizon": 24},
                           "5 % off, and a tenth less likely to leave": {"revenue": {"times": 0.95}, "hazard_ratio": 0.9}}') w
WHERE t.customer_id = '4488-KQFDT';
