"""Paced backfills: the slots of a long period as a replay, so many a minute, which can be watched and cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from automation.engine.status import RunStatus
from automation.models import Firing, PlannedSlot, Replay, ReplayItem, Run, Trigger
from automation.models.firing import FiringDecision
from automation.services import replays
from automation.services.backfills import (
    check_period,
    clock_of,
    due_of,
    locked,
    run_slots,
    slots_between,
    version_of,
)
from automation.services.retries import Repeat
from automation.services.runs import StartedRun
from automation.services.schedules import KEEP_DAYS
from brainops.accounts.caller import Caller
from brainops.audit.services import record
from brainops.core.errors import Conflict, InvalidInput, NotFound, Problem

SOURCE = "slots"


@dataclass(frozen=True, slots=True)
class Planned:
    """What a paced backfill would run: `slots` that have not run, in order, and how many had run before."""

    slots: list[datetime]
    ran: int


def preview(caller: Caller, trigger_id: UUID | str, *, since: datetime, until: datetime) -> Planned:
    """Plan and start nothing. Raises as `order` does."""
    with transaction.atomic():
        return _planned(caller, trigger_id, since, until)[1]


def order(caller: Caller, trigger_id: UUID | str, *, since: datetime, until: datetime, per_minute: int) -> Replay:
    """Order the slots of a period that have not run, oldest first; nothing is started yet.

    Raises InvalidInput for no slots or more than BRAINOPS_LIMIT_REPLAY_RUNS; Conflict, NotFound, PermissionDenied.
    """
    with transaction.atomic():
        trigger, planned = _planned(caller, trigger_id, since, until)
        if not planned.slots:
            raise _refused("no_slots", "Every slot of this period has run, or there is none.")
        rows = [PlannedSlot(trigger=trigger, slot=slot) for slot in planned.slots]
        PlannedSlot.objects.bulk_create(rows, batch_size=1000)
        replay = replays.start_of(caller, SOURCE, [row.id for row in rows], Repeat(), per_minute=per_minute)
        record(
            actor=caller,
            workspace_id=trigger.workspace_id,
            action="trigger.backfill",
            target_kind="trigger",
            target_id=trigger.id,
            summary=f"Ordered {len(rows)} slots from {since.isoformat()} until {until.isoformat()}.",
        )
    return replay


def repeat_slot(caller: Caller, subject_id: UUID, _repeat: Repeat, _dedupe_key: str) -> StartedRun:
    """Run one planned slot, in the caller's transaction; the slot itself is what makes it happen once.

    Raises NotFound, and Conflict when it has run meanwhile or may not run.
    """
    planned = PlannedSlot.objects.filter(id=subject_id, trigger__workspace_id=caller.workspace()).first()
    if planned is None:
        raise NotFound
    workflow, trigger = locked(caller, planned.trigger_id)
    version = version_of(workflow)
    if Firing.objects.filter(trigger=trigger, slot=planned.slot, decision=FiringDecision.RAN).exists():
        raise Conflict("The slot has run meanwhile.", code="slot_ran")
    (filled,) = run_slots(caller, due_of(workflow, trigger), version, [planned.slot])
    if filled.run_uid is None:
        raise Conflict(filled.reason, code="slot_left_out")
    run = Run.objects.only("id", "uid", "status", "created_at").get(uid=filled.run_uid)
    return StartedRun(run.id, run.uid, version, run.created_at, RunStatus(run.status))


def name_slots(items: Sequence[ReplayItem]) -> None:
    """Note in items which slot each is of, as `slot`; None when it is forgotten."""
    known = PlannedSlot.objects.in_bulk([item.subject_id for item in items if item.subject_id])
    for item in items:
        planned = known.get(item.subject_id) if item.subject_id else None
        vars(item)["slot"] = planned.slot if planned else None


def forget_old() -> int:
    """Delete planned slots that the ledger would not remember; return how many."""
    return PlannedSlot.objects.filter(slot__lt=Now() - timedelta(days=KEEP_DAYS + 1)).delete()[0]


def _planned(caller: Caller, trigger_id: UUID | str, since: datetime, until: datetime) -> tuple[Trigger, Planned]:
    workflow, trigger = locked(caller, trigger_id)
    version_of(workflow)
    clock, most = clock_of(trigger), settings.BRAINOPS_LIMITS["replay_runs"]
    check_period(since, until)
    slots = slots_between(clock, due_of(workflow, trigger), since, until, most=most)
    if len(slots) > most:
        raise _refused("too_many", f"The period has more than {most} slots, the most of one backfill. Shorten it.")
    rows = Firing.objects.filter(trigger=trigger, slot__gte=since, slot__lt=until, decision=FiringDecision.RAN)
    ran = set(rows.values_list("slot", flat=True))
    return trigger, Planned([slot for slot in slots if slot not in ran], len(ran & set(slots)))


def _refused(code: str, message: str) -> InvalidInput:
    return InvalidInput.from_problems([Problem(code, message, "/from")])
