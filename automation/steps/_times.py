"""Times in configurations: a duration such as "2d", or a number of seconds."""

from __future__ import annotations

from typing import Any

from automation.engine.durations import DURATION_PATTERN, parse_duration

MOST_SECONDS = 366 * 86_400.0


def time_field(title: str, description: str, *examples: str) -> dict[str, Any]:
    """The schema of a field that holds a time."""
    return {
        "title": title,
        "description": f"{description} A duration, or a number of seconds; at most 366 days.",
        "anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"type": "number", "exclusiveMinimum": 0}],
        "x-hint": 'a duration such as "30m", "8h" or "2d", or a number of seconds',
        "examples": list(examples),
    }


def seconds_of(name: str, value: str | float | None) -> float | None:
    """The seconds of a field; None when it was left out. Raises ValueError for 0 and for more than 366 days."""
    if value is None:
        return None
    seconds = parse_duration(value) if isinstance(value, str) else round(float(value), 3)
    if not 0 < seconds <= MOST_SECONDS:
        raise ValueError(f'"{name}" must be more than 0 and at most 366 days, got {seconds:.0f} seconds.')
    return seconds
