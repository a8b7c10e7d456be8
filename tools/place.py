"""Where everything lives and who runs what.

Two folders hold all that these tools make:

* the *cache* (``LTV_CACHE``, else ``~/.cache/ltv``): downloads, cargo-pgrx, the build;
* the *runtime* (``LTV_RUNTIME``): server binaries, data directories and sockets.  It is the cache itself, except for root:
  PostgreSQL refuses to run as root, and an unprivileged user cannot enter root's home, so root uses ``/var/cache/ltv`` --
  a folder below one that only root can write to, so nobody can put something else in its place.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, Sequence

REPO = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("LTV_CACHE") or Path.home() / ".cache" / "ltv").absolute()
IS_ROOT = os.geteuid() == 0
os.umask(0o022)  # what root makes, the server's user must be able to read


class Failure(Exception):
    """Something the user can act on: printed without a traceback."""


def say(text: str) -> None:
    """One line of progress."""
    print(f"==> {text}", flush=True)


def runtime() -> Path:
    """The folder that the server's user must be able to enter."""
    chosen = os.environ.get("LTV_RUNTIME")
    if chosen:
        return Path(chosen).absolute()
    open_to_all = all(folder.stat().st_mode & 0o001 for folder in CACHE.parents if folder.exists())
    return CACHE if open_to_all or not IS_ROOT else Path("/var/cache/ltv")


def server_user() -> pwd.struct_passwd | None:
    """Who runs the servers when we are root; None means: we do."""
    if not IS_ROOT:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Failure("running as root needs an unprivileged user to run the server: add a user named postgres")


def as_owner_of(folder: Path) -> dict[str, Any]:
    """Arguments for subprocess that drop root's rights for those of a cluster's owner."""
    owner = folder.stat()
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if IS_ROOT else {}


def private_folder(path: Path) -> Path:
    """A folder only the server's user (and root) can enter."""
    path.mkdir(parents=True, exist_ok=True)
    user = server_user()
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid)
    path.chmod(0o700)
    return path


def clean_environment(**extra: str) -> dict[str, str]:
    """Our environment without the caller's PG* settings, which would lead libpq to another server."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG") or key.startswith("PGRX")}
    return {**kept, **extra}


def run(command: Sequence[str | Path], **options: Any) -> None:
    """Run a command with its output shown; a non-zero status is a Failure that names the command."""
    done = finished(command, **options)
    if done.returncode != 0:
        raise Failure(f"{Path(command[0]).name} failed with status {done.returncode}: {' '.join(done.args)}")


def output(command: Sequence[str | Path], **options: Any) -> str:
    """What a command prints, stripped."""
    done = finished(command, stdout=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        raise Failure(f"{' '.join(done.args)} failed with status {done.returncode}")
    return str(done.stdout).strip()


def finished(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[Any]:
    """Run a command to its end; one that cannot be started is a Failure."""
    try:
        return subprocess.run([str(part) for part in command], **options)
    except OSError as error:
        raise Failure(f"{command[0]}: {error.strerror}") from None


def program(name: str, hint: str) -> Path:
    """A program from PATH, or from where rustup puts it."""
    found = shutil.which(name) or shutil.which(name, path=str(Path.home() / ".cargo" / "bin"))
    if found is None:
        raise Failure(f"{name} is not installed: {hint}")
    return Path(found)


@contextlib.contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Keep two runs from downloading, building or installing the same thing at once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"    waiting for another run ({name})", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
