"""Fire schedules: lock what is due, write the ledger, move the triggers on. All on the caller's transaction.

The ledger's primary key (trigger, slot) and the row lock on the trigger make each slot happen once, whoever ticks
and however often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

# The workflow's row is locked with its trigger, so that it cannot be switched off, changed or deleted between the
# look and the run. Nothing waits: what somebody else holds is looked at in the next tick.
LOCK_DUE = """
select t.id, t.workspace_id, t.workflow_id, t.kind, t.config::text, t.inputs::text, t.next_fire_at, t.last_fired_at,
       w.is_active and w.archived_at is null and w.current_version_id is not null, w.current_version_id, now(),
       t.condition
from automation_trigger t join automation_workflow w on w.id = t.workflow_id
where t.is_active and t.next_fire_at <= now()
order by t.next_fire_at limit %s
for update of t skip locked for share of w skip locked
"""

# a slot may stand here already: a trigger that was edited at the very second of its slot
RECORD = """
insert into automation_firing (trigger_id, slot, decision, reason)
select * from unnest(%s::uuid[], %s::timestamptz[], %s::smallint[], %s::text[])
on conflict (trigger_id, slot) do nothing returning trigger_id, slot
"""

# whoever calls has locked the trigger and seen that none of these slots has run
CATCH_UP = """
insert into automation_firing as f (trigger_id, slot, decision, reason)
select * from unnest(%s::uuid[], %s::timestamptz[], %s::smallint[], %s::text[])
on conflict (trigger_id, slot) do update set decision = excluded.decision, reason = excluded.reason
where f.decision <> excluded.decision
"""

NOW = "select statement_timestamp()"

LINK = """
update automation_firing f set run_uid = u.run_uid
from unnest(%s::uuid[], %s::timestamptz[], %s::uuid[]) as u(trigger_id, slot, run_uid)
where f.trigger_id = u.trigger_id and f.slot = u.slot
"""

LEAVE_OUT = """
update automation_firing f set decision = u.decision, reason = u.reason
from unnest(%s::uuid[], %s::timestamptz[], %s::smallint[], %s::text[]) as u(trigger_id, slot, decision, reason)
where f.trigger_id = u.trigger_id and f.slot = u.slot
"""

ADVANCE = """
update automation_trigger t set next_fire_at = u.next_fire_at, last_fired_at = greatest(t.last_fired_at, u.decided)
from unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[]) as u(id, next_fire_at, decided)
where t.id = u.id
"""

# The newest runs are enough: where runs must not overlap, none is started beside one that lives.
LIVING = """
select r.trigger_id, r.id, r.uid
from unnest(%s::uuid[]) as t(id),
     lateral (select x.trigger_id, x.id, x.uid, x.status from automation_run x
              where x.trigger_id = t.id order by x.id desc limit 50) r
where r.status < 50 order by r.id desc
"""

PRUNE = "delete from automation_firing where slot < now() - make_interval(days => %s)"


@dataclass(frozen=True, slots=True)
class Due:
    """A locked trigger whose time has come. `now` is the database's clock."""

    trigger_id: UUID
    workspace_id: UUID
    workflow_id: UUID
    kind: str
    config: dict[str, Any]
    inputs: dict[str, Any]
    next_fire_at: datetime
    last_fired_at: datetime | None
    may_run: bool
    version_id: UUID | None
    now: datetime
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Living:
    """A run that has not ended."""

    id: int
    uid: UUID


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of one slot; `decision` is a FiringDecision."""

    trigger_id: UUID
    slot: datetime
    decision: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Advance:
    """Where a trigger goes on; None for never. `decided` is the newest slot that was looked at."""

    trigger_id: UUID
    next_fire_at: datetime | None
    decided: datetime


def now(cursor: Any) -> datetime:
    """The instant on the database's clock."""
    cursor.execute(NOW)
    instant: datetime = cursor.fetchone()[0]
    return instant


def lock_due(cursor: Any, *, limit: int) -> list[Due]:
    """Lock up to `limit` due triggers that nobody else holds, the longest waiting first."""
    cursor.execute(LOCK_DUE, (limit,))
    return [due_of(row) for row in cursor.fetchall()]


def due_of(row: Sequence[Any]) -> Due:
    """A row of LOCK_DUE and its like, with its JSON read."""
    values: list[Any] = [*row[:4], orjson.loads(row[4]), orjson.loads(row[5]), *row[6:]]
    return Due(*values)


def living_runs(cursor: Any, trigger_ids: Sequence[UUID]) -> dict[UUID, list[Living]]:
    """The runs of some triggers that have not ended, the newest first."""
    cursor.execute(LIVING, (list(trigger_ids),))
    found: dict[UUID, list[Living]] = {}
    for trigger_id, id_, uid in cursor.fetchall():
        found.setdefault(trigger_id, []).append(Living(id_, uid))
    return found


def record(cursor: Any, decided: Sequence[Decided]) -> set[tuple[UUID, datetime]]:
    """Write decisions; return the (trigger, slot) pairs that were not in the ledger before."""
    columns = [[getattr(row, name) for row in decided] for name in ("trigger_id", "slot", "decision", "reason")]
    cursor.execute(RECORD, columns)
    return set(cursor.fetchall())


def catch_up(cursor: Any, decided: Sequence[Decided]) -> None:
    """Write decisions of a backfill, over those by which slots did not run."""
    columns = [[getattr(row, name) for row in decided] for name in ("trigger_id", "slot", "decision", "reason")]
    cursor.execute(CATCH_UP, columns)


def link(cursor: Any, runs: Sequence[tuple[UUID, datetime, UUID]]) -> None:
    """Note which run a slot started, as (trigger, slot, run uid)."""
    if runs:
        cursor.execute(LINK, [list(column) for column in zip(*runs, strict=True)])


def leave_out(cursor: Any, decided: Sequence[Decided]) -> None:
    """Note that slots which were to run did not."""
    if decided:
        names = ("trigger_id", "slot", "decision", "reason")
        cursor.execute(LEAVE_OUT, [[getattr(row, name) for row in decided] for name in names])


def advance(cursor: Any, steps: Sequence[Advance]) -> None:
    """Move triggers to their next slots."""
    columns = [[getattr(row, name) for row in steps] for name in ("trigger_id", "next_fire_at", "decided")]
    cursor.execute(ADVANCE, columns)


def prune(cursor: Any, *, days: int) -> int:
    """Delete decisions about slots that are older; return how many."""
    cursor.execute(PRUNE, (days,))
    return int(cursor.rowcount)
