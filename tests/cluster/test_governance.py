"""Promoted models under everything that happens to databases: each test is a complaint about a registry that others shipped."""

import subprocess
import tempfile
import time

from harness import Cluster, Failure, as_owner_of, caught_up, clean_environment, role

ROWS = """CREATE TABLE rows AS SELECT i, i % 40 + 1 AS d, i % 3 <> 0 AS e, sin(i) AS a, 'g' || i % 4 AS g FROM generate_series(1, 500) AS i;
COMMENT ON COLUMN rows.a IS 'How much.'; CREATE VIEW source AS SELECT * FROM rows WHERE i > 10;"""
NAME = """Über "x" 'y' %I \\ 价值"""
M = "'" + NAME.replace("'", "''") + "'"
TRAIN = f"SELECT version FROM ltv.train({M}, 'source', 'cox', 'd', 'e', features => ARRAY['a', 'g'], label_policy => 'no invoice for 30 days') LIMIT 1"
FLAT = f"SELECT version FROM ltv.train({M}, 'source', 'kaplan_meier', 'd', 'e') LIMIT 1"
SCORE = f"SELECT ltv.renewal_probability({M}::text, r, 12) FROM (SELECT 0.9 AS a, 'g1' AS g) AS r"
STATE = (
    "SELECT * FROM ltv.models ORDER BY 1",
    "SELECT (to_jsonb(v) - 'fitted')::text, v.fitted::text, ltv.verify(v.model, v.version) FROM ltv.model_versions v ORDER BY v.model, v.version",
    "SELECT * FROM ltv.aliases ORDER BY 1, 2",
    "SELECT * FROM ltv.events ORDER BY event_id",
    "SELECT * FROM ltv.policies ORDER BY 1, 2, 3",
    "SELECT * FROM ltv.model_grants ORDER BY 1, 2, 3",
    "SELECT * FROM ltv.v_models ORDER BY 1, 2",
    "SELECT * FROM ltv.v_production ORDER BY 1, 2",
    "SELECT * FROM ltv.v_events ORDER BY 1",
    f"SELECT * FROM ltv.gate({M}, 1)",
    f"SELECT * FROM ltv.lineage({M}, 1)",
    f"SELECT * FROM ltv.diff({M}, 1, 2)",
    f"SELECT ltv.model_card({M}, 1)",
    f"SELECT ltv.export_model({M}, 1)::text",
    SCORE,
)
POLICIES = "SELECT polrelid::regclass, polname, polcmd, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) FROM pg_policy ORDER BY 1, 2"
LINE = f"""{TRAIN}; {FLAT}; {TRAIN}; SELECT count(*) FROM ltv.set_policy('*', '{{"fit_status": "= ok"}}', 'house rule'); SELECT ltv.promote({M}, 1); SELECT ltv.promote({M}, 2);
SELECT ltv.promote({M}, 3, reason => 'it''s better'); SELECT ltv.promote({M}, 2, 'baseline')"""


def prepare(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.query(LINE)
    role(cluster, "ltv_analyst")
    cluster.query(f"SELECT ltv.restrict_model({M}); SELECT ltv.grant_model({M}, 'ltv_analyst')")


def state(cluster: Cluster, db: str | None = None) -> list[object]:
    return [cluster.query(sql, db=db) for sql in STATE]


# ---------------------------------------------------------------- models vanish or their numbers collide after dump and restore


def test_nothing_vanishes_and_no_number_collides_after_dump_and_restore(cluster: Cluster) -> None:
    prepare(cluster)
    cluster.restore(cluster.dump(), db="restored")
    assert state(cluster, "restored") == state(cluster)
    assert cluster.query(TRAIN, db="restored") == [["4"]]
    assert cluster.value(f"SELECT ltv.rollback({M})", db="restored") == f"{NAME}@production is version 2, was 3"
    assert cluster.value(f"SELECT ltv.fall_back({M}, 'test')", db="restored") == f"{NAME}@production is version 2, the baseline, as before"
    assert cluster.value(f"SELECT ltv.import_model(ltv.export_model({M}, 1), 'next')", db="restored") == f"{NAME}@5"
    for sql, code in (
        ("INSERT INTO ltv.policies VALUES ('*', 'auc', '~', '1')", "23514"),
        ("INSERT INTO ltv.policies VALUES ('*', 'fit_status', '=', 'ok')", "23505"),
        ("UPDATE ltv.model_versions SET status = 'better'", "23514"),
        ("UPDATE ltv.model_versions SET metrics = '{}'", "23514"),
    ):
        assert cluster.error(sql, db="restored").sqlstate == code, sql
    cluster.execute("DROP OWNED BY ltv_analyst", db="restored")


def test_a_parallel_restore_copies_the_tables_in_any_order(cluster: Cluster, db: str = "restored") -> None:
    prepare(cluster)
    scores = cluster.query(SCORE)
    with tempfile.NamedTemporaryFile(suffix=".dump") as file:
        file.write(subprocess.run(cluster.client("pg_dump", "-Fc", db=cluster.db), env=clean_environment(), capture_output=True, check=True).stdout)
        file.flush()
        for jobs in ("2", "4", "8"):
            cluster.fresh_database(db, template="template0")
            restore = [*cluster.client("pg_restore", "--exit-on-error", "-j", jobs, db=db), "-d", db, file.name]
            done = subprocess.run(restore, env=clean_environment(), capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
            assert state(cluster, db) == state(cluster) and cluster.query(SCORE, db=db) == scores
    cluster.execute("DROP OWNED BY ltv_analyst", db=db)


def test_an_alias_of_a_version_that_is_not_there_is_no_other_version(cluster: Cluster) -> None:
    prepare(cluster)
    cluster.execute(f"BEGIN; CREATE TABLE kept AS SELECT * FROM ltv.model_versions WHERE version = 2; DELETE FROM ltv.model_versions WHERE version = 2; UPDATE ltv.aliases SET version = 2; COMMIT")
    for name in ("''", "'@production'", "'@baseline'"):
        error = cluster.error(f"SELECT ltv.renewal_probability({M} || {name}, r, 12) FROM (SELECT 0.9 AS a, 'g1' AS g) AS r")
        assert (error.sqlstate, "names version 2, which is not there" in error.message) == ("P0002", True), error
    cluster.execute("INSERT INTO ltv.model_versions SELECT * FROM kept")
    assert cluster.value(f"SELECT ltv.model_version({M})") == "2"


def test_the_rights_to_single_models_are_restored_and_the_row_policies_with_the_extension(cluster: Cluster) -> None:
    prepare(cluster)
    role(cluster, "ltv_outsider")
    cluster.execute("GRANT SELECT ON ltv.models, ltv.model_versions, ltv.aliases TO ltv_outsider")
    cluster.restore(cluster.dump(), db="restored")
    assert cluster.query(POLICIES, db="restored") == cluster.query(POLICIES) != []
    for db in (None, "restored"):
        assert cluster.value(f"SET ROLE ltv_analyst; {SCORE}", db=db) == cluster.value(SCORE)
        assert cluster.error(f"SET ROLE ltv_outsider; {SCORE}", db=db).sqlstate == "P0002"
    cluster.execute("DROP OWNED BY ltv_analyst, ltv_outsider", db="restored")


def test_pg_upgrade_carries_the_registry_over(cluster: Cluster) -> None:
    """The real thing, to a new cluster of the same version, which dumps in binary-upgrade mode and moves the files."""
    prepare(cluster)
    before = state(cluster), cluster.query(POLICIES)
    old = cluster.standby()
    new = Cluster(cluster.server, f"{cluster.name}-upgraded")
    try:
        caught_up(cluster, old)
        old.query("SELECT pg_promote()")
        # Databases of other tests may hold what stops pg_upgrade; only this one moves.
        for (name,) in old.query("SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1', current_database())"):
            old.execute(f'DROP DATABASE "{name}" WITH (FORCE)', db="postgres")
        old.stop()
        new.create()
        bindir = str(new.server.bindir)
        command = [f"{bindir}/pg_upgrade", "-b", bindir, "-B", bindir, "-d", str(old.data), "-D", str(new.data), "-s", str(new.folder), "-U", "postgres", "-p", "50431", "-P", "50432"]
        done = subprocess.run(command, env=clean_environment(), cwd=new.folder, capture_output=True, text=True, **as_owner_of(new.folder))
        if done.returncode != 0:
            raise Failure(f"{done.stdout}\n{done.stderr}")
        new.db = cluster.db
        new.start()
        assert (state(new), new.query(POLICIES)) == before
        assert new.query(TRAIN) == [["4"]]
        assert new.value(f"SELECT ltv.rollback({M})") == f"{NAME}@production is version 2, was 3"
    finally:
        old.remove()
        new.remove()


# ---------------------------------------------------------------- triggers on extension tables fire during a restore


def test_a_restore_writes_no_audit_row_and_acts_on_nothing(cluster: Cluster) -> None:
    prepare(cluster)
    events = cluster.value("SELECT count(*) FROM ltv.events")
    cluster.restore(cluster.dump(), db="restored")
    assert cluster.value("SELECT count(*) FROM ltv.events", db="restored") == events
    assert cluster.value("SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'ltv'::regnamespace AND NOT t.tgisinternal") == "0"
    cluster.execute("DROP OWNED BY ltv_analyst", db="restored")


# ---------------------------------------------------------------- a promote is not seen, is seen before its commit, or outlives its rollback


def test_a_promote_is_seen_at_commit_by_prepared_statements_too_and_undone_by_rollback(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.query(f"{TRAIN}; {FLAT}; SELECT ltv.promote({M}, 1)")
    first, second = (cluster.value(SCORE.replace(M + "::text", f"({M} || '@{version}')")) for version in (1, 2))
    assert first != second
    with cluster.session() as reader, cluster.session() as writer:
        for mode in ("force_generic_plan", "force_custom_plan"):
            reader.ask(f"SET plan_cache_mode = {mode}; PREPARE {mode} AS {SCORE}")
            assert reader.ask(f"EXECUTE {mode}") == [[first]]
        for step, undo in ((f"ltv.promote({M}, 2)", "2"), (f"ltv.fall_back({M}, 'test')", "2")):
            writer.ask(f"BEGIN; SELECT {step}")
            assert writer.ask(SCORE) == [[second]]
            assert reader.ask("EXECUTE force_generic_plan") == [[first]], "seen before its commit"
            writer.ask("ROLLBACK")
            assert writer.ask(SCORE) == [[first]] and reader.ask("EXECUTE force_generic_plan") == [[first]], f"{step} outlives its rollback to {undo}"
        assert cluster.query("SELECT earlier, (SELECT count(*) FROM ltv.events WHERE action <> 'train') FROM ltv.aliases") == [["{}", "1"]]
        for step, expected in ((f"ltv.promote({M}, 2)", second), (f"ltv.rollback({M})", first), (f"ltv.fall_back({M}, 'test')", second), (f"ltv.rollback({M})", first)):
            writer.ask(f"BEGIN; SELECT {step}; COMMIT")
            assert [reader.ask(f"EXECUTE {mode}") for mode in ("force_generic_plan", "force_custom_plan")] == [[[expected]], [[expected]]], step


def test_two_databases_of_one_cluster_promote_for_themselves(cluster: Cluster) -> None:
    """In one session after another, and with the same names and numbers."""
    cluster.fresh_database("other")
    for db, algorithm in ((None, FLAT), ("other", TRAIN)):
        cluster.execute(ROWS, db=db or cluster.db)
        cluster.query(f"{algorithm}; {FLAT}; SELECT ltv.promote({M}, 1)", db=db)
    here, there = cluster.value(SCORE), cluster.value(SCORE, db="other")
    assert here != there
    cluster.query(f"SELECT ltv.promote({M}, 2)", db="other")
    assert cluster.value(SCORE) == here and cluster.value(SCORE, db="other") == here
    assert cluster.query("SELECT version FROM ltv.aliases") == [["1"]]
    cluster.query(f"SELECT ltv.rollback({M})", db="other")
    assert cluster.value(SCORE, db="other") == there


def test_a_standby_scores_by_name_tells_all_and_changes_nothing(cluster: Cluster) -> None:
    prepare(cluster)
    cluster.execute("CHECKPOINT")
    standby = cluster.standby()
    try:
        caught_up(cluster, standby)
        assert state(standby) == state(cluster)
        assert standby.value(f"SET ROLE ltv_analyst; {SCORE}") == cluster.value(SCORE)
        for step in (f"ltv.promote({M}, 2)", f"ltv.rollback({M})", f"ltv.fall_back({M}, 'x')", f"ltv.set_status({M}, 1, 'validated')", f"ltv.retire({M})",
                     "ltv.set_policy('*', '{}')", f"ltv.restrict_model({M})", f"ltv.grant_model({M}, 'ltv_analyst', 'train')", f"ltv.revoke_model({M}, 'ltv_analyst')",
                     f"ltv.import_model(ltv.export_model({M}, 1), 'next')"):
            assert standby.error(f"SELECT {step}").sqlstate == "25006", step
        cluster.query(f"SELECT ltv.rollback({M})")
        caught_up(cluster, standby)
        assert standby.value(f"SELECT ltv.model_version({M})") == "2"
        assert standby.value(SCORE) == cluster.value(SCORE)
        assert standby.defects() == []
    finally:
        standby.remove()


# ---------------------------------------------------------------- rolling back oscillates between two versions


def test_twice_back_is_two_versions_back(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.query(f"{TRAIN}; {FLAT}; {TRAIN}; {FLAT}; " + "; ".join(f"SELECT ltv.promote({M}, {version})" for version in (1, 2, 3, 4)))
    walk = [cluster.value(f"SELECT ltv.rollback({M})") for _ in range(3)]
    assert walk == [f"{NAME}@production is version {to}, was {to + 1}" for to in (3, 2, 1)]
    assert cluster.error(f"SELECT ltv.rollback({M})").sqlstate == "P0002"
    assert cluster.query("SELECT version FROM ltv.model_versions WHERE status = 'production'") == [["1"]]


def test_two_sessions_that_promote_at_once_both_stay_on_the_stack(cluster: Cluster) -> None:
    """Also when neither has found the alias, and when one of them gives up."""
    cluster.execute(ROWS)
    cluster.query(f"{TRAIN}; {FLAT}; {TRAIN}")
    with cluster.session() as one, cluster.session() as two:
        one.ask(f"BEGIN; SELECT ltv.promote({M}, 1)")
        two.send(f"SELECT ltv.promote({M}, 2)")
        time.sleep(0.3)
        one.ask("COMMIT")
        assert two.answer() == [[f"{NAME}@production is version 2, was 1"]]
        one.ask(f"BEGIN; SELECT ltv.rollback({M})")
        two.send(f"SELECT ltv.promote({M}, 3)")
        time.sleep(0.3)
        one.ask("ROLLBACK")
        assert two.answer() == [[f"{NAME}@production is version 3, was 2"]]
        one.ask(f"BEGIN; SELECT ltv.rollback({M})")
        two.send(f"SELECT ltv.rollback({M})")
        time.sleep(0.3)
        one.ask("COMMIT")
        assert two.answer() == [[f"{NAME}@production is version 1, was 2"]], "two sessions that go back go two versions back"
    assert cluster.query("SELECT version, earlier FROM ltv.aliases") == [["1", "{}"]]
    assert cluster.query("SELECT version FROM ltv.model_versions WHERE status = 'production'") == [["1"]]


# ---------------------------------------------------------------- there are no permissions, or a view around them


def test_single_models_are_granted_and_the_rights_of_each_end_where_they_should(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    for name in ("ltv_owner", "ltv_analyst", "ltv_trainer2", "ltv_releaser2", "ltv_steward2", "ltv_outsider"):
        role(cluster, name)
    cluster.query(f"{TRAIN}; {FLAT}; SELECT count(*) FROM ltv.train('open', 'source', 'kaplan_meier', 'd', 'e')")
    cluster.execute(f"""UPDATE ltv.models SET created_by = 'ltv_owner' WHERE name = {M}; GRANT SELECT ON source TO PUBLIC;
        GRANT SELECT ON ltv.models, ltv.model_versions, ltv.aliases, ltv.v_models, ltv.v_production TO ltv_outsider, ltv_owner""")
    as_outsider = "SET ROLE ltv_outsider; "
    assert cluster.value(as_outsider + SCORE) is not None, "a model that is not restricted is open to who may read the tables"
    assert cluster.error(f"SELECT ltv.grant_model({M}, 'ltv_analyst')").sqlstate == "55000"
    cluster.query("BEGIN; SELECT ltv.grant_model('open', 'ltv_analyst', 'admin'); SET ROLE ltv_analyst; SELECT ltv.set_policy('open', '{\"n_rows\": \"> 1\"}'); SELECT ltv.restrict_model('open'); ROLLBACK")
    cluster.query(f"SELECT ltv.restrict_model({M}, reason => 'payroll')")
    for name, privilege in (("ltv_analyst", "predict"), ("ltv_trainer2", "train"), ("ltv_releaser2", "promote"), ("ltv_steward2", "admin")):
        cluster.query(f"SELECT ltv.grant_model({M}, '{name}', '{privilege}')")
    assert cluster.error(as_outsider + SCORE).sqlstate == "P0002"
    assert cluster.query(as_outsider + "SELECT name FROM ltv.models UNION SELECT model FROM ltv.model_versions UNION SELECT model FROM ltv.v_models UNION SELECT model FROM ltv.v_production") == [["open"]]
    assert NAME not in cluster.error(as_outsider + "SELECT ltv.model('nothing')").hint
    for name in ("ltv_owner", "ltv_analyst", "ltv_trainer2", "ltv_releaser2", "ltv_steward2"):
        assert cluster.value(f"SET ROLE {name}; {SCORE}") == cluster.value(SCORE), name
        assert cluster.value(f"SET ROLE {name}; SELECT ltv.model_card({M}) LIKE '# %'") == "t", name
    may = {
        "ltv_analyst": (), "ltv_trainer2": ("train",), "ltv_releaser2": ("promote",), "ltv_steward2": ("train", "promote", "admin"),
    }
    steps = {"train": TRAIN, "promote": f"SELECT ltv.promote({M}, 2)", "admin": f"SELECT ltv.grant_model({M}, 'ltv_outsider', 'predict')"}
    for name, rights in may.items():
        for right, sql in steps.items():
            if right in rights:
                cluster.query(f"SET ROLE {name}; BEGIN; {sql}; ROLLBACK")
            else:
                assert cluster.error(f"SET ROLE {name}; {sql}").sqlstate == "42501", f"{name} {right}"
    # Every way to train needs no more than that.
    best = f"SELECT count(*) FROM ltv.train({M}, 'source', 'best', 'd', 'e', features => ARRAY['a'], options => '{{\"candidates\": [\"weibull\", \"exponential\"]}}')"
    for sql in (best, f"SELECT count(*) FROM ltv.train({M}, 'source', 'boosted_hazard', 'd', 'e', features => ARRAY['a'])", f"SELECT count(*) FROM ltv.train_auto({M}, 'source', 'd', 'e', 1, ARRAY['a'])"):
        cluster.query(f"SET ROLE ltv_trainer2; BEGIN; {sql}; ROLLBACK")
    # The plain rights serve all models; the row decides which.
    cluster.execute("GRANT EXECUTE ON FUNCTION ltv.train, ltv.promote, ltv.rollback, ltv.fall_back, ltv.set_status, ltv.set_policy, ltv.grant_model, ltv.restrict_model, ltv.import_model, ltv.retire TO ltv_outsider")
    cluster.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ltv.models, ltv.model_versions, ltv.aliases, ltv.events, ltv.policies, ltv.model_grants TO ltv_outsider, ltv_trainer2")
    document = f"(SELECT ltv.export_model({M}, 1))"
    for sql in (TRAIN, f"SELECT ltv.grant_model({M}, 'ltv_outsider')", f"SELECT ltv.restrict_model({M}, false)", f"SELECT ltv.set_policy({M}, '{{}}')", f"SELECT ltv.promote({M}, 2)",
                f"SELECT ltv.rollback({M})", f"SELECT ltv.fall_back({M}, 'x')", f"SELECT ltv.retire({M})", f"SELECT ltv.set_policy('*', '{{\"auc\": \"> 2\"}}')",
                f"INSERT INTO ltv.model_grants VALUES ({M}, 'ltv_outsider', 'admin')", f"INSERT INTO ltv.aliases VALUES ({M}, 'production', 1)",
                f"INSERT INTO ltv.models (name, created_by) VALUES ('mine', 'ltv_owner')", f"INSERT INTO ltv.events (action, model) VALUES ('promote', {M})",
                "INSERT INTO ltv.events (action, model, actor) VALUES ('promote', 'open', 'ltv_owner')"):
        refused = cluster.error(as_outsider + sql)
        assert refused.sqlstate in ("42501", "P0002"), f"{refused} of {sql}"
    for sql in (f"UPDATE ltv.model_versions SET status = 'rejected' WHERE model = {M}", f"DELETE FROM ltv.model_versions WHERE model = {M}", f"UPDATE ltv.models SET restricted = false WHERE name = {M}",
                f"DELETE FROM ltv.model_grants WHERE model = {M}", "UPDATE ltv.events SET actor = 'nobody'", "DELETE FROM ltv.events"):
        assert cluster.query(f"{as_outsider}WITH touched AS ({sql} RETURNING 1) SELECT count(*) FROM touched") == [["0"]], sql
    assert cluster.error(f"SET ROLE ltv_trainer2; SELECT ltv.promote({M}, 2)").sqlstate == "42501"
    assert cluster.value(f"SELECT has_table_privilege('ltv_analyst', 'ltv.events', 'SELECT')") == "f"
    # Taken back, member by member of a role.
    cluster.execute("GRANT ltv_analyst TO ltv_outsider")
    assert cluster.value(as_outsider + SCORE) is not None
    cluster.query(f"SELECT ltv.revoke_model({M}, 'ltv_analyst')")
    assert cluster.error(as_outsider + SCORE).sqlstate == "P0002"
    assert cluster.error(f"SELECT ltv.revoke_model({M}, 'ltv_analyst')").sqlstate == "P0002"
    assert cluster.query(f"SET ROLE ltv_steward2; SELECT ltv.restrict_model({M}, false)") != []
    assert cluster.value(as_outsider + SCORE) is not None
    assert document


def test_promoting_is_a_right_of_its_own(cluster: Cluster) -> None:
    """The grants of the book: who trains does not promote, who promotes does not train, and who sets the tolerances does neither."""
    cluster.execute(ROWS)
    for name in ("some_trainer", "some_releaser", "some_officer"):
        role(cluster, name)
    cluster.execute("""GRANT SELECT ON source TO some_trainer; GRANT SELECT ON ltv.models, ltv.model_versions, ltv.aliases TO some_trainer, some_releaser, some_officer;
        GRANT EXECUTE ON FUNCTION ltv.train TO some_trainer; GRANT INSERT ON ltv.models, ltv.model_versions, ltv.events TO some_trainer;
        GRANT EXECUTE ON FUNCTION ltv.promote, ltv.rollback, ltv.fall_back, ltv.set_status TO some_releaser;
        GRANT INSERT, UPDATE ON ltv.aliases TO some_releaser; GRANT UPDATE (status) ON ltv.model_versions TO some_releaser; GRANT INSERT ON ltv.events TO some_releaser""")
    cluster.query(f"SET ROLE some_trainer; {TRAIN}; {TRAIN}")
    for sql in (f"SELECT ltv.promote({M}, 1)", f"SELECT ltv.rollback({M})", f"SELECT ltv.fall_back({M}, 'x')", f"SELECT ltv.set_status({M}, 1, 'validated')"):
        assert cluster.error(f"SET ROLE some_trainer; {sql}").sqlstate == "42501"
    for sql in (TRAIN, f"SELECT ltv.set_policy({M}, '{{}}')", f"SELECT ltv.import_model('{{}}')", f"SELECT ltv.retire({M})", "DELETE FROM ltv.events", f"UPDATE ltv.model_versions SET metrics = '[]'"):
        assert cluster.error(f"SET ROLE some_releaser; {sql}").sqlstate == "42501", sql
    cluster.query(f"""SELECT count(*) FROM ltv.set_policy({M}, '{{"status": "= validated"}}', 'four eyes')""")
    refused = cluster.error(f"SET ROLE some_releaser; SELECT ltv.promote({M}, 1)")
    assert refused.sqlstate == "55000" and "status is candidate, required = validated" in refused.message and "ltv.set_policy" in refused.hint
    cluster.query(f"SET ROLE some_releaser; SELECT ltv.set_status({M}, 1, 'validated', 'read it'); SELECT ltv.promote({M}, 1); SELECT ltv.set_status({M}, 2, 'validated'); SELECT ltv.promote({M}, 2); SELECT ltv.rollback({M})")
    assert cluster.query("SELECT DISTINCT actor FROM ltv.events WHERE action IN ('promote', 'rollback', 'set_status')") == [["some_releaser"]]
    assert cluster.error("SET ROLE some_officer; SELECT ltv.set_policy('*', '{}')").sqlstate == "42501"


def test_row_security_does_not_stop_parallel_scoring(cluster: Cluster) -> None:
    prepare(cluster)
    parallel = "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET debug_parallel_query = on; " if cluster.server.major >= 16 else "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET force_parallel_mode = on; "
    cluster.execute("GRANT SELECT ON rows TO ltv_analyst")
    sql = f"SELECT sum(round(ltv.renewal_probability({M}::text, rows, 12)::numeric, 9)) FROM rows"
    assert cluster.value(f"SET ROLE ltv_analyst; {parallel}{sql}") == cluster.value(sql)
    assert any("Gather" in str(row[0]) for row in cluster.query(f"SET ROLE ltv_analyst; {parallel}EXPLAIN {sql}"))


# ---------------------------------------------------------------- it needs a preloaded library, a language or a network


def test_it_needs_no_preloaded_library_no_worker_and_no_other_language(cluster: Cluster) -> None:
    assert cluster.value("SHOW shared_preload_libraries") == "" and cluster.value("SHOW session_preload_libraries") == ""
    assert cluster.query("""SELECT DISTINCT l.lanname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE p.pronamespace = 'ltv'::regnamespace AND l.lanname NOT IN ('c', 'internal', 'plpgsql', 'sql')""") == []
    assert cluster.query("SELECT requires FROM pg_available_extension_versions WHERE name = 'ltv'") == [[None]]
    assert cluster.value("SELECT count(*) FROM pg_stat_activity WHERE backend_type ILIKE '%ltv%'") == "0"


# ---------------------------------------------------------------- an upgrade is blocked by users' views, or drops them


def test_the_views_keep_their_columns_in_place(cluster: Cluster) -> None:
    """New columns come after the old ones, so that CREATE OR REPLACE VIEW serves an upgrade and nobody's view is dropped."""
    released = {
        "v_models": "model,version,status,algorithm,fit_status,features,source,n_rows,n_events,n_dropped,n_holdout,warnings,note,trained_at,trained_by",
        "v_production": "model,alias,version,algorithm,set_at,set_by,trained_at",
    }
    for view, columns in released.items():
        now = cluster.value(f"SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'ltv.{view}'::regclass AND attnum > 0")
        assert str(now).startswith(columns + ","), f"{view} has {now}"
    cluster.execute(f"CREATE VIEW mine AS SELECT * FROM ltv.v_models; CREATE OR REPLACE VIEW ltv.v_models WITH (security_invoker = true) AS {str(cluster.value(chr(10).join(['SELECT pg_get_viewdef(', repr('ltv.v_models'), '::regclass)']))).rstrip(';').replace('v.sha256', 'v.sha256, 1 AS more', 1)}")
    assert cluster.query("SELECT count(*) FROM mine") == [["0"]]


# ---------------------------------------------------------------- there are no statistics of the data for models of old


def test_every_version_keeps_what_its_data_were(cluster: Cluster) -> None:
    """Long after the data have changed, or are gone."""
    cluster.execute(ROWS)
    cluster.query(TRAIN)
    lineage = f"SELECT kind, name, detail FROM ltv.lineage({M}, 1) WHERE kind IN ('column', 'fingerprint', 'view', 'rows', 'source')"
    before = cluster.query(lineage)
    assert ["column", "a", "feature, double precision, How much."] in before
    assert any(kind == "view" and name == "public.source" and "i > 10" in str(detail) for kind, name, detail in before)
    fingerprint = f"SELECT ltv.data_fingerprint('source', '{{d,e,a,g}}') = lineage ->> 'fingerprint' FROM ltv.model_versions WHERE model = {M}"
    assert cluster.value(fingerprint) == "t"
    cluster.execute("UPDATE rows SET a = a + 1e-9 WHERE i = 99")
    assert cluster.value(fingerprint) == "f"
    cluster.execute("UPDATE rows SET a = sin(i) WHERE i = 99; UPDATE rows SET a = NULL WHERE i = 1")
    assert cluster.value(fingerprint) == "t", "row 1 is not in the source"
    cluster.execute("DROP TABLE rows CASCADE")
    assert cluster.query(lineage) == before
    assert cluster.value(f"SELECT ltv.model_card({M}) LIKE '%How much.%'") == "t"


def test_the_fingerprint_is_the_same_in_another_database_and_plan(cluster: Cluster) -> None:
    """Enumerations by their labels, not their OIDs; in any order of rows; whatever the session shows dates and numbers as."""
    cluster.execute("""CREATE TYPE colour AS ENUM ('red', 'blue'); CREATE TABLE kinds AS SELECT i AS n, (ARRAY['red', 'blue'])[1 + i % 2]::colour AS c, i / 7.0::float8 AS f, date '2024-01-01' + i AS d,
        now() AS t, 'é' || i AS w, i % 2 = 0 AS b, CASE WHEN i % 5 > 0 THEN i END::numeric AS maybe FROM generate_series(1, 1000) AS i""")
    first = cluster.value("SELECT ltv.data_fingerprint('kinds')")
    cluster.restore(cluster.dump(), db="restored")
    assert cluster.value("SELECT ltv.data_fingerprint('kinds')", db="restored") == first
    assert cluster.value("SET DateStyle = 'German'; SET extra_float_digits = -3; SET TimeZone = 'Asia/Tokyo'; SELECT ltv.data_fingerprint('kinds')") == first
    assert cluster.value("SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SELECT ltv.data_fingerprint('kinds')") == first


# ---------------------------------------------------------------- what churn is differs by tool


def test_what_counts_as_the_event_goes_with_the_model_everywhere(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.query(f"{TRAIN}; {FLAT}")
    said = "no invoice for 30 days"
    assert cluster.value(f"SELECT label_policy FROM ltv.v_models WHERE version = 1") == said
    assert cluster.query(f"SELECT name, detail FROM ltv.lineage({M}, 1) WHERE kind = 'label policy'") == [["e", said]]
    assert cluster.value(f"SELECT ltv.model_card({M}, 1) LIKE '%What counts as the event: {said}%'") == "t"
    assert cluster.query(f"SELECT old, new FROM ltv.diff({M}, 1, 2) WHERE field = 'label_policy'") == [[said, None]]
    assert cluster.value(f"SELECT ltv.export_model({M}, 1) #>> '{{content,spec,label_policy}}'") == said
    assert cluster.query(f"""SELECT actual, pass FROM ltv.gate({M}, 2, '{{"label_policy": "<> none"}}')""") == [["none", "f"]]


# ---------------------------------------------------------------- seals


def test_a_seal_does_not_depend_on_the_session(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.query(TRAIN)
    for setting in ("TimeZone = 'Asia/Tokyo'", "DateStyle = 'German'", "extra_float_digits = -15", "extra_float_digits = 3", "IntervalStyle = 'iso_8601'", "bytea_output = 'escape'",
                    "search_path = ''", "row_security = off", "client_encoding = 'LATIN1'", "lc_numeric = 'C'"):
        assert cluster.value(f"SET {setting}; SELECT ltv.verify(m.name) FROM ltv.models m") == "t", setting


def test_every_change_to_a_version_is_found(cluster: Cluster) -> None:
    """Column by column: whatever is sealed cannot be changed unseen; status, parent and number may."""
    cluster.execute(ROWS)
    cluster.query(f"{TRAIN}; {FLAT}")
    changes = {
        "algorithm": "'weibull'", "fitted": f"ltv.model({M} || '@2')", "spec": "spec || '{\"seed\": 1}'", "n_rows": "n_rows + 1", "n_events": "n_events + 1e-9", "n_dropped": "1", "n_holdout": "1",
        "metrics": "'[]'", "warnings": "'{}'", "note": "'better'", "trained_at": "trained_at + interval '1 microsecond'", "trained_by": "'somebody'", "extension_version": "'9'", "lineage": "'{}'", "profiles": "'[]'", "sha256": "repeat('0', 64)",
    }
    columns = {str(row[0]) for row in cluster.query("SELECT attname FROM pg_attribute WHERE attrelid = 'ltv.model_versions'::regclass AND attnum > 0")}
    assert columns - changes.keys() == {"model", "version", "status", "parent"}
    for column, value in changes.items():
        assert cluster.query(f"BEGIN; UPDATE ltv.model_versions SET {column} = {value} WHERE version = 1; SELECT ltv.verify({M}, 1); ROLLBACK") == [["f"]], column
    assert cluster.value(f"SELECT ltv.verify({M}, 1)") == "t"


def test_a_model_is_carried_to_another_database(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.query(f"{TRAIN}; SELECT ltv.promote({M}, 1)")
    cluster.fresh_database("other")
    document = str(cluster.value(f"SELECT ltv.export_model({M})::text")).replace("'", "''")
    assert cluster.value(f"SELECT ltv.import_model('{document}')", db="other") == f"{NAME}@1"
    assert cluster.value(SCORE, db="other") == cluster.value(SCORE)
    assert cluster.query("SELECT status, ltv.verify(model, version) FROM ltv.model_versions", db="other") == [["candidate", "t"]]
    assert cluster.query("SELECT * FROM ltv.aliases", db="other") == [], "an import promotes nothing"
    assert cluster.value(f"SELECT ltv.export_model({M})::text", db="other").replace("'", "''") == document
