"""Claim ready runs for one worker: n in one statement, in order, never one twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from automation.store.connection import Connection
from automation.store.prepared import PreparedStatement

_COLUMNS = """
r.id, r.uid, r.claim, r.attempt, r.crashes, r.workspace_id, r.workflow_id, r.version_id, r.mode,
  r.parent_run_id is not null, extract(epoch from r.deadline_at)::float8, extract(epoch from r.created_at)::float8,
  extract(epoch from now())::float8, d.input::text
"""

# A worker declared dead can claim nothing: `me` is then empty. `run_ready` serves the pick.
CLAIM = f"""
with me as (select 1 from automation_worker where id = %(worker)s and state = 1),
 pick as (
  select id from automation_run
  where status = 10 and queue = %(queue)s and exists (select 1 from me)
  order by priority, id limit %(limit)s for update skip locked)
update automation_run r
set status = 20, worker_id = %(worker)s, claim = gen_random_uuid(), attempt = r.attempt + 1,
    started_at = coalesce(r.started_at, now()), wake_at = null
from pick join automation_rundata d on d.run_id = pick.id
where r.id = pick.id
returning {_COLUMNS}
"""

_PREPARED_CLAIM = PreparedStatement("claim", CLAIM, {"worker": "uuid", "queue": "text", "limit": "bigint"})

CLAIM_SUSPECT = f"""
with me as (select 1 from automation_worker where id = %(worker)s and state = 1),
 pick as (
  select id from automation_run where status = 18 and exists (select 1 from me)
  order by id limit 1 for update skip locked)
update automation_run r
set status = 20, worker_id = %(worker)s, claim = gen_random_uuid(), attempt = r.attempt + 1,
    started_at = coalesce(r.started_at, now())
from pick join automation_rundata d on d.run_id = pick.id
where r.id = pick.id
returning {_COLUMNS}
"""

HELD = f"""
select {_COLUMNS} from automation_run r join automation_rundata d on d.run_id = r.id
where r.id = %s and r.claim = %s
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run this process holds, with what it needs to go on. Instants are seconds since the epoch.

    `claimed_at` is the database's clock at the claim: deadlines are measured against it.
    """

    id: int
    uid: UUID
    claim: UUID
    attempt: int
    crashes: int
    workspace_id: UUID
    workflow_id: UUID
    version_id: UUID
    mode: int
    is_retry: bool
    deadline_at: float | None
    created_at: float
    claimed_at: float
    input: dict[str, Any]

    @property
    def may_have_steps(self) -> bool:
        """True when step rows may exist already: it was claimed before, or keeps results of another run."""
        return self.attempt > 1 or self.is_retry


def claim_runs(connection: Connection, *, worker_id: UUID, queue: str, limit: int) -> list[Claimed]:
    """Claim up to `limit` ready runs of `queue`, oldest and most urgent first."""
    rows = connection.prepared(_PREPARED_CLAIM, {"worker": worker_id, "queue": queue, "limit": limit})
    return sorted(map(_claimed, rows), key=lambda run: run.id)


def claim_suspect(connection: Connection, *, worker_id: UUID) -> Claimed | None:
    """Claim one crash suspect, to be run alone in a child process."""
    rows = connection.rows(CLAIM_SUSPECT, {"worker": worker_id})
    return _claimed(rows[0]) if rows else None


def held_run(connection: Connection, *, run_id: int, claim: UUID) -> Claimed | None:
    """Load a run that is already held with `claim`; None when the claim was lost."""
    rows = connection.rows(HELD, (run_id, claim))
    return _claimed(rows[0]) if rows else None


def _claimed(row: tuple[Any, ...]) -> Claimed:
    return Claimed(*(*row[:-1], orjson.loads(row[-1])))
