-- Load this file with CREATE EXTENSION, never by hand: pgrx puts it first.
\echo Use "CREATE EXTENSION ltv" to load this file. \quit

COMMENT ON SCHEMA ltv IS 'Survival analysis, renewal probability, discounted lifetime value and calibration.';
GRANT USAGE ON SCHEMA ltv TO PUBLIC;
