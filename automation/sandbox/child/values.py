"""What code gives back, judged: plain JSON of bounded size and depth, or a refusal that names the place."""

from __future__ import annotations

import json
import math
from typing import Any

SMALLEST_INTEGER, LARGEST_INTEGER = -(1 << 63), (1 << 64) - 1  # what every reader of our JSON can hold
ADVICE = {
    "set": "Make it a list: sorted(…) or list(…).",
    "frozenset": "Make it a list: sorted(…) or list(…).",
    "bytes": "Make it text: .decode() or base64.b64encode(…).decode().",
    "datetime": "Make it text: .isoformat().",
    "date": "Make it text: .isoformat().",
    "time": "Make it text: .isoformat().",
    "timedelta": "Make it a number: .total_seconds().",
    "Decimal": "Make it text or a number: str(…) or float(…).",
}


class Refused(Exception):
    """The value is no output. `type` is a stable code."""

    def __init__(self, type: str, message: str) -> None:
        super().__init__(message)
        self.type = type


def encode(value: Any, *, most_bytes: int, depth: int) -> bytes:
    """The output as JSON. Raises Refused.

    A value that holds another many times can be small in memory and without end as JSON: it is counted before it is
    written.
    """
    count = _Count(most_bytes)
    _weigh(value, "output", depth, count)
    encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    if len(encoded) > most_bytes:
        raise _too_large(f"{len(encoded):,}", most_bytes)
    return encoded


class _Count:
    """Bytes seen so far, never more than there are. Stops far beyond the limit, so that most sizes are exact."""

    FAR = 2

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._seen = 0

    def add(self, size: int) -> None:
        self._seen += size
        if self._seen > self.FAR * self._most:
            raise _too_large(f"more than {self.FAR * self._most:,}", self._most)


def _too_large(size: str, most_bytes: int) -> Refused:
    said = f"The output has {size} bytes as JSON; at most {most_bytes:,} are kept (BRAINOPS_LIMIT_CODE_OUTPUT_BYTES)."
    return Refused("code_output_limit", f"{said} Give back only what later steps need.")


def _weigh(value: Any, place: str, depth: int, count: _Count) -> None:
    if isinstance(value, dict | list | tuple):
        if depth == 0:
            raise Refused(
                "code_output", f"The output is nested too deep, or holds itself, at {place[:200]}. Flatten it."
            )
        count.add(2 + len(value))
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            _weigh(inner, _below(value, key, place, count), depth - 1, count)
    else:
        count.add(len(value) + 2 if isinstance(value, str) else 1)
        _judge(value, place)


def _below(value: Any, key: Any, place: str, count: _Count) -> str:
    if not isinstance(value, dict):
        return f"{place}[{key}]"
    if not isinstance(key, str):
        said = f"{place} has the key {str(key)[:60]!r}, {_article(type(key).__name__)}; keys of JSON are texts."
        raise Refused("code_output", f"{said} Use str(…).")
    _judge(key, f"a key of {place}")
    count.add(len(key) + 3)
    return f"{place}.{key[:60]}"


def _judge(value: Any, place: str) -> None:
    """Raise Refused for what is no JSON value, or none that can be stored."""
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        if "\0" in value:
            raise Refused("code_output", f"{place} holds a NUL character, which cannot be stored. Remove it.")
    elif isinstance(value, int):
        if not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
            said = f"{place} is an integer beyond 64 bits, which JSON readers round. Use str(…)."
            raise Refused("code_output", said)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Refused("code_output", f"{place} is {value}, which JSON cannot say. Use None or a text.")
    else:
        raise Refused("code_output", _no_json(value, place))


def _no_json(value: Any, place: str) -> str:
    name = type(value).__name__
    if name == "MontyClassProxy":
        return f"{place} is an object of the class {value.name!r}; JSON knows dicts and lists. Give back a dict."
    advice = ADVICE.get(name, "Give back dicts, lists, texts, numbers, True, False or None.")
    return f"{place} is {_article(name)}, which JSON does not know. {advice}"


def _article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
