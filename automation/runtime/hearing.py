"""Hearing: one listener in its thread, with what is known about its luck."""

from __future__ import annotations

import random
import threading
import time

import structlog
from django.db import connections

from automation.services import listeners
from automation.services.listeners import Listener

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
WELL_SECONDS = 60.0  # who listened for so long begins anew with the shortest pause

log = structlog.get_logger(__name__)


class Hearing:
    """Runs a listener in a thread; after it broke, says when the next try is due. Used by the consumer's thread."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._started_at = 0.0
        self._due_at = 0.0
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._asked_seconds: float | None = None

    @property
    def is_over(self) -> bool:
        """True when no thread is at it."""
        return self._thread is None or not self._thread.is_alive()

    @property
    def is_stopping(self) -> bool:
        """True after `stop`: it will not start again."""
        return self._stop.is_set()

    def keep_going(self) -> None:
        """Start it when it is not running and its pause is over."""
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
            self._plan_pause()
        if self._thread is None and not self.is_stopping and time.monotonic() >= self._due_at:
            self._started_at = time.monotonic()
            self._thread = threading.Thread(target=self._listen, name=self.listener.key, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ask it to end; `is_over` says when it has."""
        self._stop.set()

    def join(self, timeout_seconds: float) -> None:
        """Wait for its end."""
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def _plan_pause(self) -> None:
        now = time.monotonic()
        if now - self._started_at >= WELL_SECONDS:
            self._pause_seconds = FIRST_PAUSE_SECONDS
        # half of it by chance: a broker that comes back shall not meet all its consumers in one moment
        pause = self._pause_seconds * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        self._due_at = now + max(pause, self._asked_seconds or 0.0)
        self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS)

    def _listen(self) -> None:
        self._asked_seconds = None
        try:
            self.listener.listen(self._stop)
            if not self._stop.is_set():
                log.warning("listener_ended", listener=self.listener.key)
        except Exception as error:  # noqa: BLE001 - whatever it was: it is tried again, and the others go on
            self._asked_seconds = getattr(error, "retry_after_seconds", None)
            log.warning("listener_broke", listener=self.listener.key, error=type(error).__name__, reason=str(error))
        finally:
            connections.close_all()
        if not self._stop.is_set():
            listeners.FAILED.add(labels=(self.listener.kind,))
