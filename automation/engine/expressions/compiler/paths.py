"""Paths: `steps.order.output.body["total"]`, `rows[0]`, `rows[-1]`, `table[inputs.key]`, `rows[1:3]`.

A path is only ever looked up in objects, lists and texts of plain JSON: there is no attribute to reach.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from jinja2 import nodes

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.compiler.base import DEEPEST_NODES, Compiler, Handlers
from automation.engine.expressions.compiler.lookup import lookup
from automation.engine.expressions.describe import named
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.missing import lost_computed, lost_item, lost_path, path_text
from automation.engine.expressions.operators import part_of
from automation.engine.expressions.syntax.unparse import key_text, start_of, unparse
from automation.engine.expressions.values import MISSING, Compiled, Json, Scope

_LONGEST_WHERE = 250  # of a path in a message
_KEYWORDS = frozenset({"and", "or", "not", "if", "else", "is", "in", "for", "import"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step down a path: a key that is known, or a node that computes it."""

    key: str | int | None
    node: nodes.Node | None
    position: int


def compile_path(node: nodes.Expr, compiler: Compiler, *, is_lenient: bool = False) -> Compiled:
    """Code that looks a path up. Static beginnings are one closure, whatever their length."""
    base, steps = _unwind(node, compiler)
    if not isinstance(base, nodes.Name):
        code = compiler.lenient(base) if is_lenient else compiler.compile(base)
        return _walk(code, unparse(base), steps, compiler, is_lenient=is_lenient)
    static = next((i for i, step in enumerate(steps) if step.key is None), len(steps))
    keys = (_root(base), *(step.key for step in steps[:static] if step.key is not None))
    positions = (base.lineno, *(step.position for step in steps[:static]))
    compiler.references.add(keys)
    if not is_lenient:
        compiler.required.add(keys)

    def lost(scope: Scope) -> Json:
        if is_lenient:
            return MISSING
        raise lost_path(scope, keys, positions)

    return _walk(lookup(keys, lost), path_text(keys), steps[static:], compiler, is_lenient=is_lenient)


def _root(base: nodes.Name) -> str:
    if base.name in _KEYWORDS:
        raise Refusal(f"{named(base.name)} is not a value", code=Code.SYNTAX, position=base.lineno)
    return base.name


def _unwind(node: nodes.Expr, compiler: Compiler) -> tuple[nodes.Expr, list[Step]]:
    """What the path begins with, and its steps."""
    steps: list[Step] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        steps.append(_step(node))
        compiler.charge(node)
        node = node.node
    steps.reverse()
    return node, steps


def _step(node: nodes.Getattr | nodes.Getitem) -> Step:
    if isinstance(node, nodes.Getattr):
        return Step(node.attr, None, node.lineno + 1)  # behind the dot
    key, position = node.arg, start_of(node.arg)
    if isinstance(key, nodes.Neg) and isinstance(key.node, nodes.Const) and type(key.node.value) is int:
        return Step(-key.node.value, None, position)
    if not isinstance(key, nodes.Const):
        return Step(None, key, position)
    if type(key.value) is str or type(key.value) is int:
        return Step(key.value, None, position)
    raise Refusal("a key is text or a whole number", code=Code.TYPE, value=key.value, position=position)


def _walk(code: Compiled, where: str, steps: list[Step], compiler: Compiler, *, is_lenient: bool) -> Compiled:
    """Code of the steps that follow `code`; `where` is the path so far, for messages."""
    if len(steps) > DEEPEST_NODES:
        reason = f"a path may have {DEEPEST_NODES} parts behind the first that has to be computed"
        raise Refusal(reason, code=Code.BUDGET, position=steps[0].position)
    for step in steps:
        where = where[:_LONGEST_WHERE]
        if isinstance(step.node, nodes.Slice):
            code = _slice(code, step.node, compiler)
        elif step.node is not None:
            lost = partial(lost_computed, where=where, position=step.position)
            code = _take(code, compiler.compile(step.node), _nothing if is_lenient else lost)
        else:
            lost = partial(lost_item, where=where, position=step.position)
            code = _take(code, _constant(step.key), _nothing if is_lenient else lost)
        where += f"[{unparse(step.node)}]" if step.node is not None else key_text(step.key)
    return code


def _constant(key: Json) -> Compiled:
    return lambda _scope, _budget: key


def _nothing(_container: Json, _key: Json) -> None:
    """Lenient code has no reason to give."""


def _take(container: Compiled, key: Compiled, lost: Callable[[Json, Json], Refusal | None]) -> Compiled:
    def take(scope: Scope, budget: Budget) -> Json:
        value = container(scope, budget)
        name = key(scope, budget)
        kind = type(value)
        try:
            if (kind is dict and type(name) is str) or ((kind is list or kind is str) and type(name) is int):
                return value[name]
        except (KeyError, IndexError):
            pass
        refusal = lost(value, name)
        if refusal is None:
            return MISSING
        raise refusal

    return take


def _slice(container: Compiled, node: nodes.Slice, compiler: Compiler) -> Compiled:
    if node.step is not None:
        raise Refusal("[from:to] takes no third part", code=Code.SYNTAX, position=start_of(node), hint="Use |reverse.")
    start = compiler.compile(node.start or nodes.Const(None, lineno=node.lineno))
    stop = compiler.compile(node.stop or nodes.Const(None, lineno=node.lineno))

    def part(scope: Scope, budget: Budget) -> Json:
        value = container(scope, budget)
        if value is MISSING:
            return MISSING
        try:
            return part_of(value, start(scope, budget), stop(scope, budget), budget)
        except Refusal as refusal:
            refusal.at(node.lineno)
            raise

    return part


def _name(node: nodes.Name, compiler: Compiler) -> Compiled:
    if node.name == "null":
        return lambda _scope, _budget: None
    return compile_path(node, compiler)


def _lenient(node: nodes.Expr, compiler: Compiler) -> Compiled:
    if isinstance(node, nodes.Name) and node.name == "null":
        return _name(node, compiler)
    return compile_path(node, compiler, is_lenient=True)


HANDLERS: Handlers = {nodes.Name: _name, nodes.Getattr: compile_path, nodes.Getitem: compile_path}
LENIENT_HANDLERS: Handlers = dict.fromkeys(HANDLERS, _lenient)
