"""Can an expression repeat a large value? Only then is its result measured."""

from __future__ import annotations

from jinja2 import nodes

from automation.engine.expressions.declare import FILTERS


def may_repeat(node: nodes.Node | None) -> bool:
    """True unless the result surely holds each part of the scope at most once.

    `[body, body]` over ten steps is a thousand bodies: results are references, so nothing shows until they
    are written out. A path, a choice between paths and filters that only leave out or reorder cannot do that.
    """
    if node is None or isinstance(node, nodes.Const | nodes.Name | nodes.Getattr):
        return False
    if isinstance(node, nodes.Getitem):
        return may_repeat(node.node)
    if isinstance(node, nodes.CondExpr):
        return may_repeat(node.expr1) or may_repeat(node.expr2)
    if isinstance(node, nodes.And | nodes.Or):
        return may_repeat(node.left) or may_repeat(node.right)
    if isinstance(node, nodes.Filter) and node.name in FILTERS and FILTERS[node.name].keeps_parts:
        return may_repeat(node.node) or (FILTERS[node.name].name == "default" and any(map(may_repeat, node.args)))
    return True
