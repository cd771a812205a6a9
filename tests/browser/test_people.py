"""People's pages in a browser: the link of an invitation, and the question before somebody is removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from brainops.accounts.caller import Caller
from brainops.accounts.models import Invitation, Membership, Role, User, Workspace
from brainops.accounts.services import invitations
from tests.browser.conftest import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def acme(staff: User) -> Workspace:
    workspace = Workspace.objects.create(name="Acme", slug="acme")
    Membership.objects.create(user=staff, workspace=workspace, role=Role.OWNER)
    return workspace


@pytest.fixture
def link(acme: Workspace, staff: User, settings: Any) -> str:
    """The path of an open invitation for grace@example.com."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    caller = Caller(staff.id, staff.email, "token", acme.id, Role.OWNER)
    sent = invitations.invite(caller, email="grace@example.com", role=Role.BUILDER, message="Come in.\nIt is warm.")
    return sent.link.removeprefix(settings.BRAINOPS_PUBLIC_URL)


@pytest.mark.parametrize(("theme", "width"), [("light", DESK), ("dark", PHONE)])
def test_a_newcomer_accepts_on_the_page(open_page: Callable[..., Any], link: str, theme: str, width: int):
    page = open_page(link, theme=theme, width=width)
    seen = page.inner_text("main, body")

    page.fill("input[name=username]", "grace")
    for name in ("password", "again"):
        page.fill(f"input[name={name}]", "a passphrase nobody else has")
    page.click("text=Accept")
    page.wait_for_selector("[role=status]")

    assert "ada@example.com invites grace@example.com as Builder" in seen
    assert "is a member of Acme as Builder" in page.inner_text("[role=status]")
    assert Membership.objects.get(user__username="grace").role == Role.BUILDER
    assert Invitation.objects.get().accepted_at is not None


def test_declining_needs_nothing_filled_in(open_page: Callable[..., Any], link: str):
    page = open_page(link, width=PHONE)

    page.click("text=Decline")
    page.wait_for_selector("text=The invitation has ended.")

    assert Invitation.objects.get().declined_at is not None


@pytest.mark.parametrize(("theme", "width"), [("light", PHONE), ("dark", DESK)])
def test_removing_a_member_asks_what_becomes_of_their_things(
    open_page: Callable[..., Any], acme: Workspace, theme: str, width: int
):
    bob = User.objects.create_user("bob@example.com", username="bob")
    member = Membership.objects.create(user=bob, workspace=acme, role=Role.BUILDER)
    page = open_page(f"/admin/accounts/membership/{member.id}/remove/", theme=theme, width=width)

    asked = page.inner_text(".bo-card form")
    page.click(".bo-card .bo-danger")
    page.wait_for_url("**/admin/accounts/membership/")

    assert "Workflows handed over" in asked
    assert not Membership.objects.filter(user=bob).exists()


@pytest.mark.parametrize("name", ["workspace", "membership", "invitation", "apikey"])
def test_the_lists_of_people_fit_a_phone(open_page: Callable[..., Any], link: str, name: str):
    page = open_page(f"/admin/accounts/{name}/", width=PHONE, theme="dark")

    assert page.locator("#result_list, .result-list, p").count() > 0
