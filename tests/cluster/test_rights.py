"""Who may do what, as whom, and under whose names."""

from harness import Cluster, role

ROWS = """CREATE TABLE rows AS SELECT i % 40 + 1 AS d, i % 3 <> 0 AS e, sin(i) AS a, 'g' || i % 3 AS g, date '2024-01-01' + i AS day, i,
    CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END AS owner FROM generate_series(1, 500) AS i;"""
TRAIN = "SELECT n_rows FROM ltv.train('m', 'public.rows', 'cox', 'd', 'e', features => ARRAY['a', 'g'])"


def test_anybody_may_compute_and_score_with_a_model_at_hand(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    role(cluster, "some_reader")
    cluster.execute("GRANT SELECT ON rows TO some_reader")
    as_reader = "SET ROLE some_reader; "
    assert cluster.value(as_reader + "SELECT ltv.median(ltv.survival_agg(d, e)) IS NOT NULL FROM rows") == "t"
    assert cluster.value(as_reader + "SELECT ltv.median(ltv.rollup(s)) IS NOT NULL FROM (SELECT ltv.survival_agg(d, e) AS s FROM rows GROUP BY g) AS x") == "t"
    assert cluster.value(as_reader + "SELECT ltv.brier(ltv.calibration_agg(0.5, e)) FROM rows") == "0.25"
    assert cluster.value(as_reader + """SELECT count(*) FROM rows, LATERAL (SELECT ltv.fit_cox(d, e, ARRAY[a]) AS m FROM rows) AS f,
        LATERAL (SELECT rows.a AS x1) AS r WHERE ltv.renewal_probability(m, r, 3) > 0""") == "500"
    assert cluster.value(as_reader + "SELECT (ltv.lifetime_value(ltv.survival_agg(d, e), 100)).status FROM rows") is not None


def test_the_registry_is_closed_until_granted(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.query(TRAIN)
    role(cluster, "ltv_outsider")
    cluster.execute("GRANT SELECT ON rows TO ltv_outsider")
    for sql in (
        TRAIN,
        "SELECT ltv.promote('m', 1)",
        "SELECT ltv.model('m')",
        "SELECT ltv.model_version('m')",
        "SELECT ltv.renewal_probability('m', rows, 12) FROM rows",
        "SELECT * FROM ltv.models",
        "SELECT * FROM ltv.model_versions",
        "SELECT * FROM ltv.v_models",
        "SELECT * FROM ltv.v_production",
        "SELECT * FROM ltv.events",
        "DELETE FROM ltv.events",
        "INSERT INTO ltv.aliases VALUES ('m', 'production', 1)",
        "SELECT ltv._survival_add(NULL, 1, true)",
        "SELECT ltv._fit_cox(NULL)",
        "CREATE TABLE ltv.mine ()",
    ):
        refused = cluster.error(f"SET ROLE ltv_outsider; {sql}")
        assert refused.sqlstate == "42501", f"{refused} of {sql}"


def test_a_name_is_looked_up_anew_for_another_role(cluster: Cluster) -> None:
    """An expression of a function keeps what it has looked up for the transaction: who calls it next may not see that."""
    cluster.execute(ROWS)
    cluster.query(TRAIN)
    for name in ("some_insider", "some_stranger"):
        role(cluster, name)
    cluster.execute(
        """GRANT SELECT ON rows TO some_insider, some_stranger;
        GRANT SELECT ON ltv.models, ltv.model_versions, ltv.aliases TO some_insider;
        CREATE FUNCTION chance(r rows) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN ltv.renewal_probability('m', r, 12); END $$"""
    )
    ask = "SELECT chance(rows) > 0 FROM rows LIMIT 1"
    assert cluster.value(f"SET ROLE some_insider; {ask}") == "t"
    refused = cluster.error(f"BEGIN; SET LOCAL ROLE some_insider; {ask}; SET LOCAL ROLE some_stranger; {ask}")
    assert refused.sqlstate == "42501", str(refused)


def test_a_policy_that_reads_a_setting_holds_for_each_query(cluster: Cluster) -> None:
    """An expression of a function keeps its model for the transaction; a query within it, and a model by value, do not."""
    cluster.execute(ROWS)
    cluster.query(TRAIN)
    cluster.query(TRAIN.replace("'cox'", "'weibull'"))
    role(cluster, "some_tenant")
    cluster.execute(
        """GRANT SELECT ON rows TO some_tenant; GRANT SELECT ON ltv.models, ltv.model_versions, ltv.aliases TO some_tenant;
        CREATE POLICY tenant ON ltv.model_versions AS RESTRICTIVE FOR SELECT USING (version = current_setting('app.v')::int);
        CREATE FUNCTION by_query(v text, r rows) RETURNS float8 LANGUAGE plpgsql AS
            $$ DECLARE p float8; BEGIN PERFORM set_config('app.v', v, true); SELECT ltv.renewal_probability('m', x, 12) INTO p FROM rows AS x WHERE x.i = r.i; RETURN p; END $$;
        CREATE FUNCTION by_value(v text, r rows) RETURNS float8 LANGUAGE plpgsql AS
            $$ BEGIN PERFORM set_config('app.v', v, true); RETURN ltv.renewal_probability(ltv.model('m'), r, 12); END $$"""
    )
    for function in ("by_query", "by_value"):
        # One and the same call sites, twice in one transaction.
        ask = f"SELECT count(DISTINCT {function}(v, rows)) FROM rows, unnest(ARRAY['1', '2', '1', '2']) AS v WHERE i = 7"
        assert cluster.value(f"SET ROLE some_tenant; {ask}") == "2", function


def test_grants_open_it_step_by_step(cluster: Cluster) -> None:
    """Readers read, trainers train but do not promote, and both act under their own names."""
    cluster.execute(ROWS)
    for name in ("ltv_scorer", "some_trainer", "ltv_promoter"):
        role(cluster, name)
    cluster.execute(
        """GRANT SELECT ON rows TO ltv_scorer, some_trainer;
        GRANT SELECT ON ltv.models, ltv.model_versions, ltv.aliases TO ltv_scorer, some_trainer, ltv_promoter;
        GRANT EXECUTE ON FUNCTION ltv.train TO some_trainer; GRANT INSERT ON ltv.models, ltv.model_versions, ltv.events TO some_trainer;
            GRANT UPDATE ON ltv.models TO some_trainer;
        GRANT EXECUTE ON FUNCTION ltv.promote TO ltv_promoter; GRANT INSERT, UPDATE ON ltv.aliases TO ltv_promoter; GRANT UPDATE ON ltv.models, ltv.model_versions TO ltv_promoter; GRANT INSERT ON ltv.events TO ltv_promoter"""
    )
    assert cluster.query(f"SET ROLE some_trainer; {TRAIN}") == [["500"]]
    assert cluster.error("SET ROLE some_trainer; SELECT ltv.promote('m', 1)").sqlstate == "42501"
    assert cluster.value("SET ROLE ltv_promoter; SELECT ltv.promote('m', 1)") == "m@production is version 1"
    assert cluster.error(f"SET ROLE ltv_promoter; {TRAIN}").sqlstate == "42501"
    assert cluster.value("SET ROLE ltv_scorer; SELECT count(ltv.renewal_probability('m', rows, 12)) FROM rows") == "500"
    assert cluster.error(f"SET ROLE ltv_scorer; {TRAIN}").sqlstate == "42501"
    assert cluster.query("SELECT action, actor FROM ltv.events ORDER BY occurred_at") == [["train", "some_trainer"], ["promote", "ltv_promoter"]]
    assert cluster.query("SELECT trained_by, set_by FROM ltv.model_versions, ltv.aliases") == [["some_trainer", "ltv_promoter"]]


def test_the_trail_keeps_who_had_logged_in(cluster: Cluster) -> None:
    """Whoever comes by SET ROLE or a SECURITY DEFINER function uses the rights of another; the trail names both, and a dump keeps them."""
    cluster.execute(ROWS)
    for name in ("lent_trainer", "lent_analyst"):
        role(cluster, name)
    cluster.execute("""GRANT lent_trainer TO lent_analyst; GRANT SELECT ON rows TO lent_trainer; GRANT SELECT ON ltv.models, ltv.model_versions, ltv.aliases TO lent_trainer;
        GRANT EXECUTE ON FUNCTION ltv.train TO lent_trainer; GRANT INSERT ON ltv.models, ltv.model_versions, ltv.events TO lent_trainer;
        CREATE FUNCTION trained_for() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN (SELECT count(*) FROM ltv.train('m', 'rows', 'cox', 'd', 'e', features => ARRAY['a'])); END $$;
        ALTER FUNCTION trained_for() OWNER TO lent_trainer""")
    cluster.query(f"SET SESSION AUTHORIZATION lent_analyst; SET ROLE lent_trainer; {TRAIN}")
    cluster.query("SET SESSION AUTHORIZATION lent_analyst; SELECT trained_for()")
    cluster.query("SELECT ltv.promote('m', 2)")
    trail = "SELECT action, version, actor, login FROM ltv.v_events ORDER BY occurred_at"
    found = [["train", "1", "lent_trainer", "lent_analyst"], ["train", "2", "lent_trainer", "lent_analyst"], ["promote", "2", "postgres", "postgres"]]
    assert cluster.query(trail) == found
    cluster.restore(cluster.dump(), db="restored")
    assert cluster.query(trail, db="restored") == found
    # An import is of who imports: the document does not carry the trail.
    cluster.query("SELECT ltv.import_model(ltv.export_model('m', 1), as_model => 'carried')", db="restored")
    assert cluster.query("SELECT action, actor, login FROM ltv.events WHERE model = 'carried'", db="restored") == [["import", "postgres", "postgres"]]


def test_who_trains_recalibrates_and_who_reads_backtests(cluster: Cluster) -> None:
    """What writes the registry is the trainer's alone; a backtest asks for nothing but the rows."""
    cluster.execute(ROWS)
    cluster.query(TRAIN)
    cluster.execute("CREATE TABLE later AS SELECT i, d + 0.5 AS d, e, a, g, date '2020-01-01' + i AS day FROM rows")
    for name in ("some_reader", "some_trainer"):
        role(cluster, name)
        cluster.execute(f"GRANT SELECT ON later, ltv.models, ltv.model_versions, ltv.aliases TO {name}")
    cluster.execute("GRANT EXECUTE ON FUNCTION ltv.train, ltv.recalibrate, ltv.train_auto TO some_trainer; GRANT INSERT ON ltv.models, ltv.model_versions, ltv.events TO some_trainer")
    recalibrate = "SELECT count(*) FROM ltv.recalibrate('m@1', 'later', 'intercept', 6)"
    auto = "SELECT count(*) FROM ltv.train_auto('auto', 'later', 'd', 'e', 6, features => ARRAY['a'], algorithms => ARRAY['weibull'])"
    backtest = "SELECT count(*) > 0 FROM ltv.backtest('later', 'day', 'd', 'e', 3, '2020-10-01', '2020-10-01', features => ARRAY['a'], unit => 'day')"
    for sql in (recalibrate, auto):
        assert cluster.error(f"SET ROLE some_reader; {sql}").sqlstate == "42501"
    assert cluster.value(f"SET ROLE some_reader; {backtest}") == "t"
    assert cluster.value(f"SET ROLE some_trainer; {recalibrate}") == "5"
    assert cluster.value(f"SET ROLE some_trainer; {auto}") == "2"
    assert cluster.query("SELECT model, version, parent, status, trained_by FROM ltv.model_versions WHERE trained_by = 'some_trainer' ORDER BY model") == [
        ["auto", "1", None, "candidate", "some_trainer"],
        ["m", "2", "1", "candidate", "some_trainer"],
    ]
    assert cluster.error("SET ROLE some_reader; SELECT * FROM ltv.backtest('rows', 'i', 'd', 'e', 3, '2020-10-01')").sqlstate in ("22023", "42501")


def test_training_needs_the_callers_right_to_the_source(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    role(cluster, "some_trainer")
    cluster.execute("""GRANT EXECUTE ON FUNCTION ltv.train TO some_trainer; GRANT ALL ON ltv.models, ltv.model_versions, ltv.events TO some_trainer;
        GRANT SELECT (d, e, a) ON rows TO some_trainer""")
    assert cluster.error(f"SET ROLE some_trainer; {TRAIN}").sqlstate == "42501"
    assert cluster.query("SET ROLE some_trainer; " + TRAIN.replace("'a', 'g'", "'a'")) == [["500"]]


def test_row_security_of_the_source_is_the_callers(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    role(cluster, "even")
    cluster.execute(
        """ALTER TABLE rows ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON rows USING (owner = current_user);
        GRANT SELECT ON rows TO even; GRANT EXECUTE ON FUNCTION ltv.train TO even; GRANT ALL ON ltv.models, ltv.model_versions, ltv.events TO even"""
    )
    assert cluster.query(TRAIN) == [["500"]]
    assert cluster.query(f"SET ROLE even; {TRAIN}") == [["250"]]
    held_out = TRAIN.replace("n_rows", "n_rows + n_holdout").replace("])", """], holdout => '{"by": "i", "fraction": 0.5}') LIMIT 1""")
    assert cluster.query(f"SET ROLE even; {held_out}") == [["250"]]


def test_row_security_on_the_registry_hides_versions(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.query(f"{TRAIN}; {TRAIN}")
    role(cluster, "ltv_scorer")
    cluster.execute("""GRANT SELECT ON ltv.models, ltv.model_versions, ltv.aliases TO ltv_scorer;
        CREATE POLICY first ON ltv.model_versions AS RESTRICTIVE USING (version = 1)""")
    assert cluster.value("SET ROLE ltv_scorer; SELECT ltv.model_version('m')") == "1"
    assert cluster.error("SET ROLE ltv_scorer; SELECT ltv.model('m@2')").sqlstate == "P0002"


HOSTILE = """CREATE SCHEMA hostile; CREATE TABLE hostile.hits (what text);
CREATE FUNCTION hostile.hit(what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hostile.hits VALUES (what); END $$;
DO $$
DECLARE
    o record;
BEGIN
    -- Every operator and function that a query of ours might use, once more with a side effect.
    FOR o IN SELECT DISTINCT opr.oprname, opr.oprleft::regtype AS l, opr.oprright::regtype AS r, opr.oprresult::regtype AS t
             FROM pg_operator opr WHERE opr.oprname IN ('=', '<>', '<', '>', '<=', '>=', '~', '||', '->>', '->', '+', '-', '*', '/', '%', '&')
               AND opr.oprleft::regtype::text IN ('text', 'name', 'oid', 'integer', 'bigint', 'date', 'timestamp without time zone',
                   'double precision', 'jsonb', '"char"', 'interval', 'numeric')
               AND opr.oprright::regtype::text IN ('text', 'name', 'oid', 'integer', 'bigint', 'date', 'timestamp without time zone',
                   'double precision', 'jsonb', '"char"', 'interval', 'numeric') LOOP
        EXECUTE format('CREATE FUNCTION hostile.%I(%s, %s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM hostile.hit(%L); RETURN $1 OPERATOR(pg_catalog.%s) $2; END $f$', 'op' || md5(o::text), o.l, o.r, o.t, o::text, o.oprname);
        EXECUTE format('CREATE OPERATOR hostile.%s (LEFTARG = %s, RIGHTARG = %s, PROCEDURE = hostile.%I)', o.oprname, o.l, o.r, 'op' || md5(o::text));
    END LOOP;
    FOR o IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, p.prorettype::regtype AS t
             FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND NOT p.proretset AND p.provariadic = 0
                 AND p.prorettype::regtype::text NOT IN ('internal', 'cstring', 'trigger', 'anyelement', 'anyarray')
               AND NOT (p.proargtypes::oid[] && ARRAY['internal'::regtype, 'cstring'::regtype, 'anyelement'::regtype, 'anyarray'::regtype,
                   'anynonarray'::regtype]::oid[])
               AND p.proname IN ('split_part', 'substr', 'length', 'hashtextextended', 'quote_ident', 'quote_literal', 'format_type', 'now',
                   'clock_timestamp', 'gen_random_uuid', 'int4', 'float8', 'text', 'date', 'timestamp', 'interval', 'jsonb_array_length', 'round', 'abs') LOOP
        EXECUTE format('CREATE FUNCTION hostile.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM hostile.hit(%L); RETURN NULL; END $f$',
            o.proname, o.arguments, o.t, o.proname);
    END LOOP;
END
$$;
CREATE FUNCTION hostile.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.hit('format'); RETURN 'hostile.hits'; END $$;
CREATE FUNCTION hostile.coalesced(state bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.hit('count'); RETURN 7; END $$;
CREATE AGGREGATE hostile.count(*) (SFUNC = hostile.coalesced, STYPE = bigint);
CREATE AGGREGATE hostile.max(integer) (SFUNC = pg_catalog.int4larger, STYPE = integer, INITCOND = '41');
CREATE AGGREGATE hostile.max(date) (SFUNC = pg_catalog.date_larger, STYPE = date, INITCOND = '2100-01-01');
CREATE TABLE hostile.pg_class (oid oid, relname name, relnamespace oid); CREATE TABLE hostile.pg_attribute (attrelid oid);
    CREATE TABLE hostile.models (name text); CREATE TABLE hostile.model_versions (model text);
CREATE DOMAIN hostile.float8 AS pg_catalog.float8 CHECK (VALUE > 1e9); CREATE DOMAIN hostile.text AS pg_catalog.text CHECK (VALUE = 'hostile'); CREATE DOMAIN hostile.int4 AS pg_catalog.int4 CHECK (VALUE > 1000000);"""
EVERYTHING = """SELECT n_rows, n_holdout FROM ltv.train('m', 'public.rows', 'cox', 'd', 'e', features => ARRAY['a', 'g'], holdout => '{"by": "day", "from": "2025-01-01"}', null_policy => 'drop');
SELECT n_rows, n_holdout FROM ltv.train('m', 'public.rows', 'cox', 'd', 'e', features => ARRAY['a', 'g'], holdout => '{"by": "day", "last": "3 months"}');
SELECT n_rows, n_holdout FROM ltv.train('m', 'public.rows', 'kaplan_meier', 'd', 'e', features => ARRAY['g'], holdout => '{"by": "i", "fraction": 0.3}') LIMIT 1;
SELECT ltv.promote('m', 1, reason => 'test'); SELECT ltv.promote('m', 2, 'staging');
SELECT ltv.model_version('m'), ltv.model_version('m@latest'), ltv.model_version('m@staging');
SELECT ltv.median(ltv.survival_agg(d, e)), ltv.quantile(ltv.survival_agg(d, e)) FROM public.rows;
SELECT ltv.renewal_probability('m', rows, 12), ltv.renewal_probability(ltv.model('m'), rows, 12) FROM public.rows WHERE i OPERATOR(pg_catalog.=) 7;
SELECT model, version, status, algorithm, features, source, n_rows FROM ltv.v_models ORDER BY version USING OPERATOR(pg_catalog.<); SELECT model, alias, version FROM ltv.v_production ORDER BY alias USING OPERATOR(pg_catalog.<);"""


def test_no_search_path_leads_astray(cluster: Cluster) -> None:
    """The same answers, and nothing hostile executed, when operators, functions, types and tables of the same names come first."""
    cluster.execute(ROWS + HOSTILE)
    expected = cluster.query(f"BEGIN; {EVERYTHING} ROLLBACK;")
    answers = cluster.query(f"SET search_path = hostile, pg_catalog, public; {EVERYTHING}")
    assert cluster.query("SELECT what, count(*) FROM hostile.hits GROUP BY what") == []
    assert answers == expected


def test_a_better_match_in_public_is_not_taken(cluster: Cluster) -> None:
    """With the default search_path an operator for a column's own domain would fit better than pg_catalog's."""
    cluster.execute(
        """CREATE DOMAIN day AS date; CREATE DOMAIN label AS text; CREATE DOMAIN amount AS float8;
        CREATE TABLE hits (what text);
        CREATE FUNCTION later(day, date) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hits VALUES ('>='); RETURN true; END $$;
        CREATE OPERATOR public.>= (LEFTARG = day, RIGHTARG = date, PROCEDURE = later);
        CREATE FUNCTION hashtextextended(label, bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hits VALUES ('hash'); RETURN 1; END $$;
        CREATE FUNCTION same(label, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hits VALUES ('='); RETURN true; END $$;
        CREATE OPERATOR public.= (LEFTARG = label, RIGHTARG = text, PROCEDURE = same);
        CREATE AGGREGATE public.max(day) (SFUNC = pg_catalog.date_larger, STYPE = date, INITCOND = '2100-01-01');
        CREATE TABLE rows AS SELECT (i % 40 + 1)::amount AS d, i % 3 <> 0 AS e, ('g' || i % 3)::label AS g, ('c' || i)::label AS id, (date '2024-01-01' + i)::day AS day FROM generate_series(1, 500) AS i"""
    )
    train = "SELECT DISTINCT n_rows FROM ltv.train('m', 'rows', 'cox', 'd', 'e', features => ARRAY['g'], holdout => '{}')"
    assert cluster.value(train.format('{"by": "day", "from": "2025-01-01"}')) == "365"
    assert cluster.value(train.format('{"by": "day", "last": "100 days"}')) == "400"
    assert 150 < int(cluster.value(train.format('{"by": "id", "fraction": 0.5}')) or 0) < 350
    assert cluster.query("SELECT * FROM hits") == []


def test_a_read_only_transaction_can_score_but_not_train(cluster: Cluster) -> None:
    cluster.execute(ROWS)
    cluster.query(TRAIN)
    assert cluster.value("BEGIN READ ONLY; SELECT count(ltv.renewal_probability('m', rows, 12)) FROM rows; ROLLBACK") == "500"
    assert cluster.error(f"BEGIN READ ONLY; {TRAIN}").sqlstate == "25006"
    assert cluster.error("BEGIN READ ONLY; SELECT ltv.promote('m', 1)").sqlstate == "25006"
    before = cluster.value("SELECT txid_current()")
    cluster.query("SELECT ltv.renewal_probability('m', rows, 12), ltv.model('m') IS NULL FROM rows")
    assert int(str(cluster.value("SELECT txid_current()"))) == int(str(before)) + 1, "scoring has taken a transaction id"
