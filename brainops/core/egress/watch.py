"""Watch: the time left for one request, and whether anybody still wants its answer."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from time import monotonic

from brainops.core.egress.errors import Cancelled, DeadlineExceeded, EgressError

# A silent socket is left this often to look at the clock and the cancel flag.
SLICE_SECONDS = 0.25
_LEAST_SECONDS = 0.001


def never() -> bool:
    """Say that nobody cancels."""
    return False


# Makes the error for a wait that took too long.
Late = Callable[[], EgressError]


class Watch:
    """Bounds every wait of one request. `deadline` is an instant of `time.monotonic()`."""

    __slots__ = ("deadline", "is_cancelled", "total_seconds")

    def __init__(self, total_seconds: float, is_cancelled: Callable[[], bool] = never) -> None:
        self.total_seconds = total_seconds
        self.deadline = monotonic() + total_seconds
        self.is_cancelled = is_cancelled

    def limit(self, seconds: float) -> float:
        """Name the instant a wait of at most `seconds` ends, the deadline at the latest."""
        return min(self.deadline, monotonic() + seconds)

    def slice_seconds(self, until: float, late: Late) -> float:
        """Seconds to wait before looking again.

        Raises Cancelled, DeadlineExceeded, or what `late` makes when `until` has passed.
        """
        if self.is_cancelled():
            raise Cancelled("The request was cancelled.")
        now = monotonic()
        if now >= self.deadline:
            raise DeadlineExceeded(
                f"No complete answer within {self.total_seconds:g} s, the time for the whole request."
            )
        if now >= until:
            raise late()
        return max(min(SLICE_SECONDS, until - now), _LEAST_SECONDS)

    def wait_ready(self, waiting: socket.socket, event: int, *, until: float, late: Late) -> None:
        """Wait until the socket is ready for `event` (select.POLLIN, POLLOUT). Raises like `slice_seconds`."""
        poll = select.poll()
        poll.register(waiting, event)
        while not poll.poll(self.slice_seconds(until, late) * 1000):
            pass
