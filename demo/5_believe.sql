\echo
\echo '=== 5. Should I believe it?'
\echo '    Telco: the subscribers held out, in six groups by predicted probability to stay 12 months. What happened is the curve'
\echo '    of each group, for many have not been there for 12 months: dropping them or counting them as stayers would be wrong.'
\echo

WITH predicted AS (
    SELECT t.customer_id, t.tenure, t.churned, ltv.renewal_probability('churn/' || t.contract, t, horizon => 12) AS p
    FROM demo.telco t WHERE t.held_out
), grouped AS (
    SELECT bin, count(*) AS n, avg(p) AS predicted, ltv.survival_agg(tenure, churned) AS s
    FROM (SELECT ntile(6) OVER (ORDER BY p, customer_id) AS bin, * FROM predicted) b GROUP BY bin
)
SELECT bin, n, round(predicted::numeric, 3) AS predicted, round(o.survival::numeric, 3) AS observed,
       round(o.lower::numeric, 3) AS lower, round(o.upper::numeric, 3) AS upper
FROM grouped, LATERAL ltv.survival_interval(s, 12) o
ORDER BY bin;

\echo
\echo '    The order is right, and five of six groups are where they should be. In the one least likely to stay more left than was'
\echo '    said: at that end the model errs by some points, and the table tells.'
\echo
\echo '    Licences, by date as it should be: train on what was known on 31 December 2015, predict who of those live then is still'
\echo '    there two years later, given their age, and look what had happened by 31 December 2017.'
\echo

SELECT t.model, t.n_rows, t.n_events, t.warnings
FROM (VALUES ('licence', 'cox', ARRAY['kind', 'application_type', 'outdoor_patio', 'public_place_of_amusement',
                                      'limited_business_license']),
             ('licence by age', 'kaplan_meier', '{}')) v (model, algorithm, features),
     LATERAL ltv.train(v.model, 'demo.licences_2015', v.algorithm, duration => 'days', event => 'lapsed', entry => 'entry_days',
                       features => v.features, note => 'as known on 31 December 2015') t;

CREATE VIEW demo.licences_judged AS
SELECT k.license_number, NOT l.lapsed AS still_there,
       ltv.renewal_probability('licence@latest', k, horizon => 731, given => k.days) AS predicted,
       ltv.renewal_probability('licence by age@latest', k, horizon => 731, given => k.days) AS by_age_alone
FROM demo.licences_2015 k JOIN demo.licences l USING (license_number)
WHERE l.first_term_start + l.exit_days > DATE '2015-12-31';

SELECT bin, n, round(mean_predicted::numeric, 3) AS predicted, round(observed::numeric, 3) AS observed,
       round(lower::numeric, 3) AS lower, round(upper::numeric, 3) AS upper, round(gap::numeric, 3) AS gap
FROM (SELECT ltv.calibration_agg(predicted, still_there) AS c FROM demo.licences_judged) q,
     LATERAL ltv.calibration_curve(c, bins => 6);

SELECT round(ltv.brier(c)::numeric, 4) AS brier, round(ltv.brier(a)::numeric, 4) AS brier_by_age_alone,
       round(ltv.auc(c)::numeric, 3) AS auc, round(ltv.auc(a)::numeric, 3) AS auc_by_age_alone
FROM (SELECT ltv.calibration_agg(predicted, still_there) AS c, ltv.calibration_agg(by_age_alone, still_there) AS a
      FROM demo.licences_judged) q;

\echo
\echo '    The probabilities are right within a few points, but a licence file hardly tells who will lapse: an AUC of 0.57 says so.'
\echo '    A forecast of how many renew can be trusted here, a ranking of who will not cannot.'
