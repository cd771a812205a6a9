"""A server that says back what it was sent, in every spelling a service might use."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, quote_plus

Heard = dict[str, Any]  # method, path, headers, body


class Echo(ThreadingHTTPServer):
    """Answers `/echo` with all spellings of `secret`, `/refuse` with 403 and the plain one, `/chunks` with halves.

    `/away` redirects to `elsewhere` with the secret in the address. `heard` is what came.
    """

    daemon_threads = True

    def __init__(self, secret: str, *, elsewhere: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.secret = secret
        self.elsewhere = elsewhere
        self.heard: list[Heard] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.authority}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()


def spellings(secret: str) -> dict[str, str]:
    """The secret as services say it. Written apart from the code under test, on purpose."""
    raw = secret.encode()
    return {
        "plain": secret,
        "percent": quote(secret, safe=""),
        "path": quote(secret),
        "form": quote_plus(secret),
        "json": json.dumps(secret)[1:-1],
        "json_utf8": json.dumps(secret, ensure_ascii=False)[1:-1],
        "hex": raw.hex(),
        **{f"base64_{n}": base64.b64encode(b"u:"[:n] + raw).decode() for n in range(3)},
        **{f"urlsafe_{n}": base64.urlsafe_b64encode(b"u:"[:n] + raw).decode() for n in range(3)},
    }


def traces(secret: str) -> set[str]:
    """Texts that must stand nowhere: every spelling, of the base64 ones the part that is the secret's alone."""
    return {text[4:-4] if name.startswith(("base64", "urlsafe")) else text for name, text in spellings(secret).items()}


class _Handler(BaseHTTPRequestHandler):
    server: Echo
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.heard.append(
            {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body.decode()}
        )
        act = {"/refuse": self._refuse, "/chunks": self._chunks, "/away": self._away}
        act.get(self.path.partition("?")[0], self._echo)()

    do_GET = do_POST = _answer  # noqa: N815 - the names are http.server's

    def _echo(self) -> None:
        said = spellings(self.server.secret)
        content = json.dumps({"said": said, said["plain"]: 1, "text": f"<{said['base64_2']}>"}).encode()
        self._say(200, content, {"X-Echo": said["percent"], "Content-Type": "application/json"})

    def _refuse(self) -> None:
        content = ("no: " + " ".join(spellings(self.server.secret).values())).encode()
        self._say(403, content, {"Content-Type": "text/plain; charset=utf-8"})

    def _chunks(self) -> None:
        half = len(self.server.secret.encode()) // 2
        raw = self.server.secret.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (raw[:half], raw[half:], b""):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()

    def _away(self) -> None:
        target = f"{self.server.elsewhere or self.server.url}/echo?key={quote(self.server.secret, safe='')}"
        self._say(302, b"", {"Location": target})

    def _say(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: Any) -> None:
        pass
