"""`+ - * / // %`. A chain like `a + b + c` is one closure, however long."""

from __future__ import annotations

from jinja2 import nodes

from automation.engine.expressions import operators
from automation.engine.expressions.budget import Budget
from automation.engine.expressions.compiler.base import Compiler, Handlers
from automation.engine.expressions.errors import Refusal
from automation.engine.expressions.operators import Operator
from automation.engine.expressions.syntax.unparse import start_of
from automation.engine.expressions.values import Compiled, Json, Scope

_OPERATORS: dict[type[nodes.Node], Operator] = {
    nodes.Add: operators.add,
    nodes.Sub: operators.subtract,
    nodes.Mul: operators.multiply,
    nodes.Div: operators.divide,
    nodes.FloorDiv: operators.divide_whole,
    nodes.Mod: operators.remainder,
}


def _binary(node: nodes.BinExpr, compiler: Compiler) -> Compiled:
    position = start_of(node)
    rest: list[tuple[Operator, Compiled]] = []
    left: nodes.Expr = node
    while isinstance(left, nodes.BinExpr) and type(left) in _OPERATORS:
        compiler.charge(left)
        rest.append((_OPERATORS[type(left)], compiler.compile(left.right)))
        left = left.left
    rest.reverse()
    first = compiler.compile(left)
    return _single(first, *rest[0], position) if len(rest) == 1 else _chain(first, rest, position)


def _single(left: Compiled, operate: Operator, right: Compiled, position: int) -> Compiled:
    def calculate(scope: Scope, budget: Budget) -> Json:
        try:
            return operate(left(scope, budget), right(scope, budget), budget)
        except Refusal as refusal:
            refusal.at(position)
            raise

    return calculate


def _chain(first: Compiled, rest: list[tuple[Operator, Compiled]], position: int) -> Compiled:
    def calculate(scope: Scope, budget: Budget) -> Json:
        try:
            value = first(scope, budget)
            for operate, right in rest:
                value = operate(value, right(scope, budget), budget)
        except Refusal as refusal:
            refusal.at(position)
            raise
        return value

    return calculate


def _sign(node: nodes.Neg | nodes.Pos, compiler: Compiler) -> Compiled:
    operand = compiler.compile(node.node)
    position, is_negative = node.lineno, isinstance(node, nodes.Neg)

    def negate(scope: Scope, budget: Budget) -> Json:
        try:
            value = operators.negate(operand(scope, budget))
        except Refusal as refusal:
            refusal.at(position)
            raise
        return value if is_negative else -value

    return negate


HANDLERS: Handlers = {**dict.fromkeys(_OPERATORS, _binary), nodes.Neg: _sign, nodes.Pos: _sign}
