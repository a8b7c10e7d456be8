-- What all judgements of a registered model say alike: why there is nothing to judge, and of whom nothing is told.

CREATE FUNCTION ltv.nothing_to_judge(model text, source regclass, rows text DEFAULT 'auto', outcome text DEFAULT 'event', horizon double precision DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reading record;
    weight text;
    is_there boolean;
    is_known boolean;
    is_scored boolean;
    is_judged boolean;
BEGIN
    SELECT * INTO reading FROM ltv.evaluation_query(nothing_to_judge.model, nothing_to_judge.source, NULL, nothing_to_judge.rows, outcome => nothing_to_judge.outcome, checked => false);
    horizon := coalesce(nothing_to_judge.horizon, reading.horizon);
    EXECUTE format('SELECT EXISTS (SELECT FROM %s ltv_row WHERE %s)', source, reading.restriction) INTO is_there;
    IF NOT is_there THEN
        RETURN 'no rows';
    END IF;
    EXECUTE format('SELECT coalesce(bool_or(%1$s), false), coalesce(bool_or(q.predicted IS NOT NULL), false), coalesce(bool_or(%1$s AND q.predicted IS NOT NULL), false) FROM (%2$s) q',
                   CASE outcome WHEN 'amount' THEN 'q.value IS NOT NULL' ELSE 'q.event IS NOT NULL' END, reading.query)
    INTO is_known, is_scored, is_judged USING ltv.model(nothing_to_judge.model), ARRAY[horizon];
    IF NOT is_known THEN
        SELECT v.spec ->> 'weight' INTO weight FROM ltv.model_versions v
        WHERE v.model = split_part(nothing_to_judge.model, '@', 1) AND v.version = ltv.model_version(nothing_to_judge.model);
        RETURN CASE WHEN weight IS NULL THEN 'no row has an outcome' ELSE 'no row has an outcome and a weight' END;
    ELSIF NOT is_scored THEN
        RETURN coalesce(ltv.unscored_status(ltv.model(nothing_to_judge.model), horizon), 'no row could be scored');
    ELSIF NOT is_judged THEN
        RETURN 'no row has both a score and an outcome';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION ltv.nothing_to_judge(text, regclass, text, text, double precision) IS 'Why a registered model cannot be judged on the rows of a relation, in the words of all that judge it (evaluate, calibration, lift, precision_recall, best_threshold, fairness, error_hotspots, predicted_vs_actual, importance): no rows; no row has an outcome (and a weight, of a model with weights); no row could be scored (see unscored_status); no row has both a score and an outcome. NULL where there is something to judge. rows, outcome: as evaluation_query; horizon: by default that of the training. One pass over the rows. Rows and errors as evaluation_query.';

CREATE FUNCTION ltv.suppressed_groups(groups text[], sizes bigint[], min_rows integer) RETURNS TABLE (segment text, suppression text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100 ROWS 10
BEGIN ATOMIC
    SELECT g.segment, CASE WHEN g.n < g.least THEN pg_catalog.format('fewer than %s rows', g.least)
                           WHEN g.hidden > 0 AND g.hidden < g.least AND g.place = 1 THEN 'suppressed: it would tell another group''s figures by subtraction' END
    FROM (SELECT u.segment, u.n, m.least, coalesce(sum(u.n) FILTER (WHERE u.n < m.least) OVER (), 0) AS hidden, row_number() OVER (PARTITION BY u.n < m.least ORDER BY u.n, u.segment COLLATE "C") AS place
          FROM ROWS FROM (unnest(groups), unnest(sizes)) u (segment, n) CROSS JOIN (SELECT coalesce(min_rows, 0) AS least) m) g
    ORDER BY g.segment COLLATE "C";
END;
COMMENT ON FUNCTION ltv.suppressed_groups(text[], bigint[], integer) IS 'Which groups'' figures are not told, of groups that make up a whole whose figures are: those of fewer than min_rows rows, and, where these have fewer than min_rows rows together (as a single one has), the smallest of the others too, without which theirs would be the whole less the others (complementary suppression: Hundepool et al. 2012, Statistical Disclosure Control, chapter 4). sizes: the rows of each of groups, in the same order. suppression: why not, NULL for a group that is told. A row per group. NULL min_rows: 0, nothing is suppressed.';
