-- A fitted model on one page, for whoever looks at it in psql.

CREATE FUNCTION ltv.model_summary(m ltv.model) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH figure (line, place, heading, value, digits, word) AS (
        SELECT c.line, f.place, f.heading, f.value, f.digits, f.word
        FROM ltv.coefficients(m) WITH ORDINALITY AS c (term, estimate, std_error, robust_std_error, z, p, ratio, lower, upper, line),
             LATERAL (VALUES (1, 'term', NULL::float8, 0, c.term), (2, 'estimate', c.estimate, 4, NULL), (3, 'std error', c.std_error, 4, NULL),
                 (4, 'robust', c.robust_std_error, 4, NULL), (5, 'ratio', c.ratio, 3, NULL), (6, 'lower', c.lower, 3, NULL),
                 (7, 'upper', c.upper, 3, NULL), (8, 'z', c.z, 2, NULL), (9, 'p', c.p, 4, NULL)) AS f (place, heading, value, digits, word)
    ), cell AS (
        SELECT line, place, heading, coalesce(word, CASE
                   WHEN heading = 'p' AND value < 0.0001 THEN '< 0.0001'
                   WHEN abs(value) >= 1e6 THEN trim(to_char(value, '9.99999EEEE'))
                   ELSE round(value::numeric, digits)::text END) AS word
        FROM figure
    ), ruled AS (
        SELECT *, greatest(length(heading), max(length(word)) OVER (PARTITION BY place)) AS wide
        FROM (SELECT *, count(word) OVER (PARTITION BY place) AS filled FROM cell) c WHERE filled > 0
    ), printed (line, text) AS (
        SELECT 0, string_agg(CASE place WHEN 1 THEN rpad(heading, wide) ELSE lpad(heading, wide) END, '  ' ORDER BY place) FROM ruled WHERE line = 1
        UNION ALL
        SELECT line, string_agg(CASE place WHEN 1 THEN rpad(word, wide) ELSE lpad(coalesce(word, '-'), wide) END, '  ' ORDER BY place)
        FROM ruled GROUP BY line
    ), page (place, text) AS (
        SELECT 1, concat_ws(', ', ltv.model_algorithm(m), q.n || ' rows', q.events || ' events', 'fit: ' || ltv.model_status(m)) FROM ltv.model_fit(m) AS q
        UNION ALL SELECT 2, (SELECT string_agg(line, E'\n' ORDER BY place) FROM (
                SELECT 0 AS place, format('%s segments: %s', count(*), (SELECT string_agg(format('%s %s', k.n, k.status), ', ' ORDER BY k.status COLLATE "C")
                       FROM (SELECT t.status, count(*) AS n FROM ltv.model_segments(m) AS t GROUP BY 1) AS k)) AS line FROM ltv.model_segments(m)
                UNION ALL
                SELECT place, CASE WHEN place <= 20 THEN format('  %s: %s rows, %s events, %s', segment, n_rows, n_events, status)
                                   ELSE format('  and %s more: see model_segments', n - 20) END
                FROM (SELECT s.*, count(*) OVER () AS n FROM ltv.model_segments(m) WITH ORDINALITY AS s (segment, n_rows, n_events, status, weight, reason, place)) AS s WHERE place <= 21) AS l)
            WHERE EXISTS (SELECT FROM ltv.model_segments(m))
        UNION ALL SELECT 3, 'features: ' || array_to_string(ltv.model_features(m), ', ') WHERE cardinality(ltv.model_features(m)) > 0
        UNION ALL SELECT 4, E'\n' || string_agg(text, E'\n' ORDER BY line) || E'\n' FROM printed WHERE text IS NOT NULL
        UNION ALL SELECT 5, 'log-likelihood ' || concat_ws(', ', round(q.log_likelihood::numeric, 3) || ' with ' || q.parameters || CASE q.parameters WHEN 1 THEN ' parameter' ELSE ' parameters' END,
                               'AIC ' || round(q.aic::numeric, 2), 'BIC ' || round(q.bic::numeric, 2))
                  FROM ltv.model_fit(m) AS q WHERE q.log_likelihood IS NOT NULL
        UNION ALL SELECT 6, string_agg(t.test || ' test: ' || round(t.chi_squared::numeric, 2) || ' on ' || t.df || ' df, p '
                               || CASE WHEN t.p_value < 0.0001 THEN '< 0.0001' ELSE '= ' || round(t.p_value::numeric, 4) END, E'\n' ORDER BY t.place)
                  FROM ltv.model_test(m) WITH ORDINALITY AS t (test, chi_squared, df, p_value, place)
    )
    SELECT string_agg(text, E'\n' ORDER BY place) FROM page
$$;
COMMENT ON FUNCTION ltv.model_summary(ltv.model) IS 'A fitted model on one page of text: algorithm, rows, events, whether to trust the fit; the first 20 of its segments, if it has any; its coefficients (see coefficients, at 95 %; ratio: of hazards, or of odds); log-likelihood, AIC, BIC; whether the features together say anything (model_test). What a model does not have is left out. psql: \pset tuples_only, \pset format unaligned.';
