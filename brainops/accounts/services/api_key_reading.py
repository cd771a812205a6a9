"""API keys: which ones a caller sees, and what state they are in."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from brainops.accounts import policy
from brainops.accounts.caller import Caller
from brainops.accounts.models import ApiKey
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.core import clock

MARK = "bo_"
STATES = ("active", "expired", "revoked")


def visible(caller: Caller, permission: Permission = Permission.KEYS_READ) -> QuerySet[ApiKey]:
    """The keys a caller may look at: one's own; those of the whole workspace for a role that includes `permission`.

    A key needs the scope in either case.
    """
    workspace_id = caller.workspace()
    if not policy.scopes_allow(caller.scopes, permission):
        caller.require(permission)
    rows = ApiKey.objects.filter(workspace=workspace_id).select_related("user")
    return rows if caller.may(permission) else rows.filter(user=caller.user_id)


def find(
    caller: Caller, *, state: str | None = None, user: UUID | None = None, search: str | None = None
) -> QuerySet[ApiKey]:
    """The keys a caller may look at that fit all that was asked. `search` is in the name or how the key begins."""
    rows = visible(caller)
    if state:
        rows = rows.filter(in_state(state))
    if user:
        rows = rows.filter(user=user)
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(prefix__startswith=search.removeprefix(MARK)))
    return rows


def in_state(state: str) -> Q:
    """The condition of one of STATES."""
    if state == "revoked":
        return Q(revoked_at__isnull=False)
    is_over = Q(expires_at__lte=clock.now())
    return Q(revoked_at=None) & (is_over if state == "expired" else Q(expires_at=None) | ~is_over)


def get_visible(caller: Caller, key_id: UUID | str, permission: Permission = Permission.KEYS_READ) -> ApiKey:
    """One of the keys a caller may look at. Raises NotFound."""
    return get_scoped(visible(caller, permission), caller, key_id)
