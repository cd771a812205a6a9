"""Every order of everything that can happen to runs, on a real PostgreSQL: nothing is lost, nothing ends twice."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.models import Run
from automation.store.cancel import cancel_runs
from automation.store.checkpoint import Entry, Move, write_checkpoint
from automation.store.claim import Claimed, Claims, Wanted
from automation.store.connection import Connection
from automation.store.intake import NewRun, insert_run
from automation.store.load import load_steps
from automation.store.news import give_news
from automation.store.recover import declare_dead, recover_runs
from automation.store.wake import wake_due
from automation.store.workers import beat, register
from automation.tests.engine.test_random_graphs import agrees, graphs
from automation.tests.property.model import Memory, Outside, Told, WorkerModel, by_run, planned
from automation.tests.property.profiles import depth
from automation.tests.triggers.rows import make_workflow

DEAD_SECONDS = 1.0
PICK = st.integers(0, 10_000)
RUNS = "select id, status, claim, worker_id, finishes, finished_at, crashes from automation_run where queue = %s"
ROWS = """
select s.run_id, s.path, s.status, s.attempt, s.output::text, s.port, s.error::text, s.finished_at
from automation_steprun s join automation_run r on r.id = s.run_id where r.queue = %s
"""
FALL_SILENT = "update automation_worker set heartbeat_at = now() - interval '1 hour' where id = any(%s::uuid[])"
OVER = "update automation_run set wake_at = now() where queue = %s and status = 30 and wake_at is not null"


class LosesAnswers(Connection):
    """Commits everything, and loses the next answer when it is told to."""

    loses_next = False

    def prepared(self, statement: Any, parameters: Any) -> list[tuple[Any, ...]]:
        return self._answer(super().prepared(statement, parameters))

    def rows(self, statement: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        return self._answer(super().rows(statement, parameters))

    def _answer(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        if self.loses_next:
            self.loses_next = False
            raise psycopg2.OperationalError("server closed the connection unexpectedly")
        return rows


class RunsOfManyWorkers(RuleBasedStateMachine):
    """Workers with memories of their own, a database, and an outside. Rules act; invariants look at the rows."""

    store = LosesAnswers()  # one connection for all examples

    def __init__(self) -> None:
        super().__init__()
        self.workflow = make_workflow()
        self.queue = f"property-{uuid4()}"
        self.runs: list[Told] = []
        self.workers: list[WorkerModel] = []
        self.outside = Outside()
        self.old: list[tuple[int, Any]] = []  # claims that were held once

    # what happens

    @initialize(count=st.integers(1, 3))
    def begin(self, count: int) -> None:
        for _ in range(count):
            self._new_worker()

    @precondition(lambda self: len(self.runs) < 5)
    @rule(steps=graphs())
    def submit(self, steps: Any) -> None:
        key = f"key:{len(self.runs)}-{self.queue}"
        accepted = self._accept(key)
        assert not accepted.is_duplicate
        self.runs.append(Told(accepted.id, key, steps, planned(steps)))

    @precondition(lambda self: self.runs)
    @rule(pick=PICK)
    def duplicate_submit(self, pick: int) -> None:
        told = self.runs[pick % len(self.runs)]
        again = self._accept(told.key)
        assert (again.id, again.is_duplicate) == (told.id, True)

    @precondition(lambda self: self._awake())
    @rule(pick=PICK, limit=st.integers(1, 3), is_unheard=st.booleans())
    def claim(self, pick: int, limit: int, is_unheard: bool) -> None:
        worker = self._one_awake(pick)
        claims = Claims(self.store)
        if is_unheard:  # committed, and the answer lost: the next claim gives them back first
            self.store.loses_next = True
            with suppress(psycopg2.OperationalError):
                claims.ready(worker_id=worker.id, wanted=Wanted(shared=limit, owed={self.queue: 0}))
        self._take(worker, claims.ready(worker_id=worker.id, wanted=Wanted(shared=limit, owed={self.queue: 0})))

    @precondition(lambda self: self._awake())
    @rule(pick=PICK)
    def claim_suspect(self, pick: int) -> None:
        worker = self._one_awake(pick)
        if (suspect := Claims(self.store).suspect(worker_id=worker.id)) is not None:
            self._take(worker, [suspect])

    @precondition(lambda self: self._held())
    @rule(pick=PICK, which=PICK, times=st.integers(1, 4))
    def run_step(self, pick: int, which: int, times: int) -> None:
        _, memory = self._one_held(pick)
        for _ in range(times):
            memory.step(self.outside, which)

    @precondition(lambda self: self._held())
    @rule(pick=PICK, is_unheard=st.booleans())
    def checkpoint(self, pick: int, is_unheard: bool) -> None:
        """Store what is in memory, with the end or the park when it has come to that."""
        worker, memory = self._one_held(pick)
        move = self._move(memory)
        entry = Entry(memory.run.id, memory.run.claim, memory.take_unstored(), move=move)
        if is_unheard:
            self.store.loses_next = True
            with suppress(psycopg2.OperationalError):
                write_checkpoint(self.store, [entry])
        standing = write_checkpoint(self.store, [entry])
        if memory.heard < memory.told.news:  # it came while the run was held: nobody parks on top of it
            assert standing.get(memory.run.id) != RunStatus.WAITING
            assert entry.move is None or self._status(memory.told) != RunStatus.WAITING
        if entry.move is not None or memory.run.id not in standing:
            del worker.memories[memory.run.id]

    @precondition(lambda self: self._held())
    @rule(pick=PICK)
    def hand_back(self, pick: int) -> None:
        """A worker that stops warmly gives its run back at a step boundary."""
        worker, memory = self._one_held(pick)
        move = Move(RunStatus.QUEUED) if memory.verdict() is None else self._move(memory)
        write_checkpoint(self.store, [Entry(memory.run.id, memory.run.claim, memory.take_unstored(), move=move)])
        del worker.memories[memory.run.id]

    @precondition(lambda self: self._living())
    @rule(pick=PICK)
    def crash(self, pick: int) -> None:
        worker = self._living()[pick % len(self._living())]
        worker.memories.clear()
        worker.is_dead = True
        self._new_worker()

    @precondition(lambda self: self._awake())
    @rule(pick=PICK)
    def pause(self, pick: int) -> None:
        self._one_awake(pick).is_paused = True

    @precondition(lambda self: self._paused())
    @rule(pick=PICK)
    def resume(self, pick: int) -> None:
        """It wakes with its memories; the heartbeat says whether they still count."""
        worker = self._paused()[pick % len(self._paused())]
        worker.is_paused = False
        if not beat(self.store, worker_id=worker.id, busy=[]).is_alive:
            worker.is_dead = True
            self._new_worker(worker.memories)  # its slots still wind down under a new name

    @precondition(lambda self: self._silent())
    @rule()
    def expire(self) -> None:
        silent = [worker.id for worker in self._silent()]
        self.store.rows(FALL_SILENT, (list(map(str, silent)),))
        declare_dead(self.store, silent, dead_seconds=DEAD_SECONDS)

    @rule()
    def recover(self) -> None:
        recover_runs(self.store)

    @rule(times=st.integers(1, 2))
    def tick(self, times: int) -> None:
        self.store.rows(OVER, (self.queue,))
        for _ in range(times):
            wake_due(self.store)

    @precondition(lambda self: self.runs)
    @rule(pick=PICK)
    def news(self, pick: int) -> None:
        """A signal, a decision or a child's end: a waiting run goes on, an ended one stays as it is."""
        told = self.runs[pick % len(self.runs)]
        before = self._status(told)
        with connection.cursor() as cursor:
            heard = give_news(cursor, [told.id])
        assert (told.id in heard) == (before < RunStatus.SUCCEEDED)
        told.news += 1
        assert self._status(told) != RunStatus.WAITING

    @precondition(lambda self: self.runs)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        told = self.runs[pick % len(self.runs)]
        before = self._status(told)
        with connection.cursor() as cursor:
            said = cancel_runs(cursor, [told.id])
        if before >= RunStatus.SUCCEEDED:
            assert said == {}
        else:
            told.cancel_asked = True
            expected = RunStatus.RUNNING if before == RunStatus.RUNNING else RunStatus.CANCELLED
            assert said == {told.id: expected}

    @precondition(lambda self: self.old)
    @rule(pick=PICK, ends=st.booleans())
    def zombie_write(self, pick: int, ends: bool) -> None:
        """A write under a claim of the past is refused, whatever it says."""
        run_id, token = self.old[pick % len(self.old)]
        if self.store.rows("select 1 from automation_run where id = %s and claim = %s", (run_id, token)):
            return  # it is no zombie: nobody took the run from it
        told = next(told for told in self.runs if told.id == run_id)
        wrong = Memory(None, told, {})
        wrong.step(Outside(), pick)
        move = Move(RunStatus.SUCCEEDED, output="wrong") if ends else None
        assert write_checkpoint(self.store, [Entry(run_id, token, wrong.take_unstored(), move=move)]) == {}

    # what is always true

    @invariant()
    def rows_are_right(self) -> None:
        rows = by_run(self.store.rows(ROWS, (self.queue,)))
        for run_id, status, claim, worker_id, finishes, finished_at, crashes in self.store.rows(RUNS, (self.queue,)):
            told = next(told for told in self.runs if told.id == run_id)
            assert (claim is not None) == (worker_id is not None) == (status == RunStatus.RUNNING)
            assert finishes == (status >= RunStatus.SUCCEEDED)
            self._never_changes(told, (status, finished_at, crashes))
            self._rows_stay(told, rows.get(run_id, []))

    def _never_changes(self, told: Told, said: tuple[Any, ...]) -> None:
        if told.final is not None:
            assert said == told.final
        elif said[0] >= RunStatus.SUCCEEDED:
            told.final = said
            assert said[0] != RunStatus.CANCELLED or told.cancel_asked
            assert said[0] != RunStatus.SUCCEEDED or not told.cancel_asked

    def _rows_stay(self, told: Told, rows: list[tuple[Any, ...]]) -> None:
        now = {path: rest for path, *rest in rows}
        assert len(now) == len(rows)
        for path, kept in told.kept.items():
            assert now[path] == list(kept)
        told.kept |= {path: tuple(row) for path, row in now.items() if row[0] >= StepStatus.SUCCEEDED}

    # the end: let everything go on, and every run must come to what the reference says

    def teardown(self) -> None:
        try:
            self._finish_everything()
        finally:
            Run.objects.filter(queue=self.queue).delete()

    def _finish_everything(self) -> None:
        for worker in self.workers:
            worker.is_dead, worker.memories = True, {}
        self.expire()
        self._new_worker()
        for _ in range(200):
            self.recover()
            self.tick(1)
            self.claim(len(self.workers) - 1, 3, False)
            self.claim_suspect(0)
            for worker, memory in self._held():
                memory.step(self.outside, 0)  # whatever rested may go on now
                while memory.verdict() is None and not memory.is_resting():
                    memory.step(self.outside, 0)
                self.checkpoint(self._held().index((worker, memory)), False)
            if all(self._status(told) >= RunStatus.SUCCEEDED for told in self.runs):
                break
        self.rows_are_right()
        stored = load_steps(self.store, [told.id for told in self.runs])
        for told in self.runs:
            self._check_end(told, stored.get(told.id, {}))

    def _check_end(self, told: Told, rows: dict[str, Any]) -> None:
        status = RunStatus(self._status(told))
        assert status.is_final
        if told.cancel_asked and status is RunStatus.CANCELLED:
            return
        failed = self.store.rows("select error ->> 'step' from automation_rundata where run_id = %s", (told.id,))
        agrees(told.steps, status, failed[0][0], rows)
        for path, row in rows.items():
            if row.status is StepStatus.SUCCEEDED:
                assert self.outside.calls[told.id, path] >= 1 or row.reason is not None

    # how

    def _accept(self, key: str) -> Any:
        run = NewRun(
            self.workflow.workspace_id,
            self.workflow.id,
            self.workflow.current_version_id,
            inputs={},
            queue=self.queue,
            dedupe_key=key,
        )
        with connection.cursor() as cursor:
            return insert_run(cursor, run)

    def _new_worker(self, memories: dict[int, Memory] | None = None) -> WorkerModel:
        worker = WorkerModel(uuid4(), memories or {})
        register(self.store, worker_id=worker.id, name=f"property/{worker.id}", pid=1, release="", slots=4)
        self.workers.append(worker)
        return worker

    def _take(self, worker: WorkerModel, claimed: list[Claimed]) -> None:
        rows = load_steps(self.store, [run.id for run in claimed])
        for run in claimed:
            told = next((told for told in self.runs if told.id == run.id), None)
            assert told is not None
            assert told.final is None
            worker.memories[run.id] = Memory(run, told, dict(rows.get(run.id, {})), heard=told.news)
            self.old.append((run.id, run.claim))

    def _move(self, memory: Memory) -> Move | None:
        verdict = memory.verdict()
        if verdict is not None:
            broken = next(
                (row for row in memory.rows.values() if row.status is StepStatus.FAILED and not row.port), None
            )
            return Move(verdict, error=broken.error if broken else None)
        if memory.is_resting():
            return Move(RunStatus.WAITING, wait_seconds=60.0, wait_kind=WaitKind.TIMER, signals=memory.run.signals)
        return None

    def _status(self, told: Told) -> int:
        return int(self.store.rows("select status from automation_run where id = %s", (told.id,))[0][0])

    def _living(self) -> list[WorkerModel]:
        return [worker for worker in self.workers if not worker.is_dead]

    def _awake(self) -> list[WorkerModel]:
        return [worker for worker in self._living() if not worker.is_paused]

    def _one_awake(self, pick: int) -> WorkerModel:
        return self._awake()[pick % len(self._awake())]

    def _paused(self) -> list[WorkerModel]:
        return [worker for worker in self._living() if worker.is_paused]

    def _silent(self) -> list[WorkerModel]:
        return [worker for worker in self.workers if worker.is_dead or worker.is_paused]

    def _held(self) -> list[tuple[WorkerModel, Memory]]:
        return [(worker, memory) for worker in self._awake() for memory in worker.memories.values()]

    def _one_held(self, pick: int) -> tuple[WorkerModel, Memory]:
        return self._held()[pick % len(self._held())]


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_in_whatever_order_every_run_ends_once_and_right():
    try:
        run_state_machine_as_test(RunsOfManyWorkers, settings=depth(quick=25, slow=500))
    finally:
        RunsOfManyWorkers.store.close()
