"""Which versions are in use: the current ones, and those that unfinished runs are pinned to."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

# What is under way lies in partial indexes, however many runs have ended.
IN_USE = """
with open_runs as (
  select version_id from automation_run where status = 10 union all
  select version_id from automation_run where status = 15 union all
  select version_id from automation_run where status = 18 union all
  select version_id from automation_run where status = 20 union all
  select version_id from automation_run where status = 30),
counted as (select version_id, count(*) as runs from open_runs group by version_id)
select v.id, v.number, w.id, w.name, s.slug, v.id = w.current_version_id, coalesce(c.runs, 0)
from automation_workflow w
join accounts_workspace s on s.id = w.workspace_id
join automation_workflowversion v on v.workflow_id = w.id
left join counted c on c.version_id = v.id
where c.runs > 0 or (v.id = w.current_version_id and (%(all)s or (w.is_active and w.archived_at is null)))
order by s.slug, w.name, w.id, v.ordinal
"""

DEFINITIONS = "select id, definition from automation_workflowversion where id = any(%s)"


class InUse(NamedTuple):
    """A version. `runs` counts the unfinished runs that are pinned to it."""

    id: UUID
    number: str
    workflow_id: UUID
    workflow_name: str
    workspace_slug: str
    is_current: bool
    runs: int


def versions_in_use(cursor: Any, *, with_inactive: bool = False) -> list[InUse]:
    """The versions that will run, or do; current ones of paused and archived workflows only `with_inactive`."""
    cursor.execute(IN_USE, {"all": with_inactive})
    return [InUse._make(row) for row in cursor.fetchall()]


def definitions(cursor: Any, version_ids: list[UUID]) -> dict[UUID, str]:
    """The definitions of some versions, as JSON text or value, as the connection gives it."""
    cursor.execute(DEFINITIONS, (version_ids,))
    return dict(cursor.fetchall())
