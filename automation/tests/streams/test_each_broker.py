"""What is special to one kind of broker."""

import socket
import subprocess
import sys
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from automation.models import Arrival, Secret, Source
from automation.tests.arrivals.rows import ledger, runs_of
from automation.tests.streams.brokers import PASSWORD, MqttBroker
from automation.tests.streams.rows import (
    items_of,
    listening,
    make_listener,
    seen_by_runs,
    wait_for_arrivals,
    wait_for_runs,
    wait_until_joined,
)
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import SourceError
from brainops.core.egress.tests.certificates import Authority
from brainops.stack.ports import LOOPBACK
from integrations.runner.brokers import kafka_topic, redis_stream

pytestmark = pytest.mark.django_db(transaction=True)


def refusal_of(trigger):
    """Why listening fails."""
    with pytest.raises(SourceError) as refused, listening(trigger) as thread:
        thread.join(60)
    return refused.value


def test_redis_entries_become_objects_of_their_fields(broker_of):
    broker = broker_of("redis_stream")
    trigger = make_listener(broker)
    trigger.config.pop("field")
    trigger.save()

    with listening(trigger):
        broker.client().xadd(broker.source, {"id": "7", "raw": b"\xff"})
        wait_for_runs(trigger, 1)

    assert items_of(trigger) == [{"id": "7", "raw": {"base64": "/w=="}}]


def test_redis_entries_without_the_field_are_refused(broker_of):
    broker = broker_of("redis_stream")
    trigger = make_listener(broker)

    with listening(trigger):
        broker.client().xadd(broker.source, {"other": "7"})
        wait_for_arrivals(trigger, 1)

    assert Arrival.objects.get(trigger=trigger).reason == 'It has no field "body"; it has other.'


def test_redis_entries_that_another_member_of_the_group_left_are_claimed(broker_of, monkeypatch):
    monkeypatch.setattr(redis_stream, "ABANDONED_MS", 0)
    broker = broker_of("redis_stream")
    trigger = make_listener(broker, group="shared")
    with listening(trigger):
        wait_until_joined(trigger)
    broker.send(b"1")
    broker.client().xreadgroup("shared", "somebody", {broker.source: ">"})

    with listening(trigger):
        wait_for_runs(trigger, 1)

    assert items_of(trigger) == [1]


def test_redis_starts_with_new_entries_unless_told_otherwise(broker_of):
    broker = broker_of("redis_stream")
    broker.send(b"1")
    trigger = make_listener(broker, start="new")

    with listening(trigger):
        wait_until_joined(trigger)
        broker.send(b"2")
        wait_for_runs(trigger, 1)

    assert items_of(trigger) == [2]


def test_redis_says_that_the_password_is_wrong_and_not_which_it_was(broker_of):
    trigger = make_listener(broker_of("redis_stream"))
    secret = Secret.objects.get(name="broker")
    secret.value = "another-password"
    secret.save()

    refusal = refusal_of(trigger)

    assert "invalid username-password" in refusal.message
    assert "another-password" not in refusal.message


def test_a_password_goes_only_where_its_secret_may_go(broker):
    trigger = make_listener(broker, username="us", password_secret="bound", **mechanism_of(broker))
    Secret.objects.create(workspace_id=trigger.workspace_id, name="bound", value=PASSWORD, hosts=["other.example"])

    assert refusal_of(trigger).code == "host_not_allowed"


def mechanism_of(broker):
    return {"mechanism": "PLAIN"} if broker.kind == "kafka" else {}


def test_a_message_can_be_kept_as_a_file(broker_of):
    broker = broker_of("redis_stream")
    trigger = make_listener(broker, body="file")

    with listening(trigger):
        broker.send(b"\x00\x01\x02")
        wait_for_runs(trigger, 1)

    (item,) = items_of(trigger)
    assert (item["size"], item["file"]["size"], "$file" in item["file"]) == (3, 3, True)


def test_amqp_messages_of_one_id_are_one_run_and_others_are_as_many_as_they_are(broker_of):
    broker = broker_of("amqp")
    trigger = make_listener(broker)

    with listening(trigger):
        wait_until_joined(trigger)
        broker.send(*[b"1"] * 20, message_id="order-1")
        broker.send(*[b"2"] * 20)
        broker.send(b"3", message_id="order-2", content_type="application/json", application_headers={"a": 1})
        wait_for_runs(trigger, 22)

    assert sorted(items_of(trigger)) == [1, *[2] * 20, 3]
    message = seen_by_runs(trigger)[-1]["message"]
    assert message == {
        "queue": broker.source,
        "exchange": "",
        "routing_key": broker.source,
        "redelivered": False,
        "headers": {"a": 1},
        "message_id": "order-2",
        "content_type": "application/json",
    }


def test_amqp_makes_and_binds_a_queue_when_asked_to(broker_of):
    broker = broker_of("amqp")
    trigger = make_listener(broker, queue=f"{broker.source}-own", declare=True, exchange="amq.topic", routing_key="a.#")

    with listening(trigger), broker.connection() as connection:
        wait_until_joined(trigger)
        channel = connection.channel()
        channel.basic_publish(amqp_message(b"1"), exchange="amq.topic", routing_key="a.b")
        wait_for_runs(trigger, 1)

    assert seen_by_runs(trigger)[0]["message"]["routing_key"] == "a.b"


def amqp_message(body):
    import amqp

    return amqp.Message(body)


def test_amqp_says_that_there_is_no_such_queue(broker_of):
    trigger = make_listener(broker_of("amqp"), queue="nowhere")

    assert "NOT_FOUND" in refusal_of(trigger).message
    assert "nowhere" in Source.objects.get(trigger=trigger).last_error


def test_amqp_notices_that_its_queue_was_deleted(broker_of):
    broker = broker_of("amqp")
    trigger = make_listener(broker)

    with suppress(SourceError), listening(trigger) as thread:
        wait_until_joined(trigger)
        with broker.connection() as connection:
            connection.channel().queue_delete(broker.source)
        thread.join(60)

    assert "was deleted while it was read" in Source.objects.get(trigger=trigger).last_error


def test_mqtt_leaves_retained_messages_aside_or_takes_each_content_once(broker_of):
    broker = broker_of("mqtt")
    broker.send(b'"old"', retain=True)
    aside = make_listener(broker)
    taking = make_listener(broker, retained="take")

    for _ in range(2):
        for trigger in (aside, taking):
            with listening(trigger):
                wait_until_joined(trigger)
                Source.objects.filter(trigger=trigger).update(last_polled_at=None)
                if trigger is taking:
                    wait_for_runs(trigger, 1)
    broker.send(b'"new"')
    for trigger in (aside, taking):
        with listening(trigger):
            wait_for_runs(trigger, 1 if trigger is aside else 2)

    assert items_of(aside) == ["new"]
    assert sorted(items_of(taking)) == ["new", "old"]


def test_mqtt_says_that_the_login_was_refused(broker_of):
    refusal = refusal_of(make_listener(broker_of("mqtt"), username="stranger"))

    assert refusal.code == "access_refused"


def test_mqtt_over_tls_checks_the_certificate(broker_of, tmp_path, monkeypatch, settings):
    broker_of("mqtt")  # skips where there is none
    authority, trusted = Authority(), tmp_path / "authority.pem"
    trusted.write_bytes(authority._certificate.public_bytes(Encoding.PEM))
    authority.server_context(tmp_path, name="localhost")
    broker, certificate = MqttBroker(tmp_path), tmp_path / "localhost-30.pem"
    broker.more = f"certfile {certificate}\nkeyfile {certificate}\n"
    broker.ask = lambda: socket.create_connection((LOOPBACK, broker.port), timeout=5).close()
    broker.start()
    try:
        trigger = make_listener(broker, host="localhost", tls=True, topics=["a"])
        settings.BRAINOPS_EGRESS_ALLOW = "localhost:*"
        assert "certificate verify failed" in refusal_of(trigger).message

        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        with listening(trigger):
            wait_until_joined(trigger)
    finally:
        broker.stop()


def test_kafka_reads_every_partition_and_begins_where_it_is_told(broker_of):
    broker = broker_of("kafka")
    broker.send(b"1")
    everything = make_listener(broker)
    later = make_listener(broker, start="new")

    for trigger in (everything, later):
        with listening(trigger):
            wait_until_joined(trigger)
    broker.send(b"2", partition=1)

    for trigger, count in ((everything, 2), (later, 1)):
        with listening(trigger):
            wait_for_runs(trigger, count)
    assert (sorted(items_of(everything)), items_of(later)) == ([1, 2], [2])
    assert [(one["message"]["partition"], one["message"]["headers"]) for one in seen_by_runs(later)] == [
        (1, {"trace": "1"})
    ]
    cursor = Source.objects.get(trigger=everything).cursor["position"]
    assert cursor == {"topic": broker.source, "offsets": {"0": 1, "1": 1}}


def test_kafka_takes_the_records_of_a_topic_that_was_made_anew(broker_of):
    broker = broker_of("kafka")
    trigger = make_listener(broker)
    broker.send(b"1", b"2")
    with listening(trigger):
        wait_for_runs(trigger, 2)
    broker.stop()  # it keeps its records in memory
    broker.start()
    broker.make_source()
    broker.send(b"3")

    with listening(trigger):
        wait_for_runs(trigger, 3)

    assert items_of(trigger) == [1, 2, 3]


def test_kafka_says_that_there_is_no_such_topic(broker_of):
    trigger = make_listener(broker_of("kafka"), topic="nowhere")

    assert refusal_of(trigger).code == "no_topic"


def test_kafka_does_not_call_a_broker_that_the_cluster_names_unless_it_may(broker_of, settings):
    broker = broker_of("kafka")
    trigger = make_listener(broker)
    place = kafka_topic.Place("127.0.0.1", broker.port)
    settings.BRAINOPS_EGRESS_ALLOW = f"127.0.0.1:{broker.port}"
    kafka_topic._calls["test"] = calls = kafka_topic._Calls(place)

    with pytest.raises(kafka_topic.BrokerError, match="is not open for workflows"):
        kafka_topic.CheckedSocket("checked://local/test").dns_lookup("127.0.0.1", 1)

    assert calls.refusal.code == "blocked_target"
    del kafka_topic._calls["test"]
    assert trigger.kind == "kafka"


@pytest.mark.parametrize("topic", ["a/#", "+/b", "#", "a"])
def test_topic_filters_are_taken(topic):
    assert problems_of("mqtt", topics=[topic]) == []


@pytest.mark.parametrize("topic", ["a/#/b", "a+", "a/b#"])
def test_topic_filters_that_no_broker_takes_are_refused(topic):
    assert problems_of("mqtt", topics=[topic]) == [("invalid_topic", "/topics/0")]


def problems_of(kind, **config):
    given = {"host": "broker.example", **config}
    return [(problem.code, problem.pointer) for problem in all_trigger_kinds()[kind].check(given)]


def test_what_could_never_be_called_is_refused_when_it_is_saved():
    assert problems_of("amqp", queue="a", port=25) == [("blocked_target", "/host")]
    assert problems_of("amqp", queue="a", exchange="x") == [("not_declared", "/exchange")]
    assert problems_of("mqtt", topics=["a"], username="u") == [("required", "/password_secret")]
    assert problems_of("kafka", servers=["k.example:0"], topic="a") == [("invalid_address", "/servers/0")]
    assert problems_of("redis_stream", stream="a", host="169.254.169.254") == [("blocked_target", "/host")]


def test_web_and_workers_load_no_client_of_a_broker():
    line = "import automation.triggers as t, sys, django; django.setup(); t.all_trigger_kinds()"
    shown = f"{line}; print([name for name in ('kafka', 'paho', 'amqp.connection') if name in sys.modules])"

    said = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=False)

    assert said.stdout.strip() in ("[]", "['amqp.connection']"), said.stderr  # the latter by Celery


def test_the_ledger_knows_the_messages_by_keys_of_their_own(broker_of):
    broker = broker_of("redis_stream")
    trigger = make_listener(broker)
    with listening(trigger):
        broker.send(b"1", b"1")
        wait_for_runs(trigger, 2)

    assert sorted(ledger(trigger)) == sorted(run.data.input["trigger"]["key"] for run in runs_of(trigger))
    assert all(key.startswith(f"{broker.source}/") for key in ledger(trigger))
