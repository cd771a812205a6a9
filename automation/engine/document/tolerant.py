"""Tolerant schemas: a kind's config schema as it holds before expressions are evaluated.

A text with `{{ }}` may stand wherever any value is expected; everything written out is still checked. A place
marked `x-as-written` takes no template, or judges the template itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.engine.checker import Checker
from automation.engine.kinds import Kind

IS_TEMPLATE = {"type": "string", "pattern": r"\{\{"}
# Keywords whose subschemas judge values of their own place or below it.
ONE = ("items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "then")
MANY = ("allOf", "anyOf", "prefixItems")
NAMED = ("properties", "patternProperties", "dependentSchemas")
AS_WRITTEN = "x-as-written"  # marks what must be known before a run: names of ports, lazy conditions
STRUCTURE = frozenset({"required", "title", "description"})

_CHECKERS: dict[str, tuple[Mapping[str, Any], Checker]] = {}


def config_checker(kind: Kind) -> Checker:
    """The compiled tolerant schema of a kind. Made once; a race makes it twice, which harms nobody."""
    known = _CHECKERS.get(kind.key)
    if known is None or known[0] is not kind.config_schema:
        known = (kind.config_schema, Checker(tolerant_root(kind.config_schema)))
        _CHECKERS[kind.key] = known
    return known[1]


def tolerant_root(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A tolerant schema whose definitions stay where `#/$defs/…` finds them."""
    definitions = {name: tolerant(below) for name, below in schema.get("$defs", {}).items()}
    return {"$defs": definitions, **tolerant({key: rule for key, rule in schema.items() if key != "$defs"})}


def tolerant(schema: Any) -> Any:
    """The same schema, satisfied as well by a template at any place below."""
    if not isinstance(schema, Mapping) or schema.get(AS_WRITTEN):
        return schema
    return {"if": IS_TEMPLATE, "then": True, "else": _inside(schema)}


def _inside(schema: Mapping[str, Any]) -> dict[str, Any]:
    # `else` goes: when a template decides the `if`, which side holds is known only when it is evaluated.
    loose: dict[str, Any] = {key: rule for key, rule in schema.items() if key != "else"}
    for key in ONE:
        if key in schema:
            loose[key] = tolerant(schema[key])
    for key in MANY:
        if key in schema:
            loose[key] = [tolerant(branch) for branch in schema[key]]
    for key in NAMED:
        if key in schema:
            loose[key] = {name: tolerant(below) for name, below in schema[key].items()}
    if "oneOf" in schema and not all(STRUCTURE.issuperset(branch) for branch in schema["oneOf"]):
        # A template may fit several branches at once.
        loose["anyOf" if "anyOf" not in loose else "allOf"] = _any_of(loose)
        del loose["oneOf"]
    return loose


def _any_of(loose: Mapping[str, Any]) -> list[Any]:
    branches = [tolerant(branch) for branch in loose["oneOf"]]
    if "anyOf" not in loose:
        return branches
    return [*loose.get("allOf", ()), {"anyOf": branches}]
