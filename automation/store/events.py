"""Events of a workspace: each is written once, and queued for the dispatcher by the same statement if it is wanted."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.conf import settings

from automation.engine.cloud_events import HOPS, MOST, CloudEvent, may_hold
from automation.engine.commands import CommandRefused

NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_.:-]{0,199}$"
RESERVED = "brainops."  # types of what the installation itself says

# A wish fits by its type, or by its beginning when it ends in a star.
PUBLISH = """
with new_event as (
  insert into automation_event (id, workspace_id, name, source, given_id, subject, said_at, content_type, data_schema,
                                extensions, payload, is_binary, digest, hops, cause, run_id, path, sent_by)
  values (%(id)s, %(workspace)s, %(type)s, %(source)s, %(given_id)s, %(subject)s, %(said_at)s, %(content_type)s,
          %(data_schema)s, %(extensions)s::jsonb, %(data)s::jsonb, %(is_binary)s, %(digest)s, %(hops)s, %(cause)s,
          %(run)s, %(path)s, %(sent_by)s)
  on conflict (workspace_id, digest) where digest is not null do nothing
  returning id), queued as (
  insert into automation_queuedevent (workspace_id, type, event_id)
  select %(workspace)s, %(type)s, id from new_event
  where exists (select from automation_eventwish w where w.workspace_id = %(workspace)s
                and (w.type = %(type)s or (right(w.type, 1) = '*' and starts_with(%(type)s, left(w.type, -1)))))
  returning id)
select exists (select from new_event), exists (select from queued)
"""

FIND_TAKEN = "select id from automation_event where workspace_id = %(workspace)s and digest = %(digest)s"

# The event that a run's trigger saw, if it was one.
_SEEN = """
case when d.input #>> '{trigger,kind}' = 'event'
      and d.input #>> '{trigger,key}' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
     then left(d.input #>> '{trigger,key}', 36)::uuid end
"""

# The event that started a run, or one of the runs that called it. A run that was retried keeps what its trigger saw.
CAUSES = (
    """
with recursive up(run_id, id, above_id, steps) as (
  select id, id, called_by_run_id, 0 from automation_run where id = any(%(runs)s)
  union all
  select up.run_id, r.id, r.called_by_run_id, steps + 1
  from up join automation_run r on r.id = up.above_id where steps < 100),
seen as materialized (
  select up.run_id, """
    + _SEEN
    + """ as event_id from up join automation_rundata d on d.run_id = up.id)
select s.run_id, e.id, e.hops from seen s join automation_event e on e.id = s.event_id
"""
)

# The triggers of the runs that led to an event: up through calls, and from a run to the one that emitted what began it.
ABOVE = (
    """
with recursive up(id, above_id, trigger_id, event_id, steps) as (
  select r.id, r.called_by_run_id, r.trigger_id, """
    + _SEEN
    + """, 0
  from automation_event e join automation_run r on r.id = e.run_id join automation_rundata d on d.run_id = r.id
  where e.id = %(id)s
  union all
  select r.id, r.called_by_run_id, r.trigger_id, """
    + _SEEN
    + """, steps + 1
  from up join automation_run r
    on r.id = coalesce(up.above_id, (select e.run_id from automation_event e where e.id = up.event_id))
  join automation_rundata d on d.run_id = r.id
  where steps < 200)
select distinct trigger_id from up where trigger_id is not null
"""
)

CHAIN = """
with recursive up(id, name, cause, hops, run_id, workspace_id, steps) as (
  select id, name, cause, hops, run_id, workspace_id, 0 from automation_event where id = %(id)s
  union all
  select e.id, e.name, e.cause, e.hops, e.run_id, e.workspace_id, steps + 1
  from up join automation_event e on e.id = up.cause and e.workspace_id = up.workspace_id where steps < %(most)s)
select up.id, up.name, r.uid from up left join automation_run r on r.id = up.run_id order by steps desc
"""

READ = """
select e.id, e.workspace_id, e.name, e.source, e.given_id, e.subject, e.said_at, e.content_type, e.data_schema,
       e.extensions::text, e.payload::text, e.is_binary, e.hops, r.uid, e.path, e.created_at
from automation_event e left join automation_run r on r.id = e.run_id where e.id = any(%(ids)s)
"""

# What went to triggers goes with the event. What still waits to be delivered stays.
FORGET = """
with old as materialized (
  select id from automation_event where created_at < now() - make_interval(days => %s)
    and not exists (
      select from automation_eventdelivery d where d.event_id = automation_event.id and d.state = 'pending')
  limit %s for update skip locked),
delivered as (delete from automation_eventdelivery d using old where d.event_id = old.id)
delete from automation_event e using old where e.id = old.id
returning 1
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an event comes from, beside what it says: the run and step that emit it or who sends it, what led to it."""

    run_id: int | None = None
    path: str = ""
    hops: int = 0
    cause: UUID | None = None
    sent_by: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """An event that stands. `is_new`: it did not stand before. `is_heard`: somebody listens; ring after the commit."""

    id: UUID
    is_new: bool = True
    is_heard: bool = False


@dataclass(frozen=True, slots=True)
class BusEvent:
    """An event as listeners get it. `event` is what it says, with an id; `id` is its own in this installation.

    `hops` counts the events that led to it. `run_uid` is the run that emitted it or that it is about.
    """

    id: UUID
    workspace_id: UUID
    event: CloudEvent
    hops: int
    run_uid: UUID | None
    path: str
    created_at: datetime


NOWHERE = Origin()
PLACE = "/api/v1/automation"  # the source of what is about no workflow, and of events from before there were sources


def publish(
    cursor: Any, workspace_id: UUID, event: CloudEvent, *, origin: Origin = NOWHERE, digest: bytes | None = None
) -> Published:
    """Write an event and queue it where somebody listens; with a `digest`, an event that stands already is found.

    Joins the caller's transaction. Raises CommandRefused for data that is too large.
    """
    event_id = uuid4()
    given = {"id": event_id, "workspace": workspace_id, "digest": digest, **_columns(event, origin)}
    cursor.execute(PUBLISH, given)
    is_new, is_heard = cursor.fetchone()
    if is_new:
        return Published(event_id, is_heard=is_heard)
    cursor.execute(FIND_TAKEN, given)  # a new snapshot: whoever wrote it first has committed
    row = cursor.fetchone()
    if row is None:
        raise LookupError(f"Event {event.id!r} of {event.source!r} stood there and is gone.")
    return Published(row[0], is_new=False)


def digest_of(event: CloudEvent) -> bytes:
    """What names an event in a workspace: its source and its id."""
    return hashlib.sha256(f"{event.source}\n{event.id}".encode()).digest()


def emit_event(cursor: Any, workspace_id: UUID, event: CloudEvent, *, run_id: int, path: str) -> Published:
    """Record what a run says happened. Raises CommandRefused for a name or a payload that cannot be one."""
    if not re.fullmatch(NAME_PATTERN, event.type):
        said = "The name of an event is a letter and up to 199 letters, digits, dots, colons, dashes or underscores"
        raise CommandRefused("invalid_event_name", f"{said}, got {event.type[:60]!r}.")
    if event.type.startswith(RESERVED):
        said = f"Names that begin with {RESERVED!r} are of what BrainOps itself says, got {event.type[:60]!r}."
        raise CommandRefused("invalid_event_name", f"{said} Choose another name.")
    if len(event.subject) > MOST["subject"] or not may_hold(event.subject):
        said = f"The subject of an event is at most {MOST['subject']} characters without control characters"
        raise CommandRefused("invalid_event_subject", f"{said}, got {event.subject[:60]!r}.")
    cause, hops = causes_of(cursor, [run_id]).get(run_id, (None, -1))
    return publish(cursor, workspace_id, event, origin=Origin(run_id, path, hops + 1, cause))


def source_of(workflow_id: UUID | str) -> str:
    """The source of what the runs of a workflow emit, and of what is said about it: its address in the API."""
    return f"{PLACE}/workflows/{workflow_id}"


def causes_of(cursor: Any, run_ids: Collection[int]) -> dict[int, tuple[UUID, int]]:
    """`(event, its hops)` for those of the runs that an event started, directly or through calls and retries."""
    if not run_ids:
        return {}
    cursor.execute(CAUSES, {"runs": list(run_ids)})
    return {run_id: (event_id, hops) for run_id, event_id, hops in cursor.fetchall()}


def triggers_above(cursor: Any, event_id: UUID) -> set[UUID]:
    """The triggers that started the runs which led to an event."""
    cursor.execute(ABOVE, {"id": event_id})
    return {trigger_id for (trigger_id,) in cursor.fetchall()}


def chain_of(cursor: Any, event_id: UUID, *, most: int = 100) -> list[tuple[UUID, str, UUID | None]]:
    """`(id, type, run that emitted it)` of all that led to an event, itself last; what was forgotten is missing."""
    cursor.execute(CHAIN, {"id": event_id, "most": most})
    return list(cursor.fetchall())


def read(cursor: Any, ids: Collection[UUID]) -> dict[UUID, BusEvent]:
    """Some events by their ids; those that are gone are missing."""
    cursor.execute(READ, {"ids": list(ids)})
    return {row[0]: _bus_event(row) for row in cursor.fetchall()}


def forget_old_events(cursor: Any, *, days: int, limit: int) -> int:
    """Delete events older than `days`, at most `limit`; returns how many."""
    cursor.execute(FORGET, (days, limit))
    return len(cursor.fetchall())


def _columns(event: CloudEvent, origin: Origin) -> dict[str, Any]:
    encoded = orjson.dumps(event.data)
    most = settings.BRAINOPS_LIMITS["state_bytes"]
    if len(encoded) > most:
        said = (
            f"The payload of event {event.type!r} takes {len(encoded)} bytes, more than {most} "
            "(BRAINOPS_LIMIT_STATE_BYTES)"
        )
        raise CommandRefused("value_too_large", f"{said}. Send a part of it, or a reference.")
    return {
        "type": event.type,
        "source": event.source,
        "given_id": event.id,
        "subject": event.subject,
        "said_at": event.time,
        "content_type": event.datacontenttype,
        "data_schema": event.dataschema,
        "extensions": orjson.dumps(event.extensions).decode(),
        "data": encoded.decode(),
        "is_binary": event.is_binary,
        "hops": origin.hops,
        "cause": origin.cause,
        "run": origin.run_id,
        "path": origin.path,
        "sent_by": origin.sent_by,
    }


def _bus_event(row: tuple[Any, ...]) -> BusEvent:
    id_, workspace_id, type_, source, given_id, subject, said_at, content_type, data_schema = row[:9]
    extensions, payload, is_binary, hops, run_uid, path, created_at = row[9:]
    said = CloudEvent(
        type=type_,
        source=source or PLACE,
        id=given_id or str(id_),
        subject=subject,
        time=said_at or time_text(created_at),
        datacontenttype=content_type,
        dataschema=data_schema,
        data=orjson.loads(payload) if payload else None,
        is_binary=is_binary,
        extensions={**orjson.loads(extensions), **({HOPS: hops} if hops else {})},
    )
    return BusEvent(id_, workspace_id, said, hops, run_uid, path, created_at)


def time_text(instant: datetime) -> str:
    """An instant as events say it: RFC 3339 in UTC."""
    return orjson.dumps(instant, option=orjson.OPT_UTC_Z).decode().strip('"')
