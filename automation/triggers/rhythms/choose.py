"""Choose the rhythm that a config names: a cron expression, an interval or one time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from automation.engine.problem import Problem
from automation.engine.wording import quoted
from automation.triggers.cron import CronError, in_words, next_slot, parse_cron
from automation.triggers.rhythms.days_off import days_off, next_working
from automation.triggers.rhythms.interval import DEFAULT_ANCHOR, interval_problem, interval_words, read_interval
from automation.triggers.wall_clock import read_instant

RHYTHMS = ("cron", "interval", "at")
FIRST_YEAR, LAST_YEAR = 1970, 2199  # of times that people write down

Config = Mapping[str, Any]


def next_slot_of(config: Config, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first slot strictly after an instant, in UTC, days off left out; None when there is none any more."""
    off = days_off(config)
    return next_working(partial(_next, config, zone), after, off, zone) if off else _next(config, zone, after)


def _next(config: Config, zone: ZoneInfo, after: datetime) -> datetime | None:
    if "interval" in config:
        return read_interval(config["interval"], config.get("anchor", DEFAULT_ANCHOR), zone).next_after(after)
    if "at" in config:
        once = read_instant(config["at"], zone).astimezone(UTC)
        return once if once > after else None
    return next_slot(parse_cron(config["cron"]), zone, after)


def words_of(config: Config) -> str:
    """The rhythm in words."""
    if "interval" in config:
        return interval_words(config["interval"])
    if "at" in config:
        return f"Once at {config['at'].replace('T', ' ')}"
    return in_words(parse_cron(config["cron"]))


def rhythm_problems(config: Config) -> Iterator[Problem]:
    """What is wrong with the rhythm itself: none, several, or one that cannot be read."""
    named = [name for name in RHYTHMS if name in config]
    if len(named) != 1:
        got = f", got {' and '.join(named)}" if named else ""
        message = f'A schedule needs exactly one of "cron", "interval" and "at"{got}.'
        yield Problem("ambiguous" if named else "required", message, "")
        return
    if "anchor" in config and "interval" not in config:
        yield Problem("not_used", 'Only an interval has an "anchor". Leave it out.', "/anchor")
    if "cron" in config:
        try:
            parse_cron(config["cron"])
        except CronError as error:
            yield Problem("invalid_cron", str(error), "/cron")
    if "interval" in config and (wrong := interval_problem(config["interval"])):
        yield Problem("invalid_interval", wrong, "/interval")
    for name in ("anchor", "at"):
        if name in config and not _is_time(config[name]):
            message = f"{quoted(config[name])} is no time from {FIRST_YEAR} to {LAST_YEAR}. Write it like "
            yield Problem("invalid_time", f'{message}"2026-12-24T18:00" or "2026-12-24T18:00:00+01:00".', f"/{name}")


def _is_time(text: str) -> bool:
    try:
        return "T" in text and FIRST_YEAR <= datetime.fromisoformat(text).year <= LAST_YEAR
    except ValueError:
        return False
