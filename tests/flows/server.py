"""A small HTTP server that gives the answers a flow file lists and remembers what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Scripted(ThreadingHTTPServer):
    """Answers by "METHOD /path": `{status, json, text, headers, after}`; `after` is a delay in seconds."""

    daemon_threads = True

    def __init__(self, answers: Mapping[str, list[dict[str, Any]]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[dict[str, Any]] = []
        self._answers = answers
        self._lock = threading.Lock()
        self._turns: dict[str, int] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def next_answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Note the request and take the next answer of its list; 404 when there is none."""
        name = f"{request['method']} {request['path'].partition('?')[0]}"
        with self._lock:
            self.requests.append(request)
            answers = self._answers.get(name, [{"status": 404}])
            turn = min(self._turns.get(name, 0), len(answers) - 1)
            self._turns[name] = turn + 1
        return answers[turn]


class _Handler(BaseHTTPRequestHandler):
    server: Scripted
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_json = self.headers.get("Content-Type", "").startswith("application/json")
        answer = self.server.next_answer(
            {
                "method": self.command,
                "path": self.path,
                "json": json.loads(body) if is_json else None,
                "body": body.decode(),
                "headers": dict(self.headers),
                "key": self.headers.get("Idempotency-Key"),
            }
        )
        time.sleep(answer.get("after", 0))
        content = answer["text"].encode() if "text" in answer else json.dumps(answer.get("json")).encode()
        self.send_response(answer.get("status", 200))
        headers = {
            "Content-Type": "text/plain" if "text" in answer else "application/json",
            **answer.get("headers", {}),
        }
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - names the base class looks for

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def scripted(answers: Mapping[str, list[dict[str, Any]]]) -> Iterator[Scripted]:
    """Serve for the duration of a block."""
    server = Scripted(answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
