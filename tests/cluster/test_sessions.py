"""Several sessions at once: versions are counted, promotes are seen, nobody waits for readers."""

import random
import time

from harness import Cluster, Session

ROWS = "CREATE TABLE rows AS SELECT i % 40 + 1 AS d, i % 3 <> 0 AS e, sin(i) AS a, 'g' || i % 3 AS g FROM generate_series(1, 500) AS i;"
TRAIN = "SELECT version FROM ltv.train('m', 'rows', 'cox', 'd', 'e', features => ARRAY['a'])"
FLAT = "SELECT count(*) FROM ltv.train('m', 'rows', 'kaplan_meier', 'd', 'e')"


def two_versions(cluster: Cluster) -> tuple[str, str]:
    """Version 1 (production) and 2 of model m, and what each says of the row (0.9)."""
    cluster.execute(ROWS)
    cluster.query(f"{TRAIN}; {FLAT}; SELECT ltv.promote('m', 1)")
    scores = [cluster.value(f"SELECT ltv.renewal_probability('m@{version}', r, 12) FROM (SELECT 0.9 AS a) AS r") for version in (1, 2)]
    assert scores[0] is not None and scores[1] is not None and scores[0] != scores[1]
    return scores[0], scores[1]


def notices(session: Session) -> list[str]:
    """The texts of the notices of what was sent last."""
    return [str(row[0]).partition("NOTICE:  ")[2] for row in session.answer()]


def test_two_trainings_of_one_model_get_two_versions(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    with cluster.session() as one, cluster.session() as other:
        one.ask("BEGIN")
        assert one.ask(TRAIN) == [["1"]]
        other.send(TRAIN)  # waits for the first
        time.sleep(0.5)
        assert cluster.query("SELECT * FROM ltv.model_versions") == []
        one.ask("COMMIT")
        assert other.answer() == [["2"]]
    assert cluster.query("SELECT version FROM ltv.model_versions ORDER BY 1") == [["1"], ["2"]]


def test_a_training_that_is_rolled_back_leaves_its_version_to_the_next(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    with cluster.session() as one, cluster.session() as other:
        one.ask("BEGIN")
        assert one.ask(TRAIN) == [["1"]]
        other.send(TRAIN)
        time.sleep(0.3)
        one.ask("ROLLBACK")
        assert other.answer() == [["1"]]


def test_trainings_of_different_models_do_not_wait(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    with cluster.session() as one, cluster.session() as other:
        one.ask("BEGIN")
        one.ask(TRAIN)
        other.ask("SET lock_timeout = '2s'")
        assert other.ask(TRAIN.replace("'m'", "'n'")) == [["1"]]
        one.ask("ROLLBACK")


def test_repeatable_read_trains_or_asks_to_be_retried(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    with cluster.session() as one:
        one.ask("\\set VERBOSITY sqlstate\n")
        one.ask("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        cluster.query(TRAIN)
        answer = one.ask(TRAIN)
        assert answer in ([["ERROR:  40001"]], [["2"]]), answer
        one.ask("ROLLBACK")
        assert one.ask(TRAIN) == [["2"]]


def test_promotes_take_turns_and_readers_do_not_wait(cluster: Cluster) -> None:
    first, second = two_versions(cluster)
    with cluster.session() as one, cluster.session() as other, cluster.session() as reader:
        one.ask("BEGIN; SELECT ltv.promote('m', 2)")
        other.send("SELECT ltv.promote('m', 1)")
        reader.ask("SET lock_timeout = '1s'")
        assert reader.ask("SELECT ltv.renewal_probability('m', r, 12) FROM (SELECT 0.9 AS a) AS r") == [[first]]
        one.ask("COMMIT")
        assert other.answer() == [["m@production is version 1, was 2"]]
        assert reader.ask("SELECT status FROM ltv.model_versions ORDER BY version") == [["production"], ["archived"]]
    assert cluster.query("SELECT detail ->> 'before' FROM ltv.events WHERE action = 'promote' ORDER BY occurred_at") == [[None], ["1"], ["2"]]


def scoring_loop(waits: str) -> str:
    """A PL/pgSQL loop whose one call site scores by name."""
    return f"""DO $$ DECLARE r record; p float8; BEGIN
        SELECT 0.9 AS a INTO r;
        FOR i IN 1..2 LOOP
            p := ltv.renewal_probability('m'::text, r, 12);
            RAISE NOTICE '%', p;
            {waits}
        END LOOP; END $$"""


def test_a_loop_sees_a_promote_made_in_between(cluster: Cluster) -> None:
    first, second = two_versions(cluster)
    with cluster.session() as scorer, cluster.session() as promoter:
        scorer.send(scoring_loop("PERFORM ltv.promote('m', 2);"))
        assert notices(scorer) == [first, second]
        scorer.ask("SELECT ltv.promote('m', 1)")
        promoter.ask("SELECT pg_advisory_lock(1)")
        scorer.send(scoring_loop("PERFORM pg_advisory_xact_lock(1);"))
        time.sleep(0.5)
        promoter.ask("SELECT ltv.promote('m', 2); SELECT pg_advisory_unlock(1)")
        assert notices(scorer) == [first, second]


def test_a_loop_sees_the_promote_of_a_transaction_in_the_middle_of_others(cluster: Cluster) -> None:
    """Older and newer transactions around it keep the ends of the snapshot where they are."""
    first, second = two_versions(cluster)
    with cluster.session() as older, cluster.session() as promoter, cluster.session() as newer, cluster.session() as scorer:
        older.ask("BEGIN; SELECT pg_current_xact_id()")
        promoter.ask("SELECT pg_advisory_lock(1)")
        promoter.ask("BEGIN; SELECT ltv.promote('m', 2)")
        newer.ask("SELECT pg_current_xact_id()")
        scorer.send(scoring_loop("PERFORM pg_advisory_lock_shared(1);"))
        time.sleep(0.5)
        promoter.ask("COMMIT; SELECT pg_advisory_unlock(1)")
        assert notices(scorer) == [first, second]
        older.ask("ROLLBACK")


def test_a_loop_sees_a_promote_taken_back(cluster: Cluster) -> None:
    """Rolled back to a savepoint while a newer transaction has ended."""
    first, second = two_versions(cluster)
    with cluster.session() as scorer, cluster.session() as newer:
        newer.ask("SELECT pg_advisory_lock(1)")
        scorer.send(
            """DO $$ DECLARE r record; p float8; BEGIN
            SELECT 0.9 AS a INTO r;
            FOR i IN 1..3 LOOP
                BEGIN
                    IF i = 2 THEN
                        PERFORM ltv.promote('m', 2);
                        PERFORM pg_advisory_lock_shared(1);
                    END IF;
                    p := ltv.renewal_probability('m'::text, r, 12);
                    RAISE NOTICE '%', p;
                    IF i = 2 THEN RAISE EXCEPTION 'undo'; END IF;
                EXCEPTION WHEN raise_exception THEN NULL;
                END;
            END LOOP; END $$"""
        )
        time.sleep(0.5)
        newer.ask("SELECT pg_current_xact_id(); SELECT pg_advisory_unlock(1)")
        assert notices(scorer) == [first, second, first]


def test_a_snapshot_keeps_its_version(cluster: Cluster) -> None:
    first, second = two_versions(cluster)
    score = "SELECT ltv.renewal_probability('m', r, 12) FROM (SELECT 0.9 AS a) AS r"
    with cluster.session() as reader:
        reader.ask("BEGIN ISOLATION LEVEL REPEATABLE READ")
        assert reader.ask(score) == [[first]]
        cluster.query("SELECT ltv.promote('m', 2)")
        assert reader.ask(score) == [[first]]
        reader.ask("COMMIT")
        assert reader.ask(score) == [[second]]


def test_a_cursor_and_a_prepared_statement(cluster: Cluster) -> None:
    first, second = two_versions(cluster)
    with cluster.session() as reader:
        reader.ask("PREPARE score AS SELECT ltv.renewal_probability('m', r, 12) FROM (SELECT 0.9 AS a) AS r")
        reader.ask("BEGIN; DECLARE c CURSOR FOR SELECT ltv.renewal_probability('m', r, 12) FROM (SELECT 0.9 AS a FROM generate_series(1, 2)) AS r")
        assert reader.ask("FETCH 1 FROM c") == [[first]]
        cluster.query("SELECT ltv.promote('m', 2)")
        assert reader.ask("FETCH 1 FROM c") == [[first]]
        assert reader.ask("EXECUTE score") == [[second]]
        reader.ask("COMMIT")


def test_a_session_outlives_its_extension(cluster: Cluster) -> None:
    """Dropped and made again, the functions a session has used still work there."""
    two_versions(cluster)
    with cluster.session() as session:
        session.ask("PREPARE median AS SELECT ltv.median(ltv.survival_agg(d, e)) FROM rows")
        before = session.ask("EXECUTE median")
        session.ask("SET client_min_messages = error")
        session.ask("DROP EXTENSION ltv CASCADE; CREATE EXTENSION ltv")
        assert session.ask("EXECUTE median") == before
        assert session.ask(TRAIN) == [["1"]]


def test_a_crowd_leaves_the_registry_in_order(cluster: Cluster) -> None:
    """Six sessions train, promote, score and roll back at random; versions, aliases, states and the audit trail agree in the end."""
    two_versions(cluster)
    chance = random.Random(6)
    steps = [
        TRAIN,
        "SELECT ltv.promote('m', 1 + floor(random() * 2)::int)",
        "SELECT ltv.promote('m', 1, 'staging')",
        "SELECT ltv.renewal_probability('m', rows, 12) IS NOT NULL FROM rows LIMIT 1",
        "SELECT ltv.promote('m', ltv.model_version('m@latest'))",
        f"BEGIN; {TRAIN}; SELECT ltv.promote('m', 2); ROLLBACK",
    ]
    crowd = [cluster.session() for _ in range(6)]
    try:
        for member in crowd:
            for _ in range(60):
                member.send(chance.choice(steps))
        for member in crowd:
            for _ in range(60):
                assert not any("ERROR" in str(row[0]) for row in member.answer())
    finally:
        for member in crowd:
            member.__exit__()
    versions, first, last = cluster.query("SELECT count(*), min(version), max(version) FROM ltv.model_versions")[0]
    assert (first, last) == ("1", versions), "versions have gaps"
    assert cluster.value("SELECT count(*) FROM ltv.events WHERE action = 'train'") == versions
    assert cluster.query("""SELECT alias, version FROM ltv.aliases EXCEPT (SELECT DISTINCT ON (alias) alias, version FROM ltv.events
        WHERE action = 'promote' ORDER BY alias, occurred_at DESC)""") == []
    assert cluster.query("SELECT version FROM ltv.model_versions WHERE status = 'production'") == cluster.query("SELECT version FROM ltv.aliases WHERE alias = 'production'")


def test_a_training_reads_one_state_of_its_source(cluster: Cluster) -> None:
    """Whatever others write between its queries, and whether or not its transaction has written itself."""
    cluster.execute(ROWS + "CREATE TABLE noted (n int); CREATE VIEW slow AS SELECT *, g = 'g1' AS held FROM rows WHERE (SELECT pg_sleep(0.1)::text) IS NOT NULL")
    train = """SELECT string_agg(format('%s %s %s', metric, value, baseline_value), ', ' ORDER BY metric)
        FROM ltv.train('m', 'slow', 'cox', 'd', 'e', features => ARRAY['a'], holdout => '{"by": "held"}', horizon => 12)"""
    with cluster.session() as one, cluster.session() as other:
        before = one.ask(train)
        for first in ("", "BEGIN; INSERT INTO noted VALUES (1);"):
            one.send(f"{first} {train}; COMMIT")
            time.sleep(0.25)
            other.ask("UPDATE rows SET a = 7 - a, d = d / 2 + 1")
            got = [row for row in one.answer() if not str(row[0]).startswith("WARNING")]
            assert got == before, "what was judged is not what was fitted"
            other.ask(f"DROP VIEW slow; DROP TABLE rows; {ROWS} CREATE VIEW slow AS SELECT *, g = 'g1' AS held FROM rows WHERE (SELECT pg_sleep(0.1)::text) IS NOT NULL")
    prints = cluster.query("SELECT DISTINCT lineage ->> 'fingerprint' FROM ltv.model_versions")
    assert len(prints) == 1 and prints[0][0], "the fingerprint is of other rows than the fit"


DROP = "SELECT ltv.drop_version('m', 1, 'erasure request')"
RECALIBRATE = "SELECT DISTINCT version FROM ltv.recalibrate('m@1', 'later', horizon => 12)"
HYBRID = """SELECT DISTINCT version FROM ltv.train('worth', 'rows', 'hybrid', options => '{"renewal": "m@1", "terms": {"revenue": 1, "horizon": 12}}')"""


def test_a_version_is_not_dropped_while_another_is_made_of_it(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.execute("CREATE TABLE later AS SELECT (d * 7) % 40 + 1 AS d, e, a + 0.1 AS a, g FROM rows")
    for statement, child in ((RECALIBRATE, "m@3"), (HYBRID, "worth@1")):

        def anew() -> None:
            cluster.execute("DELETE FROM ltv.model_versions")
            cluster.query(f"{TRAIN}; {TRAIN}")

        anew()
        with cluster.session() as maker, cluster.session() as dropper:
            maker.ask("BEGIN")
            answer = maker.ask(statement)
            assert answer == [[child.partition("@")[2]]], answer
            dropper.send(DROP)  # waits for the maker
            time.sleep(0.5)
            maker.ask("COMMIT")
            assert f"m@1 lives on in what was made of it: {child}" in str(dropper.answer())
        # Rolled back, nothing was made.
        anew()
        with cluster.session() as maker, cluster.session() as dropper:
            maker.ask("BEGIN")
            maker.ask(statement)
            dropper.send(DROP)
            time.sleep(0.3)
            maker.ask("ROLLBACK")
            assert dropper.answer() == [["m@1 is gone"]]
        # Who comes second makes nothing of what is gone.
        anew()
        with cluster.session() as maker, cluster.session() as dropper:
            dropper.ask("BEGIN")
            assert dropper.ask(DROP) == [["m@1 is gone"]]
            maker.send(statement)
            time.sleep(0.5)
            dropper.ask("COMMIT")
            answer = maker.answer()
            assert "of which this is made" in str(answer) or "there is no m@1" in str(answer), answer
        # Snapshots that are older than what was done meanwhile.
        anew()
        with cluster.session() as maker, cluster.session() as dropper:
            dropper.ask("BEGIN ISOLATION LEVEL REPEATABLE READ")
            dropper.ask("SELECT count(*) FROM ltv.models")
            maker.ask(statement)
            assert f"m@1 lives on in what was made of it: {child}" in str(dropper.ask(DROP))
            dropper.ask("ROLLBACK")
        anew()
        with cluster.session() as maker, cluster.session() as dropper:
            maker.ask("BEGIN ISOLATION LEVEL REPEATABLE READ")
            maker.ask("SELECT count(*) FROM ltv.models")
            assert dropper.ask(DROP) == [["m@1 is gone"]]
            answer = maker.ask(statement)
            assert "of which this is made" in str(answer), (child, answer)
            maker.ask("ROLLBACK")
            # The snapshot that was taken for the question is gone again.
            assert maker.ask("SELECT 1") == [["1"]]
        assert cluster.query("SELECT model, version FROM ltv.model_versions ORDER BY 1, 2") == [["m", "2"]]
