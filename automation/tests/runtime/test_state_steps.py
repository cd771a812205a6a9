"""Steps that keep values, emit events and call workflows, by a real runtime on real rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from automation.engine.status import RunStatus, StepStatus
from automation.models import Event, Run, StateValue, StepRun, WorkflowVersion

Step = dict[str, Any]


def kept() -> dict[str, Any]:
    return dict(StateValue.objects.values_list("key", "value"))


@pytest.fixture
def run_through(runtime: Any, accept: Any, ended: Any) -> Callable[..., Run]:
    """Start a run and wait for its end."""

    def run(version: WorkflowVersion, **values: Any) -> Run:
        accepted = accept(version, **values)
        runtime.wake()
        return ended(accepted.uid)

    return run


def test_steps_keep_values_and_emit_events(run_through, make_workflow):
    version = make_workflow(
        {"id": "set", "uses": "state_set", "with": {"key": "a", "value": {"n": 1}, "expires": "1d"}},
        {"id": "get", "uses": "state_get", "needs": ["set"], "with": {"key": "a"}},
        {"id": "none", "uses": "state_get", "with": {"key": "b", "default": []}},
        {
            "id": "swap",
            "uses": "state_compare_and_set",
            "needs": ["get"],
            "with": {"key": "a", "expected": {"n": 1}, "value": 2},
        },
        {"id": "add", "uses": "state_increment", "needs": ["swap"], "with": {"key": "a", "by": 0.5}},
        {"id": "tell", "uses": "emit_event", "needs": ["add"], "with": {"name": "done", "payload": {"x": 1}}},
        {"id": "gone", "uses": "state_delete", "needs": ["none"], "with": {"key": "b"}},
        output={
            "get": "{{ steps.get.output }}",
            "none": "{{ steps.none.output.value }}",
            "sum": "{{ steps.add.output }}",
            "gone": "{{ steps.gone.output.existed }}",
        },
    )

    run = run_through(version)

    assert run.data.error is None
    assert run.data.output == {
        "get": {"value": {"n": 1}, "version": 1, "exists": True},
        "none": [],
        "sum": {"value": 2.5, "version": 3},
        "gone": False,
    }
    event = Event.objects.get()
    assert (event.name, event.payload, event.run_id, event.path) == ("done", {"x": 1}, run.id, "tell")


def test_each_pass_of_a_loop_is_an_effect_of_its_own(run_through, make_workflow):
    count: Step = {"id": "count", "uses": "state_increment", "with": {"key": "hits"}}
    version = make_workflow(
        {"id": "items", "for_each": {"items": [1, 2, 3], "concurrency": 3}, "steps": [count]},
        {
            "id": "passes",
            "while": {"when": "{{ index < 4 }}", "max_iterations": 9},
            "steps": [{**count, "id": "again"}],
        },
    )

    assert run_through(version).status == RunStatus.SUCCEEDED
    assert kept() == {"hits": 7}


def test_a_key_that_makes_no_sense_fails_its_step(run_through, make_workflow):
    version = make_workflow(
        {"id": "set", "uses": "state_set", "with": {"key": "{{ inputs.key }}", "value": 1}},
        inputs={"properties": {"key": {}}},
    )

    run = run_through(version, inputs={"key": "two words"})

    assert (run.status, run.data.error["type"], run.data.error["class"]) == (RunStatus.FAILED, "invalid_key", "user")
    assert StepRun.objects.get().status == StepStatus.FAILED
