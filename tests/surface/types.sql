-- Every base type reads, prints, sends and receives, and is stored like text; the extension brings nothing that fires by itself.
WITH member AS (
    SELECT d.classid, d.objid
    FROM pg_depend d
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    WHERE e.extname = 'ltv' AND d.deptype = 'e'
), base AS (
    SELECT t.* FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid WHERE t.typtype = 'b' AND t.typelem = 0
)
SELECT b.oid::regtype || ' has no receive or send function' FROM base b WHERE b.typreceive::oid = 0 OR b.typsend::oid = 0
UNION ALL SELECT b.oid::regtype || ' is of fixed length or not compressed' FROM base b WHERE b.typlen <> -1 OR b.typstorage <> 'x'
UNION ALL SELECT b.oid::regtype || ' is aligned to less than a double' FROM base b WHERE b.typalign <> 'd'
UNION ALL SELECT 'fewer base types than expected' WHERE (SELECT count(*) FROM base) < 4
UNION ALL SELECT pg_describe_object(m.classid, m.objid, 0) || ' fires by itself' FROM member m WHERE m.classid IN ('pg_trigger'::regclass, 'pg_event_trigger'::regclass, 'pg_rewrite'::regclass)
UNION ALL SELECT t.tgname || ' is a trigger on ' || t.tgrelid::regclass FROM pg_trigger t JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL SELECT m.objid::regclass || ' is a sequence' FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid WHERE c.relkind = 'S'
UNION ALL SELECT pg_describe_object(m.classid, m.objid, 0) || ' is a cast, which may change what other queries mean' FROM member m JOIN pg_cast c ON m.classid = 'pg_cast'::regclass AND c.oid = m.objid WHERE c.castcontext <> 'e'
UNION ALL SELECT pg_describe_object(m.classid, m.objid, 0) || ' is outside of the schema ltv' FROM member m
    LEFT JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid LEFT JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid LEFT JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid
    WHERE coalesce(p.pronamespace, c.relnamespace, t.typnamespace) <> 'ltv'::regnamespace
ORDER BY 1;
