"""Child: one locked-in process as its keeper sees it. Lines of JSON go in and out; it can be killed at any time."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOOT = "import sys; sys.path.append(sys.argv[1]); from automation.sandbox.child.serve import main; main()"
START_SECONDS = 15.0  # a loaded machine takes its time
LOOK_SECONDS = 0.05  # how often a call looks whether it must stop
PIECE = 1 << 16


class ChildGone(Exception):
    """The process died, or said more than it may."""


class CallStopped(Exception):
    """The caller's run was cancelled."""


class CallTooLong(Exception):
    """The time is over."""


class Child:
    """A process in a session of its own, with an empty environment and two pipes. Used by one thread at a time.

    Raises ChildGone when it does not come up. After any exception of `ask` it is of no more use: `kill` it.
    """

    def __init__(self) -> None:
        self.calls = 0
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", BOOT, str(ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={},
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )
        assert self._process.stdin  # noqa: S101 - for the type checker: it is a pipe
        assert self._process.stdout  # noqa: S101 - likewise
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        try:
            self.hello = self._exchange(b"", time.monotonic() + START_SECONDS, lambda: False, most_bytes=PIECE)
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """Of the process and of its group."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """False when it has ended."""
        return self._process.poll() is None

    def ask(self, line: bytes, *, seconds: float, is_cancelled: Callable[[], bool], most_bytes: int) -> bytes:
        """Send a line and wait for the answering one. Raises ChildGone, CallStopped or CallTooLong."""
        self.calls += 1
        return self._exchange(line + b"\n", time.monotonic() + seconds, is_cancelled, most_bytes=most_bytes)

    def kill(self) -> None:
        """End it and all it started; wait until it is gone."""
        self._end()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _exchange(self, unsent: bytes, ends_at: float, is_cancelled: Callable[[], bool], *, most_bytes: int) -> bytes:
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._out, selectors.EVENT_READ)
            if unsent:
                selector.register(self._in, selectors.EVENT_WRITE)
            while not received.endswith(b"\n"):
                _look(ends_at, is_cancelled)
                for key, _ in selector.select(LOOK_SECONDS):
                    if key.fd == self._out:
                        received += self._read(most_bytes - len(received))
                        continue
                    unsent = unsent[self._write(unsent) :]
                    if not unsent:
                        selector.unregister(self._in)
        return bytes(received)

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._in, data[:PIECE])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise ChildGone(self._how()) from None

    def _read(self, most_bytes: int) -> bytes:
        if most_bytes <= 0:
            raise ChildGone("said more than was agreed")
        try:
            piece = os.read(self._out, min(PIECE, most_bytes))
        except BlockingIOError:
            return b""
        if not piece:
            raise ChildGone(self._how())
        return piece

    def _end(self) -> int:
        """Kill the group, before the wait that frees its number for others; return how its leader ended."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group that is ending
                os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()

    def _how(self) -> str:
        """How it ended, in words."""
        code = self._end()
        return f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _look(ends_at: float, is_cancelled: Callable[[], bool]) -> None:
    if is_cancelled():
        raise CallStopped
    if time.monotonic() >= ends_at:
        raise CallTooLong
