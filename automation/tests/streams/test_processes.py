"""Real consumer processes: two of them, one killed in the middle, and triggers that change under their eyes."""

import signal
import subprocess
import sys

import pytest

from automation.models import Arrival, Run
from automation.runtime.consumer import Consumer
from automation.services import triggers
from automation.tests.streams.brokers import BROKERS, missing
from automation.tests.streams.rows import items_of, make_listener, wait_for_runs, wait_until_joined
from brainops.accounts.caller import system_caller
from brainops.stack.place import CHECKOUT
from tests.live import environment, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

MESSAGES = 60  # of each kind, twice


@pytest.fixture
def consumers():
    """Two processes as the Procfile starts them."""
    line = [sys.executable, "manage.py", "consume"]
    started = [
        subprocess.Popen(line, cwd=CHECKOUT, env=environment("127.0.0.1:*"), stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    yield started
    for process in started:
        process.kill()
        process.wait()


def test_a_killed_consumer_loses_nothing_and_doubles_nothing(broker_of, consumers):
    brokers = [broker_of(kind) for kind in sorted(BROKERS) if not missing(kind)]
    listeners = [(broker, make_listener(broker)) for broker in brokers]
    for _, trigger in listeners:
        wait_until_joined(trigger)
    first, second = range(MESSAGES), range(MESSAGES, 2 * MESSAGES)

    for broker, _ in listeners:
        broker.send(*(b"%d" % number for number in first))
    wait_until(lambda: Arrival.objects.count() >= MESSAGES // 4)  # in the middle of it
    consumers[0].send_signal(signal.SIGKILL)
    for broker, _ in listeners:
        broker.send(*(b"%d" % number for number in second))

    for _, trigger in listeners:
        wait_for_runs(trigger, 2 * MESSAGES)
    consumers[1].send_signal(signal.SIGTERM)
    assert consumers[1].wait(60) == 0
    assert {trigger.kind: sorted(items_of(trigger)) for _, trigger in listeners} == {
        trigger.kind: list(range(2 * MESSAGES)) for _, trigger in listeners
    }
    assert Run.objects.count() == 2 * MESSAGES * len(listeners)


def test_a_changed_trigger_is_listened_to_as_it_is_now_and_a_deleted_one_no_more(broker_of):
    broker = broker_of("redis_stream")
    trigger = make_listener(broker)
    caller = system_caller(trigger.workspace_id, "tests")
    consumer = Consumer()
    key = f"redis_stream:{trigger.id}"

    def until(condition):
        def is_so():
            consumer.look()
            return condition()

        wait_until(is_so)

    try:
        broker.send(b"1")
        until(lambda: Run.objects.count() == 1)

        broker.new_source()
        triggers.change(caller, trigger.id, {"config": {"stream": broker.source}})
        broker.send(b"2")
        until(lambda: Run.objects.count() == 2)
        assert items_of(trigger) == [1, 2]

        triggers.delete(caller, trigger.id)
        until(lambda: key not in consumer.keys)
    finally:
        consumer.stop()
        consumer.run(drain_seconds=20)
