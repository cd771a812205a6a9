"""Outbound deliveries: which is sent next, what goes on its way again, and what is old enough to go.

A subscription has its own line: one that is slow, fails or asked for a pause holds up no other. Messages are claimed
one by one, for a time; whoever dies over one leaves it to the next.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from automation.store.connection import Connection

LEASE_SECONDS = 60.0  # longer than any attempt takes
CROWDED = 8  # deliveries under way in all; from then on each subscription has one of them
SHAKY = 3  # failed attempts in a row; from then on one delivery at a time finds out whether the receiver is back
PORTION = 500  # deliveries of one deletion
_CLAIM_LOCK = 0x0B0D  # advisory, for the transaction

# Claims take turns, or two at once would count the same deliveries under way. A claim takes a millisecond or two.
CLAIM_ALONE = "select pg_advisory_xact_lock(%s)"

# `waiting` hops from one subscription with pending deliveries to the next, however many each of them has.
CLAIM = """
with recursive waiting(id) as (
  (select subscription_id from webhooks_outbounddelivery where state = 'pending' order by subscription_id limit 1)
  union all
  select (select d.subscription_id from webhooks_outbounddelivery d
          where d.state = 'pending' and d.subscription_id > w.id order by d.subscription_id limit 1)
  from waiting w where w.id is not null),
house as materialized (
  select count(*) under_way from webhooks_outbounddelivery where sending_until > statement_timestamp()),
due as (
  select first.id from waiting w join webhooks_subscription s on s.id = w.id cross join house
  cross join lateral (
    select d.id, d.next_at from webhooks_outbounddelivery d
    where d.subscription_id = s.id and d.state = 'pending' and d.next_at <= statement_timestamp()
    order by d.next_at limit 1) first
  cross join lateral (
    select count(*) under_way from webhooks_outbounddelivery u
    where u.subscription_id = s.id and u.sending_until > statement_timestamp()) own
  where (s.held_until is null or s.held_until <= statement_timestamp())
    and own.under_way
        < case when s.failures >= %(shaky)s or house.under_way >= %(crowded)s then 1 else s.max_parallel end
  order by own.under_way, first.next_at limit 1)
update webhooks_outbounddelivery d
set attempts = d.attempts + 1, sending_until = statement_timestamp() + make_interval(secs => %(lease)s),
    next_at = statement_timestamp() + make_interval(secs => %(lease)s)
from due where d.id = due.id and d.state = 'pending' and d.next_at <= statement_timestamp()
returning d.id
"""

HAS_DUE = """
select exists (select from webhooks_outbounddelivery where state = 'pending' and next_at <= statement_timestamp())
"""

# Each event once for each subscription, whoever tells it again.
PUT = """
insert into webhooks_outbounddelivery
  (id, workspace_id, subscription_id, event_id, type, workflow_id, body, is_test, state, attempts, last_error, ends_at)
select gen_random_uuid(), one.workspace_id, one.subscription_id, one.event_id, one.type, one.workflow_id, one.body,
       false, 'pending', 0, '', statement_timestamp() + make_interval(secs => %(lifetime)s)
from jsonb_to_recordset(%(rows)s::jsonb) one(
  workspace_id uuid, subscription_id uuid, event_id text, type text, workflow_id uuid, body jsonb)
on conflict (subscription_id, event_id) do nothing
"""

# Chosen ones, the oldest first, `pause` seconds apart.
SEND_AGAIN = """
update webhooks_outbounddelivery d
set state = 'pending', attempts = 0, last_error = '', sent_at = null, sending_until = null,
    next_at = statement_timestamp() + make_interval(secs => (chosen.place - 1) * %(pause)s),
    ends_at = statement_timestamp() + make_interval(secs => (chosen.place - 1) * %(pause)s + %(lifetime)s)
from (
  select id, row_number() over (order by created_at, id) place from webhooks_outbounddelivery
  where id = any(%(ids)s)) chosen
where d.id = chosen.id and d.state <> 'pending'
"""

# Who hears of events. Nobody deletes them, switches them off or changes them before the transaction ends.
LISTENING = """
select id, workspace_id, workflow_ids::text, tags::text from webhooks_subscription
where id = any(%s) and is_active order by id for key share
"""

TAGS = "select id, tags::text from automation_workflow where id = any(%s)"

# The oldest first. What is on its way, perhaps once more, stays.
FORGET = """
with old as materialized (
  select id from webhooks_outbounddelivery
  where created_at < statement_timestamp() - make_interval(days => %s) and state <> 'pending'
  order by created_at limit %s),
tries as (delete from webhooks_outboundattempt a using old where a.delivery_id = old.id)
delete from webhooks_outbounddelivery d using old where d.id = old.id
returning 1
"""


@dataclass(frozen=True, slots=True)
class Listening:
    """A subscription that hears of events: of all workflows, or of some."""

    id: UUID
    workspace_id: UUID
    workflow_ids: frozenset[str]
    tags: frozenset[str]


def claim(cursor: Any) -> UUID | None:
    """Claim the next delivery: of the subscription with the fewest under way, the one that is due for longest.

    None when nothing is due that may be sent now.
    """
    cursor.execute(CLAIM_ALONE, (_CLAIM_LOCK,))
    cursor.execute(CLAIM, {"lease": LEASE_SECONDS, "shaky": SHAKY, "crowded": CROWDED})
    row = cursor.fetchone()
    return row[0] if row else None


def has_due(cursor: Any) -> bool:
    """True when a delivery waits to be sent; its subscription may be held back."""
    cursor.execute(HAS_DUE)
    return bool(cursor.fetchone()[0])


def put(cursor: Any, rows: str, *, lifetime_seconds: float) -> int:
    """Store new deliveries, given as a JSON array; return how many were new."""
    cursor.execute(PUT, {"rows": rows, "lifetime": lifetime_seconds})
    return int(cursor.rowcount)


def send_again(cursor: Any, ids: Sequence[UUID], *, pause_seconds: float, lifetime_seconds: float) -> int:
    """Put deliveries on their way again, the oldest first; return how many. Those under way are left alone."""
    cursor.execute(SEND_AGAIN, {"ids": list(ids), "pause": pause_seconds, "lifetime": lifetime_seconds})
    return int(cursor.rowcount)


def listening(cursor: Any, subscription_ids: Collection[UUID]) -> dict[UUID, Listening]:
    """Those of the subscriptions that are there and switched on."""
    cursor.execute(LISTENING, (list(subscription_ids),))
    found = [
        Listening(id_, workspace_id, frozenset(orjson.loads(workflows)), frozenset(orjson.loads(tags)))
        for id_, workspace_id, workflows, tags in cursor.fetchall()
    ]
    return {one.id: one for one in found}


def tags_of(cursor: Any, workflow_ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """The tags of some workflows; those that are gone are missing."""
    if not workflow_ids:
        return {}
    cursor.execute(TAGS, (list(workflow_ids),))
    return {id_: frozenset(orjson.loads(tags)) for id_, tags in cursor.fetchall()}


def forget_deliveries(connection: Connection, *, days: int) -> int:
    """Delete up to PORTION deliveries older than `days` that are over, with their tries; return how many."""
    return len(connection.rows(FORGET, (days, PORTION)))
