"""Write what was planned, many workflows with few statements. Runs inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from automation.models import Trigger, Workflow, WorkflowVersion
from automation.services import quotas, runnable, sources
from automation.services.exchange.plans import Action, NewTrigger, NewVersion, Plan
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import Saving
from automation.triggers.timing import first_fire
from brainops.accounts.caller import Caller
from brainops.audit.services.recording import Deed, record_many
from brainops.core import clock
from brainops.core.errors import Conflict, InvalidInput, PermissionDenied, Problem

LEFT_OUT = (InvalidInput, PermissionDenied, Conflict)  # the trigger is, and the import goes on; also beyond a quota

Json = Any


def apply(caller: Caller, plans: Sequence[Plan]) -> None:
    """Write these plans and an audit entry for each. Triggers that cannot be made are left out with a note.

    Raises QuotaExceeded when the workspace may not have so many workflows.
    """
    new = [plan for plan in plans if plan.action is Action.CREATE]
    changed = [plan for plan in plans if plan.action is Action.UPDATE]
    rows = [_new_row(caller, plan) for plan in new] + [_changed_row(plan) for plan in changed]
    newest: dict[UUID, WorkflowVersion] = {}
    written = [version for plan in (*new, *changed) for version in _versions(caller, plan, newest)]
    for row in rows:
        if row.id in newest:
            row.current_version_id, row.version = newest[row.id].id, newest[row.id].number
    quotas.require_workflows_locked(caller.workspace(), more=len(new))
    Workflow.objects.bulk_create(rows[: len(new)])
    WorkflowVersion.objects.bulk_create(written, batch_size=500)
    for row in rows[len(new) :]:
        row.save()
    plain: list[Trigger] = []
    for plan, row in zip((*new, *changed), rows, strict=True):
        _replace_triggers(caller, plan, row, plain)
    Trigger.objects.bulk_create(plain)
    record_many(caller, [_deed(plan, row) for plan, row in zip((*new, *changed), rows, strict=True)])
    gone = [row.id for row in rows[len(new) :]]
    transaction.on_commit(lambda: _forget(gone))


def _new_row(caller: Caller, plan: Plan) -> Workflow:
    values = dict(plan.values)
    is_archived = values.pop("is_archived")
    return Workflow(
        id=plan.entry.new_id,
        workspace_id=caller.workspace(),
        owner_id=caller.user_id,
        source_key=plan.entry.key,
        archived_at=clock.now() if is_archived else None,
        **values,
    )


def _changed_row(plan: Plan) -> Workflow:
    """The stored row with its new values; it is locked. From now on the file's key leads to it."""
    assert plan.stored is not None  # noqa: S101 - an update is always of a stored workflow
    row = plan.stored.row
    for name, value in plan.values.items():
        setattr(row, name, value)
    if row.source_key is None and plan.entry.key not in (None, str(row.id)):
        row.source_key = plan.entry.key
    row.revision += 1
    row.updated_at = clock.now()
    return row


def _versions(caller: Caller, plan: Plan, newest: dict[UUID, WorkflowVersion]) -> Iterable[WorkflowVersion]:
    first = plan.stored.ordinal if plan.stored else 0
    for ordinal, version in enumerate(plan.versions, first + 1):
        row = _version(caller, plan.entry.id, ordinal, version)
        newest[plan.entry.id] = row
        yield row


def _version(caller: Caller, workflow_id: UUID, ordinal: int, version: NewVersion) -> WorkflowVersion:
    return WorkflowVersion(
        id=uuid4(),
        workspace_id=caller.workspace(),
        workflow_id=workflow_id,
        ordinal=ordinal,
        number=version.number,
        checksum=version.checksum,
        note=version.note,
        author_id=caller.user_id,
        imported_from=dict(version.imported_from) if version.imported_from else {},
        **version.content,
    )


def _replace_triggers(caller: Caller, plan: Plan, row: Workflow, plain: list[Trigger]) -> None:
    """Delete what goes and write what needs more than a row; `plain` gathers the rows that are still to be written."""
    for trigger in plan.gone:
        kind = all_trigger_kinds().get(trigger.kind)
        if kind:
            kind.on_delete(trigger)
        trigger.delete()
    made: list[NewTrigger] = []
    for index, told in enumerate(plan.triggers):
        trigger = _trigger(caller, row, told)
        try:
            _take(caller, plan, trigger, plain)
        except LEFT_OUT as refusal:  # such as a scheme whose key only the sender can make, or what only staff may
            said = f"The {told.kind} trigger was left out: {refusal.message}"
            plan.notes.append(Problem("trigger_left_out", said, f"/workflows/{plan.entry.index}/triggers/{index}"))
        else:
            made.append(told)
    plan.triggers = made


def _take(caller: Caller, plan: Plan, trigger: Trigger, plain: list[Trigger]) -> None:
    """Write a trigger with all that its kind writes, or put it to the plain ones. Raises AppError."""
    if trigger.is_active:
        waiting = sum(other.is_active for other in plain)
        quotas.require_active_triggers_locked(trigger.workspace_id, more=waiting + 1)
    kind = all_trigger_kinds()[trigger.kind]
    if not kind.writes_more:
        plain.append(trigger)
        return
    with transaction.atomic():
        trigger.save(force_insert=True)
        shown = kind.on_save(Saving(trigger=trigger, before=None, by=caller))
        sources.follow(kind, trigger, None)
    if shown:
        plan.shown_once.append({"id": str(trigger.id), "kind": trigger.kind, "name": trigger.name, **shown})


def _trigger(caller: Caller, row: Workflow, told: NewTrigger) -> Trigger:
    times, id_ = all_trigger_kinds()[told.kind].clock, uuid4()
    return Trigger(
        id=id_,
        workspace_id=row.workspace_id,
        workflow_id=row.id,
        kind=told.kind,
        name=told.name,
        config=dict(told.config),
        inputs=dict(told.inputs),
        condition=told.condition,
        is_active=told.is_active,
        next_fire_at=first_fire(times, told.config, id_, clock.now()) if times and told.is_active else None,
        created_by_id=caller.user_id,
    )


def _deed(plan: Plan, row: Workflow) -> Deed:
    is_new = plan.action is Action.CREATE
    before = None if is_new or not plan.versions or plan.stored is None else plan.stored.versions[-1][0]
    changes: Mapping[str, Json] = {"version": [before, row.version]} if plan.versions else {}
    others = {name: [None, True] for name in ("is_active",) if not is_new and name in plan.values}
    return Deed(
        workspace_id=row.workspace_id,
        action="workflow.import",
        target_kind="workflow",
        target_id=row.id,
        summary=f"{'Created' if is_new else 'Changed'} workflow {row.name!r} by an import.",
        changes={**changes, **others} or None,
    )


def _forget(ids: Iterable[UUID]) -> None:
    for id_ in ids:
        runnable.forget(id_)
