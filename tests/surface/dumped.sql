-- The rows of every table survive dump and restore: pg_extension_config_dump knows it.
SELECT format('%s %s is not registered with pg_extension_config_dump', CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, c.oid::regclass)
FROM pg_class c
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'ltv' AND c.relkind IN ('r', 'p', 'S') AND NOT c.oid = ANY (coalesce(e.extconfig, '{}'))
ORDER BY 1;
