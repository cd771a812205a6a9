"""The buckets in Redis: one round trip, a short timeout, and no second try."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from brainops.core import clock
from brainops.core.ratelimit.buckets import Bucket, Grant
from brainops.core.ratelimit.circuit import Circuit
from brainops.core.ratelimit.script import DIGEST, TAKE

CENSUS_SECONDS = 5.0  # how often a process says that it is there
_VALUES_A_BUCKET = 3


class RedisBuckets:
    """The buckets all processes share."""

    def __init__(self) -> None:
        self.circuit = Circuit()
        self.processes = 1  # web processes that were there at the last look
        self.space = "rate"
        self._lock = threading.Lock()
        self._client: Any = None
        self._address = ("", 0.0)
        self._counted_at = 0.0

    def take(self, wanted: Sequence[tuple[Bucket, int]]) -> Grant | None:
        """Take tokens from all of the buckets or from none; None when Redis is away or too slow."""
        if not self.circuit.may_call():
            return None
        started = clock.monotonic()
        try:
            answer = self._call(self._arguments(wanted, started))
        except (redis.RedisError, OSError):
            self.circuit.failed()
            return None
        timeout_seconds: float = settings.BRAINOPS_RATE_REDIS_TIMEOUT_SECONDS
        self.circuit.succeeded(is_slow=clock.monotonic() - started > timeout_seconds / 2)
        return self._read(answer)

    def _arguments(self, wanted: Sequence[tuple[Bucket, int]], now: float) -> list[Any]:
        prefix = f"{settings.BRAINOPS_REDIS_PREFIX}:{self.space}:"
        arguments: list[Any] = [len(wanted) + 1, f"{prefix}processes"]
        arguments += [prefix + bucket.key for bucket, _ in wanted]
        arguments.append(self._own_name(now))
        for bucket, tokens in wanted:
            arguments += (f"{1e6 / bucket.per_second:.6f}", bucket.burst, tokens)
        return arguments

    def _own_name(self, now: float) -> str:
        """This process' name when it is time to be counted."""
        if now - self._counted_at < CENSUS_SECONDS and self._counted_at:
            return ""
        self._counted_at = now
        return f"{os.uname().nodename}:{os.getpid()}"

    def _call(self, arguments: list[Any]) -> list[int]:
        client = self._connected()
        try:
            answer: list[int] = client.execute_command("EVALSHA", DIGEST, *arguments)
        except redis.exceptions.NoScriptError:  # a fresh or flushed server; it remembers the script from now on
            answer = client.execute_command("EVAL", TAKE, *arguments)
        return answer

    def _connected(self) -> Any:
        address = (settings.REDIS_URL, settings.BRAINOPS_RATE_REDIS_TIMEOUT_SECONDS)
        if self._client is None or address != self._address:
            with self._lock:
                self._address = address
                self._client = redis.Redis.from_url(
                    address[0],
                    socket_timeout=address[1],
                    socket_connect_timeout=address[1],
                    retry=Retry(NoBackoff(), 0),
                )
        return self._client

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
