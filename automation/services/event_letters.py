"""Deliveries of events to triggers, for people and programs: look them up, deliver dead letters again, discard them."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from automation.models import EventDelivery, EventDeliveryState
from automation.store import bell
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.audit.services import record
from brainops.core.errors import Conflict

MAY_REPEAT = frozenset({EventDeliveryState.DEAD, EventDeliveryState.SKIPPED, EventDeliveryState.DISCARDED})


def find(caller: Caller, **wanted: object) -> QuerySet[EventDelivery]:
    """Deliveries, the newest first; `wanted` by field."""
    caller.require(Permission.EVENTS_READ)
    return scoped(_rows(), caller).filter(**wanted)


def get(caller: Caller, delivery_id: UUID | str) -> EventDelivery:
    """One delivery. Raises NotFound."""
    caller.require(Permission.EVENTS_READ)
    return get_scoped(_rows(), caller, delivery_id)


def redeliver(caller: Caller, delivery_id: UUID | str) -> EventDelivery:
    """Bring an event to its trigger again: one that was given up, left out or discarded.

    Raises NotFound, Conflict (`not_redeliverable`) when it started a run or is still under way.
    """
    with transaction.atomic():
        row = _locked(caller, delivery_id)
        if row.state not in MAY_REPEAT:
            said = "The event started a run: retry that run." if row.run_uid else "The event is still under way."
            raise Conflict(said, code="not_redeliverable", details={"state": row.state})
        EventDelivery.objects.filter(id=row.id).update(
            state=EventDeliveryState.PENDING,
            attempts=0,
            repeats=F("repeats") + 1,
            next_at=Now(),
            updated_at=Now(),
        )
        _audit(caller, row, "redeliver", f"Brought the event {row.event.name!r} to its trigger again.")
        transaction.on_commit(bell.ring_for_events)
    return get(caller, delivery_id)


def discard(caller: Caller, delivery_id: UUID | str) -> EventDelivery:
    """Put a dead letter aside. Raises NotFound, Conflict (`no_dead_letter`)."""
    with transaction.atomic():
        row = _locked(caller, delivery_id)
        if row.state != EventDeliveryState.DEAD:
            said = f"Only a dead letter can be discarded; this one is {row.get_state_display()}."
            raise Conflict(said, code="no_dead_letter", details={"state": row.state})
        EventDelivery.objects.filter(id=row.id).update(state=EventDeliveryState.DISCARDED, updated_at=Now())
        _audit(caller, row, "discard", f"Discarded the dead letter of the event {row.event.name!r}.")
    return get(caller, delivery_id)


def _rows() -> QuerySet[EventDelivery]:
    return EventDelivery.objects.select_related("event", "trigger")


def _locked(caller: Caller, delivery_id: UUID | str) -> EventDelivery:
    caller.require(Permission.EVENTS_WRITE)
    caller.require(Permission.EVENTS_READ)  # the answer shows it
    return get_scoped(_rows().select_for_update(of=("self",)), caller, delivery_id)


def _audit(caller: Caller, row: EventDelivery, verb: str, summary: str) -> None:
    record(
        actor=caller,
        workspace_id=row.workspace_id,
        action=f"event.{verb}",
        target_kind="event_delivery",
        target_id=row.id,
        summary=summary,
    )
