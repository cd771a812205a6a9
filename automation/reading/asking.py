"""How documents and triggers say how a file is to be read: the fields of their forms, and what these mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.reading.items import Format, Options
from automation.reading.page import format_of
from automation.reading.records import MOST_COLUMNS, TYPES

Json = Any

AUTO = "auto"

FIELDS: dict[str, Json] = {
    "format": {
        "title": "Format",
        "description": "How its items are written; auto goes by the file's name, else by its type.",
        "enum": [AUTO, *(one.value for one in Format)],
        "default": AUTO,
    },
    "encoding": {
        "title": "Encoding",
        "description": "Of texts. Without it the file's byte order mark decides, else UTF-8.",
        "type": "string",
        "maxLength": 40,
        "examples": ["cp1252"],
    },
    "delimiter": {
        "title": "Delimiter",
        "description": "Between fields. Without it the one of , ; tab | that the first line holds most often.",
        "type": "string",
        "minLength": 1,
        "maxLength": 1,
        "examples": [";"],
    },
    "quote": {
        "title": "Quote",
        "description": "Around fields that hold a delimiter; empty for a file that quotes nothing.",
        "type": "string",
        "maxLength": 1,
        "default": '"',
    },
    "header": {
        "title": "Header",
        "description": "The first row names the columns, and items are objects. Otherwise items are lists.",
        "type": "boolean",
        "default": True,
    },
    "columns": {
        "title": "Columns",
        "description": "Names of the columns of a file without a header row.",
        "type": "array",
        "items": {"type": "string", "maxLength": 200},
        "maxItems": MOST_COLUMNS,
        "examples": [["id", "name", "total"]],
    },
    "nulls": {
        "title": "Nulls",
        "description": "Texts of a CSV that stand for no value; they are read as null.",
        "type": "array",
        "items": {"type": "string", "maxLength": 100},
        "maxItems": 50,
        "examples": [["NA", ""]],
    },
    "types": {
        "title": "Types",
        "description": "What the texts of a CSV column mean. A row that does not hold such a value is reported.",
        "type": "object",
        "additionalProperties": {"enum": [*TYPES]},
        "maxProperties": MOST_COLUMNS,
        "examples": [{"total": "number", "paid": "boolean"}],
    },
    "at": {
        "title": "Place of the list",
        "description": "JSON pointer to the array in a JSON file; without it the file itself is the array.",
        "type": "string",
        "pattern": "^(/[^/]*)*$",
        "x-hint": "a JSON pointer such as /data/orders",
        "maxLength": 500,
        "examples": ["/data/orders"],
    },
    "sheet": {
        "title": "Sheet",
        "description": "Of a workbook; the first one without it.",
        "type": "string",
        "maxLength": 100,
        "examples": ["Orders"],
    },
}


def options_of(asked: Mapping[str, Json], *, name: str, content_type: str) -> Options:
    """How a file of this name and type is to be read. Raises ReadFault when nothing tells its format."""
    form = asked.get("format", AUTO)
    return Options(
        format=format_of(name, content_type) if form == AUTO else Format(form),
        encoding=asked.get("encoding", ""),
        delimiter=asked.get("delimiter", ""),
        quote=asked.get("quote", '"'),
        header=asked.get("header", True),
        columns=tuple(asked.get("columns", ())),
        nulls=frozenset(asked.get("nulls", ())),
        types=asked.get("types", {}),
        at=asked.get("at", ""),
        sheet=asked.get("sheet", ""),
    )
