"""The registry among people who mistrust each other: what a role may write there, what is believed, and who comes second."""

import time

from harness import Cluster, role

ROWS = "CREATE TABLE rows AS SELECT i % 40 + 1 AS d, i % 3 <> 0 AS e, sin(i) AS a, 'g' || i % 3 AS g FROM generate_series(1, 500) AS i; GRANT SELECT ON rows TO PUBLIC;"
# The grants of docs/operations.md.
GRANTS = """GRANT SELECT ON ltv.models, ltv.model_versions, ltv.aliases, ltv.v_models, ltv.v_production, ltv.model_profiles, ltv.model_limits, ltv.events, ltv.v_events TO the_trainer, the_releaser, the_steward;
GRANT EXECUTE ON FUNCTION ltv.train, ltv.recalibrate, ltv.train_auto TO the_trainer; GRANT INSERT ON ltv.models, ltv.model_versions, ltv.events TO the_trainer;
GRANT EXECUTE ON FUNCTION ltv.promote, ltv.rollback, ltv.fall_back, ltv.set_status TO the_releaser;
GRANT INSERT, UPDATE ON ltv.aliases TO the_releaser; GRANT UPDATE (status) ON ltv.model_versions TO the_releaser; GRANT INSERT ON ltv.events TO the_releaser;
GRANT EXECUTE ON FUNCTION ltv.set_policy, ltv.restrict_model, ltv.grant_model, ltv.revoke_model, ltv.retire, ltv.drop_version, ltv.import_model TO the_steward;
GRANT INSERT, DELETE ON ltv.policies, ltv.model_grants TO the_steward; GRANT INSERT, UPDATE (restricted) ON ltv.models TO the_steward;
GRANT INSERT, DELETE ON ltv.model_versions TO the_steward; GRANT INSERT ON ltv.events TO the_steward;"""
TRAIN = "SELECT version FROM ltv.train('m', 'rows', 'cox', 'd', 'e', features => ARRAY['a'])"
RULE = """ltv.rule('{"monthly_churn": 0.05}')"""


def register(model: str, n: int = 1) -> str:
    return f"SELECT ltv.register_version('{model}', 'rule', {RULE}, '{{}}', i, 0) FROM generate_series(1, {n}) AS i"


def people(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    for name in ("the_trainer", "the_releaser", "the_steward"):
        role(cluster, name)
    cluster.execute(GRANTS)


def refused(cluster: Cluster, who: str, sql: str, sqlstate: str = "42501") -> None:
    error = cluster.error(f"SET ROLE {who}; {sql}")
    assert error.sqlstate == sqlstate, f"{error} of {sql} as {who}"


def test_no_model_is_all_models(cluster: Cluster) -> None:
    """The policy of * is of all models; whoever could make a model of that name would be its admin."""
    people(cluster)
    cluster.query(f"{register('m')}; SELECT count(*) FROM ltv.set_policy('*', '{{\"status\": \"= validated\"}}')")
    refused(cluster, "the_steward", "SELECT ltv.import_model(ltv.export_model('m', 1), as_model => '*')", "22023")
    refused(cluster, "the_trainer", register("*"), "22023")
    refused(cluster, "the_trainer", TRAIN.replace("'m'", "'*'"), "22023")
    refused(cluster, "the_trainer", "INSERT INTO ltv.models (name) VALUES ('*')", "23514")
    for who in ("the_trainer", "the_steward"):
        assert cluster.query(f"SET ROLE {who}; SELECT p, ltv.has_model_privilege('*', p) FROM unnest('{{predict,train,promote,admin}}'::text[]) AS p WHERE ltv.has_model_privilege('*', p)") == []
    refused(cluster, "the_steward", "SELECT ltv.set_policy('*', '{}')")
    assert cluster.query("SELECT model, metric FROM ltv.policies") == [["*", "status"]]


def test_what_is_rejected_meanwhile_does_not_get_into_production(cluster: Cluster) -> None:
    """By whichever way: whoever comes second waits, and sees what the first has done."""
    cluster.query(f"{register('m', 4)}; SELECT ltv.promote('m', 1), ltv.promote('m', 2), ltv.promote('m', 3)")
    steps = {
        "SELECT ltv.promote('m', 4)": (4, "55000"),
        "SELECT ltv.promote('m', 4, 'staging')": (4, "55000"),
        "SELECT ltv.rollback('m')": (2, None),
        "SELECT ltv.rollback('m', to_version => 2)": (2, "P0002"),
        "SELECT ltv.fall_back('m', 'drift')": (4, "40001"),
    }
    for step, (version, sqlstate) in steps.items():
        for end in ("COMMIT", "ROLLBACK"):
            with cluster.session() as one, cluster.session() as two:
                two.ask("\\set VERBOSITY sqlstate\n")
                one.ask(f"BEGIN; SELECT ltv.set_status('m', {version}, 'rejected')")
                two.ask("BEGIN")
                two.send(step)
                time.sleep(0.3)
                one.ask(end)
                answer = two.answer()
                if end == "ROLLBACK":
                    assert "ERROR" not in str(answer) and f"is version {version}" in str(answer), f"{answer} of {step}"
                elif sqlstate is None:
                    assert answer == [["m@production is version 1, was 3"]], step
                else:
                    assert answer == [[f"ERROR:  {sqlstate}"]], f"{answer} of {step}"
                two.ask("ROLLBACK")
            cluster.query(f"SELECT ltv.set_status('m', {version}, 'candidate')")
    # And the other way round: what is promoted meanwhile is not rejected.
    with cluster.session() as one, cluster.session() as two:
        two.ask("\\set VERBOSITY sqlstate\n")
        one.ask("BEGIN; SELECT ltv.promote('m', 4, 'staging')")
        two.send("SELECT ltv.set_status('m', 4, 'rejected')")
        time.sleep(0.3)
        one.ask("COMMIT")
        assert two.answer() == [["ERROR:  55000"]]


def test_what_a_role_may_not_do_is_refused_and_leaves_no_trace(cluster: Cluster) -> None:
    """Row security hides rows from an UPDATE or DELETE without a word; the audit trail must not tell of what never was."""
    people(cluster)
    for model in ("closed", "open"):
        cluster.query(f"{register(model, 3)}; SELECT ltv.promote('{model}', 1); SELECT ltv.promote('{model}', 2); SELECT count(*) FROM ltv.set_policy('{model}', '{{\"fit_status\": \"= ok\"}}')")
    cluster.query("SELECT ltv.restrict_model('closed')")
    for who in ("the_releaser", "the_steward"):
        cluster.query(f"SELECT ltv.grant_model('closed', '{who}', 'predict')")
    state = "SELECT jsonb_agg(to_jsonb(v) - 'fitted' ORDER BY v.model, v.version) FROM ltv.model_versions v UNION ALL SELECT jsonb_agg(to_jsonb(a) ORDER BY a.model) FROM ltv.aliases a UNION ALL SELECT jsonb_agg(to_jsonb(p) ORDER BY p.model) FROM ltv.policies p UNION ALL SELECT to_jsonb(count(*)) FROM ltv.events"
    before = cluster.query(state)
    for call in ("set_status('closed', 3, 'rejected')", "promote('closed', 3)", "promote('closed', 3, 'staging')", "rollback('closed')", "fall_back('closed', 'drift')"):
        refused(cluster, "the_releaser", f"SELECT ltv.{call}")
    for model in ("open", "closed"):
        for call in (f"set_policy('{model}', '{{}}', 'away with it')", f"retire('{model}', 1)", f"drop_version('{model}', 1, 'away')", f"restrict_model('{model}')", f"grant_model('{model}', 'the_steward', 'admin')"):
            refused(cluster, "the_steward", f"SELECT * FROM ltv.{call}")
    refused(cluster, "the_steward", "SELECT ltv.set_policy('nothing', '{}')", "P0002")
    refused(cluster, "the_releaser", "SELECT ltv.rollback('nothing')", "P0002")
    refused(cluster, "the_releaser", "SELECT ltv.fall_back('nothing', 'drift')", "P0002")
    assert cluster.query(state) == before
    cluster.query("SET ROLE the_releaser; SELECT ltv.set_status('open', 3, 'rejected'); SELECT ltv.rollback('open')")
    cluster.query("SELECT ltv.grant_model('open', 'the_steward', 'admin'); SET ROLE the_steward; SELECT ltv.set_policy('open', '{}'); SELECT ltv.retire('open', 1)")
    # Who may take old versions away takes one away, too; who only trains does not, and neither may say that he did.
    cluster.query(f"{register('open', 2)}")
    last = int(str(cluster.value("SELECT max(version) FROM ltv.model_versions WHERE model = 'open'")))
    refused(cluster, "the_trainer", f"SELECT ltv.drop_version('open', {last - 1}, 'away')")
    refused(cluster, "the_releaser", f"SELECT ltv.drop_version('open', {last - 1}, 'away')")
    assert cluster.query(f"SET ROLE the_steward; SELECT ltv.drop_version('open', {last - 1}, 'away')") == [[f"open@{last - 1} is gone"]]
    assert cluster.query("SELECT actor, login, version, reason FROM ltv.events WHERE action = 'drop'") == [["the_steward", "postgres", str(last - 1), "away"]]


def test_status_author_and_trail_are_not_a_trainers_to_forge(cluster: Cluster) -> None:
    people(cluster)
    cluster.query(f"SET ROLE the_trainer; {TRAIN}; {TRAIN}")
    cluster.query(f"{register('anothers')}")
    columns = "model, version, status, algorithm, fitted, spec, n_rows, n_events, n_dropped, n_holdout, trained_at, trained_by, sha256"
    row = {name: f"v.{name}" for name in columns.split(", ")} | {"version": "3", "status": "'candidate'", "trained_by": "current_user", "trained_at": "now()"}
    forged = [{"version": "9"}, {"version": "999999999"}, {"status": "'validated'"}, {"status": "'production'"}, {"trained_by": "'the boss'"}, {"trained_at": "'2020-01-01'"}, {"sha256": "NULL"}]
    for change in forged:
        refused(cluster, "the_trainer", f"INSERT INTO ltv.model_versions ({columns}) SELECT {', '.join((row | change).values())} FROM ltv.model_versions v WHERE version = 1 AND model = 'm'")
    cluster.query(f"BEGIN; SET ROLE the_trainer; INSERT INTO ltv.model_versions ({columns}) SELECT {', '.join(row.values())} FROM ltv.model_versions v WHERE version = 1 AND model = 'm'; ROLLBACK")
    seal = "(SELECT jsonb_build_object('sha256', sha256) FROM ltv.model_versions WHERE model = 'm' AND version = 1)"
    events = [
        f"'train', 'm', 1, '-infinity', current_user, {seal}", f"'train', 'm', 1, 'infinity', current_user, {seal}", f"'train', 'm', 1, now() - interval '1 second', current_user, {seal}",
        f"'train', 'm', 1, clock_timestamp() + interval '1 second', current_user, {seal}", f"'train', 'm', 1, now(), 'the boss', {seal}",
        """'train', 'm', 1, now(), current_user, '{"sha256": "0"}'""", "'train', 'm', 1, now(), current_user, '{}'", f"'train', 'm', 2, now(), current_user, jsonb_build_object('sha256', repeat('0', 64))",
        f"'train', 'm', 7, now(), current_user, {seal}", "'train', 'anothers', 1, now(), current_user, (SELECT jsonb_build_object('sha256', sha256) FROM ltv.model_versions WHERE model = 'anothers')",
        f"'import', 'm', 1, now(), current_user, {seal}", *(f"'{action}', 'm', 1, now(), current_user, '{{}}'" for action in ("promote", "rollback", "fall_back", "set_status", "set_policy", "grant", "revoke", "restrict", "open", "retire", "drop", "anything")),
    ]
    for values in events:
        refused(cluster, "the_trainer", f"INSERT INTO ltv.events (action, model, version, occurred_at, actor, detail) SELECT {values}")
    for values in events[:10]:
        refused(cluster, "the_releaser", f"INSERT INTO ltv.events (action, model, version, occurred_at, actor, detail) SELECT {values}")
    # Nor may he say that somebody else had logged in.
    for login in ("'the boss'", "current_user", "NULL"):
        refused(cluster, "the_trainer", f"INSERT INTO ltv.events (action, model, version, login, detail) SELECT 'train', 'm', 1, {login}, {seal}")
    # What is true may be said twice, and changes nothing.
    cluster.query(f"SET ROLE the_trainer; INSERT INTO ltv.events (action, model, version, detail) SELECT 'train', 'm', 1, {seal}")
    assert cluster.query("SELECT v.model, v.version, ltv.verify(v.model, v.version) FROM ltv.model_versions v ORDER BY 1, 2") == [["anothers", "1", "t"], ["m", "1", "t"], ["m", "2", "t"]]
    # Whoever row security does not bind restores what was dumped.
    cluster.query("SET ROLE postgres; INSERT INTO ltv.events (action, model, version, occurred_at, actor) VALUES ('retire', 'gone', 1, '2020-01-01', 'somebody')")


def test_what_was_changed_does_not_get_into_production(cluster: Cluster) -> None:
    cluster.query(f"{register('m', 3)}; SELECT ltv.promote('m', 1), ltv.promote('m', 2)")
    cluster.query("""UPDATE ltv.model_versions SET metrics = '[{"metric": "auc", "value": 0.99}]' WHERE version <> 2""")
    for step in ("promote('m', 3)", "promote('m', 3, 'staging')", """promote('m', 3, require => '{"auc": "> 0.9"}')""", "rollback('m')", "rollback('m', to_version => 1)", "fall_back('m', 'drift')"):
        error = cluster.error(f"SELECT ltv.{step}")
        assert error.sqlstate == "XX001" and "v_events" in error.hint, f"{error} of {step}"
    cluster.query("UPDATE ltv.model_versions SET metrics = '[]'; SELECT ltv.promote('m', 3, require => '{\"fit_status\": \"= ok\"}'); SELECT ltv.rollback('m')")
    cluster.query("UPDATE ltv.model_versions SET sha256 = NULL WHERE version = 3")
    assert cluster.error("SELECT ltv.promote('m', 3)").sqlstate == "XX001", "nobody knows what a version without a seal was"


def test_a_number_that_comes_back_has_the_seal_of_its_new_version(cluster: Cluster) -> None:
    cluster.query(f"{register('m')}; {register('s', 3)}; SELECT ltv.retire('s', 1); SELECT ltv.import_model(ltv.export_model('m', 1), as_model => 's')")
    assert cluster.query("SELECT ltv.verify('s', 1), ltv.verify('s', 3), ltv.export_model('s', 1) IS NOT NULL, ltv.model_card('s', 1) ~ 'was changed'") == [["t", "t", "t", "f"]]
    cluster.query(f"DELETE FROM ltv.model_versions WHERE model = 's'; {register('s', 2)}")
    assert cluster.query("SELECT version, ltv.verify(model, version) FROM ltv.model_versions WHERE model = 's' ORDER BY version") == [["1", "t"], ["2", "t"]]
    # Nor is what was there before believed in again.
    cluster.query("UPDATE ltv.model_versions v SET n_rows = 1, sha256 = (SELECT sha256 FROM ltv.model_versions WHERE model = 's' AND version = 1) WHERE model = 's' AND version = 2")
    assert cluster.value("SELECT ltv.verify('s', 2)") == "f"


def test_an_import_is_read_as_if_a_stranger_had_sent_it(cluster: Cluster) -> None:
    """Whoever forges a document computes its seal too: what no function could read afterwards is refused before."""
    cluster.execute(ROWS)
    cluster.query(f"{TRAIN}; CREATE TABLE file AS SELECT ltv.export_model('m', 1) AS document")
    forge = "SELECT ltv.import_model(document || jsonb_build_object('content', c, 'sha256', ltv.content_sha256(c)), as_model => 'forged') FROM file, LATERAL (SELECT {change} AS c) x"
    good = "document -> 'content'"
    for place, values in {
        "algorithm": ['"weibull"', '""', "null", "1"],
        "metrics": ["[1, 2]", '[{"metric": "auc", "value": "x"}]', '[{"value": 1}]', '[{"metric": "auc", "value": 1e999}]', "{}", "null"],
        "n_rows": ["-5", '"abc"', "null", "1.5"],
        "n_events": ["-1", '"Infinity"', '"NaN"', "null"],
        "n_dropped": ["-1"],
        "n_holdout": ["-1"],
        "spec": ['{"duration": 7}', '{"event": ["a"]}', '{"weight": {}}', '{"seed": "zz"}', '{"as_of": "junk"}', '{"as_of": 5}', '{"min_events": "x"}', '{"segment_by": 3}', '{"segment_by": [3]}', '{"segment_by": null}', '{"features": "a"}', '{"holdout": 1}', '{"holdout": {"by": 5}}', '{"holdout": {"by": "a", "fraction": "x"}}', '{"holdout": {"by": "a", "after": {}}}', '{"options": []}', '{"columns": "x"}', '{"horizon": "soon"}', "[]", "null"],
        "lineage": ['{"rows": "abc"}', '{"rows": 1e30}', '{"rows": -1}', '{"rows": 1.5}', '{"columns": {}}', '{"columns": [1]}', '{"relations": "x"}', '{"period": []}', "3", "null"],
        "trained_at": ['"infinity"', '"-infinity"', "null", '"yesterday?"'],
        "trained_by": ["null"],
        "warnings": ["[null]", '"x"', "[1]", "null", "{}"],
        "profiles": ['[{"role": "x"}]', "3"],
        "fitted": ['"{}"', "{}", "null"],
        "more": ["1"],
    }.items():
        for value in values:
            error = cluster.error(forge.format(change=f"jsonb_set({good}, '{{{place}}}', '{value}')"))
            assert error.sqlstate[:2] == "22", f"{error} of {place} {value}"
    for change in ("{model}', '{\"a\": 1}'", "{model}', '7'", "{model}', 'null'"):
        assert cluster.error(f"SELECT ltv.import_model(jsonb_set(document, '{change})) FROM file").sqlstate == "22023", change
    assert cluster.error("SELECT ltv.import_model(jsonb_set(document, '{format_version}', '\"1\"')) FROM file").sqlstate == "0A000"
    assert cluster.error(f"SELECT ltv.register_version('m', 'rule', {RULE}, '{{}}', 1, 0, parent => 55)").sqlstate == "22023"
    for version in ("0", "-1", "999999999", "100000000", "12345678901", '"x"', '"7"'):
        assert cluster.error(f"SELECT ltv.import_model(jsonb_set(document, '{{version}}', '{version}'), as_model => 'forged') FROM file").sqlstate == "22023", version
    assert cluster.query("SELECT * FROM ltv.models WHERE name = 'forged'") == []
    assert cluster.value("SELECT ltv.import_model(jsonb_set(document, '{version}', '99999999'), as_model => 'late') FROM file") == "late@99999999"
    assert cluster.query(TRAIN.replace("'m'", "'late'")) == [["100000000"]]
    assert cluster.query("SELECT ltv.model_version('late@100000000'), ltv.verify('late')") == [["100000000", "t"]]
    assert cluster.query(forge.format(change=good)) == [["forged@1"]]
    error = cluster.error(f"SELECT ltv.register_version('m', 'cox', {RULE}, '{{}}', 1, 0)")
    assert error.sqlstate == "22023" and "is rule" in error.message, str(error)


def test_what_a_rollback_would_name_is_not_retired(cluster: Cluster) -> None:
    """Beneath versions that it passes over too."""
    cluster.query(f"{register('m', 5)}; SELECT ltv.promote('m', 1), ltv.promote('m', 2), ltv.promote('m', 3), ltv.promote('m', 2), ltv.promote('m', 3), ltv.promote('m', 5); SELECT ltv.promote('m', 3)")
    cluster.query("SELECT ltv.promote('m', 2); SELECT ltv.promote('m', 3); SELECT ltv.set_status('m', 2, 'rejected'), ltv.set_status('m', 5, 'rejected')")
    assert cluster.query("SELECT version, version_before, ltv.version_before('m', 'nobody') FROM ltv.v_production") == [["3", "1", None]]
    assert cluster.query("SELECT version FROM ltv.retire('m', 1)") == [["2"], ["4"]]
    assert cluster.value("SELECT ltv.rollback('m')") == "m@production is version 1, was 3"
    assert cluster.query("SELECT version, version_before FROM ltv.v_production") == [["1", None]]


def test_a_schema_that_somebody_made_beforehand_is_refused(cluster: Cluster) -> None:
    """Its owner could put functions of the same names beside the extension's, for others to call."""
    role(cluster, "the_squatter")
    cluster.execute("SET client_min_messages = error; DROP EXTENSION ltv CASCADE; DROP SCHEMA IF EXISTS ltv CASCADE; CREATE SCHEMA ltv AUTHORIZATION the_squatter")
    error = cluster.error("CREATE EXTENSION ltv")
    assert error.sqlstate == "42501" and "the_squatter" in error.message and "ALTER SCHEMA" in error.hint, str(error)
    cluster.execute("ALTER SCHEMA ltv OWNER TO CURRENT_USER; CREATE EXTENSION ltv")
    assert cluster.value("SELECT nspowner::regrole::text = current_user FROM pg_namespace WHERE nspname = 'ltv'") == "t"


def test_a_metric_at_several_horizons_passes_at_each_of_them(cluster: Cluster) -> None:
    metrics = """[{"metric": "brier at 6", "value": 0.05, "skill": 0.2}, {"metric": "brier at 24", "value": 0.4, "skill": 0.1}, {"metric": "auc", "value": 0.9}, {"metric": "auc at 6", "value": 0.5},
        {"metric": "ici at 6", "value": 0.1}, {"metric": "ici at 24", "value": null}, {"metric": "warnings", "value": 0}, {"metric": "n_rows at 6", "value": 999}]"""
    cluster.query(f"SELECT ltv.register_version('m', 'rule', {RULE}, '{{}}', 7, 0, metrics => '{metrics}', warnings => ARRAY['odd', 'odder'])")
    require = '{"brier": "<= 0.1", "brier skill": ">= 0.15", "auc": "> 0.8", "ici": "< 1", "warnings": "<= 0", "n_rows": "> 10", "brier at 6": "< 0.1"}'
    assert cluster.query(f"SELECT check_name, actual, pass FROM ltv.gate('m', 1, '{require}')") == [
        ["auc", "0.9", "t"], ["brier", "0.4", "f"], ["brier at 6", "0.05", "t"], ["brier skill", "0.1", "f"], ["ici", None, "f"], ["n_rows", "7", "f"], ["warnings", "2", "f"],
    ]
    for demand, shown, passes in (('">= 0.05"', "0.05", "t"), ('"> 0.05"', "0.05", "f"), ('"<= 0.4"', "0.4", "t"), ('"= 0.05"', "0.4", "f"), ('"= 0.4"', "0.05", "f"), ('"<> 0.4"', "0.4", "f"), ('"<> 0.3"', "0.05", "t")):
        assert cluster.query(f"SELECT actual, pass FROM ltv.gate('m', 1, '{{\"brier\": {demand}}}')") == [[shown, passes]], demand


def test_two_that_grant_or_set_the_tolerances_at_once_come_one_after_the_other(cluster: Cluster) -> None:
    people(cluster)
    cluster.query(f"{register('m')}; {register('n')}; SELECT ltv.restrict_model('m'), ltv.restrict_model('n')")
    policy = "SELECT count(*) FROM ltv.set_policy('{}', '{{\"fit_status\": \"= ok\", \"n_events\": \"> {}\"}}')"
    pairs = (
        ("SELECT ltv.grant_model('m', 'the_trainer', 'train')", "SELECT ltv.grant_model('m', 'the_releaser', 'promote')", [["the_releaser may promote m"]]),
        ("SELECT ltv.grant_model('m', 'the_steward', 'admin')", "SELECT ltv.grant_model('n', 'the_steward', 'admin')", [["the_steward may administer n"]]),
        ("SELECT ltv.grant_model('m', 'the_trainer')", "SELECT ltv.grant_model('m', 'the_trainer')", [["the_trainer may predict with m"]]),
        (policy.format("m", 1), policy.format("m", 2), [["2"]]),
        (policy.format("*", 1), policy.format("*", 2), [["2"]]),
    )
    for first, second, expected in pairs:
        with cluster.session() as one, cluster.session() as two:
            one.ask(f"BEGIN; {first}")
            two.send(second)
            time.sleep(0.3)
            one.ask("COMMIT")
            assert two.answer() == expected, second
    assert cluster.query("SELECT model, bound FROM ltv.policies WHERE metric = 'n_events' ORDER BY model") == [["*", "2"], ["m", "2"]]
    assert cluster.query("SELECT detail -> 'before' ->> 'n_events' FROM ltv.events WHERE action = 'set_policy' AND model = 'm' ORDER BY occurred_at") == [[None], ["> 1"]]
    # An admin has no more than the grants of the book.
    cluster.query("SET ROLE the_steward; SELECT ltv.set_policy('m', '{}'), ltv.grant_model('m', 'the_trainer', 'train')")


def test_a_version_that_came_in_by_no_door_is_not_promoted(cluster: Cluster) -> None:
    """A trainer may add rows; what has no row in the trail says nothing of where it comes from."""
    people(cluster)
    cluster.query(f"SET ROLE the_trainer; {TRAIN}")
    forged = """BEGIN; CREATE TEMP TABLE z AS SELECT * FROM ltv.model_versions; UPDATE z SET version = 2, status = 'candidate', trained_by = current_user, trained_at = now(), metrics = '[{"metric": "concordance", "value": 0.99}]';
        UPDATE z SET sha256 = ltv.content_sha256(ltv.version_content(z::text::ltv.model_versions)); INSERT INTO ltv.model_versions SELECT * FROM z; COMMIT"""
    cluster.execute(f"GRANT TEMPORARY ON DATABASE {cluster.db} TO the_trainer; SET ROLE the_trainer; {forged}")
    assert cluster.query("SELECT version, ltv.verify('m', version) FROM ltv.model_versions ORDER BY 1") == [["1", "t"], ["2", "f"]]
    assert "**Its content is not as it was written.**" in cluster.value("SELECT ltv.model_card('m', 2)")
    for call in ("promote('m', 2)", "promote('m', 2, 'staging')"):
        refused(cluster, "the_releaser", f"SELECT ltv.{call}", "XX001")
    # The trail tells who it was, as soon as there is a row.
    cluster.query("SET ROLE the_trainer; INSERT INTO ltv.events (action, model, version, detail) SELECT 'train', 'm', 2, jsonb_build_object('sha256', sha256) FROM ltv.model_versions WHERE version = 2")
    assert cluster.query("SELECT ltv.verify('m', 2), actor FROM ltv.v_events WHERE version = 2") == [["t", "the_trainer"]]


def test_what_a_version_must_show_it_must_show_as_the_baseline_too(cluster: Cluster) -> None:
    people(cluster)
    cluster.query(f"{TRAIN}; SELECT version FROM ltv.train('m', 'rows', 'kaplan_meier', 'd', 'e'); SELECT count(*) FROM ltv.set_policy('m', '{{\"n_rows\": \"> 1000\"}}')")
    refused(cluster, "the_releaser", "SELECT ltv.promote('m', 1)", "55000")
    refused(cluster, "the_releaser", "SELECT ltv.promote('m', 1, 'baseline')", "55000")
    cluster.query("SET ROLE the_releaser; SELECT ltv.promote('m', 1, 'staging')")
    assert cluster.query("SET ROLE the_releaser; SELECT ltv.promote('m', 2, 'baseline'); SELECT ltv.fall_back('m', 'drift')")[-1] == ["m@production is version 2, the baseline"]


def test_a_version_that_is_retired_meanwhile_gets_no_alias_and_one_with_a_new_alias_is_not_retired(cluster: Cluster) -> None:
    for isolation in ("READ COMMITTED", "REPEATABLE READ"):
        model = isolation[:4].lower()
        cluster.query(register(model, 4))
        for step in (f"SELECT ltv.promote('{model}', 1, 'staging')", f"SELECT ltv.fall_back('{model}', 'drift')"):
            with cluster.session() as one, cluster.session() as two:
                two.ask("\\set VERBOSITY sqlstate\n")
                one.ask(f"BEGIN; DELETE FROM ltv.model_versions WHERE model = '{model}' AND version > 1; SELECT count(*) FROM ltv.retire('{model}', 1); DELETE FROM ltv.model_versions WHERE model = '{model}'")
                two.ask(f"BEGIN ISOLATION LEVEL {isolation}; SELECT count(*) FROM ltv.models")
                two.send(step)
                time.sleep(0.3)
                one.ask("COMMIT")
                assert two.answer() == [["ERROR:  40001"]], (step, isolation)
                two.ask("ROLLBACK")
            cluster.query(register(model, 4))
        with cluster.session() as one, cluster.session() as two:
            two.ask("\\set VERBOSITY sqlstate\n")
            one.ask(f"BEGIN; SELECT ltv.promote('{model}', 1, 'staging')")
            two.ask(f"BEGIN ISOLATION LEVEL {isolation}; SELECT count(*) FROM ltv.models")
            two.send(f"SELECT count(*) FROM ltv.retire('{model}', 1)")
            time.sleep(0.3)
            one.ask("COMMIT")
            assert two.answer() == [["ERROR:  40001"]], isolation
            two.ask("ROLLBACK")
        assert cluster.query(f"SELECT ltv.model_version('{model}@staging')") == [["1"]]


def test_tolerances_are_set_whole_under_every_isolation(cluster: Cluster) -> None:
    cluster.query(register("m"))
    for isolation, sqlstate in (("REPEATABLE READ", "0A000"), ("SERIALIZABLE", "0A000")):
        cluster.query("SELECT count(*) FROM ltv.set_policy('m', '{}')")
        with cluster.session() as one:
            one.ask("\\set VERBOSITY sqlstate\n")
            one.ask(f"BEGIN ISOLATION LEVEL {isolation}; SELECT count(*) FROM ltv.policies")
            cluster.query("SELECT count(*) FROM ltv.set_policy('m', '{\"n_events\": \"> 1\"}')")
            answers = [*one.ask("SELECT metric FROM ltv.set_policy('m', '{\"n_rows\": \"> 2\"}')"), *one.ask("COMMIT")]
            assert [f"ERROR:  {sqlstate}"] in answers, (isolation, answers)
        assert cluster.query("SELECT metric FROM ltv.policies WHERE model = 'm'") == [["n_events"]]


def test_who_and_when_are_true_and_what_is_restricted_is_not_told(cluster: Cluster) -> None:
    people(cluster)
    cluster.query(f"{register('m')}; SELECT ltv.restrict_model('m', reason => 'hush'); SELECT ltv.grant_model('m', 'the_releaser', 'promote'); SELECT ltv.grant_model('m', 'the_steward', 'admin')")
    cluster.query("SELECT count(*) FROM ltv.set_policy('m', '{\"n_rows\": \"> 0\"}', 'a secret'); SELECT count(*) FROM ltv.set_policy('*', '{\"n_rows\": \">= 0\"}')")
    for change in ("set_by) VALUES ('m', 'other', 1, 'the boss'", "set_at) VALUES ('m', 'other', 1, '2020-01-01'"):
        refused(cluster, "the_releaser", f"INSERT INTO ltv.aliases (model, alias, version, {change})")
    cluster.query("SET ROLE the_releaser; INSERT INTO ltv.aliases (model, alias, version) VALUES ('m', 'other', 1)")
    refused(cluster, "the_releaser", "INSERT INTO ltv.aliases (model, alias, version) VALUES ('m', 'ghost', 7)")
    refused(cluster, "the_releaser", "UPDATE ltv.aliases SET version = 7, set_by = current_user, set_at = now()")
    refused(cluster, "the_releaser", "UPDATE ltv.aliases SET set_by = 'the boss'")
    refused(cluster, "the_steward", "INSERT INTO ltv.model_grants (model, grantee, privilege, granted_by) VALUES ('m', 'the_trainer', 'admin', 'postgres')")
    refused(cluster, "the_steward", "INSERT INTO ltv.policies (model, metric, comparison, bound, set_by) VALUES ('m', 'n_events', '>', '1', 'postgres')")
    assert cluster.query("SET ROLE the_steward; SELECT model FROM ltv.policies ORDER BY 1") == [["*"], ["m"]]
    assert cluster.query("SET ROLE the_trainer; SELECT model FROM ltv.policies ORDER BY 1") == [["*"]]
    # Whoever takes the name of a model that is gone does not read what became of it.
    cluster.execute("DELETE FROM ltv.aliases; DELETE FROM ltv.model_versions; DELETE FROM ltv.model_grants; DELETE FROM ltv.policies; DELETE FROM ltv.models")
    refused(cluster, "the_trainer", "INSERT INTO ltv.models (name, created_at) VALUES ('m', '2001-01-01')")
    cluster.query("SET ROLE the_trainer; INSERT INTO ltv.models (name) VALUES ('m')")
    assert cluster.query("SET ROLE the_trainer; SELECT reason FROM ltv.events WHERE model = 'm'") == []
    assert ["hush"] in cluster.query("SELECT reason FROM ltv.events WHERE model = 'm'")


def test_who_may_not_train_is_told_before_a_row_is_read(cluster: Cluster) -> None:
    people(cluster)
    cluster.execute("CREATE VIEW unread AS SELECT *, 1 / 0 AS never FROM rows; GRANT SELECT ON unread TO PUBLIC")
    train = "SELECT ltv.train('m', 'unread', 'cox', 'd', 'e', features => ARRAY['never'])"
    refused(cluster, "the_trainer", train, "22012")
    cluster.query(f"{register('m')}; SELECT ltv.restrict_model('m'); SELECT ltv.grant_model('m', 'the_trainer')")
    error = cluster.error(f"SET ROLE the_trainer; {train}")
    assert (error.sqlstate, error.message) == ("42501", "the_trainer may not train the model m"), error
    cluster.query("SELECT ltv.grant_model('m', 'the_trainer', 'train')")
    refused(cluster, "the_trainer", train, "22012")
    cluster.execute("REVOKE INSERT ON ltv.models, ltv.events FROM the_trainer")
    error = cluster.error(f"SET ROLE the_trainer; {train}")
    assert (error.sqlstate, error.hint) == ("42501", "GRANT INSERT ON ltv.models, ltv.events TO the_trainer."), error


def test_no_insert_breaks_the_views_that_read_versions(cluster: Cluster) -> None:
    people(cluster)
    cluster.query(register("m"))
    columns = cluster.value("SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'ltv.model_versions'::regclass AND attnum > 0 AND attname NOT IN ('version', 'trained_at', 'trained_by')")
    insert = "INSERT INTO ltv.model_versions ({columns}, version, trained_at, trained_by) SELECT {values}, 2, now(), current_user FROM ltv.model_versions"
    junk = {"profiles": ('[{"role": "place", "segment": 3}]', "[1]"), "metrics": ("[1]",), "lineage": ('{"columns": 1}',), "spec": ("[]",)}
    for column, values in junk.items():
        for value in values:
            changed = insert.format(columns=columns, values=columns.replace(column, f"'{value}'"))
            error = cluster.error(f"SET ROLE the_trainer; {changed}")
            assert error.sqlstate == "22023", (column, value, error)
    cluster.query(f"SET ROLE the_trainer; {insert.format(columns=columns, values=columns)}")
    assert cluster.query("SELECT version FROM ltv.model_versions ORDER BY 1") == [["1"], ["2"]]
    assert cluster.query("SELECT count(*) FROM ltv.model_places; SELECT count(*) FROM ltv.model_profiles; SELECT count(*) FROM ltv.model_limits") == [["0"], ["0"], ["0"]]


def test_the_trail_tells_only_what_the_registry_shows(cluster: Cluster) -> None:
    people(cluster)
    cluster.query(f"{register('m', 3)}; SELECT ltv.promote('m', 1), ltv.promote('m', 2)")
    event = "INSERT INTO ltv.events (action, model, version, alias, detail) VALUES ({})"
    for values in ("'promote', 'm', 77, 'production', '{}'", "'promote', 'm', 2, 'no such alias', '{}'", "'promote', 'm', 2, 'production', '{}'", "'promote', 'm', 2, NULL, '{}'",
                   "'rollback', 'm', 1, 'production', '{}'", "'fall_back', 'm', 3, 'production', '{}'", """'set_status', 'm', 3, NULL, '{"status": "rejected"}'""", "'set_status', 'm', 3, NULL, '{}'"):
        refused(cluster, "the_releaser", event.format(values))
    for values in ("'drop', 'm', 3, NULL, '{}'", "'retire', 'm', 3, NULL, '{}'", "'retire', 'm', NULL, NULL, '{}'"):
        refused(cluster, "the_steward", event.format(values))
    # The stack of an alias is a plain list of versions.
    for stack in ("'{{1,2},{1,2}}'", "'[5:6]={3,2}'", "'{1,NULL}'"):
        refused(cluster, "the_releaser", f"UPDATE ltv.aliases SET set_by = current_user, set_at = now(), earlier = {stack}", "23514")
    cluster.query("SET ROLE the_releaser; SELECT ltv.promote('m', 3, 'staging'), ltv.promote('m', 3), ltv.rollback('m'), ltv.set_status('m', 1, 'rejected'), ltv.set_status('m', 3, 'validated')")
    cluster.execute("SELECT ltv.restrict_model('m'); SELECT ltv.grant_model('m', 'the_steward', 'admin'); DELETE FROM ltv.aliases WHERE alias = 'staging'; SELECT ltv.set_status('m', 3, 'candidate')")
    cluster.query(register("m", 2))
    assert cluster.query("SET ROLE the_steward; SELECT version FROM ltv.retire('m', 1)") == [["1"], ["3"], ["4"]]
    assert cluster.query("SELECT version, actor, detail ->> 'algorithm', length(detail ->> 'sha256') FROM ltv.events WHERE action = 'retire' ORDER BY 1") == [[v, "the_steward", "rule", "64"] for v in ("1", "3", "4")]


def test_an_admin_gives_back_his_own_right(cluster: Cluster) -> None:
    people(cluster)
    cluster.query(f"{register('m')}; SELECT ltv.restrict_model('m'); SELECT ltv.grant_model('m', 'the_steward', 'admin'), ltv.grant_model('m', 'the_steward', 'train')")
    assert cluster.query("SET ROLE the_steward; SELECT ltv.revoke_model('m', 'the_steward', reason => 'off to another team')")[-1] == ["the_steward may no longer admin, train m"]
    assert cluster.query("SELECT actor, reason, detail ->> 'privilege' FROM ltv.events WHERE action = 'revoke'") == [["the_steward", "off to another team", "admin, train"]]
    refused(cluster, "the_steward", "SELECT ltv.revoke_model('m', 'the_steward')")
    assert cluster.error("SELECT ltv.revoke_model('m', 'the_steward')").sqlstate == "P0002"


def test_nobody_inherits_the_versions_of_a_model_whose_row_is_gone(cluster: Cluster) -> None:
    people(cluster)
    cluster.execute(f"{register('m')}; CREATE TABLE file AS SELECT ltv.export_model('m') AS document; GRANT SELECT ON file TO the_steward; DELETE FROM ltv.models WHERE name = 'm'")
    for who, call in (("the_trainer", register("m")), ("the_steward", "SELECT ltv.import_model(document) FROM file"), ("postgres", register("m"))):
        error = cluster.error(f"SET ROLE {who}; {call}")
        assert error.sqlstate == "55000" and "without their row in ltv.models" in error.message, (who, error)
    assert cluster.query("SELECT name FROM ltv.models") == []
    cluster.execute("INSERT INTO ltv.models (name, created_by) VALUES ('m', 'the_trainer')")
    cluster.query(f"SET ROLE the_trainer; {register('m')}")
    assert cluster.query("SELECT version FROM ltv.model_versions ORDER BY 1") == [["1"], ["2"]]


def test_an_alias_of_a_missing_version_is_told_and_not_offered(cluster: Cluster) -> None:
    cluster.execute(f"{register('m')}; INSERT INTO ltv.aliases (model, alias, version) VALUES ('m', 'ghost', 9), ('m', 'baseline', 8)")
    assert cluster.error("SELECT ltv.model('m@elsewhere')").hint == "There are: m@1."
    for call in ("model('m@ghost')", "fall_back('m', 'drift')"):
        error = cluster.error(f"SELECT ltv.{call}")
        assert error.sqlstate == "P0002" and "which is not there" in error.message, (call, error)
    assert cluster.query("SELECT ltv.promote('m', 1, 'baseline'); SELECT ltv.fall_back('m', 'drift')")[-1] == ["m@production is version 1, the baseline"]


def test_a_number_given_again_has_the_story_of_its_new_version_only(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.query(f"{register('from')}; SELECT ltv.import_model(ltv.export_model('from', 1), as_model => 'm', reason => 'from the other house'); SELECT ltv.promote('m', 1, reason => 'old story')")
    assert ["imported"] in cluster.query("SELECT name FROM ltv.lineage('m') WHERE kind = 'made'") and "old story" in cluster.value("SELECT ltv.model_card('m', 1)")
    cluster.query(f"DELETE FROM ltv.aliases; DELETE FROM ltv.model_versions WHERE model = 'm'; DELETE FROM ltv.models WHERE name = 'm'; {TRAIN}")
    assert ["imported"] not in cluster.query("SELECT name FROM ltv.lineage('m') WHERE kind = 'made'")
    card = cluster.value("SELECT ltv.model_card('m', 1)")
    assert "old story" not in card and "imported" not in card


def test_a_schema_in_which_others_may_create_is_refused(cluster: Cluster) -> None:
    role(cluster, "mallory")
    for made in ("GRANT CREATE ON SCHEMA ltv TO mallory", "GRANT CREATE ON SCHEMA ltv TO PUBLIC", "CREATE FUNCTION ltv.f() RETURNS int LANGUAGE sql RETURN 1; ALTER FUNCTION ltv.f() OWNER TO mallory"):
        cluster.fresh_database("guarded", template="template0")
        cluster.execute(f"CREATE SCHEMA ltv; GRANT CREATE ON SCHEMA ltv TO mallory; {made}; {'REVOKE CREATE ON SCHEMA ltv FROM mallory' if 'FUNCTION' in made else ''}", db="guarded")
        error = cluster.error("CREATE EXTENSION ltv", db="guarded")
        assert error.sqlstate == "42501" and "may create in it or has done so" in error.message, error
    cluster.fresh_database("guarded", template="template0")
    cluster.execute("CREATE SCHEMA ltv; GRANT USAGE ON SCHEMA ltv TO mallory; CREATE EXTENSION ltv", db="guarded")


def test_what_an_alias_means_is_asked_once(cluster: Cluster) -> None:
    """While a recalibration reads its rows the alias is moved: parent, rows and horizon are of one version."""
    cluster.execute(ROWS + "CREATE TABLE numbered AS SELECT row_number() OVER () AS i, r.* FROM rows r; CREATE VIEW slow AS SELECT n.*, i % 10 < 3 AS one, i % 10 > 4 AS two FROM numbered n, (SELECT pg_sleep(1)) s")
    for held, horizon in (("one", 6), ("two", 20)):
        cluster.query(f"SELECT version FROM ltv.train('m', 'slow', 'cox', 'd', 'e', features => ARRAY['a'], holdout => '{{\"by\": \"{held}\"}}', horizon => {horizon})")
    cluster.query("SELECT ltv.promote('m', 1)")
    with cluster.session() as one:
        one.send("SELECT DISTINCT version, parent, n_rows FROM ltv.recalibrate('m@production', 'slow', method => 'intercept')")
        time.sleep(0.5)
        cluster.query("SELECT ltv.promote('m', 2)")
        made = one.answer()
    assert made == [["3", "1", "150"]], made
