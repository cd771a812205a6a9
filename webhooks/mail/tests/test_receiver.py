"""E-mail triggers with an address of their own: what is answered with 250 is stored, each mail once."""

import smtplib
import threading

import pytest
from django.db import connections

from automation.models import Run, StoredFile, Trigger, Workflow
from webhooks.mail.services import deliveries
from webhooks.mail.tests.cases import case_mails, letter, needs_cases, subject_of, with_attachment
from webhooks.mail.tests.rows import items_of, ledger, receive, subjects

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_mail_to_the_address_starts_a_run_that_sees_it(receiver):
    trigger, address = receive()

    said = receiver.send(with_attachment(1), address.upper())

    (run,) = Run.objects.filter(trigger_id=trigger.id)
    seen = run.data.input["trigger"]
    assert said == "250 2.0.0 Taken"
    assert (seen["item"]["subject"], seen["item"]["text"]) == ("Bill 1", "Grüße")
    assert [reference["name"] for reference in seen["item"]["attachments"]] == ["bill.pdf"]
    assert seen["envelope"] == {
        "mail_from": "ada@shop.example",
        "rcpt_to": address.upper(),
        "client": "127.0.0.1",
        "helo": "client.example",
        "is_encrypted": False,
    }


@needs_cases
def test_the_odd_mails_come_as_they_are_and_none_twice(receiver):
    trigger, address = receive(ignore="replies")
    letters = list(case_mails().values())

    answers = [receiver.send(raw, address) for raw in letters]
    again = [receiver.send(raw, address) for raw in letters]

    assert set(answers) == {"250 2.0.0 Taken"}
    assert set(again) == {"250 2.0.0 Taken before"}
    assert subjects(trigger) == [subject_of(raw) for raw in letters]


def test_an_address_that_is_not_there_is_refused(receiver, inbound):
    inbound["unknown_per_second"] = 1000
    _, address = receive()

    answers = [receiver.send(letter(1), to)[:9] for to in ("nobody@in.example", address.replace("in.", "out."))]

    assert answers == ["550 5.1.1", "550 5.1.1"]


def test_addresses_cannot_be_tried_out(receiver, inbound):
    inbound["unknown_per_second"] = 0.03  # one at once, then one in 33 s
    _, address = receive()

    answers = [receiver.send(letter(1), to)[:9] for to in ("a@in.example", "b@in.example", address)]

    assert answers == ["550 5.1.1", "451 4.7.1", "451 4.7.1"]


def test_a_tag_after_the_address_is_the_senders_own(receiver):
    trigger, address = receive()

    receiver.send(letter(1), address.replace("@", "+invoices@"))

    assert subjects(trigger) == ["Letter 1"]


def test_what_is_switched_off_is_tried_again_later(receiver):
    trigger, address = receive()
    workflow, workflow_address = receive()
    Trigger.objects.filter(id=trigger.id).update(is_active=False)
    Workflow.objects.filter(id=workflow.workflow_id).update(is_active=False)

    answers = [receiver.send(letter(1), to)[:9] for to in (address, workflow_address)]

    assert answers == ["450 4.2.1", "450 4.2.1"]
    assert (ledger(trigger), ledger(workflow)) == ({}, {})


def test_a_mail_for_two_triggers_starts_a_run_of_each(receiver):
    (one, first), (other, second) = receive(), receive()

    said = receiver.send(letter(1), first, second, first)

    assert said == "250 2.0.0 Taken"
    assert (subjects(one), subjects(other)) == (["Letter 1"], ["Letter 1"])


def test_twenty_copies_at_once_start_one_run(receiver, inbound):
    inbound["connections_of_one"] = 50
    trigger, address = receive()
    answers = []

    def send():
        answers.append(receiver.send(with_attachment(1), address))

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["250 2.0.0 Taken"] + ["250 2.0.0 Taken before"] * 19
    assert len(items_of(trigger)) == 1
    assert StoredFile.objects.count() == 1


def test_an_automatic_reply_is_taken_and_starts_nothing(receiver):
    trigger, address = receive()

    said = receiver.send(letter(1), address, sender="")

    assert said == "250 2.0.0 Taken"
    assert ledger(trigger) == {
        "<1@shop.example>": ("refused", "It is an automatic reply: its return path is empty, as of bounces.")
    }


def test_other_senders_are_refused_where_only_some_are_wanted(receiver):
    trigger, address = receive(**{"from": ["@shop.example"]})

    answers = [receiver.send(raw, address)[:9] for raw in (letter(1), letter(2).replace(b"ada@shop", b"eve@evil"))]

    assert answers == ["250 2.0.0", "550 5.7.1"]
    assert subjects(trigger) == ["Letter 1"]


def test_other_subjects_are_taken_and_told(receiver):
    trigger, address = receive(subject_contains="invoice")

    said = receiver.send(letter(1), address)

    assert said == "250 2.0.0 Taken"
    assert ledger(trigger) == {"<1@shop.example>": ("refused", "Its subject does not hold 'invoice'.")}


def test_a_size_that_is_announced_is_refused_before_it_is_sent(receiver, inbound):
    _, address = receive()

    said = receiver.send(b"", address, options=(f"SIZE={inbound['most_bytes'] + 1}",))

    assert said[:3] == "552"


def test_a_mail_that_is_larger_than_anybody_takes_is_refused_and_the_session_goes_on(receiver, inbound):
    inbound["most_bytes"] = 100_000
    receiver.stop()
    receiver.start()
    trigger, address = receive()
    large = letter(1, body="0123456789abcdef\r\n" * 8_000)

    with receiver.client() as client:
        client.ehlo()
        client.mail("ada@shop.example")
        client.rcpt(address)
        code, _ = client.data(large)
        client.sendmail("ada@shop.example", [address], letter(2))

    assert (code, subjects(trigger)) == (552, ["Letter 2"])


def test_whoever_does_not_stop_sending_is_hung_up_on(receiver, inbound):
    inbound["most_bytes"] = 100_000
    receiver.stop()
    receiver.start()
    trigger, address = receive()

    with pytest.raises((OSError, smtplib.SMTPException)):
        receiver.send(letter(1, body="0123456789abcdef\r\n" * 2_000_000), address)
    receiver.send(letter(2), address)

    assert subjects(trigger) == ["Letter 2"]


def test_a_mail_that_is_too_large_for_the_trigger_is_refused_and_told(receiver):
    trigger, address = receive(max_bytes=2048)

    said = receiver.send(letter(1, body="x" * 5000), address)

    assert said == "552 5.3.4 This address takes 2048 bytes at most"
    ((decision, reason),) = ledger(trigger).values()
    assert (decision, reason[-31:]) == ("refused", "Raise its max_bytes to take more."[-31:])


def test_a_line_without_an_end_is_read_in_pieces(receiver):
    trigger, address = receive()
    long = "." + "x" * 20_000 + "."

    said = receiver.send(letter(1, body=long), address)

    assert said == "250 2.0.0 Taken"
    assert items_of(trigger)[0]["text"] == f"{long}\n"


SMUGGLED = b"MAIL FROM:<eve@evil.example>\r\nRCPT TO:<%s>\r\nDATA\r\n%s\r\n.\r\n"


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n.\n", b"\r\n\x00.\r\n"])
def test_no_mail_is_smuggled_inside_another_one(receiver, end):
    trigger, address = receive()
    inner = SMUGGLED % (address.encode(), letter(2))
    head = b"EHLO c.example\r\nMAIL FROM:<ada@shop.example>\r\nRCPT TO:<%s>\r\nDATA\r\n" % address.encode()

    receiver.speak(head, letter(1) + end + inner, b"QUIT\r\n")

    assert subjects(trigger) == ["Letter 1"]
    assert "eve@evil.example" in items_of(trigger)[0]["text"]


def test_a_dot_at_the_beginning_of_a_line_is_only_a_dot(receiver):
    trigger, address = receive()

    receiver.send(letter(1, body=".one\r\n..two\r\n."), address)

    assert items_of(trigger)[0]["text"] == ".one\n..two\n.\n"


@pytest.mark.parametrize(
    "receiver_line",
    [
        b"<%s@elsewhere.example>",
        b"<%s> X=1",
        b"%s%%elsewhere.example@in.example",
        b"<../../%s>",
    ],
)
def test_a_receiver_in_disguise_is_none(receiver, inbound, receiver_line):
    inbound["unknown_per_second"] = 1000
    _, address = receive()
    said = b"RCPT TO:" + receiver_line % address.encode()

    heard = receiver.speak(b"EHLO c.example\r\nMAIL FROM:<ada@shop.example>\r\n", said + b"\r\nDATA\r\nQUIT\r\n")

    assert b"250 2.1.5" not in heard
    assert b"354" not in heard


def test_a_limit_that_is_full_asks_the_sender_to_try_again(receiver):
    limited = {
        "schema": 1,
        "settings": {"concurrency": {"limit": 1, "when_full": "fail"}},
        "steps": [{"id": "say", "uses": "log", "with": {"message": "hello"}}],
    }
    trigger, address = receive(definition=limited)

    answers = [receiver.send(with_attachment(number), address)[:3] for number in (1, 2)]

    assert answers == ["250", "452"]
    assert (len(items_of(trigger)), StoredFile.objects.count()) == (1, 1)


def test_too_many_mails_for_one_address_are_put_off(receiver, inbound):
    inbound["per_second"] = 0.04  # one at once
    _, address = receive()

    answers = [receiver.send(letter(number), address)[:9] for number in (1, 2)]

    assert answers == ["250 2.0.0", "451 4.7.1"]


def test_while_the_database_is_away_nothing_is_taken(receiver, monkeypatch):
    trigger, address = receive()
    monkeypatch.setattr(deliveries, "_take", lambda *_: connections["default"].cursor().execute("select * from gone"))

    said = receiver.send(letter(1), address)
    monkeypatch.undo()
    again = receiver.send(letter(1), address)

    assert (said[:9], again[:9]) == ("451 4.3.0", "250 2.0.0")
    assert subjects(trigger) == ["Letter 1"]


def test_a_mail_whose_sender_was_not_answered_is_taken_once(receiver, monkeypatch):
    trigger, address = receive()
    deliver = deliveries.deliver

    def deliver_and_break(*arguments):
        deliver(*arguments)
        raise ConnectionError

    monkeypatch.setattr(deliveries, "deliver", deliver_and_break)
    said = receiver.send(letter(1), address)
    monkeypatch.undo()
    again = receiver.send(letter(1), address)

    assert (said[:9], again) == ("451 4.3.0", "250 2.0.0 Taken before")
    assert subjects(trigger) == ["Letter 1"]
