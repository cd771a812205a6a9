"""Find where a run had effects: the rows of steps that write outside, and the batches that hold many of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

# Batches and open passes are looked into when a page comes to them.
SOURCES = """
select path, kind, effect, status, attempt, is_kept, reason ->> 'type', error ->> 'type', error ->> 'message',
       started_at, finished_at
from automation_steprun
where run_id = %(run)s and (effect = any(%(writes)s) or kind = 'for_each.batch' or (kind = 'while' and status = 8))
order by coalesce(started_at, finished_at), path
"""


class Source(NamedTuple):
    """A row with an effect, or one that holds folded ones."""

    path: str
    kind: str
    effect: str | None
    status: int
    attempt: int
    is_kept: bool
    reason_type: str | None
    error_type: str | None
    error_message: str | None
    started_at: datetime | None
    finished_at: datetime | None


def read_sources(cursor: Any, run_id: int, *, writes: list[str]) -> list[Source]:
    """All of a run's, in the order they began."""
    cursor.execute(SOURCES, {"run": run_id, "writes": writes})
    return [Source._make(row) for row in cursor.fetchall()]
