"""Every number that is compared with R or another reference, in one table: what `make proof` prints."""

from __future__ import annotations

import os
import re
import subprocess
from collections import defaultdict

from place import CACHE, REPO, Failure, clean_environment, program

FAMILY = re.compile(r"[\[@(\d].*")


def environment() -> dict[str, str]:
    return clean_environment(CARGO_TARGET_DIR=os.environ.get("CARGO_TARGET_DIR") or str(CACHE / "target"))


def proof(arguments: list[str]) -> None:
    """Run the engine's tests and show case, quantity, ours, reference and relative difference of each comparison."""
    cargo = program("cargo", "get Rust from https://rustup.rs")
    command = [str(cargo), "test", "--release", "-q", "-p", "ltv-engine", "--tests", "--", "--nocapture", "--test-threads=1", *arguments]
    done = subprocess.run(command, cwd=REPO, env=environment(), stdout=subprocess.PIPE, text=True, check=False)
    worst: dict[str, tuple[float, str]] = defaultdict(lambda: (-1.0, ""))
    count = 0
    for line in done.stdout.splitlines():
        fields = line.split("\t")
        if len(fields) != 6 or fields[0] != "proof":
            continue
        _, case, quantity, ours, reference, difference = fields
        print(f"{case:<36} {quantity:<40} {ours:>24} {reference:>24} {difference:>9}")
        count += 1
        family = FAMILY.sub("", quantity).strip() or quantity
        if float(difference) > worst[family][0]:
            worst[family] = (float(difference), f"{case} {quantity}")
    print(f"\n{count} numbers compared; the largest relative difference of each kind:")
    for family, (difference, place) in sorted(worst.items()):
        print(f"{family:<40} {difference:9.1e}  {place}")
    if done.returncode != 0:
        raise Failure("some tests failed: cargo test -p ltv-engine tells which")


def coverage(arguments: list[str]) -> None:
    """Simulate how often the 95 % intervals hold the truth."""
    cargo = program("cargo", "get Rust from https://rustup.rs")
    command = [str(cargo), "run", "--release", "-q", "-p", "ltv-engine", "--example", "coverage", "--", *arguments]
    if subprocess.run(command, cwd=REPO, env=environment(), check=False).returncode != 0:
        raise Failure("the simulation failed")
