"""Redis streams: a consumer group reads, and an entry is acknowledged when what it starts is stored.

What a client had read when it died is pending under its name. Its successor has the same name and begins with it; what
others left pending for a minute is claimed.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection
from redis.retry import Retry

from integrations.runner.brokers.contract import BrokerError, Json, Message
from integrations.runner.brokers.place import SILENT_SECONDS, Place, tls_context

CONSUMER = "brainops"  # of the group: who follows on us takes over what we had
CLAIM_EVERY_SECONDS = 60.0
ABANDONED_MS = 60_000


class _Checked(Connection):
    """A connection over a socket of the outbound door."""

    place: Place

    def _connect(self) -> socket.socket:
        return self.place.connect()


class _CheckedTls(SSLConnection):
    place: Place

    def _connect(self) -> socket.socket:
        connected = self.place.connect()
        try:
            return tls_context().wrap_socket(connected, server_hostname=self.place.host)
        except BaseException:
            connected.close()
            raise


class RedisStream:
    """One stream, read as a member of a group. Made if missing; `from_start` decides where a new group begins."""

    def __init__(self, place: Place, *, database: int, stream: str, group: str, from_start: bool) -> None:
        self._place, self._stream, self._group = place, stream, group
        self._server = redis.Redis(connection_pool=_pool(place, database))
        self._pending: str | None = "0"  # the last of our own pending entries that was read; None: all were
        self._claim_due = monotonic()
        self._claim_from: Any = "0-0"
        self._make_group("0" if from_start else "$")

    def fetch(self, most: int, wait_seconds: float) -> Sequence[Message]:
        """Our own pending entries first, then what others abandoned, then new ones."""
        if self._pending is not None:
            entries = self._read(self._pending, most, 0)
            if entries:
                self._pending = entries[-1][0].decode()
                return self._messages(entries)
            self._pending = None
        if monotonic() >= self._claim_due and (claimed := self._claim(most)):
            return self._messages(claimed)
        return self._messages(self._read(">", most, wait_seconds))

    def rest(self, seconds: float) -> None:
        """Nothing is needed to stay connected: a broken connection is made anew."""
        sleep(seconds)

    def settle(self, messages: Sequence[Message]) -> None:
        """Acknowledge."""
        if messages:
            self._ask("xack", self._stream, self._group, *[message.token for message in messages])

    def cursor(self, taken: Sequence[Message], waiting: Sequence[Message]) -> Json:
        """The group at the server knows."""
        return None

    def close(self) -> None:
        """End the connection."""
        with suppress(redis.RedisError, OSError):
            self._server.connection_pool.disconnect()

    def _make_group(self, start: str) -> None:
        try:
            self._server.xgroup_create(self._stream, self._group, id=start, mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise self._said(error) from error
        except (redis.RedisError, OSError) as error:
            raise self._said(error) from error

    def _read(self, after: str, most: int, wait_seconds: float) -> list[Any]:
        block = max(1, int(wait_seconds * 1000)) if after == ">" else None
        found = self._ask("xreadgroup", self._group, CONSUMER, {self._stream: after}, count=most, block=block)
        return list(found[0][1]) if found else []

    def _claim(self, most: int) -> list[Any]:
        names = (self._stream, self._group, CONSUMER, ABANDONED_MS)
        self._claim_from, entries = self._ask("xautoclaim", *names, start_id=self._claim_from, count=most)[:2]
        if self._claim_from in (b"0-0", "0-0"):
            self._claim_due = monotonic() + CLAIM_EVERY_SECONDS
        return list(entries)

    def _messages(self, entries: Iterable[Any]) -> list[Message]:
        """Entries as messages. One that was trimmed away while it was pending is gone: nothing is left of it."""
        entries = list(entries)
        gone = [entry_id for entry_id, fields in entries if not fields]
        if gone:
            self._ask("xack", self._stream, self._group, *gone)
        return [self._message(entry_id, fields) for entry_id, fields in entries if fields]

    def _message(self, entry_id: bytes, fields: dict[bytes, bytes]) -> Message:
        number = entry_id.decode()
        named = {name.decode("utf-8", "replace"): value for name, value in fields.items()}
        facts = {"stream": self._stream, "id": number}
        return Message(f"{self._stream}/{number}", None, facts, named, _at(number), entry_id)

    def _ask(self, command: str, *arguments: Any, **options: Any) -> Any:
        try:
            return getattr(self._server, command)(*arguments, **options)
        except redis.ResponseError as error:
            if str(error).startswith("NOGROUP"):  # the stream was deleted, and the group with it
                self._make_group("0")
                return [b"0-0", []] if command == "xautoclaim" else []
            raise self._said(error) from error
        except (redis.RedisError, OSError) as error:
            raise self._said(error) from error

    def _said(self, error: Exception) -> BrokerError:
        return BrokerError(f"Redis at {self._place}: {error}")


def _at(number: str) -> datetime | None:
    """The time in an entry's id; senders may write other numbers there."""
    try:
        return datetime.fromtimestamp(int(number.partition("-")[0]) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _pool(place: Place, database: int) -> redis.ConnectionPool:
    kind = type("Checked", (_CheckedTls if place.tls else _Checked,), {"place": place})
    return redis.ConnectionPool(
        connection_class=kind,
        host=place.host,
        port=place.port,
        db=database,
        username=place.username or None,
        password=place.password or None,
        protocol=2,
        socket_timeout=SILENT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        max_connections=1,
    )
