"""The nursery on the test database, one for the whole session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.db import connection

from tests.live import Receiver

ROOT = Path(__file__).resolve().parents[3]


class Life(NamedTuple):
    """What became of a child: its exit code, and how often it reached each point (empty when it died)."""

    code: int
    reached: dict[str, int]


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def nursery(django_db_setup: None, receiver: Receiver) -> Iterator[subprocess.Popen[str]]:
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    environment = {
        **os.environ,
        "DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}",
        "BRAINOPS_EGRESS_ALLOW": receiver.address,
        "BRAINOPS_LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-W", "ignore", "-m", "automation.tests.crash_points.nursery"]
    nursery = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    yield nursery
    nursery.stdin.close()
    nursery.wait(10)
    nursery.stdout.close()


@pytest.fixture
def raise_child(transactional_db: None, nursery: subprocess.Popen[str]) -> Callable[..., Life]:
    """Live one life of a process, and hear how it went.

    `point` is where it dies, None for one that dies of nothing; `act` is what it does to `run` instead of working.
    """

    def live(
        point: str | None = None, nth: int = 1, how: str = "exit", act: str | None = None, run: UUID | None = None
    ) -> Life:
        order = {"point": point, "nth": nth, "how": how, "act": act, "run": run and str(run)}
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        nursery.stdin.write(json.dumps(order) + "\n")
        nursery.stdin.flush()
        said: dict[str, Any] = json.loads(nursery.stdout.readline())
        return Life(said["code"], said["reached"])

    return live
