"""Slots that wait until the older runs of their trigger have ended. All on the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from automation.store.firings import Decided, Due, due_of

# The oldest of each trigger that has no run under way. The newest runs are enough, as in firings.LIVING. Who has the
# lock looks again: what was seen before it may be over.
LOCK_QUEUED = """
select t.id, t.workspace_id, t.workflow_id, t.kind, t.config::text, t.inputs::text, f.slot,
       (select max(p.slot) from automation_firing p where p.trigger_id = t.id and p.slot < f.slot),
       t.is_active and w.is_active and w.archived_at is null and w.current_version_id is not null,
       w.current_version_id, now()
from (select trigger_id, min(slot) as slot from automation_firing where decision = 9 group by trigger_id) f
join automation_trigger t on t.id = f.trigger_id join automation_workflow w on w.id = t.workflow_id
where not exists (
  select from (select x.status from automation_run x where x.trigger_id = t.id order by x.id desc limit 50) r
  where r.status < 50)
order by f.slot limit %s
for update of t skip locked for share of w skip locked
"""

COUNT_QUEUED = """
select trigger_id, count(*) from automation_firing where decision = 9 and trigger_id = any(%s) group by trigger_id
"""

TAKE_QUEUED = """
update automation_firing f set decision = u.decision, reason = u.reason
from unnest(%s::uuid[], %s::timestamptz[], %s::smallint[], %s::text[]) as u(trigger_id, slot, decision, reason)
where f.trigger_id = u.trigger_id and f.slot = u.slot and f.decision = 9
returning f.trigger_id, f.slot
"""


def lock_queued(cursor: Any, *, limit: int) -> list[Due]:
    """Lock triggers whose oldest waiting slot may run now, with that slot as `next_fire_at`."""
    cursor.execute(LOCK_QUEUED, (limit,))
    return [due_of(row) for row in cursor.fetchall()]


def count_queued(cursor: Any, trigger_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many slots of some triggers wait; those without one are missing."""
    cursor.execute(COUNT_QUEUED, (list(trigger_ids),))
    return dict(cursor.fetchall())


def take_queued(cursor: Any, decided: Sequence[Decided]) -> set[tuple[Any, Any]]:
    """Decide about slots that still wait; return the (trigger, slot) pairs of those that did."""
    names = ("trigger_id", "slot", "decision", "reason")
    cursor.execute(TAKE_QUEUED, [[getattr(row, name) for row in decided] for name in names])
    return set(cursor.fetchall())
