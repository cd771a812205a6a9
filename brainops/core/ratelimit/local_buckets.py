"""Buckets in the memory of one process, for the time that Redis is away: this process' share of each limit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from brainops.core import clock
from brainops.core.ratelimit.buckets import Bucket, Standing, Verdict

ROUNDING_SECONDS = 1e-6  # of sums of floating-point numbers
MOST_BUCKETS = 20_000  # remembered; the longest unused are forgotten


class LocalBuckets:
    """Full-until instants on the monotonic clock. The caller holds a lock."""

    def __init__(self) -> None:
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, buckets: Sequence[Bucket], *, processes: int) -> Verdict:
        """Take one token from each bucket or from none; of each limit this process has one part in `processes`.

        Nobody's share is below one request at a time.
        """
        now = clock.monotonic()
        taken: list[tuple[Bucket, float]] = []
        standings: list[Standing] = []
        for bucket in buckets:
            step_seconds = processes / bucket.per_second
            burst = max(1, bucket.burst // processes)
            full_at = max(self._full_at.get(bucket.key, now), now) + step_seconds
            wait_seconds = full_at - now - burst * step_seconds
            if wait_seconds > ROUNDING_SECONDS:
                return Verdict(refused=bucket, wait_seconds=wait_seconds)
            taken.append((bucket, full_at))
            standings.append(Standing(bucket, int((-wait_seconds + ROUNDING_SECONDS) / step_seconds), full_at - now))
        for bucket, full_at in taken:
            self._full_at[bucket.key] = full_at
            self._full_at.move_to_end(bucket.key)
        while len(self._full_at) > MOST_BUCKETS:
            self._full_at.popitem(last=False)
        return Verdict(tuple(standings))

    def clear(self) -> None:
        """Forget every bucket."""
        self._full_at.clear()
