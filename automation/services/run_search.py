"""Find runs: the filters a caller may ask for, from a literal list, and the columns a list shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from automation.engine.status import RunStatus, StepStatus
from automation.models import (
    Approval,
    ApprovalKind,
    ApprovalState,
    Run,
    RunData,
    StepRun,
    Trigger,
    Workflow,
    WorkflowVersion,
)
from automation.services.run_times import created_between
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
ORDERS = {"-created_at": ("-id",), "created_at": ("id",)}  # ids rise with time
UNSUCCESSFUL = (RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.TIMED_OUT)
BY_HAND = "none"  # for `trigger_kind`: started by a call, a retry or another run
STATUSES = {status.word: status for status in RunStatus}


# as the index run_duration has it
_DURATION = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
_COMPARISONS = {"gte": GreaterThanOrEqual, "lte": LessThanOrEqual}


def shown(page: QuerySet[Run]) -> QuerySet[Run, dict[str, Any]]:
    """What a list shows of a page of runs: looked up for those few only, however many had to be sorted."""
    return Run.objects.filter(id__in=page.values("id")).values(*COLUMNS)


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
    workflow_tag: Sequence[str] = (),
    trigger_kind: Sequence[str] = (),
    min_seconds: float | None = None,
    max_seconds: float | None = None,
    search: str = "",
    error_class: str | None = None,
    error_type: str | None = None,
) -> QuerySet[Run]:
    """The runs of the caller's workspace that fit all that was asked; `until` is exclusive."""
    rows = visible_runs(caller).filter(created_between(created_since, created_until))
    rows = rows.filter(_failed(search, error_class, error_type), _took(min_seconds, max_seconds))
    if workflow_tag:
        rows = rows.filter(workflow_id__in=_workflows_with(caller, workflow_tag))
    if trigger_kind:
        rows = rows.filter(_started_by(caller, trigger_kind))
    if version is not None:
        rows = rows.filter(version_id__in=_versions_numbered(caller, version, workflow_id))
    if status:
        rows = rows.filter(status__in=[STATUSES[word] for word in status])
    if has_unknown is not None:
        rows = rows.filter(with_unknown()) if has_unknown else rows.exclude(with_unknown())
    exact = {
        "workflow_id": workflow_id,
        "trigger_id": trigger_id,
        "parent_run__uid": parent_run_id,
        "called_by_run__uid": called_by_run_id,
        "created_by_id": created_by,
    }
    return rows.filter(**{lookup: value for lookup, value in exact.items() if value is not None})


def with_unknown() -> Q:
    """Runs with an effect of which nobody knows whether it happened: it ended so, or somebody is being asked.

    Both are few and have indexes of their own: their ids come first, then the runs.
    """
    steps = StepRun.objects.filter(status=StepStatus.UNKNOWN).values("run_id")
    asked = Approval.objects.filter(kind=ApprovalKind.UNKNOWN, state=ApprovalState.PENDING).values("run_id")
    return Q(id__in=steps.union(asked))


def _failed(search: str, error_class: str | None, error_type: str | None) -> Q:
    """Runs whose error says so. `search` is a part of its message, in any case of letters.

    The statuses let a filter that finds nothing in the indexes of errors walk the failed runs only.
    """
    errors = RunData.objects.filter(error__isnull=False)
    if search:
        errors = errors.alias(said=KeyTextTransform("message", "error")).filter(said__icontains=search)
    for key, value in (("class", error_class), ("type", error_type)):
        if value is not None:
            errors = errors.alias(**{f"its_{key}": KeyTextTransform(key, "error")}).filter(**{f"its_{key}": value})
    if not (search or error_class is not None or error_type is not None):
        return Q()
    return Q(status__in=UNSUCCESSFUL, id__in=errors.values("run_id"))


def _took(min_seconds: float | None, max_seconds: float | None) -> Q:
    """Ended runs by the seconds from their first claim to their end."""
    bounds = {"gte": min_seconds, "lte": max_seconds}
    found = Q(finished_at__isnull=False) if any(seconds is not None for seconds in bounds.values()) else Q()
    for word, seconds in bounds.items():
        if seconds is not None:
            found &= Q(_COMPARISONS[word](_DURATION, Value(timedelta(seconds=seconds), DurationField())))
    return found


def _workflows_with(caller: Caller, tags: Sequence[str]) -> list[UUID]:
    rows = Workflow.objects.filter(workspace_id=caller.workspace(), tags__has_any_keys=list(tags))
    return list(rows.values_list("id", flat=True))


def _versions_numbered(caller: Caller, number: str, workflow_id: UUID | None) -> list[UUID]:
    """The versions of that number, asked for first: a list of ids is what the index of runs takes."""
    rows = WorkflowVersion.objects.filter(workflow__workspace_id=caller.workspace(), number=number)
    rows = rows if workflow_id is None else rows.filter(workflow_id=workflow_id)
    return list(rows.values_list("id", flat=True))


def _started_by(caller: Caller, kinds: Sequence[str]) -> Q:
    """Runs by the kind of their trigger, which is asked for first: a list of ids is what the index of runs takes."""
    rows = Trigger.objects.filter(workspace_id=caller.workspace(), kind__in=kinds)
    found = Q(trigger_id__in=list(rows.values_list("id", flat=True)))
    return found | Q(trigger_id__isnull=True) if BY_HAND in kinds else found


def require_run(caller: Caller, uid: UUID) -> None:
    """Raise NotFound unless the run is one of the caller's workspace."""
    get_scoped(visible_runs(caller).only("id"), caller, uid, by="uid")


def require_workflow(caller: Caller, workflow_id: UUID) -> None:
    """Raise NotFound unless the workflow is one of the caller's workspace: an empty list would look like an answer."""
    if not Workflow.objects.filter(id=workflow_id, workspace_id=caller.workspace()).exists():
        raise NotFound
