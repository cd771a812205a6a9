"""Turn: one stay of a run on this process, from its claim to its finish, park or hand-back.

Every decision is the engine's (`Progress`, `prepare`, `attempt`, `settle`); this is the thin driver that performs
them in time and commits what follows.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from automation.engine.advance import Verdict
from automation.engine.attempt import Surroundings, attempt
from automation.engine.effects import effect_of, idempotency_of
from automation.engine.finish import finish, left_behind, timed_out
from automation.engine.idempotency import idempotency_key
from automation.engine.kinds import Effect, Idempotency, Outcome
from automation.engine.plan import Plan, PlannedStep
from automation.engine.prepare import Prepared, Skipped, prepare
from automation.engine.progress import Progress
from automation.engine.results import StepResult
from automation.engine.scope import new_scope, show
from automation.engine.settle import Attempt, lost, settle, skip, woken
from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.runtime import refusals
from automation.runtime.journal import ClaimLost, Journal
from automation.runtime.plans import Loaded
from automation.runtime.secret import idempotency_secret
from automation.runtime.writer import Writer
from automation.store.checkpoint import Move
from automation.store.claim import Claimed

SHORT_WAIT_SECONDS = 2.0  # shorter waits sleep in the thread; longer ones become a timer row
MODES = {1: "asynchronous", 2: "synchronous", 3: "test"}
RESTING = (StepStatus.WAITING, StepStatus.RETRYING)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Host:
    """What a turn needs of its process."""

    writer: Writer
    may_affect: Callable[[], bool] = lambda: True
    is_stopping: Callable[[], bool] = lambda: False
    on_parked: Callable[[float], None] = lambda _seconds: None


class Turn:
    """Drives one claimed run. `execute` never raises; another thread may `cancel` or `lose` it."""

    def __init__(self, run: Claimed, version: Loaded, steps: Mapping[str, StepResult], host: Host) -> None:
        self.run = run
        self._version = version
        self._rows = steps
        self._host = host
        self._stopped = threading.Event()  # cancelled or lost: wakes every sleep
        self._is_lost = False
        self._clock_offset = run.claimed_at - time.time()  # one clock: the database's
        self._journal = Journal(run, host.writer, is_careful=run.crashes > 0)
        self._progress = Progress(version.plan, steps.values())
        self._scope = self._new_scope(version.plan)
        self._doing: tuple[str, int, float] | None = None

    def cancel(self) -> None:
        """Stop at the next chance; I/O under way is given up."""
        self._stopped.set()

    def lose(self) -> None:
        """The claim is gone: stop and write nothing."""
        self._is_lost = True
        self._stopped.set()

    def progress(self) -> dict[str, Any]:
        """What this turn is on, for the heartbeat."""
        path, number, started_at = self._doing or ("", 0, self.run.claimed_at)
        return {"run": str(self.run.uid), "path": path, "attempt": number, "started_at": started_at}

    def execute(self) -> None:
        """Run until the run finishes, parks, is handed back or is lost."""
        try:
            self._go(self._version.plan)
        except ClaimLost:
            log.info("claim_lost", run_id=str(self.run.uid))
        except Exception as error:
            log.exception("run_broke", run_id=str(self.run.uid))
            self._end(RunStatus.FAILED, refusals.broke(error))

    def _go(self, plan: Plan) -> None:
        self._journal.is_careful |= plan.settings.checkpoint == "step"
        self._settle_started(plan)
        ready: deque[PlannedStep] = deque()
        while not self._is_interrupted():
            for row in self._progress.take_skipped():
                self._keep(row)
            verdict = self._progress.verdict
            if verdict is not None:
                self._finish(plan, verdict)
                return
            ready.extend(self._progress.take_ready())
            step = ready.popleft() if ready else self._due(plan)
            if step is not None:
                self._advance(step)
            elif self._rest():
                return

    # one step

    def _advance(self, step: PlannedStep) -> None:
        before = self._progress.results.get(step.path)
        if before is not None and before.status is StepStatus.WAITING:
            self._record(woken(before, now=self._now()))
            return
        number = before.attempt + 1 if before is not None else 1
        started_at = self._now()
        prepared = prepare(step, self._scope)
        if isinstance(prepared, Skipped):
            self._record(skip(step, prepared.reason, now=started_at))
            return
        if isinstance(prepared, Prepared):
            outcome, config = self._perform(step, prepared, number, started_at), prepared.config
        else:
            outcome, config = prepared, {}
        self._settle(step, outcome, Attempt(number, config, started_at, self._now(), seed=self.run.id))

    def _perform(self, step: PlannedStep, prepared: Prepared, number: int, started_at: datetime) -> Outcome:
        effect = effect_of(step.kind, prepared.config)
        if effect is not Effect.PURE:
            self._before_effect(step, prepared, effect, number, started_at)
        ends_at = time.monotonic() + min(step.timeout_seconds, self._seconds_left())
        around = Surroundings(
            scope=self._scope,
            idempotency_key=idempotency_key(idempotency_secret(), str(self.run.uid), step.path),
            now=started_at,
            remaining_seconds=lambda: ends_at - time.monotonic(),
            is_cancelled=self._stopped.is_set,
        )
        self._doing = (step.path, number, started_at.timestamp())
        try:
            return attempt(step, prepared, number, around)
        finally:
            self._doing = None
            self._journal.after(effect, is_deterministic=step.kind.is_deterministic)

    def _before_effect(
        self, step: PlannedStep, prepared: Prepared, effect: Effect, number: int, started_at: datetime
    ) -> None:
        """Commit what a crash must not undo; mark an effect that must not happen twice; prove that we live."""
        self._journal.before_effect()
        if effect.is_write and idempotency_of(step.kind, prepared.config) is Idempotency.NONE:
            mark = StepResult(step.path, step.kind.key, StepStatus.STARTED, number, started_at=started_at)
            self._journal.mark_started(mark)
        while not self._host.may_affect() and not self._stopped.wait(0.1):
            pass  # others may be about to take this run: no new effect until a heartbeat went through
        if self._is_lost:
            raise ClaimLost

    def _settle(self, step: PlannedStep, outcome: Outcome, made: Attempt) -> None:
        if self._is_lost:
            raise ClaimLost
        settled = settle(step, outcome, made)
        self._journal.add_lines(step.path, made.number, settled.logs, made.finished_at)
        if settled.response is not None:
            self._journal.respond(settled.response)
        self._record(settled.result)

    def _record(self, row: StepResult) -> None:
        self._progress.record(row)
        self._keep(row)

    def _keep(self, row: StepResult) -> None:
        show(self._scope, row)
        self._journal.add_step(row)

    # between steps

    def _settle_started(self, plan: Plan) -> None:
        """Started marks without a result: their process died in the effect."""
        for row in [row for row in self._rows.values() if row.status is StepStatus.STARTED]:
            self._record(lost(plan.by_id[row.path], row, now=self._now()))

    def _is_interrupted(self) -> bool:
        """End or hand back the run when it must not go on here."""
        if self._is_lost:
            raise ClaimLost
        if self._stopped.is_set():
            self._end(RunStatus.CANCELLED, None)
        elif self._seconds_left() <= 0:
            self._end(RunStatus.TIMED_OUT, timed_out(self._progress.plan).error)
        elif self._host.is_stopping() and self._progress.verdict is None:
            self._journal.close(Move(RunStatus.QUEUED))
        else:
            return False
        return True

    def _resting(self) -> list[StepResult]:
        return [row for row in self._progress.results.values() if row.status in RESTING]

    def _due(self, plan: Plan) -> PlannedStep | None:
        """The resting step whose time came first, if it has come."""
        now = self._now()
        due = [row for row in self._resting() if row.until is None or row.until <= now]
        return plan.by_id[min(due, key=lambda row: (row.until or now, row.path)).path] if due else None

    def _rest(self) -> bool:
        """Wait for the earliest timer: here when it is short, as a row otherwise (True: the turn is over)."""
        first = min(self._resting(), key=lambda row: row.until or self._now())
        seconds = (first.until - self._now()).total_seconds() if first.until else 0.0
        if seconds <= SHORT_WAIT_SECONDS:
            self._journal.flush()
            self._stopped.wait(max(0.0, seconds))
            return False
        kind = WaitKind.RETRY if first.status is StepStatus.RETRYING else WaitKind.TIMER
        self._journal.close(Move(RunStatus.WAITING, wait_seconds=seconds, wait_kind=kind))
        self._host.on_parked(seconds)
        return True

    # the end

    def _finish(self, plan: Plan, verdict: Verdict) -> None:
        finished = finish(plan, self._scope, verdict)
        self._end(finished.status, finished.error, output=finished.output)

    def _end(self, status: RunStatus, error: Any, *, output: Any = None) -> None:
        """End the run for good; steps that still waited end with it."""
        for row in left_behind(self._progress.results.values(), now=self._now()):
            self._journal.add_step(row)
        self._journal.close(Move(status, error=error, output=output))

    # the clock

    def _now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self._clock_offset, UTC)

    def _seconds_left(self) -> float:
        """Until the run's deadline, on the database's clock."""
        if self.run.deadline_at is None:
            return float("inf")
        return self.run.deadline_at - time.time() - self._clock_offset

    def _new_scope(self, plan: Plan) -> dict[str, Any]:
        about_run = {
            "id": str(self.run.uid),
            "number": self.run.id,
            "workflow": self._version.workflow_name,
            "version": self._version.number,
            "started_at": datetime.fromtimestamp(self.run.created_at, UTC).isoformat(),
            "attempt": self.run.attempt,
            "mode": MODES[self.run.mode],
        }
        return new_scope(
            plan,
            inputs=self.run.input.get("inputs"),
            trigger=self.run.input.get("trigger"),
            run=about_run,
            results=self._rows.values(),
        )
