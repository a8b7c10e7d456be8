-- Regression of the cumulative incidence of one cause (Fine & Gray 1999).

CREATE FUNCTION ltv._cause_design_add(state ltv.design, duration double precision, cause integer, covariates double precision[]) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'cause_design_add';
COMMENT ON FUNCTION ltv._cause_design_add(ltv.design, double precision, integer, double precision[]) IS 'Transition function of cause_design_agg and fit_fine_gray.';
CREATE FUNCTION ltv._cause_design_add(state ltv.design, duration double precision, cause integer, covariates double precision[], weight double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'cause_design_add_weight';
COMMENT ON FUNCTION ltv._cause_design_add(ltv.design, double precision, integer, double precision[], double precision) IS 'Transition function of cause_design_agg and fit_fine_gray.';
CREATE FUNCTION ltv._cause_design_add(state ltv.design, entry double precision, duration double precision, cause integer, covariates double precision[], weight double precision) RETURNS ltv.design
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'cause_design_add_entry_weight';
COMMENT ON FUNCTION ltv._cause_design_add(ltv.design, double precision, double precision, integer, double precision[], double precision) IS 'Transition function of cause_design_agg and fit_fine_gray.';

CREATE FUNCTION ltv._fit_fine_gray(state ltv.design) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_fine_gray_final';
COMMENT ON FUNCTION ltv._fit_fine_gray(ltv.design) IS 'Final function of fit_fine_gray.';

CREATE AGGREGATE ltv.cause_design_agg(duration double precision, cause integer, covariates double precision[]) (
    SFUNC = ltv._cause_design_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.cause_design_agg(double precision, integer, double precision[]) IS 'Gathers the rows of a regression with what ended each: cause 1 to 255, 0 when it still ran. For fit_fine_gray(design, cause, ties); a fit that asks only whether there was an event takes an ending by any cause for one. Rows with a NULL are left out and counted. Errors 22023.';

CREATE AGGREGATE ltv.fit_fine_gray(duration double precision, cause integer, covariates double precision[]) (
    SFUNC = ltv._cause_design_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_fine_gray, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_fine_gray(double precision, integer, double precision[]) IS 'Fits the subdistribution model of Fine & Gray (1999) for cause 1 as an aggregate: how the share that ends by this cause moves with the covariates, whichever way they work. cause: 1 for the cause of interest, 2 to 255 for others, 0 when the contract still ran. covariates: the same number of finite values in every row, named x1, x2, ... in the model. Equal to R''s finegray() with coxph(weights = fgwt, cluster = id), Efron ties; standard errors are the robust ones; crr of cmprsk treats ties of censorings otherwise and differs in the third digit. Rows with a NULL are left out. NULL when no row is left; see model_status. predict and predict_curve speak of one less the incidence of the cause, from the start of a contract. For another cause or Breslow ties: cause_design_agg and fit_fine_gray(design, ...). Errors 22023.';

CREATE AGGREGATE ltv.cause_design_agg(duration double precision, cause integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._cause_design_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.cause_design_agg(double precision, integer, double precision[], double precision) IS 'As cause_design_agg(duration, cause, covariates). Each row counts weight times (finite, greater than 0), in the weights for those who ended by another cause too.';

CREATE AGGREGATE ltv.fit_fine_gray(duration double precision, cause integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._cause_design_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_fine_gray, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_fine_gray(double precision, integer, double precision[], double precision) IS 'As fit_fine_gray(duration, cause, covariates). Each row counts weight times (finite, greater than 0), in the weights for those who ended by another cause too.';

CREATE AGGREGATE ltv.cause_design_agg(entry double precision, duration double precision, cause integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._cause_design_add, STYPE = ltv.design, SSPACE = 65536, COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.cause_design_agg(double precision, double precision, integer, double precision[], double precision) IS 'As cause_design_agg(duration, cause, covariates). With delayed entry: at risk at t when entry < t <= duration, weighted as by Geskus (2011). An entry of 0 is none, a weight of 1 neutral.';

CREATE AGGREGATE ltv.fit_fine_gray(entry double precision, duration double precision, cause integer, covariates double precision[], weight double precision) (
    SFUNC = ltv._cause_design_add, STYPE = ltv.design, SSPACE = 65536, FINALFUNC = ltv._fit_fine_gray, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = ltv._fit_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE ltv.fit_fine_gray(double precision, double precision, integer, double precision[], double precision) IS 'As fit_fine_gray(duration, cause, covariates). With delayed entry: at risk at t when entry < t <= duration, weighted as by Geskus (2011). An entry of 0 is none, a weight of 1 neutral.';

CREATE FUNCTION ltv.fit_fine_gray(d ltv.design, cause integer DEFAULT 1, ties text DEFAULT 'efron') RETURNS ltv.model
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fit_fine_gray';
COMMENT ON FUNCTION ltv.fit_fine_gray(ltv.design, integer, text) IS 'As the aggregate fit_fine_gray, for any cause of a design whose rows have causes (cause_design_agg). ties: efron (default) or breslow. NULL for a design without rows. Errors 22023.';
