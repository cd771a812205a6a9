"""A page of a file's items: from a place on, as many as fit."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import orjson

from automation.reading.delimited import read_csv
from automation.reading.items import Format, Malformed, Options, Read, ReadFault
from automation.reading.json_array import read_array
from automation.reading.json_lines import read_lines, read_ndjson
from automation.reading.text import open_text
from automation.reading.workbook import read_xlsx

Json = Any

_BY_ENDING = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".tab": Format.CSV,
    ".json": Format.JSON,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".txt": Format.LINES,
    ".log": Format.LINES,
    ".xlsx": Format.XLSX,
    ".xlsm": Format.XLSX,
}
_BY_TYPE = {
    "text/csv": Format.CSV,
    "text/tab-separated-values": Format.CSV,
    "application/json": Format.JSON,
    "application/x-ndjson": Format.NDJSON,
    "application/ndjson": Format.NDJSON,
    "application/jsonl": Format.NDJSON,
    "text/plain": Format.LINES,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": Format.XLSX,
}


@dataclass(frozen=True, slots=True)
class Page:
    """Items in their order, the malformed ones between them left out of `items` and told in `errors`.

    `numbers` are the places of the items in the file, from 1. `next_offset` is where the next page begins; None at the
    end of the file.
    """

    items: list[Json]
    numbers: list[int]
    errors: list[Malformed]
    next_offset: int | None


def format_of(name: str, content_type: str) -> Format:
    """The format that a file's name tells, else its type. Raises ReadFault when neither does."""
    found = _BY_ENDING.get(PurePosixPath(name.lower()).suffix) or _BY_TYPE.get(content_type)
    if found is None:
        raise ReadFault(
            "unknown_format",
            f"Neither the name {name[:80]!r} nor the type {content_type!r} tells how to read it. Set `format`.",
        )
    return found


def read_items(stream: BinaryIO, options: Options) -> Iterator[Read | Malformed]:
    """All items of a file, as they are read. Raises ReadFault, also in between."""
    if options.format is Format.XLSX:
        return read_xlsx(stream, options)
    return _READERS[options.format](open_text(stream, options.encoding), options)


def read_page(
    stream: BinaryIO,
    options: Options,
    *,
    offset: int = 0,
    most: int,
    most_bytes: int,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Page:
    """Up to `most` items and malformed ones behind the first `offset`, of at most `most_bytes` as JSON (one at least).

    Raises ReadFault.
    """
    items: list[Json] = []
    numbers: list[int] = []
    errors: list[Malformed] = []
    size = 0
    for found in read_items(stream, options):
        if found.number <= offset:
            if not found.number % 1000 and is_cancelled():
                raise ReadFault("cancelled", "The run stopped while the file was read.")
            continue
        size += len(orjson.dumps(found.value)) + 1 if isinstance(found, Read) else 100
        if len(items) + len(errors) >= most or (size > most_bytes and (items or errors)):
            return Page(items, numbers, errors, found.number - 1)
        if isinstance(found, Malformed):
            errors.append(found)
        else:
            items.append(found.value)
            numbers.append(found.number)
    return Page(items, numbers, errors, None)


_READERS: dict[Format, Callable[[io.TextIOWrapper, Options], Iterator[Read | Malformed]]] = {
    Format.CSV: read_csv,
    Format.JSON: lambda text, options: read_array(text, options.at),
    Format.NDJSON: lambda text, _options: read_ndjson(text),
    Format.LINES: lambda text, _options: read_lines(text),
}
