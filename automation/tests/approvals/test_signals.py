"""Signals: kept until a step takes them, taken once, and each wakes its run."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from automation.engine.commands import MakeCallback, TakeSignal
from automation.engine.status import RunStatus
from automation.models import Callback, LocalEffect, Signal
from automation.services import signals
from automation.services.signals import SentSignal, send, use_callback
from automation.store.callback_tokens import hash_of
from automation.tests.approvals.rows import make_run, member, move, perform, state
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry
from brainops.core.errors import Conflict, InvalidInput, NotFound, PermissionDenied, TooLarge

RECEIVED = {"state": "received", "payload": {"n": 1}, "key": None, "url": None}
WAITING = {"state": "waiting", "until": None, "url": None}


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


def test_a_signal_before_the_wait_is_kept_for_it(home, ada):
    run = make_run(home)

    sent = send(ada, run.uid, "paid", payload={"n": 1})

    assert sent == SentSignal(run.uid, "paid", None)
    assert state(run) == ("running", 1)
    assert perform(run, TakeSignal("paid")) == RECEIVED


def test_a_signal_during_the_wait_wakes_the_run_once(home, ada):
    run = make_run(home)
    assert perform(run, TakeSignal("paid")) == WAITING
    move(run, RunStatus.WAITING)

    send(ada, run.uid, "paid", payload={"n": 1})

    assert state(run) == ("queued", 1)
    move(run, RunStatus.RUNNING)
    assert [perform(run, TakeSignal("paid")) for _ in range(2)] == [RECEIVED, RECEIVED]


def test_each_signal_is_taken_by_one_step_in_the_order_they_came(home, ada):
    run = make_run(home)
    for number in (1, 2, 3):
        send(ada, run.uid, "paid", payload=number)
    send(ada, run.uid, "other", payload="x")

    taken = [perform(run, TakeSignal("paid"), path=path)["payload"] for path in ("a", "b", "a", "loop[0].c")]

    assert taken == [1, 2, 1, 3]
    assert perform(run, TakeSignal("paid"), path="d")["state"] == "waiting"


def test_the_same_key_is_taken_in_once_even_after_the_end(home, ada):
    run = make_run(home)
    send(ada, run.uid, "paid", payload={"n": 1}, key="k")
    move(run, RunStatus.SUCCEEDED)

    again = send(ada, run.uid, "paid", payload={"n": 1}, key="k")

    assert again == SentSignal(run.uid, "paid", "k", is_duplicate=True)
    assert (Signal.objects.count(), state(run)) == (1, ("succeeded", 1))
    with pytest.raises(Conflict, match="another payload") as refusal:
        send(ada, run.uid, "paid", payload={"n": 2}, key="k")
    assert refusal.value.code == "signal_key_reused"


def test_an_ended_run_takes_no_signal(home, ada):
    run = make_run(home, status=RunStatus.CANCELLED)

    with pytest.raises(Conflict, match="The run has ended already: it is cancelled"):
        send(ada, run.uid, "paid")

    assert Signal.objects.count() == 0


def test_who_may_send(home, ada, stranger):
    run = make_run(home)

    with pytest.raises(NotFound):
        send(stranger, run.uid, "paid")
    with pytest.raises(NotFound):
        send(ada, uuid4(), "paid")
    with pytest.raises(PermissionDenied, match="The role viewer does not include runs:signal"):
        send(member(home, "vera", Role.VIEWER), run.uid, "paid")
    assert Signal.objects.count() == 0


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 101, "a/b", "a\n", "ä"])
def test_a_name_that_no_step_can_wait_for_is_refused(home, ada, name):
    with pytest.raises(InvalidInput, match="The name of a signal is a letter or digit"):
        send(ada, make_run(home).uid, name)


def test_too_much_is_refused(home, ada, monkeypatch):
    run = make_run(home)
    monkeypatch.setattr(signals, "MOST_WAITING", 2)

    with pytest.raises(TooLarge, match=r"The payload takes 300,002 bytes as JSON, more than 262,144 \(BRAINOPS_LIMIT"):
        send(ada, run.uid, "paid", payload="x" * 300_000)
    send(ada, run.uid, "a")
    send(ada, run.uid, "b")
    with pytest.raises(Conflict, match="2 signals wait for steps of this run to take them"):
        send(ada, run.uid, "c")
    perform(run, TakeSignal("a"))
    send(ada, run.uid, "c")


def test_a_wait_ends_at_the_same_instant_however_often_it_is_asked(home, ada):
    run = make_run(home)

    first, second = (perform(run, TakeSignal("paid", timeout_seconds=60)) for _ in range(2))
    assert first == second
    LocalEffect.objects.filter(run=run).update(result={"until": (timezone.now() - timedelta(seconds=1)).isoformat()})

    assert perform(run, TakeSignal("paid", timeout_seconds=60)) == {"state": "timed_out", "url": None}
    send(ada, run.uid, "paid")
    assert perform(run, TakeSignal("paid", timeout_seconds=60))["state"] == "received"


def test_a_one_time_url_sends_its_signal_once(home):
    run = make_run(home)
    url = perform(run, TakeSignal("paid", with_url=True))["url"]
    move(run, RunStatus.WAITING)
    token = token_of(url)

    sent = use_callback(token, payload={"n": 1})

    assert (sent.run_uid, sent.name, state(run)) == (run.uid, "paid", ("queued", 1))
    with pytest.raises(Conflict, match="This URL works once, and was used at 20") as refusal:
        use_callback(token, payload={"n": 2})
    assert refusal.value.code == "callback_used"
    assert state(run) == ("queued", 1)
    move(run, RunStatus.RUNNING)
    assert perform(run, TakeSignal("paid", with_url=True)) == {**RECEIVED, "url": url}
    (entry,) = AuditEntry.objects.all()
    said = "The one-time URL of step 'ask' sent the signal paid."
    assert (entry.action, entry.actor_kind, entry.summary) == ("run.callback", "anonymous", said)
    assert token not in str(list(AuditEntry.objects.values()))


def test_only_the_digest_of_a_url_is_stored_and_a_repeated_step_finds_the_same_url(home, settings):
    run = make_run(home)

    first = perform(run, MakeCallback("paid", expires_seconds=60))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-" * 5
    second = perform(run, MakeCallback("paid", expires_seconds=60))

    assert first == second
    token = token_of(first["url"])
    (row,) = Callback.objects.all()
    assert (bytes(row.token_hash), row.expires_at.isoformat()) == (hash_of(token), first["expires_at"])
    assert first["url"].startswith(f"{settings.BRAINOPS_PUBLIC_URL}/api/v1/automation/callbacks/bo_cb_")
    assert len(token) == 49


def test_every_step_of_every_run_has_a_url_of_its_own(home):
    runs = [make_run(home), make_run(home)]

    urls = {perform(run, MakeCallback("paid"), path=path)["url"] for run in runs for path in ("a", "b")}

    assert len(urls) == 4


def test_an_expired_a_forged_and_a_late_url_do_nothing(home):
    run = make_run(home)
    token = token_of(perform(run, MakeCallback("paid", expires_seconds=60))["url"])

    for forged in ("", "x", "bo_cb_" + "A" * 43, token[:-1], token + "A", "bo_cb_" + "A" * 10_000, token.upper()):
        with pytest.raises(NotFound):
            use_callback(forged)
    Callback.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Conflict, match="This URL has expired"):
        use_callback(token)
    Callback.objects.update(expires_at=None)
    move(run, RunStatus.SUCCEEDED)
    with pytest.raises(Conflict, match="The run has ended already"):
        use_callback(token)

    assert Callback.objects.get().used_at is None
    assert state(run) == ("succeeded", 0)
