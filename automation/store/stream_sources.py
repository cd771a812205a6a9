"""Sources that are listened to: who listens, and where they stand. The rest is as with those that are looked at.

Whoever joins counts the fence up; of two who believe they listen, only the last one may write (`sources.lock`).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from automation.store.sources import Held

JOIN = """
insert into automation_source as s (trigger_id, workspace_id, fence) values (%(id)s, %(workspace)s, 1)
on conflict (trigger_id) do update set fence = s.fence + 1
returning s.fence, s.cursor::text, s.is_begun, s.failures
"""


def join(cursor: Any, trigger_id: UUID, workspace_id: UUID) -> Held:
    """Begin to listen, and fence off whoever listened before."""
    cursor.execute(JOIN, {"id": trigger_id, "workspace": workspace_id})
    fence, text, is_begun, failures = cursor.fetchone()
    return Held(trigger_id, fence, None if text is None else orjson.loads(text), is_begun, failures, None)
