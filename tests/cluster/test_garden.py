"""A garden of nasty values: every function of the extension is called with every kind of value that is wrong, odd or extreme.

The calls come from the catalog, so a new function is in the garden as soon as it exists. Whatever it is asked, it answers or refuses:
no crash, no internal error, no NaN and no infinity.
"""

import random
import re
from typing import Iterator, NamedTuple

from harness import Cluster

GROUND = r"""
CREATE TABLE bought AS SELECT 'g' || i % 30 AS g, date '2024-01-01' + i AS day, i / 2.0 AS d FROM generate_series(1, 60) AS i;
CREATE TABLE plants AS SELECT i, (i * 37 % 50) / 2.0::float8 + 0.5 AS d, i % 3 <> 0 AS e, sin(i) AS a, 'g' || i % 3 AS g FROM generate_series(1, 200) AS i;
CREATE TABLE planted AS SELECT i, a, g, d * 1.1 AS d, e, date '2024-01-01' + i AS day FROM plants;
CREATE VIEW holes AS SELECT d, e, CASE WHEN i % 5 > 0 THEN a END AS a, CASE WHEN i % 7 > 0 THEN g END AS g FROM plants;
CREATE TABLE book (account_id text, canonical_id text, contract_id text, line_id text, valid_from date, valid_to date, state text, mrr numeric, currency text, term_end date, rate numeric, due_on date, paid_on date, amount numeric);
INSERT INTO book SELECT 'a' || i, 'a' || i + 100, 'c' || i % 7, 'l' || i % 9, date '2022-01-31' + 40 * i, CASE WHEN i % 4 > 0 THEN date '2022-01-31' + 40 * i + 90 END, 'active', i, 'EUR', date '2023-01-31' + 40 * i, 1,
    date '2023-09-01' + i, CASE WHEN i % 3 > 0 THEN date '2023-09-01' + 2 * i END, i FROM generate_series(1, 20) AS i;
SELECT count(*) FROM ltv.train('cox', 'plants', 'cox', 'd', 'e', features => ARRAY['a', 'g']);
SELECT count(*) FROM ltv.train('km', 'plants', 'kaplan_meier', 'd', 'e', features => ARRAY['g']);
SELECT count(*) FROM ltv.train('all', 'plants', 'kaplan_meier', 'd', 'e');
SELECT count(*) FROM ltv.train('strata', 'plants', 'cox', 'd', 'e', features => ARRAY['a'], strata => 'g');
SELECT count(*) FROM ltv.train('parts', 'plants', 'cox', 'd', 'e', features => ARRAY['a'], segment_by => ARRAY['g'], min_events => 5);
SELECT count(*) FROM ltv.train('filled', 'holes', 'cox', 'd', 'e', features => ARRAY['a', 'g'], null_policy => 'indicator');
SELECT count(*) FROM ltv.train('form', 'plants', 'weibull', 'd', 'e', features => ARRAY['a', 'g']);
SELECT count(*) FROM ltv.train('bent', 'plants', 'spline_odds', 'd', 'e', features => ARRAY['a']);
SELECT count(*) FROM ltv.train('pieces', 'plants', 'piecewise_exponential', 'd', 'e');
SELECT count(*) FROM ltv.train('periods', 'plants', 'discrete_time', 'd', 'e', features => ARRAY['a', 'g']);
SELECT count(*) FROM ltv.train('cox', 'plants', 'cox', 'd', 'e', features => ARRAY['a', 'g']);
SELECT count(*) FROM ltv.train('amount', 'plants', 'linear', target => 'd', features => ARRAY['a', 'g']);
SELECT count(*) FROM ltv.train('hybrid', 'plants', 'hybrid', options => '{"renewal": "cox", "cost": "amount", "terms": {"revenue": 100}}');
SELECT ltv.promote('cox', 1); SELECT ltv.promote('cox', 2); SELECT ltv.restrict_model('cox'); SELECT ltv.grant_model('cox', current_user, 'predict');
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
SELECT 'good', ltv.model('cox') UNION ALL SELECT 'parts', ltv.model('parts') UNION ALL SELECT 'filled', ltv.model('filled') UNION ALL SELECT 'km', ltv.model('km') UNION ALL SELECT 'all', ltv.model('all')
UNION ALL SELECT 'amount', ltv.model('amount') UNION ALL SELECT 'hybrid', ltv.model('hybrid')
UNION ALL SELECT 'two_part', ltv.fit_two_part(ltv.amount_design_agg(d * (i % 4), ARRAY[a]), names => '{a}') FROM plants
UNION ALL SELECT 'boosted_value', ltv.fit_boosted_value(ltv.amount_design_agg(d * (i % 4), ARRAY[a]), names => '{a}', loss => 'tweedie', min_child_weight => 5) FROM plants
UNION ALL SELECT 'flung', ltv.fit_tweedie(ltv.amount_design_agg(x, ARRAY[x, 1 / x]), 1.9) FROM (VALUES (5e-300::float8), (1e300), (1)) AS v (x)
UNION ALL SELECT 'separated', ltv.fit_cox(d, d < 10, ARRAY[d, a]) FROM plants
UNION ALL SELECT 'collinear', ltv.fit_cox(d, e, ARRAY[a, a, 1]) FROM plants
UNION ALL SELECT 'no_events', ltv.fit_cox(d, false, ARRAY[a]) FROM plants
UNION ALL SELECT 'one_row', ltv.fit_cox(3, true, ARRAY[1])
UNION ALL SELECT 'tiny', ltv.fit_cox(d, e, ARRAY[a * 1e-120], 1e80) FROM plants
UNION ALL SELECT 'at_zero', ltv.fit_cox(0, true, ARRAY[a]) FROM plants
UNION ALL SELECT 'gathered', ltv.fit_cox(d, e, ARRAY[a]) FROM plants
UNION ALL SELECT 'renewals', ltv.fit_bdw(p, s) FROM unnest(ARRAY[100, 80, 70, 65, 61]) WITH ORDINALITY AS v (s, at), LATERAL (SELECT (at - 1)::int) AS w (p)
UNION ALL SELECT 'alike', ltv.fit_sbg(p, s) FROM unnest(ARRAY[100, 80, 64, 51]) WITH ORDINALITY AS v (s, at), LATERAL (SELECT (at - 1)::int) AS w (p)
UNION ALL SELECT 'no_churn', ltv.fit_sbg(p, 5) FROM generate_series(0, 3) AS p;
INSERT INTO curves SELECT name, ltv.predict_curve(ltv.with_period(v, 12), ROW()) FROM fits WHERE name IN ('renewals', 'alike');
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
INSERT INTO gatherings SELECT 'amounts', ltv.amount_design_agg(d, ARRAY[a]) FROM plants;
INSERT INTO gatherings SELECT 'shared', ltv.design_agg(0, d, e, ARRAY[a], 1, '', NULLIF(i % 9, 0)::text) FROM plants UNION ALL SELECT 'shared_amounts', ltv.amount_design_agg(d, ARRAY[a], 1, 0, NULLIF(i % 9, 0)::text) FROM plants;
INSERT INTO fits SELECT 'by_account', ltv.fit_discrete_time(v) FROM gatherings WHERE name = 'shared' UNION ALL SELECT 'amount_by_account', ltv.fit_linear(v, names => '{a}') FROM gatherings WHERE name = 'shared_amounts';
INSERT INTO gatherings SELECT 'flung', ltv.amount_design_agg(x, ARRAY[1 / x], abs(x), o) FROM (VALUES (-5e-300::float8, -700::float8), (1e300, 700), (0.001, 1e9)) AS v (x, o);
INSERT INTO gatherings SELECT 'causes', ltv.cause_design_agg(d, i % 4, ARRAY[a]) FROM plants;
CREATE TABLE rankings (name text PRIMARY KEY, v ltv.ranking);
INSERT INTO rankings
SELECT 'good', ltv.ranking_agg(a, e, 1, i) FROM plants UNION ALL SELECT 'empty', ltv.ranking_agg(NULL, true) UNION ALL SELECT 'one', ltv.ranking_agg(-1, true) UNION ALL SELECT 'tied', ltv.ranking_agg(5, e) FROM plants
UNION ALL SELECT 'extreme', ltv.ranking_agg(s, y, w, v) FROM (VALUES (-1.7e308::float8, true, 1e90, 1), (1.7e308, false, 1e-300, 1e90), (-5e-324, true, 1, 0), (5e-324, false, 1, 1e-300)) AS v (s, y, w, v);
CREATE TABLE forecasts (name text PRIMARY KEY, v ltv.survival_calibration);
INSERT INTO forecasts
SELECT 'good', ltv.survival_calibration_agg(abs(a), d, e) FROM plants UNION ALL SELECT 'empty', ltv.survival_calibration_agg(NULL, 1, true) UNION ALL SELECT 'one', ltv.survival_calibration_agg(0.5, 1, true)
UNION ALL SELECT 'censored', ltv.survival_calibration_agg(abs(a), d, false) FROM plants UNION ALL SELECT 'zero', ltv.survival_calibration_agg(0, 0, e) FROM plants
UNION ALL SELECT 'extreme', ltv.survival_calibration_agg(p, d, e, w) FROM (VALUES (5e-324::float8, 1.7e308::float8, true, 1e90), (1 - 1e-16, 5e-324, true, 1e-300), (0, 1, false, 1e90), (1, 1e308, false, 1)) AS v (p, d, e, w)
UNION ALL SELECT 'close', ltv.survival_calibration_agg(i / 9.0, 1 + i * 1e-16, i % 2 = 0) FROM generate_series(1, 9) AS i;
INSERT INTO fits SELECT name, ltv.model(name) FROM unnest(ARRAY['strata', 'form', 'bent', 'pieces', 'periods']) AS name;
INSERT INTO fits SELECT 'mapped', ltv.recalibrated(ltv.model('cox'), '{"beta": {"intercept": -3, "event": 0.01, "survival": 400}}') UNION ALL SELECT 'bent_mapped', ltv.recalibrated(ltv.model('bent'), '{"isotonic": {"predicted": [0.1, 0.5], "recalibrated": [0, 1]}}')
UNION ALL SELECT 'flat_mapped', ltv.recalibrated(ltv.model('km'), '{"intercept": {"log_ratio": -500}}');
CREATE FUNCTION planted_on(as_of date) RETURNS TABLE (i int, duration float8, event boolean, a float8) LANGUAGE sql STABLE SET search_path = public AS 'SELECT i, d, e, a FROM plants';
CREATE FUNCTION planted_badly(as_of date) RETURNS TABLE (i text) LANGUAGE sql STABLE AS 'SELECT NULL';
INSERT INTO fits SELECT 'incidence', ltv.fit_fine_gray(d, i % 4, ARRAY[a]) FROM plants UNION ALL SELECT 'other_cause_only', ltv.fit_fine_gray(d, 2, ARRAY[a]) FROM plants;
INSERT INTO fits
SELECT 'bought', ltv.fit_pareto_nbd(i % 4, i % 4 * (i % 3) * 0.3, i % 4 + 1) FROM generate_series(1, 120) AS i
UNION ALL SELECT 'never_again', ltv.fit_bg_nbd(0, 0, i) FROM generate_series(1, 9) AS i
UNION ALL SELECT 'spent', ltv.fit_gamma_gamma(1 + i % 4, 10 + i % 7) FROM generate_series(1, 60) AS i;
CREATE TABLE buyers AS SELECT i % 4 AS frequency, i % 4 * (i % 3) * 0.3 AS recency, i % 4 + 1 AS age, 10 + i % 7 AS mean_value FROM generate_series(1, 120) AS i;
SELECT count(*) FROM ltv.train('repeat', 'buyers', 'pareto_nbd', horizon => 3); SELECT count(*) FROM ltv.train('basket', 'buyers', 'gamma_gamma');
INSERT INTO fits SELECT 'boosted', ltv.fit_boosted_hazard(ltv.design_agg(d, e, ARRAY[a]), min_child_weight => 5) FROM plants
UNION ALL SELECT 'overgrown', ltv.fit_boosted_hazard(ltv.design_agg(d, e, ARRAY[a, d]), depth => 9, l2 => 0, min_child_weight => 0, learning_rate => 1, early_stopping => 0) FROM plants
UNION ALL SELECT 'unboosted', ltv.fit_boosted_hazard(ltv.design_agg(d, false, ARRAY[a])) FROM plants;
INSERT INTO gatherings SELECT 'unknown', ltv.incomplete_amount_design_agg(d * (i % 4), ARRAY[CASE WHEN i % 3 > 0 THEN a END], 1 + i % 2, 0) FROM plants;
INSERT INTO gatherings SELECT 'missing', ltv.incomplete_design_agg(0, d, e, ARRAY[a, NULLIF(d, a + d)], 1) FROM plants UNION ALL SELECT 'gaps', ltv.incomplete_design_agg(0, d, e, ARRAY[CASE WHEN i % 3 > 0 THEN a END], 1) FROM plants;
CREATE TABLE endings (name text PRIMARY KEY, v ltv.incidence);
INSERT INTO endings
SELECT 'good', ltv.incidence_agg(d, i % 4) FROM plants UNION ALL SELECT 'other', ltv.incidence_agg(d, i % 3) FROM plants
UNION ALL SELECT 'late', ltv.incidence_agg(d / 3, d, i % 4, 1.5) FROM plants
UNION ALL SELECT 'empty', ltv.incidence_agg(NULL::float8, 1) UNION ALL SELECT 'event', ltv.incidence_agg(3, 255) UNION ALL SELECT 'censored', ltv.incidence_agg(3, 0)
UNION ALL SELECT 'zero', ltv.incidence_agg(0, 1)
UNION ALL SELECT 'extreme', ltv.incidence_agg(d, c, w) FROM (VALUES (5e-324::float8, 1, 1e90), (1e308, 2, 1e-300), (1.7e308, 0, 1), (1, 1, 1e90)) AS v (d, c, w)
UNION ALL SELECT 'wide', ltv.incidence_agg(d, 1) FROM (VALUES (5e-324::float8), (1.7e308)) AS v (d);
CREATE TABLE subscriptions (account_id text, contract_id text, line_id text, product text, valid_from date, valid_to date, state text, mrr numeric, currency text, term_end date, segment text, paid_on date, amount numeric);
INSERT INTO subscriptions SELECT 'a' || i % 7, 'c' || i % 11, 'l' || i, 'p', date '2023-01-01' + i * 9, CASE WHEN i % 3 > 0 THEN date '2023-01-01' + i * 9 + 200 END, 'active', i, 'EUR', date '2023-01-01' + i * 9 + 365, 's' || i % 2, '2023-05-05', i
FROM generate_series(1, 40) AS i;
CREATE TABLE quotes (currency text, valid_from date, valid_to date, rate numeric);
INSERT INTO quotes VALUES ('EUR', '2000-01-01', NULL, 1), ('USD', '2000-01-01', NULL, 0.9);

CREATE TABLE payments AS SELECT 'c' || i % 9 AS customer, date '2023-01-31' + i * 7 % 300 AS paid_on, CASE i % 17 WHEN 0 THEN -1 ELSE i % 5 END AS amount FROM generate_series(1, 120) AS i;

CREATE TABLE purses (name text PRIMARY KEY, v ltv.dated_cash);
INSERT INTO purses
SELECT 'good', ltv.dated_cash_agg((CASE WHEN i < 20 THEN -d ELSE d END)::numeric, date '2024-01-01' + i) FROM plants UNION ALL SELECT 'empty', ltv.dated_cash_agg(NULL, NULL) UNION ALL SELECT 'one', ltv.dated_cash_agg(-1, '2024-02-29')
UNION ALL SELECT 'even', ltv.dated_cash_agg(a, t) FROM (VALUES (-1, date '0001-01-01'), (1, '9999-12-31')) AS v (a, t)
UNION ALL SELECT 'large', ltv.dated_cash_agg(a, t) FROM (VALUES (-99999999999999999999.0, date '4714-11-24 BC'), (1e-16, '2024-01-01'), (99999999999999999999.0, '200000-12-31')) AS v (a, t);
INSERT INTO purses VALUES ('rated', '{"kind":"dated_cash","version":1,"date":["2024-01-01","2025-01-01"],"amount":["-100","110"],"skipped":18446744073709551615,"rate":0.5,"as_of":"2020-02-29"}');
CREATE TABLE fx (currency text, valid_from date, valid_to date, rate numeric, basis text);
INSERT INTO fx VALUES ('EUR', '2020-01-01', NULL, 1), ('USD', '2024-01-01', '2025-01-01', 0.9), ('JPY', '2024-01-01', NULL, 0.006), ('USD', '2025-01-01', NULL, 'NaN'), ('KWD', NULL, NULL, -1);
CREATE TABLE receipts AS SELECT i AS account_id, date '2024-01-01' + i AS paid_on, a::numeric AS amount, 'EUR' AS currency FROM plants;

CREATE TABLE runs AS SELECT i, a, g, ltv.contract_terms(100 + i) AS terms FROM plants WHERE i < 4;
CREATE TABLE account_book AS SELECT i::text AS account_id, i::text AS contract_id, i::text AS line_id, date '2023-01-01' + i AS valid_from, NULL::date AS valid_to, 'active'::text AS state, i::numeric AS mrr, 'EUR'::text AS currency, a, g FROM plants WHERE i < 20;

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
            message := left(sqlerrm, 1000);
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
    '"any"': ["1", "NULL::text", "'cox'::text", "'NaN'::float8", "-0.0::float8", "date '2024-01-01'", "'{1,NULL}'::float8[]", "1e300::numeric"],
    "text": ["'cox'", *TEXTS],
    "character varying": ["'cox'", *TEXTS],
    "name": ["'cox'", *TEXTS],
    "unknown": ["'cox'", "NULL", "''", "'km@1'", "'nothing'"],
    "boolean": ["true", "false", "NULL"],
    "date": ["'2024-01-31'", "NULL", "'infinity'", "'-infinity'", "'5874897-12-31'", "'4714-11-24 BC'", "'0001-01-01'"],
    "jsonb": ["'{\"by\": \"i\", \"fraction\": 0.5}'", "NULL", "'{}'", "'[]'", "'null'", "'1'", "'{\"by\": 1}'", "'{\"by\": \"i\", \"fraction\": 1e400}'", "'{\"by\": \"d\", \"last\": \"1 day\"}'"],
    "date[]": ["'{2024-01-31}'", "NULL", "'{}'", "'{NULL}'", "'{infinity}'", "'{infinity,-infinity}'", "'{4714-11-24 BC,5874897-12-31}'", "'{{2024-01-31,2025-01-31},{2024-02-29,2025-01-31}}'", "'{2025-01-01,2024-01-01,2024-01-01}'"],
    "timestamp with time zone": ["'2024-01-31 12:00+00'", "NULL", "'infinity'", "'-infinity'", "'294276-12-31 23:59:59.999999+00'", "'4714-11-24 00:00:00+00 BC'"],
    "numeric": ["1", "NULL", "0", "-1", "100", "0.01", "-1234.5678", "'NaN'", "'Infinity'", "'-Infinity'", "1e-30", "0.0000000000000000000000000001", "99999999999999999999.9999999999999999", "99999999999999999999999999999", "1e20", "1e60", "1e1000", "33.333333333333333333333333333333333333"],
    "numeric[]": ["'{1}'", "NULL", "'{}'", "'{NULL}'", "'{NaN}'", "'{-1,1e19}'", "'{{1,-2},{3,-4}}'", "'{-1600,10000,-10000}'", "'{1e20}'", "'{0,0}'", "'[5:6]={1,-2}'", "'{100,120}'", "'{1e40}'", "array_fill(100::numeric, ARRAY[2000])", "array_fill(-0.01, ARRAY[500])"],
    "bytea": ["'\\x01'", "NULL", "''", "'\\x014555520200000000000000000000000000000000'", "'\\x0100000000000000000000000000000000000000000000000000000000000000000000000000000000'", "'\\x01000000000000f03f000000000000f07f0000000000000000000000000000000000000000000000000000000000000000'", "repeat('x', 70000)::bytea"],
    "ltv.dated_cash": [f"(SELECT v FROM purses WHERE name = '{name}')" for name in "good empty one even large rated nothing".split()],
    "regprocedure": ["'planted_on(date)'", "NULL", "'now()'", "'planted_badly(date)'", "0::oid"],
    "regclass": ["'plants'", "'bought'", "NULL", "'pg_class'", "'curves_pkey'", "4294967295::oid", "0::oid"],
    "integer[]": ["'{12,24}'", "NULL", "'{}'", "'{NULL}'", "'{0}'", "'{-1,2147483647}'", "'{1200}'", "'{{1,2},{3,4}}'"],
    "bigint[]": ["'{12,24}'", "NULL", "'{}'", "'{NULL}'", "'{0}'", "'{-1,9223372036854775807}'", "'{9223372036854775807,9223372036854775807}'", "'{{1,2},{3,4}}'"],
    "ltv.terms": ["ltv.contract_terms(100)", "NULL", "ltv.contract_terms(0)", "ltv.contract_terms(1e28::numeric)", "ltv.contract_terms(5e-27::numeric, -1e308, 1e308, -0.999999)",
        "ltv.contract_terms(NULL::numeric, ramp => '{100,0,1e20}', term_months => 0.03, early_termination => 0.999999, termination_fee => 1, horizon => 1200, given => 1e300)",
        "ltv.contract_terms(99.99, 0.5, 3, billing => 'annual', timing => 'arrears', horizon => 1200, price_uplift => 1, notice_months => 1200, payment_days => 3650, bad_debt => 0.999999, as_of => '5000-01-01', currency => 'CLF', tail => 'recent-hazard', tail_months => 5e-324, hazard_ratio => 1e6, discount_curve => '{-0.9,1,-0.99}', expansion_curve => '{0,1e6,1}', expansion_curve_months => 1)"],
    "boolean[]": ["'{t,f,t}'", "NULL", "'{}'", "'{t,NULL,f}'", "'{t}'", "array_fill(true, ARRAY[60])"],
    "double precision[]": ["'{1}'", "NULL", "'{}'", "'{NULL}'", "'{1,NaN}'", "'{{1,2},{3,4}}'", "'{Infinity}'", "'{-0,5e-324,1e308}'", "'[5:6]={1,2}'", "'{2,1,1,0}'", "array_fill(1e308, ARRAY[3, 2, 2])"],
    "text[]": ["'{a,g}'", "NULL", "'{}'", "'{NULL}'", "'{{a,b},{c,d}}'", "'{\"\",\"é<&>\"}'", "'{a,a}'"],
    "record": ["ROW(plants)", "NULL::plants", "ROW()", "ROW(1, 2)", "ROW(rows)"],
    "ltv.survival": [f"(SELECT v FROM curves WHERE name = '{name}')" for name in "good late empty event censored zero zero_censored extreme wide close fitted cohort stepless all_tail slow_tail huge over flat renewals alike nothing".split()],
    "ltv.model": [f"(SELECT v FROM fits WHERE name = '{name}')" for name in "good km all separated collinear no_events one_row tiny at_zero gathered incidence other_cause_only strata form bent pieces periods renewals alike no_churn bought never_again spent mapped bent_mapped flat_mapped nothing boosted overgrown unboosted parts filled amount hybrid two_part flung boosted_value".split()],
    "ltv.calibration": [f"(SELECT v FROM scores WHERE name = '{name}')" for name in "good empty one certain tied extreme nothing".split()],
    "ltv.ranking": [f"(SELECT v FROM rankings WHERE name = '{name}')" for name in "good empty one tied extreme nothing".split()],
    "ltv.survival_calibration": [f"(SELECT v FROM forecasts WHERE name = '{name}')" for name in "good empty one censored zero extreme close nothing".split()],
    "ltv.survival_calibration[]": ["(SELECT array_agg(v) FROM forecasts WHERE name = 'good')", "NULL", "'{}'", "ARRAY[NULL::ltv.survival_calibration]", "(SELECT array_agg(v) FROM forecasts)", "(SELECT ARRAY[v, v] FROM forecasts WHERE name = 'good')"],
    "ltv.design": [f"(SELECT v FROM gatherings WHERE name = '{name}')" for name in "good empty late extreme causes missing gaps nothing amounts flung unknown".split()],
    "ltv.incidence": [f"(SELECT v FROM endings WHERE name = '{name}')" for name in "good late empty event censored zero extreme wide nothing".split()],
    "ltv.profile": ["(SELECT ltv.profile_agg(i / 7.0::float8) FROM generate_series(1, 90) AS i)", "NULL", "(SELECT ltv.profile_agg(NULL::float8))", "(SELECT ltv.profile_agg(i::text) FROM generate_series(1, 90) AS i)", "(SELECT ltv.profile_agg(NULL::text))", "(SELECT ltv.profile_agg(x) FROM unnest(ARRAY[5e-324, 1.7e308, -1.7e308, 0, '-0', 'NaN', 'Infinity']::float8[]) AS x)"],
    "interval": ["'180 days'", "NULL", "'0'", "'-1 month'", "'178000000 years'"],
    "ltv.incidence[]": ["(SELECT array_agg(v) FROM endings WHERE name IN ('good', 'other'))", "NULL", "'{}'", "ARRAY[NULL::ltv.incidence]", "(SELECT array_agg(v) FROM endings)", "(SELECT array_agg(v) FROM endings WHERE name <> 'late')", "array_fill((SELECT v FROM endings WHERE name = 'good'), ARRAY[50])"],
    "ltv.grouped_survival": ["(SELECT ltv.log_rank_agg(i % 3, 0, i, i % 2, 1, (i % 2)::text) FROM generate_series(1, 30) AS i)", "NULL", "(SELECT ltv.log_rank_agg(NULL::text, 1, true))", "(SELECT ltv.log_rank_agg('a'::text, 1, true))", "(SELECT ltv.log_rank_agg(i, 0, 1e308, true, 1e90) FROM generate_series(1, 60) AS i)", "(SELECT ltv.log_rank_agg(i::text, i, i + 0.5, true) FROM generate_series(1, 9) AS i)"],
    "ltv.interval_sample": ["(SELECT ltv.interval_agg(i % 5, i % 5 + i % 3) FROM generate_series(1, 30) AS i)", "NULL", "(SELECT ltv.interval_agg(NULL, 1))", "(SELECT ltv.interval_agg(0, 0))", "(SELECT ltv.interval_agg(i, NULL) FROM generate_series(1, 3) AS i)", "(SELECT ltv.interval_agg(1e308 / i, 1.1e308, 1e90 / i ^ 60) FROM generate_series(1, 20) AS i)", "(SELECT ltv.interval_agg(i * 5e-324, i * 1e-323) FROM generate_series(1, 9) AS i)"],
    "ltv.purchase_sample": ["(SELECT ltv.purchase_agg(i % 4, i % 4 * 0.9, i % 4 + i % 5) FROM generate_series(1, 60) AS i)", "NULL", "(SELECT ltv.purchase_agg(NULL, 1, 2))", "(SELECT ltv.purchase_agg(0, 0, i) FROM generate_series(1, 9) AS i)", "(SELECT ltv.purchase_agg(1000000, 1e15 / i, 1e15, 1e90 / i ^ 40) FROM generate_series(1, 9) AS i)", "(SELECT ltv.purchase_agg(i, i * 5e-324, i * 1e-323) FROM generate_series(1, 9) AS i)"],
    "ltv.spend_sample": ["(SELECT ltv.spend_agg(1 + i % 4, 10 + i % 7) FROM generate_series(1, 60) AS i)", "NULL", "(SELECT ltv.spend_agg(0, 1))", "(SELECT ltv.spend_agg(1000000, 1e30 / i, 1e90 / i ^ 40) FROM generate_series(1, 9) AS i)", "(SELECT ltv.spend_agg(i, 1e-30) FROM generate_series(1, 9) AS i)"],
    "ltv.model_versions": ["(SELECT v FROM ltv.model_versions AS v WHERE model = 'km')", "NULL", "ROW('x', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'infinity', NULL, NULL, NULL, NULL, NULL, NULL)"],
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
    "robust": "true", "weights": "'log-rank'", "method": "'quantile'", "bins": "10", "to_t": "2", "at": "NULL", "algorithm": "'cox'", "duration": "'d'", "event": "'e'", "entry": "NULL", "weight": "NULL", "holdout": "NULL",
    "null_policy": "'error'", "label_policy": "NULL", "note": "NULL", "alias": "'production'", "version": "1", "probability": "0.5", "tau": "5", "features": "'{a}'",
    "load_demo.schema": "'acme'", "load_demo.accounts": "12", "load_demo.seed": "1", "load_demo.as_of": "'2025-06-30'", "load_demo.replace": "true",
    "amount_design_agg.amount": "2.5", "incomplete_amount_design_agg.amount": "2.5", "_incomplete_amount_add.amount": "2.5", "_incomplete_amount_add.state": "(SELECT v FROM gatherings WHERE name = 'unknown')", "loss": "'squared'", "_amount_add.amount": "2.5", "offset": "0.1", "power": "1.5", "amounts": "'gamma'", "rule.rule": "'{\"monthly_churn\": 0.03}'",
    **{f"{name}.d": "(SELECT v FROM gatherings WHERE name = 'amounts')" for name in ("fit_linear", "fit_gamma", "fit_tweedie", "fit_two_part", "_amount_add", "fit_boosted_value")}, "_amount_add.state": "(SELECT v FROM gatherings WHERE name = 'amounts')",
    **{f"{name}.m": "(SELECT v FROM fits WHERE name = 'amount')" for name in ("amount_fit", "expected_value", "expected_value_interval", "outcome_interval", "explain_amount", "amount_deviance")}, **{f"{name}.model": "'amount'" for name in ("expected_value", "expected_value_interval", "outcome_interval", "explain_amount")},
    **{f"{name}.m": "(SELECT v FROM fits WHERE name = 'hybrid')" for name in ("hybrid_components", "hybrid_value", "hybrid_terms", "hybrid_own_terms", "hybrid_curve", "hybrid_revenue", "hybrid_amounts", "hybrid_scenario")}, "hybrid_value.model": "'hybrid'",
    **{f"{name}.m": "(SELECT v FROM fits WHERE name = 'boosted')" for name in ("held_out_limits", "held_out_interval")}, "p_renew": "0.5",
    **{f"{name}.held_out": "'{\"version\":1,\"time\":[1,2,30],\"time_from\":[1,2,20],\"risk\":[-0.5,0.5],\"exits\":[[0,30,2,1,0,30,2,9,80],[0,40,2,2,8,60]]}'" for name in ("held_out_summary", "held_out_limits", "held_out_interval")},
    **{f"{name}.terms": "NULL" for name in ("hybrid_value", "hybrid_terms", "hybrid_amounts", "hybrid_scenario", "fit_hybrid")}, **{f"fit_hybrid.{role}": "NULL" for role in ("expansion", "margin", "cost", "revenue", "names")}, "fit_hybrid.renewal": "'km'",
    **{f"{name}.{argument}": "NULL" for name in ("train", "train_plan") for argument in ("target", "segment_by", "min_events", "started_on", "known_on", "half_life", "era", "expected_signs")},
    **{f"{name}.{argument}": value for name in ("train", "train_plan") for argument, value in {"pooling": "'partial'", "unit": "'week'", "options": "'{\"ties\": \"breslow\"}'", "strata": "'g'", "cluster": "'g'"}.items()},
    **{f"{name}.m": "(SELECT v FROM fits WHERE name = 'parts')" for name in ("segment_model", "model_segments", "segment_coefficients")}, "segment_model.segment": "'g1'",
    "fit_baseline.m": "(SELECT v FROM fits WHERE name = 'gathered')", "coefficients": "NULL", "covariance": "NULL",
    **{f"{name}.{argument}": value for name in ("timeline_asof", "timeline_query", "lifetimes", "renewal_events", "contract_features", "payment_features", "derive_outcomes", "label_audit", "check_timeline", "apply_account_map")
       for argument, value in {"timeline": "'book'", "invoices": "'book'", "map": "'book'", "rates": "'book'", "as_of": "'2024-01-31'", "grain": "'account'", "observed_from": "'2023-06-30'"}.items()},
    "find_duplicates.source": "'book'", "find_duplicates.id": "'account_id'", "find_duplicates.name": "'contract_id'", "match_on": "'{state}'",
    **{f"{name}.{argument}": value for name in ("fit_boosted_hazard", "fit_boosted_value") for argument, value in {"trees": "20", "depth": "3", "learning_rate": "0.1", "min_child_weight": "5", "l2": "1", "gamma": "0", "subsample": "0.9", "monotone": "'{\"a\": 1}'", "early_stopping": "5",
       "validation": "0.2", "seed": "1"}.items()},
    "kind": "'dfbeta'", "ties": "'breslow'", "names": "'{a}'", "penalty": "0", "l1_ratio": "0",
    "checked_query.amounts": "'{mrr}'", "checked_query.as_of": "'2024-01-31'",
    "proportional_hazards_test.transform": "'km'", "proportional_hazards_test.terms": "NULL",
    "cause": "1", "rho": "0", "variance": "'greenwood'",
    "adjust": "'holm'", "scores": "NULL", "estimator": "'kaplan-meier'", "criterion": "'aic'", "candidates": "'{weibull,exponential}'", "baseline": "'period'", "degree": "2", "period": "1", "link": "'logit'",
    "survivors": "5", "renewals": "2", "next": "1", "periods": "12", "period_months": "12", "churned": "false",
    "timeline": "'subscriptions'", "rates": "NULL", "segments": "NULL", "historical_value.payments": "NULL", "by": "NULL", "grain": "'account'", "fx_asof": "NULL", "cross_rates.fx_asof": "'2024-06-01'", "reporting_rates.rates": "'quotes'", "reporting_rates.fx_asof": "'2024-01-31'", "measure": "'arr'",
    "from_month": "'2023-06-30'", "to_month": "'2024-01-31'", "from_on": "'2023-06-30'", "to_on": "'2024-06-30'", "retention.on_date": "'2024-01-31'", "nrr.on_date": "'2024-01-31'", "grr.on_date": "'2024-01-31'",
    "logo_churn.on_date": "'2024-01-31'", "cohort_retention.on_date": "'2024-01-31'", "historical_value.on_date": "'2024-01-31'", "cohort_retention.cohort": "'month'", "cohort_retention.period": "'month'",
    "cohort_retention.baseline": "0", "renewal_rate.period": "'quarter'", "early_days": "90", "grace_days": "30",
    "digits": "2", "day_count": "'ACT/365F'", "compounding": "'annual'", "from_compounding": "'annual'", "to_compounding": "'per-month'", "convention": "'iso'", "from_currency": "'USD'", "to_currency": "'EUR'",
    "check_new_model.model": "'a model to come'", "convert.rates": "'fx'", "cross_rates.rates": "'fx'", "check_rates.rates": "'fx'", "rates_query.rates": "'fx'", "on_date": "'2024-06-01'", "basis": "NULL", "reporting": "NULL", "missing": "'error'", "payments": "'receipts'",
    "cohort_ltv.as_of": "'2024-06-30'", "rfm.as_of": "'2024-06-30'", "cohort_ltv.grain": "'month'", "rfm.buckets": "5", "since": "NULL",
    "account_column": "NULL", "paid_on_column": "NULL", "amount_column": "NULL", "currency_column": "'currency'",
    "ramp": "NULL", "value_basis": "'contribution'", "expansion_curve": "NULL", "expansion_curve_months": "12", "notice_months": "1", "auto_renew": "true", "early_termination": "0", "termination_fee": "0",
    "payment_days": "30", "bad_debt": "0.01", "discount_curve": "NULL", "tail_months": "NULL", "hazard_ratio": "1", "changes": "'{\"revenue\": {\"times\": 0.9}, \"horizon\": 24}'",
    "gate.require": "'{\"n_rows\": \">= 1\"}'", "requirements.require": "'{\"n_rows\": \">= 1\"}'", "set_policy.require": "'{\"n_rows\": \">= 1\"}'", "promote.require": "NULL", "grantee": "'postgres'", "privilege": "'predict'", "to_version": "NULL", "fall_back.model": "'km'", "status": "'validated'",
    "document": "(SELECT ltv.export_model('cox', 1))", "on_conflict": "'skip'", "as_model": "NULL", "v1": "1", "v2": "2", "metrics": "(SELECT '[]'::jsonb)", "parent": "NULL", "lineage": "'{}'",
    "lever": "'horizon'", "sensitivity.at": "'{12}'", "scenarios": "'{\"shorter\": {\"horizon\": 6}}'", "scenario": "'{\"price_change\": 0.1, \"elasticity\": 1}'", "with_features.changes": "'{\"a\": {\"plus\": 1}}'",
    "book_query.timeline": "'account_book'", "forecast_arr.timeline": "'account_book'", "book_query.as_of": "'2024-01-31'", "forecast_arr.as_of": "'2024-01-31'", "portfolio_months.p": "(SELECT ltv.run_rate_agg(v, 1, '{100}', '{0}', '{NULL}', '{3}', '{NULL}', 0, 3, 'EUR') FROM curves WHERE name = 'good')",
    "discounts": "'{0,0.1}'", "months": "12", "forecast_arr.features": "'account_book'", "pricing_grid.term_months": "'{12}'", "terms": "'{12}'", **{f"{name}.renewals": "'{NULL}'" for name in ("run_rate_agg", "_run_rate_add")}, "ends": "'{NULL}'",
    "kernel": "'epanechnikov'", "distribution": "'weibull'", "ancillary": "'{a}'", "knots": "NULL", "knot_times": "NULL", "breaks": "NULL", "renewed": "1", "location": "'{a}'", "cured": "'{a}'",
    "top": "3", "explain.unit": "'probability'", "profiles": "(SELECT '[]'::jsonb)", "repeats": "1", "grid": "NULL", "score.id": "'i'", "score.given": "NULL", "explain_top": "3", "partial_dependence.feature": "'a'", "similar.id": "'i'", "similar.key": "'1'", "k": "3",
    "profile_levels.p": "(SELECT ltv.profile_agg(i / 7.0::float8) FROM generate_series(1, 90) AS i)",
    "profile_quantile.p": "(SELECT ltv.profile_agg(i / 7.0::float8) FROM generate_series(1, 90) AS i)",
    "profile_rank.p": "(SELECT ltv.profile_agg(i / 7.0::float8) FROM generate_series(1, 90) AS i)",
    "profile_summary.p": "(SELECT ltv.profile_agg(i / 7.0::float8) FROM generate_series(1, 90) AS i)",
    "map": "'{\"beta\": {\"intercept\": 0.1, \"event\": 0.9, \"survival\": 1.1}}'", "fit_recalibration.method": "'intercept'", "recalibrate.method": "'intercept'", "recalibrate.source": "'planted'", "min_events": "3", "calibration_at.horizon": "5", "conformal_margin.errors": "(SELECT ltv.survival_agg(d, true) FROM plants)", "conformal_interval.errors": "(SELECT ltv.survival_agg(d, true) FROM plants)", "conformal_interval.scale": "2", "lifetime_bound.places": "(SELECT ltv.survival_agg(i / 90.0, true) FROM generate_series(1, 89) AS i)", "prediction": "10",
    "single_query.query": "'SELECT 1;'", **{f"{name}.null_policy": "'learn'" for name in ("compare_algorithms", "backtest", "train_auto")}, "training": "'SELECT 0::float8 AS entry, d AS duration, e AS event, a FROM public.plants'", "testing": "'SELECT 1::float8 AS given, d AS duration, e AS event, a FROM public.plants'", "algorithms": "'{weibull}'", "started": "'day'",
    "backtest.key": "'i'", "backtest.unit": "'day'", "train_auto.unit": "'day'", "train_auto.started": "NULL", "train_auto.metric": "'brier'", "cut_offs": "2", "embargo": "'1 day'", "step": "'20 days'", "lookback": "NULL", "window": "NULL",
    **{f"{name}.options": "'{}'" for name in ("compare_algorithms", "backtest", "train_auto", "fit_statement")}, "fit_statement.levels": "NULL", "backtest.source": "'planted'", "first_cut_off": "'2024-03-01'", "last_cut_off": "'2024-04-01'", "train_auto.model": "'auto'",
    "segment_profile.by": "'g'", "thresholds": "NULL",
    "mapping_sql.source": "'zuora'", "mapping_sql.time_zone": "'UTC'", "timeline_from_payments.payments": "'payments'", "timeline_from_payments.as_of": "'2024-01-31'",
    "timeline_from_payments.customer": "'customer'", "timeline_from_payments.paid_on": "'paid_on'", "timeline_from_payments.amount": "'amount'",
    **{f"{name}.model": "'repeat'" for name in ("probability_alive", "expected_purchases", "purchase_probability", "discounted_purchases")}, "expected_spend.model": "'basket'",
    **{f"{name}.{role}": value for name in ("transactional_value", "transactional_cash_flows") for role, value in (("purchases", "'repeat'"), ("spend", "'basket'"))},
    "frequency": "2", "recency": "1.5", "age": "3", "mean_value": "10", "purchases": "2", "unit": "'week'", "customer": "'g'", "purchase_summary.at": "'day'", "amount": "'d'", "purchase_summary.as_of": "'2024-01-31'",
    **{f"{name}.by": "'{g}'" for name in ("evaluate", "calibration", "lift", "predicted_vs_actual", "fairness", "error_hotspots", "evaluation_query", "precision_recall", "best_threshold")},
    "days_in.unit": "'month'", "fit_statement.options": "'{}'",
    "precision_recall.source": "'plants'", "best_threshold.source": "'plants'", "censoring": "'grouped'", "censoring_by": "'{g}'", "evaluation_query.outcome": "'event'", "evaluation_query.features": "true", "nothing_to_judge.outcome": "'event'", "suppressed_groups.groups": "'{a,b,c}'", "suppressed_groups.sizes": "'{3,50,60}'", "durations": "'{1,2,3}'", "entries": "'{0,0,0}'", "events": "'{t,f,t}'", "inverse_censoring_weights.weights": "'{1,2,3}'", "censoring_groups.weights": "'{1,2,3}'", "censoring_groups.predicted": "'{0.2,0.5,0.9}'", "censoring_groups.horizon": "2", "importance.loss": "'brier'", "inverse_censoring_weights.horizon": "2",
    "run_a": "'runs'", "run_b": "'runs'", "explain_change.id": "'i'", "explain_change_rows.id": "'i'", "model_before": "'cox'", "model_after": "'cox'", "rate_before": "1", "rate_after": "1", "scenario.source": "'runs'",
    "weighted_poisson_interval.total": "15", "weighted_poisson_interval.sum_of_squares": "75", "weighted_poisson_interval.heaviest": "6", "segment_label.value": "'all'",
    "rows": "'all'", "value": "NULL", "min_rows": "5", "buckets": "10", "threshold": "0.3", "top": "5", "horizons": "'{12}'", "until": "NULL", "expected_events.until": "12", "expected_events.since": "0", "fitted_here": "false", "benefit": "5", "cost": "1", "capacity": "20",
    "concordance.method": "'uno'", "ranking_agg.value": "1", "_ranking_add.value": "1", "predicted_survival": "0.5", "integrated_brier_score.s": "(SELECT ARRAY[v, v] FROM forecasts WHERE name = 'good')", "integrated_brier_score.horizons": "'{5,12}'",
}  # fmt: skip
# What reads models of counted renewals only.
COUNTERS = {"with_period", "retention_curve", "conditional_renewal_probability", "derl", "expected_lifetime"}
RELATIONS = {"'book'", "'runs'", "'account_book'", "'subscriptions'", "'quotes'", "'payments'", "'receipts'", "'fx'", "'plants'", "'planted'"}
# Functions that take models of purchases, and of what they are worth.
TRANSACTIONAL = {"probability_alive", "expected_purchases", "purchase_probability", "discounted_purchases", "expected_spend", "transactional_value", "transactional_cash_flows"}
CALLS_PER_FUNCTION = 150
# What PostgreSQL says of a text that names no relation, where a function takes its name as text.
NO_RELATION = {"42P01", "42602", "3F000", "0A000"}
REFUSALS = {"22023", "22003", "22004", "22P02", "22007", "22008", "23514", "42703", "42804", "42809", "42501", "42704", "53200", "55000", "P0002"}


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
    return value if type_name in ("record", "unknown", '"any"') or value.startswith("(") else f"{value}::{type_name}"


def working(function: Function, at: int) -> str:
    """The first choice for an argument: by its name, else by its type."""
    name, type_name = function.names[at], function.types[at]
    if type_name == "integer" and name in ("event", "outcome"):
        return "1"
    if type_name == "double precision" and name == "entry":
        return "0"
    if type_name == "integer" and name == "period":
        return "0"
    if type_name == "ltv.model" and function.name in COUNTERS:
        return "(SELECT v FROM fits WHERE name = 'renewals')"
    if type_name == "ltv.model" and "ltv.design" in function.types:
        return "(SELECT v FROM fits WHERE name = 'gathered')"
    if type_name == "ltv.model" and function.name in TRANSACTIONAL:
        return f"(SELECT v FROM fits WHERE name = '{'spent' if function.name == 'expected_spend' or name == 'spend' else 'bought'}')"
    if type_name == "regclass" and function.name == "purchase_summary":
        return "'bought'"
    value = WORKING.get(f"{function.name}.{name}", WORKING.get(name, VALUES[type_name][0]))
    if re.fullmatch(r"'[0-9]{4}-[0-9]{2}-[0-9]{2}'", value):
        fits = type_name == "date"
    elif value in RELATIONS:
        fits = type_name == "regclass" or type_name == "text" and name == "source"
    else:
        fits = type_name == "text" or not value.startswith("'") or value.startswith("'{")
    if type_name == "ltv.design" and function.name == "fit_fine_gray":
        return "(SELECT v FROM gatherings WHERE name = 'causes')"
    return value if fits and type_name != "record" and (not type_name.startswith("ltv.") or f"{function.name}.{name}" in WORKING) else VALUES[type_name][0]


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
        "ranking_agg": "ltv.auc_interval(v), ltv.gini(v), ltv.average_precision(v), (SELECT jsonb_agg(c) FROM ltv.lift_table(v) AS c), (SELECT jsonb_agg(c) FROM ltv.precision_recall(v) AS c), ltv.best_threshold(v, 3, 1)",
        "survival_calibration_agg": """ltv.brier_score(v, 1), ltv.auc(v, 1), ltv.expected_calibration_error(v, 1), ltv.concordance(v), ltv.concordance(v, 'uno', 5), (SELECT jsonb_agg(c) FROM ltv.calibration_curve(v, 1) AS c),
            ltv.integrated_calibration_index(v, 1), ltv.d_calibration(v), (SELECT jsonb_agg(c) FROM ltv.d_calibration_table(v) AS c)""",
        "calibration_agg": "ltv.hosmer_lemeshow(v), ltv.spiegelhalter(v), ltv.integrated_calibration_index(v), (SELECT jsonb_agg(i) FROM ltv.isotonic(v) AS i), ltv.brier(v), ltv.auc(v), ltv.log_loss(v), ltv.calibration_slope(v), (SELECT jsonb_agg(c) FROM ltv.calibration_curve(v) AS c)",
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
        expected = REFUSALS | NO_RELATION if function.name in ("precision_recall", "best_threshold") and function.types[1] == "text" else REFUSALS
        problems += [f"{row[1]} {row[2]}: {str(row[0])[:400]}" for row in answers if row[1] not in expected]
        works = [row for row in answers if row[0] == batch[0]]
        if works and not function.name.startswith("_"):
            problems.append(f"{works[0][1]} {works[0][2]}: meant to work: {batch[0]}")
    assert cluster.value("SELECT pg_postmaster_start_time()") == started
    assert not problems, "\n".join([f"{len(problems)} problems", *problems[:60]])
    assert 4000 < tried < CALLS_PER_FUNCTION * len(found) and refused < tried * 0.8, f"{tried} calls, {refused} refused"
