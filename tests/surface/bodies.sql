-- Under no search_path does a function of ours find another's operator: its body is parsed when it is created, or it sets the path itself.
SELECT p.oid::regprocedure || ' is ' || l.lanname || ' with a body in text and no SET search_path'
FROM pg_proc p
JOIN pg_language l ON l.oid = p.prolang
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'ltv' AND l.lanname NOT IN ('c', 'internal') AND p.prosqlbody IS NULL
  AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting IN ('search_path=pg_catalog, pg_temp', 'search_path=pg_catalog'))
UNION ALL
-- train runs SQL of its own from C.
SELECT p.oid::regprocedure || ' runs SQL and has no SET search_path'
FROM pg_proc p
WHERE p.pronamespace = 'ltv'::regnamespace AND p.proname = 'train'
  AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search_path=pg_catalog%')
ORDER BY 1;
