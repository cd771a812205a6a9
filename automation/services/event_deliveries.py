"""Events to triggers: which trigger wants which event, and the runs they start, one for each event and trigger.

A delivery that cannot be made is tried again, each time after a longer pause, and becomes a dead letter in the end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from automation.engine.event_filter import wants
from automation.engine.points import reach
from automation.models import EventDelivery, EventDeliveryState
from automation.models.arrival import ArrivalDecision
from automation.services import arrivals
from automation.services.arrivals import Arrived
from automation.services.event_listeners import Heard, Listener, listeners
from automation.store import bell, events
from automation.store import event_deliveries as store
from automation.store.event_deliveries import Addressed, Due, Settled
from automation.store.events import BusEvent
from automation.triggers.contract import Item

BATCH = 20  # deliveries of one transaction
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 3600.0
AWAY = (OperationalError, InterfaceError)  # the database's doing, not the event's: the next round tries again
HOP_LIMIT, CIRCLE = "hop_limit", "circle"

_MADE = {
    ArrivalDecision.RAN: (EventDeliveryState.RAN, ""),
    ArrivalDecision.CONDITION: (EventDeliveryState.SKIPPED, "condition"),
    ArrivalDecision.SKIPPED: (EventDeliveryState.SKIPPED, "skipped"),
    ArrivalDecision.INACTIVE: (EventDeliveryState.SKIPPED, "inactive"),
    ArrivalDecision.LEFT_OUT: (EventDeliveryState.SKIPPED, "limit_full"),
    ArrivalDecision.REFUSED: (EventDeliveryState.DEAD, "refused"),
    ArrivalDecision.FAILED: (EventDeliveryState.DEAD, "condition_failed"),
}
_WAITS = {ArrivalDecision.FULL: "limit_full", ArrivalDecision.OVER_QUOTA: "over_quota"}

Json = Any

log = structlog.get_logger(__name__)


def take(cursor: Any, heard: Sequence[Heard]) -> None:
    """Write down which events go to which triggers, in the dispatcher's transaction."""
    configs = store.configs(cursor, {holder for one in heard for holder in one.holders})
    addressed = []
    for one in heard:
        for holder in one.holders:
            workspace_id, config = configs.get(holder, (None, {}))
            if workspace_id == one.event.workspace_id and wants(config, one.event.event):
                addressed.append(_addressed(cursor, one, holder))
    if addressed:
        store.add(cursor, addressed)


def has_due() -> bool:
    """True when a delivery is to be made now."""
    with connection.cursor() as cursor:
        return store.has_due(cursor)


def deliver_some() -> int:
    """Make a batch of deliveries; return how many were tried, 0 when none is due or somebody else delivers."""
    try:
        return _deliver(BATCH)
    except AWAY:
        raise
    except Exception:
        log.exception("events_not_delivered")
    return _deliver(1, is_alone=True)  # one of them cannot be delivered: the others are


def _addressed(cursor: Any, heard: Heard, trigger_id: UUID) -> Addressed:
    event = heard.event
    most = settings.BRAINOPS_LIMITS["event_hops"]
    if event.hops <= most:
        return _circle(cursor, heard, trigger_id) or Addressed(event.id, trigger_id, heard.position)
    chain = " → ".join(_named(*one) for one in events.chain_of(cursor, event.id, most=most + 1))
    said = f"The event is {event.hops} events away from the first one, more than {most} (BRAINOPS_LIMIT_EVENT_HOPS)"
    reason = f"{said}: do its workflows start each other? {chain}"
    return Addressed(event.id, trigger_id, heard.position, EventDeliveryState.DEAD, HOP_LIMIT, reason)


def _circle(cursor: Any, heard: Heard, trigger_id: UUID) -> Addressed | None:
    """What BrainOps says of a run that a trigger started, however far up, starts nothing by the same trigger.

    Without this each run would start one of each workflow that listens to the ends of runs, and these again.
    """
    event = heard.event
    is_told = event.event.type.startswith(events.RESERVED)
    if not (is_told and event.hops and trigger_id in events.triggers_above(cursor, event.id)):
        return None
    said = "The event is about a run that this trigger itself led to."
    return Addressed(event.id, trigger_id, heard.position, EventDeliveryState.SKIPPED, CIRCLE, said)


def _named(event_id: UUID, type_: str, run_uid: UUID | None) -> str:
    return f"{type_} ({event_id}{f' of run {run_uid}' if run_uid else ''})"


def _deliver(most: int, *, is_alone: bool = False) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        due = store.due(cursor, most=most)
        if not due:
            return 0
        read = events.read(cursor, {one.event_id for one in due})
        # not the deliveries are locked but their triggers: whoever deletes one locks it first, too
        known = {one.trigger_id: one for one in arrivals.listening(cursor, {one.trigger_id for one in due})}
        settled = []
        for one in due:
            listening, event = known.get(one.trigger_id), read.get(one.event_id)
            if listening is None or event is None:
                settled.append(Settled(one.id, EventDeliveryState.DEAD, "gone", "The trigger or the event is gone."))
            elif is_alone:
                settled.append(_try(cursor, one, listening, event))
            else:
                settled.append(_settled(one, _arrive(cursor, one, listening, event)))
        store.settle(cursor, settled)
        reach("in_event_delivery")
        if any(one.run_uid for one in settled):
            bell.ring_on_commit()
    return len(due)


def _arrive(cursor: Any, due: Due, listening: arrivals.Listening, event: BusEvent) -> Arrived:
    # whoever asks for it again gets a decision of its own, and a run
    key = f"{event.id}#{due.repeats}" if due.repeats else str(event.id)
    facts = {"event": event.event.attributes}
    item = Item(key, event.event.data, at=event.created_at)
    (arrived,) = arrivals.take(cursor, listening, [item], trigger_facts=facts)
    return arrived


def _settled(due: Due, arrived: Arrived) -> Settled:
    if arrived.waits:
        return _again(due, _WAITS[arrived.decision], arrived.reason)
    state, code = _MADE[arrived.decision]
    return Settled(due.id, state, code, arrived.reason, arrived.run_uid)


def _try(cursor: Any, due: Due, listening: arrivals.Listening, event: BusEvent) -> Settled:
    try:
        with transaction.atomic():
            return _settled(due, _arrive(cursor, due, listening, event))
    except AWAY:
        raise
    except Exception as error:
        log.exception("event_not_delivered", event_id=str(event.id), trigger_id=str(due.trigger_id))
        return _again(due, "failed", f"It could not be delivered: {type(error).__name__}.")


def _again(due: Due, code: str, reason: str) -> Settled:
    """Later, or never any more."""
    if due.attempts + 1 >= settings.BRAINOPS_EVENT_ATTEMPTS:
        return Settled(due.id, EventDeliveryState.DEAD, code, reason)
    pause = pause_seconds(due.attempts + 1)
    return Settled(due.id, EventDeliveryState.PENDING, code, reason, pause_seconds=pause)


def pause_seconds(attempts: int) -> float:
    """Seconds before the next attempt: 10, 20, 40 … up to an hour."""
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (attempts - 1))


def went(event_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Mapping[str, Json]]]:
    """To which triggers events went."""
    found: dict[UUID, list[Mapping[str, Json]]] = {}
    rows = EventDelivery.objects.filter(event_id__in=event_ids).select_related("trigger").order_by("created_at", "id")
    for row in rows:
        found.setdefault(row.event_id, []).append(described(row))
    return found


def described(row: EventDelivery) -> dict[str, Json]:
    """A delivery, for people and programs."""
    return {
        "listener": "trigger",
        "id": row.id,
        "state": row.state,
        "trigger_id": row.trigger_id,
        "workflow_id": row.trigger.workflow_id,
        "run_id": row.run_uid,
        "code": row.code,
        "reason": row.reason,
        "attempts": row.attempts,
        "next_at": row.next_at if row.state == EventDeliveryState.PENDING else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


listeners.register("trigger", Listener(take=take, went=went))
