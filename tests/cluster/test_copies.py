"""The extension survives what happens to databases: dump and restore, a standby, a crash."""

from harness import Cluster


def test_dump_and_restore(cluster: Cluster) -> None:
    cluster.restore(cluster.dump(), db="restored")
    assert cluster.value("SELECT extname FROM pg_extension WHERE extname = 'ltv'", db="restored") == "ltv"


def test_standby_answers(cluster: Cluster) -> None:
    standby = cluster.standby()
    try:
        assert standby.value("SELECT pg_is_in_recovery()") == "t"
        assert standby.value("SELECT ltv.version()") == cluster.value("SELECT ltv.version()")
    finally:
        standby.remove()


def test_crash_and_recovery(cluster: Cluster) -> None:
    before = cluster.value("SELECT ltv.version()")
    cluster.restart("immediate")
    cluster.skip_log()
    assert cluster.value("SELECT ltv.version()") == before
