"""What a test needs of a server: ask it, make it fail and read why, copy it, break it, read its log.

A test in tests/cluster/test_*.py is a function ``test_…(cluster)``; it gets the version's running cluster with a fresh database
(``cluster.db``) in which the extension and the test data are loaded, and fails by raising, usually with ``assert``.
"""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple, Optional

# A refusal may repeat a long text that it was given.
csv.field_size_limit(1 << 30)
REPO = Path(__file__).resolve().parent.parent
DATA = REPO / "tests" / "data"
sys.path.insert(0, str(REPO / "tools"))

import cluster as base  # noqa: E402
from place import Failure, as_owner_of, clean_environment  # noqa: E402

NULL = "\x1a"  # no value that a test asks for looks like this
TEMPLATE = "ltv_template"
DEFECT = re.compile(r"terminated by signal|PANIC: |\bXX000\b|cache lookup failed|server process .* exited with exit code")
REPORTED = re.compile(r"^(ERROR|FATAL|DETAIL|HINT|LOCATION|CONTEXT|QUERY|LINE \d+): +", re.MULTILINE)

Row = list[Optional[str]]


class Error(NamedTuple):
    """What the server answered to a statement that had to fail."""

    sqlstate: str
    message: str
    hint: str


class Cluster(base.Cluster):
    """A throw-away cluster with the questions that tests ask."""

    db = "postgres"
    log_read_to = 0

    # -------------------------------------------------------------- asking

    def query(self, sql: str, db: str | None = None) -> list[Row]:
        """The rows of all statements as text, None for NULL."""
        done = self._run(sql, db, "-v", "ON_ERROR_STOP=1", "--csv", "-t", "-P", f"null={NULL}")
        if done.returncode != 0:
            raise Failure(f"{done.stderr.strip()}\nin: {sql.strip()[:400]}")
        return rows_of(done.stdout)

    def value(self, sql: str, db: str | None = None) -> str | None:
        """The one value of a one-row, one-column answer."""
        rows = self.query(sql, db)
        assert len(rows) == 1 and len(rows[0]) == 1, f"one value expected of {sql!r}, got {rows}"
        return rows[0][0]

    def execute(self, sql: str, db: str | None = None) -> None:
        super().execute(sql, db or self.db)

    def error(self, sql: str, db: str | None = None) -> Error:
        """The error of the first statement that fails; an AssertionError if none does."""
        done = self._run(sql, db, "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose")
        assert done.returncode != 0, f"an error was expected of {sql!r}"
        parts = REPORTED.split(done.stderr)
        fields = {name: text.strip() for name, text in zip(parts[1::2], parts[2::2])}
        sqlstate, _, message = (fields.get("ERROR") or fields.get("FATAL") or f"?????: {done.stderr}").partition(": ")
        return Error(sqlstate, message.strip(), fields.get("HINT", ""))

    def run_script(self, script: Path, db: str | None = None, **variables: object) -> str:
        """Run a file with psql variables; returns what it prints."""
        settings = [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
        done = self._run("", db, "-v", "ON_ERROR_STOP=1", *settings, "-f", str(script))
        if done.returncode != 0:
            raise Failure(done.stderr.strip())
        return done.stdout

    def session(self, db: str | None = None) -> Session:
        """A connection that stays open, for tests in which sessions meet."""
        return Session(self, db or self.db)

    def _run(self, sql: str, db: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.psql("-q", *arguments, db=db or self.db), input=sql, env=clean_environment(), capture_output=True, text=True)

    # -------------------------------------------------------------- databases and copies

    def fresh_database(self, name: str, template: str = TEMPLATE) -> None:
        """A database with the extension and the test data."""
        super().fresh_database(name, template)

    def prepare_template(self) -> None:
        """Make the database that fresh ones are copied from."""
        self.fresh_database(TEMPLATE, template="template0")
        self.execute("CREATE EXTENSION ltv;", db=TEMPLATE)
        script = REPO / "tests" / "load.sql"
        if script.exists():
            self.run_script(script, db=TEMPLATE, data=DATA)

    def dump(self, db: str | None = None, *options: str) -> str:
        """pg_dump as a script."""
        return self._client("pg_dump", *options, db=db or self.db)

    def restore(self, script: str, db: str) -> None:
        """Replay a dump into a new empty database."""
        self.fresh_database(db, template="template0")
        self.execute(script, db=db)

    def standby(self) -> Cluster:
        """A running hot standby of this cluster; the caller removes it."""
        other = Cluster(self.server, f"{self.name}-standby")
        other.db = self.db
        other.claim()
        source = ("-h", self.socket_folder, "-U", "postgres")
        other._must("pg_basebackup", *source, "-D", other.data, "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        other.configure(unix_socket_directories=str(other.socket_folder))
        other.start()
        return other

    def _client(self, name: str, *arguments: str, db: str) -> str:
        done = subprocess.run(self.client(name, *arguments, db=db), env=clean_environment(), capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"{name}: {done.stderr.strip()}")
        return done.stdout

    # -------------------------------------------------------------- the log

    def skip_log(self) -> None:
        """Forgive what the log says so far: for tests that kill on purpose."""
        self.log_read_to = self.log.stat().st_size if self.log.exists() else 0

    def defects(self) -> list[str]:
        """Crashes, panics and internal errors that the log reports since the last look."""
        if not self.log.exists():
            return []
        with open(self.log, errors="replace") as file:
            file.seek(self.log_read_to)
            found = [line.rstrip() for line in file if DEFECT.search(line)]
        self.skip_log()
        return found


def role(cluster: Cluster, name: str) -> None:
    """A fresh role without rights; roles belong to the cluster, not to the test's database."""
    cluster.execute(f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN EXECUTE 'DROP OWNED BY {name} CASCADE'; EXECUTE 'DROP ROLE {name}'; END IF; END $$; CREATE ROLE {name};")


def caught_up(primary: Cluster, standby: Cluster) -> None:
    """Wait until the standby has replayed all that the primary has written."""
    primary.query("SET synchronous_commit = on; SELECT pg_logical_emit_message(true, 'test', 'flush')")
    written = primary.value("SELECT pg_current_wal_flush_lsn()")
    until = time.monotonic() + 30
    while standby.value(f"SELECT pg_last_wal_replay_lsn() >= '{written}'") != "t":
        assert time.monotonic() < until, "the standby does not catch up"
        time.sleep(0.05)


def rows_of(printed: str) -> list[Row]:
    """psql's CSV as values."""
    records = csv.reader(io.StringIO(printed, newline=""))
    return [[None if value == NULL else value for value in record or [""]] for record in records]


class Session:
    """One open connection: ``ask`` waits for the answer; ``send`` does not, and ``answer`` waits later."""

    END = "--end-of-answer--"

    def __init__(self, cluster: Cluster, db: str) -> None:
        pipe, same = subprocess.PIPE, subprocess.STDOUT
        command = cluster.psql("-q", "--csv", "-t", "-P", f"null={NULL}", db=db)
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=same, text=True, bufsize=1, env=clean_environment())

    def send(self, sql: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{sql}\n;\n\\echo {self.END}\n")
        self.process.stdin.flush()

    def answer(self) -> list[Row]:
        """Rows; an error message is a row of one text that starts with ERROR."""
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            if line.rstrip("\n") == self.END:
                return rows_of("".join(lines))
            lines.append(line)
        raise Failure("the session ended: " + "".join(lines))

    def ask(self, sql: str) -> list[Row]:
        self.send(sql)
        return self.answer()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(timeout=60)
