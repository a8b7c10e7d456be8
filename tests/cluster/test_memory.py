"""When the system refuses memory, the statement ends with 53200 and nobody else notices."""

import re
from pathlib import Path

from harness import Cluster, Failure, Session

# Compilation takes memory of its own.
SERIAL = "SET max_parallel_workers_per_gather = 0; SET jit = off;"
SETTINGS = f"\\set VERBOSITY sqlstate\n{SERIAL} SET ltv.max_memory_mb = 8192;"
ROWS = "generate_series(1, 1200000) AS i"
SUMMARIES = f"""CREATE TABLE summaries AS SELECT ltv.survival_agg(i / 7.0, true) AS s, ltv.ranking_agg(sin(i), i % 3 = 0) AS r FROM {ROWS};
CREATE TABLE models AS SELECT ltv.fit_cox(i / 7.0, true, ARRAY[sin(i)]) AS m FROM generate_series(1, 400000) AS i;"""
STATEMENTS = [
    (f"SELECT ltv.subjects(ltv.survival_agg(i / 7.0, true)) FROM {ROWS}", 20),
    (f"SELECT ltv.auc(ltv.ranking_agg(sin(i), i % 3 = 0)) FROM {ROWS}", 20),
    ("SELECT count(*) FROM summaries, LATERAL ltv.curve(s) AS c", 90),
    ("SELECT length(s::text) FROM summaries", 60),
    ("SELECT length(r::text) FROM summaries", 60),
    ("SELECT length(m::text) FROM models", 30),
]
"""Each with the megabytes that it gets beyond what its backend has: too few for it, and enough for what is no part of ltv."""


def limit(cluster: Cluster, session: Session, megabytes: int | None) -> None:
    """The address space of the session's backend beyond what it has; set by the server, whose user may."""
    pid = int(session.ask("SELECT pg_backend_pid()")[0][0])
    has = re.search(r"VmSize:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert has is not None
    most = "unlimited" if megabytes is None else (int(has[1]) << 10) + (megabytes << 20)
    cluster.execute(f"COPY (SELECT WHERE false) TO PROGRAM 'prlimit --pid {pid} --as={most}:'")


def test_a_refusal_of_the_system_is_an_error_of_the_statement(cluster: Cluster) -> None:
    cluster.execute(SUMMARIES)
    started = cluster.value("SELECT pg_postmaster_start_time()")
    for sql, megabytes in STATEMENTS:
        with cluster.session() as session:
            session.ask(SETTINGS)
            session.ask("SELECT ltv.median(ltv.survival_agg(i, true)) FROM generate_series(1, 9) AS i")
            limit(cluster, session, megabytes)
            answer = session.ask(sql)
            assert answer and answer[-1][0].endswith("53200"), f"{answer} of {sql}"
            # The session goes on, and gives the answer once there is memory for it.
            limit(cluster, session, None)
            assert int(float(session.ask(sql)[0][0])) >= 0, sql
    assert cluster.value("SELECT pg_postmaster_start_time()") == started


def test_no_shortage_ends_another_session(cluster: Cluster) -> None:
    """Whatever the allocation that is refused: at worst the one session ends."""
    started = cluster.value("SELECT pg_postmaster_start_time()")
    many_groups = "SELECT count(*) FROM ltv.log_rank((SELECT ltv.log_rank_agg(i % 9000, i % 7, i % 3 > 0) FROM generate_series(1, 100000) AS i))"
    with cluster.session() as bystander:
        bystander.ask("BEGIN")
        for megabytes in (2, 4, 8, 16, 32):
            with cluster.session() as session:
                session.ask(SETTINGS + "SET statement_timeout = '5s'")
                session.ask("SELECT ltv.log_rank(ltv.log_rank_agg(i % 2, i % 7, true)) FROM generate_series(1, 9) AS i")
                limit(cluster, session, megabytes)
                try:
                    answer = str(session.ask(many_groups))
                except Failure as ended:
                    answer = str(ended)
                assert "53200" in answer, f"{answer} within {megabytes} MB"
        assert bystander.ask("SELECT 1")[0][0] == "1"
    assert cluster.value("SELECT pg_postmaster_start_time()") == started


def test_the_limit_is_that_of_a_whole_incidence(cluster: Cluster) -> None:
    """However many causes share it, and of its text too, which has a number for each cause at each time."""
    rows = "SELECT ltv.incidence_agg(i / 7.0, i % 50) AS c FROM generate_series(1, 200000) AS i"
    refused = cluster.error(f"{SERIAL} SET ltv.max_memory_mb = 2; {rows}")
    assert refused.sqlstate == "53200" and "more than the 2 MB" in str(refused), refused
    refused = cluster.error(f"{SERIAL} SET ltv.max_memory_mb = 64; SELECT length(c::text) FROM ({rows}) AS summary")
    assert refused.sqlstate == "53200", refused
    assert cluster.value(f"{SERIAL} SELECT ltv.subjects(c) FROM ({rows}) AS summary") == "200000"
