-- How long a single account lasts at least, by a registered model and the rows that train held out.

CREATE VIEW ltv.model_places WITH (security_invoker = true) AS
SELECT v.model, v.version, e ->> 'segment' AS segment, (e ->> 'given')::double precision AS given, (e ->> 'rows')::double precision::bigint AS n_holdout,
       ltv.subjects(p.places)::bigint AS n, ltv.events(p.places)::bigint AS n_events, p.places
FROM ltv.model_versions v, LATERAL pg_catalog.jsonb_array_elements(v.profiles) AS e, LATERAL (SELECT (e ->> 'places')::ltv.survival AS places OFFSET 0) AS p
WHERE e ->> 'role' = 'place';
COMMENT ON VIEW ltv.model_places IS 'Where the rows that train held out stand in their own curves when they leave, or are seen last: what lifetime_bound(model, row) reads. At most 2000 of them, drawn at random by the seed of the training where there are more; once more of those who lasted beyond an age, for the deciles of the times observed, at most 500 each; and of a model with segment_by for each segment that has a model of its own, 2000 shared out among them but 100 at least. Part of the version (ltv.model_versions.profiles), sealed with it. No rows: trained without a holdout, with weights, a half-life or delayed entries, of one cause among several, or a model of decisions, purchases or amounts.';
COMMENT ON COLUMN ltv.model_places.model IS 'The model.';
COMMENT ON COLUMN ltv.model_places.version IS 'The version.';
COMMENT ON COLUMN ltv.model_places.segment IS 'The segment, as model_segments names it; NULL: all rows.';
COMMENT ON COLUMN ltv.model_places.given IS 'The age that they lasted beyond, in the unit of the durations; their places are in their curves from then on.';
COMMENT ON COLUMN ltv.model_places.n_holdout IS 'Rows held out that lasted so long and have a curve.';
COMMENT ON COLUMN ltv.model_places.n IS 'Rows kept of them.';
COMMENT ON COLUMN ltv.model_places.n_events IS 'Those that left.';
COMMENT ON COLUMN ltv.model_places.places IS 'Shares from 0 to 1: what their curves expected to have left by then. Of a recalibrated version, those in the curves before: a rising map moves no row past another.';

CREATE FUNCTION ltv.lifetime_bound(
    model text, features record, level double precision DEFAULT 0.9, given double precision DEFAULT 0,
    OUT lower_lifetime double precision, OUT share double precision, OUT status text
)
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 5000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_version constant integer := ltv.model_version(lifetime_bound.model);
    of_segment constant text := ltv.segment_of(lifetime_bound.model, features);
    spec jsonb;
    bare ltv.model;
    curve ltv.survival;
    own ltv.survival;
    younger ltv.survival;
    older ltv.survival;
    oldest double precision;
    other record;
BEGIN
    -- Places of the row's segment; and of all rows that lasted beyond the last age at or below the one given, and the first at or above it.
    SELECT v.spec, CASE WHEN v.spec ? 'recalibration' THEN ltv.recalibrated(v.fitted, NULL::jsonb) END, k.own, k.younger, k.older, k.oldest
    INTO spec, bare, own, younger, older, oldest
    FROM ltv.model_versions v, LATERAL (
        SELECT max(e.entry ->> 'places') FILTER (WHERE NOT e.is_all)::ltv.survival AS own, max(e.given) FILTER (WHERE e.is_all) AS oldest,
               (array_agg(e.entry ->> 'places' ORDER BY e.given DESC) FILTER (WHERE e.is_all AND e.given <= lifetime_bound.given))[1]::ltv.survival AS younger,
               (array_agg(e.entry ->> 'places' ORDER BY e.given) FILTER (WHERE e.is_all AND e.given >= lifetime_bound.given))[1]::ltv.survival AS older
        FROM (SELECT p.entry, (p.entry ->> 'given')::float8 AS given, p.entry -> 'levels' = '[]' AS is_all FROM jsonb_array_elements(v.profiles) AS p (entry) WHERE p.entry ->> 'role' = 'place') AS e
        WHERE e.is_all OR e.given = lifetime_bound.given
          AND e.entry ->> 'segment' = of_segment) AS k
    WHERE v.model = split_part(lifetime_bound.model, '@', 1) AND v.version = found_version;
    -- A rising map of probabilities moves no row past another: the bound is the one before it.
    curve := CASE WHEN bare IS NULL THEN ltv.predict_curve(lifetime_bound.model, features) ELSE ltv.predict_curve(bare, features) END;
    IF oldest IS NULL THEN
        status := 'no places are kept: ' || CASE
            WHEN jsonb_typeof(spec -> 'source') IS DISTINCT FROM 'string' THEN 'registered by hand'
            WHEN spec ->> 'duration' IS NULL THEN 'trained on decisions, which have no durations'
            WHEN spec ->> 'algorithm' = 'fine_gray' THEN 'trained on one cause among several'
            WHEN spec ->> 'entry' IS NOT NULL THEN 'trained with delayed entries'
            WHEN spec ->> 'weight' IS NOT NULL OR spec ->> 'half_life' IS NOT NULL THEN 'trained with weights'
            WHEN jsonb_typeof(spec -> 'holdout') IS DISTINCT FROM 'object' THEN 'trained without a holdout'
            ELSE 'no row was held out, or more than fit into ltv.max_memory_mb, or an earlier release trained it' END;
        RETURN;
    END IF;
    IF own IS NOT NULL THEN
        SELECT b.* INTO lower_lifetime, share, status FROM ltv.lifetime_bound(curve, own, level, given) AS b;
    END IF;
    -- Too few of the segment for the level, or none.
    IF share IS NULL THEN
        SELECT b.* INTO lower_lifetime, share, status FROM ltv.lifetime_bound(curve, coalesce(younger, older), level, given) AS b;
    END IF;
    IF given > 0 AND older IS NULL THEN
        lower_lifetime := NULL;
        share := NULL;
        status := format('too few rows lasted so long: places are kept up to the age %s', oldest);
    ELSIF given > 0 AND share IS NOT NULL THEN
        -- Between two ages the lesser share.
        SELECT b.* INTO other FROM ltv.lifetime_bound(curve, older, level, given) AS b;
        IF other.share IS NULL OR other.share < share THEN
            lower_lifetime := other.lower_lifetime;
            share := other.share;
            status := other.status;
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.lifetime_bound(text, record, double precision, double precision) IS 'How long an account lasts at least, with a probability of at least level, by a registered model (name, name@alias or name@version) and the rows that train held out (ltv.model_places): lifetime_bound(predict_curve(model, row), places, level, given). given: how long the account has lasted already; lower_lifetime is its whole lifetime, the time before included. Places are kept for some ages; between two of them the lesser share of both is taken, and NULL beyond the last. From the start on, the places of a model of segments are those of the row''s segment where it has a model of its own and enough rows for the level, else, and given an age, those of all rows. Of a recalibrated version the bound is that of the version it was made from. NULL with a status for a row without a curve, with too few rows for the level, and where no places are kept, which says why. NULL for a NULL argument. Errors: P0002 no such model, 42703 a missing column, 22023 a level outside of 0 and 1, a given that is negative or not finite, and a model of amounts or purchases.';
