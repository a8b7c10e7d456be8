-- Who is who: candidates for duplicate accounts, and a timeline read through a map of accounts that are one.

CREATE FUNCTION ltv.normalized_name(name text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 200
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    legal constant text := E'(inc|incorporated|corp|corporation|co|company|llc|llp|lp|ltd|limited|plc|pty|pte|pvt|private|gmbh|mbh|ag|kg|kgaa|ohg|gbr|ug|ev|eg|se|sa|sas|sasu|sarl|eurl|spa|srl|sl|slu|bv|nv|vof|cv|ab|as|asa|aps|oy|oyj|o\u00FC|kft|zrt|doo|dd|spzoo|sro|lda|ltda|kk)';
    folded text := name;
BEGIN
    IF getdatabaseencoding() = 'UTF8' THEN
        folded := regexp_replace(normalize(folded, NFKD), U&'[\0300-\036F]', '', 'g');
    END IF;
    folded := replace(lower(folded), E'\u00DF', 'ss');
    -- A dot or an apostrophe binds (S.A., O'Neill), other signs part.
    folded := btrim(regexp_replace(regexp_replace(folded, E'[.''\u2019`]', '', 'g'), E'[[:space:]!-/:-@[-_{-~\u00AB\u00BB\u2013\u2014\u201E\u201C\u201D]+', ' ', 'g'));
    -- Letters of legal forms that were parted belong together, and go.
    folded := regexp_replace(folded, '\m(s p a|s a r l|s r l|s l|s a s|s a|b v|n v|d o o|sp z o ?o|g m b h|l l c|s r o)$', '');
    folded := btrim(regexp_replace(folded, '^the ', ''));
    -- Never all of it: a company may be called Limited.
    RETURN COALESCE(NULLIF(btrim(regexp_replace(folded, '( (and|und|et|y|e|' || substr(legal, 2) || ')+$', '')), ''), folded);
END
$$;
COMMENT ON FUNCTION ltv.normalized_name(text) IS 'A company''s name for comparison: lower case, without accents, punctuation, a leading "the" and legal forms at the end (Inc, Ltd, GmbH & Co. KG, S.p.A., ...).';

CREATE FUNCTION ltv.name_similarity(a text, b text) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'name_similarity_wrapper';
COMMENT ON FUNCTION ltv.name_similarity(text, text) IS 'Similarity of two names from 0 to 1: the share of all their trigrams that both have (Jaccard), each word padded with two spaces before and one after, as pg_trgm counts it; the order of words does not matter. The names are compared as they are: see normalized_name. NULL of two names without a word, unless equal.';

CREATE FUNCTION ltv.find_duplicates(source regclass, id text, name text, match_on text[] DEFAULT '{}', threshold double precision DEFAULT 0.6, max_block integer DEFAULT 100)
    RETURNS TABLE (id_a text, name_a text, id_b text, name_b text, score double precision, similarity double precision, matched_on text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 500
    SET search_path = pg_catalog, pg_temp
AS $duplicates$
DECLARE
    fields text[] := (SELECT COALESCE(array_agg(DISTINCT f ORDER BY f), '{}') FROM unnest(match_on) AS f WHERE f IS NOT NULL);
    missing text;
BEGIN
    SELECT string_agg(quote_ident(c.wanted), ', ') INTO missing FROM unnest(ARRAY[id, name] || fields) AS c (wanted)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = source AND a.attname = c.wanted AND a.attnum > 0 AND NOT a.attisdropped);
    IF source IS NULL OR id IS NULL OR name IS NULL OR missing IS NOT NULL THEN
        RAISE EXCEPTION '% has no column %', COALESCE(source::text, 'NULL'), COALESCE(missing, 'of that name')
            USING ERRCODE = 'undefined_column', HINT = 'id, name and match_on are names of columns.';
    ELSIF threshold IS NULL OR NOT threshold BETWEEN 0 AND 1 OR max_block IS NULL OR max_block < 2 THEN
        RAISE EXCEPTION 'threshold must be from 0 to 1 and max_block at least 2, got % and %', threshold, max_block
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Pairs with a lower score are not shown; larger groups that share only a word are not compared.';
    END IF;
    RETURN QUERY EXECUTE format($sql$
WITH account AS MATERIALIZED (
    SELECT a.id, min(a.name COLLATE "C") AS name, min(ltv.normalized_name(a.name) COLLATE "C") AS plain
    FROM (SELECT t.%2$I::text AS id, t.%3$I::text AS name FROM %1$s t) a WHERE a.id IS NOT NULL AND a.name IS NOT NULL GROUP BY a.id HAVING min(ltv.normalized_name(a.name)) <> ''
), shared AS MATERIALIZED (
    SELECT s.id, s.field, s.value
    FROM (SELECT v.*, count(*) OVER (PARTITION BY v.field, v.value) AS n
          FROM (SELECT DISTINCT t.%2$I::text AS id, f.field, lower(btrim(f.given)) AS value FROM %1$s t, LATERAL (VALUES %4$s) AS f (field, given)
                WHERE btrim(f.given) <> '' AND t.%2$I IS NOT NULL) v) s
    WHERE s.n <= $2
), block AS (
    -- Who may be the same shares a word, the first or the last four letters, or a value. Blocks beyond max_block tell nothing.
    SELECT DISTINCT b.key, b.id FROM (
        SELECT 'word ' || w AS key, a.id FROM account a, LATERAL regexp_split_to_table(a.plain, ' ') AS w WHERE length(w) >= 3
        UNION ALL SELECT 'name ' || a.plain, a.id FROM account a
        UNION ALL SELECT 'begins ' || left(replace(a.plain, ' ', ''), 4), a.id FROM account a
        UNION ALL SELECT 'ends ' || right(replace(a.plain, ' ', ''), 4), a.id FROM account a
        UNION ALL SELECT s.field || ' ' || s.value, s.id FROM shared s JOIN account a ON a.id = s.id) b
), small AS (
    SELECT key, id FROM (SELECT b.key, b.id, count(*) OVER (PARTITION BY b.key) AS n FROM block b) b WHERE n BETWEEN 2 AND $2
), pair AS (
    SELECT DISTINCT x.id AS id_a, y.id AS id_b FROM small x JOIN small y ON y.key = x.key AND x.id COLLATE "C" < y.id COLLATE "C"
), same AS (
    SELECT x.id AS id_a, y.id AS id_b, string_agg(DISTINCT x.field, ', ' ORDER BY x.field) AS shared_fields
    FROM shared x JOIN shared y ON y.field = x.field AND y.value = x.value AND x.id COLLATE "C" < y.id COLLATE "C" JOIN pair p ON p.id_a = x.id AND p.id_b = y.id GROUP BY 1, 2
), scored AS (
    SELECT p.id_a, a.name AS name_a, p.id_b, b.name AS name_b, ltv.name_similarity(a.plain, b.plain) AS similarity, s.shared_fields
    FROM pair p JOIN account a ON a.id = p.id_a JOIN account b ON b.id = p.id_b LEFT JOIN same s ON s.id_a = p.id_a AND s.id_b = p.id_b
)
SELECT id_a, name_a, id_b, name_b, score, similarity, NULLIF(concat_ws(', ', CASE WHEN similarity = 1 THEN 'name' END, shared_fields), '')
FROM (SELECT s.*, CASE WHEN s.shared_fields IS NULL THEN s.similarity ELSE (1 + s.similarity) / 2 END AS score FROM scored s) s
WHERE score >= $1
ORDER BY score DESC, id_a COLLATE "C", id_b COLLATE "C"
$sql$, source, id, name, CASE WHEN cardinality(fields) = 0 THEN '(NULL::text, NULL::text)'
                               ELSE (SELECT string_agg(format('(%L, t.%I::text)', f, f), ', ') FROM unnest(fields) AS f) END)
    USING threshold, max_block;
END
$duplicates$;
COMMENT ON FUNCTION ltv.find_duplicates(regclass, text, text, text[], double precision, integer) IS 'Pairs of rows that may be the same account, the likeliest first; it suggests and never merges. id, name: columns of source; match_on: further columns in which equal values speak for it (domain, tax number). similarity: name_similarity of the normalized names; score: the same, half-way to 1 when a value of match_on is shared. Compared are only rows that share a word of three letters or more, the first or last four letters, or a value of match_on, in groups of at most max_block rows. Error 42703 for a missing column.';

CREATE FUNCTION ltv.apply_account_map(timeline regclass, map regclass, as_of date DEFAULT NULL) RETURNS SETOF ltv.contract_line
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
    SET search_path = pg_catalog, pg_temp
AS $map$
DECLARE
    missing text;
    since text;
    columns text;
    resolved text;
    fault text;
BEGIN
    IF timeline IS NULL THEN
        RAISE EXCEPTION 'the timeline is NULL' USING ERRCODE = 'invalid_parameter_value', HINT = 'Name a relation of the shape of ltv.contract_line.';
    END IF;
    SELECT string_agg(wanted.name, ', ') FILTER (WHERE a.attname IS NULL AND wanted.name <> 'valid_from'),
           COALESCE(max(CASE WHEN wanted.name = 'valid_from' AND a.attname IS NOT NULL THEN 'm.valid_from::date' END), 'NULL::date')
    INTO missing, since
    FROM unnest('{account_id,canonical_id,valid_from}'::text[]) AS wanted (name)
    LEFT JOIN pg_attribute a ON a.attrelid = map AND a.attname = wanted.name AND a.attnum > 0 AND NOT a.attisdropped;
    IF map IS NULL OR missing IS NOT NULL THEN
        RAISE EXCEPTION '% is no map of accounts: it has no column %', COALESCE(map::text, 'NULL'), COALESCE(missing, 'at all')
            USING ERRCODE = 'undefined_column', HINT = 'A map has account_id, canonical_id and, where it is known, valid_from: the day on which the two became one.';
    END IF;
    -- The latest entry of an account speaks; chains are followed to their end.
    resolved := format($sql$
entry AS (
    SELECT DISTINCT ON (m.account_id) m.account_id, m.canonical_id, m.since
    FROM (SELECT m.account_id::text AS account_id, m.canonical_id::text AS canonical_id, COALESCE(%2$s, '-infinity') AS since FROM %1$s m) m
    WHERE m.account_id <> m.canonical_id AND ($1 IS NULL OR m.since <= $1)
    ORDER BY m.account_id, m.since DESC, m.canonical_id COLLATE "C"
), chain AS (
    SELECT e.account_id, e.canonical_id FROM entry e
    UNION ALL
    SELECT c.account_id, e.canonical_id FROM chain c JOIN entry e ON e.account_id = c.canonical_id
) CYCLE canonical_id SET is_cycle USING path$sql$, map, since);
    EXECUTE format($sql$
WITH RECURSIVE %s
SELECT COALESCE((SELECT 'accounts that lead back to themselves: ' || string_agg(DISTINCT c.account_id, ', ') FROM chain c WHERE c.account_id = c.canonical_id),
                (SELECT 'accounts with two canonical ids on the same day: ' || string_agg(DISTINCT m.account_id, ', ')
                 FROM (SELECT m.account_id::text AS account_id FROM %s m WHERE m.account_id <> m.canonical_id
                       GROUP BY m.account_id, %s HAVING min(m.canonical_id::text) <> max(m.canonical_id::text)) m))
$sql$, resolved, map, since) INTO fault USING as_of;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'the map % has %', map, fault
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Each account leads to one canonical account, and no chain of them back to its start.';
    END IF;
    SELECT string_agg(CASE a.attname WHEN 'account_id' THEN 'COALESCE(own.canonical_id, r.account_id)' WHEN 'parent_account_id' THEN 'COALESCE(up.canonical_id, r.parent_account_id)'
                                     ELSE format('r.%I', a.attname) END, ', ' ORDER BY a.attnum)
    INTO columns
    FROM pg_attribute a JOIN pg_type y ON y.typrelid = a.attrelid WHERE y.oid = 'ltv.contract_line'::regtype AND a.attnum > 0 AND NOT a.attisdropped;
    RETURN QUERY EXECUTE format($sql$
WITH RECURSIVE %1$s, final AS (
    SELECT c.account_id, c.canonical_id FROM chain c WHERE NOT EXISTS (SELECT FROM entry e WHERE e.account_id = c.canonical_id)
)
SELECT %2$s FROM (%3$s) r LEFT JOIN final own ON own.account_id = r.account_id LEFT JOIN final up ON up.account_id = r.parent_account_id
$sql$, resolved, columns, CASE WHEN as_of IS NULL THEN ltv.timeline_query(timeline) ELSE ltv.timeline_query(timeline, as_of) END)
    USING as_of;
END
$map$;
COMMENT ON FUNCTION ltv.apply_account_map(regclass, regclass, date) IS 'A timeline with each account_id and parent_account_id replaced by the canonical account of a map, so that a merger looks like what it is and not like churn and a new customer. map: a relation with account_id, canonical_id and, optionally, valid_from, the day on which it became so; an entry holds for all of the account''s history, chains are followed, the latest entry of an account counts. as_of leaves out entries after it and reads the timeline as known then. Make a view of it to use it as a timeline. Error 22023 for a cycle or two canonical ids on the same day, 42703 for a missing column.';
