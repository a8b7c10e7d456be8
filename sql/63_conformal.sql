-- Intervals for single outcomes that hold whatever the model, from its errors on rows it has not seen.

CREATE FUNCTION ltv.conformal_margin(errors ltv.survival, level double precision DEFAULT 0.9) RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n double precision := ltv.subjects(errors);
    place double precision;
BEGIN
    IF errors IS NULL OR level IS NULL THEN
        RETURN NULL;
    ELSIF NOT (level > 0 AND level < 1) THEN
        RAISE EXCEPTION 'the level must be between 0 and 1, got %', level USING ERRCODE = 'invalid_parameter_value', HINT = '0.9 is usual.';
    ELSIF ltv.events(errors) IS DISTINCT FROM n OR n <> floor(n) OR n > 2e7 THEN
        RAISE EXCEPTION 'the errors must be known, each of its own row, and at most 20 million: % of % are', ltv.events(errors), n
            USING ERRCODE = 'invalid_parameter_value', HINT = 'survival_agg(abs(observed - predicted), true) over the rows held out.';
    END IF;
    place := ceil((n + 1) * level - 1e-9);
    -- Half a row before its place, where no flat stretch lies.
    RETURN CASE WHEN n > 0 AND place <= n THEN ltv.quantile(errors, (place - 0.5) / n) END;
END
$$;
COMMENT ON FUNCTION ltv.conformal_margin(ltv.survival, double precision) IS 'The error that a further row exceeds with a probability of at most 1 - level: of n errors the ceil((n + 1) level)-th smallest (split conformal prediction: Vovk, Gammerman & Shafer 2005; Lei, G''Sell, Rinaldo, Tibshirani & Wasserman 2018). It holds in the mean over samples for any model and any distribution, if the rows are exchangeable with the further one and the model has not seen them. errors: survival_agg(abs(observed - predicted), true), or divided by a scale that is known beforehand; mergeable by rollup. NULL when n is too small for the level, n + 1 < 1 / (1 - level). Error 22023 for censored or weighted errors and for a level outside of 0 and 1.';

CREATE FUNCTION ltv.conformal_interval(
    errors ltv.survival, prediction double precision, level double precision DEFAULT 0.9, scale double precision DEFAULT 1,
    OUT lower double precision, OUT upper double precision, OUT margin double precision
)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT (scale > 0 AND scale < 'Infinity') OR NOT abs(prediction) < 'Infinity' THEN
        RAISE EXCEPTION 'the prediction must be finite, and the scale also greater than 0: % and %', prediction, scale
            USING ERRCODE = 'invalid_parameter_value', HINT = 'The scale is what the errors were divided by; 1 when by nothing.';
    END IF;
    margin := ltv.conformal_margin(errors, level) * scale;
    lower := prediction - margin;
    upper := prediction + margin;
END
$$;
COMMENT ON FUNCTION ltv.conformal_interval(ltv.survival, double precision, double precision, double precision) IS 'The interval around a prediction that holds a further outcome with a probability of at least level: prediction -/+ scale x conformal_margin(errors, level). scale: of this row, what the errors of the others were divided by, each by its own (Lei et al. 2018, section 5.2): an expected error makes wide intervals where the model is unsure. For sums of money, durations of those who have left, and other numbers that are known of the rows held out; an event that happens or not has no such interval. NULL when there are too few errors for the level. Errors 22023, 22003.';

CREATE FUNCTION ltv.lifetime_bound(
    curve ltv.survival, places ltv.survival, level double precision DEFAULT 0.9, given double precision DEFAULT 0,
    OUT lower_lifetime double precision, OUT share double precision, OUT status text
)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n double precision := ltv.subjects(places);
    is_reached boolean;
BEGIN
    IF places IS NULL OR level IS NULL OR given IS NULL THEN
        RETURN;
    ELSIF NOT (level > 0 AND level < 1) THEN
        RAISE EXCEPTION 'the level must be between 0 and 1, got %', level USING ERRCODE = 'invalid_parameter_value', HINT = '0.9 is usual.';
    ELSIF NOT (given >= 0 AND given < 'Infinity') THEN
        RAISE EXCEPTION 'given must be finite and not negative, got %', given USING ERRCODE = 'invalid_parameter_value', HINT = 'How long the account has lasted already; 0 from the start on.';
    ELSIF n <> floor(n) OR (SELECT c.at_risk IS DISTINCT FROM n FROM ltv.curve(places) AS c ORDER BY c.t LIMIT 1) OR ltv.max_followup(places) > 1 THEN
        RAISE EXCEPTION 'the places must be shares from 0 to 1, each of its own row, without weights and delayed entries'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'survival_agg(1 - renewal_probability(model, row, duration), event) over the rows held out.';
    END IF;
    IF given > 0 THEN
        curve := ltv.conditional(curve, given);
    END IF;
    -- Before each place: what was lost, by inverse probability of censoring, and one more row with the weight of that place.
    SELECT max(r.t) FILTER (WHERE r.risk <= 1 - level + 1e-12), min(r.survival) <= level INTO share, is_reached
    FROM (SELECT b.t, b.survival, (b.before * n / b.at_risk + n * (1 - b.before)) / (n + 1) AS risk
          FROM (SELECT c.t, c.at_risk, c.survival, lag(c.survival, 1, 1::float8) OVER (ORDER BY c.t) AS before FROM ltv.curve(places) AS c) AS b WHERE b.at_risk > 0) AS r;
    IF share IS NULL THEN
        status := format('too few rows for the level: %s', n);
    ELSIF curve IS NULL THEN
        status := CASE WHEN given > 0 THEN 'the row has no curve from this age on: see predict' ELSE 'the row has no curve: see predict' END;
    ELSE
        -- The first time at which the curve is down by the share: a little before it, as a flat stretch at the share itself is read at its middle.
        lower_lifetime := CASE WHEN share <= 1e-7 THEN 0 ELSE ltv.quantile(curve, share - 1e-7) END;
        status := CASE WHEN lower_lifetime IS NULL THEN 'the curve ends before: at least so long'
                       WHEN NOT is_reached THEN 'all are censored before the level is reached: lower than it could be' ELSE 'ok' END;
        lower_lifetime := given + coalesce(lower_lifetime, ltv.max_followup(curve));
    END IF;
END
$$;
COMMENT ON FUNCTION ltv.lifetime_bound(ltv.survival, ltv.survival, double precision, double precision) IS 'How long a single account lasts at least, with a probability of at least level: the time by which its curve (predict_curve(model, row)) is down by a share that is calibrated on rows that the model has not seen. places: survival_agg(1 - renewal_probability(model, row, duration), event) over them (0 where a duration is 0), where each row stands in its own curve when it leaves or is seen last; mergeable by rollup. share: the greatest place w with (n (1 - S(w-)) + 1 / G(w-)) / (n + 1) <= 1 - level; S is the Kaplan-Meier curve of the places, in which each loss counts by the inverse probability G of not being censored before (Robins & Finkelstein 2000; Satten & Datta 2001), and the row asked about counts as one more lost, with the weight of that place (conformal risk control: Angelopoulos et al. 2024). Without censoring that is split conformal prediction: it holds for any model and any law if the rows are exchangeable. With censoring, in large samples, if a row''s place is independent of the place at which it is censored: so it is when censoring depends on the features in whatever way, but given them not on the lifetime, and the model errs alike for all; where it errs more for some, gather the places by group. The places must be unweighted, one for each account held out: a weight counts as that many rows with the same place, which nothing tells from repeated rows where it is a whole number, and which makes the bound surer than it is. Rows without a prediction are left out. lower_lifetime NULL, and a status that says so, with too few rows for the level (n + 1 < 1 / (1 - level)) and for a row without a curve; status also tells where censoring or the end of the curve leave the bound lower than it could be: it holds. given: how long the account has lasted already. lower_lifetime is its whole lifetime then, the time before included, and share a share of what its curve has from that age on. The places must be those of rows that lasted so long, in their curves from that age on: survival_agg(1 - renewal_probability(model, row, duration - given, given), event) FILTER (WHERE duration > given). All times in the unit of the durations. All NULL for a NULL places, level or given. Error 22023: a level outside of 0 and 1, a given that is negative or not finite, places beyond 1, weights that do not add up to a whole number, delayed entries.';
