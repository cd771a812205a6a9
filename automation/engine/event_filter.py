"""What an event must be like: patterns of its source and subject, and a filter on its data. Pure.

The filter is written as in Amazon EventBridge's event patterns: objects say where to look, the list at a place says
what may stand there. No pattern ever backtracks; the work is bounded by the size of filter and data.
Source: docs.aws.amazon.com/eventbridge, "Comparison operators for use in event patterns".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from automation.engine.cloud_events import CloudEvent
from automation.engine.pointers import pointer
from automation.engine.problem import Problem
from automation.engine.wording import shown

Json = Any

DEEPEST = 10
MOST_MATCHERS = 200
_ABSENT = object()
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


def wants(config: Mapping[str, Json], event: CloudEvent) -> bool:
    """True for an event that a config asks for. Its `type` was compared when it was queued, and is again."""
    return (
        _fits_one(config.get("type"), event.type)
        and _fits_one(config.get("source"), event.source)
        and _fits_one(config.get("subject"), event.subject)
        and (not config.get("data") or matches(config["data"], None if event.is_binary else event.data))
    )


def fits(pattern: str, text: str) -> bool:
    """True when a text is the pattern, or begins like it when it ends in a star."""
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def matches(wanted: Mapping[str, Json], data: Json) -> bool:
    """True when data fits a checked filter: every place named holds one of what its list allows."""
    for name, inner in wanted.items():
        value = data.get(name, _ABSENT) if isinstance(data, dict) else _ABSENT
        if isinstance(inner, dict):
            among = value if isinstance(value, list) else [value]
            if not any(matches(inner, None if one is _ABSENT else one) for one in among or [_ABSENT]):
                return False
        elif not _holds(inner, value):
            return False
    return True


def problems(wanted: Json) -> Iterator[Problem]:
    """Everything wrong with a filter; pointers into it."""
    count = yield from _problems(wanted, ())
    if count > MOST_MATCHERS:
        yield Problem("too_many", f"A filter has at most {MOST_MATCHERS} values, got {count}.", "")


def _fits_one(patterns: Json, text: str) -> bool:
    if patterns is None:
        return True
    return any(fits(one, text) for one in (patterns if isinstance(patterns, list) else [patterns]))


def _holds(allowed: Sequence[Json], value: Json) -> bool:
    """One of the matchers fits the value, or an element of it when it is a list."""
    if any(_fits_value(one, value) for one in allowed):
        return True
    return isinstance(value, list) and any(_fits_value(one, element) for one in allowed for element in value)


def _fits_value(matcher: Json, value: Json) -> bool:
    if not isinstance(matcher, dict):
        return value is not _ABSENT and _is_same(matcher, value)
    ((operator, operand),) = matcher.items()
    if operator == "exists":
        return (value is not _ABSENT) is bool(operand)
    return value is not _ABSENT and _OPERATORS[operator](operand, value)


def _is_same(wanted: Json, value: Json) -> bool:
    """JSON's equality: true is not 1, and 1 is 1.0."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    return (type(wanted) is type(value) and wanted == value) or (_are_numbers(wanted, value) and wanted == value)


def _are_numbers(*values: Json) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _is_none_of(operand: Json, value: Json) -> bool:
    if isinstance(operand, dict):
        return isinstance(value, str) and not _fits_value(operand, value)
    return not any(_is_same(one, value) for one in (operand if isinstance(operand, list) else [operand]))


def _is_within(operand: Sequence[Json], value: Json) -> bool:
    if not _are_numbers(value):
        return False
    return all(_SIGNS[sign](value, bound) for sign, bound in zip(operand[::2], operand[1::2], strict=True))


_OPERATORS: Mapping[str, Callable[[Json, Json], bool]] = {
    "prefix": lambda operand, value: isinstance(value, str) and value.startswith(operand),
    "suffix": lambda operand, value: isinstance(value, str) and value.endswith(operand),
    "equals-ignore-case": lambda operand, value: isinstance(value, str) and value.casefold() == operand.casefold(),
    "anything-but": _is_none_of,
    "numeric": _is_within,
}
KNOWN = ("exists", *_OPERATORS)


def _problems(wanted: Json, path: tuple[str | int, ...]) -> Any:
    """Yield the problems of an object of places; return how many matchers it holds."""
    if not isinstance(wanted, dict) or not wanted:
        yield Problem("wrong_type", f"Here stands an object of names, got {shown(wanted)}.", pointer(path))
        return 0
    if len(path) >= DEEPEST:
        yield Problem("too_deep", f"A filter goes at most {DEEPEST} names deep.", pointer(path))
        return 0
    count = 0
    for name, inner in wanted.items():
        if isinstance(inner, list):
            count += len(inner)
            yield from _list_problems(inner, (*path, name))
        else:
            count += yield from _problems(inner, (*path, name))
    return count


def _list_problems(allowed: list[Json], path: tuple[str | int, ...]) -> Iterator[Problem]:
    if not allowed:
        yield Problem("empty", "An empty list allows nothing. Name what may stand here.", pointer(path))
    for index, matcher in enumerate(allowed):
        said = _matcher_problem(matcher)
        if said:
            yield Problem("wrong_matcher", said, pointer((*path, index)))


def _matcher_problem(matcher: Json, *, inner: bool = False) -> str:
    if isinstance(matcher, list):
        return "A list cannot stand in a list here."
    if not isinstance(matcher, dict):
        return ""
    operators = ("prefix", "suffix", "equals-ignore-case") if inner else KNOWN
    if len(matcher) != 1 or next(iter(matcher)) not in operators:
        return f"An operator is one of {', '.join(operators)}, got {shown(', '.join(matcher))}."
    ((operator, operand),) = matcher.items()
    return _operand_problem(operator, operand)


def _operand_problem(operator: str, operand: Json) -> str:
    if operator == "exists":
        return "" if isinstance(operand, bool) else f"exists is true or false, got {shown(operand)}."
    if operator == "numeric":
        return _numeric_problem(operand)
    if operator != "anything-but":
        return "" if isinstance(operand, str) else f"{operator} is a text, got {shown(operand)}."
    if isinstance(operand, dict):
        return _matcher_problem(operand, inner=True)
    among = operand if isinstance(operand, list) else [operand]
    if among and not any(isinstance(one, dict | list) for one in among):
        return ""
    return f"anything-but is a value, a list of values, or one operator, got {shown(operand)}."


def _numeric_problem(operand: Json) -> str:
    good = (
        isinstance(operand, list)
        and len(operand) in (2, 4)
        and all(isinstance(sign, str) and sign in _SIGNS for sign in operand[::2])
        and all(_are_numbers(bound) and math.isfinite(bound) for bound in operand[1::2])
    )
    return "" if good else f'numeric is a list as in [">", 0, "<=", 5], got {shown(operand)}.'
