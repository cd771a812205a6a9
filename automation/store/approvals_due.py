"""Approvals whose time is over or whose people took too long, on the database's clock."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

# Two small partial indexes answer it; an approval whose run has ended leaves them as withdrawn.
DUE = """
select id, run_id from automation_approval where state = 'pending' and expires_at <= now()
union
select id, run_id from automation_approval where state = 'pending' and escalates_at <= now()
limit %s
"""

CLOSE = """
update automation_approval set state = %(state)s, decided_at = now()
where id = %(id)s and state = 'pending' and (%(state)s <> 'expired' or expires_at <= now())
returning id
"""

ESCALATE = """
update automation_approval a
set assignees = case when a.assignees = '[]' then a.assignees else a.assignees || (
      select coalesce(jsonb_agg(one), '[]') from jsonb_array_elements(a.escalate_to) one
      where not a.assignees @> jsonb_build_array(one)) end,
    escalates_at = null
where a.id = %s and a.state = 'pending' and a.escalates_at <= now()
returning a.workspace_id, a.title, a.assignees::text
"""


def due(cursor: Any, *, limit: int) -> list[tuple[UUID, int]]:
    """Some approvals to look at: `(id, run id)`."""
    cursor.execute(DUE, (limit,))
    rows: list[tuple[UUID, int]] = cursor.fetchall()
    return rows


def close(cursor: Any, approval_id: UUID, state: str) -> bool:
    """End a pending approval as expired, if it is, or as withdrawn; False when somebody was faster."""
    cursor.execute(CLOSE, {"id": approval_id, "state": state})
    return cursor.fetchone() is not None


def escalate(cursor: Any, approval_id: UUID) -> tuple[UUID, str, list[str]] | None:
    """Ask the others, too: `(workspace, title, assignees now)`; None when it is not due any more."""
    cursor.execute(ESCALATE, (approval_id,))
    row = cursor.fetchone()
    return (row[0], row[1], orjson.loads(row[2])) if row else None
