"""Ids: each once in the whole document, nested steps included."""

from __future__ import annotations

from collections.abc import Iterator

from automation.engine.document.parse import Document
from automation.engine.problem import Problem


def check_ids(document: Document) -> Iterator[Problem]:
    """Every repeated id, at its second and later places."""
    first: dict[str, str] = {}
    for step in document.steps():
        if not step.id:
            continue
        if step.id in first:
            message = f'Step "{step.id}": the id is already that of the step at {first[step.id]}. Rename one of them.'
            yield Problem("duplicate_id", message, step.at("id"))
        first.setdefault(step.id, step.pointer)
