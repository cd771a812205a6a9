"""Intervals: every so often from an anchor on.

Seconds, minutes and hours are counted as they pass. Days and weeks are counted on the wall clock, so "every 2 days"
from nine o'clock on stays at nine o'clock when clocks change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from automation.engine.durations import UNIT_SECONDS
from automation.triggers.wall_clock import first_instant, read_instant

INTERVAL_PATTERN = r"^[1-9][0-9]{0,7}(s|m|h|d|w)$"
DEFAULT_ANCHOR = "2001-01-01T00:00:00"  # a Monday, so that weeks begin as they do in most places
SHORTEST_SECONDS = 10  # workers look for due slots once a second
LONGEST_SECONDS = 3_660 * 86_400
UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """`count` units from the anchor on; the anchor itself is the first slot."""

    count: int
    unit: str
    anchor: datetime
    zone: ZoneInfo

    @property
    def step(self) -> timedelta:
        """The time between two slots, by the wall clock for days and weeks."""
        return timedelta(seconds=self.count * UNIT_SECONDS[self.unit])

    def next_after(self, after: datetime) -> datetime:
        """The first slot strictly after an instant, in UTC."""
        if after < self.anchor:
            return self.anchor
        if self.unit in "dw":
            return self._next_day(after)
        return (self.anchor + ((after - self.anchor) // self.step + 1) * self.step).astimezone(UTC)

    def _next_day(self, after: datetime) -> datetime:
        start = self.anchor.astimezone(self.zone).replace(tzinfo=None)
        passed = after.astimezone(self.zone).replace(tzinfo=None) - start
        # one step early: what clocks do may move a slot to the day after
        local = start + max(0, passed // self.step - 1) * self.step
        while (slot := first_instant(local, self.zone)) <= after:
            local += self.step
        return slot


@lru_cache(maxsize=4096)
def read_interval(text: str, anchor: str, zone: ZoneInfo) -> Interval:
    """Read a checked interval such as "90m" or "2d". Raises ValueError for an anchor that is no time."""
    return Interval(int(text[:-1]), text[-1], read_instant(anchor, zone), zone)


def interval_problem(text: str) -> str | None:
    """What is wrong with how often it fires, as a sentence."""
    seconds = int(text[:-1]) * UNIT_SECONDS[text[-1]]
    if seconds < SHORTEST_SECONDS:
        return f"The shortest interval is {SHORTEST_SECONDS} seconds, got {text}."
    if seconds > LONGEST_SECONDS:
        return f"The longest interval is {LONGEST_SECONDS // 86_400} days, got {text}."
    return None


def interval_words(text: str) -> str:
    """`Every 90 minutes`."""
    count, unit = int(text[:-1]), UNITS[text[-1]]
    return f"Every {unit}" if count == 1 else f"Every {count} {unit}s"
