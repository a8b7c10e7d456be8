-- Load this file with CREATE EXTENSION, never by hand: pgrx puts it first.
\echo Use "CREATE EXTENSION ltv" to load this file. \quit

DO $$
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
END
$$;

COMMENT ON SCHEMA ltv IS 'Survival analysis, renewal probability, discounted lifetime value and calibration.';
GRANT USAGE ON SCHEMA ltv TO PUBLIC;
