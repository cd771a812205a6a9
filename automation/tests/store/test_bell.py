"""The bell reaches the queue from any process and never gets in the way of a request."""

from __future__ import annotations

import threading
import time
from json import loads

from django.conf import settings

from automation.store import bell


def waiting_bells() -> int:
    return bell.pending_bells(bell.new_producer())


def test_many_rings_leave_few_bells():
    bell.new_producer().channel.client.delete(settings.CELERY_TASK_DEFAULT_QUEUE)

    for _ in range(200):
        bell.ring()
        time.sleep(0.0005)
    time.sleep(0.05)

    assert 1 <= waiting_bells() <= bell.ENOUGH_BELLS


def test_a_ring_without_redis_does_not_wait_for_it_and_is_counted(monkeypatch):
    rung, over = threading.Event(), threading.Event()

    def away():
        rung.wait(timeout=60)  # Redis says nothing until the ring has returned
        over.set()
        raise ConnectionError("redis is away")

    monkeypatch.setattr(bell, "new_producer", away)
    ringer = bell.Ringer()
    bell.FAILED.take()

    ringer.ring()
    was_over = over.is_set()
    rung.set()
    counted, deadline = 0.0, time.monotonic() + 30
    while not counted and time.monotonic() < deadline:
        counted = sum(bell.FAILED.take().values())
        time.sleep(0.01)

    assert (was_over, counted) == (False, 1)


def test_a_bell_for_events_rings_beside_those_for_runs_and_few_of_them_wait():
    client = bell.new_producer().channel.client
    client.delete(settings.CELERY_TASK_DEFAULT_QUEUE)
    for _ in range(bell.ENOUGH_BELLS):
        bell.publish(bell.new_producer())

    for _ in range(200):
        bell.ring_for_events()
        time.sleep(0.0005)
    deadline = time.monotonic() + 30
    while waiting_bells() <= bell.ENOUGH_BELLS and time.monotonic() < deadline:
        time.sleep(0.01)

    names = {loads(message)["headers"]["task"] for message in client.lrange(settings.CELERY_TASK_DEFAULT_QUEUE, 0, -1)}
    assert names == {"automation.tasks.wake", "automation.tasks.dispatch"}
    assert waiting_bells() <= bell.ENOUGH_FOR_EVENTS
