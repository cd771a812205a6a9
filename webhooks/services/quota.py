"""How many refused requests of an endpoint are stored: strangers can make them, so they must not fill the disk."""

from __future__ import annotations

import threading
from uuid import UUID

from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.limiter import limiter

STORED_PER_MINUTE = 60  # of one endpoint, by all processes; the rest are counted
KEPT = 500  # newest rejected events of an endpoint
KEPT_BODY_BYTES = 4096
MOST_ENDPOINTS = 10_000  # whose unstored requests this process counts


class Quota:
    """Decides which refused requests are stored, and counts the others; thread-safe.

    Half of a minute's number may come at once, the other half comes back over the minute: so in no minute more than
    the number is stored. Each process counts what it did not store and tells it with the next one that it does.
    """

    def __init__(self, *, per_minute: int = STORED_PER_MINUTE) -> None:
        self._burst = max(1, per_minute // 2)
        self._lock = threading.Lock()
        self._omitted: dict[UUID, int] = {}

    def take(self, workspace_id: UUID, endpoint_id: UUID) -> int | None:
        """How many requests went unstored before this one, which may be stored; None when it may not."""
        stored = Bucket("webhook-refusals-stored", f"{workspace_id}:{endpoint_id}", self._burst / 60, self._burst)
        is_refused = limiter.take(stored).refused is not None
        with self._lock:
            if not is_refused:
                return self._omitted.pop(endpoint_id, 0)
            if endpoint_id in self._omitted or len(self._omitted) < MOST_ENDPOINTS:
                self._omitted[endpoint_id] = self._omitted.get(endpoint_id, 0) + 1
            return None

    def give_back(self, endpoint_id: UUID, omitted: int) -> None:
        """Keep the count of a `take` whose request was not stored after all, for the next one."""
        if omitted:
            with self._lock:
                self._omitted[endpoint_id] = self._omitted.get(endpoint_id, 0) + omitted


rejected = Quota()
