"""Delete a workspace with everything in it, and say beforehand what that is."""

from __future__ import annotations

from uuid import UUID

from django.db import models, transaction

from brainops.accounts.belongings import clearances
from brainops.accounts.caller import Caller
from brainops.accounts.models import Workspace
from brainops.accounts.policy import Permission
from brainops.audit.actor import HasActor
from brainops.audit.services import record
from brainops.core.errors import Conflict, InvalidInput, NotFound, Problem


def what_goes_with(caller: Caller) -> dict[str, int]:
    """How many rows of each kind a deletion would take along: `{"runs": 120, "workflows": 3}`, without zeros."""
    caller.require(Permission.WORKSPACE_DELETE)
    return count_rows(caller.workspace())


def delete(caller: Caller, *, confirm: str, with_active_runs: bool = False) -> dict[str, int]:
    """Delete the caller's workspace; return how many rows of each kind went along.

    `confirm` has to be its slug. Raises Conflict while runs are active, unless `with_active_runs`: these lose their
    claim, and what their workers still do is dropped.
    """
    caller.require(Permission.WORKSPACE_DELETE)
    return destroy(caller.workspace(), confirm=confirm, with_active_runs=with_active_runs, by=caller)


def destroy(workspace_id: UUID, *, confirm: str, with_active_runs: bool, by: HasActor) -> dict[str, int]:
    """Delete a workspace, without a question about rights: for the command, and behind `delete`.

    All or nothing. What the audit log holds about the workspace stays.
    """
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update().filter(id=workspace_id).first()
        if workspace is None:
            raise NotFound
        if confirm != workspace.slug:
            said = "confirm must be the workspace's slug, to show that this one is meant."
            raise InvalidInput(said, problems=[Problem("not_confirmed", said, parameter="confirm")])
        if not with_active_runs:
            _refuse_active(workspace_id)
        counts = count_rows(workspace_id)
        for clearance in clearances.values():
            clearance.clear(workspace_id)
        record(
            actor=by,
            workspace_id=workspace_id,
            action="workspace.delete",
            target_kind="workspace",
            target_id=workspace_id,
            summary=f"Deleted the workspace {workspace.slug} with all it held.",
            changes={"slug": [workspace.slug, None], **{name: [count, 0] for name, count in counts.items()}},
        )
        workspace.delete()
    return counts


def _refuse_active(workspace_id: UUID) -> None:
    active = sum(clearance.count_active(workspace_id) for clearance in clearances.values())
    if active:
        raise Conflict(
            f"{active} runs are active here. Cancel them, or ask again with with_active_runs=true.",
            code="runs_active",
            details={"active_runs": active},
        )


def count_rows(workspace_id: UUID) -> dict[str, int]:
    """Rows that refer to the workspace and go with it, by the name of their kind."""
    counts: dict[str, int] = {}
    for relation in Workspace._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel) or relation.on_delete is not models.CASCADE:
            continue
        model = relation.related_model
        count = model._base_manager.filter(**{relation.field.name: workspace_id}).count()
        if count:
            counts[str(model._meta.verbose_name_plural).lower().replace(" ", "_")] = count
    return dict(sorted(counts.items()))
