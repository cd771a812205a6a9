"""Can an expression repeat a large value? Only then is its result measured."""

from __future__ import annotations

from jinja2 import nodes

from automation.engine.expressions.declare import FILTERS


def may_repeat(node: nodes.Node | None) -> bool:
    """True unless the result surely holds each part of the scope at most once.

    `[body, body]` over ten steps is a thousand bodies: results are references, so nothing shows until they
    are written out. A path, a choice between paths and filters that only leave out or reorder cannot do that.
    """
    pile = [node]
    while pile:
        part = pile.pop()
        if part is None or isinstance(part, nodes.Const | nodes.Name | nodes.Getattr):
            continue
        if isinstance(part, nodes.Getitem):
            pile.append(part.node)
        elif isinstance(part, nodes.CondExpr):
            pile += (part.expr1, part.expr2)
        elif isinstance(part, nodes.And | nodes.Or):
            pile += (part.left, part.right)
        elif isinstance(part, nodes.Filter) and part.name in FILTERS and FILTERS[part.name].keeps_parts:
            pile.append(part.node)
            pile += part.args if FILTERS[part.name].name == "default" else ()
        else:
            return True
    return False
