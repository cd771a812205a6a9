"""run_flow: a whole run in memory, with a clock that jumps. No database, no threads.

Every decision is made by the functions the real runtime uses; this file only keeps the order. Serves the
conformance flows, the gallery's examples and the dry run.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from automation.engine.attempt import Surroundings, attempt
from automation.engine.finish import Finished, finish, left_behind, timed_out
from automation.engine.idempotency import idempotency_key
from automation.engine.kinds import Fail, LogLine
from automation.engine.plan import Plan, PlannedStep
from automation.engine.prepare import Prepared, Skipped, prepare
from automation.engine.progress import Progress
from automation.engine.results import StepResult
from automation.engine.scope import new_scope, show
from automation.engine.settle import Attempt, Settled, lost, settle, skip, woken
from automation.engine.status import StepStatus

Json = Any
START = datetime(2026, 1, 1, tzinfo=UTC)
Choose = Callable[[Sequence[PlannedStep]], int]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a simulated run starts from, and how its driver behaves.

    `results` are rows that survived an earlier attempt at the run. `choose` picks which ready step runs next;
    `on_row` sees every row as it comes and may stop the run by raising.
    """

    inputs: Json = field(default_factory=dict)
    trigger: Json = None
    run: Mapping[str, Json] = field(default_factory=lambda: {"id": "run", "number": 1, "attempt": 1, "mode": "test"})
    now: datetime = START
    results: tuple[StepResult, ...] = ()
    is_dry: bool = False
    secret: bytes = b"simulated"
    choose: Choose = lambda _ready: 0
    on_row: Callable[[StepResult], None] = lambda _row: None


@dataclass(frozen=True, slots=True)
class Simulated:
    """How a simulated run ended. `logs` pairs each line with its step, `attempts` lists each attempt in order."""

    finished: Finished
    steps: Mapping[str, StepResult]
    logs: tuple[tuple[str, LogLine], ...]
    response: Json
    attempts: tuple[tuple[str, int], ...]
    finished_at: datetime


def run_flow(plan: Plan, setup: Setup) -> Simulated:
    """Run a plan to its end. Waits and retries move the clock instead of taking time."""
    return _Driver(plan, setup).run()


class _Driver:
    def __init__(self, plan: Plan, setup: Setup) -> None:
        self._plan = plan
        self._setup = setup
        self._now = setup.now
        self._order = count()
        self._waiting: list[tuple[datetime, int, StepResult]] = []
        self._logs: list[tuple[str, LogLine]] = []
        self._attempts: list[tuple[str, int]] = []
        self._response: Json = None
        self._progress = Progress(plan, setup.results)
        inputs = plan.inputs.complete(setup.inputs)
        run = {"started_at": setup.now.isoformat(), **setup.run}
        self._scope = new_scope(plan, inputs=inputs, trigger=setup.trigger, run=run, results=setup.results)
        limit = plan.settings.timeout_seconds
        self._deadline = setup.now + timedelta(seconds=limit) if limit else None

    def run(self) -> Simulated:
        self._take_up(self._setup.results)
        finished = self._loop()
        rows = self._progress.results
        rows |= {row.path: row for row in left_behind(rows.values(), now=self._now)}
        return Simulated(finished, rows, tuple(self._logs), self._response, tuple(self._attempts), self._now)

    def _take_up(self, results: Iterable[StepResult]) -> None:
        """Go on where an earlier driver stopped: timers run on, and what it was in the middle of is lost."""
        for row in results:
            if row.status is StepStatus.STARTED:
                self._record(lost(self._plan.by_id[row.path], row, now=self._now))
            elif not row.status.is_final:
                self._wait(row)

    def _loop(self) -> Finished:
        ready: list[PlannedStep] = []
        while True:
            for row in self._progress.take_skipped():
                self._see(row)
            verdict = self._progress.verdict
            if verdict is not None:
                return finish(self._plan, self._scope, verdict)
            ready += self._progress.take_ready()
            if ready:
                self._start(ready.pop(self._setup.choose(ready)), 1)
            elif not self._wake_next():
                return timed_out(self._plan)

    def _wake_next(self) -> bool:
        """Jump to the next instant anything goes on; False when the run's own time is over before."""
        until, _, row = heapq.heappop(self._waiting)
        if self._deadline is not None and until > self._deadline:
            self._now = self._deadline
            return False
        self._now = max(self._now, until)
        if row.status is StepStatus.RETRYING:
            self._start(self._plan.by_id[row.path], row.attempt + 1)
        else:
            self._record(woken(row, now=self._now))
        return True

    def _start(self, step: PlannedStep, number: int) -> None:
        prepared = prepare(step, self._scope)
        if isinstance(prepared, Skipped):
            self._record(skip(step, prepared.reason, now=self._now))
            return
        self._attempts.append((step.path, number))
        settled = self._attempt(step, prepared, number)
        self._logs += [(step.path, line) for line in settled.logs]
        self._response = self._response or settled.response
        self._record(settled.result)

    def _attempt(self, step: PlannedStep, prepared: Prepared | Fail, number: int) -> Settled:
        config = prepared.config if isinstance(prepared, Prepared) else {}
        outcome = prepared if isinstance(prepared, Fail) else attempt(step, prepared, number, self._around(step))
        times = Attempt(number, config, self._now, self._now, seed=len(self._attempts))
        return settle(step, outcome, times)

    def _around(self, step: PlannedStep) -> Surroundings:
        return Surroundings(
            scope=self._scope,
            idempotency_key=idempotency_key(self._setup.secret, str(self._setup.run.get("id")), step.path),
            now=self._now,
            remaining_seconds=lambda: step.timeout_seconds,
            is_cancelled=lambda: False,
            is_dry=self._setup.is_dry,
        )

    def _record(self, row: StepResult) -> None:
        self._progress.record(row)
        self._see(row)
        if not row.status.is_final:
            self._wait(row)

    def _see(self, row: StepResult) -> None:
        show(self._scope, row)
        self._setup.on_row(row)

    def _wait(self, row: StepResult) -> None:
        heapq.heappush(self._waiting, (row.until or self._now, next(self._order), row))
