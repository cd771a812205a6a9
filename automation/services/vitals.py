"""How the engine is doing, read from the database: a health component and the gauges of the scrape."""

from __future__ import annotations

import time
from collections.abc import Iterator

from django.db import connection

from automation.engine.status import RunStatus
from automation.models import Worker, WorkerState
from automation.services import meters as meters  # the page shows what workers count: every process knows the names
from automation.services import pause
from automation.store import vitals
from brainops.core.health import Component
from brainops.core.metrics import Sample

LATE_TICK_SECONDS = 10.0

# every series is there from the start, so that an alert on it never asks for something unknown
OPEN = [status for status in RunStatus if not status.is_final]
QUEUES = ("interactive", "default", "bulk")
PENDING = ("pending", "failed")  # deliveries of notices
TRANSFERS = ("queued", "running", "failed")


def workers() -> Component:
    """At least one worker breathes and somebody ticks. Without them accepted runs wait."""
    live = Worker.objects.filter(state=WorkerState.LIVE).count()
    age = last_tick_seconds()
    is_ticking = age is not None and age < LATE_TICK_SECONDS
    said = f"{live} live" if is_ticking else f"{live} live, but nobody has ticked for {LATE_TICK_SECONDS:.0f} s or more"
    is_paused = pause.paused_seconds() is not None
    note = f"{said}, paused: nothing is claimed until `manage.py resume`" if is_paused else said
    return Component("workers", is_up=live > 0 and is_ticking and not is_paused, note=note)


def last_tick_seconds() -> float | None:
    """Seconds since the last periodic work, None before the first."""
    age = vitals.last_tick()
    return None if age is None else float(age)


def samples() -> Iterator[Sample]:
    """What stands open, what waits how long, who breathes, and how far away the database is."""
    yield _round_trip()
    yield from _open_runs()
    yield from _queues()
    yield from _waiting_for_people()
    yield from _sources()
    live = dict(vitals.workers())
    for state in (WorkerState.LIVE, WorkerState.DRAINING):
        labels = {"state": str(state.label)}
        yield Sample("brainops_workers", "Worker processes that breathe, by state.", live.get(state, 0), labels)
    yield Sample(
        "brainops_paused", "1 while workers are told to claim nothing.", pause.paused_seconds() is not None, {}
    )
    age = last_tick_seconds()
    if age is not None:
        yield Sample("brainops_tick_age_seconds", "Time since somebody did the periodic work.", age, {})


def _round_trip() -> Sample:
    with connection.cursor() as cursor:
        cursor.execute("select 1")  # opens the connection, where there was none
        began = time.perf_counter()
        cursor.execute("select 1")
        seconds = time.perf_counter() - began
    return Sample("brainops_database_round_trip_seconds", "One statement to PostgreSQL and back.", seconds, {})


def _open_runs() -> Iterator[Sample]:
    found = {status: (count, oldest) for status, count, oldest in vitals.open_runs()}
    for status in OPEN:
        count, oldest = found.get(status, (0, 0.0))
        label = {"status": status.word}
        yield Sample("brainops_runs_open", "Runs that have not ended, by status.", count, label)
        yield Sample("brainops_runs_open_oldest_seconds", "Age of the oldest open run of a status.", oldest, label)


def _queues() -> Iterator[Sample]:
    found = {queue: (count, oldest) for queue, count, oldest in vitals.queues()}
    for queue in sorted({*QUEUES, *found}):
        count, oldest = found.get(queue, (0, 0.0))
        labels = {"queue": queue}
        yield Sample("brainops_queue_ready_runs", "Runs that could start now, by queue.", count, labels)
        yield Sample("brainops_queue_oldest_seconds", "Age of the oldest run that could start now.", oldest, labels)


def _sources() -> Iterator[Sample]:
    count, failing, waiting, late = vitals.sources()
    for state, number in (("all", count), ("failing", failing), ("waiting", waiting)):
        said = "Sources of triggers that are looked at; failing: cannot be read; waiting: a limit or quota is full."
        yield Sample("brainops_sources", said, number, {"state": state})
    yield Sample("brainops_sources_overdue_seconds", "How late the latest look at a source is.", late, {})


def _waiting_for_people() -> Iterator[Sample]:
    yield Sample("brainops_approvals_waiting", "Approvals that nobody has decided.", vitals.approvals_waiting(), {})
    deliveries, transfers = dict(vitals.notice_deliveries()), dict(vitals.transfers())
    for state in PENDING:
        count = deliveries.get(state, 0)
        yield Sample("brainops_notice_deliveries", "Notices to be sent, or given up.", count, {"state": state})
    for state in TRANSFERS:
        count = transfers.get(state, 0)
        yield Sample("brainops_transfers", "Exports and imports, by state.", count, {"state": state})
