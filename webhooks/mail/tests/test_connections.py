"""Connections to mailboxes: checked, encrypted, bounded, and explained when they fail."""

import time

import pytest

from automation.engine import points
from automation.models import Secret
from automation.services import sources
from brainops.core.egress import http
from brainops.core.egress.tests.certificates import Authority
from brainops.core.errors import InvalidInput
from webhooks.mail.imap import connection, looking
from webhooks.mail.tests.cases import letter, with_attachment
from webhooks.mail.tests.imap_server import PASSWORD, ImapServer
from webhooks.mail.tests.rough_server import RoughServer, script, tls_front
from webhooks.mail.tests.rows import items_of, ledger, look_once, source_of, subjects, watch

pytestmark = pytest.mark.django_db(transaction=True)

LOGIN_ANSWERS = (
    b"* CAPABILITY IMAP4rev1\r\n%s OK done\r\n",
    b"%s OK done\r\n",
    b"* CAPABILITY IMAP4rev1\r\n%s OK done\r\n",
)


@pytest.fixture
def rough():
    """A rough server on demand."""
    started = []

    def start(say):
        started.append(RoughServer(say))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def trusted(monkeypatch):
    """An authority that this process trusts beside those of the system."""
    authority, context = Authority(), connection.tls_context()
    monkeypatch.setattr(connection, "tls_context", lambda: authority.trusting(context))
    return authority


def fault_of(trigger):
    row = source_of(trigger)
    return row.last_error_code, row.last_error


def test_tls_from_the_first_byte(user, trusted, tmp_path):
    front = tls_front(trusted.server_context(tmp_path, name="mail", address="127.0.0.1"), user.server.port)
    user.deliver(letter(1))
    trigger = watch(user, port=front.port, security="tls")

    look_once(trigger)
    front.close()

    assert subjects(trigger) == ["Letter 1"]


def test_starttls_before_the_login(trusted, tmp_path, allowed):
    trusted.server_context(tmp_path, name="mail", address="127.0.0.1")
    (file,) = tmp_path.glob("mail-*.pem")
    base = tmp_path / "base"
    base.mkdir()
    server = ImapServer(base, "--cert", str(file), "--key", str(file))
    user = server.new_user()
    user.deliver(letter(1))
    trigger = watch(user, security="starttls")

    look_once(trigger)
    server.stop()

    assert subjects(trigger) == ["Letter 1"]


def test_a_certificate_that_nobody_knows_is_refused(user, tmp_path):
    front = tls_front(Authority().server_context(tmp_path, name="mail", address="127.0.0.1"), user.server.port)
    trigger = watch(user, port=front.port, security="tls")

    look_once(trigger)
    front.close()

    code, said = fault_of(trigger)
    assert code == "tls_failed"
    assert said.startswith(f"The certificate of 127.0.0.1:{front.port} is not valid: ")


def test_a_certificate_of_another_host_is_refused(user, trusted, tmp_path):
    front = tls_front(trusted.server_context(tmp_path, name="other.example"), user.server.port)
    trigger = watch(user, port=front.port, security="tls")

    look_once(trigger)
    front.close()

    assert fault_of(trigger)[0] == "tls_failed"


def test_a_server_without_starttls_gets_no_password(user, rough):
    heard = []

    def say(line):
        line.sendall(b"* OK here\r\n")
        asked = line.makefile("rb")
        while command := asked.readline():
            heard.append(command)
            line.sendall(b"* CAPABILITY IMAP4rev1\r\n%s OK done\r\n" % command.partition(b" ")[0])

    trigger = watch(user, port=rough(say).port, security="starttls")

    look_once(trigger)

    assert fault_of(trigger)[0] == "imap_failed"
    assert [command.split()[1] for command in heard] == [b"CAPABILITY"]


def test_a_server_that_claims_we_are_logged_in_gets_no_password(user, rough):
    """PREAUTH before STARTTLS (CVE-2021-33515 and its kin): whoever sits between must not keep us in the clear."""

    def say(line):
        line.sendall(b"* PREAUTH welcome\r\n")
        asked = line.makefile("rb")
        while command := asked.readline():
            assert PASSWORD.encode() not in command
            line.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n%s OK done\r\n" % command.partition(b" ")[0])

    trigger = watch(user, port=rough(say).port, security="starttls")

    look_once(trigger)

    assert fault_of(trigger)[0] == "imap_failed"


@pytest.mark.parametrize(
    ("mailbox", "pointer", "code"),
    [
        ({"host": "10.0.0.7"}, "/config/mailbox/host", "blocked_target"),
        ({"host": "169.254.169.254"}, "/config/mailbox/host", "blocked_target"),
        ({"host": "mail.example.com", "port": 22}, "/config/mailbox/host", "blocked_target"),
        ({"host": "2130706433"}, "/config/mailbox/host", "blocked_target"),
        ({"host": "mail.example.com", "port": 143}, "/config/mailbox/security", "insecure"),
        ({"folder": "INBOX\r\nA1 DELETE INBOX"}, "/config/mailbox/folder", "invalid_value"),
        ({"username": 'a" "b"\r\nA1 LOGOUT'}, "/config/mailbox/username", "invalid_value"),
        ({"after": "move"}, "/config/mailbox/move_to", "required"),
        ({"every": "1s"}, "/config/mailbox/every", "out_of_range"),
    ],
    ids=["private", "metadata", "port", "disguised", "insecure", "folder", "username", "move", "every"],
)
def test_a_mailbox_that_may_not_be_read_is_refused_when_it_is_saved(user, settings, mailbox, pointer, code):
    settings.BRAINOPS_EGRESS_ALLOW = [f"127.0.0.1:{user.server.port}"]
    http.client.cache_clear()

    with pytest.raises(InvalidInput) as refusal:
        watch(user, **mailbox)

    assert [(problem.pointer, problem.code) for problem in refusal.value.problems] == [(pointer, code)]


def test_a_host_that_is_closed_later_is_not_called(user, settings):
    trigger = watch(user)
    settings.BRAINOPS_EGRESS_ALLOW = []
    http.client.cache_clear()

    look_once(trigger)

    assert fault_of(trigger) == (
        "insecure",
        f"127.0.0.1:{user.server.port} is not opened by BRAINOPS_EGRESS_ALLOW any more: without TLS it gets no password.",
    )


def test_a_wrong_password_is_explained_and_not_tried_again_soon(user):
    trigger = watch(user)
    Secret.objects.filter(name="mailbox").delete()
    Secret.objects.create(workspace=trigger.workspace, name="mailbox", value="not the password")

    look_once(trigger)

    code, said = fault_of(trigger)
    assert code == "login_failed"
    assert said.startswith(f"127.0.0.1 refused the login of '{user.name}': ")
    assert said.endswith("it is tried again in 15 minutes, so that the account is not locked.")
    assert "not the password" not in said
    assert not sources.has_due()


def test_a_password_beyond_ascii_is_a_password(imap_server, allowed):
    password = 'p\u00e4ssw\u00f6rt mit \u20ac und "Zeichen"'
    user = imap_server.new_user(password)
    user.deliver(letter(1))
    trigger = watch(user)
    Secret.objects.filter(name="mailbox").delete()
    Secret.objects.create(workspace=trigger.workspace, name="mailbox", value=password)

    look_once(trigger)

    assert subjects(trigger) == ["Letter 1"]


def test_a_secret_of_another_host_is_not_sent(user):
    trigger = watch(user)
    Secret.objects.filter(name="mailbox").update(hosts=["mail.example.com"])

    look_once(trigger)

    assert fault_of(trigger)[0] == "host_not_allowed"


def test_a_folder_that_is_not_there_is_named(user):
    trigger = watch(user, folder="Nowhere")

    look_once(trigger)

    assert fault_of(trigger)[0] == "folder_missing"


def test_a_server_that_was_away_loses_nothing(user, imap_server):
    trigger = watch(user)
    look_once(trigger)
    imap_server.stop()
    user.deliver(letter(1))

    try:
        look_once(trigger)
        away = fault_of(trigger)
    finally:
        imap_server.start()
    look_once(trigger)

    assert away == ("connect_failed", f"127.0.0.1:{user.server.port} took no connection: Connection refused.")
    assert fault_of(trigger) == ("", "")
    assert subjects(trigger) == ["Letter 1"]


@pytest.mark.parametrize("point", ["after_poll", "in_take", "in_poll"])
def test_killed_between_fetch_and_commit_nothing_is_lost_or_doubled(user, monkeypatch, point):
    user.deliver(with_attachment(1))
    trigger = watch(user, after="delete")

    def die(reached):
        if reached == point:
            raise KeyboardInterrupt

    monkeypatch.setattr(points, "hook", die)
    with pytest.raises(KeyboardInterrupt):
        look_once(trigger)
    monkeypatch.setattr(points, "hook", None)
    left = user.subjects()
    with_lease_over(trigger)
    look_once(trigger)
    look_once(trigger)

    assert left == ["Bill 1"]
    assert subjects(trigger) == ["Bill 1"]
    assert user.subjects() == []


@pytest.mark.parametrize("point", ["after_poll_commit", "after_settle"])
def test_killed_after_the_commit_the_mail_is_settled_later(user, monkeypatch, point):
    user.deliver(letter(1))
    trigger = watch(user, after="delete")

    def die(reached):
        if reached == point:
            raise KeyboardInterrupt

    monkeypatch.setattr(points, "hook", die)
    with pytest.raises(KeyboardInterrupt):
        look_once(trigger)
    monkeypatch.setattr(points, "hook", None)
    with_lease_over(trigger)
    look_once(trigger)

    assert subjects(trigger) == ["Letter 1"]
    assert user.subjects() == []


def with_lease_over(trigger):
    type(source_of(trigger)).objects.filter(trigger=trigger).update(leased_until=None)


def test_a_server_that_announces_gigabytes_is_left(user, rough):
    answers = (
        *LOGIN_ANSWERS,
        b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT 2]\r\n%s OK [READ-ONLY] done\r\n",
        b"* SEARCH 1\r\n%s OK done\r\n",
        b"* 1 FETCH (UID 1 RFC822.SIZE 9 BODY[HEADER] {99999999999}\r\n",
    )
    trigger = watch(user, port=rough(script(*answers)).port)

    look_once(trigger)

    assert fault_of(trigger)[0] == "imap_failed"
    assert "announced 99,999,999,999 bytes at once" in fault_of(trigger)[1]


def test_a_server_that_drips_is_cut_off(user, rough, monkeypatch):
    def drip(line):
        line.sendall(b"* OK here\r\n")
        while True:
            line.sendall(b"x")
            time.sleep(0.05)

    monkeypatch.setattr(looking, "SESSION_SECONDS", 1.0)
    server = rough(drip)
    trigger = watch(user, port=server.port)

    look_once(trigger)

    assert fault_of(trigger) == ("read_timeout", f"127.0.0.1:{server.port} was not done within 1 s.")


def test_a_server_that_does_not_know_its_own_numbers_is_refused(user, rough):
    answers = (*LOGIN_ANSWERS, b"* 1 EXISTS\r\n%s OK [READ-ONLY] done\r\n", b"* BYE\r\n%s OK done\r\n")
    trigger = watch(user, port=rough(script(*answers)).port)

    look_once(trigger)

    assert fault_of(trigger) == (
        "imap_failed",
        "The folder 'INBOX' has no UIDVALIDITY: what was read of it could not be known again.",
    )


def test_one_mail_that_the_server_does_not_give_holds_up_no_other(user, rough):
    head = b"Subject: Letter 1\r\nMessage-ID: <1@a.b>\r\n\r\n"
    answers = (
        *LOGIN_ANSWERS,
        b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT 2]\r\n%s OK [READ-ONLY] done\r\n",
        b"* SEARCH 1\r\n%s OK done\r\n",
        b"* 1 FETCH (UID 1 RFC822.SIZE 99 BODY[HEADER] {%d}\r\n" % len(head) + head + b")\r\n%s OK done\r\n",
        b"%s NO internal error\r\n",
        b"* BYE\r\n%s OK done\r\n",
    )
    trigger = watch(user, port=rough(script(*answers)).port)

    look_once(trigger)

    assert fault_of(trigger) == ("", "")
    assert {key: decision for key, (decision, _) in ledger(trigger).items()} == {"<1@a.b>": "refused"}
    assert items_of(trigger) == []
