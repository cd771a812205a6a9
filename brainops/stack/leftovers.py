"""End what a killed supervisor left running.

On Linux its children get a signal the moment it dies and are on their way out; elsewhere
they live on. Only a process that still is the one we started is touched: same pid, same
start, same boot. PostgreSQL looks after itself (Postgres.stop_leftover).
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable

from brainops.stack.place import Place
from brainops.stack.processes import identity
from brainops.stack.product import DEFAULT_STOP_SECONDS, STOP_ORDER, STOP_SECONDS
from brainops.stack.state import ProcessState, load_state


def end_leftovers(place: Place, say: Callable[[str], None]) -> list[str]:
    """End them in the usual order; the names of those that had to be waited for."""
    state = load_state(place.state)
    if state is None:
        return []
    ordered = [
        (process, STOP_SECONDS.get(kind, DEFAULT_STOP_SECONDS))
        for kind in STOP_ORDER
        for process in state.processes
        if process.name.split(".")[0] == kind
    ]
    ended = [process.name for process, seconds in ordered if _end(process, seconds)]
    if ended:
        say(f"Ended what an earlier start left running: {', '.join(ended)}.")
    return ended


def _end(process: ProcessState, seconds: float) -> bool:
    if process.pid is None or not process.identity:
        return False
    was_running = identity(process.pid) == process.identity
    if was_running and process.name != "postgres":
        _signal(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while identity(process.pid) == process.identity and time.monotonic() < deadline:
            time.sleep(0.05)
    if process.name != "postgres" and _is_of_this_boot(process):
        _sweep(process)
    return was_running


def _sweep(process: ProcessState) -> None:
    """Kill what is left of its group, unless the pid has become somebody else's."""
    if process.pid is not None and identity(process.pid) in ("", process.identity):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _is_of_this_boot(process: ProcessState) -> bool:
    return process.identity.split("/")[0] == identity(os.getpid()).split("/")[0]


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
