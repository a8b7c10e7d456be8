-- Internal functions (names that start with an underscore) are revoked from PUBLIC, and no function runs with its owner's rights.
SELECT p.oid::regprocedure || fault.text
FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
CROSS JOIN LATERAL (VALUES
    (' is internal and PUBLIC may execute it', p.proname LIKE '\_%' AND has_function_privilege('public', p.oid, 'EXECUTE')),
    (' is SECURITY DEFINER', p.prosecdef)
) AS fault (text, holds)
WHERE e.extname = 'ltv' AND fault.holds
ORDER BY 1;
