"""Whatever a statement is doing, a cancel ends it soon."""

import time

from harness import Cluster

ROWS = 300_000
TABLE = f"""CREATE TABLE cancelled AS
SELECT i, d, floor(d * 1000) AS whole, e, (CASE WHEN e THEN 1 + i % 3 ELSE 0 END) AS cause, i % 7 AS g, ARRAY[x1, x2, x3, x1 * x2, x2 * x3, x1 * x3] AS x
FROM (SELECT i, -ln(random()) * exp(-(i % 11) / 20.0) AS d, random() < 0.6 AS e, (i % 11) / 10.0 AS x1, random() AS x2, random() AS x3 FROM generate_series(1, {ROWS}) AS i) AS drawn;
ANALYZE cancelled;"""
STATEMENTS = [
    "SELECT ltv.fit_cox(d, e, x) FROM cancelled",
    "SELECT ltv.fit_cox(ltv.design_agg(0, d, e, x, 1, g::text, i::text)) FROM cancelled",
    "SELECT ltv.fit_cox(ltv.design_agg(whole, e, x), ties => 'exact') FROM cancelled",
    "SELECT ltv.fit_cox(ltv.design_agg(d, e, x), penalty => 1, l1_ratio => 0.5) FROM cancelled",
    "SELECT ltv.proportional_hazards_test(ltv.design_agg(d, e, x), ltv.fit_cox(d, e, x)) FROM cancelled",
    "SELECT count(*) FROM (SELECT ltv.cox_residuals(ltv.design_agg(d, e, x), ltv.fit_cox(d, e, x), 'dfbeta') FROM cancelled) AS r",
    "SELECT ltv.concordance(ltv.design_agg(d, e, x), ltv.fit_cox(d, e, x)) FROM cancelled",
    "SELECT ltv.fit_fine_gray(d, cause, x) FROM cancelled",
    "SELECT ltv.fit_weibull(d, e, x) FROM cancelled",
    "SELECT ltv.fit_generalized_gamma(d, e, x) FROM cancelled",
    "SELECT ltv.fit_parametric(ltv.design_agg(d, e, x), 'spline', knots => 3) FROM cancelled",
    "SELECT ltv.fit_best(ltv.design_agg(d, e, x)) FROM cancelled",
    "SELECT ltv.fit_discrete_time(ltv.design_agg(floor(whole / 10) + 1, e, x), period => 1) FROM cancelled",
    "SELECT ltv.interval_survival_agg(d, d + random() * d) FROM cancelled",
    "SELECT chi_squared FROM ltv.log_rank((SELECT ltv.log_rank_agg(g * 100 + i % 100, d, e) FROM cancelled WHERE i <= 60000))",
]
LATEST = 1.0
"""Seconds; a machine that tests is busy with other things too."""


def test_every_fit_ends_when_it_is_told_to(cluster: Cluster) -> None:
    cluster.execute(TABLE)
    late = []
    cancelled = 0
    for sql in STATEMENTS:
        begun = time.monotonic()
        # A fast machine may be done before its time is up, and divides by 0.
        asked = f"SET max_parallel_workers_per_gather = 0; SET ltv.max_memory_mb = 8192; SET statement_timeout = '250ms'; {sql}; SELECT 1 / 0;"
        refused = cluster.error(asked)
        after = time.monotonic() - begun - 0.25
        cancelled += refused.sqlstate == "57014"
        if refused.sqlstate not in ("57014", "22012") or after > LATEST:
            late.append(f"{refused.sqlstate} after {after:.2f} s: {sql}")
    assert not late, "\n".join(late)
    assert cancelled >= 5, f"only {cancelled} of {len(STATEMENTS)} took long enough to be cancelled"
