"""E-mail triggers that read a mailbox: each mail once, whatever becomes of the server, the numbers and us."""

import pytest
from django.db import connection
from django.db.models.functions import Now

from automation.engine.status import RunStatus
from automation.models import Run, StoredFile
from automation.tests.triggers.rows import DEFINITION
from webhooks.mail.tests.cases import case_mails, letter, needs_cases, subject_of, with_attachment
from webhooks.mail.tests.rows import items_of, ledger, look_once, subjects, watch

# of the odd mails, in their order: every part but the text and the HTML
ATTACHED = [0, 1, 1, 3, 4, 1, 0, 1, 0, 0, 2, 1, 2, 3, 1, 1]

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


@needs_cases
def test_the_odd_mails_come_as_they_are_while_it_looks_and_none_twice(user):
    letters = list(case_mails().values())
    trigger = watch(user, ignore="replies")

    for raw in letters[:8]:
        user.deliver(raw)
        look_once(trigger)
    user.renumber()
    for raw in letters[8:]:
        user.deliver(raw)
        look_once(trigger)
    look_once(trigger)

    assert subjects(trigger) == [subject_of(raw) for raw in letters]
    assert [len(item["attachments"]) for item in items_of(trigger)] == ATTACHED


@needs_cases
def test_an_automatic_mail_among_them_is_left_out_with_the_reason(user):
    user.deliver(case_mails()["msg_33"])
    trigger = watch(user)

    look_once(trigger)

    (decided,) = ledger(trigger).values()
    assert decided == (
        "refused",
        'A machine sent it: Precedence is bulk. Set "ignore" to "replies" to take such mails.',
    )
    assert items_of(trigger) == []


def test_a_folder_that_was_numbered_anew_is_read_again_without_doubling(user):
    user.deliver(letter(1), letter(2, message_id=None))
    trigger = watch(user)
    look_once(trigger)

    user.renumber()
    user.deliver(letter(3))
    look_once(trigger)
    look_once(trigger)

    assert sorted(subjects(trigger)) == ["Letter 1", "Letter 2", "Letter 3"]


def test_what_was_there_before_the_trigger_starts_nothing_after_a_renumbering_either(user):
    user.deliver(letter(1))
    trigger = watch(user, first="skip")
    look_once(trigger)

    user.renumber()
    look_once(trigger)

    assert ledger(trigger) == {}


def test_the_same_mail_twice_starts_one_run(user):
    user.deliver(letter(1), letter(1), letter(2, message_id=None), letter(2, message_id=None))
    trigger = watch(user)

    look_once(trigger)

    assert subjects(trigger) == ["Letter 1", "Letter 2"]


def test_only_mails_that_it_wants_start_runs(user):
    user.deliver(letter(1), letter(2), letter(12).replace(b"ada@", b"eve@"))
    trigger = watch(user, subject_contains="letter 1", **{"from": ["ada@shop.example", "@other.example"]})

    look_once(trigger)

    assert subjects(trigger) == ["Letter 1"]
    assert ledger(trigger) == {"<1@shop.example>": ("ran", "")}


def test_read_mails_start_nothing_where_only_unread_ones_are_wanted(user):
    user.deliver(letter(1), letter(2))
    with user.client() as client:
        client.select()
        client.store("1", "+FLAGS", r"(\Seen)")
    (unread,) = user.subjects(flag="UNSEEN")
    trigger = watch(user, unseen=True)

    look_once(trigger)

    assert subjects(trigger) == [unread]


@pytest.mark.parametrize(
    ("after", "left", "unread", "moved"),
    [
        ("nothing", ["Letter 1"], ["Letter 1"], []),
        ("seen", ["Letter 1"], [], []),
        ("delete", [], [], []),
        ("move", [], [], ["Letter 1"]),
    ],
)
def test_a_mail_that_was_taken_is_settled(user, after, left, unread, moved):
    user.make_folder('"Erledigt &APw-"')
    user.deliver(letter(1))
    trigger = watch(user, after=after, **({"move_to": "Erledigt \u00fc"} if after == "move" else {}))

    look_once(trigger)

    assert subjects(trigger) == ["Letter 1"]
    found = (user.subjects(), user.subjects(flag="UNSEEN"), user.subjects('"Erledigt &APw-"'))
    assert found == (left, unread, moved)


def test_a_mail_that_starts_nothing_stays_where_it_is(user):
    user.deliver(letter(1, head="Auto-Submitted: auto-replied\r\n"))
    trigger = watch(user, after="delete")

    look_once(trigger)

    assert user.subjects() == ["Letter 1"]
    assert ledger(trigger) == {
        "<1@shop.example>": ("refused", "It is an automatic reply: Auto-Submitted is auto-replied.")
    }


def test_a_mail_that_is_too_large_is_told_and_not_fetched(user):
    user.deliver(letter(1, body="x" * 5000))
    trigger = watch(user, max_bytes=4096)

    look_once(trigger)

    ((decision, reason),) = ledger(trigger).values()
    assert decision == "refused"
    assert reason.endswith("bytes; this trigger takes 4,096 at most. Raise its max_bytes to take more.")


def test_fifty_megabytes_hold_nobody_up(user):
    user.deliver(letter(1, body="0123456789abcdef\r\n" * 3_000_000), letter(2))
    trigger = watch(user)

    look_once(trigger)

    assert {key: decision for key, (decision, _) in ledger(trigger).items()} == {
        "<1@shop.example>": "refused",
        "<2@shop.example>": "ran",
    }


def test_many_mails_are_taken_in_pages(user):
    user.deliver(*(letter(number) for number in range(120)))
    trigger = watch(user)

    look_once(trigger)
    first = len(items_of(trigger))
    look_once(trigger)

    assert (first, len(items_of(trigger))) == (100, 120)


def test_a_header_that_would_end_its_line_stays_one_line(user):
    user.deliver(letter(1).replace(b"Subject: Letter 1", b"Subject: =?utf-8?q?a=0D=0ABcc:_eve@x.example?="))
    trigger = watch(user)

    look_once(trigger)

    assert subjects(trigger) == ["a Bcc: eve@x.example"]


def test_while_there_is_no_room_one_mail_at_a_time_is_tried(user):
    limited = {**DEFINITION, "settings": {"concurrency": {"limit": 1, "when_full": "fail"}}}
    user.deliver(with_attachment(1), with_attachment(2), with_attachment(3))
    trigger = watch(user, definition=limited)

    look_once(trigger)
    first = StoredFile.objects.count()
    look_once(trigger)
    waiting = (len(subjects(trigger)), StoredFile.objects.count() - first)
    for _ in range(3):
        Run.objects.update(status=RunStatus.SUCCEEDED, finished_at=Now(), finishes=1)
        look_once(trigger)

    assert waiting == (1, 1)
    assert sorted(subjects(trigger)) == ["Bill 1", "Bill 2", "Bill 3"]
