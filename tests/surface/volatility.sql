-- What a function promises is what it does: IMMUTABLE over values, STABLE where it reads the registry, VOLATILE where it writes; nothing is LEAKPROOF.
WITH member AS (
    SELECT p.*, p.oid::regprocedure::text AS signature,
           -- The registry is read by functions that take a model's name (an aggregate by its transition function), the mappings by their own two; data by those
           -- that take a relation, a function or the text of a query; the end of a day is that of the session's time zone, and strings in the text of a query are those of its settings; nothing else reads.
           p.proname IN ('model', 'model_version', 'mapping_sql', 'mapping_sources', 'end_of_day', 'single_query') OR p.prokind <> 'a' AND '{model,model_before}' && p.proargnames[1:2]
               OR p.proname IN ('compare_algorithms', 'requirements') OR p.proname IN ('fit_hybrid', 'transactional_value', 'transactional_cash_flows') AND p.proargtypes[0] = 'text'::regtype OR '{regclass,regprocedure}'::regtype[] && p.proargtypes::oid[]::regtype[] AS reads
    FROM pg_proc p
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    WHERE e.extname = 'ltv'
), expected AS (
    SELECT m.*, CASE WHEN m.proname IN ('train', 'train_auto', 'recalibrate', 'register_version', 'import_model', 'promote', 'rollback', 'fall_back', 'set_status', 'set_policy', 'retire', 'drop_version', 'restrict_model',
                            'grant_model', 'revoke_model', 'hold_version', 'version_stands', 'made_of', 'load_demo') THEN 'v' WHEN m.reads THEN 's' ELSE 'i' END AS volatility FROM member m
)
SELECT format('%s is %s, not %s', x.signature, x.provolatile, x.volatility) FROM expected x WHERE x.provolatile <> x.volatility
UNION ALL SELECT m.signature || ' is LEAKPROOF' FROM member m WHERE m.proleakproof
UNION ALL SELECT m.signature || ' writes and may be run in parallel' FROM member m WHERE m.provolatile = 'v' AND m.proparallel <> 'u'
UNION ALL SELECT m.signature || ' returns 1000 rows by default' FROM member m WHERE m.proretset AND m.prorows = 1000
UNION ALL SELECT m.signature || ' has an argument without a name' FROM member m
    WHERE m.proname !~ '_(in|out|recv|send)$' AND m.pronargs > 0 AND (m.proargnames IS NULL OR '' = ANY (m.proargnames[1:m.pronargs]))
ORDER BY 1;
