"""Postman: sends the messages of one outbox, some beside each other, outside of every transaction.

A receiver may take its time; nothing else of the worker waits for it, and no other message does while a hand is free.
What is under way when the process dies is sent by another one after its lease.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import connections

from automation.runtime.vital import VitalThread
from automation.services import outboxes
from automation.services.outboxes import Outbox

PAUSE_SECONDS = 2.0  # before the next ones, while the database is away
LAST_SECONDS = 5.0  # for the messages under way when the process stops

log = structlog.get_logger(__name__)


class Postman(VitalThread):
    """Sleeps until somebody says that messages are due. Holds no connection while it sleeps.

    Each message that was due brings in one more hand, up to the outbox's number; mostly the first one is the only one.
    """

    def __init__(self, name: str, outbox: Outbox) -> None:
        super().__init__(f"postman of {name}")
        self._outbox = outbox
        self._called = threading.Event()
        self._stopping = threading.Event()
        self._hands = 0
        self._lock = threading.Lock()

    def call(self) -> None:
        """Messages may be due."""
        self._called.set()

    def stop(self) -> None:
        """Finish the messages under way, for a few seconds; others send the rest."""
        self._stopping.set()
        self._called.set()
        self.join(LAST_SECONDS)

    def live(self) -> None:
        """Lend a hand each time somebody calls."""
        with ThreadPoolExecutor(self._outbox.beside, thread_name_prefix=self.name) as threads:
            while not self._stopping.is_set():
                self._called.wait()
                self._called.clear()
                with self._lock:
                    is_free = self._hands < self._outbox.beside and not self._stopping.is_set()
                    self._hands += is_free
                if is_free:
                    threads.submit(self._send_all)

    def _send_all(self) -> None:
        """Send until nothing is due."""
        try:
            while not self._stopping.is_set() and self._send_one():
                pass
        finally:
            connections.close_all()
            with self._lock:
                self._hands -= 1

    def _send_one(self) -> bool:
        """Send one message; False when none is due."""
        try:
            claimed = self._outbox.claim()
            if claimed is None:
                return False
            self.call()  # where one is due there may be more: another hand looks while this one waits for a receiver
            self._outbox.send(claimed)
        except Exception:  # the database is away; what was claimed comes again
            log.exception("postman_stumbled", postman=self.name)
            self._stopping.wait(PAUSE_SECONDS)
            return False
        return True


class Postmen:
    """One postman for each outbox."""

    def __init__(self) -> None:
        self._rounds = [(outbox, Postman(name, outbox)) for name, outbox in outboxes.known.items()]

    def start(self) -> None:
        """Start all of them; from now on they are called when something was put into an outbox."""
        for _, postman in self._rounds:
            postman.start()
        outboxes.answer_calls(self.call)

    def call(self) -> None:
        """Call those whose outbox has something due."""
        for outbox, postman in self._rounds:
            if outbox.has_due():
                postman.call()

    def stop(self) -> None:
        """Stop all of them."""
        outboxes.answer_no_more(self.call)
        for _, postman in self._rounds:
            postman.stop()
