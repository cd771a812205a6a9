"""All expressions of a document: that they can be read, and what each of them refers to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from automation.engine.document.parse import Document, StepDocument
from automation.engine.expressions import ExpressionError, compile_template, tree_errors
from automation.engine.fields import ONE_EXPRESSION_PATTERN
from automation.engine.kinds import Kind, Kinds
from automation.engine.pointers import pointer
from automation.engine.problem import Problem
from automation.engine.wording import shown

Json = Any
OPENING = "{{"
ITEM_ROOTS = frozenset({"item", "index"})
_ONE_EXPRESSION = re.compile(ONE_EXPRESSION_PATTERN)


@dataclass(frozen=True, slots=True)
class Place:
    """A value that may hold expressions. `step` is None outside steps; `has_item` where item and index exist."""

    pointer: str
    value: Json
    step: StepDocument | None = None
    has_item: bool = False

    @property
    def label(self) -> str:
        """How messages begin."""
        return self.step.label if self.step else "The output"


def places(document: Document, kinds: Kinds) -> Iterator[Place]:
    """Every value in which expressions are evaluated."""
    for step in document.steps():
        yield from _step_places(step, kinds)
    yield Place("/output", document.output)


def _step_places(step: StepDocument, kinds: Kinds) -> Iterator[Place]:
    kind = kinds.get(step.uses or "")
    with_items = item_keys(kind) if kind else frozenset()
    yield Place(step.at("if"), step.fields.get("if"), step, has_item=step.is_repeated)
    for key, value in step.config.items():
        yield Place(step.at("with", key), value, step, has_item=step.is_repeated or key in with_items)
    yield Place(step.at("for_each"), step.fields.get("for_each"), step)
    for field in ("while", "call", "output"):
        yield Place(step.at(field), step.fields.get(field), step, has_item=step.is_repeated)


def item_keys(kind: Kind) -> frozenset[str]:
    """The keys of a kind's `with` that are evaluated once per item of a list, marked `x-item` in its schema."""
    properties = kind.config_schema.get("properties", {})
    return frozenset(key for key in kind.lazy if properties.get(key, {}).get("x-item"))


def check_expressions(place: Place) -> Iterator[Problem]:
    """Every expression that cannot be read."""
    for error in tree_errors(place.value):
        yield Problem("expression", f"{place.label}: {error.message}", place.pointer + error.pointer)


def check_conditions(document: Document) -> Iterator[Problem]:
    """Every `if` that is not one whole expression: with text around it, it would always be true."""
    for step in document.steps():
        condition = step.fields.get("if")
        if isinstance(condition, str) and _ONE_EXPRESSION.match(condition) is None:
            wanted = 'one expression such as "{{ inputs.amount > 100 }}"'
            message = f'{step.label}: "if" must be {wanted}, got {shown(condition)}.'
            yield Problem("constant_condition", message, step.at("if"))


def references(place: Place) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Pointers and paths of all that the expressions of a place refer to, in the document's order."""
    for at, text in _texts(place):
        try:
            paths = compile_template(text).references
        except ExpressionError:
            continue  # told by check_expressions
        for path in sorted(paths, key=str):
            yield at, path


def _texts(place: Place) -> Iterator[tuple[str, str]]:
    pending = [(place.pointer, place.value)]
    while pending:
        at, value = pending.pop()
        if isinstance(value, str) and OPENING in value:
            yield at, value
        elif isinstance(value, dict):
            pending.extend((pointer([key], base=at), inner) for key, inner in reversed(value.items()))
        elif isinstance(value, list):
            pending.extend((f"{at}/{index}", value[index]) for index in range(len(value) - 1, -1, -1))
