"""Filters from one JSON kind to another, and `default` for what is not there."""

from __future__ import annotations

import re

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import FILTERS, Example, declare
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.json_text import to_text
from automation.engine.expressions.values import MISSING, Json, checked_number

_GROUP = "Converting"
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
    "": False,
}


@declare(
    FILTERS,
    "default",
    group=_GROUP,
    doc="The value, or `fallback` when it is missing or null; with `also_empty` also when it is empty, 0 or false. "
    "Covers the whole path and all filters to its left.",
    examples=[
        Example("{{ inputs.name|default('stranger') }}", "stranger", {"inputs": {}}),
        Example("{{ ''|default('stranger', true) }}", "stranger"),
    ],
    aliases=("d",),
    keeps_parts=True,
    takes_missing=True,
)
def default(value: Json, _budget: Budget, fallback: Json = "", also_empty: Json = False) -> Json:
    """Compiled specially so that `fallback` is evaluated only when needed; this one serves `map`."""
    return fallback if value is MISSING or value is None or (also_empty and not value) else value


@declare(
    FILTERS,
    "string",
    group=_GROUP,
    doc="The value as text: null is empty, objects and lists are compact JSON.",
    examples=[Example("{{ 5|string }}", "5"), Example("{{ [1, null]|string }}", "[1,null]")],
)
def string(value: Json, budget: Budget) -> Json:
    """Text of anything."""
    return to_text(value, budget)


@declare(
    FILTERS,
    "int",
    group=_GROUP,
    doc="A whole number: of a number or of text, the fraction cut off. `fallback` when it is none.",
    examples=[Example("{{ '42'|int }}", 42), Example("{{ 4.9|int }}", 4), Example("{{ 'n/a'|int(0) }}", 0)],
)
def int_(value: Json, _budget: Budget, fallback: Json = None) -> Json:
    """Whole number of a number or text."""
    number = _number_of(value)
    if number is None:
        return _or_refuse(value, fallback, "needs a number or text of one")
    return checked_number(int(number))


@declare(
    FILTERS,
    "float",
    group=_GROUP,
    doc="A number with a fraction: of a number or of text. `fallback` when it is none.",
    examples=[Example("{{ '3.50'|float }}", 3.5), Example("{{ 'n/a'|float(0.0) }}", 0.0)],
)
def float_(value: Json, _budget: Budget, fallback: Json = None) -> Json:
    """Fraction of a number or text."""
    number = _number_of(value)
    if number is None:
        return _or_refuse(value, fallback, "needs a number or text of one")
    return checked_number(float(number))


@declare(
    FILTERS,
    "bool",
    group=_GROUP,
    doc="True or false: of text `true yes on 1` or `false no off 0` or nothing, of a number (0 is false), "
    "of null (false).",
    examples=[Example("{{ 'Yes'|bool }}", True), Example("{{ 0|bool }}", False)],
    aliases=("boolean",),
)
def bool_(value: Json, _budget: Budget, fallback: Json = None) -> Json:
    """True or false of anything that means one."""
    if value is None or isinstance(value, bool | int | float):
        return bool(value)
    word = _WORDS.get(value.strip().lower()) if isinstance(value, str) and len(value) < 100 else None
    return _or_refuse(value, fallback, "needs true, false or a word for them") if word is None else word


@declare(
    FILTERS,
    "list",
    group=_GROUP,
    doc="A list as it is, the characters of a text, the keys of an object.",
    examples=[Example("{{ 'abc'|list }}", ["a", "b", "c"]), Example("{{ {'a': 1}|list }}", ["a"])],
    keeps_parts=True,
)
def list_(value: Json, budget: Budget) -> Json:
    """List of what a value consists of."""
    if type(value) is list:
        return value
    if type(value) is not dict and type(value) is not str:
        raise Refusal("needs a list, an object or text", code=Code.TYPE, value=value)
    budget.spend(len(value))
    return list(value)


def _number_of(value: Json) -> int | float | None:
    if type(value) is int or type(value) is float:
        return checked_number(value)
    if type(value) is not str or len(value) > 100 or not _NUMBER.fullmatch(written := value.strip()):
        return None
    return int(written) if written.lstrip("+-").isdecimal() else checked_number(float(written))


def _or_refuse(value: Json, fallback: Json, reason: str) -> Json:
    if fallback is None:
        raise Refusal(reason, code=Code.TYPE, value=value, hint="Give a fallback, as in |int(0).")
    return fallback
