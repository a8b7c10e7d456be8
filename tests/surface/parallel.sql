-- Every function is PARALLEL SAFE, except those listed here with the reason; a listed one that is gone or safe is a fault too.
-- Functions that read a relation by name are PARALLEL RESTRICTED, for it may be a temporary table, which no worker can see,
-- or a view that calls what no worker may run; so are those that run a function or the text of a query that they are given; those that only write the text of a query about it read the catalogs.
WITH allowed (signature, reason) AS (
    VALUES
        ('ltv.compare_algorithms(text,text,double precision,text[],text[],jsonb,integer,text,text)', 'goes on after an error, and a parallel query begins no subtransactions'),
        ('ltv.backtest(regclass,text,text,text,double precision,date,date,interval,text[],text[],text,interval,interval,jsonb,integer,text,text,jsonb,bigint)', 'as compare_algorithms, which it calls'),
        ('ltv.backtest(regprocedure,text,double precision,date,date,interval,text[],text[],text,interval,interval,jsonb,integer,text,text)', 'as compare_algorithms, which it calls'),
        ('ltv.load_demo(text,integer,integer,date,boolean)', 'makes tables'),
        ('ltv.fall_back(text,text)', 'writes the registry'),
        ('ltv.grant_model(text,text,text,text)', 'writes the registry'),
        ('ltv.import_model(jsonb,text,text,text)', 'writes the registry'),
        ('ltv.promote(text,integer,text,text,jsonb)', 'writes the registry'),
        ('ltv.recalibrate(text,regclass,text,double precision,text,double precision,text)', 'writes the registry'),
        ('ltv.register_version(text,text,ltv.model,jsonb,bigint,double precision,bigint,bigint,jsonb,text[],text,jsonb,integer,jsonb)', 'writes the registry'),
        ('ltv.restrict_model(text,boolean,text)', 'writes the registry'),
        ('ltv.drop_version(text,integer,text)', 'writes the registry'),
        ('ltv.holdout_condition(regclass,jsonb,bigint)', 'goes on after an error, and a parallel query begins no subtransactions'),
        ('ltv.hold_version(text,boolean)', 'takes a lock until the transaction ends'),
        ('ltv.made_of(text)', 'takes a snapshot of its own'),
        ('ltv.version_stands(text)', 'takes a snapshot of its own'),
        ('ltv.retire(text,integer,text)', 'writes the registry'),
        ('ltv.revoke_model(text,text,text,text)', 'writes the registry'),
        ('ltv.rollback(text,text,integer,text)', 'writes the registry'),
        ('ltv.set_policy(text,jsonb,text)', 'writes the registry'),
        ('ltv.set_status(text,integer,text,text)', 'writes the registry'),
        ('ltv.train_auto(text,regclass,text,text,double precision,text[],text,text[],text,integer,interval,text,interval,jsonb,integer,jsonb,bigint,text,text,text)', 'writes the registry'),
        ('ltv.train_plan(text,regclass,text,text,text,text,text[],text,text,text,jsonb,double precision,text,jsonb,text,bigint,text,text,text[],text,integer,date,text,text,text,double precision,text,jsonb,text)', 'goes on after an error, and a parallel query begins no subtransactions'),
        ('ltv.train(text,regclass,text,text,text,text,text[],text,text,text,jsonb,double precision,text,jsonb,text,bigint,text,text,text[],text,integer,date,text,text,text,double precision,text,jsonb,text)', 'writes the registry')
), labelled AS (
    SELECT p.oid::regprocedure::text AS signature,
           CASE WHEN ('{regclass,regprocedure}'::regtype[] && p.proargtypes::oid[]::regtype[] OR p.proname = 'compare_algorithms'
                     OR p.proname IN ('precision_recall', 'best_threshold') AND p.proargtypes[0] = 'text'::regtype) AND p.proname <> ALL ('{timeline_query,rates_query,payments_query}'::name[]) THEN 'r' ELSE 's' END AS wanted,
           p.proparallel::text AS found
    FROM pg_proc p
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    WHERE e.extname = 'ltv'
)
SELECT CASE WHEN a.signature IS NULL THEN format('%s has the parallel label %s, not %s', u.signature, u.found, u.wanted)
            ELSE a.signature || ' needs no exception' END
FROM (SELECT * FROM labelled WHERE found <> wanted) u
FULL JOIN allowed a USING (signature)
WHERE u.signature IS NULL OR a.signature IS NULL
ORDER BY 1;
