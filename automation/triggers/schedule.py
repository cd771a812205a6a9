"""Schedule: starts runs by the clock: by a cron expression, a recurrence rule, at an interval or once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings

from automation.engine.durations import duration_text, parse_duration
from automation.engine.problem import Problem
from automation.engine.wording import did_you_mean, quoted
from automation.triggers.contract import Clock, Config, Json, Missed, Overlap, TriggerKind, TriggerRow
from automation.triggers.rhythms import (
    RHYTHMS,
    bound_problems,
    contradictions,
    day_problems,
    next_slot_of,
    plain_slot_of,
    rhythm_problems,
    too_close,
    words_of,
)
from automation.triggers.rhythms.interval import DEFAULT_ANCHOR, SHORTEST_SECONDS
from automation.triggers.schedule_fields import DEFAULT_ALERT, DEFAULT_QUEUE, DEFAULTS, PROPERTIES
from automation.triggers.timing import fires_at
from brainops.core import clock

SHOWN_SLOTS = 10
LABELS = {"rrule": "RRULE"}
LENGTHS = {  # least and most seconds
    "missed_within": (60.0, 366 * 86_400.0),
    "jitter": (1.0, 3_600.0),
    "alert_after": (60.0, 7 * 86_400.0),
    "success_within": (60.0, 366 * 86_400.0),
}
LONG_AGO = datetime(1969, 1, 1, tzinfo=UTC)  # before all that people write down
WITH_AN_END = ("at", "ends_at", "rrule")


@cache
def known_zones() -> frozenset[str]:
    """The names of the IANA time zones on this machine."""
    return frozenset(available_timezones())


def check(config: Config) -> Iterator[Problem]:
    """Refuse rhythms that cannot fire, zones and dates that do not exist, and lengths that make no sense."""
    name = config.get("timezone", DEFAULTS["timezone"])
    zone = ZoneInfo(name) if name in known_zones() else None
    found = [*rhythm_problems(config), *bound_problems(config), *day_problems(config)]
    found += [*_length_problems(config), *_queue_problems(config)]
    if zone is None:
        hint = did_you_mean(name, known_zones()) or ' Write an IANA name such as "Europe/Berlin".'
        found.insert(0, Problem("unknown_timezone", f"There is no time zone {quoted(name)}.{hint}", "/timezone"))
        yield from found
        return
    yield from found or [*contradictions(config, zone)] or _never(config, zone) or _too_often(config)


def _never(config: Config, zone: ZoneInfo) -> list[Problem]:
    """What has an end may be past it, having fired; all others have to go on."""
    start = LONG_AGO if any(name in config for name in WITH_AN_END) else clock.now()
    if next_slot_of(config, zone, start) is not None:
        return []
    name = _rhythm(config)
    rest = " on a day that is not left out" if "skip_dates" in config or "holidays" in config else ""
    span = " in the time in which the schedule goes" if "starts_at" in config or "ends_at" in config else ""
    said = (
        f"{LABELS.get(name, name.title())} {quoted(config[name])} does not fire within the next 50 years{rest}{span}."
    )
    return [Problem("never_fires", said, f"/{name}")]


def _too_often(config: Config) -> list[Problem]:
    """Refuse slots that are nearer to one another than this installation allows; days off and extra times aside."""
    least = settings.BRAINOPS_MIN_INTERVAL_SECONDS
    if least <= (SHORTEST_SECONDS if "interval" in config else 60):
        return []  # nothing can be nearer
    near = too_close(partial(plain_slot_of, config, ZoneInfo("UTC")), clock.now(), least_seconds=least)
    if near is None:
        return []
    passed = duration_text((near[1] - near[0]).total_seconds())
    said = f"It fires after {passed}, the shortest interval here is {duration_text(least)}. Let it fire less often."
    return [Problem("too_often", said, f"/{_rhythm(config)}")]


def _rhythm(config: Config) -> str:
    return next(name for name in RHYTHMS if name in config)


def _queue_problems(config: Config) -> Iterator[Problem]:
    if "queue_limit" in config and config.get("overlap") != Overlap.QUEUE:
        yield Problem("not_used", 'Only "overlap": "queue" has a "queue_limit". Leave it out.', "/queue_limit")


def _length_problems(config: Config) -> Iterator[Problem]:
    for name, (least, most) in LENGTHS.items():
        if name in config and not least <= parse_duration(config[name]) <= most:
            span = f"{duration_text(least)} to {duration_text(most)}"
            yield Problem("out_of_range", f'"{name}" must be {span}, got {config[name]}.', f"/{name}")


def complete(config: Config) -> Config:
    """Fill in the defaults, so that the stored config says everything."""
    anchor = {"anchor": DEFAULT_ANCHOR} if "interval" in config or "rrule" in config else {}
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
    queue_limit=lambda config: int(config.get("queue_limit", DEFAULT_QUEUE)),
    alert_after=lambda config: parse_duration(config.get("alert_after", DEFAULT_ALERT)),
    success_within=lambda config: _seconds(config, "success_within"),
)
KIND = TriggerKind(
    key="schedule",
    title="Schedule",
    description="Starts runs by the clock: a cron expression, a calendar rule, an interval or one time, in any zone.",
    icon="schedule",
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "properties": PROPERTIES,
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
        {"rrule": "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17", "timezone": "Europe/Berlin", "success_within": "40d"},
        {
            "rrule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
            "anchor": "2026-11-23T09:00",
            "extra_dates": ["2026-12-24T09:00"],
        },
        {"interval": "15m", "overlap": "queue", "queue_limit": 3, "alert_after": "1h", "ends_at": "2099-01-01T00:00"},
    ),
)
