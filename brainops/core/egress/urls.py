"""Reading URLs strictly, once: what is checked here is what is connected to and what is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from brainops.core.egress.errors import InvalidRequest
from brainops.core.egress.hosts import Host, parse_host

MAX_URL_LENGTH = 16_384
DEFAULT_PORTS = {"http": 80, "https": 443}

_SHAPE = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<target>[^#]*)", re.DOTALL)
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Everything RFC 3986 lets stand in a path or a query; the rest is percent-encoded as UTF-8.
_KEPT = "/?:@!$&'()*+,;=-._~%[]"

Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Url:
    """One checked URL. `target` is the path with the query, as the request line carries it."""

    scheme: str
    host: Host
    port: int
    target: str

    @property
    def origin(self) -> Origin:
        """Name who is spoken to: the key of the connection pool and the border for secrets."""
        return (self.scheme, self.host.text, self.port)

    @property
    def authority(self) -> str:
        """Write the Host header: the port only where it is not the scheme's own (RFC 9110 7.2)."""
        return str(self.host) if self.port == DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def shown(self) -> str:
        """Write the URL for messages, without its query: queries carry keys."""
        return f"{self.scheme}://{self.authority}{self.target.partition('?')[0]}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


@lru_cache(maxsize=2048)
def parse_url(text: str) -> Url:
    """Read one absolute http or https URL. Raises InvalidRequest or BlockedTarget.

    Refused: other schemes, user names, white space, control characters, backslashes, hosts that are no
    plain names or canonical addresses. The fragment is dropped.
    """
    if len(text) > MAX_URL_LENGTH:
        raise InvalidRequest(f"The URL has {len(text)} characters; at most {MAX_URL_LENGTH} are sent.")
    shape = _SHAPE.match(text)
    if shape is None:
        raise InvalidRequest(f"{_short(text)} is no absolute URL. Begin with http:// or https://.")
    scheme = shape["scheme"].lower()
    if scheme not in DEFAULT_PORTS:
        raise InvalidRequest(f"Scheme {scheme!r} is not sent. Use http or https.")
    host, port = _parse_authority(shape["authority"], scheme)
    return Url(scheme, host, port, _parse_target(shape["target"]))


def _parse_authority(authority: str, scheme: str) -> tuple[Host, int]:
    if "@" in authority:
        raise InvalidRequest("The URL holds a user name or password. Send them in the Authorization header.")
    if not authority:
        raise InvalidRequest("The URL has no host.")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None or _UNSAFE.search(authority):
        raise InvalidRequest(f"{_short(authority)} is no host with a port.")
    port = int(parts["port"]) if parts["port"] else DEFAULT_PORTS[scheme]
    if not 1 <= port <= 65535:
        raise InvalidRequest(f"Port {port} does not exist; ports are 1-65535.")
    return parse_host(parts["host"]), port


def _parse_target(target: str) -> str:
    refused = _UNSAFE.search(target)
    if refused:
        raise InvalidRequest(f"The URL holds the character {refused[0]!r}. Percent-encode it.")
    if not target.startswith("/"):
        target = "/" + target
    return quote(_BARE_PERCENT.sub("%25", target), safe=_KEPT)


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")
