"""Tests that compare with another value: the operators by name, for `select` and `selectattr`."""

from __future__ import annotations

from automation.engine.expressions import operators
from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import TESTS, Example, declare
from automation.engine.expressions.filters.text import read
from automation.engine.expressions.values import Json, text

_GROUP = "How it compares"


@declare(
    TESTS,
    "eq",
    group=_GROUP,
    doc="Equal to `other`.",
    examples=[Example("{{ 1 is eq 1.0 }}", True)],
    aliases=("equalto", "=="),
)
def is_equal(value: Json, budget: Budget, other: Json) -> bool:
    """`==`."""
    return operators.equal(value, other, budget)


@declare(
    TESTS, "ne", group=_GROUP, doc="Not equal to `other`.", examples=[Example("{{ 1 is ne 2 }}", True)], aliases=("!=",)
)
def is_not_equal(value: Json, budget: Budget, other: Json) -> bool:
    """`!=`."""
    return not operators.equal(value, other, budget)


@declare(
    TESTS,
    "gt",
    group=_GROUP,
    doc="Greater than `other`.",
    examples=[Example("{{ 2 is gt 1 }}", True)],
    aliases=("greaterthan", ">"),
)
def is_greater(value: Json, budget: Budget, other: Json) -> bool:
    """`>`."""
    return operators.less(other, value, budget)


@declare(
    TESTS,
    "ge",
    group=_GROUP,
    doc="Greater than or equal to `other`.",
    examples=[Example("{{ 2 is ge 2 }}", True)],
    aliases=(">=",),
)
def is_greater_or_equal(value: Json, budget: Budget, other: Json) -> bool:
    """`>=`."""
    return operators.less_or_equal(other, value, budget)


@declare(
    TESTS,
    "lt",
    group=_GROUP,
    doc="Less than `other`.",
    examples=[Example("{{ 'a' is lt 'b' }}", True)],
    aliases=("lessthan", "<"),
)
def is_less(value: Json, budget: Budget, other: Json) -> bool:
    """`<`."""
    return operators.less(value, other, budget)


@declare(
    TESTS,
    "le",
    group=_GROUP,
    doc="Less than or equal to `other`.",
    examples=[Example("{{ 3 is le 2 }}", False)],
    aliases=("<=",),
)
def is_less_or_equal(value: Json, budget: Budget, other: Json) -> bool:
    """`<=`."""
    return operators.less_or_equal(value, other, budget)


@declare(
    TESTS,
    "in",
    group=_GROUP,
    doc="An item of a list, a key of an object or a part of a text.",
    examples=[Example("{{ 'EU' is in ['EU', 'US'] }}", True)],
)
def is_in(value: Json, budget: Budget, container: Json) -> bool:
    """`in`."""
    return operators.contains(container, value, budget)


@declare(
    TESTS,
    "containing",
    group=_GROUP,
    doc="Has `part` as an item, a key or a piece of its text: `in` the other way round.",
    examples=[Example("{{ [['a'], ['b']]|select('containing', 'b') }}", [["b"]])],
    aliases=("contains",),
)
def is_containing(value: Json, budget: Budget, part: Json) -> bool:
    """`in` with its sides swapped."""
    return operators.contains(value, part, budget)


@declare(
    TESTS,
    "startingwith",
    group=_GROUP,
    doc="Text that begins with `part`.",
    examples=[Example("{{ ['a1', 'b1']|select('startingwith', 'a') }}", ["a1"])],
    aliases=("startswith",),
)
def is_starting_with(value: Json, budget: Budget, part: Json) -> bool:
    """Prefix."""
    return text(value).startswith(read(part, budget))


@declare(
    TESTS,
    "endingwith",
    group=_GROUP,
    doc="Text that ends with `part`.",
    examples=[Example("{{ 'a.png' is endingwith '.png' }}", True)],
    aliases=("endswith",),
)
def is_ending_with(value: Json, budget: Budget, part: Json) -> bool:
    """Suffix."""
    return text(value).endswith(read(part, budget))
