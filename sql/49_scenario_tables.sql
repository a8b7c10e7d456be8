-- Base, scenario and difference in one table, with how sure the difference is: of an account, and of a portfolio.

CREATE FUNCTION ltv.named_scenarios(scenarios jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF scenarios IS NULL OR jsonb_typeof(scenarios) <> 'object' OR scenarios ? 'base' THEN
        RAISE EXCEPTION 'scenarios must be an object of named scenarios, none of them base; got %', left(scenarios::text, 60)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Such as {"a tenth off": {"discount": 0.1}, "two years": {"term_months": 24}}.';
    END IF;
    RETURN scenarios;
END
$$;
COMMENT ON FUNCTION ltv.named_scenarios(jsonb) IS 'The scenarios, if they are an object of named ones, none of them base; else error 22023.';

CREATE FUNCTION ltv.scenario(m ltv.model, features record, terms ltv.terms, scenarios jsonb, level double precision DEFAULT 0.95)
    RETURNS TABLE (scenario text, base numeric, value numeric, delta numeric, delta_lower numeric, delta_upper numeric, delta_share double precision, currency text, status text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 6000 ROWS 3
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT s.key, c.base_ltv, c.scenario_ltv, c.delta, c.delta_lower, c.delta_upper, (c.delta / NULLIF(abs(c.base_ltv), 0))::double precision, c.currency, c.status
    FROM jsonb_each(ltv.named_scenarios(scenarios)) WITH ORDINALITY AS s (key, changes, place),
         LATERAL (SELECT ltv.portfolio_agg(m, features, v.terms) AS base,
                         ltv.portfolio_agg(m, ltv.with_features(m, features, s.changes -> 'features'), ltv.with_scenario(v.terms, s.changes)) AS changed
                  FROM (VALUES (scenario.terms)) AS v (terms)) p,
         LATERAL ltv.portfolio_change(p.base, p.changed, level) c
    WHERE scenario.terms IS NOT NULL
    ORDER BY s.place;
END
$$;
COMMENT ON FUNCTION ltv.scenario(ltv.model, record, ltv.terms, jsonb, double precision) IS 'What an account would be worth on other terms, one row for each named scenario, {"two years for less": {"discount": 0.1, "term_months": 24, "features": {"contract": "Two year"}}, ...}: base, the value as it is, value, that in the scenario, delta = value - base, its interval, and delta as a share of the base. Terms are read by with_scenario, features by with_features; what the model says of a changed row is what is associated with such accounts, not what the change would cause. The interval is that of the difference of the two expected values, which are off by the same errors of the model; the errors of assumptions (elasticity, hazard_ratio) are not in it. Scenarios in the order that jsonb gives them, shorter names first. what_if has the renewal probability and the lifetime beside. No rows for NULL terms. Errors 22023, 42703.';

CREATE FUNCTION ltv.scenario(model text, features record, terms ltv.terms, scenarios jsonb, level double precision DEFAULT 0.95)
    RETURNS TABLE (scenario text, base numeric, value numeric, delta numeric, delta_lower numeric, delta_upper numeric, delta_share double precision, currency text, status text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 6000 ROWS 3
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT s.* FROM ltv.scenario(ltv.model(model), features, terms, scenarios, level) s;
END
$$;
COMMENT ON FUNCTION ltv.scenario(text, record, ltv.terms, jsonb, double precision) IS 'As scenario(ltv.model, ...) with a registered model: name, name@alias or name@version.';

CREATE FUNCTION ltv.scenario(m ltv.model, source regclass, scenarios jsonb, by text DEFAULT NULL, level double precision DEFAULT 0.95)
    RETURNS TABLE (scenario text, segment text, accounts bigint, base numeric, value numeric, delta numeric, delta_lower numeric, delta_upper numeric,
                   delta_share double precision, currency text, status text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 3
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing text;
BEGIN
    SELECT string_agg(w.name, ', ') INTO missing
    FROM unnest(ARRAY['terms', by]) AS w (name)
    WHERE w.name IS NOT NULL AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = source AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped
                                             AND (w.name <> 'terms' OR a.atttypid = 'ltv.terms'::regtype));
    IF source IS NULL OR missing IS NOT NULL THEN
        RAISE EXCEPTION '% is no portfolio: it has no column %', coalesce(source::text, 'NULL'), coalesce(missing, 'at all')
            USING ERRCODE = 'undefined_column', HINT = 'A row per account: terms of type ltv.terms, made by contract_terms(revenue, ...) AS terms, the features of the model, and the column that by names. A view can filter.';
    END IF;
    RETURN QUERY EXECUTE format('
        WITH named AS (
            SELECT 0 AS place, NULL AS name, NULL::jsonb AS changes
            UNION ALL SELECT s.place, s.key, s.changes FROM jsonb_each(ltv.named_scenarios($2)) WITH ORDINALITY AS s (key, changes, place)
        ), sums AS (
            SELECT n.place, n.name, %1$s AS segment, count(*) AS accounts,
                   ltv.portfolio_agg($1, ltv.with_features($1, "the account", n.changes -> ''features''),
                                     CASE WHEN n.changes IS NULL THEN "the account".terms ELSE ltv.with_scenario("the account".terms, n.changes) END) AS p
            FROM %2$s AS "the account" CROSS JOIN named n GROUP BY n.place, n.name, 3
        )
        SELECT s.name, s.segment, s.accounts, c.base_ltv, c.scenario_ltv, c.delta, c.delta_lower, c.delta_upper, (c.delta / NULLIF(abs(c.base_ltv), 0))::double precision, c.currency, c.status
        FROM sums s JOIN sums b ON b.place = 0 AND b.segment IS NOT DISTINCT FROM s.segment, LATERAL ltv.portfolio_change(b.p, s.p, $3) c
        WHERE s.place > 0 ORDER BY s.place, s.segment COLLATE "C"', CASE WHEN by IS NULL THEN 'NULL::text' ELSE format('"the account".%I::text', by) END, source)
    USING m, scenarios, level;
END
$$;
COMMENT ON FUNCTION ltv.scenario(ltv.model, regclass, jsonb, text, double precision) IS 'What a portfolio would be worth in each of some scenarios, one row for each and, with by, each segment: base, value, delta = value - base with its interval, and delta as a share of the base. source: a relation with a row per account: terms of type ltv.terms and the features of the model; by: a column of it. Scenarios are read as in scenario(m, features, terms, scenarios). All accounts are off by the same errors of the model, and base and scenario too, so the interval is that of portfolio_change; the errors of assumptions (elasticity, hazard_ratio) are not in it. Accounts without a value add nothing, and status tells of them. Errors 22023, two currencies among them (by => a column of currencies, or convert the terms before), 42703.';

CREATE FUNCTION ltv.scenario(model text, source regclass, scenarios jsonb, by text DEFAULT NULL, level double precision DEFAULT 0.95)
    RETURNS TABLE (scenario text, segment text, accounts bigint, base numeric, value numeric, delta numeric, delta_lower numeric, delta_upper numeric,
                   delta_share double precision, currency text, status text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 3
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT s.* FROM ltv.scenario(ltv.model(model), source, scenarios, by, level) s;
END
$$;
COMMENT ON FUNCTION ltv.scenario(text, regclass, jsonb, text, double precision) IS 'As scenario(ltv.model, source, ...) with a registered model: name, name@alias or name@version.';
