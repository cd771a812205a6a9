"""Watch: the isolated child's own fence. It breathes through its parent and looks whether the parent still does."""

from __future__ import annotations

import os
import time
from uuid import UUID

import psycopg2
import structlog

from automation.runtime.vital import VitalThread
from automation.store.claim import holder_silence
from automation.store.connection import Connection

LOOKS_PER_FENCE = 4

log = structlog.get_logger(__name__)


class Watch(VitalThread):
    """Ends this process as soon as its run is somebody else's; forbids effects while that cannot be ruled out."""

    def __init__(self, *, run_id: int, claim: UUID, fence_seconds: float, exit_code: int) -> None:
        super().__init__("watch")
        self._connection = Connection(application_name="brainops-watch")
        self._run_id = run_id
        self._claim = claim
        self._fence_seconds = fence_seconds
        self._exit_code = exit_code
        self._good_until = float("-inf")

    def may_affect(self) -> bool:
        """True while the worker that holds the run was heard of a short time ago."""
        return time.monotonic() < self._good_until

    def live(self) -> None:
        """Look for as long as the process lives."""
        while True:
            try:
                self._look()
            except psycopg2.Error as error:
                log.warning("watch_failed", error=str(error).strip())
            time.sleep(self._fence_seconds / LOOKS_PER_FENCE)

    def _look(self) -> None:
        asked_at = time.monotonic()
        silence = holder_silence(self._connection, run_id=self._run_id, claim=self._claim)
        if silence is None:  # taken away, or ended by this very process: either way nothing is left to do
            os._exit(self._exit_code)
        self._good_until = asked_at + self._fence_seconds - silence
