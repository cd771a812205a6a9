"""Limiters of their own, and a Redis server that may be killed and frozen."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brainops.core import clock
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.limiter import Limiter
from brainops.core.ratelimit.redis_server import RedisServer
from brainops.stack.binaries import find_redis
from brainops.stack.children import Child, start, wait_until
from brainops.stack.ports import free_port
from brainops.stack.valkey import Valkey


def bucket(*, per_second: float = 1, burst: int = 5, name: str = "test", owner: str = "") -> Bucket:
    """A bucket of nobody else."""
    return Bucket(name, owner or uuid.uuid4().hex, per_second, burst)


@pytest.fixture(autouse=True)
def _patience(settings: Any) -> None:
    """A busy machine is no slow Redis: what tests measure is counted, not timed."""
    settings.BRAINOPS_RATE_REDIS_TIMEOUT_SECONDS = 5


@pytest.fixture
def limiter() -> Limiter:
    return Limiter(RedisServer())


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """A clock of the process that stands still until told otherwise."""
    times = {"now": 1000.0}
    monkeypatch.setattr(clock, "monotonic", lambda: times["now"])
    return times


class Server:
    """A Redis of this test."""

    def __init__(self, folder: Path) -> None:
        self._valkey = Valkey(find_redis(os.environ), folder / "valkey", free_port(), folder / "valkey.log")
        self._valkey.create()
        self._child: Child | None = None
        self.url = self._valkey.url()

    def start(self) -> None:
        self._child = start(self._valkey.service())
        wait_until(self._valkey.is_ready, self._child, seconds=30)

    def send(self, number: signal.Signals) -> None:
        assert self._child is not None
        os.kill(self._child.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[Server]:
    """A running server, which the settings name."""
    redis = Server(tmp_path)
    redis.start()
    settings.REDIS_URL = redis.url
    yield redis
    redis.stop()
