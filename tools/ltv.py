#!/usr/bin/env python3
"""Build, try and install the extension; the Makefile's targets are these commands."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from build import install
from cluster import Cluster
from place import CACHE, REPO, Failure, clean_environment, run, runtime, say
from proof import coverage, proof
from provision import DEFAULT_MAJOR, Server, server, server_from

DEMO = REPO / "demo"
DATA = REPO / "tests" / "data"
MADE = ("cargo", "clusters", "debs", "libclang-*", "pgrx", "pip", "server", "stage", "target", "wheels", "*.lock")


def chosen_server(options: argparse.Namespace) -> Server:
    """The server that --pg-config or --pg (PG_CONFIG=, PG=) ask for; ours for PostgreSQL 18 otherwise."""
    return server_from(Path(options.pg_config)) if options.pg_config else server(options.pg)


def running_cluster(options: argparse.Namespace, name: str, **settings: str) -> Cluster:
    """A started cluster of that name with the extension installed in its server."""
    chosen = chosen_server(options)
    install(chosen)
    cluster = Cluster(chosen, f"{name}-{chosen.major}")
    if not cluster.exists:
        say(f"creating a cluster of {chosen.version} in {cluster.folder}")
        cluster.create(**settings)
    cluster.start()
    return cluster


def build_command(options: argparse.Namespace) -> None:
    chosen = chosen_server(options)
    install(chosen)
    say(f"ltv is installed in {chosen.ask('pkglibdir')}")


def install_command(options: argparse.Namespace) -> None:
    if not options.pg_config:
        raise Failure("say into which server: make install PG_CONFIG=/path/to/pg_config")
    target = Server(Path(options.pg_config).absolute())
    install(target)
    say(f"ltv is installed in {target.version}; connect and run: CREATE EXTENSION ltv;")


def demo_command(options: argparse.Namespace) -> None:
    begun = time.monotonic()
    cluster = running_cluster(options, "demo")
    say("running the demo")
    cluster.fresh_database("demo")
    cluster.execute("CREATE EXTENSION ltv;", db="demo")
    script = DEMO / "run.sql"
    run(cluster.psql("-q", "-v", "ON_ERROR_STOP=1", "-v", f"data={DATA}", "-f", script, db="demo"), env=clean_environment(PAGER=""))
    choice = f" PG_CONFIG={options.pg_config}" if options.pg_config else f" PG={options.pg}" if options.pg != DEFAULT_MAJOR else ""
    say(f"done in {time.monotonic() - begun:.0f} s; the server keeps running until make stop. To go on:")
    print(f"\n  make psql{choice}\n\nwhich is\n\n  {shlex.join(cluster.psql(db='demo'))}\n")


def scratch_command(options: argparse.Namespace) -> None:
    cluster = running_cluster(options, options.name)
    cluster.fresh_database(options.name)
    cluster.execute("CREATE EXTENSION ltv;", db=options.name)
    print(shlex.join(cluster.psql(db=options.name)))


def psql_command(options: argparse.Namespace) -> None:
    wanted = f"demo-{server_from(Path(options.pg_config)).major if options.pg_config else options.pg}"
    for cluster in Cluster.existing():
        if cluster.name == wanted:
            cluster.start()
            command = cluster.psql(db="demo")
            os.execve(command[0], command, clean_environment())
    raise Failure("there is no demo yet: make demo")


def bench_command(options: argparse.Namespace) -> None:
    cluster = running_cluster(options, "bench", shared_buffers="1GB", work_mem="64MB", max_wal_size="8GB")
    cluster.fresh_database("bench")
    cluster.execute("CREATE EXTENSION ltv;", db="bench")
    connection = {"PGHOST": str(cluster.socket_folder), "PGUSER": "postgres", "PGDATABASE": "bench"}
    path = os.pathsep.join([str(cluster.server.bindir), os.environ.get("PATH", os.defpath)])
    try:
        run([sys.executable, REPO / "bench" / "run.py", *options.arguments], env=clean_environment(**connection, PATH=path))
    finally:
        cluster.stop()


def test_command(options: argparse.Namespace) -> None:
    sys.exit(subprocess.run([sys.executable, REPO / "tests" / "run.py", *options.arguments]).returncode)


def proof_command(options: argparse.Namespace) -> None:
    proof(options.arguments)


def coverage_command(options: argparse.Namespace) -> None:
    coverage(options.arguments)


def stop_command(_: argparse.Namespace) -> None:
    for cluster in Cluster.existing():
        if cluster.running:
            say(f"stopping {cluster.name}")
            cluster.stop()


def clean_command(_: argparse.Namespace) -> None:
    for cluster in Cluster.existing():
        say(f"removing {cluster.name}")
        cluster.remove()


def distclean_command(options: argparse.Namespace) -> None:
    clean_command(options)
    for made in MADE:
        for path in {*CACHE.glob(made), *runtime().glob(made)}:
            say(f"removing {path}")
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    for name, function in sorted(globals().items()):
        if name.endswith("_command"):
            command = commands.add_parser(name[: -len("_command")], allow_abbrev=False, add_help=name != "test_command")
            command.set_defaults(run=function)
            if name == "test_command":
                continue  # tests/run.py has options of its own
            command.add_argument("--pg", type=int, default=os.environ.get("PG") or DEFAULT_MAJOR, help="PostgreSQL version")
            command.add_argument("--pg-config", default=os.environ.get("PG_CONFIG"), help="pg_config of an installed server")
            if name == "scratch_command":
                command.add_argument("--name", default="scratch", help="of the cluster and of its database")
    return top


def main() -> None:
    commands = parser()
    options, rest = commands.parse_known_args()
    options.arguments = rest
    if rest and options.run not in (bench_command, coverage_command, proof_command, test_command):
        commands.error(f"unknown: {' '.join(rest)}")
    try:
        options.run(options)
    except Failure as failure:
        sys.exit(f"ltv: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
