"""Filters between values and JSON text."""

from __future__ import annotations

import json

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import FILTERS, Example, declare
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.json_text import to_indented_json, to_json
from automation.engine.expressions.syntax.literals import storable
from automation.engine.expressions.values import Json, checked_number, text, whole

_GROUP = "Converting"


@declare(
    FILTERS,
    "tojson",
    group=_GROUP,
    doc="The value as JSON text; `indent` (1 to 8) writes it over several lines.",
    examples=[
        Example("{{ {'a': [1, true]}|tojson }}", '{"a":[1,true]}'),
        Example("{{ [1]|tojson(indent=2) }}", "[\n  1\n]"),
    ],
)
def tojson(value: Json, budget: Budget, indent: Json = None) -> Json:
    """JSON text."""
    if indent is None:
        return to_json(value, budget)
    return to_indented_json(value, whole(indent, "indent", least=1, most=8), budget)


@declare(
    FILTERS,
    "fromjson",
    group=_GROUP,
    doc="The value that a JSON text holds.",
    examples=[Example("""{{ '{"id": 7}'|fromjson }}""", {"id": 7})],
)
def fromjson(value: Json, budget: Budget) -> Json:
    """Value of JSON text, with only what JSON can carry and a database can keep."""
    source = text(value)
    budget.read(len(source))
    budget.spend(sum(map(source.count, ",:[{")))
    try:
        parsed = json.loads(source, parse_int=_whole, parse_float=_fraction, parse_constant=_constant)
    except RecursionError:
        raise Refusal("the JSON is nested too deep", code=Code.BUDGET) from None
    except ValueError as error:
        raise Refusal(f"cannot read the JSON ({error})", value=value) from None
    budget.take(parsed)
    if "\\u" in source:
        _check_texts(parsed)
    return parsed


def _whole(digits: str) -> int | float:
    return checked_number(int(digits)) if len(digits) <= 40 else checked_number(10**40)


def _fraction(digits: str) -> int | float:
    return checked_number(float(digits))


def _constant(name: str) -> Json:
    raise Refusal(f"cannot read the JSON ({name} is not JSON)")


def _check_texts(value: Json) -> None:
    """Refuse texts and keys with NUL or half of a surrogate pair, which only escapes can smuggle in."""
    pile = [value]
    while pile:
        item = pile.pop()
        if isinstance(item, dict):
            pile.extend(item)
            pile.extend(item.values())
        elif isinstance(item, list):
            pile.extend(item)
        elif isinstance(item, str):
            storable(item)
