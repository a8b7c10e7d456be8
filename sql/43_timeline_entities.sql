-- Whose a row is, and in which segment: what every table by customer, contract, product or segment is grouped by.

CREATE FUNCTION ltv.entity_query(timeline regclass, grain text DEFAULT 'account', by text DEFAULT NULL, segments regclass DEFAULT NULL, as_of date DEFAULT NULL,
        finite boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entity text := CASE grain
        WHEN 'account' THEN 'l.account_id'
        WHEN 'parent' THEN 'coalesce(l.parent_account_id, l.account_id)'
        WHEN 'contract' THEN 'l.contract_id'
        WHEN 'line' THEN 'l.line_id'
        WHEN 'product' THEN $x$l.account_id || ' / ' || coalesce(l.product, '')$x$
    END;
    key text;
    twice text;
BEGIN
    IF timeline IS NULL THEN
        RAISE EXCEPTION 'the timeline is NULL' USING ERRCODE = 'invalid_parameter_value', HINT = 'Name a relation of the shape of ltv.contract_line.';
    END IF;
    IF entity IS NULL THEN
        RAISE EXCEPTION 'grain is %', coalesce(quote_literal(grain), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is ''account'', ''parent'', ''contract'', ''line'' or ''product'' (a product of an account).';
    END IF;
    IF segments IS NOT NULL AND by IS NULL THEN
        RAISE EXCEPTION 'segments are given and not by what' USING ERRCODE = 'invalid_parameter_value', HINT = format('by => names a column of %s.', segments);
    END IF;
    IF by IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_attribute a WHERE a.attrelid = coalesce(segments, timeline) AND a.attname = by AND a.attnum > 0 AND NOT a.attisdropped
    ) THEN
        RAISE EXCEPTION '% has no column %', coalesce(segments, timeline), quote_literal(by)
            USING ERRCODE = 'undefined_column',
                  HINT = CASE WHEN segments IS NULL THEN 'by => names a column of the timeline, or with segments => a column of that relation.'
                              ELSE 'by => names a column of the segments.' END;
    END IF;
    IF segments IS NOT NULL THEN
        SELECT a.attname INTO key
        FROM pg_attribute a JOIN unnest('{entity_id,line_id,contract_id,account_id,parent_account_id,product}'::text[]) WITH ORDINALITY AS k (name, place) ON k.name = a.attname
        WHERE a.attrelid = segments AND a.attnum > 0 AND NOT a.attisdropped ORDER BY k.place LIMIT 1;
        IF key IS NULL THEN
            RAISE EXCEPTION '% has no key', segments
                USING ERRCODE = 'undefined_column', HINT = 'Its key is the first that it has of entity_id, line_id, contract_id, account_id, parent_account_id, product.';
        END IF;
        EXECUTE format('SELECT %1$I::text FROM %2$s WHERE %1$I IS NOT NULL GROUP BY %1$I HAVING count(*) > 1 LIMIT 1', key, segments) INTO twice;
        IF twice IS NOT NULL THEN
            RAISE EXCEPTION '% has more than one row for % %', segments, key, quote_literal(twice)
                USING ERRCODE = 'invalid_parameter_value', HINT = format('Its key is %s: one row for each, or revenue would be counted twice.', key);
        END IF;
    END IF;
    -- Bytes compare and hash faster than a language's alphabet. A column of the timeline comes with its rows.
    RETURN format('SELECT l.*, (%s) COLLATE "C" AS entity_id%s FROM (%s) l%s',
        entity, CASE WHEN segments IS NOT NULL THEN ', s.segment COLLATE "C" AS segment' WHEN by IS NULL THEN ', NULL::text COLLATE "C" AS segment' ELSE '' END,
        ltv.timeline_query(timeline, ltv.end_of_day(as_of), CASE WHEN segments IS NULL THEN by END, finite),
        CASE WHEN segments IS NOT NULL THEN format(' LEFT JOIN (SELECT %1$I::text AS key, %2$I::text AS segment FROM %3$s) s ON s.key = %4$s',
            key, by, segments, CASE key WHEN 'entity_id' THEN entity WHEN 'parent_account_id' THEN 'coalesce(l.parent_account_id, l.account_id)' ELSE format('l.%I', key) END) ELSE '' END);
END
$$;
COMMENT ON FUNCTION ltv.entity_query(regclass, text, text, regclass, date, boolean) IS 'The text of a query that reads a timeline as rows of ltv.contract_line with two columns more: entity_id (by grain: account, parent, contract, line, or product = a product of an account) and segment (the column by of the timeline, or of segments, a relation keyed by the first that it has of entity_id, line_id, contract_id, account_id, parent_account_id, product; NULL without by). as_of: as it was known by the end of that day (timeline_asof); NULL: all rows, superseded ones too. finite: as in timeline_query. Errors: 42703 for a missing column or key, 22023 for two rows of one key or an unknown grain.';
