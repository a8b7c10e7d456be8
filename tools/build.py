"""Build the extension for a server and install it, each only when something changed."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from place import CACHE, REPO, Failure, clean_environment, one_at_a_time, output, program, run, say
from provision import SUPPORTED, Server, cargo_pgrx, libclang_environment

SOURCES = ("Cargo.toml", "Cargo.lock", "ltv.control", ".cargo", "src", "sql", "crates")


def build_environment(server: Server) -> dict[str, str]:
    """What cargo must see to compile the extension against this server."""
    pgrx_home = CACHE / "pgrx"
    pgrx_home.mkdir(parents=True, exist_ok=True)
    settings = pgrx_home / "config.toml"  # PGRX_PG_CONFIG_PATH says all; but cargo rebuilds without end while the file is missing
    if not settings.exists():
        settings.write_text("[configs]\n")
    cargo = program("cargo", "get Rust from https://rustup.rs")
    return clean_environment(
        **libclang_environment(),
        PATH=os.pathsep.join([str(cargo.parent), os.environ.get("PATH", os.defpath)]),
        PGRX_HOME=str(pgrx_home),
        PGRX_PG_CONFIG_PATH=str(server.pg_config),
        CARGO_TARGET_DIR=os.environ.get("CARGO_TARGET_DIR") or str(CACHE / "target"),
    )


def features(server: Server) -> list[str]:
    """cargo's arguments that choose the PostgreSQL version."""
    return ["--no-default-features", "--features", f"pg{server.major}"]


def stage_name(server: Server) -> str:
    """One staging folder for each server."""
    return f"pg{server.major}-{hashlib.sha256(str(server.pg_config).encode()).hexdigest()[:8]}"


def fingerprint(server: Server) -> str:
    """Changes whenever the built files could."""
    digest = hashlib.sha256()
    for part in (str(server.pg_config), server.version, output([program("rustc", "get Rust from https://rustup.rs"), "--version"])):
        digest.update(part.encode())
    for source in SOURCES:
        path = REPO / source
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file():
                digest.update(str(file.relative_to(REPO)).encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def build(server: Server) -> Path:
    """Compile and package for a server; returns the folder with the packaged files."""
    if server.major not in SUPPORTED:
        raise Failure(f"{server.version} is not supported: {', '.join(map(str, SUPPORTED))} are")
    if not (server.ask("includedir-server") / "postgres.h").exists():
        raise Failure(f"{server.version} has no headers: install its development package (Debian: postgresql-server-dev-{server.major})")
    stage = CACHE / "stage" / stage_name(server)
    stamp = stage / ".fingerprint"
    wanted = fingerprint(server)
    if stamp.exists() and stamp.read_text() == wanted:
        return stage
    environment = build_environment(server)
    pgrx = cargo_pgrx()
    say(f"building ltv for {server.version}")
    shutil.rmtree(stage, ignore_errors=True)
    stage.parent.mkdir(parents=True, exist_ok=True)
    with open(stage.with_suffix(".log"), "w") as chatter:  # cargo's progress and every error go to the standard error
        command: list[str | Path] = [pgrx, "pgrx", "package", *features(server), "--pg-config", server.pg_config, "--out-dir", stage]
        run(command, cwd=REPO, env=environment, stdout=chatter)
    stamp.write_text(wanted)
    return stage


def packaged_files(stage: Path, server: Server) -> list[tuple[Path, Path, int]]:
    """(from, to, mode) of every file that makes an installed extension."""
    extension = server.ask("sharedir") / "extension"
    scripts = [*stage.rglob("ltv.control"), *stage.rglob("ltv--*.sql")]
    libraries = [*stage.rglob("ltv.so"), *stage.rglob("ltv.dylib")]
    return [(file, extension / file.name, 0o644) for file in scripts] + [(file, server.ask("pkglibdir") / file.name, 0o755) for file in libraries]


def install(server: Server) -> None:
    """Build, then put the files in place one by one and atomically: running backends keep the library they have mapped."""
    with one_at_a_time(f"build-{stage_name(server)}"):
        files = packaged_files(build(server), server)
        try:
            for source, target, mode in files:
                if target.exists() and target.read_bytes() == source.read_bytes():
                    continue
                fresh = target.with_name(f".{target.name}.new")
                shutil.copyfile(source, fresh)
                fresh.chmod(mode)
                os.replace(fresh, target)
        except PermissionError as error:
            commands = "\n".join(f"  sudo install -m {mode:o} {source} {target}" for source, target, mode in files)
            raise Failure(f"{error}\nthe extension is built; to install it as root:\n{commands}") from None
