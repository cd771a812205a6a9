"""Retention: runs that were kept long enough go, a few at a time; what they add up to stays.

One pass looks at every run once, in order of age, and stops at those too young to go. A thread of one worker process
makes it, in slices, with pauses: nobody waits for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg2
import structlog
from django.conf import settings

from automation.engine.retention import Retention
from automation.engine.status import RunStatus
from automation.store.connection import Connection
from automation.store.prune import (
    Examined,
    Pruned,
    examine,
    kept_from,
    prune_runs,
    said_by_workflows,
    untie,
    weigh,
)
from automation.store.ticks import take_turn
from brainops.core import clock
from brainops.core.registry import Registry

MOST_RUNS = 500  # of one transaction
MOST_ROWS = 5_000  # steps and log lines of one transaction; a run with more goes alone
LEAST_ROWS = 200
BATCH_SECONDS = 0.05  # what a transaction should take: a retry of a run that is being deleted waits for its end
MOST_EXAMINED = 5_000  # runs of one look
EVERY_SECONDS = 60.0
SLICE_SECONDS = 40.0  # of work in a minute
REST = 1.0  # pause after a batch, as a share of the time it took
PASS_SECONDS = 600.0  # from the end of one pass to the next

log = structlog.get_logger(__name__)

# What other rooms let go in the same thread: a function of the connection and of "time is up", that says how many.
others: Registry[Callable[[Connection, Callable[[], bool]], int]] = Registry("retention")


@dataclass(slots=True)
class Outcome:
    """What a slice of a pass did. `next_after` is where the next slice goes on; None when the pass is over."""

    runs: int = 0
    steps: int = 0
    batches: int = 0
    busy: int = 0  # batches that were given up because somebody held their rows
    longest_batch_seconds: float = 0.0
    most_rows: int = field(default_factory=lambda: LEAST_ROWS)  # of the next batch: grows while batches are quick
    next_after: int | None = None
    by_workflow: dict[UUID, int] = field(default_factory=dict)


def defaults() -> Retention:
    """What the settings say: for every workflow that says nothing itself."""
    days: Mapping[str, float] = settings.BRAINOPS_RETENTION_DAYS
    seconds = {status: days[status.word] * 86_400 or None for status in RunStatus if status.is_final}
    return Retention({int(status): one for status, one in seconds.items()}, settings.BRAINOPS_RETENTION_KEEP_LAST)


def of_workflow(said: Mapping[str, Any] | None) -> Retention:
    """The retention of a workflow whose column says `said`."""
    return defaults() if said is None else defaults().changed(said)


class Policies:
    """The retention of every workflow, and which of its newest runs it keeps. As of now; made anew for each slice."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._default = defaults()
        self._own = {workflow_id: self._default.changed(said) for workflow_id, said in said_by_workflows(connection)}
        self._kept_from: dict[UUID, int] = {}

    @property
    def least_seconds(self) -> float | None:
        """The age below which no run goes; None when none ever goes."""
        ages = [policy.least_seconds for policy in (self._default, *self._own.values())]
        return min((age for age in ages if age is not None), default=None)

    def lets_go(self, run: Examined, now: datetime) -> bool:
        """True when the run may be deleted."""
        if run.is_kept or run.finished_at is None:
            return False
        policy = self._own.get(run.workflow_id, self._default)
        if not policy.has_expired(run.status, (now - run.finished_at).total_seconds()):
            return False
        return not policy.keep_last or run.id < self._newest(run.workflow_id, policy.keep_last)

    def _newest(self, workflow_id: UUID, count: int) -> int:
        if workflow_id not in self._kept_from:
            self._kept_from[workflow_id] = kept_from(self._connection, workflow_id, count)
        return self._kept_from[workflow_id]


def prune(
    connection: Connection, *, after: int = 0, is_over: Callable[[], bool] = lambda: False, is_dry: bool = False
) -> Outcome:
    """Go through the runs behind the inner id `after` and delete those that were kept long enough.

    `is_dry` only counts them (`by_workflow`). Ends when `is_over()` or when the rest is too young.
    """
    policies = Policies(connection)
    outcome = Outcome(next_after=after)
    least = policies.least_seconds
    while least is not None and outcome.next_after is not None and not is_over():
        runs = examine(connection, after=outcome.next_after, limit=MOST_EXAMINED)
        now = clock.now()
        doomed = [run for run in runs if policies.lets_go(run, now)]
        for run in doomed if is_dry else ():
            outcome.by_workflow[run.workflow_id] = outcome.by_workflow.get(run.workflow_id, 0) + 1
        if not is_dry and not _delete(connection, doomed, outcome, is_over):
            return outcome
        is_end = len(runs) < MOST_EXAMINED or (now - runs[-1].created_at).total_seconds() < least
        outcome.next_after = None if is_end else runs[-1].id
    if least is None:
        outcome.next_after = None
    return outcome


def _delete(connection: Connection, doomed: Sequence[Examined], outcome: Outcome, is_over: Callable[[], bool]) -> bool:
    """Delete runs batch by batch; False when time was up before all of them were done."""
    for batch in _batches(connection, [run.id for run in doomed], outcome):
        if is_over():
            return False
        started = time.monotonic()
        try:
            untie(connection, batch)
            pruned = prune_runs(connection, batch)
        except psycopg2.errors.LockNotAvailable:
            outcome.busy += 1  # the next pass finds them again
            pruned = Pruned()
        took = time.monotonic() - started
        outcome.runs += pruned.runs
        outcome.steps += pruned.steps
        outcome.batches += 1
        outcome.longest_batch_seconds = max(outcome.longest_batch_seconds, took)
        wanted = outcome.most_rows * 2 if took < BATCH_SECONDS else int(outcome.most_rows * BATCH_SECONDS / took)
        outcome.most_rows = min(max(wanted, LEAST_ROWS), MOST_ROWS)
        time.sleep(took * REST)
    return True


def _batches(connection: Connection, run_ids: Sequence[int], outcome: Outcome) -> Iterator[list[int]]:
    """Runs in portions whose deletion is quick; weighed as they come."""
    batch: list[int] = []
    rows = 0
    for start in range(0, len(run_ids), MOST_RUNS):
        for run_id, weight in weigh(connection, run_ids[start : start + MOST_RUNS]):
            if batch and (len(batch) == MOST_RUNS or rows + weight > outcome.most_rows):
                yield batch
                batch, rows = [], 0
            batch.append(run_id)
            rows += weight
    if batch:
        yield batch


class Sweeper:
    """Makes the passes of this process in a thread of its own; the database says whose turn it is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._after = 0
        self._rests_until = 0.0  # monotonic

    def start(self) -> int:
        """Begin a slice unless one is under way or a pass has just ended. Answers 0: the thread says what it did."""
        with self._lock:
            is_busy = self._thread is not None and self._thread.is_alive()
            if not is_busy and time.monotonic() >= self._rests_until:
                self._thread = threading.Thread(target=self._sweep, name="retention", daemon=True)
                self._thread.start()
        return 0

    def wait(self) -> None:
        """Wait for the slice under way (for tests)."""
        if self._thread is not None:
            self._thread.join()

    def _sweep(self) -> None:
        connection = Connection(application_name="brainops-retention")
        try:
            if take_turn(connection, "retention", every_seconds=EVERY_SECONDS * 0.9):
                self._slice(connection)
        except Exception:  # whatever it was: the next minute tries again
            log.exception("retention_failed")
        finally:
            connection.close()

    def _slice(self, connection: Connection) -> None:
        ends_at = time.monotonic() + SLICE_SECONDS

        def is_over() -> bool:
            return time.monotonic() >= ends_at

        for name, forget in others.items():
            if count := forget(connection, is_over):
                log.info("old_rows_deleted", what=name, count=count)
        done = prune(connection, after=self._after, is_over=is_over)
        self._after = done.next_after or 0
        if done.next_after is None:
            self._rests_until = time.monotonic() + PASS_SECONDS
        if done.runs or done.busy:
            longest = round(done.longest_batch_seconds, 3)
            log.info("runs_pruned", runs=done.runs, steps=done.steps, busy=done.busy, longest_batch_seconds=longest)


sweeper = Sweeper()
