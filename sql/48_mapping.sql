-- The mappings as analysts meet them: a list, and the text of the views for one of them.

CREATE VIEW ltv.mappings AS
SELECT source, default_schema, needs, views, limits, template FROM ltv._mapping_stripe
UNION ALL SELECT source, default_schema, needs, views, limits, template FROM ltv._mapping_salesforce
UNION ALL SELECT source, default_schema, needs, views, limits, template FROM ltv._mapping_versions
UNION ALL SELECT source, default_schema, needs, views, limits, template FROM ltv._mapping_zuora
UNION ALL SELECT source, default_schema, needs, views, limits, template FROM ltv._mapping_hubspot;
GRANT SELECT ON ltv.mappings TO PUBLIC;
COMMENT ON VIEW ltv.mappings IS 'The built-in mappings from billing systems to contract timelines. mapping_sources() lists them, mapping_sql() fills one in.';

DO $$
DECLARE
    mapping text;
BEGIN
    FOREACH mapping IN ARRAY '{mappings,_mapping_stripe,_mapping_salesforce,_mapping_versions,_mapping_zuora,_mapping_hubspot}'::text[] LOOP
        IF mapping <> 'mappings' THEN
            EXECUTE format('COMMENT ON VIEW ltv.%I IS ''Mappings of one kind of source: a part of ltv.mappings.''', mapping);
        END IF;
        EXECUTE format('COMMENT ON COLUMN ltv.%I.source IS ''The name that mapping_sql takes.''', mapping);
        EXECUTE format('COMMENT ON COLUMN ltv.%I.default_schema IS ''The schema in which the connector usually lands its tables.''', mapping);
        EXECUTE format('COMMENT ON COLUMN ltv.%I.needs IS ''The landed tables that are read.''', mapping);
        EXECUTE format('COMMENT ON COLUMN ltv.%I.views IS ''The views that the text creates.''', mapping);
        EXECUTE format('COMMENT ON COLUMN ltv.%I.limits IS ''What the source cannot tell.''', mapping);
        EXECUTE format('COMMENT ON COLUMN ltv.%I.template IS ''The text, with places for the names.''', mapping);
    END LOOP;
END
$$;

CREATE FUNCTION ltv.mapping_sources() RETURNS TABLE (source text, default_schema text, needs text, views text[], limits text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 8
BEGIN ATOMIC
    SELECT m.source, m.default_schema, m.needs, m.views, m.limits FROM ltv.mappings m ORDER BY m.source;
END;
COMMENT ON FUNCTION ltv.mapping_sources() IS 'The billing systems that mapping_sql knows: the landed tables each mapping reads, the views it creates, and what the source cannot tell.';

CREATE FUNCTION ltv.mapping_sql(source text, schema text DEFAULT NULL, target text DEFAULT 'contract_timeline', time_zone text DEFAULT 'UTC') RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    mapping record;
    parts text[];
    place text;
    name text;
BEGIN
    SELECT m.template, m.default_schema INTO mapping FROM ltv.mappings m WHERE m.source = mapping_sql.source;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no mapping for %', coalesce(quote_literal(source), 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = (SELECT 'Mappings: ' || string_agg(m.source, ', ' ORDER BY m.source) || '.' FROM ltv.mappings m),
                  HINT = 'For tables of your own, write a view with the columns of ltv.contract_line; from payments alone, ltv.timeline_from_payments() makes a timeline.';
    END IF;
    IF schema = '' THEN
        RAISE EXCEPTION 'schema is empty' USING ERRCODE = 'invalid_parameter_value',
            HINT = format('Name the schema of the landed tables, or leave it out for %s.', mapping.default_schema);
    END IF;
    parts := parse_ident(coalesce(target, ''));
    name := parts[cardinality(parts)];
    -- The longest suffix is _excluded; a name that PostgreSQL would cut could meet another.
    IF cardinality(parts) > 2 OR octet_length(name) > 54 THEN
        RAISE EXCEPTION 'target % is no name for a view', quote_literal(target)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give view or schema.view, quoted as in SQL where needed, with a view name of at most 54 bytes: the side views add a suffix to it.';
    END IF;
    IF time_zone IS NULL THEN
        RAISE EXCEPTION 'time_zone is NULL' USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the time zone whose days the ledger counts, such as ''Europe/Berlin''.';
    END IF;
    PERFORM now() AT TIME ZONE time_zone;  -- an unknown one is an error of its own
    place := CASE WHEN cardinality(parts) = 2 THEN quote_ident(parts[1]) || '.' ELSE '' END;
    RETURN format(mapping.template, coalesce(schema, mapping.default_schema), place || quote_ident(name), place || quote_ident(name || '_excluded'),
                  place || quote_ident(name || '_renewals'), source, time_zone, place || quote_ident(name || '_fx_rate'));
END
$$;
COMMENT ON FUNCTION ltv.mapping_sql(text, text, text, text) IS 'The text of CREATE VIEW statements that map a billing system''s landed tables to contract timelines: read it, change it, keep it in your repository; psql runs it with \gexec. source is one of mapping_sources(); schema is where the connector landed the tables, taken as it is spelled (NULL: the connector''s usual one); target names the timeline as SQL would, and the side views are called target_excluded, target_renewals, target_fx_rate; time_zone is the one whose days count. Error 22023 for an unknown source, a target that is no view''s name, an unknown time zone.';
