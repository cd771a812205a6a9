"""Sweeps of what nobody needs any more: rooms register theirs, one worker at a time runs them each minute."""

from __future__ import annotations

from collections.abc import Callable

from brainops.core import logs
from brainops.core.registry import Registry

log = logs.get_logger(__name__)

# Functions without arguments that delete old rows in bounded time and return how many. They may run twice.
sweeps: Registry[Callable[[], int]] = Registry("sweep")


def sweep() -> int:
    """Run every sweep; returns how many rows went. One that fails does not stop the others."""
    total = 0
    for name, run in sweeps.items():
        try:
            total += run()
        except Exception:  # whatever it was: the next minute tries again
            log.exception("sweep_failed", sweep=name)
    return total
