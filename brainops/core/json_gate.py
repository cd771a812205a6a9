"""The one gate for JSON from outside: bytes in; out a value that can be stored, or a refusal that names the place.

Refused: more bytes, depth or keys than the limits, duplicate keys (one reader would take the first, another the last),
NaN and Infinity, integers beyond 64 bits, NUL and lone surrogates (PostgreSQL cannot store them), anything but UTF-8.

The good path costs little more than the parse itself (10 KB: about 40 µs). A few scans that can only err towards
"suspicious" decide whether a slower, exact reading is needed; only a body that is really wrong is read a third time,
to find every place (`json_places`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings

from brainops.core import json_places
from brainops.core.errors import MalformedJson, TooLarge
from brainops.core.json_places import LARGEST_INTEGER, SMALLEST_INTEGER

Json = Any


_HUGE = float(1 << 63)
_MOST_DIGITS = 20  # of a 64-bit integer, with its sign

# What the walk looks at: containers, and floats because orjson turns an integer beyond 64 bits into one.
_VISITED = frozenset({dict, list, float})
_NUL_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings of one body. Bytes are of the encoded form."""

    body_bytes: int
    depth: int
    keys: int
    string_bytes: int


def default_limits() -> Limits:
    """The limits of the settings."""
    numbers = settings.BRAINOPS_LIMITS
    return Limits(
        body_bytes=numbers["body_bytes"],
        depth=numbers["json_depth"],
        keys=numbers["json_keys"],
        string_bytes=numbers["string_bytes"],
    )


def read(body: bytes, limits: Limits | None = None) -> Json:
    """Parse a body. Raises TooLarge (413) or MalformedJson (400) with every problem found."""
    limits = limits or default_limits()
    check_size(len(body), limits.body_bytes)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refusal(body, limits) or MalformedJson(f"The body is no JSON: {error}.") from error
    refusal = _refusal(body, limits) if _is_suspicious(body, value, limits) else None
    if refusal:
        raise refusal
    return value


def check_size(size_bytes: int, most: int) -> None:
    """Raise TooLarge for a body of more bytes than `most`."""
    if size_bytes > most:
        raise TooLarge(f"The body has {size_bytes:,} bytes; at most {most:,} are taken.", details={"limit_bytes": most})


def encode(value: Json) -> bytes:
    """The value as JSON bytes. Raises MalformedJson for what no JSON text may hold (NUL, lone surrogates)."""
    try:
        encoded = orjson.dumps(value)
    except TypeError as error:  # orjson.JSONEncodeError: surrogates, integers beyond 64 bits, no JSON value at all
        raise MalformedJson(f"The value cannot be written as JSON: {error}.") from error
    if b"\\u0000" in encoded and _NUL_ESCAPE.search(encoded):
        raise MalformedJson("The value holds a NUL character, which PostgreSQL cannot store. Remove it.")
    return encoded


def _is_suspicious(body: bytes, value: Json, limits: Limits) -> bool:
    """True when only the exact search for places can tell; False when the value is certainly good."""
    keys, depth, has_huge_number = _measure(value, limits)
    if depth > limits.depth or keys > limits.keys or len(body) > limits.string_bytes:
        return True
    if b"\\u0000" in body and _NUL_ESCAPE.search(body):
        return True
    return (has_huge_number or _may_hold_duplicates(body, keys)) and _holds_duplicates_or_huge_integers(body)


def _measure(value: Json, limits: Limits) -> tuple[int, int, bool]:
    """Keys, depth, and whether there is a number that may have been a huge integer. Stops beyond a limit."""
    keys = depth = 0
    has_huge_number = False
    level = [value] if type(value) in _VISITED else []
    while level and depth <= limits.depth and keys <= limits.keys:
        below: list[Any] = []
        is_container_level = False
        for node in level:
            if type(node) is float:
                has_huge_number |= not -_HUGE < node < _HUGE
                continue
            is_container_level = True
            children = node
            if type(node) is dict:
                keys += len(node)
                children = node.values()
            below += [child for child in children if type(child) in _VISITED]
        depth += is_container_level
        level = below
    return keys, depth, has_huge_number


def _may_hold_duplicates(body: bytes, keys: int) -> bool:
    """True unless it is certain that no key stands twice.

    The character before the colon of a key is a quote or white space. Without white space before any colon, and without
    an escaped quote before one, each `":` is the end of exactly one key; so their number is the number of keys written.
    """
    if b'\\":' in body or b" :" in body or b"\n:" in body or b"\t:" in body or b"\r:" in body:
        return True
    return body.count(b'":') != keys


def _holds_duplicates_or_huge_integers(body: bytes) -> bool:
    try:
        json.loads(body, object_pairs_hook=_unique, parse_int=_fitting_integer)
    except ValueError:
        return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")


def _fitting_integer(text: str) -> None:
    if len(text) > _MOST_DIGITS or not SMALLEST_INTEGER <= int(text) <= LARGEST_INTEGER:
        raise ValueError("an integer beyond 64 bits")


def _refusal(body: bytes, limits: Limits) -> MalformedJson | None:
    problems = json_places.find_problems(body, limits)
    if not problems:
        return None
    rest = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
    return MalformedJson(f"{problems[0].message}{rest}", problems=problems)
