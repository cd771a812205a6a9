"""Flights: the attempts of one run that are under way in other threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue

from automation.engine.commands import ClaimLost, CommandInterrupted
from automation.engine.course import Place
from automation.engine.kinds import Effect, Outcome
from automation.engine.prepare import Prepared
from automation.runtime.step_threads import StepThreads

Act = Callable[[], Outcome]


@dataclass(frozen=True, slots=True)
class Flight:
    """One attempt: which place, with what, since when, with which effect."""

    place: Place
    prepared: Prepared
    effect: Effect
    started_at: datetime
    act: Act


class Flights:
    """Belongs to the thread of the turn; only `act` is called in others."""

    def __init__(self, threads: StepThreads) -> None:
        self._threads = threads
        self._landed: SimpleQueue[tuple[Flight, Outcome | ClaimLost | CommandInterrupted]] = SimpleQueue()
        self.under_way: dict[str, Flight] = {}

    def begin(self, flight: Flight) -> None:
        """Attempt it in another thread; here when none is free."""
        self.under_way[flight.place.step.path] = flight

        def fly() -> None:
            try:
                self._landed.put((flight, flight.act()))
            except (ClaimLost, CommandInterrupted) as raised:
                self._landed.put((flight, raised))

        if not self._threads.submit(fly):
            fly()

    def land(self, timeout_seconds: float | None) -> tuple[Flight, Outcome] | None:
        """Wait for the next one to end; None when none did in time.

        Raises ClaimLost, and CommandInterrupted for one that is to be made elsewhere.
        """
        try:
            flight, outcome = self._landed.get(timeout=timeout_seconds)
        except Empty:
            return None
        del self.under_way[flight.place.step.path]
        if isinstance(outcome, ClaimLost | CommandInterrupted):
            raise outcome
        return flight, outcome
