"""What holds for streams of every kind, on real brokers: each message once, whoever dies, whatever it holds."""

import base64
from contextlib import suppress

import pytest
from django.db import connection

from automation.engine import points
from automation.models import Arrival, ArrivalDecision, Run, Source, Trigger, Workflow
from automation.services import streams
from automation.tests.arrivals.rows import ledger
from automation.tests.streams.rows import (
    items_of,
    listening,
    make_listener,
    seen_by_runs,
    wait_for_arrivals,
    wait_for_runs,
    wait_until_joined,
)
from automation.tests.triggers.rows import DEFINITION
from automation.triggers.contract import SourceError
from integrations.runner.brokers import kafka_topic
from tests.live import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

LIMITED = {**DEFINITION, "settings": {"concurrency": {"limit": 1, "when_full": "fail"}}}
ASKING = {
    **DEFINITION,
    "inputs": {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]},
}


def test_each_message_starts_a_run_in_order_and_the_run_sees_it(broker):
    trigger = make_listener(broker)

    with listening(trigger):
        wait_until_joined(trigger)
        broker.send(b'{"n": 1}', "zwölf".encode(), b"\xff\x00")
        wait_for_runs(trigger, 3)

    seen = seen_by_runs(trigger)
    assert [one["item"] for one in seen] == [{"n": 1}, "zwölf", base64.b64encode(b"\xff\x00").decode()]
    assert {one["kind"] for one in seen} == {broker.kind}
    named = {"redis_stream": "stream", "amqp": "queue", "mqtt": "topic", "kafka": "topic"}[broker.kind]
    assert {one["message"][named].removesuffix("/a") for one in seen} == {broker.source}
    assert set(ledger(trigger).values()) == {"ran"}


def test_a_message_that_cannot_be_read_is_refused_and_keeps_nobody_waiting(broker):
    trigger = make_listener(broker, body="json", max_bytes=64)

    with listening(trigger):
        wait_until_joined(trigger)
        broker.send(b"{not json", b'{"n": 1}', b'"' + b"x" * 100 + b'"')
        wait_for_arrivals(trigger, 3)

    rows = list(Arrival.objects.filter(trigger=trigger).order_by("id"))
    assert [row.decision for row in rows].count(ArrivalDecision.REFUSED) == 2
    assert items_of(trigger) == [{"n": 1}]
    reasons = sorted(row.reason for row in rows if row.reason)
    assert reasons[0].startswith("It cannot be read as JSON: ")
    assert reasons[1] == "It has 102 bytes; 64 are taken (max_bytes)."


def test_a_message_that_does_not_fit_the_inputs_is_refused(broker):
    trigger = make_listener(broker, definition=ASKING)

    with listening(trigger):
        wait_until_joined(trigger)
        broker.send(b'{"total": "many"}', b'{"total": 12}')
        wait_for_arrivals(trigger, 2)

    assert items_of(trigger) == [{"total": 12}]
    assert sorted(ledger(trigger).values()) == ["ran", "refused"]


def test_messages_sent_while_nobody_listened_are_taken_later(broker):
    trigger = make_listener(broker)
    with listening(trigger):
        wait_until_joined(trigger)

    broker.send(b"1", b"2")

    with listening(trigger):
        wait_for_runs(trigger, 2)
    assert items_of(trigger) == [1, 2]


class Dies(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("point", ["in_take", "in_stream", "after_stream_commit", "after_stream_settle"])
def test_killed_anywhere_each_message_is_taken_once(point, broker, monkeypatch):
    trigger = make_listener(broker)
    with listening(trigger):
        wait_until_joined(trigger)
    broker.send(b"1", b"2", b"2")  # two of the same content are two messages

    def die(name):
        if name == point:
            raise Dies

    monkeypatch.setattr(points, "hook", die)
    with pytest.raises(Dies), listening(trigger) as thread:
        thread.join(60)
    monkeypatch.setattr(points, "hook", None)
    with listening(trigger):
        wait_for_runs(trigger, 3)
        broker.send(b"3")
        wait_for_runs(trigger, 4)

    assert items_of(trigger) == [1, 2, 2, 3]


def test_while_a_limit_is_full_messages_wait_at_the_broker(broker):
    trigger = make_listener(broker, definition=LIMITED)

    with listening(trigger):
        wait_until_joined(trigger)
        broker.send(b"1", b"2", b"3")
        wait_until(lambda: Source.objects.filter(trigger=trigger).exclude(waits_for="").exists())
        assert items_of(trigger) == [1]

        end_runs(trigger)
        wait_for_runs(trigger, 2)
        end_runs(trigger)
        wait_for_runs(trigger, 3)

    assert items_of(trigger) == [1, 2, 3]
    assert set(ledger(trigger).values()) == {"ran"}


def end_runs(trigger):
    """As workers do it: the run is over, and its limit has room again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update automation_run set status = 50, finished_at = now(), finishes = 1, limit_key = null"
            " where trigger_id = %s and status = 10",
            [trigger.id],
        )


def test_what_waits_is_taken_when_it_was_given_back_meanwhile(broker):
    trigger = make_listener(broker, definition=LIMITED)
    with listening(trigger):
        wait_until_joined(trigger)
        broker.send(b"1", b"2")
        wait_until(lambda: Source.objects.filter(trigger=trigger).exclude(waits_for="").exists())

    end_runs(trigger)

    with listening(trigger):
        wait_for_runs(trigger, 2)
    assert items_of(trigger) == [1, 2]


def test_whoever_listens_later_fences_off_whoever_listened_before(broker):
    trigger = make_listener(broker)
    with listening(trigger) as first:
        wait_until_joined(trigger)
        Source.objects.filter(trigger=trigger).update(fence=1000)
        broker.send(b"1")
        first.join(60)
        assert not first.is_alive()
    assert items_of(trigger) == []

    with listening(trigger):
        wait_for_runs(trigger, 1)
    assert items_of(trigger) == [1]


def test_a_broker_that_is_away_is_noted_and_found_again(broker, monkeypatch):
    trigger = make_listener(broker)
    with listening(trigger):
        wait_until_joined(trigger)
    broker.stop()
    try:
        with monkeypatch.context() as impatient:
            impatient.setattr(kafka_topic, "SILENT_SECONDS", 1.0)
            with pytest.raises(SourceError), listening(trigger) as thread:
                thread.join(60)
        noted = Source.objects.get(trigger=trigger)
        assert (noted.failures, bool(noted.last_error)) == (1, True)
    finally:
        broker.start()
        broker.make_source()

    with listening(trigger):
        wait_until(lambda: Source.objects.get(trigger=trigger).failures == 0)
        broker.send(b"1")
        wait_for_runs(trigger, 1)
    assert items_of(trigger) == [1]


def test_a_broker_that_goes_away_while_it_is_listened_to_is_noticed(broker):
    trigger = make_listener(broker)
    with suppress(SourceError), listening(trigger) as thread:
        wait_until_joined(trigger)
        broker.stop()
        thread.join(90)
        assert not thread.is_alive()
    broker.start()

    assert Source.objects.get(trigger=trigger).failures == 1


def test_a_broker_that_workflows_may_not_call_is_not_called(broker, settings):
    trigger = make_listener(broker)
    settings.BRAINOPS_EGRESS_ALLOW = ""

    with pytest.raises(SourceError) as refused, listening(trigger) as thread:
        thread.join(60)

    assert refused.value.code == "blocked_target"
    assert "BRAINOPS_EGRESS_ALLOW=127.0.0.1:" in refused.value.message


def test_only_what_is_switched_on_is_listened_to(broker):
    trigger = make_listener(broker)
    key = f"{broker.kind}:{trigger.id}"
    assert [listener.key for listener in streams.streams()] == [key]
    before = next(iter(streams.streams())).fingerprint

    Trigger.objects.filter(id=trigger.id).update(config={**trigger.config, "body": "text"})
    assert next(iter(streams.streams())).fingerprint != before

    Workflow.objects.filter(id=trigger.workflow_id).update(is_active=False)
    assert list(streams.streams()) == []
    Workflow.objects.filter(id=trigger.workflow_id).update(is_active=True)
    Trigger.objects.filter(id=trigger.id).update(is_active=False)
    assert list(streams.streams()) == []


def test_a_workflow_that_is_switched_off_takes_no_message_and_loses_none(broker):
    trigger = make_listener(broker)
    with listening(trigger) as thread:
        wait_until_joined(trigger)
        Workflow.objects.filter(id=trigger.workflow_id).update(is_active=False)
        broker.send(b"1")
        thread.join(60)
        assert not thread.is_alive()
    assert Run.objects.count() == 0

    Workflow.objects.filter(id=trigger.workflow_id).update(is_active=True)

    with listening(trigger):
        wait_for_runs(trigger, 1)
    assert items_of(trigger) == [1]
