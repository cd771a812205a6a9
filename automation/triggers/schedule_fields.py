"""The fields of a schedule's config, as its form and its documentation show them."""

from __future__ import annotations

from collections.abc import Mapping

from automation.engine.durations import DURATION_PATTERN
from automation.triggers.contract import Json, Missed, Overlap
from automation.triggers.rhythms.days_off import MOST_DATES
from automation.triggers.rhythms.interval import DEFAULT_ANCHOR, INTERVAL_PATTERN

DEFAULTS = {"timezone": "UTC", "missed": Missed.LAST.value}
DEFAULT_QUEUE, MOST_QUEUED = 10, 100  # slots that wait for older runs
DEFAULT_ALERT = "10m"

PROPERTIES: Mapping[str, Json] = {
    "cron": {
        "type": "string",
        "title": "Cron expression",
        "description": "Minute, hour, day of month, month, day of week; or @hourly, @daily and the like.",
        "minLength": 1,
        "maxLength": 200,
        "examples": ["0 9 * * 1-5", "*/15 * * * *", "@daily"],
    },
    "rrule": {
        "type": "string",
        "title": "Calendar rule",
        "description": "A recurrence rule (RFC 5545), counted from the anchor, which has the time of day, too.",
        "minLength": 1,
        "maxLength": 500,
        "examples": ["FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH"],
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
        "description": "The first slot of an interval, the beginning of a calendar rule; on the schedule's clock.",
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
    "starts_at": {
        "type": "string",
        "title": "Starts at",
        "description": "No slot is earlier; without an offset on the schedule's clock.",
        "maxLength": 40,
        "examples": ["2026-12-01T00:00"],
    },
    "ends_at": {
        "type": "string",
        "title": "Ends at",
        "description": "No slot is later; without an offset on the schedule's clock.",
        "maxLength": 40,
        "examples": ["2027-01-31T23:59"],
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
        "description": "While a run of this schedule is under way: run beside it, skip the slot, cancel it, or wait.",
        "default": Overlap.ALLOW.value,
    },
    "queue_limit": {
        "type": "integer",
        "title": "Waiting slots",
        "description": "With overlap queue: so many slots wait, later ones are left out.",
        "minimum": 1,
        "maximum": MOST_QUEUED,
        "default": DEFAULT_QUEUE,
    },
    "alert_after": {
        "type": "string",
        "title": "Alert after",
        "description": "A slot that has not run so long after its time is told to notice rules with did_not_run.",
        "pattern": DURATION_PATTERN,
        "x-hint": 'a duration such as "10m"',
        "default": DEFAULT_ALERT,
        "examples": ["10m", "2h"],
    },
    "success_within": {
        "type": "string",
        "title": "Success within",
        "description": "When no run of the workflow succeeded for so long, that is told as did_not_run, too.",
        "pattern": DURATION_PATTERN,
        "x-hint": 'a duration such as "26h"',
        "examples": ["26h", "8d"],
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
    "extra_dates": {
        "type": "array",
        "title": "Extra times",
        "description": "Times on the schedule's clock at which it fires besides.",
        "items": {"type": "string", "maxLength": 40},
        "maxItems": MOST_DATES,
        "examples": [["2026-12-23T17:00"]],
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
}
