"""AMQP 0.9.1 queues (RabbitMQ): deliveries are acknowledged when what they start is stored.

A message with an id is known by it. One without is known by `doubt`: should we die between storing and acknowledging,
the broker delivers it again, marked, and it is dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import amqp
from amqp.transport import SSLTransport, TCPTransport

from integrations.runner.brokers.contract import BrokerError, Json, Message
from integrations.runner.brokers.doubt import Doubt, digest_of, key_of
from integrations.runner.brokers.place import SILENT_SECONDS, Place, tls_context

HEARTBEAT_SECONDS = 30
SLICE_SECONDS = 0.5
_SHOWN = ("content_type", "content_encoding", "correlation_id", "reply_to", "message_id", "type", "app_id", "priority")
ERRORS = (amqp.AMQPError, OSError)


@dataclass(frozen=True, slots=True)
class Queue:
    """What to read. `declare`: make it, durable, where it is missing, and bind it to `exchange` by `routing_key`."""

    name: str
    virtual_host: str = "/"
    prefetch: int = 20
    declare: bool = False
    exchange: str = ""
    routing_key: str = ""


class AmqpQueue:
    """One queue. At most `prefetch` messages are under way."""

    def __init__(self, place: Place, queue: Queue, *, cursor: Json = None) -> None:
        self._place, self._queue = place, queue
        self._doubt = Doubt(cursor)
        self._arrived: deque[Message] = deque()
        self._is_cancelled = False
        try:
            self._connection = _connection(place, queue.virtual_host)
            self._connection.connect()
            self._channel = self._connection.channel()
            self._channel.auto_decode = False
            self._begin()
        except ERRORS as error:
            raise self._said(error) from error

    def fetch(self, most: int, wait_seconds: float) -> Sequence[Message]:
        """What the broker delivers."""
        until = monotonic() + wait_seconds
        while not self._arrived and monotonic() < until:
            self._drain(min(SLICE_SECONDS, wait_seconds))
        while self._arrived and self._drain(0.001):
            pass  # what is there already, without waiting for more
        return [self._arrived.popleft() for _ in range(min(most, len(self._arrived)))]

    def rest(self, seconds: float) -> None:
        """Answer heartbeats. The broker delivers no more than `prefetch` meanwhile."""
        until = monotonic() + seconds
        while monotonic() < until:
            self._drain(min(SLICE_SECONDS, max(0.01, until - monotonic())))

    def settle(self, messages: Sequence[Message]) -> None:
        """Acknowledge, and wait until the broker has answered something that it was asked after that."""
        try:
            for message in messages:
                self._channel.basic_ack(message.token[0])
            if messages:
                self._channel.basic_qos(0, self._queue.prefetch, False)
        except ERRORS as error:
            raise self._said(error) from error

    def cursor(self, taken: Sequence[Message], waiting: Sequence[Message]) -> Json:
        """What may be delivered again."""
        return self._doubt.cursor(taken)

    def close(self) -> None:
        """End the connection; what is not acknowledged is delivered to the next reader."""
        with suppress(*ERRORS):
            self._connection.collect()

    def _begin(self) -> None:
        queue = self._queue
        if queue.declare:
            self._channel.queue_declare(queue.name, durable=True, auto_delete=False)
            if queue.exchange:
                self._channel.queue_bind(queue.name, exchange=queue.exchange, routing_key=queue.routing_key)
        self._channel.basic_qos(0, queue.prefetch, False)
        self._channel.basic_consume(queue.name, callback=self._take, on_cancel=self._cancelled)

    def _drain(self, seconds: float) -> bool:
        """Handle what the broker sends; False when nothing came in time."""
        try:
            self._connection.heartbeat_tick()
            self._connection.drain_events(timeout=seconds)
        except TimeoutError:
            return False
        except ERRORS as error:
            raise self._said(error) from error
        if self._is_cancelled:
            raise BrokerError(f"Queue {self._queue.name!r} at {self._place} was deleted while it was read.")
        return True

    def _take(self, delivered: Any) -> None:
        info, properties = delivered.delivery_info, dict(delivered.properties)
        body = delivered.body.encode() if isinstance(delivered.body, str) else bytes(delivered.body)
        number, message_id, digest = info["delivery_tag"], str(properties.get("message_id") or ""), ""
        if not message_id:
            digest = digest_of((info["exchange"], info["routing_key"], sorted(map(repr, properties.items())), body))
            if info["redelivered"] and self._doubt.is_repeat(digest):
                self._channel.basic_ack(number)
                return
        key = message_id or key_of(digest)
        self._arrived.append(
            Message(key, body, self._facts(info, properties), at=_at(properties), token=(number, digest))
        )

    def _facts(self, info: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Json]:
        headers = properties.get("application_headers") or {}
        return {
            "queue": self._queue.name,
            "exchange": info["exchange"],
            "routing_key": info["routing_key"],
            "redelivered": bool(info["redelivered"]),
            "headers": {str(name): _plain(value) for name, value in headers.items()},
            **{name: _plain(properties[name]) for name in _SHOWN if properties.get(name) is not None},
        }

    def _cancelled(self, _consumer_tag: str) -> None:
        self._is_cancelled = True

    def _said(self, error: Exception) -> BrokerError:
        if isinstance(error, amqp.AccessRefused):
            said = "refused the login, or the user may not read there"
            return BrokerError(f"The AMQP broker at {self._place} {said}: {error}", code="access_refused")
        return BrokerError(f"The AMQP broker at {self._place}: {error or type(error).__name__}")


def _plain(value: Any) -> Json:
    """A header as JSON. Tables of tables stay what they are; bytes and times become text."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)


def _at(properties: Mapping[str, Any]) -> datetime | None:
    stamp = properties.get("timestamp")
    if isinstance(stamp, datetime):
        return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
    return None


def _connection(place: Place, virtual_host: str) -> Any:
    """A connection whose socket is the outbound door's."""

    class Plain(TCPTransport):
        def _connect(self, host: str, port: int, timeout: float) -> None:
            self.sock = place.connect()

    class Encrypted(SSLTransport):
        def _connect(self, host: str, port: int, timeout: float) -> None:
            self.sock = place.connect()

        def _setup_transport(self) -> None:
            assert self.sock is not None  # noqa: S101 - `_connect` was just called
            secured = tls_context().wrap_socket(self.sock, server_hostname=place.host)
            secured.settimeout(SILENT_SECONDS)
            self.sock, self._quick_recv = secured, secured.read

    class Connection(amqp.Connection):
        def Transport(self, host: str, connect_timeout: float | None, *_given: Any, **options: Any) -> Any:  # noqa: N802
            return (Encrypted if place.tls else Plain)(
                host, connect_timeout=connect_timeout, write_timeout=SILENT_SECONDS, **options
            )

    return Connection(
        str(place),
        userid=place.username or "guest",
        password=place.password or "guest",
        virtual_host=virtual_host,
        connect_timeout=SILENT_SECONDS,
        heartbeat=HEARTBEAT_SECONDS,
    )
