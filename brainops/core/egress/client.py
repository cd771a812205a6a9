"""The HTTP client of the outbound door: one checked request, one whole answer."""

from __future__ import annotations

import ssl
from functools import cached_property

from brainops.core.egress.allow import AllowList
from brainops.core.egress.bound import check_bounds
from brainops.core.egress.dial import CONNECT_SECONDS, dial
from brainops.core.egress.errors import ConnectionLost, EgressError, TooManyRedirects
from brainops.core.egress.lookup import Resolver, system_resolver
from brainops.core.egress.message import IDEMPOTENT_METHODS, Answer, Request, write_head
from brainops.core.egress.pool import Pool
from brainops.core.egress.reading import AnswerReader
from brainops.core.egress.redirects import MAX_REDIRECTS, next_request
from brainops.core.egress.tls import client_context, secure
from brainops.core.egress.urls import Url, parse_url
from brainops.core.egress.watch import Watch
from brainops.core.egress.wires import PlainWire, Wire

_ONE_PIECE_BYTES = 64 * 1024


class Client:
    """Sends requests through checked connections that it keeps alive. Safe for any number of threads.

    Nothing of the environment is read: no proxies, no netrc. `resolver` and `tls` are for tests.
    """

    def __init__(
        self, allow: AllowList, *, resolver: Resolver = system_resolver, tls: ssl.SSLContext | None = None
    ) -> None:
        self.allow = allow
        self.pool = Pool()
        self._resolver = resolver
        self._given_tls = tls

    def send(self, request: Request) -> Answer:
        """Send one request and read the whole answer, whatever its status. Raises EgressError."""
        watch = Watch(request.total_seconds, request.is_cancelled)
        url = parse_url(request.url)
        answer = self._exchange(request, url, watch)
        if not request.max_redirects:
            return answer
        return self._follow(request, url, answer, watch)

    def check(self, url: str) -> None:
        """Refuse a URL that could never be called, without a lookup: for forms. Raises EgressError."""
        parsed = parse_url(url)
        self.allow.check_target(parsed.host, parsed.port)

    def _follow(self, request: Request, url: Url, answer: Answer, watch: Watch) -> Answer:
        left = min(request.max_redirects, MAX_REDIRECTS)
        while (moved := next_request(request, url, answer)) is not None:
            if not left:
                raise TooManyRedirects(f"{url.shown} redirects once more; {request.max_redirects} were followed.")
            left -= 1
            request, url = moved, parse_url(moved.url)
            answer = self._exchange(request, url, watch)
        return answer

    def _exchange(self, request: Request, url: Url, watch: Watch) -> Answer:
        check_bounds(url, request.bounds)
        head = write_head(request, url)
        wire = self.pool.take(url.origin)
        if wire is None:
            return self._talk(self._open(url, watch), request, url, head, watch)
        try:
            return self._talk(wire, request, url, head, watch)
        except ConnectionLost as lost:
            # The server closed the kept connection while we wrote. It cannot be told from a server that
            # took the request and died, so only what may be repeated is sent again, and only once.
            if lost.has_heard or not (_is_repeatable(request) or not lost.was_sent):
                raise
        return self._talk(self._open(url, watch), request, url, head, watch)

    def _talk(self, wire: Wire, request: Request, url: Url, head: bytes, watch: Watch) -> Answer:
        reader = AnswerReader(request, url)
        wire.begin()
        try:
            refused = _write(wire, request, head, watch)
            answer = reader.read(wire, watch) if refused is None else _read_early(reader, wire, watch, refused)
        except BaseException as error:
            wire.close()
            if isinstance(error, EgressError):
                error.was_sent, error.has_heard, error.status = wire.has_sent, reader.has_heard, reader.status
            raise
        if reader.is_reusable and refused is None:
            self.pool.give(url.origin, wire)
        else:
            wire.close()
        return answer

    def _open(self, url: Url, watch: Watch) -> Wire:
        until = watch.limit(CONNECT_SECONDS)
        connected = dial(url.host, url.port, allow=self.allow, watch=watch, resolver=self._resolver)
        if url.scheme == "https":
            return secure(connected, url.host, self._tls, watch=watch, until=until)
        return PlainWire(connected, url.authority)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Read the trust store once: it takes some 20 ms."""
        return self._given_tls or client_context()


def _is_repeatable(request: Request) -> bool:
    return request.is_repeatable or request.method in IDEMPOTENT_METHODS


def _write(wire: Wire, request: Request, head: bytes, watch: Watch) -> ConnectionLost | None:
    """Send the request; return the error when the peer stopped listening half-way."""
    body = request.body
    try:
        if len(body) <= _ONE_PIECE_BYTES:
            wire.send(head + body, watch, read_seconds=request.read_seconds)
        else:
            wire.send(head, watch, read_seconds=request.read_seconds)
            wire.send(body, watch, read_seconds=request.read_seconds)
    except ConnectionLost as lost:
        return lost
    return None


def _read_early(reader: AnswerReader, wire: Wire, watch: Watch, refused: ConnectionLost) -> Answer:
    """Read the answer of a server that refuses a body without reading it (413), then hangs up."""
    try:
        return reader.read(wire, watch)
    except ConnectionLost:
        raise refused from None
