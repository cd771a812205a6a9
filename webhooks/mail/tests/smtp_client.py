"""The receiver in a thread of this process, as the consumer runs it, and clients that talk to it."""

from __future__ import annotations

import smtplib
import socket
import threading
import time
from contextlib import closing

from webhooks.mail.smtp import receiver


class Receiver:
    """Listens from `start` to `stop`; its settings are those of the test."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=receiver.listen, args=(self._stop,), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, "the receiver did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(60)
            assert not self._thread.is_alive()

    def _answers(self) -> bool:
        try:
            self.client().quit()
        except OSError:
            return False
        return True

    def client(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, timeout=60, local_hostname="client.example")

    def send(self, raw: bytes, *to: str, sender: str = "ada@shop.example", options: tuple[str, ...] = ()) -> str:
        """Send a mail; returns the last answer, of whichever command it was."""
        with self.client() as client:
            client.ehlo()
            code, text = client.mail(sender, list(options))
            for address in to if code == 250 else ():
                code, text = client.rcpt(address)
                if code != 250:
                    break
            if code == 250:
                code, text = client.data(raw)
            return f"{code} {text.decode()}"

    def speak(self, *pieces: bytes) -> bytes:
        """Send bytes as they are, close our side, and return all that came back."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=60)) as line:
            heard = line.recv(1000)
            for piece in pieces:
                line.sendall(piece)
            while not heard.rstrip().rpartition(b"\n")[2].startswith(b"221"):
                got = line.recv(10_000)
                if not got:
                    break
                heard += got
            return heard
