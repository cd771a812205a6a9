"""The admin's pages of workspaces, members, invitations and keys: they go through the same services as the API."""

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse

from brainops.accounts.models import ApiKey, Invitation, Membership, Role, User, Workspace
from brainops.accounts.tests.conftest import PASSWORD, Api
from brainops.accounts.tests.people import logged_in, member_id
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db) -> User:
    return User.objects.create_superuser("root@example.com", PASSWORD)


@pytest.fixture
def staff(root) -> Client:
    client = Client()
    client.force_login(root)
    return client


@pytest.fixture
def limited(db) -> Client:
    """Staff who may look at everything here and change nothing."""
    user = User.objects.create_user("limited@example.com", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="accounts", codename__startswith="view_")
    )
    client = Client()
    client.force_login(user)
    return client


def chosen(action: str, row) -> dict[str, object]:
    return {"action": action, "_selected_action": [str(row.pk)]}


def said(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_staff_set_quotas_on_the_page_of_a_workspace(staff, acme):
    form = {"name": "Acme", "slug": "acme", "max_workflows": "7", "requires_if_match": "on"}
    nobody_in_it = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}

    answer = staff.post(reverse("admin:accounts_workspace_change", args=[acme.id]), {**form, **nobody_in_it})

    acme.refresh_from_db()
    assert (answer.status_code, acme.max_workflows, acme.max_storage_bytes, acme.requires_if_match) == (
        302,
        7,
        None,
        True,
    )
    entry = AuditEntry.objects.get(action="workspace.update")
    assert entry.changes == {"max_workflows": [None, 7], "requires_if_match": [False, True]}


@pytest.mark.parametrize("slug", ["Acme", "a--b", "6f1c0c7e-0000-4000-8000-000000000000", "umbrella"])
def test_a_slug_is_checked_as_in_the_api(staff, acme, umbrella, slug):
    form = {"name": "Acme", "slug": slug, "memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}

    answer = staff.post(reverse("admin:accounts_workspace_change", args=[acme.id]), form)

    assert (answer.status_code, Workspace.objects.get(id=acme.id).slug) == (200, "acme")


def test_staff_add_a_member_and_change_the_role(staff, ada, eve, acme):
    added = staff.post(
        reverse("admin:accounts_membership_add"), {"workspace": acme.id, "user": eve.id, "role": "viewer"}
    )
    row = Membership.objects.get(user=eve, workspace=acme)
    changed = staff.post(reverse("admin:accounts_membership_change", args=[row.id]), {"role": "builder"})

    row.refresh_from_db()
    assert (added.status_code, changed.status_code, row.role) == (302, 302, Role.BUILDER)
    told = AuditEntry.objects.filter(action__startswith="member.").order_by("id")
    assert [(entry.action, entry.actor_label) for entry in told] == [
        ("member.create", "root@example.com"),
        ("member.update", "root@example.com"),
    ]


def test_the_last_owner_is_kept_here_too(staff, ada):
    answer = staff.post(reverse("admin:accounts_membership_change", args=[member_id(ada)]), {"role": "viewer"})

    assert (answer.status_code, "only active Owner" in answer.content.decode()) == (200, True)
    assert Membership.objects.get(user=ada).role == Role.OWNER


def test_removing_asks_first_and_says_what_becomes_of_the_things(staff, ada, bob, key_of):
    key = key_of(bob)
    address = reverse("admin:accounts_membership_remove", args=[member_id(bob)])

    asked = staff.get(address)
    still = Membership.objects.filter(user=bob).exists()
    done = staff.post(address, {"reassign_to": member_id(ada)})

    assert (asked.status_code, still, done.status_code) == (200, True, 302)
    assert "API keys revoked" in asked.content.decode()
    assert not Membership.objects.filter(user=bob).exists()
    assert Api(key.text).get("/me").status_code == 401


def test_the_last_owner_is_not_removed_here_either(staff, ada, bob):
    answer = staff.post(reverse("admin:accounts_membership_remove", args=[member_id(ada)]), follow=True)

    assert "only active Owner" in said(answer)
    assert Membership.objects.filter(user=ada).exists()


def test_an_invitation_is_sent_again_and_revoked_from_the_list(staff, ada):
    logged_in(ada).post("/invitations", {"email": "grace@example.com"})
    row, address = Invitation.objects.get(), reverse("admin:accounts_invitation_changelist")

    staff.post(address, chosen("resend", row))
    mails = len(mail.outbox)
    staff.post(address, chosen("revoke", row))

    row.refresh_from_db()
    assert (mails, row.revoked_at is None) == (2, False)
    told = AuditEntry.objects.filter(action__in=["invitation.resend", "invitation.revoke"])
    assert {entry.actor_label for entry in told} == {"root@example.com"}


def test_an_ended_invitation_is_not_sent_again(staff, ada):
    logged_in(ada).post("/invitations", {"email": "grace@example.com"})
    row = Invitation.objects.get()
    logged_in(ada).delete(f"/invitations/{row.id}")

    answer = staff.post(reverse("admin:accounts_invitation_changelist"), chosen("resend", row), follow=True)

    assert ("This invitation was revoked" in said(answer), len(mail.outbox)) == (True, 1)


@pytest.mark.parametrize("state", ["open", "accepted", "declined", "revoked", "expired"])
def test_invitations_are_filtered_by_state(staff, ada, state):
    logged_in(ada).post("/invitations", {"email": "grace@example.com"})

    page = staff.get(reverse("admin:accounts_invitation_changelist") + f"?state={state}")

    assert ("grace@example.com" in page.content.decode()) == (state == "open")


def test_staff_rotate_their_own_keys_and_nobody_elses(staff, root, acme, ada, key_of):
    Membership.objects.create(user=root, workspace=acme, role=Role.ADMIN)
    mine, theirs = key_of(root), key_of(ada)
    address = reverse("admin:accounts_apikey_changelist")

    refused = staff.post(address, chosen("rotate", theirs.row), follow=True)
    done = staff.post(address, chosen("rotate", mine.row), follow=True)

    new = ApiKey.objects.get(id=ApiKey.objects.get(id=mine.row.id).replaced_by_id)
    assert "only they rotate it" in said(refused)
    assert ApiKey.objects.get(id=theirs.row.id).replaced_by is None
    assert f"bo_{new.prefix}_" in said(done)
    assert Api(said(done).rpartition(" ")[2]).get("/me").status_code == 200


@pytest.mark.parametrize(
    ("page", "make"),
    [
        ("accounts_invitation", lambda acme, ada: Invitation.objects.get()),
        ("accounts_apikey", lambda acme, ada: ApiKey.objects.get()),
        ("accounts_membership", lambda acme, ada: Membership.objects.get()),
    ],
)
def test_who_may_only_look_does_nothing(limited, ada, acme, key_of, page, make):
    logged_in(ada).post("/invitations", {"email": "grace@example.com"})
    key_of(ada)
    row = make(acme, ada)
    before = AuditEntry.objects.count()

    for action in ("rotate", "revoke", "resend", "remove", "delete_selected"):
        limited.post(reverse(f"admin:{page}_changelist"), chosen(action, row))
    statuses = {
        limited.post(reverse("admin:accounts_membership_remove", args=[member_id(ada)])).status_code,
        limited.post(
            reverse("admin:accounts_membership_change", args=[member_id(ada)]), {"role": "viewer"}
        ).status_code,
        limited.post(reverse("admin:accounts_workspace_change", args=[acme.id]), {"name": "x"}).status_code,
    }

    assert (statuses, AuditEntry.objects.count()) == ({403}, before)
    assert limited.get(reverse(f"admin:{page}_changelist")).status_code == 200
