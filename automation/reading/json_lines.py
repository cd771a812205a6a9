"""Lines: each a text, or each a JSON value."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import orjson

from automation.reading.items import Malformed, Read
from automation.reading.text import LongLine, holds_nul, is_storable, lines

Json = Any


def read_lines(text: io.TextIOWrapper) -> Iterator[Read | Malformed]:
    """Each line without its end; empty ones count."""
    for number, line in enumerate(lines(text), start=1):
        yield _text(number, line)


def read_ndjson(text: io.TextIOWrapper) -> Iterator[Read | Malformed]:
    """The JSON value of each line; empty lines are left out."""
    number = 0
    for line in lines(text):
        if isinstance(line, str) and not line.strip():
            continue
        number += 1
        found = _text(number, line)
        yield found if isinstance(found, Malformed) else value_of(number, found.value.encode())


def value_of(number: int, raw: bytes) -> Read | Malformed:
    """The JSON value of some bytes."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return Malformed(number, f"it is no JSON ({error})")
    if holds_nul(raw):
        return Malformed(number, "it holds a NUL character, which cannot be stored")
    return Read(number, value)


def _text(number: int, line: str | LongLine) -> Read | Malformed:
    if isinstance(line, LongLine):
        return Malformed(number, str(line))
    if not is_storable(line):
        return Malformed(number, "it holds bytes that are no text in this encoding")
    return Read(number, line.rstrip("\r\n"))
