"""Bounds: from when until when a schedule goes, and single times on which it fires besides."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from automation.engine.problem import Problem
from automation.engine.wording import quoted
from automation.triggers.rhythms.days_off import days_off
from automation.triggers.wall_clock import read_instant

FIRST_YEAR, LAST_YEAR = 1970, 2199  # of times that people write down
LEAST = timedelta(microseconds=1)
MOMENTS = ("starts_at", "ends_at", "extra_dates")

Config = Mapping[str, Any]


def not_before(config: Config, zone: ZoneInfo, after: datetime) -> datetime:
    """The instant to look behind: never earlier than the beginning."""
    if "starts_at" not in config:
        return after
    return max(after, read_instant(config["starts_at"], zone) - LEAST)


def not_after(config: Config, zone: ZoneInfo, slot: datetime | None) -> datetime | None:
    """The slot, unless it lies behind the end; at the end itself there may be one."""
    if slot is None or "ends_at" not in config:
        return slot
    return slot if slot <= read_instant(config["ends_at"], zone) else None


def next_extra(config: Config, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first of the extra times after an instant, in UTC."""
    if "extra_dates" not in config:
        return None
    times = _extras(tuple(config["extra_dates"]), zone)
    place = bisect_right(times, after)
    return times[place] if place < len(times) else None


@lru_cache(maxsize=1024)
def _extras(texts: tuple[str, ...], zone: ZoneInfo) -> list[datetime]:
    return sorted({read_instant(text, zone).astimezone(UTC) for text in texts})


def bound_problems(config: Config) -> Iterator[Problem]:
    """Bounds and extra times that cannot be read, or have no meaning."""
    for name in MOMENTS:
        if name in config and "at" in config:
            yield Problem("not_used", f'One time has no "{name}". Leave it out.', f"/{name}")
    for name in ("starts_at", "ends_at"):
        if name in config and not is_time(config[name]):
            yield time_problem(config[name], f"/{name}")
    for number, text in enumerate(config.get("extra_dates", ())):
        if not is_time(text):
            yield time_problem(text, f"/extra_dates/{number}")


def contradictions(config: Config, zone: ZoneInfo) -> Iterator[Problem]:
    """What does not go together, in a config that can be read."""
    starts, ends = (read_instant(config[name], zone) if name in config else None for name in ("starts_at", "ends_at"))
    if starts and ends and ends < starts:
        yield Problem("invalid_range", f"It ends at {config['ends_at']}, before it starts.", "/ends_at")
    off = days_off(config)
    for number, text in enumerate(config.get("extra_dates", ())):
        slot = read_instant(text, zone)
        if slot.astimezone(zone).date() in off:
            said = f"{quoted(text)} is on a day that is left out. Take it out of one of the lists."
            yield Problem("contradiction", said, f"/extra_dates/{number}")
        elif (starts and slot < starts) or (ends and slot > ends):
            said = f"{quoted(text)} lies outside of the time in which the schedule goes."
            yield Problem("contradiction", said, f"/extra_dates/{number}")


def time_problem(text: str, pointer: str) -> Problem:
    """The refusal of a text that is no time."""
    message = f"{quoted(text)} is no time from {FIRST_YEAR} to {LAST_YEAR}. Write it like "
    return Problem("invalid_time", f'{message}"2026-12-24T18:00" or "2026-12-24T18:00:00+01:00".', pointer)


def is_time(text: str) -> bool:
    """Whether a text is a date with a time of day that people mean."""
    try:
        return "T" in text and FIRST_YEAR <= datetime.fromisoformat(text).year <= LAST_YEAR
    except ValueError:
        return False


def bound_words(config: Config) -> str:
    """`, from 2026-12-01 09:00, until 2026-12-31 18:00`; nothing without bounds."""
    words = {"starts_at": "from", "ends_at": "until"}
    said = "".join(f", {word} {config[name].replace('T', ' ')}" for name, word in words.items() if name in config)
    count = len(config.get("extra_dates", ()))
    return said + (f", and {count} extra time{'s' if count > 1 else ''}" if count else "")
