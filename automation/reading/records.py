"""Records of fields: named by a header, their texts given a meaning. What CSV and XLSX share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from automation.engine.wording import counted, quoted
from automation.reading.items import Malformed, Options, Read, ReadFault

Json = Any

MOST_COLUMNS = 2_000
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Unfit(Exception):
    """A record that is none; the message says why."""


def records(
    rows: Iterable[Sequence[Json] | Unfit], options: Options, *, pads: bool = False
) -> Iterator[Read | Malformed]:
    """Name the fields of each row. `pads`: a row may have fewer fields than the header, or empty ones behind it."""
    names = _checked(options.columns) if options.columns else None
    wants_header = options.header and names is None
    number = 0
    for row in rows:
        if wants_header:
            names, wants_header = _header(row), False
            continue
        number += 1
        try:
            yield Read(number, _record(row, names, options, pads=pads))
        except Unfit as unfit:
            yield Malformed(number, str(unfit))


def _header(row: Sequence[Json] | Unfit) -> list[str]:
    if isinstance(row, Unfit):
        raise ReadFault("bad_header", f"The header cannot be read: {row}.")
    while row and row[-1] is None:
        row = row[:-1]
    return _checked(["" if name is None else str(name).strip() for name in row])


def _checked(names: Sequence[str]) -> list[str]:
    """Names of columns, each once: what has none is called by its place, what has the same name is numbered."""
    if len(names) > MOST_COLUMNS:
        raise ReadFault(
            "too_many_columns", f"The header has {len(names):,} columns; at most {MOST_COLUMNS:,} are read."
        )
    found: dict[str, None] = {}
    for place, given in enumerate(names, start=1):
        name, again = given or f"column_{place}", 2
        while name in found:
            name, again = f"{given or 'column'}_{again}", again + 1
        found[name] = None
    return list(found)


def _record(row: Sequence[Json] | Unfit, names: Sequence[str] | None, options: Options, *, pads: bool) -> Json:
    if isinstance(row, Unfit):
        raise row
    if names is None:
        return [_valued(str(place), field, options) for place, field in enumerate(row, start=1)]
    if pads:
        row = [*row[: len(names)], *(field for field in row[len(names) :] if field is not None)]
        row = [*row, *[None] * (len(names) - len(row))]
    if len(row) != len(names):
        raise Unfit(f"it has {counted(len(row), 'field')}, the header has {len(names)}")
    return {name: _valued(name, field, options) for name, field in zip(names, row, strict=True)}


def _valued(name: str, field: Json, options: Options) -> Json:
    if not isinstance(field, str):
        return field
    if field in options.nulls:
        return None
    meaning = _MEANINGS.get(options.types.get(name, ""))
    return meaning(name, field.strip()) if meaning else field


def _integer(name: str, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise Unfit(f"its column {quoted(name)} holds {quoted(text)}, which is no whole number")
    return int(text)


def _number(name: str, text: str) -> float:
    if not _NUMBER.fullmatch(text) or abs(value := float(text)) == float("inf"):
        raise Unfit(f"its column {quoted(name)} holds {quoted(text)}, which is no number")
    return int(text) if _INTEGER.fullmatch(text) else value


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise Unfit(f"its column {quoted(name)} holds {quoted(text)}, which is neither true nor false")
    return _BOOLEANS[text.lower()]


_MEANINGS: dict[str, Callable[[str, str], Json]] = {"integer": _integer, "number": _number, "boolean": _boolean}
TYPES = tuple(_MEANINGS)
