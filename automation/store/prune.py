"""Prune runs with all that hangs on them: a bounded number at a time, counted before they go, nobody waiting for it.

A batch is one transaction that locks rows only of runs that have ended, and steps over those that somebody holds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from automation.store.connection import Connection

LONGEST_LOCK_WAIT = "100ms"

EXAMINE = """
select id, workflow_id, status, is_pinned or (called_by_run_id is not null and not is_detached) as is_kept, created_at,
       finished_at
from automation_run where id > %s order by id limit %s
"""

# The run from which on the newest `offset + 1` of a workflow are.
KEPT_FROM = "select id from automation_run where workflow_id = %s order by id desc offset %s limit 1"

SAID = "select id, retention from automation_workflow where retention is not null"

# How much would go with each run.
WEIGH = """
select r.id, (select count(*) from automation_steprun s where s.run_id = r.id)
             + (select count(*) from automation_runlog l where l.run_id = r.id)
from automation_run r where r.id = any(%s) order by r.id
"""

# Retries and called runs outlive what they came from. In a transaction of its own: these rows may be at work.
UNTIE = """
with tied as (
  select id from automation_run where parent_run_id = any(%(runs)s) or called_by_run_id = any(%(runs)s)
  limit 500 for update skip locked)
update automation_run r
set parent_run_id = case when r.parent_run_id = any(%(runs)s) then null else r.parent_run_id end,
    called_by_path = case when r.called_by_run_id = any(%(runs)s) then null else r.called_by_path end,
    called_by_run_id = case when r.called_by_run_id = any(%(runs)s) then null else r.called_by_run_id end
from tied where r.id = tied.id returning r.id
"""

# What goes with the runs of `doomed`; the references of tables that stay are emptied.
WITH_DOOMED = """
lines as (delete from automation_runlog l using doomed where l.run_id = doomed.id),
steps as (delete from automation_steprun s using doomed where s.run_id = doomed.id returning s.run_id),
data as (delete from automation_rundata d using doomed where d.run_id = doomed.id),
payloads as (delete from automation_payload p using doomed where p.run_id = doomed.id),
files as (delete from automation_fileuse u using doomed where u.run_id = doomed.id returning u.file_id),
last_uses as (
  update automation_storedfile f set expires_at = statement_timestamp() where f.id in (select file_id from files)),
effects as (delete from automation_localeffect e using doomed where e.run_id = doomed.id),
signals as (delete from automation_signal s using doomed where s.run_id = doomed.id),
callbacks as (delete from automation_callback c using doomed where c.run_id = doomed.id),
votes as (
  delete from automation_approvalvote v using automation_approval a, doomed
  where v.approval_id = a.id and a.run_id = doomed.id),
approvals as (delete from automation_approval a using doomed where a.run_id = doomed.id),
items as (delete from automation_replayitem i using doomed where i.run_id = doomed.id),
new_runs as (
  update automation_replayitem i set new_run_id = null from doomed
  where i.new_run_id = doomed.id and i.run_id not in (select id from doomed)),
events as (update automation_event e set run_id = null from doomed where e.run_id = doomed.id),
gone as (delete from automation_run r using doomed where r.id = doomed.id returning r.id)
"""

PRUNE = f"""
with doomed as materialized (
  select r.id, r.workspace_id, r.workflow_id, r.status, (r.created_at at time zone 'UTC')::date as day,
         coalesce(extract(epoch from r.finished_at - r.started_at), 0)::float8 as seconds
  from automation_run r
  where r.id = any(%(runs)s) and r.status >= 50 and not r.is_pinned
    and not exists (select from automation_run c where c.parent_run_id = r.id)
    and not exists (select from automation_run c where c.called_by_run_id = r.id)
  order by r.id for update skip locked),
{WITH_DOOMED},
counted as (
  insert into automation_runstatistic as k (workspace_id, workflow_id, day, status, runs, steps, total_seconds,
                                            longest_seconds)
  select d.workspace_id, d.workflow_id, d.day, d.status, count(*), coalesce(sum(n.steps), 0), sum(d.seconds),
         max(d.seconds)
  from doomed d left join (select run_id, count(*) as steps from steps group by run_id) n on n.run_id = d.id
  group by d.workspace_id, d.workflow_id, d.day, d.status order by 2, 3, 4
  on conflict (workflow_id, day, status) do update
  set runs = k.runs + excluded.runs, steps = k.steps + excluded.steps,
      total_seconds = k.total_seconds + excluded.total_seconds,
      longest_seconds = greatest(k.longest_seconds, excluded.longest_seconds))
select (select count(*) from gone), (select count(*) from steps)
"""


class Examined(NamedTuple):
    """A run as retention sees it. `is_kept`: pinned, or called by a run that still stands."""

    id: int
    workflow_id: UUID
    status: int
    is_kept: bool
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much went."""

    runs: int = 0
    steps: int = 0


def examine(connection: Connection, *, after: int, limit: int) -> list[Examined]:
    """The next runs behind the inner id `after`, by id."""
    return [Examined._make(row) for row in connection.rows(EXAMINE, (after, limit))]


def kept_from(connection: Connection, workflow_id: UUID, newest: int) -> int:
    """The inner id from which on the newest runs of a workflow are; 0 when it has no more than these."""
    rows = connection.rows(KEPT_FROM, (workflow_id, newest - 1))
    return int(rows[0][0]) if rows else 0


def said_by_workflows(connection: Connection) -> list[tuple[Any, ...]]:
    """`(workflow id, retention)` of the workflows that say something themselves."""
    return connection.rows(SAID)


def weigh(connection: Connection, run_ids: Collection[int]) -> list[tuple[int, int]]:
    """`(run id, rows of steps and lines)` of some runs, by id."""
    found: list[tuple[Any, ...]] = connection.rows(WEIGH, (list(run_ids),))
    return [(int(run_id), int(rows)) for run_id, rows in found]


def untie(connection: Connection, run_ids: Collection[int]) -> None:
    """Let the retries of runs, and the runs they called, stand for themselves."""
    while connection.rows(UNTIE, {"runs": list(run_ids)}):
        pass


def prune_runs(connection: Connection, run_ids: Sequence[int]) -> Pruned:
    """Delete those of the runs that have ended, are not pinned, not tied and not locked, and count them for good.

    One transaction. Raises psycopg2.errors.LockNotAvailable rather than wait long for a lock.
    """

    def work(cursor: Any) -> Pruned:
        cursor.execute(f"set local lock_timeout = '{LONGEST_LOCK_WAIT}'")
        cursor.execute(PRUNE, {"runs": list(run_ids)})
        return Pruned(*cursor.fetchone())

    return connection.transaction(work)
