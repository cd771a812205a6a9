"""The vocabulary of the evaluator: plain JSON values, the scope, compiled code, and the limits of a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.errors import NOTHING, Code, Refusal

Json = Any  # None, bool, int, float, str, list and dict with text keys; nothing else ever
Scope = Mapping[str, Json]
Compiled = Callable[[Scope, Budget], Json]  # a node made ready to run

MISSING: Final = NOTHING  # what lenient code returns for a path that leads nowhere
LARGEST_WHOLE: Final = 2**63 - 1  # what every JSON reader, database column and language can carry


def checked_number(value: int | float) -> int | float:
    """`value` when JSON can carry it: whole numbers of 64 bits, finite fractions."""
    if type(value) is int:
        if -LARGEST_WHOLE <= value <= LARGEST_WHOLE:
            return value
        raise Refusal("the result is beyond the whole numbers of 64 bits", value=value)
    if isfinite(value):
        return value
    raise Refusal("the result is too large for a number")


def number(value: Json, what: str = "needs a number") -> int | float:
    """`value` as a number; true and false are none."""
    if type(value) is int or type(value) is float:
        return value
    hint = "Convert it with |int or |float." if isinstance(value, str) else ""
    raise Refusal(what, code=Code.TYPE, value=value, hint=hint)


def whole(value: Json, what: str, *, least: int, most: int) -> int:
    """`value` as a whole number between `least` and `most`, both included."""
    if type(value) is not int:
        raise Refusal(f"needs a whole number for {what}", code=Code.TYPE, value=value)
    if not least <= value <= most:
        raise Refusal(f"needs {least} to {most} for {what}", value=value)
    return value


def text(value: Json, what: str = "needs text") -> str:
    """`value` as text; nothing is converted silently."""
    if type(value) is str:
        return value
    raise Refusal(what, code=Code.TYPE, value=value, hint="Convert it with |string." if value is not None else "")


def items(value: Json, budget: Budget) -> list[Json]:
    """`value` as a list, with one operation charged per item."""
    if type(value) is list:
        budget.spend(len(value))
        return value
    hint = "Take its |keys, |values or |items." if isinstance(value, dict) else ""
    raise Refusal("needs a list", code=Code.TYPE, value=value, hint=hint)


def mapping(value: Json, budget: Budget) -> dict[str, Json]:
    """`value` as an object, with one operation charged per key."""
    if type(value) is dict:
        budget.spend(len(value))
        return value
    raise Refusal("needs an object", code=Code.TYPE, value=value)
