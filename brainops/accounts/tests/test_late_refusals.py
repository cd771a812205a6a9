"""Refusals at the edges of people's own pages and of commands: what is said, and that nothing changed."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from brainops.accounts.models import User, Workspace
from brainops.accounts.services import profile
from brainops.accounts.services.people_lock import lock_people
from brainops.core.errors import NotFound, PermissionDenied
from brainops.core.mail import MailRefused, deliver

pytestmark = pytest.mark.django_db


def test_the_page_of_a_forgotten_password_says_that_no_mail_can_be_sent(ada, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

    answer = Client().post("/auth/password/reset", {"email": ada.email})

    assert answer.status_code == 200
    assert "mail" in answer.content.decode()
    assert "on its way" not in answer.content.decode()


@pytest.mark.parametrize("head", ["nonsense", "a:b:c", f"{uuid.UUID(int=7)}:one:seal", ""])
def test_a_head_that_is_none_is_refused_with_its_form(head):
    with pytest.raises(CommandError, match="--head must look like CHAIN:POSITION:SEAL, got"):
        call_command("audit_verify", head=[head])


def test_the_system_itself_has_no_profile(ada, caller):
    nobody = replace(caller(ada), user_id=None)

    with pytest.raises(PermissionDenied, match="The system itself is nobody"):
        profile.of(nobody)
    with pytest.raises(PermissionDenied, match="cannot change its user"):
        profile.change(nobody, {"name": "Nobody"})
    assert not User.objects.filter(name="Nobody").exists()


def test_the_people_of_a_workspace_that_is_gone_cannot_be_locked(acme):
    missing = uuid.uuid4()

    with pytest.raises(NotFound):
        lock_people(missing)
    assert Workspace.objects.filter(id=acme.id).exists()


@pytest.mark.parametrize(
    ("to", "headers"),
    [("ada@example.com", {"X-Note": "one\nBcc: eve@example.com"}), ("ada@example.com\nBcc: eve@example.com", {})],
)
def test_a_mail_whose_header_would_end_its_line_is_refused_for_good(to, headers, mailoutbox, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    with pytest.raises(MailRefused, match="The mail cannot be written") as refused:
        deliver(to, subject="s", text="t", headers=headers)

    assert (refused.value.is_final, mailoutbox) == (True, [])
