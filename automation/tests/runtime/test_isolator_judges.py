"""What the end of an isolated child means for its run."""

from __future__ import annotations

import signal

import pytest

from automation.engine.status import RunStatus
from automation.models import Run
from automation.runtime.isolator import FENCE_LOST, Isolator, Why
from automation.runtime.writer import Writer

KILLED = -signal.SIGKILL


@pytest.fixture
def judge(claim):
    """Let an isolator judge the end of a held run's child; returns the run's status word afterwards."""

    def run(code, why):
        _, (held,) = claim()
        writer = Writer()
        writer.start()
        Isolator(writer, fence_seconds=1)._judge(held, code, why)
        writer.stop(5)
        return RunStatus(Run.objects.get(id=held.id).status).word

    return run


@pytest.mark.parametrize(
    ("code", "why", "word"),
    [
        (KILLED, None, "failed"),  # it took its own process down
        (1, None, "failed"),
        (KILLED, Why.CANCELLED, "cancelled"),
        (KILLED, Why.STOPPING, "running"),  # this worker says goodbye, recovery hands the run on
        (KILLED, Why.LOST, "running"),  # it is somebody else's
        (FENCE_LOST, None, "running"),
    ],
)
def test_a_child_that_was_killed_on_purpose_does_not_fail_its_run(judge, code, why, word):
    assert judge(code, why) == word
