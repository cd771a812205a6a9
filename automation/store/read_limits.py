"""Read limits and queues: how full a limit is, and which place a run has that waits for it or for a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MOST_COUNTED = 10_000  # runs before one; a queue as long as this is told as such, not counted to its end

PLACE = f"""
select r.status, r.debounce_key is not null, r.wake_at, l.capacity, (
    select count(*) from automation_run o where o.limit_key = r.limit_key and o.status in (10, 18, 20, 30)),
  case when r.status = 15 then (
    select count(*) from (
      select from automation_run o where o.status = 15 and o.limit_key = r.limit_key and o.debounce_key is null
        and (o.priority, o.id) < (r.priority, r.id) limit {MOST_COUNTED}) before)
  else (
    select count(*) from (
      select from automation_run o where o.status = 10 and o.queue = r.queue and o.workspace_id = r.workspace_id
        and (o.priority, o.id) < (r.priority, r.id) limit {MOST_COUNTED}) before)
  end,
  case when r.status = 15 then (
    select count(*) from (
      select from automation_run o where o.status = 15 and o.limit_key = r.limit_key and o.debounce_key is null
      limit {MOST_COUNTED}) waiting)
  end
from automation_run r left join automation_limit l on l.key = r.limit_key
where r.id = %s and r.status in (10, 15)
"""

FULLNESS = f"""
select k.key, (
    select count(*) from automation_run r where r.limit_key = k.key and r.status in (10, 18, 20, 30)), (
    select count(*) from (
      select from automation_run r where r.limit_key = k.key and r.status = 15 and r.debounce_key is null
      limit {MOST_COUNTED}) waiting)
from unnest(%s::text[]) k(key)
"""

# Next the ones that wait, in the order in which they will go on.
HOLDERS = """
with held as materialized (select id from automation_run where limit_key = %s and status in (10, 18, 20, 30))
select id from held order by id limit %s
"""
BLOCKED = """
select id from automation_run where limit_key = %s and status = 15 and debounce_key is null
order by priority, id limit %s
"""


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Where a run stands that waits to be started. Counts end at MOST_COUNTED.

    A gathering run goes on at `until`; a blocked one has `before` runs of its limit before it, of `waiting` in all; a
    ready one has `before` of its workspace and queue before it.
    """

    status: int
    is_gathering: bool
    until: datetime | None
    capacity: int | None
    under_way: int
    before: int
    waiting: int | None


def read_place(cursor: Any, run_id: int) -> RunPlace | None:
    """Where a run stands; None when it waits for neither a limit nor a worker."""
    cursor.execute(PLACE, (run_id,))
    row = cursor.fetchone()
    return RunPlace(*row) if row else None


def read_fullness(cursor: Any, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
    """`{key: (runs under way, runs that wait)}`; the latter are counted up to MOST_COUNTED."""
    cursor.execute(FULLNESS, (list(keys),))
    return {key: (under_way, waiting) for key, under_way, waiting in cursor.fetchall()}


def read_runs(cursor: Any, key: str, *, most: int) -> tuple[list[int], list[int]]:
    """The first runs under way with a key, and the first that wait, in their order."""
    cursor.execute(HOLDERS, (key, most))
    holders = [run_id for (run_id,) in cursor.fetchall()]
    cursor.execute(BLOCKED, (key, most))
    return holders, [run_id for (run_id,) in cursor.fetchall()]
