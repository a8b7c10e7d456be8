-- The demo: psql -v data=/folder/with/the/csv -f run.sql, in a database that has the extension. make demo does that.
-- It drops and makes the schema demo, and trains the models churn, churn/<plan>, saas and licence in the registry.

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset null ''
\pset pager off

\echo
\echo '=== Loading: 7,043 telco subscribers, 11,357 food-business licences, a SaaS company in five tables'
\ir load.sql

\set ECHO queries
\ir 1_how_long.sql
\ir 2_drivers.sql
\ir 3_renewal.sql
\ir 4_value.sql
\ir 5_believe.sql
\ir 6_why.sql
\ir 7_at_risk.sql
\set ECHO none

\echo
\echo '=== What to try next'
\echo
\echo '  \\dx+ ltv                                  what the extension brings; \\df+ ltv.* explains every function'
\echo '  SELECT * FROM ltv.v_models;               what was trained just now, on what, with which warnings'
\echo '  SELECT * FROM demo.v_customer_value;      what a BI tool would read; \\d+ demo.v_customer_value'
\echo '  TABLE demo.contracts;                     CRM and billing joined into contracts; \\sv demo.contracts'
\echo
\echo '  Change a rate, a margin or a horizon in a statement above and run it again. The same statements are explained in'
\echo '  README.md, and the book is in docs/.'
\echo
