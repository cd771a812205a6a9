"""Cursors: where a page ends, as a text that only we make.

Keyset paging: a page costs the same at the list's begin and after a thousand pages.
"""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, Q, QuerySet

from brainops.core.errors import InvalidInput, Problem

LONGEST = 2000  # characters
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1  # bigint

Ordering = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows: after the row with these values of the order's columns, or before it."""

    values: tuple[Any, ...]
    is_backward: bool = False


def encode(cursor: Cursor, ordering: Ordering) -> str:
    """The text of a cursor. It names the order it belongs to: in another one its place means nothing."""
    text = orjson.dumps([_sum(ordering), int(cursor.is_backward), *cursor.values], option=orjson.OPT_UTC_Z)
    return urlsafe_b64encode(text).decode().rstrip("=")


def decode(text: str, ordering: Ordering, rows: QuerySet[Any, Any] | Mapping[str, Any]) -> Cursor:
    """The cursor of a text; `rows` are the list's, or its columns by name.

    Raises InvalidInput (`cursor_invalid`) for anything but what `encode` makes of it again.
    """
    try:
        cursor = _read(text, ordering, rows)
    except (ValueError, TypeError, ValidationError, OverflowError) as error:
        raise invalid() from error
    if encode(cursor, ordering) != text:
        raise invalid()
    return cursor


def invalid() -> InvalidInput:
    """The refusal of a cursor."""
    said = "This cursor is not one of this list's. Take the one of `next` or `previous`, or start without it."
    problem = Problem("cursor_invalid", said, parameter="cursor")
    return InvalidInput(said, code="cursor_invalid", problems=[problem])


def beyond(cursor: Cursor, ordering: Ordering) -> Q:
    """The rows on the cursor's far side, in a form whose first column bounds the scan of an index.

    `a <= x and (a < x or b < y)` where a plain row comparison would not do for columns of mixed direction.
    """
    return _beyond(list(zip(ordering, cursor.values, strict=True)), is_backward=cursor.is_backward)


def position(row: Any, ordering: Ordering) -> tuple[Any, ...]:
    """A row's values of the order's columns; rows are instances or dicts."""
    names = [name.lstrip("-") for name in ordering]
    return tuple(row[name] if isinstance(row, Mapping) else getattr(row, name) for name in names)


def turned(ordering: Ordering) -> Ordering:
    """The opposite order."""
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in ordering)


def _beyond(parts: Sequence[tuple[str, Any]], *, is_backward: bool) -> Q:
    (name, value), *rest = parts
    word = "lt" if name.startswith("-") is not is_backward else "gt"
    column = name.lstrip("-")
    strictly = Q((f"{column}__{word}", value))
    if not rest:
        return strictly
    return Q((f"{column}__{word}e", value)) & (strictly | _beyond(rest, is_backward=is_backward))


def _read(text: str, ordering: Ordering, rows: QuerySet[Any, Any] | Mapping[str, Any]) -> Cursor:
    if len(text) > LONGEST:
        raise ValueError("too long")
    said = orjson.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    total, direction, *values = said
    if total != _sum(ordering) or direction not in (0, 1) or len(values) != len(ordering):
        raise ValueError("of another list")
    pairs = zip(ordering, values, strict=True)
    return Cursor(tuple(_value(_column(rows, name.lstrip("-")), value) for name, value in pairs), direction == 1)


def _value(column: Field[Any, Any], said: Any) -> Any:
    if said is None or (isinstance(said, str) and "\x00" in said):
        raise ValueError("no value of a column")
    if isinstance(said, int) and not _SMALLEST <= said <= _LARGEST:
        raise OverflowError("no integer of PostgreSQL")
    value = column.to_python(said)
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("on whose clock?")
    return value


def _column(rows: QuerySet[Any, Any] | Mapping[str, Any], name: str) -> Any:
    if isinstance(rows, Mapping):
        return rows[name]
    try:
        return rows.model._meta.get_field(name)
    except FieldDoesNotExist:
        return rows.query.annotations[name].output_field


def _sum(ordering: Ordering) -> int:
    return zlib.crc32(",".join(ordering).encode())
