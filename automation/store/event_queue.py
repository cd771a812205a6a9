"""The queue of events that listeners are still to be told of. One dispatcher at a time takes from it.

A row is found when it is committed, however many later ones were taken before: what a slow transaction said is not
passed over. Within a workspace the order is that of the queue.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

_DISPATCHERS_LOCK = 0x07E12  # advisory, for the transaction

ALONE = "select pg_try_advisory_xact_lock(%s)"

# Some of each workspace, so that one with many holds up no other.
TAKE = """
with recursive spaces(workspace_id) as (
  (select workspace_id from automation_queuedevent order by workspace_id limit 1)
  union all
  select (select q.workspace_id from automation_queuedevent q where q.workspace_id > s.workspace_id
          order by q.workspace_id limit 1)
  from spaces s where s.workspace_id is not null)
select q.id, q.workspace_id, q.type, q.event_id, q.run_id, q.about::text, q.at
from spaces s cross join lateral (
  select * from automation_queuedevent q where q.workspace_id = s.workspace_id order by q.id limit %(each)s) q
order by q.id limit %(most)s
"""

HAS_QUEUED = "select exists (select from automation_queuedevent)"

# By somebody in any workspace: types that begin so, or beginnings that reach so far.
IS_WANTED = """
select exists (select from automation_eventwish w
               where starts_with(w.type, %(beginning)s)
                 or (right(w.type, 1) = '*' and starts_with(%(beginning)s, left(w.type, -1))))
"""

OLDEST = "select coalesce(extract(epoch from now() - min(at)), 0)::float8 from automation_queuedevent"

REMOVE = "delete from automation_queuedevent where id = any(%(ids)s)"

WORKSPACES = "select id from accounts_workspace where id = any(%(ids)s) for key share"

WISHES = "select workspace_id, listener, holder, type from automation_eventwish where workspace_id = any(%(ids)s)"

# What is told about a run that ended, or that asks somebody.
RUNS = """
select r.id, r.uid, r.workflow_id, w.name, v.number, r.status, r.trigger_id, p.uid, c.uid, r.called_by_path,
       r.created_at, r.started_at, r.finished_at, d.error::text
from automation_run r join automation_rundata d on d.run_id = r.id
join automation_workflow w on w.id = r.workflow_id
left join automation_workflowversion v on v.id = r.version_id
left join automation_run p on p.id = r.parent_run_id
left join automation_run c on c.id = r.called_by_run_id
where r.id = any(%(ids)s)
"""

WISH = """
insert into automation_eventwish (workspace_id, listener, holder, type)
select %(workspace)s, %(listener)s, %(holder)s, type from unnest(%(types)s::text[]) as u(type)
on conflict do nothing
"""

UNWISH = "delete from automation_eventwish where holder = %(holder)s and listener = %(listener)s"


@dataclass(frozen=True, slots=True)
class Queued:
    """Something to be told. Without an `event_id` the event is still to be made, of `run_id` or `about`."""

    id: int
    workspace_id: UUID
    type: str
    event_id: UUID | None
    run_id: int | None
    about: Any
    at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """That a holder of a listener wants events of a type, or of all that begin like it when it ends in a star."""

    listener: str
    holder: UUID
    type: str

    def fits(self, type_: str) -> bool:
        """True for an event of that type."""
        return type_.startswith(self.type[:-1]) if self.type.endswith("*") else type_ == self.type


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is told about a run."""

    id: int
    uid: UUID
    workflow_id: UUID
    workflow: str
    version: str | None
    status: int
    trigger_id: UUID | None
    parent_run_uid: UUID | None
    called_by_run_uid: UUID | None
    called_by_path: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: Any


def take(cursor: Any, *, most: int, each: int) -> list[Queued]:
    """The next things to be told, in their order; nothing while somebody else dispatches."""
    cursor.execute(ALONE, (_DISPATCHERS_LOCK,))
    if not cursor.fetchone()[0]:
        return []
    cursor.execute(TAKE, {"most": most, "each": each})
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [Queued(*(*row[:5], orjson.loads(row[5]) if row[5] else None, row[6])) for row in rows]


def has_queued(cursor: Any) -> bool:
    """True when something is still to be told."""
    cursor.execute(HAS_QUEUED)
    return bool(cursor.fetchone()[0])


def is_wanted(cursor: Any, beginning: str) -> bool:
    """True when somebody wants events whose types begin so."""
    cursor.execute(IS_WANTED, {"beginning": beginning})
    return bool(cursor.fetchone()[0])


def oldest_seconds(cursor: Any) -> float:
    """The age of the oldest thing that is still to be told, 0 without any."""
    cursor.execute(OLDEST)
    return float(cursor.fetchone()[0])


def remove(cursor: Any, ids: Iterable[int]) -> None:
    """Take away what was told."""
    cursor.execute(REMOVE, {"ids": list(ids)})


def living(cursor: Any, workspace_ids: Collection[UUID]) -> set[UUID]:
    """Those of the workspaces that are there; nobody deletes them before the transaction ends."""
    cursor.execute(WORKSPACES, {"ids": list(workspace_ids)})
    return {id_ for (id_,) in cursor.fetchall()}


def wishes(cursor: Any, workspace_ids: Collection[UUID]) -> dict[UUID, list[Wish]]:
    """Who wants what in some workspaces."""
    cursor.execute(WISHES, {"ids": list(workspace_ids)})
    found: dict[UUID, list[Wish]] = {}
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    for workspace_id, *wish in rows:
        found.setdefault(workspace_id, []).append(Wish(*wish))
    return found


def runs(cursor: Any, run_ids: Collection[int]) -> dict[int, RunFacts]:
    """What is told about some runs; those that are gone are missing."""
    if not run_ids:
        return {}
    cursor.execute(RUNS, {"ids": list(run_ids)})
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return {row[0]: RunFacts(*(*row[:-1], orjson.loads(row[-1]) if row[-1] else None)) for row in rows}


def want(cursor: Any, workspace_id: UUID, listener: str, holder: UUID, types: Collection[str]) -> None:
    """Write what a holder wants, in place of what it wanted before."""
    want_no_more(cursor, listener, holder)
    given = {"workspace": workspace_id, "listener": listener, "holder": holder, "types": sorted(set(types))}
    cursor.execute(WISH, given)


def want_no_more(cursor: Any, listener: str, holder: UUID) -> None:
    """A holder wants nothing any more."""
    cursor.execute(UNWISH, {"listener": listener, "holder": holder})
