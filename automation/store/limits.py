"""Limits: how many runs with one key may be under way, without a counter that could leak.

Who holds a slot is read from the runs themselves: those with the key that are queued, suspect, running or waiting. Only
two things add such a run: a start and an admission. Both lock the key's row first and count afterwards, in a statement
of its own, so that the count sees what was committed while they waited for the lock. What ends a run only makes room.
So at no commit more than the capacity are under way, and a slot can neither leak nor be given twice.

Order of locks: run (or workflow), then limit, then blocked runs, and those only where nobody holds them. A transaction
that locks several limits takes them in the order of their keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from automation.engine.limits import FAIL, ORDERED, QUEUE, SKIP, Slot
from automation.engine.points import reach
from automation.store.cancel import cancel_runs
from automation.store.connection import Connection

UNLIMITED = 2**31 - 1
MOST_KEYS = 500  # looked at in one tick
# Keys of `ordered_slot`: <workflow>:in order:<owner>:<value>. Their runs go one after another.
_IS_ORDERED = f"(split_part({{key}}, ':', 2) = '{ORDERED.rstrip(':')}' and split_part({{key}}, ':', 3) <> '')"

# The newest version's word counts, whichever version a run is of; without one there is no limit any more.
LOCK = f"""
with rule as (
  select w.id, w.current_version_id, case when {_IS_ORDERED.format(key="%(key)s")} then 1
    else (v.definition #>> '{{settings,concurrency,limit}}')::integer end as capacity
  from automation_workflow w left join automation_workflowversion v on v.id = w.current_version_id
  where w.id = split_part(%(key)s, ':', 1)::uuid for key share of w)
insert into automation_limit (key, workflow_id, capacity)
select %(key)s, id, coalesce(capacity, {UNLIMITED}) from rule
on conflict (key) do update set capacity = excluded.capacity, updated_at = now()
returning (select current_version_id from rule)
"""

# Runs that are still gathered are not blocked: their time has not come.
ADMIT = """
with room as (
  select l.capacity, (
    select count(*) from automation_run r where r.limit_key = l.key and r.status in (10, 18, 20, 30)) as under_way
  from automation_limit l where l.key = %(key)s),
 next as (
  select r.id from automation_run r
  where r.limit_key = %(key)s and r.status = 15 and r.debounce_key is null
  order by r.priority, r.id limit greatest(0, (select capacity - under_way from room)) for update skip locked),
 moved as (update automation_run r set status = 10 from next where r.id = next.id returning r.id)
select room.capacity, room.under_way + (select count(*) from moved), (
    select count(*) from (
      select from automation_run r
      where r.limit_key = %(key)s and r.status = 15 and r.debounce_key is null and r.id not in (select id from moved)
      limit %(most)s) waiting),
  (select count(*) from moved)
from room
"""

# One step through the index for each key under which runs are blocked, however many these are; of these keys, those
# for which something is to be done.
KEYS = f"""
with recursive keys as (
  (select limit_key from automation_run where status = 15 and limit_key > %(after)s and debounce_key is null
   order by limit_key limit 1)
  union all
  select (select r.limit_key from automation_run r
          where r.status = 15 and r.limit_key > k.limit_key and r.debounce_key is null order by r.limit_key limit 1)
  from keys k where k.limit_key is not null),
 seen as materialized (select limit_key as key from keys where limit_key is not null limit %(most)s),
 rules as materialized (
  select w.id::text as id, v.definition #> '{{settings,concurrency}}' as said
  from automation_workflow w left join automation_workflowversion v on v.id = w.current_version_id
  where w.id in (select distinct split_part(key, ':', 1)::uuid from seen))
select key, case when {_IS_ORDERED.format(key="key")} then not exists (
    select from automation_run r where r.limit_key = key and r.status in (10, 18, 20, 30))
  else said is null or said ->> 'when_full' = 'cancel_old' or (
    select count(*) from automation_run r where r.limit_key = key and r.status in (10, 18, 20, 30)
  ) < (said ->> 'limit')::integer end
from seen left join rules on rules.id = split_part(key, ':', 1) order by key
"""

# The newest runs stay, as many as the capacity; older ones have to go.
OVERTAKEN = f"""
with rule as (
  select (v.definition #>> '{{settings,concurrency,limit}}')::integer as capacity
  from automation_workflow w join automation_workflowversion v on v.id = w.current_version_id
  where w.id = split_part(%(key)s, ':', 1)::uuid and not {_IS_ORDERED.format(key="%(key)s")}
    and v.definition #>> '{{settings,concurrency,when_full}}' = 'cancel_old')
select live.id from rule, (
  select r.id, row_number() over (order by r.id desc) as nth from automation_run r
  where r.limit_key = %(key)s and r.cancel_requested_at is null
    and (r.status in (10, 18, 20, 30) or (r.status = 15 and r.debounce_key is null))) live
where live.nth > rule.capacity
"""

KEYS_OF = "select distinct limit_key from automation_run where id = any(%s) and limit_key is not null"

# A key without runs is only a row; the next start makes it again. Whoever holds its lock has just touched it.
FORGET = """
delete from automation_limit l where l.updated_at < now() - interval '1 hour'
  and not exists (select from automation_run r where r.limit_key = l.key and r.status in (10, 18, 20, 30))
  and not exists (select from automation_run r where r.limit_key = l.key and r.status = 15)
returning l.key
"""


@dataclass(frozen=True, slots=True)
class Room:
    """How full a limit is. `waiting` is counted up to what was asked for; `admitted` runs became ready just now."""

    key: str
    version_id: UUID | None  # the workflow's newest
    capacity: int
    under_way: int
    waiting: int
    admitted: int = 0

    @property
    def is_full(self) -> bool:
        """True when a further run has to wait."""
        return self.under_way >= self.capacity or self.waiting > 0


class LimitFull(Exception):
    """A start found its limit full and is not to wait."""

    def __init__(self, slot: Slot, room: Room) -> None:
        self.slot = slot
        self.room = room
        held = f"{room.under_way} of {room.capacity} runs{with_key(slot.key)} are under way"
        waiting = f" and {room.waiting} wait" if self.code == "limit_queue_full" else ""
        super().__init__(f"The workflow's limit is full: {held}{waiting}.")

    @property
    def code(self) -> str:
        """What the settings say of it: limit_skipped, limit_full or limit_queue_full."""
        return {SKIP: "limit_skipped", FAIL: "limit_full"}.get(self.slot.when_full, "limit_queue_full")

    @property
    def is_skip(self) -> bool:
        """True when the start is left out on purpose: that is no error."""
        return self.slot.when_full == SKIP


def with_key(key: str) -> str:
    """The value of a limit's key as part of a sentence; nothing when the limit is the whole workflow's."""
    value = key.partition(":")[2]
    return f" with the key {value!r}" if value else ""


def enter(cursor: Any, slot: Slot) -> Room | None:
    """Lock a limit for a start, until the end of the caller's transaction; None when its workflow is gone.

    Runs that wait and find room are admitted first. Raises LimitFull when the start must not wait.
    """
    room = admit(cursor, slot.key, most=(slot.queue_limit or 0) + 1)
    if room is None or not room.is_full:
        return room
    if slot.when_full in (SKIP, FAIL):
        raise LimitFull(slot, room)
    if slot.when_full == QUEUE and slot.queue_limit is not None and room.waiting >= slot.queue_limit:
        raise LimitFull(slot, room)
    return room


def admit(cursor: Any, key: str, *, most: int = 1) -> Room | None:
    """Make the best of the waiting runs ready, as many as there is room for. Needs a transaction; the caller rings.

    `waiting` of the answer is counted up to `most`.
    """
    cursor.execute(LOCK, {"key": key})
    row = cursor.fetchone()
    if row is None:
        return None
    cursor.execute(ADMIT, {"key": key, "most": most})
    return Room(key, row[0], *cursor.fetchone())


def overtake(cursor: Any, key: str) -> dict[int, int]:
    """Where the newest version says `cancel_old`: cancel all but the newest runs; return `{run id: status now}`.

    No lock of the limit is held meanwhile, and none is needed: what is too old once is so for ever.
    """
    cursor.execute(OVERTAKEN, {"key": key})
    old = [run_id for (run_id,) in cursor.fetchall()]
    return cancel_runs(cursor, old) if old else {}


def make_room(cursor: Any, keys: Iterable[str]) -> int:
    """After the end of runs with these keys: cancel what was overtaken, admit who waits; return how many are ready.

    Needs a transaction for each key, or keys in their order. The caller rings.
    """
    ready = 0
    for key in keys:
        overtake(cursor, key)
        room = admit(cursor, key)
        ready += room.admitted if room else 0
        if ready:
            reach("in_admit")
    return ready


def make_room_each(connection: Connection, keys: Iterable[str]) -> int:
    """The same in a short transaction of its own for each key."""
    return sum(connection.transaction(partial(make_room, keys=(key,))) for key in keys)


def keys_with_room(connection: Connection, *, after: str = "", most: int = MOST_KEYS) -> tuple[list[str], str]:
    """Keys of blocked runs for which there is room, of those behind `after`; and where to go on, "" for the start."""
    rows = connection.rows(KEYS, {"after": after, "most": most})
    return [key for key, has_room in rows if has_room], rows[-1][0] if len(rows) == most else ""


def keys_of(cursor: Any, run_ids: Iterable[int]) -> list[str]:
    """The limits that some runs count under."""
    cursor.execute(KEYS_OF, (list(run_ids),))
    return sorted(key for (key,) in cursor.fetchall())


def forget_unused(connection: Connection) -> int:
    """Delete the rows of keys that no run has had for an hour; return how many."""
    return len(connection.rows(FORGET))
