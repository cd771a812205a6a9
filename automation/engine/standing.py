"""Where the needs of a step stand, and what follows for the step. The one place that knows what joins mean."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from automation.engine.document.parse import Need
from automation.engine.document.ports import ERROR_PORT
from automation.engine.planned import PlannedBody, PlannedStep
from automation.engine.results import StepResult
from automation.engine.status import StepStatus

Results = Mapping[str, StepResult]
SAID = {StepStatus.FAILED: "failed", StepStatus.SKIPPED: "was skipped", StepStatus.CANCELLED: "was cancelled"}
BROKEN = frozenset({StepStatus.FAILED, StepStatus.UNKNOWN})


class Decision(Enum):
    """What the rows known so far mean for a step without a row."""

    START = "start"
    SKIP = "skip"
    WAIT = "wait"


def is_taken(need: Need, result: StepResult, source: PlannedStep) -> bool:
    """True when a final result lets the steps behind this need go on.

    A step whose failure does not end the run counts as taken, at its plain need and at the port `error`.
    """
    if result.status is StepStatus.SUCCEEDED:
        return need.port is None or need.port == result.port
    if result.status in BROKEN and source.on_error == "continue":
        return need.port is None or need.port == ERROR_PORT
    return False


def ends_the_run(result: StepResult, source: PlannedStep) -> bool:
    """True when this result alone decides that the run failed."""
    if result.status in BROKEN:
        return source.on_error == "fail"
    if result.status is not StepStatus.CANCELLED:
        return False
    return (result.reason or {}).get("type") != "run_ended"  # such a row follows from an end, it is never its cause


def decide(step: PlannedStep, plan: PlannedBody, results: Results) -> Decision:
    """Whether a step without a row starts, is skipped or waits.

    It starts when as many needs are taken as its join wants, and is skipped as soon as that cannot happen any
    more: it never waits for a way that was not taken.
    """
    taken = open_needs = 0
    for need in step.needs:
        result = results.get(need.step)
        if result is None or not result.status.is_final:
            open_needs += 1
        elif is_taken(need, result, plan.by_id[need.step]):
            taken += 1
    if taken >= step.wanted:
        return Decision.START
    return Decision.SKIP if taken + open_needs < step.wanted else Decision.WAIT


def skipped(step: PlannedStep, plan: PlannedBody, results: Results) -> StepResult:
    """The row of a step that is skipped because of its needs; the reason names those that were not taken."""
    lost = [_not_taken(need, results) for need in step.needs if _is_lost(need, plan, results)]
    said = "; ".join(entry["message"] for entry in lost)
    reason = {"type": "needs", "message": f"{said}.", "join": step.join, "needs": lost}
    return StepResult(path=step.path, kind=step.kind.key, status=StepStatus.SKIPPED, reason=reason)


def _is_lost(need: Need, plan: PlannedBody, results: Results) -> bool:
    result = results.get(need.step)
    return result is not None and result.status.is_final and not is_taken(need, result, plan.by_id[need.step])


def _not_taken(need: Need, results: Results) -> dict[str, Any]:
    result = results[need.step]
    word = result.status.word
    if result.status is StepStatus.SUCCEEDED:
        said = f'took "{result.port}", not "{need.port}"' if result.port else f'did not take "{need.port}"'
    else:
        said = SAID.get(result.status, f"ended as {word}")
    return {"need": str(need), "status": word, "port": result.port, "message": f'"{need.step}" {said}'}
