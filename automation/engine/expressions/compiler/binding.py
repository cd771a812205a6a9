"""Which argument is which: checked once, when a filter or test is compiled."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import nodes

from automation.engine.expressions.compiler.base import Compiler, literal
from automation.engine.expressions.declare import Declared, Parameter
from automation.engine.expressions.describe import named
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.suggestions import closest
from automation.engine.expressions.values import MISSING, Compiled, Json


def bind(
    declared: Declared, given: Sequence[nodes.Expr], keywords: Sequence[nodes.Keyword], *, position: int
) -> list[nodes.Expr]:
    """The nodes of all arguments in the order of the parameters; defaults are constants."""
    by_name = _by_name(declared, keywords)
    arguments: list[nodes.Expr] = []
    left = list(given)
    for parameter in declared.parameters:
        if parameter.is_many:
            arguments.extend(left)
            left = []
        else:
            arguments.append(_argument(declared, parameter, left, by_name, position))
    if left:
        raise _wrong(declared, f"takes {_count(declared)}, got {len(given)}", left[0].lineno)
    return arguments


def constants_of(arguments: Sequence[nodes.Expr]) -> tuple[Json, ...] | None:
    """The values of arguments that are all written out, None when one has to be computed."""
    values = tuple(literal(argument) for argument in arguments)
    return None if MISSING in values else values


def compile_all(arguments: Sequence[nodes.Expr], compiler: Compiler) -> list[Compiled]:
    """Code of each argument."""
    return [compiler.compile(argument) for argument in arguments]


def _by_name(declared: Declared, keywords: Sequence[nodes.Keyword]) -> dict[str, nodes.Expr]:
    names = [parameter.name for parameter in declared.parameters if not parameter.is_many]
    found: dict[str, nodes.Expr] = {}
    for keyword in keywords:
        if keyword.key not in names:
            refusal = _wrong(declared, f"has no argument {named(keyword.key)}", keyword.lineno)
            refusal.suggestion = closest(keyword.key, names)
            raise refusal
        if keyword.key in found:
            raise _wrong(declared, f"got {named(keyword.key)} twice", keyword.lineno)
        found[keyword.key] = keyword.value
    return found


def _argument(
    declared: Declared, parameter: Parameter, left: list[nodes.Expr], by_name: dict[str, nodes.Expr], position: int
) -> nodes.Expr:
    keyword = by_name.get(parameter.name)
    if left and keyword is None:
        return left.pop(0)
    if keyword is not None:
        if left:
            raise _wrong(declared, f"got {named(parameter.name)} twice", keyword.lineno)
        return keyword
    if parameter.default is MISSING:
        raise _wrong(declared, f"needs {named(parameter.name)}", position)
    return nodes.Const(parameter.default, lineno=position)


def _count(declared: Declared) -> str:
    most = len(declared.parameters)
    return "no arguments" if not most else f"at most {most} argument{'s' if most > 1 else ''}"


def _wrong(declared: Declared, what: str, position: int) -> Refusal:
    return Refusal(
        f"{declared.name} {what}", code=Code.SYNTAX, position=position, hint=f"It is written {declared.signature}."
    )
