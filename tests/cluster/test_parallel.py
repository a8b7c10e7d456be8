"""Parallel plans are really parallel, and answer as the serial ones: counts to the last bit, sums to rounding."""

import json
from typing import Any, Iterator

from harness import REPO, Cluster
from suites import compare, regress_output

EAGER = """SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3;
SET enable_partitionwise_aggregate = on;"""
SERIAL = "SET max_parallel_workers_per_gather = 0;"
ROWS = """CREATE TABLE rows WITH (parallel_workers = 3) AS
SELECT i, (i * 7919 % 3001) / 4.0::float8 AS duration, i * 31 % 7 < 3 AS event, (i * 31 % 7 < 3)::int AS event_int, 0.5 + i % 5 AS weight,
       ((i * 7919 % 3001) / 4.0) * 0.3 AS entry,
       ARRAY[sin(i), i % 17, (i % 3 = 0)::int, cos(i * 7)]::float8[] AS x, sin(i) AS a, 'g' || i % 3 AS g, (i * 613 % 1009) / 1008.0 AS p, i % 200 AS cohort
FROM generate_series(1, 40000) AS i WHERE i * 7919 % 3001 > 0; ANALYZE rows;"""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def assert_parallel(cluster: Cluster, sql: str, settings: str = EAGER) -> None:
    """The plan aggregates in pieces, and workers really took part."""
    printed = cluster.query(f"{settings} EXPLAIN (ANALYZE, FORMAT json, TIMING off, COSTS off) {sql}")
    plan = json.loads("\n".join(row[0] or "" for row in printed if row[0]))[0]["Plan"]
    modes = {node.get("Partial Mode") for node in nodes(plan)}
    launched = sum(node.get("Workers Launched", 0) for node in nodes(plan))
    assert {"Partial", "Finalize"} <= modes, f"not aggregated in pieces: {sql}"
    assert launched > 0, f"no worker was launched: {sql}"


def assert_same(cluster: Cluster, sql: str) -> None:
    """The same text from a serial and from a parallel plan, with and without the leader's help."""
    assert_parallel(cluster, sql)
    expected = cluster.query(f"{SERIAL} {sql}")
    assert expected and expected[0][-1], f"nothing to compare: {sql}"
    for leader in ("on", "off"):
        assert cluster.query(f"{EAGER} SET parallel_leader_participation = {leader}; {sql}") == expected, sql


def test_curves_of_counts_are_the_same_to_the_last_bit(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    for arguments in ("duration, event", "duration, event_int", "duration, event, 1", "entry, duration, event", "entry, duration, event_int, 1", "duration, event, weight"):
        assert_same(cluster, f"SELECT ltv.survival_agg({arguments})::text FROM rows")
    assert_same(cluster, "SELECT g, ltv.survival_agg(duration, event)::text FROM rows GROUP BY g ORDER BY g")
    assert_same(cluster, "SELECT cohort, ltv.survival_agg(duration, event)::text FROM rows GROUP BY cohort ORDER BY cohort")
    assert_same(cluster, "SELECT ltv.survival_agg(duration, event) FILTER (WHERE i % 2 = 0)::text FROM rows")
    assert_same(cluster, """SELECT ltv.subjects(ltv.survival_agg(CASE WHEN i % 10 > 0 THEN duration END, event)),
        ltv.skipped(ltv.survival_agg(CASE WHEN i % 10 > 0 THEN duration END, event)) FROM rows""")


def test_counts_by_cause_are_the_same_to_the_last_bit(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    for arguments in ("duration, i % 4", "duration, i % 4, 1", "entry, duration, i % 4, 1", "duration, i % 4, weight"):
        assert_same(cluster, f"SELECT ltv.incidence_agg({arguments})::text FROM rows")
    assert_same(cluster, "SELECT g, ltv.incidence_agg(duration, i % 4)::text FROM rows GROUP BY g ORDER BY g")
    cluster.execute("CREATE TABLE pieces WITH (parallel_workers = 3) AS SELECT ltv.incidence_agg(duration, i % 4) AS part FROM rows GROUP BY i % 997; ANALYZE pieces")
    assert_same(cluster, "SELECT ltv.rollup(part)::text FROM pieces")
    assert cluster.query("SELECT ltv.rollup(part)::text FROM pieces") == cluster.query("SELECT ltv.incidence_agg(duration, i % 4)::text FROM rows")


def test_fractional_weights_agree_to_rounding(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    sql = "SELECT ltv.survival_agg(duration, event, 1 + abs(a) / 3) AS s FROM rows"
    assert_parallel(cluster, sql)
    off = cluster.value(
        f"""{SERIAL} CREATE TABLE serial AS {sql}; {EAGER} CREATE TABLE parallel AS {sql};
        SELECT max(abs(p.survival - s.survival) / nullif(s.survival, 0)) FROM serial, parallel, LATERAL ltv.curve(serial.s) AS s, LATERAL ltv.curve(parallel.s) AS p WHERE s.t = p.t"""
    )
    assert off is not None and float(off) < 1e-12, off


def test_regressions_agree_to_rounding(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    for arguments in ("duration, event, x", "entry, duration, event_int, x, weight"):
        sql = f"SELECT ltv.fit_cox({arguments}) AS m FROM rows"
        assert_parallel(cluster, sql)
        off = cluster.value(
            f"""DROP TABLE IF EXISTS serial, parallel; {SERIAL} CREATE TABLE serial AS {sql}; {EAGER} CREATE TABLE parallel AS {sql};
            SELECT max(abs(p.estimate - s.estimate) / s.std_error) FROM serial, parallel, LATERAL ltv.coefficients(serial.m) AS s, LATERAL ltv.coefficients(parallel.m) AS p WHERE s.term = p.term"""
        )
        assert off is not None and float(off) < 1e-11, off


def test_calibrations_are_the_same_to_the_last_bit(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    assert_same(cluster, "SELECT ltv.calibration_agg(p, event)::text FROM rows")
    assert_same(cluster, "SELECT g, ltv.auc(ltv.calibration_agg(p, event_int, weight)) FROM rows GROUP BY g ORDER BY g")


def test_summaries_roll_up_in_parallel(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.execute(
        """CREATE TABLE parts WITH (parallel_workers = 3) AS SELECT i % 997 AS part, ltv.survival_agg(duration, event) AS s, ltv.calibration_agg(p, event) AS c FROM rows GROUP BY 1;
        INSERT INTO parts SELECT -i, NULL, NULL FROM generate_series(1, 50) AS i; ANALYZE parts"""
    )
    assert_same(cluster, "SELECT ltv.rollup(s)::text FROM parts")
    assert_same(cluster, "SELECT ltv.rollup(c)::text FROM parts")
    whole = cluster.query("SELECT ltv.survival_agg(duration, event)::text, ltv.calibration_agg(p, event)::text FROM rows")
    assert cluster.query(f"{EAGER} SELECT ltv.rollup(s)::text, ltv.rollup(c)::text FROM parts") == whole


def test_partitions_are_aggregated_one_by_one(cluster: Cluster) -> None:
    cluster.execute(
        ROWS
        + """CREATE TABLE parted (LIKE rows) PARTITION BY HASH (i); CREATE TABLE p0 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 0);
        CREATE TABLE p1 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 1);
            CREATE TABLE p2 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 2);
        INSERT INTO parted SELECT * FROM rows; ANALYZE parted"""
    )
    sql = "SELECT ltv.survival_agg(duration, event)::text FROM {}"
    assert_parallel(cluster, sql.format("parted"))
    assert cluster.query(EAGER + sql.format("parted")) == cluster.query(SERIAL + sql.format("rows"))


def test_scores_in_workers(cluster: Cluster) -> None:
    """By value and by name, which the workers look up themselves."""
    cluster.execute(ROWS)
    cluster.query("SELECT * FROM ltv.train('m', 'rows', 'cox', 'duration', 'event', features => ARRAY['a', 'g'])")
    for model in ("(SELECT ltv.model('m'))", "'m'"):
        sql = f"""SELECT count(*), sum(round(ltv.renewal_probability({model}, rows, 100)::numeric, 12)),
            sum((ltv.lifetime_value({model}, rows, 10)).ltv) FROM rows WHERE i < 2000"""
        assert_same(cluster, sql)


def test_scores_in_workers_of_a_transaction_that_has_written(cluster: Cluster) -> None:
    """CREATE TABLE AS is how scores are stored."""
    cluster.execute(ROWS)
    cluster.query("SELECT * FROM ltv.train('m', 'rows', 'cox', 'duration', 'event', features => ARRAY['a', 'g'])")
    score = "SELECT i, ltv.renewal_probability('m', rows, 100) AS p FROM rows WHERE i < 20000"
    cluster.execute(f"{SERIAL} CREATE TABLE serial AS {score}")
    cluster.execute(f"{EAGER} CREATE TABLE parallel AS {score}")
    cluster.execute(f"{EAGER} BEGIN; CREATE TABLE written (i int); CREATE TABLE later AS {score}; COMMIT")
    for table in ("parallel", "later"):
        assert cluster.value(f"SELECT count(*) FROM serial JOIN {table} AS other USING (i) WHERE serial.p = other.p") == cluster.value("SELECT count(*) FROM serial")


def test_training_reads_in_parallel_plans_safely(cluster: Cluster) -> None:
    """One pass over the rows, whatever is fitted to them."""
    cluster.execute(ROWS + "CREATE VIEW striped AS SELECT *, i % 4 AS h FROM rows;")
    for algorithm, more in (
        ("cox", ""),
        ("cox", ", strata => 'h', cluster => 'cohort'"),
        ("weibull", ", options => '{\"ancillary\": [\"a\"]}'"),
        ("best", ", options => '{\"candidates\": [\"exponential\", \"lognormal\"]}'"),
        ("discrete_time", ", options => '{\"baseline\": \"log\"}'"),
    ):
        for settings in (SERIAL, EAGER):
            cluster.query(f"""{settings} SELECT * FROM ltv.train('m', 'striped', '{algorithm}', 'duration', 'event', features => ARRAY['a', 'g']{more},
                holdout => '{{"by": "i", "fraction": 0.2}}')""")
        off = cluster.value("""SELECT max(abs(a.estimate - b.estimate) / a.std_error) FROM (SELECT max(version) AS last FROM ltv.model_versions) AS v,
            LATERAL ltv.coefficients(ltv.model('m@' || last - 1)) AS a JOIN LATERAL ltv.coefficients(ltv.model('m@' || last)) AS b USING (term)""")
        assert off is not None and float(off) < 1e-9, f"{algorithm}: {off}"


def test_the_regression_suite_under_forced_parallelism(cluster: Cluster) -> None:
    """Every regress script once more with each query that may be run in a worker run in one."""
    for script in sorted((REPO / "tests" / "regress" / "sql").glob("*.sql")):
        cluster.fresh_database("regress")
        cluster.execute(
            """DO $$ BEGIN EXECUTE format('ALTER DATABASE regress SET %s = ''regress''', CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'debug_parallel_query' ELSE 'force_parallel_mode' END); END $$;
            ALTER DATABASE regress SET parallel_setup_cost = 0; ALTER DATABASE regress SET parallel_tuple_cost = 0; ALTER DATABASE regress SET min_parallel_table_scan_size = 0""",
            db="postgres",
        )
        expected = (REPO / "tests" / "regress" / "expected" / f"{script.stem}.out").read_text()
        compare(expected, regress_output(cluster, script), script.name)


def test_functions_over_relations_read_temporary_tables_beside_parallel_scans(cluster: Cluster) -> None:
    cluster.execute("CREATE TABLE big WITH (parallel_workers = 2) AS SELECT i FROM generate_series(1, 100000) AS i; ANALYZE big;")
    made = f"""{EAGER} CREATE TEMP TABLE book OF ltv.contract_line;
        INSERT INTO book (account_id, contract_id, line_id, valid_from, state, mrr, currency)
        SELECT 'A' || i, 'C' || i, 'L' || i, '2024-01-01', 'active', 100, 'USD' FROM generate_series(1, 50) AS i;
        CREATE TEMP TABLE rate (currency, valid_from, rate) AS VALUES ('USD', date '2000-01-01', 1.0), ('EUR', '2000-01-01', 1.25);"""
    joined = "SELECT count(*) FROM big JOIN ltv.lifetimes('book', '2024-06-30') AS l ON l.account_id = 'A' || big.i"
    assert cluster.query(f"{made} {joined}")[-1] == ["50"]
    converted = "SELECT sum(ltv.convert(i, 'EUR', 'USD', '2024-06-30', 'rate')) FROM big WHERE i <= 1000"
    assert float(cluster.query(f"{made} SET parallel_leader_participation = off; {converted}")[-1][0] or 0) == 625625
