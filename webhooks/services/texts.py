"""Texts of a query or a path as inputs: a number or a truth value where the workflow declares one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_INTEGER = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", re.ASCII)
_TRUTHS = {"true": True, "false": False, "1": True, "0": False}


def types_of(schema: Mapping[str, Any]) -> dict[str, str]:
    """Name and type of the declared inputs that are no text."""
    properties = schema.get("properties") or {}
    found = {name: said.get("type") for name, said in properties.items() if isinstance(said, Mapping)}
    return {name: kind for name, kind in found.items() if kind in ("integer", "number", "boolean")}


def typed(fields: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    """The fields, texts read as their declared type. One that cannot be stays a text, and its check says so."""
    return {name: _read(value, types.get(name)) if types else value for name, value in fields.items()}


def _read(value: Any, kind: str | None) -> Any:
    if not isinstance(value, str) or kind is None:
        return value
    if kind == "boolean":
        return _TRUTHS.get(value.lower(), value)
    if kind == "integer" or _INTEGER.fullmatch(value):
        return int(value) if _INTEGER.fullmatch(value) else value
    return float(value) if _NUMBER.fullmatch(value) else value
