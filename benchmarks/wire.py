"""A receiver and clients of HTTP/1.1 in one event loop, cheap enough to share two cores with what they measure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"


def content_length(head: bytes) -> int:
    """The Content-Length of a message head, 0 without one."""
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at < 0:
        return 0
    return int(lower[at + 17 : lower.find(b"\r\n", at + 2)])


def header(head: bytes, name: bytes) -> bytes:
    """The value of one header of a message head, empty when it is missing. `name` in lower case."""
    at = head.lower().find(b"\r\n" + name + b":")
    if at < 0:
        return b""
    start = at + len(name) + 3
    return head[start : head.find(b"\r\n", start)].strip()


@dataclass
class Receiver:
    """Answers every POST with 200 and hands its head and body to `on_request`, which may take its time."""

    on_request: Callable[[bytes, bytes], Awaitable[None] | None]
    port: int = 0
    host: str = "127.0.0.1"
    count: int = 0
    callers: set[asyncio.BaseTransport] = field(default_factory=set, repr=False)
    _server: asyncio.Server | None = field(default=None, repr=False)

    async def start(self) -> None:
        """Listen on `host`; `port` tells where."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Inbound(self), self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening and hang up."""
        if self._server:
            self._server.close()
        for transport in list(self.callers):
            transport.close()


class _Inbound(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._receiver.callers.add(transport)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._transport:
            self._receiver.callers.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(HEAD_END)) >= 0:
            head = self._buffer[: end + 2]
            length = content_length(head)
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._receiver.count += 1
            pending = self._receiver.on_request(head, body)
            if pending is None:
                self._answer()
            else:
                self._answering = asyncio.ensure_future(self._answer_after(pending))

    async def _answer_after(self, pending: Awaitable[None]) -> None:
        await pending
        self._answer()

    def _answer(self) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(
                b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
            )


@dataclass(frozen=True)
class Answer:
    """What a client got back."""

    status: int
    head: bytes
    body: bytes


class Client:
    """One keep-alive connection to one address. Reconnects when the server closed it."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(self, method: str, path: str, body: bytes = b"", headers: str = "") -> Answer:
        """Send one request and read its answer. Raises OSError when the server is away."""
        message = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        ).encode() + body
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        try:
            writer.write(message)
            head = await reader.readuntil(HEAD_END)
            data = await reader.readexactly(content_length(head))
        except (OSError, asyncio.IncompleteReadError) as error:
            await self.close()
            raise ConnectionError(str(error)) from error
        if header(head, b"connection").lower() == b"close":
            await self.close()
        return Answer(int(head[9:12]), head, data)

    async def close(self) -> None:
        """Close the connection."""
        if self._streams:
            self._streams[1].close()
            self._streams = None
