-- Versions whose event is one cause among several: how a row of theirs is read.

CREATE FUNCTION ltv.cause_expression(spec jsonb, alias text DEFAULT 'ltv_row') RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 100
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    event text;
    cause jsonb := spec #> '{options,cause}';
    number numeric;
    censored text := spec #>> '{options,censored}';
BEGIN
    IF spec ->> 'algorithm' IS DISTINCT FROM 'fine_gray' OR spec ->> 'event' IS NULL OR alias IS NULL OR coalesce(jsonb_typeof(cause), 'null') NOT IN ('string', 'number') THEN
        RETURN NULL;
    END IF;
    event := format('%I.%I', alias, spec ->> 'event');
    IF jsonb_typeof(cause) = 'number' THEN
        number := cause #>> '{}';
        IF number NOT BETWEEN 1 AND 255 OR number <> trunc(number) THEN
            RETURN NULL;
        END IF;
        RETURN format('(CASE WHEN %1$s NOT BETWEEN 0 AND 255 OR %1$s::numeric <> trunc(%1$s::numeric) THEN -1 WHEN %1$s = 0 THEN 0 WHEN %1$s = %2$s THEN 1 WHEN %1$s IS NOT NULL THEN 2 END)', event, trunc(number));
    END IF;
    RETURN format('(CASE WHEN %1$s IS NULL THEN %2$s WHEN %1$s::text = %3$L THEN 1 %4$s WHEN %1$s::text = '''' THEN -1 ELSE 2 END)', event,
                  CASE WHEN censored IS NULL THEN '0' ELSE 'NULL' END, cause #>> '{}', CASE WHEN censored IS NOT NULL THEN format('WHEN %s::text = %L THEN 0', event, censored) ELSE '' END);
END
$$;
COMMENT ON FUNCTION ltv.cause_expression(jsonb, text) IS 'The SQL expression by which evaluate, importance and their like read the event column of a version that train has fitted to one cause among several (fine_gray), of a row with this alias: 0 where the row still ran, 1 where the cause of interest (options.cause of the spec) ended it, 2 where another one did, -1 for what is no cause (a number outside 0 to 255, an empty name), NULL where a row does not say. NULL for other specs, and for a number that is no cause: not a whole one from 1 to 255.';
