"""Retries: a new run that keeps what succeeded, linked to the run it repeats."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from automation.engine.status import RunStatus, StepStatus
from automation.models import Run, StepRun
from automation.tests.api.conftest import Api, make_person, make_workspace
from brainops.audit.models import AuditEntry

# a → b → d, a → c: b fails
DIAMOND: dict[str, Any] = {
    "schema": 1,
    "inputs": {"type": "object", "properties": {"n": {"type": "integer"}}},
    "steps": [
        {"id": "a", "uses": "transform", "with": {"set": {"n": "{{ inputs.n }}"}}},
        {"id": "b", "uses": "fail", "needs": ["a"], "with": {"message": "broken"}},
        {"id": "c", "uses": "transform", "needs": ["a"], "with": {"set": {"c": 1}}},
        {"id": "d", "uses": "transform", "needs": ["b"], "with": {"set": {"d": 1}}},
    ],
}


def repaired() -> dict[str, Any]:
    definition = copy.deepcopy(DIAMOND)
    definition["steps"][1] = {"id": "b", "uses": "transform", "needs": ["a"], "with": {"set": {"b": 2}}}
    return definition


@pytest.fixture
def failed(owner: Api) -> Run:
    """A run whose step b failed after a and c succeeded."""
    id_ = owner.make(definition=DIAMOND)["id"]
    uid = owner.post(f"/workflows/{id_}/execute", {"inputs": {"n": 7}}).json()["id"]
    run = Run.objects.get(uid=uid)
    for path, status in (("a", StepStatus.SUCCEEDED), ("b", StepStatus.FAILED), ("c", StepStatus.SUCCEEDED)):
        StepRun.objects.create(run=run, path=path, status=status, output={"of": path}, kind="transform", attempt=2)
    finish(run, RunStatus.FAILED)
    return run


def finish(run: Run, status: RunStatus) -> None:
    Run.objects.filter(id=run.id).update(status=status, finished_at="2026-01-01T00:00:00Z", finishes=1)


def kept(uid: str) -> dict[str, Any]:
    return dict(StepRun.objects.filter(run__uid=uid, is_kept=True).values_list("path", "output"))


def test_a_retry_is_a_new_run_that_keeps_what_succeeded(owner: Api, failed: Run):
    response = owner.post(f"/runs/{failed.uid}/retry", {"from": "failed"})

    body = response.json()
    assert response.status_code == 202
    assert response.headers["Location"] == body["url"] == f"/api/v1/automation/runs/{body['id']}"
    assert (body["parent_run_id"], body["status"], body["version"]) == (str(failed.uid), "queued", "1.0.0")
    assert kept(body["id"]) == {"a": {"of": "a"}, "c": {"of": "c"}}
    shown = owner.get(f"/runs/{body['id']}").json()
    assert (shown["parent_run_id"], shown["inputs"]) == (str(failed.uid), {"n": 7})
    assert [(step["path"], step["is_kept"], step["attempt"]) for step in shown["steps"]] == [
        ("a", True, 2),
        ("c", True, 2),
    ]
    assert Run.objects.get(id=failed.id).status == RunStatus.FAILED
    assert AuditEntry.objects.filter(action="run.retry", target_id=str(failed.uid)).count() == 1


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"a", "c"}),
        ({"from": "start"}, set()),
        ({"from": "a"}, set()),
        ({"from": "c"}, {"a"}),
        ({"from": "step:b"}, {"a", "c"}),
    ],
)
def test_the_caller_says_where_to_start(owner: Api, failed: Run, body: dict, paths: set[str]):
    uid = owner.post(f"/runs/{failed.uid}/retry", body).json()["id"]

    assert set(kept(uid)) == paths


def test_the_latest_version_repeats_what_was_changed_in_it(owner: Api, failed: Run):
    definition = repaired()
    definition["steps"][2]["with"] = {"set": {"c": 2}}
    owner.put(f"/workflows/{failed.workflow_id}", {"name": "Fixed", "definition": definition})

    same = owner.post(f"/runs/{failed.uid}/retry", {"version": "same"}).json()
    latest = owner.post(f"/runs/{failed.uid}/retry", {"version": "latest"}).json()

    assert (same["version"], latest["version"]) == ("1.0.0", "1.0.1")
    assert (set(kept(same["id"])), set(kept(latest["id"]))) == ({"a", "c"}, {"a"})


def test_other_inputs_are_checked_and_taken(owner: Api, failed: Run):
    wrong = owner.post(f"/runs/{failed.uid}/retry", {"from": "start", "inputs": {"n": "seven"}})
    right = owner.post(f"/runs/{failed.uid}/retry", {"from": "start", "inputs": {"n": 8}})

    assert (wrong.status_code, wrong.json()["problems"][0]["pointer"]) == (400, "/inputs/n")
    assert owner.get(f"/runs/{right.json()['id']}").json()["inputs"] == {"n": 8}


def test_a_run_that_has_not_ended_is_not_retried(owner: Api):
    id_ = owner.make(definition=DIAMOND)["id"]
    uid = owner.post(f"/workflows/{id_}/execute").json()["id"]

    response = owner.post(f"/runs/{uid}/retry")

    body = response.json()
    assert (response.status_code, body["code"], body["run_status"]) == (409, "run_not_final", "queued")


def test_a_run_without_a_failure_is_retried_from_the_start_only(owner: Api):
    id_ = owner.make(definition=repaired())["id"]
    run = Run.objects.get(uid=owner.post(f"/workflows/{id_}/execute").json()["id"])
    finish(run, RunStatus.SUCCEEDED)

    refused = owner.post(f"/runs/{run.uid}/retry", {"from": "failed"})

    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_retry")
    assert owner.post(f"/runs/{run.uid}/retry", {"from": "start"}).status_code == 202


def test_an_unknown_step_is_refused_with_a_suggestion(owner: Api, failed: Run):
    response = owner.post(f"/runs/{failed.uid}/retry", {"from": "B"})

    problem = response.json()["problems"][0]
    assert (response.status_code, problem["pointer"]) == (400, "/from")
    assert problem["message"].endswith("there is no step 'B'. Did you mean \"b\"?")


@pytest.mark.parametrize("body", [{"form": "start"}, {"version": "1.0.0"}, {"from": 1}, {"inputs": []}, []])
def test_a_request_that_means_something_else_is_refused(owner: Api, failed: Run, body: Any):
    assert owner.post(f"/runs/{failed.uid}/retry", body).status_code == 400


def test_a_workflow_that_is_switched_off_retries_nothing(owner: Api, failed: Run):
    owner.patch(f"/workflows/{failed.workflow_id}", {"is_active": False})

    response = owner.post(f"/runs/{failed.uid}/retry")

    assert (response.status_code, response.json()["code"]) == (409, "workflow_inactive")
    assert Run.objects.count() == 1


def test_the_same_key_retries_once(owner: Api, failed: Run):
    first = owner.post(f"/runs/{failed.uid}/retry", idempotency_key="k")
    second = owner.post(f"/runs/{failed.uid}/retry", idempotency_key="k")

    assert first.json() == second.json()
    assert Run.objects.filter(parent_run=failed).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_repaired_workflow_is_finished_by_a_retry(runtime: Any, ended: Callable[..., Run], waiting_room: Any):
    owner = make_person(make_workspace())
    id_ = owner.make(definition=DIAMOND)["id"]
    first = owner.post(f"/workflows/{id_}/execute?wait=20", {"inputs": {"n": 7}}).json()
    owner.put(f"/workflows/{id_}", {"name": "Fixed", "definition": repaired()})

    second = owner.post(f"/runs/{first['id']}/retry?wait=20", {"version": "latest"}).json()

    assert (first["status"], second["status"]) == ("failed", "succeeded")
    by_path = {step["path"]: (step["status"], step["is_kept"]) for step in second["steps"]}
    assert by_path["a"] == ("succeeded", True)
    assert (by_path["b"], by_path["d"]) == (("succeeded", False), ("succeeded", False))
    assert second["parent_run_id"] == first["id"]


LINES: dict[str, Any] = {
    "schema": 1,
    "inputs": {"type": "object"},
    "steps": [
        {
            "id": "loop",
            "for_each": {"items": "{{ inputs.lines }}", "batch": 2},
            "steps": [{"id": "x", "uses": "transform", "with": {"set": {"x": "{{ item }}"}}}],
        },
        {"id": "last", "uses": "transform", "needs": ["loop"], "with": {"set": {}}},
    ],
}


@pytest.fixture
def failed_loop(owner: Api) -> Run:
    """A run whose loop failed in its second batch."""
    id_ = owner.make(definition=LINES)["id"]
    uid = owner.post(f"/workflows/{id_}/execute", {"inputs": {"lines": [1, 2, 3, 4]}}).json()["id"]
    run = Run.objects.get(uid=uid)
    for path, status in (("loop", 51), ("loop[0-1]", 50), ("loop[2-3]", 51)):
        fields = {"output": {"of": path}, "reason": {"n": 1}, "kind": "for_each.batch", "finished_at": run.created_at}
        StepRun.objects.create(run=run, path=path, status=status, **fields)
    finish(run, RunStatus.FAILED)
    return run


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("failed", [("loop[0-1]", 50, {"n": 1}, False), ("loop[2-3]", 8, None, True)]),
        ("loop[0].x", [("loop[0-1]", 8, {"again": [0]}, True), ("loop[2-3]", 8, None, True)]),
        ("loop", []),
        ("x", []),
    ],
)
def test_a_loop_goes_on_with_the_batches_that_are_open_again(
    owner: Api, failed_loop: Run, start: str, expected: list[Any]
):
    uid = owner.post(f"/runs/{failed_loop.uid}/retry", {"from": start}).json()["id"]

    rows = StepRun.objects.filter(run__uid=uid, is_kept=True).order_by("path")
    assert [(row.path, row.status, row.reason, row.finished_at is None) for row in rows] == expected
    assert [row.output for row in rows] == [{"of": row.path} for row in rows]


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("loop[0-1]", "there is no step 'loop[0-1]'. Did you mean \"loop\"?"),
        ("last[3]", "'last' is no loop and has no item 3."),
    ],
)
def test_a_retry_begins_with_a_step_or_an_item_of_a_loop(owner: Api, failed_loop: Run, start: str, said: str):
    response = owner.post(f"/runs/{failed_loop.uid}/retry", {"from": start})

    assert (response.status_code, response.json()["code"]) == (400, "invalid_input")
    assert response.json()["problems"][0]["message"].endswith(said)
