"""The buckets that all processes share, in Redis."""

from __future__ import annotations

import os
from collections.abc import Sequence

from django.conf import settings

from brainops.core import clock
from brainops.core.ratelimit.buckets import Bucket, Grant
from brainops.core.ratelimit.redis_server import RedisServer, server
from brainops.core.ratelimit.script import TAKE

CENSUS_SECONDS = 5.0  # how often a process says that it is there
_VALUES_A_BUCKET = 3


class RedisBuckets:
    """Takes from buckets, and knows how many processes do."""

    def __init__(self, redis: RedisServer = server) -> None:
        self.redis = redis
        self.processes = 1  # web processes that were there at the last look
        self.space = "rate"
        self._counted_at = 0.0

    def take(self, wanted: Sequence[tuple[Bucket, int]]) -> Grant | None:
        """Take tokens from all of the buckets or from none; None when Redis is away or too slow."""
        prefix = f"{settings.BRAINOPS_REDIS_PREFIX}:{self.space}:"
        arguments: list[object] = [self._own_name(clock.monotonic())]
        for bucket, tokens in wanted:
            arguments += (f"{1e6 / bucket.per_second:.6f}", bucket.burst, tokens)
        keys = [f"{prefix}processes", *(prefix + bucket.key for bucket, _ in wanted)]
        answer = self.redis.run(TAKE, keys, arguments)
        return None if answer is None else self._read(answer)

    def _own_name(self, now: float) -> str:
        """This process' name when it is time to be counted, else nothing."""
        if self._counted_at and now - self._counted_at < CENSUS_SECONDS:
            return ""
        self._counted_at = now
        return f"{os.uname().nodename}:{os.getpid()}"

    def _read(self, answer: Sequence[int]) -> Grant:
        processes, refused, wait_microseconds = answer[:3]
        if processes:
            self.processes = processes
        rest = answer[3:]
        return Grant(
            tokens=tuple(rest[0::_VALUES_A_BUCKET]),
            remaining=tuple(rest[1::_VALUES_A_BUCKET]),
            full_in_seconds=tuple(value / 1e6 for value in rest[2::_VALUES_A_BUCKET]),
            refused=refused - 1 if refused else None,
            wait_seconds=wait_microseconds / 1e6,
        )
