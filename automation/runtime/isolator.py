"""Isolator: runs crash suspects one by one in a child process, so that a poison run takes nobody with it.

A run whose process died twice under it is a suspect. The child dies with its parent; a child that dies
by itself ends the run as failed with `worker_lost`.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from uuid import UUID

import psycopg2
import structlog

from automation.engine.status import RunStatus
from automation.runtime import refusals
from automation.runtime.vital import VitalThread
from automation.runtime.writer import Writer
from automation.store.checkpoint import Entry, Move
from automation.store.claim import Claimed, claim_suspect
from automation.store.connection import Connection

FENCE_LOST = 3  # exit code of a child that lost its claim: nothing to write

log = structlog.get_logger(__name__)


class Isolator(VitalThread):
    """Takes one suspect at a time."""

    def __init__(self, writer: Writer) -> None:
        super().__init__("isolator")
        self._connection = Connection(application_name="brainops-isolator")
        self._writer = writer
        self._kicked = threading.Event()
        self._is_stopping = False
        self._child: subprocess.Popen[bytes] | None = None
        self._run_id: int | None = None
        self.worker_id: UUID | None = None

    def kick(self) -> None:
        """Look for suspects soon."""
        self._kicked.set()

    def cancel(self, run_ids: frozenset[int]) -> None:
        """Kill the child when its run must stop; the runtime records the cancel."""
        if self._run_id in run_ids and self._child is not None:
            self._child.kill()

    def stop(self, timeout_seconds: float) -> None:
        """Take no more suspects; the child at work gets the rest of the time."""
        self._is_stopping = True
        self._kicked.set()
        self.join(timeout_seconds)
        if self._child is not None:
            self._child.kill()

    def live(self) -> None:
        """Wait for suspects until stopped."""
        while not self._is_stopping:
            self._kicked.wait()
            self._kicked.clear()
            try:
                self._drain()
            except (psycopg2.Error, OSError) as error:
                log.warning("isolator_failed", error=str(error).strip())
        self._connection.close()

    def _drain(self) -> None:
        while not self._is_stopping and self.worker_id is not None:
            suspect = claim_suspect(self._connection, worker_id=self.worker_id)
            if suspect is None:
                return
            self._run_alone(suspect)

    def _run_alone(self, suspect: Claimed) -> None:
        command = [sys.executable, "-m", "automation.runtime.isolated", str(suspect.id), str(suspect.claim)]
        self._run_id = suspect.id
        self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        code = self._child.wait()
        self._child = self._run_id = None
        log.info("suspect_ended", run_id=str(suspect.uid), exit_code=code)
        if code not in (0, FENCE_LOST):
            # no effect when the child had finished the run before it died: the claim is gone then
            self._writer.submit(
                Entry(suspect.id, suspect.claim, move=Move(RunStatus.FAILED, error=refusals.worker_lost(code)))
            )
