"""Events of a workspace, for people and programs: send some, look them up, see where they went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DataError, connection, transaction
from django.db.models import QuerySet

from automation.engine.cloud_events import HOPS, CloudEvent, hops_said
from automation.engine.commands import CommandRefused
from automation.models import Event
from automation.services.event_listeners import listeners
from automation.store import bell, events
from automation.store.events import RESERVED, Origin, Published
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.core.errors import InvalidInput, Problem, TooLarge

MOST_AT_ONCE = 1_000  # events of one request

Json = Any


@dataclass(frozen=True, slots=True)
class Taken:
    """An event that stands; `is_new`: this request put it there."""

    row: Event
    is_new: bool


def send(caller: Caller, said: Sequence[CloudEvent], *, is_batch: bool = False) -> list[Taken]:
    """Take in checked events, all of them or none; one with the source and id of an earlier one is that one.

    Raises PermissionDenied, InvalidInput with every problem, TooLarge for data beyond the limit.
    """
    caller.require(Permission.EVENTS_WRITE)
    _refuse(said, is_batch=is_batch)
    workspace_id = caller.workspace()
    sent_by = f"key:{caller.credential_id}" if caller.via == "api_key" else f"user:{caller.user_id}"
    published: dict[bytes, Published] = {}
    with transaction.atomic():
        # in one order, so that two who send the same events wait for each other and never in a circle
        for digest, event in sorted({events.digest_of(event): event for event in said}.items()):
            published[digest] = _publish(workspace_id, event, digest, sent_by)
        rows = {row.id: row for row in Event.objects.filter(id__in=[one.id for one in published.values()])}
        if any(one.is_heard for one in published.values()):
            transaction.on_commit(bell.ring_for_events)
    found = [published[events.digest_of(event)] for event in said]
    return [Taken(rows[one.id], one.is_new) for one in found]


def find(
    caller: Caller, *, since: datetime | None = None, until: datetime | None = None, **wanted: str
) -> QuerySet[Event]:
    """Events, newest first. `wanted` by name, source or subject; one that ends in `*` means all that begin like it.

    `until` is exclusive.
    """
    caller.require(Permission.EVENTS_READ)
    rows = scoped(Event.objects.select_related("run"), caller)
    for field, pattern in wanted.items():
        how = {f"{field}__startswith": pattern[:-1]} if pattern.endswith("*") else {field: pattern}
        rows = rows.filter(**how)
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    return rows if until is None else rows.filter(created_at__lt=until)


def get(caller: Caller, event_id: UUID | str) -> Event:
    """One event. Raises NotFound."""
    caller.require(Permission.EVENTS_READ)
    return get_scoped(Event.objects.select_related("run"), caller, event_id)


def said_by(row: Event) -> CloudEvent:
    """A stored event as a CloudEvent."""
    return CloudEvent(
        type=row.name,
        source=row.source or events.PLACE,
        id=row.given_id or str(row.id),
        subject=row.subject,
        time=row.said_at or events.time_text(row.created_at),
        datacontenttype=row.content_type,
        dataschema=row.data_schema,
        data=row.payload,
        is_binary=row.is_binary,
        extensions={**row.extensions, **({HOPS: row.hops} if row.hops else {})},
    )


def chain_of(row: Event) -> list[dict[str, Json]]:
    """The events that led to one, the first one first, without itself."""
    if row.cause is None:
        return []
    with connection.cursor() as cursor:
        chain = events.chain_of(cursor, row.id)
    return [{"id": id_, "type": type_, "run_id": run_uid} for id_, type_, run_uid in chain if id_ != row.id]


def where_it_went(row: Event) -> list[dict[str, Json]]:
    """What became of an event at each listener."""
    return [dict(one) for listener in listeners.values() for one in listener.went([row.id]).get(row.id, ())]


def _publish(workspace_id: UUID, event: CloudEvent, digest: bytes, sent_by: str) -> Published:
    origin = Origin(hops=hops_said(event), sent_by=sent_by)
    try:
        with connection.cursor() as cursor:
            return events.publish(cursor, workspace_id, event, origin=origin, digest=digest)
    except CommandRefused as refused:
        raise TooLarge(str(refused), details={"limit_bytes": settings.BRAINOPS_LIMITS["state_bytes"]}) from refused
    except DataError as error:
        said = f"The event {event.id!r} cannot be stored: {str(error).partition(chr(10))[0]}."
        raise InvalidInput(said, problems=[Problem("unstorable_value", said, "/data")]) from error


def _refuse(said: Sequence[CloudEvent], *, is_batch: bool) -> None:
    if len(said) > MOST_AT_ONCE:
        message = f"A request brings at most {MOST_AT_ONCE:,} events, got {len(said):,}. Send them in several."
        raise InvalidInput(message, problems=[Problem("too_many", message)])
    message = f"Types that begin with {RESERVED!r} are of what BrainOps itself says. Choose another one."
    places = [f"/{index}/type" if is_batch else "/type" for index in range(len(said))]
    wrong = [place for place, event in zip(places, said, strict=True) if event.type.startswith(RESERVED)]
    if wrong:
        raise InvalidInput.from_problems(Problem("reserved_type", message, place) for place in wrong)
