"""A server that says what a test tells it to, whatever it is asked; and a TLS front for one that is real."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress

Say = Callable[[socket.socket], None]


class RoughServer:
    """Answers each connection with `say`, in a thread of its own. `met` counts the connections."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.met = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listening.accept()
                self.met += 1
                threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with suppress(OSError), line:
            self._say(line)


def tls_front(context: ssl.SSLContext, port: int) -> RoughServer:
    """TLS from the first byte before a server that speaks in the clear."""

    def say(line: socket.socket) -> None:
        with (
            context.wrap_socket(line, server_side=True) as secured,
            socket.create_connection(("127.0.0.1", port)) as on,
        ):
            back = threading.Thread(target=_pump, args=(on, secured), daemon=True)
            back.start()
            _pump(secured, on)
            back.join(60)

    return RoughServer(say)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def script(*answers: bytes) -> Say:
    """Greet, then give one answer for each line that comes; `%s` in it is the tag of the command."""

    def say(line: socket.socket) -> None:
        line.sendall(b"* OK here\r\n")
        asked = line.makefile("rb")
        for answer in answers:
            tag = asked.readline().partition(b" ")[0]
            line.sendall(answer.replace(b"%s", tag))
        asked.readline()

    return say
