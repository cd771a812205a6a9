"""A process that has loaded the product once and forks children of it: each child is a whole Runtime in its own process.

Reads one JSON line an order: `{"point", "nth", "how"}`, `point` null for a child that lives; with `act` the child does
that instead, as a web process would. Answers with one line: the exit code and how often each point was reached.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from typing import Any

import django
import psycopg2

EXIT_CODE = 9
LONGEST_SECONDS = 20.0
THREAD_BROKE = 70
BUSY = "select 1 from automation_run where status < 50 and not (status = 30 and wake_at is null) limit 1"


class ThreadDies(BaseException):
    """Nobody expects it: the thread that reached the point breaks, and the process with it."""


class Trap:
    """The hook: counts every point and springs at the nth time one of them is reached."""

    def __init__(self, point: str | None, nth: int, how: str) -> None:
        self._point, self._nth, self._how = point, nth, how
        self._lock = threading.Lock()
        self.reached: Counter[str] = Counter()

    def __call__(self, name: str) -> None:
        with self._lock:
            self.reached[name] += 1
            is_due = name == self._point and self.reached[name] == self._nth
        if not is_due:
            return
        if self._how == "exit":
            os._exit(EXIT_CODE)
        if self._how == "thread":
            raise ThreadDies(name)
        raise psycopg2.OperationalError(f"the connection broke at {name}")


def act(order: dict[str, Any], answer: int) -> None:
    """Send a signal or approve, as a request does; then say which points were reached."""
    from automation.engine import points
    from automation.models import Approval, Run
    from automation.services import approval_decisions, signals
    from brainops.accounts.caller import system_caller

    points.hook = trap = Trap(order["point"], order["nth"], order["how"])
    try:
        run = Run.objects.get(uid=order["run"])
        caller = system_caller(run.workspace_id, "crash points")
        if order["act"] == "signal":
            signals.send(caller, run.uid, "go", payload={"n": 7}, key="once")
        else:
            approval_decisions.approve(caller, Approval.objects.get(run=run).id)
    except ThreadDies:
        os._exit(THREAD_BROKE)
    os.write(answer, json.dumps(trap.reached).encode())


def live(order: dict[str, Any], answer: int) -> None:
    """Run until nothing is left but runs that wait for news; then say which points were reached."""
    from django.conf import settings

    from automation.engine import points
    from automation.runtime import turn
    from automation.runtime.process import Runtime
    from automation.store.connection import Connection

    settings.BRAINOPS_WORKER_SLOTS = 2
    settings.BRAINOPS_HEARTBEAT_SECONDS = 0.1
    settings.BRAINOPS_DEAD_SECONDS = 5.0
    settings.BRAINOPS_TICK_SECONDS = 0.05
    turn.SHORT_WAIT_SECONDS = 0.01
    points.hook = trap = Trap(order["point"], order["nth"], order["how"])
    runtime = Runtime()
    runtime.start()
    looking = Connection(application_name="brainops-crash-points")
    until = time.monotonic() + LONGEST_SECONDS
    while looking.rows(BUSY) and time.monotonic() < until:
        time.sleep(0.02)
    os.write(answer, json.dumps(trap.reached).encode())


def raise_child(order: dict[str, Any]) -> dict[str, Any]:
    """Fork, wait, and report."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the answers' pipe is not for logs
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        (act if order["act"] else live)(order, writing)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    return {"code": os.waitstatus_to_exitcode(status), "reached": json.loads(said or b"{}")}


def main() -> None:
    """Load everything, then raise children until nobody asks any more."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    django.setup()
    from automation.steps import all_kinds

    all_kinds()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(raise_child(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
