"""Slots: the threads of a process that execute runs, and the register of what each is on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from automation.runtime.turn import Turn
from automation.runtime.vital import VitalThread
from automation.store.claim import INTERACTIVE


@dataclass(frozen=True, slots=True)
class Room:
    """Free slots: `shared` ones for every queue, `reserved` ones for interactive runs only."""

    shared: int
    reserved: int


class _Slot(VitalThread):
    """One thread. A turn never raises; if one does, its run would be held for ever by a process that lives."""

    def __init__(self, work: Callable[[], None], name: str) -> None:
        super().__init__(name)
        self._do = work

    def live(self) -> None:
        """Execute turns until told to end."""
        self._do()


class Slots:
    """A fixed number of threads, each on one run at a time.

    `reserved` ones come on top of `count` and take interactive runs only: however much else is under way, a caller who
    waits for an answer finds one of them free.
    """

    def __init__(self, count: int, *, on_free: Callable[[], None], reserved: int = 0) -> None:
        self.count = count
        self.reserved = reserved
        self.wants_kick = False  # the claimer found no free slot: tell it about the next one
        self._on_free = on_free
        self._inbox: SimpleQueue[Turn | None] = SimpleQueue()
        # by identity: after a loss this process may claim a run again whose lost turn still winds down
        self._live: dict[int, Turn] = {}
        self._threads = [_Slot(self._work, f"slot-{n}") for n in range(count + reserved)]
        for thread in self._threads:
            thread.start()

    def room(self) -> Room:
        """How many more runs can be started now. Interactive ones fill the reserved slots first."""
        live = self.live()
        interactive = sum(turn.run.queue == INTERACTIVE for turn in live)
        beyond = max(0, interactive - self.reserved)
        return Room(self.count - (len(live) - interactive) - beyond, self.reserved - interactive + beyond)

    def start(self, turn: Turn) -> None:
        """Execute a run in the next free thread."""
        self._live[id(turn)] = turn
        self._inbox.put(turn)

    def live(self) -> list[Turn]:
        """The runs this process is on."""
        return list(self._live.values())

    def busy(self) -> list[dict[str, Any]]:
        """What each step thread is on, as the heartbeat publishes it."""
        return [doing for turn in self.live() for doing in turn.progress()]

    def cancel(self, run_ids: frozenset[int]) -> None:
        """Stop some runs: no further step, and requests under way are given up."""
        for turn in self.live():
            if turn.run.id in run_ids:
                turn.cancel()

    def tell(self, news: Mapping[int, int]) -> None:
        """Tell runs under way that there is news of what they wait for."""
        for turn in self.live():
            if turn.run.id in news:
                turn.hear(news[turn.run.id])

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
                self._live.pop(id(turn), None)
                if self.wants_kick:
                    self.wants_kick = False
                    self._on_free()
