"""How values look as text: in a template around them, after `~`, in `|join` and `|tojson`."""

from __future__ import annotations

import json
from math import isfinite

from automation.engine.expressions.budget import Budget, text_bytes
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.values import Json

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_SORTED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True)
_MOST_BITS = 1000  # Python refuses to write a whole number of more than 4300 digits


def to_text(value: Json, budget: Budget) -> str:
    """Text as it is, null as nothing, anything else as compact JSON."""
    kind = type(value)
    if kind is str:
        as_it_is: str = value
        return as_it_is
    if value is None:
        return ""
    if kind is bool:
        return "true" if value else "false"
    if kind is int and value.bit_length() <= _MOST_BITS:
        return str(value)
    if kind is float and isfinite(value):
        return repr(value)
    return to_json(value, budget)


def to_json(value: Json, budget: Budget) -> str:
    """`value` as compact JSON, charged before it is written."""
    return _write(_COMPACT, value, budget)


def canonical(value: Json, budget: Budget) -> str:
    """`value` as JSON that is the same for equal values written in another order."""
    return _write(_SORTED, value, budget)


def to_indented_json(value: Json, indent: int, budget: Budget) -> str:
    """`value` as JSON over several lines, charged line by line: depth multiplies its size."""
    budget.measure(value)
    pieces: list[str] = []
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=indent)
    try:
        for piece in encoder.iterencode(value):
            budget.spend(1)
            budget.grow(text_bytes(piece))
            pieces.append(piece)
    except (ValueError, TypeError) as error:
        raise _not_json(value) from error
    return "".join(pieces)


def join_texts(pieces: list[str], separator: str, budget: Budget) -> str:
    """The pieces with the separator between them, charged before they are joined."""
    budget.grow(sum(map(len, pieces)) + len(separator) * max(0, len(pieces) - 1))
    return separator.join(pieces)


def _write(encoder: json.JSONEncoder, value: Json, budget: Budget) -> str:
    budget.take(value)
    try:
        return encoder.encode(value)
    except (ValueError, TypeError) as error:
        raise _not_json(value) from error


def _not_json(value: Json) -> Refusal:
    return Refusal("the value is not JSON", code=Code.TYPE, value=value)
