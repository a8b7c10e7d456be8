-- Every object of the extension, and every column of its tables and views, has a comment.
WITH member AS (
    SELECT d.classid, d.objid
    FROM pg_depend d
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    WHERE e.extname = 'ltv' AND d.deptype = 'e'
      -- array and row types come with their types and tables; since PostgreSQL 17 they are members too
      AND NOT EXISTS (
          SELECT FROM pg_type t
          LEFT JOIN pg_class c ON c.oid = t.typrelid
          WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND (t.typcategory = 'A' OR c.relkind <> 'c'))
)
SELECT pg_describe_object(m.classid, m.objid, 0) || ' has no comment'
FROM member m
JOIN pg_class catalog ON catalog.oid = m.classid
WHERE obj_description(m.objid, catalog.relname) IS NULL
UNION ALL
SELECT format('column %s of %s has no comment', a.attname, v.oid::regclass)
FROM member m
JOIN pg_class v ON m.classid = 'pg_class'::regclass AND v.oid = m.objid AND v.relkind IN ('v', 'm', 'r', 'p')
JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE col_description(v.oid, a.attnum) IS NULL
ORDER BY 1;
