"""Tests of what a value is."""

from __future__ import annotations

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import TESTS, Example, declare
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.values import MISSING, Json, whole

_GROUP = "What a value is"


@declare(
    TESTS,
    "defined",
    group=_GROUP,
    doc="The path leads somewhere, even to null.",
    examples=[
        Example("{{ inputs.a is defined }}", True, {"inputs": {"a": None}}),
        Example("{{ nothing is defined }}", False),
    ],
    takes_missing=True,
)
def is_defined(value: Json, _budget: Budget) -> bool:
    """Not MISSING."""
    return value is not MISSING


@declare(
    TESTS,
    "undefined",
    group=_GROUP,
    doc="The path leads nowhere.",
    examples=[Example("{{ inputs.a is undefined }}", True, {"inputs": {}})],
    takes_missing=True,
)
def is_undefined(value: Json, _budget: Budget) -> bool:
    """MISSING."""
    return value is MISSING


@declare(
    TESTS,
    "none",
    group=_GROUP,
    doc="The value is null.",
    examples=[Example("{{ null is none }}", True), Example("{{ 0 is null }}", False)],
    aliases=("null",),
)
def is_none(value: Json, _budget: Budget) -> bool:
    """Null."""
    return value is None


@declare(TESTS, "string", group=_GROUP, doc="Text.", examples=[Example("{{ 'a' is string }}", True)])
def is_string(value: Json, _budget: Budget) -> bool:
    """Text."""
    return type(value) is str


@declare(
    TESTS,
    "number",
    group=_GROUP,
    doc="A number; true and false are none.",
    examples=[Example("{{ 1.5 is number }}", True), Example("{{ true is number }}", False)],
)
def is_number(value: Json, _budget: Budget) -> bool:
    """Number."""
    return type(value) is int or type(value) is float


@declare(TESTS, "integer", group=_GROUP, doc="A whole number.", examples=[Example("{{ 2 is integer }}", True)])
def is_integer(value: Json, _budget: Budget) -> bool:
    """Whole number."""
    return type(value) is int


@declare(TESTS, "float", group=_GROUP, doc="A number with a fraction.", examples=[Example("{{ 2.0 is float }}", True)])
def is_float(value: Json, _budget: Budget) -> bool:
    """Fraction."""
    return type(value) is float


@declare(TESTS, "boolean", group=_GROUP, doc="True or false.", examples=[Example("{{ false is boolean }}", True)])
def is_boolean(value: Json, _budget: Budget) -> bool:
    """True or false."""
    return type(value) is bool


@declare(TESTS, "true", group=_GROUP, doc="Exactly true.", examples=[Example("{{ 1 is true }}", False)])
def is_true(value: Json, _budget: Budget) -> bool:
    """True."""
    return value is True


@declare(TESTS, "false", group=_GROUP, doc="Exactly false.", examples=[Example("{{ false is false }}", True)])
def is_false(value: Json, _budget: Budget) -> bool:
    """False."""
    return value is False


@declare(
    TESTS, "list", group=_GROUP, doc="A list.", examples=[Example("{{ [1] is list }}", True)], aliases=("sequence",)
)
def is_list(value: Json, _budget: Budget) -> bool:
    """List."""
    return type(value) is list


@declare(
    TESTS,
    "mapping",
    group=_GROUP,
    doc="An object.",
    examples=[Example("{{ {} is mapping }}", True)],
    aliases=("object",),
)
def is_mapping(value: Json, _budget: Budget) -> bool:
    """Object."""
    return type(value) is dict


@declare(
    TESTS,
    "empty",
    group=_GROUP,
    doc="Null, or a text, list or object without parts.",
    examples=[Example("{{ [] is empty }}", True), Example("{{ 0 is empty }}", False)],
)
def is_empty(value: Json, _budget: Budget) -> bool:
    """Holds nothing."""
    return value is None or (isinstance(value, str | list | dict) and not value)


@declare(TESTS, "even", group=_GROUP, doc="A whole number divisible by 2.", examples=[Example("{{ 4 is even }}", True)])
def is_even(value: Json, _budget: Budget) -> bool:
    """Even."""
    return _whole(value) % 2 == 0


@declare(
    TESTS, "odd", group=_GROUP, doc="A whole number not divisible by 2.", examples=[Example("{{ 4 is odd }}", False)]
)
def is_odd(value: Json, _budget: Budget) -> bool:
    """Odd."""
    return _whole(value) % 2 == 1


@declare(
    TESTS,
    "divisibleby",
    group=_GROUP,
    doc="A whole number divisible by `by`.",
    examples=[Example("{{ 9 is divisibleby 3 }}", True)],
)
def is_divisible(value: Json, _budget: Budget, by: Json) -> bool:
    """Divisible."""
    return _whole(value) % whole(by, "by", least=1, most=2**63) == 0


def _whole(value: Json) -> int:
    if type(value) is int:
        return value
    raise Refusal("needs a whole number", code=Code.TYPE, value=value)
