"""Workflows that call workflows, by a real runtime on real rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from automation.engine.commands import CallWorkflow, CommandRefused
from automation.engine.status import RunStatus, WaitKind
from automation.models import Run, RunMode, Workflow, WorkflowVersion
from automation.store.cancel import cancel_runs
from automation.tests.runtime.held import Crash, attempt

Step = dict[str, Any]
FAILS: Step = {"id": "no", "uses": "fail", "with": {"code": "no_money", "message": "Nothing left."}}
SLEEPS: Step = {"id": "nap", "uses": "delay", "with": {"for": "1h"}}
ECHO: dict[str, Any] = {
    "inputs": {"type": "object", "properties": {"n": {"type": "integer", "default": 5}}},
    "output": {"n": "{{ inputs.n }}", "by": "{{ trigger.step }}"},
}


@pytest.fixture
def workflow(make_workflow: Any) -> Callable[..., WorkflowVersion]:
    """A workflow with a name, whose version may be started."""

    def make(name: str, *steps: Step, **document: Any) -> WorkflowVersion:
        version = make_workflow(*steps, **document)
        Workflow.objects.filter(id=version.workflow_id).update(name=name, current_version=version)
        return version

    return make


@pytest.fixture
def echo(workflow: Any) -> WorkflowVersion:
    return workflow("echo", {"id": "a", "uses": "transform", "with": {"set": {}}}, **ECHO)


def call(workflow: str, **fields: Any) -> Step:
    return {"id": "go", "call": {"workflow": workflow, **fields}}


def wait_for(condition: Callable[[], Any], *, seconds: float = 10) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert found
    return found


def test_a_call_waits_for_the_called_run_and_takes_its_output(runtime, workflow, echo, accept, ended):
    caller = workflow("caller", call("echo", inputs={"n": "{{ inputs.n }}"}), inputs={}, output="{{ steps.go.output }}")

    started = accept(caller, inputs={"n": 7}, priority=2)
    runtime.wake()
    run = ended(started.uid)

    child = Run.objects.get(called_by_run=run)
    assert (run.status, run.data.output) == (RunStatus.SUCCEEDED, {"n": 7, "by": "go"})
    assert (child.called_by_path, child.depth, child.priority, child.is_detached) == ("go", 1, 2, False)
    assert run.has_children
    assert run.steps.get().reason == {"type": "call", "run": str(child.uid), "workflow": "echo"}


def test_a_call_that_does_not_wait_goes_on_at_once(runtime, workflow, accept, ended):
    workflow("sleeper", SLEEPS)
    caller = workflow("caller", call("sleeper", wait=False), output="{{ steps.go.output }}")

    started = accept(caller)
    runtime.wake()
    run = ended(started.uid)

    child = Run.objects.get(called_by_run=run)
    assert run.data.output == {"run": str(child.uid), "status": "queued"}
    assert (child.is_detached, child.status < RunStatus.SUCCEEDED, run.has_children) == (True, True, False)


def test_a_loop_calls_once_for_each_item_in_order(runtime, workflow, echo, accept, ended):
    loop = {**call("echo", inputs={"n": "{{ item }}"}), "for_each": {"items": [3, 1, 2], "concurrency": 3}}
    caller = workflow("caller", loop, output="{{ steps.go.output }}")

    started = accept(caller)
    runtime.wake()
    run = ended(started.uid)

    assert [item["n"] for item in run.data.output] == [3, 1, 2]
    assert sorted(run.children.values_list("called_by_path", flat=True)) == ["go[0]", "go[1]", "go[2]"]


def test_the_failure_of_a_called_run_is_the_step_s_own(runtime, workflow, accept, ended):
    workflow("broke", FAILS)
    caller = workflow("caller", call("broke"))

    started = accept(caller)
    runtime.wake()
    run = ended(started.uid)

    child = run.children.get()
    error = run.steps.get().error
    assert run.status == RunStatus.FAILED
    assert (error["type"], error["message"]) == ("child_failed", "The called run of 'broke' failed: Nothing left.")
    assert (error["details"]["run"], error["details"]["error"]["type"]) == (str(child.uid), "no_money")


def test_a_call_may_go_on_after_the_failure(runtime, workflow, accept, ended):
    workflow("broke", FAILS)
    caller = workflow("caller", call("broke", on_failure="continue"), output="{{ steps.go.output }}")

    started = accept(caller)
    runtime.wake()
    run = ended(started.uid)

    assert run.status == RunStatus.SUCCEEDED
    assert (run.data.output["status"], run.data.output["error"]["message"]) == ("failed", "Nothing left.")


def test_a_later_attempt_starts_another_run_only_after_the_first_failed(runtime, workflow, accept, ended):
    workflow("broke", FAILS)
    retry = {"max_attempts": 2, "errors": ["user"], "backoff": "fixed", "initial": "10ms"}
    caller = workflow("caller", {**call("broke"), "retry": retry})

    started = accept(caller)
    runtime.wake()
    run = ended(started.uid)

    assert list(run.children.order_by("id").values_list("called_by_path", flat=True)) == ["go", "go#2"]


@pytest.mark.parametrize("depth_limit", [2])
def test_calls_do_not_go_deeper_than_the_limit(runtime, workflow, echo, accept, ended, settings, depth_limit):
    settings.BRAINOPS_LIMITS = settings.BRAINOPS_LIMITS | {"call_depth": depth_limit}
    workflow("two", call("echo"))
    workflow("one", call("two"))
    caller = workflow("caller", call("one"))

    started = accept(caller)
    runtime.wake()
    run = ended(started.uid)

    assert Run.objects.count() == 3
    assert "BRAINOPS_LIMIT_CALL_DEPTH" in run.data.error["message"]


def test_a_circle_that_was_not_there_when_it_was_saved_is_named_step_by_step(runtime, workflow, accept, ended):
    workflow("second", call("first"))
    first = workflow("first", call("second"))

    started = accept(first)
    runtime.wake()
    run = ended(started.uid)

    assert '"first" step "go" → "second" step "go" → "first"' in run.data.error["message"]
    assert Run.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "fields", "code"),
    [
        ({"archived_at": "2026-01-01T00:00:00Z"}, {}, "workflow_archived"),
        ({"is_active": False}, {}, "workflow_inactive"),
        ({"name": "other"}, {}, "unknown_workflow"),
        ({}, {"version": "9.9.9"}, "unknown_version"),
        ({}, {"inputs": {"n": "seven"}}, "invalid_inputs"),
    ],
)
def test_a_call_that_cannot_be_says_why(commands, held, echo, change, fields, code):
    Workflow.objects.filter(id=echo.workflow_id).update(**change)

    with pytest.raises(CommandRefused) as refused:
        commands.perform(attempt(held), CallWorkflow("echo", **fields))

    assert refused.value.code == code
    assert Run.objects.count() == 1


def test_a_name_that_two_workflows_have_is_ambiguous_and_an_id_is_not(commands, held, workflow, echo):
    other = workflow("echo", SLEEPS)

    with pytest.raises(CommandRefused, match="Several workflows"):
        commands.perform(attempt(held), CallWorkflow("echo"))

    answer = commands.perform(attempt(held), CallWorkflow(str(other.workflow_id)))
    assert Run.objects.get(uid=answer["run"]).workflow_id == other.workflow_id


@pytest.mark.parametrize("point", ["in_child_create", "in_local_effect", "after_local_effect"])
def test_a_crash_while_calling_leaves_one_called_run(commands, held, echo, crash_at, point):
    crash_at(point)
    with pytest.raises(Crash):
        commands.perform(attempt(held), CallWorkflow("echo"))

    answer = commands.perform(attempt(held), CallWorkflow("echo"))

    assert str(Run.objects.get(called_by_run_id=held.id).uid) == answer["run"]


def test_what_a_test_run_calls_is_a_test_too(commands, held, echo):
    Run.objects.update(mode=RunMode.TEST)

    commands.perform(attempt(held), CallWorkflow("echo"))

    assert Run.objects.get(called_by_run_id=held.id).mode == RunMode.TEST


def test_a_cancel_reaches_the_runs_below_and_not_the_detached_ones(runtime, workflow, accept, ended):
    workflow("sleeper", SLEEPS)
    workflow("middle", call("sleeper"), {**call("sleeper", wait=False), "id": "aside"})
    caller = workflow("caller", call("middle"))
    started = accept(caller)
    runtime.wake()
    wait_for(lambda: Run.objects.filter(status=RunStatus.WAITING).count() == 4)
    assert Run.objects.get(id=started.id).wait_kind == WaitKind.CHILD

    with connection.cursor() as cursor:
        cancel_runs(cursor, [started.id])

    cancelled = Run.objects.filter(status=RunStatus.CANCELLED)
    assert wait_for(lambda: cancelled.count() == 3)
    assert list(Run.objects.exclude(status=RunStatus.CANCELLED).values_list("is_detached", "status")) == [
        (True, RunStatus.WAITING)
    ]


def test_a_run_that_ends_takes_what_it_waits_for_with_it(runtime, workflow, accept, ended):
    workflow("sleeper", SLEEPS)
    caller = workflow(
        "caller",
        call("sleeper"),
        {**FAILS, "needs": ["wait"]},
        {"id": "wait", "uses": "delay", "with": {"for": "300ms"}},
    )

    started = accept(caller)
    runtime.wake()
    run = ended(started.uid)

    assert run.status == RunStatus.FAILED
    assert run.children.get().status == RunStatus.CANCELLED


def test_a_time_limit_bounds_the_wait_and_ends_what_was_called(runtime, workflow, accept, ended):
    workflow("sleeper", SLEEPS)
    after: Step = {"id": "note", "uses": "delay", "with": {"for": "3s"}, "needs": ["go.error"]}
    caller = workflow("impatient", {**call("sleeper"), "timeout": "1s", "on_error": "continue"}, after)

    started = accept(caller)
    runtime.wake()
    child = wait_for(lambda: Run.objects.filter(called_by_run__uid=started.uid, status=RunStatus.CANCELLED).first())
    caller_is_over = Run.objects.get(uid=started.uid).is_final
    run = ended(started.uid)

    assert not caller_is_over  # the called run was ended by the limit, not by the end of its caller
    assert run.status == RunStatus.SUCCEEDED
    error = run.steps.get(path="go").error
    assert (error["type"], error["message"]) == (
        "timeout",
        '"go" waited longer than its time limit of 1s. Raise "timeout".',
    )
    assert child.is_final
