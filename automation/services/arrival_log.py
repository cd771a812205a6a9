"""The ledger of a trigger's arrivals for people, and looking at its source on request."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from automation.models import Arrival, Trigger
from automation.models.arrival import ArrivalDecision
from automation.services import sources, triggers
from automation.triggers import all_trigger_kinds
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
