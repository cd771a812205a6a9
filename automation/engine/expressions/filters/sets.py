"""Filters that compare the items of lists as wholes: unique, union, groups."""

from __future__ import annotations

from collections.abc import Hashable

from automation.engine.expressions.attributes import needed
from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import FILTERS, Example, declare
from automation.engine.expressions.json_text import canonical
from automation.engine.expressions.values import Json, items

_GROUP = "Lists"


@declare(
    FILTERS,
    "unique",
    group=_GROUP,
    doc="Each item once, or one item for each value of this `attribute`; the first is kept.",
    examples=[Example("{{ [1, 2, 1]|unique }}", [1, 2]), Example("{{ ['a', 'A']|unique }}", ["a", "A"])],
    keeps_parts=True,
)
def unique(value: Json, budget: Budget, attribute: Json = None) -> Json:
    """First items of their kind."""
    rows = items(value, budget)
    keys = [identity(part, budget) for part in needed(rows, attribute)]
    return _firsts(keys, rows)


@declare(
    FILTERS,
    "union",
    group=_GROUP,
    doc="The items of both lists, each once.",
    examples=[Example("{{ [1, 2]|union([2, 3]) }}", [1, 2, 3])],
)
def union(value: Json, budget: Budget, other: Json) -> Json:
    """All items of two lists."""
    rows = [*items(value, budget), *items(other, budget)]
    return _firsts([identity(row, budget) for row in rows], rows)


@declare(
    FILTERS,
    "intersect",
    group=_GROUP,
    doc="The items that the other list has too, each once.",
    examples=[Example("{{ [1, 2]|intersect([2, 3]) }}", [2])],
    keeps_parts=True,
)
def intersect(value: Json, budget: Budget, other: Json) -> Json:
    """Common items of two lists."""
    return _compared(value, other, budget, is_common=True)


@declare(
    FILTERS,
    "difference",
    group=_GROUP,
    doc="The items that the other list has not, each once.",
    examples=[Example("{{ [1, 2]|difference([2, 3]) }}", [1])],
    keeps_parts=True,
)
def difference(value: Json, budget: Budget, other: Json) -> Json:
    """Items of the first list only."""
    return _compared(value, other, budget, is_common=False)


@declare(
    FILTERS,
    "groupby",
    group=_GROUP,
    doc="A list of `{key, items}`, one for each value of `attribute`, in the order the values appear.",
    examples=[
        Example(
            "{{ [{'n': 1, 'v': 'a'}, {'n': 2, 'v': 'b'}, {'n': 1, 'v': 'c'}]|groupby('n') }}",
            [
                {"key": 1, "items": [{"n": 1, "v": "a"}, {"n": 1, "v": "c"}]},
                {"key": 2, "items": [{"n": 2, "v": "b"}]},
            ],
        )
    ],
)
def groupby(value: Json, budget: Budget, attribute: Json) -> Json:
    """Items with the same part together."""
    rows = items(value, budget)
    groups: dict[Hashable, dict[str, Json]] = {}
    for row, part in zip(rows, needed(rows, attribute), strict=True):
        groups.setdefault(identity(part, budget), {"key": part, "items": []})["items"].append(row)
    budget.grow(100 * len(groups))
    return list(groups.values())


def identity(value: Json, budget: Budget) -> Hashable:
    """A key that is the same exactly for equal JSON values: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, str):
        budget.read(len(value))
        return value
    if isinstance(value, bool) or value is None:
        return (value, "constant")
    if isinstance(value, int | float):
        return value
    return (canonical(value, budget),)


def _firsts(keys: list[Hashable], rows: list[Json]) -> list[Json]:
    kept: dict[Hashable, Json] = {}
    for key, row in zip(keys, rows, strict=True):
        kept.setdefault(key, row)
    return list(kept.values())


def _compared(value: Json, other: Json, budget: Budget, *, is_common: bool) -> list[Json]:
    rows = items(value, budget)
    known = {identity(row, budget) for row in items(other, budget)}
    keys = [identity(row, budget) for row in rows]
    chosen = [(key, row) for key, row in zip(keys, rows, strict=True) if (key in known) is is_common]
    return _firsts([key for key, _ in chosen], [row for _, row in chosen])
