"""Rests: the steps of a course that wait for a time or for news."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from automation.engine.course.frame import Frame
from automation.engine.course.place import Place
from automation.engine.results import StepResult


class Rests:
    """Places by the path of their step. Those of stopped frames stay until their frame is over, but never go on."""

    def __init__(self, ended_calls: frozenset[str] | None) -> None:
        self._places: dict[str, Place] = {}
        self._ended_calls = ended_calls

    def put(self, place: Place) -> None:
        """A step begins to rest, or rests again: nothing new is known of what it waits for."""
        place.has_news = False
        self._add(place)

    def load(self, place: Place) -> None:
        """A step that rested before: it is asked about, but a call only when the run it called has ended."""
        row = place.before
        waits_for = row.reason.get("type") if row is not None and isinstance(row.reason, dict) else None
        is_known = waits_for == "child" and self._ended_calls is not None
        place.has_news = not is_known or place.step.path in (self._ended_calls or ())
        self._add(place)

    def _add(self, place: Place) -> None:
        self._places[place.step.path] = place

    def hear(self) -> None:
        """Everything may have news."""
        for place in self._places.values():
            place.has_news = True

    @property
    def has_any(self) -> bool:
        """True when a step rests that may go on."""
        return any(True for _ in self._alive())

    def take_due(self, now: datetime) -> Place | None:
        """A step with news, else the one whose time came first, if it has come."""
        found, first = None, now
        for place in self._alive():
            if place.waits_for_news and place.has_news:
                found = place
                break
            until = _until(place, now)
            if until is not None and (until < first or (until <= first and found is None)):
                found, first = place, until
        if found is not None:
            del self._places[found.step.path]
        return found

    def take_of(self, frame: Frame) -> list[Place]:
        """What rests in this frame itself."""
        found = [place for place in self._places.values() if place.frame is frame]
        for place in found:
            del self._places[place.step.path]
        return found

    def rows(self) -> list[StepResult]:
        """The rows of what rests."""
        return [place.before for place in self._alive() if place.before is not None]

    def _alive(self) -> Iterator[Place]:
        return (place for place in self._places.values() if not place.frame.is_stopped)


def _until(place: Place, now: datetime) -> datetime | None:
    """When it goes on; at once without a time, unless it waits for news alone."""
    if place.before is not None and place.before.until is not None:
        return place.before.until
    return None if place.waits_for_news else now
