"""Recognise renamed steps between two documents, and read the earlier one with the new names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from automation.engine.document.parse import StepDocument
from automation.services.documents import canonical

ALIKE = 0.6  # of the places of two steps are equal: then one of them is the other under a new name
MOST_PAIRS = 40_000
BODIES = frozenset({"steps", "catch", "finally"})  # lists of steps inside a step

Json = Any
Names = Mapping[str, str]


def renames(gone: Sequence[StepDocument], came: Sequence[StepDocument]) -> dict[str, str]:
    """Former id → present id. The most alike find each other first; of equally alike ones, the first in order.

    Two documents that share hardly a step are not compared pair by pair: nothing is renamed then.
    """
    if len(gone) * len(came) > MOST_PAIRS:
        return {}
    places = {id(step): _places(step) for step in (*gone, *came)}
    pairs = [
        (_likeness(places[id(was)], places[id(now)]), was.id, now.id)
        for was in gone
        for now in came
        if was.uses == now.uses
    ]
    found: dict[str, str] = {}
    for alike, was_id, now_id in sorted(pairs, key=lambda pair: -pair[0]):
        if alike < ALIKE:
            break
        if was_id not in found and now_id not in found.values():
            found[was_id] = now_id
    return found


def own_fields(step: StepDocument) -> dict[str, Json]:
    """A step without its id and without the steps inside it, which are compared by ids of their own."""
    own = {key: value for key, value in step.fields.items() if key not in ("id", *BODIES)}
    if isinstance(own.get("try"), Mapping):
        own["try"] = {key: value for key, value in own["try"].items() if key not in BODIES}
    return own


def with_names(value: Json, names: Names) -> Json:
    """A value in which every mention of a renamed step is the new one: `needs`, and `steps.<id>` in expressions."""
    if not names:
        return value
    if isinstance(value, Mapping):
        return {
            key: _needs(inner, names) if key == "needs" else with_names(inner, names) for key, inner in value.items()
        }
    if isinstance(value, list):
        return [with_names(inner, names) for inner in value]
    if isinstance(value, str) and "steps." in value:
        return _MENTION.sub(lambda found: f"steps.{names.get(found[1], found[1])}", value)
    return value


_MENTION = re.compile(r"\bsteps\.([A-Za-z_][A-Za-z0-9_-]*)")


def _needs(value: Json, names: Names) -> Json:
    if not isinstance(value, list):
        return value
    return [_need(need, names) if isinstance(need, str) else need for need in value]


def _need(need: str, names: Names) -> str:
    step, dot, port = need.partition(".")
    return names.get(step, step) + dot + port


def _places(step: StepDocument) -> frozenset[tuple[str, bytes]]:
    """Every field with its value; objects such as `with` count by their members."""
    found: list[tuple[str, bytes]] = []
    for key, value in own_fields(step).items():
        inner = {f"{key}/{name}": one for name, one in value.items()} if isinstance(value, Mapping) else {key: value}
        found.extend((at, canonical(one)) for at, one in inner.items())
    return frozenset(found)


def _likeness(one: frozenset[tuple[str, bytes]], other: frozenset[tuple[str, bytes]]) -> float:
    """The share of places that are equal in two steps, their ids aside."""
    every = {at for at, _ in one | other}
    return len(one & other) / len(every) if every else 1.0
