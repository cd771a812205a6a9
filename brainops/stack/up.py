"""`bin/brainops up`, in front of the person or detached from the terminal."""

import os
import signal
import subprocess
import sys

from brainops.stack.launch import Launch, Options
from brainops.stack.leftovers import end_leftovers
from brainops.stack.place import CHECKOUT, Place
from brainops.stack.report import Report
from brainops.stack.state import Busy, alone, load_state

# How the detached supervisor knows what it is; nobody types it.
DETACHED = "--detached-supervisor"


def up(place: Place, options: Options) -> int:
    """Start and watch until Ctrl-C."""
    place.create()
    report = Report()
    try:
        with alone(place):
            end_leftovers(place, report.phase)
            return Launch(place, options, report).run(when_ready=lambda: None)
    except Busy as busy:
        print(f"{busy} See bin/brainops status, stop it with bin/brainops down.", file=sys.stderr)
        return 1


def up_detached(place: Place, options: Options) -> int:
    """Start in the background; 0 once the sample run has finished."""
    place.create()
    command = [sys.executable, "-m", "brainops.stack", "up", DETACHED, "--workers", str(options.workers)]
    if options.port is not None:
        command += ["--port", str(options.port)]
    supervisor = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _show_until_closed(supervisor)
    except KeyboardInterrupt:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait()
    return _verdict(place, supervisor)


def supervise_detached(place: Place, options: Options) -> int:
    """The background half of `up_detached`: speaks to its starter until ready, then to its log."""
    place.create()
    report = Report()
    try:
        with alone(place):
            end_leftovers(place, report.phase)
            return Launch(place, options, report).run(when_ready=lambda: _turn_to_log(place))
    except Busy as busy:
        return _already_there(place, busy)


def _already_there(place: Place, busy: Busy) -> int:
    state = load_state(place.state)
    if state is None or state.state != "running":
        print(f"{busy} It is not ready yet: see bin/brainops status.")
        return 1
    print(f"BrainOps is running already: {state.addresses['admin']}")
    return 0


def _show_until_closed(supervisor: "subprocess.Popen[bytes]") -> None:
    if supervisor.stdout is not None:
        for line in supervisor.stdout:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


def _verdict(place: Place, supervisor: "subprocess.Popen[bytes]") -> int:
    """The pipe is closed: either the supervisor is ready and lives on, or it ends."""
    state = load_state(place.state)
    if state and state.pid == supervisor.pid and state.state == "running":
        return 0
    return supervisor.wait()


def _turn_to_log(place: Place) -> None:
    """From here on nobody reads our pipe: write to the supervisor's log."""
    log = os.open(place.log("supervisor"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)
