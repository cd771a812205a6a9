"""Count the workflows of each tag of a workspace."""

from __future__ import annotations

from typing import Any
from uuid import UUID

COUNT = """
select tag.name collate "C", count(*), count(*) filter (where w.archived_at is null)
from automation_workflow w cross join lateral jsonb_array_elements_text(w.tags) tag(name)
where w.workspace_id = %(workspace)s and w.tags <> '[]'
  and tag.name collate "C" > %(after)s and starts_with(lower(tag.name), lower(%(prefix)s))
group by 1 order by 1 limit %(limit)s
"""


def count_tags(cursor: Any, workspace_id: UUID, *, after: str, prefix: str, limit: int) -> list[tuple[str, int, int]]:
    """`(tag, workflows, of them not archived)` in the order of their characters."""
    cursor.execute(COUNT, {"workspace": workspace_id, "after": after, "prefix": prefix, "limit": limit})
    return list(cursor.fetchall())
