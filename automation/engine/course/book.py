"""Book: the rows of a course that changed since a driver took them, and how heavy all outputs are together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from automation.engine.course.holder import Holder
from automation.engine.kinds import ErrorClass, StepError
from automation.engine.planned import PlannedStep
from automation.engine.results import StepResult
from automation.engine.settle import broken, error_json
from automation.engine.status import StepStatus
from automation.engine.weight import too_heavy, weight

REPEATING = frozenset({"for_each", "group", "try"})


class Book:
    """Rows by path; those of loops are put together only when they are taken."""

    def __init__(self, known: Iterable[StepResult], *, most_bytes: int) -> None:
        self._rows: dict[str, StepResult] = {}
        self._changed: dict[str, Holder] = {}
        self._most_bytes = most_bytes
        # what a loop answers stands in its batches too, and what a group answers in its steps' rows
        self._weight = sum(weight(row.output) for row in known if row.kind not in REPEATING)

    def put(self, row: StepResult) -> None:
        """A row to store by itself."""
        self._rows[row.path] = row

    def mark(self, holder: Holder) -> None:
        """A loop with rows to store."""
        self._changed[holder.step.path] = holder

    def close(self, holder: Holder) -> None:
        """A loop's last rows; its own comes apart."""
        for stored in holder.stored():
            self._rows[stored.path] = stored
        self._changed.pop(holder.step.path, None)
        self._rows.pop(holder.step.path, None)

    def take(self) -> list[StepResult]:
        """The rows that changed since the last call."""
        rows, self._rows = self._rows, {}
        for holder in tuple(self._changed.values()):
            for row in holder.stored():
                rows[row.path] = row
        self._changed.clear()
        return list(rows.values())

    @property
    def has_rows(self) -> bool:
        """True when there is something to take."""
        return bool(self._rows or self._changed)

    def weighed(self, step: PlannedStep, row: StepResult) -> StepResult:
        """The row, or its failure when the outputs of the run have become too much together."""
        if row.status is not StepStatus.SUCCEEDED or row.output is None:
            return row
        self._weight += weight(row.output)
        if self._weight <= self._most_bytes:
            return row
        said = too_heavy(
            f"All outputs of the run with that of {row.path!r}", self._most_bytes, size=self._weight, setting="run"
        )
        error = error_json(step, StepError("run_too_large", said, ErrorClass.USER), row.attempt)
        return broken(step, replace(row, status=StepStatus.FAILED, output=None, port=None), error)
