"""Step threads: what executes the attempts of a run beside each other. Shared by all runs of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from automation.runtime.vital import VitalThread

Work = Callable[[], None]


class _StepThread(VitalThread):
    def __init__(self, pool: StepThreads, number: int) -> None:
        super().__init__(f"step-{number}")
        self._pool = pool

    def live(self) -> None:
        """Do work until the process ends."""
        while True:
            self._pool.do_one()


class StepThreads:
    """At most `count` threads, started when they are needed first. Work must not raise."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._inbox: SimpleQueue[Work] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._busy = 0

    def submit(self, work: Work) -> bool:
        """Do it in a thread of its own; False when all are busy: then the caller does it itself."""
        with self._lock:
            if self._busy >= self._count:
                return False
            self._busy += 1
            is_new = self._busy > self._started
            if is_new:
                self._started += 1
                number = self._started
        if is_new:
            _StepThread(self, number).start()
        self._inbox.put(work)
        return True

    def do_one(self) -> None:
        """Take the next piece of work and do it."""
        work = self._inbox.get()
        try:
            work()
        finally:
            with self._lock:
                self._busy -= 1
