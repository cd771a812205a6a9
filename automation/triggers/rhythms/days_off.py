"""Days off: dates on which a schedule rests, its own and those of a named list of holidays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from automation.engine.problem import Problem
from automation.engine.wording import quoted
from automation.triggers.wall_clock import start_of_day

MOST_DATES = 1000  # of each list: many years of holidays
JUST_BEFORE = timedelta(microseconds=1)

NextAfter = Callable[[datetime], datetime | None]


def days_off(config: Mapping[str, Any]) -> frozenset[date]:
    """Every date on which a checked config rests."""
    holidays = config.get("holidays", {}).get("dates", ())
    return frozenset(date.fromisoformat(text) for text in (*config.get("skip_dates", ()), *holidays))


def next_working(next_after: NextAfter, after: datetime, off: frozenset[date], zone: ZoneInfo) -> datetime | None:
    """The first slot after an instant that is on no day off. A day off costs one step, however many slots it has."""
    slot = next_after(after)
    while slot is not None and (day := slot.astimezone(zone).date()) in off:
        tomorrow = start_of_day(day + timedelta(days=1), zone)
        slot = next_after(max(slot, tomorrow - JUST_BEFORE))
    return slot


def day_problems(config: Mapping[str, Any]) -> Iterator[Problem]:
    """What the schema cannot say: dates that are in no calendar."""
    lists = {
        "/skip_dates": config.get("skip_dates", ()),
        "/holidays/dates": config.get("holidays", {}).get("dates", ()),
    }
    for pointer, texts in lists.items():
        for number, text in enumerate(texts):
            if not _is_date(text):
                message = f'{quoted(text)} is no date. Write it like "2026-12-24".'
                yield Problem("invalid_date", message, f"{pointer}/{number}")


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text and text < "9999"
    except ValueError:
        return False
