"""What an endpoint's config says of requests: which methods, paths, origins and networks, how many, in which order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import Any

from automation.engine.expressions import ExpressionError, Template, compile_template
from automation.engine.problem import Problem

POST = "POST"
METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE", "HEAD")
REFUSE, BUFFER = "refuse", "buffer"
ANY_ORIGIN = "*"
ORDER_ROOTS = ("inputs", "trigger")
MOST_SEGMENTS = 10
LONGEST_VALUE = 200  # characters of one path parameter
_SEGMENT = re.compile(r"[A-Za-z0-9._~-]{1,100}|\{[a-z_][a-z0-9_]{0,49}\}", re.ASCII)
_BROKEN = re.compile(r"%[89A-F][0-9A-F]")  # how Django shows bytes that are no UTF-8
_ORIGIN = re.compile(r"\*|https?://(?:[a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}(?::[0-9]{1,5})?", re.ASCII)

NOTHING: Mapping[str, str] = MappingProxyType({})
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Front:
    """The rules of an endpoint. As made, those of every endpoint that chose none: POST to the address itself."""

    methods: frozenset[str] = frozenset({POST})
    segments: tuple[str, ...] = ()  # of the path behind the address: as they are, or {name}
    origins: frozenset[str] = frozenset()
    allowed: tuple[Network, ...] = ()
    denied: tuple[Network, ...] = ()
    rate_per_minute: int | None = None
    order_by: Template | None = None
    buffers: bool = False

    def refuses_ip(self, ip: str) -> bool:
        """True for an address of a denied network, or of none that is allowed where some are."""
        if not (self.allowed or self.denied):
            return False
        address = ip_address(ip) if ip else None
        if address is None:
            return True
        is_denied = any(address in network for network in self.denied)
        return is_denied or (bool(self.allowed) and not any(address in network for network in self.allowed))

    def path_of(self, rest: str) -> Mapping[str, str] | None:
        """The path parameters of what came behind the address; None when it is not what was declared."""
        if not (rest or self.segments):
            return NOTHING
        given = rest.split("/") if rest else []
        if len(given) != len(self.segments):
            return None
        found = {}
        for wanted, value in zip(self.segments, given, strict=True):
            if not wanted.startswith("{"):
                if value != wanted:
                    return None
            elif not _is_value(value):
                return None
            else:
                found[wanted[1:-1]] = value
        return found

    def allows_origin(self, origin: str) -> bool:
        """True for an origin that was chosen."""
        return origin in self.origins or ANY_ORIGIN in self.origins


PLAIN = Front()


def front_of(config: Mapping[str, Any]) -> Front:
    """The rules of a checked config."""
    order_by = config.get("order_by")
    return Front(
        methods=frozenset(config.get("methods") or (POST,)),
        segments=tuple(config["path"].split("/")) if config.get("path") else (),
        origins=frozenset(config.get("cors_origins") or ()),
        allowed=_networks(config.get("allow_ips") or ()),
        denied=_networks(config.get("deny_ips") or ()),
        rate_per_minute=config.get("rate_per_minute"),
        order_by=compile_template(order_by) if order_by else None,
        buffers=config.get("when_paused") == BUFFER,
    )


def problems_of(config: Mapping[str, Any]) -> Iterator[Problem]:
    """What a schema cannot say of the rules."""
    yield from _path_problems(config.get("path") or "")
    for name in ("allow_ips", "deny_ips"):
        for place, given in enumerate(config.get(name) or ()):
            if (said := _network_problem(given)) is not None:
                yield Problem("invalid_network", said, f"/{name}/{place}")
    for place, given in enumerate(config.get("cors_origins") or ()):
        if not _ORIGIN.fullmatch(given):
            said = f'Origin {given[:100]!r} is none: write it as browsers send it, such as "https://shop.example".'
            yield Problem("invalid_origin", said, f"/cors_origins/{place}")
    if order_by := config.get("order_by"):
        yield from _order_problems(order_by)


def _is_value(value: str) -> bool:
    """True for a text that means the same to everybody: printable, UTF-8, and no step in a file system."""
    is_plain = 0 < len(value) <= LONGEST_VALUE and value.isprintable() and value not in (".", "..")
    return is_plain and not _BROKEN.search(value)


@lru_cache(maxsize=1024)
def _network(text: str) -> Network:
    return ip_network(text)


def _networks(given: Sequence[str]) -> tuple[Network, ...]:
    return tuple(map(_network, given))


def _network_problem(given: str) -> str | None:
    try:
        _network(given)
    except ValueError as error:
        return f"{given[:60]!r} is no network: {error}. Write 203.0.113.0/24, 2001:db8::/32 or one address."
    return None


def _path_problems(path: str) -> Iterator[Problem]:
    segments = path.split("/") if path else []
    if len(segments) > MOST_SEGMENTS:
        yield Problem("invalid_path", f"The path has {len(segments)} parts; {MOST_SEGMENTS} are the most.", "/path")
    for segment in segments:
        if not _SEGMENT.fullmatch(segment) or segment in (".", ".."):
            said = (
                f"Part {segment[:60]!r} of the path is neither plain text (letters, digits, . _ ~ -) nor a parameter "
                'such as {id}. Write it without a slash at its beginning or end: "orders/{id}".'
            )
            yield Problem("invalid_path", said, "/path")
    names = [segment for segment in segments if segment.startswith("{")]
    if len(set(names)) < len(names):
        yield Problem("invalid_path", "A parameter stands twice in the path. Name each once.", "/path")


def _order_problems(order_by: str) -> Iterator[Problem]:
    try:
        template = compile_template(order_by)
    except ExpressionError as error:
        yield Problem("invalid_expression", f"The expression cannot be read: {error}", "/order_by")
        return
    if unknown := sorted({str(path[0]) for path in template.references} - set(ORDER_ROOTS)):
        said = f"{unknown[0]!r} is not known when a delivery comes. Use trigger and inputs."
        yield Problem("unknown_reference", said, "/order_by")
    if template.is_constant:
        said = "It is the same for every delivery, so all of them would wait for one another: use a limit of 1 instead."
        yield Problem("invalid_expression", said, "/order_by")
