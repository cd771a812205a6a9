"""E-mail triggers that read a mailbox: each mail once, whatever becomes of the server, the numbers and us."""

import pytest
from django.db import connection

from mail.tests.cases import letter, with_attachment
from mail.tests.rows import items_of, ledger, look_once, subjects, watch

pytestmark = pytest.mark.django_db(transaction=True)


def test_mails_that_were_there_start_nothing_and_later_ones_do(user):
    user.deliver(letter(1), letter(2))
    trigger = watch(user, first="skip")

    look_once(trigger)
    user.deliver(letter(3))
    look_once(trigger)
    look_once(trigger)

    assert subjects(trigger) == ["Letter 3"]
    assert ledger(trigger) == {"<3@shop.example>": ("ran", "")}


def test_a_run_sees_the_whole_mail(user):
    user.deliver(letter(1, head="Cc: Bob <bob@x.example>\r\nIn-Reply-To: <0@a.b>\r\nReferences: <z@a.b> <0@a.b>\r\n"))
    trigger = watch(user)

    look_once(trigger)

    (item,) = items_of(trigger)
    headers = [(header["name"], header["value"]) for header in item.pop("headers")]
    assert ("Subject", "Letter 1") in headers
    assert item == {
        "from": {"name": "Ada", "address": "ada@shop.example"},
        "to": [{"name": "", "address": "support@in.example"}],
        "cc": [{"name": "Bob", "address": "bob@x.example"}],
        "reply_to": [],
        "subject": "Letter 1",
        "date": "2026-11-23T09:00:01+01:00",
        "message_id": "<1@shop.example>",
        "in_reply_to": "<0@a.b>",
        "references": ["<z@a.b>", "<0@a.b>"],
        "text": "Hello.\n",
        "html": None,
        "is_cut": False,
        "attachments": [],
        "size": item["size"],
    }


def test_attachments_are_files_of_the_run(user):
    user.deliver(with_attachment(1, name="../../etc/bill.pdf"))
    trigger = watch(user)

    look_once(trigger)

    (item,) = items_of(trigger)
    (reference,) = item["attachments"]
    assert (reference["name"], reference["content_type"], reference["size"]) == ("bill.pdf", "application/pdf", 9)
    assert (item["text"], item["html"]) == ("Grüße", "<p>Grüße</p>")
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from automation_fileuse where file_id = %s", [reference["$file"]])
        assert cursor.fetchone() == (1,)
