"""Second factors: codes that work once, in the API and in the admin, secrets that nobody reads from a dump."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connections
from django.test import Client

from brainops.accounts.models import LoginSession, OneTimeToken, Role, User
from brainops.accounts.services import factor_secrets, second_factors, sessions
from brainops.accounts.tests.codes import code_of, wrong_code
from brainops.accounts.tests.conftest import API, PASSWORD, Api
from brainops.audit.models import AuditEntry
from brainops.core import clock
from brainops.core.errors import SecretUnreadable

pytestmark = pytest.mark.django_db


def post(path, body, **options):
    return Client().post(f"{API}{path}", body, content_type="application/json", **options)


def log_in(name="ada", password=PASSWORD):
    return post("/auth/token", {"username": name, "password": password})


def show(ticket, code):
    return post("/auth/token/mfa", {"ticket": ticket, "code": code})


def test_an_app_is_set_up_over_the_api_and_counts_for_this_login_at_once(ada):
    api = Api(log_in().json()["access"])
    begun = api.post("/me/mfa", {"password": PASSWORD})
    wrong = api.post("/me/mfa/confirm", {"ticket": begun.json()["ticket"], "code": wrong_code(begun.json()["secret"])})
    before = api.get("/me/mfa").json()

    done = api.post("/me/mfa/confirm", {"ticket": begun.json()["ticket"], "code": code_of(begun.json()["secret"])})

    after = api.get("/me/mfa").json()
    assert (begun.status_code, wrong.status_code, done.status_code) == (201, 400, 200)
    assert begun.json()["url"].startswith("otpauth://totp/ada%40example.com?secret=")
    assert (before["is_on"], after["is_on"], after["recovery_codes_left"]) == (False, True, 10)
    assert len(set(done.json()["recovery_codes"])) == 10
    assert LoginSession.objects.get().amr == ["pwd", "otp", "mfa"]
    assert AuditEntry.objects.filter(action="mfa.enable").count() == 1


def test_setting_an_app_up_asks_for_the_password(ada):
    answer = Api(log_in().json()["access"]).post("/me/mfa", {"password": "wrong"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert OneTimeToken.objects.count() == 0


def test_a_second_app_is_refused_while_one_is_set_up(ada, enrol):
    enrol(ada)
    api = Api(sessions.open_session(ada).access)

    assert api.post("/me/mfa", {"password": PASSWORD}).json()["code"] == "mfa_is_on"


def test_the_enrolment_of_somebody_else_cannot_be_confirmed(ada, eve):
    begun = second_factors.begin(eve)

    answer = Api(sessions.open_session(ada).access).post(
        "/me/mfa/confirm", {"ticket": begun.ticket, "code": code_of(begun.secret)}
    )

    assert (answer.status_code, second_factors.has_any(ada), second_factors.has_any(eve)) == (400, False, False)


def test_a_login_then_asks_for_a_code(ada, enrol):
    secret, _ = enrol(ada)

    first = log_in()
    second = show(first.json()["ticket"], code_of(secret))

    assert (first.status_code, first.json()["code"], first.json()["ticket_expires_in"]) == (401, "mfa_required", 300)
    assert second.status_code == 200
    assert Api(second.json()["access"]).get("/me").status_code == 200
    assert LoginSession.objects.get().amr == ["pwd", "otp", "mfa"]


def test_the_ticket_is_no_token_of_any_other_kind(ada, enrol):
    secret, _ = enrol(ada)
    ticket = log_in().json()["ticket"]
    body = {"token": ticket, "password": "a sentence nobody says"}

    assert Api(ticket).get("/me").status_code == 401
    assert post("/auth/token/refresh", {"refresh": ticket}).status_code == 401
    assert post("/auth/password/reset/confirm", body).status_code == 404
    assert show(ticket, code_of(secret)).status_code == 200


def test_a_ticket_opens_one_login(ada, enrol):
    secret, codes = enrol(ada)
    ticket = log_in().json()["ticket"]

    answers = [show(ticket, code_of(secret)), show(ticket, codes[0])]

    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[1].json()["code"] == "ticket_invalid"


@pytest.mark.parametrize(
    "end",
    [
        lambda user: User.objects.filter(id=user.id).update(is_active=False),
        lambda user: (user.set_password("another long password"), user.save()),
        lambda user: OneTimeToken.objects.update(expires_at=clock.now() - timedelta(seconds=1)),
        lambda user: sessions.end_all(user, reason="test"),
    ],
    ids=["switched off", "password", "expired", "all ended"],
)
def test_a_ticket_dies_with_what_it_stands_on(ada, enrol, end):
    secret, _ = enrol(ada)
    ticket = log_in().json()["ticket"]

    end(ada)

    assert show(ticket, code_of(secret)).json()["code"] == "ticket_invalid"


def test_a_code_works_once_also_for_another_login(ada, enrol):
    secret, _ = enrol(ada)
    tickets = [log_in().json()["ticket"], log_in().json()["ticket"]]

    answers = [show(ticket, code_of(secret)) for ticket in tickets]

    assert [(answer.status_code, answer.json().get("code")) for answer in answers] == [(200, None), (401, "code_wrong")]


@pytest.mark.parametrize(("steps", "status"), [(-3, 401), (-2, 401), (0, 200), (1, 200), (3, 401)])
def test_a_code_of_a_neighbouring_step_is_good_and_no_other(ada, enrol, steps, status):
    secret, _ = enrol(ada)

    assert show(log_in().json()["ticket"], code_of(secret, steps=steps)).status_code == status


@pytest.mark.django_db(transaction=True)
def test_of_many_logins_with_one_code_at_once_one_wins(member, enrol):
    ada = member("ada", Role.OWNER)
    secret, _ = enrol(ada)
    tickets, code = [log_in().json()["ticket"] for _ in range(4)], code_of(secret)
    together = threading.Barrier(4)

    def attempt(ticket):
        together.wait(30)
        try:
            return show(ticket, code).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(attempt, tickets)) == [200, 401, 401, 401]


def test_guessed_codes_are_limited_whatever_the_network_and_the_ticket(ada, enrol):
    secret, _ = enrol(ada)
    tickets = [log_in().json()["ticket"] for _ in range(6)]

    wrong = wrong_code(secret)
    answers = [
        post("/auth/token/mfa", {"ticket": ticket, "code": wrong}, REMOTE_ADDR=f"203.0.113.{number}")
        for number, ticket in enumerate(tickets)
    ]
    right = show(tickets[0], code_of(secret))

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert (right.status_code, "Retry-After" in right.headers) == (429, True)
    assert AuditEntry.objects.filter(action="login.code_fail").count() == 5


@pytest.mark.parametrize("code", ["", " ", "é12345", "0" * 32, "12 34", "\u0661\u0662\u0663\u0664\u0665\u0666"])
def test_a_strange_code_is_refused_and_breaks_nothing(ada, enrol, code):
    enrol(ada)

    assert show(log_in().json()["ticket"], code).status_code in (400, 401)


def test_a_recovery_code_works_once_in_place_of_the_app(ada, enrol):
    _, codes = enrol(ada)

    answers = [show(log_in().json()["ticket"], codes[3]).status_code for _ in range(2)]

    assert answers == [200, 401]
    assert second_factors.factors_of(ada).recovery_codes_left == 9
    assert AuditEntry.objects.filter(action="mfa.recovery").count() == 1


def test_new_recovery_codes_end_the_old_ones(ada, enrol):
    secret, old = enrol(ada)
    api = Api(sessions.open_session(ada).access)

    new = api.post("/me/mfa/recovery-codes", {"code": code_of(secret)}).json()["recovery_codes"]

    assert (len(new), set(new) & set(old)) == (10, set())
    assert AuditEntry.objects.filter(action="mfa.codes").count() == 1
    assert [show(log_in().json()["ticket"], code).status_code for code in (old[0], new[0])] == [401, 200]


def test_removing_the_factor_asks_for_a_code(ada, enrol):
    secret, _ = enrol(ada)
    api = Api(sessions.open_session(ada).access)

    refused = api.post("/me/mfa/remove", {"code": wrong_code(secret)}).status_code
    done = api.post("/me/mfa/remove", {"code": code_of(secret)}).status_code

    assert (refused, done, log_in().status_code, Authenticator.objects.count()) == (401, 204, 200, 0)
    assert AuditEntry.objects.get(action="mfa.disable").actor_label == ada.email


def test_a_workspace_may_let_in_only_logins_with_a_second_factor(ada, acme, enrol, api):
    key, plain = api(ada), Api(log_in().json()["access"])
    acme.requires_mfa = True
    acme.save()
    secret, _ = enrol(ada)
    with_factor = Api(show(log_in().json()["ticket"], code_of(secret)).json()["access"])

    answers = [caller.get("/api-keys") for caller in (plain, with_factor, key)]

    assert [answer.status_code for answer in answers] == [403, 200, 200]
    assert answers[0].json()["code"] == "mfa_required"
    assert plain.get("/me").json()["workspace_id"] is None
    assert plain.get("/me/mfa").status_code == 200


def test_what_allauth_stores_is_encrypted_for_its_user_alone(ada, bob, enrol):
    secret, codes = enrol(ada)
    enrol(bob)
    rows = str(list(Authenticator.objects.values_list("data", flat=True)))
    stolen = Authenticator.objects.get(user=ada, type="totp")
    Authenticator.objects.filter(user=bob, type="totp").update(data=stolen.data)

    assert secret not in rows
    assert not any(code in rows for code in codes)
    with pytest.raises(SecretUnreadable):
        second_factors.check(bob, code_of(secret))


def test_rotating_the_keys_writes_second_factors_anew(ada, enrol, settings):
    secret, codes = enrol(ada)
    settings.BRAINOPS_ENCRYPTION_KEYS = {"new": b"n" * 16 + b"m" * 16, **settings.BRAINOPS_ENCRYPTION_KEYS}

    before = factor_secrets.older_key_use()
    call_command("rotate_keys")
    after = factor_secrets.older_key_use()
    settings.BRAINOPS_ENCRYPTION_KEYS = {"new": settings.BRAINOPS_ENCRYPTION_KEYS["new"]}

    assert (before, after) == ("Second factors: 2 secrets under an older key.", None)
    assert factor_secrets.rewrite() == 0
    assert second_factors.check(ada, code_of(secret)) == "otp"
    assert second_factors.check(ada, codes[0]) == "otp"
