"""How fast one caller may start runs: generous for people and programs, finite for loops that ran away.

The generic cell rate algorithm (ITU-T I.371) in the memory of the web process: one number a caller, no round trip, and
nothing that fails when Redis is away. With several web processes the limit is as many times as high.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from django.conf import settings

from brainops.accounts.caller import Caller
from brainops.core import clock
from brainops.core.errors import TooManyRequests

BURST_SECONDS = 5.0  # as many starts as this time allows may come at once
ROUNDING_SECONDS = 1e-6  # of sums of floating-point numbers
MOST_CALLERS = 10_000  # remembered; the longest unseen are forgotten


class StartLimit:
    """The buckets of one process; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._full_until: OrderedDict[str, float] = OrderedDict()  # on the monotonic clock

    def take(self, name: str, *, per_second: float) -> float:
        """Take one start; 0 when it is granted, else the seconds until the next one will be."""
        now = clock.monotonic()
        with self._lock:
            full_until = max(self._full_until.get(name, now), now) + 1 / per_second
            wait_seconds = full_until - now - BURST_SECONDS
            if wait_seconds > ROUNDING_SECONDS:
                return wait_seconds
            self._full_until[name] = full_until
            self._full_until.move_to_end(name)
            if len(self._full_until) > MOST_CALLERS:
                self._full_until.popitem(last=False)
        return 0.0

    def forget_all(self) -> None:
        """Start anew (for tests)."""
        with self._lock:
            self._full_until.clear()


limit = StartLimit()


def require_pace(caller: Caller) -> None:
    """Raise TooManyRequests when the caller starts runs faster than the limit."""
    per_second = settings.BRAINOPS_LIMITS["starts_per_second"]
    wait_seconds = limit.take(str(caller.credential_id or caller.user_id), per_second=per_second)
    if wait_seconds:
        raise TooManyRequests(
            f"More than {per_second} runs a second were started with this key or login. Slow down, or raise "
            "BRAINOPS_LIMIT_STARTS_PER_SECOND.",
            retry_after_seconds=wait_seconds,
        )
