"""Deliveries that wait: taken in one after the other under the lock of their endpoint, and let go in that order.

Whoever takes one in and whoever lets them go holds the endpoint's row. So the order of arrival is that of the commits,
a portion starts its runs and marks its events in one transaction, and the last one to go opens the way for new ones.
Order of locks: endpoint, then limits. The lock does not disturb deliveries elsewhere: it is no key update.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from automation.store.intake import INSERT, NewRun, find_accepted, start
from webhooks.store.event import NewEvent, State
from webhooks.store.record import record

PORTION = 50  # released in one transaction
MOST_ENDPOINTS = 100  # looked at in one tick

LOCK = "select revision from webhooks_webhookendpoint where id = %s for no key update"
TRY_LOCK = "select revision from webhooks_webhookendpoint where id = %s and is_buffering for no key update skip locked"
FULLNESS = """
select count(*), coalesce(sum(size_bytes), 0) from webhooks_webhookevent where endpoint_id = %s and verdict = 4
"""
BEGIN = """
update webhooks_webhookendpoint set is_buffering = true, revision = revision + 1 where id = %s and not is_buffering
"""
END = "update webhooks_webhookendpoint set is_buffering = false, revision = revision + 1 where id = %s"

# Only those whose trigger and workflow are switched on: the others go on waiting.
READY = """
with buffering as materialized (select id, trigger_id from webhooks_webhookendpoint where is_buffering)
select e.id from buffering e
join automation_trigger t on t.id = e.trigger_id
join automation_workflow w on w.id = t.workflow_id
where t.is_active and w.is_active and w.archived_at is null and w.current_version_id is not null
order by e.id limit %s
"""
NEXT = """
select id, delivery_id, event_type, method, path, headers::text, query::text, content_type, body, size_bytes,
       host(remote_addr), is_test, received_at
from webhooks_webhookevent where endpoint_id = %s and verdict = 4 order by received_at, id limit %s
"""
STARTED = """
update webhooks_webhookevent set verdict = 1, reason = '', detail = '', run_uid = %s where id = %s and verdict = 4
"""
SETTLED = """
update webhooks_webhookevent set verdict = %s, status = %s, reason = %s, detail = %s where id = %s and verdict = 4
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that waits, as it was stored."""

    id: UUID
    delivery_id: str | None
    event_type: str
    method: str
    path: str
    headers: Any
    query: Any
    content_type: str
    body: bytes
    size_bytes: int
    remote_addr: str | None
    is_test: bool
    received_at: datetime


def lock(cursor: Any, state: State) -> bool:
    """Hold the endpoint until the end of the transaction; False when it is not what was known of it."""
    cursor.execute(LOCK, (state.endpoint_id,))
    row = cursor.fetchone()
    return row is not None and row[0] == state.revision


def fullness(cursor: Any, endpoint_id: UUID) -> tuple[int, int]:
    """How many deliveries wait, and how many bytes they have."""
    cursor.execute(FULLNESS, (endpoint_id,))
    count, size_bytes = cursor.fetchone()
    return int(count), int(size_bytes)


def take_in(cursor: Any, state: State, event: NewEvent) -> bool:
    """Store a delivery behind the others. False when the state is old or the delivery was taken before."""
    if not record(cursor, state, event):
        return False
    cursor.execute(BEGIN, (state.endpoint_id,))
    return True


def ready(cursor: Any) -> list[UUID]:
    """Endpoints whose deliveries may go now."""
    cursor.execute(READY, (MOST_ENDPOINTS,))
    return [endpoint_id for (endpoint_id,) in cursor.fetchall()]


def try_lock(cursor: Any, endpoint_id: UUID) -> bool:
    """Hold an endpoint to let its deliveries go; False while somebody else does, or none waits."""
    cursor.execute(TRY_LOCK, (endpoint_id,))
    return cursor.fetchone() is not None


def first(cursor: Any, endpoint_id: UUID) -> list[Waiting]:
    """The next portion, in the order of arrival."""
    cursor.execute(NEXT, (endpoint_id, PORTION))
    return [_waiting(*row) for row in cursor.fetchall()]


def _waiting(*row: Any) -> Waiting:
    values = dict(zip((field.name for field in fields(Waiting)), row, strict=True))
    return Waiting(**{**values, "headers": orjson.loads(row[5]), "query": orjson.loads(row[6])})


def let_go(cursor: Any, event_id: UUID, run: NewRun) -> UUID:
    """Start the run of a delivery and say so in its event; a run that it has already is taken. Raises LimitFull."""
    inserted = start(cursor, INSERT, run, {}, is_pinned=True)
    known = None if inserted else find_accepted(cursor, run)
    if inserted is None and known is None:
        raise LookupError(f"The run of the delivery {event_id} was there and is gone.")
    run_uid: UUID = inserted.row[1] if inserted else known.uid if known else run.version_id
    cursor.execute(STARTED, (run_uid, event_id))
    return run_uid


def settle(cursor: Any, event_id: UUID, *, verdict: int, status: int, reason: str, detail: str) -> None:
    """Say of a delivery why it starts no run after all."""
    cursor.execute(SETTLED, (verdict, status, reason, detail, event_id))


def end(cursor: Any, endpoint_id: UUID) -> None:
    """None waits any more: new deliveries start their runs at once again."""
    cursor.execute(END, (endpoint_id,))
