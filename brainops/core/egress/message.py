"""Request and Answer: the values of the outbound door, and how a request is written to the wire."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from brainops.core.egress.errors import InvalidRequest
from brainops.core.egress.urls import Url
from brainops.core.egress.watch import never

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
# Repeating them changes nothing more (RFC 9110 9.2.2).
IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

TOTAL_SECONDS = 30.0
READ_SECONDS = 30.0
MAX_BYTES = 10 * 1024 * 1024
USER_AGENT = "BrainOps"

_MAX_HEADERS = 128
_MAX_HEAD_BYTES = 64 * 1024
# Whole lines of "token: visible text or tab", so that no value can end its line (RFC 9110 5.5, 5.6.2).
_LINES = re.compile(
    r"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: (?:[\x21-\x7e\xa0-\xff](?:[\t\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?)?\r\n)*"
)
# The door's own: they frame the message, route it or unlock an encoding whose size we cannot bound.
_OWNED = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect"}
    | {"proxy-connection", "proxy-authorization", "accept-encoding", "http2-settings"}
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are matched without regard to case; values are ISO-8859-1 text.

    `total_seconds` bounds everything, `read_seconds` each silence, `max_bytes` the decoded body. `max_redirects` is
    0 to 3. `is_cancelled` is asked at least four times a second while waiting.
    `is_repeatable` allows a write to be sent again when a kept connection turns out to be dead. `bounds` are sets of
    host patterns (`egress.bound`) that must each name the target, and the target of every redirect.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    total_seconds: float = TOTAL_SECONDS
    read_seconds: float = READ_SECONDS
    max_bytes: int = MAX_BYTES
    max_redirects: int = 0
    is_cancelled: Callable[[], bool] = never
    is_repeatable: bool = False
    bounds: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer. Header names are lower case; repeated ones are joined with ", ". `body` is decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str  # of the last request, after redirects; without its query


def write_head(request: Request, url: Url) -> bytes:
    """Write the request line and the headers, the empty line included. Raises InvalidRequest."""
    if request.method not in METHODS:
        raise InvalidRequest(f"Method {request.method!r} is not sent. Use one of {', '.join(sorted(METHODS))}.")
    lines = "".join([f"{name}: {value}\r\n" for name, value in request.headers.items()])
    if not _LINES.fullmatch(lines) or lines.count("\r\n") != len(request.headers):
        raise InvalidRequest(_wrong_header(request.headers))
    names = {name.lower() for name in request.headers}
    _check_names(names, request)
    agent = "" if "user-agent" in names else f"User-Agent: {USER_AGENT}\r\n"
    accept = "" if "accept" in names else "Accept: */*\r\n"
    length = f"Content-Length: {len(request.body)}\r\n" if request.body or request.method in WITH_BODY else ""
    head = (
        f"{request.method} {url.target} HTTP/1.1\r\nHost: {url.authority}\r\n{agent}{accept}"
        f"Accept-Encoding: gzip, deflate\r\n{lines}{length}\r\n"
    ).encode("latin-1")
    if len(head) > _MAX_HEAD_BYTES:
        raise InvalidRequest(f"The URL and the headers have {len(head)} bytes; at most {_MAX_HEAD_BYTES} are sent.")
    return head


def _check_names(names: set[str], request: Request) -> None:
    if names & _OWNED:
        owned = ", ".join(sorted(names & _OWNED))
        raise InvalidRequest(f"The header {owned} is set by BrainOps itself. Leave it out.")
    if len(names) != len(request.headers):
        raise InvalidRequest("A header is given twice, in different upper and lower case.")
    if len(names) > _MAX_HEADERS:
        raise InvalidRequest(f"The request has {len(names)} headers; at most {_MAX_HEADERS} are sent.")


def _wrong_header(headers: Mapping[str, str]) -> str:
    """Name the first header that cannot be sent, never its value: it may be a key."""
    for name, value in headers.items():
        line = f"{name}: {value}\r\n"
        if not _LINES.fullmatch(line) or line.count("\r\n") != 1:
            return (
                f"The header {name!r} cannot be sent: names are letters, digits and dashes, values one line of "
                "ISO-8859-1 text without spaces around it."
            )
    return "The headers cannot be sent."
