"""Limits in a storm: starts, claims, ends, cancels, deaths and ticks at once. Every commit is counted."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from django.db import connection, transaction

from automation.engine.limits import Slot
from automation.engine.status import RunStatus
from automation.models import Run
from automation.store.cancel import cancel_runs
from automation.store.checkpoint import Entry, Move, write_checkpoint
from automation.store.claim import claim_runs
from automation.store.connection import Connection
from automation.store.intake import NewRun
from automation.store.limits import keys_with_room, make_room, make_room_each
from automation.store.recover import recover_runs
from automation.store.start import start_run
from automation.store.wake import wake_due
from automation.tests.limits.watch import seen, watched_limits

KEYS = ("a", "b", "c")
CAPACITY = 2
SECONDS = 4.0
ENDS = (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.QUEUED, RunStatus.WAITING)
LIVE = "select count(*) from automation_run where limit_key is not null and status < 50"


class Storm:
    """Threads that do one thing again and again until it is over."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._threads: list[threading.Thread] = []
        self.errors: list[str] = []
        self.started: list[int] = []

    def add(self, work: Callable[[Connection, random.Random], None], *, pause: float = 0.0) -> None:
        seed = len(self._threads)
        thread = threading.Thread(target=self._repeat, args=(work, random.Random(seed), pause))
        self._threads.append(thread)

    def rage(self) -> None:
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()

    def _repeat(self, work: Callable[[Connection, random.Random], None], dice: random.Random, pause: float) -> None:
        own = Connection()
        try:
            while time.monotonic() < self._until:
                work(own, dice)
                time.sleep(pause)
        except psycopg2.Error as error:  # a deadlock would be one
            self.errors.append(f"{type(error).__name__}: {error}")
        finally:
            own.close()


def starter(storm: Storm, version: Any) -> Callable[[Connection, random.Random], None]:
    def work(own: Connection, dice: random.Random) -> None:
        slot = Slot(f"{version.workflow_id}:{dice.choice(KEYS)}")
        run = NewRun(
            version.workspace_id, version.workflow_id, version.id, inputs={}, slot=slot, priority=dice.randint(0, 9)
        )
        started = own.transaction(lambda cursor: start_run(cursor, run))
        assert started is not None
        storm.started.append(started.id)

    return work


def worker(new_worker: Any, make_room_at_once: bool) -> Callable[[Connection, random.Random], None]:
    def work(own: Connection, dice: random.Random) -> None:
        runs = claim_runs(own, worker_id=new_worker, limit=dice.randint(1, 5))
        time.sleep(dice.random() * 0.01)
        if dice.random() < 0.05:  # killed with all it held
            own.rows("update automation_worker set state = 3 where id = %s", (new_worker,))
            recover_runs(own)
            own.rows("update automation_worker set state = 1 where id = %s", (new_worker,))
            return
        moves = {run.id: Move(dice.choice(ENDS), wait_seconds=0.01) for run in runs}
        entries = [Entry(run.id, run.claim, move=moves[run.id]) for run in runs]
        if entries:
            write_checkpoint(own, entries)
            if make_room_at_once:
                make_room_each(own, {run.limit_key for run in runs if run.limit_key})

    return work


def canceller(storm: Storm) -> Callable[[Connection, random.Random], None]:
    def work(own: Connection, dice: random.Random) -> None:
        if storm.started:
            chosen = [dice.choice(storm.started[-200:]) for _ in range(3)]
            own.transaction(lambda cursor: cancel_runs(cursor, sorted(set(chosen))))

    return work


def ticker(own: Connection, _dice: random.Random) -> None:
    recover_runs(own)
    wake_due(own)
    make_room_each(own, keys_with_room(own)[0])
    own.rows("update automation_run set status = 10 where status = 18")  # the isolation lane is not here


@pytest.mark.timeout(60)
def test_no_commit_ever_has_more_runs_under_way_than_the_limit_and_no_slot_leaks(limited, store, new_worker):
    version = limited(concurrency={"limit": CAPACITY, "key": "{{ inputs.key }}"})
    storm = Storm(SECONDS)
    for _ in range(3):
        storm.add(starter(storm, version), pause=0.002)
    for number in range(4):
        storm.add(worker(new_worker(), make_room_at_once=number % 2 == 0))
    storm.add(canceller(storm), pause=0.02)
    for _ in range(2):
        storm.add(ticker, pause=0.05)

    with watched_limits():
        storm.rage()
        # nothing more is started: what is left must flow off by the ticks alone
        last = new_worker()
        for _ in range(len(storm.started)):
            ticker(store, random.Random(0))
            entries = [
                Entry(run.id, run.claim, move=Move(RunStatus.SUCCEEDED))
                for run in claim_runs(store, worker_id=last, limit=50)
            ]
            write_checkpoint(store, entries) if entries else time.sleep(0.01)
            if store.rows(LIVE)[0][0] == 0:
                break
            if not Run.objects.filter(status__in=[10, 15, 18, 30]).exists():  # only held by the storm's workers
                store.rows("update automation_worker set state = 3 where id <> %s", (last,))
        checked, most, broken = seen()

    assert storm.errors == []
    assert broken == []
    assert most == CAPACITY
    assert store.rows(LIVE)[0][0] == 0
    assert checked > 3 * len(storm.started) > 300


@pytest.mark.timeout(60)
def test_many_starts_at_once_admit_exactly_as_many_as_there_is_room(limited, store):
    version = limited(concurrency={"limit": 3})
    gate = threading.Barrier(12)
    statuses: list[RunStatus] = []

    def one() -> None:
        own = Connection()
        slot = Slot(f"{version.workflow_id}:")
        run = NewRun(version.workspace_id, version.workflow_id, version.id, inputs={}, slot=slot)
        gate.wait()
        started = own.transaction(lambda cursor: start_run(cursor, run))
        assert started is not None
        statuses.append(started.status)
        own.close()

    threads = [threading.Thread(target=one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [RunStatus.QUEUED] * 3 + [RunStatus.BLOCKED] * 9


def test_a_newer_start_and_the_end_of_an_older_run_pass_one_slot_only_once(limited, start, store):
    version = limited(concurrency={"limit": 1})
    for _ in range(20):
        first, waiting = start(version), start(version)
        with connection.cursor() as cursor:
            cancel_runs(cursor, [first.id])
        gate = threading.Barrier(3)

        def admit(gate: threading.Barrier = gate) -> None:
            own = Connection()
            gate.wait()
            own.transaction(lambda cursor: make_room(cursor, [f"{version.workflow_id}:"]))
            own.close()

        threads = [threading.Thread(target=admit) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        live = Run.objects.filter(status=RunStatus.QUEUED).values_list("id", flat=True)
        assert list(live) == [waiting.id]
        with transaction.atomic(), connection.cursor() as cursor:
            cancel_runs(cursor, [waiting.id])
