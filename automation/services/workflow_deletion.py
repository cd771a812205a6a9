"""Delete a workflow with all that hangs on it, and say beforehand what that is."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.db import connection, models, transaction

from automation.engine.wording import counted
from automation.models import Workflow
from automation.services import runnable
from automation.services.workflows import Check
from automation.store.delete_runs import delete_runs
from automation.triggers import all_trigger_kinds
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.audit.services import record


def what_goes_with(caller: Caller, workflow_id: UUID | str) -> dict[str, int]:
    """How many rows of each kind a deletion would take along: `{"runs": 120, "triggers": 1, "versions": 3}`."""
    workflow = get_scoped(Workflow.objects.all(), caller, workflow_id)
    caller.require(Permission.WORKFLOWS_DELETE, created_by=workflow.owner_id)
    return _counts(workflow)


def delete(caller: Caller, workflow_id: UUID | str, *, check: Check = lambda _workflow: None) -> dict[str, int]:
    """Delete a workflow, its versions, triggers, runs and what higher rooms hang on it; return how many of each.

    All or nothing. A run that a worker is on loses its claim: its results are dropped.
    """
    with transaction.atomic():
        workflow = get_scoped(Workflow.objects.select_for_update(of=("self",)), caller, workflow_id)
        caller.require(Permission.WORKFLOWS_DELETE, created_by=workflow.owner_id)
        check(workflow)
        counts = _counts(workflow)
        for trigger in workflow.triggers.all():
            if kind := all_trigger_kinds().get(trigger.kind):
                kind.on_delete(trigger)
        with connection.cursor() as cursor:
            counts["runs"] = delete_runs(cursor, workflow.id)
        _audit(caller, workflow, counts)
        transaction.on_commit(partial(runnable.forget, workflow.id))
        workflow.delete()
    return counts


def _counts(workflow: Workflow) -> dict[str, int]:
    """Rows that refer to the workflow directly and go with it, under the name of their relation."""
    counts = {}
    for relation in Workflow._meta.related_objects:
        if relation.on_delete is models.CASCADE and not relation.hidden:
            rows = relation.related_model._base_manager.filter(**{relation.field.name: workflow})
            counts[str(relation.get_accessor_name())] = rows.count()
    return dict(sorted(counts.items()))


def _audit(caller: Caller, workflow: Workflow, counts: dict[str, int]) -> None:
    with_it = ", ".join(counted(count, name.removesuffix("s")) for name, count in counts.items() if count)
    record(
        actor=caller,
        workspace_id=workflow.workspace_id,
        action="workflow.delete",
        target_kind="workflow",
        target_id=workflow.id,
        summary=f"Deleted workflow {workflow.name!r} with {with_it}.",
        changes={"name": [workflow.name, None], "version": [workflow.version, None]},
    )
