"""Deliveries to a webhook that is switched off and buffers: stored, answered, released in order, once."""

import time

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from automation.models import Run, RunData, Trigger, Workflow
from automation.store.connection import Connection
from brainops.core import clock
from webhooks.models import EventVerdict, WebhookEndpoint, WebhookEvent
from webhooks.services import buffers, states
from webhooks.store import buffer, forget
from webhooks.tests import make
from webhooks.tests.make import Sender
from webhooks.tests.test_intake import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sender():
    return Sender(make.endpoint(config={"when_paused": "buffer"}))


def pause():
    Trigger.objects.update(is_active=False)


def resume():
    Trigger.objects.update(is_active=True)


def names():
    """The deliveries whose runs stand in the database, in the order of these."""
    rows = RunData.objects.order_by("run_id").values_list("input", flat=True)
    return [row["trigger"]["delivery"] for row in rows]


@pytest.mark.parametrize("switch", ["trigger", "workflow"])
def test_a_delivery_to_a_webhook_that_is_off_waits_and_is_answered(sender, switch):
    (Trigger if switch == "trigger" else Workflow).objects.update(is_active=False)

    response = sender.send({"n": 1}, delivery="d-1")

    event = WebhookEvent.objects.get()
    assert (response.status_code, response.json()) == (
        202,
        {"run": None, "event": str(event.id), "reason": "buffered"},
    )
    assert (event.verdict, event.status, event.reason, bytes(event.body)) == (
        EventVerdict.BUFFERED,
        202,
        "buffered",
        b'{"n":1}',
    )
    assert (Run.objects.count(), buffers.release_due()) == (0, 0)


def test_without_the_choice_it_is_refused_as_before():
    sender = Sender(make.endpoint())
    pause()

    response = sender.send({})

    assert (response.status_code, response.json()["code"]) == (409, "webhook_inactive")


def test_an_archived_workflow_never_buffers(sender):
    Workflow.objects.update(archived_at=timezone.now())

    assert (sender.send({}).status_code, WebhookEvent.objects.get().verdict) == (409, EventVerdict.REJECTED)


def test_what_waits_starts_in_the_order_of_arrival_and_once(sender):
    pause()
    for number in range(7):
        sender.send({"n": number}, delivery=f"d-{number}")
    resume()

    released = [buffers.release_due() for _ in range(2)]

    assert (released, names()) == ([7, 0], [f"d-{number}" for number in range(7)])
    events = list(WebhookEvent.objects.order_by("received_at"))
    assert {(event.verdict, event.reason) for event in events} == {(EventVerdict.ACCEPTED, "")}
    assert [event.run_uid for event in events] == list(Run.objects.order_by("id").values_list("uid", flat=True))
    assert WebhookEndpoint.objects.get().is_buffering is False


def test_the_run_sees_what_it_would_have_seen_at_once():
    config = {"when_paused": "buffer", "path": "orders/{id}", "methods": ["PUT"]}
    sender = Sender(make.endpoint(scheme="none", config=config))
    sender.post(b'{"a": 1}', {"X-A": "b"}, method="PUT", behind="/orders/7", query="c=d")
    pause()
    sender.post(b'{"a": 1}', {"X-A": "b"}, method="PUT", behind="/orders/7", query="c=d")
    resume()
    buffers.release_due()

    first, second = (row.input["trigger"] for row in RunData.objects.order_by("run_id"))
    own = {"event_id", "received_at"}
    assert {name: first[name] for name in first.keys() - own} == {name: second[name] for name in second.keys() - own}
    assert second["received_at"] == WebhookEvent.objects.latest("received_at").received_at.isoformat()


def test_what_comes_while_others_wait_queues_up_behind_them(sender):
    pause()
    sender.send({}, delivery="d-1")
    resume()

    behind = sender.send({}, delivery="d-2")
    buffers.release_due()
    after = sender.send({}, delivery="d-3")

    assert (behind.json()["reason"], after.status_code) == ("buffered", 202)
    assert (after.json()["run"] is not None, names()) == (True, ["d-1", "d-2", "d-3"])


def test_a_repeat_of_what_waits_is_known(sender):
    pause()

    first, second = (sender.send({}, delivery="d-1") for _ in range(2))

    assert (second.status_code, second.json()) == (200, first.json())
    assert (second.headers["Brainops-Duplicate"], WebhookEvent.objects.get().duplicates) == ("true", 1)


def test_twenty_copies_at_once_wait_once(sender):
    pause()

    answers = in_parallel(20, lambda _: sender.send({}, delivery="d-1"))
    resume()
    buffers.release_due()

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert (WebhookEvent.objects.count(), Run.objects.count()) == (1, 1)


def test_only_what_is_verified_waits(sender):
    pause()

    response = sender.post(b"{}", {})

    assert (response.status_code, WebhookEvent.objects.get().verdict) == (401, EventVerdict.REJECTED)


def test_no_more_wait_than_may(sender, monkeypatch):
    monkeypatch.setattr(buffers, "MOST", 2)
    pause()

    answers = [sender.send({}, delivery=f"d-{number}") for number in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert (answers[2].json()["code"], answers[2].headers["Retry-After"]) == ("buffer_full", "60")


def test_no_more_bytes_wait_than_may(sender, monkeypatch):
    monkeypatch.setattr(buffers, "MOST_BYTES", 50)
    pause()

    statuses = [sender.send({"pad": "x" * 20}, delivery=f"d-{number}").status_code for number in range(2)]

    assert statuses == [202, 429]


class TestCrashes:
    """Whoever dies over a portion leaves it as it was: the next tick begins it anew."""

    @pytest.fixture
    def waiting(self, sender):
        pause()
        for number in range(5):
            sender.send({}, delivery=f"d-{number}")
        resume()
        return sender

    @pytest.mark.parametrize("place", ["let_go", "end"])
    def test_a_release_that_dies_in_the_middle_loses_and_doubles_nothing(self, waiting, monkeypatch, place):
        whole, calls = getattr(buffer, place), []

        def dies(*args, **kwargs):
            result = whole(*args, **kwargs)
            calls.append(result)
            if len(calls) == (3 if place == "let_go" else 1):
                raise SystemExit("killed")
            return result

        monkeypatch.setattr(buffer, place, dies)
        with pytest.raises(SystemExit):
            buffers.release_due()
        after = (Run.objects.count(), WebhookEvent.objects.filter(verdict=EventVerdict.BUFFERED).count())
        monkeypatch.setattr(buffer, place, whole)
        buffers.release_due()

        assert (after, names()) == ((0, 5), [f"d-{number}" for number in range(5)])

    def test_a_release_whose_connection_is_cut_loses_and_doubles_nothing(self, waiting, monkeypatch):
        whole, calls = buffer.let_go, []

        def is_cut(cursor, *args):
            calls.append(args)
            if len(calls) == 3:
                cursor.execute("select pg_terminate_backend(pg_backend_pid())")
            return whole(cursor, *args)

        monkeypatch.setattr(buffer, "let_go", is_cut)
        with pytest.raises(OperationalError):
            buffers.release_due()
        connection.close()
        after = (Run.objects.count(), WebhookEvent.objects.filter(verdict=EventVerdict.BUFFERED).count())
        buffers.release_due()

        assert (after, names()) == ((0, 5), [f"d-{number}" for number in range(5)])

    def test_two_at_once_release_each_delivery_once(self, waiting):
        in_parallel(6, lambda _: buffers.release_due())
        buffers.release_due()

        assert names() == [f"d-{number}" for number in range(5)]

    def test_deliveries_during_the_release_keep_the_order(self, waiting):
        def work(number):
            if number == 0:
                return [buffers.release_due() for _ in range(10)]
            return [waiting.send({}, delivery=f"late-{number}-{n}").status_code for n in range(5)]

        in_parallel(4, work)
        buffers.release_due()

        assert (len(names()), len(set(names())), names()[:5]) == (20, 20, [f"d-{number}" for number in range(5)])
        for sender in (1, 2, 3):
            own = [name for name in names() if name.startswith(f"late-{sender}-")]
            assert own == [f"late-{sender}-{n}" for n in range(5)]


def test_what_the_newest_version_does_not_take_any_more_is_refused_with_the_reason(sender):
    pause()
    sender.send({}, delivery="d-1")
    flow = Workflow.objects.get()
    schema = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    flow.current_version = make.version_of(flow, {**make.DEFINITION, "inputs": schema}, ordinal=2)
    flow.save()
    resume()

    buffers.release_due()

    event = WebhookEvent.objects.get()
    assert (event.verdict, event.status, event.reason) == (EventVerdict.REJECTED, 400, "invalid_input")
    assert (Run.objects.count(), WebhookEndpoint.objects.get().is_buffering) == (0, False)


def test_beyond_the_quota_they_go_on_waiting(sender):
    home = sender.endpoint.workspace
    pause()
    for number in range(3):
        sender.send({}, delivery=f"d-{number}")
    home.max_runs_per_day = 1
    home.save()
    buffers.run_quota.quotas.remembered.forget_all()
    resume()

    buffers.release_due()

    waiting = WebhookEvent.objects.filter(verdict=EventVerdict.BUFFERED).values_list("delivery_id", flat=True)
    assert (names(), sorted(waiting)) == (["d-0"], ["d-1", "d-2"])
    assert WebhookEndpoint.objects.get().is_buffering is True


def test_what_waits_is_never_too_old_to_keep(sender):
    pause()
    sender.send({}, delivery="d-1")
    WebhookEvent.objects.update(received_at=timezone.now() - timezone.timedelta(days=400))

    store = Connection()
    count = forget.forget_events(store, days=30)
    store.close()

    assert (count, WebhookEvent.objects.count()) == (0, 1)


def test_what_waits_cannot_be_replayed_beside_its_own_run(sender):
    pause()
    sender.send({}, delivery="d-1")
    home, event = sender.endpoint.workspace, WebhookEvent.objects.get()
    owner = make.api(make.person(home), home)

    answer = make.call(owner, "post", f"{make.ROOT}/{sender.endpoint.id}/events/{event.id}/replay", {})

    assert (answer.status_code, answer.json()["code"], Run.objects.count()) == (409, "event_waits", 0)


def test_a_sample_of_our_own_waits_as_well(sender):
    pause()
    home = sender.endpoint.workspace
    owner = make.api(make.person(home), home)

    answer = make.call(owner, "post", f"{make.ROOT}/{sender.endpoint.id}/test", {})

    assert (answer.json()["outcome"], answer.json()["status"], answer.json()["reason"]) == ("buffered", 202, "buffered")


def test_an_old_state_takes_nothing_in():
    endpoint = make.endpoint(config={"when_paused": "buffer"})
    state = states.load(endpoint.id)
    WebhookEndpoint.objects.update(revision=9)

    with transaction.atomic(), connection.cursor() as cursor:
        assert buffer.lock(cursor, state.stored) is False


def test_the_clock_of_the_wall_does_not_order_them(sender, monkeypatch):
    pause()
    sender.send({}, delivery="d-1")
    earlier = clock.now() - timezone.timedelta(seconds=100)
    monkeypatch.setattr(clock, "now", lambda: earlier)
    sender.send({}, delivery="d-2")
    resume()

    buffers.release_due()

    assert names() == ["d-1", "d-2"]


def test_what_waited_starts_by_itself_once_it_is_switched_on(sender, worker, all_ended):
    pause()
    for number in range(5):
        sender.send({"n": number}, delivery=f"d-{number}")

    resume()
    deadline = time.monotonic() + 60
    while Run.objects.count() < 5 and time.monotonic() < deadline:
        time.sleep(0.05)

    assert (all_ended(), names()) == ([50] * 5, [f"d-{number}" for number in range(5)])
