"""Loopback servers that speak exactly the bytes a test wants, on real sockets."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Heard:
    """One request as it came over the wire."""

    head: str
    body: bytes
    connection: int

    @property
    def line(self):
        return self.head.split("\r\n")[0]

    @property
    def headers(self):
        lines = self.head.split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


@dataclass
class Talk:
    """One connection, from the server's side."""

    socket: socket.socket
    number: int
    server: ScriptedServer
    _unread: bytes = b""

    def hear(self) -> Heard | None:
        """Read one request; None when the client has hung up."""
        while b"\r\n\r\n" not in self._unread:
            if not self._more():
                return None
        head, _, rest = self._unread.partition(b"\r\n\r\n")
        heard = Heard(head.decode("latin-1"), b"", self.number)
        length = int(heard.headers.get("content-length", "0"))
        self._unread = rest
        while len(self._unread) < length:
            if not self._more():
                return None
        heard.body, self._unread = self._unread[:length], self._unread[length:]
        self.server.heard.append(heard)
        return heard

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, body: bytes = b"", *, status: str = "200 OK", headers: str = "") -> None:
        self.say(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)

    def wait(self) -> None:
        """Say nothing until the client hangs up or the server stops."""
        while self._more():
            pass

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except OSError:
            return False
        self._unread += data
        return bool(data)


@dataclass
class ScriptedServer:
    """Runs `script` for each connection, in a thread of its own."""

    script: Callable[[Talk], None]
    tls: ssl.SSLContext | None = None
    address: str = "127.0.0.1"
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0

    def __enter__(self):
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self._listener = socket.create_server((self.address, 0), family=family)
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Hang up on everybody and listen no more."""
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(timeout=10)
        self._listener.close()

    def url(self, path="/", host="127.0.0.1"):
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection, self.connections))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection, number):
        self._open.append(connection)
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.script(Talk(connection, number, self))
        except OSError:
            pass  # the client went away, which is what many tests are about
        finally:
            connection.close()


def echo(talk: Talk) -> None:
    """Answer every request with its own body."""
    while (heard := talk.hear()) is not None:
        talk.answer(heard.body)


def say_raw(data: bytes) -> Callable[[Talk], None]:
    """Answer the first request with these bytes and hang up."""

    def script(talk: Talk) -> None:
        if talk.hear() is not None:
            talk.say(data)

    return script
