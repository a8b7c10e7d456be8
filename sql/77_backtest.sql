-- How well would it have done? Models fitted to what was known on a day, judged by what came after it.

CREATE FUNCTION ltv.days_in(duration double precision, unit text DEFAULT 'month') RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    days double precision := CASE unit WHEN 'month' THEN 30.4375 WHEN 'day' THEN 1 WHEN 'week' THEN 7 WHEN 'year' THEN 365.25 END;
BEGIN
    IF days IS NULL AND unit IS NOT NULL THEN
        RAISE EXCEPTION 'unknown unit "%"', unit USING ERRCODE = 'invalid_parameter_value', HINT = 'The unit of the durations: month (of 30.4375 days), day, week or year (of 365.25 days).';
    ELSIF NOT (duration > 0 AND duration * days < 100000) THEN
        RAISE EXCEPTION 'the horizon must be greater than 0 and less than 100000 days, got %', duration USING ERRCODE = 'invalid_parameter_value', HINT = 'It is in the unit of the durations.';
    END IF;
    RETURN duration * days;
END
$$;
COMMENT ON FUNCTION ltv.days_in(double precision, text) IS 'How many days a duration, such as a horizon, has: a month is 30.4375 days, a week 7, a year 365.25; unit: month, day, week or year. NULL for a NULL. Errors 22023: another unit, a duration that is not greater than 0 or not less than 100000 days.';

CREATE FUNCTION ltv.cut_offs(first_cut_off date, last_cut_off date, step interval DEFAULT '3 months', embargo interval DEFAULT '0', back interval DEFAULT NULL)
    RETURNS TABLE (cut_off date, learnt_until date, learnt_from date)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 100 ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF num_nulls(first_cut_off, last_cut_off, step, embargo) > 0 THEN
        RAISE EXCEPTION 'the cut-offs, the step and the embargo must not be NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'cut_offs(''2023-01-01'', ''2024-01-01'', ''3 months'').';
    ELSIF embargo < interval '0' OR embargo > interval '100 years' OR back < interval '1 day' OR back > interval '1000 years' THEN
        RAISE EXCEPTION 'the embargo must not be negative, and what is looked back at must be at least a day' USING ERRCODE = 'invalid_parameter_value', HINT = 'embargo => ''30 days''; a window or lookback as ''1 year'', or NULL.';
    ELSIF NOT (isfinite(first_cut_off) AND isfinite(last_cut_off)) OR last_cut_off < first_cut_off OR step < interval '1 day' OR first_cut_off + 300 * least(step, interval '100 years') < last_cut_off THEN
        RAISE EXCEPTION 'the cut-offs from % to % by % are none, or more than 300', first_cut_off, last_cut_off, step
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Finite days, a later last_cut_off, or a step that is longer, at least a day.';
    END IF;
    -- From the first on each time, so that ends of months stay such.
    RETURN QUERY
    SELECT c.day, (c.day - embargo)::date, (c.day - embargo - back)::date
    FROM (SELECT (first_cut_off + n * least(step, interval '100 years'))::date AS day FROM generate_series(0, 300) AS n) c WHERE c.day <= last_cut_off ORDER BY c.day;
END
$$;
COMMENT ON FUNCTION ltv.cut_offs(date, date, interval, interval, interval) IS 'The days of a backtest: cut-offs from the first to the last, each a number of steps after the first by the calendar (of months: the same day, or the last of a shorter month), at most 300; learnt_until: embargo before the cut-off, whose knowledge there is to learn from; learnt_from: back before that, NULL for all the past. Errors 22023, 22004.';

CREATE FUNCTION ltv.backtest(
    source regclass, started text, duration text, event text, horizon double precision, first_cut_off date, last_cut_off date DEFAULT NULL, step interval DEFAULT '3 months',
    algorithms text[] DEFAULT '{cox}', features text[] DEFAULT '{}', unit text DEFAULT 'month', embargo interval DEFAULT '0', "window" interval DEFAULT NULL,
    options jsonb DEFAULT '{}', min_events integer DEFAULT 20, censoring text DEFAULT 'marginal', null_policy text DEFAULT 'drop', holdout jsonb DEFAULT NULL, seed bigint DEFAULT 0
) RETURNS TABLE (
    cut_off date, algorithm text, n_train bigint, n_events bigint, n_test bigint, n_test_events bigint, metric text, value double precision, baseline text, baseline_value double precision, skill double precision, status text, nulls text
)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 1000000 ROWS 50
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    days double precision := ltv.days_in(1, unit);
    beyond integer := ceil(ltv.days_in(horizon, unit))::integer;
    missing text;
    shown text;
    category text;
    learnt date;
    opened date;
    here date;
    known date;
    selected text;
BEGIN
    features := ARRAY(SELECT unnest(features));
    IF num_nulls(source, started, duration, event, backtest.horizon, first_cut_off, step, unit, embargo) > 0 THEN
        RAISE EXCEPTION 'the source, its columns, the horizon, the first cut-off, the step, the unit and the embargo must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'backtest(''accounts'', ''started_on'', ''months'', ''churned'', 12, first_cut_off => ''2023-01-01'').';
    END IF;
    SELECT format('%I.%I', s.nspname, c.relname) INTO shown FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE c.oid = source AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
    IF shown IS NULL THEN
        RAISE EXCEPTION 'the source does not exist' USING ERRCODE = 'invalid_parameter_value', HINT = 'The name of a table or view.';
    END IF;
    SELECT string_agg(quote_ident(w.name), ', ') INTO missing FROM unnest(ARRAY[started, duration, event] || coalesce(features, '{}')) AS w (name)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = source AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% has no column %', shown, missing USING ERRCODE = 'undefined_column', HINT = 'Columns by their names, without quotes.';
    END IF;
    SELECT y.typcategory INTO category FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid WHERE a.attrelid = source AND a.attname = started;
    IF category <> 'D' THEN
        RAISE EXCEPTION 'column "%" is no date', started USING ERRCODE = 'invalid_parameter_value', HINT = 'started: the column with the day on which each row began.';
    END IF;
    -- A feature that tells the outcome is none.
    IF features && ARRAY[duration, event] THEN
        RAISE EXCEPTION 'the duration and the event cannot be features: they are what is to be told' USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave them out. The age is used without being named.';
    END IF;
    IF holdout IS NOT NULL THEN
        shown := format('(SELECT s.* FROM %s s WHERE NOT %s)', shown, ltv.holdout_condition(source, holdout, coalesce(seed, 0)));
    END IF;
    EXECUTE format('SELECT max(s.%I::date + floor(s.%I::float8 * $1 + 0.000001)::int) FROM %s s WHERE isfinite(s.%I::date) AND s.%I::float8 BETWEEN 0 AND 40000', started, duration, shown, started, duration) INTO known USING days;
    IF last_cut_off IS NULL THEN
        last_cut_off := known - beyond;
        IF last_cut_off IS NULL OR last_cut_off < first_cut_off THEN
            RAISE EXCEPTION 'no cut-off from % on has its horizon over: the rows end on %', first_cut_off, coalesce(known::text, 'no day')
                USING ERRCODE = 'invalid_parameter_value', HINT = 'An earlier first_cut_off or a shorter horizon.';
        END IF;
    END IF;
    selected := coalesce((SELECT string_agg(format(', s.%I', f.name), '' ORDER BY f.place) FROM unnest(features) WITH ORDINALITY AS f (name, place) WHERE f.name NOT IN ('entry', 'given')), '');
    IF features && ARRAY['entry', 'given'] OR features && ARRAY['duration', 'event'] THEN
        RAISE EXCEPTION 'a feature cannot be called entry, given, duration or event here' USING ERRCODE = 'invalid_parameter_value', HINT = 'Rename the column in a view.';
    END IF;
    FOR here, learnt, opened IN SELECT c.cut_off, c.learnt_until, c.learnt_from FROM ltv.cut_offs(first_cut_off, last_cut_off, step, embargo, "window") c LOOP
        RETURN QUERY
        SELECT here, c.algorithm, c.n_train, c.n_events, c.n_test, c.n_test_events, c.metric, c.value, c.baseline, c.baseline_value, c.skill,
               CASE WHEN c.status = 'ok' AND here + beyond > known THEN 'the horizon is not over' ELSE c.status END, c.nulls
        FROM ltv.compare_algorithms(
            -- What was known on the day: rows begun by then, their time cut there, an end only if it had come.
            format('SELECT greatest(0, %1$s) AS entry, least(s.%3$I::float8, %2$s) AS duration, s.%4$I::int4 = 1 AND s.%3$I::float8 <= %2$s AS event%5$s FROM %6$s s WHERE s.%7$I::date <= %8$L::date AND s.%3$I::float8 > %1$s',
                   CASE WHEN opened IS NULL THEN '0::float8' ELSE format('((%L::date - s.%I::date) / %L::float8)', opened, started, days) END,
                   format('((%L::date - s.%I::date) / %L::float8)', learnt, started, days), duration, event, selected, shown, started, learnt),
            -- Who was there on the cut-off, from there until the horizon; who is seen beyond it counts as such.
            format('SELECT %1$s AS given, CASE WHEN s.%2$I::float8 - %1$s > %3$L::float8 THEN 2 * %3$L::float8 ELSE s.%2$I::float8 - %1$s END AS duration, s.%4$I::int4 = 1 AND s.%2$I::float8 - %1$s <= %3$L::float8 AS event%5$s '
                   'FROM %6$s s WHERE s.%7$I::date <= %8$L::date AND s.%2$I::float8 > %1$s AND s.%4$I IS NOT NULL',
                   format('((%L::date - s.%I::date) / %L::float8)', here, started, days), duration, horizon, event, selected, shown, started, here),
            horizon, algorithms, features, options, min_events, censoring, null_policy) c;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.backtest(regclass, text, text, text, double precision, date, date, interval, text[], text[], text, interval, interval, jsonb, integer, text, text, jsonb, bigint) IS 'Rolls over cut-offs: fits each algorithm to what was known on the day, embargo before it, and judges it by who was there on the cut-off and left within the horizon after it, given the age (compare_algorithms). source: a relation with a row per customer or contract: started (the column of the day it began), duration (in months of 30.4375 days, or by unit days, weeks or years) and event (boolean, or 1 and 0). No row sees past its cut-off: rows begun later are not there, times are cut on the day, ends after it have not happened; window keeps only what happened in so much time before (rows begun earlier enter late), NULL all of it. Features are taken as they stand in the row: they must be known from the start; for those that change give a function of the day: the other backtest. Cut-offs step by the calendar (cut_offs); ages and the horizon do not: a month is 30.4375 days, a year 365.25. last_cut_off: by default the last whose horizon is over. censoring: as in compare_algorithms; it matters where rows are lost sight of before a horizon that is over. null_policy: as there; what fills NULLs comes from the rows that are trained on at each cut-off. holdout, seed: rows that train would keep for its metrics have no part in this (holdout_condition). Later rows and outcomes leave the numbers of a cut-off whose horizon is over as they are. Registers nothing. Errors 22023, 22004, 42703.';

CREATE FUNCTION ltv.backtest(
    source regprocedure, key text, horizon double precision, first_cut_off date, last_cut_off date, step interval DEFAULT '3 months',
    algorithms text[] DEFAULT '{cox}', features text[] DEFAULT '{}', unit text DEFAULT 'month', embargo interval DEFAULT '0', lookback interval DEFAULT NULL,
    options jsonb DEFAULT '{}', min_events integer DEFAULT 20, censoring text DEFAULT 'marginal', null_policy text DEFAULT 'drop'
) RETURNS TABLE (
    cut_off date, algorithm text, n_train bigint, n_events bigint, n_test bigint, n_test_events bigint, metric text, value double precision, baseline text, baseline_value double precision, skill double precision, status text, nulls text
)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 1000000 ROWS 50
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    days double precision := ltv.days_in(1, unit);
    beyond integer := ceil(ltv.days_in(horizon, unit))::integer;
    shown text;
    here date;
    learnt date;
    opened date;
    selected text;
    entered text;
BEGIN
    features := ARRAY(SELECT unnest(features));
    IF num_nulls(source, key, backtest.horizon, first_cut_off, last_cut_off, step, unit, embargo) > 0 THEN
        RAISE EXCEPTION 'the function, its key, the horizon, the cut-offs, the step, the unit and the embargo must not be NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'backtest(''features_at(date)''::regprocedure, ''account'', 12, ''2023-01-01'', ''2024-01-01'').';
    END IF;
    SELECT format('%I.%I', s.nspname, f.proname), CASE WHEN 'entry' = ANY (f.proargnames) THEN 'b.entry' ELSE '0::float8' END INTO shown, entered
    FROM pg_proc f JOIN pg_namespace s ON s.oid = f.pronamespace
    WHERE f.oid = source AND f.proretset AND f.pronargs - f.pronargdefaults <= 1 AND f.proargtypes[0] = 'date'::regtype;
    IF shown IS NULL THEN
        RAISE EXCEPTION '% is no function of one date that gives rows', source::text
            USING ERRCODE = 'invalid_parameter_value', HINT = 'CREATE FUNCTION features_at(as_of date) RETURNS TABLE (account text, duration float8, event boolean, ...) ... STABLE: what was known on that day.';
    END IF;
    IF features && ARRAY['entry', 'given', 'duration', 'event', key] THEN
        RAISE EXCEPTION 'the key, the duration, the event, entry and given cannot be features' USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave them out. The age is used without being named.';
    END IF;
    selected := coalesce((SELECT string_agg(format(', b.%I', f.name), '' ORDER BY f.place) FROM unnest(features) WITH ORDINALITY AS f (name, place)), '');
    FOR here, learnt, opened IN SELECT c.cut_off, c.learnt_until, c.learnt_from FROM ltv.cut_offs(first_cut_off, last_cut_off, step, embargo, lookback) c LOOP
        RETURN QUERY
        SELECT here, c.* FROM ltv.compare_algorithms(
            CASE WHEN lookback IS NULL
                THEN format('SELECT %s AS entry, b.duration::float8 AS duration, b.event::int4 = 1 AS event%s FROM %s(%L::date) b', entered, selected, shown, learnt)
                -- Who was there then, with the features of then, observed from then on.
                ELSE format('SELECT b.duration::float8 AS entry, a.duration::float8 AS duration, a.event::int4 = 1 AS event%1$s FROM %2$s(%3$L::date) b JOIN %2$s(%4$L::date) a ON a.%5$I = b.%5$I WHERE b.event::int4 = 0',
                            selected, shown, opened, learnt, key)
            END,
            -- Who was there on the cut-off, and what was known of him when the horizon was over. An end before the cut-off that
            -- was not known then is an event at once.
            format('SELECT b.duration::float8 AS given, CASE WHEN a.duration::float8 - b.duration::float8 > %1$L::float8 THEN 2 * %1$L::float8 ELSE greatest(a.duration::float8 - b.duration::float8, 0) END AS duration, '
                   'a.event::int4 = 1 AND a.duration::float8 - b.duration::float8 <= %1$L::float8 AS event%2$s FROM %3$s(%4$L::date) b JOIN %3$s(%5$L::date) a ON a.%6$I = b.%6$I WHERE b.event::int4 = 0 AND b.duration IS NOT NULL AND a.duration IS NOT NULL AND a.event IS NOT NULL',
                   horizon, selected, shown, here, here + beyond + 1, key),
            horizon, algorithms, features, options, min_events, censoring, null_policy) c;
    END LOOP;
END
$$;
COMMENT ON FUNCTION ltv.backtest(regprocedure, text, double precision, date, date, interval, text[], text[], text, interval, interval, jsonb, integer, text, text) IS 'The same where features change: source is a function of one date that gives, for each customer (key, which must be unique), duration, event, perhaps entry, and the features, all as known on that day: as lifetimes(timeline, as_of) joined with contract_features(timeline, as_of). At each cut-off it is called: embargo before it, for the rows to train on; on it, for who is there and what his features are; and a day after the end of the horizon, for what became of him. lookback: NULL trains on the rows as they are, so that features must be told of those who have left too; ''1 year'' trains on those who were there a year before the embargo began, with the features of then, entering at their age of then and followed for the year (landmarking: van Houwelingen 2007), which is right for features that change. Nothing else is seen, so what is known later changes nothing, as far as the function keeps to its date. It runs under search_path = pg_catalog: qualify the names in it, or give it a search_path. unit: of the durations and the horizon, which ends so many days after the cut-off (a month is 30.4375 days). null_policy: as in the other. Registers nothing. Errors 22023, 22004.';
