"""Points in time as JSON has them: ISO 8601 text, mail dates, seconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from automation.engine.expressions.errors import Refusal
from automation.engine.expressions.suggestions import closest
from automation.engine.expressions.values import Json, text

_LONGEST = 64
_NOT_ZONES = frozenset({"Factory", "localtime"})  # machine-dependent or meaningless
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# RFC 5322, 3.3, and so HTTP dates: Fri, 29 Mar 2024 18:08:01 +0100
_MAIL_DATE = re.compile(
    r"(?:[A-Z][a-z]{2}, )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))? (GMT|UTC|UT|Z|[+-][0-9]{4})",
    re.ASCII,
)


def instant(value: Json) -> datetime:
    """The point in time that `value` means. Text without an offset is UTC."""
    try:
        if type(value) is int or type(value) is float:
            return _EPOCH + timedelta(seconds=value)
        written = text(value, "needs a date as text or as seconds since 1970")
        if len(written) <= _LONGEST:
            return _read_mail_date(written.strip()) or _read_iso(written.strip())
    except (ValueError, OverflowError):
        pass  # said below for all forms at once
    raise Refusal("needs a date such as 2026-03-29T18:08:01Z", value=value)


def iso_text(moment: datetime) -> str:
    """`2026-03-29T18:08:01Z`; the offset is written as Z in UTC, fractions only when there are any."""
    return moment.isoformat().removesuffix("+00:00") + ("Z" if moment.utcoffset() == timedelta(0) else "")


def zone(name: Json) -> ZoneInfo:
    """The time zone of that name in the IANA database."""
    wanted = text(name, "needs the name of a time zone")
    if wanted not in _zone_names():
        suggestion = closest(wanted, (z for z in _zone_names() if z[:1].lower() == wanted[:1].lower()))
        raise Refusal(
            "knows no such time zone", value=name, suggestion=suggestion, hint="Names are like Europe/Berlin."
        )
    return ZoneInfo(wanted)


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones() - _NOT_ZONES)  # reads the whole database once


def _read_iso(written: str) -> datetime:
    moment = datetime.fromisoformat(written)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _read_mail_date(written: str) -> datetime | None:
    match = _MAIL_DATE.fullmatch(written)
    if match is None:
        return None
    day, month, year, hour, minute, second, offset = match.groups()
    stamp = f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02}T{hour}:{minute}:{second or '00'}"
    return _read_iso(stamp + (offset if offset[0] in "+-" else "+00:00"))
