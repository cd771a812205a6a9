"""Approvals: which there are, and what they wait for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from automation.engine.status import RunStatus, StepStatus
from automation.models import Approval, ApprovalState, StepRun
from automation.services.approval_rights import Person
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped

# What a list shows of the run; definitions stay in the database.
_RUN = ("run__uid", "run__status", "run__workflow__id", "run__workflow__name")


def find(
    person: Person,
    *,
    state: Sequence[str] = (),
    kind: str | None = None,
    assigned_to: str | None = None,
    workflow_id: UUID | None = None,
    run_id: UUID | None = None,
) -> QuerySet[Approval]:
    """The approvals of the caller's workspace that fit all that was asked. `assigned_to` is "me" or None."""
    rows = visible(person.caller)
    if state:
        rows = rows.filter(in_states(state))
    if assigned_to == "me":
        rows = rows.filter(asks(person))
    exact = {"kind": kind, "run__workflow_id": workflow_id, "run__uid": run_id}
    return rows.filter(**{lookup: value for lookup, value in exact.items() if value is not None})


def get(caller: Caller, approval_id: UUID | str) -> Approval:
    """One approval of the caller's workspace. Raises NotFound."""
    caller.require(Permission.APPROVALS_READ)
    return get_scoped(with_runs(), caller, approval_id)


def visible(caller: Caller) -> QuerySet[Approval]:
    """The approvals a caller may look at."""
    caller.require(Permission.APPROVALS_READ)
    return scoped(with_runs(), caller)


def with_runs() -> QuerySet[Approval]:
    """Approvals with what `state_of` and a page need of their runs, and every answer."""
    rows = Approval.objects.select_related("run__workflow").prefetch_related("votes")
    fields = [field.name for field in Approval._meta.concrete_fields]
    return rows.annotate(is_step_over=_step_over()).only(*fields, *_RUN)


def in_states(states: Sequence[str]) -> Q:
    """Approvals in any of these states. One that its run or its step left behind is withdrawn, whatever is stored."""
    is_left = Q(run__status__gte=RunStatus.SUCCEEDED) | Q(is_step_over=True)
    wanted = Q(state__in=[one for one in states if one != ApprovalState.PENDING])
    if ApprovalState.PENDING in states:
        wanted |= Q(state=ApprovalState.PENDING) & ~is_left
    if ApprovalState.WITHDRAWN in states:
        wanted |= Q(state=ApprovalState.PENDING) & is_left
    return wanted


def asks(person: Person) -> Q:
    """Approvals that ask this person."""
    asked = Q(assignees__has_any_keys=sorted(person.names))
    return asked | Q(assignees=[]) if person.caller.may(Permission.APPROVALS_DECIDE) else asked


def state_of(approval: Approval) -> ApprovalState:
    """Where an approval of `with_runs` stands."""
    state = ApprovalState(approval.state)
    row: Any = approval
    is_left = RunStatus(approval.run.status).is_final or row.is_step_over
    return ApprovalState.WITHDRAWN if state is ApprovalState.PENDING and is_left else state


def is_step_over(approval: Approval) -> bool:
    """True when the step that asked has ended without the answer: its own time limit, an early end of its branch."""
    rows = StepRun.objects.filter(run_id=approval.run_id, path=approval.path)
    return rows.filter(status__gte=StepStatus.SUCCEEDED).exists()


def _step_over() -> Exists:
    rows = StepRun.objects.filter(run_id=OuterRef("run_id"), path=OuterRef("path"))
    return Exists(rows.filter(status__gte=StepStatus.SUCCEEDED))
