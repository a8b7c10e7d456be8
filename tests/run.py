#!/usr/bin/env python3
"""The whole test suite: style and engine once, everything else on each PostgreSQL version; the last line counts."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import time
import traceback
import unittest
from collections import Counter
from pathlib import Path
from typing import Iterator, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import REPO, Cluster  # noqa: E402
from build import build_environment, features, install  # noqa: E402
from place import Failure, program, say  # noqa: E402
from provision import DEFAULT_MAJOR, Server, Unavailable, server, server_from  # noqa: E402
from suites import SUITES, Different  # noqa: E402

VERSIONS = (DEFAULT_MAJOR, 15)
RUST_RESULT = re.compile(r"^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)")


class Run:
    """What is selected, and what has happened so far."""

    def __init__(self, suites: list[str], keyword: str, accept: bool) -> None:
        self.suites = suites
        self.keyword = keyword
        self.accept = accept
        self.where = ""
        self.counts: Counter[tuple[str, str, bool]] = Counter()
        self.notes: list[str] = []

    def selects(self, suite: str, name: str) -> bool:
        return self.keyword in f"{suite}/{name}"

    def note(self, text: str) -> None:
        """Say at the end what was left out."""
        if text not in self.notes:
            self.notes.append(text)

    def record(self, suite: str, name: str, problem: Optional[str], seconds: float = 0.0) -> None:
        """One line for one test, and what is wrong below it."""
        self.counts[self.where, suite, problem is None] += 1
        verdict = "ok  " if problem is None else "FAIL"
        took = f"  ({seconds:.1f} s)" if seconds >= 0.1 else ""
        print(f"{verdict} {self.where} {suite}/{name}{took}", flush=True)
        if problem is not None:
            print("".join(f"     | {line}\n" for line in problem.splitlines()), end="", flush=True)

    @contextlib.contextmanager
    def test(self, suite: str, name: str, cluster: Optional[Cluster] = None, selected_by: Optional[str] = None) -> Iterator[bool]:
        """Run the body as one test if it is selected (the body asks); crashes in the server's log fail it too."""
        if not self.selects(suite, selected_by or name):
            yield False
            return
        begun, problem = time.monotonic(), None
        try:
            yield True
        except unittest.SkipTest as reason:
            # A server asked for by hand may lack something; the versions that everyone tests may not.
            if self.where not in {f"pg{major}" for major in VERSIONS}:
                return self.note(f"{self.where} {suite}/{name} is not run: {reason}")
            problem = explained(reason)
        except Exception as error:
            problem = explained(error)
        if cluster is not None:
            defects = cluster.defects()
            if not cluster.running:
                defects.append("the server is down")
            if defects:
                cluster.restart("immediate")
                problem = "\n".join([problem or "the server's log reports:", *defects])
        self.record(suite, name, problem, time.monotonic() - begun)

    def total(self, passed: bool, where: Optional[str] = None, suite: Optional[str] = None) -> int:
        return sum(
            count for (at, of, good), count in self.counts.items() if good is passed and where in (None, at) and suite in (None, of)
        )


def explained(error: Exception) -> str:
    """What went wrong, and for anything but a comparison or a refusal the line of the test as well."""
    if isinstance(error, (Different, Failure)):
        return str(error)
    frame = [frame for frame in traceback.extract_tb(error.__traceback__) if "tests" in frame.filename][-1]
    return f"{Path(frame.filename).name}:{frame.lineno}: {frame.line}\n{type(error).__name__}: {error}"


# ------------------------------------------------------------------ Rust


def cargo_check(run: Run, suite: str, name: str, command: list[str], environment: dict[str, str]) -> None:
    """A cargo command as one test."""
    with run.test(suite, name) as wanted:
        if wanted:
            done = subprocess.run(command, cwd=REPO, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                raise Different(done.stdout[-6000:])


def style(run: Run, environment: dict[str, str], chosen: Server) -> None:
    cargo = str(program("cargo", "get Rust from https://rustup.rs"))
    deny = ["--", "-D", "warnings"]
    cargo_check(run, "style", "fmt", [cargo, "fmt", "--all", "--check", "--", "--color=never"], environment)
    cargo_check(run, "style", "clippy-engine", [cargo, "clippy", "--release", "-p", "ltv-engine", "--all-targets", *deny], environment)
    cargo_check(run, "style", "clippy-extension", [cargo, "clippy", "--release", "-p", "ltv", *features(chosen), *deny], environment)


def engine(run: Run, environment: dict[str, str]) -> None:
    """cargo's own tests of the engine, counted one by one."""
    command = [str(program("cargo", "get Rust from https://rustup.rs")), "test", "--release", "-p", "ltv-engine", "--no-fail-fast"]
    done = subprocess.run([*command, "--", run.keyword] if run.keyword else command, cwd=REPO, env=environment, capture_output=True, text=True)
    failed = False
    for line in done.stdout.splitlines():
        result = RUST_RESULT.match(line)
        if result and result[2] != "ignored":
            failed |= result[2] == "FAILED"
            run.record("engine", result[1], None if result[2] == "ok" else "see below")
        elif result:
            run.note(f"engine/{result[1]} is ignored")
    if failed:
        details = re.findall(r"^failures:\n\n(.*?)^failures:$", done.stdout, flags=re.MULTILINE | re.DOTALL)
        print("\n".join(details))
    elif done.returncode != 0:
        run.record("engine", "builds", done.stderr[-6000:])


# ------------------------------------------------------------------ versions


def test_version(run: Run, chosen: Server) -> None:
    """Build, install, and every selected suite on a cluster of this version."""
    suites = [suite for suite in SUITES if suite in run.suites]
    with run.test("build", f"pg{chosen.major}", selected_by=run.keyword):
        install(chosen)
    if run.total(False, run.where, "build"):
        return
    with Cluster.temporary(chosen, f"test-{chosen.major}-{os.getpid()}") as cluster:
        with run.test("build", "create-extension", cluster, selected_by=run.keyword):
            cluster.prepare_template()
        if run.total(False, run.where, "build"):
            return
        for suite in suites:
            SUITES[suite](run, cluster)
            if not run.keyword and not run.total(True, run.where, suite) + run.total(False, run.where, suite):
                run.record(suite, "selects something", f"tests/{suite} has no test")
    run.accept = False  # what the first version answered must be the answer of the others


def servers(run: Run, options: argparse.Namespace) -> list[Server]:
    """The installations to test; one that cannot be had is noted, and a failure where it was asked for or in CI."""
    if options.pg_config:
        return [server_from(Path(options.pg_config))]
    found = []
    for major in options.pg or VERSIONS:
        try:
            found.append(server(major))
        except Unavailable as reason:
            run.note(f"PostgreSQL {major}: not run ({reason})")
            if options.pg or os.environ.get("CI") == "true":
                run.where = f"pg{major}"
                run.record("build", "server", str(reason))
    return found


def chosen_version() -> Optional[list[int]]:
    """make's PG=15."""
    version = os.environ.get("PG")
    return [int(version)] if version else None


def main() -> None:
    every = ["style", "engine", *SUITES]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pg", type=int, action="append", default=chosen_version(), help="only this PostgreSQL version; may be repeated")
    parser.add_argument("--pg-config", default=os.environ.get("PG_CONFIG"), help="only this installed server")
    parser.add_argument("--suite", choices=every, action="append", help="only this suite; may be repeated")
    parser.add_argument("-k", dest="keyword", default="", help="only tests whose suite/name contains this")
    parser.add_argument("--accept", action="store_true", help="store the answers of regress and surface as the expected ones")
    options = parser.parse_args()
    run = Run(options.suite or every, options.keyword, options.accept)
    begun = time.monotonic()
    tested = []
    try:
        found = servers(run, options)
        run.where = "rust"
        if found and {"style", "engine"} & set(run.suites):
            environment = build_environment(found[0])
            if "style" in run.suites:
                style(run, environment, found[0])
            if "engine" in run.suites:
                engine(run, environment)
        if set(SUITES) & set(run.suites):
            for chosen in found:
                run.where = f"pg{chosen.major}"
                say(f"testing on {chosen.version}")
                test_version(run, chosen)
                tested.append((run.where, chosen.version))
    except Failure as failure:
        run.record("run", "completes", str(failure))
    summarise(run, tested, time.monotonic() - begun)


def summarise(run: Run, tested: list[tuple[str, str]], seconds: float) -> None:
    """What ran where, what did not, and the count that closes the report."""
    if not run.counts:
        run.record("run", "selects something", "no test is selected")
    print(f"\nin {seconds:.0f} s:")
    for where, title in [("rust", "style and engine"), *tested]:
        passed, failed = run.total(True, where), run.total(False, where)
        if passed or failed:
            print(f"  {title}: {passed} passed, {failed} failed")
    for note in run.notes:
        print(f"  {note}")
    print(f"\n{run.total(True)} passed, {run.total(False)} failed")
    sys.exit(1 if run.total(False) else 0)


if __name__ == "__main__":
    main()
