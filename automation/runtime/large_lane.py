"""The large lane: checkpoints with large values are committed apart, so that they delay nobody else's."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

from automation.runtime.vital import VitalThread
from automation.store.checkpoint import Entry
from automation.store.connection import Connection


class Checkpoint(Protocol):
    """What the lane needs to know of a receipt."""

    entry: Entry

    @property
    def is_large(self) -> bool: ...


C = TypeVar("C", bound=Checkpoint)


class LargeLane(VitalThread, Generic[C]):
    """Commits one checkpoint after the other over a connection of its own; the first of them starts the thread.

    A run's checkpoints keep their order: while one of them is here, later ones of the same run come here too.
    """

    def __init__(self, commit: Callable[[Connection, C], None]) -> None:
        super().__init__("writer-large")
        self._commit = commit
        self._connection = Connection(application_name="brainops-writer-large")
        self._inbox: SimpleQueue[C | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._here: Counter[int] = Counter()  # checkpoints by run

    def takes(self, checkpoint: C) -> bool:
        """True when this checkpoint must go this way."""
        return checkpoint.is_large or checkpoint.entry.run_id in self._here

    def submit(self, checkpoint: C) -> None:
        """Take a checkpoint over. Called by the writer only."""
        with self._lock:
            self._here[checkpoint.entry.run_id] += 1
        if not self.is_alive():
            self.start()
        self._inbox.put(checkpoint)

    def stop(self) -> None:
        """Commit what is here, then end."""
        if self.is_alive():
            self._inbox.put(None)
            self.join()

    def live(self) -> None:
        """Commit until stopped."""
        while (checkpoint := self._inbox.get()) is not None:
            self._commit(self._connection, checkpoint)
            with self._lock:
                self._here[checkpoint.entry.run_id] -= 1
                if not self._here[checkpoint.entry.run_id]:
                    del self._here[checkpoint.entry.run_id]
        self._connection.close()
