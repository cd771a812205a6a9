"""Five people before every door: the owner, a viewer, a stranger, nobody, and an owner who was switched off."""

from __future__ import annotations

import itertools
from typing import Any

import orjson
import pytest
from django.test import Client

from automation.services import runnable
from brainops.accounts.models import Membership, Role, User, Workspace
from brainops.accounts.services import sessions
from tests.security.routes import PREFIX
from tests.security.things import Things

_numbers = itertools.count(1)


class Caller:
    """Somebody with an access token, or nobody."""

    def __init__(self, user: User | None = None) -> None:
        self.user = user
        headers = {"Authorization": f"Bearer {sessions.open_session(user).access}"} if user else {}
        self._client = Client(raise_request_exception=False, headers=headers)

    def call(self, method: str, address: str, body: Any = None) -> Any:
        """Send a request; a JSON body with all that may have one."""
        raw = b"" if method in ("get", "delete") and body is None else orjson.dumps(body or {})
        return self._client.generic(method.upper(), f"/{PREFIX}{address}", raw, "application/json")


def person(home: Workspace, role: Role) -> User:
    number = next(_numbers)
    user = User.objects.create_user(f"matrix{number}@example.com", username=f"matrix{number}")
    Membership.objects.create(user=user, workspace=home, role=role)
    return user


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    runnable.forget_all()


@pytest.fixture
def home(db: None) -> Workspace:
    return Workspace.objects.create(name="Acme", slug="acme")


@pytest.fixture
def things(home: Workspace) -> Things:
    return Things(home, person(home, Role.OWNER))


@pytest.fixture
def owner(home: Workspace, things: Things) -> Caller:
    return Caller(things.person)


@pytest.fixture
def viewer(home: Workspace) -> Caller:
    return Caller(person(home, Role.VIEWER))


@pytest.fixture
def stranger(db: None) -> Caller:
    elsewhere = Workspace.objects.create(name="Umbrella", slug="umbrella")
    return Caller(person(elsewhere, Role.OWNER))


@pytest.fixture
def nobody() -> Caller:
    return Caller()


@pytest.fixture
def switched_off(home: Workspace) -> Caller:
    caller = Caller(person(home, Role.OWNER))
    User.objects.filter(id=caller.user.id).update(is_active=False)
    return caller
