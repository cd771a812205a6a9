"""Where a broker is and who we are there; sockets to it go through the outbound door's checks."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from django.conf import settings

from brainops.core.egress.allow import AllowList, parse_allow_list
from brainops.core.egress.dial import CONNECT_SECONDS, checked_addresses, dial
from brainops.core.egress.errors import EgressError
from brainops.core.egress.hosts import parse_host
from brainops.core.egress.watch import Watch
from integrations.runner.brokers.contract import BrokerError

SILENT_SECONDS = 10.0  # that a broker may take for an answer


def _everywhere(_host: str, _port: int) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Place:
    """A broker's address and our credentials there.

    `ports` are those of the protocol on public hosts; others need an entry of BRAINOPS_EGRESS_ALLOW. `permit(host,
    port)` raises for a host that the credentials may not be sent to.
    """

    host: str
    port: int
    tls: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    ports: frozenset[int] = frozenset()
    permit: Callable[[str, int], None] = _everywhere

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def connect(self) -> socket.socket:
        """A connected socket that blocks for SILENT_SECONDS at most. Raises BrokerError."""
        try:
            self.permit(self.host, self.port)
            watch = Watch(CONNECT_SECONDS)
            connected = dial(parse_host(self.host), self.port, allow=allow_list(), watch=watch, ports=self.ports)
        except EgressError as error:
            raise BrokerError(error.message, code=error.code) from error
        connected.settimeout(SILENT_SECONDS)
        return connected

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Checked addresses of a host that the broker itself named. Raises BrokerError."""
        try:
            self.permit(host, port)
            watch = Watch(CONNECT_SECONDS)
            until = monotonic() + CONNECT_SECONDS
            return checked_addresses(
                parse_host(host), port, allow=allow_list(), watch=watch, until=until, ports=self.ports
            )
        except EgressError as error:
            raise BrokerError(error.message, code=error.code) from error


def allow_list() -> AllowList:
    """The private targets that the operator has opened."""
    return parse_allow_list(settings.BRAINOPS_EGRESS_ALLOW)


def tls_context() -> ssl.SSLContext:
    """TLS to a broker: the system's trust store, TLS 1.2 at least, the certificate checked against the host's name."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
