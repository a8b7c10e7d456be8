-- What is read off a fitted Cox model and its rows: residuals, the test of proportional hazards, concordance.

CREATE FUNCTION ltv.cox_residuals(
    d ltv.design, m ltv.model, kind text DEFAULT 'martingale',
    OUT row_number bigint, OUT cluster text, OUT t double precision, OUT term text, OUT residual double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 ROWS 5000 AS 'MODULE_PATHNAME', 'cox_residuals';
COMMENT ON FUNCTION ltv.cox_residuals(ltv.design, ltv.model, text) IS 'Residuals of the rows to which a Cox model was fitted; row_number counts from 1 in the order of design_agg(... ORDER BY ...), t is when the row left, cluster its cluster. kind: martingale (events less expected events) and deviance, one per row, term NULL; score, dfbeta (by how much the coefficient would fall without the row), dfbetas (in standard errors), one per row and term; schoenfeld and scaled-schoenfeld, one per event and term. Weighted: dfbeta and dfbetas only. NULL for a term without a coefficient. Sum by cluster for those of clusters. As residuals.coxph of R; Therneau, Grambsch & Fleming 1990, Schoenfeld 1982, Grambsch & Therneau 1994. Errors 22023 when the model was not fitted to this design.';

CREATE FUNCTION ltv.proportional_hazards_test(
    d ltv.design, m ltv.model, transform text DEFAULT 'km', terms text[] DEFAULT NULL,
    OUT term text, OUT chi_squared double precision, OUT df integer, OUT p_value double precision
) RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10 AS 'MODULE_PATHNAME', 'proportional_hazards_test';
COMMENT ON FUNCTION ltv.proportional_hazards_test(ltv.design, ltv.model, text, text[]) IS 'Does a hazard ratio hold at all times? A score test per term and of all together (GLOBAL, the last row) against coefficients that change with a transform of time: km (1 - Kaplan-Meier of all rows, before t), rank, identity or log. A term is a feature of the model, the columns of a category one; or terms names every covariate, and those of one name are tested together. Exact, as cox.zph of R since survival 3.0 (Grambsch & Therneau 1994 without their approximation). A small p_value: they change. NULL where the data cannot tell. Errors 22023 when the model was not fitted to this design.';

CREATE FUNCTION ltv.concordance(
    d ltv.design, m ltv.model,
    OUT concordance double precision, OUT std_error double precision, OUT concordant double precision,
    OUT discordant double precision, OUT tied_risk double precision, OUT tied_time double precision, OUT tied_both double precision
) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'model_concordance';
COMMENT ON FUNCTION ltv.concordance(ltv.design, ltv.model) IS 'How well a Cox model orders rows by who has the event first (Harrell, Lee & Mark 1996), with its standard error by the infinitesimal jackknife, in which the rows of a cluster count together; 0.5 is chance. Pairs of the same stratum only: concordant, discordant, tied in the linear predictor, both with the event at the same time (tied_time), and that with the same linear predictor (tied_both); with weights the sums of their products. The design may be other than the one that was fitted, with the same covariates. As concordance(coxph) of R. Errors 22023.';
