\echo
\echo '=== 7. Which 20 accounts have the most value at risk?'
\echo '    Scores are computed once, into a table of yours; a plain view shows them to a BI tool: ordinary types, a comment on each column.'
\echo '    Value at risk: the probability to leave within a year, times what the four years after it are worth to us now.'
\echo

CREATE TABLE demo.scores AS
SELECT t.customer_id, p.event_probability, p.lower, p.upper, v.ltv, v.lower AS ltv_lower, v.upper AS ltv_upper,
       v.tail_share, v.status, p.event_probability * later.ltv::float8 / 1.10 AS value_at_risk,
       'churn/' || t.contract || '@' || ltv.model_version('churn/' || t.contract) AS model, now() AS scored_at
FROM demo.telco t,
     LATERAL ltv.predict('churn/' || t.contract, t, horizon => 12, given => t.tenure) p,
     LATERAL ltv.lifetime_value('churn/' || t.contract, t, revenue => t.monthly_charges, margin => 0.6, given => t.tenure) v,
     LATERAL ltv.lifetime_value('churn/' || t.contract, t, revenue => t.monthly_charges, margin => 0.6, given => t.tenure + 12,
                                horizon => 48) later
WHERE NOT t.churned;

CREATE VIEW demo.v_customer_value AS
SELECT s.customer_id, t.contract AS plan, t.tenure::bigint AS tenure_months, t.monthly_charges,
       s.event_probability AS churn_probability_12m,
       s.ltv::numeric(18,2) AS ltv_60m, s.ltv_lower::numeric(18,2) AS ltv_lower, s.ltv_upper::numeric(18,2) AS ltv_upper,
       s.value_at_risk::numeric(18,2) AS value_at_risk, s.status <> 'ok' AS is_extrapolated, s.tail_share, 'contribution'::text AS value_basis, 'USD'::text AS currency, s.model,
       s.scored_at
FROM demo.scores s JOIN demo.telco t USING (customer_id);

\set ECHO none
COMMENT ON VIEW demo.v_customer_value IS 'What each live subscriber is worth and how likely to leave. One row per customer.';
COMMENT ON COLUMN demo.v_customer_value.customer_id IS 'The subscriber.';
COMMENT ON COLUMN demo.v_customer_value.plan IS 'Month-to-month, One year or Two year.';
COMMENT ON COLUMN demo.v_customer_value.tenure_months IS 'Months with the company.';
COMMENT ON COLUMN demo.v_customer_value.monthly_charges IS 'Price a month.';
COMMENT ON COLUMN demo.v_customer_value.churn_probability_12m IS 'Probability, 0 to 1, to leave within 12 months, given the tenure.';
COMMENT ON COLUMN demo.v_customer_value.ltv_60m IS 'Present value of the expected contribution of the next 60 months: 60 % of the price, 10 % a year.';
COMMENT ON COLUMN demo.v_customer_value.ltv_lower IS 'Lower 95 % limit of ltv_60m, by the uncertainty of the curve.';
COMMENT ON COLUMN demo.v_customer_value.ltv_upper IS 'Upper 95 % limit of ltv_60m.';
COMMENT ON COLUMN demo.v_customer_value.value_at_risk IS 'What leaving within 12 months is expected to cost: churn_probability_12m times the value now of the four years after them.';
COMMENT ON COLUMN demo.v_customer_value.is_extrapolated IS 'Part of ltv_60m falls due beyond the 72 months that anyone was observed for: see tail_share.';
COMMENT ON COLUMN demo.v_customer_value.tail_share IS 'Share of ltv_60m that falls due beyond those 72 months.';
COMMENT ON COLUMN demo.v_customer_value.value_basis IS 'What the value counts: contribution is price less cost.';
COMMENT ON COLUMN demo.v_customer_value.currency IS 'ISO 4217.';
COMMENT ON COLUMN demo.v_customer_value.model IS 'The model and version that said so.';
COMMENT ON COLUMN demo.v_customer_value.scored_at IS 'When.';
\set ECHO queries

SELECT customer_id, plan, tenure_months, monthly_charges, round(churn_probability_12m::numeric, 3) AS churn_12m, ltv_60m,
       ltv_lower, ltv_upper, value_at_risk, round(tail_share::numeric, 2) AS tail_share
FROM demo.v_customer_value
ORDER BY value_at_risk DESC, customer_id
LIMIT 20;
