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
        assert "train_auto" in standby.error("SELECT * FROM ltv.train_auto('auto', 'rows', 'd', 'e', 1)").message
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


KINDS = """CREATE TABLE book AS SELECT i AS id, 1 + (i * 7919) % 48 / 2.0::float8 AS months, (i * 104729) % 10 < 6 AS churned, sin(i) AS usage, CASE WHEN i % 9 > 0 THEN cos(i * 3) END AS price,
    'plan ' || i % 3 AS plan, date '2020-01-01' + i AS signed_on, i % 4 <> 0 AS renewed, 5 + abs(sin(i * 5)) * 20 AS amount, CASE WHEN i % 3 > 0 THEN 1 + i % 7 ELSE 0 END::float8 AS expansion,
    i % 5 = 0 AS held, (i % 6)::int AS frequency, CASE WHEN i % 6 > 0 THEN 1 + i % 20 ELSE 0 END::float8 AS recency, (25 + i % 10)::float8 AS age, 20 + abs(cos(i)) * 30 AS spend, 0.03 + sin(i) / 100 AS growth,
    CASE WHEN (i * 104729) % 10 < 6 THEN CASE WHEN i % 3 > 0 THEN 'price' ELSE 'product' END END AS cause FROM generate_series(1, 900) AS i"""
# By name: what train is asked for it.
TRAINED = {
    **{name: f"'{name}', 'months', 'churned', features => '{{usage,plan}}'" for name in ("cox", "exponential", "weibull", "lognormal", "loglogistic", "generalized_gamma", "gompertz", "spline", "weibull_cure", "discrete_time")},
    "piecewise_exponential": "'piecewise_exponential', 'months', 'churned', features => '{usage}', options => '{\"breaks\": [6, 12]}'",
    "by stratum": "'cox', 'months', 'churned', features => '{usage}', strata => 'plan', cluster => 'id'",
    "by penalty": "'cox', 'months', 'churned', features => '{usage,plan}', options => '{\"penalty\": 0.1}'",
    "by segment": "'weibull', 'months', 'churned', features => '{usage}', segment_by => '{plan}'",
    "one cause": "'fine_gray', 'months', 'cause', features => '{usage,plan}', options => '{\"cause\": \"price\"}'",
    "by era": "'cox', 'months', 'churned', features => '{usage}', era => 'signed_on:year', started_on => 'signed_on', half_life => 24",
    "filled": "'cox', 'months', 'churned', features => '{usage,price}', null_policy => 'indicator'",
    "trees": "'boosted_hazard', 'months', 'churned', features => '{usage,price,plan}', null_policy => 'learn', options => '{\"trees\": 15, \"early_stopping\": 0, \"monotone\": {\"price\": 1}}'",
    "best": "'best', 'months', 'churned', features => '{usage}'",
    "cohorts": "'kaplan_meier', 'months', 'churned', features => '{plan}'",
    "sbg": "'sbg', 'months', 'churned'",
    "bdw": "'bdw', 'months', 'churned'",
    "rule": "'rule', 'months', 'churned', options => '{\"by\": \"plan\", \"monthly_churn\": {\"plan 0\": 0.05, \"plan 1\": 0.04, \"plan 2\": 0.03}}'",
    "decisions": "'renewal', event => 'renewed', features => '{usage,plan}'",
    **{name: f"'{name}', target => 'amount', features => '{{usage,plan}}'" for name in ("linear", "gamma")},
    **{name: f"'{name}', target => 'expansion', features => '{{usage,plan}}'" for name in ("tweedie", "two_part")},
    "values": "'boosted_value', target => 'amount', features => '{usage,price,plan}', null_policy => 'learn', options => '{\"trees\": 15, \"early_stopping\": 0}'",
    "growth": "'linear', target => 'growth', features => '{usage}'",
    **{name: f"'{name}', target => 'expansion', horizon => 12" for name in ("bg_nbd", "mbg_nbd", "pareto_nbd")},
    "gamma_gamma": """'gamma_gamma', target => 'amount', options => '{"mean_value": "spend"}'""",
    "worth": """'hybrid', options => '{"renewal": "weibull", "expansion": "growth", "cost": "values", "terms": {"revenue": 100, "margin": 0.8}}', null_policy => 'drop'""",
}
# By name: the model that train does not make.
REGISTERED = {
    "fine_gray": "ltv.fit_fine_gray(months, CASE WHEN churned THEN 1 + id % 2 ELSE 0 END, ARRAY[usage])",
}
EVERY_PREDICTION = """SELECT v.model, v.version, ltv.verify(v.model, v.version), v.algorithm, v.fitted::text, v.spec::text, v.metrics::text, v.warnings, v.parent, v.sha256, v.lineage::text, ltv.model_card(v.model, v.version)
    FROM ltv.model_versions v ORDER BY v.model COLLATE "C", v.version"""


def test_every_kind_of_model_survives_a_dump(cluster: Cluster) -> None:
    """After pg_dump and pg_restore: sealed as before, the same to the last bit in what it says, with aliases, events and profiles."""
    cluster.execute(KINDS)
    for name, arguments in TRAINED.items():
        cluster.query(f"SELECT count(*) FROM ltv.train('{name}', 'book', {arguments}, holdout => '{{\"by\": \"held\"}}')")
    for name, fitted in REGISTERED.items():
        cluster.query(f"SELECT ltv.register_version('{name}', ltv.model_algorithm(m), m, '{{}}', 900, 540) FROM (SELECT {fitted} AS m FROM book) f")
    cluster.query("SELECT count(*) FROM ltv.recalibrate('cox', 'book', 'platt', horizon => 12)")
    cluster.query("SELECT ltv.promote('cox', 2, reason => 'recalibrated'); SELECT ltv.promote('trees', 1, 'staging'); SELECT ltv.set_status('rule', 1, 'validated')")
    kinds = {row[0] for row in cluster.query("SELECT DISTINCT jsonb_object_keys(v.fitted::text::jsonb -> 'model' -> 'fit') FROM ltv.model_versions v")}
    assert kinds >= {"cox", "kaplan_meier", "renewal", "discrete_time", "fine_gray", "parametric", "contractual", "transactional", "boosted_hazard", "segmented", "amount", "two_part", "rule", "hybrid", "boosted_value"}, kinds
    asked = [
        *ANSWERS[1:5],
        EVERY_PREDICTION,
        "SELECT model, version, role, input, horizon, profile::text FROM ltv.model_profiles ORDER BY 1, 2, 3, 4",
        "SELECT count(*), count(DISTINCT model) FROM ltv.model_profiles",
    ]
    amounts, purchases = ("linear", "growth", "gamma", "tweedie", "two_part", "values"), ("bg_nbd", "mbg_nbd", "pareto_nbd", "gamma_gamma")
    for name in [*TRAINED, *REGISTERED, "cox@1", "cox@production", "trees@staging"]:
        if name in amounts:
            asked.append(f"SELECT b.id, p FROM (SELECT * FROM book WHERE id <= 150) b, LATERAL ltv.expected_value_interval('{name}', b) p ORDER BY b.id")
        elif name == "worth":
            asked.append("SELECT b.id, p FROM (SELECT * FROM book WHERE id <= 150) b, LATERAL ltv.hybrid_value('worth', b) p ORDER BY b.id")
        elif name == "gamma_gamma":
            asked.append("SELECT b.id, ltv.expected_spend('gamma_gamma', b.frequency, b.spend) FROM (SELECT * FROM book WHERE id <= 150) b ORDER BY b.id")
        elif name in purchases:
            asked.append(f"SELECT b.id, ltv.probability_alive(ltv.model('{name}'), b.frequency, b.recency, b.age), ltv.expected_purchases('{name}', b.frequency, b.recency, b.age, 12) FROM (SELECT * FROM book WHERE id <= 150) b ORDER BY b.id")
        else:
            source = "(SELECT * FROM book WHERE id <= 150) b" if name != "fine_gray" else "(SELECT id, usage AS x1 FROM book WHERE id <= 150) b"
            asked.append(f"SELECT b.id, p, md5(ltv.predict_curve('{name}', b)::text) FROM {source}, LATERAL ltv.predict('{name}', b, 12) p ORDER BY b.id")
    before = [cluster.query(sql) for sql in asked]
    assert all(before), [sql for sql, rows in zip(asked, before) if not rows]
    assert all(row[2] == "t" for row in before[4])
    cluster.restore(cluster.dump(), db="restored")
    for sql, rows in zip(asked, before):
        assert cluster.query(sql, db="restored") == rows, sql
    assert cluster.query("SELECT ltv.model_version('cox'), ltv.model_version('cox@production'), parent FROM ltv.model_versions WHERE model = 'cox' AND version = 2", db="restored") == [["2", "2", "1"]]
