"""What others are complained about, and is shown elsewhere not to happen here: docs/complaints.md has the list, this file what has no other place."""

import re
from pathlib import Path

from harness import REPO, Cluster

ROWS = """CREATE TABLE rows AS SELECT i AS id, ceil(-24 * ln((i * 37 % 401 + 0.5) / 402.0::float8)) / 4 AS d, i * 7 % 10 < 7 AS e, sin(i) AS a, cos(i * 3) AS b, 'g' || i % 4 AS g, date '2023-01-01' + i AS begun FROM generate_series(1, 400) AS i;"""
ALGORITHMS = "kaplan_meier cox weibull exponential lognormal loglogistic generalized_gamma gompertz spline spline_odds spline_normal piecewise_exponential discrete_time best sbg".split()


def train(name: str, algorithm: str = "cox", source: str = "rows", features: str = "a,b,g", more: str = "") -> str:
    return f"SELECT version FROM ltv.train('{name}', '{source}', '{algorithm}', 'd', 'e', features => '{{{features}}}'{more}) LIMIT 1"


# ---------------------------------------------------------------- the list


def test_every_complaint_names_tests_that_exist(cluster: Cluster) -> None:
    """Of each of the 22 at least one, by its file and its name."""
    lines = [line.split("|")[1:-1] for line in (REPO / "docs" / "complaints.md").read_text().splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(line[0]) for line in lines] == list(range(1, 23))
    for number, _, _, proof in lines:
        named = re.findall(r"`([^`]+)`", proof)
        assert named, number
        file: Path | None = None
        for name in named:
            folder, _, rest = name.partition("/")
            if rest:
                assert (REPO / "tests" / folder / ("sql" if folder == "regress" else "") / f"{rest}.sql").exists(), name
            elif name.startswith("test_"):
                file = REPO / "tests" / "cluster" / f"{name}.py"
                assert file.exists(), name
            else:
                assert file is not None and f"def test_{name}(" in file.read_text(), name


# ---------------------------------------------------------------- 5: a split that leaks the future


def test_a_holdout_and_a_knowledge_day_are_honoured_or_refused(cluster: Cluster) -> None:
    """There is no random split unless a key is named for it; a split by time is by a column that is named."""
    cluster.execute(ROWS)
    assert cluster.error(train("m", more=""", holdout => '{"fraction": 0.2}'""")).sqlstate == "22023"
    assert cluster.error(train("m", more=""", holdout => '{"last": "3 months"}'""")).sqlstate == "22023"
    assert "cannot be honoured" in str(cluster.error(train("m", more=", as_of => '2023-06-30'")))
    cluster.query(train("m", more=""", holdout => '{"by": "begun", "from": "2023-10-01"}'"""))
    # Whatever happens to the rows of the holdout and after the knowledge day, the model is the same.
    cluster.execute("UPDATE rows SET a = -a, e = NOT e WHERE begun >= '2023-10-01'; CREATE TABLE shuffled AS SELECT * FROM rows ORDER BY hashtext(id::text);")
    cluster.query(train("n", source="shuffled", more=""", holdout => '{"by": "begun", "from": "2023-10-01"}'"""))
    assert same_coefficients(cluster, "m", "n")


def same_coefficients(cluster: Cluster, one: str, other: str) -> bool:
    return cluster.value(f"""SELECT bool_and(abs(a.estimate - b.estimate) < 1e-10 AND abs(a.std_error - b.std_error) < 1e-10) AND count(*) > 2
        FROM ltv.coefficients(ltv.model('{one}')) a JOIN ltv.coefficients(ltv.model('{other}')) b USING (term)""") == "t"


# ---------------------------------------------------------------- 6: features by place


def test_features_are_found_by_name(cluster: Cluster) -> None:
    """In any order, beside others; a missing one is an error that names it."""
    cluster.execute(ROWS)
    cluster.query(train("m"))
    scores = {
        cluster.value(f"SELECT ltv.renewal_probability('m', r, 6) FROM (SELECT {columns}) AS r")
        for columns in ("0.3 AS a, 0.7 AS b, 'g1' AS g", "'g1' AS g, 0.7 AS b, 0.3 AS a", "9 AS c, 0.7 AS b, 'x' AS z, 'g1'::varchar AS g, 0.3::numeric AS a")
    }
    assert len(scores) == 1
    assert scores != {cluster.value("SELECT ltv.renewal_probability('m', r, 6) FROM (SELECT 0.7 AS a, 0.3 AS b, 'g1' AS g) AS r")}
    refused = cluster.error("SELECT ltv.renewal_probability('m', r, 6) FROM (SELECT 0.3 AS a, 'g1' AS g) AS r")
    assert refused.sqlstate == "42703" and '"b"' in str(refused)


# ---------------------------------------------------------------- 7: scores that depend on the batch


def test_the_score_of_a_row_depends_on_the_row_alone(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    for algorithm in ("cox", "kaplan_meier", "weibull", "discrete_time"):
        cluster.query(train("m", algorithm, features="g" if algorithm == "kaplan_meier" else "a,b,g"))
        together = cluster.query("SELECT r.id, ltv.renewal_probability('m@latest', r, 6, 1) FROM rows r WHERE id <= 20 ORDER BY id")
        alone = [cluster.query(f"SELECT r.id, ltv.renewal_probability('m@latest', r, 6, 1) FROM rows r WHERE id = {i}")[0] for i in range(1, 21)]
        assert together == alone


# ---------------------------------------------------------------- 8: fits that depend on the order


def test_a_fit_does_not_depend_on_the_order_of_the_rows(cluster: Cluster) -> None:
    """Ties are plenty here."""
    cluster.execute(ROWS + "CREATE TABLE shuffled AS SELECT * FROM rows ORDER BY hashtext(id::text); CREATE TABLE reversed AS SELECT * FROM rows ORDER BY id DESC;")
    for algorithm in ("cox", "weibull", "discrete_time", "generalized_gamma"):
        for name, source in (("m", "rows"), ("n", "shuffled"), ("o", "reversed")):
            cluster.query(train(name, algorithm, source))
        tolerance = "1e-6 * greatest(1, abs(a.estimate))" if algorithm == "generalized_gamma" else "1e-9 * greatest(1, abs(a.estimate))"
        for other in ("n", "o"):
            assert cluster.value(f"""SELECT bool_and(abs(a.estimate - b.estimate) < {tolerance}) FROM ltv.coefficients(ltv.model('m@latest')) a
                JOIN ltv.coefficients(ltv.model('{other}@latest')) b USING (term)""") == "t", algorithm


# ---------------------------------------------------------------- 9: no curve


def test_every_algorithm_yields_a_curve(cluster: Cluster) -> None:
    cluster.execute(ROWS + "CREATE TABLE periods AS SELECT id, ceil(d)::int AS d, e, a, b, g FROM rows;")
    for algorithm in ALGORITHMS:
        features = {"sbg": "", "kaplan_meier": "g"}.get(algorithm, "a,g")
        cluster.query(train(f"of {algorithm}", algorithm, "periods", features))
        falls = cluster.query(f"""SELECT bool_and(s <= before), min(s) >= 0, max(s) <= 1, count(*) FROM (
            SELECT t, ltv.survival_at(c, t) AS s, coalesce(lag(ltv.survival_at(c, t)) OVER (ORDER BY t), 1) AS before
            FROM (SELECT ltv.predict_curve('of {algorithm}', r) AS c FROM rows r WHERE id = 7) q, generate_series(0, 15) AS t) q""")
        assert falls == [["t", "t", "t", "16"]], algorithm


# ---------------------------------------------------------------- 14: empty, one row, extreme


def test_degenerate_sources_are_refused_with_words(cluster: Cluster) -> None:
    """Refused, or trained with a warning; never an internal error, never a NaN."""
    cluster.execute(ROWS + """CREATE VIEW none AS SELECT * FROM rows WHERE false; CREATE VIEW one AS SELECT * FROM rows WHERE id = 1; CREATE VIEW alive AS SELECT id, d, false AS e, a, b, g FROM rows;
        CREATE VIEW alike AS SELECT id, 3.0::float8 AS d, true AS e, a, b, g FROM rows; CREATE VIEW huge AS SELECT id, d * 1e300 AS d, e, a * 1e300 AS a, b * 1e-300 AS b, g FROM rows; CREATE VIEW odd AS SELECT id, d, e, 'NaN'::float8 AS a, b, g FROM rows;""")
    for source in ("none", "one", "alive", "alike", "huge", "odd"):
        for algorithm in ("cox", "weibull", "kaplan_meier", "discrete_time", "best"):
            answer = cluster.query(f"""DO $$ BEGIN PERFORM ltv.train('{source}/{algorithm}', '{source}', '{algorithm}', 'd', 'e', features => '{{{"g" if algorithm == "kaplan_meier" else "a,b,g"}}}');
                EXCEPTION WHEN SQLSTATE '22023' OR SQLSTATE '22003' OR SQLSTATE '53200' THEN NULL; END $$; SELECT 1""")
            assert answer == [["1"]]
    assert cluster.value("SELECT count(*) FROM ltv.model_versions, jsonb_array_elements(metrics) AS m WHERE m::text ~* 'nan|infinity'") == "0"


# ---------------------------------------------------------------- 15, 16: drift


def test_every_version_has_its_training_profile(cluster: Cluster) -> None:
    """From the first version on, of every feature and of the predictions."""
    cluster.execute(ROWS)
    cluster.query(train("m"))
    cluster.query(train("m", "kaplan_meier", features="g"))
    found = cluster.query("SELECT version, string_agg(role || ' ' || input, ', ' ORDER BY role, input) FROM ltv.model_profiles WHERE model = 'm' GROUP BY version ORDER BY version")
    assert found == [["1", "duration d, feature a, feature b, feature g, prediction event_probability"], ["2", "duration d, feature g, prediction event_probability"]]


def test_alarms_are_rows(cluster: Cluster) -> None:
    """What has gone wrong is told in rows that a job can read; the query itself does not fail."""
    cluster.execute(ROWS + "CREATE VIEW moved AS SELECT id, d, e, a + 5 AS a, b, 'new' AS g FROM rows;")
    cluster.query(train("m"))
    assert cluster.value("SELECT count(*) FILTER (WHERE is_anomaly) > 2 FROM ltv.drift('m', 'moved')") == "t"
    assert cluster.value("""SELECT bool_or(NOT pass) FROM ltv.gate('m', 1, '{"n_events": ">= 100000"}')""") == "t"


# ---------------------------------------------------------------- 17: churn goes to 0


def test_nobody_leaves_and_the_value_stays_finite(cluster: Cluster) -> None:
    """The horizon is finite and declared: a hundred a month for a year of nobody leaving is 1200."""
    value = "SELECT (ltv.lifetime_value(s, revenue => 100, horizon => 12, discount_rate => 0)).ltv FROM (SELECT ltv.survival_agg(d, {event}) AS s FROM generate_series(1, 24) AS d) AS q"
    assert cluster.value(value.format(event="false")) == "1200.00"
    assert cluster.value(f"SELECT 0 < v AND v < 1200 FROM ({value.format(event='d < 6')}) AS q (v)") == "t"


# ---------------------------------------------------------------- 18: the latest cohorts look worst


def test_recent_cohorts_do_not_look_worse_for_being_recent(cluster: Cluster) -> None:
    """Two cohorts of the same customers, one watched for 24 months and one for 6: what is known of both agrees."""
    cluster.execute("CREATE TABLE lives AS SELECT (i * 7919 % 1000) / 20.0::float8 + 0.05 AS life FROM generate_series(1, 1000) AS i;")
    found = cluster.query("""SELECT round(ltv.survival_at(ltv.survival_agg(least(life, 24), life <= 24), 6)::numeric, 12), round(ltv.survival_at(ltv.survival_agg(least(life, 6), life <= 6), 6)::numeric, 12),
        ltv.max_followup(ltv.survival_agg(least(life, 6), life <= 6)) FROM lives""")
    assert found[0][0] == found[0][1] and found[0][2] == "6"


# ---------------------------------------------------------------- 20: a threshold of 0.5


def test_nothing_is_classified_unless_asked(cluster: Cluster) -> None:
    """No score has a yes or no in it; the threshold is the caller's, from costs or capacity."""
    columns = cluster.query("SELECT attname FROM pg_attribute WHERE attrelid IN ('ltv.prediction'::regclass, 'ltv.scored'::regclass) AND attnum > 0 AND atttypid = 'boolean'::regtype")
    assert columns == [["abstain"]]
    assert cluster.value("SELECT count(*) FROM pg_proc p WHERE pronamespace = 'ltv'::regnamespace AND 'threshold' = ANY (proargnames) AND pronargdefaults > 0 AND pg_get_function_arguments(oid) ~ 'threshold double precision DEFAULT 0.5'") == "0"


# ---------------------------------------------------------------- 21: NULLs inside a row


def test_a_null_is_an_error_in_training_and_a_status_in_scoring(cluster: Cluster) -> None:
    cluster.execute(ROWS + "CREATE VIEW holes AS SELECT id, d, e, CASE WHEN id % 9 > 0 THEN a END AS a, b, g FROM rows;")
    refused = cluster.error(train("m", source="holes"))
    assert refused.sqlstate == "22004" and '"a"' in str(refused) and "44 rows" in str(refused)
    cluster.query(train("m"))
    row = "(SELECT NULL::float8 AS a, 0.7 AS b, 'g1' AS g) AS r"
    assert cluster.query(f"SELECT p.renewal_probability, p.status FROM {row}, LATERAL ltv.predict('m', r, 6) AS p") == [[None, "missing feature: a"]]
    cluster.query(train("m", source="holes", more=", null_policy => 'impute'"))
    assert cluster.value(f"SELECT p.renewal_probability > 0 FROM {row}, LATERAL ltv.predict('m@latest', r, 6) AS p") == "t"


# ---------------------------------------------------------------- 22: Kaplan–Meier by hand


def test_kaplan_meier_of_integers_to_the_last_death(cluster: Cluster) -> None:
    """The curve ends at 0 without a logarithm of it; counts of rows do not divide as integers."""
    assert cluster.query("SELECT ltv.survival_at(s, 1), ltv.survival_at(s, 2), ltv.survival_at(s, 3) FROM (SELECT ltv.survival_agg(d, 1) AS s FROM unnest(ARRAY[1, 2, 2, 3]) AS d) AS q") == [["0.75", "0.25", "0"]]
