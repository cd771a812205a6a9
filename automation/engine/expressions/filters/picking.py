"""`map`, `select` and their kin: a filter or a test for each item. The compiler resolves its name beforehand."""

from __future__ import annotations

from automation.engine.expressions.attributes import getter, needed
from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import FILTERS, Declared, Example, Function, declare
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.values import MISSING, Json, items

_GROUP = "Lists"
_REFERENCE_BYTES = 8
_ROWS = {"rows": [{"id": 1, "open": True, "total": 30}, {"id": 2, "open": False, "total": 5}]}


@declare(
    FILTERS,
    "map",
    group=_GROUP,
    doc="For each item the part `attribute` (or `default` where it is missing), or what the named filter makes of it.",
    examples=[
        Example("{{ rows|map(attribute='total') }}", [30, 5], _ROWS),
        Example("{{ rows|map(attribute='note', default='-') }}", ["-", "-"], _ROWS),
        Example("{{ ['a', 'b']|map('upper') }}", ["A", "B"]),
        Example("{{ [1.234, 5.678]|map('round', precision=1) }}", [1.2, 5.7]),
    ],
    usage="map(attribute=…, default=…) or map(filter, arguments…)",
)
def map_items(value: Json, budget: Budget, function: Function, *arguments: Json) -> Json:
    """What `function` makes of each item."""
    rows = items(value, budget)
    made: list[Json] = []
    try:
        for item in rows:
            made.append(function(item, budget, *arguments))  # noqa: PERF401 (how far it came is for the refusal)
    except Refusal as refusal:
        refusal.of_item(len(made))
        raise
    if MISSING in made:
        raise Refusal("finds nothing", code=Code.UNDEFINED).of_item(made.index(MISSING))
    budget.grow(_REFERENCE_BYTES * len(made))
    return made


def map_attribute(value: Json, budget: Budget, attribute: Json, default: Json = MISSING) -> Json:
    """One part of each item."""
    rows = items(value, budget)
    budget.grow(_REFERENCE_BYTES * len(rows))
    take = getter(attribute, None)  # refuses what is no attribute
    if default is MISSING:
        return needed(rows, attribute)
    return [default if part is None else part for part in map(take, rows)]


@declare(
    FILTERS,
    "select",
    group=_GROUP,
    doc="The items that pass the named test; without a name, those that are not empty, 0, false or null.",
    examples=[Example("{{ [1, 2, 3]|select('gt', 1) }}", [2, 3]), Example("{{ [0, 1, '']|select }}", [1])],
    keeps_parts=True,
    usage="select(test, arguments…)",
)
def select(value: Json, budget: Budget, test: Declared, *arguments: Json) -> Json:
    """Items that pass."""
    return _kept(value, budget, None, test, arguments, wanted=True)


@declare(
    FILTERS,
    "reject",
    group=_GROUP,
    doc="The items that do not pass the named test; without a name, the empty ones.",
    examples=[Example("{{ [1, 2, 3]|reject('even') }}", [1, 3])],
    keeps_parts=True,
    usage="reject(test, arguments…)",
)
def reject(value: Json, budget: Budget, test: Declared, *arguments: Json) -> Json:
    """Items that do not pass."""
    return _kept(value, budget, None, test, arguments, wanted=False)


@declare(
    FILTERS,
    "selectattr",
    group=_GROUP,
    doc="The items whose part `attribute` passes the named test; without a name, those where it is not empty or false. "
    "A missing part counts as null.",
    examples=[
        Example("{{ rows|selectattr('open')|map(attribute='id') }}", [1], _ROWS),
        Example("{{ rows|selectattr('total', 'lt', 10)|map(attribute='id') }}", [2], _ROWS),
    ],
    keeps_parts=True,
    usage="selectattr(attribute, test, arguments…)",
)
def selectattr(value: Json, budget: Budget, test: Declared, attribute: Json, *arguments: Json) -> Json:
    """Items whose part passes."""
    return _kept(value, budget, attribute, test, arguments, wanted=True)


@declare(
    FILTERS,
    "rejectattr",
    group=_GROUP,
    doc="The items whose part `attribute` does not pass the named test.",
    examples=[Example("{{ rows|rejectattr('open')|map(attribute='id') }}", [2], _ROWS)],
    keeps_parts=True,
    usage="rejectattr(attribute, test, arguments…)",
)
def rejectattr(value: Json, budget: Budget, test: Declared, attribute: Json, *arguments: Json) -> Json:
    """Items whose part does not pass."""
    return _kept(value, budget, attribute, test, arguments, wanted=False)


def _is_truthy(value: Json, _budget: Budget) -> bool:
    return bool(value)


TRUTHY = Declared("truthy", "", "The test when none is named.", _is_truthy, (), ())


def _kept(
    value: Json, budget: Budget, attribute: Json, test: Declared, arguments: tuple[Json, ...], *, wanted: bool
) -> list[Json]:
    rows = items(value, budget)
    parts = rows if attribute is None else map(getter(attribute, MISSING if test.takes_missing else None), rows)
    if test is TRUTHY:
        return [row for row, part in zip(rows, parts, strict=True) if bool(part) is wanted]
    function = test.function
    index = -1
    kept: list[Json] = []
    try:
        for part in parts:
            index += 1
            if function(part, budget, *arguments) is wanted:
                kept.append(rows[index])
    except Refusal as refusal:
        refusal.of_item(index)
        raise
    budget.grow(_REFERENCE_BYTES * len(kept))
    return kept
