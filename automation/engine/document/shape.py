"""The document against the published JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator

from automation.engine.document.limits import Limits
from automation.engine.document.naming import Names
from automation.engine.document.parse import Document
from automation.engine.problem import Problem
from automation.engine.schema import document_checker
from automation.engine.wording import counted


def check_shape(document: Document) -> Iterator[Problem]:
    """Unknown fields, missing fields and wrong types, everywhere but inside `with` and `inputs`."""
    names = Names(document)
    for violation in document_checker().violations(document.fields):
        yield names.problem(violation)


def check_size(document: Document, limits: Limits) -> Iterator[Problem]:
    """The number of steps and the depth of containers."""
    count = sum(1 for _ in document.steps())
    if count > limits.steps:
        message = f"The document has {counted(count, 'step')}; at most {limits.steps} are allowed. Split the workflow."
        yield Problem("too_many_steps", message, "/steps")
    for body in document.bodies():
        depth = body.pointer.count("/steps/") + body.pointer.count("/try/")
        if depth == limits.depth + 1:
            message = f"Containers are nested {depth} deep; at most {limits.depth} levels are allowed. Flatten them."
            yield Problem("too_deep", message, body.pointer)
