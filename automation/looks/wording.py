"""How the pages write durations, instants, numbers and JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from brainops.core import clock

SHOWN_CHARACTERS = 50_000  # of one JSON value; all of it can be downloaded

Json = Any


def lasted(seconds: float | None) -> str:
    """`850 ms`, `12.4 s`, `3 m 05 s`, `2 h 05 m`, `3 d 4 h`; a dash when it is not known."""
    if seconds is None:
        return "–"
    if seconds < 0.0005:
        return "<1 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def ago(instant: datetime, *, now: datetime | None = None) -> str:
    """`now`, `5 min ago`, `in 3 h`: one unit, for reading at a glance."""
    seconds = ((now or clock.now()) - instant).total_seconds()
    distance = abs(seconds)
    if distance < 5:
        return "now"
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if distance >= size or unit == "s":
            text = f"{int(distance // size)} {unit}"
            break
    return f"{text} ago" if seconds > 0 else f"in {text}"


def exact(instant: datetime) -> str:
    """The instant itself, for the title of what `ago` says."""
    return f"{instant:%Y-%m-%d %H:%M:%S} {instant:%Z}".strip()


def grouped(number: int) -> str:
    """Thin spaces from 10 000 on."""
    return f"{number:,}".replace(",", "\u2009") if abs(number) >= 10_000 else str(number)


def pretty(value: Json, *, is_text: bool = False) -> str:
    """Indented JSON. `is_text`: the value is JSON text as the database gives it."""
    parsed = orjson.loads(value) if is_text else value
    return orjson.dumps(parsed, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z, default=str).decode()


def shown_json(text: str) -> str:
    """JSON text, indented; a text that is too long is cut and stays as it is."""
    if len(text) > SHOWN_CHARACTERS:
        return f"{text[:SHOWN_CHARACTERS]}\n… only the beginning is shown"
    return pretty(text, is_text=True)


def percent(share: float | None) -> str:
    """`99.2 %`; a dash when it is not known. Never `100 %` while something failed."""
    if share is None:
        return "–"
    shown = min(share * 100, 99.9) if share < 1 else 100
    return f"{shown:.0f} %" if shown == 100 else f"{shown:.1f} %"


def share_of(part: int, whole: int | None) -> str:
    """`12.5%` of a whole, for the width of a shape; `0%` when there is none."""
    return f"{part / whole * 100:.2f}%" if whole else "0%"
