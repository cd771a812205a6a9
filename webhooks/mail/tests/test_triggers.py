"""The kind `email` as people meet it: over the API, in the admin, with the address that comes and goes with it."""

import pytest
from django.test import Client
from django.urls import reverse

from automation.models import Secret, Source
from automation.services import triggers
from automation.tests.api.conftest import make_person, make_workspace
from automation.tests.triggers.rows import make_workflow
from brainops.accounts.caller import system_caller
from brainops.accounts.models import Role, User
from brainops.core.errors import InvalidInput
from webhooks.mail.models import MailAddress
from webhooks.mail.tests.rows import make_trigger

pytestmark = pytest.mark.django_db

MAILBOX = {"host": "imap.example.com", "username": "support@example.com", "password_secret": "mailbox"}


def has_source(trigger):
    return Source.objects.filter(trigger=trigger, next_at__isnull=False).exists()


def change(trigger, **config):
    return triggers.change(system_caller(trigger.workspace_id, label="test"), trigger.id, {"config": config}).trigger


def test_a_saved_config_says_everything(inbound):
    trigger = make_trigger({"mailbox": MAILBOX})

    assert trigger.config == {
        "from": [],
        "subject_contains": "",
        "ignore": "automatic",
        "max_bytes": 25 << 20,
        "mailbox": {
            **MAILBOX,
            "port": 993,
            "security": "tls",
            "folder": "INBOX",
            "unseen": False,
            "first": "skip",
            "after": "nothing",
            "every": "1m",
            "idle": False,
        },
    }


def test_an_address_comes_and_goes_with_the_source(inbound):
    trigger = make_trigger({"address": True})
    address = MailAddress.objects.get().address
    first = has_source(trigger)

    change(trigger, address=None, mailbox=MAILBOX)
    second = (MailAddress.objects.count(), has_source(trigger))
    change(trigger, address=True, mailbox=None)

    assert (first, second, has_source(trigger)) == (False, (0, True), False)
    assert MailAddress.objects.get().address != address


def test_an_address_stays_when_anything_else_changes(inbound):
    trigger = make_trigger({"address": True})
    address = MailAddress.objects.get().address

    change(trigger, ignore="replies")

    assert MailAddress.objects.get().address == address


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({}, ("one_source", "/config/mailbox")),
        ({"address": False}, ("one_source", "/config/mailbox")),
        ({"address": True, "mailbox": MAILBOX}, ("one_source", "/config/address")),
        ({"address": True, "max_bytes": 1 << 40}, ("too_large", "/config/max_bytes")),
        ({"address": True, "from": ["shop.example"]}, ("invalid_value", "/config/from/0")),
        ({"address": True, "ignore": "all"}, ("invalid_value", "/config/ignore")),
    ],
    ids=["none", "false", "both", "size", "sender", "ignore"],
)
def test_what_makes_no_sense_is_refused_with_its_place(inbound, config, problem):
    with pytest.raises(InvalidInput) as refusal:
        make_trigger(config)

    assert [(one.code, one.pointer) for one in refusal.value.problems] == [problem]


def test_the_answer_shows_the_address_and_never_the_password(inbound):
    workflow = make_workflow()
    Secret.objects.create(workspace=workflow.workspace, name="mailbox", value="the-password-itself")
    owner = make_person(workflow.workspace)

    made = owner.post("/triggers", {"workflow_id": str(workflow.id), "kind": "email", "config": {"address": True}})
    read = owner.post("/triggers", {"workflow_id": str(workflow.id), "kind": "email", "config": {"mailbox": MAILBOX}})

    address = MailAddress.objects.get().address
    assert (made.status_code, made.json()["email"]) == (201, {"address": address, "problem": None})
    assert (read.status_code, "the-password-itself" in read.content.decode()) == (201, False)


def test_a_stranger_meets_no_trigger_and_no_address(inbound):
    trigger = make_trigger({"address": True})
    owner, member = make_person(trigger.workspace), make_person(trigger.workspace, Role.VIEWER)
    stranger = make_person(make_workspace())

    answers = [person.get(f"/triggers/{trigger.id}") for person in (owner, member, stranger)]

    assert [answer.status_code for answer in answers] == [200, 200, 404]
    local_part = MailAddress.objects.get().local_part
    assert [local_part in answer.content.decode() for answer in answers] == [True, True, False]


def test_the_page_of_a_trigger_shows_where_to_send_mail(inbound):
    trigger = make_trigger({"address": True})
    staff = Client(headers={"host": "localhost"})
    staff.force_login(User.objects.create_superuser("staff@example.com", username="staff"))

    page = staff.get(reverse("admin:automation_trigger_page", args=[trigger.id])).content.decode()

    assert MailAddress.objects.get().address in page
