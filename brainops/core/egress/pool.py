"""Kept connections of this process, by origin, for all threads."""

from __future__ import annotations

import threading
from collections import deque
from time import monotonic

from brainops.core.egress.urls import Origin
from brainops.core.egress.wires import Wire

MAX_IDLE_SECONDS = 30.0
MAX_AGE_SECONDS = 300.0  # then the name is resolved, and its addresses judged, again
MAX_IDLE_PER_ORIGIN = 64
MAX_IDLE = 512
_SWEEP_SECONDS = 5.0


class Pool:
    """Idle wires, the last used first: the others may grow old and be closed. Safe for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Origin, deque[Wire]] = {}
        self._count = 0
        self._swept_at = monotonic()

    def take(self, origin: Origin) -> Wire | None:
        """Take a wire that is young and still quiet, or None."""
        while (wire := self._pop(origin)) is not None:
            if not _is_old(wire, monotonic()) and not wire.is_stale():
                return wire
            wire.close()
        return None

    def give(self, origin: Origin, wire: Wire) -> None:
        """Keep a wire whose last answer was read to its end."""
        wire.idle_since = now = monotonic()
        with self._lock:
            wires = self._idle.setdefault(origin, deque())
            is_kept = len(wires) < MAX_IDLE_PER_ORIGIN and self._count < MAX_IDLE
            if is_kept:
                wires.append(wire)
                self._count += 1
        if not is_kept:
            wire.close()
        if now - self._swept_at > _SWEEP_SECONDS:
            self._sweep(now)

    def clear(self) -> None:
        """Close all idle wires."""
        with self._lock:
            wires = [wire for kept in self._idle.values() for wire in kept]
            self._idle.clear()
            self._count = 0
        for wire in wires:
            wire.close()

    def forget(self) -> None:
        """Drop the wires of the parent process after a fork: both must not speak on one connection."""
        self._lock = threading.Lock()  # another thread of the parent may have held it
        self.clear()

    def _pop(self, origin: Origin) -> Wire | None:
        with self._lock:
            wires = self._idle.get(origin)
            if not wires:
                return None
            self._count -= 1
            return wires.pop()

    def _sweep(self, now: float) -> None:
        """Close what nobody will use: the left end of each origin is its oldest."""
        old: list[Wire] = []
        with self._lock:
            self._swept_at = now
            for origin, wires in list(self._idle.items()):
                while wires and _is_old(wires[0], now):
                    old.append(wires.popleft())
                if not wires:
                    del self._idle[origin]
            self._count -= len(old)
        for wire in old:
            wire.close()


def _is_old(wire: Wire, now: float) -> bool:
    return now - wire.idle_since > MAX_IDLE_SECONDS or now - wire.opened_at > MAX_AGE_SECONDS
