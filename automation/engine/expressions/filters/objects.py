"""Filters on objects."""

from __future__ import annotations

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import FILTERS, Example, declare
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.values import Json, items, mapping, text

_GROUP = "Objects"


@declare(
    FILTERS,
    "keys",
    group=_GROUP,
    doc="The list of keys.",
    examples=[Example("{{ {'a': 1, 'b': 2}|keys }}", ["a", "b"])],
    keeps_parts=True,
)
def keys(value: Json, budget: Budget) -> Json:
    """Keys in order."""
    return list(mapping(value, budget))


@declare(
    FILTERS,
    "values",
    group=_GROUP,
    doc="The list of values.",
    examples=[Example("{{ {'a': 1, 'b': 2}|values }}", [1, 2])],
    keeps_parts=True,
)
def values(value: Json, budget: Budget) -> Json:
    """Values in order."""
    return list(mapping(value, budget).values())


@declare(
    FILTERS,
    "items",
    group=_GROUP,
    doc="The object as a list of `{key, value}`, to filter, sort or map.",
    examples=[Example("{{ {'a': 1}|items }}", [{"key": "a", "value": 1}])],
)
def items_(value: Json, budget: Budget) -> Json:
    """Pairs in order."""
    pairs = mapping(value, budget)
    budget.grow(200 * len(pairs))
    return [{"key": key, "value": item} for key, item in pairs.items()]


@declare(
    FILTERS,
    "to_object",
    group=_GROUP,
    doc="The object that a list of `{key, value}` describes; the last of equal keys wins. The names may differ.",
    examples=[
        Example("{{ [{'key': 'a', 'value': 1}]|to_object }}", {"a": 1}),
        Example("{{ [{'id': 'x', 'n': 1}]|to_object('id', 'n') }}", {"x": 1}),
    ],
)
def to_object(value: Json, budget: Budget, key: Json = "key", value_: Json = "value") -> Json:
    """Object of pairs."""
    name_key, value_key = text(key, "needs text for key"), text(value_, "needs text for value")
    made: dict[str, Json] = {}
    for index, pair in enumerate(items(value, budget)):
        name = pair.get(name_key) if type(pair) is dict else None
        if type(name) is not str or value_key not in pair:
            raise Refusal("needs both keys, the first with text", code=Code.TYPE, value=pair).of_item(index)
        made[name] = pair[value_key]
    return made


@declare(
    FILTERS,
    "merge",
    group=_GROUP,
    doc="One object with the keys of all; the last of equal keys wins. Objects inside are not merged.",
    examples=[Example("{{ {'a': 1, 'b': 2}|merge({'b': 3}, {'c': 4}) }}", {"a": 1, "b": 3, "c": 4})],
    usage="merge(other…)",
)
def merge(value: Json, budget: Budget, *others: Json) -> Json:
    """Objects over one another."""
    merged = dict(mapping(value, budget))
    budget.spend(len(others))
    for other in others:
        merged.update(mapping(other, budget))
    return merged


@declare(
    FILTERS,
    "pick",
    group=_GROUP,
    doc="Only these keys, those that are there.",
    examples=[Example("{{ {'a': 1, 'b': 2, 'c': 3}|pick('c', 'a', 'x') }}", {"c": 3, "a": 1})],
    keeps_parts=True,
    usage="pick(key…)",
)
def pick(value: Json, budget: Budget, *names: Json) -> Json:
    """Object with fewer keys."""
    source = mapping(value, budget)
    return {name: source[name] for name in map(text, _names(names, budget)) if name in source}


@declare(
    FILTERS,
    "omit",
    group=_GROUP,
    doc="Without these keys.",
    examples=[Example("{{ {'a': 1, 'b': 2}|omit('b') }}", {"a": 1})],
    keeps_parts=True,
    usage="omit(key…)",
)
def omit(value: Json, budget: Budget, *names: Json) -> Json:
    """Object with fewer keys."""
    unwanted = set(map(text, _names(names, budget)))
    return {key: item for key, item in mapping(value, budget).items() if key not in unwanted}


def _names(names: tuple[Json, ...], budget: Budget) -> list[Json]:
    """Keys given one by one or as one list."""
    return items(names[0] if len(names) == 1 and type(names[0]) is list else list(names), budget)
