-- How long a single account lasts at least, by a registered model and the rows that train held out.

CREATE VIEW ltv.model_places WITH (security_invoker = true) AS
SELECT v.model, v.version, e ->> 'segment' AS segment, (e ->> 'rows')::double precision::bigint AS n_holdout,
       ltv.subjects(p.places)::bigint AS n, ltv.events(p.places)::bigint AS n_events, p.places
FROM ltv.model_versions v, LATERAL pg_catalog.jsonb_array_elements(v.profiles) AS e, LATERAL (SELECT (e ->> 'places')::ltv.survival AS places OFFSET 0) AS p
WHERE e ->> 'role' = 'place';
COMMENT ON VIEW ltv.model_places IS 'Where the rows that train held out stand in their own curves when they leave, or are seen last: what lifetime_bound(model, row) reads. At most 1000 of them, drawn at random by the seed of the training where there are more; of a model with segment_by once more for each segment that has a model of its own, 1000 shared out among them but 100 at least. Part of the version (ltv.model_versions.profiles), sealed with it. No rows: trained without a holdout, with weights, a half-life or delayed entries, of one cause among several, or a model of decisions, purchases or amounts.';
COMMENT ON COLUMN ltv.model_places.model IS 'The model.';
COMMENT ON COLUMN ltv.model_places.version IS 'The version.';
COMMENT ON COLUMN ltv.model_places.segment IS 'The segment, as model_segments names it; NULL: all rows.';
COMMENT ON COLUMN ltv.model_places.n_holdout IS 'Rows held out that have a curve.';
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
    spec jsonb;
    bare ltv.model;
    curve ltv.survival;
    of_all ltv.survival;
    own ltv.survival;
    is_known boolean;
BEGIN
    SELECT v.spec, CASE WHEN v.spec ? 'recalibration' THEN ltv.recalibrated(v.fitted, NULL) END, k.of_all, k.own, true INTO spec, bare, of_all, own, is_known
    FROM ltv.model_versions v,
         LATERAL (SELECT (max(e ->> 'places') FILTER (WHERE e -> 'levels' = '[]'))::ltv.survival AS of_all, (max(e ->> 'places') FILTER (WHERE e -> 'levels' <> '[]'))::ltv.survival AS own
                  FROM jsonb_array_elements(v.profiles) AS e
                  WHERE e ->> 'role' = 'place' AND (e -> 'levels' = '[]' OR e -> 'levels' = (SELECT jsonb_agg(to_jsonb(features) ->> b.name ORDER BY b.place) FROM jsonb_array_elements_text(e -> 'by') WITH ORDINALITY AS b (name, place)))) AS k
    WHERE v.model = split_part(lifetime_bound.model, '@', 1) AND v.version = ltv.model_version(lifetime_bound.model);
    IF is_known IS NULL THEN
        PERFORM ltv.model_version(lifetime_bound.model);
    END IF;
    -- A rising map of probabilities moves no row past another: the bound is the one before it.
    curve := CASE WHEN bare IS NULL THEN ltv.predict_curve(lifetime_bound.model, features) ELSE ltv.predict_curve(bare, features) END;
    IF of_all IS NULL THEN
        status := 'no places are kept: ' || CASE
            WHEN jsonb_typeof(spec -> 'source') IS DISTINCT FROM 'string' THEN 'registered by hand'
            WHEN spec ->> 'duration' IS NULL THEN 'trained on decisions, which have no durations'
            WHEN spec ->> 'algorithm' = 'fine_gray' THEN 'trained on one cause among several'
            WHEN spec ->> 'entry' IS NOT NULL THEN 'trained with delayed entries'
            WHEN spec ->> 'weight' IS NOT NULL OR spec ->> 'half_life' IS NOT NULL THEN 'trained with weights'
            WHEN jsonb_typeof(spec -> 'holdout') IS DISTINCT FROM 'object' THEN 'trained without a holdout'
            ELSE 'no row was held out, or by an earlier release' END;
        RETURN;
    END IF;
    -- Of the segment's own rows, if there are enough of them for the level.
    IF own IS NOT NULL THEN
        SELECT b.* INTO lower_lifetime, share, status FROM ltv.lifetime_bound(curve, own, level, given) AS b;
    END IF;
    IF share IS NULL THEN
        SELECT b.* INTO lower_lifetime, share, status FROM ltv.lifetime_bound(curve, of_all, level, given) AS b;
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.lifetime_bound(text, record, double precision, double precision) IS 'How long an account lasts at least, with a probability of at least level, by a registered model (name, name@alias or name@version) and the rows that train held out (ltv.model_places): lifetime_bound(predict_curve(model, row), places, level, given). Of a model of segments the places are those of the row''s segment where it has a model of its own and enough rows for the level, else those of all rows. given: how long the account has lasted already; lower_lifetime is its whole lifetime, the time before included. That asks for places which are independent of the features: see lifetime_bound(curve, places, level, given). Of a recalibrated version the bound is that of the version it was made from. NULL with a status for a row without a curve, with too few rows for the level, and where no places are kept, which says why. NULL for a NULL argument. Errors: P0002 no such model, 42703 a missing column, 22023 a level outside of 0 and 1, a given that is negative or not finite, and a model of amounts or purchases.';
