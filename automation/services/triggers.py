"""Triggers: create, change, delete, look up. Each change is one transaction with its audit entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet

from automation.models import Trigger, Workflow
from automation.services import quotas, sources
from automation.services.fire_times import first_fire_at, moved_fire_at
from automation.services.merge_patch import merge_patch
from automation.services.trigger_checks import checked, kind_of
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import Saving
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import Conflict, InvalidInput, NotFound, Problem

MOST_TRIGGERS = 100  # of one workflow
SETTABLE = ("name", "config", "inputs", "condition", "is_active")  # by people

Json = Any
Check = Callable[[Trigger], None]


@dataclass(frozen=True, slots=True)
class SavedTrigger:
    """A stored trigger, and what is shown this one time only (a new secret)."""

    trigger: Trigger
    shown_once: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """All that people set of a trigger."""

    name: str
    config: Mapping[str, Json]
    inputs: Mapping[str, Json]
    condition: str
    is_active: bool


def create(
    caller: Caller,
    *,
    workflow_id: UUID | str,
    kind: str,
    config: Mapping[str, Json],
    name: str = "",
    inputs: Mapping[str, Json] | None = None,
    condition: str = "",
    is_active: bool = True,
) -> SavedTrigger:
    """Create a trigger of a workflow. Raises InvalidInput with every problem, PermissionDenied, Conflict."""
    trigger_kind = kind_of(kind)
    with transaction.atomic():
        workflow = _locked_workflow(caller, workflow_id)
        caller.require(Permission.TRIGGERS_CREATE, created_by=workflow.owner_id)
        _refuse_too_many(workflow)
        ready = checked(trigger_kind, workflow, name=name, config=config, inputs=inputs or {}, condition=condition)
        quotas.require_active_triggers_locked(workflow.workspace_id, more=int(is_active))
        id_ = uuid4()
        trigger = Trigger.objects.create(
            id=id_,
            workspace_id=workflow.workspace_id,
            workflow=workflow,
            kind=kind,
            name=name,
            config=ready.stored,
            inputs=dict(inputs or {}),
            condition=condition,
            is_active=is_active,
            next_fire_at=first_fire_at(trigger_kind, ready.stored, id_) if is_active else None,
            created_by_id=caller.user_id,
        )
        shown = trigger_kind.on_save(Saving(trigger=trigger, before=None, secrets=ready.secrets, by=caller))
        sources.follow(trigger_kind, trigger, None)
        _audit(caller, trigger, "create", f"Created the {kind} trigger of workflow {workflow.name!r}.")
    return SavedTrigger(trigger, shown)


def replace(
    caller: Caller,
    trigger_id: UUID | str,
    *,
    config: Mapping[str, Json],
    name: str = "",
    inputs: Mapping[str, Json] | None = None,
    condition: str = "",
    is_active: bool = True,
    workflow_id: UUID | str | None = None,
    kind: str | None = None,
    check: Check = lambda _trigger: None,
) -> SavedTrigger:
    """Replace everything that may change. Workflow and kind may be sent, but must be the present ones.

    `check` looks at the locked trigger and raises when it is not the one that was meant.
    """
    with transaction.atomic():
        trigger = _locked_trigger(caller, trigger_id, Permission.TRIGGERS_UPDATE)
        check(trigger)
        _refuse_moving(trigger, workflow_id=workflow_id, kind=kind)
        said = Said(name, config, inputs or {}, condition, is_active)
        return _save(caller, trigger, said)


def change(
    caller: Caller, trigger_id: UUID | str, patch: Mapping[str, Json], *, check: Check = lambda _trigger: None
) -> SavedTrigger:
    """Apply a JSON merge patch of name, config, inputs, condition and is_active."""
    with transaction.atomic():
        trigger = _locked_trigger(caller, trigger_id, Permission.TRIGGERS_UPDATE)
        check(trigger)
        _refuse_moving(trigger, workflow_id=patch.get("workflow_id"), kind=patch.get("kind"))
        said = Said(
            name=patch.get("name", trigger.name),
            config=merge_patch(trigger.config, patch.get("config", {})),
            inputs=merge_patch(trigger.inputs, patch.get("inputs", {})),
            condition=patch.get("condition", trigger.condition),
            is_active=patch.get("is_active", trigger.is_active),
        )
        return _save(caller, trigger, said)


def delete(caller: Caller, trigger_id: UUID | str, *, check: Check = lambda _trigger: None) -> None:
    """Delete a trigger with its ledger. Runs it started stay."""
    with transaction.atomic():
        trigger = _locked_trigger(caller, trigger_id, Permission.TRIGGERS_DELETE)
        check(trigger)
        if kind := all_trigger_kinds().get(trigger.kind):
            kind.on_delete(trigger)
        _audit(caller, trigger, "delete", f"Deleted the {trigger.kind} trigger of workflow {trigger.workflow.name!r}.")
        trigger.delete()


def get(caller: Caller, trigger_id: UUID | str) -> Trigger:
    """One trigger of the caller's workspace. Raises NotFound."""
    caller.require(Permission.TRIGGERS_READ)
    return get_scoped(Trigger.objects.all(), caller, trigger_id)


def find(caller: Caller) -> QuerySet[Trigger]:
    """The triggers of the caller's workspace, for a list."""
    caller.require(Permission.TRIGGERS_READ)
    return scoped(Trigger.objects.all(), caller)


def described(triggers: Sequence[Trigger]) -> dict[UUID, Mapping[str, Json]]:
    """What the kinds say about their triggers, with a number of queries that does not grow with the list."""
    by_kind: dict[str, list[Trigger]] = defaultdict(list)
    for trigger in triggers:
        by_kind[trigger.kind].append(trigger)
    found: dict[UUID, Mapping[str, Json]] = {}
    for key, group in by_kind.items():
        if kind := all_trigger_kinds().get(key):
            found.update(kind.describe(group))
    return found


def _save(caller: Caller, trigger: Trigger, said: Said) -> SavedTrigger:
    kind = kind_of(trigger.kind)
    ready = checked(
        kind, trigger.workflow, name=said.name, config=said.config, inputs=said.inputs, condition=said.condition
    )
    more = int(said.is_active and not trigger.is_active)
    quotas.require_active_triggers_locked(trigger.workspace_id, more=more)
    before = _state(trigger)
    trigger.next_fire_at = moved_fire_at(kind, trigger, ready.stored, is_active=said.is_active)
    trigger.name, trigger.config, trigger.inputs = said.name, ready.stored, dict(said.inputs)
    trigger.condition, trigger.is_active, trigger.updated_at = said.condition, said.is_active, clock.now()
    trigger.save(update_fields=[*SETTABLE, "next_fire_at", "updated_at"])
    shown = kind.on_save(Saving(trigger=trigger, before=before["config"], secrets=ready.secrets, by=caller))
    sources.follow(kind, trigger, before["config"])
    changes = {key: [before[key], value] for key, value in _state(trigger).items() if before[key] != value}
    _audit(caller, trigger, "update", f"Changed {', '.join(changes) or 'nothing'} of the trigger.", changes)
    return SavedTrigger(trigger, shown)


def _state(trigger: Trigger) -> dict[str, Json]:
    return {name: getattr(trigger, name) for name in SETTABLE}


def _locked_workflow(caller: Caller, workflow_id: UUID | str) -> Workflow:
    try:
        return get_scoped(Workflow.objects.select_for_update(of=("self",), no_key=True), caller, workflow_id)
    except NotFound as error:
        message = f"There is no workflow {str(workflow_id)[:60]!r} in this workspace."
        raise InvalidInput.from_problems([Problem("not_found", message, "/workflow_id")]) from error


def _locked_trigger(caller: Caller, trigger_id: UUID | str, permission: Permission) -> Trigger:
    rows = Trigger.objects.select_related("workflow").select_for_update(of=("self",))
    trigger = get_scoped(rows, caller, trigger_id)
    caller.require(permission, created_by=trigger.workflow.owner_id)
    return trigger


def _refuse_too_many(workflow: Workflow) -> None:
    if workflow.triggers.count() >= MOST_TRIGGERS:
        raise Conflict(
            f"Workflow {workflow.name!r} has {MOST_TRIGGERS} triggers, the most there may be. Delete one first.",
            code="too_many_triggers",
        )


def _refuse_moving(trigger: Trigger, *, workflow_id: UUID | str | None, kind: str | None) -> None:
    problems = []
    if kind is not None and kind != trigger.kind:
        message = f"The kind of a trigger cannot change from {trigger.kind!r} to {kind!r}. Make a new trigger."
        problems.append(Problem("immutable", message, "/kind"))
    if workflow_id is not None and str(workflow_id) != str(trigger.workflow_id):
        message = "A trigger cannot move to another workflow. Make a new trigger there."
        problems.append(Problem("immutable", message, "/workflow_id"))
    if problems:
        raise InvalidInput.from_problems(problems)


def _audit(
    caller: Caller, trigger: Trigger, verb: str, summary: str, changes: Mapping[str, Json] | None = None
) -> None:
    record(
        actor=caller,
        workspace_id=trigger.workspace_id,
        action=f"trigger.{verb}",
        target_kind="trigger",
        target_id=trigger.id,
        summary=summary,
        changes=changes,
    )
