"""`bin/brainops doctor`: does this machine have what BrainOps needs, and where does it come from."""

import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from brainops.stack.binaries import MissingServer, find_postgres, find_redis
from brainops.stack.place import CHECKOUT, Place
from brainops.stack.ports import LOOPBACK, is_free
from brainops.stack.privileges import unprivileged
from brainops.stack.settled_ports import WEB_PORT
from brainops.stack.state import is_held, load_state

LOW_DISK_BYTES = 1 << 30
WAYS = {
    "same": "they run as you",
    "namespace": "you are root: they run in a user namespace, as nobody",
    "user": "you are root and user namespaces are closed: they run as another system user",
}


class Trouble(Exception):
    """A finding that keeps BrainOps from running; the message says the way out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    name: str
    is_good: bool
    text: str


def doctor(place: Place) -> int:
    """Print the findings; 0 when nothing stands in the way."""
    findings = examine(place)
    for finding in findings:
        print(f"{'ok ' if finding.is_good else 'BAD'} {finding.name:<12} {finding.text}")
    return 0 if all(finding.is_good for finding in findings) else 1


def examine(place: Place) -> list[Finding]:
    """Look at everything; a finding for each."""
    looks: dict[str, Callable[[], str]] = {
        "python": _python,
        "postgresql": _postgresql,
        "redis": _redis,
        "root": lambda: WAYS[unprivileged().way],
        "data": lambda: _data(place),
        "port": lambda: _port(place),
        "disk": lambda: _disk(place),
    }
    return [_look(name, look) for name, look in looks.items()]


def _look(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, is_good=True, text=look())
    except (Trouble, MissingServer, OSError) as trouble:
        return Finding(name, is_good=False, text=str(trouble))


def _python() -> str:
    return f"{platform.python_version()} at {sys.executable}, {platform.system()} {platform.machine()}"


def _postgresql() -> str:
    if os.environ.get("DATABASE_URL"):
        return "DATABASE_URL names a server; it is used and none is started"
    found = find_postgres(os.environ)
    return f"{found.version} from {found.origin}: {found.folder}"


def _redis() -> str:
    if os.environ.get("REDIS_URL"):
        return "REDIS_URL names a server; it is used and none is started"
    found = find_redis(os.environ)
    return f"{found.version} from {found.origin}: {found.path}"


def _data(place: Place) -> str:
    folder = next(path for path in (place.data, *place.data.parents) if path.exists())
    if not os.access(folder, os.W_OK):
        raise Trouble(f"{folder} is not writable. Set BRAINOPS_DATA to a folder of yours.")
    state = load_state(place.state)
    return f"{place.data} ({state.state if state and is_held(place) else 'nothing runs'})"


def _port(place: Place) -> str:
    if is_held(place):
        return "taken by the running installation"
    if is_free(WEB_PORT):
        return f"{WEB_PORT} on {LOOPBACK} is free"
    return f"{WEB_PORT} on {LOOPBACK} is taken; up will take the next free one, or give one with --port"


def _disk(place: Place) -> str:
    folder = place.data if place.data.exists() else CHECKOUT
    free = shutil.disk_usage(folder).free
    if free < LOW_DISK_BYTES:
        raise Trouble(f"only {free >> 20} MiB free on the disk of {folder}; BrainOps wants 1 GiB to begin with.")
    return f"{free >> 30} GiB free"
