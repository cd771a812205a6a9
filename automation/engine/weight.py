"""How large a value is as JSON, without writing it.

A list may hold the same large value many times: a few kilobytes of memory then stand for gigabytes of JSON. One
template is bounded by its budget; what a kind puts together from many is weighed before it is kept.
"""

from __future__ import annotations

from typing import Any

import orjson

Json = Any
MOST_VALUE_BYTES = 10 << 20  # of one step's output, unless `limit_values` says otherwise
OVER, UNDER = 3, 6  # how far `weight` may be off: `1` counts as 5 bytes, a control character as one of its six
SETTINGS = {"value": "BRAINOPS_LIMIT_VALUE_BYTES", "run": "BRAINOPS_LIMIT_RUN_BYTES"}


class _Ceiling:
    """What the installation allows; the same for every run of a process."""

    value_bytes = MOST_VALUE_BYTES


def limit_values(most: int) -> None:
    """Set the ceiling of one value in bytes, once at the start of the process."""
    _Ceiling.value_bytes = most


def value_limit() -> int:
    """The ceiling of one value in bytes."""
    return _Ceiling.value_bytes


def weight(value: Json, most: int = MOST_VALUE_BYTES) -> int:
    """About the bytes of the value as JSON; stops counting soon after `most`, so it is cheap for any value."""
    total = 0
    pending = [value]
    while pending and total <= most:
        one = pending.pop()
        if isinstance(one, str):
            total += len(one) + 2
        elif isinstance(one, dict):
            total += sum(map(len, one)) + 4 * len(one) + 2
            pending.extend(one.values())
        elif isinstance(one, list):
            total += len(one) + 2
            pending.extend(one)
        else:
            total += 5
    return total


def is_too_heavy(value: Json, most: int | None = None) -> bool:
    """True when the value has more bytes as JSON than `most`: exact, and cheap for values far from the limit."""
    most = value_limit() if most is None else most
    about = weight(value, most * OVER)
    if about * UNDER <= most:
        return False
    if about > most * OVER:
        return True
    try:
        return len(orjson.dumps(value)) > most
    except TypeError:  # no JSON at all: whoever stores it says so
        return False


def too_heavy(what: str, most: int | None = None, *, size: int | None = None, setting: str = "value") -> str:
    """The sentence that refuses it; `size` is the actual one in bytes, where it is known."""
    most = value_limit() if most is None else most
    actual = "" if size is None else f": {size:,} bytes"
    return (
        f"{what} is larger than {mebibytes(most)} as JSON{actual}. Keep what later steps need, work in smaller parts, "
        f"or raise {SETTINGS[setting]}."
    )


def size_of(value: Json, most: int | None = None) -> int:
    """The bytes of a value that is too heavy, for its refusal: exact up to a few times the limit, about beyond it."""
    most = value_limit() if most is None else most
    about = weight(value, most * OVER)
    try:
        return about if about > most * OVER else len(orjson.dumps(value))
    except TypeError:
        return about


def mebibytes(size: int) -> str:
    """`10 MiB`, `10.4 MiB`; smaller sizes in bytes."""
    return f"{size / (1 << 20):.1f}".removesuffix(".0") + " MiB" if size >= 1 << 20 else f"{size:,} bytes"
