"""A real mail server and a real webhook receiver on loopback."""

from __future__ import annotations

import asyncio
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.smtp import SMTP


class Inbox:
    """A mail server that keeps what it takes. `refusal` is what it answers instead; `unknown` are addresses."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.senders: list[str] = []
        self.receivers: list[list[str]] = []
        self.refusal = ""
        self.unknown: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = 0
        self.open()

    def open(self) -> None:
        """Listen, on the port it had before."""
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]

    def shut(self) -> None:
        """Be away: connections are refused."""
        self._loop.call_soon_threadsafe(self._server.close)
        asyncio.run_coroutine_threadsafe(self._server.wait_closed(), self._loop).result(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802  # aiosmtpd
        if address in self.unknown:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd calls it so
        if self.refusal:
            return self.refusal
        self.senders.append(envelope.mail_from)
        self.receivers.append(envelope.rcpt_tos)
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]  # the policy says it
        return "250 taken"

    async def _listen(self) -> asyncio.Server:
        def protocol() -> SMTP:
            return SMTP(self, loop=self._loop)

        return await self._loop.create_server(protocol, "127.0.0.1", self.port)


class Hook:
    """A webhook receiver. `answers` are the statuses and headers it gives in turn; then 204."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((dict(self.headers.items()), body))
                status, headers = hook.answers.pop(0) if hook.answers else (204, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
