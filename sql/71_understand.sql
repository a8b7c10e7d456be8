-- What a feature, an account, a segment is like.

CREATE FUNCTION ltv.partial_dependence(
    model text, source regclass, feature text, grid text[] DEFAULT NULL, horizon double precision DEFAULT NULL, rows text DEFAULT 'auto'
) RETURNS TABLE (value text, event_probability double precision, expected_value double precision, lower_decile double precision, upper_decile double precision, n bigint, n_training bigint, status text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fitted ltv.model;
    found_version integer;
    names text[];
    type_name text;
    category text;
    known ltv.profile;
    wanted text;
    amounts boolean;
    spec jsonb;
    relation text := partial_dependence.source::text;
    trained_on boolean;
    standing text := 'ok';
BEGIN
    IF partial_dependence.model IS NULL OR partial_dependence.source IS NULL OR partial_dependence.feature IS NULL THEN
        RAISE EXCEPTION 'partial_dependence needs a model, a source and a feature' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT (partial_dependence.horizon > 0 AND partial_dependence.horizon < 'Infinity') THEN
        RAISE EXCEPTION 'the horizon must be finite and greater than 0, got %', partial_dependence.horizon
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is in the unit of the durations the model was trained on.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = partial_dependence.source) THEN
        RAISE EXCEPTION 'the source does not exist' USING ERRCODE = 'invalid_parameter_value', HINT = 'The name of a table or view.';
    END IF;
    found_version := ltv.model_version(partial_dependence.model);
    SELECT v.fitted, v.algorithm IN ('linear', 'gamma', 'tweedie', 'two_part', 'boosted_value', 'hybrid'), v.spec INTO fitted, amounts, spec FROM ltv.model_versions v WHERE v.model = split_part(partial_dependence.model, '@', 1) AND v.version = found_version;
    partial_dependence.horizon := ltv.model_horizon(fitted, coalesce(partial_dependence.horizon, ltv.model_horizon(partial_dependence.model)));
    names := ltv.model_features(fitted);
    IF partial_dependence.feature <> ALL (names) OR cardinality(names) = 0 THEN
        RAISE EXCEPTION '% has no feature "%"', partial_dependence.model, partial_dependence.feature
            USING ERRCODE = 'invalid_parameter_value', HINT = coalesce('It has: ' || nullif(array_to_string(names, ', '), '') || '.', 'It has none.');
    END IF;
    FOREACH wanted IN ARRAY names LOOP
        IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = partial_dependence.source AND a.attname = wanted AND a.attnum > 0 AND NOT a.attisdropped) THEN
            RAISE EXCEPTION '% has no column "%"', partial_dependence.source, wanted
                USING ERRCODE = 'undefined_column', HINT = 'The features must have the names that train knew.';
        END IF;
    END LOOP;
    SELECT format_type(a.atttypid, a.atttypmod), t.typcategory INTO type_name, category FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = partial_dependence.source AND a.attname = partial_dependence.feature AND NOT a.attisdropped;
    SELECT p.profile INTO known FROM ltv.model_profiles p
    WHERE p.model = split_part(partial_dependence.model, '@', 1) AND p.version = found_version AND p.role = 'feature' AND p.input = partial_dependence.feature;
    IF partial_dependence.grid IS NULL THEN
        SELECT CASE WHEN s.kind = 'texts' THEN (SELECT array_agg(l.level ORDER BY l.level COLLATE "C") FROM ltv.profile_levels(known) AS l)
                    WHEN type_name = 'boolean' THEN '{false,true}'
                    ELSE (SELECT array_agg(d.x::text ORDER BY d.x) FROM (
                        SELECT DISTINCT ltv.profile_quantile(known, q / 10.0) AS x FROM generate_series(0, 10) AS q) AS d) END
        INTO partial_dependence.grid FROM ltv.profile_summary(known) AS s;
        IF partial_dependence.grid IS NULL THEN
            RAISE EXCEPTION '%@% has no training profile', split_part(partial_dependence.model, '@', 1), found_version
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the values: grid => ARRAY[...], or train a new version.';
        END IF;
    END IF;
    IF EXISTS (SELECT FROM unnest(partial_dependence.grid) AS g WHERE g IS NULL) THEN
        RAISE EXCEPTION 'the grid must not hold a NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'Use array_remove(grid, NULL).';
    END IF;
    SELECT g INTO wanted FROM unnest(partial_dependence.grid) AS g
    WHERE CASE category WHEN 'N' THEN g !~ '^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$'
                        WHEN 'B' THEN lower(btrim(g)) NOT IN ('true', 't', 'yes', 'y', 'on', '1', 'false', 'f', 'no', 'n', 'off', '0') END LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" in the grid is no value of "%", which is %', wanted, partial_dependence.feature, type_name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'grid => ARRAY[...] holds the values as text; without it they are the levels or deciles of the training rows.';
    END IF;
    -- A whole number has no value between two of them.
    IF type_name IN ('smallint', 'integer', 'bigint') THEN
        SELECT array_agg(d.x ORDER BY d.x::numeric) INTO partial_dependence.grid FROM (SELECT DISTINCT round(x::numeric)::text AS x FROM unnest(partial_dependence.grid) AS x) AS d;
    END IF;
    -- Only those held out need the columns of the outcome.
    SELECT format('%I.%I', s.nspname, c.relname) = spec ->> 'source' INTO trained_on FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE c.oid = partial_dependence.source;
    IF partial_dependence.rows = 'auto' AND trained_on AND jsonb_typeof(spec -> 'holdout') = 'object' OR partial_dependence.rows IS NULL OR partial_dependence.rows NOT IN ('auto', 'all') THEN
        SELECT format('(SELECT ltv_row.* FROM %s AS ltv_row WHERE %s)', partial_dependence.source, q.restriction) INTO relation
        FROM ltv.evaluation_query(partial_dependence.model, partial_dependence.source, rows => partial_dependence.rows,
                                  outcome => CASE WHEN spec ->> 'target' IS NOT NULL AND spec ->> 'duration' IS NULL THEN 'amount' ELSE 'event' END, checked => false) AS q;
    ELSIF trained_on THEN
        standing := 'in sample';
    END IF;
    RETURN QUERY EXECUTE format($q$
        SELECT v.value, CASE WHEN $5 THEN NULL ELSE avg(p.p) END, CASE WHEN $5 THEN avg(p.p) END, percentile_cont(0.1) WITHIN GROUP (ORDER BY p.p), percentile_cont(0.9) WITHIN GROUP (ORDER BY p.p), count(p.p),
               min(l.n), $6
        FROM unnest($3) WITH ORDINALITY AS v (value, at)
        LEFT JOIN LATERAL ltv.profile_levels($4) AS l ON l.level = v.value
        CROSS JOIN %1$s AS s
        CROSS JOIN LATERAL (SELECT %2$s) AS q
        CROSS JOIN LATERAL (SELECT %3$s AS p) AS p
        GROUP BY v.value, v.at ORDER BY v.at$q$,
        relation,
        (SELECT string_agg(CASE WHEN f = partial_dependence.feature THEN format('CAST(v.value AS %s) AS %I', type_name, f) ELSE format('s.%I', f) END, ', ' ORDER BY at)
         FROM unnest(names) WITH ORDINALITY AS n (f, at)),
        CASE WHEN amounts THEN 'ltv.expected_value($1, q.*)' ELSE '1 - ltv.renewal_probability($1, q.*, $2)' END)
    USING fitted, partial_dependence.horizon, partial_dependence.grid, known, amounts, standing;
END
$$;
COMMENT ON FUNCTION ltv.partial_dependence(text, regclass, text, text[], double precision, text) IS 'The mean event probability within horizon, from the start on - of a model of amounts the mean expected_value - over the rows of source if each had this value of a feature (Friedman 2001), with the tenth and the ninetieth percentile of the rows (individual conditional expectations, Goldstein et al. 2015). grid: the values as text; by default the levels of the training data, or their deciles with the least and the greatest (whole numbers rounded). horizon: where it is left out the one at which train judged the version, and refused where there is none (see model_horizon). rows: all, holdout, or auto: those that train held out when source is the relation of the training and the version knows a holdout, else all; status says where they are those of the training (in sample). n: rows with a score; n_training: how many training rows had the level (NULL for numbers). It says what the model associates, not what a change would do, and mixes values that never occur together. Errors: P0002, 42703, 22023 (no such feature, no profile and no grid), 22004.';

CREATE FUNCTION ltv.similar(
    model text, source regclass, id text, key text, k integer DEFAULT 10
) RETURNS TABLE (rank bigint, similar_id text, distance double precision, differs_in text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_version integer;
    terms text;
    differences text;
    wanted text;
    found boolean;
BEGIN
    IF "similar".model IS NULL OR "similar".source IS NULL OR "similar".id IS NULL OR "similar".key IS NULL OR "similar".k IS NULL THEN
        RAISE EXCEPTION 'similar needs a model, a source, the name of its key, a key and k' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF "similar".k < 1 THEN
        RAISE EXCEPTION 'k must be at least 1, got %', "similar".k USING ERRCODE = 'invalid_parameter_value', HINT = 'How many rows to find.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = "similar".source) THEN
        RAISE EXCEPTION 'the source does not exist' USING ERRCODE = 'invalid_parameter_value', HINT = 'The name of a table or view.';
    END IF;
    found_version := ltv.model_version("similar".model);
    FOREACH wanted IN ARRAY ARRAY["similar".id] || ltv.model_features(ltv.model("similar".model)) LOOP
        IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = "similar".source AND a.attname = wanted AND a.attnum > 0 AND NOT a.attisdropped) THEN
            RAISE EXCEPTION '% has no column "%"', "similar".source, wanted
                USING ERRCODE = 'undefined_column', HINT = 'The key, and the features under the names that train knew.';
        END IF;
    END LOOP;
    SELECT string_agg(CASE WHEN u.is_number THEN format('coalesce(((%1$s - %2$s) / %3$L::double precision) ^ 2, (num_nulls(%1$s, %2$s) = 1)::integer)', u.theirs, u.own, r.std_dev)
                           ELSE format('(%s IS DISTINCT FROM %s)::integer', u.theirs, u.own) END, ' + ' ORDER BY p.input),
           string_agg(format('CASE WHEN %s IS DISTINCT FROM %s THEN %L END', u.theirs, u.own, p.input), ', ' ORDER BY p.input)
    INTO terms, differences
    FROM ltv.model_profiles p, LATERAL ltv.profile_summary(p.profile) AS r, pg_attribute a, pg_type t,
         LATERAL (SELECT r.kind = 'numbers' AND t.typcategory <> 'B' AS is_number) AS k,
         LATERAL (SELECT k.is_number, format(w.said, 's', p.input) AS theirs, format(w.said, 'o', p.input) AS own
                  FROM (SELECT CASE WHEN NOT k.is_number THEN '%s.%I' WHEN t.typname IN ('int2', 'int4', 'int8') THEN '%s.%I::double precision'
                                    -- What is no number, or not finite, is missing.
                                    ELSE 'CASE WHEN %1$s.%2$I::double precision > ''-Infinity'' AND %1$s.%2$I::double precision < ''Infinity'' THEN %1$s.%2$I::double precision END' END AS said) AS w) AS u
    WHERE p.model = split_part("similar".model, '@', 1) AND p.version = found_version AND p.role = 'feature'
      AND a.attrelid = "similar".source AND a.attname = p.input AND t.oid = a.atttypid AND (r.kind = 'texts' OR r.std_dev > 0);
    IF terms IS NULL THEN
        RAISE EXCEPTION '%@% has no training profile of its features', split_part("similar".model, '@', 1), found_version
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Train a new version, with features.';
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s AS s WHERE s.%I::text = $1)', "similar".source, "similar".id) INTO found USING "similar".key;
    IF NOT found THEN
        RAISE EXCEPTION '% has no row whose % is %', "similar".source, "similar".id, "similar".key USING ERRCODE = 'no_data_found', HINT = 'The key as text.';
    END IF;
    RETURN QUERY EXECUTE format($q$
        SELECT row_number() OVER (ORDER BY d.distance, d.id COLLATE "C"), d.id, d.distance, d.differs_in
        FROM (SELECT s.%1$I::text AS id, sqrt(%2$s) AS distance, nullif(concat_ws(', ', %3$s), '') AS differs_in
              FROM %4$s AS s, (SELECT * FROM %4$s AS x WHERE x.%1$I::text = $1 LIMIT 1) AS o
              WHERE s.%1$I::text <> $1) AS d
        WHERE d.distance IS NOT NULL ORDER BY 1 LIMIT $2$q$, "similar".id, terms, differences, "similar".source)
    USING "similar".key, "similar".k;
END
$$;
COMMENT ON FUNCTION ltv.similar(text, regclass, text, text, integer) IS 'The k rows of source most like one of its rows by the features of a registered model: Euclidean distance with numbers in standard deviations of the training rows, a category that differs counting 1. id: the column that is the key; key: that of the row, as text. differs_in: the features in which they differ. Ties by key. A feature that only one of the two has counts 1; a number that is NaN or infinite is as one that is missing. Errors: P0002 no such model or row, 42703, 22023, 22004.';

CREATE FUNCTION ltv.segment_profile(
    source regclass, by text, features text[]
) RETURNS TABLE (segment text, feature text, level text, n bigint, value double precision, others double precision, standardized_difference double precision)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 50
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted text;
    parts text;
    odd record;
BEGIN
    IF segment_profile.source IS NULL OR segment_profile.by IS NULL OR segment_profile.features IS NULL OR EXISTS (SELECT FROM unnest(segment_profile.features) AS f WHERE f IS NULL) THEN
        RAISE EXCEPTION 'segment_profile needs a source, a column to segment by and features' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = segment_profile.source) THEN
        RAISE EXCEPTION 'the source does not exist' USING ERRCODE = 'invalid_parameter_value', HINT = 'The name of a table or view.';
    END IF;
    FOREACH wanted IN ARRAY ARRAY[segment_profile.by] || ARRAY(SELECT unnest(segment_profile.features)) LOOP
        IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = segment_profile.source AND a.attname = wanted AND a.attnum > 0 AND NOT a.attisdropped) THEN
            RAISE EXCEPTION '% has no column "%"', segment_profile.source, wanted
                USING ERRCODE = 'undefined_column',
                      HINT = (SELECT 'It has: ' || string_agg(a.attname, ', ' ORDER BY a.attnum) || '.' FROM pg_attribute a
                              WHERE a.attrelid = segment_profile.source AND a.attnum > 0 AND NOT a.attisdropped);
        END IF;
    END LOOP;
    SELECT f.f, format_type(a.atttypid, a.atttypmod) AS type_name INTO odd
    FROM unnest(segment_profile.features) WITH ORDINALITY AS f (f, at)
    JOIN pg_attribute a ON a.attrelid = segment_profile.source AND a.attname = f.f AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid
    WHERE t.typcategory NOT IN ('N', 'B', 'S', 'E') ORDER BY f.at LIMIT 1;
    IF odd.f IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of type % cannot be a feature', odd.f, odd.type_name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Features are numbers, booleans or text; turn dates into durations in a view.';
    END IF;
    SELECT string_agg(CASE WHEN t.typcategory = 'N' THEN format('(%1$L, NULL::text, CASE WHEN s.%2$I::double precision > ''-Infinity'' AND s.%2$I::double precision < ''Infinity'' THEN s.%2$I::double precision END)', f.f, f.f) ELSE format('(%L, s.%I::text, NULL::double precision)', f.f, f.f) END, ', ' ORDER BY f.at)
    INTO parts
    FROM unnest(segment_profile.features) WITH ORDINALITY AS f (f, at)
    JOIN pg_attribute a ON a.attrelid = segment_profile.source AND a.attname = f.f AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid;
    IF parts IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($q$
        WITH cell AS (
            SELECT s.%1$I::text AS segment, v.feature, v.level, v.number FROM %2$s AS s, LATERAL (VALUES %3$s) AS v (feature, level, number)
        ), numbers AS (
            SELECT segment, feature, count(number) AS n, avg(number) AS mean, coalesce(var_samp(number), 0) AS variance FROM cell GROUP BY 1, 2 HAVING count(number) > 0
        ), numbers_with_others AS (
            -- Those before and those after, never the sum of all less its own part: what is left of that is rounding where a segment is nearly all.
            SELECT a.*, nullif(coalesce(sum(n) OVER before, 0) + coalesce(sum(n) OVER behind, 0), 0) AS others_n,
                   coalesce(sum(n * mean) OVER before, 0) + coalesce(sum(n * mean) OVER behind, 0) AS others_sum,
                   coalesce(sum((n - 1) * variance + n * (mean - centre) ^ 2) OVER before, 0) + coalesce(sum((n - 1) * variance + n * (mean - centre) ^ 2) OVER behind, 0) AS others_squares
            FROM (SELECT b.*, sum(n * mean) OVER w / sum(n) OVER w AS centre FROM numbers AS b WINDOW w AS (PARTITION BY feature)) AS a
            WINDOW before AS (PARTITION BY feature ORDER BY segment ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
                   behind AS (PARTITION BY feature ORDER BY segment DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ), number_rows AS (
            SELECT a.segment, a.feature, NULL::text AS level, a.n, a.mean AS value, a.others_sum / a.others_n AS others,
                   (a.mean - a.others_sum / a.others_n) / nullif(sqrt((a.variance + coalesce(greatest(a.others_squares - a.others_n * (a.others_sum / a.others_n - a.centre) ^ 2, 0) / nullif(a.others_n - 1, 0), 0)) / 2), 0) AS difference
            FROM numbers_with_others AS a
        ), sizes AS (
            SELECT segment, feature, count(level) AS n FROM cell GROUP BY 1, 2
        ), levels AS (
            SELECT segment, feature, level, count(*) AS n FROM cell WHERE level IS NOT NULL GROUP BY 1, 2, 3
        ), level_rows AS (
            SELECT z.segment, z.feature, l.level, coalesce(m.n, 0) AS n, coalesce(m.n, 0)::double precision / nullif(z.n, 0) AS p,
                   (l.n - coalesce(m.n, 0))::double precision / nullif(x.n - z.n, 0) AS q
            FROM sizes AS z JOIN (SELECT feature, level, sum(n) AS n FROM levels GROUP BY 1, 2) AS l USING (feature) JOIN (SELECT feature, sum(n) AS n FROM sizes GROUP BY 1) AS x USING (feature)
            LEFT JOIN levels AS m ON m.feature = z.feature AND m.level = l.level AND m.segment IS NOT DISTINCT FROM z.segment WHERE z.n > 0
        )
        SELECT * FROM number_rows
        UNION ALL SELECT segment, feature, level, n, p, q, (p - q) / nullif(sqrt((p * (1 - p) + q * (1 - q)) / 2), 0) FROM level_rows
        ORDER BY 1, 2, 3$q$, segment_profile.by, segment_profile.source, parts);
END
$$;
COMMENT ON FUNCTION ltv.segment_profile(regclass, text, text[]) IS 'How each segment of a relation differs from all others: of numbers the means, of everything else the share of each level, and the standardized difference (Austin 2009): (mean - others) / sqrt((variance + variance of the others) / 2), with p (1 - p) for shares; beyond 0.1 it is commonly held to matter. n: rows with a value (of a level: with that level); a number that is NaN or infinite is none. NULL where the others have none, or nothing varies. A NULL of by is a segment. Features are numbers, booleans and texts, as for train. Errors: 42703, 22023 (a feature of another type, as a date), 22004.';
