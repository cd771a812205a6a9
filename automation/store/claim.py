"""Claim ready runs for one worker: n in one statement, never one twice.

Between queues: interactive, default, bulk. Between workspaces of a queue: who has the fewest runs under way. Within a
workspace: priority, then age.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import orjson

from automation.engine.points import reach
from automation.store.connection import Connection
from automation.store.prepared import PreparedStatement

INTERACTIVE, DEFAULT, BULK = QUEUES = ("interactive", "default", "bulk")

_COLUMNS = """
r.id, r.uid, r.claim, r.attempt, r.crashes, r.workspace_id, r.workflow_id, r.version_id, r.mode,
  r.parent_run_id is not null, extract(epoch from r.deadline_at)::float8, extract(epoch from r.created_at)::float8,
  extract(epoch from now())::float8, r.queue, r.limit_key, r.called_by_run_id, r.signals, r.depth, d.input_ref,
  d.input::text
"""

MOST = 64  # runs of one claim; a constant in the statement, so that no plan expects thousands
MOST_WORKSPACES = 16  # looked at by one claim on either side of a random place, so each has its turn

# Which workspaces have ready runs is found by one step each through the index (a loose scan), beginning at `since` and
# going round. Only when there are several it is counted how many runs of each are under way: whose turn comes first is
# who has the fewest. Then the free slots are dealt out, `owed` ones first, and each workspace's share is locked in the
# order of priority and age. Nothing is locked that is not taken, and what others hold is stepped over.
# A worker declared dead can claim nothing: `me` is then empty. `run_ready` serves every look.
CLAIM = f"""
with recursive me as (select 1 from automation_worker where id = %(worker)s and state = 1),
 queues as materialized (
  select * from unnest(%(queues)s::text[], %(owed)s::integer[]) with ordinality as q(queue, owed, rank)
  where exists (select 1 from me)),
 walk (queue, owed, rank, upto, workspace_id, step) as (
  select q.queue, q.owed, q.rank, part.upto,
         (select r.workspace_id from automation_run r
          where r.status = 10 and r.queue = q.queue and r.workspace_id >= part.since and r.workspace_id < part.upto
          order by r.workspace_id limit 1), 1
  from queues q, (values (%(since)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid),
                         ('00000000-0000-0000-0000-000000000000'::uuid, %(since)s::uuid)) part(since, upto)
  union all
  select w.queue, w.owed, w.rank, w.upto,
         (select r.workspace_id from automation_run r
          where r.status = 10 and r.queue = w.queue and r.workspace_id > w.workspace_id and r.workspace_id < w.upto
          order by r.workspace_id limit 1), w.step + 1
  from walk w where w.workspace_id is not null and w.step < {MOST_WORKSPACES}),
 places as materialized (select * from walk where workspace_id is not null),
 busy as materialized (
  select workspace_id, count(*) as runs from automation_run
  where status = 20 and (select count(*) > 1 from places) group by workspace_id),
 ready as (
  select p.queue, p.owed, p.rank, p.workspace_id,
         row_number() over (partition by p.rank order by coalesce(b.runs, 0) + one.nth, p.upto desc, p.step) as turn
  from places p left join busy b on b.workspace_id = p.workspace_id
  cross join lateral (
   select row_number() over () as nth from (
    select 1 from automation_run r where r.status = 10 and r.queue = p.queue and r.workspace_id = p.workspace_id
    order by r.priority, r.id limit %(limit)s) few) one),
 dealt as (
  select *, row_number() over (partition by queue = 'interactive' order by turn <= owed desc, rank, turn) as place
  from ready),
 shares as (
  select queue, workspace_id, count(*) as runs from (
   select * from dealt where queue = 'interactive' or place <= %(shared)s
   order by turn <= owed desc, rank, turn limit %(limit)s) taken
  group by queue, workspace_id),
 pick as (
  select first.id from shares s cross join lateral (
   select r.id from automation_run r where r.status = 10 and r.queue = s.queue and r.workspace_id = s.workspace_id
   order by r.priority, r.id limit s.runs for update skip locked) first
  limit {MOST})
update automation_run r
set status = 20, worker_id = %(worker)s, claim = %(token)s, attempt = r.attempt + 1,
    started_at = coalesce(r.started_at, now()), wake_at = null
from pick join automation_rundata d on d.run_id = pick.id
where r.id = pick.id
returning {_COLUMNS}
"""

_CLAIM_TYPES = {
    **dict.fromkeys(("worker", "since", "token"), "uuid"),
    **dict.fromkeys(("limit", "shared"), "bigint"),
    "queues": "text[]",
    "owed": "integer[]",
}
_PREPARED_CLAIM = PreparedStatement("claim", CLAIM, _CLAIM_TYPES, is_generic=True)

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
    queue: str
    limit_key: str | None  # its end makes room for another run with this key
    called_by: int | None  # inner id of the run that called it
    signals: int  # news up to the claim
    depth: int  # calls above it
    input_ref: str | None
    input: dict[str, Any]  # where `input_ref` stands, a preview until `load_inputs` (store/load.py)

    @property
    def may_have_steps(self) -> bool:
        """True when step rows may exist already: it was claimed before, or keeps results of another run."""
        return self.attempt > 1 or self.is_retry


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many runs a process can take, and of which queues.

    `shared` slots are for every queue, `reserved` ones for interactive runs only. `owed` names the queues in the order
    they are served, each with the number of slots that is its due before its turn.
    """

    shared: int
    reserved: int = 0
    owed: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(QUEUES, 0))

    @property
    def limit(self) -> int:
        """The most runs that a claim brings."""
        return self.shared + self.reserved

    def parameters(self) -> dict[str, Any]:
        """The named parameters of CLAIM. The walk over the workspaces begins anywhere, so that none is always last."""
        return {
            "shared": self.shared,
            "limit": self.limit,
            "queues": list(self.owed),
            "owed": list(self.owed.values()),
            "since": uuid4(),
        }


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

    def ready(self, *, worker_id: UUID, wanted: Wanted) -> list[Claimed]:
        """Claim ready runs; see `Wanted`."""
        self.give_back()
        parameters = {"worker": worker_id, **wanted.parameters()}
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


def claim_runs(connection: Connection, *, worker_id: UUID, limit: int, queue: str = DEFAULT) -> list[Claimed]:
    """Claim up to `limit` runs of one queue over `connection`."""
    wanted = Wanted(shared=limit, owed={queue: 0})
    return Claims(connection).ready(worker_id=worker_id, wanted=wanted)


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
