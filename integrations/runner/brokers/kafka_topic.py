"""Kafka topics: every partition is read from the offset that was stored together with the last runs.

No consumer group: the offsets are ours, so a message is neither lost nor taken twice, whatever dies when. Brokers that
the cluster names are checked like the first ones, each before it is called.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any, ClassVar
from uuid import uuid4

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.net.inet import KafkaNetSocket

from brainops.core.egress.errors import BlockedTarget
from integrations.runner.brokers.contract import BrokerError, Json, Message
from integrations.runner.brokers.place import SILENT_SECONDS, Place, tls_context

logging.getLogger("kafka").setLevel(logging.WARNING)  # it tells of each connection it makes

SCHEME = "checked"
LOOK_SECONDS = 15.0  # for new partitions, and whether the cluster is still there, while nothing comes
_calls: dict[str, _Calls] = {}


@dataclass(slots=True)
class _Calls:
    """What one consumer may call, and why it was last refused."""

    place: Place
    refusal: BrokerError | None = None


class CheckedSocket(KafkaNetSocket):  # type: ignore[misc]  # kafka has no types
    """Addresses of brokers, checked by the outbound door. kafka-python finds it by the scheme of `proxy_url`."""

    SCHEMES: ClassVar = (SCHEME,)

    def __init__(self, proxy_url: str) -> None:
        self._calls = _calls[proxy_url.rpartition("/")[2]]

    def dns_lookup(self, host: str, port: int, raise_error: bool = False) -> list[Any]:
        """The addresses of a broker, as `getaddrinfo` writes them."""
        try:
            addresses = self._calls.place.addresses(host, port)
        except BrokerError as error:
            self._calls.refusal = error
            raise
        families = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(families[":" in one], socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (one, port)) for one in addresses]

    async def sock_connect(self, net: Any, sock: socket.socket, sockaddr: Any, timeout_at: float | None = None) -> Any:
        """Connect; what fails is closed, which kafka-python leaves to the garbage collector."""
        try:
            return await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:
            sock.close()
            raise


@dataclass(frozen=True, slots=True)
class Topic:
    """What to read. `servers` are the first brokers to ask, as `host:port`."""

    name: str
    servers: Sequence[str]
    mechanism: str = ""  # of SASL; "" for none
    from_start: bool = False
    max_bytes: int = 1 << 20  # of one fetch from a partition


class KafkaTopic:
    """All partitions of one topic. Partitions that are added later are read from their beginning."""

    def __init__(self, place: Place, topic: Topic, *, cursor: Json = None) -> None:
        self._place, self._topic = place, topic
        self._name = uuid4().hex
        _calls[self._name] = _Calls(place)
        self._offsets: dict[int, int] = _offsets_in(cursor, topic.name)
        self._is_new = not self._offsets
        self._look_due = 0.0
        _check(place, topic)
        try:
            self._consumer = KafkaConsumer(**_options(place, topic, self._name))
            self._assign()
        except (KafkaError, OSError, ValueError, AssertionError) as error:
            raise self._said(error) from error

    def fetch(self, most: int, wait_seconds: float) -> Sequence[Message]:
        """The next records, in the order of each partition."""
        try:
            found = self._consumer.poll(timeout_ms=int(wait_seconds * 1000), max_records=most)
            if found:
                self._look_due = monotonic() + LOOK_SECONDS
            elif monotonic() >= self._look_due:
                self._assign()
        except (KafkaError, OSError, ValueError, AssertionError) as error:
            raise self._said(error) from error
        return [self._message(record) for records in found.values() for record in records]

    def rest(self, seconds: float) -> None:
        """A consumer without a group owes nobody a sign of life."""
        sleep(seconds)

    def settle(self, messages: Sequence[Message]) -> None:
        """Note where to go on; the offsets themselves are stored by whoever stored the runs."""
        for message in messages:
            partition, offset = message.token
            self._offsets[partition] = max(offset + 1, self._offsets.get(partition, 0))

    def cursor(self, taken: Sequence[Message], waiting: Sequence[Message]) -> Json:
        """The next offset of each partition: the first that waits, else the one behind the last that was taken."""
        offsets = dict(self._offsets)
        for message in taken:
            partition, offset = message.token
            offsets[partition] = max(offset + 1, offsets.get(partition, 0))
        for message in waiting:
            partition, offset = message.token
            offsets[partition] = min(offset, offsets.get(partition, offset))
        return {"topic": self._topic.name, "offsets": {str(number): offset for number, offset in offsets.items()}}

    def close(self) -> None:
        """End the connections."""
        _calls.pop(self._name, None)
        with suppress(Exception):
            self._consumer.close(autocommit=False)

    def _assign(self) -> None:
        """Read all partitions there are, each from where we are; raises when the cluster does not answer."""
        self._look_due = monotonic() + LOOK_SECONDS
        numbers = self._consumer.partitions_for_topic(self._topic.name)
        if not numbers:
            raise BrokerError(f"Kafka at {self._place} has no topic {self._topic.name!r}.", code="no_topic")
        partitions = [TopicPartition(self._topic.name, number) for number in sorted(numbers)]
        ends, starts = self._consumer.end_offsets(partitions), self._consumer.beginning_offsets(partitions)
        new = [partition for partition in partitions if partition.partition not in self._offsets]
        at_end = self._is_new and not self._topic.from_start
        for partition in new:
            self._offsets[partition.partition] = (ends if at_end else starts)[partition]
        self._is_new = False
        if new or set(partitions) != self._consumer.assignment():
            self._consumer.assign(partitions)
            for partition in partitions:
                offset = self._offsets[partition.partition]
                # what retention has deleted is gone; a topic that was made anew begins at its beginning
                is_there = starts[partition] <= offset <= ends[partition]
                self._consumer.seek(partition, offset if is_there else starts[partition])

    def _message(self, record: Any) -> Message:
        at = datetime.fromtimestamp(record.timestamp / 1000, UTC) if (record.timestamp or -1) >= 0 else None
        facts = {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "key": _text(record.key),
            "headers": {str(name): _text(value) for name, value in record.headers or ()},
        }
        # with the time: a topic that was made anew counts from 0 again
        key = f"{record.topic}/{record.partition}/{record.offset}/{record.timestamp}"
        return Message(key, record.value or b"", facts, at=at, token=(record.partition, record.offset))

    def _said(self, error: Exception) -> BrokerError:
        calls = _calls.get(self._name)
        if calls is not None and calls.refusal is not None:
            return calls.refusal
        if isinstance(error, BrokerError):
            return error
        return BrokerError(f"Kafka at {self._place}: {type(error).__name__}: {error}")


def _check(place: Place, topic: Topic) -> None:
    """Refuse at once what may not be called; kafka-python would try it again and again."""
    for server in topic.servers:
        host, _, port = server.rpartition(":")
        try:
            place.addresses(host, int(port))
        except BrokerError as error:
            if error.code == BlockedTarget.code:
                raise


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace").replace("\0", "\ufffd")


def _offsets_in(cursor: Json, topic: str) -> dict[int, int]:
    if not isinstance(cursor, Mapping) or cursor.get("topic") != topic:
        return {}
    return {int(number): int(offset) for number, offset in cursor["offsets"].items()}


def _options(place: Place, topic: Topic, name: str) -> dict[str, Any]:
    security = ("SASL_" if topic.mechanism else "") + ("SSL" if place.tls else "PLAINTEXT")
    options: dict[str, Any] = {
        "bootstrap_servers": list(topic.servers),
        "proxy_url": f"{SCHEME}://local/{name}",
        "group_id": None,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "isolation_level": "read_committed",  # what a producer takes back was never there
        "client_id": "brainops",
        "security_protocol": security,
        "request_timeout_ms": int(SILENT_SECONDS * 1000),
        "bootstrap_timeout_ms": int(SILENT_SECONDS * 1000),
        "max_partition_fetch_bytes": topic.max_bytes,
        "allow_auto_create_topics": False,
    }
    if place.tls:
        options["ssl_context"] = tls_context()
    if topic.mechanism:
        options |= {
            "sasl_mechanism": topic.mechanism,
            "sasl_plain_username": place.username,
            "sasl_plain_password": place.password,
        }
    return options
