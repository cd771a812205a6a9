"""Reading one answer off a wire, with every size bounded.

The parser is llhttp (the one of Node.js) by way of `httptools`: it refuses what different readers could take
differently, such as two lengths, a length beside chunks, bare line feeds and folded headers.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from brainops.core.egress.decoding import Sink, sink_for, too_large
from brainops.core.egress.errors import ConnectionLost, ProtocolError, TooLarge
from brainops.core.egress.message import Answer, Request
from brainops.core.egress.urls import Url
from brainops.core.egress.watch import Watch
from brainops.core.egress.wires import Wire

# Of an answer's head, and of everything else that is no body: interim answers, chunk frames, trailers.
MAX_QUIET_BYTES = 64 * 1024
MAX_HEADERS = 256
_FIRST_READ_BYTES = 16 * 1024  # most answers fit; a larger buffer costs more than it saves
_READ_BYTES = 64 * 1024
_SWITCHING_PROTOCOLS = 101


class AnswerReader:
    """Reads the answer to one request.

    `has_heard` tells whether a byte came, `is_reusable` whether the wire is clean for the next request.
    """

    def __init__(self, request: Request, url: Url) -> None:
        self.has_heard = False
        self.is_reusable = False
        self._request = request
        self._url = url
        self._parts = _Parts(is_bodiless=request.method == "HEAD")
        self._sink: Sink | None = None
        self._headers: dict[str, str] | None = None
        self._quiet_bytes = 0

    @property
    def status(self) -> int | None:
        """What the head of the answer said; None before it is complete."""
        return self._parts.status if self._parts.is_head_done else None

    def read(self, wire: Wire, watch: Watch) -> Answer:
        """Read until the answer is complete. Raises ConnectionLost, ProtocolError, TooLarge or what the wire raises."""
        parts = self._parts
        try:
            while not parts.is_done:
                size = _READ_BYTES if self.has_heard else _FIRST_READ_BYTES
                data = wire.receive(size, watch, read_seconds=self._request.read_seconds)
                if not data:
                    self._end_of_stream()
                    break
                self.has_heard = True
                self._feed(data)
                self._take_body(len(data))
            return self._answer()
        finally:
            parts.forget()  # parts and parser refer to each other: no work for the cycle collector

    def _feed(self, data: bytes) -> None:
        try:
            self._parts.parser.feed_data(data)
        except HttpParserUpgrade as error:
            raise ProtocolError(f"{self._url.host} wants to switch protocols; nobody asked it to.") from error
        except HttpParserError as error:
            if not self._parts.is_done:
                raise ProtocolError(f"The answer of {self._url.host} is no valid HTTP/1.1: {error}.") from error
            self._parts.has_surplus = True  # the answer is whole, what follows it is not ours

    def _take_body(self, received: int) -> None:
        parts = self._parts
        if parts.pieces:
            self._quiet_bytes = 0
            self._add_pieces()
            return
        self._quiet_bytes += received
        if self._quiet_bytes > MAX_QUIET_BYTES:
            raise TooLarge(f"The answer holds more than {MAX_QUIET_BYTES} bytes that are no body.")

    def _add_pieces(self) -> None:
        parts = self._parts
        if self._sink is None:
            self._sink = self._open_sink()
        for piece in parts.pieces:
            self._sink.add(piece)
        parts.pieces.clear()

    def _open_sink(self) -> Sink:
        headers = self._joined_headers()
        if headers.get("transfer-encoding", "chunked").lower() != "chunked":
            raise ProtocolError(f"The answer has the Transfer-Encoding {headers['transfer-encoding'][:40]!r}.")
        if int(headers.get("content-length", "0")) > self._request.max_bytes:
            raise too_large(self._request.max_bytes)
        return sink_for(headers.get("content-encoding", ""), self._request.max_bytes)

    def _end_of_stream(self) -> None:
        if not (self._parts.is_head_done and self._parts.ends_with_stream()):
            where = "in the middle of its answer" if self.has_heard else "without an answer"
            raise ConnectionLost(f"{self._url.host} closed the connection {where}.")

    def _answer(self) -> Answer:
        parts = self._parts
        self.is_reusable = parts.is_done and parts.is_kept_alive and not parts.has_surplus
        body = self._sink.finish() if self._sink else b""
        return Answer(parts.status, self._joined_headers(), body, self._url.shown)

    def _joined_headers(self) -> dict[str, str]:
        """Give the headers with lower-case names, repeated ones joined (RFC 9110 5.3)."""
        if self._headers is not None:
            return self._headers
        if len(self._parts.headers) > MAX_HEADERS:
            raise TooLarge(f"The answer has {len(self._parts.headers)} headers; at most {MAX_HEADERS} are read.")
        joined: dict[str, str] = {}
        for raw_name, raw_value in self._parts.headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        self._headers = joined
        return joined


class _Parts:
    """What the parser calls back with. It only collects: errors are raised between its feeds."""

    def __init__(self, *, is_bodiless: bool) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        self.status = 0
        self.is_head_done = False
        self.is_done = False
        self.is_kept_alive = False
        self.has_surplus = False
        self._is_bodiless = is_bodiless
        self.parser = HttpResponseParser(self)

    def on_message_begin(self) -> None:
        if self.is_done:
            self.has_surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.is_head_done:  # later ones are trailers, which nobody asked for
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self.is_done:
            return
        self.status = self.parser.get_status_code()
        if 100 <= self.status < 200 and self.status != _SWITCHING_PROTOCOLS:
            self.headers.clear()  # an interim answer; the real one follows
            return
        self.is_head_done = True
        if self._is_bodiless:
            self._complete()

    def on_body(self, piece: bytes) -> None:
        if self.is_done:
            self.has_surplus = True
        else:
            self.pieces.append(piece)

    def on_message_complete(self) -> None:
        if self.is_head_done and not self.is_done:
            self._complete()

    def ends_with_stream(self) -> bool:
        """True when only the end of the connection tells the end of the body (RFC 9112 6.3, rule 8)."""
        names = {name.lower() for name, _ in self.headers}
        return b"content-length" not in names and b"transfer-encoding" not in names

    def forget(self) -> None:
        """Drop the parser."""
        del self.parser

    def _complete(self) -> None:
        self.is_done = True
        self.is_kept_alive = self.parser.should_keep_alive()
