"""How many refused requests of an endpoint are stored: strangers can make them, so they must not fill the disk."""

from __future__ import annotations

import threading
from uuid import UUID

STORED_PER_MINUTE = 60  # of one endpoint, by one process; the rest are counted
KEPT = 500  # newest rejected events of an endpoint
KEPT_BODY_BYTES = 4096
MOST_ENDPOINTS = 10_000


class Quota:
    """Counts refused requests by endpoint and minute; thread-safe."""

    def __init__(self, *, per_minute: int = STORED_PER_MINUTE) -> None:
        self._per_minute = per_minute
        self._lock = threading.Lock()
        self._minute = 0
        self._stored: dict[UUID, int] = {}
        self._omitted: dict[UUID, int] = {}

    def take(self, endpoint_id: UUID, *, now_seconds: float) -> int | None:
        """How many requests went unstored before this one, which may be stored; None when it may not."""
        minute = int(now_seconds // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._stored = minute, {}
            stored = self._stored.get(endpoint_id, 0)
            if stored >= self._per_minute or len(self._stored) >= MOST_ENDPOINTS:
                self._omitted[endpoint_id] = self._omitted.get(endpoint_id, 0) + 1
                return None
            self._stored[endpoint_id] = stored + 1
            return self._omitted.pop(endpoint_id, 0)

    def give_back(self, endpoint_id: UUID, omitted: int) -> None:
        """Undo a `take` whose request was not stored after all."""
        with self._lock:
            self._stored[endpoint_id] = max(0, self._stored.get(endpoint_id, 0) - 1)
            if omitted:
                self._omitted[endpoint_id] = self._omitted.get(endpoint_id, 0) + omitted


rejected = Quota()
