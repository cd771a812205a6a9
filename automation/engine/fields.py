"""Pieces of config schemas that several kinds share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# One pair of braces with nothing around it: text beside an expression would make the value a text, and so always true.
ONE_EXPRESSION_PATTERN = r"^\s*\{\{([^{]|\{[^{])*\}\}\s*$"

CONDITION: Mapping[str, Any] = {
    "type": ["string", "boolean"],
    "if": {"type": "string"},
    "then": {"pattern": ONE_EXPRESSION_PATTERN},
    "x-as-written": True,
    "x-hint": 'one expression such as "{{ inputs.total > 100 }}"',
}

PORT: Mapping[str, Any] = {
    "title": "Port",
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]{1,63}$",
    "not": {"const": "error"},
    "x-as-written": True,
    "x-hint": '1 to 63 letters, digits, - or _, written out, and not "error"',
    "examples": ["gold"],
}
