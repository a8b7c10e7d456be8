-- A grid of offers: which term and discount keep the value.

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
    IF ltv.model_algorithm(m) = 'hybrid' THEN
        RETURN QUERY SELECT g.* FROM ltv.pricing_grid(ltv.hybrid_curve(m, features), ltv.hybrid_terms(m, features, terms), term_months, discounts) g;
    ELSE
        RETURN QUERY SELECT g.* FROM ltv.pricing_grid(ltv.predict_curve(m, features), terms, term_months, discounts) g;
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.pricing_grid(ltv.model, record, ltv.terms, integer[], double precision[]) IS 'As pricing_grid(curve, terms) over predict_curve(m, features), of a hybrid over hybrid_curve and hybrid_terms (terms NULL: its own): the features stay as they are. what_if changes a term and the feature that tells of it together.';
CREATE FUNCTION ltv.pricing_grid(
    model text, features record, terms ltv.terms, term_months integer[] DEFAULT '{12,24,36}', discounts double precision[] DEFAULT '{0,0.05,0.1,0.15}')
    RETURNS TABLE (term integer, discount double precision, price numeric, ltv numeric, delta numeric, break_even_discount double precision, currency text, status text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000 ROWS 12
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT g.* FROM ltv.pricing_grid(ltv.model(model), features, terms, term_months, discounts) g;
END
$$;
COMMENT ON FUNCTION ltv.pricing_grid(text, record, ltv.terms, integer[], double precision[]) IS 'As pricing_grid(ltv.model, ...) with a registered model: name, name@alias or name@version.';
