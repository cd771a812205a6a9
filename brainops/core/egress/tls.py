"""TLS over a checked connection: the certificate is verified against the host the URL names, never the address."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TypeVar

from brainops.core.egress.errors import ConnectFailed, ConnectTimeout, ReadTimeout, TlsFailed
from brainops.core.egress.hosts import Host
from brainops.core.egress.watch import Late, Watch
from brainops.core.egress.wires import lost

T = TypeVar("T")


def client_context() -> ssl.SSLContext:
    """Make the context of outbound TLS: the system's trust store, TLS 1.2 at least, HTTP/1.1 only."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def secure(connected: socket.socket, host: Host, context: ssl.SSLContext, *, watch: Watch, until: float) -> TlsWire:
    """Shake hands over a non-blocking socket. Raises TlsFailed; the socket is closed then."""
    name = str(host)
    try:
        # A connection cut short must not look like the end of a body (truncation): ragged ends are errors.
        secured = context.wrap_socket(
            connected, server_hostname=host.text, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
    except (OSError, ValueError) as error:
        connected.close()
        raise TlsFailed(f"No TLS connection to {name}: {error}.") from error
    wire = TlsWire(secured, name)
    try:
        wire.shake_hands(watch, until)
    except BaseException:
        wire.close()
        raise
    return wire


class TlsWire:
    """A TLS connection over a non-blocking socket."""

    def __init__(self, secured: ssl.SSLSocket, name: str) -> None:
        self.opened_at = self.idle_since = monotonic()
        self.has_sent = False
        self._socket = secured
        self._name = name
        self._late_reading = partial(ReadTimeout, f"{name} took the request and fell silent.")

    def begin(self) -> None:
        self.has_sent = False

    def shake_hands(self, watch: Watch, until: float) -> None:
        """Agree on keys and check the certificate. Raises TlsFailed, ConnectFailed or ConnectTimeout."""
        late = partial(ConnectTimeout, f"{self._name} did not finish the TLS handshake in time.")
        try:
            self._patiently(self._socket.do_handshake, watch, until, late)
        except ssl.SSLCertVerificationError as error:
            raise TlsFailed(f"The certificate of {self._name} is not valid: {error.verify_message}.") from error
        except ssl.SSLEOFError as error:
            raise ConnectFailed(f"{self._name} hung up during the TLS handshake.") from error
        except ssl.SSLError as error:
            raise TlsFailed(f"No TLS connection to {self._name}: {error.reason or error}.") from error
        except OSError as error:
            raise ConnectFailed(f"The TLS handshake with {self._name} broke off: {error.strerror}.") from error

    def send(self, data: bytes, watch: Watch, *, read_seconds: float) -> None:
        rest = memoryview(data)
        until = watch.limit(read_seconds)
        while rest:
            count = self._bounded(partial(self._socket.send, rest), watch, until)
            self.has_sent = True
            rest = rest[count:]

    def receive(self, size: int, watch: Watch, *, read_seconds: float) -> bytes:
        return self._bounded(partial(self._socket.recv, size), watch, watch.limit(read_seconds))

    def is_stale(self) -> bool:
        try:
            self._socket.recv(1)
        except ssl.SSLWantReadError:
            return False  # nothing to read, or only a session ticket
        except OSError:
            return True
        return True

    def close(self) -> None:
        self._socket.close()

    def _bounded(self, act: Callable[[], T], watch: Watch, until: float) -> T:
        try:
            return self._patiently(act, watch, until, self._late_reading)
        except OSError as error:
            raise lost(self._name, error) from error

    def _patiently(self, act: Callable[[], T], watch: Watch, until: float, late: Late) -> T:
        watch.slice_seconds(until, late)  # a peer that drips bytes never makes us wait below
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                watch.wait_ready(self._socket, select.POLLIN, until=until, late=late)
            except ssl.SSLWantWriteError:
                watch.wait_ready(self._socket, select.POLLOUT, until=until, late=late)
