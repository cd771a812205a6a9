"""The bell reaches the queue from any process and never gets in the way of a request."""

from __future__ import annotations

import time

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


def test_a_ring_without_redis_returns_at_once_and_is_counted(monkeypatch):
    def away():
        time.sleep(0.3)
        raise ConnectionError("redis is away")

    monkeypatch.setattr(bell, "new_producer", away)
    ringer = bell.Ringer()
    bell.FAILED.take()

    started = time.perf_counter()
    ringer.ring()
    took = time.perf_counter() - started
    time.sleep(0.5)

    assert took < 0.05
    assert sum(bell.FAILED.take().values()) == 1
