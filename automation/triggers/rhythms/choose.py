"""Choose the rhythm that a config names: a cron expression, a recurrence rule, an interval or one time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from automation.engine.problem import Problem
from automation.engine.wording import one_of
from automation.triggers.cron import CronError, in_words, next_slot, parse_cron
from automation.triggers.rhythms.bounds import (
    bound_words,
    is_time,
    next_extra,
    not_after,
    not_before,
    time_problem,
)
from automation.triggers.rhythms.days_off import days_off, next_working
from automation.triggers.rhythms.interval import DEFAULT_ANCHOR, interval_problem, interval_words, read_interval
from automation.triggers.rrule import RRuleError, next_occurrence, parse_rrule, read_rrule, rrule_words
from automation.triggers.wall_clock import read_instant

RHYTHMS = ("cron", "rrule", "interval", "at")
ANCHORED = ("interval", "rrule")

Config = Mapping[str, Any]


def next_slot_of(config: Config, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first slot strictly after an instant, in UTC; None when there is none any more.

    Days off are left out, extra times are there, and nothing lies outside of the bounds.
    """
    after, off = not_before(config, zone, after), days_off(config)
    slot = next_working(partial(_next, config, zone), after, off, zone) if off else _next(config, zone, after)
    extra = next_extra(config, zone, after)
    if extra is not None:
        slot = extra if slot is None else min(slot, extra)
    return not_after(config, zone, slot)


def plain_slot_of(config: Config, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The same of the rhythm alone, without days off, extra times and bounds."""
    return _next(config, zone, after)


def _next(config: Config, zone: ZoneInfo, after: datetime) -> datetime | None:
    if "interval" in config:
        return read_interval(config["interval"], _anchor(config), zone).next_after(after)
    if "rrule" in config:
        return next_occurrence(read_rrule(config["rrule"], _anchor(config), zone), zone, after)
    if "at" in config:
        once = read_instant(config["at"], zone).astimezone(UTC)
        return once if once > after else None
    return next_slot(parse_cron(config["cron"]), zone, after)


def _anchor(config: Config) -> str:
    return str(config.get("anchor", DEFAULT_ANCHOR))


def words_of(config: Config) -> str:
    """The rhythm in words. Raises ValueError and LookupError for an unchecked config."""
    return _rhythm_words(config) + bound_words(config)


def _rhythm_words(config: Config) -> str:
    if "interval" in config:
        return interval_words(config["interval"])
    if "rrule" in config:
        return rrule_words(read_rrule(config["rrule"], _anchor(config), ZoneInfo(config.get("timezone", "UTC"))))
    if "at" in config:
        return f"Once at {config['at'].replace('T', ' ')}"
    return in_words(parse_cron(config["cron"]))


def rhythm_problems(config: Config) -> Iterator[Problem]:
    """What is wrong with the rhythm itself: none, several, or one that cannot be read."""
    named = [name for name in RHYTHMS if name in config]
    if len(named) != 1:
        got = f", got {' and '.join(named)}" if named else ""
        message = f"A schedule needs exactly one of {one_of(RHYTHMS, last='and')}{got}."
        yield Problem("ambiguous" if named else "required", message, "")
        return
    if "anchor" in config and named[0] not in ANCHORED:
        yield Problem("not_used", 'Only an interval and an rrule have an "anchor". Leave it out.', "/anchor")
    if "cron" in config:
        try:
            parse_cron(config["cron"])
        except CronError as error:
            yield Problem("invalid_cron", str(error), "/cron")
    if "rrule" in config:
        yield from _rrule_problems(config)
    if "interval" in config and (wrong := interval_problem(config["interval"])):
        yield Problem("invalid_interval", wrong, "/interval")
    for name in ("anchor", "at"):
        if name in config and not is_time(config[name]):
            yield time_problem(config[name], f"/{name}")


def _rrule_problems(config: Config) -> Iterator[Problem]:
    try:
        rule = parse_rrule(config["rrule"])
    except RRuleError as error:
        yield Problem("invalid_rrule", str(error), "/rrule")
        return
    if rule.count and "anchor" not in config:
        message = 'COUNT counts from the anchor on. Give the first time, such as "2026-12-01T09:00".'
        yield Problem("required", message, "/anchor")
