-- Load this file with CREATE EXTENSION, never by hand: pgrx puts it first.
\echo Use "CREATE EXTENSION ltv" to load this file. \quit

DO $$
DECLARE
    others text;
BEGIN
    IF pg_catalog.current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'ltv needs a database in UTF8, this one is in %', pg_catalog.current_setting('server_encoding')
            USING ERRCODE = 'feature_not_supported', HINT = 'CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0.';
    END IF;
    -- Whoever owns the schema can put better matches of our functions beside them, to be called with the rights of others.
    IF EXISTS (SELECT FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
               WHERE n.nspname OPERATOR(pg_catalog.=) 'ltv' AND NOT r.rolsuper AND r.rolname OPERATOR(pg_catalog.<>) current_user) THEN
        RAISE EXCEPTION 'schema ltv is there already and belongs to %',
            (SELECT pg_catalog.pg_get_userbyid(n.nspowner) FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) 'ltv')
            USING ERRCODE = 'insufficient_privilege', HINT = 'Look what is in it, then DROP SCHEMA ltv, or ALTER SCHEMA ltv OWNER TO a superuser.';
    END IF;
    -- So can whoever may create in it, or has done so.
    SELECT pg_catalog.min(r.rolname::text) INTO others
    FROM pg_catalog.pg_namespace n,
         LATERAL (SELECT a.grantee FROM pg_catalog.aclexplode(n.nspacl) a WHERE a.privilege_type OPERATOR(pg_catalog.=) 'CREATE'
                  UNION ALL SELECT p.proowner FROM pg_catalog.pg_proc p WHERE p.pronamespace OPERATOR(pg_catalog.=) n.oid
                  UNION ALL SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid
                  UNION ALL SELECT t.typowner FROM pg_catalog.pg_type t WHERE t.typnamespace OPERATOR(pg_catalog.=) n.oid
                  UNION ALL SELECT o.oprowner FROM pg_catalog.pg_operator o WHERE o.oprnamespace OPERATOR(pg_catalog.=) n.oid) AS u (role),
         LATERAL (SELECT CASE u.role WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(u.role)::text END AS rolname,
                         EXISTS (SELECT FROM pg_catalog.pg_roles s WHERE s.oid OPERATOR(pg_catalog.=) u.role AND (s.rolsuper OR s.rolname OPERATOR(pg_catalog.=) current_user)) AS is_trusted) AS r
    WHERE n.nspname OPERATOR(pg_catalog.=) 'ltv' AND NOT r.is_trusted;
    IF others IS NOT NULL THEN
        RAISE EXCEPTION 'schema ltv is there already, and % may create in it or has done so', others
            USING ERRCODE = 'insufficient_privilege', HINT = 'Look what is in it, then DROP SCHEMA ltv CASCADE; or REVOKE CREATE ON SCHEMA ltv and drop what is not a superuser''s.';
    END IF;
END
$$;

COMMENT ON SCHEMA ltv IS 'Survival analysis, renewal probability, discounted lifetime value and calibration.';
GRANT USAGE ON SCHEMA ltv TO PUBLIC;
