"""The export or import that somebody has to work on: taken with a fence, held for a while, written under the fence."""

from __future__ import annotations

from typing import Any
from uuid import UUID

# Waiting, or left by a process that has not been heard of. Only one import of a workspace runs at a time.
TAKE = """
update automation_transfer set state = 'running', fence = fence + 1,
  held_until = statement_timestamp() + make_interval(secs => %(hold)s)
where id = (
  select t.id from automation_transfer t
  where t.state in ('queued', 'running') and coalesce(t.held_until, '-infinity') < statement_timestamp()
    and (t.direction = 'export' or not exists (
      select from automation_transfer o
      where o.state = 'running' and o.direction = 'import' and o.workspace_id = t.workspace_id and o.id <> t.id
        and o.held_until >= statement_timestamp()))
  order by t.created_at limit 1 for update skip locked)
returning id, fence
"""

HOLD = """
update automation_transfer set held_until = statement_timestamp() + make_interval(secs => %(hold)s),
  done = coalesce(%(done)s, done), total = coalesce(%(total)s, total)
where id = %(id)s and fence = %(fence)s and state = 'running' returning id
"""

CHUNK = "select data from automation_transferchunk where transfer_id = %s and seq = %s"

# A few transfers at a time: their files are large.
FORGET = """
with gone as (
  select id from automation_transfer where expires_at < statement_timestamp()
  order by expires_at limit %(most)s for update skip locked),
chunks as (delete from automation_transferchunk where transfer_id in (select id from gone)),
items as (delete from automation_transferitem where transfer_id in (select id from gone))
delete from automation_transfer where id in (select id from gone)
"""


def take(cursor: Any, *, hold_seconds: float) -> tuple[UUID, int] | None:
    """The oldest transfer that nobody works on, and its new fence; None when there is none."""
    cursor.execute(TAKE, {"hold": hold_seconds})
    row = cursor.fetchone()
    return (row[0], row[1]) if row else None


def hold(
    cursor: Any,
    transfer_id: UUID,
    fence: int,
    *,
    hold_seconds: float,
    done: int | None = None,
    total: int | None = None,
) -> bool:
    """Hold it for longer and lock its row; False when somebody else has taken it over."""
    cursor.execute(HOLD, {"id": transfer_id, "fence": fence, "hold": hold_seconds, "done": done, "total": total})
    return cursor.fetchone() is not None


def chunk(cursor: Any, transfer_id: UUID, seq: int) -> bytes | None:
    """One piece of a transfer's file."""
    cursor.execute(CHUNK, (transfer_id, seq))
    row = cursor.fetchone()
    return bytes(row[0]) if row else None


def forget(cursor: Any, *, most: int) -> int:
    """Delete transfers that have expired, with their files; returns how many."""
    cursor.execute(FORGET, {"most": most})
    return int(cursor.rowcount)


# One import of a workspace at a time: by transaction for those that are done at once, by session for a worker's.
LOCK_FOR_TRANSACTION = "select pg_try_advisory_xact_lock(hashtextextended('import:' || %s::text, 0))"
LOCK_FOR_SESSION = "select pg_try_advisory_lock(hashtextextended('import:' || %s::text, 0))"
UNLOCK_SESSION = "select pg_advisory_unlock(hashtextextended('import:' || %s::text, 0))"


def try_lock_imports(cursor: Any, workspace_id: UUID) -> bool:
    """True when no other import of the workspace runs; it is kept out until the transaction ends."""
    cursor.execute(LOCK_FOR_TRANSACTION, (str(workspace_id),))
    return bool(cursor.fetchone()[0])


def lock_imports(cursor: Any, workspace_id: UUID) -> bool:
    """The same until `unlock_imports`, or until the connection ends."""
    cursor.execute(LOCK_FOR_SESSION, (str(workspace_id),))
    return bool(cursor.fetchone()[0])


def unlock_imports(cursor: Any, workspace_id: UUID) -> None:
    """Let other imports of the workspace run again."""
    cursor.execute(UNLOCK_SESSION, (str(workspace_id),))
