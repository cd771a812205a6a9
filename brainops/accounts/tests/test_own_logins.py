"""One's own logins and password: listed, ended and changed by their owner, never by a key or somebody else."""

import pytest
from django.core import mail
from django.test import Client

from brainops.accounts.models import LoginSession, ResetRequest, User
from brainops.accounts.services import passwords, reset_mails, sessions
from brainops.accounts.tests.conftest import API, PASSWORD, Api
from brainops.audit.models import AuditEntry
from brainops.core import clock

pytestmark = pytest.mark.django_db
NEW = "a sentence nobody says"


def log_in(name="ada", password=PASSWORD, **options):
    body = {"username": name, "password": password}
    return Client().post(f"{API}/auth/token", body, content_type="application/json", **options)


def change(api, old=PASSWORD, new=NEW):
    return api.post("/me/password", {"old_password": old, "new_password": new})


@pytest.fixture
def phone(ada) -> Api:
    return Api(log_in(headers={"User-Agent": "phone"}).json()["access"])


@pytest.fixture
def laptop(ada) -> Api:
    return Api(log_in(headers={"User-Agent": "laptop"}).json()["access"])


def test_the_living_logins_are_listed_the_newest_first(ada, eve, phone, laptop):
    sessions.open_session(eve)
    log_in(headers={"User-Agent": "gone"})
    LoginSession.objects.filter(client="gone").update(revoked_at=clock.now())

    rows = laptop.get("/me/sessions").json()["results"]

    assert [(row["client"], row["is_current"], row["second_factor"], row["ip"]) for row in rows] == [
        ("laptop", True, False, "127.0.0.1"),
        ("phone", False, False, "127.0.0.1"),
    ]


def test_a_login_is_ended_from_another_one(ada, phone, laptop):
    session = LoginSession.objects.get(client="phone")

    answer = laptop.delete(f"/me/sessions/{session.id}")

    assert (answer.status_code, phone.get("/me").status_code, laptop.get("/me").status_code) == (204, 401, 200)
    assert AuditEntry.objects.get(action="login.end").summary == "Login of ada@example.com ended: ended by its user."


def test_a_login_of_somebody_else_is_as_missing_as_one_that_never_was(ada, eve, laptop):
    sessions.open_session(eve)
    foreign = LoginSession.objects.get(user=eve)

    answers = [laptop.delete(f"/me/sessions/{id_}") for id_ in (foreign.id, "6f1c0c7e-0000-4000-8000-000000000000")]

    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert bodies[0] == bodies[1]
    assert LoginSession.objects.get(user=eve).revoked_at is None


def test_all_logins_are_ended_at_once(ada, eve, phone, laptop):
    stranger = Api(sessions.open_session(eve).access)

    answer = laptop.post("/me/sessions/revoke-all")

    assert (answer.status_code, answer.json()) == (200, {"ended": 2})
    assert [api.get("/me").status_code for api in (phone, laptop, stranger)] == [401, 401, 200]


def test_ending_all_logins_ends_those_of_the_admin_too(ada):
    User.objects.filter(id=ada.id).update(is_staff=True)
    admin = Client()
    admin.force_login(User.objects.get(id=ada.id))
    before = admin.get("/admin/").status_code

    sessions.end_all(ada, reason="all ended by their user")

    assert (before, admin.get("/admin/").status_code) == (200, 302)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/me/sessions"),
        ("delete", "/me/sessions/6f1c0c7e-0000-4000-8000-000000000000"),
        ("post", "/me/sessions/revoke-all"),
        ("post", "/me/password"),
        ("get", "/me/mfa"),
        ("post", "/me/mfa"),
        ("post", "/me/mfa/remove"),
        ("post", "/me/mfa/confirm"),
        ("post", "/me/mfa/recovery-codes"),
    ],
)
def test_an_api_key_does_nothing_to_the_logins_of_its_user(ada, api, method, path):
    body = {"old_password": PASSWORD, "new_password": NEW} if path == "/me/password" else None
    body = {"password": PASSWORD} if (method, path) == ("post", "/me/mfa") else body
    body = {"code": "123456"} if path.endswith("remove") else body
    body = {"code": "123456"} if path.endswith("recovery-codes") else body
    body = {"code": "123456", "ticket": "x"} if path.endswith("confirm") else body

    answer = getattr(api(ada), method)(path, body)

    assert (answer.status_code, answer.json()["code"]) == (403, "login_required")


def test_a_new_password_ends_every_login_and_answers_a_new_one(ada, phone, laptop):
    answer = change(laptop)

    assert answer.status_code == 200
    assert Api(answer.json()["access"]).get("/me").status_code == 200
    assert [api.get("/me").status_code for api in (phone, laptop)] == [401, 401]
    assert [log_in(password=text).status_code for text in (PASSWORD, NEW)] == [401, 200]
    assert [row["client"] for row in Api(answer.json()["access"]).get("/me/sessions").json()["results"]] == ["", ""]


def test_a_wrong_old_password_changes_nothing(ada, laptop):
    answer = change(laptop, old="wrong")

    assert (answer.status_code, answer.json()["problems"]) == (
        400,
        [{"code": "password_wrong", "message": "The password is wrong.", "pointer": "/old_password"}],
    )
    assert (laptop.get("/me").status_code, log_in().status_code) == (200, 200)


def test_guessing_the_old_password_is_limited_before_it_is_hashed(ada, laptop, settings):
    for _ in range(5):
        change(laptop, old="wrong")
    settings.PASSWORD_HASHERS = ["no.such.Hasher"]

    answer = change(laptop)

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_logins")


@pytest.mark.parametrize("weak", ["short", "password1234", "ada@example.com", "x" * 4097, "nul \0 in the middle"])
def test_a_weak_password_is_refused_with_its_reason(ada, laptop, weak):
    answer = change(laptop, new=weak)

    assert answer.status_code == 400
    assert {problem.get("pointer", "") for problem in answer.json().get("problems", [])} <= {"/new_password"}
    assert log_in().status_code == 200


@pytest.fixture
def mailing(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def ask(email="ada@example.com", **options):
    body = {"email": email}
    return Client().post(f"{API}/auth/password/reset", body, content_type="application/json", **options)


def token_of_the_mail() -> str:
    reset_mails.deliver()
    (message,) = mail.outbox
    (line,) = [line for line in message.body.splitlines() if "://" in line]
    return line.rpartition("/")[2]


def confirm(token, password=NEW):
    body = {"token": token, "password": password}
    return Client().post(f"{API}/auth/password/reset/confirm", body, content_type="application/json")


def test_a_forgotten_password_is_replaced_by_the_link_of_a_mail_which_works_once(ada, phone, mailing):
    asked = ask()
    token = token_of_the_mail()

    first, second = confirm(token), confirm(token, "another sentence nobody says")

    assert (asked.status_code, first.status_code, second.status_code) == (202, 204, 404)
    assert mail.outbox[0].to == ["ada@example.com"]
    assert (phone.get("/me").status_code, log_in(password=NEW).status_code) == (401, 200)


def test_asking_writes_the_same_rows_for_known_and_unknown_addresses(ada, mailing, django_assert_num_queries):
    with django_assert_num_queries(3):  # two buckets, one row
        known = ask("ada@example.com")
    with django_assert_num_queries(3):
        unknown = ask("nobody@example.com")

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"")
    assert list(ResetRequest.objects.values_list("email", flat=True)) == ["ada@example.com", "nobody@example.com"]


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "!"}])
def test_whoever_cannot_log_in_by_password_gets_no_link(ada, mailing, change):
    User.objects.filter(id=ada.id).update(**change)
    ask()
    ask("nobody@example.com")

    assert (reset_mails.deliver(), mail.outbox, ResetRequest.objects.count()) == (0, [], 0)


def test_a_link_ends_with_the_next_one_a_new_password_and_an_hour(ada, mailing):
    first, second = passwords.link_for(ada), passwords.link_for(ada)
    replaced, good = confirm(first).status_code, passwords.check_link(second)
    ada.set_password("changed meanwhile")
    ada.save()

    assert (replaced, good, confirm(second).status_code) == (404, ada, 404)

    third = passwords.link_for(ada)
    clock_ahead(ada)
    assert confirm(third).status_code == 404


def clock_ahead(user):
    from datetime import timedelta

    from brainops.accounts.models import OneTimeToken

    OneTimeToken.objects.filter(user=user).update(expires_at=clock.now() - timedelta(seconds=1))


def test_a_link_to_an_address_that_was_given_up_is_over(ada, mailing):
    token = passwords.link_for(ada)
    User.objects.filter(id=ada.id).update(email="ada@elsewhere.example")  # by staff: somebody reads the old mailbox

    assert confirm(token).json()["code"] == "link_invalid"


def test_a_weak_password_does_not_use_the_link_up(ada, mailing):
    token = passwords.link_for(ada)

    assert (confirm(token, "short").status_code, confirm(token).status_code) == (400, 204)


def test_one_address_gets_three_mails_and_one_network_guesses_thirty_links(ada, mailing):
    asked = [ask(REMOTE_ADDR=f"10.0.0.{number}").status_code for number in range(4)]
    guessed = [confirm("x" * 43).status_code for _ in range(31)]

    assert asked == [202, 202, 202, 429]
    assert guessed == [404] * 30 + [429]


def test_without_a_mail_server_asking_says_so(ada, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

    assert (ask().status_code, ask("nobody@example.com").json()["code"]) == (409, "no_mail_server")


def test_a_mail_that_does_not_leave_is_tried_three_times(ada, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens
    ask()

    left = [(reset_mails.deliver(), ResetRequest.objects.count()) for _ in range(4)]

    assert left == [(0, 1), (0, 1), (0, 0), (0, 0)]


def test_the_pages_lead_from_the_login_to_a_new_password(ada, phone, mailing):
    client = Client()
    asked = client.post("/auth/password/reset", {"email": "ada@example.com"})
    address = f"/auth/password/reset/{token_of_the_mail()}"
    shown = client.get(address)
    uneven = client.post(address, {"password": NEW, "again": "x"})
    done = client.post(address, {"password": NEW, "again": NEW})

    assert "on its way" in asked.content.decode()
    assert (shown.status_code, shown.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert "The two do not match." in uneven.content.decode()
    assert "It is changed" in done.content.decode()
    assert (client.get(address).status_code, log_in(password=NEW).status_code) == (404, 200)
    assert "/auth/password/reset" in client.get("/admin/login/").content.decode()
