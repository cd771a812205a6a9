"""The consumer: listeners come, change, break and go, and two processes double nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from django.db import connection

from automation.models import Tick
from automation.runtime.consumer import Consumer
from automation.services import listeners
from automation.services.listeners import Listener
from brainops.stack.place import CHECKOUT
from tests.live import environment, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Ear:
    """Notes who listens. `broken` makes the next listeners end with an error."""

    def __init__(self) -> None:
        self.wanted: dict[str, Listener] = {}
        self.under_way: list[str] = []
        self.starts: list[str] = []
        self.broken: set[str] = set()

    def want(self, key: str, fingerprint: str = "1", *, is_alone: bool = True) -> None:
        def listen(stop: threading.Event) -> None:
            self.starts.append(f"{key} {fingerprint}")
            if key in self.broken:
                raise ConnectionError("the broker is away")
            self.under_way.append(f"{key} {fingerprint}")
            stop.wait()
            self.under_way.remove(f"{key} {fingerprint}")

        self.wanted[key] = Listener(key, fingerprint, listen, is_alone)

    def consumer(self) -> Consumer:
        return Consumer(wanted=lambda: self.wanted)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def two(ear: Ear) -> Iterator[tuple[Consumer, Consumer]]:
    pair = ear.consumer(), ear.consumer()
    yield pair
    for consumer in pair:
        finish(consumer)


def finish(consumer: Consumer) -> None:
    consumer.stop()
    consumer.run(drain_seconds=10)


def until(consumer: Consumer, condition: object) -> None:
    """Look again and again, as `run` does, until it is so."""

    def is_so() -> bool:
        consumer.look()
        return condition()

    wait_until(is_so)


def test_listeners_start_change_and_stop_as_they_are_wanted(ear, two):
    consumer, _ = two
    ear.want("a:1")
    ear.want("b:1")
    until(consumer, lambda: sorted(ear.under_way) == ["a:1 1", "b:1 1"])

    ear.want("a:1", fingerprint="2")
    del ear.wanted["b:1"]

    until(consumer, lambda: ear.under_way == ["a:1 2"])
    assert consumer.keys == ["a:1"]


def test_a_listener_that_breaks_is_started_again_and_the_others_go_on(ear, two):
    consumer, _ = two
    ear.want("good")
    ear.want("bad")
    ear.broken.add("bad")
    until(consumer, lambda: ear.starts.count("bad 1") >= 2)

    assert ear.starts.count("good 1") == 1

    ear.broken.clear()
    until(consumer, lambda: sorted(ear.under_way) == ["bad 1", "good 1"])


def test_what_must_be_alone_is_in_one_process_and_goes_over_to_the_other(ear, two):
    first, second = two
    ear.want("alone")
    ear.want("shared", is_alone=False)

    first.look()
    second.look()
    wait_until(lambda: sorted(ear.under_way) == ["alone 1", "shared 1", "shared 1"])
    assert (first.keys, second.keys) == (["alone", "shared"], ["shared"])

    finish(first)
    until(second, lambda: sorted(ear.under_way) == ["alone 1", "shared 1"])
    assert second.keys == ["alone", "shared"]


def test_who_loses_its_leases_stops_what_must_be_alone(ear, two):
    first, second = two
    ear.want("alone")
    until(first, lambda: ear.under_way == ["alone 1"])

    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'brainops-leases' and datname = current_database()"
        )
    until(second, lambda: second.keys == ["alone"])
    with pytest.raises(Exception, match=r"terminat|closed"):
        first.look()

    wait_until(lambda: ear.under_way == ["alone 1"] and ear.starts == ["alone 1"] * 2)
    first.look()
    assert (first.keys, second.keys) == ([], ["alone"])


def test_health_knows_whether_anybody_listens_where_there_is_something_to_listen_to(ear, two, monkeypatch):
    assert listeners.component().is_up
    monkeypatch.setattr(listeners, "wanted", lambda: ear.wanted)
    ear.want("a:1")
    assert (listeners.component().is_up, listeners.component().note) == (False, "no consumer process is running")

    two[0].look()

    assert (listeners.component().is_up, listeners.component().note) == (True, "1 to listen to")


def test_the_process_idles_without_anything_to_listen_to_and_ends_when_told():
    line = [sys.executable, "manage.py", "consume"]
    process = subprocess.Popen(line, cwd=CHECKOUT, env=environment(""), stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: Tick.objects.filter(name="consumer").exists())

        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
