"""Retention: how long the runs of a workflow stay, by the status they ended with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automation.engine.durations import DurationError, parse_duration
from automation.engine.status import RunStatus

FOREVER = "forever"
STATUSES = tuple(status.word for status in RunStatus if status.is_final)
LEAST_SECONDS = 86_400.0  # the figures of the last 24 hours are counted from the runs themselves
MOST_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Retention:
    """`seconds` by final status, None for ever; the newest `keep_last` runs stay whatever their age."""

    seconds: Mapping[int, float | None]
    keep_last: int = 0

    @property
    def least_seconds(self) -> float | None:
        """The age below which no run goes; None when none ever goes."""
        return min((one for one in self.seconds.values() if one is not None), default=None)

    def has_expired(self, status: int, age_seconds: float) -> bool:
        """True for a run of this status that ended so long ago that it may go."""
        longest = self.seconds.get(status)
        return longest is not None and age_seconds >= longest

    def changed(self, said: Mapping[str, Any]) -> Retention:
        """This one with what a workflow says differently (`{"succeeded": "7d", "keep_last": 100}`, checked before)."""
        own = {int(RunStatus[word.upper()]): _seconds(said[word]) for word in STATUSES if word in said}
        return Retention({**self.seconds, **own}, said.get("keep_last", self.keep_last))


def refusals(said: Any) -> Iterator[tuple[str, str]]:
    """`(pointer, sentence)` for everything wrong in what a workflow says, beyond its schema."""
    for word in STATUSES:
        text = said.get(word)
        if text is None or text == FOREVER:
            continue
        try:
            seconds = parse_duration(text)
        except DurationError as error:
            yield f"/{word}", str(error)
        else:
            if seconds < LEAST_SECONDS:
                yield f"/{word}", f'Runs stay at least a day; write "1d" or more, or "{FOREVER}", not {text[:40]!r}.'


def _seconds(text: str) -> float | None:
    return None if text == FOREVER else parse_duration(text)
