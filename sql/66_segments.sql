-- Models of segments: one name, one version, a model for each.

CREATE FUNCTION ltv.model_segments(m ltv.model)
    RETURNS TABLE (segment text, n_rows bigint, n_events double precision, status text, weight double precision, reason text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 10 AS 'MODULE_PATHNAME', 'model_segments';
COMMENT ON FUNCTION ltv.model_segments(ltv.model) IS 'The segments of a model that train made with segment_by, in byte order of their values; no row for any other model. segment: the values of segment_by, " / " between them. status: own (a fit of its own), shrunken (a fit of its own, drawn to what the segments have in common), pooled (scored by the model of all rows). reason: of pooled why; of own what is to be known of its fit, as model_status tells it (stopped early at 3 trees); NULL where there is nothing. weight: how much of its coefficients is its own, on average over them: 1 for own, 0 for pooled. n_events is weighted where the rows are; of customers it is those with repeat purchases, of decisions the renewals, of amounts the rows with one.';

CREATE FUNCTION ltv.segment_coefficients(m ltv.model)
    RETURNS TABLE (segment text, term text, own double precision, common double precision, spread double precision, weight double precision,
                   estimate double precision, std_error double precision)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 50 AS 'MODULE_PATHNAME', 'segment_coefficients';
COMMENT ON FUNCTION ltv.segment_coefficients(ltv.model) IS 'The coefficients of each segment with a fit of its own, before and after partial pooling. own: as the segment''s rows alone have it; common: the mean among the segments, of all coefficients together by generalised least squares (Jackson, White & Thompson 2010); spread: their standard deviation between segments, tau of DerSimonian & Laird (1986); weight: how much of the estimate is the segment''s own (the diagonal of T (T + V)^-1: Laird & Ware 1982, Morris 1983); estimate and std_error: what scores. Without pooling own is the estimate, common and spread are NULL. Pooling takes the coefficients of a segment together, so that an intercept moves with the slopes: the estimate need not lie between own and common. Of renewal decisions and of amounts the level is told where it is drawn together, at the means of the covariates among all rows: (level at the means), a row whose choice of 0 is nobody''s. Of models of purchases the logarithms of the parameters are drawn together: common is e to their mean, spread the standard deviation of the logarithms. No row for a model without segments.';

CREATE FUNCTION ltv.segment_model(m ltv.model, segment text DEFAULT NULL) RETURNS ltv.model
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'segment_model';
COMMENT ON FUNCTION ltv.segment_model(ltv.model, text) IS 'The model by which the rows of a segment (as model_segments names it) are scored, as a value of its own: for coefficients, baseline and the like. Without a segment, the model of all rows. NULL for a NULL model. Error 22023 for a model without segments, or without that one.';

CREATE FUNCTION ltv.segment_of(m ltv.model, features record) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'segment_of_model';
COMMENT ON FUNCTION ltv.segment_of(ltv.model, record) IS 'The segment of a row, as model_segments names it, whether it has a model of its own or that of all rows. NULL for a segment that training never saw, a model without segments, and a NULL argument. Error 42703 for a missing column.';
CREATE FUNCTION ltv.segment_of(model text, features record) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'segment_of_name';
COMMENT ON FUNCTION ltv.segment_of(text, record) IS 'As segment_of(ltv.model, ...) with a registered model: name, name@alias or name@version.';
