"""What the runtime says when a run ends badly: `{type, class, message}` as it is stored and shown."""

from __future__ import annotations

from automation.engine.kinds import ErrorClass


def _said(type_: str, error_class: ErrorClass, message: str) -> dict[str, str]:
    return {"type": type_, "class": error_class.value, "message": message}


def unplannable(number: str, refusal: str) -> dict[str, str]:
    """The run's version cannot be planned by this release."""
    message = (
        f"Version {number} of this workflow does not plan in this release: {refusal} "
        "Save a corrected version and retry the run with it."
    )
    return _said("unplannable", ErrorClass.USER, message)


def broken_payload(why: str) -> dict[str, str]:
    """A large value of the run cannot be read back."""
    return _said("payload_broken", ErrorClass.INTERNAL, why)


def broke(error: Exception) -> dict[str, str]:
    """The driver itself broke: a defect of the product."""
    message = (
        f"The run could not go on because of a defect of BrainOps ({type(error).__name__}). "
        "The worker's log has the details."
    )
    return _said("internal", ErrorClass.INTERNAL, message)


def worker_lost(code: int) -> dict[str, str]:
    """A suspect took its own child process down."""
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    message = (
        f"The process of this run died again and again, the last time alone in a process of its own ({how}). "
        "Look at the step that was running then; retry the run when the cause is removed."
    )
    return _said("worker_lost", ErrorClass.INTERNAL, message)
