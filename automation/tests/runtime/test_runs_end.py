"""What a worker process does with a run, on real rows."""

from __future__ import annotations

from automation.engine.status import RunStatus, StepStatus


def transform(id_: str, value: object, **step: object) -> dict[str, object]:
    return {"id": id_, "uses": "transform", "with": {"set": {"value": value}}, **step}


def test_a_run_of_pure_steps_succeeds_with_its_output(make_workflow, accept, runtime, ended):
    version = make_workflow(
        transform("double", "{{ inputs.n * 2 }}"),
        transform("again", "{{ steps.double.output.value * 2 }}", needs=["double"]),
        output="{{ steps.again.output.value }}",
    )

    run = ended(accept(version, inputs={"n": 5}).uid)

    assert (RunStatus(run.status), run.data.output, run.attempt, run.crashes) == (RunStatus.SUCCEEDED, 20, 1, 0)
    assert list(run.steps.order_by("path").values_list("path", "status", "output")) == [
        ("again", StepStatus.SUCCEEDED, {"value": 20}),
        ("double", StepStatus.SUCCEEDED, {"value": 10}),
    ]


def test_a_branch_not_taken_is_skipped_with_the_reason(make_workflow, accept, runtime, ended):
    version = make_workflow(
        {"id": "large", "uses": "condition", "with": {"when": "{{ inputs.n > 10 }}"}},
        transform("big", 1, needs=["large.true"]),
        transform("small", 2, needs=["large.false"]),
    )

    run = ended(accept(version, inputs={"n": 5}).uid)

    assert dict(run.steps.values_list("path", "status")) == {
        "large": StepStatus.SUCCEEDED,
        "big": StepStatus.SKIPPED,
        "small": StepStatus.SUCCEEDED,
    }
    assert run.steps.get(path="big").reason["type"] == "needs"


def test_a_failed_step_fails_the_run_with_its_error(make_workflow, accept, runtime, ended):
    version = make_workflow(
        {"id": "stop", "uses": "fail", "with": {"message": "No stock for {{ inputs.sku }}."}},
        transform("never", 1, needs=["stop"]),
    )

    run = ended(accept(version, inputs={"sku": "A-1"}).uid)

    assert RunStatus(run.status) is RunStatus.FAILED
    assert (run.data.error["step"], run.data.error["attempt"]) == ("stop", 1)
    assert "No stock for A-1." in run.data.error["message"]
    assert run.steps.get(path="never").status == StepStatus.SKIPPED


def test_a_long_delay_is_a_timer_row_that_wakes_once(make_workflow, accept, runtime, ended):
    version = make_workflow(
        {"id": "rest", "uses": "delay", "with": {"for": "2.3s"}}, transform("after", 1, needs=["rest"])
    )

    run = ended(accept(version).uid)

    assert (RunStatus(run.status), run.attempt, run.finishes) == (RunStatus.SUCCEEDED, 2, 1)
    assert 2.3 <= (run.finished_at - run.created_at).total_seconds() < 4


def test_a_run_past_its_deadline_is_timed_out_and_says_how_to_allow_more(make_workflow, accept, runtime, ended):
    version = make_workflow({"id": "rest", "uses": "delay", "with": {"for": "1h"}})

    run = ended(accept(version, deadline_seconds=0.5).uid)

    assert RunStatus(run.status) is RunStatus.TIMED_OUT
    assert run.data.error["type"] == "run_timeout"
    assert "settings.timeout" in run.data.error["message"]
