"""Paths into a step's output, as far as the kind declares what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automation.engine.pointers import dotted


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field no output has. `before` is the way to it (`.body`), `known` what is there."""

    before: str
    name: str
    known: tuple[str, ...]


def unknown_output(schema: Mapping[str, Any], path: Sequence[str | int]) -> UnknownField | None:
    """The first field of `path` that a closed object of the schema does not have; None when all may be there."""
    rule: Any = schema
    for depth, part in enumerate(path):
        if not isinstance(rule, Mapping) or rule.get("additionalProperties") is not False or isinstance(part, int):
            return None
        known = rule.get("properties", {})
        if part not in known:
            before = dotted(path[:depth])
            return UnknownField(f".{before}" if before else "", part, tuple(known))
        rule = known[part]
    return None
