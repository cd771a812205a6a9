"""The one gate for JSON from outside: bytes in; out a value that can be stored, or a refusal that names the place.

Refused: more bytes, depth or keys than the limits, duplicate keys (one reader would take the first, another the last),
NaN and Infinity, integers beyond 64 bits, NUL and lone surrogates (PostgreSQL cannot store them), anything but UTF-8.

The good path costs about three times orjson's parse (a 26 KB payload: 75 µs). Cheap checks that can only err towards
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

_WHITE_SPACE = b" \t\n\r"
_SHORTEST_MEMBER = 5  # bytes: `"":0,`
_MOST_DIGITS = 20  # of a 64-bit integer, with its sign

_CONTAINERS = frozenset({dict, list})
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
    refuse_nul(encoded)
    return encoded


def refuse_nul(encoded: bytes) -> None:
    """Raise MalformedJson for a JSON text with a NUL character in it."""
    if b"\\u0000" in encoded and _NUL_ESCAPE.search(encoded):
        raise MalformedJson("The value holds a NUL character, which PostgreSQL cannot store. Remove it.")


def _is_suspicious(body: bytes, value: Json, limits: Limits) -> bool:
    """True when only the exact search for places can tell; False when the value is certainly good."""
    if _is_deeper(value, limits.depth) or len(body) > limits.string_bytes:
        return True
    if len(body) > limits.keys * _SHORTEST_MEMBER and body.count(b":") > limits.keys:
        return True
    # most bodies hold no backslash at all, and looking for one byte is ten times as fast as looking for six
    if b"\\" in body and b"\\u0000" in body and _NUL_ESCAPE.search(body):
        return True
    return not _says_the_same(body, value) and _holds_duplicates_or_huge_integers(body)


def _is_deeper(value: Json, most: int) -> bool:
    """True when containers nest deeper than `most`; goes down level by level, without recursion."""
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(most):
        if not level:
            return False
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) in _CONTAINERS
        ]
    return bool(level)


def _says_the_same(body: bytes, value: Json) -> bool:
    """True when the body is what we would write ourselves, up to white space.

    Then no key was dropped as a duplicate and no integer was rounded to a float, for both would be missing in what we
    write. White space inside of texts is left out on both sides; quotes and commas are not, so members stay countable.
    """
    ours = orjson.dumps(value)
    return ours == body or ours.translate(None, _WHITE_SPACE) == body.translate(None, _WHITE_SPACE)


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
