"""What becomes of workflows and approvals when a person leaves a workspace, and of runs when the workspace goes.

Accounts asks through its registries (brainops/accounts/belongings.py); it does not know this room.
"""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from automation.engine.status import RunStatus
from automation.models import Approval, ApprovalState, Run, Trigger, Workflow
from automation.services import runnable
from automation.store.delete_runs import delete_runs
from automation.store.files import delete_of_workspace as delete_files
from automation.triggers import all_trigger_kinds
from brainops.accounts.belongings import Clearance, Counts, Departure
from brainops.accounts.models import User
from brainops.audit.actor import HasActor
from brainops.audit.services import record
from brainops.core import clock


def count(workspace_id: UUID, person: User) -> Counts:
    """How many workflows a person owns, and how many open approvals ask for them by name."""
    return {
        "workflows": _owned(workspace_id, person).count(),
        "approvals": _asking(workspace_id, _names(person)).count(),
    }


def hand_over(by: HasActor, workspace_id: UUID, person: User, successor: User) -> Counts:
    """Give a person's workflows, and the open approvals that ask for them by name, to their successor.

    Re-owning makes no version. Where the successor was asked already, the leaver's name goes without another in its
    place; a quorum that cannot be reached any more is for admins to decide, as always.
    """
    rows = _owned(workspace_id, person).order_by("id")  # locked as a bulk request would lock them
    workflows = list(rows.select_for_update(no_key=True).only("id", "name", "workspace_id"))
    _owned(workspace_id, person).update(owner=successor, revision=F("revision") + 1, updated_at=clock.now())
    for workflow in workflows:
        record(
            actor=by,
            workspace_id=workspace_id,
            action="workflow.assign",
            target_kind="workflow",
            target_id=workflow.id,
            summary=f"Gave workflow {workflow.name!r} of {person.email}, who left, to {successor.email}.",
            changes={"owner": [person.id, successor.id]},
        )
    heir = f"user:{successor.username.lower()}"
    approvals = _rename(workspace_id, _names(person), heir)
    for approval in approvals:
        record(
            actor=by,
            workspace_id=workspace_id,
            action="approval.reassign",
            target_kind="approval",
            target_id=approval.id,
            summary=f"Approval {approval.title!r} asks {successor.email} instead of {person.email}, who left.",
        )
    return {"workflows": len(workflows), "approvals": len(approvals)}


def follow_rename(person: User, old_username: str) -> None:
    """Let open approvals ask a person by their new user name; else whoever takes the old one would be asked."""
    for workspace_id in person.memberships.values_list("workspace_id", flat=True):
        _rename(workspace_id, {f"user:{old_username.lower()}"}, f"user:{person.username.lower()}")


def count_active(workspace_id: UUID) -> int:
    """How many runs of a workspace have not ended."""
    return Run.objects.filter(workspace_id=workspace_id, status__lt=RunStatus.SUCCEEDED).count()


def clear(workspace_id: UUID) -> None:
    """Delete what a cascade of foreign keys would miss: what hangs on runs, and what triggers keep elsewhere."""
    for trigger in Trigger.objects.filter(workspace_id=workspace_id):
        if kind := all_trigger_kinds().get(trigger.kind):
            kind.on_delete(trigger)
    ids = list(Workflow.objects.filter(workspace_id=workspace_id).values_list("id", flat=True))
    with connection.cursor() as cursor:
        delete_runs(cursor, ids)
        delete_files(cursor, workspace_id)
    for workflow_id in ids:
        transaction.on_commit(partial(runnable.forget, workflow_id))


departure = Departure(count, hand_over)
clearance = Clearance(count_active, clear)


def _owned(workspace_id: UUID, person: User) -> QuerySet[Workflow]:
    return Workflow.objects.filter(workspace_id=workspace_id, owner=person)


def _names(person: User) -> set[str]:
    return {f"user:{person.username.lower()}", f"user:{person.email}"}


def _asking(workspace_id: UUID, names: set[str]) -> QuerySet[Approval]:
    asked = Q(assignees__has_any_keys=sorted(names)) | Q(escalate_to__has_any_keys=sorted(names))
    return Approval.objects.filter(asked, workspace_id=workspace_id, state=ApprovalState.PENDING)


def _rename(workspace_id: UUID, names: set[str], heir: str) -> list[Approval]:
    """Put the heir in the place of the names, in what is still open; returns the approvals that changed."""
    found = list(_asking(workspace_id, names).order_by("id").select_for_update(no_key=True))
    for approval in found:
        approval.assignees = _replaced(approval.assignees, names, heir)
        approval.escalate_to = _replaced(approval.escalate_to, names, heir)
        approval.save(update_fields=["assignees", "escalate_to"])
    return found


def _replaced(assignees: list[str], names: set[str], heir: str) -> list[str]:
    return list(dict.fromkeys(heir if one in names else one for one in assignees))
