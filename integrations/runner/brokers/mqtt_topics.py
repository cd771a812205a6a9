"""MQTT 3.1.1 topics: a session that stays at the broker, and messages confirmed when what they start is stored.

Messages have no id. Those of QoS 1 that were stored but perhaps not confirmed come again after a new connection, marked
and with their packet id; `doubt` tells them. A retained message comes with every subscription and is known by its topic
and content.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from integrations.runner.brokers.contract import BrokerError, Json, Message
from integrations.runner.brokers.doubt import Doubt, digest_of, key_of
from integrations.runner.brokers.place import SILENT_SECONDS, Place, tls_context

KEEP_ALIVE_SECONDS = 60
SLICE_SECONDS = 0.5
MOST_BUFFERED = 1000  # beyond it we stop reading: the broker keeps the rest


@dataclass(frozen=True, slots=True)
class Topics:
    """What to subscribe to, as whom. `take_retained`: also what was there before."""

    filters: Sequence[str]
    client_id: str
    qos: int = 1
    take_retained: bool = False


class _Checked(Client):
    """A client whose socket is the outbound door's."""

    place: Place

    def _create_socket_connection(self) -> socket.socket:
        return self.place.connect()

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> Any:
        try:
            return tls_context().wrap_socket(tcp_sock, server_hostname=self.place.host)
        except BaseException:
            tcp_sock.close()
            raise


class MqttTopics:
    """One session at a broker. Used by one thread, which also keeps the connection alive."""

    def __init__(self, place: Place, topics: Topics, *, cursor: Json = None) -> None:
        self._place, self._topics = place, topics
        self._doubt = Doubt(cursor)
        self._arrived: deque[Message] = deque()
        self._confirmed: Sequence[Message] = ()  # last; nothing says when it has arrived
        self._refusal = ""
        self._is_ready = False
        self._client = self._made()
        try:
            self._client.connect(place.host, place.port, keepalive=KEEP_ALIVE_SECONDS)
        except (OSError, ValueError) as error:
            raise self._said(str(error)) from error
        self._wait_for_subscription()

    def fetch(self, most: int, wait_seconds: float) -> Sequence[Message]:
        """What the broker sends."""
        until = monotonic() + wait_seconds
        while not self._arrived and monotonic() < until:
            self._loop(min(SLICE_SECONDS, wait_seconds))
        for _ in range(most):
            if not self._arrived or len(self._arrived) >= most:
                break
            count = len(self._arrived)
            self._loop(0.001)  # what is there already, without waiting for more
            if len(self._arrived) == count:
                break
        return [self._arrived.popleft() for _ in range(min(most, len(self._arrived)))]

    def rest(self, seconds: float) -> None:
        """Answer the broker; what it still sends is kept up to a bound, and left to it beyond that."""
        until = monotonic() + seconds
        while (left := until - monotonic()) > 0:
            if len(self._arrived) < MOST_BUFFERED:
                self._loop(min(SLICE_SECONDS, left))
            else:
                sleep(min(SLICE_SECONDS, left))

    def settle(self, messages: Sequence[Message]) -> None:
        """Confirm."""
        for message in messages:
            number, qos = message.token[0], message.token[2]
            if self._client.ack(number, qos) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise self._said("the connection broke while messages were confirmed")
        self._confirmed = messages or self._confirmed

    def cursor(self, taken: Sequence[Message], waiting: Sequence[Message]) -> Json:
        """What may be sent again: also what was just confirmed, which the broker need not have heard."""
        return self._doubt.cursor([*self._confirmed, *taken])

    def close(self) -> None:
        """End the connection; the session stays at the broker."""
        with suppress(OSError, ValueError):
            self._client.disconnect()
            self._client.loop(0.1)

    def _made(self) -> _Checked:
        client = _Checked(
            CallbackAPIVersion.VERSION2,
            client_id=self._topics.client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.place = self._place
        client.connect_timeout = SILENT_SECONDS
        if self._place.username:
            client.username_pw_set(self._place.username, self._place.password or None)
        if self._place.tls:
            client.tls_set_context(tls_context())
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._take
        return client

    def _connected(self, client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            return
        client.subscribe([(topic, self._topics.qos) for topic in self._topics.filters])

    def _subscribed(self, _client: Client, _userdata: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        refused = [topic for topic, reason in zip(self._topics.filters, reasons, strict=False) if reason.is_failure]
        if refused:
            self._refusal = f"it does not allow the subscription to {', '.join(refused)}"
        self._is_ready = True

    def _wait_for_subscription(self) -> None:
        until = monotonic() + SILENT_SECONDS
        while not self._is_ready and not self._refusal:
            if monotonic() > until:
                raise self._said("no answer to the subscription in time")
            self._loop(SLICE_SECONDS)
        if self._refusal:
            raise BrokerError(f"The MQTT broker at {self._place} refused us: {self._refusal}.", code="access_refused")

    def _loop(self, seconds: float) -> None:
        outcome = self._client.loop(seconds)
        if outcome != MQTTErrorCode.MQTT_ERR_SUCCESS and not self._refusal:
            raise self._said(f"the connection is gone ({outcome.name.removeprefix('MQTT_ERR_').lower()})")

    def _take(self, client: Client, _userdata: Any, sent: MQTTMessage) -> None:
        digest = digest_of((sent.topic, sent.payload))
        if sent.retain and not self._topics.take_retained:
            client.ack(sent.mid, sent.qos)
            return
        facts = {"topic": sent.topic, "qos": sent.qos, "retained": sent.retain}
        if sent.retain:
            key, doubtful = f"retained/{sent.topic}/{digest}", ""
        else:
            doubtful = f"{sent.mid}/{digest}" if sent.qos else ""
            if doubtful and sent.dup and self._doubt.is_repeat(doubtful):
                client.ack(sent.mid, sent.qos)
                return
            key = key_of(digest)
        self._arrived.append(Message(key, bytes(sent.payload), facts, token=(sent.mid, doubtful, sent.qos)))

    def _said(self, what: str) -> BrokerError:
        return BrokerError(f"The MQTT broker at {self._place}: {what}")
