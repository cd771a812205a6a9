"""The source of a node again, in one spelling: for messages and for "why was this skipped?"."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from jinja2 import nodes

_OPERATORS: dict[type[nodes.Node], str] = {
    nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/", nodes.FloorDiv: "//", nodes.Mod: "%",
    nodes.Pow: "**", nodes.And: "and", nodes.Or: "or",
}  # fmt: skip
_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in"}
_SIMPLE = (nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.List, nodes.Dict, nodes.Tuple)


def unparse(node: nodes.Node) -> str:
    """The expression of `node`: `steps.order.output.body.total > 1000`."""
    if isinstance(node, nodes.BinExpr):
        return _chain(node)
    writer = _WRITERS.get(type(node))
    return writer(node) if writer else type(node).__name__.lower()


def key_text(key: Any) -> str:
    """How a key is written after what it is taken from: `.total`, `["first name"]`, `[0]`."""
    if isinstance(key, str) and key.isidentifier():
        return f".{key}"
    return f"[{json.dumps(key, ensure_ascii=not str(key).isprintable())}]"


def start_of(node: nodes.Node) -> int:
    """Offset of the first character of `node`; Jinja keeps that of its operator, dot or filter name."""
    while True:
        if isinstance(node, nodes.BinExpr):
            node = node.left
        elif isinstance(node, nodes.Compare):
            node = node.expr
        elif isinstance(node, nodes.CondExpr):
            node = node.expr1
        elif isinstance(node, nodes.Concat):
            node = node.nodes[0]
        elif isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Filter | nodes.Test | nodes.Call) and node.node:
            node = node.node
        else:
            return node.lineno


def _operand(node: nodes.Node) -> str:
    return unparse(node) if isinstance(node, _SIMPLE) else f"({unparse(node)})"


def _chain(node: nodes.BinExpr) -> str:
    """`a + b + c`, a tree that leans left, without one frame for each operand."""
    kind, operands = type(node), []
    left: nodes.Expr = node
    while type(left) is kind and isinstance(left, nodes.BinExpr):
        operands.append(_operand(left.right))
        left = left.left
    return f" {_OPERATORS[kind]} ".join([_operand(left), *reversed(operands)])


def _list(items: list[nodes.Expr]) -> str:
    return ", ".join(map(unparse, items))


def _const(node: nodes.Const) -> str:
    return json.dumps(node.value, ensure_ascii=False)


def _getitem(node: nodes.Getitem) -> str:
    key = key_text(node.arg.value) if isinstance(node.arg, nodes.Const) else f"[{unparse(node.arg)}]"
    return f"{_operand(node.node)}{key}"


def _slice(node: nodes.Slice) -> str:
    return ":".join(unparse(part) if part else "" for part in (node.start, node.stop))


def _compare(node: nodes.Compare) -> str:
    return " ".join([_operand(node.expr), *(f"{_COMPARISONS[o.op]} {_operand(o.expr)}" for o in node.ops)])


def _condition(node: nodes.CondExpr) -> str:
    otherwise = f" else {_operand(node.expr2)}" if node.expr2 else ""
    return f"{_operand(node.expr1)} if {_operand(node.test)}{otherwise}"


def _call(node: nodes.Filter | nodes.Test) -> str:
    arguments = [*map(unparse, node.args), *(f"{k.key}={unparse(k.value)}" for k in node.kwargs)]
    return f"{node.name}({', '.join(arguments)})" if arguments else node.name


def _filter(node: nodes.Filter) -> str:
    return f"{_operand(node.node)}|{_call(node)}" if node.node else _call(node)


def _not(node: nodes.Not) -> str:
    if isinstance(node.node, nodes.Test):
        return f"{_operand(node.node.node)} is not {_call(node.node)}"
    return f"not {_operand(node.node)}"


_WRITERS: dict[type[nodes.Node], Callable[[Any], str]] = {
    nodes.Const: _const,
    nodes.Name: lambda node: str(node.name),
    nodes.Getattr: lambda node: f"{_operand(node.node)}.{node.attr}",
    nodes.Getitem: _getitem,
    nodes.Slice: _slice,
    nodes.Compare: _compare,
    nodes.CondExpr: _condition,
    nodes.Concat: lambda node: " ~ ".join(map(_operand, node.nodes)),
    nodes.List: lambda node: f"[{_list(node.items)}]",
    nodes.Tuple: lambda node: f"[{_list(node.items)}]",
    nodes.Dict: lambda node: "{" + ", ".join(f"{unparse(p.key)}: {unparse(p.value)}" for p in node.items) + "}",
    nodes.Neg: lambda node: f"-{_operand(node.node)}",
    nodes.Pos: lambda node: f"+{_operand(node.node)}",
    nodes.Not: _not,
    nodes.Filter: _filter,
    nodes.Test: lambda node: f"{_operand(node.node)} is {_call(node)}",
    nodes.Call: lambda node: f"{_operand(node.node)}(…)",
}
