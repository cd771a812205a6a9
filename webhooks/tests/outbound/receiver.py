"""A real receiver of webhooks on loopback that answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

LONG = 60.0  # seconds; nobody waits so long when all is well


class Got(NamedTuple):
    """One request, header names in lower case."""

    headers: dict[str, str]
    body: bytes
    path: str


class Answer(NamedTuple):
    """What it says; `raw` instead of all else, and then it hangs up."""

    status: int = 204
    headers: dict[str, str] = {}
    body: bytes = b""
    raw: bytes | None = None
    before: Callable[[], Any] = lambda: None


class Receiver:
    """`answers` are given in turn; then `usual`."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answers: list[Answer] = []
        self.usual = Answer()
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = receiver._take(Got({k.lower(): v for k, v in self.headers.items()}, body, self.path))
                answer.before()
                if answer.raw is not None:
                    self.wfile.write(answer.raw)
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def handle(self) -> None:
                with suppress(ConnectionError):  # a sender that was killed or has heard enough hangs up
                    super().handle()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.address}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait_for(self, count: int) -> bool:
        """Wait until so many requests came."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.got) >= count, LONG)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, got: Got) -> Answer:
        with self._changed:
            self.got.append(got)
            self._changed.notify_all()
            return self.answers.pop(0) if self.answers else self.usual
