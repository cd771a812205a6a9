"""Claimer: the one thread of a process that asks the database for runs, as many as slots are free."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from uuid import UUID

import psycopg2
import structlog

from automation.engine.status import RunStatus
from automation.runtime import refusals
from automation.runtime.dues import Dues
from automation.runtime.host import Host
from automation.runtime.plans import Loaded, Plans, Unplannable, variables_of
from automation.runtime.slots import Slots
from automation.runtime.turn import Known, Turn
from automation.runtime.vital import VitalThread
from automation.services import meters
from automation.store import bell
from automation.store.checkpoint import Entry, Move
from automation.store.claim import INTERACTIVE, Claimed, Claims
from automation.store.connection import Connection
from automation.store.load import BrokenRuns, load_ended_calls, load_inputs, load_steps

MOST_PER_CLAIM = 16
PAUSE_AFTER_ERROR_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Claimer(VitalThread):
    """Claims while slots are free and work is there; sleeps until kicked otherwise."""

    def __init__(self, slots: Slots, host: Host) -> None:
        super().__init__("claimer")
        self._host = host
        self._connection = Connection(application_name="brainops-claimer")
        self._claims = Claims(self._connection)
        self._plans = Plans(self._connection)
        self._slots = slots
        self._dues = Dues()
        self._kicked = threading.Event()
        self._is_stopping = False
        self.is_paused = False
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
        while not (self._is_stopping or self.is_paused) and (worker_id := self.worker_id) is not None:
            wanted = self._dues.wanted(self._slots.room(), most=MOST_PER_CLAIM)
            claimed = self._claims.ready(worker_id=worker_id, wanted=wanted) if wanted.limit else []
            self._dues.settle(run.queue for run in claimed)
            self._hand_out(claimed, worker_id)
            if claimed and len(claimed) == wanted.limit:
                bell.ring()  # a full claim: more may be ready, let other processes look too
                continue
            if sum(run.queue != INTERACTIVE for run in claimed) < wanted.shared:
                self._slots.wants_kick = False  # all that was ready is claimed
                return
            # more may be ready than slots were free: whoever frees one kicks again
            self._slots.wants_kick = True
            room = self._slots.room()
            if room.shared == 0 and (room.reserved == 0 or wanted.limit):
                return

    def _hand_out(self, claimed: list[Claimed], worker_id: UUID) -> None:
        if not claimed:
            return
        try:
            claimed = load_inputs(self._connection, claimed)
            resumed = [run.id for run in claimed if run.may_have_steps]
            steps = load_steps(self._connection, resumed) if resumed else {}
            informed = [run.id for run in claimed if run.signals]
            ended = load_ended_calls(self._connection, informed) if informed else {}
            versions = self._plans.get(run.version_id for run in claimed)
            variables = variables_of(self._connection, ((run, versions[run.version_id]) for run in claimed))
        except BrokenRuns as error:
            self._hand_out(self._without(claimed, error.broken), worker_id)
            return
        except psycopg2.Error:
            for run in claimed:  # held but not startable now: give them back
                self._host.writer.submit(Entry(run.id, run.claim, move=Move(RunStatus.QUEUED)))
            raise
        for run in claimed:
            known = Known(steps.get(run.id, {}), frozenset(ended.get(run.id, ())), variables.get(run.id, {}))
            self._start(run, versions[run.version_id], known, worker_id)

    def _start(self, run: Claimed, version: Loaded | Unplannable, known: Known, worker_id: UUID) -> None:
        if isinstance(version, Unplannable):
            self._refuse(run, refusals.unplannable(version.number, version.refusal))
            return
        try:
            turn = Turn(run, version, known, self._host)
        except Exception as error:
            log.exception("run_broke", run_id=str(run.uid))
            self._refuse(run, refusals.broke(error))
            return
        self._slots.start(turn)
        meters.claimed(run.queue, attempt=run.attempt, seconds=run.claimed_at - run.created_at)
        if self.worker_id != worker_id:  # declared dead since the claim: `lose_all` may have missed this one
            turn.lose()

    def _without(self, claimed: list[Claimed], broken: Mapping[int, str]) -> list[Claimed]:
        """Fail the runs whose payloads cannot be read; return the others."""
        for run in claimed:
            if run.id in broken:
                self._refuse(run, refusals.broken_payload(broken[run.id]))
        return [run for run in claimed if run.id not in broken]

    def _refuse(self, run: Claimed, refusal: dict[str, str]) -> None:
        self._host.writer.submit(Entry(run.id, run.claim, move=Move(RunStatus.FAILED, error=refusal)))
