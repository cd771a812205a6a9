"""Waiting: requests that want a run's result sleep on an event, and one thread asks the database for all of them.

A waiting request holds one of the web process's threads. At most half of them may wait, so that a slow workflow
never keeps other callers out; beyond that `wait` returns at once and the caller answers 202.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field

import structlog
from django.conf import settings

from automation.store.connection import UNREACHABLE, Connection
from automation.store.ended import Ended, find_ended

FAST_SECONDS = 0.005  # between two looks while somebody has just come: most runs end within a few of them
MEDIUM_SECONDS = 0.010
SLOW_SECONDS = 0.025
FRESH_SECONDS = 0.2  # a waiter of this age is looked after fast
YOUNG_SECONDS = 2.0
PAUSE_AFTER_ERROR_SECONDS = 0.5
IDLE_SECONDS = 10.0  # without a waiter the thread ends and its connection is given back

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Waiter:
    run_id: int
    wants_response: bool
    came_at: float
    ended: Ended | None = None
    woken: threading.Event = field(default_factory=threading.Event)


class WaitingRoom:
    """All waiting requests of one process. The first of them starts the thread, so it is made after a fork."""

    def __init__(self, *, places: int) -> None:
        self.places = places
        self._lock = threading.Lock()
        self._waiters: set[_Waiter] = set()
        self._seats = 0  # taken by requests that wait for something else
        self._somebody_came = threading.Event()
        self._thread: threading.Thread | None = None

    def wait(self, run_id: int, *, seconds: float, wants_response: bool = False) -> Ended | None:
        """Wait until the run ends (or answers, with `wants_response`); None when it did not in time.

        None at once when every place is taken.
        """
        waiter = _Waiter(run_id, wants_response, time.monotonic())
        if not self._enter(waiter):
            return None
        try:
            waiter.woken.wait(seconds)
        finally:
            self._leave(waiter)
        return waiter.ended

    def take_seat(self) -> bool:
        """Take a place for a request that waits by itself; False when every place is taken. Give it back."""
        with self._lock:
            if len(self._waiters) + self._seats >= self.places:
                return False
            self._seats += 1
            return True

    def give_seat_back(self) -> None:
        """Give back the place of `take_seat`."""
        with self._lock:
            self._seats -= 1

    def close(self) -> None:
        """Send everybody away and end the thread; the room can be used again afterwards."""
        with self._lock:
            thread, waiters = self._thread, list(self._waiters)
            self._waiters.clear()
            self._thread = None
        for waiter in waiters:
            waiter.woken.set()
        self._somebody_came.set()
        if thread is not None:
            thread.join()

    def _enter(self, waiter: _Waiter) -> bool:
        with self._lock:
            if len(self._waiters) + self._seats >= self.places:
                return False
            self._waiters.add(waiter)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="waiting", daemon=True)
                self._thread.start()
        self._somebody_came.set()
        return True

    def _leave(self, waiter: _Waiter) -> None:
        with self._lock:
            self._waiters.discard(waiter)

    def _watch(self) -> None:
        connection = Connection(application_name="brainops waiting")
        pause = IDLE_SECONDS
        while self._goes_on(is_idle=not self._somebody_came.wait(pause)):
            if self._somebody_came.is_set():
                self._somebody_came.clear()
                time.sleep(FAST_SECONDS)  # two looks are never closer than this, however many come
            pause = self._look(connection)
        connection.close()

    def _goes_on(self, *, is_idle: bool) -> bool:
        with self._lock:
            if self._thread is not threading.current_thread():
                return False
            if is_idle and not self._waiters:
                self._thread = None
                return False
            return True

    def _look(self, connection: Connection) -> float:
        """Ask once for everybody, wake those whose run has ended, and say how long to pause."""
        with self._lock:
            waiters = list(self._waiters)
        if not waiters:
            return IDLE_SECONDS
        try:
            ended = find_ended(
                connection,
                list({waiter.run_id for waiter in waiters}),
                respond_ids=[waiter.run_id for waiter in waiters if waiter.wants_response],
            )
        except UNREACHABLE:
            return PAUSE_AFTER_ERROR_SECONDS  # the runs stand; whoever waits too long gets a 202
        except Exception:
            log.exception("waiting_failed")
            connection.close()
            return PAUSE_AFTER_ERROR_SECONDS
        for waiter in waiters:
            _tell(waiter, ended.get(waiter.run_id))
        return _pause(waiters)


def _tell(waiter: _Waiter, ended: Ended | None) -> None:
    # one waiter of a run may want its response while another one wants its end
    if ended is not None and (ended.status >= 50 or waiter.wants_response):
        waiter.ended = ended
        waiter.woken.set()


def _pause(waiters: list[_Waiter]) -> float:
    """How long until the next look: short while somebody has just come."""
    waiting = [waiter.came_at for waiter in waiters if waiter.ended is None]
    if not waiting:
        return FAST_SECONDS
    age_seconds = time.monotonic() - max(waiting)
    if age_seconds < FRESH_SECONDS:
        return FAST_SECONDS
    return MEDIUM_SECONDS if age_seconds < YOUNG_SECONDS else SLOW_SECONDS


_room: WaitingRoom | None = None
_room_pid = 0
_room_lock = threading.Lock()


def room() -> WaitingRoom:
    """The waiting room of this process."""
    global _room, _room_pid
    if _room is None or _room_pid != os.getpid():
        with _room_lock:
            if _room is None or _room_pid != os.getpid():
                _room, _room_pid = WaitingRoom(places=max(1, settings.BRAINOPS_WEB_THREADS // 2)), os.getpid()
    return _room


def wait_for_end(run_id: int, *, seconds: float) -> Ended | None:
    """Wait until a run ends; None when it takes longer or too many wait already."""
    return room().wait(run_id, seconds=seconds)


def wait_for_response(run_id: int, *, seconds: float) -> Ended | None:
    """Wait until a run answers its caller or ends; None when it takes longer or too many wait already."""
    return room().wait(run_id, seconds=seconds, wants_response=True)
