"""Invitations: mailed once, accepted by the invited person only, unknown once they ended."""

import asyncio
import re
import threading
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP
from django.core import mail
from django.test import Client

from brainops.accounts.models import Invitation, LoginLimit, Membership, Role, User
from brainops.accounts.services import invitations
from brainops.accounts.tests.conftest import API, PASSWORD
from brainops.accounts.tests.people import logged_in
from brainops.audit.models import AuditEntry
from brainops.core import clock

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "a passphrase nobody else has"
GRACE = "grace@example.com"


def invite(who: User, email: str = GRACE, role: str = "builder", **body):
    return logged_in(who).post("/invitations", {"email": email, "role": role, **body})


def token_of(text: str) -> str:
    return re.search(r"/invitations/([\w-]{43})\b", text)[1]


def invited(who: User, email: str = GRACE, role: str = "builder") -> str:
    """Invite somebody; returns the token from the mail."""
    assert invite(who, email, role).status_code == 201
    return token_of(mail.outbox[-1].body)


def post(path: str, body, **headers):
    return Client(headers=headers).post(f"{API}/invitations/{path}", body, content_type="application/json")


def accept(token: str, **body):
    return post("accept", {"token": token, **body})


class Inbox:
    """An SMTP server's memory."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], bytes]] = []
        self.refuses = False

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  (aiosmtpd calls it so)
        if self.refuses:
            return "554 no thanks"
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 taken"


@pytest.fixture
def inbox(settings):
    box, loop = Inbox(), asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: SMTP(box, loop=loop), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = "127.0.0.1", False, False
    settings.EMAIL_PORT = server.sockets[0].getsockname()[1]
    yield box
    server.close()
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=10)
    loop.close()


def test_an_invitation_reaches_a_real_mail_server(ada, inbox, settings):
    settings.DEFAULT_FROM_EMAIL = "BrainOps <brainops@example.com>"

    answer = invite(ada, "Grace@Example.COM", message="Come in,\nthe water is fine.")

    sender, recipients, raw = inbox.mails[0]
    letter = message_from_bytes(raw, policy=default)
    text = letter.get_content()
    assert (answer.status_code, answer.json()["delivery"], answer.json()["link"]) == (201, "sent", "")
    assert (sender, recipients, letter["Subject"]) == ("brainops@example.com", [GRACE], "Invitation to Acme")
    assert "ada@example.com invites you" in text
    assert "> Come in,\n> the water is fine." in text.replace("\r\n", "\n")
    assert accept(token_of(text), password=NEW_PASSWORD).status_code == 200


def test_a_server_that_refuses_is_told_and_the_link_is_not_given_away(ada, inbox):
    inbox.refuses = True

    answer = invite(ada).json()

    assert (answer["delivery"], answer["link"], answer["sent_at"]) == ("failed", "", None)


def test_without_a_mail_server_the_inviter_gets_the_link(ada, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

    answer = invite(ada).json()

    assert answer["delivery"] == "no_server"
    assert answer["link"].startswith(f"{settings.BRAINOPS_PUBLIC_URL}/invitations/")
    assert accept(token_of(answer["link"]), password=NEW_PASSWORD).status_code == 200


def test_a_line_break_in_a_name_reaches_no_header(ada, acme):
    acme.name = "Acme\r\nBcc: everybody@example.com"
    acme.save()

    invite(ada)

    assert mail.outbox[0].subject == "Invitation to Acme Bcc: everybody@example.com"
    assert mail.outbox[0].recipients() == [GRACE]


def test_a_newcomer_makes_an_account_and_logs_in_with_it(ada, acme):
    token = invited(ada)

    answer = accept(token, username="grace", name="Grace Hopper", password=NEW_PASSWORD)

    grace = User.objects.get(email=GRACE)
    member = Membership.objects.get(user=grace)
    assert answer.json() == {
        "user_id": str(grace.id),
        "member_id": str(member.id),
        "workspace_id": str(acme.id),
        "role": "builder",
    }
    assert (grace.username, grace.name, grace.is_staff, grace.check_password(NEW_PASSWORD)) == (
        "grace",
        "Grace Hopper",
        False,
        True,
    )
    assert [entry.action for entry in AuditEntry.objects.filter(actor_label=GRACE).order_by("id")] == [
        "user.create",
        "member.create",
        "invitation.accept",
    ]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/password"]),
        ({"password": "short"}, ["/password"]),
        ({"password": "password1234"}, ["/password"]),
        ({"password": NEW_PASSWORD, "username": "ada"}, ["/username"]),
        ({"password": NEW_PASSWORD, "username": "ADA"}, ["/username"]),
        ({"password": "short", "username": "a@b"}, ["/username", "/password"]),
        ({"password": NEW_PASSWORD, "is_staff": True}, ["/is_staff"]),
        ({"password": NEW_PASSWORD, "email": "other@example.com"}, ["/email"]),
    ],
)
def test_what_is_wrong_with_a_newcomer_is_told_with_its_place_and_the_link_stays_good(ada, body, pointers):
    token = invited(ada)

    answer = accept(token, **body)

    assert answer.status_code == 400
    assert list(dict.fromkeys(problem["pointer"] for problem in answer.json()["problems"])) == pointers
    assert accept(token, password=NEW_PASSWORD).status_code == 200


def test_who_has_an_account_logs_in_with_the_invited_address(ada, bob, eve):
    token = invited(ada, eve.email)

    nobody = accept(token, password=NEW_PASSWORD)
    somebody_else = logged_in(bob).post("/invitations/accept", {"token": token})
    herself = logged_in(eve).post("/invitations/accept", {"token": token})

    assert (nobody.status_code, nobody.json()["code"]) == (401, "login_required")
    assert (somebody_else.status_code, somebody_else.json()["code"]) == (403, "not_your_invitation")
    assert (herself.status_code, herself.json()["role"]) == (200, "builder")
    assert User.objects.get(id=eve.id).check_password(PASSWORD)


def test_a_person_does_not_take_an_invitation_of_an_address_without_account(ada, eve):
    answer = logged_in(eve).post("/invitations/accept", {"token": invited(ada)})

    assert answer.status_code == 403


def test_a_key_joins_no_other_workspace(ada, eve, api):
    answer = api(eve).post("/invitations/accept", {"token": invited(ada, eve.email)})

    assert answer.status_code == 403


def test_the_higher_role_stays(ada, bob, acme):
    token = invited(ada, "new@example.com")
    invitation = Invitation.objects.get()
    invitation.email = bob.email
    invitation.save()
    Membership.objects.filter(user=bob).update(role=Role.ADMIN)

    answer = logged_in(bob).post("/invitations/accept", {"token": token})

    assert (answer.status_code, answer.json()["role"]) == (200, "admin")


ENDINGS = {
    "unknown": lambda row, ada: row.delete(),
    "expired": lambda row, ada: Invitation.objects.update(expires_at=clock.now() - timedelta(seconds=1)),
    "revoked": lambda row, ada: logged_in(ada).delete(f"/invitations/{row.id}"),
    "declined": lambda row, ada: Invitation.objects.update(declined_at=clock.now()),
    "used": lambda row, ada: Invitation.objects.update(accepted_at=clock.now()),
    "sent again": lambda row, ada: logged_in(ada).post(f"/invitations/{row.id}/resend"),
    "replaced": lambda row, ada: invite(ada),
    "inviter switched off": lambda row, ada: User.objects.filter(id=ada.id).update(is_active=False),
    "inviter demoted": lambda row, ada: Membership.objects.filter(user=ada).update(role=Role.OPERATOR),
    "inviter gone": lambda row, ada: Membership.objects.filter(user=ada).delete(),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("door", ["accept", "decline", "page"])
def test_every_link_that_ended_gets_the_same_answer(ada, ending, door):
    token = invited(ada)
    ENDINGS[ending](Invitation.objects.get(), ada)

    if door == "page":
        page = Client().get(f"/invitations/{token}")
        assert (page.status_code, "does not exist, or it has ended" in page.content.decode()) == (404, True)
        return
    answer = post(door, {"token": token})
    never = post(door, {"token": "x" * 43})

    assert (answer.status_code, answer.json()["code"]) == (404, "invitation_unknown")
    assert {**answer.json(), "request_id": ""} == {**never.json(), "request_id": ""}
    assert not User.objects.filter(email=GRACE).exists()


def test_a_link_works_once(ada):
    token = invited(ada)

    told = [accept(token, password=NEW_PASSWORD).status_code for _ in range(2)]

    assert told == [200, 404]


def test_tries_of_one_network_are_limited_whatever_header_they_send(ada):
    told = [
        Client(headers={"X-Forwarded-For": f"198.51.100.{number}"}).post(
            f"{API}/invitations/accept", {"token": "x"}, content_type="application/json"
        )
        for number in range(25)
    ]

    assert {answer.status_code for answer in told[:20]} == {404}
    assert (told[-1].status_code, int(told[-1].headers["Retry-After"]) >= 1) == (429, True)
    elsewhere = Client(REMOTE_ADDR="198.51.100.7").post(
        f"{API}/invitations/accept", {"token": "x"}, content_type="application/json"
    )
    assert elsewhere.status_code == 404


def test_mails_to_one_address_are_limited(ada):
    told = [invite(ada).status_code for _ in range(4)]

    assert (told, len(mail.outbox)) == ([201, 201, 201, 429], 3)
    assert Invitation.objects.filter(invitations.OPEN).count() == 1


def test_mails_of_a_workspace_are_limited(ada):
    told = [invite(ada, f"person{number}@example.com").status_code for number in range(21)]

    assert (set(told[:20]), told[20]) == ({201}, 429)


@pytest.mark.parametrize("verb", ["list", "invite", "revoke", "resend"])
def test_owner_member_and_stranger_at_invitations(ada, bob, eve, verb):
    invited(ada)
    row = Invitation.objects.get()

    def status(who: User) -> int:
        client = logged_in(who)
        return {
            "list": lambda: client.get("/invitations"),
            "invite": lambda: client.post("/invitations", {"email": "x@example.com"}),
            "revoke": lambda: client.delete(f"/invitations/{row.id}"),
            "resend": lambda: client.post(f"/invitations/{row.id}/resend"),
        }[verb]().status_code

    good = {"list": 200, "invite": 201, "revoke": 204, "resend": 200}[verb]
    stranger = {"list": 200, "invite": 201}.get(verb, 404)  # of her own workspace
    assert [status(who) for who in (bob, eve, ada)] == [403, stranger, good]


def test_nobody_invites_above_their_own_role(ada, member):
    carol = member("carol", Role.ADMIN)

    told = [invite(carol, role=role).status_code for role in ("owner", "admin")]
    invited(ada, "other@example.com", "owner")
    owners = Invitation.objects.get(role="owner")

    assert told == [403, 201]
    assert logged_in(carol).post(f"/invitations/{owners.id}/resend").status_code == 403
    assert logged_in(carol).delete(f"/invitations/{owners.id}").status_code == 403


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/email"),
        ({"email": "no address"}, "/email"),
        ({"email": "a@example.com\nBcc: b@example.com"}, "/email"),
        ({"email": GRACE, "role": "king"}, "/role"),
        ({"email": GRACE, "message": "x" * 501}, "/message"),
        ({"email": GRACE, "expires_at": "2100-01-01T00:00:00Z"}, "/expires_at"),
    ],
)
def test_a_wrong_invitation_is_refused_with_the_place(ada, body, pointer):
    answer = logged_in(ada).post("/invitations", body)

    assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (400, pointer)
    assert mail.outbox == []


def test_a_member_is_not_invited(ada, bob):
    answer = invite(ada, "BOB@example.com")

    assert (answer.status_code, answer.json()["code"]) == (409, "already_member")


def test_the_list_tells_the_state_and_never_the_token(ada):
    token = invited(ada)
    invited(ada, "old@example.com")
    Invitation.objects.filter(email="old@example.com").update(expires_at=clock.now())

    client = logged_in(ada)
    rows = client.get("/invitations").json()["results"]

    assert [(row["email"], row["state"], row["invited_by"]) for row in rows] == [
        ("old@example.com", "expired", "ada@example.com"),
        (GRACE, "open", "ada@example.com"),
    ]
    assert token not in str(rows)
    for query, found in {"state=open": [GRACE], "state=expired": ["old@example.com"], "search=GRAC": [GRACE]}.items():
        assert [row["email"] for row in client.get(f"/invitations?{query}").json()["results"]] == found


def test_resending_ends_the_old_link_and_renews_the_term(ada):
    old = invited(ada)
    Invitation.objects.update(expires_at=clock.now() - timedelta(days=1))

    answer = logged_in(ada).post(f"/invitations/{Invitation.objects.get().id}/resend").json()

    assert (answer["state"], answer["delivery"], accept(old).status_code) == ("open", "sent", 404)
    assert accept(token_of(mail.outbox[-1].body), password=NEW_PASSWORD).status_code == 200


def test_an_answered_invitation_is_not_sent_again(ada):
    accept(invited(ada), password=NEW_PASSWORD)

    answer = logged_in(ada).post(f"/invitations/{Invitation.objects.get().id}/resend")

    assert (answer.status_code, answer.json()["code"]) == (409, "invitation_ended")


def test_declining_ends_it_and_makes_nobody(ada):
    token = invited(ada)

    told = [post("decline", {"token": token}).status_code for _ in range(2)]

    assert (told, User.objects.filter(email=GRACE).exists()) == ([204, 404], False)
    assert Invitation.objects.get().declined_at is not None


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_nothing_is_accepted_by_any_other_method(ada, method):
    token = invited(ada)

    answer = getattr(Client(), method)(f"{API}/invitations/accept?token={token}")
    Client().get(f"/invitations/{token}")
    Client().head(f"/invitations/{token}")

    assert answer.status_code in (400, 405)
    assert Invitation.objects.get().accepted_at is None


def test_the_token_is_stored_as_a_digest_only(ada):
    token = invited(ada)

    assert bytes(Invitation.objects.get().digest) == invitations.digest(token)
    assert not AuditEntry.objects.filter(summary__contains=token).exists()


def test_the_buckets_hold_no_address(ada):
    invited(ada)

    assert all(re.fullmatch(r"[0-9a-f]{64}", row.key) for row in LoginLimit.objects.all())
