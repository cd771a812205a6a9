"""Wires: connected sockets whose every wait is bounded by a watch. `tls` holds the encrypted one."""

from __future__ import annotations

import socket
import struct
from functools import partial
from time import monotonic
from typing import Protocol

from brainops.core.egress.errors import ConnectionLost, ReadTimeout
from brainops.core.egress.watch import SLICE_SECONDS, Watch


class Wire(Protocol):
    """What the HTTP client needs of a connection. `opened_at` and `idle_since` are instants of `monotonic()`."""

    opened_at: float
    idle_since: float
    has_sent: bool  # since `begin`

    def begin(self) -> None:
        """Start another exchange."""

    def send(self, data: bytes, watch: Watch, *, read_seconds: float) -> None:
        """Send all of it. Raises ConnectionLost, ReadTimeout (nobody reads) or what the watch raises."""

    def receive(self, size: int, watch: Watch, *, read_seconds: float) -> bytes:
        """Return the next bytes, b"" at the end. Raises like `send`."""

    def is_stale(self) -> bool:
        """True when the other side has closed or spoken out of turn: the wire is good for nothing."""

    def close(self) -> None:
        """Close it; never raises."""


class PlainWire:
    """A TCP connection.

    The socket blocks, with the wait's bound set in the kernel (SO_RCVTIMEO, SO_SNDTIMEO): one system call per
    send and per receive instead of poll and call, which is a third of the CPU of a small request.
    """

    def __init__(self, connected: socket.socket, name: str) -> None:
        self.opened_at = self.idle_since = monotonic()
        self.has_sent = False
        self._socket = connected
        self._name = name
        self._late_reading = partial(ReadTimeout, f"{name} took the request and fell silent.")
        self._wait_seconds = 0.0
        connected.setblocking(True)
        self._bound_waits(SLICE_SECONDS)

    def begin(self) -> None:
        self.has_sent = False

    def send(self, data: bytes, watch: Watch, *, read_seconds: float) -> None:
        rest = memoryview(data)
        until = watch.limit(read_seconds)
        while rest:
            self._bound_waits(watch.slice_seconds(until, self._late_reading))
            try:
                count = self._socket.send(rest)
            except (BlockingIOError, TimeoutError):
                continue
            except OSError as error:
                raise lost(self._name, error) from error
            self.has_sent = True
            rest = rest[count:]

    def receive(self, size: int, watch: Watch, *, read_seconds: float) -> bytes:
        until = watch.limit(read_seconds)
        while True:
            self._bound_waits(watch.slice_seconds(until, self._late_reading))
            try:
                return self._socket.recv(size)
            except (BlockingIOError, TimeoutError):
                continue
            except OSError as error:
                raise lost(self._name, error) from error

    def is_stale(self) -> bool:
        try:
            self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True  # closed, or bytes that belong to no request

    def close(self) -> None:
        self._socket.close()

    def _bound_waits(self, seconds: float) -> None:
        if seconds == self._wait_seconds:
            return
        bound = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, bound)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, bound)
        self._wait_seconds = seconds


def lost(name: str, error: OSError) -> ConnectionLost:
    """Describe a connection that broke."""
    return ConnectionLost(f"{name} closed the connection: {error.strerror or error}.")
