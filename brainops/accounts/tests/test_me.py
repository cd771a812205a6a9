"""What people say of themselves, and what is left of them once they are switched off."""

import pytest
from django.test import Client

from brainops.accounts.models import Membership, Role, User
from brainops.accounts.tests.people import logged_in, member_id
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_me_tells_who_i_am_where_and_with_which_rights(bob, acme):
    me = logged_in(bob).get("/me").json()

    assert me["user"] == {
        "id": str(bob.id),
        "email": "bob@example.com",
        "username": "bob",
        "name": "",
        "is_active": True,
    }
    assert me["workspaces"] == [
        {"member_id": member_id(bob), "id": str(acme.id), "slug": "acme", "name": "Acme", "role": "viewer"}
    ]
    assert "members:read" in me["permissions"]
    assert "members:write" not in me["permissions"]


def test_a_person_changes_their_names(bob):
    answer = logged_in(bob).patch("/me", {"name": "Robert Tables", "username": "robert"})

    assert (answer.status_code, answer.json()["user"]["name"], answer.json()["user"]["username"]) == (
        200,
        "Robert Tables",
        "robert",
    )
    assert AuditEntry.objects.get(action="user.update").changes == {
        "name": ["", "Robert Tables"],
        "username": ["bob", "robert"],
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"username": "ada"}, "/username"),
        ({"username": "ADA"}, "/username"),
        ({"username": "a@b"}, "/username"),
        ({"username": ""}, "/username"),
        ({"username": "x" * 151}, "/username"),
        ({"name": "x" * 151}, "/name"),
        ({"email": "other@example.com"}, "/email"),
        ({"is_staff": True}, "/is_staff"),
        ({"password": "x"}, "/password"),
    ],
)
def test_a_wrong_name_is_refused_with_the_place(ada, bob, body, pointer):
    answer = logged_in(bob).patch("/me", body)

    assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (400, pointer)
    assert User.objects.get(id=bob.id).username == "bob"


def test_a_key_does_not_rename_its_user(bob, api):
    assert api(bob).patch("/me", {"name": "x"}).status_code == 403


def test_one_is_renamed_without_any_workspace(bob):
    Membership.objects.all().delete()

    answer = logged_in(bob).patch("/me", {"name": "Bob"})

    assert (answer.status_code, answer.json()["workspaces"]) == (200, [])


def test_who_is_switched_off_loses_key_token_and_admin_session_at_the_next_request(member, api):
    staff = member("root", Role.OWNER, is_staff=True, is_superuser=True)
    key, login, session = api(staff), logged_in(staff), Client()
    session.force_login(staff)

    def statuses() -> list[int]:
        return [
            key.get("/members").status_code,
            login.get("/members").status_code,
            session.get("/admin/accounts/user/").status_code,
        ]

    before = statuses()
    User.objects.filter(id=staff.id).update(is_active=False)

    assert (before, statuses()) == ([200, 200, 200], [401, 401, 302])


def test_a_lowered_role_counts_at_the_next_request(ada, member):
    carol = member("carol", Role.ADMIN)
    client = logged_in(carol)
    before = client.get("/invitations").status_code

    logged_in(ada).patch(f"/members/{member_id(carol)}", {"role": "viewer"})

    assert (before, client.get("/invitations").status_code) == (200, 403)


def test_a_user_name_that_only_looks_like_another_one_keeps_nobody_out(ada, bob):
    answer = logged_in(bob).patch("/me", {"username": "a\u0131a"})
    assert answer.status_code == 200, answer.content
    logged_in(ada).patch("/me", {"username": "aia"})  # in capitals both are AIA

    assert User.objects.get_by_natural_key("AIA") == ada
    assert User.objects.get_by_natural_key("a\u0131a") == bob
