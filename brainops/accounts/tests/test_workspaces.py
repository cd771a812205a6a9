"""Which workspace a call means, and the wall between workspaces."""

from uuid import uuid4

import pytest

from brainops.accounts.models import ApiKey, Membership, Role
from brainops.accounts.scoping import get_scoped, scoped
from brainops.accounts.services import sessions
from brainops.accounts.tests.conftest import Api
from brainops.core.errors import NotFound

pytestmark = pytest.mark.django_db


def logged_in(user, workspace: str = "") -> Api:
    headers = {"Brainops-Workspace": workspace} if workspace else {}
    return Api(sessions.open_session(user).access, **headers)


def test_a_member_of_one_workspace_need_not_name_it(ada, acme):
    assert logged_in(ada).get("/me").json()["workspace_id"] == str(acme.id)


def test_a_member_of_several_has_to_name_one(ada, umbrella):
    Membership.objects.create(user=ada, workspace=umbrella, role=Role.VIEWER)

    answer = logged_in(ada).get("/api-keys")

    assert (answer.status_code, answer.json()["code"]) == (400, "workspace_required")
    assert answer.json()["problems"][0]["parameter"] == "Brainops-Workspace"


def test_a_named_workspace_decides_the_role(ada, acme, umbrella):
    Membership.objects.create(user=ada, workspace=umbrella, role=Role.VIEWER)

    told = [logged_in(ada, name).get("/me").json() for name in ("acme", str(acme.id), "umbrella")]

    assert [(me["workspace_id"], me["role"]) for me in told] == [
        (str(acme.id), "owner"),
        (str(acme.id), "owner"),
        (str(umbrella.id), "viewer"),
    ]


@pytest.mark.parametrize("name", ["umbrella", "nonsense", "' or 1=1 --", "00000000-0000-0000-0000-000000000000"])
def test_a_foreign_and_a_missing_workspace_look_the_same(ada, umbrella, name):
    answer = logged_in(ada, name).get("/api-keys")

    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "The workspace named in Brainops-Workspace does not exist, or it is not yours.",
    )


def test_a_member_of_none_can_ask_who_they_are_and_nothing_else(ada):
    Membership.objects.all().delete()
    api = logged_in(ada)

    assert (api.get("/me").json()["workspace_id"], api.get("/me").json()["permissions"]) == (None, [])
    assert api.get("/api-keys").status_code == 403


def test_me_lists_the_workspaces_of_a_person(ada, acme, umbrella):
    Membership.objects.create(user=ada, workspace=umbrella, role=Role.VIEWER)

    assert [(row["slug"], row["role"]) for row in logged_in(ada).get("/me").json()["workspaces"]] == [
        ("acme", "owner"),
        ("umbrella", "viewer"),
    ]


def test_a_key_does_not_tell_of_its_users_other_workspaces(ada, umbrella, api):
    client = api(ada)
    Membership.objects.create(user=ada, workspace=umbrella, role=Role.VIEWER)

    assert [row["slug"] for row in client.get("/me").json()["workspaces"]] == ["acme"]


def test_scoped_rows_are_those_of_the_callers_workspace(ada, eve, key_of, caller):
    mine, theirs = key_of(ada).row, key_of(eve).row

    assert list(scoped(ApiKey.objects.all(), caller(ada))) == [mine]
    assert get_scoped(ApiKey.objects.all(), caller(ada), mine.id) == mine
    for id_ in (theirs.id, uuid4(), "nonsense", "\0", None, {"a": 1}, 7):
        with pytest.raises(NotFound):
            get_scoped(ApiKey.objects.all(), caller(ada), id_)
