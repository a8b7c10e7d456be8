-- Lifetimes by Weibull's law, whose hazard a feature moves: 80 samples of 306 rows under five ways of censoring - of nobody, of a fifth, of more than half, of a third by a rate that grows with the
-- risk, and by one that falls with it -, and four models learnt from the first 200 rows: one that knows the feature, one that does not, a rule with a churn that is far too low for all, and one
-- that has it the wrong way round, too low for those at risk and too high for the others.
CREATE TABLE drawn AS
SELECT s, i, x, noise, v, 12 * (-1 * ln(u) * exp(-1.5 * x)) ^ (1 / 1.3) AS t
FROM (SELECT s, i, ((h1 & 1048575) + 0.5) / 524288.0::float8 - 1 AS x, ((h2 & 1048575) + 0.5) / 1048576.0::float8 AS u, ((h3 & 1048575) + 0.5) / 1048576.0::float8 AS v, ((h4 & 1048575) + 0.5) / 1048576.0::float8 AS noise
      FROM generate_series(1, 80) AS s, generate_series(1, 306) AS i, hashint8extended(s * 1000 + i, 1) AS h1, hashint8extended(s * 1000 + i, 2) AS h2, hashint8extended(s * 1000 + i, 3) AS h3, hashint8extended(s * 1000 + i, 4) AS h4) AS r;
CREATE TABLE book AS
SELECT c.name, d.s, d.i, d.x, d.noise, least(t, seen) AS duration, t <= seen AS event
FROM drawn AS d, (VALUES ('1 nobody', 0, 0), ('2 a fifth', 0.02, 0), ('3 more than half', 0.1, 0), ('4 with the risk', 0.04, 1.5), ('5 against it', 0.04, -1.5)) AS c (name, rate, slope),
     LATERAL (SELECT CASE WHEN rate > 0 THEN -1 * ln(v) / (rate * exp(slope * x)) ELSE 'Infinity' END AS seen) AS w;
CREATE TABLE asked AS SELECT b.name, b.s, b.i, k.kind, b.x, CASE k.kind WHEN 'knows' THEN b.x ELSE b.noise END AS x1, CASE WHEN b.x > 0 THEN 'risky' ELSE 'safe' END AS class, b.duration, b.event
FROM book AS b, unnest('{knows,blind,rule,wrong}'::text[]) AS k (kind);
CREATE TABLE models AS
SELECT name, s, kind, CASE kind WHEN 'rule' THEN ltv.rule('{"monthly_churn": 0.02}') WHEN 'wrong' THEN ltv.rule('{"by": "class", "monthly_churn": {"risky": 0.02, "safe": 0.1}}') ELSE ltv.fit_cox(duration, event, ARRAY[x1] ORDER BY i) END AS m FROM asked WHERE i <= 200 GROUP BY 1, 2, 3;
