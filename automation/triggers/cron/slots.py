"""Find the next slot of a cron expression in a time zone, on the instants that really happen.

With a star as minute or hour every real minute that matches fires; written out, a time means the wall clock
(`triggers/day_slots.py`).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from automation.triggers.cron.expression import Cron
from automation.triggers.cron.fields import LAST
from automation.triggers.day_slots import HORIZON_YEARS, first_slot, search_from


def next_slot(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first slot strictly after an aware instant, in UTC; None when there is none within 50 years."""
    days = ((day, cron.times) for day in matching_days(cron, search_from(zone, after)))
    return first_slot(days, zone, after, is_by_the_hand=cron.is_by_the_hand)


def matching_days(cron: Cron, start: date) -> Iterator[date]:
    """The dates from `start` on that the expression names, within the horizon."""
    for year in range(start.year, min(start.year + HORIZON_YEARS, date.max.year)):
        for month in sorted(cron.months):
            if (year, month) < (start.year, start.month):
                continue
            for day in _days_of_month(cron, year, month):
                if (found := date(year, month, day)) >= start:
                    yield found


@lru_cache(maxsize=4096)
def _days_of_month(cron: Cron, year: int, month: int) -> tuple[int, ...]:
    first_weekday, last = calendar.monthrange(year, month)  # Monday is 0
    return tuple(day for day in range(1, last + 1) if _is_named(cron, day, (first_weekday + day) % 7, last))


def _is_named(cron: Cron, day: int, weekday: int, last: int) -> bool:
    """Whether the expression names this day of a month with `last` days. Sunday is 0."""
    by_day = (
        day in cron.days.values
        or (cron.days.has_last_day and day == last)
        or (cron.days.has_last_weekday and day == last - _days_past_friday(weekday, last - day))
    )
    by_weekday = (
        weekday in cron.weekdays.values
        or (weekday, (day + 6) // 7) in cron.weekdays.nth
        or ((weekday, LAST) in cron.weekdays.nth and day + 7 > last)
    )
    return (by_day and by_weekday) if cron.needs_both_days else (by_day or by_weekday)


def _days_past_friday(weekday: int, days_left: int) -> int:
    """How far the month's last day lies behind its last weekday: 1 for a Saturday, 2 for a Sunday."""
    return {6: 1, 0: 2}.get((weekday + days_left) % 7, 0)
