"""Read the parts of a recurrence rule: `NAME=VALUE`, joined by semicolons, each with its place in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from automation.engine.wording import did_you_mean, quoted
from automation.triggers.rrule.errors import RRuleError

KNOWN: Final = (
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYHOUR", "BYMINUTE", "BYSETPOS", "WKST"),
)
ELSEWHERE: Final = {
    "DTSTART": 'it is the "anchor" of the schedule',
    "TZID": 'it is the "timezone" of the schedule',
    "EXDATE": 'these are the "skip_dates" of the schedule',
    "RDATE": 'these are the "extra_dates" of the schedule',
    "BYSECOND": "one minute is the shortest interval",
    "BYYEARDAY": "days are named by BYMONTH and BYMONTHDAY",
    "BYWEEKNO": "weeks are counted with INTERVAL from the anchor on",
    "BYEASTER": 'name the days as "extra_dates"',
}
PREFIX: Final = "RRULE:"
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")  # as Python counts them

_DAY = re.compile(r"(?P<nth>[+-]?\d{1,2})?(?P<day>[A-Z]{2})")
_NUMBER = re.compile(r"[+-]?\d{1,6}")


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its name, its value, and where both stand in `rule`."""

    rule: str
    name: str
    value: str
    name_at: int
    value_at: int

    def refuse(self, reason: str, *, at: int | None = None) -> NoReturn:
        """Raise RRuleError at the value, or at a place in the rule."""
        raise RRuleError(self.rule, self.value_at if at is None else at, reason)

    def number(self, low: int, high: int) -> int:
        """A single number."""
        return self._number(self.value, self.value_at, low, high, has_negative=False)

    def numbers(self, low: int, high: int, *, has_negative: bool = False) -> tuple[int, ...]:
        """A list of numbers in order, each once; negative ones count from the end."""
        found = {self._number(text, at, low, high, has_negative=has_negative) for text, at in self._items()}
        return tuple(sorted(found))

    def days(self, most: int) -> frozenset[tuple[int, int]]:
        """Days of the week as `(nth, weekday)`: nth 0 for each; `most` is the largest nth, 0 where none makes sense."""
        return frozenset(self._day(text, at, most) for text, at in self._items())

    def _day(self, text: str, at: int, most: int) -> tuple[int, int]:
        match = _DAY.fullmatch(text)
        if match is None or match["day"] not in WEEKDAYS:
            self.refuse(f"{self.name} must be MO, TU, WE, TH, FR, SA or SU, got {quoted(text)}.", at=at)
        if match["nth"] is None:
            return 0, WEEKDAYS.index(match["day"])
        if not most:
            self.refuse(f"{text} counts the weekdays of a month or year: it needs FREQ=MONTHLY or YEARLY.", at=at)
        nth = int(match["nth"])
        if not 1 <= abs(nth) <= most:
            self.refuse(f"{self.name} must count from 1 to {most} or from -{most} to -1, got {text}.", at=at)
        return nth, WEEKDAYS.index(match["day"])

    def _number(self, text: str, at: int, low: int, high: int, *, has_negative: bool) -> int:
        span = f"{low}–{high}" + (f" or -{high}–-{low}" if has_negative else "")
        if _NUMBER.fullmatch(text) is None:
            self.refuse(f"{self.name} must be {span}, got {quoted(text)}.", at=at)
        number = int(text)
        if not low <= (abs(number) if has_negative else number) <= high:
            self.refuse(f"{self.name} must be {span}, got {text}.", at=at)
        return number

    def _items(self) -> list[tuple[str, int]]:
        found, at = [], self.value_at
        for text in self.value.split(","):
            found.append((text, at))
            at += len(text) + 1
        return found


def split(rule: str) -> dict[str, Part]:
    """The parts by name. Raises RRuleError for what is no part, unknown, or there twice."""
    found: dict[str, Part] = {}
    text = rule.upper()
    at = len(PREFIX) if text.startswith(PREFIX) else 0
    for piece in text[at:].rstrip(";").split(";"):
        name, equals, value = piece.partition("=")
        if not (name and equals and value):
            raise RRuleError(rule, at, f"a part is NAME=VALUE, such as FREQ=DAILY, got {quoted(piece)}.")
        if name not in KNOWN:
            raise RRuleError(rule, at, _unknown(name))
        if name in found:
            raise RRuleError(rule, at, f"{name} stands there twice.")
        found[name] = Part(rule, name, value, at, at + len(name) + 1)
        at += len(piece) + 1
    return found


def _unknown(name: str) -> str:
    first = re.split(r"[;:]", name)[0]
    if first in ELSEWHERE:
        return f"{first} is not used here: {ELSEWHERE[first]}."
    hint = did_you_mean(name, KNOWN) or f" Known: {', '.join(KNOWN)}."
    return f"there is no part {quoted(name)}.{hint}"
