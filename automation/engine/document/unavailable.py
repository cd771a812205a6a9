"""What documents may say by their schema but this version cannot run yet. Delete a line here when the engine can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from automation.engine.document.parse import Document
from automation.engine.problem import Problem

STEP_FIELDS: Mapping[str, str] = {
    "for_each": 'Map a list with the kind "transform" ("items" and "each") instead.',
    "while": "Remove it.",
    "try": 'Use "on_error": "continue" and the port "error" instead.',
    "call": 'Start the other workflow through the API with the kind "http.request" instead.',
    "steps": "Move the nested steps into the document's own list.",
    "connection": 'Give what the service needs in "with".',
}
SETTINGS: Mapping[str, str] = {
    "concurrency": "Remove it.",
    "on_failure": 'Use "on_error": "continue" and a step at the port "error" instead.',
}
KINDS: Mapping[str, str] = {
    "approval": "Remove the step.",
}
ROOTS: Mapping[str, str] = {
    "secrets": "Give the value as an input of the run.",
}


def check_available(document: Document) -> Iterator[Problem]:
    """Everything the document uses that is still to come, by name."""
    for field, advice in SETTINGS.items():
        if field in document.settings:
            yield not_available(f'"settings.{field}"', advice, f"/settings/{field}")
    for step in document.steps():
        for field, advice in STEP_FIELDS.items():
            if field in step.fields:
                yield not_available(f'{step.label}: "{field}"', advice, step.at(field))
        if step.uses is not None and step.uses in KINDS:
            yield not_available(f'{step.label}: the kind "{step.uses}"', KINDS[step.uses], step.at("uses"))


def not_available(what: str, advice: str, at: str) -> Problem:
    """The refusal of one thing."""
    return Problem("not_available", f"{what} is not available in this version yet. {advice}", at)
