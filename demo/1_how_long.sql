\echo
\echo '=== 1. How long do customers stay, by plan?'
\echo '    survival_agg counts a cohort; curve, median and interval read it. Lower and upper are 95 % limits.'
\echo

SELECT contract, ltv.subjects(s) AS n, ltv.events(s) AS churned, ltv.median(s) AS median_months,
       c.t AS month, c.at_risk, round(c.survival::numeric, 3) AS survival, round(c.lower::numeric, 3) AS lower,
       round(c.upper::numeric, 3) AS upper
FROM (SELECT contract, ltv.survival_agg(tenure, churned) AS s FROM demo.telco GROUP BY contract) q,
     LATERAL ltv.curve(s, at => '{12, 24, 48, 72}') c
ORDER BY contract, c.t;

\echo
\echo '    Is the difference between the plans real? The log-rank test says so.'
\echo

SELECT round(r.chi_squared::numeric, 1) AS chi_squared, r.df, r.p_value
FROM (SELECT array_agg(s) AS curves FROM (SELECT ltv.survival_agg(tenure, churned) AS s FROM demo.telco GROUP BY contract) g) c,
     LATERAL ltv.log_rank(c.curves) r;

\echo
\echo '    Licences are inspected, and so known, only some days after they began: entry_days is that delayed entry.'
\echo '    Without it those who lapsed early would be missing and the curves too high.'
\echo

SELECT kind, ltv.subjects(s) AS n, ltv.events(s) AS lapsed, round(ltv.median(s)::numeric, 1) AS median_years,
       c.t AS year, c.at_risk, round(c.survival::numeric, 3) AS survival, round(c.lower::numeric, 3) AS lower,
       round(c.upper::numeric, 3) AS upper
FROM (SELECT kind, ltv.survival_agg(entry_days / 365.25, exit_days / 365.25, lapsed) AS s FROM demo.licences GROUP BY kind) q,
     LATERAL ltv.curve(s, at => '{1, 2.1, 4.1, 10}') c
ORDER BY kind, c.t;

SELECT round(r.chi_squared::numeric, 1) AS chi_squared, r.df, r.p_value
FROM (SELECT array_agg(s) AS curves
      FROM (SELECT ltv.survival_agg(entry_days / 365.25, exit_days / 365.25, lapsed) AS s FROM demo.licences GROUP BY kind) g) c,
     LATERAL ltv.log_rank(c.curves) r;

\echo
\echo '    The SaaS company''s plans do not differ: the same test finds nothing where nothing is (R says 0.773, too).'
\echo

SELECT round(r.chi_squared::numeric, 3) AS chi_squared, r.df, round(r.p_value::numeric, 3) AS p_value
FROM (SELECT array_agg(s) AS curves FROM (SELECT ltv.survival_agg(months, churned) AS s FROM demo.contracts GROUP BY plan) g) c,
     LATERAL ltv.log_rank(c.curves) r;
