"""What the running supervisor tells other commands: run.json, replaced whole at each change."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from brainops.stack.place import Place
from brainops.stack.processes import identity
from brainops.stack.secret_files import store


class Busy(Exception):
    """Another supervisor holds this data folder."""


@dataclass(slots=True)
class ProcessState:
    """One process as `status` shows it."""

    name: str
    state: str  # running, restarting, stopped
    pid: int | None = None
    identity: str = ""
    started_at: float | None = None
    restarts: int = 0


@dataclass(slots=True)
class RunState:
    """The whole installation as `status` shows it."""

    state: str = "starting"  # starting, running, stopping, stopped, failed
    pid: int = 0
    identity: str = ""
    addresses: dict[str, str] = field(default_factory=dict)
    processes: list[ProcessState] = field(default_factory=list)
    sample: dict[str, Any] = field(default_factory=dict)
    reason: str = ""

    def save(self, path: Path) -> None:
        """Replace the file; a reader sees the old or the new, never a half."""
        store(path, json.dumps(asdict(self), indent=2) + "\n")


def new_state() -> RunState:
    """The state of a supervisor that begins in this process."""
    return RunState(pid=os.getpid(), identity=identity(os.getpid()))


def load_state(path: Path) -> RunState | None:
    """The last saved state, or None when there is none that can be read."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return RunState(**{**raw, "processes": [ProcessState(**process) for process in raw["processes"]]})
    except (OSError, ValueError, TypeError, KeyError):
        return None


@contextlib.contextmanager
def alone(place: Place) -> Iterator[None]:
    """Hold the data folder; raises Busy when another process does.

    The kernel lets go of the lock with the process, so a kill -9 leaves nothing behind.
    """
    with open(place.lock, "a", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(f"Another bin/brainops is using {place.data}.") from error
        yield


def is_held(place: Place) -> bool:
    """Whether a living supervisor holds the data folder."""
    if not place.lock.exists():
        return False
    try:
        with alone(place):
            return False
    except Busy:
        return True
