"""Change many workflows with few statements. Documents stay in the database: none is read to write a version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

# The newest version's content but for what changes, under the next number. Its checksum stays: so does the document.
ADD_VERSIONS = """
insert into automation_workflowversion (id, workspace_id, workflow_id, ordinal, number, name, description, definition,
                                        tags, meta_data, checksum, note, author_id)
select n.version_id, w.workspace_id, w.id, newest.ordinal + 1, n.number, w.name, w.description, w.definition,
       n.tags::jsonb, coalesce(n.meta_data::jsonb, w.meta_data), newest.checksum, %(note)s, %(author)s
from unnest(%(ids)s::uuid[], %(versions)s::uuid[], %(numbers)s::text[], %(tags)s::text[], %(meta_data)s::text[])
     as n(id, version_id, number, tags, meta_data)
join automation_workflow w on w.id = n.id
cross join lateral (select ordinal, checksum from automation_workflowversion v where v.workflow_id = w.id
                    order by ordinal desc limit 1) newest
"""

# The rows are locked by the caller. Every change raises the revision, so ETags change.
POINT_AT_VERSIONS = """
update automation_workflow w
set tags = n.tags::jsonb, meta_data = coalesce(n.meta_data::jsonb, w.meta_data), version = n.number,
    current_version_id = n.version_id
from unnest(%(ids)s::uuid[], %(versions)s::uuid[], %(numbers)s::text[], %(tags)s::text[], %(meta_data)s::text[])
     as n(id, version_id, number, tags, meta_data)
where w.id = n.id
"""

# By hand: Django would read each version, of which there may be many, before it deletes it.
POINT_AT_NOTHING = "update automation_workflow set current_version_id = null where id = any(%s)"
DELETE_VERSIONS = "delete from automation_workflowversion where workflow_id = any(%s)"


@dataclass(frozen=True, slots=True)
class NextVersion:
    """The version that a changed workflow gets. `tags` and `meta_data` are JSON texts; None: it stays as it is."""

    workflow_id: UUID
    version_id: UUID
    number: str
    tags: str
    meta_data: str | None


def add_versions(cursor: Any, found: Sequence[NextVersion], *, note: str, author_id: UUID | None) -> None:
    """Make the next version of each workflow and point the workflow at it, on the caller's transaction."""
    parameters = {
        "ids": [one.workflow_id for one in found],
        "versions": [one.version_id for one in found],
        "numbers": [one.number for one in found],
        "tags": [one.tags for one in found],
        "meta_data": [one.meta_data for one in found],
        "note": note,
        "author": author_id,
    }
    cursor.execute(ADD_VERSIONS, parameters)
    cursor.execute(POINT_AT_VERSIONS, parameters)


def delete_versions(cursor: Any, workflow_ids: Sequence[UUID]) -> None:
    """Delete every version of workflows that go with them, on the caller's transaction."""
    cursor.execute(POINT_AT_NOTHING, (list(workflow_ids),))
    cursor.execute(DELETE_VERSIONS, (list(workflow_ids),))
