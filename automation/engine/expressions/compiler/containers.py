"""Literals, lists, objects and `~`."""

from __future__ import annotations

from jinja2 import nodes

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.compiler.base import Compiler, Handlers
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.json_text import join_texts, to_text
from automation.engine.expressions.syntax.unparse import start_of
from automation.engine.expressions.values import Compiled, Json, Scope


def _const(node: nodes.Const, _compiler: Compiler) -> Compiled:
    value = node.value
    return lambda _scope, _budget: value


def _list(node: nodes.List | nodes.Tuple, compiler: Compiler) -> Compiled:
    items = [compiler.compile(item) for item in node.items]
    return lambda scope, budget: [item(scope, budget) for item in items]


def _dict(node: nodes.Dict, compiler: Compiler) -> Compiled:
    pairs = [(compiler.compile(pair.key), compiler.compile(pair.value), start_of(pair.key)) for pair in node.items]

    def build(scope: Scope, budget: Budget) -> Json:
        return {_key(key(scope, budget), position): value(scope, budget) for key, value, position in pairs}

    return build


def _key(key: Json, position: int) -> str:
    if type(key) is str:
        return key
    raise Refusal(
        "a key of an object is text", code=Code.TYPE, value=key, position=position, hint="Convert it with |string."
    )


def _concat(node: nodes.Concat, compiler: Compiler) -> Compiled:
    parts = [compiler.compile(part) for part in node.nodes]
    position = start_of(node)

    def join(scope: Scope, budget: Budget) -> Json:
        values = [part(scope, budget) for part in parts]
        try:
            return join_texts([to_text(value, budget) for value in values], "", budget)
        except Refusal as refusal:
            refusal.at(position)
            raise

    return join


HANDLERS: Handlers = {
    nodes.Const: _const,
    nodes.List: _list,
    nodes.Tuple: _list,
    nodes.Dict: _dict,
    nodes.Concat: _concat,
}
