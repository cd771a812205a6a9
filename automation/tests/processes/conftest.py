"""Real Celery worker processes on the test database, and a receiver for their effects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import Receiver, Workers


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def workers(transactional_db: None, receiver: Receiver) -> Iterator[Workers]:
    workers = Workers(receiver.address)
    yield workers
    workers.stop()
