"""Reading the host of a URL strictly: what cannot be read in exactly one way is refused.

`getaddrinfo` takes `2130706433`, `0x7f.1`, `017700000001`, `127.1` and full-width digits for 127.0.0.1, although
none of them is an address to `ipaddress`. So a host is either a canonical address or a plain ASCII name.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from brainops.core.egress.errors import BlockedTarget, InvalidRequest

_NAME = re.compile(r"(?!.{254})(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# A last label that is a number makes the whole an IPv4 address to resolvers (WHATWG URL, "ends in a number").
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_FORBIDDEN_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})


@dataclass(frozen=True, slots=True)
class Host:
    """One host. `text` is lower case without brackets or trailing dot; `is_address` tells a literal from a name."""

    text: str
    is_address: bool = False
    is_v6: bool = False

    def __str__(self) -> str:
        return f"[{self.text}]" if self.is_v6 else self.text


def parse_host(written: str) -> Host:
    """Read a host as a URL or a connection form writes it. Raises InvalidRequest or BlockedTarget."""
    if written.startswith("["):
        return _bracketed(written)
    if not written.isascii():
        raise InvalidRequest(f"Host {written!r} is not ASCII. Write an international name in its xn-- form.")
    name = written.lower().removesuffix(".")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _dotted(name, written)
    if not _NAME.fullmatch(name):
        raise InvalidRequest(f"Host {written!r} is no valid host name.")
    if name in _FORBIDDEN_NAMES or name.endswith((".metadata.google.internal", ".instance-data.ec2.internal")):
        raise BlockedTarget(f"Host {written!r} is a cloud's metadata service; workflows may not call it.")
    return Host(name)


def _bracketed(written: str) -> Host:
    try:
        address = ipaddress.IPv6Address(written.removeprefix("[").removesuffix("]"))
    except ValueError as error:
        raise InvalidRequest(f"Host {written!r} is no IPv6 address.") from error
    if address.scope_id is not None or not written.endswith("]"):
        raise InvalidRequest(f"Host {written!r} names a network interface; use an address without '%'.")
    return Host(address.compressed, is_address=True, is_v6=True)


def _dotted(name: str, written: str) -> Host:
    try:
        return Host(str(ipaddress.IPv4Address(name)), is_address=True)
    except ValueError as error:
        message = f"Host {written!r} is a number in disguise. Write an IPv4 address as four decimal numbers."
        raise BlockedTarget(message) from error
