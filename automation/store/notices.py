"""Notices: what is still to be looked at, who is reminded, and which message is sent next.

One decider at a time: it takes what happened away in the transaction that decides about it. Messages are claimed one
by one, for a time; whoever dies over one leaves it to the next.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

LEASE_SECONDS = 120.0  # longer than any message takes
_DECIDERS_LOCK = 0x07E11  # advisory, for the transaction

# The one clock that messages go by.
NOW = "select statement_timestamp()"

DECIDE_ALONE = "select pg_try_advisory_xact_lock(%s)"

TAKE = """
select id, kind, workspace_id, workflow_id, run_id, status, seconds, approval_id, asked::text, at, trigger_id,
       about::text
from automation_noticecause order by id limit %s
"""

# Before the rules: a deletion locks in this order, too.
WATCHED = "select id, name, tags::text from automation_workflow where id = any(%s) order by id for key share"

FORGET = "delete from automation_noticecause where id = any(%s)"

# A quarter of its time before an approval expires, an hour at most; questions of less than ten minutes have none.
REMIND = """
with due as (
  select id from automation_approval
  where state = 'pending' and expires_at between now() and now() + interval '1 hour' and reminded_at is null
    and expires_at - created_at >= interval '10 minutes'
    and expires_at - least(interval '1 hour', (expires_at - created_at) / 4) <= now()
  limit %s for update skip locked),
reminded as (
  update automation_approval a set reminded_at = now() from due where a.id = due.id
  returning a.id, a.workspace_id, a.run_id, a.assignees)
insert into automation_noticecause (kind, workspace_id, workflow_id, run_id, approval_id, asked)
select 'approval_reminder', m.workspace_id, r.workflow_id, r.id, m.id, m.assignees
from reminded m join automation_run r on r.id = m.run_id
where r.mode <> 3 and r.status < 50
"""

FACTS = """
select r.id, r.uid, r.workflow_id, r.status, v.number, r.created_at, r.started_at, r.finished_at, d.error::text
from automation_run r join automation_rundata d on d.run_id = r.id
left join automation_workflowversion v on v.id = r.version_id
where r.id = any(%s)
"""

# Runs that a notice has started, and all that these call: they start no notice's workflow themselves.
BELOW_NOTICES = """
with recursive chain(run_id, above_id, path) as (
  select id, called_by_run_id, called_by_path from automation_run where id = any(%(runs)s)
  union all
  select c.run_id, r.called_by_run_id, r.called_by_path
  from chain c join automation_run r on r.id = c.above_id)
select distinct run_id from chain where path like 'notice:%%'
"""

PLACE = "select id, depth from automation_run where uid = %s"

CLAIM = """
update automation_noticedelivery d
set attempts = d.attempts + 1, next_at = statement_timestamp() + make_interval(secs => %(lease)s)
from (
  select id from automation_noticedelivery where state = 'pending' and next_at <= statement_timestamp()
  order by next_at limit 1 for update skip locked) due
where d.id = due.id
returning d.id
"""

HAS_DUE = """
select exists (select from automation_noticedelivery where state = 'pending' and next_at <= statement_timestamp())
"""


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that happened. `asked` are the assignees that an approval asks now and did not before.

    About a schedule there is no run, but `trigger_id`, and in `about` its name, since when and why.
    """

    id: int
    kind: str
    workspace_id: UUID
    workflow_id: UUID
    run_id: int | None
    status: int | None
    seconds: float | None
    approval_id: UUID | None
    asked: list[str]
    at: datetime
    trigger_id: UUID | None = None
    about: Any = None


@dataclass(frozen=True, slots=True)
class Watched:
    """A workflow that something happened to."""

    id: UUID
    name: str
    tags: list[str]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a notice tells about a run."""

    id: int
    uid: UUID
    workflow_id: UUID
    status: int
    version: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: Any


def now(cursor: Any) -> datetime:
    """The instant on the database's clock."""
    cursor.execute(NOW)
    instant: datetime = cursor.fetchone()[0]
    return instant


def take(cursor: Any, *, limit: int) -> list[Cause]:
    """What happened since the last look, oldest first; nothing while somebody else decides."""
    cursor.execute(DECIDE_ALONE, (_DECIDERS_LOCK,))
    if not cursor.fetchone()[0]:
        return []
    cursor.execute(TAKE, (limit,))
    found: list[tuple[Any, ...]] = cursor.fetchall()
    rows: list[list[Any]] = [[*row[:8], _read(row[8]) or [], *row[9:11], _read(row[11])] for row in found]
    return [Cause(*row) for row in rows]


def _read(text: str | None) -> Any:
    return orjson.loads(text) if text else None


def watched(cursor: Any, workflow_ids: Collection[UUID]) -> dict[UUID, Watched]:
    """Those of the workflows that are still there; nobody deletes them before the transaction ends."""
    cursor.execute(WATCHED, (list(workflow_ids),))
    return {row[0]: Watched(row[0], row[1], orjson.loads(row[2])) for row in cursor.fetchall()}


def forget(cursor: Any, cause_ids: Collection[int]) -> None:
    """Take away what was decided about."""
    cursor.execute(FORGET, (list(cause_ids),))


def remind(cursor: Any, *, limit: int) -> int:
    """Note that those whom an approval asks are to be reminded; once for each approval."""
    cursor.execute(REMIND, (limit,))
    return int(cursor.rowcount)


def facts_of(cursor: Any, run_ids: Collection[int]) -> dict[int, RunFacts]:
    """What is told about some runs, by their inner id; those that are gone are missing."""
    if not run_ids:
        return {}
    cursor.execute(FACTS, (list(run_ids),))
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return {row[0]: RunFacts(*(*row[:8], orjson.loads(row[8]) if row[8] else None)) for row in found}


def below_notices(cursor: Any, run_ids: Collection[int]) -> set[int]:
    """Those of the runs that a notice has started, directly or through calls."""
    if not run_ids:
        return set()
    cursor.execute(BELOW_NOTICES, {"runs": list(run_ids)})
    return {run_id for (run_id,) in cursor.fetchall()}


def place_of(cursor: Any, run_uid: UUID | str) -> tuple[int, int] | None:
    """`(inner id, depth)` of a run; None when it is gone."""
    cursor.execute(PLACE, (run_uid,))
    row: tuple[int, int] | None = cursor.fetchone()
    return row


def claim(cursor: Any) -> UUID | None:
    """Claim the message that is due for longest; None when none is."""
    cursor.execute(CLAIM, {"lease": LEASE_SECONDS})
    row = cursor.fetchone()
    return row[0] if row else None


def has_due(cursor: Any) -> bool:
    """True when a message waits to be sent."""
    cursor.execute(HAS_DUE)
    return bool(cursor.fetchone()[0])
