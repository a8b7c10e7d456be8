"""The registry and every stored value survive what happens to databases: dump and restore, a standby, a crash."""

import os
import signal
import time

from harness import Cluster, caught_up

ROWS = """CREATE TABLE rows AS SELECT i, i % 40 + 1 AS d, i % 3 <> 0 AS e, sin(i) AS a, 'g' || i % 3 AS g, i % 11 / 10.0 AS p FROM generate_series(1, 500) AS i;
CREATE TABLE kept AS SELECT g, ltv.survival_agg(d, e) AS s, ltv.calibration_agg(p, e) AS c, ltv.fit_cox(d, e, ARRAY[a]) AS m FROM rows GROUP BY g;
CREATE VIEW scores AS SELECT i, ltv.renewal_probability('m', rows, 12) AS p FROM rows;
CREATE MATERIALIZED VIEW curves AS SELECT ltv.predict_curve(ltv.model('m@latest'), rows) AS s FROM rows WHERE i < 5 WITH NO DATA;"""
TRAIN = "SELECT version FROM ltv.train('m', 'rows', 'cox', 'd', 'e', features => ARRAY['a', 'g'], note => 'it''s a \"note\"') LIMIT 1"
ANSWERS = (
    """SELECT model, version, status, algorithm, fitted::text, spec::text, n_rows, n_events, n_dropped, n_holdout, metrics::text, warnings, note,
        trained_at, trained_by, extension_version FROM ltv.model_versions ORDER BY model, version""",
    "SELECT * FROM ltv.models ORDER BY name",
    "SELECT * FROM ltv.aliases ORDER BY model, alias",
    "SELECT * FROM ltv.events ORDER BY event_id",
    "SELECT * FROM ltv.v_production ORDER BY alias",
    "SELECT g, s::text, c::text, m::text FROM kept ORDER BY g",
    "SELECT * FROM scores ORDER BY i",
    "SELECT i, ltv.predict('m', rows, 12) FROM rows ORDER BY i LIMIT 20",
    "SELECT s::text FROM curves ORDER BY 1",
)


def prepare(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.query(f"""{TRAIN}; SELECT count(*) FROM ltv.train('m', 'rows', 'kaplan_meier', 'd', 'e', features => ARRAY['g'],
        holdout => '{{\"by\": \"i\", \"fraction\": 0.2}}')""")
    cluster.query("SELECT ltv.promote('m', 1, reason => 'first'); SELECT ltv.promote('m', 2, 'staging'); REFRESH MATERIALIZED VIEW curves")


def answers(cluster: Cluster, db: str | None = None) -> list[object]:
    return [cluster.query(sql, db=db) for sql in ANSWERS]


def test_dump_and_restore(cluster: Cluster) -> None:
    """Into a new database: the same answers, and training and promoting go on where they were."""
    prepare(cluster)
    cluster.restore(cluster.dump(), db="restored")
    assert answers(cluster, "restored") == answers(cluster)
    assert cluster.query(TRAIN, db="restored") == [["3"]]
    assert cluster.query("SELECT ltv.promote('m', 3)", db="restored") == [["m@production is version 3, was 1"]]
    assert cluster.query("SELECT count(*) FROM ltv.events", db="restored") == [["6"]]
    assert cluster.query("SELECT ltv.model_version('m'), ltv.model_version('m@staging')", db="restored") == [["3", "2"]]


def test_dump_of_data_by_inserts_and_by_columns(cluster: Cluster) -> None:
    prepare(cluster)
    cluster.restore(cluster.dump(None, "--rows-per-insert=100", "--column-inserts"), db="restored")
    assert answers(cluster, "restored") == answers(cluster)


def test_dump_of_a_restored_database_is_the_same(cluster: Cluster) -> None:
    """Nothing is lost or added by a round trip."""
    prepare(cluster)
    first = cluster.dump(None, "--exclude-schema=demo")
    cluster.restore(first, db="restored")

    def comparable(dump: str) -> list[str]:
        return [line for line in dump.splitlines() if not line.startswith(("--", "\\restrict", "\\unrestrict"))]

    assert comparable(cluster.dump("restored", "--exclude-schema=demo")) == comparable(first)


def test_grants_survive_a_dump(cluster: Cluster) -> None:
    cluster.execute("""DO $$ BEGIN CREATE ROLE ltv_keeper; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT EXECUTE ON FUNCTION ltv.promote TO ltv_keeper; GRANT SELECT ON ltv.models TO ltv_keeper""")
    cluster.restore(cluster.dump(), db="restored")
    rights = """SELECT has_function_privilege('ltv_keeper', 'ltv.promote(text, integer, text, text, jsonb)', 'EXECUTE'),
        has_table_privilege('ltv_keeper', 'ltv.models', 'SELECT'), has_table_privilege('ltv_keeper', 'ltv.events', 'SELECT')"""
    assert cluster.query(rights, db="restored") == [["t", "t", "f"]]
    cluster.execute("DROP OWNED BY ltv_keeper")
    cluster.execute("DROP OWNED BY ltv_keeper", db="restored")


def test_a_standby_scores_and_follows_promotes(cluster: Cluster) -> None:
    prepare(cluster)
    cluster.execute("CHECKPOINT")
    standby = cluster.standby()
    try:
        caught_up(cluster, standby)
        assert standby.value("SELECT pg_is_in_recovery()") == "t"
        assert answers(standby) == answers(cluster)
        assert standby.value("SELECT ltv.median(ltv.survival_agg(d, e)) FROM rows") == cluster.value("SELECT ltv.median(ltv.survival_agg(d, e)) FROM rows")
        assert standby.value("SELECT ltv.fit_cox(d, e, ARRAY[a])::text FROM rows") == cluster.value("SELECT ltv.fit_cox(d, e, ARRAY[a])::text FROM rows")
        assert standby.error(TRAIN).sqlstate == "25006"
        assert standby.error("SELECT ltv.promote('m', 2)").sqlstate == "25006"
        cluster.query("SELECT ltv.promote('m', 2)")
        caught_up(cluster, standby)
        assert standby.value("SELECT ltv.model_version('m')") == "2"
        assert standby.query("SELECT * FROM scores ORDER BY i") == cluster.query("SELECT * FROM scores ORDER BY i")
        assert standby.defects() == []
    finally:
        standby.remove()


def test_crash_and_recovery(cluster: Cluster) -> None:
    """What was committed is there, what was not is gone."""
    prepare(cluster)
    before = answers(cluster)
    with cluster.session() as session:
        session.ask(f"BEGIN; {TRAIN}; SELECT ltv.promote('m', 2)")
        cluster.execute("CHECKPOINT")
        cluster.restart("immediate")
    cluster.skip_log()
    assert answers(cluster) == before
    assert cluster.query(TRAIN) == [["3"]]


def test_a_killed_backend_takes_nothing_along(cluster: Cluster) -> None:
    """A backend killed in the middle of a fit: the server recovers by itself."""
    prepare(cluster)
    before = answers(cluster)
    with cluster.session() as session:
        pid = int(str(session.ask("SELECT pg_backend_pid()")[0][0]))
        session.send("SELECT ltv.model_status(ltv.fit_cox(random(), true, ARRAY[random(), random(), random()])) FROM generate_series(1, 20000000)")
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
    until = time.monotonic() + 30
    while cluster._run("SELECT 1", None).returncode != 0:
        assert time.monotonic() < until, "the server does not come back"
        time.sleep(0.1)
    cluster.skip_log()
    assert answers(cluster) == before


def test_extension_goes_and_comes(cluster: Cluster) -> None:
    """DROP EXTENSION needs CASCADE where something depends on it, and leaves nothing that stops it from coming back."""
    prepare(cluster)
    assert cluster.error("DROP EXTENSION ltv").sqlstate == "2BP01"
    cluster.execute("SET client_min_messages = error; DROP EXTENSION ltv CASCADE; CREATE EXTENSION ltv")
    assert cluster.query("SELECT * FROM ltv.models") == []
    assert cluster.query(TRAIN) == [["1"]]
