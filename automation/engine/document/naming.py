"""Turn violations of a schema into problems of the document: with the step's name and the whole pointer."""

from __future__ import annotations

from collections.abc import Mapping

from automation.engine.document.parse import Document, StepDocument
from automation.engine.pointers import dotted, pointer
from automation.engine.problem import Problem
from automation.engine.violations import Violation
from automation.engine.wording import ended, quoted


class Names:
    """Finds the step that a place of the document belongs to."""

    def __init__(self, document: Document) -> None:
        self._steps: Mapping[str, StepDocument] = {step.pointer: step for step in document.steps()}

    def problem(self, violation: Violation) -> Problem:
        """The violation as a problem; its path starts at the document's root."""
        path = violation.path
        for length in range(len(path), 0, -1):
            step = self._steps.get(pointer(path[:length]))
            if step is not None:
                return step_problem(step, violation, below=length)
        return Problem(violation.code, _sentence("The document", "", path, violation.message), pointer(path))


def step_problem(step: StepDocument, violation: Violation, *, below: int) -> Problem:
    """A problem inside one step; the first `below` parts of the path lead to the step."""
    message = _sentence(step.label, f"{step.label}: ", violation.path[below:], violation.message)
    return Problem(violation.code, message, pointer(violation.path[below:], base=step.pointer))


def _sentence(whole: str, prefix: str, path: tuple[str | int, ...], message: str) -> str:
    if not path:
        return ended(f"{whole} {message}")
    return ended(f"{prefix}{quoted(dotted(path))} {message}")
