"""The commands that scripts and the launcher call."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from brainops.accounts.models import ApiKey, Membership, User, Workspace
from brainops.accounts.tests.conftest import API, Api
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def run(command: str, **options) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(command, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_a_key_is_all_that_is_printed_and_everything_it_needs_is_made():
    out, err = run("create_api_key", user="ada@example.com", workspace="Big Acme", role="builder")

    key = out.removesuffix("\n")
    me = Api(key).get("/me").json()
    assert (err, "\n" in key) == ("", False)
    assert (me["role"], me["workspaces"][0]["slug"], me["workspaces"][0]["name"]) == (
        "builder",
        "big-acme",
        "Big Acme",
    )


def test_a_second_key_uses_what_is_there_and_never_lowers_a_role():
    run("create_api_key", user="ada@example.com", workspace="Acme", role="owner")
    run("create_api_key", user="ADA@example.com", workspace="acme", role="viewer", scopes=["runs:read,keys:*", "*"])

    assert (User.objects.count(), Workspace.objects.count(), ApiKey.objects.count()) == (1, 1, 2)
    assert Membership.objects.get().role == "owner"
    assert ApiKey.objects.order_by("-created_at", "id").filter(role="viewer").get().scopes == [
        "runs:read",
        "keys:*",
        "*",
    ]


def test_a_bare_name_makes_a_user_whom_no_mail_reaches():
    run("create_api_key", user="demo", workspace="acme", role="viewer")

    user = User.objects.get()
    assert (user.username, user.email, user.has_usable_password()) == ("demo", "demo@demo.invalid", False)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"scopes": ["runs:fly"]}, "The scope 'runs:fly' is not known"),
        ({"user": "no address@"}, "is neither an e-mail address nor a user name"),
        ({"workspace": "!!!"}, "A workspace needs a name with letters or digits"),
    ],
)
def test_a_wrong_option_makes_nothing(options, reason):
    with pytest.raises(CommandError, match=reason):
        run("create_api_key", **{"user": "ada@example.com", "workspace": "acme", "role": "viewer", **options})

    assert (User.objects.count(), Workspace.objects.count(), AuditEntry.objects.count()) == (0, 0, 0)


def password_of(out: str) -> tuple[str, str]:
    login, password = out.splitlines()
    return login.removeprefix("login: "), password.removeprefix("password: ")


def test_the_admin_is_made_once_with_a_password_that_works_for_api_and_admin():
    out, _ = run("create_admin")
    again, note = run("create_admin")

    email, password = password_of(out)
    body = {"username": email, "password": password}
    assert len(password) == 20
    assert Client().post(f"{API}/auth/token", body, content_type="application/json").status_code == 200
    assert Client().post("/admin/login/?next=/admin/", body).status_code == 302
    assert (again, "Use --reset-password" in note) == ("", True)
    assert Membership.objects.get().role == "owner"


def test_without_an_installation_the_way_to_one_is_named():
    with connection.cursor() as cursor:
        cursor.execute("alter table accounts_user rename to elsewhere")  # taken back with the test's transaction

    with pytest.raises(CommandError, match="no installation in this database yet"):
        run("create_admin", reset_password=True)


def test_a_reset_gives_a_new_password_and_ends_the_old_one():
    email, old = password_of(run("create_admin")[0])
    _, new = password_of(run("create_admin", reset_password=True)[0])

    statuses = [
        Client().post(f"{API}/auth/token", {"username": email, "password": text}, content_type="application/json")
        for text in (old, new)
    ]

    assert [answer.status_code for answer in statuses] == [401, 200]


def test_delete_workspace_first_says_what_would_go(ada, acme, capsys):
    call_command("delete_workspace", "acme")

    assert capsys.readouterr().out == ("would go: 1 memberships\nNothing was deleted. To do it: --confirm acme\n")
    assert Workspace.objects.filter(id=acme.id).exists()


def test_delete_workspace_deletes_when_the_slug_is_said_twice(ada, acme, capsys):
    with pytest.raises(CommandError, match="confirm must be the workspace's slug"):
        call_command("delete_workspace", "acme", confirm="other")
    call_command("delete_workspace", "acme", confirm="acme")

    assert capsys.readouterr().out == "gone: 1 memberships\n"
    assert not Workspace.objects.exists()


def test_delete_workspace_knows_no_other(db):
    with pytest.raises(CommandError, match="There is no workspace 'nonsense'"):
        call_command("delete_workspace", "nonsense")
