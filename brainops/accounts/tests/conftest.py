"""People and programs of the accounts tests."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from brainops.accounts.caller import Caller
from brainops.accounts.models import Membership, Role, User, Workspace
from brainops.accounts.services import api_keys, second_factors
from brainops.accounts.tests.codes import code_of
from brainops.audit.actor import Actor

API = "/api/v1/automation"
TEST = Actor.system("test")
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick_hashing(settings):
    """The real hasher takes 0.4 s by design."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def acme(db) -> Workspace:
    return Workspace.objects.create(name="Acme", slug="acme")


@pytest.fixture
def umbrella(db) -> Workspace:
    return Workspace.objects.create(name="Umbrella", slug="umbrella")


@pytest.fixture
def member(acme) -> Callable[..., User]:
    """Make a user with a role in a workspace (Acme unless said otherwise)."""

    def make(name: str, role: Role, workspace: Workspace = acme, **fields: Any) -> User:
        user = User.objects.create_user(f"{name}@example.com", PASSWORD, **fields)
        Membership.objects.create(user=user, workspace=workspace, role=role)
        return user

    return make


@pytest.fixture
def ada(member) -> User:
    """The owner of Acme."""
    return member("ada", Role.OWNER)


@pytest.fixture
def bob(member) -> User:
    """A viewer in Acme."""
    return member("bob", Role.VIEWER)


@pytest.fixture
def eve(member, umbrella) -> User:
    """A stranger: the owner of Umbrella."""
    return member("eve", Role.OWNER, umbrella)


class Api:
    """A client that sends one credential."""

    def __init__(self, credential: str, **headers: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {credential}", **headers})

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(address: str, body: Any = None, **options: Any) -> Any:
            if body is not None:
                options = {"data": body, "content_type": "application/json", **options}
            elif method == "post":  # Django's client would send an empty form
                options = {"data": b"", "content_type": "application/json", **options}
            return getattr(self._client, method)(API + address, **options)

        return call


@pytest.fixture
def key_of() -> Callable[..., api_keys.NewKey]:
    """Make a key for a user in their first workspace."""

    def make(user: User, role: Role = Role.OWNER, scopes: list[str] | None = None, **options: Any) -> api_keys.NewKey:
        workspace = Membership.objects.get(user=user).workspace
        return api_keys.issue(user, workspace, name="test", role=role, scopes=scopes or ["*"], by=TEST, **options)

    return make


@pytest.fixture
def api(key_of) -> Callable[..., Api]:
    """A client with a key of a user."""
    return lambda user, **options: Api(key_of(user, **options).text)


@pytest.fixture
def caller() -> Callable[[User], Caller]:
    """A user as services see them."""

    def make(user: User) -> Caller:
        membership = Membership.objects.get(user=user)
        return Caller(
            user_id=user.id,
            label=user.email,
            via="token",
            workspace_id=membership.workspace_id,
            role=Role(membership.role),
        )

    return make


@pytest.fixture
def enrol():
    """Set a second factor up, with a code of the step before, so that the present one is unused."""

    def make(user: User) -> tuple[str, list[str]]:
        enrolment = second_factors.begin(user)
        codes = second_factors.confirm(user, ticket=enrolment.ticket, code=code_of(enrolment.secret, steps=-1))
        return enrolment.secret, codes

    return make
