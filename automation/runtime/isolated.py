"""The child process of the isolator: executes exactly one run that its parent holds.

Usage: RUN_ID CLAIM PARENT_PID FENCE_SECONDS.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from uuid import UUID

import django

from automation.engine.status import RunStatus
from automation.runtime import refusals
from automation.runtime.host import Host, run_limits
from automation.runtime.isolator import FENCE_LOST
from automation.runtime.plans import Plans, Unplannable, variables_of
from automation.runtime.turn import Known, Turn
from automation.runtime.watch import Watch
from automation.runtime.writer import Writer
from automation.store.checkpoint import Entry, Move
from automation.store.claim import Claimed, held_run
from automation.store.connection import Connection
from automation.store.load import BrokenRuns, load_ended_calls, load_inputs, load_steps
from brainops.core import shared_metrics, tracing

PR_SET_PDEATHSIG = 1
UNPLANNABLE = 4


def main(run_id: int, claim: UUID, fence_seconds: float, is_stopping: threading.Event) -> int:
    """Execute the run; 0 when it was executed, 3 when the claim was lost before."""
    connection = Connection(application_name="brainops-isolated")
    run = held_run(connection, run_id=run_id, claim=claim)
    if run is None:
        return FENCE_LOST
    version = Plans(connection).get([run.version_id])[run.version_id]
    if isinstance(version, Unplannable):
        return UNPLANNABLE  # the claimer said so before the run became a suspect, unless the release changed since
    tracing.start()
    writer = Writer()
    writer.start()
    try:
        [run] = load_inputs(connection, [run])
        steps = load_steps(connection, [run.id]).get(run.id, {})
        ended = load_ended_calls(connection, [run.id]).get(run.id, set())
        variables = variables_of(connection, [(run, version)]).get(run.id, {})
    except BrokenRuns as error:
        writer.submit(_failed(run, refusals.broken_payload(error.broken[run.id])))
        writer.stop(30)
        return 0
    watch = Watch(run_id=run_id, claim=claim, fence_seconds=fence_seconds, exit_code=FENCE_LOST)
    watch.start()
    host = Host(writer=writer, may_affect=watch.may_affect, is_stopping=is_stopping.is_set, limits=run_limits())
    Turn(run, version, Known(steps, frozenset(ended), variables), host).execute()
    writer.stop(30)
    shared_metrics.try_flush()
    tracing.stop()
    return 0


def _failed(run: Claimed, refusal: dict[str, str]) -> Entry:
    return Entry(run.id, run.claim, move=Move(RunStatus.FAILED, error=refusal))


def die_with(parent: int) -> None:
    """Tie this process's life to its parent's; elsewhere than on Linux the watch ends it a little later."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above
        os._exit(FENCE_LOST)


if __name__ == "__main__":
    die_with(int(sys.argv[3]))
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())  # a warm stop: hand the run back at the next step
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    django.setup()
    sys.exit(main(int(sys.argv[1]), UUID(sys.argv[2]), float(sys.argv[4]), stopping))
