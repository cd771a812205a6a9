"""Logins: limited before anything is hashed, rotated, and dead at the next request after their end."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client

from brainops.accounts.models import LoginLimit, LoginSession, Membership, Role, User
from brainops.accounts.services import login_limits, sessions
from brainops.accounts.tests.conftest import API, PASSWORD, Api
from brainops.audit.models import AuditEntry
from brainops.core import clock, housekeeping
from brainops.core.errors import NotAuthenticated

pytestmark = pytest.mark.django_db


def log_in(name: str = "ada@example.com", password: str = PASSWORD, **options):
    body = {"username": name, "password": password}
    return Client().post(f"{API}/auth/token", body, content_type="application/json", **options)


def refresh(token: str):
    return Client().post(f"{API}/auth/token/refresh", {"refresh": token}, content_type="application/json")


@pytest.mark.parametrize("name", ["ada@example.com", "Ada@Example.com", "ada", "ADA", "  ada  "])
def test_a_person_logs_in_by_address_or_user_name_in_any_case(ada, name):
    answer = log_in(name)

    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh", "access_expires_in", "refresh_expires_in"}
    assert Api(answer.json()["access"]).get("/me").json()["name"] == "ada@example.com"


@pytest.mark.parametrize("name", ["ada@example.com", "nobody@example.com", "", "\0", "ada@example.com' or 1=1--"])
def test_unknown_name_and_wrong_password_get_the_same_answer(ada, name):
    answer = log_in(name, "wrong password")
    wrong = {**answer.json(), "request_id": ""} if name.isprintable() and name else None

    if wrong is None:
        assert answer.status_code == 400
    else:
        assert (answer.status_code, wrong["code"], wrong["detail"]) == (
            401,
            "login_failed",
            "The name or the password is wrong.",
        )


def test_a_user_who_was_switched_off_cannot_log_in(ada):
    User.objects.filter(id=ada.id).update(is_active=False)

    assert log_in().json()["code"] == "login_failed"


def test_a_user_without_a_password_cannot_log_in(ada):
    ada.set_unusable_password()
    ada.save()

    assert [log_in(password=text).status_code for text in ("!", ada.password, "x")] == [401, 401, 401]


def test_an_unknown_name_costs_as_many_hashes_as_a_wrong_password(ada, monkeypatch):
    hashes = []
    from django.contrib.auth.hashers import MD5PasswordHasher

    real = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args, **kw: hashes.append(1) or real(*args, **kw))

    counts = []
    for name in ("ada@example.com", "nobody@example.com"):
        hashes.clear()
        log_in(name, "wrong password")
        counts.append(len(hashes))

    assert counts == [1, 1]


def test_after_five_wrong_passwords_the_right_one_has_to_wait_too(ada):
    answers = [log_in(password="wrong").status_code for _ in range(5)]

    limited = log_in()

    assert answers == [401] * 5
    assert (limited.status_code, limited.json()["code"]) == (429, "too_many_logins")
    assert 1 <= int(limited.headers["Retry-After"]) <= 30


def test_a_refused_attempt_hashes_nothing(ada, settings):
    for _ in range(5):
        log_in(password="wrong")
    settings.PASSWORD_HASHERS = ["no.such.Hasher"]

    assert log_in().status_code == 429


def test_another_network_may_still_log_in_so_that_nobody_locks_ada_out(ada):
    for _ in range(6):
        log_in(password="wrong")

    assert log_in(REMOTE_ADDR="203.0.113.7").status_code == 200


def test_an_invented_forwarded_for_header_is_no_other_network(ada):
    statuses = [log_in(password="wrong", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(6)]

    assert statuses == [401] * 5 + [429]


def test_one_network_trying_many_names_is_limited(db):
    statuses = [log_in(f"user{number}", "wrong").status_code for number in range(21)]

    assert statuses == [401] * 20 + [429]


def test_one_account_tried_from_everywhere_is_limited(ada):
    for number in range(50):
        login_limits.take("ada", f"10.0.{number}.1")

    assert log_in("ada", REMOTE_ADDR="203.0.113.7").status_code == 429
    assert log_in("bob", "x", REMOTE_ADDR="203.0.113.7").status_code == 401


def test_a_login_that_worked_empties_the_accounts_buckets(ada):
    for _ in range(3):
        log_in(password="wrong")
        log_in()

    assert log_in().status_code == 200


def test_a_bucket_refills_with_time_and_old_ones_are_forgotten(ada):
    for _ in range(6):
        log_in(password="wrong")
    for limit in LoginLimit.objects.all():
        limit.full_until -= timedelta(minutes=10)
        limit.save()

    forgotten = login_limits.forget_old()

    assert forgotten == 4  # account and network, network, account, everybody
    assert log_in().status_code == 200


def test_sessions_are_swept_a_month_after_their_end(ada):
    for days in (29, 31):
        log_in()
        newest = LoginSession.objects.order_by("-created_at").first()
        LoginSession.objects.filter(id=newest.id).update(expires_at=clock.now() - timedelta(days=days))

    swept = housekeeping.sweep()

    assert (swept, LoginSession.objects.count()) == (1, 1)


def test_logins_and_failures_are_in_the_audit_log_without_names_that_may_be_passwords(ada):
    log_in(password="wrong")
    log_in("my-secret-password", "ada")
    log_in(headers={"User-Agent": "curl/8"})

    assert [(entry.action, entry.summary, entry.ip) for entry in AuditEntry.objects.order_by("id")] == [
        ("login.fail", "A login as ada@example.com failed.", "127.0.0.1"),
        ("login.fail", "A login with an unknown name failed.", "127.0.0.1"),
        ("login.start", "ada@example.com logged in.", "127.0.0.1"),
    ]
    assert LoginSession.objects.get().client == "curl/8"


@pytest.mark.parametrize(
    "end",
    [
        lambda user, api: api.post("/auth/logout"),
        lambda user, api: (user.set_password("another long password"), user.save()),
        lambda user, api: User.objects.filter(id=user.id).update(is_active=False),
        lambda user, api: LoginSession.objects.update(expires_at="2001-01-01T00:00:00Z"),
        lambda user, api: LoginSession.objects.all().delete(),
    ],
    ids=["logout", "password", "switched off", "expired", "gone"],
)
def test_both_tokens_die_at_the_next_request(ada, end):
    pair = log_in().json()
    api = Api(pair["access"])
    before = api.get("/me").status_code

    end(ada, api)

    assert (before, api.get("/me").status_code, refresh(pair["refresh"]).status_code) == (200, 401, 401)


def test_a_changed_role_counts_at_the_next_request(ada):
    api = Api(log_in().json()["access"])
    before = api.get("/me").json()["role"]

    Membership.objects.filter(user=ada).update(role=Role.VIEWER)

    assert (before, api.get("/me").json()["role"]) == ("owner", "viewer")


def test_a_logout_ends_its_own_login_and_no_other(ada):
    phone, laptop = Api(log_in().json()["access"]), Api(log_in().json()["access"])

    phone.post("/auth/logout")

    assert (phone.get("/me").status_code, laptop.get("/me").status_code) == (401, 200)


def test_an_api_key_has_no_login_to_end(ada, api):
    assert api(ada).post("/auth/logout").status_code == 409


def test_a_refresh_gives_a_new_pair_and_uses_up_the_old_refresh_token(ada):
    first = log_in().json()

    second = refresh(first["refresh"]).json()

    assert first["refresh"] != second["refresh"]
    assert Api(second["access"]).get("/me").status_code == 200
    assert refresh(second["refresh"]).status_code == 200


def test_a_refresh_token_used_twice_ends_the_whole_login(ada):
    first = log_in().json()
    second = refresh(first["refresh"]).json()

    reused = refresh(first["refresh"])

    assert reused.json()["code"] == "refresh_token_reused"
    assert refresh(second["refresh"]).json()["code"] == "login_ended"
    assert Api(second["access"]).get("/me").status_code == 401
    assert AuditEntry.objects.filter(action="login.end").get().summary == (
        "Login of ada@example.com ended: refresh token used twice."
    )


@pytest.mark.django_db(transaction=True)
def test_of_many_refreshes_at_once_one_wins(ada):
    token = log_in().json()["refresh"]
    outcomes = []

    def attempt() -> None:
        try:
            outcomes.append(sessions.refresh(token).refresh)
        except NotAuthenticated as error:
            outcomes.append(error.code)
        connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    won = [outcome for outcome in outcomes if outcome.startswith("ey")]
    assert len(won) == 1
    assert set(outcomes) - set(won) <= {"refresh_token_reused", "login_ended"}


def test_a_refresh_token_is_no_access_token_and_the_other_way_round(ada):
    pair = log_in().json()

    assert Api(pair["refresh"]).get("/me").status_code == 401
    assert refresh(pair["access"]).status_code == 401


def test_an_expired_access_token_says_so(ada, settings):
    settings.BRAINOPS_ACCESS_TOKEN_SECONDS = -1

    answer = Api(log_in().json()["access"]).get("/me")

    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


def test_tokens_survive_a_change_of_the_secret_key_while_the_old_one_is_a_fallback(ada, settings):
    api = Api(log_in().json()["access"])
    old = settings.SECRET_KEY

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [old]
    with_fallback = api.get("/me").status_code
    settings.SECRET_KEY_FALLBACKS = []

    assert (with_fallback, api.get("/me").status_code) == (200, 401)


def test_a_cookie_logs_nobody_in(ada):
    client = Client()
    client.force_login(ada)

    assert client.get(f"{API}/me").status_code == 401
