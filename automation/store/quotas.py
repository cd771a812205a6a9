"""What a workspace has and may have: its own quotas, and counts of what stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

OF_WORKSPACE = """
select w.max_workflows, w.max_active_triggers, w.max_runs_per_day, w.max_storage_bytes, s.used_bytes, s.measured_at
from accounts_workspace w left join automation_storageuse s on s.workspace_id = w.id where w.id = %s
"""

# Whoever adds something that is counted takes this lock before the count. It is not the workspace's row: who changes
# people takes that one first and workflows after it, who adds a trigger has its workflow already.
LOCK = "select pg_advisory_xact_lock(hashtextextended('quota:' || %s::text, 0))"

COUNT_WORKFLOWS = "select count(*) from automation_workflow where workspace_id = %s"
COUNT_ACTIVE_TRIGGERS = "select count(*) from automation_trigger where workspace_id = %s and is_active"

# Called runs belong to the run that calls. Those that were pruned are counted by the day.
COUNT_RUNS_SINCE = """
select (select count(*) from automation_run
        where workspace_id = %(workspace)s and created_at >= %(since)s and called_by_run_id is null)
  + (select coalesce(sum(runs), 0)::bigint from automation_runstatistic
     where workspace_id = %(workspace)s and day = (%(since)s at time zone 'UTC')::date)
"""


class OwnQuotas(NamedTuple):
    """A workspace's own numbers, None where the installation's count, and the newest look at its storage."""

    workflows: int | None
    active_triggers: int | None
    runs_per_day: int | None
    storage_bytes: int | None
    used_bytes: int | None
    measured_at: datetime | None


def of_workspace(cursor: Any, workspace_id: UUID) -> OwnQuotas:
    """The workspace's own quotas; none when there is no such workspace."""
    cursor.execute(OF_WORKSPACE, (workspace_id,))
    return OwnQuotas(*(cursor.fetchone() or (None,) * 6))


def lock(cursor: Any, workspace_id: UUID) -> None:
    """Make others that add something to the workspace wait until the end of this transaction."""
    cursor.execute(LOCK, (str(workspace_id),))


def count_workflows(cursor: Any, workspace_id: UUID) -> int:
    """All workflows of a workspace, also archived ones."""
    return _number(cursor, COUNT_WORKFLOWS, (workspace_id,))


def count_active_triggers(cursor: Any, workspace_id: UUID) -> int:
    """The triggers of a workspace that are switched on."""
    return _number(cursor, COUNT_ACTIVE_TRIGGERS, (workspace_id,))


def count_runs(cursor: Any, workspace_id: UUID, *, since: datetime) -> int:
    """The runs of a workspace that were started since a midnight (UTC) and not by another run."""
    return _number(cursor, COUNT_RUNS_SINCE, {"workspace": workspace_id, "since": since})


def _number(cursor: Any, statement: str, parameters: Any) -> int:
    cursor.execute(statement, parameters)
    return int(cursor.fetchone()[0])
