"""Isolator: runs crash suspects one by one in a child process, so that a poison run takes nobody with it.

A run whose process died twice under it is a suspect. The child dies with its parent; a child that dies
by itself ends the run as failed with `worker_lost`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from enum import Enum
from uuid import UUID

import psycopg2
import structlog

from automation.engine.status import RunStatus
from automation.runtime import refusals
from automation.runtime.vital import VitalThread
from automation.runtime.writer import Writer
from automation.store.checkpoint import Entry, Move
from automation.store.claim import Claimed, Claims
from automation.store.connection import Connection

FENCE_LOST = 3  # exit code of a child that lost its claim: nothing to write
PAUSE_AFTER_ERROR_SECONDS = 0.5
REAP_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Why(Enum):
    """Why this process killed the child itself: then its death says nothing about the run."""

    CANCELLED = "cancelled"
    LOST = "lost"  # somebody else owns the run
    STOPPING = "stopping"  # this worker ends: recovery hands the run on


class Isolator(VitalThread):
    """Takes one suspect at a time."""

    def __init__(self, writer: Writer, *, fence_seconds: float) -> None:
        super().__init__("isolator")
        self._connection = Connection(application_name="brainops-isolator")
        self._claims = Claims(self._connection)
        self._writer = writer
        self._fence_seconds = fence_seconds
        self._kicked = threading.Event()
        self._is_stopping = False
        self.is_paused = False
        self._child: subprocess.Popen[bytes] | None = None
        self._why: Why | None = None
        self._run_id: int | None = None
        self.worker_id: UUID | None = None

    def kick(self) -> None:
        """Look for suspects soon."""
        self._kicked.set()

    def cancel(self, run_ids: frozenset[int]) -> None:
        """Kill the child when its run must stop, and record the cancel."""
        if self._run_id in run_ids:
            self._kill(Why.CANCELLED)

    def lose(self) -> None:
        """This process was declared dead: its child may touch nothing any more."""
        self._kill(Why.LOST)

    def stop(self, timeout_seconds: float) -> None:
        """Take no more suspects; the child at work hands its run back at the next step, or is killed in the end."""
        self._is_stopping = True
        self._kicked.set()
        if (child := self._child) is not None:
            child.terminate()
        self.join(timeout_seconds)
        self._kill(Why.STOPPING)
        self.join(REAP_SECONDS)

    def live(self) -> None:
        """Wait for suspects until stopped."""
        while not self._is_stopping:
            self._kicked.wait()
            self._kicked.clear()
            try:
                self._drain()
            except (psycopg2.Error, OSError) as error:
                log.warning("isolator_failed", error=str(error).strip())
                time.sleep(PAUSE_AFTER_ERROR_SECONDS)
                self._kicked.set()
        self._connection.close()

    def _drain(self) -> None:
        while not (self._is_stopping or self.is_paused) and (worker_id := self.worker_id) is not None:
            suspect = self._claims.suspect(worker_id=worker_id)
            if suspect is None:
                return
            self._run_alone(suspect, worker_id)

    def _run_alone(self, suspect: Claimed, worker_id: UUID) -> None:
        self._why, self._run_id = None, suspect.id
        try:
            self._child = self._spawn(suspect)
        except OSError:  # no memory or no process for a child now: somebody may have better luck
            self._move(suspect, Move(RunStatus.SUSPECT))
            raise
        if self.worker_id != worker_id:  # declared dead since the claim
            self._kill(Why.LOST)
        elif self._is_stopping:
            self._child.terminate()
        code = self._child.wait()
        self._child = self._run_id = None
        log.info("suspect_ended", run_id=str(suspect.uid), exit_code=code)
        self._judge(suspect, code, self._why)

    def _spawn(self, suspect: Claimed) -> subprocess.Popen[bytes]:
        arguments = [suspect.id, suspect.claim, os.getpid(), self._fence_seconds]
        command = [sys.executable, "-m", "automation.runtime.isolated", *map(str, arguments)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def _judge(self, suspect: Claimed, code: int, why: Why | None) -> None:
        """What the child's end means. No effect when it had finished the run before: the claim is gone then."""
        if code in (0, FENCE_LOST) or why in (Why.LOST, Why.STOPPING):
            return
        if why is Why.CANCELLED:
            self._move(suspect, Move(RunStatus.CANCELLED))
        else:
            self._move(suspect, Move(RunStatus.FAILED, error=refusals.worker_lost(code)))

    def _move(self, suspect: Claimed, move: Move) -> None:
        self._writer.submit(Entry(suspect.id, suspect.claim, move=move))

    def _kill(self, why: Why) -> None:
        if (child := self._child) is not None:
            self._why = why
            child.kill()
