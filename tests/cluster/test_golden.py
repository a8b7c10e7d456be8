"""Every number that R gave for the reference samples (tests/golden), through SQL: curves, tests, regressions, predictions.

Two differences are meant. Beyond the observed time R repeats the last value, ltv says NULL. At a time between two exits R counts as at risk
those who enter until the next exit, ltv those who have entered.
"""

import csv
import json
import re
from pathlib import Path
from typing import Any, Iterator, Optional

from harness import DATA, REPO, Cluster

CLOSED_FORM = 1e-9
ITERATED = 1e-7
# What the reference calls the rows, where a row of the file is not it: a filter, and columns that are made.
PREPARED = {
    "colon_death": "SELECT * FROM raw WHERE etype = '2'",
    "colon_recurrence": "SELECT * FROM raw WHERE etype = '1'",
    "chicago_food_licences": "SELECT *, (license_description = 'Retail Food Establishment')::int::text AS food FROM raw",
    "km_channing": "SELECT * FROM raw WHERE age::int > ageentry::int",
    "unemp_dur_mccall": "SELECT *, (ui = 'yes')::int::text AS uin FROM raw",
    "ravenstack_subscriptions": """SELECT *, coalesce(end_date::date, '2024-12-31') - start_date::date AS days, churn_flag::bool::int AS event, is_trial::bool::int AS trial,
        (billing_frequency = 'annual')::int AS annual, auto_renew_flag::bool::int AS auto FROM raw""",
}
Golden = dict[str, Any]
csv.field_size_limit(1 << 30)  # a whole curve is one value


def goldens() -> Iterator[tuple[str, Golden]]:
    for file in sorted((REPO / "tests" / "golden").glob("*.json")):
        golden = json.loads(file.read_text())
        if "km" in golden:
            yield file.stem, golden


def load(cluster: Cluster, name: str, golden: Golden) -> None:
    """The sample as a table of text columns, empty fields as NULL."""
    path = DATA / Path(golden["csv"]).relative_to("csv")
    with open(path, newline="") as file:
        header = next(csv.reader(file))
    columns = ", ".join(f'"{column}" text' for column in header)
    prepared = PREPARED.get(name, "SELECT * FROM raw")
    cluster.execute(
        f"DROP TABLE IF EXISTS sample, raw; CREATE TABLE raw ({columns});\nCOPY raw FROM STDIN WITH (FORMAT csv, HEADER);\n"
        f"{path.read_text().rstrip()}\n\\.\nCREATE TABLE sample AS {prepared};"
    )


def asked(cluster: Cluster, sql: str) -> Any:
    return json.loads(cluster.value(sql) or "null")


def differences(what: str, expected: Any, found: Any, tolerance: float) -> Iterator[str]:
    """Where two trees of numbers differ."""
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for at, (one, other) in enumerate(zip(expected, found)):
            yield from differences(f"{what}[{at}]", one, other, tolerance)
    elif isinstance(expected, (int, float)) and isinstance(found, (int, float)):
        if abs(expected - found) > tolerance * max(abs(expected), 1e-3):
            yield f"{what}: R {expected!r}, ltv {found!r}"
    elif expected != found:
        yield f"{what}: R {expected!r}, ltv {found!r}"


def survival_agg(columns: dict[str, Optional[str]]) -> str:
    entry = f'"{columns["start"]}"::float8, ' if columns["start"] else ""
    return f'ltv.survival_agg({entry}"{columns["time"]}"::float8, "{columns["event"]}"::int = 1)'


def curve_differences(what: str, golden: Golden, found: Golden) -> Iterator[str]:
    yield from differences(f"{what} n", [golden["n"], golden["events"]], [found["n"], found["events"]], 0)
    known = [time <= found["observed"] for time in golden["at"]["times"]]
    died_out = found["curve"]["surv"][-1] == 0

    def expected(column: str) -> list[Any]:
        outlives = died_out and column == "surv"
        return [value if inside or outlives else None for value, inside in zip(golden["at"][column], known)]

    names = {"surv": "surv", "std_err_greenwood": "std_error", "nelson_aalen_cumhaz": "cumhaz"}
    limits = {f"{side}_95_{scale}": f"{side}_{scale}" for side in ("lower", "upper") for scale in ("log", "log_log", "plain")}
    for theirs, ours in {**names, **limits}.items():
        yield from differences(f"{what} {theirs}", expected(theirs), found["at"][ours], CLOSED_FORM)
    yield from differences(f"{what} at risk", found["counted"], found["at"]["n_risk"], 0)
    if not found["late"]:
        yield from differences(f"{what} n_risk", golden["at"]["n_risk"], found["at"]["n_risk"], 0)
    yield from differences(f"{what} quantiles", golden["quantiles"]["time"], found["quantiles"], CLOSED_FORM)
    rmst = golden["rmst"]["estimate"] if golden["rmst"]["tau"] <= found["observed"] or died_out else None
    yield from differences(f"{what} rmst", rmst, found["rmst"], CLOSED_FORM)
    if "curve" in golden:
        for theirs, ours in {"time": "time", "n_risk": "n_risk", "n_event": "n_event", "n_censor": "n_censor", "surv": "surv", "cumhaz": "cumhaz"}.items():
            yield from differences(f"{what} curve {theirs}", golden["curve"][theirs], found["curve"][ours], CLOSED_FORM)
    elif "curve_digest" in golden:
        surv = found["curve"]["surv"]
        digest = [len(surv), sum(surv), surv[-1]]
        theirs = golden["curve_digest"]
        yield from differences(f"{what} curve", [theirs["unique_times"], theirs["sum_surv"], theirs["last_surv"]], digest, CLOSED_FORM)


def described(golden: Golden, columns: dict[str, Optional[str]], where: str = "true") -> str:
    """All that the reference says of a curve, as one JSON value."""
    entry = f'"{columns["start"]}"::float8' if columns["start"] else "-1"
    at_risk = f'SELECT count(*) FROM sample WHERE {where} AND {entry} < chosen AND chosen <= "{columns["time"]}"::float8'
    times = f"ARRAY{golden['at']['times']}::float8[]"
    quantiles = f"ARRAY{golden['quantiles']['p']}::float8[]"
    limits = ", ".join(
        f"'{side}_{scale}', (SELECT json_agg(i.{side} ORDER BY t) FROM unnest({times}) AS t, LATERAL ltv.survival_interval(s, t, 0.95, '{scale.replace('_', '-')}') AS i)"
        for side in ("lower", "upper")
        for scale in ("log", "log_log", "plain")
    )
    return f"""SELECT json_build_object(
        'n', ltv.subjects(s), 'events', ltv.events(s), 'observed', ltv.max_followup(s), 'late', {columns["start"] is not None},
        'counted', (SELECT json_agg(({at_risk}) ORDER BY chosen) FROM unnest({times}) AS chosen), 'rmst', ltv.rmst(s, {golden['rmst']['tau']}),
        'quantiles', (SELECT json_agg(ltv.quantile(s, p) ORDER BY p) FROM unnest({quantiles}) AS p),
        'at', (SELECT json_build_object('n_risk', json_agg(at_risk ORDER BY t), 'surv', json_agg(survival ORDER BY t), 'std_error',
            json_agg(std_error ORDER BY t),
                                        'cumhaz', json_agg(cumulative_hazard ORDER BY t), {limits}) FROM ltv.curve(s, {times})),
        'curve', (SELECT json_build_object('time', json_agg(t ORDER BY t), 'n_risk', json_agg(at_risk ORDER BY t), 'n_event',
            json_agg(c.events ORDER BY t), 'n_censor', json_agg(c.censored ORDER BY t),
                                           'surv', json_agg(survival ORDER BY t), 'cumhaz', json_agg(cumulative_hazard ORDER BY t))
                                               FROM ltv.curve(s) AS c WHERE c.events + c.censored > 0))
        FROM (SELECT {survival_agg(columns)} AS s FROM sample WHERE {where}) AS x"""


def test_curves_are_those_of_r(cluster: Cluster) -> None:
    found: list[str] = []
    samples = 0
    for name, golden in goldens():
        load(cluster, name, golden)
        samples += 1
        columns = golden["columns"]
        found += curve_differences(name, golden["km"], asked(cluster, described(golden["km"], columns)))
        for group, part in golden.get("km_by_group", {}).items():
            where = f"""\"{columns['group']}\" = '{group}'"""
            found += curve_differences(f"{name} {group}", part, asked(cluster, described(part, columns, where)))
        groups = f"""(SELECT array_agg(s) FROM (SELECT {survival_agg(columns)} AS s FROM sample GROUP BY "{columns['group']}") AS g)"""
        for test, weights in {"logrank": "'log-rank'", "peto_peto_rho1": "'fleming-harrington', 1, 0"}.items():
            if test in golden:
                ours = asked(cluster, f"SELECT json_build_array(chi_squared, df, p_value) FROM ltv.log_rank({groups}, {weights})")
                theirs = [golden[test]["chisq"], golden[test]["df"]]
                found += differences(f"{name} {test}", theirs, ours[:2], CLOSED_FORM)
                found += differences(f"{name} {test} p", golden[test]["p"], ours[2] if golden[test]["p"] else 0, 1e-6)
    assert samples >= 25, f"only {samples} samples"
    assert not found, "\n".join(found)


CONDITION = re.compile(r'I\((\w+) == "?([^")]*)"?\)TRUE')


def covariate(term: str, columns: set[str]) -> str:
    """A term of R's formula as SQL."""
    condition = CONDITION.fullmatch(term)
    if condition:
        return f"""("{condition[1]}" = '{condition[2]}')::int::float8"""
    if term in columns:
        return f'"{term}"::float8'
    if term == "I(age^2)":
        return "power(age::float8, 2)"
    if term.startswith("log("):
        return f'ln("{term[4:-1]}"::float8)'
    term = re.sub(r"factor\((\w+)\)", r"\1", term)
    column = next(column for column in sorted(columns, key=len, reverse=True) if term.startswith(column))
    return f"""("{column}" = '{term[len(column):]}')::int::float8"""


def test_regressions_are_those_of_r(cluster: Cluster) -> None:
    found: list[str] = []
    fits = predictions = 0
    for name, golden in goldens():
        if "cox" not in golden:
            continue
        load(cluster, name, golden)
        fits += 1
        columns = golden["columns"]
        present = {str(row[0]) for row in cluster.query("SELECT attname FROM pg_attribute WHERE attrelid = 'sample'::regclass AND attnum > 0")}
        efron = golden["cox"]["efron"]
        x = ", ".join(covariate(term, present) for term in efron["terms"])
        entry = f'"{columns["start"]}"::float8, ' if columns["start"] else ""
        fit = f'SELECT ltv.fit_cox({entry}"{columns["time"]}"::float8, "{columns["event"]}"::int, ARRAY[{x}]) AS m FROM sample'
        ours = asked(
            cluster,
            f"""CREATE TABLE IF NOT EXISTS model (m ltv.model); TRUNCATE model; INSERT INTO model {fit};
            SELECT json_build_object('status', ltv.model_status(m), 'coef', (SELECT json_agg(estimate) FROM ltv.coefficients(m)), 'se',
                (SELECT json_agg(std_error) FROM ltv.coefficients(m)),
                'z', (SELECT json_agg(z) FROM ltv.coefficients(m)), 'hazard_ratio', (SELECT json_agg(hazard_ratio) FROM ltv.coefficients(m)), 'p',
                    (SELECT json_agg(p_value) FROM ltv.coefficients(m)),
                'cox', m::text::json -> 'model' -> 'fit' -> 'cox') FROM model""",
        )
        found += differences(f"{name} status", "ok", ours["status"], 0)
        for part in ("coef", "se", "hazard_ratio"):
            found += differences(f"{name} {part}", efron[part], ours[part], ITERATED)
        if "robust_se" not in efron:  # with clusters R's Wald tests are robust
            found += differences(f"{name} z", efron["z"], ours["z"], ITERATED)
            found += differences(f"{name} p", efron["p"], ours["p"], 1e-5)
            found += differences(f"{name} wald", efron["wald_chisq"], ours["cox"]["wald_test"], ITERATED)
        cox = ours["cox"]
        found += differences(f"{name} rows", [efron["n"], efron["events"]], [cox["rows"], cox["events"]], 0)
        theirs = [efron["loglik_null"], efron["loglik"], efron["score_chisq"], efron["lrt"]["chisq"]]
        found += differences(f"{name} tests", theirs, [cox[k] for k in ("log_likelihood_null", "log_likelihood", "score_test", "likelihood_ratio_test")], ITERATED)
        if "prediction" in golden["cox"]:
            predictions += 1
            found += prediction_differences(cluster, name, golden["cox"]["prediction"], [covariate(term, present) for term in efron["terms"]])
    assert fits >= 20 and predictions >= 4, f"only {fits} regressions and {predictions} predictions"
    assert not found, "\n".join(found)


def prediction_differences(cluster: Cluster, name: str, prediction: Golden, terms: list[str]) -> Iterator[str]:
    """The predicted curve of R's profile, with its standard errors and log limits."""
    profile = ", ".join(f"""'{value}' AS "{column}\"""" for column, value in prediction["profile"].items())
    row = ", ".join(f"{term} AS x{at}" for at, term in enumerate(terms, 1))
    times = f"ARRAY{prediction['times']}::float8[]"
    ours = asked(
        cluster,
        f"""SELECT json_build_object('surv', json_agg(survival ORDER BY t), 'std_err', json_agg(std_error ORDER BY t), 'lower_95_log', json_agg(lower ORDER BY t), 'upper_95_log', json_agg(upper ORDER BY t))
        FROM model, (SELECT {row} FROM (SELECT {profile}) AS p) AS r, LATERAL ltv.curve(ltv.predict_curve(m, r), {times}, transform => 'log')""",
    )
    for part in ("surv", "std_err", "lower_95_log", "upper_95_log"):
        yield from differences(f"{name} prediction {part}", prediction[part], ours[part], ITERATED)
