"""settle: the row that follows from an outcome."""

from datetime import timedelta

from automation.engine.kinds import Done, Effect, ErrorClass, Idempotency, LogLine, Sleep
from automation.engine.results import StepResult
from automation.engine.settle import Attempt, Settled, lost, settle, skip, woken
from automation.engine.simulate import START
from automation.engine.status import StepStatus
from automation.tests.engine.samples import failure, kind, plan, step

LATER = START + timedelta(seconds=3)
ONCE = kind("once", effect=Effect.SEND, idempotency=Idempotency.NONE)
ERROR = {"type": "probe_failed", "message": "It failed.", "step": "a", "attempt": 1, "class": "transient"}


def settled(outcome, number=1, **fields):
    made = plan(step("a", **{"uses": "probe", "with": {}, **fields}), kinds=(kind(), ONCE))
    return settle(made.by_id["a"], outcome, Attempt(number, {}, START, LATER, seed=1))


def row(status, **fields):
    return StepResult("a", "probe", status, **{"started_at": START, "finished_at": LATER, **fields})


def said(level, attempt, more=""):
    """The line that a failed attempt leaves in the log."""
    return LogLine(level, f"Attempt {attempt} failed: It failed.{more}", {"type": "probe_failed"})


def test_a_success_keeps_output_logs_reason_and_response():
    lines = (LogLine("info", "Hello"),)

    assert settled(Done({"x": 1}, reason={"why": 1}, logs=lines, response={"status": 200})) == Settled(
        row(StepStatus.SUCCEEDED, output={"x": 1}, reason={"why": 1}), lines, {"status": 200}
    )


def test_a_sleep_waits_until_an_instant_with_its_output_in_hand():
    waiting = row(StepStatus.WAITING, output=7, until=LATER + timedelta(seconds=60), finished_at=None)

    assert settled(Sleep(60, 7)) == Settled(waiting, wait_seconds=60)
    assert woken(waiting, now=waiting.until) == row(StepStatus.SUCCEEDED, output=7, finished_at=waiting.until)


def test_a_failure_worth_repeating_is_repeated():
    made = settled(failure(ErrorClass.TRANSIENT), retry={"jitter": "none"})

    waiting = row(StepStatus.RETRYING, error=ERROR, until=LATER + timedelta(seconds=1))
    assert made == Settled(waiting, (said("warning", 1, " The next one starts in 1.0 s."),), wait_seconds=1)


def test_the_last_attempt_fails():
    made = settled(failure(ErrorClass.TRANSIENT), number=3)

    assert made == Settled(row(StepStatus.FAILED, attempt=3, error={**ERROR, "attempt": 3}), (said("error", 3),))


def test_a_failure_that_may_pass_is_the_output_too():
    made = settled(failure(details={"status": 404}), on_error="continue")
    error = {**ERROR, "class": "user", "details": {"status": 404}}

    failed = row(StepStatus.FAILED, error=error, output={"error": error}, port="error")
    assert made == Settled(failed, (said("error", 1),))


def test_a_cancelled_attempt_is_cancelled_and_never_repeated():
    made = settled(failure(ErrorClass.CANCELLED), on_error="continue")

    assert made == Settled(row(StepStatus.CANCELLED, error={**ERROR, "class": "cancelled"}))


def test_a_port_that_the_kind_does_not_declare_is_a_defect_of_the_kind():
    made = settled(Done(1, port="left"))

    assert made.result.status is StepStatus.FAILED
    assert made.result.error["message"] == 'The kind "probe" took the port "left"; it declares none.'
    assert made.result.error["class"] == "internal"


def test_a_skipped_step_has_its_reason():
    made = plan(step("a"))

    assert skip(made.by_id["a"], {"type": "if"}, now=LATER) == StepResult(
        "a", "transform", StepStatus.SKIPPED, reason={"type": "if"}, finished_at=LATER
    )


def test_a_started_step_whose_process_died_has_an_unknown_outcome():
    made = plan(step("a", uses="once", **{"with": {}}), kinds=(ONCE,))
    started = StepResult("a", "once", StepStatus.STARTED, started_at=START)

    row_after = lost(made.by_id["a"], started, now=LATER)

    assert (row_after.status, row_after.finished_at, row_after.output) == (StepStatus.UNKNOWN, LATER, None)
    assert row_after.error == {
        "type": "unknown_outcome",
        "message": "The process died during this step; nobody knows whether its effect happened. "
        "Look at the target, then retry.",
        "step": "a",
        "attempt": 1,
        "class": "internal",
    }


def test_an_unknown_outcome_may_pass():
    made = plan(step("a", uses="once", on_error="continue", **{"with": {}}), kinds=(ONCE,))

    row_after = lost(made.by_id["a"], StepResult("a", "once", StepStatus.STARTED), now=LATER)

    assert (row_after.status, row_after.port, row_after.output["error"]["type"]) == (
        StepStatus.UNKNOWN,
        "error",
        "unknown_outcome",
    )


def test_an_unknown_outcome_is_repeated_when_the_document_says_so():
    made = plan(step("a", uses="once", retry={"unsafe": True, "max_attempts": 2}, **{"with": {}}), kinds=(ONCE,))
    first = lost(made.by_id["a"], StepResult("a", "once", StepStatus.STARTED), now=LATER)
    last = lost(made.by_id["a"], StepResult("a", "once", StepStatus.STARTED, attempt=2), now=LATER)

    assert (first.status, first.until, first.attempt) == (StepStatus.RETRYING, LATER, 1)
    assert last.status is StepStatus.UNKNOWN
