"""What readers give: items, and rows that are none; and how they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = Any

MOST_ITEM_BYTES = 1 << 20  # of one line, one element of an array, one field


class Format(StrEnum):
    """How the items of a file are written."""

    CSV = "csv"  # rows of fields between delimiters
    JSON = "json"  # an array of values, or one value
    NDJSON = "ndjson"  # a JSON value in each line
    LINES = "lines"  # each line is a text
    XLSX = "xlsx"  # rows of a sheet of a workbook


class ReadFault(Exception):
    """The file cannot be read as it was asked for. The message says where, why, and the way out."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Read:
    """The `number`th item of a file, from 1."""

    number: int
    value: Json


@dataclass(frozen=True, slots=True)
class Malformed:
    """What stands in the place of the `number`th item and is none."""

    number: int
    message: str


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is to be read; what does not fit its format is not looked at.

    `encoding` "" looks at the file's first bytes; `delimiter` "" counts in its first line. `header`: the first row
    names the columns; `columns` names them instead. `nulls` are the texts that stand for nothing, `types` what the
    texts of a column mean (`number`, `integer`, `boolean`). `at` is a JSON pointer to the array, `sheet` the name of a
    sheet, "" for the first one.
    """

    format: Format
    encoding: str = ""
    delimiter: str = ""
    quote: str = '"'
    header: bool = True
    columns: tuple[str, ...] = ()
    nulls: frozenset[str] = frozenset()
    types: Mapping[str, str] = field(default_factory=dict)
    at: str = ""
    sheet: str = ""
