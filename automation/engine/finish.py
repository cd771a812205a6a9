"""finish: what a run answers in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation.engine.advance import Verdict
from automation.engine.durations import duration_text
from automation.engine.expressions import Budget, ExpressionError
from automation.engine.plan import Plan
from automation.engine.prepare import expression_details
from automation.engine.status import RunStatus

Json = Any


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a run: a final status, its output, or its error `{type, message, step, attempt, class}`."""

    status: RunStatus
    output: Json = None
    error: Json = None


def finish(plan: Plan, scope: Mapping[str, Json], verdict: Verdict) -> Finished:
    """Render the output of a run that succeeded; an output that cannot be rendered fails the run."""
    if verdict.status is not RunStatus.SUCCEEDED:
        return Finished(verdict.status, error=verdict.error)
    if plan.output is None:
        return Finished(RunStatus.SUCCEEDED)
    try:
        return Finished(RunStatus.SUCCEEDED, plan.output.render(scope, Budget()))
    except ExpressionError as error:
        said = f"Output of the workflow: {error.message}"
        return Finished(
            RunStatus.FAILED, error=_error("output_expression", said, "user", details=expression_details(error))
        )


def timed_out(plan: Plan) -> Finished:
    """The end of a run whose own time limit has passed."""
    limit = plan.settings.timeout_seconds
    text = duration_text(limit or 0)
    said = f'The run took longer than its limit of {text}. Raise "settings.timeout" or shorten a wait.'
    return Finished(RunStatus.TIMED_OUT, error=_error("run_timeout", said, "timeout"))


def _error(code: str, message: str, error_class: str, **more: Json) -> dict[str, Json]:
    """An error of the run itself, in the shape of a step's."""
    return {"type": code, "message": message, "step": None, "attempt": 1, "class": error_class, **more}
