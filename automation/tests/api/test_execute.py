"""Execute: a run is accepted once, pinned to a version, with checked inputs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automation.models import Run, RunData, RunMode, Workflow
from automation.tests.api.conftest import HELLO, Api

STRICT = {
    "schema": 1,
    "inputs": {
        "type": "object",
        "properties": {"order_id": {"type": "string"}, "amount": {"type": "number", "minimum": 0}},
        "required": ["order_id"],
        "additionalProperties": False,
    },
    "steps": [{"id": "say", "uses": "log", "with": {"message": "{{ inputs.order_id }}"}}],
    "settings": {"timeout": "1h"},
}


def test_a_run_is_accepted_with_its_address(owner: Api):
    id_ = owner.make()["id"]

    response = owner.post(f"/workflows/{id_}/execute", {"inputs": {"name": "Ada"}})

    run = Run.objects.get()
    assert response.status_code == 202
    assert response.headers["Location"] == f"/api/v1/automation/runs/{run.uid}"
    assert response.json() == {
        "id": str(run.uid),
        "workflow_id": id_,
        "version": "1.0.0",
        "status": "queued",
        "parent_run_id": None,
        "created_at": run.created_at.isoformat().replace("+00:00", "Z"),
        "url": f"/api/v1/automation/runs/{run.uid}",
    }
    assert (run.created_by_id, run.mode, run.deadline_at) == (owner.user.id, RunMode.ASYNC, None)
    assert RunData.objects.get().input == {"inputs": {"name": "Ada"}, "trigger": None}


@pytest.mark.parametrize("body", [None, {}, {"inputs": {}}])
def test_inputs_may_be_left_out_and_get_their_defaults(owner: Api, body: Any):
    id_ = owner.make()["id"]

    assert owner.post(f"/workflows/{id_}/execute", body).status_code == 202
    assert RunData.objects.get().input["inputs"] == {"name": "world"}


def test_inputs_are_checked_and_every_refusal_names_its_place(owner: Api):
    id_ = owner.make(definition=STRICT)["id"]

    response = owner.post(f"/workflows/{id_}/execute", {"inputs": {"amount": -1, "colour": "red"}})

    assert response.status_code == 400
    assert {(problem["pointer"], problem["code"]) for problem in response.json()["problems"]} == {
        ("/inputs", "required"),
        ("/inputs/amount", "invalid_value"),
        ("/inputs/colour", "unknown_field"),
    }
    assert Run.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"input": {}}, "/input"),
        ({"inputs": []}, "/inputs"),
        ({"version": "latest"}, "/version"),
        ({"version": "9.9.9"}, "/version"),
        ([], ""),
    ],
)
def test_a_request_that_means_something_else_is_refused(owner: Api, body: Any, pointer: str):
    id_ = owner.make()["id"]

    response = owner.post(f"/workflows/{id_}/execute", body)

    assert (response.status_code, response.json()["problems"][0]["pointer"]) == (400, pointer)


def test_the_runs_deadline_is_the_workflows_timeout(owner: Api):
    id_ = owner.make(definition=STRICT)["id"]
    owner.post(f"/workflows/{id_}/execute", {"inputs": {"order_id": "A"}})

    run = Run.objects.get()
    assert (run.deadline_at - run.created_at).total_seconds() == pytest.approx(3600, abs=5)


def test_a_run_is_pinned_to_the_version_of_its_start(owner: Api):
    id_ = owner.make()["id"]
    first = owner.post(f"/workflows/{id_}/execute").json()
    owner.put(f"/workflows/{id_}", {"name": "New", "definition": HELLO})
    second = owner.post(f"/workflows/{id_}/execute").json()
    third = owner.post(f"/workflows/{id_}/execute", {"version": "1.0.0"}).json()

    assert [run["version"] for run in (first, second, third)] == ["1.0.0", "1.0.1", "1.0.0"]
    assert [owner.get(f"/runs/{run['id']}").json()["version"] for run in (first, second, third)] == [
        "1.0.0",
        "1.0.1",
        "1.0.0",
    ]


def test_a_workflow_that_is_switched_off_starts_nothing(owner: Api):
    id_ = owner.make()["id"]
    owner.post(f"/workflows/{id_}/execute")
    owner.patch(f"/workflows/{id_}", {"is_active": False})

    for body in ({}, {"version": "1.0.0"}):
        response = owner.post(f"/workflows/{id_}/execute", body)
        assert (response.status_code, response.json()["code"]) == (409, "workflow_inactive")
    assert Run.objects.count() == 1


def test_an_archived_workflow_starts_nothing(owner: Api):
    id_ = owner.make()["id"]
    owner.post(f"/workflows/{id_}/execute")
    Workflow.objects.update(archived_at="2026-01-01T00:00:00Z")

    response = owner.post(f"/workflows/{id_}/execute")

    assert (response.status_code, response.json()["code"]) == (409, "workflow_archived")


# Another process changes a workflow: this one still believes what it knew, and the statement must not.


def test_a_change_by_another_process_is_noticed_at_the_next_start(owner: Api):
    id_ = owner.make()["id"]
    owner.post(f"/workflows/{id_}/execute")
    Workflow.objects.update(is_active=False)

    assert owner.post(f"/workflows/{id_}/execute").json()["code"] == "workflow_inactive"

    Workflow.objects.update(is_active=True)
    assert owner.post(f"/workflows/{id_}/execute").status_code == 202


def test_a_version_saved_by_another_process_is_the_one_that_runs(owner: Api):
    id_ = owner.make()["id"]
    owner.post(f"/workflows/{id_}/execute")
    owner.put(f"/workflows/{id_}", {"name": "New", "definition": HELLO})
    remembered_old_version(id_)

    assert owner.post(f"/workflows/{id_}/execute").json()["version"] == "1.0.1"


def remembered_old_version(workflow_id: str) -> None:
    """Make this process believe that 1.0.0 is current."""
    from automation.services import runnable

    workflow = Workflow.objects.get(id=workflow_id)
    old = workflow.versions.get(number="1.0.0")
    runnable._current.put(workflow.id, runnable.by_version(old.id))


def test_a_deleted_workflow_is_not_found_although_it_was_known(owner: Api):
    id_ = owner.make()["id"]
    owner.post(f"/workflows/{id_}/execute")
    owner.delete(f"/workflows/{id_}")

    assert owner.post(f"/workflows/{id_}/execute").status_code == 404


def test_the_same_key_and_body_start_one_run(owner: Api):
    id_ = owner.make()["id"]

    first = owner.post(f"/workflows/{id_}/execute", {"inputs": {"name": "Ada"}}, idempotency_key="k")
    second = owner.post(f"/workflows/{id_}/execute", {"inputs": {"name": "Ada"}}, idempotency_key="k")

    assert (second.status_code, second.json()) == (202, first.json())
    assert second.headers["Location"] == first.headers["Location"]
    assert ("Brainops-Duplicate" in first.headers, second.headers["Brainops-Duplicate"]) == (False, "true")
    assert Run.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(owner: Api):
    id_ = owner.make()["id"]
    owner.post(f"/workflows/{id_}/execute", {"inputs": {"name": "Ada"}}, idempotency_key="k")

    response = owner.post(f"/workflows/{id_}/execute", {"inputs": {"name": "Bob"}}, idempotency_key="k")

    assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_reused")
    assert Run.objects.count() == 1


def test_a_key_belongs_to_its_caller(owner: Api, stranger: Api):
    own, foreign = owner.make()["id"], stranger.make()["id"]

    owner.post(f"/workflows/{own}/execute", idempotency_key="k")
    response = stranger.post(f"/workflows/{foreign}/execute", idempotency_key="k")

    assert (response.status_code, "Brainops-Duplicate" in response.headers) == (202, False)


def test_a_refused_request_leaves_its_key_free(owner: Api):
    id_ = owner.make(definition=STRICT)["id"]
    owner.post(f"/workflows/{id_}/execute", {"inputs": {}}, idempotency_key="k")

    response = owner.post(f"/workflows/{id_}/execute", {"inputs": {"order_id": "A"}}, idempotency_key="k")

    assert response.status_code == 202


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "schlüssel"])
def test_a_key_that_is_none_is_refused(owner: Api, key: str):
    id_ = owner.make()["id"]

    response = owner.post(f"/workflows/{id_}/execute", idempotency_key=key)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_idempotency_key")


def test_a_start_costs_one_statement_beside_the_key_of_the_caller(owner: Api):
    id_ = owner.make()["id"]
    owner.post(f"/workflows/{id_}/execute")

    with CaptureQueriesContext(connection) as queries:
        owner.post(f"/workflows/{id_}/execute")

    assert len(queries) == 2


@pytest.mark.parametrize("wait", ["61", "-1", "soon", ""])
def test_a_wait_that_is_none_is_refused(owner: Api, wait: str):
    id_ = owner.make()["id"]

    response = owner.post(f"/workflows/{id_}/execute?wait={wait}")

    assert (response.status_code, response.json()["problems"][0]["parameter"]) == (400, "wait")
    assert Run.objects.count() == 0
