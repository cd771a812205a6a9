"""May this caller do this? The one permission class of all views."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.core.api.public import ANY_CALLER, STAFF
from brainops.core.errors import NotAuthenticated, PermissionDenied


class CallerMay(BasePermission):
    """Asks for the permission that the view declares for the action.

    A view says `permissions = {"list": Permission.RUNS_READ, …}`: by action for viewsets, by lower-case method for
    plain views. `ANY_CALLER` asks for an identity only, `STAFF` for one of the staff. An action
    without an entry is refused, so a forgotten line closes a door instead of opening one; a test finds it.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """True, or raises what is missing."""
        caller = request.auth
        if not isinstance(caller, Caller):
            raise NotAuthenticated
        method = request.method or ""
        needed = permission_for(view, method)
        if needed is None and (method == "OPTIONS" or not hasattr(view, method.lower())):
            return True  # nothing answers to this method: DRF says 405
        if needed is None:
            raise PermissionDenied("Nobody may do this: no permission is declared for it.")
        if needed == STAFF:
            caller.require_staff()
        elif needed != ANY_CALLER:
            caller.workspace()
            self._require(caller, Permission(needed), view)
        return True

    @staticmethod
    def _require(caller: Caller, needed: Permission, view: Any) -> None:
        """Views of things with a creator ask again with it; until then the creator's verbs count as possible."""
        if getattr(view, "creator_may", False) and caller.may(needed, created_by=caller.user_id):
            return
        caller.require(needed)


def permission_for(view: Any, method: str) -> str | None:
    """What a view asks for; None when nothing is declared."""
    permissions: dict[str, str] = getattr(view, "permissions", {})
    action = getattr(view, "action", None) or method.lower()
    if action == "head":
        action = "get"
    return permissions.get(action)
