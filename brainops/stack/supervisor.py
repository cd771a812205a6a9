"""Keep a set of processes running, and stop them in order.

One thread: it sleeps until a child ends, a signal comes or a quarter of a second has
passed. Signals go to each child alone and never to its group, except to sweep up what
a dead child left behind.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType

from brainops.stack.children import Child, Service, start, tail
from brainops.stack.processes import identity
from brainops.stack.restarts import Restarts
from brainops.stack.state import ProcessState

LOOK_SECONDS = 0.25
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class GaveUp(Exception):
    """A process died so often that starting it again is no use."""


@dataclass(slots=True)
class Watched:
    """A service with its running child, or with the moment of its next start."""

    service: Service
    child: Child | None = None
    restart_at: float | None = None
    started_at: float | None = None
    restart_count: int = 0
    restarts: Restarts = field(default_factory=Restarts)

    def describe(self) -> ProcessState:
        """The process as `status` shows it."""
        alive = self.child is not None
        state = "running" if alive else "restarting" if self.restart_at is not None else "stopped"
        pid = self.child.pid if self.child else None
        return ProcessState(
            name=self.service.name,
            state=state,
            pid=pid,
            identity=identity(pid) if pid else "",
            started_at=self.started_at,
            restarts=self.restart_count,
        )


class Supervisor:
    """Starts services, restarts what dies, stops all in the reverse order."""

    def __init__(self, *, say: Callable[[str], None], changed: Callable[[list[ProcessState]], None]) -> None:
        self._say = say
        self._changed = changed
        self._watched: list[Watched] = []
        self._stop_requests = 0

    @property
    def is_stopping(self) -> bool:
        return self._stop_requests > 0

    def request_stop(self) -> None:
        """Ask for the ordered stop; a second request makes it a hasty one."""
        self._stop_requests += 1

    def start(self, service: Service) -> Child:
        """Start a service and watch it from now on."""
        watched = Watched(service)
        self._watched.append(watched)
        return self._start(watched)

    def check(self) -> None:
        """Restart what ended; raises GaveUp when something ends again and again."""
        for watched in self._watched:
            if watched.child is not None and not watched.child.is_alive():
                self._note_death(watched, watched.child)
            elif watched.restart_at is not None and time.monotonic() >= watched.restart_at:
                watched.restart_count += 1
                self._start(watched)

    def watch(self, each_round: Callable[[], None]) -> None:
        """Look after the processes until a stop is requested."""
        with _wakeups() as wakeup:
            while not self.is_stopping:
                self.check()
                each_round()
                _sleep(wakeup, LOOK_SECONDS)

    def stop_all(self, order: Sequence[str] = ()) -> None:
        """Stop everything: first what `order` names by prefix, then the rest, last started first."""
        rest = [watched for watched in reversed(self._watched) if watched.child is not None]
        for prefix in order:
            self._stop_group([watched for watched in rest if watched.service.name.split(".")[0] == prefix])
        for watched in rest:
            self._stop_group([watched])

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Turn Ctrl-C, SIGTERM and a closed terminal into stop requests."""

        def request(_number: int, _frame: FrameType | None) -> None:
            self.request_stop()

        earlier = {number: signal.signal(number, request) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, action in earlier.items():
                signal.signal(number, action)

    def describe(self) -> list[ProcessState]:
        return [watched.describe() for watched in self._watched]

    def _start(self, watched: Watched) -> Child:
        watched.child = start(watched.service)
        watched.restart_at = None
        watched.started_at = time.time()
        self._changed(self.describe())
        return watched.child

    def _note_death(self, watched: Watched, child: Child) -> None:
        code = child.process.returncode
        child.kill()  # what it started must not hold its port or its files
        watched.child = None
        delay = watched.restarts.delay_seconds(time.monotonic())
        if delay is None:
            end = tail(watched.service.log)
            raise GaveUp(
                f"{watched.service.name} ended {len(watched.restarts.deaths)} times within a minute "
                f"(last code {code}). The end of {watched.service.log}:\n{end}"
            )
        watched.restart_at = time.monotonic() + delay
        self._say(f"{watched.service.name} ended with code {code}; starting it again in {delay:g} s.")
        self._changed(self.describe())

    def _stop_group(self, group: Sequence[Watched]) -> None:
        """Ask all of a group at once, then wait for each."""
        children = [(watched, watched.child) for watched in group if watched.child is not None]
        for _, child in children:
            child.ask_to_stop()
        for watched, child in children:
            code = self._wait(child)
            watched.child = None
            self._say(f"{watched.service.name} stopped{'' if code == 0 else f' (code {code})'}.")
        if children:
            self._changed(self.describe())

    def _wait(self, child: Child) -> int:
        """Wait for a child that was asked to stop; by force when time or patience is over."""
        deadline = time.monotonic() + child.service.stop_seconds
        while child.is_alive():
            if self._stop_requests > 1 or time.monotonic() > deadline:
                return child.stop(1.0)
            time.sleep(0.02)
        code: int = child.process.returncode
        child.kill()
        return code


@contextlib.contextmanager
def _wakeups() -> Iterator[int]:
    """A pipe that becomes readable when a signal arrives, a child's end included."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    earlier_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    # Without a handler of its own SIGCHLD would not write to the pipe.
    earlier = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    try:
        yield reader
    finally:
        signal.signal(signal.SIGCHLD, earlier)
        signal.set_wakeup_fd(earlier_fd)
        os.close(reader)
        os.close(writer)


def _sleep(wakeup: int, seconds: float) -> None:
    if select.select([wakeup], [], [], seconds)[0]:
        with contextlib.suppress(BlockingIOError):
            os.read(wakeup, 4096)
