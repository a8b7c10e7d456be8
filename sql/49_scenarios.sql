-- Questions of what if: other terms, other features, one lever at a time, a grid of offers.

CREATE FUNCTION ltv.with_scenario(terms ltv.terms, scenario jsonb) RETURNS ltv.terms
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 500
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    price_change numeric;
    elasticity double precision := 0;
    changes jsonb;
BEGIN
    IF jsonb_typeof(scenario) <> 'object' THEN
        RAISE EXCEPTION 'a scenario must be an object of changes, got %', left(scenario::text, 60)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Such as {"term_months": 24, "revenue": {"times": 0.9}}.';
    END IF;
    changes := scenario - '{features,price_change,elasticity}'::text[];
    IF scenario ? 'price_change' THEN
        IF jsonb_typeof(scenario -> 'price_change') <> 'number' OR jsonb_typeof(scenario -> 'elasticity') <> 'number' THEN
            RAISE EXCEPTION 'price_change and elasticity must be numbers, got % and %', scenario -> 'price_change', scenario -> 'elasticity'
                USING ERRCODE = 'invalid_parameter_value', HINT = '{"price_change": 0.05, "elasticity": 1.5}: five percent dearer.';
        END IF;
        price_change := (scenario ->> 'price_change')::numeric;
        elasticity := COALESCE((scenario ->> 'elasticity')::double precision, 0);
        IF price_change <= -1 OR price_change > 10 OR abs(elasticity) > 100 THEN
            RAISE EXCEPTION 'price_change must be above -1 and at most 10, elasticity from -100 to 100; got % and %', price_change, elasticity
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Shares: 0.05 is five percent. elasticity: percent of hazard per percent of price.';
        ELSIF changes ? 'revenue' OR (elasticity <> 0 AND changes ? 'hazard_ratio') THEN
            RAISE EXCEPTION 'price_change says the same as revenue and hazard_ratio'
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Give price_change with elasticity, or revenue and hazard_ratio.';
        END IF;
        changes := changes || jsonb_build_object('revenue', jsonb_build_object('times', 1 + price_change));
        IF elasticity <> 0 THEN
            changes := changes || jsonb_build_object('hazard_ratio',
                jsonb_build_object('times', power((1 + price_change)::double precision, elasticity)::numeric));
        END IF;
    ELSIF scenario ? 'elasticity' THEN
        RAISE EXCEPTION 'elasticity is given without price_change'
            USING ERRCODE = 'invalid_parameter_value', HINT = '{"price_change": 0.05, "elasticity": 1.5}: five percent dearer.';
    END IF;
    RETURN ltv.with_changes(terms, changes);
END
$$;
COMMENT ON FUNCTION ltv.with_scenario(ltv.terms, jsonb) IS 'The terms in a scenario: with_changes, and beside the terms price_change with elasticity, {"price_change": 0.05, "elasticity": 1.5}: revenue (and ramp) times 1.05 and hazard_ratio times 1.05 ^ 1.5. The elasticity of leaving by price is yours to say (0 when it is left out): nothing here infers it. features, which with_features reads, are passed over. Errors 22023.';

CREATE FUNCTION ltv.with_features(m ltv.model, features record, changes jsonb) RETURNS record
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 500
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known text[] := ltv.model_features(m);
    before jsonb;
    name text;
    change jsonb;
    changed jsonb := '{}';
    near text;
BEGIN
    IF m IS NULL OR features IS NULL OR changes IS NULL OR changes = '{}' THEN
        RETURN features;
    ELSIF jsonb_typeof(changes) <> 'object' THEN
        RAISE EXCEPTION 'changes of features must be an object, got %', left(changes::text, 60)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Such as {"contract": "Two year", "seats": {"times": 1.1}}.';
    END IF;
    before := to_jsonb(features);
    FOR name, change IN SELECT e.key, e.value FROM jsonb_each(changes) e LOOP
        IF NOT name = ANY (known) THEN
            -- Those first that share most pairs of letters with it.
            SELECT string_agg(k.feature, ', ' ORDER BY k.shared DESC, k.feature COLLATE "C")
            INTO near
            FROM (SELECT feature, (SELECT count(*) FROM generate_series(1, length(name) - 1) i WHERE strpos(lower(feature), lower(substr(name, i, 2))) > 0) AS shared
                  FROM unnest(known) feature) k;
            RAISE EXCEPTION 'the model has no feature "%"', name
                USING ERRCODE = 'invalid_parameter_value', HINT = COALESCE('It has ' || near || '.', 'It has none.') || ' Changes of terms stand beside "features".';
        ELSIF NOT before ? name THEN
            RAISE EXCEPTION 'the row has no column "%"', name
                USING ERRCODE = 'undefined_column', HINT = 'A row must have all features of the model.';
        END IF;
        IF jsonb_typeof(change) = 'object' THEN
            IF change - '{times,plus}'::text[] <> '{}' OR change = '{}' OR jsonb_path_exists(change, '$.* ? (@.type() != "number")')
               OR jsonb_typeof(before -> name) NOT IN ('number', 'null') THEN
                RAISE EXCEPTION '% is no change of feature "%", which is %', change, name, before -> name
                    USING ERRCODE = 'invalid_parameter_value', HINT = 'A new value; or of a number {"times": 0.9}, {"plus": 1} or both.';
            END IF;
            change := COALESCE(to_jsonb((before ->> name)::numeric * COALESCE((change ->> 'times')::numeric, 1) + COALESCE((change ->> 'plus')::numeric, 0)), 'null');
        END IF;
        changed := changed || jsonb_build_object(name, change);
    END LOOP;
    RETURN jsonb_populate_record(features, changed);
END
$$;
COMMENT ON FUNCTION ltv.with_features(ltv.model, record, jsonb) IS 'The row with some of the model''s features changed: an object of names and new values, {"contract": "Two year"}, or relative ones of numbers, {"seats": {"times": 1.1}}. What the model says of such a row is what is associated with it, not what the change would cause. Errors 22023 for a feature that the model does not have, with the near ones; 42703 for one that the row lacks.';

CREATE FUNCTION ltv.what_if(curve ltv.survival, terms ltv.terms, scenarios jsonb, months double precision DEFAULT 12)
    RETURNS TABLE (scenario text, renewal_probability double precision, expected_lifetime double precision, ltv numeric, undiscounted numeric, delta numeric, currency text, status text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 5000 ROWS 4
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one record;
    changed ltv.terms;
    v ltv.valuation;
    base numeric;
BEGIN
    IF scenarios IS NULL OR jsonb_typeof(scenarios) <> 'object' OR scenarios ? 'base' THEN
        RAISE EXCEPTION 'scenarios must be an object of named scenarios, none of them base; got %', left(scenarios::text, 60)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Such as {"ten percent off": {"revenue": {"times": 0.9}}}. The base is always the first row.';
    END IF;
    FOR one IN SELECT 'base' AS key, '{}'::jsonb AS value UNION ALL SELECT * FROM jsonb_each(scenarios) LOOP
        IF one.value ? 'features' THEN
            RAISE EXCEPTION 'a curve has no features, as scenario "%" changes', one.key
                USING ERRCODE = 'invalid_parameter_value', HINT = 'what_if(model, features, terms, scenarios) changes features.';
        END IF;
        changed := ltv.with_scenario(terms, one.value);
        v := ltv.lifetime_value(curve, changed);
        scenario := one.key;
        renewal_probability := ltv.staying_probability(curve, changed, months);
        expected_lifetime := v.expected_lifetime;
        ltv := v.ltv;
        undiscounted := v.undiscounted;
        IF one.key = 'base' THEN
            base := v.ltv;
        END IF;
        delta := v.ltv - base;
        currency := v.currency;
        status := v.status;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.what_if(ltv.survival, ltv.terms, jsonb, double precision) IS 'What an account would be worth on other terms: a row for the base and one for each named scenario, {"ten percent off": {"revenue": {"times": 0.9}}, ...}, each of which is read by with_scenario. renewal_probability: of being there months from now (staying_probability); delta: ltv less that of the base; scenarios in the order that jsonb gives them, shorter names first. A scenario is what the curve and the terms say together: that a price or a term changes who stays is in it only where the scenario says so (hazard_ratio, elasticity). Errors 22023.';

CREATE FUNCTION ltv.what_if(m ltv.model, features record, terms ltv.terms, scenarios jsonb, months double precision DEFAULT 12)
    RETURNS TABLE (scenario text, renewal_probability double precision, expected_lifetime double precision, ltv numeric, undiscounted numeric, delta numeric, currency text, status text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 5000 ROWS 4
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one record;
    changed ltv.terms;
    seen record;
    v ltv.valuation;
    base numeric;
BEGIN
    IF scenarios IS NULL OR jsonb_typeof(scenarios) <> 'object' OR scenarios ? 'base' THEN
        RAISE EXCEPTION 'scenarios must be an object of named scenarios, none of them base; got %', left(scenarios::text, 60)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Such as {"longer term": {"term_months": 24, "features": {"contract": "Two year"}}}. The base is always the first row.';
    END IF;
    FOR one IN SELECT 'base' AS key, '{}'::jsonb AS value UNION ALL SELECT * FROM jsonb_each(scenarios) LOOP
        changed := ltv.with_scenario(terms, one.value);
        seen := ltv.with_features(m, features, COALESCE(one.value -> 'features', '{}'));
        v := ltv.lifetime_value(m, seen, changed);
        scenario := one.key;
        renewal_probability := ltv.staying_probability(m, seen, changed, months);
        expected_lifetime := v.expected_lifetime;
        ltv := v.ltv;
        undiscounted := v.undiscounted;
        IF one.key = 'base' THEN
            base := v.ltv;
        END IF;
        delta := v.ltv - base;
        currency := v.currency;
        status := v.status;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.what_if(ltv.model, record, ltv.terms, jsonb, double precision) IS 'As what_if(curve, terms, scenarios) for a row by a model; a scenario may change features too: {"longer term": {"term_months": 24, "features": {"contract": "Two year", "seats": {"times": 1.1}}}}. What the model says of the changed row is what is associated with such accounts, not what the change would cause. Errors 22023.';

CREATE FUNCTION ltv.what_if(model text, features record, terms ltv.terms, scenarios jsonb, months double precision DEFAULT 12)
    RETURNS TABLE (scenario text, renewal_probability double precision, expected_lifetime double precision, ltv numeric, undiscounted numeric, delta numeric, currency text, status text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 6000 ROWS 4
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT w.* FROM ltv.what_if(ltv.model(model), features, terms, scenarios, months) w;
END
$$;
COMMENT ON FUNCTION ltv.what_if(text, record, ltv.terms, jsonb, double precision) IS 'As what_if(ltv.model, ...) with a registered model: name, name@alias or name@version.';

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
BEGIN
    IF NOT COALESCE(lever = ANY (ltv.model_features(m)), false) THEN
        RETURN QUERY SELECT s.* FROM ltv.sensitivity(ltv.predict_curve(m, features), terms, lever, at) s;
        RETURN;
    END IF;
    base := ltv.lifetime_value(m, features, terms);
    now := CASE WHEN jsonb_typeof(to_jsonb(features) -> lever) = 'number' THEN (to_jsonb(features) ->> lever)::double precision END;
    FOREACH value IN ARRAY COALESCE(at, '{}') LOOP
        CONTINUE WHEN value IS NULL;
        v := ltv.lifetime_value(m, ltv.with_features(m, features, jsonb_build_object(lever, value)), terms);
        ltv := v.ltv;
        delta := v.ltv - base.ltv;
        elasticity := CASE WHEN value > 0 AND now > 0 AND value <> now AND v.ltv > 0 AND base.ltv > 0
            THEN (ln(v.ltv) - ln(base.ltv))::double precision / (ln(value) - ln(now)) END;
        status := v.status;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.sensitivity(ltv.model, record, ltv.terms, text, double precision[]) IS 'As sensitivity(curve, terms, lever, at) for a row by a model; lever may also be a feature of the model that is a number: then what is associated with such rows, not what the change would cause.';

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

CREATE FUNCTION ltv.levers(m ltv.model, features record, terms ltv.terms, months double precision DEFAULT 12)
    RETURNS TABLE (lever text, step text, from_value text, to_value text, ltv numeric, delta numeric, delta_share double precision, currency text, status text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 20000 ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH base AS (
        SELECT v.ltv, to_jsonb(features) AS r FROM ltv.lifetime_value(m, features, terms) v
    ), feature AS (
        SELECT f.value ->> 'name' AS name, f.value #> '{kind,category,levels}' AS levels
        FROM jsonb_array_elements(m::text::jsonb #> '{model,features}') f
        WHERE f.value ->> 'name' = ANY (ltv.model_features(m))
    ), step AS (
        -- A number ten percent up, or by one from 0; of a category each level that training saw.
        SELECT f.name, CASE WHEN (b.r ->> f.name)::numeric = 0 THEN '+1' ELSE '+10 %' END AS step, b.r ->> f.name AS from_value,
               CASE WHEN (b.r ->> f.name)::numeric = 0 THEN to_jsonb(1) ELSE to_jsonb((b.r ->> f.name)::numeric * 1.1) END AS to_value
        FROM feature f, base b WHERE f.levels IS NULL AND jsonb_typeof(b.r -> f.name) = 'number'
        UNION ALL
        SELECT f.name, 'another level', b.r ->> f.name, l.level
        FROM feature f, base b, jsonb_array_elements(f.levels) AS l (level) WHERE (l.level #>> '{}') <> (b.r ->> f.name)
    ), told AS (
        SELECT l.* FROM ltv.levers(ltv.predict_curve(m, features), terms, months) l
        UNION ALL
        SELECT s.name, s.step, s.from_value, s.to_value #>> '{}', v.ltv, v.ltv - b.ltv, ((v.ltv - b.ltv) / NULLIF(abs(b.ltv), 0))::double precision, v.currency, v.status
        FROM step s, base b, LATERAL ltv.lifetime_value(m, ltv.with_features(m, features, jsonb_build_object(s.name, s.to_value)), terms) v
    )
    SELECT t.* FROM told t ORDER BY abs(t.delta) DESC NULLS LAST, t.lever COLLATE "C", t.to_value COLLATE "C";
END
$$;
COMMENT ON FUNCTION ltv.levers(ltv.model, record, ltv.terms, double precision) IS 'As levers(curve, terms) for a row by a model, and each of its features alone: a number ten percent up (by one from 0), a category at each other level that training saw. What a feature moves is what is associated with it among the accounts of the training, not what changing it would cause.';

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

CREATE FUNCTION ltv.pricing_grid(
    curve ltv.survival, terms ltv.terms, term_months integer[] DEFAULT '{12,24,36}', discounts double precision[] DEFAULT '{0,0.05,0.1,0.15}')
    RETURNS TABLE (term integer, discount double precision, price numeric, ltv numeric, delta numeric, break_even_discount double precision, currency text, status text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 20000 ROWS 12
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    base ltv.valuation := ltv.lifetime_value(curve, terms);
    offered ltv.terms;
    full_price ltv.valuation;
    free ltv.valuation;
    v ltv.valuation;
    why text;
BEGIN
    IF terms IS NULL OR curve IS NULL THEN
        RETURN;
    ELSIF EXISTS (SELECT FROM unnest(discounts) d WHERE NOT (d < 1 AND d > -10) OR d IS NULL) THEN
        RAISE EXCEPTION 'a discount must be less than 1, got %', (SELECT d FROM unnest(discounts) d WHERE NOT (d < 1 AND d > -10) OR d IS NULL LIMIT 1)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Shares of the price: 0.1 is ten percent off, -0.05 five percent dearer.';
    END IF;
    FOREACH term IN ARRAY COALESCE(term_months, '{}') LOOP
        -- Signed now, for the whole term; the price enters in proportion, so two values say the rest.
        offered := ltv.with_changes(terms, jsonb_build_object('term_months', term, 'months_to_renewal', term));
        full_price := ltv.lifetime_value(curve, offered);
        free := ltv.lifetime_value(curve, ltv.with_changes(offered, '{"revenue": {"times": 0}}'));
        break_even_discount := NULL;
        why := NULL;
        IF full_price.ltv <= free.ltv THEN
            why := 'no break-even: the value does not rise with the price';
        ELSIF free.ltv > base.ltv THEN
            why := 'no break-even: worth more even for nothing';
        ELSE
            break_even_discount := ((full_price.ltv - base.ltv) / (full_price.ltv - free.ltv))::double precision;
        END IF;
        FOREACH discount IN ARRAY COALESCE(discounts, '{}') LOOP
            v := ltv.lifetime_value(curve, ltv.with_changes(offered, jsonb_build_object('revenue', jsonb_build_object('times', 1 - discount::numeric))));
            price := trim_scale((terms::text::jsonb ->> 'revenue')::numeric * (1 - discount::numeric));
            price := round(price, GREATEST(scale(price), scale(v.ltv)));
            ltv := v.ltv;
            delta := v.ltv - base.ltv;
            currency := v.currency;
            status := concat_ws('; ', v.status, why);
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.pricing_grid(ltv.survival, ltv.terms, integer[], double precision[]) IS 'Which term and discount keep the value: an offer of each term, signed now, at each discount off the price, against the terms as they are. price: per period_months, discounted for as long as is valued; break_even_discount: the discount at which the offer is worth as much as the base, ((value at full price - base) / (value at full price - value at no price), as the value is linear in the price); negative: only a higher price would; NULL with the reason in status where there is none. A longer term is worth more because nobody leaves within it; whether those who would have left sign it is not in the number. Errors 22023.';

CREATE FUNCTION ltv.pricing_grid(
    m ltv.model, features record, terms ltv.terms, term_months integer[] DEFAULT '{12,24,36}', discounts double precision[] DEFAULT '{0,0.05,0.1,0.15}')
    RETURNS TABLE (term integer, discount double precision, price numeric, ltv numeric, delta numeric, break_even_discount double precision, currency text, status text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 20000 ROWS 12
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT g.* FROM ltv.pricing_grid(ltv.predict_curve(m, features), terms, term_months, discounts) g;
END
$$;
COMMENT ON FUNCTION ltv.pricing_grid(ltv.model, record, ltv.terms, integer[], double precision[]) IS 'As pricing_grid(curve, terms) over predict_curve(m, features): the features stay as they are. what_if changes a term and the feature that tells of it together.';
CREATE FUNCTION ltv.pricing_grid(
    model text, features record, terms ltv.terms, term_months integer[] DEFAULT '{12,24,36}', discounts double precision[] DEFAULT '{0,0.05,0.1,0.15}')
    RETURNS TABLE (term integer, discount double precision, price numeric, ltv numeric, delta numeric, break_even_discount double precision, currency text, status text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000 ROWS 12
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT g.* FROM ltv.pricing_grid(ltv.predict_curve(model, features), terms, term_months, discounts) g;
END
$$;
COMMENT ON FUNCTION ltv.pricing_grid(text, record, ltv.terms, integer[], double precision[]) IS 'As pricing_grid(ltv.model, ...) with a registered model: name, name@alias or name@version.';
