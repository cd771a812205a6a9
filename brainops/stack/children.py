"""Child processes: started so that they never outlive us, stopped one by one and gently.

Start them from the main thread only: the death signal of Linux fires when the *thread*
that started the child ends (prctl(2), PR_SET_PDEATHSIG).
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from brainops.stack.privileges import Account, become

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.02


class StartError(Exception):
    """A process did not come up; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Service:
    """What to run: command, environment, log, and how it likes to be stopped."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    account: Account | None = None
    folder: Path | None = None


@dataclass(slots=True)
class Child:
    """One running process of a service."""

    service: Service
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def ask_to_stop(self) -> None:
        """Send the stop signal to this one process, never to its group.

        A group-wide SIGTERM kills Celery's and PostgreSQL's own children under them
        and turns a warm shutdown into a crash.
        """
        if self.is_alive():
            self.process.send_signal(self.service.stop_signal)

    def stop(self, seconds: float | None = None) -> int:
        """Stop gently, after `seconds` by force with the whole group; return the exit code."""
        self.ask_to_stop()
        try:
            return self.process.wait(self.service.stop_seconds if seconds is None else seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End the process and everything it started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: a group of zombies
            os.killpg(self.pid, signal.SIGKILL)
        return self.process.wait()


def start(service: Service, *, answer: IO[bytes] | None = None) -> Child:
    """Start `service` in a session of its own, its output appended to its log.

    With `answer` the standard output goes there instead: it may hold a secret.
    """
    with open(service.log, "ab") as log:
        process = subprocess.Popen(
            list(service.command),
            env=dict(service.environment),
            cwd=service.folder,
            stdin=subprocess.DEVNULL,
            stdout=answer or log,
            stderr=log,
            start_new_session=True,
            preexec_fn=before_exec(service.account, death_signal=service.stop_signal),  # noqa: PLW1509 - one thread
        )
    return Child(service, process)


def before_exec(account: Account | None, *, death_signal: signal.Signals) -> Callable[[], None]:
    """What a child does between fork and exec: leave root, and tie its life to ours."""
    parent = os.getpid()

    def prepare() -> None:
        if account is not None:
            become(account)
        # After the change of user: the kernel clears the death signal on it.
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:  # the parent died before the line above
                os._exit(1)

    return prepare


def wait_until(is_ready: Callable[[], bool], child: Child, *, seconds: float) -> None:
    """Wait until `is_ready()` is true; raise StartError when the child dies or time is up."""
    deadline = time.monotonic() + seconds
    while not is_ready():
        if not child.is_alive():
            raise StartError(_reason(child, f"ended with code {child.process.returncode}"))
        if time.monotonic() > deadline:
            raise StartError(_reason(child, f"was not ready after {seconds:.0f} s"))
        time.sleep(POLL_SECONDS)


def tail(path: Path, lines: int = 20) -> str:
    """The last `lines` of a log, or an empty text when there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _reason(child: Child, what: str) -> str:
    return f"{child.service.name} {what}. The end of {child.service.log}:\n{tail(child.service.log)}"
