\echo
\echo '=== 3. Will this contract still be there in 12 months, given how long it has lasted?'
\echo '    Plans differ so much that each gets its own model: one call, three models, the name made from the row.'
\echo '    The views leave out the subscribers held out, who are judges in 5.'
\echo

SELECT t.model, t.version, t.n_rows, t.n_events, t.warnings
FROM (VALUES ('Month-to-month', 'demo.telco_month_to_month'), ('One year', 'demo.telco_one_year'),
      ('Two year', 'demo.telco_two_year')) v (plan, source),
     LATERAL ltv.train('churn/' || v.plan, v.source::regclass, 'cox', duration => 'tenure', event => 'churned',
                       features => ARRAY['internet_service', 'payment_method', 'online_security', 'tech_support', 'partner']) t;

SELECT ltv.promote(model, version, reason => 'demo') FROM ltv.v_models
WHERE model LIKE 'churn/%' AND version = ltv.model_version(model || '@latest');

\echo
\echo '    Each live contract, the least likely to stay first (of 5,174)'
\echo

SELECT t.customer_id, t.contract, t.tenure, round(p.renewal_probability::numeric, 3) AS renewal,
       round(p.lower::numeric, 3) AS lower,
       round(p.upper::numeric, 3) AS upper, p.status
FROM demo.telco t, LATERAL ltv.predict('churn/' || t.contract, t, horizon => 12, given => t.tenure) p
WHERE NOT t.churned
ORDER BY p.renewal_probability, t.customer_id
LIMIT 10;

\echo
\echo '    and all of them by plan and age'
\echo

SELECT contract, CASE WHEN tenure < 12 THEN '0-11' WHEN tenure < 48 THEN '12-47' ELSE '48-72' END AS months_so_far,
       count(*) AS live,
       round(avg(ltv.renewal_probability('churn/' || t.contract, t, horizon => 12, given => t.tenure))::numeric, 3) AS renewal
FROM demo.telco t
WHERE NOT churned
GROUP BY 1, 2 ORDER BY 1, 2;
