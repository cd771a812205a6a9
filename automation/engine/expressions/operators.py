"""What the operators mean between JSON values: `== < in + ~` and their kin."""

from __future__ import annotations

from collections.abc import Callable

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.values import Json, checked_number, number, whole

Operator = Callable[[Json, Json, Budget], Json]

_LONG_TEXT = 4096  # shorter ones compare faster than they can be charged


def equal(left: Json, right: Json, budget: Budget) -> bool:
    """True when both are the same JSON value: 1 equals 1.0, true equals only true, objects ignore order."""
    kind = type(left)
    if kind is str:
        if kind is type(right) and len(left) == len(right) > _LONG_TEXT:
            budget.read(len(left))
        return bool(left == right)
    if left is None or kind is bool or type(right) is bool:
        return left is right
    if kind is int or kind is float:
        return bool(left == right)
    return _same_containers(left, right, budget)


def _same_containers(left: Json, right: Json, budget: Budget) -> bool:
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if type(one) is not list and type(one) is not dict:
            if not equal(one, other, budget):
                return False
        elif type(one) is not type(other) or not _queue_parts(one, other, pairs, budget):
            return False
    return True


def _queue_parts(one: Json, other: Json, pairs: list[tuple[Json, Json]], budget: Budget) -> bool:
    """Put the parts of two lists or two objects on the pile; False when they cannot be equal."""
    if len(one) != len(other):
        return False
    budget.spend(len(one))
    if type(one) is list:
        pairs.extend(zip(one, other, strict=True))
        return True
    if one.keys() != other.keys():
        return False
    pairs.extend((value, other[key]) for key, value in one.items())
    return True


def contains(whole_value: Json, part: Json, budget: Budget) -> bool:
    """True when `part` is an item of a list, a key of an object or a part of a text."""
    if type(whole_value) is list:
        budget.spend(len(whole_value))
        return any(equal(item, part, budget) for item in whole_value)
    if type(whole_value) is dict:
        return type(part) is str and part in whole_value
    if type(whole_value) is not str:
        raise Refusal("needs a list, an object or text to look in", code=Code.TYPE, value=whole_value)
    if type(part) is not str:
        raise Refusal("can look only for text in text", code=Code.TYPE, value=part, hint="Convert it with |string.")
    budget.read(len(whole_value))
    return part in whole_value


_ORDERED = {int: "number", float: "number", str: "text"}


def check_ordered(left: Json, right: Json) -> None:
    """Refuse to order anything but two numbers or two texts."""
    one, other = _ORDERED.get(type(left)), _ORDERED.get(type(right))
    if one is not None and one == other:
        return
    raise Refusal(
        "only two numbers or two texts have an order",
        code=Code.TYPE,
        value=left if one is None or (one == "text" and other is not None) else right,
        hint="Convert one with |float or |string.",
    )


def less(left: Json, right: Json, budget: Budget) -> bool:
    """`left < right`."""
    _prepare_order(left, right, budget)
    return bool(left < right)


def less_or_equal(left: Json, right: Json, budget: Budget) -> bool:
    """`left <= right`."""
    _prepare_order(left, right, budget)
    return bool(left <= right)


def _prepare_order(left: Json, right: Json, budget: Budget) -> None:
    kind = type(left)
    if kind is not type(right) or kind not in _ORDERED:
        check_ordered(left, right)
    if kind is str and len(left) > _LONG_TEXT:
        budget.read(len(left))


def add(left: Json, right: Json, budget: Budget) -> Json:
    """Sum of numbers; two texts or two lists one after the other."""
    kind = type(left)
    if kind is type(right) and (kind is str or kind is list):
        budget.grow((len(left) + len(right)) * (1 if kind is str else 8))
        return left + right
    if kind is str or type(right) is str:
        raise Refusal(
            "+ adds two numbers or joins two texts",
            code=Code.TYPE,
            value=right if kind is str else left,
            hint="Join anything as text with ~, or convert with |int or |float.",
        )
    return checked_number(_operand(left, "+") + _operand(right, "+"))


def subtract(left: Json, right: Json, _budget: Budget) -> Json:
    """`left - right`."""
    return checked_number(_operand(left, "-") - _operand(right, "-"))


def multiply(left: Json, right: Json, _budget: Budget) -> Json:
    """`left * right`; a text or list is never repeated."""
    return checked_number(_operand(left, "*") * _operand(right, "*"))


def divide(left: Json, right: Json, _budget: Budget) -> Json:
    """`left / right`, always a fraction."""
    return checked_number(_operand(left, "/") / _divisor(right, "/"))


def divide_whole(left: Json, right: Json, _budget: Budget) -> Json:
    """`left // right`, rounded down."""
    return checked_number(_operand(left, "//") // _divisor(right, "//"))


def remainder(left: Json, right: Json, _budget: Budget) -> Json:
    """`left % right`, with the sign of `right`; nothing formats text."""
    return checked_number(_operand(left, "%") % _divisor(right, "%"))


def negate(value: Json) -> Json:
    """`-value`."""
    return -_operand(value, "-")


def _operand(value: Json, sign: str) -> int | float:
    return checked_number(number(value, f"{sign} needs numbers"))


def _divisor(value: Json, sign: str) -> int | float:
    divisor = _operand(value, sign)
    if divisor == 0:
        raise Refusal(f"{sign} cannot divide by zero", value=value, hint="Guard it: {{ a / b if b else 0 }}.")
    return divisor


def part_of(value: Json, start: Json, stop: Json, budget: Budget) -> Json:
    """`value[start:stop]` of a list or a text."""
    kind = type(value)
    if kind is not list and kind is not str:
        raise Refusal("only a list or a text has parts like [1:3]", code=Code.TYPE, value=value)
    limit = len(value) + 1
    first = None if start is None else max(-limit, min(limit, _bound(start)))
    last = None if stop is None else max(-limit, min(limit, _bound(stop)))
    size = len(range(*slice(first, last).indices(len(value))))
    budget.grow(size * (1 if kind is str else 8))
    budget.read(size * (1 if kind is str else 32))
    return value[first:last]


def _bound(value: Json) -> int:
    return whole(value, "the ends of [from:to]", least=-(2**63), most=2**63)
