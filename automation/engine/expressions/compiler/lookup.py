"""The hottest code of the language: following a path whose keys are all known.

One closure and one chain of subscripts for the usual lengths. Subscripts of JSON values reach keys and items
only; whatever fails (no such key, no such item, not a container) is looked at again, slowly, by `lost`.
"""

from __future__ import annotations

from collections.abc import Callable

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.values import Compiled, Json, Scope

_LOST = (KeyError, TypeError, IndexError)
Lost = Callable[[Scope], Json]


def lookup(keys: tuple[str | int, ...], lost: Lost) -> Compiled:
    """Code that returns `scope[key][key]…`, or what `lost` makes of a path that leads nowhere."""
    short = _SHORT.get(len(keys))
    return short(*keys, lost) if short else _any_length(keys, lost)


def _one(a: Json, lost: Lost) -> Compiled:
    def look(scope: Scope, _budget: Budget) -> Json:
        try:
            return scope[a]
        except _LOST:
            return lost(scope)

    return look


def _two(a: Json, b: Json, lost: Lost) -> Compiled:
    def look(scope: Scope, _budget: Budget) -> Json:
        try:
            return scope[a][b]
        except _LOST:
            return lost(scope)

    return look


def _three(a: Json, b: Json, c: Json, lost: Lost) -> Compiled:
    def look(scope: Scope, _budget: Budget) -> Json:
        try:
            return scope[a][b][c]
        except _LOST:
            return lost(scope)

    return look


def _four(a: Json, b: Json, c: Json, d: Json, lost: Lost) -> Compiled:
    def look(scope: Scope, _budget: Budget) -> Json:
        try:
            return scope[a][b][c][d]
        except _LOST:
            return lost(scope)

    return look


def _five(a: Json, b: Json, c: Json, d: Json, e: Json, lost: Lost) -> Compiled:
    def look(scope: Scope, _budget: Budget) -> Json:
        try:
            return scope[a][b][c][d][e]
        except _LOST:
            return lost(scope)

    return look


def _any_length(keys: tuple[str | int, ...], lost: Lost) -> Compiled:
    root, rest = str(keys[0]), keys[1:]

    def look(scope: Scope, _budget: Budget) -> Json:
        try:
            value = scope[root]
            for key in rest:
                value = value[key]
        except _LOST:
            return lost(scope)
        return value

    return look


_SHORT: dict[int, Callable[..., Compiled]] = {1: _one, 2: _two, 3: _three, 4: _four, 5: _five}
