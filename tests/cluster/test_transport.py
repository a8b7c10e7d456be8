"""Values on their way: as text, as bytes, over postgres_fdw; and bytes that nobody of us has sent."""

import hashlib
import random
import re
import struct
import tempfile
import unittest
from collections import Counter
from pathlib import Path

from harness import Cluster

VALUES = """CREATE TABLE source AS SELECT i, i % 50 / 4.0::float8 AS d, i % 3 = 0 AS e, i % 7 / 8.0::float8 AS n, 1 + i % 4 / 3.0 AS w, i % 13 / 12.0::float8 AS p, sin(i) AS a, 'g' || i % 3 AS g FROM generate_series(1, 600) AS i WHERE i % 50 / 4.0 > i % 7 / 8.0;
CREATE AGGREGATE unfinished(float8, boolean) (SFUNC = ltv._survival_add, STYPE = ltv.survival);
CREATE AGGREGATE gathered(float8, float8, boolean, float8[], float8) (SFUNC = ltv._fit_add, STYPE = ltv.design);
CREATE TABLE survivals AS SELECT ltv.survival_agg(d, e) AS v FROM source UNION ALL SELECT ltv.survival_agg(n, d, e, w) FROM source
    UNION ALL SELECT ltv.survival_agg(NULL::float8, true) UNION ALL SELECT unfinished(d, e) FROM source GROUP BY i % 100
    UNION ALL SELECT ltv.predict_curve(m, r) FROM (SELECT ltv.fit_cox(d, e, ARRAY[a, p]) AS m FROM source) AS f, (SELECT 0.1 AS x1, 0.2 AS x2) AS r;
CREATE TABLE calibrations AS SELECT ltv.calibration_agg(p, e) AS v FROM source UNION ALL SELECT ltv.calibration_agg(p, e, w) FROM source
    UNION ALL SELECT ltv.calibration_agg(NULL, true);
CREATE TABLE designs AS SELECT gathered(n, d, e, ARRAY[a, p], w) AS v FROM source UNION ALL SELECT gathered(0, d, e, ARRAY[a], 1) FROM source UNION ALL SELECT gathered(NULL, 1, true, '{1}', 1);
INSERT INTO designs SELECT ltv.cause_design_agg(n, d, i % 4, ARRAY[a, p], w) FROM source;
CREATE TABLE incidences AS SELECT ltv.incidence_agg(d, i % 4) AS v FROM source UNION ALL SELECT ltv.incidence_agg(n, d, i % 3, w) FROM source
    UNION ALL SELECT ltv.incidence_agg(NULL::float8, 1) UNION ALL SELECT ltv.incidence_agg(d, i % 4) FROM source GROUP BY i % 100;
SELECT count(*) FROM ltv.train('cohorts', 'source', 'kaplan_meier', 'd', 'e', features => ARRAY['g']);
CREATE TABLE models AS SELECT ltv.fit_cox(n, d, e, ARRAY[a, p], w) AS v FROM source UNION ALL SELECT ltv.fit_cox(d, false, ARRAY[a]) FROM source
    UNION ALL SELECT ltv.fit_cox(d, e, ARRAY[a, a, 1]) FROM source UNION ALL SELECT ltv.model('cohorts')
    UNION ALL SELECT ltv.fit_fine_gray(d, i % 4, ARRAY[a, p]) FROM source;
"""
TYPES = {"survival": "survivals", "incidence": "incidences", "calibration": "calibrations", "design": "designs", "model": "models"}
# What can be asked of a value that came in: it must answer or refuse, and never with a NaN or an infinity.
USES = {
    "survival": """SELECT ltv.median(v), ltv.rmst(v, 3), ltv.survival_at(v, 2), ltv.conditional(v, 1), ltv.subjects(v), ltv.max_followup(v),
        (SELECT sum(survival) FROM ltv.curve(v)), (SELECT sum(upper) FROM ltv.curve(v, ARRAY[1, 5])), (ltv.lifetime_value(v, 100)).ltv,
        ltv.renewal_probability(v, 1, 2) FROM came""",
    "calibration": """SELECT ltv.brier(v), ltv.auc(v), ltv.log_loss(v), ltv.calibration_slope(v), ltv.expected_calibration_error(v),
        (SELECT sum(gap) FROM ltv.calibration_curve(v)) FROM came""",
    "incidence": """SELECT ltv.incidence_at(v, 2, 1), ltv.time_lost(v, 3, 2), (SELECT sum(incidence) FROM ltv.incidence_curve(v)), ltv.causes(v), ltv.events(v),
        (SELECT sum(upper) FROM ltv.incidence_curve(v, ARRAY[1, 5], variance => 'aalen')), ltv.median(ltv.event_free_survival(v)), ltv.max_followup(v) FROM came""",
    "design": "SELECT ltv.model_status(ltv._fit_cox(v)) FROM came",
    "model": """SELECT ltv.model_status(v), ltv.model_features(v), (SELECT sum(estimate) FROM ltv.coefficients(v)), ltv.predict(v, r, 3),
        ltv.predict_curve(v, r), (ltv.lifetime_value(v, r, 100)).ltv FROM came, (SELECT 0.5 AS x1, 1.5 AS x2, 'g1' AS g, 2 AS x3) AS r""",
}


def test_text_is_exact(cluster: Cluster) -> None:
    cluster.execute(VALUES)
    for type_name, table in TYPES.items():
        same = cluster.value(f"SELECT bool_and(ltv.{type_name}_send(v::text::ltv.{type_name}) = ltv.{type_name}_send(v)) FROM {table}")
        assert same == "t", type_name
    for aggregate, table in (("survival_agg(d, e)", "survival"), ("survival_agg(n, d, e)", "survival"), ("incidence_agg(n, d, i % 4, 1)", "incidence"), ("calibration_agg(p, e)", "calibration")):
        whole, rolled = f"SELECT ltv.{aggregate}::text FROM source", f"""SELECT ltv.rollup(part::text::ltv.{table})::text
            FROM (SELECT ltv.{aggregate} AS part FROM source GROUP BY i % 7) AS parts"""
        assert cluster.value(whole) == cluster.value(rolled), aggregate
    off = cluster.value(
        """SELECT max(abs(a.estimate - b.estimate)) FROM ltv.coefficients((SELECT ltv._fit_cox(gathered(n, d, e, ARRAY[a, p], w)::text::ltv.design) FROM source)) AS a
        JOIN ltv.coefficients((SELECT ltv.fit_cox(n, d, e, ARRAY[a, p], w) FROM source)) AS b USING (term)"""
    )
    assert off == "0", off


def test_binary_copy_brings_the_same_values_back(cluster: Cluster) -> None:
    cluster.execute(VALUES)
    with tempfile.TemporaryDirectory() as folder:
        for type_name, table in TYPES.items():
            file = f"{folder}/{table}"
            cluster.execute(f"CREATE TABLE back_{table} (LIKE {table});\n\\copy {table} to '{file}' with (format binary)\n\\copy back_{table} from '{file}' with (format binary)")
            differing = f"""SELECT count(*) FROM ((SELECT v::text FROM {table} EXCEPT ALL SELECT v::text FROM back_{table})
                UNION ALL (SELECT v::text FROM back_{table} EXCEPT ALL SELECT v::text FROM {table})) AS d"""
            assert cluster.value(differing) == "0", type_name
            assert cluster.value(f"SELECT count(*) FROM back_{table}") != "0"


def signed(value: bytes) -> bytes:
    """A model with the fingerprint that its payload should have: a forger who knows how."""
    return value[:1] + hashlib.sha256(value[17:]).digest()[:16] + value[17:] if len(value) >= 17 else value


def forged_files(values: list[bytes], folder: Path, how_many: int, seed: int, sign: bool) -> list[Path]:
    """Files of COPY BINARY with one value each: cut short, with bytes changed, with parts of two joined, and noise."""
    chance = random.Random(seed)
    files = []
    for at in range(how_many):
        value = bytearray(chance.choice(values))
        kind = at % 6
        if kind == 0:
            value = value[: chance.randrange(len(value) + 1)]
        elif kind == 1:
            value[chance.randrange(len(value))] = chance.randrange(256)
        elif kind == 2:
            value[chance.randrange(min(len(value), 24))] = chance.choice([0, 1, 2, 3, 127, 128, 255])
        elif kind == 3:
            other = chance.choice(values)
            value = value[: chance.randrange(len(value))] + other[chance.randrange(len(other)) :]
        elif kind == 4:
            start = chance.randrange(len(value))
            special = chance.choice([float("nan"), float("inf"), float("-inf"), -1.0, -0.0, 1e308, 5e-324])
            value[start : start + 8] = struct.pack("<d", special)
        else:
            value = bytearray(value[:2]) + bytes([255] * chance.randrange(1, 12)) + chance.randbytes(chance.randrange(40))
        if sign:
            value = bytearray(signed(bytes(value)))
        stream = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0) + struct.pack(">hi", 1, len(value)) + bytes(value) + struct.pack(">h", -1)
        file = folder / f"forged{at}"
        file.write_bytes(stream)
        files.append(file)
    return files


def test_forged_bytes_are_refused_or_harmless(cluster: Cluster) -> None:
    cluster.execute(VALUES + "CREATE FUNCTION finite(t text) RETURNS boolean LANGUAGE sql AS $$ SELECT t !~* '(nan|infinity)' $$;")
    started = cluster.value("SELECT pg_postmaster_start_time()")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for type_name, table, sign in [*((*item, False) for item in TYPES.items()), ("model", "models", True)]:
            values = [bytes.fromhex(str(row[0])) for row in cluster.query(f"SELECT encode(ltv.{type_name}_send(v), 'hex') FROM {table}")]
            cluster.execute(f"DROP TABLE IF EXISTS came; CREATE TABLE came (v ltv.{type_name})")
            script = ["\\set VERBOSITY sqlstate", "SET statement_timeout = '10s';"]
            for file in forged_files(values, folder, 500, len(table), sign):
                script += [f"\\copy came from '{file}' with (format binary)", f"SELECT 'not finite' FROM ({USES[type_name]}) AS answers WHERE NOT finite(answers::text);", "TRUNCATE came;"]
            done = cluster._run("\n".join(script), None, "-A", "-t")
            states = Counter(re.findall(r"(?:ERROR|FATAL|PANIC): +(\w+)", done.stderr))
            assert done.returncode == 0, f"{type_name}: {done.stderr[-500:]}"
            assert "not finite" not in done.stdout, f"{type_name}: an answer that is not finite"
            assert set(states) <= {"22P02", "22P03", "22023", "22003", "42703"}, f"{type_name}: {states}"  # 42703: a forged name of a feature
            assert states.total() > 250, f"{type_name}: only {states.total()} refusals"
    assert cluster.value("SELECT pg_postmaster_start_time()") == started


def loopback(cluster: Cluster) -> None:
    """Two foreign tables that are the halves of `source`, on this very server."""
    if cluster.value("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'") == "0":
        raise unittest.SkipTest("this server has no postgres_fdw")
    cluster.execute(
        VALUES
        + f"""CREATE EXTENSION postgres_fdw;
        CREATE SERVER one FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{cluster.socket_folder}', dbname '{cluster.db}', extensions 'ltv', fetch_size '10000');
        CREATE USER MAPPING FOR CURRENT_USER SERVER one OPTIONS (user 'postgres');
        CREATE TABLE half0 AS SELECT * FROM source WHERE i % 2 = 0; CREATE TABLE half1 AS SELECT * FROM source WHERE i % 2 = 1;
        CREATE FOREIGN TABLE away (i int, d float8, e boolean, n float8, w float8, p float8, a float8, g text) SERVER one OPTIONS (table_name 'source');
        CREATE FOREIGN TABLE away0 (i int, d float8, e boolean, n float8, w float8, p float8, a float8, g text) SERVER one OPTIONS (table_name 'half0');
        CREATE FOREIGN TABLE away1 (i int, d float8, e boolean, n float8, w float8, p float8, a float8, g text) SERVER one OPTIONS (table_name 'half1')"""
    )


AGGREGATES = ("incidence_agg(d, i % 4)", "fit_fine_gray(d, i % 4, ARRAY[a, p])", "survival_agg(d, e)", "survival_agg(n, d, e)", "survival_agg(d, e, w)", "fit_cox(d, e, ARRAY[a, p])", "fit_cox(n, d, e, ARRAY[a, p], w)", "calibration_agg(p, e)")


def test_foreign_servers_aggregate_themselves(cluster: Cluster) -> None:
    loopback(cluster)
    for aggregate in AGGREGATES:
        plan = "\n".join(str(row[0]) for row in cluster.query(f"EXPLAIN (VERBOSE, COSTS off) SELECT ltv.{aggregate} FROM away"))
        assert "Relations: Aggregate on" in plan, f"{aggregate} is not pushed down:\n{plan}"
        assert cluster.value(f"SELECT ltv.{aggregate}::text FROM away") == cluster.value(f"SELECT ltv.{aggregate}::text FROM source"), aggregate
    grouped = "SELECT g, ltv.survival_agg(d, e) FILTER (WHERE a > 0)::text FROM {} GROUP BY g ORDER BY g"
    assert "Relations: Aggregate on" in "\n".join(str(row[0]) for row in cluster.query("EXPLAIN (VERBOSE) " + grouped.format("away")))
    assert cluster.query(grouped.format("away")) == cluster.query(grouped.format("source"))


def test_shards_send_summaries_and_roll_up(cluster: Cluster) -> None:
    loopback(cluster)
    for aggregate in ("survival_agg(d, e)", "survival_agg(n, d, e)", "incidence_agg(d, i % 4)", "calibration_agg(p, e)"):
        shards = f"SELECT ltv.rollup(s)::text FROM (SELECT ltv.{aggregate} AS s FROM away0 UNION ALL SELECT ltv.{aggregate} FROM away1) AS shards"
        plan = "\n".join(str(row[0]) for row in cluster.query(f"EXPLAIN (VERBOSE) {shards}"))
        assert plan.count("Relations: Aggregate on") == 2, plan
        assert cluster.value(shards) == cluster.value(f"SELECT ltv.{aggregate}::text FROM source"), aggregate


def test_rows_of_a_foreign_table_are_scored_and_trained_on(cluster: Cluster) -> None:
    loopback(cluster)
    cluster.query("SELECT count(*) FROM ltv.train('away', 'away', 'cox', 'd', 'e', features => ARRAY['a', 'g'])")
    cluster.query("SELECT count(*) FROM ltv.train('here', 'source', 'cox', 'd', 'e', features => ARRAY['a', 'g'])")
    assert cluster.value("""SELECT max(abs(x.estimate - y.estimate)) < 1e-12 FROM ltv.coefficients(ltv.model('away')) AS x
        JOIN ltv.coefficients(ltv.model('here')) AS y USING (term)""") == "t"
    assert cluster.value("""SELECT count(*) FROM away JOIN source USING (i) WHERE ltv.renewal_probability('away', away,
        3) = ltv.renewal_probability('away', source, 3)""") == cluster.value("SELECT count(*) FROM source")
    for algorithm in ("weibull", "best", "discrete_time"):
        for source in ("away", "source"):
            cluster.query(f"SELECT count(*) FROM ltv.train('{algorithm}', '{source}', '{algorithm}', 'd', 'e', features => ARRAY['a', 'g'])")
        off = cluster.value(f"""SELECT max(abs(x.estimate - y.estimate) / x.std_error) FROM ltv.coefficients(ltv.model('{algorithm}@1')) AS x
            JOIN ltv.coefficients(ltv.model('{algorithm}@2')) AS y USING (term)""")
        assert off is not None and float(off) < 1e-9, f"{algorithm}: {off}"
