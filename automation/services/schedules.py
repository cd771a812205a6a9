"""Schedules: fire what is due, exactly once per slot, whoever ticks and however often."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction

from automation.engine.durations import duration_text
from automation.engine.limits import BULK
from automation.models.firing import FiringDecision
from automation.services import limits, schedule_watch
from automation.services.runnable import Runnable, by_version
from automation.services.slot_conditions import asked
from automation.services.slot_runs import insert_runs
from automation.services.slot_scopes import slot_scope, utc_text
from automation.services.slot_verdicts import Verdict, keep_apart
from automation.store.cancel import cancel_runs
from automation.store.firings import Advance, Decided, Due, advance, leave_out, link, lock_due, prune, record
from automation.store.intake import NewRun
from automation.triggers import all_trigger_kinds
from automation.triggers.catch_up import due_slots, is_too_old, still_run
from automation.triggers.contract import Clock
from automation.triggers.timing import fires_at, slot_of
from brainops.core.errors import AppError

BATCH = 100  # triggers of one transaction: each may bring up to 100 runs after a pause
KEEP_DAYS = 90  # of the ledger; a slot is only ever looked at again within seconds

log = structlog.get_logger(__name__)


def fire_due(*, limit: int = 200, seconds: float = 60.0) -> int:
    """Fire up to `limit` due triggers on the database's clock; return how many runs were started.

    After `seconds` no further batch is begun; the next tick goes on.

    Locked triggers belong to somebody who is firing them at this moment, so they are skipped. Ledger, runs and the
    next fire time stand or fall together: killed anywhere in between, nothing happened and the next tick does it.
    The caller rings the bell.
    """
    started, seen, ends = 0, 0, time.monotonic() + seconds
    while seen < limit and (not seen or time.monotonic() < ends):
        size = min(BATCH, limit - seen)
        found, runs = _fire_batch(size)
        started, seen = started + runs, seen + found
        if found < size:
            break
    return started


def forget_old_firings(*, days: int = KEEP_DAYS) -> int:
    """Delete decisions about slots that are older than `days`; return how many."""
    with connection.cursor() as cursor:
        return prune(cursor, days=days)


def _fire_batch(size: int) -> tuple[int, int]:
    with transaction.atomic(), connection.cursor() as cursor:
        due = lock_due(cursor, limit=size)
        if not due:
            return 0, 0
        verdicts = [_verdict(trigger) for trigger in due]
        keep_apart(cursor, verdicts)
        fresh = record(cursor, [row for verdict in verdicts for row in verdict.decided])
        runs = {at: run for verdict in verdicts for at, run in verdict.runs.items() if at in fresh}
        _cancel(cursor, [run_id for verdict in verdicts if runs.keys() & verdict.runs for run_id in verdict.overtaken])
        accepted, full = insert_runs(cursor, runs)
        link(cursor, accepted)
        leave_out(cursor, full)
        schedule_watch.note(cursor, due, verdicts, full)
        advance(cursor, [verdict.advance for verdict in verdicts])
    return len(due), len(accepted)


def _cancel(cursor: Any, run_ids: list[int]) -> None:
    """Cancel runs that newer ones overtake, before these are inserted: runs are locked before limits."""
    if run_ids:
        cancel_runs(cursor, run_ids)
        limits.after_end(run_ids)


def _verdict(due: Due) -> Verdict:
    """Decide about every due slot of one trigger. Touches nothing."""
    kind = all_trigger_kinds().get(due.kind)
    if kind is None or kind.clock is None:
        return _broken(due, f"The trigger kind {due.kind!r} does not fire by the clock here.")
    try:
        slots, running, following = _slots(due, kind.clock)
    except (ValueError, LookupError) as error:  # a time zone that this machine does not know any more
        return _broken(due, str(error.args[0]))
    onward = Advance(due.trigger_id, following, slots[-1])
    if not due.may_run or due.version_id is None:
        return Verdict([Decided(due.trigger_id, slots[-1], FiringDecision.INACTIVE)], onward)
    try:
        version = by_version(due.version_id)
        inputs = version.checked(due.inputs)
        runs = dict(_runs(due, version, inputs, slots, running))
    except AppError as refusal:
        return Verdict([Decided(due.trigger_id, slots[-1], FiringDecision.REFUSED, refusal.message)], onward)
    runs, unmet = asked(due, runs)
    decided = [unmet.get((due.trigger_id, slot)) or _decision(due, kind.clock, slot, slot in running) for slot in slots]
    return Verdict(decided, onward, runs, kind.clock.overlap(due.config), kind.clock.queue_limit(due.config))


def _slots(due: Due, clock: Clock) -> tuple[list[datetime], set[datetime], datetime | None]:
    """The due slots, those of them that still run, and when the first one to come fires."""
    next_after = partial(clock.next_after, due.config)
    slots = due_slots(next_after, slot_of(clock, due.config, due.next_fire_at), due.now)
    following = next_after(due.now)
    if len(slots) > 1 and fires_at(clock, due.config, due.trigger_id, slots[-1]) > due.now:
        following = slots.pop()  # its delay is not over
    within = clock.missed_within(due.config)
    running = still_run(slots, clock.missed(due.config), due.now, within_seconds=within)
    onward = None if following is None else fires_at(clock, due.config, due.trigger_id, following)
    return slots, running, onward


def _decision(due: Due, clock: Clock, slot: datetime, runs: bool) -> Decided:
    if runs:
        return Decided(due.trigger_id, slot, FiringDecision.RAN)
    within, reason = clock.missed_within(due.config), ""
    if within is not None and is_too_old(slot, due.now, within):
        reason = f"It was found more than {duration_text(within)} late."
    return Decided(due.trigger_id, slot, FiringDecision.MISSED, reason)


def _runs(due: Due, version: Runnable, inputs: Any, slots: list[datetime], running: set[datetime]) -> Iterator[Any]:
    for previous, slot in zip([due.last_fired_at, *slots], slots, strict=False):
        if slot in running:
            yield (due.trigger_id, slot), new_run(due, version, inputs, slot, previous)


def new_run(
    due: Due,
    version: Runnable,
    inputs: Any,
    slot: datetime,
    previous: datetime | None,
    *,
    is_backfill: bool = False,
    created_by: UUID | None = None,
) -> NewRun:
    """The run of one slot. Those of a backfill go behind all others. Raises InvalidInput when its limit has no key."""
    trigger = slot_scope(due.kind, due.trigger_id, due.config, slot, previous, is_backfill=is_backfill)
    place = version.place(inputs, trigger, queue=BULK if is_backfill else None, may_gather=not is_backfill)
    return NewRun(
        workspace_id=due.workspace_id,
        workflow_id=due.workflow_id,
        version_id=version.version_id,
        inputs=inputs,
        trigger=trigger,
        trigger_id=due.trigger_id,
        created_by_id=created_by,
        dedupe_key=f"cron:{due.trigger_id}:{utc_text(slot)}",
        deadline_seconds=version.deadline_seconds,
        calls_on_failure=version.calls_on_failure,
        queue=place.queue,
        priority=place.priority,
        slot=place.slot,
        gathering=place.gathering,
    )


def _broken(due: Due, reason: str) -> Verdict:
    """Stop a trigger whose stored config cannot be read; saving it again starts it anew."""
    log.error("schedule_broken", trigger_id=str(due.trigger_id), reason=reason)
    decided = Decided(due.trigger_id, due.next_fire_at, FiringDecision.REFUSED, reason)
    return Verdict([decided], Advance(due.trigger_id, None, due.next_fire_at))
