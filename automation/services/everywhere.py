"""What staff see across all workspaces: the one place that reads workflows and runs without a workspace's wall.

Every function asks for a caller of the staff first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from automation.engine.status import RunStatus
from automation.models import Run, Workflow
from automation.services import bulk_workflows
from automation.services.bulk import Report
from automation.services.bulk_verbs import Effect
from automation.services.bulk_workflows import Order
from brainops.accounts.caller import Caller
from brainops.accounts.models import Role, User
from brainops.core.errors import NotFound, PermissionDenied

STATUSES = {status.word: status for status in RunStatus}
RUN_COLUMNS = (
    *("id", "uid", "workspace_id", "workspace__slug", "workspace__name", "workflow_id", "workflow__name"),
    *("workflow__owner_id", "workflow__owner__email", "version__number", "status", "mode", "trigger_id"),
    *("created_by_id", "parent_run__uid", "attempt", "crashes", "data__error"),
    *("created_at", "started_at", "finished_at"),
)


def workflows(
    staff: Caller,
    *,
    search: str = "",
    tag: Sequence[str] = (),
    is_archived: bool | None = None,
    **exact: Any,
) -> QuerySet[Workflow]:
    """The workflows of all workspaces that fit all that was asked, without their documents; `exact`: see EXACT."""
    staff.require_staff()
    rows = Workflow.objects.select_related("workspace", "owner").defer("definition", "meta_data", "retention")
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(description__icontains=search) | Q(tags__contains=[search]))
    if tag:
        rows = rows.filter(tags__contains=list(tag))
    if is_archived is not None:
        rows = rows.filter(archived_at__isnull=not is_archived)
    return rows.filter(**{EXACT[name]: value for name, value in exact.items()})


# Parameters that compare one column; `until` is exclusive.
EXACT = {
    "is_active": "is_active",
    "workspace": "workspace_id",
    "owner": "owner_id",
    "created_since": "created_at__gte",
    "created_until": "created_at__lt",
    "updated_since": "updated_at__gte",
    "updated_until": "updated_at__lt",
}


def workflows_of(staff: Caller, user_id: UUID, **wanted: Any) -> QuerySet[Workflow]:
    """The workflows that a user owns, in whichever workspace. Raises NotFound when there is no such user."""
    staff.require_staff()
    if not User.objects.filter(id=user_id).exists():
        raise NotFound("There is no such user.")
    return workflows(staff, owner=user_id, **wanted)


def runs(
    staff: Caller,
    *,
    status: Sequence[str] = (),
    workspace: UUID | None = None,
    owner: UUID | None = None,
    workflow_id: UUID | None = None,
    created_by: UUID | None = None,
    trigger_id: UUID | None = None,
    created_since: datetime | None = None,
    created_until: datetime | None = None,
) -> QuerySet[Run, dict[str, Any]]:
    """The runs of all workspaces that fit all that was asked, as rows of RUN_COLUMNS; `until` is exclusive."""
    staff.require_staff()
    rows = Run.objects.all()
    if status:
        rows = rows.filter(status__in=[STATUSES[word] for word in status])
    asked = {
        "workspace_id": workspace,
        "workflow__owner_id": owner,
        "workflow_id": workflow_id,
        "created_by_id": created_by,
        "trigger_id": trigger_id,
        "created_at__gte": created_since,
        "created_at__lt": created_until,
    }
    return rows.filter(**{lookup: value for lookup, value in asked.items() if value is not None}).values(*RUN_COLUMNS)


WORDS = {Effect.DELETE: "delete"}  # what Django calls the right


def change_workflows(staff: Caller, order: Order) -> Report:
    """Carry out a bulk order on workflows of any workspace.

    Raises PermissionDenied unless staff has the right that the admin's pages ask for, too.
    """
    staff.require_staff()
    word = WORDS.get(order.verb.effect, "change")
    user = User.objects.get(pk=str(staff.user_id))
    if not user.has_perm(f"automation.{word}_workflow"):
        raise PermissionDenied(f"You may look, but not {word} workflows. Ask a superuser for the right to.")
    return bulk_workflows.carry_out_anywhere(_as_owner(staff), order)


def _as_owner(staff: Caller) -> Caller:
    """Staff stands above the roles of workspaces."""
    return Caller(user_id=staff.user_id, label=staff.label, via=staff.via, role=Role.OWNER, is_staff=True)
