"""Claim ready runs for one worker: n in one statement, in order, never one twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson

from automation.engine.points import reach
from automation.store.connection import Connection
from automation.store.prepared import PreparedStatement

_COLUMNS = """
r.id, r.uid, r.claim, r.attempt, r.crashes, r.workspace_id, r.workflow_id, r.version_id, r.mode,
  r.parent_run_id is not null, extract(epoch from r.deadline_at)::float8, extract(epoch from r.created_at)::float8,
  extract(epoch from now())::float8, d.input_ref, d.input::text
"""

# A worker declared dead can claim nothing: `me` is then empty. `run_ready` serves the pick.
CLAIM = f"""
with me as (select 1 from automation_worker where id = %(worker)s and state = 1),
 pick as (
  select id from automation_run
  where status = 10 and queue = %(queue)s and exists (select 1 from me)
  order by priority, id limit %(limit)s for update skip locked)
update automation_run r
set status = 20, worker_id = %(worker)s, claim = %(token)s, attempt = r.attempt + 1,
    started_at = coalesce(r.started_at, now()), wake_at = null
from pick join automation_rundata d on d.run_id = pick.id
where r.id = pick.id
returning {_COLUMNS}
"""

_CLAIM_TYPES = {"worker": "uuid", "queue": "text", "limit": "bigint", "token": "uuid"}
_PREPARED_CLAIM = PreparedStatement("claim", CLAIM, _CLAIM_TYPES)

CLAIM_SUSPECT = f"""
with me as (select 1 from automation_worker where id = %(worker)s and state = 1),
 pick as (
  select id from automation_run where status = 18 and exists (select 1 from me)
  order by id limit 1 for update skip locked)
update automation_run r
set status = 20, worker_id = %(worker)s, claim = %(token)s, attempt = r.attempt + 1,
    started_at = coalesce(r.started_at, now())
from pick join automation_rundata d on d.run_id = pick.id
where r.id = pick.id
returning {_COLUMNS}
"""

HELD = f"""
select {_COLUMNS} from automation_run r join automation_rundata d on d.run_id = r.id
where r.id = %s and r.claim = %s
"""

HOLDER_SILENCE = """
select extract(epoch from now() - w.heartbeat_at)::float8
from automation_run r join automation_worker w on w.id = r.worker_id
where r.id = %s and r.claim = %s and r.status = 20 and w.state in (1, 2)
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
    input_ref: str | None
    input: dict[str, Any]  # where `input_ref` stands, a preview until `load_inputs` (store/load.py)

    @property
    def may_have_steps(self) -> bool:
        """True when step rows may exist already: it was claimed before, or keeps results of another run."""
        return self.attempt > 1 or self.is_retry


# What a claim took whose answer never came: nobody works on these runs, and their worker lives.
GIVE_BACK = """
update automation_run r
set status = case when r.cancel_requested_at is not null then 52 when r.crashes >= 2 then 18 else 10 end,
    finished_at = case when r.cancel_requested_at is not null then now() end,
    finishes = case when r.cancel_requested_at is not null then 1 else 0 end, worker_id = null, claim = null
from unnest(%(workers)s::uuid[], %(tokens)s::uuid[]) as unheard(worker_id, token)
where r.status = 20 and r.worker_id = unheard.worker_id and r.claim = unheard.token
returning r.id
"""


class Claims:
    """Claims runs over one connection, and takes back what a lost answer left in nobody's hands.

    The token of a claim is made here and not by the database: when the connection breaks after the commit and
    before the answer, the runs are held by a worker that lives and does not know of them. Recovery would wait for
    its death for ever; the token is what finds them.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._unheard: list[tuple[UUID, UUID]] = []  # (worker, token) of claims without an answer

    def ready(self, *, worker_id: UUID, queue: str, limit: int) -> list[Claimed]:
        """Claim up to `limit` ready runs of `queue`, oldest and most urgent first."""
        self.give_back()
        parameters = {"worker": worker_id, "queue": queue, "limit": limit}
        rows = self._claim(lambda token: self._connection.prepared(_PREPARED_CLAIM, parameters | token), worker_id)
        return sorted(map(_claimed, rows), key=lambda run: run.id)

    def suspect(self, *, worker_id: UUID) -> Claimed | None:
        """Claim one crash suspect, to be run alone in a child process."""
        self.give_back()
        rows = self._claim(lambda token: self._connection.rows(CLAIM_SUSPECT, {"worker": worker_id} | token), worker_id)
        return _claimed(rows[0]) if rows else None

    def give_back(self) -> int:
        """Return the runs of claims that were never answered to their queue; return how many there were."""
        if not self._unheard:
            return 0
        workers, tokens = zip(*self._unheard, strict=True)
        count = len(self._connection.rows(GIVE_BACK, {"workers": list(workers), "tokens": list(tokens)}))
        self._unheard.clear()
        return count

    def _claim(self, ask: Callable[[dict[str, UUID]], list[tuple[Any, ...]]], worker_id: UUID) -> list[tuple[Any, ...]]:
        token = uuid4()
        self._unheard.append((worker_id, token))
        rows = ask({"token": token})
        if rows:
            reach("after_claim_commit")
        self._unheard.pop()
        return rows


def claim_runs(connection: Connection, *, worker_id: UUID, queue: str, limit: int) -> list[Claimed]:
    """Claim once over `connection`; see `Claims.ready`."""
    return Claims(connection).ready(worker_id=worker_id, queue=queue, limit=limit)


def held_run(connection: Connection, *, run_id: int, claim: UUID) -> Claimed | None:
    """Load a run that is already held with `claim`; None when the claim was lost."""
    rows = connection.rows(HELD, (run_id, claim))
    return _claimed(rows[0]) if rows else None


def holder_silence(connection: Connection, *, run_id: int, claim: UUID) -> float | None:
    """Seconds since the worker that holds the run with `claim` breathed; None when nobody holds it so any more."""
    rows = connection.rows(HOLDER_SILENCE, (run_id, claim))
    return float(rows[0][0]) if rows else None


def _claimed(row: tuple[Any, ...]) -> Claimed:
    return Claimed(*(*row[:-1], orjson.loads(row[-1])))
