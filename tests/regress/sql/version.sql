-- The library and the catalog are of the same version.
SELECT ltv.version() = extversion AS same FROM pg_extension WHERE extname = 'ltv';
