"""Long work can be cancelled, memory is bounded and given back, and a refusal costs nobody else a thing."""

import re
import time
from pathlib import Path

from harness import Cluster, Session

BIG = """CREATE TABLE big AS SELECT i, random() * 1000 AS d, random() < 0.3 AS e, random() AS p, ARRAY[random(), random(), random(), random(), random(), random(), random(), random()] AS x FROM generate_series(1, 1000000) AS i;
ANALYZE big;"""
SUMMARIES = "CREATE TABLE summaries AS SELECT ltv.survival_agg(d, e) AS s, ltv.calibration_agg(p, e) AS c FROM big;"
SERIAL = "SET max_parallel_workers_per_gather = 0;"


def assert_cancelled(cluster: Cluster, sql: str) -> None:
    """Ended by its timeout of half a second, soon after that."""
    begun = time.monotonic()
    refused = cluster.error(f"{SERIAL} SET ltv.max_memory_mb = 8192; SET statement_timeout = '500ms'; {sql}")
    seconds = time.monotonic() - begun
    assert refused.sqlstate == "57014", f"{refused} of {sql}"
    assert seconds < 3, f"cancelled after {seconds:.1f} s: {sql}"


def memory_mb(session: Session, what: str) -> float:
    """RssAnon (what it has of its own) or VmHWM (the most that it ever had, shared buffers included) of the session's backend."""
    pid = session.ask("SELECT pg_backend_pid()")[0][0]
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def assert_bounded(session: Session, sql: str, times: int, limit_mb: float) -> None:
    """The backend is no larger after many runs than after the first few."""
    for _ in range(3):
        assert not str(session.ask(sql)[0][0]).startswith("ERROR"), sql
    before = memory_mb(session, "RssAnon")
    for _ in range(times):
        session.ask(sql)
    grown = memory_mb(session, "RssAnon") - before
    assert grown < limit_mb, f"{times} runs took {grown:.0f} MB: {sql}"


def test_a_long_fit_can_be_cancelled(cluster: Cluster) -> None:
    cluster.execute(BIG)
    assert_cancelled(cluster, "SELECT ltv.model_status(ltv.fit_cox(d, e, x)) FROM big, generate_series(1, 3)")
    assert_cancelled(cluster, "SELECT ltv.model_status(ltv.fit_cox(d / 3, d, e, x, p + 0.1)) FROM big, generate_series(1, 3)")


def test_training_can_be_cancelled_and_leaves_nothing(cluster: Cluster) -> None:
    cluster.execute(BIG + "CREATE VIEW columns AS SELECT d, e, i, x[1] AS x1, x[2] AS x2, x[3] AS x3, x[4] AS x4, x[5] AS x5 FROM big, generate_series(1, 3);")
    assert_cancelled(cluster, "SELECT ltv.train('m', 'columns', 'cox', 'd', 'e', features => ARRAY['x1', 'x2', 'x3', 'x4', 'x5'])")
    assert cluster.query("SELECT * FROM ltv.models") == []


def test_a_test_of_large_cohorts_can_be_cancelled(cluster: Cluster) -> None:
    cluster.execute(BIG + SUMMARIES)
    assert_cancelled(cluster, "SELECT chi_squared FROM summaries, LATERAL ltv.log_rank(array_fill(s, ARRAY[24]))")


def test_tests_of_many_groups_can_be_cancelled(cluster: Cluster) -> None:
    """Their cost rises with the third power of the groups, at few times too."""
    cluster.execute("CREATE TABLE studied AS SELECT i % 4000 AS g, (i * 7919 % 1009) / 100::float8 AS d, i % 3 AS c FROM generate_series(1, 40000) AS i")
    assert_cancelled(cluster, "SELECT ltv.log_rank(ltv.log_rank_agg(g, round(d), c > 0)) FROM studied")
    assert_cancelled(cluster, "SELECT ltv.gray_test(array_agg(i)) FROM (SELECT ltv.incidence_agg(round(d), c) AS i FROM studied WHERE g < 1500 GROUP BY g) AS x")


def test_long_tables_can_be_cancelled(cluster: Cluster) -> None:
    cluster.execute(BIG + SUMMARIES)
    assert_cancelled(cluster, "SELECT sum(c.survival) FROM summaries, generate_series(1, 8), LATERAL ltv.curve(s) AS c")
    assert_cancelled(cluster, "SELECT ltv.median(ltv.rollup(s)) FROM summaries, generate_series(1, 60)")
    assert_cancelled(cluster, "SELECT sum(ltv.calibration_slope(c)) FROM summaries, generate_series(1, 30)")


def test_memory_over_the_limit_is_an_error_and_the_session_goes_on(cluster: Cluster) -> None:
    cluster.execute(BIG + SUMMARIES + "CREATE VIEW columns AS SELECT d, e, x[1] AS x1, x[2] AS x2 FROM big;")
    started = cluster.value("SELECT pg_postmaster_start_time()")
    with cluster.session() as session:
        session.ask(f"{SERIAL} SET ltv.max_memory_mb = 1; \\set VERBOSITY sqlstate\n")
        for sql in (
            "SELECT ltv.survival_agg(d, e) FROM big",
            "SELECT ltv.survival_agg(d / 2, d, e, p + 1) FROM big",
            "SELECT ltv.fit_cox(d, e, x) FROM big",
            "SELECT ltv.calibration_agg(p, e) FROM big",
            "SELECT ltv.rollup(s) FROM (SELECT ltv.survival_agg(d, e) AS s FROM big GROUP BY i % 500) AS parts",
            "SELECT ltv.log_rank(ARRAY[s, s]) FROM summaries",
            "SELECT ltv.train('m', 'columns', 'cox', 'd', 'e', features => ARRAY['x1', 'x2'])",
            "SELECT ltv.train('m', 'columns', 'kaplan_meier', 'd', 'e')",
            "SELECT ltv.train('m', 'columns', 'best', 'd', 'e', features => ARRAY['x1', 'x2'])",
        ):
            answer = session.ask(sql)
            assert answer == [["ERROR:  53200"]], f"{str(answer)[:200]} of {sql}"
        assert session.ask("SELECT ltv.subjects(ltv.survival_agg(i % 1000, e)) FROM big") == [["1000000"]]
        assert memory_mb(session, "VmHWM") < 400
    assert cluster.value("SELECT pg_postmaster_start_time()") == started


def test_a_large_holdout_and_many_large_curves_are_bounded(cluster: Cluster) -> None:
    """What is read row by row is not kept row by row."""
    cluster.execute(
        BIG
        + """CREATE VIEW columns AS SELECT i, d, e, x[1] AS x1, 'g' || i % 3 AS g FROM big;
        CREATE TABLE curves AS SELECT k, ltv.survival_agg(d + k, e) AS s FROM big, generate_series(1, 40) AS k WHERE i <= 200000 GROUP BY k;"""
    )
    for sql in (
        """SELECT n_rows FROM ltv.train('m', 'columns', 'cox', 'd', 'e', features => ARRAY['x1', 'g'], holdout => '{"by": "i", "fraction": 0.9}')""",
        "SELECT count(ltv.survival_at(s, 12)) FROM curves",
        "SELECT count((ltv.lifetime_value(s, 12)).ltv) FROM curves",
        "SELECT count(ltv.median(s)) FROM curves",
    ):
        with cluster.session() as session:
            session.ask(f"{SERIAL} SET ltv.max_memory_mb = 64; \\set VERBOSITY sqlstate\n")
            answer = str(session.ask(sql)[0][0])
            assert not answer.startswith("ERROR") or answer.endswith("53200"), f"{answer}: {sql}"
            most = memory_mb(session, "VmHWM")
            assert most < 300, f"{most:.0f} MB: {sql}"


def test_many_groups_cost_what_they_hold(cluster: Cluster) -> None:
    """Small groups do not take a page each, and a hash table of them takes no more time than sorting."""
    cluster.execute(BIG)
    with cluster.session() as session:
        session.ask(f"{SERIAL} SET work_mem = '1GB'; SET hash_mem_multiplier = 1; SELECT count(*) FROM big")
        query = "SELECT count(*), sum(n) FROM (SELECT ltv.subjects(ltv.survival_agg(d, e)) AS n FROM big GROUP BY i % 50000) AS g"
        seconds = {}
        for strategy in ("hashagg", "sort"):
            session.ask(f"RESET enable_sort; RESET enable_hashagg; SET enable_{'sort' if strategy == 'hashagg' else 'hashagg'} = off")
            begun = time.monotonic()
            assert session.ask(query) == [["50000", "1000000"]]
            seconds[strategy] = time.monotonic() - begun
            assert memory_mb(session, "VmHWM") < 500
        assert seconds["hashagg"] < 3 * seconds["sort"] + 1, seconds


def test_repeated_aggregates_do_not_leak(cluster: Cluster) -> None:
    cluster.execute(BIG)
    with cluster.session() as session:
        session.ask(SERIAL)
        assert_bounded(session, "SELECT ltv.median(ltv.survival_agg(i % 3650, i % 3 = 0)) FROM generate_series(1, 2000000) AS i", 3, 20)
        assert_bounded(session, "SELECT ltv.median(ltv.survival_agg(d, e)) FROM big WHERE i < 100000", 20, 20)
        assert_bounded(session, "SELECT ltv.model_status(ltv.fit_cox(d, e, x)) FROM big WHERE i < 20000", 20, 20)
        assert_bounded(session, """SELECT ltv.brier(ltv.rollup(c)) FROM (SELECT ltv.calibration_agg(p, e) AS c FROM big WHERE i < 100000
            GROUP BY i % 100) AS parts""", 15, 20)
        assert_bounded(session, "SELECT count(*) FROM (SELECT ltv.survival_agg(d, e) OVER (ORDER BY i ROWS 10 PRECEDING) FROM big WHERE i < 5000) AS w", 8, 20)


def test_failing_statements_do_not_leak(cluster: Cluster) -> None:
    """What Rust holds when an error ends the statement is dropped too."""
    cluster.execute(BIG)
    with cluster.session() as session:
        session.ask(f"{SERIAL} \\set VERBOSITY sqlstate\n")
        failing = "SELECT ltv.fit_cox(CASE WHEN i = 99999 THEN -1 ELSE d END, e, x) FROM big WHERE i < 100000"
        for _ in range(3):
            assert session.ask(failing) == [["ERROR:  22023"]]
        before = memory_mb(session, "RssAnon")
        for _ in range(30):
            session.ask(failing)
        grown = memory_mb(session, "RssAnon") - before
        assert grown < 30, f"{grown:.0f} MB"


def test_scoring_many_rows_takes_no_memory(cluster: Cluster) -> None:
    cluster.execute(BIG + "CREATE VIEW columns AS SELECT i, d, e, x[1] AS x1, x[2]::numeric AS x2, 'g' || i % 3 AS g FROM big WHERE i <= 100000;")
    cluster.query("SELECT count(*) FROM ltv.train('m', 'columns', 'cox', 'd', 'e', features => ARRAY['x1', 'x2', 'g'])")
    cluster.query("SELECT count(*) FROM ltv.train('km', 'columns', 'kaplan_meier', 'd', 'e', features => ARRAY['g'])")
    with cluster.session() as session:
        session.ask(SERIAL)
        session.ask("CREATE TEMP TABLE rows AS SELECT * FROM columns; CREATE TEMP TABLE few AS SELECT * FROM rows LIMIT 300")
        session.ask("SELECT count(ltv.renewal_probability('m', few, 12)), count(ltv.predict('km', few, 12)), count(ltv.predict('m', few, 12)) FROM few")
        before = memory_mb(session, "VmHWM")
        assert session.ask("SELECT count(ltv.renewal_probability('m', rows, 12)) FROM rows") == [["100000"]]
        assert session.ask("SELECT count(ltv.renewal_probability('km', rows, 12)) FROM rows") == [["100000"]]
        for sql in ("ltv.predict('m', few, 12)", "(ltv.lifetime_value('m', few, 100)).ltv", "ltv.predict_curve('km', few)", "(SELECT sum(present_value) FROM ltv.cash_flows('m', few, 100))"):
            assert session.ask(f"SELECT count({sql}) FROM few") == [["300"]], sql
        grown = memory_mb(session, "VmHWM") - before
        assert grown < 60, f"{grown:.0f} MB"


def test_call_sites_are_given_back(cluster: Cluster) -> None:
    """Each execution of an expression keeps a model and a row layout: for as long as it runs."""
    cluster.execute("CREATE TABLE rows AS SELECT i AS d, i % 3 = 0 AS e, sin(i) AS a, 'g' || i % 3 AS g FROM generate_series(1, 500) AS i")
    cluster.query("SELECT count(*) FROM ltv.train('m', 'rows', 'cox', 'd', 'e', features => ARRAY['a', 'g'])")
    with cluster.session() as session:
        assert_bounded(session, "DO $$ BEGIN FOR i IN 1..400 LOOP EXECUTE 'SELECT ltv.renewal_probability(''m'', rows, 12) FROM rows LIMIT 1'; EXECUTE 'SELECT * FROM ltv.cash_flows(''m'', (SELECT rows FROM rows LIMIT 1), 12)'; END LOOP; END $$; SELECT 1", 10, 12)


def test_a_design_too_large_to_be_a_value_is_refused_as_such(cluster: Cluster) -> None:
    """A function reads it in place; what must be stored or printed cannot be larger than 1 GB."""
    cluster.execute("CREATE VIEW wide AS SELECT ltv.design_agg(i, true, array_fill(1.0::float8, ARRAY[1000])) AS d FROM generate_series(1, 68000) AS i")
    refused = cluster.error(f"{SERIAL} SET ltv.max_memory_mb = 4096; SELECT length(d::text) FROM wide")
    assert refused.sqlstate == "54000", refused
