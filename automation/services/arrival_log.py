"""The ledger of a trigger's arrivals for people: reading it, deciding anew, and looking at the source on request."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from automation.models import Arrival, Trigger
from automation.models.arrival import ArrivalDecision
from automation.services import arrivals, sources, triggers
from automation.store.bell import ring_on_commit
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import Item
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.audit.services import record
from brainops.core.errors import Conflict


def find(
    caller: Caller,
    trigger_id: UUID | str,
    *,
    decision: ArrivalDecision | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[Arrival]:
    """The arrivals of one trigger, without what came. Raises NotFound."""
    wanted = {"decision": decision, "created_at__gte": since, "created_at__lt": until}
    given = {lookup: value for lookup, value in wanted.items() if value is not None}
    rows = Arrival.objects.filter(trigger=triggers.get(caller, trigger_id), **given)
    return rows.defer("data", "handle")


def get(caller: Caller, trigger_id: UUID | str, arrival_id: UUID | str) -> Arrival:
    """One arrival of a trigger, with what came. Raises NotFound."""
    trigger = triggers.get(caller, trigger_id)
    return get_scoped(Arrival.objects.filter(trigger=trigger), caller, arrival_id)


def run(caller: Caller, trigger_id: UUID | str, arrival_id: UUID | str) -> Arrival:
    """Decide anew about something that started no run: under the condition and the inputs as they are now.

    Raises NotFound, PermissionDenied, and Conflict when it ran (`already_ran`) or is not kept whole (`sample_cut`).
    """
    with transaction.atomic(), connection.cursor() as cursor:
        trigger = get_scoped(Trigger.objects.select_related("workflow"), caller, trigger_id)
        for permission in (Permission.TRIGGERS_UPDATE, Permission.RUNS_EXECUTE):
            caller.require(permission, created_by=trigger.workflow.owner_id)
        heard = arrivals.listening(cursor, [trigger.id])
        rows = Arrival.objects.select_for_update(of=("self",)).filter(trigger=trigger)
        arrival = get_scoped(rows, caller, arrival_id)
        _refuse_unfit(arrival)
        Arrival.objects.filter(id=arrival.id).update(decision=ArrivalDecision.FULL)  # as if it had waited for room
        item = Item(arrival.key, arrival.data, arrival.at, arrival.handle, facts=arrival.facts or {})
        arrivals.take(cursor, heard[0], [item])
        record(
            actor=caller,
            workspace_id=trigger.workspace_id,
            action="trigger.run_arrival",
            target_kind="trigger",
            target_id=trigger.id,
            summary=f"Had the trigger decide anew about {arrival.key[:100]!r}.",
        )
        ring_on_commit()
    arrival.refresh_from_db()
    return arrival


def _refuse_unfit(arrival: Arrival) -> None:
    if arrival.decision == ArrivalDecision.RAN:
        raise Conflict("It has started its run already. Retry that run, or replay it.", code="already_ran")
    if arrival.is_cut or arrival.data is None:
        said = "It is not kept whole any more, so no run can be given it. Have its source show it again."
        raise Conflict(said, code="sample_cut")


def look_now(caller: Caller, trigger_id: UUID | str) -> Trigger:
    """Have the source of a trigger looked at as soon as possible. Raises NotFound, PermissionDenied, Conflict."""
    with transaction.atomic():
        rows = Trigger.objects.select_related("workflow")
        trigger = get_scoped(rows, caller, trigger_id)
        caller.require(Permission.TRIGGERS_UPDATE, created_by=trigger.workflow.owner_id)
        kind = all_trigger_kinds().get(trigger.kind)
        if kind is None or kind.polling is None:
            said = f"A trigger of the kind {trigger.kind!r} has no source to look at."
            raise Conflict(said, code="not_polled")
        if not sources.look_now(trigger.id):
            said = "The trigger is switched off, or is brought its things. Switch it on to have it look."
            raise Conflict(said, code="trigger_inactive")
        record(
            actor=caller,
            workspace_id=trigger.workspace_id,
            action="trigger.poll",
            target_kind="trigger",
            target_id=trigger.id,
            summary=f"Asked the {trigger.kind} trigger to look at its source now.",
        )
    return trigger
