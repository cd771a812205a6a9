"""The end of a run."""

from automation.engine.advance import Verdict
from automation.engine.finish import Finished, finish
from automation.engine.settle import ended_with_run
from automation.engine.simulate import START
from automation.engine.status import RunStatus, StepStatus
from automation.tests.engine.samples import plan, row, step

WELL = Verdict(RunStatus.SUCCEEDED)
SCOPE = {"inputs": {"x": 1}}


def test_the_output_is_rendered_when_the_run_succeeded():
    assert finish(plan(step("a"), output=["{{ inputs.x }}"]), SCOPE, WELL) == Finished(RunStatus.SUCCEEDED, [1])


def test_a_run_without_an_output_answers_null():
    assert finish(plan(step("a")), SCOPE, WELL) == Finished(RunStatus.SUCCEEDED, None)


def test_a_failed_run_has_the_error_of_its_step_and_no_output():
    error = {"type": "probe_failed"}

    assert finish(plan(step("a"), output="{{ inputs.x }}"), SCOPE, Verdict(RunStatus.FAILED, "a", error)) == Finished(
        RunStatus.FAILED, error=error
    )


def test_an_output_that_cannot_be_made_fails_the_run_with_its_place():
    finished = finish(plan(step("a"), output={"y": "{{ inputs.y }}"}), SCOPE, WELL)

    assert finished.status is RunStatus.FAILED
    assert finished.error.pop("message").startswith(
        'Output of the workflow: Expression "{{ inputs.y }}" at position 10:'
    )
    assert finished.error == {
        "type": "output_expression",
        "step": None,
        "attempt": 1,
        "class": "user",
        "details": {"pointer": "/y", "expression": "{{ inputs.y }}", "position": 10},
    }


def test_steps_that_still_waited_are_cancelled_with_the_reason():
    rows = (row("b", StepStatus.WAITING, until=START, output=1), row("c", StepStatus.RETRYING))
    reason = {"type": "run_ended", "message": "The run ended before this step did."}

    assert [ended_with_run(one, now=START) for one in rows] == [
        row("b", StepStatus.CANCELLED, output=1, reason=reason, finished_at=START),
        row("c", StepStatus.CANCELLED, reason=reason, finished_at=START),
    ]
