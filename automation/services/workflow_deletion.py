"""Delete workflows with all that hangs on them, and say beforehand what that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from automation.engine.wording import counted
from automation.models import Trigger, Workflow
from automation.services import runnable
from automation.services.workflows import Check
from automation.store.bulk_workflows import delete_versions
from automation.store.delete_runs import delete_runs
from automation.triggers import all_trigger_kinds
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.audit.services import Deed, record_many


def what_goes_with(caller: Caller, workflow_id: UUID | str) -> dict[str, int]:
    """How many rows of each kind a deletion would take along: `{"runs": 120, "triggers": 1, "versions": 3}`."""
    workflow = get_scoped(Workflow.objects.all(), caller, workflow_id)
    caller.require(Permission.WORKFLOWS_DELETE, created_by=workflow.owner_id)
    return counts_of([workflow.id])[workflow.id]


def delete(caller: Caller, workflow_id: UUID | str, *, check: Check = lambda _workflow: None) -> dict[str, int]:
    """Delete a workflow, its versions, triggers, runs and what higher rooms hang on it; return how many of each.

    All or nothing. A run that a worker is on loses its claim: its results are dropped.
    """
    with transaction.atomic():
        workflow = get_scoped(Workflow.objects.select_for_update(of=("self",)), caller, workflow_id)
        caller.require(Permission.WORKFLOWS_DELETE, created_by=workflow.owner_id)
        check(workflow)
        return delete_in_transaction(caller, [workflow])[workflow.id]


def delete_in_transaction(caller: Caller, workflows: Sequence[Workflow]) -> dict[UUID, dict[str, int]]:
    """Delete workflows that are locked already, set by set; return for each how many rows of each kind went."""
    ids = [workflow.id for workflow in workflows]
    counts = counts_of(ids)
    for trigger in Trigger.objects.filter(workflow_id__in=ids):
        if kind := all_trigger_kinds().get(trigger.kind):
            kind.on_delete(trigger)
    with connection.cursor() as cursor:
        delete_runs(cursor, ids)
        delete_versions(cursor, ids)
    record_many(caller, [_deed(workflow, counts[workflow.id]) for workflow in workflows])
    for id_ in ids:
        transaction.on_commit(partial(runnable.forget, id_))
    Workflow.objects.filter(id__in=ids).only("id").delete()  # Django reads what it deletes: without documents
    return counts


def counts_of(workflow_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """Rows that refer to the workflows directly and go with them, by workflow and name of their relation."""
    counts: dict[UUID, dict[str, int]] = {id_: {} for id_ in workflow_ids}
    for name, column, rows in _dependants():
        found = rows.filter(**{f"{column}__in": workflow_ids}).order_by().values_list(column)
        counted_rows = dict(found.annotate(rows=models.Count("*")))
        for id_ in workflow_ids:
            counts[id_][name] = counted_rows.get(id_, 0)
    return counts


def _dependants() -> list[tuple[str, str, models.QuerySet[Any]]]:
    """The relations that a deletion follows: their name, the column that refers to the workflow, their rows."""
    found = [
        (str(relation.get_accessor_name()), str(relation.field.name), relation.related_model._base_manager.all())
        for relation in Workflow._meta.related_objects
        if relation.on_delete is models.CASCADE and not relation.hidden
    ]
    return sorted(found, key=itemgetter(0))


def _deed(workflow: Workflow, counts: Mapping[str, int]) -> Deed:
    with_it = ", ".join(counted(count, name.removesuffix("s")) for name, count in counts.items() if count)
    return Deed(
        workflow.workspace_id,
        "workflow.delete",
        "workflow",
        workflow.id,
        f"Deleted workflow {workflow.name!r} with {with_it}.",
        {"name": [workflow.name, None], "version": [workflow.version, None]},
    )
