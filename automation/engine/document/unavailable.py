"""What documents may say by their schema but this version cannot run yet. Delete a line here when the engine can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from automation.engine.document.parse import Document
from automation.engine.problem import Problem

STEP_FIELDS: Mapping[str, str] = {
    "connection": 'Give what the service needs in "with".',
}


def check_available(document: Document) -> Iterator[Problem]:
    """Everything the document uses that is still to come, by name."""
    for step in document.steps():
        for field, advice in STEP_FIELDS.items():
            if field in step.fields:
                yield not_available(f'{step.label}: "{field}"', advice, step.at(field))


def not_available(what: str, advice: str, at: str) -> Problem:
    """The refusal of one thing."""
    return Problem("not_available", f"{what} is not available in this version yet. {advice}", at)
