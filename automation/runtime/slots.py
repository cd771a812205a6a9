"""Slots: the threads of a process that execute runs, and the register of what each is on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from automation.runtime.turn import Turn


class Slots:
    """A fixed number of threads, each on one run at a time."""

    def __init__(self, count: int, *, on_free: Callable[[], None]) -> None:
        self.count = count
        self.wants_kick = False  # the claimer found no free slot: tell it about the next one
        self._on_free = on_free
        self._inbox: SimpleQueue[Turn | None] = SimpleQueue()
        self._live: dict[int, Turn] = {}
        self._threads = [threading.Thread(target=self._work, name=f"slot-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def free(self) -> int:
        """How many more runs can be started now."""
        return self.count - len(self._live)

    def start(self, turn: Turn) -> None:
        """Execute a run in the next free thread."""
        self._live[turn.run.id] = turn
        self._inbox.put(turn)

    def live(self) -> list[Turn]:
        """The runs this process is on."""
        return list(self._live.values())

    def busy(self) -> list[dict[str, Any]]:
        """What each slot is on, as the heartbeat publishes it."""
        return [turn.progress() for turn in self.live()]

    def cancel(self, run_ids: frozenset[int]) -> None:
        """Stop some runs: no further step, and requests under way are given up."""
        for run_id in run_ids:
            turn = self._live.get(run_id)
            if turn is not None:
                turn.cancel()

    def lose_all(self) -> None:
        """This process was declared dead: drop everything, write nothing, affect nothing."""
        for turn in self.live():
            turn.lose()

    def stop(self, timeout_seconds: float) -> bool:
        """Let every thread finish its run and end; False when some did not in time."""
        for _ in self._threads:
            self._inbox.put(None)
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not self._live

    def _work(self) -> None:
        while (turn := self._inbox.get()) is not None:
            try:
                turn.execute()
            finally:
                self._live.pop(turn.run.id, None)
                if self.wants_kick:
                    self.wants_kick = False
                    self._on_free()
