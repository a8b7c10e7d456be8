"""Databases of other encodings: refused where text would be misread, harmless where it may be anything."""

from harness import Cluster


def database(cluster: Cluster, encoding: str) -> None:
    cluster.execute(f"DROP DATABASE IF EXISTS other WITH (FORCE);\nCREATE DATABASE other ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0;", db="postgres")


def test_a_database_in_another_encoding_is_refused(cluster: Cluster) -> None:
    for encoding in ("LATIN1", "EUC_JP", "WIN1252"):
        database(cluster, encoding)
        refused = cluster.error("CREATE EXTENSION ltv", db="other")
        assert refused.sqlstate == "0A000" and "UTF8" in refused.message and refused.hint, refused


def test_bytes_that_are_no_text_do_no_harm(cluster: Cluster) -> None:
    """SQL_ASCII takes any bytes: as names, levels, columns and options."""
    database(cluster, "SQL_ASCII")
    cluster.execute(
        r"""CREATE EXTENSION ltv;
        CREATE TABLE rows AS SELECT i % 40 + 1 AS d, i % 3 <> 0 AS e, i % 7 AS a, CASE i % 3 WHEN 0 THEN 'plain' WHEN 1 THEN E'caf\xc3\xa9' ELSE 'x' END AS g, CASE i % 2 WHEN 0 THEN E'caf\xe9' ELSE 'x' END AS bad FROM generate_series(1, 300) AS i""",
        db="other",
    )
    assert cluster.value("SELECT n_rows FROM ltv.train('m', 'rows', 'cox', 'd', 'e', features => ARRAY['a', 'g'])", db="other") == "300"
    assert cluster.value("SELECT count(ltv.renewal_probability('m', rows, 12)) FROM rows", db="other") == "300"
    statements = (
        "SELECT ltv.train('m', 'rows', 'cox', 'd', 'e', features => ARRAY['bad'])",
        "SELECT ltv.train('m', 'rows', 'kaplan_meier', 'd', 'e', features => ARRAY['bad'])",
        r"SELECT ltv.train(E'm\xff', 'rows', 'cox', 'd', 'e', features => ARRAY['a'])",
        r"SELECT ltv.train('m', 'rows', 'cox', E'd\xff', 'e', features => ARRAY['a'])",
        r"SELECT ltv.train('m', 'rows', 'cox', 'd', 'e', features => ARRAY[E'a\xff'])",
        r"SELECT ltv.train('m', 'rows', 'cox', 'd', 'e', features => ARRAY['a'], note => E'\xff')",
        r"SELECT ltv.model(E'\xff'::text)",
        r"SELECT ltv.model(E'\xff')",
        r"SELECT ltv.survival_interval(ltv.survival_agg(d, e), 1, 0.9, E'\xff') FROM rows",
        r"SELECT ltv.lifetime_value(ltv.survival_agg(d, e), 1, currency => E'\xff') FROM rows",
        r"SELECT E'{\"kind\":\"\xff\"}'::ltv.survival",
        r"SELECT E'\xff'::ltv.design",
        r"SELECT ltv.plot_curve(ARRAY[ltv.survival_agg(d, e)], ARRAY[E'\xff']) FROM rows",
    )
    problems = []
    for sql in statements:
        refused = cluster._run(f"\\set VERBOSITY sqlstate\n{sql};", "other", "-o", "/dev/null").stderr
        if refused.count("ERROR") != 1 or "XX" in refused:
            problems.append(f"{refused.strip() or 'accepted'}: {sql}")
    assert not problems, "\n".join(problems)
    scored = r"SELECT count(*), count(p.renewal_probability), count(p.status) FROM (SELECT 1 AS a, E'caf\xe9' AS g) AS r, LATERAL ltv.predict('m', r, 12) AS p"
    assert cluster.query(scored, db="other") == [["1", "0", "1"]]
