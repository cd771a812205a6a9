"""Filters and tests: `name|upper`, `rows|sort(attribute='total')`, `inputs.note is defined`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from jinja2 import nodes

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.compiler.base import Compiler, Handlers
from automation.engine.expressions.compiler.binding import bind, compile_all, constants_of
from automation.engine.expressions.compiler.picking import bind_filter, find_filter, find_test
from automation.engine.expressions.declare import Function
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.values import MISSING, Compiled, Json, Scope

_MAY_FIND_NOTHING = frozenset({"first", "last", "min", "max"})


def _filter(node: nodes.Filter, compiler: Compiler) -> Compiled:
    declared = find_filter(node.name, node.lineno)
    if declared.name == "default":
        return _default(node, compiler)
    function, arguments = bind_filter(declared, node.args, _named(node), node.lineno)
    code = _call(function, _operand(node, compiler), arguments, node.lineno, f"|{node.name}", compiler)
    return _found(code, node) if declared.name in _MAY_FIND_NOTHING else code


def _lenient_filter(node: nodes.Filter, compiler: Compiler) -> Compiled:
    """Like `_filter`, but passes on that there is nothing, for the `default` or `is defined` to its right."""
    declared = find_filter(node.name, node.lineno)
    if declared.name == "default":
        return _default(node, compiler)
    function, arguments = bind_filter(declared, node.args, _named(node), node.lineno)

    def unless_missing(value: Json, budget: Budget, *values: Json) -> Json:
        return MISSING if value is MISSING else function(value, budget, *values)

    operand = _operand(node, compiler, is_lenient=True)
    return _call(unless_missing, operand, arguments, node.lineno, f"|{node.name}", compiler)


def _default(node: nodes.Filter, compiler: Compiler) -> Compiled:
    """`a|default(b)`: b is evaluated only when it is needed."""
    operand = _operand(node, compiler, is_lenient=True)
    arguments = bind(find_filter("default", node.lineno), node.args, _named(node), position=node.lineno)
    fallback, empty = compile_all(arguments, compiler)

    def choose(scope: Scope, budget: Budget) -> Json:
        value = operand(scope, budget)
        if value is MISSING or value is None or (not value and empty(scope, budget)):
            return fallback(scope, budget)
        return value

    return choose


def _test(node: nodes.Test, compiler: Compiler) -> Compiled:
    declared = find_test(node.name, node.lineno)
    arguments = bind(declared, node.args, _named(node), position=node.lineno)
    operand = _operand(node, compiler, is_lenient=declared.takes_missing)
    return _call(declared.function, operand, arguments, node.lineno, f"is {node.name}", compiler)


def _operand(node: nodes.Filter | nodes.Test, compiler: Compiler, *, is_lenient: bool = False) -> Compiled:
    inner = node.node or nodes.Const(None, lineno=node.lineno)
    return compiler.lenient(inner) if is_lenient else compiler.compile(inner)


def _named(node: nodes.Filter | nodes.Test) -> Sequence[nodes.Keyword]:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise Refusal("* and ** do not exist here", code=Code.SYNTAX, position=node.lineno)
    return cast(Sequence[nodes.Keyword], node.kwargs)  # Jinja types them as pairs


def _call(
    function: Function, operand: Compiled, arguments: list[nodes.Expr], position: int, within: str, compiler: Compiler
) -> Compiled:
    """Code that calls `function(value, budget, *arguments)`; arguments that are written out cost nothing."""
    constants = constants_of(arguments)
    codes = compile_all(arguments, compiler) if constants is None else []

    def call_constant(scope: Scope, budget: Budget) -> Json:
        try:
            return function(operand(scope, budget), budget, *constants or ())
        except Refusal as refusal:
            refusal.at(position, within=within)
            raise

    def call(scope: Scope, budget: Budget) -> Json:
        try:
            return function(operand(scope, budget), budget, *[code(scope, budget) for code in codes])
        except Refusal as refusal:
            refusal.at(position, within=within)
            raise

    return call if constants is None else call_constant


def _found(code: Compiled, node: nodes.Filter) -> Compiled:
    reason, position = f"|{node.name} finds nothing", node.lineno

    def found(scope: Scope, budget: Budget) -> Json:
        value = code(scope, budget)
        if value is not MISSING:
            return value
        raise Refusal(reason, code=Code.UNDEFINED, position=position, hint="Use |default(…) for that case.")

    return found


HANDLERS: Handlers = {nodes.Filter: _filter, nodes.Test: _test}
LENIENT_HANDLERS: Handlers = {nodes.Filter: _lenient_filter}
