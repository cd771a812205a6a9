"""advance: what may happen next, as a pure function of a plan and the rows of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation.engine.planned import PlannedBody, PlannedStep
from automation.engine.results import StepResult
from automation.engine.standing import Decision, decide, ends_the_run, skipped
from automation.engine.status import RunStatus

Json = Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended. `step` and `error` say which step failed it and why."""

    status: RunStatus
    step: str | None = None
    error: Json = None


SUCCEEDED = Verdict(RunStatus.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class Advance:
    """What follows from the rows: steps to start, rows of steps that are skipped, the verdict when there is one.

    `ready` holds steps without a row; whoever starts them remembers that it did. After a failure that ends the run
    nothing is ready. Rows in `skipped` count as known for everything behind them.
    """

    ready: tuple[PlannedStep, ...] = ()
    skipped: tuple[StepResult, ...] = ()
    verdict: Verdict | None = None


def advance(plan: PlannedBody, results: Mapping[str, StepResult]) -> Advance:
    """Decide what may happen next, from nothing but the rows: O(steps and needs), the same in any order.

    `results` maps ids to rows. Rows that wait, are retried or were started are neither ready nor final.
    """
    known = dict(results)
    ready: list[PlannedStep] = []
    skips: list[StepResult] = []
    for step in plan.steps:  # in the plan's order, so every skip is known before the steps behind it
        if step.id in known:
            continue
        decision = decide(step, plan, known)
        if decision is Decision.START:
            ready.append(step)
        elif decision is Decision.SKIP:
            known[step.id] = skipped(step, plan, known)
            skips.append(known[step.id])
    verdict = verdict_of(plan, known)
    if verdict is not None:
        ready.clear()
    return Advance(tuple(ready), tuple(skips), verdict)


def verdict_of(plan: PlannedBody, results: Mapping[str, StepResult]) -> Verdict | None:
    """Failed when a step ended the run (of several the first of the plan), succeeded when all rows are final."""
    is_done = True
    for step in plan.steps:
        result = results.get(step.id)
        if result is None or not result.status.is_final:
            is_done = False
        elif ends_the_run(result, step):
            return failed_by(step, result)
    return SUCCEEDED if is_done else None


def failed_by(step: PlannedStep, result: StepResult) -> Verdict:
    """The verdict of a run that this step's failure ended."""
    return Verdict(RunStatus.FAILED, result.path, result.error)
