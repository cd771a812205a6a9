"""Heartbeat: says that this process lives, hears which of its runs must stop, and fences the process when it cannot.

Identity: `host/slot` under an advisory lock of this thread's connection. A restarted worker takes its
predecessor's name and may therefore declare it dead at once.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg2
import structlog

from automation.runtime.slots import Slots
from automation.runtime.vital import VitalThread
from automation.services import meters
from automation.store.connection import Connection
from automation.store.workers import Beat, beat, register, rename, set_state, take_name

# No new side effect when the last good heartbeat is older than this share of the dead time: by the time others
# take our runs, we have stopped touching the world.
FENCE_SHARE = 0.6

# Others are judged only when their silence was heard of this share of the dead time ago, in an answered heartbeat:
# long enough for everybody to breathe again after the server stood still.
KNOWN_SHARE = 0.3

DRAINING, GONE = 2, 4

log = structlog.get_logger(__name__)


class Heartbeat(VitalThread):
    """The breathing of one worker process."""

    def __init__(
        self,
        slots: Slots,
        *,
        every_seconds: float,
        dead_seconds: float,
        release: str,
        on_beat: Callable[[Beat], None],
        on_lost: Callable[[], None],
    ) -> None:
        super().__init__("heartbeat")
        self._connection = Connection(application_name="brainops-heartbeat")
        self._slots = slots
        self._every_seconds = every_seconds
        self._dead_seconds = dead_seconds
        self._release = release
        self.fence_seconds = FENCE_SHARE * dead_seconds
        self._on_beat = on_beat
        self._on_lost = on_lost
        self._is_over = threading.Event()
        self._last_good = float("-inf")
        self._steady_since = float("inf")
        self._silent_since: dict[UUID, float] = {}  # when we first heard that another worker is silent
        self.worker_id: UUID | None = None
        self.name_in_register = ""

    def may_affect(self) -> bool:
        """True while this process may start a side effect: its last good heartbeat is fresh."""
        return time.monotonic() - self._last_good < self.fence_seconds

    def may_judge(self) -> bool:
        """True while this process may declare others dead: it breathed without a gap for a whole dead interval."""
        return time.monotonic() - self._steady_since >= self._dead_seconds

    def silent(self) -> list[UUID]:
        """Workers whose silence we know of for long enough to judge, whatever the server did meanwhile."""
        known_before = time.monotonic() - KNOWN_SHARE * self._dead_seconds
        return [worker_id for worker_id, since in list(self._silent_since.items()) if since <= known_before]

    def drain(self) -> None:
        """Tell others that this process claims nothing more."""
        self._say_state(DRAINING)

    def stop(self, *, is_clean: bool) -> None:
        """Stop breathing. After a clean end the register says gone; otherwise silence hands the runs to others."""
        self._is_over.set()
        self.join(self._every_seconds + 5)
        if is_clean:
            self._say_state(GONE)
        if not self.is_alive():  # a connection in use closes only after its statement
            self._connection.close()

    def live(self) -> None:
        """Breathe until stopped."""
        while not self._is_over.is_set():
            try:
                self._breathe()
            except psycopg2.Error as error:
                log.warning("heartbeat_failed", error=str(error).strip())
                meters.HEARTBEATS_FAILED.add()
                self._connection.close()
                self._steady_since = float("inf")
                self._silent_since = {}
                self.name_in_register = ""  # the advisory lock went with the connection
                self._is_over.wait(min(0.5, self._every_seconds))
                continue
            self._is_over.wait(self._every_seconds)

    def _breathe(self) -> None:
        if not self.name_in_register:
            self._take_name()
        asked_at = time.monotonic()
        worker_id = self.worker_id or self._register()
        silence_seconds = self._dead_seconds / 2
        answer = beat(self._connection, worker_id=worker_id, busy=self._slots.busy(), silence_seconds=silence_seconds)
        if not answer.is_alive:
            self._start_over()
            return
        if asked_at - self._last_good > self._dead_seconds / 2 or self._steady_since == float("inf"):
            self._steady_since = asked_at
        self._last_good = asked_at
        self._silent_since = {other: self._silent_since.get(other, time.monotonic()) for other in answer.silent}
        self._on_beat(answer)

    def _take_name(self) -> None:
        self.name_in_register = take_name(self._connection, host=platform.node())
        if self.worker_id is not None:
            rename(self._connection, worker_id=self.worker_id, name=self.name_in_register)

    def _register(self) -> UUID:
        worker_id = uuid4()
        register(
            self._connection,
            worker_id=worker_id,
            name=self.name_in_register,
            pid=os.getpid(),
            release=self._release,
            slots=self._slots.count,
        )
        self.worker_id = worker_id
        log.info("worker_registered", worker=self.name_in_register, worker_id=str(worker_id))
        return worker_id

    def _start_over(self) -> None:
        """Another process declared this one dead: its runs are somebody else's now."""
        log.warning("worker_was_declared_dead", worker_id=str(self.worker_id))
        self.worker_id = None
        self._on_lost()
        self._last_good = float("-inf")
        self._steady_since = float("inf")

    def _say_state(self, state: int) -> None:
        if self.worker_id is None:
            return
        connection = Connection(application_name="brainops-heartbeat")
        try:
            set_state(connection, worker_id=self.worker_id, state=state)
        except psycopg2.Error as error:
            log.warning("worker_state_not_said", state=state, error=str(error).strip())
        finally:
            connection.close()
