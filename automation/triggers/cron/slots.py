"""Find the next slot of a cron expression in a time zone, on the instants that really happen.

Clock changes, by the rule of Debian's cron: a time that is written out and does not exist fires at the first
valid instant after the gap, one that happens twice fires the first time. With a star as minute or hour, every real
minute that matches fires, so "every 10 minutes" stays every 10 minutes.
"""

from __future__ import annotations

import calendar
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from automation.triggers.cron.expression import Cron
from automation.triggers.cron.fields import LAST
from automation.triggers.wall_clock import first_instant, instants

HORIZON_YEARS = 50  # 29 February on a Sunday comes back within 40
ONE_DAY = timedelta(days=1)


def next_slot(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first slot strictly after an aware instant, in UTC; None when there is none within 50 years."""
    found: datetime | None = None
    found_on = date.max - ONE_DAY
    # one day early and one day on: where clocks go back over midnight, days overlap
    for day in matching_days(cron, after.astimezone(zone).date() - ONE_DAY):
        if day > found_on + ONE_DAY:
            break
        slot = _first_of_day(cron, zone, day, after)
        if slot is not None and (found is None or slot < found):
            found, found_on = slot, day
    return found


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


def _first_of_day(cron: Cron, zone: ZoneInfo, day: date, after: datetime) -> datetime | None:
    midnight = datetime.combine(day, time())
    offset = _steady_offset(zone, midnight)
    if offset is None:
        slots = _slots_around_a_change(cron, zone, midnight)
        place = bisect_right(slots, after)
        return slots[place] if place < len(slots) else None
    passed = (after.astimezone(UTC).replace(tzinfo=None) + offset - midnight).total_seconds() / 60
    place = bisect_right(cron.times, passed)
    if place == len(cron.times):
        return None
    return (midnight + timedelta(minutes=cron.times[place]) - offset).replace(tzinfo=UTC)


def _steady_offset(zone: ZoneInfo, midnight: datetime) -> timedelta | None:
    """The day's distance from UTC, None when clocks change on it or next to it."""
    before = (midnight - ONE_DAY).replace(tzinfo=zone).utcoffset()
    after = (midnight + 2 * ONE_DAY).replace(tzinfo=zone).utcoffset()
    return before if before == after else None


@lru_cache(maxsize=256)
def _slots_around_a_change(cron: Cron, zone: ZoneInfo, midnight: datetime) -> list[datetime]:
    found: set[datetime] = set()  # a gap may map several times to its end
    for minutes in cron.times:
        local = midnight + timedelta(minutes=minutes)
        if cron.is_by_the_hand:
            found.add(first_instant(local, zone))
        else:
            found.update(instants(local, zone))
    return sorted(found)
