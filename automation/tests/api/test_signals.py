"""POST /runs/{id}/signals/{name} and POST /callbacks/{token}."""

from uuid import uuid4

import pytest
from django.test import Client

from automation.engine.commands import MakeCallback, TakeSignal
from automation.engine.status import RunStatus
from automation.models import Callback, Signal
from automation.tests.api.conftest import PREFIX
from automation.tests.approvals.rows import make_run, move, perform, state
from brainops.accounts.models import Role


@pytest.fixture
def run(home):
    return make_run(home)


@pytest.fixture
def address(run):
    """A one-time URL's path."""
    url = perform(run, MakeCallback("paid"))["url"]
    return url[url.index(PREFIX) :]


def use(address, **meta):
    """POST without a body (Django's own `post` makes one up)."""
    return Client(**meta).generic("POST", address)


def test_a_signal_is_sent_and_a_repeat_of_its_key_is_not(owner, run):
    path = f"/runs/{run.uid}/signals/paid"

    first = owner.post(path, {"payload": {"n": 1}, "key": "k1"})
    again = owner.post(path, {"payload": {"n": 1}, "key": "k1"})
    other = owner.post(path, {"payload": 2, "key": "k1"})
    bare = owner.post(path)

    said = {"run_id": str(run.uid), "name": "paid", "key": "k1", "is_duplicate": False}
    assert (first.status_code, first.json()) == (202, said)
    assert (again.status_code, again.json()) == (200, {**said, "is_duplicate": True})
    assert (other.status_code, other.json()["code"]) == (409, "signal_key_reused")
    assert (bare.status_code, bare.json()["key"]) == (202, None)
    taken = [perform(run, TakeSignal("paid"), path=path) for path in ("a", "b")]
    assert [(one["payload"], one["key"]) for one in taken] == [({"n": 1}, "k1"), (None, None)]


def test_who_may_send_a_signal(member, stranger, run):
    senders = [
        member(Role.OPERATOR),
        member(Role.VIEWER),
        member(Role.OWNER, scopes=("runs:read", "approvals:*")),
        stranger,
    ]

    answers = [sender.post(f"/runs/{run.uid}/signals/paid").status_code for sender in senders]

    assert answers == [202, 403, 403, 404]
    assert Signal.objects.count() == 1
    assert senders[0].post(f"/runs/{uuid4()}/signals/paid").status_code == 404


def test_an_ended_run_refuses(owner, run):
    move(run, RunStatus.FAILED)

    response = owner.post(f"/runs/{run.uid}/signals/paid")

    assert (response.status_code, response.json()["code"], response.json()["run_status"]) == (
        409,
        "run_is_final",
        "failed",
    )


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_signal_is_sent_by_post_only(owner, run, method):
    assert owner.send(method, f"/runs/{run.uid}/signals/paid").status_code == 405
    assert Signal.objects.count() == 0


@pytest.mark.parametrize("name", ["a%20b", "-x", "x" * 101, "%C3%A4"])
def test_a_name_that_no_step_can_wait_for_is_refused(owner, run, name):
    response = owner.post(f"/runs/{run.uid}/signals/{name}")

    assert (response.status_code, response.json()["problems"][0]["parameter"]) == (400, "name")


def test_a_one_time_url_needs_no_key_and_works_once(address, run):
    client = Client()

    first = client.post(address, {"ok": True}, content_type="application/json")
    second = client.post(address, {"ok": False}, content_type="application/json")

    assert first.status_code == 202
    assert (first.json()["run_id"], first.json()["name"]) == (str(run.uid), "paid")
    assert (second.status_code, second.json()["code"]) == (409, "callback_used")
    assert list(Signal.objects.values_list("payload", flat=True)) == [{"ok": True}]
    assert state(run) == ("running", 1)


def test_an_empty_body_is_a_signal_without_a_payload(address):
    assert use(address).status_code == 202
    assert Signal.objects.get().payload is None


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options", "trace"])
def test_looking_at_a_one_time_url_does_nothing(address, method):
    response = getattr(Client(), method)(address)

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert Signal.objects.count() == 0
    assert Callback.objects.get().used_at is None


def test_whoever_opens_a_one_time_url_is_told_what_it_is(address):
    said = Client().get(address, headers={"accept": "text/html"})

    assert "Opening it does nothing" in said.content.decode()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"a": "\\u0000"}', "application/json", 400),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b'"' + b"x" * 300_000 + b'"', "application/json", 413),
        (b'"' + b"x" * 2_000_000 + b'"', "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_kept_leaves_the_url_unused(address, body, kind, status):
    assert Client().post(address, body, content_type=kind).status_code == status
    assert Callback.objects.get().used_at is None
    assert use(address).status_code == 202


def test_a_token_nobody_made_is_not_found(db):
    for token in ("x", "bo_cb_" + "A" * 43, "bo_cb_" + "A" * 5000, "%00", "bo_cb_%F0%9F%98%80"):
        assert use(f"{PREFIX}/callbacks/{token}").status_code == 404


def test_guessing_is_slowed_down_by_network(address, settings):
    settings.BRAINOPS_RATES = {**settings.BRAINOPS_RATES, "address_callbacks": 0.02}
    settings.BRAINOPS_RATE_BURST_SECONDS = 250  # five at once
    guess = f"{PREFIX}/callbacks/bo_cb_{'A' * 43}"

    answers = [use(guess, REMOTE_ADDR="192.0.2.1") for _ in range(12)]

    assert [answer.status_code for answer in answers] == [404] * 5 + [429] * 7
    assert {answer.json()["code"] for answer in answers[5:]} == {"rate_limited"}
    assert all("Retry-After" in answer.headers for answer in answers[5:])
    assert use(address, REMOTE_ADDR="192.0.2.2").status_code == 202
