"""Filters on lists: their length, ends, order and shape."""

from __future__ import annotations

from math import log2

from automation.engine.expressions.attributes import needed
from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import FILTERS, Example, declare
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.filters.numbers import check_one_kind
from automation.engine.expressions.filters.text import grown
from automation.engine.expressions.json_text import join_texts, to_text
from automation.engine.expressions.values import MISSING, Json, items, text, whole

_GROUP = "Lists"
_REFERENCE_BYTES = 8


@declare(
    FILTERS,
    "length",
    group=_GROUP,
    doc="How many items a list, keys an object or characters a text has.",
    examples=[Example("{{ [1, 2]|length }}", 2), Example("{{ 'abc'|length }}", 3)],
    aliases=("count",),
)
def length(value: Json, _budget: Budget) -> Json:
    """Number of parts."""
    if isinstance(value, list | dict | str):
        return len(value)
    raise Refusal("needs a list, an object or text", code=Code.TYPE, value=value)


@declare(
    FILTERS,
    "first",
    group=_GROUP,
    doc="The first item of a list or character of a text.",
    examples=[Example("{{ [1, 2]|first }}", 1), Example("{{ []|first|default('none') }}", "none")],
    keeps_parts=True,
)
def first(value: Json, _budget: Budget) -> Json:
    """First part, MISSING of none."""
    return _sequence(value)[0] if value else _empty(value)


@declare(
    FILTERS,
    "last",
    group=_GROUP,
    doc="The last item of a list or character of a text.",
    examples=[Example("{{ [1, 2]|last }}", 2)],
    keeps_parts=True,
)
def last(value: Json, _budget: Budget) -> Json:
    """Last part, MISSING of none."""
    return _sequence(value)[-1] if value else _empty(value)


@declare(
    FILTERS,
    "reverse",
    group=_GROUP,
    doc="The items of a list or characters of a text from last to first.",
    examples=[Example("{{ [1, 2]|reverse }}", [2, 1]), Example("{{ 'abc'|reverse }}", "cba")],
    keeps_parts=True,
)
def reverse(value: Json, budget: Budget) -> Json:
    """The other way round."""
    if isinstance(value, str):
        budget.read(len(value))
        return grown(value[::-1], budget)
    return items(value, budget)[::-1]


@declare(
    FILTERS,
    "sort",
    group=_GROUP,
    doc="A list of numbers or texts in order, or by this `attribute` of its items. Large and small letters are the "
    "same unless `case_sensitive`.",
    examples=[
        Example("{{ [3, 1, 2]|sort }}", [1, 2, 3]),
        Example("{{ ['b', 'A']|sort(reverse=true) }}", ["b", "A"]),
        Example("{{ [{'n': 2}, {'n': 1}]|sort(attribute='n') }}", [{"n": 1}, {"n": 2}]),
    ],
    keeps_parts=True,
)
def sort(
    value: Json, budget: Budget, reverse: Json = False, case_sensitive: Json = False, attribute: Json = None
) -> Json:
    """Sorted; equal items keep their order."""
    rows = items(value, budget)
    keys = needed(rows, attribute)
    check_one_kind(keys, budget)
    rounds = int(log2(len(keys) + 1))
    budget.spend(len(keys) * rounds // 4)
    if keys and type(keys[0]) is str:
        size = sum(map(len, keys))
        budget.read(size * rounds)
        if not case_sensitive:
            budget.grow(size)
            keys = [key.casefold() for key in keys]
    order = sorted(range(len(keys)), key=keys.__getitem__, reverse=bool(reverse))
    return [rows[index] for index in order]


@declare(
    FILTERS,
    "flatten",
    group=_GROUP,
    doc="Lists inside the list replaced by their items, `depth` levels down.",
    examples=[
        Example("{{ [1, [2, [3]]]|flatten }}", [1, 2, [3]]),
        Example("{{ [1, [2, [3]]]|flatten(2) }}", [1, 2, 3]),
    ],
    keeps_parts=True,
)
def flatten(value: Json, budget: Budget, depth: Json = 1) -> Json:
    """Fewer levels of lists."""
    flat = items(value, budget)
    for _ in range(whole(depth, "depth", least=1, most=100)):
        if not any(type(item) is list for item in flat):
            break
        level, flat = flat, []
        for item in level:
            part = item if type(item) is list else [item]
            budget.spend(len(part) + 1)
            flat.extend(part)
    return flat


@declare(
    FILTERS,
    "batch",
    group=_GROUP,
    doc="Lists of `size` items each; the last may be shorter.",
    examples=[Example("{{ [1, 2, 3]|batch(2) }}", [[1, 2], [3]])],
    keeps_parts=True,
)
def batch(value: Json, budget: Budget, size: Json) -> Json:
    """The list in pieces."""
    rows, step = items(value, budget), whole(size, "size", least=1, most=1_000_000)
    budget.grow(_REFERENCE_BYTES * len(rows))
    return [rows[start : start + step] for start in range(0, len(rows), step)]


@declare(
    FILTERS,
    "compact",
    group=_GROUP,
    doc="Without null, empty texts, empty lists and empty objects.",
    examples=[Example("{{ [0, null, '', false, 'a']|compact }}", [0, False, "a"])],
    keeps_parts=True,
)
def compact(value: Json, budget: Budget) -> Json:
    """Items or values that hold something."""
    if isinstance(value, dict):
        budget.spend(len(value))
        return {key: item for key, item in value.items() if not _is_void(item)}
    return [item for item in items(value, budget) if not _is_void(item)]


@declare(
    FILTERS,
    "join",
    group=_GROUP,
    doc="One text of all items, or of this `attribute` of them, with `separator` between.",
    examples=[Example("{{ [1, 'a', null]|join('-') }}", "1-a-"), Example("{{ [{'n': 1}]|join(', ', 'n') }}", "1")],
)
def join(value: Json, budget: Budget, separator: Json = "", attribute: Json = None) -> Json:
    """Texts of the items, joined."""
    parts = needed(items(value, budget), attribute)
    between = text(separator, "needs text for separator")
    return join_texts([to_text(part, budget) for part in parts], between, budget)


def _sequence(value: Json) -> Json:
    if isinstance(value, list | str):
        return value
    raise Refusal("needs a list or text", code=Code.TYPE, value=value)


def _empty(value: Json) -> Json:
    _sequence(value)
    return MISSING


def _is_void(value: Json) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)
