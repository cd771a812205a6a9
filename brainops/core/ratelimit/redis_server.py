"""One call of Redis with a short timeout and no second try; None instead of an error when it is away or too slow."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from brainops.core import clock
from brainops.core.ratelimit.circuit import Circuit


class Script:
    """A script that Redis runs, and the name by which it remembers it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class RedisServer:
    """The server of the settings, for numbers that all processes share."""

    def __init__(self) -> None:
        self.circuit = Circuit()
        self._lock = threading.Lock()
        self._client: Any = None
        self._address: tuple[str, float] = ("", 0.0)

    def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Any]) -> list[int] | None:
        """What the script answers; None when Redis is away, or was a moment ago."""
        if not self.circuit.may_call():
            return None
        started = clock.monotonic()
        try:
            answer = self._call(script, (len(keys), *keys, *arguments))
        except (redis.RedisError, OSError):
            self.circuit.failed()
            return None
        timeout_seconds: float = settings.BRAINOPS_RATE_REDIS_TIMEOUT_SECONDS
        self.circuit.succeeded(is_slow=clock.monotonic() - started > timeout_seconds / 2)
        return answer

    def _call(self, script: Script, arguments: Sequence[Any]) -> list[int]:
        client = self._connected()
        try:
            answer: list[int] = client.execute_command("EVALSHA", script.digest, *arguments)
        except redis.exceptions.NoScriptError:  # a fresh or flushed server; it remembers the script from now on
            answer = client.execute_command("EVAL", script.text, *arguments)
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


server = RedisServer()
