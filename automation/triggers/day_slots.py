"""Slots of days: the first one after an instant, where days with their minutes are given by the wall clock of a zone.

Clock changes, by the rule of Debian's cron: a time that a person means ("by the hand") and that does not exist fires at
the first valid instant after the gap, one that happens twice fires the first time. Otherwise every real minute that
matches fires, so "every 10 minutes" stays every 10 minutes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from automation.triggers.wall_clock import first_instant, instants

HORIZON_YEARS = 50  # 29 February on a Sunday comes back within 40
ONE_DAY = timedelta(days=1)

Minutes = tuple[int, ...]  # of a day, in order


def search_from(zone: ZoneInfo, after: datetime) -> date:
    """The first date to look at: where clocks go back over midnight, days overlap."""
    return after.astimezone(zone).date() - ONE_DAY


def first_slot(
    days: Iterable[tuple[date, Minutes]], zone: ZoneInfo, after: datetime, *, is_by_the_hand: bool
) -> datetime | None:
    """The first slot strictly after an aware instant, in UTC; None when no day has one. Dates come in order."""
    found: datetime | None = None
    found_on = date.max - ONE_DAY
    for day, minutes in days:
        if day > found_on + ONE_DAY:
            break
        slot = _first_of_day(minutes, zone, day, after, is_by_the_hand=is_by_the_hand)
        if slot is not None and (found is None or slot < found):
            found, found_on = slot, day
    return found


def _first_of_day(
    minutes: Minutes, zone: ZoneInfo, day: date, after: datetime, *, is_by_the_hand: bool
) -> datetime | None:
    midnight = datetime.combine(day, time())
    offset = _steady_offset(zone, midnight)
    if offset is None:
        slots = _slots_around_a_change(minutes, zone, midnight, is_by_the_hand)
        place = bisect_right(slots, after)
        return slots[place] if place < len(slots) else None
    passed = (after.astimezone(UTC).replace(tzinfo=None) + offset - midnight).total_seconds() / 60
    place = bisect_right(minutes, passed)
    if place == len(minutes):
        return None
    return (midnight + timedelta(minutes=minutes[place]) - offset).replace(tzinfo=UTC)


def _steady_offset(zone: ZoneInfo, midnight: datetime) -> timedelta | None:
    """The day's distance from UTC, None when clocks change on it or next to it."""
    before = (midnight - ONE_DAY).replace(tzinfo=zone).utcoffset()
    after = (midnight + 2 * ONE_DAY).replace(tzinfo=zone).utcoffset()
    return before if before == after else None


@lru_cache(maxsize=256)
def _slots_around_a_change(
    minutes: Minutes, zone: ZoneInfo, midnight: datetime, is_by_the_hand: bool
) -> list[datetime]:
    found: set[datetime] = set()  # a gap may map several times to its end
    for minute in minutes:
        local = midnight + timedelta(minutes=minute)
        if is_by_the_hand:
            found.add(first_instant(local, zone))
        else:
            found.update(instants(local, zone))
    return sorted(found)
