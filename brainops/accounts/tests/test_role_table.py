"""The page says what the policy says, and each verb of the people's API does what the page says."""

from pathlib import Path

import pytest

from brainops.accounts import role_table
from brainops.accounts.models import Invitation, Membership, Role, User
from brainops.accounts.policy import ROLE_PERMISSIONS, Permission
from brainops.accounts.tests.people import logged_in, member_id
from brainops.accounts.tests.test_commands import run

PAGE = Path(__file__).resolve().parents[3] / "docs" / "people.md"


def test_the_page_holds_the_table_of_the_policy():
    assert role_table.stored(PAGE.read_text(encoding="utf-8")) == role_table.markdown(), (
        "docs/people.md differs from the policy: put the output of `manage.py role_table` between its marks."
    )


@pytest.mark.django_db
def test_the_command_prints_the_table():
    assert run("role_table") == (role_table.markdown() + "\n", "")


# what a client sends → the permission it takes
VERBS = {
    "GET /members": Permission.MEMBERS_READ,
    "PATCH /members/{member}": Permission.MEMBERS_WRITE,
    "DELETE /members/{member}": Permission.MEMBERS_WRITE,
    "GET /invitations": Permission.MEMBERS_WRITE,
    "POST /invitations": Permission.MEMBERS_WRITE,
    "DELETE /invitations/{invitation}": Permission.MEMBERS_WRITE,
    "POST /invitations/{invitation}/resend": Permission.MEMBERS_WRITE,
    "POST /api-keys": Permission.KEYS_WRITE,
    "PATCH /workspaces/{workspace}": Permission.WORKSPACE_UPDATE,
    "DELETE /workspaces/{workspace}": Permission.WORKSPACE_DELETE,
    "POST /workspaces/{workspace}/transfer": Permission.WORKSPACE_TRANSFER,
}
BODIES = {
    "POST /invitations": {"email": "x@example.com"},
    "POST /api-keys": {"name": "x"},
    "PATCH /members/{member}": {"role": "viewer"},
    "PATCH /workspaces/{workspace}": {"name": "Acme"},
}


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("call", VERBS)
def test_each_role_may_what_the_table_says_and_nothing_else(ada, bob, member, acme, role, call):
    who = member("zoe", role)
    offer = Invitation.objects.create(
        workspace=acme, email="y@example.com", digest=b"y", expires_at="2100-01-01T00:00:00Z"
    )
    method, _, path = call.partition(" ")
    address = path.format(member=member_id(bob), invitation=offer.id, workspace=acme.id)
    body = BODIES.get(call, {"to": member_id(bob)} if path.endswith("transfer") else None)
    if call == "DELETE /workspaces/{workspace}":
        address += "?confirm=acme"

    answer = getattr(logged_in(who), method.lower())(address, body)

    may = VERBS[call] in ROLE_PERMISSIONS[role]
    assert (answer.status_code != 403) == may, answer.content
    assert not may or answer.status_code in (200, 201, 204)


@pytest.mark.django_db
def test_no_member_of_another_workspace_may_any_of_it(ada, bob, eve, acme):
    for call in VERBS:
        method, _, path = call.partition(" ")
        if "{" not in path:
            continue  # of her own workspace
        offer = Invitation.objects.get_or_create(
            workspace=acme, email="y@example.com", digest=b"y", expires_at="2100-01-01T00:00:00Z"
        )[0]
        address = path.format(member=member_id(bob), invitation=offer.id, workspace=acme.id)
        body = BODIES.get(call, {"to": member_id(bob)} if path.endswith("transfer") else None)
        assert getattr(logged_in(eve), method.lower())(address, body).status_code == 404, call
    assert Membership.objects.filter(workspace=acme).count() == 2
    assert User.objects.count() == 3
