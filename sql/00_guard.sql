-- Load this file with CREATE EXTENSION, never by hand: pgrx puts it first.
\echo Use "CREATE EXTENSION ltv" to load this file. \quit

DO $$
BEGIN
    IF pg_catalog.current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'ltv needs a database in UTF8, this one is in %', pg_catalog.current_setting('server_encoding')
            USING ERRCODE = 'feature_not_supported', HINT = 'CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0.';
    END IF;
END
$$;

COMMENT ON SCHEMA ltv IS 'Survival analysis, renewal probability, discounted lifetime value and calibration.';
GRANT USAGE ON SCHEMA ltv TO PUBLIC;
