"""The children of this process: started when code comes, lent to one call at a time, replaced when they die."""

from __future__ import annotations

import atexit
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from automation.sandbox.process import LOOK_SECONDS, CallStopped, Child

Json = Any
MOST_CALLS = 500  # of one child; then a fresh one takes its place
GRACE_SECONDS = 1.0  # for the interpreter to stop by itself and say where it was
ESCAPED = 6  # bytes of "\u0000" for one byte
FRAME_BYTES = 64 << 10  # of an answer beside output and print


@dataclass(frozen=True, slots=True)
class Request:
    """Code, its inputs and its limits. `depth` is how deep the output may nest."""

    code: str
    inputs: Json
    seconds: float
    memory_bytes: int
    output_bytes: int
    log_bytes: int
    depth: int = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. `error` is None or `{"type", "message", "lines"}`; `printed` is cut, `printed_bytes` is not."""

    output: Json = None
    error: Json = None
    printed: str = ""
    printed_bytes: int = 0


class Busy(Exception):
    """Every child was at work until the time was over."""


@dataclass(slots=True)
class Pool:
    """At most `size` children. Thread-safe."""

    size: int
    _idle: list[Child] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._free = threading.Semaphore(self.size)

    def run(self, request: Request, *, seconds: float, is_cancelled: Callable[[], bool]) -> Answer:
        """Run code in a child; `seconds` is all the time there is, waiting for a free child included.

        Raises Busy, CallTooLong, CallStopped or ChildGone; the child is gone then, and the next call gets another.
        """
        ends_at = time.monotonic() + seconds
        line = json.dumps(asdict(request)).encode()
        most_bytes = request.output_bytes + ESCAPED * request.log_bytes + FRAME_BYTES
        with self._turn(ends_at, is_cancelled), self._lent() as child:
            left = min(request.seconds + GRACE_SECONDS, ends_at - time.monotonic())
            said = child.ask(line, seconds=left, is_cancelled=is_cancelled, most_bytes=most_bytes)
        return Answer(**json.loads(said))

    def close(self) -> None:
        """End the idle children; those at work end with their call."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.kill()

    @contextmanager
    def _turn(self, ends_at: float, is_cancelled: Callable[[], bool]) -> Iterator[None]:
        while not self._free.acquire(timeout=LOOK_SECONDS):
            if is_cancelled():
                raise CallStopped
            if time.monotonic() >= ends_at:
                raise Busy
        try:
            yield
        finally:
            self._free.release()

    @contextmanager
    def _lent(self) -> Iterator[Child]:
        child = self._take()
        try:
            yield child
        except BaseException:
            child.kill()
            raise
        if child.calls >= MOST_CALLS:
            child.kill()
            return
        with self._lock:
            self._idle.append(child)

    def _take(self) -> Child:
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None:
                return Child()
            if child.is_alive:
                return child
            child.kill()  # it died while nobody used it; reap it


_pools: dict[int, Pool] = {}
_making = threading.Lock()


def pool_of(size: int) -> Pool:
    """The pool of this process. Made at the first call: children of a parent are none of ours."""
    with _making:
        return _pools.setdefault(size, Pool(size))


def close_pools() -> None:
    """End every idle child of this process."""
    for pool in list(_pools.values()):
        pool.close()


atexit.register(close_pools)
os.register_at_fork(after_in_child=_pools.clear)
