"""Schedule: starts a run at the times of a cron expression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from automation.engine.problem import Problem
from automation.engine.wording import did_you_mean, quoted
from automation.triggers.contract import Clock, Config, Json, Missed, TriggerKind, TriggerRow
from automation.triggers.cron import CronError, in_words, next_slot, parse_cron
from brainops.core import clock

SHOWN_SLOTS = 10
DEFAULTS = {"timezone": "UTC", "missed": Missed.LAST.value}


@cache
def known_zones() -> frozenset[str]:
    """The names of the IANA time zones on this machine."""
    return frozenset(available_timezones())


def check(config: Config) -> Iterator[Problem]:
    """Refuse expressions that cannot fire and zones that do not exist."""
    zone = config.get("timezone", DEFAULTS["timezone"])
    if zone not in known_zones():
        hint = did_you_mean(zone, known_zones()) or ' Write an IANA name such as "Europe/Berlin".'
        yield Problem("unknown_timezone", f"There is no time zone {quoted(zone)}.{hint}", "/timezone")
    try:
        cron = parse_cron(config["cron"])
    except CronError as error:
        yield Problem("invalid_cron", str(error), "/cron")
        return
    if next_slot(cron, ZoneInfo("UTC"), clock.now()) is None:
        yield Problem("never_fires", f"Cron {quoted(cron.text)} does not fire within the next 50 years.", "/cron")


def complete(config: Config) -> Config:
    """Fill in the defaults, so that the stored config says everything."""
    return {**DEFAULTS, **config}


def next_after(config: Config, after: datetime) -> datetime | None:
    """The first slot strictly after an instant. Raises CronError or ZoneInfoNotFoundError for an unchecked config."""
    return next_slot(parse_cron(config["cron"]), ZoneInfo(config["timezone"]), after)


def upcoming(config: Config, after: datetime, *, count: int = SHOWN_SLOTS) -> list[datetime]:
    """The next slots after an instant, on the wall clock of the schedule's zone."""
    zone, found = ZoneInfo(config["timezone"]), list[datetime]()
    slot = next_after(config, after)
    while slot is not None and len(found) < count:
        found.append(slot.astimezone(zone))
        slot = next_after(config, slot)
    return found


def describe(triggers: Sequence[TriggerRow]) -> Mapping[UUID, Mapping[str, Json]]:
    """The schedule in words and its next fire times; none while it is switched off."""
    now = clock.now()
    return {trigger.id: {"schedule": _described(trigger, now)} for trigger in triggers}


def _described(trigger: TriggerRow, now: datetime) -> Mapping[str, Json]:
    try:
        slots = upcoming(trigger.config, now) if trigger.is_active else []
        words = in_words(parse_cron(trigger.config["cron"]))
    except (ValueError, LookupError) as error:
        # stored by a machine that knew more time zones: one broken schedule must not hide the others of a list
        return {"description": "", "next_fire_times": [], "problem": str(error.args[0])}
    return {"description": words, "next_fire_times": [slot.isoformat() for slot in slots]}


KIND = TriggerKind(
    key="schedule",
    title="Schedule",
    description="Starts a run at the times of a cron expression, in a time zone of your choice.",
    icon="schedule",
    config_schema={
        "type": "object",
        "required": ["cron"],
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
        },
    },
    check=check,
    complete=complete,
    describe=describe,
    clock=Clock(next_after=next_after, missed=lambda config: Missed(config["missed"])),
    examples=(
        {"cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"},
        {"cron": "@hourly", "missed": "skip"},
        {"cron": "0 6 L * *", "timezone": "America/New_York", "missed": "all"},
    ),
)
