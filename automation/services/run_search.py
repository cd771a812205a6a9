"""Find runs: the filters a caller may ask for, from a literal list, and the columns a list shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from automation.engine.status import RunStatus
from automation.models import Run, Workflow
from automation.services.runs import visible_runs
from brainops.accounts.caller import Caller
from brainops.core.errors import NotFound

COLUMNS = (
    *("id", "uid", "workflow_id", "workflow__name", "version__number", "status", "mode", "trigger_id"),
    *("created_by_id", "parent_run__uid", "called_by_run__uid", "attempt", "crashes", "wait_kind", "wake_at"),
    *("data__error", "cancel_requested_at", "deadline_at", "created_at", "started_at", "finished_at"),
)
STATUSES = {status.word: status for status in RunStatus}


def find(
    caller: Caller,
    *,
    workflow_id: UUID | None = None,
    status: Sequence[str] = (),
    version: str | None = None,
    trigger_id: UUID | None = None,
    parent_run_id: UUID | None = None,
    created_by: UUID | None = None,
    created_since: datetime | None = None,
    created_until: datetime | None = None,
) -> QuerySet[Run, dict[str, Any]]:
    """The runs of the caller's workspace that fit all that was asked, as rows of COLUMNS; `until` is exclusive."""
    rows = visible_runs(caller)
    if status:
        rows = rows.filter(status__in=[STATUSES[word] for word in status])
    exact = {
        "workflow_id": workflow_id,
        "version__number": version,
        "trigger_id": trigger_id,
        "parent_run__uid": parent_run_id,
        "created_by_id": created_by,
        "created_at__gte": created_since,
        "created_at__lt": created_until,
    }
    return rows.filter(**{lookup: value for lookup, value in exact.items() if value is not None}).values(*COLUMNS)


def require_workflow(caller: Caller, workflow_id: UUID) -> None:
    """Raise NotFound unless the workflow is one of the caller's workspace: an empty list would look like an answer."""
    if not Workflow.objects.filter(id=workflow_id, workspace_id=caller.workspace()).exists():
        raise NotFound
