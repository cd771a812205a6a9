"""Dispatcher: tells listeners of events and brings triggers theirs, apart from the ticks. Idle until somebody calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from django.db import connections

from automation.runtime.vital import VitalThread
from automation.services import event_deliveries, event_dispatch

ASK_SECONDS = 1.0  # between two looks whether somebody listens to the ends of runs, while runs end
CLOSE_SECONDS = 5.0  # without a call, before its connection is given back
PAUSE_SECONDS = 1.0  # while the database is away

log = structlog.get_logger(__name__)


class Dispatcher(VitalThread):
    """Each process has one; whoever is first works, the others find nothing to do."""

    def __init__(self) -> None:
        super().__init__("dispatcher")
        self._called = threading.Event()
        self._stopping = threading.Event()
        self._is_wanted = False  # somebody listens to the ends of runs
        self._ask_at = 0.0  # monotonic instant

    def call(self) -> None:
        """Somebody may have to be told of something."""
        self._called.set()

    def runs_ended(self) -> None:
        """Runs have ended. Called after each checkpoint that ends some, so it mostly does nothing."""
        if self._is_wanted or time.monotonic() >= self._ask_at:
            self.call()

    def call_if_due(self) -> None:
        """The tick's look: what a lost bell left, and what waits for its next attempt."""
        if event_dispatch.has_queued() or event_deliveries.has_due():
            self.call()

    def stop(self) -> None:
        """End the thread after its batch; others do the rest."""
        self._stopping.set()
        self._called.set()
        self.join(5)

    def live(self) -> None:
        """Do what is due each time somebody calls."""
        is_open = False
        while not self._stopping.is_set():
            is_called = self._called.wait(CLOSE_SECONDS if is_open else None)
            self._called.clear()
            if is_called and not self._stopping.is_set():
                self._work()
            else:
                connections.close_all()
            is_open = is_called
        connections.close_all()

    def _work(self) -> None:
        """Until nothing is left. What was told of is delivered at once."""
        if time.monotonic() >= self._ask_at:
            self._ask_at = time.monotonic() + ASK_SECONDS
            self._is_wanted = bool(self._attempt(event_dispatch.hears_ends))
        while not self._stopping.is_set():
            told = self._attempt(event_dispatch.dispatch_some)
            delivered = self._attempt(event_deliveries.deliver_some)
            if not told and not delivered:
                return

    def _attempt(self, part: Callable[[], int]) -> int:
        try:
            return part()
        except Exception:  # the database is away, or two transactions met; the tick calls again
            log.exception("dispatcher_stumbled", part=part.__name__)
            connections.close_all()
            self._stopping.wait(PAUSE_SECONDS)
            return 0
