"""Reading mails: what a run sees, whatever a sender wrote."""

import pytest

from brainops.core.message_ids import new_message_id
from webhooks.mail.message.automatic import why_ignored
from webhooks.mail.message.content import LONGEST_TEXT, read_content
from webhooks.mail.message.facts import facts_of
from webhooks.mail.message.head import Unreadable, read_head
from webhooks.mail.message.keys import key_of
from webhooks.mail.tests.cases import case_mails, letter, needs_cases, subject_of, with_attachment


def files_of(raw):
    return [(part.name, part.content_type, part.data) for part in read_content(raw).parts]


@needs_cases
@pytest.mark.parametrize("name", case_mails())
def test_an_odd_mail_is_read_as_pythons_email_package_reads_it(name):
    raw = case_mails()[name]
    head, content = read_head(raw), read_content(raw)

    facts = facts_of(head, content, size=len(raw), keep_file=lambda *kept: {"name": kept[0]})

    assert facts["subject"] == subject_of(raw)
    assert len(facts["attachments"]) == len(content.parts)


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?iso-8859-1?B?R3L832U=?=", "Grüße"),
        ("=?utf-8?q?one?=\r\n =?utf-8?q?_two?=", "one two"),
        ("folded\r\n over two lines", "folded over two lines"),
        ("=?utf-8?q?a=0D=0ABcc:_eve@x.example?=", "a Bcc: eve@x.example"),
        ("=?utf-8?q?a=00b?=", "a\N{REPLACEMENT CHARACTER}b"),
        ("=?nonsense?q?a?=", "a"),
        ("=?utf-8?q?open", "=?utf-8?q?open"),
    ],
)
def test_subjects_are_decoded_and_stay_on_one_line(written, subject):
    assert read_head(f"Subject: {written}\r\n\r\n".encode()).subject == subject


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("utf-8", "Grüße".encode(), "Grüße"),
        ("iso-8859-1", "Grüße".encode("latin-1"), "Grüße"),
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("x-unknown", "Grüße".encode(), "Grüße"),
        ("idna", b"xn--gre-6ka8l", "xn--gre-6ka8l"),
        ("rot13", b"abc", "abc"),
        ("utf-8", b"\xff\x00a", "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}a"),
    ],
    ids=["utf-8", "latin-1", "ascii", "unknown", "idna", "rot13", "broken"],
)
def test_text_is_decoded_whatever_its_charset_is_called(charset, data, text):
    assert read_content(f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + data).text == text


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('filename="bill.pdf"', "bill.pdf"),
        ("filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf", "Grüße.pdf"),
        ('filename="=?utf-8?q?Gr=C3=BC=C3=9Fe.pdf?="', "Grüße.pdf"),
        ('filename="../../etc/passwd"', "../../etc/passwd"),  # a name to show; files.keep takes its last part
        ("", "part-2.pdf"),
    ],
)
def test_files_are_named_as_their_sender_says(written, name):
    disposition = b"Content-Disposition: attachment; filename=bill.pdf"
    raw = with_attachment(1).replace(b'filename="bill.pdf"', b"filename=bill.pdf")
    raw = raw.replace(disposition, f"Content-Disposition: attachment; {written}".rstrip("; ").encode())

    ((found, content_type, data),) = files_of(raw)

    assert (found.replace("part-3", "part-2"), content_type, data) == (name, "application/pdf", b"%PDF-1.7\n")


def test_a_mail_within_the_mail_is_a_file_as_it_stands():
    inner = letter(2)
    raw = b"Subject: Fwd\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nsee below\r\n"
    raw += b"--m\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"--m--\r\n"

    content = read_content(raw)

    assert content.text == "see below"
    assert [(part.name, part.content_type) for part in content.parts] == [("part-2.eml", "message/rfc822")]
    assert b"Subject: Letter 2" in content.parts[0].data


def test_a_long_text_is_cut_for_the_run_and_whole_as_a_file():
    content = read_content(letter(1, body="x" * (LONGEST_TEXT + 1)))

    assert (len(content.text), content.is_cut) == (LONGEST_TEXT, True)
    assert [(part.name, len(part.data)) for part in content.parts] == [("text.txt", LONGEST_TEXT + 2)]


MANY = b"Content-Type: multipart/mixed; boundary=m\r\n\r\n" + b"--m\r\n\r\nx\r\n" * 201


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (MANY, "It has 201 parts; at most 200 are read."),
        (b"\r\n" + b"\n" * 1_000_001, "It has 1,000,002 lines and 0 nested parts, more than is read of one mail."),
        (
            b"Content-Type: message/rfc822\r\n\r\n" * 201,
            "It has 402 lines and 201 nested parts, more than is read of one mail.",
        ),
    ],
    ids=["parts", "lines", "nesting"],
)
def test_what_would_take_too_long_is_not_read(raw, said):
    with pytest.raises(Unreadable) as refusal:
        read_content(raw)

    assert str(refusal.value) == said


def test_too_many_headers_are_not_read():
    with pytest.raises(Unreadable):
        read_head(b"X-A: b\r\n" * 100_000 + b"\r\n")


@pytest.mark.parametrize(
    "header",
    [
        b"To: " + b"a " * 30_000,
        b"To: " + b"(" * 8_000,
        b"Message-ID: " + b"<" * 8_000,
        b"Content-Type: text/plain; " + b"a=b; " * 20_000,
        b"Content-Type: multipart/mixed; boundary=" + b"x" * 100_000,
        b"Content-Disposition: attachment; filename*0=" + b'"\\' * 10_000,
        b"Content-Transfer-Encoding: " + b"(" * 100_000,
        b"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=\x00",
        b"Date: " + b"1 " * 8_000,
        b"From: \xff\xfe <a@\xff>",
        b"Subject: =?utf-8?q?" + b"=F0" * 3_000,
        b": nameless",
    ],
    ids=[
        "to",
        "comments",
        "id",
        "parameters",
        "boundary",
        "name",
        "encoding",
        "charset",
        "date",
        "bytes",
        "word",
        "name",
    ],
)
def test_broken_headers_break_nothing(header):
    raw = header + b"\r\n\r\nHello"

    facts = facts_of(read_head(raw), read_content(raw), size=len(raw), keep_file=lambda *_: {})

    assert "\x00" not in str(facts)
    assert str(facts).encode()


@pytest.mark.parametrize(
    ("head", "automatic", "replies"),
    [
        ("Auto-Submitted: no\r\n", False, False),
        ("Auto-Submitted: auto-replied (vacation)\r\n", True, True),
        ("Auto-Submitted: auto-generated; owner-email=a@b\r\n", True, False),
        ("Precedence: bulk\r\n", True, False),
        ("Precedence: list\r\n", True, False),
        ("Precedence: auto_reply\r\n", True, True),
        ("Precedence: first-class\r\n", False, False),
        ("X-Auto-Response-Suppress: All\r\n", True, False),
        ("X-Auto-Response-Suppress: None\r\n", False, False),
        ("X-Autoreply: yes\r\n", True, True),
        ("Return-Path: <>\r\n", True, True),
        ("Return-Path: <ada@shop.example>\r\n", False, False),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=m\r\n", True, True),
        ("Content-Type: multipart/report; report-type=feedback-report; boundary=m\r\n", False, False),
    ],
)
def test_automatic_mails_are_known_by_what_they_say(head, automatic, replies):
    read = read_head(letter(1, head=head))

    ignored = [bool(why_ignored(read, ignore)) for ignore in ("automatic", "replies", "nothing")]

    assert ignored == [automatic, replies, False]


def test_a_bounce_is_known_by_its_envelope():
    head = read_head(letter(1))

    assert (
        why_ignored(head, "replies", sender="") == "It is an automatic reply: its return path is empty, as of bounces."
    )
    assert why_ignored(head, "replies", sender="ada@shop.example") == ""


def test_what_this_installation_sent_starts_nothing_here():
    own, reply = letter(1, message_id=new_message_id()), letter(2, head=f"In-Reply-To: {new_message_id()}\r\n")

    assert why_ignored(read_head(own), "nothing").startswith("This installation sent it")
    assert why_ignored(read_head(reply), "automatic") == ""


def test_mails_without_an_id_are_told_apart_by_what_they_are():
    one, other = letter(1, message_id=None), letter(1, message_id=None, body="Else.")
    on_another_way = b"Received: from relay.example\r\nReturn-Path: <a@b>\r\n" + one

    keys = [key_of(read_head(raw), raw) for raw in (one, other, on_another_way)]

    assert keys[0] == keys[2] != keys[1]
