"""Wall clocks: which instants a clock in a time zone shows a time at, where clocks are changed, too."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def instants(local: datetime, zone: ZoneInfo) -> list[datetime]:
    """When a wall clock in the zone shows this time: never, once or twice, in order."""
    both = sorted({local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)})
    return [instant for instant in both if instant.astimezone(zone).replace(tzinfo=None) == local]


def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The one instant that stands for a time: the first of two, and the end of the gap for one that never comes."""
    found = instants(local, zone)
    return found[0] if found else end_of_gap(local, zone)


def end_of_gap(local: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after the gap in which a non-existent local time lies.

    PEP 495: inside a gap, fold=0 counts with the offset before it and fold=1 with the one after, so the two
    instants stand on both sides of the change.
    """
    late, early = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    old_offset = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + ((late - early) // timedelta(seconds=2)) * timedelta(seconds=1)
        if middle.astimezone(zone).utcoffset() == old_offset:
            early = middle
        else:
            late = middle
    return late


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day in the zone."""
    return first_instant(datetime.combine(day, time()), zone)


def read_instant(text: str, zone: ZoneInfo) -> datetime:
    """The instant that an ISO 8601 text names; without an offset it means the wall clock of the zone.

    Raises ValueError.
    """
    said = datetime.fromisoformat(text)
    return said.astimezone(UTC) if said.tzinfo else first_instant(said, zone)
