"""The postman lends as many hands as messages are due, and sleeps without any."""

from __future__ import annotations

import threading
import time
from collections import deque
from uuid import UUID, uuid4

import pytest
from django.db import connections

from automation.runtime.postman import Postman, Postmen
from automation.services import outboxes
from automation.services.outboxes import Outbox

pytestmark = pytest.mark.django_db
LONG = 30.0  # seconds; nobody waits so long when all is well


class Box:
    """An outbox in memory. A message in `slow` is not sent before `let_go` is set."""

    def __init__(self, *, beside: int = 3) -> None:
        self.waiting: deque[UUID] = deque()
        self.slow: set[UUID] = set()
        self.let_go = threading.Event()
        self.sent: list[UUID] = []
        self.most, self._under_way = 0, 0
        self._changed = threading.Condition()
        self.outbox = Outbox(self._claim, self._send, lambda: bool(self.waiting), beside)

    def put(self, *, is_slow: bool = False) -> UUID:
        message = uuid4()
        if is_slow:
            self.slow.add(message)
        self.waiting.append(message)
        return message

    def wait_for(self, *messages: UUID) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: set(messages) <= set(self.sent), LONG)

    def wait_under_way(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._under_way == count, LONG)

    def _claim(self) -> UUID | None:
        with self._changed:
            return self.waiting.popleft() if self.waiting else None

    def _send(self, message: UUID) -> None:
        with self._changed:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            self._changed.notify_all()
        if message in self.slow:
            self.let_go.wait(LONG)
        with self._changed:
            self._under_way -= 1
            self.sent.append(message)
            self._changed.notify_all()


@pytest.fixture
def box():
    box = Box()
    yield box
    box.let_go.set()


@pytest.fixture
def postman(box):
    postman = Postman("tests", box.outbox)
    postman.start()
    yield postman
    box.let_go.set()
    postman.stop()
    connections.close_all()


def test_a_receiver_that_takes_its_time_holds_up_nobody_else(box, postman):
    slow = box.put(is_slow=True)
    postman.call()
    assert box.wait_under_way(1)

    quick = box.put()
    postman.call()

    assert box.wait_for(quick)
    assert slow not in box.sent


def test_no_more_hands_are_lent_than_the_outbox_says(box, postman):
    messages = [box.put(is_slow=True) for _ in range(5)]
    postman.call()
    assert box.wait_under_way(3)

    box.let_go.set()

    assert box.wait_for(*messages)
    assert box.most == 3


def test_an_outbox_that_breaks_does_not_end_the_postman(monkeypatch):
    monkeypatch.setattr("automation.runtime.postman.PAUSE_SECONDS", 0.0)
    box, trouble = Box(), deque([RuntimeError("the database is away")])

    def claim() -> UUID | None:
        if trouble:
            raise trouble.popleft()
        return box.outbox.claim()

    postman = Postman("tests", Outbox(claim, box.outbox.send, box.outbox.has_due, 1))
    postman.start()
    message = box.put()

    deadline = time.monotonic() + LONG
    while message not in box.sent and time.monotonic() < deadline:
        postman.call()
        time.sleep(0.01)

    assert (box.sent, postman.is_alive()) == ([message], True)
    postman.stop()


def test_each_outbox_has_a_postman_of_its_own_who_is_called_when_something_is_due(monkeypatch):
    full, empty = Box(), Box()
    message = full.put()
    registry = type(outboxes.known)("outbox")
    registry.register("full", full.outbox)
    registry.register("empty", empty.outbox)
    monkeypatch.setattr(outboxes, "known", registry)
    postmen = Postmen()
    postmen.start()

    outboxes.call_postmen()

    assert full.wait_for(message)
    postmen.stop()
    full.put()
    outboxes.call_postmen()
    assert (full.sent, empty.sent) == ([message], [])
