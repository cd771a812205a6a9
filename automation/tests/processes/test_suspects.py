"""A run whose process died twice under it goes on alone, in a child process of its own."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from automation.engine.status import RunStatus
from automation.models import Run
from tests.live import wait_until

pytestmark = pytest.mark.processes


@pytest.fixture
def crash_twice(make_workflow, accept, receiver, workers):
    """Accept a run and kill the two processes that take it; returns its id. A third worker stands ready."""
    receiver.delay_seconds = 3
    version = make_workflow(
        {
            "id": "send",
            "uses": "http.request",
            "with": {"method": "POST", "url": receiver.url, "json": {"id": "{{ inputs.id }}"}},
        }
    )
    run = accept(version, inputs={"id": 1})
    for crash in (1, 2):
        (victim,) = workers.start(1)
        wait_until(lambda crash=crash: sum(receiver.keys["1"].values()) == crash)
        victim.kill()
        victim.wait()
    workers.start(1)
    return run.id


def isolated_child() -> int | None:
    """The pid of the isolated child process, found by its command line."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"automation.runtime.isolated" in command:
                return int(entry.name)
    return None


def test_a_suspect_finishes_in_a_child_process(crash_twice, receiver):
    wait_until(isolated_child)

    wait_until(lambda: Run.objects.get(id=crash_twice).is_final)

    run = Run.objects.get(id=crash_twice)
    assert (RunStatus(run.status), run.crashes, run.finishes) == (RunStatus.SUCCEEDED, 2, 1)
    assert len(receiver.keys["1"]) == 1  # three attempts, one idempotency key


def test_a_suspect_that_kills_its_child_fails_as_worker_lost(crash_twice, receiver):
    wait_until(lambda: sum(receiver.keys["1"].values()) == 3)
    child = isolated_child()
    assert child is not None

    os.kill(child, signal.SIGKILL)

    wait_until(lambda: Run.objects.get(id=crash_twice).is_final)
    run = Run.objects.select_related("data").get(id=crash_twice)
    assert (RunStatus(run.status), run.data.error["type"]) == (RunStatus.FAILED, "worker_lost")
