"""Backfills: run the slots of a past period that have not run, each once, by the same ledger as the clock's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from automation.models import Firing, Trigger, Workflow
from automation.models.firing import FiringDecision
from automation.services.runnable import Runnable, by_version
from automation.services.schedules import KEEP_DAYS, new_run
from automation.services.slot_conditions import asked
from automation.services.slot_runs import insert_runs
from automation.store.bell import ring_on_commit
from automation.store.firings import Decided, Due, catch_up, leave_out, link
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import Clock
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import Conflict, InvalidInput, Problem

MOST_SLOTS = 500  # of one request; the answer says where the next one goes on
REASON = "Caught up by a backfill."
LEAST = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of one slot, or would. `is_new`: this backfill runs it."""

    slot: datetime
    decision: int
    is_new: bool
    run_uid: UUID | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Backfill:
    """All slots in order; `goes_on_at` is the first one that was too many for one request."""

    slots: list[Filled]
    goes_on_at: datetime | None


def backfill(caller: Caller, trigger_id: UUID | str, *, since: datetime, until: datetime, dry_run: bool) -> Backfill:
    """Run what has not run of the slots from `since` up to and without `until`, MOST_SLOTS at most.

    A slot that ran is never run again; one that was missed, refused or left out is. The trigger is locked meanwhile,
    so the clock does not fire it. Raises InvalidInput, Conflict, NotFound, PermissionDenied.
    """
    with transaction.atomic():
        workflow, trigger = locked(caller, trigger_id)
        version, due = version_of(workflow), due_of(workflow, trigger)
        slots_clock = clock_of(trigger)
        check_period(since, until)
        slots = slots_between(slots_clock, due, since, until)
        batch, rest = slots[:MOST_SLOTS], slots[MOST_SLOTS:]
        known = {row.slot: row for row in Firing.objects.filter(trigger=trigger, slot__in=batch)}
        fresh = [slot for slot in batch if slot not in known or known[slot].decision != FiringDecision.RAN]
        filled = [] if not fresh else _planned(fresh) if dry_run else run_slots(caller, due, version, fresh)
        if not dry_run:
            _audit(caller, trigger, since, until, [row for row in filled if row.run_uid])
    there = [_standing(known[slot]) for slot in batch if slot not in set(fresh)]
    return Backfill(sorted([*there, *filled], key=lambda row: row.slot), rest[0] if rest else None)


def locked(caller: Caller, trigger_id: UUID | str) -> tuple[Workflow, Trigger]:
    """The trigger and its workflow, locked in the order in which all that change them do."""
    found = get_scoped(Trigger.objects.only("id", "workflow_id", "workspace_id"), caller, trigger_id)
    workflow = Workflow.objects.select_for_update(no_key=True).get(id=found.workflow_id)
    for permission in (Permission.TRIGGERS_UPDATE, Permission.RUNS_EXECUTE):
        caller.require(permission, created_by=workflow.owner_id)
    return workflow, get_scoped(Trigger.objects.select_for_update(), caller, trigger_id)


def version_of(workflow: Workflow) -> Runnable:
    """The version that the runs are of. Raises Conflict."""
    if not workflow.is_active or workflow.archived_at or workflow.current_version_id is None:
        said = f"Workflow {workflow.name!r} is switched off, archived or has no version. Activate it first."
        raise Conflict(said, code="workflow_inactive")
    return by_version(workflow.current_version_id)


def clock_of(trigger: Trigger) -> Clock:
    """What the trigger fires by. Raises Conflict for one without slots."""
    kind = all_trigger_kinds().get(trigger.kind)
    if kind is None or kind.clock is None:
        raise Conflict(f"A trigger of the kind {trigger.kind!r} has no slots.", code="no_schedule")
    return kind.clock


def check_period(since: datetime, until: datetime) -> None:
    """Raise InvalidInput for a period that no backfill may have."""
    now, problems = clock.now(), []
    if since < now - timedelta(days=KEEP_DAYS):
        said = f"The ledger remembers {KEEP_DAYS} days, so that is how far back a backfill may go."
        problems.append(Problem("too_old", said, "/from"))
    if until > now:
        problems.append(Problem("in_future", "A backfill ends now at the latest: later slots will come.", "/until"))
    if until <= since:
        problems.append(Problem("invalid_range", "The period must end after it begins.", "/until"))
    if problems:
        raise InvalidInput.from_problems(problems)


def due_of(workflow: Workflow, trigger: Trigger) -> Due:
    """The locked trigger as those that fire see it."""
    now = clock.now()
    return Due(
        trigger_id=trigger.id,
        workspace_id=trigger.workspace_id,
        workflow_id=trigger.workflow_id,
        kind=trigger.kind,
        config=trigger.config,
        inputs=trigger.inputs,
        next_fire_at=now,
        last_fired_at=None,
        may_run=True,
        version_id=workflow.current_version_id,
        now=now,
        condition=trigger.condition,
    )


def slots_between(
    slots_clock: Clock, due: Due, since: datetime, until: datetime, *, most: int = MOST_SLOTS
) -> list[datetime]:
    """The slots of a period; one more than fits, at most."""
    found: list[datetime] = []
    slot = slots_clock.next_after(due.config, since - LEAST)
    while slot is not None and slot < until and len(found) <= most:
        found.append(slot)
        slot = slots_clock.next_after(due.config, slot)
    return found


def _planned(slots: list[datetime]) -> list[Filled]:
    return [Filled(slot, FiringDecision.RAN, is_new=True) for slot in slots]


def run_slots(caller: Caller, due: Due, version: Runnable, slots: list[datetime]) -> list[Filled]:
    """Run slots that have not run, in the caller's transaction, with the trigger locked."""
    inputs = version.checked(due.inputs)
    runs = {
        (due.trigger_id, slot): new_run(due, version, inputs, slot, None, is_backfill=True, created_by=caller.user_id)
        for slot in slots
    }
    runs, unmet = asked(due, runs)
    with connection.cursor() as cursor:
        catch_up(cursor, [Decided(due.trigger_id, slot, FiringDecision.RAN, REASON) for slot in slots])
        accepted, full = insert_runs(cursor, runs)
        link(cursor, accepted)
        full += unmet.values()
        leave_out(cursor, full)
    ring_on_commit()
    return list(_outcomes(accepted, full))


def _outcomes(accepted: list[tuple[UUID, datetime, UUID]], full: list[Decided]) -> Iterator[Filled]:
    for _trigger, slot, uid in accepted:
        yield Filled(slot, FiringDecision.RAN, True, uid, REASON)
    for row in full:
        yield Filled(row.slot, row.decision, True, None, row.reason)


def _standing(row: Firing) -> Filled:
    return Filled(row.slot, row.decision, False, row.run_uid, row.reason)


def _audit(caller: Caller, trigger: Trigger, since: datetime, until: datetime, ran: list[Any]) -> None:
    record(
        actor=caller,
        workspace_id=trigger.workspace_id,
        action="trigger.backfill",
        target_kind="trigger",
        target_id=trigger.id,
        summary=f"Ran {len(ran)} slots from {since.isoformat()} until {until.isoformat()}.",
    )
