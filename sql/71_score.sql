-- Scores of a whole relation in flat columns, each row by itself: bands and ranges come from the training data, never from the batch.

CREATE TYPE ltv.scored AS (
    id text,
    as_of date,
    model text,
    version integer,
    segment text,
    horizon double precision,
    p_renew double precision,
    p_event double precision,
    lower double precision,
    upper double precision,
    expected_lifetime double precision,
    linear_predictor double precision,
    risk_percentile double precision,
    risk_decile integer,
    risk_band text,
    confidence text,
    abstain boolean,
    abstain_reason text,
    out_of_range_features text,
    reason_1 text,
    reason_1_effect double precision,
    reason_2 text,
    reason_2_effect double precision,
    reason_3 text,
    reason_3_effect double precision,
    status text,
    scored_at timestamptz
);
COMMENT ON TYPE ltv.scored IS 'One scored row: plain columns that any tool can store and show. A row''s score depends on the model and the row alone.';
COMMENT ON COLUMN ltv.scored.id IS 'The row''s key, as text.';
COMMENT ON COLUMN ltv.scored.as_of IS 'The day for which it is scored.';
COMMENT ON COLUMN ltv.scored.model IS 'The model''s name, without version.';
COMMENT ON COLUMN ltv.scored.version IS 'The version that scored.';
COMMENT ON COLUMN ltv.scored.segment IS 'The row''s segment, by whose model it was scored unless status says pooled, and its stratum, " / " between them; NULL for a model without either.';
COMMENT ON COLUMN ltv.scored.horizon IS 'The window of the probabilities, in the unit of the durations.';
COMMENT ON COLUMN ltv.scored.p_renew IS 'Probability to last through the horizon, given the age.';
COMMENT ON COLUMN ltv.scored.p_event IS 'Probability of the event within the horizon: 1 - p_renew.';
COMMENT ON COLUMN ltv.scored.lower IS 'Lower limit of p_renew at 95 %: the uncertainty of the model, not of the outcome.';
COMMENT ON COLUMN ltv.scored.upper IS 'Upper limit of p_renew.';
COMMENT ON COLUMN ltv.scored.expected_lifetime IS 'Mean remaining lifetime: see predict.';
COMMENT ON COLUMN ltv.scored.linear_predictor IS 'The features'' part of the model against the average training row; NULL for kaplan_meier.';
COMMENT ON COLUMN ltv.scored.risk_percentile IS 'Share of the training rows whose features were associated with less risk than this row''s, 0 to 1: the event probability from the start, within the horizon that train stored, ranked among theirs. NULL for a version without a training profile.';
COMMENT ON COLUMN ltv.scored.risk_decile IS '1 (least risk) to 10: risk_percentile in tenths.';
COMMENT ON COLUMN ltv.scored.risk_band IS 'low (below half of the training rows), medium (to 80 %), high (to 95 %), very high.';
COMMENT ON COLUMN ltv.scored.confidence IS 'high (the limits are at most 0.1 apart), medium (0.25), low (wider, beyond the observed time, or a feature out of its training range), unknown (no limits), none (abstains).';
COMMENT ON COLUMN ltv.scored.abstain IS 'There is no score to act on.';
COMMENT ON COLUMN ltv.scored.abstain_reason IS 'Why.';
COMMENT ON COLUMN ltv.scored.out_of_range_features IS 'Numeric features below the least or above the greatest value of the training rows, by name; NULL when there is none.';
COMMENT ON COLUMN ltv.scored.reason_1 IS 'What p_event is most associated with: feature = value. Not a cause.';
COMMENT ON COLUMN ltv.scored.reason_1_effect IS 'Its part of p_event less that of the average training row: see explain.';
COMMENT ON COLUMN ltv.scored.reason_2 IS 'The second.';
COMMENT ON COLUMN ltv.scored.reason_2_effect IS 'Its part.';
COMMENT ON COLUMN ltv.scored.reason_3 IS 'The third.';
COMMENT ON COLUMN ltv.scored.reason_3_effect IS 'Its part.';
COMMENT ON COLUMN ltv.scored.status IS 'As predict says: ok, extrapolated, pooled: and why (scored by the model of all rows), unseen NULL: and features that no training row lacked (scored by trees all the same), or why there is no score.';
COMMENT ON COLUMN ltv.scored.scored_at IS 'When the statement''s transaction began.';

CREATE FUNCTION ltv.score(
    model text, source regclass, id text, horizon double precision DEFAULT 12, given text DEFAULT NULL, explain_top integer DEFAULT 3, as_of date DEFAULT NULL
) RETURNS SETOF ltv.scored
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_version integer;
    fitted ltv.model;
    groups text[];
    risk ltv.profile;
    risk_horizon double precision;
    outside text;
    wanted text;
BEGIN
    IF score.model IS NULL OR score.source IS NULL OR score.id IS NULL OR score.horizon IS NULL THEN
        RAISE EXCEPTION 'score needs a model, a source, the name of its key and a horizon' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT (score.horizon > 0 AND score.horizon < 'Infinity') THEN
        RAISE EXCEPTION 'the horizon must be finite and greater than 0, got %', score.horizon
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is in the unit of the durations the model was trained on.';
    END IF;
    IF coalesce(score.explain_top, 0) NOT BETWEEN 0 AND 3 THEN
        RAISE EXCEPTION 'explain_top must be between 0 and 3, got %', score.explain_top
            USING ERRCODE = 'invalid_parameter_value', HINT = 'There are columns for three reasons; ltv.explain tells all.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = score.source) THEN
        RAISE EXCEPTION 'the source does not exist' USING ERRCODE = 'invalid_parameter_value', HINT = 'The name of a table or view.';
    END IF;
    FOREACH wanted IN ARRAY array_remove(ARRAY[score.id, score.given], NULL) LOOP
        IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = score.source AND a.attname = wanted AND a.attnum > 0 AND NOT a.attisdropped) THEN
            RAISE EXCEPTION '% has no column "%"', score.source, wanted
                USING ERRCODE = 'undefined_column',
                      HINT = (SELECT 'It has: ' || string_agg(a.attname, ', ' ORDER BY a.attnum) || '.' FROM pg_attribute a
                              WHERE a.attrelid = score.source AND a.attnum > 0 AND NOT a.attisdropped);
        END IF;
    END LOOP;
    found_version := ltv.model_version(score.model);
    SELECT v.fitted, array_remove(ARRAY(SELECT jsonb_array_elements_text(v.spec -> 'segment_by')) || (v.spec ->> 'strata'), NULL) INTO fitted, groups FROM ltv.model_versions v
    WHERE v.model = split_part(score.model, '@', 1) AND v.version = found_version;
    -- What any row would be refused for is said before the first one is read.
    SELECT format_type(a.atttypid, a.atttypmod) INTO wanted FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = score.source AND a.attname = score.given AND a.attnum > 0 AND t.typcategory <> 'N';
    IF FOUND THEN
        RAISE EXCEPTION 'the age in "%" must be a number, not %', score.given, wanted
            USING ERRCODE = 'invalid_parameter_value', HINT = 'given names the column with the age of each row, in the unit of the durations.';
    END IF;
    SELECT f.name INTO wanted FROM unnest(ltv.model_features(fitted)) WITH ORDINALITY AS f (name, place)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = score.source AND a.attname = f.name AND a.attnum > 0 AND NOT a.attisdropped) ORDER BY f.place LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% has no column "%", which the model needs', score.source, wanted
            USING ERRCODE = 'undefined_column',
                  HINT = (SELECT 'Features are found by name; it has: ' || string_agg(a.attname, ', ' ORDER BY a.attnum) || '.' FROM pg_attribute a
                          WHERE a.attrelid = score.source AND a.attnum > 0 AND NOT a.attisdropped);
    END IF;
    groups := ARRAY(SELECT g FROM unnest(groups) WITH ORDINALITY AS u (g, place) WHERE g = ANY (ltv.model_features(fitted)) ORDER BY place);
    SELECT p.profile, p.horizon INTO risk, risk_horizon FROM ltv.model_profiles p
    WHERE p.model = split_part(score.model, '@', 1) AND p.version = found_version AND p.role = 'prediction';
    -- Only where the training column and this one are numbers; of true and false there is no range.
    SELECT string_agg(format('CASE WHEN s.%1$I < %2$L::double precision OR s.%1$I > %3$L::double precision THEN %4$L END', p.input, r.minimum, r.maximum, p.input), ', ' ORDER BY p.input)
    INTO outside
    FROM ltv.model_profiles p, LATERAL ltv.profile_summary(p.profile) AS r, pg_attribute a, pg_type t
    WHERE p.model = split_part(score.model, '@', 1) AND p.version = found_version AND p.role = 'feature' AND r.kind = 'numbers' AND r.n > 0
      AND a.attrelid = score.source AND a.attname = p.input AND a.attnum > 0 AND t.oid = a.atttypid AND t.typcategory = 'N';
    -- OFFSET 0: each is computed once, not wherever it is read.
    RETURN QUERY EXECUTE format($q$
        SELECT s.%1$I::text, $6, $7, $8, %2$s, $2, p.renewal_probability, p.event_probability, p.lower, p.upper, p.expected_lifetime, p.linear_predictor,
               k.rank, CASE WHEN k.rank IS NOT NULL THEN least(10, floor(10 * k.rank)::integer + 1) END,
               CASE WHEN k.rank < 0.5 THEN 'low' WHEN k.rank < 0.8 THEN 'medium' WHEN k.rank < 0.95 THEN 'high' WHEN k.rank IS NOT NULL THEN 'very high' END,
               CASE WHEN a.reason IS NOT NULL THEN 'none' WHEN p.status <> 'ok' OR o.names IS NOT NULL THEN 'low' WHEN p.upper - p.lower <= 0.1 THEN 'high'
                    WHEN p.upper - p.lower <= 0.25 THEN 'medium' WHEN p.upper - p.lower IS NOT NULL THEN 'low' ELSE 'unknown' END,
               a.reason IS NOT NULL, a.reason, o.names,
               e.reason[1], e.effect[1], e.reason[2], e.effect[2], e.reason[3], e.effect[3], coalesce(p.status, a.reason), now()
        FROM %3$s AS s
        CROSS JOIN LATERAL (SELECT CASE WHEN %4$s >= 0 AND %4$s < 'Infinity' THEN %4$s END AS age OFFSET 0) AS g
        LEFT JOIN LATERAL ltv.predict($1, s.*, $2, g.age) AS p ON true
        CROSS JOIN LATERAL (SELECT ltv.profile_rank($3, 1 - ltv.renewal_probability($1, s.*, $4)) AS rank OFFSET 0) AS k
        CROSS JOIN LATERAL (SELECT nullif(concat_ws(', ', NULL %5$s), '') AS names OFFSET 0) AS o
        CROSS JOIN LATERAL (
            SELECT CASE WHEN g.age IS NULL THEN 'no age in ' || %6$L WHEN p.renewal_probability IS NULL OR p.status NOT IN ('ok', 'extrapolated') AND NOT p.status ^@ ANY (ARRAY['pooled: ', 'unseen NULL: ']) THEN p.status END AS reason OFFSET 0) AS a
        LEFT JOIN LATERAL (
            SELECT array_agg(x.feature || ' = ' || x.value ORDER BY x.rank) AS reason, array_agg(x.contribution ORDER BY x.rank) AS effect
            FROM ltv.explain($1, s.*, $5, $2, g.age) AS x WHERE x.rank <= $5) AS e ON $5 > 0
        $q$,
        score.id, CASE WHEN groups = '{}' THEN 'NULL::text' ELSE (SELECT string_agg(format('s.%I::text', g), ' || '' / '' || ' ORDER BY place) FROM unnest(groups) WITH ORDINALITY AS u (g, place)) END, score.source,
        CASE WHEN score.given IS NULL THEN '0::double precision' ELSE format('s.%I::double precision', score.given) END,
        ', ' || outside, coalesce(score.given, 'given'))
    USING fitted, score.horizon, risk, risk_horizon, coalesce(score.explain_top, 0), coalesce(score.as_of, current_date), split_part(score.model, '@', 1), found_version;
END
$$;
COMMENT ON FUNCTION ltv.score(text, regclass, text, double precision, text, integer, date) IS 'Scores every row of a table or view, read as the caller, with a registered model (name, name@alias or name@version): probabilities with limits, the rank among the training rows, how far to trust it, and its top reasons, in flat columns. id: the column that is the key. given: the column with the age of each row (none: from the start). explain_top: how many of the three reasons to fill. as_of: stated in the result, today by default; it does not filter the source. The score of a row depends on the model and the row alone, never on the other rows. A row that cannot be scored abstains and says why. Errors: P0002 no such model, 42703 a missing column, 22023, 22004.';
