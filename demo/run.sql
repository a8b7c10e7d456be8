-- Placeholder until the demo is written. \copy does not expand variables, \cd does.
\cd :data
SELECT ltv.version();
