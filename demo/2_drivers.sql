\echo
\echo '=== 2. What drives churn?'
\echo '    train fits a Cox model on named columns, keeps one row in five to judge it, and registers it as churn, version 1.'
\echo '    skill: how much of the error of a curve without features it takes away.'
\echo

SELECT model, version, n_rows, n_events, n_holdout, metric, round(value::numeric, 3) AS value,
       round(baseline_value::numeric, 3) AS baseline, round(skill::numeric, 3) AS skill, warnings
FROM ltv.train('churn', 'demo.telco', 'cox', duration => 'tenure', event => 'churned',
               features => ARRAY['contract', 'internet_service', 'payment_method', 'paperless_billing', 'online_security',
                                 'tech_support', 'partner', 'senior_citizen'],
               holdout => '{"by": "customer_id", "fraction": 0.2}', horizon => 12);

SELECT term, round(estimate::numeric, 3) AS coefficient, round(std_error::numeric, 3) AS std_error,
       round(hazard_ratio::numeric, 2) AS hazard_ratio, round(lower::numeric, 2) AS lower, round(upper::numeric, 2) AS upper,
       round(p_value::numeric, 4) AS p_value
FROM ltv.coefficients(ltv.model('churn@latest'))
ORDER BY abs(z) DESC;

\echo
\echo '    The SaaS company is synthetic, without planted signal: a check that the method finds nothing where nothing is.'
\echo '    Features are counted up to day 30 of a contract, and only what happened after day 30 is explained with them.'
\echo

SELECT n_rows AS contracts, n_events AS churned, warnings
FROM ltv.train('saas', 'demo.contracts', 'cox', duration => 'months', event => 'churned', entry => 'known_from',
               null_policy => 'drop',
               features => ARRAY['plan', 'seats', 'billing', 'auto_renew', 'is_trial', 'usage_per_month', 'errors_per_month',
                                 'tickets', 'notices']);

SELECT test, round(chi_squared::numeric, 2) AS chi_squared, df, round(p_value::numeric, 3) AS p_value,
       CASE WHEN p_value < 0.05 THEN 'the features tell something' ELSE 'nothing found: the features tell no more than chance' END AS verdict
FROM ltv.model_test(ltv.model('saas@latest'));

SELECT term, round(estimate::numeric, 3) AS coefficient, round(std_error::numeric, 3) AS std_error,
       round(hazard_ratio::numeric, 2) AS hazard_ratio, round(lower::numeric, 2) AS lower, round(upper::numeric, 2) AS upper,
       round(p_value::numeric, 4) AS p_value
FROM ltv.coefficients(ltv.model('saas@latest'))
ORDER BY abs(z) DESC;

\echo
\echo '    One p-value of ten below 0.05 is no surprise, and together they are what chance gives: do not act on them.'
\echo '    The company is valued below with the curve of all its contracts, not with this model.'
