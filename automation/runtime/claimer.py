"""Claimer: the one thread of a process that asks the database for runs, as many as slots are free."""

from __future__ import annotations

import threading
import time
from uuid import UUID

import psycopg2
import structlog

from automation.engine.status import RunStatus
from automation.runtime import refusals
from automation.runtime.plans import Plans, Unplannable
from automation.runtime.slots import Slots
from automation.runtime.turn import Host, Turn
from automation.runtime.vital import VitalThread
from automation.store import bell
from automation.store.checkpoint import Entry, Move
from automation.store.claim import Claimed, claim_runs
from automation.store.connection import Connection
from automation.store.load import load_steps

MOST_PER_CLAIM = 16
PAUSE_AFTER_ERROR_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Claimer(VitalThread):
    """Claims while slots are free and work is there; sleeps until kicked otherwise."""

    def __init__(self, slots: Slots, host: Host, *, queue: str = "default") -> None:
        super().__init__("claimer")
        self._host = host
        self._connection = Connection(application_name="brainops-claimer")
        self._plans = Plans(self._connection)
        self._slots = slots
        self._queue = queue
        self._kicked = threading.Event()
        self._is_stopping = False
        self.worker_id: UUID | None = None  # set by the heartbeat; None while this process may not claim

    def kick(self) -> None:
        """Look for work soon. A bell, a freed slot and a heartbeat that saw ready rows all end here."""
        self._kicked.set()

    def stop(self, timeout_seconds: float) -> None:
        """Claim nothing more."""
        self._is_stopping = True
        self._kicked.set()
        self.join(timeout_seconds)

    def live(self) -> None:
        """Claim until stopped."""
        while not self._is_stopping:
            self._kicked.wait()
            self._kicked.clear()
            try:
                self._drain()
            except psycopg2.Error as error:
                log.warning("claim_failed", error=str(error).strip())
                time.sleep(PAUSE_AFTER_ERROR_SECONDS)
                self._kicked.set()
        self._connection.close()

    def _drain(self) -> None:
        while not self._is_stopping and self.worker_id is not None:
            free = self._slots.free()
            if free == 0:
                # whoever frees a slot kicks again
                self._slots.wants_kick = True
                if self._slots.free() == 0:
                    return
                continue
            limit = min(free, MOST_PER_CLAIM)
            claimed = claim_runs(self._connection, worker_id=self.worker_id, queue=self._queue, limit=limit)
            self._hand_out(claimed)
            if len(claimed) < limit:
                self._slots.wants_kick = False
                return
            bell.ring()  # a full claim: more may be ready, let other processes look too

    def _hand_out(self, claimed: list[Claimed]) -> None:
        if not claimed:
            return
        try:
            resumed = [run.id for run in claimed if run.may_have_steps]
            steps = load_steps(self._connection, resumed) if resumed else {}
            versions = self._plans.get(run.version_id for run in claimed)
        except psycopg2.Error:
            for run in claimed:  # held but not startable now: give them back
                self._host.writer.submit(Entry(run.id, run.claim, move=Move(RunStatus.QUEUED)))
            raise
        for run in claimed:
            version = versions[run.version_id]
            if isinstance(version, Unplannable):
                refusal = refusals.unplannable(version.number, version.refusal)
                self._host.writer.submit(Entry(run.id, run.claim, move=Move(RunStatus.FAILED, error=refusal)))
            else:
                self._slots.start(Turn(run, version, steps.get(run.id, {}), self._host))
