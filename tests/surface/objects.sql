-- The public SQL surface: every object of the extension, and what can be promised about it. Compared with objects.out.
WITH member AS (
    SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS object
    FROM pg_depend d
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    WHERE e.extname = 'ltv' AND d.deptype = 'e'
      -- array and row types come with their types and tables; since PostgreSQL 17 they are members too
      AND NOT EXISTS (
          SELECT FROM pg_type t
          LEFT JOIN pg_class c ON c.oid = t.typrelid
          WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND (t.typcategory = 'A' OR c.relkind <> 'c'))
)
SELECT m.object,
       CASE
           WHEN p.oid IS NOT NULL THEN concat_ws(', ',
               'arguments: ' || coalesce(nullif(pg_get_function_arguments(p.oid), ''), 'none'),
               'result: ' || pg_get_function_result(p.oid),
               CASE p.prokind WHEN 'a' THEN 'aggregate with state ' || a.aggtranstype::regtype || ' of ' || a.aggtransspace || ' bytes' WHEN 'p' THEN 'procedure' END,
               CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
               CASE WHEN p.proisstrict THEN 'strict' END,
               CASE p.proparallel WHEN 's' THEN 'parallel safe' WHEN 'r' THEN 'parallel restricted' ELSE 'parallel unsafe' END,
               'cost ' || p.procost::text,
               CASE WHEN p.proretset THEN 'rows ' || p.prorows::text END)
           WHEN c.oid IS NOT NULL THEN 'columns: ' || (
               SELECT string_agg(format('%s %s', at.attname, format_type(at.atttypid, at.atttypmod)), ', ' ORDER BY at.attnum)
               FROM pg_attribute at
               WHERE at.attrelid = c.oid AND at.attnum > 0 AND NOT at.attisdropped)
       END,
       -- m: MAINTAIN, which an owner has since PostgreSQL 17
       'acl: ' || coalesce(replace(coalesce(p.proacl, c.relacl, t.typacl)::text, 'xtm/', 'xt/'), 'default')
FROM member m
LEFT JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
LEFT JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
LEFT JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid
ORDER BY m.object COLLATE "C";
