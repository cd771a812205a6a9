"""`and or not`, `a if b else c`, comparisons and their chains."""

from __future__ import annotations

from jinja2 import nodes

from automation.engine.expressions import operators
from automation.engine.expressions.budget import Budget
from automation.engine.expressions.compiler.base import Compiler, Handlers, literal
from automation.engine.expressions.errors import Refusal
from automation.engine.expressions.operators import Operator
from automation.engine.expressions.syntax.unparse import start_of
from automation.engine.expressions.values import MISSING, Compiled, Json, Scope

_COMPARISONS: dict[str, Operator] = {
    "eq": operators.equal,
    "ne": lambda left, right, budget: not operators.equal(left, right, budget),
    "lt": operators.less,
    "lteq": operators.less_or_equal,
    "gt": lambda left, right, budget: operators.less(right, left, budget),
    "gteq": lambda left, right, budget: operators.less_or_equal(right, left, budget),
    "in": lambda left, right, budget: operators.contains(right, left, budget),
    "notin": lambda left, right, budget: not operators.contains(right, left, budget),
}


def _and(node: nodes.And, compiler: Compiler) -> Compiled:
    operands = _flat(node, compiler)

    def decide(scope: Scope, budget: Budget) -> Json:
        value: Json = None
        for operand in operands:
            value = operand(scope, budget)
            if not value:
                break
        return value

    return decide


def _or(node: nodes.Or, compiler: Compiler) -> Compiled:
    operands = _flat(node, compiler)

    def decide(scope: Scope, budget: Budget) -> Json:
        value: Json = None
        for operand in operands:
            value = operand(scope, budget)
            if value:
                break
        return value

    return decide


def _flat(node: nodes.And | nodes.Or, compiler: Compiler) -> list[Compiled]:
    """The operands of `a or b or c`: a tree that leans left, as one list."""
    operands: list[Compiled] = []
    left: nodes.Expr = node
    while isinstance(left, type(node)):
        compiler.charge(left)
        operands.append(compiler.compile(left.right))
        left = left.left
    return [compiler.compile(left), *reversed(operands)]


def _not(node: nodes.Not, compiler: Compiler) -> Compiled:
    operand = compiler.compile(node.node)
    return lambda scope, budget: not operand(scope, budget)


def _if(node: nodes.CondExpr, compiler: Compiler) -> Compiled:
    test = compiler.compile(node.test)
    then = compiler.compile(node.expr1)
    otherwise = compiler.compile(node.expr2 or nodes.Const(None, lineno=node.lineno))
    return lambda scope, budget: then(scope, budget) if test(scope, budget) else otherwise(scope, budget)


def _compare(node: nodes.Compare, compiler: Compiler) -> Compiled:
    first, position = compiler.compile(node.expr), start_of(node)
    rest = [(_COMPARISONS[operand.op], _operand(operand, compiler)) for operand in node.ops]
    if len(rest) == 1:
        return _single(first, *rest[0], position)

    def compare(scope: Scope, budget: Budget) -> Json:
        try:
            left = first(scope, budget)
            for operate, operand in rest:
                right = operand(scope, budget)
                if not operate(left, right, budget):
                    return False
                left = right
        except Refusal as refusal:
            refusal.at(position)
            raise
        return True

    return compare


def _operand(operand: nodes.Operand, compiler: Compiler) -> Compiled:
    """Code of what is compared with; the list in `region in ["EU", "US"]` is built once and never handed out."""
    code = compiler.compile(operand.expr)
    if operand.op in ("in", "notin") and isinstance(operand.expr, nodes.List | nodes.Tuple):
        values = [literal(item) for item in operand.expr.items]
        return code if MISSING in values else lambda _scope, _budget: values
    return code


def _single(left: Compiled, operate: Operator, right: Compiled, position: int) -> Compiled:
    def compare(scope: Scope, budget: Budget) -> Json:
        try:
            return operate(left(scope, budget), right(scope, budget), budget)
        except Refusal as refusal:
            refusal.at(position)
            raise

    return compare


HANDLERS: Handlers = {
    nodes.And: _and,
    nodes.Or: _or,
    nodes.Not: _not,
    nodes.CondExpr: _if,
    nodes.Compare: _compare,
}
