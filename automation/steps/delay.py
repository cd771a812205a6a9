"""delay: wait for a while, or until an instant."""

from __future__ import annotations

from datetime import UTC, datetime

from automation.engine.durations import DURATION_PATTERN, parse_duration
from automation.engine.kinds import Call, Effect, ErrorClass, Example, Fail, Kind, Outcome, Sleep, StepError

MAX_SECONDS = 366 * 86_400.0


def run(call: Call) -> Outcome:
    """An instant that has passed is no wait at all."""
    try:
        seconds = _seconds(call)
    except ValueError as error:
        return Fail(StepError("invalid_delay", str(error), ErrorClass.USER))
    if seconds > MAX_SECONDS:
        said = f"A delay lasts at most 366 days, got {seconds:.0f} seconds. Use a schedule for more."
        return Fail(StepError("invalid_delay", said, ErrorClass.USER))
    return Sleep(seconds, {"seconds": seconds})


def _seconds(call: Call) -> float:
    if "until" in call.config:
        return max((_instant(call.config["until"]) - call.now).total_seconds(), 0.0)
    length = call.config["for"]
    if isinstance(length, str):
        return parse_duration(length)
    return round(float(length), 3)


def _instant(text: str) -> datetime:
    """An RFC 3339 date-time; without an offset nobody could say when it is."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{text[:60]!r} is no date and time. Write it as in "2026-03-01T09:00:00+01:00".') from None
    if instant.tzinfo is None:
        raise ValueError(f'{text[:60]!r} has no offset from UTC. Write it as in "2026-03-01T09:00:00+01:00" or with Z.')
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text[:60]!r} lies outside of the years 1 to 9999 in UTC.") from None


KIND = Kind(
    key="delay",
    title="Delay",
    description="Wait for a while or until an instant. Long waits hold no worker and survive restarts.",
    group="Flow",
    icon="timer",
    effect=Effect.PURE,
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "oneOf": [{"required": ["for"]}, {"required": ["until"]}],
        "properties": {
            "for": {
                "title": "For",
                "description": "How long: a duration, or a number of seconds. At most 366 days.",
                "anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"type": "number", "minimum": 0}],
                "x-hint": 'a duration such as "30s", "5m" or "2d", or a number of seconds',
                "examples": ["30s", "2d", 90],
            },
            "until": {
                "title": "Until",
                "description": "An instant with its offset from UTC (RFC 3339).",
                "type": "string",
                "format": "date-time",
                "x-hint": 'an instant such as "2026-03-01T09:00:00+01:00"',
                "examples": ["2026-03-01T09:00:00+01:00", "{{ inputs.send_at }}"],
            },
        },
    },
    output_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["seconds"],
        "properties": {"seconds": {"title": "Seconds waited", "type": "number"}},
    },
    run=run,
    examples=(
        Example(title="Wait half a minute", config={"for": "30s"}, expect=Sleep(30.0, {"seconds": 30.0})),
        Example(
            title="Go on at once when the instant has passed",
            config={"until": "{{ inputs.send_at }}"},
            scope={"inputs": {"send_at": "2001-01-01T00:00:00Z"}},
            expect=Sleep(0.0, {"seconds": 0.0}),
        ),
    ),
)
