-- One cause among several, of rows that some were there only from an entry on: weights by hand, the Aalen-Johansen estimate, and a truth that is known.
\set ECHO none
SET max_parallel_workers = 0;
CREATE FUNCTION message_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE told text; hint text;
BEGIN EXECUTE statement; RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS told = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT; RETURN sqlstate || ': ' || told || ' | ' || hint; END $$;
CREATE FUNCTION u(i bigint, k bigint) RETURNS double precision LANGUAGE sql IMMUTABLE RETURN (hashint8extended(i * 1009 + k, 5) & 1048575) / 1048576.0 + 1e-7;
-- The share that ends by cause 1 until t is 1 - (1 - (1 - e^-t) / 2)^(e^(0.8 x)), as Fine & Gray (1999) have it. Half of all enter late, and who
-- ended before is never seen; all are watched for up to 4 from their entry on.
CREATE TABLE everybody AS
WITH likely AS (SELECT i, 2 * u(i, 1) - 1 AS x, exp(0.8 * (2 * u(i, 1) - 1)) AS e, CASE WHEN u(i, 5) < 0.5 THEN 0 ELSE 2 * u(i, 6) END AS entry FROM generate_series(1, 8000) AS i),
     ended AS (SELECT *, u(i, 2) < 1 - 0.5 ^ e AS is_first FROM likely)
SELECT i, x, e, entry, entry + 0.2 + 3.8 * u(i, 4) AS watched, CASE WHEN is_first THEN 1 ELSE 2 END AS cause,
       CASE WHEN is_first THEN -ln(1 - 2 * (1 - (1 - u(i, 3) * (1 - 0.5 ^ e)) ^ (1 / e))) ELSE -ln(u(i, 3)) * 1.2 END AS t FROM ended;
CREATE TABLE seen AS SELECT i, x, entry::float8, least(t, watched)::float8 AS months, CASE WHEN t <= watched THEN cause ELSE 0 END AS code, i % 3 = 0 AS held, 1 + i % 3 AS w FROM everybody WHERE entry < t;
ANALYZE;
\set ECHO all
-- At risk 2 when the first ends, one more comes, one of 2 ends: 1/2, 1/4, and 1/4 are left. Who comes after the horizon, or comes and goes at one time, counts 0.
SELECT ltv.inverse_censoring_weights('{1,3,5}', '{t,t,f}', 4, entries => '{0,0,2}') AS weights, ltv.inverse_censoring_weights('{1,3,5}', '{t,t,f}', 1.5, entries => '{0,0,2}') AS early,
       ltv.inverse_censoring_weights('{1,4,2}', '{t,f,t}', 3, entries => '{0,0,2}') AS never, ltv.inverse_censoring_weights('{1,3,5}', '{t,t,f}', 4, '{2,2,2}', '{0,0,2}') AS doubled,
       ltv.inverse_censoring_weights('{1,3}', '{t,t}', 2.5, entries => '{0,2}') IS NULL AS gap, ltv.inverse_censoring_weights('{1,2,3,4,4,9}', '{t,f,t,t,f,f}', 5, entries => '{0,0,0,0,0,0}') = ltv.inverse_censoring_weights('{1,2,3,4,4,9}', '{t,f,t,t,f,f}', 5) AS none_late;
SELECT a, message_of('SELECT ltv.inverse_censoring_weights(' || a || ')') FROM unnest(ARRAY[$$'{1,3}', '{t,f}', 2, entries => '{0}'$$, $$'{1,3}', '{t,f}', 2, entries => '{0,4}'$$, $$'{1,3}', '{t,f}', 2, entries => '{0,-1}'$$,
    $$'{1,3}', '{t,f}', 2, entries => '{0,NaN}'$$, $$'{1,3}', '{t,f}', 2, entries => '{0,NULL}'$$, $$'{1,3}', '{t,f}', -2, entries => '{0,1}'$$]) WITH ORDINALITY AS u (a, place) ORDER BY place;
SELECT count(*), count(*) FILTER (WHERE entry > 0) AS late, (SELECT count(*) FROM everybody) AS everybody FROM seen;
-- Geskus (2011): 1 / (G H) by the product limits of the censoring and, backwards, of the entry.
WITH s AS MATERIALIZED (SELECT * FROM seen WHERE i <= 400), n AS (SELECT count(*) AS n FROM s),
     g AS MATERIALIZED (SELECT c.months AS t, 1 - 1.0::float8 / (SELECT count(*) FROM s AS r WHERE r.entry < c.months AND (r.months > c.months OR r.months = c.months AND r.code = 0)) AS f FROM s AS c WHERE c.code = 0),
     h AS MATERIALIZED (SELECT l.entry AS t, 1 - 1.0::float8 / (SELECT count(*) FROM s AS r WHERE r.entry <= l.entry AND r.months > l.entry) AS f FROM s AS l WHERE l.entry > 0),
     hand AS MATERIALIZED (SELECT s.i, CASE WHEN s.months <= 1.5 AND s.code > 0 THEN exp(-coalesce((SELECT sum(ln(f)) FROM g WHERE t < s.months), 0) - coalesce((SELECT sum(ln(f)) FROM h WHERE t >= s.months), 0))
                               WHEN s.months > 1.5 AND s.entry <= 1.5 THEN exp(-coalesce((SELECT sum(ln(f)) FROM g WHERE t <= 1.5), 0) - coalesce((SELECT sum(ln(f)) FROM h WHERE t > 1.5), 0)) ELSE 0 END AS w FROM s),
     told AS (SELECT a.i, a.w FROM (SELECT array_agg(i ORDER BY i) AS i, array_agg(months ORDER BY i) AS months, array_agg(code > 0 ORDER BY i) AS ended, array_agg(entry ORDER BY i) AS entries FROM s) AS q,
                     unnest(q.i, ltv.inverse_censoring_weights(q.months, q.ended, 1.5, entries => q.entries)) AS a (i, w))
SELECT max(abs(told.w - hand.w * n.n / (SELECT sum(w) FROM hand))) < 1e-9 AS as_by_hand, count(*) FILTER (WHERE told.w = 0) AS unknown, round(max(told.w)::numeric, 4) AS largest, abs(sum(told.w) - max(n.n)) < 1e-9 AS adds_up FROM told JOIN hand USING (i), n;
-- The share by each cause is the Aalen-Johansen estimate; the Brier score of the true incidence is what it is of everybody, which without the entries it is not.
WITH a AS MATERIALIZED (SELECT array_agg(i ORDER BY i) AS i, array_agg(months ORDER BY i) AS months, array_agg(code > 0 ORDER BY i) AS ended, array_agg(entry ORDER BY i) AS entries, ltv.incidence_agg(entry, months, code, 1) AS aj FROM seen),
     scored AS (SELECT z.horizon, s.code = 1 AND s.months <= z.horizon AS happened, 1 - (1 - (1 - exp(-z.horizon)) / 2) ^ exp(0.8 * s.x) AS p, k.w, k.naive
                FROM a, unnest('{0.3,0.8,1.5,2.5}'::float8[]) AS z (horizon), unnest(a.i, ltv.inverse_censoring_weights(a.months, a.ended, z.horizon, entries => a.entries), ltv.inverse_censoring_weights(a.months, a.ended, z.horizon)) AS k (i, w, naive) JOIN seen AS s USING (i)),
     aj AS (SELECT z.horizon, ltv.incidence_at(a.aj, z.horizon, 1) AS aj FROM a, unnest('{0.3,0.8,1.5,2.5}'::float8[]) AS z (horizon)),
     truth AS (SELECT z.horizon, avg((e.t <= z.horizon AND e.cause = 1)::int) AS share, avg(((e.t <= z.horizon AND e.cause = 1)::int - (1 - (1 - (1 - exp(-z.horizon)) / 2) ^ e.e)) ^ 2) AS brier FROM everybody AS e, unnest('{0.3,0.8,1.5,2.5}'::float8[]) AS z (horizon) GROUP BY z.horizon)
SELECT horizon, bool_and(abs(m.share - aj.aj) < 1e-12) AS is_aalen_johansen, round(min(truth.share), 4) AS true_share, round(min(m.share)::numeric, 4) AS share, round(min(m.naive_share)::numeric, 4) AS without_entries,
       round(min(truth.brier)::numeric, 4) AS true_brier, round(min(m.brier)::numeric, 4) AS brier, round(min(m.naive_brier)::numeric, 4) AS without_entries
FROM (SELECT horizon, sum(w * happened::int) / sum(w) AS share, sum(naive * happened::int) / sum(naive) AS naive_share, sum(w * (happened::int - p) ^ 2) / sum(w) AS brier, sum(naive * (happened::int - p) ^ 2) / sum(naive) AS naive_brier FROM scored GROUP BY horizon) AS m
JOIN truth USING (horizon) JOIN aj USING (horizon) GROUP BY horizon ORDER BY horizon;
-- train and evaluate: the same numbers from the model of the rows.
SELECT metric, round(value::numeric, 8) AS value, baseline, round(baseline_value::numeric, 8) AS baseline_value, round(skill::numeric, 6) AS skill, warnings
FROM ltv.train('late', 'seen', 'fine_gray', 'months', 'code', entry => 'entry', features => '{x}', options => '{"cause": 1}', holdout => '{"by": "held"}', horizon => 1.5) ORDER BY metric;
SELECT e.segment, e.horizon, e.n, e.n_events, round(e.brier::numeric, 8) AS brier, round(e.predicted_rate::numeric, 6) AS predicted, round(e.observed_rate::numeric, 6) AS observed, abs(e.observed_rate - ltv.incidence_at(aj.c, e.horizon, 1)) < 1e-12 AS is_aalen_johansen, round(e.auc::numeric, 4) AS auc, round(e.concordance::numeric, 4) AS concordance, e.status
FROM ltv.evaluate('late', 'seen', '{0.8,1.5}') AS e, (SELECT ltv.incidence_agg(entry, months, code, 1) AS c FROM seen WHERE held) AS aj ORDER BY e.horizon;
SELECT round(sum(k.w * (happened::int - p) ^ 2 / n)::numeric, 8) AS by_sql
FROM (SELECT array_agg(i ORDER BY i) AS i, array_agg(months ORDER BY i) AS months, array_agg(code > 0 ORDER BY i) AS ended, array_agg(entry ORDER BY i) AS entries, count(*) AS n FROM seen WHERE held) AS a, unnest(a.i, ltv.inverse_censoring_weights(a.months, a.ended, 1.5, entries => a.entries)) AS k (i, w)
JOIN seen AS s USING (i), LATERAL (SELECT s.code = 1 AND s.months <= 1.5 AS happened, 1 - ltv.renewal_probability('late', s, 1.5) AS p) AS o;
-- Rows that all were there from the start score as they do without a column of entries.
CREATE VIEW from_start AS SELECT *, 0::float8 AS start FROM seen WHERE entry = 0;
SELECT count(*) FROM ltv.train('from 0', 'from_start', 'fine_gray', 'months', 'code', entry => 'start', features => '{x}', options => '{"cause": 1}', holdout => '{"by": "held"}', horizon => 1.5);
SELECT count(*) FROM ltv.train('no entry', 'from_start', 'fine_gray', 'months', 'code', features => '{x}', options => '{"cause": 1}', holdout => '{"by": "held"}', horizon => 1.5);
SELECT a.metrics = b.metrics AS same FROM ltv.model_versions AS a, ltv.model_versions AS b WHERE a.model = 'from 0' AND b.model = 'no entry';
SELECT bool_and(to_jsonb(a) = to_jsonb(b)) AS same, count(*) FROM ltv.evaluate('from 0', 'from_start', '{1}') AS a JOIN ltv.evaluate('no entry', 'from_start', '{1}') AS b USING (segment, horizon);
