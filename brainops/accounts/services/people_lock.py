"""Changes of a workspace's people take turns: who may do what is read again once it is one's turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from django.db import transaction

from brainops.accounts.caller import Caller
from brainops.accounts.models import Membership, Role, Workspace
from brainops.core.errors import Conflict, NotFound, PermissionDenied


@contextmanager
def people_locked(caller: Caller) -> Iterator[Caller]:
    """A transaction in which nobody else changes the people of the caller's workspace.

    Yields the caller with the role of this moment: two owners who demote each other both read "owner" when they were
    recognised; the second one to get here is told that it is over. Raises PermissionDenied for a caller who is gone.
    """
    with transaction.atomic():
        lock_people(caller.workspace())
        yield _as_of_now(caller)


def lock_people(workspace_id: UUID) -> Workspace:
    """Lock the workspace for changes of its people, until the transaction ends. Raises NotFound.

    `no_key`: rows that merely refer to the workspace, such as new runs, are not kept waiting.
    """
    workspace = Workspace.objects.select_for_update(no_key=True).filter(id=workspace_id).first()
    if workspace is None:
        raise NotFound
    return workspace


def refuse_last_owner(member: Membership) -> None:
    """Raise Conflict when no other active Owner would be left. Call it with the people locked."""
    others = Membership.objects.filter(workspace_id=member.workspace_id, role=Role.OWNER, user__is_active=True)
    if member.role == Role.OWNER and not others.exclude(id=member.id).exists():
        raise Conflict(
            "This is the only active Owner. Make somebody else Owner first (POST /workspaces/{id}/transfer).",
            code="last_owner",
        )


def _as_of_now(caller: Caller) -> Caller:
    if caller.via not in ("token", "api_key"):
        return caller  # staff and the product itself act without a membership
    rows = Membership.objects.filter(workspace_id=caller.workspace(), user=caller.user_id, user__is_active=True)
    role = rows.values_list("role", flat=True).first()
    if role is None:
        raise PermissionDenied("You are no longer a member of this workspace.")
    return replace(caller, role=caller.role.at_most(Role(role)))
