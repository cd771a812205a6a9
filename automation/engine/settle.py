"""settle: the durable row that follows from the outcome of one attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from automation.engine.document.ports import ERROR_PORT
from automation.engine.durations import duration_text
from automation.engine.kinds import Done, ErrorClass, Fail, LogLine, Outcome, Sleep, StepError, Wait
from automation.engine.planned import PlannedStep
from automation.engine.results import StepResult
from automation.engine.retry import next_delay
from automation.engine.status import StepStatus
from automation.engine.weight import is_too_heavy, size_of, too_heavy
from automation.engine.wording import one_of, quoted

Json = Any
RUN_ENDED: Mapping[str, Json] = {"type": "run_ended", "message": "The run ended before this step did."}
UNKNOWN_OUTCOME = StepError(
    "unknown_outcome",
    "The process died during this step; nobody knows whether its effect happened. Look at the target, then retry.",
    ErrorClass.INTERNAL,
    is_outcome_unknown=True,
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a step: its number (1 = the first), its rendered `with`, and its times.

    `seed` makes the jitter of retries repeatable: the same run, step and attempt wait equally long everywhere.
    """

    number: int
    config: Mapping[str, Json]
    started_at: datetime
    finished_at: datetime
    seed: int = 0
    effect: str | None = None  # what it may have done outside; None when pure or never begun
    began_at: datetime | None = None  # when its wait began, for one that is asked again


@dataclass(frozen=True, slots=True)
class Settled:
    """What an attempt left behind. `wait_seconds` is how long the step rests, None when its row is final."""

    result: StepResult
    logs: tuple[LogLine, ...] = ()
    response: Json = None
    wait_seconds: float | None = None


def settle(step: PlannedStep, outcome: Outcome, attempt: Attempt) -> Settled:
    """Turn an outcome into a row: succeeded, waiting, to be retried, failed or cancelled."""
    if isinstance(outcome, Done):
        return _done(step, outcome, attempt)
    if isinstance(outcome, Sleep):
        until = attempt.finished_at + timedelta(seconds=outcome.seconds)
        row = _row(step, StepStatus.WAITING, attempt, output=outcome.output, until=until, finished_at=None)
        return Settled(row, wait_seconds=max(outcome.seconds, 0.0))
    if isinstance(outcome, Wait):
        return _waits(step, outcome, attempt)
    return _failed(step, outcome, attempt)


def skip(step: PlannedStep, reason: Json, *, now: datetime) -> StepResult:
    """The row of a step whose `if` does not hold."""
    return StepResult(step.path, step.kind.key, StepStatus.SKIPPED, reason=reason, finished_at=now)


def woken(result: StepResult, *, now: datetime) -> StepResult:
    """The final row of a step that waited for a time that has come; its output was known when it began to wait."""
    return replace(result, status=StepStatus.SUCCEEDED, until=None, finished_at=now)


def lost(step: PlannedStep, result: StepResult, *, now: datetime) -> StepResult:
    """The row of a step that was written ahead and whose process died: nobody knows whether its effect happened.

    The document decides (`on_unknown`): it fails, somebody is asked, or it is repeated, as long as attempts are left.
    """
    said = error_json(step, UNKNOWN_OUTCOME, result.attempt)
    wants_repeat = step.on_unknown == "retry" or step.retry.is_unsafe
    if wants_repeat and result.attempt < step.retry.max_attempts:
        return replace(result, status=StepStatus.RETRYING, error=said, until=now)
    if step.on_unknown == "ask":
        return replace(result, status=StepStatus.WAITING, error=said, reason={"type": "unknown"}, until=None)
    return unknown(step, result, now=now)


def unknown(step: PlannedStep, result: StepResult, *, now: datetime) -> StepResult:
    """The final row of a step whose outcome stays unknown."""
    said = error_json(step, UNKNOWN_OUTCOME, result.attempt)
    row = replace(result, status=StepStatus.UNKNOWN, until=None, reason=None, finished_at=now)
    return broken(step, row, said)


def ended_with_run(row: StepResult, *, now: datetime) -> StepResult:
    """The row of a step that waited, was to be retried or was open when what it belongs to ended."""
    return replace(row, status=StepStatus.CANCELLED, until=None, reason=RUN_ENDED, finished_at=now)


def error_json(step: PlannedStep, error: StepError, attempt: int) -> dict[str, Json]:
    """The error as rows, expressions and the API show it: type, message, step, attempt, class and details."""
    said: dict[str, Json] = {
        "type": error.type,
        "message": error.message,
        "step": step.path,
        "attempt": attempt,
        "class": error.error_class.value,
    }
    if error.details:
        said["details"] = dict(error.details)
    return said


def _done(step: PlannedStep, outcome: Done, attempt: Attempt) -> Settled:
    known = tuple(port for port in step.kind.ports(attempt.config) if port)
    if outcome.port is not None and outcome.port not in known:
        declared = one_of(known) or "none"
        said = f"The kind {quoted(step.kind.key)} took the port {quoted(outcome.port)}; it declares {declared}."
        return _failed(step, Fail(StepError("undeclared_port", said, ErrorClass.INTERNAL), outcome.logs), attempt)
    if is_too_heavy(outcome.output):
        error = StepError("value_too_large", too_heavy("The output", size=size_of(outcome.output)), ErrorClass.USER)
        return _failed(step, Fail(error, outcome.logs), attempt)
    row = _row(step, StepStatus.SUCCEEDED, attempt, output=outcome.output, port=outcome.port, reason=outcome.reason)
    return Settled(row, outcome.logs, outcome.response)


def _waits(step: PlannedStep, outcome: Wait, attempt: Attempt) -> Settled:
    """It waits for news; a time limit in the document bounds the wait, and what is then given up is not repeated."""
    began_at = attempt.began_at or attempt.started_at
    ends_at = began_at + timedelta(seconds=step.timeout_seconds) if step.is_limited else None
    if ends_at is not None and attempt.finished_at >= ends_at:
        said = f'"{step.path}" waited longer than its time limit of {duration_text(step.timeout_seconds)}.'
        error = error_json(step, StepError("timeout", f'{said} Raise "timeout".', ErrorClass.TIMEOUT), attempt.number)
        row = replace(_row(step, StepStatus.FAILED, attempt), started_at=began_at)
        return Settled(broken(step, row, error), (*outcome.logs, LogLine("error", said, {"type": "timeout"})))
    until = min((at for at in (outcome.until, ends_at) if at is not None), default=None)
    reason = {"type": outcome.kind, **outcome.details}
    row = _row(step, StepStatus.WAITING, attempt, reason=reason, until=until, finished_at=None)
    return Settled(replace(row, started_at=began_at), outcome.logs)


def _failed(step: PlannedStep, outcome: Fail, attempt: Attempt) -> Settled:
    error = outcome.error
    said = error_json(step, error, attempt.number)
    if error.error_class is ErrorClass.CANCELLED:
        return Settled(_row(step, StepStatus.CANCELLED, attempt, error=said), outcome.logs)
    delay = next_delay(step.retry, error, attempt.number, step.kind, attempt.seed, config=attempt.config)
    if delay is not None:
        until = attempt.finished_at + timedelta(seconds=delay)
        row = _row(step, StepStatus.RETRYING, attempt, error=said, until=until)
        return Settled(row, (*outcome.logs, _again(error, attempt, delay)), wait_seconds=delay)
    return Settled(
        broken(step, _row(step, StepStatus.FAILED, attempt), said), (*outcome.logs, _gave_up(error, attempt))
    )


def _again(error: StepError, attempt: Attempt, delay: float) -> LogLine:
    said = f"Attempt {attempt.number} failed: {error.message} The next one starts in {delay:.1f} s."
    return LogLine("warning", said, {"type": error.type})


def _gave_up(error: StepError, attempt: Attempt) -> LogLine:
    return LogLine("error", f"Attempt {attempt.number} failed: {error.message}", {"type": error.type})


def broken(step: PlannedStep, row: StepResult, error: dict[str, Json]) -> StepResult:
    """A final failure. When the run goes on, the error is the output too, and the port `error` is taken."""
    if step.on_error == "continue":
        return replace(row, error=error, output={"error": error}, port=ERROR_PORT)
    return replace(row, error=error)


def _row(step: PlannedStep, status: StepStatus, attempt: Attempt, **values: Any) -> StepResult:
    return StepResult(
        path=step.path,
        kind=step.kind.key,
        status=status,
        attempt=attempt.number,
        effect=attempt.effect,
        started_at=attempt.started_at,
        **{"finished_at": attempt.finished_at, **values},
    )
