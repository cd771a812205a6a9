"""Turning a host name into addresses, within the request's time.

`getaddrinfo` cannot be interrupted and may take half a minute when a name server is silent, so it runs in a
thread of its own that the request stops waiting for.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial

from brainops.core.egress.errors import DnsFailed
from brainops.core.egress.watch import Watch

# Answers the addresses of a name, as text. Tests give their own.
Resolver = Callable[[str, int], Sequence[str]]

MAX_LOOKUPS = 128  # stuck ones included, so that a dead name server cannot pile up threads
_running = threading.BoundedSemaphore(MAX_LOOKUPS)


def system_resolver(name: str, port: int) -> Sequence[str]:
    """Ask the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def look_up(name: str, port: int, *, resolver: Resolver, watch: Watch, until: float) -> tuple[str, ...]:
    """Return the distinct addresses of a name, in the resolver's order. Asks once. Raises DnsFailed."""
    answer = ask_aside(name, port, resolver)
    late = partial(DnsFailed, f"No answer about the name {name} in time.")
    while not answer.is_there.wait(watch.slice_seconds(until, late)):
        pass
    if answer.error is not None:
        raise DnsFailed(f"The name {name} has no address: {_reason(answer.error)}.") from answer.error
    if not answer.addresses:
        raise DnsFailed(f"The name {name} has no address.")
    return tuple(dict.fromkeys(answer.addresses))


class Answer:
    """What a lookup's thread leaves for the thread that waits."""

    def __init__(self) -> None:
        self.is_there = threading.Event()
        self.addresses: Sequence[str] = ()
        self.error: OSError | UnicodeError | None = None


def ask_aside(name: str, port: int, resolver: Resolver) -> Answer:
    """Start one lookup in a thread of its own. Raises DnsFailed when too many are under way."""
    if not _running.acquire(blocking=False):
        raise DnsFailed(f"The name {name} was not looked up: {MAX_LOOKUPS} lookups are already waiting.")
    answer = Answer()

    def ask() -> None:
        try:
            answer.addresses = resolver(name, port)
        except (OSError, UnicodeError) as error:
            answer.error = error
        finally:
            _running.release()
            answer.is_there.set()

    threading.Thread(target=ask, name=f"lookup {name}", daemon=True).start()
    return answer


def _reason(error: OSError | UnicodeError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
