"""The child process of the isolator: executes exactly one run that its parent holds. Usage: RUN_ID CLAIM."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from uuid import UUID

import django

from automation.runtime.isolator import FENCE_LOST
from automation.runtime.plans import Plans, Unplannable
from automation.runtime.turn import Host, Turn
from automation.runtime.writer import Writer
from automation.store.claim import held_run
from automation.store.connection import Connection
from automation.store.load import load_steps

PR_SET_PDEATHSIG = 1
UNPLANNABLE = 4


def main(run_id: int, claim: UUID) -> int:
    """Execute the run; 0 when it was executed, 3 when the claim was lost before."""
    connection = Connection(application_name="brainops-isolated")
    run = held_run(connection, run_id=run_id, claim=claim)
    if run is None:
        return FENCE_LOST
    version = Plans(connection).get([run.version_id])[run.version_id]
    if isinstance(version, Unplannable):
        return UNPLANNABLE  # the claimer said so before the run became a suspect, unless the release changed since
    steps = load_steps(connection, [run.id]).get(run.id, {})
    writer = Writer()
    writer.start()
    # the parent breathes for this process and kills it when it may not act any more
    Turn(run, version, steps, Host(writer=writer)).execute()
    writer.stop(30)
    return 0


if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    django.setup()
    sys.exit(main(int(sys.argv[1]), UUID(sys.argv[2])))
