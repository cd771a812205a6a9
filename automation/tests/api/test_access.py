"""Who may do what: owner, members with each role, a stranger. A foreign id looks exactly like a missing one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from automation.models import Run, Workflow
from automation.tests.api.conftest import HELLO, Api
from brainops.accounts.models import Role

WORKFLOW = {"name": "Hello", "definition": HELLO}

# every way to touch a workflow or a run: method, path, body
ON_WORKFLOW: list[tuple[str, str, Any]] = [
    ("GET", "/workflows/{id}", None),
    ("PUT", "/workflows/{id}", WORKFLOW),
    ("PATCH", "/workflows/{id}", {"name": "x"}),
    ("DELETE", "/workflows/{id}", None),
    ("DELETE", "/workflows/{id}?dry_run=true", None),
    ("GET", "/workflows/{id}/versions", None),
    ("GET", "/workflows/{id}/versions/1.0.0", None),
    ("POST", "/workflows/{id}/versions/1.0.0/restore", None),
    ("POST", "/workflows/{id}/execute", {}),
    ("POST", "/workflows/{id}/execute", {"version": "1.0.0"}),
    ("GET", "/workflows/{id}/runs", None),
]
ON_RUN: list[tuple[str, str, Any]] = [
    ("GET", "/runs/{id}", None),
    ("GET", "/runs/{id}/steps", None),
    ("GET", "/runs/{id}/logs", None),
    ("GET", "/runs/{id}/steps/greeting/items", None),
    ("GET", "/runs/{id}/effects", None),
    ("GET", "/runs/{id}/children", None),
    ("POST", "/runs/{id}/cancel", None),
    ("POST", "/runs/{id}/retry", {}),
]


@pytest.fixture
def workflow_id(owner: Api) -> str:
    return owner.make()["id"]


@pytest.fixture
def run_id(owner: Api, workflow_id: str) -> str:
    return owner.post(f"/workflows/{workflow_id}/execute").json()["id"]


def same_answer(caller: Api, method: str, path: str, body: Any, *, foreign: str) -> tuple[Any, Any]:
    """What is said about somebody else's id and about no id at all."""
    said = []
    for id_ in (foreign, str(uuid.uuid4())):
        response = caller.send(method, path.format(id=id_), body, x_request_id="the-same-request")
        headers = {name: value for name, value in response.headers.items() if name != "RateLimit"}  # what is left
        said.append((response.status_code, response.content, sorted(headers.items())))
    return said[0], said[1]


@pytest.mark.parametrize(("method", "path", "body"), ON_WORKFLOW)
def test_a_foreign_workflow_looks_exactly_like_a_missing_one(
    stranger: Api, workflow_id: str, method: str, path: str, body: Any
):
    foreign, missing = same_answer(stranger, method, path, body, foreign=workflow_id)

    assert foreign == missing
    assert foreign[0] == 404


@pytest.mark.parametrize(("method", "path", "body"), ON_RUN)
def test_a_foreign_run_looks_exactly_like_a_missing_one(stranger: Api, run_id: str, method: str, path: str, body: Any):
    foreign, missing = same_answer(stranger, method, path, body, foreign=run_id)

    assert foreign == missing
    assert foreign[0] == 404


def test_an_archived_foreign_workflow_does_not_show_its_state(stranger: Api, workflow_id: str):
    Workflow.objects.update(is_active=False)

    assert stranger.post(f"/workflows/{workflow_id}/execute").status_code == 404


def test_a_stranger_sees_nothing_in_lists(stranger: Api, run_id: str):
    assert stranger.get("/workflows").json()["results"] == []
    assert stranger.get("/runs").json()["results"] == []


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.VIEWER, [200, 403, 403, 403, 403, 200, 200, 403]),
        (Role.OPERATOR, [200, 403, 403, 403, 202, 200, 200, 200]),
        (Role.BUILDER, [200, 200, 200, 201, 202, 200, 200, 200]),
    ],
)
def test_the_role_decides(member: Callable[..., Api], workflow_id: str, run_id: str, role: Role, expected: list[int]):
    caller = member(role)

    statuses = [
        caller.get(f"/workflows/{workflow_id}").status_code,
        caller.put(f"/workflows/{workflow_id}", WORKFLOW).status_code,
        caller.patch(f"/workflows/{workflow_id}", {"name": "x"}).status_code,
        caller.post("/workflows", WORKFLOW).status_code,
        caller.post(f"/workflows/{workflow_id}/execute").status_code,
        caller.get(f"/runs/{run_id}").status_code,
        caller.get("/runs").status_code,
        caller.post(f"/runs/{run_id}/cancel").status_code,
    ]

    assert statuses == expected


def test_read_never_implies_run(member: Callable[..., Api], workflow_id: str):
    caller = member(Role.OWNER, scopes=("workflows:read", "runs:read"))

    assert caller.post(f"/workflows/{workflow_id}/execute").status_code == 403
    assert Run.objects.count() == 0


def test_a_key_that_may_only_execute_gets_the_address_and_nothing_else(member: Callable[..., Api], workflow_id: str):
    caller = member(Role.OPERATOR, scopes=("runs:execute",))

    response = caller.post(f"/workflows/{workflow_id}/execute")

    assert response.status_code == 202
    assert caller.get(f"/runs/{response.json()['id']}").status_code == 403


def test_whoever_made_a_workflow_keeps_a_builders_verbs_on_it(member: Callable[..., Api], owner: Api):
    maker = member(Role.BUILDER)
    id_ = maker.make()["id"]
    maker.user.memberships.update(role=Role.VIEWER)

    changed = maker.patch(f"/workflows/{id_}", {"name": "Mine"})
    other = maker.patch(f"/workflows/{owner.make()['id']}", {"name": "Not mine"})

    assert (changed.status_code, other.status_code) == (200, 403)
    assert maker.post(f"/workflows/{id_}/execute").status_code == 202
    assert maker.post("/workflows", WORKFLOW).status_code == 403
    assert maker.delete(f"/workflows/{id_}").status_code == 204


@pytest.mark.parametrize(("method", "path", "body"), [*ON_WORKFLOW, *ON_RUN, ("GET", "/catalogue", None)])
def test_nobody_known_is_told_nothing(client: Any, db: None, method: str, path: str, body: Any):
    response = client.generic(method, "/api/v1/automation" + path.format(id=uuid.uuid4()))

    assert response.status_code == 401


def test_an_id_of_another_workspace_in_a_filter_finds_nothing(stranger: Api, workflow_id: str, run_id: str):
    assert stranger.get("/runs", workflow_id=workflow_id).json()["results"] == []
    assert stranger.get("/runs", parent_run_id=run_id).json()["results"] == []
