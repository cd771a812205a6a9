"""Why did a condition decide as it did? Its operands with their values."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from jinja2 import nodes

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.describe import shown
from automation.engine.expressions.errors import ExpressionError, Refusal
from automation.engine.expressions.syntax.parser import parse
from automation.engine.expressions.syntax.source import Expression, split_source
from automation.engine.expressions.syntax.unparse import unparse
from automation.engine.expressions.template import Template, compile_template
from automation.engine.expressions.values import Json, Scope

MOST_OPERANDS = 10
_LONGEST_TEXT = 200
_LARGEST_BYTES = 300
_DEEPEST = 5
_LEAVES = (nodes.Name, nodes.Getattr, nodes.Getitem)


def explain(template: Template, scope: Scope) -> list[dict[str, Json]]:
    """The evaluated operands: `[{"expression": "steps.order.output.body.total", "value": 1200}]`.

    At most MOST_OPERANDS, values of at most some 300 bytes; a larger one is described and marked `shortened`.
    An operand that cannot be evaluated has `error` in place of `value`. Never raises.
    """
    return [_explained(operand, scope) for operand in _operands(template.source)]


@lru_cache(maxsize=512)
def _operands(source: str) -> tuple[str, ...]:
    """The source of each distinct operand, in the order of the text."""
    found: dict[str, None] = {}
    for part in split_source(source):
        if isinstance(part, Expression):
            for node in _leaves(parse(part)):
                found.setdefault(unparse(node))
    return tuple(text for text in list(found)[:MOST_OPERANDS] if len(text) <= _LONGEST_TEXT)


def _leaves(node: nodes.Node) -> Iterator[nodes.Node]:
    """What decides: paths, and whatever is compared, with the paths it is made of."""
    if isinstance(node, _LEAVES):
        yield node
        return
    if isinstance(node, nodes.Filter):
        yield node
    for child in node.iter_child_nodes():
        yield from _leaves(child)


def _explained(operand: str, scope: Scope) -> dict[str, Json]:
    try:
        value = compile_template(f"{{{{ {operand} }}}}").evaluate(scope)
    except ExpressionError as error:
        return {"expression": operand, "error": error.message[:_LONGEST_TEXT]}
    if _is_small(value):
        return {"expression": operand, "value": value}
    return {"expression": operand, "value": shown(value), "shortened": True}


def _is_small(value: Json) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST_TEXT
    try:
        Budget(depth=_DEEPEST, output_bytes=_LARGEST_BYTES).measure(value)
    except Refusal:
        return False
    return True
