"""Filters on points in time. A date is text like `2026-03-29T18:08:01Z`; JSON has no other."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import FILTERS, Example, declare
from automation.engine.expressions.errors import Refusal
from automation.engine.expressions.filters.date_format import formatted
from automation.engine.expressions.filters.instants import instant, iso_text, zone
from automation.engine.expressions.suggestions import closest
from automation.engine.expressions.values import Json, checked_number, number, text, whole

_GROUP = "Dates"
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}
_STARTS = ("year", "month", "week", "day", "hour", "minute")
_FAR = 10_000  # years: beyond the calendar in any direction


@declare(
    FILTERS,
    "todatetime",
    group=_GROUP,
    doc="A date in its standard form in a time zone. Reads ISO 8601, mail and HTTP dates, and seconds since 1970.",
    examples=[
        Example("{{ 'Fri, 29 Mar 2024 18:08:01 +0100'|todatetime }}", "2024-03-29T17:08:01Z"),
        Example("{{ 1711732081|todatetime('Europe/Berlin') }}", "2024-03-29T18:08:01+01:00"),
    ],
)
def todatetime(value: Json, _budget: Budget, timezone: Json = "UTC") -> Json:
    """Standard text of a point in time."""
    return iso_text(_in_zone(value, timezone))


@declare(
    FILTERS,
    "format_date",
    group=_GROUP,
    doc="A date by a pattern of `%Y %m %d %H %M %S`, `%y %B %b %A %a %j %u %G %V %I %p %f %z %Z %s %%`; "
    "`%-d` is without zeros.",
    examples=[
        Example("{{ '2026-03-09T08:05:00Z'|format_date('%-d %B %Y, %H:%M') }}", "9 March 2026, 08:05"),
        Example("{{ '2026-07-01T22:30:00Z'|format_date('%a %d.%m.', 'Europe/Berlin') }}", "Thu 02.07."),
    ],
    aliases=("strftime",),
)
def format_date(value: Json, _budget: Budget, format_: Json = "%Y-%m-%d", timezone: Json = "UTC") -> Json:
    """Date for people."""
    return formatted(_in_zone(value, timezone), text(format_, "needs text for format"))


@declare(
    FILTERS,
    "timestamp",
    group=_GROUP,
    doc="Seconds since 1970 of a date.",
    examples=[Example("{{ '2024-03-29T17:08:01Z'|timestamp }}", 1_711_732_081)],
)
def timestamp(value: Json, _budget: Budget) -> Json:
    """Unix time, whole when it has no fraction."""
    return _plain(instant(value).timestamp())


@declare(
    FILTERS,
    "add_time",
    group=_GROUP,
    doc="A date that much later, or earlier when negative. Months and years keep the day where the month has it.",
    examples=[
        Example("{{ '2026-01-31T10:00:00Z'|add_time(months=1) }}", "2026-02-28T10:00:00Z"),
        Example("{{ '2026-01-01T00:00:00Z'|add_time(days=-1, hours=6) }}", "2025-12-31T06:00:00Z"),
    ],
)
def add_time(
    value: Json,
    _budget: Budget,
    days: Json = 0,
    hours: Json = 0,
    minutes: Json = 0,
    seconds: Json = 0,
    weeks: Json = 0,
    months: Json = 0,
    years: Json = 0,
) -> Json:
    """Shifted date; each part is a number, months and years whole ones."""
    parts = zip((days, hours, minutes, seconds, weeks), ("days", "hours", "minutes", "seconds", "weeks"), strict=True)
    try:
        shifted = _shift_months(instant(value), _months(months, years))
        for part, unit in parts:
            shifted += timedelta(seconds=number(part, f"needs a number for {unit}") * _SECONDS[unit])
    except (OverflowError, ValueError):
        raise Refusal("leads out of the years 1 to 9999", value=value) from None
    return iso_text(shifted)


@declare(
    FILTERS,
    "date_diff",
    group=_GROUP,
    doc="How much later a date is than `other`, in seconds, minutes, hours, days or weeks.",
    examples=[
        Example("{{ '2026-01-02T12:00:00Z'|date_diff('2026-01-01T00:00:00Z', 'hours') }}", 36),
        Example("{{ '2026-01-01'|date_diff('2026-01-02', 'days') }}", -1),
    ],
)
def date_diff(value: Json, _budget: Budget, other: Json, unit: Json = "seconds") -> Json:
    """Difference of two dates, whole when it has no fraction."""
    size = _SECONDS.get(text(unit, "needs text for unit"))
    if size is None:
        raise Refusal("knows no such unit", value=unit, suggestion=closest(unit, _SECONDS))
    return _plain((instant(value) - instant(other)).total_seconds() / size)


@declare(
    FILTERS,
    "start_of",
    group=_GROUP,
    doc="The beginning of the date's year, month, week (Monday), day, hour or minute in a time zone.",
    examples=[
        Example("{{ '2026-03-29T18:08:01Z'|start_of('month') }}", "2026-03-01T00:00:00Z"),
        Example("{{ '2026-07-01T23:30:00Z'|start_of('day', 'Europe/Berlin') }}", "2026-07-02T00:00:00+02:00"),
    ],
)
def start_of(value: Json, _budget: Budget, unit: Json, timezone: Json = "UTC") -> Json:
    """Date cut down to a unit."""
    if unit not in _STARTS:
        raise Refusal("knows no such unit", value=unit, hint=f"Take {', '.join(_STARTS)}.")
    try:
        return iso_text(_start(_in_zone(value, timezone), unit))
    except OverflowError:
        raise Refusal("leads out of the years 1 to 9999", value=value) from None


def _in_zone(value: Json, timezone: Json) -> datetime:
    try:
        return instant(value).astimezone(zone(timezone))
    except OverflowError:
        raise Refusal("leads out of the years 1 to 9999", value=value) from None


def _start(moment: datetime, unit: str) -> datetime:
    moment = moment.replace(second=0, microsecond=0)
    if unit == "minute":
        return moment
    moment = moment.replace(minute=0)
    if unit == "hour":
        return moment
    moment = moment.replace(hour=0)
    if unit in ("day", "week"):
        return moment if unit == "day" else moment - timedelta(days=moment.weekday())
    return moment.replace(day=1) if unit == "month" else moment.replace(month=1, day=1)


def _months(months: Json, years: Json) -> int:
    in_years = whole(years, "years", least=-_FAR, most=_FAR)
    return in_years * 12 + whole(months, "months", least=-12 * _FAR, most=12 * _FAR)


def _shift_months(moment: datetime, months: int) -> datetime:
    if not months:
        return moment
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise Refusal("leads out of the years 1 to 9999", value=moment.astimezone(UTC).isoformat())
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def _plain(seconds: float) -> int | float:
    return int(seconds) if seconds.is_integer() else checked_number(seconds)
