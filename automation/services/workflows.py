"""Workflows: create, change, delete. Every change of the content makes the next version (`versions.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet

from automation.models import Workflow
from automation.services import mentioned, quotas, runnable, versions, workflow_calls
from automation.services.documents import canonical
from automation.services.version_numbers import FIRST
from automation.services.workflow_drafts import AS_IT_IS, Draft, content_of
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.audit.services import record
from brainops.core import clock

Check = Callable[[Workflow], None]


def visible_workflows(caller: Caller) -> QuerySet[Workflow]:
    """The workflows a caller may look at."""
    caller.require(Permission.WORKFLOWS_READ)
    return scoped(Workflow.objects.all(), caller)


def get_workflow(caller: Caller, workflow_id: UUID | str) -> Workflow:
    """One workflow to look at. Raises NotFound."""
    return get_scoped(visible_workflows(caller), caller, workflow_id)


def create(caller: Caller, draft: Draft) -> Workflow:
    """Create a workflow with its first version. Raises InvalidInput when it names what is not there, QuotaExceeded."""
    caller.require(Permission.WORKFLOWS_CREATE)
    version_id = uuid4()
    _check_names(caller.workspace(), draft)
    with transaction.atomic():
        quotas.require_workflows_locked(caller.workspace())
        workflow = Workflow.objects.create(
            workspace_id=caller.workspace(),
            owner_id=caller.user_id,
            is_active=draft.is_active is not False,
            retention=None if draft.retention is AS_IT_IS else draft.retention,
            version=FIRST,
            current_version_id=version_id,  # the constraint is checked at the commit, when the version stands
            **draft.content.values(),
        )
        versions.add(caller, workflow, version_id=version_id, ordinal=1, note=draft.note)
        _audit(caller, workflow, "create", f"Created workflow {workflow.name!r}.", {"version": [None, FIRST]})
    return workflow


def change(caller: Caller, workflow_id: UUID | str, make_draft: Callable[[Workflow], Draft]) -> Workflow:
    """Save what `make_draft` makes of the stored workflow, which is locked meanwhile.

    Content that differs makes the next version; a changed canvas or switch makes none; nothing changed writes nothing.
    """
    with transaction.atomic():
        workflow = _locked(caller, workflow_id, Permission.WORKFLOWS_UPDATE)
        draft = make_draft(workflow)
        before = _state(workflow)
        old, new = content_of(workflow).values(), draft.content.values()
        changed = [key for key in new if canonical(new[key]) != canonical(old[key])]
        keeps_retention = draft.retention is AS_IT_IS or draft.retention == workflow.retention
        if not changed and keeps_retention and draft.is_active in (None, workflow.is_active):
            return workflow
        if "definition" in changed:
            _check_names(workflow.workspace_id, draft, workflow.id)
        for key in changed:
            setattr(workflow, key, new[key])
        if draft.is_active is not None:
            workflow.is_active = draft.is_active
        if not keeps_retention:
            workflow.retention = draft.retention
        if versions.differ(old, new):
            versions.add_next(caller, workflow, note=draft.note, bump=draft.bump)
        save(workflow)
        changes = _differences(before, _state(workflow))
        _audit(caller, workflow, "update", _said(workflow, changed, changes), changes)
    return workflow


def restore(caller: Caller, workflow_id: UUID | str, number: str, *, check: Check) -> Workflow:
    """Make an earlier version's content the newest version. Restoring the present content makes none."""

    def make_draft(workflow: Workflow) -> Draft:
        check(workflow)
        version = versions.get_version(workflow, number)
        return Draft(versions.content_of(version), note=f"Restored from {version.number}.")

    return change(caller, workflow_id, make_draft)


def save(workflow: Workflow) -> None:
    """Write a locked workflow; its revision rises, so its ETag changes, and no process trusts what it knew."""
    workflow.revision += 1
    workflow.updated_at = clock.now()
    workflow.save()
    transaction.on_commit(lambda: runnable.forget(workflow.id))


def _locked(caller: Caller, workflow_id: UUID | str, permission: Permission) -> Workflow:
    """The workflow, locked against every other change until the transaction ends; runs may start meanwhile."""
    workflow = get_scoped(Workflow.objects.select_for_update(of=("self",), no_key=True), caller, workflow_id)
    caller.require(permission, created_by=workflow.owner_id)
    return workflow


def _check_names(workspace_id: UUID, draft: Draft, workflow_id: UUID | None = None) -> None:
    content = draft.content
    workflow_calls.check(workflow_calls.Caller(workspace_id, content.name, content.definition, workflow_id))
    mentioned.check(workspace_id, content.definition)


def _state(workflow: Workflow) -> dict[str, Any]:
    return {"version": workflow.version, "is_active": workflow.is_active, "retention": workflow.retention}


def _said(workflow: Workflow, changed: list[str], changes: dict[str, Any]) -> str:
    besides = [word for name, word in (("is_active", "the switch"), ("retention", "retention")) if name in changes]
    what = ", ".join(changed or besides)
    return f"Changed {what} of workflow {workflow.name!r}."


def _differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {key: [before[key], after[key]] for key in after if before[key] != after[key]}


def _audit(caller: Caller, workflow: Workflow, verb: str, summary: str, changes: dict[str, Any]) -> None:
    record(
        actor=caller,
        workspace_id=workflow.workspace_id,
        action=f"workflow.{verb}",
        target_kind="workflow",
        target_id=workflow.id,
        summary=summary,
        changes=changes,
    )
