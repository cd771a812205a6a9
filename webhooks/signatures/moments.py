"""The signed instant of a delivery: reading it, and comparing it with our clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal

from webhooks.signatures.contract import Attempt, Verdict, refused

Unit = Literal["seconds", "milliseconds", "iso"]
_DIGITS = re.compile(r"[0-9]{1,15}", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_WORDS = {
    "seconds": "whole seconds since 1970",
    "milliseconds": "whole milliseconds since 1970",
    "iso": "an instant such as 2026-01-31T12:00:00Z",
}


def read_moment(text: str, unit: Unit, header: str | None) -> float | Verdict:
    """Seconds since the epoch, or why there are none."""
    if not text:
        return refused("timestamp_missing", f"Header {header} is missing.")
    seconds = parse_moment(text, unit)
    if seconds is None:
        return refused("timestamp_malformed", f"{header} must be {_WORDS[unit]}, got {text[:40]!r}.")
    return seconds


def parse_moment(text: str, unit: Unit) -> float | None:
    """Seconds since the epoch; None for anything that is not exactly such a time."""
    if unit == "iso":
        return _read_iso(text)
    if not _DIGITS.fullmatch(text):
        return None
    return int(text) / 1000 if unit == "milliseconds" else float(text)


def _read_iso(text: str) -> float | None:
    if not _ISO.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def written(now: float, unit: Unit) -> str:
    """A time as a sender writes it."""
    if unit == "iso":
        return datetime.fromtimestamp(int(now), UTC).isoformat().replace("+00:00", "Z")
    return str(int(now * 1000) if unit == "milliseconds" else int(now))


def on_time(moment: float, attempt: Attempt, name: str | None) -> Verdict | None:
    """None when the clocks agree, else a refusal that says by how much they differ."""
    age = attempt.now - moment
    if abs(age) <= attempt.tolerance_seconds:
        return None
    code, word = ("too_old", "behind") if age > 0 else ("too_new", "ahead of")
    message = f"The timestamp is {abs(age):.0f} s {word} our clock; {attempt.tolerance_seconds:.0f} s are allowed."
    return refused(code, message, delivery_id=name)
