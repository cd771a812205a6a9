"""The document against the published JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from automation.engine.document.limits import Limits
from automation.engine.document.naming import Names
from automation.engine.document.parse import Document
from automation.engine.document.templates import OPENING
from automation.engine.problem import Problem
from automation.engine.schema import document_checker
from automation.engine.wording import counted


def check_shape(document: Document) -> Iterator[Problem]:
    """Unknown fields, missing fields and wrong types, everywhere but inside `with` and `inputs`."""
    names = Names(document)
    for violation in document_checker().violations(document.fields):
        yield names.problem(violation)


def check_size(document: Document, limits: Limits) -> Iterator[Problem]:
    """The number of steps and of expressions, and the depth of containers."""
    count = sum(1 for _ in document.steps())
    if count > limits.steps:
        message = f"The document has {counted(count, 'step')}; at most {limits.steps} are allowed. Split the workflow."
        yield Problem("too_many_steps", message, "/steps")
    texts = _expressions(document.fields)
    if texts > limits.expressions:
        most = f"at most {limits.expressions} are allowed"
        message = f"The document has {counted(texts, 'text')} with expressions; {most}. Go through lists with a kind."
        yield Problem("too_many_expressions", message)
    for body in document.bodies():
        depth = body.around.depth
        if depth == limits.depth + 1:
            message = f"Containers are nested {depth} deep; at most {limits.depth} levels are allowed. Flatten them."
            yield Problem("too_deep", message, body.pointer)


def _expressions(value: Any) -> int:
    """How many texts hold an expression."""
    count, pending = 0, [value]
    while pending:
        current = pending.pop()
        if isinstance(current, str):
            count += OPENING in current
        elif isinstance(current, Mapping):
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)
    return count
