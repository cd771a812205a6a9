"""Aftermath: what the end of a run means for others. Done after its commit, apart from the checkpoints.

A caller is already ready then (a trigger of the database saw to it) and only has to be looked for; a limit has room for
the next run. When this process dies in between, the tick does both within a second.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue

import psycopg2
import structlog

from automation.runtime.vital import VitalThread
from automation.store import bell
from automation.store.checkpoint import Entry
from automation.store.connection import Connection
from automation.store.limits import make_room_each

log = structlog.get_logger(__name__)


class Aftermath(VitalThread):
    """Follows ended runs, many at a time when many end."""

    def __init__(self, *, on_ready: Callable[[], None]) -> None:
        super().__init__("aftermath")
        self._connection = Connection(application_name="brainops-aftermath")
        self._on_ready = on_ready
        self._inbox: SimpleQueue[Entry | None] = SimpleQueue()

    def submit(self, entry: Entry) -> None:
        """A run with a caller or a limit has ended."""
        self._inbox.put(entry)

    def stop(self) -> None:
        """Follow what was handed in, then end."""
        self._inbox.put(None)
        self.join(5)

    def live(self) -> None:
        """Follow ends until stopped."""
        is_over = False
        while not is_over:
            entries, is_over = self._gather()
            if entries:
                self._follow(entries)
        self._connection.close()

    def _gather(self) -> tuple[list[Entry], bool]:
        entries: list[Entry] = []
        while not entries or not self._inbox.empty():
            entry = self._inbox.get()
            if entry is None:
                return entries, True
            entries.append(entry)
        return entries, False

    def _follow(self, entries: list[Entry]) -> None:
        admitted = 0
        keys = {entry.limit_key for entry in entries if entry.limit_key is not None}
        if keys:
            try:
                admitted = make_room_each(self._connection, keys)
            except psycopg2.Error as error:  # the tick tries again
                log.warning("limits_not_followed", error=str(error).strip(), keys=len(keys))
        if admitted or any(entry.called_by is not None for entry in entries):
            self._on_ready()
            bell.ring()
