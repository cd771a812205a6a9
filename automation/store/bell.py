"""The bell: tells workers that something may be ready. It carries no run id and may get lost.

A request only sets a flag. One daemon thread per process publishes at most one bell per interval, so that
no request ever waits for Redis, and a thousand new runs ring once. What a lost bell costs: the next heartbeat
or tick finds the rows.
"""

from __future__ import annotations

import os
import threading
import time
from functools import lru_cache
from typing import Any

from celery import Celery
from django.conf import settings
from django.db import transaction

from brainops.core.metrics import Counter

INTERVAL_SECONDS = 0.004  # new runs within it share a bell
PAUSE_AFTER_ERROR_SECONDS = 1.0
FAILED = Counter("brainops_bells_failed_total", "Bells that could not be rung: Redis was away.")
ENOUGH_BELLS = 2  # unheard bells already in the queue: whoever hears them will claim this run too
ENOUGH_FOR_EVENTS = 6  # the others may be no bells for events


class Ringer:
    """The publishing thread of one process. Started lazily, so that it is made after a fork."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._for_events = threading.Event()
        self._pid = os.getpid()
        threading.Thread(target=self._run, name="ringer", daemon=True).start()

    @property
    def is_mine(self) -> bool:
        """False in a process forked after this ringer was made: threads do not survive a fork."""
        return self._pid == os.getpid()

    def ring(self, *, for_events: bool = False) -> None:
        """Ask for a bell; returns at once."""
        if for_events:
            self._for_events.set()
        self._wanted.set()

    def _run(self) -> None:
        producer: Any = None
        while True:
            self._wanted.wait()
            self._wanted.clear()
            for_events = self._for_events.is_set()
            self._for_events.clear()
            try:
                producer = producer or new_producer()
                if pending_bells(producer) < (ENOUGH_FOR_EVENTS if for_events else ENOUGH_BELLS):
                    publish(producer, for_events=for_events)
            except Exception:  # noqa: BLE001 - whatever Redis does, a bell may be dropped: the rows are there
                producer = None
                FAILED.add()
                time.sleep(PAUSE_AFTER_ERROR_SECONDS)
                continue
            time.sleep(INTERVAL_SECONDS)


@lru_cache(maxsize=1)
def _app() -> Celery:
    """A Celery app that only sends. The product's own lives in the root room, which nothing may import."""
    app = Celery("bell", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    return app


def new_producer() -> Any:
    """A producer on a connection of its own. Raises what kombu and redis-py raise when Redis is away."""
    app = _app()
    return app.amqp.Producer(app.connection_for_write().channel())


def pending_bells(producer: Any) -> int:
    """Bells in the queue that no worker has heard yet. Bounds the queue while no worker is there."""
    return int(producer.channel.client.llen(settings.CELERY_TASK_DEFAULT_QUEUE))


def publish(producer: Any, *, for_events: bool = False) -> None:
    """Send one wake message; one `for_events` says that listeners are to be told of some, too."""
    name = "automation.tasks.dispatch" if for_events else "automation.tasks.wake"
    _app().send_task(name, queue=settings.CELERY_TASK_DEFAULT_QUEUE, producer=producer, ignore_result=True)


_ringer: Ringer | None = None
_lock = threading.Lock()


def ring(*, for_events: bool = False) -> None:
    """Ring now. Never blocks and never raises because of Redis."""
    global _ringer  # noqa: PLW0603 - one per process, made at its first ring, after any fork
    if _ringer is None or not _ringer.is_mine:
        with _lock:
            if _ringer is None or not _ringer.is_mine:
                _ringer = Ringer()
    _ringer.ring(for_events=for_events)


def ring_on_commit() -> None:
    """Ring when the current transaction commits; at once outside of one."""
    transaction.on_commit(ring)


def ring_for_events() -> None:
    """Ring for the dispatcher of events: call it after the commit of one that somebody listens to."""
    ring(for_events=True)
