"""What a run has said so far: its answer, its output, its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from automation.store.payloads import whole

MOST_STEPS = 500

SAID = """
select r.id, r.workspace_id, r.status, d.response::text, case when r.status = 50 then d.output::text end, d.output_ref
from automation_run r left join automation_rundata d on d.run_id = r.id
where r.uid = %s
"""
STEPS = """
select r.status, s.path, s.status from automation_run r
left join automation_steprun s on s.run_id = r.id and s.kind <> 'for_each.batch'
where r.id = %s order by coalesce(s.started_at, s.finished_at), s.path limit %s
"""


@dataclass(frozen=True, slots=True)
class Said:
    """A run as its caller may know it. `response` is that of its `respond` step; `output` counts when it succeeded."""

    run_id: int
    workspace_id: UUID
    status: int
    response: Any
    output: Any


def said(cursor: Any, run_uid: UUID) -> Said | None:
    """What a run has said; None when it was deleted. Raises BrokenPayload."""
    cursor.execute(SAID, (run_uid,))
    row = cursor.fetchone()
    if row is None:
        return None
    run_id, workspace_id, status, response, output, ref = row
    shown = orjson.loads(output) if output else None
    return Said(
        run_id,
        workspace_id,
        status,
        orjson.loads(response) if response else None,
        whole(cursor, run_id, shown, ref) if output else None,
    )


def steps(cursor: Any, run_id: int) -> tuple[int | None, list[tuple[str, int]]]:
    """The status of a run and those of its first steps; `(None, [])` when it was deleted."""
    cursor.execute(STEPS, (run_id, MOST_STEPS))
    rows = cursor.fetchall()
    return (rows[0][0] if rows else None), [(path, status) for _, path, status in rows if path is not None]
