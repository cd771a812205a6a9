"""Whoever ends a run ends its steps: what waited is cancelled, what was marked and never answered is unknown."""

from __future__ import annotations

import pytest
from django.db import connection

from automation.engine.results import StepResult
from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.models import Run, StepRun, Worker
from automation.store.cancel import cancel_runs
from automation.store.checkpoint import Entry, Move, write_checkpoint
from automation.store.recover import recover_runs
from automation.store.wake import time_out_late

LEFT = (StepStatus.STARTED, StepStatus.OPEN, StepStatus.WAITING, StepStatus.RETRYING, StepStatus.SUCCEEDED)
ENDED = [
    StepStatus.UNKNOWN,
    StepStatus.CANCELLED,
    StepStatus.CANCELLED,
    StepStatus.CANCELLED,
    StepStatus.SUCCEEDED,
    StepStatus.CANCELLED,
]


def ask_to_cancel(_store, run):
    with connection.cursor() as cursor:
        cancel_runs(cursor, [run.id])


def park(store, run):
    """Its last row comes with the park that the cancel turns into an end."""
    ask_to_cancel(store, run)
    waits = StepResult("z", "delay", StepStatus.WAITING)
    write_checkpoint(store, [Entry(run.id, run.claim, (waits,), move=Move(RunStatus.WAITING, 60.0, WaitKind.TIMER))])


def refuse(store, run):
    write_checkpoint(store, [Entry(run.id, run.claim, move=Move(RunStatus.FAILED, error={"type": "worker_lost"}))])


def recover(store, run):
    ask_to_cancel(store, run)
    Worker.objects.update(state=3)
    recover_runs(store)


def cancel_in_queue(store, run):
    write_checkpoint(store, [Entry(run.id, run.claim, move=Move(RunStatus.QUEUED))])
    ask_to_cancel(store, run)


def time_out(store, run):
    write_checkpoint(store, [Entry(run.id, run.claim, move=Move(RunStatus.QUEUED))])
    Run.objects.filter(id=run.id).update(deadline_at="2026-01-01T00:00:00Z")
    time_out_late(store)


@pytest.mark.parametrize("end", [park, refuse, recover, cancel_in_queue, time_out])
def test_no_step_outlives_its_run(end, store, held):
    for place, status in enumerate(LEFT):
        StepRun.objects.create(run_id=held.id, path=f"s{place}", kind="log", status=status)
    if end is not park:
        StepRun.objects.create(run_id=held.id, path="z", kind="log", status=StepStatus.WAITING)

    end(store, held)

    run = Run.objects.get(id=held.id)
    rows = list(StepRun.objects.filter(run_id=held.id).order_by("path"))
    assert (run.finishes, run.is_final) == (1, True)
    assert [row.status for row in rows] == ENDED
    assert rows[0].error["type"] == "unknown_outcome"
    assert {row.reason["type"] for row in rows if row.status == StepStatus.CANCELLED} == {"run_ended"}
