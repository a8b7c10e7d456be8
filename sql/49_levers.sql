-- One lever at a time: what moves the value of an account, and how far.

CREATE FUNCTION ltv.sensitivity(curve ltv.survival, terms ltv.terms, lever text, at double precision[])
    RETURNS TABLE (value double precision, ltv numeric, delta numeric, elasticity double precision, status text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 5000 ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    base ltv.valuation := ltv.lifetime_value(curve, terms);
    now double precision;
    v ltv.valuation;
BEGIN
    IF lever IS NULL OR lever IN ('ramp', 'expansion_curve', 'discount_curve', 'billing', 'timing', 'tail', 'currency', 'as_of', 'value_basis', 'auto_renew') THEN
        RAISE EXCEPTION 'the lever must be one number of the terms, got %', lever
            USING ERRCODE = 'invalid_parameter_value', HINT = 'revenue moves a ramp, discount_rate takes the place of a discount_curve; what_if changes any terms together.';
    ELSIF terms IS NULL THEN
        RETURN;
    END IF;
    -- An unknown name is refused here; terms that are as usual are not in their text.
    PERFORM ltv.with_changes(terms, jsonb_build_object(lever, jsonb_build_object('plus', 0)));
    now := COALESCE(terms::text::jsonb ->> lever, (SELECT d.usual FROM (VALUES ('cost_to_serve', '0'), ('expansion', '0'), ('price_uplift', '0'),
        ('given', '0'), ('paid_months', '0'), ('acquisition_cost', '0'), ('notice_months', '0'), ('early_termination', '0'), ('termination_fee', '0'),
        ('payment_days', '0'), ('bad_debt', '0'), ('hazard_ratio', '1'), ('level', '0.95'), ('expansion_curve_months', '12')) AS d (name, usual) WHERE d.name = lever))::double precision;
    FOREACH value IN ARRAY COALESCE(at, '{}') LOOP
        CONTINUE WHEN value IS NULL;
        v := ltv.lifetime_value(curve, ltv.with_changes(terms, jsonb_build_object(lever, CASE
            -- A ramp is part of the price: it moves with it.
            WHEN lever = 'revenue' AND now > 0 THEN jsonb_build_object('times', value::numeric / now::numeric)
            ELSE to_jsonb(value) END)));
        ltv := v.ltv;
        delta := v.ltv - base.ltv;
        elasticity := CASE WHEN value > 0 AND now > 0 AND value <> now AND v.ltv > 0 AND base.ltv > 0
            THEN (ln(v.ltv) - ln(base.ltv))::double precision / (ln(value) - ln(now)) END;
        status := v.status;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.sensitivity(ltv.survival, ltv.terms, text, double precision[]) IS 'The value of an account with one number of its terms at each of some values: delta to the value on the terms as they are, and the elasticity between the two, ln(ltv / base) / ln(value / now), in percent of value per percent of the lever (NULL where a sign or a zero gives none). revenue moves a ramp with it. Everything else stays: leaving does not answer to a price unless hazard_ratio says so. Errors 22023 with the near names of an unknown lever.';

CREATE FUNCTION ltv.sensitivity(m ltv.model, features record, terms ltv.terms, lever text, at double precision[])
    RETURNS TABLE (value double precision, ltv numeric, delta numeric, elasticity double precision, status text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 5000 ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    base ltv.valuation;
    now double precision;
    v ltv.valuation;
    is_hybrid constant boolean := COALESCE(ltv.model_algorithm(m) = 'hybrid', false);
    hybrid record;
    told text;
BEGIN
    IF is_hybrid THEN
        SELECT h.* INTO hybrid FROM ltv.hybrid_scenario(m, features, terms) h;
        base := hybrid.value;
        told := hybrid.told;
    END IF;
    IF NOT COALESCE(lever = ANY (ltv.model_features(m)), false) THEN
        IF is_hybrid THEN
            RETURN QUERY SELECT s.value, s.ltv, s.delta, s.elasticity, concat_ws('; ', told, CASE WHEN told IS NULL OR s.status <> 'ok' THEN s.status END)
                         FROM ltv.sensitivity(ltv.hybrid_curve(m, features), ltv.hybrid_terms(m, features, terms), lever, at) s;
        ELSE
            RETURN QUERY SELECT s.* FROM ltv.sensitivity(ltv.predict_curve(m, features), terms, lever, at) s;
        END IF;
        RETURN;
    ELSIF NOT is_hybrid THEN
        base := ltv.lifetime_value(m, features, terms);
    END IF;
    now := CASE WHEN jsonb_typeof(to_jsonb(features) -> lever) = 'number' THEN (to_jsonb(features) ->> lever)::double precision END;
    FOREACH value IN ARRAY COALESCE(at, '{}') LOOP
        CONTINUE WHEN value IS NULL;
        IF is_hybrid THEN
            SELECT h.* INTO hybrid FROM ltv.hybrid_scenario(m, features, terms, jsonb_build_object('features', jsonb_build_object(lever, sensitivity.value))) h;
            v := hybrid.value;
        ELSE
            v := ltv.lifetime_value(m, ltv.with_features(m, features, jsonb_build_object(lever, value)), terms);
        END IF;
        ltv := v.ltv;
        delta := v.ltv - base.ltv;
        elasticity := CASE WHEN value > 0 AND now > 0 AND value <> now AND v.ltv > 0 AND base.ltv > 0
            THEN (ln(v.ltv) - ln(base.ltv))::double precision / (ln(value) - ln(now)) END;
        status := v.status;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.sensitivity(ltv.model, record, ltv.terms, text, double precision[]) IS 'As sensitivity(curve, terms, lever, at) for a row by a model; lever may also be a feature of the model that is a number: then what is associated with such rows, not what the change would cause. Of a hybrid terms are those that its components have filled for the row (hybrid_scenario).';

CREATE FUNCTION ltv.sensitivity(model text, features record, terms ltv.terms, lever text, at double precision[])
    RETURNS TABLE (value double precision, ltv numeric, delta numeric, elasticity double precision, status text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 6000 ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT s.* FROM ltv.sensitivity(ltv.model(model), features, terms, lever, at) s;
END
$$;
COMMENT ON FUNCTION ltv.sensitivity(text, record, ltv.terms, text, double precision[]) IS 'As sensitivity(ltv.model, ...) with a registered model: name, name@alias or name@version.';

CREATE FUNCTION ltv.levers(curve ltv.survival, terms ltv.terms, months double precision DEFAULT 12)
    RETURNS TABLE (lever text, step text, from_value text, to_value text, ltv numeric, delta numeric, delta_share double precision, currency text, status text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 20000 ROWS 12
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF terms IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH base AS (
        SELECT v.*, ltv.staying_probability(curve, terms, months) AS stays,
               ltv.staying_probability(curve, ltv.with_changes(terms, '{"early_termination": 0}'), months) AS renews, terms::text::jsonb AS t
        FROM ltv.lifetime_value(curve, terms) v
    ), said AS (
        SELECT b.*, COALESCE((b.t ->> 'margin')::numeric, 1) AS margin, COALESCE((b.t ->> 'cost_to_serve')::numeric, 0) AS cost_to_serve,
               COALESCE((b.t ->> 'price_uplift')::numeric, 0) AS price_uplift, COALESCE((b.t ->> 'expansion')::numeric, 0) AS expansion,
               COALESCE((b.t ->> 'hazard_ratio')::numeric, 1) AS hazard_ratio, (b.t ->> 'term_months')::numeric AS term_months,
               COALESCE((b.t ->> 'acquisition_cost')::numeric, 0) AS acquisition_cost, COALESCE((b.t ->> 'bad_debt')::numeric, 0) AS bad_debt, COALESCE((b.t ->> 'payment_days')::integer, 0) AS payment_days
        FROM base b
    ), step AS (
        SELECT x.*
        FROM said s, LATERAL (VALUES
            ('price', '+1 %', s.t ->> 'revenue', ((s.t ->> 'revenue')::numeric * 1.01)::text, '{"revenue": {"times": 1.01}}'::jsonb, true),
            ('discount rate', '-1 point', s.discount_rate::text, (s.discount_rate::numeric - 0.01)::text, '{"discount_rate": {"plus": -0.01}}', s.discount_rate > 0.01),
            ('retention', 'hazard -10 %', s.hazard_ratio::text, (s.hazard_ratio * 0.9)::text, '{"hazard_ratio": {"times": 0.9}}', true),
            -- S ^ r: the ratio that lifts S by a point is the quotient of the logarithms.
            ('renewal probability', '+1 point', round(s.renews::numeric, 4)::text, round(s.renews::numeric + 0.01, 4)::text,
                CASE WHEN s.renews BETWEEN 0.01 AND 0.985 THEN jsonb_build_object('hazard_ratio', jsonb_build_object('times', (ln(s.renews + 0.01) / ln(s.renews))::numeric)) END,
                s.renews BETWEEN 0.01 AND 0.985),
            ('term', '+12 months', s.term_months::text, (s.term_months + 12)::text, '{"term_months": {"plus": 12}}', s.term_months IS NOT NULL),
            ('price uplift', '+1 point', s.price_uplift::text, (s.price_uplift + 0.01)::text, '{"price_uplift": {"plus": 0.01}}', s.price_uplift <= 0.99),
            ('expansion', '+1 point', s.expansion::text, (s.expansion + 0.01)::text, '{"expansion": {"plus": 0.01}}', s.expansion <= 0.99),
            ('cost to serve', '-10 %', s.cost_to_serve::text, (s.cost_to_serve * 0.9)::text, '{"cost_to_serve": {"times": 0.9}}', s.cost_to_serve > 0),
            ('acquisition cost', '-10 %', s.acquisition_cost::text, (s.acquisition_cost * 0.9)::text, '{"acquisition_cost": {"times": 0.9}}', s.acquisition_cost > 0),
            ('margin', '+1 point', s.margin::text, (s.margin + 0.01)::text, '{"margin": {"plus": 0.01}}', s.margin <= 0.99),
            ('bad debt', '-10 %', s.bad_debt::text, (s.bad_debt * 0.9)::text, '{"bad_debt": {"times": 0.9}}', s.bad_debt > 0),
            ('payment', '30 days sooner', s.payment_days::text, (s.payment_days - 30)::text, '{"payment_days": {"plus": -30}}', s.payment_days >= 30),
            ('billing', 'a year in advance', concat_ws(' ', s.t ->> 'billing', s.t ->> 'timing'), 'annual advance', '{"billing": "annual", "timing": "advance"}',
                COALESCE(s.t ->> 'billing', 'monthly') <> 'annual' OR COALESCE(s.t ->> 'timing', 'advance') <> 'advance')
        ) AS x (lever, step, from_value, to_value, changes, possible)
        WHERE x.possible
    )
    SELECT s.lever, s.step, s.from_value, s.to_value, v.ltv, v.ltv - b.ltv, ((v.ltv - b.ltv) / NULLIF(abs(b.ltv), 0))::double precision, v.currency, v.status
    FROM step s, base b, LATERAL ltv.lifetime_value(curve, ltv.with_changes(terms, s.changes)) v
    ORDER BY abs(v.ltv - b.ltv) DESC NULLS LAST, s.lever COLLATE "C";
END
$$;
COMMENT ON FUNCTION ltv.levers(ltv.survival, ltv.terms, double precision) IS 'What moves the value of an account, the strongest first: one standard step of each lever alone, its ltv and delta, and delta as a share of the base. renewal probability: of being there months from now, lifted by a point by the hazard ratio that does so. Levers that the terms do not have, or that are at their end, have no row. The steps are of different size: they rank what a step like this is worth, not what is easy. delta says nothing of how a customer would answer.';

CREATE FUNCTION ltv.feature_steps(m ltv.model, features record) RETURNS TABLE (lever text, step text, from_value text, to_value jsonb)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 ROWS 8
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r constant jsonb := to_jsonb(features);
BEGIN
    RETURN QUERY
    WITH feature AS (
        -- A number that one of several models knows by its text, as cohorts do, is a number here.
        SELECT f.value ->> 'name' AS name, CASE WHEN jsonb_typeof(f.value -> 'kind') = 'object' OR jsonb_typeof(r -> (f.value ->> 'name')) NOT IN ('number', 'boolean') THEN to_jsonb(ltv.feature_levels(m, f.value ->> 'name')) END AS levels
        FROM jsonb_array_elements(m::text::jsonb #> '{model,features}') f
        WHERE f.value ->> 'name' = ANY (ltv.model_features(m))
    )
    -- A number ten percent up, or by one from 0; true and false the other; of a category each level that training saw.
    SELECT f.name, CASE WHEN (r ->> f.name)::numeric = 0 THEN '+1' ELSE '+10 %' END AS step, r ->> f.name AS from_value,
           CASE WHEN (r ->> f.name)::numeric = 0 THEN to_jsonb(1) ELSE to_jsonb(trim_scale((r ->> f.name)::numeric * 1.1)) END AS to_value
    FROM feature f WHERE f.levels IS NULL AND jsonb_typeof(r -> f.name) = 'number'
    UNION ALL
    SELECT f.name, 'the other', r ->> f.name, to_jsonb(NOT (r ->> f.name)::boolean)
    FROM feature f WHERE f.levels IS NULL AND jsonb_typeof(r -> f.name) = 'boolean'
    UNION ALL
    SELECT f.name, 'another level', r ->> f.name, l.level
    FROM feature f, jsonb_array_elements(f.levels) AS l (level) WHERE (l.level #>> '{}') IS DISTINCT FROM (r ->> f.name);
END
$$;
COMMENT ON FUNCTION ltv.feature_steps(ltv.model, record) IS 'One step of each feature of a model from where a row is: a number ten percent up (by one from 0), true or false the other, a category, a stratum or a segment at each other one that training saw. What levers values.';

CREATE FUNCTION ltv.levers(m ltv.model, features record, terms ltv.terms, months double precision DEFAULT 12)
    RETURNS TABLE (lever text, step text, from_value text, to_value text, ltv numeric, delta numeric, delta_share double precision, currency text, status text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 20000 ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF ltv.model_algorithm(m) = 'hybrid' THEN
        RETURN QUERY
        WITH base AS (
            SELECT (h.value).ltv, h.told FROM ltv.hybrid_scenario(m, features, terms) h
        ), told AS (
            SELECT l.lever, l.step, l.from_value, l.to_value, l.ltv, l.delta, l.delta_share, l.currency, concat_ws('; ', b.told, CASE WHEN b.told IS NULL OR l.status <> 'ok' THEN l.status END)
            FROM base b, LATERAL ltv.levers(ltv.hybrid_curve(m, features), ltv.hybrid_terms(m, features, terms), months) l
            UNION ALL
            SELECT s.lever, s.step, s.from_value, s.to_value #>> '{}', (h.value).ltv, (h.value).ltv - b.ltv, (((h.value).ltv - b.ltv) / NULLIF(abs(b.ltv), 0))::double precision, (h.value).currency, (h.value).status
            FROM base b, ltv.feature_steps(m, features) s, LATERAL ltv.hybrid_scenario(m, features, terms, jsonb_build_object('features', jsonb_build_object(s.lever, s.to_value))) h
        )
        SELECT t.* FROM told t ORDER BY abs(t.delta) DESC NULLS LAST, t.lever COLLATE "C", t.to_value COLLATE "C";
        RETURN;
    END IF;
    RETURN QUERY
    WITH base AS (
        SELECT v.ltv FROM ltv.lifetime_value(m, features, terms) v
    ), told AS (
        SELECT l.* FROM ltv.levers(ltv.predict_curve(m, features), terms, months) l
        UNION ALL
        SELECT s.lever, s.step, s.from_value, s.to_value #>> '{}', v.ltv, v.ltv - b.ltv, ((v.ltv - b.ltv) / NULLIF(abs(b.ltv), 0))::double precision, v.currency, v.status
        FROM ltv.feature_steps(m, features) s, base b, LATERAL ltv.lifetime_value(m, ltv.with_features(m, features, jsonb_build_object(s.lever, s.to_value)), terms) v
    )
    SELECT t.* FROM told t ORDER BY abs(t.delta) DESC NULLS LAST, t.lever COLLATE "C", t.to_value COLLATE "C";
END
$$;
COMMENT ON FUNCTION ltv.levers(ltv.model, record, ltv.terms, double precision) IS 'As levers(curve, terms) for a row by a model, and each of its features alone: a number ten percent up (by one from 0), true or false the other, a category at each other level that training saw (from none, where the row has none and the model takes such rows). What a feature moves is what is associated with it among the accounts of the training, not what changing it would cause. Of a hybrid the base is hybrid_value (terms NULL: its own), the levers of terms are moved from where its components have put them, and a feature moves all components that read it (hybrid_scenario).';

CREATE FUNCTION ltv.levers(model text, features record, terms ltv.terms, months double precision DEFAULT 12)
    RETURNS TABLE (lever text, step text, from_value text, to_value text, ltv numeric, delta numeric, delta_share double precision, currency text, status text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000 ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT l.* FROM ltv.levers(ltv.model(model), features, terms, months) l;
END
$$;
COMMENT ON FUNCTION ltv.levers(text, record, ltv.terms, double precision) IS 'As levers(ltv.model, ...) with a registered model: name, name@alias or name@version.';
