"""How large a value is as JSON, without writing it.

A list may hold the same large value many times: a few kilobytes of memory then stand for gigabytes of JSON. One
template is bounded by its budget; what a kind puts together from many is weighed before it is kept.
"""

from __future__ import annotations

from typing import Any

Json = Any
MOST_VALUE_BYTES = 10 << 20  # of one step's output


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


def is_too_heavy(value: Json, most: int = MOST_VALUE_BYTES) -> bool:
    """True when the value must not be kept."""
    return weight(value, most) > most


def too_heavy(what: str, most: int = MOST_VALUE_BYTES) -> str:
    """The sentence that refuses it."""
    limit = most // (1 << 20)
    return f"{what} is larger than {limit} MiB as JSON. Keep what later steps need, or work in smaller parts."
