"""Why did a condition decide as it did? Its operands with their values."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from jinja2 import nodes

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.describe import shown
from automation.engine.expressions.errors import Code, ExpressionError, Refusal
from automation.engine.expressions.syntax.parser import parse
from automation.engine.expressions.syntax.source import Expression, split_source
from automation.engine.expressions.syntax.unparse import unparse
from automation.engine.expressions.template import Template, compile_template
from automation.engine.expressions.values import Json, Scope

MOST_OPERANDS = 10
_LONGEST_TEXT = 200
_LARGEST_BYTES = 300  # more than a text of 200 characters
_DEEPEST = 5
_PATHS = (nodes.Name, nodes.Getattr, nodes.Getitem)


def explain(template: Template, scope: Scope) -> list[dict[str, Json]]:
    """The evaluated operands: `[{"expression": "steps.order.output.body.total", "value": 1200}]`.

    At most MOST_OPERANDS, values of at most some 300 bytes; a larger one is described and marked `shortened`.
    In place of `value` stands `missing` for a path that leads nowhere, `secret` for what may not be shown and
    `error` for what cannot be evaluated. Never raises.
    """
    budget = Budget()
    return [{"expression": operand, **_explained(operand, scope, budget)} for operand in _operands(template.source)]


@lru_cache(maxsize=512)
def _operands(source: str) -> tuple[str, ...]:
    """The source of each distinct operand, in the order of the text."""
    found: dict[str, None] = {}
    for part in split_source(source):
        if isinstance(part, Expression):
            for node in _leaves(parse(part)):
                found.setdefault(unparse(node))
    return tuple(text for text in list(found)[:MOST_OPERANDS] if len(text) <= _LONGEST_TEXT)


def _leaves(tree: nodes.Node) -> Iterator[nodes.Node]:
    """What decides: paths, and what filters make of them."""
    pile = [tree]
    while pile:
        node = pile.pop()
        if isinstance(node, _PATHS) and not (isinstance(node, nodes.Name) and node.name == "null"):
            yield node
        elif isinstance(node, nodes.Filter):
            yield node
            pile.extend([node.node] if node.node else [])
        else:
            pile.extend(reversed(list(node.iter_child_nodes())))


def _explained(operand: str, scope: Scope, budget: Budget) -> dict[str, Json]:
    try:
        template = compile_template(f"{{{{ {operand} }}}}")
        if template.is_secret:
            return {"secret": True}
        value = template.evaluate(scope, budget)
    except ExpressionError as error:
        return {"missing": True} if error.code is Code.UNDEFINED else {"error": error.message[:_LONGEST_TEXT]}
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return {"value": f"{value[:_LONGEST_TEXT]}…", "shortened": True}
    return {"value": value} if _is_small(value) else {"value": shown(value), "shortened": True}


def _is_small(value: Json) -> bool:
    try:
        Budget(depth=_DEEPEST, output_bytes=_LARGEST_BYTES).measure(value)
    except Refusal:
        return isinstance(value, str)
    return True
