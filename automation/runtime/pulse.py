"""Pulse: the periodic work, done by whichever process takes the turn, and precise timers for short waits.

Every worker ticks; celery-beat only adds a kick. So beat is a convenience, not a single point of failure.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable

import structlog
from django.db import close_old_connections, connections

from automation.runtime.heartbeat import Heartbeat
from automation.runtime.vital import VitalThread
from automation.services import failure_workflows, meters, notice_decisions, schedule_watch
from automation.services.approvals_due import approvals_due
from automation.services.due import each_second
from automation.services.queued_slots import start_queued
from automation.services.replays_due import replays_due
from automation.services.schedules import fire_due
from automation.services.transfers_due import mover
from automation.store import bell
from automation.store.connection import Connection
from automation.store.limits import forget_unused, keys_with_room, make_room_each
from automation.store.recover import declare_dead, recover_orphans, recover_runs
from automation.store.ticks import take_turn
from automation.store.wake import MOST_AT_ONCE, time_out_late, wake_due, wake_gathered
from brainops.audit.services import seal
from brainops.core import shared_metrics
from brainops.core.housekeeping import sweep

LONGEST_TIMER_SECONDS = 60.0  # longer waits are precise to one tick
MINUTE_SECONDS = 60.0
MOST_FIRED, FIRING_SECONDS = 5_000, 1.0  # triggers of one tick, and the time it takes for them at most

log = structlog.get_logger(__name__)


class Pulse(VitalThread):
    """The ticking thread of one worker process."""

    def __init__(
        self,
        heartbeat: Heartbeat,
        *,
        every_seconds: float,
        dead_seconds: float,
        on_ready: Callable[[], None],
        on_messages: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__("pulse")
        self._connection = Connection(application_name="brainops-pulse")
        self._heartbeat = heartbeat
        self._every_seconds = every_seconds
        self._dead_seconds = dead_seconds
        self._on_ready = on_ready
        self._on_messages = on_messages  # sees to what is due in the outboxes and the bus
        self._last_key = ""  # limits are looked at in turn
        self._timers: list[float] = []  # monotonic instants
        self._changed = threading.Condition()
        self._is_stopping = False
        self._metrics_due = 0.0  # monotonic instant

    def wake_in(self, seconds: float) -> None:
        """Look at the timers again in `seconds`; longer waits are left to the ticks."""
        if seconds > LONGEST_TIMER_SECONDS:
            return
        with self._changed:
            heapq.heappush(self._timers, time.monotonic() + max(0.0, seconds))
            self._changed.notify()

    def kick(self) -> None:
        """Tick now (celery-beat's message)."""
        self.wake_in(0)

    def stop(self) -> None:
        """End the thread."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        self.join(5)

    def live(self) -> None:
        """Tick until stopped."""
        next_tick = time.monotonic()
        while not self._is_stopping:
            is_timer = self._sleep_until(next_tick)
            if self._is_stopping:
                break
            if is_timer:
                self._attempt(self._wake)
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + self._every_seconds
                self._attempt(self._tick)
        self._connection.close()
        connections.close_all()

    def _sleep_until(self, next_tick: float) -> bool:
        """Sleep until a timer (True) or the next tick (False) is due."""
        with self._changed:
            while not self._is_stopping:
                due = min(self._timers[0], next_tick) if self._timers else next_tick
                if due <= time.monotonic():
                    break
                self._changed.wait(due - time.monotonic())
            now = time.monotonic()
            is_timer = bool(self._timers) and self._timers[0] <= now
            while self._timers and self._timers[0] <= now:
                heapq.heappop(self._timers)
            return is_timer

    def _attempt(self, part: Callable[[], int]) -> int:
        try:
            return part()
        except Exception:
            log.exception("tick_failed", part=getattr(part, "__name__", "part"))
            return 0

    def _wake(self) -> int:
        """All that is due, though many at once: whoever sleeps until nine o'clock wakes at nine."""
        woken = batch = wake_due(self._connection)
        while batch == MOST_AT_ONCE and not self._is_stopping:
            self._announce()
            batch = wake_due(self._connection)
            woken += batch
        if woken:
            self._announce()
        return woken

    def _tick(self) -> int:
        close_old_connections()
        self._attempt(self._judge)
        if time.monotonic() >= self._metrics_due:
            self._attempt(self._tell_metrics)
        if not take_turn(self._connection, "pulse", every_seconds=self._every_seconds * 0.9):
            return 0
        due = (approvals_due, failure_workflows.start_due, self._admit, replays_due, mover.start)
        queued = sum(map(self._attempt, (self._recover, self._wake, self._fire, start_queued, *due)))
        queued += sum(map(self._attempt, each_second.values()))
        queued += self._attempt(self._time_out)  # they make room, too, and their callers go on
        self._attempt(self._tell)
        self._attempt(seal)
        if take_turn(self._connection, "minute", every_seconds=MINUTE_SECONDS):
            queued += self._attempt(self._recover_orphans)
            self._attempt(self._forget_limits)
            self._attempt(schedule_watch.look)
            self._attempt(sweep)
        if queued:
            self._announce()
        return queued

    def _tell(self) -> int:
        """Decide what is to be told of what happened, and have it sent: by this process, apart from the ticks."""
        self._attempt(notice_decisions.remind_due)
        decided = self._attempt(notice_decisions.decide_due)
        self._on_messages()
        return decided

    def _judge(self) -> int:
        """Declare dead who is. Not only in a turn of ours: the turns may all go to somebody who may not judge yet."""
        if not self._heartbeat.may_judge():
            return 0
        dead = declare_dead(self._connection, self._heartbeat.silent(), dead_seconds=self._dead_seconds)
        meters.DECLARED_DEAD.add(dead)
        return dead

    def _recover(self) -> int:
        recovered = len(recover_runs(self._connection))
        meters.RECOVERED.add(recovered)
        return recovered

    def _forget_limits(self) -> int:
        return forget_unused(self._connection)

    def _recover_orphans(self) -> int:
        recovered = len(recover_orphans(self._connection))
        meters.RECOVERED.add(recovered)
        return recovered

    def _fire(self) -> int:
        """Many schedules are due at the full hour: they go on in every tick until none is left."""
        return fire_due(limit=MOST_FIRED, seconds=FIRING_SECONDS)

    def _admit(self) -> int:
        """The net under the aftermath of ended runs, and what ends debounces: limits that have room."""
        woken = wake_gathered(self._connection)
        keys, self._last_key = keys_with_room(self._connection, after=self._last_key)
        return woken + make_room_each(self._connection, keys)

    def _time_out(self) -> int:
        late = time_out_late(self._connection)
        meters.timed_out(late)
        return late

    def _tell_metrics(self) -> int:
        self._metrics_due = time.monotonic() + shared_metrics.EVERY_SECONDS
        return shared_metrics.flush()

    def _announce(self) -> None:
        self._on_ready()
        bell.ring()
