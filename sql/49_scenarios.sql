-- Questions of what if: other terms, other features, of an account and of a portfolio.

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
    changes := scenario - '{features,price_change,discount,elasticity}'::text[];
    IF scenario ? 'discount' THEN
        IF scenario ? 'price_change' OR jsonb_typeof(scenario -> 'discount') <> 'number' THEN
            RAISE EXCEPTION 'discount must be a number, without price_change; got %', scenario -> 'discount'
                USING ERRCODE = 'invalid_parameter_value', HINT = '{"discount": 0.10}: ten percent off the price. discount_rate is what discounts the future.';
        END IF;
        scenario := scenario - 'discount' || jsonb_build_object('price_change', -(scenario ->> 'discount')::numeric);
    END IF;
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
COMMENT ON FUNCTION ltv.with_scenario(ltv.terms, jsonb) IS 'The terms in a scenario: with_changes, and beside the terms price_change with elasticity, {"price_change": 0.05, "elasticity": 1.5}: revenue (and ramp) times 1.05 and hazard_ratio times 1.05 ^ 1.5. discount, {"discount": 0.1}, is a price_change of -0.1. The elasticity of leaving by price is yours to say (0 when it is left out): nothing here infers it. features, which with_features reads, are passed over. Errors 22023.';

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
    parts text;
    anew record;
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
        -- 55.0 is no text of an integer, 55 is.
        changed := changed || jsonb_build_object(name, CASE jsonb_typeof(change) WHEN 'number' THEN to_jsonb(trim_scale(change::numeric)) ELSE change END);
    END LOOP;
    -- A column of whole numbers cannot hold 52.8: then the row is made anew of what the model reads, with its numbers as numeric.
    IF EXISTS (SELECT FROM jsonb_each(changed) e
               WHERE jsonb_typeof(e.value) = 'number' AND e.value::numeric % 1 <> 0
                 AND CASE jsonb_typeof(before -> e.key) WHEN 'null' THEN true WHEN 'number' THEN (before -> e.key)::numeric % 1 = 0 END) THEN
        before := before || changed;
        SELECT string_agg(format('%I %s', e.key, CASE jsonb_typeof(e.value) WHEN 'number' THEN 'numeric' WHEN 'boolean' THEN 'boolean' WHEN 'string' THEN 'text'
                   ELSE CASE WHEN e.key IN (SELECT f ->> 'name' FROM jsonb_path_query(m::text::jsonb, '$.**.features[*] ? (exists(@.kind.category))') f) THEN 'text' ELSE 'numeric' END END), ', ')
        INTO parts FROM jsonb_each(before) e WHERE e.key = ANY (known);
        EXECUTE format('SELECT r.* FROM jsonb_to_record($1) AS r (%s)', parts) INTO anew USING before;
        RETURN anew;
    END IF;
    RETURN jsonb_populate_record(features, changed);
END
$$;
COMMENT ON FUNCTION ltv.with_features(ltv.model, record, jsonb) IS 'The row with some of the model''s features changed: an object of names and new values, {"contract": "Two year"}, or relative ones of numbers, {"seats": {"times": 1.1}}, exact also where the column holds whole numbers: the row is then one of the model''s features only. What the model says of such a row is what is associated with it, not what the change would cause. Errors 22023 for a feature that the model does not have, with the near ones; 42703 for one that the row lacks.';

CREATE FUNCTION ltv.hybrid_scenario(
    m ltv.model, features record, terms ltv.terms, scenario jsonb DEFAULT '{}', months double precision DEFAULT 12,
    OUT value ltv.valuation, OUT renewal_probability double precision, OUT told text
)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 8000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changes constant jsonb := COALESCE(scenario -> 'features', '{}');
    curve ltv.survival;
    filled ltv.terms;
    plain text;
BEGIN
    -- A row made anew has a type of its own, which a variable of these cached statements could not have.
    curve := ltv.hybrid_curve(m, ltv.with_features(m, features, changes));
    filled := ltv.hybrid_terms(m, ltv.with_features(m, features, changes), terms);
    told := (ltv.hybrid_value(m, ltv.with_features(m, features, changes), terms)).status;
    value := ltv.lifetime_value(curve, ltv.with_scenario(filled, scenario));
    IF curve IS NULL OR filled IS NULL THEN
        value.status := told;
        RETURN;
    END IF;
    renewal_probability := ltv.staying_probability(curve, ltv.with_scenario(filled, scenario), months);
    -- What hybrid_value says of the components, without what it says of the valuation.
    plain := (ltv.lifetime_value(curve, filled)).status;
    told := CASE WHEN told = plain THEN NULL WHEN right(told, length(plain) + 2) = '; ' || plain THEN left(told, -length(plain) - 2) ELSE told END;
    value.status := CASE WHEN told IS NULL THEN value.status WHEN value.status = 'ok' THEN told ELSE told || '; ' || value.status END;
END
$$;
COMMENT ON FUNCTION ltv.hybrid_scenario(ltv.model, record, ltv.terms, jsonb, double precision) IS 'What a hybrid makes a row worth in a scenario: hybrid_curve and hybrid_terms of the row with its features changed (with_features), and then the terms changed by with_scenario, so that {"margin": {"plus": 0.01}} is a point more than the component says of the row, and {"margin": 0.9} takes its place. value: lifetime_value of the two; for the scenario {} to the cent that of hybrid_value. renewal_probability: staying_probability so many months from now. told: what is to be known of the components (pooled, not to be trusted), NULL if nothing is; value.status has it too, and says why a row has no value. terms NULL: those of the hybrid. What what_if, levers and sensitivity ask. Errors 22023, 42703.';

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
    stated constant text := terms::text::jsonb ->> 'currency';
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
        ELSIF one.value ? 'currency' AND one.value ->> 'currency' IS DISTINCT FROM stated THEN
            RAISE EXCEPTION 'scenario "%" is in %, the base in %', one.key, coalesce(one.value ->> 'currency', 'no currency'), coalesce(stated, 'none')
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Amounts in different currencies are not compared: state the scenario in the currency of the terms.';
        END IF;
        delta := v.ltv - base;
        currency := v.currency;
        status := v.status;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.what_if(ltv.survival, ltv.terms, jsonb, double precision) IS 'What an account would be worth on other terms: a row for the base and one for each named scenario, {"ten percent off": {"revenue": {"times": 0.9}}, ...}, each of which is read by with_scenario. renewal_probability: of being there months from now (staying_probability); delta: ltv less that of the base; scenarios in the order that jsonb gives them, shorter names first. A scenario is what the curve and the terms say together: that a price or a term changes who stays is in it only where the scenario says so (hazard_ratio, elasticity). Errors 22023, also for a scenario in another currency than the base.';

CREATE FUNCTION ltv.what_if(m ltv.model, features record, terms ltv.terms, scenarios jsonb, months double precision DEFAULT 12)
    RETURNS TABLE (scenario text, renewal_probability double precision, expected_lifetime double precision, ltv numeric, undiscounted numeric, delta numeric, currency text, status text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 5000 ROWS 4
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one record;
    changed ltv.terms;
    v ltv.valuation;
    base numeric;
    stated text := terms::text::jsonb ->> 'currency';
    is_hybrid constant boolean := COALESCE(ltv.model_algorithm(m) = 'hybrid', false);
    hybrid record;
BEGIN
    IF scenarios IS NULL OR jsonb_typeof(scenarios) <> 'object' OR scenarios ? 'base' THEN
        RAISE EXCEPTION 'scenarios must be an object of named scenarios, none of them base; got %', left(scenarios::text, 60)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Such as {"longer term": {"term_months": 24, "features": {"contract": "Two year"}}}. The base is always the first row.';
    END IF;
    IF is_hybrid AND terms IS NULL THEN
        stated := ltv.hybrid_own_terms(m)::text::jsonb ->> 'currency';
    END IF;
    FOR one IN SELECT 'base' AS key, '{}'::jsonb AS value UNION ALL SELECT * FROM jsonb_each(scenarios) LOOP
        scenario := one.key;
        IF is_hybrid THEN
            SELECT h.* INTO hybrid FROM ltv.hybrid_scenario(m, features, terms, one.value, months) h;
            v := hybrid.value;
            renewal_probability := hybrid.renewal_probability;
        ELSE
            changed := ltv.with_scenario(terms, one.value);
            -- A row made anew has a type of its own, which a variable of these cached statements could not have.
            v := ltv.lifetime_value(m, ltv.with_features(m, features, COALESCE(one.value -> 'features', '{}')), changed);
            renewal_probability := ltv.staying_probability(m, ltv.with_features(m, features, COALESCE(one.value -> 'features', '{}')), changed, months);
        END IF;
        expected_lifetime := v.expected_lifetime;
        ltv := v.ltv;
        undiscounted := v.undiscounted;
        IF one.key = 'base' THEN
            base := v.ltv;
        ELSIF one.value ? 'currency' AND one.value ->> 'currency' IS DISTINCT FROM stated THEN
            RAISE EXCEPTION 'scenario "%" is in %, the base in %', one.key, coalesce(one.value ->> 'currency', 'no currency'), coalesce(stated, 'none')
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Amounts in different currencies are not compared: state the scenario in the currency of the terms.';
        END IF;
        delta := v.ltv - base;
        currency := v.currency;
        status := v.status;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.what_if(ltv.model, record, ltv.terms, jsonb, double precision) IS 'As what_if(curve, terms, scenarios) for a row by a model; a scenario may change features too: {"longer term": {"term_months": 24, "features": {"contract": "Two year", "seats": {"times": 1.1}}}}. What the model says of the changed row is what is associated with such accounts, not what the change would cause. Of a hybrid each row is hybrid_scenario: the base is hybrid_value (terms NULL: the hybrid''s own), and changed terms are those that its components have filled. Errors 22023.';

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
