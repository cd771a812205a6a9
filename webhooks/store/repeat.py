"""Find what the first copy of a delivery became, and count the repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from automation.store.intake import FIND_DUPLICATE

COUNT = """
update webhooks_webhookevent set duplicates = duplicates + 1, last_duplicate_at = now()
where endpoint_id = %s and delivery_id = %s and verdict <> 2
returning id, run_uid, reason
"""


@dataclass(frozen=True, slots=True)
class First:
    """The first copy. Without a run it was only acknowledged; without an event its record was deleted."""

    event_id: UUID | None
    run_uid: UUID | None
    reason: str = ""


def count_repeat(cursor: Any, *, endpoint_id: UUID, delivery_id: str) -> First | None:
    """The stored event of a delivery, with the repeat counted; None when there is none."""
    cursor.execute(COUNT, (endpoint_id, delivery_id))
    row = cursor.fetchone()
    return First(*row) if row else None


def find_run(cursor: Any, *, workflow_id: UUID, dedupe_key: str) -> First | None:
    """The run of a delivery whose event is gone."""
    cursor.execute(FIND_DUPLICATE, (workflow_id, dedupe_key))
    row = cursor.fetchone()
    return First(None, row[1]) if row else None
