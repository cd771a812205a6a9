"""Events become deliveries: one for each subscription that hears of it, in the dispatcher's own transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from automation.engine.notices import LIFETIME_SECONDS
from automation.services import outboxes
from automation.services.event_listeners import Heard, Listener
from automation.store.events import RESERVED, BusEvent, source_of
from webhooks.models import OutboundDelivery
from webhooks.store import outbound as store
from webhooks.store.outbound import Listening

LISTENER = "subscriptions"

Json = Any


@dataclass(frozen=True, slots=True)
class _Told:
    """An event that may be sent, and the workflow it is about."""

    event: BusEvent
    workflow_id: UUID | None
    holders: tuple[UUID, ...]


def listener() -> Listener:
    """The subscriptions, for the bus."""
    return Listener(take=take, after=outboxes.call_postmen, went=went)


def take(cursor: Any, heard: Sequence[Heard]) -> None:
    """Write a delivery for each event and each subscription that wants it. Once, however often it is told."""
    told = [_Told(one.event, workflow_of(one.event), one.holders) for one in heard]
    subscriptions = store.listening(cursor, {holder for one in told for holder in one.holders})
    picky = any(one.tags for one in subscriptions.values())
    tags = store.tags_of(cursor, {one.workflow_id for one in told if one.workflow_id}) if picky else {}
    rows = [row for one in told for row in _rows(one, subscriptions, tags)]
    if rows:
        store.put(cursor, orjson.dumps(rows).decode(), lifetime_seconds=LIFETIME_SECONDS)


def body_of(event: BusEvent) -> dict[str, Json]:
    """What is posted: type, timestamp and data, as Standard Webhooks advises."""
    return {"type": event.event.type, "timestamp": event.event.time, "data": event.event.data}


def workflow_of(event: BusEvent) -> UUID | None:
    """The workflow that an event is about, or whose run emitted it; None when there is none."""
    data = event.event.data
    if event.event.type.startswith(RESERVED):
        return _as_id(data.get("workflow_id")) if isinstance(data, dict) else None
    if event.run_uid is None:  # from outside: it may say any source
        return None
    return _as_id(event.event.source.removeprefix(source_of("")))


def went(event_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Mapping[str, Json]]]:
    """To which subscriptions events went, and what became of it."""
    found: dict[UUID, list[Mapping[str, Json]]] = {}
    names = ("event_id", "id", "subscription_id", "state", "attempts", "last_error")
    rows = OutboundDelivery.objects.filter(event_id__in=[str(id_) for id_ in event_ids]).order_by("created_at", "id")
    for event_id, *values in rows.values_list(*names):
        said = dict(zip(names[1:], values, strict=True))
        found.setdefault(UUID(event_id), []).append({"listener": LISTENER, **said})
    return found


def _rows(
    told: _Told, subscriptions: Mapping[UUID, Listening], tags: Mapping[UUID, frozenset[str]]
) -> Iterator[dict[str, Json]]:
    for holder in told.holders:
        subscription = subscriptions.get(holder)
        if subscription is None or subscription.workspace_id != told.event.workspace_id:
            continue
        if not _is_about(subscription, told.workflow_id, tags):
            continue
        yield {
            "workspace_id": subscription.workspace_id,
            "subscription_id": subscription.id,
            "event_id": told.event.id,
            "type": told.event.event.type,
            "workflow_id": told.workflow_id,
            "body": body_of(told.event),
        }


def _is_about(subscription: Listening, workflow_id: UUID | None, tags: Mapping[UUID, frozenset[str]]) -> bool:
    """True when the subscription hears of the workflow; one that names neither workflows nor tags hears of all."""
    if not subscription.workflow_ids and not subscription.tags:
        return True
    if workflow_id is None:
        return False
    return str(workflow_id) in subscription.workflow_ids or bool(subscription.tags & tags.get(workflow_id, frozenset()))


def _as_id(text: Json) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
