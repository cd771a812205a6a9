"""Find runs: the filters a caller may ask for, from a literal list, and the columns a list shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from automation.engine.status import RunStatus, StepStatus
from automation.models import Approval, ApprovalKind, ApprovalState, Run, StepRun, Workflow
from automation.services.runs import visible_runs
from brainops.accounts.caller import Caller
from brainops.accounts.scoping import get_scoped
from brainops.core.errors import NotFound

COLUMNS = (
    *("id", "uid", "workflow_id", "workflow__name", "version__number", "status", "mode", "trigger_id"),
    *("created_by_id", "parent_run__uid", "called_by_run__uid", "called_by_path", "depth"),
    *("attempt", "crashes", "wait_kind", "wake_at"),
    *("data__error", "cancel_requested_at", "deadline_at", "created_at", "started_at", "finished_at"),
)
STATUSES = {status.word: status for status in RunStatus}


def find(caller: Caller, **wanted: Any) -> QuerySet[Run, dict[str, Any]]:
    """The runs that fit all that was asked (`find_rows`), as rows of COLUMNS."""
    return find_rows(caller, **wanted).values(*COLUMNS)


def find_rows(
    caller: Caller,
    *,
    workflow_id: UUID | None = None,
    status: Sequence[str] = (),
    version: str | None = None,
    trigger_id: UUID | None = None,
    parent_run_id: UUID | None = None,
    called_by_run_id: UUID | None = None,
    has_unknown: bool | None = None,
    created_by: UUID | None = None,
    created_since: datetime | None = None,
    created_until: datetime | None = None,
) -> QuerySet[Run]:
    """The runs of the caller's workspace that fit all that was asked; `until` is exclusive."""
    rows = visible_runs(caller)
    if status:
        rows = rows.filter(status__in=[STATUSES[word] for word in status])
    if has_unknown is not None:
        rows = rows.filter(with_unknown()) if has_unknown else rows.exclude(with_unknown())
    exact = {
        "workflow_id": workflow_id,
        "version__number": version,
        "trigger_id": trigger_id,
        "parent_run__uid": parent_run_id,
        "called_by_run__uid": called_by_run_id,
        "created_by_id": created_by,
        "created_at__gte": created_since,
        "created_at__lt": created_until,
    }
    return rows.filter(**{lookup: value for lookup, value in exact.items() if value is not None})


def with_unknown() -> Q:
    """Runs with an effect of which nobody knows whether it happened: it ended so, or somebody is being asked."""
    steps = StepRun.objects.filter(run=OuterRef("pk"), status=StepStatus.UNKNOWN)
    asked = Approval.objects.filter(run=OuterRef("pk"), kind=ApprovalKind.UNKNOWN, state=ApprovalState.PENDING)
    return Q(Exists(steps)) | Q(Exists(asked))


def require_run(caller: Caller, uid: UUID) -> None:
    """Raise NotFound unless the run is one of the caller's workspace."""
    get_scoped(visible_runs(caller).only("id"), caller, uid, by="uid")


def require_workflow(caller: Caller, workflow_id: UUID) -> None:
    """Raise NotFound unless the workflow is one of the caller's workspace: an empty list would look like an answer."""
    if not Workflow.objects.filter(id=workflow_id, workspace_id=caller.workspace()).exists():
        raise NotFound
