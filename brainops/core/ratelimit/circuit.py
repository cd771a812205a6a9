"""A circuit breaker: when Redis is away or slow, one request a second finds out, and no other waits for it."""

from __future__ import annotations

import threading

from brainops.core import clock

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
MOST_SLOW = 3  # calls in a row


class Circuit:
    """Says whether to call; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pause_seconds = 0.0  # 0 while all is well
        self._closed_until = 0.0
        self._slow = 0

    def may_call(self) -> bool:
        """True when calls go through; after a failure True for one caller each pause."""
        if not self._pause_seconds:
            return True
        with self._lock:
            now = clock.monotonic()
            if now < self._closed_until:
                return False
            self._closed_until = now + max(self._pause_seconds, FIRST_PAUSE_SECONDS)  # whoever comes now tries it
            return True

    def failed(self) -> None:
        """Note a call that failed; each failure in a row doubles the pause."""
        with self._lock:
            self._pause_seconds = min(max(FIRST_PAUSE_SECONDS, self._pause_seconds * 2), LONGEST_PAUSE_SECONDS)
            self._closed_until = clock.monotonic() + self._pause_seconds

    def succeeded(self, *, is_slow: bool) -> None:
        """Note a call that worked. Several slow ones in a row count as a failure."""
        if not is_slow:
            self._slow = 0
            self._pause_seconds = 0.0
            return
        self._slow += 1
        if self._slow >= MOST_SLOW:
            self._slow = 0
            self.failed()
