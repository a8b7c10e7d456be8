"""Databases of other encodings are refused: text would be misread there, or be any bytes at all."""

from harness import Cluster


def database(cluster: Cluster, encoding: str) -> None:
    cluster.execute(f"DROP DATABASE IF EXISTS other WITH (FORCE);\nCREATE DATABASE other ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0;", db="postgres")


def test_a_database_in_another_encoding_is_refused(cluster: Cluster) -> None:
    for encoding in ("LATIN1", "EUC_JP", "WIN1252", "SQL_ASCII"):
        database(cluster, encoding)
        refused = cluster.error("CREATE EXTENSION ltv", db="other")
        assert refused.sqlstate == "0A000" and "UTF8" in refused.message and refused.hint, refused
