"""Filters on numbers, and on lists of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from math import fsum

from automation.engine.expressions.attributes import needed
from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import FILTERS, Example, declare
from automation.engine.expressions.errors import Refusal
from automation.engine.expressions.operators import check_ordered
from automation.engine.expressions.values import MISSING, Json, checked_number, items, number, text, whole

_GROUP = "Numbers"
_DIGITS = Context(prec=700)  # the largest fraction has 309 digits before the point, the smallest 324 behind it


@declare(
    FILTERS,
    "round",
    group=_GROUP,
    doc="Rounded to `precision` digits behind the point, halves away from zero; a whole number when `precision` is 0.",
    examples=[
        Example("{{ 2.5|round }}", 3),
        Example("{{ 1.005|round(2) }}", 1.01),
        Example("{{ 1234|round(-2) }}", 1200),
    ],
)
def round_(value: Json, _budget: Budget, precision: Json = 0) -> Json:
    """Rounded as people do on paper, from the digits that are shown."""
    return _rounded(value, whole(precision, "precision", least=-20, most=20), ROUND_HALF_UP)


@declare(FILTERS, "ceil", group=_GROUP, doc="The next whole number up.", examples=[Example("{{ 1.2|ceil }}", 2)])
def ceil(value: Json, _budget: Budget) -> Json:
    """Rounded up."""
    return _rounded(value, 0, ROUND_CEILING)


@declare(FILTERS, "floor", group=_GROUP, doc="The next whole number down.", examples=[Example("{{ 1.8|floor }}", 1)])
def floor(value: Json, _budget: Budget) -> Json:
    """Rounded down."""
    return _rounded(value, 0, ROUND_FLOOR)


@declare(FILTERS, "abs", group=_GROUP, doc="Without its sign.", examples=[Example("{{ -5|abs }}", 5)])
def abs_(value: Json, _budget: Budget) -> Json:
    """Absolute value."""
    return checked_number(abs(number(value)))


@declare(
    FILTERS,
    "format_number",
    group=_GROUP,
    doc="As text with `decimals` digits behind the point (null: as many as there are), thousands apart.",
    examples=[
        Example("{{ 1234567.891|format_number(2) }}", "1,234,567.89"),
        Example("{{ 1234.5|format_number(2, '.', ',') }}", "1.234,50"),
    ],
)
def format_number(
    value: Json, _budget: Budget, decimals: Json = None, thousands: Json = ",", point: Json = "."
) -> Json:
    """Number for people."""
    exact = Decimal(repr(checked_number(number(value))))
    if decimals is not None:
        exact = _quantized(exact, whole(decimals, "decimals", least=0, most=20), ROUND_HALF_UP)
    signs = {",": _sign(thousands, "thousands"), ".": _sign(point, "point")}
    return "".join(signs.get(c, c) for c in f"{exact:,f}")


@declare(
    FILTERS,
    "sum",
    group=_GROUP,
    doc="The sum of a list of numbers, or of this `attribute` of its items.",
    examples=[Example("{{ [1, 2, 3.5]|sum }}", 6.5), Example("{{ [{'n': 1}, {'n': 2}]|sum(attribute='n') }}", 3)],
)
def sum_(value: Json, budget: Budget, attribute: Json = None) -> Json:
    """Total. Fractions are added without loss: 0.1 + 0.2 + 0.3 is 0.6."""
    values = needed(items(value, budget), attribute)
    kinds = set(map(type, values))
    if not kinds <= {int, float}:
        index = next(i for i, item in enumerate(values) if type(item) not in (int, float))
        raise Refusal(f"needs numbers and item {index} is none", value=values[index])
    try:
        return checked_number(fsum(values) if float in kinds else sum(values))
    except (OverflowError, ValueError):
        raise Refusal("the sum is too large for a number") from None


@declare(
    FILTERS,
    "min",
    group=_GROUP,
    doc="The smallest item of a list of numbers or texts, or the item with the smallest `attribute`.",
    examples=[Example("{{ [3, 1, 2]|min }}", 1), Example("{{ [{'n': 2}, {'n': 1}]|min('n') }}", {"n": 1})],
    keeps_parts=True,
)
def min_(value: Json, budget: Budget, attribute: Json = None) -> Json:
    """Smallest item, MISSING of none."""
    return _extreme(value, budget, attribute, min)


@declare(
    FILTERS,
    "max",
    group=_GROUP,
    doc="The largest item of a list of numbers or texts, or the item with the largest `attribute`.",
    examples=[Example("{{ [3, 1, 2]|max }}", 3), Example("{{ ['a', 'b']|max }}", "b")],
    keeps_parts=True,
)
def max_(value: Json, budget: Budget, attribute: Json = None) -> Json:
    """Largest item, MISSING of none."""
    return _extreme(value, budget, attribute, max)


def check_one_kind(values: list[Json], budget: Budget) -> None:
    """Refuse values that have no common order; charge the reading of long texts."""
    kinds = set(map(type, values))
    if not (kinds <= {int, float} or kinds == {str}):
        for index, item in enumerate(values):
            try:
                check_ordered(item, values[0])
            except Refusal as refusal:
                refusal.of_item(index)
                raise
    if str in kinds:
        budget.read(sum(map(len, values)))


def _extreme(value: Json, budget: Budget, attribute: Json, choose: Callable[..., int]) -> Json:
    rows = items(value, budget)
    keys = needed(rows, attribute)
    check_one_kind(keys, budget)
    return rows[choose(range(len(keys)), key=keys.__getitem__)] if keys else MISSING


def _rounded(value: Json, precision: int, rounding: str) -> int | float:
    checked = checked_number(number(value))
    if type(checked) is int and precision >= 0:
        return checked
    exact = _quantized(Decimal(repr(checked)), precision, rounding)
    return checked_number(int(exact) if precision <= 0 else float(exact))


def _quantized(value: Decimal, precision: int, rounding: str) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-precision), rounding=rounding, context=_DIGITS)


def _sign(value: Json, what: str) -> str:
    sign = text(value, f"needs text for {what}")
    if len(sign) > 5:
        raise Refusal(f"needs at most 5 characters for {what}", value=value)
    return sign
