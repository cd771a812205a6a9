"""The closed list of filters, one file a theme. Importing this package fills `FILTERS`."""

from __future__ import annotations

from automation.engine.expressions.declare import FILTERS, Declared
from automation.engine.expressions.filters import (
    convert,
    dates,
    encoding,
    json_values,
    layout,
    lists,
    numbers,
    objects,
    picking,
    sets,
    text,
)

__all__ = ["FILTERS", "Declared"]

THEMES = (convert, json_values, text, layout, numbers, lists, sets, picking, objects, encoding, dates)
