"""Read one field of a cron expression: numbers, names, ranges, steps, lists and the few letters of the day fields.

The language is Debian's cron (crontab(5)) with two wide-spread additions: `L`, `LW` as a day of the month, and
`5L`, `5#2` (the last, the second Friday) as a day of the week.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from automation.engine.wording import quoted
from automation.triggers.cron.errors import CronError

LAST = -1  # in `nth`: the last such weekday of the month

_NTH = re.compile(r"(?P<day>\w+)#(?P<nth>\w+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What one field may hold. `names` stand for low, low + 1, …; `letters` says in words what else is known."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    letters: str = ""

    @property
    def known(self) -> str:
        """What the field may hold, for a message."""
        names = f" or {self.names[0]}–{self.names[-1]}" if self.names else ""
        return f"{self.low}–{self.high}{names}{self.letters}"


MINUTE = FieldRule("minute", 0, 59)
HOUR = FieldRule("hour", 0, 23)
DAY = FieldRule("day of month", 1, 31, letters=", L (the last day) or LW (the last weekday)")
MONTH = FieldRule("month", 1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"))
WEEKDAY = FieldRule(
    "day of week",
    0,
    7,
    ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"),
    letters=", 5L (the last Friday) or 5#2 (the second)",
)
RULES = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


@dataclass(frozen=True, slots=True)
class FieldValues:
    """What a field allows: plain values, and the special days that depend on the month."""

    values: frozenset[int]
    has_last_day: bool = False
    has_last_weekday: bool = False
    nth: frozenset[tuple[int, int]] = frozenset()  # (day of week, 1…5 or LAST)


@dataclass(frozen=True, slots=True)
class FieldReader:
    """Reads one field that stands at `start` of `expression`."""

    expression: str
    rule: FieldRule
    start: int

    def read(self, text: str) -> FieldValues:
        """Read the whole field. Raises CronError."""
        values: set[int] = set()
        letters: set[str] = set()
        nth: set[tuple[int, int]] = set()
        for item, position in _split(text, self.start):
            if self.rule is DAY and item.upper() in ("L", "LW"):
                letters.add(item.upper())
            elif self.rule is WEEKDAY and (special := self._nth_weekday(item, position)):
                nth.add(special)
            else:
                values.update(self._plain(item, position))
        return FieldValues(frozenset(values), "L" in letters, "LW" in letters, frozenset(nth))

    def _nth_weekday(self, item: str, position: int) -> tuple[int, int] | None:
        if match := _NTH.fullmatch(item):
            nth = match["nth"]
            if nth not in ("1", "2", "3", "4", "5"):
                self._refuse(position, f"{self.rule.name} must have 1–5 after #, got {quoted(nth)}")
            return self._number(match["day"], position) % 7, int(nth)
        if len(item) > 1 and item.upper().endswith("L"):
            return self._number(item[:-1], position) % 7, LAST
        return None

    def _plain(self, item: str, position: int) -> range:
        base, slash, step_text = item.partition("/")
        first, last = self._span(base, position, is_open=bool(slash))
        if not slash:
            return range(first, last + 1)
        if not _is_digits(step_text) or int(step_text) == 0:
            self._refuse(
                position + len(base) + 1,
                f"{self.rule.name} must have a step of 1 or more after /, got {quoted(step_text)}",
            )
        return range(first, last + 1, int(step_text))

    def _span(self, base: str, position: int, *, is_open: bool) -> tuple[int, int]:
        """First and last value of `*`, `a-b` or `a`; a lone `a` before a step runs to the end of the field."""
        if base == "*":
            return self.rule.low, 6 if self.rule is WEEKDAY else self.rule.high
        if base == "?":
            self._refuse(position, f'{self.rule.name} does not know "?". Write "*"')
        low, dash, high = base.partition("-")
        first = self._number(low, position)
        if not dash:
            return first, self.rule.high if is_open else first
        last = self._number(high, position + len(low) + 1)
        if self.rule is WEEKDAY and last == 0 and first > 0:
            last = 7  # FRI-SUN
        if last < first:
            self._refuse(
                position, f"{self.rule.name} has a range that runs backwards: {base}. Write two ranges with a comma"
            )
        return first, last

    def _number(self, text: str, position: int) -> int:
        if text.upper() in self.rule.names:
            return self.rule.low + self.rule.names.index(text.upper())
        if not _is_digits(text):
            self._refuse(position, f"{self.rule.name} must be {self.rule.known}, got {quoted(text)}")
        if not self.rule.low <= int(text) <= self.rule.high:
            self._refuse(position, f"{self.rule.name} must be {self.rule.known}, got {text}")
        return int(text)

    def _refuse(self, position: int, reason: str) -> NoReturn:
        raise CronError(self.expression, position, f"{reason}.")


def _split(text: str, start: int) -> Iterator[tuple[str, int]]:
    """The items of a comma list with their positions in the expression."""
    position = start
    for item in text.split(","):
        yield item, position
        position += len(item) + 1


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4
