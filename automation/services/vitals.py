"""How the engine is doing, read from the database: a health component and the gauges of the scrape."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from automation.engine.status import RunStatus
from automation.models import Worker, WorkerState
from automation.store import bell
from brainops.core.health import Component
from brainops.core.metrics import Sample

# Counts only what is open: partial indexes serve it however many runs have ended.
OPEN_RUNS = """
select status, count(*), coalesce(extract(epoch from now() - min(created_at)), 0)::float8
from automation_run where status < 50 group by status
"""
LAST_TICK = "select extract(epoch from now() - ran_at)::float8 from automation_tick where name = 'pulse'"
LATE_TICK_SECONDS = 10.0


def workers() -> Component:
    """At least one worker breathes and somebody ticks. Without them accepted runs wait."""
    live = Worker.objects.filter(state=WorkerState.LIVE).count()
    age = last_tick_seconds()
    is_ticking = age is not None and age < LATE_TICK_SECONDS
    said = f"{live} live" if is_ticking else f"{live} live, but nobody has ticked for {LATE_TICK_SECONDS:.0f} s or more"
    return Component("workers", is_up=live > 0 and is_ticking, note=said)


def last_tick_seconds() -> float | None:
    """Seconds since the last periodic work, None before the first."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_TICK)
        row = cursor.fetchone()
    return float(row[0]) if row and row[0] is not None else None


def samples() -> Iterator[Sample]:
    """Open runs by status, how long the oldest of each waits, workers by state, lost bells."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN_RUNS)
        rows = cursor.fetchall()
    for status, count, oldest in rows:
        label = {"status": RunStatus(status).word}
        yield Sample("brainops_runs_open", "Runs that have not ended, by status.", count, label)
        yield Sample("brainops_runs_open_oldest_seconds", "Age of the oldest open run of a status.", oldest, label)
    for state in (WorkerState.LIVE, WorkerState.DRAINING):
        count = Worker.objects.filter(state=state).count()
        yield Sample("brainops_workers", "Worker processes that breathe, by state.", count, {"state": str(state.label)})
    yield Sample(
        "brainops_bells_failed_total", "Bells this process could not ring.", bell.failures(), {}, kind="counter"
    )
