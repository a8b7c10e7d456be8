-- What the tests and the book find in their database: the demo's sources.
\ir ../demo/load.sql
