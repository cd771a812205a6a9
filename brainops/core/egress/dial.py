"""Opening checked connections: resolve once, judge every address, connect to a judged one.

HTTP goes through `http`; clients of other protocols (mail, databases) take their socket from `dial`, so that no
name is resolved a second time between the check and the connection (DNS rebinding).
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Sequence
from functools import partial
from time import monotonic

from brainops.core.egress.allow import PUBLIC_PORTS, AllowList
from brainops.core.egress.errors import BlockedTarget, ConnectFailed, ConnectTimeout, EgressError
from brainops.core.egress.hosts import Host
from brainops.core.egress.lookup import Resolver, look_up, system_resolver
from brainops.core.egress.watch import Watch
from brainops.core.logs import get_logger

log = get_logger(__name__)

CONNECT_SECONDS = 10.0
_MAX_ADDRESSES = 8  # tried per connection


def dial(
    host: Host,
    port: int,
    *,
    allow: AllowList,
    watch: Watch,
    resolver: Resolver = system_resolver,
    connect_seconds: float = CONNECT_SECONDS,
    ports: frozenset[int] = PUBLIC_PORTS,
) -> socket.socket:
    """Return a connected, non-blocking TCP socket to a checked address of the host.

    Raises BlockedTarget, DnsFailed, ConnectFailed, ConnectTimeout, DeadlineExceeded or Cancelled.
    """
    until = watch.limit(connect_seconds)
    addresses = checked_addresses(host, port, allow=allow, watch=watch, resolver=resolver, until=until, ports=ports)
    return _connect_to_one(host, port, addresses[:_MAX_ADDRESSES], watch=watch, until=until)


def checked_addresses(
    host: Host,
    port: int,
    *,
    allow: AllowList,
    watch: Watch,
    resolver: Resolver = system_resolver,
    until: float,
    ports: frozenset[int] = PUBLIC_PORTS,
) -> Sequence[str]:
    """Resolve once and return the addresses, when every one of them may be called.

    One bad address refuses the host: a name with a public and a private address is an attack or a mistake.
    """
    allow.check_target(host, port, ports=ports)
    if host.is_address:
        return (host.text,)
    addresses = look_up(host.text, port, resolver=resolver, watch=watch, until=until)
    for address in addresses:
        try:
            allow.check_address(host, port, address)
        except BlockedTarget:
            # For the operator only: the caller shall not map an inner network by error messages.
            log.warning("egress_blocked", host=host.text, port=port, address=address)
            raise
    return addresses


def _connect_to_one(host: Host, port: int, addresses: Sequence[str], *, watch: Watch, until: float) -> socket.socket:
    failure: EgressError = ConnectFailed(f"{host}:{port} has no address to connect to.")
    for position, address in enumerate(addresses):
        # A dead first address may use up its share of the time, not all of it.
        share = (until - monotonic()) / (len(addresses) - position)
        try:
            return _connect(host, port, address, watch=watch, until=watch.limit(share))
        except (ConnectFailed, ConnectTimeout) as error:
            failure = error
    raise failure


def _connect(host: Host, port: int, address: str, *, watch: Watch, until: float) -> socket.socket:
    late = partial(ConnectTimeout, f"{host}:{port} did not take the connection in time.")
    connecting = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        state = connecting.connect_ex((address, port))
        if state in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            watch.wait_ready(connecting, select.POLLOUT, until=until, late=late)
            state = connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    except BaseException:
        connecting.close()
        raise
    if state:
        connecting.close()
        raise ConnectFailed(f"{host}:{port} took no connection: {os.strerror(state)}.")
    return connecting
