"""What the state machine knows about the world: workers with memories, runs, and an outside that counts effects."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from automation.engine.attempt import Surroundings, attempt
from automation.engine.plan import Plan, PlannedStep
from automation.engine.prepare import Skipped, prepare
from automation.engine.progress import Progress
from automation.engine.results import StepResult
from automation.engine.scope import new_scope
from automation.engine.settle import Attempt, settle, skip, woken
from automation.engine.simulate import START
from automation.engine.status import RunStatus, StepStatus
from automation.store.claim import Claimed
from automation.tests.engine.reference import PROBE
from automation.tests.engine.samples import plan

RESTING = (StepStatus.WAITING, StepStatus.RETRYING)


@dataclass
class Told:
    """A run as it was accepted, and what the database last said of it."""

    id: int
    key: str
    steps: Sequence[dict[str, Any]]
    plan: Plan
    cancel_asked: bool = False
    news: int = 0  # given so far
    final: tuple[Any, ...] | None = None  # once it ended, this never changes
    kept: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # final rows, which never change


@dataclass
class Memory:
    """One run in the memory of one worker process: its claim, its rows, and which of them nobody stored yet."""

    run: Claimed | None  # None in the memory of a process that never was
    told: Told
    rows: dict[str, StepResult]
    unstored: dict[str, StepResult] = field(default_factory=dict)
    heard: int = 0  # news up to the claim

    def step(self, outside: Outside, pick: int) -> None:
        """Do the next thing the engine allows: skip, go on after a wait, or make an attempt."""
        progress = Progress(self.told.plan, self.rows.values())
        for row in progress.take_skipped():
            self._note(row)
        if progress.verdict is not None:
            return
        ready = [step for step in progress.take_ready() if step.path not in self.rows]
        resting = [self.told.plan.by_id[path] for path, row in self.rows.items() if row.status in RESTING]
        choice = [*ready, *resting]
        if not choice:
            return
        step = choice[pick % len(choice)]
        before = self.rows.get(step.path)
        if before is not None and before.status is StepStatus.WAITING:
            self._note(woken(before, now=START))
        else:
            self._note(self._attempted(step, before.attempt + 1 if before else 1, outside))

    def _attempted(self, step: PlannedStep, number: int, outside: Outside) -> StepResult:
        scope = new_scope(self.told.plan, inputs={}, trigger=None, run={}, results=self.rows.values())
        prepared = prepare(step, scope)
        if isinstance(prepared, Skipped):
            return skip(step, prepared.reason, now=START)
        outside.see(self.told, step.path)
        around = Surroundings(scope, "key", START, remaining_seconds=lambda: 30, is_cancelled=lambda: False)
        outcome = attempt(step, prepared, number, around)
        return settle(step, outcome, Attempt(number, prepared.config, START, START)).result

    def _note(self, row: StepResult) -> None:
        self.rows[row.path] = self.unstored[row.path] = row

    def verdict(self) -> RunStatus | None:
        """How the run ends by the rows in memory, None while it does not."""
        progress = Progress(self.told.plan, self.rows.values())
        for row in progress.take_skipped():
            self._note(row)
        return progress.verdict.status if progress.verdict else None

    def is_resting(self) -> bool:
        """Nothing is ready, something waits."""
        progress = Progress(self.told.plan, self.rows.values())
        if progress.verdict is not None or [s for s in progress.take_ready() if s.path not in self.rows]:
            return False
        return any(row.status in RESTING for row in self.rows.values())

    def take_unstored(self) -> tuple[StepResult, ...]:
        rows, self.unstored = tuple(self.unstored.values()), {}
        return rows


@dataclass
class Outside:
    """A target that honours idempotency keys: however often a call comes, its effect happens once."""

    calls: Counter[tuple[int, str]] = field(default_factory=Counter)

    def see(self, told: Told, path: str) -> None:
        self.calls[told.id, path] += 1


@dataclass
class WorkerModel:
    """A process: its row in the register, what it holds, whether it sleeps."""

    id: UUID
    memories: dict[int, Memory] = field(default_factory=dict)
    is_paused: bool = False
    is_dead: bool = False  # the process is gone


def planned(steps: Sequence[dict[str, Any]]) -> Plan:
    return plan(*steps, kinds=(PROBE,))


def by_run(rows: Sequence[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for run_id, *rest in rows:
        found[run_id].append(tuple(rest))
    return found
