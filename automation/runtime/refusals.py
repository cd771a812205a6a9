"""What the runtime says when a run ends badly: `{type, class, message}` as it is stored and shown."""

from __future__ import annotations

from automation.engine.expressions import ExpressionError
from automation.engine.kinds import ErrorClass, LogLine
from automation.engine.settle import Settled
from automation.engine.status import StepStatus


def _said(type_: str, error_class: ErrorClass, message: str) -> dict[str, str]:
    return {"type": type_, "class": error_class.value, "message": message}


def unplannable(number: str, refusal: str) -> dict[str, str]:
    """The run's version cannot be planned by this release."""
    message = (
        f"Version {number} of this workflow does not plan in this release: {refusal} "
        "Save a corrected version and retry the run with it."
    )
    return _said("unplannable", ErrorClass.USER, message)


def broke(error: Exception) -> dict[str, str]:
    """The driver itself broke: a defect of the product."""
    message = (
        f"The run could not go on because of a defect of BrainOps ({type(error).__name__}). "
        "The worker's log has the details."
    )
    return _said("internal", ErrorClass.INTERNAL, message)


def timed_out() -> dict[str, str]:
    """The run's own deadline passed while it was running."""
    message = "The run reached its deadline. Raise settings.timeout of the workflow to allow it more time."
    return _said("run_timeout", ErrorClass.TIMEOUT, message)


def bad_output(error: ExpressionError) -> dict[str, str]:
    """Every step went well, but the workflow's output could not be evaluated."""
    return _said("output_expression", ErrorClass.USER, f"Output of the workflow: {error.message}")


def worker_lost(code: int) -> dict[str, str]:
    """A suspect took its own child process down."""
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    message = (
        f"The process of this run died again and again, the last time alone in a process of its own ({how}). "
        "Look at the step that was running then; retry the run when the cause is removed."
    )
    return _said("worker_lost", ErrorClass.INTERNAL, message)


def failed_attempt(settled: Settled) -> LogLine:
    """The log line of a failed attempt, with what happens next."""
    row = settled.result
    message = f"Attempt {row.attempt} failed: {row.error['message']}"
    if row.status is StepStatus.RETRYING and settled.wait_seconds is not None:
        return LogLine(
            "warning",
            f"{message} The next attempt starts in {settled.wait_seconds:.1f} s.",
            {"type": row.error["type"]},
        )
    return LogLine("error", message, {"type": row.error["type"]})
