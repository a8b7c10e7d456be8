"""A garden of nasty values: every function of the extension is called with every kind of value that is wrong, odd or extreme.

The calls come from the catalog, so a new function is in the garden as soon as it exists. Whatever it is asked, it answers or refuses:
no crash, no internal error, no NaN and no infinity.
"""

import random
from typing import Iterator, NamedTuple

from harness import Cluster

GROUND = r"""
CREATE TABLE plants AS SELECT i, (i * 37 % 50) / 2.0::float8 + 0.5 AS d, i % 3 <> 0 AS e, sin(i) AS a, 'g' || i % 3 AS g FROM generate_series(1, 200) AS i;
SELECT count(*) FROM ltv.train('cox', 'plants', 'cox', 'd', 'e', features => ARRAY['a', 'g']);
SELECT count(*) FROM ltv.train('km', 'plants', 'kaplan_meier', 'd', 'e', features => ARRAY['g']);
SELECT count(*) FROM ltv.train('all', 'plants', 'kaplan_meier', 'd', 'e');
SELECT count(*) FROM ltv.train('strata', 'plants', 'cox', 'd', 'e', features => ARRAY['a'], strata => 'g');
SELECT count(*) FROM ltv.train('form', 'plants', 'weibull', 'd', 'e', features => ARRAY['a', 'g']);
SELECT count(*) FROM ltv.train('bent', 'plants', 'spline_odds', 'd', 'e', features => ARRAY['a']);
SELECT count(*) FROM ltv.train('pieces', 'plants', 'piecewise_exponential', 'd', 'e');
SELECT count(*) FROM ltv.train('periods', 'plants', 'discrete_time', 'd', 'e', features => ARRAY['a', 'g']);
CREATE AGGREGATE gathered(float8, float8, boolean, float8[], float8) (SFUNC = ltv._fit_add, STYPE = ltv.design);
CREATE TABLE curves (name text PRIMARY KEY, v ltv.survival);
INSERT INTO curves
SELECT 'good', ltv.survival_agg(d, e) FROM plants
UNION ALL SELECT 'late', ltv.survival_agg(d / 3, d, e, 1.5) FROM plants
UNION ALL SELECT 'empty', ltv.survival_agg(NULL::float8, true)
UNION ALL SELECT 'event', ltv.survival_agg(3, true)
UNION ALL SELECT 'censored', ltv.survival_agg(3, false)
UNION ALL SELECT 'zero', ltv.survival_agg(0, true)
UNION ALL SELECT 'zero_censored', ltv.survival_agg(0, false)
UNION ALL SELECT 'extreme', ltv.survival_agg(d, e, w) FROM (VALUES (5e-324::float8, true, 1e90), (1e308, true, 1e-300), (1.7e308, false, 1),
    (1, true, 1e90)) AS v (d, e, w)
UNION ALL SELECT 'wide', ltv.survival_agg(d, true) FROM (VALUES (5e-324::float8), (1.7e308)) AS v (d)
UNION ALL SELECT 'close', ltv.survival_agg(1 + i * 1e-16, true) FROM generate_series(1, 9) AS i
UNION ALL SELECT 'fitted', ltv.predict_curve('cox', plants) FROM plants WHERE i = 1
UNION ALL SELECT 'cohort', ltv.predict_curve('km', plants) FROM plants WHERE i = 1;
INSERT INTO curves VALUES
('stepless', '{"kind":"fitted","version":1,"curve":{"times":[],"cumulative_hazard":[],"variance":[],"rank":18446744073709551615,"loadings":[],"max_followup":0,"tail":"None"}}'),
('all_tail', '{"kind":"fitted","version":1,"curve":{"times":[],"cumulative_hazard":[],"variance":[],"rank":0,"loadings":[],"max_followup":0,"tail":{"ConstantHazard":{"rate":1e308}}}}'),
('slow_tail', '{"kind":"fitted","version":1,"curve":{"times":[],"cumulative_hazard":[],"variance":[],"rank":0,"loadings":[],"max_followup":1e308,"tail":{"ConstantHazard":{"rate":5e-324}}}}'),
('huge', '{"kind":"fitted","version":1,"curve":{"times":[0,1e308],"cumulative_hazard":[1e300,1e308],"variance":[1e300,1e308],"rank":1,"loadings":[1e90,-1e90],"max_followup":1e308,"tail":{"ConstantHazard":{"rate":1e308}}}}'),
('over', '{"kind":"fitted","version":1,"curve":{"times":[1,2],"cumulative_hazard":[0.5,"Infinity"],"variance":[0.1,"Infinity"],"rank":1,"loadings":[0.1,0.2],"max_followup":3,"tail":{"ConstantHazard":{"rate":0}}}}'),
('flat', '{"kind":"fitted","version":1,"curve":{"times":[1],"cumulative_hazard":[0],"variance":[0],"rank":0,"loadings":[],"max_followup":1,"tail":{"ConstantHazard":{"rate":0}}}}');
CREATE TABLE fits (name text PRIMARY KEY, v ltv.model);
INSERT INTO fits
SELECT 'good', ltv.model('cox') UNION ALL SELECT 'km', ltv.model('km') UNION ALL SELECT 'all', ltv.model('all')
UNION ALL SELECT 'separated', ltv.fit_cox(d, d < 10, ARRAY[d, a]) FROM plants
UNION ALL SELECT 'collinear', ltv.fit_cox(d, e, ARRAY[a, a, 1]) FROM plants
UNION ALL SELECT 'no_events', ltv.fit_cox(d, false, ARRAY[a]) FROM plants
UNION ALL SELECT 'one_row', ltv.fit_cox(3, true, ARRAY[1])
UNION ALL SELECT 'tiny', ltv.fit_cox(d, e, ARRAY[a * 1e-120], 1e80) FROM plants
UNION ALL SELECT 'at_zero', ltv.fit_cox(0, true, ARRAY[a]) FROM plants
UNION ALL SELECT 'gathered', ltv.fit_cox(d, e, ARRAY[a]) FROM plants;
CREATE TABLE scores (name text PRIMARY KEY, v ltv.calibration);
INSERT INTO scores
SELECT 'good', ltv.calibration_agg(abs(a), e) FROM plants UNION ALL SELECT 'empty', ltv.calibration_agg(NULL, true) UNION ALL SELECT 'one',
       ltv.calibration_agg(0.5, true)
UNION ALL SELECT 'certain', ltv.calibration_agg(p, p = 0) FROM unnest(ARRAY[0, 1]) AS p UNION ALL SELECT 'tied', ltv.calibration_agg(0.5, e) FROM plants
UNION ALL SELECT 'extreme', ltv.calibration_agg(p, y, w) FROM (VALUES (5e-324::float8, true, 1e90), (1 - 1e-16, false, 1e-300), (0.5, true, 1)) AS v (p, y, w);
CREATE TABLE gatherings (name text PRIMARY KEY, v ltv.design);
INSERT INTO gatherings
SELECT 'good', gathered(0, d, e, ARRAY[a], 1) FROM plants UNION ALL SELECT 'empty', gathered(NULL, 1, true, '{1}', 1) UNION ALL SELECT 'late', gathered(d / 2, d, e, ARRAY[a, d], abs(a) + 0.1) FROM plants
UNION ALL SELECT 'extreme', gathered(0, d, true, ARRAY[x], w) FROM (VALUES (5e-324::float8, 1e150, 1e80), (1e308, -1e150, 1e-80), (0, 0, 1)) AS v (d, x, w);
INSERT INTO gatherings SELECT 'causes', ltv.cause_design_agg(d, i % 4, ARRAY[a]) FROM plants;
INSERT INTO fits SELECT name, ltv.model(name) FROM unnest(ARRAY['strata', 'form', 'bent', 'pieces', 'periods']) AS name;
INSERT INTO fits SELECT 'incidence', ltv.fit_fine_gray(d, i % 4, ARRAY[a]) FROM plants UNION ALL SELECT 'other_cause_only', ltv.fit_fine_gray(d, 2, ARRAY[a]) FROM plants;
CREATE TABLE endings (name text PRIMARY KEY, v ltv.incidence);
INSERT INTO endings
SELECT 'good', ltv.incidence_agg(d, i % 4) FROM plants UNION ALL SELECT 'other', ltv.incidence_agg(d, i % 3) FROM plants
UNION ALL SELECT 'late', ltv.incidence_agg(d / 3, d, i % 4, 1.5) FROM plants
UNION ALL SELECT 'empty', ltv.incidence_agg(NULL::float8, 1) UNION ALL SELECT 'event', ltv.incidence_agg(3, 255) UNION ALL SELECT 'censored', ltv.incidence_agg(3, 0)
UNION ALL SELECT 'zero', ltv.incidence_agg(0, 1)
UNION ALL SELECT 'extreme', ltv.incidence_agg(d, c, w) FROM (VALUES (5e-324::float8, 1, 1e90), (1e308, 2, 1e-300), (1.7e308, 0, 1), (1, 1, 1e90)) AS v (d, c, w)
UNION ALL SELECT 'wide', ltv.incidence_agg(d, 1) FROM (VALUES (5e-324::float8), (1.7e308)) AS v (d);

CREATE TABLE book AS SELECT i::text AS account_id, i::text AS contract_id, i::text AS line_id, date '2023-01-01' + i AS valid_from, NULL::date AS valid_to, 'active'::text AS state, i::numeric AS mrr, 'EUR'::text AS currency, a, g FROM plants WHERE i < 20;

CREATE FUNCTION tried(calls text[]) RETURNS TABLE (call text, state text, message text) LANGUAGE plpgsql AS $$
DECLARE
    odd boolean;
BEGIN
    FOREACH call IN ARRAY calls LOOP
        state := NULL;
        message := NULL;
        BEGIN
            EXECUTE format($q$SELECT coalesce(bool_or(jsonb_path_exists(to_jsonb(x), '$.** ? (@ == "NaN" || @ == "Infinity" || @ == "-Infinity")')), false) FROM %s AS x$q$, call) INTO odd;
            IF odd THEN
                state := 'not finite';
            END IF;
        EXCEPTION WHEN OTHERS THEN
            state := sqlstate;
            message := sqlerrm;
        END;
        IF state IS NOT NULL THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
"""
FLOATS = ["NULL", "'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "0", "1", "0.5", "12", "-1", "1e308", "-1e308", "5e-324", "1e-9", "4503599627370497.5"]
INTEGERS = ["NULL", "0", "1", "-1", "12", "1200", "2147483647", "-2147483648"]
TEXTS = ["NULL", "''", "'cox'", "'km@1'", "'@'", "'log'", "'peto'", "'annual'", "'arrears'", "'uniform'", "'none'", "'JPY'", "'é''\"\\'", "repeat('x', 70000)", "'%s {} $1'"]
# The first is the one that works; the others are put in its place one at a time, and all of them at random.
VALUES = {
    "double precision": ["1", *FLOATS],
    "integer": ["12", *INTEGERS],
    "bigint": ["1", "NULL", "0", "-1", "9223372036854775807", "-9223372036854775808"],
    "text": ["'cox'", *TEXTS],
    "character varying": ["'cox'", *TEXTS],
    "name": ["'cox'", *TEXTS],
    "unknown": ["'cox'", "NULL", "''", "'km@1'", "'nothing'"],
    "boolean": ["true", "false", "NULL"],
    "date": ["'2024-01-31'", "NULL", "'infinity'", "'-infinity'", "'5874897-12-31'", "'4714-11-24 BC'", "'0001-01-01'"],
    "jsonb": ["'{\"by\": \"i\", \"fraction\": 0.5}'", "NULL", "'{}'", "'[]'", "'null'", "'1'", "'{\"by\": 1}'", "'{\"by\": \"i\", \"fraction\": 1e400}'", "'{\"by\": \"d\", \"last\": \"1 day\"}'"],
    "regclass": ["'plants'", "NULL", "'pg_class'", "'curves_pkey'", "4294967295::oid", "0::oid"],
    "double precision[]": ["'{1}'", "NULL", "'{}'", "'{NULL}'", "'{1,NaN}'", "'{{1,2},{3,4}}'", "'{Infinity}'", "'{-0,5e-324,1e308}'", "'[5:6]={1,2}'", "'{2,1,1,0}'", "array_fill(1e308, ARRAY[3, 2, 2])"],
    "text[]": ["'{a,g}'", "NULL", "'{}'", "'{NULL}'", "'{{a,b},{c,d}}'", "'{\"\",\"é<&>\"}'", "'{a,a}'"],
    "record": ["ROW(plants)", "NULL::plants", "ROW()", "ROW(1, 2)", "ROW(rows)"],
    "ltv.survival": [f"(SELECT v FROM curves WHERE name = '{name}')" for name in "good late empty event censored zero zero_censored extreme wide close fitted cohort stepless all_tail slow_tail huge over flat nothing".split()],
    "ltv.model": [f"(SELECT v FROM fits WHERE name = '{name}')" for name in "good km all separated collinear no_events one_row tiny at_zero gathered incidence other_cause_only strata form bent pieces periods nothing".split()],
    "ltv.calibration": [f"(SELECT v FROM scores WHERE name = '{name}')" for name in "good empty one certain tied extreme nothing".split()],
    "ltv.design": [f"(SELECT v FROM gatherings WHERE name = '{name}')" for name in "good empty late extreme causes nothing".split()],
    "ltv.incidence": [f"(SELECT v FROM endings WHERE name = '{name}')" for name in "good late empty event censored zero extreme wide nothing".split()],
    "ltv.incidence[]": ["(SELECT array_agg(v) FROM endings WHERE name IN ('good', 'other'))", "NULL", "'{}'", "ARRAY[NULL::ltv.incidence]", "(SELECT array_agg(v) FROM endings)", "(SELECT array_agg(v) FROM endings WHERE name <> 'late')", "array_fill((SELECT v FROM endings WHERE name = 'good'), ARRAY[50])"],
    "ltv.grouped_survival": ["(SELECT ltv.log_rank_agg(i % 3, 0, i, i % 2, 1, (i % 2)::text) FROM generate_series(1, 30) AS i)", "NULL", "(SELECT ltv.log_rank_agg(NULL::text, 1, true))", "(SELECT ltv.log_rank_agg('a'::text, 1, true))", "(SELECT ltv.log_rank_agg(i, 0, 1e308, true, 1e90) FROM generate_series(1, 60) AS i)", "(SELECT ltv.log_rank_agg(i::text, i, i + 0.5, true) FROM generate_series(1, 9) AS i)"],
    "ltv.interval_sample": ["(SELECT ltv.interval_agg(i % 5, i % 5 + i % 3) FROM generate_series(1, 30) AS i)", "NULL", "(SELECT ltv.interval_agg(NULL, 1))", "(SELECT ltv.interval_agg(0, 0))", "(SELECT ltv.interval_agg(i, NULL) FROM generate_series(1, 3) AS i)", "(SELECT ltv.interval_agg(1e308 / i, 1.1e308, 1e90 / i ^ 60) FROM generate_series(1, 20) AS i)", "(SELECT ltv.interval_agg(i * 5e-324, i * 1e-323) FROM generate_series(1, 9) AS i)"],
    "ltv.terms": ["ltv.contract_terms(100)", "NULL", "ltv.contract_terms(1e28::float8, horizon => 1200)", "ltv.contract_terms(0, margin => -1e300, cost_to_serve => 1e300)", "ltv.contract_terms(100, 0.8, 3, 0.08, 24, -0.05, 0.03, 3, 'quarterly', 'arrears', 7.5, 12, 4.5, 1, 150, 'recent-hazard', 'KWD', 0.9, '2024-01-31', ARRAY[100, 15], 'gross-margin', '{1,1.1,0.9}', 6, 2.5, false, 0.05, 0.5, 30, 0.01, '{0.03,0.035}', 9, 0.9)", "ltv.contract_terms(100, hazard_ratio => 1e6, given => 1e300)"],
    "numeric": ["100", "NULL", "0", "-1", "'NaN'", "'Infinity'", "1e30", "12.345678901234567890123456789012345"],
    "numeric[]": ["NULL", "'{1}'", "'{}'", "'{NULL}'", "'{NaN}'", "'{{1,2},{3,4}}'", "'{-1}'", "'{1e30}'"],
    "integer[]": ["'{12,24}'", "NULL", "'{}'", "'{NULL}'", "'{-1}'", "'{2147483647}'", "'{{1,2},{3,4}}'"],
    "ltv.portfolio": ["(SELECT ltv.portfolio_agg(v, ltv.contract_terms(100, horizon => 12)) FROM curves WHERE name = 'good')", "NULL", "(SELECT ltv.portfolio_agg(v, ltv.contract_terms(100, horizon => 12, currency => 'JPY')) FROM curves WHERE name = 'late')", "(SELECT ltv.portfolio_agg(v, NULL) FROM curves)", "(SELECT ltv.portfolio_agg(v, ltv.contract_terms(1)) FROM curves WHERE false)", "(SELECT ltv.portfolio_agg('cox', plants, ltv.contract_terms(1e20)) FROM plants)", "(SELECT ltv.portfolio_agg('form', plants, ltv.contract_terms(100)) FROM plants)", "(SELECT ltv.run_rate_agg(v, 1, '{100}', '{0}', '{NULL}', '{3}', '{NULL}', 0, 3, 'EUR') FROM curves WHERE name = 'good')", "(SELECT ltv.run_rate_agg(v, 1e300, '{1e300,1e-300}', '{0,1}', '{NULL,2}', '{3,-1e300}', '{NULL,1e300}', -0.5, 1200, NULL) FROM curves WHERE name = 'flat')"],
    "ltv.survival[]": ["(SELECT array_agg(v) FROM curves WHERE name IN ('good', 'late'))", "NULL", "'{}'", "ARRAY[NULL::ltv.survival]", "(SELECT array_agg(v) FROM curves WHERE name IN ('good', 'empty', 'zero', 'extreme', 'wide', 'close'))", "(SELECT array_agg(v) FROM curves)", "(SELECT array_agg(ARRAY[v, v]) FROM curves WHERE name IN ('good', 'event'))", "array_fill((SELECT v FROM curves WHERE name = 'good'), ARRAY[50])"],
}
# Rows to be scored: with all features of every model, in several states.
FEATURES = {
    "ROW(plants)": "(SELECT r FROM (SELECT 0.5 AS a, 'g1' AS g, 0.5 AS x1, 1.5 AS x2, 1 AS x3) AS r)",
    "ROW(rows)": "(SELECT r FROM (SELECT 'NaN'::float8 AS a, 'unseen' AS g, 1e308::float8 AS x1, '-Infinity'::float8 AS x2, NULL::numeric AS x3) AS r)",
}
# What an argument of that name is when the call is to work; where functions differ, with the name of the function.
WORKING = {
    "level": "0.95", "p": "0.5", "q": "0.5", "discount_rate": "0.1", "horizon": "12", "margin": "0.8", "cost_to_serve": "0", "expansion": "0", "price_uplift": "0", "given": "0", "term_months": "NULL",
    "months_to_renewal": "NULL", "paid_months": "0", "acquisition_cost": "0", "billing": "'monthly'", "timing": "'advance'", "tail": "'none'", "currency": "'EUR'", "as_of": "NULL", "transform": "'log-log'",
    "weights": "'log-rank'", "method": "'quantile'", "bins": "10", "to_t": "2", "at": "NULL", "algorithm": "'cox'", "duration": "'d'", "event": "'e'", "entry": "NULL", "weight": "NULL", "holdout": "NULL",
    "null_policy": "'error'", "label_policy": "NULL", "note": "NULL", "alias": "'production'", "version": "1", "probability": "0.5", "tau": "5", "features": "'{a}'",
    "train.options": "'{\"ties\": \"breslow\"}'", "train.strata": "'g'", "train.cluster": "'g'",
    "kind": "'dfbeta'", "ties": "'breslow'", "names": "'{a}'", "penalty": "0", "l1_ratio": "0",
    "proportional_hazards_test.transform": "'km'", "proportional_hazards_test.terms": "NULL",
    "cause": "1", "rho": "0", "variance": "'greenwood'",
    "adjust": "'holm'", "scores": "NULL", "estimator": "'kaplan-meier'", "criterion": "'aic'", "candidates": "'{weibull,exponential}'", "baseline": "'period'", "degree": "2", "period": "1", "link": "'logit'",
    "lever": "'horizon'", "sensitivity.at": "'{12}'", "scenarios": "'{\"shorter\": {\"horizon\": 6}}'", "scenario": "'{\"price_change\": 0.1, \"elasticity\": 1}'", "changes": "'{}'", "with_features.changes": "'{\"a\": {\"plus\": 1}}'",
    "value_basis": "'contribution'", "early_termination": "0", "termination_fee": "0", "timeline": "'book'", "book_query.as_of": "'2024-01-31'", "forecast_arr.as_of": "'2024-01-31'", "portfolio_months.p": "(SELECT ltv.run_rate_agg(v, 1, '{100}', '{0}', '{NULL}', '{3}', '{NULL}', 0, 3, 'EUR') FROM curves WHERE name = 'good')",
    "discounts": "'{0,0.1}'", "months": "12", "by": "NULL", "grace_days": "30", "forecast_arr.features": "'book'", "pricing_grid.term_months": "'{12}'", "terms": "'{12}'", "renewals": "'{NULL}'", "ends": "'{NULL}'",
    "kernel": "'epanechnikov'", "distribution": "'weibull'", "ancillary": "'{a}'", "knots": "NULL", "knot_times": "NULL", "breaks": "NULL", "renewed": "1", "location": "'{a}'", "cured": "'{a}'",
}  # fmt: skip
MOST_CALLS = 60000
REFUSALS = {"22023", "22003", "22004", "22P02", "22007", "22008", "23514", "42703", "42804", "42809", "42501", "53200", "55000", "P0002"}


class Function(NamedTuple):
    signature: str
    name: str
    kind: str
    names: list[str]
    types: list[str]


def functions(cluster: Cluster) -> list[Function]:
    """All that the extension has and SQL can call."""
    rows = cluster.query(
        """SELECT p.oid::regprocedure, p.proname, p.prokind, coalesce(array_to_string(p.proargnames[1:p.pronargs], ','), ''), (SELECT coalesce(string_agg(format_type(t, NULL), ',' ORDER BY at), '') FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, at))
        FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
            JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'ltv'
        WHERE p.pronargs > 0 ORDER BY p.oid::regprocedure::text COLLATE "C" """
    )
    found = [Function(str(r[0]), str(r[1]), str(r[2]), [*str(r[3] or "").split(","), *[""] * 20], str(r[4]).split(",")) for r in rows]
    return [function for function in found if not {"cstring", "internal"} & set(function.types)]


def literal(value: str, type_name: str) -> str:
    """A value as an argument of that type."""
    value = FEATURES.get(value, value)
    return value if type_name in ("record", "unknown") or value.startswith("(") else f"{value}::{type_name}"


def working(function: Function, at: int) -> str:
    """The first choice for an argument: by its name, else by its type."""
    name, type_name = function.names[at], function.types[at]
    if type_name == "integer" and name in ("event", "outcome"):
        return "1"
    if type_name == "double precision" and name == "entry":
        return "0"
    if type_name == "ltv.model" and "ltv.design" in function.types:
        return "(SELECT v FROM fits WHERE name = 'gathered')"
    value = WORKING.get(f"{function.name}.{name}", WORKING.get(name, VALUES[type_name][0]))
    fits = type_name in ("text", "regclass") if value.startswith("'") and not value.startswith("'{") else True
    if type_name == "ltv.design" and function.name == "fit_fine_gray":
        return "(SELECT v FROM gatherings WHERE name = 'causes')"
    return value if fits and type_name not in ("record", "ltv.model", "ltv.survival", "ltv.terms") and (type_name != "ltv.portfolio" or f"{function.name}.{name}" in WORKING) else VALUES[type_name][0]


def calls(function: Function, chance: random.Random) -> Iterator[str]:
    """Each value of each argument beside others that work, and random companies."""
    places = range(len(function.types))

    def call(values: list[str]) -> str:
        arguments = ", ".join(literal(value, type_name) for value, type_name in zip(values, function.types))
        if function.name == "with_features":  # what it leaves alone comes back as it was, NaN and all
            return f"(SELECT ltv.{function.name}({arguments}) IS NULL AS v)"
        if function.kind == "a":
            return f"(SELECT ltv.{function.name}({arguments}) AS v)"
        return f"ltv.{function.name}({arguments})"

    good = [working(function, at) for at in places]
    yield call(good)
    for at in places:
        for value in VALUES[function.types[at]]:
            yield call([*good[:at], value, *good[at + 1 :]])
    for _ in range(40 + 25 * len(function.types)):
        changed = chance.sample(places, min(len(places), chance.choice([1, 2, 2, 3, 20])))
        yield call([chance.choice(VALUES[function.types[at]]) if at in changed else good[at] for at in places])


def several_rows(function: Function, chance: random.Random) -> Iterator[str]:
    """An aggregate over a few rows of any values, finished and read."""
    read = {
        "survival_agg": """ltv.rmst(v, 1), ltv.quantile(v), ltv.subjects(v), (SELECT jsonb_agg(c) FROM ltv.curve(v) AS c),
            ltv.survival_interval(v, 1), ltv.lifetime_value(v, 10), ltv.log_rank(ARRAY[v, v, (SELECT c.v FROM curves AS c WHERE name = 'good')])""",
        "calibration_agg": "ltv.brier(v), ltv.auc(v), ltv.log_loss(v), ltv.calibration_slope(v), (SELECT jsonb_agg(c) FROM ltv.calibration_curve(v) AS c)",
        "fit_cox": """(SELECT jsonb_agg(c) FROM ltv.coefficients(v) AS c), ltv.predict(v, r, 1), ltv.lifetime_value(v, r, 10),
            (SELECT jsonb_agg(t) FROM ltv.model_test(v) AS t)""",
        "incidence_agg": """ltv.incidence_at(v, 1, 1), ltv.time_lost_interval(v, 1, 1), (SELECT jsonb_agg(c) FROM ltv.incidence_curve(v) AS c),
            (SELECT jsonb_agg(c) FROM ltv.incidence_curve(v, ARRAY[0, 1, 1e300], variance => 'aalen') AS c), ltv.rmst(ltv.event_free_survival(v), 1),
            (SELECT jsonb_agg(t) FROM ltv.gray_test(ARRAY(SELECT x FROM unnest(ARRAY[v, (SELECT c.v FROM endings AS c WHERE name = 'good')]) AS x WHERE x::text LIKE '%"entry":[]%')) AS t)""",
        "fit_fine_gray": """(SELECT jsonb_agg(c) FROM ltv.coefficients(v) AS c), ltv.predict(v, r, 1), ltv.predict_curve(v, r), ltv.model_status(v),
            (SELECT jsonb_agg(t) FROM ltv.model_test(v) AS t)""",
    }.get(function.name if function.kind == "a" else "")
    if read is None:
        return
    columns = ", ".join(f"c{at}" for at in range(len(function.types)))
    sane = {"integer": ["0", "1", "1", "2", "255", "NULL"], "double precision": ["0", "1", "2", "0.5", "1e300", "5e-324", "1e-9", "7", "NULL"], "double precision[]": ["'{1}'", "'{2}'", "'{-1e150}'", "'{5e-324}'", "'{0}'", "NULL", "'{NULL}'"]}
    for at in range(120):
        rows = []
        for _ in range(chance.choice([1, 2, 3, 8])):
            pool = sane if at % 4 else VALUES
            rows.append("(" + ", ".join(literal(chance.choice(pool.get(t, VALUES[t])), t) for t in function.types) + ")")
        aggregate = f"SELECT ltv.{function.name}({columns}) AS v FROM (VALUES {', '.join(rows)}) AS v ({columns})"
        yield f"(SELECT {read} FROM ({aggregate}) AS a, (SELECT 0.5 AS x1) AS r)"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def test_every_function_answers_or_refuses(cluster: Cluster) -> None:
    cluster.execute(GROUND)
    started = cluster.value("SELECT pg_postmaster_start_time()")
    chance = random.Random(20240229)
    found = functions(cluster)
    assert len(found) > 60, f"only {len(found)} functions"
    tried, refused, problems = 0, 0, []
    for function in found:
        missing = set(function.types) - set(VALUES)
        assert not missing, f"the garden has no values for {missing} of {function.signature}"
        batch = list(dict.fromkeys([*calls(function, chance), *several_rows(function, chance)]))
        tried += len(batch)
        statement = f"""BEGIN; SET LOCAL statement_timeout = '60s'; SET LOCAL ltv.max_memory_mb = 256;
            SELECT * FROM tried(ARRAY[{', '.join(map(quoted, batch))}]); ROLLBACK;"""
        answers = cluster.query(statement)
        refused += len(answers)
        problems += [f"{row[1]} {row[2]}: {str(row[0])[:400]}" for row in answers if row[1] not in REFUSALS]
        works = [row for row in answers if row[0] == batch[0]]
        if works and not function.name.startswith("_"):
            problems.append(f"{works[0][1]} {works[0][2]}: meant to work: {batch[0]}")
    assert cluster.value("SELECT pg_postmaster_start_time()") == started
    assert not problems, "\n".join([f"{len(problems)} problems", *problems[:60]])
    assert 4000 < tried < MOST_CALLS and refused < tried * 0.8, f"{tried} calls, {refused} refused"
