"""Sources that are looked at: which one is due, whose turn it is, and where it stands afterwards.

Whoever takes a source holds it for a time and counts its fence up; only the last one who took it may write. A holder
that dies, or sleeps too long, is replaced when its time is over, and what it writes then changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

LEASE_SECONDS = 60.0  # held on and on by whoever is alive

HAS_DUE = "select exists (select from automation_source where next_at <= statement_timestamp())"

CLAIM = """
update automation_source s
set fence = s.fence + 1, is_wanted = false,
    next_at = statement_timestamp() + make_interval(secs => %(lease)s),
    leased_until = statement_timestamp() + make_interval(secs => %(lease)s)
from (
  select trigger_id from automation_source where next_at <= statement_timestamp()
  order by next_at limit 1 for update skip locked) due
where s.trigger_id = due.trigger_id
returning s.trigger_id, s.fence, s.cursor::text, s.is_begun, s.failures,
          extract(epoch from statement_timestamp() - s.waits_since)::float8
"""

HOLD = """
update automation_source
set next_at = statement_timestamp() + make_interval(secs => %(lease)s),
    leased_until = statement_timestamp() + make_interval(secs => %(lease)s)
where trigger_id = %(id)s and fence = %(fence)s and leased_until is not null
"""

LOCK = "select 1 from automation_source where trigger_id = %(id)s and fence = %(fence)s for no key update"

# What follows is written by the holder. It holds on to the source for as long as something is still to be settled.
ADVANCE = """
update automation_source s
set cursor = %(cursor)s::jsonb, is_begun = %(is_begun)s, failures = 0, failing_since = null, last_error = '',
    last_error_code = '', waits_for = '', waits_since = null, last_polled_at = statement_timestamp(),
    last_arrived_at = case when %(has_arrived)s then statement_timestamp() else s.last_arrived_at end
where trigger_id = %(id)s and fence = %(fence)s
"""

KEEP_WAITING = """
update automation_source s
set failures = 0, failing_since = null, last_error = '', last_error_code = '', waits_for = %(waits_for)s,
    waits_since = coalesce(s.waits_since, statement_timestamp()), last_polled_at = statement_timestamp(),
    last_arrived_at = case when %(has_arrived)s then statement_timestamp() else s.last_arrived_at end
where trigger_id = %(id)s and fence = %(fence)s
"""

FAIL = """
update automation_source s
set failures = s.failures + %(counts)s, failing_since = coalesce(s.failing_since, statement_timestamp()),
    last_error = %(message)s, last_error_code = %(code)s
where trigger_id = %(id)s and fence = %(fence)s
"""

RELEASE = """
update automation_source s
set leased_until = null, is_wanted = false,
    next_at = statement_timestamp() + make_interval(secs => case when s.is_wanted then 0 else %(seconds)s end)
where trigger_id = %(id)s and fence = %(fence)s and next_at is not null
"""

# A saved trigger is looked at at once, and whoever looks at it as it was is fenced off.
FOLLOW = """
insert into automation_source as s (trigger_id, workspace_id, next_at)
values (%(id)s, %(workspace)s, case when %(is_active)s then statement_timestamp() end)
on conflict (trigger_id) do update
set fence = s.fence + 1, leased_until = null, is_wanted = false, failures = 0, failing_since = null, last_error = '',
    last_error_code = '', waits_for = '', waits_since = null, next_at = excluded.next_at,
    cursor = case when not %(begins_anew)s then s.cursor end, is_begun = s.is_begun and not %(begins_anew)s
"""

LOOK_NOW = """
update automation_source
set is_wanted = coalesce(leased_until > statement_timestamp(), false),
    next_at = case when leased_until > statement_timestamp() then next_at else statement_timestamp() end
where trigger_id = %(id)s and next_at is not null
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A source in the hands of this process. `waited_seconds`: for how long what it shows could not be taken."""

    trigger_id: UUID
    fence: int
    cursor: Any
    is_begun: bool
    failures: int
    waited_seconds: float | None

    @property
    def mark(self) -> dict[str, Any]:
        """How statements know it."""
        return {"id": self.trigger_id, "fence": self.fence}


def has_due(cursor: Any) -> bool:
    """True when a source is to be looked at."""
    cursor.execute(HAS_DUE)
    return bool(cursor.fetchone()[0])


def claim(cursor: Any) -> Held | None:
    """Take the source that is due for longest."""
    cursor.execute(CLAIM, {"lease": LEASE_SECONDS})
    row = cursor.fetchone()
    if row is None:
        return None
    stored = None if row[2] is None else orjson.loads(row[2])
    return Held(row[0], row[1], stored, *row[3:])


def hold(cursor: Any, held: Held) -> None:
    """Hold on to a source; one that somebody took over stays theirs."""
    cursor.execute(HOLD, held.mark | {"lease": LEASE_SECONDS})


def lock(cursor: Any, held: Held) -> bool:
    """Lock a source for the transaction; False when it is somebody else's by now."""
    cursor.execute(LOCK, held.mark)
    return cursor.fetchone() is not None


def advance(cursor: Any, held: Held, *, position: Any, is_begun: bool, has_arrived: bool) -> None:
    """What it showed was taken: go on behind it."""
    text = None if position is None else orjson.dumps(position).decode()
    cursor.execute(ADVANCE, held.mark | {"cursor": text, "is_begun": is_begun, "has_arrived": has_arrived})


def keep_waiting(cursor: Any, held: Held, *, waits_for: str, has_arrived: bool) -> None:
    """Not all that it showed could be taken: the next look begins at the same place."""
    cursor.execute(KEEP_WAITING, held.mark | {"waits_for": waits_for, "has_arrived": has_arrived})


def fail(cursor: Any, held: Held, *, message: str, code: str, counts: bool = True) -> None:
    """It could not be read; with `counts` it counts for the pause."""
    cursor.execute(FAIL, held.mark | {"message": message, "code": code, "counts": int(counts)})


def release(cursor: Any, held: Held, *, seconds: float) -> None:
    """Let it go until the next look."""
    cursor.execute(RELEASE, held.mark | {"seconds": seconds})


def follow(cursor: Any, trigger_id: UUID, workspace_id: UUID, *, is_active: bool, begins_anew: bool) -> None:
    """A trigger was saved: look at its source now, or no more."""
    given = {"id": trigger_id, "workspace": workspace_id, "is_active": is_active, "begins_anew": begins_anew}
    cursor.execute(FOLLOW, given)


def look_now(cursor: Any, trigger_id: UUID) -> bool:
    """Look at a source as soon as possible; False when it is not looked at at all."""
    cursor.execute(LOOK_NOW, {"id": trigger_id})
    return bool(cursor.rowcount)
