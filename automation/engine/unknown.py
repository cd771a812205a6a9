"""What becomes of a step whose process died in its effect, when people are asked (`on_unknown: ask`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from automation.engine.commands import AskApproval
from automation.engine.planned import PlannedStep
from automation.engine.results import StepResult
from automation.engine.settle import unknown
from automation.engine.status import StepStatus

Json = Any


def question(step: PlannedStep, row: StepResult) -> AskApproval:
    """The question: did it happen?"""
    return AskApproval(
        title=f'Did "{step.path}" happen?',
        message=f"A process died during attempt {row.attempt} of {step.kind.title!r}. Look at the target, then answer.",
        kind="unknown",
    )


def judged(step: PlannedStep, row: StepResult, answer: Mapping[str, Json], *, now: datetime) -> StepResult:
    """The row that follows from the answer: still waiting, succeeded with what it brought, again, or over."""
    state = answer["state"]
    if state == "pending":
        return replace(row, reason={"type": "unknown", "approval": answer["id"]})
    if state == "happened":
        reason = {"type": "happened", "approval": answer["id"], "decided_by": answer.get("decided_by")}
        return replace(
            row, status=StepStatus.SUCCEEDED, output=answer.get("data"), error=None, reason=reason, finished_at=now
        )
    if state == "repeat":
        return replace(row, status=StepStatus.RETRYING, reason=None, until=now)
    return unknown(step, row, now=now)
