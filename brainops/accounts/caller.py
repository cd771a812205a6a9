"""Caller: who is calling, for which workspace, with which rights. Services take one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from brainops.accounts import policy
from brainops.accounts.models.membership import Role
from brainops.accounts.policy import Permission
from brainops.audit.actor import Actor
from brainops.core.errors import AppError, PermissionDenied

Via = Literal["api_key", "token", "admin", "system"]


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated caller.

    `label` is for people and the audit log. `workspace_problem` is why there is no workspace: a call that needs none
    goes on, any other answers with it. DRF sees a caller as `request.user` and `request.auth`.
    """

    user_id: UUID | None
    label: str
    via: Via
    workspace_id: UUID | None = None
    role: Role = Role.VIEWER
    scopes: frozenset[str] = frozenset({policy.ALL_SCOPES})
    is_staff: bool = False
    credential_id: UUID | None = None  # the API key or the login session
    requires_if_match: bool = False  # the workspace takes no change that does not say which state it is meant for
    workspace_problem: AppError | None = field(default=None, compare=False)

    is_authenticated = True  # what DRF and Django ask of a user
    is_active = True
    is_anonymous = False

    def may(self, permission: Permission, *, created_by: UUID | None = None) -> bool:
        """True when role and scopes grant the permission.

        `created_by` is the creator of the workflow in question, who keeps a builder's verbs on it.
        """
        if not policy.scopes_allow(self.scopes, permission):
            return False
        if policy.role_allows(self.role, permission):
            return True
        is_creator = created_by is not None and created_by == self.user_id
        return is_creator and permission in policy.CREATOR_PERMISSIONS

    def require(self, permission: Permission, *, created_by: UUID | None = None) -> None:
        """Raise PermissionDenied unless the caller may."""
        if self.may(permission, created_by=created_by):
            return
        if not policy.scopes_allow(self.scopes, permission):
            raise PermissionDenied(
                f"This API key has no scope for {permission}. Use a key with that scope.",
                details={"permission": permission.value},
            )
        raise PermissionDenied(
            f"The role {self.role} does not include {permission}. Ask an admin of the workspace.",
            details={"permission": permission.value, "role": self.role.value},
        )

    def require_staff(self) -> None:
        """Raise PermissionDenied unless a person of the staff is calling. An API key never is one."""
        if not self.is_staff or self.via == "api_key":
            raise PermissionDenied(
                "This shows all workspaces: it is for staff who log in, not for members and not for API keys.",
                code="staff_only",
            )

    def workspace(self) -> UUID:
        """The workspace this call is for. Raises what kept it from being known (`workspace_required`, not found)."""
        if self.workspace_id is None:
            raise self.workspace_problem or PermissionDenied("You are not a member of any workspace.")
        return self.workspace_id

    @property
    def actor(self) -> Actor:
        """How the audit log names this caller."""
        if self.via == "system":
            return Actor.system(self.label)
        kind: Literal["api_key", "user"] = "api_key" if self.via == "api_key" else "user"
        return Actor(kind=kind, id=self.credential_id if kind == "api_key" else self.user_id, label=self.label)


def system_caller(workspace_id: UUID, label: str) -> Caller:
    """The product itself acting in a workspace: a schedule, the launcher, a command."""
    return Caller(user_id=None, label=label, via="system", workspace_id=workspace_id, role=Role.OWNER)
