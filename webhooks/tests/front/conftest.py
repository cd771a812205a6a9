"""A worker of our own in this process, for what has to run."""

from __future__ import annotations

import time

import pytest

from automation.models import Run
from automation.runtime.process import Runtime
from automation.services import waiting

LONGEST_SECONDS = 60


@pytest.fixture
def worker(transactional_db, settings):
    """Runs what deliveries start."""
    settings.BRAINOPS_HEARTBEAT_SECONDS = 0.1
    settings.BRAINOPS_TICK_SECONDS = 0.1
    runtime = Runtime()
    runtime.start()
    yield runtime
    runtime.stop(10)
    waiting.room().close()


@pytest.fixture
def all_ended():
    """Waits until every run has ended."""

    def wait():
        deadline = time.monotonic() + LONGEST_SECONDS
        while Run.objects.filter(status__lt=50).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        return list(Run.objects.order_by("id").values_list("status", flat=True))

    return wait
