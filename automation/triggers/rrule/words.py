"""Say a recurrence in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from automation.triggers.rrule.recurrence import Recurrence
from automation.triggers.rrule.rule import Frequency

PERIODS: Final = ("year", "month", "week", "day", "hour", "minute")
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
MOST_TIMES = 6  # that are written out


def rrule_words(recurrence: Recurrence) -> str:
    """`Every 2 weeks on Monday and Wednesday at 09:00, 10 times`."""
    rule = recurrence.rule
    parts = [_every(recurrence), *_on(recurrence), *_times(recurrence)]
    said = " ".join(parts)
    if rule.positions:
        said += f", the {_listed(map(ordinal, _by_place(rule.positions)))} of these in each {PERIODS[rule.frequency]}"
    if rule.count:
        said += ", once" if rule.count == 1 else f", {rule.count} times"
    if rule.until:
        said += f", until {_moment(rule.until)}"
    return said


def ordinal(number: int) -> str:
    """`1st`, `22nd`, `last`, `3rd last`."""
    if number == -1:
        return "last"
    count = abs(number)
    ending = "th" if 10 < count % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}" + (" last" if number < 0 else "")


def _every(recurrence: Recurrence) -> str:
    rule = recurrence.rule
    period = PERIODS[rule.frequency]
    return f"Every {period}" if rule.interval == 1 else f"Every {rule.interval} {period}s"


def _on(recurrence: Recurrence) -> Iterable[str]:
    """Which days, as the rule or its anchor says."""
    if recurrence.days:
        yield f"on {_listed(_weekday(nth, day) for nth, day in sorted(recurrence.days, key=_day_order))}"
    if recurrence.month_days:
        words = _listed(map(ordinal, _by_place(recurrence.month_days)))
        yield f"{'that is' if recurrence.days else 'on'} the {words} day of the month"
    if recurrence.months:
        yield f"in {_listed(MONTHS[month - 1] for month in sorted(recurrence.months))}"


def _times(recurrence: Recurrence) -> Iterable[str]:
    frequency, rule = recurrence.rule.frequency, recurrence.rule
    if frequency is Frequency.MINUTELY:
        if rule.minutes:
            yield f"at minute {_listed(map(str, rule.minutes))}"
    elif frequency is Frequency.HOURLY:
        yield f"at minute {_listed(map(str, recurrence.minutes))}"
    elif len(recurrence.hours) * len(recurrence.minutes) <= MOST_TIMES:
        times = [f"{hour:02}:{minute:02}" for hour in recurrence.hours for minute in recurrence.minutes]
        yield f"at {_listed(times)}"
    else:
        yield f"at minute {_listed(map(str, recurrence.minutes))} of the hours {_listed(map(str, recurrence.hours))}"
    if frequency >= Frequency.HOURLY and rule.hours:
        yield f"of the hours {_listed(map(str, rule.hours))}"


def _weekday(nth: int, day: int) -> str:
    return f"the {ordinal(nth)} {DAYS[day]}" if nth else DAYS[day]


def _day_order(day: tuple[int, int]) -> tuple[bool, int, int]:
    """Those from the end of a month come last."""
    return day[0] < 0, day[0], day[1]


def _by_place(numbers: Iterable[int]) -> list[int]:
    """Those that count from the end come last."""
    return sorted(numbers, key=lambda number: (number < 0, number))


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _moment(until: date | datetime) -> str:
    if not isinstance(until, datetime):
        return until.isoformat()
    return f"{until:%Y-%m-%d %H:%M}{' UTC' if until.tzinfo else ''}"
