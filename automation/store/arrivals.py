"""The ledger of arrivals: which things a trigger knows already, and what became of each. On the caller's transaction.

The unique (trigger, key) makes one thing one run: of those who bring the same key at once, the first writes the row and
the others wait for its commit and find it decided.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

# Workflows are locked before their triggers, as all that change them do: neither is switched off, changed or deleted
# between the look and the run.
LISTENING = """
with w as materialized (
  select id, is_active and archived_at is null and current_version_id is not null as may_run, current_version_id
  from automation_workflow where id in (select workflow_id from automation_trigger where id = any(%(ids)s))
  order by id for share)
select t.id, t.workspace_id, t.workflow_id, t.kind, t.name, t.config::text, t.inputs::text, t.condition, t.is_active,
       w.may_run, w.current_version_id
from w join automation_trigger t on t.workflow_id = w.id
where t.id = any(%(ids)s) order by t.id for key share of t
"""

# Rows that wait are decided anew by whoever brings them again. The keys come in order, so that two who bring the same
# ones wait for each other and never in a circle.
CLAIM = """
insert into automation_arrival as a (id, workspace_id, trigger_id, key, decision, data, is_cut, facts, handle, at)
select u.id, %(workspace)s, %(trigger)s, u.key, 1, u.data::jsonb, u.is_cut, u.facts::jsonb, u.handle::jsonb, u.at
from unnest(%(ids)s::uuid[], %(keys)s::text[], %(data)s::text[], %(is_cut)s::boolean[], %(handles)s::text[],
            %(at)s::timestamptz[], %(facts)s::text[]) as u(id, key, data, is_cut, handle, at, facts)
order by u.key
on conflict (trigger_id, key) do update set decision = 1, seen_at = now(), created_at = now(), data = excluded.data,
  is_cut = excluded.is_cut, facts = excluded.facts, handle = excluded.handle
where a.decision in (6, 7)
returning a.key
"""

DECIDE = """
update automation_arrival a
set decision = u.decision, run_uid = u.run_uid, reason = u.reason, operands = u.operands::jsonb,
    handle = case when u.decision = 1 then a.handle end
from unnest(%(keys)s::text[], %(decisions)s::smallint[], %(runs)s::uuid[], %(reasons)s::text[], %(operands)s::text[])
     as u(key, decision, run_uid, reason, operands)
where a.trigger_id = %(trigger)s and a.key = u.key
"""

KNOWN = """
select key, decision, run_uid, reason from automation_arrival where trigger_id = %(trigger)s and key = any(%(keys)s)
"""

# Once a day is enough to know which keys a source still shows.
SHOWN = """
update automation_arrival set seen_at = now()
where id in (select id from automation_arrival
             where trigger_id = %(trigger)s and key = any(%(keys)s) and seen_at < now() - interval '1 day'
             order by id for no key update skip locked)
"""

UNSETTLED = """
select id, key, handle::text, at from automation_arrival
where trigger_id = %(trigger)s and handle is not null and decision = 1 order by id limit %(most)s
"""

SETTLE = "update automation_arrival set handle = null where id = any(%(ids)s)"

# What a source without a cursor still shows has to be known: its keys go only when a later look did not show them.
PRUNE = """
delete from automation_arrival where id in (
  select a.id from automation_arrival a left join automation_source s on s.trigger_id = a.trigger_id
  where a.seen_at < now() - make_interval(days => %(days)s)
    and (s.trigger_id is null or s.last_polled_at > a.seen_at + interval '2 days')
  order by a.seen_at limit %(most)s for update of a skip locked)
"""

FORGET_SAMPLES = """
update automation_arrival set data = null, facts = null where id in (
  select id from automation_arrival where created_at < now() - make_interval(days => %(days)s) and data is not null
  order by created_at limit %(most)s for update skip locked)
"""


@dataclass(frozen=True, slots=True)
class Listening:
    """A trigger that things are brought to, with its workflow's current version. Both are locked against changes."""

    trigger_id: UUID
    workspace_id: UUID
    workflow_id: UUID
    kind: str
    name: str
    config: dict[str, Any]
    inputs: dict[str, Any]
    condition: str
    is_active: bool
    workflow_may_run: bool
    version_id: UUID | None

    @property
    def may_run(self) -> bool:
        """True when neither the trigger nor its workflow is switched off."""
        return self.is_active and self.workflow_may_run


@dataclass(frozen=True, slots=True)
class Brought:
    """A thing as it is written down. `data`, `handle` and `facts` are JSON texts, or None."""

    id: UUID
    key: str
    data: str | None
    is_cut: bool
    handle: str | None
    at: datetime | None
    facts: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a thing; `decision` is an ArrivalDecision."""

    key: str
    decision: int
    run_uid: UUID | None = None
    reason: str = ""
    operands: Any = None


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A thing that was taken, of which its source was not told yet."""

    id: UUID
    key: str
    handle: Any
    at: datetime | None


def listening(cursor: Any, trigger_ids: Collection[UUID]) -> list[Listening]:
    """Lock triggers and their workflows against changes, and say what they are. Those that are gone are left out."""
    cursor.execute(LISTENING, {"ids": list(trigger_ids)})
    rows = [list(row) for row in cursor.fetchall()]
    for row in rows:
        row[5:7] = orjson.loads(row[5]), orjson.loads(row[6])
    return [Listening(*row) for row in rows]


def claim(cursor: Any, trigger: Listening, brought: Sequence[Brought]) -> set[str]:
    """Write things down; return the keys that the caller has to decide about: new ones, and those that waited."""
    columns = {"ids": "id", "keys": "key", "data": "data", "is_cut": "is_cut", "handles": "handle", "at": "at"}
    columns["facts"] = "facts"
    given: dict[str, Any] = {name: [getattr(one, of) for one in brought] for name, of in columns.items()}
    cursor.execute(CLAIM, given | {"workspace": trigger.workspace_id, "trigger": trigger.trigger_id})
    return {key for (key,) in cursor.fetchall()}


def decide(cursor: Any, trigger_id: UUID, decided: Sequence[Decided]) -> None:
    """Write what became of claimed things."""
    given = {
        "trigger": trigger_id,
        "keys": [one.key for one in decided],
        "decisions": [int(one.decision) for one in decided],
        "runs": [one.run_uid for one in decided],
        "reasons": [one.reason for one in decided],
        "operands": [orjson.dumps(one.operands).decode() if one.operands else None for one in decided],
    }
    cursor.execute(DECIDE, given)


def known(cursor: Any, trigger_id: UUID, keys: Collection[str]) -> dict[str, Decided]:
    """What is known about some keys."""
    cursor.execute(KNOWN, {"trigger": trigger_id, "keys": list(keys)})
    return {row[0]: Decided(*row) for row in cursor.fetchall()}


def note_shown(cursor: Any, trigger_id: UUID, keys: Collection[str]) -> None:
    """The source still shows these: they are not to be forgotten."""
    if keys:
        cursor.execute(SHOWN, {"trigger": trigger_id, "keys": list(keys)})


def unsettled(cursor: Any, trigger_id: UUID, *, most: int) -> list[Unsettled]:
    """Things that were taken and of which the source is still to be told, the oldest first."""
    cursor.execute(UNSETTLED, {"trigger": trigger_id, "most": most})
    return [Unsettled(id_, key, orjson.loads(handle), at) for id_, key, handle, at in cursor.fetchall()]


def settle(cursor: Any, ids: Collection[UUID]) -> None:
    """The source was told of these."""
    cursor.execute(SETTLE, {"ids": list(ids)})


def prune(cursor: Any, *, days: int, most: int) -> int:
    """Delete up to `most` rows that nobody has shown for `days`; return how many."""
    cursor.execute(PRUNE, {"days": days, "most": most})
    return int(cursor.rowcount)


def forget_samples(cursor: Any, *, days: int, most: int) -> int:
    """Forget the data of up to `most` arrivals that are older; return how many."""
    cursor.execute(FORGET_SAMPLES, {"days": days, "most": most})
    return int(cursor.rowcount)
