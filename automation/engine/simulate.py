"""run_flow: a whole run in memory, with a clock that jumps. No database, no threads.

Every decision is made by the functions the real runtime uses; this file only keeps the order. Serves the
conformance flows, the gallery's examples and the dry run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from automation.engine.attempt import Surroundings, attempt
from automation.engine.course import DEFAULT_LIMITS, Course, Limits, Place
from automation.engine.effects import effect_of
from automation.engine.finish import Finished, finish, timed_out
from automation.engine.idempotency import idempotency_key
from automation.engine.kinds import Effect, Fail, LogLine, Outcome
from automation.engine.plan import Plan, PlannedStep
from automation.engine.prepare import Prepared, Skipped, prepare
from automation.engine.results import StepResult
from automation.engine.scope import new_scope
from automation.engine.settle import Attempt, Settled, settle, skip, woken
from automation.engine.stand_in import Workspace
from automation.engine.status import RunStatus
from automation.engine.unknown import judged, question

Json = Any
START = datetime(2026, 1, 1, tzinfo=UTC)
Choose = Callable[[Sequence[Place]], int]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a simulated run starts from, and how its driver behaves.

    `results` are rows that survived an earlier attempt at the run. `choose` picks which ready step runs next. `on_row`
    sees every row as it comes and may stop the run by raising, `on_rows` those that become durable together;
    `on_attempt` sees every step with its rendered `with` before it is attempted.
    """

    inputs: Json = field(default_factory=dict)
    trigger: Json = None
    variables: Mapping[str, Json] = field(default_factory=dict)
    run: Mapping[str, Json] = field(default_factory=lambda: {"id": "run", "number": 1, "attempt": 1, "mode": "test"})
    now: datetime = START
    results: tuple[StepResult, ...] = ()
    is_dry: bool = False
    secret: bytes = b"simulated"
    choose: Choose = lambda _ready: 0
    on_row: Callable[[StepResult], None] = lambda _row: None
    on_rows: Callable[[Sequence[StepResult]], None] = lambda _rows: None
    on_attempt: Callable[[Place, Prepared], None] = lambda _place, _prepared: None
    prepare: Callable[[PlannedStep, Mapping[str, Json]], Prepared | Skipped | Fail] = prepare
    attempt: Callable[[PlannedStep, Prepared, int, Surroundings], Outcome] = attempt
    workspace: Workspace = field(default_factory=Workspace)
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True, slots=True)
class Simulated:
    """How a simulated run ended. `logs` pairs each line with its step, `attempts` lists each attempt in order.

    A run that waits for news nobody gives has not ended: its `finished.status` is WAITING.
    """

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
        self._rows: dict[str, StepResult] = {row.path: row for row in setup.results}
        self._ready: list[Place] = []
        self._logs: list[tuple[str, LogLine]] = []
        self._attempts: list[tuple[str, int]] = []
        self._response: Json = None
        inputs = plan.inputs.complete(setup.inputs)
        run = {"started_at": setup.now.isoformat(), **setup.run}
        self._scope = new_scope(plan, inputs=inputs, trigger=setup.trigger, run=run, variables=setup.variables)
        self._course = Course(plan, setup.results, self._scope, now=setup.now, limits=setup.limits)
        limit = plan.settings.timeout_seconds
        self._deadline = setup.now + timedelta(seconds=limit) if limit else None

    def run(self) -> Simulated:
        finished = self._loop()
        if finished.status is not RunStatus.WAITING:
            self._course.end(self._now)
            self._rows |= {row.path: row for row in self._course.take_rows()}  # with the end itself, never before
        return Simulated(finished, self._rows, tuple(self._logs), self._response, tuple(self._attempts), self._now)

    def _loop(self) -> Finished:
        while True:
            self._see()
            verdict = self._course.verdict
            if verdict is not None:
                return finish(self._plan, self._scope, verdict)
            while (place := self._course.take_ready()) is not None:
                self._ready.append(place)
            self._ready = [place for place in self._ready if not place.frame.is_stopped]
            if self._ready:
                self._attempt(self._ready.pop(self._setup.choose(self._ready)))
            elif (place := self._course.take_due(self._now)) is not None:
                self._attempt(place)
            elif not self._course.ring(self._now) and (ended := self._jump()) is not None:
                return ended

    def _jump(self) -> Finished | None:
        """Move the clock to the next instant anything goes on; the end when there is none, or none in time."""
        until = self._course.next_due()
        if self._deadline is not None and (until is None or until > self._deadline):
            self._now = self._deadline
            return timed_out(self._plan)
        if until is None:
            return Finished(RunStatus.WAITING)
        self._now = max(self._now, until)
        return None

    def _attempt(self, place: Place) -> None:
        self._course.start(place)
        self._course.record(place, self._row(place), self._now)

    def _row(self, place: Place) -> StepResult:
        before = place.before
        if before is not None and place.is_woken:
            return woken(before, now=self._now)
        if before is not None and place.is_asked_about:
            answer = self._setup.workspace.perform(place.step.path, question(place.step, before), self._seconds)
            return judged(place.step, before, answer, now=self._now)
        prepared = self._setup.prepare(place.step, place.scope)
        if isinstance(prepared, Skipped):
            return skip(place.step, prepared.reason, now=self._now)
        if not place.waits_for_news:
            self._attempts.append((place.step.path, place.number))
        settled = self._settled(place, prepared)
        self._logs += [(place.step.path, line) for line in settled.logs]
        self._response = self._response or settled.response
        return settled.result

    def _settled(self, place: Place, prepared: Prepared | Fail) -> Settled:
        step, number = place.step, place.number
        if isinstance(prepared, Fail):
            return settle(step, prepared, Attempt(number, {}, self._now, self._now))
        self._setup.on_attempt(place, prepared)
        effect = effect_of(step.kind, prepared.config)
        outcome = self._setup.attempt(step, prepared, number, self._around(place))
        said = None if effect is Effect.PURE else effect.value
        times = Attempt(
            number,
            prepared.config,
            self._now,
            self._now,
            seed=len(self._attempts),
            effect=said,
            began_at=place.began_at,
        )
        return settle(step, outcome, times)

    def _around(self, place: Place) -> Surroundings:
        path = place.step.path
        return Surroundings(
            scope=place.scope,
            idempotency_key=idempotency_key(self._setup.secret, str(self._setup.run.get("id")), path),
            now=self._now,
            remaining_seconds=lambda: place.step.timeout_seconds,
            is_cancelled=lambda: False,
            is_dry=self._setup.is_dry,
            perform=lambda command: self._setup.workspace.perform(path, command, self._seconds),
        )

    @property
    def _seconds(self) -> float:
        return self._now.timestamp()

    def _see(self) -> None:
        rows = self._course.take_rows()
        if rows:
            self._setup.on_rows(rows)
        for row in rows:
            self._rows[row.path] = row
            self._setup.on_row(row)
