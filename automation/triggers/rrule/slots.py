"""Find the next slot of a recurrence: its days with their minutes, period by period, within a horizon."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

from automation.triggers.day_slots import HORIZON_YEARS, Minutes, first_slot, search_from
from automation.triggers.rrule.recurrence import Recurrence, last_instant
from automation.triggers.rrule.rule import Frequency

LAST_YEAR = date.max.year - 1
DAY_MINUTES = 1440

Day = tuple[date, Minutes]


@lru_cache(maxsize=8192)  # lists show the same next times again and again
def next_occurrence(recurrence: Recurrence, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first slot strictly after an aware instant, in UTC; None when there is none within 50 years."""
    last = last_day(recurrence) if recurrence.rule.count else None
    found = first_slot(
        _until(_days(recurrence, search_from(zone, after)), last),
        zone,
        after,
        is_by_the_hand=recurrence.is_by_the_hand,
    )
    until = recurrence.rule.until
    if found is None or (until is not None and found > last_instant(until, zone)):
        return None
    return found


@lru_cache(maxsize=1024)
def last_day(recurrence: Recurrence) -> Day | None:
    """The day with which COUNT is used up, and its minutes up to then; None when it takes longer than the horizon."""
    left = recurrence.rule.count or 0
    for day, minutes in _days(recurrence, recurrence.start.date()):
        if len(minutes) >= left:
            return day, minutes[:left]
        left -= len(minutes)
    return None


def _until(days: Iterator[Day], last: Day | None) -> Iterator[Day]:
    for day, minutes in days:
        if last is not None and day >= last[0]:
            if day == last[0]:
                yield last
            return
        yield day, minutes


def _days(recurrence: Recurrence, start: date) -> Iterator[Day]:
    """The days from `start` or the anchor on that have slots, within the horizon."""
    begin = recurrence.start.date()
    first = recurrence.start.hour * 60 + recurrence.start.minute
    for day, minutes in _of_periods(recurrence, max(start, begin)):
        left = tuple(minute for minute in minutes if minute >= first) if day == begin else minutes
        if left and day >= max(start, begin):
            yield day, left


def _of_periods(recurrence: Recurrence, start: date) -> Iterator[Day]:
    match recurrence.rule.frequency:
        case Frequency.YEARLY:
            return _by_year(recurrence, start)
        case Frequency.MONTHLY:
            return _by_month(recurrence, start)
        case Frequency.WEEKLY:
            return _by_week(recurrence, start)
        case Frequency.DAILY:
            return _by_day(recurrence, start)
    return _by_minute(recurrence, start)


def _by_year(recurrence: Recurrence, start: date) -> Iterator[Day]:
    first, step = recurrence.start.year, recurrence.rule.interval
    for year in range(first + -(-(start.year - first) // step) * step, _end_year(start), step):
        yield from _chosen_in_year(recurrence, year)


def _by_month(recurrence: Recurrence, start: date) -> Iterator[Day]:
    first, step = _month_number(recurrence.start), recurrence.rule.interval
    begin = first + -(-(_month_number(start) - first) // step) * step
    for number in range(begin, _end_year(start) * 12, step):
        yield from _chosen_in_month(recurrence, number // 12, number % 12 + 1)


def _by_week(recurrence: Recurrence, start: date) -> Iterator[Day]:
    anchor = recurrence.start.date()
    first = anchor - timedelta(days=(anchor.weekday() - recurrence.rule.week_start) % 7)
    step = 7 * recurrence.rule.interval
    monday = first + timedelta(days=(start - first).days // step * step)
    end = date(_end_year(start), 1, 1)
    while monday < end:
        week = [monday + timedelta(days=number) for number in range(7)]
        yield from _chosen(recurrence, [day for day in week if _is_named(recurrence, day)])
        monday += timedelta(days=step)


def _by_day(recurrence: Recurrence, start: date) -> Iterator[Day]:
    first, step = recurrence.start.date(), recurrence.rule.interval
    if step == 1:
        days = _named_days(recurrence, start)
    else:
        begin = first + timedelta(days=-(-(start - first).days // step) * step)
        count = max(0, -(-(date(_end_year(start), 1, 1) - begin).days // step))
        every = (begin + timedelta(days=number * step) for number in range(count))
        days = (day for day in every if _is_named(recurrence, day))
    for day in days:
        yield from _chosen(recurrence, [day])


def _by_minute(recurrence: Recurrence, start: date) -> Iterator[Day]:
    """Hours and minutes go on over midnight, so a day's minutes depend on where in its step the period stands."""
    unit = 60 if recurrence.rule.frequency is Frequency.HOURLY else 1
    step = recurrence.rule.interval * unit
    began = recurrence.start - timedelta(minutes=recurrence.start.minute % unit)
    for day in _named_days(recurrence, start):
        first = -((datetime.combine(day, time()) - began) // timedelta(minutes=1)) % step
        if first < DAY_MINUTES and (minutes := _minutes_of(recurrence, first)):
            yield day, minutes


def _named_days(recurrence: Recurrence, start: date) -> Iterator[date]:
    """The days from `start` on that the rule names; months without one cost a look, not one for each day."""
    for number in range(_month_number(start), _end_year(start) * 12):
        for day in _named_in_month(recurrence, number // 12, number % 12 + 1):
            if day >= start:
                yield day


@lru_cache(maxsize=1024)
def _named_in_month(recurrence: Recurrence, year: int, month: int) -> tuple[date, ...]:
    if recurrence.months and month not in recurrence.months:
        return ()
    return tuple(day for day in _month(year, month) if _is_named(recurrence, day))


@lru_cache(maxsize=1024)
def _minutes_of(recurrence: Recurrence, first: int) -> Minutes:
    """The minutes of a day whose first period begins at minute `first`."""
    step = recurrence.rule.interval
    if recurrence.rule.frequency is Frequency.MINUTELY:
        periods = range(first, DAY_MINUTES, step)
        return tuple(at for at in periods if at // 60 in recurrence.hours and at % 60 in recurrence.minutes)
    minutes = _at(recurrence.minutes, recurrence.rule.positions)
    periods = range(first, DAY_MINUTES, step * 60)
    return tuple(at + minute for at in periods if at // 60 in recurrence.hours for minute in minutes)


@lru_cache(maxsize=256)
def _chosen_in_year(recurrence: Recurrence, year: int) -> tuple[Day, ...]:
    months = sorted(recurrence.months) or range(1, 13)
    return tuple(_chosen(recurrence, [day for month in months for day in _named_in_month(recurrence, year, month)]))


@lru_cache(maxsize=1024)
def _chosen_in_month(recurrence: Recurrence, year: int, month: int) -> tuple[Day, ...]:
    return tuple(_chosen(recurrence, list(_named_in_month(recurrence, year, month))))


def _chosen(recurrence: Recurrence, days: list[date]) -> Iterator[Day]:
    """The days of one period with their minutes; BYSETPOS takes times of the whole period, without building them."""
    minutes = tuple(hour * 60 + minute for hour in recurrence.hours for minute in recurrence.minutes)
    if not recurrence.rule.positions:
        yield from ((day, minutes) for day in days)
        return
    numbers = _at(range(len(days) * len(minutes)), recurrence.rule.positions)
    for place, group in groupby(numbers, lambda number: number // len(minutes)):
        yield days[place], tuple(minutes[number % len(minutes)] for number in group)


def _at(values: Sequence[int], positions: tuple[int, ...]) -> tuple[int, ...]:
    """The values at some positions, 1 for the first and -1 for the last, in order; all when none is named."""
    if not positions:
        return tuple(values)
    count = len(values)
    places = {number - 1 if number > 0 else count + number for number in positions}
    return tuple(values[place] for place in sorted(places) if 0 <= place < count)


def _is_named(recurrence: Recurrence, day: date) -> bool:
    """Whether the rule names this day, wherever its periods stand."""
    if recurrence.months and day.month not in recurrence.months:
        return False
    last = calendar.monthrange(day.year, day.month)[1]
    if recurrence.month_days and not recurrence.month_days & {day.day, day.day - last - 1}:
        return False
    if not recurrence.days:
        return True
    weekday = day.weekday()
    if (0, weekday) in recurrence.days:
        return True
    rule = recurrence.rule
    if rule.frequency is Frequency.YEARLY and not rule.months:
        place, last = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
    else:
        place = day.day
    return bool(recurrence.days & {((place + 6) // 7, weekday), (-((last - place) // 7) - 1, weekday)})


def _month(year: int, month: int) -> list[date]:
    return [date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1)]


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _end_year(start: date) -> int:
    return min(start.year + HORIZON_YEARS, LAST_YEAR)
