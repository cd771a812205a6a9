"""sample_of: a value that fits a JSON Schema, for answers that nobody really gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Any
EMPTY: Mapping[str, Json] = {"string": "", "integer": 0, "number": 0, "boolean": False, "null": None}
DEEPEST = 8


def sample_of(schema: Json, *, depth: int = DEEPEST) -> Json:
    """What the schema itself offers (const, default, example, enum), else the smallest value of its type.

    Required fields are filled in, and those that have something to offer. No promise that patterns and ranges hold.
    """
    if not isinstance(schema, Mapping) or depth == 0:
        return None
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    for word in ("examples", "enum"):
        if isinstance(schema.get(word), list) and schema[word]:
            return schema[word][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(word), list) and schema[word] and "type" not in schema:
            return sample_of(schema[word][0], depth=depth - 1)
    return _of_type(schema, depth)


def _of_type(schema: Mapping[str, Json], depth: int) -> Json:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    if kind == "object" or (kind is None and "properties" in schema):
        properties = schema.get("properties", {})
        return {name: sample_of(rule, depth=depth - 1) for name, rule in properties.items()}
    if kind == "array":
        has_item = schema.get("minItems", 0) > 0
        return [sample_of(schema.get("items"), depth=depth - 1)] if has_item else []
    return EMPTY.get(str(kind))
