"""Who walks over all routes: staff, the owner of a workspace, with a login."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from automation.models import Replay
from automation.tests.api.conftest import (
    Api,
    _nothing_remembered,
    home,
    make_person,
    make_workspace,
    member,
    owner,
    stranger,
)
from brainops.accounts.services import sessions
from webhooks.models import WebhookEndpoint

__all__ = ["_nothing_remembered", "home", "member", "owner", "stranger"]


class Walker(Api):
    """A person of the API who logged in, and the ids of what is theirs by the first word of a route."""

    parents: dict[str, str]


@pytest.fixture
def new_walker(db: None) -> Callable[[], Walker]:
    """Make the owner of a workspace who is staff, too, and one row of each kind that has lists below it."""

    def make() -> Walker:
        person = make_person(make_workspace())
        person.user.is_staff = True
        person.user.save()
        walker = Walker.__new__(Walker)
        walker.__dict__ = person.__dict__
        token = sessions.open_session(person.user).access
        walker._client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})
        walker.parents = _parents(walker)
        return walker

    return make


@pytest.fixture
def walker(new_walker: Callable[[], Walker]) -> Walker:
    """One of them."""
    return new_walker()


def _parents(walker: Walker) -> dict[str, str]:
    workflow = walker.make()["id"]
    run = walker.post(f"/workflows/{workflow}/execute").json()["id"]
    trigger = {"workflow_id": workflow, "kind": "webhook", "config": {"scheme": "github"}}
    assert walker.post("/triggers", trigger).status_code == 201
    replay = Replay.objects.create(workspace=walker.workspace, created_by=walker.user)
    endpoint = WebhookEndpoint.objects.get(workspace=walker.workspace)
    subscription = walker.post("/subscriptions", {"url": "https://example.com/hook", "types": ["order.paid"]}).json()
    return {
        "workflows": workflow,
        "runs": run,
        "replays": str(replay.id),
        "subscriptions": subscription["id"],
        "webhooks": str(endpoint.id),
        "workspaces": str(walker.workspace.id),
        "admin": str(walker.user.id),
    }
