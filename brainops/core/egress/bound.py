"""Hosts a request is bound to: what it carries may be sent to these only, redirects included (security rule R4).

A pattern is written as the Host header writes the target: `api.example.com` (the port of the scheme),
`api.example.com:8443`, `[2001:db8::1]`, or `*.example.com` for every name below it, but not for `example.com` itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from brainops.core.egress.errors import EgressError, HostNotAllowed
from brainops.core.egress.hosts import parse_host
from brainops.core.egress.urls import Url

WILD = "*."
_LARGEST_PORT = 65_535

Bounds = tuple[frozenset[str], ...]


def check_bounds(url: Url, bounds: Bounds) -> None:
    """Raise HostNotAllowed unless every one of the sets names the target."""
    for hosts in bounds:
        if not is_named(url.authority, hosts):
            raise HostNotAllowed(
                f"A secret of this request may be sent only to {', '.join(sorted(hosts))}, not to {url.authority}. "
                "Correct the address, or add the host to the secret."
            )


def is_named(authority: str, hosts: Iterable[str]) -> bool:
    """True when a pattern fits the host, written as in a Host header."""
    return any(authority == host or (host.startswith(WILD) and authority.endswith(host[1:])) for host in hosts)


def read_pattern(written: str) -> str:
    """The pattern as it is compared. Raises ValueError with a sentence about what is wrong."""
    wild = WILD if written.startswith(WILD) else ""
    host, port = _split(written.removeprefix(wild).strip())
    try:
        parsed = parse_host(host)
    except EgressError as error:
        raise ValueError(error.message) from error
    if wild and (parsed.is_address or "." not in parsed.text):
        raise ValueError(f"{written!r} is too wide: a name with a dot follows `*.`, such as *.example.com.")
    return f"{wild}{parsed}{port}"


def _split(written: str) -> tuple[str, str]:
    host, colon, port = written.rpartition(":")
    if not colon or written.endswith("]"):
        return written, ""
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= _LARGEST_PORT):
        raise ValueError(f"{written!r} is no host; write api.example.com or api.example.com:8443, without a scheme.")
    return host, f":{int(port)}"
