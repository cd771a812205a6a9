"""Postman: sends the messages of the outbox, some beside each other, outside of every transaction.

A receiver may take its time; nothing else of the worker waits for it. What is under way when the process dies is sent
by another one after its lease.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import connections

from automation.runtime.vital import VitalThread
from automation.services import notice_sending

BESIDE = 4  # messages at once, in one process
PAUSE_SECONDS = 2.0  # before the next ones, while the database is away

log = structlog.get_logger(__name__)


class Postman(VitalThread):
    """Sleeps until somebody says that messages are due. Holds no connection while it sleeps."""

    def __init__(self) -> None:
        super().__init__("postman")
        self._called = threading.Event()
        self._stopping = threading.Event()

    def call(self) -> None:
        """Messages may be due."""
        self._called.set()

    def stop(self) -> None:
        """Finish the messages under way, for a few seconds; others send the rest."""
        self._stopping.set()
        self._called.set()
        self.join(5)

    def live(self) -> None:
        """Send whatever is due, each time somebody calls."""
        while not self._stopping.is_set():
            self._called.wait()
            self._called.clear()
            self._make_round()

    def _make_round(self) -> None:
        """Send until nothing is due. The first one is sent alone: mostly it is the only one."""
        if not self._send_one():
            return
        with ThreadPoolExecutor(BESIDE, thread_name_prefix="postman") as threads:
            for _ in range(BESIDE):
                threads.submit(self._send_all)

    def _send_all(self) -> None:
        while self._send_one():
            pass

    def _send_one(self) -> bool:
        """Send one message; False when none is due or when it is time to go."""
        if self._stopping.is_set():
            return False
        try:
            return notice_sending.send_next()
        except Exception:  # the database is away; what was claimed comes again
            log.exception("postman_stumbled")
            self._stopping.wait(PAUSE_SECONDS)
            return False
        finally:
            connections.close_all()
