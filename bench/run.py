#!/usr/bin/env python3
"""The benchmark: CPU time of one backend, each task beside the floor sum(float8) over the same table in the same run.

Started by `make bench`, which gives it a server of its own by the PG* variables. Tasks and floors take turns, so that
whatever else the machine does falls on both; the ratio is of the medians. Nothing here asserts a time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
COVARIATES = [f"x{i}" for i in range(1, 11)]
END = "--end--"


@dataclass
class Task:
    """One thing to measure. `floor` is what it is divided by; `peers` names a row of peers.json."""

    name: str
    sql: str
    target: str = ""
    floor: str = "SELECT sum(x1) FROM contracts"
    peers: str = ""


class Backend:
    """One connection whose server process's CPU time can be read."""

    def __init__(self) -> None:
        command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.pid = int(self.ask("SELECT pg_backend_pid()"))

    def ask(self, sql: str) -> str:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{sql};\n\\echo {END}\n")
        self.process.stdin.flush()
        lines: list[str] = []
        for line in self.process.stdout:
            if line.rstrip("\n") == END:
                return "".join(lines).rstrip("\n")
            lines.append(line)
        sys.exit(f"psql stopped at: {sql}")

    def cpu(self) -> float:
        """Seconds that the backend has been on a core so far, to the nanosecond."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0]) / 1e9

    def seconds(self, sql: str) -> float:
        before = self.cpu()
        self.ask(sql)
        return self.cpu() - before


def tasks(backend: Backend) -> list[Task]:
    """The tasks, the model for the scoring ones trained first."""
    row = ", ".join(COVARIATES)
    backend.ask(
        "SELECT ltv.train('bench', 'contracts', 'cox', duration => 'days', event => 'churned', "
        f"features => '{{{','.join(COVARIATES)}}}')"
    )
    # The formula an analyst would write out: the baseline's hazard at a row of zeros, times e to the scores.
    hazard = backend.ask(
        "SELECT -ln(ltv.renewal_probability(ltv.model('bench@latest'), z, 365)) "
        f"FROM (SELECT {', '.join(f'0::float8 AS {x}' for x in COVARIATES)}) z"
    )
    estimates = backend.ask("SELECT estimate FROM ltv.coefficients(ltv.model('bench@latest'))").split("\n")
    backend.ask(
        "DROP TABLE IF EXISTS forecasts; CREATE UNLOGGED TABLE forecasts AS "
        "SELECT ltv.renewal_probability((SELECT ltv.model('bench@latest')), c, 365) AS survival, days, churned, renewed FROM contracts c; "
        "VACUUM (ANALYZE, FREEZE) forecasts"
    )
    score = " + ".join(f"({estimate})::float8 * {x}" for estimate, x in zip(estimates, COVARIATES))
    formula = f"exp(-({hazard})::float8 * exp({score}))"
    off = backend.ask(
        f"SELECT max(abs(ltv.renewal_probability((SELECT ltv.model('bench@latest')), c, 365) - {formula})) FROM contracts c WHERE id <= 100000"
    )
    if float(off) > 1e-12:
        sys.exit(f"the formula is not the model: they differ by {off}")
    backend.ask(
        "DROP TABLE IF EXISTS boosted; CREATE TABLE boosted AS SELECT ltv.fit_boosted_hazard(ltv.design_agg(days, churned, "
        f"ARRAY[{row}]), names => '{{{','.join(COVARIATES)}}}', trees => 200, depth => 6, early_stopping => 0, min_child_weight => 5) AS m FROM contracts WHERE id <= 200000"
    )
    grouped = "SELECT count(s) FROM (SELECT sum(x1) AS s FROM contracts GROUP BY {}) g"
    curves = "SELECT count(s) FROM (SELECT ltv.survival_agg(days, churned) AS s FROM contracts GROUP BY {}) g"
    valuation = "ltv.lifetime_value((SELECT s FROM curve), x10 + 1, 0.8, horizon => 60, given => days / 30)"
    trust = "SELECT sum(survival) FROM forecasts"
    summary = "ltv.survival_calibration_agg(survival, days, churned)"
    return [
        Task("survival_agg, whole days", "SELECT ltv.survival_agg(days, churned) IS NULL FROM contracts", "1.3", peers="kaplan-meier"),
        Task("survival_agg, distinct durations", "SELECT ltv.survival_agg(exact_days, churned) IS NULL FROM contracts"),
        Task("survival_agg, delayed entry", "SELECT ltv.survival_agg(entry, days, churned) IS NULL FROM contracts", peers="kaplan-meier, delayed entry"),
        Task("survival_agg, weights", "SELECT ltv.survival_agg(days, churned, x7 + 0.5) IS NULL FROM contracts"),
        Task("survival_agg, 10 segments", curves.format("segment"), floor=grouped.format("segment"), peers="kaplan-meier, 10 segments"),
        Task("survival_agg, 10,000 cohorts", curves.format("cohort"), floor=grouped.format("cohort"), peers="kaplan-meier, 10,000 cohorts"),
        Task("fit_cox, 10 covariates", f"SELECT ltv.fit_cox(days, churned, ARRAY[{row}]) IS NULL FROM contracts", "8", peers="cox, 10 covariates"),
        Task(
            "train('cox') with its checks, 10 features",
            "SELECT ltv.train('bench_again', 'contracts', 'cox', duration => 'days', event => 'churned', "
            f"features => '{{{','.join(COVARIATES)}}}') IS NULL",
        ),
        Task("its arrays of 10 covariates alone", f"SELECT max(array_length(ARRAY[{row}], 1)) FROM contracts"),
        Task("fit_cox, delayed entry", f"SELECT ltv.fit_cox(entry, days, churned, ARRAY[{row}]) IS NULL FROM contracts", peers="cox, delayed entry"),
        Task(
            "renewal_probability(model, row)",
            "SELECT sum(ltv.renewal_probability((SELECT ltv.model('bench@latest')), c, 365)) FROM contracts c",
            "1.5 × the formula",
            floor=f"SELECT sum({formula}) FROM contracts c",
        ),
        Task(
            "renewal_probability(model, ROW of its features)",
            f"SELECT sum(ltv.renewal_probability((SELECT ltv.model('bench@latest')), f, 365)) FROM (SELECT {row} FROM contracts OFFSET 0) f",
            "1.5 × the formula",
            floor=f"SELECT sum({formula}) FROM contracts c",
        ),
        Task(
            "its rows alone, without a model",
            "SELECT sum(pg_column_size(c)) FROM contracts c",
            floor=f"SELECT sum({formula}) FROM contracts c",
        ),
        Task("log_rank of 10 groups", "SELECT chi_squared FROM ltv.log_rank((SELECT ltv.log_rank_agg(segment, days, churned) FROM contracts))", "1.5", peers="log-rank, 10 groups"),
        Task("log_rank of 10 groups by name", "SELECT chi_squared FROM ltv.log_rank((SELECT ltv.log_rank_agg(segment::text, days, churned) FROM contracts))"),
        Task("incidence_agg, 3 causes", "SELECT ltv.incidence_agg(days, CASE WHEN churned THEN 1 + segment % 3 ELSE 0 END) IS NULL FROM contracts"),
        Task("interval_survival_agg, months", "SELECT ltv.interval_survival_agg(days / 30, CASE WHEN churned THEN days / 30 + 1 END) IS NULL FROM contracts"),
        Task(
            "fit_boosted_hazard, 100 trees of depth 6",
            f"SELECT ltv.fit_boosted_hazard(ltv.design_agg(days, churned, ARRAY[{row}]), trees => 100, depth => 6, early_stopping => 0) IS NULL FROM contracts",
            "as LightGBM",
            peers="boosting, 100 trees",
        ),
        Task(
            "renewal_probability of 200 trees of depth 6",
            "SELECT sum(ltv.renewal_probability((SELECT m::text::ltv.model FROM boosted), f, 365)) FROM (SELECT {} FROM contracts LIMIT 300000) f".format(row),
            "300k rows/s: 1 s",
            floor="SELECT sum(x1) FROM (SELECT x1 FROM contracts LIMIT 300000) f",
        ),
        Task("fit_weibull, 10 covariates", f"SELECT ltv.fit_weibull(days, churned, ARRAY[{row}]) IS NULL FROM contracts", "15", peers="weibull, 10 covariates"),
        Task("fit_renewal, 10 covariates", f"SELECT ltv.fit_renewal(renewed, ARRAY[{row}]) IS NULL FROM contracts", "6", peers="logistic, 10 covariates"),
        Task(
            "fit_discrete_time, 100,000 contracts, 30 days",
            f"SELECT ltv.fit_discrete_time(ltv.design_agg(days, churned, ARRAY[{row}]), period => 30) IS NULL FROM contracts WHERE id <= 100000",
            "60",
            peers="discrete time, 100k",
        ),
        Task("auc(ranking_agg)", "SELECT ltv.auc(ltv.ranking_agg(survival, renewed)) FROM forecasts", "4", floor=trust, peers="ranking"),
        Task(
            "concordance(survival_calibration_agg)",
            f"SELECT c.concordance FROM (SELECT {summary} AS s FROM forecasts OFFSET 0) f, ltv.concordance(f.s) c",
            "10",
            floor=trust,
            peers="concordance",
        ),
        Task("brier_score(survival_calibration_agg)", f"SELECT (ltv.brier_score({summary}, 365)).brier FROM forecasts", "5", floor=trust, peers="brier under censoring"),
        Task("auc(survival_calibration_agg)", f"SELECT ltv.auc({summary}, 365) FROM forecasts", floor=trust),
        Task("calibration_agg", "SELECT ltv.calibration_agg(probability, renewed) IS NULL FROM contracts", peers="brier"),
        Task(
            "present_value, 60 months, one curve",
            "SELECT sum(ltv.present_value((SELECT s FROM curve), ltv.contract_terms(1::numeric, 0.8, discount_rate => 0.1, horizon => 60), x10 + 1, days / 30)) FROM contracts",
            "6",
            peers="value of a contract over 60 months",
        ),
        Task(
            "lifetime_value, 60 months, the whole record",
            f"SELECT count({valuation}) FROM contracts c",
            "10",
            peers="value of a contract over 60 months",
        ),
        Task(
            "lifetime_value in FROM",
            f"SELECT count(v.status) FROM contracts c, LATERAL {valuation} v",
            peers="value of a contract over 60 months",
        ),
        Task("xnpv(rate, amount, paid_on)", "SELECT ltv.xnpv(0.1, amount, paid_on) FROM payments", "2", floor="SELECT sum(amount) FROM payments"),
        Task("fit_bg_nbd, whole weeks", "SELECT ltv.fit_bg_nbd(frequency, recency, age) IS NULL FROM customers", floor="SELECT sum(recency) FROM customers"),
        Task(
            "fit_bg_nbd, after grouping",
            "SELECT ltv.fit_bg_nbd(purchases) IS NULL FROM histories",
            "3",
            floor="SELECT sum(recency) FROM customers",
        ),
    ]


def memory(backend: Backend, sql: str) -> float:
    """Megabytes of its own that a statement takes the backend at the most, pages of tables not counted."""
    status = Path(f"/proc/{backend.pid}/status")

    def own(name: str) -> int:
        return int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith(name)))

    Path(f"/proc/{backend.pid}/clear_refs").write_text("5")  # the high-water mark starts anew
    before, shared = own("VmRSS"), own("RssShmem") + own("RssFile")
    backend.ask(sql)
    return max(0, own("VmHWM") - before - max(0, own("RssShmem") + own("RssFile") - shared)) / 1024


def wall(backend: Backend, sql: str, repeats: int) -> float:
    """Median seconds by the clock."""
    taken: list[float] = []
    for _ in range(repeats):
        before = time.monotonic()
        backend.ask(sql)
        taken.append(time.monotonic() - before)
    return statistics.median(taken)


def report_parallel(backend: Backend, names: list[Task], repeats: int) -> None:
    """Two workers without the leader beside one process, by the clock: true on an idle machine only."""
    print(f"\n| {'two workers':<48} | serial s | parallel s | faster by |")
    print(f"|{'-' * 50}|----------|------------|-----------|")
    for task in names:
        backend.ask("SET max_parallel_workers_per_gather = 0")
        serial = wall(backend, task.sql, repeats)
        backend.ask(
            "SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off; SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0"
        )
        parallel = wall(backend, task.sql, repeats)
        backend.ask("RESET ALL; SET jit = off; SET ltv.max_memory_mb = 8192; SET max_parallel_workers_per_gather = 0")
        print(f"| {task.name:<48} | {serial:8.3f} | {parallel:10.3f} | {serial / parallel:9.2f} |", flush=True)


def report_memory(names: list[Task]) -> None:
    """Each task in a backend of its own, which has nothing left over from another."""
    print(f"\n| {'memory':<48} | MB at the most |")
    print(f"|{'-' * 50}|----------------|")
    for task in names:
        backend = Backend()
        backend.ask("SET max_parallel_workers_per_gather = 0; SET jit = off; SET ltv.max_memory_mb = 8192")
        backend.ask(task.floor)
        print(f"| {task.name:<48} | {memory(backend, task.sql):14.1f} |", flush=True)
        backend.process.terminate()


def measure(backend: Backend, task: Task, repeats: int) -> tuple[float, float]:
    """Medians of the task's and the floor's seconds, taken in turns."""
    taken: list[float] = []
    floors: list[float] = []
    backend.ask(task.floor)
    for _ in range(repeats):
        floors.append(backend.seconds(task.floor))
        taken.append(backend.seconds(task.sql))
        floors.append(backend.seconds(task.floor))
    return statistics.median(taken), statistics.median(floors)


def report(backend: Backend, rows: int, names: list[Task], repeats: int, peers: dict[str, dict[str, float]]) -> None:
    print(f"\n{rows:,} rows, {backend.ask('SELECT pg_size_pretty(pg_table_size(' + chr(39) + 'contracts' + chr(39) + '))')}\n")
    print(f"| {'task':<48} | CPU s | floor s | ratio | target            | peers, in floors")
    print(f"|{'-' * 50}|-------|---------|-------|-------------------|-----------------")
    for task in names:
        taken, floor = measure(backend, task, repeats)
        known = ", ".join(f"{tool} {ratio:g}" for tool, ratio in peers.get(task.peers, {}).items())
        print(f"| {task.name:<48} | {taken:5.2f} | {floor:7.3f} | {taken / floor:5.2f} | {task.target:<17} | {known}", flush=True)


def report_names(backend: Backend, repeats: int) -> None:
    """What it takes to find a registered model by its name, in a session that has done so before."""
    calls = 5000
    print(f"\n| {'a name, session warm':<48} | µs of CPU |\n|{'-' * 50}|-----------|")
    for name in ("bench", "bench@latest", "bench@1"):
        # The name depends on the row, or it would be looked up once.
        sql = f"SELECT count(ltv.model('{name}' || substr('x', 1, i * 0))) FROM generate_series(1, {calls}) i"
        bare = f"SELECT count('{name}' || substr('x', 1, i * 0)) FROM generate_series(1, {calls}) i"
        taken, floor = measure(backend, Task(name, sql, floor=bare), repeats)
        print(f"| ltv.model('{name}')".ljust(51) + f"| {(taken - floor) / calls * 1e6:9.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000], help="sizes of the table")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("-k", default="", help="only the tasks whose name contains this")
    options = parser.parse_args()
    peers = json.loads((HERE / "peers.json").read_text())
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "?")
    for rows in options.rows:
        subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-v", f"rows={rows}", "-f", str(HERE / "contracts.sql"), "-f", str(HERE / "customers.sql")], check=True)
        backend = Backend()
        backend.ask("SET max_parallel_workers_per_gather = 0; SET jit = off; SET ltv.max_memory_mb = 8192")
        backend.ask("DROP TABLE IF EXISTS histories; CREATE TABLE histories AS SELECT ltv.purchase_agg(frequency, recency, age) AS purchases FROM customers")
        if rows == options.rows[0]:
            print(f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, load {os.getloadavg()[0]:.1f}")
            print(f"{backend.ask('SELECT version()')}, ltv {backend.ask('SELECT ltv.version()')}")
            print(f"Floor: sum(float8) over the same table unless a task says otherwise; serial, jit off; medians of {options.repeats}.")
            print(f"Peers: {peers['note']} {peers['versions']}.")
        chosen = [task for task in tasks(backend) if options.k in task.name]
        if rows > 1_000_000:
            chosen = [task for task in chosen if task.name in ("survival_agg, whole days", "survival_agg, delayed entry")]
        report(backend, rows, chosen, options.repeats if rows <= 1_000_000 else 3, peers["floors"])
        report_names(backend, options.repeats)
        gathering = [task for task in chosen if task.name.startswith(("survival_agg, whole", "survival_agg, distinct", "fit_cox", "log_rank of 10 groups", "fit_weibull"))]
        report_memory(gathering)
        report_parallel(backend, gathering, 3)
        backend.process.terminate()


if __name__ == "__main__":
    main()
