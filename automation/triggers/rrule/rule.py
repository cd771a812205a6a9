"""Parse a recurrence rule. What the text leaves open, such as the time of day, follows from its anchor later."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import IntEnum
from functools import lru_cache

from automation.triggers.rrule.errors import RRuleError
from automation.triggers.rrule.parts import WEEKDAYS, Part, split

MOST_INTERVAL, MOST_COUNT = 100_000, 10_000
LONGEST_MONTH = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_UNTIL = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?")


class Frequency(IntEnum):
    """The period of a rule, longest first."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4
    MINUTELY = 5


@dataclass(frozen=True, slots=True)
class Rule:
    """A parsed rule. Empty lists are those that the text does not name.

    `days` are `(nth, weekday)` with Monday as 0 and nth 0 for each one. `until` is a date, a time of the wall clock or
    an aware instant, all inclusive.
    """

    text: str
    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: date | datetime | None = None
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    days: frozenset[tuple[int, int]] = frozenset()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0


@lru_cache(maxsize=4096)
def parse_rrule(text: str) -> Rule:
    """Parse a rule, with or without `RRULE:` before it. Raises RRuleError, which names position, part and value."""
    parts = split(text)
    if "FREQ" not in parts:
        raise RRuleError(text, 0, f"FREQ is required: one of {', '.join(Frequency.__members__)}.")
    frequency = _frequency(parts["FREQ"])
    _refuse_together(parts, frequency)
    rule = Rule(
        text=text,
        frequency=frequency,
        interval=parts["INTERVAL"].number(1, MOST_INTERVAL) if "INTERVAL" in parts else 1,
        count=parts["COUNT"].number(1, MOST_COUNT) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        months=_numbers(parts, "BYMONTH", 1, 12),
        month_days=_numbers(parts, "BYMONTHDAY", 1, 31, has_negative=True),
        days=parts["BYDAY"].days(_most_nth(parts, frequency)) if "BYDAY" in parts else frozenset(),
        hours=_numbers(parts, "BYHOUR", 0, 23),
        minutes=_numbers(parts, "BYMINUTE", 0, 59),
        positions=_numbers(parts, "BYSETPOS", 1, 366, has_negative=True),
        week_start=_week_start(parts["WKST"]) if "WKST" in parts else 0,
    )
    _refuse_impossible_dates(parts, rule)
    return rule


def _frequency(part: Part) -> Frequency:
    if part.value == "SECONDLY":
        part.refuse("FREQ=SECONDLY is not known: the shortest interval is one minute.")
    if part.value not in Frequency.__members__:
        part.refuse(f"FREQ must be one of {', '.join(Frequency.__members__)}, got {part.value[:20]}.")
    return Frequency[part.value]


def _numbers(parts: dict[str, Part], name: str, low: int, high: int, *, has_negative: bool = False) -> tuple[int, ...]:
    return parts[name].numbers(low, high, has_negative=has_negative) if name in parts else ()


def _most_nth(parts: dict[str, Part], frequency: Frequency) -> int:
    """The largest number of a weekday: 53 in a year, 5 in a month."""
    if frequency is Frequency.YEARLY:
        return 5 if "BYMONTH" in parts else 53
    return 5 if frequency is Frequency.MONTHLY else 0


def _refuse_together(parts: dict[str, Part], frequency: Frequency) -> None:
    """What RFC 5545 forbids side by side, and what would mean nothing."""
    if "COUNT" in parts and (until := parts.get("UNTIL")):
        until.refuse("COUNT and UNTIL exclude each other. Leave one out.", at=until.name_at)
    if frequency is Frequency.WEEKLY and (days := parts.get("BYMONTHDAY")):
        days.refuse("BYMONTHDAY means nothing with FREQ=WEEKLY. Use FREQ=DAILY or MONTHLY.", at=days.name_at)
    if positions := parts.get("BYSETPOS"):
        if frequency is Frequency.MINUTELY:
            positions.refuse("BYSETPOS means nothing with FREQ=MINUTELY: a minute is one time.", at=positions.name_at)
        if not any(name.startswith("BY") for name in parts if name != "BYSETPOS"):
            said = "BYSETPOS chooses from what another BY… part names. Add one, such as BYDAY."
            positions.refuse(said, at=positions.name_at)


def _until(part: Part) -> date | datetime:
    said = f"UNTIL must be like 20261231, 20261231T180000 or 20261231T170000Z, got {part.value[:20]}."
    match = _UNTIL.fullmatch(part.value)
    if match is None:
        part.refuse(said)
    try:
        if "T" not in part.value:
            return date(*map(int, match.groups()[:3]))
        return datetime.strptime(match[0].rstrip("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=UTC if match[7] else None)
    except ValueError:  # 30 February
        part.refuse(said)


def _week_start(part: Part) -> int:
    if part.value not in WEEKDAYS:
        part.refuse(f"WKST must be {', '.join(WEEKDAYS[:-1])} or {WEEKDAYS[-1]}, got {part.value[:20]}.")
    return WEEKDAYS.index(part.value)


def _refuse_impossible_dates(parts: dict[str, Part], rule: Rule) -> None:
    """Refuse dates like 31 February, which would never come."""
    if not (rule.months and rule.month_days):
        return
    least = min(abs(day) for day in rule.month_days)
    if least > max(LONGEST_MONTH[month] for month in rule.months):
        names = " or ".join(MONTH_NAMES[month - 1] for month in rule.months)
        parts["BYMONTHDAY"].refuse(f"day of month {least} never comes in {names}.")
