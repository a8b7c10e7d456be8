"""The suites that need a server. Each is a function (run, cluster) that reports every test through ``run.test``."""

from __future__ import annotations

import difflib
import importlib.util
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Optional

from harness import DATA, REPO, Cluster
from place import Failure, clean_environment

if TYPE_CHECKING:
    from run import Run

TESTS = REPO / "tests"
FIXED = "-c timezone=UTC -c lc_messages=C -c datestyle=ISO,YMD -c intervalstyle=postgres -c client_min_messages=notice"


class Different(Exception):
    """An answer that is not the expected one; the text says all."""


def compare(expected: str, actual: str, name: str) -> None:
    if expected != actual:
        lines = list(difflib.unified_diff(expected.splitlines(), actual.splitlines(), f"expected {name}", f"actual {name}", lineterm=""))
        more = [f"… {len(lines) - 200} more lines"] if len(lines) > 200 else []
        raise Different("\n".join(lines[:200] + more))


def compare_with_file(golden: Path, actual: str, accept: bool) -> None:
    """Compare with a stored answer, or store it."""
    if accept:
        golden.write_text(actual)
    if not golden.exists():
        raise Different(f"{golden.relative_to(REPO)} is missing; --accept writes it")
    compare(golden.read_text(), actual, str(golden.relative_to(REPO)))


# ------------------------------------------------------------------ regress


def regress(run: Run, cluster: Cluster) -> None:
    """SQL in, expected output beside it, the same on every version."""
    for script in sorted((TESTS / "regress" / "sql").glob("*.sql")):
        with run.test("regress", script.stem, cluster) as wanted:
            if wanted:
                cluster.fresh_database("regress")
                golden = TESTS / "regress" / "expected" / f"{script.stem}.out"
                compare_with_file(golden, regress_output(cluster, script), run.accept)


def regress_output(cluster: Cluster, script: Path) -> str:
    """What psql prints for a script: statements, answers, and errors with their SQLSTATE but without our source lines."""
    variables = {"data": DATA, "ON_ERROR_STOP": 0, "VERBOSITY": "verbose", "SHOW_CONTEXT": "never", "HIDE_TABLEAM": "on"}
    settings = [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
    command = cluster.psql("-q", "-a", "-P", "null=NULL", *settings, db="regress")
    environment = clean_environment(PGOPTIONS=f"{FIXED} -c extra_float_digits=0")
    with open(script) as source:
        pipe, same = subprocess.PIPE, subprocess.STDOUT
        done = subprocess.run(command, stdin=source, stdout=pipe, stderr=same, text=True, env=environment, cwd=script.parent)
    if done.returncode not in (0, 3):
        raise AssertionError(f"psql ended with status {done.returncode}:\n{done.stdout[-2000:]}")
    printed = re.sub(r"^LOCATION: .*\n", "", done.stdout, flags=re.MULTILINE)
    return re.sub(r"^(\w+:  )(?:00000|01000): ", r"\1", printed, flags=re.MULTILINE)


# ------------------------------------------------------------------ cluster


def cluster_tests(run: Run, cluster: Cluster) -> None:
    """Python tests, each with a fresh database."""
    for file in sorted((TESTS / "cluster").glob("test_*.py")):
        for name, function in sorted(functions_of(file).items()):
            with run.test("cluster", f"{file.stem[5:]}.{name[5:]}", cluster) as wanted:
                if wanted:
                    cluster.fresh_database("test")
                    cluster.db = "test"
                    function(cluster)


def functions_of(file: Path) -> dict[str, Callable[[Cluster], None]]:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if name.startswith("test_") and callable(value)}


# ------------------------------------------------------------------ surface


def surface(run: Run, cluster: Cluster) -> None:
    """Queries over the catalog: with a .out file beside it a golden list, otherwise a lint of which every row is a fault."""
    for script in sorted((TESTS / "surface").glob("*.sql")):
        with run.test("surface", script.stem, cluster) as wanted:
            if wanted:
                cluster.fresh_database("surface")
                rows = cluster.query(script.read_text(), db="surface")
                listed = "".join(" | ".join("" if value is None else value for value in row) + "\n" for row in rows)
                golden = script.with_suffix(".out")
                if golden.exists():
                    compare_with_file(golden, listed, run.accept)
                elif rows:
                    raise Different(listed.rstrip())


# ------------------------------------------------------------------ docs


@dataclass(frozen=True)
class Block:
    """A fenced SQL block of a page, with the output that the page promises."""

    line: int
    sql: list[str]
    expected: Optional[str]
    info: str

    @property
    def reason_to_skip(self) -> str:
        return self.info.partition("skip=")[2].strip()


FEWEST_README_BLOCKS = 5
FENCE = re.compile(r"^```(sql|text)\b *(.*)\n((?:(?!```).*\n)*)```[ ]*\n", re.MULTILINE)


def blocks_of(page: str) -> list[Block]:
    """The SQL blocks of a page; a text block right after one (blank lines aside) is its expected output."""
    blocks: list[Block] = []
    last_sql_end = None
    for fence in FENCE.finditer(page):
        kind, info, body = fence.groups()
        line = page.count("\n", 0, fence.start()) + 1
        if kind == "sql":
            blocks.append(Block(line, body.splitlines(), None, info))
            last_sql_end = fence.end()
        elif last_sql_end is not None and not page[last_sql_end : fence.start()].strip():
            sql = blocks.pop()
            blocks.append(Block(sql.line, sql.sql, body, sql.info))
            last_sql_end = None
    return blocks


def docs(run: Run, cluster: Cluster) -> None:
    """Every SQL block of the README and the book, in order, one session and one fresh database for each page."""
    readme = REPO / "README.md"
    for page in [readme, *sorted((REPO / "docs").glob("*.md"))]:
        blocks = blocks_of(page.read_text()) if page.exists() else []
        if page == readme:
            with run.test("docs", "README.md has its examples", cluster) as wanted:
                count = sum(not block.info for block in blocks)
                if wanted and count < FEWEST_README_BLOCKS:
                    raise Different(f"{count} SQL blocks to run, at least {FEWEST_README_BLOCKS} expected")
        if blocks:
            page_test(run, cluster, page, blocks)


def page_test(run: Run, cluster: Cluster, page: Path, blocks: list[Block]) -> None:
    name = page.name
    if not run.selects("docs", name):
        return
    try:
        answers, complaint = run_page(cluster, page, [block for block in blocks if not block.info])
    except Failure as failure:
        answers, complaint = {}, str(failure)
    for block in blocks:
        if block.reason_to_skip:
            run.note(f"docs/{name}:{block.line} is not run: {block.reason_to_skip}")
            continue
        with run.test("docs", f"{name}:{block.line}", cluster, selected_by=name):
            if block.info:
                raise Different(f"a block that is not run must say why: ```sql skip=reason, not ```sql {block.info}")
            if block.line not in answers:
                raise Different(complaint or "not run: an earlier block failed")
            if block.expected is not None:
                compare(tidy(block.expected), tidy(answers[block.line]), f"{name}:{block.line}")
        if not block.info and block.line not in answers:
            complaint = ""


def tidy(text: str) -> str:
    """psql pads lines with blanks that editors strip."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def run_page(cluster: Cluster, page: Path, blocks: list[Block]) -> tuple[dict[int, str], str]:
    """Run the blocks as one script whose lines are those of the page; returns each finished block's output, and the complaint."""
    cluster.fresh_database("docs")
    lines = [""] * (page.read_text().count("\n") + 1)
    for block in blocks:
        lines[block.line - 1] = f"\\qecho @begin {block.line}"
        lines[block.line : block.line + len(block.sql)] = block.sql
        lines[block.line + len(block.sql)] = f"\\qecho @end {block.line}"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / page.name).write_text("\n".join(lines))
        command = cluster.psql("-q", "-v", "ON_ERROR_STOP=1", "-v", f"data={DATA}", "-f", page.name, db="docs")
        done = subprocess.run(command, cwd=folder, env=clean_environment(PGOPTIONS=FIXED), capture_output=True, text=True)
    finished = re.findall(r"^@begin (\d+)\n(.*?)^@end \1\n", done.stdout, flags=re.MULTILINE | re.DOTALL)
    return {int(line): printed for line, printed in finished}, done.stderr.strip()


SUITES = {"regress": regress, "cluster": cluster_tests, "surface": surface, "docs": docs}
