"""A throw-away PostgreSQL cluster: its own data directory, its own socket, no TCP port, nothing shared with a system's server."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator, TypeVar

from place import Failure, as_owner_of, clean_environment, private_folder, runtime
from provision import Server

AnyCluster = TypeVar("AnyCluster", bound="Cluster")
LONGEST_SOCKET_PATH = 100  # the system's limit is 107 bytes, 103 on macOS
SETTINGS = {
    "listen_addresses": "",
    "log_line_prefix": "%m [%p] %e ",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
}


class Cluster:
    """One data directory and the server that runs on it; kept in the runtime folder under its name."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.folder = runtime() / "clusters" / name
        self.data = self.folder / "data"
        self.log = self.folder / "log"

    @classmethod
    def existing(cls) -> Iterator[Cluster]:
        """Every cluster that these tools have made and not removed."""
        for mark in sorted((runtime() / "clusters").glob("*/pg_config")):
            yield cls(Server(Path(mark.read_text())), mark.parent.name)

    @classmethod
    @contextlib.contextmanager
    def temporary(cls: type[AnyCluster], server: Server, name: str, **settings: str) -> Iterator[AnyCluster]:
        """A running cluster that is gone afterwards."""
        cluster = cls(server, name)
        try:
            cluster.create(**settings)
            cluster.start()
            yield cluster
        finally:
            cluster.remove()

    # -------------------------------------------------------------- life

    @property
    def exists(self) -> bool:
        return (self.folder / "pg_config").exists()

    @property
    def running(self) -> bool:
        return self.exists and self._call("pg_ctl", "-D", self.data, "status").returncode == 0

    def create(self, **settings: str) -> None:
        """initdb with the given settings added to ours; a cluster of that name is removed first."""
        self.claim()
        options = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync")
        self._must("initdb", "-D", self.data, *options)
        self.configure(**{**SETTINGS, "unix_socket_directories": str(self.socket_folder), **settings})

    def claim(self) -> None:
        """Make the cluster's empty private folder, in the place of what was there."""
        self.remove()
        private_folder(self.folder)
        if len(bytes(self.folder / ".s.PGSQL.5432")) > LONGEST_SOCKET_PATH:
            short = private_folder(Path(tempfile.mkdtemp(prefix="ltv-")))
            (self.folder / "socket_folder").write_text(str(short))
        (self.folder / "pg_config").write_text(str(self.server.pg_config))

    def configure(self, **settings: str) -> None:
        """Append settings; they hold from the next start."""
        quoted = "".join(f"{name} = '{escaped(value)}'\n" for name, value in settings.items())
        with open(self.data / "postgresql.conf", "a") as file:
            file.write(quoted)

    def start(self) -> None:
        if not self.running:
            try:
                self._must("pg_ctl", "-D", self.data, "-l", self.log, "--silent", "-w", "-t", "60", "start")
            except Failure as failure:
                tail = self.log.read_text(errors="replace").splitlines()[-20:] if self.log.exists() else []
                raise Failure("\n".join([str(failure), *tail])) from None

    def stop(self, mode: str = "fast") -> None:
        if self.running:
            self._must("pg_ctl", "-D", self.data, "--silent", "-w", "-m", mode, "stop")

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def remove(self) -> None:
        """Stop the server and delete its files."""
        if self.folder.exists():
            self.stop("immediate")
            if self.socket_folder != self.folder:
                shutil.rmtree(self.socket_folder, ignore_errors=True)
            shutil.rmtree(self.folder)

    # -------------------------------------------------------------- connecting

    @property
    def socket_folder(self) -> Path:
        """The cluster's own folder, or a short one where its path would exceed the system's limit."""
        elsewhere = self.folder / "socket_folder"
        return Path(elsewhere.read_text()) if elsewhere.exists() else self.folder

    def client(self, name: str, *arguments: str | Path, db: str = "postgres") -> list[str]:
        """The command line of a client program connected to this cluster."""
        where = ("-h", self.socket_folder, "-U", "postgres", "-d", db)
        return [str(part) for part in (self.server.bindir / name, *where, *arguments)]

    def psql(self, *arguments: str | Path, db: str = "postgres") -> list[str]:
        return self.client("psql", "-X", *arguments, db=db)

    def execute(self, sql: str, db: str = "postgres") -> None:
        """Run statements; the first error is a Failure with the server's message."""
        command = self.psql("-q", "-v", "ON_ERROR_STOP=1", db=db)
        done = subprocess.run(command, input=sql, env=clean_environment(), capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"{done.stderr.strip()}\nin: {sql.strip()[:400]}")

    def fresh_database(self, name: str, template: str = "template1") -> None:
        """Create a database, dropping an old one of that name."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE);\nCREATE DATABASE "{name}" TEMPLATE "{template}";', db="postgres")

    # -------------------------------------------------------------- programs

    def _call(self, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of the server's programs as the server's user."""
        command = [str(part) for part in (self.server.bindir / name, *arguments)]
        with open(self.folder / "command.out", "w+") as out:  # a pipe would stay open as long as the server runs
            where = {"cwd": self.folder, "env": clean_environment(LC_ALL="C"), **as_owner_of(self.folder)}
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, text=True, **where)
            out.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, out.read())

    def _must(self, name: str, *arguments: str | Path) -> None:
        done = self._call(name, *arguments)
        if done.returncode != 0:
            raise Failure(f"{' '.join(done.args)} failed:\n{done.stdout.strip()}")


def escaped(value: str) -> str:
    """A value inside the quotes of postgresql.conf."""
    return value.replace("\\", "\\\\").replace("'", "''")
