"""Durations as documents write them: "30s", "5m", "2d", "1h30m"."""

from __future__ import annotations

import re
from functools import lru_cache

UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
DURATION_PATTERN = r"^([0-9]{1,9}(\.[0-9]{1,3})?(ms|s|m|h|d|w))+$"

_DURATION = re.compile(DURATION_PATTERN, re.ASCII)
_PART = re.compile(r"([0-9.]+)(ms|s|m|h|d|w)")


class DurationError(ValueError):
    """A text is not a duration."""


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> float:
    """Seconds of a duration: a number and a unit (ms, s, m, h, d, w), several in a row add up.

    Raises DurationError with a sentence for people.
    """
    if _DURATION.fullmatch(text) is None:
        raise DurationError(f'{text[:40]!r} is no duration. Write a number and a unit: "30s", "5m", "2d" or "1h30m".')
    return round(sum(float(number) * UNIT_SECONDS[unit] for number, unit in _PART.findall(text)), 3)


def duration_text(seconds: float) -> str:
    """Write seconds the way documents do, largest units first: 5400 becomes "1h30m"."""
    left = round(seconds * 1000)
    parts = []
    for unit, size_ms in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)):
        count, left = divmod(left, size_ms)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
