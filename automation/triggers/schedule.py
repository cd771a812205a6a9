"""Schedule: starts runs by the clock, at the times of a cron expression, at an interval or once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from automation.engine.durations import DURATION_PATTERN, duration_text, parse_duration
from automation.engine.problem import Problem
from automation.engine.wording import did_you_mean, quoted
from automation.triggers.contract import Clock, Config, Json, Missed, Overlap, TriggerKind, TriggerRow
from automation.triggers.rhythms import RHYTHMS, day_problems, next_slot_of, rhythm_problems, words_of
from automation.triggers.rhythms.days_off import MOST_DATES
from automation.triggers.rhythms.interval import DEFAULT_ANCHOR, INTERVAL_PATTERN
from automation.triggers.timing import fires_at
from brainops.core import clock

SHOWN_SLOTS = 10
DEFAULTS = {"timezone": "UTC", "missed": Missed.LAST.value}
LENGTHS = {"missed_within": (60.0, 366 * 86_400.0), "jitter": (1.0, 3_600.0)}  # least and most seconds


@cache
def known_zones() -> frozenset[str]:
    """The names of the IANA time zones on this machine."""
    return frozenset(available_timezones())


def check(config: Config) -> Iterator[Problem]:
    """Refuse rhythms that cannot fire, zones and dates that do not exist, and lengths that make no sense."""
    zone = config.get("timezone", DEFAULTS["timezone"])
    found = [*rhythm_problems(config), *day_problems(config), *_length_problems(config)]
    if zone not in known_zones():
        hint = did_you_mean(zone, known_zones()) or ' Write an IANA name such as "Europe/Berlin".'
        found.insert(0, Problem("unknown_timezone", f"There is no time zone {quoted(zone)}.{hint}", "/timezone"))
    yield from found or _never(config, zone)


def _never(config: Config, zone: str) -> Iterator[Problem]:
    """A time that is past has fired once; all other rhythms have to go on."""
    start = datetime.min.replace(year=2, tzinfo=UTC) if "at" in config else clock.now()
    if next_slot_of(config, ZoneInfo(zone), start) is None:
        name = next(name for name in RHYTHMS if name in config)
        rest = " on a day that is not left out" if "skip_dates" in config or "holidays" in config else ""
        said = f"{name.title()} {quoted(config[name])} does not fire within the next 50 years{rest}."
        yield Problem("never_fires", said, f"/{name}")


def _length_problems(config: Config) -> Iterator[Problem]:
    for name, (least, most) in LENGTHS.items():
        if name in config and not least <= parse_duration(config[name]) <= most:
            span = f"{duration_text(least)} to {duration_text(most)}"
            yield Problem("out_of_range", f'"{name}" must be {span}, got {config[name]}.', f"/{name}")


def complete(config: Config) -> Config:
    """Fill in the defaults, so that the stored config says everything."""
    anchor = {"anchor": DEFAULT_ANCHOR} if "interval" in config else {}
    return {**DEFAULTS, **anchor, **config}


def next_after(config: Config, after: datetime) -> datetime | None:
    """The first slot strictly after an instant. Raises CronError or ZoneInfoNotFoundError for an unchecked config."""
    return next_slot_of(config, ZoneInfo(config["timezone"]), after)


def upcoming(trigger: TriggerRow, after: datetime, *, count: int = SHOWN_SLOTS) -> list[datetime]:
    """When the next slots after an instant fire, on the wall clock of the schedule's zone."""
    zone, found = ZoneInfo(trigger.config["timezone"]), list[datetime]()
    slot = next_after(trigger.config, after)
    while slot is not None and len(found) < count:
        found.append(fires_at(CLOCK, trigger.config, trigger.id, slot).astimezone(zone))
        slot = next_after(trigger.config, slot)
    return found


def describe(triggers: Sequence[TriggerRow]) -> Mapping[UUID, Mapping[str, Json]]:
    """The schedule in words and its next fire times; none while it is switched off."""
    now = clock.now()
    return {trigger.id: {"schedule": _described(trigger, now)} for trigger in triggers}


def _described(trigger: TriggerRow, now: datetime) -> Mapping[str, Json]:
    try:
        slots = upcoming(trigger, now) if trigger.is_active else []
        words = words_of(trigger.config)
    except (ValueError, LookupError) as error:
        # stored by a machine that knew more time zones: one broken schedule must not hide the others of a list
        return {"description": "", "next_fire_times": [], "problem": str(error.args[0])}
    return {"description": words, "next_fire_times": [slot.isoformat() for slot in slots]}


def _seconds(config: Config, name: str) -> float | None:
    return parse_duration(config[name]) if name in config else None


CLOCK = Clock(
    next_after=next_after,
    missed=lambda config: Missed(config["missed"]),
    missed_within=lambda config: _seconds(config, "missed_within"),
    jitter=lambda config: _seconds(config, "jitter") or 0.0,
    overlap=lambda config: Overlap(config.get("overlap", Overlap.ALLOW)),
)
KIND = TriggerKind(
    key="schedule",
    title="Schedule",
    description="Starts runs by the clock: a cron expression, an interval or one time, in a time zone of your choice.",
    icon="schedule",
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "cron": {
                "type": "string",
                "title": "Cron expression",
                "description": "Minute, hour, day of month, month, day of week; or @hourly, @daily and the like.",
                "minLength": 1,
                "maxLength": 200,
                "examples": ["0 9 * * 1-5", "*/15 * * * *", "@daily"],
            },
            "interval": {
                "type": "string",
                "title": "Interval",
                "description": "Every so many seconds, minutes, hours, days or weeks, counted from the anchor.",
                "pattern": INTERVAL_PATTERN,
                "x-hint": 'a number and a unit, such as "90m" or "2d"',
                "examples": ["90m", "36h", "2d"],
            },
            "anchor": {
                "type": "string",
                "title": "Anchor",
                "description": "The first slot of an interval; without an offset on the schedule's clock.",
                "maxLength": 40,
                "default": DEFAULT_ANCHOR,
                "examples": ["2026-11-23T09:00"],
            },
            "at": {
                "type": "string",
                "title": "One time",
                "description": "Fires once, at this time; without an offset on the schedule's clock.",
                "maxLength": 40,
                "examples": ["2026-12-24T18:00"],
            },
            "timezone": {
                "type": "string",
                "title": "Time zone",
                "description": "IANA name. The expression means the wall clock there, also when clocks change.",
                "maxLength": 64,
                "default": DEFAULTS["timezone"],
                "examples": ["Europe/Berlin", "America/New_York"],
            },
            "missed": {
                "enum": [policy.value for policy in Missed],
                "title": "Missed times",
                "description": "After a pause of the installation: skip them, run the last, or all (100 at most).",
                "default": DEFAULTS["missed"],
            },
            "missed_within": {
                "type": "string",
                "title": "Missed within",
                "description": "A slot that is found later than this is never caught up.",
                "pattern": DURATION_PATTERN,
                "x-hint": 'a duration such as "2h"',
                "examples": ["2h", "1d"],
            },
            "overlap": {
                "enum": [policy.value for policy in Overlap],
                "title": "Overlapping runs",
                "description": "While a run of this schedule is under way: run beside it, skip the slot, or cancel it.",
                "default": Overlap.ALLOW.value,
            },
            "jitter": {
                "type": "string",
                "title": "Jitter",
                "description": "Each slot fires up to so much later, always before the next one.",
                "pattern": DURATION_PATTERN,
                "x-hint": 'a duration such as "5m"',
                "examples": ["30s", "5m"],
            },
            "skip_dates": {
                "type": "array",
                "title": "Skipped dates",
                "description": "Dates on the schedule's clock on which it rests.",
                "items": {"type": "string", "maxLength": 10},
                "maxItems": MOST_DATES,
                "examples": [["2026-12-24", "2026-12-31"]],
            },
            "holidays": {
                "type": "object",
                "title": "Holidays",
                "description": "A list of dates with a name, on which it rests, too.",
                "required": ["name", "dates"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 100, "examples": ["Bavaria 2026"]},
                    "dates": {
                        "type": "array",
                        "items": {"type": "string", "maxLength": 10},
                        "maxItems": MOST_DATES,
                        "examples": [["2026-12-25", "2026-12-26"]],
                    },
                },
            },
        },
    },
    check=check,
    complete=complete,
    describe=describe,
    clock=CLOCK,
    examples=(
        {"cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"},
        {"cron": "@hourly", "missed": "skip", "overlap": "skip"},
        {"cron": "0 6 L * *", "timezone": "America/New_York", "missed": "all"},
        {"interval": "2d", "anchor": "2026-11-23T09:00", "timezone": "Europe/Berlin", "missed_within": "6h"},
        {"at": "2026-12-24T18:00", "timezone": "Europe/Berlin"},
        {"cron": "@daily", "jitter": "5m", "holidays": {"name": "Bavaria", "dates": ["2026-12-25"]}},
    ),
)
