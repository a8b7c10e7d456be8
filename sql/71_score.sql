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
    scored_at timestamptz,
    estimate double precision,
    outcome_lower double precision,
    outcome_upper double precision,
    outcome_method text,
    value_percentile double precision,
    value_decile integer,
    value_band text,
    confidence_reason text
);
COMMENT ON TYPE ltv.scored IS 'One scored row: plain columns that any tool can store and show. A row''s score depends on the model and the row alone.';
COMMENT ON COLUMN ltv.scored.id IS 'The row''s key, as text.';
COMMENT ON COLUMN ltv.scored.as_of IS 'The day for which it is scored.';
COMMENT ON COLUMN ltv.scored.model IS 'The model''s name, without version.';
COMMENT ON COLUMN ltv.scored.version IS 'The version that scored.';
COMMENT ON COLUMN ltv.scored.segment IS 'The row''s segment, by whose model it was scored unless status says pooled, and its stratum, " / " between them; NULL for a model without either.';
COMMENT ON COLUMN ltv.scored.horizon IS 'The window of the probabilities, in the unit of the durations; of a hybrid that of its terms; NULL for a model of amounts.';
COMMENT ON COLUMN ltv.scored.p_renew IS 'Probability to last through the horizon, given the age.';
COMMENT ON COLUMN ltv.scored.p_event IS 'Probability of the event within the horizon: 1 - p_renew.';
COMMENT ON COLUMN ltv.scored.lower IS 'Lower limit at 95 % of p_renew (of p_event the upper one is 1 - lower), or of estimate where there is one: the uncertainty of the model, not of the outcome. Of a recalibrated version the limit before it through the map, which is taken as known. Of trees (boosted_hazard): where the renewal rate of rows of like prediction lies, by the rows that train held out and that were still watched at the age (see model_limits); widened to hold p_renew; NULL, and confidence_reason says why, where they do not tell it.';
COMMENT ON COLUMN ltv.scored.upper IS 'Upper limit of the same.';
COMMENT ON COLUMN ltv.scored.expected_lifetime IS 'Mean remaining lifetime: see predict.';
COMMENT ON COLUMN ltv.scored.linear_predictor IS 'The features'' part of the model against the average training row; NULL for kaplan_meier.';
COMMENT ON COLUMN ltv.scored.risk_percentile IS 'Share of the training rows whose features were associated with less risk than this row''s, 0 to 1: the event probability from the start, within the horizon that train stored, ranked among theirs. NULL for a version without a training profile, and where the row abstains.';
COMMENT ON COLUMN ltv.scored.risk_decile IS '1 (least risk) to 10: risk_percentile in tenths.';
COMMENT ON COLUMN ltv.scored.risk_band IS 'low (below half of the training rows), medium (to 80 %), high (to 95 %), very high.';
COMMENT ON COLUMN ltv.scored.confidence IS 'high (the limits are at most 0.1 apart; of an estimate at most 20 % of it), medium (0.25; 50 %), low (wider, beyond the observed time, or a feature out of its training range), unknown (no limits), none (abstains); one lower where a NULL was filled in (null_policy impute, indicator), and low where training never saw one: see confidence_reason. Of a recalibrated version the wider of the limits before and after its map counts; a probability that the map makes 0 or 1 is low, and unknown where it makes the limits so too: how sure the map is, no limits tell.';
COMMENT ON COLUMN ltv.scored.abstain IS 'There is no score to act on: probabilities, limits, expected lifetime, linear predictor, ranks and reasons are NULL.';
COMMENT ON COLUMN ltv.scored.abstain_reason IS 'Why.';
COMMENT ON COLUMN ltv.scored.out_of_range_features IS 'Numeric features below the least or above the greatest value of the training rows, by name; NULL when there is none.';
COMMENT ON COLUMN ltv.scored.reason_1 IS 'What p_event, or the estimate, is most associated with: feature = value. Not a cause.';
COMMENT ON COLUMN ltv.scored.reason_1_effect IS 'Its part of p_event, or of the estimate in its unit, less that of the average training row: see explain and explain_amount; of a hybrid in whole minor units of its currency, across its components.';
COMMENT ON COLUMN ltv.scored.reason_2 IS 'The second.';
COMMENT ON COLUMN ltv.scored.reason_2_effect IS 'Its part.';
COMMENT ON COLUMN ltv.scored.reason_3 IS 'The third.';
COMMENT ON COLUMN ltv.scored.reason_3_effect IS 'Its part.';
COMMENT ON COLUMN ltv.scored.status IS 'As predict says: ok, extrapolated, pooled: and why (scored by the model of all rows), unseen NULL: and features that no training row lacked (scored by trees all the same), or why there is no score.';
COMMENT ON COLUMN ltv.scored.scored_at IS 'When the statement''s transaction began.';
COMMENT ON COLUMN ltv.scored.estimate IS 'The expected amount, in its own unit, of a model of amounts; what a hybrid with terms of its own makes the row worth. NULL for a model of durations.';
COMMENT ON COLUMN ltv.scored.outcome_lower IS 'Lower limit at 95 % of the amount itself, not of what is expected.';
COMMENT ON COLUMN ltv.scored.outcome_upper IS 'Upper limit of the same.';
COMMENT ON COLUMN ltv.scored.outcome_method IS 'How these limits were found: conformal (from the errors on the rows that train held out, of a segment with a model of its own and 100 such rows on those of the segment: see conformal_margin), or the law of the model (see outcome_interval). NULL without.';
COMMENT ON COLUMN ltv.scored.value_percentile IS 'Share of the training rows that were expected to have less than this one, 0 to 1. NULL for a version without a training profile.';
COMMENT ON COLUMN ltv.scored.value_decile IS '1 (least) to 10: value_percentile in tenths.';
COMMENT ON COLUMN ltv.scored.value_band IS 'low (below half of the training rows), medium (to 80 %), high (to 95 %), very high.';
COMMENT ON COLUMN ltv.scored.confidence_reason IS 'Why the confidence is what it is; NULL: and what stood in for it, where a value was filled in.';

CREATE FUNCTION ltv.score(
    model text, source regclass, id text, horizon double precision DEFAULT NULL, given text DEFAULT NULL, explain_top integer DEFAULT 3, as_of date DEFAULT NULL
) RETURNS SETOF ltv.scored
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_version integer;
    fitted ltv.model;
    algorithm text;
    groups text[];
    group_name text := 'NULL::text';
    ranked ltv.profile;
    risk_horizon double precision;
    outside text;
    wanted text;
    margin double precision;
    relative boolean;
    held_out bigint;
    weighs boolean;
    segments text[];
    margins double precision[];
    segment_rows bigint[];
    evidence text;
    limited jsonb;
    begins double precision[];
    lower_powers double precision[];
    upper_powers double precision[];
    group_rows bigint[];
    ends double precision;
    bare ltv.model;
    filled text;
BEGIN
    IF score.model IS NULL OR score.source IS NULL OR score.id IS NULL THEN
        RAISE EXCEPTION 'score needs a model, a source and the name of its key' USING ERRCODE = 'null_value_not_allowed';
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
    SELECT v.fitted, array_remove(ARRAY(SELECT jsonb_array_elements_text(v.spec -> 'segment_by')) || (v.spec ->> 'strata'), NULL), coalesce(v.spec ->> 'weight', v.spec ->> 'half_life') IS NOT NULL INTO fitted, groups, weighs FROM ltv.model_versions v
    WHERE v.model = split_part(score.model, '@', 1) AND v.version = found_version;
    algorithm := ltv.model_algorithm(fitted);
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
    IF algorithm IN ('bg_nbd', 'mbg_nbd', 'pareto_nbd', 'gamma_gamma') THEN
        RAISE EXCEPTION 'a % model tells of purchases, not of how long a contract lasts or of an amount given features', algorithm
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use expected_purchases, probability_alive, expected_spend or transactional_value.';
    ELSIF algorithm = 'hybrid' AND ltv.hybrid_own_terms(fitted) IS NULL THEN
        RAISE EXCEPTION 'this hybrid model has no terms of its own under which a row could be valued'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use hybrid_value(model, row, contract_terms(revenue, ...)), or store them: fit_hybrid(..., terms => ..., revenue => ''column'').';
    ELSIF algorithm IN ('linear', 'gamma', 'tweedie', 'two_part', 'boosted_value', 'hybrid') AND score.given IS NOT NULL THEN
        RAISE EXCEPTION 'a % model knows no age: given must be NULL', algorithm
            USING ERRCODE = 'invalid_parameter_value', HINT = 'An age that matters is a feature of a model of amounts, and a term of a hybrid.';
    END IF;
    score.horizon := ltv.model_horizon(fitted, coalesce(score.horizon, ltv.model_horizon(score.model)));
    groups := ARRAY(SELECT g FROM unnest(groups) WITH ORDINALITY AS u (g, place) WHERE g = ANY (ltv.model_features(fitted)) ORDER BY place);
    IF groups <> '{}' THEN
        group_name := (SELECT string_agg(format('s.%I::text', g), ' || '' / '' || ' ORDER BY place) FROM unnest(groups) WITH ORDINALITY AS u (g, place));
    END IF;
    SELECT p.profile, p.horizon INTO ranked, risk_horizon FROM ltv.model_profiles p
    WHERE p.model = split_part(score.model, '@', 1) AND p.version = found_version AND p.role = 'prediction';
    -- Only where the training column and this one are numbers; of true and false there is no range.
    SELECT string_agg(format('CASE WHEN s.%1$I < %2$L::double precision OR s.%1$I > %3$L::double precision THEN %4$L END', p.input, r.minimum, r.maximum, p.input), ', ' ORDER BY p.input)
    INTO outside
    FROM ltv.model_profiles p, LATERAL ltv.profile_summary(p.profile) AS r, pg_attribute a, pg_type t
    WHERE p.model = split_part(score.model, '@', 1) AND p.version = found_version AND p.role = 'feature' AND r.kind = 'numbers' AND r.n > 0
      AND a.attrelid = score.source AND a.attname = p.input AND a.attnum > 0 AND t.oid = a.atttypid AND t.typcategory = 'N';
    -- What stands in for a NULL, and whether training has seen one.
    SELECT string_agg(format('(%s, %L, s.%I IS NULL)', coalesce((r.nulls > 0)::text, 'true'),
                             f.value ->> 'name' || ' taken as ' || coalesce(b.by ->> 'number', b.by ->> 'boolean', b.by #>> ARRAY['level', 'levels', b.by #>> '{level,at}']), f.value ->> 'name'), ', ' ORDER BY f.place)
    INTO filled
    FROM jsonb_array_elements(ltv.recalibrated(fitted, NULL::jsonb)::text::jsonb #> '{model,features}') WITH ORDINALITY AS f (value, place)
    CROSS JOIN LATERAL (SELECT f.value #> '{kind,filled,by}' AS by) AS b
    LEFT JOIN ltv.model_profiles p ON p.model = split_part(score.model, '@', 1) AND p.version = found_version AND p.role = 'feature' AND p.input = f.value ->> 'name'
    LEFT JOIN LATERAL ltv.profile_summary(p.profile) AS r ON true
    WHERE b.by IS NOT NULL;
    filled := CASE WHEN filled IS NULL THEN 'SELECT NULL::text AS seen, NULL::text AS unseen'
                   ELSE format('SELECT string_agg(i.told, '', '') FILTER (WHERE i.seen) AS seen, string_agg(i.told, '', '') FILTER (WHERE NOT i.seen) AS unseen FROM (VALUES %s) AS i (seen, told, lacks) WHERE i.lacks', filled) END;
    -- OFFSET 0: each is computed once, not wherever it is read.
    IF algorithm IN ('linear', 'gamma', 'tweedie', 'two_part', 'boosted_value', 'hybrid') THEN
        SELECT ltv.conformal_margin(p.profile, 0.95), p.input = 'relative_error', r.n INTO margin, relative, held_out
        FROM ltv.model_profiles p, LATERAL ltv.profile_summary(p.profile) AS r
        WHERE p.model = split_part(score.model, '@', 1) AND p.version = found_version AND p.role = 'error' AND p.segment IS NULL;
        SELECT array_agg(p.segment ORDER BY p.segment), array_agg(ltv.conformal_margin(p.profile, 0.95) ORDER BY p.segment), array_agg(r.n ORDER BY p.segment) INTO segments, margins, segment_rows
        FROM ltv.model_profiles p, LATERAL ltv.profile_summary(p.profile) AS r
        WHERE p.model = split_part(score.model, '@', 1) AND p.version = found_version AND p.role = 'error' AND p.segment IS NOT NULL;
        RETURN QUERY EXECUTE format($q$
            SELECT s.%1$I::text, $4, $5, $6, %2$s, v.horizon, v.p_renew, 1 - v.p_renew, v.lower, v.upper, NULL::float8, NULL::float8, NULL::float8, NULL::integer, NULL::text,
                   CASE WHEN a.reason IS NOT NULL THEN 'none' WHEN NOT v.plain OR o.names IS NOT NULL OR f.unseen IS NOT NULL THEN 'low' WHEN w.width <= 0.2 AND f.seen IS NULL THEN 'high'
                        WHEN w.width <= CASE WHEN f.seen IS NULL THEN 0.5 ELSE 0.2 END THEN 'medium' WHEN w.width IS NOT NULL THEN 'low' ELSE 'unknown' END,
                   a.reason IS NOT NULL, a.reason, o.names,
                   e.reason[1], e.effect[1], e.reason[2], e.effect[2], e.reason[3], e.effect[3], v.status, now(),
                   v.estimate, y.lower, y.upper, CASE WHEN y.lower IS NOT NULL THEN y.method END,
                   k.rank, CASE WHEN k.rank IS NOT NULL THEN least(10, floor(10 * k.rank)::integer + 1) END,
                   CASE WHEN k.rank < 0.5 THEN 'low' WHEN k.rank < 0.8 THEN 'medium' WHEN k.rank < 0.95 THEN 'high' WHEN k.rank IS NOT NULL THEN 'very high' END,
                   concat_ws('; ', CASE WHEN a.reason IS NOT NULL THEN a.reason WHEN NOT v.plain THEN v.status WHEN o.names IS NOT NULL THEN 'out of the range of the training rows: ' || o.names
                        WHEN w.width > 10 THEN 'the limits are more than ten times the estimate apart'
                        WHEN w.width IS NOT NULL THEN 'the limits are ' || round(100 * w.width::numeric, 1) || ' %% of the estimate apart' ELSE %3$L END,
                             CASE WHEN a.reason IS NULL THEN 'unseen NULL: ' || f.unseen END, CASE WHEN a.reason IS NULL THEN 'NULL: ' || f.seen END)
            FROM %4$s AS s
            CROSS JOIN LATERAL (%5$s OFFSET 0) AS v
            CROSS JOIN LATERAL (SELECT (v.upper - v.lower) / nullif(abs(v.estimate), 0) AS width OFFSET 0) AS w
            CROSS JOIN LATERAL (SELECT ltv.profile_rank($2, v.estimate) AS rank OFFSET 0) AS k
            CROSS JOIN LATERAL (SELECT nullif(concat_ws(', ', NULL %6$s), '') AS names OFFSET 0) AS o
            CROSS JOIN LATERAL (SELECT CASE WHEN v.estimate IS NULL THEN v.status END AS reason OFFSET 0) AS a
            CROSS JOIN LATERAL (%9$s OFFSET 0) AS f
            LEFT JOIN LATERAL (%7$s OFFSET 0) AS y ON true
            LEFT JOIN LATERAL (
                SELECT array_agg(x.feature || ' = ' || x.value ORDER BY x.rank) AS reason, array_agg(x.contribution ORDER BY x.rank) AS effect
                FROM %8$s AS x WHERE x.rank <= $3) AS e ON $3 > 0
            $q$,
            score.id, group_name,
            CASE algorithm WHEN 'boosted_value' THEN 'no limits are known of trees' WHEN 'hybrid' THEN 'a component tells no error: a rule, or trees' ELSE 'the fit has no standard errors' END,
            score.source,
            CASE algorithm WHEN 'hybrid' THEN 'SELECT h.value::float8 AS estimate, h.lower::float8, h.upper::float8, h.p_renew, h.horizon::float8, h.status, h.status = ''ok'' AS plain FROM ltv.hybrid_value($1, s.*) AS h'
                           ELSE 'SELECT i.value AS estimate, i.lower, i.upper, NULL::float8 AS p_renew, NULL::float8 AS horizon, i.status, i.status = ''ok'' OR starts_with(i.status, ''ok: '') AS plain FROM ltv.expected_value_interval($1, s.*) AS i' END,
            ', ' || outside,
            CASE WHEN margin IS NOT NULL THEN
                 CASE WHEN relative THEN 'SELECT greatest(0, v.estimate * (1 - c.margin)) AS lower, v.estimate * (1 + c.margin) AS upper, ''conformal: errors of '' || c.rows || '' held out, relative to the estimate'' AS method'
                      ELSE 'SELECT v.estimate - c.margin AS lower, v.estimate + c.margin AS upper, ''conformal: errors of '' || c.rows || '' held out'' AS method' END
                 || ' FROM (SELECT coalesce($9[g.place], $7) AS margin, coalesce($10[g.place] || '' rows of the segment'', $8 || '' rows'') AS rows FROM (SELECT '
                 || CASE WHEN segments IS NULL THEN 'NULL::integer' ELSE 'array_position($11, ltv.segment_of($1, s.*))' END || ' AS place) AS g) AS c'
                 WHEN algorithm = 'hybrid' THEN 'SELECT NULL::float8 AS lower, NULL::float8 AS upper, NULL AS method'
                 ELSE 'SELECT i.lower, i.upper, i.law AS method FROM ltv.outcome_interval($1, s.*) AS i' END,
            'ltv.explain($1, s.*, $3)', filled)
        USING fitted, ranked, coalesce(score.explain_top, 0), coalesce(score.as_of, current_date), split_part(score.model, '@', 1), found_version, margin, held_out, margins, segment_rows, segments;
        RETURN;
    END IF;
    -- What trees cannot tell of themselves, of the rows that train held out: groups of like prediction, in each the powers of a prediction that are its limits.
    SELECT e INTO limited FROM ltv.model_versions v, jsonb_array_elements(v.profiles) AS e
    WHERE v.model = split_part(score.model, '@', 1) AND v.version = found_version AND e ->> 'role' = 'limit'
    ORDER BY (e ->> 'horizon')::double precision = score.horizon DESC, (e ->> 'horizon')::double precision LIMIT 1;
    IF (limited ->> 'horizon')::double precision = score.horizon THEN
        SELECT array_agg(l."from" ORDER BY l."from"), array_agg(greatest(l.lower_power, 1) ORDER BY l."from"), array_agg(least(l.upper_power, 1) ORDER BY l."from"),
               array_agg(l.rows ORDER BY l."from"), max(l."to"), sum(l.rows)
        INTO begins, lower_powers, upper_powers, group_rows, ends, held_out
        FROM jsonb_to_recordset(limited -> 'groups') AS l ("from" double precision, "to" double precision, rows bigint, lower_power double precision, upper_power double precision);
    END IF;
    -- What a recalibration is unsure of is not in its limits: where it is flat they are close together, whatever the model knows.
    bare := CASE WHEN ltv.recalibration(fitted) IS NOT NULL THEN ltv.recalibrated(fitted, NULL::jsonb) END;
    evidence := limited ->> 'held_out';
    RETURN QUERY EXECUTE format($q$
        SELECT s.%1$I::text, $6, $7, $8, %2$s, $2, t.p_renew, t.p_event, t.lower, t.upper, t.expected_lifetime, t.linear_predictor,
               k.rank, CASE WHEN k.rank IS NOT NULL THEN least(10, floor(10 * k.rank)::integer + 1) END,
               CASE WHEN k.rank < 0.5 THEN 'low' WHEN k.rank < 0.8 THEN 'medium' WHEN k.rank < 0.95 THEN 'high' WHEN k.rank IS NOT NULL THEN 'very high' END,
               CASE WHEN a.reason IS NOT NULL THEN 'none' WHEN p.status <> 'ok' OR o.names IS NOT NULL OR r.certain AND w.width IS NOT NULL OR f.unseen IS NOT NULL THEN 'low' WHEN w.width <= 0.1 AND f.seen IS NULL THEN 'high'
                    WHEN w.width <= CASE WHEN f.seen IS NULL THEN 0.25 ELSE 0.1 END THEN 'medium' WHEN w.width IS NOT NULL THEN 'low' ELSE 'unknown' END,
               a.reason IS NOT NULL, a.reason, o.names,
               e.reason[1], e.effect[1], e.reason[2], e.effect[2], e.reason[3], e.effect[3], coalesce(p.status, a.reason), now(),
               NULL::float8, NULL::float8, NULL::float8, NULL::text, NULL::float8, NULL::integer, NULL::text,
               concat_ws('; ', CASE WHEN a.reason IS NOT NULL THEN a.reason WHEN p.status <> 'ok' THEN p.status WHEN o.names IS NOT NULL THEN 'out of the range of the training rows: ' || o.names
                    WHEN r.certain AND w.width IS NOT NULL THEN 'the recalibration makes it ' || round(p.renewal_probability) || ', and how sure that is its limits do not tell'
                    WHEN b.upper - b.lower < u.width THEN 'the limits are ' || round(u.width::numeric, 3) || ' apart before the recalibration, ' || round((b.upper - b.lower)::numeric, 3) || ' through it'
                    WHEN b.upper - b.lower IS NOT NULL THEN 'the limits are ' || round((b.upper - b.lower)::numeric, 3) || ' apart' || b.method
                    WHEN u.width IS NOT NULL THEN 'no limits: the recalibration makes them all ' || round(p.renewal_probability) || ', and how sure that is it does not tell' ELSE coalesce(b.unknown, %7$s) END,
                         CASE WHEN a.reason IS NULL THEN 'unseen NULL: ' || f.unseen END, CASE WHEN a.reason IS NULL THEN 'NULL: ' || f.seen END)
        FROM %3$s AS s
        CROSS JOIN LATERAL (SELECT CASE WHEN %4$s >= 0 AND %4$s < 'Infinity' THEN %4$s END AS age OFFSET 0) AS g
        LEFT JOIN LATERAL ltv.predict($1, s.*, $2, g.age) AS p ON true
        LEFT JOIN LATERAL (%8$s OFFSET 0) AS b ON true
        LEFT JOIN LATERAL (%9$s OFFSET 0) AS u ON true
        CROSS JOIN LATERAL (SELECT CASE WHEN b.upper IS NOT NULL THEN greatest(b.upper - b.lower, u.width) END AS width OFFSET 0) AS w
        CROSS JOIN LATERAL (SELECT u.width IS NOT NULL AND p.renewal_probability IN (0, 1) AS certain OFFSET 0) AS r
        CROSS JOIN LATERAL (SELECT nullif(concat_ws(', ', NULL %5$s), '') AS names OFFSET 0) AS o
        CROSS JOIN LATERAL (
            SELECT CASE WHEN %4$s < 0 THEN 'the age in ' || %6$L || ' is negative' WHEN %4$s >= 'Infinity' THEN 'the age in ' || %6$L || ' is not finite' WHEN g.age IS NULL THEN 'no age in ' || %6$L WHEN p.renewal_probability IS NULL OR p.status NOT IN ('ok', 'extrapolated') AND NOT p.status ^@ ANY (ARRAY['pooled: ', 'unseen NULL: ']) THEN p.status END AS reason OFFSET 0) AS a
        -- Of a row that abstains there is no number to act on.
        LEFT JOIN LATERAL (SELECT p.renewal_probability AS p_renew, p.event_probability AS p_event, b.lower, b.upper, p.expected_lifetime, p.linear_predictor OFFSET 0) AS t ON a.reason IS NULL
        CROSS JOIN LATERAL (SELECT CASE WHEN a.reason IS NULL THEN ltv.profile_rank($3, 1 - ltv.renewal_probability($1, s.*, $4)) END AS rank OFFSET 0) AS k
        CROSS JOIN LATERAL (%10$s OFFSET 0) AS f
        LEFT JOIN LATERAL (
            SELECT array_agg(x.feature || ' = ' || x.value ORDER BY x.rank) AS reason, array_agg(x.contribution ORDER BY x.rank) AS effect
            FROM ltv.explain($1, s.*, $5, $2, g.age) AS x WHERE x.rank <= $5) AS e ON $5 > 0 AND a.reason IS NULL
        $q$,
        score.id, group_name, score.source,
        CASE WHEN score.given IS NULL THEN '0::double precision' ELSE format('s.%I::double precision', score.given) END,
        ', ' || outside, coalesce(score.given, 'given'),
        CASE WHEN begins IS NOT NULL THEN 'CASE WHEN g.age > 0 THEN ''no limits are known of trees given an age: those of the rows held out are from the start'' ELSE ''no limits are known of trees: no row held out was predicted like this'' END'
             ELSE quote_literal(CASE WHEN limited IS NOT NULL THEN 'no limits are known of trees at this horizon: those of the rows held out are at ' || (limited ->> 'horizon')::double precision
                                     WHEN algorithm = 'rule' THEN 'no limits: a rule was written down, nothing was estimated' WHEN algorithm = 'boosted_hazard' AND weighs THEN 'no limits are known of trees that were trained with weights or a half-life'
                                     WHEN algorithm = 'boosted_hazard' THEN 'no limits are known of trees: no rows were held out, or they tell none'
                                     ELSE 'no limits: nobody was seen to leave within the window, or nobody to stay' END) END,
        concat_ws(' UNION ALL ',
            CASE WHEN begins IS NULL AND evidence IS NULL THEN 'SELECT p.lower, p.upper, '''' AS method, NULL AS unknown' END,
            CASE WHEN begins IS NOT NULL THEN 'SELECT exp(CASE WHEN l.place IS NOT NULL THEN greatest(-700, $11[l.place] * l.log) END) AS lower, exp(CASE WHEN l.place IS NOT NULL THEN greatest(-700, $12[l.place] * l.log) END) AS upper, '': by Kaplan-Meier of '' || $13[l.place] || '' rows of like prediction, of '' || $14 || '' held out'' AS method, NULL AS unknown
                   FROM (SELECT CASE WHEN g.age = 0 AND p.renewal_probability <= $10 THEN nullif(width_bucket(p.renewal_probability, $9), 0) END AS place, ln(greatest(p.renewal_probability, 1e-300)) AS log WHERE g.age = 0 OR $15 IS NULL) AS l' END,
            CASE WHEN evidence IS NOT NULL THEN format('SELECT h.lower, h.upper, '': by Kaplan-Meier of '' || h.n || '' rows of like prediction, of '' || h.n_held_out || CASE WHEN g.age > 0 THEN '' held out that were still watched at '' || g.age ELSE '' held out'' END AS method, CASE h.status WHEN ''ok'' THEN NULL ELSE h.status END AS unknown
                   FROM ltv.held_out_interval($1, $15, p.renewal_probability, p.linear_predictor, $2, g.age) AS h WHERE %s', CASE WHEN begins IS NOT NULL THEN 'g.age > 0' ELSE 'true' END) END),
        CASE WHEN bare IS NULL THEN 'SELECT NULL::double precision AS width' ELSE 'SELECT r.upper - r.lower AS width FROM ltv.predict($16, s.*, $2, g.age) AS r' END, filled)
    USING fitted, score.horizon, ranked, risk_horizon, coalesce(score.explain_top, 0), coalesce(score.as_of, current_date), split_part(score.model, '@', 1), found_version,
          begins, ends, lower_powers, upper_powers, group_rows, held_out, evidence, bare;
END
$$;
COMMENT ON FUNCTION ltv.score(text, regclass, text, double precision, text, integer, date) IS 'Scores every row of a table or view, read as the caller, with a registered model (name, name@alias or name@version), in flat columns. A model of durations: probabilities with limits, the rank among the training rows, how far to trust it, and its top reasons. A model of amounts (linear, gamma, tweedie, two_part, boosted_value): the expected amount with limits of it, and of the amount itself, its rank, and its reasons, all in the amount''s unit. A hybrid with terms of its own: what it makes the row worth, with limits and reasons in its currency. id: the column that is the key. horizon: where it is left out the one at which train judged the version, of a hybrid that of its terms, of amounts none: others are refused (model_horizon). given: the column with the age of each row (none: from the start; not for amounts and hybrids). Of trees (boosted_hazard) the limits are those of like rows that train held out, at any horizon and age that they were watched for (see model_limits). explain_top: how many of the three reasons to fill. as_of: stated in the result, today by default; it does not filter the source. The score of a row depends on the model and the row alone, never on the other rows. A row that cannot be scored abstains and says why. Errors: P0002 no such model, 42703 a missing column, 22023, 22004.';
