-- Every aggregate can be computed in pieces anywhere: by parallel workers, by shards over postgres_fdw, by Citus.
WITH member AS (
    SELECT a.*, p.proparallel, p.proargtypes
    FROM pg_aggregate a
    JOIN pg_proc p ON p.oid = a.aggfnoid
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    WHERE e.extname = 'ltv'
), fault AS (
    SELECT m.aggfnoid::regprocedure::text AS signature, unnest(ARRAY[
        CASE WHEN m.aggcombinefn = 0 THEN 'has no COMBINEFUNC' END,
        CASE WHEN state.typtype = 'p' THEN 'has a pseudo-type as its state' END,
        CASE WHEN m.proparallel <> 's' THEN 'is not PARALLEL SAFE' END,
        CASE WHEN m.aggkind <> 'n' THEN 'is an ordered-set aggregate' END,
        -- A row to be scored by a model is a record.
        CASE WHEN EXISTS (SELECT FROM unnest(m.proargtypes) argument (oid) JOIN pg_type t ON t.oid = argument.oid WHERE t.typtype = 'p' AND t.oid <> 'record'::regtype)
             THEN 'has a polymorphic argument' END,
        CASE WHEN EXISTS (SELECT FROM pg_proc f WHERE f.oid IN (m.aggtransfn, m.aggfinalfn, m.aggcombinefn) AND f.proparallel <> 's')
             THEN 'has a support function that is not PARALLEL SAFE' END,
        CASE WHEN (SELECT f.procost FROM pg_proc f WHERE f.oid = m.aggtransfn) < 10 THEN 'has a transition function with COST below 10' END,
        CASE WHEN m.aggtransspace = 0 THEN 'has no SSPACE' END
    ]) AS problem
    FROM member m
    JOIN pg_type state ON state.oid = m.aggtranstype
)
SELECT signature || ' ' || problem
FROM fault
WHERE problem IS NOT NULL
ORDER BY 1;
