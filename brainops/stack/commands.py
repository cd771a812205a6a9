"""The small commands of bin/brainops: manage, admin-password, test, down, status, reset."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from brainops.stack.borrowed import product_environment
from brainops.stack.leftovers import end_leftovers
from brainops.stack.place import CHECKOUT, Place
from brainops.stack.processes import identity
from brainops.stack.relocation import outside
from brainops.stack.state import RunState, alone, is_held, load_state

DOWN_SECONDS = 120.0
NOT_RUNNING = 3  # what init scripts answer for "not running"
MOST_TEST_PROCESSES = 8


def manage(place: Place, arguments: Sequence[str]) -> int:
    """Run Django's manage.py against this installation."""
    with product_environment(place) as environment:
        # Ctrl-C reaches the command itself; we stay to stop what we started.
        earlier = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            command = [sys.executable, str(CHECKOUT / "manage.py"), *arguments]
            return subprocess.run(command, env=environment, check=False, preexec_fn=_heed_interrupts).returncode
        finally:
            signal.signal(signal.SIGINT, earlier)


def admin_password(place: Place) -> int:
    """Give the admin a new random password and print it."""
    return manage(place, ["create_admin", "--reset-password"])


def test(arguments: Sequence[str]) -> int:
    """Become pytest, on every core unless told otherwise."""
    spread = ["-n", "auto", "--maxprocesses", str(MOST_TEST_PROCESSES)]
    if any(argument.startswith(("-n", "--numprocesses", "--pdb")) for argument in arguments):
        spread = []
    os.chdir(CHECKOUT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *spread, *arguments])


def down(place: Place) -> int:
    """Stop everything in order; says so when nothing runs."""
    if not place.data.exists():
        print("Nothing is running.")
        return 0
    state = load_state(place.state)
    if not is_held(place):
        with alone(place):
            ended = end_leftovers(place, print)
        print("Stopped." if ended else "Nothing is running.")
        return 0
    if state is None or identity(state.pid) != state.identity:
        print(f"Another command is using {place.data}; wait for it to end.", file=sys.stderr)
        return 1
    os.kill(state.pid, signal.SIGTERM)
    return _wait_for_end(place, state)


def status(place: Place, *, as_json: bool) -> int:
    """Say what runs; 0 when the whole installation does, else 3."""
    state = _current_state(place)
    if as_json:
        print(json.dumps({**asdict(state), "data": str(place.data)}, indent=2))
    else:
        _print_state(state, place)
    return 0 if state.state == "running" else NOT_RUNNING


def reset(place: Place, *, is_certain: bool) -> int:
    """Stop everything and delete the installation's data, logs and secrets."""
    doomed = [path for path in (*place.everything, outside(place)) if path.exists()]
    if not is_certain:
        print(
            f"This deletes {', '.join(str(path) for path in doomed) or 'nothing'}. Do it with: bin/brainops reset --yes"
        )
        return 1
    if (code := down(place)) != 0:
        return code
    for path in (*place.everything, outside(place)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if place.data.exists() and not any(place.data.iterdir()):
        place.data.rmdir()
    print("All of it is deleted.")
    return 0


def _current_state(place: Place) -> RunState:
    """The saved state, corrected by what is really alive."""
    state = load_state(place.state) or RunState(state="stopped")
    if is_held(place) and identity(state.pid) == state.identity:
        return state
    if state.state != "failed":
        state.state = "stopped"
    for process in state.processes:
        is_left = process.pid is not None and identity(process.pid) == process.identity
        process.state = "left over" if is_left else "stopped"
    return state


def _print_state(state: RunState, place: Place) -> None:
    print(f"BrainOps is {state.state}. Data and logs: {place.data}")
    for process in state.processes:
        restarts = f", restarted {process.restarts}×" if process.restarts else ""
        pid = f" (pid {process.pid})" if process.pid else ""
        print(f"  {process.name:<10} {process.state}{pid}{restarts}")
    if state.state == "running":
        for name, address in state.addresses.items():
            print(f"  {name:<10} {address}")
    if state.reason:
        print(f"  {state.reason}")


def _wait_for_end(place: Place, state: RunState) -> int:
    deadline = time.monotonic() + DOWN_SECONDS
    while identity(state.pid) == state.identity:
        if time.monotonic() > deadline:
            print(f"The supervisor (pid {state.pid}) has not ended after {DOWN_SECONDS:.0f} s.", file=sys.stderr)
            return 1
        time.sleep(0.05)
    print("Stopped.")
    return 0


def _heed_interrupts() -> None:
    """An ignored signal stays ignored in the child unless it is set back."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
