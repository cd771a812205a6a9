"""Expressions: `{{ steps.order.output.body.total > 1000 }}` over plain JSON values.

Jinja2's parser reads them, our own closures run them: no attribute of a Python object is ever reached, nothing
can be called, and operations, depth and output are limited. The language is described in docs/expressions.md.
"""

from __future__ import annotations

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.errors import Code, ExpressionError
from automation.engine.expressions.explain import explain
from automation.engine.expressions.filters import FILTERS
from automation.engine.expressions.predicates import TESTS
from automation.engine.expressions.template import Template, compile_template, render
from automation.engine.expressions.tree import Reference, Tree, compile_tree, tree_errors

__all__ = [
    "FILTERS",
    "TESTS",
    "Budget",
    "Code",
    "ExpressionError",
    "Reference",
    "Template",
    "Tree",
    "compile_template",
    "compile_tree",
    "explain",
    "references",
    "render",
    "tree_errors",
]


def references(source: str) -> frozenset[tuple[str | int, ...]]:
    """The paths that a template reads, as far as they are known before it runs."""
    return compile_template(source).references
