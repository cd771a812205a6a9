"""Consumer: the process that listens. It keeps a thread for each listener and looks every two seconds what has changed.

Several may run: a listener that must be alone is held by lease (`store.leases`), and the process that does not have it
stands by. What arrives is taken once in any case, by the ledger of arrivals.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import psycopg2
import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections

from automation.runtime.hearing import Hearing
from automation.services import listeners
from automation.services.listeners import Listener
from automation.store.connection import Connection
from automation.store.leases import Leases
from automation.store.ticks import take_turn
from brainops.core import shared_metrics

LOOK_SECONDS = 2.0
TICK_SECONDS = 5.0
MOST_LISTENERS = 200  # threads of one process; another process takes what is left

log = structlog.get_logger(__name__)


class Consumer:
    """Listens until stopped. One thread calls `run`; `stop` may come from anywhere, signals included."""

    def __init__(
        self, *, look_seconds: float = LOOK_SECONDS, wanted: Callable[[], Mapping[str, Listener]] = listeners.wanted
    ) -> None:
        self._look_seconds = look_seconds
        self._wanted = wanted
        self._connection = Connection(application_name="brainops-consumer")
        self._leases = Leases()
        self._hearings: dict[str, Hearing] = {}
        self._stopping = threading.Event()
        self._tick_due = 0.0

    @property
    def keys(self) -> list[str]:
        """What this process listens to, or is about to."""
        return sorted(self._hearings)

    def run(self, *, drain_seconds: float) -> None:
        """Listen until `stop`, then end every listener within `drain_seconds`."""
        log.info("consumer_started")
        while not self._stopping.is_set():
            try:
                self.look()
            except (psycopg2.Error, DatabaseError, InterfaceError) as error:
                log.warning("consumer_look_failed", error=str(error).strip())
                self._connection.close()
            except Exception:  # a provider that broke: what is running goes on
                log.exception("consumer_look_failed")
            close_old_connections()
            self._stopping.wait(self._look_seconds)
        self._end(drain_seconds)
        log.info("consumer_stopped")

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()

    def look(self) -> None:
        """One round. While the database is away everything stays as it is, but for what must be alone."""
        try:
            self._leases.check()
        except psycopg2.Error:
            self._stop_alone()
            raise
        wanted = self._wanted()
        self._stop_changed(wanted)
        self._forget_ended()
        self._begin(wanted)
        for hearing in self._hearings.values():
            hearing.keep_going()
        self._tick()

    def _stop_alone(self) -> None:
        """The leases are lost: somebody else may take them at any moment."""
        log.warning("consumer_lost_its_leases")
        for hearing in self._hearings.values():
            if hearing.listener.is_alone:
                hearing.stop()

    def _stop_changed(self, wanted: Mapping[str, Listener]) -> None:
        for key, hearing in self._hearings.items():
            listener = wanted.get(key)
            if listener is None or listener.fingerprint != hearing.listener.fingerprint:
                hearing.stop()

    def _forget_ended(self) -> None:
        for key, hearing in list(self._hearings.items()):
            if hearing.is_stopping and hearing.is_over:
                del self._hearings[key]
                self._leases.give_back(key)

    def _begin(self, wanted: Mapping[str, Listener]) -> None:
        new = [listener for key, listener in wanted.items() if key not in self._hearings]
        while new and (room := MOST_LISTENERS - len(self._hearings)) > 0:
            chosen, new = new[:room], new[room:]
            self._leases.take([listener.key for listener in chosen if listener.is_alone])
            for listener in chosen:
                if not listener.is_alone or listener.key in self._leases.held:
                    self._hearings[listener.key] = Hearing(listener)

    def _tick(self) -> None:
        if time.monotonic() < self._tick_due:
            return
        self._tick_due = time.monotonic() + TICK_SECONDS
        take_turn(self._connection, listeners.TICK, every_seconds=TICK_SECONDS * 0.9)
        shared_metrics.try_flush()

    def _end(self, drain_seconds: float) -> None:
        deadline = time.monotonic() + drain_seconds
        for hearing in self._hearings.values():
            hearing.stop()
        for hearing in self._hearings.values():
            hearing.join(max(0.0, deadline - time.monotonic()))
        shared_metrics.try_flush()
        self._leases.close()
        self._connection.close()
