"""Queued slots: those of schedules with `overlap: queue`, one after the other, when the run before has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import connection, transaction

from automation.models.firing import FiringDecision
from automation.services.runnable import by_version
from automation.services.schedules import new_run
from automation.services.slot_runs import insert_runs
from automation.store.firings import Decided, Due, leave_out, link, living_runs
from automation.store.intake import NewRun
from automation.store.queued_slots import lock_queued, take_queued
from brainops.core.errors import AppError

BATCH = 50  # triggers of one transaction
MOST_BATCHES = 10  # of one tick


def start_queued() -> int:
    """Start the oldest waiting slot of each trigger whose runs have all ended; return how many. The caller rings.

    Ledger and run stand or fall together; killed in between, the slot still waits.
    """
    started = 0
    for _ in range(MOST_BATCHES):
        found, runs = _start_batch()
        started += runs
        if found < BATCH:
            break
    return started


def _start_batch() -> tuple[int, int]:
    with transaction.atomic(), connection.cursor() as cursor:
        locked = lock_queued(cursor, limit=BATCH)
        if not locked:
            return 0, 0
        # a new look: before we had the lock somebody else may have started one
        busy = living_runs(cursor, [due.trigger_id for due in locked])
        verdicts = [_verdict(due) for due in locked if due.trigger_id not in busy]
        fresh = take_queued(cursor, [decided for decided, _run in verdicts])
        runs = {at: run for row, run in verdicts if run and (at := (row.trigger_id, row.slot)) in fresh}
        accepted, full = insert_runs(cursor, runs)
        link(cursor, accepted)
        leave_out(cursor, full)
    return len(locked), len(accepted)


def _verdict(due: Due) -> tuple[Decided, NewRun | None]:
    """What becomes of a slot whose turn has come. Its condition was asked when it came due."""
    slot = due.next_fire_at
    decided = Decided(due.trigger_id, slot, FiringDecision.RAN, "It waited until the run before it had ended.")
    if not due.may_run or due.version_id is None:
        said = "The trigger or its workflow was switched off while the slot waited."
        return replace(decided, decision=FiringDecision.INACTIVE, reason=said), None
    try:
        version = by_version(due.version_id)
        return decided, new_run(due, version, version.checked(due.inputs), slot, due.last_fired_at)
    except (AppError, ValueError, LookupError) as refusal:  # the latter of a time zone that is gone
        return replace(decided, decision=FiringDecision.REFUSED, reason=_said(refusal)), None


def _said(refusal: Any) -> str:
    return refusal.message if isinstance(refusal, AppError) else str(refusal.args[0])
