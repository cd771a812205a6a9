"""Progress: the rows of one body as they come, with what follows from each at the price of its own needs only."""

from __future__ import annotations

from collections.abc import Iterable

from automation.engine.advance import SUCCEEDED, Verdict, failed_by
from automation.engine.planned import PlannedBody, PlannedStep
from automation.engine.results import StepResult, id_of
from automation.engine.standing import Decision, decide, ends_the_run, skipped


class Progress:
    """Says the same as `advance` after every row, without going through all steps again.

    Belongs to one thread. `results` maps ids to rows: within one pass through a body a step has one. Steps that
    became ready are handed out once by `take_ready`; rows of skipped steps once by `take_skipped`, for the next
    checkpoint.
    """

    __slots__ = ("_failed", "_offered", "_open", "_ready", "_skipped", "body", "results")

    def __init__(self, body: PlannedBody, results: Iterable[StepResult] = ()) -> None:
        self.body = body
        self.results: dict[str, StepResult] = {id_of(row.path): row for row in results}
        self._offered: set[int] = set()  # places of steps that were ready once
        self._ready: list[PlannedStep] = []
        self._skipped: list[StepResult] = []
        self._failed: PlannedStep | None = None
        self._open = 0
        for step in body.steps:
            self._begin(step)

    def _begin(self, step: PlannedStep) -> None:
        row = self.results.get(step.id)
        if row is None:
            self._open += 1
            self._decide(step)
            return
        if not row.status.is_final:
            self._open += 1
        elif ends_the_run(row, step):
            self._fail(step)

    def record(self, row: StepResult) -> None:
        """Take in a row. A final one may make other steps ready, skip them or end the run."""
        name = id_of(row.path)
        before = self.results.get(name)
        if before is not None and before.status.is_final:
            return  # a final row never changes
        self.results[name] = row
        if not row.status.is_final:
            return
        step = self.body.by_id[name]
        self._open -= 1
        if ends_the_run(row, step):
            self._fail(step)
        self._follow(step)

    def _follow(self, first: PlannedStep) -> None:
        """Decide all that waited for this step, and for the steps skipped because of it."""
        pending = [first]
        while pending:
            for place in self.body.dependents[pending.pop().id]:
                step = self.body.steps[place]
                if step.id not in self.results and self._decide(step):
                    pending.append(step)

    def _decide(self, step: PlannedStep) -> bool:
        """True when the step was skipped, which decides others."""
        decision = decide(step, self.body, self.results)
        if decision is Decision.SKIP:
            row = skipped(step, self.body, self.results)
            self.results[step.id] = row
            self._skipped.append(row)
            self._open -= 1
            return True
        if decision is Decision.START and step.index not in self._offered:
            self._offered.add(step.index)
            self._ready.append(step)
        return False

    def _fail(self, step: PlannedStep) -> None:
        if self._failed is None or step.index < self._failed.index:
            self._failed = step

    def take_ready(self) -> list[PlannedStep]:
        """The steps that became ready since the last call, in the plan's order; none once the run has failed."""
        if self._failed is not None:
            self._ready.clear()
        ready = sorted(self._ready, key=lambda step: step.index)
        self._ready.clear()
        return ready

    def take_skipped(self) -> list[StepResult]:
        """The rows of steps skipped since the last call."""
        rows = list(self._skipped)
        self._skipped.clear()
        return rows

    @property
    def verdict(self) -> Verdict | None:
        """How the run ended; None while anything can still happen."""
        if self._failed is not None:
            return failed_by(self._failed, self.results[self._failed.id])
        return SUCCEEDED if self._open == 0 else None
