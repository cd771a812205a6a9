"""People who call the API, each with a key of their own."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.http import HttpResponse
from django.test import Client

from automation.services import runnable, waiting
from brainops.accounts.caller import system_caller
from brainops.accounts.models import Membership, Role, User, Workspace
from brainops.accounts.services import api_keys

PREFIX = "/api/v1/automation"
HELLO: dict[str, Any] = {
    "schema": 1,
    "inputs": {"type": "object", "properties": {"name": {"type": "string", "default": "world"}}},
    "steps": [
        {"id": "greeting", "uses": "transform", "with": {"set": {"text": "Hello {{ inputs.name }}"}}},
        {"id": "say", "uses": "log", "needs": ["greeting"], "with": {"message": "{{ steps.greeting.output.text }}"}},
    ],
    "output": "{{ steps.greeting.output.text }}",
}
_numbers = itertools.count(1)


class Api:
    """A caller of the API, in one workspace."""

    def __init__(self, user: User, workspace: Workspace, role: Role, *, scopes: tuple[str, ...] = ("*",)) -> None:
        by = system_caller(workspace.id, "tests")
        self.key = api_keys.issue(user, workspace, name="tests", role=role, scopes=scopes, by=by)
        self.user, self.workspace = user, workspace
        self._client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {self.key.text}"})

    def get(self, path: str, /, **query: Any) -> HttpResponse:
        return self._client.get(PREFIX + path, query)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """`headers` are named with underscores: if_match, idempotency_key."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.generic(
            method,
            PREFIX + path,
            b"" if body is None else orjson.dumps(body),
            content_type="application/json",
            headers=given,
        )

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> HttpResponse:
        return self.send("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> HttpResponse:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self.send("DELETE", path, **headers)

    def make(self, *, name: str = "Hello", definition: Any = None, **fields: Any) -> dict[str, Any]:
        """Create a workflow."""
        response = self.post("/workflows", {"name": name, "definition": definition or HELLO, **fields})
        assert response.status_code == 201, response.content
        return response.json()


def make_workspace() -> Workspace:
    number = next(_numbers)
    return Workspace.objects.create(name=f"Team {number}", slug=f"team-{number}")


def make_person(workspace: Workspace, role: Role = Role.OWNER, **key: Any) -> Api:
    number = next(_numbers)
    user = User.objects.create_user(f"person{number}@example.com", username=f"person{number}")
    Membership.objects.create(user=user, workspace=workspace, role=role)
    return Api(user, workspace, role, **key)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """What a process remembers of rows that a test rolled back must not reach the next one."""
    runnable.forget_all()


@pytest.fixture
def home(db: None) -> Workspace:
    return make_workspace()


@pytest.fixture
def owner(home: Workspace) -> Api:
    return make_person(home)


@pytest.fixture
def member(home: Workspace) -> Callable[..., Api]:
    """A member of the same workspace with a role."""
    return lambda role, **key: make_person(home, role, **key)


@pytest.fixture
def stranger(db: None) -> Api:
    """The owner of another workspace."""
    return make_person(make_workspace())


@pytest.fixture
def waiting_room() -> Any:
    """The waiting room, closed again at the end: its connection must not keep the test database open."""
    yield waiting.room()
    waiting.room().close()
